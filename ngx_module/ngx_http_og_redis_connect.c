
/*
 * Copyright (C) order guard contributors
 *
 * From an address to the greeting: connect, and TLS where it is asked for.
 */


#include "ngx_http_og_redis_link.h"


static void ngx_http_og_redis_connected(ngx_http_og_redis_t *link);


void
ngx_http_og_redis_connect(ngx_http_og_redis_t *link)
{
    ngx_int_t               rc;
    ngx_addr_t             *addr;
    ngx_uint_t              level;
    ngx_connection_t       *c;
    ngx_peer_connection_t  *peer;

    addr = ngx_http_og_redis_addr(link);
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

    } else if (!ngx_http_og_redis_establish(link)) {
        ngx_http_og_redis_write(link);
    }

    ngx_http_og_redis_dispatch(link);
}


ngx_uint_t
ngx_http_og_redis_establish(ngx_http_og_redis_t *link)
{
    switch (link->state) {

    case NGX_HTTP_OG_REDIS_CONNECTING:
        ngx_http_og_redis_connected(link);
        return 1;

#if (NGX_SSL)
    case NGX_HTTP_OG_REDIS_SECURING:
        ngx_http_og_redis_tls_handshake(link);
        return 1;
#endif

    default:
        return 0;
    }
}


static void
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

    link->reader = ngx_http_og_redis_reader_create(
                               link->conf->role == NGX_HTTP_OG_REDIS_NODE);
    if (link->reader == NULL) {
        ngx_http_og_redis_fail(link, NGX_ENOMEM, "no memory for a reader");
        return;
    }

    link->state = NGX_HTTP_OG_REDIS_GREETING;
    link->unfit = NULL;
    link->unparsed = 0;
    link->offset = 0;

    ngx_http_og_redis_greet(link);
}
