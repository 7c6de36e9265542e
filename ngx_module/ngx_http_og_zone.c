
/*
 * Copyright (C) order guard contributors
 *
 * A tree of counters by their hash, and a queue of them by their last use: a
 * zone that is full forgets those that were not used for longest.  All of it
 * is read and written under the mutex of the slab pool.
 */


#include "ngx_http_og_zone.h"
#include "og_count.h"


/*
 * Units that were in the way may go back, here or on another host: after so
 * many ms the store is asked again.
 */
#define NGX_HTTP_OG_ZONE_DENY       1000

/* For so many ms after a replay keys are looked at first. */
#define NGX_HTTP_OG_ZONE_REPLAYS    1000

/* Who has no more than a tenth left asks in two writes. */
#define NGX_HTTP_OG_ZONE_NEAR       10

/* So many make room for one that does not fit: they may be smaller. */
#define NGX_HTTP_OG_ZONE_EVICTIONS  256


typedef struct {
    ngx_rbtree_t                 tree;
    ngx_rbtree_node_t            sentinel;
    ngx_queue_t                  queue;     /* the last used first */
} ngx_http_og_zone_t;


typedef struct {
    ngx_rbtree_node_t            node;
    ngx_queue_t                  queue;

    og_window_t                  window;
    og_count_t                   count;
    ngx_msec_t                   denied;    /* until, by ngx_current_msec */
    ngx_msec_t                   room;      /* when there is some, likewise,
                                               as the store said last */
    ngx_msec_t                   replays;   /* are likely until, likewise */
    int64_t                      clock;     /* the store's time minus
                                               ngx_current_msec */
    uint64_t                     remaining; /* as the store said last */

    size_t                       len;
    u_char                       key[1];
} ngx_http_og_zone_node_t;


static ngx_int_t ngx_http_og_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static void ngx_http_og_zone_deny(ngx_http_og_zone_node_t *node,
    ngx_msec_t wait);
static void ngx_http_og_zone_judge_too(ngx_http_og_zone_node_t *node,
    uint64_t now, og_window_verdict_t *verdict);
static void ngx_http_og_zone_set_clock(ngx_http_og_zone_node_t *node,
    int64_t clock);
static uint64_t ngx_http_og_zone_now(ngx_http_og_zone_node_t *node);
static void ngx_http_og_zone_lock(ngx_shm_zone_t *zone);
static void ngx_http_og_zone_unlock(ngx_shm_zone_t *zone);
static ngx_http_og_zone_node_t *ngx_http_og_zone_find(ngx_shm_zone_t *zone,
    ngx_http_og_counter_t *counter);
static ngx_http_og_zone_node_t *ngx_http_og_zone_get(ngx_shm_zone_t *zone,
    ngx_http_og_counter_t *counter);
static ngx_http_og_zone_node_t *ngx_http_og_zone_new(ngx_shm_zone_t *zone,
    ngx_http_og_counter_t *counter);
static void *ngx_http_og_zone_alloc(ngx_shm_zone_t *zone, size_t size);
static uint32_t ngx_http_og_zone_hash(ngx_http_og_counter_t *counter);
static ngx_int_t ngx_http_og_zone_compare(ngx_http_og_zone_node_t *node,
    ngx_http_og_counter_t *counter);
static void ngx_http_og_zone_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);


ngx_shm_zone_t *
ngx_http_og_zone_create(ngx_conf_t *cf, ngx_str_t *name, size_t size)
{
    ngx_shm_zone_t  *zone;
    static u_char    tag;

    zone = ngx_shared_memory_add(cf, name, size, &tag);

    if (zone != NULL) {
        zone->init = ngx_http_og_zone_init;
    }

    return zone;
}


static ngx_int_t
ngx_http_og_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t     *pool;
    ngx_http_og_zone_t  *zone;

    pool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data || shm_zone->shm.exists) {
        shm_zone->data = pool->data;
        return NGX_OK;
    }

    zone = ngx_slab_calloc(pool, sizeof(ngx_http_og_zone_t));
    if (zone == NULL) {
        return NGX_ERROR;
    }

    ngx_rbtree_init(&zone->tree, &zone->sentinel, ngx_http_og_zone_insert);
    ngx_queue_init(&zone->queue);

    /* a full zone forgets somebody, which is nothing to tell */

    pool->log_nomem = 0;
    pool->data = zone;
    shm_zone->data = zone;

    return NGX_OK;
}


