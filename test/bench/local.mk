# Speed: never part of the tests, because it depends on the machine, but printed by
# `make bench` from models that programs here write.
BENCH_PROGRAMS = test/bench/layer_models test/bench/resnet50
EXTRA_PROGRAMS += $(BENCH_PROGRAMS)
EXTRA_DIST += test/bench/layers.sh test/bench/network.sh
CLEANFILES += $(BENCH_PROGRAMS)

bench: all $(BENCH_PROGRAMS)
	$(SHELL) $(srcdir)/test/bench/layers.sh $(abs_builddir)
	$(SHELL) $(srcdir)/test/bench/network.sh $(abs_builddir)
.PHONY: bench
