# Samples, and the trainer of the digits: `make train-digits` draws, trains and writes
# all its files to trained/ in the build folder.  Nothing else builds or runs it.

digitsdir = $(docdir)/samples/digits
dist_digits_DATA = \
	samples/digits/0.png \
	samples/digits/1.png \
	samples/digits/2.png \
	samples/digits/3-large.png \
	samples/digits/3.png \
	samples/digits/4.png \
	samples/digits/5.png \
	samples/digits/6.png \
	samples/digits/7-large.png \
	samples/digits/7.png \
	samples/digits/8.png \
	samples/digits/9.png \
	samples/digits/README.md \
	samples/digits/digits.onnx \
	samples/digits/eval.npy \
	samples/digits/labels.txt \
	samples/digits/truth.npy

digitscalibdir = $(digitsdir)/calib
dist_digitscalib_DATA = \
	samples/digits/calib/00.png \
	samples/digits/calib/01.png \
	samples/digits/calib/02.png \
	samples/digits/calib/03.png \
	samples/digits/calib/04.png \
	samples/digits/calib/05.png \
	samples/digits/calib/06.png \
	samples/digits/calib/07.png \
	samples/digits/calib/08.png \
	samples/digits/calib/09.png \
	samples/digits/calib/10.png \
	samples/digits/calib/11.png \
	samples/digits/calib/12.png \
	samples/digits/calib/13.png \
	samples/digits/calib/14.png \
	samples/digits/calib/15.png

EXTRA_DIST += samples/digits/fonts.txt

EXTRA_PROGRAMS += samples/digits/train
samples_digits_train_SOURCES = \
	samples/digits/data.c \
	samples/digits/data.h \
	samples/digits/net.c \
	samples/digits/net.h \
	samples/digits/onnx_write.c \
	samples/digits/onnx_write.h \
	samples/digits/render.c \
	samples/digits/render.h \
	samples/digits/rng.h \
	samples/digits/train.c
samples_digits_train_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS)
samples_digits_train_CFLAGS = $(AM_CFLAGS) $(FREETYPE_CFLAGS) $(LIBPNG_CFLAGS)
samples_digits_train_LDADD = src/libonnxpb.a $(PROTOBUF_C_LIBS) src/libbase.a \
	$(LIBMD_LIBS) $(JANSSON_LIBS) $(FREETYPE_LIBS) $(LIBPNG_LIBS) -lm
samples/digits/train-onnx_write.$(OBJEXT): src/front/onnx.pb-c.h
CLEANFILES += samples/digits/train$(EXEEXT)

if HAVE_FREETYPE
train-digits: samples/digits/train$(EXEEXT)
	$(MKDIR_P) trained
	samples/digits/train --fonts=$(srcdir)/samples/digits/fonts.txt --dir=trained
else
train-digits:
	@echo 'configure found no FreeType or no libpng (Debian: libfreetype-dev, libpng-dev)'
	@exit 1
endif
.PHONY: train-digits
