
/*
 * Copyright (C) order guard contributors
 *
 * The order of members against models: texts are made up, and their members
 * are shuffled.  However they come they must end in the same bytes: those
 * which a sort level by level makes of them, and jansson, where it does not
 * write a value in another way.  A failure prints the seed; OG_SEED=n runs it
 * again, OG_ROUNDS=n runs longer.
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
#include <jansson.h>

#include "json_arrange.h"
#include "json_slow.h"
#include "og_json.h"
#include "og_json_order.h"


#define TEXT_SIZE  (64 * 1024)


typedef struct {
    unsigned char         data[TEXT_SIZE];
    size_t                len;
} text_t;


/* Raw JSON; many have their beginning in common. */
static const char  *names[] = {
    "", " ", "!", "#", "a", "a ", "a!", "aa", "b", "A", "id", "order_id",
    "order_idx", "order_item", "order_items", "order_item_price",
    "order_item_name", "1234567", "12345678", "12345678 ", "123456789",
    "123456780", "\\u0061", "\\u00e9", "\\\"", "\\\\", "\\/", "a\\\"", "a\\\\",
    "a\\\"b", "order_i\\\"", "order_i\\\"d", "1234567\\\"8", "12345678\\\"",
    "\xc3\xa9", "\xe0\xb8\x9e\xe0\xb8\xa3", "\xf0\x9f\x98\x80", "z", "{", "}",
    ",", "[", "]", ":", "a name that is longer than a vector or two, a",
    "a name that is longer than a vector or two, b",
    "a name that is longer than a vector or two,"
};

static const char  *scalars[] = {
    "0", "-1", "1.50", "1e3", "1E+400", "true", "false", "null", "\"\"",
    "\"a\"", "\"{\\\"b\\\":1,\\\"a\\\":2}\"", "\"\\\\\"", "\"\\\\\\\"\"",
    "\"\xe0\xb8\x9e\xe0\xb8\xa3\"", "\"\\ud83d\\ude00\"",
    "\"a string that is longer than a vector, [with], {much}, \\\"in\\\" it\""
};

/* of these jansson writes the same bytes that it read */
static const char  *plain_scalars[] = {
    "0", "-1", "123456", "true", "false", "null", "\"\"", "\"a,b\"",
    "\"{[:]}\"", "\"\xe0\xb8\x9e\xe0\xb8\xa3\""
};


static uint64_t          seed;
static uint64_t          state_of_random;
static og_json_order_t  *order;
static int               plain;       /* nothing has an escape */

/* a generator that makes nothing of interest must be noticed */
static struct {
    size_t                kept;
    size_t                changed;
    size_t                many;       /* members in one object */
    size_t                equal;
    size_t                different;
} seen;


static size_t
random_below(size_t n)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;

    return (size_t) ((state_of_random >> 16) % n);
}


#define count_of(array)  (sizeof(array) / sizeof((array)[0]))
#define pick(array)      ((array)[random_below(count_of(array))])


static void
give_up(const text_t *text, const char *what)
{
    print_error("OG_SEED=%llu: %s\n%.*s\n", (unsigned long long) seed, what,
                (int) text->len, text->data);
    fail();
}


static void
put(text_t *text, const char *s)
{
    size_t  len;

    len = strlen(s);
    assert_true(text->len + len < TEXT_SIZE);
    memcpy(text->data + text->len, s, len);
    text->len += len;
}


/* The name of member i of n; none comes twice. */
static void
put_name(text_t *text, size_t first, size_t i, size_t n)
{
    char         number[32];
    const char  *name;

    number[0] = '\0';

    if (n > count_of(names) || plain) {
        snprintf(number, sizeof(number), "%zu", i * 7919 % 1009);

    } else {
        first += i;
    }

    do {
        name = names[first++ % count_of(names)];
    } while (plain && strchr(name, '\\') != NULL);

    put(text, "\"");
    put(text, name);
    put(text, number);
    put(text, "\":");
}


static void
put_value(text_t *text, size_t depth)
{
    int     is_object;
    size_t  i, n, first;

    if (depth == 0 || random_below(4) == 0) {
        put(text, plain ? pick(plain_scalars) : pick(scalars));
        return;
    }

    is_object = random_below(3) > 0;
    n = random_below(random_below(30) == 0 ? 200 : 6);
    depth = (n > 10) ? 1 : depth;
    first = random_below(count_of(names));
    seen.many += (n > 40 && is_object);

    put(text, is_object ? "{" : "[");

    for (i = 0; i < n; i++) {

        if (i > 0) {
            put(text, ",");
        }

        if (is_object) {
            put_name(text, first, i, n);
        }

        put_value(text, depth - 1);
    }

    put(text, is_object ? "}" : "]");
}


static void
shuffle(arrange_member_t *members, size_t count)
{
    size_t            i, other;
    arrange_member_t  member;

    for (i = 0; i < count; i++) {
        other = random_below(i + 1);
        member = members[i];
        members[i] = members[other];
        members[other] = member;
    }
}


static void
make_text(text_t *text, size_t depth)
{
    text->len = 0;
    put_value(text, depth);
}


static void
arrange_text(text_t *dst, const text_t *src, arrange_pt by)
{
    dst->len = (size_t) (arrange(dst->data, src->data, src->len, by)
                         - dst->data);

    if (dst->len != src->len) {
        give_up(src, "the model loses bytes");
    }
}


