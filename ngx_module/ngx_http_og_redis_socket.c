
/*
 * Copyright (C) order guard contributors
 *
 * The socket of a connection that was just made.
 */


#include "ngx_http_og_redis_link.h"


/* A peer that vanished without a word is noticed while nothing is asked. */
#define NGX_HTTP_OG_REDIS_KEEPALIVE   30      /* s */
#define NGX_HTTP_OG_REDIS_KEEPINTVL   5
#define NGX_HTTP_OG_REDIS_KEEPCNT     3


static ngx_int_t ngx_http_og_redis_test_connect(ngx_connection_t *c);
static void ngx_http_og_redis_keepalive(ngx_connection_t *c);


ngx_int_t
ngx_http_og_redis_test_socket(ngx_http_og_redis_t *link)
{
    ngx_connection_t  *c;

    c = link->peer.connection;

    if (ngx_http_og_redis_test_connect(c) != NGX_OK) {
        ngx_http_og_redis_fail(link, ngx_socket_errno, "connect() failed");
        return NGX_ERROR;
    }

    if (link->peer.sockaddr->sa_family == AF_UNIX) {
        return NGX_OK;
    }

    if (ngx_tcp_nodelay(c) != NGX_OK) {
        ngx_http_og_redis_fail(link, 0, "TCP_NODELAY was refused");
        return NGX_ERROR;
    }

    ngx_http_og_redis_keepalive(c);

    return NGX_OK;
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


/* A firewall may forget a connection that says nothing for minutes. */

static void
ngx_http_og_redis_keepalive(ngx_connection_t *c)
{
#if (NGX_HAVE_KEEPALIVE_TUNABLE)

    int  idle, interval, count;

    idle = NGX_HTTP_OG_REDIS_KEEPALIVE;
    interval = NGX_HTTP_OG_REDIS_KEEPINTVL;
    count = NGX_HTTP_OG_REDIS_KEEPCNT;

    if (setsockopt(c->fd, IPPROTO_TCP, TCP_KEEPIDLE,
                   (const void *) &idle, sizeof(int)) == -1
        || setsockopt(c->fd, IPPROTO_TCP, TCP_KEEPINTVL,
                      (const void *) &interval, sizeof(int)) == -1
        || setsockopt(c->fd, IPPROTO_TCP, TCP_KEEPCNT,
                      (const void *) &count, sizeof(int)) == -1)
    {
        ngx_log_error(NGX_LOG_INFO, c->log, ngx_socket_errno,
                      "setsockopt(TCP_KEEPIDLE) failed, ignored");
    }

#endif
}
