
/*
 * Copyright (C) order guard contributors
 */


#include "og_json_steps.h"


uint64_t
og_json_steps_keep(og_json_steps_t *steps, uint64_t from, uint64_t name,
    const og_fields_walk_t *walk, const og_place_t *place)
{
    og_json_step_t  *step;

    if (from == OG_JSON_NO_SPOT) {
        return OG_JSON_NO_SPOT;
    }

    step = og_json_steps_slot(steps, from, name);

    if (og_fields_keep_place(walk, place, &step->kept) != 0) {
        step->from = OG_JSON_NO_SPOT;
        return OG_JSON_NO_SPOT;
    }

    step->from = from;
    step->name = name;
    step->to = og_json_steps_spot(steps);
    step->verdicts[0] = og_fields_judge(place, 0);
    step->verdicts[1] = og_fields_judge(place, 1);

    return step->to;
}
