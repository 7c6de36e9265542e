
/*
 * Copyright (C) order guard contributors
 *
 * An operator looks at a record, and puts an end to an unknown outcome.
 *
 *     look       GET key   PTTL key
 *     resolve    WATCH key   GET key   PTTL key
 *                MULTI   DEL key, or SET key final XX KEEPTTL   EXEC
 *
 * The key is not the operator's own: a DEL that came late, or after that of
 * another operator, would free the next order's claim.  So it is watched, and
 * what is done is done on the connection that watches, or not at all.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_store.h"


static ngx_int_t ngx_http_og_redis_operate(ngx_http_og_op_t *op,
    ngx_http_og_redis_handler_pt handler, ngx_uint_t watch);
static ngx_int_t ngx_http_og_redis_ask_record(ngx_http_og_task_t *task,
    ngx_http_og_redis_handler_pt handler, ngx_uint_t watch);
static void ngx_http_og_redis_seen(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_watched(ngx_http_og_redis_batch_t *batch);
static ngx_http_og_verdict_e ngx_http_og_redis_read_record(
    ngx_http_og_task_t *task, redisReply **replies);
static ngx_int_t ngx_http_og_redis_resolve_record(ngx_http_og_task_t *task,
    ngx_uint_t connection);
static ngx_int_t ngx_http_og_redis_encode_answer(ngx_http_og_task_t *task);
static ngx_int_t ngx_http_og_redis_say_resolution(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_resolved(ngx_http_og_redis_batch_t *batch);
static ngx_uint_t ngx_http_og_redis_is_resolved(ngx_http_og_task_t *task,
    redisReply *reply);
static void ngx_http_og_redis_unwatch(ngx_http_og_task_t *task,
    ngx_uint_t connection);
static void ngx_http_og_redis_unwatched(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_tell(ngx_http_og_task_t *task,
    ngx_http_og_verdict_e verdict);


ngx_int_t
ngx_http_og_redis_op_look(ngx_http_og_op_t *op)
{
    return ngx_http_og_redis_operate(op, ngx_http_og_redis_seen, 0);
}


ngx_int_t
ngx_http_og_redis_op_resolve(ngx_http_og_op_t *op, const og_record_t *answer)
{
    ngx_int_t            rc;
    ngx_http_og_task_t  *task;

    task = op->backend;
    task->answer = answer;

    if (task->rs->watching) {
        op->verdict = NGX_HTTP_OG_STORE_FAILED;
        return NGX_OK;
    }

    rc = ngx_http_og_redis_operate(op, ngx_http_og_redis_watched, 1);

    if (rc == NGX_AGAIN) {
        task->rs->watching = 1;
    }

    return rc;
}


static ngx_int_t
ngx_http_og_redis_operate(ngx_http_og_op_t *op,
    ngx_http_og_redis_handler_pt handler, ngx_uint_t watch)
{
    ngx_http_og_task_t  *task;

    task = op->backend;

    task->state = NGX_HTTP_OG_TASK_ASKING;
    task->deadline = ngx_current_msec + task->rs->conf.timeout;

    if (ngx_http_og_redis_name_key(task) != NGX_OK
        || ngx_http_og_redis_ask_record(task, handler, watch) != NGX_OK)
    {
        task->state = NGX_HTTP_OG_TASK_OVER;
        op->verdict = NGX_HTTP_OG_STORE_FAILED;
        return NGX_OK;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_og_redis_ask_record(ngx_http_og_task_t *task,
    ngx_http_og_redis_handler_pt handler, ngx_uint_t watch)
{
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_batch_create(watch ? 3 : 2, handler, task);
    if (batch == NULL) {
        return NGX_ERROR;
    }

    if ((watch
         && ngx_http_og_redis_of_key(batch, "WATCH", &task->key) != NGX_OK)
        || ngx_http_og_redis_of_key(batch, "GET", &task->key) != NGX_OK
        || ngx_http_og_redis_of_key(batch, "PTTL", &task->key) != NGX_OK)
    {
        ngx_http_og_redis_batch_free(batch);
        return NGX_ERROR;
    }

    return ngx_http_og_redis_task_submit(task, batch, task->deadline);
}


static void
ngx_http_og_redis_seen(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome == NGX_HTTP_OG_REDIS_ANSWERED) {
        ngx_http_og_redis_tell(task,
                               ngx_http_og_redis_read_record(task,
                                                             batch->replies));

    } else {
        ngx_http_og_redis_tell(task, NGX_HTTP_OG_STORE_FAILED);
    }

    ngx_http_og_redis_task_put(task, batch);
}


static void
ngx_http_og_redis_watched(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t     *task;
    ngx_http_og_verdict_e   verdict;

    task = batch->data;
    verdict = NGX_HTTP_OG_STORE_FAILED;

    if (batch->outcome == NGX_HTTP_OG_REDIS_TIMED_OUT) {
        goto tell;
    }

    if (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED) {
        task->rs->watching = 0;
        goto tell;
    }

    if (batch->replies[0]->type != REDIS_REPLY_STATUS) {
        ngx_http_og_redis_log_reply(task, "WATCH", batch->replies[0]);
        task->rs->watching = 0;
        goto tell;
    }

    verdict = ngx_http_og_redis_read_record(task, &batch->replies[1]);

    if (verdict == NGX_HTTP_OG_UNKNOWN
        && task->state == NGX_HTTP_OG_TASK_ASKING
        && !task->closed)
    {
        if (ngx_http_og_redis_resolve_record(task, batch->connection)
            == NGX_OK)
        {
            ngx_http_og_redis_task_put(task, batch);
            return;
        }

        verdict = NGX_HTTP_OG_STORE_FAILED;
    }

    ngx_http_og_redis_unwatch(task, batch->connection);

tell:

    ngx_http_og_redis_tell(task, verdict);
    ngx_http_og_redis_task_put(task, batch);
}


/* replies: of GET and PTTL. */

