
/*
 * Copyright (C) order guard contributors
 *
 * What an upstream said and a client does not get to see stands in the error
 * log, where the trace id leads to it.
 */


#include "ngx_http_og.h"
#include "og_excerpt.h"


#define NGX_HTTP_OG_MAX_EXCERPT   768
#define NGX_HTTP_OG_MAX_TRACE_ID  128
#define NGX_HTTP_OG_SECRETS       3


static ngx_int_t ngx_http_og_list_secrets(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, og_excerpt_secret_t *secrets);


void
ngx_http_og_log_hidden(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_problem_t *problem)
{
    char                 text[NGX_HTTP_OG_MAX_EXCERPT];
    char                 trace_id[NGX_HTTP_OG_MAX_TRACE_ID];
    size_t               len, trace_id_len;
    ngx_str_t            body;
    ngx_uint_t           level;
    og_excerpt_secret_t  secrets[NGX_HTTP_OG_SECRETS];

    level = problem->status < NGX_HTTP_INTERNAL_SERVER_ERROR ? NGX_LOG_INFO
                                                             : NGX_LOG_ERR;

    /* what nginx's own configuration answers is no news to its operator */

    if (r->connection->log->log_level < level
        || r->upstream == NULL
        || ngx_http_og_list_secrets(r, ctx, secrets) != NGX_OK)
    {
        return;
    }

    body = ctx->content;

    if (ngx_http_og_is_encoded(r)) {
        ngx_str_set(&body, "(encoded)");
    }

    len = og_excerpt(text, sizeof(text), body.data, body.len, secrets,
                     NGX_HTTP_OG_SECRETS);

    trace_id_len = og_excerpt(trace_id, sizeof(trace_id),
                              (u_char *) problem->trace_id,
                              ngx_strlen(problem->trace_id), secrets,
                              NGX_HTTP_OG_SECRETS);

    ngx_log_error(level, r->connection->log, 0,
                  "order guard hid an upstream's error %ui, trace id "
                  "\"%*s\": \"%*s\"", (ngx_uint_t) problem->status,
                  trace_id_len, trace_id, len, text);
}


/* What the client proves itself with, and its key. */

static ngx_int_t
ngx_http_og_list_secrets(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    og_excerpt_secret_t *secrets)
{
    ngx_str_t  token, bearer;

    ngx_str_null(&token);

    if (ctx->conf->token
        && ngx_http_og_evaluate(r, ctx, ctx->conf->token, &token) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_og_bearer(r, &bearer);

    secrets[0].data = token.data;
    secrets[0].len = token.len;
    secrets[1].data = bearer.data;
    secrets[1].len = bearer.len;
    secrets[2].data = ctx->key.data;
    secrets[2].len = ctx->key.len;

    return NGX_OK;
}
