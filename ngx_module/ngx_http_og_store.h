
/*
 * Copyright (C) order guard contributors
 *
 * A store keeps idempotency records and limit counters.  Three verbs, begin,
 * complete and release, stand before every backend; backends never see a
 * request.
 */


#ifndef NGX_HTTP_OG_STORE_H_INCLUDED_
#define NGX_HTTP_OG_STORE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "og_record.h"
#include "og_secret.h"
#include "og_window.h"


typedef struct ngx_http_og_store_s  ngx_http_og_store_t;
typedef struct ngx_http_og_op_s     ngx_http_og_op_t;
typedef struct ngx_http_og_verbs_s  ngx_http_og_verbs_t;

typedef void (*ngx_http_og_op_handler_pt)(ngx_http_og_op_t *op);


typedef enum {
    NGX_HTTP_OG_ADMITTED = 0,       /* within the limits, no claim asked for */
    NGX_HTTP_OG_CLAIMED,            /* within the limits, the key is ours */
    NGX_HTTP_OG_FINISHED,           /* op->record: a DONE answer to replay */
    NGX_HTTP_OG_UNAVAILABLE_RESULT, /* finished, its answer was not kept */
    NGX_HTTP_OG_RUNNING,            /* another request holds the key */
    NGX_HTTP_OG_UNKNOWN,            /* the first was sent, no answer known */
    NGX_HTTP_OG_REUSED,             /* same key, another fingerprint */
    NGX_HTTP_OG_LIMITED,            /* a quota says no; nothing is claimed */
    NGX_HTTP_OG_STORE_FAILED        /* no decision could be had in time */
} ngx_http_og_verdict_e;


typedef enum {
    NGX_HTTP_OG_HOLD = 0,           /* an unknown outcome blocks the key */
    NGX_HTTP_OG_RETRY               /* an unknown outcome frees the key */
} ngx_http_og_on_unknown_e;


typedef enum {
    NGX_HTTP_OG_NOT_SENT = 0,       /* no byte left: units are given back */
    NGX_HTTP_OG_FREED               /* answered with a status that frees */
} ngx_http_og_release_e;


/* One limit to be counted; asked by the request, judged by the store. */
typedef struct {
    ngx_uint_t                   policy;    /* the requester's own number */
    ngx_http_og_store_t         *store;
    og_window_t                  window;
    ngx_str_t                    key;       /* without prefix and slot */

    unsigned                     judged:1;  /* verdict is set */
    og_window_verdict_t          verdict;
    uint64_t                     now;       /* when, by the store's time, ms */
    int64_t                      clock;     /* that less ngx_current_msec */
} ngx_http_og_quota_t;


/* What a record is looked up by, and what the secret of that name decides. */
typedef struct {
    ngx_str_t                    key;       /* without prefix; empty: nothing
                                               to claim */
    u_char                       fingerprint[OG_RECORD_FINGERPRINT_SIZE];
    og_secret_t                 *secret;    /* NULL: records are in clear */
} ngx_http_og_name_t;


/*
 * One request's dealings with a store, from begin to the end of its claim.
 * It has a pool of its own, since a lost reply outlives the request.
 * Fields above "answered" are filled in by the requester, in op->pool.
 */
struct ngx_http_og_op_s {
    ngx_http_og_store_t         *store;
    ngx_pool_t                  *pool;

    ngx_http_og_name_t           name;
    ngx_http_og_name_t          *former;    /* that it is claimed under, too,
                                               while secrets change; or NULL */
    ngx_msec_t                   ttl;
    ngx_msec_t                   lease;
    ngx_msec_t                   waited;    /* for other operations of the
                                               request: so much less time */
    ngx_http_og_on_unknown_e     on_unknown;

    ngx_http_og_quota_t         *quotas;
    ngx_uint_t                   nquotas;
    unsigned                     counted_too:1; /* by an operation that is to
                                                   leave in the same write */
    unsigned                     denied:1;  /* one has no room: the record is
                                               looked at only */
    unsigned                     near:1;    /* one has little: no claim before
                                               it is counted */

    ngx_http_og_op_handler_pt    handler;   /* after each NGX_AGAIN, once */
    void                        *data;

    /* answered by the store */
    ngx_http_og_verdict_e        verdict;
    og_record_t                  record;    /* of another request that has
                                               the key; points into pool */
    ngx_uint_t                   age;       /* s, of that record */
    ngx_uint_t                   retry_after;   /* s; RUNNING */
    uint64_t                     left;      /* ms that the record lives; look
                                               and resolve */
    unsigned                     unreadable:1;  /* STORE_FAILED, as what is
                                               there is no record of ours */
    unsigned                     resolved:1;

