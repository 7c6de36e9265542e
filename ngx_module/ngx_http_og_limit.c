
/*
 * Copyright (C) order guard contributors
 *
 * Limits of a request beside its store: who is known to be over one is not
 * asked about again, and what a store cannot count this host counts.
 */


#include "ngx_http_og.h"


static void ngx_http_og_deny(ngx_http_og_quota_t *quota, ngx_msec_t left);
static ngx_int_t ngx_http_og_note_quota(ngx_http_og_ctx_t *ctx, ngx_uint_t n);
static void ngx_http_og_take_unit(ngx_http_og_ctx_t *ctx, ngx_uint_t n);
static void ngx_http_og_back_locals(ngx_http_og_ctx_t *ctx,
    ngx_http_og_op_t *op, ngx_http_og_local_t *local);


void
ngx_http_og_check_denied(ngx_http_og_ctx_t *ctx)
{
    ngx_msec_t         left;
    ngx_uint_t         i, near;
    ngx_http_og_op_t  *op;

    op = ctx->op;
    near = 0;

    for (i = 0; i < op->nquotas; i++) {

        left = ngx_http_og_zone_denied(ctx->zone, &ctx->locals[i].counter,
                                       &near);
        if (left) {
            op->denied = 1;
            ngx_http_og_deny(&op->quotas[i], left);
        }
    }

    op->near = near;
}


static void
ngx_http_og_deny(ngx_http_og_quota_t *quota, ngx_msec_t left)
{
    ngx_memzero(&quota->verdict, sizeof(og_window_verdict_t));

    quota->judged = 1;
    quota->verdict.wait = left;
    quota->verdict.retry_after = (left + 999) / 1000;
    quota->verdict.reset = quota->verdict.retry_after;
}


ngx_int_t
ngx_http_og_note_limits(ngx_http_og_ctx_t *ctx)
{
    ngx_uint_t         i;
    ngx_http_og_op_t  *op;

    op = ctx->op;

    switch (op->verdict) {

    case NGX_HTTP_OG_CLAIMED:
    case NGX_HTTP_OG_ADMITTED:
        return ngx_http_og_note_judged(ctx);

    case NGX_HTTP_OG_STORE_FAILED:
        return NGX_OK;

    case NGX_HTTP_OG_LIMITED:

        for (i = 0; i < op->nquotas; i++) {

            /* one that had room does not count where another had none */

            if (!op->denied && !op->quotas[i].verdict.admitted) {
                (void) ngx_http_og_note_quota(ctx, i);
            }
        }

        return NGX_OK;

    default:

        for (i = 0; i < op->nquotas; i++) {
            ngx_http_og_zone_note_replay(ctx->zone, &ctx->locals[i].counter);
        }

        return NGX_OK;
    }
}


ngx_int_t
ngx_http_og_note_judged(ngx_http_og_ctx_t *ctx)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = NGX_OK;

    /* what this host has denied, no store has judged */

    if (ctx->op->denied) {
        return NGX_OK;
    }

    for (i = 0; i < ctx->op->nquotas; i++) {
        if (ngx_http_og_note_quota(ctx, i) != NGX_OK) {
            rc = NGX_DECLINED;
        }
    }

    return rc;
}


static ngx_int_t
ngx_http_og_note_quota(ngx_http_og_ctx_t *ctx, ngx_uint_t n)
{
    ngx_http_og_local_t  *local;
    ngx_http_og_quota_t  *quota;

    local = &ctx->locals[n];
    quota = &ctx->op->quotas[n];

    if (!quota->judged) {
        return NGX_OK;
    }

    local->slot = ngx_http_og_zone_note(ctx->zone, &local->counter,
                                        quota->now, quota->clock,
                                        &quota->verdict);
    local->counted = quota->verdict.admitted;

    return local->counted ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_http_og_count_locally(ngx_http_og_ctx_t *ctx)
{
    ngx_int_t             rc;
    ngx_uint_t            i;
    ngx_http_og_op_t     *op;
    ngx_http_og_quota_t  *quota;

    op = ctx->op;
    rc = NGX_OK;

    for (i = 0; i < op->nquotas; i++) {

        quota = &op->quotas[i];

        if (!quota->judged) {
            ngx_http_og_take_unit(ctx, i);
        }

        if (!quota->verdict.admitted) {
            rc = NGX_DECLINED;
        }
    }

    if (rc == NGX_DECLINED) {
        ngx_http_og_back_units(ctx);
    }

    return rc;
}


static void
ngx_http_og_take_unit(ngx_http_og_ctx_t *ctx, ngx_uint_t n)
{
    ngx_http_og_local_t  *local;
    ngx_http_og_quota_t  *quota;

    local = &ctx->locals[n];
    quota = &ctx->op->quotas[n];

    local->slot = ngx_http_og_zone_take(ctx->zone, &local->counter,
                                        &quota->verdict);

    local->counted = quota->verdict.admitted;
    quota->judged = 1;
}


void
ngx_http_og_back_units(ngx_http_og_ctx_t *ctx)
{
    ngx_http_og_back_locals(ctx, ctx->op, ctx->locals);
}


static void
ngx_http_og_back_locals(ngx_http_og_ctx_t *ctx, ngx_http_og_op_t *op,
    ngx_http_og_local_t *local)
{
    ngx_uint_t  i;

    for (i = 0; i < op->nquotas; i++) {

        if (local[i].counted) {
            local[i].counted = 0;
            ngx_http_og_zone_back(ctx->zone, &local[i].counter,
                                  local[i].slot);
        }
    }
}


ngx_int_t
ngx_http_og_keep_counted(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_http_og_counted_t  *counted;

    if (ctx->op->nquotas == 0) {
        ngx_http_og_op_close(ctx->op);
        ctx->op = NULL;

        return NGX_OK;
    }

    if (ctx->earlier == NULL) {
        ctx->earlier = ngx_array_create(r->pool, 1,
                                        sizeof(ngx_http_og_counted_t));
        if (ctx->earlier == NULL) {
            return NGX_ERROR;
        }
    }

    counted = ngx_array_push(ctx->earlier);
    if (counted == NULL) {
        return NGX_ERROR;
    }

    counted->op = ctx->op;
    counted->limits = ctx->conf->limits;
    counted->locals = ctx->locals;

    ctx->op = NULL;
    ctx->counted = 0;

    return NGX_OK;
}


void
ngx_http_og_end_counted(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_uint_t              i, spent;
    ngx_http_og_counted_t  *counted;

    spent = ngx_http_og_is_spent(r, ctx);

    if (ctx->op && !spent) {
        ngx_http_og_back_units(ctx);
        ngx_http_og_store_release(ctx->op, NGX_HTTP_OG_NOT_SENT);
    }

    if (ctx->earlier == NULL) {
        return;
    }

    counted = ctx->earlier->elts;

    for (i = 0; i < ctx->earlier->nelts; i++) {

        if (!spent) {
            ngx_http_og_back_locals(ctx, counted[i].op, counted[i].locals);
            ngx_http_og_store_release(counted[i].op, NGX_HTTP_OG_NOT_SENT);
        }

        ngx_http_og_op_close(counted[i].op);
    }

    ctx->earlier = NULL;
}
