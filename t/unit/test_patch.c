
/*
 * Copyright (C) order guard contributors
 *
 * JSON Patch: each case of t/unit/patch, between two pages that cannot be
 * read, and what does not fit into a case.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "og_patch.h"
#include "json_cases.h"


#define FOLDER  "t/unit/patch"


typedef struct {
    unsigned char        *start;      /* of what can be read */
    unsigned char        *end;
} page_t;


static og_scanner_t   *scanner;
static page_t          page;
static unsigned        failures;


static void
complain(const json_case_t *row, const char *what, const char *want,
    const char *got)
{
    print_error("%s:%d: %s: %s: want \"%s\", got \"%s\"\n", row->file,
                row->line, row->name, what, want, got);
    failures++;
}


static void
compare(const json_case_t *row, const char *what, const char *want,
    const char *got)
{
    if (strcmp(want, got) != 0) {
        complain(row, what, want, got);
    }
}


static void
compare_number(const json_case_t *row, const char *what, size_t want,
    size_t got)
{
    char  a[32], b[32];

    snprintf(a, sizeof(a), "%zu", want);
    snprintf(b, sizeof(b), "%zu", got);

    compare(row, what, a, b);
}


/* Ranges must be in order, apart, not empty, and within the body. */
static void
check_ranges(const json_case_t *row, const char *what,
    const og_range_t *ranges, size_t nranges)
{
    size_t  i, last;

    last = 0;

    for (i = 0; i < nranges; i++) {

        if (ranges[i].start < last + (i > 0)
            || ranges[i].end <= ranges[i].start
            || ranges[i].end > row->in.len)
        {
            complain(row, what, "in order", "not so");
        }

        last = ranges[i].end;
    }
}


/* White space is found once, whatever is cut. */
static void
check_canonical(const json_case_t *row, const og_body_result_t *result,
    const unsigned char *data)
{
    size_t                   len, again;
    unsigned char            kept[JSON_CASE_SIZE], want[JSON_CASE_SIZE],
                             got[JSON_CASE_SIZE];
    og_body_rules_t          rules;

    len = (size_t) (og_body_copy_canonical(got, result, data, row->in.len)
                    - got);

    again = (size_t) (og_body_copy_kept(kept, result, data, row->in.len)
                      - kept);

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = row->depth;
    rules.find_gaps = 1;

    result = og_json_scan(scanner, &rules, kept, again);
    compare_number(row, "what is kept is JSON", OG_BODY_OK, result->status);

    again = (size_t) (og_body_copy_canonical(want, result, kept, again)
                      - want);

    if (len != again || memcmp(want, got, len) != 0) {
        complain(row, "canonical", "without white space", "another");
    }
}


/* What is kept passes as it is. */
static void
check_again(const json_case_t *row, const og_body_rules_t *rules)
{
    const json_text_t       *kept;
    const og_body_result_t  *result;

    kept = row->out.given ? &row->out : &row->in;
    result = og_patch_scan(scanner, rules, kept->data, kept->len);

    compare_number(row, "status again", OG_BODY_OK, result->status);
    compare(row, "stripped again", "", result->stripped);
    compare_number(row, "cuts again", 0, result->ncuts);
}


static void
check_scan(const json_case_t *row, const og_body_rules_t *rules,
    const unsigned char *data)
{
    size_t                   len;
    unsigned char            kept[JSON_CASE_SIZE + 1];
    og_body_status_e         want;
    const json_text_t       *out;
    const og_body_result_t  *result;

    want = row->error[0] ? OG_BODY_MALFORMED
           : row->rejected[0] ? OG_BODY_FORBIDDEN : OG_BODY_OK;

    result = og_patch_scan(scanner, rules, data, row->in.len);

    compare_number(row, "status", want, result->status);
    compare(row, "error", row->error, result->message ? result->message : "");
    compare(row, "pointer", row->pointer, result->pointer);
    compare_number(row, "offset", row->offset, result->offset);
    compare_number(row, "homes", 0, result->nhomes);

    compare(row, "stripped", row->stripped, result->stripped);
    compare(row, "rejected", row->rejected, result->rejected);
    check_ranges(row, "cuts", result->cuts, result->ncuts);
    check_ranges(row, "gaps", result->gaps, result->ngaps);

    out = row->out.given ? &row->out : &row->in;
    len = (size_t) (og_body_copy_kept(kept, result, data, row->in.len)
                    - kept);
    kept[len] = '\0';

    if (len != out->len || memcmp(kept, out->data, len) != 0) {
        complain(row, "out", (const char *) out->data, (char *) kept);
    }

    if (want == OG_BODY_MALFORMED) {
        compare_number(row, "cuts", 0, result->ncuts);
        compare_number(row, "gaps", 0, result->ngaps);
        return;
    }

    check_canonical(row, result, data);

    /* elements of value that are told by their index get another one */

    if (want == OG_BODY_OK && strstr(row->name, "elements of value") == NULL)
    {
        check_again(row, rules);
    }
}


