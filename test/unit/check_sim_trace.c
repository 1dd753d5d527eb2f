/* sim/trace, sim/live: what a timeline is told of a program whose every row and command
 * is known. */
#include <stdlib.h>
#include <string.h>

#include "test/unit/simtest.h"
#include "test/unit/tap.h"

enum { MOST = 512, PAUSE = 4000 };   /* cycles after which all is over, and sampled */

#define END UINT64_MAX

static struct sim_event seen[MOST];
static int nseen;

static void
see(const struct sim_event *e, void *ctx)
{
    (void)ctx;
    ck_assert_int_lt(nseen, MOST);
    seen[nseen++] = *e;
}

static void
begin(enum sim_detail detail)
{
    sim_default_target();
    sim_open(SIM_STRICT_OFF, true);  /* for its memory */
    sim_free(sim);
    sim = sim_new(&(struct sim_config) { .target = &sim_target, .timing = true,
        .memory = { ram, RAM, (uint64_t)sim_target.ram_size }, .event = see, .detail = detail });
    nseen = 0;
    sim_layer(sim, 0, 3);
}

/* Index 0, 1, ... */
static void
give(unsigned funct, uint64_t rs1, uint64_t rs2)
{
    ck_assert(sim_command(sim, 0, &(struct isa_cmd) { (uint8_t)funct, rs1, rs2 }, 0, NULL));
}

static void
pause_core(void)
{
    sim_core(sim, 0, PAUSE);
}

static void
configure(void)
{
    give(ISA_CONFIG, UINT64_C(0x3f800000) << 32 | 16 << 16 | 1 << 8 | ISA_CONFIG_LD, 16);
    give(ISA_CONFIG, ISA_CONFIG_ST, UINT64_C(0x3f800000) << 32 | 16);
    give(ISA_CONFIG, UINT64_C(0x3f800000) << 32 | 1 << 16 | 1 << 2 | ISA_CONFIG_EX,
        UINT64_C(1) << 48);
}

static void
multiply(uint32_t w, uint32_t c, uint32_t a)
{
    give(ISA_PRELOAD, OP(w, 16, 16), OP(c, 16, 16));
    give(ISA_COMPUTE_FLIP, OP(a, 16, 16), NONE(16, 16));
}

static void
finish(void)
{
    sim_fence(sim, 0);
    sim_layer(sim, 0, -1);
    pause_core();
    sim_end(sim);
    sim_trace_end(sim);
}

/* All figures of a track, in order. */
static void
figures_are(enum sim_track track, const uint64_t *want)
{
    for (int i = 0; i < nseen; i++)
        if (seen[i].track == track) {
            ck_assert_uint_eq(seen[i].n, *want);
            want++;
        }
    ck_assert_uint_eq(*want, END);
}

static int
slices(enum sim_track track, const struct sim_event **first)
{
    int n = 0;

    for (int i = nseen; i-- > 0;)
        if (seen[i].track == track) {
            n++;
            *first = &seen[i];
        }
    return n;
}

/* A and weights are in use from their moves to the last product, sums from the first one
 * to the store.  Pauses are longer than the time between two figures. */
START_TEST(rows)
{
    begin(SIM_DETAIL_LAYER);
    configure();
    give(ISA_MVIN, RAM, OP(SP(0), 16, 16));
    pause_core();
    give(ISA_MVIN, RAM + 256, OP(SP(100), 16, 16));
    give(ISA_MVIN, RAM + 256, OP(SP(200), 16, 16)); /* nobody reads it */
    pause_core();
    multiply(SP(100), ACC(0), SP(0));
    pause_core();
    multiply(SP(0), ADD(0), SP(0));
    pause_core();
    give(ISA_MVOUT, RAM + 512, OP(ACC(0), 16, 16));
    finish();
    figures_are(SIM_TRACK_SCRATCHPAD, (uint64_t[]) { 16, 32, 16, 0, END });
    figures_are(SIM_TRACK_ACCUMULATOR, (uint64_t[]) { 16, 0, END });
}
END_TEST

