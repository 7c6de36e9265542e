
/*
 * Copyright (C) order guard contributors
 *
 * Counters in shared memory.  This host keeps some of every store: who is over
 * a limit and for how long, and a count of its own for when the store is away.
 * The embedded store keeps its own.
 */


#ifndef NGX_HTTP_OG_ZONE_H_INCLUDED_
#define NGX_HTTP_OG_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "og_window.h"


#define NGX_HTTP_OG_ZONE_SIZE      (8 * 1024 * 1024)    /* by default */
#define NGX_HTTP_OG_ZONE_MIN_SIZE  (32 * 1024)


/* A counter, by its store and what it is called there. */
typedef struct {
    ngx_str_t                    key;
    og_window_t                  window;
} ngx_http_og_counter_t;


/* A unit of a counter. */
typedef struct {
    ngx_http_og_counter_t        counter;
    og_window_verdict_t          verdict;
    uint64_t                     slot;      /* that it was counted in */
} ngx_http_og_zone_unit_t;


/*
 * Adds a zone to the configuration; a reload keeps what is in one of the same
 * name and size.  NULL: no memory.
 */
ngx_shm_zone_t *ngx_http_og_zone_create(ngx_conf_t *cf, ngx_str_t *name,
    size_t size);

/*
 * When the counter will have room, in ms, if the store has said within a
 * second that it has none; 0: ask the store.  *near is set where the store
 * had little left, or a replay was seen within a second: a unit must not be
 * counted before it is known to be needed.
 */
ngx_msec_t ngx_http_og_zone_denied(ngx_shm_zone_t *zone,
    ngx_http_og_counter_t *counter, ngx_uint_t *near);

/*
 * Notes what the store has said of one unit at now, the store's time, which is
 * clock ms ahead of ngx_current_msec.  A unit
 * that it admits is counted here too, unless this host has let through so much
 * that there is no room: what was admitted while the store was away, or what
 * the store has lost.  Then, and where less remains, *verdict is changed.
 * Returns the slot of the unit.
 */
uint64_t ngx_http_og_zone_note(ngx_shm_zone_t *zone,
    ngx_http_og_counter_t *counter, uint64_t now, int64_t clock,
    og_window_verdict_t *verdict);

/* A request that costs nothing was asked for. */
void ngx_http_og_zone_note_replay(ngx_shm_zone_t *zone,
    ngx_http_og_counter_t *counter);

/* Judges a unit by what this host has counted, and counts it if admitted. */
uint64_t ngx_http_og_zone_take(ngx_shm_zone_t *zone,
    ngx_http_og_counter_t *counter, og_window_verdict_t *verdict);

/*
 * Judges n units at now, the time that their slots are numbered by, and counts
 * all of them where all are admitted: NGX_OK.  NGX_DECLINED: one is not, and
 * nothing was counted.  NGX_ERROR: the zone is too small, likewise.
 */
ngx_int_t ngx_http_og_zone_take_all(ngx_shm_zone_t *zone,
    ngx_http_og_zone_unit_t *units, ngx_uint_t n, uint64_t now);

/* The unit of this slot was not spent: there is room again. */
void ngx_http_og_zone_back(ngx_shm_zone_t *zone,
    ngx_http_og_counter_t *counter, uint64_t slot);


#endif /* NGX_HTTP_OG_ZONE_H_INCLUDED_ */
