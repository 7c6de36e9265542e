
/*
 * Copyright (C) order guard contributors
 *
 * Rules as text: a name, or a JSON Pointer token by token.
 */


#include <string.h>

#include "og_fields_set.h"


static void og_rule_unescape(og_rule_t *rule);


void
og_rule_init(og_rule_t *rule, const char *text, size_t len,
    unsigned char *name)
{
    rule->p = (const unsigned char *) text;
    rule->end = rule->p + len;
    rule->name = name;
    rule->len = 0;
    rule->token = OG_TOKEN_NAME;
    rule->bare = (text[0] != '/');
}


int
og_rule_next(og_rule_t *rule)
{
    const unsigned char  *start;

    if (rule->p == rule->end) {
        return 0;
    }

    rule->token = OG_TOKEN_NAME;

    if (rule->bare) {
        start = rule->p;
        rule->len = (size_t) (rule->end - rule->p);
        memcpy(rule->name, rule->p, rule->len);
        rule->p = rule->end;

    } else {
        start = ++rule->p;
        og_rule_unescape(rule);
    }

    if (rule->p - start == 1 && *start == '*') {
        rule->token = OG_TOKEN_ANY;

    } else if (rule->p - start == 2 && memcmp(start, "**", 2) == 0) {
        rule->token = OG_TOKEN_ALL_BELOW;
    }

    return 1;
}


static void
og_rule_unescape(og_rule_t *rule)
{
    unsigned char  c;

    rule->len = 0;

    for ( /* void */ ; rule->p < rule->end && *rule->p != '/'; rule->p++) {
        c = *rule->p;

        if (c == '~') {
            rule->p++;

            if (rule->p == rule->end || (*rule->p != '0' && *rule->p != '1'))
            {
                rule->token = OG_TOKEN_WRONG;
                return;
            }

            c = (*rule->p == '0') ? '~' : '/';
        }

        rule->name[rule->len++] = c;
    }
}
