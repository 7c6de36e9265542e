
/*
 * Copyright (C) order guard contributors
 *
 * What a request asks for in a store: the name and the fingerprint of its
 * record, and the names of its counters.
 */


#include "ngx_http_og.h"


static ngx_int_t ngx_http_og_fill_record(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_op_t *op);
static ngx_int_t ngx_http_og_scope(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_str_t *scope);
static ngx_int_t ngx_http_og_fingerprint(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, u_char *digest);
static ngx_int_t ngx_http_og_media_type(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_str_t *type);
static ngx_int_t ngx_http_og_fill_quotas(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_op_t *op);
static ngx_int_t ngx_http_og_fill_quota(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_op_t *op, ngx_uint_t policy);
static ngx_int_t ngx_http_og_counter_owner(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_limit_t *limit, u_char *name);
static ngx_uint_t ngx_http_og_is_counted(ngx_http_og_ctx_t *ctx,
    ngx_str_t *key);


ngx_int_t
ngx_http_og_fill_op(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_op_t *op)
{
    op->waited = ctx->waited_before;

    if (ctx->keyed && ngx_http_og_fill_record(r, ctx, op) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->conf->limits == NULL) {
        return NGX_OK;
    }

    return ngx_http_og_fill_quotas(r, ctx, op);
}


