
/*
 * Copyright (C) order guard contributors
 *
 * Forms of many parts, beside the cases of t/unit/multipart: how large a
 * header may be, which boundaries there are, what is found in a body and what
 * a fingerprint is made of, how long it takes.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "og_multipart.h"
#include "multipart_text.h"


#define PAGES  16


typedef struct {
    unsigned char        *start;      /* of what can be read */
    unsigned char        *end;
} page_t;


static og_scanner_t  *scanner;
static og_media_t     media;
static page_t         page;


static const og_body_result_t *
scan(const void *data, size_t len)
{
    static const og_body_rules_t  none = { .max_depth = 64 };

    return og_multipart_scan(scanner, &none, &media, data, len);
}


/* Of 4096 bytes, empty line and all. */
static void
test_header_size(void **state)
{
    int                      n;
    char                     body[5000];
    size_t                   left;
    const og_body_result_t  *result;

    (void) state;

    for (left = 0; left < 8; left++) {
        n = snprintf(body, sizeof(body),
                     "--b\r\nContent-Disposition: form-data; name=\"%0*d\""
                     "\r\n\r\nA\r\n--b--", (int) (4096 - 43 - left), 0);
        result = scan(body, (size_t) n);
        assert_int_equal(result->status, OG_BODY_OK);
    }

    for (left = 1; left < 8; left++) {
        n = snprintf(body, sizeof(body),
                     "--b\r\nContent-Disposition: form-data; name=\"%0*d\""
                     "\r\n\r\nA\r\n--b--", (int) (4096 - 43 + left), 0);
        result = scan(body, (size_t) n);
        assert_int_equal(result->status, OG_BODY_MALFORMED);
        assert_string_equal(result->message,
                            "the header of a part is too long");
    }
}


/* Boundaries like those that clients make, and the worst there are. */
static void
test_boundaries(void **state)
{
    int                      n;
    char                     body[512];
    size_t                   i;
    const og_body_result_t  *result;

    static const char  *boundaries[] = {
        "-", "--", "---", "a-", "-a-", "a--", "--a--",
        "----WebKitFormBoundary7MA4YWxkTrZu0gW",
        "---------------------------974767299852498929531610575",
        "----=_Part_4_1.8:9/0",
        "0123456789012345678901234567890123456789012345678901234567890123456789"
    };

    (void) state;

    for (i = 0; i < sizeof(boundaries) / sizeof(boundaries[0]); i++) {
        media = multipart_media(boundaries[i]);

        n = snprintf(body, sizeof(body), "--%s\r\nContent-Disposition: "
                     "form-data; name=a\r\n\r\n-A \r\n--%s--\r\n",
                     boundaries[i], boundaries[i]);
        result = scan(body, (size_t) n);
        assert_int_equal(result->status, OG_BODY_OK);

        n = snprintf(body, sizeof(body), "--%s\r\nContent-Disposition: "
                     "form-data; name=a\r\n\r\n--%sA\r\n--%s--\r\n",
                     boundaries[i], boundaries[i], boundaries[i]);
        result = scan(body, (size_t) n);
        assert_int_equal(result->status, OG_BODY_MALFORMED);
    }

    media = multipart_media("b");
}


static void
test_find(void **state)
{
    size_t                i, len, n;
    unsigned char        *data;
    const unsigned char  *found;

    static const char  text[] =
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nA\r\n"
        "--b\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n"
        "--b\r\nContent-Disposition: form-data; name=c; filename=d\r\n\r\nC"
        "\r\n--b\r\nContent-Disposition: form-data; name=c\r\n\r\n--\r\n\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"e[f]\"\r\n\r\nE\r\n"
        "--b\r\nContent-Disposition: form-data; name=g\r\n\r\nG\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"g\"\r\n\r\nH\r\n"
        "--b--\r\n";

    static const struct {
        const char  *name;
        const char  *content;
    } rows[] = {
        { "a", "A" },
        { "b", "" },
        { "c", "--\r\n" },      /* the other one is a file */
        { "e[f]", "E" },
        { "g", NULL },          /* twice */
        { "A", NULL },
        { "e", NULL },
        { "d", NULL },
        { "", NULL }
    };

    (void) state;

    len = sizeof(text) - 1;
    data = page.end - len;
    memcpy(data, text, len);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        found = og_multipart_find(&media, data, len, rows[i].name,
                                  strlen(rows[i].name), &n);

        if (rows[i].content == NULL) {
            assert_null(found);
            continue;
        }

        assert_non_null(found);
        assert_int_equal(n, strlen(rows[i].content));
        assert_memory_equal(found, rows[i].content, n);
    }
}