/* In pieces of memory that have not a byte more. */
static void
order_text(text_t *dst, const text_t *src)
{
    unsigned char    *in, *out;
    og_json_order_e   found;

    in = malloc(src->len);
    out = malloc(src->len);
    assert_true(in != NULL && out != NULL);
    memcpy(in, src->data, src->len);

    found = og_json_order(order, in, src->len);

    if (found == OG_JSON_ORDER_FAILED) {
        give_up(src, "there is no order");
    }

    if (og_json_order_copy(out, order) != out + src->len) {
        give_up(src, "the length is another");
    }

    if ((found == OG_JSON_ORDER_KEPT) != (memcmp(in, out, src->len) == 0)) {
        give_up(src, "what is in order changes, or the other way round");
    }

    seen.kept += (found == OG_JSON_ORDER_KEPT);
    seen.changed += (found == OG_JSON_ORDER_CHANGED);

    memcpy(dst->data, out, src->len);
    dst->len = src->len;
    free(in);
    free(out);
}


static int
is_same(const text_t *a, const text_t *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}


static void
check_shuffled(void)
{
    size_t         i;
    static text_t  text, shuffled, want, got;

    make_text(&text, 5);
    arrange_text(&want, &text, arrange_by_name);

    for (i = 0; i < 3; i++) {
        arrange_text(&shuffled, &text, shuffle);
        order_text(&got, &shuffled);

        if (!is_same(&want, &got)) {
            print_error("%.*s\n", (int) got.len, got.data);
            give_up(&shuffled, "does not end in the order of its names");
        }
    }

    order_text(&got, &want);

    if (!is_same(&want, &got)) {
        give_up(&want, "does not stay in order");
    }
}


static void
check_against_jansson(void)
{
    char          *dumped;
    json_t        *root;
    static text_t  text, got;

    plain = 1;
    make_text(&text, 5);
    plain = 0;

    root = json_loadb((char *) text.data, text.len,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY, NULL);

    if (root == NULL) {
        give_up(&text, "jansson cannot read it");
    }

    dumped = json_dumps(root, JSON_SORT_KEYS|JSON_COMPACT|JSON_ENCODE_ANY);
    order_text(&got, &text);

    if (dumped == NULL || strlen(dumped) != got.len
        || memcmp(dumped, got.data, got.len) != 0)
    {
        print_error("%.*s\n%s\n", (int) got.len, got.data, dumped);
        give_up(&text, "jansson sorts it in another way");
    }

    free(dumped);
    json_decref(root);
}


/* Another digit in its place, so that it is JSON still. */
static void
change_digit(text_t *text)
{
    size_t  i, at;

    for (i = 0; i < text->len; i++) {
        at = random_below(text->len);

        if (text->data[at] >= '1' && text->data[at] <= '9') {
            text->data[at] = (unsigned char) ('1' + random_below(9));
            return;
        }
    }
}


/* A text, and the same in another order, often with a change somewhere. */
static void
check_pair(void)
{
    int            equal;
    json_t        *a, *b;
    static text_t  one, other, one_ordered, other_ordered;

    make_text(&one, 4);
    arrange_text(&other, &one, shuffle);

    if (random_below(2)) {
        change_digit(&other);
    }

    order_text(&one_ordered, &one);
    order_text(&other_ordered, &other);

    a = slow_read(one.data, one.len);
    b = slow_read(other.data, other.len);
    equal = json_equal(a, b);

    /* the same name twice, or the same text in another spelling */

    if (a == NULL || b == NULL
        || (equal && memchr(one.data, '\\', one.len) != NULL))
    {
        equal = is_same(&one_ordered, &other_ordered);
    }

    json_decref(a);
    json_decref(b);

    if (is_same(&one_ordered, &other_ordered) != equal) {
        print_error("%.*s\n", (int) other.len, other.data);
        give_up(&one, equal ? "equal, and other bytes"
                : "not equal, and the same bytes");
    }

    seen.equal += (equal && !is_same(&one, &other));
    seen.different += !equal;
}


static void
test_against_the_models(void **state)
{
    size_t       i, rounds;
    const char  *given;

    (void) state;

    given = getenv("OG_ROUNDS");
    rounds = given ? strtoul(given, NULL, 10) : 10000;

    given = getenv("OG_SEED");
    seed = given ? strtoull(given, NULL, 10)
                 : (uint64_t) time(NULL) * 1000003;

    print_message("OG_SEED=%llu\n", (unsigned long long) seed);

    for (i = 0; i < rounds; i++) {
        state_of_random = seed * 0x9E3779B97F4A7C15 + 1;

        check_shuffled();
        check_against_jansson();
        check_pair();
        seed++;
    }

    print_message("%zu in order, %zu not, %zu with many members; pairs: %zu "
                  "equal in another order, %zu different\n",
                  seen.kept, seen.changed, seen.many, seen.equal,
                  seen.different);

    if (rounds >= 1000) {
        assert_true(seen.kept > rounds && seen.changed > rounds
                    && seen.many > rounds / 50
                    && seen.equal > rounds / 10
                    && seen.different > rounds / 10);
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
        cmocka_unit_test(test_against_the_models),
    };

    return cmocka_run_group_tests_name("og_json_order random", tests, set_up,
                                       tear_down);
}
