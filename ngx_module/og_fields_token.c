
/*
 * Copyright (C) order guard contributors
 *
 * Rules at work on what is neither a document nor a form: tokens of a JSON
 * Patch, documents within others, and values that cannot be seen.
 */


#include <string.h>

#include "og_fields_set.h"


int
og_fields_token(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const unsigned char *token, size_t len,
    og_place_t *place)
{
    int        is_last;
    og_name_t  name;

    if (og_fields_reserve(fields, walk, parent, len + 1) != 0) {
        return -1;
    }

    is_last = (len == 1 && token[0] == '-');
    name = og_name(token, len);

    og_fields_deny_member(fields, walk, parent, &name, place);
    og_fields_deny_index(fields, walk, parent, token, len, place);

    place->marks |= parent->marks & OG_MARK_TAKEN;

    /* an element that is not there yet is listed as any is */

    og_fields_list(fields, walk, parent, is_last ? NULL : &name, place);

    if (is_last || og_name_is_index(token, len)) {
        og_fields_list_element(parent, place);
    }

    if (parent->own != OG_TRIE_NONE) {
        place->own = og_trie_find(&fields->own, parent->own, &name);
    }

    if (!is_last && !og_name_is_signed(token, len)) {
        return 0;
    }

    return og_fields_are_indexed(&fields->deny, walk->states, parent->deny,
                                parent->allow)
           || og_fields_are_indexed(&fields->allow, walk->states,
                                   parent->allow, parent->end);
}


int
og_fields_add_root(const og_fields_t *fields, og_fields_walk_t *walk,
    og_place_t *place)
{
    const og_trie_node_t  *root;

    root = &fields->deny.nodes[OG_TRIE_ROOT];

    if (root->nedges == 0 && root->any == OG_TRIE_NONE) {
        return 0;
    }

    if (og_fields_reserve(fields, walk, place, 0) != 0) {
        return -1;
    }

    memmove(walk->states + place->allow + 1, walk->states + place->allow,
            (place->end - place->allow) * sizeof(uint32_t));

    walk->states[place->allow] = OG_TRIE_ROOT;

    place->allow++;
    place->end++;
    place->marks |= root->marks;

    return 0;
}


og_field_verdict_e
og_fields_judge_unseen(const og_fields_t *fields,
    const og_fields_walk_t *walk, const og_place_t *place)
{
    size_t    i;
    unsigned  may;

    may = place->marks | fields->deny.nodes[OG_FIELDS_ANYWHERE].below;

    for (i = place->deny; i < place->allow; i++) {
        may |= fields->deny.nodes[walk->states[i]].below;
    }

    if (may & OG_MARK_TAKEN) {
        return (may & OG_MARK_REJECT) ? OG_FIELD_REJECTED : OG_FIELD_STRIPPED;
    }

    if (place->listing == OG_LISTED_WITH_ALL
        || (place->listing == OG_LISTED_ITSELF
            && (place->marks & OG_MARK_ALL_BELOW)))
    {
        return OG_FIELD_PASSES;
    }

    return OG_FIELD_UNLISTED;
}
