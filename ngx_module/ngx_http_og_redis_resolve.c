
/*
 * Copyright (C) order guard contributors
 *
 * Names resolved at run time.  All hosts are asked for at one time: a silent
 * name server of one must not cost the others' time.
 */


#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_RESOLVE_POOL   1024
#define NGX_HTTP_OG_REDIS_RESOLVE_TEXT   (NGX_MAXHOSTNAMELEN + 64)


struct ngx_http_og_redis_answer_s {
    ngx_http_og_redis_resolve_t     *rv;
    ngx_http_og_redis_host_t        *host;
    ngx_resolver_ctx_t              *ctx;       /* while it is asked for */
    ngx_addr_t                      *addrs;
    ngx_uint_t                       naddrs;
};


static void ngx_http_og_redis_locate(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_located_names(ngx_http_og_redis_resolve_t *rv,
    ngx_addr_t *addrs, ngx_uint_t naddrs);
static void ngx_http_og_redis_cancel(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_resolve_host(ngx_http_og_redis_answer_t *answer,
    ngx_resolver_t *resolver, ngx_msec_t timeout);
static ngx_int_t ngx_http_og_redis_resolve_known(
    ngx_http_og_redis_answer_t *answer);
static ngx_int_t ngx_http_og_redis_ask_resolver(
    ngx_http_og_redis_answer_t *answer, ngx_resolver_t *resolver,
    ngx_msec_t timeout);
static void ngx_http_og_redis_resolve_handler(ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_http_og_redis_take_addrs(
    ngx_http_og_redis_answer_t *answer, ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_http_og_redis_name_addr(ngx_pool_t *pool,
    ngx_addr_t *addr, in_port_t port);
static void ngx_http_og_redis_resolve_failed(
    ngx_http_og_redis_answer_t *answer, const char *error);
static void ngx_http_og_redis_resolve_answered(
    ngx_http_og_redis_resolve_t *rv);


const ngx_http_og_redis_locator_t  ngx_http_og_redis_by_name = {
    ngx_http_og_redis_locate,
    ngx_http_og_redis_cancel
};


static void
ngx_http_og_redis_locate(ngx_http_og_redis_t *link)
{
    ngx_http_og_redis_conf_t  *conf;

    conf = link->conf;

    link->names.handler = ngx_http_og_redis_located_names;
    link->names.data = link;

    ngx_http_og_redis_resolve(&link->names, conf->hosts, conf->nhosts,
                              conf->resolver, conf->connect_timeout);
}


static void
ngx_http_og_redis_located_names(ngx_http_og_redis_resolve_t *rv,
    ngx_addr_t *addrs, ngx_uint_t naddrs)
{
    u_char  text[NGX_HTTP_OG_REDIS_RESOLVE_TEXT];

    if (naddrs != 0) {
        ngx_http_og_redis_located(rv->data, addrs, naddrs);
        return;
    }

    *ngx_snprintf(text, sizeof(text) - 1, "\"%V\" could not be resolved: %s",
                  rv->failed, rv->error) = '\0';

    ngx_http_og_redis_not_located(rv->data, (char *) text);
}


static void
ngx_http_og_redis_cancel(ngx_http_og_redis_t *link)
{
    ngx_http_og_redis_resolve_end(&link->names);
}


void
ngx_http_og_redis_resolve(ngx_http_og_redis_resolve_t *rv,
    ngx_http_og_redis_host_t *hosts, ngx_uint_t nhosts,
    ngx_resolver_t *resolver, ngx_msec_t timeout)
{
    ngx_uint_t  i;

    ngx_http_og_redis_resolve_end(rv);

    rv->failed = &hosts[0].name;
    rv->error = "no memory";

    rv->pool = ngx_create_pool(NGX_HTTP_OG_REDIS_RESOLVE_POOL,
                               ngx_cycle->log);
    if (rv->pool == NULL) {
        rv->handler(rv, NULL, 0);
        return;
    }

    rv->answers = ngx_pcalloc(rv->pool,
                              nhosts * sizeof(ngx_http_og_redis_answer_t));
    if (rv->answers == NULL) {
        rv->handler(rv, NULL, 0);
        return;
    }

    rv->nanswers = nhosts;

    /* those that answer at once do not end it before all are asked */

    rv->pending = nhosts + 1;

    for (i = 0; i < nhosts; i++) {
        rv->answers[i].rv = rv;
        rv->answers[i].host = &hosts[i];

        ngx_http_og_redis_resolve_host(&rv->answers[i], resolver, timeout);
    }

    ngx_http_og_redis_resolve_answered(rv);
}


static void
ngx_http_og_redis_resolve_host(ngx_http_og_redis_answer_t *answer,
    ngx_resolver_t *resolver, ngx_msec_t timeout)
{
    ngx_int_t  rc;

    rc = ngx_http_og_redis_resolve_known(answer);

    if (rc == NGX_OK) {
        ngx_http_og_redis_resolve_answered(answer->rv);
        return;
    }

    if (rc == NGX_DECLINED && resolver == NULL) {
        ngx_http_og_redis_resolve_failed(answer, "no resolver is configured");
        return;
    }

    if (rc == NGX_ERROR
        || ngx_http_og_redis_ask_resolver(answer, resolver, timeout)
           != NGX_OK)
    {
        ngx_http_og_redis_resolve_failed(answer, "no memory");
    }
}


static ngx_int_t
ngx_http_og_redis_resolve_known(ngx_http_og_redis_answer_t *answer)
{
    ngx_int_t                  rc;
    ngx_addr_t                *addr;
    ngx_pool_t                *pool;
    ngx_http_og_redis_host_t  *host;

    host = answer->host;

    if (host->naddrs) {
        answer->addrs = host->addrs;
        answer->naddrs = host->naddrs;
        return NGX_OK;
    }

    pool = answer->rv->pool;

    addr = ngx_palloc(pool, sizeof(ngx_addr_t));
    if (addr == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_parse_addr(pool, addr, host->name.data, host->name.len);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_og_redis_name_addr(pool, addr, host->port) != NGX_OK) {
        return NGX_ERROR;
    }

    answer->addrs = addr;
    answer->naddrs = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_ask_resolver(ngx_http_og_redis_answer_t *answer,
    ngx_resolver_t *resolver, ngx_msec_t timeout)
{
    ngx_resolver_ctx_t  *ctx;

    ctx = ngx_resolve_start(resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        return NGX_ERROR;
    }

    ctx->name = answer->host->name;
    ctx->handler = ngx_http_og_redis_resolve_handler;
    ctx->data = answer;
    ctx->timeout = timeout;

    /* who waits for the connection keeps a leaving worker, nobody else */

    ctx->cancelable = 1;

    answer->ctx = ctx;

    /* it frees the context when it fails */

    if (ngx_resolve_name(ctx) != NGX_OK) {
        answer->ctx = NULL;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_og_redis_resolve_handler(ngx_resolver_ctx_t *ctx)
{
    const char                  *error;
    ngx_http_og_redis_answer_t  *answer;

    answer = ctx->data;
    answer->ctx = NULL;

    if (ctx->state != NGX_OK) {
        error = ngx_resolver_strerror(ctx->state);

    } else if (ngx_http_og_redis_take_addrs(answer, ctx) != NGX_OK) {
        error = "no memory";

    } else {
        error = NULL;
    }

    ngx_resolve_name_done(ctx);

    if (error) {
        ngx_http_og_redis_resolve_failed(answer, error);
        return;
    }

    ngx_http_og_redis_resolve_answered(answer->rv);
}


static ngx_int_t
ngx_http_og_redis_take_addrs(ngx_http_og_redis_answer_t *answer,
    ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t   i;
    ngx_addr_t  *addr;
    ngx_pool_t  *pool;

    pool = answer->rv->pool;

    answer->addrs = ngx_palloc(pool, ctx->naddrs * sizeof(ngx_addr_t));
    if (answer->addrs == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < ctx->naddrs; i++) {

        addr = &answer->addrs[i];

        addr->socklen = ctx->addrs[i].socklen;
        addr->sockaddr = ngx_palloc(pool, addr->socklen);
        if (addr->sockaddr == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(addr->sockaddr, ctx->addrs[i].sockaddr, addr->socklen);

        if (ngx_http_og_redis_name_addr(pool, addr, answer->host->port)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    answer->naddrs = ctx->naddrs;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_name_addr(ngx_pool_t *pool, ngx_addr_t *addr,
    in_port_t port)
{
    addr->name.data = ngx_pnalloc(pool, NGX_SOCKADDR_STRLEN);
    if (addr->name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_inet_set_port(addr->sockaddr, port);

    addr->name.len = ngx_sock_ntop(addr->sockaddr, addr->socklen,
                                   addr->name.data, NGX_SOCKADDR_STRLEN, 1);

    return NGX_OK;
}


static void
ngx_http_og_redis_resolve_failed(ngx_http_og_redis_answer_t *answer,
    const char *error)
{
    answer->rv->failed = &answer->host->name;
    answer->rv->error = error;

    ngx_http_og_redis_resolve_answered(answer->rv);
}


/* The last thing that is done for an answer: rv may be in use anew. */

static void
ngx_http_og_redis_resolve_answered(ngx_http_og_redis_resolve_t *rv)
{
    ngx_uint_t   i, n;
    ngx_addr_t  *addrs;

    rv->pending--;

    if (rv->pending) {
        return;
    }

    n = 0;

    for (i = 0; i < rv->nanswers; i++) {
        n += rv->answers[i].naddrs;
    }

    if (n == 0) {
        rv->handler(rv, NULL, 0);
        return;
    }

    addrs = ngx_palloc(rv->pool, n * sizeof(ngx_addr_t));
    if (addrs == NULL) {
        rv->error = "no memory";
        rv->handler(rv, NULL, 0);
        return;
    }

    n = 0;

    for (i = 0; i < rv->nanswers; i++) {

        if (rv->answers[i].naddrs) {
            ngx_memcpy(&addrs[n], rv->answers[i].addrs,
                       rv->answers[i].naddrs * sizeof(ngx_addr_t));
            n += rv->answers[i].naddrs;
        }
    }

    rv->handler(rv, addrs, n);
}


void
ngx_http_og_redis_resolve_end(ngx_http_og_redis_resolve_t *rv)
{
    ngx_uint_t  i;

    for (i = 0; i < rv->nanswers; i++) {

        if (rv->answers[i].ctx) {
            ngx_resolve_name_done(rv->answers[i].ctx);
        }
    }

    rv->nanswers = 0;

    if (rv->pool) {
        ngx_destroy_pool(rv->pool);
        rv->pool = NULL;
    }
}
