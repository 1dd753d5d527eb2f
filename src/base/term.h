/* The terminal: is it one, how wide, colour, progress. */
#ifndef BASE_TERM_H
#define BASE_TERM_H
#include <stdbool.h>
#include <stdio.h>

enum term_when { TERM_AUTO, TERM_ALWAYS, TERM_NEVER };

bool term_color(FILE *f, enum term_when when); /* NO_COLOR is respected in auto */
int term_width(FILE *f);                       /* 80 when unknown */

/* `[3/7] calibrate 41/100  0:12` on standard error after one second, terminals
 * only; erased by term_progress_end. */
void term_progress_mode(enum term_when when);
void term_progress(int step, int steps, const char *what, long done, long total);
void term_progress_end(void);

#endif
