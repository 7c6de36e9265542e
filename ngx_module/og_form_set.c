
/*
 * Copyright (C) order guard contributors
 *
 * Fields of a form that the gateway writes.
 */


#include <string.h>

#include "og_form.h"
#include "og_form_name.h"
#include "og_set_text.h"


/* What was written last: tells how what is kept goes on. */
typedef enum {
    OG_FORM_HAD_NO_SET = 0,
    OG_FORM_HAD_SET_IN_FRONT, /* of all that is kept */
    OG_FORM_HAD_SET_BEHIND    /* a field: a separator is next */
} og_form_had_set_e;


/* A form that is put together: what is kept of it lies behind, at src. */
typedef struct {
    unsigned char        *start;
    unsigned char        *dst;
    const unsigned char  *src;
    og_form_had_set_e     had;
} og_form_writer_t;


static int og_form_has_home(const og_home_t *homes, size_t nhomes,
    size_t set);
static int og_form_has_place(const unsigned char *body, size_t len,
    const og_set_t *set);
static int og_form_leads_to(const og_form_field_t *field,
    const og_set_t *set);
static void og_form_put_kept(og_form_writer_t *writer, size_t n);
static void og_form_put_set(og_form_writer_t *writer, const og_set_t *set,
    int behind);
static unsigned char *og_form_put_name(unsigned char *dst,
    const og_set_t *set);
static unsigned char *og_form_put_byte(unsigned char *dst, unsigned char c);


const og_set_t *
og_form_set(unsigned char *body, size_t *len, const og_home_t *homes,
    size_t nhomes, const og_set_t *sets, size_t nsets, int append)
{
    size_t            i, at;
    og_form_writer_t  writer;

    for (i = 0; i < nsets; i++) {

        if ((append || og_form_has_home(homes, nhomes, i))
            && !og_form_has_place(body, *len, &sets[i]))
        {
            return &sets[i];
        }
    }

    writer.start = body;
    writer.dst = body;
    writer.src = body + og_set_room(sets, nsets);
    writer.had = OG_FORM_HAD_NO_SET;

    memmove(body + (writer.src - body), body, *len);
    at = 0;

    for (i = 0; i < nhomes; i++) {
        og_form_put_kept(&writer, homes[i].at - at);
        og_form_put_set(&writer, &sets[homes[i].set], homes[i].behind);
        at = homes[i].at;
    }

    og_form_put_kept(&writer, *len - at);

    for (i = 0; append && i < nsets; i++) {

        if (!og_form_has_home(homes, nhomes, i)) {
            og_form_put_set(&writer, &sets[i], 0);
        }
    }

    *len = (size_t) (writer.dst - body);

    return NULL;
}


static int
og_form_has_home(const og_home_t *homes, size_t nhomes, size_t set)
{
    size_t  i;

    for (i = 0; i < nhomes && homes[i].set != set; i++) { /* void */ }

    return i < nhomes;
}


/*
 * Whether the way to the field is free: of "a=1" and "a[b]=2" parsers take
 * the one or the other.
 */
static int
og_form_has_place(const unsigned char *body, size_t len, const og_set_t *set)
{
    og_set_path_t         path;
    og_form_field_t       field;
    const unsigned char  *p, *end;

    path = og_set_path(set);
    (void) og_set_path_next(&path);

    if (og_set_path_is_done(&path) || set->value_len == 0) {
        return 1;
    }

    end = body + len;

    for (p = body; p < end; p = field.end + 1) {
        field = og_form_field(p, end);

        if (og_form_leads_to(&field, set)) {
            return 0;
        }

        if (field.end == end) {
            break;
        }
    }

    return 1;
}


/* Whether the parts of the field's name are the first ones of the set's. */
static int
og_form_leads_to(const og_form_field_t *field, const og_set_t *set)
{
    int                   begun, ended;
    unsigned char         c;
    og_set_path_t         path;
    og_set_token_t        token;
    const unsigned char  *p;

    path = og_set_path(set);
    token = og_set_path_next(&path);
    begun = 0;
    ended = 0;

    for (p = field->name; p < field->name_end; /* void */ ) {

        p = og_form_char(p, field->name_end, &c);
        if (p == NULL) {
            return 0;
        }

        if (c == '.' || c == '[' || c == ']') {
            ended = begun;
            continue;
        }

        if (ended) {

            if (og_set_token_byte(&token) != -1 || og_set_path_is_done(&path))
            {
                return 0;
            }

            token = og_set_path_next(&path);
            ended = 0;
        }

        if (og_set_token_byte(&token) != c) {
            return 0;
        }

        begun = 1;
    }

    return og_set_token_byte(&token) == -1 && !og_set_path_is_done(&path);
}


static void
og_form_put_kept(og_form_writer_t *writer, size_t n)
{
    if (n == 0) {
        return;
    }

    /* to many, what a ";" separates is one value */

    switch (writer->had) {

    case OG_FORM_HAD_SET_IN_FRONT:
        *writer->dst++ = '&';
        break;

    case OG_FORM_HAD_SET_BEHIND:
        *writer->dst++ = '&';
        writer->src++;
        n--;
        break;

    case OG_FORM_HAD_NO_SET:
        break;
    }

    memmove(writer->dst, writer->src, n);
    writer->dst += n;
    writer->src += n;
    writer->had = OG_FORM_HAD_NO_SET;
}


static void
og_form_put_set(og_form_writer_t *writer, const og_set_t *set, int behind)
{
    size_t          i;
    unsigned char  *dst;

    if (set->value_len == 0) {
        return;
    }

    dst = writer->dst;

    if (behind || dst > writer->start) {
        *dst++ = '&';
    }

    dst = og_form_put_name(dst, set);
    *dst++ = '=';

    for (i = 0; i < set->value_len; i++) {
        dst = og_form_put_byte(dst, set->value[i]);
    }

    writer->dst = dst;
    writer->had = behind ? OG_FORM_HAD_SET_BEHIND
                         : OG_FORM_HAD_SET_IN_FRONT;
}


/* "a[b]", with brackets escaped: as they are, a URI does not have them. */
static unsigned char *
og_form_put_name(unsigned char *dst, const og_set_t *set)
{
    int             c;
    og_set_path_t   path;
    og_set_token_t  token;

    path = og_set_path(set);
    token = og_set_path_next(&path);

    while ((c = og_set_token_byte(&token)) != -1) {
        dst = og_form_put_byte(dst, (unsigned char) c);
    }

    while (!og_set_path_is_done(&path)) {
        token = og_set_path_next(&path);
        dst = og_form_put_byte(dst, '[');

        while ((c = og_set_token_byte(&token)) != -1) {
            dst = og_form_put_byte(dst, (unsigned char) c);
        }

        dst = og_form_put_byte(dst, ']');
    }

    return dst;
}


/* RFC 3986 section 2.3: only unreserved characters stand for themselves. */
static unsigned char *
og_form_put_byte(unsigned char *dst, unsigned char c)
{
    static const char  hex[] = "0123456789ABCDEF";

    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '-' || c == '.' || c == '_' || c == '~')
    {
        *dst++ = c;
        return dst;
    }

    *dst++ = '%';
    *dst++ = (unsigned char) hex[c >> 4];
    *dst++ = (unsigned char) hex[c & 0xF];

    return dst;
}
