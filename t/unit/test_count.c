
/*
 * Copyright (C) order guard contributors
 *
 * A window counted in memory: rows for single cases, and a model that keeps
 * the exact time of every unit, under clocks that go back and forth.  A
 * failure prints the seed; OG_SEED=n OG_ROUNDS=1 runs it again, OG_ROUNDS=n
 * runs longer.
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

#include "og_count.h"


#define ROUNDS   200
#define STEPS    3000
#define SLOTS    20                   /* of a window */
#define EVER     STEPS                /* units in one round */

#define EPOCH    1700000001000ULL     /* an edge for 60r/m, 3 s a slot */
#define WIDTH    3000ULL
#define DAY      86400000LL


/* Steps of a row: counts are made at times, and given back. */
typedef enum {
    END = 0,
    ADD,                              /* n units at a time */
    NOTE,                             /* n units that a store has counted */
    SHIFT,                            /* by n ms */
    BACK,                             /* n units to the slot of a time */
    JUDGE                             /* at a time: n remain; -1: refused */
} step_e;


typedef struct {
    step_e                does;
    int64_t               at;         /* ms from EPOCH */
    int64_t               n;
} step_t;


typedef struct {
    const char           *name;
    const char           *rate;
    uint64_t              epoch;
    step_t                steps[8];
} row_t;


typedef struct {
    uint64_t              at;
    uint64_t              slot;
    unsigned              back:1;     /* it was given back */
} unit_t;


/* What was counted, and when, by a clock that stands instead of going back. */
typedef struct {
    og_window_t           window;
    og_count_t            count;
    uint64_t              clock;
    uint64_t              latest;
    size_t                first;      /* all before have left for good */
    size_t                nunits;
    unit_t                units[EVER];

    size_t                nadmitted;
    uint64_t              admitted[EVER];
} model_t;


