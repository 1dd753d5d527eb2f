#!/bin/sh
# The manual pages are sound mdoc, and agree with the tables of options, target keys and
# device rules, and with what gemmcc prints; every diagnostic has its row.  The
# checkers notice when it is not so.
set -u
: "${top_srcdir:?}" "${top_builddir:?}" "${AWK:?}"

n=0
result() {                           # STATUS NAME [OUTPUT]
    n=$((n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        printf '%s\n' "${3-}" | sed 's/^/# /'
    fi
}

options=$top_srcdir/src/driver/options.def
keys=$top_srcdir/src/machine/target.def
page() {                             # where the page is: some are made
    if [ -e "$top_builddir/man/$1" ]; then
        echo "$top_builddir/man/$1"
    else
        echo "$top_srcdir/man/$1"
    fi
}
compare() {                          # PROGRAM TABLE PAGE
    "$AWK" -f "$top_srcdir/build-aux/check-docs" -v program="$1" "$2" "$3"
}

echo 1..18
for p in gemmcc.1 gemmcc-run.1 gemmcc-ir.5 gemmcc-ops.7 gemmcc-rt.7 gemmcc-sim.7 gemmcc-target.5; do
    if [ -z "${MANDOC-}" ]; then
        n=$((n + 1))
        echo "ok $n - $p # SKIP no mandoc"
        continue
    fi
    out=$("$MANDOC" -T lint -W warning "$(page "$p")" 2>&1)
    result $? "$p is sound" "$out"
done
out=$(compare CC "$options" "$(page gemmcc.1)")
result $? "gemmcc(1) and its options" "$out"
out=$(compare RUN "$options" "$(page gemmcc-run.1)")
result $? "gemmcc-run(1) and its options" "$out"
out=$(compare '' "$keys" "$(page gemmcc-target.5)")
result $? "gemmcc-target(5) and its keys" "$out"

ids() {                              # TABLE
    # shellcheck disable=SC2046  # names of ours
    (cd "$top_srcdir" && "$AWK" -f build-aux/check-ids "$1" \
        $(find src ir passes backend sim -name "*.[ch]" | sort))
}
out=$(ids src/base/diag.def)
result $? "diagnostics and their explanations" "$out"
if [ -x "$top_builddir/gemmcc" ]; then
    out=$("$top_builddir/gemmcc" --print-ops=mdoc | diff - "$(page gemmcc-ops.7)")
    result $? "gemmcc-ops(7) is what gemmcc prints (make docs)" "$out"
else
    n=$((n + 1))
    echo "ok $n - gemmcc-ops(7) # SKIP not built"
fi
rules() {                            # PAGE
    sed -n 's/^S([A-Z0-9_]*, "\([a-z-]*\)".*/\1/p' "$top_srcdir/sim/strict.def" > "$tmp/rules"
    sed -n 's/^\.It Ic //p' "$1" | diff "$tmp/rules" -
}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
out=$(rules "$(page gemmcc-sim.7)")
result $? "gemmcc-sim(7) and the device rules" "$out"

# Broken on purpose, each is noticed.
grep -v 'Fl Fl batch' "$(page gemmcc.1)" > "$tmp/less"
out=$(compare CC "$options" "$tmp/less")
case $out in *"--batch has no paragraph"*) result 0 "an option left out" ;;
    *) result 1 "an option left out" "$out" ;; esac
sed 's/Fl Fl batch Ns = Ns Ar n/Fl Fl bath/' "$(page gemmcc.1)" > "$tmp/more"
out=$(compare CC "$options" "$tmp/more")
case $out in *"no option for '.It Fl Fl bath'"*) result 0 "an option made up" ;;
    *) result 1 "an option made up" "$out" ;; esac
sed 's/Fl Fl verbose/Fl Fl verbose Ns = Ns Ar n/; s/default 20/default 30/' \
    "$(page gemmcc-run.1)" > "$tmp/wrong"
out=$(compare RUN "$options" "$tmp/wrong")
case $out in *"--verbose shows an argument"*"--max-errors does not name its default, 20"*)
        result 0 "wrong argument and default" ;;
    *) result 1 "wrong argument and default" "$out" ;; esac
sed 's/^\.It Ic dim/.It Ic dims/' "$(page gemmcc-target.5)" > "$tmp/keys"
out=$(compare '' "$keys" "$tmp/keys")
case $out in *"array.dim"*"no key array.dims"*) result 0 "a key misspelt" ;;
    *) result 1 "a key misspelt" "$out" ;; esac
grep -v '^D("conv-group"' "$top_srcdir/src/base/diag.def" > "$tmp/diag.def"
echo 'D("zzz-unused", SEV_ERROR, "x")' >> "$tmp/diag.def"
out=$(ids "$tmp/diag.def")
case $out in *"conv-group has no row"*"nobody reports zzz-unused"*)
        result 0 "a diagnostic without a row, and a row without one" ;;
    *) result 1 "a diagnostic without a row, and a row without one" "$out" ;; esac
