# The intermediate representation.
noinst_LIBRARIES += ir/libir.a
ir_libir_a_SOURCES = \
	ir/attr.c \
	ir/attr.h \
	ir/dot.c \
	ir/elem.c \
	ir/elem.h \
	ir/epi.c \
	ir/epi.h \
	ir/graph.c \
	ir/infer.c \
	ir/interp.c \
	ir/ir.h \
	ir/layout.c \
	ir/lower.c \
	ir/machine.h \
	ir/map.def \
	ir/op.c \
	ir/order.c \
	ir/pass.h \
	ir/quant.c \
	ir/ref.c \
	ir/type.c \
	ir/verify.c \
	ir/ops/attrs.h \
	ir/ops/batchnorm.c \
	ir/ops/clip.c \
	ir/ops/common.c \
	ir/ops/common.h \
	ir/ops/concat.c \
	ir/ops/constant.c \
	ir/ops/conv.c \
	ir/ops/elementwise.c \
	ir/ops/gemm.c \
	ir/ops/matmul.c \
	ir/ops/pad.c \
	ir/ops/pool.c \
	ir/ops/transpose.c \
	ir/ops/unary.c \
	ir/ops/view.c \
	ir/ops/window.c \
	ir/ops/ops.def
