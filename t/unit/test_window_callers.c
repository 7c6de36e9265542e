
/*
 * Copyright (C) order guard contributors
 *
 * The sliding window: callers of every habit in simulated time, against an
 * exact log of what was admitted.  OG_SEED=number repeats a run.
 */


#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "og_window.h"


#define STEPS       40000
#define MAX_LIMIT   5000
#define RING        32
#define SECOND      1000ULL
#define DAY         86400000ULL


typedef enum {
    MUST_NOT_EXCEED = 0,
    MUST_NEVER_REFUSE,
    MUST_PASS_STEADY
} promise_e;


/*
 * The world of one caller: a store that counts slots, and the exact times of
 * the last admitted and asked units, by which the store is judged.
 */
typedef struct {
    const char           *rate;
    const char           *caller;
    og_window_t           window;
    uint64_t              start;
    uint64_t              now;

    uint64_t              step;
    uint64_t              nadmitted;
    uint64_t              admitted_at[MAX_LIMIT];
    uint64_t              asked_at[MAX_LIMIT];

    uint64_t              slots[RING];
    int64_t               counts[RING];
} world_t;


typedef struct {
    const char           *name;
    uint64_t            (*next)(const world_t *world);    /* time of asking */
    promise_e             promise;
} caller_t;


static void check_step(world_t *world, promise_e promise);
static void check_end(const world_t *world, promise_e promise);
static void check_retry_after(const world_t *world,
    const og_window_verdict_t *verdict);
static void check_reset(const world_t *world,
    const og_window_verdict_t *verdict);
static og_window_verdict_t peek(const world_t *world, uint64_t now);
static int64_t count_of(const world_t *world, uint64_t slot);
static void count_unit(world_t *world);
static void check(const world_t *world, int holds, const char *what);

static uint64_t next_steady(const world_t *world);
static uint64_t next_flood(const world_t *world);
static uint64_t next_drip(const world_t *world);
static uint64_t next_random(const world_t *world);
static uint64_t next_burst_at_edge(const world_t *world);
static uint64_t next_burst_then_drip(const world_t *world);
static uint64_t next_greedy_within(const world_t *world);
static uint64_t next_random_within(const world_t *world);
static uint64_t within(const world_t *world, uint64_t wanted);

static uint64_t below(uint64_t bound);
static void choose_seed(void);


static uint64_t  seed, dice;


static const caller_t  callers[] = {
    { "steady at the limit", next_steady, MUST_PASS_STEADY },
    { "flood", next_flood, MUST_NOT_EXCEED },
    { "drip", next_drip, MUST_NOT_EXCEED },
    { "random", next_random, MUST_NOT_EXCEED },
    { "burst at the window's edge", next_burst_at_edge, MUST_NOT_EXCEED },
    { "burst, then drip", next_burst_then_drip, MUST_NOT_EXCEED },
    { "greedy within 21/20", next_greedy_within, MUST_NEVER_REFUSE },
    { "random within 21/20", next_random_within, MUST_NEVER_REFUSE },
};


static const char  *simulated_rates[] = {
    "1r/s", "7r/3s", "5r/m", "20r/s", "60r/m", "100r/10s", "1000r/h",
    "5000r/d",
};


static void
test_callers_of_every_habit(void **state)
{
    size_t    c, r;
    uint64_t  steps;
    world_t  *world;

    (void) state;

    world = malloc(sizeof(world_t));
    assert_non_null(world);

    steps = 0;

    for (r = 0; r < sizeof(simulated_rates) / sizeof(char *); r++) {
        for (c = 0; c < sizeof(callers) / sizeof(callers[0]); c++) {
            memset(world, 0, sizeof(world_t));

            world->rate = simulated_rates[r];
            world->caller = callers[c].name;
            world->start = 1700000000000ULL + below(100 * DAY);
            world->now = world->start;

            assert_null(og_window_parse(&world->window, world->rate,
                                        strlen(world->rate)));
            assert_true(world->window.limit <= MAX_LIMIT);

            while (world->step < STEPS) {
                world->now = callers[c].next(world);
                check_step(world, callers[c].promise);
                world->step++;
            }

            check_end(world, callers[c].promise);
            steps += world->step;
        }
    }

    free(world);

    print_message("%" PRIu64 " units judged\n", steps);
    assert_true(steps >= 1000000);
}


static void
check_step(world_t *world, promise_e promise)
{
    uint64_t             limit, last;
    og_window_verdict_t  verdict;

    limit = world->window.limit;
    verdict = peek(world, world->now);
    world->asked_at[world->step % limit] = world->now;

    if (verdict.admitted) {
        last = world->admitted_at[world->nadmitted % limit];

        check(world, world->nadmitted < limit
                     || world->now - last > world->window.window,
              "more than the limit in a window");

        world->admitted_at[world->nadmitted % limit] = world->now;
        world->nadmitted++;
        count_unit(world);

    } else {
        check(world, promise != MUST_NEVER_REFUSE,
              "refused within the limit over 21/20 of the window");
    }

    check_retry_after(world, &verdict);
    check_reset(world, &verdict);
}


/*
 * A unit that was admitted is free again after 21/20 of the window at most,
 * so a steady caller gets limit of every ceil(21/20 x limit) units; that is
 * 20 of 21 only where the limit is a multiple of 20.
 */

