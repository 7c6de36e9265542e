
/*
 * Copyright (C) order guard contributors
 *
 * TLS between connect and greeting.  OpenSSL itself ends a handshake whose
 * certificate does not hold, so that nothing is said to a stranger; here is
 * what it is told to accept, and its reasons in words.
 */


#include "ngx_http_og_redis_link.h"


#if (NGX_SSL)


#define NGX_HTTP_OG_REDIS_TLS_POOL  256
#define NGX_HTTP_OG_REDIS_TLS_TEXT  160


static ngx_int_t ngx_http_og_redis_tls_create(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_tls_quiet(ngx_http_og_redis_t *link);
static ngx_int_t ngx_http_og_redis_tls_expect(ngx_http_og_redis_t *link);
static ngx_int_t ngx_http_og_redis_tls_expect_address(
    ngx_http_og_redis_t *link, X509_VERIFY_PARAM *param);
static void ngx_http_og_redis_tls_failed(ngx_http_og_redis_t *link);
static void ngx_http_og_redis_tls_info(const SSL *ssl, int where, int value);


void
ngx_http_og_redis_tls_connect(ngx_http_og_redis_t *link)
{
    link->alert[0] = '\0';

    if (ngx_http_og_redis_tls_create(link) != NGX_OK) {
        ERR_clear_error();
        ngx_http_og_redis_fail(link, 0, "no TLS connection can be made");
        return;
    }

    link->state = NGX_HTTP_OG_REDIS_SECURING;

    ngx_http_og_redis_tls_handshake(link);
}


static ngx_int_t
ngx_http_og_redis_tls_create(ngx_http_og_redis_t *link)
{
    ngx_connection_t  *c;

    c = link->peer.connection;

    c->pool = ngx_create_pool(NGX_HTTP_OG_REDIS_TLS_POOL, &link->log);
    if (c->pool == NULL) {
        return NGX_ERROR;
    }

    ngx_http_og_redis_tls_quiet(link);

    if (ngx_ssl_create_connection(&link->conf->tls->ssl, c, NGX_SSL_CLIENT)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    SSL_set_info_callback(c->ssl->connection, ngx_http_og_redis_tls_info);

    return ngx_http_og_redis_tls_expect(link);
}


/* nginx logs its reasons at each attempt; ours are told once a second. */

static void
ngx_http_og_redis_tls_quiet(ngx_http_og_redis_t *link)
{
    ngx_connection_t  *c;

    c = link->peer.connection;

    link->quiet = link->log;

    if (link->quiet.log_level <= NGX_LOG_INFO) {
        link->quiet.log_level = ngx_min(link->quiet.log_level, NGX_LOG_ALERT);
    }

    c->log = &link->quiet;
    c->read->log = c->log;
    c->write->log = c->log;
}


/* Whom the handshake is to meet: RFC 6066 allows no address in SNI. */

static ngx_int_t
ngx_http_og_redis_tls_expect(ngx_http_og_redis_t *link)
{
    SSL                      *ssl;
    ngx_str_t                *name;
    ngx_uint_t                is_address;
    X509_VERIFY_PARAM        *param;
    ngx_http_og_redis_tls_t  *tls;

    tls = link->conf->tls;
    ssl = link->peer.connection->ssl->connection;
    param = SSL_get0_param(ssl);

    name = tls->server_name.len ? &tls->server_name : &link->conf->host;

    if (name->len == 0) {
        return ngx_http_og_redis_tls_expect_address(link, param);
    }

    is_address = X509_VERIFY_PARAM_set1_ip_asc(param, (char *) name->data);
    ERR_clear_error();

    if (!is_address
        && (X509_VERIFY_PARAM_set1_host(param, (char *) name->data, name->len)
            == 0
            || SSL_set_tlsext_host_name(ssl, (char *) name->data) == 0))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Sentinels and nodes tell where others are, and not what they are called. */

static ngx_int_t
ngx_http_og_redis_tls_expect_address(ngx_http_og_redis_t *link,
    X509_VERIFY_PARAM *param)
{
    int               rc;
    struct sockaddr  *sockaddr;

    sockaddr = link->peer.sockaddr;

    switch (sockaddr->sa_family) {

    case AF_INET:
        rc = X509_VERIFY_PARAM_set1_ip(param, (u_char *)
                           &((struct sockaddr_in *) sockaddr)->sin_addr,
                           sizeof(struct in_addr));
        break;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        rc = X509_VERIFY_PARAM_set1_ip(param, (u_char *)
                           &((struct sockaddr_in6 *) sockaddr)->sin6_addr,
                           sizeof(struct in6_addr));
        break;
#endif

    default:
        rc = 0;
    }

    return rc == 1 ? NGX_OK : NGX_ERROR;
}


void
ngx_http_og_redis_tls_handshake(ngx_http_og_redis_t *link)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = link->peer.connection;

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_OK) {
        ngx_http_og_redis_start(link);
        return;
    }

    if (rc != NGX_AGAIN) {
        ngx_http_og_redis_tls_failed(link);
        return;
    }

    /* nginx's own, set by now, do not know of a worker that leaves */

    c->read->handler = ngx_http_og_redis_read_handler;
    c->write->handler = ngx_http_og_redis_write_handler;
}


static void
ngx_http_og_redis_tls_failed(ngx_http_og_redis_t *link)
{
    long               verified;
    u_char             text[NGX_HTTP_OG_REDIS_TLS_TEXT];
    const char        *param;
    ngx_connection_t  *c;

    c = link->peer.connection;

    verified = SSL_get_verify_result(c->ssl->connection);

    if (verified != X509_V_OK && link->conf->tls->verify) {

        param = (verified == X509_V_ERR_HOSTNAME_MISMATCH
                 || verified == X509_V_ERR_IP_ADDRESS_MISMATCH)
                ? "server_name=" : "ca=";

        *ngx_snprintf(text, sizeof(text) - 1,
                      "its certificate is refused (%s), see \"%s\"",
                      X509_verify_cert_error_string(verified), param) = '\0';

        ngx_http_og_redis_fail(link, 0, (char *) text);
        return;
    }

    if (link->alert[0] != '\0') {
        ngx_http_og_redis_fail(link, 0, link->alert);
        return;
    }

    ngx_http_og_redis_fail(link, 0, c->read->error
                           ? "it does not speak TLS"
                           : "the server closed it in the TLS handshake");
}


/*
 * Alerts are the reasons that both sides give.  With TLS 1.3 a server tells
 * what it thinks of a client's certificate only when the handshake is over.
 */

static void
ngx_http_og_redis_tls_info(const SSL *ssl, int where, int value)
{
    int                   alert;
    const char           *words;
    ngx_connection_t     *c;
    ngx_http_og_redis_t  *link;

    alert = value & 0xff;

    if ((where & SSL_CB_ALERT) == 0 || alert == SSL_AD_CLOSE_NOTIFY) {
        return;
    }

    /* OpenSSL 3.0 has no words for the most likely one */

    words = (alert == SSL_AD_CERTIFICATE_REQUIRED)
            ? "certificate required" : SSL_alert_desc_string_long(value);

    c = ngx_ssl_get_connection(ssl);
    link = c->data;

    *ngx_snprintf((u_char *) link->alert, sizeof(link->alert) - 1,
                  "%s the TLS alert \"%s\"",
                  (where & SSL_CB_READ) ? "it sent" : "it was sent",
                  words) = '\0';
}


const char *
ngx_http_og_redis_tls_alert(ngx_http_og_redis_t *link)
{
    u_char             byte[1];
    ngx_connection_t  *c;

    c = link->peer.connection;

    if (c->ssl == NULL) {
        return NULL;
    }

    /* a write may fail before what the server has said last is read */

    if (link->alert[0] == '\0') {
        (void) c->recv(c, byte, sizeof(byte));
    }

    return link->alert[0] != '\0' ? link->alert : NULL;
}


/*
 * What OpenSSL could not get rid of must never leave: the batches in it have
 * been told that they did not run.
 */

void
ngx_http_og_redis_tls_close(ngx_http_og_redis_t *link)
{
    ngx_connection_t  *c;

    c = link->peer.connection;

    if (c->ssl == NULL) {
        return;
    }

    c->ssl->no_wait_shutdown = 1;

    if (link->out != NULL) {
        c->ssl->no_send_shutdown = 1;
    }

    if (ngx_ssl_shutdown(c) == NGX_AGAIN) {
        c->ssl->no_send_shutdown = 1;
        (void) ngx_ssl_shutdown(c);
    }

    /* its last words are in no later connection's way */

    ERR_clear_error();
}


#endif /* NGX_SSL */
