
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


ngx_int_t
ngx_http_og_evaluate_sets(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *conf, ngx_array_t *sets)
{
    og_set_t           *set;
    ngx_str_t           value;
    ngx_uint_t          i, written;
    const char         *error;
    ngx_http_og_set_t  *rule;

    sets->nelts = 0;

    if (conf->sets == NULL) {
        return NGX_OK;
    }

    if (ngx_array_init(sets, r->pool, conf->sets->nelts, sizeof(og_set_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rule = conf->sets->elts;
    written = 0;

    for (i = 0; i < conf->sets->nelts; i++) {

        if (ngx_http_og_evaluate(r, ctx, rule[i].value, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        error = og_set_check(rule[i].type, value.data, value.len);

        if (error) {
            /* the value may be a secret */

            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "order guard cannot set field \"%V\": %s",
                          &rule[i].field, error);
            return NGX_ERROR;
        }

        set = ngx_array_push(sets);
        if (set == NULL) {
            return NGX_ERROR;
        }

        set->field = (char *) rule[i].field.data;
        set->field_len = rule[i].field.len;
        set->type = rule[i].type;
        set->value = value.data;
        set->value_len = value.len;

        written += (value.len > 0);
    }

    if (written == 0) {
        sets->nelts = 0;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_og_copy_for_sets(ngx_http_request_t *r, ngx_str_t *kept,
    ngx_array_t *sets, ngx_str_t *copy)
{
    size_t  room;

    room = og_set_room(sets->elts, sets->nelts);

    if (room > SIZE_MAX - kept->len) {
        return NGX_ERROR;
    }

    copy->data = ngx_pnalloc(r->pool, kept->len + room);
    if (copy->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(copy->data, kept->data, kept->len);
    copy->len = kept->len;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_no_place(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_set_t *set)
{
    u_char  *p;

    static const char  no_place[] = "there is no place for the field ";

    /* the field is the operator's text, and ends with a NUL */

    p = ngx_pnalloc(r->pool, sizeof(no_place) + set->field_len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(p, "%s%s%Z", no_place, set->field);

    return ngx_http_og_malformed(ctx, (char *) p);
}
