
/*
 * Copyright (C) order guard contributors
 *
 * The pass over a form of many parts.  Functions return not 0 to stop.
 */


#include <stdint.h>
#include <string.h>

#include "og_form_name.h"
#include "og_json_scan.h"
#include "og_json_token.h"
#include "og_multipart.h"
#include "og_part.h"
#include "og_patch.h"


typedef struct {
    og_scanner_t         *scanner;
    og_parts_t            parts;
    og_part_t             part;       /* at hand */
    og_place_t            root;
    int                   had_kept;   /* a part in front of it */
} og_multipart_pass_t;


static void og_multipart_parts(og_multipart_pass_t *pass);
static int og_multipart_part(og_multipart_pass_t *pass);
static int og_multipart_place(og_multipart_pass_t *pass);
static int og_multipart_judge(og_multipart_pass_t *pass);
static og_field_verdict_e og_multipart_verdict(
    const og_multipart_pass_t *pass);
static int og_multipart_is_nested(const og_part_t *part);
static int og_multipart_keep(og_multipart_pass_t *pass);
static int og_multipart_cut(og_multipart_pass_t *pass);
static int og_multipart_json(og_multipart_pass_t *pass, og_json_fate_e fate);
static int og_multipart_fail(og_multipart_pass_t *pass,
    og_body_status_e status, const unsigned char *at, const char *message);
static void og_multipart_list(og_scanner_t *s, og_paths_t *paths);
static unsigned char *og_multipart_copy(unsigned char *dst,
    const unsigned char *p, size_t len);


const og_body_result_t *
og_multipart_scan(og_scanner_t *scanner, const og_body_rules_t *rules,
    const og_media_t *media, const unsigned char *data, size_t len)
{
    og_multipart_pass_t  pass;

    if (og_scanner_begin(scanner, rules, data, len) == 0) {
        pass.scanner = scanner;
        pass.root = scanner->place;
        pass.had_kept = 0;
        og_parts_begin(&pass.parts, media, scanner->data, len);

        og_multipart_parts(&pass);
    }

    return og_scanner_finish(scanner);
}


static void
og_multipart_parts(og_multipart_pass_t *pass)
{
    int          more;
    og_part_t   *part;
    og_fault_t  *fault;
    og_paths_t  *base;

    part = &pass->part;
    fault = &pass->parts.fault;
    base = &pass->scanner->base;

    do {
        more = og_parts_next(&pass->parts, part);

        og_paths_clear(base);

        if (part->name.len > 0) {
            og_form_name_list(base, part->name.data, part->name.len);
        }

        if (more == -1) {
            (void) og_multipart_fail(pass, OG_BODY_MALFORMED, fault->at,
                                     fault->message);
        }

    } while (more == 1 && og_multipart_part(pass) == 0);
}


static int
og_multipart_part(og_multipart_pass_t *pass)
{
    og_part_t     *part;
    const char    *wrong;
    og_scanner_t  *s;

    s = pass->scanner;
    part = &pass->part;

    wrong = og_form_name_wrong(OG_FORM_BODY, part->name.data, part->name.len,
                               s->rules->max_depth);
    if (wrong != NULL) {
        return og_multipart_fail(pass, OG_BODY_MALFORMED, part->name.data,
                                 wrong);
    }

    if (part->media.type != OG_MEDIA_JSON && part->media.type != OG_MEDIA_TEXT
        && (part->media.type != OG_MEDIA_OPAQUE || !part->has_filename))
    {
        return og_multipart_fail(pass, OG_BODY_UNSUPPORTED, part->type.data,
                                 "a part whose type is not understood");
    }

    return (s->rules->fields != NULL) ? og_multipart_place(pass)
                                      : og_multipart_keep(pass);
}


/* Finds what the rules say of the part at hand. */
static int
og_multipart_place(og_multipart_pass_t *pass)
{
    og_part_t     *part;
    og_scanner_t  *s;

    s = pass->scanner;
    part = &pass->part;

    switch (og_fields_field(s->rules->fields, &s->walk, &pass->root,
                            part->name.data, part->name.len, &s->place))
    {

    case 0:
        return og_multipart_judge(pass);

    case 1:
        return og_multipart_fail(pass, OG_BODY_MALFORMED, part->name.data,
                                 "an index that is missing");

    default: /* -1 */
        (void) og_scanner_no_memory(s);
        return -1;
    }
}


static int
og_multipart_judge(og_multipart_pass_t *pass)
{
    og_scanner_t  *s;

    s = pass->scanner;

    switch (og_multipart_verdict(pass)) {

    case OG_FIELD_PASSES:
    case OG_FIELD_STRAY:
        break;

    case OG_FIELD_STRIPPED:
    case OG_FIELD_UNLISTED:
        og_multipart_list(s, &s->stripped);
        return og_multipart_cut(pass);

    case OG_FIELD_REJECTED:
        og_multipart_list(s, &s->rejected);
        s->status = OG_BODY_FORBIDDEN;
        s->place.listing = OG_LISTED_WITH_ALL;
        break;
    }

    return og_multipart_keep(pass);
}


static og_field_verdict_e
og_multipart_verdict(const og_multipart_pass_t *pass)
{
    og_scanner_t        *s;
    og_field_verdict_e   verdict;

    s = pass->scanner;
    verdict = og_fields_judge(&s->place, og_multipart_is_nested(&pass->part));

    if (verdict == OG_FIELD_UNLISTED && s->rules->reject_unlisted) {
        return OG_FIELD_REJECTED;
    }

    return verdict;
}


