
/*
 * Copyright (C) order guard contributors
 *
 * What is given back: the key, where it is ours, and the units.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_store.h"


/*
 * A claim that was not confirmed for so much of its lease may be another's by
 * now: an operator may have freed it when the lease had passed.
 */
#define NGX_HTTP_OG_FRESH(lease)     ((lease) / 2)


static void ngx_http_og_redis_check_units(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_check_key(ngx_http_og_task_t *task);
static void ngx_http_og_redis_given_back(ngx_http_og_redis_batch_t *batch);


void
ngx_http_og_redis_release(ngx_http_og_op_t *op, ngx_http_og_release_e why)
{
    ngx_uint_t           i;
    ngx_http_og_task_t  *task;

    task = op->backend;

    task->unwanted = 1;
    task->spent = 0;

    if (why != NGX_HTTP_OG_NOT_SENT) {
        for (i = 0; i < op->nquotas && task->units; i++) {
            task->units[i].counted = 0;
        }
    }

    switch (task->state) {

    case NGX_HTTP_OG_TASK_HOLDING:
        ngx_http_og_redis_let_go(task);
        op->store->counters.released++;
        break;

    case NGX_HTTP_OG_TASK_ADMITTED:
        task->state = NGX_HTTP_OG_TASK_OVER;
        break;

    case NGX_HTTP_OG_TASK_OVER:

        /* begin may have failed behind the count; what was completed stays */

        if (task->won || task->units == NULL) {
            return;
        }

        break;

    default:
        return;
    }

    ngx_http_og_redis_give_back(task);
}


ngx_uint_t
ngx_http_og_redis_has_lapsed(ngx_http_og_task_t *task)
{
    return ngx_current_msec - task->confirmed
           > NGX_HTTP_OG_FRESH(task->op->lease);
}


void
ngx_http_og_redis_give_back(ngx_http_og_task_t *task)
{
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_back(task, ngx_http_og_redis_given_back, 0);

    if (batch == NULL) {
        return;
    }

    (void) ngx_http_og_redis_submit_back(task, batch,
                              ngx_current_msec + task->rs->conf.timeout);
}


ngx_http_og_redis_batch_t *
ngx_http_og_redis_back(ngx_http_og_task_t *task,
    ngx_http_og_redis_handler_pt handler, ngx_uint_t more)
{
    ngx_uint_t                  i;
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_batch_create(1 + more + task->op->nquotas
                                           * NGX_HTTP_OG_UNIT_COMMANDS,
                                           handler, task);
    if (batch == NULL) {
        goto failed;
    }

    ngx_http_og_redis_check_key(task);

    if (task->won
        && ngx_http_og_redis_of_key(batch, "DEL", &task->key) != NGX_OK)
    {
        goto failed;
    }

    batch->frees = task->won;

    for (i = 0; i < task->op->nquotas && !task->spent; i++) {
        if (ngx_http_og_redis_back_unit(task, batch, i) != NGX_OK) {
            goto failed;
        }
    }

    task->freeing = task->won;
    task->won = 0;

    return batch;

failed:

    if (batch) {
        ngx_http_og_redis_batch_free(batch);
    }

    if (task->won) {
        task->won = 0;
        ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_FREE);
    }

    return NULL;
}


/*
 * A key that may be another's by now is looked at first: when it was confirmed
 * too long ago, and where another server has taken over, which may not know
 * the claim.
 */

static void
ngx_http_og_redis_check_key(ngx_http_og_task_t *task)
{
    if (task->won
        && (ngx_http_og_redis_has_lapsed(task)
            || task->server
               != ngx_http_og_redis_server(ngx_http_og_redis_link(task))))
    {
        task->won = 0;
        ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_FREE);
    }
}


ngx_int_t
ngx_http_og_redis_submit_back(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline)
{
    if (batch->ncommands == 0) {
        ngx_http_og_redis_batch_free(batch);
        return NGX_DECLINED;
    }

    if (ngx_http_og_redis_task_submit(task, batch, deadline) == NGX_OK) {
        return NGX_OK;
    }

    if (task->freeing) {
        task->freeing = 0;
        ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_FREE);
    }

    return NGX_DECLINED;
}


static void
ngx_http_og_redis_given_back(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    ngx_http_og_redis_check_freed(task, batch);
    ngx_http_og_redis_check_units(task, batch);
    ngx_http_og_redis_task_put(task, batch);
}


/* A unit that cannot go back counts until its slot is over. */

static void
ngx_http_og_redis_check_units(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    redisReply  *reply;

    if (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED
        || batch->nreplies < NGX_HTTP_OG_UNIT_COMMANDS)
    {
        return;
    }

    reply = batch->replies[batch->nreplies - NGX_HTTP_OG_UNIT_COMMANDS];

    if (reply->type == REDIS_REPLY_ERROR) {
        ngx_http_og_redis_log_reply(task, "DECR", reply);
    }
}


void
ngx_http_og_redis_check_freed(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    if (batch->outcome == NGX_HTTP_OG_REDIS_TIMED_OUT || !task->freeing) {
        return;
    }

    task->freeing = 0;

    switch (batch->outcome) {

    case NGX_HTTP_OG_REDIS_ANSWERED:

        if (batch->replies[0]->type == REDIS_REPLY_INTEGER) {
            break;
        }

        ngx_http_og_redis_log_reply(task, "DEL", batch->replies[0]);
        ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_FREE);
        break;

    case NGX_HTTP_OG_REDIS_LOST:
        task->deleted = 1;

        /* fall through */

    default: /* NGX_HTTP_OG_REDIS_UNSENT */
        ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_FREE);
    }
}
