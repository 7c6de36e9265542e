
/*
 * Copyright (C) order guard contributors
 *
 * The sliding window on several gateways whose clocks are wrong and whose
 * commands interleave (window_model.h), against an exact log of what was
 * admitted, for callers of many habits.  Each property is a test of its own.
 * A failure prints the seed; OG_SEED=n OG_ROUNDS=1 runs it again, OG_ROUNDS=n
 * runs longer.
 */


#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "window_habits.h"


#define ROUNDS     2
#define STEPS      12000              /* of one caller at one limit */
#define QUIET      4000               /* steps between looks at all counters */
#define DAY        86400000ULL


typedef enum {
    NEVER_MORE = 0,
    NEVER_REFUSED,
    STEADY_SHARE,
    GIVEN_BACK,
    WAIT,
    NPROPERTIES
} property_e;


static uint64_t  seed;
static world_t   world_of_all;

static struct {
    uint64_t              broken;
    char                  first[400];
} properties[NPROPERTIES];

/* a generator that makes nothing of interest must be noticed */
static struct {
    uint64_t              worlds;
    uint64_t              judged;
    uint64_t              admitted;
    uint64_t              refused;
    uint64_t              replays;
    uint64_t              ahead;      /* judged with units of the next slot */
    uint64_t              tight;      /* a ms less would be too little */
    uint64_t              within;
    uint64_t              steady;
    uint64_t              returned;
    uint64_t              late;       /* returned to a slot that is closed */
    uint64_t              too_old;
    uint64_t              quiet;
    uint64_t              waits;
    uint64_t              waits_ahead;
} seen;


static const char  *rates[] = {
    "1r/s", "10r/s", "60r/m", "1000r/h", "5000r/d", "7r/10s", "1r/d", "20r/s"
};


#define count_of(array)  (sizeof(array) / sizeof((array)[0]))


static void
check(const world_t *world, property_e property, int holds, const char *what)
{
    const model_t  *model;

    if (holds || properties[property].broken++) {
        return;
    }

    model = &world->model;

    snprintf(properties[property].first, sizeof(properties[property].first),
             "OG_SEED=%" PRIu64 ": %s, %s, step %" PRIu64 ", %" PRIu64 " ms "
             "after %" PRIu64 ", %u gateways, clocks wrong by %" PRIu64
             " ms, ways of %" PRIu64 " ms: %s", seed, world->rate,
             world->habit->name, world->step, model->now - world->start,
             world->start, model->ngateways, model->error, model->travel,
             what);
}


/*
 * In the order of the store's time.  How far the time of a slot may be from
 * the time of counting makes the window shorter.
 */
static void
log_admitted(world_t *world, const model_unit_t *unit)
{
    uint64_t     i, last, limit, shortest;
    admitted_t  *log;

    log = world->admitted;
    limit = world->model.window.limit;
    shortest = world->model.window.window - world->blur + 1;

    for (i = world->nadmitted++; i > 0; i--) {
        if (log[(i - 1) % WORLD_LOG].at <= unit->counted_at) {
            break;
        }

        log[i % WORLD_LOG] = log[(i - 1) % WORLD_LOG];
    }

    log[i % WORLD_LOG].at = unit->counted_at;
    log[i % WORLD_LOG].slot = unit->slot;

    for ( /* void */ ; i < world->nadmitted; i++) {

        if (i < limit) {
            continue;
        }

        last = log[(i - limit) % WORLD_LOG].at;

        check(world, NEVER_MORE, log[i % WORLD_LOG].at - last >= shortest,
              "more than the limit in a window");
        seen.tight += (log[i % WORLD_LOG].at - last == shortest);
    }
}


static void
check_figures(const world_t *world, const model_unit_t *unit)
{
    const og_window_verdict_t  *verdict;

    verdict = &unit->verdict;

    if (verdict->admitted) {
        check(world, WAIT, verdict->wait == 0 && verdict->retry_after == 0,
              "admitted, yet told to wait");
        check(world, NEVER_MORE, verdict->remaining
                                 < world->model.window.limit,
              "admitted for nothing");
        return;
    }

    check(world, WAIT, verdict->remaining == 0, "refused, yet units remain");
    check(world, WAIT, verdict->wait >= 1, "refused, and need not wait");
    check(world, WAIT, verdict->retry_after == (verdict->wait + 999) / 1000,
          "seconds are not those of the wait, rounded up");
    check(world, WAIT, verdict->reset >= 1, "refused, and none is in use");
    check(world, WAIT, verdict->wait > (verdict->reset - 1) * 1000,
          "a unit fits before the reset");
}


