
/*
 * Copyright (C) order guard contributors
 *
 * The record codec: a fixed picture of every state (records outlive a
 * release), the way back, and the refusal of everything else.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_record.h"


#define BYTES(text)  { (const unsigned char *) (text), sizeof(text) - 1 }

#define NONCE        "0123456789abcdef"
#define FINGERPRINT  "FFFFFFFFffffffffFFFFFFFFffffffff"
#define CREATED      "\x00\x00\x01\x90\x12\x34\x56\x78"
#define CREATED_MS   0x19012345678ULL

#define LIFE         "\0\0\0\0\x05\x26\x5c\x00"
#define LIFE_MS      86400000
#define LEASE        "\0\0\0\0\0\0\x75\x30"
#define LEASE_MS     30000

#define HEAD(state)  "\x01" state NONCE FINGERPRINT CREATED

#define NO_HEADERS   "\0\0\0\0"
#define TYPE_HEADER  "\0\0\0\x0c" "Content-Type" "\0\0\0\x0a" "text/plain"
#define EMPTY_HEADER "\0\0\0\x03" "Via" "\0\0\0\0"


typedef struct {
    const char           *name;
    og_record_state_e     state;
    unsigned              status;
    og_bytes_t            headers;
    og_bytes_t            body;
    og_bytes_t            encoded;
} picture_t;


static const picture_t  pictures[] = {

    { "pending", OG_RECORD_PENDING, 0, { NULL, 0 }, { NULL, 0 },
      BYTES(HEAD("\x01") LIFE LEASE) },

    { "unknown", OG_RECORD_UNKNOWN, 0, { NULL, 0 }, { NULL, 0 },
      BYTES(HEAD("\x02")) },

    { "done, empty", OG_RECORD_DONE, 204, { NULL, 0 }, { NULL, 0 },
      BYTES(HEAD("\x03") "\x00\xcc" NO_HEADERS "\0\0\0\0") },

    { "done, with headers and body", OG_RECORD_DONE, 201,
      BYTES(TYPE_HEADER EMPTY_HEADER), BYTES("a\0b"),
      BYTES(HEAD("\x03") "\x00\xc9" "\0\0\0\x29" TYPE_HEADER EMPTY_HEADER
            "\0\0\0\x03" "a\0b") },

    { "done, lowest status", OG_RECORD_DONE, 100, { NULL, 0 }, BYTES("x"),
      BYTES(HEAD("\x03") "\x00\x64" NO_HEADERS "\0\0\0\x01" "x") },

    { "done, highest status", OG_RECORD_DONE, 599, { NULL, 0 }, BYTES("x"),
      BYTES(HEAD("\x03") "\x02\x57" NO_HEADERS "\0\0\0\x01" "x") },

    { "tombstone", OG_RECORD_TOMBSTONE, 200,
      BYTES(TYPE_HEADER), { NULL, 0 },
      BYTES(HEAD("\x04") "\x00\xc8" "\0\0\0\x1e" TYPE_HEADER) },
};


typedef struct {
    const char           *name;
    og_bytes_t            encoded;
} refusal_t;


static const refusal_t  refusals[] = {

    { "empty", BYTES("") },
    { "sealed", BYTES("\x02" "\x02" NONCE FINGERPRINT CREATED) },
    { "a version to come", BYTES("\x03" "\x02" NONCE FINGERPRINT CREATED) },
    { "version 0", BYTES("\0" "\x02" NONCE FINGERPRINT CREATED) },
    { "state 0", BYTES(HEAD("\0")) },
    { "state 5", BYTES(HEAD("\x05")) },
    { "state 255", BYTES(HEAD("\xff")) },
    { "pending with an answer",
      BYTES(HEAD("\x01") LIFE LEASE "\x00\xc8" NO_HEADERS) },
    { "unknown with a life", BYTES(HEAD("\x02") LIFE LEASE) },
    { "unknown with a trailing byte", BYTES(HEAD("\x02") "\0") },
    { "done with status 0",
      BYTES(HEAD("\x03") "\0\0" NO_HEADERS "\0\0\0\0") },
    { "done with status 99",
      BYTES(HEAD("\x03") "\x00\x63" NO_HEADERS "\0\0\0\0") },
    { "done with status 600",
      BYTES(HEAD("\x03") "\x02\x58" NO_HEADERS "\0\0\0\0") },
    { "done with a trailing byte",
      BYTES(HEAD("\x03") "\x00\xc8" NO_HEADERS "\0\0\0\0" "x") },
    { "done with half a header",
      BYTES(HEAD("\x03") "\x00\xc8" "\0\0\0\x06" "\0\0\0\x02" "ab"
            "\0\0\0\0") },
    { "done with a header name beyond the list",
      BYTES(HEAD("\x03") "\x00\xc8" "\0\0\0\x08" "\0\0\0\x05" "\0\0\0\0"
            "\0\0\0\x02" "ab") },
    { "done with a header length of 4 GB",
      BYTES(HEAD("\x03") "\x00\xc8" "\0\0\0\x08" "\xff\xff\xff\xff"
            "\0\0\0\0" "\0\0\0\0") },
    { "done with a list length of 4 GB",
      BYTES(HEAD("\x03") "\x00\xc8" "\xff\xff\xff\xff" "\0\0\0\0") },
    { "done with a body length of 4 GB",
      BYTES(HEAD("\x03") "\x00\xc8" NO_HEADERS "\xff\xff\xff\xff" "x") },
    { "tombstone with a body",
      BYTES(HEAD("\x04") "\x00\xc8" NO_HEADERS "\0\0\0\x01" "x") },
};


static og_record_t record_of(const picture_t *picture);
static int decode_copy(const unsigned char *data, size_t len);
static int same_bytes(og_bytes_t a, og_bytes_t b);


static void
test_encode_gives_the_picture(void **state)
{
    size_t            i;
    og_record_t       record;
    unsigned char     buf[256], *end;
    const picture_t  *picture;

    (void) state;

    for (i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
        picture = &pictures[i];
        record = record_of(picture);

        if (og_record_size(&record) != picture->encoded.len) {
            fail_msg("%s: size %zu", picture->name, og_record_size(&record));
        }

        end = og_record_encode(buf, &record);

        if ((size_t) (end - buf) != picture->encoded.len
            || memcmp(buf, picture->encoded.data, picture->encoded.len) != 0)
        {
            fail_msg("%s: encoded otherwise", picture->name);
        }
    }
}


static void
test_decode_gives_the_record(void **state)
{
    size_t            i;
    og_record_t       record, expected;
    const picture_t  *picture;

    (void) state;

    for (i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
        picture = &pictures[i];
        expected = record_of(picture);
        memset(&record, 0xa5, sizeof(record));

        if (og_record_decode(&record, picture->encoded.data,
                             picture->encoded.len)
            != 0)
        {
            fail_msg("%s: refused", picture->name);
        }

        assert_int_equal(record.state, expected.state);
        assert_memory_equal(record.nonce, expected.nonce,
                            OG_RECORD_NONCE_SIZE);
        assert_memory_equal(record.fingerprint, expected.fingerprint,
                            OG_RECORD_FINGERPRINT_SIZE);
        assert_true(record.created == expected.created);
        assert_true(record.life == expected.life);
        assert_true(record.lease == expected.lease);
        assert_int_equal(record.status, expected.status);

        if (!same_bytes(record.headers, expected.headers)
            || !same_bytes(record.body, expected.body))
        {
            fail_msg("%s: decoded otherwise", picture->name);
        }
    }
}


static void
test_every_cut_and_addition_is_refused(void **state)
{
    size_t            i, len;
    unsigned char     buf[256];
    const picture_t  *picture;

    (void) state;

    for (i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
        picture = &pictures[i];

        for (len = 0; len < picture->encoded.len; len++) {
            if (decode_copy(picture->encoded.data, len) != -1) {
                fail_msg("%s: %zu bytes accepted", picture->name, len);
            }
        }

        memcpy(buf, picture->encoded.data, len);
        buf[len] = 0;

        if (decode_copy(buf, len + 1) != -1) {
            fail_msg("%s: a trailing byte accepted", picture->name);
        }
    }
}


static void
test_broken_records_are_refused(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (decode_copy(refusals[i].encoded.data, refusals[i].encoded.len)
            != -1)
        {
            fail_msg("%s: accepted", refusals[i].name);
        }
    }
}


static void
test_what_a_state_lacks_is_not_written(void **state)
{
    og_record_t    full, lean;
    unsigned char  buf[256], expected[256], *end;

    (void) state;

    full = record_of(&pictures[3]);
    lean = record_of(&pictures[1]);
    full.state = OG_RECORD_UNKNOWN;
    full.life = LIFE_MS;

    assert_int_equal(og_record_size(&full), og_record_size(&lean));

    og_record_encode(expected, &lean);
    end = og_record_encode(buf, &full);

    assert_int_equal(end - buf, og_record_size(&lean));
    assert_memory_equal(buf, expected, og_record_size(&lean));

    full.state = OG_RECORD_TOMBSTONE;
    lean = full;
    lean.body.len = 0;

    assert_int_equal(og_record_size(&full), og_record_size(&lean));
}


static void
test_what_cannot_be_read_back_is_not_written(void **state)
{
    unsigned char     buf[1];
    og_record_t       good, bad;
    const og_bytes_t  half = BYTES("\0\0\0\x09" "short");

    (void) state;

    good = record_of(&pictures[3]);
    assert_int_not_equal(og_record_size(&good), 0);

    bad = good;
    bad.state = (og_record_state_e) 9;
    assert_int_equal(og_record_size(&bad), 0);
    assert_ptr_equal(og_record_encode(buf, &bad), buf);

    bad = good;
    bad.status = 99;
    assert_int_equal(og_record_size(&bad), 0);
    assert_ptr_equal(og_record_encode(buf, &bad), buf);

    bad = good;
    bad.status = 600;
    assert_int_equal(og_record_size(&bad), 0);

    bad = good;
    bad.headers = half;
    assert_int_equal(og_record_size(&bad), 0);
    assert_ptr_equal(og_record_encode(buf, &bad), buf);

#if SIZE_MAX > UINT32_MAX
    bad = good;
    bad.body.len = (size_t) UINT32_MAX + 1;
    assert_int_equal(og_record_size(&bad), 0);
    assert_ptr_equal(og_record_encode(buf, &bad), buf);
#endif
}


static void
test_headers_walk_as_they_were_added(void **state)
{
    size_t            size;
    og_bytes_t        list, name, value;
    unsigned char     buf[64], *end;
    const og_bytes_t  type = BYTES("Content-Type"), via = BYTES("Via"),
                      plain = BYTES("text/plain"), none = { NULL, 0 };
    const og_bytes_t  expected = BYTES(TYPE_HEADER EMPTY_HEADER);

    (void) state;

    size = og_record_header_size(type.len, plain.len)
           + og_record_header_size(via.len, none.len);
    assert_int_equal(size, expected.len);

    end = og_record_header_add(buf, type, plain);
    end = og_record_header_add(end, via, none);
    assert_int_equal(end - buf, size);
    assert_memory_equal(buf, expected.data, size);

    list.data = buf;
    list.len = size;

    assert_int_equal(og_record_header_next(&list, &name, &value), 1);
    assert_true(same_bytes(name, type) && same_bytes(value, plain));

    assert_int_equal(og_record_header_next(&list, &name, &value), 1);
    assert_true(same_bytes(name, via) && same_bytes(value, none));

    assert_int_equal(og_record_header_next(&list, &name, &value), 0);
    assert_int_equal(list.len, 0);
}


static void
test_a_broken_list_stays_where_it_breaks(void **state)
{
    og_bytes_t  list = BYTES(EMPTY_HEADER "\0\0\0\x01" "a" "\0\0\0\x02" "b");
    og_bytes_t  name, value;

    (void) state;

    assert_int_equal(og_record_header_next(&list, &name, &value), 1);
    assert_int_equal(og_record_header_next(&list, &name, &value), 0);
    assert_int_equal(og_record_header_next(&list, &name, &value), 0);
    assert_int_equal(list.len, 10);
}


static og_record_t
record_of(const picture_t *picture)
{
    og_record_t  record;

    memset(&record, 0, sizeof(record));

    record.state = picture->state;
    record.created = CREATED_MS;

    if (record.state == OG_RECORD_PENDING) {
        record.life = LIFE_MS;
        record.lease = LEASE_MS;
    }

    record.status = picture->status;
    record.headers = picture->headers;
    record.body = picture->body;
    memcpy(record.nonce, NONCE, OG_RECORD_NONCE_SIZE);
    memcpy(record.fingerprint, FINGERPRINT, OG_RECORD_FINGERPRINT_SIZE);

    return record;
}


/* A copy of the exact size lets AddressSanitizer see one byte too far. */

static int
decode_copy(const unsigned char *data, size_t len)
{
    int             rc;
    og_record_t     record;
    unsigned char  *copy;

    copy = malloc(len ? len : 1);
    assert_non_null(copy);

    if (len) {
        memcpy(copy, data, len);
    }

    rc = og_record_decode(&record, copy, len);

    free(copy);

    return rc;
}


static int
same_bytes(og_bytes_t a, og_bytes_t b)
{
    return a.len == b.len
           && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_encode_gives_the_picture),
        cmocka_unit_test(test_decode_gives_the_record),
        cmocka_unit_test(test_every_cut_and_addition_is_refused),
        cmocka_unit_test(test_broken_records_are_refused),
        cmocka_unit_test(test_what_a_state_lacks_is_not_written),
        cmocka_unit_test(test_what_cannot_be_read_back_is_not_written),
        cmocka_unit_test(test_headers_walk_as_they_were_added),
        cmocka_unit_test(test_a_broken_list_stays_where_it_breaks),
    };

    return cmocka_run_group_tests_name("og_record", tests, NULL, NULL);
}
