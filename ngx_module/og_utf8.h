
/*
 * Copyright (C) order guard contributors
 *
 * UTF-8 as RFC 3629 has it.  Pure: libc only.
 */


#ifndef OG_UTF8_H_INCLUDED_
#define OG_UTF8_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#define og_utf8_is_tail(c)  (((c) & 0xC0) == 0x80)


/*
 * Length of the well-formed character that begins at p, 1 to 4 bytes, or 0:
 * cut short by end, overlong, a surrogate, above U+10FFFF, or no lead byte
 * (RFC 3629 section 4).  p is below end.
 */
static inline size_t
og_utf8_length(const unsigned char *p, const unsigned char *end)
{
    size_t         left;
    unsigned char  low, high;

    left = (size_t) (end - p);

    if (p[0] < 0x80) {
        return 1;
    }

    if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        return (left >= 2 && og_utf8_is_tail(p[1])) ? 2 : 0;
    }

    if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        low = (p[0] == 0xE0) ? 0xA0 : 0x80;
        high = (p[0] == 0xED) ? 0x9F : 0xBF;

        return (left >= 3 && p[1] >= low && p[1] <= high
                && og_utf8_is_tail(p[2])) ? 3 : 0;
    }

    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        low = (p[0] == 0xF0) ? 0x90 : 0x80;
        high = (p[0] == 0xF4) ? 0x8F : 0xBF;

        return (left >= 4 && p[1] >= low && p[1] <= high
                && og_utf8_is_tail(p[2]) && og_utf8_is_tail(p[3])) ? 4 : 0;
    }

    return 0;
}


/*
 * Writes a code point, at most U+10FFFF and no surrogate, to dst, which has
 * room for 4 bytes, and returns the end.
 */
static inline unsigned char *
og_utf8_encode(unsigned char *dst, uint32_t code)
{
    if (code < 0x80) {
        *dst++ = (unsigned char) code;
        return dst;
    }

    if (code < 0x800) {
        *dst++ = (unsigned char) (0xC0 | (code >> 6));
        *dst++ = (unsigned char) (0x80 | (code & 0x3F));
        return dst;
    }

    if (code < 0x10000) {
        *dst++ = (unsigned char) (0xE0 | (code >> 12));
        *dst++ = (unsigned char) (0x80 | ((code >> 6) & 0x3F));
        *dst++ = (unsigned char) (0x80 | (code & 0x3F));
        return dst;
    }

    *dst++ = (unsigned char) (0xF0 | (code >> 18));
    *dst++ = (unsigned char) (0x80 | ((code >> 12) & 0x3F));
    *dst++ = (unsigned char) (0x80 | ((code >> 6) & 0x3F));
    *dst++ = (unsigned char) (0x80 | (code & 0x3F));

    return dst;
}


#endif /* OG_UTF8_H_INCLUDED_ */
