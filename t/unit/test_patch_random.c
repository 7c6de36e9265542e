
/*
 * Copyright (C) order guard contributors
 *
 * Patches against a model: patches and rules are made up, and what is left is
 * compared with what a slow, obvious matching of paths leaves.  A failure
 * prints the seed; OG_SEED=n runs it again, OG_ROUNDS=n runs longer.
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
#include "og_patch.h"
#include "patch_apply.h"
#include "patch_random.h"


static uint64_t        seed;
static og_scanner_t   *scanner;
static patch_random_t  made;
static model_rules_t   rules;
static og_body_rules_t scan_rules;

/* a generator that makes nothing of interest must be noticed */
static size_t          patches, with_cuts, refused, malformed;


static void
give_up(const char *what)
{
    size_t  i;

    print_error("OG_SEED=%llu: %s\n%.*s\n", (unsigned long long) seed, what,
                (int) made.len, (const char *) made.text);

    for (i = 0; i < rules.nrules; i++) {
        print_error("rule %d: %s\n", (int) rules.rules[i].action,
                    rules.rules[i].text);
    }

    fail();
}


/*
 * A document with that value at the end of the path, where each index is one
 * of an array.  Takes the reference to value.
 */
static json_t *
wrap(const patch_path_t *path, json_t *value)
{
    size_t       i, n;
    json_t      *outer;
    const char  *token;

    for (i = path->n; i > 0; i--) {
        token = path->tokens[i - 1];

        if (strspn(token, "012-") != strlen(token)) {
            outer = json_object();
            json_object_set_new(outer, token, value);

        } else {
            outer = json_array();
            n = (token[0] == '-') ? 9 : (size_t) (token[0] - '0');

            while (n-- > 0) {
                json_array_append_new(outer, json_string("in front"));
            }

            json_array_append_new(outer, value);
        }

        value = outer;
    }

    return value;
}


/* What stands at the end of the path in what wrap() made, or NULL. */
static json_t *
unwrap(const patch_path_t *path, json_t *root)
{
    size_t   i, n;

    for (i = 0; i < path->n && root != NULL; i++) {

        if (json_is_object(root)) {
            root = json_object_get(root, path->tokens[i]);
            continue;
        }

        n = json_array_size(root);
        root = n ? json_array_get(root, n - 1) : NULL;

        if (root != NULL && json_is_string(root)
            && strcmp(json_string_value(root), "in front") == 0)
        {
            root = NULL;
        }
    }

    return json_incref(root);
}


/* What the rules leave of a value at that path, or NULL. */
static json_t *
left_at(const patch_path_t *path, json_t *value, int *rejected)
{
    int      found;
    json_t  *root, *left;

    root = wrap(path, json_incref(value));
    left = model_apply(&rules, root, &found);
    value = unwrap(path, left);
    *rejected |= found;

    json_decref(left);
    json_decref(root);

    return value;
}


/* A value that has all names, three levels deep. */
static json_t *
rich_value(size_t depth)
{
    size_t   i;
    json_t  *value;

    if (depth == 0) {
        return json_true();
    }

    value = json_object();
    json_object_set_new(value, "zz", json_true());

    for (i = 0; i < patch_nvocabulary; i++) {
        json_object_set_new(value, patch_vocabulary[i], rich_value(depth - 1));
    }

    return value;
}


/* Whether what cannot be seen passes at that path. */
static int
passes_unseen(const patch_path_t *path, int *rejected)
{
    int      passes;
    json_t  *rich, *left;

    rich = rich_value(3);
    left = left_at(path, rich, rejected);
    passes = left != NULL && !*rejected && json_equal(left, rich);

    json_decref(left);
    json_decref(rich);

    return passes;
}


/* A new operation without what the rules cut, or NULL: it goes. */
static json_t *
left_of_operation(json_t *operation, int *rejected, int *is_malformed)
{
    int            seen, goes, found;
    json_t        *left, *value, *null;
    const char    *from;
    patch_path_t   path, source;

    null = json_null();
    goes = 0;
    value = json_object_get(operation, "value");
    from = json_string_value(json_object_get(operation, "from"));
    seen = (value != NULL);

    assert_int_equal(patch_path(&path, json_string_value(json_object_get(
                                           operation, "path"))), 0);

    if (from != NULL) {
        assert_int_equal(patch_path(&source, from), 0);
        found = 0;
        left = left_at(&source, null, &found);
        goes |= (left == NULL);
        *rejected |= found;
        *is_malformed |= (source.n == 0 && model_has_allow(&rules));
        json_decref(left);
    }

    found = 0;
    left = left_at(&path, seen ? value : null, &found);
    goes |= (left == NULL);

    if (path.n == 0 && !json_is_object(value) && !json_is_array(value)) {
        *is_malformed |= model_has_allow(&rules);
    }

    if (from != NULL && left != NULL && !found
        && !passes_unseen(&path, &found))
    {
        goes = 1;
        *is_malformed |= (path.n == 0);
    }

    *rejected |= found;

    if (!goes && seen) {
        operation = json_copy(operation);
        json_object_set(operation, "value", left);

    } else {
        operation = goes ? NULL : json_incref(operation);
    }

    json_decref(left);

    return operation;
}


