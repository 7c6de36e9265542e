
/*
 * Copyright (C) order guard contributors
 *
 * What is done with a document once it has been scanned: nothing here
 * validates again.
 */


#include <string.h>

#include "og_json.h"
#include "og_json_token.h"


/* What is left of a document that is walked through. */
typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;
} og_json_walk_t;


static unsigned char *og_json_copy_string(unsigned char *dst,
    og_json_walk_t *from);
static void og_json_enter_member(og_json_walk_t *walk,
    const unsigned char *token, size_t len);
static void og_json_enter_element(og_json_walk_t *walk,
    const unsigned char *token, size_t len);
static int og_json_name_is_caseless(const unsigned char *name,
    const unsigned char *name_end, const char *text, size_t len);
static unsigned char og_json_lower(unsigned char c);
static int og_json_name_is(const unsigned char *name,
    const unsigned char *name_end, const unsigned char *token, size_t len);
static int og_json_index(const unsigned char *token, size_t len,
    size_t *index);
static void og_json_pass_value(og_json_walk_t *walk);
static void og_json_pass_container(og_json_walk_t *walk);
static void og_json_pass_word(og_json_walk_t *walk);
static void og_json_pass_string(og_json_walk_t *walk);
static void og_json_pass_space(og_json_walk_t *walk);
static og_json_type_e og_json_type(unsigned char c);


size_t
og_json_kept_length(const og_json_result_t *result, size_t len)
{
    size_t  i;

    for (i = 0; i < result->ncuts; i++) {
        len -= result->cuts[i].end - result->cuts[i].start;
    }

    return len;
}


unsigned char *
og_json_copy_kept(unsigned char *dst, const og_json_result_t *result,
    const unsigned char *data, size_t len)
{
    size_t  i, n, start;

    start = 0;

    for (i = 0; i <= result->ncuts; i++) {
        n = ((i < result->ncuts) ? result->cuts[i].start : len) - start;

        if (n > 0) {
            memcpy(dst, data + start, n);
            dst += n;
        }

        if (i < result->ncuts) {
            start = result->cuts[i].end;
        }
    }

    return dst;
}


unsigned char *
og_json_copy_compact(unsigned char *dst, const unsigned char *data, size_t len)
{
    og_json_walk_t  from;

    from.p = data;
    from.end = data + len;

    while (from.p < from.end) {

        if (*from.p == '"') {
            dst = og_json_copy_string(dst, &from);

        } else if (og_json_is_space(*from.p)) {
            from.p++;

        } else {
            *dst++ = *from.p++;
        }
    }

    return dst;
}


static unsigned char *
og_json_copy_string(unsigned char *dst, og_json_walk_t *from)
{
    size_t                n;
    const unsigned char  *start;

    start = from->p;
    og_json_pass_string(from);
    n = (size_t) (from->p - start);

    memcpy(dst, start, n);

    return dst + n;
}


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
    og_json_value_t       value;
    const unsigned char  *token, *token_end, *pointer_end;

    value.type = OG_JSON_NONE;
    value.data = NULL;
    value.len = 0;

    walk.p = data;
    walk.end = data + len;
    og_json_pass_space(&walk);

    token = (const unsigned char *) pointer;
    pointer_end = token + pointer_len;

    while (token < pointer_end && walk.p < walk.end) {

        if (*token++ != '/') {
            return value;
        }

        token_end = memchr(token, '/', (size_t) (pointer_end - token));
        if (token_end == NULL) {
            token_end = pointer_end;
        }

        if (*walk.p == '{') {
            og_json_enter_member(&walk, token, (size_t) (token_end - token));

        } else {
            og_json_enter_element(&walk, token, (size_t) (token_end - token));
        }

        token = token_end;
    }

    if (walk.p == walk.end) {
        return value;
    }

    value.data = walk.p;
    value.type = og_json_type(*walk.p);
    og_json_pass_value(&walk);
    value.len = (size_t) (walk.p - value.data);

    return value;
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


