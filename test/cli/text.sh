#!/bin/sh
# Text products, the text IR in both directions, messages and their switches.
set -u
# shellcheck source=test/lib.sh
. "${top_srcdir:?}/test/lib.sh"

calib=$top_srcdir/samples/digits/calib
cp "$digits" "$tmp/w/m.onnx"
cd "$tmp/w" || exit 99
quiet="-q --calibrate=$calib"
# compile ARGUMENT...: with calibration, quietly
compile() {
    # shellcheck disable=SC2086  # a list of words
    run "$gemmcc" $quiet "$@"
}

# ---- products as text
compile --emit=ir m.onnx -o m.gir
ends 0 && silent && no_complaint && grep -q '^graph .* stage machine' m.gir
ok $? "--emit=ir"
compile --emit=ir m.onnx
ends 0 && no_complaint && cmp -s "$tmp/out" m.gir
ok $? "text goes to standard output by default"
compile m.onnx -o again.gir
ends 0 && cmp -s again.gir m.gir
ok $? "the suffix picks --emit"
compile --emit=ir:net m.onnx -o net.gir
ends 0 && grep -q '^graph .* stage net' net.gir && grep -q '= Conv(' net.gir
ok $? "--emit=ir:net stops there"
compile --emit=ir:qnet m.onnx -o qnet.gir
ends 0 && grep -q '^graph .* stage qnet' qnet.gir
ok $? "--emit=ir:qnet stops there"
compile --emit=dot m.onnx
ends 0 && no_complaint && says '^digraph ' && says '^}$'
ok $? "--emit=dot"
compile --emit=prog m.onnx -o m.prog
ends 0 && grep -q '^kernel ' m.prog
ok $? "--emit=prog"
compile --emit=c -o - m.onnx
ends 0 && no_complaint && left_nothing && says '^#include "m.h"' && says '^m_run(' && ! says "$tmp"
ok $? "--emit=c to standard output, no folder in it"
compile --emit=c m.onnx -o m.c
ends 0 && silent && [ -s m.c ] && [ -s m.h ] && [ -s m.weights ] && [ -s m_data.S ] && [ -s m.meta ]
ok $? "--emit=c and what belongs to it"
compile --emit=c --name=digit --header=api.h m.onnx -o d.c
ends 0 && grep -q '^digit_run(' d.c && grep -q 'DIGIT_ARENA_BYTES' api.h && [ ! -e d.h ]
ok $? "--name and --header"
compile --emit=none --report=csv --memory-map=map.txt m.onnx
ends 0 && says '^number,layer,op,' && [ -s map.txt ] && [ ! -e m.elf ] && [ ! -e m ]
ok $? "--emit=none with reports"
compile --stop-after=fuse-relu m.onnx
ends 0 && says '^graph .* stage net'
ok $? "--stop-after"
compile --emit=none --dump-dir=. --dump-ir-before=lower --dump-ir-after=all m.onnx
n=$(find . -name '[0-9][0-9]-after-*.gir' | wc -l)
ends 0 && [ "$n" -ge 10 ] && [ "$(find . -name '*-before-lower.gir' | wc -l)" = 1 ]
ok $? "--dump-dir"
rm -f [0-9]*.gir
compile --emit=none --dump-ir-after=fuse-relu m.onnx
ends 0 && silent && complains '^# after fuse-relu' && complains '^graph '
ok $? "--dump-ir-after on standard error"
compile --emit=none --time-passes m.onnx
ends 0 && silent && complains ' ms  quantize$'
ok $? "--time-passes"
run sh -c "\"$gemmcc\" $quiet --name=m --emit=prog - < m.onnx"
ends 0 && cmp -s "$tmp/out" m.prog
ok $? "a model on standard input"

