
/*
 * Copyright (C) order guard contributors
 *
 * An operator's request about a record: its state, or an end to an unknown
 * outcome.
 */


#ifndef NGX_HTTP_OG_RECORDS_H_INCLUDED_
#define NGX_HTTP_OG_RECORDS_H_INCLUDED_


#include "ngx_http_og.h"


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_og_op_t            *op;
    ngx_str_t                    name;      /* of the record, no prefix */
    og_secret_t                 *secret;    /* that it is read with */

    ngx_uint_t                   resolves;  /* PUT or DELETE */
    og_record_t                  answer;    /* status 0: the key is freed */
} ngx_http_og_operator_t;


/* ngx_http_og_records.c: the content handler */

ngx_int_t ngx_http_og_records_handler(ngx_http_request_t *r);


/* ngx_http_og_records_args.c: what is asked */

/*
 * Reads which record is meant, by "record" or by "token_id", "key", "uri",
 * "method" and "scope" of the query.  NGX_OK, NGX_ERROR, or NGX_DECLINED:
 * *wrong says what is, and what would be right.
 */
ngx_int_t ngx_http_og_read_record_name(ngx_http_og_operator_t *operator,
    const char **wrong);

/* Reads the answer that is to be replayed: status, type and body.  As above. */
ngx_int_t ngx_http_og_read_record_answer(ngx_http_og_operator_t *operator,
    const char **wrong);


/* ngx_http_og_records_answer.c: what is told */

/* Sends what op->verdict says; the status of ngx_http_output_filter(). */
ngx_int_t ngx_http_og_tell_record(ngx_http_og_operator_t *operator);

/* Sends a problem; static texts. */
ngx_int_t ngx_http_og_tell_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *detail);


#endif /* NGX_HTTP_OG_RECORDS_H_INCLUDED_ */