static void
check_case(const json_case_t *row)
{
    const char       *wrong;
    unsigned char    *data;
    og_body_rules_t   rules;

    rules.fields = json_case_fields(row, &wrong);
    rules.max_depth = row->depth;
    rules.reject_unlisted = row->reject_unlisted & 1;
    rules.find_gaps = 1;

    if (wrong != NULL) {
        complain(row, "rules", "", wrong);
        return;
    }

    /* what is read in front or behind ends the test by SIGSEGV */

    data = page.end - row->in.len;
    memcpy(data, row->in.data, row->in.len);
    check_scan(row, &rules, data);

    memcpy(page.start, row->in.data, row->in.len);
    check_scan(row, &rules, page.start);

    og_fields_free((og_fields_t *) (uintptr_t) rules.fields);
}


static void
check_file(const char *file, size_t least)
{
    size_t  n;

    failures = 0;
    n = json_cases(FOLDER, file, check_case);

    print_message("%s: %zu cases\n", file, n);
    assert_true(n >= least);
    assert_int_equal(failures, 0);
}


static void
test_cuts(void **state)
{
    (void) state;

    check_file("cut.cases", 25);
}


static void
test_spellings(void **state)
{
    (void) state;

    check_file("spellings.cases", 10);
}


static void
test_what_is_unseen(void **state)
{
    (void) state;

    check_file("unseen.cases", 12);
}


static void
test_allow(void **state)
{
    (void) state;

    check_file("allow.cases", 10);
}


static void
test_reject(void **state)
{
    (void) state;

    check_file("reject.cases", 8);
}


static void
test_what_is_malformed(void **state)
{
    (void) state;

    check_file("refused.cases", 100);
}


static og_body_rules_t
rules_of(og_field_action_e action, const char *rule)
{
    og_fields_t      *fields;
    og_body_rules_t   rules;

    memset(&rules, 0, sizeof(rules));
    fields = og_fields_create(OG_MATCH_LOOSE);

    assert_non_null(fields);
    assert_null(og_fields_add(fields, action, rule, strlen(rule)));
    assert_null(og_fields_compile(fields));

    rules.fields = fields;
    rules.max_depth = 64;

    return rules;
}


static void
rules_free(og_body_rules_t *rules)
{
    og_fields_free((og_fields_t *) (uintptr_t) rules->fields);
}


/* What the gateway sets is stripped, and does not come back to its place. */
static void
test_no_homes(void **state)
{
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    static const char  text[] =
        "[{\"op\":\"add\",\"path\":\"\",\"value\":{\"user_id\":1}},"
        "{\"op\":\"add\",\"path\":\"/user_id\",\"value\":1}]";

    (void) state;

    rules = rules_of(OG_FIELD_SET, "user_id");
    result = og_patch_scan(scanner, &rules, (const unsigned char *) text,
                           sizeof(text) - 1);

    assert_int_equal(result->status, OG_BODY_OK);
    assert_string_equal(result->stripped, "/user_id,/user_id");
    assert_int_equal(result->nhomes, 0);

    rules_free(&rules);
}


/* Every prefix of a patch is malformed at its end, and reads no further. */
static void
test_prefixes(void **state)
{
    size_t                   i, len;
    unsigned char           *data;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    static const char  text[] =
        "[{\"value\":{\"price\":1,\"a\":[1.5]},\"path\":\"/a~1b/\\u0070\","
        "\"op\":\"add\"}, {\"op\":\"copy\",\"from\":\"/a/0\",\"path\":\"/x\"}]";

    (void) state;

    rules = rules_of(OG_FIELD_STRIP, "price");
    len = sizeof(text) - 1;

    for (i = 0; i <= len; i++) {
        data = page.end - i;
        memcpy(data, text, i);
        result = og_patch_scan(scanner, &rules, data, i);

        assert_int_equal(result->status, i < len ? OG_BODY_MALFORMED
                                                 : OG_BODY_OK);
        assert_true(result->offset <= i);
    }

    rules_free(&rules);
}


