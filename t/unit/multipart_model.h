
/*
 * Copyright (C) order guard contributors
 *
 * What field rules mean for forms of many parts, slow and obvious: each way
 * to read the path of a value is held against each rule in turn.
 */


#ifndef MULTIPART_MODEL_H_INCLUDED_
#define MULTIPART_MODEL_H_INCLUDED_


#include <stddef.h>

#include "og_fields.h"


#define PARTS_RULES   6
#define PARTS_TOKENS  4
#define PARTS_STEPS   16
#define PARTS_WAYS    3
#define PARTS_TEXT    65536


/* A bare rule is a name at any depth, or in allow one of the root. */
typedef struct {
    og_field_action_e     action;
    int                   bare;
    size_t                ntokens;
    const char           *tokens[PARTS_TOKENS];   /* "*"; "**" at the end */
    char                  text[64];
} parts_rule_t;


typedef struct {
    const char           *name;       /* of an index: its digits, or "-" */
    int                   is_index;
} parts_step_t;


/* A path; document is where a part's JSON begins. */
typedef struct {
    parts_step_t          steps[PARTS_STEPS];
    size_t                n;
    size_t                document;
} parts_way_t;


typedef struct {
    char                  text[PARTS_TEXT];
    size_t                len;
} parts_text_t;


typedef struct {
    og_match_e            match;
    unsigned              reject_unlisted;
    size_t                nrules;
    parts_rule_t          rules[PARTS_RULES];

    /*
     * How the value at hand is reached: by the parts of its part's name, by
     * those that are not empty, and by the name as a whole.
     */
    parts_way_t           ways[PARTS_WAYS];
    size_t                nways;

    parts_text_t          stripped;
    parts_text_t          rejected;
    int                   has_cut;    /* since somebody cleared it */
} parts_model_t;


/* What is around a value. */
typedef enum {
    PARTS_STAYS = 0,
    PARTS_IS_REJECTED,        /* and all in it counts as listed */
    PARTS_GOES
} parts_around_e;


void parts_clear(parts_text_t *text);
void parts_put(parts_text_t *text, const char *s);


/* Begins with the name of a part: there are the first two ways. */
void parts_begin(parts_model_t *model);


/* Adds a step; an empty name is not there for those who skip such. */
void parts_push(parts_model_t *model, const char *name, int is_index);


/* The name is complete, and is this as a whole; JSON follows. */
void parts_end(parts_model_t *model, const char *name);


void parts_pop(parts_model_t *model);


/*
 * Whether the value at hand stays, and lists it if not; what becomes of
 * others in it depends on *inner.
 */
int parts_stays(parts_model_t *model, int nested, parts_around_e around,
    parts_around_e *inner);


#endif /* MULTIPART_MODEL_H_INCLUDED_ */
