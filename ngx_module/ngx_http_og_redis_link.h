
/*
 * Copyright (C) order guard contributors
 *
 * The connection's inside, shared by its own files only.
 *
 * A batch is in one queue at a time: waiting (there is no connection yet),
 * owed (sent, or about to be; replies come in this order), held (answered, but
 * replicas are waited for) or done (its last call is due).  A batch that times
 * out stays where it is, and is told so meanwhile.
 */


#ifndef NGX_HTTP_OG_REDIS_LINK_H_INCLUDED_
#define NGX_HTTP_OG_REDIS_LINK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "ngx_http_og_redis.h"
#include "ngx_http_og_redis_resolve.h"


struct redisReader;


#define NGX_HTTP_OG_REDIS_RUN_ID_SIZE   40
#define NGX_HTTP_OG_REDIS_EPOCH_SIZE    32
#define NGX_HTTP_OG_REDIS_ALERT_SIZE    80


typedef enum {
    NGX_HTTP_OG_REDIS_DOWN = 0,     /* no connection */
    NGX_HTTP_OG_REDIS_LOCATING,     /* none, and no address yet */
    NGX_HTTP_OG_REDIS_CONNECTING,
    NGX_HTTP_OG_REDIS_SECURING,     /* the TLS handshake */
    NGX_HTTP_OG_REDIS_GREETING,     /* AUTH, SELECT, CLIENT, INFO, TIME */
    NGX_HTTP_OG_REDIS_FENCING,      /* CLIENT KILL, the epoch marker */
    NGX_HTTP_OG_REDIS_READY
} ngx_http_og_redis_state_e;


/* One server's identity, and a connection's at it. */
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
    ngx_addr_t                       *addrs;
    ngx_uint_t                        naddrs;
    ngx_uint_t                        naddr;    /* the address in use */
    ngx_pool_t                       *located;  /* has addrs, or NULL */
    ngx_http_og_redis_resolve_t       names;    /* of conf->hosts */
    ngx_log_t                         log;

    ngx_uint_t                        tried;    /* addresses in this round */

#if (NGX_SSL)
    ngx_log_t                         quiet;    /* nginx's TLS writes to it */
    char                              alert[NGX_HTTP_OG_REDIS_ALERT_SIZE];
                                                /* the last one, or empty */
#endif

    ngx_uint_t                        failures; /* rounds of connecting that
                                                   failed, in a row */
    ngx_uint_t                        timeouts; /* batches in a row that were
                                                   late, also if answered or on
                                                   other connections */
    ngx_uint_t                        number;   /* of the connection, which
                                                   no other of the worker's
                                                   has had */
    ngx_msec_t                        ready_since;

    ngx_queue_t                       waiting;
    ngx_queue_t                       owed;
    ngx_queue_t                       held;
    ngx_queue_t                       notices;  /* owed or held, and timed out
                                                   now */
    ngx_queue_t                       done;
    ngx_uint_t                        nbatches; /* waiting, owed or held */
    ngx_http_og_redis_batch_t        *wait;     /* the WAIT that is owed */

    ngx_event_t                       flush;    /* posted */
    ngx_event_t                       deadline; /* while anything is owed */
    ngx_event_t                       retry;    /* cancelable: to connect;
                                                   READY: look_again() */
    ngx_msec_t                        heard;    /* the last reply, or when
                                                   the first owed was sent */

    ngx_chain_t                      *out;
    ngx_chain_t                      *last;
    ngx_http_og_redis_block_t        *spare;
    size_t                            unsent;
    off_t                             offset;   /* of the end of out */

    const char                       *unfit;    /* what its replies say */

    struct redisReader               *reader;
    size_t                            unparsed;

    ngx_http_og_redis_peer_t          server;
    ngx_http_og_redis_peer_t          former;   /* that was ready last */
    ngx_uint_t                        server_number;
    ngx_http_og_redis_peer_t          unfenced; /* id 0: nothing to fence */
    u_char                            epoch[NGX_HTTP_OG_REDIS_EPOCH_SIZE];
    u_char                            new_epoch[NGX_HTTP_OG_REDIS_EPOCH_SIZE];

    unsigned                          unwaited:1;   /* claims that no WAIT
                                                       has followed */
    unsigned                          fenced:1;     /* CLIENT KILL worked */
    unsigned                          epoch_known:1;
    unsigned                          data_was_lost:1;  /* not told yet */
    unsigned                          warned_eviction:1;
    unsigned                          warned_fence:1;
    unsigned                          warned_name:1;
    unsigned                          probing:1;
    unsigned                          epoch_stale:1;    /* what is asked now
                                                           was another key */
    unsigned                          retired:1;
    unsigned                          clock_known:1;

    ngx_atomic_t                      told_down;    /* of a cluster's node */
    ngx_msec_t                        probed;
    ngx_msec_t                        clock_set;
    int64_t                           clock;    /* the store's time minus
                                                   ngx_current_msec */
};


