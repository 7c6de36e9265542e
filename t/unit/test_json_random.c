
/*
 * Copyright (C) order guard contributors
 *
 * The JSON cutter against a model: documents and rules are made up, what the
 * cutter leaves is compared with what jansson reads and a slow, obvious
 * matching of paths leaves.  A failure prints the seed; OG_SEED=n runs it
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

#include "json_model.h"
#include "og_json.h"


#define TEXT_SIZE  65536


static const char  *vocabulary[] = {
    "price", "sku", "items", "user_id", "0", "1", "a.b", "x"
};

/* the same names as clients write them; raw JSON, escapes and all */
static const char  *spellings[] = {
    "price", "PRICE", "pr\\u0069ce", "Pri-ce", "sku", "\\u017fku", "S_KU",
    "\xc5\xbfku", "s\\u212au", "items", "Items", "userId", "user_id",
    "USER-ID", "0", "1", "a.b", "a[b]", "A.B", "items[0].price", "x.price",
    "x", "\\u0058", "", "_", "a", "b", "\xe0\xb8\x9e", "\\ud83d\\ude00",
    "unlike any rule", "a\\\"b\\\\c\\/d"
};

static const char  *scalars[] = {
    "0", "-1", "1.5", "1e3", "true", "false", "null", "\"\"", "\"price\"",
    "\"a\\u0000b\"", "\"\\\"}\\\\\"", "\"\xe0\xb8\x9e\xe0\xb8\x8a\"",
    "\"a string that is longer than a vector\"", "\"\\ud83d\\ude00\""
};

static const char  *spaces[] = { "", "", "", "", " ", "\n  ", "\t", "\r\n" };


static uint64_t        seed;
static uint64_t        state_of_random;
static og_json_t      *json;
static unsigned char   text[TEXT_SIZE];
static size_t          text_len;
static model_rules_t   rules;

/* a generator that makes nothing of interest must be noticed */
static size_t          documents, with_cuts, refused, malformed;


static size_t
random_below(size_t n)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;

    return (size_t) ((state_of_random >> 16) % n);
}


#define pick(array)  ((array)[random_below(sizeof(array) / sizeof(array[0]))])


static void
put(const char *s)
{
    size_t  len;

    len = strlen(s);
    assert_true(text_len + len < sizeof(text));
    memcpy(text + text_len, s, len);
    text_len += len;
}


static void
put_value(size_t depth)
{
    int       is_object;
    size_t    i, n, first;

    if (depth == 0 || random_below(3) == 0) {
        put(pick(scalars));
        return;
    }

    is_object = random_below(3) > 0;
    n = random_below(random_below(20) == 0 ? 30 : 5);
    first = random_below(sizeof(spellings) / sizeof(spellings[0]));

    put(is_object ? "{" : "[");
    put(pick(spaces));

    for (i = 0; i < n; i++) {

        if (i > 0) {
            put(",");
            put(pick(spaces));
        }

        /* in a row, so that few names are repeated */

        if (is_object) {
            put("\"");
            put(spellings[(first + i)
                          % (sizeof(spellings) / sizeof(spellings[0]))]);
            put("\"");
            put(pick(spaces));
            put(":");
            put(pick(spaces));
        }

        put_value(depth - 1);
        put(pick(spaces));
    }

    put(is_object ? "}" : "]");
}


static void
make_text(void)
{
    text_len = 0;

    put(pick(spaces));

    /* mostly objects and arrays */

    do {
        text_len = 0;
        put_value(4);
    } while (text[0] != '{' && text[0] != '[' && random_below(10) > 0);

    put(pick(spaces));
}


static void
make_rule(model_rule_t *rule, int with_indices)
{
    size_t  i, at;

    rule->action = (og_field_action_e) random_below(3);
    rule->bare = random_below(2) == 0;
    rule->ntokens = rule->bare ? 1 : 1 + random_below(3);
    at = 0;

    for (i = 0; i < rule->ntokens; i++) {

        do {
            rule->tokens[i] = pick(vocabulary);
        } while (!with_indices && rule->tokens[i][1] == '\0'
                 && rule->tokens[i][0] <= '1');

        if (!rule->bare && random_below(3) == 0) {
            rule->tokens[i] = "*";
        }
    }

    if (rule->action == OG_FIELD_ALLOW && !rule->bare
        && random_below(4) == 0)
    {
        rule->tokens[rule->ntokens++] = "**";
    }

    for (i = 0; i < rule->ntokens; i++) {
        at += (size_t) snprintf(rule->text + at, sizeof(rule->text) - at,
                                "%s%s", rule->bare ? "" : "/",
                                rule->tokens[i]);
    }
}


/* Makes up rules until they do not contradict one another. */
static og_fields_t *
make_rules(int with_indices)
{
    size_t        i;
    const char   *wrong;
    og_fields_t  *fields;

    for ( ;; ) {
        rules.match = (og_match_e) random_below(3);
        rules.nrules = 1 + random_below(MODEL_RULES);

        fields = og_fields_create(rules.match);
        assert_non_null(fields);
        wrong = NULL;

        for (i = 0; i < rules.nrules && wrong == NULL; i++) {
            make_rule(&rules.rules[i], with_indices);
            wrong = og_fields_add(fields, rules.rules[i].action,
                                  rules.rules[i].text,
                                  strlen(rules.rules[i].text));
        }

        assert_null(wrong);

        if (og_fields_compile(fields) == NULL) {
            return fields;
        }

        og_fields_free(fields);
    }
}


