
/*
 * Copyright (C) order guard contributors
 *
 * Errors whose parts stand in places that somebody has named.  The default
 * places are in test_envelope_cases.c.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_envelope.h"
#include "test_envelope.h"


#define PLACES  3


/* Places, a body and what is read; NULL: it is not there. */
typedef struct {
    const char           *name;
    unsigned              status;

    /* of each part; none: the default */
    const char           *code_at[PLACES];
    const char           *detail_at[PLACES];
    const char           *errors_at[PLACES];
    const char           *trace_id_at[PLACES];

    const char           *body;

    const char           *code;
    const char           *detail;
    const char           *errors;
    const char           *trace_id;
} row_t;


static const row_t  rows[] = {

    { "all of them", 400,
      { "/e/c" }, { "/e/m" }, { "/e/d" }, { "/e/t" },
      "{\"code\":\"NO\",\"message\":\"no\",\"errors\":[0],\"traceId\":\"no\","
      "\"e\":{\"c\":\"YES\",\"m\":\"yes\",\"d\":[1.10],\"t\":\"id\"}}",
      "YES", "yes", "[1.10]", "id" },

    { "none of them: the defaults", 400,
      { NULL }, { NULL }, { NULL }, { NULL },
      "{\"code\":\"A\",\"message\":\"m\",\"errors\":[0],\"traceId\":\"id\"}",
      "A", "m", "[0]", "id" },

    { "a default is no second choice", 400,
      { "/c" }, { "/m" }, { "/d" }, { "/t" },
      "{\"code\":\"A\",\"message\":\"m\",\"errors\":[0],\"traceId\":\"id\"}",
      NULL, NULL, NULL, NULL },

    { "only a code", 400,
      { "/c" }, { NULL }, { NULL }, { NULL },
      "{\"c\":\"C\",\"code\":\"A\",\"message\":\"m\",\"errors\":[0],"
      "\"traceId\":\"id\"}",
      "C", "m", "[0]", "id" },

    { "only a detail", 400,
      { NULL }, { "/m" }, { NULL }, { NULL },
      "{\"m\":\"M\",\"code\":\"A\",\"message\":\"m\",\"errors\":[0],"
      "\"traceId\":\"id\"}",
      "A", "M", "[0]", "id" },

    { "only details", 400,
      { NULL }, { NULL }, { "/d" }, { NULL },
      "{\"d\":[1],\"code\":\"A\",\"message\":\"m\",\"errors\":[0],"
      "\"traceId\":\"id\"}",
      "A", "m", "[1]", "id" },

    { "only a trace id", 400,
      { NULL }, { NULL }, { NULL }, { "/t" },
      "{\"t\":\"T\",\"code\":\"A\",\"message\":\"m\",\"errors\":[0],"
      "\"traceId\":\"id\"}",
      "A", "m", "[0]", "T" },

    { "the first that is there", 400,
      { "/x", "/y" }, { "/x", "/y" }, { "/v", "/w" }, { "/x", "/y" },
      "{\"y\":\"Y\",\"x\":\"X\",\"w\":[2],\"v\":[1]}",
      "X", "X", "[1]", "X" },

    { "or the second", 400,
      { "/x", "/y" }, { "/x", "/y" }, { "/v", "/w" }, { "/x", "/y" },
      "{\"y\":\"Y\",\"w\":[2]}",
      "Y", "Y", "[2]", "Y" },

    { "or the first that is of the kind", 400,
      { "/x", "/y" }, { "/x", "/y" }, { "/x", "/w" }, { "/x", "/y" },
      "{\"x\":null,\"y\":\"Y\",\"w\":{\"a\":1}}",
      "Y", "Y", "{\"a\":1}", "Y" },

    { "none is of the kind", 400,
      { "/x", "/y" }, { "/z", "/w" }, { "/x", "/w" }, { "/z", "/w" },
      "{\"x\":\"a b\",\"y\":[\"A\"],\"z\":\"\",\"w\":[ ]}",
      NULL, NULL, NULL, NULL },

    { "one place for two parts", 400,
      { "/x" }, { "/x" }, { NULL }, { "/x" },
      "{\"x\":\"A\"}",
      "A", "A", NULL, "A" },

    { "in arrays and behind escapes", 400,
      { "/errors/0/code" }, { "/a~1b/~0" }, { "/" }, { "/errors/1" },
      "{\"errors\":[{\"code\":\"A\"},\"id\"],\"a/b\":{\"~\":\"m\"},"
      "\"\":[1]}",
      "A", "m", "[1]", "id" },

    { "the root is no place for a text", 400,
      { "" }, { "" }, { NULL }, { "" }, "{\"code\":\"A\"}",
      NULL, NULL, NULL, NULL },

    { "but for details", 400,
      { NULL }, { NULL }, { "" }, { NULL }, "{\"code\":\"A\"}",
      "A", NULL, "{\"code\":\"A\"}", NULL },

    { "a number", 400,
      { "/c" }, { NULL }, { NULL }, { NULL }, "{\"c\":10023}",
      "10023", NULL, NULL, NULL },

    { "of nine digits", 400,
      { "/c" }, { NULL }, { NULL }, { NULL }, "{\"c\":999999999}",
      "999999999", NULL, NULL, NULL },

    { "of ten, a second choice", 400,
      { "/c", "/d" }, { NULL }, { NULL }, { NULL },
      "{\"c\":1000000000,\"d\":7}",
      "7", NULL, NULL, NULL },

    { "negative, or a fraction", 400,
      { "/c", "/d" }, { NULL }, { NULL }, { NULL },
      "{\"c\":-1,\"d\":1.0}",
      NULL, NULL, NULL, NULL },

    { "zero is no status of an error", 400,
      { "/c" }, { NULL }, { NULL }, { NULL }, "{\"c\":0}",
      "0", NULL, NULL, NULL },

    { "a number that is the status", 400,
      { "/c", "/d" }, { NULL }, { NULL }, { NULL },
      "{\"c\":400,\"d\":\"D\"}",
      "D", NULL, NULL, NULL },

    { "and a string that is", 400,
      { "/c" }, { NULL }, { NULL }, { NULL }, "{\"c\":\"400\"}",
      "400", NULL, NULL, NULL },

    { "/status, which somebody has named", 400,
      { "/status" }, { NULL }, { NULL }, { NULL }, "{\"status\":17}",
      "17", NULL, NULL, NULL },

    { "and nobody has", 400,
      { NULL }, { NULL }, { NULL }, { NULL }, "{\"status\":17}",
      NULL, NULL, NULL, NULL },

    { "gRPC's code", 400,
      { "/c" }, { NULL }, { NULL }, { NULL }, "{\"c\":3}",
      "INVALID_ARGUMENT", NULL, NULL, NULL },

    { "gRPC's last code", 401,
      { "/c" }, { NULL }, { NULL }, { NULL }, "{\"c\":16}",
      "UNAUTHENTICATED", NULL, NULL, NULL },

    { "gRPC's code beside another status", 409,
      { "/c" }, { NULL }, { NULL }, { NULL }, "{\"c\":3}",
      "3", NULL, NULL, NULL },

    { "no code of gRPC's", 401,
      { "/c" }, { NULL }, { NULL }, { NULL }, "{\"c\":17}",
      "17", NULL, NULL, NULL },

    { "a string is no code of gRPC's", 400,
      { "/c" }, { NULL }, { NULL }, { NULL }, "{\"c\":\"3\"}",
      "3", NULL, NULL, NULL },

    { "OAuth's code", 400,
      { NULL }, { NULL }, { NULL }, { NULL },
      "{\"error\":\"invalid_grant\",\"error_description\":\"m\"}",
      "invalid_grant", "m", NULL, NULL },

    { "only by default", 400,
      { "/c" }, { NULL }, { NULL }, { NULL },
      "{\"error\":\"invalid_grant\",\"error_description\":\"m\"}",
      NULL, "m", NULL, NULL },

    { "also where other parts have places", 400,
      { NULL }, { "/error" }, { "/d" }, { "/t" },
      "{\"error\":\"invalid_grant\",\"error_description\":\"m\"}",
      "invalid_grant", "invalid_grant", NULL, NULL },

    { "OAuth's code is not the status", 401,
      { NULL }, { NULL }, { NULL }, { NULL },
      "{\"error\":401,\"error_description\":\"m\"}",
      NULL, "m", NULL, NULL },

    { "not without a description", 400,
      { NULL }, { NULL }, { NULL }, { NULL },
      "{\"error\":\"invalid_grant\",\"error_description\":null}",
      NULL, "invalid_grant", NULL, NULL },

    { "a NUL is replaced", 400,
      { "/x" }, { "/x" }, { NULL }, { "/x" }, "{\"x\":\"a\\u0000b\"}",
      NULL, "a\xef\xbf\xbd" "b", NULL, "a\xef\xbf\xbd" "b" },
};


