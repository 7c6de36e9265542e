
/*
 * Copyright (C) order guard contributors
 *
 * Commands that meet a node which does not have their slot (any more) go on to
 * the one that does, and their replies take the place of its refusals: who has
 * submitted the batch does not learn of it.
 *
 *     MOVED slot host:port    for good: the map is told
 *     ASK slot host:port      this once, behind ASKING
 *     CLUSTERDOWN             of a node that has left: another one knows
 *
 * While a slot moves, some of MGET's keys may be here and some there, which is
 * answered by ASK, or there by TRYAGAIN: they are asked for one by one.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_nodes.h"


/* A slot that moves between two nodes is found at the third. */
#define NGX_HTTP_OG_DETOUR_HOPS  4


/* One command on its way, or one key of an MGET. */
typedef struct {
    ngx_uint_t                    command;  /* of the batch */
    ngx_uint_t                    element;  /* of its reply, from 1; 0: the
                                               whole command */
    ngx_http_og_cluster_node_t   *node;     /* to be sent to; NULL: is over */
    ngx_http_og_redis_batch_t    *part;     /* that it is in; or NULL */
    ngx_uint_t                    reply;    /* of the part */
    unsigned                      asking:1;
} ngx_http_og_step_t;


typedef struct {
    ngx_http_og_cluster_t        *cluster;
    ngx_http_og_redis_batch_t    *batch;
    ngx_uint_t                    hops;
    ngx_uint_t                    waiting;  /* for so many parts */

    unsigned                      ran:1;    /* some command, somewhere */
    unsigned                      lost:1;
    unsigned                      unsent:1;

    ngx_uint_t                    nsteps;
    ngx_http_og_step_t            steps[1];
} ngx_http_og_detour_t;


static ngx_uint_t ngx_http_og_detour_is_late(
    ngx_http_og_redis_batch_t *batch);
static ngx_http_og_detour_t *ngx_http_og_detour_create(
    ngx_http_og_redis_batch_t *batch, ngx_http_og_cluster_t *cluster);
static void ngx_http_og_detour_free(ngx_http_og_detour_t *detour);
static ngx_uint_t ngx_http_og_detour_keys(ngx_str_t *command);
static void ngx_http_og_detour_plan(ngx_http_og_detour_t *detour,
    ngx_http_og_cluster_node_t *node);
static void ngx_http_og_detour_split(ngx_http_og_detour_t *detour,
    ngx_http_og_cluster_node_t *node);
static ngx_uint_t ngx_http_og_detour_is_split(
    ngx_http_og_redis_batch_t *batch, ngx_uint_t i);
static redisReply *ngx_http_og_detour_array(ngx_uint_t size);
static ngx_int_t ngx_http_og_detour_read(ngx_http_og_cluster_node_t *node,
    redisReply *reply, ngx_http_og_step_t *step);
static void ngx_http_og_detour_go(ngx_http_og_detour_t *detour);
static ngx_int_t ngx_http_og_detour_send(ngx_http_og_detour_t *detour,
    ngx_http_og_cluster_node_t *node);
static ngx_int_t ngx_http_og_detour_say(ngx_http_og_detour_t *detour,
    ngx_http_og_step_t *step, ngx_http_og_redis_batch_t *part);
static void ngx_http_og_detour_answered(ngx_http_og_redis_batch_t *part);
static void ngx_http_og_detour_read_part(ngx_http_og_detour_t *detour,
    ngx_http_og_redis_batch_t *part);
static redisReply *ngx_http_og_detour_put(ngx_http_og_detour_t *detour,
    ngx_http_og_step_t *step, ngx_http_og_redis_batch_t *part);
static void ngx_http_og_detour_end(ngx_http_og_detour_t *detour);
static void ngx_http_og_detour_argument(ngx_str_t *command, ngx_uint_t n,
    ngx_str_t *argument);


ngx_uint_t
ngx_http_og_cluster_redirect(void *data, ngx_http_og_redis_batch_t *batch)
{
    ngx_uint_t                   i;
    ngx_http_og_step_t           step;
    ngx_http_og_detour_t        *detour;
    ngx_http_og_cluster_node_t  *node;

    node = data;

    /* nobody waits any more: that it did not run is an end, too */

    if (!batch->routed || ngx_http_og_detour_is_late(batch)) {

        for (i = 0; i < batch->nreplies; i++) {
            (void) ngx_http_og_detour_read(node, batch->replies[i], &step);
        }

        return 0;
    }

    detour = ngx_http_og_detour_create(batch, node->cluster);
    if (detour == NULL) {
        return 0;
    }

    ngx_http_og_detour_plan(detour, node);

    if (detour->nsteps == 0) {
        ngx_http_og_detour_free(detour);
        return 0;
    }

    ngx_http_og_detour_go(detour);

    return 1;
}


