
/*
 * Copyright (C) order guard contributors
 *
 * Errors of the guard's own, as a table.
 */


#include "ngx_http_og.h"


/*
 * safe_new_key says whether an order under a new key can become a second one;
 * absent where no key is in play.
 */

static const ngx_http_og_error_t  ngx_http_og_errors[] = {

    { 0, NULL, NULL, OG_TRI_ABSENT, OG_TRI_ABSENT },

    { 401, "TOKEN_REQUIRED",
      "The request names no caller: send the API token.",
      OG_TRI_FALSE, OG_TRI_ABSENT },

    { 400, "BODY_MALFORMED", NULL, OG_TRI_FALSE, OG_TRI_TRUE },

    { 400, "BODY_SIGNED",
      "The body holds fields that are removed here, and a signature covers "
      "it: leave them out and sign again.",
      OG_TRI_FALSE, OG_TRI_TRUE },

    { 413, "BODY_TOO_LARGE", "The body is larger than this API accepts.",
      OG_TRI_FALSE, OG_TRI_TRUE },

    { 415, "MEDIA_TYPE_UNSUPPORTED",
      "Send one Content-Type of JSON, JSON Patch or a form, in UTF-8, without "
      "a Content-Encoding.",
      OG_TRI_FALSE, OG_TRI_TRUE },

    { 422, "FIELD_FORBIDDEN",
      "The request has fields that a client must not set: leave them out.",
      OG_TRI_FALSE, OG_TRI_TRUE },

    { 400, "IDEMPOTENCY_KEY_REQUIRED",
      "This operation needs an idempotency key: a new one for each order, "
      "the same one for each retry of it.",
      OG_TRI_FALSE, OG_TRI_ABSENT },

    { 400, "IDEMPOTENCY_KEY_INVALID",
      "The idempotency key must be given once, as 1 to 255 visible ASCII "
      "characters or as an RFC 9651 String.",
      OG_TRI_FALSE, OG_TRI_ABSENT },

    { 422, "IDEMPOTENCY_KEY_REUSED",
      "The idempotency key was used for another request: use a new key for "
      "a new request.",
      OG_TRI_FALSE, OG_TRI_TRUE },

    { 409, "IDEMPOTENCY_IN_PROGRESS",
      "A request with this idempotency key is being processed: retry with "
      "the same key.",
      OG_TRI_TRUE, OG_TRI_FALSE },

    { 409, "IDEMPOTENCY_OUTCOME_UNKNOWN",
      "The first request with this idempotency key was sent, and its outcome "
      "is not known: look the order up before ordering again.",
      OG_TRI_FALSE, OG_TRI_FALSE },

    { 409, "IDEMPOTENCY_RESULT_UNAVAILABLE",
      "The first request with this idempotency key was completed, but its "
      "answer was not kept: look the order up.",
      OG_TRI_FALSE, OG_TRI_FALSE },

    { 429, "RATE_LIMITED", "Too many requests: retry later.",
      OG_TRI_TRUE, OG_TRI_TRUE },

    { 503, "STORE_UNAVAILABLE",
      "The request was not processed: retry with the same idempotency key.",
      OG_TRI_TRUE, OG_TRI_FALSE },

    { 502, "UPSTREAM_UNREACHABLE", "The service could not be reached.",
      OG_TRI_TRUE, OG_TRI_TRUE },

    { 502, "UPSTREAM_RESET", "The service broke off its answer.",
      OG_TRI_FALSE, OG_TRI_FALSE },

    { 504, "UPSTREAM_TIMEOUT", "The service did not answer in time.",
      OG_TRI_FALSE, OG_TRI_FALSE },

    { 500, "INTERNAL_SERVER_ERROR", "The request could not be processed.",
      OG_TRI_FALSE, OG_TRI_ABSENT }
};


const ngx_http_og_error_t *
ngx_http_og_error(ngx_http_og_error_e error)
{
    return &ngx_http_og_errors[error];
}


ngx_uint_t
ngx_http_og_error_status(ngx_http_og_error_e error)
{
    return ngx_http_og_errors[error].status;
}


const char *
ngx_http_og_error_code(ngx_http_og_error_e error)
{
    return ngx_http_og_errors[error].code;
}


ngx_http_og_error_e
ngx_http_og_error_of_status(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_uint_t status)
{
    switch (status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        return NGX_HTTP_OG_BODY_TOO_LARGE;

    case NGX_HTTP_BAD_GATEWAY:
        if (r->upstream == NULL) {
            return NGX_HTTP_OG_NO_ERROR;
        }

        return ngx_http_og_was_sent(r, ctx) ? NGX_HTTP_OG_UPSTREAM_RESET
                                       : NGX_HTTP_OG_UPSTREAM_UNREACHABLE;

    case NGX_HTTP_GATEWAY_TIME_OUT:
        return r->upstream ? NGX_HTTP_OG_UPSTREAM_TIMEOUT
                           : NGX_HTTP_OG_NO_ERROR;

    default:
        return NGX_HTTP_OG_NO_ERROR;
    }
}
