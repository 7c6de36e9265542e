
/*
 * Copyright (C) order guard contributors
 *
 * A claim that is held: renewed while its request lives, and made again where
 * the store has lost it.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_store.h"


/* A claim is renewed so many times in a lease. */
#define NGX_HTTP_OG_RENEWALS   3


static void ngx_http_og_redis_renew(ngx_http_og_task_t *task);
static void ngx_http_og_redis_renewed(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_asserted(ngx_http_og_redis_batch_t *batch);


void
ngx_http_og_redis_hold(ngx_http_og_task_t *task)
{
    task->state = NGX_HTTP_OG_TASK_HOLDING;
    task->doubts = task->rs->doubts;

    /* no later than the claim was sent */

    task->confirmed = task->deadline - task->rs->conf.timeout;

    ngx_queue_insert_tail(&task->rs->claims, &task->queue);

    task->renewal.cancelable = 1;
    ngx_add_timer(&task->renewal, task->op->lease / NGX_HTTP_OG_RENEWALS + 1);
}


void
ngx_http_og_redis_let_go(ngx_http_og_task_t *task)
{
    task->state = NGX_HTTP_OG_TASK_OVER;

    ngx_queue_remove(&task->queue);

    if (task->renewal.timer_set) {
        ngx_del_timer(&task->renewal);
    }
}


void
ngx_http_og_redis_renew_handler(ngx_event_t *ev)
{
    ngx_http_og_task_t  *task;

    task = ev->data;

    if (task->state == NGX_HTTP_OG_TASK_ASKING) {
        ngx_http_og_redis_count(task);
        return;
    }

    ngx_add_timer(ev, task->op->lease / NGX_HTTP_OG_RENEWALS + 1);

    if (!task->renewing) {
        ngx_http_og_redis_renew(task);
    }
}


/*
 * A renewal writes no value: one that arrives late, from a connection long
 * given up, must not take an answer's place.  GT shortens nothing and makes
 * no key.
 */

static void
ngx_http_og_redis_renew(ngx_http_og_task_t *task)
{
    ngx_str_t                   args[4];
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_batch_create(1, ngx_http_og_redis_renewed,
                                           task);
    if (batch == NULL) {
        return;
    }

    ngx_str_set(&args[0], "PEXPIRE");
    args[1] = task->key;
    args[2] = task->px;
    ngx_str_set(&args[3], "GT");

    if (ngx_http_og_redis_command(batch, args, 4) != NGX_OK) {
        ngx_http_og_redis_batch_free(batch);
        return;
    }

    if (ngx_http_og_redis_task_submit(task, batch,
                              ngx_current_msec + task->rs->conf.timeout)
        == NGX_OK)
    {
        task->renewing = 1;
    }
}


static void
ngx_http_og_redis_renewed(ngx_http_og_redis_batch_t *batch)
{
    redisReply          *reply;
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome != NGX_HTTP_OG_REDIS_TIMED_OUT) {
        task->renewing = 0;
    }

    if (batch->outcome == NGX_HTTP_OG_REDIS_ANSWERED
        && task->state == NGX_HTTP_OG_TASK_HOLDING)
    {
        reply = batch->replies[0];

        if (reply->type != REDIS_REPLY_INTEGER) {
            ngx_http_og_redis_log_reply(task, "PEXPIRE", reply);

        } else if (reply->integer == 1
                   && ngx_current_msec - task->confirmed <= task->op->lease)
        {
            task->confirmed = batch->submitted;

        } else {

            /* after a silence the key may be another's: that is looked at */

            ngx_http_og_redis_assert(task);
        }
    }

    ngx_http_og_redis_task_put(task, batch);
}


void
ngx_http_og_redis_assert(ngx_http_og_task_t *task)
{
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_batch_create(1, ngx_http_og_redis_asserted,
                                           task);
    if (batch == NULL) {
        return;
    }

    if (ngx_http_og_redis_set(batch, &task->key, &task->pending, "NX",
                              &task->px)
        != NGX_OK)
    {
        ngx_http_og_redis_batch_free(batch);
        return;
    }

    (void) ngx_http_og_redis_task_submit(task, batch,
                              ngx_current_msec + task->rs->conf.timeout);
}


static void
ngx_http_og_redis_asserted(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome == NGX_HTTP_OG_REDIS_ANSWERED) {

        switch (ngx_http_og_redis_key_state(task, batch->replies[0])) {

        case NGX_HTTP_OG_KEY_ABSENT:
            task->rs->store->counters.asserted++;

            /* a DEL that went straight to where the slot is was before it */

            if (task->unwanted) {
                ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_FREE);
            }

            /* fall through */

        case NGX_HTTP_OG_KEY_PENDING:
            task->confirmed = batch->submitted;
            task->server = batch->server;
            break;

        case NGX_HTTP_OG_KEY_FOREIGN:
            task->lost = 1;
            task->won = 0;
            ngx_http_og_redis_double_run(task);
            break;

        default: /* NGX_HTTP_OG_KEY_FINAL, NGX_HTTP_OG_KEY_REFUSED */
            break;
        }
    }

    ngx_http_og_redis_task_put(task, batch);
}