typedef struct {
    const char           *body;
    int                   is_one;
} one_row_t;


static void
test_is_one(void **state)
{
    size_t          i, len;
    unsigned char  *data;

    static const one_row_t  rows[] = {
        { "[{\"op\":\"add\",\"path\":\"/a\"}]", 1 },
        { " [ { \"path\" : \"\" , \"x\" : [ ] , \"op\" : \"\" } ] ", 1 },
        { "[{\"Op\":\"add\",\"PATH\":\"a\",\"value\":1}]", 1 },
        { "[{\"\\u006fp\":\"x\",\"pat\\u0048\":\"y\"}]", 1 },
        { "[1,[],\"a\",{},{\"op\":1,\"path\":\"\"},"
          "{\"op\":\"\",\"path\":\"\"}]", 1 },
        { "[{\"op\":\"add\",\"OP\":1,\"path\":\"/a\"}]", 1 },
        { "[]", 0 },
        { "[{}]", 0 },
        { "[{\"op\":\"add\"},{\"path\":\"/a\"}]", 0 },
        { "[{\"op\":\"add\",\"path\":[\"a\"]}]", 0 },
        { "[{\"op\":null,\"path\":\"/a\"}]", 0 },
        { "[{\"op\":\"add\",\"a\":{\"path\":\"/a\"}}]", 0 },
        { "[[{\"op\":\"add\",\"path\":\"/a\"}]]", 0 },
        { "{\"op\":\"add\",\"path\":\"/a\"}", 0 },
        { "{\"a\":[{\"op\":\"add\",\"path\":\"/a\"}]}", 0 },
        { "[\"op\",\"path\"]", 0 },
        { "[{\"op \":\"add\",\"path\":\"/a\"}]", 0 },
        { "[{\"o\":\"add\",\"opp\":\"b\",\"path\":\"/a\"}]", 0 },
        { "\"[{\\\"op\\\":\\\"add\\\",\\\"path\\\":\\\"/a\\\"}]\"", 0 },
        { "1", 0 },
        { "null", 0 }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        len = strlen(rows[i].body);
        data = page.end - len;
        memcpy(data, rows[i].body, len);

        if (og_patch_is_one(data, len) != rows[i].is_one) {
            fail_msg("%s", rows[i].body);
        }
    }
}


/* Lists end in dots when they are full, and no pointer is cut short. */
static void
test_long_lists(void **state)
{
    char                    *text;
    FILE                    *out;
    size_t                   i, len;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    (void) state;

    out = open_memstream(&text, &len);

    for (i = 0; i < 1000; i++) {
        fprintf(out, "%s{\"op\":\"add\",\"path\":\"/a%zu/price\","
                "\"value\":{\"price\":1}}", i ? "," : "[", i);
    }

    fprintf(out, ",{\"op\":\"add\",\"path\":\"/a\",\"value\":{\"price\":1}}]");
    fclose(out);

    rules = rules_of(OG_FIELD_STRIP, "price");
    result = og_patch_scan(scanner, &rules, (unsigned char *) text, len);

    assert_int_equal(result->status, OG_BODY_OK);
    assert_int_equal(result->ncuts, 2);
    assert_memory_equal(result->stripped, "/a0/price,/a1/price,", 20);

    len = strlen(result->stripped);
    assert_true(len <= 4096 + 4 && len > 4000);
    assert_string_equal(result->stripped + len - 10, "/price,...");

    rules_free(&rules);
    free(text);
}


static int
set_up(void **state)
{
    size_t          size;
    unsigned char  *area;

    (void) state;

    size = (size_t) sysconf(_SC_PAGESIZE);
    area = mmap(NULL, 3 * size, PROT_READ|PROT_WRITE,
                MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED || mprotect(area, size, PROT_NONE) != 0
        || mprotect(area + 2 * size, size, PROT_NONE) != 0)
    {
        return -1;
    }

    page.start = area + size;
    page.end = area + 2 * size;
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
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_what_is_unseen),
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_reject),
        cmocka_unit_test(test_what_is_malformed),
        cmocka_unit_test(test_no_homes),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_is_one),
        cmocka_unit_test(test_long_lists),
    };

    return cmocka_run_group_tests_name("og_patch", tests, set_up,
                                       tear_down);
}
