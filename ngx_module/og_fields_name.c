
/*
 * Copyright (C) order guard contributors
 *
 * Names of forms at work, for strip, reject and set.  Nobody knows how the
 * upstream reads them, so that they are taken in every way at once that
 * binders do.
 */


#include <string.h>

#include "og_fields_set.h"


/* A part of a name, and where the next one begins. */
typedef struct {
    const unsigned char  *data;
    size_t                len;
    int                   in_brackets;
    const unsigned char  *next;
} og_part_t;


static int og_fields_deny_field(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_place_t *root,
    const unsigned char *name, size_t len, og_place_t *place);
static void og_fields_deny_front(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_place_t *root,
    const unsigned char *name, size_t len, og_place_t *place);
static void og_fields_deny_copied(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_place_t *root, size_t len,
    og_place_t *place);
static int og_fields_deny_brackets(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_place_t *root,
    const unsigned char *name, size_t len, og_place_t *place);
static og_part_t og_part_next(const unsigned char *p,
    const unsigned char *last);
static int og_fields_deny_part(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_place_t *parent, const og_part_t *part,
    og_place_t *place);
static void og_fields_deny_suffix(const og_fields_t *fields,
    og_fields_walk_t *walk, const og_place_t *parent, const og_name_t *key,
    og_place_t *place);


int
og_fields_field(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *root, const unsigned char *name, size_t len,
    og_place_t *place)
{
    int         open;
    og_place_t  widest;

    /* beside a step there are the sets of two ways to read the name */

    widest = *root;
    widest.end += 2 * fields->deny.nnodes + fields->allow.nnodes;

    if (og_fields_reserve(fields, walk, &widest, len + 1) != 0) {
        return -1;
    }

    open = og_fields_deny_field(fields, walk, root, name, len, place);

    return open | og_fields_list_field(fields, walk, root, name, len, place);
}


/* Returns 1 where it is open which element of an array is meant. */
static int
og_fields_deny_field(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *root, const unsigned char *name, size_t len,
    og_place_t *place)
{
    *place = og_fields_unknown(root->end);

    og_fields_deny_front(fields, walk, root, name, len, place);

    if (len == 0 || memchr(name, '[', len) == NULL) {

        if (place->home == 0) {
            place->home = og_fields_find_home(fields, walk, place->deny,
                                              place->allow);
        }

        return 0;
    }

    return og_fields_deny_brackets(fields, walk, root, name, len, place);
}


/*
 * Takes the name, or what is in front of its first bracket, as it is, and
 * once more with "_" for ".", which is how PHP reads what is no path to it.
 */
static void
og_fields_deny_front(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *root, const unsigned char *name, size_t len,
    og_place_t *place)
{
    size_t  i;

    memcpy(walk->folded, name, len);
    og_fields_deny_copied(fields, walk, root, len, place);

    if (memchr(name, '.', len) == NULL) {
        return;
    }

    memcpy(walk->folded, name, len);

    for (i = 0; i < len && name[i] != '['; i++) {

        if (name[i] == '.') {
            walk->folded[i] = '_';
        }
    }

    og_fields_deny_copied(fields, walk, root, len, place);
}


/*
 * Takes the name that is in the walk's buffer as that of a member and as a
 * path, without what is ignored in front of it.
 */
static void
og_fields_deny_copied(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *root, size_t len, og_place_t *place)
{
    size_t          front, skipped;
    og_name_t       key;
    unsigned char  *p;

    p = walk->folded;
    len = og_fold(&fields->fold, p, p, len).len;

    for (front = 0; front < len && og_fields_is_front(p[front]); front++) {
        /* void */
    }

    /* rules may begin with some themselves, and "_" alone may be a part */

    skipped = (front > fields->front + 1) ? front - fields->front - 1 : 0;

    for ( /* void */ ; skipped <= front; skipped++) {
        key = og_name(p + skipped, len - skipped);

        og_fields_deny_also(fields, walk, root, &key, place);
        og_fields_deny_paths(fields, walk, root, &key, fields->form_path,
                             place);
    }
}


/*
 * Takes the name bracket by bracket: what is in one may be a member's name
 * with dots in it, or an index.  Returns 1 where that is open.
 */
