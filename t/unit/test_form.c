
/*
 * Copyright (C) order guard contributors
 *
 * Forms and query strings: each case of t/unit/form, between two pages that
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "json_cases.h"
#include "og_form.h"


#define FORM_CASES  "t/unit/form"


typedef struct {
    const char           *form;
    const char           *name;
    const char           *value;      /* NULL: nothing is found */
} find_row_t;


typedef struct {
    const char           *what;
    const char           *begin;      /* in front of what is repeated */
    const char           *part;
    const char           *end;
} long_row_t;


static og_scanner_t   *scanner;
static unsigned char  *page_start;    /* nothing in front can be read */
static unsigned char  *page_end;      /* and nothing behind */
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


static og_form_kind_e
kind_of(const json_case_t *row)
{
    return (strncmp(row->file, "query", 5) == 0) ? OG_FORM_QUERY
                                                 : OG_FORM_BODY;
}


static void
check_kept(const json_case_t *row, const og_body_rules_t *rules,
    const og_body_result_t *result, const unsigned char *data)
{
    size_t              len;
    unsigned char       kept[JSON_CASE_SIZE], *end;
    const json_text_t  *out;

    end = og_body_copy_kept(kept, result, data, row->in.len);
    len = (size_t) (end - kept);
    out = row->out.given ? &row->out : &row->in;

    compare_number(row, "og_body_kept_length()", len,
                   og_body_kept_length(result, row->in.len));

    if (len != out->len || memcmp(kept, out->data, len) != 0) {
        kept[len] = '\0';
        complain(row, "out", (const char *) out->data, (const char *) kept);
    }

    if (result->status != OG_BODY_OK) {
        return;
    }

    result = og_form_scan(scanner, rules, kind_of(row), kept, len);
    compare_number(row, "cuts of what was kept", 0, result->ncuts);
    compare_number(row, "status of it", OG_BODY_OK, result->status);
}


static void
check_scan(const json_case_t *row, const og_body_rules_t *rules,
    const unsigned char *data)
{
    og_body_status_e         want;
    const og_body_result_t  *result;

    want = row->error[0] ? OG_BODY_MALFORMED
           : row->rejected[0] ? OG_BODY_FORBIDDEN : OG_BODY_OK;

    result = og_form_scan(scanner, rules, kind_of(row), data, row->in.len);

    compare_number(row, "status", want, result->status);
    compare(row, "error", row->error, result->message ? result->message : "");
    compare(row, "pointer", "", result->pointer);
    compare_number(row, "gaps", 0, result->ngaps);

    if (result->status == OG_BODY_MALFORMED) {
        compare_number(row, "offset", row->offset, result->offset);
        compare_number(row, "cuts", 0, result->ncuts);
        return;
    }

    compare(row, "stripped", row->stripped, result->stripped);
    compare(row, "rejected", row->rejected, result->rejected);
    check_kept(row, rules, result, data);
}


static void
check_case(const json_case_t *row)
{
    const char       *wrong;
    unsigned char    *data;
    og_body_rules_t   rules;

    memset(&rules, 0, sizeof(rules));
    rules.fields = json_case_fields(row, &wrong);
    rules.max_depth = row->depth;
    rules.reject_unlisted = row->reject_unlisted & 1;

    if (wrong != NULL) {
        complain(row, "rules", "", wrong);
        return;
    }

    /* what is read in front or behind ends the test by SIGSEGV */

    data = page_end - row->in.len;
    memcpy(data, row->in.data, row->in.len);
    check_scan(row, &rules, data);

    memcpy(page_start, row->in.data, row->in.len);
    check_scan(row, &rules, page_start);

    og_fields_free((og_fields_t *) (uintptr_t) rules.fields);
}


static void
test_cases(void **state)
{
    size_t  i, n;

    static const struct {
        const char  *file;
        size_t       least;
    } files[] = {
        { "cut.cases", 20 },
        { "rules.cases", 20 },
        { "refused.cases", 40 },
        { "frameworks.cases", 35 },
        { "query.cases", 15 },
        { "query-frameworks.cases", 10 }
    };

    (void) state;

    failures = 0;

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        n = json_cases(FORM_CASES, files[i].file, check_case);
        print_message("%s: %zu cases\n", files[i].file, n);
        assert_true(n >= files[i].least);
    }

    assert_int_equal(failures, 0);
}


