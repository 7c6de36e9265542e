
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_fold.h"


static const unsigned char *og_fold_look_alike(const unsigned char *p,
    const unsigned char *end, unsigned char *dst);


/* above the folded byte: it is "." or "["; it begins a look-alike letter */
#define OG_FOLD_PATH        0x100
#define OG_FOLD_LOOK_ALIKE  0x200


const og_sketch_key_t  og_sketch_exact = {
    { 0 },
    {
        { 255, 255, 255, 255, 255, 255, 255, 255,
          255, 255, 255, 255, 255, 255, 255, 255 },
        { 255, 255, 255, 255, 255, 255, 255, 255,
          255, 255, 255, 255, 255, 255, 255, 255 }
    }
};


void
og_fold_init(og_fold_t *fold, og_match_e match)
{
    unsigned  c;

    fold->sketch = og_sketch_exact;

    for (c = 0; c < 256; c++) {
        fold->byte[c] = (uint16_t) c;

        if (match != OG_MATCH_EXACT && c >= 'A' && c <= 'Z') {
            fold->byte[c] = (uint16_t) (c | 0x20);
        }
    }

    fold->byte['.'] |= OG_FOLD_PATH;
    fold->byte['['] |= OG_FOLD_PATH;

    if (match != OG_MATCH_EXACT) {
        fold->byte[0xC5] |= OG_FOLD_LOOK_ALIKE;
        fold->byte[0xE2] |= OG_FOLD_LOOK_ALIKE;

        memset(fold->sketch.case_bit, 0x20, sizeof(fold->sketch.case_bit));
    }

    if (match == OG_MATCH_LOOSE) {
        fold->byte['_'] = 0;
        fold->byte['-'] = 0;

        memset(fold->sketch.ignored[0], '_', sizeof(fold->sketch.ignored[0]));
        memset(fold->sketch.ignored[1], '-', sizeof(fold->sketch.ignored[1]));
    }
}


og_folded_t
og_fold(const og_fold_t *fold, unsigned char *dst, const unsigned char *src,
    size_t len)
{
    unsigned              byte, seen;
    og_folded_t           folded;
    unsigned char        *out;
    const unsigned char  *p, *end;

    seen = 0;
    end = src + len;
    out = dst;

    for (p = src; p < end; p++) {
        byte = fold->byte[*p];

        if (byte & OG_FOLD_LOOK_ALIKE) {
            p = og_fold_look_alike(p, end, out++);
            continue;
        }

        *out = (unsigned char) byte;
        out += ((unsigned char) byte != 0);
        seen |= byte;
    }

    folded.len = (size_t) (out - dst);
    folded.is_path = (seen & OG_FOLD_PATH) != 0;

    return folded;
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


/*
 * U+017F (long s) and U+212A (Kelvin sign) become s and k where software
 * folds case as Unicode has it.  Returns the last byte taken.
 */
static const unsigned char *
og_fold_look_alike(const unsigned char *p, const unsigned char *end,
    unsigned char *dst)
{
    if (end - p >= 2 && p[0] == 0xC5 && p[1] == 0xBF) {
        *dst = 's';
        return p + 1;
    }

    if (end - p >= 3 && p[0] == 0xE2 && p[1] == 0x84 && p[2] == 0xAA) {
        *dst = 'k';
        return p + 2;
    }

    *dst = *p;

    return p;
}
