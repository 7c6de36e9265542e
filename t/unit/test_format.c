
/*
 * Copyright (C) order guard contributors
 *
 * Formats of error envelopes: rows for what is accepted, refused and made of
 * them.  What is in a format already is in test_format_matches.c.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_format.h"
#include "test_envelope.h"
#include "test_format.h"


#define ABSENT            .retryable = OG_TRI_ABSENT,                         \
                          .safe_new_key = OG_TRI_ABSENT

#define ALL_PARTS         "{\"s\":\"$status\",\"c\":\"$code\","              \
                          "\"m\":\"$message\",\"d\":\"$details\","            \
                          "\"t\":\"$trace_id\",\"o\":\"$origin\","            \
                          "\"r\":\"$retryable\",\"k\":\"$safe_new_key\"}"

#define NO_PART           "this is no part of an error: \"$status\", "        \
                          "\"$code\", \"$message\", \"$details\", "           \
                          "\"$trace_id\", \"$origin\", \"$retryable\" and "   \
                          "\"$safe_new_key\" are"

#define NOT_WHOLE         "a part of an error must be the whole string"

#define NOT_AN_OBJECT     "it must be an object"


/* What is made of a format. */
typedef struct {
    const char           *name;
    const char           *format;
    og_problem_t          problem;
    const char           *text;
} render_row_t;


/* error is NULL where any will do: it is another test's. */
typedef struct {
    const char           *format;
    size_t                offset;
    const char           *error;
} refused_row_t;


