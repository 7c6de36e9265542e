
/*
 * Copyright (C) order guard contributors
 *
 * How fast an order is checked and cut, beside reading and writing it again
 * with jansson in the same run.  Prints the best of several rounds; takes
 * some ten seconds.
 */


#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "og_json.h"


#define OG_BENCH_ROUNDS   150
#define OG_BENCH_SECONDS  0.002


typedef struct {
    const char           *name;
    unsigned char        *data;
    size_t                len;
} og_bench_order_t;


typedef struct {
    const og_bench_order_t  *order;
    og_json_rules_t          rules;
    og_json_t               *json;
    unsigned char           *out;
} og_bench_t;


typedef void (*og_bench_pass_pt)(og_bench_t *bench);


static og_bench_order_t og_bench_order(const char *name, size_t size,
    int pretty);
static og_fields_t *og_bench_fields(size_t count);
static og_fields_t *og_bench_allow(void);
static double og_bench_measure(og_bench_pass_pt pass, og_bench_t *bench);
static double og_bench_round(og_bench_pass_pt pass, og_bench_t *bench,
    size_t passes);
static void og_bench_scan(og_bench_t *bench);
static void og_bench_scan_and_copy(og_bench_t *bench);
static void og_bench_jansson(og_bench_t *bench);
static void og_bench_print(const char *what, og_bench_pass_pt pass,
    og_bench_t *bench);


int
main(void)
{
    char              what[64];
    size_t            i, n;
    og_bench_t        bench;
    og_bench_order_t  orders[4];

    static const size_t  rules[] = { 0, 1, 16, 256 };

    orders[0] = og_bench_order("300 bytes", 300, 0);
    orders[1] = og_bench_order("4 kB", 4 * 1024, 0);
    orders[2] = og_bench_order("64 kB", 64 * 1024, 0);
    orders[3] = og_bench_order("64 kB indented", 64 * 1024, 1);

    for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        bench.order = &orders[i];
        bench.json = og_json_create();
        bench.out = malloc(orders[i].len + 1);

        if (bench.json == NULL || bench.out == NULL) {
            return 1;
        }

        printf("%s (%zu)\n", orders[i].name, orders[i].len);

        for (n = 0; n < sizeof(rules) / sizeof(rules[0]); n++) {
            memset(&bench.rules, 0, sizeof(bench.rules));
            bench.rules.max_depth = 64;
            bench.rules.fields = og_bench_fields(rules[n]);

            snprintf(what, sizeof(what), "scan, %zu rules", rules[n]);
            og_bench_print(what, og_bench_scan, &bench);

            if (rules[n] == 16) {
                og_bench_print("  and copy what is kept",
                               og_bench_scan_and_copy, &bench);
            }

            og_fields_free((og_fields_t *) bench.rules.fields);
        }

        bench.rules.fields = og_bench_allow();
        og_bench_print("scan, 10 fields allowed", og_bench_scan, &bench);
        og_fields_free((og_fields_t *) bench.rules.fields);

        og_bench_print("jansson, loadb and dumps", og_bench_jansson, &bench);

        og_json_free(bench.json);
        free(bench.out);
        free(orders[i].data);
    }

    return 0;
}


/*
 * An order of about that size; each item has one price that the rules cut,
 * and some have a name that is not ASCII.
 */
static og_bench_order_t
og_bench_order(const char *name, size_t size, int pretty)
{
    char              *text;
    FILE              *out;
    size_t             i, len;
    json_t            *root;
    og_bench_order_t   order;

    out = open_memstream(&text, &len);

    fprintf(out, "{\"reference_id\":\"POS-20250115-001\",\"user_id\":"
            "\"player_12345\",\"server_id\":\"TH01\",\"payment_method\":"
            "\"invoice\",\"note\":\"please ring twice, thank you\","
            "\"items\":[");

    for (i = 0; i == 0 || (size_t) ftell(out) + 120 < size; i++) {
        fprintf(out, "%s{\"sku\":\"DIAMOND_%zu\",\"quantity\":%zu,"
                "\"unit_price\":%zu.99,\"title\":\"%s\",\"variant_unique_id\""
                ":\"variant_%06zu\",\"gift\":%s}", i ? "," : "", i * 10,
                i % 7 + 1, i % 100, (i % 8) ? "a box of fine diamonds"
                : "\xe0\xb9\x80\xe0\xb8\x9e\xe0\xb8\x8a\xe0\xb8\xa3", i,
                (i % 3) ? "false" : "true");
        fflush(out);
    }

    fprintf(out, "]}");
    fclose(out);

    if (pretty) {
        root = json_loads(text, 0, NULL);
        free(text);
        text = json_dumps(root, JSON_INDENT(2));
        len = strlen(text);
        json_decref(root);
    }

    order.name = name;
    order.data = (unsigned char *) text;
    order.len = len;

    return order;
}


