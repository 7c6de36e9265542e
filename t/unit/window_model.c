
/*
 * Copyright (C) order guard contributors
 */


#include <stddef.h>

#include "window_model.h"


#define SKEW  10000                   /* ms; the gateways' own clocks */


/* xorshift64: Marsaglia, "Xorshift RNGs", 2003. */
uint64_t
model_below(model_t *model, uint64_t bound)
{
    model->dice ^= model->dice << 13;
    model->dice ^= model->dice >> 7;
    model->dice ^= model->dice << 17;

    return (model->dice >> 16) % bound;
}


/* Mostly as extreme as may be. */
static uint64_t
delay(model_t *model, uint64_t max)
{
    switch (model_below(model, 4)) {
    case 0:
        return max;
    case 1:
        return model_below(model, max + 1);
    default:
        return 0;
    }
}


void
model_set_clocks(model_t *model)
{
    unsigned          i;
    model_gateway_t  *gateway;

    for (i = 0; i < model->ngateways; i++) {
        gateway = &model->gateways[i];
        gateway->skew = (int64_t) model_below(model, 2 * SKEW + 1) - SKEW;
        model_measure(model, gateway);
    }
}


/* As ngx_http_og_redis_read_clock() does it. */
void
model_measure(model_t *model, model_gateway_t *gateway)
{
    uint64_t  asked, told, there, took, way;

    way = 2 * model->error;

    switch (model_below(model, 3)) {
    case 0:
        took = way;
        there = 0;
        break;
    case 1:
        took = way;
        there = way;
        break;
    default:
        took = model_below(model, way + 1);
        there = model_below(model, took + 1);
    }

    asked = (uint64_t) ((int64_t) model->now + gateway->skew);
    told = model->now + there;

    gateway->clock = (int64_t) told - (int64_t) (asked + took / 2);
}


/* What a gateway's time is ahead of the store's. */
int64_t
model_offset(const model_gateway_t *gateway)
{
    return gateway->skew + gateway->clock;
}


static uint64_t
time_of(const model_t *model, const model_gateway_t *gateway)
{
    return (uint64_t) ((int64_t) model->now + model_offset(gateway));
}


model_key_t *
model_key(model_t *model, uint64_t slot, uint64_t at)
{
    model_key_t  *key;

    key = &model->keys[slot % MODEL_KEYS];

    return (key->used && key->slot == slot && at < key->expires) ? key : NULL;
}


/* A counter that is absent or negative stands for no unit. */
int64_t
model_count(model_t *model, uint64_t slot, uint64_t at)
{
    model_key_t  *key;

    key = model_key(model, slot, at);

    return (key && key->count > 0) ? key->count : 0;
}


/* INCR or DECR, and PEXPIRE NX. */
static int64_t
change(model_t *model, uint64_t slot, int64_t by)
{
    model_key_t  *key;

    key = model_key(model, slot, model->now);

    if (key == NULL) {
        key = &model->keys[slot % MODEL_KEYS];

        if (key->used && model->now < key->expires) {
            model->immortal++;
        }

        key->used = 1;
        key->slot = slot;
        key->count = 0;
        key->expires = MODEL_NEVER;
    }

    model->changes++;
    key->count += by;

    if (key->count < 0) {
        model->negative++;
    }

    if (key->expires == MODEL_NEVER) {
        key->expires = model->now + og_window_expiry(&model->window);
    }

    return key->count;
}


static void
schedule(model_t *model, model_unit_t *unit, model_stage_e stage,
    uint64_t in)
{
    unit->stage = stage;
    unit->at = model->now + in;
    unit->rank = model_below(model, UINT32_MAX);
}


static void
finish(model_t *model, model_unit_t *unit)
{
    unit->stage = MODEL_FREE;
    model->nunits--;
}


model_unit_t *
model_ask(model_t *model, model_gateway_t *gateway, unsigned replay,
    uint64_t hold)
{
    model_unit_t  *unit;

    for (unit = model->units; unit->stage != MODEL_FREE; unit++) {
        /* void */
    }

    model->nunits++;

    unit->gateway = gateway;
    unit->replay = replay & 1;
    unit->hold = hold;
    unit->asked = time_of(model, gateway);
    unit->slot = og_window_slot(&model->window, unit->asked);

    schedule(model, unit, MODEL_ASKED, delay(model, model->travel));

    return unit;
}


