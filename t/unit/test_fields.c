
/*
 * Copyright (C) order guard contributors
 *
 * Field rules: which are refused and why, which contradict one another, and
 * which names compare as one.  What rules do to a body is in test_json.c.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fields_rules.h"


typedef struct {
    og_field_action_e     action;
    const char           *rule;
    const char           *wrong;      /* NULL: fine */
} rule_row_t;


typedef struct {
    const char           *rules;
    const char           *wrong;
} pair_row_t;


typedef struct {
    const char           *a;
    const char           *b;
    int                   exact;
    int                   caseless;
    int                   loose;
} name_row_t;


#define STRIP   OG_FIELD_STRIP
#define REJECT  OG_FIELD_REJECT
#define ALLOW   OG_FIELD_ALLOW
#define SET     OG_FIELD_SET

#define TILDE     "\"~\" in a pointer is followed by 0 or 1 only"
#define EMPTY     "a pointer has an empty name"
#define NO_NAME   "a field has no name"
#define STAR      "\"*\" has a meaning in pointers only"
#define STARS     "\"**\" is the last of an allow pointer only"
#define NOT_UTF8  "a field is not valid UTF-8, or has a NUL"
#define IGNORED   "a field is nothing but \"_\", \"-\" and space, which are " \
                  "ignored"
#define MANY      "\"*\" stands for many fields, and one is set"


static const rule_row_t  rule_rows[] = {
    { STRIP, "price", NULL },
    { STRIP, "/price", NULL },
    { STRIP, "/items/*/price", NULL },
    { STRIP, "/*", NULL },
    { STRIP, "/*/*/x", NULL },
    { STRIP, "/items/0", NULL },
    { STRIP, "/a~0b~1c", NULL },
    { STRIP, "a/b", NULL },
    { STRIP, "a~b", NULL },
    { STRIP, "a b", NULL },
    { STRIP, "price*", NULL },
    { STRIP, "/price*/x", NULL },
    { STRIP, "***", NULL },
    { STRIP, "\xe0\xb8\x9e", NULL },
    { REJECT, "/items/*", NULL },
    { ALLOW, "/data/**", NULL },
    { ALLOW, "/**", NULL },
    { ALLOW, "/*/**", NULL },
    { ALLOW, "_", NULL },
    { ALLOW, "/items/*/sku", NULL },

    { STRIP, "", NO_NAME },
    { ALLOW, "", NO_NAME },
    { STRIP, "/", EMPTY },
    { STRIP, "//", EMPTY },
    { STRIP, "/items/", EMPTY },
    { STRIP, "/items//price", EMPTY },
    { ALLOW, "/items/", EMPTY },
    { STRIP, "/~", TILDE },
    { STRIP, "/a~", TILDE },
    { STRIP, "/a~2", TILDE },
    { STRIP, "/a~/b", TILDE },
    { ALLOW, "/a~x", TILDE },
    { STRIP, "*", STAR },
    { ALLOW, "*", STAR },
    { STRIP, "**", STARS },
    { ALLOW, "**", STARS },
    { STRIP, "/data/**", STARS },
    { REJECT, "/**", STARS },
    { ALLOW, "/**/x", STARS },
    { ALLOW, "/a/**/**", STARS },
    { STRIP, "a\xff", NOT_UTF8 },
    { ALLOW, "/a/\xc0\xaf", NOT_UTF8 },
    { STRIP, "\xed\xa0\x80", NOT_UTF8 },
    { STRIP, "_", IGNORED },
    { STRIP, "-_-", IGNORED },
    { REJECT, "/a/__/b", IGNORED },

    { SET, "user_id", NULL },
    { SET, "/data/user_id", NULL },
    { SET, "/a~0b/0", NULL },
    { SET, "/items*", NULL },
    { SET, "", NO_NAME },
    { SET, "/a/", EMPTY },
    { SET, "/~", TILDE },
    { SET, "*", STAR },
    { SET, "**", STARS },
    { SET, "/a/**", STARS },
    { SET, "/*", MANY },
    { SET, "/items/*/price", MANY },
    { SET, "a\xff", NOT_UTF8 },
    { SET, "-_", IGNORED },
};


