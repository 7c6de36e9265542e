
/*
 * Copyright (C) order guard contributors
 *
 * The pass over a form: one field after the other.  Functions return NULL to
 * stop, and else where the field ends.
 */


#include <string.h>

#include "og_form.h"
#include "og_form_name.h"
#include "og_grow.h"
#include "og_scanner.h"


/* What a form has had so far: tells which separators go. */
typedef enum {
    OG_FORM_HAD_NOTHING = 0,
    OG_FORM_HAD_CUT,          /* the last range is of fields that lead it */
    OG_FORM_HAD_KEPT
} og_form_had_e;


/*
 * How what is kept looks since the last "&" to those who do not stop at ";":
 * to many, and to some not even at the first "=", but at the first "]=".
 */
typedef enum {
    OG_FORM_PLAIN = 0,
    OG_FORM_PATH,             /* another path would make it longer */
    OG_FORM_NAMED_PATH,       /* the same, if that ends in "]=" */
    OG_FORM_ENDED             /* the "]=" has been */
} og_form_look_e;


typedef struct {
    og_scanner_t         *scanner;
    og_form_kind_e        kind;
    og_place_t            root;
    og_form_field_t       field;      /* at hand */
    const unsigned char  *separator;  /* in front of it, in what is kept */
    int                   stays;      /* it is in front of the next one, too */
    og_form_had_e         had;
    og_form_look_e        look;
} og_form_pass_t;


static void og_form_fields(og_form_pass_t *pass);
static const unsigned char *og_form_take(og_form_pass_t *pass);
static const unsigned char *og_form_name(og_form_pass_t *pass,
    const unsigned char **name, size_t *len);
static const unsigned char *og_form_name_decode(og_form_pass_t *pass,
    size_t *len);
static const unsigned char *og_form_judge(og_form_pass_t *pass,
    const unsigned char *name, size_t len);
static const unsigned char *og_form_home(og_form_pass_t *pass);
static const unsigned char *og_form_cut(og_form_pass_t *pass);
static const unsigned char *og_form_cut_behind(og_form_pass_t *pass);
static const unsigned char *og_form_stay(og_form_pass_t *pass,
    const unsigned char *name, size_t len);
static int og_form_is_clear(og_form_pass_t *pass, const unsigned char *name,
    size_t len);
static int og_form_value_is_path(const og_form_pass_t *pass);
static int og_form_value_ends(const og_form_field_t *field);
static const unsigned char *og_form_keep(og_form_pass_t *pass);
static const unsigned char *og_form_fail(og_form_pass_t *pass,
    const char *message);
static int og_form_name_is(const og_form_field_t *field, const char *name,
    size_t len);


const og_body_result_t *
og_form_scan(og_scanner_t *scanner, const og_body_rules_t *rules,
    og_form_kind_e kind, const unsigned char *data, size_t len)
{
    og_form_pass_t  pass;

    if (og_scanner_begin(scanner, rules, data, len) == 0) {
        memset(&pass, 0, sizeof(og_form_pass_t));
        pass.scanner = scanner;
        pass.kind = kind;
        pass.root = scanner->place;

        og_form_fields(&pass);
    }

    return og_scanner_finish(scanner);
}


static void
og_form_fields(og_form_pass_t *pass)
{
    const unsigned char  *p, *end;

    p = pass->scanner->data;
    end = pass->scanner->end;

    for ( ;; ) {
        pass->field = og_form_field(p, end);

        p = og_form_take(pass);

        if (p == NULL || p == end) {
            return;
        }

        if (*p == '&') {
            pass->look = OG_FORM_PLAIN;
        }

        if (!pass->stays) {
            pass->separator = p;
        }

        pass->stays = 0;
        p++;
    }
}


static const unsigned char *
og_form_take(og_form_pass_t *pass)
{
    size_t                len;
    og_scanner_t         *s;
    const unsigned char  *name;

    if (pass->field.name == pass->field.end) {
        return og_form_keep(pass);
    }

    if (og_form_name(pass, &name, &len) == NULL) {
        return NULL;
    }

    s = pass->scanner;

    if (s->rules->fields == NULL) {
        return og_form_stay(pass, name, len);
    }

    switch (og_fields_field(s->rules->fields, &s->walk, &pass->root, name,
                            len, &s->place))
    {

    case 0:
        return og_form_judge(pass, name, len);

    case 1:
        return og_form_fail(pass, og_form_in(pass->kind,
                                             "an index that is missing"));

    default: /* -1 */
        return og_scanner_no_memory(s);
    }
}


