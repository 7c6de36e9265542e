
/*
 * Copyright (C) order guard contributors
 *
 * Private to the scanners of bodies.
 */


#ifndef OG_FAULT_H_INCLUDED_
#define OG_FAULT_H_INCLUDED_


#include <stddef.h>


/* What is wrong, and with which byte; message is static. */
typedef struct {
    const char           *message;
    const unsigned char  *at;
} og_fault_t;


/* Returns NULL, as what found the fault does. */
static inline const unsigned char *
og_fault(og_fault_t *fault, const unsigned char *at, const char *message)
{
    fault->message = message;
    fault->at = at;

    return NULL;
}


#endif /* OG_FAULT_H_INCLUDED_ */
