
/*
 * Copyright (C) order guard contributors
 */


#include <stdio.h>
#include <string.h>

#include "json_model.h"


/* A step of a path: a member's name, or an index as text. */
typedef struct {
    char                  name[MODEL_NAME];
    int                   is_index;
} step_t;


typedef struct {
    step_t                path[16];
    size_t                n;
    int                   rejected;
} walk_t;


static json_t *left_of(const model_rules_t *rules, json_t *value,
    walk_t *walk);


/* A name as it compares. */
static void
fold(og_match_e match, char *dst, const char *src)
{
    for ( /* void */ ; *src; src++) {

        if (match != OG_MATCH_EXACT) {

            if (strncmp(src, "\xc5\xbf", 2) == 0) {
                *dst++ = 's';
                src++;
                continue;
            }

            if (strncmp(src, "\xe2\x84\xaa", 3) == 0) {
                *dst++ = 'k';
                src += 2;
                continue;
            }
        }

        if (match == OG_MATCH_LOOSE && (*src == '_' || *src == '-')) {
            continue;
        }

        *dst++ = (match != OG_MATCH_EXACT && *src >= 'A'
                  && *src <= 'Z') ? (char) (*src + 32) : *src;
    }

    *dst = '\0';
}


static int
same(og_match_e match, const char *name, const char *token)
{
    char  a[MODEL_NAME], b[MODEL_NAME];

    if (strcmp(token, "*") == 0) {
        return 1;
    }

    fold(match, a, name);
    fold(match, b, token);

    return strcmp(a, b) == 0;
}


/*
 * Whether the tokens of a rule lead along the path; a member's
 * name with "." or "[" is one step, or as many as it has parts.
 */
static int
leads(og_match_e match, const model_rule_t *rule, size_t token,
    const step_t *path, size_t n)
{
    size_t   left;
    char    *part, *save, name[MODEL_NAME];

    if (token == rule->ntokens) {
        return 1;
    }

    if (n == 0) {
        return 0;
    }

    if (same(match, path->name, rule->tokens[token])
        && leads(match, rule, token + 1, path + 1, n - 1))
    {
        return 1;
    }

    if (path->is_index || strpbrk(path->name, ".[") == NULL) {
        return 0;
    }

    snprintf(name, sizeof(name), "%s", path->name);
    left = token;

    for (part = strtok_r(name, ".[]", &save); part != NULL;
         part = strtok_r(NULL, ".[]", &save))
    {
        if (left == rule->ntokens || !same(match, part, rule->tokens[left])) {
            break;
        }

        left++;
    }

    if (left == rule->ntokens) {
        return 1;
    }

    return part == NULL && leads(match, rule, left, path + 1, n - 1);
}


/* A bare name is the last step, or any part of its name. */
static int
is_named(og_match_e match, const model_rule_t *rule, const step_t *last)
{
    char  *part, *save, name[MODEL_NAME];

    if (last->is_index) {
        return 0;
    }

    if (same(match, last->name, rule->tokens[0])) {
        return 1;
    }

    if (strpbrk(last->name, ".[") == NULL) {
        return 0;
    }

    snprintf(name, sizeof(name), "%s", last->name);

    for (part = strtok_r(name, ".[]", &save); part != NULL;
         part = strtok_r(NULL, ".[]", &save))
    {
        if (same(match, part, rule->tokens[0])) {
            return 1;
        }
    }

    return 0;
}


static int
is_denied(const model_rules_t *rules, og_field_action_e action,
    const step_t *path, size_t n)
{
    size_t         i;
    const model_rule_t  *rule;

    for (i = 0; i < rules->nrules; i++) {
        rule = &rules->rules[i];

        if (rule->action == action
            && (rule->bare ? is_named(rules->match, rule, &path[n - 1])
                           : leads(rules->match, rule, 0, path, n)))
        {
            return 1;
        }
    }

    return 0;
}


