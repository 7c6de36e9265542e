
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og_conf.h"


static ngx_int_t ngx_http_og_idempotency_param(ngx_conf_t *cf,
    ngx_http_og_idempotency_t *idem, ngx_str_t *word);
static const char *ngx_http_og_check_replayed_header(ngx_str_t *header);
static ngx_int_t ngx_http_og_header_of(ngx_conf_t *cf, ngx_str_t *text,
    ngx_str_t *name);
static ngx_int_t ngx_http_og_msec_param(ngx_conf_t *cf, ngx_str_t *word,
    size_t skip, ngx_msec_t *value);


/*
 * Sessions, what is of one connection (RFC 9110, section 7.6.1), what nginx
 * makes anew, and what promises parts of a body.
 */

static ngx_str_t  ngx_http_og_never_replayed[] = {
    ngx_string("Set-Cookie"),
    ngx_string("Set-Cookie2"),
    ngx_string("Connection"),
    ngx_string("Keep-Alive"),
    ngx_string("Proxy-Connection"),
    ngx_string("TE"),
    ngx_string("Trailer"),
    ngx_string("Transfer-Encoding"),
    ngx_string("Upgrade"),
    ngx_string("Content-Length"),
    ngx_string("Date"),
    ngx_string("Server"),
    ngx_string("Age"),          /* a replay has one of its own */
    ngx_string("Accept-Ranges"),
    ngx_string("Content-Range"),
    ngx_string("Idempotent-Replayed"),
    ngx_null_string
};


