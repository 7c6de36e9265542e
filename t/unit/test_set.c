
/*
 * Copyright (C) order guard contributors
 *
 * Fields that the gateway writes: what may be a value, how names, pointers
 * and values look in JSON, and how much room they take.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_set_text.h"


typedef struct {
    og_set_type_e         type;
    const char           *value;
    size_t                len;
    const char           *wrong;      /* NULL: it is fine */
} check_row_t;


typedef struct {
    const char           *field;
    const char           *tokens;     /* unescaped, each behind a "|" */
    const char           *names;      /* the same as JSON */
    const char           *pointer;
} field_row_t;


static og_set_t
set_of(const char *field, og_set_type_e type, const char *value, size_t len)
{
    og_set_t  set;

    set.field = field;
    set.field_len = strlen(field);
    set.type = type;
    set.value = (const unsigned char *) value;
    set.value_len = len;

    return set;
}


static void
test_values(void **state)
{
    size_t       i;
    const char  *wrong;

    static const char  not_utf8[] = "the value is not valid UTF-8";
    static const char  has_nul[] = "the value has a NUL";
    static const char  no_number[] = "the value is no number of JSON";
    static const char  no_boolean[] = "the value is neither true nor false";

#define STRING(text)   OG_SET_STRING, text, sizeof(text) - 1
#define NUMBER(text)   OG_SET_NUMBER, text, sizeof(text) - 1
#define BOOLEAN(text)  OG_SET_BOOLEAN, text, sizeof(text) - 1

    static const check_row_t  rows[] = {
        { STRING(""), NULL },
        { STRING("user-1"), NULL },
        { STRING("\"\\\n\x01\x7f"), NULL },
        { STRING("\xe0\xb8\x9e\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"), NULL },
        { STRING("\0"), has_nul },
        { STRING("a\0b"), has_nul },
        { STRING("\x80"), not_utf8 },
        { STRING("a\xc3"), not_utf8 },
        { STRING("\xc0\xaf"), not_utf8 },
        { STRING("\xed\xa0\x80"), not_utf8 },
        { STRING("\xf4\x90\x80\x80"), not_utf8 },

        { NUMBER(""), NULL },
        { NUMBER("0"), NULL },
        { NUMBER("-0"), NULL },
        { NUMBER("-1.50e+30"), NULL },
        { NUMBER("123456789012345678901234567890"), NULL },
        { NUMBER("-"), no_number },
        { NUMBER("+1"), no_number },
        { NUMBER("01"), no_number },
        { NUMBER("1."), no_number },
        { NUMBER(".5"), no_number },
        { NUMBER("1e"), no_number },
        { NUMBER("1 "), no_number },
        { NUMBER(" 1"), no_number },
        { NUMBER("1,\"admin\":true"), no_number },
        { NUMBER("1\0"), no_number },
        { NUMBER("0x10"), no_number },
        { NUMBER("NaN"), no_number },
        { NUMBER("true"), no_number },
        { NUMBER("-Infinity"), no_number },

        { BOOLEAN(""), NULL },
        { BOOLEAN("true"), NULL },
        { BOOLEAN("false"), NULL },
        { BOOLEAN("True"), no_boolean },
        { BOOLEAN("1"), no_boolean },
        { BOOLEAN("null"), no_boolean },
        { BOOLEAN("true "), no_boolean },
        { BOOLEAN("fals"), no_boolean },
        { BOOLEAN("true\0"), no_boolean },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wrong = og_set_check(rows[i].type,
                             (const unsigned char *) rows[i].value,
                             rows[i].len);

        if ((wrong == NULL) != (rows[i].wrong == NULL)
            || (wrong && strcmp(wrong, rows[i].wrong) != 0))
        {
            fail_msg("\"%s\": want %s, got %s", rows[i].value,
                     rows[i].wrong ? rows[i].wrong : "nothing",
                     wrong ? wrong : "nothing");
        }
    }
}