/* all of them loose */
static const pair_row_t  pair_rows[] = {
    { "allow sku strip price reject role", NULL },
    { "strip price price PRICE", NULL },
    { "reject price strip /price", NULL },
    { "strip /a/* reject /a/b", NULL },
    { "allow /data/** strip price", NULL },
    { "allow /data/price strip /data/*/price", NULL },
    { "allow /*/price strip /a/price", NULL },
    { "allow /items/0/sku strip 0", NULL },
    { "allow /data/** strip /data/x", NULL },
    { "allow /items/*/sku strip /items/0", NULL },

    { "strip price reject price",
      "\"price\" is both in \"strip\" and in \"reject\"" },
    { "reject price strip price",
      "\"price\" is both in \"strip\" and in \"reject\"" },
    { "strip a price b reject c PR_ICE",
      "\"price\" in \"strip\" is \"PR_ICE\" in \"reject\"" },
    { "strip /a/b reject /A/b_",
      "\"/a/b\" in \"strip\" is \"/A/b_\" in \"reject\"" },
    { "strip /a/*/b reject /a/*/b",
      "\"/a/*/b\" is both in \"strip\" and in \"reject\"" },
    { "strip /a~1b reject /a~1b",
      "\"/a~1b\" is both in \"strip\" and in \"reject\"" },

    { "strip a price allow b price",
      "\"price\" in \"allow\" is always taken by \"price\" in \"strip\"" },
    { "reject price allow price",
      "\"price\" in \"allow\" is always taken by \"price\" in \"reject\"" },
    { "strip price allow Price_",
      "\"Price_\" in \"allow\" is always taken by \"price\" in \"strip\"" },
    { "strip price allow /price",
      "\"/price\" in \"allow\" is always taken by \"price\" in \"strip\"" },
    { "strip /price allow price",
      "\"price\" in \"allow\" is always taken by \"/price\" in \"strip\"" },
    { "strip a price allow /items/*/price",
      "\"/items/*/price\" in \"allow\" is always taken by \"price\" in "
      "\"strip\"" },
    { "reject items allow /items/*/price",
      "\"/items/*/price\" in \"allow\" is always taken by \"items\" in "
      "\"reject\"" },
    { "strip /items allow /items/*/price",
      "\"/items/*/price\" in \"allow\" is always taken by \"/items\" in "
      "\"strip\"" },
    { "strip /items/* allow /items/*/price",
      "\"/items/*/price\" in \"allow\" is always taken by \"/items/*\" in "
      "\"strip\"" },
    { "strip /*/*/price allow /items/*/price",
      "\"/items/*/price\" in \"allow\" is always taken by \"/*/*/price\" in "
      "\"strip\"" },
    { "strip /items/*/price allow /items/0/price",
      "\"/items/0/price\" in \"allow\" is always taken by \"/items/*/price\" "
      "in \"strip\"" },
    { "strip /items allow /items/**",
      "\"/items/**\" in \"allow\" is always taken by \"/items\" in \"strip\"" },
    { "strip price allow order.price",
      "\"order.price\" in \"allow\" is always taken by \"price\" in "
      "\"strip\"" },

    /* set writes after all else */

    { "set a b /c /d/e /d/f", NULL },
    { "set user_id strip user_id", NULL },
    { "set user_id reject user_id", NULL },
    { "set user_id allow user_id", NULL },
    { "set user_id allow /user_id", NULL },
    { "set user allow /user/name", NULL },
    { "set /data/user_id strip data", NULL },
    { "set /data/user_id strip /data", NULL },
    { "set /data/user_id reject data", NULL },
    { "set /data/user_id allow /data/**", NULL },
    { "set /data/user_id user_id", NULL },
    { "set price /data/price/net", NULL },
    { "set /ab /a/b", NULL },
    { "set a.b /a/b", NULL },

    { "set user_id strip user_id reject user_id",
      "\"user_id\" is both in \"strip\" and in \"reject\"" },
    { "set a user_id b user_id", "\"user_id\" is twice in \"set\"" },
    { "set user_id userId",
      "\"userId\" in \"set\" is \"user_id\" in \"set\"" },
    { "set /user_id user_id",
      "\"/user_id\" in \"set\" is \"user_id\" in \"set\"" },
    { "set user_id /user_id",
      "\"user_id\" in \"set\" is \"/user_id\" in \"set\"" },
    { "set /a/b/c x /a/b_/C",
      "\"/a/b_/C\" in \"set\" is \"/a/b/c\" in \"set\"" },
    { "set /a /a/b", "\"/a/b\" in \"set\" is within \"/a\" in \"set\"" },
    { "set x /a/b/c /a/b",
      "\"/a/b/c\" in \"set\" is within \"/a/b\" in \"set\"" },
    { "set /a/b/c/d a", "\"/a/b/c/d\" in \"set\" is within \"a\" in \"set\"" },
    { "strip x y allow z set b a /a/b",
      "\"/a/b\" in \"set\" is within \"a\" in \"set\"" },
    { "set data /DATA/user_id",
      "\"/DATA/user_id\" in \"set\" is within \"data\" in \"set\"" },
};


