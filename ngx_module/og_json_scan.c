
/*
 * Copyright (C) order guard contributors
 *
 * The pass: one loop over the members and elements of a document, with a
 * frame for each object and array that is open.  Functions take the first
 * byte that is not read yet and return the next such, or NULL to stop.
 */


#include <stdlib.h>
#include <string.h>

#include "og_grow.h"
#include "og_json_scan.h"


static const unsigned char *og_json_root(og_json_t *json);
static const unsigned char *og_json_part(og_json_t *json,
    const unsigned char *p);
static const unsigned char *og_json_member(og_json_t *json,
    const unsigned char *p);
static const unsigned char *og_json_name(og_json_t *json,
    const unsigned char *p, og_name_t *name);
static const unsigned char *og_json_name_unescape(og_json_t *json,
    og_json_raw_name_t raw, og_name_t *name);
static const unsigned char *og_json_element(og_json_t *json,
    const unsigned char *p);
static const unsigned char *og_json_judge(og_json_t *json,
    const unsigned char *p, int nested);
static const unsigned char *og_json_value(og_json_t *json,
    const unsigned char *p, og_json_fate_e fate);
static const unsigned char *og_json_open(og_json_t *json,
    const unsigned char *p, og_json_fate_e fate);
static const unsigned char *og_json_close(og_json_t *json,
    const unsigned char *p);
static void og_json_keep(og_json_t *json);
static const unsigned char *og_json_cut(og_json_t *json,
    const unsigned char *end);
static const unsigned char *og_json_cut_range(og_json_t *json, size_t start,
    const unsigned char *end);
static const unsigned char *og_json_fail(og_json_t *json,
    const unsigned char *at, const char *message);
static const unsigned char *og_json_no_memory(og_json_t *json);


void
og_json_document(og_json_t *json)
{
    const unsigned char  *p;

    p = og_json_root(json);

    while (p != NULL && json->frame->close != 0) {
        p = og_json_part(json, p);
    }

    if (p == NULL) {
        return;
    }

    p = og_json_skip_space(p, json->end);

    if (p < json->end) {
        (void) og_json_fail(json, p, "text after the document");
    }
}


static const unsigned char *
og_json_root(og_json_t *json)
{
    const unsigned char  *p;

    p = json->data;

    if (json->end - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
        return og_json_fail(json, p, "a byte order mark");
    }

    p = og_json_skip_space(p, json->end);

    if (p == json->end) {
        return og_json_fail(json, p, "the document is empty");
    }

    if (json->place.listing != OG_LISTED_WITH_ALL && *p != '{' && *p != '['
        && json->rules->fields != NULL)
    {
        return og_json_fail(json, p, "the document is no object or array");
    }

    return og_json_value(json, p, OG_JSON_STAYS);
}


/* Takes the next member or element of the innermost frame, or its end. */
static const unsigned char *
og_json_part(og_json_t *json, const unsigned char *p)
{
    og_json_frame_t  *frame;

    frame = json->frame;
    frame->part = NULL;

    p = og_json_skip_space(p, json->end);

    if (p == json->end) {
        return og_json_fail(json, p, "the document has no end");
    }

    if (*p == frame->close) {
        return og_json_close(json, p + 1);
    }

    if (frame->nparts > 0) {

        if (*p != ',') {
            return og_json_fail(json, p, "a comma is missing");
        }

        frame->comma = p;
        p = og_json_skip_space(p + 1, json->end);

        if (p == json->end) {
            return og_json_fail(json, p, "the document has no end");
        }
    }

    frame->nparts++;

    return (frame->close == '}') ? og_json_member(json, p)
                                 : og_json_element(json, p);
}


static const unsigned char *
og_json_member(og_json_t *json, const unsigned char *p)
{
    int               nested;
    og_name_t         name;
    og_json_frame_t  *frame;

    frame = json->frame;

    p = og_json_name(json, p, &name);
    if (p == NULL) {
        return NULL;
    }

    p = og_json_skip_space(p, json->end);

    if (p == json->end || *p != ':') {
        return og_json_fail(json, p, "a colon is missing");
    }

    p = og_json_skip_space(p + 1, json->end);

    if (p == json->end) {
        return og_json_fail(json, p, "a value is missing");
    }

    if (json->rules->fields == NULL) {
        return og_json_value(json, p, OG_JSON_STAYS);
    }

    nested = (*p == '{' || *p == '[');

    if (og_fields_pass(&json->filter, &frame->place, &name)) {

        if (nested) {
            json->place = og_fields_nowhere(&frame->place);
        }

        return og_json_value(json, p, frame->inner);
    }

    if (og_fields_member(json->rules->fields, &json->walk, &frame->place,
                         &name, &json->place)
        != 0)
    {
        return og_json_no_memory(json);
    }

    return og_json_judge(json, p, nested);
}


