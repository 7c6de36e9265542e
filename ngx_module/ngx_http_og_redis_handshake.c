
/*
 * Copyright (C) order guard contributors
 *
 * The greeting: who we are, what the server is and what time it has.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_MIN_VERSION    7
#define NGX_HTTP_OG_REDIS_MAX_WHAT       96
#define NGX_HTTP_OG_REDIS_GREETINGS      8
#define NGX_HTTP_OG_REDIS_EXPECT_SIZE    256

/* A round trip longer than this says too little about the server's clock. */
#define NGX_HTTP_OG_REDIS_CLOCK_ERROR    20      /* ms */
#define NGX_HTTP_OG_REDIS_CLOCK_AGE      10000

/* Of the year 9999. */
#define NGX_HTTP_OG_REDIS_LAST_SECOND    INT64_C(253402300799)


/* What INFO calls a server of our kind, and what one of another kind is. */
typedef struct {
    ngx_str_t                     mode;
    const char                   *what;
} ngx_http_og_redis_mode_t;


static ngx_int_t ngx_http_og_redis_write_greeting(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch);
static ngx_int_t ngx_http_og_redis_write_data(
    ngx_http_og_redis_batch_t *batch);
static void ngx_http_og_redis_greeted(ngx_http_og_redis_batch_t *batch);
static ngx_int_t ngx_http_og_redis_read_greeting(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch);
static ngx_int_t ngx_http_og_redis_read_data(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, redisReply **reply);
static ngx_int_t ngx_http_og_redis_read_server(ngx_http_og_redis_t *link,
    redisReply *reply);
static ngx_int_t ngx_http_og_redis_check_mode(ngx_http_og_redis_t *link,
    redisReply *reply);
static ngx_int_t ngx_http_og_redis_read_role(ngx_http_og_redis_t *link,
    redisReply *reply);
static void ngx_http_og_redis_read_memory(ngx_http_og_redis_t *link,
    redisReply *reply);
static void ngx_http_og_redis_read_name(ngx_http_og_redis_t *link,
    redisReply *reply);
static ngx_int_t ngx_http_og_redis_info(redisReply *reply, const char *name,
    ngx_str_t *value);


static const ngx_http_og_redis_mode_t  ngx_http_og_redis_modes[] = {
    { ngx_string("standalone"),         /* NGX_HTTP_OG_REDIS_DATA */
      "it is no single server, use \"redis+cluster://\" for a cluster" },
    { ngx_string("cluster"),            /* NGX_HTTP_OG_REDIS_NODE */
      "it is no cluster's node, use \"redis://\"" },
    { ngx_string("sentinel"),           /* NGX_HTTP_OG_REDIS_SENTINEL */
      "it is no sentinel" }
};


void
ngx_http_og_redis_greet(ngx_http_og_redis_t *link)
{
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_batch_create(NGX_HTTP_OG_REDIS_GREETINGS,
                                           ngx_http_og_redis_greeted, link);
    if (batch == NULL) {
        ngx_http_og_redis_fail(link, NGX_ENOMEM, "no memory to greet");
        return;
    }

    if (ngx_http_og_redis_write_greeting(link, batch) != NGX_OK) {
        ngx_http_og_redis_batch_free(batch);
        ngx_http_og_redis_fail(link, NGX_ENOMEM, "no memory to greet");
        return;
    }

    ngx_http_og_redis_send(link, batch,
                           ngx_current_msec + link->conf->timeout);
}


