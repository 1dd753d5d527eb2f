# The device model: also compiled, position independent, into the plugin.
SIM_SOURCES = \
	sim/exec.c \
	sim/hazard.c \
	sim/hazard.h \
	sim/int8.c \
	sim/internal.h \
	sim/mem.c \
	sim/port_host.c \
	sim/sim.c \
	sim/sim.h \
	sim/strict.c \
	sim/strict.def

noinst_LIBRARIES += sim/libsim.a
sim_libsim_a_SOURCES = $(SIM_SOURCES)
