
/*
 * Copyright (C) order guard contributors
 *
 * A connection's life: ready, fail, close, leave; and how batches enter it.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_MAX_BATCHES    8192
#define NGX_HTTP_OG_REDIS_MAX_UNSENT     (4 * NGX_HTTP_OG_REDIS_MAX_BYTES)

/* A connection that did not last so long has not helped. */
#define NGX_HTTP_OG_REDIS_BRIEF          1000    /* ms */
#define NGX_HTTP_OG_REDIS_BRIEF_RETRY    100

/* Clocks drift apart meanwhile, by no more than a few ms. */
#define NGX_HTTP_OG_REDIS_CLOCK_FRESH    60000   /* ms */


static ngx_uint_t ngx_http_og_redis_next_number(void);
static void ngx_http_og_redis_init_events(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_tell_replaced(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_end(ngx_http_og_redis_t *link, ngx_uint_t level,
    ngx_err_t err, const char *what);
static void ngx_http_og_redis_drop(ngx_http_og_redis_t *link,
    ngx_uint_t level, ngx_err_t err, const char *what);
static ngx_msec_t ngx_http_og_redis_first_delay(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_close(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_hang_up(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_abandon(ngx_http_og_redis_t *link);


ngx_http_og_redis_t *
ngx_http_og_redis_create(ngx_http_og_redis_conf_t *conf,
    const ngx_http_og_redis_owner_t *owner, void *data, ngx_pool_t *pool,
    ngx_log_t *log)
{
    ngx_http_og_redis_t  *link;

    link = ngx_pcalloc(pool, sizeof(ngx_http_og_redis_t));
    if (link == NULL) {
        return NULL;
    }

    link->data = data;
    link->conf = conf;
    link->owner = owner;
    link->ident = (ngx_socket_t) -1;
    link->number = ngx_http_og_redis_next_number();
    link->server_number = ngx_http_og_redis_next_number();
    link->addrs = conf->addrs;
    link->naddrs = conf->naddrs;
    link->log = *log;
    link->clock = (int64_t) ngx_time() * 1000 - (int64_t) ngx_current_msec;

    ngx_queue_init(&link->waiting);
    ngx_queue_init(&link->owed);
    ngx_queue_init(&link->held);
    ngx_queue_init(&link->notices);
    ngx_queue_init(&link->done);

    ngx_http_og_redis_init_events(link);
    ngx_http_og_redis_go_on(link);

    return link;
}


/* A bound batch may be given to another node's connection. */

static ngx_uint_t
ngx_http_og_redis_next_number(void)
{
    static ngx_uint_t  number;

    return ++number;
}


static void
ngx_http_og_redis_init_events(ngx_http_og_redis_t *link)
{
    link->flush.handler = ngx_http_og_redis_flush_handler;
    link->flush.data = link;
    link->flush.log = &link->log;

    link->deadline.handler = ngx_http_og_redis_deadline_handler;
    link->deadline.data = link;
    link->deadline.log = &link->log;

    link->retry.handler = ngx_http_og_redis_retry_handler;
    link->retry.data = link;
    link->retry.log = &link->log;
    link->retry.cancelable = 1;
}


void
ngx_http_og_redis_destroy(ngx_http_og_redis_t *link)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    ngx_http_og_redis_close(link);
    ngx_http_og_redis_refuse_waiting(link);

    while (!ngx_queue_empty(&link->done)) {
        q = ngx_queue_head(&link->done);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        ngx_queue_remove(q);
        ngx_http_og_redis_batch_free(batch);
    }

    if (link->deadline.timer_set) {
        ngx_del_timer(&link->deadline);
    }

    if (link->spare) {
        ngx_free(link->spare);
        link->spare = NULL;
    }

    if (link->conf->locator) {
        link->conf->locator->cancel(link);
    }

    if (link->located) {
        ngx_destroy_pool(link->located);
        link->located = NULL;
    }
}


void
ngx_http_og_redis_retire(ngx_http_og_redis_t *link, ngx_uint_t retired)
{
    link->retired = retired;

    if (retired) {

        if (ngx_http_og_redis_may_leave(link)) {
            ngx_http_og_redis_leave(link);
        }

    } else if (link->state == NGX_HTTP_OG_REDIS_DOWN
               && !link->retry.timer_set)
    {
        ngx_add_timer(&link->retry, 1);
    }
}


ngx_uint_t
ngx_http_og_redis_is_closed(ngx_http_og_redis_t *link)
{
    return link->peer.connection == NULL
           && link->nbatches == 0
           && ngx_queue_empty(&link->done);
}


ngx_int_t
ngx_http_og_redis_submit(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline)
{
    if (ngx_http_og_redis_is_down(link)
        || link->nbatches >= NGX_HTTP_OG_REDIS_MAX_BATCHES
        || link->unsent >= NGX_HTTP_OG_REDIS_MAX_UNSENT)
    {
        ngx_http_og_redis_batch_free(batch);
        return NGX_DECLINED;
    }

    if (link->state == NGX_HTTP_OG_REDIS_READY
        && link->conf->role != NGX_HTTP_OG_REDIS_SENTINEL)
    {
        ngx_http_og_redis_probe_in_time(link);
    }

    if (batch->bound
        && (link->state != NGX_HTTP_OG_REDIS_READY
            || link->number != batch->connection))
    {
        ngx_http_og_redis_batch_free(batch);
        return NGX_DECLINED;
    }

    if (link->state == NGX_HTTP_OG_REDIS_READY) {
        ngx_http_og_redis_send(link, batch, deadline);
        return NGX_OK;
    }

    batch->submitted = ngx_current_msec;
    batch->deadline = deadline;

    ngx_queue_insert_tail(&link->waiting, &batch->queue);
    link->nbatches++;

    ngx_http_og_redis_arm(link, deadline);

    /* a leaving worker may have let the connection go */

    if (link->state == NGX_HTTP_OG_REDIS_DOWN && !link->retry.timer_set) {
        ngx_add_timer(&link->retry, 1);
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_og_redis_is_ready(ngx_http_og_redis_t *link)
{
    return link->state == NGX_HTTP_OG_REDIS_READY;
}


ngx_uint_t
ngx_http_og_redis_is_fenced(ngx_http_og_redis_t *link)
{
    return link->fenced;
}


ngx_addr_t *
ngx_http_og_redis_addr(ngx_http_og_redis_t *link)
{
    return &link->addrs[link->naddr];
}


ngx_uint_t
ngx_http_og_redis_server(ngx_http_og_redis_t *link)
{
    return link->state == NGX_HTTP_OG_REDIS_READY ? link->server_number : 0;
}


int64_t
ngx_http_og_redis_client_id(ngx_http_og_redis_t *link)
{
    return link->server.id;
}


uint64_t
ngx_http_og_redis_now(ngx_http_og_redis_t *link)
{
    return (uint64_t) ((int64_t) ngx_current_msec + link->clock);
}


ngx_uint_t
ngx_http_og_redis_knows_time(ngx_http_og_redis_t *link)
{
    return link->clock_known
           && ngx_current_msec - link->clock_set
              < NGX_HTTP_OG_REDIS_CLOCK_FRESH;
}


void
ngx_http_og_redis_ready(ngx_http_og_redis_t *link)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    link->state = NGX_HTTP_OG_REDIS_READY;
    link->failures = 0;
    link->tried = 0;
    link->ready_since = ngx_current_msec;

    ngx_http_og_redis_tell_replaced(link);

    if (link->conf->role != NGX_HTTP_OG_REDIS_SENTINEL) {
        ngx_http_og_redis_look_after(link);
    }

    ngx_http_og_redis_tell_loss(link);
    link->owner->ready(link->data);

    /* timers run later than this */

    ngx_http_og_redis_expire_waiting(link);

    while (link->state == NGX_HTTP_OG_REDIS_READY
           && !ngx_queue_empty(&link->waiting))
    {
        q = ngx_queue_head(&link->waiting);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        ngx_queue_remove(q);
        link->nbatches--;

        ngx_http_og_redis_send(link, batch, batch->deadline);
    }
}


/* Who fails over and back meets the first server's old connection again. */

static void
ngx_http_og_redis_tell_replaced(ngx_http_og_redis_t *link)
{
    if (ngx_memcmp(link->unfenced.run_id, link->server.run_id,
                   NGX_HTTP_OG_REDIS_RUN_ID_SIZE)
        == 0)
    {
        ngx_memzero(&link->unfenced, sizeof(ngx_http_og_redis_peer_t));
    }

    if (link->former.run_id[0] != '\0'
        && ngx_memcmp(link->former.run_id, link->server.run_id,
                      NGX_HTTP_OG_REDIS_RUN_ID_SIZE)
           != 0)
    {
        link->server_number = ngx_http_og_redis_next_number();

        if (link->owner->replaced && !link->data_was_lost) {
            link->owner->replaced(link->data);
        }
    }

    link->former = link->server;
}


void
ngx_http_og_redis_tell_loss(ngx_http_og_redis_t *link)
{
    if (link->data_was_lost) {
        link->data_was_lost = 0;
        link->owner->data_lost(link->data);
    }
}


void
ngx_http_og_redis_fail(ngx_http_og_redis_t *link, ngx_err_t err,
    const char *what)
{
    ngx_http_og_redis_end(link, NGX_LOG_ERR, err, what);
}


/* A server may close what is idle, and nothing is lost with it. */

void
ngx_http_og_redis_hung_up(ngx_http_og_redis_t *link, ngx_err_t err,
    const char *what)
{
    ngx_uint_t  level;

    level = (link->state == NGX_HTTP_OG_REDIS_READY
             && ngx_queue_empty(&link->owed)) ? NGX_LOG_NOTICE : NGX_LOG_ERR;

    ngx_http_og_redis_end(link, level, err, what);
}


void
ngx_http_og_redis_move(ngx_http_og_redis_t *link, ngx_uint_t level,
    const char *what)
{
    if (link->state == NGX_HTTP_OG_REDIS_READY) {
        ngx_http_og_redis_drop(link, level, 0, what);
        ngx_http_og_redis_next_address(link);
        ngx_http_og_redis_ended(link);
    }
}


static void
ngx_http_og_redis_end(ngx_http_og_redis_t *link, ngx_uint_t level,
    ngx_err_t err, const char *what)
{
    ngx_http_og_redis_state_e  state;

    state = link->state;

    /* it has ended already, and a handler of its last replies complains */

    if ((state == NGX_HTTP_OG_REDIS_DOWN && link->retry.timer_set)
        || state == NGX_HTTP_OG_REDIS_LOCATING)
    {
        return;
    }

    ngx_http_og_redis_drop(link, level, err, what);

    if (state == NGX_HTTP_OG_REDIS_READY) {
        ngx_http_og_redis_schedule(link, ngx_http_og_redis_first_delay(link));

    } else {
        ngx_http_og_redis_next_address(link);
    }

    ngx_http_og_redis_ended(link);
}


static void
ngx_http_og_redis_drop(ngx_http_og_redis_t *link, ngx_uint_t level,
    ngx_err_t err, const char *what)
{
    ngx_http_og_redis_log_end(link, level, err, what);

    ngx_http_og_redis_close(link);

    link->number = ngx_http_og_redis_next_number();

    /* the next connection may be to another server */

    link->clock_known = 0;
}


void
ngx_http_og_redis_ended(ngx_http_og_redis_t *link)
{
    /* a deadline that nobody has any more would hold a leaving worker */

    if (ngx_queue_empty(&link->waiting) && link->deadline.timer_set) {
        ngx_del_timer(&link->deadline);
    }

    /* the handlers are called by whoever runs next */

    ngx_post_event(&link->flush, &ngx_posted_events);
}


/* A server that hangs up as soon as it is ready is not asked in a hurry. */

static ngx_msec_t
ngx_http_og_redis_first_delay(ngx_http_og_redis_t *link)
{
    return ngx_current_msec - link->ready_since < NGX_HTTP_OG_REDIS_BRIEF
           ? NGX_HTTP_OG_REDIS_BRIEF_RETRY : NGX_HTTP_OG_REDIS_FIRST_RETRY;
}


static void
ngx_http_og_redis_close(ngx_http_og_redis_t *link)
{
    if (link->peer.connection != NULL) {
        ngx_http_og_redis_abandon(link);
        ngx_http_og_redis_hang_up(link);
    }

    if (link->conf->locator && link->state == NGX_HTTP_OG_REDIS_LOCATING) {
        link->conf->locator->cancel(link);
    }

    link->state = NGX_HTTP_OG_REDIS_DOWN;

    if (link->flush.posted) {
        ngx_delete_posted_event(&link->flush);
    }

    if (link->retry.timer_set) {
        ngx_del_timer(&link->retry);
    }

    ngx_http_og_redis_discard(link);

    if (link->reader) {
        redisReaderFree(link->reader);
        link->reader = NULL;
    }
}


static void
ngx_http_og_redis_hang_up(ngx_http_og_redis_t *link)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = link->peer.connection;

#if (NGX_SSL)
    ngx_http_og_redis_tls_close(link);
#endif

    pool = c->pool;

    ngx_close_connection(c);
    link->peer.connection = NULL;

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


/*
 * What was sent and not answered may still run, now or when the network lets
 * go of it: the next connection must fence this one.  A connection that is
 * still being greeted carried nothing but its greeting.
 */

static void
ngx_http_og_redis_abandon(ngx_http_og_redis_t *link)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    link->unwaited = 0;
    link->wait = NULL;

    while (!ngx_queue_empty(&link->held)) {
        q = ngx_queue_head(&link->held);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        ngx_http_og_redis_finish(link, batch, NGX_HTTP_OG_REDIS_LOST);
    }

    while (!ngx_queue_empty(&link->owed)) {
        q = ngx_queue_head(&link->owed);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        if (batch->offset >= link->peer.connection->sent) {
            ngx_http_og_redis_finish(link, batch, NGX_HTTP_OG_REDIS_UNSENT);
            continue;
        }

        ngx_http_og_redis_finish(link, batch, NGX_HTTP_OG_REDIS_LOST);

        if (link->state == NGX_HTTP_OG_REDIS_READY) {
            link->unfenced = link->server;
        }
    }
}


void
ngx_http_og_redis_refuse_waiting(ngx_http_og_redis_t *link)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    while (!ngx_queue_empty(&link->waiting)) {
        q = ngx_queue_head(&link->waiting);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        ngx_http_og_redis_finish(link, batch, NGX_HTTP_OG_REDIS_UNSENT);
    }
}


ngx_uint_t
ngx_http_og_redis_may_leave(ngx_http_og_redis_t *link)
{
    return link->nbatches == 0
           && (link->retired || !link->owner->busy(link->data));
}


void
ngx_http_og_redis_leave(ngx_http_og_redis_t *link)
{
    /* nothing is owed, but the timer of what was would hold the worker */

    if (link->deadline.timer_set) {
        ngx_del_timer(&link->deadline);
    }

    if (link->conf->locator) {
        link->conf->locator->cancel(link);
    }

    if (link->peer.connection == NULL) {
        link->state = NGX_HTTP_OG_REDIS_DOWN;
        return;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_EVENT, &link->log, 0,
                   "order guard store \"%V\": leaving %V",
                   &link->conf->name, &ngx_http_og_redis_addr(link)->name);

    ngx_http_og_redis_close(link);

    link->timeouts = 0;

    /* nothing that was watched there may be acted upon elsewhere */

    link->number = ngx_http_og_redis_next_number();
}


void
ngx_http_og_redis_give_up(ngx_http_og_redis_t *link)
{
    ngx_http_og_redis_leave(link);
    ngx_http_og_redis_refuse_waiting(link);

    if (link->retry.timer_set) {
        ngx_del_timer(&link->retry);
    }

    ngx_http_og_redis_dispatch(link);
}