/*
 * With this unit back and nothing else changed.  Units in the next slot are
 * taken for units in this one, and stay for one more.
 */
static void
check_wait(world_t *world, const model_unit_t *unit)
{
    uint64_t             then;
    model_t             *model;
    model_key_t         *key;
    og_window_verdict_t  before, after;

    model = &world->model;

    if (unit->changes != model->changes) {
        return;
    }

    key = model_key(model, unit->slot, model->now);
    check(world, GIVEN_BACK, key != NULL, "a counter is gone at once");

    if (key == NULL) {
        return;
    }

    then = unit->asked + unit->verdict.wait;

    key->count--;
    before = model_peek(model, unit->gateway, then - 1);
    after = model_peek(model, unit->gateway,
                       then + (unit->ahead ? world->width : 0));
    key->count++;

    check(world, WAIT, !before.admitted, "a unit fits before the wait");
    check(world, WAIT, after.admitted, "no unit fits after the wait");

    seen.waits++;
    seen.waits_ahead += (unit->ahead != 0);
}


/*
 * The limit of any ceil(21/20 x limit) in a row: 20 of 21 where the limit is a
 * multiple of 20.
 */
static void
note_steady(world_t *world, const model_unit_t *unit)
{
    uint8_t  *passes;

    passes = &world->passes[world->step % world->round];

    world->passed += unit->verdict.admitted;
    world->passed -= *passes;
    *passes = unit->verdict.admitted;

    if (world->step >= world->round - 1) {
        seen.steady++;
        check(world, STEADY_SHARE,
              world->passed >= world->model.window.limit,
              "a steady caller got less than the limit");
    }
}


static void
note_judged(world_t *world, const model_unit_t *unit)
{
    unsigned  rules;

    rules = world->habit->rules;

    seen.judged++;
    seen.ahead += (unit->ahead != 0);

    if (unit->replay) {
        seen.replays++;
        return;
    }

    world->last = *unit;
    check_figures(world, unit);

    if (rules & STEADY) {
        note_steady(world, unit);
    }

    if (rules & WITHIN) {
        seen.within++;
        check(world, NEVER_REFUSED, unit->verdict.admitted,
              "refused within the limit");
    }

    if (unit->verdict.admitted) {
        seen.admitted++;
        log_admitted(world, unit);
        return;
    }

    seen.refused++;
    check_wait(world, unit);
}


static void
note_step(world_t *world, const model_unit_t *unit)
{
    const model_t  *model;

    model = &world->model;

    switch (unit->did) {

    case MODEL_WAS_JUDGED:
        note_judged(world, unit);
        break;

    case MODEL_WAS_TOO_OLD:
        seen.too_old++;
        check(world, GIVEN_BACK,
              (model->now + model->error) / world->width
              > unit->slot + WORLD_SLOTS,
              "a unit was not given back while it counted");
        break;

    case MODEL_WAS_RETURNED:
        seen.returned++;
        seen.late += (og_window_slot(&model->window, model->now)
                      != unit->slot);
        check(world, GIVEN_BACK, model->negative == 0,
              "a counter became negative");
        break;

    default: /* MODEL_WAS_COUNTED, MODEL_WAS_SENT_BACK */
        check(world, GIVEN_BACK, model->immortal == 0,
              "a counter lives for ever");
    }
}


static void
settle(world_t *world, uint64_t until)
{
    model_unit_t  *unit;

    for ( ;; ) {
        unit = model_step(&world->model, until);

        if (unit == NULL) {
            return;
        }

        note_step(world, unit);
    }
}


