
/*
 * Copyright (C) order guard contributors
 *
 * Commands out and replies in: all that is known of hiredis is here and in
 * those who read replies.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_MAX_ARGS      32
#define NGX_HTTP_OG_REDIS_MAX_ELEMENTS  128

/* CLUSTER SLOTS: one range a slot at worst, and a node's replicas in each. */
#define NGX_HTTP_OG_REDIS_MAX_RANGES    16384
#define NGX_HTTP_OG_REDIS_MAX_NODES     64


static void *ngx_http_og_redis_create_array(const redisReadTask *task,
    int elements);


/* hiredis' own functions, but for the one that creates arrays. */
static redisReplyObjectFunctions   ngx_http_og_redis_functions;
static void                     *(*ngx_http_og_redis_plain_array)
                                      (const redisReadTask *task,
                                       int elements);


ngx_http_og_redis_batch_t *
ngx_http_og_redis_batch_create(ngx_uint_t size,
    ngx_http_og_redis_handler_pt handler, void *data)
{
    u_char                     *p;
    ngx_http_og_redis_batch_t  *batch;

    p = ngx_calloc(sizeof(ngx_http_og_redis_batch_t)
                   + size * (sizeof(ngx_str_t) + sizeof(redisReply *)),
                   ngx_cycle->log);
    if (p == NULL) {
        return NULL;
    }

    batch = (ngx_http_og_redis_batch_t *) p;
    batch->handler = handler;
    batch->data = data;
    batch->size = size;

    p += sizeof(ngx_http_og_redis_batch_t);
    batch->commands = (ngx_str_t *) p;

    p += size * sizeof(ngx_str_t);
    batch->replies = (redisReply **) p;

    return batch;
}


ngx_int_t
ngx_http_og_redis_command(ngx_http_og_redis_batch_t *batch,
    const ngx_str_t *argv, ngx_uint_t argc)
{
    int          len;
    char        *text;
    size_t       lens[NGX_HTTP_OG_REDIS_MAX_ARGS], total;
    ngx_str_t   *command;
    ngx_uint_t   i;
    const char  *args[NGX_HTTP_OG_REDIS_MAX_ARGS];

    if (batch->ncommands == batch->size || argc > NGX_HTTP_OG_REDIS_MAX_ARGS) {
        return NGX_ERROR;
    }

    total = 0;

    for (i = 0; i < argc; i++) {
        args[i] = (const char *) argv[i].data;
        lens[i] = argv[i].len;
        total += lens[i];
    }

    /* hiredis counts in int and asserts that it does not overflow */

    if (total > NGX_HTTP_OG_REDIS_MAX_BYTES) {
        return NGX_ERROR;
    }

    len = redisFormatCommandArgv(&text, (int) argc, args, lens);
    if (len < 0) {
        return NGX_ERROR;
    }

    command = &batch->commands[batch->ncommands++];
    command->data = (u_char *) text;
    command->len = len;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_redis_repeat(ngx_http_og_redis_batch_t *batch,
    const ngx_str_t *command)
{
    u_char  *copy;

    if (batch->ncommands == batch->size) {
        return NGX_ERROR;
    }

    /* redisFreeCommand() takes what malloc() gave */

    copy = ngx_alloc(command->len, ngx_cycle->log);
    if (copy == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(copy, command->data, command->len);

    batch->commands[batch->ncommands].data = copy;
    batch->commands[batch->ncommands].len = command->len;
    batch->ncommands++;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_redis_say(ngx_http_og_redis_batch_t *batch, ngx_uint_t argc, ...)
{
    va_list     words;
    ngx_str_t   args[NGX_HTTP_OG_REDIS_MAX_ARGS];
    ngx_uint_t  i;

    va_start(words, argc);

    for (i = 0; i < argc; i++) {
        args[i].data = (u_char *) va_arg(words, char *);
        args[i].len = ngx_strlen(args[i].data);
    }

    va_end(words);

    return ngx_http_og_redis_command(batch, args, argc);
}


void
ngx_http_og_redis_batch_free(ngx_http_og_redis_batch_t *batch)
{
    ngx_uint_t  i;

    for (i = 0; i < batch->ncommands; i++) {
        redisFreeCommand((char *) batch->commands[i].data);
    }

    for (i = 0; i < batch->nreplies; i++) {
        freeReplyObject(batch->replies[i]);
    }

    ngx_free(batch);
}


void
ngx_http_og_redis_batch_end(ngx_http_og_redis_batch_t *batch,
    ngx_http_og_redis_outcome_e outcome)
{
    batch->outcome = outcome;
    batch->handler(batch);

    ngx_http_og_redis_batch_free(batch);
}


redisReader *
ngx_http_og_redis_reader_create(ngx_uint_t clustered)
{
    redisReader  *reader;

    reader = redisReaderCreate();
    if (reader == NULL) {
        return NULL;
    }

    if (ngx_http_og_redis_plain_array == NULL) {
        ngx_http_og_redis_functions = *reader->fn;
        ngx_http_og_redis_plain_array = reader->fn->createArray;
        ngx_http_og_redis_functions.createArray =
                                               ngx_http_og_redis_create_array;
    }

    reader->fn = &ngx_http_og_redis_functions;
    reader->privdata = clustered ? reader : NULL;

    return reader;
}


/*
 * hiredis 0.14 believes any announced length and allocates for it at once.
 * No reply asked for here has an array in an array, but for a cluster's map.
 */

static void *
ngx_http_og_redis_create_array(const redisReadTask *task, int elements)
{
    int  most;

    most = NGX_HTTP_OG_REDIS_MAX_ELEMENTS;

    if (task->privdata != NULL) {
        most = task->parent ? NGX_HTTP_OG_REDIS_MAX_NODES
                            : NGX_HTTP_OG_REDIS_MAX_RANGES;

    } else if (task->parent != NULL) {
        return NULL;
    }

    if (elements > most) {
        return NULL;
    }

    return ngx_http_og_redis_plain_array(task, elements);
}
