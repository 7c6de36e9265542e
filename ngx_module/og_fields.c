
/*
 * Copyright (C) order guard contributors
 *
 * Rules as text: parsing, and what is refused when the configuration is
 * read.  og_fields_match.c has what runs per request.
 */


#include <stdlib.h>
#include <string.h>

#include "og_fields_set.h"
#include "og_grow.h"
#include "og_utf8.h"


/* A rule that is being read: what is left of it, and the token at hand. */
typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;

    unsigned char        *name;       /* unescaped; room for the whole text */
    size_t                len;
    og_token_e            token;
    int                   bare;       /* no pointer but one name */
} og_rule_t;


static const char *og_fields_check(const og_fields_t *fields,
    og_field_action_e action, og_rule_t *rule);
static const char *og_fields_check_token(const og_fields_t *fields,
    og_field_action_e action, const og_rule_t *rule);
static const char *og_fields_check_text(const unsigned char *text,
    size_t len);
static const char *og_fields_insert(og_fields_t *fields,
    og_field_action_e action, og_rule_t *rule);
static const char *og_fields_keep_allowed(og_fields_t *fields,
    const char *text, size_t len);
static void og_rule_init(og_rule_t *rule, const char *text, size_t len,
    unsigned char *name);
static int og_rule_next(og_rule_t *rule);
static void og_rule_unescape(og_rule_t *rule);
static int og_fields_make_filter(og_fields_t *fields);
static const char *og_fields_check_allowed(const og_fields_t *fields);
static int og_fields_always_cut(const og_fields_t *fields,
    og_fields_walk_t *walk, og_rule_t *rule);


static const char  og_fields_no_memory[] = "no memory";


og_fields_t *
og_fields_create(og_match_e match)
{
    og_fields_t  *fields;

    fields = calloc(1, sizeof(og_fields_t));
    if (fields == NULL) {
        return NULL;
    }

    og_fold_init(&fields->fold, match);

    if (og_trie_init(&fields->deny) != 0 || og_trie_init(&fields->allow) != 0
        || og_trie_add_node(&fields->deny) != OG_FIELDS_ANYWHERE)
    {
        og_fields_free(fields);
        return NULL;
    }

    return fields;
}


void
og_fields_free(og_fields_t *fields)
{
    size_t  i;

    if (fields == NULL) {
        return;
    }

    for (i = 0; i < fields->nallowed; i++) {
        free(fields->allowed[i].text);
    }

    free(fields->allowed);
    free(fields->filter_words);
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

    if (wrong == NULL && action == OG_FIELD_ALLOW) {
        wrong = og_fields_keep_allowed(fields, text, len);
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
        return rule->bare ? "\"*\" has a meaning in pointers only" : NULL;

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
        return "a field is nothing but \"_\" and \"-\", which are ignored";
    }

    return NULL;
}


static void
og_rule_init(og_rule_t *rule, const char *text, size_t len,
    unsigned char *name)
{
    rule->p = (const unsigned char *) text;
    rule->end = rule->p + len;
    rule->name = name;
    rule->len = 0;
    rule->token = OG_TOKEN_NAME;
    rule->bare = (text[0] != '/');
}


/* Takes the next reference token; 0 when there is none left. */
static int
og_rule_next(og_rule_t *rule)
{
    const unsigned char  *start;

    if (rule->p == rule->end) {
        return 0;
    }

    rule->token = OG_TOKEN_NAME;

    if (rule->bare) {
        start = rule->p;
        rule->len = (size_t) (rule->end - rule->p);
        memcpy(rule->name, rule->p, rule->len);
        rule->p = rule->end;

    } else {
        start = ++rule->p;
        og_rule_unescape(rule);
    }

    if (rule->p - start == 1 && *start == '*') {
        rule->token = OG_TOKEN_ANY;

    } else if (rule->p - start == 2 && memcmp(start, "**", 2) == 0) {
        rule->token = OG_TOKEN_ALL_BELOW;
    }

    return 1;
}


