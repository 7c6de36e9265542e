
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"

#include <jansson.h>


/* Of one answer: a client that has that many learns nothing from more. */
#define NGX_HTTP_OG_MAX_ERRORS  64


static int ngx_http_og_set_code(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const char *code);
static void ngx_http_og_fill_own(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    og_problem_t *problem);
static void ngx_http_og_fill_wire(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, og_problem_t *problem);
static void ngx_http_og_fill_upstream(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_str_t *body, og_problem_t *problem);
static ngx_uint_t ngx_http_og_was_free(ngx_http_og_ctx_t *ctx);
static ngx_uint_t ngx_http_og_was_refused(ngx_http_og_ctx_t *ctx,
    ngx_uint_t status, ngx_uint_t freed);
static ngx_uint_t ngx_http_og_take_parts(ngx_http_og_ctx_t *ctx,
    ngx_str_t *body, og_problem_t *problem);
static ngx_uint_t ngx_http_og_is_transient(ngx_uint_t status);
static ngx_int_t ngx_http_og_trace_id(ngx_http_request_t *r, u_char **text);
static char *ngx_http_og_malformed_errors(ngx_http_og_ctx_t *ctx);
static char *ngx_http_og_forbidden_errors(ngx_http_og_ctx_t *ctx);


ngx_int_t
ngx_http_og_render_envelope(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_str_t *upstream_body, ngx_str_t *text)
{
    int            rc;
    char          *rendered, *errors;
    size_t         len;
    u_char        *trace_id;
    og_problem_t   problem;

    ngx_memzero(&problem, sizeof(og_problem_t));

    problem.status = r->headers_out.status;
    problem.code = og_status_code_name(problem.status);
    problem.retryable = OG_TRI_FALSE;
    problem.safe_new_key = OG_TRI_ABSENT;
    errors = NULL;

    if (ctx->conf->error_type.len) {
        problem.type_base = (char *) ctx->conf->error_type.data;
    }

    if (ngx_http_og_trace_id(r, &trace_id) != NGX_OK) {
        return NGX_ERROR;
    }

    problem.trace_id = (char *) trace_id;

    if (upstream_body) {
        ngx_http_og_fill_upstream(r, ctx, upstream_body, &problem);

    } else {
        ngx_http_og_fill_own(r, ctx, &problem);

        if (ctx->error == NGX_HTTP_OG_FIELD_FORBIDDEN) {
            errors = ngx_http_og_forbidden_errors(ctx);

        } else if (ctx->detail.len) {
            errors = ngx_http_og_malformed_errors(ctx);
        }

        problem.errors = errors;
    }

    rc = ngx_http_og_set_code(r, ctx, problem.code);

    if (rc == 0) {
        rc = ctx->conf->format
             ? og_format_render(ctx->conf->format, &problem, &rendered, &len)
             : og_problem_render(&problem, &rendered, &len);
    }

    og_problem_free(&problem);
    free(errors);

    return rc == 0 ? ngx_http_og_take_text(r, rendered, len, text) : NGX_ERROR;
}


ngx_int_t
ngx_http_og_note_code(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_str_t *body)
{
    int                   rc;
    const char           *place[2];
    og_problem_t          problem;
    og_problem_places_t   places;

    ngx_memzero(&problem, sizeof(og_problem_t));
    ngx_memzero(&places, sizeof(og_problem_places_t));

    problem.status = r->headers_out.status;
    problem.code = og_status_code_name(problem.status);

    place[0] = ctx->conf->format ? og_format_code_place(ctx->conf->format)
                                 : "/code";
    place[1] = NULL;
    places.code = place;

    if (place[0]) {
        (void) og_problem_read(&problem, &places, body->data, body->len);
    }

    rc = ngx_http_og_set_code(r, ctx, problem.code);

    og_problem_free(&problem);

    return rc == 0 ? NGX_OK : NGX_ERROR;
}


