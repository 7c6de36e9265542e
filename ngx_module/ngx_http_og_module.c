
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_int_t ngx_http_og_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_og_postconfiguration(ngx_conf_t *cf);
static ngx_resolver_t *ngx_http_og_resolver(ngx_conf_t *cf);
static ngx_int_t ngx_http_og_add_handler(ngx_conf_t *cf,
    ngx_http_phases phase, ngx_http_handler_pt handler);
static ngx_int_t ngx_http_og_init_process(ngx_cycle_t *cycle);
static void ngx_http_og_exit_process(ngx_cycle_t *cycle);
static ngx_http_og_main_conf_t *ngx_http_og_main_conf(ngx_cycle_t *cycle);


ngx_http_output_header_filter_pt  ngx_http_og_next_header_filter;
ngx_http_output_body_filter_pt    ngx_http_og_next_body_filter;
ngx_http_request_body_filter_pt   ngx_http_og_next_request_body_filter;


static ngx_http_module_t  ngx_http_order_guard_module_ctx = {
    ngx_http_og_preconfiguration,          /* preconfiguration */
    ngx_http_og_postconfiguration,         /* postconfiguration */

    ngx_http_og_create_main_conf,          /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_og_create_loc_conf,           /* create location configuration */
    ngx_http_og_merge_loc_conf             /* merge location configuration */
};


ngx_module_t  ngx_http_order_guard_module = {
    NGX_MODULE_V1,
    &ngx_http_order_guard_module_ctx,      /* module context */
    ngx_http_og_commands,                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_og_init_process,              /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_og_exit_process,              /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_og_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_og_add_variables(cf);
}


static ngx_int_t
ngx_http_og_postconfiguration(ngx_conf_t *cf)
{
    ngx_str_t                 request_id = ngx_string("request_id");
    ngx_http_og_main_conf_t  *omcf;

    omcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_order_guard_module);

    omcf->request_id = ngx_http_get_variable_index(cf, &request_id);
    if (omcf->request_id == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (ngx_http_og_find_variables(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_og_stores_configured(cf, &omcf->stores,
                                  ngx_http_og_resolver(cf))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_og_add_zone(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_og_add_handler(cf, NGX_HTTP_SERVER_REWRITE_PHASE,
                                ngx_http_og_page_handler)
        != NGX_OK
        || ngx_http_og_add_handler(cf, NGX_HTTP_REWRITE_PHASE,
                                   ngx_http_og_page_handler)
           != NGX_OK
        || ngx_http_og_add_handler(cf, NGX_HTTP_PREACCESS_PHASE,
                                   ngx_http_og_page_access_handler)
           != NGX_OK
        || ngx_http_og_add_handler(cf, NGX_HTTP_PRECONTENT_PHASE,
                                   ngx_http_og_handler)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_og_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_og_header_filter;

    ngx_http_og_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_og_body_filter;

    ngx_http_og_next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx_http_og_request_body_filter;

    return NGX_OK;
}


/* nginx makes a resolver without servers where none is configured. */

static ngx_resolver_t *
ngx_http_og_resolver(ngx_conf_t *cf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->resolver == NULL || clcf->resolver->connections.nelts == 0) {
        return NULL;
    }

    return clcf->resolver;
}


static ngx_int_t
ngx_http_og_add_handler(ngx_conf_t *cf, ngx_http_phases phase,
    ngx_http_handler_pt handler)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[phase].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_init_process(ngx_cycle_t *cycle)
{
    ngx_http_og_main_conf_t  *omcf;

    omcf = ngx_http_og_main_conf(cycle);

    if (omcf == NULL) {
        return NGX_OK;
    }

    if (ngx_http_og_init_digest() != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_og_stores_init(&omcf->stores, cycle);
}


static void
ngx_http_og_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_og_main_conf_t  *omcf;

    omcf = ngx_http_og_main_conf(cycle);

    if (omcf != NULL) {
        ngx_http_og_stores_exit(&omcf->stores, cycle);
    }

    ngx_http_og_free_scanner();
    ngx_http_og_free_json_order();
    ngx_http_og_free_digest();
}


/* A configuration without an http block has no main configuration. */

static ngx_http_og_main_conf_t *
ngx_http_og_main_conf(ngx_cycle_t *cycle)
{
    if (ngx_get_conf(cycle->conf_ctx, ngx_http_module) == NULL) {
        return NULL;
    }

    return ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_order_guard_module);
}