/* The boundary is no part of it, all else is. */
static void
test_canonical(void **state)
{
    size_t          len, room;
    unsigned char   out[512], *end;

    static const char  b[] =
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nA\r\n"
        "--b\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n--b--\r\n";

    static const char  longer[] =
        "--other\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nA\r\n"
        "--other\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n"
        "--other--";

    static const char  canonical[] =
        "\0\0\0\0\0\0\0\x2c"
        "Content-Disposition: form-data; name=\"a\"\r\n\r\n"
        "\0\0\0\0\0\0\0\1" "A"
        "\0\0\0\0\0\0\0\x2a"
        "Content-Disposition: form-data; name=b\r\n\r\n"
        "\0\0\0\0\0\0\0\0";

    (void) state;

    len = sizeof(b) - 1;
    room = og_multipart_canonical_room(&media, len);
    assert_true(room <= sizeof(out));

    end = og_multipart_copy_canonical(out, &media, (const unsigned char *) b,
                                      len);
    assert_true((size_t) (end - out) <= room);
    assert_int_equal(end - out, sizeof(canonical) - 1);
    assert_memory_equal(out, canonical, sizeof(canonical) - 1);

    media = multipart_media("other");
    end = og_multipart_copy_canonical(out, &media,
                                      (const unsigned char *) longer,
                                      sizeof(longer) - 1);
    assert_int_equal(end - out, sizeof(canonical) - 1);
    assert_memory_equal(out, canonical, sizeof(canonical) - 1);

    media = multipart_media("b");
    end = og_multipart_copy_canonical(out, &media,
                                      (const unsigned char *) "--b--", 5);
    assert_ptr_equal(end, out);
}


/* The least parts that there are need the most room beside their bytes. */
static void
test_canonical_room(void **state)
{
    size_t          i, n, len, room;
    unsigned char  *body, *out;

    static const char  part[] =
        "--b\r\nContent-Disposition:form-data;name=a\r\n\r\n\r\n";

    (void) state;

    for (n = 0; n < 100; n++) {
        len = n * (sizeof(part) - 1) + 5;
        body = malloc(len);
        assert_non_null(body);

        for (i = 0; i < n; i++) {
            memcpy(body + i * (sizeof(part) - 1), part, sizeof(part) - 1);
        }

        memcpy(body + len - 5, "--b--", 5);
        assert_int_equal(scan(body, len)->status, OG_BODY_OK);

        room = og_multipart_canonical_room(&media, len);
        out = page.end - room;
        assert_true(out >= page.start);

        assert_true(og_multipart_copy_canonical(out, &media, body, len)
                    <= page.end);
        free(body);
    }
}


/* Copies text until it fills a body, and the last delimiter. */
static size_t
fill(unsigned char *body, size_t size, const char *first, const char *text)
{
    size_t  n, len;

    len = strlen(first);
    memcpy(body, first, len);

    n = strlen(text);

    while (len + n + 100 < size) {
        memcpy(body + len, text, n);
        len += n;
    }

    memcpy(body + len, "\r\n--", 4);
    memcpy(body + len + 4, media.boundary, media.boundary_len);
    memcpy(body + len + 4 + media.boundary_len, "--", 2);

    return len + 6 + media.boundary_len;
}


