
/*
 * Copyright (C) order guard contributors
 *
 * Large texts: the time that their order takes grows little faster than they
 * do, whatever their shape and their names are.
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

#include "og_json_order.h"


typedef enum {
    IN_ORDER = 0,
    BACKWARDS,
    SCATTERED,
    ALIKE_AT_FIRST,           /* names that differ at their ends */
    LONG_AND_SHORT,
    SMALL_OBJECTS,
    DEEP,
    DEEP_IN_ARRAYS,
    DEEP_AT_THE_SIDE,         /* and each level has many members */
    BACKSLASHES,
    SHAPES
} shape_e;


static og_json_order_t  *order;


static void
put_members(FILE *out, shape_e shape, size_t n)
{
    size_t  i, number;

    fputc('{', out);

    for (i = 0; i < n; i++) {
        number = (shape == IN_ORDER) ? i
                 : (shape == SCATTERED) ? i * 7919 % n : n - i;

        fprintf(out, "%s\"", i ? "," : "");

        switch (shape) {

        case ALIKE_AT_FIRST:
            fprintf(out, "%0100zu", number);
            break;

        case LONG_AND_SHORT:
            fprintf(out, "%0*zu", (i % 100) ? 9 : 10 * 1000, number);
            break;

        case BACKSLASHES:
            fprintf(out, "\\\\\\\"\\\\\\\\%09zu", number);
            break;

        default:
            fprintf(out, "%09zu", number);
        }

        fprintf(out, "\":%zu", i);
    }

    fputc('}', out);
}


static void
put_levels(FILE *out, shape_e shape, size_t n)
{
    size_t       i, k;
    const char  *open, *close;

    open = (shape == DEEP_IN_ARRAYS) ? "{\"b\":[[" : "{\"b\":";
    close = (shape == DEEP_IN_ARRAYS) ? "]]," : ",";

    for (i = 0; i < n; i++) {
        fputs(open, out);
    }

    fputc('0', out);

    for (i = 0; i < n; i++) {
        fputs(close, out);

        for (k = (shape == DEEP_AT_THE_SIDE) ? 100 : 1; k > 0; k--) {
            fprintf(out, "\"a%zu\":0%s", k, (k > 1) ? "," : "}");
        }
    }
}


/* A text whose length grows with n. */
static char *
text_of(shape_e shape, size_t n, size_t *len)
{
    char    *text;
    FILE    *out;
    size_t   i;

    out = open_memstream(&text, len);

    switch (shape) {

    case SMALL_OBJECTS:

        for (i = 0; i < n; i++) {
            fprintf(out, "%c{\"sku\":%zu,\"price\":1,\"id\":\"a\"}",
                    i ? ',' : '[', i);
        }

        fputc(']', out);
        break;

    case DEEP:
    case DEEP_IN_ARRAYS:
        put_levels(out, shape, n);
        break;

    case DEEP_AT_THE_SIDE:
        put_levels(out, shape, n / 50);
        break;

    default:
        put_members(out, shape, n);
    }

    fclose(out);

    return text;
}


static double
seconds_of(const char *text, size_t len, og_json_order_e want)
{
    int               i;
    double            took, best;
    unsigned char    *out;
    struct timespec   begin, end;
    og_json_order_e   found;

    best = 1e9;
    out = malloc(len);
    assert_non_null(out);

    for (i = 0; i < 3; i++) {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        found = og_json_order(order, (const unsigned char *) text, len);
        (void) og_json_order_copy(out, order);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);

        assert_int_equal(found, want);

        took = (double) (end.tv_sec - begin.tv_sec)
               + (double) (end.tv_nsec - begin.tv_nsec) / 1e9;
        best = (took < best) ? took : best;
    }

    free(out);

    return best;
}


/* Ten times the text may take ten times the time, not a hundred times. */
static void
test_time(void **state)
{
    char             *text;
    size_t            len;
    double            small, large;
    unsigned          shape;
    og_json_order_e   want;

    (void) state;

    for (shape = 0; shape < SHAPES; shape++) {
        want = (shape == IN_ORDER) ? OG_JSON_ORDER_KEPT
                                   : OG_JSON_ORDER_CHANGED;

        text = text_of((shape_e) shape, 10 * 1000, &len);
        small = seconds_of(text, len, want);
        free(text);

        text = text_of((shape_e) shape, 100 * 1000, &len);
        large = seconds_of(text, len, want);
        free(text);

        print_message("shape %u: %zu kB in %.1f ms, %.2f ns for a byte, %.1f "
                      "times as long as a tenth\n", shape, len / 1024,
                      large * 1e3, large * 1e9 / (double) len,
                      large / small);
        assert_true(large < small * 30 + 0.01);
    }
}


static int
set_up(void **state)
{
    (void) state;

    order = og_json_order_create();

    return order ? 0 : -1;
}


static int
tear_down(void **state)
{
    (void) state;

    og_json_order_free(order);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_time),
    };

    return cmocka_run_group_tests_name("og_json_order time", tests, set_up,
                                       tear_down);
}