static const render_row_t  render_rows[] = {

    { "every part", ALL_PARTS,
      { .status = 422, .code = "CARD_DECLINED", .detail = "No money.",
        .errors = "[{\"field\": \"card\", \"n\": 1.10}]",
        .trace_id = "abc-1", .from_upstream = 1, .retryable = OG_TRI_TRUE,
        .safe_new_key = OG_TRI_FALSE },
      "{\"s\":422,\"c\":\"CARD_DECLINED\",\"m\":\"No money.\","
      "\"d\":[{\"field\": \"card\", \"n\": 1.10}],\"t\":\"abc-1\","
      "\"o\":\"upstream\",\"r\":true,\"k\":false}" },

    { "what is absent is null, or what the status says", ALL_PARTS,
      { .status = 404, ABSENT },
      "{\"s\":404,\"c\":\"NOT_FOUND\",\"m\":\"Not Found\",\"d\":null,"
      "\"t\":null,\"o\":\"gateway\",\"r\":null,\"k\":null}" },

    { "what is empty likewise", ALL_PARTS,
      { .status = 503, .detail = "", .errors = "", .trace_id = "",
        .retryable = OG_TRI_FALSE, .safe_new_key = OG_TRI_TRUE },
      "{\"s\":503,\"c\":\"SERVICE_UNAVAILABLE\","
      "\"m\":\"Service Unavailable\",\"d\":null,\"t\":null,"
      "\"o\":\"gateway\",\"r\":false,\"k\":true}" },

    { "an unknown status", "{\"a\":[\"$status\",\"$code\",\"$message\"]}",
      { .status = 599, ABSENT },
      "{\"a\":[599,\"ERROR\",\"Error\"]}" },

    { "the title is no part", ALL_PARTS,
      { .status = 400, .code = "X", .title = "Own title",
        .type_base = "urn:x:", ABSENT },
      "{\"s\":400,\"c\":\"X\",\"m\":\"Bad Request\",\"d\":null,"
      "\"t\":null,\"o\":\"gateway\",\"r\":null,\"k\":null}" },

    { "nested, in arrays, and more than once",
      "{\"error\":{\"code\":\"$status\",\"errors\":[{\"reason\":\"$code\","
      "\"text\":[\"$message\",[\"$message\",\"$code\"]]}]},"
      "\"code\":\"$code\"}",
      { .status = 409, .code = "A", .detail = "m", ABSENT },
      "{\"error\":{\"code\":409,\"errors\":[{\"reason\":\"A\","
      "\"text\":[\"m\",[\"m\",\"A\"]]}]},\"code\":\"A\"}" },

    { "parts side by side", "{\"a\":[\"$code\",\"$code\",\"$status\"]}",
      { .status = 400, .code = "AB", ABSENT },
      "{\"a\":[\"AB\",\"AB\",400]}" },

    { "no part at all", "{\"ok\":false}", { .status = 400, ABSENT },
      "{\"ok\":false}" },

    { "nothing at all", "{}", { .status = 400, ABSENT }, "{}" },

    { "empty containers",
      "{\"a\":{},\"b\":[],\"c\":[[],{}],\"d\":[ ],\"e\":{ }}",
      { .status = 400, ABSENT },
      "{\"a\":{},\"b\":[],\"c\":[[],{}],\"d\":[],\"e\":{}}" },

    { "white space goes, but in strings",
      " \t\r\n{ \"a b\" :\t[ 1 ,\r\n\"x  y\" , \"$code\" ,true ] , \"c\": "
      "null\n, \"d\" : \"$status\" }\n ",
      { .status = 400, .code = "A", ABSENT },
      "{\"a b\":[1,\"x  y\",\"A\",true],\"c\":null,\"d\":400}" },

    { "every kind of literal",
      "{\"a\":true,\"b\":false,\"c\":null,\"d\":-0.50e+1,\"e\":\"\","
      "\"f\":0}",
      { .status = 400, ABSENT },
      "{\"a\":true,\"b\":false,\"c\":null,\"d\":-0.50e+1,\"e\":\"\","
      "\"f\":0}" },

    { "every digit of a number",
      "{\"a\":123456789012345678901234567890.00010,\"b\":1E400,\"c\":[-0,"
      "0.10]}",
      { .status = 400, ABSENT },
      "{\"a\":123456789012345678901234567890.00010,\"b\":1E400,\"c\":[-0,"
      "0.10]}" },

    { "literals keep their escapes",
      "{\"\\u0061\\\"\\\\\":\"\\/\\u00e9\\ud83d\\ude00\\\"]},\"}",
      { .status = 400, ABSENT },
      "{\"\\u0061\\\"\\\\\":\"\\/\\u00e9\\ud83d\\ude00\\\"]},\"}" },

    { "a name is no part", "{\"$code\":\"$code\",\"$none\":1,\"a$code\":2}",
      { .status = 400, .code = "A", ABSENT },
      "{\"$code\":\"A\",\"$none\":1,\"a$code\":2}" },

    { "a dollar in a string, and one that is escaped",
      "{\"a\":\"costs $5\",\"b\":\"code $\",\"c\":\"\\u0024code\"}",
      { .status = 400, .code = "A", ABSENT },
      "{\"a\":\"costs $5\",\"b\":\"code $\",\"c\":\"\\u0024code\"}" },

    { "texts are escaped", ALL_PARTS,
      { .status = 400, .code = "\"", .detail = "\"}\\/\n\x7f\x1f",
        .trace_id = "\x01\t", ABSENT },
      "{\"s\":400,\"c\":\"\\\"\",\"m\":\"\\\"}\\\\/\\n\x7f\\u001F\","
      "\"d\":null,\"t\":\"\\u0001\\t\",\"o\":\"gateway\",\"r\":null,"
      "\"k\":null}" },

    { "invalid UTF-8 is replaced",
      "{\"a\":[\"$code\",\"$message\",\"$trace_id\"]}",
      { .status = 400, .code = "\xff",
        .detail = "\xc3\xa9\xc3|\xed\xa0\x80|\xc0\xaf",
        .trace_id = "\xf4\x90\x80\x80", ABSENT },
      "{\"a\":[\"\xef\xbf\xbd\",\"\xc3\xa9\xef\xbf\xbd|\xef\xbf\xbd"
      "\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\","
      "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]}" },

    { "texts with parts in them are texts",
      "{\"a\":[\"$code\",\"$message\",\"$trace_id\"]}",
      { .status = 400, .code = "$message", .detail = "$code",
        .trace_id = "$status", ABSENT },
      "{\"a\":[\"$message\",\"$code\",\"$status\"]}" },

    { "details with parts in them are details", "{\"a\":\"$details\"}",
      { .status = 400, .errors = "[\"$code\"]", ABSENT },
      "{\"a\":[\"$code\"]}" },

    { "details that are an object", "{\"a\":[\"$details\",\"$details\"]}",
      { .status = 400, .errors = "{\"a\":12345678901234567890.10}",
        ABSENT },
      "{\"a\":[{\"a\":12345678901234567890.10},"
      "{\"a\":12345678901234567890.10}]}" },

    { "details that are empty", "{\"a\":\"$details\"}",
      { .status = 400, .errors = "[]", ABSENT }, "{\"a\":[]}" },

    { "details that are a scalar", "{\"a\":\"$details\"}",
      { .status = 400, .errors = "\"text\"", ABSENT }, "{\"a\":null}" },

    { "details that would break out", "{\"a\":\"$details\"}",
      { .status = 400, .errors = "[]},{\"a\":[]", ABSENT },
      "{\"a\":null}" },

    { "details that are no JSON", "{\"a\":\"$details\"}",
      { .status = 400, .errors = "[1,", ABSENT }, "{\"a\":null}" },
};