/* Others may count in the next slot already. */
static int64_t
count_ahead(model_t *model, uint64_t slot, uint64_t at)
{
    return model_count(model, slot + 1, at);
}


static void
judge(model_t *model, uint64_t asked, uint64_t at, int64_t current,
    og_window_verdict_t *verdict)
{
    int64_t   closed[OG_WINDOW_SLOTS];
    uint64_t  slot, i;

    slot = og_window_slot(&model->window, asked);

    for (i = 0; i < OG_WINDOW_SLOTS; i++) {
        closed[i] = model_count(model, slot - 1 - i, at);
    }

    og_window_judge(&model->window, asked, closed, current, verdict);
}


og_window_verdict_t
model_peek(model_t *model, const model_gateway_t *gateway, uint64_t asked)
{
    uint64_t             slot, at;
    og_window_verdict_t  verdict;

    at = (uint64_t) ((int64_t) asked - model_offset(gateway));
    slot = og_window_slot(&model->window, asked);

    judge(model, asked, at, model_count(model, slot, at) + 1
                            + count_ahead(model, slot, at), &verdict);

    return verdict;
}


static void
do_count(model_t *model, model_unit_t *unit)
{
    unit->did = MODEL_WAS_COUNTED;
    unit->counted_at = model->now;
    unit->current = change(model, unit->slot, 1);
    unit->changes = model->changes;

    schedule(model, unit, MODEL_COUNTED, delay(model, model->gap));
}


static void
do_judge(model_t *model, model_unit_t *unit)
{
    int64_t  current;

    unit->did = MODEL_WAS_JUDGED;
    unit->ahead = count_ahead(model, unit->slot, model->now);

    current = unit->current - (int64_t) unit->replay;

    judge(model, unit->asked, model->now,
          (current > 0 ? current : 0) + unit->ahead, &unit->verdict);

    if (unit->replay) {
        schedule(model, unit, MODEL_JUDGED, unit->hold);

    } else if (!unit->verdict.admitted) {
        schedule(model, unit, MODEL_JUDGED, delay(model, model->latency));

    } else {
        finish(model, unit);
    }
}


/* A counter that has expired must not be touched. */
static void
do_send_back(model_t *model, model_unit_t *unit)
{
    if (og_window_slot(&model->window, time_of(model, unit->gateway))
        > unit->slot + OG_WINDOW_SLOTS)
    {
        unit->did = MODEL_WAS_TOO_OLD;
        finish(model, unit);
        return;
    }

    unit->did = MODEL_WAS_SENT_BACK;
    schedule(model, unit, MODEL_RETURNING, delay(model, model->travel));
}


static void
do_return(model_t *model, model_unit_t *unit)
{
    unit->did = MODEL_WAS_RETURNED;
    change(model, unit->slot, -1);
    finish(model, unit);
}


static model_unit_t *
next_unit(model_t *model)
{
    model_unit_t  *unit, *first;

    first = NULL;

    if (model->nunits == 0) {
        return NULL;
    }

    for (unit = model->units; unit < model->units + MODEL_IN_FLIGHT; unit++) {

        if (unit->stage != MODEL_FREE
            && (first == NULL || unit->at < first->at
                || (unit->at == first->at && unit->rank < first->rank)))
        {
            first = unit;
        }
    }

    return first;
}


model_unit_t *
model_step(model_t *model, uint64_t until)
{
    model_unit_t  *unit;

    unit = next_unit(model);

    if (unit == NULL || unit->at > until) {
        return NULL;
    }

    model->now = unit->at;

    switch (unit->stage) {
    case MODEL_ASKED:
        do_count(model, unit);
        break;
    case MODEL_COUNTED:
        do_judge(model, unit);
        break;
    case MODEL_JUDGED:
        do_send_back(model, unit);
        break;
    default: /* MODEL_RETURNING */
        do_return(model, unit);
    }

    return unit;
}
