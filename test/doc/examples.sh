#!/bin/sh
# The commands under EXAMPLES in the manual pages, and those of the readme, run as they
# are written there, in order, beside the files of the digits sample.  Each has to
# succeed.  Output shown in the page has to appear, in order; numbers may differ.
set -u
: "${top_srcdir:?}" "${top_builddir:?}" "${AWK:?}"

pages='README.md gemmcc.1 gemmcc-run.1 gemmcc-target.5'
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

# Lines of literal displays under EXAMPLES, with mdoc's escapes undone.
examples() {
    case $1 in *.md) sed -n '/^    \$ /,/^$/s/^    //p' "$1"; return ;; esac
    # shellcheck disable=SC2016  # awk fields
    "$AWK" '/^\.Sh / { inside = $2 == "EXAMPLES" }
        /^\.Ed/ { literal = 0 }
        inside && literal { gsub(/\\e/, "\\"); gsub(/\\&/, ""); gsub(/\\-/, "-"); print }
        inside && /^\.Bd -literal/ { literal = 1 }' "$1"
}

: > "$tmp/all"
for p in $pages; do
    page=$top_srcdir/man/$p
    [ -e "$top_builddir/man/$p" ] && page=$top_builddir/man/$p
    [ "$p" = README.md ] && page=$top_srcdir/README.md
    echo "@ $p" >> "$tmp/all"
    examples "$page" >> "$tmp/all"
done
count=$(grep -c '^\$ ' "$tmp/all")
if [ "$count" -lt 10 ]; then
    echo "1..1"
    echo "not ok 1 - only $count examples found"
    exit 0
fi

why=
[ -x "$top_builddir/gemmcc" ] && [ -x "$top_builddir/gemmcc-run" ] || why='programs not built'
[ -n "${RISCV_CC-}" ] || why='no cross compiler'
[ -n "${QEMU-}" ] || why='no QEMU'
echo "1..$count"
if [ -n "$why" ]; then
    i=0
    while [ $((i += 1)) -le "$count" ]; do
        echo "ok $i - example # SKIP $why"
    done
    exit 0
fi

PATH=$(cd "$top_builddir" && pwd):$PATH
export PATH

# Numbers in shown and real output are made equal before they are compared.
plain() {
    sed 's/[+-]\{0,1\}[0-9][0-9.,]*/N/g; s/,\{0,1\} *\(operands\|commands\|stores\|fence\|banks\) N%//g
        s/[ 	][ 	]*/ /g; s/^ //; s/ $//' "$1"
}
# Every line of $1 is in $2, in order; a shown line may be the beginning of a real one.
shows() {
    # shellcheck disable=SC2016  # awk fields
    "$AWK" 'NR == FNR { want[++n] = $0; next }
        k < n && index($0, want[k + 1]) == 1 { k++ }
        END { exit k < n }' "$1" "$2"
}

i=0
command=
finish() {
    [ -n "$command" ] || return 0
    i=$((i + 1))
    (eval "$command") > out 2>&1 < /dev/null
    status=$?
    plain "$tmp/want" > "$tmp/want.plain"
    plain out > "$tmp/out.plain"
    if [ "$status" = 0 ] && { [ ! -s "$tmp/want" ] ||
        shows "$tmp/want.plain" "$tmp/out.plain"; }; then
        printf 'ok %d - %s\n' "$i" "$page: $command"
    else
        printf 'not ok %d - %s\n' "$i" "$page: $command"
        echo "# status $status"
        sed 's/^/# /' out
    fi
    command=
}
while IFS= read -r line; do
    case $line in
    '@ '*)
        finish
        page=${line#@ }
        mkdir "$tmp/$page" && cd "$tmp/$page" || exit 99
        ln -s "$top_srcdir/samples" samples
        cp -R "$top_srcdir"/samples/digits/*.png "$top_srcdir"/samples/digits/*.npy \
            "$top_srcdir"/samples/digits/digits.onnx "$top_srcdir"/samples/digits/calib . || exit 99
        chmod -R u+w . ;;
    '$ '*)
        finish
        command=${line#\$ }
        : > "$tmp/want" ;;
    *)
        printf '%s\n' "$line" >> "$tmp/want" ;;
    esac
done < "$tmp/all"
finish