static const row_t  rows[] = {

    { "nothing is counted", "60r/m", EPOCH,
      { { JUDGE, 0, 59 } } },

    { "a unit counts until its slot has left", "60r/m", EPOCH,
      { { ADD, 2999, 1 }, { JUDGE, 2999, 58 }, { JUDGE, 62999, 58 },
        { JUDGE, 63000, 59 } } },

    { "the limit", "60r/m", EPOCH,
      { { ADD, 0, 59 }, { JUDGE, 0, 0 }, { ADD, 0, 1 }, { JUDGE, 0, -1 },
        { JUDGE, 62999, -1 }, { JUDGE, 63000, 59 } } },

    { "the oldest slot and the newest one", "60r/m", EPOCH,
      { { ADD, 0, 30 }, { ADD, 60000, 30 }, { JUDGE, 62999, -1 },
        { JUDGE, 63000, 29 }, { JUDGE, 122999, 29 }, { JUDGE, 123000, 59 } } },

    { "judging counts nothing", "60r/m", EPOCH,
      { { JUDGE, 0, 59 }, { JUDGE, 0, 59 }, { JUDGE, 100000, 59 },
        { JUDGE, 0, 59 }, { ADD, 0, 1 }, { JUDGE, 0, 58 } } },

    { "a slot takes the place of one that has left", "60r/m", EPOCH,
      { { ADD, 0, 5 }, { ADD, 3000, 7 }, { ADD, 63000, 1 },
        { JUDGE, 63000, 51 }, { JUDGE, 66000, 58 } } },

    { "all have left", "60r/m", EPOCH,
      { { ADD, 0, 60 }, { ADD, 63000, 1 }, { JUDGE, 63000, 58 },
        { ADD, 40 * 86400000LL, 1 }, { JUDGE, 40 * 86400000LL, 58 } } },

    { "given back to its own slot", "60r/m", EPOCH,
      { { ADD, 0, 3 }, { ADD, 6000, 3 }, { BACK, 0, 2 },
        { JUDGE, 6000, 55 }, { JUDGE, 63000, 56 }, { JUDGE, 69000, 59 } } },

    { "given back to the oldest slot", "60r/m", EPOCH,
      { { ADD, 0, 3 }, { ADD, 62999, 1 }, { BACK, 0, 1 },
        { JUDGE, 62999, 56 } } },

    { "not to the slot that took the place of its own", "60r/m", EPOCH,
      { { ADD, 0, 3 }, { ADD, 63000, 3 }, { BACK, 0, 3 },
        { JUDGE, 63000, 56 } } },

    { "not to a slot that has not begun", "60r/m", EPOCH,
      { { ADD, 3000, 3 }, { BACK, 6000, 1 }, { BACK, 66000, 1 },
        { JUDGE, 3000, 56 } } },

    { "no more than was counted", "60r/m", EPOCH,
      { { ADD, 0, 2 }, { BACK, 0, 5 }, { JUDGE, 0, 59 }, { ADD, 0, 1 },
        { JUDGE, 0, 58 } } },

    { "to nothing at all", "60r/m", EPOCH,
      { { BACK, 0, 1 }, { BACK, -(int64_t) EPOCH, 1 }, { JUDGE, 0, 59 } } },

    { "a clock that went back frees nothing", "60r/m", EPOCH,
      { { ADD, 0, 30 }, { ADD, 60000, 30 }, { JUDGE, 57000, -1 },
        { JUDGE, -86400000, -1 }, { JUDGE, 62999, -1 },
        { JUDGE, 63000, 29 } } },

    { "a clock that went back counts in the newest slot", "60r/m", EPOCH,
      { { ADD, 60000, 1 }, { ADD, 0, 1 }, { JUDGE, 0, 57 },
        { JUDGE, 122999, 57 }, { JUDGE, 123000, 59 } } },

    { "a clock that goes back and forth", "60r/m", EPOCH,
      { { ADD, 3000, 1 }, { ADD, 2999, 1 }, { ADD, 3001, 1 },
        { ADD, 0, 1 }, { JUDGE, 5999, 55 }, { JUDGE, 65999, 55 },
        { JUDGE, 66000, 59 } } },

    { "what a store has counted stays in its slot", "60r/m", EPOCH,
      { { NOTE, 3000, 2 }, { NOTE, 2999, 3 }, { JUDGE, 62999, 54 },
        { JUDGE, 63000, 57 }, { JUDGE, 66000, 59 } } },

    { "in the oldest slot", "60r/m", EPOCH,
      { { NOTE, 60000, 2 }, { NOTE, 2999, 3 }, { JUDGE, 62999, 54 },
        { JUDGE, 63000, 57 } } },

    { "or in the newest, where its own has left", "60r/m", EPOCH,
      { { NOTE, 63000, 2 }, { NOTE, 2999, 3 }, { JUDGE, 63000, 54 },
        { JUDGE, 125999, 54 }, { JUDGE, 126000, 59 } } },

    { "it goes back to where it was", "60r/m", EPOCH,
      { { NOTE, 3000, 2 }, { NOTE, 0, 3 }, { BACK, 0, 3 },
        { JUDGE, 62999, 57 }, { BACK, 0, 1 }, { JUDGE, 62999, 57 } } },

    { "a clock that was set takes along what is counted", "60r/m", EPOCH,
      { { ADD, 0, 30 }, { ADD, 57000, 30 }, { SHIFT, 0, DAY },
        { JUDGE, DAY + 62999, -1 }, { JUDGE, DAY + 63000, 29 },
        { JUDGE, DAY + 119999, 29 }, { JUDGE, DAY + 120000, 59 } } },

    { "back, too", "60r/m", EPOCH + DAY,
      { { ADD, 0, 30 }, { ADD, 57000, 30 }, { SHIFT, 0, -DAY },
        { JUDGE, 62999 - DAY, -1 }, { JUDGE, 63000 - DAY, 29 },
        { JUDGE, 120000 - DAY, 59 } } },

    { "by a part of a slot: not older than it was", "60r/m", EPOCH,
      { { ADD, 0, 60 }, { SHIFT, 0, 1 }, { JUDGE, 65999, -1 },
        { JUDGE, 66000, 59 }, { SHIFT, 0, -2999 }, { JUDGE, 65999, -1 },
        { JUDGE, 66000, 59 } } },

    { "by a slot and back", "60r/m", EPOCH,
      { { ADD, 0, 60 }, { SHIFT, 0, 3000 }, { SHIFT, 0, -3000 },
        { JUDGE, 62999, -1 }, { JUDGE, 63000, 59 } } },

    { "to before the first slot of all", "60r/m", 0,
      { { ADD, DAY, 30 }, { ADD, DAY + 3000, 30 }, { SHIFT, 0, -2 * DAY },
        { JUDGE, 0, 29 }, { JUDGE, 62999, 29 }, { JUDGE, 63000, 59 } } },

    { "the first slots of all", "60r/m", 0,
      { { ADD, 0, 1 }, { JUDGE, 0, 58 }, { ADD, 57000, 1 },
        { JUDGE, 60000, 57 }, { JUDGE, 63000, 58 },
        { JUDGE, 120000, 59 } } },

    { "a window of a second", "1r/s", EPOCH,
      { { ADD, 49, 1 }, { JUDGE, 49, -1 }, { JUDGE, 1049, -1 },
        { JUDGE, 1050, 0 } } },

    /* slots of 18.3 days; the first begins at the epoch */

    { "a window of 366 days", "2r/366d", 0,
      { { ADD, 0, 1 }, { ADD, 1581119999, 1 },
        { JUDGE, 33203519999, -1 }, { JUDGE, 33203520000, 1 } } },

    { "units of another year", "1r/366d", 0,
      { { ADD, 33203519999, 1 }, { JUDGE, 33203520000, -1 },
        { JUDGE, 64825919999, -1 }, { JUDGE, 64825920000, 0 } } },
};