/* Finds the name of the field at hand, decoded, and sees that it is one. */
static const unsigned char *
og_form_name(og_form_pass_t *pass, const unsigned char **name, size_t *len)
{
    const char       *wrong;
    og_form_field_t  *field;

    field = &pass->field;

    *name = field->name;
    *len = (size_t) (field->name_end - field->name);

    if (memchr(*name, '%', *len) != NULL) {
        *name = og_form_name_decode(pass, len);

        if (*name == NULL) {
            return NULL;
        }
    }

    wrong = og_form_name_wrong(pass->kind, *name, *len,
                               pass->scanner->rules->max_depth);

    return wrong ? og_form_fail(pass, wrong) : field->end;
}


static const unsigned char *
og_form_name_decode(og_form_pass_t *pass, size_t *len)
{
    void                 *grown;
    og_json_text_t       *text;
    const unsigned char  *end;

    text = &pass->scanner->name;

    if (*len > text->alloc) {
        grown = og_grow(text->data, &text->alloc, *len, 1);
        if (grown == NULL) {
            return og_scanner_no_memory(pass->scanner);
        }

        text->data = grown;
    }

    end = og_form_decode(text->data, pass->field.name, *len);
    if (end == NULL) {
        return og_form_fail(pass, og_form_in(pass->kind,
                                             "% without two hex digits"));
    }

    *len = (size_t) (end - text->data);

    return text->data;
}


static const unsigned char *
og_form_judge(og_form_pass_t *pass, const unsigned char *name, size_t len)
{
    og_scanner_t        *s;
    og_field_verdict_e   verdict;

    s = pass->scanner;
    verdict = og_fields_judge(&s->place, 0);

    if (verdict == OG_FIELD_UNLISTED && s->rules->reject_unlisted) {
        verdict = OG_FIELD_REJECTED;
    }

    switch (verdict) {

    case OG_FIELD_STRIPPED:
    case OG_FIELD_UNLISTED:
        og_form_name_list(&s->stripped, name, len);

        return (og_form_home(pass) != NULL) ? og_form_cut(pass) : NULL;

    case OG_FIELD_REJECTED:
        og_form_name_list(&s->rejected, name, len);
        s->status = OG_BODY_FORBIDDEN;
        break;

    case OG_FIELD_PASSES:
    case OG_FIELD_STRAY:
        break;
    }

    return og_form_stay(pass, name, len);
}


/* Where the field at hand stood, in case the gateway writes it. */
static const unsigned char *
og_form_home(og_form_pass_t *pass)
{
    return (pass->had == OG_FORM_HAD_KEPT)
           ? og_scanner_home(pass->scanner, pass->separator, 1)
           : og_scanner_home(pass->scanner, pass->field.name, 0);
}


static const unsigned char *
og_form_cut(og_form_pass_t *pass)
{
    const unsigned char  *end;

    end = pass->field.end;

    switch (pass->had) {

    case OG_FORM_HAD_NOTHING:
        pass->had = OG_FORM_HAD_CUT;
        break;

    case OG_FORM_HAD_CUT:
        og_scanner_last_cut(pass->scanner)->end =
                                       (size_t) (end - pass->scanner->data);
        return end;

    case OG_FORM_HAD_KEPT:
        return og_form_cut_behind(pass);
    }

    return og_scanner_cut(pass->scanner, pass->field.name, end);
}


/*
 * The field at hand goes, behind one that stays, with the separator between
 * them; or with a ";" behind it where that is an "&": to many, a ";" is part
 * of a value, and would make what follows part of the one that stays.
 */
static const unsigned char *
og_form_cut_behind(og_form_pass_t *pass)
{
    og_range_t           *last;
    og_scanner_t         *s;
    const unsigned char  *end;

    s = pass->scanner;
    end = pass->field.end;

    if (*pass->separator == '&' && end < s->end && *end == ';') {
        pass->stays = 1;
        return og_scanner_cut(s, pass->field.name, end + 1) ? end : NULL;
    }

    if (pass->separator + 1 == pass->field.name) {
        return og_scanner_cut(s, pass->separator, end);
    }

    /* fields in front of this one have left it theirs */

    last = og_scanner_last_cut(s);
    last->start = (size_t) (pass->separator - s->data);
    last->end = (size_t) (end - s->data);

    return end;
}


static const unsigned char *
og_form_stay(og_form_pass_t *pass, const unsigned char *name, size_t len)
{
    if (!og_form_is_clear(pass, name, len)) {
        return og_form_fail(pass, og_form_in(pass->kind,
                                             "]= that may end a name"));
    }

    return og_form_keep(pass);
}


