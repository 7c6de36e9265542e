
/*
 * Copyright (C) order guard contributors
 *
 * Names without end: they take time that grows with their length alone, and
 * memory that does not, however many rules there are.
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


#define SHORT  (8 * 1024)
#define LONG   (16 * SHORT)

/* a quadratic one takes 256 times as long, a linear one 16 times */
#define TIMES  64


typedef struct {
    const char           *front;
    const char           *again;
    const char           *end;
    const char           *verdict;
} long_row_t;


/* With the rules below. */
static const long_row_t  long_rows[] = {
    { "", "a", "", "unlisted" },
    { "", "_", "", "unlisted" },
    { "", "_", "price", "strip" },
    { "", "_!", "price", "strip" },
    { "", "!", "price[a]", "strip" },
    { "", "_", "__proto__", "strip" },
    { "", "-", "price", "strip" },            /* where "-" is ignored */
    { "", ".", "", "unlisted" },
    { "", ".", "price", "strip" },
    { "", "a.", "price", "strip" },
    { "", "a.", "prices", "unlisted" },
    { "a", ".x", "", "unlisted" },
    { "", "[", "", "unlisted" },
    { "", "]", "", "unlisted" },
    { "", "[[]]", "", "unlisted" },
    { "", "[]", "", "unlisted" },
    { "", "[]", "[price]", "strip" },
    { "tags", "[]", "", "passes" },
    { "tags", "[0]", "", "passes" },
    { "tags", "[]", "[x]", "unlisted" },
    { "tags", "[]", "[price]", "strip" },
    { "tags", "[]", "price", "strip" },
    { "data", "[x]", "", "passes" },
    { "data", ".x", "", "passes" },
    { "data", "[x].y", "", "passes" },
    { "data", "[x]", "[price]", "strip" },
    { "data", "[x", "", "unlisted" },
    { "data[", ".", "price]", "strip" },
    { "data[", "x.", "]", "passes" },
    { "data", "[0]", "[00]", "passes" },
    { "data[", "0", "]", "passes" },
    { "data[-", "1", "]", "passes" },
    { "data", "[\xc5\xbf]", "", "passes" },
    { "", "\xc5\xbf", "", "unlisted" },
    { "x", "'", "price", "strip" },
    { "x", "(", "price", "strip" },
};


/* Hundreds of rules, that have names alike and lead far. */
static void
begin(fields_pass_t *pass, og_match_e match)
{
    char    *rules;
    FILE    *out;
    size_t   i, n, len;

    out = open_memstream(&rules, &len);

    fprintf(out, "allow tags /data/** strip price __proto__ /x/*/*/a /x/x/*/a"
            " /*/x/*/a /*/*/x/a /x/x/x/a reject role set user_id strip");

    for (i = 0; i < 300; i++) {
        fprintf(out, " field_%zu /p%zu/*/q ", i, i);

        for (n = 0; n < 2 + i % 30; n++) {
            fprintf(out, "/%s", (i + n) % 3 ? "*" : "x");
        }

        fprintf(out, "/r%zu", i);
    }

    fclose(out);
    fields_begin(pass, match, rules);
    free(rules);
}


static char *
make_name(const long_row_t *row, size_t size)
{
    char    *name;
    FILE    *out;
    size_t   i, n, len;

    out = open_memstream(&name, &len);
    n = size / strlen(row->again);

    fputs(row->front, out);

    for (i = 0; i < n; i++) {
        fputs(row->again, out);
    }

    fputs(row->end, out);
    fclose(out);

    return name;
}


/* Seconds of the processor, at best. */
static double
measure(fields_pass_t *pass, const char *name)
{
    int      i;
    double   best, seconds;
    clock_t  start;

    best = 1e9;

    for (i = 0; i < 3; i++) {
        start = clock();
        assert_int_equal(fields_to_field(pass, name), 0);
        seconds = (double) (clock() - start) / CLOCKS_PER_SEC;
        best = (seconds < best) ? seconds : best;
    }

    return best;
}


static void
check_rows(og_match_e match)
{
    char              *name;
    size_t             i, states;
    double             first, second;
    fields_pass_t      pass;
    const long_row_t  *row;

    begin(&pass, match);

    for (i = 0; i < sizeof(long_rows) / sizeof(long_rows[0]); i++) {
        row = &long_rows[i];

        if (match != OG_MATCH_LOOSE && strchr(row->again, '-') != NULL) {
            continue;
        }

        name = make_name(row, SHORT);
        first = measure(&pass, name);
        free(name);

        states = pass.walk.states_alloc;

        name = make_name(row, LONG);
        second = measure(&pass, name);

        if (strcmp(fields_verdict(&pass, 0), row->verdict) != 0) {
            fail_msg("%.40s...%s: want %s, got %s", name, row->end,
                     row->verdict, fields_verdict(&pass, 0));
        }

        if (second > first * TIMES + 0.02) {
            fail_msg("%.40s...: %g s, %g s", name, first, second);
        }

        assert_int_equal(pass.walk.states_alloc, states);
        assert_true(pass.walk.folded_alloc <= 4 * LONG);

        free(name);
    }

    fields_end(&pass);
}


static void
test_loose(void **state)
{
    (void) state;

    check_rows(OG_MATCH_LOOSE);
}


static void
test_caseless(void **state)
{
    (void) state;

    check_rows(OG_MATCH_CASELESS);
}


static void
test_exact(void **state)
{
    (void) state;

    check_rows(OG_MATCH_EXACT);
}


/* The same is so for tokens, and for the names of members. */
static void
test_tokens_and_members(void **state)
{
    char           *name;
    size_t          i;
    clock_t         start;
    fields_pass_t   pass;

    (void) state;

    begin(&pass, OG_MATCH_LOOSE);

    for (i = 0; i < sizeof(long_rows) / sizeof(long_rows[0]); i++) {
        name = make_name(&long_rows[i], LONG);
        start = clock();

        pass.place = pass.root;
        assert_int_equal(fields_to_token(&pass, name), 0);

        pass.place = pass.root;
        fields_to_member(&pass, name);

        if ((double) (clock() - start) / CLOCKS_PER_SEC > 1.0) {
            fail_msg("%.40s... takes too long", name);
        }

        free(name);
    }

    fields_end(&pass);
}


/* Down a way that never ends, by tokens: the memory is that of each level. */
static void
test_many_tokens(void **state)
{
    size_t         i;
    fields_pass_t  pass;

    (void) state;

    begin(&pass, OG_MATCH_LOOSE);

    for (i = 0; i < 10000; i++) {
        assert_int_equal(fields_to_token(&pass, (i % 2) ? "x" : "0"), 0);
    }

    assert_string_equal(fields_verdict(&pass, 0), "unlisted");

    assert_int_equal(fields_to_token(&pass, "price"), 0);
    assert_string_equal(fields_verdict(&pass, 0), "strip");

    fields_end(&pass);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_loose),
        cmocka_unit_test(test_caseless),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_tokens_and_members),
        cmocka_unit_test(test_many_tokens),
    };

    return cmocka_run_group_tests_name("og_fields_long", tests, NULL, NULL);
}
