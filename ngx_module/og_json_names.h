
/*
 * Copyright (C) order guard contributors
 *
 * Which names an object has had so far.  Objects lie within each other, so
 * all that is kept is a stack: what an inner object added is gone when the
 * outer one goes on.  A few names are told apart by their sketches, one
 * after the other; an object with more gets a table by a keyed hash, so that
 * no choice of names makes a look-up slow.  Private to og_json.
 * Pure: libc only.
 */


#ifndef OG_JSON_NAMES_H_INCLUDED_
#define OG_JSON_NAMES_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "og_hash.h"
#include "og_sketch.h"


/* Up to here looking at all sketches is faster than a table. */
#define OG_JSON_NAMES_FEW  16


/* A name as it stands in the document, without its quotes. */
typedef struct {
    const unsigned char  *data;
    size_t                len;
} og_json_raw_name_t;


/* Room for an unescaped name. */
typedef struct {
    unsigned char        *data;
    size_t                alloc;
} og_json_text_t;


typedef struct {
    og_hash_key_t         key;

    og_json_raw_name_t   *names;
    uint32_t             *words;      /* sketch or hash of each */
    size_t                alloc;      /* of both; room for 3 words more */

    uint32_t             *slots;      /* tables of the large objects */
    size_t                slots_alloc;

    og_json_text_t        text;       /* of the name that is hashed */
} og_json_names_t;


/* The part of the stacks that is one object's. */
typedef struct {
    size_t                first;
    size_t                last;
    size_t                slots_first;
    size_t                nslots;     /* a power of two; 0: no table yet */
} og_json_scope_t;


typedef enum {
    OG_JSON_NAME_NO_MEMORY = -1,
    OG_JSON_NAME_NEW = 0,
    OG_JSON_NAME_REPEATED
} og_json_seen_e;


void og_json_names_init(og_json_names_t *names);
void og_json_names_done(og_json_names_t *names);


/* Gives back what is too large to be kept for the next pass. */
void og_json_names_trim(og_json_names_t *names);


/* Opens the scope of an object within the one that outer belongs to. */
static inline void
og_json_names_open(og_json_scope_t *scope, const og_json_scope_t *outer)
{
    scope->first = outer->last;
    scope->last = outer->last;
    scope->slots_first = outer->slots_first + outer->nslots;
    scope->nslots = 0;
}


/*
 * Adds a name to an object whose inner ones are closed, unless it is there.
 * sketch is that of the unescaped name, in a word.
 */
static inline og_json_seen_e og_json_names_add(og_json_names_t *names,
    og_json_scope_t *scope, og_json_raw_name_t name, uint32_t sketch);


/* The same where the name is like another, is one of many, or needs room. */
og_json_seen_e og_json_names_add_slowly(og_json_names_t *names,
    og_json_scope_t *scope, og_json_raw_name_t name, uint32_t sketch);


/*
 * Unescapes a name, growing text as needed.  Returns its length, or -1 when
 * memory is short; at least 16 more bytes may be read.
 */
ptrdiff_t og_json_text_unescape(og_json_text_t *text, og_json_raw_name_t name);


/* Whether one of a few words is that; 3 more words may be read. */
static inline int
og_json_names_have(const uint32_t *words, size_t count, uint32_t word)
{
#if (OG_SKETCH_SSE2)

    size_t   i;
    __m128i  v, equal;

    equal = _mm_setzero_si128();
    v = _mm_set1_epi32((int) word);

    for (i = 0; i + 4 <= count; i += 4) {
        equal = _mm_or_si128(equal, _mm_cmpeq_epi32(v, _mm_loadu_si128(
                                  (const __m128i *) (const void *)
                                  (words + i))));
    }

    if (_mm_movemask_epi8(equal)) {
        return 1;
    }

    equal = _mm_cmpeq_epi32(v, _mm_loadu_si128((const __m128i *)
                                               (const void *) (words + i)));

    return (_mm_movemask_epi8(equal) & ((1 << 4 * (count - i)) - 1)) != 0;

#else

    size_t  i;

    for (i = 0; i < count && words[i] != word; i++) { /* void */ }

    return i < count;

#endif
}


static inline og_json_seen_e
og_json_names_add(og_json_names_t *names, og_json_scope_t *scope,
    og_json_raw_name_t name, uint32_t sketch)
{
    size_t  count;

    count = scope->last - scope->first;

    if (count >= OG_JSON_NAMES_FEW || scope->last == names->alloc
        || og_json_names_have(names->words + scope->first, count, sketch))
    {
        return og_json_names_add_slowly(names, scope, name, sketch);
    }

    names->names[scope->last] = name;
    names->words[scope->last] = sketch;
    scope->last++;

    return OG_JSON_NAME_NEW;
}


#endif /* OG_JSON_NAMES_H_INCLUDED_ */
