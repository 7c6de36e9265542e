
/*
 * Copyright (C) order guard contributors
 *
 * TLS of a Redis store, as it is configured:
 *
 *     ca=file cert=file key=file server_name=name verify=on|off
 *
 * Files are read with the configuration, by the master: workers need no
 * right to the key, and a reload reads what is new.
 */


#include "ngx_http_og_redis_store.h"


static ngx_int_t ngx_http_og_redis_set_tls(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, const char *name, ngx_str_t *value,
    ngx_str_t *field);
#if (NGX_SSL)
static ngx_int_t ngx_http_og_redis_tls_check(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs);
static ngx_int_t ngx_http_og_redis_tls_context(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs);
static ngx_int_t ngx_http_og_redis_tls_trust(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs);
static ngx_int_t ngx_http_og_redis_tls_certificate(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs);
static int ngx_http_og_redis_tls_passphrase(char *buf, int size, int rwflag,
    void *data);
static ngx_int_t ngx_http_og_redis_tls_refuse(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, const char *name, ngx_str_t *file,
    const char *remedy);
#endif


ngx_int_t
ngx_http_og_redis_tls_create_conf(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs)
{
#if (NGX_SSL)

    rs->conf.tls = ngx_pcalloc(cf->pool, sizeof(ngx_http_og_redis_tls_t));
    if (rs->conf.tls == NULL) {
        return NGX_ERROR;
    }

    rs->conf.tls->verify = NGX_CONF_UNSET;

    return NGX_OK;

#else

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "store \"%V\" needs TLS, and this nginx has none: "
                       "build it \"--with-http_ssl_module\"",
                       &rs->conf.name);
    return NGX_ERROR;

#endif
}


ngx_int_t
ngx_http_og_redis_tls_host(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *address)
{
    u_char  *p, *end, *last;

    p = address->data;
    last = p + address->len;

    if (p < last && *p == '[') {
        p++;
        end = ngx_strlchr(p, last, ']');

    } else {
        end = ngx_strlchr(p, last, ':');
    }

    if (end == NULL) {
        end = last;
    }

    rs->conf.host.len = end - p;
    rs->conf.host.data = ngx_pnalloc(cf->pool, rs->conf.host.len + 1);
    if (rs->conf.host.data == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(rs->conf.host.data, p, rs->conf.host.len) = '\0';

    return NGX_OK;
}


ngx_int_t
ngx_http_og_redis_set_ca(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *value)
{
    return ngx_http_og_redis_set_tls(cf, rs, "ca", value, &rs->conf.tls->ca);
}


ngx_int_t
ngx_http_og_redis_set_cert(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *value)
{
    return ngx_http_og_redis_set_tls(cf, rs, "cert", value,
                                     &rs->conf.tls->cert);
}


ngx_int_t
ngx_http_og_redis_set_key(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *value)
{
    return ngx_http_og_redis_set_tls(cf, rs, "key", value,
                                     &rs->conf.tls->key);
}


ngx_int_t
ngx_http_og_redis_set_server_name(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs, ngx_str_t *value)
{
    return ngx_http_og_redis_set_tls(cf, rs, "server_name", value,
                                     &rs->conf.tls->server_name);
}


static ngx_int_t
ngx_http_og_redis_set_tls(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    const char *name, ngx_str_t *value, ngx_str_t *field)
{
    if (field->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s=\" of store \"%V\" is given twice, keep one",
                           name, &rs->conf.name);
        return NGX_ERROR;
    }

    if (value->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s=\" of store \"%V\" is empty, give a value "
                           "or leave it out", name, &rs->conf.name);
        return NGX_ERROR;
    }

    /* words of the configuration end with a NUL, as they are wanted here */

    *field = *value;

    if (field == &rs->conf.tls->server_name) {
        return NGX_OK;
    }

    return ngx_conf_full_name(cf->cycle, field, 1);
}


