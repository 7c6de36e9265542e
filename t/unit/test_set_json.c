
/*
 * Copyright (C) order guard contributors
 *
 * The gateway's fields in JSON: where they are put, and what is made on the
 * way there.  Bodies and their room end where a page does that cannot be
 * read.
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

#include "og_json.h"
#include "og_set.h"
#include "json_cases.h"
#include "json_slow.h"


#define MANY   700
#define PAGES  512


/*
 * In a body, <0> is the home of the first set, as the first in its object,
 * and <,0> is its home behind another member.
 */
typedef struct {
    const char           *in;
    const char           *sets;
    const char           *out;        /* NULL: one of them has no place, */
    const char           *stray;      /* this one */
} row_t;


typedef struct {
    unsigned char         body[512];
    size_t                len;
    og_home_t             homes[JSON_CASE_SETS];
    size_t                nhomes;
    og_set_t              sets[JSON_CASE_SETS];
    size_t                nsets;
} case_t;


static unsigned char  *page_end;      /* nothing behind can be read */


static void
read_body(case_t *c, const char *text)
{
    og_home_t  *home;

    c->len = 0;
    c->nhomes = 0;

    while (*text != '\0') {

        if (*text != '<') {
            c->body[c->len++] = (unsigned char) *text++;
            continue;
        }

        home = &c->homes[c->nhomes++];
        home->behind = (text[1] == ',');
        text += 1 + home->behind;
        home->set = (size_t) (*text - '0');
        home->at = c->len;
        text += 2;
    }
}


/* Sets fields in a copy that has room for not a byte more. */
static const og_set_t *
set_fields(const case_t *c, unsigned char **body, size_t *len)
{
    size_t  room;

    room = og_set_room(c->sets, c->nsets);
    *body = page_end - c->len - room;
    *len = c->len;

    memcpy(*body, c->body, c->len);
    memset(*body + c->len, '#', room);

    return og_json_set(*body, len, c->homes, c->nhomes, c->sets, c->nsets);
}


static void
check_row(const row_t *row)
{
    size_t           len;
    case_t           c;
    unsigned char   *body;
    const og_set_t  *stray;

    read_body(&c, row->in);
    c.nsets = json_case_sets(row->sets, c.sets);
    stray = set_fields(&c, &body, &len);

    if (row->out == NULL) {

        if (stray == NULL || stray->field_len != strlen(row->stray)
            || memcmp(stray->field, row->stray, stray->field_len) != 0)
        {
            fail_msg("%s: %s: want no place for %s, got %.*s", row->in,
                     row->sets, row->stray, (int) len, (char *) body);
        }

        return;
    }

    if (stray != NULL) {
        fail_msg("%s: %s: no place for %.*s", row->in, row->sets,
                 (int) stray->field_len, stray->field);
        return;
    }

    if (len != strlen(row->out) || memcmp(body, row->out, len) != 0) {
        fail_msg("%s: %s: want %s, got %.*s", row->in, row->sets, row->out,
                 (int) len, (char *) body);
    }

    assert_true(slow_is_left_of(c.body, c.len, body, len));
}


#define check_rows(rows)                                                      \
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {             \
        check_row(&(rows)[i]);                                                \
    }


