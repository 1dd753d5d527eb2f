/* Numbers as text, shared by the files of ir that print. */
#ifndef IR_ATTR_H
#define IR_ATTR_H
#include <stdbool.h>

struct arena;

/* The shortest decimal text that reads back as the same float or double. */
const char *real_text(struct arena *a, double x, bool single);

#endif
