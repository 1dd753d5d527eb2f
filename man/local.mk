# Manual pages.  gemmcc-target(5) takes its keys from target.def.

dist_man_MANS += man/gemmcc.1 man/gemmcc-ir.5 man/gemmcc-ops.7 man/gemmcc-rt.7 \
	man/gemmcc-run.1 man/gemmcc-sim.7
nodist_man_MANS = man/gemmcc-target.5
man/gemmcc-target.5: man/gemmcc-target.5.in src/machine/target.def build-aux/target-page
	$(AM_V_GEN)$(MKDIR_P) man && $(AWK) -f $(top_srcdir)/build-aux/target-page \
	    $(top_srcdir)/src/machine/target.def $(top_srcdir)/man/gemmcc-target.5.in > $@.tmp \
	    && mv $@.tmp $@
CLEANFILES += man/gemmcc-target.5 man/gemmcc-target.5.tmp
EXTRA_DIST += man/gemmcc-target.5.in build-aux/target-page build-aux/check-docs \
	build-aux/check-ids

# gemmcc-ops(7) is kept with the sources; a test compares it with the program.
docs: gemmcc$(EXEEXT)
	./gemmcc$(EXEEXT) --print-ops=mdoc > $(top_srcdir)/man/gemmcc-ops.7
.PHONY: docs
