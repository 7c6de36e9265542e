
/*
 * Copyright (C) order guard contributors
 *
 * The order of the members of an object.  Private to og_json_order.c.
 * Pure: libc only.
 */


#ifndef OG_JSON_SORT_H_INCLUDED_
#define OG_JSON_SORT_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "og_json_token.h"


/* Up to here members are sorted by comparing each with each. */
#define OG_JSON_SORT_FEW     32

/* How many orders are known. */
#define OG_JSON_SORT_ORDERS  64

/* From the start of a member to the first byte of its name. */
#define OG_JSON_SORT_NAME    2


/* A member of an object that is open. */
typedef struct {
    uint64_t              key;        /* og_json_sort_key() of its name */
    uint32_t              start;      /* of the brace or comma in front */
    uint32_t              head;       /* its first piece; 0: it is whole */
    uint32_t              tail;       /* its last piece, if it is not */
} og_json_member_t;


/* The same while it is sorted; index is its place in the object. */
typedef struct {
    uint64_t              key;
    uint32_t              start;
    uint32_t              index;
} og_json_sorted_t;


/* The places of the members of an object, in their order. */
typedef struct {
    unsigned char         count;
    unsigned char         places[OG_JSON_SORT_FEW];
} og_json_sequence_t;


typedef struct {
    const unsigned char  *data;       /* the text */
    size_t                len;

    uint32_t             *sequence;   /* what og_json_sort() finds */
    size_t                sequence_alloc;
    og_json_sorted_t     *sorted;     /* an object with many members, twice */
    size_t                sorted_alloc;

    /*
     * Clients write the same names in the same order again and again: how
     * they were sorted the last time is tried first.
     */
    og_json_sequence_t    known[OG_JSON_SORT_ORDERS];
} og_json_sort_t;


/*
 * Finds the order of members[0..count): sort->sequence becomes their places,
 * the first one first.  -1 when memory is short.
 */
int og_json_sort(og_json_sort_t *sort, const og_json_member_t *members,
    size_t count);


/*
 * Whether the name at data + a sorts before the one at data + b, where their
 * keys are the same.
 */
int og_json_sort_less(const unsigned char *data, size_t len, size_t a,
    size_t b);


/* Whether a member sorts before another one. */
static inline int
og_json_sort_is_less(const unsigned char *data, size_t len, uint64_t a_key,
    size_t a, uint64_t b_key, size_t b)
{
    if (og_rarely(a_key == b_key)) {
        return og_json_sort_less(data, len, a + OG_JSON_SORT_NAME,
                                 b + OG_JSON_SORT_NAME);
    }

    return a_key < b_key;
}


/* The first byte is the highest. */
static inline uint64_t
og_json_load64(const unsigned char *p)
{
    return (uint64_t) p[0] << 56 | (uint64_t) p[1] << 48
           | (uint64_t) p[2] << 40 | (uint64_t) p[3] << 32
           | (uint64_t) p[4] << 24 | (uint64_t) p[5] << 16
           | (uint64_t) p[6] << 8 | p[7];
}


/*
 * The first bytes of a name, up to a quote.  One that is escaped may be it,
 * too: no byte that JSON has behind a backslash is less than a quote, so that
 * a name which is taken for a shorter one is still where it belongs.
 */
static inline uint64_t
og_json_sort_key(const unsigned char *name, size_t len)
{
    uint64_t       word, other, quotes;
    unsigned char  tail[8];

#define og_each(byte)  (UINT64_MAX / 0xFF * (byte))

    if (og_rarely(len < 8)) {
        memset(tail, '"', 8);
        memcpy(tail, name, len);
        name = tail;
    }

    word = og_json_load64(name);

    /* the highest bit of each byte that is a quote, and no other */

    other = word ^ og_each('"');
    quotes = ~(((other & og_each(0x7F)) + og_each(0x7F)) | other
               | og_each(0x7F));

#undef og_each

    return (quotes == 0)
           ? word : word & ~(UINT64_MAX >> __builtin_clzll(quotes));
}


#endif /* OG_JSON_SORT_H_INCLUDED_ */
