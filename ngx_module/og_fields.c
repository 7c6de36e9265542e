
/*
 * Copyright (C) order guard contributors
 *
 * Rules as they are added and made ready, when the configuration is read.
 * og_fields_match.c and og_fields_name.c have what runs per request.
 */


#include <stdlib.h>
#include <string.h>

#include "og_fields_set.h"
#include "og_grow.h"
#include "og_utf8.h"


static void og_fields_init_paths(og_fields_t *fields);
static const char *og_fields_check_text(const unsigned char *text,
    size_t len);
static const char *og_fields_check(const og_fields_t *fields,
    og_field_action_e action, og_rule_t *rule);
static const char *og_fields_check_token(const og_fields_t *fields,
    og_field_action_e action, const og_rule_t *rule);
static const char *og_fields_insert(og_fields_t *fields,
    og_field_action_e action, og_rule_t *rule);
static void og_fields_note_front(og_fields_t *fields,
    const unsigned char *name, size_t len);
static void og_fields_number(const og_fields_t *fields, og_trie_t *trie,
    uint32_t node);
static const char *og_fields_insert_own(og_fields_t *fields,
    og_rule_t *rule);
static const char *og_fields_keep(og_fields_t *fields,
    og_field_action_e action, const char *text, size_t len);
static int og_fields_make_filter(og_fields_t *fields);
static void og_fields_mark_indexed(og_trie_t *trie);


const char  og_fields_no_memory[] = "no memory";


/* What an action says of the node where its path ends. */
static const unsigned  og_fields_marks[] = {
    OG_MARK_STRIP,
    OG_MARK_REJECT,
    OG_MARK_LISTED,
    OG_MARK_SET
};


og_fields_t *
og_fields_create(og_match_e match)
{
    og_fields_t  *fields;

    fields = calloc(1, sizeof(og_fields_t));
    if (fields == NULL) {
        return NULL;
    }

    fields->match = match;
    og_fold_init(&fields->fold, match);
    og_fields_init_paths(fields);

    if (og_trie_init(&fields->deny) != 0 || og_trie_init(&fields->allow) != 0
        || og_trie_init(&fields->own) != 0
        || og_trie_add_node(&fields->deny) != OG_FIELDS_ANYWHERE)
    {
        og_fields_free(fields);
        return NULL;
    }

    return fields;
}


/* Which bytes make a name a path of names. */
static void
og_fields_init_paths(og_fields_t *fields)
{
    unsigned              c;
    const unsigned char  *p;

    static const unsigned char  breaks[] = ".[]'\"";

    /* "a[b]", "a.b", "a['b']" */

    for (p = breaks; *p != '\0'; p++) {
        fields->narrow_path[*p] = OG_PATH_BREAKS;
    }

    /* "paid_at(1i)" is a part of what is assigned to paid_at */

    fields->narrow_path['('] = OG_PATH_SKIPS;

    /* "a->b" (Laravel's models), "a/b" (databases that are a tree) */

    memcpy(fields->json_path, fields->narrow_path, sizeof(fields->json_path));
    fields->json_path['>'] = OG_PATH_BREAKS;
    fields->json_path['/'] = OG_PATH_BREAKS;

    /* forms have names of letters, digits, "_" and "-", and no others */

    for (c = 0; c < 0x80; c++) {

        if (og_sketch_is_odd((unsigned char) c)) {
            fields->form_path[c] = OG_PATH_BREAKS;
        }
    }
}


void
og_fields_free(og_fields_t *fields)
{
    size_t  i;

    if (fields == NULL) {
        return;
    }

    for (i = 0; i < fields->nadded; i++) {
        free(fields->added[i].text);
    }

    free(fields->added);
    free(fields->sentence);
    free(fields->filter_words);
    og_trie_done(&fields->own);
    og_trie_done(&fields->allow);
    og_trie_done(&fields->deny);
    free(fields);
}


