
/*
 * Copyright (C) order guard contributors
 *
 * Media types: which are understood, in which spellings, and what of them
 * somebody may read in another way.  Values lie at the end of a page.
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

#include "og_media.h"


#define LETTERS_70  "0123456789012345678901234567890123456789" \
                    "012345678901234567890123456789"


/* boundary is NULL where there is none. */
typedef struct {
    og_media_e            type;
    const char           *value;
    const char           *boundary;
} media_row_t;


static const media_row_t  understood[] = {
    { OG_MEDIA_JSON, "application/json", NULL },
    { OG_MEDIA_JSON, "application/JSON", NULL },
    { OG_MEDIA_JSON, "Application/Json", NULL },
    { OG_MEDIA_JSON, "application/json; charset=utf-8", NULL },
    { OG_MEDIA_JSON, "application/json;charset=UTF-8", NULL },
    { OG_MEDIA_JSON, "application/json; charset=\"utf-8\"", NULL },
    { OG_MEDIA_JSON, "application/json; Charset=utf-8", NULL },
    { OG_MEDIA_JSON, "application/json\t;\tcharset=utf-8\t", NULL },
    { OG_MEDIA_JSON, "application/vnd.api+json", NULL },
    { OG_MEDIA_JSON, "application/merge-patch+json", NULL },
    { OG_MEDIA_JSON, "application/json-patch+json+json", NULL },
    { OG_MEDIA_JSON, "application/x.json-patch+json", NULL },
    { OG_MEDIA_JSON, "application/a+b+json", NULL },
    { OG_MEDIA_JSON, "application/a!#$%&'*.^_`|~-0+json", NULL },
    { OG_MEDIA_JSON, "application/json; profile=\"a;b\"; charset=utf-8",
      NULL },
    { OG_MEDIA_JSON, "application/json; a=\"b,c/d \\\" (e)\"", NULL },
    { OG_MEDIA_JSON, "application/json; a=\"\xC3\xA9\"", NULL },
    { OG_MEDIA_JSON, "application/json; a=\"\"", NULL },
    { OG_MEDIA_JSON, "application/json ;", NULL },
    { OG_MEDIA_JSON, "application/json;", NULL },
    { OG_MEDIA_JSON, "application/json; boundary=x", NULL },
    { OG_MEDIA_JSON, "application/json; a=0; b=1; c=2; d=3; e=4; f=5; g=6;"
      " h=7; i=8; j=9; k=a; l=b; m=c; n=d; o=e; charset=utf-8", NULL },

    { OG_MEDIA_PATCH, "application/json-patch+json", NULL },
    { OG_MEDIA_PATCH, "Application/JSON-Patch+JSON; charset=utf-8", NULL },

    { OG_MEDIA_FORM, "application/x-www-form-urlencoded", NULL },
    { OG_MEDIA_FORM, "application/x-www-form-urlencoded; charset=UTF-8",
      NULL },
    { OG_MEDIA_FORM, "Application/X-WWW-Form-URLencoded", NULL },

    { OG_MEDIA_MULTIPART, "multipart/form-data; boundary=x", "x" },
    { OG_MEDIA_MULTIPART, "multipart/form-data;boundary=x", "x" },
    { OG_MEDIA_MULTIPART, "multipart/form-data; boundary=\"x\"", "x" },
    { OG_MEDIA_MULTIPART, "multipart/form-data; boundary="
      "----WebKitFormBoundary7MA4YWxkTrZu0gW",
      "----WebKitFormBoundary7MA4YWxkTrZu0gW" },
    { OG_MEDIA_MULTIPART, "multipart/form-data; boundary="
      "---------------------------974767299852498929531610575",
      "---------------------------974767299852498929531610575" },
    { OG_MEDIA_MULTIPART, "multipart/form-data; "
      "boundary=\"b5f4a7ae-0ae5-4ea5-8a4c-0f1a9d3dfc1e\"",
      "b5f4a7ae-0ae5-4ea5-8a4c-0f1a9d3dfc1e" },
    { OG_MEDIA_MULTIPART, "multipart/form-data; boundary=" LETTERS_70,
      LETTERS_70 },
    { OG_MEDIA_MULTIPART, "multipart/form-data; "
      "boundary=\"----=_Part_4_1.8:9/0\"", "----=_Part_4_1.8:9/0" },
    { OG_MEDIA_MULTIPART, "multipart/form-data; boundary=dart-http-boundary-+",
      "dart-http-boundary-+" },
    { OG_MEDIA_MULTIPART, "multipart/form-data; boundary=x; charset=UTF-8",
      "x" },
    { OG_MEDIA_MULTIPART, "multipart/form-data; charset=utf-8; boundary=x",
      "x" },

    { OG_MEDIA_TEXT, "text/plain", NULL },
    { OG_MEDIA_TEXT, "text/plain; charset=utf-8", NULL },
    { OG_MEDIA_TEXT, "text/plain; charset=ISO-8859-1", NULL },
    { OG_MEDIA_TEXT, "text/plain;charset=\"us-ascii\"", NULL },

    { OG_MEDIA_OPAQUE, "application/octet-stream", NULL },
    { OG_MEDIA_OPAQUE, "application/pdf", NULL },
    { OG_MEDIA_OPAQUE, "application/zip", NULL },
    { OG_MEDIA_OPAQUE, "application/vnd.openxmlformats-officedocument"
      ".spreadsheetml.sheet", NULL },
    { OG_MEDIA_OPAQUE, "text/csv; charset=windows-1252; header=present",
      NULL },
    { OG_MEDIA_OPAQUE, "image/png", NULL },
    { OG_MEDIA_OPAQUE, "Image/JPEG", NULL },
    { OG_MEDIA_OPAQUE, "image/*", NULL },
    { OG_MEDIA_OPAQUE, "audio/mpeg", NULL },
    { OG_MEDIA_OPAQUE, "video/mp4; codecs=\"avc1.64001E, mp4a.40.2\"", NULL },
    { OG_MEDIA_OPAQUE, "font/woff2", NULL }
};


