
/*
 * Copyright (C) order guard contributors
 *
 * The error envelope: rows for rendering and for documents that pass as they
 * are, and who owns what.  What upstreams send is in test_envelope_cases.c.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "og_envelope.h"
#include "test_envelope.h"


#define ABSENT            .retryable = OG_TRI_ABSENT,                         \
                          .safe_new_key = OG_TRI_ABSENT


typedef struct {
    const char           *name;
    og_problem_t          problem;
    const char           *text;
} render_row_t;


typedef struct {
    const char           *body;
    unsigned              status;
    int                   valid;
} valid_row_t;


static const render_row_t  render_rows[] = {

    { "the least",
      { .status = 404, ABSENT },
      "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
      "\"code\":\"NOT_FOUND\",\"origin\":\"gateway\"}" },

    { "everything, in order",
      { .status = 409, .code = "IDEMPOTENCY_IN_PROGRESS",
        .title = "A request with this key is running",
        .detail = "Try again later.", .trace_id = "abc",
        .errors = "[{\"pointer\":\"#/a\"}]",
        .type_base = "https://errors.example/",
        .from_upstream = 1, .retryable = OG_TRI_TRUE,
        .safe_new_key = OG_TRI_FALSE },
      "{\"type\":\"https://errors.example/idempotency-in-progress\","
      "\"title\":\"A request with this key is running\",\"status\":409,"
      "\"detail\":\"Try again later.\",\"code\":\"IDEMPOTENCY_IN_PROGRESS\","
      "\"origin\":\"upstream\",\"retryable\":true,\"safe_new_key\":false,"
      "\"trace_id\":\"abc\",\"errors\":[{\"pointer\":\"#/a\"}]}" },

    { "about:blank has the reason phrase as its title",
      { .status = 422, .code = "FIELD_FORBIDDEN", .title = "Own title",
        ABSENT },
      "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\","
      "\"status\":422,\"code\":\"FIELD_FORBIDDEN\",\"origin\":\"gateway\"}" },

    { "a type without a title of its own",
      { .status = 413, .code = "BODY_TOO_LARGE", .type_base = "/errors#",
        ABSENT },
      "{\"type\":\"/errors#body-too-large\",\"title\":\"Content Too Large\","
      "\"status\":413,\"code\":\"BODY_TOO_LARGE\",\"origin\":\"gateway\"}" },

    { "a type of a status",
      { .status = 502, .type_base = "urn:x:", ABSENT },
      "{\"type\":\"urn:x:bad-gateway\",\"title\":\"Bad Gateway\","
      "\"status\":502,\"code\":\"BAD_GATEWAY\",\"origin\":\"gateway\"}" },

    { "an unknown status",
      { .status = 599, .retryable = OG_TRI_FALSE,
        .safe_new_key = OG_TRI_TRUE },
      "{\"type\":\"about:blank\",\"title\":\"Error\",\"status\":599,"
      "\"code\":\"ERROR\",\"origin\":\"gateway\",\"retryable\":false,"
      "\"safe_new_key\":true}" },

    { "empty texts are left out",
      { .status = 400, .detail = "", .trace_id = "", .errors = "", ABSENT },
      "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
      "\"code\":\"BAD_REQUEST\",\"origin\":\"gateway\"}" },

    { "texts are escaped",
      { .status = 400, .detail = "\"\\/\n\x7f", .trace_id = "\x01", ABSENT },
      "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
      "\"detail\":\"\\\"\\\\/\\n\x7f\",\"code\":\"BAD_REQUEST\","
      "\"origin\":\"gateway\",\"trace_id\":\"\\u0001\"}" },

    { "invalid UTF-8 is replaced",
      { .status = 400, .detail = "\xff\xc3\xa9\xc3|\xed\xa0\x80|\xc0\xaf",
        .trace_id = "\xf4\x90\x80\x80", ABSENT },
      "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
      "\"detail\":\"\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd|"
      "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\","
      "\"code\":\"BAD_REQUEST\",\"origin\":\"gateway\","
      "\"trace_id\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}" },

    { "errors that are an object, spaced",
      { .status = 400, .errors = " {\"a\": 1.10} ", ABSENT },
      "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
      "\"code\":\"BAD_REQUEST\",\"origin\":\"gateway\","
      "\"errors\": {\"a\": 1.10} }" },

    { "errors that are a scalar are left out",
      { .status = 400, .errors = "\"text\"", ABSENT },
      "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
      "\"code\":\"BAD_REQUEST\",\"origin\":\"gateway\"}" },

    { "errors that would break out are left out",
      { .status = 400, .errors = "[]},{\"status\":200", ABSENT },
      "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
      "\"code\":\"BAD_REQUEST\",\"origin\":\"gateway\"}" },
};


static const valid_row_t  valid_rows[] = {
    { "{\"type\":\"about:blank\"}", 404, 1 },
    { "{\"title\":\"Not Found\"}", 404, 1 },
    { "{\"type\":\"/x\",\"title\":\"t\",\"status\":404,\"detail\":\"d\","
      "\"instance\":\"/i\",\"balance\":30.0}", 404, 1 },
    { " {\"type\" : \"/x\" , \"status\" : 404 } ", 404, 1 },
    { "{\"\\u0074ype\":\"/x\",\"status\":404}", 404, 1 },
    { "{}", 404, 0 },
    { "{\"status\":404}", 404, 0 },
    { "{\"detail\":\"d\",\"status\":404}", 404, 0 },
    { "{\"type\":\"/x\",\"status\":403}", 404, 0 },
    { "{\"type\":\"/x\",\"status\":40}", 404, 0 },
    { "{\"type\":\"/x\",\"status\":4040}", 404, 0 },
    { "{\"type\":\"/x\",\"status\":404.0}", 404, 0 },
    { "{\"type\":\"/x\",\"status\":\"404\"}", 404, 0 },
    { "{\"type\":\"/x\",\"status\":null}", 404, 0 },
    { "{\"type\":1}", 404, 0 },
    { "{\"type\":null,\"title\":\"t\"}", 404, 0 },
    { "{\"type\":\"/x\",\"title\":[\"t\"]}", 404, 0 },
    { "{\"type\":\"/x\",\"detail\":{}}", 404, 0 },
    { "{\"type\":\"/x\"", 404, 0 },
    { "{\"type\":\"/x\"} x", 404, 0 },
    { "{\"type\":\"/x\",\"type\":\"/y\"}", 404, 0 },
    { "{\"type\":\"\xff\"}", 404, 0 },
    { "[{\"type\":\"/x\"}]", 404, 0 },
    { "\"type\"", 404, 0 },
    { "", 404, 0 },
};


static void
test_rendering(void **state)
{
    size_t  i;
    char   *text;

    (void) state;

    for (i = 0; i < sizeof(render_rows) / sizeof(render_rows[0]); i++) {
        text = render(&render_rows[i].problem);
        check_text(render_rows[i].name, text, render_rows[i].text,
                   strlen(render_rows[i].text));
        free(text);
    }
}


static void
test_rendered_texts_are_bounded(void **state)
{
    char          *text, *big;
    json_t        *document;
    og_problem_t   problem;

    (void) state;

    big = malloc(20001);
    assert_non_null(big);
    memset(big, 'a', 20000);
    big[20000] = '\0';

    memset(&problem, 0, sizeof(problem));
    problem.status = 400;
    problem.code = problem.title = problem.detail = big;
    problem.trace_id = problem.type_base = problem.errors = big;

    text = render(&problem);
    document = json_loads(text, 0, NULL);
    assert_non_null(document);

    assert_int_equal(json_string_length(json_object_get(document, "code")),
                     64);
    assert_int_equal(json_string_length(json_object_get(document, "title")),
                     1024);
    assert_int_equal(json_string_length(json_object_get(document, "detail")),
                     1024);
    assert_int_equal(json_string_length(json_object_get(document,
                                                        "trace_id")),
                     128);
    assert_int_equal(json_string_length(json_object_get(document, "type")),
                     1024 + 64);
    assert_null(json_object_get(document, "errors"));

    json_decref(document);
    free(text);

    memset(big, ' ', 16385);
    big[0] = '[';
    big[16383] = ']';
    big[16384] = '\0';

    text = render(&problem);
    assert_non_null(strstr(text, "\"errors\":["));
    free(text);

    big[16384] = ' ';
    big[16385] = '\0';

    text = render(&problem);
    assert_null(strstr(text, "\"errors\""));
    free(text);

    free(big);
}


static void
test_rendered_documents_have_64_levels_at_most(void **state)
{
    char          *text, deep[130];
    og_problem_t   problem;

    (void) state;

    problem = of_upstream(400);
    problem.errors = deep;

    memset(deep, '[', 63);
    memset(deep + 63, ']', 63);
    deep[126] = '\0';

    text = render(&problem);
    assert_non_null(strstr(text, "\"errors\""));
    free(text);

    memset(deep, '[', 64);
    memset(deep + 64, ']', 64);
    deep[128] = '\0';

    text = render(&problem);
    assert_null(strstr(text, "\"errors\""));
    free(text);
}


static void
test_what_is_not_found_stays(void **state)
{
    og_problem_t  problem;

    (void) state;

    problem = of_upstream(400);
    problem.code = "OWN_CODE";
    problem.detail = "own detail";
    problem.trace_id = "own-id";
    problem.errors = "[1]";

    assert_int_equal(read_text(&problem, "{\"message\":\"theirs\"}"), 0);
    assert_string_equal(problem.code, "OWN_CODE");
    assert_string_equal(problem.detail, "theirs");
    assert_string_equal(problem.trace_id, "own-id");
    assert_string_equal(problem.errors, "[1]");

    og_problem_free(&problem);
    assert_string_equal(problem.code, "OWN_CODE");
    assert_null(problem.detail);
    assert_string_equal(problem.trace_id, "own-id");
    assert_string_equal(problem.errors, "[1]");
    assert_null(problem.owned);

    og_problem_free(&problem);
    assert_string_equal(problem.code, "OWN_CODE");
}


static void
test_a_failed_read_touches_nothing(void **state)
{
    og_problem_t  problem, before;

    (void) state;

    problem = of_upstream(400);
    problem.detail = "own detail";
    assert_int_equal(read_text(&problem, "{\"code\":\"A\"}"), 0);
    before = problem;

    assert_int_equal(read_text(&problem, "[]"), -1);
    assert_memory_equal(&problem, &before, sizeof(problem));
    assert_string_equal(problem.code, "A");

    og_problem_free(&problem);
}


static void
test_a_second_read_replaces_the_first(void **state)
{
    og_problem_t  problem;

    (void) state;

    problem = of_upstream(400);

    assert_int_equal(read_text(&problem, "{\"code\":\"A\",\"message\":\"m\","
                                         "\"errors\":[1]}"), 0);
    assert_int_equal(read_text(&problem, "{\"code\":\"B\"}"), 0);

    assert_string_equal(problem.code, "B");
    assert_null(problem.detail);
    assert_null(problem.errors);

    og_problem_free(&problem);
    assert_null(problem.code);
}


static void
test_an_overwritten_field_is_not_freed(void **state)
{
    og_problem_t  problem;

    (void) state;

    problem = of_upstream(500);
    assert_int_equal(read_text(&problem, "{\"message\":\"internals\"}"), 0);

    problem.detail = "hidden";
    og_problem_free(&problem);

    assert_string_equal(problem.detail, "hidden");
}


static void
test_documents_that_pass(void **state)
{
    int             valid;
    size_t          i, len;
    unsigned char  *exact;

    (void) state;

    for (i = 0; i < sizeof(valid_rows) / sizeof(valid_rows[0]); i++) {
        len = strlen(valid_rows[i].body);
        exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, valid_rows[i].body, len);

        valid = og_problem_is_valid(valid_rows[i].status, exact, len);
        free(exact);

        if (valid != valid_rows[i].valid) {
            fail_msg("%u %s: %d", valid_rows[i].status, valid_rows[i].body,
                     valid);
        }
    }
}


static void
test_what_is_rendered_passes(void **state)
{
    size_t  i;
    char   *text;

    (void) state;

    for (i = 0; i < sizeof(render_rows) / sizeof(render_rows[0]); i++) {
        text = render(&render_rows[i].problem);

        if (!og_problem_is_valid(render_rows[i].problem.status,
                                 (unsigned char *) text, strlen(text)))
        {
            fail_msg("%s: would not pass", render_rows[i].name);
        }

        free(text);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rendering),
        cmocka_unit_test(test_rendered_texts_are_bounded),
        cmocka_unit_test(test_rendered_documents_have_64_levels_at_most),
        cmocka_unit_test(test_what_is_not_found_stays),
        cmocka_unit_test(test_a_failed_read_touches_nothing),
        cmocka_unit_test(test_a_second_read_replaces_the_first),
        cmocka_unit_test(test_an_overwritten_field_is_not_freed),
        cmocka_unit_test(test_documents_that_pass),
        cmocka_unit_test(test_what_is_rendered_passes),
    };

    return cmocka_run_group_tests_name("og_envelope", tests, NULL, NULL);
}
