
/*
 * Copyright (C) order guard contributors
 *
 * What an operator does to a record of the embedded store.
 */


#include "ngx_http_og_shm.h"


static ngx_http_og_verdict_e ngx_http_og_shm_see(
    ngx_http_og_shm_task_t *task, ngx_http_og_shm_copy_t *copy);
static ngx_http_og_verdict_e ngx_http_og_shm_settle(
    ngx_http_og_shm_task_t *task, ngx_http_og_shm_copy_t *seen,
    const og_record_t *answer);
static ngx_int_t ngx_http_og_shm_encode_answer(ngx_http_og_shm_task_t *task,
    const og_record_t *answer, ngx_str_t *text);


ngx_int_t
ngx_http_og_shm_op_look(ngx_http_og_op_t *op)
{
    ngx_http_og_shm_copy_t  copy;

    op->verdict = ngx_http_og_shm_see(op->backend, &copy);

    return NGX_OK;
}


ngx_int_t
ngx_http_og_shm_op_resolve(ngx_http_og_op_t *op, const og_record_t *answer)
{
    ngx_http_og_shm_copy_t  copy;

    op->verdict = ngx_http_og_shm_see(op->backend, &copy);

    if (op->verdict == NGX_HTTP_OG_UNKNOWN) {
        op->verdict = ngx_http_og_shm_settle(op->backend, &copy, answer);
    }

    return NGX_OK;
}


static ngx_http_og_verdict_e
ngx_http_og_shm_see(ngx_http_og_shm_task_t *task, ngx_http_og_shm_copy_t *copy)
{
    switch (ngx_http_og_shm_copy(task, copy)) {

    case NGX_OK:
        return ngx_http_og_shm_read(task, copy);

    case NGX_DECLINED:
        ngx_http_og_shm_unlock(task->ss->records);
        return NGX_HTTP_OG_ADMITTED;

    default: /* NGX_ERROR */
        return NGX_HTTP_OG_STORE_FAILED;
    }
}


/* What was seen is settled, nothing that has come since. */

static ngx_http_og_verdict_e
ngx_http_og_shm_settle(ngx_http_og_shm_task_t *task,
    ngx_http_og_shm_copy_t *seen, const og_record_t *answer)
{
    ngx_int_t                   rc;
    ngx_str_t                   text;
    ngx_http_og_op_t           *op;
    ngx_http_og_shm_record_t   *record;
    ngx_http_og_shm_records_t  *records;

    op = task->op;
    records = task->ss->records;

    if (answer && ngx_http_og_shm_encode_answer(task, answer, &text) != NGX_OK)
    {
        return NGX_HTTP_OG_STORE_FAILED;
    }

    ngx_http_og_shm_lock(records);

    record = ngx_http_og_shm_record_find(records, &op->name.key);

    if (record == NULL
        || record->expiry.key != seen->expiry
        || record->len != seen->bytes.len
        || ngx_memcmp(record->bytes, seen->bytes.data, record->len) != 0)
    {
        ngx_http_og_shm_unlock(records);
        return NGX_HTTP_OG_STORE_FAILED;
    }

    rc = NGX_OK;

    if (answer) {
        rc = ngx_http_og_shm_record_set(records, record, &text,
                                        answer->status);
    } else {
        ngx_http_og_shm_record_remove(records, record);
    }

    ngx_http_og_shm_unlock(records);

    op->resolved = 1;

    ngx_log_error(NGX_LOG_NOTICE, op->store->log, 0,
                  "store \"%V\": an operator has %s the record \"%V\"",
                  &op->store->name, answer ? "finished" : "released",
                  &op->name.key);

    if (answer == NULL) {
        return NGX_HTTP_OG_ADMITTED;
    }

    return rc == NGX_OK ? NGX_HTTP_OG_FINISHED
                        : NGX_HTTP_OG_UNAVAILABLE_RESULT;
}


/* It takes the place of the unknown one: the same request's, by its owner. */

static ngx_int_t
ngx_http_og_shm_encode_answer(ngx_http_og_shm_task_t *task,
    const og_record_t *answer, ngx_str_t *text)
{
    og_record_t        record;
    ngx_http_og_op_t  *op;

    op = task->op;
    record = *answer;

    ngx_memcpy(op->name.fingerprint, op->record.fingerprint,
               OG_RECORD_FINGERPRINT_SIZE);

    return ngx_http_og_encode(op, &record, op->record.nonce,
                              ngx_http_og_shm_now(task->ss), &op->name.key,
                              text);
}
