
/*
 * Copyright (C) order guard contributors
 *
 * The header of a part.  Browsers and libraries write the same few lines;
 * whatever else it may have is read by some parsers and not by others, or not
 * in the same way, and is refused.
 */


#include <string.h>

#include "og_part.h"
#include "og_utf8.h"


/* What is wrong with the value of a field, or NULL. */
typedef const char *(*og_part_field_pt)(og_part_t *part, og_text_t value);


static const unsigned char *og_part_line(og_part_t *part,
    const unsigned char *p, og_fault_t *fault);
static const unsigned char *og_part_field(og_part_t *part, og_fault_t *fault);
static const char *og_part_value(og_part_t *part, og_text_t name,
    og_text_t value);
static int og_part_is_plain(og_text_t value);
static const char *og_part_disposition(og_part_t *part, og_text_t value);
static const unsigned char *og_part_parameter_end(const unsigned char *p,
    const unsigned char *end);
static const char *og_part_parameter(og_part_t *part, og_text_t name,
    og_text_t value, unsigned *had);
static int og_part_unquote(og_text_t *value);
static const char *og_part_name(og_part_t *part, og_text_t value);
static const char *og_part_filename(og_part_t *part, og_text_t value);
static int og_part_is_text(og_text_t text);
static const char *og_part_extended(og_part_t *part, og_text_t value);
static int og_part_is_hex(unsigned char c);
static const char *og_part_type(og_part_t *part, og_text_t value);
static const char *og_part_length(og_part_t *part, og_text_t value);
static const char *og_part_encoding(og_part_t *part, og_text_t value);
static const char *og_part_remark(og_part_t *part, og_text_t value);
static int og_part_is_length(og_text_t value, size_t len);


static const char  og_part_misread[] =
    "a Content-Disposition that is not understood";

static const og_text_t  og_part_name_word = og_text("name");


static const struct {
    og_text_t             name;
    og_part_field_pt      read;
} og_part_fields[] = {
    { og_text("Content-Disposition"), og_part_disposition },
    { og_text("Content-Type"), og_part_type },
    { og_text("Content-Length"), og_part_length },
    { og_text("Content-Transfer-Encoding"), og_part_encoding },
    { og_text("Content-ID"), og_part_remark },
    { og_text("Content-Description"), og_part_remark }
};


/* The name is in front: some take the first "name=", be it of "filename=". */
static const struct {
    og_text_t             name;
    og_part_field_pt      read;
} og_part_parameters[] = {
    { og_text("name"), og_part_name },
    { og_text("filename"), og_part_filename },
    { og_text("filename*"), og_part_extended }
};


int
og_part_read(og_part_t *part, og_fault_t *fault)
{
    const unsigned char  *p;

    part->media.type = OG_MEDIA_TEXT;

    p = part->header;

    do {
        p = og_part_line(part, p, fault);

        if (p == NULL) {
            return -1;
        }

    } while (part->line.len > 0);

    part->content = p;

    if (part->name.len == 0) {
        (void) og_fault(fault, part->header, "a part without a name");
        return -1;
    }

    if (part->length.len > 0
        && !og_part_is_length(part->length, (size_t) (part->end - p)))
    {
        (void) og_fault(fault, part->length.data,
                        "a Content-Length that is not the part's");
        return -1;
    }

    return 0;
}


/* Takes a line with its CRLF; an empty one is the last. */
static const unsigned char *
og_part_line(og_part_t *part, const unsigned char *p, og_fault_t *fault)
{
    const unsigned char  *end;

    end = part->end;

    if (end - part->header > OG_PART_HEADER_MAX) {
        end = part->header + OG_PART_HEADER_MAX;
    }

    part->line.data = p;

    while (p < end && *p >= ' ' && *p != 0x7F) {
        p++;
    }

    part->line.len = (size_t) (p - part->line.data);

    if (end - p < 2) {
        return og_fault(fault, p, (end < part->end)
                                  ? "the header of a part is too long"
                                  : "the header of a part has no end");
    }

    if (p[0] != '\r' || p[1] != '\n') {
        return og_fault(fault, p, "a control character in a header");
    }

    if (part->line.len > 0 && og_part_field(part, fault) == NULL) {
        return NULL;
    }

    return p + 2;
}


