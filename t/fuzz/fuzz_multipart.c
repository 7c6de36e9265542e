
/*
 * Copyright (C) order guard contributors
 *
 * Forms of many parts and their rules.  The first line of an input is the
 * match mode and the rules ("l s:price r:/role a:/items/0/sku w:user_id"; w
 * is set), the second one the Content-Type, the rest is the body.  What must
 * hold: what is left is not cut again; a parser that takes whatever looks
 * like a delimiter or a name finds no bare name in it that is to be stripped;
 * and with the gateway's fields it is a body as well.
 */


#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "og_multipart.h"
#include "rules.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define VALUE  "1\r\n-"


typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;
} span_t;


static void check_body(const rules_t *rules, const og_media_t *media,
    span_t body);
static void check_kept(const rules_t *rules, const og_media_t *media,
    span_t kept);
static void check_parts(const rules_t *rules, const og_media_t *media,
    span_t kept, int believes_lengths);
static void check_header(const rules_t *rules, span_t header);
static void check_name(const rules_t *rules, span_t text);
static void check_json(const rules_t *rules, span_t content);
static void check_canonical(const og_media_t *media, span_t kept);
static void check_set(const rules_t *rules, const og_media_t *media,
    const og_home_t *homes, size_t nhomes, span_t kept);
static span_t line_of(span_t text);
static const unsigned char *find(span_t text, const void *word, size_t len,
    int caseless);
static int says_json(span_t header);


static og_scanner_t  *scanner;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      i;
    span_t      line, body;
    rules_t     rules;
    og_media_t  media;

    if (scanner == NULL) {
        scanner = og_scanner_create();
        check(scanner != NULL);
    }

    body.p = data;
    body.end = data + size;

    line = line_of(body);
    body.p = line.end + (line.end < body.end);

    if (rules_read(&rules, (const char *) line.p,
                   (size_t) (line.end - line.p))
        != 0)
    {
        return 0;
    }

    line = line_of(body);
    body.p = line.end + (line.end < body.end);

    for (i = 0; i < rules.nsets; i++) {
        rules.sets[i].value = (const unsigned char *) VALUE;
        rules.sets[i].value_len = sizeof(VALUE) - 1;
    }

    media = og_media_read(line.p, (size_t) (line.end - line.p));
    check(media.len <= (size_t) (line.end - line.p));

    if (media.type == OG_MEDIA_MULTIPART) {
        check(media.boundary_len > 0 && media.boundary > line.p
              && media.boundary + media.boundary_len <= line.end);
        check_body(&rules, &media, body);
    }

    rules_done(&rules);

    return 0;
}


static void
check_body(const rules_t *rules, const og_media_t *media, span_t body)
{
    size_t                   i, size, len, nhomes;
    span_t                   kept;
    og_home_t                homes[RULES];
    unsigned char           *copy;
    og_body_rules_t          with;
    const og_body_result_t  *result;

    memset(&with, 0, sizeof(with));
    with.fields = rules->fields;
    with.max_depth = 64;

    size = (size_t) (body.end - body.p);
    result = og_multipart_scan(scanner, &with, media, body.p, size);

    check(result->status != OG_BODY_NO_MEMORY);
    check(result->offset <= size);
    check(strlen(result->pointer) <= 4100);
    check(strlen(result->stripped) <= 4100);
    check(strlen(result->rejected) <= 4100);

    if (result->status == OG_BODY_MALFORMED
        || result->status == OG_BODY_UNSUPPORTED)
    {
        check(result->ncuts == 0 && result->message != NULL);
        return;
    }

    len = og_body_kept_length(result, size);
    copy = malloc(len);
    check(copy != NULL && len <= size);
    check(og_body_copy_kept(copy, result, body.p, size) == copy + len);

    nhomes = result->nhomes;
    check(nhomes <= rules->nsets);

    for (i = 0; i < nhomes; i++) {
        homes[i] = result->homes[i];
    }

    kept.p = copy;
    kept.end = copy + len;

    if (result->status == OG_BODY_OK) {
        check_kept(rules, media, kept);
        check_canonical(media, kept);
        check_set(rules, media, homes, nhomes, kept);
    }

    free(copy);
}


static void
check_kept(const rules_t *rules, const og_media_t *media, span_t kept)
{
    og_body_rules_t          with;
    const og_body_result_t  *result;

    memset(&with, 0, sizeof(with));
    with.fields = rules->fields;
    with.max_depth = 64;

    result = og_multipart_scan(scanner, &with, media, kept.p,
                               (size_t) (kept.end - kept.p));
    check(result->status == OG_BODY_OK
          && (result->ncuts == 0 || rules->has_pointers));

    check_parts(rules, media, kept, 0);
    check_parts(rules, media, kept, 1);
}


/*
 * Takes whatever stands behind "--" and the boundary for a part, and believes
 * what a part says of its length, or does not.
 */