/* The tokens of a rule, one behind the other, as names or as JSON. */
static size_t
put_tokens(char *dst, const og_set_t *set, int as_json)
{
    int              c;
    char            *p;
    og_set_path_t    path;
    og_set_token_t   token;

    p = dst;
    path = og_set_path(set);

    while (!og_set_path_is_done(&path)) {
        token = og_set_path_next(&path);
        *p++ = '|';

        if (as_json) {
            p = (char *) og_set_put_name((unsigned char *) p, token);
            continue;
        }

        while ((c = og_set_token_byte(&token)) != -1) {
            *p++ = (char) c;
        }
    }

    return (size_t) (p - dst);
}


static void
compare(const char *field, const char *want, const char *got, size_t len)
{
    if (strlen(want) != len || memcmp(want, got, len) != 0) {
        fail_msg("%s: want %s, got %.*s", field, want, (int) len, got);
    }
}


static void
test_fields(void **state)
{
    char                  text[256];
    size_t                i, len;
    og_set_t              set;
    const unsigned char  *end;

    static const field_row_t  rows[] = {
        { "user_id", "|user_id", "|\"user_id\"", "\"/user_id\"" },
        { "/user_id", "|user_id", "|\"user_id\"", "\"/user_id\"" },
        { "/data/user/id", "|data|user|id", "|\"data\"|\"user\"|\"id\"",
          "\"/data/user/id\"" },
        { "/a~1b/m~0n", "|a/b|m~n", "|\"a/b\"|\"m~n\"", "\"/a~1b/m~0n\"" },
        { "/~01/~0~1", "|~1|~/", "|\"~1\"|\"~/\"", "\"/~01/~0~1\"" },

        /* a bare name is the name as it is */

        { "a/b", "|a/b", "|\"a/b\"", "\"/a~1b\"" },
        { "m~n", "|m~n", "|\"m~n\"", "\"/m~0n\"" },
        { "m~1n", "|m~1n", "|\"m~1n\"", "\"/m~01n\"" },
        { "a.b[c]", "|a.b[c]", "|\"a.b[c]\"", "\"/a.b[c]\"" },

        { "q\"b\\t\t", "|q\"b\\t\t", "|\"q\\\"b\\\\t\\u0009\"",
          "\"/q\\\"b\\\\t\\u0009\"" },
        { "/q\"/b\\/t\x1f", "|q\"|b\\|t\x1f",
          "|\"q\\\"\"|\"b\\\\\"|\"t\\u001f\"",
          "\"/q\\\"/b\\\\/t\\u001f\"" },
        { "\xe0\xb8\x9e", "|\xe0\xb8\x9e", "|\"\xe0\xb8\x9e\"",
          "\"/\xe0\xb8\x9e\"" },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set = set_of(rows[i].field, OG_SET_STRING, "", 0);

        len = put_tokens(text, &set, 0);
        compare(rows[i].field, rows[i].tokens, text, len);

        len = put_tokens(text, &set, 1);
        compare(rows[i].field, rows[i].names, text, len);

        end = og_set_put_pointer((unsigned char *) text, &set);
        compare(rows[i].field, rows[i].pointer, text,
                (size_t) (end - (unsigned char *) text));
    }
}


static void
test_values_as_json(void **state)
{
    char                  text[256];
    size_t                i;
    og_set_t              set;
    const unsigned char  *end;

    static const struct {
        og_set_type_e  type;
        const char    *value;
        const char    *json;
    } rows[] = {
        { OG_SET_STRING, "user-1", "\"user-1\"" },
        { OG_SET_STRING, "\"},{\\\"", "\"\\\"},{\\\\\\\"\"" },
        { OG_SET_STRING, "\b\f\n\r\t\x01\x1f\x7f",
          "\"\\u0008\\u000c\\u000a\\u000d\\u0009\\u0001\\u001f\x7f\"" },
        { OG_SET_STRING, "</\xe2\x80\xa8\xf0\x9f\x98\x80",
          "\"</\xe2\x80\xa8\xf0\x9f\x98\x80\"" },
        { OG_SET_STRING, "1", "\"1\"" },
        { OG_SET_NUMBER, "-1.50e+30", "-1.50e+30" },
        { OG_SET_BOOLEAN, "true", "true" },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set = set_of("f", rows[i].type, rows[i].value,
                     strlen(rows[i].value));
        end = og_set_put_value((unsigned char *) text, &set);
        compare(rows[i].value, rows[i].json, text,
                (size_t) (end - (unsigned char *) text));
    }
}


