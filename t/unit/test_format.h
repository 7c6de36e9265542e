
/*
 * Copyright (C) order guard contributors
 *
 * Short ways to write the tests of formats.
 */


#ifndef TEST_FORMAT_H_INCLUDED_
#define TEST_FORMAT_H_INCLUDED_


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_format.h"


/* A copy of the exact size, without a NUL: who reads on is noticed. */
static inline unsigned char *
exact_copy(const char *text, size_t len)
{
    unsigned char  *copy;

    copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);

    return copy;
}


static inline og_format_t *
format_of(const char *text, size_t len)
{
    size_t          offset;
    const char     *error;
    og_format_t    *format;
    unsigned char  *copy;

    copy = exact_copy(text, len);
    format = og_format_create(copy, len, &error, &offset);
    free(copy);

    if (format == NULL) {
        fail_msg("%.*s: at %zu: %s", (int) len, text, offset, error);
    }

    return format;
}


static inline char *
render_format(const og_format_t *format, const og_problem_t *problem)
{
    char    *text;
    size_t   len;

    assert_int_equal(og_format_render(format, problem, &text, &len), 0);
    assert_int_equal(strlen(text), len);

    return text;
}


static inline int
matches(const og_format_t *format, unsigned status, const char *body,
    size_t len)
{
    int             yes;
    unsigned char  *copy;

    copy = exact_copy(body, len);
    yes = og_format_matches(format, status, copy, len);
    free(copy);

    return yes;
}


#endif /* TEST_FORMAT_H_INCLUDED_ */
