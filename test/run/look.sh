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
    && test "$(value SCRATCHPAD_A_WAIT_CYCLE)" -gt 0 \
    && test -z "$(value LOAD_DMA_WAIT_CYCLE)"
ok $? "counters by their names, without those that are not modelled"

run "$gemmcc_run" -q --counters=EXE_ACTIVE_CYCLE,MAIN_LD_CYCLES "$tmp/d.elf" "$seven"
ends 0 && test "$(wc -l < "$tmp/out")" -eq 2 && grep -qxF "$(grep EXE_ACTIVE "$tmp/counters")" "$tmp/out"
ok $? "only those asked for, and the same on every run"
run "$gemmcc_run" -q --counters=LOAD_DMA_WAIT_CYCLE "$tmp/d.elf" "$seven"
ends 0 && grep -qx -- '- LOAD_DMA_WAIT_CYCLE  *not counted' "$tmp/out"
ok $? "says that one is not counted"
refused 2 "no counter 'RDMA'" "a counter that is none" \
    "$gemmcc_run" --counters=RDMA "$tmp/d.elf" "$seven"

# Nothing takes longer than its layer, but for what the array does beside.
"$AWK" -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = NF - i; next }
    { m = $(NF - at["measured"]) + 0; n++
      for (c in at) if (c ~ /^stall_|_cycles$/ && $(NF - at[c]) + 0 > m + 100) { print $0; bad++ } }
    END { exit bad || n != 5 }' "$tmp/w/r.csv" > "$tmp/out"
ok $? "where the cycles of each layer went"

# What most of them went into; what is nothing else's is the core's.
"$AWK" -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = NF - i; next }
    function field(name) { return $(NF - at[name]) + 0 }
    { part["array"] = field("array_cycles") + field("stall_bank"); part["memory"] = field("stall_operands")
      part["store"] = field("stall_store"); part["fence"] = field("stall_fence"); part["core"] = 0
      rest = field("measured")
      for (p in part) rest -= part[p]
      part["core"] = rest
      for (p in part) if (part[p] > part[$(NF - at["limit"])]) { print p, $0; bad++ } }
    END { exit bad }' "$tmp/w/r.csv" > "$tmp/out"
ok $? "and what limits it"
run "$gemmcc" -q "$digits" -o slow.elf --calibrate="$top_srcdir/samples/digits/calib" \
    -m dram.beat=1 -m dram.extra_latency=300
ends 0 && run "$gemmcc_run" -q --report slow.elf "$seven" && says '  array .*  memory .* operands [4-9][0-9]%' \
    && says '  core .*  core  '
ok $? "memory, if it is slow"

# The timeline as a viewer reads it, against the table.
timeline() { "$top_builddir/test/run/timeline" "$tmp/w/$1" > "$tmp/out"; }
sum() { column "$1" "$tmp/w/r.csv" | "$AWK" '{ n += $1 } END { print n + 0 }'; }
numbers() {                          # FILE THREAD KEY: its sum over the slices
    sed -n "s/.*\"tid\":$2,\"ts\".*\"$3\":\([0-9.]*\).*/\1/p" "$tmp/w/$1" \
        | "$AWK" '{ n += $1 } END { print n + 0 }'
}
timeline t.json && ! says '^bad' && says '^slices 1 layers 5 ' && says '^slices 1 core ' \
    && says '^slices 1 load ' && says '^slices 1 execute ' && says '^slices 1 store ' \
    && says '^figures 1 memory '
ok $? "the timeline has all tracks, and no two slices of one at once"
sed -n 's/.*"tid":1,"ts":[0-9]*,"dur":\([0-9]*\),"args":{"layer".*/\1/p' "$tmp/w/t.json" > "$tmp/layers"
column measured "$tmp/w/r.csv" | cmp -s - "$tmp/layers" && grep -q '"conv1 + relu1 + pool1"' "$tmp/w/t.json"
ok $? "the layers are those of the table"
# The four layers on the array leave nothing of their time in doubt: work, or waiting.
test "$(numbers t.json 501 dur)" -eq "$(($(sum stall_operands) + $(sum stall_commands) \
    + $(sum stall_store) + $(sum stall_fence)))" \
    && test "$(numbers t.json 201 bytes)" -eq "$(sum bytes_in)" \
    && test "$(numbers t.json 401 bytes)" -eq "$(sum bytes_out)"
ok $? "so are waiting and bytes"
# 784 pixels of the first layer, which is stored as a whole, fill as many rows.
says '^figures 1 scratchpad rows [1-9][0-9]* [1-9][0-9]* 0$' \
    && says '^figures 1 accumulator rows [1-9][0-9]* 784 0$'
ok $? "rows are in use, and none at the end"

run "$gemmcc_run" -q --trace=layer.json --trace-level=layer "$tmp/d.elf" "$seven"
ends 0 && timeline layer.json && ! says '^bad' && says '^slices 1 layers 5 ' \
    && test "$(grep -c '^slices' "$tmp/out")" -eq 1 && test "$(grep -c '^figures' "$tmp/out")" -eq 3
ok $? "layers and figures alone"
run "$gemmcc_run" -q --trace=command.json --trace-level=command "$tmp/d.elf" "$seven"
ends 0 && timeline command.json && ! says '^bad' && says '^slices 1 load 0 ' && says '^slices 1 load 1 ' \
    && test "$(numbers command.json '20[12]' bytes)" -eq "$(sum bytes_in)" \
    && ! grep -q '"commands":[02-9],"bytes"' "$tmp/w/command.json"
ok $? "every command"
run "$gemmcc_run" -q --trace=ns.json --trace-unit=ns "$tmp/d.elf" "$seven"
ends 0 && timeline ns.json && ! says '^bad' \
    && says "^slices 1 layers 5 [0-9.]* $(sum measured | sed 's/...$/.&/')\$"
ok $? "real time, at 1 GHz"
refused 2 'go with --trace$' "a level of nothing" "$gemmcc_run" --trace-level=tile "$tmp/d.elf" "$seven"
refused 2 "trace-level" "a level that is none" \
    "$gemmcc_run" --trace=t.json --trace-level=word "$tmp/d.elf" "$seven"

cp "$tmp/w/t.json" "$tmp/first.json"
run "$gemmcc_run" -q --trace=t.json "$tmp/d.elf" "$seven"
cmp -s "$tmp/w/t.json" "$tmp/first.json"
ok $? "a second run gives the same bytes"
refused 3 "cannot create 'no/t.json'" "a timeline that cannot be written" \
    "$gemmcc_run" -q --trace=no/t.json "$tmp/d.elf" "$seven"
refused 2 'does not go with --trace' "one timeline of many runs" \
    "$gemmcc_run" --dataset=x.npy --trace=t.json "$tmp/d.elf"
end
