
/*
 * Copyright (C) order guard contributors
 *
 * Field rules: names and JSON Pointers, compiled once, matched per member.
 * Pure: libc only.
 */


#ifndef OG_FIELDS_H_INCLUDED_
#define OG_FIELDS_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "og_fold.h"
#include "og_sketch.h"


typedef enum {
    OG_FIELD_STRIP = 0,
    OG_FIELD_REJECT,
    OG_FIELD_ALLOW
} og_field_action_e;


typedef struct og_fields_s  og_fields_t;


/*
 * Creates an empty rule set; the match mode holds for strip and reject, allow
 * always compares exactly.  Returns NULL when memory is short.  The caller
 * owns the result and ends it with og_fields_free().
 */
og_fields_t *og_fields_create(og_match_e match);


/*
 * Adds one rule.  text is a member name, or, when it begins with "/", a JSON
 * Pointer (RFC 6901, with ~0 and ~1) in which a reference token "*" stands
 * for any member or index; in allow rules a last token "**" stands for all
 * below.  A bare name in strip and reject matches at any depth, in allow a
 * member of the root.  text is copied.
 *
 * What an allow rule passes:
 *   - the value at its place where that is a string, number, true, false or
 *     null; where it is an array, the array and such values in it (in arrays
 *     within it, too); where it is an object, the object without its members;
 *   - on the way there, objects and arrays, without what else is in them;
 *     another value there is unlisted (with "/item/sku", the 1 of
 *     {"item": 1});
 *   - with "**", all that is in the object or array in front of it, which may
 *     itself not be another value: to pass those too, name it once more
 *     without "**".
 *
 * Returns NULL, or a static sentence saying what is wrong with the rule: no
 * name, an empty reference token, "~" without 0 or 1, "**" elsewhere, a bare
 * "*", invalid UTF-8, NUL, or a name of nothing but ignored characters.
 */
const char *og_fields_add(og_fields_t *fields, og_field_action_e action,
    const char *text, size_t len);


/*
 * Prepares the set for matching; no rule may be added afterwards.  Returns
 * NULL, or a static sentence (no memory; two rules that contradict).
 */
const char *og_fields_compile(og_fields_t *fields);


/* Frees the set; NULL is fine. */
void og_fields_free(og_fields_t *fields);


/*
 * Matching: for og_json and og_form only.
 *
 * A pass walks down a document and knows for each object or array, as a
 * "place", at which rules' paths it stands.  A step down costs one look-up
 * for bare names and one for each path that leads on from here, however many
 * rules there are.
 */

typedef enum {
    OG_FIELD_PASSES = 0,
    OG_FIELD_STRIPPED,
    OG_FIELD_REJECTED,
    OG_FIELD_UNLISTED         /* there are allow rules, and none passes it */
} og_field_verdict_e;


typedef enum {
    OG_LISTED_NOT = 0,
    OG_LISTED_ON_THE_WAY,     /* passes if it is an object or array */
    OG_LISTED_ITSELF,
    OG_LISTED_WITH_ALL        /* and all that is in it */
} og_listing_e;


/*
 * States are nodes of the rules' paths, as slices of og_fields_walk_t:
 * [deny, allow) of strip and reject, [allow, end) of allow.
 */
typedef struct {
    size_t                deny;
    size_t                allow;
    size_t                end;
    og_listing_e          listing;
    unsigned              marks;      /* og_fields' own: what the rules say */
} og_place_t;


/* Scratch memory of a pass; zeroed by its owner before the first one. */
typedef struct {
    uint32_t             *states;
    size_t                states_alloc;
    unsigned char        *folded;
    size_t                folded_alloc;
} og_fields_walk_t;


/* Gives back what is too large to be kept for the next pass. */
void og_fields_walk_trim(og_fields_walk_t *walk);


/* Frees all. */
void og_fields_walk_done(og_fields_walk_t *walk);


/* The key for the sketches of names that are given to og_fields_member(). */
const og_sketch_key_t *og_fields_sketch_key(const og_fields_t *fields);


/* A copy of this is handed to og_fields_pass(). */
og_filter_t og_fields_filter(const og_fields_t *fields);


/* Makes the place of the root.  Returns -1 when memory is short. */
int og_fields_root(const og_fields_t *fields, og_fields_walk_t *walk,
    og_place_t *root);


/*
 * Whether a member passes at first glance, with all that its name says:
 * most do.  Where not, ask og_fields_member().  There is no place to be had,
 * and none is needed, unless the value is an object or array: that stands at
 * og_fields_nowhere().
 */
static inline int
og_fields_pass(const og_filter_t *filter, const og_place_t *parent,
    const og_name_t *name)
{
    return parent->listing == OG_LISTED_WITH_ALL && parent->marks == 0
           && !name->sketch.odd && !og_filter_has(filter, name->sketch);
}


/* Below parent, on no rule's path. */
static inline og_place_t
og_fields_nowhere(const og_place_t *parent)
{
    og_place_t  place;

    place.deny = parent->end;
    place.allow = parent->end;
    place.end = parent->end;
    place.listing = OG_LISTED_WITH_ALL;
    place.marks = 0;

    return place;
}


/*
 * Finds the place of a member of the object at the place parent, valid until
 * another one is made from the same parent, and whatever it is: an
 * og_fields_judge() of it follows.  In strip and reject a name with "." or
 * "[" is also taken as a path ("items[0].price").  Returns -1 when memory is
 * short.
 */
int og_fields_member(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *name, og_place_t *place);


/* The same for an element of an array. */
int og_fields_element(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, size_t index, og_place_t *place);


/* Whether all elements of the array at that place have the same place. */
int og_fields_elements_are_alike(const og_fields_t *fields,
    const og_fields_walk_t *walk, const og_place_t *array);


/* What becomes of a value there; nested: it is an object or array. */
og_field_verdict_e og_fields_judge(const og_place_t *place, int nested);


#endif /* OG_FIELDS_H_INCLUDED_ */
