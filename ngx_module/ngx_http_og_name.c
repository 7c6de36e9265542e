
/*
 * Copyright (C) order guard contributors
 *
 * What stands in a store for callers, keys and requests.
 */


#include "ngx_http_og.h"


ngx_http_og_secrets_t *
ngx_http_og_secrets(ngx_http_request_t *r)
{
    ngx_http_og_main_conf_t  *omcf;

    omcf = ngx_http_get_module_main_conf(r, ngx_http_order_guard_module);

    return &omcf->secrets;
}


ngx_int_t
ngx_http_og_name(og_secret_t *secret, const u_char *digest, u_char *name)
{
    if (secret == NULL) {
        ngx_memcpy(name, digest, NGX_HTTP_OG_DIGEST_SIZE);
        return NGX_OK;
    }

    return og_secret_name(secret, digest, name) == 0 ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_og_name_owner(ngx_http_og_secrets_t *secrets, const u_char *digest,
    u_char *name)
{
    return ngx_http_og_name(secrets->changing ? secrets->former
                                              : secrets->current,
                            digest, name);
}


ngx_int_t
ngx_http_og_name_record(ngx_pool_t *pool, og_secret_t *secret,
    const u_char *caller, const u_char *record, const u_char *fingerprint,
    ngx_http_og_name_t *name)
{
    u_char  owner[NGX_HTTP_OG_DIGEST_SIZE], id[NGX_HTTP_OG_ID_LEN];

    if (ngx_http_og_name(secret, caller, owner) != NGX_OK
        || ngx_http_og_name(secret, fingerprint, name->fingerprint) != NGX_OK)
    {
        return NGX_ERROR;
    }

    name->secret = secret;

    ngx_hex_dump(id, owner, NGX_HTTP_OG_ID_LEN / 2);

    return ngx_http_og_record_key(pool, secret, id, record, &name->key);
}


void
ngx_http_og_digest_record(ngx_str_t *scope, ngx_str_t *method, ngx_str_t *uri,
    ngx_str_t *key, u_char *digest)
{
    ngx_http_og_digest_begin();
    ngx_http_og_digest_add(scope);
    ngx_http_og_digest_add(method);
    ngx_http_og_digest_add(uri);
    ngx_http_og_digest_add(key);
    ngx_http_og_digest_end(digest);
}


ngx_int_t
ngx_http_og_record_key(ngx_pool_t *pool, og_secret_t *secret,
    const u_char *id, const u_char *digest, ngx_str_t *key)
{
    u_char  *p, look_up[NGX_HTTP_OG_DIGEST_SIZE];

    if (ngx_http_og_name(secret, digest, look_up) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(pool, sizeof("{}:i:") - 1 + NGX_HTTP_OG_ID_LEN
                          + NGX_HTTP_OG_DIGEST_SIZE);
    if (p == NULL) {
        return NGX_ERROR;
    }

    key->data = p;

    /* braces keep the keys of a caller in one slot of a cluster */

    *p++ = '{';
    p = ngx_cpymem(p, id, NGX_HTTP_OG_ID_LEN);
    p = ngx_cpymem(p, "}:i:", sizeof("}:i:") - 1);
    p = ngx_hex_dump(p, look_up, NGX_HTTP_OG_DIGEST_SIZE / 2);

    key->len = p - key->data;

    return NGX_OK;
}
