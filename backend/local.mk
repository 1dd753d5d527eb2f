include backend/rt/local.mk

# The kernel program, what prints it, and the backends that build it.
noinst_LIBRARIES += backend/libbackend.a backend/libgemmini.a
backend_libbackend_a_CFLAGS = $(STRICT_CFLAGS)
backend_libbackend_a_SOURCES = \
	backend/backend.h \
	backend/core.c \
	backend/emit.h \
	backend/emit_api.c \
	backend/emit_c.c \
	backend/emit_meta.c \
	backend/host.c \
	backend/prog.c \
	backend/prog.h \
	backend/prog_parse.c \
	backend/prog_print.c \
	backend/program.c \
	backend/sched.c \
	backend/walk.c \
	$(RT_HOST_SOURCES)

backend_libgemmini_a_CFLAGS = $(STRICT_CFLAGS)
backend_libgemmini_a_SOURCES = \
	backend/gemmini/backend.c \
	backend/gemmini/cost.c \
	backend/gemmini/emit.c \
	backend/gemmini/gemmini.h \
	backend/gemmini/pool.c \
	backend/gemmini/product.c \
	backend/gemmini/stream.c \
	backend/gemmini/window.c

# Kernel programs as text; #include "backend/gemmini/stream_prog.h" for `stream_prog`.
KERNEL_TEXTS = \
	backend/gemmini/pool.prog \
	backend/gemmini/stream.prog
EXTRA_DIST += $(KERNEL_TEXTS)
BUILT_SOURCES += $(KERNEL_TEXTS:.prog=_prog.h)
CLEANFILES += $(KERNEL_TEXTS:.prog=_prog.h)

TARGET_FILES = \
	backend/targets/bf16.ini \
	backend/targets/chip-fp32.ini \
	backend/targets/chip.ini \
	backend/targets/fp32.ini \
	backend/targets/gemmini-16.ini \
	backend/targets/gemmini-32.ini \
	backend/targets/gemmini-8.ini \
	backend/targets/ibert.ini \
	backend/targets/largechip.ini \
	backend/targets/lean.ini
targetsdir = $(pkgdatadir)/targets
dist_targets_DATA = $(TARGET_FILES)
