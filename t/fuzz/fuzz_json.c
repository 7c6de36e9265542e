
/*
 * Copyright (C) order guard contributors
 *
 * The JSON cutter and its rules.  The first line of an input is the match
 * mode (in capitals where unlisted fields are refused) and the rules ("l
 * s:price r:/role a:/items/0/sku w:user_id"; w is set), the rest is the body.
 * What must hold: the cutter and jansson agree on what is JSON; what is left
 * after the cuts is JSON, has no bare name that is to be stripped, and is not
 * cut again; what is canonical is the same without white space; with the
 * gateway's fields it is JSON that has them at their places, and else the
 * same.
 */


#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/json_slow.h"
#include "og_json.h"
#include "og_set.h"
#include "rules.h"


#define DEPTH  64


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill_sets(rules_t *rules);
static void check_body(const rules_t *rules, const uint8_t *data,
    size_t size);
static og_body_rules_t scan_rules_of(const rules_t *rules);
static void check_kept(const rules_t *rules, const og_body_result_t *result,
    const uint8_t *data, size_t size);
static void check_canonical(const og_body_result_t *result,
    const uint8_t *data, size_t size, const unsigned char *kept, size_t len);
static void check_names(const rules_t *rules, json_t *value);
static void check_set(const rules_t *rules, const og_body_result_t *result,
    const unsigned char *kept, size_t len, json_t *root);
static int has_place(const og_set_t *set, json_t *root);
static void set_slowly(const og_set_t *set, json_t *root);
static const char *next_name(char *name, const char *p, const char *end);
static json_t *value_of(const og_set_t *set);
static void check_again(const rules_t *rules, const uint8_t *data,
    size_t size, const unsigned char *kept, size_t len);
static void check_find(const unsigned char *data, size_t len, json_t *root);
static json_t *read_body(const unsigned char *data, size_t len,
    json_error_t *error);


static og_scanner_t  *json;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          line;
    rules_t         rules;
    const uint8_t  *end;

    if (json == NULL) {
        json = og_scanner_create();
        check(json != NULL);
    }

    end = memchr(data, '\n', size);
    line = end ? (size_t) (end - data) : 0;

    if (rules_read(&rules, (const char *) data, line) == 0) {
        fill_sets(&rules);
        check_body(&rules, data + line + 1, size - line - 1);
        rules_done(&rules);
    }

    memset(&rules, 0, sizeof(rules));
    check_body(&rules, data + line, size - line);

    return 0;
}


/* The field itself serves as a string, too: whatever can be in one. */
static void
fill_sets(rules_t *rules)
{
    size_t       i;
    og_set_t    *set;
    const char  *value;

    for (i = 0; i < rules->nsets; i++) {
        set = &rules->sets[i];
        set->type = (og_set_type_e) (i % 3);

        value = (set->type == OG_SET_NUMBER) ? "-1.50e+30" : "true";
        set->value_len = strlen(value);

        if (set->type == OG_SET_STRING) {
            value = set->field;
            set->value_len = set->field_len;
        }

        set->value = (const unsigned char *) value;

        if (og_set_check(set->type, set->value, set->value_len) != NULL) {
            set->value_len = 0;
        }
    }
}


static void
check_body(const rules_t *rules, const uint8_t *data, size_t size)
{
    json_t                  *root;
    json_error_t             error;
    og_body_rules_t          scan_rules;
    const og_body_result_t  *result;

    scan_rules = scan_rules_of(rules);
    result = og_json_scan(json, &scan_rules, data, size);
    check(result->status != OG_BODY_NO_MEMORY);
    check(result->status != OG_BODY_UNSUPPORTED);
    check(result->offset <= size);
    check(strlen(result->pointer) <= 4100);
    check(strlen(result->stripped) <= 4100);
    check(strlen(result->rejected) <= 4100);

    root = read_body(data, size, &error);

    if (result->status == OG_BODY_MALFORMED) {
        check(result->ncuts == 0 && result->message != NULL);
        check(result->ngaps == 0 && result->nhomes == 0);

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
        check_find(data, size, root);
    }

    json_decref(root);
}


static og_body_rules_t
scan_rules_of(const rules_t *rules)
{
    og_body_rules_t  scan_rules;

    scan_rules.fields = rules->fields;
    scan_rules.max_depth = DEPTH;
    scan_rules.reject_unlisted = rules->reject_unlisted & 1;
    scan_rules.find_gaps = 1;

    return scan_rules;
}


static void
check_kept(const rules_t *rules, const og_body_result_t *result,
    const uint8_t *data, size_t size)
{
    size_t          len;
    json_t         *root;
    unsigned char  *kept, *slow;

    check(slow_are_ranges(result->cuts, result->ncuts, size));
    check(slow_are_ranges(result->gaps, result->ngaps, size));

    len = og_body_kept_length(result, size);
    kept = malloc(len);
    slow = malloc(size);
    check(kept != NULL && slow != NULL && len <= size);

    check(og_body_copy_kept(kept, result, data, size) == kept + len);
    check(slow_copy_without(slow, result->cuts, result->ncuts, data, size)
          == len && memcmp(slow, kept, len) == 0);

    check_canonical(result, data, size, kept, len);

    root = slow_read(kept, len);
    check(root != NULL);

    if (result->status == OG_BODY_OK) {
        check_names(rules, root);
        check_set(rules, result, kept, len, root);
        check_again(rules, data, size, kept, len);
    }

    json_decref(root);
    free(kept);
    free(slow);
}