ngx_msec_t
ngx_http_og_zone_denied(ngx_shm_zone_t *zone, ngx_http_og_counter_t *counter,
    ngx_uint_t *near)
{
    ngx_msec_int_t            left;
    ngx_http_og_zone_node_t  *node;

    left = 0;

    ngx_http_og_zone_lock(zone);

    node = ngx_http_og_zone_find(zone, counter);

    if (node) {
        if (node->remaining <= counter->window.limit / NGX_HTTP_OG_ZONE_NEAR
            || (ngx_msec_int_t) (node->replays - ngx_current_msec) > 0)
        {
            *near = 1;
        }

        if ((ngx_msec_int_t) (node->denied - ngx_current_msec) > 0) {
            left = (ngx_msec_int_t) (node->room - ngx_current_msec);
        }
    }

    ngx_http_og_zone_unlock(zone);

    return left > 0 ? (ngx_msec_t) left : 0;
}


uint64_t
ngx_http_og_zone_note(ngx_shm_zone_t *zone, ngx_http_og_counter_t *counter,
    uint64_t now, int64_t clock, og_window_verdict_t *verdict)
{
    uint64_t                  slot;
    ngx_http_og_zone_node_t  *node;

    slot = 0;

    ngx_http_og_zone_lock(zone);

    node = ngx_http_og_zone_get(zone, counter);

    if (node) {
        ngx_http_og_zone_set_clock(node, clock);
        ngx_http_og_zone_judge_too(node, now, verdict);

        if (verdict->admitted) {
            slot = og_count_note(&node->count, &counter->window, now);
        }

        node->remaining = verdict->remaining;
        node->room = ngx_current_msec + (ngx_msec_t) verdict->wait;

        ngx_http_og_zone_deny(node, (ngx_msec_t) verdict->wait);
    }

    ngx_http_og_zone_unlock(zone);

    return slot;
}


/*
 * For no longer than a moment.  Each worker's time is a little behind or ahead
 * of the others': who is not denied is so for all of them.
 */

static void
ngx_http_og_zone_deny(ngx_http_og_zone_node_t *node, ngx_msec_t wait)
{
    node->denied = ngx_current_msec;

    if (wait) {
        node->denied += ngx_min(wait, NGX_HTTP_OG_ZONE_DENY);

    } else {
        node->denied -= NGX_HTTP_OG_ZONE_DENY;
    }
}


/* What is counted here is no more than the store knows, unless it forgot. */

static void
ngx_http_og_zone_judge_too(ngx_http_og_zone_node_t *node, uint64_t now,
    og_window_verdict_t *verdict)
{
    og_window_verdict_t  own;

    if (!verdict->admitted) {
        return;
    }

    og_count_judge(&node->count, &node->window, now, &own);

    if (!own.admitted || own.remaining < verdict->remaining) {
        *verdict = own;
    }
}


void
ngx_http_og_zone_note_replay(ngx_shm_zone_t *zone,
    ngx_http_og_counter_t *counter)
{
    ngx_http_og_zone_node_t  *node;

    ngx_http_og_zone_lock(zone);

    node = ngx_http_og_zone_get(zone, counter);

    if (node) {
        node->replays = ngx_current_msec + NGX_HTTP_OG_ZONE_REPLAYS;
    }

    ngx_http_og_zone_unlock(zone);
}


uint64_t
ngx_http_og_zone_take(ngx_shm_zone_t *zone, ngx_http_og_counter_t *counter,
    og_window_verdict_t *verdict)
{
    uint64_t                  slot, now;
    og_count_t                none;
    ngx_http_og_zone_node_t  *node;

    slot = 0;

    ngx_memzero(&none, sizeof(og_count_t));

    ngx_http_og_zone_lock(zone);

    node = ngx_http_og_zone_get(zone, counter);
    now = ngx_http_og_zone_now(node);

    og_count_judge(node ? &node->count : &none, &counter->window, now,
                   verdict);

    if (node && verdict->admitted) {
        slot = og_count_add(&node->count, &counter->window, now);
    }

    ngx_http_og_zone_unlock(zone);

    return slot;
}


