
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
    OG_FIELD_ALLOW,
    OG_FIELD_SET              /* stripped; then the gateway writes its own */
} og_field_action_e;


typedef struct og_fields_s  og_fields_t;


/*
 * Creates an empty rule set; the match mode holds for strip, reject and set,
 * allow always compares exactly.  Returns NULL when memory is short.  The
 * caller owns the result and ends it with og_fields_free().
 */
og_fields_t *og_fields_create(og_match_e match);


/*
 * Adds one rule.  text is a member name, or, when it begins with "/", a JSON
 * Pointer (RFC 6901, with ~0 and ~1) in which a reference token "*" stands
 * for any member or index; in allow rules a last token "**" stands for all
 * below.  A bare name in strip, reject and set matches at any depth, in allow
 * a member of the root.  text is copied.
 *
 * Set rules are numbered from 0 in the order in which they are added.  What
 * matches one is stripped; the place of its own, where the gateway writes, is
 * the pointer's, which has no "*", and of a bare name the member of the root.
 * In JSON its name may be in any spelling that matches, but the names of what
 * it is in are those of the pointer, byte by byte, and no dotted path: another
 * spelling of one of these is rejected.
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
 * "*", "*" in set, invalid UTF-8, NUL, or a name of nothing but ignored
 * characters.
 */
const char *og_fields_add(og_fields_t *fields, og_field_action_e action,
    const char *text, size_t len);


/*
 * Prepares the set for matching; no rule may be added afterwards.  Returns
 * NULL, no memory, or a sentence that names the fields and lives as long as
 * the set, where two rules contradict: a field both in strip and in reject;
 * one in allow that strip or reject always take; one twice in set, also by a
 * bare name and a pointer; one in set within another one in set.
 *
 * A field in set may be in strip, reject or allow as well, or be within one
 * that is: the gateway writes after all else.  So may one that is set be
 * around fields in allow, which then never pass.
 */
const char *og_fields_compile(og_fields_t *fields);


/*
 * Which two rules contradict, counted from 0 in the order in which they were
 * added.  Returns 0 where og_fields_compile() found none.
 */
int og_fields_clash(const og_fields_t *fields, size_t *a, size_t *b);


/* Frees the set; NULL is fine. */
void og_fields_free(og_fields_t *fields);


/*
 * Matching: for the files that scan only.
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
    OG_FIELD_UNLISTED,        /* there are allow rules, and none passes it */
    OG_FIELD_STRAY            /* in JSON: another spelling of an object that a
                                 set rule writes in; rejected, unless what it
                                 is in goes */
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
    unsigned              root;       /* it is the root */
    uint32_t              own;        /* node of set rules' own places */
    size_t                home;       /* 1 + the set rule whose own place this
                                         is; 0: none */
} og_place_t;


/* Scratch memory of a pass; zeroed by its owner before the first one. */
typedef struct {
    uint32_t             *states;
    size_t                states_alloc;
    unsigned char        *folded;
    size_t                folded_alloc;
} og_fields_walk_t;


/* More states than most places have. */
#define OG_KEPT_STATES  4

/* A place that outlives its pass. */
typedef struct {
    og_place_t            place;
    uint32_t              states[OG_KEPT_STATES];
} og_kept_place_t;


/* Gives back what is too large to be kept for the next pass. */
void og_fields_walk_trim(og_fields_walk_t *walk);


/* Frees all. */
void og_fields_walk_done(og_fields_walk_t *walk);


/* A number that no other compiled set of this process has or had, from 1 on. */
uint64_t og_fields_id(const og_fields_t *fields);


/* A copy of this is handed to og_fields_pass(). */
og_filter_t og_fields_filter(const og_fields_t *fields);


/* Makes the place of the root.  Returns -1 when memory is short. */
int og_fields_root(const og_fields_t *fields, og_fields_walk_t *walk,
    og_place_t *root);


/*
 * Whether a member passes at first glance, by the sketch of its name alone:
 * most do.  Where not, ask og_fields_member().  There is no place to be had,
 * and none is needed, unless the value is an object or array: that stands at
 * og_fields_nowhere().
 */
static inline int
og_fields_pass(const og_filter_t *filter, const og_place_t *parent,
    og_sketch_t name)
{
    return parent->listing == OG_LISTED_WITH_ALL && parent->marks == 0
           && !name.odd && !og_filter_has(filter, name);
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
    place.root = 0;
    place.own = 0;
    place.home = 0;

    return place;
}


