
/*
 * Copyright (C) order guard contributors
 *
 * Who is the master: a sentinel is asked when a round of connecting begins,
 * and tells by itself when it has made another server the master.
 *
 * In RESP2 who has subscribed may not ask, so one batch ends the subscription,
 * asks, and subscribes again; Redis runs what comes in one read in one go.
 *
 * A sentinel that was cut off from the others tells what was so before.  The
 * server that it names is asked for its role, and where that led to no master
 * the next sentinel is asked.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_link.h"
#include "ngx_http_og_sentinel.h"


#define NGX_HTTP_OG_SENTINEL_EVENT    "+switch-master"

/* The replies of a batch. */
#define NGX_HTTP_OG_SENTINEL_MASTER   1
#define NGX_HTTP_OG_SENTINEL_LISTENS  2
#define NGX_HTTP_OG_SENTINEL_REPLIES  3

/* A sentinel that has vanished without a word is noticed. */
#define NGX_HTTP_OG_SENTINEL_PERIOD   10000     /* ms */


struct ngx_http_og_sentinel_s {
    /* timers' debug lines read ident, which stands as in ngx_connection_t */
    ngx_http_og_sentinel_conf_t      *conf;
    ngx_http_og_redis_t              *link;     /* to the sentinel */
    ngx_http_og_redis_t              *data;     /* to the master */
    ngx_socket_t                      ident;    /* -1 */

    ngx_event_t                       period;   /* cancelable */

    ngx_msec_t                        deadline; /* of who wants to know */
    ngx_uint_t                        asked;    /* sentinels, for that */

    ngx_http_og_redis_resolve_t       names;    /* of the master */
    ngx_http_og_redis_host_t          master;
    u_char                            name[NGX_MAXHOSTNAMELEN];

    unsigned                          wanted:1; /* data has no address */
    unsigned                          asking:1; /* a batch is on its way */
    unsigned                          changed:1;    /* meanwhile */
    unsigned                          used:1;   /* its word was tried since
                                                   it was asked first */
};


static void ngx_http_og_sentinel_on_ready(void *data);
static ngx_uint_t ngx_http_og_sentinel_is_busy(void *data);
static void ngx_http_og_sentinel_on_push(void *data, redisReply *message);
static void ngx_http_og_sentinel_period_handler(ngx_event_t *ev);
static void ngx_http_og_sentinel_locate(ngx_http_og_redis_t *link);
static void ngx_http_og_sentinel_cancel(ngx_http_og_redis_t *link);
static void ngx_http_og_sentinel_ask(ngx_http_og_sentinel_t *sentinel);
static ngx_http_og_redis_batch_t *ngx_http_og_sentinel_question(
    ngx_http_og_sentinel_t *sentinel);
