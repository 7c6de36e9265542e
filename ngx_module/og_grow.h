
/*
 * Copyright (C) order guard contributors
 *
 * Arrays that grow: scratch memory that is kept and used again.
 * Pure: libc only.
 */


#ifndef OG_GROW_H_INCLUDED_
#define OG_GROW_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>


/* Bytes of one array that a scanner keeps from one body to the next. */
#define OG_GROW_KEEP  (256 * 1024)


/*
 * Returns array with room for at least count elements of size bytes, which
 * may have moved, and brings *alloc (elements) up to date; at least doubles,
 * so that adding one by one stays linear.  NULL when memory is short: array
 * is then untouched and still the caller's.
 */
static inline void *
og_grow(void *array, size_t *alloc, size_t count, size_t size)
{
    void    *grown;
    size_t   n;

    n = (*alloc > SIZE_MAX / 2) ? SIZE_MAX : *alloc * 2;

    if (n < count) {
        n = count;
    }

    if (n < 32) {
        n = 32;
    }

    if (n > SIZE_MAX / size) {
        return NULL;
    }

    grown = realloc(array, n * size);
    if (grown == NULL) {
        return NULL;
    }

    *alloc = n;

    return grown;
}


/* Whether an array of that many elements is too large to be kept. */
static inline int
og_grow_is_large(size_t alloc, size_t size)
{
    return alloc > OG_GROW_KEEP / size;
}


/*
 * Gives an array that is too large back, and leaves it empty: one large body
 * must not hold memory for good.
 */
#define og_trim(array, alloc, size)                                           \
    if (og_grow_is_large(alloc, size)) {                                      \
        free(array);                                                          \
        (array) = NULL;                                                       \
        (alloc) = 0;                                                          \
    }


#endif /* OG_GROW_H_INCLUDED_ */
