#!/bin/sh
# The scripts of the build: they pass shellcheck, and embed keeps every character.
set -u
: "${top_srcdir:?}" "${CC:?}"
echo 1..2

if ! command -v shellcheck >/dev/null 2>&1; then
    echo "ok 1 - scripts # SKIP no shellcheck"
elif out=$(cd "$top_srcdir" && shellcheck quickstart .ci/run build-aux/embed \
        && shellcheck -S warning -e SC2154 test/*.sh test/*/*.sh); then
    echo "ok 1 - scripts"
else
    echo "not ok 1 - scripts"
    echo "$out" | sed 's/^/# /'
fi

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
# shellcheck disable=SC1003  # a lone backslash is meant
printf '%s\n' 'a "quoted" \n \\' '	tab %d %% ??/' '' '\' 'last' > "$tmp/odd-name.prog"
"$top_srcdir/build-aux/embed" "$tmp/odd-name.prog" > "$tmp/text.h"
cat > "$tmp/print.c" <<'END'
#include <stdio.h>
#include "text.h"
int main(void) { return fputs(odd_name_prog, stdout) < 0; }
END
# shellcheck disable=SC2086  # CC may hold options
if $CC -std=c11 -w -o "$tmp/print" "$tmp/print.c" && "$tmp/print" > "$tmp/out" &&
        cmp "$tmp/out" "$tmp/odd-name.prog"; then
    echo "ok 2 - embed"
else
    echo "not ok 2 - embed"
fi
