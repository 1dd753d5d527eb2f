#!/bin/sh
# Whole layers by the library of the usual header, in programs as others write them:
# results against plain loops, times against hardware.  The library keeps operands from
# loop to loop and adds by mvins that nothing orders, so rules warn.
set -u
. "${top_srcdir:?}/test/lib.sh"
need_programs

# layers PROGRAM: compiles, runs, and every line "... wrong N" says 0.
layers() {
    cc "$top_srcdir/test/run/$1" "$1"
    ok $? "$1 compiles"
    run "$gemmcc_run" --strict=warn "$tmp/$1.elf"
    ends 0 && says 'wrong 0$' && ! says 'wrong [1-9]'
    ok $? "$1 agree with plain C"
}
# takes FIELD CYCLES NAME: within 15 % of a measurement on cycle-exact RTL, which is about
# what the core's time is off, since the model counts a division as any instruction.
takes() {
    got=$(sed -n 's/^time //p' "$tmp/out" | cut -d' ' -f"$1")
    test "${got:-0}" -ge $(($2 * 85 / 100)) && test "$got" -le $(($2 * 115 / 100))
    ok $? "$3 takes its time"
}

layers products
takes 1 37311 "a product of 128 x 256 x 256"
complains 'loop-ids' && complains 'dataflow: output-stationary' && ! complains 'fence-missing'
ok $? "rules warn of kept operands and outputs, no fence is missing"

layers convs
takes 1 184877 "a depthwise convolution of 28 x 28 x 32"
takes 2 523968 "a convolution of 56 x 56 x 64"
! complains 'fence-missing' && ! complains 'loop-endless'
ok $? "no fence is missing, and every loop ends"

layers sums
takes 1 212541 "a sum of 784 x 512"
complains 'loop-resadd'
ok $? "rules warn of mvins to the same rows"

layers nets

# On an array that a generator's header describes, with what such a header leaves open.
params=$top_srcdir/test/run/float/gemmini_params.h
cc "$top_srcdir/test/run/floats" floats -I"${params%/*}"
ok $? "layers of floats compile with their own header"
run "$gemmcc_run" --strict=warn --target="$params" -m machine.isa_revision=3 \
    -m has.loop_ws=yes -m array.dataflow=both "$tmp/floats.elf"
ends 0 && says 'wrong 0$' && ! says 'wrong [1-9]'
ok $? "layers of floats agree with plain C"

# A tile that does not fit, a product that the array cannot do.
for wrong in '1, 1, 1, true, true, false' '9, 9, 1, false, false, false' \
        '5, 1, 1, false, false, false'; do
    echo "#include \"include/gemmini.h\"
elem_t x[64 * 160];
int main(void) { tiled_matmul(64, 160, 64, x, x, NULL, x, 160, 160, 160, 160, 1, 1, 1, 0, 1, 0,
    false, $wrong, false, 0, WS); return 0; }" > "$tmp/refused.c"
    cc "$tmp/refused" refused && run "$gemmcc_run" --strict=warn "$tmp/refused.elf"
    ends 1 && says '^gemmini: '
    ok $? "refused: $wrong"
done
end
