
/*
 * Copyright (C) order guard contributors
 *
 * An operation of several parts: one for each name of a record, and one for
 * each further store, or place in a store, that counts.
 *
 * While secrets change a record has two names, and is claimed under both: the
 * former one first, since hosts that know only that one are to be met there.
 * A key is ours when both are.  Who wins one alone gives it up again, and
 * answers what the other says.
 *
 * Each part is an operation of its own with a backend; those of one store
 * leave in one write.
 */


#include "ngx_http_og_backend.h"


#define NGX_HTTP_OG_NAMES  2


typedef struct {
    ngx_http_og_op_t   *op;
    ngx_http_og_op_t  **parts;      /* the former name first */
    ngx_uint_t          nparts;
    ngx_uint_t          waiting;    /* for so many parts' handlers */
    unsigned            asking:1;   /* the requester has no verdict yet */
} ngx_http_og_join_t;


static ngx_int_t ngx_http_og_join_open(ngx_http_og_op_t *op);
static ngx_int_t ngx_http_og_join_begin(ngx_http_og_op_t *op);
static ngx_int_t ngx_http_og_join_complete(ngx_http_og_op_t *op,
    og_record_t *record, ngx_msec_t ttl);
static void ngx_http_og_join_release(ngx_http_og_op_t *op,
    ngx_http_og_release_e why);
static void ngx_http_og_join_close(ngx_http_og_op_t *op);

static ngx_int_t ngx_http_og_join_make_parts(ngx_http_og_join_t *join);
static ngx_http_og_op_t *ngx_http_og_join_add_part(ngx_http_og_join_t *join,
    ngx_http_og_store_t *store, ngx_http_og_name_t *name);
static ngx_int_t ngx_http_og_join_add_quota(ngx_http_og_join_t *join,
    ngx_http_og_quota_t *quota);
static ngx_http_og_op_t *ngx_http_og_join_part_of(ngx_http_og_join_t *join,
    ngx_http_og_quota_t *quota);
static ngx_uint_t ngx_http_og_join_place(ngx_http_og_store_t *store,
    ngx_str_t *key);
static void ngx_http_og_join_begun(ngx_http_og_op_t *part);
static void ngx_http_og_join_decide(ngx_http_og_join_t *join);
static ngx_http_og_op_t *ngx_http_og_join_foremost(ngx_http_og_join_t *join);
static ngx_uint_t ngx_http_og_join_rank(ngx_http_og_op_t *part);
static void ngx_http_og_join_take_quotas(ngx_http_og_op_t *op,
    ngx_http_og_op_t *part);
static void ngx_http_og_join_completed(ngx_http_og_op_t *part);


const ngx_http_og_verbs_t  ngx_http_og_join_verbs = {
    ngx_http_og_join_open,
    ngx_http_og_join_begin,
    ngx_http_og_join_complete,
    ngx_http_og_join_release,
    ngx_http_og_join_close,
    NULL,                               /* who looks asks for one name */
    NULL
};


/* What one part says goes before what another one says. */

static const ngx_http_og_verdict_e  ngx_http_og_join_ranks[] = {
    NGX_HTTP_OG_FINISHED,
    NGX_HTTP_OG_UNAVAILABLE_RESULT,
    NGX_HTTP_OG_REUSED,
    NGX_HTTP_OG_UNKNOWN,
    NGX_HTTP_OG_RUNNING,
    NGX_HTTP_OG_STORE_FAILED,
    NGX_HTTP_OG_LIMITED,
    NGX_HTTP_OG_CLAIMED,
    NGX_HTTP_OG_ADMITTED
};


