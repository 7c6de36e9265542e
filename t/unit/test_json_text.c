
/*
 * Copyright (C) order guard contributors
 *
 * Around the JSON cutter: values that are found and unescaped, what is
 * canonical, lists of pointers, and the hash of names.
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

#include "og_hash.h"
#include "og_json.h"
#include "json_slow.h"


typedef struct {
    const char           *pointer;
    const char           *value;      /* NULL: nothing is found */
    og_json_type_e        type;
} find_row_t;


static og_scanner_t   *json;
static unsigned char  *page_end;      /* nothing behind can be read */


static og_body_rules_t
rules_of(og_field_action_e action, const char *rule)
{
    og_fields_t      *fields;
    og_body_rules_t   rules;

    memset(&rules, 0, sizeof(rules));
    fields = og_fields_create(OG_MATCH_LOOSE);

    assert_non_null(fields);
    assert_null(og_fields_add(fields, action, rule, strlen(rule)));
    assert_null(og_fields_compile(fields));

    rules.fields = fields;
    rules.max_depth = 64;

    return rules;
}


static void
rules_free(og_body_rules_t *rules)
{
    og_fields_free((og_fields_t *) (uintptr_t) rules->fields);
}


/* Pointers are listed whole, as far as there is room. */
static void
test_long_lists_end_in_dots(void **state)
{
    char                    *text;
    FILE                    *out;
    size_t                   i, len;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    (void) state;

    out = open_memstream(&text, &len);
    fputc('[', out);

    for (i = 0; i < 1000; i++) {
        fprintf(out, "{\"price\":%zu},", i);
    }

    fprintf(out, "0]");
    fclose(out);

    rules = rules_of(OG_FIELD_STRIP, "price");
    result = og_json_scan(json, &rules, (unsigned char *) text, len);

    assert_int_equal(result->status, OG_BODY_OK);
    assert_int_equal(result->ncuts, 1000);
    assert_memory_equal(result->stripped, "/0/price,/1/price,", 18);

    len = strlen(result->stripped);
    assert_true(len <= 4096 + 4 && len > 4000);
    assert_string_equal(result->stripped + len - 10, "/price,...");

    rules_free(&rules);
    free(text);
}


/* A name that fills the list to the last byte, and one that is too long. */
static void
test_long_names_in_lists(void **state)
{
    char                     text[5000];
    size_t                   len;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    (void) state;

    rules = rules_of(OG_FIELD_STRIP, "/*");

    for (len = 4090; len < 4100; len++) {
        memset(text, 'x', sizeof(text));
        memcpy(text, "{\"", 2);
        memcpy(text + 2 + len, "\":1,\"a\":2}", 10);

        result = og_json_scan(json, &rules, (unsigned char *) text, len + 12);
        assert_int_equal(result->status, OG_BODY_OK);

        if (len <= 4092) {
            assert_int_equal(strlen(result->stripped), len + 4);
            assert_string_equal(result->stripped + len + 1, ",/a");

        } else if (len <= 4095) {
            assert_string_equal(result->stripped + len + 1, ",...");

        } else {
            assert_string_equal(result->stripped, "...");
        }
    }

    rules_free(&rules);
}


