# Floors 0, 1, 3 and 5, and the programs.

noinst_LIBRARIES += src/libbase.a src/libmachine.a

BASE_SOURCES = \
	src/base/arena.c \
	src/base/arena.h \
	src/base/cleanup.c \
	src/base/cleanup.h \
	src/base/conf.c \
	src/base/conf.h \
	src/base/diag.c \
	src/base/diag.def \
	src/base/diag.h \
	src/base/digest.c \
	src/base/digest.h \
	src/base/file.c \
	src/base/file.h \
	src/base/map.c \
	src/base/map.h \
	src/base/num.h \
	src/base/out.c \
	src/base/out.h \
	src/base/proc.c \
	src/base/proc.h \
	src/base/str.c \
	src/base/str.h \
	src/base/table.c \
	src/base/table.h \
	src/base/term.c \
	src/base/term.h \
	src/base/vec.h
src_libbase_a_SOURCES = $(BASE_SOURCES)
src_libbase_a_CFLAGS = $(AM_CFLAGS) $(LIBMD_CFLAGS) $(JANSSON_CFLAGS)

MACHINE_SOURCES = \
	src/machine/counter.def \
	src/machine/dtype.c \
	src/machine/dtype.def \
	src/machine/dtype.h \
	src/machine/fmath.c \
	src/machine/fmath.h \
	src/machine/isa.c \
	src/machine/isa.def \
	src/machine/isa.h \
	src/machine/mailbox.h \
	src/machine/round.h \
	src/machine/sink.h \
	src/machine/target.c \
	src/machine/target.def \
	src/machine/target.h \
	src/machine/target_header.c \
	src/machine/target_keys.c \
	src/machine/target_keys.h
src_libmachine_a_SOURCES = $(MACHINE_SOURCES)

# ---- front: ONNX's schema as C, made by protoc-c, is not ours to warn about
noinst_LIBRARIES += src/libonnxpb.a
nodist_src_libonnxpb_a_SOURCES = src/front/onnx.pb-c.c src/front/onnx.pb-c.h
src_libonnxpb_a_CFLAGS = -std=c11 -w $(SAN_CFLAGS) $(PROTOBUF_C_CFLAGS)
BUILT_SOURCES += src/front/onnx.pb-c.h
CLEANFILES += src/front/onnx.pb-c.c src/front/onnx.pb-c.h src/front/onnx.proto
src/front/onnx.pb-c.c: $(ONNX_PROTO)
	$(AM_V_GEN)$(MKDIR_P) src/front && cp $(ONNX_PROTO) src/front/onnx.proto \
	    && $(PROTOC_C) --proto_path=src/front --c_out=src/front onnx.proto
src/front/onnx.pb-c.h: src/front/onnx.pb-c.c

noinst_LIBRARIES += src/libfront.a
src_libfront_a_SOURCES = \
	src/front/dataset.c \
	src/front/dataset.h \
	src/front/image.c \
	src/front/image.h \
	src/front/image_read.c \
	src/front/npy.c \
	src/front/npy.h \
	src/front/npz.c \
	src/front/npz.h \
	src/front/onnx.c \
	src/front/onnx.h \
	src/front/onnx_attr.c \
	src/front/onnx_func.c \
	src/front/onnx_import.h \
	src/front/onnx_node.c \
	src/front/proto.c \
	src/front/proto.h \
	src/front/recipe.c \
	src/front/tensorfile.c \
	src/front/tensorfile.h \
	src/front/weights.c \
	src/front/weights.h
src_libfront_a_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_C_CFLAGS) $(ZLIB_CFLAGS) \
	$(LIBZIP_CFLAGS) $(LIBPNG_CFLAGS) $(LIBJPEG_CFLAGS)

# ---- driver: everything the programs share, and the programs
noinst_LIBRARIES += src/libdriver.a
src_libdriver_a_CFLAGS = $(AM_CFLAGS) $(LIBDW_CFLAGS) $(JANSSON_CFLAGS) $(ZLIB_CFLAGS)
src_libdriver_a_SOURCES = \
	src/driver/compile.c \
	src/driver/compile.h \
	src/driver/dwarf.c \
	src/driver/elf.c \
	src/driver/elf.h \
	src/driver/info.c \
	src/driver/info.h \
	src/driver/lines.c \
	src/driver/lines.h \
	src/driver/link.c \
	src/driver/link.h \
	src/driver/meta.c \
	src/driver/meta.h \
	src/driver/options.c \
	src/driver/options.def \
	src/driver/options.h \
	src/driver/pipeline.c \
	src/driver/pipeline.h \
	src/driver/qemu.c \
	src/driver/qemu.h \
	src/driver/run_io.c \
	src/driver/run_io.h \
	src/driver/run_report.c \
	src/driver/run_report.h \
	src/driver/run_set.c \
	src/driver/run_set.h \
	src/driver/verify.c \
	src/driver/verify.h \
	src/report/memmap.c \
	src/report/memmap.h \
	src/report/report.c \
	src/report/report.h

bin_PROGRAMS += gemmcc
gemmcc_SOURCES = src/driver/gemmcc.c
gemmcc_LDADD = $(ALL_LIBS)
bin_PROGRAMS += gemmcc-run
gemmcc_run_SOURCES = src/driver/gemmcc_run.c
gemmcc_run_LDADD = $(ALL_LIBS)

# What a program links, upper floors first.  Tests of a floor link it and those below.
ALL_LIBS = src/libdriver.a $(FRONT_LIBS) passes/libpasses.a backend/libbackend.a \
	backend/libgemmini.a backend/libbackend.a ir/libir.a sim/libsim.a $(BASE_LIBS) $(LIBDW_LIBS) $(FRONT_EXT)
