
/*
 * Copyright (C) order guard contributors
 */


#include "ngx_http_og_conf.h"


static char *ngx_http_og_store(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_og_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_og_token(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_og_check_challenge(ngx_conf_t *cf,
    ngx_str_t *challenge);
static char *ngx_http_og_methods(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_og_values(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_og_statuses(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_conf_enum_t  ngx_http_og_match_modes[] = {
    { ngx_string("exact"), OG_MATCH_EXACT },
    { ngx_string("caseless"), OG_MATCH_CASELESS },
    { ngx_string("loose"), OG_MATCH_LOOSE },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_og_unlisted_modes[] = {
    { ngx_string("strip"), 0 },
    { ngx_string("reject"), 1 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_og_failure_modes[] = {
    { ngx_string("reject"), 0 },
    { ngx_string("pass"), 1 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_og_limit_header_modes[] = {
    { ngx_string("draft"), NGX_HTTP_OG_HEADERS_DRAFT },
    { ngx_string("legacy"), NGX_HTTP_OG_HEADERS_LEGACY },
    { ngx_string("both"),
      NGX_HTTP_OG_HEADERS_DRAFT|NGX_HTTP_OG_HEADERS_LEGACY },
    { ngx_string("off"), NGX_HTTP_OG_HEADERS_OFF },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_og_limit_failure_modes[] = {
    { ngx_string("local"), NGX_HTTP_OG_LIMIT_LOCAL },
    { ngx_string("pass"), NGX_HTTP_OG_LIMIT_PASS },
    { ngx_string("reject"), NGX_HTTP_OG_LIMIT_REJECT },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_og_detail_modes[] = {
    { ngx_string("pass"), NGX_HTTP_OG_DETAIL_PASS },
    { ngx_string("hide"), NGX_HTTP_OG_DETAIL_HIDE },
    { ngx_null_string, 0 }
};


static ngx_conf_post_handler_pt  ngx_http_og_error_type_p =
    ngx_http_og_check_error_type;


#define NGX_HTTP_OG_ANY_CONF                                                  \
    (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF)


ngx_command_t  ngx_http_og_commands[] = {

    { ngx_string("order_guard"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, enable),
      NULL },

    { ngx_string("order_guard_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_og_store,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_og_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_secret"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_og_conf_secret,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_token"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE123,
      ngx_http_og_token,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_methods"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_og_methods,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, methods),
      NULL },

    { ngx_string("order_guard_strip"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_og_conf_fields,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, strip),
      NULL },

    { ngx_string("order_guard_reject"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_og_conf_fields,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, reject),
      NULL },

    { ngx_string("order_guard_allow"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_og_conf_fields,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, allow),
      NULL },

    { ngx_string("order_guard_unlisted"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, reject_unlisted),
      &ngx_http_og_unlisted_modes },

    { ngx_string("order_guard_set"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE123,
      ngx_http_og_conf_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_match"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, match),
      &ngx_http_og_match_modes },

    { ngx_string("order_guard_body_limit"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, body_limit),
      NULL },

    { ngx_string("order_guard_json_depth"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_depth,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, json_depth),
      NULL },

    { ngx_string("order_guard_idempotency"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_og_conf_idempotency,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_idempotency_key"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_idempotency_fingerprint"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_og_values,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, fingerprint),
      NULL },

    { ngx_string("order_guard_idempotency_release"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_og_statuses,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, release),
      NULL },

    { ngx_string("order_guard_idempotency_response_limit"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, response_limit),
      NULL },

    { ngx_string("order_guard_idempotency_headers"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_og_conf_headers,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, headers),
      NULL },

    { ngx_string("order_guard_idempotency_mark"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_mark,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_idempotency_wait"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_msec,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, wait),
      NULL },

    { ngx_string("order_guard_idempotency_on_failure"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, pass_on_failure),
      &ngx_http_og_failure_modes },

    { ngx_string("order_guard_limit"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1234,
      ngx_http_og_conf_limit,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_limit_headers"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, limit_headers),
      &ngx_http_og_limit_header_modes },

    { ngx_string("order_guard_limit_on_failure"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, limit_failure),
      &ngx_http_og_limit_failure_modes },

    { ngx_string("order_guard_records"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE12,
      ngx_http_og_conf_records,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_errors"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_errors,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_error_format"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_og_conf_error_format,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_error_fields"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_og_conf_error_fields,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_error_when"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE3,
      ngx_http_og_conf_error_when,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("order_guard_error_skip"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_og_statuses,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, error_skip),
      NULL },

    { ngx_string("order_guard_error_detail"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_og_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, error_detail),
      &ngx_http_og_detail_modes },

    { ngx_string("order_guard_error_type"),
      NGX_HTTP_OG_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_og_loc_conf_t, error_type),
      &ngx_http_og_error_type_p },

      ngx_null_command
};


ngx_uint_t
ngx_http_og_status_in(ngx_http_og_statuses_t *set, ngx_uint_t status)
{
    if (set == NULL || status < 100 || status > 599) {
        return 0;
    }

    status -= 100;

    return (set->bits[status / 64] >> (status % 64)) & 1;
}


void
ngx_http_og_status_add(ngx_http_og_statuses_t *set, ngx_uint_t status)
{
    status -= 100;

    set->bits[status / 64] |= (uint64_t) 1 << (status % 64);
}


static char *
ngx_http_og_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_main_conf_t *omcf = conf;

    return ngx_http_og_store_add(cf, &omcf->stores);
}


static char *
ngx_http_og_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_main_conf_t *omcf = conf;

    ssize_t     size;
    ngx_str_t  *value;

    if (omcf->zone_size) {
        return "is duplicate";
    }

    value = cf->args->elts;
    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || size < NGX_HTTP_OG_ZONE_MIN_SIZE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" in \"order_guard_zone\", it "
                           "must be 32k or more, as in \"8m\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    omcf->zone_size = size;

    return NGX_CONF_OK;
}


static char *
ngx_http_og_token(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_loc_conf_t *olcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    if (olcf->token != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    olcf->token = ngx_http_og_compile(cf, &value[1]);
    if (olcf->token == NULL) {
        return NGX_CONF_ERROR;
    }

    if (olcf->token->lengths == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "token \"%V\" is the same for all callers, it must "
                           "contain a variable, as in "
                           "\"$order_guard_bearer\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    olcf->token_optional = 0;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "optional") == 0) {
            olcf->token_optional = 1;
            continue;
        }

        if (ngx_strncmp(value[i].data, "challenge=", 10) == 0
            && value[i].len > 10)
        {
            olcf->challenge.len = value[i].len - 10;
            olcf->challenge.data = value[i].data + 10;

            if (ngx_http_og_check_challenge(cf, &olcf->challenge) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", it must be "
                           "\"optional\" or \"challenge=string\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* It becomes a header's value as it is. */

static ngx_int_t
ngx_http_og_check_challenge(ngx_conf_t *cf, ngx_str_t *challenge)
{
    size_t  i;

    for (i = 0; i < challenge->len; i++) {
        if (challenge->data[i] < ' ' || challenge->data[i] > '~') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid character in the challenge, it must "
                               "be printable ASCII, as in \"ApiKey\"");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * A field is looked at here, where its line is known; the set for matching is
 * made when all levels are.
 */

static char *
ngx_http_og_methods(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char      *p;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        for (p = value[i].data; (*p >= 'A' && *p <= 'Z') || *p == '-'; p++) {
            /* void */
        }

        if (*p != '\0' || value[i].len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid method \"%V\", it must be in capital "
                               "letters, as in \"POST\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (ngx_strcmp(value[i].data, "OPTIONS") == 0
            || ngx_strcmp(value[i].data, "HEAD") == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "method \"%V\" is never guarded, remove it",
                               &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_og_conf_words(cf, cmd, conf);
}


ngx_http_complex_value_t *
ngx_http_og_compile(ngx_conf_t *cf, ngx_str_t *text)
{
    ngx_http_complex_value_t          *cv;
    ngx_http_compile_complex_value_t   ccv;

    cv = ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (cv == NULL) {
        return NULL;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = cv;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NULL;
    }

    return cv;
}


static char *
ngx_http_og_values(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_array_t               **values;
    ngx_http_complex_value_t  **cv;

    values = (ngx_array_t **) (p + cmd->offset);

    if (*values == NGX_CONF_UNSET_PTR) {
        *values = ngx_array_create(cf->pool, 2,
                                   sizeof(ngx_http_complex_value_t *));
        if (*values == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        cv = ngx_array_push(*values);
        if (cv == NULL) {
            return NGX_CONF_ERROR;
        }

        *cv = ngx_http_og_compile(cf, &value[i]);
        if (*cv == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* Statuses stand as "503" or as a class, "4xx". */

static char *
ngx_http_og_statuses(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_int_t                 first, last;
    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_og_statuses_t  **set;

    set = (ngx_http_og_statuses_t **) (p + cmd->offset);

    if (*set == NGX_CONF_UNSET_PTR) {
        *set = ngx_pcalloc(cf->pool, sizeof(ngx_http_og_statuses_t));
        if (*set == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 3
            && (ngx_strcmp(&value[i].data[1], "xx") == 0))
        {
            first = ngx_atoi(value[i].data, 1) * 100;
            last = first + 99;

        } else {
            first = ngx_atoi(value[i].data, value[i].len);
            last = first;
        }

        if (first < 300 || last > 599) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid status \"%V\", it must be a status "
                               "from 300 to 599 or a class, as in \"4xx\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        while (first <= last) {
            ngx_http_og_status_add(*set, first++);
        }
    }

    return NGX_CONF_OK;
}
