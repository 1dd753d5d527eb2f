# Shared by the shell tests that run gemmcc and gemmcc-run: TAP lines, what a command
# said, what it left behind.  A test sources this after `set -u`, and ends with `end`.
#   $tmp      a folder of its own, removed at the end
#   $tmp/w    where commands run; $tmp/t their TMPDIR
#   $digits   the sample model, which is always there
# shellcheck shell=sh disable=SC2034  # used by those that source it
: "${top_srcdir:?}" "${top_builddir:?}"

gemmcc=$top_builddir/gemmcc
gemmcc_run=$top_builddir/gemmcc-run
digits=$top_srcdir/samples/digits/digits.onnx
tmp=$(mktemp -d) || exit 99
tmp=$(cd "$tmp" && pwd -P)
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
mkdir "$tmp/w" "$tmp/t"
TMPDIR=$tmp/t
export TMPDIR
tests=0
status=0

skip_all() {                         # REASON
    echo "1..0 # SKIP $1"
    exit 0
}
end() { echo "1..$tests"; }

# ok STATUS NAME: the TAP line; what the last command said, when it failed.
ok() {
    tests=$((tests + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tests - $2"
        return
    fi
    echo "not ok $tests - $2"
    echo "# status $status"
    head -n 20 "$tmp/out" | sed 's/^/# out: /'
    head -n 20 "$tmp/err" | sed 's/^/# err: /'
}
skip() {                             # NAME REASON
    tests=$((tests + 1))
    echo "ok $tests - $1 # SKIP $2"
}

files() { (cd "$tmp" && find w t | sort); }

# run COMMAND...: in $tmp/w; $tmp/out, $tmp/err and $status are what came of it.
run() {
    files > "$tmp/before"
    (cd "$tmp/w" && "$@") > "$tmp/out" 2> "$tmp/err" < /dev/null
    status=$?
    files > "$tmp/after"
}
ends() { [ "$status" -eq "$1" ]; }
says() { grep -q -e "$1" "$tmp/out"; }
complains() { grep -q -e "$1" "$tmp/err"; }
silent() { [ ! -s "$tmp/out" ]; }
no_complaint() { [ ! -s "$tmp/err" ]; }
# No product and no temporary was added.
left_nothing() { cmp -s "$tmp/before" "$tmp/after"; }

# refused STATUS PATTERN NAME COMMAND...: ends with it, says why, leaves nothing.
refused() {
    want=$1 pattern=$2 name=$3
    shift 3
    run "$@"
    ends "$want" && complains "$pattern" && silent && left_nothing
    ok $? "$name"
}

# ---- programs by others, compiled as gemmcc-rt.pc says

cross_missing() {
    if [ -z "${RISCV_CC:-}" ]; then
        echo "no cross compiler"
    elif [ -z "${QEMU:-}" ]; then
        echo "no QEMU"
    elif ! command -v pkg-config > "$tmp/which"; then
        echo "no pkg-config"
    fi
}
need_programs() {
    no=$(cross_missing)
    test -z "$no" || skip_all "$no"
}
rt() {
    PKG_CONFIG_PATH=$top_builddir pkg-config --define-variable=rtdir="$top_builddir/rt" \
        gemmcc-rt "$@"
}
# cc PROGRAM OUTPUT FLAGS...: in silence.  Flags of pkg-config are words.
cc() {
    from=$1 to=$2
    shift 2
    # shellcheck disable=SC2046
    run "$RISCV_CC" -std=gnu11 -O2 -Wall -Wextra "$@" $(rt --cflags) \
        "$from.c" $(rt --libs) -o "$tmp/$to.elf"
    ends 0 && silent && no_complaint
}
