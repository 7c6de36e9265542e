
/*
 * Copyright (C) order guard contributors
 *
 * A connection's life: connect, greet, fail, close, retry, leave; and how
 * batches enter it.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_link.h"


/* So many rounds of connecting fail before nobody waits for one any more. */
#define NGX_HTTP_OG_REDIS_MAX_FAILURES   3

/* So many deadlines pass in silence before nobody waits any more. */
#define NGX_HTTP_OG_REDIS_MAX_TIMEOUTS   3

#define NGX_HTTP_OG_REDIS_MAX_BATCHES    8192
#define NGX_HTTP_OG_REDIS_MAX_UNSENT     (4 * NGX_HTTP_OG_REDIS_MAX_BYTES)

#define NGX_HTTP_OG_REDIS_FIRST_RETRY    10      /* ms, then doubled */
#define NGX_HTTP_OG_REDIS_LAST_RETRY     2000
#define NGX_HTTP_OG_REDIS_MAX_DOUBLINGS  8

/* A connection that did not last so long has not helped. */
#define NGX_HTTP_OG_REDIS_BRIEF          1000    /* ms */
#define NGX_HTTP_OG_REDIS_BRIEF_RETRY    100

/* Clocks drift apart meanwhile, by no more than a few ms. */
#define NGX_HTTP_OG_REDIS_CLOCK_FRESH    60000   /* ms */


