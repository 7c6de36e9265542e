
/*
 * Copyright (C) order guard contributors
 *
 * Forms of many parts against a model: parts and rules are made up, and each
 * path of them is held against each rule in turn.  A failure prints the seed;
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

#include "og_multipart.h"
#include "multipart_model.h"
#include "multipart_text.h"


static const char  *vocabulary[] = {
    "price", "sku", "items", "user_id", "a", "x"
};

/* the same names as clients write them */
static const char  *spellings[] = {
    "price", "PRICE", "Pri-ce", "sku", "S_KU", "items", "Items", "userId",
    "user_id", "USER-ID", "a", "x", "X", "b", "note"
};

/* in front of the first of a part's names */
static const char  *fronts[] = { "", "", "", "", "", "_", "!", "__", "!_" };

static const char  *scalars[] = {
    "0", "-1.50", "1e3", "true", "null", "\"\"", "\"--c\\u002d\"",
    "\"\\\"}\\\\\"", "\"\xe0\xb8\x9e\""
};

static const char  *contents[] = {
    "", "", "A", "1.50", "\r\n", "--", "-", "\n", "\r", "--c", "{\"price\":1}",
    "price=1&x=2", "\xe0\xb8\x9e\xff", " ", "\r\n\r\n", "Content-Disposition:"
};

static const char  *types[] = {
    "", "", "text/plain", "text/plain; charset=utf-8", "TEXT/PLAIN"
};


static uint64_t       seed;
static uint64_t       state_of_random;
static og_scanner_t  *scanner;
static og_media_t     media;

static parts_model_t  model;

static parts_text_t   in;         /* the body */
static parts_text_t   want;       /* what is left of it */

/* a generator that makes nothing of interest must be noticed */
static size_t         with_cuts, refused, whole;


static size_t
random_below(size_t n)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;

    return (size_t) ((state_of_random >> 16) % n);
}


#define pick(array)  ((array)[random_below(sizeof(array) / sizeof(array[0]))])


/* Makes up a value, its text as it is, and what is left of it. */
static void
put_value(parts_text_t *all, parts_text_t *left, size_t depth, int nested,
    parts_around_e around)
{
    int              is_object, kept;
    char             digits[8];
    size_t           i, n, start, nkept, first;
    const char      *name;
    parts_around_e   inner;

    if (!nested) {
        start = all->len;
        parts_put(all, pick(scalars));
        parts_put(left, all->text + start);
        return;
    }

    is_object = random_below(3) > 0;
    n = random_below(5);
    first = random_below(sizeof(spellings) / sizeof(spellings[0]));
    nkept = 0;

    parts_put(all, is_object ? "{" : "[");
    parts_put(left, is_object ? "{" : "[");

    for (i = 0; i < n; i++) {
        snprintf(digits, sizeof(digits), "%zu", i);

        /* in a row, so that none is repeated */

        name = is_object ? spellings[(first + i) % (sizeof(spellings)
                                                    / sizeof(spellings[0]))]
                         : digits;
        parts_push(&model, name, !is_object);

        nested = depth > 0 && random_below(3) > 0;
        kept = parts_stays(&model, nested, around, &inner);
        start = left->len;

        parts_put(all, i > 0 ? "," : "");
        parts_put(left, nkept > 0 ? "," : "");

        if (is_object) {
            parts_put(all, "\"");
            parts_put(all, name);
            parts_put(all, "\":");
            parts_put(left, "\"");
            parts_put(left, name);
            parts_put(left, "\":");
        }

        put_value(all, left, depth - 1, nested, inner);

        if (!kept) {
            left->len = start;
            left->text[start] = '\0';
        }

        nkept += (size_t) kept;
        parts_pop(&model);
    }

    parts_put(all, is_object ? "}" : "]");
    parts_put(left, is_object ? "}" : "]");
}


