
/*
 * Copyright (C) order guard contributors
 *
 * Filling in a format, and telling whether a body is in it already.
 */


#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "og_envelope_text.h"
#include "og_format_parts.h"
#include "og_status.h"


/* The parts as JSON texts; NULL: not needed yet. */
typedef struct {
    char                 *texts[OG_FORMAT_PARTS];
} og_format_values_t;


static int og_format_fill(const og_format_t *format,
    const og_format_values_t *values, char **text, size_t *len);
static char *og_format_text(const og_format_t *format,
    const og_problem_t *problem, og_format_part_e part);
static char *og_format_details(const og_format_t *format, const char *errors);
static json_t *og_format_json(const og_problem_t *problem,
    og_format_part_e part);
static json_t *og_format_clean(const char *text, size_t max);
static json_t *og_format_tri(og_tri_e value);
static int og_format_leaf_matches(const og_format_leaf_t *leaf,
    unsigned status, og_json_value_t value);
static int og_format_is_literal(og_json_value_t literal,
    og_json_value_t value);


int
og_format_render(const og_format_t *format, const og_problem_t *problem,
    char **text, size_t *len)
{
    int                  rc;
    size_t               i;
    og_format_part_e     part;
    og_format_values_t   values;

    memset(&values, 0, sizeof(values));
    rc = 0;

    for (i = 0; i < format->nholes && rc == 0; i++) {

        part = format->holes[i].part;

        if (values.texts[part] == NULL) {
            values.texts[part] = og_format_text(format, problem, part);
            rc = values.texts[part] ? 0 : -1;
        }
    }

    if (rc == 0) {
        rc = og_format_fill(format, &values, text, len);
    }

    for (i = 0; i < OG_FORMAT_PARTS; i++) {
        free(values.texts[i]);
    }

    return rc;
}


static int
og_format_fill(const og_format_t *format, const og_format_values_t *values,
    char **text, size_t *len)
{
    char                    *buf, *p;
    size_t                   i, at, value_len, size;
    const char              *value;
    const og_format_hole_t  *hole;

    size = format->len;

    for (i = 0; i < format->nholes; i++) {
        size += strlen(values->texts[format->holes[i].part]);
    }

    buf = malloc(size + 1);

    if (buf == NULL) {
        return -1;
    }

    p = buf;
    at = 0;

    for (i = 0; i < format->nholes; i++) {

        hole = &format->holes[i];
        value = values->texts[hole->part];

        memcpy(p, format->text + at, hole->at - at);
        p += hole->at - at;
        at = hole->at;

        value_len = strlen(value);
        memcpy(p, value, value_len);
        p += value_len;
    }

    memcpy(p, format->text + at, format->len - at);
    buf[size] = '\0';

    *text = buf;
    *len = size;

    return 0;
}


static char *
og_format_text(const og_format_t *format, const og_problem_t *problem,
    og_format_part_e part)
{
    char    *text;
    json_t  *value;

    if (part == OG_FORMAT_DETAILS && problem->errors) {
        return og_format_details(format, problem->errors);
    }

    value = og_format_json(problem, part);
    text = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

    json_decref(value);

    return text;
}


/* Spliced in as they are, with every digit of every number. */

static char *
og_format_details(const og_format_t *format, const char *errors)
{
    char    *text;
    size_t   len;

    if (og_problem_errors_length(errors, format->levels, &len) != 0) {
        return NULL;
    }

    if (len == 0) {
        errors = "null";
        len = sizeof("null") - 1;
    }

    text = malloc(len + 1);

    if (text) {
        memcpy(text, errors, len);
        text[len] = '\0';
    }

    return text;
}


