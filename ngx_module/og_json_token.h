
/*
 * Copyright (C) order guard contributors
 *
 * The words of JSON (RFC 8259): white space, strings, numbers, literals.
 * Private to the og_json_* files.  Each function takes the bytes from p up
 * to end, reads nothing else, and returns where the word ends.
 * Pure: libc only.
 */


#ifndef OG_JSON_TOKEN_H_INCLUDED_
#define OG_JSON_TOKEN_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "og_fault.h"

/* OG_JSON_NO_SIMD lets tests run the portable code on any machine */

#if !defined(OG_JSON_NO_SIMD) && defined(__SSE2__)
#define OG_JSON_SSE2  1
#include <emmintrin.h>
#elif !defined(OG_JSON_NO_SIMD) && defined(__ARM_NEON) && defined(__AARCH64EL__)
#define OG_JSON_NEON  1
#include <arm_neon.h>
#endif


/* What a compiler may take for granted when it lays out code. */
#define og_mostly(condition)  __builtin_expect(!!(condition), 1)
#define og_rarely(condition)  __builtin_expect(!!(condition), 0)


/* Whether a string is written with escapes. */
typedef enum {
    OG_JSON_PLAIN = 0,
    OG_JSON_ESCAPED
} og_json_spelling_e;


/*
 * Takes one escape, or a run of characters above ASCII, of a string.
 * Returns the end, or NULL and fills fault.
 */
const unsigned char *og_json_odd(const unsigned char *p,
    const unsigned char *end, og_json_spelling_e *spelling,
    og_fault_t *fault);


/* Takes the fraction and the exponent of a number; there is one of them. */
const unsigned char *og_json_number_rest(const unsigned char *p,
    const unsigned char *end, og_fault_t *fault);


/* Takes true, false or null.  NULL, and fault, when it is something else. */
const unsigned char *og_json_literal(const unsigned char *p,
    const unsigned char *end, og_fault_t *fault);


/* Takes a run of white space, which may be empty. */
const unsigned char *og_json_skip_run(const unsigned char *p,
    const unsigned char *end);


/*
 * Decodes one character of a string that is known to be valid to dst, which
 * has room for 4 bytes; *len is what it took.  Returns the end of the
 * character.
 */
const unsigned char *og_json_char(const unsigned char *p, unsigned char *dst,
    size_t *len);


static inline int
og_json_is_space(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}


static inline const unsigned char *
og_json_skip_digits(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }

    return p;
}


/* Takes a number; p is at its first byte.  NULL, and fault, when it is none. */
static inline const unsigned char *
og_json_number(const unsigned char *p, const unsigned char *end,
    og_fault_t *fault)
{
    const unsigned char  *first;

    first = p + (*p == '-');
    p = og_json_skip_digits(first, end);

    if (p == first) {
        return og_fault(fault, p, "a number without a digit");
    }

    if (*first == '0' && p - first > 1) {
        return og_fault(fault, first + 1, "a number with leading zeros");
    }

    if (p == end || (*p != '.' && *p != 'e' && *p != 'E')) {
        return p;
    }

    return og_json_number_rest(p, end, fault);
}


#if (OG_JSON_SSE2)

/* Bit n is set where byte n ends a run of plain ASCII within a string. */
static inline unsigned
og_json_stops(const unsigned char *p)
{
    __m128i  v, odd, plain;

    v = _mm_loadu_si128((const __m128i *) (const void *) p);

    /* signed, so that bytes from 0x80 on are not above 0x1F */
    plain = _mm_cmpgt_epi8(v, _mm_set1_epi8(0x1F));
    odd = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                       _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

    return (unsigned) _mm_movemask_epi8(_mm_andnot_si128(odd, plain))
           ^ 0xFFFF;
}

#elif (OG_JSON_NEON)

/* Nibble n is set where byte n ends a run of plain ASCII within a string. */
static inline uint64_t
og_json_stops(const unsigned char *p)
{
    uint8x16_t  v, odd;

    v = vld1q_u8(p);

    odd = vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(0x20));
    odd = vorrq_u8(odd, vceqq_u8(v, vdupq_n_u8('"')));
    odd = vorrq_u8(odd, vceqq_u8(v, vdupq_n_u8('\\')));

    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(
                             vreinterpretq_u16_u8(odd), 4)), 0);
}

#endif


/* How many of the 16 bytes at p, all of them readable, are plain. */
static inline size_t
og_json_plain16(const unsigned char *p)
{
#if (OG_JSON_SSE2)

    return (size_t) __builtin_ctz(og_json_stops(p) | 0x10000);

#elif (OG_JSON_NEON)

    uint64_t  stops;

    stops = og_json_stops(p);

    return (stops != 0) ? (size_t) __builtin_ctzll(stops) / 4 : 16;

#else

    size_t  n;

    for (n = 0; n < 16; n++) {
        if (p[n] < 0x20 || p[n] >= 0x80 || p[n] == '"' || p[n] == '\\') {
            break;
        }
    }

    return n;

#endif
}


/*
 * First byte that is a quote, a backslash, a control or above ASCII, or end.
 */
static inline const unsigned char *
og_json_skip_plain(const unsigned char *p, const unsigned char *end)
{
#if (OG_JSON_SSE2)

    unsigned  stops;

    while (end - p >= 16) {
        stops = og_json_stops(p);

        if (stops) {
            return p + __builtin_ctz(stops);
        }

        p += 16;
    }

#elif (OG_JSON_NEON)

    uint64_t  stops;

    while (end - p >= 16) {
        stops = og_json_stops(p);

        if (stops) {
            return p + __builtin_ctzll(stops) / 4;
        }

        p += 16;
    }

#endif

    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }

    return p;
}


/*
 * Takes a string; p is behind its opening quote, the result behind its
 * closing one.  Returns NULL, and fault, when it is not valid.
 */
static inline const unsigned char *
og_json_string(const unsigned char *p, const unsigned char *end,
    og_json_spelling_e *spelling, og_fault_t *fault)
{
    *spelling = OG_JSON_PLAIN;

    for ( ;; ) {
        p = og_json_skip_plain(p, end);

        if (p == end) {
            return og_fault(fault, p, "the string has no end");
        }

        if (*p == '"') {
            return p + 1;
        }

        p = og_json_odd(p, end, spelling, fault);
        if (p == NULL) {
            return NULL;
        }
    }
}


#endif /* OG_JSON_TOKEN_H_INCLUDED_ */