static void
check_end(const world_t *world, promise_e promise)
{
    uint64_t  limit, round;

    limit = world->window.limit;
    round = (21 * limit + 19) / 20;

    if (promise != MUST_PASS_STEADY) {
        return;
    }

    check(world, world->nadmitted >= world->step / round * limit,
          "a steady caller got less than limit of 21/20 x limit");

    if (limit % 20 == 0) {
        check(world, world->nadmitted * 100 >= world->step * 95,
              "a steady caller got less than 95 %");
    }
}


static void
check_retry_after(const world_t *world, const og_window_verdict_t *verdict)
{
    uint64_t  seconds;

    seconds = verdict->retry_after;

    if (verdict->admitted) {
        check(world, seconds == 0, "admitted, yet told to retry");
        return;
    }

    check(world, verdict->remaining == 0, "refused, yet units remain");
    check(world, seconds >= 1, "retry_after is 0");
    check(world, seconds >= verdict->reset, "retry_after before reset");
    check(world, peek(world, world->now + seconds * SECOND).admitted,
          "refused after retry_after");
    check(world, !peek(world, world->now + (seconds - 1) * SECOND).admitted,
          "retry_after is a second too long");
}


static void
check_reset(const world_t *world, const og_window_verdict_t *verdict)
{
    og_window_verdict_t  before, after;

    check(world, verdict->reset >= 1, "reset is 0 while units are in use");

    before = peek(world, world->now + (verdict->reset - 1) * SECOND);
    after = peek(world, world->now + verdict->reset * SECOND);

    check(world, after.admitted && after.remaining >= verdict->remaining,
          "no unit came free at reset");
    check(world, !before.admitted || before.remaining < verdict->remaining,
          "reset is a second too long");
}


/* What one more unit would get, without counting it. */

static og_window_verdict_t
peek(const world_t *world, uint64_t now)
{
    int                  i;
    int64_t              closed[OG_WINDOW_SLOTS];
    uint64_t             slot;
    og_window_verdict_t  verdict;

    slot = og_window_slot(&world->window, now);

    for (i = 0; i < OG_WINDOW_SLOTS; i++) {
        closed[i] = count_of(world, slot - 1 - (uint64_t) i);
    }

    og_window_judge(&world->window, now, closed, count_of(world, slot) + 1,
                    &verdict);

    return verdict;
}


static int64_t
count_of(const world_t *world, uint64_t slot)
{
    return world->slots[slot % RING] == slot ? world->counts[slot % RING] : 0;
}


static void
count_unit(world_t *world)
{
    uint64_t  slot;

    slot = og_window_slot(&world->window, world->now);

    world->counts[slot % RING] = count_of(world, slot) + 1;
    world->slots[slot % RING] = slot;
}


static void
check(const world_t *world, int holds, const char *what)
{
    if (holds) {
        return;
    }

    fail_msg("%s: %s, step %" PRIu64 ", %" PRIu64 " ms after the start at %"
             PRIu64 ": %s; OG_SEED=%" PRIu64, world->rate, world->caller,
             world->step, world->now - world->start, world->start, what,
             seed);
}


static uint64_t
next_steady(const world_t *world)
{
    return world->start
           + world->step * world->window.window / world->window.limit;
}


static uint64_t
next_flood(const world_t *world)
{
    return world->now + below(2 + world->window.window / 2000);
}


static uint64_t
next_drip(const world_t *world)
{
    uint64_t  period;

    period = world->window.window / world->window.limit;

    return world->now + period / 2 + below(period + 1);
}


static uint64_t
next_random(const world_t *world)
{
    uint64_t  period;

    period = world->window.window / world->window.limit;

    return world->now + (below(world->window.limit) == 0
                         ? below(3 * world->window.window)
                         : below(period + 2));
}


/* Two limits' worth around a multiple of the window, within a few slots. */

static uint64_t
next_burst_at_edge(const world_t *world)
{
    uint64_t  width, edge;

    width = world->window.window / OG_WINDOW_SLOTS;

    if (world->step % (2 * world->window.limit) != 0) {
        return world->now + below(2 * width / world->window.limit + 2);
    }

    edge = (world->now / world->window.window + 1) * world->window.window;

    while (edge < world->now + width) {
        edge += world->window.window;
    }

    return edge - 1 - below(width);
}


static uint64_t
next_burst_then_drip(const world_t *world)
{
    uint64_t  limit;

    limit = world->window.limit;

    return world->step / limit % 2 == 0
           ? world->now
           : world->now + world->window.window / limit;
}


static uint64_t
next_greedy_within(const world_t *world)
{
    return within(world, world->now);
}


static uint64_t
next_random_within(const world_t *world)
{
    return within(world, next_random(world));
}


static uint64_t
within(const world_t *world, uint64_t wanted)
{
    uint64_t  limit, allowed;

    limit = world->window.limit;

    if (world->step < limit) {
        return wanted;
    }

    allowed = world->asked_at[world->step % limit]
              + world->window.window / 20 * 21;

    return wanted > allowed ? wanted : allowed;
}


/* xorshift64: Marsaglia, "Xorshift RNGs", 2003. */

static uint64_t
below(uint64_t bound)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;

    return dice % bound;
}


static void
choose_seed(void)
{
    const char  *given;

    given = getenv("OG_SEED");
    seed = given ? strtoull(given, NULL, 10) : (uint64_t) time(NULL);
    dice = seed * 2 + 1;

    print_message("OG_SEED=%" PRIu64 "\n", seed);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_callers_of_every_habit),
    };

    choose_seed();

    return cmocka_run_group_tests_name("og_window callers", tests, NULL,
                                       NULL);
}
