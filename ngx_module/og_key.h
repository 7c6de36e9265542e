
/*
 * Copyright (C) order guard contributors
 *
 * Idempotency keys as clients write them.  Pure: libc only.
 */


#ifndef OG_KEY_H_INCLUDED_
#define OG_KEY_H_INCLUDED_


#include <stddef.h>


#define OG_KEY_MAX  255


/*
 * Reads an Idempotency-Key field value: either an RFC 9651 String (section
 * 3.3.3; parameters are parsed and ignored), or visible ASCII as it is.
 * Writes the key, 1 to OG_KEY_MAX bytes, to dst and returns its length; 0
 * when the value is no key.
 */
size_t og_key_from_header(unsigned char dst[OG_KEY_MAX],
    const unsigned char *value, size_t len);


/* Whether text is a key from elsewhere: 1 to OG_KEY_MAX bytes of UTF-8. */
int og_key_is_text(const unsigned char *text, size_t len);


#endif /* OG_KEY_H_INCLUDED_ */
