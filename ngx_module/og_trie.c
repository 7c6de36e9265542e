
/*
 * Copyright (C) order guard contributors
 */


#include <stdlib.h>
#include <string.h>

#include "og_grow.h"
#include "og_trie.h"


static uint32_t og_trie_add_edge(og_trie_t *trie, uint32_t parent,
    const og_name_t *name);
static int og_trie_widen(og_trie_t *trie);
static og_trie_edge_t *og_trie_free_slot(const og_trie_t *trie, uint32_t parent,
    const og_name_t *name);


#define OG_TRIE_FIRST_SLOTS  64


int
og_trie_init(og_trie_t *trie)
{
    memset(trie, 0, sizeof(og_trie_t));

    trie->edges = calloc(OG_TRIE_FIRST_SLOTS, sizeof(og_trie_edge_t));
    if (trie->edges == NULL) {
        return -1;
    }

    trie->mask = OG_TRIE_FIRST_SLOTS - 1;

    /* node 0 means none */

    (void) og_trie_add_node(trie);

    return (og_trie_add_node(trie) == OG_TRIE_ROOT) ? 0 : -1;
}


void
og_trie_done(og_trie_t *trie)
{
    size_t  i;

    for (i = 0; trie->edges != NULL && i <= trie->mask; i++) {
        free((void *) (uintptr_t) trie->edges[i].name.data);
    }

    free(trie->edges);
    free(trie->nodes);
    memset(trie, 0, sizeof(og_trie_t));
}


uint32_t
og_trie_add_node(og_trie_t *trie)
{
    og_trie_node_t  *nodes;

    if (trie->nnodes == trie->nodes_alloc) {

        if (trie->nnodes >= UINT32_MAX / 2) {
            return OG_TRIE_NONE;
        }

        nodes = og_grow(trie->nodes, &trie->nodes_alloc, trie->nnodes + 1,
                        sizeof(og_trie_node_t));
        if (nodes == NULL) {
            return OG_TRIE_NONE;
        }

        trie->nodes = nodes;
    }

    memset(&trie->nodes[trie->nnodes], 0, sizeof(og_trie_node_t));

    return (uint32_t) trie->nnodes++;
}


uint32_t
og_trie_add(og_trie_t *trie, uint32_t parent, const og_name_t *name)
{
    uint32_t  child;

    child = (name == NULL) ? trie->nodes[parent].any
                           : og_trie_find(trie, parent, name);

    if (child != OG_TRIE_NONE) {
        return child;
    }

    if (name != NULL) {
        return og_trie_add_edge(trie, parent, name);
    }

    child = og_trie_add_node(trie);
    trie->nodes[parent].any = child;

    return child;
}


static uint32_t
og_trie_add_edge(og_trie_t *trie, uint32_t parent, const og_name_t *name)
{
    uint32_t         child;
    unsigned char   *copy;
    og_trie_edge_t  *edge;

    if (trie->nedges >= trie->mask / 4 && og_trie_widen(trie) != 0) {
        return OG_TRIE_NONE;
    }

    copy = malloc(name->len + 1);
    if (copy == NULL) {
        return OG_TRIE_NONE;
    }

    memcpy(copy, name->data, name->len);

    child = og_trie_add_node(trie);
    if (child == OG_TRIE_NONE) {
        free(copy);
        return OG_TRIE_NONE;
    }

    edge = og_trie_free_slot(trie, parent, name);

    edge->name = *name;
    edge->name.data = copy;
    edge->parent = parent;
    edge->child = child;

    trie->nedges++;
    trie->nodes[parent].nedges++;

    return child;
}


static int
og_trie_widen(og_trie_t *trie)
{
    size_t           i, slots;
    og_trie_edge_t  *narrow, *wide;

    slots = (size_t) trie->mask + 1;

    if (slots > UINT32_MAX / 4) {
        return -1;
    }

    wide = calloc(slots * 2, sizeof(og_trie_edge_t));
    if (wide == NULL) {
        return -1;
    }

    narrow = trie->edges;
    trie->edges = wide;
    trie->mask = (uint32_t) (slots * 2 - 1);

    for (i = 0; i < slots; i++) {

        if (narrow[i].child != OG_TRIE_NONE) {
            *og_trie_free_slot(trie, narrow[i].parent, &narrow[i].name) =
                                                                  narrow[i];
        }
    }

    free(narrow);

    return 0;
}


/* The free slot for a new edge. */
static og_trie_edge_t *
og_trie_free_slot(const og_trie_t *trie, uint32_t parent,
    const og_name_t *name)
{
    uint32_t  i;

    i = og_trie_first_slot(parent, name);

    while (trie->edges[i & trie->mask].child != OG_TRIE_NONE) {
        i++;
    }

    return &trie->edges[i & trie->mask];
}
