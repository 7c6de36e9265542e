
/*
 * Copyright (C) order guard contributors
 */


#include <stdlib.h>
#include <string.h>

#include "og_envelope_text.h"
#include "og_when.h"


static og_json_value_t og_when_literal(const char *text, size_t len);
static int og_when_holds(const og_when_t *rule, const unsigned char *body,
    size_t len, unsigned char *scratch);


const char *
og_when_value(og_json_value_t *value, const char *text, size_t len)
{
    *value = og_when_literal(text, len);

    if (value->type == OG_JSON_NONE) {
        return "memory is short";
    }

    if (value->type == OG_JSON_ARRAY || value->type == OG_JSON_OBJECT) {
        return "it must be true, false, null, a number or a string";
    }

    if (value->type != OG_JSON_STRING) {
        return NULL;
    }

    if (value->len > 1 && value->data[0] == '"'
        && value->data[value->len - 1] == '"')
    {
        value->data++;
        value->len -= 2;
    }

    if (memchr(value->data, '"', value->len)
        || memchr(value->data, '\\', value->len))
    {
        return "a string here has neither quotes nor backslashes in it";
    }

    return NULL;
}


/*
 * Without the white space around it, which stands in no body's value.  Its
 * type is OG_JSON_NONE when memory is short.
 */

static og_json_value_t
og_when_literal(const char *text, size_t len)
{
    og_json_type_e   root;
    og_json_value_t  value;

    value.type = OG_JSON_STRING;
    value.data = (const unsigned char *) text;
    value.len = len;

    if (len && (text[0] == '[' || text[0] == '{')) {
        value.type = OG_JSON_ARRAY;
        return value;
    }

    switch (og_problem_scan(value.data, len, OG_PROBLEM_MAX_DEPTH, &root)) {

    case OG_BODY_OK:
        return og_json_find(value.data, len, "", 0);

    case OG_BODY_NO_MEMORY:
        value.type = OG_JSON_NONE;

        /* fall through */

    default:
        return value;
    }
}


int
og_when_status(const og_when_t *rules, size_t n, const unsigned char *body,
    size_t len)
{
    int              status;
    size_t           i;
    og_json_type_e   root;
    unsigned char   *scratch;

    switch (og_problem_scan(body, len, OG_PROBLEM_MAX_DEPTH, &root)) {

    case OG_BODY_OK:
        break;

    case OG_BODY_NO_MEMORY:
        return -1;

    default:
        return 0;
    }

    scratch = malloc(len);

    if (scratch == NULL) {
        return -1;
    }

    status = 0;

    for (i = 0; i < n && status == 0; i++) {
        if (og_when_holds(&rules[i], body, len, scratch)) {
            status = (int) rules[i].status;
        }
    }

    free(scratch);

    return status;
}


static int
og_when_holds(const og_when_t *rule, const unsigned char *body, size_t len,
    unsigned char *scratch)
{
    og_json_value_t  found;

    found = og_json_find(body, len, rule->pointer, strlen(rule->pointer));

    if (found.type != rule->value.type) {
        return 0;
    }

    if (found.type == OG_JSON_STRING) {
        found.len = (size_t) (og_json_unescape(scratch, found.data, found.len)
                              - scratch);
        found.data = scratch;
    }

    return found.len == rule->value.len
           && memcmp(found.data, rule->value.data, found.len) == 0;
}
