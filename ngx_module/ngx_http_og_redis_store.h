
/*
 * Copyright (C) order guard contributors
 *
 * The Redis backend's own types, shared by its files.  A task is what the
 * backend does for one operation; it outlives the requester's interest in it,
 * until every reply has come and nothing is left to settle.
 */


#ifndef NGX_HTTP_OG_REDIS_STORE_H_INCLUDED_
#define NGX_HTTP_OG_REDIS_STORE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_og_backend.h"
#include "ngx_http_og_redis.h"
#include "ngx_http_og_redis_cluster.h"
#include "ngx_http_og_sentinel.h"


typedef struct {
    /* timers' debug lines read ident, which stands as in ngx_connection_t */
    ngx_http_og_store_t             *store;
    ngx_http_og_redis_t             *link;      /* the worker's, to one
                                                   server; or */
    ngx_http_og_cluster_t           *cluster;   /* to a cluster's nodes */
    ngx_socket_t                     ident;     /* -1 */

    ngx_http_og_redis_conf_t         conf;
    ngx_http_og_sentinel_conf_t     *sentinel;  /* NULL: none */
    ngx_http_og_sentinel_t          *watch;     /* the worker's */
    ngx_str_t                        prefix;

    ngx_queue_t                      tasks;     /* all */
    ngx_queue_t                      claims;    /* tasks that hold one */
    ngx_uint_t                       doubts;    /* how often claims may have
                                                   been lost */

    ngx_queue_t                      unsettled;     /* tasks */
    ngx_uint_t                       nunsettled;
    ngx_uint_t                       watching;  /* a key is watched: one at
                                                   a time */
    ngx_uint_t                       nsettling;     /* being settled now */
    size_t                           unsettled_size;    /* of their records */
    ngx_event_t                      settle;    /* while there are any */
    ngx_msec_t                       leaving;   /* when that was noticed; 0 */
} ngx_http_og_redis_store_t;


typedef enum {
    NGX_HTTP_OG_TASK_NEW = 0,
    NGX_HTTP_OG_TASK_ASKING,        /* the requester waits for a verdict */
    NGX_HTTP_OG_TASK_ADMITTED,      /* units are counted, nothing claimed */
    NGX_HTTP_OG_TASK_HOLDING,       /* the key is ours: in rs->claims */
    NGX_HTTP_OG_TASK_COMPLETING,    /* the requester waits for the store */
    NGX_HTTP_OG_TASK_OVER           /* the requester waits for nothing */
} ngx_http_og_task_state_e;


/* What one write of begin asks. */
typedef enum {
    NGX_HTTP_OG_ASK_ALL = 0,        /* claim and count */
    NGX_HTTP_OG_ASK_COUNT,          /* look at the key, and count */
    NGX_HTTP_OG_ASK_CLAIM,          /* claim, already counted */
    NGX_HTTP_OG_ASK_LOOK            /* look at the key, over the limit */
} ngx_http_og_ask_e;


/* What is to become of a key whose last command had no reply. */
typedef enum {
    NGX_HTTP_OG_WISH_NONE = 0,
    NGX_HTTP_OG_WISH_FREE,          /* never sent, or freed by its answer */
    NGX_HTTP_OG_WISH_STORE          /* answered: task->final */
} ngx_http_og_wish_e;


/* One quota's unit, and the slot that it was counted in. */
typedef struct {
    ngx_str_t                        key;
    uint64_t                         slot;
    uint64_t                         asked;     /* when, by the store's clock */
    int64_t                          clock;     /* see ngx_http_og_quota_t */
    u_char                           expiry[NGX_INT64_LEN];
    size_t                           expiry_len;
    ngx_uint_t                       counted;
} ngx_http_og_unit_t;