static uint64_t  seed, dice;
static model_t   model;

/* a generator that makes nothing of interest must be noticed */
static struct {
    uint64_t              judged;
    uint64_t              refused;
    uint64_t              stood;      /* judged by a clock that went back */
    uint64_t              back;
    uint64_t              back_late;  /* to a slot that has left */
    uint64_t              tight;      /* a ms less would be too little */
} seen;


static void
run_step(const row_t *row, og_count_t *count, const og_window_t *window,
    const step_t *step)
{
    int64_t              i;
    uint64_t             at, slot;
    og_window_verdict_t  verdict;

    at = (uint64_t) ((int64_t) row->epoch + step->at);
    slot = og_window_slot(window, at);

    switch (step->does) {

    case ADD:
        for (i = 0; i < step->n; i++) {
            og_count_add(count, window, at);
        }

        return;

    case NOTE:
        for (i = 0; i < step->n; i++) {
            og_count_note(count, window, at);
        }

        return;

    case SHIFT:
        og_count_shift(count, window, step->n);
        return;

    case BACK:
        for (i = 0; i < step->n; i++) {
            og_count_back(count, slot);
        }

        return;

    default: /* JUDGE */
        break;
    }

    og_count_judge(count, window, at, &verdict);

    if (verdict.admitted != (step->n >= 0)
        || verdict.remaining != (uint64_t) (step->n < 0 ? 0 : step->n))
    {
        fail_msg("%s: at %" PRId64 ": admitted %u, %" PRIu64 " remain",
                 row->name, step->at, (unsigned) verdict.admitted,
                 verdict.remaining);
    }
}


static void
test_rows(void **state)
{
    size_t         i;
    og_count_t     count;
    og_window_t    window;
    const step_t  *step;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&count, 0, sizeof(og_count_t));
        assert_null(og_window_parse(&window, rows[i].rate,
                                    strlen(rows[i].rate)));

        for (step = rows[i].steps;
             step < rows[i].steps + 8 && step->does != END;
             step++)
        {
            run_step(&rows[i], &count, &window, step);
        }
    }
}


static void
test_the_slot_that_counted_is_told(void **state)
{
    og_count_t   count;
    og_window_t  window;

    (void) state;

    memset(&count, 0, sizeof(og_count_t));
    assert_null(og_window_parse(&window, "60r/m", 5));

    assert_true(og_count_add(&count, &window, EPOCH) == EPOCH / WIDTH);
    assert_true(og_count_add(&count, &window, EPOCH + WIDTH)
                == EPOCH / WIDTH + 1);

    /* the clock went back */

    assert_true(og_count_add(&count, &window, EPOCH) == EPOCH / WIDTH + 1);
    assert_true(og_count_add(&count, &window, 0) == EPOCH / WIDTH + 1);
    assert_true(og_count_add(&count, &window, EPOCH + 2 * WIDTH)
                == EPOCH / WIDTH + 2);
}


