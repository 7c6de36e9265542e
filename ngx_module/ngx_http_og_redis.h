
/*
 * Copyright (C) order guard contributors
 *
 * A connection to one Redis, kept by one worker and shared by everything
 * that worker asks.  It connects, greets, fences, pipelines, times out and
 * reconnects; it knows no HTTP, no request and no record.
 *
 * Commands travel in batches.  A batch leaves whole, and all batches of one
 * turn of the event loop leave in one write; replies are matched in order.
 */


#ifndef NGX_HTTP_OG_REDIS_H_INCLUDED_
#define NGX_HTTP_OG_REDIS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


struct redisReply;


typedef struct ngx_http_og_redis_s        ngx_http_og_redis_t;
typedef struct ngx_http_og_redis_batch_s  ngx_http_og_redis_batch_t;


/* Longest command or reply; what is longer is not sent, or not believed. */
#define NGX_HTTP_OG_REDIS_MAX_BYTES     ((size_t) 16 * 1024 * 1024)


typedef enum {
    NGX_HTTP_OG_REDIS_DATA = 0,     /* a master, which has the records */
    NGX_HTTP_OG_REDIS_NODE,         /* a cluster's, which has some of them */
    NGX_HTTP_OG_REDIS_SENTINEL      /* it knows no keys, and pushes */
} ngx_http_og_redis_role_e;


/* Whom to look for; a name is resolved, now or at each round. */
typedef struct {
    ngx_str_t                         text;     /* host:port, as written */
    ngx_str_t                         name;
    in_port_t                         port;
    ngx_addr_t                       *addrs;    /* none: not known yet */
    ngx_uint_t                        naddrs;
} ngx_http_og_redis_host_t;


/* Finds the addresses of each round of connecting, where they may change. */
typedef struct {
    /*
     * Answers by one call of ngx_http_og_redis_located() or
     * ngx_http_og_redis_not_located(), from inside or later, within about
     * connect_timeout.
     */
    void                            (*locate)(ngx_http_og_redis_t *link);

    /* The answer is not wanted any more, nor a connection for now. */
    void                            (*cancel)(ngx_http_og_redis_t *link);
} ngx_http_og_redis_locator_t;

/* How connections are encrypted, and whose certificate they accept. */
typedef struct {
    ngx_str_t                         ca;       /* files; empty: none */
    ngx_str_t                         cert;
    ngx_str_t                         key;
    ngx_str_t                         server_name;  /* NUL-terminated; empty:
                                                       the host's */
    ngx_flag_t                        verify;
#if (NGX_SSL)
    ngx_ssl_t                         ssl;
#endif
} ngx_http_og_redis_tls_t;


typedef struct {
    ngx_str_t                         name;     /* the store's, for the log */
    const char                       *kind;     /* "store", before it */
    ngx_http_og_redis_role_e          role;
    ngx_http_og_redis_tls_t          *tls;      /* NULL: in clear */
    ngx_str_t                         host;     /* that a certificate is for,
                                                   NUL-terminated; empty: the
                                                   address */
    ngx_addr_t                       *addrs;    /* without a locator */
    ngx_uint_t                        naddrs;
    const ngx_http_og_redis_locator_t  *locator;
    void                             *locator_data;
    ngx_http_og_redis_host_t         *hosts;
    ngx_uint_t                        nhosts;
    in_port_t                         port;     /* of a host without one */
    const char                       *usage;    /* how an address is given */
    ngx_resolver_t                   *resolver; /* NULL: none */
    ngx_str_t                         user;
    ngx_str_t                         password;
    ngx_str_t                         db;       /* decimal; empty: 0 */
    ngx_str_t                         epoch_key;    /* empty: no marker */
    ngx_msec_t                        timeout;
    ngx_msec_t                        connect_timeout;
    ngx_uint_t                        wait;     /* for so many replicas */
    ngx_shm_zone_t                   *log;      /* of log_create() */
} ngx_http_og_redis_conf_t;


/* What the connection tells its owner; data is the owner's. */
typedef struct {
    /*
     * Connected and fenced; what is submitted now leaves before everything
     * that was waiting for the connection.
     */
    void                            (*ready)(void *data);

    /* The store has lost its data; called before ready when both hold. */
    void                            (*data_lost)(void *data);

    /*
     * Another server than before, or the same one started anew: it may lack
     * the last writes.  Called before ready, unless the data are lost.
     */
    void                            (*replaced)(void *data);

    /* Whether a leaving worker still needs the connection. */
    ngx_uint_t                      (*busy)(void *data);

    /*
     * A routed batch is answered, and some of its commands did not run there:
     * they are of a slot that another node has.  Nonzero: the owner has taken
     * the batch over, and ends it by ngx_http_og_redis_batch_end().  NULL
     * where batches are not routed.
     */
    ngx_uint_t                      (*redirect)(void *data,
                                        ngx_http_og_redis_batch_t *batch);

    /* What a sentinel says unasked; must not fail the connection. */
    void                            (*pushed)(void *data,
                                              struct redisReply *message);
} ngx_http_og_redis_owner_t;


