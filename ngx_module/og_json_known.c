
/*
 * Copyright (C) order guard contributors
 */


#include "og_json_known.h"


void
og_json_known_init(og_json_known_t *known)
{
    og_sketch_t         sketch;
    og_json_raw_name_t  empty;

    static const unsigned char  quotes[] = "\"\"";

    memset(known, 0, sizeof(og_json_known_t));

    /* a name like any other, which is expected behind one that is new */

    empty.data = quotes + 1;
    empty.len = 0;
    sketch = og_sketch_portable(&og_sketch_exact, empty.data, 0);

    known->last = known->names;
    known->last = og_json_known_learn(known, empty, sketch);
}


og_json_name_t *
og_json_known_learn(og_json_known_t *known, og_json_raw_name_t raw,
    og_sketch_t sketch)
{
    size_t           len;
    og_json_name_t  *name;

    len = raw.len + 3;

    if (len > OG_JSON_KNOWN_SIZE) {
        return NULL;
    }

    name = &known->names[sketch.word >> 24];

    if (name->len != raw.len
        || memcmp(name->text, raw.data - 1, raw.len + 2) != 0)
    {
        memcpy(name->text, raw.data - 1, raw.len + 2);
        name->text[len - 1] = ':';

        memset(name->beyond, 0, len);
        memset(name->beyond + len, 0xFF, OG_JSON_KNOWN_SIZE - len);

        name->len = raw.len;
        name->sketch = sketch;
        name->next = known->names;
        name->spot = 0;
    }

    known->last->next = name;
    known->last = name;

    return name;
}
