
/*
 * Copyright (C) order guard contributors
 *
 * A secret of the operator's, and the keys that are derived from it: one that
 * names callers and keys, one for each record.  Pure: libc and OpenSSL only.
 */


#ifndef OG_SECRET_H_INCLUDED_
#define OG_SECRET_H_INCLUDED_


#include <stddef.h>


#define OG_SECRET_MIN        32
#define OG_SECRET_MAX        4096

#define OG_SECRET_ID_SIZE    8
#define OG_SECRET_NAME_SIZE  32     /* of a digest, and of its name */
#define OG_SECRET_SALT_SIZE  32
#define OG_SECRET_KEY_SIZE   32


typedef struct og_secret_s  og_secret_t;


/*
 * Copies len bytes, OG_SECRET_MIN to OG_SECRET_MAX, to memory that stays out
 * of core dumps.  Returns NULL when there is none, or the length is another.
 * One process uses it from one thread; a child has one of its own.
 */
og_secret_t *og_secret_create(const unsigned char *bytes, size_t len);


/* Wipes and frees it, with all that was derived from it.  NULL is fine. */
void og_secret_destroy(og_secret_t *secret);


/*
 * Tells secrets apart, and nothing else about them: OG_SECRET_ID_SIZE bytes
 * that live as long as the secret.
 */
const unsigned char *og_secret_id(const og_secret_t *secret);


/*
 * The name of what has this digest: HMAC-SHA-256 (RFC 2104) under a key that
 * is derived from the secret.  Both have OG_SECRET_NAME_SIZE bytes.  Returns
 * 0, or -1 when memory is short; name is then undefined.
 */
int og_secret_name(og_secret_t *secret, const unsigned char *digest,
    unsigned char *name);


/*
 * The key of the record with this salt: HKDF-SHA-256 (RFC 5869).  The caller
 * wipes it after use.  As og_secret_name().
 */
int og_secret_record_key(og_secret_t *secret, const unsigned char *salt,
    unsigned char *key);


#endif /* OG_SECRET_H_INCLUDED_ */
