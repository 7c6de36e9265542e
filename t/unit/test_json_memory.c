
/*
 * Copyright (C) order guard contributors
 *
 * The JSON cutter and the field rules when memory is short: every allocation
 * fails once, nothing is lost, and what was malformed or forbidden does not
 * pass for fine.  Link with -Wl,--wrap=malloc,--wrap=calloc and
 * -Wl,--wrap=realloc,--wrap=free.
 */


#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_json.h"
#include "json_cases.h"


void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);


/* Of these rules two of three strip one member of the body each. */
#define RULES      120
#define STRIPPING  80

/* Members of the body that the gateway writes. */
#define HOMES      40


/*
 * Counts between arm() and disarm() only: cmocka allocates, too.  Volatile,
 * because a compiler may assume that free() reads none of it.
 */
static volatile struct {
    int                   armed;
    size_t                left;       /* allocations until one fails */
    ptrdiff_t             live;       /* blocks */
    size_t                bytes;      /* of live blocks */
} memory;


static unsigned char  *body;
static size_t          body_len;


static void
arm(size_t left)
{
    memory.armed = 1;
    memory.left = left;
    memory.live = 0;
    memory.bytes = 0;
}


static void
disarm(void)
{
    memory.armed = 0;
}


static void *
count(void *p)
{
    if (memory.armed && p != NULL) {
        memory.live++;
        memory.bytes += malloc_usable_size(p);
    }

    return p;
}


static void
discount(void *p)
{
    if (memory.armed && p != NULL) {
        memory.live--;
        memory.bytes -= malloc_usable_size(p);
    }
}


static int
fails(void)
{
    return memory.armed && memory.left-- == 0;
}


void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : count(__real_malloc(size));
}


void *
__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : count(__real_calloc(n, size));
}


void *
__wrap_realloc(void *p, size_t size)
{
    if (fails()) {
        return NULL;
    }

    discount(p);

    return count(__real_realloc(p, size));
}


void
__wrap_free(void *p)
{
    discount(p);
    __real_free(p);
}


/* Rules enough for all tables to grow. */
static og_fields_t *
make_fields(const char **wrong)
{
    char          rule[32];
    size_t        i;
    og_fields_t  *fields;

    fields = og_fields_create(OG_MATCH_LOOSE);

    if (fields == NULL) {
        *wrong = "no memory";
        return NULL;
    }

    *wrong = NULL;

    for (i = 0; i < RULES && *wrong == NULL; i++) {
        snprintf(rule, sizeof(rule), "/%s/n%zu/*", (i % 2) ? "*" : "a", i);
        *wrong = og_fields_add(fields, (i % 3) ? OG_FIELD_STRIP
                               : OG_FIELD_ALLOW, rule, strlen(rule));
    }

    for (i = 0; i < HOMES && *wrong == NULL; i++) {
        snprintf(rule, sizeof(rule), "/a/home%zu", i);
        *wrong = og_fields_add(fields, OG_FIELD_SET, rule, strlen(rule));
    }

    if (*wrong == NULL) {
        *wrong = og_fields_add(fields, OG_FIELD_ALLOW, "/**", 3);
    }

    if (*wrong == NULL) {
        *wrong = og_fields_compile(fields);
    }

    if (*wrong == NULL) {
        return fields;
    }

    og_fields_free(fields);

    return NULL;
}


/* A body with many of everything: names, escapes, levels, cuts, space. */
static void
make_body(size_t names)
{
    char    *text;
    FILE    *out;
    size_t   i;

    out = open_memstream(&text, &body_len);
    fprintf(out, "{\"a\":{");

    for (i = 0; i < names; i++) {
        fprintf(out, "\"\\u006e%zu\":{\"x.y\":[%zu]},", i, i);
    }

    for (i = 0; i < HOMES; i++) {
        fprintf(out, "\"k%zu\": 0, \"home%zu\": 0,", i, i);
    }

    for (i = 0; i < 50; i++) {
        fprintf(out, "\"d\":{\"name_\\u0065\":[],");
    }

    fprintf(out, "\"z\":0");

    for (i = 0; i < 52; i++) {
        fputc('}', out);
    }

    fclose(out);
    body = (unsigned char *) text;
}


static void
test_rules(void **state)
{
    size_t        i;
    const char   *wrong;
    og_fields_t  *fields;

    (void) state;

    for (i = 0; ; i++) {
        arm(i);
        fields = make_fields(&wrong);
        memory.left = SIZE_MAX;
        og_fields_free(fields);
        disarm();

        assert_int_equal(memory.live, 0);

        if (fields != NULL) {
            break;
        }

        assert_string_equal(wrong, "no memory");
    }

    assert_true(i > 100);
}


static void
test_scans(void **state)
{
    size_t                   i;
    og_scanner_t            *json;
    const char              *wrong;
    og_body_rules_t          rules;
    og_body_status_e         status;
    const og_body_result_t  *result;

    (void) state;

    make_body(200);
    memset(&rules, 0, sizeof(rules));
    rules.fields = make_fields(&wrong);
    rules.max_depth = 64;
    rules.find_gaps = 1;
    assert_non_null(rules.fields);

    i = 0;

    do {
        arm(i);
        json = og_scanner_create();
        status = OG_BODY_NO_MEMORY;

        if (json != NULL) {
            result = og_json_scan(json, &rules, body, body_len);
            status = result->status;

            if (status == OG_BODY_NO_MEMORY) {
                assert_int_equal(result->ncuts, 0);
                assert_int_equal(result->ngaps, 0);
                assert_int_equal(result->nhomes, 0);

                /* the next pass is not the worse for it */

                memory.left = SIZE_MAX;
                result = og_json_scan(json, &rules, body, body_len);
            }

            assert_int_equal(result->status, OG_BODY_OK);
            assert_int_equal(result->ncuts, STRIPPING + HOMES);
            assert_int_equal(result->ngaps, 3 * HOMES);
            assert_int_equal(result->nhomes, HOMES);
        }

        memory.left = SIZE_MAX;
        og_scanner_free(json);
        disarm();

        assert_int_equal(memory.live, 0);
        i++;

    } while (status == OG_BODY_NO_MEMORY);

    assert_true(i > 10);

    og_fields_free((og_fields_t *) (uintptr_t) rules.fields);
    free(body);
}


