
/*
 * Copyright (C) order guard contributors
 *
 * What the configuration says, of the whole and of a location.
 */


#ifndef NGX_HTTP_OG_SETTINGS_H_INCLUDED_
#define NGX_HTTP_OG_SETTINGS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_og_store.h"
#include "og_envelope.h"
#include "og_fields.h"
#include "og_format.h"
#include "og_secret.h"
#include "og_set.h"
#include "og_when.h"
#include "og_window.h"


typedef enum {
    NGX_HTTP_OG_IDEMPOTENCY_OFF = 0,
    NGX_HTTP_OG_IDEMPOTENCY_OPTIONAL,
    NGX_HTTP_OG_IDEMPOTENCY_REQUIRED
} ngx_http_og_enforcement_e;


/* Bits: what tells of limits. */
#define NGX_HTTP_OG_HEADERS_OFF     0
#define NGX_HTTP_OG_HEADERS_DRAFT   1       /* RateLimit, RateLimit-Policy */
#define NGX_HTTP_OG_HEADERS_LEGACY  2       /* X-RateLimit-... */


typedef enum {
    NGX_HTTP_OG_LIMIT_LOCAL = 0,    /* this host counts */
    NGX_HTTP_OG_LIMIT_PASS,
    NGX_HTTP_OG_LIMIT_REJECT
} ngx_http_og_limit_failure_e;


typedef enum {
    NGX_HTTP_OG_DETAIL_DEFAULT = 0, /* passed for 4xx, hidden for 5xx */
    NGX_HTTP_OG_DETAIL_PASS,
    NGX_HTTP_OG_DETAIL_HIDE
} ngx_http_og_detail_e;


/* Statuses 100 to 599, a bit each. */
typedef struct {
    uint64_t                     bits[8];
} ngx_http_og_statuses_t;


typedef struct {
    ngx_uint_t                   enforcement;
    ngx_str_t                    store_name;
    ngx_http_complex_value_t    *scope;         /* NULL: $server_name */
    ngx_msec_t                   ttl;
    ngx_msec_t                   error_ttl;
    ngx_msec_t                   lease;
    ngx_msec_t                   unknown_ttl;
    ngx_uint_t                   on_unknown;
} ngx_http_og_idempotency_t;


typedef struct {
    og_window_t                  window;
    ngx_str_t                    name;          /* safe in a quoted string */
    ngx_http_complex_value_t    *key;           /* NULL: the caller */
    ngx_str_t                    store_name;    /* empty: the location's */
    ngx_http_og_store_t         *store;
} ngx_http_og_limit_t;


/* A line of the configuration. */
typedef struct {
    ngx_str_t                    file;
    ngx_uint_t                   number;
} ngx_http_og_line_t;


/* A field of strip, reject or allow. */
typedef struct {
    ngx_str_t                    name;
    ngx_http_og_line_t           line;
} ngx_http_og_field_t;


/* A field that the gateway writes. */
typedef struct {
    ngx_str_t                    field;
    ngx_http_og_line_t           line;
    og_set_type_e                type;
    ngx_http_complex_value_t    *value;
} ngx_http_og_set_t;


/* Of the operator.  NULL: none, what it would hide is in clear. */
typedef struct {
    og_secret_t                 *current;
    og_secret_t                 *former;
    unsigned                     changing:1;    /* former is in use, too */
} ngx_http_og_secrets_t;


/* What errors look like. */
typedef struct {
    ngx_str_t                    name;
    og_format_t                 *format;
} ngx_http_og_format_t;


typedef struct {
    ngx_http_og_secrets_t        secrets;
    ngx_array_t                  stores;    /* of ngx_http_og_store_t * */
    ngx_array_t                  limits;    /* of ngx_http_og_limit_t *, all */
    ngx_array_t                  formats;   /* of ngx_http_og_format_t */
    size_t                       zone_size;
    ngx_shm_zone_t              *zone;      /* NULL: there are no limits */
    ngx_http_core_srv_conf_t    *nameless;  /* a server without a name */
    unsigned                     warned_nameless:1;
    ngx_int_t                    request_id;    /* index of $request_id */
    ngx_array_t                  request_variables; /* indexes of those that
                                                   repeat the request */
} ngx_http_og_main_conf_t;


typedef struct {
    ngx_flag_t                   enable;

    ngx_http_complex_value_t    *token;
    ngx_flag_t                   token_optional;
    ngx_str_t                    challenge;
    ngx_array_t                 *methods;       /* of ngx_str_t; NULL: all but
                                                   GET HEAD OPTIONS TRACE */

    ngx_array_t                 *strip;     /* of ngx_http_og_field_t */
    ngx_array_t                 *reject;
    ngx_array_t                 *allow;
    ngx_uint_t                   reject_unlisted;
    ngx_array_t                 *sets;          /* of ngx_http_og_set_t, in
                                                   the order of their rules */
    ngx_uint_t                   match;
    og_fields_t                 *fields;        /* compiled; NULL: none */
    size_t                       body_limit;
    ngx_int_t                    json_depth;

    ngx_http_og_store_t         *store;     /* of records and counters */
    ngx_str_t                   *records_store; /* of order_guard_records, by
                                                   name; NULL: it is not on */
    ngx_uint_t                   records_from_any;
    ngx_http_og_idempotency_t   *idempotency;   /* NULL: off */
    ngx_http_complex_value_t    *key;           /* NULL: Idempotency-Key */
    ngx_str_t                    key_header;    /* lower case; empty where the
                                                   key is no header */
    ngx_array_t                 *fingerprint;   /* of complex values */
    ngx_http_og_statuses_t      *release;
    ngx_array_t                 *headers;       /* of ngx_str_t, that a replay
                                                   repeats; NULL: a default */
    ngx_str_t                    mark;          /* pointer to the member that
                                                   is true in a replay */
    size_t                       response_limit;
    ngx_uint_t                   pass_on_failure;
    ngx_msec_t                   wait;          /* of a duplicate, at most */

    ngx_array_t                 *limits;        /* of ngx_http_og_limit_t */
    ngx_uint_t                   further_stores;    /* one of them counts in
                                                   another store */
    ngx_uint_t                   limit_headers; /* NGX_HTTP_OG_HEADERS_... */
    ngx_uint_t                   limit_failure;

    ngx_uint_t                   errors;        /* 0: off */
    og_format_t                 *format;        /* NULL: problem */
    og_problem_places_t         *error_places;  /* NULL: by default */
    ngx_array_t                 *error_when;    /* of og_when_t */
    ngx_http_og_statuses_t      *error_skip;
    ngx_uint_t                   error_detail;
    ngx_str_t                    error_type;    /* NUL-terminated */
} ngx_http_og_loc_conf_t;


#endif /* NGX_HTTP_OG_SETTINGS_H_INCLUDED_ */