/* The rules of a careful shop first, then ever more names of no effect. */
static og_fields_t *
og_bench_fields(size_t count)
{
    char          name[48];
    size_t        i, known;
    og_fields_t  *fields;

    static const char  *rules[] = {
        "unit_price", "email", "amount", "total_amount", "status",
        "payment_status", "paid_at", "role", "balance", "order_id",
        "invoice_id", "discount", "/currency", "/items/*/total",
        "/items/*/tax/rate", "/meta/internal"
    };

    if (count == 0) {
        return NULL;
    }

    fields = og_fields_create(OG_MATCH_LOOSE);
    known = sizeof(rules) / sizeof(rules[0]);

    for (i = 0; fields != NULL && i < count; i++) {
        snprintf(name, sizeof(name), "internal_field_%zu", i);
        og_fields_add(fields, OG_FIELD_STRIP, (i < known) ? rules[i] : name,
                      strlen((i < known) ? rules[i] : name));
    }

    if (fields == NULL || og_fields_compile(fields) != NULL) {
        exit(1);
    }

    return fields;
}


/* What the orders have, but for the price of an item. */
static og_fields_t *
og_bench_allow(void)
{
    size_t        i;
    og_fields_t  *fields;

    static const char  *rules[] = {
        "reference_id", "user_id", "server_id", "payment_method", "note",
        "/items/*/sku", "/items/*/quantity", "/items/*/title",
        "/items/*/variant_unique_id", "/items/*/gift"
    };

    fields = og_fields_create(OG_MATCH_LOOSE);

    for (i = 0; fields != NULL && i < sizeof(rules) / sizeof(rules[0]); i++) {
        og_fields_add(fields, OG_FIELD_ALLOW, rules[i], strlen(rules[i]));
    }

    if (fields == NULL || og_fields_compile(fields) != NULL) {
        exit(1);
    }

    return fields;
}


static void
og_bench_print(const char *what, og_bench_pass_pt pass, og_bench_t *bench)
{
    double  seconds;

    seconds = og_bench_measure(pass, bench);

    printf("    %-28s %10.0f ns  %8.0f MB/s\n", what, seconds * 1e9,
           (double) bench->order->len / seconds / 1e6);
    fflush(stdout);
}


/* Seconds of one pass, in the best round. */
static double
og_bench_measure(og_bench_pass_pt pass, og_bench_t *bench)
{
    double  best, seconds;
    size_t  i, passes;

    for (passes = 1; ; passes *= 2) {

        if (og_bench_round(pass, bench, passes) > OG_BENCH_SECONDS) {
            break;
        }
    }

    best = 1e9;

    for (i = 0; i < OG_BENCH_ROUNDS; i++) {
        seconds = og_bench_round(pass, bench, passes) / (double) passes;

        if (seconds < best) {
            best = seconds;
        }
    }

    return best;
}


static double
og_bench_round(og_bench_pass_pt pass, og_bench_t *bench, size_t passes)
{
    size_t           i;
    struct timespec  start, end;

    clock_gettime(CLOCK_MONOTONIC, &start);

    for (i = 0; i < passes; i++) {
        pass(bench);
    }

    clock_gettime(CLOCK_MONOTONIC, &end);

    return (double) (end.tv_sec - start.tv_sec)
           + (double) (end.tv_nsec - start.tv_nsec) / 1e9;
}


static void
og_bench_scan(og_bench_t *bench)
{
    const og_json_result_t  *result;

    result = og_json_scan(bench->json, &bench->rules, bench->order->data,
                          bench->order->len);

    if (result->status != OG_JSON_OK
        || (result->ncuts == 0 && bench->rules.fields != NULL))
    {
        fprintf(stderr, "unexpected result: %d\n", result->status);
        exit(1);
    }
}


static void
og_bench_scan_and_copy(og_bench_t *bench)
{
    const og_json_result_t  *result;

    result = og_json_scan(bench->json, &bench->rules, bench->order->data,
                          bench->order->len);

    og_json_copy_kept(bench->out, result, bench->order->data,
                      bench->order->len);
}


static void
og_bench_jansson(og_bench_t *bench)
{
    char    *text;
    json_t  *root;

    root = json_loadb((const char *) bench->order->data, bench->order->len,
                      JSON_REJECT_DUPLICATES, NULL);
    text = json_dumps(root, JSON_COMPACT);

    if (text == NULL) {
        exit(1);
    }

    free(text);
    json_decref(root);
}
