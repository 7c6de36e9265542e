
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"
#include "og_form.h"
#include "og_multipart.h"
#include "og_patch.h"


static const og_body_result_t *ngx_http_og_scan(ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *conf, ngx_str_t *body);
static ngx_int_t ngx_http_og_take_place(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const og_body_result_t *result);
static ngx_int_t ngx_http_og_change_body(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_loc_conf_t *conf,
    const og_body_result_t *result, ngx_str_t *body);
static ngx_int_t ngx_http_og_keep(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const og_body_result_t *result, ngx_str_t *body);
static ngx_int_t ngx_http_og_set_body(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const og_body_result_t *result,
    ngx_array_t *sets);
static const og_set_t *ngx_http_og_write_sets(ngx_http_og_ctx_t *ctx,
    const og_body_result_t *result, ngx_array_t *sets, ngx_str_t *body);
static ngx_int_t ngx_http_og_join(ngx_http_request_t *r, ngx_str_t *list,
    const char *text);
static ngx_int_t ngx_http_og_copy_text(ngx_http_request_t *r, ngx_str_t *dst,
    const char *text);


/* One body is scanned at a time in a worker. */

static og_scanner_t  *ngx_http_og_worker_scanner;


ngx_int_t
ngx_http_og_police(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *conf)
{
    ngx_int_t  rc;

    rc = ngx_http_og_police_body(r, ctx, conf);
    if (rc != NGX_OK) {
        return rc;
    }

    /* where there is no body, the query has what the gateway sets */

    return ngx_http_og_police_query(r, ctx, conf, !ctx->has_content);
}


