
/*
 * Copyright (C) order guard contributors
 *
 * Nothing is shared with the cutter, so that what makes that one faster does
 * not move the yardstick.  Functions take the first byte that is not read yet
 * and return the next such, or NULL where the document is not valid.
 */


#include <string.h>

#include "yardstick.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif


typedef struct {
    const unsigned char  *data;
    size_t                len;
} yardstick_name_t;


static inline const unsigned char *
yardstick_space(const unsigned char *p, const unsigned char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }

    return p;
}


static inline int
yardstick_is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}


/* p is at the backslash. */
static const unsigned char *
yardstick_escape(const unsigned char *p, const unsigned char *end)
{
    if (end - p < 2) {
        return NULL;
    }

    if (p[1] != 'u') {
        return strchr("\"\\/bfnrt", p[1]) && p[1] != '\0' ? p + 2 : NULL;
    }

    if (end - p < 6 || !yardstick_is_hex(p[2]) || !yardstick_is_hex(p[3])
        || !yardstick_is_hex(p[4]) || !yardstick_is_hex(p[5]))
    {
        return NULL;
    }

    return p + 6;
}


/* One character above ASCII (RFC 3629 section 4). */
static const unsigned char *
yardstick_utf8(const unsigned char *p, const unsigned char *end)
{
    size_t         i, tails;
    unsigned char  low, high;

    low = 0x80;
    high = 0xBF;

    if (*p >= 0xC2 && *p <= 0xDF) {
        tails = 1;

    } else if (*p >= 0xE0 && *p <= 0xEF) {
        tails = 2;
        low = (*p == 0xE0) ? 0xA0 : 0x80;
        high = (*p == 0xED) ? 0x9F : 0xBF;

    } else if (*p >= 0xF0 && *p <= 0xF4) {
        tails = 3;
        low = (*p == 0xF0) ? 0x90 : 0x80;
        high = (*p == 0xF4) ? 0x8F : 0xBF;

    } else {
        return NULL;
    }

    if ((size_t) (end - p) <= tails || p[1] < low || p[1] > high) {
        return NULL;
    }

    for (i = 2; i <= tails; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return NULL;
        }
    }

    return p + tails + 1;
}


/* To the first byte that is not plain ASCII of a string, or the end. */
static inline const unsigned char *
yardstick_plain(const unsigned char *p, const unsigned char *end)
{
#if defined(__SSE2__)

    int      stops;
    __m128i  v;

    while (end - p >= 16) {
        v = _mm_loadu_si128((const __m128i *) (const void *) p);

        stops = _mm_movemask_epi8(
                    _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(' ')),
                    _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                 _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')))));

        if (stops != 0) {
            return p + __builtin_ctz((unsigned) stops);
        }

        p += 16;
    }

#endif

    while (p < end && *p >= ' ' && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }

    return p;
}


/* p is behind the opening quote. */
static inline const unsigned char *
yardstick_string(const unsigned char *p, const unsigned char *end)
{
    while (p != NULL) {
        p = yardstick_plain(p, end);

        if (p == end || *p < ' ') {
            return NULL;
        }

        if (*p == '"') {
            return p + 1;
        }

        p = (*p == '\\') ? yardstick_escape(p, end) : yardstick_utf8(p, end);
    }

    return NULL;
}


static inline const unsigned char *
yardstick_digits(const unsigned char *p, const unsigned char *end)
{
    const unsigned char  *first;

    for (first = p; p < end && *p >= '0' && *p <= '9'; p++) { /* void */ }

    return (p > first) ? p : NULL;
}


static inline const unsigned char *
yardstick_number(const unsigned char *p, const unsigned char *end)
{
    if (*p == '-') {
        p++;
    }

    if (p < end && *p == '0') {
        p++;

    } else {
        p = yardstick_digits(p, end);
    }

    if (p != NULL && p < end && *p == '.') {
        p = yardstick_digits(p + 1, end);
    }

    if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }

        p = yardstick_digits(p, end);
    }

    return p;
}


/* A value that is no object or array. */
static inline const unsigned char *
yardstick_scalar(const unsigned char *p, const unsigned char *end)
{
    switch (*p) {

    case '"':
        return yardstick_string(p + 1, end);

    case 't':
        return (end - p >= 4 && memcmp(p, "true", 4) == 0) ? p + 4 : NULL;

    case 'f':
        return (end - p >= 5 && memcmp(p, "false", 5) == 0) ? p + 5 : NULL;

    case 'n':
        return (end - p >= 4 && memcmp(p, "null", 4) == 0) ? p + 4 : NULL;

    default:
        return yardstick_number(p, end);
    }
}


/* Takes a name with its colon and all white space up to its value. */
static inline const unsigned char *
yardstick_name(const unsigned char *p, const unsigned char *end,
    yardstick_name_t *name)
{
    if (*p != '"') {
        return NULL;
    }

    name->data = p + 1;

    p = yardstick_string(p + 1, end);
    if (p == NULL) {
        return NULL;
    }

    name->len = (size_t) (p - name->data) - 1;

    p = yardstick_space(p, end);
    if (p == end || *p != ':') {
        return NULL;
    }

    return yardstick_space(p + 1, end);
}


static inline void
yardstick_count(yardstick_names_t *names, const yardstick_name_t *name)
{
    names->count++;
    names->bytes += name->len;
    names->hash = names->hash * 31 + name->len + name->data[0];
}


int
yardstick_scan(const unsigned char *data, size_t len,
    yardstick_names_t *names)
{
    int                   empty;
    size_t                depth;
    yardstick_name_t      name;
    const unsigned char  *p, *end;
    unsigned char         closes[YARDSTICK_DEPTH + 1];

    memset(names, 0, sizeof(yardstick_names_t));

    end = data + len;
    p = yardstick_space(data, end);
    depth = 0;

    for ( ;; ) {

        /* p is at a value, or at the end of an object or array */

        if (p == NULL || p == end) {
            return 0;
        }

        empty = 0;

        if (*p == '{' || *p == '[') {

            if (depth == YARDSTICK_DEPTH) {
                return 0;
            }

            closes[++depth] = (*p == '{') ? '}' : ']';
            p = yardstick_space(p + 1, end);
            empty = 1;

        } else {
            p = yardstick_scalar(p, end);
            if (p == NULL) {
                return 0;
            }

            p = yardstick_space(p, end);
        }

        while (depth > 0 && p < end && *p == closes[depth]) {
            depth--;
            p = yardstick_space(p + 1, end);
            empty = 0;
        }

        if (depth == 0 || p == end) {
            return depth == 0 && p == end;
        }

        if (!empty) {
            if (*p != ',') {
                return 0;
            }

            p = yardstick_space(p + 1, end);
        }

        if (closes[depth] == '}' && p < end) {
            p = yardstick_name(p, end, &name);
            if (p == NULL) {
                return 0;
            }

            yardstick_count(names, &name);
        }
    }
}
