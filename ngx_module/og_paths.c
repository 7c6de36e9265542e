
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_paths.h"
#include "og_json_token.h"


static const unsigned char *og_paths_char(og_paths_t *paths,
    const unsigned char *p);
static void og_paths_digits(og_paths_t *paths, size_t n);
static void og_paths_put(og_paths_t *paths, unsigned char c);
static inline void og_paths_add(og_paths_t *paths, char c);


/* What stands for itself: visible ASCII but the six " % , / \\ ~ */
static const unsigned char  og_paths_plain_bytes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0
};


size_t
og_paths_begin(og_paths_t *paths)
{
    size_t  start;

    start = paths->len;

    if (start > 0) {
        og_paths_add(paths, ',');
    }

    return start;
}


void
og_paths_name(og_paths_t *paths, const unsigned char *name)
{
    char  *out, *last;

    og_paths_add(paths, '/');

    last = paths->text + OG_PATHS_SIZE;

    /* a name may be a megabyte long, its text may not */

    while (!paths->full) {

        for (out = paths->text + paths->len;
             out < last && og_paths_plain_bytes[*name];
             out++)
        {
            *out = (char) *name++;
        }

        paths->len = (size_t) (out - paths->text);

        if (*name == '"') {
            break;
        }

        name = og_paths_char(paths, name);
    }
}


int
og_paths_is_plain(const unsigned char *name, size_t len)
{
    size_t  i;

    for (i = 0; i < len && og_paths_plain_bytes[name[i]]; i++) {
        /* void */
    }

    return i == len;
}


/* One character of a name, as it stands. */
static const unsigned char *
og_paths_char(og_paths_t *paths, const unsigned char *p)
{
    size_t         i, len;
    unsigned char  text[4];

    p = og_json_char(p, text, &len);

    for (i = 0; i < len; i++) {
        og_paths_put(paths, text[i]);
    }

    return p;
}


void
og_paths_index(og_paths_t *paths, size_t index)
{
    og_paths_add(paths, '/');
    og_paths_digits(paths, index);
}


static void
og_paths_digits(og_paths_t *paths, size_t n)
{
    if (n > 9) {
        og_paths_digits(paths, n / 10);
    }

    og_paths_add(paths, (char) ('0' + n % 10));
}


void
og_paths_plain(og_paths_t *paths, const unsigned char *name, size_t len)
{
    size_t  i;

    og_paths_add(paths, '/');

    for (i = 0; i < len && !paths->full; i++) {
        og_paths_put(paths, name[i]);
    }
}


void
og_paths_join(og_paths_t *paths, const og_paths_t *tokens)
{
    size_t  i;

    paths->full |= tokens->full;

    for (i = 0; i < tokens->len; i++) {
        og_paths_add(paths, tokens->text[i]);
    }
}


void
og_paths_end(og_paths_t *paths, size_t start)
{
    const char  *more;

    if (paths->ended) {
        return;
    }

    if (paths->full) {
        paths->ended = 1;
        more = (start > 0) ? ",..." : "...";

        memcpy(paths->text + start, more, strlen(more));
        paths->len = start + strlen(more);
    }

    paths->text[paths->len] = '\0';
}


/* One byte of a name, unescaped. */
static void
og_paths_put(og_paths_t *paths, unsigned char c)
{
    static const char  hex[] = "0123456789ABCDEF";

    if (c == '~' || c == '/') {
        og_paths_add(paths, '~');
        og_paths_add(paths, (c == '~') ? '0' : '1');

    } else if (og_paths_plain_bytes[c]) {
        og_paths_add(paths, (char) c);

    } else {
        og_paths_add(paths, '%');
        og_paths_add(paths, hex[c >> 4]);
        og_paths_add(paths, hex[c & 0xF]);
    }
}


static inline void
og_paths_add(og_paths_t *paths, char c)
{
    if (paths->full || paths->len == OG_PATHS_SIZE) {
        paths->full = 1;
        return;
    }

    paths->text[paths->len++] = c;
}
