
/*
 * Copyright (C) order guard contributors
 *
 * The store's verdict becomes the request's state.
 */


#include "ngx_http_og.h"


static void ngx_http_og_limited(ngx_http_og_ctx_t *ctx);
static void ngx_http_og_store_failed(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);


void
ngx_http_og_take_verdict(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_http_og_op_t  *op;

    op = ctx->op;

    if (op->nquotas) {
        ngx_str_set(&ctx->limit, "PASSED");
    }

    switch (op->verdict) {

    case NGX_HTTP_OG_CLAIMED:
        ngx_str_set(&ctx->idempotency, "CLAIMED");
        op->handler = ngx_http_og_stored;
        ctx->claimed = 1;

        /* conditions are the upstream's to judge, of the order it makes */

        r->disable_not_modified = 1;

        /* fall through */

    case NGX_HTTP_OG_ADMITTED:
        ctx->counted = op->nquotas != 0;
        ngx_http_og_pass(r, ctx);
        break;

    case NGX_HTTP_OG_FINISHED:
        ngx_str_set(&ctx->idempotency, "REPLAYED");
        ctx->state = NGX_HTTP_OG_REPLAYING;
        break;

    case NGX_HTTP_OG_UNAVAILABLE_RESULT:
        ngx_str_set(&ctx->idempotency, "REPLAYED");
        ngx_http_og_refuse(ctx, NGX_HTTP_OG_RESULT_UNAVAILABLE);
        break;

    case NGX_HTTP_OG_RUNNING:

        if (ngx_http_og_start_waiting(ctx, ngx_http_og_ask_again)) {
            ctx->state = NGX_HTTP_OG_WAITING;
            break;
        }

        ngx_str_set(&ctx->idempotency, "IN_PROGRESS");
        ctx->retry_after = op->retry_after;
        ngx_http_og_refuse(ctx, NGX_HTTP_OG_IN_PROGRESS);
        break;

    case NGX_HTTP_OG_UNKNOWN:
        ngx_str_set(&ctx->idempotency, "UNKNOWN");
        ngx_http_og_refuse(ctx, NGX_HTTP_OG_OUTCOME_UNKNOWN);
        break;

    case NGX_HTTP_OG_REUSED:
        ngx_str_set(&ctx->idempotency, "REUSED");
        ngx_http_og_refuse(ctx, NGX_HTTP_OG_KEY_REUSED);
        break;

    case NGX_HTTP_OG_LIMITED:
        ngx_http_og_limited(ctx);
        break;

    case NGX_HTTP_OG_STORE_FAILED:
        ngx_http_og_store_failed(r, ctx);
        break;
    }
}


static void
ngx_http_og_limited(ngx_http_og_ctx_t *ctx)
{
    ngx_uint_t         i, wait;
    ngx_http_og_op_t  *op;

    op = ctx->op;

    for (i = 0; i < op->nquotas; i++) {
        wait = (ngx_uint_t) op->quotas[i].verdict.retry_after;

        if (!op->quotas[i].verdict.admitted && wait > ctx->retry_after) {
            ctx->retry_after = wait;
        }
    }

    ngx_str_set(&ctx->limit, "REJECTED");
    ctx->counted = 1;

    ngx_http_og_refuse(ctx, NGX_HTTP_OG_RATE_LIMITED);
}


/*
 * Without its store the guard cannot tell a retry from an order, but a limit
 * is not worth an order.
 */

static void
ngx_http_og_store_failed(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (ctx->op->nquotas) {
        ngx_str_set(&ctx->limit, "BYPASSED");
    }

    /* a record that cannot be read is there all the same */

    if (ctx->keyed
        && (!ctx->conf->pass_on_failure || ctx->op->unreadable))
    {
        ctx->retry_after = 1;
        ngx_http_og_refuse(ctx, NGX_HTTP_OG_STORE_UNAVAILABLE);
        return;
    }

    if (ctx->keyed) {
        ngx_str_set(&ctx->idempotency, "BYPASSED");
    }

    ngx_http_og_pass(r, ctx);
}
