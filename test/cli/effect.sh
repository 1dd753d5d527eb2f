#!/bin/sh
# Options that change what is made: each changes it, and the result still runs.
set -u
# shellcheck source=test/lib.sh
. "${top_srcdir:?}/test/lib.sh"

[ -n "${RISCV_CC-}" ] || skip_all "no cross compiler"
[ -n "${QEMU-}" ] || skip_all "no QEMU"
sample=$top_srcdir/samples/digits
model=$digits
base() {                             # PRODUCT OPTION ...
    product=$1
    shift
    "$gemmcc" -q "$model" -o "$tmp/$product" --calibrate="$sample/calib" "$@" > "$tmp/log" 2>&1
}
seven() {                            # PROGRAM
    "$gemmcc_run" "$tmp/$1" "$sample/7.png" 2> /dev/null | grep -q '^1\. seven'
}
base plain.elf && seven plain.elf
ok $? "no options"

for o in --io=float --calib-limit=2 --calib-method=percentile:95 -O0 --opt-limit=0 \
    --on-core='conv2*' -fno-fuse-pool --target=gemmini-8 -ml2.bytes=128K --name=other; do
    base other.elf "$o" && ! cmp -s "$tmp/plain.elf" "$tmp/other.elf" && seven other.elf
    ok $? "$o"
done
base two.elf --seed=2 && cmp -s "$tmp/plain.elf" "$tmp/two.elf"
ok $? "--seed leaves alone what is not random"
for s in 1 2; do
    "$gemmcc" -q -Wno-calib-none --seed=$s "$model" -o "$tmp/seed$s.elf" 2> /dev/null
done
[ -s "$tmp/seed1.elf" ] && [ -s "$tmp/seed2.elf" ] && ! cmp -s "$tmp/seed1.elf" "$tmp/seed2.elf"
ok $? "--seed makes other inputs to calibrate with"

# A sum of int8: machine operators of the array, or the definition.
cat > "$tmp/sum.gir" <<'END'
graph "sum" opset 13
input %a: float [1,8,4,4]
input %b: float [1,8,4,4]
%s = Add(%a, %b) name "sum"
%m = GlobalAveragePool(%s) name "mean"
output %m
END
run "$gemmcc" -q -Wno-calib-none --emit=ir "$tmp/sum.gir" -o -
ends 0 && says ' m\.add(' && says ' m\.matmul('
ok $? "sums and means on the array"
run "$gemmcc" -q -Wno-calib-none --exact --emit=ir "$tmp/sum.gir" -o -
ends 0 && ! says ' m\.add(' && ! says ' m\.matmul(' && says ' m\.map(' && says ' m\.pool('
ok $? "--exact"
run "$gemmcc" -q -Wno-calib-none --arena-limit=100 --emit=none "$tmp/sum.gir"
ends 1 && complains arena-limit
ok $? "--arena-limit"

end