static void
test_homes(void **state)
{
    static const row_t  rows[] = {

        /* first in its object, or alone */

        { "{<0>}", "user_id=u", "{\"user_id\":\"u\"}", NULL },
        { "{ <0> }", "user_id=u", "{ \"user_id\":\"u\" }", NULL },
        { " {\n<0>\n} ", "user_id=u", " {\n\"user_id\":\"u\"\n} ", NULL },
        { "{<0>\"a\":1}", "user_id=u", "{\"user_id\":\"u\",\"a\":1}", NULL },
        { "{ <0>\"a\":1 }", "user_id=u", "{ \"user_id\":\"u\",\"a\":1 }",
          NULL },

        /* behind another member */

        { "{\"a\":1<,0>}", "user_id=u", "{\"a\":1,\"user_id\":\"u\"}", NULL },
        { "{\"a\":1<,0> }", "user_id=u", "{\"a\":1,\"user_id\":\"u\" }",
          NULL },
        { "{\"a\":1<,0>,\"b\":2}", "user_id=u",
          "{\"a\":1,\"user_id\":\"u\",\"b\":2}", NULL },
        { "{\"a\":1 <,0>\n,\"b\":2}", "user_id=u",
          "{\"a\":1 ,\"user_id\":\"u\"\n,\"b\":2}", NULL },

        /* several in one place, in the order in which they stood */

        { "{<0><1>}", "a=1 b=2", "{\"a\":\"1\",\"b\":\"2\"}", NULL },
        { "{<1><0>}", "a=1 b=2", "{\"b\":\"2\",\"a\":\"1\"}", NULL },
        { "{<1><0><2>\"c\":3}", "a=1 b=2 d=4",
          "{\"b\":\"2\",\"a\":\"1\",\"d\":\"4\",\"c\":3}", NULL },
        { "{\"c\":3<,1><,0>}", "a=1 b=2",
          "{\"c\":3,\"b\":\"2\",\"a\":\"1\"}", NULL },
        { "{\"c\":3<,0><,1>,\"d\":4}", "a=1 b=2",
          "{\"c\":3,\"a\":\"1\",\"b\":\"2\",\"d\":4}", NULL },

        /* in several places */

        { "{<0>\"c\":3<,1>,\"d\":4<,2>}", "a=1 b=2 e=5",
          "{\"a\":\"1\",\"c\":3,\"b\":\"2\",\"d\":4,\"e\":\"5\"}", NULL },
        { "{\"d\":{<1>},\"e\":[{}]<,0>}", "user_id=u /d/x=1",
          "{\"d\":{\"x\":\"1\"},\"e\":[{}],\"user_id\":\"u\"}", NULL },
        { "{\"d\":{<0>\"y\":{}},\"e\":{\"f\":{\"g\":{}<,1>}}}",
          "/d/x=1 /e/f/h=2",
          "{\"d\":{\"x\":\"1\",\"y\":{}},\"e\":{\"f\":{\"g\":{},\"h\":\"2\"}"
          "}}", NULL },
        { "{\"a\":{<0>}}", "/a/x=1 /a/y=2",
          "{\"a\":{\"x\":\"1\",\"y\":\"2\"}}", NULL },
        { "{<0>\"a\":1}", "/user_id=u /x=1",
          "{\"user_id\":\"u\",\"a\":1,\"x\":\"1\"}", NULL },

        /* the name of the rule, whatever stood there */

        { "{<0>}", "/a~1b=u", "{\"a/b\":\"u\"}", NULL },
        { "{\"m~n\":{\"\\u0078\":1<,0>}}", "/m~0n/x~0=u",
          "{\"m~n\":{\"\\u0078\":1,\"x~\":\"u\"}}", NULL },
        { "{<0>}", "a/b=u", "{\"a/b\":\"u\"}", NULL },
        { "{<0>}", "a\"\\\n=u", "{\"a\\\"\\\\\\u000a\":\"u\"}", NULL },
    };

    (void) state;

    check_rows(rows);
}


/*
 * What matches a pointer in another spelling stood somewhere else: a field is
 * written where its pointer says, and there alone.
 */
