
/*
 * Copyright (C) order guard contributors
 *
 * The gateway's fields in JSON: first those that have a home, then the
 * others.
 */


#include "og_json.h"
#include "og_json_edit.h"
#include "og_json_token.h"


/* Levels down to which homes are looked at. */
#define OG_JSON_LEVELS  16


/* How far what is written of a body has been passed, and what leads there. */
typedef struct {
    const unsigned char  *p;
    size_t                level;      /* objects and arrays that are open */
    og_json_value_t       names[OG_JSON_LEVELS];   /* the last of each */
} og_json_way_t;


static void og_json_set_homes(og_json_body_t *body, const og_home_t *homes,
    size_t nhomes, const og_set_t *sets);
static const og_home_t *og_json_set_home(og_json_edit_t *edit,
    og_json_way_t *way, const og_home_t *home, const og_home_t *last,
    const og_set_t *sets);
static int og_json_leads_to(og_json_way_t *way, const unsigned char *p,
    const og_set_t *set, og_set_token_t *name);
static void og_json_way_pass(og_json_way_t *way, const unsigned char *end);
static const og_set_t *og_json_set_others(og_json_body_t *body,
    const og_home_t *homes, size_t nhomes, const og_set_t *sets, size_t from,
    size_t to);


const og_set_t *
og_json_set(unsigned char *body, size_t *len, const og_home_t *homes,
    size_t nhomes, const og_set_t *sets, size_t nsets)
{
    size_t           from, to;
    const og_set_t  *stray;
    og_json_body_t   edited;

    edited.data = body;
    edited.len = *len;
    edited.room = og_set_room(sets, nsets);
    stray = NULL;

    if (nhomes > 0 && edited.room > 0) {
        og_json_set_homes(&edited, homes, nhomes, sets);
    }

    for (from = 0; from < nsets && stray == NULL; from = to) {
        to = (nsets - from > OG_JSON_FIELDS) ? from + OG_JSON_FIELDS : nsets;
        stray = og_json_set_others(&edited, homes, nhomes, sets, from, to);
    }

    *len = edited.len;

    return stray;
}


static void
og_json_set_homes(og_json_body_t *body, const og_home_t *homes, size_t nhomes,
    const og_set_t *sets)
{
    og_json_way_t         way;
    og_json_edit_t        edit;
    const og_home_t      *home;
    const unsigned char  *start;

    edit = og_json_edit(body, body->data + homes->at);
    start = edit.src - homes->at;
    home = homes;

    memset(&way, 0, sizeof(og_json_way_t));
    way.p = body->data;

    while (home < homes + nhomes) {
        og_json_edit_pass(&edit, start + home->at);
        home = og_json_set_home(&edit, &way, home, homes + nhomes, sets);
    }

    og_json_edit_end(&edit, body);
}


/* Writes all fields that stood where the first did; returns the next one. */
static const og_home_t *
og_json_set_home(og_json_edit_t *edit, og_json_way_t *way,
    const og_home_t *home, const og_home_t *last, const og_set_t *sets)
{
    int                   behind;
    size_t                at;
    unsigned char        *start;
    const og_set_t       *set;
    og_set_token_t        name;
    const unsigned char  *p;

    at = home->at;
    behind = home->behind;
    start = edit->dst;

    for ( /* void */ ; home < last && home->at == at; home++) {
        set = &sets[home->set];

        if (set->value_len == 0
            || !og_json_leads_to(way, edit->dst, set, &name))
        {
            continue;
        }

        if (behind || edit->dst > start) {
            *edit->dst++ = ',';
        }

        edit->dst = og_set_put_name(edit->dst, name);
        *edit->dst++ = ':';
        edit->dst = og_set_put_value(edit->dst, set);
    }

    if (!behind && edit->dst > start) {
        p = og_json_skip_run(edit->src, edit->end);

        if (p < edit->end && *p != '}') {
            *edit->dst++ = ',';
        }
    }

    return home;
}


/*
 * Whether what is written up to p leads to the place of a field, name by name:
 * one that matches its pointer in another case, or as "data.user", stood
 * somewhere else.  A bare name has no other home than the root, as its rule
 * says.  Finds the name to write, too.
 */
static int
og_json_leads_to(og_json_way_t *way, const unsigned char *p,
    const og_set_t *set, og_set_token_t *name)
{
    size_t         level;
    og_set_path_t  path;

    path = og_set_path(set);
    *name = og_set_path_next(&path);

    if (path.bare) {
        return 1;
    }

    while (way->p < p) {
        og_json_way_pass(way, p);
    }

    for (level = 1; !og_set_path_is_done(&path); level++) {

        if (level >= OG_JSON_LEVELS
            || way->names[level].type == OG_JSON_NONE
            || og_json_compare_name(&way->names[level], *name) != 0)
        {
            return 0;
        }

        *name = og_set_path_next(&path);
    }

    return level == way->level;
}


/*
 * Passes a string, or a byte of anything else.  A string in an array passes
 * for a name: to a field that it seems to lead to, there is an array on the
 * way, and no place.
 */
static void
og_json_way_pass(og_json_way_t *way, const unsigned char *end)
{
    og_fault_t          fault;
    og_json_value_t     name;
    og_json_spelling_e  spelling;

    switch (*way->p) {

    case '"':
        name.type = OG_JSON_STRING;
        name.data = way->p;
        way->p = og_json_string(way->p + 1, end, &spelling, &fault);
        name.len = (size_t) (way->p - name.data);

        if (way->level < OG_JSON_LEVELS) {
            way->names[way->level] = name;
        }

        return;

    case '{':
    case '[':
        way->level++;
        break;

    case '}':
    case ']':
        way->level--;
        break;

    default:
        break;
    }

    way->p++;
}


/*
 * Adds those of the sets [from, to) that are not home; of those that have a
 * home it is seen on the way whether they are.
 */
static const og_set_t *
og_json_set_others(og_json_body_t *body, const og_home_t *homes,
    size_t nhomes, const og_set_t *sets, size_t from, size_t to)
{
    size_t            i, n;
    og_json_field_t   fields[OG_JSON_FIELDS];

    memset(fields, 0, (to - from) * sizeof(og_json_field_t));

    for (i = 0; i < nhomes; i++) {

        if (homes[i].set >= from && homes[i].set < to) {
            fields[homes[i].set - from].has_home = 1;
        }
    }

    n = 0;

    for (i = from; i < to; i++) {
        fields[n].has_home = fields[i - from].has_home;
        fields[n].set = &sets[i];

        if (sets[i].value_len > 0
            && !(fields[n].has_home && og_set_path(&sets[i]).bare))
        {
            n++;
        }
    }

    return (n > 0) ? og_json_add(body, fields, n) : NULL;
}
