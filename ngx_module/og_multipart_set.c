
/*
 * Copyright (C) order guard contributors
 *
 * Fields of a multipart body that the gateway writes.  Functions return -1
 * where a field has no place.
 */


#include <stdint.h>
#include <string.h>

#include "og_form_name.h"
#include "og_multipart.h"
#include "og_part.h"
#include "og_set_text.h"


typedef struct {
    unsigned char        *body;
    size_t                len;
    const og_media_t     *media;
    og_parts_t            parts;      /* for its delimiter */
} og_multipart_writer_t;


/* What there is on the way to a field. */
typedef enum {
    OG_MULTIPART_FREE = 0,
    OG_MULTIPART_JSON,        /* one part, which the field is a member of */
    OG_MULTIPART_TAKEN        /* text, or more than one part */
} og_multipart_way_e;


static int og_multipart_has_home(const og_home_t *homes, size_t nhomes,
    size_t set);
static size_t og_multipart_last(const og_multipart_writer_t *writer);
static int og_multipart_put_part(og_multipart_writer_t *writer, size_t at,
    const og_set_t *set);
static og_multipart_way_e og_multipart_way(
    const og_multipart_writer_t *writer, const og_set_t *set,
    og_part_t *found, og_set_path_t *rest);
static int og_multipart_leads(og_text_t name, og_set_path_t *path);
static int og_multipart_is_token(og_set_token_t token,
    const unsigned char *p, size_t len);
static unsigned char *og_multipart_part(unsigned char *dst,
    const og_parts_t *parts, const og_set_t *set);
static unsigned char *og_multipart_name(unsigned char *dst,
    const og_set_t *set);
static unsigned char *og_multipart_token(unsigned char *dst,
    og_set_token_t token);
static unsigned char *og_multipart_append(unsigned char *dst,
    const void *data, size_t len);
static int og_multipart_put_member(og_multipart_writer_t *writer,
    const og_set_t *set);
static void og_multipart_open(og_multipart_writer_t *writer, size_t at,
    size_t room);
static void og_multipart_close(og_multipart_writer_t *writer, size_t at,
    size_t room, size_t used);


const og_set_t *
og_multipart_set(unsigned char *body, size_t *len, const og_media_t *media,
    const og_home_t *homes, size_t nhomes, const og_set_t *sets,
    size_t nsets)
{
    size_t                 i;
    const og_set_t        *set;
    og_multipart_writer_t  writer;

    writer.body = body;
    writer.len = *len;
    writer.media = media;
    og_parts_begin(&writer.parts, media, body, *len);

    /* from the end on, so that no home moves before it is used */

    for (i = nhomes; i > 0; i--) {
        set = &sets[homes[i - 1].set];

        if (og_multipart_put_part(&writer, homes[i - 1].at, set) != 0) {
            return set;
        }
    }

    for (i = 0; i < nsets; i++) {

        if (!og_multipart_has_home(homes, nhomes, i)
            && og_multipart_put_part(&writer, og_multipart_last(&writer),
                                     &sets[i])
               != 0)
        {
            return &sets[i];
        }
    }

    for (i = 0; i < nsets; i++) {

        if (og_multipart_put_member(&writer, &sets[i]) != 0) {
            return &sets[i];
        }
    }

    *len = writer.len;

    return NULL;
}


static int
og_multipart_has_home(const og_home_t *homes, size_t nhomes, size_t set)
{
    size_t  i;

    for (i = 0; i < nhomes && homes[i].set != set; i++) { /* void */ }

    return i < nhomes;
}


/* Where the last delimiter is. */
static size_t
og_multipart_last(const og_multipart_writer_t *writer)
{
    size_t  at;

    at = writer->len;

    if (writer->body[at - 1] == '\n') {
        at -= sizeof("\r\n") - 1;
    }

    return at - (sizeof("--") - 1) - writer->parts.delimiter_len;
}


/* Writes a part of its own, unless the field is a member of another one. */
static int
og_multipart_put_part(og_multipart_writer_t *writer, size_t at,
    const og_set_t *set)
{
    size_t               room, n;
    og_part_t            part;
    og_set_path_t        rest;
    unsigned char       *start, *end;
    og_multipart_way_e   way;

    if (set->value_len == 0) {
        return 0;
    }

    way = og_multipart_way(writer, set, &part, &rest);

    if (way != OG_MULTIPART_FREE) {
        return (way == OG_MULTIPART_JSON) ? 0 : -1;
    }

    room = og_set_room(set, 1);
    og_multipart_open(writer, at, room);

    start = writer->body + at;
    end = og_multipart_part(start, &writer->parts, set);

    if (end == NULL) {
        return -1;
    }

    n = writer->parts.delimiter_len;

    if (og_parts_find(&writer->parts, start + n, (size_t) (end - start) - n)
        != NULL)
    {
        return -1;
    }

    og_multipart_close(writer, at, room, (size_t) (end - start));

    return 0;
}


