#!/bin/sh
# Programs for arrays of floats: what they compute is what the core computes with the
# array's roundings.  A program without a description needs --target.
set -u
. "${top_srcdir:?}/test/lib.sh"
need_programs

# product TARGET FLAGS...
product() {
    target=$1
    shift
    cc "$top_srcdir/test/run/array" array "$@"
    ok $? "a product for $target compiles"
    run "$gemmcc_run" --target="$target" "$tmp/array.elf"
    ends 0 && no_complaint && says '^wrong 0 of 1024, zeros [1-9]'
    ok $? "its bits on $target are right, and no rule is broken"
}
product fp32
run "$gemmcc_run" "$tmp/array.elf"
ends 5
ok $? "on an array of int8 the program is stopped"
product bf16 -DBF16
end
