
/*
 * Copyright (C) order guard contributors
 *
 * Claims that replicas must have.  A write that carries some ends with
 *
 *     WAIT replicas ms
 *
 * and what was claimed is told when that is answered.  The server does nothing
 * else for a connection while it waits, so one WAIT is on its way at a time:
 * what is claimed meanwhile is in the next.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_link.h"


/*
 * Of the store's timeout: a claim waits for the end of the WAIT before its
 * own, and for its own.
 */
#define NGX_HTTP_OG_REDIS_WAIT_PART  3


static void ngx_http_og_redis_waited(ngx_http_og_redis_batch_t *batch);
static ngx_uint_t ngx_http_og_redis_is_acknowledged(ngx_http_og_redis_t *link,
    redisReply *reply);


void
ngx_http_og_redis_say_wait(ngx_http_og_redis_t *link)
{
    u_char                      replicas[NGX_INT_T_LEN + 1];
    u_char                      time[NGX_INT_T_LEN + 1];
    ngx_msec_t                  timeout;
    ngx_http_og_redis_batch_t  *batch;

    if (!link->unwaited || link->wait != NULL) {
        return;
    }

    /* 0 would be for ever */

    timeout = ngx_max(link->conf->timeout / NGX_HTTP_OG_REDIS_WAIT_PART, 1);

    *ngx_sprintf(replicas, "%ui", link->conf->wait) = '\0';
    *ngx_sprintf(time, "%M", timeout) = '\0';

    batch = ngx_http_og_redis_batch_create(1, ngx_http_og_redis_waited, link);

    if (batch == NULL
        || ngx_http_og_redis_say(batch, 3, "WAIT", replicas, time) != NGX_OK)
    {
        if (batch) {
            ngx_http_og_redis_batch_free(batch);
        }

        ngx_http_og_redis_fail(link, NGX_ENOMEM, "no memory to wait");
        return;
    }

    link->unwaited = 0;
    link->wait = batch;

    ngx_http_og_redis_send(link, batch,
                           ngx_current_msec + link->conf->timeout);
}


/* Its reply was taken before, in its turn. */

static void
ngx_http_og_redis_waited(ngx_http_og_redis_batch_t *batch)
{
}


ngx_uint_t
ngx_http_og_redis_must_wait(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch)
{
    return link->conf->wait
           && batch->claims
           && batch->replies[batch->claim]->type == REDIS_REPLY_NIL;
}


void
ngx_http_og_redis_hold_back(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch)
{
    ngx_queue_remove(&batch->queue);
    ngx_queue_insert_tail(&link->held, &batch->queue);
}


/* What is held was sent before it: later replies come later. */

void
ngx_http_og_redis_take_wait(ngx_http_og_redis_t *link, redisReply *reply)
{
    ngx_uint_t                  acknowledged;
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    acknowledged = ngx_http_og_redis_is_acknowledged(link, reply);

    while (!ngx_queue_empty(&link->held)) {
        q = ngx_queue_head(&link->held);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        batch->unacknowledged = !acknowledged;
        ngx_http_og_redis_finish(link, batch, NGX_HTTP_OG_REDIS_ANSWERED);
    }

    link->wait = NULL;

    if (link->unwaited) {
        ngx_post_event(&link->flush, &ngx_posted_events);
    }
}


static ngx_uint_t
ngx_http_og_redis_is_acknowledged(ngx_http_og_redis_t *link, redisReply *reply)
{
    if (reply->type != REDIS_REPLY_INTEGER) {
        ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_FAILURE, NGX_LOG_ERR,
                              0, "answered WAIT with %s: claims are given up",
                              ngx_http_og_redis_words(reply));
        return 0;
    }

    if (reply->integer >= (long long) link->conf->wait) {
        return 1;
    }

    /* nothing is said of a write that has claimed nothing */

    if (!ngx_queue_empty(&link->held)) {
        ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_FAILURE, NGX_LOG_ERR,
                              0, "has claims that %L of %ui replicas know: "
                              "they are given up",
                              (int64_t) reply->integer, link->conf->wait);
    }

    return 0;
}
