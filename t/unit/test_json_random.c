
/*
 * Copyright (C) order guard contributors
 *
 * The JSON cutter against a model: documents and rules are made up, what the
 * cutter leaves, lists and refuses, and what becomes of it with the gateway's
 * fields, is compared with what jansson reads and a slow, obvious matching of
 * paths leaves.  A failure prints the seed; OG_SEED=n runs it again,
 * OG_ROUNDS=n runs longer.
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
#include "json_slow.h"
#include "og_json.h"
#include "og_set.h"


#define TEXT_SIZE  65536
#define DOCUMENTS  3             /* that one set of rules meets */


static const char  *vocabulary[] = {
    "price", "sku", "items", "user_id", "0", "1", "a.b", "x"
};

/* the same names as clients write them; raw JSON, escapes and all */
static const char  *spellings[] = {
    "price", "PRICE", "pr\\u0069ce", "Pri-ce", "sku", "\\u017fku", "S_KU",
    "\xc5\xbfku", "s\\u212au", "items", "Items", "userId", "user_id",
    "USER-ID", "0", "1", "a.b", "a[b]", "A.B", "items[0].price", "x.price",
    "x", "\\u0058", "", "_", "a", "b", "\xe0\xb8\x9e", "\\ud83d\\ude00",
    "unlike any rule", "a\\\"b\\\\c\\/d", "a->b", "x->price->b", "a/b",
    "@price", "pri ce", "user id", "items:0:price", "b-", "items._.price",
    "items[].price", "items[][x]", "a..b", "_.x", "x[ ]", "-/-/b"
};

static const char  *scalars[] = {
    "0", "-1", "1.5", "1e3", "1.50", "-0.0e-0", "1E+400", "1E400",
    "12345678901234567890.0", "true", "false", "null", "\"\"", "\"price\"",
    "\"a\\u0000b\"", "\"\\\"}\\\\\"", "\"\xe0\xb8\x9e\xe0\xb8\x8a\"",
    "\"a string that is longer than a vector\"", "\"\\ud83d\\ude00\""
};

static const char  *spaces[] = { "", "", "", "", " ", "\n  ", "\t", "\r\n" };


static uint64_t        seed;
static uint64_t        state_of_random;
static og_scanner_t   *json;
static unsigned char   text[TEXT_SIZE];
static size_t          text_len;
static model_rules_t   rules;

/* what a set rule writes; a letter for its type is in front */
static const char  *values[] = {
    "s", "suser-1", "s\"}\\\n\x01", "s\xe0\xb8\x9e", "n-1.50e30", "n0", "btrue",
    "bfalse"
};