static void
test_find(void **state)
{
    size_t           i;
    og_json_value_t  found;

    static const char  text[] =
        " {\"a\" : [ 10 , {\"b\":\"c\\\"]}\", \"\" : null} , [ ] , true ] ,"
        "\"pr\\u0069ce\":-1.5e3,\"x/y\":1,\"m~n\":2,\"\":{\"\":\"e\"},"
        "\"01\":false,\"\\ud83d\\ude00\":\"smile\",\"o\":{\"p\":{\"q\":[[]]}}"
        "} ";

    static const find_row_t  rows[] = {
        { "/a", "[ 10 , {\"b\":\"c\\\"]}\", \"\" : null} , [ ] , true ]",
          OG_JSON_ARRAY },
        { "/a/0", "10", OG_JSON_NUMBER },
        { "/a/1", "{\"b\":\"c\\\"]}\", \"\" : null}", OG_JSON_OBJECT },
        { "/a/1/b", "\"c\\\"]}\"", OG_JSON_STRING },
        { "/a/1/", "null", OG_JSON_NULL },
        { "/a/2", "[ ]", OG_JSON_ARRAY },
        { "/a/3", "true", OG_JSON_TRUE },
        { "/a/4", NULL, OG_JSON_NONE },
        { "/a/00", NULL, OG_JSON_NONE },
        { "/a/01", NULL, OG_JSON_NONE },
        { "/a/-", NULL, OG_JSON_NONE },
        { "/a/", NULL, OG_JSON_NONE },
        { "/a/18446744073709551616", NULL, OG_JSON_NONE },
        { "/a/1/c", NULL, OG_JSON_NONE },
        { "/a/0/0", NULL, OG_JSON_NONE },
        { "/a/1/b/0", NULL, OG_JSON_NONE },
        { "/price", "-1.5e3", OG_JSON_NUMBER },
        { "/Price", NULL, OG_JSON_NONE },
        { "/pric", NULL, OG_JSON_NONE },
        { "/pricex", NULL, OG_JSON_NONE },
        { "/x~1y", "1", OG_JSON_NUMBER },
        { "/x/y", NULL, OG_JSON_NONE },
        { "/m~0n", "2", OG_JSON_NUMBER },
        { "/m~n", NULL, OG_JSON_NONE },
        { "/m~", NULL, OG_JSON_NONE },
        { "/", "{\"\":\"e\"}", OG_JSON_OBJECT },
        { "//", "\"e\"", OG_JSON_STRING },
        { "///", NULL, OG_JSON_NONE },
        { "/01", "false", OG_JSON_FALSE },
        { "/\xf0\x9f\x98\x80", "\"smile\"", OG_JSON_STRING },
        { "/o/p/q/0", "[]", OG_JSON_ARRAY },
        { "/o/p/q/0/0", NULL, OG_JSON_NONE },
        { "/*", NULL, OG_JSON_NONE },
        { "a", NULL, OG_JSON_NONE },
    };

    (void) state;

    memcpy(page_end - (sizeof(text) - 1), text, sizeof(text) - 1);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        found = og_json_find(page_end - (sizeof(text) - 1), sizeof(text) - 1,
                             rows[i].pointer, strlen(rows[i].pointer));

        if (found.type != rows[i].type
            || (rows[i].value != NULL
                && (found.len != strlen(rows[i].value)
                    || memcmp(found.data, rows[i].value, found.len) != 0)))
        {
            fail_msg("%s: type %d, \"%.*s\"", rows[i].pointer, found.type,
                     (int) found.len, (const char *) found.data);
        }
    }
}


static void
test_find_in_other_roots(void **state)
{
    size_t              i;
    og_json_value_t     found;
    static const char  *texts[] = { "12", " 12 ", "\"a\"", " [] ", "{}" };

    static const og_json_type_e  types[] = {
        OG_JSON_NUMBER, OG_JSON_NUMBER, OG_JSON_STRING, OG_JSON_ARRAY,
        OG_JSON_OBJECT
    };

    (void) state;

    for (i = 0; i < 5; i++) {
        found = og_json_find((const unsigned char *) texts[i],
                             strlen(texts[i]), "", 0);
        assert_int_equal(found.type, types[i]);
        assert_int_equal(found.len, 2 + (i == 2));

        found = og_json_find((const unsigned char *) texts[i],
                             strlen(texts[i]), "/0", 2);
        assert_int_equal(found.type, OG_JSON_NONE);
    }
}