/* ngx_http_og_redis.c */

/* As fail, when the other side has ended the connection. */
void ngx_http_og_redis_hung_up(ngx_http_og_redis_t *link, ngx_err_t err,
    const char *what);

/* Fenced: the connection may be used. */
void ngx_http_og_redis_ready(ngx_http_og_redis_t *link);

/* The last calls of those that wait for a connection are due. */
void ngx_http_og_redis_refuse_waiting(ngx_http_og_redis_t *link);

/* Some batches may have ended, outside of their own event handlers. */
void ngx_http_og_redis_ended(ngx_http_og_redis_t *link);

/* Tells the owner of a loss of data, once. */
void ngx_http_og_redis_tell_loss(ngx_http_og_redis_t *link);

/* Whether nobody needs the connection. */
ngx_uint_t ngx_http_og_redis_may_leave(ngx_http_og_redis_t *link);

/* Closes a connection that nobody needs, until somebody submits. */
void ngx_http_og_redis_leave(ngx_http_og_redis_t *link);


/* ngx_http_og_redis_connect.c */

/* Connects to the address in use. */
void ngx_http_og_redis_connect(ngx_http_og_redis_t *link);

/* An event of the socket: whether it was one of CONNECTING or SECURING. */
ngx_uint_t ngx_http_og_redis_establish(ngx_http_og_redis_t *link);

/* Connected, and encrypted where it is to be: starts to greet. */
void ngx_http_og_redis_start(ngx_http_og_redis_t *link);

void ngx_http_og_redis_write_handler(ngx_event_t *wev);


/* ngx_http_og_redis_round.c */

#define NGX_HTTP_OG_REDIS_FIRST_RETRY    10      /* ms, then doubled */

/* Connects, after the addresses were found where that is a round's begin. */
void ngx_http_og_redis_go_on(ngx_http_og_redis_t *link);

/* The address in use is of no use: the next one, now or in the next round. */
void ngx_http_og_redis_next_address(ngx_http_og_redis_t *link);

/* Sets the timer to try again, unless it is set. */
void ngx_http_og_redis_schedule(ngx_http_og_redis_t *link, ngx_msec_t delay);

void ngx_http_og_redis_retry_handler(ngx_event_t *ev);


/* ngx_http_og_redis_socket.c */

/* Whether connect() has worked; fails the connection where it has not. */
ngx_int_t ngx_http_og_redis_test_socket(ngx_http_og_redis_t *link);

/* ngx_http_og_redis_io.c */

/* Sends in any state: the handshake's way past those that wait. */
void ngx_http_og_redis_send(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_msec_t deadline);

void ngx_http_og_redis_flush_handler(ngx_event_t *ev);
void ngx_http_og_redis_read_handler(ngx_event_t *rev);
void ngx_http_og_redis_write(ngx_http_og_redis_t *link);

/* Frees what was not sent. */
void ngx_http_og_redis_discard(ngx_http_og_redis_t *link);

/* The batch's last call is due. */
void ngx_http_og_redis_finish(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_http_og_redis_outcome_e outcome);

/* Calls handlers: the last thing that an event handler does. */
void ngx_http_og_redis_dispatch(ngx_http_og_redis_t *link);


/* ngx_http_og_redis_deadline.c */

/* Makes sure that this deadline is noticed. */
void ngx_http_og_redis_arm(ngx_http_og_redis_t *link, ngx_msec_t deadline);

void ngx_http_og_redis_deadline_handler(ngx_event_t *ev);

/* The last calls of those that have waited for too long are due. */
void ngx_http_og_redis_expire_waiting(ngx_http_og_redis_t *link);


/* ngx_http_og_redis_tls.c */

#if (NGX_SSL)

