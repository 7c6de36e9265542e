
/*
 * Copyright (C) order guard contributors
 *
 * Bodies that are in a format already, and those that are not.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_format.h"
#include "test_envelope.h"
#include "test_format.h"


#define ONE(part)         "{\"a\":\"" part "\"}"


/* A body, and whether it is in the format for status 404. */
typedef struct {
    const char           *format;
    const char           *body;
    int                   yes;
} row_t;


static const row_t  rows[] = {

    { ONE("$status"), "{\"a\":404}", 1 },
    { ONE("$status"), "{\"a\" : 404 }", 1 },
    { ONE("$status"), "{\"a\":403}", 0 },
    { ONE("$status"), "{\"a\":40}", 0 },
    { ONE("$status"), "{\"a\":4040}", 0 },
    { ONE("$status"), "{\"a\":404.0}", 0 },
    { ONE("$status"), "{\"a\":4.04e2}", 0 },
    { ONE("$status"), "{\"a\":-404}", 0 },
    { ONE("$status"), "{\"a\":\"404\"}", 0 },
    { ONE("$status"), "{\"a\":null}", 0 },
    { ONE("$status"), "{\"a\":[404]}", 0 },
    { ONE("$status"), "{}", 0 },
    { ONE("$status"), "{\"A\":404}", 0 },

    { ONE("$code"), "{\"a\":\"X\"}", 1 },
    { ONE("$code"), "{\"\\u0061\":\"X\"}", 1 },
    { ONE("$code"), "{\"a\":\"\"}", 1 },
    { ONE("$code"), "{\"a\":1}", 0 },
    { ONE("$code"), "{\"a\":null}", 0 },
    { ONE("$code"), "{\"a\":true}", 0 },
    { ONE("$code"), "{\"a\":{}}", 0 },
    { ONE("$code"), "{\"a\":[\"X\"]}", 0 },
    { ONE("$code"), "{\"b\":\"X\"}", 0 },

    { ONE("$message"), "{\"a\":\"Some \\\"text\\\"\"}", 1 },
    { ONE("$message"), "{\"a\":null}", 0 },
    { ONE("$message"), "{\"a\":[]}", 0 },
    { ONE("$message"), "{}", 0 },

    { ONE("$details"), "{\"a\":[1]}", 1 },
    { ONE("$details"), "{\"a\":[]}", 1 },
    { ONE("$details"), "{\"a\":{\"b\":1}}", 1 },
    { ONE("$details"), "{\"a\":null}", 1 },
    { ONE("$details"), "{}", 0 },
    { ONE("$details"), "{\"a\":\"text\"}", 0 },
    { ONE("$details"), "{\"a\":1}", 0 },
    { ONE("$details"), "{\"a\":false}", 0 },

    { ONE("$trace_id"), "{\"a\":\"x\"}", 1 },
    { ONE("$trace_id"), "{\"a\":null}", 1 },
    { ONE("$trace_id"), "{}", 0 },
    { ONE("$trace_id"), "{\"a\":1}", 0 },
    { ONE("$trace_id"), "{\"a\":[]}", 0 },

    { ONE("$origin"), "{\"a\":\"upstream\"}", 1 },
    { ONE("$origin"), "{\"a\":null}", 1 },
    { ONE("$origin"), "{}", 0 },
    { ONE("$origin"), "{\"a\":true}", 0 },

    { ONE("$retryable"), "{\"a\":true}", 1 },
    { ONE("$retryable"), "{\"a\":false}", 1 },
    { ONE("$retryable"), "{\"a\":null}", 1 },
    { ONE("$retryable"), "{}", 0 },
    { ONE("$retryable"), "{\"a\":\"true\"}", 0 },
    { ONE("$retryable"), "{\"a\":1}", 0 },

    { ONE("$safe_new_key"), "{\"a\":true}", 1 },
    { ONE("$safe_new_key"), "{\"a\":false}", 1 },
    { ONE("$safe_new_key"), "{\"a\":null}", 1 },
    { ONE("$safe_new_key"), "{}", 0 },
    { ONE("$safe_new_key"), "{\"a\":{}}", 0 },
    { ONE("$safe_new_key"), "{\"a\":0}", 0 },

    /* what is spelled out */

    { "{\"a\":true}", "{\"a\":true}", 1 },
    { "{\"a\":true}", "{\"a\":false}", 0 },
    { "{\"a\":false}", "{\"a\":false}", 1 },
    { "{\"a\":false}", "{\"a\":null}", 0 },
    { "{\"a\":false}", "{}", 0 },
    { "{\"a\":null}", "{\"a\":null}", 1 },
    { "{\"a\":null}", "{}", 0 },
    { "{\"a\":1.10}", "{\"a\": 1.10 }", 1 },
    { "{\"a\":1.10}", "{\"a\":1.1}", 0 },
    { "{\"a\":1.10}", "{\"a\":1.12}", 0 },
    { "{\"a\":1.10}", "{\"a\":\"1.10\"}", 0 },
    { "{\"a\":12345678901234567890}", "{\"a\":12345678901234567890}", 1 },
    { "{\"a\":12345678901234567890}", "{\"a\":12345678901234567891}", 0 },
    { "{\"a\":\"text\"}", "{\"a\":\"text\"}", 1 },
    { "{\"a\":\"text\"}", "{\"a\":\"t\\u0065xt\"}", 1 },
    { "{\"a\":\"t\\u0065xt\"}", "{\"a\":\"text\"}", 1 },
    { "{\"a\":\"\\u00e9\\/\\ud83d\\ude00\"}",
      "{\"a\":\"\xc3\xa9/\xf0\x9f\x98\x80\"}", 1 },
    { "{\"a\":\"text\"}", "{\"a\":\"Text\"}", 0 },
    { "{\"a\":\"text\"}", "{\"a\":\"text2\"}", 0 },
    { "{\"a\":\"text\"}", "{\"a\":\"tex\"}", 0 },
    { "{\"a\":\"\"}", "{\"a\":\"\"}", 1 },
    { "{\"a\":\"\"}", "{\"a\":\"x\"}", 0 },
    { "{\"a\":\"\\u0024code\"}", "{\"a\":\"$code\"}", 1 },
    { "{\"a\":\"\\u0024code\"}", "{\"a\":\"X\"}", 0 },

    /* an empty container may have been filled */

    { "{\"a\":[]}", "{\"a\":[]}", 1 },
    { "{\"a\":[]}", "{\"a\":[1,2]}", 1 },
    { "{\"a\":[]}", "{\"a\":{}}", 0 },
    { "{\"a\":[]}", "{\"a\":null}", 0 },
    { "{\"a\":[]}", "{}", 0 },
    { "{\"a\":{}}", "{\"a\":{ }}", 1 },
    { "{\"a\":{}}", "{\"a\":{\"b\":1}}", 1 },
    { "{\"a\":{}}", "{\"a\":[]}", 0 },
    { "{}", "{}", 1 },
    { "{}", "{\"a\":1}", 1 },
    { "{}", "[]", 0 },

    /* containers with something in them */

    { "{\"e\":{\"c\":\"$code\",\"v\":1}}", "{\"e\":{\"c\":\"X\",\"v\":1}}", 1 },
    { "{\"e\":{\"c\":\"$code\",\"v\":1}}",
      "{\"more\":[{}],\"e\":{\"v\":1,\"x\":null,\"c\":\"X\"}}", 1 },
    { "{\"e\":{\"c\":\"$code\",\"v\":1}}", "{\"e\":{\"c\":\"X\"}}", 0 },
    { "{\"e\":{\"c\":\"$code\",\"v\":1}}", "{\"e\":{\"v\":1}}", 0 },
    { "{\"e\":{\"c\":\"$code\",\"v\":1}}", "{\"e\":\"X\"}", 0 },
    { "{\"e\":{\"c\":\"$code\",\"v\":1}}", "{\"c\":\"X\",\"v\":1}", 0 },
    { "{\"a\":[\"$code\",[true,\"$status\"]]}", "{\"a\":[\"X\",[true,404]]}",
      1 },
    { "{\"a\":[\"$code\",[true,\"$status\"]]}",
      "{\"a\":[\"X\",[true,404,1],2]}", 1 },
    { "{\"a\":[\"$code\",[true,\"$status\"]]}", "{\"a\":[[true,404],\"X\"]}",
      0 },
    { "{\"a\":[\"$code\",[true,\"$status\"]]}", "{\"a\":[\"X\"]}", 0 },
    { "{\"a\":[\"$code\",[true,\"$status\"]]}", "{\"a\":[\"X\",[404,true]]}",
      0 },
    { "{\"a\":[0,1,2,3,4,5,6,7,8,9,\"$code\"]}",
      "{\"a\":[0,1,2,3,4,5,6,7,8,9,\"X\"]}", 1 },
    { "{\"a\":[0,1,2,3,4,5,6,7,8,9,\"$code\"]}",
      "{\"a\":[0,1,2,3,4,5,6,7,8,9,10]}", 0 },

    /* an index and a name look alike in a pointer */

    { "{\"a\":[\"$code\"]}", "{\"a\":{\"0\":\"X\"}}", 0 },
    { "{\"a\":{\"0\":\"$code\"}}", "{\"a\":[\"X\"]}", 0 },
    { "{\"a\":{\"0\":\"$code\"}}", "{\"a\":{\"0\":\"X\"}}", 1 },

    /* a container is there with what is in it */

    { "{\"e\":{\"t\":\"$trace_id\"}}", "{\"e\":{}}", 0 },
    { "{\"e\":{\"t\":\"$trace_id\"}}", "{}", 0 },
    { "{\"e\":{\"t\":\"$trace_id\"}}", "{\"e\":\"text\"}", 0 },
    { "{\"e\":[\"$details\"]}", "{\"e\":[]}", 0 },
    { "{\"e\":[\"$details\"]}", "{\"e\":{}}", 0 },

    /* names that a pointer escapes */

    { "{\"/\":1}", "{\"/\":1}", 1 },
    { "{\"/\":1}", "{\"\":{\"\":1}}", 0 },
    { "{\"\":1}", "{\"\":1}", 1 },
    { "{\"~\":1}", "{\"~\":1}", 1 },
    { "{\"~1\":1}", "{\"~1\":1}", 1 },
    { "{\"~1\":1}", "{\"/\":1}", 0 },
    { "{\"a/b~c\":{\"\\u002f\\u007e\":1}}", "{\"a/b~c\":{\"/~\":1}}", 1 },
    { "{\"a/b\":1}", "{\"a\":{\"b\":1}}", 0 },
    { "{\"a\\\"\\u00e9\":1}", "{\"a\\\"\xc3\xa9\":1}", 1 },
    { "{\"a\\\"\\u00e9\":1}", "{\"a\\\"e\":1}", 0 },

    /* no strict JSON object */

    { "{}", "", 0 },
    { "{}", "{\"a\":1", 0 },
    { "{}", "{} x", 0 },
    { "{}", "{\"a\":1,\"a\":2}", 0 },
    { "{}", "{\"a\":\"\xff\"}", 0 },
    { "{}", "null", 0 },
    { "{}", "\"{}\"", 0 },
    { "{}", "<html>", 0 },
    { ONE("$code"), "[\"X\"]", 0 },
    { "{\"0\":\"$code\"}", "[\"X\"]", 0 },
};


