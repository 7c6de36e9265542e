
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
#include "og_json.h"
#include "og_json_scan.h"
#include "og_json_token.h"


static const unsigned char *og_json_root(og_scanner_t *s,
    const unsigned char *p);
static int og_json_begin(og_scanner_t *s);
static const unsigned char *og_json_next(og_scanner_t *s,
    const unsigned char *p);
static const unsigned char *og_json_behind(og_scanner_t *s,
    const unsigned char *p);
static const unsigned char *og_json_member(og_scanner_t *s,
    const unsigned char *p);
static int og_json_once(og_scanner_t *s, og_json_raw_name_t raw,
    og_sketch_t sketch);
static const unsigned char *og_json_match(og_scanner_t *s,
    const unsigned char *p, const og_json_found_t *found);
static int og_json_restore(og_scanner_t *s, const og_json_step_t *step,
    int nested);
static const unsigned char *og_json_element(og_scanner_t *s,
    const unsigned char *p);
static const unsigned char *og_json_value(og_scanner_t *s,
    const unsigned char *p);
static const unsigned char *og_json_open(og_scanner_t *s,
    const unsigned char *p);
static const unsigned char *og_json_close(og_scanner_t *s,
    const unsigned char *p);
static void og_json_keep(og_scanner_t *s);
static const unsigned char *og_json_cut(og_scanner_t *s,
    const unsigned char *end);


const og_body_result_t *
og_json_scan(og_scanner_t *s, const og_body_rules_t *rules,
    const unsigned char *data, size_t len)
{
    if (og_scanner_begin(s, rules, data, len) == 0) {

        if (rules->fields != NULL) {
            s->spot = og_json_steps_root(rules->fields);
        }

        (void) og_json_document(s, s->data, len);
    }

    return og_scanner_finish(s);
}


int
og_json_document(og_scanner_t *s, const unsigned char *p, size_t len)
{
    const unsigned char  *end;

    end = s->end;
    s->end = p + len;

    p = og_json_root(s, p);

    while (p != NULL) {
        p = og_json_value(s, p);

        if (p != NULL) {
            p = og_json_next(s, p);
        }
    }

    if (s->status == OG_BODY_MALFORMED) {
        og_json_list(s, &s->pointer);
    }

    s->end = end;

    return s->status == OG_BODY_MALFORMED || s->status == OG_BODY_NO_MEMORY;
}


static const unsigned char *
og_json_root(og_scanner_t *s, const unsigned char *p)
{
    if (og_json_begin(s) != 0) {
        return og_scanner_no_memory(s);
    }

    if (s->end - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
        return og_scanner_fail(s, p, "a byte order mark");
    }

    p = og_json_space(s, p);

    if (p == s->end) {
        return og_scanner_fail(s, p, "the document is empty");
    }

    if (s->place.listing != OG_LISTED_WITH_ALL && *p != '{' && *p != '['
        && s->rules->fields != NULL && s->base.len == 0)
    {
        return og_scanner_fail(s, p, "the document is no object or array");
    }

    return p;
}


/* The frame at the bottom, which is the document as a whole. */
static int
og_json_begin(og_scanner_t *s)
{
    void             *grown;
    og_json_frame_t  *frame;

    static const uint64_t  no_names;

    if (s->frames == NULL) {
        grown = og_grow(NULL, &s->frames_alloc, 2, sizeof(og_json_frame_t));
        if (grown == NULL) {
            return -1;
        }

        s->frames = grown;
    }

    frame = s->frames;
    s->frame = frame;

    frame->nparts = 0;
    frame->close = 0;
    frame->inner = OG_JSON_STAYS;
    frame->had = OG_JSON_HAD_NOTHING;
    frame->part_spot = s->spot;
    og_json_names_begin(&frame->names);

    frame[1].place = s->place;

    if (s->rules->fields != NULL) {
        s->filter = og_fields_filter(s->rules->fields);

    } else {
        s->filter.words = &no_names;
        s->filter.shift = 31;
        frame[1].place.listing = OG_LISTED_WITH_ALL;
    }

    return 0;
}


/* Goes on to the next value; NULL also where the document ends. */
static const unsigned char *
og_json_next(og_scanner_t *s, const unsigned char *p)
{
    og_json_frame_t  *frame;

    frame = s->frame;

    if (og_rarely(p == s->end || *p != ',' || frame->nparts == 0)) {
        p = og_json_behind(s, p);

        if (p == NULL) {
            return NULL;
        }

        frame = s->frame;
    }

    if (frame->nparts > 0) {
        frame->comma = p;
        p = og_json_space(s, p + 1);

        if (p == s->end) {
            return og_json_fail(s, p, "the document has no end");
        }
    }

    frame->nparts++;

    return (frame->close == '}') ? og_json_member(s, p)
                                 : og_json_element(s, p);
}


