
/*
 * Copyright (C) order guard contributors
 *
 * A record in a store, every number big-endian, sizes in bytes:
 *
 *     version 1 | state 1 | nonce 16 | fingerprint 32 | created 8
 *     PENDING:              life 8 | lease 8
 *     DONE and TOMBSTONE:   status 2 | headers length 4 | headers
 *     DONE:                 body length 4 | body
 *
 * and each header in the list: name length 4 | name | value length 4 | value.
 *
 * A sealed record has another version; og_seal.c says what follows its head.
 *
 * There is exactly one encoding of a record, so a decoded one encodes to the
 * same bytes.  The version stands first, for ever: gateways of two releases
 * share a store during a roll-out, and what a reader does not know it must
 * refuse by that byte alone.
 */


#include <string.h>

#include "og_record.h"


#define OG_RECORD_VERSION      1
#define OG_RECORD_SEALED       2
#define OG_RECORD_LENGTH_SIZE  4
#define OG_RECORD_STATUS_SIZE  2

#define OG_RECORD_HEAD_SIZE                                                   \
    (1 + 1 + OG_RECORD_NONCE_SIZE + OG_RECORD_FINGERPRINT_SIZE                \
     + sizeof(uint64_t))

/* A reload may change both while a claim that knows the old ones lives. */
#define OG_RECORD_CLAIM_SIZE  (2 * sizeof(uint64_t))


static int og_record_is_encodable(const og_record_t *record);
static int og_record_has_answer(og_record_state_e state);
static int og_record_status_is_known(uint64_t status);
static int og_record_headers_are_whole(og_bytes_t list);

static unsigned char *og_record_put_number(unsigned char *dst, uint64_t value,
    size_t size);
static unsigned char *og_record_put(unsigned char *dst, og_bytes_t bytes);
static unsigned char *og_record_put_part(unsigned char *dst, og_bytes_t part);

static int og_record_take_head(og_record_t *record, og_bytes_t *rest);
static int og_record_take_answer(og_record_t *record, og_bytes_t *rest);
static int og_record_take_number(og_bytes_t *rest, size_t size,
    uint64_t *value);
static int og_record_take(og_bytes_t *rest, size_t len, og_bytes_t *part);
static int og_record_take_part(og_bytes_t *rest, og_bytes_t *part);


size_t
og_record_size(const og_record_t *record)
{
    size_t  size;

    if (!og_record_is_encodable(record)) {
        return 0;
    }

    size = OG_RECORD_HEAD_SIZE;

    if (record->state == OG_RECORD_PENDING) {
        size += OG_RECORD_CLAIM_SIZE;
    }

    if (og_record_has_answer(record->state)) {
        size += OG_RECORD_STATUS_SIZE;
        size += OG_RECORD_LENGTH_SIZE + record->headers.len;
    }

    if (record->state == OG_RECORD_DONE) {
        size += OG_RECORD_LENGTH_SIZE + record->body.len;
    }

    return size;
}


unsigned char *
og_record_encode(unsigned char *dst, const og_record_t *record)
{
    og_bytes_t  nonce, fingerprint;

    if (!og_record_is_encodable(record)) {
        return dst;
    }

    nonce.data = record->nonce;
    nonce.len = OG_RECORD_NONCE_SIZE;
    fingerprint.data = record->fingerprint;
    fingerprint.len = OG_RECORD_FINGERPRINT_SIZE;

    dst = og_record_put_number(dst, OG_RECORD_VERSION, 1);
    dst = og_record_put_number(dst, record->state, 1);
    dst = og_record_put(dst, nonce);
    dst = og_record_put(dst, fingerprint);
    dst = og_record_put_number(dst, record->created, sizeof(uint64_t));

    if (record->state == OG_RECORD_PENDING) {
        dst = og_record_put_number(dst, record->life, sizeof(uint64_t));
        dst = og_record_put_number(dst, record->lease, sizeof(uint64_t));
    }

    if (og_record_has_answer(record->state)) {
        dst = og_record_put_number(dst, record->status,
                                   OG_RECORD_STATUS_SIZE);
        dst = og_record_put_part(dst, record->headers);
    }

    if (record->state == OG_RECORD_DONE) {
        dst = og_record_put_part(dst, record->body);
    }

    return dst;
}


int
og_record_decode(og_record_t *record, const unsigned char *data, size_t len)
{
    og_bytes_t  rest;

    memset(record, 0, sizeof(og_record_t));

    rest.data = data;
    rest.len = len;

    if (og_record_take_head(record, &rest) != 0
        || og_record_is_sealed(data))
    {
        return -1;
    }

    if (og_record_has_answer(record->state)
        && og_record_take_answer(record, &rest) != 0)
    {
        return -1;
    }

    return rest.len == 0 ? 0 : -1;
}


size_t
og_record_decode_head(og_record_t *record, const unsigned char *data,
    size_t len)
{
    og_bytes_t  rest;

    memset(record, 0, sizeof(og_record_t));

    rest.data = data;
    rest.len = len;

    return og_record_take_head(record, &rest) == 0 ? len - rest.len : 0;
}


int
og_record_is_sealed(const unsigned char *data)
{
    return data[0] == OG_RECORD_SEALED;
}


void
og_record_set_sealed(unsigned char *data, int sealed)
{
    data[0] = sealed ? OG_RECORD_SEALED : OG_RECORD_VERSION;
}