/* Every byte in a name, in front and behind, as it is and escaped. */
static void
test_characters(void **state)
{
    char                     text[8];
    size_t                   i, at;
    int                      fine, special;
    unsigned                 c;
    og_form_kind_e           kind;
    og_body_rules_t          rules;
    const og_body_result_t  *result;
    static const char       *may_have[] = {
        "_-", "_-!\"#$'()*,/:<=>?@^`{|}~"
    };

    (void) state;

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = 8;

    for (i = 0; i < 256 * 8; i++) {
        c = i % 256;
        kind = (i & 256) ? OG_FORM_QUERY : OG_FORM_BODY;
        at = (i & 512) ? 0 : 1;

        snprintf(text, sizeof(text), (i & 512) ? "%%%02xa" : "a%%%02X", c);

        if (i & 1024) {
            snprintf(text, sizeof(text), "aa");
            text[at] = (char) c;
        }

        fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
               || (c >= '0' && c <= '9') || c == '.'
               || (c != '\0' && strchr(may_have[kind], (int) c))
               || (c == '!' && at == 0);

        /* these end a name, or begin something */

        special = (i & 1024) && (c == '&' || c == ';' || c == '='
                                 || c == '\0');

        result = og_form_scan(scanner, &rules, kind, (unsigned char *) text,
                              (text[1] == '\0' || text[0] == '\0')
                              ? 2 : strlen(text));

        if (!special && fine != (result->status == OG_BODY_OK)) {
            fail_msg("0x%02x in \"%s\", %s: %s", c, text,
                     kind ? "query" : "body", result->message);
        }
    }
}


static void
test_find(void **state)
{
    size_t         i, len;
    unsigned char  dst[64], *end;

    static const find_row_t  rows[] = {
        { "a=1&b=2", "a", "1" },
        { "a=1&b=2", "b", "2" },
        { "a=1;b=2", "b", "2" },
        { "a=1;b=2", "a", "1" },
        { "a=1", "b", NULL },
        { "a=1", "A", NULL },
        { "a=1", "", NULL },
        { "a=1", "a=1", NULL },
        { "ab=1", "a", NULL },
        { "a=1", "ab", NULL },
        { "", "a", NULL },
        { "", "", NULL },
        { "&&", "", NULL },
        { "a", "a", "" },
        { "a=", "a", "" },
        { "&a&", "a", "" },
        { "a==", "a", "=" },
        { "a=b=c", "a", "b=c" },
        { "a=1&a=2", "a", NULL },
        { "a=1&a", "a", NULL },
        { "a=1&%61=2", "a", NULL },
        { "%61=1", "a", "1" },
        { "a%5Bb%5d=1", "a[b]", "1" },
        { "a[b]=1", "a[b]", "1" },
        { "a+b=1", "a b", "1" },
        { "%=1", "%", NULL },
        { "a%6=1&a=2", "a", "2" },
        { "a=%61%2b%2B+%00x&b", "a", "a++ \0x" },
        { "a=%E0%B8%9E", "a", "\xe0\xb8\x9e" },
        { "a=%", "a", NULL },
        { "a=%4", "a", NULL },
        { "a=%4&b=1", "a", NULL },
        { "a=%4g", "a", NULL },
        { "a=%zz&b=1", "b", "1" },
        { "_method=PATCH&price=1", "_method", "PATCH" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        len = strlen(rows[i].form);
        memcpy(page_end - len, rows[i].form, len);

        end = og_form_find(dst, page_end - len, len, rows[i].name,
                           strlen(rows[i].name));

        if ((end == NULL) != (rows[i].value == NULL)) {
            fail_msg("%s in \"%s\": %sfound", rows[i].name, rows[i].form,
                     end ? "" : "not ");
        }

        if (end != NULL) {
            len = strlen(rows[i].value);
            len += (i == 27) ? 2 : 0;
            assert_int_equal(end - dst, len);
            assert_memory_equal(dst, rows[i].value, len);
        }
    }
}


static og_fields_t *
make_fields(og_field_action_e action, const char *rule)
{
    og_fields_t  *fields;

    fields = og_fields_create(OG_MATCH_LOOSE);
    assert_non_null(fields);
    assert_null(og_fields_add(fields, action, rule, strlen(rule)));
    assert_null(og_fields_compile(fields));

    return fields;
}


/* Pointers are listed whole, as far as there is room. */
static void
test_long_lists_end_in_dots(void **state)
{
    char                    *text;
    FILE                    *out;
    size_t                   i, len;
    og_fields_t             *fields;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    (void) state;

    out = open_memstream(&text, &len);

    for (i = 0; i < 1000; i++) {
        fprintf(out, "a&i[%zu].price=%zu&", i, i);
    }

    fclose(out);

    fields = make_fields(OG_FIELD_STRIP, "price");
    memset(&rules, 0, sizeof(rules));
    rules.fields = fields;
    rules.max_depth = 3;

    result = og_form_scan(scanner, &rules, OG_FORM_BODY,
                          (unsigned char *) text, len);

    assert_int_equal(result->status, OG_BODY_OK);
    assert_int_equal(result->ncuts, 1000);
    assert_memory_equal(result->stripped, "/i/0/price,/i/1/price,", 22);

    len = strlen(result->stripped);
    assert_true(len <= 4096 + 4 && len > 4000);
    assert_string_equal(result->stripped + len - 10, "/price,...");

    og_fields_free(fields);
    free(text);
}


static double
seconds_for(const og_body_rules_t *rules, const long_row_t *row, size_t len)
{
    double                   spent, least;
    size_t                   i, n;
    unsigned char           *text, *p;
    struct timespec          from, to;
    const og_body_result_t  *result;

    text = malloc(len);
    assert_non_null(text);

    n = strlen(row->begin);
    memcpy(text, row->begin, n);

    for (p = text + n; p < text + len - strlen(row->end); p++) {
        *p = (unsigned char) row->part[(size_t) (p - text - (ptrdiff_t) n)
                                       % strlen(row->part)];
    }

    memcpy(p, row->end, strlen(row->end));
    least = 1e9;

    /* the least of some is what others on the machine disturb least */

    for (i = 0; i < 5; i++) {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        result = og_form_scan(scanner, rules, OG_FORM_BODY, text, len);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);

        assert_true(result->status != OG_BODY_NO_MEMORY);

        spent = (double) (to.tv_sec - from.tv_sec)
                + (double) (to.tv_nsec - from.tv_nsec) / 1e9;
        least = (spent < least) ? spent : least;
    }

    free(text);

    return least;
}


