
/*
 * Copyright (C) order guard contributors
 *
 * Rules at work: a step per member or element of a document.
 */


#include <stdlib.h>
#include <string.h>

#include "og_fields_set.h"
#include "og_grow.h"


static const og_trie_node_t *og_fields_bare(const og_fields_t *fields,
    const og_name_t *key);
static int og_fields_is_stray(const og_fields_t *fields,
    const og_fields_walk_t *walk, const og_place_t *place);
static size_t og_fields_home(const og_fields_t *fields,
    const og_place_t *parent, const og_name_t *name);
static void og_fields_deny_path(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_place_t *parent, const og_name_t *key,
    const unsigned char *bytes, og_place_t *place, int empty_too);
static int og_fields_is_step(const unsigned char *name,
    const unsigned char *p, const unsigned char *last);
static const unsigned char *og_fields_skip_part(const unsigned char *p,
    const unsigned char *last, const unsigned char *bytes);
static size_t og_fields_step(const og_trie_t *trie, uint32_t *states,
    size_t from, size_t to, size_t out, const og_name_t *name,
    unsigned *marks);
static og_name_t og_fields_index_name(unsigned char *text, size_t room,
    size_t index);


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


uint64_t
og_fields_id(const og_fields_t *fields)
{
    return fields->id;
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
    root->root = 1;
    root->own = (fields->nset > 0) ? OG_TRIE_ROOT : OG_TRIE_NONE;

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

    if (parent->own != OG_TRIE_NONE) {
        place->own = og_trie_find(&fields->own, parent->own, name);

        if (place->own == OG_TRIE_NONE
            && og_fields_is_stray(fields, walk, place))
        {
            place->marks |= OG_MARK_STRAY;
        }
    }

    return 0;
}


/*
 * Whether a member is, in another spelling, what the gateway writes in: some
 * upstreams would take it in place of that.
 */
static int
og_fields_is_stray(const og_fields_t *fields, const og_fields_walk_t *walk,
    const og_place_t *place)
{
    size_t  i;

    if ((place->marks & OG_MARK_TAKEN) || place->listing == OG_LISTED_NOT) {
        return 0;
    }

    for (i = place->deny; i < place->allow; i++) {

        if (fields->deny.nodes[walk->states[i]].below & OG_MARK_SET) {
            return 1;
        }
    }

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
        name = og_fields_index_name(text, sizeof(text), index);
        asked = &name;
    }

    og_fields_deny_other(fields, walk, parent, asked, place);
    og_fields_list(fields, walk, parent, asked, place);

    og_fields_list_element(parent, place);

    if (parent->own != OG_TRIE_NONE && asked != NULL) {
        place->own = og_trie_find(&fields->own, parent->own, asked);
    }

    return 0;
}


void
og_fields_deny_member(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *name, og_place_t *place)
{
    og_name_t              key;
    og_folded_t            folded;
    const og_trie_node_t  *bare;

    key.data = walk->folded;
    key.sketch = name->sketch;
    folded.is_path = 0;

    if (name->sketch.odd) {
        folded = og_fold(&fields->fold, walk->folded, name->data, name->len);
        key = og_name(key.data, folded.len);

    } else {
        key.len = og_fold_plain(&fields->fold, walk->folded, name->data,
                                name->len);
    }

    bare = og_fields_bare(fields, &key);

    place->root = 0;
    place->own = OG_TRIE_NONE;
    place->home = 0;
    place->marks = bare->marks;
    place->deny = parent->end;
    place->allow = og_fields_step(&fields->deny, walk->states, parent->deny,
                                  parent->allow, place->deny, &key,
                                  &place->marks);

    if (place->marks & OG_MARK_SET) {
        place->home = og_fields_home(fields, parent, &key);
    }

    if (folded.is_path) {
        og_fields_deny_paths(fields, walk, parent, &key, fields->json_path,
                             place);
    }
}


void
og_fields_deny_other(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *name, og_place_t *place)
{
    place->root = 0;
    place->own = OG_TRIE_NONE;
    place->home = 0;
    place->marks = 0;
    place->deny = parent->end;
    place->allow = parent->end;

    if (parent->deny == parent->allow) {
        return;
    }

    place->allow = og_fields_step(&fields->deny, walk->states, parent->deny,
                                  parent->allow, place->deny, name,
                                  &place->marks);

    if (place->marks & OG_MARK_SET) {
        place->home = og_fields_home(fields, parent, name);
    }
}


/* Which set rule's own place that is; name is folded, or an index. */
static size_t
og_fields_home(const og_fields_t *fields, const og_place_t *parent,
    const og_name_t *name)
{
    uint32_t  node;

    if (parent->own == OG_TRIE_NONE || name == NULL) {
        return 0;
    }

    node = og_trie_find(&fields->own, parent->own, name);

    return fields->own.nodes[node].number;
}


void
og_fields_deny_also(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *key, og_place_t *place)
{
    size_t                 end;
    const og_trie_node_t  *bare;

    bare = og_fields_bare(fields, key);
    place->marks |= bare->marks;

    end = og_fields_step(&fields->deny, walk->states, parent->deny,
                         parent->allow, place->allow, key, &place->marks);

    if (place->home == 0) {
        place->home = (parent->root && bare->number != 0)
                      ? bare->number
                      : og_fields_find_home(fields, walk, place->allow, end);
    }

    og_fields_unite(walk->states, place, place->allow, end);
}


