#!/bin/sh
# Programs by others: compiled with what gemmcc-rt.pc says, for the usual C macros, run
# by gemmcc-run without a description.
set -u
. "${top_srcdir:?}/test/lib.sh"
need_programs

cc "$top_srcdir/test/run/library" library
ok $? "compiles and links as its pkg-config file says"
run "$gemmcc_run" --strict=warn "$tmp/library.elf"
ends 7 && no_complaint
ok $? "ends with the program's own status"
says '^wrong 0$'
ok $? "its product is right"
# Two tiles of 256 bytes, one of 1024, one out of 256, one pair, mostly from cold.
cycles=$(sed -n 's/^cycles //p' "$tmp/out")
test "${cycles:-0}" -ge 300 && test "$cycles" -le 2000
ok $? "rdcycle is modelled time"
says '^time 1 1$'
ok $? "and rdtime, which the machine lacks, too"
says '^bare 1 1$'
ok $? "without a command or a call of the runtime between"
# Beats times the whole request: 32 of one beat of 16 bytes, 16 of four beats of 64.
says '^counters 4608 [1-9][0-9]* 256$' && says '^counters 0 0 0$'
ok $? "counters"
says '^math 7\.389056 1\.414214 0\.964028 -3\.0 -2\.0 -3\.0 -2\.0 1000000000000000$' \
    && says '^math 1 1 1$' && says '^shift 2 -2 2$'
ok $? "functions of math.h"
cp "$tmp/out" "$tmp/first"
run "$gemmcc_run" "$tmp/library.elf"
ends 7 && cmp -s "$tmp/out" "$tmp/first"
ok $? "it keeps to the portable profile, and a second run is the same"

# Most are written for a folder above the headers.
echo '#include "include/gemmini.h"
int main(void) { gemmini_flush(0); return 0; }' > "$tmp/above.c"
cc "$tmp/above" above && run "$gemmcc_run" "$tmp/above.elf" && ends 0
ok $? "headers are found as include/gemmini.h"

cc "$top_srcdir/test/run/blocks" blocks
ok $? "a program of single blocks compiles"
run "$gemmcc_run" --strict=warn "$tmp/blocks.elf"
ends 0 && says '^os 1$' && says '^ws 1$' && says '^rows 1$' && says '^helpers 1 1 1 0$' \
    && says '^time 1 0$' && complains 'dataflow: output-stationary'
ok $? "its products and the header's helpers agree with plain C"

cc "$top_srcdir/test/run/harts" one && cc "$top_srcdir/test/run/harts" two -DHARTS=2
ok $? "a product on one hart and on two compiles"
run "$gemmcc_run" "$tmp/one.elf"
ends 0 && no_complaint
ok $? "one hart"
one=$(sed -n 's/^out //p' "$tmp/out")
alone=$(sed -n 's/^hart 0 cycles //p' "$tmp/out")
run "$gemmcc_run" -m platform.harts=2 "$tmp/two.elf"
ends 0 && no_complaint && test -n "$one" && says "^out $(echo "$one" | sed 's/[][]/./g')\$"
ok $? "two harts give the same bits"
test "$(sed -n 's/^hart 0 cycles //p' "$tmp/out")" -lt "${alone:-0}"
ok $? "in less time"
cp "$tmp/out" "$tmp/first"
same=0
for _ in 1 2 3 4; do
    run "$gemmcc_run" -m platform.harts=2 "$tmp/two.elf"
    cmp -s "$tmp/out" "$tmp/first" || same=1
done
ok $same "and five runs are the same to the last cycle"
# unfenced MODE RULE WHERE
unfenced() {
    cc "$top_srcdir/test/run/unfenced" "unfenced$1" -DMODE="$1"
    run "$gemmcc_run" "$tmp/unfenced$1.elf"
    ends 5 && complains "$2" && complains "at $3"
    ok $? "a fence is missing: $1"
    run "$gemmcc_run" --strict=warn "$tmp/unfenced$1.elf"
    ends 0 && complains "$2"
    ok $? "a warning instead: $1"
}
unfenced 0 ': command 2: fence-missing: bytes 0x' 'main+0x'
unfenced 1 ': the core before command 3: core-write: a mvin reads bytes 0x' 'memset+0x'
unfenced 2 ': the core before command 4: core-read: a mvout writes bytes 0x' 'look+0x'
run "$gemmcc_run" --strict=off "$tmp/unfenced0.elf"
ends 0 && no_complaint
ok $? "nothing is said when it is not to be"
end
