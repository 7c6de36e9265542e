
/*
 * Copyright (C) order guard contributors
 *
 * A cluster's inside, shared by its own files only.
 */


#ifndef NGX_HTTP_OG_REDIS_NODES_H_INCLUDED_
#define NGX_HTTP_OG_REDIS_NODES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_og_redis_cluster.h"
#include "og_slot.h"


struct redisReply;


typedef struct {
    ngx_queue_t                       queue;
    ngx_pool_t                       *pool;
    ngx_http_og_cluster_t            *cluster;
    ngx_http_og_redis_conf_t          conf;     /* with one address, but for
                                                   the seed's */
    ngx_http_og_redis_t              *link;

    ngx_addr_t                        addr;
    ngx_uint_t                        nslots;   /* that lead here */
    ngx_uint_t                        told;     /* of, by the map being read */
    ngx_msec_t                        used;
    ngx_uint_t                        marker;   /* its number */
    ngx_uint_t                        retired;
} ngx_http_og_cluster_node_t;


struct ngx_http_og_cluster_s {
    /* timers' debug lines read ident, which stands as in ngx_connection_t */
    void                             *data;     /* the owner's */
    ngx_http_og_redis_conf_t         *conf;
    const ngx_http_og_redis_owner_t  *owner;
    ngx_socket_t                      ident;    /* -1 */

    ngx_str_t                        *prefix;
    ngx_log_t                        *log;
    ngx_queue_t                       nodes;    /* the next to be asked first */
    ngx_http_og_cluster_node_t       *seed;     /* any of the configuration's */
    ngx_event_t                       look;     /* each period; cancelable */
    ngx_msec_t                        asked;
    ngx_uint_t                        nnodes;
    ngx_uint_t                        ndetours; /* on their way, to any node */
    ngx_msec_t                        known;    /* the map, as of */

    unsigned                          mapped:1;
    unsigned                          doubted:1;
    unsigned                          asking:1;
    unsigned                          changed:1;    /* a slot's node, and the
                                                       owner is not told */

    ngx_http_og_cluster_node_t       *slots[OG_SLOTS];
};


/* ngx_http_og_redis_cluster.c */

/*
 * One that can be asked, else one that may come to be; but: only where there
 * is no other.
 */
ngx_http_og_cluster_node_t *ngx_http_og_cluster_any(
    ngx_http_og_cluster_t *cluster, ngx_http_og_cluster_node_t *but);

/*
 * The node that another one tells of; an empty host is that one's.  NULL: no
 * memory, or no IP address, which is logged.
 */
ngx_http_og_cluster_node_t *ngx_http_og_cluster_node(
    ngx_http_og_cluster_node_t *teller, ngx_str_t *host, in_port_t port);

/* It is needed: retired no more. */
void ngx_http_og_cluster_use(ngx_http_og_cluster_node_t *node);

/* As ngx_http_og_redis_submit(). */
ngx_int_t ngx_http_og_cluster_submit(ngx_http_og_cluster_node_t *node,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline);


/* ngx_http_og_redis_map.c */

/* Asks one node for the map, unless one is being asked. */
void ngx_http_og_cluster_ask(ngx_http_og_cluster_t *cluster);

/* The slot has moved there. */
void ngx_http_og_cluster_learn(ngx_http_og_cluster_node_t *node,
    ngx_uint_t slot);


/* ngx_http_og_redis_detour.c */

/* Redirects for the link of a node, which is the data. */
ngx_uint_t ngx_http_og_cluster_redirect(void *data,
    ngx_http_og_redis_batch_t *batch);


#endif /* NGX_HTTP_OG_REDIS_NODES_H_INCLUDED_ */
