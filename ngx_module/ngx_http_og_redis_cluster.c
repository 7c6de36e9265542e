
/*
 * Copyright (C) order guard contributors
 *
 * The nodes of a cluster: made when they are told of, and closed when they
 * have no slots any more.
 */


#include "ngx_http_og_redis_nodes.h"


#define NGX_HTTP_OG_CLUSTER_POOL        1024

/* Redis means no cluster to have more; nonsense could tell of any number. */
#define NGX_HTTP_OG_CLUSTER_MAX_NODES   1000

#define NGX_HTTP_OG_CLUSTER_PERIOD      1000    /* ms, between two looks */
#define NGX_HTTP_OG_CLUSTER_OLD         10000   /* ms: a map that is asked for
                                                   again without a reason */

/* A node without slots is kept for so long after it was used: it may be about
   to get some. */
#define NGX_HTTP_OG_CLUSTER_UNUSED      2000    /* ms */


static ngx_http_og_cluster_node_t *ngx_http_og_cluster_get(
    ngx_http_og_cluster_t *cluster, ngx_addr_t *addr);
static ngx_http_og_cluster_node_t *ngx_http_og_cluster_add(
    ngx_http_og_cluster_t *cluster, ngx_addr_t *addr);
static ngx_int_t ngx_http_og_cluster_set_addr(
    ngx_http_og_cluster_node_t *node, ngx_addr_t *addr);
static void ngx_http_og_cluster_remove(ngx_http_og_cluster_node_t *node);

static socklen_t ngx_http_og_cluster_parse_host(ngx_str_t *host,
    ngx_sockaddr_t *sockaddr);

static void ngx_http_og_cluster_ready(void *data);
static void ngx_http_og_cluster_data_lost(void *data);
static void ngx_http_og_cluster_replaced(void *data);
static ngx_uint_t ngx_http_og_cluster_busy(void *data);

static void ngx_http_og_cluster_look_handler(ngx_event_t *ev);
static void ngx_http_og_cluster_sweep(ngx_http_og_cluster_t *cluster);
static ngx_uint_t ngx_http_og_cluster_is_wrong(ngx_http_og_cluster_t *cluster);


static const ngx_http_og_redis_owner_t  ngx_http_og_cluster_node_owner = {
    ngx_http_og_cluster_ready,
    ngx_http_og_cluster_data_lost,
    ngx_http_og_cluster_replaced,
    ngx_http_og_cluster_busy,
    ngx_http_og_cluster_redirect,
    NULL
};


ngx_http_og_cluster_t *
ngx_http_og_cluster_create(ngx_http_og_redis_conf_t *conf, ngx_str_t *prefix,
    const ngx_http_og_redis_owner_t *owner, void *data, ngx_cycle_t *cycle)
{
    ngx_http_og_cluster_t  *cluster;

    cluster = ngx_pcalloc(cycle->pool, sizeof(ngx_http_og_cluster_t));
    if (cluster == NULL) {
        return NULL;
    }

    cluster->data = data;
    cluster->conf = conf;
    cluster->owner = owner;
    cluster->ident = (ngx_socket_t) -1;
    cluster->prefix = prefix;
    cluster->log = cycle->log;

    ngx_queue_init(&cluster->nodes);

    cluster->look.handler = ngx_http_og_cluster_look_handler;
    cluster->look.data = cluster;
    cluster->look.log = cycle->log;
    cluster->look.cancelable = 1;

    cluster->seed = ngx_http_og_cluster_add(cluster, NULL);
    if (cluster->seed == NULL) {
        return NULL;
    }

    ngx_add_timer(&cluster->look, NGX_HTTP_OG_CLUSTER_PERIOD);

    return cluster;
}


void
ngx_http_og_cluster_destroy(ngx_http_og_cluster_t *cluster)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&cluster->nodes)) {
        q = ngx_queue_head(&cluster->nodes);
        ngx_http_og_cluster_remove(
                        ngx_queue_data(q, ngx_http_og_cluster_node_t, queue));
    }

    if (cluster->look.timer_set) {
        ngx_del_timer(&cluster->look);
    }
}


void
ngx_http_og_cluster_give_up(ngx_http_og_cluster_t *cluster)
{
    ngx_queue_t                 *q;
    ngx_http_og_cluster_node_t  *node;

    for (q = ngx_queue_head(&cluster->nodes);
         q != ngx_queue_sentinel(&cluster->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_http_og_cluster_node_t, queue);
        ngx_http_og_redis_give_up(node->link);
    }
}


static ngx_http_og_cluster_node_t *
ngx_http_og_cluster_get(ngx_http_og_cluster_t *cluster, ngx_addr_t *addr)
{
    ngx_queue_t                 *q;
    ngx_http_og_cluster_node_t  *node;

    for (q = ngx_queue_head(&cluster->nodes);
         q != ngx_queue_sentinel(&cluster->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_http_og_cluster_node_t, queue);

        if (node != cluster->seed
            && ngx_cmp_sockaddr(node->addr.sockaddr, node->addr.socklen,
                                addr->sockaddr, addr->socklen, 1)
               == NGX_OK)
        {
            return node;
        }
    }

    return ngx_http_og_cluster_add(cluster, addr);
}


