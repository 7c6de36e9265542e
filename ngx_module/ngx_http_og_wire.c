
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


/*
 * u->request_sent tells of the last attempt only, and is set before the first
 * byte is written; the states tell of every attempt, once it is over, and the
 * peer connection tells of the one that lives.
 */

ngx_uint_t
ngx_http_og_was_sent(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_uint_t                  i;
    ngx_http_upstream_t        *u;
    ngx_http_upstream_state_t  *state;

    u = r->upstream;

    if (u == NULL && r->upstream_states == NULL) {

        /* another content handler: what it did is not known */

        return ctx->dispatched;
    }

    if (u && u->peer.connection && u->peer.connection->sent > 0) {
        return 1;
    }

    if (r->upstream_states == NULL) {
        return 0;
    }

    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {
        if (state[i].bytes_sent > 0) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_og_is_spent(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (ctx->spent) {
        return 1;
    }

    /* the upstream of a page about a refusal has seen no order */

    if (ctx->state != NGX_HTTP_OG_PASSED) {
        return 0;
    }

#if (NGX_HTTP_CACHE)
    if (r->cached) {
        return 1;
    }
#endif

    if (r->upstream == NULL && r->upstream_states == NULL) {
        return ctx->reached;
    }

    return ngx_http_og_was_sent(r, ctx);
}


ngx_uint_t
ngx_http_og_last_status(ngx_http_request_t *r)
{
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL || r->upstream_states->nelts == 0) {
        return r->err_status;
    }

    state = r->upstream_states->elts;
    state += r->upstream_states->nelts - 1;

    return state->header_time == (ngx_msec_t) -1 ? 0 : state->status;
}


ngx_uint_t
ngx_http_og_close_delimited(ngx_http_request_t *r)
{
    ngx_http_upstream_t  *u;

    u = r->upstream;

    return u != NULL
           && u->headers_in.content_length_n == -1
           && !u->headers_in.chunked;
}
