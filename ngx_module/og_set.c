
/*
 * Copyright (C) order guard contributors
 *
 * What the writers of all kinds of bodies have in common.
 */


#include <stdint.h>
#include <string.h>

#include "og_json_token.h"
#include "og_set_text.h"
#include "og_utf8.h"


/*
 * A control character is the longest of all: six bytes in JSON.  In a path,
 * the six bytes of a "/" are the quotes, colon and braces of an object.
 */
#define OG_SET_BYTE  6

/*
 * Whatever else a set may take: of all kinds of bodies, a part of a form has
 * most, with a delimiter of 70 bytes (RFC 2046, section 5.1.1) and a header.
 */
#define OG_SET_FRAME  256


static const char *og_set_check_string(const unsigned char *value,
    size_t len);
static int og_set_is_number(const unsigned char *value, size_t len);
static int og_set_is_boolean(const unsigned char *value, size_t len);
static unsigned char *og_set_put_byte(unsigned char *dst, unsigned char c);


const char *
og_set_check(og_set_type_e type, const unsigned char *value, size_t len)
{
    if (len == 0) {
        return NULL;
    }

    switch (type) {

    case OG_SET_NUMBER:
        return og_set_is_number(value, len)
               ? NULL : "the value is no number of JSON";

    case OG_SET_BOOLEAN:
        return og_set_is_boolean(value, len)
               ? NULL : "the value is neither true nor false";

    case OG_SET_STRING:
        break;
    }

    return og_set_check_string(value, len);
}


static const char *
og_set_check_string(const unsigned char *value, size_t len)
{
    size_t                n;
    const unsigned char  *p, *end;

    end = value + len;

    for (p = value; p < end; p += n) {
        n = og_utf8_length(p, end);

        if (n == 0) {
            return "the value is not valid UTF-8";
        }

        if (*p == '\0') {
            return "the value has a NUL";
        }
    }

    return NULL;
}


static int
og_set_is_number(const unsigned char *value, size_t len)
{
    og_fault_t  fault;

    return og_json_number(value, value + len, &fault) == value + len;
}


static int
og_set_is_boolean(const unsigned char *value, size_t len)
{
    return (len == 4 && memcmp(value, "true", 4) == 0)
           || (len == 5 && memcmp(value, "false", 5) == 0);
}


size_t
og_set_room(const og_set_t *sets, size_t nsets)
{
    size_t  i, room, left;

    room = 0;

    for (i = 0; i < nsets; i++) {

        if (sets[i].value_len == 0) {
            continue;
        }

        left = SIZE_MAX - room;

        if (left < OG_SET_FRAME
            || sets[i].field_len > (left - OG_SET_FRAME) / OG_SET_BYTE
            || sets[i].value_len > (left - OG_SET_FRAME) / OG_SET_BYTE
                                   - sets[i].field_len)
        {
            return SIZE_MAX;
        }

        room += OG_SET_BYTE * (sets[i].field_len + sets[i].value_len)
                + OG_SET_FRAME;
    }

    return room;
}


og_set_token_t
og_set_path_next(og_set_path_t *path)
{
    og_set_token_t        token;
    const unsigned char  *end;

    token.p = path->p;
    token.end = path->end;
    token.bare = path->bare;

    if (!path->bare) {
        token.p++;
        end = memchr(token.p, '/', (size_t) (path->end - token.p));
        token.end = end ? end : path->end;
    }

    path->p = token.end;

    return token;
}


unsigned char *
og_set_put_name(unsigned char *dst, og_set_token_t token)
{
    int  c;

    *dst++ = '"';

    while ((c = og_set_token_byte(&token)) != -1) {
        dst = og_set_put_byte(dst, (unsigned char) c);
    }

    *dst++ = '"';

    return dst;
}


unsigned char *
og_set_put_pointer(unsigned char *dst, const og_set_t *set)
{
    size_t                i;
    const unsigned char  *field;

    field = (const unsigned char *) set->field;
    *dst++ = '"';

    if (!og_set_path(set).bare) {

        for (i = 0; i < set->field_len; i++) {
            dst = og_set_put_byte(dst, field[i]);
        }

        *dst++ = '"';

        return dst;
    }

    *dst++ = '/';

    for (i = 0; i < set->field_len; i++) {

        if (field[i] == '~' || field[i] == '/') {
            *dst++ = '~';
            *dst++ = (field[i] == '~') ? '0' : '1';

        } else {
            dst = og_set_put_byte(dst, field[i]);
        }
    }

    *dst++ = '"';

    return dst;
}


unsigned char *
og_set_put_value(unsigned char *dst, const og_set_t *set)
{
    size_t  i;

    if (set->type != OG_SET_STRING) {
        memcpy(dst, set->value, set->value_len);
        return dst + set->value_len;
    }

    *dst++ = '"';

    for (i = 0; i < set->value_len; i++) {
        dst = og_set_put_byte(dst, set->value[i]);
    }

    *dst++ = '"';

    return dst;
}


/* RFC 8259 section 7: what must be escaped is, and nothing else. */
static unsigned char *
og_set_put_byte(unsigned char *dst, unsigned char c)
{
    static const char  hex[] = "0123456789abcdef";

    if (c < 0x20) {
        *dst++ = '\\';
        *dst++ = 'u';
        *dst++ = '0';
        *dst++ = '0';
        *dst++ = (unsigned char) hex[c >> 4];
        *dst++ = (unsigned char) hex[c & 0xF];

        return dst;
    }

    if (c == '"' || c == '\\') {
        *dst++ = '\\';
    }

    *dst++ = c;

    return dst;
}
