
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>
#include <sys/mman.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "og_secret.h"


#define OG_SECRET_DIGEST  "SHA256"


struct og_secret_s {
    EVP_KDF_CTX          *kdf;
    EVP_MAC_CTX          *names;        /* HMAC, its key is set */
    unsigned char         id[OG_SECRET_ID_SIZE];
    size_t                len;
    unsigned char         bytes[OG_SECRET_MAX];
};


static int og_secret_prepare(og_secret_t *secret);
static int og_secret_make_kdf(og_secret_t *secret);
static int og_secret_make_names(og_secret_t *secret);
static int og_secret_derive(og_secret_t *secret, const unsigned char *salt,
    size_t salt_len, const char *info, unsigned char *key, size_t len);


og_secret_t *
og_secret_create(const unsigned char *bytes, size_t len)
{
    og_secret_t  *secret;

    if (len < OG_SECRET_MIN || len > OG_SECRET_MAX) {
        return NULL;
    }

    /* whole pages, since that is what a dump can leave out */

    secret = mmap(NULL, sizeof(og_secret_t), PROT_READ|PROT_WRITE,
                  MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);
    if (secret == MAP_FAILED) {
        return NULL;
    }

    (void) madvise(secret, sizeof(og_secret_t), MADV_DONTDUMP);

    memcpy(secret->bytes, bytes, len);
    secret->len = len;

    if (og_secret_prepare(secret) != 0) {
        og_secret_destroy(secret);
        return NULL;
    }

    return secret;
}


void
og_secret_destroy(og_secret_t *secret)
{
    if (secret == NULL) {
        return;
    }

    EVP_KDF_CTX_free(secret->kdf);
    EVP_MAC_CTX_free(secret->names);

    OPENSSL_cleanse(secret, sizeof(og_secret_t));
    (void) munmap(secret, sizeof(og_secret_t));
}


const unsigned char *
og_secret_id(const og_secret_t *secret)
{
    return secret->id;
}


int
og_secret_name(og_secret_t *secret, const unsigned char *digest,
    unsigned char *name)
{
    size_t  len;

    if (EVP_MAC_init(secret->names, NULL, 0, NULL) != 1
        || EVP_MAC_update(secret->names, digest, OG_SECRET_NAME_SIZE) != 1
        || EVP_MAC_final(secret->names, name, &len, OG_SECRET_NAME_SIZE) != 1)
    {
        return -1;
    }

    return 0;
}


int
og_secret_record_key(og_secret_t *secret, const unsigned char *salt,
    unsigned char *key)
{
    return og_secret_derive(secret, salt, OG_SECRET_SALT_SIZE,
                            "order-guard record v1", key, OG_SECRET_KEY_SIZE);
}


static int
og_secret_prepare(og_secret_t *secret)
{
    if (og_secret_make_kdf(secret) != 0
        || og_secret_derive(secret, NULL, 0, "order-guard id v1", secret->id,
                            OG_SECRET_ID_SIZE)
           != 0)
    {
        return -1;
    }

    return og_secret_make_names(secret);
}


static int
og_secret_make_kdf(og_secret_t *secret)
{
    EVP_KDF  *hkdf;

    hkdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
    if (hkdf == NULL) {
        return -1;
    }

    secret->kdf = EVP_KDF_CTX_new(hkdf);
    EVP_KDF_free(hkdf);

    return secret->kdf ? 0 : -1;
}


static int
og_secret_make_names(og_secret_t *secret)
{
    int             rc;
    EVP_MAC        *hmac;
    OSSL_PARAM      params[2];
    unsigned char   key[OG_SECRET_KEY_SIZE];

    hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    if (hmac == NULL) {
        return -1;
    }

    secret->names = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                 (char *) OG_SECRET_DIGEST, 0);
    params[1] = OSSL_PARAM_construct_end();

    rc = -1;

    if (secret->names != NULL
        && og_secret_derive(secret, NULL, 0, "order-guard names v1", key,
                            sizeof(key))
           == 0
        && EVP_MAC_init(secret->names, key, sizeof(key), params) == 1)
    {
        rc = 0;
    }

    OPENSSL_cleanse(key, sizeof(key));

    return rc;
}


/* The context must keep no copy of the secret: it is wiped after each use. */

static int
og_secret_derive(og_secret_t *secret, const unsigned char *salt,
    size_t salt_len, const char *info, unsigned char *key, size_t len)
{
    int         rc;
    OSSL_PARAM  params[5], *p;

    p = params;

    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                            (char *) OG_SECRET_DIGEST, 0);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
                                             secret->bytes, secret->len);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
                                             (void *) info, strlen(info));

    if (salt_len) {
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
                                                 (void *) salt, salt_len);
    }

    *p = OSSL_PARAM_construct_end();

    rc = EVP_KDF_derive(secret->kdf, key, len, params);

    EVP_KDF_CTX_reset(secret->kdf);

    return rc == 1 ? 0 : -1;
}
