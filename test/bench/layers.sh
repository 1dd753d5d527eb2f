#!/bin/sh
# The benchmark of single layers, from ONNX files and cold, under QEMU: a line per layer
# with cycles, share of the array's peak, multiply-accumulates per cycle and what the
# compiler had estimated.  Usage: layers.sh BUILD [PATTERN]
set -eu
build=$1
pattern=${2:-.}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$build"/test/bench/layer_models "$dir" > "$dir/names"
grep -e "$pattern" "$dir/names" > "$dir/some"
while read -r name; do
    "$build"/gemmcc -q -Wno-calib-none "$dir/$name.onnx" -o "$dir/$name.elf" -O2
    "$build"/gemmcc-run -q "$dir/$name.elf" random:1 --report="csv:$dir/$name.csv"
    # number,layer,op,on,output,macs,cycles,...: the shapes are quoted, so from the end.
    awk -F'","|",|,"|,' -v name="$name" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i - NF; next }
        { macs = $(NF + at["macs"]); if (macs > 0)
          printf "%-34s %10d cycles %5.1f %% of peak %6.1f MAC/cycle  estimate %+.1f %%  limit %s\n",
          name, $(NF + at["measured"]), $(NF + at["util"]), macs / $(NF + at["measured"]),
          $(NF + at["error"]), $(NF + at["limit"]) }' "$dir/$name.csv"
    rm -f "$dir/$name.onnx" "$dir/$name.elf"
done < "$dir/some"
