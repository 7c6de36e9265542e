
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
#include "og_set.h"


#define MODEL_RULES   6
#define MODEL_TOKENS  4
#define MODEL_NAME    64
#define MODEL_LIST    65536


/* A bare rule is a name at any depth, or in allow one of the root. */
typedef struct {
    og_field_action_e     action;
    int                   bare;
    size_t                ntokens;
    const char           *tokens[MODEL_TOKENS];   /* "*"; "**" at the end */
    char                  text[MODEL_NAME];
    og_set_type_e         type;       /* of a set rule */
    const char           *value;
} model_rule_t;


typedef struct {
    og_match_e            match;
    unsigned              reject_unlisted;
    size_t                nrules;
    model_rule_t          rules[MODEL_RULES];
} model_rules_t;


typedef struct {
    json_t               *left;       /* a new document */
    json_t               *set;        /* the same with the gateway's fields;
                                         NULL: one of them has no place */
    int                   elsewhere;  /* a field stood where its rule leads,
                                         but not name by name */
    char                  stripped[MODEL_LIST];
    char                  rejected[MODEL_LIST];
} model_result_t;


/* Whether there are allow rules. */
int model_has_allow(const model_rules_t *rules);


/*
 * Whether a set rule has no place in a document: something on the way to it
 * is no object.
 */
int model_has_no_place(const model_rule_t *rule, json_t *root);


/*
 * What becomes of root, which is no deeper than 15 levels, has names of less
 * than 64 bytes, and numbers as slow_read() has them.
 */
void model_judge(const model_rules_t *rules, json_t *root,
    model_result_t *result);


/* The same: what is left, and whether a reject rule matched. */
json_t *model_apply(const model_rules_t *rules, json_t *root, int *rejected);


#endif /* JSON_MODEL_H_INCLUDED_ */
