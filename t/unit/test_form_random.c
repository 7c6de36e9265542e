
/*
 * Copyright (C) order guard contributors
 *
 * Forms against a model: forms and rules are made up, what is left of a form
 * is compared with what a slow, obvious reading of names leaves.  A failure
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

#include "form_model.h"
#include "og_form.h"


#define TEXT    4096
#define FIELDS  12


/* A field as it is made up: its name is heads, then brackets, then tails. */
typedef struct {
    char                  separator;  /* in front of it */
    char                  name[FORM_NAME];
    char                  sent[4 * FORM_NAME];
    int                   malformed;
} field_t;


static const char  *tokens[] = {
    "price", "order", "items", "user_id", "x", "a.b"
};

static const char  *spellings[] = {
    "price", "PRICE", "Pri-ce", "order", "Order", "items", "userId",
    "user_id", "USER-ID", "user", "id", "x", "X", "a", "b", "a_b", "0", "17",
    "y"
};

static const char  *malformed[] = {
    "", "a[", "a]", "a[b", "a[[b]]", "[]a", "a[][]", "a[][7]", ".", "a b",
    "a%", "a%2", "%zz", "a:b", "\xc5\xbfku", "_charset_", "a[b].c.d.e.f.g"
};

static const char  *values[] = {
    "", "=", "=1", "=price", "==", "=%", "=a=b", "=[1]", "=%26price%3D1",
    "=\xff", "=?price", "=a+b"
};


static uint64_t       seed;
static uint64_t       state_of_random;
static og_scanner_t  *scanner;
static form_rules_t   rules;
static field_t        fields[FIELDS];
static size_t         nfields;
static char           text[TEXT];

/* a generator that makes nothing of interest must be noticed */
static size_t         forms, with_cuts, whole, refused, broken;


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
give_up(const char *what, const char *more)
{
    size_t  i;

    print_error("OG_SEED=%llu: %s %s\n%s\n", (unsigned long long) seed, what,
                more, text);

    for (i = 0; i < rules.nrules; i++) {
        print_error("rule %d: %s\n", (int) rules.rules[i].action,
                    rules.rules[i].text);
    }

    fail();
}


/* Writes src and returns its length. */
static size_t
put(char *dst, const char *src)
{
    size_t  len;

    len = strlen(src);
    memcpy(dst, src, len + 1);

    return len;
}


/* What is to be left of the form, and how the scan is to end. */
static og_body_status_e
expect(char *out)
{
    int                 any, kept;
    char               *p;
    size_t              i;
    og_body_status_e    status;
    og_field_verdict_e  verdict;

    p = out;
    any = 0;
    kept = 0;
    status = OG_BODY_OK;

    for (i = 0; i < nfields; i++) {

        if (fields[i].malformed) {
            return OG_BODY_MALFORMED;
        }

        /* an "&" anywhere between two that stay parts them */

        any |= (fields[i].separator == '&');
        verdict = OG_FIELD_PASSES;

        if (fields[i].sent[0] != '\0') {
            verdict = form_verdict(&rules, fields[i].name);
        }

        if (verdict == OG_FIELD_REJECTED) {
            status = OG_BODY_FORBIDDEN;

        } else if (verdict != OG_FIELD_PASSES) {
            continue;
        }

        if (kept) {
            *p++ = any ? '&' : ';';
        }

        p += put(p, fields[i].sent);
        kept = 1;
        any = 0;
    }

    *p = '\0';

    return status;
}


static void
make_rule(form_rule_t *rule)
{
    size_t  i, at;

    memset(rule, 0, sizeof(form_rule_t));
    rule->action = (og_field_action_e) random_below(4);
    rule->bare = (random_below(2) == 0);
    rule->ntokens = rule->bare ? 1 : 1 + random_below(3);
    at = 0;

    for (i = 0; i < rule->ntokens; i++) {
        snprintf(rule->tokens[i], FORM_NAME, "%s",
                 pick(tokens));

        if (!rule->bare && rule->action != OG_FIELD_SET
            && random_below(3) == 0)
        {
            snprintf(rule->tokens[i], FORM_NAME, "*");
        }

        at += (size_t) snprintf(rule->text + at, sizeof(rule->text) - at,
                                "%s%s", rule->bare ? "" : "/",
                                rule->tokens[i]);
    }

    if (rule->action == OG_FIELD_ALLOW && !rule->bare
        && random_below(4) == 0)
    {
        rule->all_below = 1;
        snprintf(rule->text + at, sizeof(rule->text) - at, "/**");
    }
}


/* Makes up rules until they do not contradict one another. */
static og_fields_t *
make_rules(void)
{
    size_t        i;
    const char   *wrong;
    form_rule_t  *rule;
    og_fields_t  *made;

    for ( ;; ) {
        rules.match = (og_match_e) random_below(3);
        rules.nrules = 1 + random_below(FORM_RULES);
        made = og_fields_create(rules.match);
        assert_non_null(made);

        for (i = 0; i < rules.nrules; i++) {
            rule = &rules.rules[i];
            make_rule(rule);
            wrong = og_fields_add(made, rule->action, rule->text,
                                  strlen(rule->text));
            assert_null(wrong);
        }

        if (og_fields_compile(made) == NULL) {
            return made;
        }

        og_fields_free(made);
    }
}


/*
 * Text between brackets, and dots in them, are left to the cases: parsers
 * differ, and all that they make of it counts.
 */