# ---- text in: what is written at any stage goes on to the same program
compile --emit=prog m.gir
ends 0 && cmp -s "$tmp/out" m.prog
ok $? "machine IR reads back"
compile --emit=prog net.gir
ends 0 && cmp -s "$tmp/out" m.prog
ok $? "the network as text compiles to the same"
compile --emit=prog qnet.gir
ends 0 && cmp -s "$tmp/out" m.prog
ok $? "the quantized network does"
compile --emit=ir m.gir -o b.gir
compile --emit=ir b.gir -o c.gir
ends 0 && cmp -s b.gir c.gir
ok $? "printing and reading come to rest"
compile --verify-ir --emit=none m.gir
ends 0 && no_complaint
ok $? "--verify-ir of what was read"
refused 1 '^bad.gir:2: error: .*\[ir-' "a line that is wrong is named" \
    sh -c "head -n 1 m.gir > bad.gir; echo 'input %x: int9 [1,1]' >> bad.gir
        \"$gemmcc\" bad.gir -o x.elf; s=\$?; rm bad.gir; exit \$s"
head -n 6 m.gir > cut.gir
refused 1 'cut.gir' "half a graph" "$gemmcc" cut.gir -o x.elf
rm cut.gir

# ---- messages
run "$gemmcc" --calibrate="$calib" --emit=none m.onnx
ends 0 && silent && [ "$(wc -l < "$tmp/err")" -eq 2 ] && complains ' on the array' && complains ' cycles$'
ok $? "two lines sum up"
compile --emit=none m.onnx
ends 0 && silent && no_complaint
ok $? "-q leaves them out"
run "$gemmcc" -q --emit=none m.onnx
ends 0 && complains '^m.onnx: warning: .*\[calib-none\]$'
ok $? "-q keeps warnings"
run "$gemmcc" -q -Wno-calib-none --emit=none m.onnx
ends 0 && no_complaint
ok $? "-Wno-ID"
run "$gemmcc" -q -Wno-calib-none -Wcalib-none --emit=none m.onnx
ends 0 && complains 'warning: '
ok $? "the last -W counts"
refused 1 '^m.onnx: error: .*\[calib-none\]$' "-Werror=ID" "$gemmcc" -q -Werror=calib-none m.onnx -o e.elf
refused 1 '^m.onnx: error: .*\[calib-none\]$' "-Werror" "$gemmcc" -q -Werror m.onnx -o e.elf
run "$gemmcc" -q -Wall --emit=none m.onnx
ends 0 && complains 'warning: '
ok $? "-Wall"
run env NO_COLOR=1 "$gemmcc" -q --color=always nothere
ends 1 && complains "$(printf '\033')"
ok $? "--color=always"
run "$gemmcc" -q nothere
ends 1 && ! complains "$(printf '\033')"
ok $? "no colour into a file"

# ---- messages as JSON, one object a line
json_lines() {
    [ -s "$tmp/err" ] && ! grep -qv '^{"severity":"[a-z]*","id":"[a-z0-9-]*",.*"text":".*}$' "$tmp/err" \
        && { ! command -v jq > /dev/null || jq -e . "$tmp/err" > /dev/null; }
}
run "$gemmcc" --diagnostics=json --emit=none m.onnx
ends 0 && silent && json_lines && complains '"id":"calib-none","file":"m.onnx"' && complains '"hints":\['
ok $? "a warning"
printf '[array]\ndim = 7x\n[dmaa]\nmax_bytes = 64\n' > 'b"d.ini'
run "$gemmcc" --diagnostics=json '--target=b"d.ini' m.onnx
# shellcheck disable=SC1003  # a lone backslash is meant
ends 1 && json_lines && [ "$(wc -l < "$tmp/err")" -ge 2 ] && complains '"file":"b\\"d.ini","line":2'
ok $? "errors with lines; a quote in a name"
run "$gemmcc" --diagnostics=json --cc=/none m.onnx
ends 3 && json_lines && complains '"severity":"fatal","id":"tool-missing"'
ok $? "a failure"
run "$gemmcc_run" --diagnostics=json m.onnx
ends 1 && json_lines && complains '"id":"elf-file"'
ok $? "gemmcc-run"

run "$gemmcc" --max-errors=1 '--target=b"d.ini' m.onnx
ends 1 && [ "$(grep -c ': error: ' "$tmp/err")" = 1 ] && complains 'not shown'
ok $? "--max-errors"
end
