
/*
 * Copyright (C) order guard contributors
 *
 * A store and gateways that count in it, step by step, as the module does it
 * (ngx_http_og_redis_limit.c), in simulated time.  The clocks of gateways
 * differ by any amount; their offset to the store's is measured, and wrong by
 * half of what the way there and back took.
 *
 * A unit takes a time to get to the store, is counted, judged by what is read
 * behind that, and perhaps given back: steps of others come in between.
 */


#ifndef WINDOW_MODEL_H_INCLUDED_
#define WINDOW_MODEL_H_INCLUDED_


#include <stdint.h>

#include "og_window.h"


#define MODEL_GATEWAYS     5
#define MODEL_IN_FLIGHT    32
#define MODEL_KEYS         64

/* ms; two gateways differ by up to twice as much */
#define MODEL_CLOCK_ERROR  20
#define MODEL_LOOK_AHEAD   (2 * MODEL_CLOCK_ERROR)

/* ms: what is written at once is not read later than this */
#define MODEL_READ_GAP     5

#define MODEL_NEVER        UINT64_MAX


typedef enum {
    MODEL_FREE = 0,
    MODEL_ASKED,                      /* next: it is counted */
    MODEL_COUNTED,                    /* next: it is judged */
    MODEL_JUDGED,                     /* next: it is given back, or too old */
    MODEL_RETURNING                   /* next: its slot has it back */
} model_stage_e;


typedef enum {
    MODEL_WAS_COUNTED = 0,
    MODEL_WAS_JUDGED,
    MODEL_WAS_TOO_OLD,                /* not given back: its slot has left */
    MODEL_WAS_SENT_BACK,
    MODEL_WAS_RETURNED
} model_step_e;


/* A counter of the store; expires: MODEL_NEVER until it is told. */
typedef struct {
    uint64_t              slot;
    int64_t               count;
    uint64_t              expires;
    unsigned              used:1;
} model_key_t;


typedef struct {
    int64_t               skew;       /* of its own clock */
    int64_t               clock;      /* what it adds to it */
} model_gateway_t;


typedef struct {
    model_stage_e         stage;
    model_step_e          did;
    uint64_t              at;         /* of its next step */
    uint64_t              rank;       /* among steps at the same time */
    model_gateway_t      *gateway;
    unsigned              replay:1;   /* not spent: given back in any case */
    uint64_t              hold;       /* ms before it is given back */

    uint64_t              asked;      /* by the gateway's time */
    uint64_t              slot;
    uint64_t              counted_at;
    uint64_t              changes;    /* of the store, when it was counted */
    int64_t               current;
    int64_t               ahead;      /* units read in the next slot */
    og_window_verdict_t   verdict;
} model_unit_t;


typedef struct {
    og_window_t           window;
    uint64_t              now;        /* the store's */
    uint64_t              dice;

    /* ms, at the most */
    uint64_t              error;      /* of what a gateway adds */
    uint64_t              travel;     /* to the store */
    uint64_t              gap;        /* between counting and reading */
    uint64_t              latency;    /* before a refused unit goes back */

    unsigned              ngateways;
    unsigned              nunits;     /* in flight */
    uint64_t              changes;    /* commands that changed a counter */
    uint64_t              negative;   /* commands that left one below 0 */
    uint64_t              immortal;   /* counters that lived for too long */

    model_gateway_t       gateways[MODEL_GATEWAYS];
    model_unit_t          units[MODEL_IN_FLIGHT];
    model_key_t           keys[MODEL_KEYS];
} model_t;


uint64_t model_below(model_t *model, uint64_t bound);

/* Chooses clocks for ngateways; needs error. */
void model_set_clocks(model_t *model);

/* Measures the offset anew. */
void model_measure(model_t *model, model_gateway_t *gateway);

/* Begins a unit at now; there must be room for one in flight. */
model_unit_t *model_ask(model_t *model, model_gateway_t *gateway,
    unsigned replay, uint64_t hold);

/* Does the first step that is due until then; NULL: there is none. */
model_unit_t *model_step(model_t *model, uint64_t until);

/* What one more unit would get at that time of the gateway. */
og_window_verdict_t model_peek(model_t *model,
    const model_gateway_t *gateway, uint64_t at);

/* The counter at that time of the store; NULL: there is none. */
model_key_t *model_key(model_t *model, uint64_t slot, uint64_t at);
int64_t model_count(model_t *model, uint64_t slot, uint64_t at);

int64_t model_offset(const model_gateway_t *gateway);


#endif /* WINDOW_MODEL_H_INCLUDED_ */