static void ngx_http_og_sentinel_answered(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_sentinel_ask_again(ngx_http_og_sentinel_t *sentinel);
static void ngx_http_og_sentinel_read(ngx_http_og_sentinel_t *sentinel,
    ngx_http_og_redis_batch_t *batch);
static ngx_int_t ngx_http_og_sentinel_read_master(
    ngx_http_og_sentinel_t *sentinel, redisReply *reply);
static void ngx_http_og_sentinel_resolved(ngx_http_og_redis_resolve_t *names,
    ngx_addr_t *addrs, ngx_uint_t naddrs);
static void ngx_http_og_sentinel_tell(ngx_http_og_sentinel_t *sentinel,
    ngx_addr_t *addrs, ngx_uint_t naddrs);
static void ngx_http_og_sentinel_follow(ngx_http_og_sentinel_t *sentinel,
    ngx_addr_t *addrs, ngx_uint_t naddrs);


static const ngx_http_og_redis_owner_t  ngx_http_og_sentinel_owner = {
    ngx_http_og_sentinel_on_ready,
    NULL,
    NULL,
    ngx_http_og_sentinel_is_busy,
    NULL,
    ngx_http_og_sentinel_on_push
};


static const ngx_http_og_redis_locator_t  ngx_http_og_sentinel_locator = {
    ngx_http_og_sentinel_locate,
    ngx_http_og_sentinel_cancel
};


ngx_http_og_sentinel_t *
ngx_http_og_sentinel_create(ngx_http_og_sentinel_conf_t *conf,
    ngx_http_og_redis_conf_t *data, ngx_cycle_t *cycle)
{
    ngx_http_og_sentinel_t  *sentinel;

    sentinel = ngx_pcalloc(cycle->pool, sizeof(ngx_http_og_sentinel_t));
    if (sentinel == NULL) {
        return NULL;
    }

    sentinel->conf = conf;
    sentinel->ident = (ngx_socket_t) -1;

    sentinel->names.handler = ngx_http_og_sentinel_resolved;
    sentinel->names.data = sentinel;

    sentinel->period.handler = ngx_http_og_sentinel_period_handler;
    sentinel->period.data = sentinel;
    sentinel->period.log = cycle->log;
    sentinel->period.cancelable = 1;

    sentinel->link = ngx_http_og_redis_create(&conf->conf,
                                              &ngx_http_og_sentinel_owner,
                                              sentinel, cycle->pool,
                                              cycle->log);
    if (sentinel->link == NULL) {
        return NULL;
    }

    ngx_add_timer(&sentinel->period, NGX_HTTP_OG_SENTINEL_PERIOD);

    data->locator = &ngx_http_og_sentinel_locator;
    data->locator_data = sentinel;

    return sentinel;
}


void
ngx_http_og_sentinel_destroy(ngx_http_og_sentinel_t *sentinel)
{
    ngx_http_og_redis_resolve_end(&sentinel->names);

    if (sentinel->period.timer_set) {
        ngx_del_timer(&sentinel->period);
    }

    ngx_http_og_redis_destroy(sentinel->link);
}


/* What it has told while there was no connection to it is not known. */

static void
ngx_http_og_sentinel_on_ready(void *data)
{
    ngx_http_og_sentinel_t  *sentinel;

    sentinel = data;
    sentinel->used = 0;

    ngx_http_og_sentinel_ask(sentinel);
}


static ngx_uint_t
ngx_http_og_sentinel_is_busy(void *data)
{
    ngx_http_og_sentinel_t  *sentinel;

    sentinel = data;

    return sentinel->data && !ngx_http_og_redis_may_leave(sentinel->data);
}


/* "service old-address old-port new-address new-port" */

static void
ngx_http_og_sentinel_on_push(void *data, redisReply *message)
{
    size_t                   len;
    ngx_http_og_sentinel_t  *sentinel;

    sentinel = data;
    len = sentinel->conf->service.len;

    if ((size_t) message->element[2]->len <= len
        || ngx_memcmp(message->element[2]->str, sentinel->conf->service.data,
                      len)
           != 0
        || message->element[2]->str[len] != ' ')
    {
        return;
    }

    sentinel->used = 0;

    /* what is being answered may have been so before */

    sentinel->changed = sentinel->asking;

    ngx_http_og_sentinel_ask(sentinel);
}


static void
ngx_http_og_sentinel_period_handler(ngx_event_t *ev)
{
    ngx_http_og_sentinel_t  *sentinel;

    sentinel = ev->data;

    if (ngx_exiting) {
        return;
    }

    ngx_add_timer(ev, NGX_HTTP_OG_SENTINEL_PERIOD);

    if (ngx_http_og_redis_is_ready(sentinel->link)) {
        ngx_http_og_sentinel_ask(sentinel);
    }
}


static void
ngx_http_og_sentinel_locate(ngx_http_og_redis_t *link)
{
    ngx_http_og_sentinel_t  *sentinel;

    sentinel = link->conf->locator_data;

    sentinel->data = link;
    sentinel->wanted = 1;
    sentinel->asked = 0;
    sentinel->deadline = ngx_current_msec + link->conf->connect_timeout;

    if (sentinel->used && link->failures && sentinel->link->naddrs > 1) {

        /* why is the line of who was no master, which this must not be */

        ngx_http_og_redis_move(sentinel->link, NGX_LOG_DEBUG,
                               "its word led to no master, the next "
                               "sentinel is asked");
    }

    ngx_http_og_sentinel_ask(sentinel);
}


static void
ngx_http_og_sentinel_cancel(ngx_http_og_redis_t *link)
{
    ngx_http_og_sentinel_t  *sentinel;

    sentinel = link->conf->locator_data;
    sentinel->wanted = 0;

    ngx_http_og_redis_resolve_end(&sentinel->names);

    if (ngx_exiting && ngx_http_og_redis_may_leave(sentinel->link)) {
        ngx_http_og_redis_leave(sentinel->link);
    }
}


static void
ngx_http_og_sentinel_ask(ngx_http_og_sentinel_t *sentinel)
{
    ngx_msec_t                  deadline;
    ngx_http_og_redis_batch_t  *batch;

    if (sentinel->asking) {
        return;
    }

    deadline = sentinel->wanted ? sentinel->deadline
                                : ngx_current_msec
                                  + sentinel->conf->conf.timeout;

    sentinel->changed = 0;

    batch = ngx_http_og_sentinel_question(sentinel);

    if (batch == NULL
        || ngx_http_og_redis_submit(sentinel->link, batch, deadline)
           != NGX_OK)
    {
        ngx_http_og_sentinel_tell(sentinel, NULL, 0);
        return;
    }

    sentinel->asking = 1;
}


static ngx_http_og_redis_batch_t *
ngx_http_og_sentinel_question(ngx_http_og_sentinel_t *sentinel)
{
    ngx_str_t                   args[3];
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_batch_create(NGX_HTTP_OG_SENTINEL_REPLIES,
                                           ngx_http_og_sentinel_answered,
                                           sentinel);
    if (batch == NULL) {
        return NULL;
    }

    ngx_str_set(&args[0], "SENTINEL");
    ngx_str_set(&args[1], "GET-MASTER-ADDR-BY-NAME");
    args[2] = sentinel->conf->service;

    if (ngx_http_og_redis_say(batch, 2, "UNSUBSCRIBE",
                              NGX_HTTP_OG_SENTINEL_EVENT)
        != NGX_OK
        || ngx_http_og_redis_command(batch, args, 3) != NGX_OK
        || ngx_http_og_redis_say(batch, 2, "SUBSCRIBE",
                                 NGX_HTTP_OG_SENTINEL_EVENT)
           != NGX_OK)
    {
        ngx_http_og_redis_batch_free(batch);
        return NULL;
    }

    return batch;
}


static void
ngx_http_og_sentinel_answered(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_sentinel_t  *sentinel;

    sentinel = batch->data;

    switch (batch->outcome) {

    case NGX_HTTP_OG_REDIS_TIMED_OUT:

        /* it is LOST by this, and asked for again from there */

        ngx_http_og_redis_move(sentinel->link, NGX_LOG_ERR,
                               "it does not answer");
        return;

    case NGX_HTTP_OG_REDIS_ANSWERED:
        sentinel->asking = 0;

        if (sentinel->changed) {
            ngx_http_og_sentinel_ask(sentinel);

        } else {
            ngx_http_og_sentinel_read(sentinel, batch);
        }

        return;

    default: /* NGX_HTTP_OG_REDIS_LOST, NGX_HTTP_OG_REDIS_UNSENT */
        sentinel->asking = 0;
        ngx_http_og_sentinel_ask_again(sentinel);
    }
}


/* A sentinel was of no use; who wants to know may have time for another. */

static void
ngx_http_og_sentinel_ask_again(ngx_http_og_sentinel_t *sentinel)
{
    if (!sentinel->wanted) {
        return;
    }

    if ((ngx_msec_int_t) (sentinel->deadline - ngx_current_msec) <= 0) {
        ngx_http_og_sentinel_tell(sentinel, NULL, 0);
        return;
    }

    ngx_http_og_sentinel_ask(sentinel);
}


static void
ngx_http_og_sentinel_read(ngx_http_og_sentinel_t *sentinel,
    ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_redis_t  *link;

    link = sentinel->link;

    if (batch->replies[NGX_HTTP_OG_SENTINEL_LISTENS]->type
        != REDIS_REPLY_ARRAY)
    {
        ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_FAILURE, NGX_LOG_ERR,
                              0, "answered SUBSCRIBE with %s",
                              ngx_http_og_redis_code(
                              batch->replies[NGX_HTTP_OG_SENTINEL_LISTENS]));

    } else if (ngx_http_og_sentinel_read_master(sentinel,
                               batch->replies[NGX_HTTP_OG_SENTINEL_MASTER])
               == NGX_OK)
    {
        ngx_http_og_redis_resolve(&sentinel->names, &sentinel->master, 1,
                                  sentinel->conf->conf.resolver,
                                  sentinel->conf->conf.connect_timeout);
        return;
    }

    sentinel->asked++;

    if (!sentinel->wanted || sentinel->asked >= link->naddrs) {
        ngx_http_og_sentinel_tell(sentinel, NULL, 0);
        return;
    }

    ngx_http_og_redis_move(link, NGX_LOG_ERR, "it does not tell the master");
    ngx_http_og_sentinel_ask_again(sentinel);
}


