
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
    u_char  *p, owner[NGX_HTTP_OG_DIGEST_SIZE];
    u_char   look_up[NGX_HTTP_OG_DIGEST_SIZE];

    if (ngx_http_og_name(secret, caller, owner) != NGX_OK
        || ngx_http_og_name(secret, record, look_up) != NGX_OK
        || ngx_http_og_name(secret, fingerprint, name->fingerprint) != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(pool, sizeof("{}:i:") - 1 + NGX_HTTP_OG_ID_LEN
                          + NGX_HTTP_OG_DIGEST_SIZE);
    if (p == NULL) {
        return NGX_ERROR;
    }

    name->secret = secret;
    name->key.data = p;

    /* braces keep the keys of a caller in one slot of a cluster */

    *p++ = '{';
    p = ngx_hex_dump(p, owner, NGX_HTTP_OG_ID_LEN / 2);
    p = ngx_cpymem(p, "}:i:", sizeof("}:i:") - 1);
    p = ngx_hex_dump(p, look_up, NGX_HTTP_OG_DIGEST_SIZE / 2);

    name->key.len = p - name->key.data;

    return NGX_OK;
}