static const refused_row_t  refused_rows[] = {

    { "", 0, NULL },
    { " ", 1, NULL },
    { "{\"a\":1", 6, NULL },
    { "{\"a\":1}x", 7, NULL },
    { "{\"a\":1,}", 7, NULL },
    { "{\n\"a\": tru }", 7, NULL },
    { "{\"a\":01}", 6, NULL },
    { "{'a':1}", 1, NULL },
    { "{\"a\":\"\xff\"}", 6, NULL },
    { "{\"a\":1,\"\\u0061\":2}", 7, NULL },
    { "\xef\xbb\xbf{}", 0, NULL },

    { "[]", 0, NOT_AN_OBJECT },
    { "[\"$code\"]", 0, NOT_AN_OBJECT },
    { "\"$code\"", 0, NOT_AN_OBJECT },
    { " null", 0, NOT_AN_OBJECT },
    { "1", 0, NOT_AN_OBJECT },

    { "{\"a\":\"$word\"}", 5, NO_PART },
    { "{\"a\":\"$\"}", 5, NO_PART },
    { "{\"a\":\"$Code\"}", 5, NO_PART },
    { "{\"a\":\"$cod\"}", 5, NO_PART },
    { "{\"a\":\"$5\"}", 5, NO_PART },
    { "{ \"a\" : [ 1,\n \"$title\" ] }", 14, NO_PART },
    { "{\"ok\":\"$code\",\"a\":{\"b\":\"$detail\"}}", 23, NO_PART },

    { "{\"a\":\"x $code\"}", 5, NOT_WHOLE },
    { "{\"a\":\"$code \"}", 5, NOT_WHOLE },
    { "{\"a\":\"$code$status\"}", 5, NOT_WHOLE },
    { "{\"a\":\"$$code\"}", 5, NOT_WHOLE },
    { "{\"a\":\"$codes\"}", 5, NOT_WHOLE },
    { "{\"a\":\"\\\"$safe_new_key\\\"\"}", 5, NOT_WHOLE },
    { "{\"a\":[\"Error $status: $message\"]}", 6, NOT_WHOLE },
    { "{\"a\":\"-$message\"}", 5, NOT_WHOLE },
    { "{\"a\":\"-$details\"}", 5, NOT_WHOLE },
    { "{\"a\":\"-$trace_id\"}", 5, NOT_WHOLE },
    { "{\"a\":\"-$origin\"}", 5, NOT_WHOLE },
    { "{\"a\":\"-$retryable\"}", 5, NOT_WHOLE },
    { "{\"a\":\"-$status\"}", 5, NOT_WHOLE },
};


static void
test_rendering(void **state)
{
    size_t               i;
    char                *text;
    og_format_t         *format;
    const render_row_t  *row;

    (void) state;

    for (i = 0; i < sizeof(render_rows) / sizeof(render_rows[0]); i++) {
        row = &render_rows[i];

        format = format_of(row->format, strlen(row->format));
        text = render_format(format, &row->problem);
        check_text(row->name, text, row->text, strlen(row->text));

        free(text);
        og_format_free(format);
    }
}


static void
test_refusing(void **state)
{
    size_t                offset;
    const char           *error;
    unsigned char        *copy;
    const refused_row_t  *row, *end;

    (void) state;

    end = refused_rows + sizeof(refused_rows) / sizeof(refused_rows[0]);

    for (row = refused_rows; row < end; row++) {
        copy = exact_copy(row->format, strlen(row->format));
        error = NULL;
        offset = SIZE_MAX;

        if (og_format_create(copy, strlen(row->format), &error, &offset)) {
            fail_msg("%s: is accepted", row->format);
        }

        free(copy);

        if (error == NULL || *error == '\0' || offset != row->offset
            || (row->error && strcmp(error, row->error) != 0))
        {
            fail_msg("%s: at %zu: %s", row->format, offset, error);
        }
    }
}


/* A value in objects, or in arrays in one, of that many levels. */

static size_t
nest(char *text, size_t levels, int arrays, const char *value)
{
    size_t  i, len;

    len = 0;

    for (i = 0; i < levels; i++) {
        memcpy(text + len, i && arrays ? "[    " : "{\"a\":", 5);
        len += 5;
    }

    memcpy(text + len, value, strlen(value));
    len += strlen(value);

    while (i-- > 0) {
        text[len++] = i && arrays ? ']' : '}';
    }

    return len;
}


