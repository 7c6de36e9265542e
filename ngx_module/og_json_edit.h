
/*
 * Copyright (C) order guard contributors
 *
 * What og_json_set() is made of.  Private to it.
 */


#ifndef OG_JSON_EDIT_H_INCLUDED_
#define OG_JSON_EDIT_H_INCLUDED_


#include <string.h>

#include "og_json.h"
#include "og_set_text.h"


/* A body, and the room behind it that is left. */
typedef struct {
    unsigned char        *data;
    size_t                len;
    size_t                room;
} og_json_body_t;


/* A field to add; sets are elements of one array. */
typedef struct {
    const og_set_t       *set;
    unsigned              has_home:1; /* and may have been put there */
    unsigned              is_written:1;
} og_json_field_t;


/* Fields that are added in one walk, at most. */
#define OG_JSON_FIELDS  256


/*
 * Adds fields as the last members of the objects that their pointers lead to,
 * in the order of the sets, and makes such objects; may sort the fields.
 * NULL, or the set that has no place.  There is one field at least.
 */
const og_set_t *og_json_add(og_json_body_t *body, og_json_field_t *fields,
    size_t nfields);


/* As strcmp(): the name of a member, and a token. */
int og_json_compare_name(const og_json_value_t *name, og_set_token_t token);


/*
 * A body that is being edited stands at the end of its room, and is moved
 * back piece by piece: up to dst it is done, from src on it is as it was.  In
 * between is always room for what is still to be written.
 */
typedef struct {
    unsigned char        *dst;
    const unsigned char  *src;
    const unsigned char  *end;
} og_json_edit_t;


/* Begins to edit a body, from p on. */
static inline og_json_edit_t
og_json_edit(const og_json_body_t *body, const unsigned char *p)
{
    og_json_edit_t  edit;

    edit.dst = body->data + (p - body->data);
    edit.src = p + body->room;
    edit.end = body->data + body->len + body->room;

    memmove(edit.dst + body->room, p, (size_t) (edit.end - edit.src));

    return edit;
}


/* Keeps what stands in front of p. */
static inline void
og_json_edit_pass(og_json_edit_t *edit, const unsigned char *p)
{
    size_t  n;

    n = (size_t) (p - edit->src);
    memmove(edit->dst, edit->src, n);

    edit->dst += n;
    edit->src = p;
}


/* Keeps all that is left: the body is a body again. */
static inline void
og_json_edit_end(og_json_edit_t *edit, og_json_body_t *body)
{
    og_json_edit_pass(edit, edit->end);

    body->len = (size_t) (edit->dst - body->data);
    body->room = (size_t) (edit->end - edit->dst);
}


#endif /* OG_JSON_EDIT_H_INCLUDED_ */
