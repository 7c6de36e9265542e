
/*
 * Copyright (C) order guard contributors
 */


#include <stdint.h>
#include <stdlib.h>

#include "short_memory.h"


void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);


/* Volatile, because a compiler may assume that free() reads none of it. */
static volatile struct {
    int                   counts;
    size_t                left;
    ptrdiff_t             live;
} memory;


void
short_memory_begin(size_t left)
{
    memory.counts = 1;
    memory.left = left;
    memory.live = 0;
}


void
short_memory_is_over(void)
{
    memory.left = SIZE_MAX;
}


ptrdiff_t
short_memory_end(void)
{
    memory.counts = 0;

    return memory.live;
}


static int
fails(void)
{
    return memory.counts && memory.left-- == 0;
}


static void *
count(void *p)
{
    memory.live += (memory.counts && p != NULL);

    return p;
}


void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : count(__real_malloc(size));
}


void *
__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : count(__real_calloc(n, size));
}


void *
__wrap_realloc(void *p, size_t size)
{
    if (fails()) {
        return NULL;
    }

    memory.live -= (memory.counts && p != NULL);

    return count(__real_realloc(p, size));
}


void
__wrap_free(void *p)
{
    memory.live -= (memory.counts && p != NULL);
    __real_free(p);
}
