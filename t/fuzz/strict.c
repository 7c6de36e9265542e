
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_json.h"
#include "rules.h"
#include "strict.h"


int
is_strict(const char *text, size_t len)
{
    int               strict;
    og_scanner_t     *json;
    og_body_rules_t   rules;

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = 64;

    json = og_scanner_create();
    check(json != NULL);
    strict = og_json_scan(json, &rules, (const unsigned char *) text,
                          len)->status == OG_BODY_OK;
    og_scanner_free(json);

    return strict;
}


json_t *
load_strict(const char *text, size_t len)
{
    json_t        *document;
    json_error_t   error;

    document = json_loadb(text, len,
                          JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL
                          | JSON_DECODE_INT_AS_REAL, &error);

    if (document == NULL) {
        check(json_error_code(&error) == json_error_numeric_overflow);
    }

    return document;
}
