
/*
 * Copyright (C) order guard contributors
 *
 * Names that take a closer look.
 */


#include <string.h>

#include "og_json_scan.h"


static const unsigned char *og_json_name_unescape(og_scanner_t *s,
    og_json_raw_name_t raw, og_name_t *name);


const unsigned char *
og_json_name(og_scanner_t *s, const unsigned char *p, og_json_found_t *found)
{
    size_t                room;
    og_name_t            *name;
    og_json_raw_name_t   *raw;
    og_json_spelling_e    spelling;

    raw = &found->raw;
    name = &found->name;

    if (*p != '"') {
        return og_json_fail(s, p, "a name is missing");
    }

    raw->data = p + 1;

    p = og_json_string(raw->data, s->end, &spelling, &s->fault);
    if (p == NULL) {
        return og_json_fail(s, s->fault.at, s->fault.message);
    }

    s->frame->part = raw->data - 1;
    raw->len = (size_t) (p - raw->data) - 1;

    name->data = raw->data;
    name->len = raw->len;
    room = (size_t) (s->end - raw->data);

    if (spelling == OG_JSON_ESCAPED) {

        if (og_json_name_unescape(s, *raw, name) == NULL) {
            return NULL;
        }

        room = name->len + 16;
    }

    name->sketch = og_sketch(name->data, name->len, room);
    found->known = NULL;

    if (spelling == OG_JSON_PLAIN) {
        found->known = og_json_known_meet(&s->names.known, *raw, name->sketch,
                                          s->end);
    }

    p = og_json_space(s, p);

    if (p == s->end || *p != ':') {
        return og_scanner_fail(s, p, "a colon is missing");
    }

    return p + 1;
}


static const unsigned char *
og_json_name_unescape(og_scanner_t *s, og_json_raw_name_t raw,
    og_name_t *name)
{
    ptrdiff_t  len;

    len = og_json_text_unescape(&s->name, raw);

    if (len == -1) {
        return og_scanner_no_memory(s);
    }

    name->data = s->name.data;
    name->len = (size_t) len;

    if (memchr(name->data, '\0', name->len) != NULL) {
        return og_scanner_fail(s, raw.data - 1, "a name has a NUL");
    }

    return name->data;
}
