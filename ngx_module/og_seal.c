
/*
 * Copyright (C) order guard contributors
 *
 * A sealed record, sizes in bytes:
 *
 *     head | id of the secret 8 | salt 32 | encrypted answer | tag 16
 *
 * The key is the salt's own, and encrypts this record alone: so the nonce can
 * be zero.  What is authenticated besides: all that stands in front of the
 * answer, and the name.
 */


#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "og_seal.h"


#define OG_SEAL_TAG_SIZE    16
#define OG_SEAL_NONCE_SIZE  12

#define OG_SEAL_CLEAR_SIZE  (OG_SECRET_ID_SIZE + OG_SECRET_SALT_SIZE)


/* The parts of a sealed record; those of one to be are in dst. */
typedef struct {
    og_bytes_t            name;
    og_bytes_t            clear;        /* with id and salt */
    og_bytes_t            answer;       /* encrypted */
    const unsigned char  *salt;
} og_seal_parts_t;


static int og_seal_encrypt(og_secret_t *secret, const og_seal_parts_t *parts,
    const unsigned char *answer, unsigned char *dst);
static int og_seal_decrypt(og_secret_t *secret, const og_seal_parts_t *parts,
    unsigned char *dst);
static EVP_CIPHER_CTX *og_seal_start(og_secret_t *secret,
    const og_seal_parts_t *parts, int encrypt);
static int og_seal_update(EVP_CIPHER_CTX *ctx, unsigned char *dst,
    og_bytes_t bytes);


size_t
og_seal_size(size_t len)
{
    return len + OG_SEAL_CLEAR_SIZE + OG_SEAL_TAG_SIZE;
}


int
og_seal(og_secret_t *secret, og_bytes_t name, const unsigned char *record,
    size_t len, unsigned char *dst)
{
    size_t           head_len;
    og_record_t      head;
    unsigned char   *id, *salt, *end;
    og_seal_parts_t  parts;

    head_len = og_record_decode_head(&head, record, len);

    if (head_len == 0) {
        return -1;
    }

    memcpy(dst, record, head_len);
    og_record_set_sealed(dst, 1);

    id = dst + head_len;
    salt = id + OG_SECRET_ID_SIZE;
    end = salt + OG_SECRET_SALT_SIZE;

    memcpy(id, og_secret_id(secret), OG_SECRET_ID_SIZE);

    if (RAND_bytes(salt, OG_SECRET_SALT_SIZE) != 1) {
        return -1;
    }

    parts.name = name;
    parts.clear.data = dst;
    parts.clear.len = (size_t) (end - dst);
    parts.answer.data = end;
    parts.answer.len = len - head_len;
    parts.salt = salt;

    return og_seal_encrypt(secret, &parts, record + head_len, end);
}


size_t
og_seal_open(og_secret_t *secret, og_bytes_t name, const unsigned char *data,
    size_t len, unsigned char *dst)
{
    size_t           head_len;
    og_record_t      head;
    og_seal_parts_t  parts;

    head_len = og_record_decode_head(&head, data, len);

    if (head_len == 0
        || len < og_seal_size(head_len)
        || !og_record_is_sealed(data)
        || memcmp(data + head_len, og_secret_id(secret), OG_SECRET_ID_SIZE)
           != 0)
    {
        return 0;
    }

    parts.name = name;
    parts.clear.data = data;
    parts.clear.len = head_len + OG_SEAL_CLEAR_SIZE;
    parts.answer.data = data + parts.clear.len;
    parts.answer.len = len - og_seal_size(head_len);
    parts.salt = data + head_len + OG_SECRET_ID_SIZE;

    memcpy(dst, data, head_len);
    og_record_set_sealed(dst, 0);

    if (og_seal_decrypt(secret, &parts, dst + head_len) != 0) {
        return 0;
    }

    return head_len + parts.answer.len;
}


static int
og_seal_encrypt(og_secret_t *secret, const og_seal_parts_t *parts,
    const unsigned char *answer, unsigned char *dst)
{
    int              rc, len;
    og_bytes_t       bytes;
    EVP_CIPHER_CTX  *ctx;

    ctx = og_seal_start(secret, parts, 1);
    if (ctx == NULL) {
        return -1;
    }

    bytes.data = answer;
    bytes.len = parts->answer.len;

    rc = -1;

    if (og_seal_update(ctx, dst, bytes) == 0
        && EVP_CipherFinal_ex(ctx, dst + bytes.len, &len) == 1
        && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, OG_SEAL_TAG_SIZE,
                               dst + bytes.len)
           == 1)
    {
        rc = 0;
    }

    EVP_CIPHER_CTX_free(ctx);

    return rc;
}


static int
og_seal_decrypt(og_secret_t *secret, const og_seal_parts_t *parts,
    unsigned char *dst)
{
    int              rc, len;
    unsigned char    tag[OG_SEAL_TAG_SIZE];
    EVP_CIPHER_CTX  *ctx;

    ctx = og_seal_start(secret, parts, 0);
    if (ctx == NULL) {
        return -1;
    }

    memcpy(tag, parts->answer.data + parts->answer.len, OG_SEAL_TAG_SIZE);

    rc = -1;

    if (og_seal_update(ctx, dst, parts->answer) == 0
        && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, OG_SEAL_TAG_SIZE,
                               tag)
           == 1
        && EVP_CipherFinal_ex(ctx, dst + parts->answer.len, &len) == 1)
    {
        rc = 0;
    }

    EVP_CIPHER_CTX_free(ctx);

    return rc;
}


/* A cipher with key, nonce, and what is authenticated in clear. */

static EVP_CIPHER_CTX *
og_seal_start(og_secret_t *secret, const og_seal_parts_t *parts, int encrypt)
{
    int                         rc;
    unsigned char               key[OG_SECRET_KEY_SIZE];
    EVP_CIPHER_CTX             *ctx;
    static const unsigned char  nonce[OG_SEAL_NONCE_SIZE];

    ctx = EVP_CIPHER_CTX_new();

    if (ctx == NULL || og_secret_record_key(secret, parts->salt, key) != 0) {
        EVP_CIPHER_CTX_free(ctx);
        return NULL;
    }

    rc = EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, encrypt);

    OPENSSL_cleanse(key, sizeof(key));

    if (rc != 1
        || og_seal_update(ctx, NULL, parts->clear) != 0
        || og_seal_update(ctx, NULL, parts->name) != 0)
    {
        EVP_CIPHER_CTX_free(ctx);
        return NULL;
    }

    return ctx;
}


/* dst is NULL for what is authenticated only. */

static int
og_seal_update(EVP_CIPHER_CTX *ctx, unsigned char *dst, og_bytes_t bytes)
{
    int  len;

    if (bytes.len == 0) {
        return 0;
    }

    if (bytes.len > INT_MAX) {
        return -1;
    }

    return EVP_CipherUpdate(ctx, dst, &len, bytes.data, (int) bytes.len) == 1
           ? 0 : -1;
}