/* Whether one allow rule passes the value at the path. */
static int
is_passed(const model_rule_t *rule, const step_t *path, size_t n, int container)
{
    int     all_below;
    size_t  i, m;

    m = rule->ntokens;
    all_below = strcmp(rule->tokens[m - 1], "**") == 0;
    m -= (size_t) all_below;

    for (i = 0; i < m && i < n; i++) {

        if (strcmp(rule->tokens[i], "*") != 0
            && strcmp(rule->tokens[i], path[i].name) != 0)
        {
            return 0;
        }
    }

    if (n < m || (n == m && all_below)) {
        return container;
    }

    /* values in arrays, and in arrays of those, belong to the array */

    for ( /* void */ ; i < n && !all_below; i++) {

        if (!path[i].is_index) {
            return 0;
        }
    }

    return 1;
}


static int
is_unlisted(const model_rules_t *rules, const step_t *path, size_t n,
    int container)
{
    int     any;
    size_t  i;

    any = 0;

    for (i = 0; i < rules->nrules; i++) {

        if (rules->rules[i].action == OG_FIELD_ALLOW) {
            any = 1;

            if (is_passed(&rules->rules[i], path, n, container)) {
                return 0;
            }
        }
    }

    return any;
}


/* What is left of a member or element, NULL if nothing. */
static json_t *
left_of_part(const model_rules_t *rules, json_t *value, walk_t *walk)
{
    int      cut;
    json_t  *left;

    if (is_denied(rules, OG_FIELD_REJECT, walk->path, walk->n)) {
        walk->rejected = 1;
    }

    cut = is_denied(rules, OG_FIELD_STRIP, walk->path, walk->n)
          || is_unlisted(rules, walk->path, walk->n,
                         json_is_object(value) || json_is_array(value));

    /* what is cut is walked through for what is rejected in it */

    left = left_of(rules, value, walk);

    if (cut) {
        json_decref(left);
        return NULL;
    }

    return left;
}


static json_t *
left_of_object(const model_rules_t *rules, json_t *value, walk_t *walk)
{
    json_t      *left, *part, *member;
    step_t      *step;
    const char  *name;

    left = json_object();
    step = &walk->path[walk->n++];

    json_object_foreach(value, name, member) {
        snprintf(step->name, sizeof(step->name), "%s", name);
        step->is_index = 0;
        part = left_of_part(rules, member, walk);

        if (part != NULL) {
            json_object_set_new(left, name, part);
        }
    }

    walk->n--;

    return left;
}


static json_t *
left_of_array(const model_rules_t *rules, json_t *value, walk_t *walk)
{
    size_t   i;
    json_t  *left, *part, *element;
    step_t  *step;

    left = json_array();
    step = &walk->path[walk->n++];

    json_array_foreach(value, i, element) {
        snprintf(step->name, sizeof(step->name), "%zu", i);
        step->is_index = 1;
        part = left_of_part(rules, element, walk);

        if (part != NULL) {
            json_array_append_new(left, part);
        }
    }

    walk->n--;

    return left;
}


static json_t *
left_of(const model_rules_t *rules, json_t *value, walk_t *walk)
{
    if (json_is_object(value)) {
        return left_of_object(rules, value, walk);
    }

    if (json_is_array(value)) {
        return left_of_array(rules, value, walk);
    }

    return json_incref(value);
}


json_t *
model_apply(const model_rules_t *rules, json_t *root, int *rejected)
{
    json_t  *left;
    walk_t   walk;

    walk.n = 0;
    walk.rejected = 0;

    left = left_of(rules, root, &walk);
    *rejected = walk.rejected;

    return left;
}


int
model_has_allow(const model_rules_t *rules)
{
    size_t  i;

    for (i = 0; i < rules->nrules; i++) {

        if (rules->rules[i].action == OG_FIELD_ALLOW) {
            return 1;
        }
    }

    return 0;
}
