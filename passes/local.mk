# Passes over the graph, one file each, in the order of passes.def.
noinst_LIBRARIES += passes/libpasses.a
passes_libpasses_a_CFLAGS = $(STRICT_CFLAGS)
passes_libpasses_a_SOURCES = \
	passes/alias_views.c \
	passes/calibrate.c \
	passes/feed.c \
	passes/fold_batchnorm.c \
	passes/fold_bias.c \
	passes/fold_pad.c \
	passes/fuse_relu.c \
	passes/fuse_pool.c \
	passes/images.c \
	passes/images.h \
	passes/infer.c \
	passes/layout.c \
	passes/lower.c \
	passes/normal_form.c \
	passes/passes.c \
	passes/passes.def \
	passes/passes.h \
	passes/plan_memory.c \
	passes/quant_plan.c \
	passes/quant_plan.h \
	passes/quantize.c \
	passes/rewrite.c \
	passes/rewrite.h \
	passes/storage.c \
	passes/storage.h \
	passes/tidy.c