ngx_int_t
ngx_http_og_zone_take_all(ngx_shm_zone_t *zone, ngx_http_og_zone_unit_t *units,
    ngx_uint_t n, uint64_t now)
{
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_http_og_zone_node_t  *node;

    rc = NGX_OK;

    ngx_http_og_zone_lock(zone);

    for (i = 0; i < n; i++) {

        node = ngx_http_og_zone_get(zone, &units[i].counter);

        if (node == NULL) {
            rc = NGX_ERROR;
            break;
        }

        og_count_judge(&node->count, &node->window, now, &units[i].verdict);

        if (!units[i].verdict.admitted) {
            rc = NGX_DECLINED;
        }
    }

    for (i = 0; i < n && rc == NGX_OK; i++) {

        node = ngx_http_og_zone_find(zone, &units[i].counter);

        /* NULL: a zone for fewer counters than these has forgotten it */

        if (node) {
            units[i].slot = og_count_add(&node->count, &node->window, now);
        }
    }

    ngx_http_og_zone_unlock(zone);

    return rc;
}


void
ngx_http_og_zone_back(ngx_shm_zone_t *zone, ngx_http_og_counter_t *counter,
    uint64_t slot)
{
    ngx_http_og_zone_node_t  *node;

    ngx_http_og_zone_lock(zone);

    node = ngx_http_og_zone_find(zone, counter);

    if (node) {
        og_count_back(&node->count, slot);
        ngx_http_og_zone_deny(node, 0);
        node->remaining += (node->remaining != UINT64_MAX);
    }

    ngx_http_og_zone_unlock(zone);
}


/*
 * Slots are numbered by the store's time, and by this host's as long as that
 * is not known: what was counted by another clock gets the numbers of this
 * one.  Less than a slot is how well the clock is known.
 */

static void
ngx_http_og_zone_set_clock(ngx_http_og_zone_node_t *node, int64_t clock)
{
    int64_t  by;

    by = clock - node->clock;

    if ((uint64_t) (by < 0 ? -by : by) < node->window.window / OG_WINDOW_SLOTS)
    {
        return;
    }

    if (node->count.newest) {
        og_count_shift(&node->count, &node->window, by);
    }

    node->clock = clock;
}


static uint64_t
ngx_http_og_zone_now(ngx_http_og_zone_node_t *node)
{
    ngx_time_t  *tp;

    if (node && node->clock == 0) {
        tp = ngx_timeofday();
        node->clock = (int64_t) tp->sec * 1000 + tp->msec
                      - (int64_t) ngx_current_msec;
    }

    return (uint64_t) ((int64_t) ngx_current_msec + (node ? node->clock : 0));
}


static void
ngx_http_og_zone_lock(ngx_shm_zone_t *zone)
{
    ngx_shmtx_lock(&((ngx_slab_pool_t *) zone->shm.addr)->mutex);
}


static void
ngx_http_og_zone_unlock(ngx_shm_zone_t *zone)
{
    ngx_shmtx_unlock(&((ngx_slab_pool_t *) zone->shm.addr)->mutex);
}


/* The counter if it is known with this window, as the one used last. */

static ngx_http_og_zone_node_t *
ngx_http_og_zone_find(ngx_shm_zone_t *shm_zone,
    ngx_http_og_counter_t *counter)
{
    uint32_t                  hash;
    ngx_int_t                 rc;
    ngx_rbtree_node_t        *node, *sentinel;
    ngx_http_og_zone_t       *zone;
    ngx_http_og_zone_node_t  *found;

    zone = shm_zone->data;
    hash = ngx_http_og_zone_hash(counter);

    node = zone->tree.root;
    sentinel = zone->tree.sentinel;

    while (node != sentinel) {

        if (hash != node->key) {
            node = hash < node->key ? node->left : node->right;
            continue;
        }

        found = (ngx_http_og_zone_node_t *) node;
        rc = ngx_http_og_zone_compare(found, counter);

        if (rc == 0) {
            ngx_queue_remove(&found->queue);
            ngx_queue_insert_head(&zone->queue, &found->queue);

            return found;
        }

        node = rc < 0 ? node->left : node->right;
    }

    return NULL;
}


