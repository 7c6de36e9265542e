
/*
 * Copyright (C) order guard contributors
 *
 * Records: what decodes encodes to the same bytes, what encodes decodes to
 * the same record, and nothing is read outside of either.
 */


#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "og_record.h"
#include "rules.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_decode(const uint8_t *data, size_t size);
static void check_encode(const uint8_t *data, size_t size);
static og_record_t make_record(og_bytes_t rest, unsigned char *headers);
static og_bytes_t take(og_bytes_t *rest, size_t len);
static unsigned take_byte(og_bytes_t *rest);
static void check_same(const og_record_t *a, const og_record_t *b);
static void check_same_bytes(og_bytes_t a, og_bytes_t b);
static void touch(og_bytes_t bytes);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_decode(data, size);
    check_encode(data, size);

    return 0;
}


static void
check_decode(const uint8_t *data, size_t size)
{
    og_bytes_t      list, name, value;
    og_record_t     record;
    unsigned char  *copy;

    if (og_record_decode(&record, data, size) != 0) {
        return;
    }

    list = record.headers;

    while (og_record_header_next(&list, &name, &value)) {
        touch(name);
        touch(value);
    }

    check(list.len == 0);
    touch(record.body);

    check(og_record_size(&record) == size);

    copy = malloc(size);
    check(copy != NULL);
    check(og_record_encode(copy, &record) == copy + size);
    check(memcmp(copy, data, size) == 0);
    free(copy);
}


static void
check_encode(const uint8_t *data, size_t size)
{
    size_t          len;
    og_bytes_t      rest;
    og_record_t     record, decoded;
    unsigned char  *headers, *encoded;

    /* No header takes more than nine times the byte that it was made of. */

    headers = malloc(9 * size + 1);
    check(headers != NULL);

    rest.data = data;
    rest.len = size;
    record = make_record(rest, headers);

    len = og_record_size(&record);
    encoded = malloc(len + 1);
    check(encoded != NULL);
    check(og_record_encode(encoded, &record) == encoded + len);

    if (len) {
        check(og_record_decode(&decoded, encoded, len) == 0);
        check_same(&record, &decoded);
        check(og_record_decode(&decoded, encoded, len - 1) != 0);
        check(og_record_decode(&decoded, encoded, len + 1) != 0);

    } else {
        check(record.state > OG_RECORD_TOMBSTONE
              || record.status < 100 || record.status > 599);
    }

    free(encoded);
    free(headers);
}


static og_record_t
make_record(og_bytes_t rest, unsigned char *headers)
{
    size_t          name_len;
    unsigned        nheaders;
    og_bytes_t      name, value, part;
    og_record_t     record;
    unsigned char  *end;

    memset(&record, 0, sizeof(record));

    record.state = (og_record_state_e) (1 + take_byte(&rest) % 5);

    part = take(&rest, OG_RECORD_NONCE_SIZE);
    if (part.len) {
        memcpy(record.nonce, part.data, part.len);
    }

    part = take(&rest, OG_RECORD_FINGERPRINT_SIZE);
    if (part.len) {
        memcpy(record.fingerprint, part.data, part.len);
    }

    record.created = take_byte(&rest) * 0x0101010101010101ULL;

    if (record.state == OG_RECORD_PENDING) {
        record.life = take_byte(&rest) * 0x0101010101010101ULL;
        record.lease = take_byte(&rest) * 0x0101010101010101ULL;
    }

    if (record.state < OG_RECORD_DONE) {
        return record;
    }

    record.status = take_byte(&rest) * 3;
    end = headers;

    for (nheaders = take_byte(&rest) % 8; nheaders && rest.len; nheaders--) {
        name_len = take_byte(&rest);
        name = take(&rest, name_len);
        value = take(&rest, take_byte(&rest));
        end = og_record_header_add(end, name, value);
    }

    record.headers.data = headers;
    record.headers.len = (size_t) (end - headers);

    if (record.state == OG_RECORD_DONE) {
        record.body = rest;
    }

    return record;
}


/* At most len bytes: the input may be at its end. */

static og_bytes_t
take(og_bytes_t *rest, size_t len)
{
    og_bytes_t  part;

    part.data = rest->data;
    part.len = len < rest->len ? len : rest->len;

    if (part.len) {
        rest->data += part.len;
        rest->len -= part.len;
    }

    return part;
}


static unsigned
take_byte(og_bytes_t *rest)
{
    og_bytes_t  part;

    part = take(rest, 1);

    return part.len ? part.data[0] : 0;
}


static void
check_same(const og_record_t *a, const og_record_t *b)
{
    check(a->state == b->state);
    check(a->created == b->created);
    check(a->life == b->life);
    check(a->lease == b->lease);
    check(a->status == b->status);
    check(memcmp(a->nonce, b->nonce, OG_RECORD_NONCE_SIZE) == 0);
    check(memcmp(a->fingerprint, b->fingerprint, OG_RECORD_FINGERPRINT_SIZE)
          == 0);
    check_same_bytes(a->headers, b->headers);
    check_same_bytes(a->body, b->body);
}


static void
check_same_bytes(og_bytes_t a, og_bytes_t b)
{
    check(a.len == b.len);
    check(a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


static void
touch(og_bytes_t bytes)
{
    size_t                  i;
    volatile unsigned char  sink;

    for (i = 0; i < bytes.len; i++) {
        sink = bytes.data[i];
        (void) sink;
    }
}
