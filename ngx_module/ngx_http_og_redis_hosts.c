
/*
 * Copyright (C) order guard contributors
 *
 * Where a connection's servers are, as the configuration says it: a name is
 * resolved when the configuration has been read, or at run time where there
 * is a resolver.
 */


#include "ngx_http_og_backend.h"
#include "ngx_http_og_redis_resolve.h"
#include "ngx_http_og_redis_store.h"


static ngx_int_t ngx_http_og_redis_parse_host(ngx_conf_t *cf,
    ngx_http_og_redis_conf_t *conf, ngx_http_og_redis_host_t *host);
static ngx_int_t ngx_http_og_redis_find_host(ngx_conf_t *cf,
    ngx_http_og_store_t *store, ngx_http_og_redis_conf_t *conf,
    ngx_http_og_redis_host_t *host);
static ngx_int_t ngx_http_og_redis_fix_addrs(ngx_conf_t *cf,
    ngx_http_og_redis_conf_t *conf);


ngx_int_t
ngx_http_og_redis_set_hosts(ngx_conf_t *cf, ngx_http_og_redis_conf_t *conf,
    ngx_str_t *list)
{
    u_char                    *p, *comma, *last;
    ngx_uint_t                 n;
    ngx_http_og_redis_host_t  *host;

    last = list->data + list->len;
    n = 1;

    for (p = list->data; p < last && conf->role != NGX_HTTP_OG_REDIS_DATA;
         p++)
    {
        n += (*p == ',');
    }

    conf->hosts = ngx_pcalloc(cf->pool, n * sizeof(ngx_http_og_redis_host_t));
    if (conf->hosts == NULL) {
        return NGX_ERROR;
    }

    conf->nhosts = n;

    p = list->data;

    for (host = conf->hosts; host < conf->hosts + n; host++) {

        comma = (n > 1) ? ngx_strlchr(p, last, ',') : NULL;

        host->text.data = p;
        host->text.len = (comma ? comma : last) - p;

        if (ngx_http_og_redis_parse_host(cf, conf, host) != NGX_OK) {
            return NGX_ERROR;
        }

        p += host->text.len + 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_parse_host(ngx_conf_t *cf, ngx_http_og_redis_conf_t *conf,
    ngx_http_og_redis_host_t *host)
{
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = host->text;
    u.default_port = conf->port;
    u.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in \"%V\", the address of %s \"%V\", use %s",
                           u.err ? u.err : "no address", &host->text,
                           conf->kind, &conf->name, conf->usage);
        return NGX_ERROR;
    }

    host->name = u.host;
    host->port = u.port;
    host->addrs = u.addrs;
    host->naddrs = u.naddrs;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_redis_find_hosts(ngx_conf_t *cf, ngx_http_og_store_t *store,
    ngx_http_og_redis_conf_t *conf, ngx_resolver_t *resolver)
{
    ngx_http_og_redis_host_t  *host;

    conf->resolver = resolver;

    for (host = conf->hosts; host < conf->hosts + conf->nhosts; host++) {

        if (host->naddrs) {
            continue;
        }

        if (resolver) {
            conf->locator = &ngx_http_og_redis_by_name;
            return NGX_OK;
        }

        if (ngx_http_og_redis_find_host(cf, store, conf, host) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_og_redis_fix_addrs(cf, conf);
}


/* The directive was read long ago: its place in the file is told, too. */

static ngx_int_t
ngx_http_og_redis_find_host(ngx_conf_t *cf, ngx_http_og_store_t *store,
    ngx_http_og_redis_conf_t *conf, ngx_http_og_redis_host_t *host)
{
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = host->text;
    u.default_port = conf->port;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "%s in \"%V\", the address of %s \"%V\", use %s, or a "
                      "\"resolver\" in http that knows the name in %s:%ui",
                      u.err ? u.err : "no address", &host->text, conf->kind,
                      &conf->name, conf->usage, store->file_name,
                      store->line);
        return NGX_ERROR;
    }

    host->addrs = u.addrs;
    host->naddrs = u.naddrs;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_fix_addrs(ngx_conf_t *cf, ngx_http_og_redis_conf_t *conf)
{
    ngx_uint_t                 n;
    ngx_http_og_redis_host_t  *host, *last;

    last = conf->hosts + conf->nhosts;
    n = 0;

    for (host = conf->hosts; host < last; host++) {
        n += host->naddrs;
    }

    conf->addrs = ngx_palloc(cf->pool, n * sizeof(ngx_addr_t));
    if (conf->addrs == NULL) {
        return NGX_ERROR;
    }

    for (host = conf->hosts; host < last; host++) {
        ngx_memcpy(&conf->addrs[conf->naddrs], host->addrs,
                   host->naddrs * sizeof(ngx_addr_t));
        conf->naddrs += host->naddrs;
    }

    return NGX_OK;
}