og_json_value_t
og_json_find_caseless(const unsigned char *data, size_t len, const char *name,
    size_t name_len)
{
    int                   same;
    size_t                found;
    og_json_walk_t        walk;
    og_json_value_t       value;
    const unsigned char  *start;

    value.type = OG_JSON_NONE;
    value.data = NULL;
    value.len = 0;

    walk.p = data;
    walk.end = data + len;
    og_json_pass_space(&walk);

    if (*walk.p != '{') {
        return value;
    }

    found = 0;

    do {
        walk.p++;
        og_json_pass_space(&walk);

        if (*walk.p == '}') {
            break;
        }

        start = walk.p;
        og_json_pass_string(&walk);
        same = og_json_name_is_caseless(start + 1, walk.p - 1, name, name_len);

        og_json_pass_space(&walk);
        walk.p++;
        og_json_pass_space(&walk);

        start = walk.p;
        og_json_pass_value(&walk);

        if (same && found++ == 0) {
            value.type = og_json_type(*start);
            value.data = start;
            value.len = (size_t) (walk.p - start);
        }

        og_json_pass_space(&walk);

    } while (*walk.p == ',');

    if (found != 1) {
        value.type = OG_JSON_NONE;
    }

    return value;
}


static int
og_json_name_is_caseless(const unsigned char *name,
    const unsigned char *name_end, const char *text, size_t len)
{
    size_t         i, n;
    unsigned char  c[4];

    while (name < name_end) {
        name = og_json_char(name, c, &n);

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


/*
 * From an object to the value of its member of that name, or to the end of
 * the walk where it has none.
 */
static void
og_json_enter_member(og_json_walk_t *walk, const unsigned char *token,
    size_t len)
{
    int                   found;
    const unsigned char  *name;

    do {
        walk->p++;
        og_json_pass_space(walk);

        if (*walk->p == '}') {
            break;
        }

        name = walk->p;
        og_json_pass_string(walk);
        found = og_json_name_is(name + 1, walk->p - 1, token, len);

        og_json_pass_space(walk);
        walk->p++;
        og_json_pass_space(walk);

        if (found) {
            return;
        }

        og_json_pass_value(walk);
        og_json_pass_space(walk);

    } while (*walk->p == ',');

    walk->p = walk->end;
}


/* The same for arrays and their indices; no other value has a way in. */
static void
og_json_enter_element(og_json_walk_t *walk, const unsigned char *token,
    size_t len)
{
    size_t  index;

    if (*walk->p != '[' || !og_json_index(token, len, &index)) {
        walk->p = walk->end;
        return;
    }

    do {
        walk->p++;
        og_json_pass_space(walk);

        if (*walk->p == ']') {
            break;
        }

        if (index-- == 0) {
            return;
        }

        og_json_pass_value(walk);
        og_json_pass_space(walk);

    } while (*walk->p == ',');

    walk->p = walk->end;
}


/* Whether a raw name (without quotes) and a raw reference token are equal. */
static int
og_json_name_is(const unsigned char *name, const unsigned char *name_end,
    const unsigned char *token, size_t len)
{
    size_t         i, n;
    unsigned char  text[4], c;

    while (name < name_end) {
        name = og_json_char(name, text, &n);

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


static void
og_json_pass_value(og_json_walk_t *walk)
{
    if (*walk->p == '"') {
        og_json_pass_string(walk);

    } else if (*walk->p == '{' || *walk->p == '[') {
        og_json_pass_container(walk);

    } else {
        og_json_pass_word(walk);
    }
}


static void
og_json_pass_container(og_json_walk_t *walk)
{
    size_t  depth;

    depth = 0;

    do {
        switch (*walk->p) {

        case '"':
            og_json_pass_string(walk);
            continue;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            depth--;
            break;
        }

        walk->p++;

    } while (depth > 0);
}


/* A number or literal. */
static void
og_json_pass_word(og_json_walk_t *walk)
{
    while (walk->p < walk->end && !og_json_is_space(*walk->p)
           && *walk->p != ',' && *walk->p != '}' && *walk->p != ']')
    {
        walk->p++;
    }
}


static void
og_json_pass_string(og_json_walk_t *walk)
{
    const unsigned char  *p;

    p = walk->p + 1;

    for ( ;; ) {
        p = og_json_skip_plain(p, walk->end);

        if (*p == '"') {
            break;
        }

        if (*p == '\\') {
            p += 2;
        }

        while (*p >= 0x80) {
            p++;
        }
    }

    walk->p = p + 1;
}


static void
og_json_pass_space(og_json_walk_t *walk)
{
    walk->p = og_json_skip_space(walk->p, walk->end);
}


static og_json_type_e
og_json_type(unsigned char c)
{
    switch (c) {

    case '{':
        return OG_JSON_OBJECT;

    case '[':
        return OG_JSON_ARRAY;

    case '"':
        return OG_JSON_STRING;

    case 't':
        return OG_JSON_TRUE;

    case 'f':
        return OG_JSON_FALSE;

    case 'n':
        return OG_JSON_NULL;

    default:
        return OG_JSON_NUMBER;
    }
}
