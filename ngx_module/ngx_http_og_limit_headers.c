
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


/* A quota, and what its policy is called. */
typedef struct {
    ngx_str_t                   *name;
    ngx_http_og_quota_t         *quota;
} ngx_http_og_policy_t;


static ngx_int_t ngx_http_og_list_policies(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_array_t *policies);
static ngx_int_t ngx_http_og_list_quotas(ngx_array_t *policies,
    ngx_http_og_op_t *op, ngx_array_t *limits);
static ngx_int_t ngx_http_og_add_draft(ngx_http_request_t *r,
    ngx_array_t *policies);
static u_char *ngx_http_og_write_policies(u_char *p, ngx_array_t *policies);
static u_char *ngx_http_og_write_limits(u_char *p, ngx_array_t *policies);
static ngx_int_t ngx_http_og_add_legacy(ngx_http_request_t *r,
    ngx_array_t *policies);
static ngx_http_og_quota_t *ngx_http_og_tightest(ngx_array_t *policies);
static ngx_int_t ngx_http_og_add_number(ngx_http_request_t *r,
    ngx_str_t *name, uint64_t number);


ngx_int_t
ngx_http_og_add_limit_headers(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_uint_t   headers;
    ngx_array_t  policies;

    headers = ctx->conf->limit_headers;

    if (headers == 0) {
        return NGX_OK;
    }

    if (ngx_http_og_list_policies(r, ctx, &policies) != NGX_OK) {
        return NGX_ERROR;
    }

    if (policies.nelts == 0) {
        return NGX_OK;
    }

    if ((headers & NGX_HTTP_OG_HEADERS_DRAFT)
        && ngx_http_og_add_draft(r, &policies) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (headers & NGX_HTTP_OG_HEADERS_LEGACY) {
        return ngx_http_og_add_legacy(r, &policies);
    }

    return NGX_OK;
}


/* A replay has none: what was counted before it was known as one goes back. */

static ngx_int_t
ngx_http_og_list_policies(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_array_t *policies)
{
    ngx_uint_t              i;
    ngx_http_og_counted_t  *earlier;

    if (ngx_array_init(policies, r->pool, 2, sizeof(ngx_http_og_policy_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->earlier && ctx->state != NGX_HTTP_OG_REPLAYING) {

        earlier = ctx->earlier->elts;

        for (i = 0; i < ctx->earlier->nelts; i++) {
            if (ngx_http_og_list_quotas(policies, earlier[i].op,
                                        earlier[i].limits)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    if (ctx->counted) {
        return ngx_http_og_list_quotas(policies, ctx->op, ctx->conf->limits);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_list_quotas(ngx_array_t *policies, ngx_http_og_op_t *op,
    ngx_array_t *limits)
{
    ngx_uint_t             i;
    ngx_http_og_limit_t   *limit;
    ngx_http_og_policy_t  *policy;

    limit = limits->elts;

    for (i = 0; i < op->nquotas; i++) {

        policy = ngx_array_push(policies);
        if (policy == NULL) {
            return NGX_ERROR;
        }

        policy->quota = &op->quotas[i];
        policy->name = &limit[op->quotas[i].policy].name;
    }

    return NGX_OK;
}


/* draft-ietf-httpapi-ratelimit-headers: two Structured Fields Lists. */

static ngx_int_t
ngx_http_og_add_draft(ngx_http_request_t *r, ngx_array_t *policies)
{
    size_t                 len;
    ngx_str_t              value;
    ngx_uint_t             i;
    ngx_http_og_policy_t  *policy;
    static ngx_str_t       name = ngx_string("RateLimit-Policy");
    static ngx_str_t       state = ngx_string("RateLimit");

    len = 0;
    policy = policies->elts;

    for (i = 0; i < policies->nelts; i++) {
        len += policy[i].name->len + NGX_HTTP_OG_MEMBER_SIZE;
    }

    value.data = ngx_pnalloc(r->pool, 2 * len);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_http_og_write_policies(value.data, policies) - value.data;

    if (ngx_http_og_add_header(r, &name, &value) == NULL) {
        return NGX_ERROR;
    }

    value.data += len;
    value.len = ngx_http_og_write_limits(value.data, policies) - value.data;

    if (value.len == 0) {
        return NGX_OK;
    }

    return ngx_http_og_add_header(r, &state, &value) ? NGX_OK : NGX_ERROR;
}


static u_char *
ngx_http_og_write_policies(u_char *p, ngx_array_t *policies)
{
    ngx_uint_t             i;
    ngx_http_og_policy_t  *policy;

    policy = policies->elts;

    for (i = 0; i < policies->nelts; i++) {
        p = ngx_sprintf(p, "%s\"%V\";q=%uL;w=%uL", i ? ", " : "",
                        policy[i].name, policy[i].quota->window.limit,
                        policy[i].quota->window.window / 1000);
    }

    return p;
}


static u_char *
ngx_http_og_write_limits(u_char *p, ngx_array_t *policies)
{
    u_char                *start;
    ngx_uint_t             i;
    ngx_http_og_quota_t   *quota;
    ngx_http_og_policy_t  *policy;

    start = p;
    policy = policies->elts;

    for (i = 0; i < policies->nelts; i++) {

        quota = policy[i].quota;

        if (quota->judged) {
            p = ngx_sprintf(p, "%s\"%V\";r=%uL;t=%uL", p > start ? ", " : "",
                            policy[i].name, quota->verdict.remaining,
                            quota->verdict.reset);
        }
    }

    return p;
}


/* These have no lists: they tell of the limit that is reached first. */

static ngx_int_t
ngx_http_og_add_legacy(ngx_http_request_t *r, ngx_array_t *policies)
{
    ngx_http_og_quota_t  *quota;
    static ngx_str_t      limit = ngx_string("X-RateLimit-Limit");
    static ngx_str_t      remaining = ngx_string("X-RateLimit-Remaining");
    static ngx_str_t      reset = ngx_string("X-RateLimit-Reset");

    quota = ngx_http_og_tightest(policies);

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
ngx_http_og_tightest(ngx_array_t *policies)
{
    ngx_uint_t             i;
    ngx_http_og_quota_t   *quota, *tightest;
    ngx_http_og_policy_t  *policy;

    tightest = NULL;
    policy = policies->elts;

    for (i = 0; i < policies->nelts; i++) {

        quota = policy[i].quota;

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
