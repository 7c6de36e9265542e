
/*
 * Copyright (C) order guard contributors
 *
 * The members of objects in one order, that of their names: a client that
 * builds an order from a map may write its members in another order each
 * time, and means the same.  Members are moved as they stand, and nothing
 * else is: the elements of an array keep their order, and no string or number
 * is written anew.
 *
 * Names are compared as they stand between the quotes, byte by byte, so that
 * "a" and "\u0061" are two names.  To put them in the same place would not
 * make one text of two: they are other bytes still, and so are values that
 * are escaped in another way.
 *
 * Pure: libc only.
 */


#ifndef OG_JSON_ORDER_H_INCLUDED_
#define OG_JSON_ORDER_H_INCLUDED_


#include <stddef.h>


typedef enum {
    OG_JSON_ORDER_FAILED = -1,
    OG_JSON_ORDER_KEPT = 0,   /* all members are in order as they stand */
    OG_JSON_ORDER_CHANGED     /* og_json_order_copy() puts them in order */
} og_json_order_e;


/* Scratch memory of all passes: one per worker, for one text at a time. */
typedef struct og_json_order_s  og_json_order_t;


/* Returns NULL when memory is short; the caller ends it with ..._free(). */
og_json_order_t *og_json_order_create(void);


/* Frees the scratch memory; NULL is fine. */
void og_json_order_free(og_json_order_t *order);


/*
 * Looks whether the members of each object in data[0..len) are in order, and
 * finds the order that they should have.  data is one JSON text without white
 * space between its words: it has passed og_json_scan(), which lets no name
 * stand twice in an object, and is as og_body_copy_canonical() leaves it.
 *
 * Takes time linear in len, but for the sorting, which is O(n log n) whatever
 * the names are.  Does not recurse, and knows no limit of depth.  Never reads
 * outside data, also where that is no JSON.
 *
 * Failed: memory is short, or data is seen to be no JSON, or is 4 GB or more.
 */
og_json_order_e og_json_order(og_json_order_t *order,
    const unsigned char *data, size_t len);


/*
 * Copies the text of the last pass, which has not failed, to dst with its
 * members in order, each byte once.  data must still be there; dst has room
 * for len bytes, apart from it.  Returns the end, dst + len.
 */
unsigned char *og_json_order_copy(unsigned char *dst,
    const og_json_order_t *order);


#endif /* OG_JSON_ORDER_H_INCLUDED_ */
