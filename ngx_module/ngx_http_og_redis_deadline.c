
/*
 * Copyright (C) order guard contributors
 *
 * Deadlines: one timer for all batches of a connection.
 */


#include "ngx_http_og_redis_link.h"


/* No reply for so many timeouts while one is owed: closed. */
#define NGX_HTTP_OG_REDIS_SILENCE        10
#define NGX_HTTP_OG_REDIS_EXIT_SILENCE   2


static void ngx_http_og_redis_expire(ngx_http_og_redis_t *link);
static ngx_uint_t ngx_http_og_redis_expire_queue(ngx_http_og_redis_t *link,
    ngx_queue_t *queue);
static ngx_uint_t ngx_http_og_redis_is_silent(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_rearm(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_rearm_queue(ngx_http_og_redis_t *link,
    ngx_queue_t *queue);


void
ngx_http_og_redis_arm(ngx_http_og_redis_t *link, ngx_msec_t deadline)
{
    ngx_msec_int_t  delay;

    if (link->deadline.timer_set) {

        if ((ngx_msec_int_t) (deadline - link->deadline.timer.key) >= 0) {
            return;
        }

        /* a set timer is not moved by less than nginx's lazy delay */

        ngx_del_timer(&link->deadline);
    }

    delay = (ngx_msec_int_t) (deadline - ngx_current_msec);

    ngx_add_timer(&link->deadline, (ngx_msec_t) ngx_max(delay, 1));
}


void
ngx_http_og_redis_deadline_handler(ngx_event_t *ev)
{
    ngx_http_og_redis_t  *link;

    link = ev->data;

    ngx_http_og_redis_expire_waiting(link);
    ngx_http_og_redis_expire(link);

    if (ngx_http_og_redis_is_silent(link)) {
        ngx_http_og_redis_fail(link, NGX_ETIMEDOUT, "it has gone silent");
    }

    ngx_http_og_redis_dispatch(link);
    ngx_http_og_redis_rearm(link);
}


static void
ngx_http_og_redis_expire(ngx_http_og_redis_t *link)
{
    ngx_int_t   rc;
    ngx_uint_t  down;

    /* what is held is no lateness of the server's own */

    link->timeouts += ngx_http_og_redis_expire_queue(link, &link->owed);
    (void) ngx_http_og_redis_expire_queue(link, &link->held);

    /* a greeting fails the connection, which is told */

    if (ngx_queue_empty(&link->notices)
        || link->state != NGX_HTTP_OG_REDIS_READY)
    {
        return;
    }

    down = ngx_http_og_redis_is_down(link);

    rc = ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_FAILURE,
                               NGX_LOG_ERR, NGX_ETIMEDOUT,
                               "has not answered in %M ms%s",
                               link->conf->timeout,
                               down ? ": nothing waits for it until it does"
                                    : "");

    if (!down) {
        return;
    }

    if (rc == NGX_OK) {
        ngx_http_og_redis_tell_down(link);
    }

    ngx_http_og_redis_look_after(link);
}


/* A batch whose reply is late keeps its place: replies come in order. */

static ngx_uint_t
ngx_http_og_redis_expire_queue(ngx_http_og_redis_t *link, ngx_queue_t *queue)
{
    ngx_uint_t                  n;
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    n = 0;

    for (q = ngx_queue_head(queue);
         q != ngx_queue_sentinel(queue);
         q = ngx_queue_next(q))
    {
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        if (batch->late
            || (ngx_msec_int_t) (batch->deadline - ngx_current_msec) > 0)
        {
            continue;
        }

        batch->late = 1;
        ngx_queue_insert_tail(&link->notices, &batch->notice);

        n++;
    }

    return n;
}


void
ngx_http_og_redis_expire_waiting(ngx_http_og_redis_t *link)
{
    ngx_queue_t                *q, *next;
    ngx_http_og_redis_batch_t  *batch;

    for (q = ngx_queue_head(&link->waiting);
         q != ngx_queue_sentinel(&link->waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        if ((ngx_msec_int_t) (batch->deadline - ngx_current_msec) <= 0) {
            ngx_http_og_redis_finish(link, batch, NGX_HTTP_OG_REDIS_UNSENT);
        }
    }
}


static ngx_uint_t
ngx_http_og_redis_is_silent(ngx_http_og_redis_t *link)
{
    ngx_msec_t  limit;

    if (ngx_queue_empty(&link->owed)) {
        return 0;
    }

    limit = (ngx_exiting ? NGX_HTTP_OG_REDIS_EXIT_SILENCE
                         : NGX_HTTP_OG_REDIS_SILENCE) * link->conf->timeout;

    return (ngx_msec_int_t) (ngx_current_msec - link->heard - limit) >= 0;
}


/* Looks again at the next deadline, and each timeout while a reply is owed. */

static void
ngx_http_og_redis_rearm(ngx_http_og_redis_t *link)
{
    ngx_http_og_redis_rearm_queue(link, &link->owed);
    ngx_http_og_redis_rearm_queue(link, &link->held);
    ngx_http_og_redis_rearm_queue(link, &link->waiting);

    if (!ngx_queue_empty(&link->owed)) {
        ngx_http_og_redis_arm(link, ngx_current_msec + link->conf->timeout);
    }
}


static void
ngx_http_og_redis_rearm_queue(ngx_http_og_redis_t *link, ngx_queue_t *queue)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    for (q = ngx_queue_head(queue);
         q != ngx_queue_sentinel(queue);
         q = ngx_queue_next(q))
    {
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        if (!batch->late) {
            ngx_http_og_redis_arm(link, batch->deadline);
        }
    }
}
