
/*
 * Copyright (C) order guard contributors
 */


#include <stdio.h>
#include <string.h>

#include "../unit/json_cases.h"
#include "agree.h"
#include "yardstick.h"


static og_scanner_t  *agree_scanner;
static size_t         agree_differences;


/* What yardstick.h says that the yardstick passes. */
static int
agree_is_left_out(const char *message)
{
    size_t  i;

    static const char  *left_out[] = {
        "a name is repeated", "a name has a NUL", "a lone surrogate"
    };

    for (i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {

        if (message != NULL && strcmp(message, left_out[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


static void
agree_on_case(const json_case_t *row)
{
    int                      valid;
    og_body_rules_t          rules;
    yardstick_names_t        names;
    const og_body_result_t  *result;

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = YARDSTICK_DEPTH;

    result = og_json_scan(agree_scanner, &rules, row->in.data, row->in.len);
    valid = yardstick_scan(row->in.data, row->in.len, &names);

    if (valid != (result->status == OG_BODY_OK)
        && !agree_is_left_out(result->message))
    {
        fprintf(stderr, "%s:%d: %s: the yardstick says %d, the cutter %d\n",
                row->file, row->line, row->name, valid,
                result->status == OG_BODY_OK);
        agree_differences++;
    }
}


size_t
agree_on_cases(void)
{
    size_t  i;

    static const char  *files[] = {
        "accepted.cases", "allow.cases", "cut.cases", "refused.cases",
        "reject.cases", "set.cases", "spellings.cases"
    };

    agree_scanner = og_scanner_create();

    if (agree_scanner == NULL) {
        return 1;
    }

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void) json_cases(JSON_CASES, files[i], agree_on_case);
    }

    og_scanner_free(agree_scanner);

    return agree_differences;
}
