
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"

#include <openssl/evp.h>


/*
 * One digest is made at a time in a worker; making a context anew for each
 * costs more than the digest.
 */

static EVP_MD_CTX    *ngx_http_og_md_ctx;
static const EVP_MD  *ngx_http_og_md;


ngx_int_t
ngx_http_og_init_digest(void)
{
    ngx_http_og_md = EVP_sha256();
    ngx_http_og_md_ctx = EVP_MD_CTX_new();

    if (ngx_http_og_md_ctx == NULL
        || EVP_DigestInit_ex(ngx_http_og_md_ctx, ngx_http_og_md, NULL) != 1)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_og_free_digest(void)
{
    EVP_MD_CTX_free(ngx_http_og_md_ctx);
    ngx_http_og_md_ctx = NULL;
}


/* Once initialised with a type, a context can fail no more. */

void
ngx_http_og_digest_begin(void)
{
    (void) EVP_DigestInit_ex(ngx_http_og_md_ctx, NULL, NULL);
}


/* Length-prefixed: no two lists of parts make the same digest. */

void
ngx_http_og_digest_add(ngx_str_t *part)
{
    u_char      prefix[8];
    uint64_t    len;
    ngx_uint_t  i;

    len = part->len;

    for (i = 0; i < 8; i++) {
        prefix[i] = (u_char) (len >> (56 - 8 * i));
    }

    (void) EVP_DigestUpdate(ngx_http_og_md_ctx, prefix, sizeof(prefix));
    (void) EVP_DigestUpdate(ngx_http_og_md_ctx, part->data, part->len);
}


void
ngx_http_og_digest_end(u_char *digest)
{
    (void) EVP_DigestFinal_ex(ngx_http_og_md_ctx, digest, NULL);
}
