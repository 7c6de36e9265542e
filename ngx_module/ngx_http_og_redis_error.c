
/*
 * Copyright (C) order guard contributors
 *
 * Error replies: what they say of the server, and what of them may be told.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_MAX_CODE      32
#define NGX_HTTP_OG_REDIS_MAX_WORDS     96


typedef struct {
    const char  *code;
    const char  *clause;
} ngx_http_og_redis_unfit_t;


static const char *ngx_http_og_redis_refused_command(redisReply *reply,
    size_t *len);


/* The server cannot serve now; another one, or this one later, may. */
static const ngx_http_og_redis_unfit_t  ngx_http_og_redis_unfits[] = {
    { "LOADING",    "it is loading its data" },
    { "READONLY",   "it is a replica" },
    { "MASTERDOWN", "it is a replica that has lost its master" },
    { "WRONGPASS",  "AUTH was refused, see password_file=" },
    { "NOAUTH",     "it wants a password, see password_file=" },
    { NULL,         NULL }
};


/* It answers what it knows, and writes nothing. */
static const char  *ngx_http_og_redis_full_codes[] = {
    "OOM",              /* no memory */
    "NOREPLICAS",       /* fewer than min-replicas-to-write */
    "MISCONF",          /* its last save to disk has failed */
    NULL
};


/* A cluster's node that does not have the slot. */
static const char  *ngx_http_og_redis_moved_codes[] = {
    "MOVED",
    "ASK",
    "TRYAGAIN",         /* not all of a command's keys are there */
    "CLUSTERDOWN",      /* and does not know who has it */
    NULL
};


const char *
ngx_http_og_redis_unfit(redisReply *reply)
{
    const ngx_http_og_redis_unfit_t  *unfit;

    if (reply->type != REDIS_REPLY_ERROR) {
        return NULL;
    }

    for (unfit = ngx_http_og_redis_unfits; unfit->code; unfit++) {
        if (ngx_http_og_redis_is_error(reply, unfit->code)) {
            return unfit->clause;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_og_redis_writes_nothing(redisReply *reply)
{
    const char  **code;

    for (code = ngx_http_og_redis_full_codes; *code; code++) {
        if (ngx_http_og_redis_is_error(reply, *code)) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_og_redis_is_moved(redisReply *reply)
{
    const char  **code;

    for (code = ngx_http_og_redis_moved_codes; *code; code++) {
        if (ngx_http_og_redis_is_error(reply, *code)) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_og_redis_is_error(redisReply *reply, const char *code)
{
    return reply->type == REDIS_REPLY_ERROR
           && ngx_strcmp(ngx_http_og_redis_code(reply), code) == 0;
}


const char *
ngx_http_og_redis_code(redisReply *reply)
{
    size_t       i, len;

    static char  code[NGX_HTTP_OG_REDIS_MAX_CODE];

    if (reply->type != REDIS_REPLY_ERROR) {
        return "a reply of another type";
    }

    len = ngx_min((size_t) reply->len, sizeof(code) - 1);

    for (i = 0; i < len; i++) {
        if (reply->str[i] < 'A' || reply->str[i] > 'Z') {
            break;
        }

        code[i] = reply->str[i];
    }

    code[i] = '\0';

    return code;
}


/*
 * Only the code is ever told, and the command that an ACL refuses: the text of
 * an error may repeat arguments, and thus a password.
 */

const char *
ngx_http_og_redis_words(redisReply *reply)
{
    size_t       len;
    const char  *code, *command;

    static char  words[NGX_HTTP_OG_REDIS_MAX_WORDS];

    code = ngx_http_og_redis_code(reply);

    if (!ngx_http_og_redis_is_error(reply, "NOPERM")) {
        return code;
    }

    command = ngx_http_og_redis_refused_command(reply, &len);

    if (command == NULL) {
        return "NOPERM for a key";
    }

    *ngx_snprintf((u_char *) words, sizeof(words) - 1, "NOPERM for \"%*s\"",
                  len, command) = '\0';

    return words;
}


/* The one word in quotes; a command's, with a "|" before a subcommand. */

static const char *
ngx_http_og_redis_refused_command(redisReply *reply, size_t *len)
{
    u_char      *p, *last;
    const char  *quote;

    last = (u_char *) reply->str + reply->len;

    p = ngx_strlchr((u_char *) reply->str, last, '\'');
    if (p == NULL) {
        return NULL;
    }

    quote = (char *) ++p;

    while (p < last
           && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
               || *p == '|'))
    {
        p++;
    }

    *len = p - (u_char *) quote;

    return (p < last && *p == '\'' && *len) ? quote : NULL;
}
