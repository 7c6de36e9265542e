
/*
 * Copyright (C) order guard contributors
 *
 * The fields of a form, and their names.  Private to the files that scan or
 * write forms.  Pure: libc only.
 */


#ifndef OG_FORM_NAME_H_INCLUDED_
#define OG_FORM_NAME_H_INCLUDED_


#include "og_form.h"
#include "og_paths.h"


/* A field as it stands in the form. */
typedef struct {
    const unsigned char  *name;
    const unsigned char  *name_end;   /* the "=", or the end */
    const unsigned char  *end;        /* the separator, or the form's end */
} og_form_field_t;


/* A sentence with where it was found; text is a literal. */
#define og_form_in(kind, text)                                                \
    ((kind) == OG_FORM_QUERY ? text " in the query string" : text)


/*
 * What is wrong with a name, decoded, of a field or of a part: a static
 * sentence, or NULL.  og_form.h has the rules.
 */
const char *og_form_name_wrong(og_form_kind_e kind, const unsigned char *name,
    size_t len, size_t max_depth);


/*
 * Adds the pointer of a name, decoded, to a list: "/a/b/c" for "a[b].c",
 * "/a/-" for "a[]".
 */
void og_form_name_list(og_paths_t *paths, const unsigned char *name,
    size_t len);


/*
 * Decodes p[0..len) to dst, which has room for len bytes.  Returns the end,
 * or NULL at a "%" without two hex digits.
 */
unsigned char *og_form_decode(unsigned char *dst, const unsigned char *p,
    size_t len);


/*
 * Takes the character that begins at p, below end.  Returns the next one, or
 * NULL at a "%" without two hex digits.
 */
const unsigned char *og_form_char(const unsigned char *p,
    const unsigned char *end, unsigned char *c);


/* The field that begins at p, which may be the end of the form. */
static inline og_form_field_t
og_form_field(const unsigned char *p, const unsigned char *end)
{
    og_form_field_t  field;

    field.name = p;

    while (p < end && *p != '=' && *p != '&' && *p != ';') {
        p++;
    }

    field.name_end = p;

    while (p < end && *p != '&' && *p != ';') {
        p++;
    }

    field.end = p;

    return field;
}


#endif /* OG_FORM_NAME_H_INCLUDED_ */
