
/*
 * Copyright (C) order guard contributors
 *
 * Reading a format.  It is kept as its bytes, with holes where parts of an
 * error go, because no number survives a trip through a C type.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "og_format_parts.h"
#include "og_grow.h"


/* An index in a pointer, with its slash and a NUL. */
#define OG_FORMAT_MAX_INDEX          (sizeof("/16384") + 1)

/* A pointer may have an escape for each byte, and an index for each level. */
#define OG_FORMAT_POINTER_SIZE(len)                                           \
    (2 * (len) + OG_FORMAT_MAX_DEPTH * OG_FORMAT_MAX_INDEX)


typedef struct {
    og_format_t          *format;
    const unsigned char  *p;          /* what is read next */
    const unsigned char  *end;
    char                 *pointer;    /* of the value that is being read */
    size_t                pointer_len;
    size_t                levels;     /* around it */
    unsigned char        *name;       /* room for one, unescaped */
    const char           *error;
} og_format_reader_t;


static int og_format_check(const unsigned char *text, size_t len,
    const char **error, size_t *offset);
static int og_format_read(og_format_t *format, const unsigned char *text,
    size_t len, const char **error, size_t *offset);
static int og_format_value(og_format_reader_t *reader);
static int og_format_container(og_format_reader_t *reader,
    og_json_type_e type);
static void og_format_enter_member(og_format_reader_t *reader);
static void og_format_enter_element(og_format_reader_t *reader, size_t n);
static int og_format_string(og_format_reader_t *reader);
static int og_format_scalar(og_format_reader_t *reader);
static const unsigned char *og_format_string_end(const unsigned char *p);
static og_format_part_e og_format_part_of(const unsigned char *text,
    size_t len, const char **error);
static int og_format_has(const unsigned char *text, size_t len,
    const char *name);
static int og_format_add_hole(og_format_reader_t *reader,
    og_format_part_e part);
static int og_format_add_leaf(og_format_reader_t *reader,
    og_format_part_e part, og_json_type_e type, size_t start);
static void og_format_copy(og_format_reader_t *reader,
    const unsigned char *end);
static void og_format_skip(og_format_reader_t *reader);


static const char *const  og_format_part_names[OG_FORMAT_PARTS] = {
    "$status", "$code", "$message", "$details", "$trace_id", "$origin",
    "$retryable", "$safe_new_key"
};


static const char  og_format_no_memory[] = "memory is short";


og_format_t *
og_format_create(const unsigned char *text, size_t len, const char **error,
    size_t *offset)
{
    og_format_t  *format;

    if (og_format_check(text, len, error, offset) != 0) {
        return NULL;
    }

    format = calloc(1, sizeof(og_format_t));

    if (format == NULL) {
        *error = og_format_no_memory;
        return NULL;
    }

    if (og_format_read(format, text, len, error, offset) != 0) {
        og_format_free(format);
        return NULL;
    }

    return format;
}


void
og_format_free(og_format_t *format)
{
    size_t  i;

    for (i = 0; i < format->nleaves; i++) {
        free(format->leaves[i].pointer);
    }

    free(format->leaves);
    free(format->holes);
    free(format->text);
    free(format);
}


int
og_format_says_what(const og_format_t *format)
{
    size_t  i;

    for (i = 0; i < format->nholes; i++) {
        if (format->holes[i].part == OG_FORMAT_CODE
            || format->holes[i].part == OG_FORMAT_MESSAGE)
        {
            return 1;
        }
    }

    return 0;
}


const char *
og_format_code_place(const og_format_t *format)
{
    size_t  i;

    for (i = 0; i < format->nleaves; i++) {
        if (format->leaves[i].part == OG_FORMAT_CODE) {
            return format->leaves[i].pointer;
        }
    }

    return NULL;
}


static int
og_format_check(const unsigned char *text, size_t len, const char **error,
    size_t *offset)
{
    og_scanner_t            *json;
    og_body_rules_t          rules;
    const og_body_result_t  *result;

    *offset = 0;
    *error = NULL;

    if (len > OG_FORMAT_MAX_SIZE) {
        *error = "it is longer than 16384 bytes";
        return -1;
    }

    json = og_scanner_create();

    if (json == NULL) {
        *error = og_format_no_memory;
        return -1;
    }

    memset(&rules, 0, sizeof(rules));
    rules.max_depth = OG_FORMAT_MAX_DEPTH;

    result = og_json_scan(json, &rules, text, len);

    if (result->status != OG_BODY_OK) {
        *error = result->message ? result->message : og_format_no_memory;
        *offset = result->offset;

    } else if (og_json_find(text, len, "", 0).type != OG_JSON_OBJECT) {
        *error = "it must be an object";
    }

    og_scanner_free(json);

    return *error ? -1 : 0;
}


