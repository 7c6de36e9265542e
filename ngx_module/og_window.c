
/*
 * Copyright (C) order guard contributors
 *
 * Time is cut into slots of a twentieth of the window, numbered from the
 * epoch; a store counts each by itself.  The last window overlaps the current
 * slot, the 19 before it and a part of one more.  That one counts in full:
 * a part of it cannot be told from its count, and guessing a fraction lets
 * more than the limit through when its units came late.
 */


#include "og_window.h"


/*
 * A limit becomes "q" of RateLimit-Policy, an Integer of a structured field:
 * 15 digits at most (RFC 9651, section 3.3.1).
 */
#define OG_WINDOW_MAX_LIMIT    999999999999999ULL

#define OG_WINDOW_SECOND       1000ULL
#define OG_WINDOW_MINUTE       (60 * OG_WINDOW_SECOND)
#define OG_WINDOW_HOUR         (60 * OG_WINDOW_MINUTE)
#define OG_WINDOW_DAY          (24 * OG_WINDOW_HOUR)
#define OG_WINDOW_MAX_WINDOW   (366 * OG_WINDOW_DAY)

/* Ages of a slot run from 0, the current one, to this, the oldest. */
#define OG_WINDOW_OLDEST       OG_WINDOW_SLOTS
#define OG_WINDOW_NO_AGE       (-1)


static const char *og_window_digits(const char *p, const char *end,
    uint64_t max, uint64_t *value);
static uint64_t og_window_unit(char unit);
static uint64_t og_window_width(const og_window_t *window);
static uint64_t og_window_until(const og_window_t *window, uint64_t now,
    int age);
static uint64_t og_window_seconds(uint64_t ms);


const char *
og_window_parse(og_window_t *window, const char *text, size_t len)
{
    uint64_t     limit, number, unit;
    const char  *p, *end, *start;

    end = text + len;

    p = og_window_digits(text, end, OG_WINDOW_MAX_LIMIT, &limit);

    if (p == text || end - p < 3 || p[0] != 'r' || p[1] != '/') {
        return "a rate is a number, \"r/\" and a time, as in \"60r/m\", "
               "\"10r/s\", \"1000r/h\", \"5000r/d\", \"100r/10s\" or "
               "\"5r/2m\"";
    }

    if (limit == 0) {
        return "the number before \"r/\" must be 1 or more, as in \"1r/m\"";
    }

    if (limit > OG_WINDOW_MAX_LIMIT) {
        return "the number before \"r/\" must be 999999999999999 or less";
    }

    start = p + 2;
    p = og_window_digits(start, end, OG_WINDOW_MAX_WINDOW, &number);

    if (p == start) {
        number = 1;
    }

    unit = end - p == 1 ? og_window_unit(*p) : 0;

    if (unit == 0) {
        return "the time after \"r/\" must end in s, m, h or d, as in "
               "\"60r/m\", \"10r/s\", \"1000r/h\", \"5000r/d\", "
               "\"100r/10s\" or \"5r/2m\"";
    }

    if (number == 0) {
        return "the time after \"r/\" must be 1s or more, as in \"10r/s\"";
    }

    if (number > OG_WINDOW_MAX_WINDOW / unit) {
        return "the time after \"r/\" must be 366d or less";
    }

    window->limit = limit;
    window->window = number * unit;

    return NULL;
}


uint64_t
og_window_slot(const og_window_t *window, uint64_t now)
{
    return now / og_window_width(window);
}


uint64_t
og_window_expiry(const og_window_t *window)
{
    return window->window + window->window / 10;
}


void
og_window_judge(const og_window_t *window, uint64_t now,
    const int64_t closed[OG_WINDOW_SLOTS], int64_t current,
    og_window_verdict_t *verdict)
{
    int       age, oldest, blocking;
    int64_t   count;
    uint64_t  used;

    used = 0;
    oldest = OG_WINDOW_NO_AGE;
    blocking = OG_WINDOW_NO_AGE;

    for (age = 0; age <= OG_WINDOW_OLDEST; age++) {

        count = age == 0 ? current : closed[age - 1];

        if (count <= 0) {
            continue;
        }

        oldest = age;

        if (blocking != OG_WINDOW_NO_AGE) {
            continue;
        }

        /* All that is younger fits: one unit does once this slot has left. */

        used += (uint64_t) count;

        if (used > window->limit) {
            blocking = age;
        }
    }

    verdict->admitted = blocking == OG_WINDOW_NO_AGE;
    verdict->remaining = verdict->admitted ? window->limit - used : 0;
    verdict->reset = og_window_seconds(og_window_until(window, now, oldest));
    verdict->wait = og_window_until(window, now, blocking);
    verdict->retry_after = og_window_seconds(verdict->wait);
}


/*
 * Reads digits into *value, which stays above max once it has passed it, and
 * returns the first character that is none.
 */

static const char *
og_window_digits(const char *p, const char *end, uint64_t max,
    uint64_t *value)
{
    *value = 0;

    for ( /* void */ ; p < end && *p >= '0' && *p <= '9'; p++) {
        if (*value <= max) {
            *value = *value * 10 + (uint64_t) (*p - '0');
        }
    }

    return p;
}


static uint64_t
og_window_unit(char unit)
{
    switch (unit) {
    case 's':
        return OG_WINDOW_SECOND;
    case 'm':
        return OG_WINDOW_MINUTE;
    case 'h':
        return OG_WINDOW_HOUR;
    case 'd':
        return OG_WINDOW_DAY;
    default:
        return 0;
    }
}


static uint64_t
og_window_width(const og_window_t *window)
{
    return window->window / OG_WINDOW_SLOTS;
}


/* ms until the slot of that age leaves the window. */

static uint64_t
og_window_until(const og_window_t *window, uint64_t now, int age)
{
    uint64_t  width, leaves;

    if (age == OG_WINDOW_NO_AGE) {
        return 0;
    }

    width = og_window_width(window);
    leaves = (og_window_slot(window, now) + OG_WINDOW_SLOTS + 1
              - (uint64_t) age) * width;

    return leaves - now;
}


static uint64_t
og_window_seconds(uint64_t ms)
{
    return (ms + OG_WINDOW_SECOND - 1) / OG_WINDOW_SECOND;
}
