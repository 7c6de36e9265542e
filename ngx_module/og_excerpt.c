
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_excerpt.h"


static size_t og_excerpt_hidden_at(const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secrets, size_t n);
static size_t og_excerpt_secret_at(const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secrets, size_t n);
static size_t og_excerpt_escape(char *dst, unsigned char byte);


size_t
og_excerpt(char *dst, size_t max, const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secrets, size_t n)
{
    char         piece[4];
    size_t       i, used, fits, size, secret;

    static const char  more[] = "...";

    used = 0;
    fits = 0;       /* with what tells that there is more */

    for (i = 0; i < len; i += secret ? secret : 1) {

        secret = og_excerpt_hidden_at(text + i, len - i, secrets, n);

        if (secret) {
            memcpy(piece, "***", 3);
            size = 3;

        } else {
            size = og_excerpt_escape(piece, text[i]);
        }

        if (used + size > max) {
            memcpy(dst + fits, more, sizeof(more) - 1);
            return fits + sizeof(more) - 1;
        }

        memcpy(dst + used, piece, size);
        used += size;

        if (used + sizeof(more) - 1 <= max) {
            fits = used;
        }
    }

    return used;
}


/* Secrets that overlap are one: no end of any is shown. */

static size_t
og_excerpt_hidden_at(const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secrets, size_t n)
{
    size_t  i, end, secret;

    end = og_excerpt_secret_at(text, len, secrets, n);

    for (i = 1; i < end; i++) {

        secret = og_excerpt_secret_at(text + i, len - i, secrets, n);

        if (i + secret > end) {
            end = i + secret;
        }
    }

    return end;
}


/* The length of the longest secret that stands here, or 0. */

static size_t
og_excerpt_secret_at(const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secrets, size_t n)
{
    size_t  i, longest;

    longest = 0;

    for (i = 0; i < n; i++) {
        if (secrets[i].len >= OG_EXCERPT_MIN_SECRET
            && secrets[i].len <= len
            && secrets[i].len > longest
            && memcmp(text, secrets[i].data, secrets[i].len) == 0)
        {
            longest = secrets[i].len;
        }
    }

    return longest;
}


static size_t
og_excerpt_escape(char *dst, unsigned char byte)
{
    static const char  hex[] = "0123456789abcdef";

    if (byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\') {
        dst[0] = (char) byte;
        return 1;
    }

    dst[0] = '\\';
    dst[1] = 'x';
    dst[2] = hex[byte >> 4];
    dst[3] = hex[byte & 15];

    return 4;
}
