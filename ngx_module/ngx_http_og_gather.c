
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


/* Bytes of one buffer of what is gathered, unless more comes at once. */
#define NGX_HTTP_OG_GATHER_MIN  ((size_t) 1024)
#define NGX_HTTP_OG_GATHER_MAX  ((size_t) 32 * 1024)


static ngx_int_t ngx_http_og_gather_buf(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_buf_t *b);
static ngx_int_t ngx_http_og_append(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, u_char *data, size_t size);
static ngx_uint_t ngx_http_og_upstream_broke(ngx_http_request_t *r);
static ngx_int_t ngx_http_og_finish(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_join(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_judge_success(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_uint_t ngx_http_og_is_cut_short(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_start_streaming(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_pass_on(ngx_http_request_t *r, ngx_chain_t *in);
static ngx_int_t ngx_http_og_hold_back(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_chain_t *in, ngx_chain_t **out,
    ngx_uint_t *last);
static ngx_int_t ngx_http_og_release_held(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_chain_t ***next);


ngx_int_t
ngx_http_og_gather(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_chain_t *in)
{
    size_t      limit;
    ngx_uint_t  last, flush;

    last = 0;
    flush = 0;
    limit = ctx->claimed ? ctx->conf->response_limit : NGX_HTTP_OG_ERROR_LIMIT;

    for ( /* void */ ; in; in = in->next) {

        if (!ctx->normalise
            && ctx->gathered_size + ngx_buf_size(in->buf) > limit)
        {
            if (ngx_http_og_start_streaming(r, ctx) == NGX_ERROR) {
                return NGX_ERROR;
            }

            return ngx_http_og_stream(r, ctx, in);
        }

        if (ngx_http_og_gather_buf(r, ctx, in->buf) != NGX_OK) {
            return NGX_ERROR;
        }

        last |= in->buf->last_buf;
        flush |= in->buf->flush;

        ngx_http_og_consume(in->buf);
    }

    if (last || ngx_http_og_is_too_large(ctx)) {

        /* nothing that still comes would change what is said of it */

        ctx->dropping = !last;

        return ngx_http_og_finish(r, ctx);
    }

    if (flush && ngx_http_og_upstream_broke(r)) {
        return ngx_http_og_cut_short(r, ctx);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_gather_buf(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_buf_t *b)
{
    size_t  size;

    if (!ngx_buf_in_memory(b) || b->pos == b->last
        || ngx_http_og_is_too_large(ctx))
    {
        return NGX_OK;
    }

    size = b->last - b->pos;

    if (ctx->normalise
        && ctx->gathered_size + size > NGX_HTTP_OG_ERROR_LIMIT)
    {
        /* too large for an error's message, but not for a line of the log */

        size = NGX_HTTP_OG_ERROR_LIMIT - ctx->gathered_size;

        if (ngx_http_og_append(r, ctx, b->pos, size) != NGX_OK) {
            return NGX_ERROR;
        }

        ctx->gathered_size = NGX_HTTP_OG_ERROR_LIMIT + 1;

        return NGX_OK;
    }

    return ngx_http_og_append(r, ctx, b->pos, size);
}


ngx_uint_t
ngx_http_og_is_too_large(ngx_http_og_ctx_t *ctx)
{
    return ctx->normalise && ctx->gathered_size > NGX_HTTP_OG_ERROR_LIMIT;
}


/* An upstream may send byte by byte: memory grows with what it sends. */

static ngx_int_t
ngx_http_og_append(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    u_char *data, size_t size)
{
    size_t        n, room;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ctx->gathered_buf;

    n = b ? ngx_min(size, (size_t) (b->end - b->last)) : 0;

    if (n) {
        b->last = ngx_cpymem(b->last, data, n);
        ctx->gathered_size += n;
    }

    if (n == size) {
        return NGX_OK;
    }

    room = ngx_min(ngx_max(ctx->gathered_size, NGX_HTTP_OG_GATHER_MIN),
                   NGX_HTTP_OG_GATHER_MAX);

    cl = ngx_alloc_chain_link(r->pool);
    b = ngx_create_temp_buf(r->pool, ngx_max(size - n, room));

    if (cl == NULL || b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, data + n, size - n);

    cl->buf = b;
    cl->next = NULL;

    *ctx->gathered_last = cl;
    ctx->gathered_last = &cl->next;
    ctx->gathered_buf = b;
    ctx->gathered_size += size - n;

    return NGX_OK;
}


/* An upstream stalls as long as its buffers are not consumed. */

void
ngx_http_og_consume(ngx_buf_t *b)
{
    b->pos = b->last;

    if (b->in_file) {
        b->file_pos = b->file_last;
    }
}


/*
 * A broken upstream ends with a flush in place of a last buffer, after its
 * cleanup was disarmed.
 */

static ngx_uint_t
ngx_http_og_upstream_broke(ngx_http_request_t *r)
{
    return r->upstream != NULL && r->upstream->cleanup == NULL;
}


static ngx_int_t
ngx_http_og_finish(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ngx_http_og_join(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_og_is_cut_short(r, ctx)) {
        return ngx_http_og_cut_short(r, ctx);
    }

    if (ctx->doubtful && ngx_http_og_judge_success(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->normalise && ngx_http_og_normalise(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->claimed) {
        rc = ngx_http_og_store_answer(r, ctx);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_AGAIN) {
            ctx->answer = NGX_HTTP_OG_ANSWER_STORING;
            ctx->asked = ngx_current_msec;
            r->buffered |= NGX_HTTP_OG_BUFFERED;

            return NGX_AGAIN;
        }
    }

    return ngx_http_og_send_content(r, ctx);
}


/* Makes one text of what was gathered. */

static ngx_int_t
ngx_http_og_join(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    u_char       *p;
    ngx_chain_t  *cl;

    ngx_str_null(&ctx->content);

    cl = ctx->gathered;

    if (cl == NULL) {
        return NGX_OK;
    }

    if (cl->next == NULL) {
        ctx->content.data = cl->buf->pos;
        ctx->content.len = cl->buf->last - cl->buf->pos;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, ctx->gathered_size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->content.data = p;

    for ( /* void */ ; cl; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    ctx->content.len = p - ctx->content.data;

    return NGX_OK;
}


/*
 * nginx does not hold every upstream to the length that it announced, and an
 * answer without one ends with its connection, as it does when the upstream
 * dies: JSON at least tells whether it has ended.
 */

static ngx_uint_t
ngx_http_og_is_cut_short(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (!(ctx->claimed || ctx->doubtful)
        || ngx_http_og_is_too_large(ctx)
        || r->method == NGX_HTTP_HEAD
        || r->headers_out.status == NGX_HTTP_NO_CONTENT
        || r->headers_out.status == NGX_HTTP_NOT_MODIFIED)
    {
        return 0;
    }

    if (!ctx->normalise
        && r->headers_out.content_length_n > (off_t) ctx->gathered_size)
    {
        return 1;
    }

    return ngx_http_og_close_delimited(r)
           && ngx_http_og_is_json(r)
           && !og_json_is_ended(ctx->content.data, ctx->content.len);
}


static ngx_int_t
ngx_http_og_judge_success(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    int           status;
    ngx_array_t  *when;

    when = ctx->conf->error_when;

    status = og_when_status(when->elts, when->nelts, ctx->content.data,
                            ctx->content.len);
    if (status <= 0) {
        return status == 0 ? NGX_OK : NGX_ERROR;
    }

    ctx->normalise = 1;
    r->headers_out.status = status;

    return ngx_http_og_set_status_line(r);
}


/*
 * The answer is too large to be kept: the caller gets it whole, the record
 * will say that it was.
 */

static ngx_int_t
ngx_http_og_start_streaming(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->answer = NGX_HTTP_OG_ANSWER_STREAMING;

    rc = ngx_http_og_send_header(r, ctx);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->gathered == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_og_next_body_filter(r, ctx->gathered);

    ctx->gathered = NULL;

    /* a client that left does not stop the order */

    return rc == NGX_ERROR && ctx->keyed ? NGX_OK : rc;
}


/*
 * All but the last byte leaves as it comes.  That one waits until the store
 * knows that the order is finished: a retry that follows upon a whole answer
 * must not find it running.
 */

ngx_int_t
ngx_http_og_stream(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_chain_t *in)
{
    ngx_int_t     rc;
    ngx_uint_t    last;
    ngx_chain_t  *out;

    if (!ctx->keyed) {
        return ngx_http_og_next_body_filter(r, in);
    }

    if (!ctx->claimed) {
        return ngx_http_og_pass_on(r, in);
    }

    if (ngx_http_og_hold_back(r, ctx, in, &out, &last) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_og_pass_on(r, out);

    ngx_chain_update_chains(r->pool, &ctx->free, &ctx->busy, &out,
                            (ngx_buf_tag_t) &ngx_http_order_guard_module);

    if (!last) {
        return rc;
    }

    if (ngx_http_og_store_tombstone(r, ctx) != NGX_AGAIN) {
        return ngx_http_og_end_stream(r, ctx);
    }

    ctx->answer = NGX_HTTP_OG_ANSWER_STORING;
    ctx->asked = ngx_current_msec;
    r->buffered |= NGX_HTTP_OG_BUFFERED;

    return NGX_AGAIN;
}


/* A client that left does not stop the order. */

static ngx_int_t
ngx_http_og_pass_on(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t     rc;
    ngx_chain_t  *cl;

    rc = ngx_http_og_next_body_filter(r, in);

    if (rc != NGX_ERROR) {
        return rc;
    }

    for (cl = in; cl; cl = cl->next) {
        ngx_http_og_consume(cl->buf);
    }

    /* what waited for the client's socket is not the upstream's to wait for */

    for (cl = r->out; cl; cl = cl->next) {
        ngx_http_og_consume(cl->buf);
    }

    r->out = NULL;
    r->connection->buffered &= ~NGX_HTTP_WRITE_BUFFERED;

    return NGX_OK;
}


/*
 * Makes a chain of what may leave now: the byte that was held back so far, and
 * all but the last byte of what has come.
 */

static ngx_int_t
ngx_http_og_hold_back(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_chain_t *in, ngx_chain_t **out, ngx_uint_t *last)
{
    ngx_buf_t     *b, *tail;
    ngx_chain_t   *cl, **next;

    *out = NULL;
    *last = 0;
    next = out;
    tail = NULL;

    for (cl = in; cl; cl = cl->next) {
        tail = ngx_buf_size(cl->buf) ? cl->buf : tail;
    }

    if (tail) {

        if (ctx->held && ngx_http_og_release_held(r, ctx, &next) != NGX_OK) {
            return NGX_ERROR;
        }

        ctx->held = 1;
        ctx->held_byte = *--tail->last;
        tail->file_last -= tail->in_file;
    }

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;

        *last |= b->last_buf;
        b->last_buf = 0;

        if (ngx_buf_size(b) == 0 && !b->flush) {
            continue;
        }

        *next = ngx_alloc_chain_link(r->pool);
        if (*next == NULL) {
            return NGX_ERROR;
        }

        (*next)->buf = b;
        (*next)->next = NULL;
        next = &(*next)->next;
    }

    return NGX_OK;
}


/* Appends the byte that was held back. */

static ngx_int_t
ngx_http_og_release_held(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_chain_t ***next)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    cl = ngx_chain_get_free_buf(r->pool, &ctx->free);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    b = cl->buf;

    if (b->start == NULL) {
        b->start = ngx_palloc(r->pool, 1);
        if (b->start == NULL) {
            return NGX_ERROR;
        }

        b->tag = (ngx_buf_tag_t) &ngx_http_order_guard_module;
        b->temporary = 1;
        b->end = b->start + 1;
    }

    *b->start = ctx->held_byte;
    b->pos = b->start;
    b->last = b->end;

    cl->next = NULL;

    **next = cl;
    *next = &cl->next;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_end_stream(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_chain_t  *out, **next;

    next = &out;

    if (ngx_http_og_release_held(r, ctx, &next) != NGX_OK) {
        return NGX_ERROR;
    }

    out->buf->last_buf = 1;
    out->buf->last_in_chain = 1;

    ctx->answer = NGX_HTTP_OG_ANSWER_PASS;
    ctx->held = 0;

    return ngx_http_og_pass_on(r, out);
}
