#!/bin/sh
# Real networks, quantized here, as programs under QEMU: every test data set and every
# labelled sample.  Top-1 may lose one sample against ONNX Runtime's on the float model;
# which samples differ, and by how much, is shown.
set -u
# shellcheck source=test/lib.sh
. "${top_srcdir:?}/test/lib.sh"

[ -n "${MODELS-}" ] || skip_all "no models"
[ -n "${RISCV_CC-}" ] || skip_all "no cross compiler"
[ -n "${QEMU-}" ] || skip_all "no QEMU"

show() { sed 's/^/# /' "$1"; }

# float_model NAME TOLERANCE: in float on the core, against ONNX Runtime
float_model() {
    name=$1 tolerance=$2 dir=$MODELS/$1
    if [ ! -e "$dir/model.onnx" ]; then
        skip "$name in float" "not there"
        return
    fi
    run "$gemmcc" -q "$dir/model.onnx" -o f.elf --quant=off
    ends 0 && silent && no_complaint
    ok $? "$name compiles in float"
    bad=0
    for set in "$dir"/test_data_set_*; do
        run "$gemmcc_run" -q f.elf "$set/input_0.pb" "--expect=$set/output_0.pb" "--tolerance=$tolerance"
        show "$tmp/out"
        ends 0 && says ': as expected, ' || bad=1
    done
    ok $bad "$name in float: the numbers of ONNX Runtime, $tolerance"
}

# model NAME RIGHT: RIGHT samples are right in ONNX Runtime
model() {
    name=$1 right=$2 dir=$MODELS/$1
    if [ ! -e "$dir/model.onnx" ]; then
        skip "$name" "not there"
        return
    fi
    run "$gemmcc" "$dir/model.onnx" -o m.elf "--calibrate=$dir/calib" --verify
    ends 0 && silent && complains '^verify: \([0-9]*\) of \1 layers identical on 1 sample$'
    ok $? "$name: the device model computes what the reference does, in every layer"
    show "$tmp/err"
    [ "$status" = 0 ] || return

    # The test data sets are clear cases: the same class as ONNX Runtime's in each.
    sets=$(find "$dir" -maxdepth 1 -name 'test_data_set_*' | wc -l)
    run "$gemmcc_run" -v "--dataset=$dir" m.elf
    show "$tmp/out"
    ends 0 && no_complaint && says "^$sets samples" && says "^$sets agree with the reference; "
    ok $? "$name: $sets test data sets"
    # One by one, with the output written: the same numbers from the same program.
    bad=0
    for set in "$dir"/test_data_set_*; do
        run "$gemmcc_run" -q m.elf "$set/input_0.pb" -o y.npy
        ends 0 && silent && no_complaint || bad=1
        run "$gemmcc_run" -q -i "$set/input_0.pb" --expect=y.npy --tolerance=abs=0 m.elf
        ends 0 && says '^[^ ]*: as expected, largest difference 0$' || bad=1
    done
    ok $bad "$name: and the same again"

    run "$gemmcc_run" -v "--dataset=$dir/eval" --report m.elf
    show "$tmp/out"
    # "200 samples, 198 right (99.00 %); the reference has 198 right (99.00 %)"
    ours=$(sed -n 's/^[0-9]* samples, \([0-9]*\) right .*/\1/p' "$tmp/out")
    theirs=$(sed -n 's/.*; the reference has \([0-9]*\) right .*/\1/p' "$tmp/out")
    ends 0 && no_complaint && [ "${theirs:-0}" -eq "$right" ] && [ "${ours:-0}" -ge $((right - 1)) ]
    ok $? "$name: $ours right, ONNX Runtime $right"
    layers=$(grep -c '^ *[0-9][0-9]*  .*  [a-z]*  *\(array\|core\)  ' "$tmp/out")
    [ "$layers" -ge 3 ] && says 'MAC/cycle' && says ' cycles measured, ' && says '^cycles: '
    ok $? "$name: cycles of $layers layers"
}

# Sums of some hundred products; scores of thousands, and probabilities.
float_model mnist_cntk_f32 rel=1e-5,abs=1e-3
float_model mlperf_ic_resnet8_f32 abs=1e-5
model mnist_cntk_f32 198
model mlperf_ic_resnet8_f32 85
model squeezenet_f32 5
end
