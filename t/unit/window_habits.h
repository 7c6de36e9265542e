
/*
 * Copyright (C) order guard contributors
 *
 * Callers of many habits, in the world of window_model.h: when each asks next,
 * by what it was told and by what it cannot know, the log of all that was
 * admitted.
 */


#ifndef WINDOW_HABITS_H_INCLUDED_
#define WINDOW_HABITS_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "window_model.h"


#define WORLD_MAX_LIMIT  5000
#define WORLD_MAX_ROUND  (2 * WORLD_MAX_LIMIT)
#define WORLD_LOG        16384
#define WORLD_ANY        MODEL_GATEWAYS

/* what is promised of the window, whatever it is cut into */
#define WORLD_SLOTS      20


/* The rules that a caller keeps. */
#define ALONE    1                    /* no unit is in flight when it asks */
#define STICKY   2                    /* on one gateway */
#define WITHIN   4                    /* the limit over 21/20 of the window */
#define STEADY   8                    /* at the limit */
#define REPLAYS  16                   /* and others repeat what is finished */


typedef struct world_s  world_t;


typedef struct {
    const char           *name;
    uint64_t            (*next)(world_t *world);    /* time of asking */
    unsigned              rules;
} habit_t;


typedef struct {
    uint64_t              at;
    uint64_t              slot;
} admitted_t;


/* One caller at one limit, what it did, and the truth about it. */
struct world_s {
    const char           *rate;
    const habit_t        *habit;
    model_t               model;
    uint64_t              start;
    uint64_t              width;      /* of a slot, ms */
    uint64_t              blur;       /* ms that the window may be shorter */

    uint64_t              step;
    uint64_t              left;       /* of a burst */
    unsigned              choice;     /* of a gateway; none: of any */
    uint64_t              round;      /* limit of so many asks must pass */
    uint64_t              passed;     /* of the last so many */
    model_unit_t          last;

    uint64_t              asked_at[WORLD_MAX_LIMIT];
    uint8_t               passes[WORLD_MAX_ROUND];
    uint64_t              nadmitted;
    admitted_t            admitted[WORLD_LOG];
};


extern const habit_t  window_habits[];
extern const size_t   window_nhabits;


#define below(world, n)  model_below(&(world)->model, n)


#endif /* WINDOW_HABITS_H_INCLUDED_ */