/* Reads the line at hand and returns its end. */
static const unsigned char *
og_part_field(og_part_t *part, og_fault_t *fault)
{
    og_text_t             name, value;
    const char           *wrong;
    const unsigned char  *p, *end;

    end = part->line.data + part->line.len;

    name.data = part->line.data;
    p = og_mime_token(name.data, end);
    name.len = (size_t) (p - name.data);

    if (name.len == 0 || p == end || *p != ':') {
        return og_fault(fault, p, "a header line that is no field");
    }

    do {
        p++;
    } while (p < end && *p == ' ');

    value.data = p;
    value.len = (size_t) (end - p);

    if (value.len == 0 || end[-1] == ' ') {
        return og_fault(fault, p, "a header field that ends with a space");
    }

    wrong = og_part_value(part, name, value);

    return (wrong == NULL) ? end : og_fault(fault, p, wrong);
}


static const char *
og_part_value(og_part_t *part, og_text_t name, og_text_t value)
{
    size_t                  i;
    static const og_text_t  content = og_text("content-");

    /* there are those who look for fields anywhere in the header */

    if (og_mime_mentions(value, content, ':')) {
        return "a header field within another one";
    }

    for (i = 0; i < sizeof(og_part_fields) / sizeof(og_part_fields[0]); i++) {

        if (!og_mime_equal(name, og_part_fields[i].name)) {
            continue;
        }

        if (part->fields & (1u << i)) {
            return "a header field is repeated";
        }

        part->fields |= 1u << i;

        if (og_part_fields[i].read != og_part_disposition
            && !og_part_is_plain(value))
        {
            return "a header field that may be misread";
        }

        return og_part_fields[i].read(part, value);
    }

    return "a header field that is not understood";
}


/* Visible ASCII and spaces, and no name of the part's. */
static int
og_part_is_plain(og_text_t value)
{
    size_t  i;

    for (i = 0; i < value.len; i++) {

        if (value.data[i] >= 0x80) {
            return 0;
        }
    }

    return !og_mime_mentions(value, og_part_name_word, '=');
}


static const char *
og_part_disposition(og_part_t *part, og_text_t value)
{
    unsigned                had;
    og_text_t               name, text;
    const char             *wrong;
    const unsigned char    *p, *end;
    static const og_text_t  form_data = og_text("form-data");

    if (!og_mime_begins(value, form_data)) {
        return og_part_misread;
    }

    p = value.data + form_data.len;
    end = value.data + value.len;
    had = 0;

    while (p < end) {

        if (*p++ != ';') {
            return og_part_misread;
        }

        while (p < end && *p == ' ') {
            p++;
        }

        name.data = p;
        p = og_mime_token(p, end);
        name.len = (size_t) (p - name.data);

        if (p == end || *p != '=') {
            return og_part_misread;
        }

        text.data = ++p;
        p = og_part_parameter_end(p, end);
        text.len = (size_t) (p - text.data);

        wrong = og_part_parameter(part, name, text, &had);

        if (wrong != NULL) {
            return wrong;
        }
    }

    return NULL;
}


/*
 * No quote is within quotes, whether escaped or not, so that those who know
 * no escapes find the same end; nor does a backslash stand in front of one.
 */
static const unsigned char *
og_part_parameter_end(const unsigned char *p, const unsigned char *end)
{
    if (p == end || *p != '"') {
        return og_mime_token(p, end);
    }

    for (p++; p < end; p++) {

        if (*p == '"') {
            return (p[-1] == '\\') ? p : p + 1;
        }
    }

    return end;
}


static const char *
og_part_parameter(og_part_t *part, og_text_t name, og_text_t value,
    unsigned *had)
{
    size_t  i;

    for (i = 0; i < sizeof(og_part_parameters)
                    / sizeof(og_part_parameters[0]); i++)
    {
        if (name.len != og_part_parameters[i].name.len
            || memcmp(name.data, og_part_parameters[i].name.data, name.len)
               != 0)
        {
            continue;
        }

        if ((*had & (1u << i)) || (*had == 0) != (i == 0)) {
            return og_part_misread;
        }

        *had |= 1u << i;

        return og_part_parameters[i].read(part, value);
    }

    return og_part_misread;
}


