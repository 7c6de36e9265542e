
/*
 * Copyright (C) order guard contributors
 *
 * The error envelope: what becomes of the bodies in t/unit/envelope, whose
 * README.md says how to add one.  Run from the top of the repository, or with
 * that folder as the argument.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

#include "og_envelope.h"
#include "test_envelope.h"


#define MAX_FILE   65536
#define MIN_CASES  50


typedef struct {
    size_t                len;
    unsigned char        *data;       /* malloc'ed, of the exact size */
} file_t;


static int has_suffix(const char *name, const char *suffix);
static void check_case(const char *name, size_t name_len);
static file_t read_case(const char *name, size_t name_len,
    const char *suffix);
static unsigned status_of(const char *name, const file_t *expected);


static const char  *folder = "t/unit/envelope";


static void
test_cases_of_upstreams(void **state)
{
    DIR            *dir;
    size_t          ncases, len;
    struct dirent  *entry;

    (void) state;

    dir = opendir(folder);

    if (dir == NULL) {
        fail_msg("%s: cannot be opened", folder);
    }

    ncases = 0;

    while ((entry = readdir(dir)) != NULL) {
        len = strlen(entry->d_name);

        if (has_suffix(entry->d_name, ".upstream")) {
            check_case(entry->d_name, len - strlen(".upstream"));
            ncases++;

        } else if (has_suffix(entry->d_name, ".problem")) {
            free(read_case(entry->d_name, len - strlen(".problem"),
                           ".upstream").data);
        }
    }

    closedir(dir);

    assert_true(ncases >= MIN_CASES);
}


static int
has_suffix(const char *name, const char *suffix)
{
    size_t  len, suffix_len;

    len = strlen(name);
    suffix_len = strlen(suffix);

    return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}


static void
check_case(const char *name, size_t name_len)
{
    char          *text;
    file_t         body, expected;
    og_problem_t   problem;

    body = read_case(name, name_len, ".upstream");
    expected = read_case(name, name_len, ".problem");

    if (expected.len == 0 || expected.data[expected.len - 1] != '\n') {
        fail_msg("%.*s.problem: is not a line", (int) name_len, name);
    }

    problem = of_upstream(status_of(name, &expected));

    /* A body that cannot be read leaves the problem as it is. */

    (void) og_problem_read(&problem, NULL, body.data, body.len);

    text = render(&problem);
    check_text(name, text, (char *) expected.data, expected.len - 1);

    free(text);
    og_problem_free(&problem);
    free(body.data);
    free(expected.data);
}


static file_t
read_case(const char *name, size_t name_len, const char *suffix)
{
    FILE           *stream;
    char            path[4096];
    file_t          file;
    unsigned char   buf[MAX_FILE];

    snprintf(path, sizeof(path), "%s/%.*s%s", folder, (int) name_len, name,
             suffix);

    stream = fopen(path, "rb");

    if (stream == NULL) {
        fail_msg("%s: is missing", path);
    }

    file.len = fread(buf, 1, sizeof(buf), stream);
    fclose(stream);
    assert_true(file.len < sizeof(buf));

    file.data = malloc(file.len ? file.len : 1);
    assert_non_null(file.data);
    memcpy(file.data, buf, file.len);

    return file;
}


static unsigned
status_of(const char *name, const file_t *expected)
{
    char               text[MAX_FILE];
    unsigned           status;
    const char        *at;
    static const char  member[] = "\"status\":";

    memcpy(text, expected->data, expected->len);
    text[expected->len - 1] = '\0';

    at = strstr(text, member);
    status = 0;

    if (at == NULL || sscanf(at + sizeof(member) - 1, "%u", &status) != 1) {
        fail_msg("%s: the problem has no status", name);
    }

    return status;
}


int
main(int argc, char **argv)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_cases_of_upstreams),
    };

    if (argc > 1) {
        folder = argv[1];
    }

    return cmocka_run_group_tests_name("og_envelope cases", tests, NULL,
                                       NULL);
}
