
/*
 * Copyright (C) order guard contributors
 *
 * A scanner remembers names from body to body: whatever it has met before,
 * it must find what one finds that has met nothing.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "og_json.h"
#include "og_json_known.h"


#define ROOM  4096


typedef struct {
    const char           *rules;      /* separated by spaces; "+" allows */
    const char           *body;
    const char           *found;      /* what is stripped, or malformed */
} known_row_t;


/* Each is scanned behind each other one. */
static const known_row_t  known_rows[] = {
    { "", "{\"a\":1,\"b\":2}", "" },
    { "", "{\"a\":1,\"b\":2,\"a\":3}", "a name is repeated" },
    { "", "{\"a\":1,\"b\":2,\"c\":{\"a\":1,\"b\":2},\"b\":3}",
      "a name is repeated" },
    { "", "{\"a\":1,\"b\":{\"a\":1,\"b\":2},\"c\":3,\"\\u0061\":4}",
      "a name is repeated" },
    { "", "{\"\":1,\"\":2}", "a name is repeated" },
    { "", "{\"a\" : 1 , \"b\" : 2 , \"b\" : 3}", "a name is repeated" },
    { "", "[{\"a\":1,\"b\":2},{\"a\":1,\"b\":2},{\"b\":1,\"a\":2,\"b\":3}]",
      "a name is repeated" },
    { "", "[\"a\":1,\"b\":2]", "a comma is missing" },
    { "", "{\"a\":1\"b\":2}", "a comma is missing" },
    { "", "{,\"a\":1,\"b\":2}", "a name is missing" },
    { "", "{\"a\":1,\"b\"}", "a colon is missing" },
    { "", "{\"a\":1,\"b\":", "a value is missing" },
    { "a", "{\"a\":1,\"b\":2}", "/a" },
    { "b", "{\"a\":1,\"b\":2}", "/b" },
    { "a b", "{\"a\":1,\"b\":2}", "/a,/b" },
    { "/a", "{\"a\":1,\"b\":{\"a\":1,\"b\":2}}", "/a" },
    { "/b/a", "{\"a\":1,\"b\":{\"a\":1,\"b\":2}}", "/b/a" },
    { "+a", "{\"a\":1,\"b\":2}", "/b" },
    { "+/b", "{\"a\":1,\"b\":2}", "/a" },

    /* what holds in the elements of one array holds in no others */

    { "price",
      "{\"items\":[{\"sku\":1,\"price\":2},{\"sku\":1,\"price\":2}]}",
      "/items/0/price,/items/1/price" },
    { "/items/*/price", "{\"items\":[{\"price\":1},{\"price\":2}],\"price\":3,"
      "\"x\":[{\"price\":4},{\"price\":5}],\"items2\":[{\"price\":6}]}",
      "/items/0/price,/items/1/price" },
    { "/x/*/price", "{\"items\":[{\"price\":1},{\"price\":2}],\"price\":3,"
      "\"x\":[{\"price\":4},{\"price\":5}],\"items2\":[{\"price\":6}]}",
      "/x/0/price,/x/1/price" },
    { "/items/1/price",
      "{\"items\":[{\"price\":1},{\"price\":2},{\"price\":3}]}",
      "/items/1/price" },
    { "/items/*/*/price",
      "{\"items\":[[{\"price\":1},{\"price\":2}],{\"price\":3},"
      "{\"a\":{\"price\":4},\"price\":5},[[{\"price\":6}],{\"price\":7}]]}",
      "/items/0/0/price,/items/0/1/price,/items/2/a/price,/items/3/1/price" },
    { "/*/*/a", "[[{\"a\":1},{\"a\":2}],[{\"a\":3}],{\"a\":{\"a\":4}}]",
      "/0/0/a,/0/1/a,/1/0/a,/2/a/a" },
    { "/items/*/a/b",
      "{\"items\":[{\"a\":1},{\"a\":{\"b\":2,\"c\":3}},{\"a\":[{\"b\":4}]},"
      "{\"a\":5},{\"a\":{\"b\":6}}]}", "/items/1/a/b,/items/4/a/b" },
    { "/items/*/a/b /items/*/c/d",
      "{\"items\":[{\"a\":1,\"c\":2},{\"a\":{\"b\":3,\"d\":4},"
      "\"c\":{\"b\":5,\"d\":6}}]}", "/items/1/a/b,/items/1/c/d" },
    { "/items/*/a",
      "{\"items\":[{\"a\":1},{\"a\":{\"a\":2}},{\"a\":[{\"a\":3}]},"
      "{\"a\":4}]}", "/items/0/a,/items/1/a,/items/2/a,/items/3/a" },
    { "+/items/*/a",
      "{\"items\":[{\"a\":1,\"b\":2},{\"a\":{\"a\":2}},{\"b\":3},"
      "{\"a\":[4,{\"a\":5}]}],\"a\":6}",
      "/items/0/b,/items/1/a/a,/items/2/b,/items/3/a/1/a,/a" },
    { "+/items/*/a/b", "{\"items\":[{\"a\":1},{\"a\":{\"b\":2,\"c\":3}},4,"
      "{\"a\":5},{\"a\":{\"b\":6}}]}",
      "/items/0/a,/items/1/a/c,/items/2,/items/3/a" },
    { "+/a/0/b", "{\"a\":[{\"b\":1},{\"b\":2},{\"b\":3}]}", "/a/1,/a/2" },
    /* the same name at other places, behind each other */

    { "/a/b/c /b/a/c",
      "{\"a\":{\"a\":{\"c\":1},\"b\":{\"c\":2,\"a\":{\"c\":3}}},"
      "\"b\":{\"b\":{\"c\":4},\"a\":{\"c\":5,\"b\":{\"c\":6}}}}",
      "/a/b/c,/b/a/c" },
    { "+/a/b +/b/a/b",
      "{\"b\":{\"a\":{\"a\":1,\"b\":2},\"b\":3},"
      "\"a\":{\"a\":{\"b\":4},\"b\":5}}",
      "/b/a/a,/b/b,/a/a" },
    { "c", "{\"a\":{\"b\":{\"c\":1}},\"b\":{\"c\":2,\"a\":[{\"c\":3}]}}",
      "/a/b/c,/b/c,/b/a/0/c" },

    /* more ways lead to a place than are kept of it */

    { "/a/a/a/p /*/a/a/q /a/*/a/r /a/a/*/s /*/*/a/t /*/a/*/u /a/*/*/v "
      "/*/*/*/w",
      "{\"a\":{\"a\":{\"a\":{\"p\":1,\"q\":1,\"r\":1,\"s\":1,\"t\":1,"
      "\"u\":1,\"v\":1,\"w\":1,\"x\":1},\"b\":{\"p\":1,\"s\":1}},"
      "\"b\":{\"a\":{\"q\":1,\"r\":1}}}}",
      "/a/a/a/p,/a/a/a/q,/a/a/a/r,/a/a/a/s,/a/a/a/t,/a/a/a/u,/a/a/a/v,"
      "/a/a/a/w,/a/a/b/s,/a/b/a/r" },
    { "+/a/** /a/*/b",
      "{\"a\":[{\"b\":1,\"c\":2},{\"b\":3,\"c\":4},{\"c\":5}]}",
      "/a/0/b,/a/1/b" },

    /* names that are alike */

    { "abc", "{\"abc\":1,\"abcd\":2,\"ab\":3,\"aBc\":4,\"a_bc\":5}",
      "/abc,/aBc,/a_bc" },
    { "abcd", "{\"abc\":1,\"abcd\":2,\"ab\":3,\"aBc\":4,\"a_bc\":5}", "/abcd" },
    { "price", "{\"price\":1,\"price\\u0000\":2}", "a name has a NUL" },
    { "price", "[{\"price\":1},{\"pr\\u0069ce\":2},{\"price\":3}]",
      "/0/price,/1/price,/2/price" },
    { "price", "[{\"price\":1},{\"x.price\":2},{\"price[0]\":3}]",
      "/0/price,/1/x.price,/2/price[0]" },
    { "s", "[{\"\xc5\xbf\":1},{\"\xc5\xbf\":2},{\"\xc5\xc5\":3}]",
      "invalid UTF-8" },
    { "abcdefghijklmnopqrstuvwxyzabc",
      "[{\"abcdefghijklmnopqrstuvwxyzabc\":1,\"x\":2},"
      "{\"abcdefghijklmnopqrstuvwxyzabc\":1,\"x\":2}]",
      "/0/abcdefghijklmnopqrstuvwxyzabc,/1/abcdefghijklmnopqrstuvwxyzabc" },
    { "abcdefghijklmnopqrstuvwxyzabcd",
      "[{\"abcdefghijklmnopqrstuvwxyzabcd\":1,\"x\":2},"
      "{\"abcdefghijklmnopqrstuvwxyzabcd\":1,\"x\":2}]",
      "/0/abcdefghijklmnopqrstuvwxyzabcd,/1/abcdefghijklmnopqrstuvwxyzabcd" }
};

