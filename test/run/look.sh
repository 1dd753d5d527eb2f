#!/bin/sh
# What gemmcc-run shows of a run: counters, a timeline, and where the cycles went.
set -u
. "${top_srcdir:?}/test/lib.sh"
: "${RISCV_CC=}" "${QEMU=}"
test -n "$RISCV_CC" || skip_all "no cross compiler"
test -n "$QEMU" || skip_all "no QEMU"

seven=$top_srcdir/samples/digits/7.png
run "$gemmcc" -q "$digits" -o "$tmp/d.elf" --calibrate="$top_srcdir/samples/digits/calib"
ends 0
ok $? "the sample compiles"

run "$gemmcc_run" -q --counters --trace=t.json --report=csv:r.csv "$tmp/d.elf" "$seven"
ends 0 && no_complaint && test "$(files | grep -c 't\.json')" -eq 1
ok $? "runs, and leaves nothing half written"
cp "$tmp/out" "$tmp/counters"

value() { sed -n "s/^0 $1  *//p" "$tmp/counters"; }
column() {                           # NAME FILE: of the csv, by layer; counted from the end
    "$AWK" -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = NF - i; next }
        { print $(NF - at) }' "$2"
}
test "$(value RDMA_BYTES_REC)" -ge 50000 && test "$(value EXE_ACTIVE_CYCLE)" -gt 1000 \
    && test -z "$(value SCRATCHPAD_A_WAIT_CYCLE)"
ok $? "counters by their names, without those that are not modelled"

run "$gemmcc_run" -q --counters=EXE_ACTIVE_CYCLE,MAIN_LD_CYCLES "$tmp/d.elf" "$seven"
ends 0 && test "$(wc -l < "$tmp/out")" -eq 2 && grep -qxF "$(grep EXE_ACTIVE "$tmp/counters")" "$tmp/out"
ok $? "only those asked for, and the same on every run"
refused 2 "no counter 'RDMA'" "a counter that is none" \
    "$gemmcc_run" --counters=RDMA "$tmp/d.elf" "$seven"

# Nothing takes longer than its layer, but for what the array does beside.
"$AWK" -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = NF - i; next }
    { m = $(NF - at["measured"]) + 0; n++
      for (c in at) if (c ~ /^stall_|_cycles$/ && $(NF - at[c]) + 0 > m + 100) { print $0; bad++ } }
    END { exit bad || n != 5 }' "$tmp/w/r.csv" > "$tmp/out"
ok $? "where the cycles of each layer went"

# One event a line; the layers of the timeline are those of the table.
"$AWK" 'NR == 1 { ok = $0 == "["; next } { last = $0 }
    $0 != "]" && $0 !~ /^\{"name":"[^"]*","ph":"[MXC]","pid":0,.*\},?$/ { print; bad++ }
    END { exit !ok || bad || last != "]" }' "$tmp/w/t.json" > "$tmp/out"
ok $? "the timeline is JSON, an event a line"
sed -n 's/.*"tid":0,"ts":[0-9]*,"dur":\([0-9]*\),"args":{"layer".*/\1/p' "$tmp/w/t.json" > "$tmp/layers"
column measured "$tmp/w/r.csv" > "$tmp/out"
cmp -s "$tmp/layers" "$tmp/out" && grep -q '"conv1 + relu1 + pool1"' "$tmp/w/t.json"
ok $? "with the layers of the table"
# Slices of one track do not overlap.
"$AWK" -F'[:,}]' '/"ph":"X"/ { for (i = 1; i < NF; i++) { if ($i == "\"tid\"") t = $(i + 1)
        if ($i == "\"ts\"") s = $(i + 1); if ($i == "\"dur\"") d = $(i + 1) }
      if (s < end[t]) { print; bad++ } end[t] = s + d; n[t]++ }
    END { exit bad || !n[10] || !n[20] || !n[30] || !n[40] }' "$tmp/w/t.json" > "$tmp/out"
ok $? "and no two slices of a track at once"
cp "$tmp/w/t.json" "$tmp/first.json"
run "$gemmcc_run" -q --trace=t.json "$tmp/d.elf" "$seven"
cmp -s "$tmp/w/t.json" "$tmp/first.json"
ok $? "a second run gives the same bytes"
refused 3 "cannot create 'no/t.json'" "a timeline that cannot be written" \
    "$gemmcc_run" -q --trace=no/t.json "$tmp/d.elf" "$seven"
refused 2 'does not go with --trace' "one timeline of many runs" \
    "$gemmcc_run" --dataset=x.npy --trace=t.json "$tmp/d.elf"
end
