
/*
 * Copyright (C) order guard contributors
 *
 * Successes that are errors: rows for values, and for bodies that have them.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_when.h"
#include "test_format.h"


#define RULES  4


/* What a word of a configuration means; type is OG_JSON_NONE: refused. */
typedef struct {
    const char           *text;
    og_json_type_e        type;
    const char           *value;
} value_row_t;


/* Rules, a body, and the status that comes of it. */
typedef struct {
    struct {
        const char       *pointer;
        const char       *text;
        unsigned          status;
    } rules[RULES];

    const char           *body;
    unsigned              status;
} when_row_t;


static const value_row_t  value_rows[] = {
    { "true", OG_JSON_TRUE, "true" },
    { "false", OG_JSON_FALSE, "false" },
    { "null", OG_JSON_NULL, "null" },
    { "0", OG_JSON_NUMBER, "0" },
    { "-1.50e+3", OG_JSON_NUMBER, "-1.50e+3" },
    { "12345678901234567890", OG_JSON_NUMBER, "12345678901234567890" },
    { "\"text\"", OG_JSON_STRING, "text" },
    { "\"\"", OG_JSON_STRING, "" },
    { "\"true\"", OG_JSON_STRING, "true" },
    { "\"1\"", OG_JSON_STRING, "1" },
    { "\"[a]\"", OG_JSON_STRING, "[a]" },
    { "\"a b\"", OG_JSON_STRING, "a b" },
    { "\"\xc3\xa9\"", OG_JSON_STRING, "\xc3\xa9" },

    { "", OG_JSON_STRING, "" },
    { "fail", OG_JSON_STRING, "fail" },
    { "True", OG_JSON_STRING, "True" },
    { "truer", OG_JSON_STRING, "truer" },
    { "01", OG_JSON_STRING, "01" },
    { "+1", OG_JSON_STRING, "+1" },
    { "1.", OG_JSON_STRING, "1." },
    { "1 2", OG_JSON_STRING, "1 2" },
    { "0x10", OG_JSON_STRING, "0x10" },
    { "a]", OG_JSON_STRING, "a]" },
    { "'a'", OG_JSON_STRING, "'a'" },
    { "\xff", OG_JSON_STRING, "\xff" },

    { "[]", OG_JSON_NONE, NULL },
    { "[1,2]", OG_JSON_NONE, NULL },
    { "[a", OG_JSON_NONE, NULL },
    { "{}", OG_JSON_NONE, NULL },
    { "{\"a\":1}", OG_JSON_NONE, NULL },
    { "\"", OG_JSON_NONE, NULL },
    { "\"a", OG_JSON_NONE, NULL },
    { "a\"", OG_JSON_NONE, NULL },
    { "a\"b", OG_JSON_NONE, NULL },
    { "\"a\"b\"", OG_JSON_NONE, NULL },
    { "\"\\u0061\"", OG_JSON_NONE, NULL },
    { "a\\b", OG_JSON_NONE, NULL },
    { "\\", OG_JSON_NONE, NULL },
};


static const when_row_t  when_rows[] = {

    { { { "/ok", "false", 502 } }, "{\"ok\":false}", 502 },
    { { { "/ok", "false", 502 } }, " { \"ok\" : false } ", 502 },
    { { { "/ok", "false", 502 } }, "{\"\\u006fk\":false}", 502 },
    { { { "/ok", "false", 502 } }, "{\"ok\":true}", 0 },
    { { { "/ok", "false", 502 } }, "{\"ok\":null}", 0 },
    { { { "/ok", "false", 502 } }, "{\"ok\":\"false\"}", 0 },
    { { { "/ok", "false", 502 } }, "{\"ok\":0}", 0 },
    { { { "/ok", "false", 502 } }, "{\"ok\":[false]}", 0 },
    { { { "/ok", "false", 502 } }, "{\"OK\":false}", 0 },
    { { { "/ok", "false", 502 } }, "{\"a\":{\"ok\":false}}", 0 },
    { { { "/ok", "false", 502 } }, "{}", 0 },
    { { { "/ok", "true", 502 } }, "{\"ok\":true}", 502 },
    { { { "/ok", "\"false\"", 502 } }, "{\"ok\":false}", 0 },
    { { { "/ok", "\"false\"", 502 } }, "{\"ok\":\"false\"}", 502 },
    { { { "/error", "null", 500 } }, "{\"error\":null}", 500 },
    { { { "/error", "null", 500 } }, "{}", 0 },

    { { { "/c", "10", 400 } }, "{\"c\":10}", 400 },
    { { { "/c", "10", 400 } }, "{\"c\":1}", 0 },
    { { { "/c", "10", 400 } }, "{\"c\":100}", 0 },
    { { { "/c", "10", 400 } }, "{\"c\":11}", 0 },
    { { { "/c", "10", 400 } }, "{\"c\":10.0}", 0 },
    { { { "/c", "10", 400 } }, "{\"c\":1e1}", 0 },
    { { { "/c", "10", 400 } }, "{\"c\":\"10\"}", 0 },
    { { { "/c", "-0.50", 400 } }, "{\"c\":-0.50}", 400 },

    { { { "/s", "FAIL", 400 } }, "{\"s\":\"FAIL\"}", 400 },
    { { { "/s", "FAIL", 400 } }, "{\"s\":\"F\\u0041IL\"}", 400 },
    { { { "/s", "FAIL", 400 } }, "{\"s\":\"fail\"}", 0 },
    { { { "/s", "FAIL", 400 } }, "{\"s\":\"FAILED\"}", 0 },
    { { { "/s", "FAIL", 400 } }, "{\"s\":\"FAI\"}", 0 },
    { { { "/s", "FAIL", 400 } }, "{\"s\":\"\"}", 0 },
    { { { "/s", "", 400 } }, "{\"s\":\"\"}", 400 },
    { { { "/s", "", 400 } }, "{\"s\":\"a\"}", 0 },
    { { { "/s", "\xc3\xa9/", 400 } }, "{\"s\":\"\\u00e9\\/\"}", 400 },
    { { { "/s", "a", 400 } }, "{\"s\":\"a\\u0000\"}", 0 },

    { { { "/a/1/b~1c~0", "1", 400 } }, "{\"a\":[0,{\"b/c~\":1}]}", 400 },
    { { { "/a/1", "1", 400 } }, "{\"a\":[1]}", 0 },
    { { { "/a/-", "1", 400 } }, "{\"a\":[1]}", 0 },
    { { { "/0", "1", 400 } }, "[1]", 400 },
    { { { "", "false", 400 } }, "false", 400 },
    { { { "", "\"x\"", 400 } }, " \"x\" ", 400 },
    { { { "", "\"x\"", 400 } }, "x", 0 },
    { { { "/", "1", 400 } }, "{\"\":1}", 400 },

    { { { "/a", "1", 400 }, { "/b", "2", 409 } }, "{\"a\":1,\"b\":2}", 400 },
    { { { "/b", "2", 409 }, { "/a", "1", 400 } }, "{\"a\":1,\"b\":2}", 409 },
    { { { "/a", "1", 400 }, { "/b", "2", 409 } }, "{\"a\":2,\"b\":2}", 409 },
    { { { "/a", "1", 400 }, { "/a", "2", 409 }, { "/a", "x", 429 } },
      "{\"a\":\"x\"}", 429 },
    { { { "/a", "1", 400 }, { "/b", "2", 409 } }, "{\"a\":2,\"b\":1}", 0 },
    { { { NULL, NULL, 0 } }, "{\"a\":1}", 0 },

    { { { "/ok", "false", 502 } }, "", 0 },
    { { { "/ok", "false", 502 } }, "{\"ok\":false", 0 },
    { { { "/ok", "false", 502 } }, "{\"ok\":false}x", 0 },
    { { { "/ok", "false", 502 } }, "{\"ok\":false,}", 0 },
    { { { "/ok", "false", 502 } }, "{\"ok\":false,\"ok\":false}", 0 },
    { { { "/ok", "false", 502 } }, "{\"ok\":false,\"a\":\"\xff\"}", 0 },
    { { { "/ok", "false", 502 } }, "\"text\"", 0 },
};