/* All are OTHER. */
static const char  *refused[] = {

    /* what it is */

    "", "/", "json", "application", "application/", "/json", "text/json",
    "application/jsonx", "application/xml", "text/xml", "text/html", "*/*",
    "application/yaml", "application/x-protobuf", "application/msgpack",
    "application/cbor", "application/javascript", "text/javascript",
    "multipart/mixed; boundary=x", "multipart/related; boundary=x",
    "message/rfc822", "application/xhtml+xml", "model/gltf+json",

    /* some look at the subtype alone */

    "image/svg+xml", "image/json", "image/x-json", "image/xml",
    "image/a+json", "video/vnd.yaml", "audio/x-javascript", "font/a+cbor",

    /* the name is no name */

    "application/x-www-form-urlencoded,a+json",
    "application/x-www-form-urlencoded, application/json",
    "application/x-www-form-urlencoded,x/a+json",
    "application/a b+json", "application/a/b+json", "application/(x)+json",
    "application/a@b+json", "application/\"a\"+json",
    "application/a\xC3\xA9+json", "application/a\x0B+json",
    "application/json, text/plain", " application/json",
    "application/json\r\n", "application/json\x0B", "application/json\x7F",
    "image/", "image/a,b", "image/a/b",

    /* parameters that are none */

    "application/x-www-form-urlencoded;+json", "application/json junk",
    "application/json; junk", "application/json; a=b c",
    "application/json; =x", "application/json; a=", "application/json; a=; b=c",
    "application/json; (a)=b",
    "application/json; a=b,c", "application/json;; a=b",
    "application/json;a=b,application/x-www-form-urlencoded",
    "application/json; a=\"b\"c", "application/json; a=\"b\" c",
    "application/json; a=\"b", "application/json; a=\"b\\",
    "application/json; a=\"b\\\"", "application/json; a=\"b\n\"",
    "application/json; a=\"\\\x01\"", "application/json; a=\"\x7F\"",
    "application/json; a", "application/json; charset",
    "application/json;charset =utf-8", "application/json;charset= utf-8",
    "application/json; a=1; A=2", "application/json; a=1; b=2; a=1",
    "application/json; charset=utf-8; charset=utf-8",
    "application/json; a=0; b=1; c=2; d=3; e=4; f=5; g=6; h=7; i=8; j=9; k=a;"
    " l=b; m=c; n=d; o=e; p=f; q=g",
    "image/png; a=1; a=2", "text/plain; charset", "image/png junk",

    /* charsets */

    "application/json; charset=utf-16", "application/json; charset=utf8",
    "application/json; charset=iso-8859-1",
    "application/json; charset=\"utf-7\"", "application/json; charset=\"\"",
    "application/json; charset=\"utf-8", "application/json; charset=utf-8x",
    "application/json; charset='utf-8'",
    "application/json; charset=\"utf\\-8\"",
    "application/json; charset*=utf-16''utf-16",
    "application/json; charset*0=utf-16", "application/json; CHARSET*=a''b",
    "application/json; a=\"; charset=utf-7\"",
    "application/json; a=\"Charset =utf-7\"",
    "application/json-patch+json; charset=utf-16",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=windows-1252",
    "multipart/form-data; boundary=x; charset=utf-7",
    "text/plain; charset*=utf-16''utf-16",

    /* boundaries */

    "multipart/form-data", "multipart/form-data; charset=utf-8",
    "Multipart/Form-Data; boundary=x", "multipart/form-Data; boundary=x",
    "multipart/form-data ; boundary=x", "multipart/form-data\t;boundary=x",
    "multipart/form-data; boundary", "multipart/form-data; boundary=",
    "multipart/form-data; boundary=\"\"",
    "multipart/form-data; boundary=x; boundary=x",
    "multipart/form-data; boundary=x; Boundary=y",
    "multipart/form-data; boundary=x, boundary=y",
    "multipart/form-data; Boundary=x", "multipart/form-data; BOUNDARY=x",
    "multipart/form-data; boundary =x", "multipart/form-data; boundary= x",
    "multipart/form-data; boundary*=utf-8''x",
    "multipart/form-data; boundary*0=x",
    "multipart/form-data; boundary=x; boundary*=utf-8''y",
    "multipart/form-data; boundary=x; boundary*0=y; boundary*1=z",
    "multipart/form-data; xboundary=y; boundary=x",
    "multipart/form-data; a=\"; boundary=y\"; boundary=x",
    "multipart/form-data; a=b; boundary=x",
    "multipart/form-data; boundary=\"boundary=x\"",
    "multipart/form-data; boundary=\"a-Boundary:=x\"",
    "multipart/form-data; boundary=a=b", "multipart/form-data; boundary=a:b",
    "multipart/form-data; boundary=a/b", "multipart/form-data; boundary=a b",
    "multipart/form-data; boundary=a,b",
    "multipart/form-data; boundary=\"a b\"",
    "multipart/form-data; boundary=\" a\"",
    "multipart/form-data; boundary=\"a \"",
    "multipart/form-data; boundary=\"a,b\"",
    "multipart/form-data; boundary=\"a;b\"",
    "multipart/form-data; boundary=\"a\\b\"",
    "multipart/form-data; boundary=\"a\\\"b\"",
    "multipart/form-data; boundary=\"a'b\"",
    "multipart/form-data; boundary='a'", "multipart/form-data; boundary=a%62",
    "multipart/form-data; boundary=\"a(b)\"",
    "multipart/form-data; boundary=\"=?utf-8?q?a?=\"",
    "multipart/form-data; boundary=\"a\tb\"",
    "multipart/form-data; boundary=\"\xC3\xA9\"",
    "multipart/form-data; boundary=" LETTERS_70 "0",
    "multipart/form-data; boundary=\"" LETTERS_70 "0\""
};


