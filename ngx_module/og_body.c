
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_body.h"


static unsigned char *og_body_copy_without(unsigned char *dst,
    const og_range_t *ranges, size_t nranges, og_range_t from,
    const unsigned char *data);


size_t
og_body_kept_length(const og_body_result_t *result, size_t len)
{
    size_t  i;

    for (i = 0; i < result->ncuts; i++) {
        len -= result->cuts[i].end - result->cuts[i].start;
    }

    return len;
}


unsigned char *
og_body_copy_kept(unsigned char *dst, const og_body_result_t *result,
    const unsigned char *data, size_t len)
{
    og_range_t  all;

    all.start = 0;
    all.end = len;

    return og_body_copy_without(dst, result->cuts, result->ncuts, all, data);
}


/* Gaps may lie within cuts, and across their ends. */
unsigned char *
og_body_copy_canonical(unsigned char *dst, const og_body_result_t *result,
    const unsigned char *data, size_t len)
{
    size_t      i, gap;
    og_range_t  kept;

    if (result->ngaps == 0) {
        return og_body_copy_kept(dst, result, data, len);
    }

    gap = 0;
    kept.start = 0;

    for (i = 0; i <= result->ncuts; i++) {
        kept.end = (i < result->ncuts) ? result->cuts[i].start : len;

        while (gap < result->ngaps && result->gaps[gap].end <= kept.start) {
            gap++;
        }

        dst = og_body_copy_without(dst, result->gaps + gap,
                                   result->ngaps - gap, kept, data);

        if (i < result->ncuts) {
            kept.start = result->cuts[i].end;
        }
    }

    return dst;
}


static unsigned char *
og_body_copy_without(unsigned char *dst, const og_range_t *ranges,
    size_t nranges, og_range_t from, const unsigned char *data)
{
    size_t  i, n, start;

    start = from.start;

    for (i = 0; i < nranges && ranges[i].start < from.end; i++) {

        if (ranges[i].start > start) {
            n = ranges[i].start - start;
            memcpy(dst, data + start, n);
            dst += n;
        }

        start = ranges[i].end;
    }

    if (start < from.end) {
        n = from.end - start;
        memcpy(dst, data + start, n);
        dst += n;
    }

    return dst;
}
