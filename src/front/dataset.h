/* Input sets: from a file, an archive, a folder or a generator to the inputs of a
 * model, one set at a time. */
#ifndef FRONT_DATASET_H
#define FRONT_DATASET_H
#include "ir/pass.h"
#include "src/front/image.h"

struct dataset;

struct dataset_input {           /* an input of the model */
    const char *name;
    struct type type;
    const struct recipe *recipe; /* for pictures; NULL: a default, and a note */
};

/* path is one of
 *   random:SEED                numbers made up, without end
 *   FILE.npy FILE.pb FILE.npz  samples stacked on axis 0; an npz by input name
 *   FILE@K                     one of them
 *   PICTURE                    one set
 *   FOLDER with x.pb           stacked samples; y.pb labels, ref.pb outputs
 *   FOLDER with input_0.pb     one set
 *   FOLDER of such folders     one set each (0/, 1/ or test_data_set_0/, ...)
 *   FOLDER of files            one set each, for models of one input
 * NULL after a diagnostic (dataset-*, tensor-*, file-*). */
struct dataset *dataset_open(struct arena *a, struct diag *d, const char *path,
                             const struct dataset_input *in, int nin);
int64_t dataset_count(const struct dataset *s);          /* INT64_MAX: random */
const char *dataset_name(struct arena *a, const struct dataset *s, int64_t k);
/* Set k: one tensor per input, of its type, in arena a. */
bool dataset_get(const struct dataset *s, struct arena *a, struct diag *d, int64_t k,
                 struct tensor *out);
/* Labels, and reference outputs, stacked on axis 0; NULL: the set has none. */
const struct tensor *dataset_labels(const struct dataset *s);
const struct tensor *dataset_reference(const struct dataset *s);

/* Output 0 that belongs to set k: of the reference, or output_0.pb beside its inputs.
 * False without a diagnostic: not known. */
bool dataset_expected(const struct dataset *s, struct arena *a, struct diag *d, int64_t k,
                      struct tensor *out);

/* One input from FILE or FILE@K: a tensor or a picture. */
bool dataset_load(struct arena *a, struct diag *d, const char *spec,
                  const struct dataset_input *in, struct tensor *out);

/* For calibration: up to limit sets (0: all; 16 of random ones), evenly spread. */
struct feed *dataset_feed(struct arena *a, struct diag *d, struct dataset *const *sets,
                          int n, int64_t limit);

#endif
