
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_int_t ngx_http_og_check_media_type(ngx_str_t *type);
static ngx_int_t ngx_http_og_check_charset(u_char *p, u_char *last);
static u_char *ngx_http_og_parameter_end(u_char *p, u_char *last);
static u_char *ngx_http_og_token_end(u_char *p, u_char *last);
static ngx_int_t ngx_http_og_check_encoding(ngx_http_request_t *r);
static ngx_int_t ngx_http_og_collect(ngx_http_request_t *r, ngx_str_t *body);
static off_t ngx_http_og_body_size(ngx_chain_t *in);
static ngx_int_t ngx_http_og_read_buf(ngx_buf_t *b, u_char **p);
static ngx_int_t ngx_http_og_malformed(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const og_json_result_t *result);
static ngx_int_t ngx_http_og_cut(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_json_result_t *result);
static ngx_int_t ngx_http_og_add_stripped(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const char *text);
static ngx_uint_t ngx_http_og_is_signed(ngx_http_request_t *r);
static ngx_int_t ngx_http_og_install(ngx_http_request_t *r, ngx_str_t *body);
static ngx_int_t ngx_http_og_copy_text(ngx_http_request_t *r, ngx_str_t *dst,
    const char *text);


static const ngx_str_t  ngx_http_og_digest_headers[] = {
    ngx_string("content-md5"),
    ngx_string("digest"),
    ngx_string("content-digest"),
    ngx_string("repr-digest"),
    ngx_null_string
};


/* One body is scanned at a time in a worker. */

static og_json_t  *ngx_http_og_json;


