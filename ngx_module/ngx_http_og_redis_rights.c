
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


/* A word "" stands for a key that never is. */
static const char *ngx_http_og_redis_rights[NGX_HTTP_OG_REDIS_RIGHTS]
                                           [NGX_HTTP_OG_REDIS_MAX_RIGHT] =
{
    { "get", "", NULL },
    { "del", "", NULL },
    { "pexpire", "", "1", "GT", NULL },
    { "pttl", "", NULL },
    { "wait", "0", "1", NULL },             /* the last: see nrights() */
};


static ngx_uint_t ngx_http_og_redis_nrights(ngx_http_og_redis_t *link);
static ngx_int_t ngx_http_og_redis_say_right(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, const char **words);


ngx_int_t
ngx_http_og_redis_say_rights(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch)
{
    ngx_uint_t  i;

    /* the marker's name shows which keys are ours */

    if (link->conf->epoch_key.len == 0) {
        return NGX_OK;
    }

    for (i = 0; i < ngx_http_og_redis_nrights(link); i++) {

        if (ngx_http_og_redis_say_right(link, batch,
                                        ngx_http_og_redis_rights[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_og_redis_nrights(ngx_http_og_redis_t *link)
{
    return NGX_HTTP_OG_REDIS_RIGHTS - (link->conf->wait == 0);
}


static ngx_int_t
ngx_http_og_redis_say_right(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, const char **words)
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
    u_char      list[NGX_HTTP_OG_REDIS_MAX_LIST], *p, *last;
    ngx_uint_t  i;

    p = list;
    last = list + sizeof(list);

    for (i = 0; i < ngx_http_og_redis_nrights(link); i++) {

        if (ngx_http_og_redis_is_error(reply[i], "NOPERM")) {
            p = ngx_slprintf(p, last, " +%s", ngx_http_og_redis_rights[i][0]);
        }
    }

    if (p != list) {
        ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_FAILURE, NGX_LOG_ERR,
                              0, "refuses what orders need, its ACL must "
                              "allow%*s on the keys of \"prefix=\"",
                              (size_t) (p - list), list);
    }
}
