
/*
 * Copyright (C) order guard contributors
 *
 * Where a Redis store is and how it is spoken to:
 *
 *     redis://[user@]host[:port][/db] | unix:/path [db=n] |
 *     redis+cluster://[user@]host[:port][,host[:port]...]
 *     timeout= connect_timeout= prefix= password_file= wait=
 */


#include "ngx_http_og_backend.h"
#include "ngx_http_og_redis_store.h"


#define NGX_HTTP_OG_REDIS_PORT           6379
#define NGX_HTTP_OG_REDIS_TIMEOUT        100     /* ms */


static ngx_int_t ngx_http_og_redis_where(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *where);
static ngx_int_t ngx_http_og_redis_url(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *where);
static ngx_int_t ngx_http_og_redis_user(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *rest);
static ngx_int_t ngx_http_og_redis_hosts(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *hosts);
static ngx_int_t ngx_http_og_redis_resolve(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *host);
static ngx_int_t ngx_http_og_redis_check(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs);


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
    rs->conf.wait = NGX_CONF_UNSET_UINT;

    rs->conf.log = ngx_http_og_redis_log_create(cf, &store->name);
    if (rs->conf.log == NULL) {
        return NGX_CONF_ERROR;
    }

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
    ngx_str_t  host;

    if (ngx_strncmp(where->data, "unix:", 5) == 0) {
        return ngx_http_og_redis_resolve(cf, rs, where);
    }

    rs->conf.clustered = (ngx_strncmp(where->data, "redis+cluster:", 14) == 0);
    rs->store->spread = rs->conf.clustered;

    host.data = (u_char *) ngx_strstr(where->data, "://") + 3;
    host.len = where->data + where->len - host.data;

    return ngx_http_og_redis_url(cf, rs, &host);
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

    return ngx_http_og_redis_hosts(cf, rs, &host);
}


/* One server, or those of a cluster that are asked for all others. */

static ngx_int_t
ngx_http_og_redis_hosts(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *hosts)
{
    u_char     *comma, *last;
    ngx_str_t   host;

    host = *hosts;
    last = hosts->data + hosts->len;

    while (rs->conf.clustered
           && (comma = ngx_strlchr(host.data, last, ',')) != NULL)
    {
        host.len = comma - host.data;

        if (ngx_http_og_redis_resolve(cf, rs, &host) != NGX_OK) {
            return NGX_ERROR;
        }

        host.data = comma + 1;
        host.len = last - host.data;
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
    ngx_url_t    u;
    ngx_addr_t  *addrs;

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

    if (rs->conf.naddrs == 0) {
        rs->conf.addrs = u.addrs;
        rs->conf.naddrs = u.naddrs;

        return NGX_OK;
    }

    addrs = ngx_palloc(cf->pool, (rs->conf.naddrs + u.naddrs)
                                 * sizeof(ngx_addr_t));
    if (addrs == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(addrs, rs->conf.addrs, rs->conf.naddrs * sizeof(ngx_addr_t));
    ngx_memcpy(addrs + rs->conf.naddrs, u.addrs,
               u.naddrs * sizeof(ngx_addr_t));

    rs->conf.addrs = addrs;
    rs->conf.naddrs += u.naddrs;

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

    if (rs->conf.clustered && rs->conf.db.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid database \"%V\" of store \"%V\", a "
                           "cluster has only 0: leave it out",
                           &rs->conf.db, &rs->conf.name);
        return NGX_ERROR;
    }

    ngx_conf_init_msec_value(rs->conf.timeout, NGX_HTTP_OG_REDIS_TIMEOUT);
    ngx_conf_init_msec_value(rs->conf.connect_timeout,
                             NGX_HTTP_OG_REDIS_TIMEOUT);
    ngx_conf_init_uint_value(rs->conf.wait, 0);

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
