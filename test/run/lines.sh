#!/bin/sh
# Broken rules and traps name the line of the generated C.  What is broken is put there
# by a cross compiler that first changes a line of it, where it stays the same line.
set -u
. "${top_srcdir:?}/test/lib.sh"
: "${RISCV_CC=}" "${QEMU=}"
test -n "$RISCV_CC" || skip_all "no cross compiler"
test -n "$QEMU" || skip_all "no QEMU"

calib=--calibrate=$top_srcdir/samples/digits/calib
seven=$top_srcdir/samples/digits/7.png
tool() { "$RISCV_CC" -print-prog-name="$1"; }

run "$gemmcc" -q "$digits" "$calib" -o digits.c
run "$gemmcc" -q "$digits" "$calib" -o d.elf --save-temps=temps
ends 0 && cmp -s "$tmp/w/digits.c" "$tmp/w/temps/digits.c"
ok $? "--emit=c gives the file that is compiled"

# broken EDIT: the program whose C was changed by this sed command
broken() {
    printf '%s\n' '#!/bin/sh' "for f; do case \$f in */digits.c) sed -i '$1' \"\$f\" ;; esac; done" \
        "exec $RISCV_CC \"\$@\"" > "$tmp/cc"
    chmod +x "$tmp/cc"
    run "$gemmcc" -q "$digits" "$calib" -o b.elf --cc="$tmp/cc"
    ends 0 && run "$gemmcc_run" -q b.elf "$seven"
}
# at TEXT FUNCTION: the message names the first line with the text, as --emit=c writes it
at() {
    line=$(grep -n -m 1 -F -e "$1" "$tmp/w/digits.c" | sed 's/:.*//')
    complains "^ *at digits\.c:${line:-none}, in $2+0x[0-9a-f]*$"
}
broken '/gm_layer(1);/s/$/ gm_mvout(0x80000000, gm_rc(16, 16, 4000));/'
ends 5 && complains "layer 1 'conv2.*', command 0: pool-bank: " && at 'gm_layer(1);' digits_run
ok $? "a command that breaks a rule"
broken '/gm_layer(2);/s/$/ gm_config_st(16, GM_ONE, 7);/'
ends 5 && complains "layer 2 .*, command 0: activation: " && at 'gm_layer(2);' digits_run
ok $? "one in a function of a header"
broken '/^stream_pooled/,/^}/s/gm_compute_preloaded(.*);/gm_compute_preloaded(none, none);/'
ends 5 && complains "layer 0 .*: garbage: " && at 'gm_compute_preloaded(aj' stream_pooled_has_bias
ok $? "one in a kernel"
broken '/gm_layer(3);/s/$/ *(volatile int *)64 = 1;/'
ends 5 && complains 'the program trapped \[run-trap\]' && complains '^trap: store access fault' \
    && at 'gm_layer(3);' digits_run
ok $? "a trap"

# Every command, by the cross tools: they see through inlining, too.
run "$gemmcc" -q "$digits" "$calib" -o g.elf --cc-flags=-g
ends 0 && "$(tool objdump)" -h "$tmp/w/g.elf" | grep -q debug_line \
    && ! "$(tool objdump)" -h "$tmp/w/d.elf" | grep -q debug
ok $? "debugging information stays in the program if asked for"
"$(tool objcopy)" --dump-section .gm.meta="$tmp/meta" "$tmp/w/g.elf" "$tmp/copy"
"$(tool objcopy)" --dump-section .gm.meta="$tmp/meta.d" "$tmp/w/d.elf" "$tmp/copy"
sed -n '/^\[lines\]/,/^\[/s/^\([0-9a-f]*\) = /\1 /p' "$tmp/meta" > "$tmp/table"
sed -n '/^\[lines\]/,/^\[/s/^\([0-9a-f]*\) = /\1 /p' "$tmp/meta.d" | cmp -s - "$tmp/table"
ok $? "and changes no line"
"$(tool objdump)" -d "$tmp/w/g.elf" \
    | sed -n 's/^ *\([0-9a-f]*\):[ 	]*[0-9a-f]*[7f]b[ 	].*/\1/p' > "$tmp/commands"
"$(tool addr2line)" -i -a -e "$tmp/w/g.elf" < "$tmp/commands" \
    | sed -n 's/^0x0*//p; s/.*digits\.c:\([0-9]*\).*/= \1/p' > "$tmp/want"
# shellcheck disable=SC2016  # awk fields
"$AWK" 'function hex(s,    i, n) {
        for (i = 1; i <= length(s); i++)
            n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
        return n
    }
    FNR == NR {
        at = hex($1)
        for (i = 2; i <= NF; i++) {
            split($i, r, ":")
            first[++runs] = at; last[runs] = at += r[2]; line[runs] = r[1]
        }
        next
    }
    $1 != "=" { pc = hex($1); found = 0; next }
    !found++ {
        for (i = 1; i <= runs && !(first[i] <= pc && pc < last[i]); i++)
            ;
        if (line[i] != $2) print "command", n, "line", line[i], "not", $2
        else good++
    }
    END { exit good < 40 }' "$tmp/table" "$tmp/want" > "$tmp/out"
[ $? -eq 0 ] && silent
ok $? "the table names the lines that addr2line does"

# Programs of others: the function, or the line where they have one.
cat > "$tmp/w/other.c" <<'END'
#include "gm_rt.h"

int
main(void)
{
    gm_mvout(0x80000000, gm_rc(16, 16, 0));
    return 0;
}
END
for g in -g0 -g; do
    "$RISCV_CC" -march=rv64gc -mabi=lp64d -mcmodel=medany -O2 -ffreestanding -nostdlib -static $g \
        -I"$top_srcdir" -I"$top_srcdir/backend/rt/include" "$tmp/w/other.c" \
        -T "$top_srcdir/backend/rt/platform/htif/link.ld" -L"$top_builddir/backend/rt" -lgm_rt -lgcc \
        -o "$tmp/w/other$g.elf"
done
run "$gemmcc_run" other-g0.elf
ends 5 && complains '^ *at main+0x[0-9a-f]*$'
ok $? "a program of others"
run "$gemmcc_run" other-g.elf
ends 5 && complains '^ *at other\.c:6, in main+0x[0-9a-f]*$'
ok $? "... with debugging information"
end
