
/*
 * Copyright (C) order guard contributors
 *
 * Slow and obvious: the members of all objects of a text arranged anew, level
 * by level.  All in the header, for fuzzers too.
 */


#ifndef JSON_ARRANGE_H_INCLUDED_
#define JSON_ARRANGE_H_INCLUDED_


#include <stdlib.h>
#include <string.h>

#include "og_json_walk.h"


typedef struct {
    og_json_value_t       name;       /* with its quotes */
    og_json_value_t       value;
} arrange_member_t;


/* Puts the members of one object in an order. */
typedef void (*arrange_pt)(arrange_member_t *members, size_t count);


static inline int
arrange_compare(const void *a, const void *b)
{
    int                      order;
    size_t                   n;
    const arrange_member_t  *x, *y;

    x = a;
    y = b;

    n = (x->name.len < y->name.len) ? x->name.len : y->name.len;
    order = memcmp(x->name.data + 1, y->name.data + 1, n - 2);

    if (order != 0) {
        return order;
    }

    return (x->name.len > y->name.len) - (x->name.len < y->name.len);
}


/* By the bytes of their names. */
static inline void
arrange_by_name(arrange_member_t *members, size_t count)
{
    qsort(members, count, sizeof(arrange_member_t), arrange_compare);
}


static inline unsigned char *arrange(unsigned char *dst,
    const unsigned char *data, size_t len, arrange_pt by);


static inline unsigned char *
arrange_elements(unsigned char *dst, og_json_walk_t *walk, arrange_pt by)
{
    size_t           n;
    og_json_value_t  value;

    *dst++ = '[';
    og_json_walk_enter(walk);

    for (n = 0; og_json_walk_part(walk); n++) {
        value = og_json_walk_value(walk);

        if (n > 0) {
            *dst++ = ',';
        }

        dst = arrange(dst, value.data, value.len, by);
    }

    *dst++ = ']';

    return dst;
}


static inline unsigned char *
arrange_members(unsigned char *dst, og_json_walk_t *walk, size_t len,
    arrange_pt by)
{
    size_t             i, n;
    arrange_member_t  *members;

    members = malloc((len / 4 + 1) * sizeof(arrange_member_t));

    if (members == NULL) {
        abort();
    }

    og_json_walk_enter(walk);

    for (n = 0; og_json_walk_part(walk); n++) {
        members[n].name = og_json_walk_name(walk);
        members[n].value = og_json_walk_value(walk);
    }

    by(members, n);
    *dst++ = '{';

    for (i = 0; i < n; i++) {

        if (i > 0) {
            *dst++ = ',';
        }

        memcpy(dst, members[i].name.data, members[i].name.len);
        dst += members[i].name.len;
        *dst++ = ':';
        dst = arrange(dst, members[i].value.data, members[i].value.len, by);
    }

    *dst++ = '}';
    free(members);

    return dst;
}


/*
 * Writes a text, which is JSON without white space between its words, to dst
 * with the members of its objects in another order; returns the end.
 */
static inline unsigned char *
arrange(unsigned char *dst, const unsigned char *data, size_t len,
    arrange_pt by)
{
    og_json_walk_t  walk;

    og_json_walk_begin(&walk, data, len);

    if (*data == '[') {
        return arrange_elements(dst, &walk, by);
    }

    if (*data == '{') {
        return arrange_members(dst, &walk, len, by);
    }

    memcpy(dst, data, len);

    return dst + len;
}


#endif /* JSON_ARRANGE_H_INCLUDED_ */
