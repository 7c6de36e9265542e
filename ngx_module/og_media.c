
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_media.h"
#include "og_mime.h"


#define OG_MEDIA_PARAMETERS  16


/* value is as written, with its quotes if it has some. */
typedef struct {
    og_text_t             name;
    og_text_t             value;
} og_parameter_t;


static og_media_e og_media_type(og_text_t type);
static int og_media_is_named(og_text_t type);
static int og_media_is_plain(og_text_t type, const unsigned char *value);
static og_media_e og_media_opaque(og_text_t type);
static int og_media_parameters(og_media_t *media, const unsigned char *p,
    const unsigned char *end);
static const unsigned char *og_media_space(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *og_media_split(og_parameter_t *parameter,
    const unsigned char *p, const unsigned char *end);
static int og_media_is_repeated(const og_parameter_t *parameters, size_t n);
static int og_media_parameter(og_media_t *media,
    const og_parameter_t *parameter);
static int og_media_hides(const og_parameter_t *parameter);
static int og_media_charset(og_text_t value);
static int og_media_boundary(og_media_t *media, og_text_t value);


static const og_text_t  og_media_charset_name = og_text("charset");
static const og_text_t  og_media_boundary_name = og_text("boundary");


static const struct {
    og_text_t             name;
    og_media_e            type;
} og_media_types[] = {
    { og_text("application/json"), OG_MEDIA_JSON },
    { og_text("application/json-patch+json"), OG_MEDIA_PATCH },
    { og_text("application/x-www-form-urlencoded"), OG_MEDIA_FORM },
    { og_text("multipart/form-data"), OG_MEDIA_MULTIPART },
    { og_text("text/plain"), OG_MEDIA_TEXT }
};


/* What no framework makes fields of, as it would of XML, YAML and the like. */
static const og_text_t  og_media_opaque_types[] = {
    og_text("application/octet-stream"),
    og_text("application/pdf"),
    og_text("application/postscript"),
    og_text("application/zip"),
    og_text("application/x-zip-compressed"),
    og_text("application/gzip"),
    og_text("application/x-gzip"),
    og_text("application/x-7z-compressed"),
    og_text("application/vnd.rar"),
    og_text("application/msword"),
    og_text("application/vnd.ms-excel"),
    og_text("application/vnd.ms-powerpoint"),
    og_text("application/vnd.openxmlformats-officedocument"
            ".wordprocessingml.document"),
    og_text("application/vnd.openxmlformats-officedocument"
            ".spreadsheetml.sheet"),
    og_text("application/vnd.openxmlformats-officedocument"
            ".presentationml.presentation"),
    og_text("application/vnd.oasis.opendocument.text"),
    og_text("application/vnd.oasis.opendocument.spreadsheet"),
    og_text("text/csv")
};


static const og_text_t  og_media_opaque_ranges[] = {
    og_text("image/"),
    og_text("audio/"),
    og_text("video/"),
    og_text("font/")
};


/* Some look at the subtype alone, or at its suffix (RFC 6838). */
static const og_text_t  og_media_structured[] = {
    og_text("+"),
    og_text("json"),
    og_text("xml"),
    og_text("yaml"),
    og_text("script")
};


og_media_t
og_media_read(const unsigned char *value, size_t len)
{
    og_text_t   type;
    og_media_t  media;

    type.data = value;
    type.len = 0;

    while (type.len < len && value[type.len] != ';'
           && value[type.len] != ' ' && value[type.len] != '\t')
    {
        type.len++;
    }

    media.type = og_media_type(type);
    media.len = type.len;
    media.boundary = NULL;
    media.boundary_len = 0;

    if (media.type == OG_MEDIA_OTHER) {
        return media;
    }

    if (og_media_parameters(&media, value + type.len, value + len) != 0
        || (media.type == OG_MEDIA_MULTIPART
            && (media.boundary == NULL || !og_media_is_plain(type, value))))
    {
        media.type = OG_MEDIA_OTHER;
    }

    return media;
}


static og_media_e
og_media_type(og_text_t type)
{
    size_t                  i;
    static const og_text_t  application = og_text("application/");
    static const og_text_t  json = og_text("+json");

    if (!og_media_is_named(type)) {
        return OG_MEDIA_OTHER;
    }

    for (i = 0; i < sizeof(og_media_types) / sizeof(og_media_types[0]); i++) {

        if (og_mime_equal(type, og_media_types[i].name)) {
            return og_media_types[i].type;
        }
    }

    if (og_mime_begins(type, application) && og_mime_ends(type, json)) {
        return OG_MEDIA_JSON;
    }

    return og_media_opaque(type);
}


/*
 * Whether all parsers take it for a form of many parts: those who compare
 * letters as they are, or up to the ";", may else take it for a form of
 * "&" and "=".
 */
static int
og_media_is_plain(og_text_t type, const unsigned char *value)
{
    static const char  plain[] = "multipart/form-data";

    return memcmp(type.data, plain, sizeof(plain) - 1) == 0
           && value[type.len] == ';';
}


/* Two tokens with a "/" between them. */
static int
og_media_is_named(og_text_t type)
{
    const unsigned char  *p, *end;

    end = type.data + type.len;
    p = og_mime_token(type.data, end);

    if (p == type.data || p == end || *p != '/') {
        return 0;
    }

    return p + 1 < end && og_mime_token(p + 1, end) == end;
}


static og_media_e
og_media_opaque(og_text_t type)
{
    size_t     i, n;
    og_text_t  rest;

    n = sizeof(og_media_opaque_types) / sizeof(og_text_t);

    for (i = 0; i < n; i++) {

        if (og_mime_equal(type, og_media_opaque_types[i])) {
            return OG_MEDIA_OPAQUE;
        }
    }

    for (rest = type; rest.len > 0; rest.data++, rest.len--) {

        n = sizeof(og_media_structured) / sizeof(og_text_t);

        for (i = 0; i < n; i++) {

            if (og_mime_begins(rest, og_media_structured[i])) {
                return OG_MEDIA_OTHER;
            }
        }
    }

    n = sizeof(og_media_opaque_ranges) / sizeof(og_text_t);

    for (i = 0; i < n; i++) {

        if (og_mime_begins(type, og_media_opaque_ranges[i])) {
            return OG_MEDIA_OPAQUE;
        }
    }

    return OG_MEDIA_OTHER;
}


static int
og_media_parameters(og_media_t *media, const unsigned char *p,
    const unsigned char *end)
{
    size_t           n;
    og_parameter_t  *parameter;
    og_parameter_t   parameters[OG_MEDIA_PARAMETERS];

    for (n = 0; ; n++) {
        p = og_media_space(p, end);

        if (p == end) {
            return 0;
        }

        if (*p != ';') {
            return -1;
        }

        p = og_media_space(p + 1, end);

        if (p == end) {
            return 0;
        }

        if (n == OG_MEDIA_PARAMETERS) {
            return -1;
        }

        parameter = &parameters[n];
        p = og_media_split(parameter, p, end);

        if (p == NULL || og_media_is_repeated(parameters, n)
            || og_media_parameter(media, parameter) != 0)
        {
            return -1;
        }
    }
}


static const unsigned char *
og_media_space(const unsigned char *p, const unsigned char *end)
{
    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    return p;
}


/* Takes one parameter (RFC 9110, section 5.6.6), or returns NULL. */
static const unsigned char *
og_media_split(og_parameter_t *parameter, const unsigned char *p,
    const unsigned char *end)
{
    parameter->name.data = p;
    p = og_mime_token(p, end);
    parameter->name.len = (size_t) (p - parameter->name.data);

    if (parameter->name.len == 0 || p == end || *p != '=') {
        return NULL;
    }

    parameter->value.data = ++p;

    if (p == end) {
        return NULL;
    }

    p = (*p == '"') ? og_mime_quoted(p, end) : og_mime_token(p, end);

    if (p == NULL || p == parameter->value.data) {
        return NULL;
    }

    parameter->value.len = (size_t) (p - parameter->value.data);

    return p;
}


static int
og_media_is_repeated(const og_parameter_t *parameters, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {

        if (og_mime_equal(parameters[i].name, parameters[n].name)) {
            return 1;
        }
    }

    return 0;
}


/* Not 0 where the parameter says what is not understood. */
static int
og_media_parameter(og_media_t *media, const og_parameter_t *parameter)
{
    if (og_media_hides(parameter)) {
        return -1;
    }

    if (og_mime_equal(parameter->name, og_media_charset_name)) {
        return (media->type == OG_MEDIA_TEXT || media->type == OG_MEDIA_OPAQUE)
               ? 0 : og_media_charset(parameter->value);
    }

    if (media->type != OG_MEDIA_MULTIPART) {
        return 0;
    }

    /* PHP looks for the word as it stands here, also within a value */

    if (parameter->name.len != og_media_boundary_name.len
        || memcmp(parameter->name.data, og_media_boundary_name.data,
                  og_media_boundary_name.len)
           != 0)
    {
        return -1;
    }

    return og_media_boundary(media, parameter->value);
}


/*
 * Whether some parsers may find a charset or boundary here that others do
 * not: "charset*" and "charset*0" (RFC 2231), or one within quotes.
 */
static int
og_media_hides(const og_parameter_t *parameter)
{
    static const og_text_t  charset = og_text("charset*");
    static const og_text_t  boundary = og_text("boundary*");

    return og_mime_begins(parameter->name, charset)
           || og_mime_begins(parameter->name, boundary)
           || og_mime_mentions(parameter->value, og_media_charset_name, '=')
           || og_mime_mentions(parameter->value, og_media_boundary_name, '=');
}


static int
og_media_charset(og_text_t value)
{
    static const og_text_t  plain = og_text("utf-8");
    static const og_text_t  quoted = og_text("\"utf-8\"");

    return (og_mime_equal(value, plain) || og_mime_equal(value, quoted))
           ? 0 : -1;
}


static int
og_media_boundary(og_media_t *media, og_text_t value)
{
    size_t             i;
    static const char  plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz"
                                 "0123456789+-._/:=";

    if (value.data[0] == '"') {
        value.data++;
        value.len -= 2;
    }

    if (value.len == 0 || value.len > OG_MEDIA_BOUNDARY_MAX) {
        return -1;
    }

    for (i = 0; i < value.len; i++) {

        if (memchr(plain, value.data[i], sizeof(plain) - 1) == NULL) {
            return -1;
        }
    }

    media->boundary = value.data;
    media->boundary_len = value.len;

    return 0;
}
