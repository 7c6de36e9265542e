
/*
 * Copyright (C) order guard contributors
 *
 * JSON by blocks of 64 bytes, with a bit for each byte: where the braces,
 * brackets and commas are that are not in strings.  No branch depends on where
 * a string begins or ends, so that many short ones cost no more than a long
 * one.  For text that is known to be JSON; of other text it is not known what
 * the bits mean.  Private to the og_json_* files.  Pure: libc only.
 */


#ifndef OG_JSON_BLOCK_H_INCLUDED_
#define OG_JSON_BLOCK_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "og_json_token.h"


#define OG_JSON_BLOCK_SIZE  64


/* Bit n is of byte n. */
typedef struct {
    uint64_t              quotes;
    uint64_t              backslashes;
    uint64_t              marks;      /* braces, brackets, commas; others, too,
                                         that JSON has in strings only */
} og_json_block_t;


/* What one block leaves for the next one. */
typedef struct {
    uint64_t              inside;     /* all bits: it ends within a string */
    uint64_t              escaped;    /* 1: its last byte was a backslash that
                                         escapes */
} og_json_block_state_t;


/*
 * With the bits of the one, braces and brackets become the other.  So do some
 * bytes that JSON has in strings only.
 */
#define OG_JSON_MARK_ANY  0x26
#define OG_JSON_MARK_ALL  0x7F


#if (OG_JSON_SSE2)

static inline uint64_t
og_json_block_bits(__m128i v, unsigned at)
{
    return (uint64_t) (unsigned) _mm_movemask_epi8(v) << at;
}


/* Adds the 16 bytes at p + at; *any becomes not zero where one escapes. */
static inline void
og_json_block_add(og_json_block_t *block, const unsigned char *p, unsigned at,
    __m128i *any)
{
    __m128i  v, marks;

    v = _mm_loadu_si128((const __m128i *) (const void *) (p + at));

    marks = _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(OG_JSON_MARK_ANY)),
                           _mm_set1_epi8(OG_JSON_MARK_ALL));
    marks = _mm_or_si128(marks, _mm_cmpeq_epi8(v, _mm_set1_epi8(',')));

    block->marks |= og_json_block_bits(marks, at);
    block->quotes |= og_json_block_bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                        at);
    *any = _mm_or_si128(*any, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
}


static inline uint64_t
og_json_block_backslashes(const unsigned char *p)
{
    unsigned  at;
    __m128i   v;
    uint64_t  bits;

    bits = 0;

    for (at = 0; at < OG_JSON_BLOCK_SIZE; at += 16) {
        v = _mm_loadu_si128((const __m128i *) (const void *) (p + at));
        bits |= og_json_block_bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')),
                                   at);
    }

    return bits;
}


static inline og_json_block_t
og_json_block(const unsigned char *p)
{
    __m128i          any;
    og_json_block_t  block;

    any = _mm_setzero_si128();
    block.quotes = 0;
    block.marks = 0;
    block.backslashes = 0;

    og_json_block_add(&block, p, 0, &any);
    og_json_block_add(&block, p, 16, &any);
    og_json_block_add(&block, p, 32, &any);
    og_json_block_add(&block, p, 48, &any);

    if (og_rarely(_mm_movemask_epi8(any) != 0)) {
        block.backslashes = og_json_block_backslashes(p);
    }

    return block;
}

#elif (OG_JSON_NEON)

static inline uint64_t
og_json_block_bits(const uint8x16_t *v)
{
    uint8x16_t  bits, low, high;

    static const uint8_t  bit[16] = {
        1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128
    };

    bits = vld1q_u8(bit);

    low = vpaddq_u8(vandq_u8(v[0], bits), vandq_u8(v[1], bits));
    high = vpaddq_u8(vandq_u8(v[2], bits), vandq_u8(v[3], bits));
    low = vpaddq_u8(low, high);

    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(low, low)), 0);
}


static inline og_json_block_t
og_json_block(const unsigned char *p)
{
    size_t           i;
    uint8x16_t       v, quotes[4], backslashes[4], marks[4];
    og_json_block_t  block;

    for (i = 0; i < 4; i++) {
        v = vld1q_u8(p + i * 16);

        quotes[i] = vceqq_u8(v, vdupq_n_u8('"'));
        backslashes[i] = vceqq_u8(v, vdupq_n_u8('\\'));
        marks[i] = vceqq_u8(vorrq_u8(v, vdupq_n_u8(OG_JSON_MARK_ANY)),
                            vdupq_n_u8(OG_JSON_MARK_ALL));
        marks[i] = vorrq_u8(marks[i], vceqq_u8(v, vdupq_n_u8(',')));
    }

    block.quotes = og_json_block_bits(quotes);
    block.backslashes = og_json_block_bits(backslashes);
    block.marks = og_json_block_bits(marks);

    return block;
}

#else

static inline og_json_block_t
og_json_block(const unsigned char *p)
{
    size_t           i;
    og_json_block_t  block;

    block.quotes = 0;
    block.backslashes = 0;
    block.marks = 0;

    for (i = 0; i < OG_JSON_BLOCK_SIZE; i++) {
        block.quotes |= (uint64_t) (p[i] == '"') << i;
        block.backslashes |= (uint64_t) (p[i] == '\\') << i;
        block.marks |= (uint64_t) ((p[i] | OG_JSON_MARK_ANY)
                                   == OG_JSON_MARK_ALL || p[i] == ',') << i;
    }

    return block;
}

#endif


/* The bytes behind backslashes that escape; *carry goes from block to block. */
static inline uint64_t
og_json_block_escaped(uint64_t backslashes, uint64_t *carry)
{
    uint64_t  escaped, bit;

    escaped = *carry;
    backslashes &= ~escaped;
    *carry = 0;

    while (backslashes != 0) {
        bit = backslashes & (0 - backslashes);

        escaped |= bit << 1;
        *carry = bit >> 63;
        backslashes &= ~(bit | bit << 1);
    }

    return escaped;
}


/* Each bit becomes the parity of itself and of those below. */
static inline uint64_t
og_json_block_parity(uint64_t bits)
{
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^= bits << 32;

    return bits;
}


/* The marks of a block that are not within strings. */
static inline uint64_t
og_json_block_marks(og_json_block_state_t *state, og_json_block_t block)
{
    uint64_t  inside;

    if (og_rarely((block.backslashes | state->escaped) != 0)) {
        block.quotes &= ~og_json_block_escaped(block.backslashes,
                                               &state->escaped);
    }

    inside = og_json_block_parity(block.quotes) ^ state->inside;
    state->inside = 0 - (inside >> 63);

    return block.marks & ~inside;
}


#endif /* OG_JSON_BLOCK_H_INCLUDED_ */