/*
 * Makes a connection that has just been made a TLS one: it goes on with
 * ngx_http_og_redis_start(), or fails, now or later.
 */
void ngx_http_og_redis_tls_connect(ngx_http_og_redis_t *link);

/* The next step, when the socket is ready while SECURING. */
void ngx_http_og_redis_tls_handshake(ngx_http_og_redis_t *link);

/* The alert that a connection has broken with; NULL: none, or no TLS. */
const char *ngx_http_og_redis_tls_alert(ngx_http_og_redis_t *link);

/* Ends TLS on a connection that is to be closed, and waits for nothing. */
void ngx_http_og_redis_tls_close(ngx_http_og_redis_t *link);

#endif


/* ngx_http_og_redis_handshake.c */

/* Starts the greeting on a connection that was just made. */
void ngx_http_og_redis_greet(ngx_http_og_redis_t *link);

/*
 * NGX_OK for a reply of this type; fails the connection for another one, for
 * the reason given in what.
 */
ngx_int_t ngx_http_og_redis_expect(ngx_http_og_redis_t *link,
    struct redisReply *reply, int type, const char *what);

/* Takes the time from a reply of TIME, asked for at ngx_current_msec's asked;
   NGX_ERROR: it is none. */
ngx_int_t ngx_http_og_redis_read_clock(ngx_http_og_redis_t *link,
    struct redisReply *reply, ngx_msec_t asked);


/* ngx_http_og_redis_fence.c */

/* Fences the connection before this one, and reads the epoch. */
void ngx_http_og_redis_fence(ngx_http_og_redis_t *link);

/* Asks for time and epoch, unless it is being asked. */
void ngx_http_og_redis_probe(ngx_http_og_redis_t *link);

/* The same when that was a second ago. */
void ngx_http_og_redis_probe_in_time(ngx_http_og_redis_t *link);


/* ngx_http_og_redis_breaker.c */

/* Whether nobody waits for the store: what is submitted fails at once. */
ngx_uint_t ngx_http_og_redis_is_down(ngx_http_og_redis_t *link);

/* READY, but late, or told to be down: sees to it that this ends. */
void ngx_http_og_redis_look_after(ngx_http_og_redis_t *link);

/* The same, when the time has come. */
void ngx_http_og_redis_look_again(ngx_http_og_redis_t *link);


/* ngx_http_og_redis_wait.c */

/* At the end of a write: asks whether replicas have what it claims. */
void ngx_http_og_redis_say_wait(ngx_http_og_redis_t *link);

/* Whether the batch, which is answered, has claimed, and is to be held. */
ngx_uint_t ngx_http_og_redis_must_wait(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch);
void ngx_http_og_redis_hold_back(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch);

/* The reply of link->wait: finishes all that is held. */
void ngx_http_og_redis_take_wait(ngx_http_og_redis_t *link,
    struct redisReply *reply);


/* ngx_http_og_redis_rights.c */

/* The most commands that it takes. */
#define NGX_HTTP_OG_REDIS_RIGHTS  6

/* Tries what requests will ask for. */
ngx_int_t ngx_http_og_redis_say_rights(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch);

/* Tells in the log what of it the ACL refuses. */
void ngx_http_og_redis_read_rights(ngx_http_og_redis_t *link,
    struct redisReply **reply);


/* ngx_http_og_redis_error.c */

/* Why a server that answers so cannot be used now; NULL: it can. */
const char *ngx_http_og_redis_unfit(struct redisReply *reply);


/* ngx_http_og_redis_log.c */

/* Tells why the connection ends. */
void ngx_http_og_redis_log_end(ngx_http_og_redis_t *link, ngx_uint_t level,
    ngx_err_t err, const char *what);

/* The log says now that nothing waits for the store. */
void ngx_http_og_redis_tell_down(ngx_http_og_redis_t *link);

/* Tells that it is over, where that was told; NGX_AGAIN: not yet. */
ngx_int_t ngx_http_og_redis_tell_up(ngx_http_og_redis_t *link);


/* ngx_http_og_redis_batch.c */

/*
 * A reader that refuses long arrays, and nested ones but for a cluster's map;
 * NULL: no memory.
 */
struct redisReader *ngx_http_og_redis_reader_create(ngx_uint_t clustered);


#endif /* NGX_HTTP_OG_REDIS_LINK_H_INCLUDED_ */