static ngx_int_t
ngx_http_og_redis_write_greeting(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch)
{
    ngx_str_t                  args[3];
    ngx_uint_t                 n;
    ngx_http_og_redis_conf_t  *conf;

    conf = link->conf;

    if (conf->password.len) {
        n = 0;
        ngx_str_set(&args[n], "AUTH");
        n++;

        if (conf->user.len) {
            args[n++] = conf->user;
        }

        args[n++] = conf->password;

        if (ngx_http_og_redis_command(batch, args, n) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (conf->db.len) {
        ngx_str_set(&args[0], "SELECT");
        args[1] = conf->db;

        if (ngx_http_og_redis_command(batch, args, 2) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_og_redis_say(batch, 2, "INFO", "server") != NGX_OK
        || ngx_http_og_redis_say(batch, 3, "CLIENT", "SETNAME", "order-guard")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return conf->role != NGX_HTTP_OG_REDIS_SENTINEL
           ? ngx_http_og_redis_write_data(batch) : NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_write_data(ngx_http_og_redis_batch_t *batch)
{
    if (ngx_http_og_redis_say(batch, 2, "CLIENT", "ID") != NGX_OK
        || ngx_http_og_redis_say(batch, 2, "INFO", "replication") != NGX_OK
        || ngx_http_og_redis_say(batch, 2, "INFO", "memory") != NGX_OK
        || ngx_http_og_redis_say(batch, 1, "TIME") != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_og_redis_greeted(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_redis_t  *link;

    link = batch->data;

    /* what came behind the replies may have ended the connection */

    if (link->state != NGX_HTTP_OG_REDIS_GREETING) {
        return;
    }

    switch (batch->outcome) {

    case NGX_HTTP_OG_REDIS_ANSWERED:

        if (ngx_http_og_redis_read_greeting(link, batch) != NGX_OK) {
            return;
        }

        if (link->conf->role != NGX_HTTP_OG_REDIS_SENTINEL) {
            ngx_http_og_redis_fence(link);

        } else {
            ngx_http_og_redis_ready(link);
        }

        return;

    case NGX_HTTP_OG_REDIS_TIMED_OUT:
        ngx_http_og_redis_fail(link, NGX_ETIMEDOUT, "the greeting timed out");
        return;

    default:
        return;
    }
}


/* Fails the connection, in words, when the server is not fit for use. */

static ngx_int_t
ngx_http_og_redis_read_greeting(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch)
{
    redisReply  **reply;

    reply = batch->replies;

    if (link->conf->password.len
        && ngx_http_og_redis_expect(link, *reply++, REDIS_REPLY_STATUS,
                                    "AUTH was refused, see password_file=")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (link->conf->db.len
        && ngx_http_og_redis_expect(link, *reply++, REDIS_REPLY_STATUS,
                                    "SELECT was refused, see the database")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_expect(link, reply[0], REDIS_REPLY_STRING,
                                 "INFO was refused, the ACL must allow it")
        != NGX_OK
        || ngx_http_og_redis_read_server(link, reply[0]) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_og_redis_read_name(link, reply[1]);

    return link->conf->role != NGX_HTTP_OG_REDIS_SENTINEL
           ? ngx_http_og_redis_read_data(link, batch, reply + 2) : NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_read_data(ngx_http_og_redis_t *link,
    ngx_http_og_redis_batch_t *batch, redisReply **reply)
{
    if (ngx_http_og_redis_expect(link, reply[0], REDIS_REPLY_INTEGER,
                                 "CLIENT ID was refused, the ACL must "
                                 "allow it")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    link->server.id = reply[0]->integer;

    if (ngx_http_og_redis_read_role(link, reply[1]) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_og_redis_read_memory(link, reply[2]);

    link->clock_known = 0;

    if (ngx_http_og_redis_expect(link, reply[3], REDIS_REPLY_ARRAY,
                                 "TIME was refused, the ACL must allow it")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_og_redis_read_clock(link, reply[3], batch->submitted)
        != NGX_OK)
    {
        ngx_http_og_redis_fail(link, 0, "it does not tell the time");
        return NGX_ERROR;
    }

    link->probed = ngx_current_msec;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_redis_read_server(ngx_http_og_redis_t *link, redisReply *reply)
{
    u_char     *dot, what[NGX_HTTP_OG_REDIS_MAX_WHAT];
    ngx_int_t   major;
    ngx_str_t   version, run_id;

    if (ngx_http_og_redis_info(reply, "redis_version", &version) != NGX_OK
        || ngx_http_og_redis_info(reply, "run_id", &run_id) != NGX_OK
        || run_id.len != NGX_HTTP_OG_REDIS_RUN_ID_SIZE)
    {
        ngx_http_og_redis_fail(link, 0, "it does not tell its version");
        return NGX_ERROR;
    }

    dot = ngx_strlchr(version.data, version.data + version.len, '.');
    major = (dot == NULL) ? NGX_ERROR
                          : ngx_atoi(version.data, dot - version.data);

    if (major < NGX_HTTP_OG_REDIS_MIN_VERSION) {
        *ngx_snprintf(what, sizeof(what) - 1,
                      "it is a Redis %V, at least %d.0 is needed", &version,
                      NGX_HTTP_OG_REDIS_MIN_VERSION) = '\0';
        ngx_http_og_redis_fail(link, 0, (char *) what);
        return NGX_ERROR;
    }

    ngx_memcpy(link->server.run_id, run_id.data, run_id.len);

    return ngx_http_og_redis_check_mode(link, reply);
}


static ngx_int_t
ngx_http_og_redis_check_mode(ngx_http_og_redis_t *link, redisReply *reply)
{
    ngx_str_t                         mode;
    const ngx_http_og_redis_mode_t   *needed;

    needed = &ngx_http_og_redis_modes[link->conf->role];

    if (ngx_http_og_redis_info(reply, "redis_mode", &mode) != NGX_OK
        || (mode.len == needed->mode.len
            && ngx_strncmp(mode.data, needed->mode.data, mode.len) == 0))
    {
        return NGX_OK;
    }

    ngx_http_og_redis_fail(link, 0, needed->what);

    return NGX_ERROR;
}


/* A replica may answer for long before it is told that it must not be. */

static ngx_int_t
ngx_http_og_redis_read_role(ngx_http_og_redis_t *link, redisReply *reply)
{
    ngx_str_t  role;

    /* a cluster's replica sends on to its master */

    if (link->conf->role == NGX_HTTP_OG_REDIS_NODE) {
        return NGX_OK;
    }

    if (ngx_http_og_redis_info(reply, "role", &role) != NGX_OK) {
        ngx_http_og_redis_fail(link, 0, "it does not tell its role");
        return NGX_ERROR;
    }

    if (role.len != sizeof("master") - 1
        || ngx_strncmp(role.data, "master", role.len) != 0)
    {
        ngx_http_og_redis_fail(link, 0, "it is a replica");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_og_redis_read_memory(ngx_http_og_redis_t *link, redisReply *reply)
{
    ngx_str_t  policy;

    if (link->warned_eviction
        || ngx_http_og_redis_info(reply, "maxmemory_policy", &policy)
           != NGX_OK
        || (policy.len == sizeof("noeviction") - 1
            && ngx_strncmp(policy.data, "noeviction", policy.len) == 0))
    {
        return;
    }

    link->warned_eviction = 1;

    ngx_log_error(NGX_LOG_WARN, &link->log, 0,
                  "store \"%V\" has the maxmemory_policy \"%V\": it may "
                  "forget orders that were made; set \"noeviction\"",
                  &link->conf->name, &policy);
}


static void
ngx_http_og_redis_read_name(ngx_http_og_redis_t *link, redisReply *reply)
{
    if (reply->type == REDIS_REPLY_STATUS || link->warned_name) {
        return;
    }

    link->warned_name = 1;

    ngx_log_error(NGX_LOG_WARN, &link->log, 0,
                  "store \"%V\" answers %s to CLIENT SETNAME: another "
                  "gateway's order_guard_records cannot tell this one's "
                  "connections; allow \"+client|setname\" in the ACL",
                  &link->conf->name, ngx_http_og_redis_code(reply));
}


/* Finds the line "name:value" of an INFO reply. */

static ngx_int_t
ngx_http_og_redis_info(redisReply *reply, const char *name, ngx_str_t *value)
{
    size_t   len;
    u_char  *p, *end, *last;

    if (reply->type != REDIS_REPLY_STRING) {
        return NGX_DECLINED;
    }

    len = ngx_strlen(name);
    last = (u_char *) reply->str + reply->len;

    for (p = (u_char *) reply->str; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '\n');
        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) <= len
            || ngx_strncmp(p, name, len) != 0
            || p[len] != ':')
        {
            continue;
        }

        value->data = p + len + 1;
        value->len = end - value->data;

        if (value->len && value->data[value->len - 1] == '\r') {
            value->len--;
        }

        return NGX_OK;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_og_redis_read_clock(ngx_http_og_redis_t *link, redisReply *reply,
    ngx_msec_t asked)
{
    int64_t     now;
    ngx_int_t   sec, usec;
    ngx_msec_t  took;

    if (reply->type != REDIS_REPLY_ARRAY
        || reply->elements != 2
        || reply->element[0]->type != REDIS_REPLY_STRING
        || reply->element[1]->type != REDIS_REPLY_STRING)
    {
        return NGX_ERROR;
    }

    sec = ngx_atoi((u_char *) reply->element[0]->str, reply->element[0]->len);
    usec = ngx_atoi((u_char *) reply->element[1]->str,
                    reply->element[1]->len);

    if (sec == NGX_ERROR || usec == NGX_ERROR
        || (int64_t) sec > NGX_HTTP_OG_REDIS_LAST_SECOND)
    {
        return NGX_ERROR;
    }

    took = ngx_current_msec - asked;

    if (took > NGX_HTTP_OG_REDIS_CLOCK_ERROR
        && link->clock_known
        && ngx_current_msec - link->clock_set < NGX_HTTP_OG_REDIS_CLOCK_AGE)
    {
        return NGX_OK;
    }

    now = (int64_t) sec * 1000 + usec / 1000;

    link->clock = now - (int64_t) (asked + took / 2);
    link->clock_known = 1;
    link->clock_set = ngx_current_msec;

    return NGX_OK;
}


ngx_int_t
ngx_http_og_redis_expect(ngx_http_og_redis_t *link, redisReply *reply,
    int type, const char *what)
{
    u_char  text[NGX_HTTP_OG_REDIS_EXPECT_SIZE];

    if (reply->type == type) {
        return NGX_OK;
    }

    *ngx_snprintf(text, sizeof(text) - 1, "%s, it answered %s", what,
                  ngx_http_og_redis_words(reply)) = '\0';

    ngx_http_og_redis_fail(link, 0, (char *) text);

    return NGX_ERROR;
}
