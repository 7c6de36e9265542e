
/*
 * Copyright (C) order guard contributors
 *
 * When nobody waits for a store any more: connecting has failed several times
 * in a row, or its answers were late.  The former ends with a connection that
 * is ready, the latter with an answer in time, of a probe that no request
 * waits for.
 */


#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_MAX_FAILURES   3
#define NGX_HTTP_OG_REDIS_MAX_TIMEOUTS   3

/* A store that was late is probed after this, and again; with jitter. */
#define NGX_HTTP_OG_REDIS_LATE_RETRY     200     /* ms */

/* What could not be told yet is told then. */
#define NGX_HTTP_OG_REDIS_TELL_RETRY     2000    /* ms */


static ngx_uint_t ngx_http_og_redis_is_late(ngx_http_og_redis_t *link);


ngx_uint_t
ngx_http_og_redis_is_down(ngx_http_og_redis_t *link)
{
    return link->failures >= NGX_HTTP_OG_REDIS_MAX_FAILURES
           || ngx_http_og_redis_is_late(link);
}


static ngx_uint_t
ngx_http_og_redis_is_late(ngx_http_og_redis_t *link)
{
    return link->timeouts >= NGX_HTTP_OG_REDIS_MAX_TIMEOUTS;
}


void
ngx_http_og_redis_look_after(ngx_http_og_redis_t *link)
{
    if (link->state != NGX_HTTP_OG_REDIS_READY) {
        return;
    }

    if (ngx_http_og_redis_is_late(link)) {
        ngx_http_og_redis_schedule(link, NGX_HTTP_OG_REDIS_LATE_RETRY);

    } else if (ngx_http_og_redis_tell_up(link) == NGX_AGAIN) {
        ngx_http_og_redis_schedule(link, NGX_HTTP_OG_REDIS_TELL_RETRY);
    }
}


void
ngx_http_og_redis_look_again(ngx_http_og_redis_t *link)
{
    /* behind what it owes an answer would be late, too */

    if (ngx_http_og_redis_is_late(link) && ngx_queue_empty(&link->owed)) {
        ngx_http_og_redis_probe(link);
    }

    ngx_http_og_redis_look_after(link);
}
