
/*
 * Copyright (C) order guard contributors
 *
 * What of an upstream's text may stand in a log line.  Pure: libc only.
 */


#ifndef OG_EXCERPT_H_INCLUDED_
#define OG_EXCERPT_H_INCLUDED_


#include <stddef.h>


/* A shorter one would be found everywhere. */
#define OG_EXCERPT_MIN_SECRET  4


typedef struct {
    const unsigned char  *data;
    size_t                len;
} og_excerpt_secret_t;


/*
 * Writes text to dst, which has room for max bytes: visible ASCII as it is,
 * all else and the quote and the backslash as "\xHH"; "***" for each place of
 * one of n secrets of at least OG_EXCERPT_MIN_SECRET bytes, and once for those
 * that overlap, also where bytes of theirs are escaped as in JSON (\/ \"
 * \u00XX), a URI (%XX) or HTML (&#NN;).  Ends in "..." where it does not fit;
 * max is at least 8.  Returns the length.
 */
size_t og_excerpt(char *dst, size_t max, const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secrets, size_t n);


#endif /* OG_EXCERPT_H_INCLUDED_ */
