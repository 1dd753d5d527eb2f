/* The command line of every program, from one table (options.def). */
#ifndef DRIVER_OPTIONS_H
#define DRIVER_OPTIONS_H
#include <stdbool.h>
#include <stdio.h>

struct arena;

enum { PROGRAM_CC = 1, PROGRAM_RUN = 2 };

enum option_id {
#define O(programs, id, name, letter, arg, def, topic, doc) OPT_##id,
#include "src/driver/options.def"
#undef O
    OPT_COUNT
};

struct option_row {
    unsigned programs;
    const char *name; /* NULL: short only */
    char letter;
    const char *arg, *def, *topic, *doc;
};
extern const struct option_row option_rows[OPT_COUNT];

struct given {
    enum option_id id;
    const char *value;
}; /* value NULL: none */
struct command_line {
    unsigned program;
    struct given *at;
    int n; /* in order */
    const char **file;
    int nfile;
};

/* False after a message on standard error with a hint: the command line was wrong. */
bool options_parse(
    struct arena *a, unsigned program, int argc, char **argv, struct command_line *c);
bool option_given(const struct command_line *c, enum option_id id);
const char *option_value(const struct command_line *c, enum option_id id); /* the last; NULL */
const char *const *option_values(struct arena *a, const struct command_line *c, enum option_id id);
/* One of the words, by number; -1 after a message. */
int option_word(const struct command_line *c, enum option_id id, int def, const char *const *words);
bool option_number(
    const struct command_line *c, enum option_id id, long long min, long long *value);
/* Every --report=KIND[:FILE]; false after a message. */
bool option_reports(struct arena *a, const struct command_line *c, enum option_id id);
/* The page for --help[=TOPIC]; false: no such topic. */
bool options_help(unsigned program, const char *topic, FILE *to);
/* A message on standard error with a hint where to look; 2, the exit status. */
int options_wrong(unsigned program, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Standard output reached its end; else a message and 3 in place of `status`. */
int options_end(unsigned program, int status);

#endif