static void
test_homes_of_others(void **state)
{
    static const row_t  rows[] = {
        { "{\"Data\":{<0>},\"data\":{}}", "/data/x=1",
          "{\"Data\":{},\"data\":{\"x\":\"1\"}}", NULL },
        { "{\"Data\":{<0>\"a\":1}}", "/data/x=1",
          "{\"Data\":{\"a\":1},\"data\":{\"x\":\"1\"}}", NULL },
        { "{\"a.b\":{<0>}}", "/a/b/x=1",
          "{\"a.b\":{},\"a\":{\"b\":{\"x\":\"1\"}}}", NULL },
        { "{\"a\":{\"b\":{},\".\":{\"b\":{<0>}}}}", "/a/b/x=1",
          "{\"a\":{\"b\":{\"x\":\"1\"},\".\":{\"b\":{}}}}", NULL },
        { "{\".\":{<0>}}", "/x=1", "{\".\":{},\"x\":\"1\"}", NULL },
        { "{\"a\":1<,0>}", "/a.b/x=1", "{\"a\":1,\"a.b\":{\"x\":\"1\"}}",
          NULL },
        { "{\"a\":{<1><0>\"b\":{<2>}}}", "/A/y=1 /a/x=2 /a/B/z=3",
          "{\"a\":{\"x\":\"2\",\"b\":{},\"B\":{\"z\":\"3\"}},"
          "\"A\":{\"y\":\"1\"}}", NULL },
        { "{\"a\":{\"b\":1},\"c\":0<,0>}", "/a/b/x=1", NULL, "/a/b/x" },
        { "{\"items\":[{<0>\"a\":1},{}]}", "/items/0/x=1", NULL,
          "/items/0/x" },
        { "{\"a\":[\"b\",{<0>}]}", "/a/b/x=1", NULL, "/a/b/x" },

        /* strings that are no names, names that are not on the way */

        { "{\"a\":\"b\",\"c\":{<0>}}", "/b/x=1",
          "{\"a\":\"b\",\"c\":{},\"b\":{\"x\":\"1\"}}", NULL },
        { "{\"a\":[\"b\",{<0>}]}", "/b/x=1",
          "{\"a\":[\"b\",{}],\"b\":{\"x\":\"1\"}}", NULL },
        { "{\"a\":{\"c\":[1]},\"b\":{<0>}}", "/a/x=1",
          "{\"a\":{\"c\":[1],\"x\":\"1\"},\"b\":{}}", NULL },
        { "{\"a\" : \"{\\\"[\" , \"b\" : {<0>}}", "/b/x=1",
          "{\"a\" : \"{\\\"[\" , \"b\" : {\"x\":\"1\"}}", NULL },

        /* deeper than homes are looked at */

        { "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
          "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{<0>\"b\":0"
          "}}}}}}}}}}}}}}}}",
          "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/x=1",
          "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
          "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
          "\"x\":\"1\",\"b\":0}}}}}}}}}}}}}}}}", NULL },
        { "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
          "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
          "<0>\"b\":0}}}}}}}}}}}}}}}}}",
          "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/x=1",
          "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
          "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
          "\"b\":0,\"x\":\"1\"}}}}}}}}}}}}}}}}}", NULL },
    };

    (void) state;

    check_rows(rows);
}


/* A field without a value stays away, and is not in the way of others. */
static void
test_empty_values(void **state)
{
    static const row_t  rows[] = {
        { "{<0>}", "user_id=", "{}", NULL },
        { "{ <0>\"a\":1}", "user_id=", "{ \"a\":1}", NULL },
        { "{\"a\":1<,0> }", "user_id#", "{\"a\":1 }", NULL },
        { "{\"a\":1}", "user_id?", "{\"a\":1}", NULL },
        { "{<0><1>\"c\":3}", "a= b=2", "{\"b\":\"2\",\"c\":3}", NULL },
        { "{<0><1>\"c\":3}", "a=1 b=", "{\"a\":\"1\",\"c\":3}", NULL },
        { "{<0><1><2>}", "a=1 b= c=3", "{\"a\":\"1\",\"c\":\"3\"}", NULL },
        { "{\"c\":3<,0><,1>}", "a= b=2", "{\"c\":3,\"b\":\"2\"}", NULL },
        { "{\"c\":3<,0>}", "a= b=2", "{\"c\":3,\"b\":\"2\"}", NULL },
        { "{}", "/a/b= c=3", "{\"c\":\"3\"}", NULL },
        { "[]", "user_id=", "[]", NULL },
        { "{\"data\":1}", "/data/a=", "{\"data\":1}", NULL },
        { "{}", "", "{}", NULL },
        { "12", "", "12", NULL },
    };

    (void) state;

    check_rows(rows);
}


static void
test_types(void **state)
{
    static const row_t  rows[] = {
        { "{<0>}", "n#-1.50e+30", "{\"n\":-1.50e+30}", NULL },
        { "{<0>}", "b?false", "{\"b\":false}", NULL },
        { "{}", "n#100000000000000000000.10 b?true s=\"\\",
          "{\"n\":100000000000000000000.10,\"b\":true,\"s\":\"\\\"\\\\\"}",
          NULL },
        { "{}", "s=\x01\x02\x03", "{\"s\":\"\\u0001\\u0002\\u0003\"}", NULL },
    };

    (void) state;

    check_rows(rows);
}


