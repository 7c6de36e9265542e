
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_uint_t ngx_http_og_applies(ngx_http_request_t *r,
    ngx_http_og_loc_conf_t *olcf);
static ngx_int_t ngx_http_og_admit(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_check_request(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_read_body(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static void ngx_http_og_body_handler(ngx_http_request_t *r);
static void ngx_http_og_ask(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx);
static void ngx_http_og_wait(ngx_http_request_t *r);
static void ngx_http_og_answered(ngx_http_og_op_t *op);
static void ngx_http_og_go_on(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx);
static ngx_uint_t ngx_http_og_is_asking(ngx_http_og_ctx_t *ctx);
static void ngx_http_og_refuse_for(ngx_http_og_ctx_t *ctx, ngx_int_t rc);
static ngx_int_t ngx_http_og_resume(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_refused(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_passed(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_admit_again(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_loc_conf_t *olcf);
static ngx_int_t ngx_http_og_refuse_second(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static void ngx_http_og_cleanup(void *data);


ngx_int_t
ngx_http_og_handler(ngx_http_request_t *r)
{
    ngx_http_cleanup_t        *cln;
    ngx_http_og_ctx_t         *ctx;
    ngx_http_og_loc_conf_t    *olcf;

    if (r != r->main) {
        return NGX_DECLINED;
    }

    ngx_http_og_page_reached(r);

    ctx = ngx_http_og_get_ctx(r);

    if (ctx) {
        return ngx_http_og_resume(r, ctx);
    }

    olcf = ngx_http_get_module_loc_conf(r, ngx_http_order_guard_module);

    if (!ngx_http_og_applies(r, olcf)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_og_create_ctx(r, olcf);
    cln = ngx_http_cleanup_add(r, 0);

    if (ctx == NULL || cln == NULL) {
        /* closes: an error_page could lead the order past the guard */
        return NGX_ERROR;
    }

    cln->handler = ngx_http_og_cleanup;
    cln->data = ctx;

    ctx->keepalive = r->keepalive;
    ctx->http_version = r->http_version;

    return ngx_http_og_admit(r, ctx);
}


/* A preflight is never asked for anything (Fetch, section 4.8). */

static ngx_uint_t
ngx_http_og_applies(ngx_http_request_t *r, ngx_http_og_loc_conf_t *olcf)
{
    return ngx_http_og_is_on(olcf)
           && (r->method != NGX_HTTP_OPTIONS
               || ngx_http_og_is_guarded(r, olcf));
}


static ngx_int_t
ngx_http_og_admit(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->guarded = ngx_http_og_is_guarded(r, ctx->conf);
    ctx->enforced = ctx->guarded && ngx_http_og_enforces(ctx->conf);
    ctx->policed = ctx->guarded;

    rc = ngx_http_og_check_request(r, ctx);

    if (rc == NGX_OK && ctx->policed) {
        return ngx_http_og_read_body(r, ctx);
    }

    if (rc == NGX_OK && ctx->guarded) {
        rc = ngx_http_og_police_query(r, ctx, ctx->conf, 1);
    }

    if (rc == NGX_OK) {
        ngx_http_og_ask(r, ctx);

    } else {
        ngx_http_og_refuse_for(ctx, rc);
    }

    if (ngx_http_og_is_asking(ctx)) {
        ngx_http_og_wait(r);
        return NGX_DONE;
    }

    return ngx_http_og_resume(r, ctx);
}


/* All that can be refused before a byte of the body is read. */

static ngx_int_t
ngx_http_og_check_request(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->conf->store) {

        rc = ngx_http_og_identify(r, ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ctx->enforced && !ctx->has_token) {

        /* neighbours behind one address are not one caller */

        if (ctx->conf->idempotency->enforcement
            == NGX_HTTP_OG_IDEMPOTENCY_REQUIRED)
        {
            ctx->error = NGX_HTTP_OG_TOKEN_REQUIRED;
            return NGX_DECLINED;
        }

        ngx_str_set(&ctx->idempotency, "BYPASSED");
        ctx->enforced = 0;
    }

    if (ctx->enforced && ctx->conf->key_header.len) {

        rc = ngx_http_og_read_key(r, ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ctx->policed ? ngx_http_og_check_body_headers(r, ctx) : NGX_OK;
}


static ngx_int_t
ngx_http_og_read_body(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->state = NGX_HTTP_OG_READING;

    rc = ngx_http_read_client_request_body(r, ngx_http_og_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    /* the reader took a reference: from here it owns the request */

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static void
ngx_http_og_body_handler(ngx_http_request_t *r)
{
    ngx_int_t           rc;
    ngx_http_og_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_order_guard_module);

    rc = ngx_http_og_police(r, ctx, ctx->conf);

    if (rc == NGX_OK) {
        ngx_http_og_ask(r, ctx);

    } else {
        ngx_http_og_refuse_for(ctx, rc);
    }

    if (ngx_http_og_is_asking(ctx)) {
        ngx_http_og_wait(r);
        return;
    }

    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}


/* Asks the store, where there is something to ask; sets ctx->state. */

static void
ngx_http_og_ask(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_int_t          rc;
    ngx_http_og_op_t  *op;

    if (ctx->enforced && ctx->conf->key_header.len == 0) {

        rc = ngx_http_og_read_key(r, ctx);

        if (rc != NGX_OK) {
            ngx_http_og_refuse_for(ctx, rc);
            return;
        }
    }

    if (!ctx->keyed && ctx->conf->limits == NULL) {
        ngx_http_og_pass(r, ctx);
        return;
    }

    op = ngx_http_og_op_create(ctx->conf->store,
                               ctx->conf->further_stores
                               || (ctx->keyed
                                   && ngx_http_og_secrets(r)->changing));
    ctx->op = op;

    if (op == NULL || ngx_http_og_fill_op(r, ctx, op) != NGX_OK) {
        ngx_http_og_refuse(ctx, NGX_HTTP_OG_INTERNAL_ERROR);
        return;
    }

    if (op->name.key.len == 0 && op->nquotas == 0) {
        ngx_http_og_pass(r, ctx);
        return;
    }

    op->handler = ngx_http_og_answered;
    op->data = ctx;

    ctx->asked = ngx_current_msec;

    if (op->nquotas) {
        ngx_http_og_check_denied(ctx);
    }

    if (op->denied && !ctx->keyed) {
        op->verdict = NGX_HTTP_OG_LIMITED;
        ngx_http_og_take_verdict(r, ctx);
        return;
    }

    rc = ngx_http_og_store_begin(op);

    if (rc == NGX_AGAIN) {
        ctx->state = NGX_HTTP_OG_ASKING;
        return;
    }

    ngx_http_og_take_verdict(r, ctx);
}


/* A client that leaves now has not ordered yet. */

static void
ngx_http_og_wait(ngx_http_request_t *r)
{
    ngx_event_t  *rev;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    rev = r->connection->read;

    if (rev->ready) {
        ngx_post_event(rev, &ngx_posted_events);

    } else if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "order guard cannot watch its client");
    }
}


static void
ngx_http_og_answered(ngx_http_og_op_t *op)
{
    ngx_connection_t    *c;
    ngx_http_og_ctx_t   *ctx;
    ngx_http_request_t  *r;

    ctx = op->data;
    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ctx->waited += ngx_current_msec - ctx->asked;

    ngx_http_og_take_verdict(r, ctx);
    ngx_http_og_go_on(r, ctx);

    ngx_http_run_posted_requests(c);
}


void
ngx_http_og_ask_again(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_http_og_ctx_t   *ctx;
    ngx_http_request_t  *r;

    ctx = ev->data;
    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_http_og_op_close(ctx->op);
    ctx->op = NULL;

    ngx_http_og_ask(r, ctx);
    ngx_http_og_go_on(r, ctx);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_og_go_on(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (ngx_http_og_is_asking(ctx)) {
        return;
    }

    ngx_http_og_stop_waiting(ctx);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


static ngx_uint_t
ngx_http_og_is_asking(ngx_http_og_ctx_t *ctx)
{
    return ctx->state == NGX_HTTP_OG_ASKING
           || ctx->state == NGX_HTTP_OG_WAITING;
}


void
ngx_http_og_pass(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (ngx_http_og_hide_headers(r, ctx) != NGX_OK) {
        ngx_http_og_refuse(ctx, NGX_HTTP_OG_INTERNAL_ERROR);
        return;
    }

    ctx->state = NGX_HTTP_OG_PASSED;
}


/* After a check that answered NGX_DECLINED (ctx->error says why) or failed. */

static void
ngx_http_og_refuse_for(ngx_http_og_ctx_t *ctx, ngx_int_t rc)
{
    ngx_http_og_refuse(ctx, rc == NGX_ERROR ? NGX_HTTP_OG_INTERNAL_ERROR
                                            : ctx->error);
}


void
ngx_http_og_refuse(ngx_http_og_ctx_t *ctx, ngx_http_og_error_e error)
{
    ctx->error = error;
    ctx->state = NGX_HTTP_OG_REFUSING;

    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "order guard refused: %s", ngx_http_og_error_code(error));
}


/* The state as a result of the phase handler. */

static ngx_int_t
ngx_http_og_resume(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    switch (ctx->state) {

    case NGX_HTTP_OG_PASSED:
        return ngx_http_og_passed(r, ctx);

    case NGX_HTTP_OG_REFUSING:
        ctx->state = NGX_HTTP_OG_REFUSED;
        return ngx_http_og_error_status(ctx->error);

    case NGX_HTTP_OG_READING:
        /* that failed, and an error_page took over */
        ctx->state = NGX_HTTP_OG_REFUSED;

        /* fall through */

    case NGX_HTTP_OG_REFUSED:
        return ngx_http_og_refused(r, ctx);

    case NGX_HTTP_OG_REPLAYING:
        ngx_http_finalize_request(r, ngx_http_og_replay(r, ctx));
        return NGX_DONE;

    case NGX_HTTP_OG_UNSEEN:
        return NGX_DECLINED;

    default: /* NGX_HTTP_OG_ASKING, NGX_HTTP_OG_WAITING */
        return NGX_DONE;
    }
}


/*
 * An error_page took over from a refusal.  Pages are the operator's business,
 * another way to the upstream is not.
 */

static ngx_int_t
ngx_http_og_refused(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (r->content_handler == NULL || !ngx_http_og_is_guarded(r, ctx->conf)) {
        return NGX_DECLINED;
    }

    ctx->insisted = 1;

    if (ctx->error) {
        return ngx_http_og_error_status(ctx->error);
    }

    /* "error_page 400 = @page" has forgotten why the body was not read */

    return r->err_status ? (ngx_int_t) r->err_status
                         : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/*
 * An error_page, a try_files or an X-Accel-Redirect brings a request back
 * here that was admitted already.  An order that has left is not sent a
 * second time.
 */

static ngx_int_t
ngx_http_og_passed(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_http_og_loc_conf_t  *olcf;

    if (ctx->redirected && r->upstream_states) {
        ctx->spent = ngx_http_og_was_sent(r, ctx);
    }

    if (ctx->redirected && ctx->claimed && r->content_handler
        && ngx_http_og_was_sent(r, ctx))
    {
        return ngx_http_og_refuse_second(r, ctx);
    }

    if (ctx->redirected && ngx_http_og_path_became_query(r, ctx)) {
        (void) ngx_http_og_malformed(ctx, "a path that became a query");
        ngx_http_og_refuse(ctx, ctx->error);

        return ngx_http_og_resume(r, ctx);
    }

    olcf = ngx_http_get_module_loc_conf(r, ngx_http_order_guard_module);

    if (ctx->redirected && olcf != ctx->conf
        && ngx_http_og_applies(r, olcf))
    {
        ctx->redirected = 0;
        return ngx_http_og_admit_again(r, ctx, olcf);
    }

    if (ctx->claimed && r->content_handler) {
        ngx_http_og_watch_dispatch(r, ctx);
    }

    ctx->reached = 1;

    return NGX_DECLINED;
}


/*
 * A location that a redirect leads to has rules of its own, and they hold
 * too.  What was claimed stays claimed, and nothing is counted twice.
 */

static ngx_int_t
ngx_http_og_admit_again(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *olcf)
{
    ngx_int_t  rc;

    if (ctx->claimed || (r->err_status && r->method == NGX_HTTP_GET)) {

        /* neither an order twice nor an order: a page about an error */

        rc = ctx->claimed ? ngx_http_og_police(r, ctx, olcf)
                          : ngx_http_og_police_body(r, ctx, olcf);

        if (rc != NGX_OK) {
            ngx_http_og_refuse_for(ctx, rc);
        }

        return ngx_http_og_resume(r, ctx);
    }

    if (ctx->op && ngx_http_og_keep_counted(r, ctx) != NGX_OK) {
        ngx_http_og_refuse_for(ctx, NGX_ERROR);
        return ngx_http_og_resume(r, ctx);
    }

    ctx->waited_before = ctx->waited;
    ctx->conf = olcf;

    return ngx_http_og_admit(r, ctx);
}


static ngx_int_t
ngx_http_og_refuse_second(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_http_og_settle(r, ctx);

    ctx->insisted = 1;
    ctx->state = NGX_HTTP_OG_REFUSED;
    ctx->error = r->upstream && r->upstream->state
                 && r->upstream->state->status == NGX_HTTP_GATEWAY_TIME_OUT
                 ? NGX_HTTP_OG_UPSTREAM_TIMEOUT : NGX_HTTP_OG_UPSTREAM_RESET;

    return ngx_http_og_error_status(ctx->error);
}


/* The store has the answer, or has given up: the answer may leave. */

void
ngx_http_og_stored(ngx_http_og_op_t *op)
{
    ngx_connection_t    *c;
    ngx_http_og_ctx_t   *ctx;
    ngx_http_request_t  *r;

    ctx = op->data;
    r = ctx->request;
    c = r->connection;

    ngx_http_og_wake_waiters(op);

    if (ctx->answer != NGX_HTTP_OG_ANSWER_STORING) {
        return;
    }

    ngx_http_set_log_request(c->log, r);

    ctx->waited += ngx_current_msec - ctx->asked;
    ctx->answer = NGX_HTTP_OG_ANSWER_READY;
    r->buffered &= ~NGX_HTTP_OG_BUFFERED;

    /* an edge-triggered client socket would not wake the writer */

    r->write_event_handler(r);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_og_cleanup(void *data)
{
    ngx_http_og_ctx_t *ctx = data;

    ngx_http_og_stop_waiting(ctx);

    ngx_http_og_settle(ctx->request, ctx);
    ngx_http_og_end_counted(ctx->request, ctx);

    if (ctx->op) {
        ngx_http_og_op_close(ctx->op);
        ctx->op = NULL;
        ctx->counted = 0;
    }
}
