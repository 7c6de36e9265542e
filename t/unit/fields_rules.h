
/*
 * Copyright (C) order guard contributors
 *
 * Rules for tests, as text, and where a path of names leads to.
 */


#ifndef FIELDS_RULES_H_INCLUDED_
#define FIELDS_RULES_H_INCLUDED_


#include "og_fields.h"


/* A set of rules and where a pass stands. */
typedef struct {
    og_fields_t          *fields;
    og_fields_walk_t      walk;
    og_place_t            root;
    og_place_t            place;
} fields_pass_t;


/*
 * Rules by the words "strip", "reject", "allow" and "set", each in front of
 * its fields: "strip price /a/b set user_id".  Returns what is wrong with
 * them, or NULL; fields is always to be freed.
 */
const char *fields_add_all(og_fields_t **fields, og_match_e match,
    const char *rules);


/* The pass stands at the root; rules that are refused fail the test. */
void fields_begin(fields_pass_t *pass, og_match_e match, const char *rules);
void fields_end(fields_pass_t *pass);


/* Goes from the root to the field of a form; returns what it returns. */
int fields_to_field(fields_pass_t *pass, const char *name);


/* Goes one down: to a member, an element, or by a token of a pointer. */
void fields_to_member(fields_pass_t *pass, const char *name);
void fields_to_element(fields_pass_t *pass, size_t index);
int fields_to_token(fields_pass_t *pass, const char *token);


/* What becomes of the place: "passes", "strip", "reject" or "unlisted". */
const char *fields_verdict(const fields_pass_t *pass, int nested);


/* The same where it cannot be seen. */
const char *fields_verdict_unseen(const fields_pass_t *pass);


#endif /* FIELDS_RULES_H_INCLUDED_ */
