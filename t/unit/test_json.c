
/*
 * Copyright (C) order guard contributors
 *
 * The JSON cutter: each case of t/unit/json, between two pages that cannot be
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

#include "og_json.h"
#include "og_set.h"
#include "json_cases.h"
#include "json_slow.h"


typedef struct {
    unsigned char        *start;      /* of what can be read */
    unsigned char        *end;
} page_t;


static const char     *folder = JSON_CASES;
static og_scanner_t   *json;
static page_t          page;
static page_t          copy;          /* for what is written */
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


static void
compare_text(const json_case_t *row, const char *what,
    const unsigned char *want, size_t want_len, const unsigned char *got,
    size_t len)
{
    char  a[JSON_CASE_SIZE + 1], b[JSON_CASE_SIZE + 1];

    if (len == want_len && memcmp(want, got, len) == 0) {
        return;
    }

    snprintf(a, sizeof(a), "%.*s", (int) want_len, (const char *) want);
    snprintf(b, sizeof(b), "%.*s", (int) len, (const char *) got);
    complain(row, what, a, b);
}


/* Copies have room for not a byte more than they need. */
static void
check_copies(const json_case_t *row, const og_body_result_t *result,
    const unsigned char *data)
{
    size_t              len;
    unsigned char       want[JSON_CASE_SIZE], kept[JSON_CASE_SIZE], *dst;
    const json_text_t  *out;

    if (!slow_are_ranges(result->cuts, result->ncuts, row->in.len)
        || !slow_are_ranges(result->gaps, result->ngaps, row->in.len))
    {
        complain(row, "ranges", "in order", "not so");
        return;
    }

    len = slow_copy_without(kept, result->cuts, result->ncuts, data,
                            row->in.len);
    compare_number(row, "og_body_kept_length()", len,
                   og_body_kept_length(result, row->in.len));

    dst = copy.end - len;

    if (og_body_copy_kept(dst, result, data, row->in.len) != copy.end) {
        complain(row, "og_body_copy_kept()", "the end", "another place");
    }

    out = row->out.given ? &row->out : &row->in;
    compare_text(row, "out", out->data, out->len, dst, len);
    compare_text(row, "slow copy", kept, len, dst, len);

    len = slow_compact(want, kept, len);
    dst = copy.end - len;

    if (og_body_copy_canonical(dst, result, data, row->in.len) != copy.end) {
        complain(row, "og_body_copy_canonical()", "the end", "another place");
    }

    compare_text(row, "canonical", want, len, dst, len);
}


/* The gateway's fields have room for not a byte more, too. */
static void
check_sets(const json_case_t *row, const og_body_result_t *result,
    const unsigned char *data)
{
    char             field[JSON_CASE_SIZE];
    size_t           len, nsets;
    og_set_t         sets[JSON_CASE_SETS];
    unsigned char   *body;
    const og_set_t  *homeless;

    nsets = json_case_sets(row->set, sets);
    len = og_body_kept_length(result, row->in.len);
    body = copy.end - og_set_room(sets, nsets) - len;
    (void) og_body_copy_kept(body, result, data, row->in.len);

    homeless = og_json_set(body, &len, result->homes, result->nhomes, sets,
                           nsets);
    field[0] = '\0';

    if (homeless != NULL) {
        snprintf(field, sizeof(field), "%.*s", (int) homeless->field_len,
                 homeless->field);
    }

    compare(row, "homeless", row->homeless, field);

    if (homeless == NULL) {
        compare_text(row, "written", row->written.data, row->written.len,
                     body, len);
    }
}


