
/*
 * Copyright (C) order guard contributors
 *
 * Fields of forms and query strings that the gateway writes: scanned, cut,
 * written, in memory that ends where og_set_room() says.
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

#include "og_form.h"


#define SETS  4


/* What is set is "field=value", or "field=" where nothing is written. */
typedef struct {
    const char           *sets[SETS];
    const char           *strip;      /* a rule beside them, or NULL */
    const char           *in;
    const char           *out;        /* with append */
    const char           *query;      /* without; NULL: the same */
} set_row_t;


typedef struct {
    const char           *set;
    const char           *in;
    int                   has_place;
} place_row_t;


static const set_row_t  set_rows[] = {

    /* what has no home is added at the end */

    { { "a=1" }, NULL, "", "a=1", "" },
    { { "a=1" }, NULL, "b=2", "b=2&a=1", "b=2" },
    { { "a=1", "b=2" }, NULL, "", "a=1&b=2", "" },
    { { "a=1", "b=2" }, NULL, "c", "c&a=1&b=2", "c" },
    { { "a=1" }, NULL, "&", "&&a=1", "&" },
    { { "a=1" }, NULL, "b=2;", "b=2;&a=1", "b=2;" },

    /* what has one is put there */

    { { "a=1" }, NULL, "a=x", "a=1", NULL },
    { { "a=1" }, NULL, "a", "a=1", NULL },
    { { "a=1" }, NULL, "a=x&b=2", "a=1&b=2", NULL },
    { { "a=1" }, NULL, "b=2&a=x", "b=2&a=1", NULL },
    { { "a=1" }, NULL, "b=2&a=x&c=3", "b=2&a=1&c=3", NULL },
    { { "a=1" }, NULL, "b=2;a=x;c=3;d", "b=2&a=1&c=3;d", NULL },
    { { "a=1", "b=" }, NULL, "c;a=x;b=y;d", "c&a=1&d", NULL },
    { { "a=1", "b=2" }, NULL, "c;a=x;b=y;d", "c&a=1&b=2&d", NULL },
    { { "a=1" }, NULL, "a=x;;c", "a=1&;c", NULL },
    { { "a=1" }, NULL, "c&a=x;d;e", "c&a=1&d;e", NULL },
    { { "a=1" }, NULL, "a=x;c=3", "a=1&c=3", NULL },
    { { "a=1" }, NULL, "a=x&b=2&a=y&a=z", "a=1&b=2", NULL },
    { { "a=1" }, NULL, "b=2&_A=x&c=3", "b=2&a=1&c=3", NULL },
    { { "user_id=1" }, NULL, "b&userId=x", "b&user_id=1", NULL },
    { { "user_id=1" }, NULL, "b&user.id=x&c", "b&user_id=1&c", NULL },

    /* several at one place */

    { { "a=1", "b=2" }, NULL, "a=x&b=y", "a=1&b=2", NULL },
    { { "a=1", "b=2" }, NULL, "b=y&a=x", "b=2&a=1", NULL },
    { { "a=1", "b=2" }, NULL, "a=x&b=y&c", "a=1&b=2&c", NULL },
    { { "a=1", "b=2" }, NULL, "c&b=y&a=x", "c&b=2&a=1", NULL },
    { { "a=1", "b=2" }, NULL, "c&b=y&a=x&d", "c&b=2&a=1&d", NULL },
    { { "a=1", "b=2" }, NULL, "b=y&c&a=x&d", "b=2&c&a=1&d", NULL },
    { { "a=1", "b=2", "c=3" }, NULL, "x&b=y", "x&b=2&a=1&c=3",
      "x&b=2" },
    { { "a=1", "b=2", "c=3" }, NULL, "c&b&a&c&x&b", "c=3&b=2&a=1&x",
      NULL },

    /* among empty pairs and what is stripped */

    { { "a=1" }, NULL, "&a=x", "&a=1", NULL },
    { { "a=1" }, NULL, "a=x&", "a=1", NULL },
    { { "a=1" }, NULL, "a=x&&", "a=1&&", NULL },
    { { "a=1", "b=2" }, NULL, "a=x&&b=y&c", "a=1&b=2&c", NULL },
    { { "a=1", "b=2" }, NULL, "a=x&&b=y", "a=1&b=2", NULL },
    { { "a=1" }, "p", "p=0&a=x&p=0&c&p=0", "a=1&c", NULL },
    { { "a=1" }, "p", "c&p=0&a=x&p=0&d&p=0", "c&a=1&d", NULL },
    { { "a=1", "b=2" }, "p", "p&b=x&p&a=x&p", "b=2&a=1", NULL },
    { { "a=1", "b=2" }, "p", "x&p&b=x&p&a=x&p&y", "x&b=2&a=1&y", NULL },

    /* what is empty stays away */

    { { "a=" }, NULL, "", "", NULL },
    { { "a=" }, NULL, "a=x", "", NULL },
    { { "a=" }, NULL, "a=x&b", "b", NULL },
    { { "a=" }, NULL, "b&a=x", "b", NULL },
    { { "a=", "b=2" }, NULL, "a=x&b=y&c", "b=2&c", NULL },
    { { "a=1", "b=" }, NULL, "a=x&b=y&c", "a=1&c", NULL },
    { { "a=1", "b=" }, NULL, "c&a=x&b=y&d", "c&a=1&d", NULL },
    { { "a=", "b=2" }, NULL, "c", "c&b=2", "c" },

    /* only unreserved characters stand for themselves */

    { { "a=AZaz09-._~" }, NULL, "a", "a=AZaz09-._~", NULL },
    { { "a= +&;=%" }, NULL, "a", "a=%20%2B%26%3B%3D%25", NULL },
    { { "a=[]{}!*'()/?:@,$" }, NULL, "a",
      "a=%5B%5D%7B%7D%21%2A%27%28%29%2F%3F%3A%40%2C%24", NULL },
    { { "a=\xe0\xb8\x9e\x01\x7f" }, NULL, "a", "a=%E0%B8%9E%01%7F",
      NULL },
    { { "a b&c=1" }, NULL, "", "a%20b%26c=1", "" },
    { { "n\xc3\xa9=1" }, NULL, "", "n%C3%A9=1", "" },
    { { "a[b]=1" }, NULL, "", "a%5Bb%5D=1", "" },

    /* pointers are names in brackets */

    { { "/a=1" }, NULL, "a=x&b", "a=1&b", NULL },
    { { "/a/b=1" }, NULL, "", "a%5Bb%5D=1", "" },
    { { "/a/b=1" }, NULL, "x&a[b]=x&a.c=2", "x&a%5Bb%5D=1&a.c=2", NULL },
    { { "/a/b=1" }, NULL, "a.b=x&c", "a%5Bb%5D=1&c", NULL },
    { { "/a/b/c=1" }, NULL, "x", "x&a%5Bb%5D%5Bc%5D=1", "x" },
    { { "/a~1b/~0/c d=1" }, NULL, "", "a%2Fb%5B~%5D%5Bc%20d%5D=1", "" },

    /* a bare name is cut at any depth, and written at the root */

    { { "a=1" }, NULL, "b[a]=x&c", "c&a=1", "c" },
    { { "a=1" }, NULL, "b[a]=x&a=y&c", "a=1&c", NULL },
    { { "a=1" }, NULL, "c&a[b]=x", "c&a=1", "c" }
};


