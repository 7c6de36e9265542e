
/*
 * Copyright (C) order guard contributors
 */


#include <stdlib.h>
#include <string.h>

#include "og_grow.h"
#include "og_json.h"
#include "og_json_names.h"
#include "og_json_token.h"


static og_json_seen_e og_json_names_push(og_json_names_t *names,
    og_json_scope_t *scope, og_json_raw_name_t name, uint32_t word);
static int og_json_names_has(const og_json_names_t *names,
    const og_json_scope_t *scope, og_json_raw_name_t name, uint32_t word);
static og_json_seen_e og_json_names_add_to_table(og_json_names_t *names,
    og_json_scope_t *scope, og_json_raw_name_t name);
static int og_json_names_widen(og_json_names_t *names,
    og_json_scope_t *scope);
static int og_json_names_hash(og_json_names_t *names,
    og_json_raw_name_t name, uint32_t *hash);
static uint32_t *og_json_names_slot(const og_json_names_t *names,
    const og_json_scope_t *scope, uint32_t hash,
    const og_json_raw_name_t *name);
static int og_json_names_equal(const og_json_raw_name_t *a,
    const og_json_raw_name_t *b);
static int og_json_names_equal_escaped(const og_json_raw_name_t *a,
    const og_json_raw_name_t *b);


void
og_json_names_init(og_json_names_t *names)
{
    memset(names, 0, sizeof(og_json_names_t));
    og_hash_key_init(&names->key);
    og_json_known_init(&names->known);
}


void
og_json_names_done(og_json_names_t *names)
{
    free(names->names);
    free(names->slots);
    free(names->text.data);
}


void
og_json_names_trim(og_json_names_t *names)
{
    if (og_grow_is_large(names->alloc, sizeof(og_json_listed_t))
        || og_grow_is_large(names->slots_alloc, sizeof(uint32_t))
        || og_grow_is_large(names->text.alloc, 1))
    {
        og_json_names_done(names);

        names->names = NULL;
        names->alloc = 0;
        names->slots = NULL;
        names->slots_alloc = 0;
        names->text.data = NULL;
        names->text.alloc = 0;
    }
}


og_json_seen_e
og_json_names_add_slowly(og_json_names_t *names, og_json_scope_t *scope,
    og_json_raw_name_t name, uint32_t sketch)
{
    if (scope->last - scope->first >= OG_JSON_NAMES_FEW) {
        return og_json_names_add_to_table(names, scope, name);
    }

    if (og_json_names_has(names, scope, name, sketch)) {
        return OG_JSON_NAME_REPEATED;
    }

    scope->seen[sketch >> 30] |= UINT64_C(1) << ((sketch >> 24) & 63);

    return og_json_names_push(names, scope, name, sketch);
}


static og_json_seen_e
og_json_names_push(og_json_names_t *names, og_json_scope_t *scope,
    og_json_raw_name_t name, uint32_t word)
{
    void  *grown;

    if (scope->last == names->alloc) {
        grown = og_grow(names->names, &names->alloc, scope->last + 1,
                        sizeof(og_json_listed_t));
        if (grown == NULL) {
            return OG_JSON_NAME_NO_MEMORY;
        }

        names->names = grown;
    }

    names->names[scope->last].raw = name;
    names->names[scope->last].word = word;
    scope->last++;

    og_json_names_make_room(names, scope);

    return OG_JSON_NAME_NEW;
}


static int
og_json_names_has(const og_json_names_t *names, const og_json_scope_t *scope,
    og_json_raw_name_t name, uint32_t word)
{
    size_t  i;

    for (i = scope->first; i < scope->last; i++) {

        if (names->names[i].word == word
            && og_json_names_equal(&names->names[i].raw, &name))
        {
            return 1;
        }
    }

    return 0;
}


static og_json_seen_e
og_json_names_add_to_table(og_json_names_t *names, og_json_scope_t *scope,
    og_json_raw_name_t name)
{
    size_t     count;
    uint32_t   hash, *slot;

    count = scope->last - scope->first;

    if (count * 2 >= scope->nslots && og_json_names_widen(names, scope) != 0)
    {
        return OG_JSON_NAME_NO_MEMORY;
    }

    if (og_json_names_hash(names, name, &hash) != 0) {
        return OG_JSON_NAME_NO_MEMORY;
    }

    slot = og_json_names_slot(names, scope, hash, &name);

    if (*slot != 0) {
        return OG_JSON_NAME_REPEATED;
    }

    *slot = (uint32_t) count + 1;

    return og_json_names_push(names, scope, name, hash);
}