static ngx_int_t
ngx_http_og_sentinel_read_master(ngx_http_og_sentinel_t *sentinel,
    redisReply *reply)
{
    ngx_int_t    port;
    redisReply  *host;

    if (reply->type == REDIS_REPLY_NIL) {
        ngx_http_og_redis_log(sentinel->link, NGX_HTTP_OG_REDIS_LOG_FAILURE,
                              NGX_LOG_ERR, 0, "knows no master \"%V\"",
                              &sentinel->conf->service);
        return NGX_DECLINED;
    }

    if (reply->type != REDIS_REPLY_ARRAY
        || reply->elements != 2
        || reply->element[0]->type != REDIS_REPLY_STRING
        || reply->element[1]->type != REDIS_REPLY_STRING)
    {
        ngx_http_og_redis_log(sentinel->link, NGX_HTTP_OG_REDIS_LOG_FAILURE,
                              NGX_LOG_ERR, 0, "answered SENTINEL with %s",
                              ngx_http_og_redis_code(reply));
        return NGX_DECLINED;
    }

    host = reply->element[0];
    port = ngx_atoi((u_char *) reply->element[1]->str,
                    reply->element[1]->len);

    if (host->len == 0
        || (size_t) host->len > sizeof(sentinel->name)
        || port < 1
        || port > 65535)
    {
        ngx_http_og_redis_log(sentinel->link, NGX_HTTP_OG_REDIS_LOG_FAILURE,
                              NGX_LOG_ERR, 0, "answered with no address");
        return NGX_DECLINED;
    }

    /* the one before may still be looked for, by a name that it had there */

    ngx_http_og_redis_resolve_end(&sentinel->names);

    ngx_memcpy(sentinel->name, host->str, host->len);

    sentinel->master.name.data = sentinel->name;
    sentinel->master.name.len = host->len;
    sentinel->master.port = (in_port_t) port;

    return NGX_OK;
}