static ngx_int_t
ngx_http_og_fill_record(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_op_t *op)
{
    u_char                      record[NGX_HTTP_OG_DIGEST_SIZE];
    u_char                      fingerprint[NGX_HTTP_OG_DIGEST_SIZE];
    ngx_str_t                   scope;
    ngx_http_og_secrets_t      *secrets;
    ngx_http_og_idempotency_t  *idem;

    if (ngx_http_og_scope(r, ctx, &scope) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_og_digest_record(&scope, &r->method_name, &r->uri, &ctx->key,
                              record);

    if (ngx_http_og_fingerprint(r, ctx, fingerprint) != NGX_OK) {
        return NGX_ERROR;
    }

    idem = ctx->conf->idempotency;

    op->ttl = idem->ttl;
    op->lease = idem->lease;
    op->on_unknown = idem->on_unknown;

    secrets = ngx_http_og_secrets(r);

    if (secrets->changing) {

        op->former = ngx_pcalloc(op->pool, sizeof(ngx_http_og_name_t));

        if (op->former == NULL
            || ngx_http_og_name_record(op->pool, secrets->former, ctx->caller,
                                       record, fingerprint, op->former)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_og_name_record(op->pool, secrets->current, ctx->caller,
                                   record, fingerprint, &op->name);
}


static ngx_int_t
ngx_http_og_scope(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_str_t *scope)
{
    ngx_http_core_srv_conf_t  *cscf;

    if (ctx->conf->idempotency->scope) {
        return ngx_http_og_evaluate(r, ctx, ctx->conf->idempotency->scope,
                                    scope);
    }

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
    *scope = cscf->server_name;

    return NGX_OK;
}


/*
 * The caller in it keeps records apart where two share an id, of 64 bits,
 * by accident.
 */

static ngx_int_t
ngx_http_og_fingerprint(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    u_char *digest)
{
    ngx_str_t                  *values, media_type, caller;
    ngx_uint_t                  i, n;
    ngx_http_complex_value_t  **cv;

    n = ctx->conf->fingerprint ? ctx->conf->fingerprint->nelts : 0;
    cv = n ? ctx->conf->fingerprint->elts : NULL;

    values = ngx_palloc(r->pool, n * sizeof(ngx_str_t));
    if (values == NULL) {
        return NGX_ERROR;
    }

    /* evaluated first: a variable may need the digest for itself */

    for (i = 0; i < n; i++) {
        if (ngx_http_og_evaluate(r, ctx, cv[i], &values[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_og_media_type(r, ctx, &media_type) != NGX_OK) {
        return NGX_ERROR;
    }

    caller.data = ctx->caller;
    caller.len = NGX_HTTP_OG_DIGEST_SIZE;

    ngx_http_og_digest_begin();
    ngx_http_og_digest_add(&caller);
    ngx_http_og_digest_add(&r->method_name);
    ngx_http_og_digest_add(&r->uri);
    ngx_http_og_digest_add(&media_type);
    ngx_http_og_digest_add(&ctx->args);

    for (i = 0; i < n; i++) {
        ngx_http_og_digest_add(&values[i]);
    }

    ngx_http_og_digest_add(&ctx->canonical);
    ngx_http_og_digest_end(digest);

    return NGX_OK;
}


/* Media types are the same in any case (RFC 9110, section 8.3.1). */

static ngx_int_t
ngx_http_og_media_type(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_str_t *type)
{
    ngx_str_t  *value;

    ngx_str_null(type);

    if (ctx->body.len == 0) {
        return NGX_OK;
    }

    value = &r->headers_in.content_type->value;

    type->len = ngx_http_og_media_type_length(value);

    type->data = ngx_pnalloc(r->pool, type->len);
    if (type->data == NULL) {
        return NGX_ERROR;
    }

    ngx_strlow(type->data, value->data, type->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_fill_quotas(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_op_t *op)
{
    ngx_uint_t  i;

    op->quotas = ngx_pcalloc(op->pool, ctx->conf->limits->nelts
                                       * sizeof(ngx_http_og_quota_t));
    ctx->locals = ngx_pcalloc(op->pool, ctx->conf->limits->nelts
                                        * sizeof(ngx_http_og_local_t));

    if (op->quotas == NULL || ctx->locals == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < ctx->conf->limits->nelts; i++) {
        if (ngx_http_og_fill_quota(r, ctx, op, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_fill_quota(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_op_t *op, ngx_uint_t policy)
{
    u_char                 *p;
    u_char                  name[NGX_HTTP_OG_DIGEST_SIZE];
    ngx_int_t               rc;
    ngx_str_t              *store;
    ngx_http_og_limit_t    *limit;
    ngx_http_og_quota_t    *quota;
    ngx_http_og_counter_t  *counter;

    limit = ctx->conf->limits->elts;
    limit = &limit[policy];

    rc = ngx_http_og_counter_owner(r, ctx, limit, name);

    if (rc != NGX_OK) {
        /* as with limit_req: an empty key is not counted */
        return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
    }

    store = ngx_http_og_store_name(limit->store);

    p = ngx_pnalloc(op->pool, store->len + 1
                              + NGX_HTTP_OG_ID_LEN + sizeof("{}:l:") - 1
                              + limit->name.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    counter = &ctx->locals[op->nquotas].counter;
    quota = &op->quotas[op->nquotas];

    quota->policy = policy;
    quota->store = limit->store;
    quota->window = limit->window;

    /* this host counts for all stores in one place */

    counter->window = limit->window;
    counter->key.data = p;

    p = ngx_cpymem(p, store->data, store->len);
    *p++ = ':';

    quota->key.data = p;

    *p++ = '{';
    p = ngx_hex_dump(p, name, NGX_HTTP_OG_ID_LEN / 2);
    p = ngx_sprintf(p, "}:l:%V", &limit->name);

    quota->key.len = p - quota->key.data;
    counter->key.len = p - counter->key.data;

    if (!ngx_http_og_is_counted(ctx, &counter->key)) {
        op->nquotas++;
    }

    return NGX_OK;
}


/* NGX_DECLINED: the limit's key is empty. */

static ngx_int_t
ngx_http_og_counter_owner(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_limit_t *limit, u_char *name)
{
    u_char            digest[NGX_HTTP_OG_DIGEST_SIZE];
    ngx_str_t         value;
    static ngx_str_t  kind = ngx_string("key");

    if (limit->key == NULL) {
        return ngx_http_og_name_owner(ngx_http_og_secrets(r), ctx->caller,
                                      name);
    }

    if (ngx_http_og_evaluate(r, ctx, limit->key, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (value.len == 0) {
        return NGX_DECLINED;
    }

    ngx_http_og_digest_begin();
    ngx_http_og_digest_add(&kind);
    ngx_http_og_digest_add(&limit->key->value);
    ngx_http_og_digest_add(&value);
    ngx_http_og_digest_end(digest);

    return ngx_http_og_name_owner(ngx_http_og_secrets(r), digest, name);
}


/* Whether a location before a redirect has counted there already. */

static ngx_uint_t
ngx_http_og_is_counted(ngx_http_og_ctx_t *ctx, ngx_str_t *key)
{
    ngx_str_t              *known;
    ngx_uint_t              i, j;
    ngx_http_og_counted_t  *earlier;

    if (ctx->earlier == NULL) {
        return 0;
    }

    earlier = ctx->earlier->elts;

    for (i = 0; i < ctx->earlier->nelts; i++) {

        for (j = 0; j < earlier[i].op->nquotas; j++) {

            known = &earlier[i].locals[j].counter.key;

            if (known->len == key->len
                && ngx_memcmp(known->data, key->data, key->len) == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}
