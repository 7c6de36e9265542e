
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_excerpt.h"


static size_t og_excerpt_hidden_at(const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secrets, size_t n);
static size_t og_excerpt_secret_at(const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secrets, size_t n);
static size_t og_excerpt_length(const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secret);
static size_t og_excerpt_spelled(const unsigned char *text, size_t len,
    unsigned char byte);
static int og_excerpt_is_hex(const unsigned char *text, unsigned char byte);
static size_t og_excerpt_escape(char *dst, unsigned char byte);


/* In place of a secret. */
static const char  og_excerpt_hidden[3] = { '*', '*', '*' };


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
            size = sizeof(og_excerpt_hidden);
            memcpy(piece, og_excerpt_hidden, size);

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


/* How much of the text the longest secret that stands here takes, or 0. */

static size_t
og_excerpt_secret_at(const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secrets, size_t n)
{
    size_t  i, size, longest;

    longest = 0;

    for (i = 0; i < n; i++) {

        if (secrets[i].len < OG_EXCERPT_MIN_SECRET) {
            continue;
        }

        size = og_excerpt_length(text, len, &secrets[i]);

        if (size > longest) {
            longest = size;
        }
    }

    return longest;
}


/* A byte of it may be spelled in another way: the longest one is taken. */

static size_t
og_excerpt_length(const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secret)
{
    size_t  i, at, size;

    at = 0;

    for (i = 0; i < secret->len; i++) {

        size = og_excerpt_spelled(text + at, len - at, secret->data[i]);

        if (size == 0) {
            return 0;
        }

        at += size;
    }

    return at;
}


/* Bytes that spell one: as in JSON, in a URI, in HTML, or as it is; or 0. */

static size_t
og_excerpt_spelled(const unsigned char *text, size_t len, unsigned char byte)
{
    static const unsigned char  unicode[] = { '\\', 'u', '0', '0' };

    if (len >= 6 && memcmp(text, unicode, sizeof(unicode)) == 0
        && og_excerpt_is_hex(text + 4, byte))
    {
        return 6;
    }

    if (len >= 2 && text[0] == '\\' && text[1] == byte
        && (byte == '/' || byte == '"'))
    {
        return 2;
    }

    if (len >= 3 && text[0] == '%' && og_excerpt_is_hex(text + 1, byte)) {
        return 3;
    }

    if (len >= 5 && byte < 100 && memcmp(text, "&#", 2) == 0
        && text[2] == '0' + byte / 10 && text[3] == '0' + byte % 10
        && text[4] == ';')
    {
        return 5;
    }

    return len && text[0] == byte;
}


static int
og_excerpt_is_hex(const unsigned char *text, unsigned char byte)
{
    static const unsigned char  lower[] = "0123456789abcdef";
    static const unsigned char  upper[] = "0123456789ABCDEF";

    return (text[0] == lower[byte >> 4] || text[0] == upper[byte >> 4])
           && (text[1] == lower[byte & 15] || text[1] == upper[byte & 15]);
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
