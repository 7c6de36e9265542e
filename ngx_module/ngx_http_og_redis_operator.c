
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
 *
 * A claim that is silent may have an owner who is only cut off, and whose DEL
 * is on its way; it was sent when the key was its own, and would run when it
 * is the next order's.  So all other gateways' connections are closed first,
 * by CLIENT LIST and CLIENT KILL: what they still carry can then never run.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_store.h"


static ngx_int_t ngx_http_og_redis_operate(ngx_http_og_op_t *op,
    ngx_http_og_redis_handler_pt handler, ngx_uint_t watch);
static ngx_int_t ngx_http_og_redis_ask_record(ngx_http_og_task_t *task,
    ngx_http_og_redis_handler_pt handler, ngx_uint_t watch);
static void ngx_http_og_redis_seen(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_watched(ngx_http_og_redis_batch_t *batch);
static ngx_int_t ngx_http_og_redis_go_on(ngx_http_og_task_t *task,
    ngx_uint_t connection);
static ngx_int_t ngx_http_og_redis_list_others(ngx_http_og_task_t *task);
static void ngx_http_og_redis_listed(ngx_http_og_redis_batch_t *batch);
static ngx_int_t ngx_http_og_redis_close_others(ngx_http_og_task_t *task,
    redisReply *reply, ngx_uint_t connection);
static int64_t ngx_http_og_redis_gateway(const char *line);
static ngx_int_t ngx_http_og_redis_say_kill(ngx_http_og_redis_batch_t *batch,
    int64_t id);
static void ngx_http_og_redis_closed(ngx_http_og_redis_batch_t *batch);
static ngx_http_og_verdict_e ngx_http_og_redis_read_record(
    ngx_http_og_task_t *task, redisReply **replies);
static ngx_int_t ngx_http_og_redis_resolve_record(ngx_http_og_task_t *task,
    ngx_uint_t connection);
static ngx_int_t ngx_http_og_redis_encode_answer(ngx_http_og_task_t *task);
static ngx_int_t ngx_http_og_redis_say_resolution(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_resolved(ngx_http_og_redis_batch_t *batch);
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

    batch->watches = (watch != 0);

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

    if (ngx_http_og_redis_is_moved(batch->replies[0])
        && !task->moved
        && task->state == NGX_HTTP_OG_TASK_ASKING
        && !task->closed)
    {
        task->moved = 1;

        if (ngx_http_og_redis_ask_record(task, ngx_http_og_redis_watched, 1)
            == NGX_OK)
        {
            ngx_http_og_redis_task_put(task, batch);
            return;
        }
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
        if (ngx_http_og_redis_go_on(task, batch->connection) == NGX_OK) {
            ngx_http_og_redis_task_put(task, batch);
            return;
        }

        verdict = NGX_HTTP_OG_STORE_FAILED;
    }

    if (task->rs->watching) {
        ngx_http_og_redis_unwatch(task, batch->connection);
    }

tell:

    ngx_http_og_redis_tell(task, verdict);
    ngx_http_og_redis_task_put(task, batch);
}


static ngx_int_t
ngx_http_og_redis_go_on(ngx_http_og_task_t *task, ngx_uint_t connection)
{
    task->deadline = ngx_current_msec + task->rs->conf.timeout;

    if (task->op->record.state == OG_RECORD_UNKNOWN
        || task->alone == connection)
    {
        return ngx_http_og_redis_resolve_record(task, connection);
    }

    ngx_http_og_redis_unwatch(task, connection);

    return ngx_http_og_redis_list_others(task);
}


static ngx_int_t
ngx_http_og_redis_list_others(ngx_http_og_task_t *task)
{
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_batch_create(1, ngx_http_og_redis_listed, task);
    if (batch == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_say(batch, 4, "CLIENT", "LIST", "TYPE", "normal")
        != NGX_OK)
    {
        ngx_http_og_redis_batch_free(batch);
        return NGX_ERROR;
    }

    return ngx_http_og_redis_task_submit(task, batch, task->deadline);
}


static void
ngx_http_og_redis_listed(ngx_http_og_redis_batch_t *batch)
{
    redisReply          *reply;
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED) {
        goto failed;
    }

    reply = batch->replies[0];

    if (reply->type != REDIS_REPLY_STRING) {
        ngx_http_og_redis_log_reply(task, "CLIENT LIST", reply);
        goto failed;
    }

    if (task->state == NGX_HTTP_OG_TASK_ASKING && !task->closed
        && ngx_http_og_redis_close_others(task, reply, batch->connection)
           == NGX_OK)
    {
        ngx_http_og_redis_task_put(task, batch);
        return;
    }

failed:

    ngx_http_og_redis_tell(task, NGX_HTTP_OG_STORE_FAILED);
    ngx_http_og_redis_task_put(task, batch);
}


/* One line a client: "id=3 addr=... name=order-guard age=..." */

