#!/bin/sh
# A compiled model as a library: object and header in a program of one's own, C that
# compiles without a word, programs that carry their input, programs without an array.
set -u
# shellcheck source=test/lib.sh
. "${top_srcdir:?}/test/lib.sh"

[ -n "${RISCV_CC-}" ] || skip_all "no cross compiler"
[ -n "${QEMU-}" ] || skip_all "no QEMU"
[ -e "$top_builddir/backend/rt/libgm_rt.a" ] || skip_all "no libgm_rt.a"

rt=$top_builddir/rt
samples=$top_srcdir/samples/digits
cd "$tmp/w" || exit 99
cp "$digits" digits.onnx
arch='-std=c11 -march=rv64gc -mabi=lp64d -mcmodel=medany -O2 -ffreestanding -ffp-contract=off'
includes="-I$rt/backend/rt/include -I$rt -I."
# cross ARGUMENT...: compile or link
cross() {
    # shellcheck disable=SC2086  # lists of words
    run "$RISCV_CC" $arch $includes "$@"
}
program() {                          # OUTPUT FILE...
    output=$1
    shift
    cross -nostdlib -static -T "$rt/backend/rt/platform/htif/link.ld" "$@" -L"$top_builddir/backend/rt" \
        -lgm_rt -lgcc -Wl,--no-warn-rwx-segments -o "$output"
}
made() {                             # NAME: the command before worked, and said nothing
    ends 0 && silent && no_complaint
    ok $? "$1"
}

# ---- the program that gemmcc links, and what it computes of a picture
run "$gemmcc" -q "--calibrate=$samples/calib" digits.onnx -o digits.elf
made "a program"
run "$gemmcc_run" -v digits.elf "$samples/7.png"
sum=$(sed -n 's/^out score float \[1,10\] crc32 \([0-9a-f]*\)$/\1/p' "$tmp/out")
ends 0 && [ -n "$sum" ] && says '^1. seven '
ok $? "sees a seven"

# ---- programs that carry their input
run "$gemmcc_run" --bake=seven.elf digits.elf "$samples/7.png"
made "a program that carries its input"
run "$gemmcc_run" -v seven.elf
ends 0 && says "crc32 $sum" && says '^1. seven '
ok $? "needs none"
run "$gemmcc_run" -v seven.elf "$samples/3.png"
ends 0 && ! says "crc32 $sum" && says '^1. three '
ok $? "takes another"
run "$gemmcc_run" --bake=three.elf seven.elf "$samples/3.png"
ends 0 && ! cmp -s three.elf seven.elf && [ "$(wc -c < three.elf)" = "$(wc -c < seven.elf)" ]
ok $? "and may be baked again"
run "$gemmcc_run" --bake=again.elf digits.elf "$samples/7.png"
cmp -s again.elf seven.elf
ok $? "to the same bytes"

# ---- without the device model
run "$QEMU" -machine spike -bios none -display none -monitor none -serial stdio -kernel seven.elf
ends 92 && says '^no Gemmini here: run it with gemmcc-run, Spike or Gemmini hardware'
ok $? "plain QEMU: the program says what it lacks"

# ---- object and header
run "$gemmcc" -q "--calibrate=$samples/calib" -c digits.onnx
made "-c"
[ -s digits.o ] && [ -s digits.h ]
ok $? "an object and its header"
# The picture as it lies in the memory of seven.elf.
nm=${RISCV_CC%gcc}nm
"$nm" seven.elf > symbols
at() { sed -n "s/^\([0-9a-f]*\) . $1\$/0x\1/p" symbols; }
run "${RISCV_CC%gcc}objcopy" -O binary --only-section=.gm.in seven.elf image.bin
skip=$(($(at gm_in) - $(at gm_baked)))   # the section begins with gm_baked
cat > main.c <<'END'
#include <stdio.h>
#include <string.h>
#include "digits.h"

extern const int8_t picture[];
static int8_t image[(DIGITS_IN_IMAGE_BYTES + 63) & ~63] __attribute__((aligned(64)));
static float score[DIGITS_OUT_SCORE_BYTES / 4] __attribute__((aligned(64)));
static uint8_t arena[DIGITS_ARENA_BYTES] __attribute__((aligned(64)));

int
main(void)
{
    int best = 0;

    memset(image, 77, sizeof image);
    memset(arena, 77, sizeof arena);
    digits_init(image, score, arena);
    for (int y = 0; y < 28; y++)
        for (int x = 0; x < 28; x++) {
            long at = DIGITS_IN_IMAGE_FIRST + y * DIGITS_IN_IMAGE_PITCH_2 + x * DIGITS_IN_IMAGE_PITCH_3;
            image[at] = picture[at];
        }
    for (int k = 0; k < 2; k++) {
        int status = digits_run(image, score, arena);
        if (status)
            return 100 - status;
        gm_print_output(&digits_tensors[1], score);
    }
    for (int i = 1; i < 10; i++)
        if (score[i] > score[best])
            best = i;
    printf("I see a %d\n", best);
    return 10 + best;
}
END
cat > picture.S <<END
    .section .rodata
    .globl picture
    .balign 64