static unsigned char  *page_end;


/* At the end of a page, where the first byte too far is not there. */
static og_media_t
read_value(const char *value, size_t len)
{
    unsigned char  *p;

    p = page_end - len;
    memcpy(p, value, len);

    return og_media_read(p, len);
}


static void
test_understood(void **state)
{
    size_t              i;
    og_media_t          media;
    const media_row_t  *row;

    (void) state;

    for (i = 0; i < sizeof(understood) / sizeof(understood[0]); i++) {
        row = &understood[i];
        media = read_value(row->value, strlen(row->value));

        if (media.type != row->type) {
            fail_msg("%s: %d", row->value, (int) media.type);
        }

        assert_int_equal(media.len, strcspn(row->value, "; \t"));

        if (row->boundary == NULL) {
            assert_null(media.boundary);
            continue;
        }

        assert_int_equal(media.boundary_len, strlen(row->boundary));
        assert_memory_equal(media.boundary, row->boundary,
                            media.boundary_len);
    }
}


static void
test_refused(void **state)
{
    size_t      i;
    og_media_t  media;

    (void) state;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        media = read_value(refused[i], strlen(refused[i]));

        if (media.type != OG_MEDIA_OTHER) {
            fail_msg("%s: %d", refused[i], (int) media.type);
        }

        assert_int_equal(media.len, strcspn(refused[i], "; \t"));
    }

    media = read_value("application/json; a=\"\0\"", 22);
    assert_int_equal(media.type, OG_MEDIA_OTHER);

    media = read_value("application/json\0", 17);
    assert_int_equal(media.type, OG_MEDIA_OTHER);

    media = read_value("multipart/form-data; boundary=\"a\0b\"", 35);
    assert_int_equal(media.type, OG_MEDIA_OTHER);
}


