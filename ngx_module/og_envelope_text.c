
/*
 * Copyright (C) order guard contributors
 *
 * What reading and rendering an error envelope have in common.
 */


#include <stdio.h>
#include <string.h>

#include "og_envelope_text.h"
#include "og_utf8.h"


#define OG_PROBLEM_REPLACEMENT  "\xEF\xBF\xBD"    /* U+FFFD */


og_body_status_e
og_problem_scan(const unsigned char *data, size_t len, size_t max_depth,
    og_json_type_e *root)
{
    og_scanner_t         *json;
    og_body_rules_t    rules;
    og_body_status_e   status;

    *root = OG_JSON_NONE;
    json = og_scanner_create();

    if (json == NULL) {
        return OG_BODY_NO_MEMORY;
    }

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = max_depth;

    status = og_json_scan(json, &rules, data, len)->status;

    og_scanner_free(json);

    if (status == OG_BODY_OK) {
        *root = og_json_find(data, len, "", 0).type;
    }

    return status;
}


size_t
og_problem_clean(char *dst, size_t max, const unsigned char *text, size_t len)
{
    size_t                size, used;
    const char           *piece;
    const unsigned char  *p, *end;

    used = 0;
    end = text + len;

    for (p = text; p < end; /* void */ ) {
        size = *p == '\0' ? 0 : og_utf8_length(p, end);

        if (size) {
            piece = (const char *) p;
            p += size;

        } else {
            piece = OG_PROBLEM_REPLACEMENT;
            size = sizeof(OG_PROBLEM_REPLACEMENT) - 1;
            p++;
        }

        if (used + size > max) {
            break;
        }

        memcpy(dst + used, piece, size);
        used += size;
    }

    dst[used] = '\0';

    return used;
}


int
og_problem_errors_length(const char *errors, size_t levels, size_t *len)
{
    size_t            size;
    og_json_type_e    root;
    og_body_status_e  status;

    *len = 0;

    if (errors == NULL) {
        return 0;
    }

    size = strlen(errors);

    if (size > OG_PROBLEM_MAX_ERRORS) {
        return 0;
    }

    status = og_problem_scan((const unsigned char *) errors, size,
                             OG_PROBLEM_MAX_DEPTH - levels, &root);

    if (root == OG_JSON_ARRAY || root == OG_JSON_OBJECT) {
        *len = size;
    }

    return status == OG_BODY_NO_MEMORY ? -1 : 0;
}


int
og_problem_is_status(og_json_value_t value, unsigned status)
{
    char    number[16];
    size_t  len;

    len = (size_t) snprintf(number, sizeof(number), "%u", status);

    return value.type == OG_JSON_NUMBER && value.len == len
           && memcmp(value.data, number, len) == 0;
}