size_t
og_record_header_size(size_t name_len, size_t value_len)
{
    return OG_RECORD_LENGTH_SIZE + name_len
           + OG_RECORD_LENGTH_SIZE + value_len;
}


unsigned char *
og_record_header_add(unsigned char *dst, og_bytes_t name, og_bytes_t value)
{
    dst = og_record_put_part(dst, name);

    return og_record_put_part(dst, value);
}


int
og_record_header_next(og_bytes_t *list, og_bytes_t *name, og_bytes_t *value)
{
    og_bytes_t  rest;

    rest = *list;

    if (og_record_take_part(&rest, name) != 0
        || og_record_take_part(&rest, value) != 0)
    {
        return 0;
    }

    *list = rest;

    return 1;
}


static int
og_record_is_encodable(const og_record_t *record)
{
    switch (record->state) {

    case OG_RECORD_PENDING:
    case OG_RECORD_UNKNOWN:
        return 1;

    case OG_RECORD_DONE:
        if (record->body.len > UINT32_MAX) {
            return 0;
        }

        break;

    case OG_RECORD_TOMBSTONE:
        break;

    default:
        return 0;
    }

    return og_record_status_is_known(record->status)
           && record->headers.len <= UINT32_MAX
           && og_record_headers_are_whole(record->headers);
}


static int
og_record_has_answer(og_record_state_e state)
{
    return state == OG_RECORD_DONE || state == OG_RECORD_TOMBSTONE;
}


static int
og_record_status_is_known(uint64_t status)
{
    return status >= 100 && status <= 599;
}


static int
og_record_headers_are_whole(og_bytes_t list)
{
    og_bytes_t  name, value;

    while (og_record_header_next(&list, &name, &value)) {
        /* void */
    }

    return list.len == 0;
}


static unsigned char *
og_record_put_number(unsigned char *dst, uint64_t value, size_t size)
{
    while (size > 0) {
        size--;
        *dst++ = (unsigned char) (value >> (8 * size) & 0xff);
    }

    return dst;
}


static unsigned char *
og_record_put(unsigned char *dst, og_bytes_t bytes)
{
    /* An empty part may have no address, which memcpy() does not allow. */

    if (bytes.len == 0) {
        return dst;
    }

    memcpy(dst, bytes.data, bytes.len);

    return dst + bytes.len;
}


static unsigned char *
og_record_put_part(unsigned char *dst, og_bytes_t part)
{
    dst = og_record_put_number(dst, part.len, OG_RECORD_LENGTH_SIZE);

    return og_record_put(dst, part);
}


static int
og_record_take_head(og_record_t *record, og_bytes_t *rest)
{
    uint64_t    version, state;
    og_bytes_t  nonce, fingerprint;

    if (og_record_take_number(rest, 1, &version) != 0
        || (version != OG_RECORD_VERSION && version != OG_RECORD_SEALED)
        || og_record_take_number(rest, 1, &state) != 0
        || state < OG_RECORD_PENDING
        || state > OG_RECORD_TOMBSTONE
        || og_record_take(rest, OG_RECORD_NONCE_SIZE, &nonce) != 0
        || og_record_take(rest, OG_RECORD_FINGERPRINT_SIZE, &fingerprint) != 0
        || og_record_take_number(rest, sizeof(uint64_t), &record->created)
           != 0)
    {
        return -1;
    }

    record->state = (og_record_state_e) state;
    memcpy(record->nonce, nonce.data, nonce.len);
    memcpy(record->fingerprint, fingerprint.data, fingerprint.len);

    if (record->state == OG_RECORD_PENDING
        && (og_record_take_number(rest, sizeof(uint64_t), &record->life) != 0
            || og_record_take_number(rest, sizeof(uint64_t), &record->lease)
               != 0))
    {
        return -1;
    }

    return 0;
}


static int
og_record_take_answer(og_record_t *record, og_bytes_t *rest)
{
    uint64_t  status;

    if (og_record_take_number(rest, OG_RECORD_STATUS_SIZE, &status) != 0
        || !og_record_status_is_known(status)
        || og_record_take_part(rest, &record->headers) != 0
        || !og_record_headers_are_whole(record->headers))
    {
        return -1;
    }

    record->status = (unsigned) status;

    if (record->state == OG_RECORD_TOMBSTONE) {
        return 0;
    }

    return og_record_take_part(rest, &record->body);
}


static int
og_record_take_number(og_bytes_t *rest, size_t size, uint64_t *value)
{
    size_t      i;
    og_bytes_t  digits;

    if (og_record_take(rest, size, &digits) != 0) {
        return -1;
    }

    *value = 0;

    for (i = 0; i < size; i++) {
        *value = *value << 8 | digits.data[i];
    }

    return 0;
}


static int
og_record_take(og_bytes_t *rest, size_t len, og_bytes_t *part)
{
    if (rest->len < len) {
        return -1;
    }

    part->data = rest->data;
    part->len = len;

    rest->data += len;
    rest->len -= len;

    return 0;
}


static int
og_record_take_part(og_bytes_t *rest, og_bytes_t *part)
{
    uint64_t  len;

    if (og_record_take_number(rest, OG_RECORD_LENGTH_SIZE, &len) != 0) {
        return -1;
    }

    return og_record_take(rest, (size_t) len, part);
}
