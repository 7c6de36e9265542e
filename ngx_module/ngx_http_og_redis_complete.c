
/*
 * Copyright (C) order guard contributors
 *
 * Complete: the answer takes the claim's place.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_store.h"


/* By then a server that was replaced knows it. */
#define NGX_HTTP_OG_LOOK_LATER  1000    /* ms */


static ngx_int_t ngx_http_og_redis_encode_final(ngx_http_og_task_t *task,
    og_record_t *record, ngx_msec_t ttl);
static ngx_int_t ngx_http_og_redis_store_final(ngx_http_og_task_t *task,
    const char *condition, ngx_http_og_redis_handler_pt handler);
static void ngx_http_og_redis_completed(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_check_stored(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_completed_anew(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_complete_failed(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_complete_done(ngx_http_og_task_t *task);


ngx_int_t
ngx_http_og_redis_complete(ngx_http_og_op_t *op, og_record_t *record,
    ngx_msec_t ttl)
{
    ngx_http_og_task_t  *task;

    task = op->backend;

    if (task->state != NGX_HTTP_OG_TASK_HOLDING) {
        return NGX_OK;
    }

    if (record->state == OG_RECORD_UNKNOWN
        && op->on_unknown == NGX_HTTP_OG_RETRY)
    {
        ngx_http_og_redis_release(op, NGX_HTTP_OG_FREED);
        return NGX_OK;
    }

    ngx_http_og_redis_let_go(task);
    task->won = 0;

    if (task->lost) {
        return NGX_OK;
    }

    if (ngx_http_og_redis_encode_final(task, record, ttl) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, op->store->log, NGX_ENOMEM,
                      "store \"%V\": an answer could not be recorded",
                      &op->store->name);
        return NGX_OK;
    }

    task->deadline = ngx_current_msec + task->rs->conf.timeout;

    if (ngx_http_og_redis_store_final(task, "XX",
                                      ngx_http_og_redis_completed)
        != NGX_OK)
    {
        ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_STORE);
        return NGX_OK;
    }

    task->state = NGX_HTTP_OG_TASK_COMPLETING;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_og_redis_encode_final(ngx_http_og_task_t *task, og_record_t *record,
    ngx_msec_t ttl)
{
    /* the key and the command's words need a little room */

    if (record->state == OG_RECORD_DONE
        && og_record_size(record) > NGX_HTTP_OG_REDIS_MAX_BYTES / 2)
    {
        record->state = OG_RECORD_TOMBSTONE;
    }

    task->final_px = ngx_http_og_redis_decimal(task->op->pool, ttl);

    if (task->final_px.data == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_og_encode(task->op, record, task->nonce,
                              ngx_http_og_redis_task_now(task),
                              &task->key, &task->final);
}


static ngx_int_t
ngx_http_og_redis_store_final(ngx_http_og_task_t *task, const char *condition,
    ngx_http_og_redis_handler_pt handler)
{
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_batch_create(1, handler, task);
    if (batch == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_set(batch, &task->key, &task->final, condition,
                              &task->final_px)
        != NGX_OK)
    {
        ngx_http_og_redis_batch_free(batch);
        return NGX_ERROR;
    }

    return ngx_http_og_redis_task_submit(task, batch, task->deadline);
}


static void
ngx_http_og_redis_completed(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED) {
        ngx_http_og_redis_complete_failed(task, batch);
        return;
    }

    switch (ngx_http_og_redis_key_state(task, batch->replies[0])) {

    case NGX_HTTP_OG_KEY_ABSENT:

        if (ngx_http_og_redis_was_freed(task)) {
            ngx_http_og_redis_complete_done(task);
            break;
        }

        /* the claim is gone; another may have claimed since: not over it */

        if (ngx_http_og_redis_store_final(task, "NX",
                                          ngx_http_og_redis_completed_anew)
            != NGX_OK)
        {
            ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_STORE);
            ngx_http_og_redis_complete_done(task);
        }

        break;

    case NGX_HTTP_OG_KEY_REFUSED:
        ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_STORE);
        ngx_http_og_redis_complete_done(task);
        break;

    case NGX_HTTP_OG_KEY_FOREIGN:
        ngx_http_og_redis_double_run(task);

        /* fall through */

    default: /* NGX_HTTP_OG_KEY_PENDING, NGX_HTTP_OG_KEY_FINAL */
        ngx_http_og_redis_check_stored(task, batch);
        task->rs->store->counters.completed++;
        ngx_http_og_redis_complete_done(task);
    }

    ngx_http_og_redis_task_put(task, batch);
}


/*
 * A server that stood still may say what it stored when another has taken its
 * place, and lose it with what it thought to have: who was late, or has not
 * the slot any more, is not the last to be asked.
 */

static void
ngx_http_og_redis_check_stored(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    if (!batch->late
        && (task->rs->cluster == NULL
            || batch->server
               == ngx_http_og_redis_server(ngx_http_og_redis_link(task))))
    {
        return;
    }

    ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_STORE);
    task->next_look = ngx_current_msec + NGX_HTTP_OG_LOOK_LATER;
}


static void
ngx_http_og_redis_completed_anew(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED) {
        ngx_http_og_redis_complete_failed(task, batch);
        return;
    }

    switch (ngx_http_og_redis_key_state(task, batch->replies[0])) {

    case NGX_HTTP_OG_KEY_ABSENT:
        task->rs->store->counters.asserted++;

        /* fall through */

    case NGX_HTTP_OG_KEY_FINAL:
        ngx_http_og_redis_check_stored(task, batch);
        task->rs->store->counters.completed++;
        break;

    case NGX_HTTP_OG_KEY_FOREIGN:
        ngx_http_og_redis_double_run(task);
        break;

    default: /* NGX_HTTP_OG_KEY_PENDING, NGX_HTTP_OG_KEY_REFUSED */
        ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_STORE);
    }

    ngx_http_og_redis_complete_done(task);
    ngx_http_og_redis_task_put(task, batch);
}


static void
ngx_http_og_redis_complete_failed(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    if (batch->outcome != NGX_HTTP_OG_REDIS_TIMED_OUT) {
        ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_STORE);
    }

    ngx_http_og_redis_complete_done(task);
    ngx_http_og_redis_task_put(task, batch);
}


static void
ngx_http_og_redis_complete_done(ngx_http_og_task_t *task)
{
    if (task->state != NGX_HTTP_OG_TASK_COMPLETING) {
        return;
    }

    task->state = NGX_HTTP_OG_TASK_OVER;

    if (!task->closed) {
        task->op->handler(task->op);
    }
}
