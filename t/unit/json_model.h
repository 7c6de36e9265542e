
/*
 * Copyright (C) order guard contributors
 *
 * What field rules mean, slow and obvious: each path of a document that
 * jansson has read is held against each rule in turn.
 */


#ifndef JSON_MODEL_H_INCLUDED_
#define JSON_MODEL_H_INCLUDED_


#include <jansson.h>
#include <stddef.h>

#include "og_fields.h"


#define MODEL_RULES   6
#define MODEL_TOKENS  4
#define MODEL_NAME    64


/* A bare rule is a name at any depth, or in allow one of the root. */
typedef struct {
    og_field_action_e     action;
    int                   bare;
    size_t                ntokens;
    const char           *tokens[MODEL_TOKENS];   /* "*"; "**" at the end */
    char                  text[MODEL_NAME];
} model_rule_t;


typedef struct {
    og_match_e            match;
    size_t                nrules;
    model_rule_t          rules[MODEL_RULES];
} model_rules_t;


/* Whether there are allow rules. */
int model_has_allow(const model_rules_t *rules);


/*
 * A new document with what the rules leave of root, which is no deeper than
 * 15 levels and has names of less than 64 bytes.  *rejected tells whether a
 * reject rule matched.
 */
json_t *model_apply(const model_rules_t *rules, json_t *root, int *rejected);


#endif /* JSON_MODEL_H_INCLUDED_ */
