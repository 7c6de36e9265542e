
/*
 * Copyright (C) order guard contributors
 *
 * What the cutter's speed is held against: a plain scanner that only tells
 * whether a document is strict JSON and where its names are.
 */


#ifndef YARDSTICK_H_INCLUDED_
#define YARDSTICK_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* Of nested arrays and objects. */
#define YARDSTICK_DEPTH  1024


/* What is made of the names, so that none is looked for in vain. */
typedef struct {
    size_t                count;
    size_t                bytes;
    uint64_t              hash;       /* of their lengths and ends */
} yardstick_names_t;


/*
 * Whether data[0..len) is strict JSON (RFC 8259, UTF-8 by RFC 3629) in one
 * iterative pass that looks at no byte outside.  Unlike the cutter it passes
 * repeated names, NUL in names and lone surrogates, knows one limit of depth
 * only, and does not tell what is wrong where.
 */
int yardstick_scan(const unsigned char *data, size_t len,
    yardstick_names_t *names);


#endif /* YARDSTICK_H_INCLUDED_ */
