
/*
 * Copyright (C) order guard contributors
 */


#include <stdio.h>
#include <string.h>

#include "form_model.h"


/* an element of whatever index, as a token of a name */
#define ANY  "*"


/* A name that is read in one way. */
typedef struct {
    size_t                n;
    char                  tokens[FORM_TOKENS][FORM_NAME];
    int                   in_brackets[FORM_TOKENS];
} path_t;


static void
fold(og_match_e match, char *dst, const char *src)
{
    for ( /* void */ ; *src; src++) {

        if (match == OG_MATCH_LOOSE && strchr("_- ", *src)) {
            continue;
        }

        *dst++ = (match != OG_MATCH_EXACT && *src >= 'A' && *src <= 'Z')
                 ? (char) (*src + 32) : *src;
    }

    *dst = '\0';
}


static int
same(og_match_e match, const char *name, const char *token)
{
    char  a[FORM_NAME], b[FORM_NAME];

    fold(match, a, name);
    fold(match, b, token);

    return strcmp(a, b) == 0;
}


/* Whether the rule leads to the path, or to something around it. */
static int
takes(og_match_e match, const form_rule_t *rule, const path_t *path)
{
    size_t  i;

    if (rule->bare) {

        for (i = 0; i < path->n; i++) {

            if (same(match, path->tokens[i], rule->tokens[0])) {
                return 1;
            }
        }

        return 0;
    }

    for (i = 0; i < rule->ntokens; i++) {

        if (i == path->n || (strcmp(rule->tokens[i], "*") != 0
                             && (strcmp(path->tokens[i], ANY) == 0
                                 || !same(match, path->tokens[i],
                                          rule->tokens[i]))))
        {
            return 0;
        }
    }

    return 1;
}


/* What is nothing but ignored characters is no token. */
static void
add_token(og_match_e match, path_t *path, const char *from, size_t len,
    int in_brackets)
{
    char  folded[FORM_NAME];

    memcpy(path->tokens[path->n], from, len);
    path->tokens[path->n][len] = '\0';
    path->in_brackets[path->n] = in_brackets;

    fold(match, folded, path->tokens[path->n]);
    path->n += (folded[0] != '\0');
}


/*
 * Reads a name as what is parted by brackets, by front before the first one,
 * and by dots behind; with empty brackets as a token or not.
 */
static path_t
read_name(og_match_e match, const char *name, const char *front,
    int with_any)
{
    int          in_brackets;
    size_t       len;
    path_t       path;
    const char  *apart;

    path.n = 0;
    in_brackets = 0;
    apart = front;

    while (*name) {
        len = strcspn(name, apart);

        if (len > 0) {
            add_token(match, &path, name, len, in_brackets);

        } else if (in_brackets && *name == ']' && with_any) {
            add_token(match, &path, ANY, 1, 1);
        }

        name += len;

        if (*name != '\0') {
            in_brackets = (*name == '[');
            apart = in_brackets ? ".[]" : apart;
            name++;
        }
    }

    return path;
}


static int
takes_name(og_match_e match, const form_rule_t *rule, const char *name)
{
    size_t  i;
    path_t  paths[4];

    paths[0].n = 0;
    add_token(match, &paths[0], name, strlen(name), 0);
    paths[1] = read_name(match, name, "!.[", 0);
    paths[2] = read_name(match, name, "!.[", 1);
    paths[3] = read_name(match, name, "[", 1);

    for (i = 0; i < 4 && !takes(match, rule, &paths[i]); i++) { /* void */ }

    return i < 4;
}


/* Whether strip, reject or set takes a name in one reading or another. */
static int
is_denied(og_match_e match, const form_rule_t *rule, const char *name)
{
    char        as_php[FORM_NAME];
    size_t      i;
    const char  *p;

    snprintf(as_php, sizeof(as_php), "%s", name);

    for (i = 0; as_php[i] != '\0' && as_php[i] != '['; i++) {

        if (as_php[i] == '.') {
            as_php[i] = '_';
        }
    }

    for (p = name; ; p++) {

        if (takes_name(match, rule, p)
            || takes_name(match, rule, as_php + (p - name))) {
            return 1;
        }

        if ((*p != '_' && *p != '!') || p[1] == '\0') {
            return 0;
        }
    }
}


/* How many tokens there are in front of text behind a name in brackets. */
static size_t
where_binders_differ(const path_t *path)
{
    size_t  i;

    for (i = 1; i < path->n; i++) {

        if (!path->in_brackets[i] && path->in_brackets[i - 1]
            && strspn(path->tokens[i - 1], "0123456789" ANY)
               != strlen(path->tokens[i - 1]))
        {
            break;
        }
    }

    return i;
}


static int
is_listed(const form_rule_t *rule, const char *name)
{
    size_t  i, differ;
    path_t  path;

    if (rule->ntokens == 1 && !rule->all_below
        && strcmp(rule->tokens[0], name) == 0)
    {
        return 1;
    }

    path = read_name(OG_MATCH_EXACT, name, ".[", 1);

    for (i = 0; i < rule->ntokens; i++) {

        if (i == path.n || (strcmp(rule->tokens[i], "*") != 0
                            && strcmp(rule->tokens[i], path.tokens[i])
                               != 0))
        {
            return 0;
        }
    }

    /* where binders differ only "**" lists, and around all of it */

    differ = where_binders_differ(&path);

    if (rule->all_below) {
        return path.n > rule->ntokens && differ > rule->ntokens;
    }

    if (differ < path.n) {
        return 0;
    }

    /* elements of an array, and of arrays in it */

    for ( /* void */ ; i < path.n; i++) {

        if (!path.in_brackets[i]
            || strspn(path.tokens[i], "0123456789" ANY)
               != strlen(path.tokens[i]))
        {
            return 0;
        }
    }

    return 1;
}


og_field_verdict_e
form_verdict(const form_rules_t *rules, const char *name)
{
    int                 denied, has_allow, listed;
    size_t              i;
    const form_rule_t  *rule;

    denied = 0;
    has_allow = 0;
    listed = 0;

    for (i = 0; i < rules->nrules; i++) {
        rule = &rules->rules[i];

        if (rule->action == OG_FIELD_ALLOW) {
            has_allow = 1;
            listed |= is_listed(rule, name);

        } else if (is_denied(rules->match, rule, name)) {
            denied |= (rule->action == OG_FIELD_REJECT) ? 2 : 1;
        }
    }

    return (denied & 2) ? OG_FIELD_REJECTED
           : denied ? OG_FIELD_STRIPPED
           : (has_allow && !listed) ? OG_FIELD_UNLISTED : OG_FIELD_PASSES;
}
