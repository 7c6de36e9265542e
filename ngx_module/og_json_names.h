
/*
 * Copyright (C) order guard contributors
 *
 * Which names an object has had so far.  Objects lie within each other, so
 * all that is kept is a stack: what an inner object added is gone when the
 * outer one goes on.  Most names are new by a bit of their sketch; where they
 * may not be, a few are compared one after the other, and an object with more
 * gets a table by a keyed hash, so that no choice of names makes a look-up
 * slow.  Private to og_json.  Pure: libc only.
 */


#ifndef OG_JSON_NAMES_H_INCLUDED_
#define OG_JSON_NAMES_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "og_hash.h"
#include "og_json_known.h"
#include "og_sketch.h"


/* Up to here looking at all names is faster than a table. */
#define OG_JSON_NAMES_FEW  16


/* Room for an unescaped name. */
typedef struct {
    unsigned char        *data;
    size_t                alloc;
} og_json_text_t;


/* A name of an object that is open. */
typedef struct {
    og_json_raw_name_t    raw;
    uint32_t              word;       /* its sketch, or its hash */
} og_json_listed_t;


typedef struct {
    og_hash_key_t         key;

    og_json_listed_t     *names;
    size_t                alloc;

    uint32_t             *slots;      /* tables of the large objects */
    size_t                slots_alloc;

    og_json_text_t        text;       /* of the name that is hashed */

    og_json_known_t       known;      /* from other objects and bodies */
} og_json_names_t;


/* The part of the stacks that is one object's. */
typedef struct {
    size_t                first;
    size_t                last;
    size_t                room;       /* so far last goes without a look */
    uint64_t              seen[4];    /* a bit by the sketch of each name */
    size_t                slots_first;
    size_t                nslots;     /* a power of two; 0: no table yet */
} og_json_scope_t;


typedef enum {
    OG_JSON_NAME_NO_MEMORY = -1,
    OG_JSON_NAME_NEW = 0,
    OG_JSON_NAME_REPEATED
} og_json_seen_e;


void og_json_names_init(og_json_names_t *names);
void og_json_names_done(og_json_names_t *names);


/* Gives back what is too large to be kept for the next pass. */
void og_json_names_trim(og_json_names_t *names);


/* As far as there is memory, and no table is needed. */
static inline void
og_json_names_make_room(const og_json_names_t *names, og_json_scope_t *scope)
{
    scope->room = scope->first + OG_JSON_NAMES_FEW;

    if (scope->room > names->alloc) {
        scope->room = names->alloc;
    }
}


/* Begins with a scope that is no object's. */
static inline void
og_json_names_begin(og_json_scope_t *scope)
{
    scope->last = 0;
    scope->slots_first = 0;
    scope->nslots = 0;
}


/* Opens the scope of an object within the one that outer belongs to. */
static inline void
og_json_names_open(const og_json_names_t *names, og_json_scope_t *scope,
    const og_json_scope_t *outer)
{
    scope->first = outer->last;
    scope->last = outer->last;
    scope->slots_first = outer->slots_first + outer->nslots;
    scope->nslots = 0;
    og_json_names_make_room(names, scope);

    memset(scope->seen, 0, sizeof(scope->seen));
}


/*
 * The same where the name may be like another, is one of many, or needs room.
 */
og_json_seen_e og_json_names_add_slowly(og_json_names_t *names,
    og_json_scope_t *scope, og_json_raw_name_t name, uint32_t sketch);


/*
 * Adds a name to an object whose inner ones are closed, unless it is there.
 * sketch is that of the unescaped name, in a word.
 */
static inline og_json_seen_e
og_json_names_add(og_json_names_t *names, og_json_scope_t *scope,
    og_json_raw_name_t name, uint32_t sketch)
{
    uint64_t          *seen;
    unsigned           bit;
    og_json_listed_t  *listed;

    seen = &scope->seen[sketch >> 30];
    bit = (sketch >> 24) & 63;

    if (((*seen >> bit) & 1) || scope->last >= scope->room) {
        return og_json_names_add_slowly(names, scope, name, sketch);
    }

    *seen |= UINT64_C(1) << bit;

    listed = &names->names[scope->last++];
    listed->raw = name;
    listed->word = sketch;

    return OG_JSON_NAME_NEW;
}


/*
 * Unescapes a name, growing text as needed.  Returns its length, or -1 when
 * memory is short; at least 16 more bytes may be read.
 */
ptrdiff_t og_json_text_unescape(og_json_text_t *text, og_json_raw_name_t name);


#endif /* OG_JSON_NAMES_H_INCLUDED_ */
