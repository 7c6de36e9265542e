
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og_conf.h"
#include "ngx_http_og_records.h"


char *
ngx_http_og_conf_records(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_loc_conf_t *olcf = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_core_loc_conf_t  *clcf;

    if (olcf->records_store) {
        return "is duplicate";
    }

    olcf->records_store = ngx_pcalloc(cf->pool, sizeof(ngx_str_t));
    if (olcf->records_store == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "from=any") == 0) {
            olcf->records_from_any = 1;
            continue;
        }

        if (ngx_strcmp(value[i].data, "from=local") == 0) {
            continue;
        }

        if (ngx_strncmp(value[i].data, "store=", 6) == 0 && value[i].len > 6) {
            olcf->records_store->data = value[i].data + 6;
            olcf->records_store->len = value[i].len - 6;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", it must be "
                           "\"store=name\", \"from=local\" or \"from=any\"",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_og_records_handler;

    return NGX_CONF_OK;
}


/*
 * "if" and "limit_except" make a location of their own of each block, with the
 * handler of the one around it.
 */

ngx_int_t
ngx_http_og_merge_records(ngx_conf_t *cf, ngx_http_og_loc_conf_t *prev,
    ngx_http_og_loc_conf_t *conf)
{
    ngx_http_og_main_conf_t   *omcf;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->records_store == NULL && prev->records_store && clcf->noname
        && clcf->handler == NULL)
    {
        conf->records_store = prev->records_store;
        conf->records_from_any = prev->records_from_any;

        clcf->handler = ngx_http_og_records_handler;
    }

    if (conf->records_store == NULL) {
        return NGX_OK;
    }

    if (conf->enable == 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"order_guard on\" and \"order_guard_records\" "
                           "stand in one location, give the latter one of its "
                           "own");
        return NGX_ERROR;
    }

    omcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_order_guard_module);

    conf->store = ngx_http_og_store_need(cf, &omcf->stores,
                                         conf->records_store);

    if (conf->store == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"order_guard_records\" has no store \"%V\", "
                           "define it with \"order_guard_store name "
                           "redis://host:port;\"", conf->records_store);
        return NGX_ERROR;
    }

    return NGX_OK;
}