/* Makes up the name of a part: no index, nor "[]", is behind a "[]". */
static void
make_name(char *name, size_t size)
{
    int           is_open;
    size_t        i, n, len;
    const char   *part;
    static char   front[64], digits[PARTS_STEPS][8];

    parts_begin(&model);

    n = 1 + random_below(random_below(3) + 1);
    snprintf(front, sizeof(front), "%s%s", pick(fronts), pick(spellings));
    len = (size_t) snprintf(name, size, "%s", front);
    parts_push(&model, front, 0);
    is_open = 0;

    for (i = 1; i < n; i++) {
        part = pick(spellings);

        if (!is_open && random_below(2) == 0) {
            is_open = (random_below(3) == 0);
            snprintf(digits[i], sizeof(digits[i]), "%zu", random_below(12));
            part = is_open ? "-" : digits[i];
        }

        parts_push(&model, part, part[0] <= '9');
        len += (size_t) snprintf(name + len, size - len, "[%s]",
                                 is_open && part[0] == '-' ? "" : part);
    }

    parts_end(&model, name);
}


/* Header lines in any order; the length stands for itself. */
static void
put_header(parts_text_t *text, const char *name, int quoted, int is_json,
    const char *type, size_t length, size_t order)
{
    size_t  i;
    char    line[256];

    for (i = 0; i < 3; i++) {
        line[0] = '\0';

        switch ((i + order) % 3) {

        case 0:
            snprintf(line, sizeof(line), quoted
                     ? "Content-Disposition: form-data; name=\"%s\"%s\r\n"
                     : "content-disposition:form-data;name=%s%s\r\n", name,
                     (order & 4) ? "; filename=\"a\"" : "");
            break;

        case 1:
            snprintf(line, sizeof(line), "%s%s%s",
                     is_json ? "Content-Type: application/json"
                     : type[0] ? "Content-Type: " : "",
                     is_json ? "" : type, is_json || type[0] ? "\r\n" : "");
            break;

        default:

            if (length != (size_t) -1) {
                snprintf(line, sizeof(line), "Content-Length: %zu\r\n",
                         length);
            }

            break;
        }

        parts_put(text, line);
    }

    parts_put(text, "\r\n");
}


static void
make_part(void)
{
    int                  is_json, nested, kept, quoted, with_length;
    char                 name[128];
    size_t               i, n, order;
    const char          *type;
    parts_around_e       inner;
    static parts_text_t  all, left;

    make_name(name, sizeof(name));

    parts_clear(&all);
    parts_clear(&left);

    is_json = random_below(2) == 0;
    nested = is_json && random_below(4) > 0;
    quoted = model.ways[0].n > 1 || random_below(4) > 0;
    order = random_below(8);
    with_length = random_below(3) == 0;
    type = pick(types);

    kept = parts_stays(&model, nested, PARTS_STAYS, &inner);
    model.has_cut = 0;

    if (is_json) {
        put_value(&all, &left, 3, nested, inner);

    } else {
        n = random_below(4);

        for (i = 0; i < n; i++) {
            parts_put(&all, pick(contents));
        }

        parts_put(&left, all.text);
    }

    parts_put(&in, "--b\r\n");
    put_header(&in, name, quoted, is_json, type, with_length ? all.len
               : (size_t) -1, order);
    parts_put(&in, all.text);
    parts_put(&in, "\r\n");

    if (!kept) {
        whole++;
        return;
    }

    parts_put(&want, "--b\r\n");
    put_header(&want, name, quoted, is_json, type,
               (with_length && !model.has_cut) ? all.len : (size_t) -1, order);
    parts_put(&want, left.text);
    parts_put(&want, "\r\n");
}


