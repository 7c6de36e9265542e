
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og_records.h"


static ngx_int_t ngx_http_og_tell_unresolved(
    ngx_http_og_operator_t *operator);
static ngx_int_t ngx_http_og_tell_state(ngx_http_og_operator_t *operator,
    const char *state);
static ngx_int_t ngx_http_og_send_document(ngx_http_request_t *r,
    ngx_uint_t status, const char *type, ngx_str_t *text);


ngx_int_t
ngx_http_og_tell_record(ngx_http_og_operator_t *operator)
{
    ngx_http_og_op_t  *op;

    op = operator->op;

    if (operator->resolves && !op->resolved) {
        return ngx_http_og_tell_unresolved(operator);
    }

    switch (op->verdict) {

    case NGX_HTTP_OG_ADMITTED:
        return ngx_http_og_tell_state(operator, "free");

    case NGX_HTTP_OG_RUNNING:
        return ngx_http_og_tell_state(operator, "running");

    case NGX_HTTP_OG_UNKNOWN:
        return ngx_http_og_tell_state(operator, "unknown");

    case NGX_HTTP_OG_FINISHED:
    case NGX_HTTP_OG_UNAVAILABLE_RESULT:
        return ngx_http_og_tell_state(operator, "finished");

    default: /* NGX_HTTP_OG_STORE_FAILED */

        if (op->unreadable) {
            return ngx_http_og_tell_state(operator, "unreadable");
        }

        return ngx_http_og_tell_problem(operator->request,
                                        NGX_HTTP_SERVICE_UNAVAILABLE,
                                        "STORE_UNAVAILABLE",
                                        "The store did not answer: ask "
                                        "again.");
    }
}


static ngx_int_t
ngx_http_og_tell_unresolved(ngx_http_og_operator_t *operator)
{
    ngx_http_request_t  *r;

    r = operator->request;

    switch (operator->op->verdict) {

    case NGX_HTTP_OG_ADMITTED:
        return ngx_http_og_tell_problem(r, NGX_HTTP_NOT_FOUND,
                                        "RECORD_NOT_FOUND",
                                        "The key is free: there is nothing "
                                        "to settle.");

    case NGX_HTTP_OG_RUNNING:
        return ngx_http_og_tell_problem(r, NGX_HTTP_CONFLICT,
                                        "RECORD_NOT_UNKNOWN",
                                        "The order is running.");

    case NGX_HTTP_OG_FINISHED:
    case NGX_HTTP_OG_UNAVAILABLE_RESULT:
        return ngx_http_og_tell_problem(r, NGX_HTTP_CONFLICT,
                                        "RECORD_NOT_UNKNOWN",
                                        "The order is finished.");

    default: /* NGX_HTTP_OG_STORE_FAILED */

        if (operator->op->unreadable) {
            return ngx_http_og_tell_problem(r, NGX_HTTP_CONFLICT,
                                            "RECORD_UNREADABLE",
                                            "The record cannot be read: it "
                                            "was not made by this gateway, "
                                            "or under another secret.");
        }

        return ngx_http_og_tell_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                        "STORE_UNAVAILABLE",
                                        "The store did not confirm it, or the "
                                        "record has just changed: look at "
                                        "it, then settle it again.");
    }
}


static ngx_int_t
ngx_http_og_tell_state(ngx_http_og_operator_t *operator, const char *state)
{
    u_char             *p;
    ngx_str_t           text;
    og_record_t        *record;
    ngx_http_og_op_t   *op;

    op = operator->op;
    record = &op->record;

    p = ngx_pnalloc(operator->request->pool, operator->name.len + 256);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text.data = p;

    p = ngx_sprintf(p, "{\"record\":\"%V\",\"state\":\"%s\"", &operator->name,
                    state);

    if (operator->resolves) {
        goto done;
    }

    if (record->state == OG_RECORD_DONE
        || record->state == OG_RECORD_TOMBSTONE)
    {
        p = ngx_sprintf(p, ",\"status\":%ui,\"replayable\":%s",
                        (ngx_uint_t) record->status,
                        record->state == OG_RECORD_DONE ? "true" : "false");
    }

    if (record->state == OG_RECORD_PENDING && record->life > op->left) {
        p = ngx_sprintf(p, ",\"silent\":%uL",
                        (record->life - op->left) / 1000);
    }

    if (record->state) {
        p = ngx_sprintf(p, ",\"age\":%ui,\"expires_in\":%uL", op->age,
                        op->left / 1000);
    }

done:

    p = ngx_sprintf(p, "}" CRLF);

    text.len = p - text.data;

    return ngx_http_og_send_document(operator->request, NGX_HTTP_OK,
                                     "application/json", &text);
}


ngx_int_t
ngx_http_og_tell_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *detail)
{
    char          *rendered;
    size_t         len;
    ngx_str_t      text;
    og_problem_t   problem;

    ngx_memzero(&problem, sizeof(og_problem_t));

    problem.status = (unsigned) status;
    problem.code = code;
    problem.detail = detail;
    problem.retryable = (status == NGX_HTTP_SERVICE_UNAVAILABLE)
                        ? OG_TRI_TRUE : OG_TRI_FALSE;
    problem.safe_new_key = OG_TRI_ABSENT;

    if (og_problem_render(&problem, &rendered, &len) != 0
        || ngx_http_og_take_text(r, rendered, len, &text) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_og_send_document(r, status, "application/problem+json",
                                     &text);
}


static ngx_int_t
ngx_http_og_send_document(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_str_t *text)
{
    ngx_int_t         rc;
    ngx_buf_t        *b;
    ngx_chain_t       out;
    static ngx_str_t  cache_control = ngx_string("Cache-Control");
    static ngx_str_t  no_store = ngx_string("no-store");

    if (ngx_http_discard_request_body(r) != NGX_OK
        || ngx_http_og_add_header(r, &cache_control, &no_store) == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = text->data;
    b->last = text->data + text->len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    r->headers_out.status = status;
    r->headers_out.content_length_n = (off_t) text->len;
    r->headers_out.content_type.data = (u_char *) type;
    r->headers_out.content_type.len = ngx_strlen(type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, &out);
}
