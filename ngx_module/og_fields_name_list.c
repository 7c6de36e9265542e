
/*
 * Copyright (C) order guard contributors
 *
 * Names of forms at work, for allow: they are taken in one way, that of most
 * binders, and not at all where that is not sure.
 */


#include <string.h>

#include "og_fields_set.h"


/* A part of a name, and where the next one begins; NULL: malformed. */
typedef struct {
    const unsigned char  *data;
    size_t                len;
    int                   in_brackets;
    const unsigned char  *next;
} og_part_t;


/* A name that is being read. */
typedef struct {
    og_part_t             part;
    int                   left_out;   /* something was that may be */
} og_reading_t;


static int og_reading_next(og_reading_t *reading, const unsigned char *name,
    const unsigned char *last, const og_place_t *at);
static int og_part_is_element(const og_part_t *part);
static og_part_t og_part_next(const unsigned char *p,
    const unsigned char *first, const unsigned char *last);
static int og_fields_list_part(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_part_t *part, size_t start,
    og_place_t *at);
static void og_fields_list_text(const og_fields_t *fields,
    og_fields_walk_t *walk, const unsigned char *name, size_t len,
    og_place_t *place);


int
og_fields_list_field(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *root, const unsigned char *name, size_t len,
    og_place_t *place)
{
    int                   open;
    og_place_t            at;
    og_reading_t          reading;
    const unsigned char  *last;

    place->end = place->allow;
    place->listing = root->listing;

    if (root->listing == OG_LISTED_WITH_ALL) {
        return 0;
    }

    open = 0;
    at = *root;
    at.listing = (len > 0) ? root->listing : OG_LISTED_NOT;

    memset(&reading, 0, sizeof(og_reading_t));
    reading.part.next = name;
    last = name + len;

    while (reading.part.next < last && at.listing != OG_LISTED_NOT) {

        if (og_reading_next(&reading, name, last, &at) != 0) {
            at.listing = OG_LISTED_NOT;
            break;
        }

        open |= og_fields_list_part(fields, walk, &reading.part, place->allow,
                                    &at);
    }

    place->listing = at.listing;

    if (at.listing != OG_LISTED_NOT) {
        place->end = at.end;
        place->marks |= at.marks;
    }

    og_fields_list_text(fields, walk, name, len, place);

    return open;
}


/*
 * Takes the next part, which leads on from the place at.  Not 0 where the
 * name is not well-formed, or may be read as another one: what stands behind
 * a bracket is left out by PHP with all that follows, by qs with what is in
 * front of the next bracket; and a dot in brackets parts names to qs.  That
 * matters unless all is listed there, or it is in an element of an array.
 */
static int
og_reading_next(og_reading_t *reading, const unsigned char *name,
    const unsigned char *last, const og_place_t *at)
{
    int        all, was_element, was_in_brackets;
    og_part_t  *part;

    part = &reading->part;
    was_in_brackets = part->in_brackets;
    was_element = og_part_is_element(part);

    *part = og_part_next(part->next, name, last);

    if (part->next == NULL) {
        return -1;
    }

    all = at->listing == OG_LISTED_WITH_ALL
          || (at->marks & OG_MARK_ALL_BELOW) != 0;

    if (!part->in_brackets) {
        reading->left_out |= (was_in_brackets && !all);

        return was_in_brackets && !was_element
               && at->listing != OG_LISTED_WITH_ALL;
    }

    if (og_part_is_element(part)) {
        return 0;
    }

    return reading->left_out
           || (!all && memchr(part->data, '.', part->len) != NULL);
}


/* Whether it is an element of an array: "[0]", "[]". */
static int
og_part_is_element(const og_part_t *part)
{
    return part->in_brackets
           && (part->len == 0 || og_name_is_index(part->data, part->len));
}


/*
 * Takes the next part of a name that is well-formed: "a", ".a", "[a]" or
 * "[]", and "a" behind a bracket.  next is NULL where there is none.
 */
static og_part_t
og_part_next(const unsigned char *p, const unsigned char *first,
    const unsigned char *last)
{
    og_part_t  part;

    part.next = NULL;
    part.in_brackets = (*p == '[' && p > first);

    if (part.in_brackets || (*p == '.' && p > first)) {
        p++;
    }

    part.data = p;

    while (p < last && *p != '[' && *p != ']'
           && (*p != '.' || part.in_brackets))
    {
        p++;
    }

    part.len = (size_t) (p - part.data);

    if (part.in_brackets) {

        if (p < last && *p == ']') {
            part.next = p + 1;
        }

    } else if (part.len > 0) {
        part.next = p;
    }

    return part;
}


/*
 * Moves on to what a part leads to, whose states stand at start.  Returns 1
 * where it is open which element is meant.
 */
static int
og_fields_list_part(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_part_t *part, size_t start, og_place_t *at)
{
    int         open;
    og_name_t   name;
    og_place_t  next;

    open = part->len == 0
           && og_fields_are_indexed(&fields->allow, walk->states, at->allow,
                                   at->end);

    name = og_name(part->data, part->len);
    next = og_fields_unknown((at->end > start) ? at->end : start);

    og_fields_list(fields, walk, at, (part->len > 0) ? &name : NULL, &next);

    if (og_part_is_element(part)) {
        og_fields_list_element(at, &next);
    }

    memmove(walk->states + start, walk->states + next.allow,
            (next.end - next.allow) * sizeof(uint32_t));

    *at = next;
    at->allow = start;
    at->end = start + (next.end - next.allow);

    return open;
}


/* Adds what a rule with the text of the whole name says. */
static void
og_fields_list_text(const og_fields_t *fields, og_fields_walk_t *walk,
    const unsigned char *name, size_t len, og_place_t *place)
{
    size_t        i;
    uint32_t      node;
    unsigned      marks;
    og_name_t     text;
    og_listing_e  listing;

    text = og_name(name, len);
    node = og_trie_find(&fields->allow, OG_TRIE_ROOT, &text);

    if (node == OG_TRIE_NONE) {
        return;
    }

    for (i = place->allow; i < place->end; i++) {

        if (walk->states[i] == node) {
            return;
        }
    }

    marks = fields->allow.nodes[node].marks;
    listing = (marks & OG_MARK_LISTED) ? OG_LISTED_ITSELF
                                       : OG_LISTED_ON_THE_WAY;

    walk->states[place->end++] = node;
    place->marks |= marks;

    if (place->listing < listing) {
        place->listing = listing;
    }
}
