
/*
 * Copyright (C) order guard contributors
 */


#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orders.h"


#define ORDERS_MEMBERS  6
#define ORDERS_TEXT     80


/* The members of an object, as text. */
typedef struct {
    char                  texts[ORDERS_MEMBERS][ORDERS_TEXT];
    size_t                count;
} orders_object_t;


static void
orders_check(int holds)
{
    if (!holds) {
        fprintf(stderr, "the orders cannot be made\n");
        exit(1);
    }
}


/* Numbers that are the same in each run. */
static size_t
orders_random(size_t bound)
{
    static unsigned long long  state = 20250115;

    state = state * 6364136223846793005 + 1442695040888963407;

    return (size_t) (state >> 33) % bound;
}


static void
orders_write(FILE *out, const orders_object_t *object, orders_form_e form)
{
    size_t  i, other, place[ORDERS_MEMBERS];

    for (i = 0; i < object->count; i++) {
        other = (form == ORDERS_SHUFFLED) ? orders_random(i + 1) : i;
        place[i] = place[other];
        place[other] = i;
    }

    for (i = 0; i < object->count; i++) {
        fprintf(out, "%s%s", i ? "," : "", object->texts[place[i]]);
    }
}


__attribute__((format(printf, 2, 3))) static void
orders_add(orders_object_t *object, const char *format, ...)
{
    int      n;
    va_list  args;

    va_start(args, format);
    n = vsnprintf(object->texts[object->count++], ORDERS_TEXT, format, args);
    va_end(args);

    orders_check(n > 0 && n < ORDERS_TEXT);
}


static void
orders_write_head(FILE *out, size_t number, orders_form_e form)
{
    orders_object_t  head;

    head.count = 0;

    orders_add(&head, "\"reference_id\":\"POS-20250115-%03zu\"", number);
    orders_add(&head, "\"user_id\":\"player_%zu\"", 12345 + number);
    orders_add(&head, "\"server_id\":\"TH%02zu\"", number % 100);
    orders_add(&head, "\"payment_method\":\"%s\"",
               (number % 3) ? "card" : "invoice");
    orders_add(&head, "\"note\":\"please ring %s, thank you\"",
               (number % 2) ? "once" : "twice");

    orders_write(out, &head, form);
}


static void
orders_write_item(FILE *out, size_t i, orders_form_e form)
{
    orders_object_t  item;

    item.count = 0;

    orders_add(&item, "\"sku\":\"DIAMOND_%zu\"", i * 10);
    orders_add(&item, "\"quantity\":%zu", i % 7 + 1);
    orders_add(&item, "\"unit_price\":%zu.99", i % 100);
    orders_add(&item, "\"title\":\"%s\"",
               (i % 8) ? "a box of fine diamonds"
               : "\xe0\xb9\x80\xe0\xb8\x9e\xe0\xb8\x8a\xe0\xb8\xa3");
    orders_add(&item, "\"variant_unique_id\":\"variant_%06zu\"", i);
    orders_add(&item, "\"gift\":%s", (i % 3) ? "false" : "true");

    fprintf(out, "{");
    orders_write(out, &item, form);
    fprintf(out, "}");
}


static order_t
orders_make_one(size_t number, size_t size, orders_form_e form)
{
    char     *text;
    FILE     *out;
    size_t    i, len;
    json_t   *root;
    order_t   order;

    out = open_memstream(&text, &len);
    orders_check(out != NULL);

    fprintf(out, "{");
    orders_write_head(out, number, form);
    fprintf(out, ",\"items\":[");

    for (i = 0; i == 0 || (size_t) ftell(out) + 120 < size; i++) {
        fprintf(out, "%s", i ? "," : "");
        orders_write_item(out, number + i, form);
        fflush(out);
    }

    fprintf(out, "]}");
    fclose(out);

    if (form == ORDERS_INDENTED) {
        root = json_loads(text, 0, NULL);
        free(text);
        text = json_dumps(root, JSON_INDENT(2));
        json_decref(root);
        orders_check(text != NULL);
        len = strlen(text);
    }

    order.data = (unsigned char *) text;
    order.len = len;

    return order;
}


orders_t
orders_make(size_t count, size_t size, orders_form_e form)
{
    size_t    i;
    orders_t  orders;

    orders.elts = malloc(count * sizeof(order_t));
    orders_check(orders.elts != NULL);

    orders.nelts = count;
    orders.len = 0;

    for (i = 0; i < count; i++) {
        orders.elts[i] = orders_make_one(i, size, form);
        orders.len += (double) orders.elts[i].len / (double) count;
    }

    return orders;
}


void
orders_free(orders_t *orders)
{
    size_t  i;

    for (i = 0; i < orders->nelts; i++) {
        free(orders->elts[i].data);
    }

    free(orders->elts);
}


og_fields_t *
orders_strip(size_t count)
{
    char          name[48];
    size_t        i, known;
    const char   *rule;
    og_fields_t  *fields;

    static const char  *rules[] = {
        "unit_price", "email", "amount", "total_amount", "status",
        "payment_status", "paid_at", "role", "balance", "order_id",
        "invoice_id", "discount", "/currency", "/items/*/total",
        "/items/*/tax/rate", "/meta/internal"
    };

    fields = og_fields_create(OG_MATCH_LOOSE);
    orders_check(fields != NULL);

    known = sizeof(rules) / sizeof(rules[0]);

    for (i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "internal_field_%zu", i);
        rule = (i < known) ? rules[i] : name;
        orders_check(og_fields_add(fields, OG_FIELD_STRIP, rule, strlen(rule))
                     == NULL);
    }

    orders_check(og_fields_compile(fields) == NULL);

    return fields;
}


og_fields_t *
orders_allow(void)
{
    size_t        i;
    og_fields_t  *fields;

    static const char  *rules[] = {
        "reference_id", "user_id", "server_id", "payment_method", "note",
        "/items/*/sku", "/items/*/quantity", "/items/*/title",
        "/items/*/variant_unique_id", "/items/*/gift"
    };

    fields = og_fields_create(OG_MATCH_LOOSE);
    orders_check(fields != NULL);

    for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        orders_check(og_fields_add(fields, OG_FIELD_ALLOW, rules[i],
                                   strlen(rules[i])) == NULL);
    }

    orders_check(og_fields_compile(fields) == NULL);

    return fields;
}