static void
check_canonical(const og_body_result_t *result, const uint8_t *data,
    size_t size, const unsigned char *kept, size_t len)
{
    size_t          n;
    unsigned char  *slow, *canonical;

    slow = malloc(len);
    check(slow != NULL);
    n = slow_compact(slow, kept, len);

    canonical = malloc(n);
    check(canonical != NULL);

    check(og_body_copy_canonical(canonical, result, data, size)
          == canonical + n);
    check(memcmp(canonical, slow, n) == 0);

    free(slow);
    free(canonical);
}


/* The least that must hold: the very name of a strip rule is nowhere. */
static void
check_names(const rules_t *rules, json_t *value)
{
    size_t       i;
    json_t      *member;
    const char  *name;

    json_array_foreach(value, i, member) {
        check_names(rules, member);
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
check_set(const rules_t *rules, const og_body_result_t *result,
    const unsigned char *kept, size_t len, json_t *root)
{
    size_t            i, n;
    json_t           *got;
    unsigned char    *body;
    const og_set_t   *stray;
    og_body_rules_t   no_rules;

    body = malloc(len + og_set_room(rules->sets, rules->nsets));
    check(body != NULL);
    memcpy(body, kept, len);
    n = len;

    stray = og_json_set(body, &n, result->homes, result->nhomes, rules->sets,
                        rules->nsets);

    if (stray != NULL) {
        check(stray->value_len > 0 && !has_place(stray, root));
        free(body);
        return;
    }

    check(slow_is_left_of(kept, len, body, n));

    got = slow_read(body, n);
    check(got != NULL);

    for (i = 0; i < rules->nsets; i++) {

        if (rules->sets[i].value_len > 0) {
            check(has_place(&rules->sets[i], root));
            set_slowly(&rules->sets[i], root);
        }
    }

    check(json_equal(root, got));
    json_decref(got);

    memset(&no_rules, 0, sizeof(no_rules));
    no_rules.max_depth = DEPTH + RULE_NAME;
    check(og_json_scan(json, &no_rules, body, n)->status == OG_BODY_OK);

    free(body);
}


static int
has_place(const og_set_t *set, json_t *root)
{
    char         name[RULE_NAME];
    const char  *p, *end;

    if (set->field[0] != '/') {
        return json_is_object(root);
    }

    end = set->field + set->field_len;

    for (p = set->field; p < end && json_is_object(root); ) {
        p = next_name(name, p, end);

        if (p == end) {
            return 1;
        }

        root = json_object_get(root, name);
    }

    return root == NULL;
}


static void
set_slowly(const og_set_t *set, json_t *root)
{
    char         name[RULE_NAME];
    json_t      *next;
    const char  *p, *end;

    end = set->field + set->field_len;
    p = set->field;

    if (*p != '/') {
        memcpy(name, p, set->field_len);
        name[set->field_len] = '\0';
        p = end;
    }

    while (p < end) {
        p = next_name(name, p, end);

        if (p == end) {
            break;
        }

        next = json_object_get(root, name);

        if (next == NULL) {
            next = json_object();
            json_object_set_new(root, name, next);
        }

        root = next;
    }

    /* all that the client sent of it must be gone */

    check(json_object_get(root, name) == NULL);
    json_object_set_new(root, name, value_of(set));
}


/* A reference token, unescaped, with a NUL behind it. */
static const char *
next_name(char *name, const char *p, const char *end)
{
    for (p++; p < end && *p != '/'; p++) {
        *name = *p;

        if (*p == '~') {
            *name = (*++p == '0') ? '~' : '/';
        }

        name++;
    }

    *name = '\0';

    return p;
}


/* A number as slow_read() has it. */
static json_t *
value_of(const og_set_t *set)
{
    const char  *value;

    value = (const char *) set->value;

    switch (set->type) {

    case OG_SET_NUMBER:
        return json_sprintf("#%.*s", (int) set->value_len, value);

    case OG_SET_BOOLEAN:
        return json_true();

    case OG_SET_STRING:
        break;
    }

    return json_stringn(value, set->value_len);
}


/*
 * Passes once more: over what is left, which is fine as it is; and over the
 * body, where unlisted fields are refused: then there are none, or another
 * rule took them.
 */
static void
check_again(const rules_t *rules, const uint8_t *data, size_t size,
    const unsigned char *kept, size_t len)
{
    unsigned char           *strict;
    og_body_rules_t          scan_rules;
    const og_body_result_t  *result;

    scan_rules = scan_rules_of(rules);
    result = og_json_scan(json, &scan_rules, kept, len);
    check(result->status == OG_BODY_OK
          && (result->ncuts == 0 || rules->has_pointers));

    scan_rules.reject_unlisted = 1;
    result = og_json_scan(json, &scan_rules, data, size);

    if (result->status == OG_BODY_FORBIDDEN) {
        check(!rules->reject_unlisted && rules->has_allow
              && result->rejected[0] != '\0');
        return;
    }

    check(result->status == OG_BODY_OK);
    check(rules->has_strip || len == size);

    strict = malloc(len);
    check(strict != NULL && og_body_kept_length(result, size) == len);
    check(og_body_copy_kept(strict, result, data, size) == strict + len);
    check(memcmp(strict, kept, len) == 0);
    free(strict);
}


static void
check_find(const unsigned char *data, size_t len, json_t *root)
{
    og_json_value_t  value;

    value = og_json_find(data, len, "", 0);
    check(value.type != OG_JSON_NONE && value.data >= data
          && value.data + value.len <= data + len);

    value = og_json_find(data, len, "/price", 6);
    check((value.type != OG_JSON_NONE) == (json_object_get(root, "price")
                                           != NULL));
}


static json_t *
read_body(const unsigned char *data, size_t len, json_error_t *error)
{
    return json_loadb((const char *) data, len,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      error);
}
