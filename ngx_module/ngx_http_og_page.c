
/*
 * Copyright (C) order guard contributors
 *
 * Pages of the operator's (error_page).  nginx redirects to them, whatever
 * phase an error came from, and forgets which location it came from: only the
 * redirect itself tells.
 */


#include "ngx_http_og.h"


/* How far the request for a page has come. */
typedef enum {
    NGX_HTTP_OG_PAGE_REWRITE = 0,   /* "return" may be the page */
    NGX_HTTP_OG_PAGE_ACCESS,        /* it may be denied */
    NGX_HTTP_OG_PAGE_CONTENT
} ngx_http_og_page_stage_e;


typedef struct {
    ngx_uint_t                   status;    /* that the page is about, as it
                                               is to be sent; 0: the page's */
    ngx_http_upstream_t         *upstream;  /* before the page */
    ngx_http_og_page_stage_e     stage;
} ngx_http_og_page_t;


static void ngx_http_og_set_page_stage(ngx_http_request_t *r,
    ngx_http_og_page_stage_e stage);
static ngx_uint_t ngx_http_og_page_failed(ngx_http_request_t *r,
    ngx_http_og_page_t *page);
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
    page->stage = NGX_HTTP_OG_PAGE_REWRITE;

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_og_page_access_handler(ngx_http_request_t *r)
{
    ngx_http_og_set_page_stage(r, NGX_HTTP_OG_PAGE_ACCESS);

    return NGX_DECLINED;
}


void
ngx_http_og_page_reached(ngx_http_request_t *r)
{
    ngx_http_og_set_page_stage(r, NGX_HTTP_OG_PAGE_CONTENT);
}


static void
ngx_http_og_set_page_stage(ngx_http_request_t *r,
    ngx_http_og_page_stage_e stage)
{
    ngx_http_og_page_t  *page;

    if (r == r->main && r->internal) {

        page = ngx_http_og_find_page(r);

        if (page) {
            page->stage = stage;
        }
    }
}


/* A page that failed itself mostly has another status, or an upstream. */

ngx_uint_t
ngx_http_og_is_page(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_http_og_page_t  *page;

    page = r->internal ? ngx_http_og_find_page(r) : NULL;

    if (page == NULL || page->status != r->err_status) {
        return 0;
    }

    if (r->upstream == page->upstream) {
        return !ngx_http_og_page_failed(r, page);
    }

    if (r->upstream->headers_in.status_n == 0) {
        return 0;
    }

    /* "error_page 502 = @fallback": no page, but another upstream's answer */

    return page->status >= NGX_HTTP_BAD_REQUEST
           || ctx->state == NGX_HTTP_OG_REFUSED;
}


/*
 * Where the page's own error has the status that the page is about, nginx's
 * text for it is told from a page by what nginx says of files: there is none
 * that was modified.
 */

static ngx_uint_t
ngx_http_og_page_failed(ngx_http_request_t *r, ngx_http_og_page_t *page)
{
    if (r->err_status < NGX_HTTP_BAD_REQUEST) {
        return 0;
    }

    switch (page->stage) {

    case NGX_HTTP_OG_PAGE_REWRITE:
        return 0;

    case NGX_HTTP_OG_PAGE_ACCESS:
        return 1;

    default: /* NGX_HTTP_OG_PAGE_CONTENT */
        return r->content_handler == NULL
               && r->headers_out.last_modified_time == -1;
    }
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