/* Nothing is in flight: the counters stand for what was admitted. */
static void
check_quiet(world_t *world)
{
    int64_t            counts[MODEL_KEYS];
    uint64_t           i, k, slot;
    model_t           *model;
    const admitted_t  *unit;

    settle(world, MODEL_NEVER);

    model = &world->model;
    memset(counts, 0, sizeof(counts));
    slot = og_window_slot(&model->window, model->now + model->error);
    seen.quiet++;

    for (i = world->nadmitted; i > 0 && i + WORLD_LOG > world->nadmitted; i--) {
        unit = &world->admitted[(i - 1) % WORLD_LOG];

        if (model_key(model, unit->slot, model->now)) {
            counts[unit->slot % MODEL_KEYS]++;
        }
    }

    for (k = 0; k < MODEL_KEYS; k++) {

        if (!model->keys[k].used || model->now >= model->keys[k].expires) {
            continue;
        }

        /* to one that has left the window nothing is given back */

        check(world, GIVEN_BACK, model->keys[k].slot + OG_WINDOW_SLOTS < slot
                                 || model->keys[k].count == counts[k],
              "a counter is not what was admitted in its slot");
        check(world, GIVEN_BACK, model->keys[k].expires - model->now
                                 <= og_window_expiry(&model->window),
              "a counter lives for too long");
    }
}


static void
ask(world_t *world, uint64_t at, unsigned replay, uint64_t hold)
{
    unsigned          rules;
    model_t          *model;
    model_gateway_t  *gateway;

    model = &world->model;
    rules = world->habit->rules;

    settle(world, at);

    while (model->nunits == MODEL_IN_FLIGHT) {
        note_step(world, model_step(model, MODEL_NEVER));
    }

    model->now = (at > model->now) ? at : model->now;
    gateway = &model->gateways[world->choice < model->ngateways
                               ? world->choice
                               : below(world, model->ngateways)];

    if (!(rules & STICKY) && below(world, 200) == 0) {
        model_measure(model, gateway);
    }

    model_ask(model, gateway, replay, hold);

    if (rules & ALONE) {
        settle(world, model->now);
    }
}


/* Some are held until their slot has left, or nearly so. */
static void
ask_replay(world_t *world, uint64_t at)
{
    uint64_t  hold, window;

    hold = 0;
    window = world->model.window.window;

    if (!(world->habit->rules & ALONE)) {
        hold = below(world, 20);

        if (below(world, 100) == 0) {
            hold = window - window / 10 + below(world, window / 4);
        }
    }

    ask(world, at, 1, hold);
}


static void
run(world_t *world)
{
    uint64_t  at;

    while (world->step < STEPS) {
        at = world->habit->next(world);
        at = at > world->model.now ? at : world->model.now;

        if ((world->habit->rules & REPLAYS) && below(world, 3) == 0) {
            ask_replay(world, at);
        }

        world->asked_at[world->step % world->model.window.limit] = at;
        ask(world, at, 0, 0);

        world->step++;

        if (world->step % QUIET == 0) {
            check_quiet(world);
        }
    }

    settle(world, MODEL_NEVER);
}


/*
 * On one gateway an error is the same for all, and the window exact.  With
 * several it is shorter by the most that two of them may differ, and by the
 * way to the store: for as long others may be ahead of a unit that look
 * behind it.
 */
static void
begin(world_t *world)
{
    uint64_t  most, limit;
    model_t  *model;
    unsigned  rules;

    model = &world->model;
    rules = world->habit->rules;
    limit = model->window.limit;

    world->choice = WORLD_ANY;
    world->width = model->window.window / WORLD_SLOTS;
    world->start = 1700000000000ULL + below(world, 100 * DAY);

    model->now = world->start;
    model->ngateways = (rules & STICKY)
                       ? 1 : 2 + (unsigned) below(world, MODEL_GATEWAYS - 1);
    model->error = below(world, 2) ? MODEL_CLOCK_ERROR
                                   : below(world, MODEL_CLOCK_ERROR + 1);

    if (!(rules & ALONE)) {
        most = MODEL_LOOK_AHEAD - 2 * model->error;
        model->travel = below(world, 2) ? most : below(world, most + 1);
        model->gap = MODEL_READ_GAP;
        model->latency = below(world, 2) ? 5 : 100;
    }

    model_set_clocks(model);

    world->blur = (rules & STICKY) ? 0 : 2 * model->error + model->travel;
    world->round = ((21 * world->width + world->blur) * limit
                    + model->window.window - 1) / model->window.window;

    assert_true(limit <= WORLD_MAX_LIMIT && world->round <= WORLD_MAX_ROUND);
    assert_true(world->blur <= MODEL_LOOK_AHEAD);
}