static ngx_int_t
ngx_http_og_redis_close_others(ngx_http_og_task_t *task, redisReply *reply,
    ngx_uint_t connection)
{
    char                       *p, *line, *end;
    int64_t                     id;
    ngx_uint_t                  lines;
    ngx_http_og_redis_batch_t  *batch;

    lines = 0;

    for (p = reply->str; *p; p++) {
        lines += (*p == LF);
    }

    batch = ngx_http_og_redis_batch_create(1 + lines,
                                           ngx_http_og_redis_closed, task);
    if (batch == NULL) {
        return NGX_ERROR;
    }

    for (line = reply->str;
         (end = ngx_strchr(line, LF)) != NULL;
         line = end + 1)
    {
        *end = '\0';
        id = ngx_http_og_redis_gateway(line);

        if (id > 0
            && id != ngx_http_og_redis_client_id(ngx_http_og_redis_link(task))
            && ngx_http_og_redis_say_kill(batch, id) != NGX_OK)
        {
            ngx_http_og_redis_batch_free(batch);
            return NGX_ERROR;
        }
    }

    /* there may be nobody else; what is asked then needs no further right */

    if (ngx_http_og_redis_say(batch, 1, "TIME") != NGX_OK) {
        ngx_http_og_redis_batch_free(batch);
        return NGX_ERROR;
    }

    /* these are ids of one server: at another they are anybody's */

    batch->bound = 1;
    batch->connection = connection;

    return ngx_http_og_redis_task_submit(task, batch, task->deadline);
}


/* The id of a gateway's connection, 0 for another client's. */

static int64_t
ngx_http_og_redis_gateway(const char *line)
{
    ngx_int_t    id;
    const char  *space;

    space = ngx_strchr(line, ' ');

    if (space == NULL
        || ngx_strncmp(line, "id=", 3) != 0
        || ngx_strstr(line, " name=order-guard ") == NULL)
    {
        return 0;
    }

    id = ngx_atoi((u_char *) line + 3, space - line - 3);

    return id == NGX_ERROR ? 0 : id;
}


static ngx_int_t
ngx_http_og_redis_say_kill(ngx_http_og_redis_batch_t *batch, int64_t id)
{
    u_char  text[NGX_INT64_LEN + 1];

    ngx_sprintf(text, "%L%Z", id);

    return ngx_http_og_redis_say(batch, 4, "CLIENT", "KILL", "ID", text);
}


static void
ngx_http_og_redis_closed(ngx_http_og_redis_batch_t *batch)
{
    ngx_uint_t           i;
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED) {
        goto failed;
    }

    for (i = 0; i < batch->ncommands - 1; i++) {
        if (batch->replies[i]->type != REDIS_REPLY_INTEGER) {
            ngx_http_og_redis_log_reply(task, "CLIENT KILL",
                                        batch->replies[i]);
            goto failed;
        }
    }

    if (task->state == NGX_HTTP_OG_TASK_ASKING && !task->closed
        && !task->rs->watching)
    {
        task->alone = batch->connection;
        task->deadline = ngx_current_msec + task->rs->conf.timeout;

        if (ngx_http_og_redis_ask_record(task, ngx_http_og_redis_watched, 1)
            == NGX_OK)
        {
            task->rs->watching = 1;
            ngx_http_og_redis_task_put(task, batch);
            return;
        }
    }

failed:

    ngx_http_og_redis_tell(task, NGX_HTTP_OG_STORE_FAILED);
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

    /* -2: it has just ended; -1, which only others can make: it never ends */

    if (replies[1]->integer == -2) {
        return NGX_HTTP_OG_ADMITTED;
    }

    op->left = replies[1]->integer < 0 ? 0 : (uint64_t) replies[1]->integer;

    bytes.data = (u_char *) replies[0]->str;
    bytes.len = replies[0]->len;

    verdict = ngx_http_og_read(op, ngx_http_og_redis_task_now(task),
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
                              ngx_http_og_redis_task_now(task),
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
        && ngx_http_og_redis_is_executed(task, batch->replies[2]))
    {
        task->op->resolved = 1;
        verdict = task->answer ? NGX_HTTP_OG_FINISHED : NGX_HTTP_OG_ADMITTED;

        ngx_log_error(NGX_LOG_NOTICE, task->rs->store->log, 0,
                      "store \"%V\": an operator has %s the record \"%V\"",
                      &task->rs->store->name,
                      task->answer ? "finished" : "released", &task->key);
    }

    ngx_http_og_redis_tell(task, verdict);
    ngx_http_og_redis_task_put(task, batch);
}


ngx_uint_t
ngx_http_og_redis_is_executed(ngx_http_og_task_t *task, redisReply *reply)
{
    if (reply->type == REDIS_REPLY_NIL) {
        return 0;
    }

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1) {
        ngx_http_og_redis_log_reply(task, "EXEC", reply);
        return 0;
    }

    /* SET, or DEL */

    return reply->element[0]->type == (task->answer ? REDIS_REPLY_STATUS
                                                    : REDIS_REPLY_INTEGER);
}


/* What is watched for nothing would stop the next one. */

void
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
    if (batch->outcome == NGX_HTTP_OG_REDIS_ANSWERED
        && batch->replies[0]->type == REDIS_REPLY_ERROR)
    {
        ngx_http_og_redis_log_reply(batch->data, "UNWATCH",
                                    batch->replies[0]);
    }

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
