
/*
 * Copyright (C) order guard contributors
 *
 * What the module asks memory of, made to fail when a test says so.  Linked
 * into the module with --wrap for every __wrap_ function that is here; a test
 * talks to it through a page of a file, which OG_FAULTS names and which all
 * processes of nginx share.
 */


#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hiredis/hiredis.h>
#include <jansson.h>


/* Who asks: a request, a pure file or jansson, the connection to a store. */
enum {
    REQUEST = 1,
    HEAP = 2,
    LINK = 4
};


typedef struct {
    uint64_t  first;    /* the number of the call to fail; 0: none */
    uint64_t  calls;    /* how many fail, from that one on */
    uint64_t  kinds;    /* of the calls that count, a bit each */
    uint64_t  seen;     /* calls so far */
    uint64_t  failed;   /* of them */
    uint64_t  place;    /* in the module: where the last one returns to */
    int64_t   blocks;   /* of malloc() and its like, not freed yet */
    int64_t   pools;    /* of nginx, not destroyed yet */
} faults_t;


void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__real_ngx_create_pool(size_t size, void *log);
void __real_ngx_destroy_pool(void *pool);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
void *__wrap_ngx_create_pool(size_t size, void *log);
void __wrap_ngx_destroy_pool(void *pool);

/* Where the module begins in memory. */
extern const char  __ehdr_start[];


static faults_t            off;
static volatile faults_t  *faults = &off;