static void
test_fields_without_a_home(void **state)
{
    static const row_t  rows[] = {

        /* the last member of the root; white space stays behind it */

        { "{\"a\":1}", "user_id=u", "{\"a\":1,\"user_id\":\"u\"}", NULL },
        { "{}", "user_id=u", "{\"user_id\":\"u\"}", NULL },
        { "{ }", "user_id=u", "{\"user_id\":\"u\" }", NULL },
        { " { \"a\" : 1 \n} \n", "user_id=u",
          " { \"a\" : 1,\"user_id\":\"u\" \n} \n", NULL },
        { "{\"a\":\"}{\"}", "user_id=u", "{\"a\":\"}{\",\"user_id\":\"u\"}",
          NULL },
        { "{\"a\":{}}", "/user_id=u", "{\"a\":{},\"user_id\":\"u\"}", NULL },
        { "{}", "c=3 a=1 b=2", "{\"c\":\"3\",\"a\":\"1\",\"b\":\"2\"}",
          NULL },

        /* of an object within */

        { "{\"data\":{}}", "/data/x=1", "{\"data\":{\"x\":\"1\"}}", NULL },
        { "{\"data\":{\"a\":1 } , \"b\":2}", "/data/x=1",
          "{\"data\":{\"a\":1,\"x\":\"1\" } , \"b\":2}", NULL },
        { "{\"b\":[{\"data\":1}],\"data\" : { \t }}", "/data/x=1",
          "{\"b\":[{\"data\":1}],\"data\" : {\"x\":\"1\" \t }}", NULL },
        { "{\"a\":{\"b\":{\"c\":{}}}}", "/a/b/c/d=1",
          "{\"a\":{\"b\":{\"c\":{\"d\":\"1\"}}}}", NULL },
        { "{\"a\":{\"x\":{\"b\":{}},\"b\":{}}}", "/a/b/c=1",
          "{\"a\":{\"x\":{\"b\":{}},\"b\":{\"c\":\"1\"}}}", NULL },

        /* objects that are made */

        { "{}", "/data/user_id=u", "{\"data\":{\"user_id\":\"u\"}}", NULL },
        { "{\"a\":1}", "/b/c/d=u", "{\"a\":1,\"b\":{\"c\":{\"d\":\"u\"}}}",
          NULL },
        { "{\"b\":{\"x\":0}}", "/b/c/d=u",
          "{\"b\":{\"x\":0,\"c\":{\"d\":\"u\"}}}", NULL },
        { "{}", "/a/b=1 /a/c=2", "{\"a\":{\"b\":\"1\",\"c\":\"2\"}}", NULL },
        { "{}", "/a/b=1 x=0 /a/c=2 /d/e=3 /a/f/g=4 /d/h=5",
          "{\"a\":{\"b\":\"1\",\"c\":\"2\",\"f\":{\"g\":\"4\"}},\"x\":\"0\","
          "\"d\":{\"e\":\"3\",\"h\":\"5\"}}", NULL },
        { "{\"d\":{\"h\":{}},\"a\":{}}",
          "/a/b=1 x=0 /a/c=2 /d/e=3 /a/f/g=4 /d/h/i=5",
          "{\"d\":{\"h\":{\"i\":\"5\"},\"e\":\"3\"},\"a\":{\"b\":\"1\","
          "\"c\":\"2\",\"f\":{\"g\":\"4\"}},\"x\":\"0\"}", NULL },
        { "{}", "/b/b/b=1 /b/b/a=2 /b/a=3 /a=4 /bb/b=5 /b!/b=6",
          "{\"b\":{\"b\":{\"b\":\"1\",\"a\":\"2\"},\"a\":\"3\"},"
          "\"a\":\"4\",\"bb\":{\"b\":\"5\"},\"b!\":{\"b\":\"6\"}}", NULL },

        /* behind what was put home */

        { "{<0>}", "a=1 b=2", "{\"a\":\"1\",\"b\":\"2\"}", NULL },
        { "{\"d\":{<0>}}", "/d/a=1 /d/b=2 c=3",
          "{\"d\":{\"a\":\"1\",\"b\":\"2\"},\"c\":\"3\"}", NULL },
        { "{<1> }", "a= b=2 c=3", "{\"b\":\"2\",\"c\":\"3\" }", NULL },
    };

    (void) state;

    check_rows(rows);
}


