
/*
 * Copyright (C) order guard contributors
 *
 * Formats and conditions when memory is short: each allocation fails once.
 * Nothing is lost, and nothing comes of it but the same or an error.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "og_format.h"
#include "og_when.h"
#include "short_memory.h"
#include "test_envelope.h"
#include "test_format.h"


#define MAX_ALLOCATIONS  1000


void *__wrap_malloc(size_t size);
void __wrap_free(void *p);


/* Deep enough, and of so many parts, that all arrays grow. */
static const char  source[] =
    "{\"s\":\"$status\",\"c\":\"$code\",\"m\":\"$message\","
    "\"d\":\"$details\",\"t\":\"$trace_id\",\"o\":\"$origin\","
    "\"r\":\"$retryable\",\"k\":\"$safe_new_key\",\"l\":\"text\","
    "\"a\":[\"$code\",\"$code\",\"$code\",\"$code\",\"$code\",\"$code\","
    "\"$code\",\"$code\",\"$code\",\"$code\",\"$code\",\"$code\",\"$code\","
    "\"$code\",\"$code\",\"$code\",\"$code\",\"$code\",\"$code\",\"$code\","
    "\"$code\",\"$code\",\"$code\",\"$code\",\"$code\",[[[[{}]]]]]}";

static const char  rendered[] =
    "{\"s\":409,\"c\":\"A\",\"m\":\"m\",\"d\":[[[[[[1.0]]]]]],\"t\":\"t\","
    "\"o\":\"upstream\",\"r\":null,\"k\":null,\"l\":\"text\","
    "\"a\":[\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\","
    "\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\","
    "\"A\",\"A\",\"A\",\"A\",[[[[{}]]]]]}";


static og_problem_t
a_problem(void)
{
    og_problem_t  problem;

    problem = of_upstream(409);
    problem.code = "A";
    problem.detail = "m";
    problem.trace_id = "t";
    problem.errors = "[[[[[[1.0]]]]]]";

    return problem;
}


static void
test_create(void **state)
{
    size_t        i, offset;
    ptrdiff_t     live;
    const char   *error;
    og_format_t  *format;

    (void) state;

    for (i = 0; i < MAX_ALLOCATIONS; i++) {
        error = NULL;
        offset = SIZE_MAX;

        short_memory_begin(i);
        format = og_format_create((const unsigned char *) source,
                                  sizeof(source) - 1, &error, &offset);
        short_memory_is_over();

        if (format) {
            og_format_free(format);
        }

        live = short_memory_end();
        assert_int_equal(live, 0);

        if (format) {
            break;
        }

        assert_string_equal(error, "memory is short");
        assert_true(offset < sizeof(source));
    }

    print_message("%zu allocations\n", i);

    /* each leaf's pointer, for a start */

    assert_true(i > 45 && i < MAX_ALLOCATIONS);
}


/* What is wrong with a format, or that nobody can tell. */

static void
test_refuse(void **state)
{
    size_t        i, offset;
    ptrdiff_t     live;
    const char   *error;
    og_format_t  *format;

    static const char  wrong[] = "{\"a\":[\"$code\",{\"b\":\"x $code\"}]}";

    (void) state;

    error = "memory is short";

    for (i = 0; strcmp(error, "memory is short") == 0; i++) {
        assert_true(i < MAX_ALLOCATIONS);
        error = NULL;

        short_memory_begin(i);
        format = og_format_create((const unsigned char *) wrong,
                                  sizeof(wrong) - 1, &error, &offset);
        live = short_memory_end();

        assert_null(format);
        assert_non_null(error);
        assert_int_equal(live, 0);
    }

    assert_string_equal(error,
                        "a part of an error must be the whole string");
    assert_int_equal(offset, 19);
    assert_true(i > 8);
}


static void
test_render(void **state)
{
    int            rc;
    char          *text;
    size_t         i, len;
    ptrdiff_t      live;
    og_format_t   *format;
    og_problem_t   problem;

    (void) state;

    format = format_of(source, sizeof(source) - 1);
    problem = a_problem();
    rc = -1;

    for (i = 0; rc != 0; i++) {
        assert_true(i < MAX_ALLOCATIONS);
        text = NULL;
        len = SIZE_MAX;

        short_memory_begin(i);
        rc = og_format_render(format, &problem, &text, &len);
        live = short_memory_end();

        if (rc == 0) {
            assert_int_equal(live, 1);
            break;
        }

        assert_int_equal(rc, -1);
        assert_int_equal(live, 0);
        assert_null(text);
        assert_int_equal(len, SIZE_MAX);
    }

    assert_int_equal(len, sizeof(rendered) - 1);
    check_text("at last", text, rendered, sizeof(rendered) - 1);

    print_message("%zu allocations\n", i);
    assert_true(i > 16);

    free(text);
    og_format_free(format);
}


static void
test_matches(void **state)
{
    int           yes;
    size_t        i;
    ptrdiff_t     live;
    og_format_t  *format;

    (void) state;

    format = format_of(source, sizeof(source) - 1);
    yes = 0;

    for (i = 0; !yes; i++) {
        assert_true(i < MAX_ALLOCATIONS);

        short_memory_begin(i);
        yes = og_format_matches(format, 409, (const unsigned char *) rendered,
                                sizeof(rendered) - 1);
        live = short_memory_end();

        assert_int_equal(live, 0);
    }

    assert_true(i > 2);

    og_format_free(format);
}


static void
test_when_value(void **state)
{
    size_t           i;
    ptrdiff_t        live;
    const char      *error;
    og_json_value_t  value;

    (void) state;

    error = "memory is short";

    for (i = 0; error != NULL; i++) {
        assert_string_equal(error, "memory is short");
        assert_true(i < MAX_ALLOCATIONS);

        short_memory_begin(i);
        error = og_when_value(&value, "1", 1);
        live = short_memory_end();

        assert_int_equal(live, 0);
    }

    assert_int_equal(value.type, OG_JSON_NUMBER);
    assert_true(i > 1);
}


static void
test_when_status(void **state)
{
    int        status;
    size_t     i;
    ptrdiff_t  live;
    og_when_t  rule;

    static const char  body[] = "{\"a\":[[[[[[[[[[1]]]]]]]]]],\"b\":\"x\"}";

    (void) state;

    rule.pointer = "/b";
    rule.status = 502;
    assert_null(og_when_value(&rule.value, "x", 1));

    status = -1;

    for (i = 0; status == -1; i++) {
        assert_true(i < MAX_ALLOCATIONS);

        short_memory_begin(i);
        status = og_when_status(&rule, 1, (const unsigned char *) body,
                                sizeof(body) - 1);
        live = short_memory_end();

        assert_int_equal(live, 0);
    }

    assert_int_equal(status, 502);
    assert_true(i > 2);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_render),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_when_value),
        cmocka_unit_test(test_when_status),
    };

    json_set_alloc_funcs(__wrap_malloc, __wrap_free);

    return cmocka_run_group_tests_name("og_format memory", tests, NULL, NULL);
}
