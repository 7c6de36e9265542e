
/*
 * Copyright (C) order guard contributors
 *
 * Marking a replayed answer.  The first line of an input is the pointer, the
 * rest is the answer.  What must hold: where the place is found, jansson reads
 * the answer, and with "true" in that place it reads the same but for the
 * value there.
 */


#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "og_json.h"
#include "rules.h"


#define TOKEN  256


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_marked(const char *pointer, size_t pointer_len,
    const uint8_t *answer, size_t len, const og_range_t *range);
static json_t *read_answer(const unsigned char *data, size_t len);
static int mark_slowly(json_t *root, const char *pointer,
    const char *pointer_end);
static const char *next_token(char *token, const char *p, const char *end);


static og_scanner_t  *scanner;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          line;
    og_range_t      range;
    const uint8_t  *end, *answer;

    if (scanner == NULL) {
        scanner = og_scanner_create();
        check(scanner != NULL);
    }

    end = memchr(data, '\n', size);
    line = end ? (size_t) (end - data) : size;
    answer = data + line + (end != NULL);

    if (og_json_locate(scanner, answer, (size_t) (data + size - answer),
                       (const char *) data, line, &range)
        == 0)
    {
        check_marked((const char *) data, line, answer,
                     (size_t) (data + size - answer), &range);
    }

    return 0;
}


static void
check_marked(const char *pointer, size_t pointer_len, const uint8_t *answer,
    size_t len, const og_range_t *range)
{
    size_t          n;
    json_t         *want, *got;
    unsigned char  *marked;

    check(range->start < range->end && range->end <= len);

    n = len - (range->end - range->start) + 4;
    marked = malloc(n);
    check(marked != NULL);

    memcpy(marked, answer, range->start);
    memcpy(marked + range->start, "true", 4);
    memcpy(marked + range->start + 4, answer + range->end, len - range->end);

    want = read_answer(answer, len);
    got = read_answer(marked, n);

    /* numbers that jansson has not, and its depth, are not the cutter's */

    if (want != NULL && pointer_len > 0) {
        check(got != NULL);

        if (mark_slowly(want, pointer, pointer + pointer_len)) {
            check(json_equal(want, got));
        }
    }

    json_decref(want);
    json_decref(got);
    free(marked);
}


static json_t *
read_answer(const unsigned char *data, size_t len)
{
    return json_loadb((const char *) data, len,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      NULL);
}


/* 0 where a token is too long to be followed here. */
static int
mark_slowly(json_t *root, const char *pointer, const char *pointer_end)
{
    char         token[TOKEN];
    json_t      *next;
    const char  *p;

    for (p = pointer; /* void */ ; root = next) {
        p = next_token(token, p, pointer_end);

        if (p == NULL) {
            return 0;
        }

        next = json_is_array(root)
               ? json_array_get(root, strtoul(token, NULL, 10))
               : json_object_get(root, token);
        check(next != NULL);

        if (p < pointer_end) {
            continue;
        }

        if (json_is_array(root)) {
            check(json_array_set_new(root, strtoul(token, NULL, 10),
                                     json_true()) == 0);
        } else {
            check(json_object_set_new(root, token, json_true()) == 0);
        }

        return 1;
    }
}


static const char *
next_token(char *token, const char *p, const char *end)
{
    size_t  n;

    check(p < end && *p == '/');

    for (n = 0, p++; p < end && *p != '/'; p++) {

        if (n == TOKEN - 1) {
            return NULL;
        }

        token[n] = *p;

        if (*p == '~') {
            token[n] = (*++p == '0') ? '~' : '/';
        }

        n++;
    }

    token[n] = '\0';

    return p;
}
