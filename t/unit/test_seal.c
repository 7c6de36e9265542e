
/*
 * Copyright (C) order guard contributors
 *
 * Secrets and sealed records.  The pictures were made by another program:
 * records outlive a release, and hosts must agree.
 */


#define _GNU_SOURCE         /* memmem() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_seal.h"
#include "og_secret.h"


#define BYTES(text)  { (const unsigned char *) (text), sizeof(text) - 1 }

#define SECRET  "an example of a secret, 34 bytes.."
#define OTHER   "an example of a secret, 34 bytes.,"
#define NAME    "og:{caller}:i:key"

#define ID      "\x7a\x43\xee\x2e\x75\xbe\xdb\x2d"
#define SALT    "SSSSSSSSssssssssSSSSSSSSssssssss"

#define TAIL                                                                  \
    "0123456789abcdef" "FFFFFFFFffffffffFFFFFFFFffffffff"                     \
    "\x00\x00\x01\x90\x12\x34\x56\x78"

#define DONE_HEAD     "\x01\x03" TAIL
#define DONE          DONE_HEAD "\x00\xc9\0\0\0\0\0\0\0\x05hello"
#define PENDING       "\x01\x01" TAIL "\0\0\0\0\x05\x26\x5c\x00"              \
                      "\0\0\0\0\0\0\x75\x30"

#define SEALED                                                                \
    "\x02\x03" TAIL ID SALT                                                   \
    "\x3f\x88\xc2\x50\x0f\x03\x77\x27\x49\xf9\x6f\x66\xb0\xbd\x6c"            \
    "\xfe\x70\xd2\xbf\xb5\xe9\xdd\x41\xf7\x12\x49\x5a\xbd\xe8\x75\x34"


static const og_bytes_t  done = BYTES(DONE);
static const og_bytes_t  pending = BYTES(PENDING);
static const og_bytes_t  sealed = BYTES(SEALED);
static const og_bytes_t  name = BYTES(NAME);


static og_secret_t *secret_of(const char *text);
static size_t open_copy(og_secret_t *secret, og_bytes_t look_up,
    og_bytes_t bytes);


static void
test_names_are_as_in_the_picture(void **state)
{
    og_secret_t    *secret;
    unsigned char   got[OG_SECRET_NAME_SIZE];
    const char      expected[] =
        "\x73\x9d\x01\xe8\x6f\xca\x89\xb4\xc7\xea\xb5\x47\x44\x6e\x8d\x99"
        "\x3f\x90\x1f\xa6\x82\x0e\x6a\xaa\x42\xa3\x74\x52\x75\xf8\x1f\x7e";
    int             i;

    (void) state;

    secret = secret_of(SECRET);

    assert_memory_equal(og_secret_id(secret), ID, OG_SECRET_ID_SIZE);

    /* the second one begins where the first has left the context */

    for (i = 0; i < 2; i++) {
        assert_int_equal(og_secret_name(secret, (const unsigned char *)
                                        "DDDDDDDDddddddddDDDDDDDDdddddddd",
                                        got),
                         0);
        assert_memory_equal(got, expected, OG_SECRET_NAME_SIZE);
    }

    og_secret_destroy(secret);
}


static void
test_the_picture_opens(void **state)
{
    og_secret_t    *secret;
    unsigned char   got[sizeof(SEALED)];

    (void) state;

    secret = secret_of(SECRET);

    assert_int_equal(og_seal_open(secret, name, sealed.data, sealed.len, got),
                     done.len);
    assert_memory_equal(got, done.data, done.len);

    og_secret_destroy(secret);
}


static void
test_what_is_sealed_opens(void **state)
{
    size_t             i;
    og_record_t        head;
    og_secret_t       *secret;
    const og_bytes_t  *record;
    unsigned char      first[256], second[256], got[256];
    const og_bytes_t   both[] = { done, pending };

    (void) state;

    secret = secret_of(SECRET);

    for (i = 0; i < 2; i++) {
        record = &both[i];

        assert_int_equal(og_seal(secret, name, record->data, record->len,
                                 first),
                         0);
        assert_int_equal(og_seal(secret, name, record->data, record->len,
                                 second),
                         0);
        assert_memory_not_equal(first, second, og_seal_size(record->len));

        assert_int_equal(og_seal_open(secret, name, first,
                                      og_seal_size(record->len), got),
                         record->len);
        assert_memory_equal(got, record->data, record->len);

        /* whose it is can be seen without the secret, and no more */

        assert_true(og_record_decode_head(&head, first,
                                          og_seal_size(record->len))
                    > 0);
        assert_memory_equal(head.nonce, "0123456789abcdef", 16);
        assert_int_equal(og_record_decode(&head, first,
                                          og_seal_size(record->len)),
                         -1);
    }

    assert_null(memmem(first, og_seal_size(pending.len), "hello", 5));

    og_secret_destroy(secret);
}


