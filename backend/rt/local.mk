# The runtime.  Sources are installed as data with their paths from the top, so that
# -I$(pkgdatadir)/rt finds what they include; libgm_rt.a beside them when configure
# found a cross compiler.  Compiled by rules of our own: automake knows one compiler.

# Core kernels: compiled for the host too, where layers are checked in process.
RT_HOST_SOURCES = \
	backend/rt/kernels/gm_kernels.h \
	backend/rt/kernels/axis.c \
	backend/rt/kernels/map.c \
	backend/rt/kernels/move.c \
	backend/rt/kernels/pool.c \
	backend/rt/kernels/product.c \
	backend/rt/kernels/product_f32.c \
	backend/rt/kernels/product_f32.h \
	backend/rt/kernels/view.h

RT_SOURCES = $(filter %.c,$(RT_HOST_SOURCES)) \
	backend/rt/platform/htif/start.S \
	backend/rt/platform/htif/trap.S \
	backend/rt/platform/htif/console.c \
	backend/rt/platform/htif/hart.c \
	backend/rt/platform/htif/trap.c \
	backend/rt/kernels/math.c \
	backend/rt/kernels/mem.c \
	backend/rt/kernels/model.c \
	backend/rt/kernels/print.c \
	backend/rt/kernels/rand.c \
	backend/rt/kernels/std.c \
	backend/rt/kernels/tensor.c \
	src/machine/fmath.c
RT_INCLUDED = \
	backend/rt/include/assert.h \
	backend/rt/include/gemmini.h \
	backend/rt/include/gemmini_conv.h \
	backend/rt/include/gemmini_conv_reference.h \
	backend/rt/include/gemmini_counter.h \
	backend/rt/include/gemmini_elementwise.h \
	backend/rt/include/gemmini_matmul.h \
	backend/rt/include/gemmini_nn.h \
	backend/rt/include/gemmini_norm.h \
	backend/rt/include/gemmini_params.h \
	backend/rt/include/gemmini_reference.h \
	backend/rt/include/gemmini_testutils.h \
	backend/rt/include/gm_model.h \
	backend/rt/include/gm_rt.h \
	backend/rt/include/math.h \
	backend/rt/include/stdio.h \
	backend/rt/include/stdlib.h \
	backend/rt/include/string.h \
	backend/rt/include/time.h \
	$(filter %.h,$(RT_HOST_SOURCES)) \
	ir/map.def \
	src/machine/counter.def \
	src/machine/fmath.h \
	src/machine/mailbox.h \
	src/machine/round.h
RT_OTHERS = backend/rt/platform/htif/link.ld

RT_CFLAGS = -std=c11 -march=rv64gc -mabi=lp64d -mcmodel=medany -O2 -ffreestanding \
	-ffp-contract=off -fno-common -ffunction-sections -fdata-sections \
	-ffile-prefix-map=$(abs_top_srcdir)/= -Wall -Wextra
RT_CPPFLAGS = -I$(top_srcdir) -I$(top_srcdir)/backend/rt/include
RT_C_OBJECTS = $(patsubst %.c,%.rt.o,$(filter %.c,$(RT_SOURCES)))
RT_S_OBJECTS = $(patsubst %.S,%.rtS.o,$(filter %.S,$(RT_SOURCES)))
RT_OBJECTS = $(RT_C_OBJECTS) $(RT_S_OBJECTS)

rtdir = $(pkgdatadir)/rt
nobase_dist_rt_DATA = $(RT_SOURCES) $(RT_INCLUDED) $(RT_OTHERS)

$(RT_C_OBJECTS): %.rt.o: %.c $(RT_INCLUDED)
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(RISCV_CC) $(RT_CFLAGS) $(RT_CPPFLAGS) -c -o $@ $<
$(RT_S_OBJECTS): %.rtS.o: %.S $(RT_INCLUDED)
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(RISCV_CC) $(RT_CFLAGS) $(RT_CPPFLAGS) -c -o $@ $<
backend/rt/libgm_rt.a: $(RT_OBJECTS)
	$(AM_V_AR)rm -f $@ && $(RISCV_AR) rcD $@ $(RT_OBJECTS)
CLEANFILES += $(RT_OBJECTS) backend/rt/libgm_rt.a

if HAVE_RISCV_CC
rtlibdir = $(rtdir)
rtlib_DATA = backend/rt/libgm_rt.a
endif

# The same tree beside uninstalled programs.
noinst_DATA += rt/.linked
rt/.linked: Makefile
	$(AM_V_GEN)$(MKDIR_P) rt && cd rt && rm -f backend ir src libgm_rt.a \
	    && $(LN_S) $(abs_top_srcdir)/backend $(abs_top_srcdir)/ir $(abs_top_srcdir)/src . \
	    && $(LN_S) $(abs_top_builddir)/backend/rt/libgm_rt.a . && : > .linked
DISTCLEANFILES += rt/.linked
