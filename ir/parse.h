/* Between the files that read text IR. */
#ifndef IR_PARSE_H
#define IR_PARSE_H
#include "ir/ir.h"
#include "ir/parse_lex.h"
#include "src/base/map.h"
#include "src/base/vec.h"

struct named { /* a value the text has spoken of */
    struct value *v;
    int line; /* first mention */
    bool declared;
};

struct parse { /* one graph, nested ones inside */
    struct lex *l;
    struct graph *g;
    struct parse *around;
    struct map *names, *syms;
    VEC(struct named *) all;
    int depth;
};

/* The value of a LEX_VALUE token, which is consumed; made up when new. */
struct named *parse_mention(struct parse *p);
/* parse_type.c: a type with its marks, into v; data of type t, NULL after an error. */
bool parse_type(struct parse *p, struct value *v);
const void *parse_data(struct parse *p, const struct type *t);
/* parse_node.c */
bool parse_node(struct parse *p);
/* parse.c: lines until `}` or the end of the text. */
bool parse_lines(struct parse *p);

#endif
