
/*
 * Copyright (C) order guard contributors
 *
 * What an answer tells of limits.  A quota that nobody has judged is a policy
 * all the same, but has no state to tell.
 */


#include "ngx_http_og.h"


/* Of one list member beside its name. */
#define NGX_HTTP_OG_MEMBER_SIZE                                               \
    (sizeof(", \"\";q=;w=") - 1 + 2 * NGX_INT64_LEN)


static ngx_int_t ngx_http_og_add_draft(ngx_http_request_t *r,
    ngx_http_og_op_t *op, ngx_http_og_limit_t *limit);
static u_char *ngx_http_og_write_policies(u_char *p, ngx_http_og_op_t *op,
    ngx_http_og_limit_t *limit);
static u_char *ngx_http_og_write_limits(u_char *p, ngx_http_og_op_t *op,
    ngx_http_og_limit_t *limit);
static ngx_int_t ngx_http_og_add_legacy(ngx_http_request_t *r,
    ngx_http_og_op_t *op);
static ngx_http_og_quota_t *ngx_http_og_tightest(ngx_http_og_op_t *op);
static ngx_int_t ngx_http_og_add_number(ngx_http_request_t *r,
    ngx_str_t *name, uint64_t number);


ngx_int_t
ngx_http_og_add_limit_headers(ngx_http_request_t *r, ngx_http_og_op_t *op,
    ngx_http_og_loc_conf_t *olcf)
{
    if ((olcf->limit_headers & NGX_HTTP_OG_HEADERS_DRAFT)
        && ngx_http_og_add_draft(r, op, olcf->limits->elts) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (olcf->limit_headers & NGX_HTTP_OG_HEADERS_LEGACY) {
        return ngx_http_og_add_legacy(r, op);
    }

    return NGX_OK;
}


/* draft-ietf-httpapi-ratelimit-headers: two Structured Fields Lists. */

static ngx_int_t
ngx_http_og_add_draft(ngx_http_request_t *r, ngx_http_og_op_t *op,
    ngx_http_og_limit_t *limit)
{
    size_t            len;
    ngx_str_t         value;
    ngx_uint_t        i;
    static ngx_str_t  policy = ngx_string("RateLimit-Policy");
    static ngx_str_t  state = ngx_string("RateLimit");

    len = 0;

    for (i = 0; i < op->nquotas; i++) {
        len += limit[op->quotas[i].policy].name.len + NGX_HTTP_OG_MEMBER_SIZE;
    }

    value.data = ngx_pnalloc(r->pool, 2 * len);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_http_og_write_policies(value.data, op, limit) - value.data;

    if (ngx_http_og_add_header(r, &policy, &value) == NULL) {
        return NGX_ERROR;
    }

    value.data += len;
    value.len = ngx_http_og_write_limits(value.data, op, limit) - value.data;

    if (value.len == 0) {
        return NGX_OK;
    }

    return ngx_http_og_add_header(r, &state, &value) ? NGX_OK : NGX_ERROR;
}


static u_char *
ngx_http_og_write_policies(u_char *p, ngx_http_og_op_t *op,
    ngx_http_og_limit_t *limit)
{
    ngx_uint_t            i;
    ngx_http_og_quota_t  *quota;

    for (i = 0; i < op->nquotas; i++) {
        quota = &op->quotas[i];
        p = ngx_sprintf(p, "%s\"%V\";q=%uL;w=%uL", i ? ", " : "",
                        &limit[quota->policy].name, quota->window.limit,
                        quota->window.window / 1000);
    }

    return p;
}


static u_char *
ngx_http_og_write_limits(u_char *p, ngx_http_og_op_t *op,
    ngx_http_og_limit_t *limit)
{
    u_char               *start;
    ngx_uint_t            i;
    ngx_http_og_quota_t  *quota;

    start = p;

    for (i = 0; i < op->nquotas; i++) {

        quota = &op->quotas[i];

        if (quota->judged) {
            p = ngx_sprintf(p, "%s\"%V\";r=%uL;t=%uL", p > start ? ", " : "",
                            &limit[quota->policy].name,
                            quota->verdict.remaining, quota->verdict.reset);
        }
    }

    return p;
}


/* These have no lists: they tell of the limit that is reached first. */

static ngx_int_t
ngx_http_og_add_legacy(ngx_http_request_t *r, ngx_http_og_op_t *op)
{
    ngx_http_og_quota_t  *quota;
    static ngx_str_t      limit = ngx_string("X-RateLimit-Limit");
    static ngx_str_t      remaining = ngx_string("X-RateLimit-Remaining");
    static ngx_str_t      reset = ngx_string("X-RateLimit-Reset");

    quota = ngx_http_og_tightest(op);

    if (quota == NULL) {
        return NGX_OK;
    }

    if (ngx_http_og_add_number(r, &limit, quota->window.limit) != NGX_OK
        || ngx_http_og_add_number(r, &remaining, quota->verdict.remaining)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_og_add_number(r, &reset, quota->verdict.reset);
}


static ngx_http_og_quota_t *
ngx_http_og_tightest(ngx_http_og_op_t *op)
{
    ngx_uint_t            i;
    ngx_http_og_quota_t  *quota, *tightest;

    tightest = NULL;

    for (i = 0; i < op->nquotas; i++) {

        quota = &op->quotas[i];

        if (!quota->judged) {
            continue;
        }

        if (tightest == NULL
            || quota->verdict.remaining < tightest->verdict.remaining
            || (quota->verdict.remaining == tightest->verdict.remaining
                && quota->verdict.reset > tightest->verdict.reset))
        {
            tightest = quota;
        }
    }

    return tightest;
}


static ngx_int_t
ngx_http_og_add_number(ngx_http_request_t *r, ngx_str_t *name,
    uint64_t number)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%uL", number) - value.data;

    return ngx_http_og_add_header(r, name, &value) ? NGX_OK : NGX_ERROR;
}
