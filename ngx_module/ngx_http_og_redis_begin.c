
/*
 * Copyright (C) order guard contributors
 *
 * Begin: the key is claimed and the quotas are counted in one write.  Who
 * loses the claim gives its units back; who wins it against the limit gives
 * up the key and the units, and asks once more, counting first: replays that
 * were counted for a moment must refuse nobody.
 *
 *     ASK_ALL    SET key pending NX GET PX px   INCR PEXPIRE MGET ...
 *     ASK_COUNT  GET key                        INCR PEXPIRE MGET ...
 *     ASK_CLAIM  SET key pending NX GET PX px
 *     ASK_LOOK   GET key
 *
 * Who has little left (op->near) begins with ASK_LOOK, so that a replay is not
 * counted for a moment, and goes on with ASK_COUNT, so that a request which is
 * refused does not hold the key for one; who is known to have nothing left
 * (op->denied) looks only.
 *
 * All steps together take no longer than the store's timeout.
 */


#include <hiredis/hiredis.h>
#include <openssl/rand.h>

#include "ngx_http_og_redis_store.h"


static ngx_int_t ngx_http_og_redis_prepare(ngx_http_og_task_t *task);
static ngx_int_t ngx_http_og_redis_first_ask(ngx_http_og_task_t *task);
static ngx_http_og_ask_e ngx_http_og_redis_first(ngx_http_og_task_t *task);
static void ngx_http_og_redis_timed(ngx_http_og_redis_batch_t *batch);
static ngx_int_t ngx_http_og_redis_ask_key(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);
static ngx_uint_t ngx_http_og_redis_claims(ngx_http_og_task_t *task);
static ngx_uint_t ngx_http_og_redis_counts(ngx_http_og_task_t *task);
static void ngx_http_og_redis_asked(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_read_answer(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_too_late(ngx_http_og_task_t *task);
static void ngx_http_og_redis_is_free(ngx_http_og_task_t *task);
static ngx_http_og_verdict_e ngx_http_og_redis_read_key(
    ngx_http_og_task_t *task, redisReply *reply);
static ngx_http_og_verdict_e ngx_http_og_redis_doubt(ngx_http_og_task_t *task);
static void ngx_http_og_redis_decide(ngx_http_og_task_t *task,
    ngx_http_og_verdict_e verdict, ngx_int_t admitted);
static void ngx_http_og_redis_unanswered(ngx_http_og_task_t *task);
static void ngx_http_og_redis_admit(ngx_http_og_task_t *task);
static void ngx_http_og_redis_look_at_age(ngx_http_og_task_t *task);
static void ngx_http_og_redis_aged(ngx_http_og_redis_batch_t *batch);


ngx_int_t
ngx_http_og_redis_begin(ngx_http_og_op_t *op)
{
    ngx_http_og_task_t  *task;

    task = op->backend;

    if (op->name.key.len == 0 && op->nquotas == 0) {
        task->state = NGX_HTTP_OG_TASK_ADMITTED;
        ngx_http_og_answer(op, NGX_HTTP_OG_ADMITTED);
        return NGX_OK;
    }

    task->state = NGX_HTTP_OG_TASK_ASKING;
    task->deadline = ngx_current_msec + task->rs->conf.timeout - op->waited;

    if (op->waited >= task->rs->conf.timeout
        || ngx_http_og_redis_prepare(task) != NGX_OK
        || ngx_http_og_redis_first_ask(task) != NGX_OK)
    {
        task->state = NGX_HTTP_OG_TASK_OVER;
        ngx_http_og_answer(op, NGX_HTTP_OG_STORE_FAILED);
        return NGX_OK;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_og_redis_prepare(ngx_http_og_task_t *task)
{
    og_record_t        record;
    ngx_http_og_op_t  *op;

    op = task->op;

    if (op->nquotas) {
        task->units = ngx_pcalloc(op->pool,
                                  op->nquotas * sizeof(ngx_http_og_unit_t));
        if (task->units == NULL) {
            return NGX_ERROR;
        }
    }

    if (op->name.key.len == 0) {
        return NGX_OK;
    }

    if (ngx_http_og_redis_name_key(task) != NGX_OK) {
        return NGX_ERROR;
    }

    task->px = ngx_http_og_redis_decimal(op->pool,
                                         ngx_http_og_claim_life(op));

    if (task->px.data == NULL
        || RAND_bytes(task->nonce, OG_RECORD_NONCE_SIZE) != 1)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&record, sizeof(og_record_t));
    record.state = OG_RECORD_PENDING;

    return ngx_http_og_encode(op, &record, task->nonce,
                              ngx_http_og_redis_task_now(task),
                              &task->key, &task->pending);
}


/* Units belong to a slot of the store's time, which may not be known yet. */

static ngx_int_t
ngx_http_og_redis_first_ask(ngx_http_og_task_t *task)
{
    ngx_http_og_redis_batch_t  *batch;

    if ((task->op->nquotas == 0 && !task->op->counted_too)
        || task->op->denied
        || ngx_http_og_redis_knows_time(ngx_http_og_redis_link(task)))
    {
        return ngx_http_og_redis_ask(task, ngx_http_og_redis_first(task));
    }

    batch = ngx_http_og_redis_batch_create(1, ngx_http_og_redis_timed, task);
    if (batch == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_say(batch, 1, "TIME") != NGX_OK) {
        ngx_http_og_redis_batch_free(batch);
        return NGX_ERROR;
    }

    return ngx_http_og_redis_task_submit(task, batch, task->deadline);
}


static ngx_http_og_ask_e
ngx_http_og_redis_first(ngx_http_og_task_t *task)
{
    if (task->key.len == 0) {
        return NGX_HTTP_OG_ASK_COUNT;
    }

    return (task->op->denied || (task->op->near && task->op->nquotas))
           ? NGX_HTTP_OG_ASK_LOOK : NGX_HTTP_OG_ASK_ALL;
}


/* The connection has asked for the time before, and knows it by now. */

static void
ngx_http_og_redis_timed(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (task->state == NGX_HTTP_OG_TASK_ASKING && !task->closed
        && (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED
            || ngx_http_og_redis_ask(task, ngx_http_og_redis_first(task))
               != NGX_OK))
    {
        ngx_http_og_redis_begin_failed(task);
    }

    ngx_http_og_redis_task_put(task, batch);
}


ngx_int_t
ngx_http_og_redis_ask(ngx_http_og_task_t *task, ngx_http_og_ask_e ask)
{
    ngx_uint_t                  i, nquotas;
    ngx_http_og_redis_batch_t  *batch;

    task->ask = ask;
    nquotas = ngx_http_og_redis_counts(task) ? task->op->nquotas : 0;

    batch = ngx_http_og_redis_batch_create(1 + nquotas
                                               * NGX_HTTP_OG_QUOTA_COMMANDS,
                                           ngx_http_og_redis_asked, task);
    if (batch == NULL) {
        return NGX_ERROR;
    }

    if (task->key.len && ngx_http_og_redis_ask_key(task, batch) != NGX_OK) {
        ngx_http_og_redis_batch_free(batch);
        return NGX_ERROR;
    }

    for (i = 0; i < nquotas; i++) {
        if (ngx_http_og_redis_ask_quota(task, batch, i) != NGX_OK) {
            ngx_http_og_redis_batch_free(batch);
            return NGX_ERROR;
        }
    }

    batch->claims = (task->key.len && ngx_http_og_redis_claims(task));

    return ngx_http_og_redis_task_submit(task, batch, task->deadline);
}


static ngx_int_t
ngx_http_og_redis_ask_key(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    if (!ngx_http_og_redis_claims(task)) {
        return ngx_http_og_redis_of_key(batch, "GET", &task->key);
    }

    return ngx_http_og_redis_set(batch, &task->key, &task->pending, "NX",
                                 &task->px);
}


static ngx_uint_t
ngx_http_og_redis_claims(ngx_http_og_task_t *task)
{
    return task->ask == NGX_HTTP_OG_ASK_ALL
           || task->ask == NGX_HTTP_OG_ASK_CLAIM;
}


static ngx_uint_t
ngx_http_og_redis_counts(ngx_http_og_task_t *task)
{
    return task->ask == NGX_HTTP_OG_ASK_ALL
           || task->ask == NGX_HTTP_OG_ASK_COUNT;
}


static void
ngx_http_og_redis_asked(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    switch (batch->outcome) {

    case NGX_HTTP_OG_REDIS_ANSWERED:
        ngx_http_og_redis_read_answer(task, batch);
        break;

    case NGX_HTTP_OG_REDIS_LOST:

        /* won or not: that is seen behind the fence */

        if (task->key.len && ngx_http_og_redis_claims(task)) {
            ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_FREE);
        }

        /* fall through */

    default: /* NGX_HTTP_OG_REDIS_TIMED_OUT, NGX_HTTP_OG_REDIS_UNSENT */
        ngx_http_og_redis_begin_failed(task);
    }

    ngx_http_og_redis_task_put(task, batch);
}


static void
ngx_http_og_redis_read_answer(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    ngx_int_t               admitted;
    redisReply            **reply;
    ngx_http_og_verdict_e   verdict;

    reply = batch->replies;
    verdict = NGX_HTTP_OG_ADMITTED;
    admitted = NGX_OK;

    if (task->key.len) {
        verdict = ngx_http_og_redis_read_key(task, *reply++);
        task->server = batch->server;
        task->confirmed = batch->submitted;
    }

    if (ngx_http_og_redis_counts(task)) {
        admitted = ngx_http_og_redis_read_quotas(task, reply,
                                             verdict == NGX_HTTP_OG_ADMITTED);
    }

    if (task->state != NGX_HTTP_OG_TASK_ASKING || task->closed) {
        ngx_http_og_redis_too_late(task);
        return;
    }

    /* who has stood still reads an answer before its timers run */

    if (batch->unacknowledged
        || (task->won && ngx_http_og_redis_has_lapsed(task)))
    {
        ngx_http_og_redis_unanswered(task);
        return;
    }

    if (task->ask == NGX_HTTP_OG_ASK_LOOK
        && verdict == NGX_HTTP_OG_ADMITTED)
    {
        ngx_http_og_redis_is_free(task);
        return;
    }

    ngx_http_og_redis_decide(task, verdict, admitted);
}


/*
 * Nobody waits: it timed out, or its requester has gone.  One that went on
 * without an answer has spent its units.
 */

static void
ngx_http_og_redis_too_late(ngx_http_og_task_t *task)
{
    task->spent = (task->state == NGX_HTTP_OG_TASK_OVER && !task->unwanted);

    ngx_http_og_redis_give_back(task);

    if (task->spent && !task->closed) {
        task->state = NGX_HTTP_OG_TASK_ADMITTED;
    }
}


/* A free key is none for who has no room. */

static void
ngx_http_og_redis_is_free(ngx_http_og_task_t *task)
{
    if (task->op->denied) {
        ngx_http_og_redis_verdict(task, NGX_HTTP_OG_LIMITED);
        return;
    }

    if (ngx_http_og_redis_ask(task, NGX_HTTP_OG_ASK_COUNT) != NGX_OK) {
        ngx_http_og_redis_begin_failed(task);
    }
}


/* ADMITTED: the key is free, or (task->won) ours. */

static ngx_http_og_verdict_e
ngx_http_og_redis_read_key(ngx_http_og_task_t *task, redisReply *reply)
{
    ngx_str_t              bytes;
    ngx_http_og_verdict_e  verdict;

    switch (reply->type) {

    case REDIS_REPLY_NIL:
        task->won = ngx_http_og_redis_claims(task);
        return NGX_HTTP_OG_ADMITTED;

    case REDIS_REPLY_STRING:
        bytes.data = (u_char *) reply->str;
        bytes.len = reply->len;
        break;

    case REDIS_REPLY_ERROR:
        task->full = ngx_http_og_redis_writes_nothing(reply);
        task->op->unreadable = ngx_http_og_redis_is_error(reply, "WRONGTYPE");
        ngx_http_og_redis_log_reply(task, "a claim", reply);

        /* no server that is well says no more than that to a claim */

        return ngx_http_og_redis_is_error(reply, "ERR")
               ? ngx_http_og_redis_doubt(task) : NGX_HTTP_OG_STORE_FAILED;

    default:
        ngx_http_og_redis_log_reply(task, "a claim", reply);
        return ngx_http_og_redis_doubt(task);
    }

    verdict = ngx_http_og_judge(task->op, task->nonce,
                                ngx_http_og_redis_task_now(task),
                                &task->key, &bytes);

    if (verdict == NGX_HTTP_OG_STORE_FAILED) {
        ngx_http_og_redis_log(ngx_http_og_redis_link(task),
                              NGX_HTTP_OG_REDIS_LOG_FAILURE, NGX_LOG_ERR, 0,
                              "has a record that cannot be read under "
                              "\"%V\"", &task->key);
        return ngx_http_og_redis_doubt(task);
    }

    if (verdict == NGX_HTTP_OG_CLAIMED) {
        task->won = 1;
        return NGX_HTTP_OG_ADMITTED;
    }

    return verdict;
}


/* The reply may not be what the server said: the claim may have been won. */

static ngx_http_og_verdict_e
ngx_http_og_redis_doubt(ngx_http_og_task_t *task)
{
    if (ngx_http_og_redis_claims(task)) {
        ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_FREE);
    }

    return NGX_HTTP_OG_STORE_FAILED;
}


static void
ngx_http_og_redis_decide(ngx_http_og_task_t *task,
    ngx_http_og_verdict_e verdict, ngx_int_t admitted)
{
    switch (verdict) {

    case NGX_HTTP_OG_STORE_FAILED:
        ngx_http_og_redis_unanswered(task);
        return;

    case NGX_HTTP_OG_RUNNING:
        ngx_http_og_redis_look_at_age(task);
        return;

    case NGX_HTTP_OG_ADMITTED:
        break;

    default:

        /* what costs nothing is refused to nobody */

        ngx_http_og_redis_give_back(task);
        ngx_http_og_redis_verdict(task, verdict);
        return;
    }

    switch (admitted) {

    case NGX_OK:
    case NGX_ERROR:                     /* the requester judges it itself */
        ngx_http_og_redis_admit(task);
        return;

    case NGX_DECLINED:
        ngx_http_og_redis_refuse(task);
        return;

    case NGX_AGAIN:
        ngx_http_og_redis_count_again(task);
        return;

    default: /* NGX_ABORT */

        /* a key that may not be ours is looked at first */

        task->won = 0;
        (void) ngx_http_og_redis_doubt(task);
        ngx_http_og_redis_unanswered(task);
    }
}


/* A store that is full refuses a claim, but still knows the answers. */

static void
ngx_http_og_redis_unanswered(ngx_http_og_task_t *task)
{
    ngx_http_og_redis_give_back(task);

    if (task->full
        && task->ask == NGX_HTTP_OG_ASK_ALL
        && ngx_http_og_redis_ask(task, NGX_HTTP_OG_ASK_COUNT) == NGX_OK)
    {
        return;
    }

    ngx_http_og_redis_begin_failed(task);
}


static void
ngx_http_og_redis_admit(ngx_http_og_task_t *task)
{
    if (task->key.len == 0) {
        ngx_http_og_redis_verdict(task, NGX_HTTP_OG_ADMITTED);
        return;
    }

    if (task->won) {
        ngx_http_og_redis_verdict(task, NGX_HTTP_OG_CLAIMED);
        return;
    }

    /* NGX_HTTP_OG_ASK_COUNT */

    if (ngx_http_og_redis_ask(task, NGX_HTTP_OG_ASK_CLAIM) != NGX_OK) {
        ngx_http_og_redis_give_back(task);
        ngx_http_og_redis_begin_failed(task);
    }
}


/* The units go back in the write that asks how old the running claim is. */

static void
ngx_http_og_redis_look_at_age(ngx_http_og_task_t *task)
{
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_back(task, ngx_http_og_redis_aged, 1);

    if (batch == NULL) {
        ngx_http_og_redis_verdict(task, NGX_HTTP_OG_RUNNING);
        return;
    }

    if (ngx_http_og_redis_of_key(batch, "PTTL", &task->key) != NGX_OK) {
        ngx_http_og_redis_batch_free(batch);
        ngx_http_og_redis_verdict(task, NGX_HTTP_OG_RUNNING);
        return;
    }

    if (ngx_http_og_redis_submit_back(task, batch, task->deadline) != NGX_OK) {
        ngx_http_og_redis_verdict(task, NGX_HTTP_OG_RUNNING);
    }
}


static void
ngx_http_og_redis_aged(ngx_http_og_redis_batch_t *batch)
{
    int64_t                 left;
    redisReply             *reply;
    ngx_http_og_task_t     *task;
    ngx_http_og_verdict_e   verdict;

    task = batch->data;
    verdict = NGX_HTTP_OG_RUNNING;

    ngx_http_og_redis_check_freed(task, batch);

    if (batch->outcome == NGX_HTTP_OG_REDIS_ANSWERED) {
        reply = batch->replies[batch->nreplies - 1];

        left = -2;

        if (reply->type == REDIS_REPLY_INTEGER) {
            left = reply->integer;

        } else {
            ngx_http_og_redis_log_reply(task, "PTTL", reply);
        }

        /*
         * -2: it has just ended, and the next attempt will see how;
         * -1, which only others can make: it never ends by itself
         */

        if (left != -2) {
            verdict = ngx_http_og_judge_silence(task->op,
                                                (uint64_t) ngx_max(left, 0));
        }
    }

    if (task->state == NGX_HTTP_OG_TASK_ASKING && !task->closed) {
        ngx_http_og_redis_verdict(task, verdict);
    }

    ngx_http_og_redis_task_put(task, batch);
}


void
ngx_http_og_redis_verdict(ngx_http_og_task_t *task,
    ngx_http_og_verdict_e verdict)
{
    ngx_http_og_answer(task->op, verdict);

    switch (verdict) {

    case NGX_HTTP_OG_CLAIMED:
        ngx_http_og_redis_hold(task);
        break;

    case NGX_HTTP_OG_ADMITTED:
        task->state = NGX_HTTP_OG_TASK_ADMITTED;
        break;

    default:
        task->state = NGX_HTTP_OG_TASK_OVER;
    }

    task->op->handler(task->op);
}


void
ngx_http_og_redis_begin_failed(ngx_http_og_task_t *task)
{
    if (task->state != NGX_HTTP_OG_TASK_ASKING || task->closed) {
        return;
    }

    ngx_http_og_redis_verdict(task, NGX_HTTP_OG_STORE_FAILED);
}