static json_t *
og_format_json(const og_problem_t *problem, og_format_part_e part)
{
    switch (part) {

    case OG_FORMAT_STATUS:
        return json_integer((json_int_t) problem->status);

    case OG_FORMAT_CODE:
        return og_format_clean(problem->code
                               ? problem->code
                               : og_status_code_name(problem->status),
                               OG_PROBLEM_MAX_CODE);

    case OG_FORMAT_MESSAGE:
        return og_format_clean(problem->detail && *problem->detail
                               ? problem->detail
                               : og_status_reason(problem->status),
                               OG_PROBLEM_MAX_TEXT);

    case OG_FORMAT_TRACE_ID:
        return problem->trace_id && *problem->trace_id
               ? og_format_clean(problem->trace_id, OG_PROBLEM_MAX_TRACE_ID)
               : json_null();

    case OG_FORMAT_ORIGIN:
        return json_string(problem->from_upstream ? "upstream" : "gateway");

    case OG_FORMAT_RETRYABLE:
        return og_format_tri(problem->retryable);

    case OG_FORMAT_SAFE_NEW_KEY:
        return og_format_tri(problem->safe_new_key);

    default: /* OG_FORMAT_DETAILS */
        return json_null();
    }
}


static json_t *
og_format_clean(const char *text, size_t max)
{
    char    clean[OG_PROBLEM_MAX_TEXT + 1];
    size_t  len;

    len = og_problem_clean(clean, max, (const unsigned char *) text,
                           strlen(text));

    return json_stringn(clean, len);
}


static json_t *
og_format_tri(og_tri_e value)
{
    return value == OG_TRI_ABSENT ? json_null() : json_boolean(value);
}


int
og_format_matches(const og_format_t *format, unsigned status,
    const unsigned char *body, size_t len)
{
    size_t             i;
    og_json_type_e     root;
    og_json_value_t    value;
    og_format_leaf_t  *leaf;

    if (og_problem_scan(body, len, OG_PROBLEM_MAX_DEPTH, &root) != OG_BODY_OK
        || root != OG_JSON_OBJECT)
    {
        return 0;
    }

    for (i = 0; i < format->nleaves; i++) {

        leaf = &format->leaves[i];
        value = og_json_find(body, len, leaf->pointer, strlen(leaf->pointer));

        if (!og_format_leaf_matches(leaf, status, value)) {
            return 0;
        }
    }

    return 1;
}


static int
og_format_leaf_matches(const og_format_leaf_t *leaf, unsigned status,
    og_json_value_t value)
{
    switch (leaf->part) {

    case OG_FORMAT_STATUS:
        return og_problem_is_status(value, status);

    case OG_FORMAT_CODE:
    case OG_FORMAT_MESSAGE:
        return value.type == OG_JSON_STRING;

    case OG_FORMAT_DETAILS:
        return value.type == OG_JSON_ARRAY || value.type == OG_JSON_OBJECT
               || value.type == OG_JSON_NULL;

    case OG_FORMAT_TRACE_ID:
    case OG_FORMAT_ORIGIN:
        return value.type == OG_JSON_STRING || value.type == OG_JSON_NULL;

    case OG_FORMAT_RETRYABLE:
    case OG_FORMAT_SAFE_NEW_KEY:
        return value.type == OG_JSON_TRUE || value.type == OG_JSON_FALSE
               || value.type == OG_JSON_NULL;

    case OG_FORMAT_AROUND:
        return value.type == leaf->value.type;

    default: /* OG_FORMAT_LITERAL */
        return og_format_is_literal(leaf->value, value);
    }
}


/* Of a container only the type counts: an empty one may have been filled. */

static int
og_format_is_literal(og_json_value_t literal, og_json_value_t value)
{
    int             rc;
    size_t          len, value_len;
    unsigned char  *text, *end;

    if (literal.type != value.type) {
        return 0;
    }

    if (literal.type == OG_JSON_NUMBER) {
        return literal.len == value.len
               && memcmp(literal.data, value.data, value.len) == 0;
    }

    if (literal.type != OG_JSON_STRING) {
        return 1;
    }

    text = malloc(literal.len + value.len);

    if (text == NULL) {
        return 0;
    }

    end = og_json_unescape(text, literal.data, literal.len);
    len = (size_t) (end - text);
    value_len = (size_t) (og_json_unescape(end, value.data, value.len) - end);

    rc = (len == value_len && memcmp(text, end, len) == 0);

    free(text);

    return rc;
}
