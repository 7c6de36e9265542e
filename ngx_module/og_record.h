
/*
 * Copyright (C) order guard contributors
 *
 * The idempotency record as it stands in a store.  Pure: libc only.
 */


#ifndef OG_RECORD_H_INCLUDED_
#define OG_RECORD_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#define OG_RECORD_NONCE_SIZE        16
#define OG_RECORD_FINGERPRINT_SIZE  32


typedef enum {
    OG_RECORD_PENDING = 1,    /* claimed, the owner is at work */
    OG_RECORD_UNKNOWN,        /* sent to the upstream, no answer is known */
    OG_RECORD_DONE,           /* finished, the answer is here */
    OG_RECORD_TOMBSTONE       /* finished, the answer was too large to keep */
} og_record_state_e;


typedef struct {
    const unsigned char  *data;
    size_t                len;
} og_bytes_t;


typedef struct {
    og_record_state_e     state;
    unsigned char         nonce[OG_RECORD_NONCE_SIZE];    /* of the owner */
    unsigned char         fingerprint[OG_RECORD_FINGERPRINT_SIZE];
    uint64_t              created;    /* ms since the epoch, informative */

    uint64_t              life;       /* ms that it was claimed for, and the */
    uint64_t              lease;      /* owner's silence that ends it; PENDING
                                         only */

    unsigned              status;     /* DONE and TOMBSTONE only */
    og_bytes_t            headers;    /* see og_record_header_add() */
    og_bytes_t            body;
} og_record_t;


/*
 * Bytes that og_record_encode() writes for this record.  Members that its
 * state does not have do not count: only PENDING has life and lease, it and
 * UNKNOWN have no answer, TOMBSTONE has no body.  0 when og_record_decode()
 * would not take it back: an unknown state, a status outside 100..599, a
 * header list that cannot be walked, headers or body of 4 GB and more.
 */
size_t og_record_size(const og_record_t *record);


/*
 * Writes the record to dst (og_record_size() bytes), returns the end.  A
 * record whose size is 0 writes nothing and returns dst.
 */
unsigned char *og_record_encode(unsigned char *dst, const og_record_t *record);


/*
 * Reads a record; headers and body point into data, which must outlive them.
 * Returns 0, or -1 when data is not exactly one record of a version and state
 * known here (the record is then undefined).  Never reads outside data, and
 * accepts only header lists that og_record_header_next() can walk to their
 * end.  What a state does not have reads as 0 or empty.  Encoding what was
 * read gives data again, byte for byte.
 */
int og_record_decode(og_record_t *record, const unsigned char *data,
    size_t len);


/*
 * Reads what stands in clear of every record, sealed (og_seal.h) or not: all
 * but its answer.  Returns the bytes that it takes, or 0 when data does not
 * begin as a record of a version and state known here.
 */
size_t og_record_decode_head(og_record_t *record, const unsigned char *data,
    size_t len);


/*
 * Whether what begins as a record is sealed, and the mark that says so: only
 * og_seal.c makes the one from the other.
 */
int og_record_is_sealed(const unsigned char *data);
void og_record_set_sealed(unsigned char *data, int sealed);


/* Bytes that one header takes in the list; both lengths are below 4 GB. */
size_t og_record_header_size(size_t name_len, size_t value_len);


/*
 * Appends one header at dst (og_record_header_size() bytes) and returns the
 * end; name and value are copied.
 */
unsigned char *og_record_header_add(unsigned char *dst, og_bytes_t name,
    og_bytes_t value);


/*
 * Takes the first header off the list.  Returns 1 and moves *list on, or 0
 * at its end or where it is broken: *list then stays, empty in the first case
 * alone, and name and value are undefined.  They point into the list.
 */
int og_record_header_next(og_bytes_t *list, og_bytes_t *name,
    og_bytes_t *value);


#endif /* OG_RECORD_H_INCLUDED_ */