/*
 * Whether all parsers agree on where the name ends.  Some look for "]=", be
 * it escaped or not, and so go on behind an "=" or a ";".
 */
static int
og_form_is_clear(og_form_pass_t *pass, const unsigned char *name, size_t len)
{
    int               in_brackets, is_path, is_named;
    og_form_field_t  *field;

    if (pass->look == OG_FORM_ENDED) {
        return 1;
    }

    field = &pass->field;
    in_brackets = (memchr(name, '[', len) != NULL);
    is_path = in_brackets || memchr(name, '.', len) != NULL;
    is_named = (field->name_end < field->end);

    if ((is_path && pass->look == OG_FORM_PATH)
        || (in_brackets && pass->look == OG_FORM_NAMED_PATH))
    {
        return 0;
    }

    if (is_named && field->name_end[-1] == ']') {
        pass->look = OG_FORM_ENDED;
        return 1;
    }

    is_path |= (pass->look != OG_FORM_PLAIN) || og_form_value_is_path(pass);
    is_named |= (pass->look == OG_FORM_NAMED_PATH);

    if (is_path) {
        pass->look = is_named ? OG_FORM_NAMED_PATH : OG_FORM_PATH;
    }

    return !og_form_value_ends(field);
}


/* Whether a name that goes on behind the next ";" has parts in the value. */
static int
og_form_value_is_path(const og_form_pass_t *pass)
{
    unsigned char          c;
    const unsigned char   *p, *next;
    const og_form_field_t *field;

    field = &pass->field;

    if (field->end == pass->scanner->end || *field->end != ';') {
        return 0;
    }

    for (p = field->name_end; p < field->end; p = next) {

        next = og_form_char(p, field->end, &c);
        if (next == NULL) {
            next = p + 1;
            continue;
        }

        if (c == '.' || c == '[') {
            return 1;
        }
    }

    return 0;
}


/* Whether there is a "]=" behind the name, escaped or not. */
static int
og_form_value_ends(const og_form_field_t *field)
{
    const unsigned char  *p;

    p = field->name_end;

    while (p < field->end) {
        p = memchr(p + 1, '=', (size_t) (field->end - p) - 1);

        if (p == NULL) {
            break;
        }

        if (p[-1] == ']') {
            return 1;
        }

        if (p - field->name_end > 3 && p[-3] == '%' && p[-2] == '5'
            && (p[-1] | 0x20) == 'd')
        {
            return 1;
        }
    }

    return 0;
}


/*
 * The field at hand stays.  Fields in front of it that were all cut have
 * taken no separator with them: theirs go now.
 */
static const unsigned char *
og_form_keep(og_form_pass_t *pass)
{
    og_scanner_t  *s;

    s = pass->scanner;

    if (pass->had == OG_FORM_HAD_CUT) {
        og_scanner_last_cut(s)->end = (size_t) (pass->field.name - s->data);
    }

    pass->had = OG_FORM_HAD_KEPT;

    return pass->field.end;
}


static const unsigned char *
og_form_fail(og_form_pass_t *pass, const char *message)
{
    return og_scanner_fail(pass->scanner, pass->field.name, message);
}


unsigned char *
og_form_find(unsigned char *dst, const unsigned char *data, size_t len,
    const char *name, size_t name_len)
{
    og_form_field_t       field, found;
    const unsigned char  *p, *end;

    if (len == 0) {
        return NULL;
    }

    found.name = NULL;
    end = data + len;

    for (p = data; /* void */ ; p = field.end + 1) {
        field = og_form_field(p, end);

        if (og_form_name_is(&field, name, name_len)) {

            if (found.name != NULL) {
                return NULL;
            }

            found = field;
        }

        if (field.end == end) {
            break;
        }
    }

    if (found.name == NULL) {
        return NULL;
    }

    if (found.name_end == found.end) {
        return dst;
    }

    return og_form_decode(dst, found.name_end + 1,
                          (size_t) (found.end - found.name_end) - 1);
}


static int
og_form_name_is(const og_form_field_t *field, const char *name, size_t len)
{
    size_t                i;
    unsigned char         c;
    const unsigned char  *p;

    p = field->name;

    for (i = 0; i < len && p < field->name_end; i++) {
        p = og_form_char(p, field->name_end, &c);

        if (p == NULL || c != (unsigned char) name[i]) {
            return 0;
        }
    }

    return i == len && p == field->name_end && field->name < field->end;
}