#define ROWS  (sizeof(known_rows) / sizeof(known_rows[0]))


static unsigned char  *page_end;      /* nothing behind can be read */


static og_fields_t *
fields_of(const char *rules)
{
    char          *rule, *save, text[256];
    og_fields_t   *fields;

    if (rules[0] == '\0') {
        return NULL;
    }

    fields = og_fields_create(OG_MATCH_LOOSE);
    assert_non_null(fields);

    snprintf(text, sizeof(text), "%s", rules);

    for (rule = strtok_r(text, " ", &save); rule != NULL;
         rule = strtok_r(NULL, " ", &save))
    {
        assert_null(og_fields_add(fields,
                                  (rule[0] == '+') ? OG_FIELD_ALLOW
                                  : OG_FIELD_STRIP,
                                  rule + (rule[0] == '+'),
                                  strlen(rule + (rule[0] == '+'))));
    }

    assert_null(og_fields_compile(fields));

    return fields;
}


static const og_body_result_t *
scan_with(og_scanner_t *scanner, const og_fields_t *fields, const char *body,
    int reject_unlisted)
{
    size_t           len;
    unsigned char   *data;
    og_body_rules_t  rules;

    len = strlen(body);
    data = page_end - len;
    memcpy(data, body, len);

    memset(&rules, 0, sizeof(rules));
    rules.fields = fields;
    rules.max_depth = 64;
    rules.reject_unlisted = (reject_unlisted != 0);

    return og_json_scan(scanner, &rules, data, len);
}


