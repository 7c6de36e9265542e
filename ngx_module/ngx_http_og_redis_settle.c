
/*
 * Copyright (C) order guard contributors
 *
 * The settle list: keys whose last command had no reply.  Behind the fence
 * each key is looked at, and only what is seen there is acted upon:
 *
 *     our claim, never sent or freed     WATCH key   GET key
 *                                        MULTI   DEL key   EXEC
 *     our claim, answered                SET key final XX GET PX px
 *     nothing, answered                  SET key final NX GET PX px, unless
 *                                        an operator has freed it
 *     anything else                      forgotten
 *
 * A claim that was sent and has no answer is on no list: it is left, and
 * becomes unknown when its lease has passed.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_store.h"


#define NGX_HTTP_OG_MAX_UNSETTLED        4096
#define NGX_HTTP_OG_MAX_UNSETTLED_SIZE   ((size_t) 32 * 1024 * 1024)

/* Looked at in one go, so that settling leaves room for requests. */
#define NGX_HTTP_OG_MAX_SETTLING         64

#define NGX_HTTP_OG_SETTLE_PERIOD        50      /* ms */
#define NGX_HTTP_OG_SETTLE_AGAIN         1000    /* ms, after a refusal */

/* A leaving worker settles for so many timeouts. */
#define NGX_HTTP_OG_SETTLE_LEAVING       2


static ngx_uint_t ngx_http_og_redis_settle_may_add(ngx_http_og_task_t *task,
    ngx_http_og_wish_e wish);
static void ngx_http_og_redis_settle_some(ngx_http_og_redis_store_t *rs);
static void ngx_http_og_redis_settle_leave(ngx_http_og_redis_store_t *rs);
static ngx_uint_t ngx_http_og_redis_is_awaited(ngx_http_og_redis_store_t *rs);

