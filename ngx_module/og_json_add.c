
/*
 * Copyright (C) order guard contributors
 *
 * Fields that are in no object yet, added in one walk through the objects
 * that their pointers lead to.
 */


#include "og_json_edit.h"
#include "og_json_token.h"
#include "og_json_walk.h"


/*
 * Fields whose pointers lead through the object at hand, sorted by reference
 * tokens.  Those up to there are the same, and so is the length of these as
 * text: skip.
 */
typedef struct {
    og_json_field_t      *first;
    og_json_field_t      *last;       /* behind the last one */
    size_t                skip;
} og_json_group_t;


static int og_json_needs_walk(og_json_group_t group);
static void og_json_sort(og_json_field_t *fields, size_t nfields);
static int og_json_compare_sets(const og_set_t *a, const og_set_t *b);
static const og_set_t *og_json_add_in(og_json_edit_t *edit,
    og_json_walk_t *walk, og_json_group_t group);
static og_json_group_t og_json_named(og_json_group_t group,
    const og_json_value_t *name);
static unsigned char *og_json_put_fields(unsigned char *dst,
    og_json_group_t group, int behind);
static og_json_field_t *og_json_next_field(og_json_group_t group);
static og_json_group_t og_json_below(og_json_group_t group,
    og_json_field_t *field);
static int og_json_is_beside(const og_json_field_t *field,
    const og_json_field_t *other, size_t skip);
static og_set_token_t og_json_token(const og_json_field_t *field,
    size_t skip);
static int og_json_is_last(const og_json_field_t *field,
    const og_set_token_t *token);
static const unsigned char *og_json_back(const unsigned char *p);


const og_set_t *
og_json_add(og_json_body_t *body, og_json_field_t *fields, size_t nfields)
{
    og_json_edit_t        edit;
    og_json_walk_t        walk;
    const og_set_t       *stray;
    og_json_group_t       group;
    const unsigned char  *p, *end;

    end = body->data + body->len;
    p = og_json_skip_run(body->data, end);

    if (p == end || *p != '{') {
        return fields->set;
    }

    group.first = fields;
    group.last = fields + nfields;
    group.skip = 0;

    if (og_json_needs_walk(group)) {
        og_json_sort(fields, nfields);

        edit = og_json_edit(body, p);
        og_json_walk_begin(&walk, edit.src, (size_t) (edit.end - edit.src));

        stray = og_json_add_in(&edit, &walk, group);
        if (stray != NULL) {
            return stray;
        }

    } else {
        p = og_json_back(og_json_back(end) - 1);
        edit = og_json_edit(body, p);
        edit.dst = og_json_put_fields(edit.dst, group, p[-1] != '{');
    }

    og_json_edit_end(&edit, body);

    return NULL;
}


/* Whether names matter: all fields are else new members of the root. */
static int
og_json_needs_walk(og_json_group_t group)
{
    og_set_token_t    name;
    og_json_field_t  *field;

    for (field = group.first; field < group.last; field++) {
        name = og_json_token(field, group.skip);

        if (field->has_home || !og_json_is_last(field, &name)) {
            return 1;
        }
    }

    return 0;
}


static void
og_json_sort(og_json_field_t *fields, size_t nfields)
{
    size_t           i, first, last, middle;
    og_json_field_t  field;

    for (i = 1; i < nfields; i++) {
        field = fields[i];
        first = 0;
        last = i;

        while (first < last) {
            middle = first + (last - first) / 2;

            if (og_json_compare_sets(field.set, fields[middle].set) < 0) {
                last = middle;

            } else {
                first = middle + 1;
            }
        }

        memmove(&fields[first + 1], &fields[first],
                (i - first) * sizeof(og_json_field_t));
        fields[first] = field;
    }
}


/* By the first token that differs. */
static int
og_json_compare_sets(const og_set_t *a, const og_set_t *b)
{
    int             x, y;
    og_set_path_t   path_a, path_b;
    og_set_token_t  token_a, token_b;

    path_a = og_set_path(a);
    path_b = og_set_path(b);

    while (!og_set_path_is_done(&path_a) && !og_set_path_is_done(&path_b)) {
        token_a = og_set_path_next(&path_a);
        token_b = og_set_path_next(&path_b);

        do {
            x = og_set_token_byte(&token_a);
            y = og_set_token_byte(&token_b);

            if (x != y) {
                return x - y;
            }
        } while (x != -1);
    }

    return og_set_path_is_done(&path_b) - og_set_path_is_done(&path_a);
}


/*
 * Adds fields to the object that begins here.  NULL, or one that has no
 * place.  Calls itself for an object within only where the pointer of a field
 * leads there.
 */
