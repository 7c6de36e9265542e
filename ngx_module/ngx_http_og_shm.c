
/*
 * Copyright (C) order guard contributors
 *
 * The embedded store's verbs.  Each decides under the lock of the records, in
 * one piece: what is told is what is so, nothing has to be given back, and all
 * answer at once.  Nothing that can fail or that logs happens there.
 */


#include <openssl/rand.h>

#include "ngx_http_og_shm.h"


/* A claim is renewed so many times in a lease. */
#define NGX_HTTP_OG_SHM_RENEWALS  3

/* One line in so many ms, for what can happen to every request. */
#define NGX_HTTP_OG_SHM_QUIET     1000


static ngx_int_t ngx_http_og_shm_init(ngx_http_og_store_t *store,
    ngx_cycle_t *cycle);
static void ngx_http_og_shm_exit(ngx_http_og_store_t *store);
static ngx_int_t ngx_http_og_shm_open(ngx_http_og_op_t *op);
static ngx_int_t ngx_http_og_shm_begin(ngx_http_og_op_t *op);
static ngx_int_t ngx_http_og_shm_complete(ngx_http_og_op_t *op,
    og_record_t *record, ngx_msec_t ttl);
static void ngx_http_og_shm_release(ngx_http_og_op_t *op,
    ngx_http_og_release_e why);
static void ngx_http_og_shm_close(ngx_http_og_op_t *op);

static ngx_int_t ngx_http_og_shm_prepare(ngx_http_og_shm_task_t *task);
static ngx_http_og_verdict_e ngx_http_og_shm_ask(
    ngx_http_og_shm_task_t *task);
static ngx_http_og_verdict_e ngx_http_og_shm_claim(
    ngx_http_og_shm_task_t *task);
static ngx_http_og_verdict_e ngx_http_og_shm_count(
    ngx_http_og_shm_task_t *task);
static void ngx_http_og_shm_hold(ngx_http_og_shm_task_t *task);
static void ngx_http_og_shm_let_go(ngx_http_og_shm_task_t *task);
static void ngx_http_og_shm_renew(ngx_event_t *ev);
static ngx_uint_t ngx_http_og_shm_own(ngx_http_og_shm_task_t *task,
    ngx_http_og_shm_record_t *record);
static void ngx_http_og_shm_full(ngx_http_og_shm_store_t *ss);
static void ngx_http_og_shm_tell_filling(ngx_http_og_shm_store_t *ss);
static void ngx_http_og_shm_double_run(ngx_http_og_shm_task_t *task);
static ngx_uint_t ngx_http_og_shm_may_tell(ngx_http_og_shm_store_t *ss);


const ngx_http_og_backend_t  ngx_http_og_shm_backend = {
    ngx_http_og_shm_configure,
    NULL,
    ngx_http_og_shm_init,
    ngx_http_og_shm_exit,
    NULL,
    {
        ngx_http_og_shm_open,
        ngx_http_og_shm_begin,
        ngx_http_og_shm_complete,
        ngx_http_og_shm_release,
        ngx_http_og_shm_close,
        ngx_http_og_shm_op_look,
        ngx_http_og_shm_op_resolve
    }
};


static ngx_int_t
ngx_http_og_shm_init(ngx_http_og_store_t *store, ngx_cycle_t *cycle)
{
    return NGX_OK;
}


static void
ngx_http_og_shm_exit(ngx_http_og_store_t *store)
{
    ngx_log_debug8(NGX_LOG_DEBUG_HTTP, store->log, 0,
                   "order guard store \"%V\": claimed %ui, replayed %ui, "
                   "unknown %ui, completed %ui, released %ui, full %ui, "
                   "double runs %ui", &store->name,
                   store->counters.verdicts[NGX_HTTP_OG_CLAIMED],
                   store->counters.verdicts[NGX_HTTP_OG_FINISHED],
                   store->counters.verdicts[NGX_HTTP_OG_UNKNOWN],
                   store->counters.completed, store->counters.released,
                   store->counters.full, store->counters.double_run);
}