picture:
    .incbin "image.bin", $skip
END
program own.elf -Wall -Wextra -Werror main.c picture.S digits.o
made "a program of one's own with the object"
run "$gemmcc_run" own.elf
ends 17 && says '^I see a 7$' && [ "$(grep -c "^out score float \[1,10\] crc32 $sum\$" "$tmp/out")" = 2 ]
ok $? "computes the same, twice, and its exit status comes through"
run "$gemmcc_run" --report=csv:own.csv own.elf
ends 17 && grep -q '^0,conv1 ' own.csv && [ "$(wc -l < own.csv)" -ge 5 ]
ok $? "and its layers can be reported"
run "$nm" -g --defined-only digits.o
ends 0 && ! grep -qv ' digits_[a-z]*$' "$tmp/out"
ok $? "every symbol of the object has the model's prefix"

# ---- two models in one program
run "$gemmcc" -q "--calibrate=$samples/calib" -c --name=other -O0 digits.onnx -o other.o
made "another name, with other layers"
run "$gemmcc" -q "--calibrate=$samples/calib" -O0 digits.onnx -o other.elf
run "$gemmcc_run" -v other.elf "$samples/7.png"
other=$(sed -n 's/^out score float \[1,10\] crc32 \([0-9a-f]*\)$/\1/p' "$tmp/out")
cat > two.c <<'END'
#include "digits.h"
#include "other.h"

extern const int8_t picture[];
static int8_t image[DIGITS_IN_IMAGE_BYTES + OTHER_IN_IMAGE_BYTES] __attribute__((aligned(64)));
static float score[2][16] __attribute__((aligned(64)));
static uint8_t arena[DIGITS_ARENA_BYTES + OTHER_ARENA_BYTES] __attribute__((aligned(64)));

int
main(void)
{
    digits_init(image, score[0], arena);
    for (long i = 0; i < DIGITS_IN_IMAGE_BYTES; i++)
        image[i] = picture[i];
    int status = digits_run(image, score[0], arena);
    gm_print_output(&digits_tensors[1], score[0]);
    other_init(image, score[1], arena);
    for (int y = 0; y < 28; y++)
        for (int x = 0; x < 28; x++)
            image[OTHER_IN_IMAGE_FIRST + y * OTHER_IN_IMAGE_PITCH_2 + x] =
                picture[DIGITS_IN_IMAGE_FIRST + y * DIGITS_IN_IMAGE_PITCH_2 + x];
    status |= other_run(image, score[1], arena);
    gm_print_output(&other_tensors[1], score[1]);
    return status;
}
END
program two.elf -Wall -Wextra -Werror two.c picture.S digits.o other.o
made "two models in one program"
run "$gemmcc_run" two.elf
ends 0 && [ -n "$other" ] && says "^out score float \[1,10\] crc32 $sum\$" && says "crc32 $other\$"
ok $? "both compute what they compute alone"

# ---- C++
gxx=${RISCV_CC%gcc}g++
if command -v "$gxx" > /dev/null; then
    printf '#include "digits.h"\nint size() { return DIGITS_ARENA_BYTES; }\n' > use.cc
    # shellcheck disable=SC2086  # a list of words
    run "$gxx" -std=c++17 -ffreestanding -Wall -Wextra -Werror $includes -fsyntax-only use.cc
    made "the header in C++"
else
    skip "the header in C++" "no $gxx"
fi

# ---- C: of every model at hand, under more warnings than most use
warnings='-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings
    -Wpointer-arith -Wundef -Wformat=2 -pedantic -Werror'
for m in digits mnist_cntk_f32 mlperf_ic_resnet8_f32 squeezenet_f32; do
    model=$digits
    [ $m = digits ] || model=${MODELS:-/nonexistent}/$m/model.onnx
    if [ ! -e "$model" ]; then
        skip "C of $m" "not there"
        continue
    fi
    run "$gemmcc" -q -Wno-calib-none --name=net --emit=c "$model" -o net.c
    made "--emit=c of $m"
    # shellcheck disable=SC2086  # a list of words
    cross $warnings -c net.c -o net.o
    made "... compiles without a word"
done
cat > main.c <<'END'
#include "net.h"
int
main(void)
{
    return net_tensors[0].rank;
}
END
# shellcheck disable=SC2086  # a list of words
program net.elf $warnings main.c net.o net_data.S
made "... and links with its weights"
end
