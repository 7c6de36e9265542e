
/*
 * Copyright (C) order guard contributors
 */


#include "og_json_known.h"
#include "og_paths.h"


void
og_json_known_init(og_json_known_t *known)
{
    og_json_raw_name_t  empty;

    static const unsigned char  text[] = "\"\":";

    memset(known, 0, sizeof(og_json_known_t));

    /* a name like any other, which is expected behind one that is new */

    empty.data = text + 1;
    empty.len = 0;
    known->last = known->names;

    (void) og_json_known_meet(known, empty,
                              og_sketch_portable(text, 0),
                              text + sizeof(text));
}


void
og_json_known_learn(og_json_known_t *known, og_json_name_t *name,
    og_json_raw_name_t raw, og_sketch_t sketch)
{
    size_t  len;

    /* white space in front of the colon makes a known name look like another */

    if (name->len == raw.len
        && memcmp(name->text, raw.data - 1, raw.len + 2) == 0)
    {
        return;
    }

    len = raw.len + 3;

    memcpy(name->text, raw.data - 1, len - 1);
    name->text[len - 1] = ':';

    memset(name->beyond, 0, len);
    memset(name->beyond + len, 0xFF, OG_JSON_KNOWN_SIZE - len);

    name->len = raw.len;
    name->sketch = sketch;
    name->is_plain = og_paths_is_plain(raw.data, raw.len);
    name->number = ++known->learnt;
    name->next = known->names;
}