ngx_int_t
ngx_http_og_police_body(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *conf)
{
    ngx_int_t                rc;
    ngx_str_t                body;
    const og_body_result_t  *result;

    ctx->has_content = 0;

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    if (ngx_http_og_body_size(r->request_body->bufs)
        > (off_t) conf->body_limit)
    {
        ctx->error = NGX_HTTP_OG_BODY_TOO_LARGE;
        return NGX_DECLINED;
    }

    if (ngx_http_og_collect_body(r, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    if (body.len == 0) {
        return NGX_OK;
    }

    ctx->has_content = 1;

    if (!ngx_http_og_is_policeable(ctx)) {

        /* in the location before a redirect nobody asked for its type */

        if (conf->fields == NULL) {
            return NGX_OK;
        }

        ctx->error = NGX_HTTP_OG_MEDIA_TYPE_UNSUPPORTED;
        return NGX_DECLINED;
    }

    result = ngx_http_og_scan(ctx, conf, &body);

    rc = ngx_http_og_judge_fields(r, ctx, result);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_og_change_body(r, ctx, conf, result, &body);
}


static const og_body_result_t *
ngx_http_og_scan(ngx_http_og_ctx_t *ctx, ngx_http_og_loc_conf_t *conf,
    ngx_str_t *body)
{
    og_scanner_t            *scanner;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    scanner = ngx_http_og_scanner();
    if (scanner == NULL) {
        return NULL;
    }

    rules.fields = conf->fields;
    rules.max_depth = conf->json_depth;
    rules.reject_unlisted = conf->reject_unlisted;
    rules.find_gaps = ctx->enforced;

    switch (ctx->media.type) {

    case OG_MEDIA_FORM:
        return og_form_scan(scanner, &rules, OG_FORM_BODY, body->data,
                            body->len);

    case OG_MEDIA_MULTIPART:
        return og_multipart_scan(scanner, &rules, &ctx->media, body->data,
                                 body->len);

    case OG_MEDIA_PATCH:
        return og_patch_scan(scanner, &rules, body->data, body->len);

    default: /* OG_MEDIA_JSON */
        break;
    }

    result = og_json_scan(scanner, &rules, body->data, body->len);

    if (rules.fields
        && (result->status == OG_BODY_OK
            || result->status == OG_BODY_FORBIDDEN)
        && og_patch_is_one(body->data, body->len))
    {
        /* there are upstreams that take a patch under this type as well */

        ctx->media.type = OG_MEDIA_PATCH;
        result = og_patch_scan(scanner, &rules, body->data, body->len);
    }

    return result;
}


og_scanner_t *
ngx_http_og_scanner(void)
{
    if (ngx_http_og_worker_scanner == NULL) {
        ngx_http_og_worker_scanner = og_scanner_create();
    }

    return ngx_http_og_worker_scanner;
}


void
ngx_http_og_free_scanner(void)
{
    og_scanner_free(ngx_http_og_worker_scanner);
    ngx_http_og_worker_scanner = NULL;
}


ngx_int_t
ngx_http_og_judge_fields(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_body_result_t *result)
{
    if (result == NULL) {
        return NGX_ERROR;
    }

    switch (result->status) {

    case OG_BODY_OK:
        return NGX_OK;

    case OG_BODY_MALFORMED:
        ctx->error = NGX_HTTP_OG_BODY_MALFORMED;
        return ngx_http_og_take_place(r, ctx, result);

    case OG_BODY_UNSUPPORTED:
        ctx->error = NGX_HTTP_OG_MEDIA_TYPE_UNSUPPORTED;
        return ngx_http_og_take_place(r, ctx, result);

    case OG_BODY_FORBIDDEN:
        ctx->error = NGX_HTTP_OG_FIELD_FORBIDDEN;

        if (ngx_http_og_join(r, &ctx->rejected, result->rejected) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "order guard rejected %V", &ctx->rejected);

        return NGX_DECLINED;

    default: /* OG_BODY_NO_MEMORY */
        return NGX_ERROR;
    }
}


ngx_int_t
ngx_http_og_malformed(ngx_http_og_ctx_t *ctx, const char *text)
{
    ctx->error = NGX_HTTP_OG_BODY_MALFORMED;
    ctx->offset = 0;
    ctx->detail.data = (u_char *) text;
    ctx->detail.len = ngx_strlen(text);

    ngx_str_set(&ctx->pointer, "");

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_og_take_place(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_body_result_t *result)
{
    ctx->offset = result->offset;

    if (ngx_http_og_copy_text(r, &ctx->detail, result->message) != NGX_OK
        || ngx_http_og_copy_text(r, &ctx->pointer, result->pointer) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_DECLINED;
}


/* A body of which nothing goes is forwarded as the very same buffers. */

static ngx_int_t
ngx_http_og_change_body(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *conf, const og_body_result_t *result,
    ngx_str_t *body)
{
    ngx_array_t  sets;

    if (ngx_http_og_keep(r, ctx, result, body) != NGX_OK
        || ngx_http_og_evaluate_sets(r, ctx, conf, &sets) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (result->ncuts == 0 && sets.nelts == 0) {
        return NGX_OK;
    }

    if (ngx_http_og_body_is_signed(r)) {
        ctx->error = NGX_HTTP_OG_BODY_SIGNED;
        return NGX_DECLINED;
    }

    if (sets.nelts) {
        return ngx_http_og_set_body(r, ctx, result, &sets);
    }

    return ngx_http_og_install_body(r, &ctx->body);
}


/* Fills in what the rest of the guard knows of the body. */

static ngx_int_t
ngx_http_og_keep(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_body_result_t *result, ngx_str_t *body)
{
    ngx_str_t  kept;

    kept = *body;

    if (result->ncuts) {

        if (ngx_http_og_add_stripped(r, ctx, result) != NGX_OK) {
            return NGX_ERROR;
        }

        kept.len = og_body_kept_length(result, body->len);

        kept.data = ngx_pnalloc(r->pool, kept.len);
        if (kept.data == NULL) {
            return NGX_ERROR;
        }

        (void) og_body_copy_kept(kept.data, result, body->data, body->len);
    }

    ctx->body = kept;

    return ctx->enforced ? ngx_http_og_canonicalise(r, ctx, result, body)
                         : NGX_OK;
}


static ngx_int_t
ngx_http_og_set_body(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_body_result_t *result, ngx_array_t *sets)
{
    ngx_str_t        body;
    const og_set_t  *homeless;

    if (ngx_http_og_copy_for_sets(r, &ctx->body, sets, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    homeless = ngx_http_og_write_sets(ctx, result, sets, &body);

    if (homeless) {
        return ngx_http_og_no_place(r, ctx, homeless);
    }

    return ngx_http_og_install_body(r, &body);
}


static const og_set_t *
ngx_http_og_write_sets(ngx_http_og_ctx_t *ctx, const og_body_result_t *result,
    ngx_array_t *sets, ngx_str_t *body)
{
    switch (ctx->media.type) {

    case OG_MEDIA_FORM:
        return og_form_set(body->data, &body->len, result->homes,
                           result->nhomes, sets->elts, sets->nelts, 1);

    case OG_MEDIA_MULTIPART:
        return og_multipart_set(body->data, &body->len, &ctx->media,
                                result->homes, result->nhomes, sets->elts,
                                sets->nelts);

    case OG_MEDIA_PATCH:
        return og_patch_set(body->data, &body->len, sets->elts, sets->nelts);

    default: /* OG_MEDIA_JSON */
        return og_json_set(body->data, &body->len, result->homes,
                           result->nhomes, sets->elts, sets->nelts);
    }
}


ngx_int_t
ngx_http_og_add_stripped(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_body_result_t *result)
{
    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "order guard stripped %s", result->stripped);

    return ngx_http_og_join(r, &ctx->stripped, result->stripped);
}


/* Body and query add to one list, and so do two locations in a redirect. */

static ngx_int_t
ngx_http_og_join(ngx_http_request_t *r, ngx_str_t *list, const char *text)
{
    u_char     *p;
    ngx_str_t   all;

    if (list->len == 0) {
        return ngx_http_og_copy_text(r, list, text);
    }

    all.len = list->len + 1 + ngx_strlen(text);

    all.data = ngx_pnalloc(r->pool, all.len + 1);
    if (all.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(all.data, list->data, list->len);
    *p++ = ',';
    p = ngx_cpymem(p, text, ngx_strlen(text));
    *p = '\0';

    *list = all;

    return NGX_OK;
}


/*
 * With a NUL behind it, for those that read C strings.  dst is looked at by
 * variables even if there is no memory.
 */

static ngx_int_t
ngx_http_og_copy_text(ngx_http_request_t *r, ngx_str_t *dst, const char *text)
{
    size_t   len;
    u_char  *p;

    len = text ? ngx_strlen(text) : 0;

    p = ngx_pnalloc(r->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(p, text ? text : "", len) = '\0';

    dst->data = p;
    dst->len = len;

    return NGX_OK;
}