static const name_row_t  name_rows[] = {
    { "price", "price", 1, 1, 1 },
    { "price", "Price", 0, 1, 1 },
    { "price", "PRICE", 0, 1, 1 },
    { "unit_price", "unitPrice", 0, 0, 1 },
    { "unit_price", "UNIT-PRICE", 0, 0, 1 },
    { "unit_price", "unit_price_", 0, 0, 1 },
    { "unit_price", "unit.price", 0, 0, 0 },
    { "price", "price ", 0, 0, 1 },
    { "price", "prices", 0, 0, 0 },
    { "price", "pric", 0, 0, 0 },
    { "price", "ecirp", 0, 0, 0 },
    { "status", "\xc5\xbftatus", 0, 1, 1 },
    { "status", "STATU\xc5\xbf", 0, 1, 1 },
    { "key", "\xe2\x84\xaa" "ey", 0, 1, 1 },
    { "key", "_\xe2\x84\xaa" "E-Y", 0, 0, 1 },
    { "\xc5\xbf", "s", 0, 1, 1 },
    { "\xe2\x84\xaa", "k", 0, 1, 1 },
    { "\xc5\xbe", "s", 0, 0, 0 },
    { "\xe2\x84\xab", "k", 0, 0, 0 },
    { "is", "\xc4\xb1s", 0, 1, 1 },
    { "is", "\xc4\xb0S", 0, 1, 1 },
    { "pass", "pa\xc3\x9f", 0, 1, 1 },
    { "pass", "PA\xe1\xba\x9e", 0, 1, 1 },
    { "status", "\xef\xac\x86" "atus", 0, 1, 1 },
    { "status", "\xef\xac\x85" "atu\xc5\xbf", 0, 1, 1 },
    { "office", "o\xef\xac\x83" "ce", 0, 1, 1 },
    { "waffle", "wa\xef\xac\x84" "e", 0, 1, 1 },
    { "off", "o\xef\xac\x80", 0, 1, 1 },
    { "file", "\xef\xac\x81le", 0, 1, 1 },
    { "flag", "\xef\xac\x82" "ag", 0, 1, 1 },
    { "\xef\xac\x83", "f\xef\xac\x81", 0, 1, 1 },
    { "cafe", "caf\xc3\xa9", 0, 0, 0 },
    { "ss", "\xc3\x9e", 0, 0, 0 },
    { "i", "\xc4\xb2", 0, 0, 0 },
    { "st", "\xef\xac\x87", 0, 0, 0 },
    { "@", "`", 0, 0, 0 },
    { "[", "{", 0, 0, 0 },
    { "z", "Z", 0, 1, 1 },
    { "a", "A", 0, 1, 1 },
    { "0123456789abcdef", "0123456789ABCDEF", 0, 1, 1 },
    { "0123456789abcdefg", "0123456789ABCDEF-G", 0, 0, 1 },
    { "0123456789abcdefg", "0123456789abcdefh", 0, 0, 0 },
};


static og_fields_t *
create(og_match_e match)
{
    og_fields_t  *fields;

    fields = og_fields_create(match);
    assert_non_null(fields);

    return fields;
}


static void
compare(const char *what, const char *want, const char *got)
{
    if (want == got || (want != NULL && got != NULL
                        && strcmp(want, got) == 0))
    {
        return;
    }

    fail_msg("%s: want \"%s\", got \"%s\"", what, want ? want : "",
             got ? got : "");
}


static void
test_rules(void **state)
{
    size_t        i;
    const char   *wrong;
    og_fields_t  *fields;

    (void) state;

    for (i = 0; i < sizeof(rule_rows) / sizeof(rule_rows[0]); i++) {
        fields = create(OG_MATCH_LOOSE);

        wrong = og_fields_add(fields, rule_rows[i].action, rule_rows[i].rule,
                              strlen(rule_rows[i].rule));
        compare(rule_rows[i].rule, rule_rows[i].wrong, wrong);
        compare(rule_rows[i].rule, NULL, og_fields_compile(fields));

        og_fields_free(fields);
    }

    fields = create(OG_MATCH_EXACT);
    compare("_", NULL, og_fields_add(fields, STRIP, "_", 1));
    compare("NUL", NOT_UTF8, og_fields_add(fields, STRIP, "a\0b", 3));
    og_fields_free(fields);
    og_fields_free(NULL);
}