static void
test_every_touched_byte_is_noticed(void **state)
{
    size_t           i;
    og_bytes_t       touched;
    og_secret_t     *secret;
    unsigned char    buf[sizeof(SEALED)];

    (void) state;

    secret = secret_of(SECRET);
    touched.data = buf;

    for (i = 0; i < sealed.len; i++) {
        memcpy(buf, sealed.data, sealed.len);
        buf[i] ^= 1;
        touched.len = sealed.len;

        if (open_copy(secret, name, touched) != 0) {
            fail_msg("byte %zu was touched", i);
        }

        memcpy(buf, sealed.data, sealed.len);
        touched.len = i;

        if (open_copy(secret, name, touched) != 0) {
            fail_msg("%zu bytes were accepted", i);
        }
    }

    memcpy(buf, sealed.data, sealed.len);
    buf[sealed.len] = 0;
    touched.len = sealed.len + 1;
    assert_int_equal(open_copy(secret, name, touched), 0);

    og_secret_destroy(secret);
}


static void
test_another_name_or_secret_does_not_open(void **state)
{
    og_secret_t       *secret, *other;
    const og_bytes_t   look_up = BYTES("og:{caller}:i:kez");

    (void) state;

    secret = secret_of(SECRET);
    other = secret_of(OTHER);

    assert_int_equal(open_copy(secret, name, sealed), done.len);
    assert_int_equal(open_copy(secret, look_up, sealed), 0);
    assert_int_equal(open_copy(other, name, sealed), 0);
    assert_int_equal(open_copy(secret, name, done), 0);

    og_secret_destroy(secret);
    og_secret_destroy(other);
}


static void
test_only_records_are_sealed(void **state)
{
    og_secret_t    *secret;
    unsigned char   buf[256];

    (void) state;

    secret = secret_of(SECRET);

    assert_int_equal(og_seal(secret, name, done.data, 20, buf), -1);
    assert_int_equal(og_seal(secret, name, (const unsigned char *) "x", 0,
                             buf),
                     -1);

    og_secret_destroy(secret);
}


static void
test_lengths_of_secrets(void **state)
{
    og_secret_t           *secret;
    static unsigned char   bytes[OG_SECRET_MAX + 1];

    (void) state;

    assert_null(og_secret_create(bytes, 0));
    assert_null(og_secret_create(bytes, OG_SECRET_MIN - 1));
    assert_null(og_secret_create(bytes, OG_SECRET_MAX + 1));

    secret = og_secret_create(bytes, OG_SECRET_MIN);
    assert_non_null(secret);
    og_secret_destroy(secret);

    secret = og_secret_create(bytes, OG_SECRET_MAX);
    assert_non_null(secret);
    og_secret_destroy(secret);

    og_secret_destroy(NULL);
}


static og_secret_t *
secret_of(const char *text)
{
    og_secret_t  *secret;

    secret = og_secret_create((const unsigned char *) text, strlen(text));
    assert_non_null(secret);

    return secret;
}


/* Copies of the exact size let AddressSanitizer see one byte too far. */

static size_t
open_copy(og_secret_t *secret, og_bytes_t look_up, og_bytes_t bytes)
{
    size_t          len;
    unsigned char  *copy, *dst;

    copy = malloc(bytes.len ? bytes.len : 1);
    dst = malloc(bytes.len ? bytes.len : 1);
    assert_non_null(copy);
    assert_non_null(dst);

    if (bytes.len) {
        memcpy(copy, bytes.data, bytes.len);
    }

    len = og_seal_open(secret, look_up, copy, bytes.len, dst);

    free(copy);
    free(dst);

    return len;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_names_are_as_in_the_picture),
        cmocka_unit_test(test_the_picture_opens),
        cmocka_unit_test(test_what_is_sealed_opens),
        cmocka_unit_test(test_every_touched_byte_is_noticed),
        cmocka_unit_test(test_another_name_or_secret_does_not_open),
        cmocka_unit_test(test_only_records_are_sealed),
        cmocka_unit_test(test_lengths_of_secrets),
    };

    return cmocka_run_group_tests_name("og_seal", tests, NULL, NULL);
}
