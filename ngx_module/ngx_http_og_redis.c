
/*
 * Copyright (C) order guard contributors
 *
 * The connection's life: connect, send, flush, read, parse, dispatch, expire,
 * fail, close, retry.  Finished batches are put aside and their handlers run
 * at the end of an event handler, when the connection's own state is settled:
 * a handler may submit or fail.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis.h"


/* So many rounds of connecting fail before nobody waits for one any more. */
#define NGX_HTTP_OG_REDIS_MAX_FAILURES   3

/* So many deadlines pass in silence before nobody waits any more. */
#define NGX_HTTP_OG_REDIS_MAX_TIMEOUTS   3

/* Nothing read for so many timeouts while something is owed: closed. */
#define NGX_HTTP_OG_REDIS_SILENCE        10
#define NGX_HTTP_OG_REDIS_EXIT_SILENCE   2

#define NGX_HTTP_OG_REDIS_MAX_BATCHES    8192
#define NGX_HTTP_OG_REDIS_MAX_UNSENT     (4 * NGX_HTTP_OG_REDIS_MAX_BYTES)
#define NGX_HTTP_OG_REDIS_BLOCK_SIZE     16384
#define NGX_HTTP_OG_REDIS_READ_SIZE      16384

#define NGX_HTTP_OG_REDIS_FIRST_RETRY    20      /* ms */
#define NGX_HTTP_OG_REDIS_LAST_RETRY     2000
#define NGX_HTTP_OG_REDIS_LOG_PERIOD     1000


/* Bytes on their way out; the data stands behind it. */
struct ngx_http_og_redis_block_s {
    ngx_chain_t                  cl;
    ngx_buf_t                    buf;
};


