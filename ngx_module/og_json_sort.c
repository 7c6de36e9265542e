
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_grow.h"
#include "og_json_sort.h"


static int og_json_sort_is_known(og_json_sort_t *sort,
    const og_json_member_t *members, const og_json_sequence_t *known);
static void og_json_sort_learn(og_json_sequence_t *known,
    const uint32_t *sequence, size_t count);
static void og_json_sort_few(og_json_sort_t *sort,
    const og_json_member_t *members, size_t count);
static int og_json_sort_many(og_json_sort_t *sort,
    const og_json_member_t *members, size_t count);
static void og_json_sort_runs(og_json_sort_t *sort,
    const og_json_member_t *members, size_t count);
static void og_json_sort_merge(const og_json_sort_t *sort,
    og_json_sorted_t *dst, const og_json_sorted_t *src, size_t middle,
    size_t count);
static unsigned og_json_sort_weight(unsigned char c);


int
og_json_sort(og_json_sort_t *sort, const og_json_member_t *members,
    size_t count)
{
    void                *grown;
    og_json_sequence_t  *known;

    if (count > sort->sequence_alloc) {
        grown = og_grow(sort->sequence, &sort->sequence_alloc, count,
                        sizeof(uint32_t));
        if (grown == NULL) {
            return -1;
        }

        sort->sequence = grown;
    }

    if (og_rarely(count > OG_JSON_SORT_FEW)) {
        return og_json_sort_many(sort, members, count);
    }

    known = &sort->known[(members->key * UINT64_C(0x9E3779B97F4A7C15)) >> 32
                         & (OG_JSON_SORT_ORDERS - 1)];

    if (og_rarely(known->count != count
                  || !og_json_sort_is_known(sort, members, known)))
    {
        og_json_sort_few(sort, members, count);
        og_json_sort_learn(known, sort->sequence, count);
    }

    return 0;
}


/* Whether the members are sorted in a known order, which becomes theirs. */
static int
og_json_sort_is_known(og_json_sort_t *sort, const og_json_member_t *members,
    const og_json_sequence_t *known)
{
    int                      sorted;
    size_t                   i;
    const og_json_member_t  *member, *next;

    sorted = 1;
    member = &members[known->places[0]];
    sort->sequence[0] = known->places[0];

    for (i = 1; i < known->count; i++) {
        next = &members[known->places[i]];

        sorted &= og_json_sort_is_less(sort->data, sort->len, member->key,
                                       member->start, next->key, next->start);
        sort->sequence[i] = known->places[i];
        member = next;
    }

    return sorted;
}


static void
og_json_sort_learn(og_json_sequence_t *known, const uint32_t *sequence,
    size_t count)
{
    size_t  i;

    known->count = (unsigned char) count;

    for (i = 0; i < count; i++) {
        known->places[i] = (unsigned char) sequence[i];
    }
}


/*
 * Counts for each member how many sort before it.  What the names are decides
 * next to no branch, which no processor could foresee.
 */
static void
og_json_sort_few(og_json_sort_t *sort, const og_json_member_t *members,
    size_t count)
{
    size_t    i, j;
    uint32_t  less, before, places[OG_JSON_SORT_FEW];

    for (i = 0; i < count; i++) {
        before = 0;

        for (j = 0; j < i; j++) {
            less = (uint32_t) og_json_sort_is_less(sort->data, sort->len,
                                                   members[j].key,
                                                   members[j].start,
                                                   members[i].key,
                                                   members[i].start);
            before += less;
            places[j] += 1 - less;
        }

        places[i] = before;
    }

    for (i = 0; i < count; i++) {
        sort->sequence[places[i]] = (uint32_t) i;
    }
}


/* By merging, which looks no further into a name than what it goes before. */
static int
og_json_sort_many(og_json_sort_t *sort, const og_json_member_t *members,
    size_t count)
{
    void              *grown;
    size_t             i, n, width;
    og_json_sorted_t  *src, *dst, *spare;

    if (2 * count > sort->sorted_alloc) {
        grown = og_grow(sort->sorted, &sort->sorted_alloc, 2 * count,
                        sizeof(og_json_sorted_t));
        if (grown == NULL) {
            return -1;
        }

        sort->sorted = grown;
    }

    og_json_sort_runs(sort, members, count);

    src = sort->sorted;
    dst = src + count;

    for (width = OG_JSON_SORT_FEW; width < count; width *= 2) {

        for (i = 0; i < count; i += n) {
            n = (count - i < 2 * width) ? count - i : 2 * width;
            og_json_sort_merge(sort, dst + i, src + i,
                               (n < width) ? n : width, n);
        }

        spare = src;
        src = dst;
        dst = spare;
    }

    for (i = 0; i < count; i++) {
        sort->sequence[i] = src[i].index;
    }

    return 0;
}


/* Makes runs of a few members, each run sorted. */
static void
og_json_sort_runs(og_json_sort_t *sort, const og_json_member_t *members,
    size_t count)
{
    size_t             i, first, n, index;
    og_json_sorted_t  *sorted;

    sorted = sort->sorted;

    for (first = 0; first < count; first += n) {
        n = count - first;

        if (n > OG_JSON_SORT_FEW) {
            n = OG_JSON_SORT_FEW;
        }

        og_json_sort_few(sort, members + first, n);

        for (i = 0; i < n; i++, sorted++) {
            index = first + sort->sequence[i];

            sorted->key = members[index].key;
            sorted->start = members[index].start;
            sorted->index = (uint32_t) index;
        }
    }
}


/* Merges src[0..middle) and src[middle..count), which are both sorted. */
static void
og_json_sort_merge(const og_json_sort_t *sort, og_json_sorted_t *dst,
    const og_json_sorted_t *src, size_t middle, size_t count)
{
    int                      second;
    const og_json_sorted_t  *a, *b, *a_end, *b_end;

    a = src;
    a_end = src + middle;
    b = a_end;
    b_end = src + count;

    while (a < a_end && b < b_end) {
        second = og_json_sort_is_less(sort->data, sort->len, b->key, b->start,
                                      a->key, a->start);

        /* no branch here, either */

        *dst++ = *(second ? b : a);
        a += !second;
        b += second;
    }

    memcpy(dst, a, (size_t) (a_end - a) * sizeof(og_json_sorted_t));
    dst += a_end - a;
    memcpy(dst, b, (size_t) (b_end - b) * sizeof(og_json_sorted_t));
}


int
og_json_sort_less(const unsigned char *data, size_t len, size_t a, size_t b)
{
    size_t    left;
    uint64_t  differ;

    /* names differ before they end, and so before the text does */

    for (left = len - ((a > b) ? a : b); left >= 8; left -= 8) {
        differ = og_json_load64(data + a) ^ og_json_load64(data + b);

        if (differ != 0) {
            a += (size_t) __builtin_clzll(differ) / 8;
            b += (size_t) __builtin_clzll(differ) / 8;

            return og_json_sort_weight(data[a]) < og_json_sort_weight(data[b]);
        }

        a += 8;
        b += 8;
    }

    for ( /* void */ ; left > 0; left--, a++, b++) {

        if (data[a] != data[b]) {
            return og_json_sort_weight(data[a]) < og_json_sort_weight(data[b]);
        }
    }

    return a > b;
}


/* A quote is less than all: it ends a name, which comes before longer ones. */
static unsigned
og_json_sort_weight(unsigned char c)
{
    return (c == '"') ? 0 : c + 1U;
}
