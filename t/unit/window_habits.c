
/*
 * Copyright (C) order guard contributors
 */


#include "window_habits.h"


static uint64_t next_steady(world_t *world);
static uint64_t next_edges(world_t *world);
static uint64_t next_random(world_t *world);
static uint64_t next_on_off(world_t *world);
static uint64_t next_greedy(world_t *world);
static uint64_t next_obedient(world_t *world);
static uint64_t next_greedy_within(world_t *world);
static uint64_t next_random_within(world_t *world);
static uint64_t next_edges_within(world_t *world);


const habit_t  window_habits[] = {
    { "steady at the limit", next_steady, 0 },
    { "steady, alone", next_steady, STEADY|ALONE|STICKY|REPLAYS },
    { "steady, alone, on all gateways", next_steady, STEADY|ALONE|REPLAYS },
    { "bursts at edges", next_edges, 0 },
    { "bursts at edges, with replays", next_edges, REPLAYS },
    { "random, with replays", next_random, REPLAYS },
    { "on and off", next_on_off, 0 },
    { "as soon as one should be free", next_greedy, 0 },
    { "as soon as one should be free, alone", next_greedy, ALONE|STICKY },
    { "as soon as one should be free, with replays", next_greedy, REPLAYS },
    { "as soon as it is told", next_obedient, 0 },
    { "greedy within", next_greedy_within, WITHIN|ALONE|STICKY|REPLAYS },
    { "random within", next_random_within, WITHIN|ALONE|STICKY|REPLAYS },
    { "greedy within, on all gateways", next_greedy_within,
      WITHIN|ALONE|REPLAYS },
    { "edges within, on all gateways", next_edges_within,
      WITHIN|ALONE|REPLAYS },
};


const size_t  window_nhabits = sizeof(window_habits) / sizeof(habit_t);


static uint64_t
next_steady(world_t *world)
{
    return world->start
           + world->step * world->model.window.window
             / world->model.window.limit;
}


/* About as many as the limit around the edge of a slot, or of a window. */
static uint64_t
next_edges(world_t *world)
{
    uint64_t  edge, now, slots;

    now = world->model.now;

    if (world->left) {
        world->left--;
        return below(world, 4) ? now
                               : now + below(world, 3 + world->width / 500);
    }

    world->left = below(world, world->model.window.limit + 3);

    slots = below(world, 2) ? 1 : WORLD_SLOTS;
    edge = (now / world->width / slots + 1 + below(world, 2)) * slots;

    return edge * world->width - below(world, world->width);
}


static uint64_t
next_random(world_t *world)
{
    uint64_t  period;

    period = world->model.window.window / world->model.window.limit;

    return world->model.now
           + (below(world, world->model.window.limit) == 0
              ? below(world, 3 * world->model.window.window)
              : below(world, period + 2));
}


static uint64_t
next_on_off(world_t *world)
{
    uint64_t  limit, window;

    limit = world->model.window.limit;
    window = world->model.window.window;

    if (world->left) {
        world->left--;
        return world->model.now + below(world, window / limit / 2 + 2);
    }

    world->left = 2 * limit;

    return world->model.now + below(world, window + window / 2);
}


/*
 * By the exact log, as far as the clocks may be wrong; and by what it cannot
 * know, where a gateway takes the edge of the next slot to be.
 */
static uint64_t
next_greedy(world_t *world)
{
    int64_t             offset;
    uint64_t            free_at, limit, now, edge, at;
    const og_window_t  *window;

    now = world->model.now;
    window = &world->model.window;
    limit = window->limit;

    if (world->left) {
        world->left--;
        return now + (below(world, 8) == 0);
    }

    world->choice = (unsigned) below(world, world->model.ngateways);

    free_at = (world->nadmitted < limit) ? now
              : world->admitted[(world->nadmitted - limit) % WORLD_LOG].at
                + window->window - world->blur;

    if (now < free_at) {
        return free_at + below(world, 3);
    }

    if (below(world, 4) == 0) {
        return now + below(world, world->width);
    }

    world->left = below(world, limit);

    offset = model_offset(&world->model.gateways[world->choice]);
    edge = (og_window_slot(window, (uint64_t) ((int64_t) now + offset)) + 1)
           * world->width;
    at = (uint64_t) ((int64_t) edge - offset) - below(world, 2);

    return at > now ? at : now;
}


/* Who was refused asks when the wait is over, and at times a ms before. */
static uint64_t
next_obedient(world_t *world)
{
    uint64_t       then;
    model_unit_t  *last;

    last = &world->last;

    if (last->gateway == NULL || last->verdict.admitted) {
        return world->model.now + below(world, 2);
    }

    then = (uint64_t) ((int64_t) (last->asked + last->verdict.wait)
                       - model_offset(last->gateway))
           - (below(world, 8) == 0);

    return then > world->model.now ? then : world->model.now + 1;
}


static uint64_t
within(world_t *world, uint64_t wanted)
{
    uint64_t  limit, allowed;

    limit = world->model.window.limit;

    if (world->step < limit) {
        return wanted;
    }

    allowed = world->asked_at[world->step % limit] + 21 * world->width
              + world->blur;

    return wanted > allowed ? wanted : allowed;
}


static uint64_t
next_greedy_within(world_t *world)
{
    return within(world, world->model.now);
}


static uint64_t
next_random_within(world_t *world)
{
    return within(world, next_random(world));
}


static uint64_t
next_edges_within(world_t *world)
{
    return within(world, next_edges(world));
}
