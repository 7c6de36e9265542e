
/*
 * Copyright (C) order guard contributors
 *
 * Fields of multipart bodies that the gateway writes: scanned, cut, written,
 * in memory that ends where og_set_room() says.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_multipart.h"
#include "multipart_text.h"


#define SETS  4

#define DISPOSITION       "Content-Disposition: form-data; name="
#define NAMED(name)       "--b\r\n" DISPOSITION "\"" name "\"\r\n"
#define PART(name, text)  NAMED(name) "\r\n" text "\r\n"
#define TYPE              "Content-Type: application/json\r\n"
#define JSON(name, text)  NAMED(name) TYPE "\r\n" text "\r\n"
#define END               "--b--\r\n"


/* What is set is "field=value", or "field=" where nothing is written. */
typedef struct {
    const char           *sets[SETS];
    const char           *in;
    const char           *out;        /* NULL: no place for one of them */
} set_row_t;


static const set_row_t  rows[] = {

    /* what has no home is the last part */

    { { "a=1" }, END, PART("a", "1") END },
    { { "a=1" }, "--b--", PART("a", "1") "--b--" },
    { { "a=1" }, PART("x", "") END, PART("x", "") PART("a", "1") END },
    { { "a=1", "b=2" }, PART("x", "\r\n") "--b--",
      PART("x", "\r\n") PART("a", "1") PART("b", "2") "--b--" },

    /* what has one is put there */

    { { "a=1" }, PART("a", "x") END, PART("a", "1") END },
    { { "a=1" }, PART("a", "x") PART("x", "") END,
      PART("a", "1") PART("x", "") END },
    { { "a=1" }, PART("x", "") PART("A", "x") END,
      PART("x", "") PART("a", "1") END },
    { { "a=1" },
      PART("x", "") PART("a", "x") PART("y", "") PART("a", "y") END,
      PART("x", "") PART("a", "1") PART("y", "") END },
    { { "a=1", "b=2" }, PART("b", "y") PART("a", "x") END,
      PART("b", "2") PART("a", "1") END },
    { { "a=1", "b=2", "c=3", "d=4" },
      PART("c", "z") PART("x", "") PART("a", "x") PART("y", "") END,
      PART("c", "3") PART("x", "") PART("a", "1") PART("y", "") PART("b", "2")
      PART("d", "4") END },
    { { "user_id=1" }, PART("userId", "x") PART("x", "") END,
      PART("user_id", "1") PART("x", "") END },
    { { "a=1" }, PART("x", "") JSON("a", "{\"a\":2}") PART("y", "") END,
      PART("x", "") PART("a", "1") PART("y", "") END },

    /* what is empty stays away */

    { { "a=" }, PART("a", "x") END, END },
    { { "a=", "b=2" }, PART("a", "x") PART("b", "y") END, PART("b", "2") END },
    { { "a=", "/b/c=", "d=4" }, PART("b", "x") "--b--",
      PART("b", "x") PART("d", "4") "--b--" },

    /* values are written as they are */

    { { "a= \"\\%\xe0\xb8\x9e\r\n--c" }, END,
      PART("a", " \"\\%\xe0\xb8\x9e\r\n--c") END },
    { { "a=--b" }, END, NULL },
    { { "a=x--bx" }, END, NULL },
    { { "a=x--b" }, PART("a", "") END, NULL },
    { { "b=-" }, END, PART("b", "-") END },

    /* names are those that a part may have */

    { { "a[b]=1" }, END, PART("a[b]", "1") END },
    { { "a.b=1" }, END, PART("a.b", "1") END },
    { { "/a.b=1" }, END, PART("a.b", "1") END },
    { { "a b=1" }, END, NULL },
    { { "a\"b=1" }, END, NULL },
    { { "a--b=1" }, END, NULL },
    { { "/a~1b=1" }, END, NULL },
    { { "\xe0\xb8\x9e=1" }, END, NULL },
    { { "a]=1" }, END, NULL },

    /* pointers are names in brackets */

    { { "/a=1" }, PART("a", "x") END, PART("a", "1") END },
    { { "/a/b=1" }, END, PART("a[b]", "1") END },
    { { "/a/b/c=1" }, PART("a[b][c]", "x") PART("x", "") END,
      PART("a[b][c]", "1") PART("x", "") END },
    { { "/a/b=1" }, PART("x", "") PART("a.b", "x") PART("a[c]", "") END,
      PART("x", "") PART("a[b]", "1") PART("a[c]", "") END },
    { { "/a/0=1" }, END, PART("a[0]", "1") END },
    { { "/a/b.c=1" }, END, NULL },
    { { "/a/b[c=1" }, END, NULL },
    { { "/a/b]=1" }, END, NULL },

    /* a bare name is cut at any depth, and written at the root */

    { { "a=1" }, PART("b[a]", "x") PART("c", "") END,
      PART("c", "") PART("a", "1") END },
    { { "a=1" }, JSON("order", "{\"a\":2,\"b\":3}") END,
      JSON("order", "{\"b\":3}") PART("a", "1") END },

    /* where a part is JSON, the field is a member of it */

    { { "/o/a=1" }, JSON("o", "{}") PART("x", "") END,
      JSON("o", "{\"a\":\"1\"}") PART("x", "") END },
    { { "/o/a=1" }, PART("x", "") JSON("o", "{\"a\":2,\"b\":3}") END,
      PART("x", "") JSON("o", "{\"b\":3,\"a\":\"1\"}") END },
    { { "/o/a=1", "/o/b/c=2", "d=4" }, JSON("o", " {\"x\":[]} ") END,
      JSON("o", " {\"x\":[],\"a\":\"1\",\"b\":{\"c\":\"2\"}} ")
      PART("d", "4") END },
    { { "/o/p/a=1" }, JSON("o[p]", "{}") END,
      JSON("o[p]", "{\"a\":\"1\"}") END },
    { { "/o/a=\"\\" }, JSON("o", "{}") END,
      JSON("o", "{\"a\":\"\\\"\\\\\"}") END },
    { { "/o/a=--b" }, JSON("o", "{}") END, NULL },
    { { "/o/a=" }, JSON("o", "[]") END, JSON("o", "[]") END },
    { { "/o/a=1" }, JSON("o", "[]") END, NULL },
    { { "/o/a=1" }, JSON("o", "1") END, NULL },
    { { "/o/a/b=1" }, JSON("o", "{\"a\":1}") END, NULL },
    { { "/o/a=1" }, PART("o", "{}") END, NULL },
    { { "/o/a=1" }, JSON("o", "{}") JSON("o", "{}") END, NULL },
    { { "/o/a=1" }, JSON("o", "{}") PART("o", "") END, NULL },
    { { "/o/a=1" }, JSON("O", "{\"b\":0,\"a\":2}") END,
      JSON("O", "{\"b\":0}") PART("o[a]", "1") END },
    { { "/o/a=1", "/a/b=2" }, JSON("x", "{\"o\":{\"a\":2},\"a\":{\"b\":3}}")
      END, JSON("x", "{\"o\":{},\"a\":{}}") PART("o[a]", "1")
      PART("a[b]", "2") END },
    { { "/o/a=1" }, JSON("o.a", "{\"o\":{\"a\":2}}") END,
      PART("o[a]", "1") END },
    { { "/order/a=1" }, JSON("or", "{}") JSON("order2", "{}") END,
      JSON("or", "{}") JSON("order2", "{}") PART("order[a]", "1") END },
    { { "/o/a=1" }, JSON("O", "{}") JSON("o[]", "{}") JSON("o[b]", "{}") END,
      JSON("O", "{}") JSON("o[]", "{}") JSON("o[b]", "{}")
      PART("o[a]", "1") END },

    /* also where a part of that name was sent beside it, in front or behind */

    { { "/o/a=1" }, PART("o[a]", "x") JSON("o", "{}") END,
      JSON("o", "{\"a\":\"1\"}") END },
    { { "/o/a=1", "b=2" }, JSON("o", "{\"a\":1}") PART("o[a]", "x")
      PART("b", "y") PART("x", "") END,
      JSON("o", "{\"a\":\"1\"}") PART("b", "2") PART("x", "") END },

    /* a length of that part goes */

    { { "/o/a=1" }, NAMED("o") "Content-Length: 2\r\n" TYPE "\r\n{}\r\n" END,
      JSON("o", "{\"a\":\"1\"}") END },
    { { "/o/a=1", "/o/b=2" }, "--b\r\ncontent-length: 7\r\n" DISPOSITION
      "o\r\n" TYPE "\r\n{\"a\":1}\r\n" PART("x", "") END,
      "--b\r\n" DISPOSITION "o\r\n" TYPE "\r\n{\"a\":\"1\",\"b\":\"2\"}\r\n"
      PART("x", "") END },
    { { "/o/a=" }, NAMED("o") "Content-Length: 2\r\n" TYPE "\r\n{}\r\n" END,
      NAMED("o") "Content-Length: 2\r\n" TYPE "\r\n{}\r\n" END },
    { { "a=1" }, NAMED("o") "Content-Length: 2\r\n" TYPE "\r\n{}\r\n" END,
      NAMED("o") "Content-Length: 2\r\n" TYPE "\r\n{}\r\n" PART("a", "1")
      END }
};