const char *
og_fields_add(og_fields_t *fields, og_field_action_e action,
    const char *text, size_t len)
{
    og_rule_t       rule;
    const char     *wrong;
    unsigned char  *name;

    wrong = og_fields_check_text((const unsigned char *) text, len);
    if (wrong != NULL) {
        return wrong;
    }

    name = malloc(len);
    if (name == NULL) {
        return og_fields_no_memory;
    }

    og_rule_init(&rule, text, len, name);
    wrong = og_fields_check(fields, action, &rule);

    if (wrong == NULL) {
        og_rule_init(&rule, text, len, name);
        wrong = og_fields_insert(fields, action, &rule);
    }

    if (wrong == NULL && action == OG_FIELD_SET) {
        og_rule_init(&rule, text, len, name);
        wrong = og_fields_insert_own(fields, &rule);
    }

    if (wrong == NULL) {
        wrong = og_fields_keep(fields, action, text, len);
    }

    free(name);

    return wrong;
}


static const char *
og_fields_check_text(const unsigned char *text, size_t len)
{
    size_t                n;
    const unsigned char  *p, *end;

    if (len == 0) {
        return "a field has no name";
    }

    end = text + len;

    for (p = text; p < end; p += n) {
        n = og_utf8_length(p, end);

        if (n == 0 || *p == '\0') {
            return "a field is not valid UTF-8, or has a NUL";
        }
    }

    return NULL;
}


static const char *
og_fields_check(const og_fields_t *fields, og_field_action_e action,
    og_rule_t *rule)
{
    const char  *wrong;

    while (og_rule_next(rule)) {
        wrong = og_fields_check_token(fields, action, rule);

        if (wrong != NULL) {
            return wrong;
        }
    }

    return NULL;
}


static const char *
og_fields_check_token(const og_fields_t *fields, og_field_action_e action,
    const og_rule_t *rule)
{
    switch (rule->token) {

    case OG_TOKEN_WRONG:
        return "\"~\" in a pointer is followed by 0 or 1 only";

    case OG_TOKEN_ANY:

        if (rule->bare) {
            return "\"*\" has a meaning in pointers only";
        }

        return (action == OG_FIELD_SET)
               ? "\"*\" stands for many fields, and one is set" : NULL;

    case OG_TOKEN_ALL_BELOW:
        return (action == OG_FIELD_ALLOW && rule->p == rule->end
                && !rule->bare)
               ? NULL : "\"**\" is the last of an allow pointer only";

    case OG_TOKEN_NAME:
        break;
    }

    if (rule->len == 0) {
        return "a pointer has an empty name";
    }

    if (action != OG_FIELD_ALLOW
        && og_fold(&fields->fold, rule->name, rule->name, rule->len).len == 0)
    {
        return "a field is nothing but \"_\", \"-\" and space, which are "
               "ignored";
    }

    return NULL;
}


static const char *
og_fields_insert(og_fields_t *fields, og_field_action_e action,
    og_rule_t *rule)
{
    size_t      len;
    uint32_t    node;
    unsigned    mark;
    og_name_t   name;
    og_trie_t  *trie;

    trie = (action == OG_FIELD_ALLOW) ? &fields->allow : &fields->deny;
    mark = og_fields_marks[action];
    node = (rule->bare && action != OG_FIELD_ALLOW) ? OG_FIELDS_ANYWHERE
                                                    : OG_TRIE_ROOT;

    while (node != OG_TRIE_NONE && og_rule_next(rule)) {

        if (rule->token == OG_TOKEN_ALL_BELOW) {
            mark = OG_MARK_ALL_BELOW;
            break;
        }

        len = rule->len;

        if (action != OG_FIELD_ALLOW) {
            len = og_fold(&fields->fold, rule->name, rule->name, len).len;
            og_fields_note_front(fields, rule->name, len);
        }

        name = og_name(rule->name, len);
        trie->nodes[node].below |= mark;
        node = og_trie_add(trie, node,
                           (rule->token == OG_TOKEN_ANY) ? NULL : &name);
    }

    if (node == OG_TRIE_NONE) {
        return og_fields_no_memory;
    }

    trie->nodes[node].marks |= mark;
    fields->nallowed += (action == OG_FIELD_ALLOW);

    if (action == OG_FIELD_SET) {
        fields->nset++;
        og_fields_number(fields, trie, node);
    }

    return NULL;
}


