
/*
 * Copyright (C) order guard contributors
 *
 * Formats of error envelopes: a JSON document some of whose strings stand for
 * the parts of an error, each of which has a JSON type of its own:
 *
 *     "$status"        a number, always that of the status line
 *     "$code"          a string
 *     "$message"       a string: the detail, or the status' reason phrase
 *     "$details"       an array or an object, or null
 *     "$trace_id"      a string, or null
 *     "$origin"        "gateway" or "upstream"
 *     "$retryable"     true or false, or null
 *     "$safe_new_key"  likewise
 *
 * Pure: libc, jansson and og_json only.
 */


#ifndef OG_FORMAT_H_INCLUDED_
#define OG_FORMAT_H_INCLUDED_


#include <stddef.h>

#include "og_envelope.h"


/* Bytes of a format, and levels of arrays and objects in it. */
#define OG_FORMAT_MAX_SIZE   16384
#define OG_FORMAT_MAX_DEPTH  16


typedef struct og_format_s  og_format_t;


/*
 * Reads a format: a strict JSON object of at most OG_FORMAT_MAX_SIZE bytes,
 * which are copied.  NULL: *error is a static sentence that says what is wrong
 * with the byte at *offset, or that memory is short.
 */
og_format_t *og_format_create(const unsigned char *text, size_t len,
    const char **error, size_t *offset);

void og_format_free(og_format_t *format);

/*
 * Whether it has "$code" or "$message": without them nobody would know what
 * has failed, and nearly every document would be in the format.
 */
int og_format_says_what(const og_format_t *format);


/* JSON Pointer to where the format has its first "$code"; NULL: it has none. */
const char *og_format_code_place(const og_format_t *format);


/*
 * Renders an error, without the white space of the format and with the bounds
 * of og_problem_render(); details that would make more than 64 levels of it
 * are null.  *text is malloc'ed, NUL-terminated and the caller's
 * to free; *len is without the NUL.  Returns 0, or -1 when memory is short
 * (*text is then as it was).
 */
int og_format_render(const og_format_t *format, const og_problem_t *problem,
    char **text, size_t *len);


/*
 * Whether a body is in the format already, and may leave as it is: a strict
 * JSON object of at most 64 levels that has all that the format spells out,
 * and each part with a type of its own; it may have more.  0 also when memory
 * is short.
 */
int og_format_matches(const og_format_t *format, unsigned status,
    const unsigned char *body, size_t len);


#endif /* OG_FORMAT_H_INCLUDED_ */