static ngx_int_t ngx_http_og_redis_look(ngx_http_og_task_t *task);
static void ngx_http_og_redis_looked(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_step_over(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_act(ngx_http_og_task_t *task,
    redisReply *reply);
static ngx_int_t ngx_http_og_redis_watch(ngx_http_og_task_t *task);
static void ngx_http_og_redis_watched(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_free_watched(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);
static ngx_int_t ngx_http_og_redis_delete_watched(ngx_http_og_task_t *task,
    ngx_uint_t connection);
static void ngx_http_og_redis_deleted(ngx_http_og_redis_batch_t *batch);
static ngx_int_t ngx_http_og_redis_act_submit(ngx_http_og_task_t *task,
    const char *condition);
static void ngx_http_og_redis_acted_free(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_acted_store(ngx_http_og_redis_batch_t *batch);

static void ngx_http_og_redis_refused(ngx_http_og_task_t *task,
    redisReply *reply);
static void ngx_http_og_redis_settle_later(ngx_http_og_task_t *task);
static void ngx_http_og_redis_settled(ngx_http_og_task_t *task);
static void ngx_http_og_redis_forget(ngx_http_og_task_t *task,
    const char *why);
static void ngx_http_og_redis_unlist(ngx_http_og_task_t *task);


void
ngx_http_og_redis_unsettled(ngx_http_og_task_t *task, ngx_http_og_wish_e wish)
{
    ngx_http_og_redis_store_t  *rs;

    rs = task->rs;

    if (task->wish != NGX_HTTP_OG_WISH_NONE) {
        task->wish = wish;
        return;
    }

    if (!ngx_http_og_redis_settle_may_add(task, wish)) {
        return;
    }

    rs->store->counters.unsettled++;

    task->wish = wish;
    task->next_look = ngx_current_msec;

    ngx_queue_insert_tail(&rs->unsettled, &task->queue);
    rs->nunsettled++;
    rs->unsettled_size += task->final.len;

    if (!rs->settle.timer_set) {
        ngx_add_timer(&rs->settle, NGX_HTTP_OG_SETTLE_PERIOD);
    }
}


static ngx_uint_t
ngx_http_og_redis_settle_may_add(ngx_http_og_task_t *task,
    ngx_http_og_wish_e wish)
{
    ngx_http_og_redis_store_t  *rs;

    rs = task->rs;

    if (rs->nunsettled < NGX_HTTP_OG_MAX_UNSETTLED
        && rs->unsettled_size + task->final.len
           <= NGX_HTTP_OG_MAX_UNSETTLED_SIZE)
    {
        return 1;
    }

    rs->store->counters.dropped++;

    ngx_http_og_redis_log(ngx_http_og_redis_link(task),
                          NGX_HTTP_OG_REDIS_LOG_DATA,
                          NGX_LOG_ERR, 0, "has more to settle than fits: "
                          "%s is dropped, its key stays blocked",
                          wish == NGX_HTTP_OG_WISH_FREE ? "a release"
                                                        : "an answer");
    return 0;
}


void
ngx_http_og_redis_settle_all(ngx_http_og_redis_store_t *rs)
{
    ngx_queue_t         *q;
    ngx_http_og_task_t  *task;

    for (q = ngx_queue_head(&rs->unsettled);
         q != ngx_queue_sentinel(&rs->unsettled);
         q = ngx_queue_next(q))
    {
        task = ngx_queue_data(q, ngx_http_og_task_t, queue);
        task->next_look = ngx_current_msec;
    }

    ngx_http_og_redis_settle_some(rs);
}


/* Not cancelable: a leaving worker settles first. */

void
ngx_http_og_redis_settle_handler(ngx_event_t *ev)
{
    ngx_http_og_redis_store_t  *rs;

    rs = ev->data;

    if (ngx_exiting) {
        ngx_http_og_redis_settle_leave(rs);

        if (rs->leaving
            && ngx_current_msec - rs->leaving
               >= NGX_HTTP_OG_SETTLE_LEAVING * rs->conf.timeout)
        {
            ngx_http_og_redis_give_up_store(rs);
            return;
        }
    }

    ngx_http_og_redis_settle_some(rs);

    if (!ngx_queue_empty(&rs->unsettled)) {
        ngx_add_timer(ev, NGX_HTTP_OG_SETTLE_PERIOD);
    }
}


/* The time to leave begins when no request needs the store any more. */

static void
ngx_http_og_redis_settle_leave(ngx_http_og_redis_store_t *rs)
{
    if (ngx_http_og_redis_is_awaited(rs)) {
        rs->leaving = 0;

    } else if (rs->leaving == 0) {
        rs->leaving = ngx_current_msec ? ngx_current_msec : 1;
    }
}


static ngx_uint_t
ngx_http_og_redis_is_awaited(ngx_http_og_redis_store_t *rs)
{
    ngx_queue_t         *q;
    ngx_http_og_task_t  *task;

    if (!ngx_queue_empty(&rs->claims)) {
        return 1;
    }

    for (q = ngx_queue_head(&rs->tasks);
         q != ngx_queue_sentinel(&rs->tasks);
         q = ngx_queue_next(q))
    {
        task = ngx_queue_data(q, ngx_http_og_task_t, all);

        if (task->state == NGX_HTTP_OG_TASK_ASKING && !task->closed) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_og_redis_settle_some(ngx_http_og_redis_store_t *rs)
{
    ngx_queue_t         *q, *next;
    ngx_http_og_task_t  *task;

    for (q = ngx_queue_head(&rs->unsettled);
         q != ngx_queue_sentinel(&rs->unsettled);
         q = next)
    {
        next = ngx_queue_next(q);
        task = ngx_queue_data(q, ngx_http_og_task_t, queue);

        if (rs->nsettling >= NGX_HTTP_OG_MAX_SETTLING) {
            return;
        }

        if (task->settling
            || (ngx_msec_int_t) (task->next_look - ngx_current_msec) > 0
            || (rs->watching && task->wish == NGX_HTTP_OG_WISH_FREE)
            || !ngx_http_og_redis_is_ready(ngx_http_og_redis_link(task)))
        {
            continue;
        }

        /* of a cluster another node may take what this one does not */

        if (ngx_http_og_redis_look(task) != NGX_OK && rs->cluster == NULL) {
            return;
        }
    }
}


static ngx_int_t
ngx_http_og_redis_look(ngx_http_og_task_t *task)
{
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_batch_create(1, ngx_http_og_redis_looked, task);
    if (batch == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_of_key(batch, "GET", &task->key) != NGX_OK) {
        ngx_http_og_redis_batch_free(batch);
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_task_submit(task, batch,
                              ngx_current_msec + task->rs->conf.timeout)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    task->settling = 1;
    task->rs->nsettling++;

    return NGX_OK;
}


static void
ngx_http_og_redis_looked(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome == NGX_HTTP_OG_REDIS_ANSWERED) {
        ngx_http_og_redis_act(task, batch->replies[0]);
    }

    ngx_http_og_redis_step_over(task, batch);
}


/* Ends each step: one without an answer is taken again. */

static void
ngx_http_og_redis_step_over(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    if (batch->outcome == NGX_HTTP_OG_REDIS_LOST
        || batch->outcome == NGX_HTTP_OG_REDIS_UNSENT)
    {
        ngx_http_og_redis_settle_later(task);
    }

    ngx_http_og_redis_task_put(task, batch);
}


static void
ngx_http_og_redis_act(ngx_http_og_task_t *task, redisReply *reply)
{
    ngx_int_t   rc;
    ngx_uint_t  store;

    store = (task->wish == NGX_HTTP_OG_WISH_STORE);

    switch (ngx_http_og_redis_key_state(task, reply)) {

    case NGX_HTTP_OG_KEY_PENDING:

        /* the DEL of before may still be on its way, with no fence */

        if (!store
            && task->deleted
            && !ngx_http_og_redis_is_fenced(ngx_http_og_redis_link(task)))
        {
            ngx_http_og_redis_forget(task, "a release cannot be repeated "
                                           "without CLIENT KILL");
            return;
        }

        rc = store ? ngx_http_og_redis_act_submit(task, "XX")
                   : ngx_http_og_redis_watch(task);
        break;

    case NGX_HTTP_OG_KEY_ABSENT:

        if (!store || ngx_http_og_redis_was_freed(task)) {
            ngx_http_og_redis_settled(task);
            return;
        }

        rc = ngx_http_og_redis_act_submit(task, "NX");
        break;

    case NGX_HTTP_OG_KEY_REFUSED:
        ngx_http_og_redis_refused(task, reply);
        return;

    case NGX_HTTP_OG_KEY_FOREIGN:

        if (store) {
            ngx_http_og_redis_double_run(task);
        }

        /* fall through */

    default: /* NGX_HTTP_OG_KEY_FINAL */
        ngx_http_og_redis_settled(task);
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_og_redis_settle_later(task);
    }

    if (rc == NGX_BUSY) {
        task->next_look = ngx_current_msec;
    }
}


/*
 * Between the look and the DEL an operator may free the key, and an order
 * claim it.  One key is watched at a time.
 */

static ngx_int_t
ngx_http_og_redis_watch(ngx_http_og_task_t *task)
{
    ngx_http_og_redis_batch_t  *batch;

    if (task->rs->watching) {
        return NGX_BUSY;
    }

    batch = ngx_http_og_redis_batch_create(2, ngx_http_og_redis_watched, task);
    if (batch == NULL) {
        return NGX_ERROR;
    }

    batch->watches = 1;

    if (ngx_http_og_redis_of_key(batch, "WATCH", &task->key) != NGX_OK
        || ngx_http_og_redis_of_key(batch, "GET", &task->key) != NGX_OK)
    {
        ngx_http_og_redis_batch_free(batch);
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_task_submit(task, batch,
                              ngx_current_msec + task->rs->conf.timeout)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    task->rs->watching = 1;

    return NGX_OK;
}


static void
ngx_http_og_redis_watched(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome == NGX_HTTP_OG_REDIS_ANSWERED) {
        ngx_http_og_redis_free_watched(task, batch);

    } else if (batch->outcome != NGX_HTTP_OG_REDIS_TIMED_OUT) {
        task->rs->watching = 0;
    }

    ngx_http_og_redis_step_over(task, batch);
}


static void
ngx_http_og_redis_free_watched(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    if (ngx_http_og_redis_is_error(batch->replies[0], "NOPERM")) {

        /* where nobody may watch, no operator frees a key */

        task->rs->watching = 0;

        if (ngx_http_og_redis_act_submit(task, "XX") != NGX_OK) {
            ngx_http_og_redis_settle_later(task);
        }

        return;
    }

    if (batch->replies[0]->type != REDIS_REPLY_STATUS) {
        task->rs->watching = 0;
        ngx_http_og_redis_log_reply(task, "WATCH", batch->replies[0]);
        ngx_http_og_redis_settle_later(task);
        return;
    }

    switch (ngx_http_og_redis_key_state(task, batch->replies[1])) {

    case NGX_HTTP_OG_KEY_PENDING:

        if (ngx_http_og_redis_delete_watched(task, batch->connection)
            == NGX_OK)
        {
            return;
        }

        /* fall through */

    case NGX_HTTP_OG_KEY_REFUSED:
        ngx_http_og_redis_settle_later(task);
        break;

    default:

        /* NGX_HTTP_OG_KEY_ABSENT, _FINAL, _FOREIGN */

        ngx_http_og_redis_settled(task);
    }

    ngx_http_og_redis_unwatch(task, batch->connection);
}


static ngx_int_t
ngx_http_og_redis_delete_watched(ngx_http_og_task_t *task,
    ngx_uint_t connection)
{
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_batch_create(3, ngx_http_og_redis_deleted, task);
    if (batch == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_say(batch, 1, "MULTI") != NGX_OK
        || ngx_http_og_redis_of_key(batch, "DEL", &task->key) != NGX_OK
        || ngx_http_og_redis_say(batch, 1, "EXEC") != NGX_OK)
    {
        ngx_http_og_redis_batch_free(batch);
        return NGX_ERROR;
    }

    batch->bound = 1;
    batch->connection = connection;

    return ngx_http_og_redis_task_submit(task, batch,
                              ngx_current_msec + task->rs->conf.timeout);
}


static void
ngx_http_og_redis_deleted(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome != NGX_HTTP_OG_REDIS_TIMED_OUT) {
        task->rs->watching = 0;
    }

    if (batch->outcome == NGX_HTTP_OG_REDIS_ANSWERED) {

        if (ngx_http_og_redis_is_executed(task, batch->replies[2])) {
            ngx_http_og_redis_settled(task);

        } else {
            ngx_http_og_redis_settle_later(task);
        }

    } else if (batch->outcome == NGX_HTTP_OG_REDIS_LOST) {
        task->deleted = 1;
    }

    ngx_http_og_redis_step_over(task, batch);
}


/* DEL, or the answer under a condition. */

static ngx_int_t
ngx_http_og_redis_act_submit(ngx_http_og_task_t *task, const char *condition)
{
    ngx_int_t                   rc;
    ngx_uint_t                  store;
    ngx_http_og_redis_batch_t  *batch;

    store = (task->wish == NGX_HTTP_OG_WISH_STORE);

    batch = ngx_http_og_redis_batch_create(1,
                                     store ? ngx_http_og_redis_acted_store
                                           : ngx_http_og_redis_acted_free,
                                     task);
    if (batch == NULL) {
        return NGX_ERROR;
    }

    rc = store ? ngx_http_og_redis_set(batch, &task->key, &task->final,
                                       condition, &task->final_px)
               : ngx_http_og_redis_of_key(batch, "DEL", &task->key);

    if (rc != NGX_OK) {
        ngx_http_og_redis_batch_free(batch);
        return NGX_ERROR;
    }

    return ngx_http_og_redis_task_submit(task, batch,
                              ngx_current_msec + task->rs->conf.timeout);
}


static void
ngx_http_og_redis_acted_free(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome == NGX_HTTP_OG_REDIS_ANSWERED) {

        if (batch->replies[0]->type == REDIS_REPLY_INTEGER) {
            ngx_http_og_redis_settled(task);

        } else {
            ngx_http_og_redis_log_reply(task, "DEL", batch->replies[0]);
            ngx_http_og_redis_refused(task, batch->replies[0]);
        }

    } else if (batch->outcome == NGX_HTTP_OG_REDIS_LOST) {
        task->deleted = 1;
    }

    ngx_http_og_redis_step_over(task, batch);
}


static void
ngx_http_og_redis_acted_store(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    if (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED) {
        ngx_http_og_redis_step_over(task, batch);
        return;
    }

    switch (ngx_http_og_redis_key_state(task, batch->replies[0])) {

    case NGX_HTTP_OG_KEY_ABSENT:

        /* stored under NX, or vanished before XX: the next look tells */

        ngx_http_og_redis_settle_later(task);
        break;

    case NGX_HTTP_OG_KEY_REFUSED:
        ngx_http_og_redis_refused(task, batch->replies[0]);
        break;

    case NGX_HTTP_OG_KEY_FOREIGN:
        ngx_http_og_redis_double_run(task);

        /* fall through */

    default: /* NGX_HTTP_OG_KEY_PENDING, NGX_HTTP_OG_KEY_FINAL */
        ngx_http_og_redis_settled(task);
    }

    ngx_http_og_redis_step_over(task, batch);
}


/* A store may have memory again, or be no replica any more; an ACL stays. */

static void
ngx_http_og_redis_refused(ngx_http_og_task_t *task, redisReply *reply)
{
    if (ngx_http_og_redis_is_error(reply, "NOPERM")) {
        ngx_http_og_redis_forget(task, "the ACL refuses to settle it");
        return;
    }

    ngx_http_og_redis_settle_later(task);
}


static void
ngx_http_og_redis_settle_later(ngx_http_og_task_t *task)
{
    task->settling = 0;
    task->rs->nsettling--;
    task->next_look = ngx_current_msec + NGX_HTTP_OG_SETTLE_AGAIN;
}


static void
ngx_http_og_redis_settled(ngx_http_og_task_t *task)
{
    task->rs->store->counters.settled++;

    ngx_http_og_redis_unlist(task);
}


static void
ngx_http_og_redis_forget(ngx_http_og_task_t *task, const char *why)
{
    task->rs->store->counters.dropped++;

    ngx_http_og_redis_log(ngx_http_og_redis_link(task),
                          NGX_HTTP_OG_REDIS_LOG_DATA, NGX_LOG_ERR, 0,
                          "keeps the key \"%V\" blocked: %s", &task->key,
                          why);

    ngx_http_og_redis_unlist(task);
}


/* Called in a batch handler: the task lives until that is over. */

static void
ngx_http_og_redis_unlist(ngx_http_og_task_t *task)
{
    ngx_http_og_redis_store_t  *rs;

    rs = task->rs;

    task->wish = NGX_HTTP_OG_WISH_NONE;
    task->settling = 0;
    rs->nsettling--;

    ngx_queue_remove(&task->queue);
    rs->nunsettled--;
    rs->unsettled_size -= task->final.len;

    ngx_http_og_redis_settle_some(rs);
}