static og_body_status_e
left_of_patch(json_t *root, json_t *left)
{
    int      rejected, is_malformed;
    size_t   i;
    json_t  *operation;

    rejected = 0;
    is_malformed = 0;

    json_array_foreach(root, i, operation) {
        operation = left_of_operation(operation, &rejected, &is_malformed);

        if (operation != NULL) {
            json_array_append_new(left, operation);
        }
    }

    return is_malformed ? OG_BODY_MALFORMED
           : rejected ? OG_BODY_FORBIDDEN : OG_BODY_OK;
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
}


/* What is kept is what the model keeps, and is not cut again. */
static void
check_against_the_model(json_t *root)
{
    size_t                   len;
    json_t                  *left, *got;
    og_body_status_e         want;
    const og_body_result_t  *result;
    static unsigned char     out[PATCH_SIZE];

    left = json_array();
    want = left_of_patch(root, left);
    result = og_patch_scan(scanner, &scan_rules, made.text, made.len);

    if (result->status != want) {
        print_error("want %d, got %d %s\n", want, result->status,
                    result->message ? result->message : "");
        give_up("the status is another");
    }

    patches++;
    with_cuts += (result->ncuts > 0);
    refused += (want == OG_BODY_FORBIDDEN);
    malformed += (want == OG_BODY_MALFORMED);

    if (want == OG_BODY_OK) {

        if ((result->ncuts == 0) != (result->stripped[0] == '\0')) {
            give_up("what is cut is not what is named");
        }

        len = (size_t) (og_body_copy_kept(out, result, made.text, made.len)
                        - out);
        got = patch_read(out, len);
        check_same(left, got);
        json_decref(got);

        result = og_patch_scan(scanner, &scan_rules, out, len);

        if (result->status != OG_BODY_OK || result->ncuts > 0) {
            give_up("the output is cut again");
        }
    }

    json_decref(left);
}


static void
check_round(void)
{
    json_t       *root;
    og_fields_t  *fields;

    fields = patch_random_rules(&made, &rules, 0);
    scan_rules.fields = fields;

    /* of what a copy brings the rules are sure where there is no allow */

    made.with_copies = !model_has_allow(&rules);
    made.with_arrays = 1;
    patch_random_patch(&made, NULL);
    root = patch_read(made.text, made.len);

    if (root != NULL) {
        check_against_the_model(root);
        json_decref(root);
    }

    og_fields_free(fields);
}


static void
test_against_the_model(void **state)
{
    size_t       i, rounds;
    const char  *given;

    (void) state;

    given = getenv("OG_ROUNDS");
    rounds = given ? strtoul(given, NULL, 10) : 5000;

    given = getenv("OG_SEED");
    seed = given ? strtoull(given, NULL, 10)
                 : (uint64_t) time(NULL) * 1000003;

    print_message("OG_SEED=%llu\n", (unsigned long long) seed);

    for (i = 0; i < rounds; i++) {
        made.state = seed * 0x9E3779B97F4A7C15 + 1;

        check_round();
        seed++;
    }

    print_message("%zu patches, %zu with cuts, %zu forbidden, "
                  "%zu malformed\n", patches, with_cuts, refused, malformed);

    if (rounds >= 1000) {
        assert_true(patches > rounds / 2 && with_cuts > rounds / 4
                    && refused > rounds / 20 && malformed > rounds / 100);
    }
}


static int
set_up(void **state)
{
    (void) state;

    memset(&scan_rules, 0, sizeof(scan_rules));
    scan_rules.max_depth = 64;
    scanner = og_scanner_create();

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
        cmocka_unit_test(test_against_the_model),
    };

    return cmocka_run_group_tests_name("og_patch random", tests, set_up,
                                       tear_down);
}
