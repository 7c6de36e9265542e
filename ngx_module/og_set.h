
/*
 * Copyright (C) order guard contributors
 *
 * Fields that the gateway writes.  A scanner has cut what the client sent of
 * them; the writers of each kind of body (og_json_set(), og_form_set(), ...)
 * put the gateway's values into what is kept.  Pure: libc only.
 */


#ifndef OG_SET_H_INCLUDED_
#define OG_SET_H_INCLUDED_


#include <stddef.h>

#include "og_body.h"


typedef enum {
    OG_SET_STRING = 0,
    OG_SET_NUMBER,            /* of JSON (RFC 8259, section 6), as given */
    OG_SET_BOOLEAN            /* true or false */
} og_set_type_e;


typedef struct {
    const char           *field;      /* as og_fields_add() took it */
    size_t                field_len;
    og_set_type_e         type;
    const unsigned char  *value;
    size_t                value_len;  /* 0: the field stays away */
} og_set_t;


/*
 * NULL, or a static sentence: the value cannot be written as that type (no
 * UTF-8, a NUL, no number, neither true nor false).  An empty value is fine.
 */
const char *og_set_check(og_set_type_e type, const unsigned char *value,
    size_t len);


/*
 * Bytes by which these sets make a body of any kind longer at most; SIZE_MAX
 * where there are not so many.
 */
size_t og_set_room(const og_set_t *sets, size_t nsets);


/*
 * Writes the values of sets into the JSON document body[0..*len), which is
 * what is kept of one that has passed og_json_scan(), has room for
 * og_set_room() bytes more, and whose homes are homes.  A field whose home is
 * in the object that its pointer leads to is put there, under the name that
 * the rule has; another one is added as the last member of that object, in
 * the order of the sets, and objects on the way are made where they are
 * missing.  Names on the way compare exactly, so that the field is where the
 * rule says, whatever else matches it.  *len is brought up to date.
 *
 * Takes time linear in *len, and in the sets times the length of their rules.
 * Sets are those of rules that have passed og_fields_compile(): none is twice
 * there or below another one.
 *
 * Returns NULL, or the set that has no place: on the way to it stands
 * something that is no object, as an array at the root.  body is then of no
 * use.
 */
const og_set_t *og_json_set(unsigned char *body, size_t *len,
    const og_home_t *homes, size_t nhomes, const og_set_t *sets,
    size_t nsets);


#endif /* OG_SET_H_INCLUDED_ */
