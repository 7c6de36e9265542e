
/*
 * Copyright (C) order guard contributors
 *
 * Bytes out and replies in.  Finished batches are put aside and their handlers
 * run at the end of an event handler, when the connection's own state is
 * settled: a handler may submit or fail.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_BLOCK_SIZE     16384
#define NGX_HTTP_OG_REDIS_READ_SIZE      16384

/* So much of what a server says stands in the log. */


/* Bytes on their way out; the data stands behind the block. */
struct ngx_http_og_redis_block_s {
    ngx_chain_t                  cl;
    ngx_buf_t                    buf;
};


static ngx_int_t ngx_http_og_redis_append(ngx_http_og_redis_t *link,
    ngx_str_t *text);
static ngx_http_og_redis_block_t *ngx_http_og_redis_get_block(
    ngx_http_og_redis_t *link, size_t size);
static void ngx_http_og_redis_free_block(ngx_http_og_redis_t *link,
    ngx_chain_t *cl);
static void ngx_http_og_redis_read(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_broke(ngx_http_og_redis_t *link,
    const char *what);
static ngx_int_t ngx_http_og_redis_parse(ngx_http_og_redis_t *link,
    u_char *data, size_t len);
static ngx_int_t ngx_http_og_redis_take_reply(ngx_http_og_redis_t *link,
    redisReply *reply);
static ngx_uint_t ngx_http_og_redis_is_push(redisReply *reply);


void
ngx_http_og_redis_send(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline)
{
    ngx_uint_t  i;

    batch->submitted = ngx_current_msec;
    batch->deadline = deadline;
    batch->offset = link->offset;
    batch->connection = link->number;
    batch->server = link->server_number;

    if (ngx_queue_empty(&link->owed)) {
        link->heard = ngx_current_msec;
    }

    ngx_queue_insert_tail(&link->owed, &batch->queue);
    link->nbatches++;

    if (batch->claims && link->conf->wait) {
        link->unwaited = 1;
    }

    for (i = 0; i < batch->ncommands; i++) {

        /* half a command in the stream would be a connection lost */

        if (ngx_http_og_redis_append(link, &batch->commands[i]) != NGX_OK) {
            ngx_http_og_redis_fail(link, NGX_ENOMEM, "no memory to send");
            break;
        }

        if (batch->routed) {
            continue;
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


void
ngx_http_og_redis_discard(ngx_http_og_redis_t *link)
{
    ngx_chain_t  *cl;

    while (link->out) {
        cl = link->out;
        link->out = cl->next;
        ngx_http_og_redis_free_block(link, cl);
    }

    link->last = NULL;
    link->unsent = 0;
}


void
ngx_http_og_redis_flush_handler(ngx_event_t *ev)
{
    ngx_http_og_redis_t  *link;

    link = ev->data;

    ngx_http_og_redis_say_wait(link);
    ngx_http_og_redis_write(link);
    ngx_http_og_redis_dispatch(link);
}


void
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
        ngx_http_og_redis_broke(link, "send() failed");
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


void
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

    if (!ngx_http_og_redis_establish(link)) {
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
            ngx_http_og_redis_hung_up(link, 0, "the server closed it");
            return;
        }

        if (n == NGX_ERROR) {
            ngx_http_og_redis_broke(link, "recv() failed");
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


static void
ngx_http_og_redis_broke(ngx_http_og_redis_t *link, const char *what)
{
    ngx_err_t    err;
#if (NGX_SSL)
    const char  *alert;
#endif

    err = ngx_socket_errno;

#if (NGX_SSL)
    alert = ngx_http_og_redis_tls_alert(link);

    if (alert) {
        err = 0;
        what = alert;
    }
#endif

    ngx_http_og_redis_hung_up(link, err, what);
}


static ngx_int_t
ngx_http_og_redis_parse(ngx_http_og_redis_t *link, u_char *data, size_t len)
{
    void  *reply;

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

    /* commands that are refused did not run: so much is known by now */

    if (link->unfit) {
        ngx_http_og_redis_fail(link, 0, link->unfit);
        return NGX_ERROR;
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

    if (link->owner->pushed && ngx_http_og_redis_is_push(reply)) {
        link->owner->pushed(link->data, reply);
        freeReplyObject(reply);
        return NGX_OK;
    }

    if (ngx_queue_empty(&link->owed)) {
        freeReplyObject(reply);
        ngx_http_og_redis_fail(link, 0, "it sent a reply to nothing");
        return NGX_ERROR;
    }

    /* bytes alone say nothing: they may belong to a reply without an end */

    link->heard = ngx_current_msec;

    q = ngx_queue_head(&link->owed);
    batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

    batch->replies[batch->nreplies++] = reply;

    batch->moved |= (link->owner->redirect != NULL
                     && ngx_http_og_redis_is_moved(reply));

    if (link->unfit == NULL) {
        link->unfit = ngx_http_og_redis_unfit(reply);
    }

    if (batch->nreplies < batch->ncommands) {
        return NGX_OK;
    }

    /* a server that is always late answers, and nobody has waited */

    if (!batch->late) {
        link->timeouts = 0;
    }

    if (ngx_http_og_redis_must_wait(link, batch)) {
        ngx_http_og_redis_hold_back(link, batch);
        return NGX_OK;
    }

    if (batch == link->wait) {
        ngx_http_og_redis_take_wait(link, reply);
    }

    ngx_http_og_redis_finish(link, batch, NGX_HTTP_OG_REDIS_ANSWERED);

    return NGX_OK;
}


/* In RESP2 only its shape tells a message from a reply. */

static ngx_uint_t
ngx_http_og_redis_is_push(redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY
           && reply->elements == 3
           && reply->element[0]->type == REDIS_REPLY_STRING
           && ngx_strcmp(reply->element[0]->str, "message") == 0
           && reply->element[1]->type == REDIS_REPLY_STRING
           && reply->element[2]->type == REDIS_REPLY_STRING;
}


void
ngx_http_og_redis_finish(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_http_og_redis_outcome_e outcome)
{
    batch->ending = outcome;

    ngx_queue_remove(&batch->queue);
    ngx_queue_insert_tail(&link->done, &batch->queue);
    link->nbatches--;
}


void
ngx_http_og_redis_dispatch(ngx_http_og_redis_t *link)
{
    ngx_queue_t                *q;
    ngx_http_og_redis_batch_t  *batch;

    while (!ngx_queue_empty(&link->notices)) {
        q = ngx_queue_head(&link->notices);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, notice);

        ngx_queue_remove(q);

        batch->outcome = NGX_HTTP_OG_REDIS_TIMED_OUT;
        batch->handler(batch);
    }

    while (!ngx_queue_empty(&link->done)) {
        q = ngx_queue_head(&link->done);
        batch = ngx_queue_data(q, ngx_http_og_redis_batch_t, queue);

        ngx_queue_remove(q);

        if (batch->ending == NGX_HTTP_OG_REDIS_ANSWERED
            && batch->moved
            && link->owner->redirect(link->data, batch))
        {
            continue;
        }

        ngx_http_og_redis_batch_end(batch, batch->ending);
    }

    if ((ngx_exiting || link->retired) && ngx_http_og_redis_may_leave(link)) {
        ngx_http_og_redis_leave(link);
    }
}
