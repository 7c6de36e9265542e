
/*
 * Copyright (C) order guard contributors
 *
 * A field that the gateway writes, as text: the reference tokens of its rule,
 * and names, pointers and values in JSON.  Private to the files that write
 * sets; what they write, og_set_room() makes room for.  Pure: libc only.
 */


#ifndef OG_SET_TEXT_H_INCLUDED_
#define OG_SET_TEXT_H_INCLUDED_


#include "og_set.h"


/* What is left of a rule: to begin with, all of its reference tokens. */
typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;
    int                   bare;       /* no pointer but one name, as it is */
} og_set_path_t;


/* A reference token as it stands in its rule, or what is left of it. */
typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;
    int                   bare;
} og_set_token_t;


static inline og_set_path_t
og_set_path(const og_set_t *set)
{
    og_set_path_t  path;

    path.p = (const unsigned char *) set->field;
    path.end = path.p + set->field_len;
    path.bare = (set->field_len == 0 || *path.p != '/');

    return path;
}


/* Takes the next token; there is one. */
og_set_token_t og_set_path_next(og_set_path_t *path);


/* Whether all tokens have been taken. */
static inline int
og_set_path_is_done(const og_set_path_t *path)
{
    return path->p == path->end;
}


/* Takes the next byte of a name, unescaped (RFC 6901 section 4); -1: none. */
static inline int
og_set_token_byte(og_set_token_t *token)
{
    unsigned char  c;

    if (token->p == token->end) {
        return -1;
    }

    c = *token->p++;

    if (c != '~' || token->bare || token->p == token->end) {
        return c;
    }

    return (*token->p++ == '0') ? '~' : '/';
}


/*
 * These write to dst and return the end: a name as a string of JSON (RFC 8259
 * section 7), the field's place as a string that is a JSON Pointer, and a
 * value of the set's type.
 */
unsigned char *og_set_put_name(unsigned char *dst, og_set_token_t token);
unsigned char *og_set_put_pointer(unsigned char *dst, const og_set_t *set);
unsigned char *og_set_put_value(unsigned char *dst, const og_set_t *set);


#endif /* OG_SET_TEXT_H_INCLUDED_ */
