
/*
 * Copyright (C) order guard contributors
 *
 * What stands behind the three verbs: a backend's functions, and the
 * judgement that all backends share.
 */


#ifndef NGX_HTTP_OG_BACKEND_H_INCLUDED_
#define NGX_HTTP_OG_BACKEND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_og_store.h"


#define NGX_HTTP_OG_VERDICTS  (NGX_HTTP_OG_STORE_FAILED + 1)


/* Of one store in one worker, since the worker was born. */
typedef struct {
    ngx_uint_t                     verdicts[NGX_HTTP_OG_VERDICTS];
    ngx_uint_t                     completed;
    ngx_uint_t                     released;
    ngx_uint_t                     timeouts;    /* batches answered too late,
                                                   or never */
    ngx_uint_t                     double_run;  /* another's record was found
                                                   under a claimed key */
    ngx_uint_t                     data_losses;
    ngx_uint_t                     asserted;    /* lost claims made again */
    ngx_uint_t                     undecodable; /* records */
    ngx_uint_t                     full;        /* no room for a record */
    ngx_uint_t                     unsettled;   /* put on the settle list */
    ngx_uint_t                     settled;     /* taken off it, settled */
    ngx_uint_t                     dropped;     /* never settled */
} ngx_http_og_store_counters_t;


/* Each answers to the function of the same name in ngx_http_og_store.h. */
struct ngx_http_og_verbs_s {
    ngx_int_t   (*open)(ngx_http_og_op_t *op);
    ngx_int_t   (*begin)(ngx_http_og_op_t *op);
    ngx_int_t   (*complete)(ngx_http_og_op_t *op, og_record_t *record,
                            ngx_msec_t ttl);
    void        (*release)(ngx_http_og_op_t *op, ngx_http_og_release_e why);
    void        (*close)(ngx_http_og_op_t *op);
    ngx_int_t   (*look)(ngx_http_og_op_t *op);
    ngx_int_t   (*resolve)(ngx_http_og_op_t *op, const og_record_t *answer);
};


/*
 * configure reads args[2..] of the directive into store->data; configured is
 * called when the configuration has been read, with the resolver of http, or
 * NULL, and logs what is wrong.  place numbers the places where a store keeps
 * its keys: what is in several is asked for by several operations.  These two
 * may be NULL.
 */
typedef struct {
    char       *(*configure)(ngx_conf_t *cf, ngx_http_og_store_t *store);
    ngx_int_t   (*configured)(ngx_conf_t *cf, ngx_http_og_store_t *store,
                              ngx_resolver_t *resolver);
    ngx_int_t   (*init)(ngx_http_og_store_t *store, ngx_cycle_t *cycle);
    void        (*exit)(ngx_http_og_store_t *store);
    ngx_uint_t  (*place)(ngx_http_og_store_t *store, ngx_str_t *key);

    ngx_http_og_verbs_t            verbs;
} ngx_http_og_backend_t;


struct ngx_http_og_store_s {
    ngx_str_t                      name;
    const ngx_http_og_backend_t   *backend;
    void                          *data;        /* the backend's own */
    ngx_uint_t                     spread;      /* it has several places */
    u_char                        *file_name;   /* of the directive */
    ngx_uint_t                     line;
    ngx_log_t                     *log;         /* of the worker */
    ngx_http_og_store_counters_t   counters;
};


extern const ngx_http_og_backend_t  ngx_http_og_redis_backend;
extern const ngx_http_og_backend_t  ngx_http_og_shm_backend;

/* ngx_http_og_join.c: verbs for an operation of several parts */
extern const ngx_http_og_verbs_t  ngx_http_og_join_verbs;


/*
 * Judges the record found under op's key by a claim that carried nonce:
 * CLAIMED when the record is that claim itself, STORE_FAILED when the bytes
 * are no record (never taken for "absent"), else what the record says to
 * op's fingerprint.  Only age tells RUNNING from UNKNOWN: a backend refines
 * RUNNING.  op->record points to a copy in op->pool; op->age is set by now,
 * the store's time in ms.
 */
ngx_http_og_verdict_e ngx_http_og_judge(ngx_http_og_op_t *op,
    const u_char *nonce, uint64_t now, ngx_str_t *key, ngx_str_t *bytes);

/*
 * What the record says to anyone: as above, but for CLAIMED and REUSED, which
 * depend on who asks.
 */
ngx_http_og_verdict_e ngx_http_og_read(ngx_http_og_op_t *op, uint64_t now,
    ngx_str_t *key, ngx_str_t *bytes);

/*
 * The same of a record whose answer was not kept: bytes are its head, and
 * status is that of the answer.
 */
ngx_http_og_verdict_e ngx_http_og_read_head(ngx_http_og_op_t *op,
    uint64_t now, ngx_str_t *bytes, ngx_uint_t status);

/* What a record that was read so says to op: that, or REUSED. */
ngx_http_og_verdict_e ngx_http_og_judge_request(ngx_http_og_op_t *op,
    ngx_http_og_verdict_e verdict);

/* Refines RUNNING: op->record's claim would live for so many ms more. */
ngx_http_og_verdict_e ngx_http_og_judge_silence(ngx_http_og_op_t *op,
    uint64_t left);

/* How long the store keeps op's claim without a renewal, in ms. */
ngx_msec_t ngx_http_og_claim_life(ngx_http_og_op_t *op);

/*
 * Encodes a record for op's claim, and seals it where its name has a secret:
 * sets nonce, fingerprint and created (now, ms since the epoch), and allocates
 * text in op->pool.  A record that has no encoding becomes UNKNOWN.  key is
 * the whole one, with prefix, here and above.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_og_encode(ngx_http_og_op_t *op, og_record_t *record,
    const u_char *nonce, uint64_t now, ngx_str_t *key, ngx_str_t *text);

/* Sets op->verdict and counts it. */
void ngx_http_og_answer(ngx_http_og_op_t *op, ngx_http_og_verdict_e verdict);


#endif /* NGX_HTTP_OG_BACKEND_H_INCLUDED_ */