/* Takes the name of a member and sees that its object has it once. */
static const unsigned char *
og_json_name(og_json_t *json, const unsigned char *p, og_name_t *name)
{
    size_t                room;
    og_json_seen_e        seen;
    og_json_raw_name_t    raw;
    og_json_spelling_e    spelling;
    const unsigned char  *start;

    start = p;

    if (*p != '"') {
        return og_json_fail(json, p, "a name is missing");
    }

    p = og_json_string(p + 1, json->end, &spelling, &json->fault);
    if (p == NULL) {
        return og_json_fail(json, json->fault.at, json->fault.message);
    }

    json->frame->part = start;

    raw.data = start + 1;
    raw.len = (size_t) (p - raw.data) - 1;

    name->data = raw.data;
    name->len = raw.len;
    room = (size_t) (json->end - raw.data);

    if (spelling == OG_JSON_ESCAPED) {

        if (og_json_name_unescape(json, raw, name) == NULL) {
            return NULL;
        }

        room = name->len + 16;
    }

    name->sketch = og_sketch(json->sketch_key, name->data, name->len, room);
    seen = og_json_names_add(&json->names, &json->frame->names, raw,
                             name->sketch.word);

    if (seen == OG_JSON_NAME_NEW) {
        return p;
    }

    return (seen == OG_JSON_NAME_REPEATED)
           ? og_json_fail(json, start, "a name is repeated")
           : og_json_no_memory(json);
}


static const unsigned char *
og_json_name_unescape(og_json_t *json, og_json_raw_name_t raw,
    og_name_t *name)
{
    ptrdiff_t  len;

    len = og_json_text_unescape(&json->name, raw);

    if (len == -1) {
        return og_json_no_memory(json);
    }

    name->data = json->name.data;
    name->len = (size_t) len;

    if (memchr(name->data, '\0', name->len) != NULL) {
        return og_json_fail(json, raw.data - 1, "a name has a NUL");
    }

    return name->data;
}


static const unsigned char *
og_json_element(og_json_t *json, const unsigned char *p)
{
    og_json_frame_t    *frame;
    const og_fields_t  *fields;

    frame = json->frame;
    frame->part = p;
    fields = json->rules->fields;

    if (fields == NULL) {
        return og_json_value(json, p, OG_JSON_STAYS);
    }

    if (frame->nparts == 1) {
        frame->alike = og_fields_elements_are_alike(fields, &json->walk,
                                                    &frame->place);
    }

    if (frame->nparts == 1 || !frame->alike) {

        if (og_fields_element(fields, &json->walk, &frame->place,
                              frame->nparts - 1, &frame->element)
            != 0)
        {
            return og_json_no_memory(json);
        }
    }

    json->place = frame->element;

    return og_json_judge(json, p, *p == '{' || *p == '[');
}


/*
 * Turns what the rules say into a fate.  What is rejected is looked for even
 * in what is cut: the request had it.
 */
static const unsigned char *
og_json_judge(og_json_t *json, const unsigned char *p, int nested)
{
    og_json_fate_e      fate;
    og_field_verdict_e  verdict;

    fate = json->frame->inner;
    verdict = og_fields_judge(&json->place, nested);

    if (verdict == OG_FIELD_UNLISTED && json->rules->reject_unlisted) {
        verdict = OG_FIELD_REJECTED;
    }

    switch (verdict) {

    case OG_FIELD_PASSES:
        break;

    case OG_FIELD_STRIPPED:
    case OG_FIELD_UNLISTED:

        if (fate == OG_JSON_STAYS) {
            og_json_list(json, &json->stripped);
            fate = OG_JSON_GOES;
            json->place.listing = OG_LISTED_WITH_ALL;
        }

        break;

    case OG_FIELD_REJECTED:
        og_json_list(json, &json->rejected);
        json->status = OG_JSON_FORBIDDEN;
        json->place.listing = OG_LISTED_WITH_ALL;
        break;
    }

    return og_json_value(json, p, fate);
}


static const unsigned char *
og_json_value(og_json_t *json, const unsigned char *p, og_json_fate_e fate)
{
    og_json_spelling_e  spelling;

    switch (*p) {

    case '{':
    case '[':
        return og_json_open(json, p, fate);

    case '"':
        p = og_json_string(p + 1, json->end, &spelling, &json->fault);
        break;

    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        p = og_json_number(p, json->end, &json->fault);
        break;

    default:
        p = og_json_literal(p, json->end, &json->fault);
        break;
    }

    if (p == NULL) {
        return og_json_fail(json, json->fault.at, json->fault.message);
    }

    if (fate == OG_JSON_STAYS) {
        og_json_keep(json);
        return p;
    }

    return (fate == OG_JSON_GOES) ? og_json_cut(json, p) : p;
}


