
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"
#include "og_key.h"

static void ngx_http_og_name_caller(ngx_http_og_ctx_t *ctx, const char *kind,
    ngx_str_t *value);
static ngx_int_t ngx_http_og_key_value(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_str_t *value);


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
    ngx_str_t  text;

    text.data = (u_char *) kind;
    text.len = ngx_strlen(kind);

    ngx_http_og_digest_begin();
    ngx_http_og_digest_add(&text);
    ngx_http_og_digest_add(value);
    ngx_http_og_digest_end(ctx->caller);
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
