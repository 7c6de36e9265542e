
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og_conf.h"


static ngx_uint_t ngx_http_og_is_limit_repeated(ngx_array_t *limits);
static ngx_uint_t ngx_http_og_is_same_limit(ngx_http_og_limit_t *one,
    ngx_http_og_limit_t *other);
static ngx_int_t ngx_http_og_limit_param(ngx_conf_t *cf,
    ngx_http_og_limit_t *limit, ngx_str_t *word);
static ngx_uint_t ngx_http_og_is_same_store(ngx_http_og_limit_t *one,
    ngx_http_og_limit_t *other);
static ngx_int_t ngx_http_og_check_limit_name(ngx_conf_t *cf,
    ngx_http_og_limit_t *limit);


char *
ngx_http_og_conf_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_loc_conf_t *olcf = conf;

    ngx_str_t            *value;
    ngx_uint_t            i;
    const char           *error;
    ngx_http_og_limit_t  *limit;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (olcf->limits != NGX_CONF_UNSET_PTR || cf->args->nelts != 2) {
            return "has \"off\" and something beside it, keep one";
        }

        olcf->limits = NULL;
        return NGX_CONF_OK;
    }

    if (olcf->limits == NULL) {
        return "has \"off\" and something beside it, keep one";
    }

    if (olcf->limits == NGX_CONF_UNSET_PTR) {
        olcf->limits = ngx_array_create(cf->pool, 1,
                                        sizeof(ngx_http_og_limit_t));
        if (olcf->limits == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    limit = ngx_array_push(olcf->limits);
    if (limit == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(limit, sizeof(ngx_http_og_limit_t));

    error = og_window_parse(&limit->window, (char *) value[1].data,
                            value[1].len);
    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid rate \"%V\": %s",
                           &value[1], error);
        return NGX_CONF_ERROR;
    }

    limit->name = value[1];

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_og_limit_param(cf, limit, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_og_check_limit_name(cf, limit) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_og_is_limit_repeated(olcf->limits)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "limit \"%V\" stands here twice and would count "
                           "each request twice, remove one", &limit->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* Whether the last limit of the list has the counter of an earlier one. */

static ngx_uint_t
ngx_http_og_is_limit_repeated(ngx_array_t *limits)
{
    ngx_uint_t            i;
    ngx_http_og_limit_t  *limit, *last;

    limit = limits->elts;
    last = &limit[limits->nelts - 1];

    for (i = 0; i < limits->nelts - 1; i++) {

        if (ngx_http_og_is_same_limit(&limit[i], last)
            && ngx_http_og_is_same_store(&limit[i], last))
        {
            return 1;
        }
    }

    return 0;
}


/* Counters are shared by name and key. */

static ngx_uint_t
ngx_http_og_is_same_limit(ngx_http_og_limit_t *one, ngx_http_og_limit_t *other)
{
    ngx_str_t  *key, *other_key, caller = ngx_string("");

    key = one->key ? &one->key->value : &caller;
    other_key = other->key ? &other->key->value : &caller;

    return one->name.len == other->name.len
           && ngx_memcmp(one->name.data, other->name.data, one->name.len) == 0
           && key->len == other_key->len
           && ngx_memcmp(key->data, other_key->data, key->len) == 0;
}


static ngx_int_t
ngx_http_og_limit_param(ngx_conf_t *cf, ngx_http_og_limit_t *limit,
    ngx_str_t *word)
{
    size_t     i;
    ngx_str_t  text;

    if (ngx_strncmp(word->data, "store=", 6) == 0 && word->len > 6) {
        limit->store_name.len = word->len - 6;
        limit->store_name.data = word->data + 6;

        return NGX_OK;
    }

    if (ngx_strncmp(word->data, "name=", 5) == 0 && word->len > 5) {
        limit->name.len = word->len - 5;
        limit->name.data = word->data + 5;

        for (i = 0; i < limit->name.len; i++) {
            if (limit->name.data[i] <= ' ' || limit->name.data[i] > '~'
                || ngx_strchr("\"\\{}", limit->name.data[i]))
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid name in \"%V\", it must be "
                                   "visible ASCII without quotes, backslashes "
                                   "and braces", word);
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    if (ngx_strncmp(word->data, "key=", 4) == 0 && word->len > 4) {
        text.len = word->len - 4;
        text.data = word->data + 4;

        limit->key = ngx_http_og_compile(cf, &text);

        return limit->key ? NGX_OK : NGX_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\", it must be \"name=\", "
                       "\"key=\" or \"store=\"", word);
    return NGX_ERROR;
}


/* That of a location may be any. */

static ngx_uint_t
ngx_http_og_is_same_store(ngx_http_og_limit_t *one, ngx_http_og_limit_t *other)
{
    return one->store_name.len == 0
           || other->store_name.len == 0
           || (one->store_name.len == other->store_name.len
               && ngx_memcmp(one->store_name.data, other->store_name.data,
                             one->store_name.len)
                  == 0);
}


/* Counters are shared by name: one name cannot stand for two rates. */

static ngx_int_t
ngx_http_og_check_limit_name(ngx_conf_t *cf, ngx_http_og_limit_t *limit)
{
    ngx_uint_t                i;
    ngx_http_og_limit_t     **known;
    ngx_http_og_main_conf_t  *omcf;

    omcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_order_guard_module);
    known = omcf->limits.elts;

    for (i = 0; i < omcf->limits.nelts; i++) {

        if (known[i]->name.len == limit->name.len
            && ngx_memcmp(known[i]->name.data, limit->name.data,
                          limit->name.len)
               == 0
            && ngx_http_og_is_same_store(known[i], limit)
            && (known[i]->window.limit != limit->window.limit
                || known[i]->window.window != limit->window.window))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "limit \"%V\" has another rate elsewhere, give "
                               "one of the two another \"name=\"",
                               &limit->name);
            return NGX_ERROR;
        }
    }

    known = ngx_array_push(&omcf->limits);
    if (known == NULL) {
        return NGX_ERROR;
    }

    *known = ngx_palloc(cf->pool, sizeof(ngx_http_og_limit_t));
    if (*known == NULL) {
        return NGX_ERROR;
    }

    **known = *limit;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_bind_limits(ngx_conf_t *cf, ngx_http_og_loc_conf_t *conf)
{
    ngx_uint_t                i;
    ngx_array_t              *own;
    ngx_http_og_limit_t      *limit;
    ngx_http_og_main_conf_t  *omcf;

    omcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_order_guard_module);

    /* another location may inherit the same lines and have another store */

    own = ngx_array_create(cf->pool, conf->limits->nelts,
                           sizeof(ngx_http_og_limit_t));
    if (own == NULL) {
        return NGX_ERROR;
    }

    limit = ngx_array_push_n(own, conf->limits->nelts);

    ngx_memcpy(limit, conf->limits->elts,
               conf->limits->nelts * sizeof(ngx_http_og_limit_t));

    conf->limits = own;

    for (i = 0; i < own->nelts; i++) {

        limit[i].store = limit[i].store_name.len
                         ? ngx_http_og_store_need(cf, &omcf->stores,
                                                  &limit[i].store_name)
                         : conf->store;

        if (limit[i].store == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown store \"%V\" in "
                               "\"order_guard_limit\", define it with "
                               "\"order_guard_store %V redis://host:port;\"",
                               &limit[i].store_name, &limit[i].store_name);
            return NGX_ERROR;
        }

        conf->further_stores |= (limit[i].store != conf->store
                                 || (limit[i].key != NULL
                                     && ngx_http_og_store_is_spread(
                                                          limit[i].store)));
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_og_add_zone(ngx_conf_t *cf)
{
    ngx_http_og_main_conf_t  *omcf;
    static ngx_str_t          name = ngx_string("order_guard");

    omcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_order_guard_module);

    if (omcf->limits.nelts == 0) {
        return NGX_OK;
    }

    omcf->zone = ngx_http_og_zone_create(cf, &name,
                                         omcf->zone_size
                                         ? omcf->zone_size
                                         : NGX_HTTP_OG_ZONE_SIZE);

    return omcf->zone ? NGX_OK : NGX_ERROR;
}