static ngx_int_t
ngx_http_og_shm_open(ngx_http_og_op_t *op)
{
    ngx_http_og_shm_task_t  *task;

    task = ngx_pcalloc(op->pool, sizeof(ngx_http_og_shm_task_t));
    if (task == NULL) {
        return NGX_ERROR;
    }

    task->op = op;
    task->ss = op->store->data;
    task->ident = (ngx_socket_t) -1;

    task->renewal.handler = ngx_http_og_shm_renew;
    task->renewal.data = task;
    task->renewal.log = op->store->log;

    /* the request's own timers keep a leaving worker alive */

    task->renewal.cancelable = 1;

    op->backend = task;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_shm_begin(ngx_http_og_op_t *op)
{
    ngx_http_og_verdict_e    verdict;
    ngx_http_og_shm_task_t  *task;

    task = op->backend;

    verdict = ngx_http_og_shm_prepare(task) == NGX_OK
              ? ngx_http_og_shm_ask(task) : NGX_HTTP_OG_STORE_FAILED;

    ngx_http_og_answer(op, verdict);

    if (verdict == NGX_HTTP_OG_CLAIMED) {
        ngx_http_og_shm_hold(task);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_shm_prepare(ngx_http_og_shm_task_t *task)
{
    ngx_uint_t                i;
    og_record_t               record;
    ngx_http_og_op_t         *op;
    ngx_http_og_zone_unit_t  *unit;

    op = task->op;

    if (op->nquotas) {
        unit = ngx_pcalloc(op->pool,
                           op->nquotas * sizeof(ngx_http_og_zone_unit_t));
        if (unit == NULL) {
            return NGX_ERROR;
        }

        task->units = unit;

        for (i = 0; i < op->nquotas; i++) {
            unit[i].counter.key = op->quotas[i].key;
            unit[i].counter.window = op->quotas[i].window;
        }
    }

    if (op->name.key.len == 0 || op->denied) {
        return NGX_OK;
    }

    if (RAND_bytes(task->nonce, OG_RECORD_NONCE_SIZE) != 1) {
        return NGX_ERROR;
    }

    ngx_memzero(&record, sizeof(og_record_t));
    record.state = OG_RECORD_PENDING;

    return ngx_http_og_encode(op, &record, task->nonce,
                              ngx_http_og_shm_now(task->ss), &op->name.key,
                              &task->pending);
}


static ngx_http_og_verdict_e
ngx_http_og_shm_ask(ngx_http_og_shm_task_t *task)
{
    ngx_http_og_op_t        *op;
    ngx_http_og_verdict_e    verdict;
    ngx_http_og_shm_copy_t   copy;

    op = task->op;

    if (op->name.key.len == 0) {
        return ngx_http_og_shm_count(task);
    }

    switch (ngx_http_og_shm_copy(task, &copy)) {

    case NGX_OK:
        verdict = ngx_http_og_shm_read(task, &copy);

        return verdict == NGX_HTTP_OG_STORE_FAILED
               ? verdict : ngx_http_og_judge_request(op, verdict);

    case NGX_DECLINED:
        return ngx_http_og_shm_claim(task);

    default: /* NGX_ERROR */
        return NGX_HTTP_OG_STORE_FAILED;
    }
}


/* Comes with the lock, and gives it up.  Only what is claimed is counted. */

static ngx_http_og_verdict_e
ngx_http_og_shm_claim(ngx_http_og_shm_task_t *task)
{
    ngx_uint_t                  filling;
    ngx_http_og_op_t           *op;
    ngx_http_og_verdict_e       verdict;
    ngx_http_og_shm_record_t   *record;
    ngx_http_og_shm_records_t  *records;

    op = task->op;
    records = task->ss->records;

    /* a free key is none for who has no room */

    if (op->denied) {
        ngx_http_og_shm_unlock(records);
        return NGX_HTTP_OG_LIMITED;
    }

    record = ngx_http_og_shm_record_add(records, &op->name.key,
                                        &task->pending,
                                        ngx_http_og_claim_life(op));
    if (record == NULL) {
        ngx_http_og_shm_unlock(records);
        ngx_http_og_shm_full(task->ss);
        return NGX_HTTP_OG_STORE_FAILED;
    }

    verdict = ngx_http_og_shm_count(task);

    if (verdict == NGX_HTTP_OG_ADMITTED) {
        verdict = NGX_HTTP_OG_CLAIMED;

    } else {
        ngx_http_og_shm_record_remove(records, record);
    }

    filling = ngx_http_og_shm_records_filling(records);

    ngx_http_og_shm_unlock(records);

    if (filling) {
        ngx_http_og_shm_tell_filling(task->ss);
    }

    return verdict;
}


static ngx_http_og_verdict_e
ngx_http_og_shm_count(ngx_http_og_shm_task_t *task)
{
    uint64_t              now;
    ngx_int_t             rc;
    ngx_uint_t            i;
    ngx_http_og_op_t     *op;
    ngx_http_og_quota_t  *quota;

    op = task->op;

    if (op->nquotas == 0) {
        return NGX_HTTP_OG_ADMITTED;
    }

    now = ngx_http_og_shm_now(task->ss);

    rc = ngx_http_og_zone_take_all(task->ss->counters, task->units,
                                   op->nquotas, now);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_OG_STORE_FAILED;
    }

    for (i = 0; i < op->nquotas; i++) {
        quota = &op->quotas[i];

        quota->judged = 1;
        quota->verdict = task->units[i].verdict;
        quota->now = now;
        quota->clock = ngx_http_og_shm_records_clock(task->ss->records);
    }

    if (rc == NGX_DECLINED) {
        return NGX_HTTP_OG_LIMITED;
    }

    task->counted = 1;

    return NGX_HTTP_OG_ADMITTED;
}


static ngx_int_t
ngx_http_og_shm_complete(ngx_http_og_op_t *op, og_record_t *record,
    ngx_msec_t ttl)
{
    ngx_str_t                   text;
    ngx_uint_t                  own, filling, full;
    ngx_http_og_shm_task_t     *task;
    ngx_http_og_shm_record_t   *node;
    ngx_http_og_shm_records_t  *records;

    task = op->backend;
    records = task->ss->records;

    if (!task->holding) {
        return NGX_OK;
    }

    if (record->state == OG_RECORD_UNKNOWN
        && op->on_unknown == NGX_HTTP_OG_RETRY)
    {
        ngx_http_og_shm_release(op, NGX_HTTP_OG_FREED);
        return NGX_OK;
    }

    ngx_http_og_shm_let_go(task);

    if (ngx_http_og_encode(op, record, task->nonce,
                           ngx_http_og_shm_now(task->ss), &op->name.key, &text)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ALERT, op->store->log, NGX_ENOMEM,
                      "store \"%V\": an answer could not be recorded",
                      &op->store->name);
        return NGX_OK;
    }

    filling = 0;
    full = 0;

    ngx_http_og_shm_lock(records);

    node = ngx_http_og_shm_record_find(records, &op->name.key);
    own = (node == NULL || ngx_http_og_shm_own(task, node));

    /*
     * a claim that is gone was freed by an operator, or has lapsed: that its
     * end is not known is nothing to put there
     */

    if (node == NULL && record->state != OG_RECORD_UNKNOWN) {
        node = ngx_http_og_shm_record_add(records, &op->name.key,
                                          &task->pending, ttl);
        full = (node == NULL);
        op->store->counters.asserted += !full;
    }

    if (node && own) {
        ngx_http_og_shm_record_live(records, node, ttl);
        (void) ngx_http_og_shm_record_set(records, node, &text,
                                          record->status);

        filling = ngx_http_og_shm_records_filling(records);
        op->store->counters.completed++;
    }

    ngx_http_og_shm_unlock(records);

    if (!own) {
        ngx_http_og_shm_double_run(task);
    }

    if (full) {
        ngx_http_og_shm_full(task->ss);
    }

    if (filling) {
        ngx_http_og_shm_tell_filling(task->ss);
    }

    return NGX_OK;
}


static void
ngx_http_og_shm_release(ngx_http_og_op_t *op, ngx_http_og_release_e why)
{
    ngx_uint_t                  i;
    ngx_http_og_shm_task_t     *task;
    ngx_http_og_shm_record_t   *record;
    ngx_http_og_shm_records_t  *records;

    task = op->backend;
    records = task->ss->records;

    if (task->holding) {
        ngx_http_og_shm_let_go(task);

        ngx_http_og_shm_lock(records);

        record = ngx_http_og_shm_record_find(records, &op->name.key);

        if (record
            && ngx_http_og_shm_own(task, record) == OG_RECORD_PENDING)
        {
            ngx_http_og_shm_record_remove(records, record);
        }

        ngx_http_og_shm_unlock(records);

        op->store->counters.released++;
    }

    if (task->counted && why == NGX_HTTP_OG_NOT_SENT) {
        for (i = 0; i < op->nquotas; i++) {
            ngx_http_og_zone_back(task->ss->counters, &task->units[i].counter,
                                  task->units[i].slot);
        }
    }

    task->counted = 0;
}


/* A claim stays where it is, and becomes unknown when its lease is over. */

static void
ngx_http_og_shm_close(ngx_http_og_op_t *op)
{
    ngx_http_og_shm_task_t  *task;

    task = op->backend;

    if (task->holding) {
        ngx_http_og_shm_let_go(task);
    }

    ngx_destroy_pool(op->pool);
}


static void
ngx_http_og_shm_hold(ngx_http_og_shm_task_t *task)
{
    task->holding = 1;

    ngx_add_timer(&task->renewal,
                  task->op->lease / NGX_HTTP_OG_SHM_RENEWALS + 1);
}


static void
ngx_http_og_shm_let_go(ngx_http_og_shm_task_t *task)
{
    task->holding = 0;

    if (task->renewal.timer_set) {
        ngx_del_timer(&task->renewal);
    }
}


/*
 * A worker that was stopped for longer than its lease may find its claim
 * gone, as it has lapsed or an operator has freed it: then it claims again,
 * for the order is running.
 */

static void
ngx_http_og_shm_renew(ngx_event_t *ev)
{
    ngx_str_t                  *key;
    ngx_uint_t                  own;
    ngx_http_og_op_t           *op;
    ngx_http_og_shm_task_t     *task;
    ngx_http_og_shm_record_t   *record;
    ngx_http_og_shm_records_t  *records;

    task = ev->data;
    op = task->op;
    key = &op->name.key;
    records = task->ss->records;

    ngx_http_og_shm_lock(records);

    record = ngx_http_og_shm_record_find(records, key);

    if (record == NULL) {
        own = OG_RECORD_PENDING;
        record = ngx_http_og_shm_record_add(records, key, &task->pending,
                                            ngx_http_og_claim_life(op));
        op->store->counters.asserted += (record != NULL);

    } else {
        own = ngx_http_og_shm_own(task, record);

        if (own == OG_RECORD_PENDING) {
            ngx_http_og_shm_record_live(records, record,
                                        ngx_http_og_claim_life(op));
        }
    }

    ngx_http_og_shm_unlock(records);

    if (own) {
        ngx_http_og_shm_hold(task);
        return;
    }

    ngx_http_og_shm_let_go(task);
    ngx_http_og_shm_double_run(task);
}


/* The state of a record of ours; 0: it is another's. */

static ngx_uint_t
ngx_http_og_shm_own(ngx_http_og_shm_task_t *task,
    ngx_http_og_shm_record_t *record)
{
    og_record_t  head;

    /* whose it is stands in clear, sealed or not */

    (void) og_record_decode_head(&head, record->bytes, record->len);

    return ngx_memcmp(head.nonce, task->nonce, OG_RECORD_NONCE_SIZE) == 0
           ? head.state : 0;
}


ngx_int_t
ngx_http_og_shm_copy(ngx_http_og_shm_task_t *task,
    ngx_http_og_shm_copy_t *copy)
{
    ngx_int_t                   rc;
    ngx_http_og_op_t           *op;
    ngx_http_og_shm_record_t   *record;
    ngx_http_og_shm_records_t  *records;

    op = task->op;
    records = task->ss->records;

    ngx_memzero(copy, sizeof(ngx_http_og_shm_copy_t));

    for ( ;; ) {

        ngx_http_og_shm_lock(records);

        record = ngx_http_og_shm_record_find(records, &op->name.key);

        if (record == NULL) {
            return NGX_DECLINED;
        }

        rc = ngx_http_og_shm_record_copy(record, copy);

        ngx_http_og_shm_unlock(records);

        if (rc == NGX_OK) {
            return NGX_OK;
        }

        copy->bytes.data = ngx_pnalloc(op->pool, copy->bytes.len);
        if (copy->bytes.data == NULL) {
            return NGX_ERROR;
        }
    }
}


ngx_http_og_verdict_e
ngx_http_og_shm_read(ngx_http_og_shm_task_t *task,
    ngx_http_og_shm_copy_t *copy)
{
    uint64_t                now;
    ngx_http_og_op_t       *op;
    ngx_http_og_verdict_e   verdict;

    op = task->op;
    op->left = copy->left;

    now = ngx_http_og_shm_now(task->ss);

    if (copy->bare) {
        return ngx_http_og_read_head(op, now, &copy->bytes, copy->status);
    }

    verdict = ngx_http_og_read(op, now, &op->name.key, &copy->bytes);

    if (verdict == NGX_HTTP_OG_STORE_FAILED
        && ngx_http_og_shm_may_tell(task->ss))
    {
        ngx_log_error(NGX_LOG_ERR, op->store->log, 0,
                      "store \"%V\" has a record that cannot be read under "
                      "\"%V\"", &op->store->name, &op->name.key);
    }

    return verdict == NGX_HTTP_OG_RUNNING
           ? ngx_http_og_judge_silence(op, copy->left) : verdict;
}


uint64_t
ngx_http_og_shm_now(ngx_http_og_shm_store_t *ss)
{
    return (uint64_t) ((int64_t) ngx_current_msec
                       + ngx_http_og_shm_records_clock(ss->records));
}


static void
ngx_http_og_shm_full(ngx_http_og_shm_store_t *ss)
{
    ss->store->counters.full++;

    if (ngx_http_og_shm_may_tell(ss)) {
        ngx_log_error(NGX_LOG_ERR, ss->store->log, 0,
                      "store \"%V\" is full of records, an order is refused: "
                      "give it a larger \"size=\" than %uzk, or records a "
                      "shorter \"ttl=\"", &ss->store->name, ss->size / 1024);
    }
}


static void
ngx_http_og_shm_tell_filling(ngx_http_og_shm_store_t *ss)
{
    ngx_log_error(NGX_LOG_WARN, ss->store->log, 0,
                  "store \"%V\" of %uzk is filled to 70%%: from 90%% on the "
                  "oldest answers are given up, and when it is full of "
                  "records orders are refused", &ss->store->name,
                  ss->size / 1024);
}


static void
ngx_http_og_shm_double_run(ngx_http_og_shm_task_t *task)
{
    task->op->store->counters.double_run++;

    ngx_log_error(NGX_LOG_ERR, task->op->store->log, 0,
                  "store \"%V\": double run: another's record is under the "
                  "claimed key \"%V\"", &task->op->store->name,
                  &task->op->name.key);
}


static ngx_uint_t
ngx_http_og_shm_may_tell(ngx_http_og_shm_store_t *ss)
{
    if (ss->told && ngx_current_msec - ss->told < NGX_HTTP_OG_SHM_QUIET) {
        return 0;
    }

    ss->told = ngx_current_msec;

    return 1;
}
