
/*
 * Copyright (C) order guard contributors
 *
 * Rules that contradict one another: a mistake in the configuration.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "og_fields_set.h"


/* Rules that are being checked, and what that takes. */
typedef struct {
    og_fields_t          *fields;
    og_fields_walk_t      walk;
    unsigned char        *name;       /* room for the text of any rule */
    uint32_t              nset;       /* set rules so far */
} og_check_t;


static size_t og_check_room(const og_fields_t *fields);
static const char *og_check_rule(og_check_t *check, const og_added_t *rule);
static const char *og_check_reject(og_check_t *check,
    const og_added_t *reject);
static uint32_t og_check_end(og_check_t *check, const og_added_t *rule);
static const char *og_check_allow(og_check_t *check, const og_added_t *allow);
static int og_check_takes(const og_fields_t *fields, og_check_t *check,
    const og_added_t *allow);
static const char *og_check_set(og_check_t *check, const og_added_t *set);
static const og_added_t *og_check_other_set(const og_check_t *check,
    uint32_t node);
static og_name_t og_check_name(const og_check_t *check,
    const og_rule_t *rule);
static const char *og_check_say(og_check_t *check, const og_added_t *a,
    const char *verb, const og_added_t *b);


const char *
og_fields_contradiction(og_fields_t *fields)
{
    size_t       i;
    og_check_t   check;
    const char  *wrong;

    memset(&check, 0, sizeof(og_check_t));
    check.fields = fields;

    check.name = malloc(og_check_room(fields));
    if (check.name == NULL) {
        return og_fields_no_memory;
    }

    wrong = NULL;

    for (i = 0; i < fields->nadded && wrong == NULL; i++) {
        wrong = og_check_rule(&check, &fields->added[i]);
    }

    og_fields_walk_done(&check.walk);
    free(check.name);

    return wrong;
}


static size_t
og_check_room(const og_fields_t *fields)
{
    size_t  i, room;

    room = 1;

    for (i = 0; i < fields->nadded; i++) {

        if (fields->added[i].len > room) {
            room = fields->added[i].len;
        }
    }

    return room;
}


static const char *
og_check_rule(og_check_t *check, const og_added_t *rule)
{
    switch (rule->action) {

    case OG_FIELD_REJECT:
        return og_check_reject(check, rule);

    case OG_FIELD_ALLOW:
        return og_check_allow(check, rule);

    case OG_FIELD_SET:
        return og_check_set(check, rule);

    case OG_FIELD_STRIP:
        break;
    }

    return NULL;
}


static const char *
og_check_reject(og_check_t *check, const og_added_t *reject)
{
    size_t             i;
    uint32_t           end;
    const og_added_t  *other;

    end = og_check_end(check, reject);

    if (!(check->fields->deny.nodes[end].marks & OG_MARK_STRIP)) {
        return NULL;
    }

    for (i = 0; i < check->fields->nadded; i++) {
        other = &check->fields->added[i];

        if (other->action == OG_FIELD_STRIP
            && og_check_end(check, other) == end)
        {
            return og_check_say(check, other, "is", reject);
        }
    }

    return NULL;
}


/* The node where the path of a strip or reject rule ends. */
static uint32_t
og_check_end(og_check_t *check, const og_added_t *rule)
{
    uint32_t          node;
    og_name_t         name;
    og_rule_t         reader;
    const og_trie_t  *deny;

    deny = &check->fields->deny;

    og_rule_init(&reader, rule->text, rule->len, check->name);
    node = reader.bare ? OG_FIELDS_ANYWHERE : OG_TRIE_ROOT;

    while (og_rule_next(&reader)) {

        if (reader.token == OG_TOKEN_ANY) {
            node = deny->nodes[node].any;
            continue;
        }

        name = og_check_name(check, &reader);
        node = og_trie_find(deny, node, &name);
    }

    return node;
}


/* An allow rule is a mistake where strip or reject always wins over it. */
static const char *
og_check_allow(og_check_t *check, const og_added_t *allow)
{
    int                taken;
    size_t             i;
    og_fields_t       *alone;
    const og_added_t  *rule;

    taken = og_check_takes(check->fields, check, allow);

    /* a single rule takes it: which? */

    for (i = 0; i < check->fields->nadded && taken == 1; i++) {
        rule = &check->fields->added[i];

        if (rule->action != OG_FIELD_STRIP && rule->action != OG_FIELD_REJECT)
        {
            continue;
        }

        alone = og_fields_create(check->fields->match);

        if (alone == NULL
            || og_fields_add(alone, rule->action, rule->text, rule->len)
            || og_fields_compile(alone))
        {
            taken = -1;

        } else if (og_check_takes(alone, check, allow) == 1) {
            og_fields_free(alone);
            return og_check_say(check, allow, "is always taken by", rule);
        }

        og_fields_free(alone);
    }

    return (taken == 0) ? NULL : og_fields_no_memory;
}


