
/*
 * Copyright (C) order guard contributors
 *
 * What a connection tells in the log: a dead server must not fill it, however
 * many workers there are.
 */


#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_LOG_PERIOD  1000    /* ms */
#define NGX_HTTP_OG_REDIS_LOG_SIZE    512


/* Whose turn it is to write: all workers' together. */
typedef struct {
    ngx_atomic_t  time;         /* of the last line, by ngx_current_msec; 0 */
    ngx_atomic_t  withheld;     /* since then */
} ngx_http_og_redis_turn_t;


/* One store's; what is told of its data is not withheld by its failures. */
typedef struct {
    ngx_http_og_redis_turn_t  failures;
    ngx_http_og_redis_turn_t  data;
    ngx_atomic_t              down;     /* the last that was told */
} ngx_http_og_redis_told_t;


static ngx_int_t ngx_http_og_redis_init_told(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_http_og_redis_take_turn(ngx_http_og_redis_turn_t *turn,
    ngx_atomic_uint_t *withheld);
static ngx_atomic_t *ngx_http_og_redis_told_down(ngx_http_og_redis_t *link);
static ngx_uint_t ngx_http_og_redis_is_turn(ngx_http_og_redis_turn_t *turn);


ngx_shm_zone_t *
ngx_http_og_redis_log_create(ngx_conf_t *cf, ngx_str_t *store)
{
    u_char          *p;
    ngx_str_t        name;
    ngx_shm_zone_t  *zone;

    static u_char    tag;

    name.len = sizeof("order_guard_log_") - 1 + store->len;
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NULL;
    }

    p = ngx_cpymem(name.data, "order_guard_log_",
                   sizeof("order_guard_log_") - 1);
    ngx_memcpy(p, store->data, store->len);

    /* the least that nginx can manage */

    zone = ngx_shared_memory_add(cf, &name, 8 * ngx_pagesize, &tag);

    if (zone != NULL) {
        zone->init = ngx_http_og_redis_init_told;
    }

    return zone;
}


static ngx_int_t
ngx_http_og_redis_init_told(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *pool;

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data == NULL && !zone->shm.exists) {

        pool->data = ngx_slab_calloc(pool, sizeof(ngx_http_og_redis_told_t));
        if (pool->data == NULL) {
            return NGX_ERROR;
        }
    }

    zone->data = pool->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_redis_log(ngx_http_og_redis_t *link, ngx_http_og_redis_log_e kind,
    ngx_uint_t level, ngx_err_t err, const char *fmt, ...)
{
    u_char                     text[NGX_HTTP_OG_REDIS_LOG_SIZE], *last;
    va_list                    args;
    ngx_str_t                  line;
    ngx_atomic_uint_t          withheld;
    ngx_http_og_redis_told_t  *told;

    told = link->conf->log->data;

    /* what nobody reads takes nobody's turn */

    if (link->log.log_level < level
        || ngx_http_og_redis_take_turn(kind == NGX_HTTP_OG_REDIS_LOG_DATA
                                       ? &told->data : &told->failures,
                                       &withheld)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    va_start(args, fmt);
    last = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    line.data = text;
    line.len = last - text;

    if (withheld) {
        ngx_log_error(level, &link->log, err,
                      "%s \"%V\" %V (%uA more since the last such line)",
                      link->conf->kind, &link->conf->name, &line, withheld);
        return NGX_OK;
    }

    ngx_log_error(level, &link->log, err, "%s \"%V\" %V", link->conf->kind,
                  &link->conf->name, &line);

    return NGX_OK;
}


/* NGX_OK for one of all who ask within a second. */

static ngx_int_t
ngx_http_og_redis_take_turn(ngx_http_og_redis_turn_t *turn,
    ngx_atomic_uint_t *withheld)
{
    ngx_atomic_uint_t  last, now;

    last = turn->time;
    now = ngx_current_msec ? ngx_current_msec : 1;

    if (!ngx_http_og_redis_is_turn(turn)
        || !ngx_atomic_cmp_set(&turn->time, last, now))
    {
        (void) ngx_atomic_fetch_add(&turn->withheld, 1);
        return NGX_DECLINED;
    }

    *withheld = turn->withheld;

    (void) ngx_atomic_fetch_add(&turn->withheld,
                                - (ngx_atomic_int_t) *withheld);

    return NGX_OK;
}


/* Another worker's time may be a little ahead. */

static ngx_uint_t
ngx_http_og_redis_is_turn(ngx_http_og_redis_turn_t *turn)
{
    return turn->time == 0
           || (ngx_msec_int_t) (ngx_current_msec - turn->time)
              >= NGX_HTTP_OG_REDIS_LOG_PERIOD;
}


void
ngx_http_og_redis_log_end(ngx_http_og_redis_t *link, ngx_uint_t level,
    ngx_err_t err, const char *what)
{
    ngx_int_t    rc;
    ngx_str_t    addr;
    ngx_uint_t   down;
    const char  *verb;

    if (link->state == NGX_HTTP_OG_REDIS_LOCATING) {
        ngx_str_null(&addr);
        verb = "cannot be found";

    } else {
        addr = ngx_http_og_redis_addr(link)->name;
        verb = (link->state == NGX_HTTP_OG_REDIS_READY)
               ? "lost its connection to " : "cannot be used at ";
    }

    down = link->conf->role != NGX_HTTP_OG_REDIS_SENTINEL
           && ngx_http_og_redis_is_down(link);

    rc = ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_FAILURE, level, err,
                               "%s%V: %s%s", verb, &addr, what,
                               down ? "; it cannot be reached: nothing waits "
                                      "for it until it can" : "");

    if (rc == NGX_OK && down) {
        ngx_http_og_redis_tell_down(link);
    }
}


void
ngx_http_og_redis_tell_down(ngx_http_og_redis_t *link)
{
    *ngx_http_og_redis_told_down(link) = 1;
}


ngx_int_t
ngx_http_og_redis_tell_up(ngx_http_og_redis_t *link)
{
    ngx_atomic_t              *down;
    ngx_http_og_redis_told_t  *told;

    told = link->conf->log->data;
    down = ngx_http_og_redis_told_down(link);

    if (*down == 0 || link->log.log_level < NGX_LOG_NOTICE) {
        return NGX_OK;
    }

    /* what is only put off is not counted as withheld */

    if (!ngx_http_og_redis_is_turn(&told->failures)
        || ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_FAILURE,
                                 NGX_LOG_NOTICE, 0,
                                 "can be reached again at %V",
                                 &ngx_http_og_redis_addr(link)->name)
           != NGX_OK)
    {
        return NGX_AGAIN;
    }

    *down = 0;

    return NGX_OK;
}


/* One node of a cluster says nothing of another. */

static ngx_atomic_t *
ngx_http_og_redis_told_down(ngx_http_og_redis_t *link)
{
    ngx_http_og_redis_told_t  *told;

    if (link->conf->role == NGX_HTTP_OG_REDIS_NODE) {
        return &link->told_down;
    }

    told = link->conf->log->data;

    return &told->down;
}
