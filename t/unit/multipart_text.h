
/*
 * Copyright (C) order guard contributors
 *
 * Bodies as the cases of t/unit/multipart write them; their README.md says
 * how.
 */


#ifndef MULTIPART_TEXT_H_INCLUDED_
#define MULTIPART_TEXT_H_INCLUDED_


#include <stddef.h>

#include "og_media.h"


#define MULTIPART_CASES  "t/unit/multipart"

/* A body grows when it is written out, but not to this. */
#define MULTIPART_SIZE   32768

#define MULTIPART_NO_MARK  ((size_t) -1)


/*
 * Writes out text[0..len) to dst, which has room for MULTIPART_SIZE bytes,
 * and returns its length.  mark, unless NULL, is where "<!>" stood.
 */
size_t multipart_text(unsigned char *dst, const void *text, size_t len,
    size_t *mark);


/* The Content-Type of bodies with that boundary, which is the caller's. */
og_media_t multipart_media(const char *boundary);


#endif /* MULTIPART_TEXT_H_INCLUDED_ */
