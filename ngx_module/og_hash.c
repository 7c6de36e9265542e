
/*
 * Copyright (C) order guard contributors
 */


#include <sys/random.h>
#include <time.h>

#include "og_hash.h"


void
og_hash_key_init(og_hash_key_t *key)
{
    struct timespec  now;

    /* up to 256 bytes come whole or not at all */

    if (getrandom(key, sizeof(og_hash_key_t), GRND_NONBLOCK)
        != (ssize_t) sizeof(og_hash_key_t))
    {
        clock_gettime(CLOCK_MONOTONIC, &now);

        key->word[0] = (uint64_t) now.tv_nsec;
        key->word[1] = (uint64_t) now.tv_sec;
        key->word[2] = (uint64_t) (uintptr_t) key;
    }

    /* a product of small numbers would not reach the upper half */

    key->word[0] |= UINT64_C(0x8000000000000001);
    key->word[1] |= UINT64_C(0x4000000000000001);
    key->word[2] |= UINT64_C(0x8000000000000001);
}
