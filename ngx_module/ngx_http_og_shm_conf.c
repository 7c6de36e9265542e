
/*
 * Copyright (C) order guard contributors
 *
 *     order_guard_store name shm [size=64m]
 */


#include "ngx_http_og_shm.h"


#define NGX_HTTP_OG_SHM_SIZE      (64 * 1024 * 1024)    /* by default */
#define NGX_HTTP_OG_SHM_MIN_SIZE  (1024 * 1024)
#define NGX_HTTP_OG_SHM_MAX_SIZE  ((ssize_t) 1023 * 1024 * 1024 * 1024)

/* Counters have so much of it, records the rest. */
#define NGX_HTTP_OG_SHM_COUNTERS(size)  ((size) / 8)


static ngx_int_t ngx_http_og_shm_param(ngx_conf_t *cf,
    ngx_http_og_shm_store_t *ss, ngx_str_t *word);
static ngx_int_t ngx_http_og_shm_set_size(ngx_conf_t *cf,
    ngx_http_og_shm_store_t *ss, ngx_str_t *value);
static ngx_int_t ngx_http_og_shm_refuse_param(ngx_conf_t *cf,
    ngx_http_og_shm_store_t *ss, ngx_str_t *word);
static ngx_int_t ngx_http_og_shm_add_zones(ngx_conf_t *cf,
    ngx_http_og_shm_store_t *ss);


static const ngx_str_t  ngx_http_og_shm_redis_params[] = {
    ngx_string("timeout="),
    ngx_string("connect_timeout="),
    ngx_string("prefix="),
    ngx_string("db="),
    ngx_string("password_file="),
    ngx_string("ca="),
    ngx_string("cert="),
    ngx_string("key="),
    ngx_string("server_name="),
    ngx_string("verify="),
    ngx_string("wait="),
    ngx_string("sentinel_user="),
    ngx_string("sentinel_password_file="),
    ngx_null_string
};


char *
ngx_http_og_shm_configure(ngx_conf_t *cf, ngx_http_og_store_t *store)
{
    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_og_shm_store_t  *ss;

    ss = ngx_pcalloc(cf->pool, sizeof(ngx_http_og_shm_store_t));
    if (ss == NULL) {
        return NGX_CONF_ERROR;
    }

    store->data = ss;

    ss->store = store;
    ss->size = NGX_HTTP_OG_SHM_SIZE;

    value = cf->args->elts;

    if (ngx_strcmp(value[2].data, "shm") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid address \"%V\" of store \"%V\", the store "
                           "in shared memory has none, use \"shm size=64m\"",
                           &value[2], &store->name);
        return NGX_CONF_ERROR;
    }

    for (i = 3; i < cf->args->nelts; i++) {
        if (ngx_http_og_shm_param(cf, ss, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_og_shm_add_zones(cf, ss) == NGX_OK ? NGX_CONF_OK
                                                       : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_og_shm_param(ngx_conf_t *cf, ngx_http_og_shm_store_t *ss,
    ngx_str_t *word)
{
    ngx_str_t  value;

    if (ngx_strncmp(word->data, "size=", 5) != 0) {
        return ngx_http_og_shm_refuse_param(cf, ss, word);
    }

    value.data = word->data + 5;
    value.len = word->len - 5;

    return ngx_http_og_shm_set_size(cf, ss, &value);
}


static ngx_int_t
ngx_http_og_shm_set_size(ngx_conf_t *cf, ngx_http_og_shm_store_t *ss,
    ngx_str_t *value)
{
    ssize_t  size;

    if (ss->size_text.data != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"size=\" of store \"%V\" is given twice, keep "
                           "one", &ss->store->name);
        return NGX_ERROR;
    }

    size = ngx_parse_size(value);

    if (size == NGX_ERROR
        || size < NGX_HTTP_OG_SHM_MIN_SIZE
        || size > NGX_HTTP_OG_SHM_MAX_SIZE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"size=\" of store "
                           "\"%V\", use 1m to 1023g, as in "
                           "\"size=64m\"", value, &ss->store->name);
        return NGX_ERROR;
    }

    ss->size_text = *value;
    ss->size = size;

    return NGX_OK;
}


/* The value is not repeated: it may be a password. */

static ngx_int_t
ngx_http_og_shm_refuse_param(ngx_conf_t *cf, ngx_http_og_shm_store_t *ss,
    ngx_str_t *word)
{
    u_char           *equals;
    ngx_str_t         name;
    const ngx_str_t  *redis;

    equals = ngx_strlchr(word->data, word->data + word->len, '=');

    name.data = word->data;
    name.len = equals ? (size_t) (equals + 1 - word->data) : word->len;

    for (redis = ngx_http_og_shm_redis_params; redis->len; redis++) {

        if (name.len == redis->len
            && ngx_strncmp(name.data, redis->data, name.len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "parameter \"%V\" of store \"%V\" is one of "
                               "Redis stores, the store in shared memory "
                               "knows \"size=\" alone, remove it",
                               &name, &ss->store->name);
            return NGX_ERROR;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown parameter \"%V\" of store \"%V\", the store "
                       "in shared memory knows \"size=\" alone",
                       &name, &ss->store->name);

    return NGX_ERROR;
}


/* A store's name has no ":" in it. */

static ngx_int_t
ngx_http_og_shm_add_zones(ngx_conf_t *cf, ngx_http_og_shm_store_t *ss)
{
    u_char     *p;
    size_t      counters;
    ngx_str_t   name;

    counters = ngx_align(NGX_HTTP_OG_SHM_COUNTERS(ss->size), ngx_pagesize);

    p = ngx_pnalloc(cf->pool, sizeof("order_guard::limits") - 1
                              + ss->store->name.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    name.data = p;
    name.len = ngx_sprintf(p, "order_guard:%V:limits", &ss->store->name) - p;

    ss->counters = ngx_http_og_zone_create(cf, &name, counters);

    if (ss->counters == NULL) {
        return NGX_ERROR;
    }

    name.len -= sizeof(":limits") - 1;

    ss->records = ngx_http_og_shm_records_create(cf, &name,
                                                 ss->size - counters,
                                                 &ss->store->name, ss->size);

    return ss->records ? NGX_OK : NGX_ERROR;
}