static void
test_levels(void **state)
{
    int            arrays;
    char          *text, nested[200];
    size_t         len, offset;
    const char    *error;
    og_format_t   *format;
    og_problem_t   problem;

    (void) state;

    problem = of_upstream(400);

    for (arrays = 0; arrays < 2; arrays++) {
        len = nest(nested, 16, arrays, "\"$code\"");
        format = format_of(nested, len);
        text = render_format(format, &problem);

        assert_non_null(strstr(text, arrays ? "[\"BAD_REQUEST\"]"
                                            : ":\"BAD_REQUEST\"}"));
        assert_true(matches(format, 400, text, strlen(text)));

        free(text);
        og_format_free(format);

        len = nest(nested, 17, arrays, "\"$code\"");
        error = NULL;

        assert_null(og_format_create((unsigned char *) nested, len, &error,
                                     &offset));
        assert_non_null(error);
        assert_int_equal(offset, 16 * 5);
    }
}


static void
test_size(void **state)
{
    char          *text, *rendered;
    size_t         offset;
    const char    *error;
    og_format_t   *format;
    og_problem_t   problem;

    (void) state;

    problem = of_upstream(400);

    text = malloc(16385);
    assert_non_null(text);
    memset(text, 'a', 16385);
    memcpy(text, "{\"", 2);
    memcpy(text + 16384 - 10, "\":\"$code\"}", 10);

    format = format_of(text, 16384);
    rendered = render_format(format, &problem);
    assert_int_equal(strlen(rendered), 16384 - 5 + strlen("BAD_REQUEST"));
    assert_true(matches(format, 400, rendered, strlen(rendered)));

    free(rendered);
    og_format_free(format);

    text[16384] = ' ';
    error = NULL;
    offset = SIZE_MAX;

    assert_null(og_format_create((unsigned char *) text, 16385, &error,
                                 &offset));
    assert_string_equal(error, "it is longer than 16384 bytes");
    assert_int_equal(offset, 0);

    free(text);
}


/* As many pointers, escapes and holes as 16384 bytes have room for. */

static void
test_many(void **state)
{
    char          *text, *rendered, *p;
    size_t         i;
    og_format_t   *format;
    og_problem_t   problem;

    (void) state;

    problem = of_upstream(400);
    problem.code = "A";

    text = malloc(16384);
    assert_non_null(text);

    p = text;
    memcpy(p, "{\"", 2);
    p += 2;

    for (i = 0; i < 4000; i++) {
        *p++ = i % 2 ? '~' : '/';
    }

    memcpy(p, "\":[\"$code\"", 10);
    p += 10;

    for (i = 1; i < 1500; i++) {
        memcpy(p, ",\"$code\"", 8);
        p += 8;
    }

    memcpy(p, "]}", 2);
    p += 2;

    format = format_of(text, (size_t) (p - text));
    rendered = render_format(format, &problem);
    assert_int_equal(strlen(rendered), (size_t) (p - text) - 1500 * 4);
    assert_true(matches(format, 400, rendered, strlen(rendered)));

    free(rendered);
    og_format_free(format);
    free(text);
}


/* Bytes that stand for one part. */

static size_t
rendered_length(const char *part, const og_problem_t *problem)
{
    char         *text, source[64];
    size_t        len;
    og_format_t  *format;

    (void) snprintf(source, sizeof(source), "{\"a\":\"%s\"}", part);

    format = format_of(source, strlen(source));
    text = render_format(format, problem);
    len = strlen(text) - strlen("{\"a\":}");

    free(text);
    og_format_free(format);

    return len;
}


static void
test_texts_are_bounded(void **state)
{
    char          *big;
    og_problem_t   problem;

    (void) state;

    big = malloc(20001);
    assert_non_null(big);
    memset(big, 'a', 20000);
    big[20000] = '\0';

    problem = of_upstream(400);
    problem.code = problem.detail = problem.trace_id = big;

    assert_int_equal(rendered_length("$code", &problem), 64 + 2);
    assert_int_equal(rendered_length("$message", &problem), 1024 + 2);
    assert_int_equal(rendered_length("$trace_id", &problem), 128 + 2);

    problem.code = big + 20000 - 64;
    problem.detail = big + 20000 - 1024;
    problem.trace_id = big + 20000 - 128;

    assert_int_equal(rendered_length("$code", &problem), 64 + 2);
    assert_int_equal(rendered_length("$message", &problem), 1024 + 2);
    assert_int_equal(rendered_length("$trace_id", &problem), 128 + 2);

    /* characters stay whole */

    memcpy(big + 63, "\xc3\xa9", 2);
    memcpy(big + 1022, "\xe2\x82\xac", 3);
    memcpy(big + 127, "\xc3\xa9", 2);
    problem.code = problem.detail = problem.trace_id = big;

    assert_int_equal(rendered_length("$code", &problem), 63 + 2);
    assert_int_equal(rendered_length("$message", &problem), 1022 + 2);
    assert_int_equal(rendered_length("$trace_id", &problem), 127 + 2);

    free(big);
}