static int
run_worlds(void **state)
{
    size_t       i, r, h, rounds;
    world_t     *world;
    const char  *given;

    (void) state;

    given = getenv("OG_ROUNDS");
    rounds = given ? strtoul(given, NULL, 10) : ROUNDS;

    given = getenv("OG_SEED");
    seed = given ? strtoull(given, NULL, 10)
                 : (uint64_t) time(NULL) * 1000003;

    print_message("OG_SEED=%" PRIu64 "\n", seed);

    world = &world_of_all;

    for (i = 0; i < rounds; i++, seed++) {
        for (r = 0; r < count_of(rates); r++) {
            for (h = 0; h < window_nhabits; h++) {
                memset(world, 0, sizeof(world_t));

                world->rate = rates[r];
                world->habit = &window_habits[h];
                world->model.dice = (seed * 1000 + r * 100 + h)
                                    * 0x9E3779B97F4A7C15 + 1;

                if (og_window_parse(&world->model.window, rates[r],
                                    strlen(rates[r])))
                {
                    return -1;
                }

                begin(world);
                run(world);
                seen.worlds++;
            }
        }
    }

    print_message("%" PRIu64 " callers, %" PRIu64 " units judged: %" PRIu64
                  " admitted, %" PRIu64 " refused, %" PRIu64 " of replays, %"
                  PRIu64 " with others ahead\n", seen.worlds, seen.judged,
                  seen.admitted, seen.refused, seen.replays, seen.ahead);

    return 0;
}


static void
assert_holds(property_e property)
{
    if (properties[property].broken) {
        fail_msg("%" PRIu64 " times, first %s", properties[property].broken,
                 properties[property].first);
    }
}


static void
test_never_more_than_the_limit(void **state)
{
    (void) state;

    print_message("%" PRIu64 " windows with not a ms to spare\n",
                  seen.tight);

    assert_holds(NEVER_MORE);
    assert_true(seen.tight > seen.worlds / 10 && seen.ahead > seen.worlds
                && seen.admitted > 1000 * seen.worlds);
}


static void
test_who_keeps_within_is_never_refused(void **state)
{
    (void) state;

    assert_holds(NEVER_REFUSED);
    assert_true(seen.within > 2000 * seen.worlds);
}


static void
test_who_asks_steadily_gets_a_share(void **state)
{
    (void) state;

    assert_holds(STEADY_SHARE);
    assert_true(seen.steady > 1000 * seen.worlds);
}


static void
test_units_go_back_to_their_slots(void **state)
{
    (void) state;

    print_message("%" PRIu64 " units given back, %" PRIu64 " of them late, %"
                  PRIu64 " not any more\n", seen.returned, seen.late,
                  seen.too_old);

    assert_holds(GIVEN_BACK);
    assert_true(seen.returned > 1000 * seen.worlds
                && seen.late > 10 * seen.worlds && seen.quiet > seen.worlds
                && seen.too_old > seen.worlds);
}


static void
test_a_unit_fits_after_the_wait_and_not_before(void **state)
{
    (void) state;

    print_message("%" PRIu64 " waits, %" PRIu64 " with others ahead\n",
                  seen.waits, seen.waits_ahead);

    assert_holds(WAIT);
    assert_true(seen.waits > 1000 * seen.worlds
                && seen.waits_ahead > seen.worlds);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_never_more_than_the_limit),
        cmocka_unit_test(test_who_keeps_within_is_never_refused),
        cmocka_unit_test(test_who_asks_steadily_gets_a_share),
        cmocka_unit_test(test_units_go_back_to_their_slots),
        cmocka_unit_test(test_a_unit_fits_after_the_wait_and_not_before),
    };

    return cmocka_run_group_tests_name("og_window oracle", tests, run_worlds,
                                       NULL);
}
