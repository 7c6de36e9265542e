
/*
 * Copyright (C) order guard contributors
 *
 * Stores: their directive, the verbs on their way to a backend, and the
 * judgement of a record that another request left under the key.
 */


#include <openssl/crypto.h>

#include "ngx_http_og_backend.h"
#include "og_seal.h"


#define NGX_HTTP_OG_OP_POOL_SIZE     2048
#define NGX_HTTP_OG_MAX_STORE_NAME   64
#define NGX_HTTP_OG_ASSUMED_STORE    "local"

/* A running order is worth asking for again after so many seconds. */
#define NGX_HTTP_OG_RETRY_AFTER      1


/* What "where" begins with. */
typedef struct {
    ngx_str_t                      scheme;
    const ngx_http_og_backend_t   *backend;
} ngx_http_og_scheme_t;


static ngx_int_t ngx_http_og_store_check_name(ngx_conf_t *cf,
    ngx_array_t *stores, ngx_str_t *name);
static const ngx_http_og_backend_t *ngx_http_og_store_backend(ngx_conf_t *cf,
    ngx_str_t *where);
static void ngx_http_og_set_age(ngx_http_og_op_t *op, uint64_t now);
static ngx_int_t ngx_http_og_decode(ngx_http_og_op_t *op, ngx_str_t *key,
    ngx_str_t *bytes);
static ngx_int_t ngx_http_og_seal(ngx_http_og_op_t *op, ngx_str_t *key,
    ngx_str_t *text);


static const ngx_http_og_scheme_t  ngx_http_og_schemes[] = {
    { ngx_string("redis://"),          &ngx_http_og_redis_backend },
    { ngx_string("unix:"),             &ngx_http_og_redis_backend },
    { ngx_string("rediss://"),          &ngx_http_og_redis_backend },
    { ngx_string("redis+sentinel://"),  &ngx_http_og_redis_backend },
    { ngx_string("rediss+sentinel://"), &ngx_http_og_redis_backend },
    { ngx_string("redis+cluster://"),   &ngx_http_og_redis_backend },
    { ngx_string("rediss+cluster://"),  &ngx_http_og_redis_backend },
    { ngx_string("shm"),                &ngx_http_og_shm_backend },
    { ngx_null_string,                 NULL }
};