/* Finds the part that the field is a member of, and its pointer in there. */
static og_multipart_way_e
og_multipart_way(const og_multipart_writer_t *writer, const og_set_t *set,
    og_part_t *found, og_set_path_t *rest)
{
    og_part_t           part;
    og_parts_t          parts;
    og_set_path_t       path;
    og_multipart_way_e  way;

    way = OG_MULTIPART_FREE;

    path = og_set_path(set);
    (void) og_set_path_next(&path);

    if (og_set_path_is_done(&path)) {
        return way;
    }

    og_parts_begin(&parts, writer->media, writer->body, writer->len);

    while (og_parts_next(&parts, &part) == 1) {
        path = og_set_path(set);

        if (!og_multipart_leads(part.name, &path)) {
            continue;
        }

        if (part.media.type != OG_MEDIA_JSON || way != OG_MULTIPART_FREE) {
            return OG_MULTIPART_TAKEN;
        }

        way = OG_MULTIPART_JSON;
        *found = part;
        *rest = path;
    }

    return way;
}


/*
 * Takes the tokens of a name off path.  Returns 0 where they are not its
 * first ones, or all of them.
 */
static int
og_multipart_leads(og_text_t name, og_set_path_t *path)
{
    const unsigned char  *p, *end, *token;

    end = name.data + name.len;

    for (p = name.data; p < end; p++) {
        token = p;

        while (p < end && *p != '.' && *p != '[' && *p != ']') {
            p++;
        }

        if (p == token) {

            /* "[]" is an element of whatever index */

            if (*p == ']' && p > name.data && p[-1] == '[') {
                return 0;
            }

            continue;
        }

        if (og_set_path_is_done(path)
            || !og_multipart_is_token(og_set_path_next(path), token,
                                      (size_t) (p - token)))
        {
            return 0;
        }
    }

    return !og_set_path_is_done(path);
}


static int
og_multipart_is_token(og_set_token_t token, const unsigned char *p,
    size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (og_set_token_byte(&token) != p[i]) {
            return 0;
        }
    }

    return og_set_token_byte(&token) == -1;
}


/* NULL where the field has a name that no part may have. */
static unsigned char *
og_multipart_part(unsigned char *dst, const og_parts_t *parts,
    const og_set_t *set)
{
    unsigned char      *name;
    static const char   header[] =
        "\r\nContent-Disposition: form-data; name=\"";

    dst = og_multipart_append(dst, parts->delimiter, parts->delimiter_len);
    dst = og_multipart_append(dst, header, sizeof(header) - 1);

    name = dst;
    dst = og_multipart_name(dst, set);

    if (dst == NULL
        || og_form_name_wrong(OG_FORM_BODY, name, (size_t) (dst - name),
                              SIZE_MAX)
           != NULL)
    {
        return NULL;
    }

    dst = og_multipart_append(dst, "\"\r\n\r\n", sizeof("\"\r\n\r\n") - 1);
    dst = og_multipart_append(dst, set->value, set->value_len);

    return og_multipart_append(dst, "\r\n", sizeof("\r\n") - 1);
}


/* "a[b]" */
static unsigned char *
og_multipart_name(unsigned char *dst, const og_set_t *set)
{
    og_set_path_t   path;
    unsigned char  *token;

    path = og_set_path(set);
    dst = og_multipart_token(dst, og_set_path_next(&path));

    while (!og_set_path_is_done(&path)) {
        *dst++ = '[';
        token = dst;
        dst = og_multipart_token(dst, og_set_path_next(&path));

        /* which may lead elsewhere */

        if (memchr(token, '.', (size_t) (dst - token)) != NULL) {
            return NULL;
        }

        *dst++ = ']';
    }

    return dst;
}


static unsigned char *
og_multipart_token(unsigned char *dst, og_set_token_t token)
{
    int  c;

    while ((c = og_set_token_byte(&token)) != -1) {
        *dst++ = (unsigned char) c;
    }

    return dst;
}


static unsigned char *
og_multipart_append(unsigned char *dst, const void *data, size_t len)
{
    memcpy(dst, data, len);

    return dst + len;
}


/* Writes a member of the part that is JSON, if there is one for the field. */
static int
og_multipart_put_member(og_multipart_writer_t *writer, const og_set_t *set)
{
    size_t          at, len, room, line;
    og_set_t        member;
    og_part_t       part;
    og_set_path_t   rest;
    unsigned char  *content;

    if (set->value_len == 0
        || og_multipart_way(writer, set, &part, &rest) != OG_MULTIPART_JSON)
    {
        return 0;
    }

    at = (size_t) (part.content - writer->body);
    len = (size_t) (part.end - part.content);

    if (part.length.len > 0) {
        line = (size_t) (part.length_line.data - writer->body);
        og_multipart_close(writer, line, part.length_line.len, 0);
        at -= part.length_line.len;
    }

    member = *set;
    member.field = (const char *) rest.p;
    member.field_len = (size_t) (rest.end - rest.p);

    room = og_set_room(&member, 1);
    content = writer->body + at;
    at += len;

    og_multipart_open(writer, at, room);

    if (og_json_set(content, &len, NULL, 0, &member, 1) != NULL
        || og_parts_find(&writer->parts, content, len) != NULL)
    {
        return -1;
    }

    og_multipart_close(writer, at, room,
                       (size_t) (content - writer->body) + len - at);

    return 0;
}


/* Makes room bytes of room. */
static void
og_multipart_open(og_multipart_writer_t *writer, size_t at, size_t room)
{
    unsigned char  *p;

    p = writer->body + at;

    memmove(p + room, p, writer->len - at);
    writer->len += room;
}


/* Takes back what of that is not used. */
static void
og_multipart_close(og_multipart_writer_t *writer, size_t at, size_t room,
    size_t used)
{
    unsigned char  *p;

    p = writer->body + at;

    memmove(p + used, p + room, writer->len - at - room);
    writer->len -= room - used;
}