static void
make_rule(parts_rule_t *rule)
{
    size_t  i, at;

    rule->action = (og_field_action_e) random_below(3);
    rule->bare = random_below(2) == 0;
    rule->ntokens = rule->bare ? 1 : 1 + random_below(3);
    at = 0;

    for (i = 0; i < rule->ntokens; i++) {
        rule->tokens[i] = pick(vocabulary);

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
make_rules(void)
{
    size_t        i;
    og_fields_t  *fields;

    for ( ;; ) {
        model.match = (og_match_e) random_below(3);
        model.reject_unlisted = (random_below(4) == 0);
        model.nrules = 1 + random_below(PARTS_RULES);

        fields = og_fields_create(model.match);
        assert_non_null(fields);

        for (i = 0; i < model.nrules; i++) {
            make_rule(&model.rules[i]);
            assert_null(og_fields_add(fields, model.rules[i].action,
                                      model.rules[i].text,
                                      strlen(model.rules[i].text)));
        }

        if (og_fields_compile(fields) == NULL) {
            return fields;
        }

        og_fields_free(fields);
    }
}


static void
give_up(const char *what, const char *a, const char *b)
{
    size_t  i;

    print_error("OG_SEED=%llu: %s\nwant %s\ngot  %s\nof   %s\n",
                (unsigned long long) seed, what, a, b, in.text);

    for (i = 0; i < model.nrules; i++) {
        print_error("rule %d: %s (match %d)\n", (int) model.rules[i].action,
                    model.rules[i].text, (int) model.match);
    }

    fail();
}


static void
compare(const char *what, const char *a, const char *b)
{
    if (strcmp(a, b) != 0) {
        give_up(what, a, b);
    }
}


static const og_body_result_t *
scan(const og_body_rules_t *with, const void *data, size_t len)
{
    return og_multipart_scan(scanner, with, &media, data, len);
}


/* Broken here and there, what passes passes again, with nothing to cut. */
static void
check_broken(const og_body_rules_t *with)
{
    size_t                   i, len;
    const og_body_result_t  *result;
    static unsigned char     kept[PARTS_TEXT];

    for (i = 0; i < 4; i++) {
        in.text[random_below(in.len)] = "\r\n-b\"=;: \\A[.\x80{,"
                                        [random_below(16)];
        result = scan(with, in.text, in.len);

        if (result->status != OG_BODY_OK) {
            continue;
        }

        len = (size_t) (og_body_copy_kept(kept, result,
                                          (unsigned char *) in.text, in.len)
                        - kept);
        result = scan(with, kept, len);

        if (result->status != OG_BODY_OK || result->ncuts > 0) {
            give_up("what is left is not fine", "", (char *) kept);
        }
    }
}


static void
check_round(void)
{
    size_t                   i, n, len;
    og_body_rules_t          with;
    const og_body_result_t  *result;
    static char              kept[PARTS_TEXT];

    memset(&with, 0, sizeof(with));
    with.fields = make_rules();
    with.max_depth = 64;
    with.reject_unlisted = model.reject_unlisted & 1;

    parts_clear(&in);
    parts_clear(&want);
    parts_clear(&model.stripped);
    parts_clear(&model.rejected);

    n = random_below(6);

    for (i = 0; i < n; i++) {
        make_part();
    }

    parts_put(&in, "--b--\r\n");
    parts_put(&want, "--b--\r\n");

    result = scan(&with, in.text, in.len);

    with_cuts += (result->ncuts > 0);
    refused += (result->status == OG_BODY_FORBIDDEN);

    if (result->status != (model.rejected.len ? OG_BODY_FORBIDDEN
                                              : OG_BODY_OK))
    {
        give_up("the status is another", model.rejected.text,
                result->message ? result->message : result->rejected);
    }

    if (model.stripped.len < 4000 && model.rejected.len < 4000) {
        compare("stripped", model.stripped.text, result->stripped);
        compare("rejected", model.rejected.text, result->rejected);
    }

    len = (size_t) (og_body_copy_kept((unsigned char *) kept, result,
                                      (unsigned char *) in.text, in.len)
                    - (unsigned char *) kept);
    kept[len] = '\0';
    compare("what is left", want.text, kept);

    check_broken(&with);

    og_fields_free((og_fields_t *) (uintptr_t) with.fields);
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

        check_round();
        seed++;
    }

    print_message("%zu forms, %zu with cuts, %zu forbidden; %zu parts cut\n",
                  rounds, with_cuts, refused, whole);

    if (rounds >= 1000) {
        assert_true(with_cuts > rounds / 4 && refused > rounds / 20
                    && whole > rounds / 4);
    }
}


static int
set_up(void **state)
{
    (void) state;

    scanner = og_scanner_create();
    media = multipart_media("b");

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

    return cmocka_run_group_tests_name("og_multipart random", tests, set_up,
                                       tear_down);
}
