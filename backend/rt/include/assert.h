/* <assert.h> for bare-metal programs.  May be included again after NDEBUG changed. */
#include <stdio.h>
#include <stdlib.h>

#undef assert
#ifdef NDEBUG
#define assert(e) ((void)0)
#else
#define assert(e) \
    ((e) ? (void)0 : (printf("%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #e), exit(1)))
#endif
