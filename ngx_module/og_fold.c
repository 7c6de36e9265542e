
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_fold.h"


/* A character that Unicode's case mappings turn into ASCII letters. */
typedef struct {
    size_t                len;
    unsigned char         utf8[3];
    const char           *letters;
} og_look_alike_t;


static unsigned char *og_fold_part(unsigned char *out,
    const unsigned char *part, int was_there);
static const unsigned char *og_fold_look_alike(const unsigned char *p,
    const unsigned char *end, unsigned char **dst);


/* above the folded byte: it makes a name a path; it begins a look-alike; it
   may part a name that is a path */
#define OG_FOLD_PATH        0x100
#define OG_FOLD_LOOK_ALIKE  0x200
#define OG_FOLD_BREAK       0x400


/*
 * To lower case, to upper case or to either, one character at a time or as
 * whole strings: what software does to compare names, and all that comes out
 * as ASCII (Unicode 15, CaseFolding, SpecialCasing).  None is shorter than
 * its letters.
 */
static const og_look_alike_t  og_look_alikes[] = {
    { 2, { 0xC3, 0x9F, 0x00 }, "ss" },     /* U+00DF sharp s */
    { 2, { 0xC4, 0xB0, 0x00 }, "i" },      /* U+0130 I with dot */
    { 2, { 0xC4, 0xB1, 0x00 }, "i" },      /* U+0131 dotless i */
    { 2, { 0xC5, 0xBF, 0x00 }, "s" },      /* U+017F long s */
    { 3, { 0xE1, 0xBA, 0x9E }, "ss" },     /* U+1E9E capital sharp s */
    { 3, { 0xE2, 0x84, 0xAA }, "k" },      /* U+212A Kelvin sign */
    { 3, { 0xEF, 0xAC, 0x80 }, "ff" },     /* U+FB00 to U+FB06 ligatures */
    { 3, { 0xEF, 0xAC, 0x81 }, "fi" },
    { 3, { 0xEF, 0xAC, 0x82 }, "fl" },
    { 3, { 0xEF, 0xAC, 0x83 }, "ffi" },
    { 3, { 0xEF, 0xAC, 0x84 }, "ffl" },
    { 3, { 0xEF, 0xAC, 0x85 }, "st" },
    { 3, { 0xEF, 0xAC, 0x86 }, "st" }
};

#define OG_LOOK_ALIKES  (sizeof(og_look_alikes) / sizeof(og_look_alikes[0]))


void
og_fold_init(og_fold_t *fold, og_match_e match)
{
    size_t                i;
    unsigned              c;
    const unsigned char  *p;

    static const unsigned char  paths[] = ".[(>/";

    for (c = 0; c < 256; c++) {
        fold->byte[c] = (uint16_t) c;

        if (match != OG_MATCH_EXACT && c >= 'A' && c <= 'Z') {
            fold->byte[c] = (uint16_t) (c | 0x20);
        }

        if (c < 0x80 && og_sketch_is_odd((unsigned char) c)) {
            fold->byte[c] |= OG_FOLD_BREAK;
        }
    }

    for (p = paths; *p != '\0'; p++) {
        fold->byte[*p] |= OG_FOLD_PATH;
    }

    if (match != OG_MATCH_EXACT) {

        for (i = 0; i < OG_LOOK_ALIKES; i++) {
            fold->byte[og_look_alikes[i].utf8[0]] |= OG_FOLD_LOOK_ALIKE;
        }
    }

    if (match == OG_MATCH_LOOSE) {
        fold->byte['_'] = 0;
        fold->byte['-'] = 0;
        fold->byte[' '] = 0;
    }
}


og_folded_t
og_fold(const og_fold_t *fold, unsigned char *dst, const unsigned char *src,
    size_t len)
{
    unsigned              byte, seen;
    og_folded_t           folded;
    unsigned char        *out, *part;
    const unsigned char  *p, *end, *start;

    seen = 0;
    end = src + len;
    out = dst;
    part = dst;
    start = src;

    for (p = src; p < end; p++) {
        byte = fold->byte[*p];

        if (byte & OG_FOLD_LOOK_ALIKE) {
            p = og_fold_look_alike(p, end, &out);
            continue;
        }

        if (byte & OG_FOLD_BREAK) {
            out = og_fold_part(out, part, p > start);
        }

        *out = (unsigned char) byte;
        out += ((unsigned char) byte != 0);
        seen |= byte;

        if (byte & OG_FOLD_BREAK) {
            part = out;
            start = p + 1;
        }
    }

    if (seen & OG_FOLD_BREAK) {
        out = og_fold_part(out, part, p > start);
    }

    folded.len = (size_t) (out - dst);
    folded.is_path = (seen & OG_FOLD_PATH) != 0;

    return folded;
}


/*
 * Ends a part of a name.  One of which all is ignored is still a part, which
 * no rule's name is equal to, but "*" is.
 */
static unsigned char *
og_fold_part(unsigned char *out, const unsigned char *part, int was_there)
{
    if (out == part && was_there) {
        *out++ = '_';
    }

    return out;
}


size_t
og_fold_plain(const og_fold_t *fold, unsigned char *dst,
    const unsigned char *src, size_t len)
{
    size_t         i, n;
    unsigned char  byte;

    n = 0;

    for (i = 0; i < len; i++) {
        byte = (unsigned char) fold->byte[src[i]];
        dst[n] = byte;
        n += (byte != 0);
    }

    return n;
}


/* Writes what the byte at p, or the look-alike, becomes; the last one taken. */
static const unsigned char *
og_fold_look_alike(const unsigned char *p, const unsigned char *end,
    unsigned char **dst)
{
    size_t                  i;
    const char             *letter;
    const og_look_alike_t  *known;

    for (i = 0; i < OG_LOOK_ALIKES; i++) {
        known = &og_look_alikes[i];

        if ((size_t) (end - p) < known->len
            || memcmp(p, known->utf8, known->len) != 0)
        {
            continue;
        }

        for (letter = known->letters; *letter != '\0'; letter++) {
            *(*dst)++ = (unsigned char) *letter;
        }

        return p + known->len - 1;
    }

    *(*dst)++ = *p;

    return p;
}