static og_scanner_t  *scanner;


/* Reads what is to be set; returns how many there are. */
static size_t
read_sets(og_set_t *sets, og_fields_t *fields, const char *const *texts)
{
    size_t       n;
    const char  *equals;

    for (n = 0; n < SETS && texts[n] != NULL; n++) {
        equals = strchr(texts[n], '=');
        assert_non_null(equals);

        sets[n].field = texts[n];
        sets[n].field_len = (size_t) (equals - texts[n]);
        sets[n].type = OG_SET_STRING;
        sets[n].value = (const unsigned char *) equals + 1;
        sets[n].value_len = strlen(equals + 1);

        assert_null(og_fields_add(fields, OG_FIELD_SET, sets[n].field,
                                  sets[n].field_len));
    }

    return n;
}


/*
 * Writes the sets into what is kept of a form.  NULL where one has no place;
 * else the caller frees what is returned.
 */
static char *
written(const char *const *texts, const char *strip, const char *in,
    int append)
{
    size_t                   n, len, room;
    og_set_t                 sets[SETS];
    og_fields_t             *fields;
    unsigned char           *body;
    const og_set_t          *homeless;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    fields = og_fields_create(OG_MATCH_LOOSE);
    assert_non_null(fields);
    n = read_sets(sets, fields, texts);

    if (strip != NULL) {
        assert_null(og_fields_add(fields, OG_FIELD_STRIP, strip,
                                  strlen(strip)));
    }

    assert_null(og_fields_compile(fields));

    memset(&rules, 0, sizeof(rules));
    rules.fields = fields;
    rules.max_depth = 8;

    result = og_form_scan(scanner, &rules,
                          append ? OG_FORM_BODY : OG_FORM_QUERY,
                          (const unsigned char *) in, strlen(in));
    assert_int_equal(result->status, OG_BODY_OK);

    len = og_body_kept_length(result, strlen(in));
    room = og_set_room(sets, n);

    /* not a byte more, for AddressSanitizer to see */

    body = malloc(len + room + (len + room == 0));
    assert_non_null(body);
    (void) og_body_copy_kept(body, result, (const unsigned char *) in,
                             strlen(in));

    homeless = og_form_set(body, &len, result->homes, result->nhomes, sets, n,
                           append);

    og_fields_free(fields);

    if (homeless != NULL) {
        assert_true(homeless >= sets && homeless < sets + n);
        free(body);
        return NULL;
    }

    body = realloc(body, len + 1);
    assert_non_null(body);
    body[len] = '\0';

    return (char *) body;
}


