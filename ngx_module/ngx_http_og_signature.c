
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og.h"


static ngx_uint_t ngx_http_og_is_covered(ngx_http_request_t *r,
    const ngx_str_t *components);


/*
 * Components of RFC 9421, section 2, as they end or begin in a
 * Signature-Input.  Content-Digest, Repr-Digest and Digest are all digests.
 */

static const ngx_str_t  ngx_http_og_body_components[] = {
    ngx_string("digest\""),
    ngx_string("\"content-length\""),
    ngx_null_string
};


static const ngx_str_t  ngx_http_og_query_components[] = {
    ngx_string("\"@query"),         /* and "@query-param" */
    ngx_string("\"@target-uri\""),
    ngx_string("\"@request-target\""),
    ngx_null_string
};


ngx_uint_t
ngx_http_og_body_is_signed(ngx_http_request_t *r)
{
    return ngx_http_og_is_covered(r, ngx_http_og_body_components);
}


ngx_uint_t
ngx_http_og_query_is_signed(ngx_http_request_t *r)
{
    return ngx_http_og_is_covered(r, ngx_http_og_query_components);
}


static ngx_uint_t
ngx_http_og_is_covered(ngx_http_request_t *r, const ngx_str_t *components)
{
    u_char           *last;
    ngx_table_elt_t  *h;
    static ngx_str_t  name = ngx_string("signature-input");

    switch (ngx_http_og_count_headers(r, &name, &h)) {

    case 0:
        return 0;

    case 1:
        break;

    default:
        /* a list over several lines: nobody knows who reads how much */
        return 1;
    }

    last = h->value.data + h->value.len;

    for ( /* void */ ; components->len; components++) {

        if (ngx_strlcasestrn(h->value.data, last, components->data,
                             components->len - 1)
            != NULL)
        {
            return 1;
        }
    }

    return 0;
}
