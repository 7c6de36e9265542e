
/*
 * Copyright (C) order guard contributors
 *
 * A sliding window counted in memory, slot by slot, as a store counts it
 * (og_window.h).  Pure: libc only.
 */


#ifndef OG_COUNT_H_INCLUDED_
#define OG_COUNT_H_INCLUDED_


#include <stdint.h>

#include "og_window.h"


/* Zeroed: nothing is counted.  Not for two windows in turn. */
typedef struct {
    uint64_t              newest;     /* slot that was counted in last */
    uint32_t              slots[OG_WINDOW_SLOTS + 1];   /* by number, modulo */
} og_count_t;


/*
 * Counts a unit at now (ms since the epoch), or in the newest slot where now
 * is earlier: a clock that went back frees nothing.  Returns the slot.
 */
uint64_t og_count_add(og_count_t *count, const og_window_t *window,
    uint64_t now);


/*
 * Counts a unit that a store has counted at now: in the same slot, so that
 * nothing counts here for longer than it does there, or in the newest one
 * where that slot has left the window.  Returns the slot.
 */
uint64_t og_count_note(og_count_t *count, const og_window_t *window,
    uint64_t now);


/*
 * The clock was set by so many ms: what is counted goes with it, as old as it
 * was.  A part of a slot makes it younger, never older.
 */
void og_count_shift(og_count_t *count, const og_window_t *window,
    int64_t by);


/* Gives a unit back to its slot, where that is still in the window. */
void og_count_back(og_count_t *count, uint64_t slot);


/* Judges one more unit at now, as og_window_judge(); does not count it. */
void og_count_judge(const og_count_t *count, const og_window_t *window,
    uint64_t now, og_window_verdict_t *verdict);


#endif /* OG_COUNT_H_INCLUDED_ */
