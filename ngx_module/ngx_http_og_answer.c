
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_uint_t ngx_http_og_is_in_shape(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);


static const ngx_str_t  ngx_http_og_problem_type =
    ngx_string("application/problem+json");
static const ngx_str_t  ngx_http_og_json_type =
    ngx_string("application/json");


/* Nothing has left yet, so half an answer becomes an honest error. */

ngx_int_t
ngx_http_og_cut_short(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (ngx_http_og_set_broken(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_og_send_content(r, ctx);
}


ngx_int_t
ngx_http_og_set_broken(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_http_og_store_unknown(ctx);

    ctx->error = NGX_HTTP_OG_UPSTREAM_RESET;
    r->headers_out.status = ngx_http_og_error_status(ctx->error);

    ngx_http_og_clear_answer_headers(r);

    if (ngx_http_og_set_envelope(r, ctx, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_og_add_error_headers(r, ctx);
}


/* What the upstream sends already in shape is not touched. */

ngx_int_t
ngx_http_og_normalise(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_str_t  none = ngx_null_string;

    if (ngx_http_og_is_too_large(ctx) || ngx_http_og_is_encoded(r)) {
        return ngx_http_og_set_envelope(r, ctx, &none);
    }

    if (ngx_http_og_is_in_shape(r, ctx)) {
        return ngx_http_og_note_code(r, ctx, &ctx->content);
    }

    return ngx_http_og_set_envelope(r, ctx, &ctx->content);
}


static ngx_uint_t
ngx_http_og_is_in_shape(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_str_t  *type;

    if (ctx->conf->format) {
        return ngx_http_og_is_json(r)
               && og_format_matches(ctx->conf->format, r->headers_out.status,
                                    ctx->content.data, ctx->content.len);
    }

    type = &r->headers_out.content_type;

    return ngx_http_og_media_type_length(type)
           == ngx_http_og_problem_type.len
           && ngx_strncasecmp(type->data, ngx_http_og_problem_type.data,
                              ngx_http_og_problem_type.len)
              == 0
           && og_problem_is_valid(r->headers_out.status, ctx->content.data,
                                  ctx->content.len);
}


ngx_uint_t
ngx_http_og_is_encoded(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = r->headers_out.content_encoding;

    return h && h->value.len
           && (h->value.len != sizeof("identity") - 1
               || ngx_strncasecmp(h->value.data, (u_char *) "identity",
                                  sizeof("identity") - 1)
                  != 0);
}


ngx_uint_t
ngx_http_og_is_json(ngx_http_request_t *r)
{
    size_t      len;
    u_char     *type;

    type = r->headers_out.content_type.data;
    len = ngx_http_og_media_type_length(&r->headers_out.content_type);

    if (ngx_http_og_is_encoded(r)) {
        return 0;
    }

    return (len == sizeof("application/json") - 1
            && ngx_strncasecmp(type, (u_char *) "application/json", len) == 0)
           || (len > sizeof("+json") - 1
               && ngx_strncasecmp(type + len - (sizeof("+json") - 1),
                                  (u_char *) "+json", sizeof("+json") - 1)
                  == 0);
}


ngx_int_t
ngx_http_og_set_envelope(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_str_t *upstream_body)
{
    ngx_str_t  text;

    if (ngx_http_og_render_envelope(r, ctx, upstream_body, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->content = text;

    ngx_http_og_clear_body_headers(r);

    r->headers_out.content_length_n = text.len;
    r->headers_out.content_type = ctx->conf->format
                                  ? ngx_http_og_json_type
                                  : ngx_http_og_problem_type;
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    return ngx_http_og_set_status_line(r);
}


ngx_int_t
ngx_http_og_add_error_headers(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    static ngx_str_t   cache_control = ngx_string("Cache-Control");
    static ngx_str_t   no_store = ngx_string("no-store");

    if (ngx_http_og_add_header(r, &cache_control, &no_store) == NULL
        || ngx_http_og_add_advice(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* nginx gives up the connection for some statuses that harm none */

    if (ctx->error && ctx->error != NGX_HTTP_OG_BODY_TOO_LARGE
        && ctx->keepalive && ngx_http_og_body_is_done(r))
    {
        r->keepalive = 1;
    }

    return NGX_OK;
}


/* Whom to name, and when to come again. */

ngx_int_t
ngx_http_og_add_advice(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_str_t          value;
    static ngx_str_t   authenticate = ngx_string("WWW-Authenticate");
    static ngx_str_t   bearer = ngx_string("Bearer");
    static ngx_str_t   retry_after = ngx_string("Retry-After");

    if (ctx->error == NGX_HTTP_OG_TOKEN_REQUIRED
        && ngx_http_og_add_header(r, &authenticate,
                                  ctx->conf->challenge.len
                                  ? &ctx->conf->challenge : &bearer)
           == NULL)
    {
        return NGX_ERROR;
    }

    if (ctx->retry_after == 0) {
        return NGX_OK;
    }

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%ui", ctx->retry_after) - value.data;

    return ngx_http_og_add_header(r, &retry_after, &value) ? NGX_OK
                                                           : NGX_ERROR;
}


ngx_int_t
ngx_http_og_send_header(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if ((ctx->counted || ctx->earlier)
        && ngx_http_og_add_limit_headers(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_og_next_header_filter(r);
}


/* The held header, and the gathered or rendered body with it. */

ngx_int_t
ngx_http_og_send_content(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_int_t  rc;

    /* held answers are whole, but for an error that is too large */

    ctx->answer = ctx->dropping ? NGX_HTTP_OG_ANSWER_SENT
                                : NGX_HTTP_OG_ANSWER_PASS;

    rc = ngx_http_og_send_header(r, ctx);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_og_send_body(r, ctx);
}


ngx_int_t
ngx_http_og_send_body(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_buf_t    *b;
    ngx_chain_t  *out;

    b = ngx_calloc_buf(r->pool);
    out = ngx_alloc_chain_link(r->pool);

    if (b == NULL || out == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->content.data;
    b->last = ctx->content.data + ctx->content.len;
    b->memory = ctx->content.len ? 1 : 0;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out->buf = b;
    out->next = NULL;

    return ngx_http_og_next_body_filter(r, out);
}
