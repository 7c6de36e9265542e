
/*
 * Copyright (C) order guard contributors
 *
 * The order of members: each case at each place of a block, and what is read
 * and written ends at a page that cannot be.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "og_json_order.h"


#define PAGES   (1024 * 1024)    /* that can be read */
#define SHIFTS  70               /* more than a block has bytes */


/* A text, and the same in order; NULL: it is. */
typedef struct {
    const char           *text;
    const char           *ordered;
} case_t;


static og_json_order_t  *order;
static unsigned char    *in_end;      /* nothing behind can be read */
static unsigned char    *out_end;


static const case_t  cases[] = {

    /* nothing to do */

    { "0", NULL },
    { "true", NULL },
    { "-1.50e30", NULL },
    { "\"\"", NULL },
    { "{}", NULL },
    { "[]", NULL },
    { "[{}]", NULL },
    { "[{},{},[],{}]", NULL },
    { "{\"a\":{}}", NULL },
    { "{\"a\":1,\"b\":2}", NULL },
    { "{\"a\":[3,1,2],\"b\":{\"a\":[],\"b\":{}}}", NULL },
    { "[\"b\",\"a\",{\"a\":1},\"c\",\"a\"]", NULL },

    /* two of them */

    { "{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}" },
    { "{\"b\":\"\",\"a\":\"\"}", "{\"a\":\"\",\"b\":\"\"}" },
    { "{\"b\":[],\"a\":{}}", "{\"a\":{},\"b\":[]}" },
    { "[{\"b\":1,\"a\":2}]", "[{\"a\":2,\"b\":1}]" },
    { "[1,{\"b\":1,\"a\":2},2]", "[1,{\"a\":2,\"b\":1},2]" },
    { "[{\"b\":1,\"a\":2},{\"d\":1,\"c\":2}]",
      "[{\"a\":2,\"b\":1},{\"c\":2,\"d\":1}]" },

    /* more */

    { "{\"c\":1,\"a\":2,\"b\":3}", "{\"a\":2,\"b\":3,\"c\":1}" },
    { "{\"b\":1,\"c\":2,\"a\":3}", "{\"a\":3,\"b\":1,\"c\":2}" },
    { "{\"d\":1,\"c\":2,\"b\":3,\"a\":4}",
      "{\"a\":4,\"b\":3,\"c\":2,\"d\":1}" },

    /* values stay as they are */

    { "{\"b\":1.0,\"a\":10E-0}", "{\"a\":10E-0,\"b\":1.0}" },
    { "{\"b\":\"\\u0061\",\"a\":\"\\/\\n\"}",
      "{\"a\":\"\\/\\n\",\"b\":\"\\u0061\"}" },
    { "{\"b\":[2,1,[4,3]],\"a\":null}", "{\"a\":null,\"b\":[2,1,[4,3]]}" },

    /* a name comes before the longer ones that it begins */

    { "{\"ab\":1,\"a\":2}", "{\"a\":2,\"ab\":1}" },
    { "{\"a\":1,\"\":2}", "{\"\":2,\"a\":1}" },
    { "{\"a!\":1,\"a\":2}", "{\"a\":2,\"a!\":1}" },
    { "{\"a \":1,\"a\":2}", "{\"a\":2,\"a \":1}" },
    { "{\"a\":1,\"a \":2,\"a!\":3}", NULL },
    { "{\"12345678\":1,\"1234567\":2}", "{\"1234567\":2,\"12345678\":1}" },
    { "{\"123456789\":1,\"12345678\":2}", "{\"12345678\":2,\"123456789\":1}" },
    { "{\"12345678 \":1,\"12345678\":2}", "{\"12345678\":2,\"12345678 \":1}" },
    { "{\"1234567890123456b\":1,\"1234567890123456a\":2}",
      "{\"1234567890123456a\":2,\"1234567890123456b\":1}" },
    { "{\"1234567890123456 \":1,\"1234567890123456\":2}",
      "{\"1234567890123456\":2,\"1234567890123456 \":1}" },
    { "{\"customer_phone\":1,\"customer_name\":2,\"customer\":3}",
      "{\"customer\":3,\"customer_name\":2,\"customer_phone\":1}" },

    /* as they stand: case, digits, characters above ASCII */

    { "{\"a\":1,\"B\":2,\"_\":3,\"1\":4}",
      "{\"1\":4,\"B\":2,\"_\":3,\"a\":1}" },
    { "{\"10\":1,\"9\":2}", NULL },
    { "{\"\xe0\xb8\x9e\":1,\"\xc3\xa9\":2,\"z\":3}",
      "{\"z\":3,\"\xc3\xa9\":2,\"\xe0\xb8\x9e\":1}" },
    { "{\"\x7f\":1,\"~\":2}", "{\"~\":2,\"\x7f\":1}" },

    /* escapes are bytes as others */

    { "{\"a\":1,\"\\u0061b\":2}", "{\"\\u0061b\":2,\"a\":1}" },
    { "{\"a\\\"b\":1,\"a\\\"\":2,\"a\":3}",
      "{\"a\":3,\"a\\\"\":2,\"a\\\"b\":1}" },
    { "{\"a\\\\\":1,\"a\\/\":2,\"a\\\"\":3}",
      "{\"a\\\"\":3,\"a\\/\":2,\"a\\\\\":1}" },
    { "{\"\\\"2\":1,\"\\\"1\":2}", "{\"\\\"1\":2,\"\\\"2\":1}" },
    { "{\"\\\\\\\"2\":1,\"\\\\\\\"1\":2}",
      "{\"\\\\\\\"1\":2,\"\\\\\\\"2\":1}" },
    { "{\"12345678\\\"b\":1,\"12345678\\\"a\":2,\"12345678\":3}",
      "{\"12345678\":3,\"12345678\\\"a\":2,\"12345678\\\"b\":1}" },

    /* strings that look like more */

    { "\"{\\\"b\\\":1,\\\"a\\\":2}\"", NULL },
    { "[\"{\",\"b\",\"a\",\"}\"]", NULL },
    { "{\"b\":\"},{\",\"a\":\"\\\",\\\\\"}",
      "{\"a\":\"\\\",\\\\\",\"b\":\"},{\"}" },
    { "{\"b\":\"\\\\\",\"a\":\"\\\\\\\\\"}",
      "{\"a\":\"\\\\\\\\\",\"b\":\"\\\\\"}" },
    { "{\"}\":1,\"{\":2,\",\":3,\"[\":4,\"]\":5,\":\":6}",
      "{\",\":3,\":\":6,\"[\":4,\"]\":5,\"{\":2,\"}\":1}" },

    /* within each other, and one, both or none are in order */

    { "{\"a\":{\"b\":1,\"a\":2},\"b\":0}",
      "{\"a\":{\"a\":2,\"b\":1},\"b\":0}" },
    { "{\"b\":{\"a\":1,\"b\":2},\"a\":0}",
      "{\"a\":0,\"b\":{\"a\":1,\"b\":2}}" },
    { "{\"b\":{\"b\":1,\"a\":2},\"a\":0}",
      "{\"a\":0,\"b\":{\"a\":2,\"b\":1}}" },
    { "{\"b\":0,\"a\":{\"b\":1,\"a\":2}}",
      "{\"a\":{\"a\":2,\"b\":1},\"b\":0}" },
    { "{\"b\":[{\"b\":1,\"a\":2},3,{\"d\":4,\"c\":5}],\"a\":6}",
      "{\"a\":6,\"b\":[{\"a\":2,\"b\":1},3,{\"c\":5,\"d\":4}]}" },
    { "{\"a\":[{\"b\":1,\"a\":2},3,{\"d\":4,\"c\":5}],\"b\":6}",
      "{\"a\":[{\"a\":2,\"b\":1},3,{\"c\":5,\"d\":4}],\"b\":6}" },
    { "{\"c\":{\"b\":{\"b\":1,\"a\":2},\"a\":{\"d\":3,\"c\":4}},"
      "\"b\":[[{\"f\":5,\"e\":6}]],\"a\":7}",
      "{\"a\":7,\"b\":[[{\"e\":6,\"f\":5}]],"
      "\"c\":{\"a\":{\"c\":4,\"d\":3},\"b\":{\"a\":2,\"b\":1}}}" },
    { "{\"a\":{\"a\":{\"a\":{\"b\":{},\"a\":{}}}}}",
      "{\"a\":{\"a\":{\"a\":{\"a\":{},\"b\":{}}}}}" },
    { "[[[{\"b\":[[{\"b\":1,\"a\":2}]],\"a\":{}}]],{\"b\":3,\"a\":4}]",
      "[[[{\"a\":{},\"b\":[[{\"a\":2,\"b\":1}]]}]],{\"a\":4,\"b\":3}]" }
};


