#!/bin/sh
# Programs for the array, by hand: compiled, linked with the runtime, run under QEMU
# with the device model.
set -u
: "${top_srcdir:?}" "${top_builddir:?}" "${RISCV_CC=}" "${QEMU=}" "${CC:?}"

skip() { echo "1..0 # SKIP $1"; exit 0; }
test -n "$RISCV_CC" || skip "no cross compiler"
test -n "$QEMU" || skip "no QEMU"

src=$top_srcdir/test/run
lib=$top_builddir/backend/rt
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
n=0

# ok CONDITION-STATUS NAME: the TAP line; what was seen, when it failed.
ok() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        sed 's/^/# /' "$tmp/out"
    fi
}
run() { "$top_builddir/test/run/runner" "$@" > "$tmp/out" 2>&1; }
says() { grep -q -e "$1" "$tmp/out"; }

for p in matmul million rt fmath ends; do
    "$RISCV_CC" -std=c11 -march=rv64gc -mabi=lp64d -mcmodel=medany -O2 -ffreestanding \
        -nostdlib -static -Wall -Wextra -I"$top_srcdir" -I"$top_srcdir/backend/rt/include" \
        -T "$top_srcdir/backend/rt/platform/htif/link.ld" "$src/$p.c" \
        -L"$lib" -lgm_rt -lgcc -o "$tmp/$p.elf" > "$tmp/out" 2>&1
    test $? -eq 0 && test ! -s "$tmp/out"
    ok $? "$p compiles without a word"
done

run read=c "$tmp/matmul.elf"
says '^wrong 0$' && says '^end exit status 0 device 1 '
ok $? "a product is right"
a=$(sed -n 's/^out c int8 \[64,64\] crc32 //p' "$tmp/out")
b=$(sed -n 's/^memory c crc32 //p' "$tmp/out")
test -n "$a" && test "$a" = "$b"
ok $? "its checksum is that of the memory"
says '^layer 0 hart 0 commands 143 macs 262144 in 8192 out 4096 '
ok $? "the layer is counted"
# 64 pairs of 16 cycles, behind loads of 128 lines at 8.6 cycles, and the stores.
c=$(sed -n 's/^layer 0 .* cycles //p' "$tmp/out")
test "${c:-0}" -ge 1500 && test "$c" -le 4500
ok $? "and its time is plausible"
cp "$tmp/out" "$tmp/first"
run read=c "$tmp/matmul.elf" && cmp -s "$tmp/out" "$tmp/first"
ok $? "a second run is the same to the last cycle"
run patch=a:3 read=c "$tmp/matmul.elf"
says '^wrong 0$' && ! says "crc32 $a"
ok $? "an input written into the file is used"
run strict=off timing=off "$tmp/matmul.elf"
says "crc32 $a" && says ' cycles 0$'
ok $? "without time and rules the result is the same"

cat > "$tmp/want" <<'END'
-42|   42|42   |-0042|+42| 42|007
4000000000|beef|BEEF|0xff|10|18446744073709551615|123456789abc
44|4464|-9223372036854775808|5|9
abc|     abc|abc     |ab|x|%|0x80000000
3.141593|-0.01|   2.500|10.0    |1234|1000000000000000000.000000
   7|7   |0.2
10 0123456
copies wrong 0
str 1 0 0 4 =b
crc cbf43926
counters 123
time 1 1 1
hart 3000
END
run harts=2 timeout=20 "$tmp/rt.elf"
head -n 13 "$tmp/out" | cmp -s - "$tmp/want"
ok $? "printing, memory, counters, time and harts"
says '^end exit status 3 '
ok $? "the exit code arrives"

"$CC" -std=c11 -O2 -ffp-contract=off -I"$top_srcdir" "$src/fmath.c" \
    "$top_srcdir/src/machine/fmath.c" -lm -o "$tmp/fmath" > "$tmp/out" 2>&1 \
    && run "$tmp/fmath.elf" && test "$("$tmp/fmath")" = "$(head -n 1 "$tmp/out")"
ok $? "mathematical functions give the host's bits"

"$QEMU" -machine spike -bios none -display none -monitor none -serial stdio \
    -kernel "$tmp/matmul.elf" > "$tmp/out" 2>&1 < /dev/null
status=$?
test "$status" -eq 92 && says '^no Gemmini here: run it with gemmcc-run, Spike or Gemmini hardware$'
ok $? "without the device model it says so"

run "$tmp/ends.elf"
says '^went on$' && says '^end exit status 9 device 1 layer 5$'
ok $? "an end without events"
run patch=mode:49 "$tmp/ends.elf"
says '^trap: store access fault (cause 0x7) at 0x8[0-9a-f]*, value 0x40, .* layer 5$' \
    && says '^end trap status 91 device 1 layer 5$'
ok $? "a trap says what, where and in which layer"
run patch=mode:53 "$tmp/ends.elf"
says '^trap: illegal instruction (cause 0x2) at ' && says '^end trap '
ok $? "an illegal instruction that is no command"
run patch=mode:50 timeout=1 "$tmp/ends.elf"
says '^begins$' && says '^end timeout ' && says ' layer 5$'
ok $? "time runs out"
run patch=mode:51 "$tmp/ends.elf"
says '^end refused status 93 ' && says '^violation never-written layer 5 command 1: ' \
    && ! says 'went on'
ok $? "a broken rule ends the run"
run patch=mode:51 strict=warn "$tmp/ends.elf"
says '^went on$' && says '^end exit status 9 ' && says '^violation never-written '
ok $? "with warnings it goes on"
run patch=mode:51 strict=off "$tmp/ends.elf"
says '^went on$' && ! says '^violation'
ok $? "without rules nothing is said"
run patch=mode:52 "$tmp/ends.elf"
says '^end refused status 93 ' && says '^violation '
ok $? "memory outside the machine's"

! run memory=64K "$tmp/matmul.elf" && says '\[qemu-memory\]'
ok $? "a machine too small"
! run qemu=no-such-qemu "$tmp/matmul.elf" && says '\[qemu-missing\]'
ok $? "no QEMU"
! run plugin="$tmp/none.so" "$tmp/matmul.elf" && says '\[qemu-plugin\]'
ok $? "no device model"
echo 'int x;' > "$tmp/x.c"
"$CC" -shared -fPIC "$tmp/x.c" -o "$tmp/x.so"
! run plugin="$tmp/x.so" "$tmp/matmul.elf" && says '\[qemu-plugin\]' && says 'qemu_plugin'
ok $? "a device model that is none"
! run qemu=false "$tmp/matmul.elf" && says '\[qemu-failed\]'
ok $? "a QEMU that fails"
mkdir "$tmp/a,b" && TMPDIR="$tmp/a,b" run "$tmp/matmul.elf"
says '^wrong 0$' && test -z "$(ls "$tmp/a,b")"
ok $? "a comma in TMPDIR, and nothing left there"

begin=$(date +%s%N)
run timeout=60 "$tmp/million.elf"
end=$(date +%s%N)
says '^layer 0 hart 0 commands 1000000 macs 2048000000 '
ok $? "a million commands"
echo "# in $(((end - begin) / 1000000)) ms"
echo "1..$n"