static ngx_http_og_verdict_e
ngx_http_og_redis_read_record(ngx_http_og_task_t *task, redisReply **replies)
{
    ngx_str_t               bytes;
    ngx_http_og_op_t       *op;
    ngx_http_og_verdict_e   verdict;

    op = task->op;

    if (replies[0]->type == REDIS_REPLY_NIL) {
        return NGX_HTTP_OG_ADMITTED;
    }

    if (replies[0]->type != REDIS_REPLY_STRING
        || replies[1]->type != REDIS_REPLY_INTEGER)
    {
        ngx_http_og_redis_log_reply(task, "a look", replies[0]);
        return NGX_HTTP_OG_STORE_FAILED;
    }

    if (replies[1]->integer < 0) {
        return NGX_HTTP_OG_ADMITTED;
    }

    op->left = (uint64_t) replies[1]->integer;

    bytes.data = (u_char *) replies[0]->str;
    bytes.len = replies[0]->len;

    verdict = ngx_http_og_read(op, ngx_http_og_redis_now(task->rs->link),
                               &task->key, &bytes);

    return verdict == NGX_HTTP_OG_RUNNING
           ? ngx_http_og_judge_silence(op, op->left) : verdict;
}


static ngx_int_t
ngx_http_og_redis_resolve_record(ngx_http_og_task_t *task,
    ngx_uint_t connection)
{
    ngx_http_og_redis_batch_t  *batch;

    if (task->answer && ngx_http_og_redis_encode_answer(task) != NGX_OK) {
        return NGX_ERROR;
    }

    batch = ngx_http_og_redis_batch_create(3, ngx_http_og_redis_resolved,
                                           task);
    if (batch == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_say_resolution(task, batch) != NGX_OK) {
        ngx_http_og_redis_batch_free(batch);
        return NGX_ERROR;
    }

    batch->bound = 1;
    batch->connection = connection;

    return ngx_http_og_redis_task_submit(task, batch, task->deadline);
}


