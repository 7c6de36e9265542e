
/*
 * Copyright (C) order guard contributors
 *
 * Rules at work: a step per member or element of a document.
 */


#include <stdlib.h>
#include <string.h>

#include "og_fields_set.h"
#include "og_grow.h"


static void og_fields_deny_member(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_place_t *parent, const og_name_t *name,
    og_place_t *place);
static void og_fields_deny_other(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_place_t *parent, const og_name_t *name,
    og_place_t *place);
static void og_fields_deny_path(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_place_t *parent, size_t len,
    og_place_t *place);
static unsigned og_fields_deny_anywhere(const og_fields_t *fields,
    const og_name_t *name);
static void og_fields_unite(uint32_t *states, og_place_t *place, size_t from,
    size_t to);
static void og_fields_list(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_place_t *parent, const og_name_t *name,
    og_place_t *place);
static size_t og_fields_step(const og_trie_t *trie, uint32_t *states,
    size_t from, size_t to, size_t out, const og_name_t *name,
    unsigned *marks);
static og_name_t og_fields_index_name(const og_fields_t *fields,
    unsigned char *text, size_t room, size_t index);


og_name_t
og_fields_name(const og_fields_t *fields, const unsigned char *data,
    size_t len, size_t room)
{
    og_name_t  name;

    name.data = data;
    name.len = len;
    name.sketch = og_sketch(&fields->fold.sketch, data, len, room);

    return name;
}


void
og_fields_walk_trim(og_fields_walk_t *walk)
{
    if (og_grow_is_large(walk->states_alloc, sizeof(uint32_t))) {
        free(walk->states);
        walk->states = NULL;
        walk->states_alloc = 0;
    }

    if (og_grow_is_large(walk->folded_alloc, 1)) {
        free(walk->folded);
        walk->folded = NULL;
        walk->folded_alloc = 0;
    }
}


void
og_fields_walk_done(og_fields_walk_t *walk)
{
    free(walk->states);
    free(walk->folded);
    memset(walk, 0, sizeof(og_fields_walk_t));
}


const og_sketch_key_t *
og_fields_sketch_key(const og_fields_t *fields)
{
    return &fields->fold.sketch;
}


og_filter_t
og_fields_filter(const og_fields_t *fields)
{
    return fields->filter;
}


int
og_fields_root(const og_fields_t *fields, og_fields_walk_t *walk,
    og_place_t *root)
{
    const og_trie_node_t  *node;

    memset(root, 0, sizeof(og_place_t));
    root->listing = OG_LISTED_WITH_ALL;

    if (og_fields_reserve(fields, walk, root, 0) != 0) {
        return -1;
    }

    node = &fields->deny.nodes[OG_TRIE_ROOT];

    if (node->nedges > 0 || node->any != OG_TRIE_NONE) {
        walk->states[root->end++] = OG_TRIE_ROOT;
    }

    root->allow = root->end;
    root->marks = node->marks;

    if (fields->nallowed > 0) {
        walk->states[root->end++] = OG_TRIE_ROOT;
        root->listing = OG_LISTED_ON_THE_WAY;
        root->marks |= fields->allow.nodes[OG_TRIE_ROOT].marks;
    }

    return 0;
}


int
og_fields_reserve(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, size_t name_len)
{
    void    *grown;
    size_t   need;

    need = parent->end + fields->step;

    if (need > walk->states_alloc) {
        grown = og_grow(walk->states, &walk->states_alloc, need,
                        sizeof(uint32_t));
        if (grown == NULL) {
            return -1;
        }

        walk->states = grown;
    }

    if (name_len > walk->folded_alloc) {
        grown = og_grow(walk->folded, &walk->folded_alloc, name_len, 1);
        if (grown == NULL) {
            return -1;
        }

        walk->folded = grown;
    }

    return 0;
}


int
og_fields_member(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *name, og_place_t *place)
{
    if (parent->end + fields->step > walk->states_alloc
        || name->len > walk->folded_alloc)
    {
        if (og_fields_reserve(fields, walk, parent, name->len) != 0) {
            return -1;
        }
    }

    if (name->sketch.odd || og_filter_has(&fields->filter, name->sketch)) {
        og_fields_deny_member(fields, walk, parent, name, place);

    } else {
        og_fields_deny_other(fields, walk, parent, NULL, place);
    }

    og_fields_list(fields, walk, parent, name, place);

    return 0;
}