ngx_int_t
ngx_http_og_redis_set_verify(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    ngx_str_t *value)
{
    ngx_flag_t  verify;

    if (rs->conf.tls->verify != NGX_CONF_UNSET) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"verify=\" of store \"%V\" is given twice, keep "
                           "one", &rs->conf.name);
        return NGX_ERROR;
    }

    if (value->len == 2 && ngx_strncmp(value->data, "on", 2) == 0) {
        verify = 1;

    } else if (value->len == 3 && ngx_strncmp(value->data, "off", 3) == 0) {
        verify = 0;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"verify=\" of store "
                           "\"%V\", use \"on\" or \"off\"", value,
                           &rs->conf.name);
        return NGX_ERROR;
    }

    rs->conf.tls->verify = verify;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_redis_tls_init(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs)
{
#if (NGX_SSL)

    if (rs->conf.tls == NULL) {
        return NGX_OK;
    }

    ngx_conf_init_value(rs->conf.tls->verify, 1);

    if (ngx_http_og_redis_tls_check(cf, rs) != NGX_OK
        || ngx_http_og_redis_tls_context(cf, rs) != NGX_OK
        || ngx_http_og_redis_tls_trust(cf, rs) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_og_redis_tls_certificate(cf, rs);

#else

    return NGX_OK;

#endif
}


#if (NGX_SSL)


static ngx_int_t
ngx_http_og_redis_tls_check(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs)
{
    ngx_http_og_redis_tls_t  *tls;

    tls = rs->conf.tls;

    if ((tls->cert.len == 0) != (tls->key.len == 0)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "store \"%V\" has \"%s=\" without \"%s=\", give "
                           "both or none", &rs->conf.name,
                           tls->cert.len ? "cert" : "key",
                           tls->cert.len ? "key" : "cert");
        return NGX_ERROR;
    }

    if (!tls->verify && tls->ca.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ca=\" of store \"%V\" is of no use with "
                           "\"verify=off\", remove one of them",
                           &rs->conf.name);
        return NGX_ERROR;
    }

    if (!tls->verify) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "store \"%V\" has \"verify=off\": whoever can "
                           "answer in its server's place reads and writes "
                           "the records; give \"ca=\" instead",
                           &rs->conf.name);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_tls_context(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs)
{
    ngx_ssl_t           *ssl;
    ngx_pool_cleanup_t  *cln;

    ssl = &rs->conf.tls->ssl;
    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(ssl);
        return NGX_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    /*
     * Each record is counted as soon as it has left.  Without this OpenSSL
     * may send records of a write that it then calls unfinished, and commands
     * that have run would be taken for commands that never left.
     */

    SSL_CTX_set_mode(ssl->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_tls_trust(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs)
{
    SSL_CTX    *ctx;
    ngx_str_t  *ca;

    if (!rs->conf.tls->verify) {
        return NGX_OK;
    }

    ctx = rs->conf.tls->ssl.ctx;
    ca = &rs->conf.tls->ca;

    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);

    if (ca->len == 0) {

        if (SSL_CTX_set_default_verify_paths(ctx) == 0) {
            ERR_clear_error();
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the system's certificates cannot be used for "
                               "store \"%V\", give \"ca=\"", &rs->conf.name);
            return NGX_ERROR;
        }

    } else if (SSL_CTX_load_verify_locations(ctx, (char *) ca->data, NULL)
               == 0)
    {
        return ngx_http_og_redis_tls_refuse(cf, rs, "ca", ca,
                                            "give certificates in PEM form");
    }

    /* what was read well may leave errors behind */

    ERR_clear_error();

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_tls_certificate(ngx_conf_t *cf,
    ngx_http_og_redis_store_t *rs)
{
    SSL_CTX     *ctx;
    ngx_str_t   *cert, *key;
    ngx_uint_t   asked;

    ctx = rs->conf.tls->ssl.ctx;
    cert = &rs->conf.tls->cert;
    key = &rs->conf.tls->key;

    if (cert->len == 0) {
        return NGX_OK;
    }

    if (SSL_CTX_use_certificate_chain_file(ctx, (char *) cert->data) != 1) {
        return ngx_http_og_redis_tls_refuse(cf, rs, "cert", cert,
                                            "give a certificate in PEM form, "
                                            "its own first");
    }

    asked = 0;

    SSL_CTX_set_default_passwd_cb(ctx, ngx_http_og_redis_tls_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, &asked);

    if (SSL_CTX_use_PrivateKey_file(ctx, (char *) key->data,
                                    SSL_FILETYPE_PEM)
        != 1)
    {
        if (asked) {
            ERR_clear_error();
            return ngx_http_og_redis_tls_refuse(cf, rs, "key", key,
                                                "it has a passphrase, give a "
                                                "key without one");
        }

        return ngx_http_og_redis_tls_refuse(cf, rs, "key", key,
                                            "give the key of \"cert=\" in "
                                            "PEM form");
    }

    SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);

    ERR_clear_error();

    return NGX_OK;
}


/* Instead of OpenSSL's own, which asks on the terminal. */

static int
ngx_http_og_redis_tls_passphrase(char *buf, int size, int rwflag, void *data)
{
    ngx_uint_t  *asked = data;

    *asked = 1;

    return -1;
}


static ngx_int_t
ngx_http_og_redis_tls_refuse(ngx_conf_t *cf, ngx_http_og_redis_store_t *rs,
    const char *name, ngx_str_t *file, const char *remedy)
{
    u_long       code;
    ngx_err_t    err;
    const char  *reason;

    /* the first of several is the cause */

    code = ERR_peek_error();

    err = ERR_SYSTEM_ERROR(code) ? (ngx_err_t) ERR_GET_REASON(code) : 0;
    reason = err ? NULL : ERR_reason_error_string(code);

    ERR_clear_error();

    ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                       "\"%s=\" of store \"%V\" cannot be used%s%s, %s: "
                       "\"%V\"", name, &rs->conf.name,
                       reason ? ", " : "", reason ? reason : "", remedy,
                       file);

    return NGX_ERROR;
}


#endif /* NGX_SSL */