char *
ngx_http_og_store_add(ngx_conf_t *cf, ngx_array_t *stores)
{
    ngx_str_t                    *value;
    ngx_http_og_store_t          *store, **slot;
    const ngx_http_og_backend_t  *backend;

    value = cf->args->elts;

    if (ngx_http_og_store_check_name(cf, stores, &value[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    backend = ngx_http_og_store_backend(cf, &value[2]);
    if (backend == NULL) {
        return NGX_CONF_ERROR;
    }

    store = ngx_pcalloc(cf->pool, sizeof(ngx_http_og_store_t));
    if (store == NULL) {
        return NGX_CONF_ERROR;
    }

    store->name = value[1];
    store->backend = backend;
    store->file_name = cf->conf_file->file.name.data;
    store->line = cf->conf_file->line;

    slot = ngx_array_push(stores);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = store;

    return backend->configure(cf, store);
}


static ngx_int_t
ngx_http_og_store_check_name(ngx_conf_t *cf, ngx_array_t *stores,
    ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
        {
            break;
        }
    }

    if (name->len == 0
        || name->len > NGX_HTTP_OG_MAX_STORE_NAME
        || i != name->len)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"order_guard_store\", "
                           "use 1 to %d letters, digits, \"_\", \"-\" or "
                           "\".\"", name, NGX_HTTP_OG_MAX_STORE_NAME);
        return NGX_ERROR;
    }

    if (stores->nelts && ngx_http_og_store_find(stores, name) != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate store \"%V\" in \"order_guard_store\", "
                           "give each store a name of its own", name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static const ngx_http_og_backend_t *
ngx_http_og_store_backend(ngx_conf_t *cf, ngx_str_t *where)
{
    const ngx_http_og_scheme_t  *s;

    for (s = ngx_http_og_schemes; s->scheme.len; s++) {

        if (where->len < s->scheme.len
            || ngx_strncmp(where->data, s->scheme.data, s->scheme.len) != 0)
        {
            continue;
        }

        return s->backend;
    }

    /* it is not repeated: it may hold a password */

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"order_guard_store\" does not say where the store "
                       "is, give \"shm\", \"redis://host:port/db\" or "
                       "\"unix:/path\" after its name");

    return NULL;
}


ngx_uint_t
ngx_http_og_store_is_spread(ngx_http_og_store_t *store)
{
    return store->spread;
}


ngx_str_t *
ngx_http_og_store_name(ngx_http_og_store_t *store)
{
    return &store->name;
}


ngx_http_og_store_t *
ngx_http_og_store_find(ngx_array_t *stores, ngx_str_t *name)
{
    ngx_uint_t             i;
    ngx_http_og_store_t  **store;

    store = stores->elts;

    if (name->len == 0) {
        return stores->nelts ? store[0] : NULL;
    }

    for (i = 0; i < stores->nelts; i++) {

        if (store[i]->name.len == name->len
            && ngx_strncmp(store[i]->name.data, name->data, name->len) == 0)
        {
            return store[i];
        }
    }

    return NULL;
}


/* The words are read as if they stood in the configuration. */

ngx_http_og_store_t *
ngx_http_og_store_need(ngx_conf_t *cf, ngx_array_t *stores, ngx_str_t *name)
{
    char         *rv;
    ngx_array_t  *former, args;
    ngx_str_t     words[] = {
        ngx_string("order_guard_store"),
        ngx_string(NGX_HTTP_OG_ASSUMED_STORE),
        ngx_string("shm")
    };

    if (stores->nelts
        || (name->len
            && (name->len != words[1].len
                || ngx_strncmp(name->data, words[1].data, name->len) != 0)))
    {
        return ngx_http_og_store_find(stores, name);
    }

    ngx_memzero(&args, sizeof(ngx_array_t));
    args.elts = words;
    args.nelts = sizeof(words) / sizeof(words[0]);

    former = cf->args;
    cf->args = &args;

    rv = ngx_http_og_store_add(cf, stores);

    cf->args = former;

    if (rv != NGX_CONF_OK) {
        return NULL;
    }

    ngx_conf_log_error(NGX_LOG_NOTICE, cf, 0,
                       "no store is defined, \"order_guard_store "
                       NGX_HTTP_OG_ASSUMED_STORE " shm;\" is assumed");

    return ngx_http_og_store_find(stores, name);
}


ngx_int_t
ngx_http_og_stores_configured(ngx_conf_t *cf, ngx_array_t *stores,
    ngx_resolver_t *resolver)
{
    ngx_uint_t             i;
    ngx_http_og_store_t  **store;

    store = stores->elts;

    for (i = 0; i < stores->nelts; i++) {

        if (store[i]->backend->configured
            && store[i]->backend->configured(cf, store[i], resolver) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_og_stores_init(ngx_array_t *stores, ngx_cycle_t *cycle)
{
    ngx_uint_t             i;
    ngx_http_og_store_t  **store;

    /* cache managers and loaders are no workers and need no store */

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    store = stores->elts;

    for (i = 0; i < stores->nelts; i++) {
        store[i]->log = cycle->log;

        if (store[i]->backend->init(store[i], cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_og_stores_exit(ngx_array_t *stores, ngx_cycle_t *cycle)
{
    ngx_uint_t             i;
    ngx_http_og_store_t  **store;

    store = stores->elts;

    for (i = 0; i < stores->nelts; i++) {

        if (store[i]->log != NULL) {
            store[i]->backend->exit(store[i]);
        }
    }
}


ngx_http_og_op_t *
ngx_http_og_op_create(ngx_http_og_store_t *store, ngx_uint_t joined)
{
    ngx_pool_t        *pool;
    ngx_http_og_op_t  *op;

    pool = ngx_create_pool(NGX_HTTP_OG_OP_POOL_SIZE, store->log);
    if (pool == NULL) {
        return NULL;
    }

    op = ngx_pcalloc(pool, sizeof(ngx_http_og_op_t));
    if (op == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    op->store = store;
    op->pool = pool;
    op->verbs = joined ? &ngx_http_og_join_verbs : &store->backend->verbs;

    if (op->verbs->open(op) != NGX_OK) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    return op;
}


ngx_int_t
ngx_http_og_store_begin(ngx_http_og_op_t *op)
{
    return op->verbs->begin(op);
}


ngx_int_t
ngx_http_og_store_complete(ngx_http_og_op_t *op, og_record_t *record,
    ngx_msec_t ttl)
{
    return op->verbs->complete(op, record, ttl);
}


void
ngx_http_og_store_release(ngx_http_og_op_t *op, ngx_http_og_release_e why)
{
    op->verbs->release(op, why);
}


ngx_int_t
ngx_http_og_store_look(ngx_http_og_op_t *op)
{
    return op->verbs->look(op);
}


ngx_int_t
ngx_http_og_store_resolve(ngx_http_og_op_t *op, const og_record_t *answer)
{
    return op->verbs->resolve(op, answer);
}


void
ngx_http_og_op_close(ngx_http_og_op_t *op)
{
    op->verbs->close(op);
}


void
ngx_http_og_answer(ngx_http_og_op_t *op, ngx_http_og_verdict_e verdict)
{
    op->verdict = verdict;
    op->store->counters.verdicts[verdict]++;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, op->store->log, 0,
                   "order guard store \"%V\": verdict %ui",
                   &op->store->name, (ngx_uint_t) verdict);
}


ngx_http_og_verdict_e
ngx_http_og_judge(ngx_http_og_op_t *op, const u_char *nonce, uint64_t now,
    ngx_str_t *key, ngx_str_t *bytes)
{
    ngx_http_og_verdict_e  verdict;

    verdict = ngx_http_og_read(op, now, key, bytes);

    if (verdict == NGX_HTTP_OG_STORE_FAILED) {
        return verdict;
    }

    if (ngx_memcmp(op->record.nonce, nonce, OG_RECORD_NONCE_SIZE) == 0) {
        return NGX_HTTP_OG_CLAIMED;
    }

    return ngx_http_og_judge_request(op, verdict);
}


ngx_http_og_verdict_e
ngx_http_og_judge_request(ngx_http_og_op_t *op, ngx_http_og_verdict_e verdict)
{
    if (CRYPTO_memcmp(op->record.fingerprint, op->name.fingerprint,
                      OG_RECORD_FINGERPRINT_SIZE)
        != 0)
    {
        return NGX_HTTP_OG_REUSED;
    }

    return verdict;
}


ngx_http_og_verdict_e
ngx_http_og_read(ngx_http_og_op_t *op, uint64_t now, ngx_str_t *key,
    ngx_str_t *bytes)
{
    if (ngx_http_og_decode(op, key, bytes) != NGX_OK) {
        op->store->counters.undecodable++;
        op->unreadable = 1;
        return NGX_HTTP_OG_STORE_FAILED;
    }

    ngx_http_og_set_age(op, now);

    switch (op->record.state) {

    case OG_RECORD_DONE:
        return NGX_HTTP_OG_FINISHED;

    case OG_RECORD_TOMBSTONE:
        return NGX_HTTP_OG_UNAVAILABLE_RESULT;

    case OG_RECORD_UNKNOWN:
        return NGX_HTTP_OG_UNKNOWN;

    default: /* OG_RECORD_PENDING */
        op->retry_after = NGX_HTTP_OG_RETRY_AFTER;
        return NGX_HTTP_OG_RUNNING;
    }
}


ngx_http_og_verdict_e
ngx_http_og_read_head(ngx_http_og_op_t *op, uint64_t now, ngx_str_t *bytes,
    ngx_uint_t status)
{
    (void) og_record_decode_head(&op->record, bytes->data, bytes->len);

    op->record.state = OG_RECORD_TOMBSTONE;
    op->record.status = (unsigned) status;

    ngx_http_og_set_age(op, now);

    return NGX_HTTP_OG_UNAVAILABLE_RESULT;
}


static void
ngx_http_og_set_age(ngx_http_og_op_t *op, uint64_t now)
{
    if (now > op->record.created) {
        op->age = (ngx_uint_t) ((now - op->record.created) / 1000);
    }
}


/* The record points into a copy of its bytes. */

static ngx_int_t
ngx_http_og_decode(ngx_http_og_op_t *op, ngx_str_t *key, ngx_str_t *bytes)
{
    u_char      *copy;
    size_t       len;
    og_bytes_t   name;

    copy = ngx_pnalloc(op->pool, bytes->len);
    if (copy == NULL) {
        return NGX_ERROR;
    }

    len = bytes->len;

    if (op->name.secret) {
        name.data = key->data;
        name.len = key->len;

        len = og_seal_open(op->name.secret, name, bytes->data, len, copy);

    } else {
        ngx_memcpy(copy, bytes->data, len);
    }

    return og_record_decode(&op->record, copy, len) == 0 ? NGX_OK : NGX_ERROR;
}


/*
 * By what the owner said of itself: its configuration may be another.  Under
 * RETRY its life is its lease: a dead owner's record has vanished, and this
 * one is alive.
 */

ngx_http_og_verdict_e
ngx_http_og_judge_silence(ngx_http_og_op_t *op, uint64_t left)
{
    if (op->record.life <= left
        || op->record.life - left <= op->record.lease)
    {
        return NGX_HTTP_OG_RUNNING;
    }

    return NGX_HTTP_OG_UNKNOWN;
}


ngx_msec_t
ngx_http_og_claim_life(ngx_http_og_op_t *op)
{
    return op->on_unknown == NGX_HTTP_OG_RETRY ? op->lease : op->ttl;
}


ngx_int_t
ngx_http_og_encode(ngx_http_og_op_t *op, og_record_t *record,
    const u_char *nonce, uint64_t now, ngx_str_t *key, ngx_str_t *text)
{
    ngx_memcpy(record->nonce, nonce, OG_RECORD_NONCE_SIZE);
    ngx_memcpy(record->fingerprint, op->name.fingerprint,
               OG_RECORD_FINGERPRINT_SIZE);
    record->created = now;
    record->life = ngx_http_og_claim_life(op);
    record->lease = op->lease;

    text->len = og_record_size(record);

    if (text->len == 0) {
        ngx_log_error(NGX_LOG_ERR, op->store->log, 0,
                      "store \"%V\": an answer cannot be recorded, its "
                      "outcome is stored as unknown", &op->store->name);

        record->state = OG_RECORD_UNKNOWN;
        text->len = og_record_size(record);
    }

    text->data = ngx_pnalloc(op->pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    og_record_encode(text->data, record);

    return op->name.secret ? ngx_http_og_seal(op, key, text) : NGX_OK;
}


static ngx_int_t
ngx_http_og_seal(ngx_http_og_op_t *op, ngx_str_t *key, ngx_str_t *text)
{
    int          rc;
    u_char      *sealed;
    og_bytes_t   name;

    sealed = ngx_pnalloc(op->pool, og_seal_size(text->len));
    if (sealed == NULL) {
        return NGX_ERROR;
    }

    name.data = key->data;
    name.len = key->len;

    rc = og_seal(op->name.secret, name, text->data, text->len, sealed);

    text->data = sealed;
    text->len = og_seal_size(text->len);

    return rc == 0 ? NGX_OK : NGX_ERROR;
}
