
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"
#include "og_form.h"
#include "og_multipart.h"
#include "og_utf8.h"


static ngx_int_t ngx_http_og_text_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_og_bearer_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_og_token_id_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_og_record_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_og_error_code_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_uint_t ngx_http_og_status_of_page(ngx_http_request_t *r);
static ngx_int_t ngx_http_og_store_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_og_body_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_og_find_member(ngx_http_request_t *r,
    ngx_str_t *body, ngx_str_t *name, ngx_str_t *text);
static ngx_int_t ngx_http_og_find_field(ngx_http_request_t *r,
    ngx_str_t *body, ngx_str_t *name, ngx_str_t *text);
static ngx_uint_t ngx_http_og_is_printable(ngx_str_t *text);
static ngx_uint_t ngx_http_og_repeats_request(ngx_str_t *name);
static void ngx_http_og_set_value(ngx_http_variable_value_t *v,
    ngx_str_t *text);


static ngx_http_variable_t  ngx_http_og_variables[] = {

    { ngx_string("order_guard_bearer"), NULL,
      ngx_http_og_bearer_variable, 0, 0, 0 },

    { ngx_string("order_guard_token_id"), NULL,
      ngx_http_og_token_id_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("order_guard_record"), NULL,
      ngx_http_og_record_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("order_guard_stripped"), NULL,
      ngx_http_og_text_variable,
      offsetof(ngx_http_og_ctx_t, stripped), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("order_guard_idempotency"), NULL,
      ngx_http_og_text_variable,
      offsetof(ngx_http_og_ctx_t, idempotency), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("order_guard_limit"), NULL,
      ngx_http_og_text_variable,
      offsetof(ngx_http_og_ctx_t, limit), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("order_guard_error_code"), NULL,
      ngx_http_og_error_code_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("order_guard_store_time"), NULL,
      ngx_http_og_store_time_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("order_guard_body_"), NULL,
      ngx_http_og_body_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_og_evaluate(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_complex_value_t *text, ngx_str_t *value)
{
    ctx->no_memory = 0;

    if (ngx_http_complex_value(r, text, value) != NGX_OK) {
        return NGX_ERROR;
    }

    return ctx->no_memory ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_og_text_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t          *text;
    ngx_http_og_ctx_t  *ctx;

    ctx = ngx_http_og_get_ctx(r->main);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    text = (ngx_str_t *) ((char *) ctx + data);

    if (text->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_og_set_value(v, text);

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_bearer_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t  token;

    ngx_http_og_bearer(r, &token);

    if (token.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_og_set_value(v, &token);

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_token_id_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char              name[NGX_HTTP_OG_DIGEST_SIZE];
    ngx_str_t           id;
    ngx_http_og_ctx_t  *ctx;

    ctx = ngx_http_og_get_ctx(r->main);

    if (ctx == NULL || !ctx->has_token) {
        v->not_found = 1;
        return NGX_OK;
    }

    id.len = NGX_HTTP_OG_ID_LEN;
    id.data = ngx_pnalloc(r->pool, id.len);

    if (id.data == NULL
        || ngx_http_og_name(ngx_http_og_secrets(r)->current, ctx->caller, name)
           != NGX_OK)
    {
        ctx->no_memory = 1;
        return NGX_ERROR;
    }

    ngx_hex_dump(id.data, name, NGX_HTTP_OG_ID_LEN / 2);

    ngx_http_og_set_value(v, &id);

    return NGX_OK;
}


/* The former name first, while secrets change. */

static ngx_int_t
ngx_http_og_record_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char              *p;
    ngx_str_t            text;
    ngx_http_og_op_t    *op;
    ngx_http_og_ctx_t   *ctx;

    ctx = ngx_http_og_get_ctx(r->main);
    op = ctx ? ctx->op : NULL;

    if (op == NULL || op->name.key.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, op->name.key.len + 1
                             + (op->former ? op->former->key.len : 0));
    if (p == NULL) {
        ctx->no_memory = 1;
        return NGX_ERROR;
    }

    text.data = p;

    if (op->former) {
        p = ngx_sprintf(p, "%V,", &op->former->key);
    }

    p = ngx_sprintf(p, "%V", &op->name.key);

    text.len = p - text.data;

    ngx_http_og_set_value(v, &text);

    return NGX_OK;
}


/* In a page of the operator's: what an envelope would have said. */

static ngx_int_t
ngx_http_og_error_code_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t            code;
    ngx_uint_t           status;
    ngx_http_og_ctx_t   *ctx;
    ngx_http_og_error_e  error;

    ctx = ngx_http_og_get_ctx(r->main);

    if (ctx && ctx->error_code.len) {
        ngx_http_og_set_value(v, &ctx->error_code);
        return NGX_OK;
    }

    status = ngx_http_og_status_of_page(r);

    if (ctx == NULL || (!ctx->error && status == 0)) {
        v->not_found = 1;
        return NGX_OK;
    }

    error = ctx->error ? ctx->error
                       : ngx_http_og_error_of_status(r, ctx, status);

    code.data = (u_char *) (error ? ngx_http_og_error_code(error)
                                  : og_status_code_name(status));
    code.len = ngx_strlen(code.data);

    ngx_http_og_set_value(v, &code);

    return NGX_OK;
}


/* "error_page 502 = @page" has forgotten it, the upstream has not. */

static ngx_uint_t
ngx_http_og_status_of_page(ngx_http_request_t *r)
{
    ngx_http_upstream_state_t  *state;

    if (r->err_status) {
        return r->err_status;
    }

    if (!r->error_page || r->upstream_states == NULL
        || r->upstream_states->nelts == 0)
    {
        return 0;
    }

    state = r->upstream_states->elts;

    return state[r->upstream_states->nelts - 1].status;
}


static ngx_int_t
ngx_http_og_store_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t           text;
    ngx_http_og_ctx_t  *ctx;

    ctx = ngx_http_og_get_ctx(r->main);

    if (ctx == NULL || ctx->asked == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    text.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN + 4);
    if (text.data == NULL) {
        ctx->no_memory = 1;
        return NGX_ERROR;
    }

    text.len = ngx_sprintf(text.data, "%M.%03M", ctx->waited / 1000,
                           ctx->waited % 1000)
               - text.data;

    ngx_http_og_set_value(v, &text);

    return NGX_OK;
}


/* The member of the policed body's root that the variable is named after. */

static ngx_int_t
ngx_http_og_body_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_int_t           rc;
    ngx_str_t           name, text;
    ngx_http_og_ctx_t  *ctx;

    ctx = ngx_http_og_get_ctx(r->main);

    v->not_found = 1;

    if (ctx == NULL || ctx->body.len == 0) {
        return NGX_OK;
    }

    name = *(ngx_str_t *) data;
    name.data += sizeof("order_guard_body_") - 1;
    name.len -= sizeof("order_guard_body_") - 1;

    switch (ctx->media.type) {

    case OG_MEDIA_JSON:
        rc = ngx_http_og_find_member(r, &ctx->body, &name, &text);
        break;

    case OG_MEDIA_FORM:
        rc = ngx_http_og_find_field(r, &ctx->body, &name, &text);
        break;

    case OG_MEDIA_MULTIPART:
        text.data = (u_char *) og_multipart_find(&ctx->media, ctx->body.data,
                                                 ctx->body.len,
                                                 (char *) name.data, name.len,
                                                 &text.len);
        rc = text.data ? NGX_OK : NGX_DECLINED;
        break;

    default:
        rc = NGX_DECLINED;
        break;
    }

    if (rc == NGX_ERROR) {
        ctx->no_memory = 1;
        return NGX_ERROR;
    }

    if (rc == NGX_OK && ngx_http_og_is_printable(&text)) {
        v->not_found = 0;
        ngx_http_og_set_value(v, &text);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_find_member(ngx_http_request_t *r, ngx_str_t *body,
    ngx_str_t *name, ngx_str_t *text)
{
    u_char           *p, pointer[NGX_MAX_ERROR_STR];
    og_json_value_t   value;

    if (name->len >= sizeof(pointer)) {
        return NGX_DECLINED;
    }

    p = pointer;
    *p++ = '/';
    p = ngx_cpymem(p, name->data, name->len);

    value = og_json_find(body->data, body->len, (char *) pointer, p - pointer);

    if (value.type == OG_JSON_NONE) {

        /* nginx lowers the names of variables: userId comes as userid */

        value = og_json_find_caseless(body->data, body->len,
                                      (char *) name->data, name->len);
    }

    text->data = (u_char *) value.data;
    text->len = value.len;

    if (value.type == OG_JSON_NUMBER) {
        return NGX_OK;
    }

    if (value.type != OG_JSON_STRING) {
        return NGX_DECLINED;
    }

    text->data = ngx_pnalloc(r->pool, value.len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    text->len = og_json_unescape(text->data, value.data, value.len)
                - text->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_find_field(ngx_http_request_t *r, ngx_str_t *body,
    ngx_str_t *name, ngx_str_t *text)
{
    u_char  *last;

    text->data = ngx_pnalloc(r->pool, body->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    last = og_form_find(text->data, body->data, body->len,
                        (char *) name->data, name->len);
    if (last == NULL) {
        return NGX_DECLINED;
    }

    text->len = last - text->data;

    return NGX_OK;
}


/* A line end in a client's string must not become one of a header. */

static ngx_uint_t
ngx_http_og_is_printable(ngx_str_t *text)
{
    size_t   len;
    u_char  *p, *last;

    last = text->data + text->len;

    for (p = text->data; p < last; p += len) {

        len = og_utf8_length(p, last);

        if (len == 0 || *p < ' ' || *p == 0x7f) {
            return 0;
        }
    }

    return 1;
}


static void
ngx_http_og_set_value(ngx_http_variable_value_t *v, ngx_str_t *text)
{
    v->len = text->len;
    v->data = text->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}


ngx_int_t
ngx_http_og_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_og_variables; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


/* Which variables repeat what the client sent, and are kept. */

ngx_int_t
ngx_http_og_find_variables(ngx_conf_t *cf)
{
    ngx_uint_t                  i, *index;
    ngx_http_variable_t        *v;
    ngx_http_og_main_conf_t    *omcf;
    ngx_http_core_main_conf_t  *cmcf;

    omcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_order_guard_module);
    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (!ngx_http_og_repeats_request(&v[i].name)) {
            continue;
        }

        index = ngx_array_push(&omcf->request_variables);
        if (index == NULL) {
            return NGX_ERROR;
        }

        *index = i;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_og_repeats_request(ngx_str_t *name)
{
    static ngx_str_t  prefix = ngx_string("http_");
    static ngx_str_t  length = ngx_string("content_length");
    static ngx_str_t  uri = ngx_string("request_uri");

    return (name->len >= prefix.len
            && ngx_strncmp(name->data, prefix.data, prefix.len) == 0)
           || (name->len == length.len
               && ngx_strncmp(name->data, length.data, length.len) == 0)
           || (name->len == uri.len
               && ngx_strncmp(name->data, uri.data, uri.len) == 0);
}
