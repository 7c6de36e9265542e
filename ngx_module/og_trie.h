
/*
 * Copyright (C) order guard contributors
 *
 * Paths of names, as a tree whose nodes are small numbers.  The edges of the
 * whole tree stand in one hash table by the sketches of names, so that a
 * step costs one look-up however many paths there are.  Private to
 * og_fields.  Pure: libc only.
 */


#ifndef OG_TRIE_H_INCLUDED_
#define OG_TRIE_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "og_sketch.h"


#define OG_TRIE_NONE  0
#define OG_TRIE_ROOT  1


typedef struct {
    uint32_t              any;        /* child by any name, or NONE */
    uint32_t              nedges;     /* children by name */

    /* the user's */

    unsigned              marks;
    unsigned              below;      /* of marks, in the tree below */
    uint32_t              number;
} og_trie_node_t;


typedef struct {
    og_name_t             name;       /* data is the trie's own */
    uint32_t              parent;
    uint32_t              child;      /* NONE: the slot is free */
} og_trie_edge_t;


typedef struct {
    og_trie_node_t       *nodes;
    size_t                nnodes;
    size_t                nodes_alloc;

    og_trie_edge_t       *edges;      /* mask + 1 slots, a power of two */
    size_t                nedges;
    uint32_t              mask;
} og_trie_t;


/* Makes a tree of the root alone.  Returns -1 when memory is short. */
int og_trie_init(og_trie_t *trie);


/* Frees what is in the tree; one that was zeroed but not made is fine. */
void og_trie_done(og_trie_t *trie);


/* Adds a node that is nobody's child; OG_TRIE_NONE when memory is short. */
uint32_t og_trie_add_node(og_trie_t *trie);


/*
 * The child of that name, which is made where it is missing, and copies
 * name; a name of NULL stands for any.  OG_TRIE_NONE when memory is short.
 */
uint32_t og_trie_add(og_trie_t *trie, uint32_t parent, const og_name_t *name);


static inline int
og_name_equal(const og_name_t *a, const og_name_t *b)
{
    return a->sketch.word == b->sketch.word
           && a->len == b->len
           && memcmp(a->data, b->data, a->len) == 0;
}


/* Where the search for an edge begins. */
static inline uint32_t
og_trie_first_slot(uint32_t parent, const og_name_t *name)
{
    return name->sketch.word + parent * 0x9E3779B1;
}


/* The child whose name is equal, byte by byte, or OG_TRIE_NONE. */
static inline uint32_t
og_trie_find(const og_trie_t *trie, uint32_t parent, const og_name_t *name)
{
    uint32_t               i;
    const og_trie_edge_t  *edge;

    for (i = og_trie_first_slot(parent, name); /* void */ ; i++) {
        edge = &trie->edges[i & trie->mask];

        if (edge->child == OG_TRIE_NONE
            || (edge->parent == parent && og_name_equal(&edge->name, name)))
        {
            return edge->child;
        }
    }
}


#endif /* OG_TRIE_H_INCLUDED_ */