static void
give_up(const char *what)
{
    size_t  i;

    print_error("OG_SEED=%llu: %s\n%.*s\n", (unsigned long long) seed, what,
                (int) text_len, (const char *) text);

    for (i = 0; i < rules.nrules; i++) {
        print_error("rule %d: %s\n", (int) rules.rules[i].action,
                    rules.rules[i].text);
    }

    fail();
}


static json_t *
read_text(const unsigned char *data, size_t len, json_error_t *error)
{
    return json_loadb((const char *) data, len,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      error);
}


static void
check_same(json_t *want, json_t *got)
{
    char  *a, *b;

    if (got == NULL) {
        give_up("the output cannot be read");
    }

    a = json_dumps(want, JSON_ENCODE_ANY);
    b = json_dumps(got, JSON_ENCODE_ANY);

    if (strcmp(a, b) != 0) {
        print_error("want %s\ngot  %s\n", a, b);
        give_up("the output is not what the model leaves");
    }

    free(a);
    free(b);
    json_decref(want);
    json_decref(got);
}


static void
check_document(const og_json_rules_t *scan_rules, json_t *root,
    int with_indices)
{
    int                      rejected;
    size_t                   len;
    json_t                  *left;
    json_error_t             error;
    og_json_status_e         want;
    const og_json_result_t  *result;
    static unsigned char     out[TEXT_SIZE];

    left = model_apply(&rules, root, &rejected);
    want = rejected ? OG_JSON_FORBIDDEN : OG_JSON_OK;

    if (model_has_allow(&rules) && !json_is_object(root)
        && !json_is_array(root))
    {
        want = OG_JSON_MALFORMED;
    }

    result = og_json_scan(json, scan_rules, text, text_len);

    if (result->status != want) {
        give_up("the status is another");
    }

    documents++;
    with_cuts += (result->ncuts > 0);
    refused += (want == OG_JSON_FORBIDDEN);

    if (want != OG_JSON_OK) {
        json_decref(left);
        return;
    }

    if ((result->ncuts == 0) != (result->stripped[0] == '\0')) {
        give_up("what is cut is not what is named");
    }

    len = (size_t) (og_json_copy_kept(out, result, text, text_len) - out);
    check_same(left, read_text(out, len, &error));

    /* indices change when elements go */

    if (!with_indices) {
        result = og_json_scan(json, scan_rules, out, len);

        if (result->status != OG_JSON_OK || result->ncuts > 0) {
            give_up("the output is cut again");
        }
    }
}


static void
check_round(int with_indices)
{
    size_t                   i;
    json_t                  *root;
    json_error_t             error;
    og_json_rules_t          scan_rules;
    const og_json_result_t  *result;

    make_text();
    scan_rules.fields = make_rules(with_indices);
    scan_rules.max_depth = 64;
    scan_rules.reject_unlisted = 0;

    root = read_text(text, text_len, &error);

    if (root != NULL) {
        check_document(&scan_rules, root, with_indices);
        json_decref(root);
    }

    og_fields_free((og_fields_t *) (uintptr_t) scan_rules.fields);
    scan_rules.fields = NULL;
    rules.nrules = 0;

    /* broken here and there, both must agree on what is JSON */

    for (i = 0; i < 4; i++) {

        if (i > 0 && text_len > 0) {
            text[random_below(text_len)] =
                               (unsigned char) "\"\\,:{}[]0-ue \n\x80\xc3"
                                               [random_below(16)];
        }

        root = read_text(text, text_len, &error);
        result = og_json_scan(json, &scan_rules, text, text_len);

        malformed += (root == NULL);

        if ((result->status == OG_JSON_OK) != (root != NULL)
            && (root != NULL
                || json_error_code(&error) != json_error_numeric_overflow))
        {
            print_error("jansson: %s, og_json: %s\n",
                        root ? "fine" : error.text,
                        result->message ? result->message : "fine");
            give_up("one reads what the other does not");
        }

        json_decref(root);
    }
}


static void
test_against_the_model(void **state)
{
    size_t       i, rounds;
    const char  *given;

    (void) state;

    given = getenv("OG_ROUNDS");
    rounds = given ? strtoul(given, NULL, 10) : 20000;

    given = getenv("OG_SEED");
    seed = given ? strtoull(given, NULL, 10)
                 : (uint64_t) time(NULL) * 1000003;

    print_message("OG_SEED=%llu\n", (unsigned long long) seed);

    for (i = 0; i < rounds; i++) {
        state_of_random = seed * 0x9E3779B97F4A7C15 + 1;

        check_round((int) (seed % 2));
        seed++;
    }

    print_message("%zu documents, %zu with cuts, %zu forbidden; "
                  "%zu malformed\n", documents, with_cuts, refused,
                  malformed);

    if (rounds >= 1000) {
        assert_true(documents > rounds / 2 && with_cuts > rounds / 4
                    && refused > rounds / 20 && malformed > rounds / 4);
    }
}


static int
set_up(void **state)
{
    (void) state;

    json = og_json_create();

    return json ? 0 : -1;
}


static int
tear_down(void **state)
{
    (void) state;

    og_json_free(json);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_against_the_model),
    };

    return cmocka_run_group_tests_name("og_json random", tests, set_up,
                                       tear_down);
}