static int
og_fields_deny_brackets(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *root, const unsigned char *name, size_t len,
    og_place_t *place)
{
    int                   open;
    size_t                start;
    og_part_t             part;
    og_place_t            at, next;
    const unsigned char  *p, *last;

    open = 0;
    start = place->allow;
    last = name + len;

    at = *root;
    at.end = start;
    at.marks = 0;

    for (p = name; p < last; p = part.next) {
        part = og_part_next(p, last);
        next = og_fields_unknown(at.end);

        if (p == name && !part.in_brackets) {
            og_fields_deny_front(fields, walk, root, name, part.len, &next);

        } else {
            open |= og_fields_deny_part(fields, walk, &at, &part, &next);
        }

        /* what stands behind a bracket may be left out: qs */

        if (p > name && !part.in_brackets) {
            next.marks |= at.marks;
            og_fields_unite(walk->states, &next, at.deny, at.allow);
        }

        /* what is within something that is taken is taken, too */

        next.marks |= at.marks & OG_MARK_TAKEN;

        memmove(walk->states + start, walk->states + next.deny,
                (next.allow - next.deny) * sizeof(uint32_t));

        at = next;
        at.deny = start;
        at.allow = start + (next.allow - next.deny);
        at.end = at.allow;
    }

    /* other ways to read it, without "[]", lead to places around this */

    if (place->home == 0) {
        place->home = og_fields_find_home(fields, walk, at.deny, at.allow);
    }

    place->marks |= at.marks;
    og_fields_unite(walk->states, place, at.deny, at.allow);

    return open;
}


/* Takes what is between brackets, or in front of or behind them. */
static og_part_t
og_part_next(const unsigned char *p, const unsigned char *last)
{
    og_part_t             part;
    const unsigned char  *end;

    part.in_brackets = (*p == '[');
    part.data = p + part.in_brackets;

    end = memchr(part.data, part.in_brackets ? ']' : '[',
                 (size_t) (last - part.data));

    if (end == NULL) {
        part.next = last;
        part.len = (size_t) (last - part.data);

    } else {
        part.next = end + part.in_brackets;
        part.len = (size_t) (end - part.data);
    }

    return part;
}


/* Returns 1 where it is open which element is meant. */
static int
og_fields_deny_part(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_part_t *part, og_place_t *place)
{
    og_name_t  key;

    if (part->len == 0) {
        og_fields_deny_other(fields, walk, parent, NULL, place);

    } else {
        key.data = walk->folded;
        key.len = og_fold(&fields->fold, walk->folded, part->data, part->len)
                      .len;
        key = og_name(key.data, key.len);

        og_fields_deny_also(fields, walk, parent, &key, place);
        og_fields_deny_paths(fields, walk, parent, &key, fields->form_path,
                             place);
        og_fields_deny_suffix(fields, walk, parent, &key, place);
        og_fields_deny_index(fields, walk, parent, part->data, part->len,
                             place);
    }

    return (part->len == 0 || og_name_is_signed(part->data, part->len))
           && og_fields_are_indexed(&fields->deny, walk->states, parent->deny,
                                   parent->allow);
}


/* To qs "a[b.c]" is "a[b[c]]", and of brackets the inner ones count. */
static void
og_fields_deny_suffix(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *key, og_place_t *place)
{
    size_t                len;
    og_name_t             suffix;
    const unsigned char  *dot;

    if (key->len == 0) {
        return;
    }

    dot = memchr(key->data, '.', key->len);
    if (dot == NULL) {
        return;
    }

    len = key->len - (size_t) (dot - key->data);
    suffix = og_name(dot, len);

    og_fields_deny_paths(fields, walk, parent, &suffix, fields->form_path,
                         place);
}


void
og_fields_deny_index(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const unsigned char *index, size_t len,
    og_place_t *place)
{
    og_name_t  key;

    if (len < 2 || index[0] != '0' || !og_name_is_index(index, len)) {
        return;
    }

    while (len > 1 && *index == '0') {
        index++;
        len--;
    }

    key = og_name(index, len);
    og_fields_deny_also(fields, walk, parent, &key, place);
}