/* Names are those of the document whatever their spelling. */
static void
test_names_on_the_way(void **state)
{
    static const row_t  rows[] = {
        { "{\"d\\u0061ta\":{}}", "/data/x=1",
          "{\"d\\u0061ta\":{\"x\":\"1\"}}", NULL },
        { "{\"a\\/b\":{},\"m~n\":{}}", "/a~1b/x=1 /m~0n/x=2",
          "{\"a\\/b\":{\"x\":\"1\"},\"m~n\":{\"x\":\"2\"}}", NULL },
        { "{\"\xe0\xb8\x9e\":{}}", "/\xe0\xb8\x9e/x=1",
          "{\"\xe0\xb8\x9e\":{\"x\":\"1\"}}", NULL },
        { "{\"\\u0e1e\":{}}", "/\xe0\xb8\x9e/x=1",
          "{\"\\u0e1e\":{\"x\":\"1\"}}", NULL },

        /* others are others */

        { "{\"Data\":{},\"dat\":{},\"data_\":{},\"\":{}}", "/data/x=1",
          "{\"Data\":{},\"dat\":{},\"data_\":{},\"\":{},"
          "\"data\":{\"x\":\"1\"}}", NULL },
        { "{\"a\":{\"b/c\":{}},\"a/b\":{}}", "/a/b/c=1",
          "{\"a\":{\"b/c\":{},\"b\":{\"c\":\"1\"}},\"a/b\":{}}", NULL },
        { "{\"a~1b\":{}}", "/a~1b/x=1",
          "{\"a~1b\":{},\"a/b\":{\"x\":\"1\"}}", NULL },
        { "{\"b\":{},\"d\":{},\"f\":{},\"h\":{}}",
          "/a/x=1 /b/x=2 /c/x=3 /d/x=4 /g/x=5 /h/x=6 /i/x=7",
          "{\"b\":{\"x\":\"2\"},\"d\":{\"x\":\"4\"},\"f\":{},"
          "\"h\":{\"x\":\"6\"},\"a\":{\"x\":\"1\"},\"c\":{\"x\":\"3\"},"
          "\"g\":{\"x\":\"5\"},\"i\":{\"x\":\"7\"}}", NULL },
    };

    (void) state;

    check_rows(rows);
}


static void
test_no_place(void **state)
{
    static const row_t  rows[] = {
        { "[]", "user_id=u", NULL, "user_id" },
        { " [ { } ] ", "a= user_id=u", NULL, "user_id" },
        { "12", "user_id=u", NULL, "user_id" },
        { "\"{}\"", "user_id=u", NULL, "user_id" },
        { "null", "/a/b=1", NULL, "/a/b" },
        { "{\"data\":[]}", "/data/x=1", NULL, "/data/x" },
        { "{\"data\":[{}]}", "/data/0/x=1", NULL, "/data/0/x" },
        { "{\"data\":null}", "/data/x=1", NULL, "/data/x" },
        { "{\"data\":12}", "user_id=u /data/x=1", NULL, "/data/x" },
        { "{\"data\":\"{}\"}", "/data/x=1", NULL, "/data/x" },
        { "{\"a\":{\"b\":false}}", "/a/x=1 /a/b/c=2", NULL, "/a/b/c" },

        /* what is there would be read as the gateway's */

        { "{\"data\":{\"x\":1}}", "/data/x=2", NULL, "/data/x" },
    };

    (void) state;

    check_rows(rows);
}


/* What jansson makes of the same sets, one after the other. */
static void
add_slowly(json_t *root, const og_set_t *set)
{
    char     *name, *save, text[64];
    json_t   *at, *next;

    snprintf(text, sizeof(text), "%.*s", (int) set->field_len, set->field);
    at = root;

    for (name = strtok_r(text, "/", &save); name != NULL; ) {
        next = json_object_get(at, name);

        if (save[0] == '\0') {
            json_object_set_new(at, name, json_string("v"));
            return;
        }

        if (next == NULL) {
            next = json_object();
            json_object_set_new(at, name, next);
        }

        at = next;
        name = strtok_r(NULL, "/", &save);
    }
}


