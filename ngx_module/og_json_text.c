
/*
 * Copyright (C) order guard contributors
 *
 * What is done with a document once it has been scanned: nothing here
 * validates again.
 */


#include <string.h>

#include "og_json.h"
#include "og_json_token.h"
#include "og_json_walk.h"


static int og_json_enter(og_json_walk_t *walk, const unsigned char *token,
    size_t len);
static int og_json_enter_member(og_json_walk_t *walk,
    const unsigned char *token, size_t len);
static int og_json_enter_element(og_json_walk_t *walk,
    const unsigned char *token, size_t len);
static int og_json_name_is(og_json_value_t name, const unsigned char *token,
    size_t len);
static int og_json_index(const unsigned char *token, size_t len,
    size_t *index);
static int og_json_name_is_caseless(og_json_value_t name, const char *text,
    size_t len);
static unsigned char og_json_lower(unsigned char c);


static const og_json_value_t  og_json_none = { OG_JSON_NONE, NULL, 0 };


unsigned char *
og_json_unescape(unsigned char *dst, const unsigned char *data, size_t len)
{
    size_t                n;
    const unsigned char  *p, *end, *plain;

    p = data + 1;
    end = data + len - 1;

    while (p < end) {
        plain = memchr(p, '\\', (size_t) (end - p));
        n = (size_t) ((plain == NULL ? end : plain) - p);

        memcpy(dst, p, n);
        dst += n;
        p += n;

        if (p < end) {
            p = og_json_char(p, dst, &n);
            dst += n;
        }
    }

    return dst;
}


og_json_value_t
og_json_find(const unsigned char *data, size_t len, const char *pointer,
    size_t pointer_len)
{
    og_json_walk_t        walk;
    const unsigned char  *token, *token_end, *pointer_end;

    og_json_walk_begin(&walk, data, len);

    token = (const unsigned char *) pointer;
    pointer_end = token + pointer_len;

    while (token < pointer_end) {

        if (*token++ != '/') {
            return og_json_none;
        }

        token_end = memchr(token, '/', (size_t) (pointer_end - token));
        if (token_end == NULL) {
            token_end = pointer_end;
        }

        if (!og_json_enter(&walk, token, (size_t) (token_end - token))) {
            return og_json_none;
        }

        token = token_end;
    }

    return og_json_walk_value(&walk);
}


/* To the value that a raw reference token leads to; 0 where there is none. */
static int
og_json_enter(og_json_walk_t *walk, const unsigned char *token, size_t len)
{
    switch (*walk->p) {

    case '{':
        return og_json_enter_member(walk, token, len);

    case '[':
        return og_json_enter_element(walk, token, len);

    default:
        return 0;
    }
}


static int
og_json_enter_member(og_json_walk_t *walk, const unsigned char *token,
    size_t len)
{
    og_json_walk_enter(walk);

    while (og_json_walk_part(walk)) {

        if (og_json_name_is(og_json_walk_name(walk), token, len)) {
            return 1;
        }

        (void) og_json_walk_value(walk);
    }

    return 0;
}


static int
og_json_enter_element(og_json_walk_t *walk, const unsigned char *token,
    size_t len)
{
    size_t  index;

    if (!og_json_index(token, len, &index)) {
        return 0;
    }

    og_json_walk_enter(walk);

    while (og_json_walk_part(walk)) {

        if (index-- == 0) {
            return 1;
        }

        (void) og_json_walk_value(walk);
    }

    return 0;
}


/* Whether a name and a raw reference token are equal. */
static int
og_json_name_is(og_json_value_t name, const unsigned char *token, size_t len)
{
    size_t                i, n;
    unsigned char         text[4], c;
    const unsigned char  *p, *end;

    p = name.data + 1;
    end = name.data + name.len - 1;

    while (p < end) {
        p = og_json_char(p, text, &n);

        for (i = 0; i < n; i++) {

            if (len == 0) {
                return 0;
            }

            c = *token++;
            len--;

            if (c == '~') {

                if (len == 0 || (*token != '0' && *token != '1')) {
                    return 0;
                }

                c = (*token++ == '0') ? '~' : '/';
                len--;
            }

            if (c != text[i]) {
                return 0;
            }
        }
    }

    return len == 0;
}


/* RFC 6901 section 4: decimal, no leading zeros. */
static int
og_json_index(const unsigned char *token, size_t len, size_t *index)
{
    size_t  i;

    if (len == 0 || len > 9 || (len > 1 && token[0] == '0')) {
        return 0;
    }

    *index = 0;

    for (i = 0; i < len; i++) {

        if (token[i] < '0' || token[i] > '9') {
            return 0;
        }

        *index = *index * 10 + (size_t) (token[i] - '0');
    }

    return 1;
}


og_json_value_t
og_json_find_caseless(const unsigned char *data, size_t len, const char *name,
    size_t name_len)
{
    int              same;
    og_json_walk_t   walk;
    og_json_value_t  value, found;

    og_json_walk_begin(&walk, data, len);

    if (*walk.p != '{') {
        return og_json_none;
    }

    found = og_json_none;
    og_json_walk_enter(&walk);

    while (og_json_walk_part(&walk)) {

        same = og_json_name_is_caseless(og_json_walk_name(&walk), name,
                                        name_len);
        value = og_json_walk_value(&walk);

        if (same && found.type != OG_JSON_NONE) {
            return og_json_none;
        }

        if (same) {
            found = value;
        }
    }

    return found;
}


static int
og_json_name_is_caseless(og_json_value_t name, const char *text, size_t len)
{
    size_t                i, n;
    unsigned char         c[4];
    const unsigned char  *p, *end;

    p = name.data + 1;
    end = name.data + name.len - 1;

    while (p < end) {
        p = og_json_char(p, c, &n);

        if (n > len) {
            return 0;
        }

        for (i = 0; i < n; i++) {
            if (og_json_lower(c[i]) != og_json_lower((unsigned char) text[i]))
            {
                return 0;
            }
        }

        text += n;
        len -= n;
    }

    return len == 0;
}


static unsigned char
og_json_lower(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') ? (unsigned char) (c | 0x20) : c;
}


int
og_json_is_ended(const unsigned char *data, size_t len)
{
    int     in_string;
    size_t  i, depth;

    in_string = 0;
    depth = 0;

    for (i = 0; i < len; i++) {

        switch (data[i]) {

        case '"':
            in_string = !in_string;
            break;

        case '\\':
            i += in_string ? 1 : 0;
            break;

        case '{':
        case '[':
            depth += in_string ? 0 : 1;
            break;

        case '}':
        case ']':
            depth -= (in_string || depth == 0) ? 0 : 1;
            break;

        default:
            break;
        }
    }

    return !in_string && depth == 0;
}