int
og_fields_element(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, size_t index, og_place_t *place)
{
    og_name_t         name;
    unsigned char     text[20];
    const og_name_t  *asked;

    if (og_fields_reserve(fields, walk, parent, 0) != 0) {
        return -1;
    }

    asked = NULL;

    if (!og_fields_elements_are_alike(fields, walk, parent)) {
        name = og_fields_index_name(fields, text, sizeof(text), index);
        asked = &name;
    }

    og_fields_deny_other(fields, walk, parent, asked, place);
    og_fields_list(fields, walk, parent, asked, place);

    if (place->listing < OG_LISTED_ITSELF
        && parent->listing == OG_LISTED_ITSELF)
    {
        place->listing = OG_LISTED_ITSELF;
    }

    return 0;
}


/* Finds what strip and reject say of a member. */
static void
og_fields_deny_member(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *name, og_place_t *place)
{
    og_name_t    key;
    og_folded_t  folded;

    key.data = walk->folded;
    key.sketch = name->sketch;
    folded.is_path = 0;

    if (name->sketch.odd) {
        folded = og_fold(&fields->fold, walk->folded, name->data, name->len);
        key = og_fields_name(fields, key.data, folded.len, folded.len);

    } else {
        key.len = og_fold_plain(&fields->fold, walk->folded, name->data,
                                name->len);
    }

    place->marks = og_fields_deny_anywhere(fields, &key);
    place->deny = parent->end;
    place->allow = og_fields_step(&fields->deny, walk->states, parent->deny,
                                  parent->allow, place->deny, &key,
                                  &place->marks);

    if (folded.is_path) {
        og_fields_deny_path(fields, walk, parent, key.len, place);
    }
}


/* The same for what no bare name matches: an index, or any name (NULL). */
static void
og_fields_deny_other(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *name, og_place_t *place)
{
    place->marks = 0;
    place->deny = parent->end;
    place->allow = parent->end;

    if (parent->deny < parent->allow) {
        place->allow = og_fields_step(&fields->deny, walk->states,
                                      parent->deny, parent->allow,
                                      place->deny, name, &place->marks);
    }
}


/*
 * Takes the folded name as a path and adds what it leads to.  Parts are what
 * stands between ".", "[" and "]", so that "a[b]", "a.b" and "[a][b]" are
 * one path.
 */
static void
og_fields_deny_path(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, size_t len, og_place_t *place)
{
    size_t                at, end, out;
    og_name_t             part;
    const unsigned char  *p, *last;

    at = place->allow;
    end = at + (parent->allow - parent->deny);

    memcpy(walk->states + at, walk->states + parent->deny,
           (end - at) * sizeof(uint32_t));

    last = walk->folded + len;

    for (p = walk->folded; p < last; p++) {
        part.data = p;

        while (p < last && *p != '.' && *p != '[' && *p != ']') {
            p++;
        }

        if (p == part.data) {
            continue;
        }

        part = og_fields_name(fields, part.data, (size_t) (p - part.data),
                              (size_t) (last - part.data));
        place->marks |= og_fields_deny_anywhere(fields, &part);

        out = og_fields_step(&fields->deny, walk->states, at, end, end, &part,
                             &place->marks);

        memmove(walk->states + at, walk->states + end,
                (out - end) * sizeof(uint32_t));
        end = at + (out - end);
    }

    og_fields_unite(walk->states, place, at, end);
}


static unsigned
og_fields_deny_anywhere(const og_fields_t *fields, const og_name_t *name)
{
    uint32_t  node;

    node = og_trie_find(&fields->deny, OG_FIELDS_ANYWHERE, name);

    return fields->deny.nodes[node].marks;
}


/*
 * Adds the states [from, to), which lie behind those of place, to them.  A
 * set has no state twice, so that it cannot outgrow the tree.
 */
static void
og_fields_unite(uint32_t *states, og_place_t *place, size_t from, size_t to)
{
    size_t  i, known;

    known = place->allow;

    for ( /* void */ ; from < to; from++) {

        for (i = place->deny; i < known && states[i] != states[from]; i++) {
            /* void */
        }

        if (i == known) {
            states[place->allow++] = states[from];
        }
    }
}


