
/*
 * Copyright (C) order guard contributors
 *
 * What becomes of members and elements that do not pass at first glance.
 */


#include "og_json_scan.h"


static const unsigned char *og_json_home(og_scanner_t *s);
static void og_json_list_name(og_scanner_t *s, og_paths_t *paths,
    const og_json_frame_t *frame);


int
og_json_match_anew(og_scanner_t *s, const og_json_found_t *found)
{
    og_place_t       *place;
    og_json_frame_t  *frame;

    frame = s->frame;
    place = &frame[1].place;

    if (og_fields_pass(&s->filter, &frame->place, found->name.sketch)) {
        *place = og_fields_nowhere(&frame->place);

    } else if (og_fields_member(s->rules->fields, &s->walk, &frame->place,
                                &found->name, place)
               != 0)
    {
        return -1;
    }

    frame->part_spot = (found->known != NULL)
                       ? og_json_steps_keep(&s->steps, frame->spot,
                                            found->known->number, &s->walk,
                                            place)
                       : OG_JSON_NO_SPOT;

    return 0;
}


int
og_json_find_element(og_scanner_t *s)
{
    og_place_t            *place;
    og_json_frame_t       *frame;
    const og_fields_t     *fields;
    const og_json_step_t  *step;

    frame = s->frame;
    place = &frame[1].place;
    fields = s->rules->fields;

    step = og_json_steps_find(&s->steps, frame->spot, OG_JSON_TO_ELEMENTS);

    if (step != NULL
        && og_fields_restore_place(&s->walk, &step->kept, place) == 0)
    {
        frame->alike = 1;
        frame->part_spot = step->to;
        return 0;
    }

    if (frame->nparts == 1) {
        frame->alike = og_fields_elements_are_alike(fields, &s->walk,
                                                    &frame->place);
    }

    if (og_fields_element(fields, &s->walk, &frame->place, frame->nparts - 1,
                          place)
        != 0)
    {
        return -1;
    }

    frame->part_spot = OG_JSON_NO_SPOT;

    if (frame->alike) {
        frame->part_spot = og_json_steps_keep(&s->steps, frame->spot,
                                              OG_JSON_TO_ELEMENTS, &s->walk,
                                              place);
    }

    if (frame->part_spot == OG_JSON_NO_SPOT) {
        frame->part_spot = og_json_steps_spot(&s->steps);
    }

    return 0;
}


/* What is rejected is looked for even in what is cut: the request had it. */

const unsigned char *
og_json_decide(og_scanner_t *s, const unsigned char *p,
    og_field_verdict_e verdict)
{
    og_json_frame_t  *frame;

    frame = s->frame;

    if ((verdict == OG_FIELD_UNLISTED && s->rules->reject_unlisted)
        || (verdict == OG_FIELD_STRAY && frame->inner == OG_JSON_STAYS))
    {
        verdict = OG_FIELD_REJECTED;
    }

    switch (verdict) {

    case OG_FIELD_PASSES:
    case OG_FIELD_STRAY:
        break;

    case OG_FIELD_STRIPPED:
    case OG_FIELD_UNLISTED:

        if (frame->inner == OG_JSON_STAYS) {
            og_json_list(s, &s->stripped);
            frame->inner = OG_JSON_GOES;
            frame[1].place.listing = OG_LISTED_WITH_ALL;

            if (frame[1].place.home != 0 && og_json_home(s) == NULL) {
                return NULL;
            }
        }

        break;

    case OG_FIELD_REJECTED:
        og_json_list(s, &s->rejected);

        if (s->status == OG_BODY_OK) {
            s->status = OG_BODY_FORBIDDEN;
        }

        frame[1].place.listing = OG_LISTED_WITH_ALL;
        break;
    }

    return p;
}


/* Where the part at hand stood, in case the gateway writes it. */
static const unsigned char *
og_json_home(og_scanner_t *s)
{
    og_json_frame_t  *frame;

    frame = s->frame;
    s->place.home = frame[1].place.home;

    return (frame->had == OG_JSON_HAD_KEPT)
           ? og_scanner_home(s, frame->comma, 1)
           : og_scanner_home(s, frame->part, 0);
}


void
og_json_list(og_scanner_t *s, og_paths_t *paths)
{
    size_t            start;
    og_json_frame_t  *frame;

    if (paths->full) {
        return;
    }

    start = og_paths_begin(paths);

    if (s->base.len > 0) {
        og_paths_join(paths, &s->base);
    }

    for (frame = s->frames + 1; frame <= s->frame; frame++) {

        if (frame->part == NULL) {
            break;
        }

        if (frame->close == '}') {
            og_json_list_name(s, paths, frame);

        } else {
            og_paths_index(paths, frame->nparts - 1);
        }
    }

    og_paths_end(paths, start);
}


/* A known name may have lost its place to another one meanwhile. */
static void
og_json_list_name(og_scanner_t *s, og_paths_t *paths,
    const og_json_frame_t *frame)
{
    const og_json_name_t  *known;

    known = frame->known;

    if (known != NULL && known->is_plain
        && og_json_name_is_at(known, frame->part,
                              (size_t) (s->end - frame->part)))
    {
        og_paths_short_name(paths, known->text + 1, known->len);
        return;
    }

    og_paths_name(paths, frame->part + 1);
}
