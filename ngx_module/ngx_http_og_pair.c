
/*
 * Copyright (C) order guard contributors
 *
 * While secrets change a record has two names, and is claimed under both: the
 * former one first, since hosts that know only that one are to be met there.
 * A key is ours when both are.  Who wins one alone gives it up again, and
 * answers what the other says.
 *
 * Each name is an operation of its own with the backend; they leave in one
 * write.
 */


#include "ngx_http_og_backend.h"


#define NGX_HTTP_OG_NAMES  2


typedef struct {
    ngx_http_og_op_t   *op;
    ngx_http_og_op_t   *parts[NGX_HTTP_OG_NAMES];   /* the former name first */
    ngx_uint_t          waiting;    /* for so many parts' handlers */
    unsigned            asking:1;   /* the requester has no verdict yet */
} ngx_http_og_pair_t;


static ngx_int_t ngx_http_og_pair_open(ngx_http_og_op_t *op);
static ngx_int_t ngx_http_og_pair_begin(ngx_http_og_op_t *op);
static ngx_int_t ngx_http_og_pair_complete(ngx_http_og_op_t *op,
    og_record_t *record, ngx_msec_t ttl);
static void ngx_http_og_pair_release(ngx_http_og_op_t *op,
    ngx_http_og_release_e why);
static void ngx_http_og_pair_close(ngx_http_og_op_t *op);

static ngx_int_t ngx_http_og_pair_ask(ngx_http_og_pair_t *pair);
static ngx_int_t ngx_http_og_pair_copy(ngx_http_og_op_t *part,
    ngx_http_og_op_t *op, ngx_http_og_name_t *name);
static ngx_int_t ngx_http_og_pair_copy_quotas(ngx_http_og_op_t *part,
    ngx_http_og_op_t *op);
static void ngx_http_og_pair_begun(ngx_http_og_op_t *part);
static void ngx_http_og_pair_decide(ngx_http_og_pair_t *pair);
static ngx_http_og_op_t *ngx_http_og_pair_foremost(ngx_http_og_pair_t *pair);
static ngx_uint_t ngx_http_og_pair_rank(ngx_http_og_verdict_e verdict);
static void ngx_http_og_pair_completed(ngx_http_og_op_t *part);


const ngx_http_og_verbs_t  ngx_http_og_pair_verbs = {
    ngx_http_og_pair_open,
    ngx_http_og_pair_begin,
    ngx_http_og_pair_complete,
    ngx_http_og_pair_release,
    ngx_http_og_pair_close,
    NULL,                               /* who looks asks for one name */
    NULL
};


/* What one name says goes before what the other says. */

static const ngx_http_og_verdict_e  ngx_http_og_pair_ranks[] = {
    NGX_HTTP_OG_FINISHED,
    NGX_HTTP_OG_UNAVAILABLE_RESULT,
    NGX_HTTP_OG_REUSED,
    NGX_HTTP_OG_UNKNOWN,
    NGX_HTTP_OG_RUNNING,
    NGX_HTTP_OG_LIMITED,
    NGX_HTTP_OG_STORE_FAILED,
    NGX_HTTP_OG_CLAIMED
};


static ngx_int_t
ngx_http_og_pair_open(ngx_http_og_op_t *op)
{
    ngx_uint_t           i;
    ngx_http_og_pair_t  *pair;

    pair = ngx_pcalloc(op->pool, sizeof(ngx_http_og_pair_t));
    op->former = ngx_pcalloc(op->pool, sizeof(ngx_http_og_name_t));

    if (pair == NULL || op->former == NULL) {
        return NGX_ERROR;
    }

    pair->op = op;

    for (i = 0; i < NGX_HTTP_OG_NAMES; i++) {
        pair->parts[i] = ngx_http_og_op_create(op->store, 0);

        if (pair->parts[i] == NULL) {
            if (i) {
                ngx_http_og_op_close(pair->parts[0]);
            }

            return NGX_ERROR;
        }

        pair->parts[i]->handler = ngx_http_og_pair_begun;
        pair->parts[i]->data = pair;
    }

    op->backend = pair;

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_pair_begin(ngx_http_og_op_t *op)
{
    ngx_http_og_pair_t  *pair;

    pair = op->backend;

    if (ngx_http_og_pair_copy(pair->parts[0], op, op->former) != NGX_OK
        || ngx_http_og_pair_copy_quotas(pair->parts[0], op) != NGX_OK
        || ngx_http_og_pair_copy(pair->parts[1], op, &op->name) != NGX_OK)
    {
        op->verdict = NGX_HTTP_OG_STORE_FAILED;
        return NGX_OK;
    }

    return ngx_http_og_pair_ask(pair);
}


static ngx_int_t
ngx_http_og_pair_ask(ngx_http_og_pair_t *pair)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_OG_NAMES; i++) {
        if (ngx_http_og_store_begin(pair->parts[i]) == NGX_AGAIN) {
            pair->waiting++;
        }
    }

    if (pair->waiting) {
        pair->asking = 1;
        return NGX_AGAIN;
    }

    ngx_http_og_pair_decide(pair);

    return NGX_OK;
}


