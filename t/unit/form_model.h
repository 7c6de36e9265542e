
/*
 * Copyright (C) order guard contributors
 *
 * What field rules mean for the fields of a form, slow and obvious: each way
 * to read a name is held against each rule in turn.  Names have no text
 * behind a bracket but ".a" at the end, and no dots in brackets.
 */


#ifndef FORM_MODEL_H_INCLUDED_
#define FORM_MODEL_H_INCLUDED_


#include <stddef.h>

#include "og_fields.h"


#define FORM_RULES   6
#define FORM_TOKENS  12
#define FORM_NAME    128


/* A bare rule has one token; "*" is one, "**" at the end is not. */
typedef struct {
    og_field_action_e     action;
    int                   bare;
    int                   all_below;
    size_t                ntokens;
    char                  tokens[FORM_TOKENS][FORM_NAME];
    char                  text[FORM_NAME];
} form_rule_t;


typedef struct {
    og_match_e            match;
    size_t                nrules;
    form_rule_t           rules[FORM_RULES];
} form_rules_t;


/* What becomes of a field of that name, decoded. */
og_field_verdict_e form_verdict(const form_rules_t *rules, const char *name);


#endif /* FORM_MODEL_H_INCLUDED_ */