/*
 * Gives the object a table, or one of twice the size.  It is the innermost
 * object that is open, so that its slots are the last of all and grow in
 * place.
 */
static int
og_json_names_widen(og_json_names_t *names, og_json_scope_t *scope)
{
    void    *grown;
    size_t   i, need, nslots;
    og_json_listed_t *listed;

    nslots = scope->nslots ? scope->nslots * 2 : OG_JSON_NAMES_FEW * 4;
    need = scope->slots_first + nslots;

    if (scope->last - scope->first >= UINT32_MAX / 4) {
        return -1;
    }

    if (need > names->slots_alloc) {
        grown = og_grow(names->slots, &names->slots_alloc, need,
                        sizeof(uint32_t));
        if (grown == NULL) {
            return -1;
        }

        names->slots = grown;
    }

    memset(names->slots + scope->slots_first, 0, nslots * sizeof(uint32_t));

    for (i = scope->first; i < scope->last; i++) {
        listed = &names->names[i];

        if (scope->nslots == 0
            && og_json_names_hash(names, listed->raw, &listed->word) != 0)
        {
            return -1;
        }
    }

    scope->nslots = nslots;

    for (i = scope->first; i < scope->last; i++) {
        *og_json_names_slot(names, scope, names->names[i].word, NULL) =
                                          (uint32_t) (i - scope->first + 1);
    }

    return 0;
}


static int
og_json_names_hash(og_json_names_t *names, og_json_raw_name_t name,
    uint32_t *hash)
{
    ptrdiff_t  len;

    if (memchr(name.data, '\\', name.len) != NULL) {
        len = og_json_text_unescape(&names->text, name);

        if (len == -1) {
            return -1;
        }

        name.data = names->text.data;
        name.len = (size_t) len;
    }

    *hash = (uint32_t) (og_hash(&names->key, name.data, name.len) >> 32);

    return 0;
}


/*
 * The slot of that name, or the free one where it belongs; with NULL for a
 * name that is known to be new.  A slot holds the name's place in its
 * object, counted from 1, or 0.
 */
static uint32_t *
og_json_names_slot(const og_json_names_t *names, const og_json_scope_t *scope,
    uint32_t hash, const og_json_raw_name_t *name)
{
    size_t     n, slot, mask;
    uint32_t  *slots;

    slots = names->slots + scope->slots_first;
    mask = scope->nslots - 1;

    for (slot = hash; slots[slot & mask] != 0; slot++) {
        n = scope->first + slots[slot & mask] - 1;

        if (name != NULL && names->names[n].word == hash
            && og_json_names_equal(&names->names[n].raw, name))
        {
            break;
        }
    }

    return &slots[slot & mask];
}


ptrdiff_t
og_json_text_unescape(og_json_text_t *text, og_json_raw_name_t name)
{
    void  *grown;

    if (name.len + 16 > text->alloc) {
        grown = og_grow(text->data, &text->alloc, name.len + 16, 1);
        if (grown == NULL) {
            return -1;
        }

        text->data = grown;
    }

    return og_json_unescape(text->data, name.data - 1, name.len + 2)
           - text->data;
}


/* Whether two names of a document are equal once they are unescaped. */
static int
og_json_names_equal(const og_json_raw_name_t *a, const og_json_raw_name_t *b)
{
    if (a->len == b->len && memcmp(a->data, b->data, a->len) == 0) {
        return 1;
    }

    if (memchr(a->data, '\\', a->len) == NULL
        && memchr(b->data, '\\', b->len) == NULL)
    {
        return 0;
    }

    return og_json_names_equal_escaped(a, b);
}


static int
og_json_names_equal_escaped(const og_json_raw_name_t *a,
    const og_json_raw_name_t *b)
{
    size_t                nx, ny;
    unsigned char         x[4], y[4];
    const unsigned char  *p, *q, *p_end, *q_end;

    p = a->data;
    q = b->data;
    p_end = p + a->len;
    q_end = q + b->len;

    while (p < p_end && q < q_end) {
        p = og_json_char(p, x, &nx);
        q = og_json_char(q, y, &ny);

        if (nx != ny || memcmp(x, y, nx) != 0) {
            return 0;
        }
    }

    return p == p_end && q == q_end;
}
