
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_json_token.h"
#include "og_utf8.h"


static const unsigned char *og_json_escape(const unsigned char *p,
    const unsigned char *end, og_fault_t *fault);
static const unsigned char *og_json_escape_unicode(const unsigned char *p,
    const unsigned char *end, og_fault_t *fault);
static const unsigned char *og_json_digits(const unsigned char *p,
    const unsigned char *end, og_fault_t *fault);
static int og_json_hex4(const unsigned char *p, const unsigned char *end);
static int og_json_hex(unsigned char c);
#if (OG_JSON_SSE2)
static unsigned og_json_not_space(const unsigned char *p);
#endif


#define OG_JSON_IS_HIGH(code)  (((code) & 0xFC00) == 0xD800)
#define OG_JSON_IS_LOW(code)   (((code) & 0xFC00) == 0xDC00)


const unsigned char *
og_json_odd(const unsigned char *p, const unsigned char *end,
    og_json_spelling_e *spelling, og_fault_t *fault)
{
    size_t  n;

    if (*p == '\\') {
        *spelling = OG_JSON_ESCAPED;
        return og_json_escape(p, end, fault);
    }

    if (*p < 0x20) {
        return og_fault(fault, p, "a control character in a string");
    }

    /* characters above ASCII seldom come alone */

    while (p < end && *p >= 0x80) {
        n = og_utf8_length(p, end);

        if (n == 0) {
            return og_fault(fault, p, "invalid UTF-8");
        }

        p += n;
    }

    return p;
}


static const unsigned char *
og_json_escape(const unsigned char *p, const unsigned char *end,
    og_fault_t *fault)
{
    if (end - p < 2) {
        return og_fault(fault, end, "the string has no end");
    }

    switch (p[1]) {

    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;

    case 'u':
        return og_json_escape_unicode(p, end, fault);

    default:
        return og_fault(fault, p, "an escape that JSON does not have");
    }
}


static const unsigned char *
og_json_escape_unicode(const unsigned char *p, const unsigned char *end,
    og_fault_t *fault)
{
    int  code;

    code = og_json_hex4(p + 2, end);

    if (code == -1) {
        return og_fault(fault, p, "\\u without four hex digits");
    }

    if (OG_JSON_IS_LOW(code)) {
        return og_fault(fault, p, "a lone surrogate");
    }

    if (!OG_JSON_IS_HIGH(code)) {
        return p + 6;
    }

    if (end - p < 12 || p[6] != '\\' || p[7] != 'u') {
        return og_fault(fault, p, "a lone surrogate");
    }

    code = og_json_hex4(p + 8, end);

    if (code == -1 || !OG_JSON_IS_LOW(code)) {
        return og_fault(fault, p, "a lone surrogate");
    }

    return p + 12;
}


const unsigned char *
og_json_number_rest(const unsigned char *p, const unsigned char *end,
    og_fault_t *fault)
{
    if (*p == '.') {
        p = og_json_digits(p + 1, end, fault);
    }

    if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }

        p = og_json_digits(p, end, fault);
    }

    return p;
}


static const unsigned char *
og_json_digits(const unsigned char *p, const unsigned char *end,
    og_fault_t *fault)
{
    const unsigned char  *first;

    first = p;
    p = og_json_skip_digits(p, end);

    return (p > first) ? p : og_fault(fault, p, "a number without a digit");
}


const unsigned char *
og_json_literal(const unsigned char *p, const unsigned char *end,
    og_fault_t *fault)
{
    if (end - p >= 4) {

        if (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0) {
            return p + 4;
        }

        if (end - p >= 5 && memcmp(p, "false", 5) == 0) {
            return p + 5;
        }
    }

    return og_fault(fault, p, "not a JSON value");
}


const unsigned char *
og_json_skip_run(const unsigned char *p, const unsigned char *end)
{
#if (OG_JSON_SSE2)

    unsigned  others;

    while (end - p >= 16) {
        others = og_json_not_space(p);

        if (others) {
            return p + __builtin_ctz(others);
        }

        p += 16;
    }

#endif

    while (p < end && og_json_is_space(*p)) {
        p++;
    }

    return p;
}


#if (OG_JSON_SSE2)

/* Bit n is set where byte n is no white space. */
static unsigned
og_json_not_space(const unsigned char *p)
{
    __m128i  v, space;

    v = _mm_loadu_si128((const __m128i *) (const void *) p);

    space = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')),
                                      _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'))),
                         _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\r')),
                                      _mm_cmpeq_epi8(v, _mm_set1_epi8('\t'))));

    return (unsigned) _mm_movemask_epi8(space) ^ 0xFFFF;
}

#endif


const unsigned char *
og_json_char(const unsigned char *p, unsigned char *dst, size_t *len)
{
    uint32_t  code;

    if (*p != '\\') {
        *len = (*p < 0x80) ? 1 : (*p < 0xE0) ? 2 : (*p < 0xF0) ? 3 : 4;
        memcpy(dst, p, *len);

        return p + *len;
    }

    *len = 1;

    switch (p[1]) {

    case 'b':
        *dst = '\b';
        return p + 2;

    case 'f':
        *dst = '\f';
        return p + 2;

    case 'n':
        *dst = '\n';
        return p + 2;

    case 'r':
        *dst = '\r';
        return p + 2;

    case 't':
        *dst = '\t';
        return p + 2;

    case 'u':
        break;

    default:
        *dst = p[1];
        return p + 2;
    }

    code = (uint32_t) og_json_hex4(p + 2, p + 6);
    p += 6;

    if (OG_JSON_IS_HIGH(code)) {
        code = 0x10000 + ((code & 0x3FF) << 10)
               + ((uint32_t) og_json_hex4(p + 2, p + 6) & 0x3FF);
        p += 6;
    }

    *len = (size_t) (og_utf8_encode(dst, code) - dst);

    return p;
}


/* Value of the four hex digits at p, or -1. */
static int
og_json_hex4(const unsigned char *p, const unsigned char *end)
{
    int     code, digit;
    size_t  i;

    if (end - p < 4) {
        return -1;
    }

    code = 0;

    for (i = 0; i < 4; i++) {
        digit = og_json_hex(p[i]);

        if (digit == -1) {
            return -1;
        }

        code = code * 16 + digit;
    }

    return code;
}


static int
og_json_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    return -1;
}