    const ngx_http_og_verbs_t   *verbs;
    void                        *backend;   /* their own */
};


/*
 * Creates an operation on a store; joined: with op->former, or with quotas of
 * other stores, or of other owners in one that is spread.  NULL when memory
 * is short.
 */
ngx_http_og_op_t *ngx_http_og_op_create(ngx_http_og_store_t *store,
    ngx_uint_t joined);

/*
 * Counts the quotas and claims the key, in one round trip.  NGX_OK:
 * op->verdict is set.  NGX_AGAIN: op->handler will be called, from the event
 * loop, never from inside this call, within the store's timeout.
 */
ngx_int_t ngx_http_og_store_begin(ngx_http_og_op_t *op);

/*
 * Ends a claim with a record (DONE, TOMBSTONE or UNKNOWN; nonce, fingerprint
 * and created are filled in here) that lives for ttl ms.  The record is
 * copied.  NGX_OK: stored, or given up (it is settled later).  NGX_AGAIN:
 * op->handler will be called when either is so, within the timeout.  A DONE
 * record too large for the store is stored as a TOMBSTONE.  Without a claim
 * nothing is done: NGX_OK.
 */
ngx_int_t ngx_http_og_store_complete(ngx_http_og_op_t *op,
    og_record_t *record, ngx_msec_t ttl);

/*
 * Ends a claim by freeing the key.  Not waited for; a lost one is settled.
 * NOT_SENT gives the units of an ADMITTED operation back, too.
 */
void ngx_http_og_store_release(ngx_http_og_op_t *op,
    ngx_http_og_release_e why);

/*
 * What is under op's name, for who does not want it: FINISHED,
 * UNAVAILABLE_RESULT, RUNNING, UNKNOWN, or ADMITTED when nothing is.  Quotas
 * and former names are not looked at.  Otherwise as begin.
 */
ngx_int_t ngx_http_og_store_look(ngx_http_og_op_t *op);

/*
 * Puts an end to an UNKNOWN outcome: answer (DONE, valid until the handler was
 * called or the operation is closed), or NULL, which frees the key.  Then
 * op->resolved is set, and the verdict is FINISHED or ADMITTED; else nothing
 * was changed, and the verdict is what look would say, or STORE_FAILED, after
 * which only a look can tell.  The record keeps its life.  Otherwise as begin.
 */
ngx_int_t ngx_http_og_store_resolve(ngx_http_og_op_t *op,
    const og_record_t *answer);

/*
 * The requester lets go: no callback any more, op must not be touched.  A
 * claim that is still being asked for is released when it is answered; one
 * that is held and neither completed nor released stays pending and becomes
 * unknown when the lease has passed.
 */
void ngx_http_og_op_close(ngx_http_og_op_t *op);


/*
 * order_guard_store name where [param=value ...]: reads the directive's
 * words (args[1] is the name) and adds a store to the array of
 * ngx_http_og_store_t pointers.  Errors are logged with file, line, value
 * and remedy; returns NGX_CONF_OK or NGX_CONF_ERROR.
 */
char *ngx_http_og_store_add(ngx_conf_t *cf, ngx_array_t *stores);

/* Whether keys of different owners are asked for by several operations. */
ngx_uint_t ngx_http_og_store_is_spread(ngx_http_og_store_t *store);

/*
 * Called when the configuration has been read, with the resolver that http
 * has, or NULL.  Errors are logged; returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_og_stores_configured(ngx_conf_t *cf, ngx_array_t *stores,
    ngx_resolver_t *resolver);

/* What order_guard_store calls it. */
ngx_str_t *ngx_http_og_store_name(ngx_http_og_store_t *store);

/* The store of this name, the first one for an empty name, or NULL. */
ngx_http_og_store_t *ngx_http_og_store_find(ngx_array_t *stores,
    ngx_str_t *name);

/*
 * The same for who cannot do without: where no store is defined, the embedded
 * one of the name "local" is, and a notice says so.
 */
ngx_http_og_store_t *ngx_http_og_store_need(ngx_conf_t *cf,
    ngx_array_t *stores, ngx_str_t *name);

/* Called in each worker's init_process and exit_process. */
ngx_int_t ngx_http_og_stores_init(ngx_array_t *stores, ngx_cycle_t *cycle);
void ngx_http_og_stores_exit(ngx_array_t *stores, ngx_cycle_t *cycle);


#endif /* NGX_HTTP_OG_STORE_H_INCLUDED_ */