/* Of texts that are no JSON no more is asked than that nothing breaks. */
static const char  *broken[] = {
    "", "{", "[", "}", "]", ",", "\"", "\\", ":", "{\"", "{\"a", "{\"a\"",
    "{\"a\":1,", "{\"a\":1", "[1", "[1,", "{]", "[}", "{}}", "[]]", "{,", "{,}",
    "{,,}", "{{}", "{{", "[{]", "{[}", "{[}]", "\"\\", "\"\\\"", "[\"]",
    "{\"b\":1,\"a\":2", "{\"b\":1,\"a\":2]", "{\"b\":{\"b\":1,\"a\":2},\"a\":",
    "Y", "{Y}", "z|", "{\"b\":1,\"a\":2}}", "{{\"b\":1,\"a\":2}", "{\"\":1,"
};


static unsigned char *
make_pages(void)
{
    unsigned char  *pages;

    pages = mmap(NULL, PAGES + 4096, PROT_READ|PROT_WRITE,
                 MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + PAGES, 4096, PROT_NONE), 0);

    return pages + PAGES;
}


/* Wants text to become ordered; NULL: it is in order. */
static void
check(const char *text, const char *ordered)
{
    size_t            len;
    const char       *want;
    unsigned char    *in, *out;
    og_json_order_e   found;

    len = strlen(text);
    want = ordered ? ordered : text;
    in = in_end - len;
    out = out_end - len;

    memcpy(in, text, len);
    memset(out, '#', len);

    found = og_json_order(order, in, len);

    if (found != (ordered ? OG_JSON_ORDER_CHANGED : OG_JSON_ORDER_KEPT)
        || og_json_order_copy(out, order) != out_end
        || memcmp(out, want, len) != 0 || memcmp(in, text, len) != 0)
    {
        print_error("%s\nbecomes (%d) %.*s\nand not %s\n", text, (int) found,
                    (int) len, out, want);
        fail();
    }
}