static void
test_details_are_bounded(void **state)
{
    char          *big;
    og_problem_t   problem;

    (void) state;

    problem = of_upstream(400);

    big = malloc(16386);
    assert_non_null(big);
    memset(big, ' ', 16385);
    big[0] = '[';
    big[16383] = ']';
    big[16384] = '\0';
    problem.errors = big;

    assert_int_equal(rendered_length("$details", &problem), 16384);

    big[16384] = ' ';
    big[16385] = '\0';

    assert_int_equal(rendered_length("$details", &problem), 4);

    free(big);
}


/* Details of that many levels in "$details" below that many. */

static int
has_details(size_t around, size_t levels)
{
    int            has;
    char          *text, nested[200], deep[200];
    size_t         len;
    og_format_t   *format;
    og_problem_t   problem;

    memset(deep, '[', levels);
    memset(deep + levels, ']', levels);
    deep[2 * levels] = '\0';

    problem = of_upstream(400);
    problem.errors = deep;

    len = nest(nested, around, 0, "\"$details\"");
    format = format_of(nested, len);
    text = render_format(format, &problem);

    has = strstr(text, deep) != NULL;
    assert_true(has || strstr(text, ":null}"));
    assert_true(matches(format, 400, text, strlen(text)));

    free(text);
    og_format_free(format);

    return has;
}


/* What is made of a format can be read by another gateway. */

static void
test_rendered_documents_have_64_levels_at_most(void **state)
{
    size_t  around;

    (void) state;

    for (around = 1; around <= 16; around++) {
        assert_true(has_details(around, 64 - around));
        assert_false(has_details(around, 65 - around));
    }
}


/* The deepest place decides, wherever it stands, and nothing else does. */

static void
test_levels_of_details_in_several_places(void **state)
{
    size_t         i;
    char          *text, deep[130];
    og_format_t   *format;
    og_problem_t   problem;

    static const struct {
        const char  *format;
        int          has;
    } cases[] = {
        { "{\"a\":\"$details\",\"b\":[\"$details\"]}", 0 },
        { "{\"b\":[\"$details\"],\"a\":\"$details\"}", 0 },
        { "{\"a\":\"$details\",\"b\":[\"$code\"]}", 1 },
        { "{\"b\":[[1],[\"$code\"]],\"a\":\"$details\"}", 1 },
        { "{\"b\":[[],{}],\"c\":{},\"a\":\"$details\"}", 1 }
    };

    (void) state;

    problem = of_upstream(400);
    problem.errors = deep;

    memset(deep, '[', 63);
    memset(deep + 63, ']', 63);
    deep[126] = '\0';

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        format = format_of(cases[i].format, strlen(cases[i].format));
        text = render_format(format, &problem);

        if ((strstr(text, deep) != NULL) != cases[i].has
            || (strstr(text, "null") == NULL) != cases[i].has
            || !matches(format, 400, text, strlen(text)))
        {
            fail_msg("%s: %s", cases[i].format, text);
        }

        free(text);
        og_format_free(format);
    }
}


/* What was made stays, and the format with it. */

static void
test_a_format_is_used_again(void **state)
{
    char          *first, *second, source[] = ALL_PARTS;
    og_format_t   *format;
    og_problem_t   problem;

    (void) state;

    format = format_of(source, strlen(source));
    memset(source, 'x', strlen(source));

    problem = of_upstream(404);
    first = render_format(format, &problem);

    problem.status = 410;
    second = render_format(format, &problem);

    assert_non_null(strstr(first, "\"NOT_FOUND\""));
    assert_non_null(strstr(second, "\"GONE\""));

    free(first);
    free(second);
    og_format_free(format);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rendering),
        cmocka_unit_test(test_refusing),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_texts_are_bounded),
        cmocka_unit_test(test_details_are_bounded),
        cmocka_unit_test(test_rendered_documents_have_64_levels_at_most),
        cmocka_unit_test(test_levels_of_details_in_several_places),
        cmocka_unit_test(test_a_format_is_used_again),
    };

    return cmocka_run_group_tests_name("og_format", tests, NULL, NULL);
}
