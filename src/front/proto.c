/* Protocol buffer files: checked before they are unpacked.
 *
 * protobuf-c recurses with the file and allocates what the file asks for.  So the
 * bytes are walked first, guided by the schema: nesting is limited, every length
 * is compared with what is there, and fields that the schema does not know are
 * collected.  Unpacking then gets its memory from the arena, up to a limit that a
 * well-meant file does not reach.  Groups (wire types 3 and 4) are refused: no
 * ONNX schema has any. */
#include <stdint.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/diag.h"
#include "src/base/out.h"
#include "src/base/vec.h"
#include "src/front/proto.h"

#define MAX_DEPTH 200
#define MAX_UNKNOWN 64

struct unknown { const ProtobufCMessageDescriptor *in; uint32_t tag; int count; };

struct scan {
    struct arena *arena;         /* NULL: unknown fields are not collected */
    struct bytes all;
    const char *problem;         /* NULL: none so far */
    size_t at;                   /* of the problem */
    size_t missing;              /* bytes behind the end of the file */
    VEC(struct unknown) unknown;
};

/* Fields that newer schemas have, for the reader of the warning. */
static const struct {
    const char *message;
    uint32_t tag;
    const char *name;
} newer[] = {
    { "ModelProto", 26, "configuration" },
    { "GraphProto", 16, "metadata_props" },
    { "NodeProto", 8, "overload" },
    { "NodeProto", 9, "metadata_props" },
    { "NodeProto", 10, "device_configurations" },
    { "TensorProto", 16, "metadata_props" },
    { "ValueInfoProto", 4, "metadata_props" },
    { "FunctionProto", 11, "attribute_proto" },
    { "FunctionProto", 12, "value_info" },
    { "FunctionProto", 13, "overload" },
    { "FunctionProto", 14, "metadata_props" },
    { NULL, 0, NULL },
};

static bool
fail(struct scan *s, const uint8_t *p, const char *problem)
{
    if (!s->problem) {
        s->problem = problem;
        s->at = (size_t)(p - s->all.p);
    }
    return false;
}

static bool
varint(struct scan *s, const uint8_t **p, const uint8_t *end, uint64_t *v)
{
    const uint8_t *start = *p;

    *v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (*p == end) {
            if (end == s->all.p + s->all.n)
                s->missing = 1;
            return fail(s, start, "a number is cut off");
        }
        uint8_t b = *(*p)++;
        if (shift < 64)
            *v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return true;
    }
    return fail(s, start, "a number of more than ten bytes");
}

static const ProtobufCFieldDescriptor *
field_of(const ProtobufCMessageDescriptor *d, uint32_t tag)
{
    unsigned lo = 0, hi = d->n_fields;

    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;
        if (d->fields[mid].id == tag)
            return &d->fields[mid];
        if (d->fields[mid].id < tag)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static bool
wire_fits(const ProtobufCFieldDescriptor *f, unsigned wire)
{
    unsigned own;

    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return wire == 2;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        own = 5;
        break;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        own = 1;
        break;
    default:
        own = 0;
        break;
    }
    return wire == own || (wire == 2 && f->label == PROTOBUF_C_LABEL_REPEATED);
}

static void
note_unknown(struct scan *s, const ProtobufCMessageDescriptor *d, uint32_t tag)
{
    if (!s->arena)
        return;
    for (int i = 0; i < s->unknown.n; i++) {
        struct unknown *u = &s->unknown.at[i];
        if (u->in == d && u->tag == tag) {
            u->count++;
            return;
        }
    }
    if (s->unknown.n < MAX_UNKNOWN)
        vec_push(s->arena, &s->unknown, ((struct unknown){ d, tag, 1 }));
}

