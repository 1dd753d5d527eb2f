#!/bin/sh
# What goes wrong: a message that says so, the documented exit status, and neither a
# product nor a temporary left behind.
set -u
# shellcheck source=test/lib.sh
. "${top_srcdir:?}/test/lib.sh"

calib=$top_srcdir/samples/digits/calib
picture=$top_srcdir/samples/digits/7.png
cd "$tmp/w" || exit 99
cp "$digits" m.onnx

# ---- models
size=$(wc -c < m.onnx)
bad=0
for k in 0 1 2 3 7 20 50 100 300 1000 3000 10000 30000 60000 $((size / 2)) $((size - 100)) $((size - 2)) \
    $((size - 1)); do

    head -c $k m.onnx > cut.onnx
    run "$gemmcc" cut.onnx -o x.elf
    if ! ends 1 || ! complains '^cut.onnx: error: .*\[onnx-' || ! silent || ! left_nothing; then
        echo "# at $k of $size bytes: status $status"
        sed 's/^/# /' "$tmp/err"
        bad=1
    fi
done
ok $bad "a model cut off at any place"
rm cut.onnx
# refused_file PATTERN NAME FILE
refused_file() { refused 1 "$1" "$2" "$gemmcc" "$3" -o x.elf; }
: > empty.onnx
refused_file '^empty.onnx: error: the file is empty \[onnx-empty\]' "an empty file" empty.onnx
echo 'Dear sir or madam, ...' > letter.onnx
refused_file '^letter.onnx: error: .*\[onnx-parse\]' "a text" letter.onnx
refused_file '7.png: error: not an ONNX model \[onnx-parse\]' "a picture" "$picture"
complains 'hint: this is a picture'
ok $? "... recognized as one"
refused_file 'error: not an ONNX model \[onnx-parse\]' "a program" "$gemmcc"
refused_file '^nothere.onnx: error: cannot be read: No such file' "a file that is not there" nothere.onnx
refused_file 'is a folder' "a folder" .
refused_file 'is not a regular file' "a device" /dev/zero
LC_ALL=C sed 's/Relu/Zelu/; s/MaxPool/Mxxpool/' m.onnx > odd.onnx
refused_file "operator Zelu is not supported.*'relu1'.*\[op-unknown\]" "operators that nobody knows" odd.onnx
complains "operator Mxxpool is not supported.*'pool1'"
ok $? "... all are reported at once"
complains 'hint: .*Relu' && complains 'hint: .*MaxPool'
ok $? "... with suggestions"
LC_ALL=C sed '0,/conv1.weight/s//conv1.wxight/' m.onnx > lost.onnx
refused_file 'conv1.w.ight' "a weight of another name" lost.onnx

# ---- data
refused 1 'nothere: error: cannot be read' "calibration that is not there" "$gemmcc" m.onnx --calibrate=nothere
mkdir none
refused 1 'no samples in this folder \[dataset-empty\]' "an empty folder" "$gemmcc" m.onnx --calibrate=none
refused 1 '\[tensor-shape\]' "calibration of another shape" \
    "$gemmcc" m.onnx "--calibrate=$top_srcdir/samples/digits/truth.npy"
refused 1 'error: the seed is not a number' "a seed that is none" "$gemmcc" m.onnx --calibrate=random:x
refused 1 'nothere: error: cannot be read' "labels that are not there" "$gemmcc" m.onnx --labels=nothere
refused 1 'arena-limit' "too little memory" "$gemmcc" -q "--calibrate=$calib" m.onnx --arena-limit=1K -o x.elf