/*
 * Takes what ends behind a value, or at once when it has just begun, up to a
 * comma or a first part.
 */
static const unsigned char *
og_json_behind(og_scanner_t *s, const unsigned char *p)
{
    og_json_frame_t  *frame;

    for ( ;; ) {
        frame = s->frame;
        p = og_json_space(s, p);

        if (frame->close == 0) {
            return (p == s->end)
                   ? NULL : og_scanner_fail(s, p, "text after the document");
        }

        if (p == s->end) {
            return og_json_fail(s, p, "the document has no end");
        }

        if (*p != frame->close) {
            break;
        }

        p = og_json_close(s, p + 1);

        if (p == NULL) {
            return NULL;
        }
    }

    if (frame->nparts > 0 && *p != ',') {
        return og_json_fail(s, p, "a comma is missing");
    }

    return p;
}


static const unsigned char *
og_json_member(og_scanner_t *s, const unsigned char *p)
{
    og_sketch_t          sketch;
    og_json_name_t      *known;
    og_json_found_t      found;
    og_json_raw_name_t   raw;

    known = og_json_known_next(&s->names.known, p, s->end);

    if (og_mostly(known != NULL)) {
        raw.data = p + 1;
        raw.len = known->len;
        sketch = known->sketch;
        p += raw.len + 3;

    } else {
        p = og_json_name(s, p, &found);

        if (p == NULL) {
            return NULL;
        }

        known = found.known;
        raw = found.raw;
        sketch = found.name.sketch;
    }

    s->frame->known = known;

    if (og_rarely(og_json_once(s, raw, sketch) != 0)) {
        return NULL;
    }

    p = og_json_space(s, p);

    if (p == s->end) {
        return og_scanner_fail(s, p, "a value is missing");
    }

    if (og_mostly(og_fields_pass(&s->filter, &s->frame->place, sketch)
                  && !og_json_is_nested(*p)))
    {
        return p;
    }

    if (og_mostly(known != NULL)) {
        found.name.data = raw.data;
        found.name.len = raw.len;
        found.name.sketch = sketch;
        found.known = known;
    }

    return og_json_match(s, p, &found);
}


/* Begins a part with its name, which the object must not have had. */
static int
og_json_once(og_scanner_t *s, og_json_raw_name_t raw, og_sketch_t sketch)
{
    og_json_seen_e    seen;
    og_json_frame_t  *frame;

    frame = s->frame;
    frame->part = raw.data - 1;
    seen = og_json_names_add(&s->names, &frame->names, raw, sketch.word);

    if (og_mostly(seen == OG_JSON_NAME_NEW)) {
        return 0;
    }

    if (seen == OG_JSON_NAME_REPEATED) {
        (void) og_scanner_fail(s, frame->part, "a name is repeated");

    } else {
        (void) og_scanner_no_memory(s);
    }

    return -1;
}


/* Asks the rules, or remembers what they said of that name there. */
static const unsigned char *
og_json_match(og_scanner_t *s, const unsigned char *p,
    const og_json_found_t *found)
{
    int                    nested;
    og_json_frame_t       *frame;
    og_field_verdict_e     verdict;
    const og_json_step_t  *step;

    frame = s->frame;

    if (s->rules->fields == NULL) {
        frame[1].place = og_fields_nowhere(&frame->place);
        return p;
    }

    nested = og_json_is_nested(*p);
    step = NULL;

    if (og_mostly(found->known != NULL)) {
        step = og_json_steps_find(&s->steps, frame->spot,
                                  found->known->number);
    }

    if (og_mostly(step != NULL
                  && og_json_restore(s, step, nested) == 0))
    {
        verdict = step->verdicts[nested];

    } else {

        if (og_json_match_anew(s, found) != 0) {
            return og_scanner_no_memory(s);
        }

        verdict = og_fields_judge(&frame[1].place, nested);
    }

    return (verdict == OG_FIELD_PASSES) ? p : og_json_decide(s, p, verdict);
}


/* Makes the place of the part at hand, as far as its value needs one. */
static int
og_json_restore(og_scanner_t *s, const og_json_step_t *step, int nested)
{
    og_json_frame_t  *frame;

    frame = s->frame;

    if (!nested) {
        frame[1].place.home = step->kept.place.home;
        return 0;
    }

    frame->part_spot = step->to;

    return og_fields_restore_place(&s->walk, &step->kept, &frame[1].place);
}