/* In a text that may be anything. */
static void
test_locate(void **state)
{
    size_t         i;
    og_range_t     range;
    og_scanner_t  *scanner;

    static const struct {
        const char  *pointer;
        const char  *text;
        const char  *value;           /* NULL: none is found */
    } rows[] = {
        { "/a", "{\"a\":false}", "false" },
        { "/a/b", " {\"x\":[1], \"a\" : { \"b\" : {\"c\":1} } } ",
          "{\"c\":1}" },
        { "/a/1", "{\"a\":[1,\"two\"]}", "\"two\"" },
        { "/\xe0\xb8\x81", "{\"\\u0e01\":12.50}", "12.50" },
        { "/b", "{\"a\":false}", NULL },
        { "/a", "{\"a\":false", NULL },
        { "/a", "{\"a\":1,\"a\":2}", NULL },
        { "/a", "[1]", NULL },
        { "/a", "<html>", NULL },
        { "/a", "", NULL },
    };

    (void) state;

    scanner = og_scanner_create();
    assert_non_null(scanner);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        if (og_json_locate(scanner, (const unsigned char *) rows[i].text,
                           strlen(rows[i].text), rows[i].pointer,
                           strlen(rows[i].pointer), &range)
            != 0)
        {
            assert_null(rows[i].value);
            continue;
        }

        assert_non_null(rows[i].value);
        assert_int_equal(range.end - range.start, strlen(rows[i].value));
        assert_memory_equal(rows[i].text + range.start, rows[i].value,
                            range.end - range.start);
    }

    og_scanner_free(scanner);
}


static void
test_unescape(void **state)
{
    size_t         i, len;
    unsigned char  text[128];

    static const char  *rows[][2] = {
        { "\"\"", "" },
        { "\"plain\"", "plain" },
        { "\"\\\"\\\\\\/\"", "\"\\/" },
        { "\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t" },
        { "\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\"",
          "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "\"\xe0\xb8\x9e\\u0e0a\xe0\xb8\xa3\"",
          "\xe0\xb8\x9e\xe0\xb8\x8a\xe0\xb8\xa3" },
        { "\"a\\u0041b\\nc\"", "aAb\nc" },
        { "\"\\uffff\\udbff\\udfff\"", "\xef\xbf\xbf\xf4\x8f\xbf\xbf" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        len = strlen(rows[i][0]);
        memcpy(page_end - len, rows[i][0], len);
        len = (size_t) (og_json_unescape(text, page_end - len, len) - text);

        assert_int_equal(len, strlen(rows[i][1]));
        assert_memory_equal(text, rows[i][1], len);
    }

    len = (size_t) (og_json_unescape(text,
                                     (const unsigned char *) "\"a\\u0000b\"",
                                     10) - text);
    assert_int_equal(len, 3);
    assert_memory_equal(text, "a\0b", 3);
}


/* Without what is cut and without white space between words. */
static void
test_canonical(void **state)
{
    size_t                   i, len;
    unsigned char            text[128], *data;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    static const char  *rows[][2] = {
        { "{}", "{}" },
        { " { \"a b\" :\t[ 1 ,\r\n2 ] } \n", "{\"a b\":[1,2]}" },
        { "[ \" \\\" \" , \" \\\\\" ]", "[\" \\\" \",\" \\\\\"]" },
        { "\n1.5\n", "1.5" },
        { "[\n\"\xe0\xb8\x9e \xe0\xb8\x8a\" ]",
          "[\"\xe0\xb8\x9e \xe0\xb8\x8a\"]" },

        /* gaps in what is cut, at its ends, and on both of its sides */

        { "{ \"price\" : [ 1 , 2 ] }", "{}" },
        { "{ \"price\" : 1 , \"a\" : 2 }", "{\"a\":2}" },
        { "{ \"a\" : 2 , \"price\" : 1 }", "{\"a\":2}" },
        { "{\"a\":2 , \"price\":1 , \"b\":3 }", "{\"a\":2,\"b\":3}" },
        { "[ { \"price\":1 , \"Price\":2 } , { \"PRICE\": { } } ]",
          "[{},{}]" },
        { "{\"price\":1,\n\n\"pr_ice\":2 ,\n\n\"a\" : \"\" }",
          "{\"a\":\"\"}" },
    };

    (void) state;

    rules = rules_of(OG_FIELD_STRIP, "price");
    rules.find_gaps = 1;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        len = strlen(rows[i][0]);
        data = page_end - len;
        memcpy(data, rows[i][0], len);

        result = og_json_scan(json, &rules, data, len);
        assert_int_equal(result->status, OG_BODY_OK);

        len = (size_t) (og_body_copy_canonical(text, result, data, len)
                        - text);
        assert_int_equal(len, strlen(rows[i][1]));
        assert_memory_equal(text, rows[i][1], len);
    }

    rules_free(&rules);
}


