
/*
 * Copyright (C) order guard contributors
 *
 * Which of a cluster's hash slots a key is in, by the Redis Cluster
 * specification, "Key distribution model".  Pure: libc only.
 */


#ifndef OG_SLOT_H_INCLUDED_
#define OG_SLOT_H_INCLUDED_


#include <stddef.h>


#define OG_SLOTS  16384


/*
 * The slot of a key: of what stands between its first "{" and the next "}",
 * where that is anything, else of all of it.
 */
unsigned og_slot(const unsigned char *key, size_t len);


#endif /* OG_SLOT_H_INCLUDED_ */
