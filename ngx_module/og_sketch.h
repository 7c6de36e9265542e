
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


/* How names compare, as far as ASCII goes: each byte 16 times. */
typedef struct {
    unsigned char         case_bit[16];    /* 0x20 where case is folded */
    unsigned char         ignored[2][16];  /* 0xFF where there is none */
} og_sketch_key_t;


typedef struct {
    uint32_t              word;
    unsigned              odd;        /* has ".", "[" or bytes above ASCII */
} og_sketch_t;


typedef struct {
    uint64_t              sum;
    unsigned              odd;
} og_sketch_sum_t;


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


/* Names compare as they are. */
extern const og_sketch_key_t  og_sketch_exact;


/* The upper bits of the word are the best. */
static inline og_sketch_t
og_sketch_end(og_sketch_sum_t sum)
{
    og_sketch_t  sketch;

    sketch.word = (uint32_t) ((sum.sum * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
    sketch.odd = sum.odd;

    return sketch;
}


/* One byte at a time. */
static inline og_sketch_t
og_sketch_portable(const og_sketch_key_t *key, const unsigned char *data,
    size_t len)
{
    size_t           i;
    unsigned char    c;
    og_sketch_sum_t  sketch;

    sketch.sum = 0;
    sketch.odd = 0;

    for (i = 0; i < len; i++) {
        c = data[i];

        if (c == '.' || c == '[' || c >= 0x80) {
            sketch.odd = 1;
        }

        if (c >= 'A' && c <= 'Z') {
            c |= key->case_bit[0];
        }

        if (c == key->ignored[0][0] || c == key->ignored[1][0]) {
            continue;
        }

        sketch.sum += (uint64_t) c | ((uint64_t) (c & 0x0F) << 16)
                      | ((uint64_t) (c & 0x33) << 32);
    }

    return og_sketch_end(sketch);
}


#if (OG_SKETCH_SSE2)

/* What the first n of the 16 bytes at p add to a sketch. */
static inline void
og_sketch_add(og_sketch_sum_t *sketch, const og_sketch_key_t *key,
    const unsigned char *p, size_t n)
{
    __m128i  v, sum, upper, ignored, odd;

    static const unsigned char  first[32] = {
        255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255
    };

#define og_load(from)  _mm_loadu_si128((const __m128i *) (const void *) (from))

    v = _mm_and_si128(og_load(p), og_load(first + 16 - n));

    odd = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('.')),
                       _mm_cmpeq_epi8(v, _mm_set1_epi8('[')));
    odd = _mm_or_si128(odd, v);
    sketch->odd |= (unsigned) _mm_movemask_epi8(odd);

    upper = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('A' - 1)),
                          _mm_cmplt_epi8(v, _mm_set1_epi8('Z' + 1)));
    v = _mm_or_si128(v, _mm_and_si128(upper, og_load(key->case_bit)));

    ignored = _mm_or_si128(_mm_cmpeq_epi8(v, og_load(key->ignored[0])),
                           _mm_cmpeq_epi8(v, og_load(key->ignored[1])));
    v = _mm_andnot_si128(ignored, v);

#undef og_load

    sum = _mm_sad_epu8(_mm_and_si128(v, _mm_set1_epi8(0x33)),
                       _mm_setzero_si128());
    sum = _mm_slli_epi64(sum, 16);
    sum = _mm_add_epi64(sum, _mm_sad_epu8(_mm_and_si128(v,
                                                        _mm_set1_epi8(0x0F)),
                                          _mm_setzero_si128()));
    sum = _mm_slli_epi64(sum, 16);
    sum = _mm_add_epi64(sum, _mm_sad_epu8(v, _mm_setzero_si128()));
    sum = _mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum));

    sketch->sum += (uint64_t) _mm_cvtsi128_si64(sum);
}

#endif


/*
 * Sketch of data[0..len).  Up to room bytes, at least len, may be read: with
 * 16 more than len it is fastest.
 */
static inline og_sketch_t
og_sketch(const og_sketch_key_t *key, const unsigned char *data, size_t len,
    size_t room)
{
#if (OG_SKETCH_SSE2)

    unsigned char    tail[16];
    og_sketch_sum_t  sketch;

    sketch.sum = 0;
    sketch.odd = 0;

    for ( /* void */ ; len > 16; len -= 16, room -= 16) {
        og_sketch_add(&sketch, key, data, 16);
        data += 16;
    }

    if (room < 16) {
        memset(tail, 0, sizeof(tail));
        memcpy(tail, data, len);
        data = tail;
    }

    og_sketch_add(&sketch, key, data, len);

    return og_sketch_end(sketch);

#else

    (void) room;

    return og_sketch_portable(key, data, len);

#endif
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