char *
ngx_http_og_conf_idempotency(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_loc_conf_t *olcf = conf;

    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_og_idempotency_t  *idem;

    if (olcf->idempotency != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    idem = ngx_pcalloc(cf->pool, sizeof(ngx_http_og_idempotency_t));
    if (idem == NULL) {
        return NGX_CONF_ERROR;
    }

    olcf->idempotency = idem;

    idem->ttl = 24 * 60 * 60 * 1000;
    idem->error_ttl = 60 * 60 * 1000;
    idem->lease = 30 * 1000;
    idem->unknown_ttl = NGX_CONF_UNSET_MSEC;
    idem->on_unknown = NGX_HTTP_OG_HOLD;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        idem->enforcement = NGX_HTTP_OG_IDEMPOTENCY_OFF;

    } else if (ngx_strcmp(value[1].data, "optional") == 0) {
        idem->enforcement = NGX_HTTP_OG_IDEMPOTENCY_OPTIONAL;

    } else if (ngx_strcmp(value[1].data, "required") == 0) {
        idem->enforcement = NGX_HTTP_OG_IDEMPOTENCY_REQUIRED;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be \"off\", "
                           "\"required\" or \"optional\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_og_idempotency_param(cf, idem, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    ngx_conf_init_msec_value(idem->unknown_ttl, idem->ttl);

    if (idem->lease > idem->ttl / 4) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"lease\" of %M ms is longer than a quarter of "
                           "\"ttl\" (%M ms), shorten it or raise \"ttl\"",
                           idem->lease, idem->ttl);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_og_idempotency_param(ngx_conf_t *cf, ngx_http_og_idempotency_t *idem,
    ngx_str_t *word)
{
    ngx_str_t  text;

    if (ngx_strncmp(word->data, "ttl=", 4) == 0) {
        return ngx_http_og_msec_param(cf, word, 4, &idem->ttl);
    }

    if (ngx_strncmp(word->data, "error_ttl=", 10) == 0) {
        return ngx_http_og_msec_param(cf, word, 10, &idem->error_ttl);
    }

    if (ngx_strncmp(word->data, "lease=", 6) == 0) {
        return ngx_http_og_msec_param(cf, word, 6, &idem->lease);
    }

    if (ngx_strncmp(word->data, "unknown_ttl=", 12) == 0) {
        return ngx_http_og_msec_param(cf, word, 12, &idem->unknown_ttl);
    }

    if (ngx_strcmp(word->data, "on_unknown=hold") == 0) {
        idem->on_unknown = NGX_HTTP_OG_HOLD;
        return NGX_OK;
    }

    if (ngx_strcmp(word->data, "on_unknown=retry") == 0) {
        idem->on_unknown = NGX_HTTP_OG_RETRY;
        return NGX_OK;
    }

    if (ngx_strncmp(word->data, "store=", 6) == 0 && word->len > 6) {
        idem->store_name.len = word->len - 6;
        idem->store_name.data = word->data + 6;
        return NGX_OK;
    }

    if (ngx_strncmp(word->data, "scope=", 6) == 0 && word->len > 6) {
        text.len = word->len - 6;
        text.data = word->data + 6;

        idem->scope = ngx_http_og_compile(cf, &text);

        return idem->scope ? NGX_OK : NGX_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\", it must be one of "
                       "\"store=\", \"scope=\", \"ttl=\", \"error_ttl=\", "
                       "\"lease=\", \"on_unknown=hold\", "
                       "\"on_unknown=retry\", \"unknown_ttl=\"", word);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_og_msec_param(ngx_conf_t *cf, ngx_str_t *word, size_t skip,
    ngx_msec_t *value)
{
    ngx_int_t  ms;
    ngx_str_t  text;

    text.len = word->len - skip;
    text.data = word->data + skip;

    ms = ngx_parse_time(&text, 0);

    if (ms == NGX_ERROR || ms < 1000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time in \"%V\", it must be at least 1s, "
                           "as in \"%*s30s\"", word, skip, word->data);
        return NGX_ERROR;
    }

    *value = (ngx_msec_t) ms;

    return NGX_OK;
}


char *
ngx_http_og_conf_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_loc_conf_t *olcf = conf;

    ngx_str_t  *value, name;

    if (olcf->key != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    olcf->key = ngx_http_og_compile(cf, &value[1]);
    if (olcf->key == NULL) {
        return NGX_CONF_ERROR;
    }

    if (olcf->key->lengths == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key \"%V\" is the same for all requests, it must "
                           "contain a variable, as in "
                           "\"$http_idempotency_key\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    /* a header can come twice, a variable shows only one of the two */

    if (ngx_http_og_header_of(cf, &value[1], &name) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    olcf->key_header = name;

    return NGX_CONF_OK;
}


char *
ngx_http_og_conf_headers(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t   *value;
    ngx_uint_t   i;
    const char  *error;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        error = ngx_http_og_check_replayed_header(&value[i]);
        if (error) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid header \"%V\": %s", &value[i], error);
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_og_conf_words(cf, cmd, conf);
}


/* A token (RFC 9110, section 5.6.2), and none that is of one answer alone. */

static const char *
ngx_http_og_check_replayed_header(ngx_str_t *header)
{
    size_t      i;
    u_char      c;
    ngx_str_t  *never;

    for (i = 0; i < header->len; i++) {
        c = ngx_tolower(header->data[i]);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')
            && ngx_strchr("!#$%&'*+-.^_`|~", c) == NULL)
        {
            return "it must be the name of a header, as in \"Location\"";
        }
    }

    if (header->len == 0) {
        return "it must be the name of a header, as in \"Location\"";
    }

    for (never = ngx_http_og_never_replayed; never->len; never++) {

        if (never->len == header->len
            && ngx_strncasecmp(never->data, header->data, header->len) == 0)
        {
            return "it belongs to one answer and is never repeated, take it "
                   "out";
        }
    }

    return NULL;
}


char *
ngx_http_og_conf_mark(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_loc_conf_t *olcf = conf;

    ngx_str_t   *value;
    const char  *error;

    if (olcf->mark.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        ngx_str_set(&olcf->mark, "");
        return NGX_CONF_OK;
    }

    error = (value[1].len > 0 && value[1].data[0] == '/')
            ? ngx_http_og_check_field(&value[1], OG_FIELD_SET)
            : "it must be a JSON Pointer, as in \"/data/replayed\"";

    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid mark \"%V\": %s",
                           &value[1], error);
        return NGX_CONF_ERROR;
    }

    olcf->mark = value[1];

    return NGX_CONF_OK;
}


/* The header that "$http_name" or "${http_name}" stands for, else nothing. */

static ngx_int_t
ngx_http_og_header_of(ngx_conf_t *cf, ngx_str_t *text, ngx_str_t *name)
{
    u_char     *p;
    size_t      i;
    ngx_str_t   variable;
    ngx_uint_t  braces;

    ngx_str_null(name);

    braces = text->len > 1 && text->data[1] == '{';

    variable.data = text->data + 1 + braces;
    variable.len = text->len - 1 - 2 * braces;

    if (text->data[0] != '$'
        || variable.len <= 5
        || ngx_strncmp(variable.data, "http_", 5) != 0
        || (braces && text->data[text->len - 1] != '}'))
    {
        return NGX_OK;
    }

    p = ngx_pnalloc(cf->pool, variable.len - 5);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < variable.len - 5; i++) {

        p[i] = ngx_tolower(variable.data[5 + i]);

        if (p[i] == '_') {
            p[i] = '-';

        } else if (!((p[i] >= 'a' && p[i] <= 'z')
                     || (p[i] >= '0' && p[i] <= '9')))
        {
            return NGX_OK;
        }
    }

    name->data = p;
    name->len = variable.len - 5;

    return NGX_OK;
}