static void ngx_http_og_redis_init_events(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_connect(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_end(ngx_http_og_redis_t *link, ngx_uint_t level,
    ngx_err_t err, const char *what);
static ngx_msec_t ngx_http_og_redis_first_delay(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_next_address(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_close(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_hang_up(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_abandon(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_refuse_waiting(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_schedule(ngx_http_og_redis_t *link,
    ngx_msec_t delay);
static void ngx_http_og_redis_retry_handler(ngx_event_t *ev);


ngx_http_og_redis_t *
ngx_http_og_redis_create(ngx_http_og_redis_conf_t *conf,
    const ngx_http_og_redis_owner_t *owner, void *data, ngx_cycle_t *cycle)
{
    ngx_http_og_redis_t  *link;

    link = ngx_pcalloc(cycle->pool, sizeof(ngx_http_og_redis_t));
    if (link == NULL) {
        return NULL;
    }

    link->data = data;
    link->conf = conf;
    link->owner = owner;
    link->ident = (ngx_socket_t) -1;
    link->log = *cycle->log;
    link->clock = (int64_t) ngx_time() * 1000 - (int64_t) ngx_current_msec;

    ngx_queue_init(&link->waiting);
    ngx_queue_init(&link->owed);
    ngx_queue_init(&link->notices);
    ngx_queue_init(&link->done);

    ngx_http_og_redis_init_events(link);
    ngx_http_og_redis_connect(link);

    return link;
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

    if (link->retry.timer_set) {
        ngx_del_timer(&link->retry);
    }

    if (link->deadline.timer_set) {
        ngx_del_timer(&link->deadline);
    }

    if (link->spare) {
        ngx_free(link->spare);
        link->spare = NULL;
    }
}


ngx_int_t
ngx_http_og_redis_submit(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline)
{
    if (link->failures >= NGX_HTTP_OG_REDIS_MAX_FAILURES
        || link->timeouts >= NGX_HTTP_OG_REDIS_MAX_TIMEOUTS
        || link->nbatches >= NGX_HTTP_OG_REDIS_MAX_BATCHES
        || link->unsent >= NGX_HTTP_OG_REDIS_MAX_UNSENT)
    {
        ngx_http_og_redis_batch_free(batch);
        return NGX_DECLINED;
    }

    if (link->state == NGX_HTTP_OG_REDIS_READY) {
        ngx_http_og_redis_probe(link);
    }

    if (batch->bound
        && (link->state != NGX_HTTP_OG_REDIS_READY
            || link->closed != batch->connection))
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


static void
ngx_http_og_redis_connect(ngx_http_og_redis_t *link)
{
    ngx_int_t               rc;
    ngx_addr_t             *addr;
    ngx_uint_t              level;
    ngx_connection_t       *c;
    ngx_peer_connection_t  *peer;

    addr = &link->conf->addrs[link->naddr];
    peer = &link->peer;

    ngx_memzero(peer, sizeof(ngx_peer_connection_t));

    peer->sockaddr = addr->sockaddr;
    peer->socklen = addr->socklen;
    peer->name = &addr->name;
    peer->get = ngx_event_get_peer;
    peer->log = &link->log;
    peer->log_error = NGX_ERROR_INFO;
    peer->so_keepalive = 1;

    /* nginx logs a refusal at each attempt; ours is told once a second */

    level = link->log.log_level;

    if (level <= NGX_LOG_INFO && level >= NGX_LOG_ERR) {
        link->log.log_level = NGX_LOG_CRIT;
    }

    rc = ngx_event_connect_peer(peer);

    link->log.log_level = level;

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_http_og_redis_fail(link, ngx_socket_errno, "connect() failed");
        return;
    }

    c = peer->connection;
    c->data = link;
    c->idle = 1;
    c->read->handler = ngx_http_og_redis_read_handler;
    c->write->handler = ngx_http_og_redis_write_handler;

    link->state = NGX_HTTP_OG_REDIS_CONNECTING;

    ngx_add_timer(c->write, link->conf->connect_timeout);

    if (rc == NGX_OK) {
        ngx_http_og_redis_connected(link);
    }
}


void
ngx_http_og_redis_write_handler(ngx_event_t *wev)
{
    ngx_connection_t     *c;
    ngx_http_og_redis_t  *link;

    c = wev->data;
    link = c->data;

    if (wev->timedout) {
        ngx_http_og_redis_fail(link, NGX_ETIMEDOUT,
                               link->state == NGX_HTTP_OG_REDIS_CONNECTING
                               ? "connecting timed out"
                               : "the TLS handshake timed out");

    } else if (link->state == NGX_HTTP_OG_REDIS_CONNECTING) {
        ngx_http_og_redis_connected(link);

#if (NGX_SSL)
    } else if (link->state == NGX_HTTP_OG_REDIS_SECURING) {
        ngx_http_og_redis_tls_handshake(link);
#endif

    } else {
        ngx_http_og_redis_write(link);
    }

    ngx_http_og_redis_dispatch(link);
}


void
ngx_http_og_redis_connected(ngx_http_og_redis_t *link)
{
    if (ngx_http_og_redis_test_socket(link) != NGX_OK) {
        return;
    }

#if (NGX_SSL)
    if (link->conf->tls) {
        ngx_http_og_redis_tls_connect(link);
        return;
    }
#endif

    ngx_http_og_redis_start(link);
}


void
ngx_http_og_redis_start(ngx_http_og_redis_t *link)
{
    ngx_del_timer(link->peer.connection->write);

    link->reader = ngx_http_og_redis_reader_create();
    if (link->reader == NULL) {
        ngx_http_og_redis_fail(link, NGX_ENOMEM, "no memory for a reader");
        return;
    }

    link->state = NGX_HTTP_OG_REDIS_GREETING;
    link->unparsed = 0;
    link->offset = 0;

    ngx_http_og_redis_greet(link);
}


void
ngx_http_og_redis_ready(ngx_http_og_redis_t *link)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    if (link->failures >= NGX_HTTP_OG_REDIS_MAX_FAILURES) {
        ngx_log_error(NGX_LOG_NOTICE, &link->log, 0,
                      "store \"%V\" can be reached again", &link->conf->name);
    }

    link->state = NGX_HTTP_OG_REDIS_READY;
    link->failures = 0;
    link->ready_since = ngx_current_msec;

    ngx_memzero(&link->unfenced, sizeof(ngx_http_og_redis_peer_t));

    ngx_http_og_redis_tell_loss(link);
    link->owner->ready(link->data);

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


static void
ngx_http_og_redis_end(ngx_http_og_redis_t *link, ngx_uint_t level,
    ngx_err_t err, const char *what)
{
    ngx_http_og_redis_state_e  state;

    state = link->state;

    /* it has ended already, and a handler of its last replies complains */

    if (state == NGX_HTTP_OG_REDIS_DOWN && link->retry.timer_set) {
        return;
    }

    ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_LINK, level, err,
                          "%s %V: %s",
                          state == NGX_HTTP_OG_REDIS_READY
                          ? "lost its connection to" : "cannot be used at",
                          &link->conf->addrs[link->naddr].name, what);

    ngx_http_og_redis_close(link);

    link->closed++;

    /* the next connection may be to another server */

    link->clock_known = 0;

    if (state == NGX_HTTP_OG_REDIS_READY) {
        ngx_http_og_redis_schedule(link, ngx_http_og_redis_first_delay(link));

    } else {
        ngx_http_og_redis_next_address(link);
    }

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


/* A round of all addresses is one failure. */

static void
ngx_http_og_redis_next_address(ngx_http_og_redis_t *link)
{
    link->naddr = (link->naddr + 1) % link->conf->naddrs;

    if (link->naddr != 0) {
        ngx_http_og_redis_schedule(link, NGX_HTTP_OG_REDIS_FIRST_RETRY);
        return;
    }

    link->failures++;

    if (link->failures == NGX_HTTP_OG_REDIS_MAX_FAILURES) {
        ngx_log_error(NGX_LOG_ERR, &link->log, 0,
                      "store \"%V\" cannot be reached: nothing waits for it "
                      "until it can", &link->conf->name);
    }

    if (link->failures >= NGX_HTTP_OG_REDIS_MAX_FAILURES) {
        ngx_http_og_redis_refuse_waiting(link);
    }

    ngx_http_og_redis_schedule(link,
                          link->failures < NGX_HTTP_OG_REDIS_MAX_DOUBLINGS
                          ? (ngx_msec_t) NGX_HTTP_OG_REDIS_FIRST_RETRY
                            << link->failures
                          : NGX_HTTP_OG_REDIS_LAST_RETRY);
}


static void
ngx_http_og_redis_close(ngx_http_og_redis_t *link)
{
    if (link->peer.connection != NULL) {
        ngx_http_og_redis_abandon(link);
        ngx_http_og_redis_hang_up(link);
    }

    link->state = NGX_HTTP_OG_REDIS_DOWN;

    if (link->flush.posted) {
        ngx_delete_posted_event(&link->flush);
    }

    ngx_http_og_redis_discard(link);

    link->timeouts = 0;

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


static void
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


/* Jitter keeps the workers of all hosts from knocking at one time. */

static void
ngx_http_og_redis_schedule(ngx_http_og_redis_t *link, ngx_msec_t delay)
{
    delay = delay / 2 + ngx_random() % (delay / 2) + 1;

    if (!link->retry.timer_set) {
        ngx_add_timer(&link->retry, delay);
    }
}


static void
ngx_http_og_redis_retry_handler(ngx_event_t *ev)
{
    ngx_http_og_redis_t  *link;

    link = ev->data;

    if (ngx_exiting && ngx_http_og_redis_may_leave(link)) {
        return;
    }

    ngx_http_og_redis_connect(link);
    ngx_http_og_redis_dispatch(link);
}


ngx_uint_t
ngx_http_og_redis_may_leave(ngx_http_og_redis_t *link)
{
    return link->nbatches == 0 && !link->owner->busy(link->data);
}


void
ngx_http_og_redis_leave(ngx_http_og_redis_t *link)
{
    /* nothing is owed, but the timer of what was would hold the worker */

    if (link->deadline.timer_set) {
        ngx_del_timer(&link->deadline);
    }

    if (link->peer.connection == NULL) {
        return;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, &link->log, 0,
                   "order guard store \"%V\": leaving", &link->conf->name);

    ngx_http_og_redis_close(link);
}