/* a generator that makes nothing of interest must be noticed */
static struct {
    size_t             documents;
    size_t             with_cuts;
    size_t             refused;
    size_t             with_sets;
    size_t             without_place;
    size_t             malformed;
} seen;


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
    size_t       i, at;
    const char  *value;

    rule->action = (og_field_action_e) random_below(4);
    rule->bare = random_below(2) == 0;
    rule->ntokens = rule->bare ? 1 : 1 + random_below(3);
    at = 0;

    for (i = 0; i < rule->ntokens; i++) {

        do {
            rule->tokens[i] = pick(vocabulary);
        } while (!with_indices && rule->tokens[i][1] == '\0'
                 && rule->tokens[i][0] <= '1');

        if (!rule->bare && rule->action != OG_FIELD_SET
            && random_below(3) == 0)
        {
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

    value = pick(values);
    rule->value = value + 1;
    rule->type = (*value == 's') ? OG_SET_STRING
                 : (*value == 'n') ? OG_SET_NUMBER : OG_SET_BOOLEAN;
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
        rules.reject_unlisted = random_below(4) == 0;
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
    size_t              i;
    static const char  *actions[] = { "strip", "reject", "allow", "set" };

    print_error("OG_SEED=%llu: %s\n%.*s\n", (unsigned long long) seed, what,
                (int) text_len, (const char *) text);

    print_error("match %d, unlisted %s\n", (int) rules.match,
                rules.reject_unlisted ? "reject" : "strip");

    for (i = 0; i < rules.nrules; i++) {
        print_error("%s: %s\n", actions[rules.rules[i].action],
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


/* Members must be the same, too, in their order unless flags sort them. */
static void
check_same(json_t *want, const unsigned char *data, size_t len, size_t flags)
{
    char    *a, *b;
    json_t  *got;

    got = slow_read(data, len);

    if (got == NULL) {
        print_error("%.*s\n", (int) len, (const char *) data);
        give_up("the output cannot be read");
    }

    a = json_dumps(want, JSON_ENCODE_ANY|flags);
    b = json_dumps(got, JSON_ENCODE_ANY|flags);

    if (strcmp(a, b) != 0) {
        print_error("want %s\ngot  %s\n", a, b);
        give_up("the output is not what the model leaves");
    }

    free(a);
    free(b);
    json_decref(got);
}


/* Lists are bounded. */
static void
check_list(const char *want, const char *got)
{
    size_t  len;

    len = strlen(got);

    if (strlen(want) > 4096 && len >= 3) {
        len -= 3;
        want = (strncmp(want, got, len) == 0) ? "..." : want;
        got += len;
    }

    if (strcmp(want, got) != 0) {
        print_error("want %s\ngot  %s\n", want, got);
        give_up("the pointers are others");
    }
}


/* What goes are ranges of bytes, and of white space for a fingerprint. */
static size_t
check_copies(const og_body_result_t *result, unsigned char *kept)
{
    size_t                len, n;
    static unsigned char  slow[TEXT_SIZE], out[TEXT_SIZE];

    if (!slow_are_ranges(result->cuts, result->ncuts, text_len)
        || !slow_are_ranges(result->gaps, result->ngaps, text_len))
    {
        give_up("the ranges are in disorder");
    }

    len = (size_t) (og_body_copy_kept(kept, result, text, text_len) - kept);

    if (len != og_body_kept_length(result, text_len)
        || len != slow_copy_without(slow, result->cuts, result->ncuts, text,
                                    text_len)
        || memcmp(kept, slow, len) != 0)
    {
        give_up("what is kept is not the input without the cuts");
    }

    n = slow_compact(slow, kept, len);

    if (og_body_copy_canonical(out, result, text, text_len) != out + n
        || memcmp(out, slow, n) != 0)
    {
        give_up("what is canonical is not what is kept without space");
    }

    return len;
}


/* The gateway's fields, as og_json_set() wants them. */
static size_t
make_sets(og_set_t *sets)
{
    size_t               i, n;
    const model_rule_t  *rule;

    n = 0;

    for (i = 0; i < rules.nrules; i++) {
        rule = &rules.rules[i];

        if (rule->action == OG_FIELD_SET) {
            sets[n].field = rule->text;
            sets[n].field_len = strlen(rule->text);
            sets[n].type = rule->type;
            sets[n].value = (const unsigned char *) rule->value;
            sets[n].value_len = strlen(rule->value);
            n++;
        }
    }

    return n;
}


static const model_rule_t *
rule_of(const og_set_t *set)
{
    size_t  i;

    for (i = 0; i < rules.nrules && rules.rules[i].text != set->field; i++) {
        /* void */
    }

    return &rules.rules[i];
}


/* In a piece of memory that has room for not a byte more. */
static void
check_set(const og_body_result_t *result, const model_result_t *model,
    const unsigned char *kept, size_t len)
{
    size_t           nsets, n;
    og_set_t         sets[MODEL_RULES];
    unsigned char   *body;
    const og_set_t  *stray;

    nsets = make_sets(sets);
    body = malloc(len + og_set_room(sets, nsets) + 1);
    assert_non_null(body);
    memcpy(body, kept, len);
    n = len;

    stray = og_json_set(body, &n, result->homes, result->nhomes, sets, nsets);

    if (stray != NULL) {

        if (model->set != NULL
            || !model_has_no_place(rule_of(stray), model->left))
        {
            give_up("a field has no place, but in the model");
        }

        seen.without_place++;

    } else if (model->set == NULL) {
        give_up("a field has no place in the model");

    } else {
        check_same(model->set, body, n,
                   model->elsewhere ? JSON_SORT_KEYS : 0);

        if (!slow_is_left_of(kept, len, body, n)) {
            give_up("more is changed than that fields are added");
        }

        seen.with_sets += (n > len);
    }

    free(body);
}


static void
check_document(const og_body_rules_t *scan_rules, json_t *root,
    int with_indices)
{
    size_t                   len;
    og_body_status_e         want;
    const og_body_result_t  *result;
    static model_result_t    model;
    static unsigned char     kept[TEXT_SIZE];

    model_judge(&rules, root, &model);
    want = model.rejected[0] ? OG_BODY_FORBIDDEN : OG_BODY_OK;

    if (model_has_allow(&rules) && !json_is_object(root)
        && !json_is_array(root))
    {
        want = OG_BODY_MALFORMED;
    }

    result = og_json_scan(json, scan_rules, text, text_len);

    if (result->status != want) {
        give_up("the status is another");
    }

    seen.documents++;
    seen.with_cuts += (result->ncuts > 0);
    seen.refused += (want == OG_BODY_FORBIDDEN);

    if (want != OG_BODY_MALFORMED) {
        check_list(model.stripped, result->stripped);
        check_list(model.rejected, result->rejected);

        len = check_copies(result, kept);
        check_same(model.left, kept, len, 0);
    }

    if (want == OG_BODY_OK) {
        check_set(result, &model, kept, len);
    }

    /* indices change when elements go */

    if (want == OG_BODY_OK && !with_indices) {
        result = og_json_scan(json, scan_rules, kept, len);

        if (result->status != OG_BODY_OK || result->ncuts > 0) {
            give_up("the output is cut again");
        }
    }

    json_decref(model.left);
    json_decref(model.set);
}


static void
check_round(int with_indices)
{
    size_t                   i;
    json_t                  *root;
    json_error_t             error;
    og_body_rules_t          scan_rules;
    const og_body_result_t  *result;

    scan_rules.fields = make_rules(with_indices);
    scan_rules.max_depth = 64;
    scan_rules.reject_unlisted = rules.reject_unlisted & 1;
    scan_rules.find_gaps = 1;

    /* what the rules said of one document holds for the next */

    for (i = 0; i < DOCUMENTS; i++) {
        make_text();
        root = slow_read(text, text_len);

        if (root != NULL) {
            check_document(&scan_rules, root, with_indices);
            json_decref(root);
        }
    }

    og_fields_free((og_fields_t *) (uintptr_t) scan_rules.fields);
    scan_rules.fields = NULL;
    scan_rules.find_gaps = random_below(2) & 1;
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

        seen.malformed += (root == NULL);

        if ((result->status == OG_BODY_OK) != (root != NULL)
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

    print_message("%zu documents, %zu with cuts, %zu forbidden, %zu with "
                  "sets, %zu without a place; %zu malformed\n",
                  seen.documents, seen.with_cuts, seen.refused,
                  seen.with_sets, seen.without_place, seen.malformed);

    if (rounds >= 1000) {
        assert_true(seen.documents > rounds / 2
                    && seen.with_cuts > rounds / 4
                    && seen.refused > rounds / 20
                    && seen.with_sets > rounds / 10
                    && seen.without_place > rounds / 50
                    && seen.malformed > rounds / 4);
    }
}


static int
set_up(void **state)
{
    (void) state;

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
        cmocka_unit_test(test_against_the_model),
    };

    return cmocka_run_group_tests_name("og_json random", tests, set_up,
                                       tear_down);
}
