
/*
 * Copyright (C) order guard contributors
 *
 * Where a Redis store is and how it is spoken to:
 *
 *     redis[s]://[user@]host[:port][/db] | unix:/path [db=n]
 *     redis[s]+sentinel://[user@]host[:port][,...]/service[/db]
 *     redis[s]+cluster://[user@]host[:port][,...]
 *     timeout= connect_timeout= prefix= password_file= wait=
 *     sentinel_user= sentinel_password_file=
 */


#include "ngx_http_og_backend.h"
#include "ngx_http_og_redis_store.h"


#define NGX_HTTP_OG_REDIS_PORT           6379
#define NGX_HTTP_OG_SENTINEL_PORT        26379
#define NGX_HTTP_OG_REDIS_TIMEOUT        100     /* ms */


/* Reads what stands behind the scheme. */
typedef struct {
    ngx_str_t                    scheme;
    ngx_uint_t                   tls;
    ngx_int_t                  (*read)(ngx_conf_t *cf,
                                       ngx_http_og_redis_store_t *rs,
                                       ngx_str_t *rest);
} ngx_http_og_redis_scheme_t;


static ngx_int_t ngx_http_og_redis_where(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *where);
static ngx_int_t ngx_http_og_redis_path(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *rest);
static ngx_int_t ngx_http_og_redis_url(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *rest);
static ngx_int_t ngx_http_og_redis_nodes(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *rest);
static ngx_int_t ngx_http_og_redis_sentinels(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *rest);
static ngx_int_t ngx_http_og_redis_service(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *service);
static u_char *ngx_http_og_redis_split(ngx_str_t *text, ngx_str_t *rest);
static ngx_int_t ngx_http_og_redis_user(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *rest);
static ngx_int_t ngx_http_og_redis_check(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs);
static ngx_int_t ngx_http_og_redis_check_sentinel(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs);


static const ngx_http_og_redis_scheme_t  ngx_http_og_redis_schemes[] = {
    { ngx_string("redis://"),           0, ngx_http_og_redis_url },
    { ngx_string("rediss://"),          1, ngx_http_og_redis_url },
    { ngx_string("redis+sentinel://"),  0, ngx_http_og_redis_sentinels },
    { ngx_string("rediss+sentinel://"), 1, ngx_http_og_redis_sentinels },
    { ngx_string("redis+cluster://"),   0, ngx_http_og_redis_nodes },
    { ngx_string("rediss+cluster://"),  1, ngx_http_og_redis_nodes },
    { ngx_string("unix:"),              0, ngx_http_og_redis_path },
    { ngx_null_string,                  0, NULL }
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
    rs->conf.kind = "store";
    rs->conf.port = NGX_HTTP_OG_REDIS_PORT;
    rs->conf.usage = "\"redis://host:port/db\" or \"unix:/path\"";
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
    ngx_str_t                          rest;
    const ngx_http_og_redis_scheme_t  *s;

    for (s = ngx_http_og_redis_schemes; s->scheme.len; s++) {

        if (ngx_strncmp(where->data, s->scheme.data, s->scheme.len) != 0) {
            continue;
        }

        if (s->tls && ngx_http_og_redis_tls_create_conf(cf, rs) != NGX_OK) {
            return NGX_ERROR;
        }

        rest.data = where->data + s->scheme.len;
        rest.len = where->len - s->scheme.len;

        return s->read(cf, rs, &rest);
    }

    return NGX_ERROR;
}


/* nginx takes a path with its scheme. */

static ngx_int_t
ngx_http_og_redis_path(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *rest)
{
    ngx_str_t  path;

    path.data = rest->data - (sizeof("unix:") - 1);
    path.len = rest->len + sizeof("unix:") - 1;

    return ngx_http_og_redis_set_hosts(cf, &rs->conf, &path);
}


