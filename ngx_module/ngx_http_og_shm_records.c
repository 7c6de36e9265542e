
/*
 * Copyright (C) order guard contributors
 *
 * A tree of records by the hash of their keys, another one by their expiry,
 * and a queue of the answers that can be given up, by age.
 *
 * A record stands in one piece with its key and room for an end without an
 * answer; an answer is allocated for itself.  Answers have 90 % of the zone:
 * the rest is kept for records alone.
 */


#include "ngx_http_og_shm_records.h"


#define NGX_HTTP_OG_SHM_ANSWERS   90    /* %: answers fill no more */
#define NGX_HTTP_OG_SHM_FILLING   70    /* %: that is told */
#define NGX_HTTP_OG_SHM_CALM      60    /* %: and may be told again */

/*
 * So many records that are over go with each one that comes: as many as share
 * a page, which is whole again then.
 */
#define NGX_HTTP_OG_SHM_EXPIRE    16

/* So many answers at most go for one allocation. */
#define NGX_HTTP_OG_SHM_SHED      128


typedef struct {
    ngx_rbtree_t                 tree;
    ngx_rbtree_node_t            sentinel;
    ngx_rbtree_t                 expiry;
    ngx_rbtree_node_t            expiry_sentinel;
    ngx_queue_t                  answers;   /* the last stored first */
    int64_t                      clock;
    ngx_uint_t                   told;      /* that it is filling */
} ngx_http_og_shm_shared_t;


struct ngx_http_og_shm_records_s {
    ngx_str_t                    store;
    size_t                       size;      /* of the store, as configured */
    ngx_slab_pool_t             *pool;
    ngx_http_og_shm_shared_t    *shared;
};


static ngx_int_t ngx_http_og_shm_records_init(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_http_og_shm_records_start(
    ngx_http_og_shm_records_t *records);
static void ngx_http_og_shm_refuse(ngx_http_og_shm_records_t *records,
    ngx_shm_zone_t *zone, ngx_shm_zone_t *running);
static ngx_shm_zone_t *ngx_http_og_shm_running_zone(ngx_shm_zone_t *zone);
static ngx_int_t ngx_http_og_shm_compare(ngx_http_og_shm_record_t *record,
    u_char *key, size_t len);
static void ngx_http_og_shm_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
static u_char *ngx_http_og_shm_room(ngx_http_og_shm_record_t *record);
static ngx_msec_int_t ngx_http_og_shm_left(ngx_http_og_shm_record_t *record);
static ngx_uint_t ngx_http_og_shm_expire(ngx_http_og_shm_records_t *records);
static ngx_uint_t ngx_http_og_shm_make_room(
    ngx_http_og_shm_records_t *records);
static void *ngx_http_og_shm_alloc_record(ngx_http_og_shm_records_t *records,
    size_t size);
static void *ngx_http_og_shm_alloc_answer(ngx_http_og_shm_records_t *records,
    size_t size);
static ngx_uint_t ngx_http_og_shm_fill(ngx_http_og_shm_records_t *records,
    size_t size);
static ngx_uint_t ngx_http_og_shm_percent(ngx_http_og_shm_records_t *records,
    ngx_uint_t pages);
static void ngx_http_og_shm_drop_answer(ngx_http_og_shm_records_t *records,
    ngx_http_og_shm_record_t *record);
static void ngx_http_og_shm_lay_bare(ngx_http_og_shm_record_t *record,
    u_char *bytes, size_t len);


ngx_http_og_shm_records_t *
ngx_http_og_shm_records_create(ngx_conf_t *cf, ngx_str_t *name,
    size_t size, ngx_str_t *store, size_t store_size)
{
    ngx_shm_zone_t             *zone;
    ngx_http_og_shm_records_t  *records;
    static u_char               tag;

    records = ngx_pcalloc(cf->pool, sizeof(ngx_http_og_shm_records_t));
    if (records == NULL) {
        return NULL;
    }

    records->store = *store;
    records->size = store_size;

    zone = ngx_shared_memory_add(cf, name, size, &tag);
    if (zone == NULL) {
        return NULL;
    }

    zone->init = ngx_http_og_shm_records_init;
    zone->data = records;

    return records;
}


static ngx_int_t
ngx_http_og_shm_records_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_shm_zone_t             *running;
    ngx_http_og_shm_records_t  *records, *former;

    records = zone->data;
    records->pool = (ngx_slab_pool_t *) zone->shm.addr;

    former = data;

    if (former) {
        records->shared = former->shared;
        return NGX_OK;
    }

    running = ngx_http_og_shm_running_zone(zone);

    if (running) {
        ngx_http_og_shm_refuse(records, zone, running);
        return NGX_ERROR;
    }

    if (ngx_inherited && ngx_is_init_cycle(ngx_cycle)) {
        ngx_log_error(NGX_LOG_WARN, zone->shm.log, 0,
                      "store \"%V\" starts empty: a new binary does not share "
                      "the memory of the old one, orders that the old one has "
                      "seen are not known here, and their retries run again",
                      &records->store);
    }

    return ngx_http_og_shm_records_start(records);
}


