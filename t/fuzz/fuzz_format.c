
/*
 * Copyright (C) order guard contributors
 *
 * Formats of errors: whatever is accepted as one, and whatever the error says,
 * what is made of both is one strict JSON object of a bounded length, spells
 * out what the format does, and is in the format.  And any bytes as a body
 * that is asked whether it is in the format or a success that is none.
 *
 * The first bytes of the input choose the status and the fields; the format
 * follows, up to a NUL, and texts, values and bodies.
 */


#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "og_format.h"
#include "og_json.h"
#include "og_when.h"
#include "rules.h"
#include "strict.h"


/* Of a message, of which each byte is escaped, or of details. */
#define MAX_PART   16384

#define RULES_MAX  3


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill_in(og_problem_t *problem, unsigned choice, const char *text);
static void check_rendered(const og_format_t *format,
    const og_problem_t *problem, const char *source);
static void check_filled(const json_t *source, const json_t *filled,
    const og_problem_t *problem);
static int check_part(const char *name, const json_t *filled,
    const og_problem_t *problem);
static void check_when(const char *pointer, const char *text, size_t size);
static void check_found(const og_when_t *rule);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char          *source, *text;
    size_t         len, offset;
    const char    *error;
    og_format_t   *format;
    og_problem_t   problem;

    if (size < 3) {
        return 0;
    }

    source = malloc(size);
    check(source != NULL);
    memcpy(source, data + 2, size - 2);
    source[size - 2] = '\0';

    len = strlen(source);
    text = len < size - 2 ? source + len + 1 : source + len;
    size = size - 2 - (size_t) (text - source);

    memset(&problem, 0, sizeof(problem));
    problem.status = 400 + data[0] % 200;
    fill_in(&problem, data[1], text);

    error = NULL;
    offset = SIZE_MAX;
    format = og_format_create((unsigned char *) source, len, &error, &offset);

    if (format) {
        check_rendered(format, &problem, source);

        if (og_format_matches(format, problem.status, (unsigned char *) text,
                              size))
        {
            check(is_strict(text, size));
        }

        og_format_free(format);

    } else {
        check(error != NULL && offset <= len);
    }

    check_when(source, text, size);

    free(source);

    return 0;
}


static void
fill_in(og_problem_t *problem, unsigned choice, const char *text)
{
    problem->code = choice & 1 ? text : NULL;
    problem->detail = choice & 2 ? text : NULL;
    problem->trace_id = choice & 4 ? text : NULL;
    problem->errors = choice & 8 ? text : NULL;
    problem->from_upstream = choice & 16 ? 1 : 0;
    problem->retryable = choice & 32 ? OG_TRI_TRUE : OG_TRI_ABSENT;
    problem->safe_new_key = choice & 64 ? OG_TRI_FALSE : OG_TRI_ABSENT;
}


static void
check_rendered(const og_format_t *format, const og_problem_t *problem,
    const char *source)
{
    char        *text;
    size_t       len, max;
    json_t      *from, *document;
    const char  *p;

    check(is_strict(source, strlen(source)));
    check(og_format_render(format, problem, &text, &len) == 0);
    check(strlen(text) == len);

    max = strlen(source);

    for (p = strstr(source, "\"$"); p; p = strstr(p + 1, "\"$")) {
        max += MAX_PART;
    }

    check(len <= max);
    check(is_strict(text, len));
    check(og_format_matches(format, problem->status, (unsigned char *) text,
                            len));
    check(!og_format_matches(format, problem->status, (unsigned char *) text,
                             len - 1));

    from = load_strict(source, strlen(source));
    document = load_strict(text, len);

    /* a dollar that is escaped makes no part, which nobody sees here */

    if (from && document && strstr(source, "\\u0024") == NULL) {
        check(json_is_object(document));
        check_filled(from, document, problem);
    }

    json_decref(from);
    json_decref(document);
    free(text);
}


