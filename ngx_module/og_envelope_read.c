
/*
 * Copyright (C) order guard contributors
 *
 * An upstream's error is read where it stands: a value is found by its
 * pointer, strings are unescaped and bounded, and the details stay the bytes
 * they are, because no number survives a trip through a C type.
 */


#include <stdlib.h>
#include <string.h>

#include "og_envelope.h"
#include "og_envelope_text.h"


/* A number that is a code has no more. */
#define OG_PROBLEM_MAX_DIGITS  9


/* Owned by the problem that it was read into. */
typedef struct {
    char                  code[OG_PROBLEM_MAX_CODE + 1];
    char                  detail[OG_PROBLEM_MAX_TEXT + 1];
    char                  trace_id[OG_PROBLEM_MAX_TRACE_ID + 1];
    char                  errors[];
} og_problem_texts_t;


/* A body that has passed a scan. */
typedef struct {
    const unsigned char  *data;
    size_t                len;
    unsigned char        *scratch;    /* room for one string of it */
} og_problem_body_t;


static og_problem_texts_t *og_problem_create_texts(og_json_value_t errors);
static void og_problem_take_texts(og_problem_t *problem,
    og_problem_texts_t *texts, const og_problem_body_t *body,
    const og_problem_places_t *places);
static og_json_value_t og_problem_find_errors(const og_problem_body_t *body,
    const og_problem_places_t *places);
static size_t og_problem_find_code(const og_problem_body_t *body,
    const char *const *pointers, unsigned status, char *code);
static int og_problem_number_code(og_json_value_t value, unsigned status,
    char *code);
static size_t og_problem_find_oauth_code(const og_problem_body_t *body,
    unsigned status, char *code);
static size_t og_problem_find_text(const og_problem_body_t *body,
    const char *const *pointers);
static size_t og_problem_text(const og_problem_body_t *body,
    og_json_value_t value);
static og_json_value_t og_problem_find(const og_problem_body_t *body,
    const char *pointer);
static int og_problem_has_elements(og_json_value_t container);
static int og_problem_is_code(const unsigned char *text, size_t len);


static const og_problem_places_t  og_default_places;


/* Where upstreams put their errors, in the order of preference. */

static const char *const  og_code_pointers[] = {
    "/code", "/error/code", "/error_code", "/errorCode", "/status", NULL
};

static const char *const  og_detail_pointers[] = {
    "/message", "/error/message", "/detail", "/error_description", "/error",
    "/title", NULL
};

static const char *const  og_errors_pointers[] = {
    "/errors", "/error/details", "/details", "/violations", NULL
};

static const char *const  og_trace_id_pointers[] = {
    "/traceId", "/trace_id", "/request_id", "/requestId", NULL
};


int
og_problem_read(og_problem_t *problem, const og_problem_places_t *places,
    const unsigned char *body, size_t len)
{
    og_json_type_e       root;
    og_problem_body_t    source;
    og_problem_texts_t  *texts;

    if (og_problem_scan(body, len, OG_PROBLEM_MAX_DEPTH, &root) != OG_BODY_OK
        || root != OG_JSON_OBJECT)
    {
        return -1;
    }

    source.data = body;
    source.len = len;
    source.scratch = malloc(len);

    if (source.scratch == NULL) {
        return -1;
    }

    if (places == NULL) {
        places = &og_default_places;
    }

    texts = og_problem_create_texts(og_problem_find_errors(&source, places));

    if (texts) {
        og_problem_free(problem);
        og_problem_take_texts(problem, texts, &source, places);
    }

    free(source.scratch);

    return texts ? 0 : -1;
}


int
og_problem_is_valid(unsigned status, const unsigned char *body, size_t len)
{
    size_t             i;
    og_json_type_e     root, types[3];
    og_json_value_t    value;
    og_problem_body_t  source;

    static const char *const  texts[3] = { "/type", "/title", "/detail" };

    if (og_problem_scan(body, len, OG_PROBLEM_MAX_DEPTH, &root) != OG_BODY_OK
        || root != OG_JSON_OBJECT)
    {
        return 0;
    }

    source.data = body;
    source.len = len;
    source.scratch = NULL;

    for (i = 0; i < 3; i++) {
        types[i] = og_problem_find(&source, texts[i]).type;

        if (types[i] != OG_JSON_NONE && types[i] != OG_JSON_STRING) {
            return 0;
        }
    }

    if (types[0] == OG_JSON_NONE && types[1] == OG_JSON_NONE) {
        return 0;
    }

    value = og_problem_find(&source, "/status");

    return value.type == OG_JSON_NONE || og_problem_is_status(value, status);
}


void
og_problem_free(og_problem_t *problem)
{
    og_problem_texts_t  *texts;

    texts = problem->owned;

    if (texts == NULL) {
        return;
    }

    if (problem->code == texts->code) {
        problem->code = NULL;
    }

    if (problem->detail == texts->detail) {
        problem->detail = NULL;
    }

    if (problem->trace_id == texts->trace_id) {
        problem->trace_id = NULL;
    }

    if (problem->errors == texts->errors) {
        problem->errors = NULL;
    }

    problem->owned = NULL;
    free(texts);
}


static og_problem_texts_t *
og_problem_create_texts(og_json_value_t errors)
{
    og_problem_texts_t  *texts;

    texts = malloc(sizeof(og_problem_texts_t) + errors.len + 1);

    if (texts == NULL) {
        return NULL;
    }

    if (errors.len) {
        memcpy(texts->errors, errors.data, errors.len);
    }

    texts->errors[errors.len] = '\0';

    return texts;
}