/* It takes the place of the unknown one: the same request's, by its owner. */

static ngx_int_t
ngx_http_og_redis_encode_answer(ngx_http_og_task_t *task)
{
    og_record_t        record;
    ngx_http_og_op_t  *op;

    op = task->op;
    record = *task->answer;

    ngx_memcpy(op->name.fingerprint, op->record.fingerprint,
               OG_RECORD_FINGERPRINT_SIZE);

    return ngx_http_og_encode(op, &record, op->record.nonce,
                              ngx_http_og_redis_now(task->rs->link),
                              &task->key, &task->final);
}


static ngx_int_t
ngx_http_og_redis_say_resolution(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    ngx_int_t  rc;
    ngx_str_t  args[5];

    if (ngx_http_og_redis_say(batch, 1, "MULTI") != NGX_OK) {
        return NGX_ERROR;
    }

    if (task->answer) {
        ngx_str_set(&args[0], "SET");
        args[1] = task->key;
        args[2] = task->final;
        ngx_str_set(&args[3], "XX");
        ngx_str_set(&args[4], "KEEPTTL");

        rc = ngx_http_og_redis_command(batch, args, 5);

    } else {
        rc = ngx_http_og_redis_of_key(batch, "DEL", &task->key);
    }

    return rc == NGX_OK ? ngx_http_og_redis_say(batch, 1, "EXEC") : rc;
}


static void
ngx_http_og_redis_resolved(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t     *task;
    ngx_http_og_verdict_e   verdict;

    task = batch->data;
    verdict = NGX_HTTP_OG_STORE_FAILED;

    if (batch->outcome != NGX_HTTP_OG_REDIS_TIMED_OUT) {
        task->rs->watching = 0;
    }

    if (batch->outcome == NGX_HTTP_OG_REDIS_ANSWERED
        && ngx_http_og_redis_is_resolved(task, batch->replies[2]))
    {
        task->op->resolved = 1;
        verdict = task->answer ? NGX_HTTP_OG_FINISHED : NGX_HTTP_OG_ADMITTED;
    }

    ngx_http_og_redis_tell(task, verdict);
    ngx_http_og_redis_task_put(task, batch);
}


/* EXEC answers nil when what was watched has changed. */

static ngx_uint_t
ngx_http_og_redis_is_resolved(ngx_http_og_task_t *task, redisReply *reply)
{
    if (reply->type == REDIS_REPLY_NIL) {
        return 0;
    }

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1) {
        ngx_http_og_redis_log_reply(task, "EXEC", reply);
        return 0;
    }

    return reply->element[0]->type == (task->answer ? REDIS_REPLY_STATUS
                                                    : REDIS_REPLY_INTEGER);
}


/* What is watched for nothing would stop the next resolution. */

static void
ngx_http_og_redis_unwatch(ngx_http_og_task_t *task, ngx_uint_t connection)
{
    ngx_http_og_redis_batch_t  *batch;

    task->rs->watching = 0;

    batch = ngx_http_og_redis_batch_create(1, ngx_http_og_redis_unwatched,
                                           task);
    if (batch == NULL) {
        return;
    }

    if (ngx_http_og_redis_say(batch, 1, "UNWATCH") != NGX_OK) {
        ngx_http_og_redis_batch_free(batch);
        return;
    }

    batch->bound = 1;
    batch->connection = connection;

    (void) ngx_http_og_redis_task_submit(task, batch,
                              ngx_current_msec + task->rs->conf.timeout);
}


static void
ngx_http_og_redis_unwatched(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_redis_task_put(batch->data, batch);
}


/* The last thing that a step does: the requester may act at once. */

static void
ngx_http_og_redis_tell(ngx_http_og_task_t *task, ngx_http_og_verdict_e verdict)
{
    if (task->state != NGX_HTTP_OG_TASK_ASKING || task->closed) {
        return;
    }

    task->state = NGX_HTTP_OG_TASK_OVER;
    task->op->verdict = verdict;

    task->op->handler(task->op);
}
