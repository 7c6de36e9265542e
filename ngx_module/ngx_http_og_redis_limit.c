
/*
 * Copyright (C) order guard contributors
 *
 * The sliding window on plain commands: each slot of a window is a counter
 * of its own.  A unit is counted in the current slot, and the closed ones are
 * read in the same write:
 *
 *     INCR slot   PEXPIRE slot 1.1 windows NX   MGET closed slots
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_store.h"


/* Closed slots, and the next one. */
#define NGX_HTTP_OG_READ_SLOTS       (OG_WINDOW_SLOTS + 1)


static ngx_int_t ngx_http_og_redis_ask_slots(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n);
static u_char *ngx_http_og_redis_slot_key(ngx_http_og_task_t *task,
    ngx_http_og_quota_t *quota, uint64_t slot, u_char *p);
static size_t ngx_http_og_redis_slot_key_len(ngx_http_og_task_t *task,
    ngx_http_og_quota_t *quota);
static ngx_int_t ngx_http_og_redis_read_quota(ngx_http_og_task_t *task,
    redisReply **reply, ngx_uint_t n, ngx_uint_t spent);
static ngx_uint_t ngx_http_og_redis_rank(ngx_int_t rc);
static ngx_int_t ngx_http_og_redis_uncounted(ngx_http_og_task_t *task,
    const char *command, redisReply *reply);
static int64_t ngx_http_og_redis_read_count(redisReply *reply);


ngx_int_t
ngx_http_og_redis_ask_quota(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n)
{
    ngx_str_t             args[4];
    ngx_http_og_unit_t   *unit;
    ngx_http_og_quota_t  *quota;

    unit = &task->units[n];
    quota = &task->op->quotas[n];

    unit->asked = ngx_http_og_redis_task_now(task);
    unit->clock = (int64_t) unit->asked - (int64_t) ngx_current_msec;
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
 * A gateway whose clock is ahead counts in the next slot already, and so does
 * one that asks later than this one and reaches the store earlier.
 */

static ngx_int_t
ngx_http_og_redis_ask_slots(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n)
{
    u_char               *keys, *p;
    ngx_int_t             rc;
    ngx_str_t             args[1 + NGX_HTTP_OG_READ_SLOTS];
    ngx_uint_t            i;
    ngx_http_og_unit_t   *unit;
    ngx_http_og_quota_t  *quota;

    unit = &task->units[n];
    quota = &task->op->quotas[n];

    keys = ngx_alloc(NGX_HTTP_OG_READ_SLOTS
                     * ngx_http_og_redis_slot_key_len(task, quota),
                     task->rs->store->log);
    if (keys == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&args[0], "MGET");
    p = keys;

    for (i = 0; i < NGX_HTTP_OG_READ_SLOTS; i++) {
        args[1 + i].data = p;
        p = ngx_http_og_redis_slot_key(task, quota,
                                       i < OG_WINDOW_SLOTS
                                       ? unit->slot - 1 - i : unit->slot + 1,
                                       p);
        args[1 + i].len = p - args[1 + i].data;
    }

    rc = ngx_http_og_redis_command(batch, args, 1 + NGX_HTTP_OG_READ_SLOTS);

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


ngx_int_t
ngx_http_og_redis_read_quotas(ngx_http_og_task_t *task, redisReply **reply,
    ngx_uint_t spent)
{
    ngx_int_t   rc, all;
    ngx_uint_t  i;

    all = NGX_OK;

    for (i = 0; i < task->op->nquotas; i++) {

        rc = ngx_http_og_redis_read_quota(task, reply, i, spent);

        if (ngx_http_og_redis_rank(rc) < ngx_http_og_redis_rank(all)) {
            all = rc;
        }

        reply += NGX_HTTP_OG_QUOTA_COMMANDS;
    }

    return all;
}


/* Who has no room in one that can be counted has none. */

static ngx_uint_t
ngx_http_og_redis_rank(ngx_int_t rc)
{
    switch (rc) {

    case NGX_ABORT:
        return 0;

    case NGX_AGAIN:
        return 1;

    case NGX_DECLINED:
        return 2;

    case NGX_ERROR:
        return 3;

    default: /* NGX_OK */
        return 4;
    }
}


static ngx_int_t
ngx_http_og_redis_read_quota(ngx_http_og_task_t *task, redisReply **reply,
    ngx_uint_t n, ngx_uint_t spent)
{
    int64_t               current, next, closed[NGX_HTTP_OG_READ_SLOTS];
    ngx_uint_t            i;
    ngx_http_og_unit_t   *unit;
    ngx_http_og_quota_t  *quota;

    unit = &task->units[n];
    quota = &task->op->quotas[n];

    if (reply[0]->type != REDIS_REPLY_INTEGER) {
        return ngx_http_og_redis_uncounted(task, "INCR", reply[0]);
    }

    unit->counted = 1;

    if (reply[1]->type != REDIS_REPLY_INTEGER) {
        return ngx_http_og_redis_uncounted(task, "PEXPIRE", reply[1]);
    }

    if (reply[2]->type != REDIS_REPLY_ARRAY
        || reply[2]->elements != NGX_HTTP_OG_READ_SLOTS)
    {
        return ngx_http_og_redis_uncounted(task, "MGET", reply[2]);
    }

    for (i = 0; i < NGX_HTTP_OG_READ_SLOTS; i++) {

        /* of a cluster's slot on its way, where each is asked for by itself */

        if (reply[2]->element[i]->type == REDIS_REPLY_ERROR) {
            return ngx_http_og_redis_uncounted(task, "GET",
                                               reply[2]->element[i]);
        }

        closed[i] = ngx_http_og_redis_read_count(reply[2]->element[i]);
    }

    /*
     * The store may have counted it when its slot was long over: in windows
     * that it has not read
     */

    if (og_window_slot(&quota->window, ngx_http_og_redis_task_now(task))
        > unit->slot + 1)
    {
        return NGX_AGAIN;
    }

    current = ngx_max(reply[0]->integer, 0);

    if (!spent && current > 0) {
        current--;
    }

    /* others may have written any number */

    next = ngx_max(closed[OG_WINDOW_SLOTS], 0);
    current += ngx_min(next, INT64_MAX - current);

    og_window_judge(&quota->window, unit->asked, closed, current,
                    &quota->verdict);

    quota->judged = 1;
    quota->now = unit->asked;
    quota->clock = unit->clock;

    return quota->verdict.admitted ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_og_redis_uncounted(ngx_http_og_task_t *task, const char *command,
    redisReply *reply)
{
    ngx_http_og_redis_log_reply(task, command, reply);

    return reply->type == REDIS_REPLY_ERROR ? NGX_ERROR : NGX_ABORT;
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


/*
 * A counter that has expired must not be touched: DECR would make one of -1
 * that counts for another window.
 */

ngx_int_t
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

    now = ngx_http_og_redis_task_now(task);

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