static og_scanner_t  *scanner;
static og_media_t     media;


/* Splits "field=value" at the first "=" behind the field. */
static size_t
read_sets(og_set_t *sets, const char *const *texts)
{
    size_t       n;
    const char  *equals;

    memset(sets, 0, SETS * sizeof(og_set_t));

    for (n = 0; n < SETS && texts[n] != NULL; n++) {
        equals = strchr(texts[n], '=');
        assert_non_null(equals);

        sets[n].field = texts[n];
        sets[n].field_len = (size_t) (equals - texts[n]);
        sets[n].type = OG_SET_STRING;
        sets[n].value = (const unsigned char *) equals + 1;
        sets[n].value_len = strlen(equals + 1);
    }

    return n;
}


static og_body_rules_t
rules_of(const og_set_t *sets, size_t nsets)
{
    size_t            i;
    og_fields_t      *fields;
    og_body_rules_t   rules;

    fields = og_fields_create(OG_MATCH_LOOSE);
    assert_non_null(fields);

    for (i = 0; i < nsets; i++) {
        assert_null(og_fields_add(fields, OG_FIELD_SET, sets[i].field,
                                  sets[i].field_len));
    }

    assert_null(og_fields_compile(fields));

    memset(&rules, 0, sizeof(rules));
    rules.fields = fields;
    rules.max_depth = 64;

    return rules;
}


