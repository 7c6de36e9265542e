
/*
 * Copyright (C) order guard contributors
 *
 * Arithmetic of the sliding window: never more than the limit in any window
 * of the policy's length.  Time is the store's.  Pure: libc only.
 *
 * A caller who keeps within the limit over 21/20 of the window is never
 * refused.  One who asks steadily at the limit gets at least limit of every
 * ceil(21/20 x limit): 20 of 21 (95.2 %) where the limit is a multiple of 20,
 * less for other small limits (5 of 6, 1 of 2).
 */


#ifndef OG_WINDOW_H_INCLUDED_
#define OG_WINDOW_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* A window is cut into so many slots; it overlaps one more. */
#define OG_WINDOW_SLOTS  20


typedef struct {
    uint64_t              limit;      /* units per window, > 0 */
    uint64_t              window;     /* ms, a multiple of OG_WINDOW_SLOTS */
} og_window_t;


typedef struct {
    unsigned              admitted:1;
    uint64_t              remaining;  /* units left in the window */
    uint64_t              reset;      /* s until more units come free, rounded
                                         up; 0 when none is in use */
    uint64_t              wait;       /* ms until a unit fits, provided that
                                         nobody else takes it; 0: it does */
    uint64_t              retry_after;    /* the same in s, rounded up */
} og_window_verdict_t;


/*
 * Reads "60r/m", "10r/s", "1000r/h", "5000r/d", "100r/10s", "5r/2m": 1 to
 * 999999999999999 units (RFC 9651, section 3.3.1: what a header can say) in
 * 1s to 366d.  Returns NULL, or a static sentence saying what is wrong and
 * what would be right; *window is then as it was.
 */
const char *og_window_parse(og_window_t *window, const char *text,
    size_t len);


/* Number of the slot that now (ms since the epoch) falls in. */
uint64_t og_window_slot(const og_window_t *window, uint64_t now);


/* ms after which a slot's counter may vanish: 1.1 windows. */
uint64_t og_window_expiry(const og_window_t *window);


/*
 * Judges one unit.  closed[i] is the count of the slot 1 + i before the
 * current one, og_window_slot(window, now), for all OG_WINDOW_SLOTS (the
 * oldest counts in full); current is the current slot's count with this unit
 * in it.  Negative counts read as 0.  The caller gives a refused unit back.
 *
 * reset is the time until the oldest used slot leaves the window, which is
 * never later than wait.
 */
void og_window_judge(const og_window_t *window, uint64_t now,
    const int64_t closed[OG_WINDOW_SLOTS], int64_t current,
    og_window_verdict_t *verdict);


#endif /* OG_WINDOW_H_INCLUDED_ */
