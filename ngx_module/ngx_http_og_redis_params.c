
/*
 * Copyright (C) order guard contributors
 *
 * The parameters of a Redis store.
 */


#include "ngx_http_og_redis_store.h"


#define NGX_HTTP_OG_REDIS_MAX_TIMEOUT    60000
#define NGX_HTTP_OG_REDIS_MAX_DB         1000000
#define NGX_HTTP_OG_REDIS_MAX_PREFIX     64
#define NGX_HTTP_OG_REDIS_MAX_PASSWORD   4096
#define NGX_HTTP_OG_REDIS_MAX_WAIT       32


typedef ngx_int_t (*ngx_http_og_redis_param_pt)(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);


typedef struct {
    ngx_str_t                    name;
    ngx_http_og_redis_param_pt   set;
    ngx_uint_t                   tls;   /* only with it */
} ngx_http_og_redis_param_t;


static ngx_int_t ngx_http_og_redis_set_timeout(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_set_connect_timeout(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_set_time(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, const char *name, ngx_str_t *value,
    ngx_msec_t *time);
static ngx_int_t ngx_http_og_redis_set_prefix(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_set_password_file(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_set_wait(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_set_sentinel_user(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_set_sentinel_password_file(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_has_sentinel(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, const char *name);
static ngx_int_t ngx_http_og_redis_set_password(ngx_conf_t *cf,
    ngx_http_og_redis_conf_t *conf, const char *name, ngx_str_t *value);
static ngx_int_t ngx_http_og_redis_read_password(ngx_conf_t *cf,
    ngx_str_t *path, ngx_str_t *password);


static const ngx_http_og_redis_param_t  ngx_http_og_redis_params[] = {
    { ngx_string("timeout="), ngx_http_og_redis_set_timeout, 0 },
    { ngx_string("connect_timeout="), ngx_http_og_redis_set_connect_timeout,
      0 },
    { ngx_string("prefix="), ngx_http_og_redis_set_prefix, 0 },
    { ngx_string("db="), ngx_http_og_redis_set_db, 0 },
    { ngx_string("password_file="), ngx_http_og_redis_set_password_file, 0 },
    { ngx_string("wait="), ngx_http_og_redis_set_wait, 0 },
    { ngx_string("sentinel_user="), ngx_http_og_redis_set_sentinel_user, 0 },
    { ngx_string("sentinel_password_file="),
      ngx_http_og_redis_set_sentinel_password_file, 0 },
    { ngx_string("ca="), ngx_http_og_redis_set_ca, 1 },
    { ngx_string("cert="), ngx_http_og_redis_set_cert, 1 },
    { ngx_string("key="), ngx_http_og_redis_set_key, 1 },
    { ngx_string("server_name="), ngx_http_og_redis_set_server_name, 1 },
    { ngx_string("verify="), ngx_http_og_redis_set_verify, 1 },
    { ngx_null_string, NULL, 0 }
};


ngx_int_t
ngx_http_og_redis_param(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *word)
{
    u_char                           *equals;
    ngx_str_t                         value, name;
    const ngx_http_og_redis_param_t  *param;

    for (param = ngx_http_og_redis_params; param->name.len; param++) {

        if (word->len < param->name.len
            || ngx_strncmp(word->data, param->name.data, param->name.len)
               != 0)
        {
            continue;
        }

        if (param->tls && rs->conf.tls == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" of store \"%V\" is of no use without "
                               "TLS, give a \"rediss://\" address or remove "
                               "it", &param->name, &rs->conf.name);
            return NGX_ERROR;
        }

        value.data = word->data + param->name.len;
        value.len = word->len - param->name.len;

        return param->set(cf, rs, &value);
    }

    /* the value is not repeated: it may be a password */

    equals = ngx_strlchr(word->data, word->data + word->len, '=');

    name.data = word->data;
    name.len = equals ? (size_t) (equals + 1 - word->data) : word->len;

    if (name.len == sizeof("size=") - 1
        && ngx_strncmp(name.data, "size=", name.len) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"size=\" belongs to a store that is \"shm\", "
                           "leave it out for store \"%V\"", &rs->conf.name);
        return NGX_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown parameter \"%V\" of store \"%V\", known are "
                       "\"timeout=\", \"connect_timeout=\", \"prefix=\", "
                       "\"db=\", \"password_file=\", \"wait=\", "
                       "\"sentinel_user=\", \"sentinel_password_file=\", "
                       "and with TLS \"ca=\", \"cert=\", \"key=\", "
                       "\"server_name=\" and \"verify=\"",
                       &name, &rs->conf.name);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_og_redis_set_timeout(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *value)
{
    return ngx_http_og_redis_set_time(cf, rs, "timeout", value,
                                      &rs->conf.timeout);
}


static ngx_int_t
ngx_http_og_redis_set_connect_timeout(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value)
{
    return ngx_http_og_redis_set_time(cf, rs, "connect_timeout", value,
                                      &rs->conf.connect_timeout);
}


static ngx_int_t
ngx_http_og_redis_set_time(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    const char *name, ngx_str_t *value, ngx_msec_t *time)
{
    ngx_int_t  ms;

    if (*time != NGX_CONF_UNSET_MSEC) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s=\" of store \"%V\" is given twice, keep one",
                           name, &rs->conf.name);
        return NGX_ERROR;
    }

    ms = ngx_parse_time(value, 0);

    if (ms == NGX_ERROR || ms < 1 || ms > NGX_HTTP_OG_REDIS_MAX_TIMEOUT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"%s=\" of store \"%V\", "
                           "use a time from \"1ms\" to \"60s\"", value, name,
                           &rs->conf.name);
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


ngx_int_t
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
    return ngx_http_og_redis_set_password(cf, &rs->conf, "password_file",
                                          value);
}


static ngx_int_t
ngx_http_og_redis_set_sentinel_user(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value)
{
    if (ngx_http_og_redis_has_sentinel(cf, rs, "sentinel_user") != NGX_OK) {
        return NGX_ERROR;
    }

    if (rs->sentinel->conf.user.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"sentinel_user=\" of store \"%V\" is given "
                           "twice, keep one", &rs->conf.name);
        return NGX_ERROR;
    }

    if (value->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"sentinel_user=\" of store \"%V\" names no "
                           "user, give one or leave it out", &rs->conf.name);
        return NGX_ERROR;
    }

    rs->sentinel->conf.user = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_set_sentinel_password_file(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value)
{
    if (ngx_http_og_redis_has_sentinel(cf, rs, "sentinel_password_file")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_og_redis_set_password(cf, &rs->sentinel->conf,
                                          "sentinel_password_file", value);
}


static ngx_int_t
ngx_http_og_redis_has_sentinel(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, const char *name)
{
    if (rs->sentinel) {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%s=\" is for a store behind sentinels, which "
                       "store \"%V\" is not, remove it or use "
                       "\"redis+sentinel://host:port,host:port/service/db\"",
                       name, &rs->conf.name);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_og_redis_set_password(ngx_conf_t *cf,
    ngx_http_og_redis_conf_t *conf, const char *name, ngx_str_t *value)
{
    ngx_str_t  path;

    if (conf->password.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s=\" of store \"%V\" is given twice, keep "
                           "one", name, &conf->name);
        return NGX_ERROR;
    }

    if (value->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s=\" of store \"%V\" names no file", name,
                           &conf->name);
        return NGX_ERROR;
    }

    path = *value;

    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK
        || ngx_http_og_redis_read_password(cf, &path, &conf->password)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_set_wait(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *value)
{
    ngx_int_t  n;

    if (rs->conf.wait != NGX_CONF_UNSET_UINT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"wait=\" of store \"%V\" is given twice, keep "
                           "one", &rs->conf.name);
        return NGX_ERROR;
    }

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR || n > NGX_HTTP_OG_REDIS_MAX_WAIT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"wait=\" of store "
                           "\"%V\", use a number of replicas from \"0\" to "
                           "\"%d\"", value, &rs->conf.name,
                           NGX_HTTP_OG_REDIS_MAX_WAIT);
        return NGX_ERROR;
    }

    rs->conf.wait = n;

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
