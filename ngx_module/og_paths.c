
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_paths.h"
#include "og_json_token.h"


static void og_paths_put(og_paths_t *paths, unsigned char c);
static void og_paths_add(og_paths_t *paths, const char *text,
    size_t len);


/* What stands for itself: visible ASCII but the six " % , / \\ ~ */
static const unsigned char  og_paths_is_plain[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0
};


void
og_paths_clear(og_paths_t *paths)
{
    paths->text[0] = '\0';
    paths->len = 0;
    paths->full = 0;
    paths->ended = 0;
}


size_t
og_paths_begin(og_paths_t *paths)
{
    size_t  start;

    start = paths->len;

    if (start > 0) {
        og_paths_add(paths, ",", 1);
    }

    return start;
}


void
og_paths_name(og_paths_t *paths, const unsigned char *name)
{
    size_t         i, len;
    unsigned char  text[4];

    og_paths_add(paths, "/", 1);

    /* a name may be a megabyte long, its text may not */

    while (!paths->full) {

        while (og_paths_is_plain[*name] && paths->len < OG_PATHS_SIZE)
        {
            paths->text[paths->len++] = (char) *name++;
        }

        if (*name == '"') {
            break;
        }

        name = og_json_char(name, text, &len);

        for (i = 0; i < len; i++) {
            og_paths_put(paths, text[i]);
        }
    }
}


void
og_paths_index(og_paths_t *paths, size_t index)
{
    char   digits[20], *p;

    p = digits + sizeof(digits);

    do {
        *--p = (char) ('0' + index % 10);
        index /= 10;
    } while (index > 0);

    og_paths_add(paths, "/", 1);
    og_paths_add(paths, p, (size_t) (digits + sizeof(digits) - p));
}


void
og_paths_plain(og_paths_t *paths, const unsigned char *name, size_t len)
{
    size_t  i;

    og_paths_add(paths, "/", 1);

    for (i = 0; i < len && !paths->full; i++) {
        og_paths_put(paths, name[i]);
    }
}


void
og_paths_join(og_paths_t *paths, const og_paths_t *tokens)
{
    paths->full |= tokens->full;

    og_paths_add(paths, tokens->text, tokens->len);
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
    char               escaped[3];
    static const char  hex[] = "0123456789ABCDEF";

    if (c == '~') {
        og_paths_add(paths, "~0", 2);
        return;
    }

    if (c == '/') {
        og_paths_add(paths, "~1", 2);
        return;
    }

    escaped[0] = (char) c;

    if (og_paths_is_plain[c]) {
        og_paths_add(paths, escaped, 1);
        return;
    }

    escaped[0] = '%';
    escaped[1] = hex[c >> 4];
    escaped[2] = hex[c & 0xF];

    og_paths_add(paths, escaped, 3);
}


static void
og_paths_add(og_paths_t *paths, const char *text, size_t len)
{
    if (paths->full || len > OG_PATHS_SIZE - paths->len) {
        paths->full = 1;
        return;
    }

    memcpy(paths->text + paths->len, text, len);
    paths->len += len;
}