/*
 * Whether strip or reject of these fields take whatever an allow rule
 * matches.  Returns -1 when memory is short.
 */
static int
og_check_takes(const og_fields_t *fields, og_check_t *check,
    const og_added_t *allow)
{
    int         taken;
    og_name_t   name;
    og_rule_t   reader;
    og_place_t  place;

    if (og_fields_root(fields, &check->walk, &place) != 0) {
        return -1;
    }

    taken = 0;
    og_rule_init(&reader, allow->text, allow->len, check->name);

    while (taken == 0 && og_rule_next(&reader)
           && reader.token != OG_TOKEN_ALL_BELOW)
    {
        name = og_name(reader.name, reader.len);
        taken = og_fields_denies(fields, &check->walk, &place, reader.token,
                                 &name);
    }

    return taken;
}


/*
 * A set rule is a mistake where another one writes the same field, or one
 * around it.
 */
static const char *
og_check_set(og_check_t *check, const og_added_t *set)
{
    uint32_t           node, bare;
    og_name_t          name;
    og_rule_t          reader;
    const og_trie_t   *deny;
    const og_added_t  *other;

    deny = &check->fields->deny;
    check->nset++;

    node = OG_TRIE_ROOT;
    og_rule_init(&reader, set->text, set->len, check->name);

    while (og_rule_next(&reader)) {
        name = og_check_name(check, &reader);

        /* the place of a bare name's own is at the root */

        bare = (node == OG_TRIE_ROOT)
               ? og_trie_find(deny, OG_FIELDS_ANYWHERE, &name) : OG_TRIE_NONE;
        node = og_trie_find(deny, node, &name);

        other = og_check_other_set(check, bare);

        if (other == NULL) {
            other = og_check_other_set(check, node);
        }

        if (other != NULL) {
            return og_check_say(check, set, (reader.p == reader.end)
                                            ? "is" : "is within", other);
        }
    }

    return NULL;
}


/* The set rule whose place node is, if it is not the one being checked. */
static const og_added_t *
og_check_other_set(const og_check_t *check, uint32_t node)
{
    uint32_t           number;
    const og_added_t  *rule;

    number = check->fields->deny.nodes[node].number;

    if (number == 0 || number == check->nset) {
        return NULL;
    }

    for (rule = check->fields->added; number > 0; rule++) {
        number -= (rule->action == OG_FIELD_SET);
    }

    return rule - 1;
}


/* The token at hand as deny has it. */
static og_name_t
og_check_name(const og_check_t *check, const og_rule_t *rule)
{
    size_t  len;

    len = og_fold(&check->fields->fold, rule->name, rule->name, rule->len)
              .len;

    return og_name(rule->name, len);
}


static const char *
og_check_say(og_check_t *check, const og_added_t *a, const char *verb,
    const og_added_t *b)
{
    int     alike;
    char   *sentence;
    size_t  room;

    static const char *const  lists[] = { "strip", "reject", "allow", "set" };

    room = a->len + b->len + sizeof("\"\" in \"reject\" is always taken by "
                                    "\"\" in \"reject\"");

    sentence = malloc(room);
    if (sentence == NULL) {
        return og_fields_no_memory;
    }

    alike = (a->len == b->len && memcmp(a->text, b->text, a->len) == 0);

    if (alike && a->action == b->action) {
        (void) snprintf(sentence, room, "\"%.*s\" is twice in \"%s\"",
                        (int) a->len, a->text, lists[a->action]);

    } else if (alike && strcmp(verb, "is") == 0) {
        (void) snprintf(sentence, room,
                        "\"%.*s\" is both in \"%s\" and in \"%s\"",
                        (int) a->len, a->text, lists[a->action],
                        lists[b->action]);

    } else {
        (void) snprintf(sentence, room,
                        "\"%.*s\" in \"%s\" %s \"%.*s\" in \"%s\"",
                        (int) a->len, a->text, lists[a->action], verb,
                        (int) b->len, b->text, lists[b->action]);
    }

    free(check->fields->sentence);
    check->fields->sentence = sentence;
    check->fields->clash[0] = (size_t) (a - check->fields->added);
    check->fields->clash[1] = (size_t) (b - check->fields->added);

    return sentence;
}


int
og_fields_clash(const og_fields_t *fields, size_t *a, size_t *b)
{
    *a = fields->clash[0];
    *b = fields->clash[1];

    return fields->sentence != NULL;
}
