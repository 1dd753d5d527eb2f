#!/bin/sh
# The hardware's loops in a program by others, in strict mode; and on machines that do
# not say how theirs are packed, or have none.
set -u
. "${top_srcdir:?}/test/lib.sh"
need_programs

cc "$top_srcdir/test/run/loops" loops
ok $? "compiles"
run "$gemmcc_run" "$tmp/loops.elf"
ends 0 && no_complaint && says '^product 0$' && says '^convolution 0$'
ok $? "loops compute what plain C does, and break no rule"
run "$gemmcc_run" -m machine.isa_revision=0 "$tmp/loops.elf"
ends 5 && says '^product 0$' && complains 'loop-revision'
ok $? "a convolution loop needs the machine's packing"
run "$gemmcc_run" -m has.loop_ws=no "$tmp/loops.elf"
ends 5 && complains 'no-loop'
ok $? "and a matmul loop one that works"
end
