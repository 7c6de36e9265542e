
/*
 * Copyright (C) order guard contributors
 *
 * The order of members.  An input is a text.  Whatever it is, nothing outside
 * of it is read.  Where the cutter passes it, what comes out is what a sort
 * level by level makes of it, is the same to jansson, stays as it is from
 * then on, and comes out, too, when its members stand the other way round.
 */


#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/json_arrange.h"
#include "../unit/json_slow.h"
#include "og_json.h"
#include "og_json_order.h"
#include "rules.h"


#define DEPTH  64


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_any(const uint8_t *data, size_t size);
static void check_text(const unsigned char *text, size_t len);
static void check_equal(const unsigned char *a, const unsigned char *b,
    size_t len);
static unsigned char *order_text(const unsigned char *text, size_t len);
static unsigned char *arrange_text(const unsigned char *text, size_t len,
    arrange_pt by);
static void turn_round(arrange_member_t *members, size_t count);


static og_scanner_t     *scanner;
static og_json_order_t  *order;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                   len;
    unsigned char           *text;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    if (scanner == NULL) {
        scanner = og_scanner_create();
        order = og_json_order_create();
        check(scanner != NULL && order != NULL);
    }

    check_any(data, size);

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = DEPTH;
    rules.find_gaps = 1;
    result = og_json_scan(scanner, &rules, data, size);

    if (result->status != OG_BODY_OK) {
        return 0;
    }

    text = malloc(size);
    check(text != NULL);
    len = (size_t) (og_body_copy_canonical(text, result, data, size) - text);
    text = realloc(text, len);
    check(text != NULL);

    check_text(text, len);
    free(text);

    return 0;
}


static void
check_any(const uint8_t *data, size_t size)
{
    unsigned char  *out;

    if (og_json_order(order, data, size) != OG_JSON_ORDER_FAILED) {
        out = malloc(size);
        check(out != NULL && og_json_order_copy(out, order) == out + size);
        free(out);
    }
}


static void
check_text(const unsigned char *text, size_t len)
{
    unsigned char  *want, *got, *other, *got_other;

    got = order_text(text, len);

    want = arrange_text(text, len, arrange_by_name);
    check(memcmp(want, got, len) == 0);
    check_equal(text, got, len);

    check(og_json_order(order, got, len) == OG_JSON_ORDER_KEPT);

    other = arrange_text(text, len, turn_round);
    got_other = order_text(other, len);
    check(memcmp(want, got_other, len) == 0);

    free(got);
    free(want);
    free(other);
    free(got_other);
}


static void
check_equal(const unsigned char *a, const unsigned char *b, size_t len)
{
    json_t  *x, *y;

    x = slow_read(a, len);
    y = slow_read(b, len);

    check((x == NULL) == (y == NULL));
    check(x == NULL || json_equal(x, y));

    json_decref(x);
    json_decref(y);
}


static unsigned char *
order_text(const unsigned char *text, size_t len)
{
    unsigned char    *out;
    og_json_order_e   found;

    found = og_json_order(order, text, len);
    check(found != OG_JSON_ORDER_FAILED);

    out = malloc(len);
    check(out != NULL);
    check(og_json_order_copy(out, order) == out + len);
    check((found == OG_JSON_ORDER_KEPT) == (memcmp(text, out, len) == 0));

    return out;
}


static unsigned char *
arrange_text(const unsigned char *text, size_t len, arrange_pt by)
{
    unsigned char  *out;

    out = malloc(len);
    check(out != NULL && arrange(out, text, len, by) == out + len);

    return out;
}


static void
turn_round(arrange_member_t *members, size_t count)
{
    size_t            i;
    arrange_member_t  member;

    for (i = 0; i < count / 2; i++) {
        member = members[i];
        members[i] = members[count - 1 - i];
        members[count - 1 - i] = member;
    }
}
