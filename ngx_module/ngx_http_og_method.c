
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_uint_t ngx_http_og_is_overridden(ngx_http_request_t *r,
    ngx_http_og_loc_conf_t *olcf);
static ngx_uint_t ngx_http_og_method_is_guarded(ngx_http_og_loc_conf_t *olcf,
    ngx_str_t *name);
static ngx_uint_t ngx_http_og_method_is_among(ngx_str_t *name,
    ngx_str_t *method, ngx_uint_t n);


static ngx_str_t  ngx_http_og_exempt_methods[] = {
    ngx_string("GET"),
    ngx_string("HEAD"),
    ngx_string("OPTIONS"),
    ngx_string("TRACE")
};


static ngx_str_t  ngx_http_og_override_headers[] = {
    ngx_string("x-http-method-override"),
    ngx_string("x-http-method"),
    ngx_string("x-method-override"),
    ngx_null_string
};


/*
 * A body on a method that has none by rights, or a header that tells the
 * upstream to take the request for another one, makes it a guarded one.
 */

ngx_uint_t
ngx_http_og_is_guarded(ngx_http_request_t *r, ngx_http_og_loc_conf_t *olcf)
{
    return ngx_http_og_method_is_guarded(olcf, &r->method_name)
           || ngx_http_og_has_body(r)
           || ngx_http_og_is_overridden(r, olcf);
}


static ngx_uint_t
ngx_http_og_is_overridden(ngx_http_request_t *r, ngx_http_og_loc_conf_t *olcf)
{
    ngx_str_t        *name, method;
    ngx_uint_t        n;
    ngx_table_elt_t  *h;

    for (name = ngx_http_og_override_headers; name->len; name++) {

        n = ngx_http_og_count_headers(r, name, &h);

        if (n > 1) {
            /* which one counts is the upstream's choice */
            return 1;
        }

        if (n == 0) {
            continue;
        }

        method.len = h->value.len;
        method.data = ngx_pnalloc(r->pool, method.len);

        if (method.data == NULL) {
            return 1;
        }

        for (n = 0; n < method.len; n++) {
            method.data[n] = ngx_toupper(h->value.data[n]);
        }

        if (ngx_http_og_method_is_guarded(olcf, &method)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_og_method_is_guarded(ngx_http_og_loc_conf_t *olcf, ngx_str_t *name)
{
    if (olcf->methods) {
        return ngx_http_og_method_is_among(name, olcf->methods->elts,
                                           olcf->methods->nelts);
    }

    return !ngx_http_og_method_is_among(name, ngx_http_og_exempt_methods,
                                        sizeof(ngx_http_og_exempt_methods)
                                        / sizeof(ngx_str_t));
}


static ngx_uint_t
ngx_http_og_method_is_among(ngx_str_t *name, ngx_str_t *method, ngx_uint_t n)
{
    for ( /* void */ ; n; n--, method++) {
        if (method->len == name->len
            && ngx_memcmp(method->data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
