
/*
 * Copyright (C) order guard contributors
 *
 * Where a Redis store is and how it is spoken to:
 *
 *     redis[s]://[user@]host[:port][/db] | unix:/path [db=n]
 *     timeout= connect_timeout= prefix= password_file=
 */


#include "ngx_http_og_backend.h"
#include "ngx_http_og_redis_store.h"


#define NGX_HTTP_OG_REDIS_PORT           6379
#define NGX_HTTP_OG_REDIS_TIMEOUT        100     /* ms */


/* What begins an address; with TLS or without. */
typedef struct {
    ngx_str_t                    name;
    ngx_uint_t                   tls;
} ngx_http_og_redis_scheme_t;


static ngx_int_t ngx_http_og_redis_where(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *where);
static ngx_int_t ngx_http_og_redis_url(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *where);
static ngx_int_t ngx_http_og_redis_user(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *rest);
static ngx_int_t ngx_http_og_redis_resolve(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *host);
static ngx_int_t ngx_http_og_redis_check(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs);


static const ngx_http_og_redis_scheme_t  ngx_http_og_redis_schemes[] = {
    { ngx_string("redis://"),  0 },
    { ngx_string("rediss://"), 1 },
    { ngx_null_string,         0 }
};


char *
ngx_http_og_redis_configure(ngx_conf_t *cf, ngx_http_og_store_t *store)
{
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_og_redis_store_t  *rs;

    rs = ngx_pcalloc(cf->pool, sizeof(ngx_http_og_redis_store_t));
    if (rs == NULL) {
        return NGX_CONF_ERROR;
    }

    store->data = rs;

    rs->store = store;
    rs->conf.name = store->name;
    rs->conf.timeout = NGX_CONF_UNSET_MSEC;
    rs->conf.connect_timeout = NGX_CONF_UNSET_MSEC;

    value = cf->args->elts;

    if (ngx_http_og_redis_where(cf, rs, &value[2]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 3; i < cf->args->nelts; i++) {

        if (ngx_http_og_redis_param(cf, rs, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_og_redis_check(cf, rs) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_og_redis_where(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *where)
{
    ngx_str_t                          rest;
    const ngx_http_og_redis_scheme_t  *scheme;

    for (scheme = ngx_http_og_redis_schemes; scheme->name.len; scheme++) {

        if (ngx_strncmp(where->data, scheme->name.data, scheme->name.len)
            != 0)
        {
            continue;
        }

        if (scheme->tls
            && ngx_http_og_redis_tls_create_conf(cf, rs) != NGX_OK)
        {
            return NGX_ERROR;
        }

        rest.data = where->data + scheme->name.len;
        rest.len = where->len - scheme->name.len;

        return ngx_http_og_redis_url(cf, rs, &rest);
    }

    return ngx_http_og_redis_resolve(cf, rs, where);
}


static ngx_int_t
ngx_http_og_redis_url(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *where)
{
    u_char     *slash, *last;
    ngx_str_t   host, db;

    host = *where;

    if (ngx_http_og_redis_user(cf, rs, &host) != NGX_OK) {
        return NGX_ERROR;
    }

    last = host.data + host.len;
    slash = ngx_strlchr(host.data, last, '/');

    if (slash != NULL) {
        db.data = slash + 1;
        db.len = last - db.data;
        host.len = slash - host.data;

        if (db.len
            && ngx_http_og_redis_set_db(cf, rs, &db) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (rs->conf.tls && ngx_http_og_redis_tls_host(cf, rs, &host) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_og_redis_resolve(cf, rs, &host);
}


/* Takes "user@" off; what stands before it may be a password: not logged. */

static ngx_int_t
ngx_http_og_redis_user(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *rest)
{
    u_char  *at, *p, *last;

    last = rest->data + rest->len;
    at = NULL;

    for (p = rest->data; p < last; p++) {
        if (*p == '@') {
            at = p;
        }
    }

    if (at == NULL) {
        return NGX_OK;
    }

    if (ngx_strlchr(rest->data, at, ':') != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the address of store \"%V\" holds a password, "
                           "put it in a file and give \"password_file=\"",
                           &rs->conf.name);
        return NGX_ERROR;
    }

    if (at == rest->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the address of store \"%V\" has no user before "
                           "\"@\", give one or leave \"@\" out",
                           &rs->conf.name);
        return NGX_ERROR;
    }

    rs->conf.user.data = rest->data;
    rs->conf.user.len = at - rest->data;

    rest->data = at + 1;
    rest->len = last - rest->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_resolve(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *host)
{
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *host;
    u.default_port = NGX_HTTP_OG_REDIS_PORT;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in \"%V\", the address of store \"%V\", use "
                           "\"redis://host:port/db\" or \"unix:/path\"",
                           u.err ? u.err : "no address", host,
                           &rs->conf.name);
        return NGX_ERROR;
    }

    rs->conf.addrs = u.addrs;
    rs->conf.naddrs = u.naddrs;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_check(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs)
{
    u_char  *p;

    if (rs->conf.user.len && rs->conf.password.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "store \"%V\" names the user \"%V\" but no "
                           "password, add \"password_file=\"",
                           &rs->conf.name, &rs->conf.user);
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_tls_init(cf, rs) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_conf_init_msec_value(rs->conf.timeout, NGX_HTTP_OG_REDIS_TIMEOUT);
    ngx_conf_init_msec_value(rs->conf.connect_timeout,
                             NGX_HTTP_OG_REDIS_TIMEOUT);

    if (rs->prefix.data == NULL) {
        ngx_str_set(&rs->prefix, "og:");
    }

    rs->conf.epoch_key.len = rs->prefix.len + sizeof("epoch") - 1;
    rs->conf.epoch_key.data = ngx_pnalloc(cf->pool, rs->conf.epoch_key.len);
    if (rs->conf.epoch_key.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(rs->conf.epoch_key.data, rs->prefix.data, rs->prefix.len);
    ngx_memcpy(p, "epoch", sizeof("epoch") - 1);

    return NGX_OK;
}