typedef enum {
    NGX_HTTP_OG_REDIS_ANSWERED = 0, /* replies[0..ncommands-1] are here */
    NGX_HTTP_OG_REDIS_TIMED_OUT,    /* will be called once more */
    NGX_HTTP_OG_REDIS_LOST,         /* sent; whether it ran is not known */
    NGX_HTTP_OG_REDIS_UNSENT        /* no byte left: it did not run */
} ngx_http_og_redis_outcome_e;


/*
 * Called with batch->outcome.  TIMED_OUT comes at the deadline, and is
 * followed by another outcome; every other one is the last call, after which
 * the batch and its replies are freed.  Called from the event loop, never
 * from inside submit; may submit, and may fail the connection.
 */
typedef void (*ngx_http_og_redis_handler_pt)(ngx_http_og_redis_batch_t *batch);


/* Commands with one handler and one deadline; see ngx_http_og_redis_link.h. */
struct ngx_http_og_redis_batch_s {
    void                             *data;
    ngx_http_og_redis_outcome_e       outcome;

    ngx_uint_t                        ncommands;
    struct redisReply               **replies;
    ngx_uint_t                        nreplies;

    ngx_msec_t                        submitted;    /* or sent, if later */
    ngx_uint_t                        connection;   /* that it was sent on */
    ngx_uint_t                        server;       /* that it was sent to */

    /*
     * Set before submit: only on the connection of this number, which knows
     * what an earlier batch has watched there.
     */
    unsigned                          bound:1;

    /* Set before submit: its commands are kept, and the owner redirects. */
    unsigned                          routed:1;
    unsigned                          frees:1;  /* all but the first, which
                                                   frees a key of its server */
    unsigned                          watches:1;    /* a WATCH is in it, which
                                                       must not be redirected */
    unsigned                          moved:1;  /* a reply asks for that */

    /*
     * Set before submit: a nil of one command claims.  With conf->wait it is
     * answered when the replicas have it, or are known to have not.
     */
    ngx_uint_t                        claim;    /* its number */
    unsigned                          claims:1;
    unsigned                          unacknowledged:1;

    /* the connection's own */
    ngx_queue_t                       queue;    /* waiting, owed, held or
                                                   done */
    ngx_queue_t                       notice;   /* while TIMED_OUT is told */
    ngx_http_og_redis_handler_pt      handler;
    ngx_http_og_redis_outcome_e       ending;   /* the last outcome */
    ngx_msec_t                        deadline;
    off_t                             offset;   /* in the stream sent */
    ngx_str_t                        *commands;
    ngx_uint_t                        size;     /* commands it has room for */
    unsigned                          late:1;   /* TIMED_OUT is told */
};


/*
 * One line of each a second leaves, of all workers' together: what became of
 * orders is not withheld by what fails meanwhile.
 */
typedef enum {
    NGX_HTTP_OG_REDIS_LOG_FAILURE = 0,
    NGX_HTTP_OG_REDIS_LOG_DATA
} ngx_http_og_redis_log_e;


/*
 * Creates the worker's connection in the pool, and starts to connect.  conf,
 * owner and data must live as long.  NULL: no memory.
 */
ngx_http_og_redis_t *ngx_http_og_redis_create(ngx_http_og_redis_conf_t *conf,
    const ngx_http_og_redis_owner_t *owner, void *data, ngx_pool_t *pool,
    ngx_log_t *log);

/* Closes for good, at the worker's exit; no handler is called any more. */
void ngx_http_og_redis_destroy(ngx_http_og_redis_t *link);

/*
 * Retired: closes as soon as nothing is owed, and does not connect again.
 * Nobody submits then.  Not retired: connects where it does not.
 */
void ngx_http_og_redis_retire(ngx_http_og_redis_t *link, ngx_uint_t retired);

/* Whether it may be destroyed without anything being lost. */
ngx_uint_t ngx_http_og_redis_is_closed(ngx_http_og_redis_t *link);

/*
 * Takes the batch over and sends it in this turn of the event loop, or as
 * soon as there is a connection.  deadline is in ngx_current_msec's time.
 * NGX_DECLINED: the store is down, silent or flooded, or the connection of a
 * bound batch is gone; the batch was freed, its handler will not be called,
 * nothing was sent.
 */
ngx_int_t ngx_http_og_redis_submit(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline);

/*
 * Closes a connection that cannot be trusted any more, and reconnects.
 * what is one clause for the error log.  Never calls a handler.
 */
void ngx_http_og_redis_fail(ngx_http_og_redis_t *link, ngx_err_t err,
    const char *what);

/* Another epoch_key is in the conf: what the marker said is forgotten. */
void ngx_http_og_redis_forget_epoch(ngx_http_og_redis_t *link);

