
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og_conf.h"


static ngx_int_t ngx_http_og_merge_idempotency(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *prev, ngx_http_og_loc_conf_t *conf);
static ngx_int_t ngx_http_og_merge_release(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *prev, ngx_http_og_loc_conf_t *conf);
static void ngx_http_og_default_release(ngx_http_og_statuses_t *set);
static ngx_int_t ngx_http_og_bind_store(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *conf);
static void ngx_http_og_check_scope(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *conf);
static ngx_int_t ngx_http_og_check_upstreams(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *conf);
static ngx_int_t ngx_http_og_check_upstream(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *conf, ngx_http_upstream_conf_t *ucf);
#if (NGX_HTTP_CACHE)
static ngx_int_t ngx_http_og_check_cache(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *conf, ngx_http_upstream_conf_t *ucf);
#endif


/*
 * Modules whose location configuration begins with an
 * ngx_http_upstream_conf_t.  Looked up by name, since any of them may be
 * left out of an nginx build.
 */

static const char  *ngx_http_og_upstream_modules[] = {
    "ngx_http_proxy_module",
    "ngx_http_fastcgi_module",
    "ngx_http_uwsgi_module",
    "ngx_http_scgi_module",
    "ngx_http_grpc_module",
    NULL
};


void *
ngx_http_og_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_og_main_conf_t  *omcf;

    omcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_og_main_conf_t));
    if (omcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&omcf->stores, cf->pool, 1,
                       sizeof(ngx_http_og_store_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&omcf->request_variables, cf->pool, 8,
                       sizeof(ngx_uint_t))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&omcf->formats, cf->pool, 1,
                       sizeof(ngx_http_og_format_t))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&omcf->limits, cf->pool, 4,
                       sizeof(ngx_http_og_limit_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return omcf;
}


void *
ngx_http_og_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_og_loc_conf_t  *olcf;

    olcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_og_loc_conf_t));
    if (olcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     olcf->challenge = { 0, NULL };
     *     olcf->fields = NULL;
     *     olcf->key_header = { 0, NULL };
     *     olcf->error_type = { 0, NULL };
     *     olcf->format = NULL;
     */

    olcf->enable = NGX_CONF_UNSET;
    olcf->token = NGX_CONF_UNSET_PTR;
    olcf->token_optional = NGX_CONF_UNSET;
    olcf->methods = NGX_CONF_UNSET_PTR;
    olcf->strip = NGX_CONF_UNSET_PTR;
    olcf->reject = NGX_CONF_UNSET_PTR;
    olcf->allow = NGX_CONF_UNSET_PTR;
    olcf->sets = NGX_CONF_UNSET_PTR;
    olcf->reject_unlisted = NGX_CONF_UNSET_UINT;
    olcf->match = NGX_CONF_UNSET_UINT;
    olcf->body_limit = NGX_CONF_UNSET_SIZE;
    olcf->json_depth = NGX_CONF_UNSET;
    olcf->idempotency = NGX_CONF_UNSET_PTR;
    olcf->key = NGX_CONF_UNSET_PTR;
    olcf->fingerprint = NGX_CONF_UNSET_PTR;
    olcf->release = NGX_CONF_UNSET_PTR;
    olcf->headers = NGX_CONF_UNSET_PTR;
    olcf->wait = NGX_CONF_UNSET_MSEC;
    olcf->response_limit = NGX_CONF_UNSET_SIZE;
    olcf->pass_on_failure = NGX_CONF_UNSET_UINT;
    olcf->limits = NGX_CONF_UNSET_PTR;
    olcf->limit_headers = NGX_CONF_UNSET_UINT;
    olcf->limit_failure = NGX_CONF_UNSET_UINT;
    olcf->errors = NGX_CONF_UNSET_UINT;
    olcf->error_places = NGX_CONF_UNSET_PTR;
    olcf->error_when = NGX_CONF_UNSET_PTR;
    olcf->error_skip = NGX_CONF_UNSET_PTR;
    olcf->error_detail = NGX_CONF_UNSET_UINT;

    return olcf;
}


