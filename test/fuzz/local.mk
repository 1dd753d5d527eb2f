# Fuzz targets.  With --enable-fuzz (clang) they are libFuzzer programs:
#     test/fuzz/onnx_fuzz -max_total_time=600 NEW test/fuzz/corpus/onnx
# without, they run the files they are given.  corpora.sh does that in make check.
check_PROGRAMS += test/fuzz/gir_fuzz test/fuzz/npy_fuzz test/fuzz/onnx_fuzz
SH_TESTS += test/fuzz/corpora.sh
noinst_HEADERS += test/fuzz/fuzz.h
EXTRA_DIST += test/fuzz/corpus

test_fuzz_gir_fuzz_SOURCES = test/fuzz/gir_fuzz.c
test_fuzz_gir_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
test_fuzz_npy_fuzz_SOURCES = test/fuzz/npy_fuzz.c
test_fuzz_npy_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
test_fuzz_onnx_fuzz_SOURCES = test/fuzz/onnx_fuzz.c
test_fuzz_onnx_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
if !ENABLE_FUZZ
test_fuzz_gir_fuzz_SOURCES += test/fuzz/replay.c
test_fuzz_npy_fuzz_SOURCES += test/fuzz/replay.c
test_fuzz_onnx_fuzz_SOURCES += test/fuzz/replay.c
else
EXTRA_DIST += test/fuzz/replay.c
endif
