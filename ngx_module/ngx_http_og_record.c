
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_int_t ngx_http_og_collect_headers(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, og_bytes_t *list);
static og_bytes_t ngx_http_og_bytes(ngx_str_t *text);
static ngx_uint_t ngx_http_og_is_stored(ngx_http_og_ctx_t *ctx,
    ngx_table_elt_t *h);
static ngx_uint_t ngx_http_og_has_name(ngx_table_elt_t *h, ngx_str_t *name);
static ngx_int_t ngx_http_og_content_type(ngx_http_request_t *r,
    og_bytes_t *type);
static void ngx_http_og_free_key(ngx_http_og_ctx_t *ctx,
    ngx_http_og_release_e why);
static void ngx_http_og_mark_unknown(ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_end_claim(ngx_http_og_ctx_t *ctx,
    og_record_t *record, ngx_msec_t ttl);
static og_range_t ngx_http_og_find_mark(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_tell_replay(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);
static ngx_int_t ngx_http_og_send_replay(ngx_http_request_t *r,
    const og_record_t *record, const og_range_t *mark);
static ngx_int_t ngx_http_og_restore_header(ngx_http_request_t *r,
    og_bytes_t *name, og_bytes_t *value);


typedef struct {
    ngx_str_t                    name;
    size_t                       offset;    /* of the pointer to it in
                                               headers_out, or NONE */
} ngx_http_og_stored_header_t;


#define NGX_HTTP_OG_NONE  ((size_t) -1)

#define ngx_http_og_out(field)  offsetof(ngx_http_headers_out_t, field)


/*
 * What a replay repeats unless the operator says which.  Filters and the core
 * look for some of them by their pointers in headers_out.
 */

static ngx_http_og_stored_header_t  ngx_http_og_stored_headers[] = {
    { ngx_string("Content-Language"), NGX_HTTP_OG_NONE },
    { ngx_string("Content-Encoding"), ngx_http_og_out(content_encoding) },
    { ngx_string("Content-Disposition"), NGX_HTTP_OG_NONE },
    { ngx_string("Vary"), NGX_HTTP_OG_NONE },
    { ngx_string("Location"), NGX_HTTP_OG_NONE },   /* stays relative */
    { ngx_string("Content-Location"), NGX_HTTP_OG_NONE },
    { ngx_string("ETag"), ngx_http_og_out(etag) },
    { ngx_string("Last-Modified"), ngx_http_og_out(last_modified) },
    { ngx_string("Link"), NGX_HTTP_OG_NONE },
    { ngx_string("Retry-After"), NGX_HTTP_OG_NONE },
    { ngx_string("WWW-Authenticate"), ngx_http_og_out(www_authenticate) },
    { ngx_string("Cache-Control"), NGX_HTTP_OG_NONE },
    { ngx_string("Access-Control-Allow-Origin"), NGX_HTTP_OG_NONE },
    { ngx_string("Access-Control-Allow-Credentials"), NGX_HTTP_OG_NONE },
    { ngx_string("Access-Control-Expose-Headers"), NGX_HTTP_OG_NONE },
    { ngx_null_string, NGX_HTTP_OG_NONE }
};


static ngx_str_t  ngx_http_og_true = ngx_string("true");


/* Without it nobody could read the body. */
static ngx_str_t  ngx_http_og_content_encoding = ngx_string("Content-Encoding");


static og_bytes_t  ngx_http_og_content_type_name = {
    (u_char *) "Content-Type", sizeof("Content-Type") - 1
};


ngx_int_t
ngx_http_og_store_answer(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_uint_t    status;
    ngx_msec_t    ttl;
    og_record_t   record;

    status = r->headers_out.status;

    if (ngx_http_og_status_in(ctx->conf->release, status)) {
        ctx->claimed = 0;
        ngx_http_og_free_key(ctx, NGX_HTTP_OG_FREED);

        return NGX_OK;
    }

    ngx_memzero(&record, sizeof(og_record_t));

    record.state = OG_RECORD_DONE;
    record.status = status;
    record.body.data = ctx->content.data;
    record.body.len = ctx->content.len;

    if (ngx_http_og_collect_headers(r, ctx, &record.headers) != NGX_OK) {
        return NGX_ERROR;
    }

    ttl = (status >= 400 && status < 500) ? ctx->conf->idempotency->error_ttl
                                          : ctx->conf->idempotency->ttl;
    ctx->claimed = 0;

    return ngx_http_og_end_claim(ctx, &record, ttl);
}


ngx_int_t
ngx_http_og_store_tombstone(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    og_record_t  record;

    ngx_memzero(&record, sizeof(og_record_t));

    record.state = OG_RECORD_TOMBSTONE;
    record.status = r->headers_out.status;

    ctx->claimed = 0;

    return ngx_http_og_end_claim(ctx, &record, ctx->conf->idempotency->ttl);
}


void
ngx_http_og_store_unknown(ngx_http_og_ctx_t *ctx)
{
    if (ctx->claimed) {
        ctx->claimed = 0;
        ngx_http_og_mark_unknown(ctx);
    }
}


void
ngx_http_og_settle(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    if (!ctx->claimed) {
        return;
    }

    ctx->claimed = 0;

    if (!ngx_http_og_was_sent(r, ctx)) {
        ngx_http_og_free_key(ctx, NGX_HTTP_OG_NOT_SENT);
        return;
    }

    if (ctx->answer == NGX_HTTP_OG_ANSWER_STREAMING
        && (r->connection->timedout || r->connection->error))
    {
        /* the upstream did answer, it was the client that did not listen */

        (void) ngx_http_og_store_tombstone(r, ctx);
        return;
    }

    if (ngx_http_og_status_in(ctx->conf->release,
                              ngx_http_og_last_status(r)))
    {
        /* the answer was intercepted, but it was one */

        ngx_http_og_free_key(ctx, NGX_HTTP_OG_FREED);
        return;
    }

    ngx_http_og_mark_unknown(ctx);
}


static void
ngx_http_og_free_key(ngx_http_og_ctx_t *ctx, ngx_http_og_release_e why)
{
    if (why == NGX_HTTP_OG_NOT_SENT) {
        ngx_http_og_back_units(ctx);
    }

    ngx_http_og_store_release(ctx->op, why);
    ngx_http_og_wake_waiters(ctx->op);
}


static void
ngx_http_og_mark_unknown(ngx_http_og_ctx_t *ctx)
{
    og_record_t  record;

    ngx_memzero(&record, sizeof(og_record_t));

    record.state = OG_RECORD_UNKNOWN;

    (void) ngx_http_og_end_claim(ctx, &record,
                                 ctx->conf->idempotency->unknown_ttl);
}


/* Who waits for the end learns of it now, or when the store has it. */

static ngx_int_t
ngx_http_og_end_claim(ngx_http_og_ctx_t *ctx, og_record_t *record,
    ngx_msec_t ttl)
{
    ngx_int_t  rc;

    rc = ngx_http_og_store_complete(ctx->op, record, ttl);

    if (rc == NGX_OK) {
        ngx_http_og_wake_waiters(ctx->op);
    }

    return rc;
}


static ngx_int_t
ngx_http_og_collect_headers(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    og_bytes_t *list)
{
    u_char           *p;
    ngx_uint_t        i;
    og_bytes_t        type;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    if (ngx_http_og_content_type(r, &type) != NGX_OK) {
        return NGX_ERROR;
    }

    list->len = type.len
                ? og_record_header_size(ngx_http_og_content_type_name.len,
                                        type.len)
                : 0;

    part = &r->headers_out.headers.part;
    i = 0;

    while ((h = ngx_http_og_next_header(&part, &i)) != NULL) {
        if (ngx_http_og_is_stored(ctx, h)) {
            list->len += og_record_header_size(h->key.len, h->value.len);
        }
    }

    p = ngx_pnalloc(r->pool, list->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    list->data = p;

    if (type.len) {
        p = og_record_header_add(p, ngx_http_og_content_type_name, type);
    }

    part = &r->headers_out.headers.part;
    i = 0;

    while ((h = ngx_http_og_next_header(&part, &i)) != NULL) {
        if (ngx_http_og_is_stored(ctx, h)) {
            p = og_record_header_add(p, ngx_http_og_bytes(&h->key),
                                     ngx_http_og_bytes(&h->value));
        }
    }

    return NGX_OK;
}


static og_bytes_t
ngx_http_og_bytes(ngx_str_t *text)
{
    og_bytes_t  bytes;

    bytes.data = text->data;
    bytes.len = text->len;

    return bytes;
}


static ngx_uint_t
ngx_http_og_is_stored(ngx_http_og_ctx_t *ctx, ngx_table_elt_t *h)
{
    ngx_str_t                    *name;
    ngx_uint_t                    i;
    ngx_array_t                  *names;
    ngx_http_og_stored_header_t  *stored;

    if (h->hash == 0) {
        return 0;
    }

    names = ctx->conf->headers;

    if (names == NULL) {

        for (stored = ngx_http_og_stored_headers; stored->name.len; stored++) {
            if (ngx_http_og_has_name(h, &stored->name)) {
                return 1;
            }
        }

        return 0;
    }

    name = names->elts;

    for (i = 0; i < names->nelts; i++) {
        if (ngx_http_og_has_name(h, &name[i])) {
            return 1;
        }
    }

    return ngx_http_og_has_name(h, &ngx_http_og_content_encoding);
}


static ngx_uint_t
ngx_http_og_has_name(ngx_table_elt_t *h, ngx_str_t *name)
{
    return h->key.len == name->len
           && ngx_strncasecmp(h->key.data, name->data, name->len) == 0;
}


/* As the header filter will write it, with its charset. */

static ngx_int_t
ngx_http_og_content_type(ngx_http_request_t *r, og_bytes_t *type)
{
    u_char                  *p;
    ngx_http_headers_out_t  *out;

    out = &r->headers_out;

    if (out->content_type_len != out->content_type.len
        || out->content_type.len == 0
        || out->charset.len == 0)
    {
        *type = ngx_http_og_bytes(&out->content_type);
        return NGX_OK;
    }

    type->len = out->content_type.len + sizeof("; charset=") - 1
                + out->charset.len;

    p = ngx_pnalloc(r->pool, type->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    type->data = p;

    (void) ngx_sprintf(p, "%V; charset=%V", &out->content_type, &out->charset);

    return NGX_OK;
}


ngx_int_t
ngx_http_og_replay(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_int_t          rc;
    og_range_t         mark;
    og_bytes_t         list, name, value;
    ngx_str_t          body;
    og_record_t       *record;

    record = &ctx->op->record;

    r->headers_out.status = record->status;

    if (ctx->conf->errors && record->status >= NGX_HTTP_BAD_REQUEST) {

        body.data = (u_char *) record->body.data;
        body.len = record->body.len;

        if (ngx_http_og_note_code(r, ctx, &body) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    list = record->headers;

    while (og_record_header_next(&list, &name, &value)) {
        if (ngx_http_og_restore_header(r, &name, &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    mark = ngx_http_og_find_mark(r, ctx);

    r->headers_out.content_length_n = record->body.len;

    if (mark.end) {
        ngx_http_og_clear_digests(r);

        r->headers_out.content_length_n += (off_t) ngx_http_og_true.len
                                           - (off_t) (mark.end - mark.start);
    }

    if (r->method == NGX_HTTP_HEAD
        || record->status == NGX_HTTP_NO_CONTENT
        || record->status == NGX_HTTP_NOT_MODIFIED)
    {
        /* no body came that could have been counted */
        ngx_http_clear_content_length(r);
    }

    if (ngx_http_og_tell_replay(r, ctx) != NGX_OK
        || ngx_http_og_set_status_line(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the conditions and ranges of a retry are not those of a new answer */

    r->disable_not_modified = 1;
    r->allow_ranges = 0;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_og_send_replay(r, record, &mark);
}


/* Where the value stands that a replay has as "true"; end is 0: nowhere. */

static og_range_t
ngx_http_og_find_mark(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    og_range_t     mark;
    ngx_str_t     *pointer;
    og_record_t   *record;
    og_scanner_t  *scanner;

    mark.start = 0;
    mark.end = 0;

    pointer = &ctx->conf->mark;
    record = &ctx->op->record;

    if (pointer->len == 0 || !ngx_http_og_is_json(r)) {
        return mark;
    }

    scanner = ngx_http_og_scanner();

    if (scanner == NULL
        || og_json_locate(scanner, record->body.data, record->body.len,
                          (char *) pointer->data, pointer->len, &mark)
           != 0)
    {
        mark.end = 0;
    }

    return mark;
}


/*
 * A stored response that answers without the origin tells its Age (RFC 9111,
 * section 5.1), which is not told of an answer that is new.
 */

static ngx_int_t
ngx_http_og_tell_replay(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx)
{
    ngx_str_t         text;
    static ngx_str_t  replayed = ngx_string("Idempotent-Replayed");
    static ngx_str_t  yes = ngx_string("true");
    static ngx_str_t  age = ngx_string("Age");

    text.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    text.len = ngx_sprintf(text.data, "%ui", ctx->op->age) - text.data;

    if (ngx_http_og_add_header(r, &replayed, &yes) == NULL
        || ngx_http_og_add_header(r, &age, &text) == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* op->pool holds the body until the request ends, and it is not copied. */

static ngx_int_t
ngx_http_og_send_replay(ngx_http_request_t *r, const og_record_t *record,
    const og_range_t *mark)
{
    u_char       *body;
    ngx_buf_t    *b;
    ngx_uint_t    i, n;
    ngx_str_t     parts[3];
    ngx_chain_t  *cl, *out, **last;

    body = (u_char *) record->body.data;

    parts[0].data = body;
    parts[0].len = mark->end ? mark->start : record->body.len;
    parts[1] = ngx_http_og_true;
    parts[2].data = body + mark->end;
    parts[2].len = record->body.len - mark->end;

    n = mark->end ? 3 : 1;
    last = &out;

    for (i = 0; i < n; i++) {
        b = ngx_calloc_buf(r->pool);
        cl = ngx_alloc_chain_link(r->pool);

        if (b == NULL || cl == NULL) {
            return NGX_ERROR;
        }

        b->pos = parts[i].data;
        b->last = parts[i].data + parts[i].len;
        b->memory = parts[i].len ? 1 : 0;
        b->last_buf = (i == n - 1);
        b->last_in_chain = (i == n - 1);

        cl->buf = b;
        *last = cl;
        last = &cl->next;
    }

    *last = NULL;

    return ngx_http_output_filter(r, out);
}


static ngx_int_t
ngx_http_og_restore_header(ngx_http_request_t *r, og_bytes_t *name,
    og_bytes_t *value)
{
    char                         *out;
    ngx_str_t                     key, text;
    ngx_table_elt_t              *h;
    ngx_http_og_stored_header_t  *stored;

    key.data = (u_char *) name->data;
    key.len = name->len;
    text.data = (u_char *) value->data;
    text.len = value->len;

    if (key.len == ngx_http_og_content_type_name.len
        && ngx_strncasecmp(key.data,
                           (u_char *) ngx_http_og_content_type_name.data,
                           key.len)
           == 0)
    {
        r->headers_out.content_type = text;
        r->headers_out.content_type_len =
                                        ngx_http_og_media_type_length(&text);
        r->headers_out.content_type_lowcase = NULL;
        return NGX_OK;
    }

    h = ngx_http_og_add_header(r, &key, &text);
    if (h == NULL) {
        return NGX_ERROR;
    }

    out = (char *) &r->headers_out;

    for (stored = ngx_http_og_stored_headers; stored->name.len; stored++) {
        if (stored->offset != NGX_HTTP_OG_NONE
            && stored->name.len == key.len
            && ngx_strncasecmp(stored->name.data, key.data, key.len) == 0)
        {
            *(ngx_table_elt_t **) (out + stored->offset) = h;
        }
    }

    return NGX_OK;
}