static void
test_sets(void **state)
{
    int               append;
    char             *got;
    size_t            i;
    unsigned          failures;
    const char       *want;
    const set_row_t  *row;

    (void) state;

    failures = 0;

    for (i = 0; i < 2 * sizeof(set_rows) / sizeof(set_rows[0]); i++) {
        append = (int) (i % 2);
        row = &set_rows[i / 2];
        want = (!append && row->query) ? row->query : row->out;

        got = written(row->sets, row->strip, row->in, append);

        if (got == NULL || strcmp(got, want) != 0) {
            print_error("%s in \"%s\"%s: want \"%s\", got \"%s\"\n",
                        row->sets[0], row->in, append ? "" : " (query)", want,
                        got ? got : "none");
            failures++;
        }

        free(got);
    }

    assert_int_equal(failures, 0);
}


/* What stands on the way to a field hides it from some parsers. */
static void
test_places(void **state)
{
    char        *got;
    size_t       i;
    const char  *texts[SETS];

    static const place_row_t  rows[] = {
        { "/a/b=1", "", 1 },
        { "/a/b=1", "a=x", 0 },
        { "/a/b=1", "a", 0 },
        { "/a/b=1", "%61=x", 0 },
        { "/a/b=1", "x&a=x;y", 0 },
        { "/a/b=1", "a[]=x", 0 },
        { "/a/b=1", ".a=x", 0 },
        { "/a/b=1", "a[c]=x", 1 },
        { "/a/b=1", "a.c=x", 1 },
        { "/a/b=1", "aa=x&b=y&c[a]=z&A=0", 1 },
        { "/a/b=1", "a[b]=x", 1 },
        { "/a/b=1", "x=a&y=%&a2", 1 },
        { "/a/b/c=1", "a[b]=x", 0 },
        { "/a/b/c=1", "a.b=x", 0 },
        { "/a/b/c=1", "[a][b]=x", 0 },
        { "/a/b/c=1", "a=x", 0 },
        { "/a/b/c=1", "a[bb]=x", 1 },
        { "/a/b/c=1", "ab=x", 1 },
        { "/a/b/c=1", "a[b][d]=x", 1 },
        { "/a/b=1", "&&;", 1 },
        { "/ab/c/d=1", "a[c]=x", 1 },
        { "/a-b/c=1", "%61%2db=x", 0 },
        { "/a-b/c=1", "a=x", 1 },
        { "/a/b=", "a=x", 1 },
        { "a=1", "b=x", 1 },
        { "/a=1", "b=x", 1 }
    };

    (void) state;

    memset(texts, 0, sizeof(texts));

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        texts[0] = rows[i].set;

        got = written(texts, NULL, rows[i].in, 1);

        if ((got != NULL) != rows[i].has_place) {
            fail_msg("%s in \"%s\": \"%s\"", rows[i].set, rows[i].in,
                     got ? got : "none");
        }

        free(got);

        /* what is not written needs no place */

        got = written(texts, NULL, rows[i].in, 0);

        if (got == NULL && strstr(rows[i].in, "b") == NULL) {
            fail_msg("%s in \"%s\"", rows[i].set, rows[i].in);
        }

        free(got);
    }
}


