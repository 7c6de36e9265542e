
/*
 * Copyright (C) order guard contributors
 *
 * What of a body counts for a fingerprint: nothing that was cut, no white
 * space between the words of JSON and no order of its members, no boundary.
 */


#include "ngx_http_og.h"
#include "og_json_order.h"
#include "og_multipart.h"


static ngx_int_t ngx_http_og_canonicalise_json(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const og_body_result_t *result, ngx_str_t *body);
static ngx_int_t ngx_http_og_drop_gaps(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const og_body_result_t *result, ngx_str_t *body);
static ngx_int_t ngx_http_og_canonicalise_multipart(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);


/* Of this worker: a pass keeps its memory for the next one. */
static og_json_order_t  *ngx_http_og_json_order;


ngx_int_t
ngx_http_og_canonicalise(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_body_result_t *result, ngx_str_t *body)
{
    ctx->canonical = ctx->body;

    if (ctx->body.len == 0) {
        return NGX_OK;
    }

    switch (ctx->media.type) {

    case OG_MEDIA_JSON:
    case OG_MEDIA_PATCH:
        return ngx_http_og_canonicalise_json(r, ctx, result, body);

    case OG_MEDIA_MULTIPART:
        return ngx_http_og_canonicalise_multipart(r, ctx);

    default:
        return NGX_OK;
    }
}


static ngx_int_t
ngx_http_og_canonicalise_json(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_body_result_t *result, ngx_str_t *body)
{
    u_char     *p;
    ngx_str_t  *text;

    if (ngx_http_og_json_order == NULL) {

        ngx_http_og_json_order = og_json_order_create();
        if (ngx_http_og_json_order == NULL) {
            return NGX_ERROR;
        }
    }

    if (result->ngaps && ngx_http_og_drop_gaps(r, ctx, result, body) != NGX_OK)
    {
        return NGX_ERROR;
    }

    text = &ctx->canonical;

    switch (og_json_order(ngx_http_og_json_order, text->data, text->len)) {

    case OG_JSON_ORDER_KEPT:
        return NGX_OK;

    case OG_JSON_ORDER_CHANGED:
        break;

    default: /* OG_JSON_ORDER_FAILED */
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, text->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) og_json_order_copy(p, ngx_http_og_json_order);

    text->data = p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_drop_gaps(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_body_result_t *result, ngx_str_t *body)
{
    u_char  *p, *last;

    p = ngx_pnalloc(r->pool, ctx->body.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = og_body_copy_canonical(p, result, body->data, body->len);

    ctx->canonical.data = p;
    ctx->canonical.len = last - p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_canonicalise_multipart(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx)
{
    u_char  *p, *last;

    p = ngx_pnalloc(r->pool, og_multipart_canonical_room(&ctx->media,
                                                         ctx->body.len));
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = og_multipart_copy_canonical(p, &ctx->media, ctx->body.data,
                                       ctx->body.len);

    ctx->canonical.data = p;
    ctx->canonical.len = last - p;

    return NGX_OK;
}


void
ngx_http_og_free_json_order(void)
{
    og_json_order_free(ngx_http_og_json_order);
    ngx_http_og_json_order = NULL;
}
