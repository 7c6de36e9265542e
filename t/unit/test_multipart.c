
/*
 * Copyright (C) order guard contributors
 *
 * Forms of many parts: each case of t/unit/multipart, between two pages that
 * cannot be read, and what does not fit into a case.
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

#include "og_multipart.h"
#include "json_cases.h"
#include "json_slow.h"
#include "multipart_text.h"


#define PAGES  16


typedef struct {
    unsigned char        *start;      /* of what can be read */
    unsigned char        *end;
} page_t;


static og_scanner_t  *scanner;
static og_media_t     media;
static page_t         page;
static unsigned       failures;


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


static og_body_status_e
status_of(const json_case_t *row)
{
    if (strcmp(row->error, "a part whose type is not understood") == 0
        || strcmp(row->error, "a part that is a JSON Patch") == 0)
    {
        return OG_BODY_UNSUPPORTED;
    }

    return row->error[0] ? OG_BODY_MALFORMED
           : row->rejected[0] ? OG_BODY_FORBIDDEN : OG_BODY_OK;
}


/* What is left is the case's, and a second pass finds nothing to cut. */
static void
check_kept(const json_case_t *row, const og_body_rules_t *rules,
    const og_body_result_t *result, const unsigned char *data, size_t len)
{
    size_t                want_len, kept_len;
    const json_text_t    *out;
    static unsigned char  want[MULTIPART_SIZE], kept[MULTIPART_SIZE];

    if (!slow_are_ranges(result->cuts, result->ncuts, len)) {
        complain(row, "cuts", "in order", "not so");
        return;
    }

    out = row->out.given ? &row->out : &row->in;
    want_len = multipart_text(want, out->data, out->len, NULL);

    kept_len = (size_t) (og_body_copy_kept(kept, result, data, len) - kept);

    if (want_len != kept_len || memcmp(want, kept, kept_len) != 0) {
        want[want_len] = '\0';
        kept[kept_len] = '\0';
        complain(row, "out", (char *) want, (char *) kept);
        return;
    }

    result = og_multipart_scan(scanner, rules, &media, kept, kept_len);

    if (result->status != OG_BODY_FORBIDDEN || row->rejected[0] == '\0') {
        compare_number(row, "status of what is left", OG_BODY_OK,
                       result->status);
    }

    compare_number(row, "cuts in what is left", 0, result->ncuts);
}


static void
check_scan(const json_case_t *row, const og_body_rules_t *rules,
    const unsigned char *data, size_t len, size_t mark)
{
    const og_body_result_t  *result;

    result = og_multipart_scan(scanner, rules, &media, data, len);

    compare_number(row, "status", status_of(row), result->status);
    compare(row, "error", row->error, result->message ? result->message : "");

    if (row->error[0]) {
        compare_number(row, "offset", mark == MULTIPART_NO_MARK
                                      ? result->offset : mark,
                       result->offset);
        compare_number(row, "cuts", 0, result->ncuts);

        if (row->pointer[0]) {
            compare(row, "pointer", row->pointer, result->pointer);
        }

        return;
    }

    compare(row, "pointer", "", result->pointer);
    compare(row, "stripped", row->stripped, result->stripped);
    compare(row, "rejected", row->rejected, result->rejected);
    check_kept(row, rules, result, data, len);
}


static og_body_rules_t
rules_of(const json_case_t *row)
{
    const char       *wrong;
    og_body_rules_t   rules;

    memset(&rules, 0, sizeof(rules));
    rules.fields = json_case_fields(row, &wrong);
    rules.max_depth = row->depth;
    rules.reject_unlisted = row->reject_unlisted & 1;
    rules.find_gaps = 1;

    if (wrong != NULL) {
        complain(row, "rules", "", wrong);
    }

    return rules;
}


static void
rules_free(og_body_rules_t *rules)
{
    og_fields_free((og_fields_t *) (uintptr_t) rules->fields);
}


static void
check_case(const json_case_t *row)
{
    size_t                len, mark;
    unsigned char        *data;
    og_body_rules_t       rules;
    static unsigned char  text[MULTIPART_SIZE];

    rules = rules_of(row);
    len = multipart_text(text, row->in.data, row->in.len, &mark);

    /* what is read in front or behind ends the test by SIGSEGV */

    data = page.end - len;
    memcpy(data, text, len);
    check_scan(row, &rules, data, len, mark);

    memcpy(page.start, text, len);
    check_scan(row, &rules, page.start, len, mark);

    rules_free(&rules);
}