static void
check_row(const set_row_t *row)
{
    size_t                   nsets, len, room;
    og_set_t                 sets[SETS];
    const og_set_t          *stray;
    unsigned char           *body;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    nsets = read_sets(sets, row->sets);
    rules = rules_of(sets, nsets);

    result = og_multipart_scan(scanner, &rules, &media,
                               (const unsigned char *) row->in,
                               strlen(row->in));
    assert_int_equal(result->status, OG_BODY_OK);

    len = og_body_kept_length(result, strlen(row->in));
    room = og_set_room(sets, nsets);

    body = malloc(len + room);
    assert_non_null(body);

    (void) og_body_copy_kept(body, result, (const unsigned char *) row->in,
                             strlen(row->in));

    stray = og_multipart_set(body, &len, &media, result->homes,
                             result->nhomes, sets, nsets);

    if (row->out == NULL) {

        if (stray == NULL) {
            fail_msg("%s, %s: written: %.*s", row->sets[0], row->in,
                     (int) len, (char *) body);
        }

    } else if (stray != NULL) {
        fail_msg("%s, %s: no place", stray->field, row->in);

    } else if (len != strlen(row->out) || memcmp(body, row->out, len) != 0) {
        fail_msg("%s, %s: %.*s", row->sets[0], row->in, (int) len,
                 (char *) body);

    } else {
        og_fields_free((og_fields_t *) (uintptr_t) rules.fields);
        rules.fields = NULL;

        result = og_multipart_scan(scanner, &rules, &media, body, len);
        assert_int_equal(result->status, OG_BODY_OK);
    }

    og_fields_free((og_fields_t *) (uintptr_t) rules.fields);
    free(body);
}


static void
test_rows(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_row(&rows[i]);
    }
}


/* With the longest boundary, many fields, and values that need no escape. */
static void
test_room(void **state)
{
    char             in[256], names[64][8], out[32];
    size_t           i, len, room;
    og_set_t         sets[64];
    og_media_t       longest;
    unsigned char   *body;
    og_body_rules_t  rules;

    static const char  boundary[] =
        "0123456789012345678901234567890123456789"
        "012345678901234567890123456789";

    (void) state;

    longest = multipart_media(boundary);
    snprintf(in, sizeof(in), "--%s--", boundary);

    for (i = 0; i < 64; i++) {
        snprintf(names[i], sizeof(names[i]), "%s%zu", (i % 2) ? "f" : "/f",
                 i);
        sets[i].field = names[i];
        sets[i].field_len = strlen(names[i]);
        sets[i].type = (i % 3) ? OG_SET_NUMBER : OG_SET_STRING;
        sets[i].value = (const unsigned char *) "7";
        sets[i].value_len = 1;
    }

    len = strlen(in);
    room = og_set_room(sets, 64);
    body = malloc(len + room);
    assert_non_null(body);
    memcpy(body, in, len);

    assert_null(og_multipart_set(body, &len, &longest, NULL, 0, sets, 64));
    assert_true(len <= strlen(in) + room);

    rules = rules_of(NULL, 0);
    assert_int_equal(og_multipart_scan(scanner, &rules, &longest, body,
                                       len)->status, OG_BODY_OK);
    og_fields_free((og_fields_t *) (uintptr_t) rules.fields);

    for (i = 0; i < 64; i++) {
        snprintf(out, sizeof(out), "f%zu", i);
        assert_non_null(og_multipart_find(&longest, body, len, out,
                                          strlen(out), &room));
        assert_int_equal(room, 1);
    }

    free(body);
}


static int
set_up(void **state)
{
    (void) state;

    scanner = og_scanner_create();
    media = multipart_media("b");

    return scanner ? 0 : -1;
}


static int
tear_down(void **state)
{
    (void) state;

    og_scanner_free(scanner);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests_name("og_multipart_set", tests, set_up,
                                       tear_down);
}