/* Whatever a body of megabytes has most of, it is no work. */
static void
test_linear(void **state)
{
    size_t             i, size, len;
    clock_t            start;
    og_fields_t       *fields;
    unsigned char     *body;
    og_body_rules_t    rules;
    og_body_status_e   status;

#define DASHES  "----------"
#define HEADER  "Content-Disposition: form-data; name="

    static const struct {
        og_body_status_e   status;
        const char        *boundary;
        const char        *first;
        const char        *text;
    } rows[] = {
        { OG_BODY_OK, DASHES DASHES DASHES "b",
          "--" DASHES DASHES DASHES "b\r\n" HEADER "a\r\n\r\n", DASHES },
        { OG_BODY_OK, "b", "--b\r\n" HEADER "a\r\n\r\n", "\r\n-" },
        { OG_BODY_OK, "b", "--b\r\n" HEADER "a\r\n\r\n",
          "\r\n--b\r\n" HEADER "\"b[c]\"\r\n\r\n" },
        { OG_BODY_OK, "b", "--b\r\n" HEADER "a\r\n\r\n",
          "\r\n--b\r\n" HEADER "price\r\n\r\n\r\n--b\r\n" HEADER
          "b\r\n\r\n" },
        { OG_BODY_OK, "b", "--b\r\n" HEADER "a\r\n\r\n",
          "\r\n--b\r\n" HEADER "x\r\nContent-Type: application/json\r\n"
          "Content-Length: 11\r\n\r\n{\"price\":1}" },
        { OG_BODY_OK, "b", "--b\r\n" HEADER "a\r\n\r\n",
          "\r\n--b\r\n" HEADER "price\r\nContent-Type: application/json"
          "\r\n\r\n{\"price\":1}" },
        { OG_BODY_MALFORMED, "b", "--b\r\n", "Content-ID: a\r\n" },
        { OG_BODY_MALFORMED, "b", "--b\r\n" HEADER "\"", "a[" },
        { OG_BODY_MALFORMED, "b", "--b\r\n" HEADER, "name" },
        { OG_BODY_MALFORMED, "b", "", "\r\n" }
    };

    (void) state;

    fields = og_fields_create(OG_MATCH_LOOSE);
    assert_non_null(fields);
    assert_null(og_fields_add(fields, OG_FIELD_STRIP, "price", 5));
    assert_null(og_fields_add(fields, OG_FIELD_STRIP, "/a/b/c", 6));
    assert_null(og_fields_compile(fields));

    memset(&rules, 0, sizeof(rules));
    rules.fields = fields;
    rules.max_depth = 64;

    size = 1 << 23;
    body = malloc(size);
    assert_non_null(body);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        media = multipart_media(rows[i].boundary);
        len = fill(body, size, rows[i].first, rows[i].text);

        start = clock();
        status = og_multipart_scan(scanner, &rules, &media, body, len)
                     ->status;

        print_message("%zu: %ld ms\n", i,
                      (long) ((clock() - start) * 1000 / CLOCKS_PER_SEC));

        assert_int_equal(status, rows[i].status);
        assert_true((clock() - start) / CLOCKS_PER_SEC < 3);
    }

    media = multipart_media("b");
    og_fields_free(fields);
    free(body);
}


static int
set_up(void **state)
{
    size_t          size;
    unsigned char  *pages;

    (void) state;

    scanner = og_scanner_create();
    media = multipart_media("b");

    size = (size_t) sysconf(_SC_PAGESIZE);
    pages = mmap(NULL, (PAGES + 2) * size, PROT_NONE,
                 MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED
        || mprotect(pages + size, PAGES * size, PROT_READ|PROT_WRITE) != 0)
    {
        return -1;
    }

    page.start = pages + size;
    page.end = page.start + PAGES * size;

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
        cmocka_unit_test(test_header_size),
        cmocka_unit_test(test_boundaries),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_canonical_room),
        cmocka_unit_test(test_linear),
    };

    return cmocka_run_group_tests_name("og_multipart limits", tests, set_up,
                                       tear_down);
}
