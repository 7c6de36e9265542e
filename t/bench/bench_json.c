
/*
 * Copyright (C) order guard contributors
 *
 * How fast an order is checked and cut, beside a plain scanner that checks it
 * and takes its names (yardstick.h), and beside reading it and writing it
 * again with jansson.  All passes take turns, so that what else the machine
 * does strikes them alike, and the best of many rounds counts.
 */


#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agree.h"
#include "og_json.h"
#include "orders.h"
#include "yardstick.h"


#define BENCH_ROUNDS      100
#define BENCH_SECONDS     0.0005      /* of one round of a pass, at least */
#define BENCH_MAX_PASSES  16


typedef struct bench_pass_s  bench_pass_t;

/* Returns 0 where the order is not what it should be. */
typedef int (*bench_run_pt)(bench_pass_t *pass, const order_t *order);

struct bench_pass_s {
    const char           *name;
    bench_run_pt          run;
    og_body_rules_t       rules;
    og_scanner_t         *scanner;
    unsigned char        *out;        /* room for the longest order */

    size_t                orders;     /* of one round */
    double                seconds;    /* for one order, in the best round */
};


typedef struct {
    bench_pass_t          elts[BENCH_MAX_PASSES];
    size_t                nelts;
} bench_passes_t;


static void
bench_check(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}


static int
bench_yardstick(bench_pass_t *pass, const order_t *order)
{
    yardstick_names_t  names;

    (void) pass;

    return yardstick_scan(order->data, order->len, &names)
           && names.count > 0;
}


static int
bench_scan(bench_pass_t *pass, const order_t *order)
{
    const og_body_result_t  *result;

    result = og_json_scan(pass->scanner, &pass->rules, order->data,
                          order->len);

    return result->status == OG_BODY_OK
           && (result->ncuts > 0) == (pass->rules.fields != NULL);
}


static int
bench_keep(bench_pass_t *pass, const order_t *order)
{
    const og_body_result_t  *result;

    result = og_json_scan(pass->scanner, &pass->rules, order->data,
                          order->len);

    return og_body_copy_kept(pass->out, result, order->data, order->len)
           - pass->out
           == (ptrdiff_t) og_body_kept_length(result, order->len);
}


static int
bench_canonical(bench_pass_t *pass, const order_t *order)
{
    const og_body_result_t  *result;

    result = og_json_scan(pass->scanner, &pass->rules, order->data,
                          order->len);

    return og_body_copy_canonical(pass->out, result, order->data, order->len)
           > pass->out;
}


static int
bench_jansson(bench_pass_t *pass, const order_t *order)
{
    char    *text;
    json_t  *root;

    (void) pass;

    root = json_loadb((const char *) order->data, order->len,
                      JSON_REJECT_DUPLICATES, NULL);
    text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    free(text);

    return text != NULL;
}


/* The rules are the pass's from here on; NULL: it has none. */
static bench_pass_t *
bench_add(bench_passes_t *passes, const char *name, bench_run_pt run,
    const og_fields_t *fields)
{
    bench_pass_t  *pass;

    bench_check(passes->nelts < BENCH_MAX_PASSES, "too many passes");

    pass = &passes->elts[passes->nelts++];
    memset(pass, 0, sizeof(bench_pass_t));

    pass->name = name;
    pass->run = run;
    pass->rules.fields = fields;
    pass->rules.max_depth = 64;
    pass->rules.find_gaps = (run == bench_canonical);
    pass->scanner = og_scanner_create();
    bench_check(pass->scanner != NULL, "no memory");

    return pass;
}


static void
bench_done(bench_passes_t *passes)
{
    size_t         i;
    bench_pass_t  *pass;

    for (i = 0; i < passes->nelts; i++) {
        pass = &passes->elts[i];

        og_fields_free((og_fields_t *) pass->rules.fields);
        og_scanner_free(pass->scanner);
        free(pass->out);
    }

    passes->nelts = 0;
}


/* Seconds that a pass takes for the orders of one round. */
static double
bench_round(bench_pass_t *pass, const orders_t *orders)
{
    int              good;
    size_t           i, n;
    struct timespec  start, end;

    good = 1;
    n = 0;

    clock_gettime(CLOCK_MONOTONIC, &start);

    for (i = 0; i < pass->orders; i++) {
        good &= pass->run(pass, &orders->elts[n]);
        n = (n + 1 < orders->nelts) ? n + 1 : 0;
    }

    clock_gettime(CLOCK_MONOTONIC, &end);

    bench_check(good, pass->name);

    return (double) (end.tv_sec - start.tv_sec)
           + (double) (end.tv_nsec - start.tv_nsec) / 1e9;
}


