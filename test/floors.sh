#!/bin/sh
# Every include respects the floors; and the checker notices when one does not.
set -u
: "${top_srcdir:?}" "${AWK:?}"
echo 1..3

if out=$("$AWK" -f "$top_srcdir/build-aux/check-floors" \
        "$top_srcdir/build-aux/floors" "$top_srcdir"); then
    echo "ok 1 - floors"
else
    echo "not ok 1 - floors"
    echo "$out" | sed 's/^/# /'
fi

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/ir" "$tmp/sim"
echo '#include "sim/sim.h"' > "$tmp/ir/bad.c"
echo '#include "sim.h"' > "$tmp/sim/bad.h"
out=$("$AWK" -f "$top_srcdir/build-aux/check-floors" "$top_srcdir/build-aux/floors" "$tmp")
case $out in
    *'ir/bad.c:1: ir may not include sim/sim.h'*) echo "ok 2 - a floor is broken" ;;
    *) echo "not ok 2 - a floor is broken" ;;
esac
case $out in
    *'sim/bad.h:1: "sim.h" does not start at the top'*) echo "ok 3 - a short path" ;;
    *) echo "not ok 3 - a short path" ;;
esac
