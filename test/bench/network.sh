#!/bin/sh
# A whole network under QEMU: ResNet-50 with seeded weights, its modelled cycles, and how
# long compiling and running took here.  Usage: network.sh BUILD
set -eu
build=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

seconds() {
    start=$(date +%s%N)
    "$@"
    end=$(date +%s%N)
    echo "    $(((end - start) / 1000000)) ms wall"
}

"$build"/test/bench/resnet50 "$dir/resnet50.onnx"
echo "ResNet-50, compiled with -O2:"
seconds "$build"/gemmcc -q -Wno-calib-none -O2 "$dir/resnet50.onnx" -o "$dir/resnet50.elf"
echo "ResNet-50, one image, timing and rules on:"
seconds "$build"/gemmcc-run --top=0 "$dir/resnet50.elf" random:1
