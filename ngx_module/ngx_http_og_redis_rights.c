
/*
 * Copyright (C) order guard contributors
 *
 * The rights that requests need, tried when a connection is made: one that is
 * missing is told before the first order meets it.  None of these commands
 * changes anything.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_MAX_RIGHT  5       /* words */
#define NGX_HTTP_OG_REDIS_MAX_LIST   128


/* Who needs it. */
typedef enum {
    NGX_HTTP_OG_REDIS_ALL = 0,
    NGX_HTTP_OG_REDIS_WAITING,              /* with wait= */
    NGX_HTTP_OG_REDIS_CLUSTERED
} ngx_http_og_redis_whose_e;


/*
 * A word "" stands for a key that never is.  ASKING holds for the command that
 * follows, which must be no claim.
 */
typedef struct {
    ngx_http_og_redis_whose_e  whose;
    const char                *words[NGX_HTTP_OG_REDIS_MAX_RIGHT];
} ngx_http_og_redis_right_t;


static const ngx_http_og_redis_right_t
    ngx_http_og_redis_rights[NGX_HTTP_OG_REDIS_RIGHTS] =
{
    { NGX_HTTP_OG_REDIS_CLUSTERED,  { "asking", NULL } },
    { NGX_HTTP_OG_REDIS_ALL,        { "get", "", NULL } },
    { NGX_HTTP_OG_REDIS_ALL,        { "del", "", NULL } },
    { NGX_HTTP_OG_REDIS_ALL,        { "pexpire", "", "1", "GT", NULL } },
    { NGX_HTTP_OG_REDIS_ALL,        { "pttl", "", NULL } },
    { NGX_HTTP_OG_REDIS_WAITING,    { "wait", "0", "1", NULL } }
};


static ngx_uint_t ngx_http_og_redis_is_needed(ngx_http_og_redis_t *link,
    const ngx_http_og_redis_right_t *right);
static ngx_int_t ngx_http_og_redis_say_right(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, const char *const *words);


ngx_int_t
ngx_http_og_redis_say_rights(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch)
{
    ngx_uint_t                        i;
    const ngx_http_og_redis_right_t  *right;

    /* the marker's name shows which keys are ours */

    if (link->conf->epoch_key.len == 0) {
        return NGX_OK;
    }

    for (i = 0; i < NGX_HTTP_OG_REDIS_RIGHTS; i++) {
        right = &ngx_http_og_redis_rights[i];

        if (ngx_http_og_redis_is_needed(link, right)
            && ngx_http_og_redis_say_right(link, batch, right->words)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_og_redis_is_needed(ngx_http_og_redis_t *link,
    const ngx_http_og_redis_right_t *right)
{
    switch (right->whose) {

    case NGX_HTTP_OG_REDIS_WAITING:
        return link->conf->wait != 0;

    case NGX_HTTP_OG_REDIS_CLUSTERED:
        return link->conf->role == NGX_HTTP_OG_REDIS_NODE;

    default: /* NGX_HTTP_OG_REDIS_ALL */
        return 1;
    }
}


static ngx_int_t
ngx_http_og_redis_say_right(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, const char *const *words)
{
    u_char      *p;
    ngx_int_t    rc;
    ngx_str_t    args[NGX_HTTP_OG_REDIS_MAX_RIGHT], key;
    ngx_uint_t   n;

    key.len = link->conf->epoch_key.len + sizeof(":none") - 1;
    key.data = ngx_alloc(key.len, &link->log);
    if (key.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(key.data, link->conf->epoch_key.data,
                   link->conf->epoch_key.len);
    ngx_memcpy(p, ":none", sizeof(":none") - 1);

    for (n = 0; words[n]; n++) {
        args[n].data = (u_char *) words[n];
        args[n].len = ngx_strlen(words[n]);

        if (args[n].len == 0) {
            args[n] = key;
        }
    }

    rc = ngx_http_og_redis_command(batch, args, n);

    ngx_free(key.data);

    return rc;
}


void
ngx_http_og_redis_read_rights(ngx_http_og_redis_t *link, redisReply **reply)
{
    u_char                            list[NGX_HTTP_OG_REDIS_MAX_LIST];
    u_char                           *p, *last;
    ngx_uint_t                        i;
    const ngx_http_og_redis_right_t  *right;

    p = list;
    last = list + sizeof(list);

    for (i = 0; i < NGX_HTTP_OG_REDIS_RIGHTS; i++) {
        right = &ngx_http_og_redis_rights[i];

        if (ngx_http_og_redis_is_needed(link, right)
            && ngx_http_og_redis_is_error(*reply++, "NOPERM"))
        {
            p = ngx_slprintf(p, last, " +%s", right->words[0]);
        }
    }

    if (p != list) {
        ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_FAILURE, NGX_LOG_ERR,
                              0, "refuses what orders need, its ACL must "
                              "allow%*s on the keys of \"prefix=\"",
                              (size_t) (p - list), list);
    }
}
