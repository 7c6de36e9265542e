
/*
 * Copyright (C) order guard contributors
 *
 * Error envelopes: whatever an upstream sends, and whatever texts a caller
 * puts in, one strict JSON object of a bounded length comes out.  The first
 * bytes of the input choose the status and the fields, the rest is the body
 * and the texts.
 */


#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "og_envelope.h"
#include "og_json.h"
#include "rules.h"
#include "strict.h"


/*
 * Every byte of a text may become a six-byte escape: detail and title 1024,
 * type 1024 + 64, trace_id 128, code 64; names and punctuation are under 300.
 */
#define MAX_RENDERED  (6 * (1024 + 1024 + 1024 + 64 + 128 + 64) + 16384 + 300)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_upstream(unsigned status,
    const og_problem_places_t *places, const uint8_t *body, size_t size);
static int is_code(const char *text);
static void check_texts(unsigned status, unsigned choice, const char *text);
static void check_rendered(const og_problem_t *problem);
static void check_member(json_t *document, const char *name, size_t max);


/* Places that somebody has named: any value is at one of them. */

static const char *const  anywhere[] = {
    "/a", "/code", "/error", "/errors/0", "/status", "", NULL
};

static const og_problem_places_t  named = {
    anywhere, anywhere, anywhere, anywhere
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char      *text;
    unsigned   status, choice;

    if (size < 2) {
        return 0;
    }

    status = 400 + data[0] % 200;
    choice = data[1];
    data += 2;
    size -= 2;

    check_upstream(status, NULL, data, size);
    check_upstream(status, &named, data, size);

    text = malloc(size + 1);
    check(text != NULL);

    if (size) {
        memcpy(text, data, size);
    }

    text[size] = '\0';
    check_texts(status, choice, text);
    free(text);

    return 0;
}


static void
check_upstream(unsigned status, const og_problem_places_t *places,
    const uint8_t *body, size_t size)
{
    og_problem_t  problem, before;

    memset(&problem, 0, sizeof(problem));
    problem.status = status;
    problem.from_upstream = 1;
    problem.retryable = OG_TRI_FALSE;
    problem.safe_new_key = OG_TRI_ABSENT;
    before = problem;

    if (og_problem_read(&problem, places, body, size) == 0) {
        check(problem.code == NULL || is_code(problem.code));
        check(problem.detail == NULL || strlen(problem.detail) <= 1024);
        check(problem.trace_id == NULL || strlen(problem.trace_id) <= 128);
        check(problem.errors == NULL || strlen(problem.errors) <= 16384);

    } else {
        check(memcmp(&problem, &before, sizeof(problem)) == 0);
        check(!og_problem_is_valid(status, body, size));
    }

    check_rendered(&problem);
    og_problem_free(&problem);

    check(problem.code == NULL && problem.detail == NULL
          && problem.trace_id == NULL && problem.errors == NULL
          && problem.owned == NULL);

    if (og_problem_is_valid(status, body, size)) {
        check(is_strict((const char *) body, size));
    }
}


static int
is_code(const char *text)
{
    size_t  len;

    len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                       "0123456789_.:-");

    return text[len] == '\0' && len > 0 && len <= 64;
}


static void
check_texts(unsigned status, unsigned choice, const char *text)
{
    og_problem_t  problem;

    memset(&problem, 0, sizeof(problem));
    problem.status = status;
    problem.code = choice & 1 ? text : NULL;
    problem.title = choice & 2 ? text : NULL;
    problem.detail = choice & 4 ? text : NULL;
    problem.trace_id = choice & 8 ? text : NULL;
    problem.errors = choice & 16 ? text : NULL;
    problem.type_base = choice & 32 ? text : NULL;
    problem.from_upstream = choice & 64 ? 1 : 0;
    problem.retryable = choice & 128 ? OG_TRI_TRUE : OG_TRI_ABSENT;
    problem.safe_new_key = choice & 2 ? OG_TRI_TRUE : OG_TRI_FALSE;

    check_rendered(&problem);
}


static void
check_rendered(const og_problem_t *problem)
{
    char    *text;
    size_t   len;
    json_t  *document;

    check(og_problem_render(problem, &text, &len) == 0);
    check(strlen(text) == len);
    check(len <= MAX_RENDERED);

    check(is_strict(text, len));
    document = load_strict(text, len);

    if (document) {
        check((unsigned) json_number_value(json_object_get(document,
                                                           "status"))
              == problem->status);
        check(json_is_string(json_object_get(document, "type")));
        check_member(document, "type", 1024 + 64);
        check_member(document, "title", 1024);
        check_member(document, "detail", 1024);
        check_member(document, "code", 64);
        check_member(document, "trace_id", 128);
        json_decref(document);
    }

    check(og_problem_is_valid(problem->status, (unsigned char *) text, len));
    free(text);
}


static void
check_member(json_t *document, const char *name, size_t max)
{
    check(json_string_length(json_object_get(document, name)) <= max);
}
