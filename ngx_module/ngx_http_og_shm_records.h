
/*
 * Copyright (C) order guard contributors
 *
 * Idempotency records in a zone of shared memory.  A claim is never given up
 * for want of memory, nor is what says that an order has run; the answers of
 * the oldest are, when the zone is nearly full.
 */


#ifndef NGX_HTTP_OG_SHM_RECORDS_H_INCLUDED_
#define NGX_HTTP_OG_SHM_RECORDS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "og_record.h"


typedef struct ngx_http_og_shm_records_s  ngx_http_og_shm_records_t;


/* Its members are in the zone, and read under the lock alone. */
typedef struct {
    ngx_rbtree_node_t            node;      /* by the hash of its key */
    ngx_rbtree_node_t            expiry;    /* by ngx_current_msec */
    ngx_queue_t                  answers;   /* while it may be shed */

    u_char                      *bytes;     /* as encoded */
    size_t                       len;

    u_short                      status;    /* of its answer */
    u_short                      bare;      /* its answer is not kept: bytes
                                               are a head */
    u_short                      room;      /* behind the key */
    u_short                      key_len;
    u_char                       key[1];
} ngx_http_og_shm_record_t;


/* What is under a key. */
typedef struct {
    ngx_str_t                    bytes;
    ngx_msec_t                   expiry;    /* by ngx_current_msec */
    ngx_msec_t                   left;      /* ms until then */
    ngx_uint_t                   status;    /* of an answer that is not kept */
    ngx_uint_t                   bare;      /* it is not: bytes are a head */
} ngx_http_og_shm_copy_t;


/*
 * Adds a zone of this name and size to the configuration.  A reload keeps what
 * is in it, and fails where the size has changed: old workers would go on with
 * the former memory, and orders would run twice.  Messages name the store and
 * its size.  NULL: no memory.
 */
ngx_http_og_shm_records_t *ngx_http_og_shm_records_create(ngx_conf_t *cf,
    ngx_str_t *name, size_t size, ngx_str_t *store, size_t store_size);

/* The store's time, ms since the epoch, less ngx_current_msec; it is fixed. */
int64_t ngx_http_og_shm_records_clock(ngx_http_og_shm_records_t *records);

void ngx_http_og_shm_lock(ngx_http_og_shm_records_t *records);
void ngx_http_og_shm_unlock(ngx_http_og_shm_records_t *records);


/* All below is called under the lock. */

/* NULL: there is none, or it has expired. */
ngx_http_og_shm_record_t *ngx_http_og_shm_record_find(
    ngx_http_og_shm_records_t *records, ngx_str_t *key);

/*
 * Copies a record to copy->bytes, which has room for bytes.len.  NGX_AGAIN:
 * bytes.len is what it takes, and nothing was copied.
 */
ngx_int_t ngx_http_og_shm_record_copy(ngx_http_og_shm_record_t *record,
    ngx_http_og_shm_copy_t *copy);

/*
 * Adds a claim of life ms under a key that is free.  There will be room for
 * each end of it that has no answer.  NULL: the zone is full of records.
 */
ngx_http_og_shm_record_t *ngx_http_og_shm_record_add(
    ngx_http_og_shm_records_t *records, ngx_str_t *key, ngx_str_t *pending,
    ngx_msec_t life);

/* From now on it lives for so many ms. */
void ngx_http_og_shm_record_live(ngx_http_og_shm_records_t *records,
    ngx_http_og_shm_record_t *record, ngx_msec_t life);

/*
 * Gives a record another text, whose status is that of its answer.  NGX_OK, or
 * NGX_DECLINED: there was no room for the answer, and it is without.
 */
ngx_int_t ngx_http_og_shm_record_set(ngx_http_og_shm_records_t *records,
    ngx_http_og_shm_record_t *record, ngx_str_t *bytes, ngx_uint_t status);

void ngx_http_og_shm_record_remove(ngx_http_og_shm_records_t *records,
    ngx_http_og_shm_record_t *record);

/*
 * Whether the zone has passed 70 % since this was asked last, by any worker;
 * below 60 % that is forgotten.
 */
ngx_uint_t ngx_http_og_shm_records_filling(ngx_http_og_shm_records_t *records);


#endif /* NGX_HTTP_OG_SHM_RECORDS_H_INCLUDED_ */
