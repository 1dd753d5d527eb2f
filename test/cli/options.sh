#!/bin/sh
# The command line: what is asked for, what is wrong, what wins.
set -u
# shellcheck source=test/lib.sh
. "${top_srcdir:?}/test/lib.sh"

# ---- asked for: on standard output, exit status 0
run "$gemmcc" --help
ends 0 && no_complaint && says '^usage: gemmcc ' && says '  -o, --output=FILE'
ok $? "--help"
run "$gemmcc" -h
ends 0 && says '^usage: gemmcc '
ok $? "-h"
run "$gemmcc" --help=quant
ends 0 && no_complaint && says '--calib-method=METHOD' && ! says '--output'
ok $? "--help=TOPIC"
run "$gemmcc" --help=all
rows=$(grep -c '^O(CC' "$top_srcdir/src/driver/options.def")
shown=$(grep -c '^  -' "$tmp/out")
ends 0 && no_complaint && [ "$rows" -eq "$shown" ] && [ "$rows" -gt 40 ]
ok $? "--help=all shows all $rows options"
run "$gemmcc_run" --help=all
rows=$(grep -c '^O([A-Z|]*RUN' "$top_srcdir/src/driver/options.def")
shown=$(grep -c '^  -' "$tmp/out")
ends 0 && [ "$rows" -eq "$shown" ] && [ "$rows" -gt 20 ]
ok $? "--help=all of gemmcc-run"
run "$gemmcc" --help=targt
ends 2 && silent && complains "no help on 'targt'"
ok $? "an unknown topic"
run "$gemmcc" --version
ends 0 && no_complaint && says '^gemmcc [0-9]'
ok $? "--version"
run "$gemmcc_run" -V
ends 0 && no_complaint && says '^gemmcc-run [0-9]'
ok $? "-V"
run "$gemmcc" -v --version
ends 0 && says '^cross compiler: ' && says '^simulator: '
ok $? "--version -v names the tools"
run "$gemmcc" --bogus --emit=nonsense --version x y
ends 0 && no_complaint && says '^gemmcc [0-9]'
ok $? "--version wins over what is wrong"
run "$gemmcc" --outptu=x -Z --help
ends 0 && no_complaint && says '^usage: '
ok $? "--help wins over what is wrong"
run "$gemmcc" -- --help
ends 1 && silent && complains '^--help: error: cannot be read'
ok $? "-- ends the options"
run "$gemmcc_run" -- --version
ends 1 && silent && complains '^--version: error: cannot be read'
ok $? "-- ends those of gemmcc-run"

# ---- wrong: a message, a hint, exit status 2
# wrong PATTERN ARGUMENT...
wrong() {
    pattern=$1
    shift
    refused 2 "$pattern" "gemmcc $*" "$gemmcc" "$@"
}
wrong_run() {
    pattern=$1
    shift
    refused 2 "$pattern" "gemmcc-run $*" "$gemmcc_run" "$@"
}
cp "$digits" "$tmp/w/m.onnx"
wrong 'no model given'
wrong 'one model at a time, not 2' m.onnx m.onnx
wrong "unknown option '--calibarte'; did you mean '--calibrate'?" --calibarte=x m.onnx
wrong "unknown option '--zzzzzz'$" --zzzzzz m.onnx
wrong "unknown option '-Z'" -Z m.onnx
wrong "option '--calib' is ambiguous: .*--calib-limit" --calib=3 m.onnx
wrong "option '--explain' needs an argument" --explain
wrong "option '-o' needs an argument" m.onnx -o
wrong "option '--exact' takes no argument" --exact=3 m.onnx
wrong "'elff'; did you mean 'elf'?" --emit=elff m.onnx
wrong "'pdf', only elf, obj, c" --emit=pdf m.onnx
wrong "no stage 'nett'" --emit=ir:nett m.onnx
wrong "'sometimes', only auto, always, never" --color=sometimes m.onnx
wrong "'floot'; did you mean 'float'?" --io=floot m.onnx
wrong "'of'; did you mean 'off'?" --quant=of m.onnx
wrong '--verify wants a number from 1 on' --verify=0 m.onnx
wrong '--batch wants a number from 1 on' --batch=none m.onnx
wrong '-O wants a number' -Ofast m.onnx
wrong '--arena-limit wants a number' --arena-limit=lots m.onnx
wrong '--calib-method wants minmax' --calib-method=median m.onnx
wrong '--calib-method wants minmax' --calib-method=percentile:3 m.onnx
wrong '--report knows text, csv and json' --report=xml m.onnx
wrong '--name wants a C identifier' --name=9lives m.onnx
wrong "no warning 'nonsense'" -Wno-nonsense m.onnx
wrong "no warning 'calib-nnoe'; did you mean 'calib-none'?" -Werror=calib-nnoe m.onnx
wrong "'jsno'; did you mean 'json'?" --diagnostics=jsno m.onnx
wrong "there is no pass 'fuse-relo'" -fno-fuse-relo m.onnx
complains "did you mean 'fuse-relu'?"
ok $? "... with a suggestion"
wrong "there is no pass 'paint'" --dump-ir-after=paint m.onnx
wrong "there is no pass 'paint'" --stop-after=paint m.onnx
wrong "'sepia' is not understood" --recipe=unit,sepia m.onnx
wrong "no diagnostic 'elf-fiel'; did you mean 'elf-file'?" --explain=elf-fiel
wrong_run 'no program given'
wrong_run "unknown option '--lables'; did you mean '--labels'?" --lables=x x.elf
wrong_run '--top wants a number' --top=many x.elf
wrong_run '--tolerance wants' --tolerance=int:-1 x.elf
wrong_run '--timeout wants a time' --timeout=soon x.elf
wrong_run '--strict does not take' --strict=very x.elf
wrong_run '--report knows text, csv and json' --report=xml x.elf
wrong_run '--memory wants a number' --memory=1 x.elf

# ---- targets: the description was refused, exit status 1
refused 1 "no target 'gemini-16'" "an unknown target" "$gemmcc" --target=gemini-16 m.onnx
complains "did you mean 'gemmini-16'?"
ok $? "... with a suggestion"
refused 1 "no key 'array.dimm'" "an unknown key" "$gemmcc" -m array.dimm=8 m.onnx
complains "did you mean 'array.dim'?"
ok $? "... with a suggestion"
refused 1 "expected SECTION.KEY=VALUE" "a key without value" "$gemmcc" -mdim m.onnx
refused 1 "no node is called 'conv_2'" "an unknown node" "$gemmcc" --on-core=conv_2 m.onnx
end
