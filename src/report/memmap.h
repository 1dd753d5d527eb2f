/* Where activations lie, when, and what makes the peak. */
#ifndef REPORT_MEMMAP_H
#define REPORT_MEMMAP_H
struct graph;
struct out;

void memmap_print(const struct graph *g, struct out *o);

#endif