/* Whatever stands in a value, what is read of it lies within. */
static void
test_every_end(void **state)
{
    size_t      i, len;
    og_media_t  media;

    (void) state;

    for (i = 0; i < sizeof(understood) / sizeof(understood[0]); i++) {

        for (len = 0; len < strlen(understood[i].value); len++) {
            media = read_value(understood[i].value, len);
            assert_true(media.len <= len);

            if (media.type == OG_MEDIA_MULTIPART) {
                assert_true(media.boundary_len > 0);
                assert_true(media.boundary + media.boundary_len <= page_end);
            }
        }
    }
}


/* A value of megabytes is no work. */
static void
test_linear(void **state)
{
    char        *value;
    size_t       len;
    clock_t      start;
    og_media_t   media;

    (void) state;

    len = 1 << 22;
    value = malloc(len);
    assert_non_null(value);

    start = clock();

    memset(value, 'j', len);
    memcpy(value, "image/", 6);
    media = og_media_read((unsigned char *) value, len);
    assert_int_equal(media.type, OG_MEDIA_OPAQUE);

    memset(value, 'c', len);
    memcpy(value, "application/json; a=\"", 21);
    value[len - 1] = '"';
    media = og_media_read((unsigned char *) value, len);
    assert_int_equal(media.type, OG_MEDIA_JSON);

    assert_true((clock() - start) / CLOCKS_PER_SEC < 2);

    free(value);
}


static int
set_up(void **state)
{
    size_t          size;
    unsigned char  *pages;

    (void) state;

    size = (size_t) sysconf(_SC_PAGESIZE);
    pages = mmap(NULL, 2 * size, PROT_READ|PROT_WRITE,
                 MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED
        || mprotect(pages + size, size, PROT_NONE) != 0)
    {
        return -1;
    }

    page_end = pages + size;

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_understood),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_end),
        cmocka_unit_test(test_linear),
    };

    return cmocka_run_group_tests_name("og_media", tests, set_up, NULL);
}
