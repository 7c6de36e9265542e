
/*
 * Copyright (C) order guard contributors
 *
 * The map of a cluster's slots, as CLUSTER SLOTS tells it.  It is asked for
 * again when a slot turns out to be elsewhere, when a node that has slots
 * cannot be used, and now and then.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_nodes.h"


#define NGX_HTTP_OG_CLUSTER_PAUSE       1000    /* ms, between two doubts */

/* So many names of a marker are tried for one in a node's slots. */
#define NGX_HTTP_OG_CLUSTER_MARKERS     (64 * OG_SLOTS)


static void ngx_http_og_cluster_told(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_cluster_read_map(ngx_http_og_cluster_node_t *teller,
    redisReply *map);
static ngx_int_t ngx_http_og_cluster_read_range(
    ngx_http_og_cluster_node_t *teller, redisReply *range);
static void ngx_http_og_cluster_apply_map(ngx_http_og_cluster_t *cluster);
static void ngx_http_og_cluster_set_slot(ngx_http_og_cluster_t *cluster,
    ngx_uint_t slot, ngx_http_og_cluster_node_t *node);
static void ngx_http_og_cluster_name_marker(ngx_http_og_cluster_node_t *node);


void
ngx_http_og_cluster_learn(ngx_http_og_cluster_node_t *node, ngx_uint_t slot)
{
    ngx_log_debug2(NGX_LOG_DEBUG_EVENT, node->cluster->log, 0,
                   "order guard cluster: slot %ui is at %V", slot,
                   &node->addr.name);

    ngx_http_og_cluster_set_slot(node->cluster, slot, node);
    node->cluster->changed = 1;

    ngx_http_og_cluster_doubt(node->cluster);
}


void
ngx_http_og_cluster_doubt(ngx_http_og_cluster_t *cluster)
{
    cluster->doubted = 1;

    if (ngx_current_msec - cluster->asked >= NGX_HTTP_OG_CLUSTER_PAUSE) {
        ngx_http_og_cluster_ask(cluster);
    }
}


/* Each time another node, as one may be cut off and not know it. */

void
ngx_http_og_cluster_ask(ngx_http_og_cluster_t *cluster)
{
    ngx_http_og_redis_batch_t   *batch;
    ngx_http_og_cluster_node_t  *node;

    if (cluster->asking) {
        return;
    }

    node = ngx_http_og_cluster_any(cluster, NULL);

    if (!ngx_http_og_redis_is_ready(node->link)) {
        ngx_http_og_cluster_use(cluster->seed);
        return;
    }

    ngx_queue_remove(&node->queue);
    ngx_queue_insert_tail(&cluster->nodes, &node->queue);

    batch = ngx_http_og_redis_batch_create(1, ngx_http_og_cluster_told, node);
    if (batch == NULL) {
        return;
    }

    if (ngx_http_og_redis_say(batch, 2, "CLUSTER", "SLOTS") != NGX_OK) {
        ngx_http_og_redis_batch_free(batch);
        return;
    }

    cluster->asked = ngx_current_msec;

    if (ngx_http_og_redis_submit(node->link, batch,
                                 ngx_current_msec + cluster->conf->timeout)
        == NGX_OK)
    {
        cluster->asking = 1;
    }
}


static void
ngx_http_og_cluster_told(ngx_http_og_redis_batch_t *batch)
{
    redisReply                  *reply;
    ngx_http_og_cluster_t       *cluster;
    ngx_http_og_cluster_node_t  *node;

    node = batch->data;
    cluster = node->cluster;

    /* while one is silent the others are asked */

    if (!batch->late || batch->outcome == NGX_HTTP_OG_REDIS_TIMED_OUT) {
        cluster->asking = 0;
    }

    if (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED) {
        return;
    }

    reply = batch->replies[0];

    if (reply->type != REDIS_REPLY_ARRAY) {
        ngx_http_og_redis_log(node->link, NGX_HTTP_OG_REDIS_LOG_FAILURE,
                              NGX_LOG_ERR, 0, "answered CLUSTER SLOTS with "
                              "%s", ngx_http_og_redis_words(reply));
        return;
    }

    /* one of them may have told what is newer */

    if ((ngx_msec_int_t) (batch->submitted - cluster->known) < 0) {
        return;
    }

    cluster->known = batch->submitted;

    ngx_http_og_cluster_read_map(node, reply);
}


/* A map without a node that can be understood says nothing. */

static void
ngx_http_og_cluster_read_map(ngx_http_og_cluster_node_t *teller,
    redisReply *map)
{
    size_t                       i;
    ngx_queue_t                 *q;
    ngx_uint_t                   ranges;
    ngx_http_og_cluster_t       *cluster;
    ngx_http_og_cluster_node_t  *node;

    cluster = teller->cluster;
    ranges = 0;

    for (q = ngx_queue_head(&cluster->nodes);
         q != ngx_queue_sentinel(&cluster->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_http_og_cluster_node_t, queue);
        node->told = 0;
    }

    for (i = 0; i < map->elements; i++) {
        if (ngx_http_og_cluster_read_range(teller, map->element[i])
            == NGX_OK)
        {
            ranges++;
        }
    }

    if (ranges) {
        cluster->mapped = 1;
        cluster->doubted = (ranges != map->elements);

        ngx_http_og_cluster_apply_map(cluster);
    }

    /* a replica that took over may not have been told everything */

    if (cluster->changed) {
        cluster->changed = 0;
        cluster->owner->replaced(cluster->data);
    }
}


/* first, last, [host, port, id, ...] of the master, and of each replica */

static ngx_int_t
ngx_http_og_cluster_read_range(ngx_http_og_cluster_node_t *teller,
    redisReply *range)
{
    long long                     slot;
    ngx_str_t                     host;
    redisReply                  **part, **place;
    ngx_http_og_cluster_t        *cluster;
    ngx_http_og_cluster_node_t   *node;

    cluster = teller->cluster;

    if (range->type != REDIS_REPLY_ARRAY || range->elements < 3) {
        return NGX_ERROR;
    }

    part = range->element;

    if (part[0]->type != REDIS_REPLY_INTEGER
        || part[1]->type != REDIS_REPLY_INTEGER
        || part[0]->integer < 0
        || part[1]->integer >= OG_SLOTS
        || part[2]->type != REDIS_REPLY_ARRAY
        || part[2]->elements < 2)
    {
        return NGX_ERROR;
    }

    place = part[2]->element;

    if (place[1]->type != REDIS_REPLY_INTEGER
        || place[1]->integer < 1
        || place[1]->integer > 65535)
    {
        return NGX_ERROR;
    }

    /* nil: the host that was asked */

    host.data = (u_char *) place[0]->str;
    host.len = place[0]->type == REDIS_REPLY_STRING ? (size_t) place[0]->len
                                                    : 0;

    node = ngx_http_og_cluster_node(teller, &host,
                                    (in_port_t) place[1]->integer);
    if (node == NULL) {
        return NGX_ERROR;
    }

    for (slot = part[0]->integer; slot <= part[1]->integer; slot++) {
        cluster->changed |= (cluster->slots[slot] != NULL
                             && cluster->slots[slot] != node);
        ngx_http_og_cluster_set_slot(cluster, slot, node);
        node->told = 1;
    }

    return NGX_OK;
}


static void
ngx_http_og_cluster_apply_map(ngx_http_og_cluster_t *cluster)
{
    ngx_uint_t                   slot;
    ngx_queue_t                 *q;
    ngx_http_og_cluster_node_t  *node;

    /* what the map did not say is as if it were not known */

    for (slot = 0; slot < OG_SLOTS; slot++) {
        node = cluster->slots[slot];

        if (node && !node->told) {
            ngx_http_og_cluster_set_slot(cluster, slot, NULL);
        }
    }

    for (q = ngx_queue_head(&cluster->nodes);
         q != ngx_queue_sentinel(&cluster->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_http_og_cluster_node_t, queue);

        if (node->nslots) {
            ngx_http_og_cluster_use(node);
            ngx_http_og_cluster_name_marker(node);
        }
    }
}


/* A node lives as long as it is the node of a slot. */

static void
ngx_http_og_cluster_set_slot(ngx_http_og_cluster_t *cluster, ngx_uint_t slot,
    ngx_http_og_cluster_node_t *node)
{
    ngx_http_og_cluster_node_t  *former;

    former = cluster->slots[slot];

    if (former) {
        former->nslots--;
    }

    if (node) {
        node->nslots++;
    }

    cluster->slots[slot] = node;
}


/*
 * Each node has a marker of its own: the one of the lowest number that is in
 * its slots, so that all gateways look at the same.
 */

static void
ngx_http_og_cluster_name_marker(ngx_http_og_cluster_node_t *node)
{
    u_char      tag[NGX_INT_T_LEN];
    size_t      len;
    ngx_str_t  *key, *prefix;
    ngx_uint_t  n;

    key = &node->conf.epoch_key;
    prefix = node->cluster->prefix;

    for (n = 0; n < NGX_HTTP_OG_CLUSTER_MARKERS; n++) {
        len = ngx_sprintf(tag, "%ui", n) - tag;

        if (node->cluster->slots[og_slot(tag, len)] == node) {
            break;
        }
    }

    if (key->len && node->marker == n) {
        return;
    }

    if (key->data == NULL) {
        key->data = ngx_pnalloc(node->pool, prefix->len + NGX_INT_T_LEN
                                            + sizeof("epoch:{}") - 1);
        if (key->data == NULL) {
            node->cluster->doubted = 1;
            return;
        }
    }

    key->len = ngx_sprintf(key->data, "%Vepoch:{%ui}", prefix, n) - key->data;

    node->marker = n;

    ngx_http_og_redis_forget_epoch(node->link);
}
