
/*
 * Copyright (C) order guard contributors
 */


#include "og_key.h"


static size_t og_key_string(unsigned char dst[OG_KEY_MAX],
    const unsigned char *p, const unsigned char *end);
static int og_key_parameters(const unsigned char *p, const unsigned char *end);
static const unsigned char *og_key_parameter_name(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *og_key_parameter_value(const unsigned char *p,
    const unsigned char *end);
static size_t og_key_utf8_length(const unsigned char *p,
    const unsigned char *end);


size_t
og_key_from_header(unsigned char dst[OG_KEY_MAX], const unsigned char *value,
    size_t len)
{
    size_t  i;

    if (len > 0 && value[0] == '"') {
        return og_key_string(dst, value + 1, value + len);
    }

    if (len > OG_KEY_MAX) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (value[i] <= ' ' || value[i] > '~') {
            return 0;
        }

        dst[i] = value[i];
    }

    return len;
}


int
og_key_is_text(const unsigned char *text, size_t len)
{
    size_t                n;
    const unsigned char  *p, *end;

    if (len == 0 || len > OG_KEY_MAX) {
        return 0;
    }

    end = text + len;

    for (p = text; p < end; p += n) {
        n = og_key_utf8_length(p, end);

        if (n == 0) {
            return 0;
        }
    }

    return 1;
}


static size_t
og_key_string(unsigned char dst[OG_KEY_MAX], const unsigned char *p,
    const unsigned char *end)
{
    size_t  n;

    for (n = 0; p < end && *p != '"'; p++) {

        if (*p < ' ' || *p > '~') {
            return 0;
        }

        if (*p == '\\') {
            p++;

            if (p == end || (*p != '"' && *p != '\\')) {
                return 0;
            }
        }

        if (n == OG_KEY_MAX) {
            return 0;
        }

        dst[n++] = *p;
    }

    if (p == end || !og_key_parameters(p + 1, end)) {
        return 0;
    }

    return n;
}


static int
og_key_parameters(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p == ';') {

        for (p++; p < end && *p == ' '; p++) { /* void */ }

        p = og_key_parameter_name(p, end);

        if (p != NULL && p < end && *p == '=') {
            p = og_key_parameter_value(p + 1, end);
        }

        if (p == NULL) {
            return 0;
        }
    }

    while (p < end && *p == ' ') {
        p++;
    }

    return p == end;
}


/* RFC 9651, section 3.1.2: a key begins with a lower-case letter or "*". */

static const unsigned char *
og_key_parameter_name(const unsigned char *p, const unsigned char *end)
{
    if (p == end || !((*p >= 'a' && *p <= 'z') || *p == '*')) {
        return NULL;
    }

    while (p < end
           && ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')
               || *p == '_' || *p == '-' || *p == '.' || *p == '*'))
    {
        p++;
    }

    return p;
}


/* The value is ignored, so only its end is looked for. */

static const unsigned char *
og_key_parameter_value(const unsigned char *p, const unsigned char *end)
{
    unsigned char         scratch[OG_KEY_MAX];
    const unsigned char  *start;

    if (p < end && *p == '"') {
        start = p + 1;

        for (p = start; p < end && *p != '"'; p++) {
            if (*p == '\\') {
                p++;
            }
        }

        if (p >= end) {
            return NULL;
        }

        p++;

        return (p - start == 1 || og_key_string(scratch, start, p) > 0)
               ? p : NULL;
    }

    for (start = p; p < end && *p > ' ' && *p <= '~' && *p != ';'; p++) {
        if (*p == '"' || *p == ',') {
            return NULL;
        }
    }

    return p > start ? p : NULL;
}


/* RFC 3629: length of the character at p, 0 when it is none. */

static size_t
og_key_utf8_length(const unsigned char *p, const unsigned char *end)
{
    size_t         n, i;
    unsigned char  low, high;

    if (*p < 0x80) {
        return *p >= ' ' && *p != 0x7f;
    }

    n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
    low = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
    high = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;

    if (*p < 0xc2 || *p > 0xf4 || (size_t) (end - p) < n
        || p[1] < low || p[1] > high)
    {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }

    return n;
}
