
/*
 * Copyright (C) order guard contributors
 *
 * Slow and obvious: what must come out of a copy of a body, byte by byte, and
 * JSON with its numbers as text.  All in the header, for fuzzers too.
 */


#ifndef JSON_SLOW_H_INCLUDED_
#define JSON_SLOW_H_INCLUDED_


#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "og_body.h"


/* Whether ranges are in order, apart, not empty, and within len bytes. */
static inline int
slow_are_ranges(const og_range_t *ranges, size_t nranges, size_t len)
{
    size_t  i, last;

    last = 0;

    for (i = 0; i < nranges; i++) {

        if (ranges[i].start < last + (i > 0)
            || ranges[i].end <= ranges[i].start || ranges[i].end > len)
        {
            return 0;
        }

        last = ranges[i].end;
    }

    return 1;
}


/* Copies what is in none of the ranges; returns its length. */
static inline size_t
slow_copy_without(unsigned char *dst, const og_range_t *ranges,
    size_t nranges, const unsigned char *data, size_t len)
{
    size_t  i, range, n;

    range = 0;
    n = 0;

    for (i = 0; i < len; i++) {

        while (range < nranges && ranges[range].end <= i) {
            range++;
        }

        if (range == nranges || i < ranges[range].start) {
            dst[n++] = data[i];
        }
    }

    return n;
}


/* Copies JSON without the white space between words. */
static inline size_t
slow_compact(unsigned char *dst, const unsigned char *data, size_t len)
{
    int     in_string;
    size_t  i, n;

    in_string = 0;
    n = 0;

    for (i = 0; i < len; i++) {

        if (!in_string && strchr(" \t\r\n", data[i]) != NULL && data[i]) {
            continue;
        }

        dst[n++] = data[i];

        if (data[i] == '"') {
            in_string = !in_string;

        } else if (data[i] == '\\' && in_string && i + 1 < len) {
            dst[n++] = data[++i];
        }
    }

    return n;
}


/* Whether part is what is left of whole when some of its bytes go. */
static inline int
slow_is_left_of(const unsigned char *part, size_t part_len,
    const unsigned char *whole, size_t len)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < len && n < part_len; i++) {
        n += (whole[i] == part[n]);
    }

    return n == part_len;
}


/* Copies JSON with each number as a string, so that 1.0 is not 1. */
static inline size_t
slow_quote_numbers(unsigned char *dst, const unsigned char *data, size_t len)
{
    int     in_string, in_number;
    size_t  i, n;

    in_string = 0;
    in_number = 0;
    n = 0;

    for (i = 0; i < len; i++) {

        if (!in_string && !in_number && data[i]
            && strchr("-0123456789", data[i]) != NULL)
        {
            memcpy(dst + n, "\"#", 2);
            n += 2;
            in_number = 1;

        } else if (in_number && (!data[i]
                                 || strchr("-+.eE0123456789", data[i])
                                    == NULL))
        {
            dst[n++] = '"';
            in_number = 0;
        }

        dst[n++] = data[i];

        if (data[i] == '"') {
            in_string = !in_string;

        } else if (data[i] == '\\' && in_string && i + 1 < len) {
            dst[n++] = data[++i];
        }
    }

    if (in_number) {
        dst[n++] = '"';
    }

    return n;
}


/* Reads JSON, which is known to be some; numbers are strings "#1.50". */
static inline json_t *
slow_read(const unsigned char *data, size_t len)
{
    json_t         *root;
    size_t          n;
    unsigned char  *text;

    text = malloc(4 * len + 1);
    if (text == NULL) {
        return NULL;
    }

    n = slow_quote_numbers(text, data, len);
    root = json_loadb((const char *) text, n,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      NULL);
    free(text);

    return root;
}


#endif /* JSON_SLOW_H_INCLUDED_ */