# ---- tools and the disk
# compile PATTERN NAME ARGUMENT...: exit status 3
fails() {
    pattern=$1 name=$2
    shift 2
    refused 3 "$pattern" "$name" "$@"
}
cc="$gemmcc -q --calibrate=$calib m.onnx"
fails "cannot create '/no/such/x.elf'.*\[out-open\]" "a folder that is not there" sh -c "$cc -o /no/such/x.elf"
fails "cannot create '.'.*\[out-open\]" "a folder as the product" sh -c "$cc -o ."
fails "cannot run '/nonexistent': .*\[tool-missing\]" "no cross compiler" sh -c "$cc --cc=/nonexistent"
complains 'hint: .*gcc-riscv64-unknown-elf'
ok $? "... with the package that has it"
fails "cannot run 'riscv64-unknown-elf-gcc'" "no cross compiler in PATH" sh -c "PATH=/nonexistent; export PATH; $cc"
fails "cannot run 'no-such-cc'" "GEMMCC_CC" env GEMMCC_CC=no-such-cc sh -c "$cc"
cat > broken-cc <<'END'
#!/bin/sh
echo 'x.c:1: error: no memory left, says the broken compiler' >&2
echo half > "${TMPDIR:-/tmp}/its-own-temporary"
exit 4
END
chmod +x broken-cc
fails 'broken-cc ended with status 4 \[cc-failed\]' "a cross compiler that fails" sh -c "$cc --cc=./broken-cc"
complains '^  x.c:1: error: no memory left'
ok $? "... its message is shown"
fails 'killed\|ended with status 139' "a cross compiler that crashes" \
    sh -c "printf '#!/bin/sh\nkill -SEGV \$\$\n' > broken-cc; $cc --cc=./broken-cc"
fails 'ended with status' "a compiler for another machine" sh -c "$cc --cc=${CC:-cc}"
if [ -z "${RISCV_CC-}" ]; then
    end_without='no cross compiler'
else
    end_without=
    fails "no room to write '/dev/full'" "a full device" sh -c "$cc -o /dev/full"
fi
fails 'no room to write' "text to a full device" sh -c "$cc --emit=ir -o /dev/full"
fails "no room to write 'standard output'" "text to a full standard output" sh -c "$cc --emit=ir > /dev/full"
fails 'no room to write' "C to a full device" sh -c "$cc --emit=c -o /dev/full"
for limit in 1 8 16 40; do
    fails 'no room\|File too large\|ended with status\|too large' "files of $limit blocks at most" \
        sh -c "ulimit -f $limit; $cc -o x.elf"
done
fails 'no room' "C, when its weights do not fit" sh -c "ulimit -f 64; $cc --emit=c -o x.c"
fails "no temporary folder in '/no/such'" "TMPDIR that is not there" env TMPDIR=/no/such sh -c "$cc"
mkdir small
if mount -t tmpfs -o size=48k none small 2> /dev/null; then
    run sh -c "$cc -o small/x.elf"
    ends 3 && complains "no room to write 'small/x.elf'" && left_nothing
    ok $? "a full disk"
    run sh -c "TMPDIR=small $cc -o x.elf"
    ends 3 && left_nothing
    ok $? "a full disk of temporaries"
    umount small
else
    skip "a full disk" "tmpfs cannot be mounted here"
    skip "a full disk of temporaries" "tmpfs cannot be mounted here"
fi
# What was there before a failure still is.
echo old > x.elf
run sh -c "$cc --cc=/nonexistent -o x.elf"
ends 3 && [ "$(cat x.elf)" = old ]
ok $? "the old product stays when there is no new one"
rm x.elf
mkdir x.h
fails "cannot create './x.h'\|cannot create 'x.h'" "no object without its header" sh -c "$cc -c --name=x -o x.o"
fails "cannot create './x.h'\|cannot create 'x.h'" "no C without its header" sh -c "$cc --emit=c --name=x -o x.c"
rmdir x.h
before=$(stat -c '%a %t %T' /dev/null)
run sh -c "$cc --emit=c -o /dev/null"
ends 0 && left_nothing && [ "$(stat -c '%a %t %T' /dev/null)" = "$before" ]
ok $? "a device as the product stays as it is"

# ---- stopped
# The tool starts, says so, and would leave a mark if it lived on.
cat > slow-cc <<'END'
#!/bin/sh
echo x > "${TMPDIR:-/tmp}/of-the-tool"
echo started > started
(sleep 1; echo x > lived-on; echo x > "${TMPDIR:-/tmp}/lived-on") &
wait
END
chmod +x slow-cc
# stopped SIGNAL COMMAND...
stopped() {
    signal=$1
    shift
    rm -f started
    files > "$tmp/before"
    # A shell without job control has its background jobs ignore INT.
    env --default-signal=INT "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null &
    pid=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ ! -e started ] || break
        sleep 0.1
    done
    kill "-$signal" $pid
    wait $pid 2> /dev/null
    status=$?
    rm -f started
    files > "$tmp/after"
    [ $status -gt 128 ] && left_nothing
    ok $? "stopped by $signal: ${2##*/}"
}
# shellcheck disable=SC2086  # a list of words
for s in TERM INT HUP; do
    stopped $s $cc --cc=./slow-cc -o x.elf
