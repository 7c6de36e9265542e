
/*
 * Copyright (C) order guard contributors
 *
 * Limits of a request beside its store: who is known to be over one is not
 * asked about again, and what a store cannot count this host counts.
 */


#include "ngx_http_og.h"


/* Who has no more than a tenth left asks in two writes. */
#define NGX_HTTP_OG_NEAR  10


static void ngx_http_og_deny(ngx_http_og_quota_t *quota, ngx_msec_t left);
static void ngx_http_og_take_unit(ngx_http_og_ctx_t *ctx, ngx_uint_t n);


void
ngx_http_og_check_denied(ngx_http_og_ctx_t *ctx)
{
    uint64_t              remaining;
    ngx_msec_t            left;
    ngx_uint_t            i;
    ngx_http_og_op_t     *op;
    ngx_http_og_quota_t  *quota;

    op = ctx->op;

    for (i = 0; i < op->nquotas; i++) {

        quota = &op->quotas[i];

        left = ngx_http_og_zone_denied(ctx->zone, &ctx->locals[i].counter,
                                       &remaining);

        if (left) {
            op->denied = 1;
            ngx_http_og_deny(quota, left);

        } else if (remaining <= quota->window.limit / NGX_HTTP_OG_NEAR) {
            op->near = 1;
        }
    }
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


void
ngx_http_og_note_limits(ngx_http_og_ctx_t *ctx)
{
    ngx_uint_t            i, admitted;
    ngx_http_og_op_t     *op;
    ngx_http_og_local_t  *local;
    ngx_http_og_quota_t  *quota;

    op = ctx->op;

    admitted = (op->verdict == NGX_HTTP_OG_CLAIMED
                || op->verdict == NGX_HTTP_OG_ADMITTED);

    if (op->denied || (!admitted && op->verdict != NGX_HTTP_OG_LIMITED)) {
        return;
    }

    for (i = 0; i < op->nquotas; i++) {

        quota = &op->quotas[i];

        if (!quota->judged) {
            continue;
        }

        /* one that had room does not count where another had none */

        if (admitted || !quota->verdict.admitted) {
            local = &ctx->locals[i];

            local->slot = ngx_http_og_zone_note(ctx->zone, &local->counter,
                                                quota->now, &quota->verdict);
            local->counted = admitted;
        }
    }
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
    ngx_uint_t            i;
    ngx_http_og_local_t  *local;

    for (i = 0; i < ctx->op->nquotas; i++) {

        local = &ctx->locals[i];

        if (local->counted) {
            local->counted = 0;
            ngx_http_og_zone_back(ctx->zone, &local->counter, local->slot);
        }
    }
}


ngx_uint_t
ngx_http_og_is_same_limit(ngx_http_og_limit_t *one, ngx_http_og_limit_t *other)
{
    ngx_str_t  *key, *other_key, caller = ngx_string("");

    key = one->key ? &one->key->value : &caller;
    other_key = other->key ? &other->key->value : &caller;

    return one->name.len == other->name.len
           && ngx_memcmp(one->name.data, other->name.data, one->name.len) == 0
           && key->len == other_key->len
           && ngx_memcmp(key->data, other_key->data, key->len) == 0;
}
