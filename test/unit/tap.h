/* Check programs that speak TAP: main is `return tap_run(suite);`. */
#ifndef TEST_UNIT_TAP_H
#define TEST_UNIT_TAP_H
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* The status says what the text says, for runs by hand. */
static inline int
tap_run(Suite *s)
{
    SRunner *r = srunner_create(s);

    srunner_set_tap(r, "-");
    srunner_run_all(r, CK_SILENT);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* For a program whose subject is not here: `return tap_skip("no QEMU");`. */
static inline int
tap_skip(const char *why)
{
    printf("1..0 # SKIP %s\n", why);
    return EXIT_SUCCESS;
}

#endif
