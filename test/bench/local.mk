# Speed: never part of the tests, because it depends on the machine, but printed by
# `make bench`: named layers in process (shapes.c), then models that programs here write.
BENCHES = test/bench/layer_models$(EXEEXT) test/bench/micro$(EXEEXT) \
	test/bench/resnet50$(EXEEXT) test/bench/rtl$(EXEEXT) test/bench/shapes$(EXEEXT)
EXTRA_PROGRAMS += test/bench/layer_models test/bench/micro test/bench/resnet50 \
	test/bench/rtl test/bench/shapes
EXTRA_DIST += test/bench/layers.sh test/bench/network.sh test/bench/streams.sh \
	test/bench/streams.tab test/bench/issue.tab test/bench/streams/chain.c \
	test/bench/streams/cold.h test/bench/streams/issue.c test/bench/streams/layers.h \
	test/bench/streams/loop_conv.c test/bench/streams/moves.h test/bench/streams/rows.c \
	test/bench/streams/weights.c
CLEANFILES += $(BENCHES)

# The clock against measurements of hardware, where the project's tables of them are.
MEASURED = $(MODELS)/..

bench: all $(BENCHES)
	test/bench/micro$(EXEEXT)
	test/bench/rtl$(EXEEXT) $(MEASURED)/timing-data.csv
	$(AM_TESTS_ENVIRONMENT) $(SHELL) $(srcdir)/test/bench/streams.sh $(MEASURED)
	GEMMCC_TARGET_PATH=$(srcdir)/backend/targets test/bench/shapes$(EXEEXT)
	$(SHELL) $(srcdir)/test/bench/layers.sh $(abs_builddir)
	$(SHELL) $(srcdir)/test/bench/network.sh $(abs_builddir)
.PHONY: bench
