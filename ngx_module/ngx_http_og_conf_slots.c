
/*
 * Copyright (C) order guard contributors
 *
 * Setters like nginx's own slots, whose errors name the value and what would
 * be right.
 */


#include "ngx_http_og_conf.h"


#define NGX_HTTP_OG_MAX_WORDS  128


char *
ngx_http_og_conf_enum(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    u_char           *last, words[NGX_HTTP_OG_MAX_WORDS];
    ngx_str_t        *value;
    ngx_uint_t       *slot;
    ngx_conf_enum_t  *e;

    slot = (ngx_uint_t *) (p + cmd->offset);

    if (*slot != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    last = words;

    for (e = cmd->post; e->name.len; e++) {

        if (e->name.len == value[1].len
            && ngx_strcasecmp(e->name.data, value[1].data) == 0)
        {
            *slot = e->value;
            return NGX_CONF_OK;
        }

        last = ngx_slprintf(last, words + sizeof(words), "%s\"%V\"",
                            last == words ? "" : " or ", &e->name);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" has an invalid value \"%V\", it must be %*s",
                       &cmd->name, &value[1], (size_t) (last - words), words);

    return NGX_CONF_ERROR;
}


char *
ngx_http_og_conf_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    size_t     *slot;
    ssize_t     size;
    ngx_str_t  *value;

    slot = (size_t *) (p + cmd->offset);

    if (*slot != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || size == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has an invalid size \"%V\", it must be a "
                           "number of bytes, as in \"256k\" or \"1m\"",
                           &cmd->name, &value[1]);
        return NGX_CONF_ERROR;
    }

    *slot = (size_t) size;

    return NGX_CONF_OK;
}


char *
ngx_http_og_conf_depth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_int_t  *slot, depth;
    ngx_str_t  *value;

    slot = (ngx_int_t *) (p + cmd->offset);

    if (*slot != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    depth = ngx_atoi(value[1].data, value[1].len);

    if (depth < 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has an invalid number \"%V\", it must be "
                           "1 or more, as in \"64\"", &cmd->name, &value[1]);
        return NGX_CONF_ERROR;
    }

    *slot = depth;

    return NGX_CONF_OK;
}


char *
ngx_http_og_conf_msec(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_int_t    ms;
    ngx_str_t   *value;
    ngx_msec_t  *slot;

    slot = (ngx_msec_t *) (p + cmd->offset);

    if (*slot != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ms = ngx_parse_time(&value[1], 0);

    if (ms == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has an invalid time \"%V\", it must be as "
                           "in \"500ms\" or \"2s\"", &cmd->name, &value[1]);
        return NGX_CONF_ERROR;
    }

    *slot = (ngx_msec_t) ms;

    return NGX_CONF_OK;
}


char *
ngx_http_og_conf_words(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t     *value, *word;
    ngx_uint_t     i;
    ngx_array_t  **words;

    words = (ngx_array_t **) (p + cmd->offset);

    if (*words == NGX_CONF_UNSET_PTR) {
        *words = ngx_array_create(cf->pool, 8, sizeof(ngx_str_t));
        if (*words == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        word = ngx_array_push(*words);
        if (word == NULL) {
            return NGX_CONF_ERROR;
        }

        *word = value[i];
    }

    return NGX_CONF_OK;
}
