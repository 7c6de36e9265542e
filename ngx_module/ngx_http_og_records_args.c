
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og_records.h"
#include "og_key.h"


#define NGX_HTTP_OG_RECORD_ID_LEN  32   /* hex digits behind the caller's */


static ngx_int_t ngx_http_og_take_record_name(
    ngx_http_og_operator_t *operator, ngx_str_t *text, const char **wrong);
static ngx_int_t ngx_http_og_make_record_name(
    ngx_http_og_operator_t *operator, const char **wrong);
static ngx_int_t ngx_http_og_record_arg(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);
static ngx_uint_t ngx_http_og_is_hex(const u_char *p, size_t len);


ngx_int_t
ngx_http_og_read_record_name(ngx_http_og_operator_t *operator,
    const char **wrong)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    operator->secret = ngx_http_og_secrets(operator->request)->current;

    rc = ngx_http_og_record_arg(operator->request, "record", &text);

    switch (rc) {

    case NGX_OK:
        return ngx_http_og_take_record_name(operator, &text, wrong);

    case NGX_DECLINED:
        return ngx_http_og_make_record_name(operator, wrong);

    default: /* NGX_ERROR */
        return rc;
    }
}


/* As $order_guard_record has it, or behind the store's prefix, as a log. */

static ngx_int_t
ngx_http_og_take_record_name(ngx_http_og_operator_t *operator,
    ngx_str_t *text, const char **wrong)
{
    u_char  *p, *last;

    last = text->data + text->len;
    p = ngx_strlchr(text->data, last, '{');

    if (p == NULL
        || (size_t) (last - p) != sizeof("{}:i:") - 1 + NGX_HTTP_OG_ID_LEN
                                  + NGX_HTTP_OG_RECORD_ID_LEN
        || !ngx_http_og_is_hex(p + 1, NGX_HTTP_OG_ID_LEN)
        || ngx_strncmp(p + 1 + NGX_HTTP_OG_ID_LEN, "}:i:", 4) != 0
        || !ngx_http_og_is_hex(last - NGX_HTTP_OG_RECORD_ID_LEN,
                               NGX_HTTP_OG_RECORD_ID_LEN))
    {
        *wrong = "\"record\" must be a name as $order_guard_record gives it.";
        return NGX_DECLINED;
    }

    operator->name.data = p;
    operator->name.len = last - p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_make_record_name(ngx_http_og_operator_t *operator,
    const char **wrong)
{
    u_char                     digest[NGX_HTTP_OG_DIGEST_SIZE];
    ngx_str_t                  id, key, uri, method, scope;
    ngx_http_request_t        *r;
    ngx_http_core_srv_conf_t  *cscf;

    r = operator->request;

    if (ngx_http_og_secrets(r)->changing) {
        *wrong = "An order has two records while a secret changes: name each "
                 "by \"record\", as $order_guard_record gives them.";
        return NGX_DECLINED;
    }

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    ngx_str_null(&id);
    ngx_str_null(&key);
    ngx_str_null(&uri);
    ngx_str_set(&method, "POST");
    scope = cscf->server_name;

    if (ngx_http_og_record_arg(r, "token_id", &id) == NGX_ERROR
        || ngx_http_og_record_arg(r, "key", &key) == NGX_ERROR
        || ngx_http_og_record_arg(r, "uri", &uri) == NGX_ERROR
        || ngx_http_og_record_arg(r, "method", &method) == NGX_ERROR
        || ngx_http_og_record_arg(r, "scope", &scope) == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if (id.len != NGX_HTTP_OG_ID_LEN || !ngx_http_og_is_hex(id.data, id.len)) {
        *wrong = "\"token_id\" must be 16 hex digits, as $order_guard_token_id "
                 "gives them.";
        return NGX_DECLINED;
    }

    if (!og_key_is_text(key.data, key.len)) {
        *wrong = "\"key\" must be the idempotency key, without quotes, of 1 "
                 "to 255 bytes.";
        return NGX_DECLINED;
    }

    if (uri.len == 0 || uri.data[0] != '/') {
        *wrong = "\"uri\" must be the path of the order, as $uri gives it.";
        return NGX_DECLINED;
    }

    ngx_http_og_digest_record(&scope, &method, &uri, &key, digest);

    return ngx_http_og_record_key(r->pool, operator->secret, id.data, digest,
                                  &operator->name);
}


ngx_int_t
ngx_http_og_read_record_answer(ngx_http_og_operator_t *operator,
    const char **wrong)
{
    u_char                  *p;
    size_t                   i;
    ngx_int_t                status;
    ngx_str_t                text, body;
    og_bytes_t               name, type;
    ngx_table_elt_t         *h;
    ngx_http_request_t      *r;
    ngx_http_og_loc_conf_t  *olcf;

    r = operator->request;

    ngx_str_null(&text);

    if (ngx_http_og_record_arg(r, "status", &text) == NGX_ERROR
        || ngx_http_og_collect_body(r, &body) != NGX_OK)
    {
        return NGX_ERROR;
    }

    status = ngx_atoi(text.data, text.len);

    if (text.len != 3 || status < 200 || status > 599
        || status == NGX_HTTP_NOT_MODIFIED || status == 425 || status == 429)
    {
        *wrong = "\"status\" must be that of the order's answer, from 200 to "
                 "599, and none that is never stored (304, 425, 429).";
        return NGX_DECLINED;
    }

    olcf = ngx_http_get_module_loc_conf(r, ngx_http_order_guard_module);

    if (body.len > olcf->response_limit) {
        *wrong = "The answer must be within "
                 "order_guard_idempotency_response_limit.";
        return NGX_DECLINED;
    }

    operator->answer.state = OG_RECORD_DONE;
    operator->answer.status = (unsigned) status;
    operator->answer.body.data = body.data;
    operator->answer.body.len = body.len;

    h = r->headers_in.content_type;

    if (h == NULL || body.len == 0) {
        return NGX_OK;
    }

    for (i = 0; i < h->value.len; i++) {
        if (h->value.data[i] < ' ' || h->value.data[i] > '~') {
            *wrong = "Content-Type must be printable ASCII.";
            return NGX_DECLINED;
        }
    }

    name.data = (u_char *) "Content-Type";
    name.len = sizeof("Content-Type") - 1;
    type.data = h->value.data;
    type.len = h->value.len;

    p = ngx_pnalloc(r->pool, og_record_header_size(name.len, type.len));
    if (p == NULL) {
        return NGX_ERROR;
    }

    operator->answer.headers.data = p;
    operator->answer.headers.len = og_record_header_add(p, name, type) - p;

    return NGX_OK;
}


/* NGX_DECLINED, and value is as it was, where it is not there; unescaped. */

static ngx_int_t
ngx_http_og_record_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    u_char     *src, *dst;
    ngx_str_t   arg;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &arg) != NGX_OK) {
        return NGX_DECLINED;
    }

    dst = ngx_pnalloc(r->pool, arg.len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    value->data = dst;
    src = arg.data;

    ngx_unescape_uri(&dst, &src, arg.len, 0);

    value->len = dst - value->data;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_og_is_hex(const u_char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if ((p[i] < '0' || p[i] > '9') && (p[i] < 'a' || p[i] > 'f')) {
            return 0;
        }
    }

    return 1;
}