static int
og_format_read(og_format_t *format, const unsigned char *text, size_t len,
    const char **error, size_t *offset)
{
    int                 rc;
    og_format_reader_t  reader;

    memset(&reader, 0, sizeof(reader));

    reader.format = format;
    reader.p = text;
    reader.end = text + len;
    reader.error = og_format_no_memory;
    reader.pointer = malloc(OG_FORMAT_POINTER_SIZE(len));
    reader.name = malloc(len);
    format->text = malloc(len);

    rc = -1;

    if (reader.pointer && reader.name && format->text) {
        og_format_skip(&reader);
        rc = og_format_value(&reader);
    }

    *error = reader.error;
    *offset = (size_t) (reader.p - text);

    free(reader.pointer);
    free(reader.name);

    return rc;
}


/* It has been scanned: what is not looked at here is there. */

static int
og_format_value(og_format_reader_t *reader)
{
    switch (*reader->p) {

    case '{':
        return og_format_container(reader, OG_JSON_OBJECT);

    case '[':
        return og_format_container(reader, OG_JSON_ARRAY);

    case '"':
        return og_format_string(reader);

    default:
        return og_format_scalar(reader);
    }
}


static int
og_format_container(og_format_reader_t *reader, og_json_type_e type)
{
    size_t         n, outer, start;
    unsigned char  last;

    start = reader->format->len;
    outer = reader->pointer_len;
    last = *reader->p;

    reader->levels++;

    og_format_copy(reader, reader->p + 1);
    og_format_skip(reader);

    if (*reader->p == ']' || *reader->p == '}') {
        og_format_copy(reader, reader->p + 1);
        reader->levels--;
        return og_format_add_leaf(reader, OG_FORMAT_LITERAL, type, start);
    }

    if (og_format_add_leaf(reader, OG_FORMAT_AROUND, type, start) != 0) {
        return -1;
    }

    for (n = 0; last != ']' && last != '}'; n++) {

        if (type == OG_JSON_OBJECT) {
            og_format_enter_member(reader);

        } else {
            og_format_enter_element(reader, n);
        }

        if (og_format_value(reader) != 0) {
            return -1;
        }

        reader->pointer_len = outer;

        og_format_skip(reader);
        last = *reader->p;
        og_format_copy(reader, reader->p + 1);
        og_format_skip(reader);
    }

    reader->levels--;

    return 0;
}


/* Names are escaped as RFC 6901, section 3, asks for. */

static void
og_format_enter_member(og_format_reader_t *reader)
{
    char                 *dst;
    unsigned char        *p, *end;
    const unsigned char  *name_end;

    name_end = og_format_string_end(reader->p);
    end = og_json_unescape(reader->name, reader->p,
                           (size_t) (name_end - reader->p));
    dst = reader->pointer + reader->pointer_len;

    *dst++ = '/';

    for (p = reader->name; p < end; p++) {

        switch (*p) {

        case '~':
            *dst++ = '~';
            *dst++ = '0';
            break;

        case '/':
            *dst++ = '~';
            *dst++ = '1';
            break;

        default:
            *dst++ = (char) *p;
        }
    }

    reader->pointer_len = (size_t) (dst - reader->pointer);

    og_format_copy(reader, name_end);
    og_format_skip(reader);
    og_format_copy(reader, reader->p + 1);
    og_format_skip(reader);
}


static void
og_format_enter_element(og_format_reader_t *reader, size_t n)
{
    reader->pointer_len += (size_t) snprintf(reader->pointer
                                             + reader->pointer_len,
                                             OG_FORMAT_MAX_INDEX, "/%zu", n);
}


static int
og_format_string(og_format_reader_t *reader)
{
    size_t                start;
    og_format_part_e      part;
    const char           *error;
    const unsigned char  *end;

    end = og_format_string_end(reader->p);
    error = NULL;

    part = og_format_part_of(reader->p + 1, (size_t) (end - reader->p) - 2,
                             &error);

    if (error) {
        reader->error = error;
        return -1;
    }

    start = reader->format->len;

    if (part == OG_FORMAT_LITERAL) {
        og_format_copy(reader, end);

    } else {
        reader->p = end;

        if (og_format_add_hole(reader, part) != 0) {
            return -1;
        }
    }

    return og_format_add_leaf(reader, part, OG_JSON_STRING, start);
}


