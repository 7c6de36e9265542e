
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_int_t ngx_http_og_check_encoding(ngx_http_request_t *r);
static ngx_int_t ngx_http_og_read_buf(ngx_buf_t *b, u_char **p);
static ngx_int_t ngx_http_og_install_buf(ngx_http_request_t *r,
    ngx_str_t *body);


const ngx_str_t  ngx_http_og_digest_headers[] = {
    ngx_string("content-md5"),
    ngx_string("digest"),
    ngx_string("content-digest"),
    ngx_string("repr-digest"),
    ngx_null_string
};


ngx_int_t
ngx_http_og_check_body_headers(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_table_elt_t  *h;
    static ngx_str_t  name = ngx_string("content-type");

    if (!ngx_http_og_has_body(r)) {
        ctx->policed = 0;
        return NGX_OK;
    }

    ctx->media.type = OG_MEDIA_OTHER;

    if (ngx_http_og_count_headers(r, &name, &h) == 1
        && r->headers_in.content_type
        && ngx_http_og_check_encoding(r) == NGX_OK)
    {
        ctx->media = og_media_read(h->value.data, h->value.len);
    }

    if (!ctx->enforced && ctx->conf->fields == NULL
        && ctx->media.type != OG_MEDIA_JSON)
    {
        /* no rule asks for anything in it */

        ctx->policed = 0;
        return NGX_OK;
    }

    if (!ngx_http_og_is_policeable(ctx)) {
        ctx->error = NGX_HTTP_OG_MEDIA_TYPE_UNSUPPORTED;
        return NGX_DECLINED;
    }

    if (r->headers_in.content_length_n > (off_t) ctx->conf->body_limit) {
        ctx->error = NGX_HTTP_OG_BODY_TOO_LARGE;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_og_request_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t        *cl;
    ngx_http_og_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_order_guard_module);

    if (ctx == NULL || ctx->state != NGX_HTTP_OG_READING) {
        return ngx_http_og_next_request_body_filter(r, in);
    }

    for (cl = in; cl; cl = cl->next) {
        ctx->received += ngx_buf_size(cl->buf);
    }

    if (ctx->received > (off_t) ctx->conf->body_limit) {
        ngx_http_og_refuse(ctx, NGX_HTTP_OG_BODY_TOO_LARGE);
        ctx->state = NGX_HTTP_OG_REFUSED;

        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    return ngx_http_og_next_request_body_filter(r, in);
}


ngx_uint_t
ngx_http_og_body_is_done(ngx_http_request_t *r)
{
    if (!ngx_http_og_has_body(r)) {
        return 1;
    }

    if (r->request_body) {
        return r->request_body->rest == 0;
    }

    /* nginx is throwing it away, which it does not begin where it failed */

    return r->discard_body;
}


ngx_uint_t
ngx_http_og_has_body(ngx_http_request_t *r)
{
    return r->headers_in.content_length_n > 0 || r->headers_in.chunked;
}


ngx_uint_t
ngx_http_og_is_policeable(ngx_http_og_ctx_t *ctx)
{
    switch (ctx->media.type) {

    case OG_MEDIA_JSON:
    case OG_MEDIA_PATCH:
    case OG_MEDIA_FORM:
    case OG_MEDIA_MULTIPART:
        return 1;

    default:
        return 0;
    }
}


static ngx_int_t
ngx_http_og_check_encoding(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;
    static ngx_str_t  name = ngx_string("content-encoding");

    switch (ngx_http_og_count_headers(r, &name, &h)) {

    case 0:
        return NGX_OK;

    case 1:
        if (h->value.len == sizeof("identity") - 1
            && ngx_strncasecmp(h->value.data, (u_char *) "identity",
                               sizeof("identity") - 1)
               == 0)
        {
            return NGX_OK;
        }

        /* fall through */

    default:
        return NGX_DECLINED;
    }
}


/* The usual body is one buffer in memory, and is scanned where it is. */

ngx_int_t
ngx_http_og_collect_body(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    ngx_str_null(body);

    cl = r->request_body->bufs;

    if (cl == NULL) {
        return NGX_OK;
    }

    b = cl->buf;

    if (cl->next == NULL && ngx_buf_in_memory(b)) {
        body->data = b->pos;
        body->len = b->last - b->pos;
        return NGX_OK;
    }

    body->len = (size_t) ngx_http_og_body_size(cl);

    body->data = ngx_pnalloc(r->pool, body->len);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    p = body->data;

    for ( /* void */ ; cl; cl = cl->next) {
        if (ngx_http_og_read_buf(cl->buf, &p) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


off_t
ngx_http_og_body_size(ngx_chain_t *in)
{
    off_t  size;

    for (size = 0; in; in = in->next) {
        size += ngx_buf_size(in->buf);
    }

    return size;
}


static ngx_int_t
ngx_http_og_read_buf(ngx_buf_t *b, u_char **p)
{
    size_t   size;
    ssize_t  n;

    size = (size_t) ngx_buf_size(b);

    if (size == 0) {
        return NGX_OK;
    }

    if (ngx_buf_in_memory(b)) {
        *p = ngx_cpymem(*p, b->pos, size);
        return NGX_OK;
    }

    n = ngx_read_file(b->file, *p, size, b->file_pos);

    if (n == NGX_ERROR || (size_t) n != size) {
        ngx_log_error(NGX_LOG_CRIT, b->file->log, 0,
                      ngx_read_file_n " read %z of %uz bytes of \"%V\"",
                      n, size, &b->file->name);
        return NGX_ERROR;
    }

    *p += size;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_install_body(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_table_elt_t  *h;

    if (ngx_http_og_install_buf(r, body) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_in.content_length_n = body->len;
    r->headers_in.chunked = 0;

    h = r->headers_in.content_length;

    if (h) {
        h->value.data = ngx_pnalloc(r->pool, NGX_OFF_T_LEN);
        if (h->value.data == NULL) {
            return NGX_ERROR;
        }

        h->value.len = ngx_sprintf(h->value.data, "%uz", body->len)
                       - h->value.data;
    }

    return ngx_http_og_remove_headers(r, ngx_http_og_digest_headers);
}


/*
 * The buffer begins at b->start, since an upstream module rewinds to it for
 * another attempt.  One without a byte would stand in the log as an alert.
 */

static ngx_int_t
ngx_http_og_install_buf(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_buf_t                *b;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = r->request_body;

    rb->bufs = NULL;
    rb->buf = NULL;
    rb->temp_file = NULL;

    if (body->len == 0) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->start = body->data;
    b->pos = body->data;
    b->last = body->data + body->len;
    b->end = b->last;
    b->temporary = 1;
    b->last_buf = 1;

    cl->buf = b;
    cl->next = NULL;

    rb->bufs = cl;
    rb->buf = b;

    return NGX_OK;
}
