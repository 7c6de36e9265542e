
/*
 * Copyright (C) order guard contributors
 *
 * Field rules when memory is short: each allocation fails once, nothing is
 * lost, and no field passes for it.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_fields.h"
#include "short_memory.h"


typedef enum {
    DONE = 0,
    SHORT,                            /* of memory, and said so */
    WRONG
} outcome_e;


typedef struct {
    const char           *rules[8];   /* "=" in front of set, "!" of reject,
                                         "+" of allow */
    const char           *sentence;   /* of og_fields_compile() */
} memory_row_t;


#define IS(got, want)  ((got) != NULL && strcmp(got, want) == 0)


static const memory_row_t  rows[] = {
    { { "price", "/items/*/cost", "!role", "=user_id", "=/a/b", "+sku",
        "+/data/**", "+/a/b" }, NULL },
    { { "price", "!Price" },
      "\"price\" in \"strip\" is \"Price\" in \"reject\"" },
    { { "a", "b", "/items/*", "+/items/*/sku" },
      "\"/items/*/sku\" in \"allow\" is always taken by \"/items/*\" in "
      "\"strip\"" },
    { { "=a", "=/a/b" }, "\"/a/b\" in \"set\" is within \"a\" in \"set\"" },
    { { "=a", "=a" }, "\"a\" is twice in \"set\"" },
};


/* Names enough for tables to grow. */
static char  many_dots[4000];
static char  many_tokens[300];


static outcome_e
add(og_fields_t *fields, const char *rule)
{
    const char         *wrong;
    og_field_action_e   action;

    action = (*rule == '!') ? OG_FIELD_REJECT
             : (*rule == '=') ? OG_FIELD_SET
             : (*rule == '+') ? OG_FIELD_ALLOW : OG_FIELD_STRIP;
    rule += (action != OG_FIELD_STRIP);

    wrong = og_fields_add(fields, action, rule, strlen(rule));

    return (wrong == NULL) ? DONE : IS(wrong, "no memory") ? SHORT : WRONG;
}


static outcome_e
compile(og_fields_t *fields, const memory_row_t *row)
{
    size_t       i;
    outcome_e    outcome;
    const char  *wrong;

    for (i = 0; i < sizeof(row->rules) / sizeof(row->rules[0]); i++) {

        if (row->rules[i] == NULL) {
            break;
        }

        outcome = add(fields, row->rules[i]);
        if (outcome != DONE) {
            return outcome;
        }
    }

    wrong = og_fields_compile(fields);

    if (IS(wrong, "no memory")) {
        return SHORT;
    }

    if (row->sentence == NULL) {
        return (wrong == NULL) ? DONE : WRONG;
    }

    return IS(wrong, row->sentence) ? DONE : WRONG;
}


static outcome_e
look(const og_fields_t *fields, og_fields_walk_t *walk)
{
    size_t               i, len;
    og_place_t           root, place, next;
    const unsigned char  *name;

    if (og_fields_root(fields, walk, &root) != 0) {
        return SHORT;
    }

    name = (const unsigned char *) many_dots;
    len = strlen(many_dots);

    if (og_fields_field(fields, walk, &root, name, len, &place) != 0) {
        return SHORT;
    }

    if (og_fields_judge(&place, 0) != OG_FIELD_STRIPPED) {
        return WRONG;
    }

    if (og_fields_field(fields, walk, &root, (const unsigned char *) "x", 1,
                        &place)
        != 0
        || og_fields_add_root(fields, walk, &place) != 0)
    {
        return SHORT;
    }

    for (i = 0; i < strlen(many_tokens); i++) {
        name = (const unsigned char *) many_tokens + i;

        if (og_fields_token(fields, walk, &place, name, 1, &next) != 0) {
            return SHORT;
        }

        place = next;
    }

    return DONE;
}


static outcome_e
all(const memory_row_t *row)
{
    outcome_e          outcome;
    og_fields_t       *fields;
    og_fields_walk_t   walk;

    memset(&walk, 0, sizeof(walk));

    fields = og_fields_create(OG_MATCH_LOOSE);
    if (fields == NULL) {
        return SHORT;
    }

    outcome = compile(fields, row);

    if (outcome == DONE && row->sentence == NULL) {
        outcome = look(fields, &walk);
    }

    og_fields_walk_done(&walk);
    og_fields_free(fields);

    return outcome;
}


static void
test_each_allocation_fails(void **state)
{
    size_t     i, n;
    ptrdiff_t  live;
    outcome_e  outcome;

    (void) state;

    for (i = 0; i < sizeof(many_dots) - 1; i++) {
        many_dots[i] = (i % 2) ? '.' : 'a';
    }

    memcpy(many_dots + sizeof(many_dots) - 6, "price", 5);
    memset(many_tokens, '0', sizeof(many_tokens) - 1);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        for (n = 0; n < 1000; n++) {
            short_memory_begin(n);
            outcome = all(&rows[i]);
            live = short_memory_end();

            if (outcome == WRONG || live != 0) {
                fail_msg("row %zu, allocation %zu: outcome %d, %td blocks "
                         "left", i, n, (int) outcome, live);
            }

            if (outcome == DONE) {
                break;
            }
        }

        assert_in_range(n, 10, 999);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_each_allocation_fails),
    };

    return cmocka_run_group_tests_name("og_fields, memory", tests, NULL,
                                       NULL);
}