static const unsigned char *
og_json_element(og_scanner_t *s, const unsigned char *p)
{
    og_place_t       *place;
    og_json_frame_t  *frame;

    frame = s->frame;
    frame->part = p;

    if (s->rules->fields == NULL) {
        return p;
    }

    place = &frame[1].place;

    if (frame->nparts == 1 || !frame->alike) {

        if (og_json_find_element(s) != 0) {
            return og_scanner_no_memory(s);
        }

        frame->passes = (og_fields_judge(place, 0) == OG_FIELD_PASSES);

        if (!frame->passes) {
            frame->element = *place;
        }
    }

    if (frame->passes) {
        return p;
    }

    *place = frame->element;

    return og_json_decide(s, p, og_fields_judge(place, og_json_is_nested(*p)));
}


static const unsigned char *
og_json_value(og_scanner_t *s, const unsigned char *p)
{
    og_json_frame_t     *frame;
    og_json_spelling_e   spelling;

    if (*p == '"') {
        p = og_json_string(p + 1, s->end, &spelling, &s->fault);

    } else if (og_json_is_nested(*p)) {
        return og_json_open(s, p);

    } else if (*p == '-' || (*p >= '0' && *p <= '9')) {
        p = og_json_number(p, s->end, &s->fault);

    } else {
        p = og_json_literal(p, s->end, &s->fault);
    }

    if (p == NULL) {
        return og_scanner_fail(s, s->fault.at, s->fault.message);
    }

    frame = s->frame;

    if (og_mostly(frame->inner == OG_JSON_STAYS)) {
        og_json_keep(s);
        return p;
    }

    return (frame->inner == OG_JSON_GOES) ? og_json_cut(s, p) : p;
}


static const unsigned char *
og_json_open(og_scanner_t *s, const unsigned char *p)
{
    void             *grown;
    size_t            depth;
    og_json_fate_e    fate;
    og_json_frame_t  *frame;

    depth = (size_t) (s->frame - s->frames);
    fate = s->frame->inner;

    if (depth >= s->rules->max_depth) {
        return og_scanner_fail(s, p, "nested too deep");
    }

    if (fate == OG_JSON_STAYS) {
        og_json_keep(s);
    }

    if (depth + 3 > s->frames_alloc) {
        grown = og_grow(s->frames, &s->frames_alloc, depth + 3,
                        sizeof(og_json_frame_t));
        if (grown == NULL) {
            return og_scanner_no_memory(s);
        }

        s->frames = grown;
        s->frame = s->frames + depth;
    }

    frame = ++s->frame;

    frame->known = NULL;
    frame->nparts = 0;
    frame->close = (*p == '{') ? '}' : ']';
    frame->inner = (fate == OG_JSON_STAYS) ? OG_JSON_STAYS : OG_JSON_GONE;
    frame->had = OG_JSON_HAD_NOTHING;
    frame->spot = frame[-1].part_spot;
    frame->part_spot = OG_JSON_NO_SPOT;
    og_json_names_open(&s->names, &frame->names, &frame[-1].names);

    return p + 1;
}


static const unsigned char *
og_json_close(og_scanner_t *s, const unsigned char *p)
{
    s->frame--;

    return (s->frame->inner == OG_JSON_GOES) ? og_json_cut(s, p) : p;
}


/*
 * The part at hand stays.  Parts in front of it that were all cut have taken
 * no comma with them: theirs go now, with the white space up to here.
 */
static void
og_json_keep(og_scanner_t *s)
{
    og_json_frame_t  *frame;

    frame = s->frame;

    if (frame->had == OG_JSON_HAD_CUT) {
        og_scanner_last_cut(s)->end = (size_t) (frame->part - s->data);
    }

    frame->had = OG_JSON_HAD_KEPT;
}


/*
 * The part at hand, which ends at end, goes: behind one that stays together
 * with the comma between them.
 */
static const unsigned char *
og_json_cut(og_scanner_t *s, const unsigned char *end)
{
    og_json_frame_t  *frame;

    frame = s->frame;
    frame->inner = OG_JSON_STAYS;

    switch (frame->had) {

    case OG_JSON_HAD_NOTHING:
        frame->had = OG_JSON_HAD_CUT;
        break;

    case OG_JSON_HAD_CUT:
        og_scanner_last_cut(s)->end = (size_t) (end - s->data);
        return end;

    case OG_JSON_HAD_KEPT:
        return og_scanner_cut(s, frame->comma, end);
    }

    return og_scanner_cut(s, frame->part, end);
}
