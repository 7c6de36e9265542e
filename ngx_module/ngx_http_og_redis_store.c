
/*
 * Copyright (C) order guard contributors
 *
 * The Redis backend: its tables, the life of a task, and that of a claim,
 * which is renewed until it is completed or released.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_store.h"
#include "og_slot.h"


static ngx_int_t ngx_http_og_redis_init(ngx_http_og_store_t *store,
    ngx_cycle_t *cycle);
static void ngx_http_og_redis_exit(ngx_http_og_store_t *store);
static void ngx_http_og_redis_end_watch(ngx_http_og_redis_store_t *rs);
static void ngx_http_og_redis_drop_tasks(ngx_http_og_redis_store_t *rs);
static void ngx_http_og_redis_tell_counters(ngx_http_og_store_t *store);
static void ngx_http_og_redis_on_ready(void *data);
static void ngx_http_og_redis_on_data_lost(void *data);
static void ngx_http_og_redis_on_replaced(void *data);
static ngx_uint_t ngx_http_og_redis_is_busy(void *data);
static ngx_uint_t ngx_http_og_redis_place(ngx_http_og_store_t *store,
    ngx_str_t *key);
static ngx_int_t ngx_http_og_redis_open(ngx_http_og_op_t *op);
static void ngx_http_og_redis_task_free(ngx_http_og_task_t *task);
static void ngx_http_og_redis_op_close(ngx_http_og_op_t *op);


const ngx_http_og_backend_t  ngx_http_og_redis_backend = {
    ngx_http_og_redis_configure,
    ngx_http_og_redis_configured,
    ngx_http_og_redis_init,
    ngx_http_og_redis_exit,
    ngx_http_og_redis_place,
    {
        ngx_http_og_redis_open,
        ngx_http_og_redis_begin,
        ngx_http_og_redis_complete,
        ngx_http_og_redis_release,
        ngx_http_og_redis_op_close,
        ngx_http_og_redis_op_look,
        ngx_http_og_redis_op_resolve
    }
};


static const ngx_http_og_redis_owner_t  ngx_http_og_redis_owner = {
    ngx_http_og_redis_on_ready,
    ngx_http_og_redis_on_data_lost,
    ngx_http_og_redis_on_replaced,
    ngx_http_og_redis_is_busy,
    NULL,
    NULL
};


static ngx_int_t
ngx_http_og_redis_init(ngx_http_og_store_t *store, ngx_cycle_t *cycle)
{
    ngx_http_og_redis_store_t  *rs;

    rs = store->data;

    rs->ident = (ngx_socket_t) -1;

    ngx_queue_init(&rs->tasks);
    ngx_queue_init(&rs->claims);
    ngx_queue_init(&rs->unsettled);

    rs->settle.handler = ngx_http_og_redis_settle_handler;
    rs->settle.data = rs;
    rs->settle.log = store->log;

    if (rs->conf.role == NGX_HTTP_OG_REDIS_NODE) {
        rs->cluster = ngx_http_og_cluster_create(&rs->conf, &rs->prefix,
                                                 &ngx_http_og_redis_owner, rs,
                                                 cycle);
        return rs->cluster ? NGX_OK : NGX_ERROR;
    }

    if (rs->sentinel) {
        rs->watch = ngx_http_og_sentinel_create(rs->sentinel, &rs->conf,
                                                cycle);
        if (rs->watch == NULL) {
            return NGX_ERROR;
        }
    }

    rs->link = ngx_http_og_redis_create(&rs->conf, &ngx_http_og_redis_owner,
                                        rs, cycle->pool, cycle->log);

    return rs->link ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_og_redis_exit(ngx_http_og_store_t *store)
{
    ngx_http_og_redis_store_t  *rs;

    rs = store->data;

    if (rs->link == NULL && rs->cluster == NULL) {
        ngx_http_og_redis_end_watch(rs);
        return;
    }

    ngx_http_og_redis_tell_counters(store);

    if (rs->nunsettled) {
        ngx_log_error(NGX_LOG_ERR, store->log, 0,
                      "store \"%V\": %ui claims are left unsettled",
                      &store->name, rs->nunsettled);
    }

    if (rs->settle.timer_set) {
        ngx_del_timer(&rs->settle);
    }

    if (rs->cluster) {
        ngx_http_og_cluster_destroy(rs->cluster);
        rs->cluster = NULL;

    } else {
        ngx_http_og_redis_destroy(rs->link);
        rs->link = NULL;
    }

    ngx_http_og_redis_end_watch(rs);
    ngx_http_og_redis_drop_tasks(rs);
}


static void
ngx_http_og_redis_end_watch(ngx_http_og_redis_store_t *rs)
{
    if (rs->watch) {
        ngx_http_og_sentinel_destroy(rs->watch);
        rs->watch = NULL;
    }
}


/* What its requester still has is left to it. */

