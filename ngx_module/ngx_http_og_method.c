
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_uint_t ngx_http_og_is_overridden(ngx_http_request_t *r,
    ngx_http_og_loc_conf_t *olcf);
static ngx_uint_t ngx_http_og_may_become(ngx_http_request_t *r,
    ngx_http_og_loc_conf_t *olcf, ngx_str_t *value);
static ngx_uint_t ngx_http_og_is_overridden_by_query(ngx_http_request_t *r,
    ngx_http_og_loc_conf_t *olcf);
static ngx_uint_t ngx_http_og_is_method_field(ngx_str_t *field);
static u_char ngx_http_og_next_char(u_char **p, u_char *last);
static ngx_uint_t ngx_http_og_field_may_become(ngx_http_request_t *r,
    ngx_http_og_loc_conf_t *olcf, ngx_str_t *field);
static ngx_uint_t ngx_http_og_method_is_among(const ngx_str_t *name,
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
    ngx_str_t        *name;
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

        if (ngx_http_og_may_become(r, olcf, &h->value)) {
            return 1;
        }
    }

    return ngx_http_og_is_overridden_by_query(r, olcf);
}


/*
 * Whether an upstream may take the value for a guarded method.  One that is
 * more than a name, "PUT, x" say, is whatever the upstream makes of it.
 */

static ngx_uint_t
ngx_http_og_may_become(ngx_http_request_t *r, ngx_http_og_loc_conf_t *olcf,
    ngx_str_t *value)
{
    ngx_uint_t  i;
    ngx_str_t   method;

    method.len = value->len;
    method.data = ngx_pnalloc(r->pool, method.len);

    if (method.data == NULL) {
        return 1;
    }

    for (i = 0; i < method.len; i++) {
        method.data[i] = ngx_toupper(value->data[i]);

        if (method.data[i] < 'A' || method.data[i] > 'Z') {
            return 1;
        }
    }

    return ngx_http_og_method_is_guarded(olcf, &method);
}


/*
 * "_method" is Rails', Laravel's and Symfony's; each of several counts, since
 * which one the upstream takes is its choice.  unparsed_uri goes on behind a
 * "#", where r->args ends.
 */

static ngx_uint_t
ngx_http_og_is_overridden_by_query(ngx_http_request_t *r,
    ngx_http_og_loc_conf_t *olcf)
{
    u_char     *p, *last, *equals;
    ngx_str_t   name, value;

    last = r->unparsed_uri.data + r->unparsed_uri.len;

    for (p = ngx_strlchr(r->unparsed_uri.data, last, '?');
         p && p < last;
         p = value.data + value.len)
    {
        name.data = ++p;

        while (p < last && *p != '&' && *p != ';') {
            p++;
        }

        equals = ngx_strlchr(name.data, p, '=');

        name.len = (equals ? equals : p) - name.data;
        value.data = equals ? equals + 1 : p;
        value.len = p - value.data;

        if (ngx_http_og_is_method_field(&name)
            && ngx_http_og_field_may_become(r, olcf, &value))
        {
            return 1;
        }
    }

    return 0;
}


/*
 * "_method" in whatever way it may be written: PHP drops spaces in front, takes
 * a dot or a bracket for "_", and ends a name at a NUL.
 */

static ngx_uint_t
ngx_http_og_is_method_field(ngx_str_t *field)
{
    u_char      *p, *last, c;
    ngx_uint_t   n, front;

    static const u_char  name[] = "method";

    p = field->data;
    last = p + field->len;
    front = 0;
    n = 0;

    while (p < last) {
        c = ngx_http_og_next_char(&p, last);

        if (c == '\0') {
            break;
        }

        c = ngx_tolower(c);

        if (c < 'a' || c > 'z') {
            front |= (n == 0);
            continue;
        }

        if (n == sizeof(name) - 1 || c != name[n]) {
            return 0;
        }

        n++;
    }

    return front && n == sizeof(name) - 1;
}


/* A character may be written as "%" and two digits. */

static u_char
ngx_http_og_next_char(u_char **p, u_char *last)
{
    u_char     *text;
    ngx_int_t   code;

    text = (*p)++;

    if (*text == '%' && last - text > 2) {
        code = ngx_hextoi(text + 1, 2);

        if (code != NGX_ERROR) {
            *p = text + 3;
            return (u_char) code;
        }
    }

    return *text;
}


static ngx_uint_t
ngx_http_og_field_may_become(ngx_http_request_t *r,
    ngx_http_og_loc_conf_t *olcf, ngx_str_t *field)
{
    u_char     *src, *dst;
    ngx_str_t   value;

    value.data = ngx_pnalloc(r->pool, field->len);
    if (value.data == NULL) {
        return 1;
    }

    src = field->data;
    dst = value.data;

    ngx_unescape_uri(&dst, &src, field->len, 0);

    value.len = dst - value.data;

    return ngx_http_og_may_become(r, olcf, &value);
}


ngx_uint_t
ngx_http_og_method_is_guarded(ngx_http_og_loc_conf_t *olcf,
    const ngx_str_t *name)
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
ngx_http_og_method_is_among(const ngx_str_t *name, ngx_str_t *method,
    ngx_uint_t n)
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