static void
test_rows(void **state)
{
    int           yes;
    size_t        i;
    og_format_t  *format;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        format = format_of(rows[i].format, strlen(rows[i].format));
        yes = matches(format, 404, rows[i].body, strlen(rows[i].body));
        og_format_free(format);

        if (yes != rows[i].yes) {
            fail_msg("%s and %s: %d", rows[i].format, rows[i].body, yes);
        }
    }
}


static void
test_levels(void **state)
{
    char          body[200];
    og_format_t  *format;

    (void) state;

    format = format_of("{\"a\":[]}", 8);

    memcpy(body, "{\"a\":", 5);
    memset(body + 5, '[', 63);
    memset(body + 68, ']', 63);
    body[131] = '}';
    assert_true(matches(format, 400, body, 132));

    memset(body + 5, '[', 64);
    memset(body + 69, ']', 64);
    body[133] = '}';
    assert_false(matches(format, 400, body, 134));

    og_format_free(format);
}


/* A NUL is a byte like others. */

static void
test_nul(void **state)
{
    og_format_t  *format;

    (void) state;

    format = format_of("{\"a\":\"x\\u0000y\"}", 16);

    assert_true(matches(format, 400, "{\"a\":\"x\\u0000y\"}", 16));
    assert_true(matches(format, 400, "{\"a\":\"\\u0078\\u0000y\"}", 21));
    assert_false(matches(format, 400, "{\"a\":\"x\\u0000z\"}", 16));
    assert_false(matches(format, 400, "{\"a\":\"x\"}", 9));

    og_format_free(format);
}


/* A format, whether it says what has failed, and where its code stands. */
static void
test_what_it_says(void **state)
{
    size_t        i, offset;
    const char   *error, *place;
    og_format_t  *format;

    static const struct {
        const char  *text;
        int          says;
        const char  *place;
    } cases[] = {
        { "{}", 0, NULL },
        { "{\"a\":\"$details\",\"b\":\"code\"}", 0, NULL },
        { "{\"a\":\"$message\"}", 1, NULL },
        { "{\"a/b\":[0,{\"~\":\"$code\"}],\"c\":\"$code\"}", 1,
          "/a~1b/1/~0" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        format = og_format_create((const unsigned char *) cases[i].text,
                                  strlen(cases[i].text), &error, &offset);
        assert_non_null(format);
        assert_int_equal(og_format_says_what(format), cases[i].says);

        place = og_format_code_place(format);
        assert_true(place == NULL ? cases[i].place == NULL
                                  : cases[i].place != NULL
                                    && strcmp(place, cases[i].place) == 0);
        og_format_free(format);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_what_it_says),
        cmocka_unit_test(test_nul),
    };

    return cmocka_run_group_tests_name("og_format matches", tests, NULL,
                                       NULL);
}