/* A third are members of the root, the others two or three levels below. */
static void
name_field(char *field, size_t size, size_t i)
{
    size_t  k;

    k = i * 7919 % MANY;

    if (k % 3 == 0) {
        snprintf(field, size, "n%zu", k);

    } else {
        snprintf(field, size, "/%c%zu%s/n%zu", (int) ('a' + k % 5), k % 7,
                 (k % 8 == 7) ? "/x" : "", k);
    }
}


/* As many sets as one likes, in whatever order. */
static void
check_many(const og_set_t *sets, size_t nsets)
{
    char           *want, *got;
    size_t          i, len;
    json_t         *slow, *fast;
    unsigned char  *body;

    static const char  text[] = "{\"b3\":{ },\"x\":[\"b2\"],\"d1\":{\"x\":{}}}";

    len = sizeof(text) - 1;
    body = page_end - og_set_room(sets, nsets) - len;
    memcpy(body, text, len);
    slow = slow_read(body, len);

    for (i = 0; i < nsets; i++) {
        add_slowly(slow, &sets[i]);
    }

    assert_null(og_json_set(body, &len, NULL, 0, sets, nsets));
    fast = slow_read(body, len);

    want = json_dumps(slow, 0);
    got = json_dumps(fast, 0);
    assert_non_null(got);
    assert_string_equal(want, got);

    free(want);
    free(got);
    json_decref(slow);
    json_decref(fast);
}


/* The same where all of them have a home, in another order than theirs. */
static void
check_many_homes(og_set_t *sets, size_t nsets)
{
    char             name[16];
    size_t           i, len;
    json_t          *fast, *value;
    og_home_t        homes[MANY];
    const char      *member;
    unsigned char   *body;
    static char      fields[MANY][16];

    for (i = 0; i < nsets; i++) {
        snprintf(fields[i], sizeof(fields[i]), "%sn%zu", (i % 2) ? "/" : "",
                 i * 7919 % MANY);
        sets[i].field = fields[i];
        sets[i].field_len = strlen(fields[i]);

        homes[i].set = nsets - 1 - i;
        homes[i].at = 1;
        homes[i].behind = 0;
    }

    len = 2;
    body = page_end - og_set_room(sets, nsets) - len;
    memcpy(body, "{}", len);

    assert_null(og_json_set(body, &len, homes, nsets, sets, nsets));

    fast = slow_read(body, len);
    assert_int_equal(json_object_size(fast), nsets);
    i = 0;

    json_object_foreach(fast, member, value) {
        assert_string_equal(json_string_value(value), "v");
        snprintf(name, sizeof(name), "n%zu", (nsets - 1 - i++) * 7919 % MANY);
        assert_string_equal(member, name);
    }

    json_decref(fast);
}


static void
test_many_sets(void **state)
{
    size_t           i, n;
    og_set_t         sets[MANY];
    static char      fields[MANY][32];

    static const size_t  counts[] = { 1, 2, 10, 255, 256, 257, MANY };

    (void) state;

    for (n = 0; n < sizeof(counts) / sizeof(counts[0]); n++) {

        for (i = 0; i < counts[n]; i++) {
            name_field(fields[i], sizeof(fields[i]), i);

            sets[i].field = fields[i];
            sets[i].field_len = strlen(fields[i]);
            sets[i].type = OG_SET_STRING;
            sets[i].value = (const unsigned char *) "v";
            sets[i].value_len = 1;
        }

        check_many(sets, counts[n]);
        check_many_homes(sets, counts[n]);
    }
}


static int
set_up(void **state)
{
    size_t          size;
    unsigned char  *area;

    (void) state;

    size = (size_t) sysconf(_SC_PAGESIZE);
    area = mmap(NULL, (PAGES + 1) * size, PROT_READ|PROT_WRITE,
                MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED
        || mprotect(area + PAGES * size, size, PROT_NONE) != 0)
    {
        return -1;
    }

    page_end = area + PAGES * size;

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_homes),
        cmocka_unit_test(test_homes_of_others),
        cmocka_unit_test(test_empty_values),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_fields_without_a_home),
        cmocka_unit_test(test_names_on_the_way),
        cmocka_unit_test(test_no_place),
        cmocka_unit_test(test_many_sets),
    };

    return cmocka_run_group_tests_name("og_json_set", tests, set_up, NULL);
}
