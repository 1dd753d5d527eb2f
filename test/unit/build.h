/* ONNX models for tests, built in a few lines:
 *
 *     struct model *m = model_new(a, 13);
 *     model_input(m, "x", DT_F32, "1,3,8,8");
 *     model_random(m, "w", "4,3,3,3", 1, 0.5f);
 *     struct model_node *n = model_node(m, "Conv", "x w", "y");
 *     model_ints(n, "pads", "1,1,1,1");
 *     model_output(m, "y");
 *     model_save(m, path);
 *
 * Lists are texts: names separated by blanks, "-" for one left out; sizes and
 * integers by commas; a size that is no number is symbolic, "?" is unknown. */
#ifndef TEST_UNIT_BUILD_H
#define TEST_UNIT_BUILD_H
#include "ir/ir.h"
#include "src/base/file.h"
#include "src/front/onnx.pb-c.h"

struct model;
struct model_node;                           /* also the name of the function */

struct model *model_new(struct arena *a, int opset);
void model_opset(struct model *m, const char *domain, int64_t version);
void model_input(struct model *m, const char *name, enum dtype dt, const char *dims);
void model_output(struct model *m, const char *name);
void model_meta(struct model *m, const char *key, const char *value);

/* Initializers; data is copied, raw. */
Onnx__TensorProto *model_tensor(struct model *m, const char *name, enum dtype dt,
                                const char *dims, const void *data);
void model_floats(struct model *m, const char *name, const char *dims, const float *data);
void model_longs(struct model *m, const char *name, const char *values);
/* Uniform in [-scale, scale], the same everywhere. */
void model_random(struct model *m, const char *name, const char *dims, uint64_t seed,
                  float scale);

/* Nodes go to the graph, or to the function begun last, until model_end. */
struct model_node *model_node(struct model *m, const char *op, const char *in,
                              const char *out);
void model_name(struct model_node *n, const char *name);
void model_domain(struct model_node *n, const char *domain);
void model_int(struct model_node *n, const char *attr, int64_t v);
void model_float(struct model_node *n, const char *attr, float v);
void model_string(struct model_node *n, const char *attr, const char *v);
void model_ints(struct model_node *n, const char *attr, const char *values);
void model_ref(struct model_node *n, const char *attr, const char *of_function);
void model_value(struct model_node *n, const char *attr, enum dtype dt, const char *dims,
                 const void *data);

void model_function(struct model *m, const char *domain, const char *name, const char *in,
                    const char *out, const char *attrs);
void model_end(struct model *m);

Onnx__ModelProto *model_proto(struct model *m);          /* for what is not above */
struct bytes model_bytes(struct model *m);
bool model_save(struct model *m, const char *path);
/* Read back through the importer. */
struct graph *model_graph(struct model *m, struct arena *a, struct diag *d);

/* The generator behind model_random. */
float test_random(uint64_t *state);                      /* in [-1, 1) */

#endif
