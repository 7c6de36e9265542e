
/*
 * Copyright (C) order guard contributors
 *
 * Where a Redis store is and how it is spoken to:
 *
 *     redis://[user@]host[:port][/db] | unix:/path [db=n]
 *     timeout= connect_timeout= prefix= password_file=
 */


#include "ngx_http_og_backend.h"
#include "ngx_http_og_redis_store.h"


#define NGX_HTTP_OG_REDIS_PORT           6379
#define NGX_HTTP_OG_REDIS_TIMEOUT        100     /* ms */
#define NGX_HTTP_OG_REDIS_MAX_TIMEOUT    60000
#define NGX_HTTP_OG_REDIS_MAX_DB         1000000
#define NGX_HTTP_OG_REDIS_MAX_PREFIX     64
#define NGX_HTTP_OG_REDIS_MAX_PASSWORD   4096


typedef ngx_int_t (*ngx_http_og_redis_param_pt)(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);


typedef struct {
    ngx_str_t                    name;
    ngx_http_og_redis_param_pt   set;
} ngx_http_og_redis_param_t;


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

static ngx_int_t ngx_http_og_redis_param(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *word);
static ngx_int_t ngx_http_og_redis_set_timeout(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_set_connect_timeout(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_set_time(ngx_conf_t *cf, const char *name,
    ngx_str_t *value, ngx_msec_t *time);
static ngx_int_t ngx_http_og_redis_set_prefix(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_set_db(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_set_password_file(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_read_password(ngx_conf_t *cf,
    ngx_str_t *path, ngx_str_t *password);


static const ngx_http_og_redis_param_t  ngx_http_og_redis_params[] = {
    { ngx_string("timeout="),         ngx_http_og_redis_set_timeout },
    { ngx_string("connect_timeout="), ngx_http_og_redis_set_connect_timeout },
    { ngx_string("prefix="),          ngx_http_og_redis_set_prefix },
    { ngx_string("db="),              ngx_http_og_redis_set_db },
    { ngx_string("password_file="),   ngx_http_og_redis_set_password_file },
    { ngx_null_string,                NULL }
};


/* Of the interface, but not of this version. */
static const ngx_str_t  ngx_http_og_redis_later_params[] = {
    ngx_string("ca="),
    ngx_string("cert="),
    ngx_string("key="),
    ngx_string("server_name="),
    ngx_string("verify="),
    ngx_string("wait="),
    ngx_string("size="),
    ngx_null_string
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
    ngx_str_t  host;

    if (ngx_strncmp(where->data, "unix:", 5) == 0) {
        return ngx_http_og_redis_resolve(cf, rs, where);
    }

    host.data = where->data + sizeof("redis://") - 1;
    host.len = where->len - (sizeof("redis://") - 1);

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


static ngx_int_t
ngx_http_og_redis_param(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *word)
{
    u_char                           *equals;
    ngx_str_t                         value, name;
    const ngx_str_t                  *later;
    const ngx_http_og_redis_param_t  *param;

    for (param = ngx_http_og_redis_params; param->name.len; param++) {

        if (word->len < param->name.len
            || ngx_strncmp(word->data, param->name.data, param->name.len)
               != 0)
        {
            continue;
        }

        value.data = word->data + param->name.len;
        value.len = word->len - param->name.len;

        return param->set(cf, rs, &value);
    }

    /* the value is not repeated: it may be a password */

    equals = ngx_strlchr(word->data, word->data + word->len, '=');

    name.data = word->data;
    name.len = equals ? (size_t) (equals + 1 - word->data) : word->len;

    for (later = ngx_http_og_redis_later_params; later->len; later++) {

        if (word->len >= later->len
            && ngx_strncmp(word->data, later->data, later->len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "parameter \"%V\" of store \"%V\" is not "
                               "supported by this version, remove it",
                               &name, &rs->conf.name);
            return NGX_ERROR;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown parameter \"%V\" of store \"%V\", known are "
                       "\"timeout=\", \"connect_timeout=\", \"prefix=\", "
                       "\"db=\" and \"password_file=\"",
                       &name, &rs->conf.name);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_og_redis_set_timeout(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *value)
{
    return ngx_http_og_redis_set_time(cf, "timeout", value,
                                      &rs->conf.timeout);
}


static ngx_int_t
ngx_http_og_redis_set_connect_timeout(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value)
{
    return ngx_http_og_redis_set_time(cf, "connect_timeout", value,
                                      &rs->conf.connect_timeout);
}


static ngx_int_t
ngx_http_og_redis_set_time(ngx_conf_t *cf, const char *name,
    ngx_str_t *value, ngx_msec_t *time)
{
    ngx_int_t  ms;

    if (*time != NGX_CONF_UNSET_MSEC) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s=\" of a store is given twice, keep one",
                           name);
        return NGX_ERROR;
    }

    ms = ngx_parse_time(value, 0);

    if (ms == NGX_ERROR || ms < 1 || ms > NGX_HTTP_OG_REDIS_MAX_TIMEOUT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"%s=\" of a store, use "
                           "a time from \"1ms\" to \"60s\"", value, name);
        return NGX_ERROR;
    }

    *time = (ngx_msec_t) ms;

    return NGX_OK;
}


/* "{" and "}" would move the hash tag that keeps a caller's keys together. */

static ngx_int_t
ngx_http_og_redis_set_prefix(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *value)
{
    u_char  c;
    size_t  i;

    if (rs->prefix.data != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"prefix=\" of store \"%V\" is given twice, keep "
                           "one", &rs->conf.name);
        return NGX_ERROR;
    }

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if (c <= ' ' || c >= 0x7f || c == '{' || c == '}') {
            break;
        }
    }

    if (value->len == 0
        || value->len > NGX_HTTP_OG_REDIS_MAX_PREFIX
        || i != value->len)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"prefix=\" of store "
                           "\"%V\", use 1 to %d visible ASCII characters "
                           "without \"{\" and \"}\"", value, &rs->conf.name,
                           NGX_HTTP_OG_REDIS_MAX_PREFIX);
        return NGX_ERROR;
    }

    rs->prefix = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_set_db(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *value)
{
    u_char     *query;
    ngx_int_t   db;
    ngx_str_t   shown;

    if (rs->conf.db.data != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the database of store \"%V\" is given twice, "
                           "keep one", &rs->conf.name);
        return NGX_ERROR;
    }

    db = ngx_atoi(value->data, value->len);

    if (db == NGX_ERROR || db > NGX_HTTP_OG_REDIS_MAX_DB) {

        /* what other clients take behind a "?" may be a password */

        shown = *value;
        query = ngx_strlchr(value->data, value->data + value->len, '?');

        if (query) {
            shown.len = query - value->data;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid database \"%V%s\" of store \"%V\", use a "
                           "number such as \"0\"", &shown,
                           query ? "?..." : "", &rs->conf.name);
        return NGX_ERROR;
    }

    rs->conf.db.data = ngx_pnalloc(cf->pool, NGX_INT_T_LEN);
    if (rs->conf.db.data == NULL) {
        return NGX_ERROR;
    }

    /* 0 is where a connection starts, and needs no right to SELECT */

    rs->conf.db.len = db ? ngx_sprintf(rs->conf.db.data, "%i", db)
                           - rs->conf.db.data
                         : 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_set_password_file(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value)
{
    ngx_str_t  path;

    if (rs->conf.password.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"password_file=\" of store \"%V\" is given "
                           "twice, keep one", &rs->conf.name);
        return NGX_ERROR;
    }

    if (value->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"password_file=\" of store \"%V\" names no "
                           "file", &rs->conf.name);
        return NGX_ERROR;
    }

    path = *value;

    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK
        || ngx_http_og_redis_read_password(cf, &path, &rs->conf.password)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_read_password(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *password)
{
    u_char     *text;
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_err_t   err;

    text = ngx_pnalloc(cf->pool, NGX_HTTP_OG_REDIS_MAX_PASSWORD + 1);
    if (text == NULL) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "cannot open the password file \"%V\"", path);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, text, NGX_HTTP_OG_REDIS_MAX_PASSWORD + 1);
    err = ngx_errno;

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", path);
    }

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                           "cannot read the password file \"%V\"", path);
        return NGX_ERROR;
    }

    if (n > NGX_HTTP_OG_REDIS_MAX_PASSWORD) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the password file \"%V\" is longer than %d "
                           "bytes, it must hold the password alone", path,
                           NGX_HTTP_OG_REDIS_MAX_PASSWORD);
        return NGX_ERROR;
    }

    while (n > 0 && (text[n - 1] == LF || text[n - 1] == CR)) {
        n--;
    }

    if (n == 0 || ngx_strlchr(text, text + n, LF) != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the password file \"%V\" %s, it must hold one "
                           "line, the password", path,
                           n ? "has more than one line" : "is empty");
        return NGX_ERROR;
    }

    password->data = text;
    password->len = n;

    return NGX_OK;
}
