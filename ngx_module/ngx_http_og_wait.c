
/*
 * Copyright (C) order guard contributors
 *
 * Duplicates of a running request that wait for its answer.  The request may
 * run in another worker or on another host, so the store is asked again and
 * again, at growing intervals; an end in this worker wakes them.
 */


#include "ngx_http_og.h"


/* Who comes when so many wait is told at once that the request is running. */
#define NGX_HTTP_OG_WAITERS          1024       /* in a worker */
#define NGX_HTTP_OG_WAITERS_FOR_KEY  64

#define NGX_HTTP_OG_FIRST_PAUSE      10         /* ms */
#define NGX_HTTP_OG_LAST_PAUSE       100


static ngx_uint_t ngx_http_og_join_waiters(ngx_http_og_ctx_t *ctx);
static uint32_t ngx_http_og_hash_key(ngx_http_og_op_t *op);


static ngx_queue_t  ngx_http_og_waiters = {
    &ngx_http_og_waiters, &ngx_http_og_waiters
};

static ngx_uint_t   ngx_http_og_nwaiters;


ngx_uint_t
ngx_http_og_start_waiting(ngx_http_og_ctx_t *ctx, ngx_event_handler_pt handler)
{
    ngx_event_t     *ev;
    ngx_msec_t       pause;
    ngx_msec_int_t   left;

    if (ctx->conf->wait == 0 || ngx_exiting || ngx_terminate) {
        return 0;
    }

    if (!ctx->waits && !ngx_http_og_join_waiters(ctx)) {
        return 0;
    }

    left = (ngx_msec_int_t) (ctx->wait_until - ngx_current_msec);

    if (left <= 0) {
        return 0;
    }

    pause = ngx_min(ctx->pause, (ngx_msec_t) left);
    ctx->pause = ngx_min(2 * ctx->pause, NGX_HTTP_OG_LAST_PAUSE);

    ev = &ctx->wait_event;

    ev->handler = handler;
    ev->data = ctx;
    ev->log = ctx->request->connection->log;

    ngx_add_timer(ev, pause);

    return 1;
}


static ngx_uint_t
ngx_http_og_join_waiters(ngx_http_og_ctx_t *ctx)
{
    uint32_t            key;
    ngx_uint_t          same;
    ngx_queue_t        *q;
    ngx_http_og_ctx_t  *other;

    key = ngx_http_og_hash_key(ctx->op);
    same = 0;

    for (q = ngx_queue_head(&ngx_http_og_waiters);
         q != &ngx_http_og_waiters;
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_http_og_ctx_t, waiters);
        same += (other->waits_for == key);
    }

    if (ngx_http_og_nwaiters >= NGX_HTTP_OG_WAITERS
        || same >= NGX_HTTP_OG_WAITERS_FOR_KEY)
    {
        return 0;
    }

    ngx_queue_insert_tail(&ngx_http_og_waiters, &ctx->waiters);
    ngx_http_og_nwaiters++;

    ctx->waits = 1;
    ctx->waits_for = key;
    ctx->wait_until = ngx_current_msec + ctx->conf->wait;
    ctx->pause = NGX_HTTP_OG_FIRST_PAUSE;

    return 1;
}


static uint32_t
ngx_http_og_hash_key(ngx_http_og_op_t *op)
{
    return ngx_murmur_hash2(op->name.key.data, op->name.key.len);
}


void
ngx_http_og_wake_waiters(ngx_http_og_op_t *op)
{
    uint32_t            key;
    ngx_queue_t        *q;
    ngx_http_og_ctx_t  *ctx;

    if (ngx_http_og_nwaiters == 0) {
        return;
    }

    key = ngx_http_og_hash_key(op);

    for (q = ngx_queue_head(&ngx_http_og_waiters);
         q != &ngx_http_og_waiters;
         q = ngx_queue_next(q))
    {
        ctx = ngx_queue_data(q, ngx_http_og_ctx_t, waiters);

        /* no timer: it is asking just now */

        if (ctx->waits_for != key || !ctx->wait_event.timer_set) {
            continue;
        }

        ctx->pause = NGX_HTTP_OG_FIRST_PAUSE;

        /* nginx would keep a timer that is not much later */

        ngx_del_timer(&ctx->wait_event);
        ngx_add_timer(&ctx->wait_event, 0);
    }
}


void
ngx_http_og_stop_waiting(ngx_http_og_ctx_t *ctx)
{
    if (!ctx->waits) {
        return;
    }

    ctx->waits = 0;

    ngx_queue_remove(&ctx->waiters);
    ngx_http_og_nwaiters--;

    if (ctx->wait_event.timer_set) {
        ngx_del_timer(&ctx->wait_event);
    }
}