/* Finds what allow says of a place whose strip and reject are known. */
static void
og_fields_list(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *name, og_place_t *place)
{
    unsigned  marks;

    place->end = place->allow;
    place->listing = OG_LISTED_WITH_ALL;

    if (parent->listing == OG_LISTED_WITH_ALL
        || (parent->marks & OG_MARK_ALL_BELOW))
    {
        return;
    }

    marks = 0;
    place->end = og_fields_step(&fields->allow, walk->states, parent->allow,
                                parent->end, place->allow, name, &marks);

    place->marks |= marks;
    place->listing = (marks & OG_MARK_LISTED) ? OG_LISTED_ITSELF
                     : (place->end > place->allow) ? OG_LISTED_ON_THE_WAY
                     : OG_LISTED_NOT;
}


/*
 * Writes where the states [from, to) lead with that name (NULL: one that no
 * rule spells out) from out on, and returns the end.
 */
static size_t
og_fields_step(const og_trie_t *trie, uint32_t *states, size_t from,
    size_t to, size_t out, const og_name_t *name, unsigned *marks)
{
    uint32_t               child;
    const og_trie_node_t  *node;

    for ( /* void */ ; from < to; from++) {
        node = &trie->nodes[states[from]];

        if (node->any != OG_TRIE_NONE) {
            *marks |= trie->nodes[node->any].marks;
            states[out++] = node->any;
        }

        if (node->nedges == 0 || name == NULL) {
            continue;
        }

        child = og_trie_find(trie, states[from], name);

        if (child != OG_TRIE_NONE) {
            *marks |= trie->nodes[child].marks;
            states[out++] = child;
        }
    }

    return out;
}


int
og_fields_elements_are_alike(const og_fields_t *fields,
    const og_fields_walk_t *walk, const og_place_t *array)
{
    size_t  i;

    for (i = array->deny; i < array->allow; i++) {

        if (fields->deny.nodes[walk->states[i]].nedges > 0) {
            return 0;
        }
    }

    for (i = array->allow; i < array->end; i++) {

        if (fields->allow.nodes[walk->states[i]].nedges > 0) {
            return 0;
        }
    }

    return 1;
}


static og_name_t
og_fields_index_name(const og_fields_t *fields, unsigned char *text,
    size_t room, size_t index)
{
    unsigned char  *p;

    p = text + room;

    do {
        *--p = (unsigned char) ('0' + index % 10);
        index /= 10;
    } while (index > 0);

    return og_fields_name(fields, p, (size_t) (text + room - p),
                          (size_t) (text + room - p));
}


og_field_verdict_e
og_fields_judge(const og_place_t *place, int nested)
{
    if (place->marks & (OG_MARK_REJECT|OG_MARK_STRIP)) {
        return (place->marks & OG_MARK_REJECT) ? OG_FIELD_REJECTED
                                               : OG_FIELD_STRIPPED;
    }

    if (place->listing == OG_LISTED_NOT
        || (place->listing == OG_LISTED_ON_THE_WAY && !nested))
    {
        return OG_FIELD_UNLISTED;
    }

    return OG_FIELD_PASSES;
}


int
og_fields_denies(const og_fields_t *fields, og_fields_walk_t *walk,
    og_place_t *place, og_token_e token, const og_name_t *name)
{
    size_t      i;
    og_place_t  next;

    if (og_fields_reserve(fields, walk, place, name->len) != 0) {
        return -1;
    }

    for (i = 0; i < name->len; i++) {

        if (name->data[i] < '0' || name->data[i] > '9') {
            break;
        }
    }

    if (token == OG_TOKEN_NAME && i < name->len) {
        og_fields_deny_member(fields, walk, place, name, &next);

    } else {
        og_fields_deny_other(fields, walk, place,
                             (token == OG_TOKEN_NAME) ? name : NULL, &next);
    }

    next.end = next.allow;
    next.listing = OG_LISTED_NOT;
    *place = next;

    return (next.marks & (OG_MARK_STRIP|OG_MARK_REJECT)) != 0;
}