/* Ranges that no document has: gaps and cuts across each other's ends. */
static void
test_canonical_of_any_ranges(void **state)
{
    size_t            i, k, n, len, cuts_end, gaps_end;
    uint64_t          random;
    og_range_t        cuts[8], gaps[8];
    og_body_result_t  result;
    unsigned char     data[40], kept[40], want[40], *p;
    unsigned char     is_gap[40];

    (void) state;

    random = 1;
    memset(&result, 0, sizeof(result));
    result.cuts = cuts;
    result.gaps = gaps;

    for (i = 0; i < 100000; i++) {
        memset(is_gap, 0, sizeof(is_gap));
        cuts_end = 0;
        gaps_end = 0;
        result.ncuts = 0;
        result.ngaps = 0;

        for (k = 0; k < sizeof(data); k++) {
            data[k] = (unsigned char) k;
        }

        for (k = 0; k < 8; k++) {
            random = random * 6364136223846793005 + 1442695040888963407;
            cuts[k].start = cuts_end + (k > 0) + (random >> 60) % 5;
            cuts[k].end = cuts[k].start + 1 + (random >> 56) % 5;
            gaps[k].start = gaps_end + (k > 0) + (random >> 52) % 5;
            gaps[k].end = gaps[k].start + 1 + (random >> 48) % 5;

            cuts_end = cuts[k].end;
            gaps_end = gaps[k].end;
            result.ncuts += (cuts_end <= sizeof(data));
            result.ngaps += (gaps_end <= sizeof(data));
        }

        for (k = 0; k < result.ngaps; k++) {
            memset(is_gap + gaps[k].start, 1, gaps[k].end - gaps[k].start);
        }

        len = slow_copy_without(kept, cuts, result.ncuts, data,
                                sizeof(data));

        for (k = 0, n = 0; k < len; k++) {
            want[n] = kept[k];
            n += !is_gap[kept[k]];
        }

        p = page_end - n;
        assert_ptr_equal(og_body_copy_canonical(p, &result, data,
                                                sizeof(data)), page_end);
        assert_memory_equal(p, want, n);
    }
}


/* Machines without 128-bit numbers hash alike. */
static void
test_hashes(void **state)
{
    size_t         i;
    uint64_t       a, b;
    og_hash_key_t  key;

    (void) state;

    og_hash_key_init(&key);
    a = key.word[0];
    b = key.word[1];

    for (i = 0; i < 1000; i++) {
        assert_true(og_hash_mix(a, b) == og_hash_mix_portable(a, b));

        a = og_hash_mix(a, key.word[2]);
        b = (i % 3) ? b * 0x9E3779B97F4A7C15 + 1 : UINT64_MAX - i;
    }

    for (i = 0; i < 40; i++) {
        assert_true(og_hash(&key, page_end, 0)
                    != og_hash(&key, page_end - i - 1,
                               i + 1));
    }
}


static int
set_up(void **state)
{
    size_t          size;
    unsigned char  *area;

    (void) state;

    size = (size_t) sysconf(_SC_PAGESIZE);
    area = mmap(NULL, 2 * size, PROT_READ|PROT_WRITE,
                MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED || mprotect(area + size, size, PROT_NONE) != 0) {
        return -1;
    }

    page_end = area + size;
    json = og_scanner_create();

    return json ? 0 : -1;
}


static int
tear_down(void **state)
{
    (void) state;

    og_scanner_free(json);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_long_lists_end_in_dots),
        cmocka_unit_test(test_long_names_in_lists),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_in_other_roots),
        cmocka_unit_test(test_locate),
        cmocka_unit_test(test_unescape),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_canonical_of_any_ranges),
        cmocka_unit_test(test_hashes),
    };

    return cmocka_run_group_tests_name("og_json text", tests, set_up,
                                       tear_down);
}
