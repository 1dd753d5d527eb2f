/* Any bytes as a tensor or a picture: refused with a reason, or all of it there. */
#include <stdlib.h>

#include "src/front/image.h"
#include "test/fuzz/fuzz.h"

static volatile unsigned sink;       /* keeps the reads */

/* Touches every byte, so that a length that lies is found. */
static unsigned
sum(const void *data, int64_t n)
{
    unsigned s = 0;

    for (int64_t i = 0; i < n; i++)
        s += ((const uint8_t *)data)[i];
    return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_new();
    struct diag_config c = { 0 };
    struct diag *d = diag_new(a, &c);
    struct bytes b = { p, n };
    enum file_kind k = file_kind_of("fuzz", b);
    struct tensors t;
    struct image im;
    bool ok;

    if (k == FILE_PNG || k == FILE_JPEG || k == FILE_PNM) {
        ok = image_parse(a, d, "fuzz", b, &im);
        if (ok)
            sink = sink + sum(im.px, (int64_t)im.width * im.height * im.channels);
    } else {
        ok = tensorfile_parse(a, d, "fuzz", b, &t);
        for (int i = 0; ok && i < t.n; i++)
            sink = sink + sum(t.at[i].data, tensor_bytes(&t.at[i]));
    }
    if (ok != (diag_count(d, SEV_ERROR) == 0))
        abort();
    diag_free(d);
    arena_free(a);
    return 0;
}
