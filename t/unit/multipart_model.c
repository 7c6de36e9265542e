
/*
 * Copyright (C) order guard contributors
 */


#include <stdlib.h>
#include <string.h>

#include "multipart_model.h"


typedef enum { PASSES, STRIPPED, REJECTED } verdict_e;


void
parts_clear(parts_text_t *text)
{
    text->len = 0;
    text->text[0] = '\0';
}


void
parts_put(parts_text_t *text, const char *s)
{
    size_t  len;

    len = strlen(s);

    if (text->len + len >= PARTS_TEXT) {
        abort();
    }

    memcpy(text->text + text->len, s, len + 1);
    text->len += len;
}


void
parts_begin(parts_model_t *model)
{
    memset(model->ways, 0, sizeof(model->ways));
    model->nways = 2;
}


void
parts_push(parts_model_t *model, const char *name, int is_index)
{
    size_t        w;
    parts_way_t  *way;

    for (w = 0; w < model->nways; w++) {
        way = &model->ways[w];

        if (w == 1 && strcmp(name, "-") == 0) {
            continue;
        }

        way->steps[way->n].name = name;
        way->steps[way->n].is_index = is_index;
        way->n++;
    }
}


void
parts_end(parts_model_t *model, const char *name)
{
    size_t  w;

    if (model->ways[0].n > 1) {
        model->ways[2].steps[0].name = name;
        model->ways[2].n = 1;
        model->nways = 3;
    }

    for (w = 0; w < model->nways; w++) {
        model->ways[w].document = model->ways[w].n;
    }
}


void
parts_pop(parts_model_t *model)
{
    size_t  w;

    for (w = 0; w < model->nways; w++) {
        model->ways[w].n--;
    }
}


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


/* Of the first name of a part, binders ignore what is in front. */
static int
is_token(og_match_e match, const parts_step_t *step, int is_first,
    const char *token)
{
    char         a[128], b[64];
    const char  *name;

    if (strcmp(token, "*") == 0) {
        return 1;
    }

    name = step->name;
    fold(match, b, token);

    do {
        fold(match, a, name);

        if (strcmp(a, b) == 0) {
            return 1;
        }

    } while (is_first && (*name == '_' || *name == '!') && *++name);

    return 0;
}


/* Whether a rule leads from one step to the end of another one. */
static int
leads(const parts_model_t *model, const parts_rule_t *rule,
    const parts_way_t *way, size_t first, size_t last)
{
    size_t  i;

    if (rule->ntokens != last + 1 - first) {
        return 0;
    }

    for (i = 0; i < rule->ntokens; i++) {

        if (!is_token(model->match, &way->steps[first + i], first + i == 0,
                      rule->tokens[i]))
        {
            return 0;
        }
    }

    return 1;
}


static int
is_denied(const parts_model_t *model, og_field_action_e action,
    const parts_way_t *way, size_t last)
{
    size_t               i;
    const parts_rule_t  *rule;

    for (i = 0; i < model->nrules; i++) {
        rule = &model->rules[i];

        if (rule->action != action) {
            continue;
        }

        if (rule->bare) {

            if (!way->steps[last].is_index
                && is_token(model->match, &way->steps[last], last == 0,
                            rule->tokens[0]))
            {
                return 1;
            }

        } else if (leads(model, rule, way, 0, last)
                   || (last >= way->document
                       && leads(model, rule, way, way->document, last)))
        {
            return 1;
        }
    }

    return 0;
}


/*
 * What strip and reject say of the value at hand: of all steps of a part's
 * name, or of a member's own.
 */
static verdict_e
judge(const parts_model_t *model)
{
    size_t              i, w;
    verdict_e           verdict;
    const parts_way_t  *way;

    verdict = PASSES;

    for (w = 0; w < model->nways; w++) {
        way = &model->ways[w];

        for (i = (way->n > way->document) ? way->n - 1 : 0; i < way->n; i++) {

            if (is_denied(model, OG_FIELD_REJECT, way, i)) {
                return REJECTED;
            }

            if (is_denied(model, OG_FIELD_STRIP, way, i)) {
                verdict = STRIPPED;
            }
        }
    }

    return verdict;
}


static int
is_passed(const parts_rule_t *rule, const parts_way_t *way, int nested)
{
    int     all_below;
    size_t  i, m;

    m = rule->ntokens;
    all_below = strcmp(rule->tokens[m - 1], "**") == 0;
    m -= (size_t) all_below;

    for (i = 0; i < m && i < way->n; i++) {

        if (strcmp(rule->tokens[i], "*") != 0
            && strcmp(rule->tokens[i], way->steps[i].name) != 0)
        {
            return 0;
        }
    }

    if (way->n < m || (way->n == m && all_below)) {
        return nested;
    }

    /* values in arrays, and in arrays of those, belong to the array */

    for ( /* void */ ; i < way->n && !all_below; i++) {

        if (!way->steps[i].is_index) {
            return 0;
        }
    }

    return 1;
}


static int
is_unlisted(const parts_model_t *model, int nested)
{
    int     any;
    size_t  i;

    any = 0;

    for (i = 0; i < model->nrules; i++) {

        if (model->rules[i].action == OG_FIELD_ALLOW) {
            any = 1;

            if (is_passed(&model->rules[i], &model->ways[0], nested)) {
                return 0;
            }
        }
    }

    return any;
}


static void
list(parts_text_t *text, const parts_way_t *way)
{
    size_t  i;

    if (text->len > 0) {
        parts_put(text, ",");
    }

    for (i = 0; i < way->n; i++) {
        parts_put(text, "/");
        parts_put(text, way->steps[i].name);
    }
}


int
parts_stays(parts_model_t *model, int nested, parts_around_e around,
    parts_around_e *inner)
{
    verdict_e  verdict;

    *inner = around;
    verdict = judge(model);

    if (verdict == PASSES && around == PARTS_STAYS
        && is_unlisted(model, nested))
    {
        verdict = model->reject_unlisted ? REJECTED : STRIPPED;
    }

    if (verdict == REJECTED) {
        list(&model->rejected, &model->ways[0]);
        *inner = (around == PARTS_GOES) ? PARTS_GOES : PARTS_IS_REJECTED;
    }

    if (around == PARTS_GOES) {
        return 0;
    }

    if (verdict == STRIPPED) {
        list(&model->stripped, &model->ways[0]);
        *inner = PARTS_GOES;
        model->has_cut = 1;
    }

    return verdict != STRIPPED;
}