static int
og_format_scalar(og_format_reader_t *reader)
{
    size_t                start;
    og_json_type_e        type;
    const unsigned char  *end;

    switch (*reader->p) {

    case 't':
        type = OG_JSON_TRUE;
        break;

    case 'f':
        type = OG_JSON_FALSE;
        break;

    case 'n':
        type = OG_JSON_NULL;
        break;

    default:
        type = OG_JSON_NUMBER;
    }

    /* it stands in a container, which has an end */

    for (end = reader->p; strchr(" \t\r\n,]}", *end) == NULL; end++) {
        /* void */
    }

    start = reader->format->len;
    og_format_copy(reader, end);

    return og_format_add_leaf(reader, OG_FORMAT_LITERAL, type, start);
}


static const unsigned char *
og_format_string_end(const unsigned char *p)
{
    for (p++; *p != '"'; p++) {
        if (*p == '\\') {
            p++;
        }
    }

    return p + 1;
}


/* *error is set where somebody has meant a part. */

static og_format_part_e
og_format_part_of(const unsigned char *text, size_t len, const char **error)
{
    size_t       i;
    const char  *name;

    for (i = 0; i < OG_FORMAT_PARTS; i++) {

        name = og_format_part_names[i];

        if (len == strlen(name) && memcmp(text, name, len) == 0) {
            return (og_format_part_e) i;
        }

        if (og_format_has(text, len, name)) {
            *error = "a part of an error must be the whole string";
        }
    }

    if (*error == NULL && len && text[0] == '$') {
        *error = "this is no part of an error: \"$status\", \"$code\", "
                 "\"$message\", \"$details\", \"$trace_id\", \"$origin\", "
                 "\"$retryable\" and \"$safe_new_key\" are";
    }

    return OG_FORMAT_LITERAL;
}


static int
og_format_has(const unsigned char *text, size_t len, const char *name)
{
    size_t  i, size;

    size = strlen(name);

    for (i = 0; i + size <= len; i++) {
        if (memcmp(text + i, name, size) == 0) {
            return 1;
        }
    }

    return 0;
}


static int
og_format_add_hole(og_format_reader_t *reader, og_format_part_e part)
{
    og_format_t       *format;
    og_format_hole_t  *holes;

    format = reader->format;

    if (format->nholes == format->holes_alloc) {
        holes = og_grow(format->holes, &format->holes_alloc,
                        format->nholes + 1, sizeof(og_format_hole_t));
        if (holes == NULL) {
            return -1;
        }

        format->holes = holes;
    }

    if (part == OG_FORMAT_DETAILS && format->levels < reader->levels) {
        format->levels = reader->levels;
    }

    format->holes[format->nholes].at = format->len;
    format->holes[format->nholes].part = part;
    format->nholes++;

    return 0;
}


/* A literal's bytes are those of the format's text from start on. */

static int
og_format_add_leaf(og_format_reader_t *reader, og_format_part_e part,
    og_json_type_e type, size_t start)
{
    og_format_t       *format;
    og_format_leaf_t  *leaf, *leaves;

    format = reader->format;

    if (format->nleaves == format->leaves_alloc) {
        leaves = og_grow(format->leaves, &format->leaves_alloc,
                         format->nleaves + 1, sizeof(og_format_leaf_t));
        if (leaves == NULL) {
            return -1;
        }

        format->leaves = leaves;
    }

    leaf = &format->leaves[format->nleaves];

    leaf->part = part;
    leaf->value.type = type;
    leaf->value.data = (unsigned char *) format->text + start;
    leaf->value.len = format->len - start;
    leaf->pointer = malloc(reader->pointer_len + 1);

    if (leaf->pointer == NULL) {
        return -1;
    }

    memcpy(leaf->pointer, reader->pointer, reader->pointer_len);
    leaf->pointer[reader->pointer_len] = '\0';
    format->nleaves++;

    return 0;
}


static void
og_format_copy(og_format_reader_t *reader, const unsigned char *end)
{
    size_t  len;

    len = (size_t) (end - reader->p);

    memcpy(reader->format->text + reader->format->len, reader->p, len);

    reader->format->len += len;
    reader->p = end;
}


/* Behind the last value the text may end. */

static void
og_format_skip(og_format_reader_t *reader)
{
    while (reader->p < reader->end
           && (*reader->p == ' ' || *reader->p == '\t'
               || *reader->p == '\r' || *reader->p == '\n'))
    {
        reader->p++;
    }
}
