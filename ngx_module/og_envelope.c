
/*
 * Copyright (C) order guard contributors
 *
 * Rendering: jansson builds the document, the details are spliced in as they
 * are, because no number survives a trip through a C type.
 */


#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "og_envelope.h"
#include "og_envelope_text.h"


#define OG_PROBLEM_ERRORS_NAME   ",\"errors\":"


static json_t *og_problem_document(const og_problem_t *problem);
static json_t *og_problem_type(const char *base, const char *code);
static int og_problem_put_text(json_t *document, const char *name,
    const char *text, size_t max);
static int og_problem_put_tri(json_t *document, const char *name,
    og_tri_e value);
static int og_problem_write(const json_t *document, const char *errors,
    size_t errors_len, char **text, size_t *len);
static char og_problem_type_char(char ch);


int
og_problem_render(const og_problem_t *problem, char **text, size_t *len)
{
    int      rc;
    size_t   errors_len;
    json_t  *document;

    /* One level is the document's own. */

    if (og_problem_errors_length(problem->errors, 1, &errors_len) != 0) {
        return -1;
    }

    document = og_problem_document(problem);

    if (document == NULL) {
        return -1;
    }

    rc = og_problem_write(document, problem->errors, errors_len, text, len);

    json_decref(document);

    return rc;
}


static json_t *
og_problem_document(const og_problem_t *problem)
{
    json_t      *document;
    const char  *code, *title;

    code = problem->code ? problem->code
                         : og_status_code_name(problem->status);

    /* RFC 9457, section 4.2.1: about:blank says no more than the status. */

    title = problem->type_base && problem->title
            ? problem->title : og_status_reason(problem->status);

    document = json_object();

    if (json_object_set_new(document, "type",
                            og_problem_type(problem->type_base, code))
        || og_problem_put_text(document, "title", title, OG_PROBLEM_MAX_TEXT)
        || json_object_set_new(document, "status",
                               json_integer((json_int_t) problem->status))
        || og_problem_put_text(document, "detail", problem->detail,
                               OG_PROBLEM_MAX_TEXT)
        || og_problem_put_text(document, "code", code, OG_PROBLEM_MAX_CODE)
        || og_problem_put_text(document, "origin",
                               problem->from_upstream ? "upstream"
                                                      : "gateway",
                               OG_PROBLEM_MAX_TEXT)
        || og_problem_put_tri(document, "retryable", problem->retryable)
        || og_problem_put_tri(document, "safe_new_key",
                              problem->safe_new_key)
        || og_problem_put_text(document, "trace_id", problem->trace_id,
                               OG_PROBLEM_MAX_TRACE_ID))
    {
        json_decref(document);
        return NULL;
    }

    return document;
}


static json_t *
og_problem_type(const char *base, const char *code)
{
    char    type[OG_PROBLEM_MAX_TEXT + OG_PROBLEM_MAX_CODE + 1];
    size_t  i, used, end;

    if (base == NULL) {
        return json_string("about:blank");
    }

    used = og_problem_clean(type, OG_PROBLEM_MAX_TEXT,
                            (const unsigned char *) base, strlen(base));
    end = used + og_problem_clean(type + used, OG_PROBLEM_MAX_CODE,
                                  (const unsigned char *) code, strlen(code));

    for (i = used; i < end; i++) {
        type[i] = og_problem_type_char(type[i]);
    }

    return json_stringn(type, end);
}


static int
og_problem_put_text(json_t *document, const char *name, const char *text,
    size_t max)
{
    char    clean[OG_PROBLEM_MAX_TEXT + 1];
    size_t  len;

    if (text == NULL || *text == '\0') {
        return 0;
    }

    len = og_problem_clean(clean, max, (const unsigned char *) text,
                           strlen(text));

    return json_object_set_new(document, name, json_stringn(clean, len));
}


static int
og_problem_put_tri(json_t *document, const char *name, og_tri_e value)
{
    if (value == OG_TRI_ABSENT) {
        return 0;
    }

    return json_object_set_new(document, name, json_boolean(value));
}


static int
og_problem_write(const json_t *document, const char *errors,
    size_t errors_len, char **text, size_t *len)
{
    char    *buf, *p;
    size_t   size, room;

    size = json_dumpb(document, NULL, 0, JSON_COMPACT);

    if (size == 0) {
        return -1;
    }

    room = size + sizeof(OG_PROBLEM_ERRORS_NAME) + errors_len;
    buf = malloc(room);

    if (buf == NULL) {
        return -1;
    }

    if (json_dumpb(document, buf, room, JSON_COMPACT) != size) {
        free(buf);
        return -1;
    }

    p = buf + size;

    if (errors_len) {
        p--;    /* the closing brace */
        memcpy(p, OG_PROBLEM_ERRORS_NAME, sizeof(OG_PROBLEM_ERRORS_NAME) - 1);
        p += sizeof(OG_PROBLEM_ERRORS_NAME) - 1;
        memcpy(p, errors, errors_len);
        p += errors_len;
        *p++ = '}';
    }

    *p = '\0';
    *text = buf;
    *len = (size_t) (p - buf);

    return 0;
}


static char
og_problem_type_char(char ch)
{
    if (ch >= 'A' && ch <= 'Z') {
        return (char) (ch - 'A' + 'a');
    }

    return ch == '_' ? '-' : ch;
}