/* One message, from p to end. */
static bool
walk(struct scan *s, const ProtobufCMessageDescriptor *d, const uint8_t *p,
     const uint8_t *end, int depth)
{
    uint64_t v;

    if (depth > MAX_DEPTH)
        return fail(s, p, "messages are nested too deeply");
    while (p < end) {
        const uint8_t *start = p;
        if (!varint(s, &p, end, &v))
            return false;
        unsigned wire = (unsigned)(v & 7);
        if (v >> 3 == 0 || v >> 3 > 0x1fffffff)
            return fail(s, start, "a field number is out of range");
        uint32_t tag = (uint32_t)(v >> 3);
        const ProtobufCFieldDescriptor *f = field_of(d, tag);
        if (!f)
            note_unknown(s, d, tag);
        else if (!wire_fits(f, wire))
            return fail(s, start, "a field is not of the schema's kind");
        uint64_t len;
        switch (wire) {
        case 0:
            if (!varint(s, &p, end, &v))
                return false;
            continue;
        case 1: len = 8; break;
        case 5: len = 4; break;
        case 2:
            if (!varint(s, &p, end, &len))
                return false;
            break;
        default:
            return fail(s, start, "a field is of an unknown wire type");
        }
        if (len > (uint64_t)(end - p)) {
            if (end == s->all.p + s->all.n)
                s->missing = len - (uint64_t)(end - p);
            return fail(s, start, "a field is longer than what holds it");
        }
        if (f && f->type == PROTOBUF_C_TYPE_MESSAGE
            && !walk(s, f->descriptor, p, p + len, depth + 1))
            return false;
        p += len;
    }
    return true;
}

/* Packed numbers and one-byte messages grow when unpacked; a limit keeps a small
 * file from asking for all memory. */
struct budget { struct arena *arena; size_t left; };

static void *
take(void *ctx, size_t n)
{
    struct budget *b = ctx;
    size_t cost = n + 16;

    if (cost < n || cost > b->left)
        return NULL;
    b->left -= cost;
    return arena_alloc(b->arena, n);
}

static void
give(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

void *
proto_unpack(struct arena *a, const ProtobufCMessageDescriptor *d, struct bytes b)
{
    struct budget budget = { a, ((size_t)64 << 20) + b.n * 16 };
    ProtobufCAllocator alloc = { take, give, &budget };

    if (b.n > SIZE_MAX / 32)
        return NULL;
    return protobuf_c_message_unpack(d, &alloc, b.n, b.p);
}

bool
proto_looks_like(const ProtobufCMessageDescriptor *d, struct bytes b)
{
    struct scan s = { .all = b };

    return b.n && walk(&s, d, b.p, b.p + b.n, 0);
}

static void
warn_unknown(struct scan *s, struct diag *diag, const char *file)
{
    struct place_ref at = { .file = file };
    struct out *o = out_memory(s->arena);
    bool any = false;

    for (int i = 0; i < s->unknown.n; i++) {
        const struct unknown *u = &s->unknown.at[i];
        const char *name = NULL;
        for (int k = 0; newer[k].message; k++)
            if (newer[k].tag == u->tag
                && !strcmp(newer[k].message, u->in->short_name))
                name = newer[k].name;
        if (name && !strcmp(name, "attribute_proto"))
            continue;            /* the importer decodes it by hand */
        out_printf(o, "%s%s field %u", any ? ", " : "", u->in->short_name,
                   (unsigned)u->tag);
        if (name)
            out_printf(o, " (%s)", name);
        if (u->count > 1)
            out_printf(o, " %d times", u->count);
        any = true;
    }
    const char *text = out_text(o, NULL);
    if (any) {
        diag_warn(diag, &at, "onnx-unknown-field",
                  "the file has fields that this build's schema does not know,"
                  " ignored: %s", text);
        diag_hint(diag, "configure with --with-onnx-proto=FILE to build with a"
                        " newer schema");
    }
    out_discard(o);
}

void *
proto_read(struct arena *a, struct diag *diag, const char *file,
           const ProtobufCMessageDescriptor *d, struct bytes b)
{
    struct place_ref at = { .file = file };
    struct scan s = { .arena = a, .all = b };

    if (!b.n) {
        diag_error(diag, &at, "onnx-empty", "the file is empty");
        return NULL;
    }
    if (!walk(&s, d, b.p, b.p + b.n, 0)) {
        if (s.missing)
            diag_error(diag, &at, "onnx-truncated",
                       "the file ends after %zu bytes, inside the field that"
                       " starts at byte %zu: %zu or more bytes are missing",
                       b.n, s.at, s.missing);
        else
            diag_error(diag, &at, "onnx-parse",
                       "not a %s: %s at byte %zu", d->short_name, s.problem, s.at);
        return NULL;
    }
    void *msg = proto_unpack(a, d, b);
    if (!msg) {
        diag_error(diag, &at, "onnx-parse",
                   "not a %s: its fields do not unpack", d->short_name);
        return NULL;
    }
    warn_unknown(&s, diag, file);
    return msg;
}