/* The longest that each kind of body makes of a field is within its room. */
static void
test_room(void **state)
{
    char       text[4096];
    size_t     room, need;
    og_set_t   sets[2];

    static const char  field[] = "/\x01/\x02\x03\x04\x05/a";
    static const char  value[] = "\x01\x02\x03\x04\x05\x06\x07\x08";

    (void) state;

    sets[0] = set_of(field, OG_SET_STRING, value, sizeof(value) - 1);
    room = og_set_room(sets, 1);

    /* JSON: each name opens an object */

    need = put_tokens(text, &sets[0], 1) + 3 * 3 + 1;
    need += (size_t) (og_set_put_value((unsigned char *) text, &sets[0])
                      - (unsigned char *) text);
    assert_true(need <= room);

    /* a part: delimiters, header, and names with %XX or brackets */

    need = (size_t) snprintf(text, sizeof(text),
                             "\r\n--%070d\r\nContent-Disposition: form-data;"
                             " name=\"\"\r\nContent-Type: text/plain; "
                             "charset=utf-8\r\n\r\n", 0)
           + 3 * (sizeof(field) - 1) + 6 * 3 + sizeof(value) - 1;
    assert_true(need <= room);

    /* as many sets as there are; those that are not written take nothing */

    sets[1] = sets[0];
    assert_true(og_set_room(sets, 2) == 2 * room);
    sets[1].value_len = 0;
    assert_true(og_set_room(sets, 2) == room);
    assert_true(og_set_room(sets + 1, 1) == 0);
    assert_true(og_set_room(NULL, 0) == 0);
}


/* Lengths whose room is more than there are addresses. */
static void
test_room_does_not_wrap(void **state)
{
    size_t     i, n;
    og_set_t   sets[3];

    (void) state;

    for (i = 0; i < 3; i++) {
        sets[i] = set_of("f", OG_SET_STRING, "v", SIZE_MAX);
    }

    assert_true(og_set_room(sets, 1) == SIZE_MAX);

    for (n = SIZE_MAX / 6 - 1000; n < SIZE_MAX / 6 + 1000; n++) {
        sets[0].value_len = n;
        assert_true(og_set_room(sets, 1) >= n);
        assert_true(og_set_room(sets, 1) == SIZE_MAX
                    || og_set_room(sets, 1) == 6 * (n + 1) + 256);

        sets[0].value_len = 1;
        sets[0].field_len = n;
        assert_true(og_set_room(sets, 1) >= n);
        sets[0].field_len = 1;
    }

    /* no room is left for what stands around a value */

    sets[0].value_len = (SIZE_MAX - 256 - 100) / 6 - 1;
    assert_true(og_set_room(sets, 1) < SIZE_MAX);
    sets[1].value_len = 1;
    assert_true(og_set_room(sets, 2) == SIZE_MAX);

    for (i = 0; i < 3; i++) {
        sets[i].value_len = SIZE_MAX / 6 / 2;
    }

    assert_true(og_set_room(sets, 1) < SIZE_MAX);
    assert_true(og_set_room(sets, 2) == SIZE_MAX);
    assert_true(og_set_room(sets, 3) == SIZE_MAX);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_values_as_json),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_room_does_not_wrap),
    };

    return cmocka_run_group_tests_name("og_set", tests, NULL, NULL);
}
