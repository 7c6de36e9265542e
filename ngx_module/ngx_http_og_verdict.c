
/*
 * Copyright (C) order guard contributors
 *
 * The store's verdict becomes the request's state.
 */


#include "ngx_http_og.h"


/* Retry-After is up to a tenth later than need be. */
#define NGX_HTTP_OG_JITTER  10


static void ngx_http_og_note_verdict(ngx_http_og_ctx_t *ctx);
static void ngx_http_og_limited(ngx_http_og_ctx_t *ctx);
static void ngx_http_og_store_failed(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static void ngx_http_og_refuse_without_store(ngx_http_og_ctx_t *ctx);
static ngx_uint_t ngx_http_og_limits_hold(ngx_http_og_ctx_t *ctx);
static void ngx_http_og_give_up_claim(ngx_http_og_ctx_t *ctx);


void
ngx_http_og_take_verdict(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_http_og_op_t  *op;

    op = ctx->op;

    if (op->nquotas) {
        ngx_http_og_note_verdict(ctx);
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
        ctx->counted = (op->nquotas != 0);

        if (ngx_http_og_limits_hold(ctx)) {
            ngx_http_og_pass(r, ctx);
        }

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
ngx_http_og_note_verdict(ngx_http_og_ctx_t *ctx)
{
    /* a location before may have said something else */

    if (ctx->limit.len == 0) {
        ngx_str_set(&ctx->limit, "PASSED");
    }

    if (ngx_http_og_note_limits(ctx) != NGX_OK) {
        ngx_http_og_give_up_claim(ctx);
        ctx->op->verdict = NGX_HTTP_OG_LIMITED;
    }
}


static void
ngx_http_og_limited(ngx_http_og_ctx_t *ctx)
{
    ngx_uint_t            i, wait;
    ngx_http_og_quota_t  *quota;

    wait = 0;

    for (i = 0; i < ctx->op->nquotas; i++) {

        quota = &ctx->op->quotas[i];

        if (quota->judged && !quota->verdict.admitted) {
            wait = ngx_max(wait, (ngx_uint_t) quota->verdict.retry_after);

        } else {
            /* its unit goes back */
            quota->verdict.remaining++;
        }
    }

    /* who was refused together does not come back together */

    ctx->retry_after = wait
                       + ngx_random() % (wait / NGX_HTTP_OG_JITTER + 1);

    ngx_str_set(&ctx->limit, "REJECTED");
    ctx->counted = 1;

    ngx_http_og_refuse(ctx, NGX_HTTP_OG_RATE_LIMITED);
}


/*
 * Without its store the guard cannot tell a retry from an order.  A limit can
 * be counted by this host meanwhile.
 */

static void
ngx_http_og_store_failed(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    /* a record that cannot be read is there all the same */

    if (ctx->keyed
        && (!ctx->conf->pass_on_failure || ctx->op->unreadable))
    {
        if (ctx->op->nquotas) {
            ngx_str_set(&ctx->limit, "BYPASSED");
        }

        ngx_http_og_give_up_claim(ctx);
        ngx_http_og_refuse_without_store(ctx);
        return;
    }

    if (ctx->keyed) {
        ngx_str_set(&ctx->idempotency, "BYPASSED");
    }

    /* the claim may be all that it had no answer to */

    if (ngx_http_og_note_judged(ctx) != NGX_OK) {
        ngx_http_og_give_up_claim(ctx);
        ngx_http_og_limited(ctx);
        return;
    }

    if (ngx_http_og_limits_hold(ctx)) {
        ngx_http_og_pass(r, ctx);
    }
}


static void
ngx_http_og_refuse_without_store(ngx_http_og_ctx_t *ctx)
{
    ctx->retry_after = 1;
    ngx_http_og_refuse(ctx, NGX_HTTP_OG_STORE_UNAVAILABLE);
}


/* Whether quotas that no store has judged stand in the way of nobody. */

static ngx_uint_t
ngx_http_og_limits_hold(ngx_http_og_ctx_t *ctx)
{
    ngx_uint_t         i;
    ngx_http_og_op_t  *op;

    op = ctx->op;

    for (i = 0; i < op->nquotas; i++) {
        if (!op->quotas[i].judged || !op->quotas[i].verdict.admitted) {
            break;
        }
    }

    if (i == op->nquotas) {
        ctx->counted = (op->nquotas != 0);
        return 1;
    }

    switch (ctx->conf->limit_failure) {

    case NGX_HTTP_OG_LIMIT_PASS:
        ngx_str_set(&ctx->limit, "BYPASSED");
        return 1;

    case NGX_HTTP_OG_LIMIT_REJECT:
        ngx_str_set(&ctx->limit, "BYPASSED");
        ngx_http_og_give_up_claim(ctx);
        ngx_http_og_refuse_without_store(ctx);
        return 0;

    default: /* NGX_HTTP_OG_LIMIT_LOCAL */
        break;
    }

    if (ngx_http_og_count_locally(ctx) == NGX_OK) {
        ngx_str_set(&ctx->limit, "LOCAL");
        ctx->counted = 1;
        return 1;
    }

    ngx_http_og_give_up_claim(ctx);
    ngx_http_og_limited(ctx);

    return 0;
}


/* Nothing was sent: the key is free, and units go back. */

static void
ngx_http_og_give_up_claim(ngx_http_og_ctx_t *ctx)
{
    ctx->claimed = 0;

    ngx_http_og_back_units(ctx);
    ngx_http_og_store_release(ctx->op, NGX_HTTP_OG_NOT_SENT);
}