/* A part may outlive the pair: what it points to is its own. */

static ngx_int_t
ngx_http_og_pair_copy(ngx_http_og_op_t *part, ngx_http_og_op_t *op,
    ngx_http_og_name_t *name)
{
    part->name = *name;
    part->ttl = op->ttl;
    part->lease = op->lease;
    part->on_unknown = op->on_unknown;
    part->counted_too = (op->nquotas != 0);

    part->name.key.data = ngx_pstrdup(part->pool, &name->key);

    return part->name.key.data ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_og_pair_copy_quotas(ngx_http_og_op_t *part, ngx_http_og_op_t *op)
{
    ngx_uint_t            i;
    ngx_http_og_quota_t  *quota;

    part->quotas = ngx_palloc(part->pool,
                              op->nquotas * sizeof(ngx_http_og_quota_t));
    if (part->quotas == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < op->nquotas; i++) {
        quota = &part->quotas[i];

        *quota = op->quotas[i];
        quota->key.data = ngx_pstrdup(part->pool, &op->quotas[i].key);

        if (quota->key.data == NULL) {
            return NGX_ERROR;
        }
    }

    part->nquotas = op->nquotas;

    return NGX_OK;
}


static void
ngx_http_og_pair_begun(ngx_http_og_op_t *part)
{
    ngx_http_og_pair_t  *pair;

    pair = part->data;

    if (--pair->waiting == 0) {
        pair->asking = 0;
        ngx_http_og_pair_decide(pair);
        pair->op->handler(pair->op);
    }
}


static void
ngx_http_og_pair_decide(ngx_http_og_pair_t *pair)
{
    ngx_uint_t         i;
    ngx_http_og_op_t  *op, *part, *foremost;

    op = pair->op;
    foremost = ngx_http_og_pair_foremost(pair);

    op->verdict = foremost->verdict;
    op->record = foremost->record;
    op->age = foremost->age;
    op->retry_after = foremost->retry_after;
    op->unreadable = foremost->unreadable;

    for (i = 0; i < op->nquotas; i++) {
        op->quotas[i].verdict = pair->parts[0]->quotas[i].verdict;
    }

    for (i = 0; i < NGX_HTTP_OG_NAMES; i++) {
        part = pair->parts[i];

        part->handler = ngx_http_og_pair_completed;

        if (op->verdict != NGX_HTTP_OG_CLAIMED
            && part->verdict == NGX_HTTP_OG_CLAIMED)
        {
            ngx_http_og_store_release(part, NGX_HTTP_OG_NOT_SENT);
        }
    }
}


static ngx_http_og_op_t *
ngx_http_og_pair_foremost(ngx_http_og_pair_t *pair)
{
    return ngx_http_og_pair_rank(pair->parts[0]->verdict)
           <= ngx_http_og_pair_rank(pair->parts[1]->verdict)
           ? pair->parts[0] : pair->parts[1];
}


static ngx_uint_t
ngx_http_og_pair_rank(ngx_http_og_verdict_e verdict)
{
    ngx_uint_t  i;

    for (i = 0; ngx_http_og_pair_ranks[i] != NGX_HTTP_OG_CLAIMED; i++) {
        if (ngx_http_og_pair_ranks[i] == verdict) {
            break;
        }
    }

    return i;
}


static ngx_int_t
ngx_http_og_pair_complete(ngx_http_og_op_t *op, og_record_t *record,
    ngx_msec_t ttl)
{
    ngx_uint_t           i;
    og_record_t          copy;
    ngx_http_og_pair_t  *pair;

    pair = op->backend;

    for (i = 0; i < NGX_HTTP_OG_NAMES; i++) {

        /* a store fills in what belongs to the name */
        copy = *record;

        if (ngx_http_og_store_complete(pair->parts[i], &copy, ttl)
            == NGX_AGAIN)
        {
            pair->waiting++;
        }
    }

    return pair->waiting ? NGX_AGAIN : NGX_OK;
}


static void
ngx_http_og_pair_completed(ngx_http_og_op_t *part)
{
    ngx_http_og_pair_t  *pair;

    pair = part->data;

    if (--pair->waiting == 0) {
        pair->op->handler(pair->op);
    }
}


static void
ngx_http_og_pair_release(ngx_http_og_op_t *op, ngx_http_og_release_e why)
{
    ngx_uint_t           i;
    ngx_http_og_pair_t  *pair;

    pair = op->backend;

    for (i = 0; i < NGX_HTTP_OG_NAMES; i++) {
        ngx_http_og_store_release(pair->parts[i], why);
    }
}


static void
ngx_http_og_pair_close(ngx_http_og_op_t *op)
{
    ngx_uint_t           i;
    ngx_http_og_pair_t  *pair;

    pair = op->backend;

    for (i = 0; i < NGX_HTTP_OG_NAMES; i++) {

        /* nobody was told that it is claimed, so nothing was sent */

        if (pair->asking) {
            ngx_http_og_store_release(pair->parts[i], NGX_HTTP_OG_NOT_SENT);
        }

        ngx_http_og_op_close(pair->parts[i]);
    }

    ngx_destroy_pool(op->pool);
}