/* Takes the quotes off.  Returns 0 where one of them is missing. */
static int
og_part_unquote(og_text_t *value)
{
    if (value->len == 0 || value->data[0] != '"') {
        return value->len > 0;
    }

    if (value->len == 1 || value->data[value->len - 1] != '"') {
        return 0;
    }

    value->data++;
    value->len -= 2;

    return 1;
}


static const char *
og_part_name(og_part_t *part, og_text_t value)
{
    if (!og_part_unquote(&value)) {
        return og_part_misread;
    }

    part->name = value;

    return NULL;
}


/*
 * To some a single quote is one, too, where it is not within quotes; some
 * split a value at each ";", others look for "name=" wherever it stands.
 */
static const char *
og_part_filename(og_part_t *part, og_text_t value)
{
    int  is_token;

    is_token = (value.len > 0 && value.data[0] != '"');

    if (!og_part_unquote(&value)
        || (is_token && memchr(value.data, '\'', value.len) != NULL)
        || og_mime_mentions(value, og_part_name_word, '='))
    {
        return "a filename that may be misread";
    }

    if (!og_part_is_text(value)) {
        return "a filename that is not valid UTF-8";
    }

    part->has_filename = 1;

    return NULL;
}


/* UTF-8 without what ends a line in Unicode. */
static int
og_part_is_text(og_text_t text)
{
    size_t                n;
    const unsigned char  *p, *end;

    end = text.data + text.len;

    for (p = text.data; p < end; p += n) {
        n = og_utf8_length(p, end);

        if (n == 0
            || (n == 2 && p[0] == 0xC2 && p[1] < 0xA0)
            || (n == 3 && p[0] == 0xE2 && p[1] == 0x80
                && (p[2] == 0xA8 || p[2] == 0xA9)))
        {
            return 0;
        }
    }

    return 1;
}


/* An ext-value in UTF-8 (RFC 8187 section 3.2.1); value is a token. */
static const char *
og_part_extended(og_part_t *part, og_text_t value)
{
    const unsigned char     *p, *end;
    static const char        misread[] = "a filename* that is no ext-value";
    static const og_text_t   charset = og_text("utf-8'");

    if (!og_mime_begins(value, charset)) {
        return misread;
    }

    p = value.data + charset.len;
    end = value.data + value.len;

    p = memchr(p, '\'', (size_t) (end - p));

    if (p == NULL) {
        return misread;
    }

    while (++p < end) {

        if (*p == '%') {

            if (end - p < 3 || !og_part_is_hex(p[1]) || !og_part_is_hex(p[2]))
            {
                return misread;
            }

            p += 2;

        } else if (*p == '\'' || *p == '*') {
            return misread;
        }
    }

    part->has_filename = 1;

    return NULL;
}


static int
og_part_is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}


static const char *
og_part_type(og_part_t *part, og_text_t value)
{
    part->type = value;
    part->media = og_media_read(value.data, value.len);

    return NULL;
}


static const char *
og_part_length(og_part_t *part, og_text_t value)
{
    part->length = value;
    part->length_line = part->line;
    part->length_line.len += sizeof("\r\n") - 1;

    return NULL;
}


/* Those that leave the content as it is (RFC 2045 section 6). */
static const char *
og_part_encoding(og_part_t *part, og_text_t value)
{
    size_t                  i;
    static const og_text_t  identities[] = {
        og_text("7bit"), og_text("8bit"), og_text("binary")
    };

    (void) part;

    for (i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {

        if (og_mime_equal(value, identities[i])) {
            return NULL;
        }
    }

    return "a Content-Transfer-Encoding";
}


static const char *
og_part_remark(og_part_t *part, og_text_t value)
{
    (void) part;
    (void) value;

    return NULL;
}


/* Whether that is how len is written. */
static int
og_part_is_length(og_text_t value, size_t len)
{
    size_t  i;

    for (i = value.len; i > 0; i--) {

        if (value.data[i - 1] != '0' + len % 10) {
            return 0;
        }

        len /= 10;

        if (len == 0) {
            break;
        }
    }

    return i == 1;
}
