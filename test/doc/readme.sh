#!/bin/sh
# The example of README.md does what it says there.  Figures may drift with the cost
# model, so every number counts as the same; words and lines do not.
set -u
: "${top_srcdir:?}" "${top_builddir:?}" "${QEMU=}" "${RISCV_CC=}"

if [ -z "$QEMU" ] || [ -z "$RISCV_CC" ]; then
    echo '1..0 # SKIP no QEMU or no cross compiler'
    exit 0
fi
echo 1..2
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
ln -s "$top_srcdir/samples" "$tmp/samples"
PATH=$top_builddir:$PATH

# Numbers as N, whatever their sign and width, and which side of the measurement the
# estimate is on; small causes of waiting come and go.
figures() {
    sed 's/[+-]\{0,1\}[0-9][0-9.,]*/N/g; s/N % high$/N % low/
        s/,\{0,1\} *\(operands\|commands\|stores\|fence\|banks\) N%//g; s/  */ /g'
}

grep '^    ' "$top_srcdir/README.md" | sed -n '/^    \$ /,$s/^    //p' > "$tmp/want"
sed -n 's/^\$ //p' "$tmp/want" > "$tmp/commands"
n=0
while read -r command; do
    printf '$ %s\n' "$command"
    (cd "$tmp" && sh -c "$command" 2>&1)
    n=$((n + 1))
done < "$tmp/commands" > "$tmp/got"
if [ "$n" -ge 2 ] && head -n 1 "$tmp/got" | grep -q '^\$ gemmcc '; then
    echo 'ok 1 - commands found'
else
    echo 'not ok 1 - commands found'
fi
figures < "$tmp/want" > "$tmp/want.n"
figures < "$tmp/got" > "$tmp/got.n"
if cmp -s "$tmp/want.n" "$tmp/got.n"; then
    echo 'ok 2 - the example of README.md'
else
    echo 'not ok 2 - the example of README.md'
    sed 's/^/# /' "$tmp/got"
fi
