# Tests.  Unit tests are Check programs (tap.h) with one source of the same name: one
# more line in UNIT_TESTS.  Others are shell scripts that print TAP: one more line in
# SH_TESTS.  They run in the build folder with the environment below.

UNIT_TESTS = \
	test/models/check_models \
	test/onnx/run \
	test/passes/check_machine \
	test/passes/check_passes \
	test/run/odd_models \
	test/unit/check_ops \
	test/unit/check_backend \
	test/unit/check_base \
	test/unit/check_gir \
	test/unit/check_interp \
	test/unit/check_ir \
	test/unit/check_elf \
	test/unit/check_files \
	test/unit/check_isa \
	test/unit/check_kernels \
	test/unit/check_sim_core \
	test/unit/check_sim_harts \
	test/unit/check_sim_count \
	test/unit/check_sim_exec \
	test/unit/check_sim_floats \
	test/unit/check_sim_l2 \
	test/unit/check_sim_loopmath \
	test/unit/check_sim_loops \
	test/unit/check_sim_norms \
	test/unit/check_sim_pipeline \
	test/unit/check_sim_random \
	test/unit/check_sim_strict \
	test/unit/check_sim_time \
	test/unit/check_sim_trace \
	test/unit/check_fmath \
	test/unit/check_front \
	test/unit/check_hostile \
	test/unit/check_image \
	test/unit/check_output \
	test/unit/check_prog \
	test/unit/check_progc \
	test/unit/check_target \
	test/unit/check_weights

SH_TESTS = \
	test/cli/effect.sh \
	test/cli/dataset.sh \
	test/cli/errors.sh \
	test/cli/info.sh \
	test/cli/options.sh \
	test/cli/text.sh \
	test/doc/examples.sh \
	test/doc/pages.sh \
	test/doc/readme.sh \
	test/floors.sh \
	test/repro/same_bytes.sh \
	test/run/api.sh \
	test/run/arrays.sh \
	test/run/layers.sh \
	test/run/models.sh \
	test/run/lines.sh \
	test/run/look.sh \
	test/run/loops.sh \
	test/run/others.sh \
	test/run/run.sh \
	test/scripts.sh

# Models built in C (test/unit/build.h), devices (simtest.h), layers (layers.h).
check_LIBRARIES = test/libbuild.a
test_libbuild_a_SOURCES = test/passes/memory.c test/passes/memory.h test/passes/nets.c \
	test/passes/nets.h test/unit/build.c test/unit/build.h test/unit/simtest.c \
	test/unit/simtest.h test/unit/loopstream.c \
	test/unit/looptest.c test/unit/looptest.h test/unit/micro.c test/unit/micro.h \
	test/sim_exact.c test/sim_exact.h test/sim_literal.c test/sim_literal.h \
	test/unit/corecase.c test/unit/corecase.h \
	test/unit/layercase.c test/unit/layercase.h test/unit/layerref.c \
	test/unit/layerrefuse.c test/unit/layershape.c test/unit/layers.c test/unit/layers.h \
	test/unit/proggen.c test/unit/proggen.h

TEST_LIBS = test/libbuild.a $(ALL_LIBS) $(CHECK_LIBS)
LDADD = $(TEST_LIBS)

if HAVE_CHECK
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
else
EXTRA_PROGRAMS += $(UNIT_TESTS)
endif
TESTS += $(SH_TESTS)
noinst_HEADERS += test/unit/frontfix.h test/unit/tap.h
EXTRA_DIST += $(SH_TESTS) test/lib.sh

# Programs for the array by hand, and what runs them.
check_PROGRAMS += test/run/runner test/run/timeline
test_run_timeline_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
test_run_timeline_LDADD = $(JANSSON_LIBS)
EXTRA_DIST += \
	test/run/array.c \
	test/run/blocks.c \
	test/run/convs.c \
	test/run/ends.c \
	test/run/float/gemmini_params.h \
	test/run/floats.c \
	test/run/fmath.c \
	test/run/harts.c \
	test/run/library.c \
	test/run/loops.c \
	test/run/matmul.c \
	test/run/million.c \
	test/run/nets.c \
	test/run/products.c \
	test/run/rt.c \
	test/run/sums.c \
	test/run/unfenced.c

include test/fuzz/local.mk
include test/bench/local.mk

TEST_EXTENSIONS = .sh
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(SHELL)

AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	GEMMCC_TARGET_PATH='$(abs_top_srcdir)/backend/targets'; export GEMMCC_TARGET_PATH; \
	GEMMCC_DEVICE='$(abs_top_builddir)/gemmcc-device.so'; export GEMMCC_DEVICE; \
	GEMMCC_RT='$(abs_top_builddir)/rt'; export GEMMCC_RT; \
	MODELS='$(MODELS)'; export MODELS; \
	RISCV_CC='$(RISCV_CC)'; export RISCV_CC; \
	QEMU='$(QEMU)'; export QEMU; \
	MANDOC='$(MANDOC)'; export MANDOC; \
	AWK='$(AWK)'; export AWK; \
	CC='$(CC)'; export CC; \
	LC_ALL=C; export LC_ALL;

# Every test that comes with ONNX, with counts; those of unknown operators too.
noinst_HEADERS += test/onnx/refused.def
check-onnx: test/onnx/run$(EXEEXT)
	test/onnx/run$(EXEEXT) --all
.PHONY: check-onnx

noinst_HEADERS += test/ops/conv.def test/ops/element.def test/ops/pool.def test/ops/shape.def
