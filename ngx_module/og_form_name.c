
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_form_name.h"


/* A name that is being read, part by part. */
typedef struct {
    og_form_kind_e        kind;
    const unsigned char  *p;
    const unsigned char  *end;
    size_t                nparts;
    int                   is_open;    /* "[]" is in front: an element */
} og_form_parts_t;


static const char *og_form_check_characters(og_form_kind_e kind,
    const unsigned char *name, size_t len);
static const char *og_form_check_part(og_form_parts_t *parts);
static const char *og_form_check_brackets(og_form_parts_t *parts);
static int og_form_is_index(const unsigned char *p,
    const unsigned char *end);
static int og_form_is_charset(const unsigned char *name, size_t len);
static int og_form_hex(unsigned char c);


/* Which kinds of names may have it, as bits.  "!" is for all in front. */
static const unsigned char  og_form_may_have[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 2, 2, 2, 2, 0, 0, 2, 2, 2, 2, 0, 2, 3, 3, 2,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 0, 2, 2, 2, 2,
    2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 3, 2, 3,
    2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 0
};


const char *
og_form_name_wrong(og_form_kind_e kind, const unsigned char *name, size_t len,
    size_t max_depth)
{
    const char       *wrong;
    og_form_parts_t   parts;

    wrong = og_form_check_characters(kind, name, len);
    if (wrong != NULL) {
        return wrong;
    }

    parts.kind = kind;
    parts.p = name;
    parts.end = name + len;
    parts.nparts = 0;
    parts.is_open = 0;

    while (parts.p < parts.end) {

        wrong = og_form_check_part(&parts);
        if (wrong != NULL) {
            return wrong;
        }

        if (parts.nparts > max_depth) {
            return og_form_in(kind, "a name that is nested too deep");
        }
    }

    if (parts.nparts == 0) {
        return og_form_in(kind, "a field without a name");
    }

    if (og_form_is_charset(name, len)) {
        return og_form_in(kind, "a field that names a charset");
    }

    return NULL;
}


static const char *
og_form_check_characters(og_form_kind_e kind, const unsigned char *name,
    size_t len)
{
    size_t    i;
    unsigned  may;

    may = (kind == OG_FORM_QUERY) ? 2 : 1;

    for (i = 0; i < len && (name[i] == '_' || name[i] == '!'); i++) {
        /* void */
    }

    for ( /* void */ ; i < len; i++) {

        if (!(og_form_may_have[name[i]] & may)) {
            return og_form_in(kind, "a character that no name may have");
        }
    }

    return NULL;
}


/* Takes the next part of a name, or what parts it from the one behind. */
static const char *
og_form_check_part(og_form_parts_t *parts)
{
    if (*parts->p == '[') {
        return og_form_check_brackets(parts);
    }

    if (*parts->p == ']') {
        return og_form_in(parts->kind, "brackets that do not pair");
    }

    parts->is_open = 0;

    if (*parts->p == '.') {
        parts->p++;
        return NULL;
    }

    parts->nparts++;

    while (parts->p < parts->end && *parts->p != '.' && *parts->p != '['
           && *parts->p != ']')
    {
        parts->p++;
    }

    return NULL;
}


/* Takes what is between brackets: one part, also where it is none. */
static const char *
og_form_check_brackets(og_form_parts_t *parts)
{
    size_t                dots;
    const unsigned char  *p, *start;

    start = parts->p + 1;
    dots = 0;

    for (p = start; p < parts->end && *p != ']'; p++) {

        if (*p == '[') {
            break;
        }

        dots += (*p == '.');
    }

    if (p == parts->end || *p == '[') {
        return og_form_in(parts->kind, "brackets that do not pair");
    }

    /* some make one array of what are two, some none of what is in front */

    if (parts->is_open && og_form_is_index(start, p)) {
        return og_form_in(parts->kind, "an index behind empty brackets");
    }

    parts->is_open = (p == start);

    if (parts->is_open && parts->nparts == 0) {
        return og_form_in(parts->kind, "empty brackets in front of a name");
    }

    parts->nparts += 1 + dots;
    parts->p = p + 1;

    return NULL;
}


/* Whether that is what some take for an index: digits, or nothing. */
static int
og_form_is_index(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }

    return p == end;
}


/* With that some parsers read the other fields in another charset. */
static int
og_form_is_charset(const unsigned char *name, size_t len)
{
    size_t                      i;
    static const unsigned char  charset[] = "_charset_";

    if (len != sizeof(charset) - 1) {
        return 0;
    }

    for (i = 0; i < len; i++) {

        if (name[i] != charset[i] && (name[i] | 0x20) != charset[i]) {
            return 0;
        }
    }

    return 1;
}


void
og_form_name_list(og_paths_t *paths, const unsigned char *name, size_t len)
{
    size_t                start, first;
    const unsigned char  *p, *end, *part;

    p = name;
    end = name + len;
    start = og_paths_begin(paths);
    first = paths->len;

    while (p < end && !paths->full) {
        part = p;

        while (p < end && *p != '.' && *p != '[' && *p != ']') {
            p++;
        }

        if (p > part) {
            og_paths_plain(paths, part, (size_t) (p - part));
            continue;
        }

        if (*p == ']' && p > name && p[-1] == '[') {
            og_paths_plain(paths, (const unsigned char *) "-", 1);
        }

        p++;
    }

    if (paths->len == first) {
        /* "[.]" has no parts, but stood there */
        og_paths_plain(paths, name, len);
    }

    og_paths_end(paths, start);
}


unsigned char *
og_form_decode(unsigned char *dst, const unsigned char *p, size_t len)
{
    const unsigned char  *end;

    end = p + len;

    while (p < end) {
        p = og_form_char(p, end, dst++);

        if (p == NULL) {
            return NULL;
        }
    }

    return dst;
}


const unsigned char *
og_form_char(const unsigned char *p, const unsigned char *end,
    unsigned char *c)
{
    int  high, low;

    if (*p != '%') {
        *c = (*p == '+') ? ' ' : *p;
        return p + 1;
    }

    if (end - p < 3) {
        return NULL;
    }

    high = og_form_hex(p[1]);
    low = og_form_hex(p[2]);

    if (high == -1 || low == -1) {
        return NULL;
    }

    *c = (unsigned char) (high << 4 | low);

    return p + 3;
}


static int
og_form_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}
