#!/bin/sh
# gemmcc-run --dataset: what is right, what is wrong, what does not fit.
set -u
# shellcheck source=test/lib.sh
. "${top_srcdir:?}/test/lib.sh"

[ -n "${RISCV_CC-}" ] || skip_all "no cross compiler"
[ -n "${QEMU-}" ] || skip_all "no QEMU"

samples=$top_srcdir/samples/digits
cd "$tmp/w" || exit 99
"$gemmcc" -q "--calibrate=$samples/calib" "$digits" -o d.elf || exit 99
mkdir pictures
for d in 0 1 2 3 4 5 6 7 8 9; do
    cp "$samples/$d.png" "pictures/$d.png" 2> /dev/null
done
count=$(find pictures -name '*.png' | wc -l)

# ---- right and wrong, told apart by an independent truth: the names of the files
run "$gemmcc_run" --dataset=pictures d.elf
ends 0 && no_complaint && says "^$count samples\$" && says '^cycles: '
ok $? "pictures without truth"
for f in pictures/*.png; do basename "$f" .png; done > numbers
run "$gemmcc_run" --dataset=pictures --truth=numbers d.elf
ends 0 && says "^$count samples, $count right (100.00 %)\$" && ! says 'truth'
ok $? "with truth: all are right"
sed '1s/.*/7/' numbers > one-wrong
run "$gemmcc_run" --dataset=pictures --truth=one-wrong d.elf
ends 0 && says "^$count samples, $((count - 1)) right " && says '^  pictures/0.png: zero 0\.[0-9]*, truth seven '
ok $? "a wrong one is named with both scores"
sed 's/^3$/three/; s/^0$/zero/' numbers > labels
run "$gemmcc_run" --dataset=pictures --truth=labels d.elf
ends 0 && says "^$count samples, $count right "
ok $? "labels instead of numbers"
sed 's/.*/7/' numbers > sevens
run "$gemmcc_run" -q --dataset=pictures --truth=sevens d.elf
ends 0 && says "^$count samples, 1 right " && [ "$(wc -l < "$tmp/out")" = 1 ]
ok $? "-q: one line"
run "$gemmcc_run" "--dataset=$samples/eval.npy" "--truth=$samples/truth.npy" --report=csv:r.csv d.elf
ends 0 && right=$(sed -n 's/^200 samples, \([0-9]*\) right .*/\1/p' "$tmp/out") && [ "${right:-0}" -ge 198 ] \
    && grep -q '^number,layer' r.csv
ok $? "200 pictures: $right right"

mkdir sets
run "$gemmcc_run" --dataset=random:3 d.elf
ends 0 && says '^16 samples$'
ok $? "made-up samples"

# ---- what does not fit
# wrong STATUS PATTERN ARGUMENT...
wrong() {
    want=$1 pattern=$2
    shift 2
    refused "$want" "$pattern" "gemmcc-run $*" "$gemmcc_run" "$@"
}
wrong 2 '--truth goes with --dataset' --truth=numbers d.elf
wrong 2 '--dataset does not go with --input' --dataset=pictures -i x=y d.elf
wrong 2 '--dataset does not go with --expect' --dataset=pictures --expect=y d.elf
wrong 2 '--dataset does not go with --bake' --dataset=pictures --bake=y d.elf
wrong 2 '--dataset gives the inputs' --dataset=pictures d.elf pictures/0.png
wrong 1 'nothere: error: cannot be read' --dataset=nothere d.elf
wrong 1 'no samples in this folder' --dataset=sets d.elf
wrong 1 'nothere: error: cannot be read' --dataset=pictures --truth=nothere d.elf
head -n 3 numbers > few
wrong 1 "few: error: 3 labels for $count samples \[run-truth\]" --dataset=pictures --truth=few d.elf
sed '2s/.*/eleven/' numbers > odd
wrong 1 "odd: error: 'eleven' is neither a number nor a label \[run-truth\]" --dataset=pictures --truth=odd d.elf
wrong 1 'for [0-9]* samples \[run-truth\]' --dataset=pictures "--truth=$samples/truth.npy" d.elf
wrong 1 '\[tensor-shape\]' "--dataset=$samples/truth.npy" d.elf
: > pictures/broken.png
run "$gemmcc_run" --dataset=pictures d.elf
ends 1 && complains 'pictures/broken.png: error: ' && left_nothing
ok $? "a broken picture among them"
wrong 3 'qemu-missing' --qemu=/none "--dataset=$samples/eval.npy" d.elf
end
