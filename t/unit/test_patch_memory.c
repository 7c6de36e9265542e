
/*
 * Copyright (C) order guard contributors
 *
 * Patches when memory is short: each allocation of each case of t/unit/patch
 * fails once.  Nothing is lost, and the answer is the same or none.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_patch.h"
#include "json_cases.h"
#include "short_memory.h"


static size_t  failures;    /* of allocations */


static void
check_case(const json_case_t *row)
{
    size_t                   i;
    ptrdiff_t                live;
    const char              *wrong;
    og_scanner_t            *scanner;
    og_body_rules_t          rules;
    og_body_status_e         status, want, after;
    const og_body_result_t  *result;

    rules.fields = json_case_fields(row, &wrong);
    rules.max_depth = row->depth;
    rules.reject_unlisted = row->reject_unlisted & 1;
    rules.find_gaps = 1;
    assert_null(wrong);

    want = row->error[0] ? OG_BODY_MALFORMED
           : row->rejected[0] ? OG_BODY_FORBIDDEN : OG_BODY_OK;
    i = 0;

    do {
        short_memory_begin(i++);
        scanner = og_scanner_create();
        status = OG_BODY_NO_MEMORY;
        after = want;

        if (scanner != NULL) {
            result = og_patch_scan(scanner, &rules, row->in.data,
                                   row->in.len);
            status = result->status;

            if (status == OG_BODY_NO_MEMORY && result->ncuts > 0) {
                status = OG_BODY_UNSUPPORTED;
            }

            /* the next pass is not the worse for it */

            short_memory_is_over();
            result = og_patch_scan(scanner, &rules, row->in.data,
                                   row->in.len);
            after = result->status;
        }

        short_memory_is_over();
        og_scanner_free(scanner);
        live = short_memory_end();

        assert_true(status == want || status == OG_BODY_NO_MEMORY);
        assert_int_equal(after, want);
        assert_int_equal(live, 0);

        failures += (status == OG_BODY_NO_MEMORY);

    } while (status != want);

    og_fields_free((og_fields_t *) (uintptr_t) rules.fields);
}


static void
test_cases(void **state)
{
    size_t  i, n;

    static const char  *files[] = {
        "cut.cases", "spellings.cases", "unseen.cases", "allow.cases",
        "reject.cases", "refused.cases"
    };

    (void) state;

    n = 0;

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        n += json_cases("t/unit/patch", files[i], check_case);
    }

    assert_true(n > 150);
    assert_true(failures > 3 * n);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_cases),
    };

    return cmocka_run_group_tests_name("og_patch memory", tests, NULL, NULL);
}
