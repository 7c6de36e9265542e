
/*
 * Copyright (C) order guard contributors
 *
 * Forms of many parts when memory is short: each allocation of each case of
 * t/unit/multipart fails once.  Nothing is lost, and the answer is the same
 * or none.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_multipart.h"
#include "json_cases.h"
#include "multipart_text.h"
#include "short_memory.h"


static size_t      failures;    /* of allocations */
static og_media_t  media;


/* Returns the status; *after is that of a second pass with enough memory. */
static og_body_status_e
scan_short(const og_body_rules_t *rules, const unsigned char *data,
    size_t len, size_t left, og_body_status_e *after, ptrdiff_t *live)
{
    og_scanner_t            *scanner;
    og_body_status_e         status;
    const og_body_result_t  *result;

    short_memory_begin(left);
    scanner = og_scanner_create();
    status = OG_BODY_NO_MEMORY;

    if (scanner != NULL) {
        result = og_multipart_scan(scanner, rules, &media, data, len);
        status = result->status;

        if (status == OG_BODY_NO_MEMORY && result->ncuts > 0) {
            status = OG_BODY_OK;
        }

        short_memory_is_over();
        *after = og_multipart_scan(scanner, rules, &media, data, len)->status;
    }

    short_memory_is_over();
    og_scanner_free(scanner);
    *live = short_memory_end();

    return status;
}


static void
check_case(const json_case_t *row)
{
    size_t                i, len;
    ptrdiff_t             live;
    const char           *wrong;
    og_body_rules_t       rules;
    og_body_status_e      status, want, after;
    static unsigned char  text[MULTIPART_SIZE];

    memset(&rules, 0, sizeof(rules));
    rules.fields = json_case_fields(row, &wrong);
    rules.max_depth = row->depth;
    rules.reject_unlisted = row->reject_unlisted & 1;
    rules.find_gaps = 1;
    assert_null(wrong);

    len = multipart_text(text, row->in.data, row->in.len, NULL);

    want = OG_BODY_NO_MEMORY;
    status = scan_short(&rules, text, len, SIZE_MAX, &want, &live);
    assert_int_equal(status, want);
    assert_int_equal(live, 0);
    assert_true((row->error[0] == '\0') == (want == OG_BODY_OK
                                            || want == OG_BODY_FORBIDDEN));

    for (i = 0; ; i++) {
        after = want;
        status = scan_short(&rules, text, len, i, &after, &live);

        assert_int_equal(live, 0);
        assert_int_equal(after, want);

        if (status != OG_BODY_NO_MEMORY) {
            assert_int_equal(status, want);
            break;
        }

        failures++;
    }

    og_fields_free((og_fields_t *) (uintptr_t) rules.fields);
}


static void
test_cases(void **state)
{
    size_t  i, n;

    static const char  *files[] = {
        "clients.cases", "parsers.cases", "names.cases", "rules.cases",
        "json.cases"
    };

    (void) state;

    media = multipart_media("b");
    n = 0;

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        n += json_cases(MULTIPART_CASES, files[i], check_case);
    }

    print_message("%zu cases, %zu allocations failed\n", n, failures);
    assert_true(n > 200 && failures > 2 * n);
}


/* Enough parts, cuts and members for all that grows to grow. */
static void
test_large(void **state)
{
    FILE              *out;
    char              *body;
    size_t             i, len;
    ptrdiff_t          live;
    og_fields_t       *fields;
    og_body_rules_t    rules;
    og_body_status_e   status, after;

    (void) state;

    media = multipart_media("b");
    failures = 0;

    fields = og_fields_create(OG_MATCH_LOOSE);
    assert_non_null(fields);
    assert_null(og_fields_add(fields, OG_FIELD_STRIP, "price", 5));
    assert_null(og_fields_add(fields, OG_FIELD_STRIP, "/x/y/z", 6));
    assert_null(og_fields_add(fields, OG_FIELD_SET, "caller", 6));
    assert_null(og_fields_compile(fields));

    memset(&rules, 0, sizeof(rules));
    rules.fields = fields;
    rules.max_depth = 64;

    out = open_memstream(&body, &len);
    assert_non_null(out);

    for (i = 0; i < 300; i++) {
        fprintf(out, "--b\r\nContent-Disposition: form-data; name=\"%s%zu\""
                "\r\nContent-Type: application/json\r\nContent-Length: 44"
                "\r\n\r\n[[[[[[[[[[[[[{\"pr\\u0069ce\":%3zu}]]]]]]]]]]]]]\r\n",
                (i % 3) ? "a" : "price.a", i, i);
    }

    fprintf(out, "--b\r\nContent-Disposition: form-data; name=caller\r\n\r\n"
            "1\r\n--b--");
    fclose(out);

    for (i = 0; ; i++) {
        after = OG_BODY_OK;
        status = scan_short(&rules, (unsigned char *) body, len, i, &after,
                            &live);
        assert_int_equal(live, 0);

        if (status != OG_BODY_NO_MEMORY) {
            break;
        }

        failures++;
    }

    print_message("%zu allocations failed\n", failures);
    assert_int_equal(status, OG_BODY_OK);
    assert_true(failures > 10);

    og_fields_free(fields);
    free(body);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_large),
    };

    return cmocka_run_group_tests_name("og_multipart memory", tests, NULL,
                                       NULL);
}