static void ngx_http_og_redis_init_events(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_connect(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_connected(ngx_http_og_redis_t *link);
static ngx_int_t ngx_http_og_redis_test_connect(ngx_connection_t *c);

static ngx_int_t ngx_http_og_redis_append(ngx_http_og_redis_t *link,
    ngx_str_t *text);
static ngx_http_og_redis_block_t *ngx_http_og_redis_get_block(
    ngx_http_og_redis_t *link, size_t size);
static void ngx_http_og_redis_free_block(ngx_http_og_redis_t *link,
    ngx_chain_t *cl);
static void ngx_http_og_redis_flush_handler(ngx_event_t *ev);
static void ngx_http_og_redis_write_handler(ngx_event_t *wev);
static void ngx_http_og_redis_write(ngx_http_og_redis_t *link);

static void ngx_http_og_redis_read_handler(ngx_event_t *rev);
static void ngx_http_og_redis_read(ngx_http_og_redis_t *link);
static ngx_int_t ngx_http_og_redis_parse(ngx_http_og_redis_t *link,
    u_char *data, size_t len);
static ngx_int_t ngx_http_og_redis_take_reply(ngx_http_og_redis_t *link,
    redisReply *reply);
static void ngx_http_og_redis_dispatch(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_finish(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_http_og_redis_outcome_e outcome);

static void ngx_http_og_redis_arm(ngx_http_og_redis_t *link,
    ngx_msec_t deadline);
static void ngx_http_og_redis_deadline_handler(ngx_event_t *ev);
static void ngx_http_og_redis_expire(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_expire_waiting(ngx_http_og_redis_t *link);
static ngx_uint_t ngx_http_og_redis_is_silent(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_rearm(ngx_http_og_redis_t *link);

static void ngx_http_og_redis_close(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_abandon(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_refuse_waiting(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_schedule(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_retry_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_og_redis_may_leave(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_leave(ngx_http_og_redis_t *link);


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


uint64_t
ngx_http_og_redis_now(ngx_http_og_redis_t *link)
{
    return (uint64_t) ((int64_t) ngx_current_msec + link->offset_ms);
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

    if (rc == NGX_OK) {
        ngx_http_og_redis_connected(link);
        return;
    }

    ngx_add_timer(c->write, link->conf->connect_timeout);
}


static void
ngx_http_og_redis_connected(ngx_http_og_redis_t *link)
{
    ngx_connection_t  *c;

    c = link->peer.connection;

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    if (ngx_http_og_redis_test_connect(c) != NGX_OK) {
        ngx_http_og_redis_fail(link, ngx_socket_errno, "connect() failed");
        return;
    }

    if (link->peer.sockaddr->sa_family != AF_UNIX
        && ngx_tcp_nodelay(c) != NGX_OK)
    {
        ngx_http_og_redis_fail(link, 0, "TCP_NODELAY was refused");
        return;
    }

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


static ngx_int_t
ngx_http_og_redis_test_connect(ngx_connection_t *c)
{
    int        err;
    socklen_t  len;

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        return NGX_ERROR;
    }

    if (err) {
        ngx_set_socket_errno(err);
        return NGX_ERROR;
    }

    return NGX_OK;
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
ngx_http_og_redis_send(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline)
{
    ngx_uint_t  i;

    batch->submitted = ngx_current_msec;
    batch->deadline = deadline;
    batch->offset = link->offset;

    if (ngx_queue_empty(&link->owed)) {
        link->heard = ngx_current_msec;
    }

    ngx_queue_insert_tail(&link->owed, &batch->queue);
    link->nbatches++;

    for (i = 0; i < batch->ncommands; i++) {

        /* half a command in the stream would be a connection lost */

        if (ngx_http_og_redis_append(link, &batch->commands[i]) != NGX_OK) {
            ngx_http_og_redis_fail(link, NGX_ENOMEM, "no memory to send");
            break;
        }

        redisFreeCommand((char *) batch->commands[i].data);
        batch->commands[i].data = NULL;
    }

    ngx_http_og_redis_arm(link, deadline);
    ngx_post_event(&link->flush, &ngx_posted_events);
}


static ngx_int_t
ngx_http_og_redis_append(ngx_http_og_redis_t *link, ngx_str_t *text)
{
    ngx_buf_t                  *b;
    ngx_http_og_redis_block_t  *block;

    b = link->last ? link->last->buf : NULL;

    if (b == NULL || (size_t) (b->end - b->last) < text->len) {

        block = ngx_http_og_redis_get_block(link, text->len);
        if (block == NULL) {
            return NGX_ERROR;
        }

        if (link->last) {
            link->last->next = &block->cl;

        } else {
            link->out = &block->cl;
        }

        link->last = &block->cl;
        b = &block->buf;
    }

    b->last = ngx_cpymem(b->last, text->data, text->len);

    link->unsent += text->len;
    link->offset += text->len;

    return NGX_OK;
}


static ngx_http_og_redis_block_t *
ngx_http_og_redis_get_block(ngx_http_og_redis_t *link, size_t size)
{
    u_char                     *p;
    ngx_http_og_redis_block_t  *block;

    size = ngx_max(size, NGX_HTTP_OG_REDIS_BLOCK_SIZE);

    if (size == NGX_HTTP_OG_REDIS_BLOCK_SIZE && link->spare) {
        block = link->spare;
        link->spare = NULL;

    } else {
        block = ngx_alloc(sizeof(ngx_http_og_redis_block_t) + size,
                          &link->log);
        if (block == NULL) {
            return NULL;
        }
    }

    ngx_memzero(block, sizeof(ngx_http_og_redis_block_t));

    p = (u_char *) block + sizeof(ngx_http_og_redis_block_t);

    block->cl.buf = &block->buf;
    block->buf.start = p;
    block->buf.pos = p;
    block->buf.last = p;
    block->buf.end = p + size;
    block->buf.temporary = 1;

    return block;
}


static void
ngx_http_og_redis_free_block(ngx_http_og_redis_t *link, ngx_chain_t *cl)
{
    ngx_http_og_redis_block_t  *block;

    block = (ngx_http_og_redis_block_t *) cl;

    if (link->spare == NULL
        && block->buf.end - block->buf.start == NGX_HTTP_OG_REDIS_BLOCK_SIZE)
    {
        link->spare = block;
        return;
    }

    ngx_free(block);
}


static void
ngx_http_og_redis_flush_handler(ngx_event_t *ev)
{
    ngx_http_og_redis_t  *link;

    link = ev->data;

    ngx_http_og_redis_write(link);
    ngx_http_og_redis_dispatch(link);
}


static void
ngx_http_og_redis_write_handler(ngx_event_t *wev)
{
    ngx_connection_t     *c;
    ngx_http_og_redis_t  *link;

    c = wev->data;
    link = c->data;

    if (wev->timedout) {
        ngx_http_og_redis_fail(link, NGX_ETIMEDOUT, "connecting timed out");

    } else if (link->state == NGX_HTTP_OG_REDIS_CONNECTING) {
        ngx_http_og_redis_connected(link);

    } else {
        ngx_http_og_redis_write(link);
    }

    ngx_http_og_redis_dispatch(link);
}


static void
ngx_http_og_redis_write(ngx_http_og_redis_t *link)
{
    off_t              sent;
    ngx_chain_t       *cl, *rest;
    ngx_connection_t  *c;

    c = link->peer.connection;

    if (c == NULL || link->out == NULL || !c->write->ready) {
        return;
    }

    sent = c->sent;

    rest = c->send_chain(c, link->out, 0);

    if (rest == NGX_CHAIN_ERROR) {
        ngx_http_og_redis_fail(link, ngx_socket_errno, "send() failed");
        return;
    }

    link->unsent -= (size_t) (c->sent - sent);

    while (link->out != rest) {
        cl = link->out;
        link->out = cl->next;
        ngx_http_og_redis_free_block(link, cl);
    }

    if (link->out == NULL) {
        link->last = NULL;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_http_og_redis_fail(link, 0, "waiting for a write event failed");
    }
}


static void
ngx_http_og_redis_read_handler(ngx_event_t *rev)
{
    ngx_connection_t     *c;
    ngx_http_og_redis_t  *link;

    c = rev->data;
    link = c->data;

    if (c->close) {

        /* set once, when the worker is told to leave, or must leave */

        c->close = 0;

        if (ngx_http_og_redis_may_leave(link)) {
            ngx_http_og_redis_leave(link);
        }

        return;
    }

    if (link->state == NGX_HTTP_OG_REDIS_CONNECTING) {
        ngx_http_og_redis_connected(link);

    } else {
        ngx_http_og_redis_read(link);
    }

    ngx_http_og_redis_dispatch(link);
}


static void
ngx_http_og_redis_read(ngx_http_og_redis_t *link)
{
    ssize_t            n;
    ngx_connection_t  *c;

    static u_char      data[NGX_HTTP_OG_REDIS_READ_SIZE];

    c = link->peer.connection;

    while (c->read->ready) {

        n = c->recv(c, data, sizeof(data));

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == 0) {
            ngx_http_og_redis_fail(link, 0, "the server closed it");
            return;
        }

        if (n == NGX_ERROR) {
            ngx_http_og_redis_fail(link, ngx_socket_errno, "recv() failed");
            return;
        }

        if (ngx_http_og_redis_parse(link, data, n) != NGX_OK) {
            return;
        }
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_og_redis_fail(link, 0, "waiting for a read event failed");
    }
}


static ngx_int_t
ngx_http_og_redis_parse(ngx_http_og_redis_t *link, u_char *data, size_t len)
{
    void  *reply;

    link->heard = ngx_current_msec;
    link->timeouts = 0;
    link->unparsed += len;

    if (redisReaderFeed(link->reader, (char *) data, len) != REDIS_OK) {
        ngx_http_og_redis_fail(link, 0, "no memory for a reply");
        return NGX_ERROR;
    }

    for ( ;; ) {

        reply = NULL;

        if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
            ngx_http_og_redis_fail(link, 0, "it sent what is no reply");
            return NGX_ERROR;
        }

        if (reply == NULL) {
            break;
        }

        link->unparsed = link->reader->len - link->reader->pos;

        if (ngx_http_og_redis_take_reply(link, reply) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (link->unparsed > 2 * NGX_HTTP_OG_REDIS_MAX_BYTES) {
        ngx_http_og_redis_fail(link, 0, "it sent a reply beyond all bounds");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_take_reply(ngx_http_og_redis_t *link, redisReply *reply)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    if (ngx_queue_empty(&link->owed)) {
        freeReplyObject(reply);
        ngx_http_og_redis_fail(link, 0, "it sent a reply to nothing");
        return NGX_ERROR;
    }

    q = ngx_queue_head(&link->owed);
    batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

    batch->replies[batch->nreplies++] = reply;

    if (batch->nreplies == batch->ncommands) {
        ngx_http_og_redis_finish(link, batch, NGX_HTTP_OG_REDIS_ANSWERED);
    }

    return NGX_OK;
}


static void
ngx_http_og_redis_finish(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_http_og_redis_outcome_e outcome)
{
    batch->outcome = outcome;

    ngx_queue_remove(&batch->queue);
    ngx_queue_insert_tail(&link->done, &batch->queue);
    link->nbatches--;
}


static void
ngx_http_og_redis_dispatch(ngx_http_og_redis_t *link)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    while (!ngx_queue_empty(&link->notices)) {
        q = ngx_queue_head(&link->notices);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, notice);

        ngx_queue_remove(q);

        batch->handler(batch);
    }

    while (!ngx_queue_empty(&link->done)) {
        q = ngx_queue_head(&link->done);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        ngx_queue_remove(q);

        batch->handler(batch);
        ngx_http_og_redis_batch_free(batch);
    }

    if (ngx_exiting && ngx_http_og_redis_may_leave(link)) {
        ngx_http_og_redis_leave(link);
    }
}


static void
ngx_http_og_redis_arm(ngx_http_og_redis_t *link, ngx_msec_t deadline)
{
    ngx_msec_int_t  delay;

    if (link->deadline.timer_set) {

        if ((ngx_msec_int_t) (deadline - link->deadline.timer.key) >= 0) {
            return;
        }

        /* a set timer is not moved by less than nginx's lazy delay */

        ngx_del_timer(&link->deadline);
    }

    delay = (ngx_msec_int_t) (deadline - ngx_current_msec);

    ngx_add_timer(&link->deadline, (ngx_msec_t) ngx_max(delay, 1));
}


static void
ngx_http_og_redis_deadline_handler(ngx_event_t *ev)
{
    ngx_http_og_redis_t  *link;

    link = ev->data;

    ngx_http_og_redis_expire_waiting(link);
    ngx_http_og_redis_expire(link);

    if (ngx_http_og_redis_is_silent(link)) {
        ngx_http_og_redis_fail(link, NGX_ETIMEDOUT, "it has gone silent");
    }

    ngx_http_og_redis_dispatch(link);
    ngx_http_og_redis_rearm(link);
}


/* A batch whose reply is late keeps its place: replies come in order. */

static void
ngx_http_og_redis_expire(ngx_http_og_redis_t *link)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    for (q = ngx_queue_head(&link->owed);
         q != ngx_queue_sentinel(&link->owed);
         q = ngx_queue_next(q))
    {
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        if (batch->late
            || (ngx_msec_int_t) (batch->deadline - ngx_current_msec) > 0)
        {
            continue;
        }

        batch->late = 1;
        batch->outcome = NGX_HTTP_OG_REDIS_TIMED_OUT;
        ngx_queue_insert_tail(&link->notices, &batch->notice);

        link->timeouts++;
    }

    if (!ngx_queue_empty(&link->notices)) {
        ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_LINK, NGX_LOG_ERR,
                              NGX_ETIMEDOUT, "has not answered in %M ms",
                              link->conf->timeout);
    }
}


static void
ngx_http_og_redis_expire_waiting(ngx_http_og_redis_t *link)
{
    ngx_queue_t                *q, *next;
    ngx_http_og_redis_batch_t  *batch;

    for (q = ngx_queue_head(&link->waiting);
         q != ngx_queue_sentinel(&link->waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        if ((ngx_msec_int_t) (batch->deadline - ngx_current_msec) <= 0) {
            ngx_http_og_redis_finish(link, batch, NGX_HTTP_OG_REDIS_UNSENT);
            }
    }
}


static ngx_uint_t
ngx_http_og_redis_is_silent(ngx_http_og_redis_t *link)
{
    ngx_msec_t  limit;

    if (ngx_queue_empty(&link->owed)) {
        return 0;
    }

    limit = (ngx_exiting ? NGX_HTTP_OG_REDIS_EXIT_SILENCE
                         : NGX_HTTP_OG_REDIS_SILENCE) * link->conf->timeout;

    return (ngx_msec_int_t) (ngx_current_msec - link->heard - limit) >= 0;
}


/* Looks again at the next deadline, and each timeout while a reply is owed. */

static void
ngx_http_og_redis_rearm(ngx_http_og_redis_t *link)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    for (q = ngx_queue_head(&link->owed);
         q != ngx_queue_sentinel(&link->owed);
         q = ngx_queue_next(q))
    {
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        if (!batch->late) {
            ngx_http_og_redis_arm(link, batch->deadline);
        }
    }

    for (q = ngx_queue_head(&link->waiting);
         q != ngx_queue_sentinel(&link->waiting);
         q = ngx_queue_next(q))
    {
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);
        ngx_http_og_redis_arm(link, batch->deadline);
    }

    if (!ngx_queue_empty(&link->owed)) {
        ngx_http_og_redis_arm(link, ngx_current_msec + link->conf->timeout);
    }
}


void
ngx_http_og_redis_fail(ngx_http_og_redis_t *link, ngx_err_t err,
    const char *what)
{
    ngx_http_og_redis_state_e  state;

    state = link->state;

    ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_LINK, NGX_LOG_ERR, err,
                          "lost its connection to %V: %s",
                          &link->conf->addrs[link->naddr].name, what);

    ngx_http_og_redis_close(link);

    link->closed++;

    if (state != NGX_HTTP_OG_REDIS_READY) {
        link->naddr = (link->naddr + 1) % link->conf->naddrs;

        if (link->naddr == 0) {
            link->failures++;
        }
    }

    if (link->failures >= NGX_HTTP_OG_REDIS_MAX_FAILURES) {
        ngx_http_og_redis_refuse_waiting(link);
    }

    ngx_http_og_redis_schedule(link);

    /* the handlers are called by whoever runs next */

    ngx_post_event(&link->flush, &ngx_posted_events);
}


static void
ngx_http_og_redis_close(ngx_http_og_redis_t *link)
{
    ngx_chain_t       *cl;
    ngx_connection_t  *c;

    c = link->peer.connection;

    if (c != NULL) {
        ngx_http_og_redis_abandon(link);
        ngx_close_connection(c);
        link->peer.connection = NULL;
    }

    link->state = NGX_HTTP_OG_REDIS_DOWN;

    if (link->flush.posted) {
        ngx_delete_posted_event(&link->flush);
    }

    while (link->out) {
        cl = link->out;
        link->out = cl->next;
        ngx_http_og_redis_free_block(link, cl);
    }

    link->last = NULL;
    link->unsent = 0;
    link->timeouts = 0;

    if (link->reader) {
        redisReaderFree(link->reader);
        link->reader = NULL;
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
ngx_http_og_redis_schedule(ngx_http_og_redis_t *link)
{
    ngx_msec_t  delay;

    if (link->naddr != 0 || link->failures == 0) {
        delay = NGX_HTTP_OG_REDIS_FIRST_RETRY / 2;

    } else if (link->failures > 7) {
        delay = NGX_HTTP_OG_REDIS_LAST_RETRY;

    } else {
        delay = NGX_HTTP_OG_REDIS_FIRST_RETRY << (link->failures - 1);
    }

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


static ngx_uint_t
ngx_http_og_redis_may_leave(ngx_http_og_redis_t *link)
{
    return link->nbatches == 0 && !link->owner->busy(link->data);
}


static void
ngx_http_og_redis_leave(ngx_http_og_redis_t *link)
{
    if (link->peer.connection == NULL) {
        return;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, &link->log, 0,
                   "order guard store \"%V\": leaving", &link->conf->name);

    ngx_http_og_redis_close(link);
}


void
ngx_http_og_redis_log(ngx_http_og_redis_t *link, ngx_http_og_redis_log_e kind,
    ngx_uint_t level, ngx_err_t err, const char *fmt, ...)
{
    u_char      text[NGX_MAX_ERROR_STR / 4], *last;
    va_list     args;
    ngx_str_t   line;
    ngx_uint_t  withheld;

    if (link->logged[kind].used
        && ngx_current_msec - link->logged[kind].time
           < NGX_HTTP_OG_REDIS_LOG_PERIOD)
    {
        link->logged[kind].withheld++;
        return;
    }

    va_start(args, fmt);
    last = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    line.data = text;
    line.len = last - text;

    withheld = link->logged[kind].withheld;

    link->logged[kind].used = 1;
    link->logged[kind].time = ngx_current_msec;
    link->logged[kind].withheld = 0;

    if (withheld) {
        ngx_log_error(level, &link->log, err,
                      "store \"%V\" %V (%ui more since the last such line)",
                      &link->conf->name, &line, withheld);
        return;
    }

    ngx_log_error(level, &link->log, err, "store \"%V\" %V",
                  &link->conf->name, &line);
}
