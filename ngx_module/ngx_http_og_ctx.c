
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static void ngx_http_og_keep_ctx(void *data);


ngx_http_og_ctx_t *
ngx_http_og_create_ctx(ngx_http_request_t *r, ngx_http_og_loc_conf_t *conf)
{
    ngx_http_og_ctx_t         *ctx;
    ngx_pool_cleanup_t        *cln;
    ngx_http_og_main_conf_t   *omcf;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_og_ctx_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (ctx == NULL || cln == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     ctx->state = NGX_HTTP_OG_UNSEEN;
     *     ctx->error = NGX_HTTP_OG_NO_ERROR;
     *     ctx->answer = NGX_HTTP_OG_ANSWER_PASS;
     *     ctx->op = NULL;
     */

    cln->handler = ngx_http_og_keep_ctx;
    cln->data = ctx;

    omcf = ngx_http_get_module_main_conf(r, ngx_http_order_guard_module);

    ctx->request = r;
    ctx->conf = conf;
    ctx->zone = omcf->zone;

    ngx_http_set_ctx(r, ctx, ngx_http_order_guard_module);

    return ctx;
}


/* An internal redirect clears the contexts, but not the pool's cleanups. */

ngx_http_og_ctx_t *
ngx_http_og_get_ctx(ngx_http_request_t *r)
{
    ngx_http_og_ctx_t   *ctx;
    ngx_pool_cleanup_t  *cln;

    ctx = ngx_http_get_module_ctx(r, ngx_http_order_guard_module);

    if (ctx || !r->internal) {
        return ctx;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_og_keep_ctx) {
            ctx = cln->data;
            ctx->redirected = 1;
            ctx->reached = 0;
            ctx->answer = NGX_HTTP_OG_ANSWER_PASS;

            ngx_http_set_ctx(r, ctx, ngx_http_order_guard_module);

            return ctx;
        }
    }

    return NULL;
}


/* Marks the pool's cleanup that knows the context. */

static void
ngx_http_og_keep_ctx(void *data)
{
    return;
}