static void
check_part(const row_t *row, const char *part, const char *found,
    const char *expected)
{
    if (found == expected
        || (found && expected && strcmp(found, expected) == 0))
    {
        return;
    }

    fail_msg("%s: %s is %s, not %s", row->name, part,
             found ? found : "absent", expected ? expected : "absent");
}


static void
test_rows(void **state)
{
    size_t                i;
    const row_t          *row;
    og_problem_t          problem;
    og_problem_places_t   places;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row = &rows[i];
        problem = of_upstream(row->status);

        places.code = row->code_at[0] ? row->code_at : NULL;
        places.detail = row->detail_at[0] ? row->detail_at : NULL;
        places.errors = row->errors_at[0] ? row->errors_at : NULL;
        places.trace_id = row->trace_id_at[0] ? row->trace_id_at : NULL;

        assert_int_equal(og_problem_read(&problem, &places,
                                         (const unsigned char *) row->body,
                                         strlen(row->body)), 0);

        check_part(row, "code", problem.code, row->code);
        check_part(row, "detail", problem.detail, row->detail);
        check_part(row, "errors", problem.errors, row->errors);
        check_part(row, "trace_id", problem.trace_id, row->trace_id);

        og_problem_free(&problem);
        assert_null(problem.code);
    }
}


/* A list that is empty is no default. */