/* One more than a slot can hold does not make it empty. */
static void
test_a_slot_is_full(void **state)
{
    size_t               i;
    og_count_t           count;
    og_window_t          window;
    og_window_verdict_t  verdict;

    (void) state;

    memset(&count, 0, sizeof(og_count_t));
    assert_null(og_window_parse(&window, "999999999999999r/m", 18));

    og_count_add(&count, &window, EPOCH);

    for (i = 0; i < sizeof(count.slots) / sizeof(count.slots[0]); i++) {
        if (count.slots[i]) {
            count.slots[i] = UINT32_MAX - 1;
        }
    }

    og_count_add(&count, &window, EPOCH);
    og_count_judge(&count, &window, EPOCH, &verdict);
    assert_true(verdict.remaining == 999999999999999ULL - UINT32_MAX - 1);

    og_count_add(&count, &window, EPOCH);
    og_count_judge(&count, &window, EPOCH, &verdict);
    assert_true(verdict.admitted);
    assert_true(verdict.remaining == 999999999999999ULL - UINT32_MAX - 1);

    assert_null(og_window_parse(&window, "60r/m", 5));
    og_count_judge(&count, &window, EPOCH, &verdict);
    assert_false(verdict.admitted);

    /* all slots full: 21 of them do not wrap either */

    for (i = 0; i < sizeof(count.slots) / sizeof(count.slots[0]); i++) {
        count.slots[i] = UINT32_MAX;
    }

    og_count_judge(&count, &window, EPOCH, &verdict);
    assert_false(verdict.admitted);

    assert_null(og_window_parse(&window, "999999999999999r/m", 18));
    og_count_judge(&count, &window, EPOCH, &verdict);
    assert_true(verdict.remaining
                == 999999999999999ULL - 21 * (uint64_t) UINT32_MAX - 1);
}


/* xorshift64: Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t
below(uint64_t bound)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;

    return (dice >> 16) % bound;
}


static void
check(int holds, const char *what)
{
    if (!holds) {
        fail_msg("OG_SEED=%" PRIu64 ": %" PRIu64 " in %" PRIu64 " ms, %zu "
                 "units, clock at %" PRIu64 ", latest %" PRIu64 ": %s", seed,
                 model.window.limit, model.window.window, model.nunits,
                 model.clock, model.latest, what);
    }
}


/* How many count from that time on. */
static uint64_t
used_from(uint64_t since)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = model.nunits; i > model.first; i--) {
        n += (!model.units[i - 1].back && model.units[i - 1].at >= since);
    }

    return n;
}


static uint64_t
seconds(uint64_t ms)
{
    return (ms + 999) / 1000;
}


/* From the times of all units: what counts, and when a part of it leaves. */
static void
predict(uint64_t now, og_window_verdict_t *verdict)
{
    uint64_t  width, slot, since, used, left, until;

    width = model.window.window / SLOTS;
    slot = now / width;

    /* a slot that the clock has not come to again begins just now */

    if (slot < model.latest / width) {
        slot = model.latest / width;
        now = slot * width;
        seen.stood++;
    }

    since = slot < SLOTS ? 0 : (slot - SLOTS) * width;
    used = used_from(since);

    verdict->admitted = (used < model.window.limit);
    verdict->remaining = verdict->admitted ? model.window.limit - used - 1
                                           : 0;
    verdict->wait = 0;
    verdict->reset = 0;

    /* the unit itself is in use when it is the first one */

    until = (slot + SLOTS + 1) * width - now;

    for (since = slot + 1; since <= slot + SLOTS + 1; since++) {
        left = since < SLOTS ? used : used_from((since - SLOTS) * width);

        if (left < used && verdict->reset == 0) {
            verdict->reset = seconds(since * width - now);
        }

        if (left < model.window.limit && !verdict->admitted) {
            verdict->wait = since * width - now;
            break;
        }
    }

    if (verdict->reset == 0) {
        verdict->reset = seconds(until);
    }

    verdict->retry_after = seconds(verdict->wait);
}


static void
check_judge(uint64_t now, og_window_verdict_t *verdict)
{
    og_count_t           before;
    og_window_verdict_t  want;

    before = model.count;
    og_count_judge(&model.count, &model.window, now, verdict);
    check(memcmp(&before, &model.count, sizeof(og_count_t)) == 0,
          "judging changed something");

    predict(now, &want);
    seen.judged++;
    seen.refused += !want.admitted;

    check(verdict->admitted == want.admitted, "admitted is wrong");
    check(verdict->remaining == want.remaining, "remaining is wrong");
    check(verdict->reset == want.reset, "reset is wrong");
    check(verdict->wait == want.wait, "wait is wrong");
    check(verdict->retry_after == want.retry_after, "retry_after is wrong");
}


static void
add(void)
{
    uint64_t  width, slot;
    unit_t   *unit;

    width = model.window.window / SLOTS;

    if (model.clock > model.latest) {
        model.latest = model.clock;
    }

    slot = og_count_add(&model.count, &model.window, model.clock);
    check(slot == model.latest / width, "counted in another slot");

    unit = &model.units[model.nunits++];
    unit->at = model.latest;
    unit->slot = slot;
    unit->back = 0;

    while (model.units[model.first].at / width + SLOTS < slot) {
        model.first++;
    }
}