/*
 * A worker whose machine stood still reads an answer before its timers run: a
 * key that was to be freed then may be another's by now.
 */

static ngx_uint_t
ngx_http_og_detour_is_late(ngx_http_og_redis_batch_t *batch)
{
    return batch->late
           || (ngx_msec_int_t) (batch->deadline - ngx_current_msec) <= 0;
}


static ngx_http_og_detour_t *
ngx_http_og_detour_create(ngx_http_og_redis_batch_t *batch,
    ngx_http_og_cluster_t *cluster)
{
    ngx_uint_t             i, n;
    ngx_http_og_detour_t  *detour;

    n = 0;

    for (i = 0; i < batch->ncommands; i++) {
        n += 1 + ngx_http_og_detour_keys(&batch->commands[i]);
    }

    detour = ngx_calloc(sizeof(ngx_http_og_detour_t)
                        + n * sizeof(ngx_http_og_step_t), ngx_cycle->log);
    if (detour != NULL) {
        detour->cluster = cluster;
        detour->batch = batch;

        cluster->ndetours++;
    }

    return detour;
}


static void
ngx_http_og_detour_free(ngx_http_og_detour_t *detour)
{
    detour->cluster->ndetours--;

    ngx_free(detour);
}


/* Of an MGET: "*22\r\n$4\r\nMGET\r\n..." counts its name and its keys. */

static ngx_uint_t
ngx_http_og_detour_keys(ngx_str_t *command)
{
    u_char     *cr;
    ngx_str_t   name;

    ngx_http_og_detour_argument(command, 0, &name);

    if (name.len != 4 || ngx_strncmp(name.data, "MGET", 4) != 0) {
        return 0;
    }

    cr = ngx_strlchr(command->data, command->data + command->len, CR);

    return (ngx_uint_t) ngx_atoi(command->data + 1, cr - command->data - 1)
           - 1;
}


static void
ngx_http_og_detour_plan(ngx_http_og_detour_t *detour,
    ngx_http_og_cluster_node_t *node)
{
    ngx_uint_t                  i;
    redisReply                 *reply;
    ngx_http_og_step_t         *step;
    ngx_http_og_redis_batch_t  *batch;

    batch = detour->batch;

    for (i = 0; i < batch->nreplies; i++) {

        reply = batch->replies[i];
        step = &detour->steps[detour->nsteps];

        detour->ran |= !ngx_http_og_redis_is_moved(reply);

        step->command = i;
        step->element = 0;

        if (ngx_http_og_detour_is_split(batch, i)
            || ngx_http_og_detour_read(node, reply, step) != NGX_OK)
        {
            continue;
        }

        /*
         * a key moves with its slot, but one who took over may have another's
         */

        if (i > 0 || !batch->frees || step->asking) {
            detour->nsteps++;
        }
    }

    ngx_http_og_detour_split(detour, node);
}


static ngx_uint_t
ngx_http_og_detour_is_split(ngx_http_og_redis_batch_t *batch, ngx_uint_t i)
{
    return (ngx_http_og_redis_is_error(batch->replies[i], "ASK")
            || ngx_http_og_redis_is_error(batch->replies[i], "TRYAGAIN"))
           && ngx_http_og_detour_keys(&batch->commands[i]) != 0;
}


/* The node has refused what is to be split, and is asked first. */

static void
ngx_http_og_detour_split(ngx_http_og_detour_t *detour,
    ngx_http_og_cluster_node_t *node)
{
    ngx_uint_t                  i, j, n;
    redisReply                 *array;
    ngx_http_og_step_t         *step;
    ngx_http_og_redis_batch_t  *batch;

    batch = detour->batch;

    for (i = 0; i < batch->nreplies; i++) {

        if (!ngx_http_og_detour_is_split(batch, i)) {
            continue;
        }

        n = ngx_http_og_detour_keys(&batch->commands[i]);

        array = ngx_http_og_detour_array(n);
        if (array == NULL) {
            continue;
        }

        freeReplyObject(batch->replies[i]);
        batch->replies[i] = array;

        for (j = 1; j <= n; j++) {
            step = &detour->steps[detour->nsteps++];

            step->command = i;
            step->element = j;
            step->node = node;
            step->part = NULL;
            step->asking = 0;
        }
    }
}


/* An array of nil, to be filled in; freeReplyObject() frees by free(). */

