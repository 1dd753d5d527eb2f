/* What bare-metal programs use of <stdlib.h>.  There is no heap. */
#ifndef GM_STDLIB_H
#define GM_STDLIB_H
#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX 0x7fffffff

#ifdef __cplusplus
extern "C" {
#endif

void exit(int code) __attribute__((noreturn));
void abort(void) __attribute__((noreturn));
int abs(int x);
long labs(long x);
int rand(void);                      /* the same numbers on every run */
void srand(unsigned seed);

#ifdef __cplusplus
}
#endif
#endif
