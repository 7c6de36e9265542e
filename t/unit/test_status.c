
/*
 * Copyright (C) order guard contributors
 *
 * Reason phrases and the codes made of them.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "og_status.h"


static void
test_status_names(void **state)
{
    char         expected[64], *p;
    size_t       named;
    unsigned     status;
    const char  *reason;

    (void) state;

    named = 0;

    for (status = 0; status < 1000; status++) {
        reason = og_status_reason(status);
        named += strcmp(reason, "Error") != 0;

        assert_true(strlen(reason) < sizeof(expected));
        memcpy(expected, reason, strlen(reason) + 1);

        for (p = expected; *p; p++) {
            if (*p == ' ' || *p == '-') {
                *p = '_';

            } else if (*p >= 'a' && *p <= 'z') {
                *p = (char) (*p - 'a' + 'A');
            }
        }

        assert_string_equal(og_status_code_name(status), expected);
    }

    assert_true(named >= 60);

    assert_string_equal(og_status_reason(404), "Not Found");
    assert_string_equal(og_status_reason(413), "Content Too Large");
    assert_string_equal(og_status_reason(422), "Unprocessable Content");
    assert_string_equal(og_status_reason(498), "Error");
    assert_string_equal(og_status_reason(599), "Error");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_status_names),
    };

    return cmocka_run_group_tests_name("og_status", tests, NULL, NULL);
}