static void
ngx_http_og_redis_drop_tasks(ngx_http_og_redis_store_t *rs)
{
    ngx_queue_t         *q, *next;
    ngx_http_og_task_t  *task;

    for (q = ngx_queue_head(&rs->tasks);
         q != ngx_queue_sentinel(&rs->tasks);
         q = next)
    {
        next = ngx_queue_next(q);
        task = ngx_queue_data(q, ngx_http_og_task_t, all);

        if (task->closed) {
            ngx_destroy_pool(task->op->pool);
        }
    }
}


static void
ngx_http_og_redis_tell_counters(ngx_http_og_store_t *store)
{
    ngx_http_og_store_counters_t  *n;

    n = &store->counters;

    ngx_log_debug7(NGX_LOG_DEBUG_HTTP, store->log, 0,
                   "order guard store \"%V\": claimed %ui, replayed %ui, "
                   "unknown %ui, failed %ui, completed %ui, released %ui",
                   &store->name, n->verdicts[NGX_HTTP_OG_CLAIMED],
                   n->verdicts[NGX_HTTP_OG_FINISHED],
                   n->verdicts[NGX_HTTP_OG_UNKNOWN],
                   n->verdicts[NGX_HTTP_OG_STORE_FAILED],
                   n->completed, n->released);

    ngx_log_debug8(NGX_LOG_DEBUG_HTTP, store->log, 0,
                   "order guard store \"%V\": timeouts %ui, double runs %ui, "
                   "data losses %ui, asserted %ui, unsettled %ui, "
                   "settled %ui, dropped %ui",
                   &store->name, n->timeouts, n->double_run, n->data_losses,
                   n->asserted, n->unsettled, n->settled, n->dropped);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, store->log, 0,
                   "order guard store \"%V\": unreadable %ui",
                   &store->name, n->undecodable);
}


static void
ngx_http_og_redis_on_ready(void *data)
{
    ngx_http_og_redis_settle_all(data);
}


static void
ngx_http_og_redis_on_data_lost(void *data)
{
    ngx_http_og_redis_store_t  *rs;

    rs = data;
    rs->store->counters.data_losses++;

    ngx_http_og_redis_on_replaced(rs);
}


/* A claim that was not replicated yet must not be won by another's retry. */

static void
ngx_http_og_redis_on_replaced(void *data)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_store_t  *rs;

    rs = data;
    rs->doubts++;

    for (q = ngx_queue_head(&rs->claims);
         q != ngx_queue_sentinel(&rs->claims);
         q = ngx_queue_next(q))
    {
        ngx_http_og_redis_assert(ngx_queue_data(q, ngx_http_og_task_t,
                                                queue));
    }
}


static ngx_uint_t
ngx_http_og_redis_is_busy(void *data)
{
    ngx_http_og_redis_store_t  *rs;

    rs = data;

    return !ngx_queue_empty(&rs->claims) || !ngx_queue_empty(&rs->unsettled);
}


