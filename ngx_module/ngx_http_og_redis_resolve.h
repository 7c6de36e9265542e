
/*
 * Copyright (C) order guard contributors
 *
 * Names resolved at run time, by nginx's resolver.
 */


#ifndef NGX_HTTP_OG_REDIS_RESOLVE_H_INCLUDED_
#define NGX_HTTP_OG_REDIS_RESOLVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_og_redis.h"


typedef struct ngx_http_og_redis_resolve_s  ngx_http_og_redis_resolve_t;
typedef struct ngx_http_og_redis_answer_s   ngx_http_og_redis_answer_t;

/*
 * Called once: the addresses of all hosts, in the order of the hosts, or none
 * and rv->failed and rv->error.  They live until rv is used again.
 */
typedef void (*ngx_http_og_redis_resolved_pt)(ngx_http_og_redis_resolve_t *rv,
    ngx_addr_t *addrs, ngx_uint_t naddrs);


/* Zeroed at first; then one resolution after the other. */
struct ngx_http_og_redis_resolve_s {
    void                             *data;
    ngx_http_og_redis_resolved_pt     handler;

    /* its own */
    ngx_pool_t                       *pool;     /* of the last one */
    ngx_http_og_redis_answer_t       *answers;  /* one a host */
    ngx_uint_t                        nanswers;
    ngx_uint_t                        pending;

    ngx_str_t                        *failed;   /* a host that has none */
    const char                       *error;
};


/*
 * Finds the addresses of all hosts, and ends what it did before.  Who has not
 * answered after timeout ms has none; without a resolver, no name has.  hosts
 * must live until the handler is called, from inside or later.
 */
void ngx_http_og_redis_resolve(ngx_http_og_redis_resolve_t *rv,
    ngx_http_og_redis_host_t *hosts, ngx_uint_t nhosts,
    ngx_resolver_t *resolver, ngx_msec_t timeout);

/* The handler is not called any more; frees all. */
void ngx_http_og_redis_resolve_end(ngx_http_og_redis_resolve_t *rv);


/* Finds the hosts of a connection's configuration. */
extern const ngx_http_og_redis_locator_t  ngx_http_og_redis_by_name;


#endif /* NGX_HTTP_OG_REDIS_RESOLVE_H_INCLUDED_ */