/*
 * Closes the connection of a worker that cannot wait any longer, until
 * somebody submits.  Calls the handlers of all that is owed or waiting.
 */
void ngx_http_og_redis_give_up(ngx_http_og_redis_t *link);

/*
 * The same for one that works, whose server is of no use: goes on to the next
 * address.  Does nothing where there is no connection.
 */
void ngx_http_og_redis_move(ngx_http_og_redis_t *link, ngx_uint_t level,
    const char *what);

/*
 * A locator's answer: addresses, which are copied, or why there are none, in
 * one clause for the error log.  Never calls a handler.
 */
void ngx_http_og_redis_located(ngx_http_og_redis_t *link, ngx_addr_t *addrs,
    ngx_uint_t naddrs);
void ngx_http_og_redis_not_located(ngx_http_og_redis_t *link,
    const char *what);

/* Begins a round of connecting at once, where one is waited for. */
void ngx_http_og_redis_hurry(ngx_http_og_redis_t *link);

/* Whether what is submitted leaves in this turn of the event loop. */
ngx_uint_t ngx_http_og_redis_is_ready(ngx_http_og_redis_t *link);

/*
 * Whether nothing of an earlier connection can run any more.  Without the
 * right to CLIENT KILL that is never known.
 */
ngx_uint_t ngx_http_og_redis_is_fenced(ngx_http_og_redis_t *link);

/* The address in use, or to be used next. */
ngx_addr_t *ngx_http_og_redis_addr(ngx_http_og_redis_t *link);

/*
 * The number of the server that is connected, as in a batch; 0: none is.
 * Another server, or the same one started anew, has another number.
 */
ngx_uint_t ngx_http_og_redis_server(ngx_http_og_redis_t *link);

/* What CLIENT ID has said of the connection; 0: it is not known. */
int64_t ngx_http_og_redis_client_id(ngx_http_og_redis_t *link);

/* The store's time in ms since the epoch, as well as it is known. */
uint64_t ngx_http_og_redis_now(ngx_http_og_redis_t *link);

/* Whether the store has told its time, and within the last minute. */
ngx_uint_t ngx_http_og_redis_knows_time(ngx_http_og_redis_t *link);


/* ngx_http_og_redis_log.c */

/*
 * Adds what the workers share of a store's lines, in a zone that a reload
 * keeps; NULL: no memory.
 */
ngx_shm_zone_t *ngx_http_og_redis_log_create(ngx_conf_t *cf,
    ngx_str_t *store);

/*
 * Logs one line that begins with the store's name, unless there was one within
 * the second (NGX_DECLINED); what was withheld is counted in the next.  fmt is
 * that of ngx_sprintf().
 */
ngx_int_t ngx_http_og_redis_log(ngx_http_og_redis_t *link,
    ngx_http_og_redis_log_e kind, ngx_uint_t level, ngx_err_t err,
    const char *fmt, ...);


/* ngx_http_og_redis_batch.c */

/* A batch with room for so many commands; NULL: no memory. */
ngx_http_og_redis_batch_t *ngx_http_og_redis_batch_create(ngx_uint_t size,
    ngx_http_og_redis_handler_pt handler, void *data);

/* Appends a command; NGX_ERROR: no memory, no room, or it is too long. */
ngx_int_t ngx_http_og_redis_command(ngx_http_og_redis_batch_t *batch,
    const ngx_str_t *argv, ngx_uint_t argc);

/* The same for argc C strings. */
ngx_int_t ngx_http_og_redis_say(ngx_http_og_redis_batch_t *batch,
    ngx_uint_t argc, ...);

/* Appends a command of another batch as it is; NGX_ERROR: no memory. */
ngx_int_t ngx_http_og_redis_repeat(ngx_http_og_redis_batch_t *batch,
    const ngx_str_t *command);

/* Only for a batch that was not submitted. */
void ngx_http_og_redis_batch_free(ngx_http_og_redis_batch_t *batch);

/* The last call of a batch that its owner has taken over. */
void ngx_http_og_redis_batch_end(ngx_http_og_redis_batch_t *batch,
    ngx_http_og_redis_outcome_e outcome);


/* ngx_http_og_redis_error.c */

/* Whether the error says that the node does not have the command's slot. */
ngx_uint_t ngx_http_og_redis_is_moved(struct redisReply *reply);

/* Whether the reply is an error whose code (its first word) is this one. */
ngx_uint_t ngx_http_og_redis_is_error(struct redisReply *reply,
    const char *code);

/* Whether it says that writes are refused, while reads are not. */
ngx_uint_t ngx_http_og_redis_writes_nothing(struct redisReply *reply);

/* The code of an error reply, or words for another reply; static memory. */
const char *ngx_http_og_redis_code(struct redisReply *reply);

/* The code of an error as in ngx_http_og_redis_code(), and the command that an
   ACL has refused; static memory. */
const char *ngx_http_og_redis_words(struct redisReply *reply);


#endif /* NGX_HTTP_OG_REDIS_H_INCLUDED_ */