done
sleep 1.2
files > "$tmp/after"
left_nothing
ok $? "the tool and what it started end too"
if [ -z "$end_without" ]; then
    bad=0
    for t in 0.02 0.05 0.1 0.15 0.2 0.3; do
        files > "$tmp/before"
        # shellcheck disable=SC2086  # a list of words
        timeout -s TERM $t $cc -o x.elf > "$tmp/out" 2> "$tmp/err"
        status=$?
        [ $status = 124 ] || rm -f x.elf
        files > "$tmp/after"
        left_nothing || { echo "# after $t s"; bad=1; }
    done
    ok $bad "stopped at any time"
fi

# ---- gemmcc-run
if [ -n "$end_without" ]; then
    skip "gemmcc-run" "$end_without"
    end
    exit 0
fi
$cc -o p.elf || exit 99
$cc -c -o p.o || exit 99
refused 1 "input 'image' float \[1,1,28,28\] is missing \[run-input\]" "an input that is missing" "$gemmcc_run" p.elf
complains 'hint: .*-i image='
ok $? "... with its name"
refused 1 "'.*7.png' is one too many" "one input too many" "$gemmcc_run" p.elf "$picture" "$picture"
refused 1 'nothere.png: error: cannot be read' "an input that is not there" "$gemmcc_run" p.elf nothere.png
refused 1 'float \[200,1,28,28\].*\[1,1,28,28\] \[tensor-shape\]' "an input of a wrong shape" \
    "$gemmcc_run" p.elf "$top_srcdir/samples/digits/eval.npy"
refused 1 'entry 200 of a tensor \[200,1,28,28\]' "an entry behind the last" \
    "$gemmcc_run" p.elf "$top_srcdir/samples/digits/eval.npy@200"
head -c 150 "$picture" > cut.png
refused 1 'cut.png: error: .*\[image-' "half a picture" "$gemmcc_run" p.elf cut.png
refused 1 "no input is named as in 'picture=.*\[run-name\]" "an input of another name" \
    "$gemmcc_run" p.elf -i "picture=$picture"
refused 1 "no output is named as in 'scores=" "an output of another name" \
    "$gemmcc_run" p.elf "$picture" -o scores=x.npy
refused 1 'which kind of file' "an output of unknown kind" "$gemmcc_run" p.elf "$picture" -o x.bmp
refused 1 'nothere.npy: error: cannot be read' "an expectation that is not there" \
    "$gemmcc_run" p.elf "$picture" --expect=nothere.npy
refused 1 "made for another machine ('gemmini-16') than 'lean'" "another target" \
    "$gemmcc_run" --target=lean p.elf "$picture"