static ngx_int_t
ngx_http_og_redis_url(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *rest)
{
    ngx_str_t  host, db;

    host = *rest;

    if (ngx_http_og_redis_user(cf, rs, &host) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_split(&host, &db) != NULL
        && db.len
        && ngx_http_og_redis_set_db(cf, rs, &db) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the name of one is that of no other node */

    if (rs->conf.tls
        && rs->conf.role == NGX_HTTP_OG_REDIS_DATA
        && ngx_http_og_redis_tls_host(cf, rs, &host) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_og_redis_set_hosts(cf, &rs->conf, &host);
}


static ngx_int_t
ngx_http_og_redis_nodes(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *rest)
{
    rs->conf.role = NGX_HTTP_OG_REDIS_NODE;
    rs->conf.usage = "\"redis+cluster://host:port,host:port\"";
    rs->store->spread = 1;

    return ngx_http_og_redis_url(cf, rs, rest);
}


static ngx_int_t
ngx_http_og_redis_sentinels(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *rest)
{
    ngx_str_t                  hosts, service, db;
    ngx_http_og_redis_conf_t  *conf;

    rs->sentinel = ngx_pcalloc(cf->pool, sizeof(ngx_http_og_sentinel_conf_t));
    if (rs->sentinel == NULL) {
        return NGX_ERROR;
    }

    conf = &rs->sentinel->conf;

    conf->name = rs->conf.name;
    conf->kind = "sentinel of store";
    conf->log = rs->conf.log;
    conf->role = NGX_HTTP_OG_REDIS_SENTINEL;
    conf->port = NGX_HTTP_OG_SENTINEL_PORT;
    conf->usage = "\"redis+sentinel://host:port,host:port/service/db\"";

    hosts = *rest;

    if (ngx_http_og_redis_user(cf, rs, &hosts) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_null(&service);
    ngx_str_null(&db);

    if (ngx_http_og_redis_split(&hosts, &service) != NULL) {
        (void) ngx_http_og_redis_split(&service, &db);
    }

    if (ngx_http_og_redis_service(cf, rs, &service) != NGX_OK
        || (db.len && ngx_http_og_redis_set_db(cf, rs, &db) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return ngx_http_og_redis_set_hosts(cf, conf, &hosts);
}


/* What stands in the service's place may be a password: seldom repeated. */

static ngx_int_t
ngx_http_og_redis_service(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *service)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < service->len; i++) {
        c = service->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
        {
            break;
        }
    }

    if (service->len == 0 || i != service->len) {
        service->len = i;

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the address of store \"%V\" names %s \"%V\", "
                           "use %s with the service's name in letters, "
                           "digits, \"_\", \"-\" or \".\"", &rs->conf.name,
                           i ? "an invalid service after" : "no service",
                           service, rs->sentinel->conf.usage);
        return NGX_ERROR;
    }

    rs->sentinel->service = *service;

    return NGX_OK;
}


/* Cuts at the first "/", or returns NULL. */

static u_char *
ngx_http_og_redis_split(ngx_str_t *text, ngx_str_t *rest)
{
    u_char  *slash;

    slash = ngx_strlchr(text->data, text->data + text->len, '/');

    if (slash != NULL) {
        rest->data = slash + 1;
        rest->len = text->data + text->len - rest->data;
        text->len = slash - text->data;
    }

    return slash;
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

    if (rs->sentinel) {
        rs->sentinel->conf.tls = rs->conf.tls;
    }

    if (rs->conf.role == NGX_HTTP_OG_REDIS_NODE && rs->conf.db.len) {
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

    if (rs->sentinel
        && ngx_http_og_redis_check_sentinel(cf, rs) != NGX_OK)
    {
        return NGX_ERROR;
    }

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


static ngx_int_t
ngx_http_og_redis_check_sentinel(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs)
{
    ngx_http_og_redis_conf_t  *conf;

    conf = &rs->sentinel->conf;

    if (conf->user.len && conf->password.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "store \"%V\" names the user \"%V\" of its "
                           "sentinels but no password, add "
                           "\"sentinel_password_file=\"",
                           &rs->conf.name, &conf->user);
        return NGX_ERROR;
    }

    /* to be told the master is a part of connecting to it */

    conf->timeout = rs->conf.connect_timeout;
    conf->connect_timeout = rs->conf.connect_timeout;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_redis_configured(ngx_conf_t *cf, ngx_http_og_store_t *store,
    ngx_resolver_t *resolver)
{
    ngx_http_og_redis_store_t  *rs;

    rs = store->data;

    return ngx_http_og_redis_find_hosts(cf, store,
                                        rs->sentinel ? &rs->sentinel->conf
                                                     : &rs->conf,
                                        resolver);
}