static void
og_problem_take_texts(og_problem_t *problem, og_problem_texts_t *texts,
    const og_problem_body_t *body, const og_problem_places_t *places)
{
    size_t  len;

    problem->owned = texts;

    if (texts->errors[0] != '\0') {
        problem->errors = texts->errors;
    }

    len = og_problem_find_code(body, places->code, problem->status,
                               texts->code);

    if (len == 0 && places->code == NULL) {
        len = og_problem_find_oauth_code(body, problem->status, texts->code);
    }

    if (len) {
        problem->code = texts->code;
    }

    len = og_problem_find_text(body, places->detail ? places->detail
                                                    : og_detail_pointers);

    if (len) {
        og_problem_clean(texts->detail, OG_PROBLEM_MAX_TEXT, body->scratch,
                         len);
        problem->detail = texts->detail;
    }

    len = og_problem_find_text(body, places->trace_id
                                     ? places->trace_id
                                     : og_trace_id_pointers);

    if (len) {
        og_problem_clean(texts->trace_id, OG_PROBLEM_MAX_TRACE_ID,
                         body->scratch, len);
        problem->trace_id = texts->trace_id;
    }
}


static og_json_value_t
og_problem_find_errors(const og_problem_body_t *body,
    const og_problem_places_t *places)
{
    const char *const  *pointer;
    og_json_value_t     value;

    pointer = places->errors ? places->errors : og_errors_pointers;

    for ( /* void */ ; *pointer; pointer++) {
        value = og_problem_find(body, *pointer);

        if ((value.type == OG_JSON_ARRAY || value.type == OG_JSON_OBJECT)
            && value.len <= OG_PROBLEM_MAX_ERRORS
            && og_problem_has_elements(value))
        {
            return value;
        }
    }

    memset(&value, 0, sizeof(value));

    return value;
}


/* Leaves the text unescaped in the scratch and returns its length. */

static size_t
og_problem_find_text(const og_problem_body_t *body,
    const char *const *pointers)
{
    size_t  len;

    for ( /* void */ ; *pointers; pointers++) {

        len = og_problem_text(body, og_problem_find(body, *pointers));

        if (len) {
            return len;
        }
    }

    return 0;
}


/* 0 unless the value is a string. */

static size_t
og_problem_text(const og_problem_body_t *body, og_json_value_t value)
{
    if (value.type != OG_JSON_STRING) {
        return 0;
    }

    return (size_t) (og_json_unescape(body->scratch, value.data, value.len)
                     - body->scratch);
}


/* Writes the code, and returns its length or 0. */

static size_t
og_problem_find_code(const og_problem_body_t *body,
    const char *const *pointers, unsigned status, char *code)
{
    size_t             len;
    og_json_value_t    value;
    const char *const *pointer;

    for (pointer = pointers ? pointers : og_code_pointers;
         *pointer;
         pointer++)
    {
        value = og_problem_find(body, *pointer);

        /* what is called so by default is mostly the status itself */

        if (value.type == OG_JSON_NUMBER
            && (pointers || strcmp(*pointer, "/status") != 0)
            && og_problem_number_code(value, status, code))
        {
            return strlen(code);
        }

        len = og_problem_text(body, value);

        if (og_problem_is_code(body->scratch, len)) {
            memcpy(code, body->scratch, len);
            code[len] = '\0';

            return len;
        }
    }

    return 0;
}


static int
og_problem_number_code(og_json_value_t value, unsigned status, char *code)
{
    size_t       i;
    unsigned     number;
    const char  *name;

    if (value.len > OG_PROBLEM_MAX_DIGITS) {
        return 0;
    }

    number = 0;

    for (i = 0; i < value.len; i++) {

        if (value.data[i] < '0' || value.data[i] > '9') {
            return 0;
        }

        number = number * 10 + (unsigned) (value.data[i] - '0');
    }

    if (number == status) {
        return 0;
    }

    name = og_status_grpc_name(number, status);

    if (name) {
        memcpy(code, name, strlen(name) + 1);

    } else {
        memcpy(code, value.data, value.len);
        code[value.len] = '\0';
    }

    return 1;
}


static size_t
og_problem_find_oauth_code(const og_problem_body_t *body, unsigned status,
    char *code)
{
    static const char *const  error[] = { "/error", NULL };

    if (og_problem_find(body, "/error_description").type != OG_JSON_STRING) {
        return 0;
    }

    return og_problem_find_code(body, error, status, code);
}


static og_json_value_t
og_problem_find(const og_problem_body_t *body, const char *pointer)
{
    return og_json_find(body->data, body->len, pointer, strlen(pointer));
}


static int
og_problem_has_elements(og_json_value_t container)
{
    size_t  i;

    /* The first and the last byte are its brackets. */

    for (i = 1; i + 1 < container.len; i++) {
        if (strchr(" \t\r\n", container.data[i]) == NULL) {
            return 1;
        }
    }

    return 0;
}


static int
og_problem_is_code(const unsigned char *text, size_t len)
{
    size_t  i;

    if (len == 0 || len > OG_PROBLEM_MAX_CODE) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if ((text[i] >= 'A' && text[i] <= 'Z')
            || (text[i] >= 'a' && text[i] <= 'z')
            || (text[i] >= '0' && text[i] <= '9')
            || text[i] == '_' || text[i] == '.' || text[i] == ':'
            || text[i] == '-')
        {
            continue;
        }

        return 0;
    }

    return 1;
}
