
/*
 * Copyright (C) order guard contributors
 *
 * What the rules said before.  A step leads from an object to a member, or
 * from an array to its elements; it says the same in every body that the same
 * rules meet, so the answers to the latest questions are kept.  Private to
 * og_json.  Pure: libc only.
 */


#ifndef OG_JSON_STEPS_H_INCLUDED_
#define OG_JSON_STEPS_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "og_fields.h"


#define OG_JSON_STEPS_SHIFT  9        /* 512 are kept */

/* In place of a name's number: to the elements of an array. */
#define OG_JSON_TO_ELEMENTS  0

/*
 * Spots are numbers: one stands for the way from the root to an object or
 * array, under certain rules.  Where it is 0 nothing is kept.
 */
#define OG_JSON_NO_SPOT  0


typedef struct {
    uint64_t              from;       /* spot of the object or array */
    uint64_t              name;       /* number of the member's name */

    uint64_t              to;         /* spot of what is there, if that is an
                                         object or array */
    og_field_verdict_e    verdicts[2];    /* if it is not, and if it is */
    og_kept_place_t       kept;
} og_json_step_t;


typedef struct {
    uint64_t              spots;      /* that were given out */
    og_json_step_t        steps[1 << OG_JSON_STEPS_SHIFT];
} og_json_steps_t;


/* The spot of a body's root. */
static inline uint64_t
og_json_steps_root(const og_fields_t *fields)
{
    return (UINT64_C(1) << 63) | og_fields_id(fields);
}


/* A spot that is like no other, for what is reached in no way that is kept. */
static inline uint64_t
og_json_steps_spot(og_json_steps_t *steps)
{
    return ++steps->spots;
}


static inline og_json_step_t *
og_json_steps_slot(og_json_steps_t *steps, uint64_t from, uint64_t name)
{
    return &steps->steps[(from * 251 + name) * UINT64_C(0x9E3779B97F4A7C15)
                         >> (64 - OG_JSON_STEPS_SHIFT)];
}


/* The step, or NULL where it is not kept. */
static inline const og_json_step_t *
og_json_steps_find(og_json_steps_t *steps, uint64_t from, uint64_t name)
{
    const og_json_step_t  *step;

    step = og_json_steps_slot(steps, from, name);

    return (step->from == from && step->name == name
            && from != OG_JSON_NO_SPOT)
           ? step : NULL;
}


/*
 * Keeps the step to a place that was just made, instead of another one.
 * Returns the spot of what is there.
 */
uint64_t og_json_steps_keep(og_json_steps_t *steps, uint64_t from,
    uint64_t name, const og_fields_walk_t *walk, const og_place_t *place);


#endif /* OG_JSON_STEPS_H_INCLUDED_ */
