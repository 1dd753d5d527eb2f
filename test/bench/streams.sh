#!/bin/sh
# The clock of the device model against cycle-exact simulation of hardware: every row of
# a table of explicit command streams.  Many of the very programs that were simulated lie
# beside that table, with a list of their flags; test/bench/streams.tab says how the other
# rows are rebuilt, or why they are not.  All of them run cold under gemmcc-run, unchanged,
# and a row says which device rules it breaks: hardware has none.  Pitfalls of the table
# have to show: at least half of what they lose to the best row of their layer.  Then what
# the core's own commands cost, by issue.tab.
# Usage: streams.sh DATA [GLOB], GLOB for lines of the tables.
set -u
. "${top_srcdir:?}/test/lib.sh"
data=${1:?} only=${2:-*}
here=$top_srcdir/test/bench
table=$data/schedules.csv

no=$(cross_missing)
test -r "$table" || no="no table of measurements"
if [ -n "$no" ]; then
    echo "streams: $no, skipped"
    exit
fi

# Rows "| program (remark) | flags (remark) | cycles |"; no program: that of the row above.
"${AWK:-awk}" -F'|' '/^\|/ && $4 ~ /[0-9]/ {
    if ($2 ~ /[a-z]/) { split($2, word, " "); program = word[1]; sub(/\.c$/, "", program) }
    n = split($3, word, " "); flags = ""
    for (i = 1; i <= n; i++) if (word[i] ~ /^-/) flags = flags " " word[i]
    gsub(/[^0-9]/, "", $4)
    print $4, program flags }' "$data/streams/README.md" > "$tmp/listed"

# how LINE CYCLES: what is to be built, or "- REASON".  What is listed with just as many
# cycles is that row.
how() {
    found=$(sed -n "s/^$2 //p" "$tmp/listed")
    while [ -z "$found" ] && IFS='|' read -r glob text; do
        # shellcheck disable=SC2254  # a pattern is meant
        case $1 in $glob) found=$text ;; esac
    done < "$here/streams.tab"
    echo "${found:-- not in streams.tab}"
}

# measure LATENCY PROGRAM FLAGS...: $model, the cycles it prints, 0 when it fails, and
# $broken, rules.
measure() {
    latency=$1 program=$here/streams/$2
    test -r "$program.c" || program=$data/streams/$2
    shift 2
    model=0 broken=
    cc "$program" stream -w -I"$data/streams" -I"$top_srcdir" "$@" || return
    run "$gemmcc_run" --strict=warn -m l2.filled=0 -m dram.extra_latency="$latency" \
        "$tmp/stream.elf"
    model=$(sed -n 's/^cycles //p' "$tmp/out")
    model=${model:-0}
    broken=$(sed -n 's/.*: warning: .*command [0-9]*: \([a-z-]*\): .*/\1/p' "$tmp/err" |
        sort -u | xargs)
}

row() {                              # LINE CASE SHAPE TEMPLATE LATENCY CYCLES
    how=$(how "$1" "$6")
    name="$2 $3, $4"
    if [ "${how#- }" != "$how" ]; then
        printf '%s LAT %s: left out, %s\n' "$name" "$5" "${how#- }" >> "$tmp/left"
        return
    fi
    # shellcheck disable=SC2086  # flags are words
    measure "$5" $how
    case $1 in *pitfall*) pitfall=1 ;; *) pitfall=0 ;; esac
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$2 $3" "$4" "$5" "$6" "$model" "$pitfall" >> "$tmp/rows"
    "${AWK:-awk}" -v name="$name" -v lat="$5" -v rtl="$6" -v model="$model" \
        -v end="${broken:+  breaks $broken}" 'BEGIN {
        printf "%-72.72s LAT %-3d model %8d  RTL %8d  %+6.1f %%%s\n", name, lat, model, rtl,
            100 * (model / rtl - 1), end }'
}

# case,shape,template,latency,macs,ideal,bound,cycles,...
: > "$tmp/left"
: > "$tmp/rows"
while IFS= read -r line; do
    # shellcheck disable=SC2254
    case $line in case,*) continue ;; $only) ;; *) continue ;; esac
    IFS=, read -r kind shape template latency _ _ _ cycles _ <<EOF
$line
EOF
    row "$line" "$kind" "$shape" "$template" "$latency" "$cycles"
done < "$table"
cat "$tmp/left"
"${AWK:-awk}" -F'\t' '
    function loss(i, j, n) { return 100 * (n[i] / n[j] - 1) }
    { key[NR] = $1 ";" $3; name[NR] = $1 ", " $2; rtl[NR] = $4; model[NR] = $5; pit[NR] = $6
      if (!(key[NR] in best) || $4 < rtl[best[key[NR]]]) best[key[NR]] = NR
      e = 100 * ($5 / $4 - 1); if (e < 0) e = -e; sum += e
      if (e > worst) worst = e; if (e > 5) over++ }
    END {
        for (i = 1; i <= NR; i++) if (pit[i]) {
            j = best[key[i]]
            printf "pitfall %s: RTL loses %.1f %%, the model %.1f %%: %s\n", name[i],
                loss(i, j, rtl), loss(i, j, model),
                (2 * loss(i, j, model) >= loss(i, j, rtl)) ? "shows" : "HIDDEN" }
        if (NR) printf "%d streams: mean error %.1f %%, worst %.1f %%, %d over 5 %%\n",
            NR, sum / NR, worst, over }' "$tmp/rows"

# Cycles per pair, of 4000: within 5 % of what was measured, of this program if it was?
while IFS='|' read -r what flags low high same; do
    # shellcheck disable=SC2254
    case $what in '#'*) continue ;; $only) ;; *) continue ;; esac
    # shellcheck disable=SC2086
    measure 30 issue $flags
    "${AWK:-awk}" -v what="$what" -v model="$model" -v low="$low" -v high="$high" \
        -v same="$same" 'BEGIN {
        each = model / 4000; near = each < low ? low : each > high ? high : each
        text = sprintf("%5.2f to %5.2f", low, high)
        if (same) { near = same / 4000; text = sprintf("%5.2f, of another %s", near, low) }
        off = 100 * (each / near - 1)
        printf "%-48s model %6.2f  RTL %-22s  %+6.1f %%  %s\n", what, each, text, off,
            (off <= 5 && off >= -5) ? "ok" : "OVER" }'
done < "$here/issue.tab"
