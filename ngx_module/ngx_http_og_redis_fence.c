
/*
 * Copyright (C) order guard contributors
 *
 * The fence, and whether the server still has its data.
 *
 * Bytes of a connection that was closed with replies owed can still reach the
 * server, held by a kernel or a proxy on the way.  Killing that connection by
 * its id makes sure that they never run.
 *
 * The epoch is a marker key without an end of life.  Where it is gone, the
 * data that stood beside it is gone, too.
 */


#include <hiredis/hiredis.h>
#include <openssl/rand.h>

#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_PROBE_PERIOD   1000    /* ms */

/* No client ever has this id: asks whether the ACL lets us kill. */
#define NGX_HTTP_OG_REDIS_NO_CLIENT      "9223372036854775807"


static ngx_int_t ngx_http_og_redis_say_epoch(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_fenced(ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_read_kill(ngx_http_og_redis_t *link,
    redisReply *reply);
static ngx_int_t ngx_http_og_redis_read_epoch(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n);
static void ngx_http_og_redis_probed(ngx_http_og_redis_batch_t *batch);
static ngx_uint_t ngx_http_og_redis_is_refused(ngx_http_og_redis_t *link,
    const char *command, redisReply *reply);


void
ngx_http_og_redis_fence(ngx_http_og_redis_t *link)
{
    u_char                      id[NGX_INT64_LEN + 1];
    const char                 *victim;
    ngx_http_og_redis_batch_t  *batch;

    link->state = NGX_HTTP_OG_REDIS_FENCING;

    victim = NGX_HTTP_OG_REDIS_NO_CLIENT;

    /* another server: what the old one was sent has died with it */

    if (link->unfenced.id != 0
        && ngx_memcmp(link->unfenced.run_id, link->server.run_id,
                      NGX_HTTP_OG_REDIS_RUN_ID_SIZE)
           == 0)
    {
        *ngx_sprintf(id, "%L", link->unfenced.id) = '\0';
        victim = (char *) id;
    }

    batch = ngx_http_og_redis_batch_create(2 + NGX_HTTP_OG_REDIS_RIGHTS,
                                           ngx_http_og_redis_fenced, link);
    if (batch == NULL) {
        ngx_http_og_redis_fail(link, NGX_ENOMEM, "no memory for the fence");
        return;
    }

    if (ngx_http_og_redis_say(batch, 4, "CLIENT", "KILL", "ID", victim)
        != NGX_OK
        || ngx_http_og_redis_say_epoch(link, batch) != NGX_OK
        || ngx_http_og_redis_say_rights(link, batch) != NGX_OK)
    {
        ngx_http_og_redis_batch_free(batch);
        ngx_http_og_redis_fail(link, NGX_ENOMEM, "no memory for the fence");
        return;
    }

    ngx_http_og_redis_send(link, batch,
                           ngx_current_msec + link->conf->timeout);
}


/* Reads the marker, where there is to be one, and makes it. */

static ngx_int_t
ngx_http_og_redis_say_epoch(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch)
{
    u_char     random[NGX_HTTP_OG_REDIS_EPOCH_SIZE / 2];
    u_char     text[NGX_HTTP_OG_REDIS_EPOCH_SIZE];
    ngx_str_t  args[5];

    if (link->conf->epoch_key.len == 0) {
        return NGX_OK;
    }

    if (RAND_bytes(random, sizeof(random)) != 1) {
        return NGX_ERROR;
    }

    ngx_hex_dump(text, random, sizeof(random));

    ngx_str_set(&args[0], "SET");
    args[1] = link->conf->epoch_key;
    args[2].data = text;
    args[2].len = sizeof(text);
    ngx_str_set(&args[3], "NX");
    ngx_str_set(&args[4], "GET");

    /* what the reply must be when it is nil */

    ngx_memcpy(link->new_epoch, text, sizeof(text));

    return ngx_http_og_redis_command(batch, args, 5);
}


static void
ngx_http_og_redis_fenced(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_redis_t  *link;

    link = batch->data;

    if (link->state != NGX_HTTP_OG_REDIS_FENCING) {
        return;
    }

    switch (batch->outcome) {

    case NGX_HTTP_OG_REDIS_ANSWERED:
        break;

    case NGX_HTTP_OG_REDIS_TIMED_OUT:
        ngx_http_og_redis_fail(link, NGX_ETIMEDOUT, "the greeting timed out");
        return;

    default:
        return;
    }

    ngx_http_og_redis_read_kill(link, batch->replies[0]);

    if (ngx_http_og_redis_read_epoch(link, batch, 1) != NGX_OK) {
        return;
    }

    if (batch->nreplies > 2) {
        ngx_http_og_redis_read_rights(link, &batch->replies[2]);
    }

    ngx_http_og_redis_ready(link);
}


static void
ngx_http_og_redis_read_kill(ngx_http_og_redis_t *link, redisReply *reply)
{
    link->fenced = (reply->type == REDIS_REPLY_INTEGER);

    if (link->fenced || link->warned_fence) {
        return;
    }

    link->warned_fence = 1;

    ngx_log_error(NGX_LOG_WARN, &link->log, 0,
                  "store \"%V\" answers %s to CLIENT KILL: a key whose "
                  "release is lost with a connection stays blocked; allow "
                  "\"+client|kill\" in the ACL",
                  &link->conf->name, ngx_http_og_redis_code(reply));
}


/*
 * The marker that was known and is gone, or is another, tells that the
 * store's data went with it.
 */

static ngx_int_t
ngx_http_og_redis_read_epoch(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, ngx_uint_t n)
{
    ngx_str_t    epoch;
    ngx_uint_t   lost;
    redisReply  *reply;

    if (n == batch->nreplies || link->epoch_stale) {
        link->epoch_stale = 0;
        return NGX_OK;
    }

    reply = batch->replies[n];

    /* a store that is full still answers what it knows */

    if (ngx_http_og_redis_writes_nothing(reply)) {
        return NGX_OK;
    }

    if (ngx_http_og_redis_is_moved(reply)) {
        link->epoch_known = 0;
        return NGX_OK;
    }

    if (reply->type == REDIS_REPLY_NIL) {
        epoch.data = link->new_epoch;
        epoch.len = NGX_HTTP_OG_REDIS_EPOCH_SIZE;

    } else if (reply->type == REDIS_REPLY_STRING) {
        epoch.data = (u_char *) reply->str;
        epoch.len = ngx_min((size_t) reply->len,
                            NGX_HTTP_OG_REDIS_EPOCH_SIZE);

    } else {
        return ngx_http_og_redis_expect(link, reply, REDIS_REPLY_STRING,
                                        "SET was refused, the ACL must "
                                        "allow it on the keys of \"prefix=\"");
    }

    lost = link->epoch_known
           && ngx_memcmp(link->epoch, epoch.data, epoch.len) != 0;

    ngx_memzero(link->epoch, NGX_HTTP_OG_REDIS_EPOCH_SIZE);
    ngx_memcpy(link->epoch, epoch.data, epoch.len);
    link->epoch_known = 1;

    if (lost) {
        ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_DATA, NGX_LOG_ERR,
                              0, "has lost its data: orders made before may "
                              "run again");
        link->data_was_lost = 1;
    }

    return NGX_OK;
}


void
ngx_http_og_redis_forget_epoch(ngx_http_og_redis_t *link)
{
    link->epoch_known = 0;
    link->epoch_stale = (link->probing
                         || link->state == NGX_HTTP_OG_REDIS_FENCING);
}


void
ngx_http_og_redis_probe_in_time(ngx_http_og_redis_t *link)
{
    if (ngx_current_msec - link->probed >= NGX_HTTP_OG_REDIS_PROBE_PERIOD) {
        ngx_http_og_redis_probe(link);
    }
}


void
ngx_http_og_redis_probe(ngx_http_og_redis_t *link)
{
    ngx_http_og_redis_batch_t  *batch;

    if (link->probing) {
        return;
    }

    batch = ngx_http_og_redis_batch_create(2, ngx_http_og_redis_probed, link);
    if (batch == NULL) {
        return;
    }

    if (ngx_http_og_redis_say(batch, 1, "TIME") != NGX_OK
        || ngx_http_og_redis_say_epoch(link, batch) != NGX_OK)
    {
        ngx_http_og_redis_batch_free(batch);
        return;
    }

    link->probing = 1;

    ngx_http_og_redis_send(link, batch,
                           ngx_current_msec + link->conf->timeout);
}


static void
ngx_http_og_redis_probed(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_redis_t  *link;

    link = batch->data;

    if (batch->outcome == NGX_HTTP_OG_REDIS_TIMED_OUT) {
        return;
    }

    link->probing = 0;

    if (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED
        || link->state != NGX_HTTP_OG_REDIS_READY)
    {
        return;
    }

    link->probed = ngx_current_msec;

    if (!ngx_http_og_redis_is_refused(link, "TIME", batch->replies[0])
        && ngx_http_og_redis_read_clock(link, batch->replies[0],
                                        batch->submitted)
           != NGX_OK)
    {
        ngx_http_og_redis_fail(link, 0, "its replies are mixed up");
        return;
    }

    if (batch->nreplies > 1
        && ngx_http_og_redis_is_refused(link, "SET", batch->replies[1]))
    {
        return;
    }

    if (ngx_http_og_redis_read_epoch(link, batch, 1) == NGX_OK) {
        ngx_http_og_redis_tell_loss(link);
    }
}


/* A connection that was made is not failed for what an error says of it. */

static ngx_uint_t
ngx_http_og_redis_is_refused(ngx_http_og_redis_t *link, const char *command,
    redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ERROR || ngx_http_og_redis_is_moved(reply))
    {
        return 0;
    }

    ngx_http_og_redis_log(link, NGX_HTTP_OG_REDIS_LOG_FAILURE, NGX_LOG_ERR, 0,
                          "answered %s with %s", command,
                          ngx_http_og_redis_words(reply));
    return 1;
}