static ngx_http_og_zone_node_t *
ngx_http_og_zone_get(ngx_shm_zone_t *zone, ngx_http_og_counter_t *counter)
{
    ngx_http_og_zone_node_t  *node;

    node = ngx_http_og_zone_find(zone, counter);

    return node ? node : ngx_http_og_zone_new(zone, counter);
}


static ngx_http_og_zone_node_t *
ngx_http_og_zone_new(ngx_shm_zone_t *shm_zone, ngx_http_og_counter_t *counter)
{
    size_t                    size;
    ngx_http_og_zone_t       *zone;
    ngx_http_og_zone_node_t  *node;

    zone = shm_zone->data;
    size = offsetof(ngx_http_og_zone_node_t, key) + counter->key.len;

    node = ngx_http_og_zone_alloc(shm_zone, size);
    if (node == NULL) {
        return NULL;
    }

    ngx_memzero(node, size);

    node->node.key = ngx_http_og_zone_hash(counter);
    node->window = counter->window;
    ngx_http_og_zone_deny(node, 0);
    node->room = ngx_current_msec;
    node->replays = ngx_current_msec;
    node->remaining = UINT64_MAX;
    node->len = counter->key.len;
    ngx_memcpy(node->key, counter->key.data, counter->key.len);

    ngx_rbtree_insert(&zone->tree, &node->node);
    ngx_queue_insert_head(&zone->queue, &node->queue);

    return node;
}


static void *
ngx_http_og_zone_alloc(ngx_shm_zone_t *shm_zone, size_t size)
{
    void                     *p;
    ngx_uint_t                i;
    ngx_slab_pool_t          *pool;
    ngx_http_og_zone_t       *zone;
    ngx_http_og_zone_node_t  *oldest;

    zone = shm_zone->data;
    pool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    for (i = 0; /* void */ ; i++) {

        p = ngx_slab_alloc_locked(pool, size);

        if (p != NULL
            || i == NGX_HTTP_OG_ZONE_EVICTIONS
            || ngx_queue_empty(&zone->queue))
        {
            return p;
        }

        oldest = ngx_queue_data(ngx_queue_last(&zone->queue),
                                ngx_http_og_zone_node_t, queue);

        ngx_queue_remove(&oldest->queue);
        ngx_rbtree_delete(&zone->tree, &oldest->node);
        ngx_slab_free_locked(pool, oldest);
    }
}


static uint32_t
ngx_http_og_zone_hash(ngx_http_og_counter_t *counter)
{
    return ngx_crc32_long(counter->key.data, counter->key.len);
}


/* A name that has another window after a reload is another counter. */

static ngx_int_t
ngx_http_og_zone_compare(ngx_http_og_zone_node_t *node,
    ngx_http_og_counter_t *counter)
{
    ngx_int_t  rc;

    rc = ngx_memn2cmp(counter->key.data, node->key, counter->key.len,
                      node->len);

    if (rc == 0) {
        rc = ngx_memcmp(&counter->window, &node->window, sizeof(og_window_t));
    }

    return rc;
}


/* Nodes of one hash are in the order of the comparison. */

static void
ngx_http_og_zone_insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t        **p;
    ngx_http_og_counter_t      counter;
    ngx_http_og_zone_node_t   *new;

    new = (ngx_http_og_zone_node_t *) node;

    counter.key.data = new->key;
    counter.key.len = new->len;
    counter.window = new->window;

    for ( ;; ) {

        if (node->key != temp->key) {
            p = node->key < temp->key ? &temp->left : &temp->right;

        } else {
            p = ngx_http_og_zone_compare((ngx_http_og_zone_node_t *) temp,
                                         &counter)
                < 0 ? &temp->left : &temp->right;
        }

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;

    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;

    ngx_rbt_red(node);
}
