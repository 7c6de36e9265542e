
/*
 * Copyright (C) order guard contributors
 *
 * What a patch does to a document, once the rules have cut it: nothing of the
 * client's, and nothing from elsewhere, comes to stand where the rules forbid
 * it.  Patches, documents and rules are made up.  A failure prints the seed;
 * OG_SEED=n runs it again, OG_ROUNDS=n runs longer.
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
static size_t          applied, operations, guarded;


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


/* Counts each scalar "s<n>" of a value. */
static void
count_scalars(json_t *value, int *counts, int by)
{
    size_t       i;
    json_t      *part;
    const char  *name;

    if (json_is_string(value)) {
        counts[strtoul(json_string_value(value) + 1, NULL, 10)] += by;
    }

    json_array_foreach(value, i, part) {
        count_scalars(part, counts, by);
    }

    json_object_foreach(value, name, part) {
        count_scalars(part, counts, by);
    }
}


/* Counts the scalars of a document that stand where rules forbid them. */
static int *
count_forbidden(json_t *root)
{
    int            rejected, *counts;
    size_t         i;
    json_t        *left;
    model_rules_t  all;

    all = rules;

    for (i = 0; i < rules.nrules; i++) {
        if (all.rules[i].action == OG_FIELD_REJECT) {
            all.rules[i].action = OG_FIELD_STRIP;
        }
    }

    counts = calloc(made.nscalars + 1, sizeof(int));
    assert_non_null(counts);

    left = model_apply(&all, root, &rejected);
    count_scalars(root, counts, 1);
    count_scalars(left, counts, -1);
    json_decref(left);

    return counts;
}


/*
 * What stands in a forbidden place when the patch has been applied to a
 * document has stood in one before.
 */
static void
check_what_it_does(json_t *root, json_t *patch)
{
    int      done, *before, *after;
    char    *dump;
    size_t   i;
    json_t  *operation;

    dump = json_dumps(root, JSON_ENCODE_ANY);
    before = count_forbidden(root);
    root = json_deep_copy(root);

    json_array_foreach(patch, i, operation) {
        root = patch_apply(root, operation, &done);
        operations++;
        applied += (size_t) done;
    }

    after = count_forbidden(root);

    for (i = 0; i < made.nscalars; i++) {

        if (after[i] > 0 && before[i] == 0) {
            print_error("s%zu of %s\n", i, dump);
            give_up("something has come to a forbidden place");
        }

        guarded += (after[i] > 0);
    }

    free(after);
    free(before);
    free(dump);
    json_decref(root);
}


static void
check_patch(int with_indices)
{
    size_t                   len;
    json_t                  *root, *patch;
    const og_body_result_t  *result;
    static unsigned char     out[PATCH_SIZE];

    made.with_arrays = 1;
    made.with_copies = 1;
    patch_random_document(&made);
    root = patch_read(made.text, made.len);

    /* elements of which one is cut get other indices in any document */

    made.with_arrays = !with_indices;
    patch_random_patch(&made, root);
    result = og_patch_scan(scanner, &scan_rules, made.text, made.len);

    if (root != NULL && result->status == OG_BODY_OK) {
        len = (size_t) (og_body_copy_kept(out, result, made.text, made.len)
                        - out);
        patch = patch_read(out, len);
        assert_non_null(patch);
        check_what_it_does(root, patch);
        json_decref(patch);
    }

    json_decref(root);
}


static void
check_round(void)
{
    size_t        i;
    og_fields_t  *fields;

    fields = patch_random_rules(&made, &rules, (int) (seed % 2));
    scan_rules.fields = fields;

    for (i = 0; i < 5; i++) {
        check_patch((int) (seed % 2));
    }

    og_fields_free(fields);
}


static void
test_what_patches_do(void **state)
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

    print_message("%zu of %zu operations applied, %zu scalars guarded\n",
                  applied, operations, guarded);

    if (rounds >= 1000) {
        assert_true(operations > rounds && applied > operations / 6
                    && guarded > rounds);
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
        cmocka_unit_test(test_what_patches_do),
    };

    return cmocka_run_group_tests_name("og_patch effect", tests, set_up,
                                       tear_down);
}
