
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_int_t ngx_http_og_dispatch(ngx_http_request_t *r);
static ngx_int_t ngx_http_og_hold_upstream(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);


/* Upstreams that take these for the path serve another one than is guarded. */

static const ngx_str_t  ngx_http_og_path_headers[] = {
    ngx_string("x-original-url"),
    ngx_string("x-rewrite-url"),
    ngx_null_string
};


static const ngx_str_t  ngx_http_og_accept_encoding[] = {
    ngx_string("accept-encoding"),
    ngx_null_string
};


/*
 * An encoded answer could be neither normalised nor replayed to a client that
 * does not know the encoding.  headers_in.accept_encoding stays, for nginx's
 * own gzip.
 */

ngx_int_t
ngx_http_og_hide_headers(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    const ngx_str_t  *name;

    if ((ctx->guarded || ctx->conf->errors)
        && r->headers_in.accept_encoding
        && ngx_http_og_remove_headers(r, ngx_http_og_accept_encoding)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (name = ngx_http_og_path_headers; name->len; name++) {

        if (ngx_http_og_count_headers(r, name, NULL)) {
            return ngx_http_og_remove_headers(r, ngx_http_og_path_headers);
        }
    }

    return NGX_OK;
}


void
ngx_http_og_watch_dispatch(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ctx->content_handler = r->content_handler;
    r->content_handler = ngx_http_og_dispatch;
}


/*
 * Stands before the location's content handler and notes that it was reached:
 * one that is no upstream leaves no trace of what it did.
 */

static ngx_int_t
ngx_http_og_dispatch(ngx_http_request_t *r)
{
    ngx_int_t           rc;
    ngx_http_og_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_order_guard_module);

    ctx->dispatched = 1;
    r->content_handler = ctx->content_handler;

    rc = r->content_handler(r);

    if (rc == NGX_DONE && r->upstream && r->upstream->cleanup) {
        return ngx_http_og_hold_upstream(r, ctx) == NGX_OK ? NGX_DONE
                                                           : NGX_ERROR;
    }

    return rc;
}


/*
 * The upstream module has read its location's configuration, and has made
 * its first attempt; what it does from now on is this request's alone.
 */

static ngx_int_t
ngx_http_og_hold_upstream(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_http_upstream_t       *u;
    ngx_http_upstream_conf_t  *ucf;

    u = r->upstream;

    if (!u->header_sent) {

        /* a client that leaves must not stop the order */

        r->read_event_handler = ngx_http_block_reading;
        r->write_event_handler = ngx_http_request_empty_handler;
    }

    if (ctx->conf->idempotency->on_unknown == NGX_HTTP_OG_RETRY) {
        return NGX_OK;
    }

    ucf = ngx_palloc(r->pool, sizeof(ngx_http_upstream_conf_t));
    if (ucf == NULL) {
        return NGX_ERROR;
    }

    *ucf = *u->conf;

    ucf->ignore_client_abort = 1;
    ucf->next_upstream &= ~NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT;

    u->conf = ucf;

    if (r->method != NGX_HTTP_HEAD) {

        /*
         * nginx sends PUT and DELETE to another peer when they were sent to
         * one, but not what has the bit of POST: no order is repeated.
         */

        r->method |= NGX_HTTP_POST;
    }

    return NGX_OK;
}
