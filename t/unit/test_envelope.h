
/*
 * Copyright (C) order guard contributors
 *
 * Short ways to write the tests of the error envelope.
 */


#ifndef TEST_ENVELOPE_H_INCLUDED_
#define TEST_ENVELOPE_H_INCLUDED_


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "og_envelope.h"


static inline og_problem_t
of_upstream(unsigned status)
{
    og_problem_t  problem;

    memset(&problem, 0, sizeof(problem));

    problem.status = status;
    problem.from_upstream = 1;
    problem.retryable = OG_TRI_ABSENT;
    problem.safe_new_key = OG_TRI_ABSENT;

    return problem;
}


static inline char *
render(const og_problem_t *problem)
{
    char    *text;
    size_t   len;

    assert_int_equal(og_problem_render(problem, &text, &len), 0);
    assert_int_equal(strlen(text), len);

    return text;
}


static inline void
check_text(const char *name, const char *text, const char *expected,
    size_t expected_len)
{
    if (strlen(text) == expected_len
        && memcmp(text, expected, expected_len) == 0)
    {
        return;
    }

    fail_msg("%s:\n%s\nis not\n%.*s", name, text, (int) expected_len,
             expected);
}


static inline int
read_text(og_problem_t *problem, const char *body)
{
    return og_problem_read(problem, NULL, (const unsigned char *) body,
                           strlen(body));
}


#endif /* TEST_ENVELOPE_H_INCLUDED_ */