static void
og_rule_unescape(og_rule_t *rule)
{
    unsigned char  c;

    rule->len = 0;

    for ( /* void */ ; rule->p < rule->end && *rule->p != '/'; rule->p++) {
        c = *rule->p;

        if (c == '~') {
            rule->p++;

            if (rule->p == rule->end || (*rule->p != '0' && *rule->p != '1'))
            {
                rule->token = OG_TOKEN_WRONG;
                return;
            }

            c = (*rule->p == '0') ? '~' : '/';
        }

        rule->name[rule->len++] = c;
    }
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
    mark = (action == OG_FIELD_ALLOW) ? OG_MARK_LISTED
           : (action == OG_FIELD_REJECT) ? OG_MARK_REJECT : OG_MARK_STRIP;
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
        }

        name = og_fields_name(fields, rule->name, len, len);
        node = og_trie_add(trie, node,
                           (rule->token == OG_TOKEN_ANY) ? NULL : &name);
    }

    if (node == OG_TRIE_NONE) {
        return og_fields_no_memory;
    }

    trie->nodes[node].marks |= mark;

    return NULL;
}


/* Allow rules are looked at once more when all rules are known. */
static const char *
og_fields_keep_allowed(og_fields_t *fields, const char *text, size_t len)
{
    og_allowed_t  *allowed;

    if (fields->nallowed == fields->allowed_alloc) {
        allowed = og_grow(fields->allowed, &fields->allowed_alloc,
                          fields->nallowed + 1, sizeof(og_allowed_t));
        if (allowed == NULL) {
            return og_fields_no_memory;
        }

        fields->allowed = allowed;
    }

    allowed = &fields->allowed[fields->nallowed];

    allowed->text = malloc(len);
    if (allowed->text == NULL) {
        return og_fields_no_memory;
    }

    memcpy(allowed->text, text, len);
    allowed->len = len;
    fields->nallowed++;

    return NULL;
}


const char *
og_fields_compile(og_fields_t *fields)
{
    size_t           i;
    unsigned         both;
    og_trie_node_t  *node;

    if (og_fields_make_filter(fields) != 0) {
        return og_fields_no_memory;
    }

    /* a path in a name has three sets at hand */

    fields->step = 3 * fields->deny.nnodes + fields->allow.nnodes;
    both = OG_MARK_STRIP|OG_MARK_REJECT;

    for (i = 0; i < fields->deny.nnodes; i++) {
        node = &fields->deny.nodes[i];

        if ((node->marks & both) == both) {
            return "a field is both in strip and in reject";
        }

        if (node->any != OG_TRIE_NONE) {
            node->marks |= OG_MARK_ANY_BELOW;
        }
    }

    return og_fields_check_allowed(fields);
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


static const char *
og_fields_check_allowed(const og_fields_t *fields)
{
    int               cut;
    size_t            i;
    og_rule_t         rule;
    unsigned char    *name;
    og_fields_walk_t  walk;

    memset(&walk, 0, sizeof(og_fields_walk_t));
    cut = 0;

    for (i = 0; i < fields->nallowed && cut == 0; i++) {
        name = malloc(fields->allowed[i].len);

        if (name == NULL) {
            cut = -1;
            break;
        }

        og_rule_init(&rule, fields->allowed[i].text, fields->allowed[i].len,
                     name);
        cut = og_fields_always_cut(fields, &walk, &rule);
        free(name);
    }

    og_fields_walk_done(&walk);

    if (cut == -1) {
        return og_fields_no_memory;
    }

    return cut ? "a field in allow is always cut by strip or reject" : NULL;
}


/*
 * Whether strip or reject wins over an allow rule wherever that matches: the
 * rule would be a mistake.  Returns -1 when memory is short.
 */
static int
og_fields_always_cut(const og_fields_t *fields, og_fields_walk_t *walk,
    og_rule_t *rule)
{
    int         denied;
    og_name_t   name;
    og_place_t  place;

    if (og_fields_root(fields, walk, &place) != 0) {
        return -1;
    }

    denied = 0;

    while (denied == 0 && og_rule_next(rule)
           && rule->token != OG_TOKEN_ALL_BELOW)
    {
        name = og_fields_name(fields, rule->name, rule->len, rule->len);
        denied = og_fields_denies(fields, walk, &place, rule->token, &name);
    }

    return denied;
}