static const og_body_result_t *
scan(og_scanner_t *scanner, const og_fields_t *fields, const char *body)
{
    return scan_with(scanner, fields, body, 0);
}


static void
assert_found(const known_row_t *row, const og_body_result_t *result)
{
    const char  *found;

    found = result->message ? result->message : result->stripped;

    if (strcmp(found, row->found) != 0) {
        fail_msg("%s: %s: want %s, got %s", row->rules, row->body, row->found,
                 found);
    }
}


static void
test_rows_behind_each_other(void **state)
{
    size_t              i, k;
    og_fields_t        *fields[ROWS];
    og_scanner_t       *scanner;
    const known_row_t  *row;

    (void) state;

    scanner = og_scanner_create();
    assert_non_null(scanner);

    for (i = 0; i < ROWS; i++) {
        fields[i] = fields_of(known_rows[i].rules);
    }

    for (i = 0; i < ROWS; i++) {

        for (k = 0; k < ROWS; k++) {
            row = &known_rows[i];
            assert_found(row, scan(scanner, fields[i], row->body));

            row = &known_rows[k];
            assert_found(row, scan(scanner, fields[k], row->body));
        }
    }

    for (i = 0; i < ROWS; i++) {
        og_fields_free(fields[i]);
    }

    og_scanner_free(scanner);
}


/* Locations may share a set of rules, and differ in what they make of it. */
static void
test_unlisted_in_turn(void **state)
{
    size_t                   turn;
    og_fields_t             *fields;
    og_scanner_t            *scanner;
    const og_body_result_t  *result;

    static const char  body[] = "{\"a\":1,\"b\":{\"a\":2,\"c\":[{\"d\":3}]},"
                                "\"e\":[{\"f\":4,\"g\":5,\"h\":6}]}";

    (void) state;

    fields = fields_of("+a +/e/*/f h");
    scanner = og_scanner_create();
    assert_non_null(scanner);

    for (turn = 0; turn < 4; turn++) {
        result = scan_with(scanner, fields, body, 0);
        assert_int_equal(result->status, OG_BODY_OK);
        assert_string_equal(result->stripped, "/b,/e/0/g,/e/0/h");

        result = scan_with(scanner, fields, body, 1);
        assert_int_equal(result->status, OG_BODY_FORBIDDEN);
        assert_string_equal(result->stripped, "/e/0/h");
        assert_string_equal(result->rejected, "/b,/e/0/g");
    }

    og_scanner_free(scanner);
    og_fields_free(fields);
}


/* Sets that come and go, as with a reload, at one address. */
static void
test_other_rules_at_one_address(void **state)
{
    size_t         turn;
    const char    *name;
    og_fields_t   *fields;
    og_scanner_t  *scanner;

    (void) state;

    scanner = og_scanner_create();
    assert_non_null(scanner);

    for (turn = 0; turn < 8; turn++) {
        name = (turn % 2) ? "/a/b" : "/a/c";
        fields = fields_of(name);

        assert_string_equal(scan(scanner, fields,
                                 "{\"a\":{\"b\":1,\"c\":2}}")->stripped,
                            name);

        og_fields_free(fields);
    }

    og_scanner_free(scanner);
}


