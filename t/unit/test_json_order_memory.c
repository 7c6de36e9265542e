
/*
 * Copyright (C) order guard contributors
 *
 * The order of members when memory is short: each allocation fails once, and
 * there is the same order or none.  Nothing is lost, and what one large text
 * took is not held for good.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_json_order.h"
#include "short_memory.h"


#define MEMBERS  400
#define LEVELS   400


typedef struct {
    unsigned char        *data;
    size_t                len;
} text_t;


/* All that a pass keeps grows more than once. */
static text_t
make_text(int is_ordered)
{
    char    *data;
    FILE    *out;
    size_t   i, n;
    text_t   text;

    out = open_memstream(&data, &text.len);
    fprintf(out, "[");

    for (i = 0; i < LEVELS; i++) {
        fprintf(out, is_ordered ? "{\"a\":0,\"b\":[" : "{\"b\":[");
    }

    for (i = 0; i < MEMBERS; i++) {
        n = is_ordered ? i : MEMBERS - 1 - i;
        fprintf(out, "%s\"member_%04zu\":{\"a\":%zu}", i ? "," : "{", n, n);
    }

    fprintf(out, "}");

    for (i = 0; i < LEVELS; i++) {
        fprintf(out, is_ordered ? "]}" : "],\"a\":0}");
    }

    fprintf(out, "]");
    fclose(out);
    text.data = (unsigned char *) data;

    return text;
}


static int
is_ordered_as(const og_json_order_t *order, unsigned char *out,
    const text_t *want)
{
    memset(out, '#', want->len);

    return og_json_order_copy(out, order) == out + want->len
           && memcmp(out, want->data, want->len) == 0;
}


/* Returns how many allocations there are. */
static size_t
order_with_failures(const text_t *text, const text_t *want)
{
    int               same, same_after;
    size_t            i;
    ptrdiff_t         live;
    unsigned char    *out;
    og_json_order_t  *order;
    og_json_order_e   found, after;

    out = malloc(want->len);
    assert_non_null(out);
    i = 0;

    do {
        short_memory_begin(i++);
        order = og_json_order_create();
        found = OG_JSON_ORDER_FAILED;
        after = OG_JSON_ORDER_CHANGED;
        same = 1;
        same_after = 1;

        if (order != NULL) {
            found = og_json_order(order, text->data, text->len);

            if (found != OG_JSON_ORDER_FAILED) {
                same = is_ordered_as(order, out, want);
            }

            /* the next pass is not the worse for it */

            short_memory_is_over();
            after = og_json_order(order, text->data, text->len);
            same_after = is_ordered_as(order, out, want);
        }

        short_memory_is_over();
        og_json_order_free(order);
        live = short_memory_end();

        assert_true(found != OG_JSON_ORDER_KEPT);
        assert_int_equal(after, OG_JSON_ORDER_CHANGED);
        assert_true(same && same_after);
        assert_int_equal(live, 0);

    } while (found == OG_JSON_ORDER_FAILED);

    free(out);

    return i;
}


static void
test_each_allocation_fails(void **state)
{
    text_t  text, want;

    (void) state;

    text = make_text(0);
    want = make_text(1);
    assert_int_equal(text.len, want.len);

    assert_true(order_with_failures(&text, &want) > 10);

    free(text.data);
    free(want.data);
}


/* A pass that is like the last one allocates nothing. */
static void
test_memory_is_kept(void **state)
{
    text_t            text;
    og_json_order_t  *order;
    og_json_order_e   found;

    (void) state;

    text = make_text(0);
    order = og_json_order_create();
    assert_non_null(order);
    assert_int_equal(og_json_order(order, text.data, text.len),
                     OG_JSON_ORDER_CHANGED);

    short_memory_begin(0);
    found = og_json_order(order, text.data, text.len);
    short_memory_is_over();
    (void) short_memory_end();

    assert_int_equal(found, OG_JSON_ORDER_CHANGED);

    og_json_order_free(order);
    free(text.data);
}


/* Every array is large for this text. */
static text_t
make_large(void)
{
    char    *data;
    FILE    *out;
    size_t   i;
    text_t   text;

    out = open_memstream(&data, &text.len);

    for (i = 0; i < 100 * 1000; i++) {
        fputc('[', out);
    }

    for (i = 100 * 1000; i > 0; i--) {
        fprintf(out, "%c\"%zu\":0", (i == 100 * 1000) ? '{' : ',', i);
    }

    fputc('}', out);

    for (i = 0; i < 100 * 1000; i++) {
        fputc(']', out);
    }

    fclose(out);
    text.data = (unsigned char *) data;

    return text;
}


static void
test_a_large_text_leaves_little(void **state)
{
    text_t            text;
    ptrdiff_t         taken, taken_then, left;
    og_json_order_t  *order;
    og_json_order_e   large, small;

    (void) state;

    text = make_large();
    large = OG_JSON_ORDER_FAILED;
    small = OG_JSON_ORDER_FAILED;

    short_memory_begin(SIZE_MAX);
    order = og_json_order_create();

    if (order != NULL) {
        large = og_json_order(order, text.data, text.len);
    }

    taken = short_memory_end();
    short_memory_begin(SIZE_MAX);

    if (order != NULL) {
        small = og_json_order(order, (const unsigned char *) "{}", 2);
    }

    taken_then = short_memory_end();
    short_memory_begin(SIZE_MAX);
    og_json_order_free(order);
    left = short_memory_end();

    assert_int_equal(large, OG_JSON_ORDER_CHANGED);
    assert_int_equal(small, OG_JSON_ORDER_KEPT);

    /* the pieces, which are of use to the last; then these for two others */

    assert_int_equal(taken, 1 + 1);
    assert_int_equal(taken_then, 2 - 1);
    assert_int_equal(left, - (taken + taken_then));

    free(text.data);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_memory_is_kept),
        cmocka_unit_test(test_a_large_text_leaves_little),
    };

    return cmocka_run_group_tests_name("og_json_order memory", tests, NULL,
                                       NULL);
}