/*
 * Finds the place of a member of the object at the place parent, valid until
 * another one is made from the same parent, and whatever it is: an
 * og_fields_judge() of it follows.  In strip, reject and set a name with "."
 * "[" ">" or "/" is also taken as a path ("items[0].price", "items['a']",
 * "meta->price"), and one with "(" as what stands in front of that
 * ("paid_at(1i)").  Returns -1 when memory is short.
 */
int og_fields_member(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *name, og_place_t *place);


/* The same for an element of an array. */
int og_fields_element(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, size_t index, og_place_t *place);


/*
 * The same for a field of a form or query by its whole name, unescaped, not
 * NULL: "a", "a[b]", "a.b" and "a[b].c" are paths from the root, whose place
 * is root; digits between brackets are an index as well as a name, and "[]"
 * is an element of whatever index.  A field within one that is stripped or
 * rejected is so as well.
 *
 * In strip, reject and set a name matches in each way that a binder may take
 * it, also where it is not well-formed:
 *   - as a whole, as that of a JSON member does;
 *   - as a path of what stands between brackets, with dots in it, without, or
 *     without what is in front of the first; "[00]" is also an element 0, and
 *     "[-1]" one of whatever index; what stands behind a bracket is a part of
 *     it, or none;
 *   - as a path of what stands between any characters but letters, digits,
 *     "_", "-" and those above ASCII ("a['b']", "a/b", "a:b");
 *   - without "_" and "!" in front of the whole name, however many;
 *   - with each "." in front of the first bracket taken as "_", as PHP does.
 * The place may be a set rule's own in any of these ways.
 *
 * In allow all that is in the name counts: "a", then ".b", "[b]", "[]", or
 * "b" behind a bracket, where b has no bracket and no dot.  As binders differ
 * there, a name that has something behind brackets that hold no index, or
 * behind an index and then a name in brackets, or a dot within brackets, is
 * listed only within "**".  But a rule of the very same text as the whole
 * name passes that, too.
 *
 * Returns -1 when memory is short, and 1 where rules tell elements by their
 * index and it is open which is meant: the caller refuses the name.  Takes
 * time linear in len.
 */
int og_fields_field(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *root, const unsigned char *name, size_t len,
    og_place_t *place);


/*
 * The same for one reference token, unescaped, of a pointer in a JSON Patch
 * (RFC 6902), whatever stands at parent: a name, as that of a JSON member;
 * or an index, "00" for 0, too; or, for an element of whatever index, "-",
 * and a sign with digits ("-1" is the last one to some).  A place within one
 * that is stripped or rejected is so as well.  Returns 1 and -1 as
 * og_fields_field() does.
 */
int og_fields_token(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const unsigned char *token, size_t len,
    og_place_t *place);


/*
 * Has strip, reject and set (not allow) look at the value at place, which is
 * that of a field and was made last, as at a document of its own as well: the
 * JSON part of a form.  Nothing in there is a set rule's own place.  Returns
 * -1 when memory is short.
 */
int og_fields_add_root(const og_fields_t *fields, og_fields_walk_t *walk,
    og_place_t *place);


/*
 * Keeps a place that was just made, so that it can be made once more with
 * og_fields_restore_place(): for the same set, and by the same steps from a
 * root.  -1 when there is no room, for the states or in the walk.
 */
int og_fields_keep_place(const og_fields_walk_t *walk,
    const og_place_t *place, og_kept_place_t *kept);
int og_fields_restore_place(og_fields_walk_t *walk,
    const og_kept_place_t *kept, og_place_t *place);


/*
 * What becomes of a value at that place which cannot be seen and may hold
 * anything (the source of a "copy"): it passes where no rule could match at
 * it or in it, and is else rejected if a reject rule could, stripped if a
 * strip or set rule could, or else unlisted.
 */
og_field_verdict_e og_fields_judge_unseen(const og_fields_t *fields,
    const og_fields_walk_t *walk, const og_place_t *place);


/* Whether all elements of the array at that place have the same place. */
int og_fields_elements_are_alike(const og_fields_t *fields,
    const og_fields_walk_t *walk, const og_place_t *array);


/* What becomes of a value there; nested: it is an object or array. */
og_field_verdict_e og_fields_judge(const og_place_t *place, int nested);


#endif /* OG_FIELDS_H_INCLUDED_ */
