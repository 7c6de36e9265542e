
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
#include <ngx_event.h>
#include <ngx_event_connect.h>


struct redisReader;
struct redisReply;


typedef struct ngx_http_og_redis_s        ngx_http_og_redis_t;
typedef struct ngx_http_og_redis_batch_s  ngx_http_og_redis_batch_t;


/* Longest command or reply; what is longer is not sent, or not believed. */
#define NGX_HTTP_OG_REDIS_MAX_BYTES     (16 * 1024 * 1024)

#define NGX_HTTP_OG_REDIS_RUN_ID_SIZE   40
#define NGX_HTTP_OG_REDIS_EPOCH_SIZE    32


typedef struct {
    ngx_str_t                         name;     /* the store's, for the log */
    ngx_addr_t                       *addrs;
    ngx_uint_t                        naddrs;
    ngx_str_t                         user;
    ngx_str_t                         password;
    ngx_str_t                         db;       /* decimal; empty: 0 */
    ngx_str_t                         epoch_key;
    ngx_msec_t                        timeout;
    ngx_msec_t                        connect_timeout;
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

    /* Whether a leaving worker still needs the connection. */
    ngx_uint_t                      (*busy)(void *data);
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
 * the batch and its replies are freed.  Called from the event
 * loop, never from inside submit; may submit, and may fail the connection.
 */
typedef void (*ngx_http_og_redis_handler_pt)(ngx_http_og_redis_batch_t *batch);


struct ngx_http_og_redis_batch_s {
    ngx_queue_t                       queue;    /* waiting, owed or done */
    ngx_queue_t                       notice;   /* while TIMED_OUT is told */
    ngx_http_og_redis_handler_pt      handler;
    void                             *data;
    ngx_http_og_redis_outcome_e       outcome;

    ngx_msec_t                        submitted;
    ngx_msec_t                        deadline;
    off_t                             offset;   /* in the stream sent */
    unsigned                          late:1;   /* TIMED_OUT was told */

    ngx_str_t                        *commands;
    ngx_uint_t                        ncommands;
    ngx_uint_t                        size;     /* commands it has room for */

    struct redisReply               **replies;
    ngx_uint_t                        nreplies;
};


typedef enum {
    NGX_HTTP_OG_REDIS_DOWN = 0,     /* no connection; it is tried again */
    NGX_HTTP_OG_REDIS_CONNECTING,
    NGX_HTTP_OG_REDIS_GREETING,     /* AUTH, SELECT, CLIENT, INFO, TIME */
    NGX_HTTP_OG_REDIS_FENCING,      /* CLIENT KILL, the epoch marker */
    NGX_HTTP_OG_REDIS_READY
} ngx_http_og_redis_state_e;


/* Error lines of one kind leave about once a second. */
typedef enum {
    NGX_HTTP_OG_REDIS_LOG_LINK = 0,
    NGX_HTTP_OG_REDIS_LOG_REPLY,
    NGX_HTTP_OG_REDIS_LOG_RECORD,
    NGX_HTTP_OG_REDIS_LOG_DATA,
    NGX_HTTP_OG_REDIS_LOG_KINDS
} ngx_http_og_redis_log_e;


/* One server's identity, and this connection's at it. */
typedef struct {
    u_char                            run_id[NGX_HTTP_OG_REDIS_RUN_ID_SIZE];
    int64_t                           id;       /* CLIENT ID; 0: none */
} ngx_http_og_redis_peer_t;


typedef struct ngx_http_og_redis_block_s  ngx_http_og_redis_block_t;


struct ngx_http_og_redis_s {
    /* timers' debug lines read ident, which stands as in ngx_connection_t */
    void                             *data;     /* the owner's */
    ngx_http_og_redis_conf_t         *conf;
    const ngx_http_og_redis_owner_t  *owner;
    ngx_socket_t                      ident;    /* -1 */

    ngx_http_og_redis_state_e         state;
    ngx_peer_connection_t             peer;
    ngx_uint_t                        naddr;    /* the address in use */
    ngx_log_t                         log;

    ngx_uint_t                        failures; /* rounds of connecting that
                                                   failed, in a row */
    ngx_uint_t                        timeouts; /* since the last byte read */
    ngx_uint_t                        closed;   /* connections, ever */

    ngx_queue_t                       waiting;  /* for the connection */
    ngx_queue_t                       owed;     /* a reply, in order */
    ngx_queue_t                       notices;
    ngx_queue_t                       done;     /* the last call is due */
    ngx_uint_t                        nbatches; /* waiting or owed */

    ngx_event_t                       flush;    /* posted */
    ngx_event_t                       deadline; /* while anything is owed */
    ngx_event_t                       retry;    /* cancelable */
    ngx_msec_t                        heard;    /* the last byte read, or the
                                                   first one owed */

    ngx_chain_t                      *out;
    ngx_chain_t                      *last;
    ngx_http_og_redis_block_t        *spare;
    size_t                            unsent;
    off_t                             offset;   /* of the end of out */

    struct redisReader               *reader;
    size_t                            unparsed;

    ngx_http_og_redis_peer_t          server;
    ngx_http_og_redis_peer_t          unfenced; /* id 0: nothing to fence */
    ngx_uint_t                        fenced;   /* the ACL lets us kill */
    u_char                            epoch[NGX_HTTP_OG_REDIS_EPOCH_SIZE];
    u_char                            new_epoch[NGX_HTTP_OG_REDIS_EPOCH_SIZE];
    unsigned                          epoch_known:1;
    unsigned                          data_was_lost:1;  /* not told yet */
    unsigned                          warned_eviction:1;
    unsigned                          warned_fence:1;
    unsigned                          probing:1;

    ngx_msec_t                        probed;
    int64_t                           offset_ms;    /* store's time minus
                                                       ngx_current_msec */
    ngx_msec_t                        clock_set;

    struct {
        ngx_msec_t                    time;
        ngx_uint_t                    withheld;
        unsigned                      used:1;
    } logged[NGX_HTTP_OG_REDIS_LOG_KINDS];
};


/* ngx_http_og_redis.c */

/*
 * Creates the worker's connection, in memory of the cycle, and starts to
 * connect.  conf, owner and data must live as long.  NULL: no memory.
 */
ngx_http_og_redis_t *ngx_http_og_redis_create(ngx_http_og_redis_conf_t *conf,
    const ngx_http_og_redis_owner_t *owner, void *data, ngx_cycle_t *cycle);

/* Closes for good, at the worker's exit; no handler is called any more. */
void ngx_http_og_redis_destroy(ngx_http_og_redis_t *link);

/*
 * Takes the batch over and sends it in this turn of the event loop, or as
 * soon as there is a connection.  deadline is in ngx_current_msec's time.
 * NGX_DECLINED: the store is down, silent or flooded; the batch was freed,
 * its handler will not be called, nothing was sent.
 */
ngx_int_t ngx_http_og_redis_submit(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline);

/*
 * Closes a connection that cannot be trusted any more, and reconnects.
 * what is one clause for the error log.  Never calls a handler.
 */
void ngx_http_og_redis_fail(ngx_http_og_redis_t *link, ngx_err_t err,
    const char *what);

/* The store's time in ms since the epoch, as well as it is known. */
uint64_t ngx_http_og_redis_now(ngx_http_og_redis_t *link);

/* Logs one line for the store, unless its kind had one within the second. */
void ngx_http_og_redis_log(ngx_http_og_redis_t *link,
    ngx_http_og_redis_log_e kind, ngx_uint_t level, ngx_err_t err,
    const char *fmt, ...);

/* For the handshake only: sends while the state is not READY. */
void ngx_http_og_redis_send(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline);

/* For the handshake only: the connection may be used. */
void ngx_http_og_redis_ready(ngx_http_og_redis_t *link);

/* For the handshake only: tells the owner of a loss of data, once. */
void ngx_http_og_redis_tell_loss(ngx_http_og_redis_t *link);


/* ngx_http_og_redis_handshake.c */

/* Starts the greeting on a connection that was just made. */
void ngx_http_og_redis_greet(ngx_http_og_redis_t *link);

/* Asks for time and epoch when that was a second ago. */
void ngx_http_og_redis_probe(ngx_http_og_redis_t *link);


/* ngx_http_og_redis_batch.c */

/* A batch with room for so many commands; NULL: no memory. */
ngx_http_og_redis_batch_t *ngx_http_og_redis_batch_create(ngx_uint_t size,
    ngx_http_og_redis_handler_pt handler, void *data);

/* Appends a command; NGX_ERROR: no memory, no room, or it is too long. */
ngx_int_t ngx_http_og_redis_command(ngx_http_og_redis_batch_t *batch,
    const ngx_str_t *argv, ngx_uint_t argc);

void ngx_http_og_redis_batch_free(ngx_http_og_redis_batch_t *batch);

/* A reader that refuses nested and long arrays; NULL: no memory. */
struct redisReader *ngx_http_og_redis_reader_create(void);

/* Whether the reply is an error whose code (its first word) is this one. */
ngx_uint_t ngx_http_og_redis_is_error(struct redisReply *reply,
    const char *code);

/* The code of an error reply, or a word for another reply; static memory. */
const char *ngx_http_og_redis_code(struct redisReply *reply);


#endif /* NGX_HTTP_OG_REDIS_H_INCLUDED_ */
