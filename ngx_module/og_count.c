
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_count.h"


#define OG_COUNT_SLOTS  (OG_WINDOW_SLOTS + 1)


static void og_count_advance(og_count_t *count, uint64_t slot);
static void og_count_in(og_count_t *count, uint64_t slot);
static int64_t og_count_of(const og_count_t *count, uint64_t slot);


uint64_t
og_count_add(og_count_t *count, const og_window_t *window, uint64_t now)
{
    og_count_advance(count, og_window_slot(window, now));
    og_count_in(count, count->newest);

    return count->newest;
}


uint64_t
og_count_note(og_count_t *count, const og_window_t *window, uint64_t now)
{
    uint64_t  slot;

    slot = og_window_slot(window, now);

    og_count_advance(count, slot);

    if (count->newest - slot >= OG_COUNT_SLOTS) {
        slot = count->newest;
    }

    og_count_in(count, slot);

    return slot;
}


void
og_count_shift(og_count_t *count, const og_window_t *window, int64_t by)
{
    int64_t     slots, width;
    uint64_t    i, newest;
    og_count_t  former;

    width = (int64_t) (window->window / OG_WINDOW_SLOTS);
    slots = by > 0 ? (by + width - 1) / width : by / width;

    if (slots < 0 && (uint64_t) -slots > count->newest) {
        slots = -(int64_t) count->newest;
    }

    former = *count;
    newest = former.newest + (uint64_t) slots;
    count->newest = newest;

    for (i = 0; i < OG_COUNT_SLOTS && i <= newest; i++) {
        count->slots[(newest - i) % OG_COUNT_SLOTS] =
            former.newest >= i
            ? former.slots[(former.newest - i) % OG_COUNT_SLOTS] : 0;
    }
}


void
og_count_back(og_count_t *count, uint64_t slot)
{
    if (og_count_of(count, slot) > 0) {
        count->slots[slot % OG_COUNT_SLOTS]--;
    }
}


void
og_count_judge(const og_count_t *count, const og_window_t *window,
    uint64_t now, og_window_verdict_t *verdict)
{
    int64_t   closed[OG_WINDOW_SLOTS];
    uint64_t  slot, i;

    slot = og_window_slot(window, now);

    /* in a clock that went back, time stands still */

    if (slot < count->newest) {
        slot = count->newest;
        now = slot * (window->window / OG_WINDOW_SLOTS);
    }

    for (i = 0; i < OG_WINDOW_SLOTS; i++) {
        closed[i] = slot > i ? og_count_of(count, slot - 1 - i) : 0;
    }

    og_window_judge(window, now, closed, og_count_of(count, slot) + 1,
                    verdict);
}


static void
og_count_advance(og_count_t *count, uint64_t slot)
{
    if (slot <= count->newest) {
        return;
    }

    if (slot - count->newest >= OG_COUNT_SLOTS) {
        memset(count->slots, 0, sizeof(count->slots));
        count->newest = slot;
        return;
    }

    while (count->newest < slot) {
        count->newest++;
        count->slots[count->newest % OG_COUNT_SLOTS] = 0;
    }
}


static void
og_count_in(og_count_t *count, uint64_t slot)
{
    uint32_t  *units;

    units = &count->slots[slot % OG_COUNT_SLOTS];

    if (*units < UINT32_MAX) {
        (*units)++;
    }
}


static int64_t
og_count_of(const og_count_t *count, uint64_t slot)
{
    if (slot > count->newest || count->newest - slot >= OG_COUNT_SLOTS) {
        return 0;
    }

    return count->slots[slot % OG_COUNT_SLOTS];
}