/* What is filled anew before it is read was not in use; what is read of a tile is. */
START_TEST(rows_anew)
{
    begin(SIM_DETAIL_LAYER);
    configure();
    give(ISA_MVIN, RAM, OP(SP(0), 16, 16));
    give(ISA_MVIN, RAM, OP(SP(16), 16, 16));
    pause_core();
    give(ISA_MVIN, RAM, OP(SP(0), 16, 16));
    pause_core();
    give(ISA_PRELOAD, OP(SP(16), 16, 16), OP(ACC(0), 5, 16));
    give(ISA_COMPUTE_FLIP, OP(SP(0), 5, 16), NONE(5, 16));
    pause_core();
    multiply(SP(16), ACC(100), SP(16));
    pause_core();
    give(ISA_MVOUT, RAM + 512, OP(ACC(0), 3, 16));
    finish();
    figures_are(SIM_TRACK_SCRATCHPAD, (uint64_t[]) { 16, 21, 16, 0, END });
    figures_are(SIM_TRACK_ACCUMULATOR, (uint64_t[]) { 3, 0, END });
}
END_TEST

static void
some_work(enum sim_detail detail)
{
    begin(detail);
    configure();
    for (uint32_t i = 0; i < 4; i++)
        give(ISA_MVIN, RAM + i * 256, OP(SP(i * 16), 16, 16));
    pause_core();
    for (uint32_t i = 0; i < 4; i++)
        multiply(SP(i * 16), ACC(i / 2 * 512), SP(0));
    pause_core();
    give(ISA_MVOUT, RAM + 4096, OP(ACC(0), 16, 16));
    finish();
}

START_TEST(layer_level)
{
    const struct sim_event *e;

    some_work(SIM_DETAIL_LAYER);
    ck_assert_int_eq(slices(SIM_TRACK_LAYER, &e), 1);
    ck_assert_int_eq(e->layer, 3);
    ck_assert_uint_eq(e->commands, 16);
    for (int i = SIM_TRACK_CORE; i <= SIM_TRACK_WAIT; i++)
        ck_assert_int_eq(slices((enum sim_track)i, &e), 0);
}
END_TEST

START_TEST(tile_level)
{
    const struct sim_event *e;

    some_work(SIM_DETAIL_TILE);
    ck_assert_int_eq(slices(SIM_TRACK_LOAD, &e), 1);
    ck_assert_uint_eq(e->commands, 4);
    ck_assert_uint_eq(e->index, 3);
    ck_assert_uint_eq(e->n, 1024);
    /* One for each half of the accumulator. */
    ck_assert_int_eq(slices(SIM_TRACK_EXECUTE, &e), 2);
    ck_assert_int_eq(slices(SIM_TRACK_STORE, &e), 1);
    ck_assert_uint_eq(e->index, 15);
    ck_assert_uint_eq(e->n, 256);
}
END_TEST

START_TEST(command_level)
{
    const struct sim_event *e;

    some_work(SIM_DETAIL_COMMAND);
    ck_assert_int_eq(slices(SIM_TRACK_LOAD, &e), 4);
    ck_assert_uint_eq(e->index, 3);
    ck_assert_uint_eq(e->n, 256);
    ck_assert_int_eq(slices(SIM_TRACK_EXECUTE, &e), 5);
    ck_assert_int_eq(slices(SIM_TRACK_STORE, &e), 1);
}
END_TEST

/* The waits are those that the layer's figures count, and with the work fill its time. */
START_TEST(waits)
{
    const struct sim_layer_stats *s;
    uint64_t wait[4] = { 0 };
    int n;

    some_work(SIM_DETAIL_TILE);
    for (int i = 0; i < nseen; i++)
        if (seen[i].track == SIM_TRACK_WAIT)
            wait[seen[i].wait] += seen[i].end - seen[i].start;
    s = sim_stats(sim, 0, &n);
    ck_assert_int_eq(n, 1);
    ck_assert_uint_eq(wait[SIM_WAIT_OPERANDS], s->stall_operands);
    ck_assert_uint_eq(wait[SIM_WAIT_COMMANDS], s->stall_commands);
    ck_assert_uint_eq(wait[SIM_WAIT_STORE], s->stall_store);
    ck_assert_uint_eq(wait[SIM_WAIT_FENCE], s->stall_fence);
    ck_assert_uint_gt(s->stall_commands, 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("sim_trace");
    TCase *t = tcase_create("sim_trace");

    tcase_add_checked_fixture(t, NULL, sim_close);
    tcase_add_test(t, rows);
    tcase_add_test(t, rows_anew);
    tcase_add_test(t, layer_level);
    tcase_add_test(t, tile_level);
    tcase_add_test(t, command_level);
    tcase_add_test(t, waits);
    suite_add_tcase(s, t);
    return tap_run(s);
}
