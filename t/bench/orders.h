
/*
 * Copyright (C) order guard contributors
 *
 * Orders to scan, and the rules they meet.
 */


#ifndef ORDERS_H_INCLUDED_
#define ORDERS_H_INCLUDED_


#include <stddef.h>

#include "og_fields.h"


typedef enum {
    ORDERS_DENSE = 0,
    ORDERS_INDENTED,
    ORDERS_SHUFFLED           /* members in another order each time */
} orders_form_e;


typedef struct {
    unsigned char        *data;
    size_t                len;
} order_t;


/* Orders of one kind, which are scanned in turn. */
typedef struct {
    order_t              *elts;
    size_t                nelts;
    double                len;        /* on average */
} orders_t;


/*
 * Makes count orders of about size bytes.  Each item has one price that the
 * rules cut; some have a name that is not ASCII.  Ends the program when memory
 * is short, as all here does.
 */
orders_t orders_make(size_t count, size_t size, orders_form_e form);
void orders_free(orders_t *orders);


/* The rules of a careful shop first, then ever more names of no effect. */
og_fields_t *orders_strip(size_t count);


/* What the orders have, but for the price of an item. */
og_fields_t *orders_allow(void);


#endif /* ORDERS_H_INCLUDED_ */