static void
ngx_http_og_shm_refuse(ngx_http_og_shm_records_t *records,
    ngx_shm_zone_t *zone, ngx_shm_zone_t *running)
{
    ngx_http_og_shm_records_t  *former;

    if (running->tag != zone->tag) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "store \"%V\" is in use by another build of the module, "
                      "which cannot hand it over: what is in it would be "
                      "lost, and orders would run twice; restart nginx, or "
                      "give the store another name", &records->store);
        return;
    }

    former = running->data;

    ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                  "\"size=\" of store \"%V\" cannot become %uzk while "
                  "nginx runs with %uzk: what is in the store would be "
                  "lost, and orders would run twice; leave it as it was, "
                  "restart nginx, or give the store another name",
                  &records->store, records->size / 1024, former->size / 1024);
}


static ngx_int_t
ngx_http_og_shm_records_start(ngx_http_og_shm_records_t *records)
{
    ngx_time_t                *tp;
    ngx_http_og_shm_shared_t  *shared;

    shared = ngx_slab_calloc(records->pool, sizeof(ngx_http_og_shm_shared_t));
    if (shared == NULL) {
        return NGX_ERROR;
    }

    ngx_rbtree_init(&shared->tree, &shared->sentinel, ngx_http_og_shm_insert);
    ngx_rbtree_init(&shared->expiry, &shared->expiry_sentinel,
                    ngx_rbtree_insert_timer_value);
    ngx_queue_init(&shared->answers);

    tp = ngx_timeofday();
    shared->clock = (int64_t) tp->sec * 1000 + tp->msec
                    - (int64_t) ngx_current_msec;

    /* a full zone is told by who knows what that means, outside of the lock */

    records->pool->log_nomem = 0;
    records->shared = shared;

    return NGX_OK;
}


/* Called while a configuration is loaded: ngx_cycle is that which runs. */

static ngx_shm_zone_t *
ngx_http_og_shm_running_zone(ngx_shm_zone_t *new)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    if (ngx_is_init_cycle(ngx_cycle)) {
        return NULL;
    }

    part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
    zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            zone = part->elts;
            i = 0;
        }

        if (zone[i].shm.name.len == new->shm.name.len
            && ngx_memcmp(zone[i].shm.name.data, new->shm.name.data,
                          new->shm.name.len)
               == 0)
        {
            return &zone[i];
        }
    }
}


int64_t
ngx_http_og_shm_records_clock(ngx_http_og_shm_records_t *records)
{
    return records->shared->clock;
}


void
ngx_http_og_shm_lock(ngx_http_og_shm_records_t *records)
{
    ngx_shmtx_lock(&records->pool->mutex);
}


void
ngx_http_og_shm_unlock(ngx_http_og_shm_records_t *records)
{
    ngx_shmtx_unlock(&records->pool->mutex);
}


ngx_http_og_shm_record_t *
ngx_http_og_shm_record_find(ngx_http_og_shm_records_t *records, ngx_str_t *key)
{
    uint32_t                   hash;
    ngx_int_t                  rc;
    ngx_rbtree_node_t         *node, *sentinel;
    ngx_http_og_shm_record_t  *record;

    hash = ngx_crc32_long(key->data, key->len);

    node = records->shared->tree.root;
    sentinel = records->shared->tree.sentinel;

    while (node != sentinel) {

        if (hash != node->key) {
            node = hash < node->key ? node->left : node->right;
            continue;
        }

        record = (ngx_http_og_shm_record_t *) node;
        rc = ngx_http_og_shm_compare(record, key->data, key->len);

        if (rc != 0) {
            node = rc < 0 ? node->left : node->right;
            continue;
        }

        if (ngx_http_og_shm_left(record) > 0) {
            return record;
        }

        ngx_http_og_shm_record_remove(records, record);

        return NULL;
    }

    return NULL;
}


static ngx_int_t
ngx_http_og_shm_compare(ngx_http_og_shm_record_t *record, u_char *key,
    size_t len)
{
    return ngx_memn2cmp(key, record->key, len, record->key_len);
}


