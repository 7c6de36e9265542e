
/*
 * Copyright (C) order guard contributors
 *
 * A request on its way, from the handler to its answer.
 */


#ifndef NGX_HTTP_OG_CTX_H_INCLUDED_
#define NGX_HTTP_OG_CTX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_og_settings.h"
#include "ngx_http_og_store.h"
#include "ngx_http_og_zone.h"
#include "og_envelope.h"
#include "og_fields.h"
#include "og_json.h"
#include "og_media.h"
#include "og_record.h"
#include "og_set.h"
#include "og_window.h"


#define NGX_HTTP_OG_DIGEST_SIZE     32      /* SHA-256, in bytes */
#define NGX_HTTP_OG_ID_LEN          16      /* hex digits that stand for a
                                               caller */


/* Errors of the guard's own; the table in ngx_http_og_errors.c has each. */
typedef enum {
    NGX_HTTP_OG_NO_ERROR = 0,
    NGX_HTTP_OG_TOKEN_REQUIRED,
    NGX_HTTP_OG_BODY_MALFORMED,
    NGX_HTTP_OG_BODY_SIGNED,
    NGX_HTTP_OG_BODY_TOO_LARGE,
    NGX_HTTP_OG_MEDIA_TYPE_UNSUPPORTED,
    NGX_HTTP_OG_FIELD_FORBIDDEN,
    NGX_HTTP_OG_KEY_REQUIRED,
    NGX_HTTP_OG_KEY_INVALID,
    NGX_HTTP_OG_KEY_REUSED,
    NGX_HTTP_OG_IN_PROGRESS,
    NGX_HTTP_OG_OUTCOME_UNKNOWN,
    NGX_HTTP_OG_RESULT_UNAVAILABLE,
    NGX_HTTP_OG_RATE_LIMITED,
    NGX_HTTP_OG_STORE_UNAVAILABLE,
    NGX_HTTP_OG_UPSTREAM_UNREACHABLE,
    NGX_HTTP_OG_UPSTREAM_RESET,
    NGX_HTTP_OG_UPSTREAM_TIMEOUT,
    NGX_HTTP_OG_INTERNAL_ERROR
} ngx_http_og_error_e;


typedef struct {
    ngx_uint_t                   status;
    const char                  *code;
    const char                  *detail;    /* NULL: it is made */
    og_tri_e                     retryable;
    og_tri_e                     safe_new_key;
} ngx_http_og_error_t;


/* Where a request stands on its way to the upstream. */
typedef enum {
    NGX_HTTP_OG_UNSEEN = 0,     /* an error before the guard was asked */
    NGX_HTTP_OG_READING,        /* the client sends its body */
    NGX_HTTP_OG_ASKING,         /* the store is asked */
    NGX_HTTP_OG_WAITING,        /* it will be asked again */
    NGX_HTTP_OG_PASSED,         /* on its way to the content handler */
    NGX_HTTP_OG_REFUSING,       /* ctx->error is to be answered */
    NGX_HTTP_OG_REFUSED,        /* it was handed to nginx as a status */
    NGX_HTTP_OG_REPLAYING       /* the store's record is the answer */
} ngx_http_og_state_e;


/* Where the answer stands on its way to the client. */
typedef enum {
    NGX_HTTP_OG_ANSWER_PASS = 0,    /* leaves as it comes */
    NGX_HTTP_OG_ANSWER_RENDERED,    /* our header left, our body is due */
    NGX_HTTP_OG_ANSWER_GATHERING,   /* the header is held, the body copied */
    NGX_HTTP_OG_ANSWER_STORING,     /* gathered, the store is writing it */
    NGX_HTTP_OG_ANSWER_READY,       /* may leave at the next flush */
    NGX_HTTP_OG_ANSWER_STREAMING,   /* too large to gather, passes through */
    NGX_HTTP_OG_ANSWER_SENT         /* what still comes is dropped */
} ngx_http_og_answer_e;


/* What this host counts of a quota by itself. */
typedef struct {
    ngx_http_og_counter_t        counter;
    uint64_t                     slot;      /* of the unit, if it is counted */
    unsigned                     counted:1;
} ngx_http_og_local_t;


