
/*
 * Copyright (C) order guard contributors
 *
 * What it costs to put the members of an order in order, beside SHA-256 of
 * its bytes and one pass of the cutter.  All passes take turns, so that what
 * else the machine does strikes them alike, and the best of many rounds
 * counts.
 */


#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "og_json.h"
#include "og_json_order.h"
#include "orders.h"


#define BENCH_ROUNDS   200
#define BENCH_SECONDS  0.0005     /* of one round of a pass, at least */
#define BENCH_PASSES   4


/* Returns 0 where something is not as it should be. */
typedef int (*bench_run_pt)(const order_t *order);

typedef struct {
    const char           *name;
    bench_run_pt          run;
    size_t                orders;     /* of one round */
    double                seconds;    /* for one order, in the best round */
} bench_pass_t;


static og_json_order_t  *bench_order;
static og_scanner_t     *bench_scanner;
static EVP_MD_CTX       *bench_digest;
static unsigned char    *bench_out;


static void
bench_check(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}


static int
bench_sha256(const order_t *order)
{
    unsigned       len;
    unsigned char  digest[EVP_MAX_MD_SIZE];

    return EVP_DigestInit_ex(bench_digest, EVP_sha256(), NULL)
           && EVP_DigestUpdate(bench_digest, order->data, order->len)
           && EVP_DigestFinal_ex(bench_digest, digest, &len);
}


static int
bench_scan(const order_t *order)
{
    og_body_rules_t  rules;

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = 64;
    rules.find_gaps = 1;

    return og_json_scan(bench_scanner, &rules, order->data, order->len)->status
           == OG_BODY_OK;
}


static int
bench_look(const order_t *order)
{
    return og_json_order(bench_order, order->data, order->len)
           != OG_JSON_ORDER_FAILED;
}


/* As a fingerprint needs it: what is in order is not copied. */
static int
bench_sort(const order_t *order)
{
    og_json_order_e  found;

    found = og_json_order(bench_order, order->data, order->len);

    if (found != OG_JSON_ORDER_CHANGED) {
        return found == OG_JSON_ORDER_KEPT;
    }

    return og_json_order_copy(bench_out, bench_order)
           == bench_out + order->len;
}


/* Seconds that a pass takes for the orders of one round. */
static double
bench_round(const bench_pass_t *pass, const orders_t *orders)
{
    int              good;
    size_t           i, n;
    struct timespec  start, end;

    good = 1;
    n = 0;

    clock_gettime(CLOCK_MONOTONIC, &start);

    for (i = 0; i < pass->orders; i++) {
        good &= pass->run(&orders->elts[n]);
        n = (n + 1 < orders->nelts) ? n + 1 : 0;
    }

    clock_gettime(CLOCK_MONOTONIC, &end);

    bench_check(good, pass->name);

    return (double) (end.tv_sec - start.tv_sec)
           + (double) (end.tv_nsec - start.tv_nsec) / 1e9;
}


static void
bench_measure(bench_pass_t *passes, const orders_t *orders)
{
    size_t         i, n;
    double         seconds;
    bench_pass_t  *pass;

    for (i = 0; i < BENCH_PASSES; i++) {
        pass = &passes[i];
        pass->seconds = 1e9;

        /* a library may have things to do the first time */

        pass->orders = orders->nelts;
        (void) bench_round(pass, orders);

        for (pass->orders = orders->nelts;
             bench_round(pass, orders) < BENCH_SECONDS;
             pass->orders *= 2)
        {
            /* void */
        }
    }

    for (n = 0; n < BENCH_ROUNDS; n++) {

        for (i = 0; i < BENCH_PASSES; i++) {
            pass = &passes[i];
            seconds = bench_round(pass, orders) / (double) pass->orders;

            if (seconds < pass->seconds) {
                pass->seconds = seconds;
            }
        }
    }
}