static int
ngx_http_og_set_code(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const char *code)
{
    ctx->error_code.len = ngx_strlen(code);
    ctx->error_code.data = ngx_pnalloc(r->pool, ctx->error_code.len);

    if (ctx->error_code.data == NULL) {
        ngx_str_null(&ctx->error_code);
        return -1;
    }

    ngx_memcpy(ctx->error_code.data, code, ctx->error_code.len);

    return 0;
}


static void
ngx_http_og_fill_own(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    og_problem_t *problem)
{
    const ngx_http_og_error_t  *error;

    if (ctx->error == NGX_HTTP_OG_NO_ERROR) {
        problem->retryable = ngx_http_og_is_transient(problem->status)
                             ? OG_TRI_TRUE : OG_TRI_FALSE;

        if (ctx->keyed) {
            ngx_http_og_fill_wire(r, ctx, problem);
        }

        return;
    }

    error = ngx_http_og_error(ctx->error);

    problem->code = error->code;
    problem->detail = ctx->detail.len ? (char *) ctx->detail.data
                                      : error->detail;
    problem->retryable = error->retryable;

    if (ctx->keyed) {
        problem->safe_new_key = error->safe_new_key;
    }

    if (ctx->error == NGX_HTTP_OG_UPSTREAM_TIMEOUT
        && !ngx_http_og_was_sent(r, ctx))
    {
        problem->retryable = OG_TRI_TRUE;
        problem->safe_new_key = ctx->keyed ? OG_TRI_TRUE : OG_TRI_ABSENT;
    }

    if (problem->safe_new_key == OG_TRI_TRUE && !ngx_http_og_was_free(ctx)) {
        problem->safe_new_key = OG_TRI_FALSE;
    }

    if (ctx->keyed && ctx->conf->idempotency->on_unknown == NGX_HTTP_OG_RETRY
        && problem->safe_new_key == OG_TRI_FALSE
        && ctx->error != NGX_HTTP_OG_RESULT_UNAVAILABLE)
    {
        /* the operator vouches for an upstream that repeats nothing */
        problem->retryable = OG_TRI_TRUE;
    }
}


/* An error of nginx's own while a key is in play: was anything sent? */

static void
ngx_http_og_fill_wire(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    og_problem_t *problem)
{
    if (ctx->state == NGX_HTTP_OG_PASSED && ngx_http_og_was_sent(r, ctx)) {
        problem->retryable = OG_TRI_FALSE;
        problem->safe_new_key = OG_TRI_FALSE;
        return;
    }

    problem->safe_new_key = ngx_http_og_was_free(ctx) ? OG_TRI_TRUE
                                                      : OG_TRI_FALSE;
}


/*
 * Whether no order was sent under the key before.  One that has an unknown
 * outcome is told by its record, but not where that lapses, nor by a store
 * that was not asked.
 */

static ngx_uint_t
ngx_http_og_was_free(ngx_http_og_ctx_t *ctx)
{
    if (ctx->op == NULL) {

        /* refused for itself, whatever was before */
        return 1;
    }

    return ctx->conf->idempotency->on_unknown == NGX_HTTP_OG_HOLD
           && ctx->op->verdict != NGX_HTTP_OG_STORE_FAILED;
}


/*
 * A stored answer is repeated to the same key, so that a retry changes
 * nothing; a status that frees the key says that the order was not taken.
 */

static void
ngx_http_og_fill_upstream(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_str_t *body, og_problem_t *problem)
{
    ngx_uint_t  freed;

    problem->from_upstream = r->upstream != NULL;

    freed = ctx->keyed
            && ngx_http_og_status_in(ctx->conf->release, problem->status);

    if (ngx_http_og_is_transient(problem->status)
        && (ctx->keyed ? freed
                       : (!ctx->guarded
                          || problem->status < NGX_HTTP_INTERNAL_SERVER_ERROR)))
    {
        problem->retryable = OG_TRI_TRUE;
    }

    if (ctx->keyed) {
        problem->safe_new_key = ngx_http_og_was_refused(ctx, problem->status,
                                                        freed)
                                ? OG_TRI_TRUE : OG_TRI_FALSE;
    }

    if (ctx->content.len
        && (body->len == 0 || !ngx_http_og_take_parts(ctx, body, problem)))
    {
        ngx_http_og_log_hidden(r, ctx, problem);
    }
}


