
/*
 * Copyright (C) order guard contributors
 *
 * What reading and rendering an error envelope have in common.  Pure: libc
 * and og_json only.
 */


#ifndef OG_ENVELOPE_TEXT_H_INCLUDED_
#define OG_ENVELOPE_TEXT_H_INCLUDED_


#include <stddef.h>

#include "og_json.h"


/* Levels of arrays and objects in a document, read or rendered. */
#define OG_PROBLEM_MAX_DEPTH     64

/* Bytes of UTF-8, without the NUL. */
#define OG_PROBLEM_MAX_CODE      64
#define OG_PROBLEM_MAX_TRACE_ID  128
#define OG_PROBLEM_MAX_TEXT      1024
#define OG_PROBLEM_MAX_ERRORS    16384


/*
 * Scans a document of at most max_depth levels.  *root is its type,
 * OG_JSON_NONE unless the status is OG_BODY_OK.
 */
og_body_status_e og_problem_scan(const unsigned char *data, size_t len,
    size_t max_depth, og_json_type_e *root);


/*
 * Copies text to dst, which has room for max bytes and a NUL, as UTF-8 (RFC
 * 3629) without NUL: each byte that is none becomes U+FFFD.  Ends before the
 * first character that does not fit.  Returns the length.
 */
size_t og_problem_clean(char *dst, size_t max, const unsigned char *text,
    size_t len);


/* Whether it is the number of the status, in plain digits. */
int og_problem_is_status(og_json_value_t value, unsigned status);


/*
 * *len is the length of details that may be spliced in as they are, levels
 * deep in a document: a strict JSON array or object of at most
 * OG_PROBLEM_MAX_ERRORS bytes, with which the document has no more than
 * OG_PROBLEM_MAX_DEPTH levels; else 0.  Returns 0, or -1 when memory is short.
 */
int og_problem_errors_length(const char *errors, size_t levels, size_t *len);


#endif /* OG_ENVELOPE_TEXT_H_INCLUDED_ */