/* What a location before a redirect has counted. */
typedef struct {
    ngx_http_og_op_t            *op;
    ngx_array_t                 *limits;        /* that its quotas are of */
    ngx_http_og_local_t         *locals;
} ngx_http_og_counted_t;


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_og_loc_conf_t      *conf;      /* of the admitting location */
    ngx_array_t                 *earlier;       /* ngx_http_og_counted_t */
    ngx_http_og_state_e          state;

    u_char                       caller[NGX_HTTP_OG_DIGEST_SIZE];
    unsigned                     has_token:1;
    unsigned                     guarded:1;     /* a method that is policed */
    unsigned                     policed:1;     /* the body is looked at */
    unsigned                     has_content:1; /* and was not empty */
    unsigned                     enforced:1;    /* a key is looked for */
    unsigned                     claimed:1;     /* op holds a live claim */
    unsigned                     keyed:1;       /* a valid key is in play */
    unsigned                     counted:1;     /* op->quotas are judged */
    unsigned                     spent:1;       /* sent before a redirect */
    unsigned                     normalise:1;   /* the answer is an error */
    unsigned                     doubtful:1;    /* a success may be one */
    unsigned                     dispatched:1;  /* a content handler ran */
    unsigned                     reached:1;     /* the content phase, since
                                                   the last redirect */
    unsigned                     redirected:1;  /* recovered after one */
    unsigned                     insisted:1;    /* refused behind one */
    unsigned                     keepalive:1;   /* as the client asked */
    unsigned                     no_memory:1;   /* for a variable of ours */

    ngx_uint_t                   http_version;  /* likewise */

    ngx_str_t                    key;           /* unquoted */
    og_media_t                   media;         /* of the body */
    ngx_str_t                    body;          /* whole, after the cuts */
    ngx_str_t                    canonical;     /* the same to a fingerprint */
    ngx_str_t                    args;          /* after the cuts */
    ngx_str_t                    sent_args;     /* and with what is set */
    ngx_str_t                    path_field;    /* "&a=1" or ";a=1" in it */
    ngx_str_t                    stripped;
    ngx_str_t                    rejected;
    off_t                        received;      /* of the body so far */

    ngx_http_handler_pt          content_handler;   /* the location's */

    ngx_http_og_op_t            *op;
    ngx_shm_zone_t              *zone;
    ngx_http_og_local_t         *locals;        /* one for each of op->quotas */
    ngx_str_t                    idempotency;   /* as the variables say it */
    ngx_str_t                    limit;
    ngx_msec_t                   asked;         /* when the store was asked */
    ngx_msec_t                   waited;
    ngx_msec_t                   waited_before; /* the last redirect */

    unsigned                     waits:1;       /* for a running request */
    uint32_t                     waits_for;     /* hash of its key */
    ngx_queue_t                  waiters;
    ngx_event_t                  wait_event;
    ngx_msec_t                   wait_until;
    ngx_msec_t                   pause;         /* until it asks again */

    ngx_http_og_error_e          error;
    ngx_uint_t                   retry_after;
    ngx_str_t                    detail;        /* NUL-terminated or empty */
    ngx_str_t                    pointer;       /* likewise */
    size_t                       offset;        /* of what is malformed */
    ngx_str_t                    error_code;    /* of the envelope sent */

    ngx_http_og_answer_e         answer;
    ngx_chain_t                 *gathered;
    ngx_chain_t                **gathered_last;
    ngx_buf_t                   *gathered_buf;  /* the last one */
    size_t                       gathered_size;
    ngx_str_t                    content;       /* of the answer to send */
    unsigned                     dropping:1;    /* what still comes of it */
    unsigned                     held:1;        /* the last byte, when that */
    u_char                       held_byte;     /* is too large */
    ngx_chain_t                 *free;          /* for bytes that were held */
    ngx_chain_t                 *busy;
} ngx_http_og_ctx_t;


#endif /* NGX_HTTP_OG_CTX_H_INCLUDED_ */
