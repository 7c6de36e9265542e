
/*
 * Copyright (C) order guard contributors
 *
 * JSON Patch and its rules.  The first line of an input is the match mode and
 * the rules ("l s:price r:/role a:/items/0/sku"), the rest is the body.  What
 * must hold: what passes is a patch as RFC 6902 has it, in jansson's eyes;
 * what is left after the cuts is one, too, is not cut again, and has no bare
 * name that is to be stripped, neither in a pointer nor in a value; what the
 * gateway adds leaves it a patch.
 */


#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "og_json.h"
#include "og_patch.h"
#include "rules.h"


#define DEPTH  24


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_body(const rules_t *rules, const uint8_t *data,
    size_t size);
static void check_kept(const rules_t *rules, const og_body_result_t *result,
    const uint8_t *data, size_t size);
static void check_set(const uint8_t *data, size_t size);
static void check_patch(const rules_t *rules, const uint8_t *data,
    size_t size);
static void check_operation(const rules_t *rules, json_t *operation);
static void check_pointer(const rules_t *rules, json_t *value);
static void check_value(const rules_t *rules, json_t *value);
static void check_name(const rules_t *rules, const char *name, size_t len);


static og_scanner_t  *scanner;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          line;
    rules_t         rules;
    const uint8_t  *end;

    if (scanner == NULL) {
        scanner = og_scanner_create();
        check(scanner != NULL);
    }

    end = memchr(data, '\n', size);
    line = end ? (size_t) (end - data) : 0;

    if (rules_read(&rules, (const char *) data, line) == 0) {
        check_body(&rules, data + line + 1, size - line - 1);
        rules_done(&rules);
    }

    memset(&rules, 0, sizeof(rules));
    check_body(&rules, data + line, size - line);

    return 0;
}


static void
check_body(const rules_t *rules, const uint8_t *data, size_t size)
{
    og_body_rules_t          scan_rules;
    og_body_status_e         status;
    const og_body_result_t  *result;

    memset(&scan_rules, 0, sizeof(scan_rules));
    scan_rules.max_depth = DEPTH;

    status = og_json_scan(scanner, &scan_rules, data, size)->status;

    if (status == OG_BODY_OK) {
        (void) og_patch_is_one(data, size);
    }

    scan_rules.fields = rules->fields;
    scan_rules.reject_unlisted = size & 1;
    scan_rules.find_gaps = 1;

    result = og_patch_scan(scanner, &scan_rules, data, size);
    check(result->status != OG_BODY_NO_MEMORY
          && result->status != OG_BODY_UNSUPPORTED);
    check(result->offset <= size && result->nhomes == 0);
    check(strlen(result->pointer) <= 4100);
    check(strlen(result->stripped) <= 4100);
    check(strlen(result->rejected) <= 4100);

    if (result->status == OG_BODY_MALFORMED) {
        check(result->ncuts == 0 && result->ngaps == 0
              && result->message != NULL);
        return;
    }

    check(status == OG_BODY_OK);
    check((result->stripped[0] != '\0') == (result->ncuts > 0));
    check((result->rejected[0] != '\0')
          == (result->status == OG_BODY_FORBIDDEN));

    check_kept(rules, result, data, size);
}


static void
check_kept(const rules_t *rules, const og_body_result_t *result,
    const uint8_t *data, size_t size)
{
    size_t            len;
    unsigned char    *kept, *canonical;
    og_body_rules_t   scan_rules;

    len = og_body_kept_length(result, size);
    kept = malloc(len + 1);
    canonical = malloc(size + 1);
    check(kept != NULL && canonical != NULL && len <= size);
    check(og_body_copy_kept(kept, result, data, size) == kept + len);
    check(og_body_copy_canonical(canonical, result, data, size)
          <= canonical + len);

    memset(&scan_rules, 0, sizeof(scan_rules));
    scan_rules.max_depth = DEPTH;
    scan_rules.fields = rules->fields;
    scan_rules.reject_unlisted = size & 1;

    if (result->status == OG_BODY_OK) {
        check_patch(rules, kept, len);
        check_set(kept, len);

        result = og_patch_scan(scanner, &scan_rules, kept, len);
        check(rules->has_pointers
              || (result->status == OG_BODY_OK && result->ncuts == 0));
    }

    free(kept);
    free(canonical);
}