static void
test_cases(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(cases[i].text, cases[i].ordered);

        if (cases[i].ordered != NULL) {
            check(cases[i].ordered, NULL);
        }
    }
}


/* An element that is a string of n bytes, or of escapes, in front. */
static void
shift(char *dst, size_t size, size_t n, const char *text)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        dst[i + 2] = (n % 2) ? 'x' : '\\';
    }

    memcpy(dst, "[\"", 2);
    snprintf(dst + n + 2, size - n - 2, "\",%s,{\"x\":0}]", text);
}


static void
test_each_place_of_a_block(void **state)
{
    size_t  i, n;
    char    text[1024], ordered[1024];

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        for (n = 0; n < SHIFTS; n++) {
            shift(text, sizeof(text), n, cases[i].text);

            if (cases[i].ordered != NULL) {
                shift(ordered, sizeof(ordered), n, cases[i].ordered);
            }

            check(text, cases[i].ordered ? ordered : NULL);
        }
    }
}


/* Each number of members, and each way to turn them. */
static void
test_numbers_of_members(void **state)
{
    char    *text, *ordered;
    FILE    *out;
    size_t   i, n, turn, len;

    (void) state;

    for (n = 1; n < 140; n++) {

        for (turn = 0; turn < n; turn += 1 + n / 9) {
            out = open_memstream(&text, &len);

            for (i = 0; i < n; i++) {
                fprintf(out, "%c\"order_item_%04zu\":%zu", i ? ',' : '{',
                        (i + turn) % n, (i + turn) % n);
            }

            fprintf(out, "}");
            fclose(out);
            out = open_memstream(&ordered, &len);

            for (i = 0; i < n; i++) {
                fprintf(out, "%c\"order_item_%04zu\":%zu", i ? ',' : '{', i,
                        i);
            }

            fprintf(out, "}");
            fclose(out);

            check(text, turn ? ordered : NULL);
            free(text);
            free(ordered);
        }
    }
}


/* How the first was sorted is of no use for the second. */
static void
test_names_that_are_like_the_last_ones(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < 3; i++) {
        check("{\"m\":0,\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1,\"m\":0}");
        check("{\"m\":0,\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2,\"m\":0}");
        check("{\"m\":0,\"y\":1,\"x\":2}", "{\"m\":0,\"x\":2,\"y\":1}");
        check("{\"m\":0,\"b\":1}", "{\"b\":1,\"m\":0}");
        check("{\"order_id\":0,\"order_b\":1,\"order_a\":2}",
              "{\"order_a\":2,\"order_b\":1,\"order_id\":0}");
        check("{\"order_id\":0,\"order_z\":1,\"order_a\":2}",
              "{\"order_a\":2,\"order_id\":0,\"order_z\":1}");
    }
}


