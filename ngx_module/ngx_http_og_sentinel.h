
/*
 * Copyright (C) order guard contributors
 *
 * Sentinel: who is the master now.  One connection of a worker to one of the
 * sentinels finds the servers of its connection to the data.
 */


#ifndef NGX_HTTP_OG_SENTINEL_H_INCLUDED_
#define NGX_HTTP_OG_SENTINEL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_og_redis.h"


typedef struct ngx_http_og_sentinel_s  ngx_http_og_sentinel_t;


typedef struct {
    ngx_http_og_redis_conf_t          conf;     /* of the sentinels */
    ngx_str_t                         service;
} ngx_http_og_sentinel_conf_t;


/*
 * Creates the worker's connection to a sentinel, in memory of the cycle, and
 * makes it the locator of data, the one connection of which is to be created
 * next and destroyed before this one.  NULL: no memory.
 */
ngx_http_og_sentinel_t *ngx_http_og_sentinel_create(
    ngx_http_og_sentinel_conf_t *conf, ngx_http_og_redis_conf_t *data,
    ngx_cycle_t *cycle);

void ngx_http_og_sentinel_destroy(ngx_http_og_sentinel_t *sentinel);


#endif /* NGX_HTTP_OG_SENTINEL_H_INCLUDED_ */