/* Without an address: the one that leads into the cluster. */

static ngx_http_og_cluster_node_t *
ngx_http_og_cluster_add(ngx_http_og_cluster_t *cluster, ngx_addr_t *addr)
{
    ngx_pool_t                  *pool;
    ngx_http_og_cluster_node_t  *node;

    if (cluster->nnodes == NGX_HTTP_OG_CLUSTER_MAX_NODES) {
        ngx_http_og_redis_log(cluster->seed->link,
                              NGX_HTTP_OG_REDIS_LOG_FAILURE, NGX_LOG_ERR, 0,
                              "tells of more than %d nodes",
                              NGX_HTTP_OG_CLUSTER_MAX_NODES);
        return NULL;
    }

    pool = ngx_create_pool(NGX_HTTP_OG_CLUSTER_POOL, cluster->log);
    if (pool == NULL) {
        return NULL;
    }

    node = ngx_pcalloc(pool, sizeof(ngx_http_og_cluster_node_t));
    if (node == NULL) {
        goto failed;
    }

    node->pool = pool;
    node->cluster = cluster;
    node->used = ngx_current_msec;

    node->conf = *cluster->conf;
    ngx_str_null(&node->conf.epoch_key);

    if (addr && ngx_http_og_cluster_set_addr(node, addr) != NGX_OK) {
        goto failed;
    }

    ngx_queue_insert_tail(&cluster->nodes, &node->queue);

    node->link = ngx_http_og_redis_create(&node->conf,
                                          &ngx_http_og_cluster_node_owner,
                                          node, pool, cluster->log);
    if (node->link == NULL) {
        ngx_queue_remove(&node->queue);
        goto failed;
    }

    cluster->nnodes++;

    return node;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


static ngx_int_t
ngx_http_og_cluster_set_addr(ngx_http_og_cluster_node_t *node,
    ngx_addr_t *addr)
{
    node->addr.socklen = addr->socklen;
    node->addr.sockaddr = ngx_palloc(node->pool, addr->socklen);
    node->addr.name.len = addr->name.len;
    node->addr.name.data = ngx_pstrdup(node->pool, &addr->name);

    if (node->addr.sockaddr == NULL || node->addr.name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(node->addr.sockaddr, addr->sockaddr, addr->socklen);

    node->conf.addrs = &node->addr;
    node->conf.naddrs = 1;
    node->conf.locator = NULL;

    return NGX_OK;
}


static void
ngx_http_og_cluster_remove(ngx_http_og_cluster_node_t *node)
{
    ngx_queue_remove(&node->queue);
    node->cluster->nnodes--;

    ngx_http_og_redis_destroy(node->link);
    ngx_destroy_pool(node->pool);
}


ngx_http_og_redis_t *
ngx_http_og_cluster_link(ngx_http_og_cluster_t *cluster, ngx_uint_t slot)
{
    ngx_http_og_cluster_node_t  *node;

    node = cluster->slots[slot];

    if (node == NULL) {
        node = ngx_http_og_cluster_any(cluster, NULL);
    }

    ngx_http_og_cluster_use(node);

    return node->link;
}


ngx_http_og_cluster_node_t *
ngx_http_og_cluster_any(ngx_http_og_cluster_t *cluster,
    ngx_http_og_cluster_node_t *but)
{
    ngx_queue_t                 *q;
    ngx_http_og_cluster_node_t  *node, *found;

    found = but;

    for (q = ngx_queue_head(&cluster->nodes);
         q != ngx_queue_sentinel(&cluster->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_http_og_cluster_node_t, queue);

        if (node == but) {
            continue;
        }

        if (ngx_http_og_redis_is_ready(node->link)) {
            return node;
        }

        if (found == NULL || !node->retired) {
            found = node;
        }
    }

    return found;
}


void
ngx_http_og_cluster_use(ngx_http_og_cluster_node_t *node)
{
    node->used = ngx_current_msec;

    if (node->retired) {
        node->retired = 0;
        ngx_http_og_redis_retire(node->link, 0);
    }
}


ngx_int_t
ngx_http_og_cluster_submit(ngx_http_og_cluster_node_t *node,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline)
{
    ngx_http_og_cluster_use(node);

    return ngx_http_og_redis_submit(node->link, batch, deadline);
}


ngx_http_og_cluster_node_t *
ngx_http_og_cluster_node(ngx_http_og_cluster_node_t *teller, ngx_str_t *host,
    in_port_t port)
{
    ngx_addr_t      addr, *teller_addr;
    ngx_sockaddr_t  sockaddr;
    u_char          name[NGX_SOCKADDR_STRLEN];

    addr.sockaddr = &sockaddr.sockaddr;

    if (host->len == 0) {
        teller_addr = ngx_http_og_redis_addr(teller->link);

        addr.socklen = teller_addr->socklen;
        ngx_memcpy(&sockaddr, teller_addr->sockaddr, addr.socklen);

    } else {
        addr.socklen = ngx_http_og_cluster_parse_host(host, &sockaddr);
    }

    if (addr.socklen == 0) {
        ngx_http_og_redis_log(teller->link, NGX_HTTP_OG_REDIS_LOG_FAILURE,
                              NGX_LOG_ERR, 0, "names a node \"%V\": only IP "
                              "addresses are understood, set "
                              "cluster-preferred-endpoint-type to \"ip\"",
                              host);
        return NULL;
    }

    ngx_inet_set_port(addr.sockaddr, port);

    addr.name.data = name;
    addr.name.len = ngx_sock_ntop(addr.sockaddr, addr.socklen, name,
                                  NGX_SOCKADDR_STRLEN, 1);

    return ngx_http_og_cluster_get(teller->cluster, &addr);
}


/* Returns its length; 0: it is no IP address. */

static socklen_t
ngx_http_og_cluster_parse_host(ngx_str_t *host, ngx_sockaddr_t *sockaddr)
{
    ngx_memzero(sockaddr, sizeof(ngx_sockaddr_t));

    sockaddr->sockaddr_in.sin_addr.s_addr = ngx_inet_addr(host->data,
                                                          host->len);

    if (sockaddr->sockaddr_in.sin_addr.s_addr != INADDR_NONE) {
        sockaddr->sockaddr_in.sin_family = AF_INET;
        return sizeof(struct sockaddr_in);
    }

#if (NGX_HAVE_INET6)

    ngx_memzero(sockaddr, sizeof(ngx_sockaddr_t));

    if (ngx_inet6_addr(host->data, host->len,
                       sockaddr->sockaddr_in6.sin6_addr.s6_addr)
        == NGX_OK)
    {
        sockaddr->sockaddr_in6.sin6_family = AF_INET6;
        return sizeof(struct sockaddr_in6);
    }

#endif

    return 0;
}


static void
ngx_http_og_cluster_ready(void *data)
{
    ngx_http_og_cluster_t       *cluster;
    ngx_http_og_cluster_node_t  *node;

    node = data;
    cluster = node->cluster;

    if (!cluster->mapped) {
        ngx_http_og_cluster_ask(cluster);
    }

    cluster->owner->ready(cluster->data);
}


static void
ngx_http_og_cluster_data_lost(void *data)
{
    ngx_http_og_cluster_node_t  *node;

    node = data;
    node->cluster->owner->data_lost(node->cluster->data);
}


static void
ngx_http_og_cluster_replaced(void *data)
{
    ngx_http_og_cluster_node_t  *node;

    node = data;
    node->cluster->owner->replaced(node->cluster->data);
}


static ngx_uint_t
ngx_http_og_cluster_busy(void *data)
{
    ngx_http_og_cluster_node_t  *node;

    node = data;

    return node->cluster->owner->busy(node->cluster->data);
}


static void
ngx_http_og_cluster_look_handler(ngx_event_t *ev)
{
    ngx_http_og_cluster_t  *cluster;

    cluster = ev->data;

    if (ngx_exiting) {
        return;
    }

    ngx_http_og_cluster_sweep(cluster);

    if (ngx_http_og_cluster_is_wrong(cluster)) {
        ngx_http_og_cluster_ask(cluster);
    }

    ngx_add_timer(ev, NGX_HTTP_OG_CLUSTER_PERIOD);
}


/*
 * Only here, where no handler of a connection is at work.  What led into the
 * cluster closes, too, since the map has its server's node.
 */

static void
ngx_http_og_cluster_sweep(ngx_http_og_cluster_t *cluster)
{
    ngx_queue_t                 *q, *next;
    ngx_http_og_cluster_node_t  *node;

    if (!cluster->mapped) {
        return;
    }

    for (q = ngx_queue_head(&cluster->nodes);
         q != ngx_queue_sentinel(&cluster->nodes);
         q = next)
    {
        next = ngx_queue_next(q);
        node = ngx_queue_data(q, ngx_http_og_cluster_node_t, queue);

        if (node->nslots
            || ngx_current_msec - node->used < NGX_HTTP_OG_CLUSTER_UNUSED)
        {
            continue;
        }

        node->retired = 1;
        ngx_http_og_redis_retire(node->link, 1);

        /* a detour may be about to go on to it */

        if (node != cluster->seed
            && cluster->ndetours == 0
            && ngx_http_og_redis_is_closed(node->link))
        {
            ngx_http_og_cluster_remove(node);
        }
    }
}


static ngx_uint_t
ngx_http_og_cluster_is_wrong(ngx_http_og_cluster_t *cluster)
{
    ngx_queue_t                 *q;
    ngx_http_og_cluster_node_t  *node;

    if (!cluster->mapped
        || cluster->doubted
        || ngx_current_msec - cluster->asked >= NGX_HTTP_OG_CLUSTER_OLD)
    {
        return 1;
    }

    for (q = ngx_queue_head(&cluster->nodes);
         q != ngx_queue_sentinel(&cluster->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_http_og_cluster_node_t, queue);

        if (node->nslots && !ngx_http_og_redis_is_ready(node->link)) {
            return 1;
        }
    }

    return 0;
}