static void
check_scan(const json_case_t *row, const og_body_rules_t *rules,
    const unsigned char *data)
{
    og_body_status_e         want;
    const og_body_result_t  *result;

    want = row->error[0] ? OG_BODY_MALFORMED
           : row->rejected[0] ? OG_BODY_FORBIDDEN : OG_BODY_OK;

    result = og_json_scan(json, rules, data, row->in.len);

    compare_number(row, "status", want, result->status);
    compare(row, "error", row->error, result->message ? result->message : "");

    if (result->status == OG_BODY_MALFORMED) {
        compare_number(row, "offset", row->offset, result->offset);
        compare(row, "pointer", row->pointer, result->pointer);
        compare_number(row, "cuts", 0, result->ncuts);
        compare_number(row, "gaps", 0, result->ngaps);
        compare_number(row, "homes", 0, result->nhomes);
        return;
    }

    compare(row, "pointer", "", result->pointer);
    compare(row, "stripped", row->stripped, result->stripped);
    compare(row, "rejected", row->rejected, result->rejected);
    check_copies(row, result, data);

    if (row->set[0] != '\0' && want == OG_BODY_OK) {
        check_sets(row, result, data);
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
    n = json_cases(folder, file, check_case);

    print_message("%s: %zu cases\n", file, n);
    assert_true(n >= least);
    assert_int_equal(failures, 0);
}


static void
test_cuts(void **state)
{
    (void) state;

    check_file("cut.cases", 40);
}


static void
test_spellings(void **state)
{
    (void) state;

    check_file("spellings.cases", 15);
}


static void
test_allow(void **state)
{
    (void) state;

    check_file("allow.cases", 25);
}


static void
test_reject(void **state)
{
    (void) state;

    check_file("reject.cases", 10);
}


static void
test_sets(void **state)
{
    (void) state;

    check_file("set.cases", 30);
}


static void
test_what_is_malformed(void **state)
{
    (void) state;

    check_file("refused.cases", 90);
}


static void
test_what_is_json(void **state)
{
    (void) state;

    check_file("accepted.cases", 20);
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


/* Every prefix of a document is malformed at its end, and reads no further. */
static void
test_prefixes(void **state)
{
    size_t                   i, len;
    unsigned char           *data;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    static const char  text[] = "{\"name\":[1.5e3,true,null,\"\\u00e9"
                                "\xe0\xb8\x9e\xf0\x9f\x98\x80\"],"
                                "\"a longer name than a vector\":{}}";

    (void) state;

    rules = rules_of(OG_FIELD_STRIP, "price");
    len = sizeof(text) - 1;

    for (i = 0; i <= len; i++) {
        data = page.end - i;
        memcpy(data, text, i);
        result = og_json_scan(json, &rules, data, i);

        assert_int_equal(result->status, i < len ? OG_BODY_MALFORMED
                                                 : OG_BODY_OK);
        assert_true(result->offset <= i);
    }

    rules_free(&rules);
}


/* Each byte of a string, at every distance from a vector's bounds. */
static void
test_strings_by_length(void **state)
{
    size_t                   i, len;
    unsigned char           *data;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    (void) state;

    memset(&rules, 0, sizeof(rules));

    for (len = 2; len < 70; len++) {
        data = page.end - len;
        memset(data, 'x', len);
        data[0] = '"';
        data[len - 1] = '"';

        result = og_json_scan(json, &rules, data, len);
        assert_int_equal(result->status, OG_BODY_OK);

        for (i = 1; i < len - 1; i++) {
            data[i] = 0x1F;
            result = og_json_scan(json, &rules, data, len);
            assert_int_equal(result->status, OG_BODY_MALFORMED);
            assert_int_equal(result->offset, i);

            data[i] = 0x80;
            result = og_json_scan(json, &rules, data, len);
            assert_int_equal(result->status, OG_BODY_MALFORMED);
            assert_int_equal(result->offset, i);

            data[i] = 'x';
        }
    }
}


/* No stack grows with the depth, whatever depth is allowed. */
static void
test_a_million_levels(void **state)
{
    size_t                   n;
    unsigned char           *data;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    (void) state;

    n = 1000 * 1000;
    data = malloc(2 * n);
    assert_non_null(data);
    memset(data, '[', n);
    memset(data + n, ']', n);

    rules = rules_of(OG_FIELD_STRIP, "/*/*/*/x");
    rules.max_depth = n;
    result = og_json_scan(json, &rules, data, 2 * n);
    assert_int_equal(result->status, OG_BODY_OK);

    rules.max_depth = n - 1;
    result = og_json_scan(json, &rules, data, 2 * n);
    assert_int_equal(result->status, OG_BODY_MALFORMED);
    assert_int_equal(result->offset, n - 1);
    assert_string_equal(result->pointer, "...");

    rules_free(&rules);
    free(data);
}


/* n names, the last of which is n with that number, around others. */
static char *
text_of_names(size_t n, size_t inner, size_t last, size_t *len)
{
    char    *text;
    FILE    *out;
    size_t   i, k;

    out = open_memstream(&text, len);
    fputc('{', out);

    for (i = 0; i < n; i++) {
        fprintf(out, "\"n%zu\":{\"n0\":0", i);

        for (k = 1; k < inner; k++) {
            fprintf(out, ",\"n%zu\":0", k);
        }

        fprintf(out, "},");
    }

    fprintf(out, "\"\\u006e%zu\":0}", last);
    fclose(out);

    return text;
}


static void
check_names(size_t n, size_t inner, size_t last, og_body_status_e status)
{
    char                    *text;
    size_t                   len;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = 2;

    text = text_of_names(n, inner, last, &len);
    result = og_json_scan(json, &rules, (unsigned char *) text, len);

    assert_int_equal(result->status, status);

    if (status == OG_BODY_MALFORMED) {
        assert_string_equal(result->message, "a name is repeated");
    }

    free(text);
}


/* Objects of all sizes around those at which tables are made and grow. */
static void
test_repeated_names_by_count(void **state)
{
    size_t  i, n, inner;

    static const size_t  sizes[] = {
        1, 2, 15, 16, 17, 18, 31, 32, 33, 63, 64, 65, 1000, 50000
    };

    (void) state;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        n = sizes[i];

        for (inner = 1; inner < 80 && inner * n < 60000; inner += 13) {
            check_names(n, inner, n, OG_BODY_OK);
            check_names(n, inner, 0, OG_BODY_MALFORMED);
            check_names(n, inner, n / 2, OG_BODY_MALFORMED);
            check_names(n, inner, n - 1, OG_BODY_MALFORMED);
        }
    }
}


/* A result holds until the next pass, and leaves nothing to it. */
static void
test_passes_are_independent(void **state)
{
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    static const unsigned char  good[] = "{\"price\":1,\"a\":{\"b\":2}}";
    static const unsigned char  bad[] = "{\"a\":{\"price\":1,\"b\":[2,{";

    (void) state;

    rules = rules_of(OG_FIELD_STRIP, "price");

    result = og_json_scan(json, &rules, bad, sizeof(bad) - 1);
    assert_int_equal(result->status, OG_BODY_MALFORMED);
    assert_string_equal(result->pointer, "/a/b/1");

    result = og_json_scan(json, &rules, good, sizeof(good) - 1);
    assert_int_equal(result->status, OG_BODY_OK);
    assert_int_equal(result->ncuts, 1);
    assert_null(result->message);
    assert_string_equal(result->pointer, "");
    assert_string_equal(result->stripped, "/price");

    rules_free(&rules);

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = 64;

    result = og_json_scan(json, &rules, good, sizeof(good) - 1);
    assert_int_equal(result->status, OG_BODY_OK);
    assert_int_equal(result->ncuts, 0);
    assert_string_equal(result->stripped, "");

    result = og_json_scan(json, &rules, NULL, 0);
    assert_int_equal(result->status, OG_BODY_MALFORMED);
}


/* They cost something, and are found for a fingerprint only. */
static void
test_gaps_are_found_when_asked_for(void **state)
{
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    static const unsigned char  text[] = " {\n\"a\" :[ ]\t, \"b\": 1 }\r";

    (void) state;

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = 64;
    rules.find_gaps = 1;

    result = og_json_scan(json, &rules, text, sizeof(text) - 1);
    assert_int_equal(result->status, OG_BODY_OK);
    assert_int_equal(result->ngaps, 9);
    assert_int_equal(result->gaps[8].start, sizeof(text) - 2);
    assert_int_equal(result->gaps[8].end, sizeof(text) - 1);

    rules.find_gaps = 0;
    result = og_json_scan(json, &rules, text, sizeof(text) - 1);
    assert_int_equal(result->status, OG_BODY_OK);
    assert_int_equal(result->ngaps, 0);
}


/* A page between two that cannot be read. */
static int
make_page(page_t *between)
{
    size_t          size;
    unsigned char  *area;

    size = (size_t) sysconf(_SC_PAGESIZE);
    area = mmap(NULL, 3 * size, PROT_READ|PROT_WRITE,
                MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED || mprotect(area, size, PROT_NONE) != 0
        || mprotect(area + 2 * size, size, PROT_NONE) != 0)
    {
        return -1;
    }

    between->start = area + size;
    between->end = area + 2 * size;

    return 0;
}


static int
set_up(void **state)
{
    (void) state;

    json = og_scanner_create();

    return (json && make_page(&page) == 0 && make_page(&copy) == 0) ? 0 : -1;
}


static int
tear_down(void **state)
{
    (void) state;

    og_scanner_free(json);
    og_scanner_free(NULL);

    return 0;
}


int
main(int argc, char **argv)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_reject),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_what_is_malformed),
        cmocka_unit_test(test_what_is_json),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_strings_by_length),
        cmocka_unit_test(test_a_million_levels),
        cmocka_unit_test(test_repeated_names_by_count),
        cmocka_unit_test(test_passes_are_independent),
        cmocka_unit_test(test_gaps_are_found_when_asked_for),
    };

    if (argc > 1) {
        folder = argv[1];
    }

    return cmocka_run_group_tests_name("og_json", tests, set_up, tear_down);
}