static void
og_fields_note_front(og_fields_t *fields, const unsigned char *name,
    size_t len)
{
    size_t  n;

    for (n = 0; n < len && og_fields_is_front(name[n]); n++) {
        /* void */
    }

    if (n > fields->front) {
        fields->front = n;
    }
}


static void
og_fields_number(const og_fields_t *fields, og_trie_t *trie, uint32_t node)
{
    /* one that has a number already: it is twice in set, and refused */

    if (trie->nodes[node].number == 0) {
        trie->nodes[node].number = (uint32_t) fields->nset;
    }
}


/* Adds the set rule that was inserted last to set's own places. */
static const char *
og_fields_insert_own(og_fields_t *fields, og_rule_t *rule)
{
    size_t     len;
    uint32_t   node;
    og_name_t  name;

    node = OG_TRIE_ROOT;

    while (node != OG_TRIE_NONE && og_rule_next(rule)) {
        len = rule->len;

        if (rule->p == rule->end) {
            len = og_fold(&fields->fold, rule->name, rule->name, len).len;
        }

        name = og_name(rule->name, len);
        node = og_trie_add(&fields->own, node, &name);
    }

    if (node == OG_TRIE_NONE) {
        return og_fields_no_memory;
    }

    og_fields_number(fields, &fields->own, node);

    return NULL;
}


static const char *
og_fields_keep(og_fields_t *fields, og_field_action_e action,
    const char *text, size_t len)
{
    og_added_t  *added;

    if (fields->nadded == fields->added_alloc) {
        added = og_grow(fields->added, &fields->added_alloc,
                        fields->nadded + 1, sizeof(og_added_t));
        if (added == NULL) {
            return og_fields_no_memory;
        }

        fields->added = added;
    }

    added = &fields->added[fields->nadded];

    added->text = malloc(len);
    if (added->text == NULL) {
        return og_fields_no_memory;
    }

    memcpy(added->text, text, len);
    added->len = len;
    added->action = action;
    fields->nadded++;

    return NULL;
}


const char *
og_fields_compile(og_fields_t *fields)
{
    size_t           i;
    og_trie_node_t  *node;

    static uint64_t  id;

    fields->id = ++id;

    if (og_fields_make_filter(fields) != 0) {
        return og_fields_no_memory;
    }

    /* a path in a name has three sets at hand */

    fields->step = 3 * fields->deny.nnodes + fields->allow.nnodes;

    for (i = 0; i < fields->deny.nnodes; i++) {
        node = &fields->deny.nodes[i];

        if (node->any != OG_TRIE_NONE) {
            node->marks |= OG_MARK_ANY_BELOW;
        }
    }

    og_fields_mark_indexed(&fields->deny);
    og_fields_mark_indexed(&fields->allow);

    return og_fields_contradiction(fields);
}


/* 64 bits per name leave less than 2 % of other names a second look. */
static int
og_fields_make_filter(og_fields_t *fields)
{
    size_t       i, bits;
    unsigned     shift;
    uint32_t     bit;
    uint64_t    *words;
    og_trie_t   *deny;

    deny = &fields->deny;
    shift = 32 - 10;

    for (bits = 1024; bits / 64 < deny->nedges && shift > 0; bits *= 2) {
        shift--;
    }

    words = calloc(bits / 64, sizeof(uint64_t));
    if (words == NULL) {
        return -1;
    }

    for (i = 0; i <= deny->mask; i++) {

        if (deny->edges[i].child != OG_TRIE_NONE) {
            bit = deny->edges[i].name.sketch.word >> shift;
            words[bit / 64] |= UINT64_C(1) << bit % 64;
        }
    }

    free(fields->filter_words);
    fields->filter_words = words;
    fields->filter.words = words;
    fields->filter.shift = shift;

    return 0;
}


/* Marks nodes where it matters which element of an array it is. */
static void
og_fields_mark_indexed(og_trie_t *trie)
{
    size_t            i;
    const og_name_t  *name;

    for (i = 0; i <= trie->mask; i++) {

        if (trie->edges[i].child == OG_TRIE_NONE) {
            continue;
        }

        name = &trie->edges[i].name;

        if (og_name_is_index(name->data, name->len)) {
            trie->nodes[trie->edges[i].parent].marks |= OG_MARK_INDEXED;
        }
    }
}
