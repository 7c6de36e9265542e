
/*
 * Copyright (C) order guard contributors
 *
 * For builds with AddressSanitizer: what the module takes from a pool becomes
 * a block of malloc's of its own, so that a step beyond its end is seen.  The
 * pool still frees it.  Not seen is what functions of nginx's core take.
 */


#ifndef POOL_DEBUG_H_INCLUDED_
#define POOL_DEBUG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* What nginx promises at least, also from ngx_pnalloc(). */
#define POOL_DEBUG_ALIGNMENT  16


static inline void *
pool_debug_zeroed(ngx_pool_t *pool, size_t size)
{
    void  *p;

    p = ngx_pmemalign(pool, size, POOL_DEBUG_ALIGNMENT);
    if (p != NULL) {
        ngx_memzero(p, size);
    }

    return p;
}


#define ngx_palloc(pool, size)                                                \
    ngx_pmemalign(pool, size, POOL_DEBUG_ALIGNMENT)
#define ngx_pnalloc(pool, size)                                               \
    ngx_pmemalign(pool, size, POOL_DEBUG_ALIGNMENT)
#define ngx_pcalloc(pool, size)  pool_debug_zeroed(pool, size)


#endif /* POOL_DEBUG_H_INCLUDED_ */