/* A body 16 times as long may take 64 times as long, not 256. */
static void
test_time_is_linear(void **state)
{
    char              rule[32];
    double            small, large;
    size_t            i;
    og_fields_t      *fields;
    og_body_rules_t   rules;

    static const long_row_t  rows[] = {
        { "fields that stay", "", "a=1&", "" },
        { "fields that go", "", "price=1;", "" },
        { "fields that are set", "", "user_id=1&", "" },
        { "one that goes among others", "", "a=1&price=2&", "" },
        { "empty pairs", "", "&", "" },
        { "semicolons", "", ";", "" },
        { "a long name", "a", "b", "=" },
        { "a long name with escapes", "a", "%62", "" },
        { "a name with brackets", "a", "[b]", "=1" },
        { "a name with empty brackets", "price", "[]", "=1" },
        { "a name with indices", "a", "[0]", "=1" },
        { "a name with dots", "a", ".b", "=1" },
        { "a name with dots only", "", ".", "=1" },
        { "a name with _ in front", "", "_", "price=1" },
        { "a name with ! in front", "", "!", "price=1" },
        { "a name that is forbidden many times", "price", "[price]", "=1" },
        { "a name on the way of many rules", "m", "[m]", "=1" },
        { "a value with brackets", "a=", "[]", "" },
        { "a value with equals signs", "a", "=", "" },
        { "a value with escapes", "a=", "%5d", "" },
        { "names with brackets", "", "a[b]=1&", "" },
        { "escaped names", "", "%61%5Bb%5D=1&", "" }
    };

    (void) state;

    fields = og_fields_create(OG_MATCH_LOOSE);
    assert_non_null(fields);
    assert_null(og_fields_add(fields, OG_FIELD_STRIP, "price", 5));
    assert_null(og_fields_add(fields, OG_FIELD_SET, "user_id", 7));
    assert_null(og_fields_add(fields, OG_FIELD_STRIP, "/*/m/*/m/*/x", 12));

    for (i = 0; i < 200; i++) {
        snprintf(rule, sizeof(rule), "/m/*/m/*/n%zu", i);
        assert_null(og_fields_add(fields, OG_FIELD_STRIP, rule,
                                  strlen(rule)));
    }

    assert_null(og_fields_compile(fields));

    memset(&rules, 0, sizeof(rules));
    rules.fields = fields;
    rules.max_depth = SIZE_MAX;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        small = seconds_for(&rules, &rows[i], 20 * 1000 + 7);
        large = seconds_for(&rules, &rows[i], 16 * (20 * 1000 + 7));

        if (large > 64 * small + 0.001) {
            fail_msg("%s: %f s, %f s", rows[i].what, small, large);
        }

        if (large > 0.2) {
            fail_msg("%s: %f s", rows[i].what, large);
        }
    }

    og_fields_free(fields);
}


static int
set_up(void **state)
{
    size_t          size;
    unsigned char  *area;

    (void) state;

    size = (size_t) sysconf(_SC_PAGESIZE);
    area = mmap(NULL, 3 * size, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED
        || mprotect(area + size, size, PROT_READ|PROT_WRITE) != 0)
    {
        return -1;
    }

    page_start = area + size;
    page_end = area + 2 * size;
    scanner = og_scanner_create();

    return scanner ? 0 : -1;
}


static int
tear_down(void **state)
{
    size_t  size;

    (void) state;

    size = (size_t) sysconf(_SC_PAGESIZE);
    og_scanner_free(scanner);

    return munmap(page_start - size, 3 * size);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_long_lists_end_in_dots),
        cmocka_unit_test(test_time_is_linear),
    };

    return cmocka_run_group_tests_name("og_form", tests, set_up, tear_down);
}