/* The set that has no place is told, and only where it is to be written. */
static void
test_places_where_there_is_a_home(void **state)
{
    char               *got;
    static const char  *texts[] = { "x=0", "/a/b=1", NULL, NULL };

    (void) state;

    assert_null(written(texts, NULL, "a[b]=x&a=y", 0));
    assert_null(written(texts, NULL, "a[b]=x&a=y", 1));

    got = written(texts, NULL, "a=y&x=1", 0);
    assert_string_equal(got, "a=y&x=0");
    free(got);
}


/* Many sets into a large body: each byte is moved a few times at most. */
static void
test_time_is_linear(void **state)
{
    char            (*names)[16];
    size_t            i, len, n;
    clock_t           from;
    og_set_t         *sets;
    og_home_t        *homes;
    unsigned char    *body;
    const size_t      nsets = 400, kept = 4 * 1000 * 1000;

    (void) state;

    sets = calloc(nsets, sizeof(og_set_t));
    homes = calloc(nsets, sizeof(og_home_t));
    names = calloc(nsets, sizeof(*names));
    assert_true(sets != NULL && homes != NULL && names != NULL);

    for (i = 0; i < nsets; i++) {
        n = (size_t) snprintf(names[i], sizeof(names[i]), "n%zu", i);
        sets[i].field = names[i];
        sets[i].field_len = n;
        sets[i].value = (const unsigned char *) "value";
        sets[i].value_len = 5;

        homes[i].set = i;
        homes[i].at = 1 + i * 1000;
        homes[i].behind = 1;
    }

    body = malloc(kept + og_set_room(sets, nsets));
    assert_non_null(body);
    memset(body, 'x', kept);
    len = kept;

    for (i = 0; i < nsets; i++) {
        body[homes[i].at] = ';';
    }

    from = clock();
    assert_null(og_form_set(body, &len, homes, nsets, sets, nsets, 1));
    assert_true(clock() - from < CLOCKS_PER_SEC / 4);

    assert_true(len > kept + nsets * 8);
    assert_memory_equal(body + len - 3, "xxx", 3);
    assert_memory_equal(body, "x&n0=value&x", 12);

    free(body);
    free(names);
    free(homes);
    free(sets);
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
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_places_where_there_is_a_home),
        cmocka_unit_test(test_time_is_linear),
    };

    return cmocka_run_group_tests_name("og_form_set", tests, set_up,
                                       tear_down);
}