static redisReply *
ngx_http_og_detour_array(ngx_uint_t size)
{
    redisReply  *array, *nil;

    array = ngx_calloc(sizeof(redisReply), ngx_cycle->log);
    if (array == NULL) {
        return NULL;
    }

    array->type = REDIS_REPLY_ARRAY;
    array->element = ngx_calloc(size * sizeof(redisReply *), ngx_cycle->log);

    if (array->element == NULL) {
        freeReplyObject(array);
        return NULL;
    }

    while (array->elements < size) {

        nil = ngx_calloc(sizeof(redisReply), ngx_cycle->log);
        if (nil == NULL) {
            freeReplyObject(array);
            return NULL;
        }

        nil->type = REDIS_REPLY_NIL;

        array->element[array->elements++] = nil;
    }

    return array;
}


/* "MOVED 3999 127.0.0.1:6381": where the step goes; the map learns of it. */

static ngx_int_t
ngx_http_og_detour_read(ngx_http_og_cluster_node_t *node, redisReply *reply,
    ngx_http_og_step_t *step)
{
    u_char      *p, *last, *space, *colon;
    ngx_int_t    slot, port;
    ngx_str_t    host;
    ngx_uint_t   asking;

    if (ngx_http_og_redis_is_error(reply, "CLUSTERDOWN")) {
        ngx_http_og_cluster_doubt(node->cluster);

        step->node = ngx_http_og_cluster_any(node->cluster, node);
        step->asking = 0;

        return step->node == node ? NGX_DECLINED : NGX_OK;
    }

    asking = ngx_http_og_redis_is_error(reply, "ASK");

    if (!asking && !ngx_http_og_redis_is_error(reply, "MOVED")) {
        return NGX_DECLINED;
    }

    p = (u_char *) reply->str;
    last = p + reply->len;

    p = ngx_strlchr(p, last, ' ');
    if (p == NULL) {
        return NGX_ERROR;
    }

    p++;
    space = ngx_strlchr(p, last, ' ');

    if (space == NULL) {
        return NGX_ERROR;
    }

    slot = ngx_atoi(p, space - p);

    /* the last colon: there are others in an IPv6 address */

    for (colon = last - 1; *colon != ':' && colon > space; colon--) {
        /* void */
    }

    port = ngx_atoi(colon + 1, last - colon - 1);

    if (slot < 0 || slot >= OG_SLOTS || colon == space
        || port < 1 || port > 65535)
    {
        return NGX_ERROR;
    }

    host.data = space + 1;
    host.len = colon - host.data;

    step->node = ngx_http_og_cluster_node(node, &host, (in_port_t) port);
    if (step->node == NULL) {
        return NGX_ERROR;
    }

    step->asking = asking;

    if (!asking) {
        ngx_http_og_cluster_learn(step->node, slot);
    }

    return NGX_OK;
}


/* One part for each node; it ends here where none can be sent. */

static void
ngx_http_og_detour_go(ngx_http_og_detour_t *detour)
{
    ngx_uint_t           i;
    ngx_http_og_step_t  *step;

    detour->hops++;

    for (i = 0; i < detour->nsteps; i++) {

        step = &detour->steps[i];

        if (step->node == NULL || step->part != NULL) {
            continue;
        }

        if (ngx_http_og_detour_send(detour, step->node) == NGX_OK) {
            detour->waiting++;

        } else {
            detour->unsent = 1;
            break;
        }
    }

    if (detour->waiting == 0) {
        ngx_http_og_detour_end(detour);
    }
}


static ngx_int_t
ngx_http_og_detour_send(ngx_http_og_detour_t *detour,
    ngx_http_og_cluster_node_t *node)
{
    ngx_uint_t                  i;
    ngx_http_og_step_t         *step;
    ngx_http_og_redis_batch_t  *part;

    part = ngx_http_og_redis_batch_create(2 * detour->nsteps,
                                          ngx_http_og_detour_answered, detour);
    if (part == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < detour->nsteps; i++) {

        step = &detour->steps[i];

        if (step->node != node || step->part != NULL) {
            continue;
        }

        step->part = part;

        if (ngx_http_og_detour_say(detour, step, part) != NGX_OK) {
            ngx_http_og_redis_batch_free(part);
            return NGX_ERROR;
        }
    }

    return ngx_http_og_cluster_submit(node, part, detour->batch->deadline);
}


static ngx_int_t
ngx_http_og_detour_say(ngx_http_og_detour_t *detour, ngx_http_og_step_t *step,
    ngx_http_og_redis_batch_t *part)
{
    ngx_str_t  *command, args[2];

    command = &detour->batch->commands[step->command];

    if (step->asking
        && ngx_http_og_redis_say(part, 1, "ASKING") != NGX_OK)
    {
        return NGX_ERROR;
    }

    step->reply = part->ncommands;

    if (detour->batch->claims && detour->batch->claim == step->command) {
        part->claims = 1;
        part->claim = step->reply;
    }

    if (step->element == 0) {
        return ngx_http_og_redis_repeat(part, command);
    }

    ngx_str_set(&args[0], "GET");
    ngx_http_og_detour_argument(command, step->element, &args[1]);

    return ngx_http_og_redis_command(part, args, 2);
}


