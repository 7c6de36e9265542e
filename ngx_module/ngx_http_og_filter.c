
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_http_og_ctx_t *ngx_http_og_answer_ctx(ngx_http_request_t *r);
static ngx_int_t ngx_http_og_send_page(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_own_error(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_uint_t ngx_http_og_is_no_answer(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_no_answer(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_uint_t ngx_http_og_is_normalised(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_uint_t ngx_http_og_is_doubtful(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_gather_answer(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_send_rendered(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_chain_t *in);
static void ngx_http_og_drop_rest(ngx_http_og_ctx_t *ctx, ngx_chain_t *in);
static void ngx_http_og_drop(ngx_http_og_ctx_t *ctx, ngx_chain_t *in);


ngx_int_t
ngx_http_og_header_filter(ngx_http_request_t *r)
{
    ngx_http_og_ctx_t  *ctx;

    ctx = r == r->main ? ngx_http_og_answer_ctx(r) : NULL;

    if (ctx == NULL) {
        return ngx_http_og_next_header_filter(r);
    }

    /* a failure in a body brings a second header: the first never left */

    ctx->answer = NGX_HTTP_OG_ANSWER_PASS;

    if (!ctx->insisted && ngx_http_og_is_page(r, ctx)) {
        return ngx_http_og_send_page(r, ctx);
    }

    if (r->err_status >= NGX_HTTP_SPECIAL_RESPONSE
        && r->err_status < NGX_HTTP_BAD_REQUEST)
    {
        /* "error_page 502 https://..." is an answer to an error, too */

        ngx_http_og_settle(r, ctx);

        return ngx_http_og_send_page(r, ctx);
    }

    if (ctx->state == NGX_HTTP_OG_REPLAYING) {
        return ngx_http_og_send_header(r, ctx);
    }

    if (ctx->state == NGX_HTTP_OG_REFUSED
        || r->err_status >= NGX_HTTP_BAD_REQUEST)
    {
        return ngx_http_og_own_error(r, ctx);
    }

    if (ngx_http_og_is_no_answer(r, ctx)) {
        return ngx_http_og_no_answer(r, ctx);
    }

    ctx->normalise = ngx_http_og_is_normalised(r, ctx);
    ctx->doubtful = ngx_http_og_is_doubtful(r, ctx);

    if (ctx->claimed || ctx->normalise || ctx->doubtful) {
        return ngx_http_og_gather_answer(r, ctx);
    }

    return ngx_http_og_send_header(r, ctx);
}


/*
 * The context of an answer that concerns the guard.  An error that came
 * before the guard was asked gets one here.
 */

static ngx_http_og_ctx_t *
ngx_http_og_answer_ctx(ngx_http_request_t *r)
{
    ngx_http_og_ctx_t       *ctx;
    ngx_http_og_loc_conf_t  *olcf;

    ctx = ngx_http_og_get_ctx(r);

    if (ctx && ctx->state != NGX_HTTP_OG_UNSEEN) {
        return ctx;
    }

    olcf = ngx_http_get_module_loc_conf(r, ngx_http_order_guard_module);

    if (!ngx_http_og_is_on(olcf) || !olcf->errors
        || r->headers_out.status < NGX_HTTP_BAD_REQUEST)
    {
        return NULL;
    }

    if (ctx == NULL) {
        return ngx_http_og_create_ctx(r, olcf);
    }

    ctx->conf = olcf;

    return ctx;
}


/*
 * A page of the operator's leaves as it is, and so does nginx's own where
 * errors are off, but it tells when to come again.
 */

static ngx_int_t
ngx_http_og_send_page(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (ctx->state == NGX_HTTP_OG_REFUSED
        && ngx_http_og_add_advice(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_og_send_header(r, ctx);
}


/* An error of the guard's or of nginx: there is nothing to wait for. */

static ngx_int_t
ngx_http_og_own_error(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (ctx->error == NGX_HTTP_OG_NO_ERROR) {
        ctx->error = ngx_http_og_error_of_status(r, ctx,
                                                 r->headers_out.status);
    }

    ngx_http_og_settle(r, ctx);

    if (!ctx->conf->errors) {
        return ngx_http_og_send_page(r, ctx);
    }

    if (ngx_http_og_set_envelope(r, ctx, NULL) != NGX_OK
        || ngx_http_og_add_error_headers(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->answer = NGX_HTTP_OG_ANSWER_RENDERED;

    return ngx_http_og_send_header(r, ctx);
}


/*
 * nginx takes an answer without a status line for one of HTTP/0.9, and turns
 * the request into one; it takes an interim answer (RFC 9110, section 15.2)
 * for the final one, and any three digits for a status.  Whatever the
 * upstream said would leave as it is.
 */

static ngx_uint_t
ngx_http_og_is_no_answer(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (r->upstream == NULL || (!ctx->conf->errors && !ctx->claimed)) {
        return 0;
    }

    return (r->http_version == NGX_HTTP_VERSION_9
            && ctx->http_version > NGX_HTTP_VERSION_9)
           || (r->headers_out.status < NGX_HTTP_OK
               && r->headers_out.status != NGX_HTTP_SWITCHING_PROTOCOLS)
           || r->headers_out.status > 599;
}


static ngx_int_t
ngx_http_og_no_answer(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (ctx->http_version) {
        r->http_version = ctx->http_version;
    }

    if (ngx_http_og_set_broken(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->answer = NGX_HTTP_OG_ANSWER_RENDERED;

    return ngx_http_og_send_header(r, ctx);
}


static ngx_uint_t
ngx_http_og_is_normalised(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    return ctx->conf->errors
           && r->headers_out.status >= NGX_HTTP_BAD_REQUEST
           && !ngx_http_og_status_in(ctx->conf->error_skip,
                                     r->headers_out.status);
}


/* Whether only its body tells if it is a success. */

static ngx_uint_t
ngx_http_og_is_doubtful(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    return ctx->conf->errors
           && ctx->conf->error_when
           && r->headers_out.status >= NGX_HTTP_OK
           && r->headers_out.status < NGX_HTTP_SPECIAL_RESPONSE
           && !r->header_only
           && (ctx->claimed || r->headers_out.content_length_n
                               <= (off_t) NGX_HTTP_OG_ERROR_LIMIT)
           && ngx_http_og_is_json(r);
}


static ngx_int_t
ngx_http_og_gather_answer(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (r->headers_out.status == NGX_HTTP_SWITCHING_PROTOCOLS) {
        return ngx_http_og_send_header(r, ctx);
    }

    r->filter_need_in_memory = 1;

    /* the filter for ranges of a body stands before this one, for those of a
       header behind it: a held answer has none */

    r->allow_ranges = 0;

    ctx->answer = NGX_HTTP_OG_ANSWER_GATHERING;
    ctx->gathered = NULL;
    ctx->gathered_last = &ctx->gathered;
    ctx->gathered_buf = NULL;
    ctx->gathered_size = 0;
    ctx->dropping = 0;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_og_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_order_guard_module);

    if (ctx == NULL || r != r->main) {
        return ngx_http_og_next_body_filter(r, in);
    }

    switch (ctx->answer) {

    case NGX_HTTP_OG_ANSWER_RENDERED:
        return ngx_http_og_send_rendered(r, ctx, in);

    case NGX_HTTP_OG_ANSWER_GATHERING:
        return ngx_http_og_gather(r, ctx, in);

    case NGX_HTTP_OG_ANSWER_STORING:
        ngx_http_og_drop_rest(ctx, in);
        return NGX_AGAIN;

    case NGX_HTTP_OG_ANSWER_READY:
        ngx_http_og_drop_rest(ctx, in);
        return ctx->held ? ngx_http_og_end_stream(r, ctx)
                         : ngx_http_og_send_content(r, ctx);

    case NGX_HTTP_OG_ANSWER_STREAMING:
        return ngx_http_og_stream(r, ctx, in);

    case NGX_HTTP_OG_ANSWER_SENT:
        ngx_http_og_drop(ctx, in);
        return ngx_http_og_next_body_filter(r, NULL);

    default: /* NGX_HTTP_OG_ANSWER_PASS */
        return ngx_http_og_next_body_filter(r, in);
    }
}


static ngx_int_t
ngx_http_og_send_rendered(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_chain_t *in)
{
    if (in == NULL) {
        return ngx_http_og_next_body_filter(r, NULL);
    }

    ctx->answer = NGX_HTTP_OG_ANSWER_SENT;

    ngx_http_og_drop(ctx, in);

    return ngx_http_og_send_body(r, ctx);
}


/* Before the answer that replaces it has left. */

static void
ngx_http_og_drop_rest(ngx_http_og_ctx_t *ctx, ngx_chain_t *in)
{
    for ( /* void */ ; in && ctx->dropping; in = in->next) {

        ngx_http_og_consume(in->buf);

        if (in->buf->last_buf) {
            ctx->dropping = 0;
        }
    }
}


/*
 * What an upstream still sends after its answer was replaced goes nowhere;
 * what comes behind its last buffer is another filter's.
 */

static void
ngx_http_og_drop(ngx_http_og_ctx_t *ctx, ngx_chain_t *in)
{
    for ( /* void */ ; in; in = in->next) {

        ngx_http_og_consume(in->buf);

        if (in->buf->last_buf) {
            ctx->answer = NGX_HTTP_OG_ANSWER_PASS;
        }
    }
}
