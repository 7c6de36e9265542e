
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_json_token.h"
#include "og_json_walk.h"


static void og_json_walk_space(og_json_walk_t *walk);
static void og_json_walk_container(og_json_walk_t *walk);
static void og_json_walk_string(og_json_walk_t *walk);
static void og_json_walk_word(og_json_walk_t *walk);
static og_json_type_e og_json_walk_type(unsigned char c);
static int og_json_string_equals(const og_json_value_t *string,
    const char *text, unsigned char case_bit);


void
og_json_walk_begin(og_json_walk_t *walk, const unsigned char *data,
    size_t len)
{
    walk->p = data;
    walk->end = data + len;
    walk->comma = NULL;

    og_json_walk_space(walk);
}


void
og_json_walk_enter(og_json_walk_t *walk)
{
    walk->p++;
}


int
og_json_walk_part(og_json_walk_t *walk)
{
    og_json_walk_space(walk);

    if (*walk->p == ',') {
        walk->comma = walk->p++;
        og_json_walk_space(walk);
    }

    if (*walk->p == '}' || *walk->p == ']') {
        walk->p++;
        return 0;
    }

    return 1;
}


og_json_value_t
og_json_walk_name(og_json_walk_t *walk)
{
    og_json_value_t  name;

    name = og_json_walk_value(walk);

    og_json_walk_space(walk);
    walk->p++;
    og_json_walk_space(walk);

    return name;
}


og_json_value_t
og_json_walk_value(og_json_walk_t *walk)
{
    og_json_value_t  value;

    value.data = walk->p;
    value.type = og_json_walk_type(*walk->p);

    switch (value.type) {

    case OG_JSON_OBJECT:
    case OG_JSON_ARRAY:
        og_json_walk_container(walk);
        break;

    case OG_JSON_STRING:
        og_json_walk_string(walk);
        break;

    default:
        og_json_walk_word(walk);
        break;
    }

    value.len = (size_t) (walk->p - value.data);

    return value;
}


static void
og_json_walk_space(og_json_walk_t *walk)
{
    walk->p = og_json_skip_run(walk->p, walk->end);
}


static void
og_json_walk_container(og_json_walk_t *walk)
{
    size_t  depth;

    depth = 0;

    do {
        switch (*walk->p) {

        case '"':
            og_json_walk_string(walk);
            continue;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            depth--;
            break;

        default:
            break;
        }

        walk->p++;

    } while (depth > 0);
}


static void
og_json_walk_string(og_json_walk_t *walk)
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


/* A number or literal. */
static void
og_json_walk_word(og_json_walk_t *walk)
{
    while (walk->p < walk->end && !og_json_is_space(*walk->p)
           && *walk->p != ',' && *walk->p != '}' && *walk->p != ']')
    {
        walk->p++;
    }
}


static og_json_type_e
og_json_walk_type(unsigned char c)
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


int
og_json_string_is(const og_json_value_t *string, const char *text)
{
    return og_json_string_equals(string, text, 0);
}


int
og_json_string_is_caseless(const og_json_value_t *string, const char *text)
{
    return og_json_string_equals(string, text, 0x20);
}


static int
og_json_string_equals(const og_json_value_t *string, const char *text,
    unsigned char case_bit)
{
    size_t                n;
    unsigned char         c[4];
    const unsigned char  *p, *end;

    p = string->data + 1;
    end = string->data + string->len - 1;

    while (p < end && *text != '\0') {
        p = og_json_char(p, c, &n);

        if (c[0] >= 'A' && c[0] <= 'Z') {
            c[0] |= case_bit;
        }

        if (c[0] != (unsigned char) *text++) {
            return 0;
        }
    }

    return p == end && *text == '\0';
}
