
/*
 * Copyright (C) order guard contributors
 *
 * The embedded store: records and counters in two zones of shared memory of
 * one nginx, apart, so that a flood of the ones pushes none of the others out.
 */


#ifndef NGX_HTTP_OG_SHM_H_INCLUDED_
#define NGX_HTTP_OG_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_og_backend.h"
#include "ngx_http_og_shm_records.h"
#include "ngx_http_og_zone.h"


typedef struct {
    ngx_http_og_store_t         *store;
    ngx_str_t                    size_text; /* as configured; or empty */
    size_t                       size;      /* of both zones */
    ngx_http_og_shm_records_t   *records;
    ngx_shm_zone_t              *counters;
    ngx_msec_t                   told;      /* when the log was, last; 0 */
} ngx_http_og_shm_store_t;


typedef struct {
    /* timers' debug lines read ident, which stands as in ngx_connection_t */
    ngx_http_og_op_t            *op;
    ngx_http_og_shm_store_t     *ss;
    ngx_http_og_zone_unit_t     *units;     /* one a quota */
    ngx_socket_t                 ident;     /* -1 */

    ngx_uint_t                   holding;   /* the key is ours */
    ngx_uint_t                   counted;   /* the units are */
    u_char                       nonce[OG_RECORD_NONCE_SIZE];
    ngx_str_t                    pending;   /* the record to claim with */
    ngx_event_t                  renewal;
} ngx_http_og_shm_task_t;


/* ngx_http_og_shm_conf.c */

char *ngx_http_og_shm_configure(ngx_conf_t *cf, ngx_http_og_store_t *store);


/* ngx_http_og_shm.c */

/*
 * NGX_OK: what is under the key was copied.  NGX_DECLINED: it is free, and the
 * records are locked, so that it stays so.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_og_shm_copy(ngx_http_og_shm_task_t *task,
    ngx_http_og_shm_copy_t *copy);

/* What a copy says to anyone; sets op->left. */
ngx_http_og_verdict_e ngx_http_og_shm_read(ngx_http_og_shm_task_t *task,
    ngx_http_og_shm_copy_t *copy);

/*
 * The store's time, ms since the epoch.  Not the host's clock: to set that
 * moves no slot of a window, and makes nothing older.
 */
uint64_t ngx_http_og_shm_now(ngx_http_og_shm_store_t *ss);


/* ngx_http_og_shm_operator.c */

ngx_int_t ngx_http_og_shm_op_look(ngx_http_og_op_t *op);
ngx_int_t ngx_http_og_shm_op_resolve(ngx_http_og_op_t *op,
    const og_record_t *answer);


#endif /* NGX_HTTP_OG_SHM_H_INCLUDED_ */