static void
ngx_http_og_detour_answered(ngx_http_og_redis_batch_t *part)
{
    ngx_http_og_detour_t       *detour;
    ngx_http_og_redis_batch_t  *batch;

    detour = part->data;
    batch = detour->batch;

    switch (part->outcome) {

    case NGX_HTTP_OG_REDIS_TIMED_OUT:

        if (!batch->late) {
            batch->late = 1;
            batch->outcome = NGX_HTTP_OG_REDIS_TIMED_OUT;
            batch->handler(batch);
        }

        return;

    case NGX_HTTP_OG_REDIS_ANSWERED:
        batch->unacknowledged |= part->unacknowledged;
        ngx_http_og_detour_read_part(detour, part);
        break;

    case NGX_HTTP_OG_REDIS_LOST:
        detour->lost = 1;
        break;

    default: /* NGX_HTTP_OG_REDIS_UNSENT */
        detour->unsent = 1;
    }

    if (--detour->waiting) {
        return;
    }

    if (detour->nsteps && ngx_http_og_detour_is_late(batch)) {
        detour->unsent = 1;
    }

    if (detour->lost || detour->unsent || detour->nsteps == 0) {
        ngx_http_og_detour_end(detour);
        return;
    }

    ngx_http_og_detour_go(detour);
}


/* What is refused once more goes on, within reason. */

static void
ngx_http_og_detour_read_part(ngx_http_og_detour_t *detour,
    ngx_http_og_redis_batch_t *part)
{
    ngx_uint_t                   i, n, on;
    redisReply                  *reply;
    ngx_http_og_step_t           step;
    ngx_http_og_cluster_node_t  *node;

    on = (detour->hops < NGX_HTTP_OG_DETOUR_HOPS && !detour->batch->late);
    node = NULL;
    n = 0;

    for (i = 0; i < detour->nsteps; i++) {

        step = detour->steps[i];

        if (step.part == part) {

            node = step.node;
            reply = ngx_http_og_detour_put(detour, &step, part);

            step.part = NULL;

            if (step.command == 0 && !step.asking) {
                detour->batch->server = part->server;
            }

            if (!on
                || (step.element == 0
                    && ngx_http_og_detour_is_split(detour->batch,
                                                   step.command))
                || ngx_http_og_detour_read(node, reply, &step) != NGX_OK)
            {
                continue;
            }
        }

        detour->steps[n++] = step;
    }

    detour->nsteps = n;

    if (on && node) {
        ngx_http_og_detour_split(detour, node);
    }
}


/* The part's reply takes the place of the one before. */

static redisReply *
ngx_http_og_detour_put(ngx_http_og_detour_t *detour, ngx_http_og_step_t *step,
    ngx_http_og_redis_batch_t *part)
{
    ngx_uint_t    n;
    redisReply   *reply, **place;

    place = &detour->batch->replies[step->command];

    if (step->element) {
        place = &(*place)->element[step->element - 1];
    }

    n = step->reply;

    /* refused since ASKING was: that is what is to be told */

    if (step->asking
        && ngx_http_og_redis_is_moved(part->replies[n])
        && part->replies[n - 1]->type == REDIS_REPLY_ERROR)
    {
        n--;
    }

    reply = part->replies[n];

    part->replies[n] = *place;
    *place = reply;

    detour->ran |= !ngx_http_og_redis_is_moved(reply);

    return reply;
}


static void
ngx_http_og_detour_end(ngx_http_og_detour_t *detour)
{
    ngx_http_og_redis_batch_t    *batch;
    ngx_http_og_redis_outcome_e   outcome;

    batch = detour->batch;
    outcome = NGX_HTTP_OG_REDIS_ANSWERED;

    if (detour->unsent || detour->lost) {
        outcome = (detour->ran || detour->lost) ? NGX_HTTP_OG_REDIS_LOST
                                                : NGX_HTTP_OG_REDIS_UNSENT;
    }

    ngx_http_og_detour_free(detour);

    ngx_http_og_redis_batch_end(batch, outcome);
}


/* The n-th of a command that hiredis has formatted; 0 is its name. */

static void
ngx_http_og_detour_argument(ngx_str_t *command, ngx_uint_t n,
    ngx_str_t *argument)
{
    u_char      *p, *cr, *last;
    ngx_uint_t   i;

    last = command->data + command->len;
    p = ngx_strlchr(command->data, last, LF) + 1;

    for (i = 0; /* void */ ; i++) {

        cr = ngx_strlchr(p, last, CR);

        argument->len = (size_t) ngx_atoi(p + 1, cr - p - 1);
        argument->data = cr + 2;

        if (i == n) {
            return;
        }

        p = argument->data + argument->len + 2;
    }
}
