
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"
#include "og_key.h"

#include <openssl/evp.h>


static void ngx_http_og_name_caller(ngx_http_og_ctx_t *ctx, const char *kind,
    ngx_str_t *value);
static ngx_int_t ngx_http_og_key_value(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_str_t *value);
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
static ngx_uint_t ngx_http_og_is_counted(ngx_array_t *counted,
    ngx_http_og_limit_t *limit);
static void ngx_http_og_digest_begin(void);
static void ngx_http_og_digest_add(ngx_str_t *part);
static void ngx_http_og_digest_end(u_char *digest);


/*
 * One digest is made at a time in a worker; making a context anew for each
 * costs more than the digest.
 */

static EVP_MD_CTX    *ngx_http_og_md_ctx;
static const EVP_MD  *ngx_http_og_md;


ngx_int_t
ngx_http_og_identify(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_str_t  token;

    if (ctx->conf->token) {
        if (ngx_http_og_evaluate(r, ctx, ctx->conf->token, &token) != NGX_OK) {
            return NGX_ERROR;
        }

    } else {
        ngx_http_og_bearer(r, &token);
    }

    if (token.len) {
        ctx->has_token = 1;
        ngx_http_og_name_caller(ctx, "token", &token);
        return NGX_OK;
    }

    if (ctx->guarded && !ctx->conf->token_optional) {
        ctx->error = NGX_HTTP_OG_TOKEN_REQUIRED;
        return NGX_DECLINED;
    }

    ngx_http_og_name_caller(ctx, "address", &r->connection->addr_text);

    return NGX_OK;
}


/* RFC 6750, section 2.1; two lines leave it open who calls. */

void
ngx_http_og_bearer(ngx_http_request_t *r, ngx_str_t *token)
{
    u_char            *p, *last;
    ngx_table_elt_t   *h;
    static ngx_str_t   name = ngx_string("authorization");

    ngx_str_null(token);

    if (ngx_http_og_count_headers(r, &name, &h) != 1
        || h->value.len < sizeof("Bearer ") - 1
        || ngx_strncasecmp(h->value.data, (u_char *) "Bearer ",
                           sizeof("Bearer ") - 1)
           != 0)
    {
        return;
    }

    p = h->value.data + sizeof("Bearer ") - 1;
    last = h->value.data + h->value.len;

    while (p < last && *p == ' ') {
        p++;
    }

    token->data = p;
    token->len = last - p;
}


/* The kind is in the digest: no token can pose as an address. */

static void
ngx_http_og_name_caller(ngx_http_og_ctx_t *ctx, const char *kind,
    ngx_str_t *value)
{
    u_char     digest[NGX_HTTP_OG_DIGEST_SIZE];
    ngx_str_t  text;

    text.data = (u_char *) kind;
    text.len = ngx_strlen(kind);

    ngx_http_og_digest_begin();
    ngx_http_og_digest_add(&text);
    ngx_http_og_digest_add(value);
    ngx_http_og_digest_end(digest);

    ngx_hex_dump(ctx->caller, digest, NGX_HTTP_OG_NAME_SIZE / 2);
}


ngx_int_t
ngx_http_og_read_key(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    u_char      text[OG_KEY_MAX];
    size_t      len;
    ngx_int_t   rc;
    ngx_str_t   value;

    rc = ngx_http_og_key_value(r, ctx, &value);
    if (rc != NGX_OK) {
        return rc;
    }

    if (value.len == 0 && value.data == NULL) {

        ngx_str_set(&ctx->idempotency, "MISSING");

        if (ctx->conf->idempotency->enforcement
            == NGX_HTTP_OG_IDEMPOTENCY_REQUIRED)
        {
            ctx->error = NGX_HTTP_OG_KEY_REQUIRED;
            return NGX_DECLINED;
        }

        return NGX_OK;
    }

    if (ctx->conf->key_header.len) {
        len = og_key_from_header(text, value.data, value.len);

    } else {
        len = og_key_is_text(value.data, value.len) ? value.len : 0;
        ngx_memcpy(text, value.data, len);
    }

    if (len == 0) {
        goto invalid;
    }

    ctx->key.data = ngx_pnalloc(r->pool, len);
    if (ctx->key.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ctx->key.data, text, len);
    ctx->key.len = len;
    ctx->keyed = 1;

    return NGX_OK;

invalid:

    ngx_str_set(&ctx->idempotency, "INVALID");
    ctx->error = NGX_HTTP_OG_KEY_INVALID;

    return NGX_DECLINED;
}


/* value->data is NULL where there is no key; an empty header is one. */