static void
ngx_http_og_sentinel_resolved(ngx_http_og_redis_resolve_t *names,
    ngx_addr_t *addrs, ngx_uint_t naddrs)
{
    ngx_http_og_sentinel_t  *sentinel;

    sentinel = names->data;

    if (naddrs == 0) {
        ngx_http_og_redis_log(sentinel->link, NGX_HTTP_OG_REDIS_LOG_FAILURE,
                              NGX_LOG_ERR, 0, "named the master \"%V\", "
                              "which could not be resolved: %s",
                              names->failed, names->error);
    }

    ngx_http_og_sentinel_tell(sentinel, addrs, naddrs);
}


static void
ngx_http_og_sentinel_tell(ngx_http_og_sentinel_t *sentinel,
    ngx_addr_t *addrs, ngx_uint_t naddrs)
{
    if (!sentinel->wanted) {

        if (naddrs && sentinel->data) {
            ngx_http_og_sentinel_follow(sentinel, addrs, naddrs);
        }

        return;
    }

    sentinel->wanted = 0;

    if (naddrs == 0) {
        ngx_http_og_redis_not_located(sentinel->data,
                                      "no sentinel tells who the master is");
        return;
    }

    sentinel->used = 1;

    ngx_http_og_redis_located(sentinel->data, addrs, naddrs);
}


/* It was not asked for by a round of connecting: what it says may be new. */

static void
ngx_http_og_sentinel_follow(ngx_http_og_sentinel_t *sentinel,
    ngx_addr_t *addrs, ngx_uint_t naddrs)
{
    ngx_uint_t            i;
    ngx_http_og_redis_t  *link;

    link = sentinel->data;

    if (link->peer.connection != NULL) {

        for (i = 0; i < naddrs; i++) {

            if (ngx_cmp_sockaddr(link->peer.sockaddr, link->peer.socklen,
                                 addrs[i].sockaddr, addrs[i].socklen, 1)
                == NGX_OK)
            {
                return;
            }
        }

        ngx_http_og_redis_fail(link, 0, "another server is the master now");
    }

    ngx_http_og_redis_hurry(link);
}