/* Every scratch area of a scanner is large for this body and these rules. */
static og_fields_t *
make_large(void)
{
    char          rule[32];
    char         *text;
    FILE         *out;
    size_t        i, n;
    og_fields_t  *fields;

    out = open_memstream(&text, &body_len);
    fprintf(out, "{\"\\u0061.%0*d\":0,\"n\":{\"n0\":0", 400 * 1000, 0);

    for (i = 1; i < 60 * 1000; i++) {
        fprintf(out, ",\"n%zu\":0", i);
    }

    fprintf(out, "},\"l\":[0");

    for (i = 0; i < 20 * 1000; i++) {
        fprintf(out, ",{\"price\": 0}");
    }

    fprintf(out, "]}");
    fclose(out);
    body = (unsigned char *) text;

    fields = og_fields_create(OG_MATCH_LOOSE);
    assert_null(og_fields_add(fields, OG_FIELD_STRIP, "price", 5));

    for (i = 0; i < 30 * 1000; i++) {
        n = (size_t) snprintf(rule, sizeof(rule), "/rule/%zu", i);
        assert_null(og_fields_add(fields, OG_FIELD_STRIP, rule, n));
    }

    assert_null(og_fields_compile(fields));

    return fields;
}


/* What one large body took is not held until the worker ends. */
static void
test_large_bodies_leave_little(void **state)
{
    og_scanner_t            *json;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    (void) state;

    memset(&rules, 0, sizeof(rules));
    rules.fields = make_large();
    rules.max_depth = 64;
    rules.find_gaps = 1;

    arm(SIZE_MAX);
    json = og_scanner_create();
    result = og_json_scan(json, &rules, body, body_len);
    assert_int_equal(result->status, OG_BODY_OK);
    assert_int_equal(result->ncuts, 20 * 1000);

    /* the result is still there, and goes with the next pass */

    assert_true(memory.bytes > result->ncuts * sizeof(og_range_t));

    rules.max_depth = 0;
    result = og_json_scan(json, &rules, body, body_len);
    assert_int_equal(result->status, OG_BODY_MALFORMED);
    assert_true(memory.bytes < 128 * 1024);

    disarm();
    og_scanner_free(json);
    og_fields_free((og_fields_t *) (uintptr_t) rules.fields);
    free(body);
}


/* What a pass has found, if it has an answer. */
typedef struct {
    og_body_status_e      status;
    size_t                ncuts;
    size_t                ngaps;
    size_t                nhomes;
} found_t;


static found_t
scan_case(const json_case_t *row, const og_body_rules_t *rules, size_t left)
{
    found_t                  found;
    og_scanner_t            *json;
    const og_body_result_t  *result;

    memset(&found, 0, sizeof(found));
    found.status = OG_BODY_NO_MEMORY;

    arm(left);
    json = og_scanner_create();

    if (json != NULL) {
        result = og_json_scan(json, rules, row->in.data, row->in.len);

        found.status = result->status;
        found.ncuts = result->ncuts;
        found.ngaps = result->ngaps;
        found.nhomes = result->nhomes;
    }

    og_scanner_free(json);
    disarm();

    assert_int_equal(memory.live, 0);

    return found;
}


/* Every case again, with each allocation failing: never another answer. */
static void
check_case(const json_case_t *row)
{
    size_t            i;
    found_t           want, found;
    const char       *wrong;
    og_body_rules_t   rules;

    rules.fields = json_case_fields(row, &wrong);
    rules.max_depth = row->depth;
    rules.reject_unlisted = row->reject_unlisted & 1;
    rules.find_gaps = 1;
    assert_null(wrong);

    want = scan_case(row, &rules, SIZE_MAX);
    assert_int_equal(want.status,
                     row->error[0] ? OG_BODY_MALFORMED
                     : row->rejected[0] ? OG_BODY_FORBIDDEN : OG_BODY_OK);
    i = 0;

    do {
        found = scan_case(row, &rules, i++);

        if (found.status == OG_BODY_NO_MEMORY) {
            assert_true(found.ncuts + found.ngaps + found.nhomes == 0);

        } else {
            assert_memory_equal(&found, &want, sizeof(found));
        }

    } while (found.status == OG_BODY_NO_MEMORY);

    og_fields_free((og_fields_t *) (uintptr_t) rules.fields);
}


static void
test_cases(void **state)
{
    (void) state;

    assert_true(json_cases(JSON_CASES, "cut.cases", check_case) > 0);
    assert_true(json_cases(JSON_CASES, "allow.cases", check_case) > 0);
    assert_true(json_cases(JSON_CASES, "reject.cases", check_case) > 0);
    assert_true(json_cases(JSON_CASES, "set.cases", check_case) > 0);
    assert_true(json_cases(JSON_CASES, "refused.cases", check_case) > 0);
    assert_true(json_cases(JSON_CASES, "spellings.cases", check_case) > 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_scans),
        cmocka_unit_test(test_large_bodies_leave_little),
        cmocka_unit_test(test_cases),
    };

    return cmocka_run_group_tests_name("og_json memory", tests, NULL, NULL);
}
