
/*
 * Copyright (C) order guard contributors
 *
 * Rounds of connecting: a round finds out the addresses, where they are not
 * fixed, and tries each of them once.  A round in vain is one failure.
 */


#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_LAST_RETRY     2000    /* ms */
#define NGX_HTTP_OG_REDIS_MAX_DOUBLINGS  8

#define NGX_HTTP_OG_REDIS_MAX_ADDRS      64
#define NGX_HTTP_OG_REDIS_ADDRS_POOL     1024


static ngx_int_t ngx_http_og_redis_keep_addrs(ngx_http_og_redis_t *link,
    ngx_addr_t *addrs, ngx_uint_t naddrs);
static ngx_int_t ngx_http_og_redis_copy_addr(ngx_pool_t *pool,
    ngx_addr_t *to, ngx_addr_t *from);
static void ngx_http_og_redis_round_failed(ngx_http_og_redis_t *link);


void
ngx_http_og_redis_go_on(ngx_http_og_redis_t *link)
{
    if (link->tried == 0 && link->conf->locator) {
        link->state = NGX_HTTP_OG_REDIS_LOCATING;
        link->conf->locator->locate(link);
        return;
    }

    ngx_http_og_redis_connect(link);
}


void
ngx_http_og_redis_located(ngx_http_og_redis_t *link, ngx_addr_t *addrs,
    ngx_uint_t naddrs)
{
    if (link->state != NGX_HTTP_OG_REDIS_LOCATING) {
        return;
    }

    if (ngx_http_og_redis_keep_addrs(link, addrs, naddrs) != NGX_OK) {
        ngx_http_og_redis_not_located(link, "no memory for its addresses");
        return;
    }

    link->state = NGX_HTTP_OG_REDIS_DOWN;

    /* where nobody waits any more, the next submit begins anew */

    if (!(ngx_exiting || link->retired) || !ngx_http_og_redis_may_leave(link))
    {
        ngx_http_og_redis_connect(link);
    }
}


void
ngx_http_og_redis_not_located(ngx_http_og_redis_t *link, const char *what)
{
    if (link->state != NGX_HTTP_OG_REDIS_LOCATING) {
        return;
    }

    ngx_http_og_redis_log_end(link, NGX_LOG_ERR, 0, what);

    link->state = NGX_HTTP_OG_REDIS_DOWN;

    ngx_http_og_redis_round_failed(link);
    ngx_http_og_redis_ended(link);
}


/*
 * Whoever was given up last round is not the first of this one, where the
 * addresses have stayed the same.
 */

static ngx_int_t
ngx_http_og_redis_keep_addrs(ngx_http_og_redis_t *link, ngx_addr_t *addrs,
    ngx_uint_t naddrs)
{
    ngx_uint_t   i;
    ngx_addr_t  *kept;
    ngx_pool_t  *pool;

    naddrs = ngx_min(naddrs, NGX_HTTP_OG_REDIS_MAX_ADDRS);

    pool = ngx_create_pool(NGX_HTTP_OG_REDIS_ADDRS_POOL, &link->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    kept = ngx_palloc(pool, naddrs * sizeof(ngx_addr_t));
    if (kept == NULL) {
        goto failed;
    }

    for (i = 0; i < naddrs; i++) {
        if (ngx_http_og_redis_copy_addr(pool, &kept[i], &addrs[i])
            != NGX_OK)
        {
            goto failed;
        }
    }

    if (link->located) {
        ngx_destroy_pool(link->located);
    }

    link->located = pool;
    link->addrs = kept;
    link->naddrs = naddrs;

    if (link->naddr >= naddrs) {
        link->naddr = 0;
    }

    return NGX_OK;

failed:

    ngx_destroy_pool(pool);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_og_redis_copy_addr(ngx_pool_t *pool, ngx_addr_t *to,
    ngx_addr_t *from)
{
    to->socklen = from->socklen;
    to->name.len = from->name.len;

    to->sockaddr = ngx_palloc(pool, from->socklen);
    to->name.data = ngx_pnalloc(pool, from->name.len);

    if (to->sockaddr == NULL || to->name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(to->sockaddr, from->sockaddr, from->socklen);
    ngx_memcpy(to->name.data, from->name.data, from->name.len);

    return NGX_OK;
}


void
ngx_http_og_redis_next_address(ngx_http_og_redis_t *link)
{
    link->naddr = (link->naddr + 1) % link->naddrs;
    link->tried++;

    if (link->tried < link->naddrs) {
        ngx_http_og_redis_schedule(link, NGX_HTTP_OG_REDIS_FIRST_RETRY);
        return;
    }

    ngx_http_og_redis_round_failed(link);
}


static void
ngx_http_og_redis_round_failed(ngx_http_og_redis_t *link)
{
    link->tried = 0;
    link->failures++;

    if (ngx_http_og_redis_is_down(link)) {
        ngx_http_og_redis_refuse_waiting(link);
    }

    ngx_http_og_redis_schedule(link,
                          link->failures < NGX_HTTP_OG_REDIS_MAX_DOUBLINGS
                          ? (ngx_msec_t) NGX_HTTP_OG_REDIS_FIRST_RETRY
                            << link->failures
                          : NGX_HTTP_OG_REDIS_LAST_RETRY);
}


/* Jitter keeps the workers of all hosts from knocking at one time. */

void
ngx_http_og_redis_schedule(ngx_http_og_redis_t *link, ngx_msec_t delay)
{
    delay = delay / 2 + ngx_random() % (delay / 2) + 1;

    if (!link->retry.timer_set) {
        ngx_add_timer(&link->retry, delay);
    }
}


void
ngx_http_og_redis_hurry(ngx_http_og_redis_t *link)
{
    if (link->state == NGX_HTTP_OG_REDIS_DOWN && link->retry.timer_set) {
        link->tried = 0;
        ngx_del_timer(&link->retry);
        ngx_add_timer(&link->retry, 1);
    }
}


void
ngx_http_og_redis_retry_handler(ngx_event_t *ev)
{
    ngx_http_og_redis_t  *link;

    link = ev->data;

    if ((ngx_exiting || link->retired) && ngx_http_og_redis_may_leave(link)) {
        return;
    }

    if (link->state == NGX_HTTP_OG_REDIS_READY) {
        ngx_http_og_redis_look_again(link);

    } else {
        ngx_http_og_redis_go_on(link);
    }

    ngx_http_og_redis_dispatch(link);
}
