
/*
 * Copyright (C) order guard contributors
 *
 * Names that were met before.  Clients write the same names in the same
 * order again and again, in the elements of an array and from body to body:
 * where the name stands that came next the last time, one comparison takes
 * it with its quotes and its colon, and what is known of it need not be
 * found out once more.  Private to og_json.  Pure: libc only.
 */


#ifndef OG_JSON_KNOWN_H_INCLUDED_
#define OG_JSON_KNOWN_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "og_json_token.h"
#include "og_sketch.h"


/* How many names are known; the bytes of one, with those around it. */
#define OG_JSON_KNOWN_NAMES  256
#define OG_JSON_KNOWN_SIZE   32


/* A name as it stands in the document, without its quotes. */
typedef struct {
    const unsigned char  *data;
    size_t                len;
} og_json_raw_name_t;


typedef struct og_json_name_s  og_json_name_t;

struct og_json_name_s {
    unsigned char         text[OG_JSON_KNOWN_SIZE];    /* "name": */
    unsigned char         beyond[OG_JSON_KNOWN_SIZE];  /* 0xFF behind that */
    size_t                len;        /* of the name alone */
    og_sketch_t           sketch;
    int                   is_plain;   /* to og_paths_name() */
    uint64_t              number;     /* of this name alone, from 1 on */
    og_json_name_t       *next;       /* what came behind it, the last time */
};


typedef struct {
    og_json_name_t       *last;       /* that was met last */
    uint64_t              learnt;     /* names so far */
    og_json_name_t        names[OG_JSON_KNOWN_NAMES];
} og_json_known_t;


void og_json_known_init(og_json_known_t *known);


/* Remembers in a name's place, if it is not there, instead of another one. */
void og_json_known_learn(og_json_known_t *known, og_json_name_t *name,
    og_json_raw_name_t raw, og_sketch_t sketch);


#if (OG_JSON_SSE2)

/* Whether the 32 bytes at p begin with that name, its quotes and its colon. */
static inline int
og_json_name_is_there(const og_json_name_t *name, const unsigned char *p)
{
    __m128i  low, high;

#define og_load(from)  _mm_loadu_si128((const __m128i *) (const void *) (from))

    low = _mm_or_si128(_mm_cmpeq_epi8(og_load(p), og_load(name->text)),
                       og_load(name->beyond));
    high = _mm_or_si128(_mm_cmpeq_epi8(og_load(p + 16),
                                       og_load(name->text + 16)),
                        og_load(name->beyond + 16));

#undef og_load

    return _mm_movemask_epi8(_mm_and_si128(low, high)) == 0xFFFF;
}

#elif (OG_JSON_NEON)

/* Whether the 32 bytes at p begin with that name, its quotes and its colon. */
static inline int
og_json_name_is_there(const og_json_name_t *name, const unsigned char *p)
{
    uint8x16_t  low, high;

    low = vorrq_u8(vceqq_u8(vld1q_u8(p), vld1q_u8(name->text)),
                   vld1q_u8(name->beyond));
    high = vorrq_u8(vceqq_u8(vld1q_u8(p + 16), vld1q_u8(name->text + 16)),
                    vld1q_u8(name->beyond + 16));

    return vminvq_u8(vandq_u8(low, high)) == 0xFF;
}

#endif


/* The same for p[0..left). */
static inline int
og_json_name_is_at(const og_json_name_t *name, const unsigned char *p,
    size_t left)
{
#if (OG_JSON_SSE2 || OG_JSON_NEON)

    if (og_mostly(left >= OG_JSON_KNOWN_SIZE)) {
        return og_json_name_is_there(name, p);
    }

#endif

    return left >= name->len + 3
           && memcmp(p, name->text, name->len + 3) == 0;
}


/*
 * Notes that a name which is written without escapes was met, in a document
 * that ends at end.  NULL where it is too long to be remembered.
 */
static inline og_json_name_t *
og_json_known_meet(og_json_known_t *known, og_json_raw_name_t raw,
    og_sketch_t sketch, const unsigned char *end)
{
    og_json_name_t       *name;
    const unsigned char  *p;

    if (raw.len > OG_JSON_KNOWN_SIZE - 3) {
        return NULL;
    }

    p = raw.data - 1;
    name = &known->names[sketch.word >> 24];

    if (!og_json_name_is_at(name, p, (size_t) (end - p))) {
        og_json_known_learn(known, name, raw, sketch);
    }

    known->last->next = name;
    known->last = name;

    return name;
}


/* The name that is expected next, where it stands at p, or NULL. */
static inline og_json_name_t *
og_json_known_next(og_json_known_t *known, const unsigned char *p,
    const unsigned char *end)
{
    og_json_name_t  *name;

    name = known->last->next;

    if (!og_json_name_is_at(name, p, (size_t) (end - p))) {
        return NULL;
    }

    known->last = name;

    return name;
}


#endif /* OG_JSON_KNOWN_H_INCLUDED_ */