/*
 * Whether the upstream has said that there is no order under the key.  A
 * status that frees it may come from somebody who did not look.
 */

static ngx_uint_t
ngx_http_og_was_refused(ngx_http_og_ctx_t *ctx, ngx_uint_t status,
    ngx_uint_t freed)
{
    if (!freed && status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return 0;
    }

    return ngx_http_og_was_free(ctx)
           || (!freed && ctx->op->verdict == NGX_HTTP_OG_CLAIMED);
}


/* Whether all that the upstream said is shown. */

static ngx_uint_t
ngx_http_og_take_parts(ngx_http_og_ctx_t *ctx, ngx_str_t *body,
    og_problem_t *problem)
{
    ngx_uint_t  detail;

    if (og_problem_read(problem, ctx->conf->error_places, body->data,
                        body->len)
        != 0)
    {
        return 0;
    }

    detail = ctx->conf->error_detail;

    if (detail == NGX_HTTP_OG_DETAIL_PASS
        || (detail == NGX_HTTP_OG_DETAIL_DEFAULT && problem->status < 500))
    {
        return problem->detail || problem->errors;
    }

    problem->detail = NULL;
    problem->errors = NULL;

    return 0;
}


static ngx_uint_t
ngx_http_og_is_transient(ngx_uint_t status)
{
    return status == NGX_HTTP_REQUEST_TIME_OUT
           || status == 425
           || status == NGX_HTTP_TOO_MANY_REQUESTS
           || status == NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_int_t
ngx_http_og_trace_id(ngx_http_request_t *r, u_char **text)
{
    ngx_http_variable_value_t  *vv;
    ngx_http_og_main_conf_t    *omcf;

    omcf = ngx_http_get_module_main_conf(r, ngx_http_order_guard_module);

    vv = ngx_http_get_indexed_variable(r, omcf->request_id);

    if (vv == NULL || vv->not_found) {
        return NGX_ERROR;
    }

    *text = ngx_pnalloc(r->pool, vv->len + 1);
    if (*text == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(*text, vv->data, vv->len) = '\0';

    return NGX_OK;
}


/* The place of what is malformed; the caller frees the text. */

static char *
ngx_http_og_malformed_errors(ngx_http_og_ctx_t *ctx)
{
    char    *text;
    json_t  *errors;

    errors = json_pack("[{s:s, s:s, s:I}]",
                       "detail", (char *) ctx->detail.data,
                       "pointer", (char *) ctx->pointer.data,
                       "offset", (json_int_t) ctx->offset);

    text = errors ? json_dumps(errors, JSON_COMPACT) : NULL;

    json_decref(errors);

    return text;
}


/* One for each field that is named; "..." stands for more. */

static char *
ngx_http_og_forbidden_errors(ngx_http_og_ctx_t *ctx)
{
    char    *text;
    u_char  *p, *end, *last;
    json_t  *errors;
    size_t   n;

    errors = json_array();
    last = ctx->rejected.data + ctx->rejected.len;
    n = 0;

    for (p = ctx->rejected.data;
         p < last && n < NGX_HTTP_OG_MAX_ERRORS;
         p = end + 1, n++)
    {

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        if (*p == '.') {
            break;
        }

        (void) json_array_append_new(errors,
                                     json_pack("{s:s, s:s%}", "detail",
                                               "a client must not set this",
                                               "pointer", (char *) p,
                                               (size_t) (end - p)));
    }

    text = errors ? json_dumps(errors, JSON_COMPACT) : NULL;

    json_decref(errors);

    return text;
}


/* Moves malloc'ed text to the request's pool. */

ngx_int_t
ngx_http_og_take_text(ngx_http_request_t *r, char *text, size_t len,
    ngx_str_t *dst)
{
    dst->len = len;
    dst->data = ngx_pnalloc(r->pool, len);

    if (dst->data) {
        ngx_memcpy(dst->data, text, len);
    }

    free(text);

    return dst->data ? NGX_OK : NGX_ERROR;
}