char *
ngx_http_og_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_og_loc_conf_t *prev = parent;
    ngx_http_og_loc_conf_t *conf = child;

    if (ngx_http_og_merge_records(cf, prev, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_conf_merge_value(conf->enable, prev->enable, 0);

    if (conf->token == NGX_CONF_UNSET_PTR) {
        conf->challenge = prev->challenge;
    }

    ngx_conf_merge_ptr_value(conf->token, prev->token, NULL);
    ngx_conf_merge_value(conf->token_optional, prev->token_optional, 0);
    ngx_conf_merge_ptr_value(conf->methods, prev->methods, NULL);

    ngx_conf_merge_size_value(conf->body_limit, prev->body_limit, 256 * 1024);
    ngx_conf_merge_value(conf->json_depth, prev->json_depth, 64);

    if (ngx_http_og_merge_fields(cf, prev, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_og_merge_idempotency(cf, prev, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_conf_merge_ptr_value(conf->limits, prev->limits, NULL);
    ngx_conf_merge_uint_value(conf->limit_headers, prev->limit_headers,
                              NGX_HTTP_OG_HEADERS_DRAFT);
    ngx_conf_merge_uint_value(conf->limit_failure, prev->limit_failure,
                              NGX_HTTP_OG_LIMIT_LOCAL);

    ngx_http_og_merge_errors(prev, conf);

    if (!ngx_http_og_is_on(conf)) {
        return NGX_CONF_OK;
    }

    if (ngx_http_og_bind_store(cf, conf) != NGX_OK
        || (conf->limits && ngx_http_og_bind_limits(cf, conf) != NGX_OK))
    {
        return NGX_CONF_ERROR;
    }

    if (!ngx_http_og_enforces(conf)) {
        return NGX_CONF_OK;
    }

    if (ngx_http_og_check_upstreams(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_http_og_check_scope(cf, conf);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_og_merge_idempotency(ngx_conf_t *cf, ngx_http_og_loc_conf_t *prev,
    ngx_http_og_loc_conf_t *conf)
{
    ngx_conf_merge_ptr_value(conf->idempotency, prev->idempotency, NULL);

    if (conf->key == NGX_CONF_UNSET_PTR) {
        conf->key_header = prev->key_header;
    }

    ngx_conf_merge_ptr_value(conf->key, prev->key, NULL);

    if (conf->key == NULL) {
        ngx_str_set(&conf->key_header, "idempotency-key");
    }

    ngx_conf_merge_ptr_value(conf->fingerprint, prev->fingerprint, NULL);
    ngx_conf_merge_ptr_value(conf->headers, prev->headers, NULL);
    ngx_conf_merge_msec_value(conf->wait, prev->wait, 0);
    ngx_conf_merge_str_value(conf->mark, prev->mark, "");
    ngx_conf_merge_size_value(conf->response_limit, prev->response_limit,
                              256 * 1024);
    ngx_conf_merge_uint_value(conf->pass_on_failure, prev->pass_on_failure, 0);

    return ngx_http_og_merge_release(cf, prev, conf);
}


static ngx_int_t
ngx_http_og_merge_release(ngx_conf_t *cf, ngx_http_og_loc_conf_t *prev,
    ngx_http_og_loc_conf_t *conf)
{
    ngx_conf_merge_ptr_value(conf->release, prev->release, NULL);

    if (conf->release == NULL) {
        conf->release = ngx_pcalloc(cf->pool, sizeof(ngx_http_og_statuses_t));
        if (conf->release == NULL) {
            return NGX_ERROR;
        }

        ngx_http_og_default_release(conf->release);

        /* one set serves all levels below */
        prev->release = conf->release;
    }

    ngx_http_og_status_add(conf->release, 425);
    ngx_http_og_status_add(conf->release, NGX_HTTP_TOO_MANY_REQUESTS);

    return NGX_OK;
}


static void
ngx_http_og_default_release(ngx_http_og_statuses_t *set)
{
    ngx_uint_t               i;
    static const ngx_uint_t  statuses[] = { 401, 403, 404, 405, 408, 413, 415 };

    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        ngx_http_og_status_add(set, statuses[i]);
    }
}


static ngx_int_t
ngx_http_og_bind_store(ngx_conf_t *cf, ngx_http_og_loc_conf_t *conf)
{
    ngx_str_t                 name;
    ngx_http_og_main_conf_t  *omcf;

    if (!ngx_http_og_enforces(conf) && conf->limits == NULL) {
        return NGX_OK;
    }

    omcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_order_guard_module);

    ngx_str_null(&name);

    if (ngx_http_og_enforces(conf)) {
        name = conf->idempotency->store_name;
    }

    conf->store = ngx_http_og_store_need(cf, &omcf->stores, &name);

    if (conf->store == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown store \"%V\" in "
                           "\"order_guard_idempotency\", define it with "
                           "\"order_guard_store %V redis://host:port;\"",
                           &name, &name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Servers without a name would share the records of their callers. */

static void
ngx_http_og_check_scope(ngx_conf_t *cf, ngx_http_og_loc_conf_t *conf)
{
    ngx_http_og_main_conf_t   *omcf;
    ngx_http_core_srv_conf_t  *cscf;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    if (conf->idempotency->scope || cscf->server_name.len) {
        return;
    }

    omcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_order_guard_module);

    if (omcf->nameless == NULL) {
        omcf->nameless = cscf;
        return;
    }

    if (omcf->nameless != cscf && !omcf->warned_nameless) {
        omcf->warned_nameless = 1;

        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "two servers without \"server_name\" share "
                           "idempotency records, give them names or "
                           "\"scope=\" in \"order_guard_idempotency\"");
    }
}


/* An order must not be sent twice by nginx itself. */

static ngx_int_t
ngx_http_og_check_upstreams(ngx_conf_t *cf, ngx_http_og_loc_conf_t *conf)
{
    void             **loc_conf;
    ngx_uint_t         i, n;
    ngx_module_t      *module;

    loc_conf = ((ngx_http_conf_ctx_t *) cf->ctx)->loc_conf;

    for (i = 0; cf->cycle->modules[i]; i++) {
        module = cf->cycle->modules[i];

        if (module->type != NGX_HTTP_MODULE) {
            continue;
        }

        for (n = 0; ngx_http_og_upstream_modules[n]; n++) {

            if (ngx_strcmp(module->name, ngx_http_og_upstream_modules[n]) == 0
                && ngx_http_og_check_upstream(cf, conf,
                                              loc_conf[module->ctx_index])
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_check_upstream(ngx_conf_t *cf, ngx_http_og_loc_conf_t *conf,
    ngx_http_upstream_conf_t *ucf)
{
    if (ucf->next_upstream & NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"non_idempotent\" in a \"next_upstream\" "
                           "directive lets nginx send an order twice where "
                           "\"order_guard_idempotency\" is on, remove it");
        return NGX_ERROR;
    }

#if (NGX_HTTP_CACHE)

    return ngx_http_og_check_cache(cf, conf, ucf);

#else

    return NGX_OK;

#endif
}


#if (NGX_HTTP_CACHE)

/* A cached answer, of another order or a stale one, is none to this order. */

static ngx_int_t
ngx_http_og_check_cache(ngx_conf_t *cf, ngx_http_og_loc_conf_t *conf,
    ngx_http_upstream_conf_t *ucf)
{
    ngx_uint_t  i;

    static const struct {
        ngx_uint_t  bit;
        ngx_str_t   name;
    } methods[] = {
        { NGX_HTTP_GET, ngx_string("GET") },
        { NGX_HTTP_HEAD, ngx_string("HEAD") },
        { NGX_HTTP_POST, ngx_string("POST") }
    };

    for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {

        if (ucf->cache == 1 && (ucf->cache_methods & methods[i].bit)
            && ngx_http_og_method_is_guarded(conf, &methods[i].name))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "a cache for %V answers orders in place of the "
                               "upstream where \"order_guard_idempotency\" is "
                               "on, take the method out of \"cache_methods\" "
                               "or turn the cache off", &methods[i].name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}

#endif