static void
ngx_http_og_shm_insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t         **p;
    ngx_http_og_shm_record_t   *new;

    new = (ngx_http_og_shm_record_t *) node;

    for ( ;; ) {

        if (node->key != temp->key) {
            p = node->key < temp->key ? &temp->left : &temp->right;

        } else {
            p = ngx_http_og_shm_compare((ngx_http_og_shm_record_t *) temp,
                                        new->key, new->key_len)
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


ngx_int_t
ngx_http_og_shm_record_copy(ngx_http_og_shm_record_t *record,
    ngx_http_og_shm_copy_t *copy)
{
    if (copy->bytes.len < record->len) {
        copy->bytes.len = record->len;
        return NGX_AGAIN;
    }

    copy->bytes.len = record->len;
    ngx_memcpy(copy->bytes.data, record->bytes, record->len);

    copy->expiry = record->expiry.key;
    copy->left = (ngx_msec_t) ngx_max(ngx_http_og_shm_left(record), 0);
    copy->status = record->status;
    copy->bare = record->bare;

    return NGX_OK;
}


ngx_http_og_shm_record_t *
ngx_http_og_shm_record_add(ngx_http_og_shm_records_t *records, ngx_str_t *key,
    ngx_str_t *pending, ngx_msec_t life)
{
    size_t                     size;
    ngx_http_og_shm_record_t  *record;

    size = offsetof(ngx_http_og_shm_record_t, key) + key->len + pending->len;

    record = ngx_http_og_shm_alloc_record(records, size);
    if (record == NULL) {
        return NULL;
    }

    ngx_memzero(record, size);

    record->key_len = (u_short) key->len;
    ngx_memcpy(record->key, key->data, key->len);

    record->room = (u_short) pending->len;
    record->bytes = ngx_http_og_shm_room(record);
    record->len = pending->len;
    ngx_memcpy(record->bytes, pending->data, pending->len);

    record->node.key = ngx_crc32_long(key->data, key->len);
    ngx_rbtree_insert(&records->shared->tree, &record->node);

    record->expiry.key = ngx_current_msec + life;
    ngx_rbtree_insert(&records->shared->expiry, &record->expiry);

    return record;
}


void
ngx_http_og_shm_record_live(ngx_http_og_shm_records_t *records,
    ngx_http_og_shm_record_t *record, ngx_msec_t life)
{
    ngx_rbtree_delete(&records->shared->expiry, &record->expiry);

    record->expiry.key = ngx_current_msec + life;

    ngx_rbtree_insert(&records->shared->expiry, &record->expiry);
}


ngx_int_t
ngx_http_og_shm_record_set(ngx_http_og_shm_records_t *records,
    ngx_http_og_shm_record_t *record, ngx_str_t *bytes, ngx_uint_t status)
{
    u_char  *answer;

    answer = bytes->len > record->room
             ? ngx_http_og_shm_alloc_answer(records, bytes->len) : NULL;

    ngx_http_og_shm_drop_answer(records, record);

    record->status = (u_short) status;

    if (answer == NULL && bytes->len > record->room) {
        ngx_http_og_shm_lay_bare(record, bytes->data, bytes->len);
        return NGX_DECLINED;
    }

    if (answer) {
        ngx_queue_insert_head(&records->shared->answers, &record->answers);
    }

    record->bare = 0;
    record->bytes = answer ? answer : ngx_http_og_shm_room(record);
    record->len = bytes->len;
    ngx_memcpy(record->bytes, bytes->data, bytes->len);

    return NGX_OK;
}


void
ngx_http_og_shm_record_remove(ngx_http_og_shm_records_t *records,
    ngx_http_og_shm_record_t *record)
{
    ngx_http_og_shm_drop_answer(records, record);

    ngx_rbtree_delete(&records->shared->tree, &record->node);
    ngx_rbtree_delete(&records->shared->expiry, &record->expiry);

    ngx_slab_free_locked(records->pool, record);
}


ngx_uint_t
ngx_http_og_shm_records_filling(ngx_http_og_shm_records_t *records)
{
    ngx_uint_t                 fill;
    ngx_http_og_shm_shared_t  *shared;

    shared = records->shared;
    fill = ngx_http_og_shm_fill(records, 0);

    if (fill < NGX_HTTP_OG_SHM_CALM) {
        shared->told = 0;
    }

    if (fill < NGX_HTTP_OG_SHM_FILLING || shared->told) {
        return 0;
    }

    shared->told = 1;

    return 1;
}


static u_char *
ngx_http_og_shm_room(ngx_http_og_shm_record_t *record)
{
    return record->key + record->key_len;
}


static ngx_msec_int_t
ngx_http_og_shm_left(ngx_http_og_shm_record_t *record)
{
    return (ngx_msec_int_t) (record->expiry.key - ngx_current_msec);
}


/* Takes away the record that is over for longest, if there is any. */

static ngx_uint_t
ngx_http_og_shm_expire(ngx_http_og_shm_records_t *records)
{
    ngx_rbtree_t              *tree;
    ngx_rbtree_node_t         *node;
    ngx_http_og_shm_record_t  *record;

    tree = &records->shared->expiry;

    if (tree->root == tree->sentinel) {
        return 0;
    }

    node = ngx_rbtree_min(tree->root, tree->sentinel);
    record = ngx_rbtree_data(node, ngx_http_og_shm_record_t, expiry);

    if (ngx_http_og_shm_left(record) > 0) {
        return 0;
    }

    ngx_http_og_shm_record_remove(records, record);

    return 1;
}


/* What is over goes first, then the oldest answer. */

static ngx_uint_t
ngx_http_og_shm_make_room(ngx_http_og_shm_records_t *records)
{
    size_t                     len;
    u_char                    *answer;
    ngx_queue_t               *answers;
    ngx_http_og_shm_record_t  *oldest;

    if (ngx_http_og_shm_expire(records)) {
        return 1;
    }

    answers = &records->shared->answers;

    if (ngx_queue_empty(answers)) {
        return 0;
    }

    oldest = ngx_queue_data(ngx_queue_last(answers),
                            ngx_http_og_shm_record_t, answers);

    answer = oldest->bytes;
    len = oldest->len;

    ngx_http_og_shm_lay_bare(oldest, answer, len);

    ngx_queue_remove(&oldest->answers);
    ngx_slab_free_locked(records->pool, answer);

    return 1;
}


static void *
ngx_http_og_shm_alloc_record(ngx_http_og_shm_records_t *records, size_t size)
{
    void        *p;
    ngx_uint_t   i;

    for (i = 0; i < NGX_HTTP_OG_SHM_EXPIRE; i++) {
        if (!ngx_http_og_shm_expire(records)) {
            break;
        }
    }

    for (i = 0; /* void */ ; i++) {

        p = ngx_slab_alloc_locked(records->pool, size);

        if (p != NULL
            || i == NGX_HTTP_OG_SHM_SHED
            || !ngx_http_og_shm_make_room(records))
        {
            return p;
        }
    }
}


/* A large one needs pages side by side. */

static void *
ngx_http_og_shm_alloc_answer(ngx_http_og_shm_records_t *records, size_t size)
{
    void        *p;
    ngx_uint_t   i;

    if (ngx_http_og_shm_percent(records, size / ngx_pagesize)
        >= NGX_HTTP_OG_SHM_ANSWERS)
    {
        return NULL;
    }

    for (i = 0; /* void */ ; i++) {

        if (ngx_http_og_shm_fill(records, size) <= NGX_HTTP_OG_SHM_ANSWERS) {

            p = ngx_slab_alloc_locked(records->pool, size);

            if (p != NULL) {
                return p;
            }
        }

        if (i == NGX_HTTP_OG_SHM_SHED || !ngx_http_og_shm_make_room(records)) {
            return NULL;
        }
    }
}


/* In %, with so many more bytes; small ones share pages. */

static ngx_uint_t
ngx_http_og_shm_fill(ngx_http_og_shm_records_t *records, size_t size)
{
    ngx_uint_t        used;
    ngx_slab_pool_t  *pool;

    pool = records->pool;
    used = pool->last - pool->pages - pool->pfree;

    if (size > ngx_pagesize / 2) {
        used += (size + ngx_pagesize - 1) / ngx_pagesize;
    }

    return ngx_http_og_shm_percent(records, used);
}


static ngx_uint_t
ngx_http_og_shm_percent(ngx_http_og_shm_records_t *records, ngx_uint_t pages)
{
    return pages * 100 / (records->pool->last - records->pool->pages);
}


static void
ngx_http_og_shm_drop_answer(ngx_http_og_shm_records_t *records,
    ngx_http_og_shm_record_t *record)
{
    if (record->bytes != ngx_http_og_shm_room(record)) {
        ngx_queue_remove(&record->answers);
        ngx_slab_free_locked(records->pool, record->bytes);
    }
}


/*
 * Of a finished record its head is kept, which is readable without a secret,
 * and smaller than that of the claim that it was.
 */

static void
ngx_http_og_shm_lay_bare(ngx_http_og_shm_record_t *record, u_char *bytes,
    size_t len)
{
    og_record_t  head;

    record->bare = 1;
    record->len = og_record_decode_head(&head, bytes, len);
    record->bytes = ngx_http_og_shm_room(record);

    ngx_memcpy(record->bytes, bytes, record->len);
}
