
/*
 * Copyright (C) order guard contributors
 *
 * Sketches of names: equal names have equal sketches, most others differ,
 * and a sketch costs a few instructions without a branch.  It says which
 * names need a closer look, never that two are equal.  It is the sum of what
 * each byte adds, so that ignored bytes do not matter wherever they stand.
 * Pure: libc only.
 */


#ifndef OG_SKETCH_H_INCLUDED_
#define OG_SKETCH_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* OG_JSON_NO_SIMD lets tests run the portable code on any machine */

#if !defined(OG_JSON_NO_SIMD) && defined(__SSE2__) && defined(__x86_64__)
#define OG_SKETCH_SSE2  1
#include <emmintrin.h>
#endif


typedef struct {
    uint32_t              word;
    unsigned              odd;        /* has og_sketch_is_odd() bytes */
} og_sketch_t;


/* A name, unescaped and without NUL; data is its owner's. */
typedef struct {
    const unsigned char  *data;
    size_t                len;
    og_sketch_t           sketch;
} og_name_t;


/* Bits by the sketches of names: where one finds none, it is not of them. */
typedef struct {
    const uint64_t       *words;
    unsigned              shift;      /* from a sketch's word to the bit */
} og_filter_t;


/*
 * Bytes that make a name more than it looks like: punctuation and controls may
 * part it, and what is above ASCII may fold.
 */
static inline int
og_sketch_is_odd(unsigned char c)
{
    return ((c | 0x20) < 'a' || (c | 0x20) > 'z') && (c < '0' || c > '9')
           && c != '_' && c != '-' && c != ' ' && c != '\0';
}


/*
 * A byte adds t * (t - 0x5F) * (t - 0x0D), where t is the byte without the bit
 * that tells case: nothing for "_", "-" and space, and the same for both
 * cases, in every match mode.
 */
#define OG_SKETCH_UNCASED  0xDF
#define OG_SKETCH_LOW      0x5F       /* "_" */
#define OG_SKETCH_DASH     0x0D       /* "-" */


/* The upper bits of the word are the best. */
static inline og_sketch_t
og_sketch_end(uint32_t sum, unsigned odd)
{
    og_sketch_t  sketch;

    sketch.word = sum * 0x9E3779B1;
    sketch.odd = odd;

    return sketch;
}


/* One byte at a time. */
static inline og_sketch_t
og_sketch_portable(const unsigned char *data, size_t len)
{
    size_t    i;
    uint32_t  t, sum;
    unsigned  odd;

    sum = 0;
    odd = 0;

    for (i = 0; i < len; i++) {

        if (og_sketch_is_odd(data[i])) {
            odd = 1;
        }

        t = data[i] & OG_SKETCH_UNCASED;
        sum += t * (t - OG_SKETCH_LOW) * (t - OG_SKETCH_DASH);
    }

    return og_sketch_end(sum, odd);
}


#if (OG_SKETCH_SSE2)

/* What 8 bytes add, each in 16 bits: four sums. */
static inline __m128i
og_sketch_sums(__m128i t)
{
    __m128i  low, dash;

    low = _mm_sub_epi16(t, _mm_set1_epi16(OG_SKETCH_LOW));
    dash = _mm_sub_epi16(t, _mm_set1_epi16(OG_SKETCH_DASH));

    return _mm_madd_epi16(_mm_mullo_epi16(t, low), dash);
}


/* Bit n is set where byte n is odd. */
static inline unsigned
og_sketch_odd16(__m128i v)
{
    __m128i  letter, digit, even;

    letter = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)),
                          _mm_set1_epi8('a'));
    digit = _mm_sub_epi8(v, _mm_set1_epi8('0'));

    /* the minimum of bytes has no sign */

    even = _mm_or_si128(
               _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter),
               _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit));

    even = _mm_or_si128(even, _mm_cmpeq_epi8(v, _mm_set1_epi8('_')));
    even = _mm_or_si128(even, _mm_cmpeq_epi8(v, _mm_set1_epi8('-')));
    even = _mm_or_si128(even, _mm_cmpeq_epi8(v, _mm_set1_epi8(' ')));
    even = _mm_or_si128(even, _mm_cmpeq_epi8(v, _mm_setzero_si128()));

    return (unsigned) _mm_movemask_epi8(even) ^ 0xFFFF;
}


/* What the first n of the 16 bytes at p add. */
static inline uint32_t
og_sketch_add(const unsigned char *p, size_t n, unsigned *odd)
{
    __m128i  v, t, sums, zero;

    static const unsigned char  first[32] = {
        255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255
    };

#define og_load(from)  _mm_loadu_si128((const __m128i *) (const void *) (from))

    v = _mm_and_si128(og_load(p), og_load(first + 16 - n));

#undef og_load

    *odd |= og_sketch_odd16(v);

    zero = _mm_setzero_si128();
    t = _mm_and_si128(v, _mm_set1_epi8((char) OG_SKETCH_UNCASED));

    sums = _mm_add_epi32(og_sketch_sums(_mm_unpacklo_epi8(t, zero)),
                         og_sketch_sums(_mm_unpackhi_epi8(t, zero)));
    sums = _mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums));
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 1));

    return (uint32_t) _mm_cvtsi128_si32(sums);
}

#endif


/*
 * Sketch of data[0..len).  Up to room bytes, at least len, may be read: with
 * 16 more than len it is fastest.
 */
static inline og_sketch_t
og_sketch(const unsigned char *data, size_t len, size_t room)
{
#if (OG_SKETCH_SSE2)

    uint32_t       sum;
    unsigned       odd;
    unsigned char  tail[16];

    sum = 0;
    odd = 0;

    for ( /* void */ ; len > 16; len -= 16, room -= 16) {
        sum += og_sketch_add(data, 16, &odd);
        data += 16;
    }

    if (room < 16) {
        memset(tail, 0, sizeof(tail));
        memcpy(tail, data, len);
        data = tail;
    }

    sum += og_sketch_add(data, len, &odd);

    return og_sketch_end(sum, odd);

#else

    (void) room;

    return og_sketch_portable(data, len);

#endif
}


/* Only data[0..len) is read. */
static inline og_name_t
og_name(const unsigned char *data, size_t len)
{
    og_name_t  name;

    name.data = data;
    name.len = len;
    name.sketch = og_sketch(data, len, len);

    return name;
}


/* Whether names of that sketch may be among those of the filter. */
static inline int
og_filter_has(const og_filter_t *filter, og_sketch_t sketch)
{
    uint32_t  bit;

    bit = sketch.word >> filter->shift;

    return (filter->words[bit / 64] >> bit % 64) & 1;
}


#endif /* OG_SKETCH_H_INCLUDED_ */
