
/*
 * Copyright (C) order guard contributors
 *
 * The JSON cutter and its rules.  The first line of an input is the match
 * mode and the rules ("l s:price r:/role a:/items/0/sku"), the rest is the
 * body.  What must hold: the cutter and jansson agree on what
 * is JSON; what is left after the cuts is JSON, has no bare name that is to
 * be stripped, and is not cut again; compaction changes nothing but space.
 */


#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "og_json.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    og_fields_t          *fields;
    int                   has_pointers;
    int                   has_allow;
    size_t                nbare;
    struct {
        const char       *text;
        size_t            len;
    } bare[8];
} rules_t;

static int read_rules(rules_t *rules, const char *line, size_t len);
static const char *add_rule(rules_t *rules, const char *rule, size_t len);
static void check_body(const rules_t *rules, const uint8_t *data,
    size_t size);
static void check_kept(const rules_t *rules, const og_json_result_t *result,
    const uint8_t *data, size_t size);
static void check_names(const rules_t *rules, json_t *value);
static void check_compact(const unsigned char *data, size_t len,
    json_t *root);
static json_t *read_body(const unsigned char *data, size_t len,
    json_error_t *error);
static void check(int holds);


static og_json_t  *json;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          line;
    rules_t         rules;
    const uint8_t  *end;

    if (json == NULL) {
        json = og_json_create();
        check(json != NULL);
    }

    end = memchr(data, '\n', size);
    line = end ? (size_t) (end - data) : 0;

    if (line > 0 && read_rules(&rules, (const char *) data, line) == 0) {
        check_body(&rules, data + line + 1, size - line - 1);
        og_fields_free(rules.fields);
    }

    memset(&rules, 0, sizeof(rules));
    check_body(&rules, data + line, size - line);

    return 0;
}


static int
read_rules(rules_t *rules, const char *line, size_t len)
{
    const char  *p, *end, *last, *wrong;

    memset(rules, 0, sizeof(rules_t));
    rules->fields = og_fields_create((line[0] == 'e') ? OG_MATCH_EXACT
                                     : (line[0] == 'c') ? OG_MATCH_CASELESS
                                     : OG_MATCH_LOOSE);
    check(rules->fields != NULL);

    end = line + len;
    wrong = NULL;

    for (p = line + 1; p < end && wrong == NULL; p = last + 1) {
        last = memchr(p, ' ', (size_t) (end - p));
        last = last ? last : end;

        if (last - p > 2) {
            wrong = add_rule(rules, p, (size_t) (last - p));
        }
    }

    if (wrong == NULL) {
        wrong = og_fields_compile(rules->fields);
    }

    if (wrong == NULL) {
        return 0;
    }

    og_fields_free(rules->fields);

    return -1;
}


static const char *
add_rule(rules_t *rules, const char *rule, size_t len)
{
    og_field_action_e  action;

    action = (rule[0] == 'a') ? OG_FIELD_ALLOW
             : (rule[0] == 'r') ? OG_FIELD_REJECT : OG_FIELD_STRIP;

    rules->has_pointers |= (rule[2] == '/');
    rules->has_allow |= (action == OG_FIELD_ALLOW);

    if (action == OG_FIELD_STRIP && rule[2] != '/'
        && rules->nbare < sizeof(rules->bare) / sizeof(rules->bare[0]))
    {
        rules->bare[rules->nbare].text = rule + 2;
        rules->bare[rules->nbare].len = len - 2;
        rules->nbare++;
    }

    return og_fields_add(rules->fields, action, rule + 2, len - 2);
}


static void
check_body(const rules_t *rules, const uint8_t *data, size_t size)
{
    json_t                  *root;
    json_error_t             error;
    og_json_rules_t          scan_rules;
    const og_json_result_t  *result;

    scan_rules.fields = rules->fields;
    scan_rules.max_depth = 64;
    scan_rules.reject_unlisted = 0;

    result = og_json_scan(json, &scan_rules, data, size);
    check(result->status != OG_JSON_NO_MEMORY);
    check(result->offset <= size);
    check(strlen(result->pointer) <= 4100);
    check(strlen(result->stripped) <= 4100);
    check(strlen(result->rejected) <= 4100);

    root = read_body(data, size, &error);

    if (result->status == OG_JSON_MALFORMED) {
        check(result->ncuts == 0 && result->message != NULL);

        /* jansson reads over a raw NUL between values */

        check(root == NULL || rules->has_allow || memchr(data, '\0', size)
              || strcmp(result->message, "nested too deep") == 0);
        json_decref(root);
        return;
    }

    check(root != NULL
          || json_error_code(&error) == json_error_numeric_overflow);

    check_kept(rules, result, data, size);

    if (root != NULL) {
        check_compact(data, size, root);
    }

    json_decref(root);
}


static void
check_kept(const rules_t *rules, const og_json_result_t *result,
    const uint8_t *data, size_t size)
{
    size_t            len;
    json_t           *root;
    json_error_t      error;
    unsigned char    *kept;
    og_json_rules_t   scan_rules;

    len = og_json_kept_length(result, size);
    kept = malloc(len + 1);
    check(kept != NULL && len <= size);
    check(og_json_copy_kept(kept, result, data, size) == kept + len);

    if (result->status == OG_JSON_OK) {
        root = read_body(kept, len, &error);
        check(root != NULL
              || json_error_code(&error) == json_error_numeric_overflow);
        check_names(rules, root);
        json_decref(root);

        scan_rules.fields = rules->fields;
        scan_rules.max_depth = 64;
        scan_rules.reject_unlisted = 0;
        result = og_json_scan(json, &scan_rules, kept, len);
        check(result->status == OG_JSON_OK
              && (result->ncuts == 0 || rules->has_pointers));
    }

    free(kept);
}


/* The least that must hold: the very name of a strip rule is nowhere. */
static void
check_names(const rules_t *rules, json_t *value)
{
    size_t       i;
    json_t      *member;
    const char  *name;

    if (json_is_array(value)) {
        json_array_foreach(value, i, member) {
            check_names(rules, member);
        }
    }

    json_object_foreach(value, name, member) {

        for (i = 0; i < rules->nbare; i++) {
            check(strlen(name) != rules->bare[i].len
                  || memcmp(name, rules->bare[i].text, rules->bare[i].len)
                     != 0);
        }

        check_names(rules, member);
    }
}


static void
check_compact(const unsigned char *data, size_t len, json_t *root)
{
    size_t           n;
    json_t          *again;
    json_error_t     error;
    unsigned char   *compact, *twice;
    og_json_value_t  value;

    compact = malloc(len);
    twice = malloc(len);
    check(compact != NULL && twice != NULL);

    n = (size_t) (og_json_copy_compact(compact, data, len) - compact);
    check(n <= len);

    again = read_body(compact, n, &error);
    check(json_equal(root, again));
    json_decref(again);

    check((size_t) (og_json_copy_compact(twice, compact, n) - twice) == n
          && memcmp(compact, twice, n) == 0);

    value = og_json_find(compact, n, "", 0);
    check(value.data == compact && value.len == n
          && value.type != OG_JSON_NONE);

    value = og_json_find(compact, n, "/price", 6);
    check((value.type != OG_JSON_NONE) == (json_object_get(root, "price")
                                           != NULL));

    free(compact);
    free(twice);
}


static json_t *
read_body(const unsigned char *data, size_t len, json_error_t *error)
{
    return json_loadb((const char *) data, len,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      error);
}


static void
check(int holds)
{
    if (!holds) {
        abort();
    }
}
