
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
 */


#include <hiredis/hiredis.h>
#include <openssl/rand.h>

#include "ngx_http_og_redis_store.h"


#define NGX_HTTP_OG_QUOTA_COMMANDS   3
#define NGX_HTTP_OG_UNIT_COMMANDS    2

/* Gateways' clocks differ by so many ms from the store's, at the most. */
#define NGX_HTTP_OG_CLOCK_ERROR      20

/* Closed slots, and the next one near an edge. */
#define NGX_HTTP_OG_MAX_SLOTS        (OG_WINDOW_SLOTS + 1)


static ngx_int_t ngx_http_og_redis_prepare(ngx_http_og_task_t *task);

static ngx_int_t ngx_http_og_redis_ask(ngx_http_og_task_t *task,
    ngx_http_og_ask_e ask);
static ngx_int_t ngx_http_og_redis_ask_key(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);
static ngx_int_t ngx_http_og_redis_ask_quota(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n);
static ngx_int_t ngx_http_og_redis_ask_slots(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n);
static u_char *ngx_http_og_redis_slot_key(ngx_http_og_task_t *task,
    ngx_http_og_quota_t *quota, uint64_t slot, u_char *p);
static size_t ngx_http_og_redis_slot_key_len(ngx_http_og_task_t *task,
    ngx_http_og_quota_t *quota);

