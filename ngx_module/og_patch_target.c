
/*
 * Copyright (C) order guard contributors
 *
 * From a JSON Pointer (RFC 6901) in an operation to the place of the rules
 * that it leads to, token by token.
 */


#include <string.h>

#include "og_patch_op.h"


/* A reference token, unescaped. */
typedef struct {
    const unsigned char  *data;
    size_t                len;
    int                   is_last;
} og_patch_token_t;


static const char *og_patch_follow(og_scanner_t *s, og_patch_target_t *target,
    unsigned char *p, unsigned char *end);
static const char *og_patch_token(og_patch_token_t *token, unsigned char *p,
    const unsigned char *end);
static const char *og_patch_step(og_scanner_t *s,
    const og_patch_target_t *target, const og_patch_token_t *token);
static int og_patch_tells_elements(og_scanner_t *s);
static int og_patch_may_be_index(const og_patch_token_t *token);
static int og_patch_is_index(const og_patch_token_t *token);


static const char  og_patch_no_memory[] = "no memory";
static const char  og_patch_which_element[] =
    "rules tell elements by their index, and which one is meant is open";


int
og_patch_go(og_scanner_t *s, const og_place_t *root, const og_patch_op_t *op,
    og_patch_target_t *target)
{
    size_t               start;
    ptrdiff_t            len;
    const char          *wrong;
    og_json_raw_name_t   raw;

    if (target->pointer->type != OG_JSON_STRING) {
        return og_patch_fail(s, op, target->member, target->pointer->data,
                             "no JSON Pointer");
    }

    raw.data = target->pointer->data + 1;
    raw.len = target->pointer->len - 2;

    len = og_json_text_unescape(&s->name, raw);

    if (len == -1) {
        (void) og_scanner_no_memory(s);
        return -1;
    }

    s->place = *root;
    og_paths_clear(&s->base);
    start = og_paths_begin(&s->base);

    wrong = og_patch_follow(s, target, s->name.data, s->name.data + len);

    og_paths_end(&s->base, start);

    if (wrong == og_patch_no_memory) {
        (void) og_scanner_no_memory(s);
        return -1;
    }

    return (wrong == NULL)
           ? 0 : og_patch_fail(s, op, target->member, target->pointer->data,
                               wrong);
}


/* Returns what is wrong, or NULL. */
static const char *
og_patch_follow(og_scanner_t *s, og_patch_target_t *target, unsigned char *p,
    unsigned char *end)
{
    const char        *wrong;
    unsigned char     *slash;
    og_patch_token_t   token;

    if (p < end && *p != '/') {
        return "no JSON Pointer";
    }

    while (p < end) {

        if (target->ntokens++ == s->rules->max_depth) {
            return "nested too deep";
        }

        p++;
        slash = memchr(p, '/', (size_t) (end - p));
        slash = (slash != NULL) ? slash : end;

        token.is_last = (slash == end);
        wrong = og_patch_token(&token, p, slash);

        if (wrong == NULL && s->rules->fields != NULL) {
            wrong = og_patch_step(s, target, &token);
        }

        if (wrong != NULL) {
            return wrong;
        }

        og_paths_plain(&s->base, token.data, token.len);
        p = slash;
    }

    return NULL;
}


/* Unescapes what stands between two slashes, in place. */
static const char *
og_patch_token(og_patch_token_t *token, unsigned char *p,
    const unsigned char *end)
{
    unsigned char  *out;

    out = p;
    token->data = p;

    for ( /* void */ ; p < end; p++) {

        if (*p == '\0') {
            return "a name has a NUL";
        }

        if (*p == '~') {
            p++;

            if (p == end || (*p != '0' && *p != '1')) {
                return "\"~\" in a pointer is followed by 0 or 1 only";
            }

            *out++ = (*p == '0') ? '~' : '/';
            continue;
        }

        *out++ = *p;
    }

    token->len = (size_t) (out - token->data);

    /* a library that takes pointers for paths drops these */

    if (token->len == 0
        || (token->len <= 2 && memcmp(token->data, "..", token->len) == 0))
    {
        return "a pointer has an empty name";
    }

    return NULL;
}


static const char *
og_patch_step(og_scanner_t *s, const og_patch_target_t *target,
    const og_patch_token_t *token)
{
    int         told;
    og_place_t  parent;

    parent = s->place;

    /*
     * Where rules tell elements by their index, each must keep it.  To some
     * libraries "00", "+0" or "-1" are indices, and any name is one where an
     * element comes or goes.
     */

    if ((token->is_last && target->moves)
        || (og_patch_may_be_index(token) && !og_patch_is_index(token)))
    {
        told = og_patch_tells_elements(s);

        if (told != 0) {
            return (told == -1) ? og_patch_no_memory : og_patch_which_element;
        }
    }

    switch (og_fields_token(s->rules->fields, &s->walk, &parent, token->data,
                            token->len, &s->place))
    {
    case 0:
        return NULL;

    case 1:
        return og_patch_which_element;

    default:
        return og_patch_no_memory;
    }
}


/* Whether it matters in which element of the array at hand something is. */
static int
og_patch_tells_elements(og_scanner_t *s)
{
    og_place_t  element;

    if (og_fields_elements_are_alike(s->rules->fields, &s->walk, &s->place)) {
        return 0;
    }

    return og_fields_token(s->rules->fields, &s->walk, &s->place,
                           (const unsigned char *) "-", 1, &element);
}


static int
og_patch_may_be_index(const og_patch_token_t *token)
{
    unsigned char  c;

    c = token->data[0];

    return c < 'A' || c >= 0x80;
}


/* RFC 6901 section 4: decimal, no leading zeros. */
static int
og_patch_is_index(const og_patch_token_t *token)
{
    size_t  i;

    for (i = 0; i < token->len; i++) {

        if (token->data[i] < '0' || token->data[i] > '9') {
            return 0;
        }
    }

    return token->len == 1 || token->data[0] != '0';
}
