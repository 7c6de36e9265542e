
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


/* JSON has a backslash before a quote, and may have one before a slash. */

static size_t
og_excerpt_length(const unsigned char *text, size_t len,
    const og_excerpt_secret_t *secret)
{
    size_t  i, at;

    at = 0;

    for (i = 0; i < secret->len; i++) {

        if (at < len && text[at] == '\\'
            && (secret->data[i] == '/' || secret->data[i] == '"'))
        {
            at++;
        }

        if (at == len || text[at] != secret->data[i]) {
            return 0;
        }

        at++;
    }

    return at;
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