/* Ends the orders' life. */
static void
bench_kind(const char *name, orders_t *orders)
{
    char                 title[64];
    size_t               i;
    const bench_pass_t  *pass;

    bench_pass_t  passes[BENCH_PASSES] = {
        { "SHA-256", bench_sha256, 0, 0 },
        { "the cutter, no rules", bench_scan, 0, 0 },
        { "look for an order", bench_look, 0, 0 },
        { "the same, and copy", bench_sort, 0, 0 }
    };

    bench_out = malloc(2 * (size_t) orders->len);
    bench_check(bench_out != NULL, "no memory");

    bench_measure(passes, orders);

    snprintf(title, sizeof(title), "%s (%zu x %.0f)", name, orders->nelts,
             orders->len);
    printf("%-40s ns    GB/s  x SHA-256  x cutter\n", title);

    for (i = 0; i < BENCH_PASSES; i++) {
        pass = &passes[i];

        printf("    %-26s %12.0f  %6.2f  %9.2f  %8.2f\n", pass->name,
               pass->seconds * 1e9, orders->len / pass->seconds / 1e9,
               pass->seconds / passes[0].seconds,
               pass->seconds / passes[1].seconds);
    }

    fflush(stdout);
    free(bench_out);
    orders_free(orders);
}


/* Members in order, as jansson puts them. */
static orders_t
bench_in_order(orders_t orders)
{
    size_t    i;
    json_t   *root;
    order_t  *order;

    for (i = 0; i < orders.nelts; i++) {
        order = &orders.elts[i];

        root = json_loadb((const char *) order->data, order->len, 0, NULL);
        free(order->data);
        order->data = (unsigned char *) json_dumps(root, JSON_COMPACT
                                                         |JSON_SORT_KEYS);
        json_decref(root);
        bench_check(order->data != NULL, "no memory");
        order->len = strlen((const char *) order->data);
    }

    return orders;
}


/* Items with many members, whose names often begin alike. */
static orders_t
bench_wide(size_t size)
{
    char      *text;
    FILE      *out;
    size_t     i, n;
    order_t   *order;
    orders_t   orders;

    static const char  *names[] = {
        "product_id", "variant_id", "sku", "title", "quantity", "unit_price",
        "unit_price_with_tax", "tax_rate", "currency", "discount_code",
        "discount_amount", "weight", "weight_unit", "requires_shipping",
        "shipping_class", "shipping_price", "gift", "gift_message",
        "gift_wrap", "metadata"
    };

    orders = orders_make(1, 0, ORDERS_DENSE);
    order = &orders.elts[0];
    free(order->data);

    out = open_memstream(&text, &order->len);
    bench_check(out != NULL, "no memory");
    fprintf(out, "{\"reference_id\":\"POS-1\",\"items\":");

    for (i = 0; i == 0 || (size_t) ftell(out) + 400 < size; i++) {

        for (n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
            fprintf(out, "%s\"%s\":%zu", n ? "," : i ? "},{" : "[{", names[n],
                    i * 1000 + n);
        }

        fflush(out);
    }

    fprintf(out, "}]}");
    fclose(out);

    order->data = (unsigned char *) text;
    orders.len = (double) order->len;

    return orders;
}


int
main(void)
{
    size_t    i;
    orders_t  orders;

    static const struct {
        const char  *name;
        size_t       size;
    } kinds[] = {
        { "300 bytes", 300 }, { "4 kB", 4 * 1024 }, { "64 kB", 64 * 1024 }
    };

    bench_order = og_json_order_create();
    bench_scanner = og_scanner_create();
    bench_digest = EVP_MD_CTX_new();
    bench_check(bench_order != NULL && bench_scanner != NULL
                && bench_digest != NULL, "no memory");

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        printf("%s%s:\n", i ? "\n" : "", kinds[i].name);

        orders = orders_make(1, kinds[i].size, ORDERS_DENSE);
        bench_kind("out of order, always alike", &orders);

        orders = orders_make(64, kinds[i].size, ORDERS_SHUFFLED);
        bench_kind("shuffled", &orders);

        orders = bench_in_order(orders_make(1, kinds[i].size, ORDERS_DENSE));
        bench_kind("in order", &orders);

        orders = bench_wide(kinds[i].size);
        bench_kind("items with 20 members", &orders);
    }

    og_json_order_free(bench_order);
    og_scanner_free(bench_scanner);
    EVP_MD_CTX_free(bench_digest);

    return 0;
}
