
/*
 * Copyright (C) order guard contributors
 *
 * Large patches: the time that they take grows as they do, no faster.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "og_patch.h"
#include "json_cases.h"


static og_scanner_t   *scanner;


static double
seconds_of(const og_body_rules_t *rules, const char *text, size_t len,
    og_body_status_e want)
{
    int                      i;
    double                   took, best;
    struct timespec          begin, end;
    const og_body_result_t  *result;

    best = 1e9;

    for (i = 0; i < 3; i++) {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        result = og_patch_scan(scanner, rules, (const unsigned char *) text,
                               len);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);

        assert_int_equal(result->status, want);

        took = (double) (end.tv_sec - begin.tv_sec)
               + (double) (end.tv_nsec - begin.tv_nsec) / 1e9;
        best = (took < best) ? took : best;
    }

    return best;
}


typedef enum {
    MANY_OPERATIONS = 0,
    MANY_CUT_OPERATIONS,
    MANY_REJECTED_TARGETS,
    MANY_COPIES,
    ONE_LONG_VALUE,
    ONE_LONG_VALUE_THAT_GOES,
    ONE_DEEP_POINTER,
    ONE_LONG_TOKEN,
    MUCH_SPACE,
    SHAPES
} shape_e;


/* A body whose length grows with n. */
static char *
text_of(shape_e shape, size_t n, size_t *len)
{
    char    *text;
    FILE    *out;
    size_t   i;

    static const char  *operations[] = {
        "{\"op\":\"add\",\"path\":\"/a/b\",\"value\":{\"price\":[1]}}",
        "{\"op\":\"add\",\"path\":\"/price\",\"value\":{\"price\":[1]}}",
        "{\"op\":\"add\",\"path\":\"/role/a\",\"value\":{\"role\":[1]}}",
        "{\"op\":\"copy\",\"path\":\"/a/b/c\",\"from\":\"/a/b\"}"
    };

    out = open_memstream(&text, len);
    fputc('[', out);

    switch (shape) {

    case ONE_LONG_VALUE:
    case ONE_LONG_VALUE_THAT_GOES:
        fprintf(out, "{\"op\":\"add\",\"path\":\"%s\",\"value\":[0",
                shape == ONE_LONG_VALUE ? "/a" : "/price");

        for (i = 0; i < n; i++) {
            fprintf(out, ",{\"price\":1,\"sku\":[\"a\",{}]}");
        }

        fprintf(out, "]}");
        break;

    case ONE_DEEP_POINTER:
        fprintf(out, "{\"op\":\"remove\",\"path\":\"");

        for (i = 0; i < n; i++) {
            fprintf(out, "/items/0");
        }

        fprintf(out, "\"}");
        break;

    case ONE_LONG_TOKEN:
        fprintf(out, "{\"op\":\"remove\",\"path\":\"/");

        for (i = 0; i < n; i++) {
            fprintf(out, "\\u0061~1.b");
        }

        fprintf(out, "\"}");
        break;

    case MUCH_SPACE:

        for (i = 0; i < n; i++) {
            fprintf(out, "%s{ \"op\" : \"remove\" , \"path\" : \"/price\" }",
                    i ? "\n\n\n\n,\t" : " ");
        }

        break;

    default:

        for (i = 0; i < n; i++) {
            fprintf(out, "%s%s", i ? "," : "", operations[shape]);
        }
    }

    fprintf(out, "]");
    fclose(out);

    return text;
}


/* Ten times the body may take ten times the time, not a hundred times. */
static void
test_time_is_linear(void **state)
{
    char              *text;
    size_t             len;
    double             small, large;
    unsigned           shape;
    const char        *wrong;
    json_case_t        row;
    og_body_rules_t    rules;
    og_body_status_e   want;

    (void) state;

    memset(&row, 0, sizeof(row));
    row.match = OG_MATCH_LOOSE;
    snprintf(row.strip, sizeof(row.strip), "price /*/*/*/*/x /items/*/a");
    snprintf(row.reject, sizeof(row.reject), "role");

    memset(&rules, 0, sizeof(rules));
    rules.fields = json_case_fields(&row, &wrong);
    rules.max_depth = 1000 * 1000;
    rules.find_gaps = 1;
    assert_null(wrong);

    for (shape = 0; shape < SHAPES; shape++) {
        want = (shape == MANY_REJECTED_TARGETS || shape == MANY_COPIES)
               ? OG_BODY_FORBIDDEN : OG_BODY_OK;

        text = text_of((shape_e) shape, 10 * 1000, &len);
        small = seconds_of(&rules, text, len, want);
        free(text);

        text = text_of((shape_e) shape, 100 * 1000, &len);
        large = seconds_of(&rules, text, len, want);
        free(text);

        print_message("shape %u: %zu kB in %.1f ms, %.1f times as long as "
                      "a tenth\n", shape, len / 1024, large * 1e3,
                      large / small);
        assert_true(large < small * 30 + 0.01);
    }

    og_fields_free((og_fields_t *) (uintptr_t) rules.fields);
}


/* A pointer is followed no deeper than documents may be. */
static void
test_deep_pointers(void **state)
{
    char                    *text;
    size_t                   len;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    (void) state;

    text = text_of(ONE_DEEP_POINTER, 100 * 1000, &len);
    memset(&rules, 0, sizeof(rules));
    rules.max_depth = 64;

    result = og_patch_scan(scanner, &rules, (unsigned char *) text, len);
    assert_int_equal(result->status, OG_BODY_MALFORMED);
    assert_string_equal(result->message, "nested too deep");
    assert_string_equal(result->pointer, "/0/path");

    free(text);
}


static int
set_up(void **state)
{
    (void) state;

    scanner = og_scanner_create();

    return scanner ? 0 : -1;
}


static int
tear_down(void **state)
{
    (void) state;

    og_scanner_free(scanner);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_time_is_linear),
        cmocka_unit_test(test_deep_pointers),
    };

    return cmocka_run_group_tests_name("og_patch time", tests, set_up,
                                       tear_down);
}
