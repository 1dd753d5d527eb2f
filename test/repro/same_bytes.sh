#!/bin/sh
# The same command gives the same bytes: from other folders, in another place, zone,
# language and temporary folder, with the runtime elsewhere, and built anew.
set -u
# shellcheck source=test/lib.sh
. "${top_srcdir:?}/test/lib.sh"

[ -n "${RISCV_CC-}" ] || skip_all "no cross compiler"
samples=$top_srcdir/samples/digits

# A copy of the compiler with all it reads beside it.
# install FOLDER
install_copy() {
    mkdir -p "$1/bin" "$1/data" || exit 99
    cp "$gemmcc" "$1/bin/gemmcc"
    cp -RL "$top_builddir/targets" "$1/bin/targets"
    mkdir "$1/bin/rt"
    for f in backend ir src libgm_rt.a; do
        [ ! -e "$top_builddir/rt/$f" ] || cp -RL "$top_builddir/rt/$f" "$1/bin/rt/$f"
    done
    cp "$digits" "$1/data/digits.onnx"
    cp -R "$samples/calib" "$1/data/calib"
}
one=$tmp/w/one
two="$tmp/w/the second, longer, with blanks & signs"
install_copy "$one"
install_copy "$two"
mkdir "$tmp/t/other temp"
unset GEMMCC_TARGET_PATH GEMMCC_RT

# first|second OPTIONS...: the same command in surroundings that have nothing in common
first() {
    run sh -c 'cd "$0" && shift 0 && exec env TZ=UTC LC_ALL=C "$@"' "$one/data" \
        "$one/bin/gemmcc" -q digits.onnx --calibrate=calib "$@"
}
second() {
    mkdir -p "$two/elsewhere"
    # What lies about there by the same names is not taken.
    echo other > "$two/elsewhere/digits.weights"
    echo other > "$two/elsewhere/digits.meta"
    run sh -c 'cd "$0" && exec env TZ=Asia/Kathmandu LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 HOME=/none \
        TMPDIR="'"$tmp/t/other temp"'" nice -n 1 "$@"' "$two/elsewhere" \
        "$two/bin/gemmcc" -q ../data/digits.onnx "--calibrate=$two/data/calib" "$@"
}
same() {                             # FILE NAME
    [ -s "$1" ] && cmp "$1" "$2" > "$tmp/out" 2>&1
    ok $? "$3"
}

first -o "$tmp/a.elf"
ok $status "here"
second -o "$tmp/b.elf"
ok $status "there"
same "$tmp/a.elf" "$tmp/b.elf" "the same program"
second -o "$tmp/b.elf"
same "$tmp/a.elf" "$tmp/b.elf" "and again"
! grep -q -a -e "$tmp" -e "$(uname -n)" -e "$top_srcdir" "$tmp/a.elf"
ok $? "no folder and no host name in it"
first -c -o "$tmp/a.o" "--header=$tmp/a.h"
second -c -o "$tmp/b.o" "--header=$tmp/b.h"
same "$tmp/a.o" "$tmp/b.o" "the same object"
same "$tmp/a.h" "$tmp/b.h" "the same header"
for kind in ir prog dot; do
    first --emit=$kind -o "$tmp/a.$kind"
    second --emit=$kind -o "$tmp/b.$kind"
    same "$tmp/a.$kind" "$tmp/b.$kind" "the same --emit=$kind"
done
first --emit=none --report=json
cp "$tmp/out" "$tmp/a.json"
second --emit=none --report=json
cp "$tmp/out" "$tmp/b.json"
same "$tmp/a.json" "$tmp/b.json" "the same report"

# Without the library the runtime's sources are compiled with the program.
rm -f "$one/bin/rt/libgm_rt.a" "$two/bin/rt/libgm_rt.a"
first -o "$tmp/a.elf"
ok $status "the runtime from its sources"
second -o "$tmp/b.elf"
same "$tmp/a.elf" "$tmp/b.elf" "the same program"

# The library itself, built in two folders.
if [ -e "$top_builddir/config.status" ] && [ -e "$top_builddir/backend/rt/libgm_rt.a" ]; then
    bad=0
    options=$("$top_builddir/config.status" --config)
    for b in x y/another-build-folder; do
        mkdir -p "$tmp/w/$b" && (cd "$tmp/w/$b" && eval "\"$top_srcdir/configure\" -q $options --srcdir=\"$top_srcdir\"" \
            && env -u MAKEFLAGS -u MAKELEVEL make backend/rt/libgm_rt.a) > "$tmp/out" 2> "$tmp/err" || bad=1
    done
    ok $bad "the library is built twice"
    same "$tmp/w/x/backend/rt/libgm_rt.a" "$tmp/w/y/another-build-folder/backend/rt/libgm_rt.a" "the same library"
    same "$tmp/w/x/backend/rt/libgm_rt.a" "$top_builddir/backend/rt/libgm_rt.a" "... as the one here"
else
    skip "the library is built twice" "not built here"
fi
end