/* Whether it is an object or array, as long as it is JSON at all. */
static int
og_multipart_is_nested(const og_part_t *part)
{
    const unsigned char  *p;

    if (part->media.type != OG_MEDIA_JSON) {
        return 0;
    }

    p = og_json_skip_run(part->content, part->end);

    return p < part->end && (*p == '{' || *p == '[');
}


static int
og_multipart_keep(og_multipart_pass_t *pass)
{
    pass->had_kept = 1;

    return (pass->part.media.type == OG_MEDIA_JSON)
           ? og_multipart_json(pass, OG_JSON_STAYS) : 0;
}


/* The part at hand goes, with the delimiter in front of it. */
static int
og_multipart_cut(og_multipart_pass_t *pass)
{
    int            full;
    og_part_t     *part;
    og_scanner_t  *s;

    s = pass->scanner;
    part = &pass->part;

    if (og_scanner_home(s, part->start, pass->had_kept) == NULL) {
        return -1;
    }

    if (part->media.type == OG_MEDIA_JSON) {
        s->place.listing = OG_LISTED_WITH_ALL;

        /* nothing in it is named again */

        full = s->stripped.full;
        s->stripped.full = 1;

        if (og_multipart_json(pass, OG_JSON_GOES) != 0) {
            return -1;
        }

        s->stripped.full = full;
    }

    return (og_scanner_cut(s, part->start, part->next) != NULL) ? 0 : -1;
}


/*
 * Looks through a part that is JSON, also through one that goes: what is
 * malformed or rejected in it was in the request.
 */
static int
og_multipart_json(og_multipart_pass_t *pass, og_json_fate_e fate)
{
    size_t                 ncuts, len;
    og_part_t             *part;
    og_scanner_t          *s;
    const og_fields_t     *fields;

    s = pass->scanner;
    part = &pass->part;
    fields = s->rules->fields;

    ncuts = s->cuts.nelts;
    len = (size_t) (part->end - part->content);

    if (fields != NULL
        && og_fields_add_root(fields, &s->walk, &s->place) != 0)
    {
        (void) og_scanner_no_memory(s);
        return -1;
    }

    /* a length goes as soon as something else does */

    if (part->length.len > 0
        && og_scanner_cut(s, part->length_line.data, part->length_line.data
                                                     + part->length_line.len)
           == NULL)
    {
        return -1;
    }

    if (og_json_document(s, part->content, len) != 0) {
        return -1;
    }

    if (fate != OG_JSON_STAYS
        || (part->length.len > 0 && s->cuts.nelts == ncuts + 1))
    {
        s->cuts.nelts = ncuts;
    }

    if (fields != NULL && fate == OG_JSON_STAYS
        && og_patch_is_one(part->content, len))
    {
        return og_multipart_fail(pass, OG_BODY_UNSUPPORTED, part->content,
                                 "a part that is a JSON Patch");
    }

    return 0;
}


static int
og_multipart_fail(og_multipart_pass_t *pass, og_body_status_e status,
    const unsigned char *at, const char *message)
{
    og_scanner_t  *s;

    s = pass->scanner;

    (void) og_scanner_fail(s, at, message);
    s->status = status;
    og_multipart_list(s, &s->pointer);

    return -1;
}


/* Adds the pointer of the part at hand. */
static void
og_multipart_list(og_scanner_t *s, og_paths_t *paths)
{
    size_t  start;

    if (s->base.len == 0) {
        return;
    }

    start = og_paths_begin(paths);
    og_paths_join(paths, &s->base);
    og_paths_end(paths, start);
}


const unsigned char *
og_multipart_find(const og_media_t *media, const unsigned char *data,
    size_t len, const char *name, size_t name_len, size_t *content_len)
{
    og_part_t             part;
    og_parts_t            parts;
    const unsigned char  *found;

    found = NULL;
    og_parts_begin(&parts, media, data, len);

    while (og_parts_next(&parts, &part) == 1) {

        if (part.has_filename || part.name.len != name_len
            || memcmp(part.name.data, name, name_len) != 0)
        {
            continue;
        }

        if (found != NULL) {
            return NULL;
        }

        found = part.content;
        *content_len = (size_t) (part.end - part.content);
    }

    return found;
}


unsigned char *
og_multipart_copy_canonical(unsigned char *dst, const og_media_t *media,
    const unsigned char *data, size_t len)
{
    og_part_t   part;
    og_parts_t  parts;

    og_parts_begin(&parts, media, data, len);

    while (og_parts_next(&parts, &part) == 1) {
        dst = og_multipart_copy(dst, part.header,
                                (size_t) (part.content - part.header));
        dst = og_multipart_copy(dst, part.content,
                                (size_t) (part.end - part.content));
    }

    return dst;
}


/* Behind its length, in 8 bytes, the most significant one first. */
static unsigned char *
og_multipart_copy(unsigned char *dst, const unsigned char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < 8; i++) {
        *dst++ = (unsigned char) ((uint64_t) len >> 8 * (7 - i));
    }

    memcpy(dst, p, len);

    return dst + len;
}


/* The delimiters and the least header outweigh the lengths of a part. */
size_t
og_multipart_canonical_room(const og_media_t *media, size_t len)
{
    size_t             least;
    static const char  header[] = "Content-Disposition:form-data;name=a";

    least = sizeof("--\r\n") - 1 + media->boundary_len + sizeof(header) - 1;

    return len + len / least * 2 * sizeof(uint64_t);
}
