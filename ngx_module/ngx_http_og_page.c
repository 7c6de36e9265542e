
/*
 * Copyright (C) order guard contributors
 *
 * Pages of the operator's (error_page).  nginx redirects to them, whatever
 * phase an error came from, and forgets which location it came from: only the
 * redirect itself tells.
 */


#include "ngx_http_og.h"


typedef struct {
    ngx_uint_t                   status;    /* that the page is about, as it
                                               is to be sent; 0: the page's */
    ngx_http_upstream_t         *upstream;  /* before the page */
} ngx_http_og_page_t;


static ngx_http_og_page_t *ngx_http_og_find_page(ngx_http_request_t *r);
static void ngx_http_og_keep_page(void *data);


ngx_int_t
ngx_http_og_page_handler(ngx_http_request_t *r)
{
    ngx_http_og_page_t  *page;
    ngx_pool_cleanup_t  *cln;

    if (r != r->main || !r->internal || (!r->err_status && !r->error_page)) {
        return NGX_DECLINED;
    }

    page = ngx_http_og_find_page(r);

    if (page == NULL) {
        cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_og_page_t));
        if (cln == NULL) {
            return NGX_ERROR;
        }

        cln->handler = ngx_http_og_keep_page;
        page = cln->data;
    }

    page->status = r->err_status;
    page->upstream = r->upstream;

    return NGX_DECLINED;
}


/* A page that failed itself has another status, or an upstream of its own. */

ngx_uint_t
ngx_http_og_is_page(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_http_og_page_t  *page;

    page = r->internal ? ngx_http_og_find_page(r) : NULL;

    if (page == NULL || page->status != r->err_status) {
        return 0;
    }

    if (r->upstream == page->upstream) {
        return 1;
    }

    if (r->upstream->headers_in.status_n == 0) {
        return 0;
    }

    /* "error_page 502 = @fallback": no page, but another upstream's answer */

    return page->status >= NGX_HTTP_BAD_REQUEST
           || ctx->state == NGX_HTTP_OG_REFUSED;
}


static ngx_http_og_page_t *
ngx_http_og_find_page(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_og_keep_page) {
            return cln->data;
        }
    }

    return NULL;
}


/* Marks the pool's cleanup that knows the page. */

static void
ngx_http_og_keep_page(void *data)
{
    return;
}
