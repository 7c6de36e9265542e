
/*
 * Copyright (C) order guard contributors
 *
 * A keyed hash for tables of names that come from outside.  Not for
 * anything that is stored or sent.  Pure: libc only.
 */


#ifndef OG_HASH_H_INCLUDED_
#define OG_HASH_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>


/*
 * Secret of one table: without it nobody outside can choose names that fall
 * on one another and make look-ups slow.
 */
typedef struct {
    uint64_t              word[3];
} og_hash_key_t;


/* Fills the key from the system's randomness. */
void og_hash_key_init(og_hash_key_t *key);


/* Both halves of the product of a and b, folded into one. */
static inline uint64_t
og_hash_mix_portable(uint64_t a, uint64_t b)
{
    uint64_t  low, cross, sum, high;

    low = (a & UINT32_MAX) * (b & UINT32_MAX);
    cross = (a >> 32) * (b & UINT32_MAX);
    sum = (a & UINT32_MAX) * (b >> 32) + (low >> 32) + (cross & UINT32_MAX);
    high = (a >> 32) * (b >> 32) + (cross >> 32) + (sum >> 32);

    return ((sum << 32) | (low & UINT32_MAX)) ^ high;
}


static inline uint64_t
og_hash_mix(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128  og_uint128_t;

    og_uint128_t  product;

    product = (og_uint128_t) a * b;

    return (uint64_t) product ^ (uint64_t) (product >> 64);
#else
    return og_hash_mix_portable(a, b);
#endif
}


static inline uint64_t
og_hash_load64(const unsigned char *p)
{
    uint64_t  word;

    memcpy(&word, p, sizeof(word));

    return word;
}


static inline uint64_t
og_hash_load32(const unsigned char *p)
{
    uint32_t  word;

    memcpy(&word, p, sizeof(word));

    return word;
}


/* Reads data[0..len) only; the value differs from host to host. */
static inline uint64_t
og_hash(const og_hash_key_t *key, const unsigned char *data, size_t len)
{
    size_t    left;
    uint64_t  a, b, chain;

    chain = key->word[1];

    for (left = len; left > 16; left -= 16) {
        chain = og_hash_mix(og_hash_load64(data) ^ key->word[0],
                            og_hash_load64(data + 8) ^ chain);
        data += 16;
    }

    if (left >= 8) {
        a = og_hash_load64(data);
        b = og_hash_load64(data + left - 8);

    } else if (left >= 4) {
        a = og_hash_load32(data);
        b = og_hash_load32(data + left - 4);

    } else if (left > 0) {
        a = ((uint64_t) data[0] << 16) | ((uint64_t) data[left / 2] << 8)
            | data[left - 1];
        b = 0;

    } else {
        a = 0;
        b = 0;
    }

    return og_hash_mix(og_hash_mix(a ^ key->word[0], b ^ chain),
                       len ^ key->word[2]);
}


#endif /* OG_HASH_H_INCLUDED_ */