static void
test_empty_lists(void **state)
{
    og_problem_t         problem;
    og_problem_places_t  places;

    static const char  body[] = "{\"code\":\"A\",\"message\":\"m\","
                                "\"errors\":[0],\"traceId\":\"id\","
                                "\"error\":\"a\",\"error_description\":\"b\"}";

    static const char *const  none[] = { NULL };

    (void) state;

    places.code = places.detail = places.errors = places.trace_id = none;
    problem = of_upstream(400);

    assert_int_equal(og_problem_read(&problem, &places,
                                     (const unsigned char *) body,
                                     sizeof(body) - 1), 0);
    assert_null(problem.code);
    assert_null(problem.detail);
    assert_null(problem.errors);
    assert_null(problem.trace_id);

    og_problem_free(&problem);
}


/* The bounds are those of the default places. */

static void
test_bounds(void **state)
{
    char                 *body;
    size_t                i;
    og_problem_t          problem;

    static const char *const  here[] = { "/x", NULL };
    static const og_problem_places_t  places = { here, here, here, here };

    (void) state;

    for (i = 63; i <= 1026; i++) {
        body = malloc(i + 9);
        assert_non_null(body);
        memcpy(body, "{\"x\":\"", 6);
        memset(body + 6, 'a', i);
        memcpy(body + 6 + i, "\"}", 3);

        problem = of_upstream(400);
        assert_int_equal(og_problem_read(&problem, &places,
                                         (unsigned char *) body, i + 8), 0);
        free(body);

        assert_true((problem.code != NULL) == (i <= 64));
        assert_int_equal(strlen(problem.detail), i < 1024 ? i : 1024);
        assert_int_equal(strlen(problem.trace_id), i < 128 ? i : 128);
        assert_null(problem.errors);

        og_problem_free(&problem);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_empty_lists),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests_name("og_envelope places", tests, NULL,
                                       NULL);
}
