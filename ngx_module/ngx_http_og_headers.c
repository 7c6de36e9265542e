
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_uint_t ngx_http_og_is_named(ngx_table_elt_t *h,
    const ngx_str_t *names);
static ngx_uint_t ngx_http_og_is_called(ngx_table_elt_t *h,
    const ngx_str_t *name);
static void ngx_http_og_clear_content_range(ngx_http_request_t *r);
static void ngx_http_og_drop_headers(ngx_http_request_t *r,
    const ngx_str_t *names);


/* What describes the bytes of a body, and is wrong once they are others. */

static const ngx_str_t  ngx_http_og_body_headers[] = {
    ngx_string("content-encoding"),
    ngx_string("content-md5"),
    ngx_string("digest"),
    ngx_string("content-digest"),
    ngx_string("repr-digest"),
    ngx_string("content-disposition"),
    ngx_string("content-language"),
    ngx_string("trailer"),
    ngx_null_string
};


static const ngx_str_t  ngx_http_og_content_range =
    ngx_string("content-range");


/* What an answer says of its outcome, and is wrong when it is not whole. */

static const ngx_str_t  ngx_http_og_answer_headers[] = {
    ngx_string("cache-control"),
    ngx_string("expires"),
    ngx_string("link"),
    ngx_string("location"),
    ngx_string("set-cookie"),
    ngx_null_string
};


ngx_table_elt_t *
ngx_http_og_next_header(ngx_list_part_t **part, ngx_uint_t *i)
{
    ngx_table_elt_t  *h;

    while (*i >= (*part)->nelts) {

        *part = (*part)->next;
        *i = 0;

        if (*part == NULL) {
            return NULL;
        }
    }

    h = (*part)->elts;

    return &h[(*i)++];
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


ngx_uint_t
ngx_http_og_count_headers(ngx_http_request_t *r, const ngx_str_t *name,
    ngx_table_elt_t **first)
{
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    n = 0;
    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_og_next_header(&part, &i)) != NULL) {

        if (h->hash == 0 || !ngx_http_og_is_called(h, name)) {
            continue;
        }

        if (n++ == 0 && first) {
            *first = h;
        }
    }

    return n;
}


/*
 * Upstream modules do not look at the hash of a request header, so a header
 * is removed by making the list anew.  The old elements stay as they are:
 * r->headers_in points to some of them.
 */

ngx_int_t
ngx_http_og_remove_headers(ngx_http_request_t *r, const ngx_str_t *names)
{
    ngx_uint_t        i;
    ngx_list_t        kept;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *copy;

    if (ngx_list_init(&kept, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_og_next_header(&part, &i)) != NULL) {

        if (ngx_http_og_is_named(h, names)) {
            continue;
        }

        copy = ngx_list_push(&kept);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        *copy = *h;
    }

    r->headers_in.headers = kept;

    if (kept.last == &kept.part) {
        r->headers_in.headers.last = &r->headers_in.headers.part;
    }

    ngx_http_og_forget_variables(r);

    return NGX_OK;
}


/* A variable that was looked at before would go on saying what was. */

void
ngx_http_og_forget_variables(ngx_http_request_t *r)
{
    ngx_uint_t                i, *index;
    ngx_http_og_main_conf_t  *omcf;

    omcf = ngx_http_get_module_main_conf(r, ngx_http_order_guard_module);

    index = omcf->request_variables.elts;

    for (i = 0; i < omcf->request_variables.nelts; i++) {
        r->variables[index[i]].valid = 0;
        r->variables[index[i]].not_found = 0;
    }
}


static ngx_uint_t
ngx_http_og_is_named(ngx_table_elt_t *h, const ngx_str_t *names)
{
    for ( /* void */ ; names->len; names++) {
        if (ngx_http_og_is_called(h, names)) {
            return 1;
        }
    }

    return 0;
}


/*
 * "underscores_in_headers on" lets X_Original_URL in, which CGI's variables
 * do not tell from the other.
 */

static ngx_uint_t
ngx_http_og_is_called(ngx_table_elt_t *h, const ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    if (h->key.len != name->len) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = ngx_tolower(h->key.data[i]);

        if (c != name->data[i] && (c != '_' || name->data[i] != '-')) {
            return 0;
        }
    }

    return 1;
}


ngx_table_elt_t *
ngx_http_og_add_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
    h->key = *name;
    h->value = *value;
    h->lowcase_key = NULL;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return h;
}


ngx_int_t
ngx_http_og_set_status_line(ngx_http_request_t *r)
{
    u_char      *p;
    ngx_uint_t   status;
    const char  *reason;

    status = r->headers_out.status;

    ngx_str_null(&r->headers_out.status_line);

    if (status != 417 && status != 451 && (status < 422 || status > 428)) {
        return NGX_OK;
    }

    reason = og_status_reason(status);

    p = ngx_pnalloc(r->pool, sizeof("422 ") - 1 + ngx_strlen(reason));
    if (p == NULL) {
        return NGX_ERROR;
    }

    r->headers_out.status_line.data = p;
    r->headers_out.status_line.len = ngx_sprintf(p, "%ui %s", status, reason)
                                     - p;

    return NGX_OK;
}


void
ngx_http_og_clear_body_headers(ngx_http_request_t *r)
{
    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    r->allow_ranges = 0;
    r->headers_out.content_encoding = NULL;
    r->headers_out.charset.len = 0;
    r->headers_out.content_type_lowcase = NULL;

    ngx_http_og_drop_headers(r, ngx_http_og_body_headers);

    ngx_http_og_clear_content_range(r);
}


/*
 * "bytes (asterisk)/13" tells the length of what there is (RFC 9110, section
 * 15.5.17), any other range is one of the body that is gone.
 */

static void
ngx_http_og_clear_content_range(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_out.headers.part;
    i = 0;

    while ((h = ngx_http_og_next_header(&part, &i)) != NULL) {

        if (ngx_http_og_is_called(h, &ngx_http_og_content_range)
            && (r->headers_out.status != NGX_HTTP_RANGE_NOT_SATISFIABLE
                || ngx_strlchr(h->value.data, h->value.data + h->value.len,
                               '*')
                   == NULL))
        {
            h->hash = 0;
        }
    }

    r->headers_out.content_range = NULL;
}


void
ngx_http_og_clear_digests(ngx_http_request_t *r)
{
    ngx_http_og_drop_headers(r, ngx_http_og_digest_headers);
}


void
ngx_http_og_clear_answer_headers(ngx_http_request_t *r)
{
    r->headers_out.location = NULL;
    r->headers_out.expires = NULL;

    ngx_http_og_drop_headers(r, ngx_http_og_answer_headers);
}


static void
ngx_http_og_drop_headers(ngx_http_request_t *r, const ngx_str_t *names)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_out.headers.part;
    i = 0;

    while ((h = ngx_http_og_next_header(&part, &i)) != NULL) {

        if (ngx_http_og_is_named(h, names)) {
            h->hash = 0;
        }
    }
}
