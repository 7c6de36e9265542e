
/*
 * Copyright (C) order guard contributors
 *
 *     GET      tells the state of a record
 *     DELETE   frees the key of an order that was not made
 *     PUT      gives the answer of an order that was made
 */


#include "ngx_http_og_records.h"


static ngx_uint_t ngx_http_og_is_local(ngx_http_request_t *r);
static ngx_int_t ngx_http_og_read_operation(ngx_http_request_t *r);
static void ngx_http_og_operate(ngx_http_request_t *r);
static ngx_http_og_operator_t *ngx_http_og_get_operator(
    ngx_http_request_t *r);
static void ngx_http_og_start_operation(ngx_http_og_operator_t *operator);
static ngx_int_t ngx_http_og_ask_for_record(
    ngx_http_og_operator_t *operator);
static void ngx_http_og_record_told(ngx_http_og_op_t *op);
static ngx_uint_t ngx_http_og_try_former(ngx_http_og_operator_t *operator);
static void ngx_http_og_operator_cleanup(void *data);


ngx_int_t
ngx_http_og_records_handler(ngx_http_request_t *r)
{
    ngx_http_og_loc_conf_t  *olcf;

    /* what includes it, or asks it for permission, is no operator */

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    olcf = ngx_http_get_module_loc_conf(r, ngx_http_order_guard_module);

    if (!olcf->records_from_any && !ngx_http_og_is_local(r)) {
        return ngx_http_og_tell_problem(r, NGX_HTTP_FORBIDDEN, "FORBIDDEN",
                                        "Only clients of this host may ask, "
                                        "unless \"from=any\" is configured.");
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_PUT
                       |NGX_HTTP_DELETE)))
    {
        return ngx_http_og_tell_problem(r, NGX_HTTP_NOT_ALLOWED,
                                        "METHOD_NOT_ALLOWED",
                                        "Ask with GET, settle with PUT or "
                                        "DELETE.");
    }

    return ngx_http_og_read_operation(r);
}


/* A connection over loopback or a unix socket; realip may say better. */

static ngx_uint_t
ngx_http_og_is_local(ngx_http_request_t *r)
{
    struct sockaddr       *sa;
#if (NGX_HAVE_INET6)
    u_char                *p;
    struct sockaddr_in6   *sin6;
#endif

    sa = r->connection->sockaddr;

    switch (sa->sa_family) {

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return 1;
#endif

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        p = sin6->sin6_addr.s6_addr;

        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr)
               || (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr) && p[12] == 127);
#endif

    default: /* AF_INET */
        return (ntohl(((struct sockaddr_in *) sa)->sin_addr.s_addr) >> 24)
               == 127;
    }
}


static ngx_int_t
ngx_http_og_read_operation(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_http_cleanup_t      *cln;
    ngx_http_og_operator_t  *operator;

    operator = ngx_pcalloc(r->pool, sizeof(ngx_http_og_operator_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (operator == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    operator->request = r;

    cln->handler = ngx_http_og_operator_cleanup;
    cln->data = operator;

    rc = ngx_http_read_client_request_body(r, ngx_http_og_operate);

    /* the reader took a reference */

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


static void
ngx_http_og_operate(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    const char              *wrong;
    ngx_http_og_operator_t  *operator;

    operator = ngx_http_og_get_operator(r);
    operator->resolves = (r->method & (NGX_HTTP_PUT|NGX_HTTP_DELETE)) != 0;

    rc = ngx_http_og_read_record_name(operator, &wrong);

    if (rc == NGX_OK && (r->method & NGX_HTTP_PUT)) {
        rc = ngx_http_og_read_record_answer(operator, &wrong);
    }

    switch (rc) {

    case NGX_OK:
        ngx_http_og_start_operation(operator);
        return;

    case NGX_DECLINED:
        rc = ngx_http_og_tell_problem(r, NGX_HTTP_BAD_REQUEST,
                                      "RECORD_NAME_INVALID", wrong);
        break;

    default: /* NGX_ERROR */
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_finalize_request(r, rc);
}


/* The module's context of a request is that of an order. */

static ngx_http_og_operator_t *
ngx_http_og_get_operator(ngx_http_request_t *r)
{
    ngx_http_cleanup_t  *cln;

    cln = r->cleanup;

    while (cln->handler != ngx_http_og_operator_cleanup) {
        cln = cln->next;
    }

    return cln->data;
}


static void
ngx_http_og_start_operation(ngx_http_og_operator_t *operator)
{
    ngx_http_request_t  *r;

    r = operator->request;

    switch (ngx_http_og_ask_for_record(operator)) {

    case NGX_AGAIN:
        r->read_event_handler = ngx_http_test_reading;
        return;

    case NGX_OK:

        if (ngx_http_og_try_former(operator)) {
            ngx_http_og_start_operation(operator);
            return;
        }

        ngx_http_finalize_request(r, ngx_http_og_tell_record(operator));
        return;

    default: /* NGX_ERROR */
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


/* As the store's verbs; NGX_ERROR: no memory. */

static ngx_int_t
ngx_http_og_ask_for_record(ngx_http_og_operator_t *operator)
{
    ngx_http_og_op_t        *op;
    ngx_http_og_loc_conf_t  *olcf;

    olcf = ngx_http_get_module_loc_conf(operator->request,
                                        ngx_http_order_guard_module);

    op = ngx_http_og_op_create(olcf->store, 0);
    if (op == NULL) {
        return NGX_ERROR;
    }

    operator->op = op;

    op->handler = ngx_http_og_record_told;
    op->data = operator;
    op->name.secret = operator->secret;
    op->name.key.len = operator->name.len;
    op->name.key.data = ngx_pstrdup(op->pool, &operator->name);

    if (op->name.key.data == NULL) {
        return NGX_ERROR;
    }

    if (operator->resolves) {
        return ngx_http_og_store_resolve(op, operator->answer.status
                                             ? &operator->answer : NULL);
    }

    return ngx_http_og_store_look(op);
}


static void
ngx_http_og_record_told(ngx_http_og_op_t *op)
{
    ngx_connection_t        *c;
    ngx_http_request_t      *r;
    ngx_http_og_operator_t  *operator;

    operator = op->data;
    r = operator->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ngx_http_og_try_former(operator)) {
        ngx_http_og_start_operation(operator);

    } else {
        ngx_http_finalize_request(r, ngx_http_og_tell_record(operator));
    }

    ngx_http_run_posted_requests(c);
}


/* A name does not say under which secret it was made. */

static ngx_uint_t
ngx_http_og_try_former(ngx_http_og_operator_t *operator)
{
    ngx_http_og_secrets_t  *secrets;

    secrets = ngx_http_og_secrets(operator->request);

    if (!operator->op->unreadable
        || !secrets->changing
        || operator->secret == secrets->former)
    {
        return 0;
    }

    ngx_http_og_op_close(operator->op);

    operator->op = NULL;
    operator->secret = secrets->former;

    return 1;
}


static void
ngx_http_og_operator_cleanup(void *data)
{
    ngx_http_og_operator_t *operator = data;

    if (operator->op) {
        ngx_http_og_op_close(operator->op);
        operator->op = NULL;
    }
}
