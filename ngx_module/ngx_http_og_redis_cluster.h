
/*
 * Copyright (C) order guard contributors
 *
 * A cluster: one connection to each of its nodes that has slots, and which
 * node that is for a key.  It knows no HTTP, no request and no record.
 */


#ifndef NGX_HTTP_OG_REDIS_CLUSTER_H_INCLUDED_
#define NGX_HTTP_OG_REDIS_CLUSTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_og_redis.h"


typedef struct ngx_http_og_cluster_s  ngx_http_og_cluster_t;


/*
 * Connects to the addresses of conf, and from there to all nodes.  conf,
 * prefix (of all keys), owner and data must live as long; the owner is told of
 * each node, and never asked to redirect.  NULL: no memory.
 */
ngx_http_og_cluster_t *ngx_http_og_cluster_create(
    ngx_http_og_redis_conf_t *conf, ngx_str_t *prefix,
    const ngx_http_og_redis_owner_t *owner, void *data, ngx_cycle_t *cycle);

/* At the worker's exit, as ngx_http_og_redis_destroy(). */
void ngx_http_og_cluster_destroy(ngx_http_og_cluster_t *cluster);

/* As ngx_http_og_redis_give_up(), on all nodes. */
void ngx_http_og_cluster_give_up(ngx_http_og_cluster_t *cluster);

/*
 * The connection to the node that has the slot, as far as is known; never
 * NULL, and not to be kept.  A batch that is routed goes on from there to
 * where its slot is.
 */
ngx_http_og_redis_t *ngx_http_og_cluster_link(ngx_http_og_cluster_t *cluster,
    ngx_uint_t slot);

/* What is known of the slots may be wrong: they are asked for again. */
void ngx_http_og_cluster_doubt(ngx_http_og_cluster_t *cluster);


#endif /* NGX_HTTP_OG_REDIS_CLUSTER_H_INCLUDED_ */
