#!/bin/sh
# What gemmcc tells about itself: tables, targets, explanations.
set -u
# shellcheck source=test/lib.sh
. "${top_srcdir:?}/test/lib.sh"

# Every row of a table is shown, once.
run "$gemmcc" --print-passes
rows=$(grep -c '^P(' "$top_srcdir/passes/passes.def")
ends 0 && no_complaint && [ "$(wc -l < "$tmp/out")" -eq "$rows" ] && says '^quantize  *[a-z]'
ok $? "--print-passes: $rows"
run "$gemmcc" --print-diags
rows=$(grep -c '^D(' "$top_srcdir/src/base/diag.def")
ends 0 && no_complaint && [ "$(wc -l < "$tmp/out")" -eq "$rows" ] && says '^cc-failed  *[A-Z]'
ok $? "--print-diags: $rows"
# Each of them is explained.
"$gemmcc" --print-diags | awk '{ print $1 }' > "$tmp/ids"
bad=0
while read -r id; do
    "$gemmcc" --explain="$id" > "$tmp/out" 2> "$tmp/err" && [ "$(head -n 1 "$tmp/out")" = "$id" ] \
        && [ "$(wc -l < "$tmp/out")" -ge 3 ] || bad=1
done < "$tmp/ids"
ok $bad "--explain=ID for each of them"
run "$gemmcc" --print-ops
sort -fc "$tmp/out" 2> /dev/null
sorted=$?
ends 0 && no_complaint && [ $sorted = 0 ] && says '^Conv  *opset 1 on' && says '^MatMul ' && ! says '^m\.'
ok $? "--print-ops: sorted, no machine operators"
ops=$(wc -l < "$tmp/out")
run "$gemmcc" --print-ops=mdoc
ends 0 && [ "$(grep -c '^\.Ss ' "$tmp/out")" -eq "$ops" ]
ok $? "--print-ops=mdoc: the same $ops"
if [ -n "${MANDOC-}" ]; then
    cp "$tmp/out" "$tmp/gemmcc-ops.7"
    run "$MANDOC" -T lint -W warning "$tmp/gemmcc-ops.7"
    ends 0
    ok $? "... is sound mdoc"
else
    skip "... is sound mdoc" "no mandoc"
fi
refused 2 "'html', only text, mdoc" "a form that there is not" "$gemmcc" --print-ops=html

run "$gemmcc" --print-targets
rows=$(find "$top_srcdir/backend/targets" -name '*.ini' | wc -l)
ends 0 && no_complaint && [ "$(wc -l < "$tmp/out")" -eq "$rows" ] && says '^gemmini-16$'
ok $? "--print-targets: $rows"
"$gemmcc" --print-targets > "$tmp/targets"
bad=0
while read -r t; do
    # What is printed is a whole description, and means the same.
    "$gemmcc" --print-target="$t" > "$tmp/w/$t.ini" && "$gemmcc" --check-target="$t" > "$tmp/a" \
        && "$gemmcc" --check-target="$tmp/w/$t.ini" > "$tmp/b" && [ -s "$tmp/a" ] \
        && cmp -s "$tmp/a" "$tmp/b" || bad=1
done < "$tmp/targets"
ok $bad "--print-target reads back as the same target"
run "$gemmcc" --print-target
cmp -s "$tmp/out" "$tmp/w/gemmini-16.ini"
ok $? "the default target is gemmini-16"
run "$gemmcc" --print-target --target=lean -m array.dim=8
ends 0 && says '^dim = 8$' && says '^dataflow = ws$'
ok $? "--print-target with --target and -m"
run "$gemmcc" --check-target="$top_srcdir/backend/targets/lean.ini"
ends 0 && no_complaint && says '^lean: 16 x 16 array, int8, digest [0-9a-f]\{12\}$'
ok $? "--check-target"
printf '[array]\ndim = 7x\n[dmaa]\nmax_bytes = 64\n' > "$tmp/w/bad.ini"
refused 1 '^bad.ini:2: error: .*array.dim' "a bad value, with its line" "$gemmcc" --check-target=bad.ini
complains '^bad.ini:[34]: error: .*dmaa'
ok $? "... and a bad section at once"
refused 1 "no target 'nothere'" "no such target" "$gemmcc" --check-target=nothere
refused 1 'in a circle?' "a target that inherits itself" \
    sh -c "printf '[machine]\\ninherit = loop.ini\\n' > loop.ini && \"$gemmcc\" --check-target=loop.ini; s=\$?; rm loop.ini; exit \$s"

# Standard output that ends early is a failure like any other.
for o in --help=all --print-ops --print-diags --print-target --version; do
    run sh -c "\"$gemmcc\" $o > /dev/full"
    ends 3 && complains 'standard output'
    ok $? "gemmcc $o into a full device"
done
end
