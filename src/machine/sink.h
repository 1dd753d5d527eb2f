/* Where a stream of commands goes: the device model, a recorder, a counter.  The
 * walker of kernel programs and the QEMU port both feed one. */
#ifndef MACHINE_SINK_H
#define MACHINE_SINK_H
#include <stdbool.h>
#include <stdint.h>

#include "src/machine/isa.h"

struct sink {
    /* One command of hart `hart`; for COUNTER *result gets rd.  False: refused (a
     * strict rule); the feeder stops. */
    bool (*command)(struct sink *s, int hart, const struct isa_cmd *c, uint64_t *result);
    bool (*fence)(struct sink *s, int hart);              /* the core waits for the array */
    void (*layer)(struct sink *s, int hart, int number);  /* a layer begins; -1: none */
    void (*instructions)(struct sink *s, int hart, uint64_t n); /* the core executed n since the last event */
};

#endif