static void
test_values(void **state)
{
    size_t           i, len;
    const char      *error;
    unsigned char   *copy;
    og_json_value_t  value;

    (void) state;

    for (i = 0; i < sizeof(value_rows) / sizeof(value_rows[0]); i++) {
        len = strlen(value_rows[i].text);
        copy = exact_copy(value_rows[i].text, len);
        error = og_when_value(&value, (char *) copy, len);

        if ((error == NULL) != (value_rows[i].type != OG_JSON_NONE)
            || (error && *error == '\0'))
        {
            fail_msg("%s: %s", value_rows[i].text, error);
        }

        if (error == NULL
            && (value.type != value_rows[i].type
                || value.len != strlen(value_rows[i].value)
                || memcmp(value.data, value_rows[i].value, value.len) != 0))
        {
            fail_msg("%s: %d: %.*s", value_rows[i].text, (int) value.type,
                     (int) value.len, value.data);
        }

        free(copy);
    }
}


/* White space around a value is none of it: it would never be found. */

static void
test_space_around_a_value(void **state)
{
    size_t           i;
    og_when_t        rule;

    static const char *const  texts[] = { "1 ", " 1", "\t1\n" };

    (void) state;

    rule.pointer = "/a";
    rule.status = 400;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_null(og_when_value(&rule.value, texts[i], strlen(texts[i])));
        assert_int_equal(rule.value.type, OG_JSON_NUMBER);
        assert_int_equal(og_when_status(&rule, 1,
                                        (const unsigned char *) "{\"a\":1}",
                                        7), 400);
    }
}


static void
test_status(void **state)
{
    size_t             i, n, len;
    int                status;
    og_when_t          rules[RULES];
    unsigned char     *copy;
    const when_row_t  *row;

    (void) state;

    for (i = 0; i < sizeof(when_rows) / sizeof(when_rows[0]); i++) {
        row = &when_rows[i];

        for (n = 0; n < RULES && row->rules[n].pointer; n++) {
            rules[n].pointer = row->rules[n].pointer;
            rules[n].status = row->rules[n].status;
            assert_null(og_when_value(&rules[n].value, row->rules[n].text,
                                      strlen(row->rules[n].text)));
        }

        len = strlen(row->body);
        copy = exact_copy(row->body, len);
        status = og_when_status(rules, n, copy, len);
        free(copy);

        if (status != (int) row->status) {
            fail_msg("row %zu: %s: %d", i, row->body, status);
        }
    }
}


static void
test_levels(void **state)
{
    char       body[200];
    og_when_t  rule;

    (void) state;

    rule.pointer = "/a";
    rule.status = 502;
    assert_null(og_when_value(&rule.value, "1", 1));

    memcpy(body, "{\"a\":1,\"b\":", 11);
    memset(body + 11, '[', 63);
    memset(body + 74, ']', 63);
    body[137] = '}';
    assert_int_equal(og_when_status(&rule, 1, (unsigned char *) body, 138),
                     502);

    memset(body + 11, '[', 64);
    memset(body + 75, ']', 64);
    body[139] = '}';
    assert_int_equal(og_when_status(&rule, 1, (unsigned char *) body, 140),
                     0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_space_around_a_value),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_levels),
    };

    return cmocka_run_group_tests_name("og_when", tests, NULL, NULL);
}