static void
check_file(const char *file, size_t least, json_case_pt check)
{
    size_t  n;

    failures = 0;
    n = json_cases(MULTIPART_CASES, file, check);

    print_message("%s: %zu cases\n", file, n);
    assert_true(n >= least);
    assert_int_equal(failures, 0);
}


static void
test_clients(void **state)
{
    (void) state;

    check_file("clients.cases", 25, check_case);
}


static void
test_parsers(void **state)
{
    (void) state;

    check_file("parsers.cases", 60, check_case);
}


static void
test_names(void **state)
{
    (void) state;

    check_file("names.cases", 60, check_case);
}


static void
test_rules(void **state)
{
    (void) state;

    check_file("rules.cases", 30, check_case);
}


static void
test_json(void **state)
{
    (void) state;

    check_file("json.cases", 25, check_case);
}


/* No prefix of a body passes, but one that lacks the last line end. */
static void
check_prefixes(const json_case_t *row)
{
    size_t                   i, len;
    unsigned char           *data;
    og_body_rules_t          rules;
    const og_body_result_t  *result;
    static unsigned char     text[MULTIPART_SIZE];

    rules = rules_of(row);
    len = multipart_text(text, row->in.data, row->in.len, NULL);

    for (i = 0; i < len; i++) {
        data = page.end - i;
        memcpy(data, text, i);
        result = og_multipart_scan(scanner, &rules, &media, data, i);

        if (result->status == OG_BODY_OK
            && (i + 2 != len || memcmp(text + i, "\r\n", 2) != 0))
        {
            complain(row, "prefix", "refused", "passed");
        }

        if (result->offset > i) {
            complain(row, "offset", "within the body", "not so");
        }
    }

    rules_free(&rules);
}


static void
test_prefixes(void **state)
{
    (void) state;

    check_file("clients.cases", 25, check_prefixes);
    check_file("json.cases", 25, check_prefixes);
}


/* Pointers of parts that all go, more of them than are told. */
static void
test_long_lists(void **state)
{
    size_t                   i, len;
    char                    *body;
    FILE                    *out;
    json_case_t              row;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    (void) state;

    out = open_memstream(&body, &len);
    assert_non_null(out);

    for (i = 0; i < 3000; i++) {
        fprintf(out, "--b\r\nContent-Disposition: form-data; name=\"%s[x]\""
                "\r\nContent-Type: application/json\r\n\r\n"
                "{\"price\":{\"role\":1}}\r\n", (i % 3) ? "price" : "sku");
    }

    fprintf(out, "--b--");
    fclose(out);

    memset(&row, 0, sizeof(row));
    memcpy(row.strip, "price", 5);
    memcpy(row.reject, "role", 4);
    row.depth = 64;
    rules = rules_of(&row);

    result = og_multipart_scan(scanner, &rules, &media,
                               (unsigned char *) body, len);

    assert_int_equal(result->status, OG_BODY_FORBIDDEN);
    assert_int_equal(result->ncuts, 2000);

    assert_memory_equal(result->stripped, "/sku/x/price,/price/x,/price/x,"
                        "/sku/x/price,", 44);
    len = strlen(result->stripped);
    assert_true(len > 4000 && len <= 4100);
    assert_string_equal(result->stripped + len - 4, ",...");

    assert_memory_equal(result->rejected, "/sku/x/price/role,"
                        "/price/x/price/role,/price/x/price/role,"
                        "/sku/x/price/role,", 76);
    len = strlen(result->rejected);
    assert_true(len > 4000 && len <= 4100);
    assert_string_equal(result->rejected + len - 4, ",...");

    rules_free(&rules);
    free(body);
}


static int
set_up(void **state)
{
    size_t          size;
    unsigned char  *pages;

    (void) state;

    scanner = og_scanner_create();
    media = multipart_media("b");

    size = (size_t) sysconf(_SC_PAGESIZE);
    pages = mmap(NULL, (PAGES + 2) * size, PROT_NONE,
                 MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED
        || mprotect(pages + size, PAGES * size, PROT_READ|PROT_WRITE) != 0)
    {
        return -1;
    }

    page.start = pages + size;
    page.end = page.start + PAGES * size;

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
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_parsers),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_long_lists),
    };

    return cmocka_run_group_tests_name("og_multipart", tests, set_up,
                                       tear_down);
}