/* A name of any length, with any number of bytes behind it. */
static void
test_names_at_the_end(void **state)
{
    char           body[256], name[64];
    size_t         len, behind, turn;
    og_fields_t   *fields;
    og_scanner_t  *scanner;

    (void) state;

    fields = fields_of("price");
    scanner = og_scanner_create();
    assert_non_null(scanner);

    memset(name, 'n', sizeof(name));

    for (len = 0; len < 40; len++) {

        for (behind = 0; behind < 40; behind++) {
            snprintf(body, sizeof(body), "{\"price\":1,\"%.*s\":%.*s}",
                     (int) len, name, (int) behind + 1,
                     "1234567890123456789012345678901234567890");

            for (turn = 0; turn < 3; turn++) {
                assert_string_equal(scan(scanner, fields, body)->stripped,
                                    "/price");
            }

            /* cut short, everywhere */

            body[strlen(body) - behind - 3] = '\0';
            assert_int_equal(scan(scanner, fields, body)->status,
                             OG_BODY_MALFORMED);
        }
    }

    og_scanner_free(scanner);
    og_fields_free(fields);
}


/* More names than are remembered take each other's places. */
static void
test_many_names(void **state)
{
    char          *body;
    size_t         i, n, turn, len;
    og_fields_t   *fields;
    og_scanner_t  *scanner;

    (void) state;

    body = malloc(ROOM);
    assert_non_null(body);

    fields = fields_of("x7");
    scanner = og_scanner_create();
    assert_non_null(scanner);

    for (turn = 0; turn < 20; turn++) {
        len = 0;

        for (i = 0; i < 40; i++) {
            n = (turn * 40 + i) % 700;
            len += (size_t) snprintf(body + len, ROOM - len,
                                     "%s{\"x%zu\":1,\"x7\":2,\"y%zu\":[]}",
                                     i ? "," : "[", n + 8, n);
        }

        snprintf(body + len, ROOM - len, "]");

        assert_int_equal(scan(scanner, fields, body)->ncuts, 40);
        assert_int_equal(scan(scanner, fields, body)->ncuts, 40);
    }

    og_scanner_free(scanner);
    og_fields_free(fields);
    free(body);
}


static unsigned
place_of(const char *name)
{
    return og_sketch((const unsigned char *) name, strlen(name),
                     strlen(name)).word >> 24;
}


/* What is known of a name is not said of one that takes its place. */
static void
test_two_names_in_one_place(void **state)
{
    char           other[16], body[128], rules[64];
    size_t         i;
    og_fields_t   *fields;
    og_scanner_t  *scanner;

    (void) state;

    i = 0;

    do {
        snprintf(other, sizeof(other), "k%zu", i++);
    } while (place_of(other) != place_of("price"));

    snprintf(rules, sizeof(rules), "/items/*/price /%s", other);
    snprintf(body, sizeof(body), "{\"items\":[{\"price\":1,\"%s\":2},"
             "{\"%s\":3,\"price\":4}]}", other, other);

    fields = fields_of(rules);
    scanner = og_scanner_create();
    assert_non_null(scanner);

    for (i = 0; i < 3; i++) {
        assert_string_equal(scan(scanner, fields, body)->stripped,
                            "/items/0/price,/items/1/price");
    }

    og_scanner_free(scanner);
    og_fields_free(fields);
}


/* That it is not all in vain. */
static void
test_names_are_expected(void **state)
{
    og_json_known_t      *known;
    const unsigned char  *p, *end;

    static const unsigned char  body[] =
        "\"a\":\"b\":\"c\":\"a\":\"b\":\"c\":\"a\":\"b\":\"c\":      ";

    (void) state;

    known = malloc(sizeof(og_json_known_t));
    assert_non_null(known);

    og_json_known_init(known);

    end = body + sizeof(body) - 1;

    for (p = body; p < body + 36; p += 4) {
        og_json_raw_name_t  raw = { p + 1, 1 };

        if (og_json_known_next(known, p, end) == NULL) {
            assert_in_range(p - body, 0, 15);
            assert_non_null(og_json_known_meet(known, raw,
                                               og_sketch(raw.data, 1, 1),
                                               end));
        }
    }

    free(known);
}


int
main(void)
{
    size_t          size;
    unsigned char  *pages;

    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rows_behind_each_other),
        cmocka_unit_test(test_unlisted_in_turn),
        cmocka_unit_test(test_other_rules_at_one_address),
        cmocka_unit_test(test_names_at_the_end),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_two_names_in_one_place),
        cmocka_unit_test(test_names_are_expected)
    };

    size = (size_t) sysconf(_SC_PAGESIZE);
    pages = mmap(NULL, 2 * size, PROT_READ|PROT_WRITE,
                 MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED || mprotect(pages + size, size, PROT_NONE) != 0) {
        return 1;
    }

    page_end = pages + size;

    return cmocka_run_group_tests(tests, NULL, NULL);
}