/* A rule that was refused leaves nothing behind. */
static void
test_refused_rules_have_no_effect(void **state)
{
    og_fields_t  *fields;

    (void) state;

    fields = create(OG_MATCH_LOOSE);

    assert_null(og_fields_add(fields, ALLOW, "/a/b", 4));
    assert_non_null(og_fields_add(fields, STRIP, "/a/b/~", 6));
    assert_non_null(og_fields_add(fields, STRIP, "/a/b/**", 7));
    assert_non_null(og_fields_add(fields, REJECT, "/a/b//", 6));
    assert_null(og_fields_compile(fields));

    og_fields_free(fields);
}


static void
test_rules_that_contradict(void **state)
{
    size_t             i;
    og_fields_t       *fields;
    const pair_row_t  *row;

    (void) state;

    for (i = 0; i < sizeof(pair_rows) / sizeof(pair_rows[0]); i++) {
        row = &pair_rows[i];

        compare(row->rules, row->wrong,
                fields_add_all(&fields, OG_MATCH_LOOSE, row->rules));
        og_fields_free(fields);
    }

    /* what is one field depends on how names compare */

    compare("exact", NULL,
            fields_add_all(&fields, OG_MATCH_EXACT,
                           "strip price reject PRICE allow Price set a A"));
    og_fields_free(fields);
}


static og_field_verdict_e
judge(const og_fields_t *fields, const char *text, int *at_first_glance)
{
    og_name_t           name;
    og_place_t          root, place;
    og_filter_t         filter;
    og_fields_walk_t    walk;
    og_field_verdict_e  verdict;

    memset(&walk, 0, sizeof(walk));
    assert_int_equal(og_fields_root(fields, &walk, &root), 0);

    name.data = (const unsigned char *) text;
    name.len = strlen(text);
    name.sketch = og_sketch(name.data, name.len, name.len);

    filter = og_fields_filter(fields);
    *at_first_glance = og_fields_pass(&filter, &root, name.sketch);
    assert_int_equal(og_fields_member(fields, &walk, &root, &name, &place),
                     0);
    verdict = og_fields_judge(&place, 0);

    og_fields_walk_done(&walk);

    return verdict;
}


static int
rule_matches(og_match_e match, const char *rule, const char *text)
{
    int                  passes;
    og_fields_t         *fields;
    og_field_verdict_e   verdict;

    fields = create(match);
    assert_null(og_fields_add(fields, STRIP, rule, strlen(rule)));
    assert_null(og_fields_compile(fields));

    verdict = judge(fields, text, &passes);
    assert_true(verdict == OG_FIELD_PASSES || !passes);

    og_fields_free(fields);

    return verdict == OG_FIELD_STRIPPED;
}


static void
test_names_that_compare_as_one(void **state)
{
    size_t             i, turn;
    const name_row_t  *row;

    (void) state;

    for (i = 0; i < sizeof(name_rows) / sizeof(name_rows[0]); i++) {
        row = &name_rows[i];

        for (turn = 0; turn < 2; turn++) {
            const char  *a = turn ? row->b : row->a;
            const char  *b = turn ? row->a : row->b;

            if (rule_matches(OG_MATCH_EXACT, a, b) != row->exact
                || rule_matches(OG_MATCH_CASELESS, a, b) != row->caseless
                || rule_matches(OG_MATCH_LOOSE, a, b) != row->loose)
            {
                fail_msg("%s and %s", a, b);
            }
        }
    }
}


