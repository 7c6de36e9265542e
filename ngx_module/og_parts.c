
/*
 * Copyright (C) order guard contributors
 *
 * Where parts begin and end.  Parsers look for delimiters in many ways: at
 * the beginning of lines that end with CRLF, or LF, or anywhere; with text
 * behind them, or in front of the first.  What some take for a delimiter and
 * others do not is refused, so that all of them find the same parts.
 */


#include <string.h>

#include "og_part.h"


static int og_parts_fail(og_parts_t *parts, const unsigned char *at,
    const char *message);
static int og_parts_is_crlf(const unsigned char *p, const unsigned char *end);
static int og_parts_last(og_parts_t *parts, const unsigned char *p);


void
og_parts_begin(og_parts_t *parts, const og_media_t *media,
    const unsigned char *data, size_t len)
{
    parts->next = data;
    parts->end = data + len;

    memcpy(parts->delimiter, "--", 2);
    memcpy(parts->delimiter + 2, media->boundary, media->boundary_len);
    parts->delimiter_len = 2 + media->boundary_len;

    parts->fault.message = NULL;
    parts->fault.at = NULL;
}


int
og_parts_next(og_parts_t *parts, og_part_t *part)
{
    const unsigned char  *p;

    memset(part, 0, sizeof(og_part_t));

    p = parts->next;

    if ((size_t) (parts->end - p) < parts->delimiter_len
        || memcmp(p, parts->delimiter, parts->delimiter_len) != 0)
    {
        return og_parts_fail(parts, p, "the form begins with no delimiter");
    }

    part->start = p;
    p += parts->delimiter_len;

    if (parts->end - p >= 2 && memcmp(p, "--", 2) == 0) {
        return og_parts_last(parts, p + 2);
    }

    if (!og_parts_is_crlf(p, parts->end)) {
        return og_parts_fail(parts, p, "a delimiter has no line of its own");
    }

    part->header = p + 2;
    part->next = og_parts_find(parts, part->header,
                               (size_t) (parts->end - part->header));

    if (part->next == NULL) {
        return og_parts_fail(parts, parts->end,
                             "the last delimiter is missing");
    }

    if (part->next - part->header < 2
        || !og_parts_is_crlf(part->next - 2, parts->end))
    {
        return og_parts_fail(parts, part->next,
                             "a delimiter has no line of its own");
    }

    part->end = part->next - 2;
    parts->next = part->next;

    return (og_part_read(part, &parts->fault) == 0) ? 1 : -1;
}


/* p is behind the last delimiter. */
static int
og_parts_last(og_parts_t *parts, const unsigned char *p)
{
    if (og_parts_is_crlf(p, parts->end)) {
        p += 2;
    }

    if (p != parts->end) {
        return og_parts_fail(parts, p, "text after the last delimiter");
    }

    return 0;
}


const unsigned char *
og_parts_find(const og_parts_t *parts, const unsigned char *p, size_t len)
{
    const unsigned char  *end;

    end = p + len;

    while ((size_t) (end - p) >= parts->delimiter_len) {
        p = memchr(p, '-', (size_t) (end - p) - parts->delimiter_len + 1);

        if (p == NULL) {
            return NULL;
        }

        if (memcmp(p, parts->delimiter, parts->delimiter_len) == 0) {
            return p;
        }

        p++;
    }

    return NULL;
}


static int
og_parts_is_crlf(const unsigned char *p, const unsigned char *end)
{
    return end - p >= 2 && p[0] == '\r' && p[1] == '\n';
}


static int
og_parts_fail(og_parts_t *parts, const unsigned char *at, const char *message)
{
    (void) og_fault(&parts->fault, at, message);

    return -1;
}