typedef struct {
    /* timers' debug lines read ident, which stands as in ngx_connection_t */
    ngx_http_og_op_t                *op;
    ngx_http_og_redis_store_t       *rs;
    ngx_http_og_unit_t              *units;     /* one a quota */
    ngx_socket_t                     ident;     /* -1 */

    ngx_http_og_task_state_e         state;
    ngx_http_og_ask_e                ask;
    ngx_http_og_wish_e               wish;      /* NONE: on no list */
    ngx_queue_t                      all;       /* of tasks */
    ngx_queue_t                      queue;     /* of claims, or unsettled */
    ngx_uint_t                       inflight;  /* batches not over */

    unsigned                         closed:1;  /* by the requester */
    unsigned                         won:1;     /* the key holds our record */
    unsigned                         freeing:1; /* a DEL was submitted */
    unsigned                         deleted:1; /* a DEL may have been sent */
    unsigned                         full:1;    /* it refuses all writes */
    unsigned                         lost:1;    /* another has the key */
    unsigned                         again:1;   /* counted a second time */
    unsigned                         unwanted:1;    /* by who has released it */
    unsigned                         spent:1;   /* units of who went on while
                                                   the store was away */
    unsigned                         renewing:1;
    unsigned                         settling:1;    /* a look is in flight */
    unsigned                         placed:1;  /* slot is known */
    unsigned                         moved:1;   /* watched where it was no
                                                   more: once */

    ngx_uint_t                       slot;      /* of all its keys */
    ngx_uint_t                       server;    /* that has said last that the
                                                   key is ours */
    u_char                           nonce[OG_RECORD_NONCE_SIZE];
    ngx_str_t                        key;
    ngx_str_t                        pending;   /* the record claimed with */
    ngx_str_t                        px;        /* its life, ms in decimal */
    const og_record_t               *answer;    /* an operator's; or NULL */
    ngx_uint_t                       alone;     /* the connection to whose
                                                   server no other gateway's
                                                   command is on its way; 0 */
    ngx_str_t                        final;     /* the record to end with */
    ngx_str_t                        final_px;

    ngx_msec_t                       deadline;  /* of the verb under way */
    ngx_msec_t                       confirmed; /* when the claim was, last */
    ngx_uint_t                       doubts;    /* of the store, then */
    ngx_msec_t                       next_look; /* on the settle list */
    ngx_event_t                      renewal;   /* or the end of a pause */
} ngx_http_og_task_t;


/* ngx_http_og_redis_conf.c */

char *ngx_http_og_redis_configure(ngx_conf_t *cf, ngx_http_og_store_t *store);
ngx_int_t ngx_http_og_redis_configured(ngx_conf_t *cf,
    ngx_http_og_store_t *store, ngx_resolver_t *resolver);


/* ngx_http_og_redis_hosts.c */

/*
 * Reads "host:port", or several of them with commas between for sentinels.
 * What is wrong is logged, but for names: they are not looked up.
 */
ngx_int_t ngx_http_og_redis_set_hosts(ngx_conf_t *cf,
    ngx_http_og_redis_conf_t *conf, ngx_str_t *list);

/*
 * The configuration has been read.  Names are resolved now, or by a resolver
 * whenever there is to be a connection.
 */
ngx_int_t ngx_http_og_redis_find_hosts(ngx_conf_t *cf,
    ngx_http_og_store_t *store, ngx_http_og_redis_conf_t *conf,
    ngx_resolver_t *resolver);


/* ngx_http_og_redis_params.c */

/* Reads one "name=value"; errors are logged. */
ngx_int_t ngx_http_og_redis_param(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *word);

/* The database's number, from the address or "db=". */
ngx_int_t ngx_http_og_redis_set_db(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);


/* ngx_http_og_redis_tls_conf.c */

/* The address asks for TLS; NGX_ERROR, logged: it cannot be had. */
ngx_int_t ngx_http_og_redis_tls_create_conf(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs);

/* Sets conf.host, which the certificate must be for, from "host:port". */
ngx_int_t ngx_http_og_redis_tls_host(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *address);