static void
test_what_is_no_json(void **state)
{
    size_t            i, n, len;
    char              text[512];
    unsigned char    *in;
    og_json_order_e   found;

    (void) state;

    for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {

        for (n = 0; n < SHIFTS; n++) {
            memset(text, ' ', n);
            len = n + strlen(broken[i]);
            snprintf(text + n, sizeof(text) - n, "%s", broken[i]);

            in = in_end - len;
            memcpy(in, text, len);
            found = og_json_order(order, in, len);

            if (found != OG_JSON_ORDER_FAILED) {
                (void) og_json_order_copy(out_end - len, order);
            }
        }
    }

    assert_int_equal(og_json_order(order, in_end, 0), OG_JSON_ORDER_FAILED);
    check("{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}");
}


/* What is open at the end is seen. */
static void
test_what_has_no_end(void **state)
{
    size_t            i, len;
    unsigned char    *in;

    static const char  *texts[] = {
        "", "{", "[", "[1", "[[]", "{\"a\":1", "{\"a\":{}", "\"", "\"a",
        "\"\\\"", "{\"b\":1,\"a\":2", "{\"b\":1,\"a\":\"}", "{]", "[}",
        "{\"b\":1,\"a\":[}", "}", "[]]", "{\"b\":1,\"a\":2}}"
    };

    (void) state;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        len = strlen(texts[i]);
        in = in_end - len;
        memcpy(in, texts[i], len);

        assert_int_equal(og_json_order(order, in, len),
                         OG_JSON_ORDER_FAILED);
    }
}


/* No block opens more than there is room for, whatever is in it. */
static void
test_blocks_of_marks(void **state)
{
    size_t            n;
    const char       *mark;
    unsigned char    *in;
    og_json_order_t  *fresh;

    (void) state;

    for (mark = "{[,"; *mark != '\0'; mark++) {

        for (n = 0; n < 300; n++) {
            in = in_end - n - 2;
            memset(in, *mark, n + 2);
            in[0] = '{';
            in[n + 1] = '0';

            fresh = og_json_order_create();
            assert_non_null(fresh);
            assert_int_equal(og_json_order(fresh, in, n + 2),
                             OG_JSON_ORDER_FAILED);
            og_json_order_free(fresh);
        }
    }
}


/* As deep as a text can be, without a stack of calls. */
static void
test_depth(void **state)
{
    char    *text, *ordered;
    FILE    *out, *out_ordered;
    size_t   i, len, ordered_len;

    (void) state;

    out = open_memstream(&text, &len);
    out_ordered = open_memstream(&ordered, &ordered_len);

    for (i = 0; i < 20 * 1000; i++) {
        fprintf(out, "[{\"b\":");
        fprintf(out_ordered, "[{\"a\":%zu,\"b\":", 20 * 1000 - 1 - i);
    }

    fprintf(out, "0");
    fprintf(out_ordered, "0");

    for (i = 0; i < 20 * 1000; i++) {
        fprintf(out, ",\"a\":%zu}]", i);
        fprintf(out_ordered, "}]");
    }

    fclose(out);
    fclose(out_ordered);

    check(text, ordered);
    check(ordered, NULL);
    free(text);
    free(ordered);
}


static int
set_up(void **state)
{
    (void) state;

    order = og_json_order_create();
    in_end = make_pages();
    out_end = make_pages();

    return order ? 0 : -1;
}


static int
tear_down(void **state)
{
    (void) state;

    og_json_order_free(order);
    og_json_order_free(NULL);

    munmap(in_end - PAGES, PAGES + 4096);
    munmap(out_end - PAGES, PAGES + 4096);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_each_place_of_a_block),
        cmocka_unit_test(test_numbers_of_members),
        cmocka_unit_test(test_names_that_are_like_the_last_ones),
        cmocka_unit_test(test_what_is_no_json),
        cmocka_unit_test(test_what_has_no_end),
        cmocka_unit_test(test_blocks_of_marks),
        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests_name("og_json_order", tests, set_up,
                                       tear_down);
}