static ngx_int_t
ngx_http_og_key_value(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    ngx_str_null(value);

    if (ctx->conf->key_header.len == 0) {

        if (ngx_http_og_evaluate(r, ctx, ctx->conf->key, value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (value->len == 0) {
            value->data = NULL;
        }

        return NGX_OK;
    }

    switch (ngx_http_og_count_headers(r, &ctx->conf->key_header, &h)) {

    case 0:
        return NGX_OK;

    case 1:
        *value = h->value;
        return NGX_OK;

    default:
        ngx_str_set(&ctx->idempotency, "INVALID");
        ctx->error = NGX_HTTP_OG_KEY_INVALID;
        return NGX_DECLINED;
    }
}


ngx_int_t
ngx_http_og_fill_op(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_op_t *op)
{
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
    u_char                     *p;
    u_char                      digest[NGX_HTTP_OG_DIGEST_SIZE];
    ngx_str_t                   scope;
    ngx_http_og_idempotency_t  *idem;

    if (ngx_http_og_scope(r, ctx, &scope) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_og_digest_begin();
    ngx_http_og_digest_add(&scope);
    ngx_http_og_digest_add(&r->method_name);
    ngx_http_og_digest_add(&r->uri);
    ngx_http_og_digest_add(&ctx->key);
    ngx_http_og_digest_end(digest);

    p = ngx_pnalloc(op->pool, 2 * NGX_HTTP_OG_NAME_SIZE + sizeof("{}:i:") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    op->key.data = p;

    p = ngx_sprintf(p, "{%*s}:i:", (size_t) NGX_HTTP_OG_NAME_SIZE,
                    ctx->caller);
    p = ngx_hex_dump(p, digest, NGX_HTTP_OG_NAME_SIZE / 2);

    op->key.len = p - op->key.data;

    idem = ctx->conf->idempotency;

    op->ttl = idem->ttl;
    op->lease = idem->lease;
    op->on_unknown = idem->on_unknown;

    return ngx_http_og_fingerprint(r, ctx, op->fingerprint);
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


static ngx_int_t
ngx_http_og_fingerprint(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    u_char *digest)
{
    ngx_str_t                  *values, media_type;
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

    ngx_http_og_digest_begin();
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
    if (op->quotas == NULL) {
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
    u_char               *p;
    u_char                digest[NGX_HTTP_OG_DIGEST_SIZE];
    u_char                owner[NGX_HTTP_OG_NAME_SIZE];
    ngx_str_t             value;
    ngx_http_og_limit_t  *limit;
    ngx_http_og_quota_t  *quota;
    static ngx_str_t      kind = ngx_string("key");

    limit = ctx->conf->limits->elts;
    limit = &limit[policy];

    if (ngx_http_og_is_counted(ctx->counted_limits, limit)) {
        return NGX_OK;
    }

    ngx_memcpy(owner, ctx->caller, NGX_HTTP_OG_NAME_SIZE);

    if (limit->key) {
        if (ngx_http_og_evaluate(r, ctx, limit->key, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (value.len == 0) {
            /* as with limit_req: an empty key is not counted */
            return NGX_OK;
        }

        ngx_http_og_digest_begin();
        ngx_http_og_digest_add(&kind);
        ngx_http_og_digest_add(&value);
        ngx_http_og_digest_end(digest);

        ngx_hex_dump(owner, digest, NGX_HTTP_OG_NAME_SIZE / 2);
    }

    p = ngx_pnalloc(op->pool, NGX_HTTP_OG_NAME_SIZE + sizeof("{}:l:") - 1
                              + limit->name.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    quota = &op->quotas[op->nquotas++];

    quota->policy = policy;
    quota->window = limit->window;
    quota->key.data = p;
    quota->key.len = ngx_sprintf(p, "{%*s}:l:%V",
                                 (size_t) NGX_HTTP_OG_NAME_SIZE, owner,
                                 &limit->name)
                     - p;

    return NGX_OK;
}


/* Whether a location before a redirect has counted this name already. */

static ngx_uint_t
ngx_http_og_is_counted(ngx_array_t *counted, ngx_http_og_limit_t *limit)
{
    ngx_uint_t            i;
    ngx_http_og_limit_t  *known;

    if (counted == NULL) {
        return 0;
    }

    known = counted->elts;

    for (i = 0; i < counted->nelts; i++) {
        if (known[i].name.len == limit->name.len
            && ngx_memcmp(known[i].name.data, limit->name.data,
                          limit->name.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


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

static void
ngx_http_og_digest_begin(void)
{
    (void) EVP_DigestInit_ex(ngx_http_og_md_ctx, NULL, NULL);
}


/* Length-prefixed: no two lists of parts make the same digest. */

static void
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


static void
ngx_http_og_digest_end(u_char *digest)
{
    (void) EVP_DigestFinal_ex(ngx_http_og_md_ctx, digest, NULL);
}