static void
check_set(const uint8_t *data, size_t size)
{
    size_t            len;
    unsigned char    *body;
    og_body_rules_t   rules;

    static const og_set_t  sets[] = {
        { "/a~1b/c", 7, OG_SET_STRING, (const unsigned char *) "\"]\n", 3 },
        { "user_id", 7, OG_SET_NUMBER, (const unsigned char *) "-1.5", 4 }
    };

    body = malloc(size + og_set_room(sets, 2));
    check(body != NULL);
    memcpy(body, data, size);
    len = size;

    check(og_patch_set(body, &len, sets, 2) == NULL);
    check(len <= size + og_set_room(sets, 2));

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = DEPTH;
    check(og_patch_scan(scanner, &rules, body, len)->status == OG_BODY_OK);

    free(body);
}


static void
check_patch(const rules_t *rules, const uint8_t *data, size_t size)
{
    size_t        i;
    json_t       *root, *operation;
    json_error_t  error;

    root = json_loadb((const char *) data, size,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      &error);

    if (root == NULL) {
        check(json_error_code(&error) == json_error_numeric_overflow);
        return;
    }

    check(json_is_array(root));

    json_array_foreach(root, i, operation) {
        check_operation(rules, operation);
    }

    json_decref(root);
}


static void
check_operation(const rules_t *rules, json_t *operation)
{
    size_t       i;
    json_t      *member;
    const char  *op, *name;

    static const char  *ops[] = {
        "move", "copy", "add", "replace", "test", "remove"
    };

    check(json_is_object(operation));

    json_object_foreach(operation, name, member) {
        check(strcmp(name, "op") == 0 || strcmp(name, "path") == 0
              || strcmp(name, "from") == 0 || strcmp(name, "value") == 0);
    }

    op = json_string_value(json_object_get(operation, "op"));
    check(op != NULL);

    for (i = 0; i < 6 && strcmp(op, ops[i]) != 0; i++) { /* void */ }

    check(i < 6);
    check_pointer(rules, json_object_get(operation, "path"));
    check((i < 2) == (json_object_get(operation, "from") != NULL));

    if (i < 2) {
        check_pointer(rules, json_object_get(operation, "from"));
    }

    member = json_object_get(operation, "value");
    check(member != NULL || i < 2 || i == 5);
    check_value(rules, member);
}


static void
check_pointer(const rules_t *rules, json_t *value)
{
    size_t       len;
    const char  *p;

    p = json_string_value(value);
    check(p != NULL && strlen(p) == json_string_length(value));
    check(*p == '\0' || *p == '/');

    while (*p == '/') {
        p++;
        len = strcspn(p, "/");
        check(len > 0);

        if (memchr(p, '~', len) == NULL) {
            check_name(rules, p, len);
        }

        p += len;
    }
}


/* The least that must hold: the very name of a strip rule is nowhere. */
static void
check_value(const rules_t *rules, json_t *value)
{
    size_t       i;
    json_t      *member;
    const char  *name;

    if (json_is_array(value)) {
        json_array_foreach(value, i, member) {
            check_value(rules, member);
        }
    }

    json_object_foreach(value, name, member) {
        check_name(rules, name, strlen(name));
        check_value(rules, member);
    }
}


static void
check_name(const rules_t *rules, const char *name, size_t len)
{
    size_t  i;

    for (i = 0; i < rules->nbare; i++) {
        check(len != rules->bare[i].len
              || memcmp(name, rules->bare[i].text, len) != 0);
    }
}
