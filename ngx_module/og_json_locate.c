
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_json.h"


/* Answers of upstreams are read by clients, which have limits as well. */
#define OG_JSON_LOCATE_DEPTH  512


int
og_json_locate(og_scanner_t *scanner, const unsigned char *data, size_t len,
    const char *pointer, size_t pointer_len, og_range_t *range)
{
    og_json_value_t  value;
    og_body_rules_t  rules;

    memset(&rules, 0, sizeof(og_body_rules_t));
    rules.max_depth = OG_JSON_LOCATE_DEPTH;

    if (og_json_scan(scanner, &rules, data, len)->status != OG_BODY_OK) {
        return -1;
    }

    value = og_json_find(data, len, pointer, pointer_len);

    if (value.type == OG_JSON_NONE) {
        return -1;
    }

    range->start = (size_t) (value.data - data);
    range->end = range->start + value.len;

    return 0;
}