static ngx_int_t
ngx_http_og_redis_open(ngx_http_og_op_t *op)
{
    ngx_http_og_task_t  *task;

    task = ngx_pcalloc(op->pool, sizeof(ngx_http_og_task_t));
    if (task == NULL) {
        return NGX_ERROR;
    }

    task->op = op;
    task->rs = op->store->data;
    task->ident = (ngx_socket_t) -1;

    task->renewal.handler = ngx_http_og_redis_renew_handler;
    task->renewal.data = task;
    task->renewal.log = op->store->log;

    /* the request's own timers keep a leaving worker alive */

    task->renewal.cancelable = 1;

    ngx_queue_insert_tail(&task->rs->tasks, &task->all);

    op->backend = task;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_og_redis_place(ngx_http_og_store_t *store, ngx_str_t *key)
{
    ngx_http_og_redis_store_t  *rs;

    rs = store->data;

    return rs->store->spread ? og_slot(key->data, key->len) : 0;
}


void
ngx_http_og_redis_give_up_store(ngx_http_og_redis_store_t *rs)
{
    if (rs->cluster) {
        ngx_http_og_cluster_give_up(rs->cluster);

    } else {
        ngx_http_og_redis_give_up(rs->link);
    }
}


ngx_http_og_redis_t *
ngx_http_og_redis_link(ngx_http_og_task_t *task)
{
    ngx_str_t         *key;
    ngx_http_og_op_t  *op;

    if (task->rs->cluster == NULL) {
        return task->rs->link;
    }

    if (!task->placed) {
        op = task->op;
        key = op->name.key.len ? &op->name.key : &op->quotas[0].key;

        task->slot = ngx_http_og_redis_place(op->store, key);
        task->placed = 1;
    }

    return ngx_http_og_cluster_link(task->rs->cluster, task->slot);
}


uint64_t
ngx_http_og_redis_task_now(ngx_http_og_task_t *task)
{
    return ngx_http_og_redis_now(ngx_http_og_redis_link(task));
}


ngx_int_t
ngx_http_og_redis_name_key(ngx_http_og_task_t *task)
{
    u_char     *p;
    ngx_str_t  *name, *prefix;

    name = &task->op->name.key;
    prefix = &task->rs->prefix;

    p = ngx_pnalloc(task->op->pool, prefix->len + name->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    task->key.data = p;
    task->key.len = prefix->len + name->len;

    p = ngx_cpymem(p, prefix->data, prefix->len);
    ngx_memcpy(p, name->data, name->len);

    return NGX_OK;
}


ngx_int_t
ngx_http_og_redis_task_submit(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline)
{
    ngx_int_t  rc;

    if (task->rs->cluster) {
        batch->routed = !batch->bound && !batch->watches;
    }

    rc = ngx_http_og_redis_submit(ngx_http_og_redis_link(task), batch,
                                  deadline);

    if (rc != NGX_OK && task->rs->cluster) {
        ngx_http_og_cluster_doubt(task->rs->cluster);
    }

    if (rc == NGX_OK) {
        task->inflight++;
    }

    return rc;
}


void
ngx_http_og_redis_task_put(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch)
{
    if (batch->outcome == NGX_HTTP_OG_REDIS_TIMED_OUT) {
        task->rs->store->counters.timeouts++;
        return;
    }

    task->inflight--;

    ngx_http_og_redis_task_free(task);
}


static void
ngx_http_og_redis_task_free(ngx_http_og_task_t *task)
{
    if (task->closed
        && task->inflight == 0
        && task->wish == NGX_HTTP_OG_WISH_NONE)
    {
        ngx_queue_remove(&task->all);
        ngx_destroy_pool(task->op->pool);
    }
}


static void
ngx_http_og_redis_op_close(ngx_http_og_op_t *op)
{
    ngx_http_og_task_t  *task;

    task = op->backend;

    if (task->state == NGX_HTTP_OG_TASK_HOLDING) {
        ngx_http_og_redis_let_go(task);

    } else if (task->renewal.timer_set) {
        ngx_del_timer(&task->renewal);
    }

    task->closed = 1;

    ngx_http_og_redis_task_free(task);
}


ngx_int_t
ngx_http_og_redis_set(ngx_http_og_redis_batch_t *batch, ngx_str_t *key,
    ngx_str_t *value, const char *condition, ngx_str_t *px)
{
    ngx_str_t  args[7];

    ngx_str_set(&args[0], "SET");
    args[1] = *key;
    args[2] = *value;
    args[3].data = (u_char *) condition;
    args[3].len = 2;
    ngx_str_set(&args[4], "GET");
    ngx_str_set(&args[5], "PX");
    args[6] = *px;

    return ngx_http_og_redis_command(batch, args, 7);
}


ngx_int_t
ngx_http_og_redis_of_key(ngx_http_og_redis_batch_t *batch,
    const char *command, ngx_str_t *key)
{
    ngx_str_t  args[2];

    args[0].data = (u_char *) command;
    args[0].len = ngx_strlen(command);
    args[1] = *key;

    return ngx_http_og_redis_command(batch, args, 2);
}


ngx_str_t
ngx_http_og_redis_decimal(ngx_pool_t *pool, uint64_t number)
{
    ngx_str_t  text;

    text.len = 0;
    text.data = ngx_pnalloc(pool, NGX_INT64_LEN);

    if (text.data != NULL) {
        text.len = ngx_sprintf(text.data, "%uL", number) - text.data;
    }

    return text;
}


ngx_http_og_key_e
ngx_http_og_redis_key_state(ngx_http_og_task_t *task, redisReply *reply)
{
    og_record_t  record;

    if (reply->type == REDIS_REPLY_NIL) {
        return NGX_HTTP_OG_KEY_ABSENT;
    }

    if (ngx_http_og_redis_is_error(reply, "WRONGTYPE")) {
        return NGX_HTTP_OG_KEY_FOREIGN;
    }

    if (reply->type != REDIS_REPLY_STRING) {
        ngx_http_og_redis_log_reply(task, "a record", reply);
        return NGX_HTTP_OG_KEY_REFUSED;
    }

    /* whose it is stands in clear, sealed or not */

    if (og_record_decode_head(&record, (u_char *) reply->str, reply->len)
        == 0)
    {
        task->rs->store->counters.undecodable++;
        return NGX_HTTP_OG_KEY_FOREIGN;
    }

    if (ngx_memcmp(record.nonce, task->nonce, OG_RECORD_NONCE_SIZE) != 0) {
        return NGX_HTTP_OG_KEY_FOREIGN;
    }

    return record.state == OG_RECORD_PENDING ? NGX_HTTP_OG_KEY_PENDING
                                             : NGX_HTTP_OG_KEY_FINAL;
}


ngx_uint_t
ngx_http_og_redis_was_freed(ngx_http_og_task_t *task)
{
    og_record_t  record;

    return task->doubts == task->rs->doubts
           && og_record_decode_head(&record, task->final.data,
                                    task->final.len)
              != 0
           && record.state == OG_RECORD_UNKNOWN;
}


void
ngx_http_og_redis_double_run(ngx_http_og_task_t *task)
{
    task->rs->store->counters.double_run++;

    ngx_http_og_redis_log(ngx_http_og_redis_link(task),
                          NGX_HTTP_OG_REDIS_LOG_DATA, NGX_LOG_ERR, 0,
                          "double run: another's record is under the claimed "
                          "key \"%V\"", &task->key);
}


void
ngx_http_og_redis_log_reply(ngx_http_og_task_t *task, const char *verb,
    redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ERROR) {
        ngx_http_og_redis_fail(ngx_http_og_redis_link(task), 0,
                               "its replies are mixed up");
        return;
    }

    ngx_http_og_redis_log(ngx_http_og_redis_link(task),
                          NGX_HTTP_OG_REDIS_LOG_FAILURE, NGX_LOG_ERR, 0,
                          "answered %s with %s", verb,
                          ngx_http_og_redis_words(reply));
}
