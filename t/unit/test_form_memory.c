
/*
 * Copyright (C) order guard contributors
 *
 * Forms when memory is short: every allocation fails once, nothing is lost,
 * and what was malformed or forbidden does not pass for fine.  Link with
 * -Wl,--wrap=malloc,--wrap=calloc and -Wl,--wrap=realloc,--wrap=free.
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

#include "json_cases.h"
#include "og_form.h"


#define FORM_CASES  "t/unit/form"


void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);


/*
 * Counts while armed only: cmocka allocates, too.  Volatile, because a
 * compiler may assume that free() reads none of it.
 */
static volatile struct {
    int                   armed;
    size_t                left;       /* allocations until one fails */
    ptrdiff_t             live;       /* blocks */
    size_t                bytes;      /* of live blocks */
} memory;


static void
arm(size_t left)
{
    memory.armed = 1;
    memory.left = left;
    memory.live = 0;
    memory.bytes = 0;
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


/* Scans a form with each allocation failing; returns how many there are. */
static size_t
scan_with_failures(const og_body_rules_t *rules, og_form_kind_e kind,
    const unsigned char *data, size_t len, og_body_status_e want)
{
    size_t                   i;
    og_scanner_t            *scanner;
    og_body_status_e         status;
    const og_body_result_t  *result;

    i = 0;

    do {
        arm(i++);
        scanner = og_scanner_create();
        status = OG_BODY_NO_MEMORY;

        if (scanner != NULL) {
            result = og_form_scan(scanner, rules, kind, data, len);
            status = result->status;

            if (status == OG_BODY_NO_MEMORY) {
                assert_int_equal(result->ncuts, 0);
                assert_int_equal(result->nhomes, 0);

                /* the next pass is not the worse for it */

                memory.left = SIZE_MAX;
                result = og_form_scan(scanner, rules, kind, data, len);
                assert_int_equal(result->status, want);
            }
        }

        og_scanner_free(scanner);
        memory.armed = 0;

        assert_true(status == want || status == OG_BODY_NO_MEMORY);
        assert_int_equal(memory.live, 0);

    } while (status != want);

    return i;
}


static void
check_case(const json_case_t *row)
{
    const char       *wrong;
    og_body_rules_t   rules;

    memset(&rules, 0, sizeof(rules));
    rules.fields = json_case_fields(row, &wrong);
    rules.max_depth = row->depth;
    rules.reject_unlisted = row->reject_unlisted & 1;
    assert_null(wrong);

    (void) scan_with_failures(&rules, strncmp(row->file, "query", 5)
                                      ? OG_FORM_BODY : OG_FORM_QUERY,
                              row->in.data, row->in.len,
                              row->error[0] ? OG_BODY_MALFORMED
                              : row->rejected[0] ? OG_BODY_FORBIDDEN
                              : OG_BODY_OK);

    og_fields_free((og_fields_t *) (uintptr_t) rules.fields);
}


static void
test_cases(void **state)
{
    (void) state;

    assert_true(json_cases(FORM_CASES, "cut.cases", check_case) > 0);
    assert_true(json_cases(FORM_CASES, "rules.cases", check_case) > 0);
    assert_true(json_cases(FORM_CASES, "refused.cases", check_case) > 0);
    assert_true(json_cases(FORM_CASES, "frameworks.cases", check_case) > 0);
    assert_true(json_cases(FORM_CASES, "query.cases", check_case) > 0);
}


/* A form with a long name, and many that go and that the gateway writes. */
static void
test_large_forms(void **state)
{
    char                    *text;
    FILE                    *out;
    size_t                   i, n, len;
    char                     field[16];
    og_fields_t             *fields;
    og_scanner_t            *scanner;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    (void) state;

    fields = og_fields_create(OG_MATCH_LOOSE);
    assert_non_null(fields);
    out = open_memstream(&text, &len);
    fprintf(out, "%%61%0*d=0", 400 * 1000, 0);

    for (i = 0; i < 200; i++) {
        n = (size_t) snprintf(field, sizeof(field), "set_%zu", i);
        assert_null(og_fields_add(fields, OG_FIELD_SET, field, n));
        fprintf(out, "&set%%5f%zu=1&x=2", i);
    }

    for (i = 0; i < 20 * 1000; i++) {
        fprintf(out, "&set_1=1&x=2");
    }

    fclose(out);
    assert_null(og_fields_compile(fields));

    memset(&rules, 0, sizeof(rules));
    rules.fields = fields;
    rules.max_depth = 8;

    assert_true(scan_with_failures(&rules, OG_FORM_BODY,
                                   (unsigned char *) text, len, OG_BODY_OK)
                > 8);

    /* what one large form took is not held until the worker ends */

    arm(SIZE_MAX);
    scanner = og_scanner_create();
    result = og_form_scan(scanner, &rules, OG_FORM_BODY,
                          (unsigned char *) text, len);
    assert_int_equal(result->ncuts, 20 * 1000 + 200);
    assert_int_equal(result->nhomes, 200);
    assert_true(memory.bytes > result->ncuts * sizeof(og_range_t));

    result = og_form_scan(scanner, &rules, OG_FORM_BODY,
                          (const unsigned char *) "a=1", 3);
    assert_int_equal(result->status, OG_BODY_OK);
    assert_true(memory.bytes < 128 * 1024);

    og_scanner_free(scanner);
    memory.armed = 0;
    og_fields_free(fields);
    free(text);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_large_forms),
    };

    return cmocka_run_group_tests_name("og_form memory", tests, NULL, NULL);
}
