
/*
 * Copyright (C) order guard contributors
 *
 * Memory that is short: one allocation fails, and blocks are counted.  For
 * tests whose name ends in _memory, which are linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free.
 */


#ifndef SHORT_MEMORY_H_INCLUDED_
#define SHORT_MEMORY_H_INCLUDED_


#include <stddef.h>


/*
 * From here on the allocation behind the next left ones fails (SIZE_MAX:
 * none), and blocks are counted.  cmocka allocates, too: nothing is asserted
 * until short_memory_end().
 */
void short_memory_begin(size_t left);


/* No allocation fails any more. */
void short_memory_is_over(void);


/* Blocks that were allocated since the beginning and not freed. */
ptrdiff_t short_memory_end(void);


#endif /* SHORT_MEMORY_H_INCLUDED_ */