run "$gemmcc_run" -q --force-target -m dram.extra_latency=100 p.elf "$picture"
ends 0 && silent
ok $? "another target all the same"
refused 1 'm.onnx: error: not an ELF file' "a model instead of a program" "$gemmcc_run" m.onnx
refused 1 "gemmcc: error: not a program for 64-bit RISC-V" "a program of this machine" "$gemmcc_run" "$gemmcc"
refused 1 'p.o: error: an object file, not a program' "an object file" "$gemmcc_run" p.o
refused 1 'nothere.elf: error: cannot be read' "a program that is not there" "$gemmcc_run" nothere.elf
refused 3 "there is no '/nonexistent'.*\[qemu-missing\]" "no QEMU" "$gemmcc_run" --qemu=/nonexistent p.elf "$picture"
complains 'hint: .*qemu-system-misc'
ok $? "... with the package that has it"
refused 3 "there is no 'no-qemu'" "GEMMCC_QEMU" env GEMMCC_QEMU=no-qemu "$gemmcc_run" p.elf "$picture"
refused 3 'false failed (status 1)' "a QEMU that fails" "$gemmcc_run" --qemu=false p.elf "$picture"
if [ -n "${QEMU-}" ]; then
    refused 3 '\[qemu-plugin\]' "no device model" env GEMMCC_DEVICE=/none.so "$gemmcc_run" p.elf "$picture"
    refused 1 '\[qemu-memory\]' "too little memory" "$gemmcc_run" --memory=64K p.elf "$picture"
    refused 5 'still running after 0.001 s.*\[run-timeout\]' "out of time" \
        "$gemmcc_run" --timeout=0.001 p.elf "$picture"
    refused 3 "no room to write" "an output on a full disk" \
        sh -c "ln -s /dev/full full.npy; \"$gemmcc_run\" -q p.elf \"$picture\" -o full.npy; s=\$?; rm full.npy; exit \$s"
    run sh -c "\"$gemmcc_run\" p.elf \"$picture\" > /dev/full"
    ends 3 && complains 'standard output'
    ok $? "a full standard output"
    "$gemmcc_run" -q p.elf "$picture" -o seven.npy
    run "$gemmcc_run" p.elf "$top_srcdir/samples/digits/3.png" --expect=seven.npy
    ends 4 && says '^score: [0-9]* of 10 values differ'
    ok $? "another output than expected"
    run "$gemmcc_run" p.elf "$picture" --expect=seven.npy
    ends 0 && says '^score: as expected'
    ok $? "the output expected"
    # shellcheck disable=SC2086  # a list of words
    for s in TERM INT; do
        stopped $s "$gemmcc_run" --qemu=./slow-cc p.elf "$picture"
    done
fi

# Programs cut off, or with another description: refused or right, never a crash.
size=$(wc -c < p.elf)
bad=0
for k in 1 4 64 100 1000 5000 20000 40000 $((size - 3000)) $((size - 1)); do
    head -c $k p.elf > cut.elf
    run "$gemmcc_run" cut.elf "$picture"
    if ! ends 1 || ! complains '^cut.elf: error: ' || ! left_nothing; then
        echo "# at $k of $size bytes: status $status: $(cat "$tmp/err")"
        bad=1
    fi
done
ok $bad "a program cut off at any place"
damaged() {                          # PATTERN SED-EXPRESSION
    LC_ALL=C sed "$2" p.elf > bad.elf
    if cmp -s p.elf bad.elf; then
        ok 1 "description: $2 changes nothing"
        return
    fi
    refused 1 "$1" "description: $2" "$gemmcc_run" bad.elf "$picture"
}
: > bad.elf
damaged 'bad.elf:[0-9]*: error: .*shape' 's/^shape = 1 1 28 28$/shape = 1 x 28 28/'
damaged 'error: ' 's/^shape = 1 1 28 28$/shape = 1 9 28 28/'
damaged 'bad.elf:[0-9]*: error: ' 's/^shape = 1 1 28 28$/shape = 1 1 28   /'
damaged 'bad.elf:[0-9]*: error: .*first' 's/^first = 64$/first = -4/'
damaged 'bad.elf:[0-9]*: error: .*outside' 's/^first = 64$/first = 99/'
damaged 'bad.elf:[0-9]*: error: .*dtype\|type' 's/^dtype = int8$/dtype = int7/'
damaged 'bad.elf:[0-9]*: error: .*scale' 's/^scale = 0x1./scale = 0xz./'
damaged 'bad.elf:[0-9]*: error: ' 's/^pitch = 900 1 30 1$/pitch = 999 1 99 1/'
damaged "no room for input 'image'" 's/^symbol = gm_in$/symbol = gm_im/'
damaged 'output' 's/^symbol = gm_out$/symbol = gm_oux/'
damaged 'bad.elf:[0-9]*: error: .*array.dim' 's/^array.dim = 16$/array.dim = 1z/'
damaged "bad.elf:[0-9]*: error: .*name" 's/^name = image$/nxme = image/'
damaged "bad.elf: error: .*target\|bad.elf:[0-9]*: error" 's/^\[target\]$/[garget]/'
damaged "bad.elf:[0-9]*: error" 's/^\[layer\]$/[layer /'
end
