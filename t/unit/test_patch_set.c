
/*
 * Copyright (C) order guard contributors
 *
 * Fields that the gateway writes into a patch, with no more room than
 * og_set_room() asks for.
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
#include <jansson.h>

#include "og_patch.h"


#define SETS  3


typedef struct {
    const char           *field;
    og_set_type_e         type;
    const char           *value;
} set_row_t;


typedef struct {
    const char           *in;
    const char           *out;
    set_row_t             sets[SETS];
} row_t;


static const row_t  rows[] = {
    { "[]", "[]", { { NULL, OG_SET_STRING, NULL } } },
    { " [ ] ", " [ ] ", { { "a", OG_SET_STRING, "" } } },
    { "[{\"op\":\"remove\",\"path\":\"/a\"}]",
      "[{\"op\":\"remove\",\"path\":\"/a\"}]", { { "a", OG_SET_NUMBER, "" } } },

    { "[]", "[{\"op\":\"add\",\"path\":\"/user_id\",\"value\":\"u1\"}]",
      { { "user_id", OG_SET_STRING, "u1" } } },
    { "\t[ \n]\n",
      "\t[{\"op\":\"add\",\"path\":\"/level\",\"value\":-1.50e3} \n]\n",
      { { "level", OG_SET_NUMBER, "-1.50e3" } } },
    { "[{\"op\":\"remove\",\"path\":\"/a\"}]",
      "[{\"op\":\"remove\",\"path\":\"/a\"},"
      "{\"op\":\"add\",\"path\":\"/a\",\"value\":true}]",
      { { "a", OG_SET_BOOLEAN, "true" } } },
    { "[\n  {\"op\":\"remove\",\"path\":\"/a\"}\n]\n",
      "[\n  {\"op\":\"remove\",\"path\":\"/a\"},"
      "{\"op\":\"add\",\"path\":\"/a\",\"value\":false}\n]\n",
      { { "a", OG_SET_BOOLEAN, "false" } } },
    { "[]",
      "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1},"
      "{\"op\":\"add\",\"path\":\"/c\",\"value\":\"x\"}]",
      { { "a", OG_SET_NUMBER, "1" }, { "b", OG_SET_STRING, "" },
        { "c", OG_SET_STRING, "x" } } },

    /* pointers are as they stand, in names "~" and "/" are */

    { "[]", "[{\"op\":\"add\",\"path\":\"/a/b~1c~0\",\"value\":1}]",
      { { "/a/b~1c~0", OG_SET_NUMBER, "1" } } },
    { "[]", "[{\"op\":\"add\",\"path\":\"/a~1b~01\",\"value\":1}]",
      { { "a/b~1", OG_SET_NUMBER, "1" } } },
    { "[]", "[{\"op\":\"add\",\"path\":\"/a\\\"\\\\\\u000a\",\"value\":1}]",
      { { "a\"\\\n", OG_SET_NUMBER, "1" } } },

    { "[]", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":"
            "\"]\\\"\\\\\\u0001\xc3\xa9\"}]",
      { { "a", OG_SET_STRING, "]\"\\\x01\xc3\xa9" } } }
};


static unsigned char  *page_end;      /* nothing behind can be written */


static size_t
sets_of(const set_row_t *row, og_set_t *sets)
{
    size_t  n;

    for (n = 0; n < SETS && row[n].field != NULL; n++) {
        sets[n].field = row[n].field;
        sets[n].field_len = strlen(row[n].field);
        sets[n].type = row[n].type;
        sets[n].value = (const unsigned char *) row[n].value;
        sets[n].value_len = strlen(row[n].value);
    }

    return n;
}


static void
check_row(const row_t *row)
{
    size_t          n, len, room;
    og_set_t        sets[SETS];
    unsigned char  *body;

    n = sets_of(row->sets, sets);
    len = strlen(row->in);
    room = og_set_room(sets, n);

    body = page_end - len - room;
    memcpy(body, row->in, len);

    assert_null(og_patch_set(body, &len, sets, n));

    if (len != strlen(row->out) || memcmp(body, row->out, len) != 0) {
        fail_msg("%s: %.*s", row->in, (int) len, (const char *) body);
    }
}


static void
test_rows(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_row(&rows[i]);
    }
}


/* What takes most room: bytes of which each becomes six. */
static void
test_room(void **state)
{
    char             field[64], value[64];
    size_t           i, len, room;
    json_t          *root;
    og_set_t         sets[40];
    unsigned char   *body;
    og_scanner_t    *scanner;
    og_body_rules_t  rules;

    (void) state;

    memset(field, 0x1F, sizeof(field));
    memset(value, 0x01, sizeof(value));

    for (i = 0; i < 40; i++) {
        sets[i].field = field;
        sets[i].field_len = i + 1;
        sets[i].type = OG_SET_STRING;
        sets[i].value = (const unsigned char *) value;
        sets[i].value_len = sizeof(value) - i;
    }

    room = og_set_room(sets, 40);
    body = page_end - room - 2;
    memcpy(body, "[]", 2);
    len = 2;

    assert_null(og_patch_set(body, &len, sets, 40));
    assert_true(len <= room + 2);

    root = json_loadb((const char *) body, len, 0, NULL);
    assert_int_equal(json_array_size(root), 40);
    json_decref(root);

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = 64;
    scanner = og_scanner_create();
    assert_int_equal(og_patch_scan(scanner, &rules, body, len)->status,
                     OG_BODY_OK);
    og_scanner_free(scanner);
}


static int
set_up(void **state)
{
    size_t          size;
    unsigned char  *area;

    (void) state;

    size = 32 * (size_t) sysconf(_SC_PAGESIZE);
    area = mmap(NULL, 2 * size, PROT_READ|PROT_WRITE,
                MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED || mprotect(area + size, size, PROT_NONE) != 0) {
        return -1;
    }

    page_end = area + size;

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests_name("og_patch set", tests, set_up, NULL);
}