static void ngx_http_og_redis_asked(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_read_answer(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);
static ngx_http_og_verdict_e ngx_http_og_redis_read_key(
    ngx_http_og_task_t *task, redisReply *reply);
static ngx_int_t ngx_http_og_redis_read_quotas(ngx_http_og_task_t *task,
    redisReply **reply, ngx_uint_t spent);
static ngx_int_t ngx_http_og_redis_read_quota(ngx_http_og_task_t *task,
    redisReply **reply, ngx_uint_t n, ngx_uint_t spent);
static int64_t ngx_http_og_redis_read_count(redisReply *reply);

static void ngx_http_og_redis_decide(ngx_http_og_task_t *task,
    ngx_http_og_verdict_e verdict, ngx_int_t admitted);
static void ngx_http_og_redis_admit(ngx_http_og_task_t *task);
static void ngx_http_og_redis_refuse(ngx_http_og_task_t *task);
static void ngx_http_og_redis_verdict(ngx_http_og_task_t *task,
    ngx_http_og_verdict_e verdict);
static void ngx_http_og_redis_begin_failed(ngx_http_og_task_t *task);

static void ngx_http_og_redis_look_at_age(ngx_http_og_task_t *task);
static void ngx_http_og_redis_aged(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_ask_again(ngx_http_og_redis_batch_t *batch);

static ngx_http_og_redis_batch_t *ngx_http_og_redis_back(
    ngx_http_og_task_t *task, ngx_http_og_redis_handler_pt handler,
    ngx_uint_t more);
static ngx_int_t ngx_http_og_redis_back_unit(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n);
static ngx_int_t ngx_http_og_redis_submit_back(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline);
static void ngx_http_og_redis_given_back(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_check_freed(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);


ngx_int_t
ngx_http_og_redis_begin(ngx_http_og_op_t *op)
{
    ngx_http_og_task_t  *task;

    task = op->backend;

    if (op->key.len == 0 && op->nquotas == 0) {
        task->state = NGX_HTTP_OG_TASK_ADMITTED;
        ngx_http_og_answer(op, NGX_HTTP_OG_ADMITTED);
        return NGX_OK;
    }

    task->state = NGX_HTTP_OG_TASK_ASKING;
    task->deadline = ngx_current_msec + task->rs->conf.timeout;

    if (ngx_http_og_redis_prepare(task) != NGX_OK
        || ngx_http_og_redis_ask(task, NGX_HTTP_OG_ASK_ALL) != NGX_OK)
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
    u_char            *p;
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

    if (op->key.len == 0) {
        return NGX_OK;
    }

    task->key.len = task->rs->prefix.len + op->key.len;
    task->key.data = ngx_pnalloc(op->pool, task->key.len);
    if (task->key.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(task->key.data, task->rs->prefix.data,
                   task->rs->prefix.len);
    ngx_memcpy(p, op->key.data, op->key.len);

    task->px = ngx_http_og_redis_decimal(op->pool,
                                 op->on_unknown == NGX_HTTP_OG_RETRY
                                 ? op->lease : op->ttl);

    if (task->px.data == NULL
        || RAND_bytes(task->nonce, OG_RECORD_NONCE_SIZE) != 1)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&record, sizeof(og_record_t));
    record.state = OG_RECORD_PENDING;

    return ngx_http_og_encode(op, &record, task->nonce,
                              ngx_http_og_redis_now(task->rs->link),
                              &task->pending);
}


static ngx_int_t
ngx_http_og_redis_ask(ngx_http_og_task_t *task, ngx_http_og_ask_e ask)
{
    ngx_uint_t                  i, nquotas;
    ngx_http_og_redis_batch_t  *batch;

    task->ask = ask;
    nquotas = (ask == NGX_HTTP_OG_ASK_CLAIM) ? 0 : task->op->nquotas;

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

    return ngx_http_og_redis_task_submit(task, batch, task->deadline);
}


static ngx_int_t
ngx_http_og_redis_ask_key(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    if (task->ask == NGX_HTTP_OG_ASK_COUNT) {
        return ngx_http_og_redis_of_key(batch, "GET", &task->key);
    }

    return ngx_http_og_redis_set(batch, &task->key, &task->pending, "NX",
                                 &task->px);
}


static ngx_int_t
ngx_http_og_redis_ask_quota(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n)
{
    ngx_str_t             args[4];
    ngx_http_og_unit_t   *unit;
    ngx_http_og_quota_t  *quota;

    unit = &task->units[n];
    quota = &task->op->quotas[n];

    unit->asked = ngx_http_og_redis_now(task->rs->link);
    unit->slot = og_window_slot(&quota->window, unit->asked);
    unit->counted = 0;

    if (unit->key.data == NULL) {
        unit->key.data = ngx_pnalloc(task->op->pool,
                             ngx_http_og_redis_slot_key_len(task, quota));
        if (unit->key.data == NULL) {
            return NGX_ERROR;
        }

        unit->expiry_len = ngx_sprintf(unit->expiry, "%uL",
                                       og_window_expiry(&quota->window))
                           - unit->expiry;
    }

    unit->key.len = ngx_http_og_redis_slot_key(task, quota, unit->slot,
                                               unit->key.data)
                    - unit->key.data;

    ngx_str_set(&args[0], "PEXPIRE");
    args[1] = unit->key;
    args[2].data = unit->expiry;
    args[2].len = unit->expiry_len;
    ngx_str_set(&args[3], "NX");

    if (ngx_http_og_redis_of_key(batch, "INCR", &unit->key) != NGX_OK
        || ngx_http_og_redis_command(batch, args, 4) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_og_redis_ask_slots(task, batch, n);
}


/*
 * Near the end of a slot a gateway whose clock is ahead counts in the next
 * one already.
 */

static ngx_int_t
ngx_http_og_redis_ask_slots(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n)
{
    u_char               *keys, *p;
    ngx_int_t             rc;
    ngx_str_t             args[1 + NGX_HTTP_OG_MAX_SLOTS];
    ngx_uint_t            i;
    ngx_http_og_unit_t   *unit;
    ngx_http_og_quota_t  *quota;

    unit = &task->units[n];
    quota = &task->op->quotas[n];

    unit->nclosed = OG_WINDOW_SLOTS;

    if (og_window_slot(&quota->window, unit->asked + NGX_HTTP_OG_CLOCK_ERROR)
        != unit->slot)
    {
        unit->nclosed++;
    }

    keys = ngx_alloc(unit->nclosed
                     * ngx_http_og_redis_slot_key_len(task, quota),
                     task->rs->store->log);
    if (keys == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&args[0], "MGET");
    p = keys;

    for (i = 0; i < unit->nclosed; i++) {
        args[1 + i].data = p;
        p = ngx_http_og_redis_slot_key(task, quota,
                                       i < OG_WINDOW_SLOTS
                                       ? unit->slot - 1 - i : unit->slot + 1,
                                       p);
        args[1 + i].len = p - args[1 + i].data;
    }

    rc = ngx_http_og_redis_command(batch, args, 1 + unit->nclosed);

    ngx_free(keys);

    return rc;
}


static u_char *
ngx_http_og_redis_slot_key(ngx_http_og_task_t *task,
    ngx_http_og_quota_t *quota, uint64_t slot, u_char *p)
{
    p = ngx_cpymem(p, task->rs->prefix.data, task->rs->prefix.len);
    p = ngx_cpymem(p, quota->key.data, quota->key.len);

    return ngx_sprintf(p, ":%uL", slot);
}


static size_t
ngx_http_og_redis_slot_key_len(ngx_http_og_task_t *task,
    ngx_http_og_quota_t *quota)
{
    return task->rs->prefix.len + quota->key.len + 1 + NGX_INT64_LEN;
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

        if (task->key.len && task->ask != NGX_HTTP_OG_ASK_COUNT) {
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
    }

    if (task->ask != NGX_HTTP_OG_ASK_CLAIM) {
        admitted = ngx_http_og_redis_read_quotas(task, reply,
                                             verdict == NGX_HTTP_OG_ADMITTED);
    }

    /* nobody waits: it timed out, or its requester has gone */

    if (task->state != NGX_HTTP_OG_TASK_ASKING || task->closed) {
        ngx_http_og_redis_give_back(task);
        return;
    }

    ngx_http_og_redis_decide(task, verdict, admitted);
}


/* ADMITTED: the key is free, or (task->won) ours. */

static ngx_http_og_verdict_e
ngx_http_og_redis_read_key(ngx_http_og_task_t *task, redisReply *reply)
{
    ngx_str_t              bytes;
    ngx_http_og_verdict_e  verdict;

    switch (reply->type) {

    case REDIS_REPLY_NIL:
        task->won = (task->ask != NGX_HTTP_OG_ASK_COUNT);
        return NGX_HTTP_OG_ADMITTED;

    case REDIS_REPLY_STRING:
        bytes.data = (u_char *) reply->str;
        bytes.len = reply->len;
        break;

    default:
        ngx_http_og_redis_log_reply(task, "a claim", reply);
        return NGX_HTTP_OG_STORE_FAILED;
    }

    verdict = ngx_http_og_judge(task->op, task->nonce, &bytes);

    if (verdict == NGX_HTTP_OG_STORE_FAILED) {
        ngx_http_og_redis_log(task->rs->link, NGX_HTTP_OG_REDIS_LOG_RECORD,
                              NGX_LOG_ERR, 0, "has a record that cannot be "
                              "read under \"%V\"", &task->key);
    }

    if (verdict == NGX_HTTP_OG_CLAIMED) {
        task->won = 1;
        return NGX_HTTP_OG_ADMITTED;
    }

    return verdict;
}


/*
 * NGX_OK: all admit.  NGX_DECLINED: one refuses.  NGX_ERROR: not known.
 * A unit that is not spent, because it goes back, is judged as not there.
 */

static ngx_int_t
ngx_http_og_redis_read_quotas(ngx_http_og_task_t *task, redisReply **reply,
    ngx_uint_t spent)
{
    ngx_int_t   rc, all;
    ngx_uint_t  i;

    all = NGX_OK;

    for (i = 0; i < task->op->nquotas; i++) {

        rc = ngx_http_og_redis_read_quota(task, reply, i, spent);

        if (rc == NGX_ERROR || all == NGX_OK) {
            all = rc;
        }

        reply += NGX_HTTP_OG_QUOTA_COMMANDS;
    }

    return all;
}


static ngx_int_t
ngx_http_og_redis_read_quota(ngx_http_og_task_t *task, redisReply **reply,
    ngx_uint_t n, ngx_uint_t spent)
{
    int64_t               current, closed[NGX_HTTP_OG_MAX_SLOTS];
    ngx_uint_t            i;
    ngx_http_og_unit_t   *unit;
    ngx_http_og_quota_t  *quota;

    unit = &task->units[n];
    quota = &task->op->quotas[n];

    if (reply[0]->type != REDIS_REPLY_INTEGER) {
        ngx_http_og_redis_log_reply(task, "INCR", reply[0]);
        return NGX_ERROR;
    }

    unit->counted = 1;

    if (reply[2]->type != REDIS_REPLY_ARRAY
        || reply[2]->elements != unit->nclosed)
    {
        ngx_http_og_redis_log_reply(task, "MGET", reply[2]);
        return NGX_ERROR;
    }

    for (i = 0; i < unit->nclosed; i++) {
        closed[i] = ngx_http_og_redis_read_count(reply[2]->element[i]);
    }

    current = ngx_max(reply[0]->integer - (spent ? 0 : 1), 0);

    if (unit->nclosed > OG_WINDOW_SLOTS) {
        current += closed[OG_WINDOW_SLOTS];
    }

    og_window_judge(&quota->window, unit->asked, closed, current,
                    &quota->verdict);

    return quota->verdict.admitted ? NGX_OK : NGX_DECLINED;
}


/* A counter that is absent, negative or no number stands for no unit. */

static int64_t
ngx_http_og_redis_read_count(redisReply *reply)
{
    ngx_int_t  n;

    if (reply->type != REDIS_REPLY_STRING) {
        return 0;
    }

    n = ngx_atoi((u_char *) reply->str, reply->len);

    return n == NGX_ERROR ? 0 : n;
}


static void
ngx_http_og_redis_decide(ngx_http_og_task_t *task,
    ngx_http_og_verdict_e verdict, ngx_int_t admitted)
{
    if (verdict == NGX_HTTP_OG_STORE_FAILED || admitted == NGX_ERROR) {
        ngx_http_og_redis_give_back(task);
        ngx_http_og_redis_begin_failed(task);
        return;
    }

    if (verdict == NGX_HTTP_OG_RUNNING) {
        ngx_http_og_redis_look_at_age(task);
        return;
    }

    /* what costs nothing is refused to nobody */

    if (verdict != NGX_HTTP_OG_ADMITTED) {
        ngx_http_og_redis_give_back(task);
        ngx_http_og_redis_verdict(task, verdict);
        return;
    }

    if (admitted == NGX_OK) {
        ngx_http_og_redis_admit(task);
        return;
    }

    ngx_http_og_redis_refuse(task);
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


static void
ngx_http_og_redis_refuse(ngx_http_og_task_t *task)
{
    ngx_http_og_redis_batch_t  *batch;

    if (task->ask == NGX_HTTP_OG_ASK_COUNT) {
        ngx_http_og_redis_give_back(task);
        ngx_http_og_redis_verdict(task, NGX_HTTP_OG_LIMITED);
        return;
    }

    batch = ngx_http_og_redis_back(task, ngx_http_og_redis_ask_again, 0);

    if (batch == NULL
        || ngx_http_og_redis_submit_back(task, batch, task->deadline)
           != NGX_OK)
    {
        ngx_http_og_redis_verdict(task, NGX_HTTP_OG_LIMITED);
    }
}


static void
ngx_http_og_redis_ask_again(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    ngx_http_og_redis_check_freed(task, batch);

    if (task->state != NGX_HTTP_OG_TASK_ASKING || task->closed) {
        ngx_http_og_redis_task_put(task, batch);
        return;
    }

    if (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED
        || ngx_http_og_redis_ask(task, NGX_HTTP_OG_ASK_COUNT) != NGX_OK)
    {
        ngx_http_og_redis_verdict(task, NGX_HTTP_OG_LIMITED);
    }

    ngx_http_og_redis_task_put(task, batch);
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

        left = (reply->type == REDIS_REPLY_INTEGER) ? reply->integer : -2;

        /* -2: it has just ended, and the next attempt will see how */

        if (left >= 0) {
            verdict = ngx_http_og_judge_silence(task->op,
                                                (ngx_msec_int_t) task->op->ttl
                                                - (ngx_msec_int_t) left);
        }
    }

    if (task->state == NGX_HTTP_OG_TASK_ASKING && !task->closed) {
        ngx_http_og_redis_verdict(task, verdict);
    }

    ngx_http_og_redis_task_put(task, batch);
}


/* The last thing that a step of begin does: the requester may act at once. */

static void
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


static void
ngx_http_og_redis_begin_failed(ngx_http_og_task_t *task)
{
    if (task->state != NGX_HTTP_OG_TASK_ASKING || task->closed) {
        return;
    }

    ngx_http_og_redis_verdict(task, NGX_HTTP_OG_STORE_FAILED);
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


/*
 * Builds a batch that frees the key and gives units back, with room for more
 * commands.  NULL: no memory; a key that is ours is on the settle list then.
 */

static ngx_http_og_redis_batch_t *
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

    if (task->won
        && ngx_http_og_redis_of_key(batch, "DEL", &task->key) != NGX_OK)
    {
        goto failed;
    }

    for (i = 0; i < task->op->nquotas; i++) {
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
 * A counter that has expired must not be touched: DECR would make one of -1
 * that counts for another window.
 */

static ngx_int_t
ngx_http_og_redis_back_unit(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n)
{
    uint64_t              now;
    ngx_str_t             args[4];
    ngx_http_og_unit_t   *unit;
    ngx_http_og_quota_t  *quota;

    unit = &task->units[n];
    quota = &task->op->quotas[n];

    if (!unit->counted) {
        return NGX_OK;
    }

    unit->counted = 0;

    now = ngx_http_og_redis_now(task->rs->link);

    if (og_window_slot(&quota->window, now) > unit->slot + OG_WINDOW_SLOTS) {
        return NGX_OK;
    }

    ngx_str_set(&args[0], "PEXPIRE");
    args[1] = unit->key;
    args[2].data = unit->expiry;
    args[2].len = unit->expiry_len;
    ngx_str_set(&args[3], "NX");

    if (ngx_http_og_redis_of_key(batch, "DECR", &unit->key) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_og_redis_command(batch, args, 4);
}


static ngx_int_t
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
    ngx_http_og_redis_task_put(task, batch);
}


static void
ngx_http_og_redis_check_freed(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    if (batch->outcome == NGX_HTTP_OG_REDIS_TIMED_OUT || !task->freeing) {
        return;
    }

    task->freeing = 0;

    switch (batch->outcome) {

    case NGX_HTTP_OG_REDIS_ANSWERED:

        if (batch->replies[0]->type != REDIS_REPLY_INTEGER) {
            ngx_http_og_redis_log_reply(task, "DEL", batch->replies[0]);
        }

        break;

    case NGX_HTTP_OG_REDIS_LOST:
        task->deleted = 1;

        /* fall through */

    default: /* NGX_HTTP_OG_REDIS_UNSENT */
        ngx_http_og_redis_unsettled(task, NGX_HTTP_OG_WISH_FREE);
    }
}
