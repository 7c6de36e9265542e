
/*
 * Copyright (C) order guard contributors
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fields_rules.h"


static const char *const  verdicts[] = {
    "passes", "strip", "reject", "unlisted"
};


const char *
fields_add_all(og_fields_t **fields, og_match_e match, const char *rules)
{
    size_t             i, len;
    const char        *wrong;
    og_field_action_e  action;

    static const char *const  actions[] = {
        "strip", "reject", "allow", "set"
    };

    *fields = og_fields_create(match);
    assert_non_null(*fields);

    action = OG_FIELD_STRIP;

    for ( /* void */ ; *rules != '\0'; rules += len) {
        rules += strspn(rules, " ");
        len = strcspn(rules, " ");

        for (i = 0; i < 4; i++) {
            if (strlen(actions[i]) == len
                && strncmp(rules, actions[i], len) == 0)
            {
                break;
            }
        }

        if (i < 4) {
            action = (og_field_action_e) i;
            continue;
        }

        wrong = og_fields_add(*fields, action, rules, len);
        if (wrong != NULL) {
            return wrong;
        }
    }

    return og_fields_compile(*fields);
}


void
fields_begin(fields_pass_t *pass, og_match_e match, const char *rules)
{
    const char  *wrong;

    memset(pass, 0, sizeof(fields_pass_t));

    wrong = fields_add_all(&pass->fields, match, rules);
    if (wrong != NULL) {
        fail_msg("%s: %s", rules, wrong);
    }

    assert_int_equal(og_fields_root(pass->fields, &pass->walk, &pass->root),
                     0);
    pass->place = pass->root;
}


void
fields_end(fields_pass_t *pass)
{
    og_fields_walk_done(&pass->walk);
    og_fields_free(pass->fields);
}


int
fields_to_field(fields_pass_t *pass, const char *name)
{
    int             open;
    size_t          len;
    unsigned char  *copy;

    /* of its very size, so that sanitizers see what lies behind */

    len = strlen(name);
    copy = malloc(len + (len == 0));
    memcpy(copy, name, len);

    open = og_fields_field(pass->fields, &pass->walk, &pass->root, copy, len,
                           &pass->place);
    free(copy);

    return open;
}


void
fields_to_member(fields_pass_t *pass, const char *name)
{
    size_t          len;
    og_name_t       member;
    og_place_t      parent;
    unsigned char  *copy;

    len = strlen(name);
    copy = malloc(len + (len == 0));
    memcpy(copy, name, len);

    member.data = copy;
    member.len = len;
    member.sketch = og_sketch(copy, len, len);

    parent = pass->place;
    assert_int_equal(og_fields_member(pass->fields, &pass->walk, &parent,
                                      &member, &pass->place),
                     0);
    free(copy);
}


void
fields_to_element(fields_pass_t *pass, size_t index)
{
    og_place_t  parent;

    parent = pass->place;
    assert_int_equal(og_fields_element(pass->fields, &pass->walk, &parent,
                                       index, &pass->place),
                     0);
}


int
fields_to_token(fields_pass_t *pass, const char *token)
{
    og_place_t  parent;

    parent = pass->place;

    return og_fields_token(pass->fields, &pass->walk, &parent,
                           (const unsigned char *) token, strlen(token),
                           &pass->place);
}


const char *
fields_verdict(const fields_pass_t *pass, int nested)
{
    return verdicts[og_fields_judge(&pass->place, nested)];
}


const char *
fields_verdict_unseen(const fields_pass_t *pass)
{
    return verdicts[og_fields_judge_unseen(pass->fields, &pass->walk,
                                           &pass->place)];
}