static void __attribute__((constructor))
begin(void)
{
    int          fd;
    void        *page;
    const char  *name;

    json_set_alloc_funcs(__wrap_malloc, __wrap_free);

    name = getenv("OG_FAULTS");
    if (name == NULL) {
        return;
    }

    fd = open(name, O_RDWR);
    if (fd == -1) {
        abort();
    }

    page = mmap(NULL, sizeof(faults_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd,
                0);
    if (page == MAP_FAILED) {
        abort();
    }

    (void) close(fd);

    faults = page;
}


static int
fails(unsigned kind, void *place)
{
    if (faults->first == 0 || (faults->kinds & kind) == 0) {
        return 0;
    }

    faults->seen++;

    if (faults->seen < faults->first
        || faults->seen - faults->first >= faults->calls)
    {
        return 0;
    }

    faults->failed++;
    faults->place = (uint64_t) ((const char *) place - __ehdr_start);

    return 1;
}


/* A function that fails as a whole, before it has done anything. */

#define FAILING(kind, type, failure, name, parameters, arguments)             \
                                                                              \
    type __real_##name parameters;                                            \
    type __wrap_##name parameters;                                            \
                                                                              \
    type                                                                      \
    __wrap_##name parameters                                                  \
    {                                                                         \
        if (fails(kind, __builtin_return_address(0))) {                       \
            return failure;                                                   \
        }                                                                     \
                                                                              \
        return __real_##name arguments;                                       \
    }


FAILING(REQUEST, void *, NULL, ngx_palloc,
        (void *pool, size_t size), (pool, size))
FAILING(REQUEST, void *, NULL, ngx_pnalloc,
        (void *pool, size_t size), (pool, size))
FAILING(REQUEST, void *, NULL, ngx_pcalloc,
        (void *pool, size_t size), (pool, size))
FAILING(REQUEST, void *, NULL, ngx_pmemalign,
        (void *pool, size_t size, size_t alignment), (pool, size, alignment))
FAILING(REQUEST, void *, NULL, ngx_pstrdup,
        (void *pool, void *text), (pool, text))
FAILING(REQUEST, void *, NULL, ngx_pool_cleanup_add,
        (void *pool, size_t size), (pool, size))
FAILING(REQUEST, void *, NULL, ngx_http_cleanup_add,
        (void *r, size_t size), (r, size))
FAILING(REQUEST, void *, NULL, ngx_array_create,
        (void *pool, uintptr_t n, size_t size), (pool, n, size))
FAILING(REQUEST, void *, NULL, ngx_array_push, (void *array), (array))
FAILING(REQUEST, void *, NULL, ngx_array_push_n,
        (void *array, uintptr_t n), (array, n))
FAILING(REQUEST, void *, NULL, ngx_list_create,
        (void *pool, uintptr_t n, size_t size), (pool, n, size))
FAILING(REQUEST, void *, NULL, ngx_list_push, (void *list), (list))
FAILING(REQUEST, void *, NULL, ngx_alloc_chain_link, (void *pool), (pool))
FAILING(REQUEST, void *, NULL, ngx_create_temp_buf,
        (void *pool, size_t size), (pool, size))

FAILING(REQUEST, intptr_t, -1, ngx_http_complex_value,
        (void *r, void *value, void *result), (r, value, result))
FAILING(REQUEST, void *, NULL, ngx_http_get_indexed_variable,
        (void *r, uintptr_t index), (r, index))
FAILING(REQUEST, intptr_t, 500, ngx_http_read_client_request_body,
        (void *r, void *handler), (r, handler))
FAILING(REQUEST, intptr_t, -1, ngx_http_send_header, (void *r), (r))
FAILING(REQUEST, intptr_t, -1, ngx_http_output_filter,
        (void *r, void *in), (r, in))
FAILING(REQUEST, intptr_t, -1, ngx_read_file,
        (void *file, void *buf, size_t size, int64_t offset),
        (file, buf, size, offset))
FAILING(REQUEST, int, -1, redisFormatCommandArgv,
        (char **text, int argc, const char **argv, const size_t *lens),
        (text, argc, argv, lens))

FAILING(REQUEST, void *, NULL, ngx_resolve_start,
        (void *resolver, void *known), (resolver, known))

FAILING(REQUEST, int, 0, RAND_bytes, (unsigned char *bytes, int n), (bytes, n))

FAILING(LINK, intptr_t, -1, ngx_event_connect_peer, (void *peer), (peer))
FAILING(LINK, intptr_t, -1, ngx_handle_read_event,
        (void *ev, uintptr_t flags), (ev, flags))
FAILING(LINK, intptr_t, -1, ngx_handle_write_event,
        (void *ev, size_t lowat), (ev, lowat))
FAILING(LINK, void *, NULL, redisReaderCreate, (void), ())
FAILING(LINK, int, -1, redisReaderFeed,
        (void *reader, const char *data, size_t len), (reader, data, len))
FAILING(LINK, int, -1, redisReaderGetReply,
        (void *reader, void **reply), (reader, reply))

FAILING(LINK, intptr_t, -1, ngx_ssl_create_connection,
        (void *ssl, void *c, uintptr_t flags), (ssl, c, flags))
FAILING(LINK, intptr_t, -1, ngx_ssl_handshake, (void *c), (c))
FAILING(LINK, int, 0, X509_VERIFY_PARAM_set1_host,
        (void *param, const char *name, size_t len), (param, name, len))
FAILING(LINK, long, 0, SSL_ctrl,
        (void *ssl, int command, long number, void *text),
        (ssl, command, number, text))


/* What hiredis may free, whose own calls are not seen. */

#define MAX_GIVEN  4096

static const void  *given[MAX_GIVEN];
static unsigned     ngiven;


static void
give(const void *p)
{
    if (ngiven == MAX_GIVEN) {
        abort();
    }

    given[ngiven++] = p;
}


static int
take_back(const void *p)
{
    unsigned  i;

    for (i = ngiven; i > 0; i--) {

        if (given[i - 1] == p) {
            given[i - 1] = given[--ngiven];
            return 1;
        }
    }

    return 0;
}


static void
take_reply_back(const redisReply *reply)
{
    size_t  i;

    if (reply == NULL) {
        return;
    }

    for (i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        take_reply_back(reply->element[i]);
    }

    faults->blocks -= take_back(reply->element);
    faults->blocks -= take_back(reply);
}


void __real_redisFreeCommand(char *command);
void __real_freeReplyObject(void *reply);
void __wrap_redisFreeCommand(char *command);
void __wrap_freeReplyObject(void *reply);


void
__wrap_redisFreeCommand(char *command)
{
    faults->blocks -= take_back(command);
    __real_redisFreeCommand(command);
}


void
__wrap_freeReplyObject(void *reply)
{
    take_reply_back(reply);
    __real_freeReplyObject(reply);
}


/* The same for what is counted until it is given back. */

#define COUNTED(kind, count, note, name, parameters, arguments)               \
                                                                              \
    void *                                                                    \
    __wrap_##name parameters                                                  \
    {                                                                         \
        void  *p;                                                             \
                                                                              \
        if (fails(kind, __builtin_return_address(0))) {                       \
            return NULL;                                                      \
        }                                                                     \
                                                                              \
        p = __real_##name arguments;                                          \
                                                                              \
        if (p != NULL) {                                                      \
            faults->count++;                                                  \
            note(p);                                                          \
        }                                                                     \
                                                                              \
        return p;                                                             \
    }


void *__real_ngx_alloc(size_t size, void *log);
void *__real_ngx_calloc(size_t size, void *log);
void *__wrap_ngx_alloc(size_t size, void *log);
void *__wrap_ngx_calloc(size_t size, void *log);

COUNTED(HEAP, blocks, (void), malloc, (size_t size), (size))
COUNTED(HEAP, blocks, (void), calloc, (size_t n, size_t size), (n, size))
COUNTED(REQUEST, blocks, give, ngx_alloc, (size_t size, void *log),
        (size, log))
COUNTED(REQUEST, blocks, give, ngx_calloc, (size_t size, void *log),
        (size, log))
COUNTED(REQUEST, pools, (void), ngx_create_pool, (size_t size, void *log),
        (size, log))


void *
__wrap_realloc(void *p, size_t size)
{
    void  *grown;

    if (fails(HEAP, __builtin_return_address(0))) {
        return NULL;
    }

    grown = __real_realloc(p, size);

    if (p == NULL && grown != NULL) {
        faults->blocks++;
    }

    return grown;
}


void
__wrap_free(void *p)
{
    if (p != NULL) {
        (void) take_back(p);
        faults->blocks--;
    }

    __real_free(p);
}


void
__wrap_ngx_destroy_pool(void *pool)
{
    faults->pools--;
    __real_ngx_destroy_pool(pool);
}
