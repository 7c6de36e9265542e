
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"
#include "og_form.h"


/* A query string as it was, without what goes, and with what is set. */
typedef struct {
    ngx_str_t                    sent;
    ngx_str_t                    kept;
    ngx_str_t                    args;
    ngx_uint_t                   append;
} ngx_http_og_query_t;


static const char *ngx_http_og_path_wrong(ngx_http_request_t *r);
static ngx_str_t ngx_http_og_path_field(ngx_http_request_t *r);
static ngx_int_t ngx_http_og_police_args(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_loc_conf_t *conf,
    ngx_http_og_query_t *query);
static ngx_int_t ngx_http_og_change_args(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_loc_conf_t *conf,
    const og_body_result_t *result, ngx_http_og_query_t *query);
static ngx_int_t ngx_http_og_set_args(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const og_body_result_t *result,
    ngx_http_og_query_t *query, ngx_array_t *sets);
static ngx_int_t ngx_http_og_police_uri(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_loc_conf_t *conf,
    ngx_http_og_query_t *known);
static ngx_int_t ngx_http_og_install_uri(ngx_http_request_t *r,
    size_t path_len, ngx_str_t *args);
static ngx_uint_t ngx_http_og_equal(ngx_str_t *a, ngx_str_t *b);


ngx_int_t
ngx_http_og_police_query(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *conf, ngx_uint_t append)
{
    ngx_int_t            rc;
    const char          *wrong;
    ngx_http_og_query_t  query;

    ctx->args = r->args;

    if (conf->fields == NULL) {
        return NGX_OK;
    }

    wrong = ngx_http_og_path_wrong(r);
    if (wrong) {
        return ngx_http_og_malformed(ctx, wrong);
    }

    ctx->path_field = ngx_http_og_path_field(r);

    query.sent = r->args;
    query.append = append;

    rc = ngx_http_og_police_args(r, ctx, conf, &query);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_og_police_uri(r, ctx, conf, &query);
    if (rc != NGX_OK) {
        return rc;
    }

    ctx->args = query.kept;
    r->args = query.args;
    ctx->sent_args = r->args;

    return NGX_OK;
}


/*
 * A proxy_pass with variables forwards $uri and captures unescaped: what is
 * behind a question mark becomes a query, and what is behind a line feed
 * another request, at which nobody has looked.
 */

static const char *
ngx_http_og_path_wrong(ngx_http_request_t *r)
{
    u_char  *p, *end, *last;

    last = r->unparsed_uri.data + r->unparsed_uri.len;

    end = ngx_strlchr(r->unparsed_uri.data, last, '?');
    if (end == NULL) {
        end = last;
    }

    if (ngx_strlcasestrn(r->unparsed_uri.data, end, (u_char *) "%3f",
                         sizeof("%3f") - 2)
        != NULL)
    {
        return "an escaped question mark in the path";
    }

    /* a rewrite may have unescaped more */

    last = r->uri.data + r->uri.len;

    for (p = r->uri.data; p < last; p++) {

        if (*p == '?') {
            return "an escaped question mark in the path";
        }

        if (*p < 0x20 || *p == 0x7f) {
            return "a control character in the path";
        }
    }

    return NULL;
}


/* The first part of the path that were a field if a query had it. */

static ngx_str_t
ngx_http_og_path_field(ngx_http_request_t *r)
{
    u_char     *p, *last;
    ngx_str_t   field;

    ngx_str_null(&field);

    last = r->uri.data + r->uri.len;

    for (p = r->uri.data; p < last; p++) {

        if (*p != '&' && *p != ';') {
            continue;
        }

        if (field.data) {
            break;
        }

        field.data = p;
    }

    if (field.data) {
        field.len = p - field.data;
    }

    return field;
}


/* A try_files that makes a query of $uri does not escape it either. */

