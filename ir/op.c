/* The registry of operators: the rows of ops/ops.def, then the machine operators. */
#include <string.h>

#include "ir/ir.h"
#include "ir/machine.h"
#include "src/base/str.h"

#define X(name) extern const struct op_def op_##name;
#include "ir/ops/ops.def"
#undef X

static const struct op_def *const ops[] = {
#define X(name) &op_##name,
#include "ir/ops/ops.def"
#undef X
    &op_m_conv, &op_m_matmul, &op_m_add, &op_m_pool, &op_m_table, &op_m_convert, &op_m_move,
    &op_m_join, &op_m_softmax, &op_m_map, &op_m_reduce, &op_m_gather, NULL
};

/* ONNX spells its default domain in two ways. */
static const char *
plain_domain(const char *d)
{
    return d && *d && strcmp(d, "ai.onnx") != 0 ? d : "";
}

const struct op_def *
op_find(const char *domain, const char *name)
{
    domain = plain_domain(domain);
    for (int i = 0; ops[i]; i++)
        if (!strcmp(ops[i]->name, name) && !strcmp(plain_domain(ops[i]->domain), domain))
            return ops[i];
    return NULL;
}

const struct op_def *
op_at(int i)
{
    int n = (int)(sizeof ops / sizeof ops[0]) - 1;

    return i < 0 || i >= n ? NULL : ops[i];
}

const char *
op_nearest(const char *name)
{
    const char *names[sizeof ops / sizeof ops[0]];
    int n = 0;

    for (int i = 0; ops[i]; i++)
        if (!(ops[i]->traits & OP_MACHINE))
            names[n++] = ops[i]->name;
    names[n] = NULL;
    return str_nearest(name, names);
}