static void
check_filled(const json_t *source, const json_t *filled,
    const og_problem_t *problem)
{
    size_t         i;
    json_t        *value;
    const char    *name;

    if (json_is_string(source)
        && check_part(json_string_value(source), filled, problem))
    {
        return;
    }

    check(json_typeof(source) == json_typeof(filled));

    if (json_is_object(source)) {
        check(json_object_size(source) == json_object_size(filled));

        json_object_foreach((json_t *) (uintptr_t) source, name, value) {
            check_filled(value, json_object_get(filled, name), problem);
        }

    } else if (json_is_array(source)) {
        check(json_array_size(source) == json_array_size(filled));

        for (i = 0; i < json_array_size(source); i++) {
            check_filled(json_array_get(source, i), json_array_get(filled, i),
                         problem);
        }

    } else {
        check(json_equal(source, filled));
    }
}


/* 0 where it is no part. */

static int
check_part(const char *name, const json_t *filled,
    const og_problem_t *problem)
{
    if (strcmp(name, "$status") == 0) {
        check((unsigned) json_number_value(filled) == problem->status);

    } else if (strcmp(name, "$code") == 0) {
        check(json_is_string(filled) && json_string_length(filled) <= 64);

    } else if (strcmp(name, "$message") == 0) {
        check(json_is_string(filled) && json_string_length(filled) > 0
              && json_string_length(filled) <= 1024);

    } else if (strcmp(name, "$details") == 0) {
        check(json_is_array(filled) || json_is_object(filled)
              || json_is_null(filled));

    } else if (strcmp(name, "$trace_id") == 0) {
        check(json_is_null(filled)
              || (json_string_length(filled) > 0
                  && json_string_length(filled) <= 128));

    } else if (strcmp(name, "$origin") == 0) {
        check(strcmp(json_string_value(filled),
                     problem->from_upstream ? "upstream" : "gateway") == 0);

    } else if (strcmp(name, "$retryable") == 0) {
        check(problem->retryable == OG_TRI_TRUE ? json_is_true(filled)
                                                : json_is_null(filled));

    } else if (strcmp(name, "$safe_new_key") == 0) {
        check(problem->safe_new_key == OG_TRI_FALSE ? json_is_false(filled)
                                                    : json_is_null(filled));

    } else {
        return 0;
    }

    return 1;
}


/* Any pointer, a value from the first line, and all of it as a body. */

static void
check_when(const char *pointer, const char *text, size_t size)
{
    size_t       i;
    int          status;
    og_when_t    rules[RULES_MAX];
    const char  *end;

    end = memchr(text, '\n', size);
    end = end ? end : text + size;

    rules[0].pointer = pointer;
    rules[1].pointer = "/a";
    rules[2].pointer = "";

    if (og_when_value(&rules[0].value, text, (size_t) (end - text)) != NULL) {
        return;
    }

    check(rules[0].value.data >= (const unsigned char *) text
          && rules[0].value.data + rules[0].value.len
             <= (const unsigned char *) end);

    for (i = 0; i < RULES_MAX; i++) {
        rules[i].value = rules[0].value;
        rules[i].status = (unsigned) (500 + i);
    }

    status = og_when_status(rules, RULES_MAX, (const unsigned char *) text,
                            size);
    check(status == 0 || (status >= 500 && status < 500 + RULES_MAX));
    check(status == 0 || is_strict(text, size));

    check_found(&rules[1]);
}


/* A body that has it, unless it cannot stand in one. */

static void
check_found(const og_when_t *rule)
{
    char        *body;
    size_t       len;
    const char  *quote;

    quote = rule->value.type == OG_JSON_STRING ? "\"" : "";

    body = malloc(rule->value.len + sizeof("{\"a\":\"\"}"));
    check(body != NULL);

    memcpy(body, "{\"a\":", 5);
    memcpy(body + 5, quote, strlen(quote));
    len = 5 + strlen(quote);
    memcpy(body + len, rule->value.data, rule->value.len);
    len += rule->value.len;
    memcpy(body + len, quote, strlen(quote));
    len += strlen(quote);
    body[len++] = '}';

    check(og_when_status(rule, 1, (unsigned char *) body, len)
          == (is_strict(body, len) ? (int) rule->status : 0));
    check(*quote || is_strict(body, len));

    free(body);
}
