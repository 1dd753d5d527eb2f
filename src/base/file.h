/* Files read whole or mapped, paths, temporary folders. */
#ifndef BASE_FILE_H
#define BASE_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct diag;

struct bytes { const uint8_t *p; size_t n; };

/* Mapped read-only until the program ends; "-" reads standard input.  Not a
 * regular file, missing, unreadable, larger than max (0: no limit): a diagnostic
 * (file-open, file-kind, file-size) and false. */
bool file_map(struct arena *a, struct diag *d, const char *path, size_t max, struct bytes *out);
bool file_exists(const char *path);
bool file_is_dir(const char *path);
bool file_is_regular(const char *path);
/* Names in a folder, sorted by name, numbers in numeric order, NULL-terminated;
 * without . and .. ; NULL if it cannot be read. */
char **file_list(struct arena *a, const char *dir, int *n);

const char *path_base(const char *path);                /* after the last '/' */
char *path_dir(struct arena *a, const char *path);      /* "." when there is none */
char *path_join(struct arena *a, const char *dir, const char *name);
char *path_suffix(struct arena *a, const char *path, const char *suffix); /* a/b.onnx, .elf: a/b.elf */
/* dir/name, if that stays inside dir: no absolute name, no "..", and after links
 * are followed still below it.  NULL otherwise. */
char *path_inside(struct arena *a, const char *dir, const char *name);
/* Folder of the running program, for finding data when run uninstalled. */
char *path_of_program(struct arena *a);
/* Folders that may hold data files ("targets", "rt"), in order, NULL-terminated; and
 * the first of them that has `name`, or NULL. */
char **path_data_roots(struct arena *a);
char *path_data(struct arena *a, const char *name);

/* A fresh folder below TMPDIR, removed with all it holds at exit and on signals
 * unless kept.  NULL after a diagnostic. */
const char *temp_dir(struct arena *a, struct diag *d);
void temp_keep(void);

#endif
