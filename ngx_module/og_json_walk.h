
/*
 * Copyright (C) order guard contributors
 *
 * A walk through a document that has passed og_json_scan(), from word to
 * word: nothing is validated again, and nothing outside of it is read.
 * Private to the files that scan.  Pure: libc only.
 */


#ifndef OG_JSON_WALK_H_INCLUDED_
#define OG_JSON_WALK_H_INCLUDED_


#include "og_json.h"


typedef struct {
    const unsigned char  *p;          /* first byte that is not taken yet */
    const unsigned char  *end;        /* of the document */
    const unsigned char  *comma;      /* that was passed last */
} og_json_walk_t;


/* Begins at the root value. */
void og_json_walk_begin(og_json_walk_t *walk, const unsigned char *data,
    size_t len);


/* Goes into the object or array that begins here. */
void og_json_walk_enter(og_json_walk_t *walk);


/*
 * Goes on to the next member or element of the innermost object or array that
 * was entered: first of all, and once the one before has been taken.  Returns
 * 0 where there is none: the walk has then left it.
 */
int og_json_walk_part(og_json_walk_t *walk);


/* Takes the name of a member, up to its value. */
og_json_value_t og_json_walk_name(og_json_walk_t *walk);


/* Takes the value at hand, in time linear in its length. */
og_json_value_t og_json_walk_value(og_json_walk_t *walk);


/* Whether a string, unescaped, is that text; text is ASCII. */
int og_json_string_is(const og_json_value_t *string, const char *text);


/* The same; text is in lower case, and the case of ASCII letters ignored. */
int og_json_string_is_caseless(const og_json_value_t *string,
    const char *text);


#endif /* OG_JSON_WALK_H_INCLUDED_ */
