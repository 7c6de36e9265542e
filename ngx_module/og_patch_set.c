
/*
 * Copyright (C) order guard contributors
 *
 * What the gateway writes into a patch: operations of its own, behind all
 * others, so that theirs is the last word.
 */


#include <string.h>

#include "og_json_token.h"
#include "og_patch.h"
#include "og_set_text.h"


static unsigned char *og_patch_last_word(unsigned char *body, size_t len);
static unsigned char *og_patch_put_add(unsigned char *dst,
    const og_set_t *set);
static unsigned char *og_patch_put(unsigned char *dst, const char *text);


const og_set_t *
og_patch_set(unsigned char *body, size_t *len, const og_set_t *sets,
    size_t nsets)
{
    size_t          i, room, ntail;
    unsigned char  *last, *dst;

    last = og_patch_last_word(body, *len);

    /* what is behind waits at the end of the room meanwhile */

    room = og_set_room(sets, nsets);
    ntail = (size_t) (body + *len - last - 1);
    memmove(last + 1 + room, last + 1, ntail);

    dst = last + 1;

    for (i = 0; i < nsets; i++) {

        if (sets[i].value_len == 0) {
            continue;
        }

        if (dst[-1] != '[') {
            *dst++ = ',';
        }

        dst = og_patch_put_add(dst, &sets[i]);
    }

    memmove(dst, last + 1 + room, ntail);
    *len = (size_t) (dst - body) + ntail;

    return NULL;
}


/* The last byte of the last operation, or else the opening bracket. */
static unsigned char *
og_patch_last_word(unsigned char *body, size_t len)
{
    unsigned char  *p;

    p = body + len - 1;

    while (*p != ']') {
        p--;
    }

    do {
        p--;
    } while (og_json_is_space(*p));

    return p;
}


static unsigned char *
og_patch_put_add(unsigned char *dst, const og_set_t *set)
{
    dst = og_patch_put(dst, "{\"op\":\"add\",\"path\":");
    dst = og_set_put_pointer(dst, set);
    dst = og_patch_put(dst, ",\"value\":");
    dst = og_set_put_value(dst, set);

    return og_patch_put(dst, "}");
}


static unsigned char *
og_patch_put(unsigned char *dst, const char *text)
{
    size_t  len;

    len = strlen(text);
    memcpy(dst, text, len);

    return dst + len;
}
