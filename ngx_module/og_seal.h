
/*
 * Copyright (C) order guard contributors
 *
 * Records that only who has the secret can read or write.  Pure: libc and
 * OpenSSL only.
 */


#ifndef OG_SEAL_H_INCLUDED_
#define OG_SEAL_H_INCLUDED_


#include <stddef.h>

#include "og_record.h"
#include "og_secret.h"


/* Bytes of an encoded record of so many bytes when it is sealed. */
size_t og_seal_size(size_t len);


/*
 * Seals what og_record_encode() wrote, into dst (og_seal_size() bytes): its
 * answer is encrypted, and all of it authenticated together with the name
 * that it will be looked up by (AES-256-GCM, NIST SP 800-38D).  Its head stays
 * readable, see og_record_decode_head().  Returns 0, or -1: no memory, no
 * randomness, or no record.  record and dst do not overlap.
 */
int og_seal(og_secret_t *secret, og_bytes_t name, const unsigned char *record,
    size_t len, unsigned char *dst);


/*
 * Opens what og_seal() made with the same secret and name, into dst (len
 * bytes); og_record_decode() reads it.  Returns its length, or 0 when data is
 * anything else: a record of another name or secret, one without a seal, or
 * one that was touched.  dst is then undefined.  They do not overlap.
 */
size_t og_seal_open(og_secret_t *secret, og_bytes_t name,
    const unsigned char *data, size_t len, unsigned char *dst);


#endif /* OG_SEAL_H_INCLUDED_ */