/* What is admitted and kept: never more than the limit in any window. */
static void
keep(void)
{
    uint64_t  last;

    model.admitted[model.nadmitted++] = model.latest;

    if (model.nadmitted > model.window.limit) {
        last = model.admitted[model.nadmitted - 1 - model.window.limit];

        check(model.latest - last > model.window.window,
              "more than the limit in a window");
        seen.tight += (model.latest - last == model.window.window + 1);
    }
}


/* Any unit of the window, or one that has left it; at most once. */
static void
give_back(void)
{
    size_t    i;
    uint64_t  width;
    unit_t   *unit;

    if (model.nunits == 0) {
        return;
    }

    width = model.window.window / SLOTS;

    i = below(4) ? model.nunits - 1 - below(model.nunits - model.first)
                 : below(model.nunits);
    unit = &model.units[i];

    if (unit->back) {
        return;
    }

    og_count_back(&model.count, unit->slot);
    unit->back = 1;

    seen.back++;
    seen.back_late += (unit->slot + SLOTS < model.latest / width);
}


/* Forth by some ms, to an edge or by a window, and back by as much. */
static void
move_clock(void)
{
    uint64_t  width, by, window;

    window = model.window.window;
    width = window / SLOTS;

    switch (below(16)) {
    case 0:
        by = below(2) ? below(2 * window) : window + below(2);
        break;
    case 1:
        by = below(40);
        model.clock -= (by < model.clock) ? by : model.clock;
        return;
    case 2:
        by = below(below(8) ? width : 2 * window);
        model.clock -= (by < model.clock) ? by : model.clock;
        return;
    case 3:
    case 4:
        by = (model.clock / width + 1) * width - below(2) - model.clock;
        break;
    case 5:
    case 6:
        by = below(width);
        break;
    case 7:
        by = model.latest > model.clock ? model.latest - model.clock : 0;
        break;
    default:
        by = below(3);
    }

    model.clock += by;
}


static void
run_round(int with_back)
{
    size_t               step;
    og_window_verdict_t  verdict;

    for (step = 0; step < STEPS; step++) {
        move_clock();
        check_judge(model.clock, &verdict);

        /* refused units are counted by nobody; or they are, by a store */

        if (verdict.admitted || (with_back && below(8) == 0)) {
            add();

            if (!with_back) {
                keep();
            }
        }

        if (with_back && below(3) == 0) {
            give_back();
        }
    }
}


static void
test_the_model(void **state)
{
    size_t       i, rounds;
    const char  *given, *rate;

    static const char  *rates[] = {
        "1r/s", "10r/s", "60r/m", "7r/10s", "100r/h", "1r/d", "3r/366d",
        "40r/366d"
    };

    (void) state;

    given = getenv("OG_ROUNDS");
    rounds = given ? strtoul(given, NULL, 10) : ROUNDS;

    given = getenv("OG_SEED");
    seed = given ? strtoull(given, NULL, 10)
                 : (uint64_t) time(NULL) * 1000003;

    print_message("OG_SEED=%" PRIu64 "\n", seed);

    for (i = 0; i < rounds; i++, seed++) {
        dice = seed * 0x9E3779B97F4A7C15 + 1;
        memset(&model, 0, sizeof(model_t));

        rate = rates[below(sizeof(rates) / sizeof(rates[0]))];
        assert_null(og_window_parse(&model.window, rate, strlen(rate)));

        model.clock = below(4) ? EPOCH + below(1000 * DAY)
                               : below(model.window.window);
        run_round(below(2) != 0);
    }

    print_message("%" PRIu64 " judged, %" PRIu64 " refused, %" PRIu64 " by a "
                  "clock that went back; %" PRIu64 " given back, %" PRIu64
                  " too late; %" PRIu64 " windows with not a ms to spare\n",
                  seen.judged, seen.refused, seen.stood, seen.back,
                  seen.back_late, seen.tight);

    if (rounds >= 100) {
        assert_true(seen.refused > 100 * rounds && seen.stood > 100 * rounds
                    && seen.back > 10 * rounds && seen.back_late > rounds
                    && seen.tight > rounds / 40);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_the_slot_that_counted_is_told),
        cmocka_unit_test(test_a_slot_is_full),
        cmocka_unit_test(test_the_model),
    };

    return cmocka_run_group_tests_name("og_count", tests, NULL, NULL);
}
