
/*
 * Copyright (C) order guard contributors
 *
 * Counting a second time.  Before a caller's first refusal what was counted
 * goes back and is asked for once more, so that replays on their way refuse
 * nobody; and so does what was counted when its slot was over.
 */


#include <hiredis/hiredis.h>

#include "ngx_http_og_redis_store.h"


/* Before who was refused is counted a second time, ms. */
#define NGX_HTTP_OG_PAUSE  25


static void ngx_http_og_redis_ask_again(ngx_http_og_redis_batch_t *batch);
static ngx_uint_t ngx_http_og_redis_pauses(ngx_http_og_task_t *task);
static void ngx_http_og_redis_count_failed(ngx_http_og_task_t *task);


void
ngx_http_og_redis_refuse(ngx_http_og_task_t *task)
{
    if (task->again) {
        ngx_http_og_redis_give_back(task);
        ngx_http_og_redis_verdict(task, NGX_HTTP_OG_LIMITED);
        return;
    }

    task->again = 1;

    ngx_http_og_redis_count_again(task);
}


/* What was counted goes back first. */

void
ngx_http_og_redis_count_again(ngx_http_og_task_t *task)
{
    ngx_http_og_redis_batch_t  *batch;

    batch = ngx_http_og_redis_back(task, ngx_http_og_redis_ask_again, 0);

    if (batch == NULL
        || ngx_http_og_redis_submit_back(task, batch, task->deadline)
           != NGX_OK)
    {
        ngx_http_og_redis_count_failed(task);
    }
}


static void
ngx_http_og_redis_ask_again(ngx_http_og_redis_batch_t *batch)
{
    ngx_http_og_task_t  *task;

    task = batch->data;

    ngx_http_og_redis_check_freed(task, batch);

    if (task->state != NGX_HTTP_OG_TASK_ASKING || task->closed) {
        ngx_http_og_redis_task_put(task, batch);
        return;
    }

    /* a key that is still to be freed must not be claimed meanwhile */

    if (batch->outcome != NGX_HTTP_OG_REDIS_ANSWERED
        || task->wish != NGX_HTTP_OG_WISH_NONE)
    {
        ngx_http_og_redis_count_failed(task);

    } else if (!ngx_http_og_redis_pauses(task)) {
        ngx_http_og_redis_count(task);
    }

    ngx_http_og_redis_task_put(task, batch);
}


/* Replays of another gateway's are on their way for as long as its network. */

static ngx_uint_t
ngx_http_og_redis_pauses(ngx_http_og_task_t *task)
{
    if (!task->again
        || (ngx_msec_int_t) (task->deadline - ngx_current_msec)
           < 2 * NGX_HTTP_OG_PAUSE)
    {
        return 0;
    }

    /* it is the request's only one: a leaving worker waits for it */

    task->renewal.cancelable = 0;
    ngx_add_timer(&task->renewal, NGX_HTTP_OG_PAUSE);

    return 1;
}


void
ngx_http_og_redis_count(ngx_http_og_task_t *task)
{
    if (ngx_http_og_redis_ask(task, NGX_HTTP_OG_ASK_COUNT) != NGX_OK) {
        ngx_http_og_redis_count_failed(task);
    }
}


/* What the first count refused stays so; one that came late says nothing. */

static void
ngx_http_og_redis_count_failed(ngx_http_og_task_t *task)
{
    if (task->again) {
        ngx_http_og_redis_verdict(task, NGX_HTTP_OG_LIMITED);
        return;
    }

    ngx_http_og_redis_begin_failed(task);
}