static void
make_name(char *name)
{
    char    *p;
    size_t   n;

    p = name;

    if (random_below(8) == 0) {
        p += put(p, &"!!__"[random_below(4)]);
    }

    p += put(p, pick(spellings));

    for (n = random_below(4) / 2; n > 0; n--) {
        *p++ = '.';
        p += put(p, pick(spellings));
    }

    for (n = random_below(4) / 2; n > 0; n--) {
        *p++ = '[';
        p += put(p, pick(spellings));
        *p++ = ']';
    }

    if (random_below(6) == 0) {
        p += put(p, "[]");
    }

    if (random_below(6) == 0) {
        *p++ = '.';
        p += put(p, pick(spellings));
    }

    *p = '\0';
}


static size_t
escape(char *dst, const char *name)
{
    char    *p;
    size_t   one_of;

    p = dst;
    one_of = (random_below(3) == 0) ? 1 + random_below(4) : 0;

    for ( /* void */ ; *name; name++) {

        if (one_of > 0 && random_below(one_of) == 0) {
            p += snprintf(p, 4, random_below(2) ? "%%%02x" : "%%%02X",
                          (unsigned char) *name);

        } else {
            *p++ = *name;
        }
    }

    *p = '\0';

    return (size_t) (p - dst);
}


static void
make_form(int may_be_malformed)
{
    char     *p;
    size_t    i;
    field_t  *field;

    p = text;
    nfields = 1 + random_below(FIELDS);

    for (i = 0; i < nfields; i++) {
        field = &fields[i];
        memset(field, 0, sizeof(field_t));

        if (i > 0) {
            field->separator = random_below(3) ? '&' : ';';
        }

        if (may_be_malformed && random_below(3) == 0) {
            field->malformed = 1;
            snprintf(field->sent, sizeof(field->sent), "%s=",
                     pick(malformed));

        } else if (random_below(10) > 0) {
            make_name(field->name);
            put(field->sent + escape(field->sent, field->name),
                pick(values));
        }

        /* names with dots or brackets stand alone between "&" */

        if (i > 0 && (strpbrk(field->name, ".[") != NULL
                      || strpbrk(fields[i - 1].name, ".[") != NULL))
        {
            field->separator = '&';
        }

        if (i > 0) {
            *p++ = field->separator;
        }

        p += put(p, field->sent);
    }

    *p = '\0';
}


static void
check_ranges(const og_body_result_t *result, size_t len)
{
    size_t  i;

    for (i = 0; i < result->ncuts; i++) {

        if (result->cuts[i].start >= result->cuts[i].end
            || result->cuts[i].end > len
            || (i > 0 && result->cuts[i].start < result->cuts[i - 1].end))
        {
            give_up("ranges that are none", "");
        }
    }
}


static void
check_form(const og_body_rules_t *scan_rules, const char *want,
    og_body_status_e status)
{
    size_t                   i, len, offset;
    static unsigned char     kept[TEXT];
    const og_body_result_t  *result;

    len = strlen(text);
    result = og_form_scan(scanner, scan_rules, OG_FORM_BODY,
                          (const unsigned char *) text, len);

    if (result->status != status) {
        give_up("another status:", result->message ? result->message : "");
    }

    if (status == OG_BODY_MALFORMED) {
        offset = 0;

        for (i = 0; !fields[i].malformed; i++) {
            offset += strlen(fields[i].sent) + 1;
        }

        broken++;

        if (result->offset != offset || result->ncuts > 0) {
            give_up("another offset, or cuts:", result->message);
        }

        return;
    }

    check_ranges(result, len);

    forms++;
    with_cuts += (result->ncuts > 0);
    whole += (result->ncuts > 0 && *want == '\0');
    refused += (status == OG_BODY_FORBIDDEN);

    len = (size_t) (og_body_copy_kept(kept, result,
                                      (const unsigned char *) text, len)
                    - kept);

    if (len != strlen(want) || memcmp(kept, want, len) != 0) {
        kept[len] = '\0';
        print_error("want %s\ngot  %s\n", want, (char *) kept);
        give_up("another rest", "");
    }

    result = og_form_scan(scanner, scan_rules, OG_FORM_BODY, kept, len);

    if (result->status != status || result->ncuts > 0) {
        give_up("what is left is cut again", "");
    }
}


static void
test_against_the_model(void **state)
{
    size_t            i, rounds;
    const char       *given;
    static char       want[TEXT];
    og_fields_t      *made;
    og_body_rules_t   scan_rules;
    og_body_status_e  status;

    (void) state;

    given = getenv("OG_ROUNDS");
    rounds = given ? strtoul(given, NULL, 10) : 20000;

    given = getenv("OG_SEED");
    seed = given ? strtoull(given, NULL, 10)
                 : (uint64_t) time(NULL) * 1000003;

    print_message("OG_SEED=%llu\n", (unsigned long long) seed);

    for (i = 0; i < rounds; i++) {
        state_of_random = seed * 0x9E3779B97F4A7C15 + 1;

        made = make_rules();
        make_form(random_below(8) == 0);
        status = expect(want);

        memset(&scan_rules, 0, sizeof(scan_rules));
        scan_rules.fields = made;
        scan_rules.max_depth = 6;

        check_form(&scan_rules, want, status);
        og_fields_free(made);
        seed++;
    }

    print_message("%zu forms, %zu with cuts, %zu wholly cut, %zu forbidden; "
                  "%zu malformed\n", forms, with_cuts, whole, refused, broken);

    if (rounds >= 1000) {
        assert_true(forms > rounds / 2 && with_cuts > rounds / 4
                    && whole > rounds / 50 && refused > rounds / 20
                    && broken > rounds / 50);
    }
}


static int
set_up(void **state)
{
    (void) state;

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

    return cmocka_run_group_tests_name("og_form random", tests, set_up,
                                       tear_down);
}
