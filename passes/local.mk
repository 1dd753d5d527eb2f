# Passes over the graph, one file each, in the order of passes.def.
noinst_LIBRARIES += passes/libpasses.a
passes_libpasses_a_CFLAGS = $(STRICT_CFLAGS)
passes_libpasses_a_SOURCES = \
	passes/infer.c \
	passes/passes.c \
	passes/passes.def \
	passes/passes.h \
	passes/tidy.c