static const og_set_t *
og_json_add_in(og_json_edit_t *edit, og_json_walk_t *walk,
    og_json_group_t group)
{
    int                   behind;
    const og_set_t       *stray;
    og_json_group_t       named;
    og_json_value_t       name;
    const unsigned char  *p;

    og_json_walk_enter(walk);

    while (og_json_walk_part(walk)) {
        name = og_json_walk_name(walk);
        named = og_json_named(group, &name);

        if (named.first == named.last) {
            (void) og_json_walk_value(walk);
            continue;
        }

        if (named.skip == named.first->set->field_len
            && named.first->has_home)
        {
            named.first->is_written = 1;
            (void) og_json_walk_value(walk);
            continue;
        }

        /* else the field itself is not here: it would have been cut */

        if (*walk->p != '{' || named.skip == named.first->set->field_len) {
            return named.first->set;
        }

        stray = og_json_add_in(edit, walk, named);
        if (stray != NULL) {
            return stray;
        }
    }

    p = og_json_back(walk->p - 1);
    behind = (p[-1] != '{');

    og_json_edit_pass(edit, p);
    edit->dst = og_json_put_fields(edit->dst, group, behind);

    return NULL;
}


/* Those of a group whose next token is that name. */
static og_json_group_t
og_json_named(og_json_group_t group, const og_json_value_t *name)
{
    int               order;
    og_json_field_t  *middle, *last;

    last = group.last;

    while (group.first < last) {
        middle = group.first + (last - group.first) / 2;
        order = og_json_compare_name(name, og_json_token(middle, group.skip));

        if (order == 0) {
            return og_json_below(group, middle);
        }

        if (order > 0) {
            group.first = middle + 1;

        } else {
            last = middle;
        }
    }

    group.last = group.first;

    return group;
}


int
og_json_compare_name(const og_json_value_t *name, og_set_token_t token)
{
    int                   c;
    size_t                i, n;
    unsigned char         text[4];
    const unsigned char  *p, *end;

    p = name->data + 1;
    end = name->data + name->len - 1;

    /* names of a megabyte are many, and seldom have escapes */

    while (p < end && token.p < token.end && *p == *token.p && *p != '\\'
           && *p != '~')
    {
        p++;
        token.p++;
    }

    while (p < end) {
        n = 1;
        text[0] = *p;
        p = (*p == '\\') ? og_json_char(p, text, &n) : p + 1;

        for (i = 0; i < n; i++) {
            c = og_set_token_byte(&token);

            if (c != text[i]) {
                return text[i] - c;
            }
        }
    }

    return (og_set_token_byte(&token) == -1) ? 0 : -1;
}


/*
 * Writes the fields of a group that are not written yet as members of the
 * object at hand, in the order in which they were configured.  Calls itself
 * for each object that has to be made.
 */
static unsigned char *
og_json_put_fields(unsigned char *dst, og_json_group_t group, int behind)
{
    og_set_token_t    name;
    og_json_field_t  *field;

    while ((field = og_json_next_field(group)) != NULL) {
        name = og_json_token(field, group.skip);

        if (behind) {
            *dst++ = ',';
        }

        dst = og_set_put_name(dst, name);
        *dst++ = ':';
        behind = 1;

        if (og_json_is_last(field, &name)) {
            dst = og_set_put_value(dst, field->set);
            field->is_written = 1;
            continue;
        }

        *dst++ = '{';
        dst = og_json_put_fields(dst, og_json_below(group, field), 0);
        *dst++ = '}';
    }

    return dst;
}


/* The first one that is not written; sets are an array. */
static og_json_field_t *
og_json_next_field(og_json_group_t group)
{
    og_json_field_t  *field, *next;

    next = NULL;

    for (field = group.first; field < group.last; field++) {

        if (!field->is_written && (next == NULL || field->set < next->set)) {
            next = field;
        }
    }

    return next;
}


/* Those of a group that have the same next token as one of them. */
static og_json_group_t
og_json_below(og_json_group_t group, og_json_field_t *field)
{
    size_t           skip;
    og_set_token_t   token;
    og_json_group_t  below;

    token = og_json_token(field, group.skip);
    skip = (size_t) (token.end - (const unsigned char *) field->set->field);

    below.first = field;
    below.last = field + 1;
    below.skip = skip;

    if (og_json_is_last(field, &token)) {
        return below;
    }

    while (below.first > group.first
           && og_json_is_beside(field, below.first - 1, skip))
    {
        below.first--;
    }

    while (below.last < group.last
           && og_json_is_beside(field, below.last, skip))
    {
        below.last++;
    }

    return below;
}


/* Whether the token that ends at skip, and all in front of it, are equal. */
static int
og_json_is_beside(const og_json_field_t *field, const og_json_field_t *other,
    size_t skip)
{
    return other->set->field_len > skip && other->set->field[skip] == '/'
           && memcmp(other->set->field, field->set->field, skip) == 0;
}


/* The token of a field that begins at skip. */
static og_set_token_t
og_json_token(const og_json_field_t *field, size_t skip)
{
    og_set_path_t  path;

    path = og_set_path(field->set);
    path.p += skip;

    return og_set_path_next(&path);
}


static int
og_json_is_last(const og_json_field_t *field, const og_set_token_t *token)
{
    return token->end
           == (const unsigned char *) field->set->field
              + field->set->field_len;
}


/* From behind a byte that is no white space back to it. */
static const unsigned char *
og_json_back(const unsigned char *p)
{
    while (og_json_is_space(p[-1])) {
        p--;
    }

    return p;
}