/* Parameters, only with conf.tls; errors are logged. */
ngx_int_t ngx_http_og_redis_set_ca(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
ngx_int_t ngx_http_og_redis_set_cert(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
ngx_int_t ngx_http_og_redis_set_key(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
ngx_int_t ngx_http_og_redis_set_server_name(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
ngx_int_t ngx_http_og_redis_set_verify(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);

/* All parameters are read: reads the files.  Nothing without conf.tls. */
ngx_int_t ngx_http_og_redis_tls_init(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs);


/* ngx_http_og_redis_begin.c */

ngx_int_t ngx_http_og_redis_begin(ngx_http_og_op_t *op);

/* One step of begin: NGX_OK, or NGX_ERROR when it is not on its way. */
ngx_int_t ngx_http_og_redis_ask(ngx_http_og_task_t *task,
    ngx_http_og_ask_e ask);

/* The last thing that a step of begin does: the requester may act at once. */
void ngx_http_og_redis_verdict(ngx_http_og_task_t *task,
    ngx_http_og_verdict_e verdict);
void ngx_http_og_redis_begin_failed(ngx_http_og_task_t *task);


/* ngx_http_og_redis_again.c */

/* A quota has no room: counts once more, or tells so. */
void ngx_http_og_redis_refuse(ngx_http_og_task_t *task);

/* Gives back what was counted, and counts once more. */
void ngx_http_og_redis_count_again(ngx_http_og_task_t *task);

/* The pause before that is over. */
void ngx_http_og_redis_count(ngx_http_og_task_t *task);


/* ngx_http_og_redis_limit.c */

#define NGX_HTTP_OG_QUOTA_COMMANDS   3
#define NGX_HTTP_OG_UNIT_COMMANDS    2

/* Counts a unit of the n-th quota, and reads what its window holds. */
ngx_int_t ngx_http_og_redis_ask_quota(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n);

/*
 * Reads and judges all quotas.  NGX_OK: all admit.  NGX_DECLINED: one
 * refuses.  NGX_AGAIN: the answer came too late to tell.  NGX_ERROR: the
 * store cannot count one, which is then not judged.  NGX_ABORT: nothing that
 * it said can be believed.  A unit that is not spent, because it goes back, is
 * judged as if it were not there.
 */
ngx_int_t ngx_http_og_redis_read_quotas(ngx_http_og_task_t *task,
    struct redisReply **reply, ngx_uint_t spent);

/* Gives the n-th quota's unit back, where it is counted and young enough. */
ngx_int_t ngx_http_og_redis_back_unit(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n);


/* ngx_http_og_redis_release.c */

void ngx_http_og_redis_release(ngx_http_og_op_t *op,
    ngx_http_og_release_e why);

/*
 * Frees the key where it is ours, and gives back every unit that is counted
 * and young enough.  Not waited for; a lost DEL goes to the settle list.
 */
void ngx_http_og_redis_give_back(ngx_http_og_task_t *task);

/*
 * The same in three steps, for who adds commands or waits: builds a batch
 * with room for more (NULL: no memory), submits it (NGX_DECLINED: not sent,
 * or nothing in it), and looks at its reply, in each call of its handler.
 * The key is on the settle list wherever its DEL may not have run.
 */
ngx_http_og_redis_batch_t *ngx_http_og_redis_back(ngx_http_og_task_t *task,
    ngx_http_og_redis_handler_pt handler, ngx_uint_t more);
ngx_int_t ngx_http_og_redis_submit_back(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline);
void ngx_http_og_redis_check_freed(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);

/* Whether the claim was confirmed so long ago that it may be another's. */
ngx_uint_t ngx_http_og_redis_has_lapsed(ngx_http_og_task_t *task);


/* ngx_http_og_redis_complete.c */

ngx_int_t ngx_http_og_redis_complete(ngx_http_og_op_t *op,
    og_record_t *record, ngx_msec_t ttl);


/* ngx_http_og_redis_operator.c */

/* Ends rs->watching where nothing is done to the key. */
void ngx_http_og_redis_unwatch(ngx_http_og_task_t *task,
    ngx_uint_t connection);

/* Whether EXEC has run: nil tells that what was watched has changed. */
ngx_uint_t ngx_http_og_redis_is_executed(ngx_http_og_task_t *task,
    struct redisReply *reply);

ngx_int_t ngx_http_og_redis_op_look(ngx_http_og_op_t *op);
ngx_int_t ngx_http_og_redis_op_resolve(ngx_http_og_op_t *op,
    const og_record_t *answer);


/* ngx_http_og_redis_store.c */

/* As ngx_http_og_redis_give_up(), of all its connections. */
void ngx_http_og_redis_give_up_store(ngx_http_og_redis_store_t *rs);

/* The connection to the server that has the task's keys, and its time. */
ngx_http_og_redis_t *ngx_http_og_redis_link(ngx_http_og_task_t *task);
uint64_t ngx_http_og_redis_task_now(ngx_http_og_task_t *task);

/* The store's key for the operation: its name behind the prefix. */
ngx_int_t ngx_http_og_redis_name_key(ngx_http_og_task_t *task);

/* Hands a batch to the link; it holds the task until its last call. */
ngx_int_t ngx_http_og_redis_task_submit(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline);

/* Every batch handler's last act; the task may be gone after it. */
void ngx_http_og_redis_task_put(ngx_http_og_task_t *task,
    ngx_http_og_redis_batch_t *batch);

/* SET key value (NX | XX) GET PX px. */
ngx_int_t ngx_http_og_redis_set(ngx_http_og_redis_batch_t *batch,
    ngx_str_t *key, ngx_str_t *value, const char *condition, ngx_str_t *px);

/* A command of two words: GET, DEL, INCR, DECR or PTTL of a key. */
ngx_int_t ngx_http_og_redis_of_key(ngx_http_og_redis_batch_t *batch,
    const char *command, ngx_str_t *key);

/* Decimal text in op->pool; data is NULL when memory is short. */
ngx_str_t ngx_http_og_redis_decimal(ngx_pool_t *pool, uint64_t number);

/* What a reply of GET, or of SET with GET, says about a task's key. */
typedef enum {
    NGX_HTTP_OG_KEY_ABSENT = 0,
    NGX_HTTP_OG_KEY_PENDING,        /* our claim */
    NGX_HTTP_OG_KEY_FINAL,          /* our record, ended */
    NGX_HTTP_OG_KEY_FOREIGN,        /* another's, or no record */
    NGX_HTTP_OG_KEY_REFUSED         /* an error: nothing is known */
} ngx_http_og_key_e;

/* Errors are logged by their code. */
ngx_http_og_key_e ngx_http_og_redis_key_state(ngx_http_og_task_t *task,
    struct redisReply *reply);

/*
 * Whether a claim that is gone was freed, and is to stay so: the store has
 * lost nothing, and what the record says is only that its end is not known.
 */
ngx_uint_t ngx_http_og_redis_was_freed(ngx_http_og_task_t *task);

/* Another's record under a claimed key: an order may have run twice. */
void ngx_http_og_redis_double_run(ngx_http_og_task_t *task);

/*
 * Logs an error reply; one of a type that does not belong here belongs to
 * another command, and the connection is failed.
 */
void ngx_http_og_redis_log_reply(ngx_http_og_task_t *task, const char *verb,
    struct redisReply *reply);


/* ngx_http_og_redis_claim.c */

/* The claim was won: it is HOLDING, and renewed from now on. */
void ngx_http_og_redis_hold(ngx_http_og_task_t *task);

/* The claim is HOLDING no more, but OVER: it ends, or is left. */
void ngx_http_og_redis_let_go(ngx_http_og_task_t *task);

/* Claims again what the store has lost, for a task that is HOLDING. */
void ngx_http_og_redis_assert(ngx_http_og_task_t *task);

/* Of task->renewal. */
void ngx_http_og_redis_renew_handler(ngx_event_t *ev);


/* ngx_http_og_redis_settle.c */

/* Puts the task on the settle list; it is dropped where the list is full. */
void ngx_http_og_redis_unsettled(ngx_http_og_task_t *task,
    ngx_http_og_wish_e wish);

/* The connection is ready: looks after everything on the list. */
void ngx_http_og_redis_settle_all(ngx_http_og_redis_store_t *rs);

void ngx_http_og_redis_settle_handler(ngx_event_t *ev);


#endif /* NGX_HTTP_OG_REDIS_STORE_H_INCLUDED_ */
