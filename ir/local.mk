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
	ir/ops/ops.def
