
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og_conf.h"

#include <openssl/crypto.h>


static ngx_int_t ngx_http_og_read_secret(ngx_conf_t *cf, ngx_str_t *file,
    og_secret_t **secret);
static ssize_t ngx_http_og_read_secret_file(ngx_conf_t *cf, ngx_str_t *path,
    u_char *bytes, size_t size);
static void ngx_http_og_check_access(ngx_conf_t *cf, ngx_fd_t fd,
    ngx_str_t *path);
static void ngx_http_og_tell_id(ngx_conf_t *cf, ngx_str_t *path,
    og_secret_t *secret);
static void ngx_http_og_forget_secret(void *data);


char *
ngx_http_og_conf_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_main_conf_t *omcf = conf;

    ngx_str_t              *value;
    ngx_http_og_secrets_t  *secrets;

    secrets = &omcf->secrets;
    value = cf->args->elts;

    if (secrets->current != NULL) {
        return "is duplicate";
    }

    if (ngx_http_og_read_secret(cf, &value[1], &secrets->current) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    secrets->changing = 1;

    if (ngx_strcmp(value[2].data, "none") == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_http_og_read_secret(cf, &value[2], &secrets->former) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_memcmp(og_secret_id(secrets->current),
                   og_secret_id(secrets->former), OG_SECRET_ID_SIZE)
        == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" and \"%V\" hold the same secret, put a "
                           "new one into the first file or leave the second "
                           "one out", &value[1], &value[2]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_og_read_secret(ngx_conf_t *cf, ngx_str_t *file, og_secret_t **secret)
{
    u_char               bytes[OG_SECRET_MAX + 1];
    ssize_t              n;
    ngx_str_t            path;
    ngx_pool_cleanup_t  *cln;

    path = *file;

    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (cln == NULL || ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    n = ngx_http_og_read_secret_file(cf, &path, bytes, sizeof(bytes));

    if (n == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (n < OG_SECRET_MIN || n > OG_SECRET_MAX) {
        OPENSSL_cleanse(bytes, sizeof(bytes));

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the secret file \"%V\" has %s than %d bytes, it "
                           "must hold random bytes, as \"openssl rand -out "
                           "file 32\" makes them", &path,
                           n < OG_SECRET_MIN ? "less" : "more",
                           n < OG_SECRET_MIN ? OG_SECRET_MIN : OG_SECRET_MAX);
        return NGX_ERROR;
    }

    *secret = og_secret_create(bytes, n);

    OPENSSL_cleanse(bytes, sizeof(bytes));

    if (*secret == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "cannot derive keys from the secret file \"%V\"",
                           &path);
        return NGX_ERROR;
    }

    cln->handler = ngx_http_og_forget_secret;
    cln->data = *secret;

    ngx_http_og_tell_id(cf, &path, *secret);

    return NGX_OK;
}


/* How many bytes there are, at most size, or NGX_ERROR. */

static ssize_t
ngx_http_og_read_secret_file(ngx_conf_t *cf, ngx_str_t *path, u_char *bytes,
    size_t size)
{
    ssize_t    n;
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "cannot open the secret file \"%V\"", path);
        return NGX_ERROR;
    }

    ngx_http_og_check_access(cf, fd, path);

    n = ngx_read_fd(fd, bytes, size);
    err = ngx_errno;

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", path);
    }

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                           "cannot read the secret file \"%V\"", path);
        return NGX_ERROR;
    }

    return n;
}


static void
ngx_http_og_check_access(ngx_conf_t *cf, ngx_fd_t fd, ngx_str_t *path)
{
    ngx_file_info_t  info;

    if (ngx_fd_info(fd, &info) == NGX_FILE_ERROR) {
        return;
    }

    if (ngx_file_access(&info) & S_IROTH) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the secret file \"%V\" can be read by everyone, "
                           "\"chmod o= file\" keeps it a secret", path);
    }
}


/* For operators to see that all hosts have the same. */

static void
ngx_http_og_tell_id(ngx_conf_t *cf, ngx_str_t *path, og_secret_t *secret)
{
    u_char  *end, id[2 * OG_SECRET_ID_SIZE];

    end = ngx_hex_dump(id, (u_char *) og_secret_id(secret), OG_SECRET_ID_SIZE);

    ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                  "the secret in \"%V\" has the id %*s", path,
                  (size_t) (end - id), id);
}


/* At the end of a configuration, and of each process that has it. */

static void
ngx_http_og_forget_secret(void *data)
{
    og_secret_destroy(data);
}
