
/*
 * Copyright (C) order guard contributors
 *
 * The error envelope, with every allocation on its ways failing once: nothing
 * is lost, nothing half done.  Link with -Wl,--wrap=malloc,--wrap=calloc and
 * -Wl,--wrap=realloc,--wrap=free.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "og_envelope.h"
#include "test_envelope.h"


#define MAX_ALLOCATIONS  1000


void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static void check_valid(void);
static void check_read_and_render(void);
static void check_render(const og_problem_t *problem);
static int has_failed(void);
static int allocation_fails(void);


static const char  body[] = "{\"type\":\"/x\",\"code\":\"A\","
                            "\"message\":\"m\",\"traceId\":\"t\","
                            "\"errors\":[{\"deep\":[[[[[1]]]]]}]}";

static const char  rendered[] = "{\"type\":\"about:blank\","
                                "\"title\":\"Bad Request\",\"status\":400,"
                                "\"detail\":\"m\",\"code\":\"A\","
                                "\"origin\":\"upstream\","
                                "\"trace_id\":\"t\","
                                "\"errors\":[{\"deep\":[[[[[1]]]]]}]}";


/*
 * While armed, the allocation of that number fails; live ones are counted.
 * Volatile, because a compiler may assume that free() reads none of it.
 */

static volatile struct {
    unsigned              armed:1;
    unsigned long         number;
    unsigned long         failing;
    long                  live;
} allocations;


static void
test_every_allocation_may_fail(void **state)
{
    (void) state;

    allocations.failing = 0;

    do {
        allocations.failing++;
        allocations.number = 0;
        allocations.live = 0;

        assert_true(allocations.failing < MAX_ALLOCATIONS);

        check_valid();
        check_read_and_render();

        assert_int_equal(allocations.live, 0);

    } while (allocations.failing <= allocations.number);

    print_message("%lu allocations\n", allocations.number);
    assert_true(allocations.number > 10);
}


static void
check_valid(void)
{
    int  valid;

    allocations.armed = 1;
    valid = og_problem_is_valid(400, (const unsigned char *) body,
                                sizeof(body) - 1);
    allocations.armed = 0;

    assert_true(valid == !has_failed());
}


static void
check_read_and_render(void)
{
    int            rc, failed_before;
    og_problem_t   problem, before;

    problem = of_upstream(400);
    before = problem;
    failed_before = has_failed();

    allocations.armed = 1;
    rc = read_text(&problem, body);
    allocations.armed = 0;

    assert_true((rc == -1) == (has_failed() && !failed_before));

    if (rc == -1) {
        assert_memory_equal(&problem, &before, sizeof(problem));
        return;
    }

    check_render(&problem);

    allocations.armed = 1;
    og_problem_free(&problem);
    allocations.armed = 0;
}


static void
check_render(const og_problem_t *problem)
{
    int      rc, failed_before;
    char    *text;
    size_t   len;

    text = NULL;
    len = 0;
    failed_before = has_failed();

    allocations.armed = 1;
    rc = og_problem_render(problem, &text, &len);
    allocations.armed = 0;

    /* A document without its errors would be a lie, not a success. */

    assert_true((rc == -1) == (has_failed() && !failed_before));

    if (rc == -1) {
        assert_null(text);
        return;
    }

    check_text("after a failure", text, rendered, sizeof(rendered) - 1);

    allocations.armed = 1;
    free(text);
    allocations.armed = 0;
}


static int
has_failed(void)
{
    return allocations.failing <= allocations.number;
}


static int
allocation_fails(void)
{
    if (!allocations.armed) {
        return 0;
    }

    allocations.number++;

    if (allocations.number == allocations.failing) {
        return 1;
    }

    allocations.live++;

    return 0;
}


void *
__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}


void *
__wrap_calloc(size_t n, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(n, size);
}


void *
__wrap_realloc(void *p, size_t size)
{
    if (allocation_fails()) {
        return NULL;
    }

    if (allocations.armed && p != NULL) {
        allocations.live--;
    }

    return __real_realloc(p, size);
}


void
__wrap_free(void *p)
{
    if (allocations.armed && p != NULL) {
        allocations.live--;
    }

    __real_free(p);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    json_set_alloc_funcs(__wrap_malloc, __wrap_free);

    return cmocka_run_group_tests_name("og_envelope memory", tests, NULL,
                                       NULL);
}