void
og_fields_deny_paths(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *key,
    const unsigned char *bytes, og_place_t *place)
{
    size_t                i;
    const unsigned char  *p, *last;

    og_fields_deny_path(fields, walk, parent, key, bytes, place, 0);

    last = key->data + key->len;

    for (p = key->data; p < last; p++) {

        if (og_fields_is_step(key->data, p, last)) {
            og_fields_deny_path(fields, walk, parent, key, bytes, place, 1);
            break;
        }
    }

    for (i = 0; i < key->len; i++) {

        if (bytes[key->data[i]] != fields->narrow_path[key->data[i]]) {
            og_fields_deny_path(fields, walk, parent, key,
                                fields->narrow_path, place, 0);
            break;
        }
    }
}


/*
 * Takes the name apart by the table bytes.  An empty part is left out, or, in
 * "[]" and "..", is an element or a member of whatever name.
 */
static void
og_fields_deny_path(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *key,
    const unsigned char *bytes, og_place_t *place, int empty_too)
{
    size_t                at, end, out, nparts;
    og_name_t             part;
    const unsigned char  *p, *last;

    nparts = 0;
    at = place->allow;
    end = at + (parent->allow - parent->deny);

    memcpy(walk->states + at, walk->states + parent->deny,
           (end - at) * sizeof(uint32_t));

    last = key->data + key->len;

    for (p = key->data; p < last; p++) {
        part.data = p;

        while (p < last && bytes[*p] == OG_PATH_GOES_ON) {
            p++;
        }

        part.len = (size_t) (p - part.data);

        if (part.len > 0 && p < last && p[0] == '>' && p[-1] == '-') {
            part.len--;
        }

        if (part.len == 0
            && !(empty_too && og_fields_is_step(key->data, p, last)))
        {
            p = og_fields_skip_part(p, last, bytes);
            continue;
        }

        p = og_fields_skip_part(p, last, bytes);

        part = og_name(part.data, part.len);

        if (part.len > 0) {
            place->marks |= og_fields_bare(fields, &part)->marks;
        }

        out = og_fields_step(&fields->deny, walk->states, at, end, end,
                             (part.len > 0) ? &part : NULL, &place->marks);

        memmove(walk->states + at, walk->states + end,
                (out - end) * sizeof(uint32_t));
        end = at + (out - end);
        nparts++;
    }

    /* "." leads nowhere */

    if (nparts > 0) {
        og_fields_unite(walk->states, place, at, end);
    }
}


/* Whether p, at the end of an empty part, is in the middle of "[]" or "..". */
static int
og_fields_is_step(const unsigned char *name, const unsigned char *p,
    const unsigned char *last)
{
    if (p == name || p == last) {
        return 0;
    }

    return (p[-1] == '[') ? *p == ']' : p[-1] == *p;
}


/* To the next break. */
static const unsigned char *
og_fields_skip_part(const unsigned char *p, const unsigned char *last,
    const unsigned char *bytes)
{
    while (p < last && bytes[*p] != OG_PATH_BREAKS) {
        p++;
    }

    return p;
}


/* The node of a bare name. */
static const og_trie_node_t *
og_fields_bare(const og_fields_t *fields, const og_name_t *key)
{
    return &fields->deny.nodes[og_trie_find(&fields->deny, OG_FIELDS_ANYWHERE,
                                            key)];
}


void
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


size_t
og_fields_find_home(const og_fields_t *fields, const og_fields_walk_t *walk,
    size_t from, size_t to)
{
    uint32_t  number;

    for ( /* void */ ; from < to; from++) {
        number = fields->deny.nodes[walk->states[from]].number;

        if (number != 0) {
            return number;
        }
    }

    return 0;
}


void
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
    return !og_fields_are_indexed(&fields->deny, walk->states, array->deny,
                                  array->allow)
           && !og_fields_are_indexed(&fields->allow, walk->states,
                                     array->allow, array->end);
}


static og_name_t
og_fields_index_name(unsigned char *text, size_t room, size_t index)
{
    unsigned char  *p;

    p = text + room;

    do {
        *--p = (unsigned char) ('0' + index % 10);
        index /= 10;
    } while (index > 0);

    return og_name(p, (size_t) (text + room - p));
}


int
og_fields_keep_place(const og_fields_walk_t *walk, const og_place_t *place,
    og_kept_place_t *kept)
{
    size_t  n;

    n = place->end - place->deny;

    if (n > OG_KEPT_STATES) {
        return -1;
    }

    kept->place = *place;

    if (n > 0) {
        memcpy(kept->states, walk->states + place->deny,
               n * sizeof(uint32_t));
    }

    return 0;
}


int
og_fields_restore_place(og_fields_walk_t *walk, const og_kept_place_t *kept,
    og_place_t *place)
{
    size_t  i, n;

    if (kept->place.end > walk->states_alloc) {
        return -1;
    }

    *place = kept->place;
    n = place->end - place->deny;

    for (i = 0; i < n; i++) {
        walk->states[place->deny + i] = kept->states[i];
    }

    return 0;
}


og_field_verdict_e
og_fields_judge(const og_place_t *place, int nested)
{
    if (place->marks & OG_MARK_TAKEN) {
        return (place->marks & OG_MARK_REJECT) ? OG_FIELD_REJECTED
                                               : OG_FIELD_STRIPPED;
    }

    if (place->listing == OG_LISTED_NOT
        || (place->listing == OG_LISTED_ON_THE_WAY && !nested))
    {
        return OG_FIELD_UNLISTED;
    }

    return (place->marks & OG_MARK_STRAY) ? OG_FIELD_STRAY : OG_FIELD_PASSES;
}


int
og_fields_denies(const og_fields_t *fields, og_fields_walk_t *walk,
    og_place_t *place, og_token_e token, const og_name_t *name)
{
    og_place_t  next;

    if (og_fields_reserve(fields, walk, place, name->len) != 0) {
        return -1;
    }

    if (token == OG_TOKEN_NAME && !og_name_is_index(name->data, name->len)) {
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
