
/*
 * Copyright (C) order guard contributors
 */


#include <stdlib.h>
#include <string.h>

#include "rules.h"


static const char *rules_add(rules_t *rules, const char *rule, size_t len);
static void rules_note(rules_t *rules, og_field_action_e action,
    const char *field, size_t len);


int
rules_read(rules_t *rules, const char *line, size_t len)
{
    char         mode;
    const char  *p, *end, *last, *wrong;

    memset(rules, 0, sizeof(rules_t));

    if (len == 0) {
        return -1;
    }

    mode = line[0] | 0x20;
    rules->reject_unlisted = (mode != line[0]);
    rules->fields = og_fields_create((mode == 'e') ? OG_MATCH_EXACT
                                     : (mode == 'c') ? OG_MATCH_CASELESS
                                     : OG_MATCH_LOOSE);
    check(rules->fields != NULL);

    end = line + len;
    wrong = NULL;

    for (p = line + 1; p < end && wrong == NULL; p = last + 1) {
        last = memchr(p, ' ', (size_t) (end - p));
        last = last ? last : end;

        if (last - p > 2 && last - p < RULE_NAME) {
            wrong = rules_add(rules, p, (size_t) (last - p));
        }
    }

    if (wrong == NULL) {
        wrong = og_fields_compile(rules->fields);
    }

    if (wrong == NULL) {
        return 0;
    }

    rules_done(rules);

    return -1;
}


static const char *
rules_add(rules_t *rules, const char *rule, size_t len)
{
    const char         *field;
    og_field_action_e   action;

    field = rule + 2;
    len -= 2;

    action = (rule[0] == 'a') ? OG_FIELD_ALLOW
             : (rule[0] == 'r') ? OG_FIELD_REJECT
             : (rule[0] == 'w') ? OG_FIELD_SET : OG_FIELD_STRIP;

    if (action == OG_FIELD_SET && rules->nsets == RULES) {
        return "too many";
    }

    rules_note(rules, action, field, len);

    return og_fields_add(rules->fields, action, field, len);
}


static void
rules_note(rules_t *rules, og_field_action_e action, const char *field,
    size_t len)
{
    rules->has_pointers |= (field[0] == '/');
    rules->has_allow |= (action == OG_FIELD_ALLOW);
    rules->has_strip |= (action == OG_FIELD_STRIP || action == OG_FIELD_SET);

    if (action == OG_FIELD_SET) {
        rules->sets[rules->nsets].field = field;
        rules->sets[rules->nsets].field_len = len;
        rules->nsets++;
    }

    if (action == OG_FIELD_STRIP && field[0] != '/' && rules->nbare < RULES) {
        rules->bare[rules->nbare].text = field;
        rules->bare[rules->nbare].len = len;
        rules->nbare++;
    }
}


void
rules_done(rules_t *rules)
{
    og_fields_free(rules->fields);
    rules->fields = NULL;
}


void
check(int holds)
{
    if (!holds) {
        abort();
    }
}