ngx_uint_t
ngx_http_og_path_became_query(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    u_char     *p, *last;
    ngx_str_t  *field;

    field = &ctx->path_field;

    if (field->len == 0 || r->upstream
        || ngx_http_og_equal(&r->args, &ctx->sent_args))
    {
        return 0;
    }

    last = r->args.data + r->args.len;

    for (p = r->args.data; p + field->len <= last; p++) {

        if (ngx_memcmp(p, field->data, field->len) == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_og_police_args(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *conf, ngx_http_og_query_t *query)
{
    ngx_int_t                rc;
    og_scanner_t            *scanner;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    query->kept = query->sent;
    query->args = query->sent;

    if (query->sent.len == 0 && (conf->sets == NULL || !query->append)) {
        return NGX_OK;
    }

    scanner = ngx_http_og_scanner();
    if (scanner == NULL) {
        return NGX_ERROR;
    }

    rules.fields = conf->fields;
    rules.max_depth = conf->json_depth;
    rules.reject_unlisted = conf->reject_unlisted;
    rules.find_gaps = 0;

    result = og_form_scan(scanner, &rules, OG_FORM_QUERY, query->sent.data,
                          query->sent.len);

    rc = ngx_http_og_judge_fields(r, ctx, result);
    if (rc != NGX_OK) {
        return rc;
    }

    if (result->ncuts == 0 && !query->append) {
        return NGX_OK;
    }

    return ngx_http_og_change_args(r, ctx, conf, result, query);
}


static ngx_int_t
ngx_http_og_change_args(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *conf, const og_body_result_t *result,
    ngx_http_og_query_t *query)
{
    ngx_array_t  sets;

    if (ngx_http_og_evaluate_sets(r, ctx, conf, &sets) != NGX_OK) {
        return NGX_ERROR;
    }

    if (result->ncuts == 0 && sets.nelts == 0) {
        return NGX_OK;
    }

    if (ngx_http_og_query_is_signed(r)) {
        ctx->error = NGX_HTTP_OG_BODY_SIGNED;
        return NGX_DECLINED;
    }

    if (result->ncuts
        && ngx_http_og_add_stripped(r, ctx, result) != NGX_OK)
    {
        return NGX_ERROR;
    }

    query->kept.len = og_body_kept_length(result, query->sent.len);

    query->kept.data = ngx_pnalloc(r->pool, query->kept.len);
    if (query->kept.data == NULL) {
        return NGX_ERROR;
    }

    (void) og_body_copy_kept(query->kept.data, result, query->sent.data,
                             query->sent.len);

    query->args = query->kept;

    return sets.nelts ? ngx_http_og_set_args(r, ctx, result, query, &sets)
                      : NGX_OK;
}


static ngx_int_t
ngx_http_og_set_args(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_body_result_t *result, ngx_http_og_query_t *query,
    ngx_array_t *sets)
{
    ngx_str_t       *args;
    const og_set_t  *homeless;

    args = &query->args;

    if (ngx_http_og_copy_for_sets(r, &query->kept, sets, args) != NGX_OK) {
        return NGX_ERROR;
    }

    homeless = og_form_set(args->data, &args->len, result->homes,
                           result->nhomes, sets->elts, sets->nelts,
                           (int) query->append);

    return homeless ? ngx_http_og_no_place(r, ctx, homeless) : NGX_OK;
}


/*
 * What a proxy_pass without URI forwards is the request line's own text, which
 * is another one after a rewrite.  A fragment, which no client should send
 * (RFC 9112, section 3.2), goes: upstreams differ in what they take it for.
 */

static ngx_int_t
ngx_http_og_police_uri(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *conf, ngx_http_og_query_t *known)
{
    u_char               *p, *end, *last;
    size_t                path_len;
    ngx_int_t             rc;
    ngx_http_og_query_t   query;

    last = r->unparsed_uri.data + r->unparsed_uri.len;

    end = ngx_strlchr(r->unparsed_uri.data, last, '#');
    if (end == NULL) {
        end = last;
    }

    p = ngx_strlchr(r->unparsed_uri.data, end, '?');

    path_len = (p ? p : end) - r->unparsed_uri.data;

    query = *known;
    query.sent.data = p ? p + 1 : end;
    query.sent.len = end - query.sent.data;

    if (!ngx_http_og_equal(&query.sent, &known->sent)) {

        rc = ngx_http_og_police_args(r, ctx, conf, &query);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (end == last && ngx_http_og_equal(&query.sent, &query.args)) {
        return NGX_OK;
    }

    if (end < last && ngx_http_og_query_is_signed(r)) {
        ctx->error = NGX_HTTP_OG_BODY_SIGNED;
        return NGX_DECLINED;
    }

    return ngx_http_og_install_uri(r, path_len, &query.args);
}


static ngx_int_t
ngx_http_og_install_uri(ngx_http_request_t *r, size_t path_len,
    ngx_str_t *args)
{
    u_char     *p;
    ngx_str_t   uri;

    uri.data = ngx_pnalloc(r->pool, path_len + sizeof("?") - 1 + args->len);
    if (uri.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(uri.data, r->unparsed_uri.data, path_len);

    if (args->len) {
        *p++ = '?';
        p = ngx_cpymem(p, args->data, args->len);
    }

    uri.len = p - uri.data;

    r->unparsed_uri = uri;

    ngx_http_og_forget_variables(r);

    return NGX_OK;
}


static ngx_uint_t
ngx_http_og_equal(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || ngx_memcmp(a->data, b->data, a->len) == 0);
}
