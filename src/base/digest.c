/* SHA-256 by libmd, as `sha256sum` prints it. */
#include <sys/types.h>

#include <sha2.h>
#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/digest.h"

char *
digest_hex(struct arena *a, const void *p, size_t n)
{
    SHA2_CTX ctx;
    char *hex = arena_alloc(a, SHA256_DIGEST_STRING_LENGTH);

    SHA256Init(&ctx);
    if (n)
        SHA256Update(&ctx, p, n);
    SHA256End(&ctx, hex);
    return hex;
}