static void
check_parts(const rules_t *rules, const og_media_t *media, span_t kept,
    int believes_lengths)
{
    size_t                n;
    span_t                rest, header;
    unsigned char         delimiter[72];
    const unsigned char  *p, *length;

    memcpy(delimiter, "--", 2);
    memcpy(delimiter + 2, media->boundary, media->boundary_len);

    rest = kept;

    for ( ;; ) {
        p = find(rest, delimiter, 2 + media->boundary_len, 0);

        if (p == NULL) {
            return;
        }

        rest.p = p + 2 + media->boundary_len;
        header = rest;

        /* lines may end in any way */

        for (p = rest.p + (rest.p < rest.end); p + 1 < rest.end; p++) {

            if ((p[0] == '\n' && (p[1] == '\n' || p[1] == '\r'))
                || (p[0] == '\r' && p[1] == '\r'))
            {
                break;
            }
        }

        header.end = p;
        check_header(rules, header);

        p += (rest.end - p >= 3) ? 3 : rest.end - p;
        rest.p = p;

        length = find(header, "content-length:", 15, 1);

        if (length != NULL && believes_lengths) {
            n = strtoul((const char *) length + 15, NULL, 10);
            check(n <= (size_t) (rest.end - p));
            rest.p += n;
        }

        if (says_json(header)) {
            header.p = p;
            header.end = find(rest, delimiter, 2 + media->boundary_len, 0);
            check(header.end != NULL);
            check_json(rules, header);
        }
    }
}


/* Whether a line says that the type has to do with JSON. */
static int
says_json(span_t header)
{
    span_t                text, value;
    const unsigned char  *p;

    text = header;

    while ((p = find(text, "content-type:", 13, 1)) != NULL) {
        text.p = p + 13;

        if (p > header.p && p[-1] != '\r' && p[-1] != '\n') {
            continue;
        }

        value.p = text.p;

        for (value.end = value.p; value.end < header.end; value.end++) {
            if (*value.end == '\r' || *value.end == '\n') {
                break;
            }
        }

        if (find(value, "json", 4, 1) != NULL) {
            return 1;
        }
    }

    return 0;
}


/* Takes whatever stands behind "name=" for a name. */
static void
check_header(const rules_t *rules, span_t header)
{
    span_t                text;
    const unsigned char  *p;

    text = header;

    while ((p = find(text, "name", 4, 1)) != NULL) {
        text.p = p + 4;

        if (p > header.p && (p[-1] | 0x20) >= 'a' && (p[-1] | 0x20) <= 'z') {
            continue;
        }

        for (p += 4; p < header.end && strchr(" *0123456789", *p) && *p; p++)
        {
            /* void */
        }

        if (p < header.end && *p == '=') {
            text.p = p + 1;
            check_name(rules, text);
        }
    }
}


static void
check_name(const rules_t *rules, span_t text)
{
    size_t                i, n;
    const unsigned char  *p;

    for (p = text.p; p < text.end && strchr(" \"'\\_!", *p) && *p; p++) {
        /* void */
    }

    text.p = p;

    for ( /* void */ ; p < text.end && *p > ' ' && !strchr("\"';,[.\\", *p);
          p++)
    {
        /* void */
    }

    text.end = p;

    for (i = 0; i < rules->nbare; i++) {
        n = rules->bare[i].len;

        check((size_t) (text.end - text.p) != n
              || memcmp(text.p, rules->bare[i].text, n) != 0);
    }
}


/* No member of JSON is written as the very name of a rule. */
static void
check_json(const rules_t *rules, span_t content)
{
    size_t          i, n;
    unsigned char   member[256];

    for (i = 0; i < rules->nbare; i++) {
        n = rules->bare[i].len;

        if (n > sizeof(member) - 3 || memchr(rules->bare[i].text, '"', n)
            || memchr(rules->bare[i].text, '\\', n))
        {
            continue;
        }

        member[0] = '"';
        memcpy(member + 1, rules->bare[i].text, n);
        memcpy(member + 1 + n, "\":", 2);

        check(find(content, member, n + 3, 0) == NULL);
    }
}


static void
check_canonical(const og_media_t *media, span_t kept)
{
    size_t          len, room, content_len;
    unsigned char  *canonical;

    len = (size_t) (kept.end - kept.p);
    room = og_multipart_canonical_room(media, len);

    canonical = malloc(room);
    check(canonical != NULL);
    check(og_multipart_copy_canonical(canonical, media, kept.p, len)
          <= canonical + room);
    free(canonical);

    if (og_multipart_find(media, kept.p, len, "sku", 3, &content_len) != NULL)
    {
        check(content_len < len);
    }
}


static void
check_set(const rules_t *rules, const og_media_t *media,
    const og_home_t *homes, size_t nhomes, span_t kept)
{
    size_t                   len, room;
    unsigned char           *body;
    og_body_rules_t          none;
    const og_body_result_t  *result;

    len = (size_t) (kept.end - kept.p);
    room = og_set_room(rules->sets, rules->nsets);

    body = malloc(len + room);
    check(body != NULL);
    memcpy(body, kept.p, len);

    memset(&none, 0, sizeof(none));
    none.max_depth = SIZE_MAX;

    if (og_multipart_set(body, &len, media, homes, nhomes, rules->sets,
                         rules->nsets)
        == NULL)
    {
        check(len <= (size_t) (kept.end - kept.p) + room);

        result = og_multipart_scan(scanner, &none, media, body, len);
        check(result->status == OG_BODY_OK);
    }

    free(body);
}


static span_t
line_of(span_t text)
{
    span_t                line;
    const unsigned char  *end;

    end = memchr(text.p, '\n', (size_t) (text.end - text.p));

    line.p = text.p;
    line.end = end ? end : text.end;

    return line;
}


static const unsigned char *
find(span_t text, const void *word, size_t len, int caseless)
{
    size_t                i;
    unsigned char         c;
    const unsigned char  *p;

    for (p = text.p; (size_t) (text.end - p) >= len; p++) {

        for (i = 0; i < len; i++) {
            c = p[i];

            if (caseless && c >= 'A' && c <= 'Z') {
                c |= 0x20;
            }

            if (c != ((const unsigned char *) word)[i]) {
                break;
            }
        }

        if (i == len) {
            return p;
        }
    }

    return NULL;
}