ngx_int_t
ngx_http_og_check_body_headers(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_table_elt_t  *h;
    static ngx_str_t  name = ngx_string("content-type");

    if (!ngx_http_og_has_body(r)) {
        ctx->policed = 0;
        return NGX_OK;
    }

    if (ngx_http_og_count_headers(r, &name, &h) != 1
        || ngx_http_og_check_media_type(&h->value) != NGX_OK
        || ngx_http_og_check_encoding(r) != NGX_OK)
    {
        if (ctx->enforced || ctx->conf->fields) {
            ctx->error = NGX_HTTP_OG_MEDIA_TYPE_UNSUPPORTED;
            return NGX_DECLINED;
        }

        /* no rule asks for anything in it */

        ctx->policed = 0;
        return NGX_OK;
    }

    if (r->headers_in.content_length_n > (off_t) ctx->conf->body_limit) {
        ctx->error = NGX_HTTP_OG_BODY_TOO_LARGE;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_og_body_is_done(ngx_http_request_t *r)
{
    if (!ngx_http_og_has_body(r)) {
        return 1;
    }

    if (r->request_body) {
        return r->request_body->rest == 0;
    }

    /* nginx is throwing it away, which it does not begin where it failed */

    return r->discard_body;
}


ngx_uint_t
ngx_http_og_has_body(ngx_http_request_t *r)
{
    return r->headers_in.content_length_n > 0 || r->headers_in.chunked;
}


size_t
ngx_http_og_media_type_length(ngx_str_t *value)
{
    size_t  len;

    for (len = 0; len < value->len; len++) {
        if (ngx_strchr("; \t", value->data[len])) {
            break;
        }
    }

    return len;
}


/*
 * application/json and application/anything+json; a patch is no document but
 * names its fields in values (RFC 6902), so it is not understood here.
 */

static ngx_int_t
ngx_http_og_check_media_type(ngx_str_t *type)
{
    size_t   len;
    u_char  *p;

    len = ngx_http_og_media_type_length(type);
    p = type->data + len;

    if (ngx_http_og_token_end(ngx_strlchr(type->data, p, '/'), p) != p) {
        return NGX_DECLINED;
    }

    if (len < sizeof("application/json") - 1
        || ngx_strncasecmp(type->data, (u_char *) "application/",
                           sizeof("application/") - 1)
           != 0)
    {
        return NGX_DECLINED;
    }

    if (len == sizeof("application/json") - 1) {
        if (ngx_strncasecmp(p - 4, (u_char *) "json", 4) != 0) {
            return NGX_DECLINED;
        }

    } else if (ngx_strncasecmp(p - 5, (u_char *) "+json", 5) != 0
               || (len == sizeof("application/json-patch+json") - 1
                   && ngx_strncasecmp(type->data, (u_char *)
                                      "application/json-patch+json", len)
                      == 0))
    {
        return NGX_DECLINED;
    }

    return ngx_http_og_check_charset(p, type->data + type->len);
}


/* Walks the parameters (RFC 9110, section 5.6.6); a charset must be UTF-8. */

static ngx_int_t
ngx_http_og_check_charset(u_char *p, u_char *last)
{
    u_char  *name, *value;

    for ( ;; ) {

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (p == last) {
            return NGX_OK;
        }

        if (*p++ != ';') {
            return NGX_DECLINED;
        }

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (p == last) {
            return NGX_OK;
        }

        name = p;

        p = ngx_http_og_token_end(p - 1, last);
        if (p == name || p == last || *p != '=') {
            return NGX_DECLINED;
        }

        value = p + 1;

        p = ngx_http_og_parameter_end(value, last);
        if (p == NULL) {
            return NGX_DECLINED;
        }

        if (value - name != sizeof("charset=") - 1
            || ngx_strncasecmp(name, (u_char *) "charset=", value - name) != 0)
        {
            continue;
        }

        if (!(p - value == 5
              && ngx_strncasecmp(value, (u_char *) "utf-8", 5) == 0)
            && !(p - value == 7
                 && ngx_strncasecmp(value, (u_char *) "\"utf-8\"", 7) == 0))
        {
            return NGX_DECLINED;
        }
    }
}


static u_char *
ngx_http_og_parameter_end(u_char *p, u_char *last)
{
    u_char  *end;

    if (p == last) {
        return NULL;
    }

    if (*p != '"') {
        end = ngx_http_og_token_end(p - 1, last);
        return end == p ? NULL : end;
    }

    for (p++; p < last && *p != '"'; p++) {
        if (*p == '\\') {
            p++;
        }
    }

    return p < last ? p + 1 : NULL;
}


/* The end of the token (RFC 9110, section 5.6.2) that begins behind p. */

static u_char *
ngx_http_og_token_end(u_char *p, u_char *last)
{
    u_char  c;

    if (p == NULL) {
        return NULL;
    }

    for (p++; p < last; p++) {
        c = *p | 0x20;

        if (!(c >= 'a' && c <= 'z') && !(*p >= '0' && *p <= '9')
            && (*p == '\0' || ngx_strchr("!#$%&'*+-.^_`|~", *p) == NULL))
        {
            break;
        }
    }

    return p;
}


static ngx_int_t
ngx_http_og_check_encoding(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;
    static ngx_str_t  name = ngx_string("content-encoding");

    switch (ngx_http_og_count_headers(r, &name, &h)) {

    case 0:
        return NGX_OK;

    case 1:
        if (h->value.len == sizeof("identity") - 1
            && ngx_strncasecmp(h->value.data, (u_char *) "identity",
                               sizeof("identity") - 1)
               == 0)
        {
            return NGX_OK;
        }

        /* fall through */

    default:
        return NGX_DECLINED;
    }
}


ngx_int_t
ngx_http_og_police_body(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *conf)
{
    og_json_t               *json;
    ngx_str_t                body;
    og_json_rules_t          rules;
    const og_json_result_t  *result;

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    if (ngx_http_og_body_size(r->request_body->bufs)
        > (off_t) conf->body_limit)
    {
        ctx->error = NGX_HTTP_OG_BODY_TOO_LARGE;
        return NGX_DECLINED;
    }

    if (ngx_http_og_collect(r, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    if (body.len == 0) {
        return NGX_OK;
    }

    json = ngx_http_og_scanner();
    if (json == NULL) {
        return NGX_ERROR;
    }

    rules.fields = conf->fields;
    rules.max_depth = conf->json_depth;
    rules.reject_unlisted = 0;

    result = og_json_scan(json, &rules, body.data, body.len);

    switch (result->status) {

    case OG_JSON_OK:
        ctx->body = body;
        return result->ncuts ? ngx_http_og_cut(r, ctx, result) : NGX_OK;

    case OG_JSON_MALFORMED:
        return ngx_http_og_malformed(r, ctx, result);

    default:
        return NGX_ERROR;
    }
}


og_json_t *
ngx_http_og_scanner(void)
{
    if (ngx_http_og_json == NULL) {
        ngx_http_og_json = og_json_create();
    }

    return ngx_http_og_json;
}


void
ngx_http_og_free_scanner(void)
{
    og_json_free(ngx_http_og_json);
    ngx_http_og_json = NULL;
}


/* The usual body is one buffer in memory, and is scanned where it is. */

static ngx_int_t
ngx_http_og_collect(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    ngx_str_null(body);

    cl = r->request_body->bufs;

    if (cl == NULL) {
        return NGX_OK;
    }

    b = cl->buf;

    if (cl->next == NULL && ngx_buf_in_memory(b)) {
        body->data = b->pos;
        body->len = b->last - b->pos;
        return NGX_OK;
    }

    body->len = (size_t) ngx_http_og_body_size(cl);

    body->data = ngx_pnalloc(r->pool, body->len);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    p = body->data;

    for ( /* void */ ; cl; cl = cl->next) {
        if (ngx_http_og_read_buf(cl->buf, &p) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static off_t
ngx_http_og_body_size(ngx_chain_t *in)
{
    off_t  size;

    for (size = 0; in; in = in->next) {
        size += ngx_buf_size(in->buf);
    }

    return size;
}


static ngx_int_t
ngx_http_og_read_buf(ngx_buf_t *b, u_char **p)
{
    size_t   size;
    ssize_t  n;

    size = (size_t) ngx_buf_size(b);

    if (size == 0) {
        return NGX_OK;
    }

    if (ngx_buf_in_memory(b)) {
        *p = ngx_cpymem(*p, b->pos, size);
        return NGX_OK;
    }

    n = ngx_read_file(b->file, *p, size, b->file_pos);

    if (n == NGX_ERROR || (size_t) n != size) {
        ngx_log_error(NGX_LOG_CRIT, b->file->log, 0,
                      ngx_read_file_n " read %z of %uz bytes of \"%V\"",
                      n, size, &b->file->name);
        return NGX_ERROR;
    }

    *p += size;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_malformed(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_json_result_t *result)
{
    ctx->error = NGX_HTTP_OG_BODY_MALFORMED;
    ctx->offset = result->offset;

    if (ngx_http_og_copy_text(r, &ctx->detail, result->message) != NGX_OK
        || ngx_http_og_copy_text(r, &ctx->pointer, result->pointer) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_og_cut(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_json_result_t *result)
{
    ngx_str_t  kept;

    if (ngx_http_og_is_signed(r)) {
        ctx->error = NGX_HTTP_OG_BODY_SIGNED;
        return NGX_DECLINED;
    }

    if (ngx_http_og_add_stripped(r, ctx, result->stripped) != NGX_OK) {
        return NGX_ERROR;
    }

    kept.len = og_json_kept_length(result, ctx->body.len);

    kept.data = ngx_pnalloc(r->pool, kept.len);
    if (kept.data == NULL) {
        return NGX_ERROR;
    }

    (void) og_json_copy_kept(kept.data, result, ctx->body.data, ctx->body.len);

    ctx->body = kept;

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "order guard stripped %V", &ctx->stripped);

    return ngx_http_og_install(r, &kept);
}


/* After a redirect the rules of two locations have cut the body. */

static ngx_int_t
ngx_http_og_add_stripped(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const char *text)
{
    u_char     *p;
    ngx_str_t   all;

    if (ctx->stripped.len == 0) {
        return ngx_http_og_copy_text(r, &ctx->stripped, text);
    }

    all.len = ctx->stripped.len + 1 + ngx_strlen(text);

    all.data = ngx_pnalloc(r->pool, all.len);
    if (all.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(all.data, ctx->stripped.data, ctx->stripped.len);
    *p++ = ',';
    ngx_memcpy(p, text, ngx_strlen(text));

    ctx->stripped = all;

    return NGX_OK;
}


/* RFC 9421: a signature that covers the body's digest breaks with the body. */

static ngx_uint_t
ngx_http_og_is_signed(ngx_http_request_t *r)
{
    u_char           *last;
    ngx_table_elt_t  *h;
    static ngx_str_t  name = ngx_string("signature-input");

    switch (ngx_http_og_count_headers(r, &name, &h)) {

    case 0:
        return 0;

    case 1:
        last = h->value.data + h->value.len;

        /* content-digest, repr-digest and digest are all digests */

        return ngx_strlcasestrn(h->value.data, last, (u_char *) "digest\"",
                                sizeof("digest\"") - 2)
               != NULL
               || ngx_strlcasestrn(h->value.data, last,
                                   (u_char *) "\"content-length\"",
                                   sizeof("\"content-length\"") - 2)
                  != NULL;

    default:
        return 1;
    }
}


/*
 * The buffer begins at b->start, since an upstream module rewinds to it for
 * another attempt.
 */

static ngx_int_t
ngx_http_og_install(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_buf_t                *b;
    ngx_chain_t              *cl;
    ngx_table_elt_t          *h;
    ngx_http_request_body_t  *rb;

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->start = body->data;
    b->pos = body->data;
    b->last = body->data + body->len;
    b->end = b->last;
    b->temporary = 1;
    b->last_buf = 1;

    cl->buf = b;
    cl->next = NULL;

    rb = r->request_body;

    rb->bufs = cl;
    rb->buf = b;
    rb->temp_file = NULL;

    r->headers_in.content_length_n = body->len;
    r->headers_in.chunked = 0;

    h = r->headers_in.content_length;

    if (h) {
        h->value.data = ngx_pnalloc(r->pool, NGX_OFF_T_LEN);
        if (h->value.data == NULL) {
            return NGX_ERROR;
        }

        h->value.len = ngx_sprintf(h->value.data, "%uz", body->len)
                       - h->value.data;
    }

    return ngx_http_og_remove_headers(r, ngx_http_og_digest_headers);
}


/* With a NUL behind it, for those that read C strings. */

static ngx_int_t
ngx_http_og_copy_text(ngx_http_request_t *r, ngx_str_t *dst, const char *text)
{
    dst->len = text ? ngx_strlen(text) : 0;

    dst->data = ngx_pnalloc(r->pool, dst->len + 1);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(dst->data, text ? text : "", dst->len) = '\0';

    return NGX_OK;
}
