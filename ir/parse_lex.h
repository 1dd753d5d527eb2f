/* Words of text IR. */
#ifndef IR_PARSE_LEX_H
#define IR_PARSE_LEX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct diag;

enum lex_kind { LEX_END, LEX_WORD, LEX_STRING, LEX_VALUE, LEX_PUNCT };

struct lex { /* with the token at hand */
    struct arena *arena;
    struct diag *diag;
    const char *file, *p, *end;
    int line; /* of p */
    enum lex_kind kind;
    int at; /* line of the token */
    char punct;
    const char *text; /* of a word, string (unquoted) or value (without %) */
    size_t len;
    bool failed; /* an error was given; only LEX_END from now on */
};

void lex_start(struct lex *l, const char *text, size_t len);
void lex_next(struct lex *l);
/* The first error is given, later ones are its consequences.  Returns false. */
bool lex_fail(struct lex *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool lex_is(const struct lex *l, char punct);
bool lex_accept(struct lex *l, char punct);
bool lex_expect(struct lex *l, char punct);
bool lex_is_word(const struct lex *l, const char *word);
bool lex_accept_word(struct lex *l, const char *word);
/* These fail with a message that says what was wanted. */
const char *lex_string(struct lex *l, const char *what);
const char *lex_name(struct lex *l, const char *what); /* a word or a string */
bool lex_int(struct lex *l, int64_t least, int64_t greatest, int64_t *out);
bool lex_real(struct lex *l, bool single, double *out);
const char *lex_seen(const struct lex *l); /* the token, for messages */

#endif