static const unsigned char *
og_json_open(og_json_t *json, const unsigned char *p, og_json_fate_e fate)
{
    void             *grown;
    size_t            depth;
    og_json_frame_t  *frame;

    depth = (size_t) (json->frame - json->frames);

    if (depth >= json->rules->max_depth) {
        return og_json_fail(json, p, "nested too deep");
    }

    if (fate == OG_JSON_STAYS) {
        og_json_keep(json);
    }

    if (depth + 2 > json->frames_alloc) {
        grown = og_grow(json->frames, &json->frames_alloc, depth + 2,
                        sizeof(og_json_frame_t));
        if (grown == NULL) {
            return og_json_no_memory(json);
        }

        json->frames = grown;
        json->frame = json->frames + depth;
    }

    frame = ++json->frame;

    frame->part = NULL;
    frame->comma = NULL;
    frame->nparts = 0;
    frame->close = (*p == '{') ? '}' : ']';
    frame->fate = fate;
    frame->inner = (fate == OG_JSON_STAYS) ? OG_JSON_STAYS : OG_JSON_GONE;
    frame->had = OG_JSON_HAD_NOTHING;
    frame->place = json->place;
    og_json_names_open(&frame->names, &frame[-1].names);

    return p + 1;
}


static const unsigned char *
og_json_close(og_json_t *json, const unsigned char *p)
{
    og_json_fate_e  fate;

    fate = json->frame->fate;
    json->frame--;

    return (fate == OG_JSON_GOES) ? og_json_cut(json, p) : p;
}


/*
 * The part at hand stays.  Parts in front of it that were all cut have taken
 * no comma with them: theirs go now, with the white space up to here.
 */
static void
og_json_keep(og_json_t *json)
{
    og_json_frame_t  *frame;

    frame = json->frame;

    if (frame->had == OG_JSON_HAD_CUT) {
        json->cuts[json->ncuts - 1].end = (size_t) (frame->part - json->data);
    }

    frame->had = OG_JSON_HAD_KEPT;
}


/*
 * The part at hand, which ends at end, goes: behind one that stays together
 * with the comma between them.
 */
static const unsigned char *
og_json_cut(og_json_t *json, const unsigned char *end)
{
    size_t            start;
    og_json_frame_t  *frame;

    frame = json->frame;
    start = (size_t) (frame->part - json->data);

    switch (frame->had) {

    case OG_JSON_HAD_NOTHING:
        frame->had = OG_JSON_HAD_CUT;
        break;

    case OG_JSON_HAD_CUT:
        json->cuts[json->ncuts - 1].end = (size_t) (end - json->data);
        return end;

    case OG_JSON_HAD_KEPT:
        start = (size_t) (frame->comma - json->data);
        break;
    }

    if (json->ncuts > 0 && json->cuts[json->ncuts - 1].end == start) {
        json->cuts[json->ncuts - 1].end = (size_t) (end - json->data);
        return end;
    }

    return og_json_cut_range(json, start, end);
}


static const unsigned char *
og_json_cut_range(og_json_t *json, size_t start, const unsigned char *end)
{
    void  *grown;

    if (json->ncuts == json->cuts_alloc) {
        grown = og_grow(json->cuts, &json->cuts_alloc, json->ncuts + 1,
                        sizeof(og_range_t));
        if (grown == NULL) {
            return og_json_no_memory(json);
        }

        json->cuts = grown;
    }

    json->cuts[json->ncuts].start = start;
    json->cuts[json->ncuts].end = (size_t) (end - json->data);
    json->ncuts++;

    return end;
}


void
og_json_list(og_json_t *json, og_json_paths_t *paths)
{
    size_t            start;
    og_json_frame_t  *frame;

    if (paths->full) {
        return;
    }

    start = og_json_paths_begin(paths);

    for (frame = json->frames + 1; frame <= json->frame; frame++) {

        if (frame->part == NULL) {
            break;
        }

        if (frame->close == '}') {
            og_json_paths_name(paths, frame->part + 1);

        } else {
            og_json_paths_index(paths, frame->nparts - 1);
        }
    }

    og_json_paths_end(paths, start);
}


static const unsigned char *
og_json_fail(og_json_t *json, const unsigned char *at, const char *message)
{
    json->status = OG_JSON_MALFORMED;

    return og_json_fault(&json->fault, at, message);
}


static const unsigned char *
og_json_no_memory(og_json_t *json)
{
    json->status = OG_JSON_NO_MEMORY;

    return NULL;
}
