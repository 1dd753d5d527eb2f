# The device model: also compiled, position independent, into the plugin.
SIM_SOURCES = \
	sim/bf16.c \
	sim/clock.h \
	sim/l2.h \
	sim/count.c \
	sim/dma.c \
	sim/drain.c \
	sim/events.c \
	sim/exec.c \
	sim/f16.c \
	sim/f32.c \
	sim/half.h \
	sim/hazard.c \
	sim/hazard.h \
	sim/int8.c \
	sim/internal.h \
	sim/l1.c \
	sim/l2.c \
	sim/l2_answer.c \
	sim/l2_memory.c \
	sim/live.c \
	sim/load.c \
	sim/loop_conv.c \
	sim/loop_ws.c \
	sim/loops.c \
	sim/loops.h \
	sim/mem.c \
	sim/mesh.c \
	sim/norm.c \
	sim/port_host.c \
	sim/pipeline.c \
	sim/pipeline.h \
	sim/queue.c \
	sim/sim.c \
	sim/sim.h \
	sim/stats.c \
	sim/strict.c \
	sim/strict.def \
	sim/strict.h \
	sim/strict_loop.c \
	sim/strict_core.c \
	sim/strict_move.c \
	sim/strict_pair.c \
	sim/time.c \
	sim/trace.c \
	sim/unroll.c

noinst_LIBRARIES += sim/libsim.a
sim_libsim_a_SOURCES = $(SIM_SOURCES)
sim_libsim_a_CFLAGS = $(STRICT_CFLAGS)

# The plugin: never with sanitizers, which a stock QEMU cannot load.
plugindir = $(libdir)/gemmcc
plugin_PROGRAMS = gemmcc-device.so
gemmcc_device_so_SOURCES = sim/plugin_api.h sim/port_qemu.c sim/timeline.c \
	sim/timeline.h $(SIM_SOURCES) \
	$(MACHINE_SOURCES) $(BASE_SOURCES)
gemmcc_device_so_CFLAGS = $(STD_CFLAGS) -fPIC -fvisibility=hidden $(LIBMD_CFLAGS) \
	$(JANSSON_CFLAGS)
gemmcc_device_so_LDFLAGS = -shared -Wl,-Bsymbolic
gemmcc_device_so_LDADD = $(LIBMD_LIBS) $(JANSSON_LIBS) -lm