static ngx_int_t
ngx_http_og_join_open(ngx_http_og_op_t *op)
{
    ngx_http_og_join_t  *join;

    join = ngx_pcalloc(op->pool, sizeof(ngx_http_og_join_t));
    if (join == NULL) {
        return NGX_ERROR;
    }

    join->op = op;
    op->backend = join;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_join_begin(ngx_http_og_op_t *op)
{
    ngx_uint_t           i, lost;
    ngx_http_og_op_t    *part;
    ngx_http_og_join_t  *join;

    join = op->backend;
    lost = op->denied;

    if (ngx_http_og_join_make_parts(join) != NGX_OK) {
        op->verdict = NGX_HTTP_OG_STORE_FAILED;
        return NGX_OK;
    }

    for (i = 0; i < join->nparts; i++) {
        part = join->parts[i];

        /* who has lost one name must not stand in the winner's way */

        part->denied = (lost && part->name.key.len);

        if (ngx_http_og_store_begin(part) == NGX_AGAIN) {
            join->waiting++;

        } else if (part->name.key.len
                   && part->verdict != NGX_HTTP_OG_CLAIMED)
        {
            lost = 1;
        }
    }

    if (join->waiting) {
        join->asking = 1;
        return NGX_AGAIN;
    }

    ngx_http_og_join_decide(join);

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_join_make_parts(ngx_http_og_join_t *join)
{
    ngx_uint_t         i;
    ngx_http_og_op_t  *op;

    op = join->op;

    join->parts = ngx_palloc(op->pool, (NGX_HTTP_OG_NAMES + op->nquotas)
                                       * sizeof(ngx_http_og_op_t *));
    if (join->parts == NULL) {
        return NGX_ERROR;
    }

    if (op->former
        && ngx_http_og_join_add_part(join, op->store, op->former) == NULL)
    {
        return NGX_ERROR;
    }

    if (op->name.key.len
        && ngx_http_og_join_add_part(join, op->store, &op->name) == NULL)
    {
        return NGX_ERROR;
    }

    /* who is denied is only asked for its record */

    for (i = 0; i < op->nquotas && !op->denied; i++) {
        if (ngx_http_og_join_add_quota(join, &op->quotas[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A part may outlive the whole: what it points to is its own. */

static ngx_http_og_op_t *
ngx_http_og_join_add_part(ngx_http_og_join_t *join,
    ngx_http_og_store_t *store, ngx_http_og_name_t *name)
{
    ngx_http_og_op_t  *op, *part;

    op = join->op;

    part = ngx_http_og_op_create(store, 0);
    if (part == NULL) {
        return NULL;
    }

    join->parts[join->nparts++] = part;

    part->handler = ngx_http_og_join_begun;
    part->data = join;
    part->ttl = op->ttl;
    part->lease = op->lease;
    part->waited = op->waited;
    part->on_unknown = op->on_unknown;
    part->near = op->near;
    part->counted_too = (op->nquotas != 0);

    if (name) {
        part->name = *name;

        part->name.key.data = ngx_pstrdup(part->pool, &name->key);
        if (part->name.key.data == NULL) {
            return NULL;
        }
    }

    part->quotas = ngx_palloc(part->pool,
                              op->nquotas * sizeof(ngx_http_og_quota_t));

    return part->quotas ? part : NULL;
}


static ngx_int_t
ngx_http_og_join_add_quota(ngx_http_og_join_t *join,
    ngx_http_og_quota_t *quota)
{
    ngx_http_og_op_t     *part;
    ngx_http_og_quota_t  *copy;

    part = ngx_http_og_join_part_of(join, quota);

    if (part == NULL) {
        part = ngx_http_og_join_add_part(join, quota->store, NULL);
        if (part == NULL) {
            return NGX_ERROR;
        }
    }

    copy = &part->quotas[part->nquotas++];

    *copy = *quota;
    copy->key.data = ngx_pstrdup(part->pool, &quota->key);

    return copy->key.data ? NGX_OK : NGX_ERROR;
}


static ngx_http_og_op_t *
ngx_http_og_join_part_of(ngx_http_og_join_t *join,
    ngx_http_og_quota_t *quota)
{
    ngx_str_t            *key;
    ngx_uint_t            i, place;
    ngx_http_og_op_t     *part;
    ngx_http_og_store_t  *store;

    store = quota->store;
    place = ngx_http_og_join_place(store, &quota->key);

    for (i = 0; i < join->nparts; i++) {
        part = join->parts[i];

        key = part->name.key.len ? &part->name.key : &part->quotas[0].key;

        if (part->store == store
            && ngx_http_og_join_place(store, key) == place)
        {
            return part;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_og_join_place(ngx_http_og_store_t *store, ngx_str_t *key)
{
    return store->spread ? store->backend->place(store, key) : 0;
}


static void
ngx_http_og_join_begun(ngx_http_og_op_t *part)
{
    ngx_http_og_join_t  *join;

    join = part->data;

    if (--join->waiting == 0) {
        join->asking = 0;
        ngx_http_og_join_decide(join);
        join->op->handler(join->op);
    }
}


static void
ngx_http_og_join_decide(ngx_http_og_join_t *join)
{
    ngx_uint_t         i;
    ngx_http_og_op_t  *op, *part, *foremost;

    op = join->op;
    foremost = ngx_http_og_join_foremost(join);

    op->verdict = ngx_http_og_join_ranks[ngx_http_og_join_rank(foremost)];
    op->record = foremost->record;
    op->age = foremost->age;
    op->retry_after = foremost->retry_after;
    op->unreadable = foremost->unreadable;

    for (i = 0; i < join->nparts; i++) {
        part = join->parts[i];

        part->handler = ngx_http_og_join_completed;

        ngx_http_og_join_take_quotas(op, part);

        switch (op->verdict) {

        case NGX_HTTP_OG_CLAIMED:
        case NGX_HTTP_OG_ADMITTED:
            break;

        case NGX_HTTP_OG_STORE_FAILED:

            /* the requester may pass, and has counted then */

            if (part->name.key.len == 0) {
                break;
            }

            /* fall through */

        default:
            ngx_http_og_store_release(part, NGX_HTTP_OG_NOT_SENT);
        }
    }
}


static ngx_http_og_op_t *
ngx_http_og_join_foremost(ngx_http_og_join_t *join)
{
    ngx_uint_t         i;
    ngx_http_og_op_t  *foremost;

    foremost = join->parts[0];

    for (i = 1; i < join->nparts; i++) {
        if (ngx_http_og_join_rank(join->parts[i])
            < ngx_http_og_join_rank(foremost))
        {
            foremost = join->parts[i];
        }
    }

    return foremost;
}


/*
 * A store that only counts and has failed does not speak for the order: its
 * quotas are left without a verdict.
 */

static ngx_uint_t
ngx_http_og_join_rank(ngx_http_og_op_t *part)
{
    ngx_uint_t             i;
    ngx_http_og_verdict_e  verdict;

    verdict = part->verdict;

    if (verdict == NGX_HTTP_OG_STORE_FAILED && part->name.key.len == 0) {
        verdict = NGX_HTTP_OG_ADMITTED;
    }

    for (i = 0; ngx_http_og_join_ranks[i] != NGX_HTTP_OG_ADMITTED; i++) {
        if (ngx_http_og_join_ranks[i] == verdict) {
            break;
        }
    }

    return i;
}


static void
ngx_http_og_join_take_quotas(ngx_http_og_op_t *op, ngx_http_og_op_t *part)
{
    ngx_uint_t            i, j;
    ngx_http_og_quota_t  *quota;

    for (i = 0; i < part->nquotas; i++) {

        quota = op->quotas;

        for (j = 0; quota[j].policy != part->quotas[i].policy; j++) {
            /* void */
        }

        quota[j].judged = part->quotas[i].judged;
        quota[j].verdict = part->quotas[i].verdict;
        quota[j].now = part->quotas[i].now;
        quota[j].clock = part->quotas[i].clock;
    }
}


static ngx_int_t
ngx_http_og_join_complete(ngx_http_og_op_t *op, og_record_t *record,
    ngx_msec_t ttl)
{
    ngx_uint_t           i;
    og_record_t          copy;
    ngx_http_og_join_t  *join;

    join = op->backend;

    for (i = 0; i < join->nparts; i++) {

        /* a store fills in what belongs to the name */
        copy = *record;

        if (ngx_http_og_store_complete(join->parts[i], &copy, ttl)
            == NGX_AGAIN)
        {
            join->waiting++;
        }
    }

    return join->waiting ? NGX_AGAIN : NGX_OK;
}


static void
ngx_http_og_join_completed(ngx_http_og_op_t *part)
{
    ngx_http_og_join_t  *join;

    join = part->data;

    if (--join->waiting == 0) {
        join->op->handler(join->op);
    }
}


static void
ngx_http_og_join_release(ngx_http_og_op_t *op, ngx_http_og_release_e why)
{
    ngx_uint_t           i;
    ngx_http_og_join_t  *join;

    join = op->backend;

    for (i = 0; i < join->nparts; i++) {
        ngx_http_og_store_release(join->parts[i], why);
    }
}


static void
ngx_http_og_join_close(ngx_http_og_op_t *op)
{
    ngx_uint_t           i;
    ngx_http_og_join_t  *join;

    join = op->backend;

    for (i = 0; i < join->nparts; i++) {

        /* nobody was told that it is claimed, so nothing was sent */

        if (join->asking) {
            ngx_http_og_store_release(join->parts[i], NGX_HTTP_OG_NOT_SENT);
        }

        ngx_http_og_op_close(join->parts[i]);
    }

    ngx_destroy_pool(op->pool);
}