static void
bench_measure(bench_passes_t *passes, const orders_t *orders, size_t rounds)
{
    size_t         i, n;
    double         seconds;
    bench_pass_t  *pass;

    for (i = 0; i < passes->nelts; i++) {
        pass = &passes->elts[i];
        pass->seconds = 1e9;
        pass->out = realloc(pass->out, (size_t) orders->len * 2);
        bench_check(pass->out != NULL, "no memory");

        for (pass->orders = orders->nelts;
             bench_round(pass, orders) < BENCH_SECONDS;
             pass->orders *= 2)
        {
            /* void */
        }
    }

    for (n = 0; n < rounds; n++) {

        for (i = 0; i < passes->nelts; i++) {
            pass = &passes->elts[i];
            seconds = bench_round(pass, orders) / (double) pass->orders;

            if (seconds < pass->seconds) {
                pass->seconds = seconds;
            }
        }
    }
}


/* All passes over orders of one kind; the first and the last are compared. */
static void
bench_kind(const char *name, size_t count, size_t size, orders_form_e form)
{
    size_t          i;
    double          first, last;
    orders_t        orders;
    bench_pass_t   *pass;
    bench_passes_t  passes;

    orders = orders_make(count, size, form);
    passes.nelts = 0;

    bench_add(&passes, "yardstick", bench_yardstick, NULL);
    bench_add(&passes, "no rules", bench_scan, NULL);
    bench_add(&passes, "1 rule", bench_scan, orders_strip(1));
    bench_add(&passes, "16 rules", bench_scan, orders_strip(16));
    bench_add(&passes, "256 rules", bench_scan, orders_strip(256));
    bench_add(&passes, "16 rules, copy kept", bench_keep, orders_strip(16));
    bench_add(&passes, "16 rules, copy canonical", bench_canonical,
              orders_strip(16));
    bench_add(&passes, "10 fields allowed", bench_scan, orders_allow());
    bench_add(&passes, "jansson, load and dump", bench_jansson, NULL);

    bench_measure(&passes, &orders, BENCH_ROUNDS);

    printf("%s (%zu x %.0f)%*s ns    GB/s  x yardstick  x jansson\n", name,
           count, orders.len, (int) (36 - strlen(name)), "");

    first = passes.elts[0].seconds;
    last = passes.elts[passes.nelts - 1].seconds;

    for (i = 0; i < passes.nelts; i++) {
        pass = &passes.elts[i];

        printf("    %-26s %10.0f  %6.2f  %11.2f  %9.1f\n", pass->name,
               pass->seconds * 1e9, orders.len / pass->seconds / 1e9,
               first / pass->seconds, last / pass->seconds);
    }

    fflush(stdout);
    bench_done(&passes);
    orders_free(&orders);
}


/* That time grows as the order does. */
static void
bench_growth(void)
{
    size_t          i;
    orders_t        orders;
    bench_passes_t  passes;

    static const size_t  sizes[] = {
        4 * 1024, 64 * 1024, 1024 * 1024, 8 * 1024 * 1024
    };

    printf("ns for each kB        yardstick  16 rules  256 rules\n");

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        orders = orders_make(1, sizes[i], ORDERS_DENSE);
        passes.nelts = 0;

        bench_add(&passes, "yardstick", bench_yardstick, NULL);
        bench_add(&passes, "16 rules", bench_scan, orders_strip(16));
        bench_add(&passes, "256 rules", bench_scan, orders_strip(256));

        bench_measure(&passes, &orders, BENCH_ROUNDS / 4);

        printf("    %8.0f bytes  %10.0f  %8.0f  %9.0f\n", orders.len,
               passes.elts[0].seconds / orders.len * 1e12,
               passes.elts[1].seconds / orders.len * 1e12,
               passes.elts[2].seconds / orders.len * 1e12);
        fflush(stdout);

        bench_done(&passes);
        orders_free(&orders);
    }
}


int
main(void)
{
    bench_check(agree_on_cases() == 0,
                "the yardstick does not agree on what JSON is");

    bench_kind("300 bytes", 1, 300, ORDERS_DENSE);
    bench_kind("4 kB", 1, 4 * 1024, ORDERS_DENSE);
    bench_kind("64 kB", 1, 64 * 1024, ORDERS_DENSE);
    bench_kind("64 kB, indented", 1, 64 * 1024, ORDERS_INDENTED);
    bench_kind("300 bytes, members shuffled", 64, 300, ORDERS_SHUFFLED);
    bench_kind("64 kB, members shuffled", 1, 64 * 1024, ORDERS_SHUFFLED);
    bench_growth();

    return 0;
}