/* Sketches tell nothing apart that is one name, on any machine. */
static void
test_sketches(void **state)
{
    size_t         i, len, room;
    og_fold_t      fold;
    og_sketch_t    a, b;
    unsigned char  text[80], folded[80];

    (void) state;

    srandom(20250115);
    og_fold_init(&fold, OG_MATCH_LOOSE);

    for (i = 0; i < 20000; i++) {
        len = (size_t) random() % 40;

        for (room = 0; room < sizeof(text); room++) {
            text[room] = (unsigned char) "aZ_-.[]{}09 kSq\xc3\xa9\xff"
                                         [random() % 18];
        }

        a = og_sketch(text, len, sizeof(text));
        b = og_sketch(text, len, len);
        assert_int_equal(a.word, b.word);
        assert_int_equal(!a.odd, !b.odd);

        b = og_sketch_portable(text, len);
        assert_int_equal(a.word, b.word);
        assert_int_equal(!a.odd, !b.odd);

        if (!a.odd) {
            len = og_fold(&fold, folded, text, len).len;
            b = og_sketch(folded, len, len);
            assert_int_equal(a.word, b.word);
        }
    }
}


/* Rules by the thousand: each is found, and few others get a second look. */
static void
test_many_rules(void **state)
{
    int           passes;
    char          text[32];
    size_t        i, n, looks;
    og_fields_t  *fields;

    static const char  *others[] = {
        "reference_id", "user_id", "server_id", "character_id", "items",
        "sku", "quantity", "note", "title", "customer_name", "address",
        "customer_phone", "customer_email", "payment_method", "location_id",
        "postal_code", "warehouse_unique_id", "courier_service_id", "code",
        "shipment_provider_code", "data", "order_type", "place_id"
    };

    (void) state;

    fields = create(OG_MATCH_CASELESS);

    for (i = 0; i < 3000; i += 2) {
        n = (size_t) snprintf(text, sizeof(text), "field_%zu", i * 7919);
        assert_null(og_fields_add(fields, STRIP, text, n));
    }

    assert_null(og_fields_compile(fields));

    for (i = 0; i < 3000; i++) {
        snprintf(text, sizeof(text), "FIELD_%zu", i * 7919);

        assert_int_equal(judge(fields, text, &passes),
                         (i % 2) ? OG_FIELD_PASSES : OG_FIELD_STRIPPED);
        assert_true(i % 2 || !passes);
    }

    looks = 0;
    n = sizeof(others) / sizeof(others[0]);

    for (i = 0; i < n; i++) {
        assert_int_equal(judge(fields, others[i], &passes), OG_FIELD_PASSES);
        looks += !passes;
    }

    assert_true(looks < n / 4);

    og_fields_free(fields);
}


static og_field_verdict_e
judge_below(const og_fields_t *fields, const char *outer, const char *inner)
{
    og_name_t           name;
    og_place_t          root, place, below;
    og_fields_walk_t    walk;

    memset(&walk, 0, sizeof(walk));
    assert_int_equal(og_fields_root(fields, &walk, &root), 0);

    name.data = (const unsigned char *) outer;
    name.len = strlen(outer);
    name.sketch = og_sketch(name.data, name.len, name.len);
    assert_int_equal(og_fields_member(fields, &walk, &root, &name, &place),
                     0);

    name.data = (const unsigned char *) inner;
    name.len = strlen(inner);
    name.sketch = og_sketch(name.data, name.len, name.len);
    assert_int_equal(og_fields_member(fields, &walk, &place, &name, &below),
                     0);

    og_fields_walk_done(&walk);

    return og_fields_judge(&below, 0);
}


/* A name is one under its parent, however many parents there are. */
static void
test_one_name_below_many(void **state)
{
    char          text[32];
    size_t        i, n;
    og_fields_t  *fields;

    (void) state;

    fields = create(OG_MATCH_LOOSE);

    for (i = 0; i < 1000; i++) {
        n = (size_t) snprintf(text, sizeof(text), "/a%zu/%s", i,
                              (i % 2) ? "price" : "role");
        assert_null(og_fields_add(fields, STRIP, text, n));
    }

    assert_null(og_fields_compile(fields));

    for (i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "a%zu", i);

        assert_int_equal(judge_below(fields, text, "price"),
                         (i % 2) ? OG_FIELD_STRIPPED : OG_FIELD_PASSES);
        assert_int_equal(judge_below(fields, text, "role"),
                         (i % 2) ? OG_FIELD_PASSES : OG_FIELD_STRIPPED);
    }

    og_fields_free(fields);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_refused_rules_have_no_effect),
        cmocka_unit_test(test_rules_that_contradict),
        cmocka_unit_test(test_names_that_compare_as_one),
        cmocka_unit_test(test_sketches),
        cmocka_unit_test(test_many_rules),
        cmocka_unit_test(test_one_name_below_many),
    };

    return cmocka_run_group_tests_name("og_fields", tests, NULL, NULL);
}
