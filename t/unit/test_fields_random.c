
/*
 * Copyright (C) order guard contributors
 *
 * Names of forms and tokens of pointers against JSON: what is at a place has
 * the same fate, whatever the body is that leads there.  With names that are
 * read in one way only.  A failure prints the seed; OG_SEED=n runs it again,
 * OG_ROUNDS=n more of them.
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

#include "fields_rules.h"


#define DEPTH  5


/* A step down: a name, an index, or (NULL) an element of any index. */
typedef struct {
    const char           *name;
} step_t;


typedef struct {
    step_t                steps[DEPTH];
    size_t                n;
} way_t;


static const char  *names[] = {
    "a", "b", "c", "A", "0", "1", "12", "d", "e"
};

static const char  *tokens[] = {
    "a", "b", "c", "A", "0", "1", "12", "*", "*"
};

static const char  *bare[] = {
    "a", "b", "c", "A", "d"
};


static uint64_t  seed;
static uint64_t  state_of_random;
static char      rules[1024];

/* a generator that makes nothing of interest must be noticed */
static struct {
    size_t             compiled;
    size_t             passed;
    size_t             stripped;
    size_t             rejected;
    size_t             unlisted;
    size_t             open;
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


static size_t
print_pointer(char *p, size_t room, int is_allow)
{
    size_t  i, n, len;

    len = 0;
    n = 1 + random_below(4);

    for (i = 0; i < n; i++) {
        len += (size_t) snprintf(p + len, room - len, "/%s", pick(tokens));
    }

    if (is_allow && random_below(4) == 0) {
        len += (size_t) snprintf(p + len, room - len, "/**");
    }

    return len;
}


static void
make_rules(void)
{
    size_t  i, n, len, is_allow;

    len = 0;
    n = 1 + random_below(6);

    for (i = 0; i < n; i++) {
        is_allow = random_below(2);

        len += (size_t) snprintf(rules + len, sizeof(rules) - len, " %s ",
                                 is_allow ? "allow"
                                 : random_below(3) ? "strip" : "reject");

        if (random_below(4) == 0) {
            len += (size_t) snprintf(rules + len, sizeof(rules) - len, "%s",
                                     pick(bare));

        } else {
            len += print_pointer(rules + len, sizeof(rules) - len,
                                 (int) is_allow);
        }
    }
}


static void
make_way(way_t *way)
{
    size_t  i;

    way->n = 1 + random_below(DEPTH);

    for (i = 0; i < way->n; i++) {
        way->steps[i].name = (i > 0 && random_below(5) == 0) ? NULL
                                                             : pick(names);
    }
}


static int
is_index(const char *name)
{
    return name[strspn(name, "0123456789")] == '\0';
}


/*
 * What JSON makes of the way, which has elements of that index.  A name of
 * digits is a member to strip and reject, and an element to allow.
 */
static const char *
verdict_of_json(fields_pass_t *pass, const way_t *way, size_t element)
{
    size_t       i;
    const char  *name, *verdict;
    og_place_t   parent;

    verdict = "passes";

    for (i = 0; i < way->n; i++) {
        parent = pass->place;
        name = way->steps[i].name;

        if (name == NULL) {
            fields_to_element(pass, element);

        } else {
            fields_to_member(pass, name);
        }

        /* what is within something that is taken is taken, too */

        if (strcmp(fields_verdict(pass, 1), "reject") == 0
            || (strcmp(fields_verdict(pass, 1), "strip") == 0
                && strcmp(verdict, "passes") == 0))
        {
            verdict = fields_verdict(pass, 1);
        }

        if (name != NULL && i > 0 && is_index(name)) {
            pass->place = parent;
            fields_to_element(pass, (size_t) atol(name));
        }
    }

    return (strcmp(verdict, "passes") == 0) ? fields_verdict(pass, 0)
                                            : verdict;
}


static void
print_field(char *p, size_t room, const way_t *way)
{
    int          dotted;
    size_t       i, len;
    const char  *name;

    /* "a.b[c]" may be "a.b" with c in it, and digits behind a dot a name */

    dotted = (random_below(2) == 0);

    for (i = 1; i < way->n; i++) {
        name = way->steps[i].name;
        dotted &= (name != NULL && !is_index(name));
    }

    len = (size_t) snprintf(p, room, "%s", way->steps[0].name);

    for (i = 1; i < way->n; i++) {
        name = (way->steps[i].name != NULL) ? way->steps[i].name : "";

        if (dotted) {
            len += (size_t) snprintf(p + len, room - len, ".%s", name);

        } else {
            len += (size_t) snprintf(p + len, room - len, "[%s]", name);
        }
    }
}


static const char *
verdict_of_field(fields_pass_t *pass, const char *name, int *open)
{
    *open = fields_to_field(pass, name);
    assert_in_range(*open, 0, 1);

    return fields_verdict(pass, 0);
}


static const char *
verdict_of_tokens(fields_pass_t *pass, const way_t *way, int *open)
{
    int          told;
    size_t       i;
    const char  *name;

    *open = 0;
    pass->place = pass->root;

    for (i = 0; i < way->n; i++) {
        name = (way->steps[i].name != NULL) ? way->steps[i].name : "-";
        told = fields_to_token(pass, name);

        assert_in_range(told, 0, 1);
        *open |= told;
    }

    return fields_verdict(pass, 0);
}


static void
fail_round(const char *kind, const char *name, size_t element,
    const char *want, const char *got)
{
    fail_msg("OG_SEED=%llu: %s: %s %s, element %zu: want %s, got %s",
             (unsigned long long) seed, rules, kind, name, element, want,
             got);
}


static void
note(const char *verdict, int open)
{
    seen.open += (size_t) open;
    seen.passed += (strcmp(verdict, "passes") == 0);
    seen.stripped += (strcmp(verdict, "strip") == 0);
    seen.rejected += (strcmp(verdict, "reject") == 0);
    seen.unlisted += (strcmp(verdict, "unlisted") == 0);
}


/* Some binders leave "[]" out: strip and reject take a name so as well. */
static const char *
worse_without_elements(fields_pass_t *pass, const way_t *way,
    const char *verdict)
{
    size_t       i;
    way_t        left;
    const char  *other;

    left.n = 0;

    for (i = 0; i < way->n; i++) {
        if (way->steps[i].name != NULL) {
            left.steps[left.n++] = way->steps[i];
        }
    }

    if (left.n == way->n || strcmp(verdict, "reject") == 0) {
        return verdict;
    }

    pass->place = pass->root;
    other = verdict_of_json(pass, &left, 0);

    return (strcmp(other, "reject") == 0 || strcmp(other, "strip") == 0)
           ? other : verdict;
}


static void
check_way(fields_pass_t *pass, const way_t *way)
{
    int          open_field, open_tokens;
    char         name[256];
    size_t       element;
    const char  *json, *field, *by_token;

    print_field(name, sizeof(name), way);

    field = verdict_of_field(pass, name, &open_field);
    by_token = verdict_of_tokens(pass, way, &open_tokens);
    note(field, open_field);

    /* where that is not open, all elements have one fate */

    for (element = 0; element < 14; element++) {
        pass->place = pass->root;
        json = verdict_of_json(pass, way, element);

        if (!open_tokens && strcmp(json, by_token) != 0) {
            fail_round("pointer of", name, element, json, by_token);
        }

        json = worse_without_elements(pass, way, json);

        if (!open_field && strcmp(json, field) != 0) {
            fail_round("field", name, element, json, field);
        }
    }
}


static void
check_round(void)
{
    size_t         i;
    way_t          way;
    const char    *wrong;
    og_match_e     match;
    og_fields_t   *fields;
    fields_pass_t  pass;

    make_rules();
    match = random_below(2) ? OG_MATCH_LOOSE : OG_MATCH_EXACT;

    wrong = fields_add_all(&fields, match, rules);
    og_fields_free(fields);

    if (wrong != NULL) {
        return;
    }

    seen.compiled++;
    fields_begin(&pass, match, rules);

    for (i = 0; i < 20; i++) {
        make_way(&way);
        check_way(&pass, &way);
    }

    fields_end(&pass);
}


static void
test_forms_and_pointers_are_as_json(void **state)
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
        state_of_random = seed * 0x9E3779B97F4A7C15 + 1;
        check_round();
        seed++;
    }

    print_message("%zu sets of rules, names: %zu passed, %zu stripped, %zu "
                  "rejected, %zu unlisted; %zu open\n", seen.compiled,
                  seen.passed, seen.stripped, seen.rejected, seen.unlisted,
                  seen.open);

    if (rounds >= 1000) {
        assert_true(seen.compiled > rounds / 2
                    && seen.passed > rounds && seen.stripped > rounds
                    && seen.rejected > rounds / 2 && seen.unlisted > rounds
                    && seen.open > rounds / 20);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_forms_and_pointers_are_as_json),
    };

    return cmocka_run_group_tests_name("og_fields, random", tests, NULL,
                                       NULL);
}
