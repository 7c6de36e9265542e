
/*
 * Copyright (C) order guard contributors
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "patch_random.h"


const char  *patch_vocabulary[] = {
    "price", "sku", "items", "user_id", "a.b", "x"
};

const size_t  patch_nvocabulary = sizeof(patch_vocabulary)
                                  / sizeof(patch_vocabulary[0]);

/* names and tokens as clients write them; raw JSON, escapes and all */
static const char  *spellings[] = {
    "price", "PRICE", "pr\\u0069ce", "sku", "\\u017fku", "S_KU", "items",
    "Items", "userId", "user_id", "a.b", "A.B", "items.price", "x", "x.price",
    "\\u0058", "a", "b", "unlike", "\xe0\xb8\x9e"
};

static const char  *indices[] = { "-", "0", "0", "1", "2" };

static const char  *spaces[] = { "", "", "", " ", "\n  ", "\t" };

static const char  *verbs[] = {
    "add", "replace", "test", "remove", "copy", "move"
};


static size_t
below(patch_random_t *made, size_t n)
{
    made->state ^= made->state << 13;
    made->state ^= made->state >> 7;
    made->state ^= made->state << 17;

    return (size_t) ((made->state >> 16) % n);
}


#define count_of(array)  (sizeof(array) / sizeof(array[0]))
#define pick(array)      ((array)[below(made, count_of(array))])


static void
put(patch_random_t *made, const char *s)
{
    size_t  len;

    len = strlen(s);
    assert_true(made->len + len < sizeof(made->text));
    memcpy(made->text + made->len, s, len);
    made->len += len;
}


static void
put_value(patch_random_t *made, size_t depth)
{
    int     is_object;
    char    scalar[32];
    size_t  i, n, first;

    if (depth == 0 || below(made, 3) == 0) {
        snprintf(scalar, sizeof(scalar), "\"s%zu\"", made->nscalars++);
        put(made, scalar);
        return;
    }

    is_object = below(made, 3) > 0 || !made->with_arrays;
    n = below(made, 4);
    first = below(made, count_of(spellings));

    put(made, is_object ? "{" : "[");
    put(made, pick(spaces));

    for (i = 0; i < n; i++) {
        put(made, i > 0 ? "," : "");

        /* in a row, so that few names are repeated */

        if (is_object) {
            put(made, "\"");
            put(made, spellings[(first + i) % count_of(spellings)]);
            put(made, "\" :");
        }

        put_value(made, depth - 1);
        put(made, pick(spaces));
    }

    put(made, is_object ? "}" : "]");
}


void
patch_random_document(patch_random_t *made)
{
    made->nscalars = 0;

    do {
        made->len = 0;
        put_value(made, 5);
    } while (made->text[0] == '"');
}


/* The way to something that is there, and maybe one step further. */
static void
put_way(patch_random_t *made, json_t *value)
{
    char         index[32];
    size_t       n;
    void        *member;

    while (below(made, 6) > 0) {
        put(made, "/");

        if (json_object_size(value) > 0) {
            n = below(made, json_object_size(value));
            member = json_object_iter(value);

            while (n-- > 0) {
                member = json_object_iter_next(value, member);
            }

            put(made, json_object_iter_key(member));
            value = json_object_iter_value(member);

        } else if (json_array_size(value) > 0) {
            n = below(made, json_array_size(value));
            snprintf(index, sizeof(index), "%zu", n);
            put(made, index);
            value = json_array_get(value, n);

        } else {
            put(made, json_is_array(value) ? pick(indices)
                                           : pick(spellings));
            break;
        }
    }
}


static void
put_pointer(patch_random_t *made, json_t *target, const char *name)
{
    size_t  i, n;

    put(made, ",\"");
    put(made, name);
    put(made, "\":\"");

    if (target != NULL && below(made, 4) > 0) {
        put_way(made, target);
        put(made, "\"");
        return;
    }

    n = below(made, 20) ? 1 + below(made, 3) : 0;

    for (i = 0; i < n; i++) {
        put(made, below(made, 20) ? "/" : "\\/");
        put(made, below(made, 3) ? pick(spellings) : pick(indices));
    }

    put(made, "\"");
}


static void
put_operation(patch_random_t *made, json_t *target)
{
    const char  *verb;

    do {
        verb = pick(verbs);
    } while (!made->with_copies && (verb[0] == 'c' || verb[0] == 'm'));

    put(made, "{\"op\" :\"");
    put(made, verb);
    put(made, "\"");

    if (verb[0] == 'c' || verb[0] == 'm') {
        put_pointer(made, target, "from");
        put_pointer(made, target, "path");

    } else if (strcmp(verb, "remove") == 0) {
        put_pointer(made, target, "path");

    } else if (below(made, 2)) {
        put_pointer(made, target, "path");
        put(made, ", \"value\":");
        put_value(made, 3);

    } else {
        put(made, ",\"value\": ");
        put_value(made, 3);
        put_pointer(made, target, "path");
    }

    put(made, "}");
}


void
patch_random_patch(patch_random_t *made, json_t *target)
{
    size_t  i, n;

    made->len = 0;
    n = below(made, 6);
    put(made, "[");

    for (i = 0; i < n; i++) {
        put(made, i > 0 ? "," : "");
        put(made, pick(spaces));
        put_operation(made, target);
        put(made, pick(spaces));
    }

    put(made, "]");
}


static void
make_rule(patch_random_t *made, model_rule_t *rule, int with_indices)
{
    size_t  i, at;

    memset(rule, 0, sizeof(model_rule_t));

    rule->action = (og_field_action_e) below(made, 3);
    rule->bare = below(made, 3) == 0;
    rule->ntokens = rule->bare ? 1 : 1 + below(made, 3);
    at = 0;

    for (i = 0; i < rule->ntokens; i++) {

        do {
            rule->tokens[i] = (with_indices && below(made, 2))
                              ? indices[1 + below(made, 4)]
                              : pick(patch_vocabulary);
        } while (rule->bare && strlen(rule->tokens[i]) == 1);

        if (!rule->bare && below(made, 3) == 0) {
            rule->tokens[i] = "*";
        }
    }

    if (rule->action == OG_FIELD_ALLOW && !rule->bare
        && below(made, 4) == 0)
    {
        rule->tokens[rule->ntokens++] = "**";
    }

    for (i = 0; i < rule->ntokens; i++) {
        at += (size_t) snprintf(rule->text + at, sizeof(rule->text) - at,
                                "%s%s", rule->bare ? "" : "/",
                                rule->tokens[i]);
    }
}


og_fields_t *
patch_random_rules(patch_random_t *made, model_rules_t *rules,
    int with_indices)
{
    size_t        i;
    const char   *wrong;
    og_fields_t  *fields;

    memset(rules, 0, sizeof(model_rules_t));

    for ( ;; ) {
        rules->match = (og_match_e) below(made, 3);
        rules->nrules = 1 + below(made, MODEL_RULES);

        fields = og_fields_create(rules->match);
        assert_non_null(fields);
        wrong = NULL;

        for (i = 0; i < rules->nrules && wrong == NULL; i++) {
            make_rule(made, &rules->rules[i], with_indices);
            wrong = og_fields_add(fields, rules->rules[i].action,
                                  rules->rules[i].text,
                                  strlen(rules->rules[i].text));
        }

        if (wrong == NULL && og_fields_compile(fields) == NULL) {
            return fields;
        }

        og_fields_free(fields);
    }
}


json_t *
patch_read(const unsigned char *data, size_t len)
{
    return json_loadb((const char *) data, len,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      NULL);
}
