
/*
 * Copyright (C) order guard contributors
 *
 * The error envelope: an upstream's JSON error in, one problem document
 * (RFC 9457) out.  Pure: libc, jansson and og_json only.
 */


#ifndef OG_ENVELOPE_H_INCLUDED_
#define OG_ENVELOPE_H_INCLUDED_


#include <stddef.h>

#include "og_status.h"


typedef enum {
    OG_TRI_ABSENT = -1,
    OG_TRI_FALSE = 0,
    OG_TRI_TRUE = 1
} og_tri_e;


/*
 * One error.  Texts are NUL-terminated UTF-8 or NULL; og_problem_free() frees
 * those that og_problem_read() made, and only those: callers may put static
 * texts into an error that was not read.  retryable and safe_new_key of a
 * zeroed error say false; OG_TRI_ABSENT says nothing.
 */
typedef struct {
    unsigned              status;
    const char           *code;       /* BODY_MALFORMED; NULL: the status'
                                         name, see og_status_code_name() */
    const char           *title;      /* with a type_base only; NULL: the
                                         status' reason phrase */
    const char           *detail;
    const char           *trace_id;
    const char           *errors;     /* JSON text, spliced in as it is */
    const char           *type_base;  /* NULL: about:blank */
    unsigned              from_upstream:1;
    og_tri_e              retryable;
    og_tri_e              safe_new_key;

    void                 *owned;      /* of og_problem_read() */
} og_problem_t;


/*
 * Renders problem as application/problem+json: type, title, status, detail,
 * code, origin, retryable, safe_new_key, trace_id, errors, in this order and
 * without those that are absent or empty.  type is about:blank, where title is
 * the reason phrase (RFC 9457, section 4.2.1), or type_base and the code in
 * lower case with hyphens.
 *
 * code is cut at 64, trace_id at 128, other texts at 1024 bytes on a character
 * boundary, invalid UTF-8 is replaced by U+FFFD.  errors is left out unless it
 * is a strict JSON array or object of at most 63 levels and 16384 bytes.
 *
 * *text is malloc'ed, NUL-terminated and the caller's to free; *len is without
 * the NUL.  Returns 0, or -1 when memory is short (*text is then as it was).
 */
int og_problem_render(const og_problem_t *problem, char **text, size_t *len);


/*
 * Where an upstream's errors have their parts: lists of JSON Pointers (RFC
 * 6901) that end in NULL.  NULL instead of a list, or of all: the defaults
 * below.
 */
typedef struct {
    const char *const    *code;
    const char *const    *detail;
    const char *const    *errors;
    const char *const    *trace_id;
} og_problem_places_t;


/*
 * Reads an upstream's JSON error into code, detail, errors and trace_id by
 * the places given, or the default pointers of the interface:
 *
 *     code      /code /error/code /error_code /errorCode /status, strings of
 *               1 to 64 characters A-Z a-z 0-9 _ . : - or, but for the
 *               default /status, numbers of 1 to 9 digits that are not the
 *               status: the name of a gRPC code where
 *               og_status_grpc_name() knows it; by default, too, /error
 *               beside an /error_description (RFC 6749, section 5.2)
 *     detail    /message /error/message /detail /error_description /error
 *               /title, strings that are not empty, cut at 1024 bytes
 *     errors    /errors /error/details /details /violations, arrays and
 *               objects that are not empty, of at most 16384 bytes; their
 *               bytes stay as they are, with every digit of every number
 *     trace_id  /traceId /trace_id /request_id /requestId, as detail, cut at
 *               128 bytes
 *
 * The first that is there and is of that kind wins; a NUL becomes U+FFFD.
 * Fields of problem that are not found are left as they were; what an earlier
 * read made is freed.  Returns 0, or -1 when the body is no strict JSON object
 * of at most 64 levels or memory is short (problem is then untouched).
 */
int og_problem_read(og_problem_t *problem, const og_problem_places_t *places,
    const unsigned char *body, size_t len);


/*
 * Whether the body is a problem document that may leave as it is: a strict
 * JSON object whose status, where present, is the number of the status line
 * (RFC 9457, section 3.1.2), in plain digits, and whose type, title and
 * detail, where present, are strings; it has at least one of type and title.
 * 0 also when memory is short.
 */
int og_problem_is_valid(unsigned status, const unsigned char *body,
    size_t len);


/*
 * Frees what og_problem_read() made and clears those fields; others, and a
 * problem that was not read, stay as they are.
 */
void og_problem_free(og_problem_t *problem);


#endif /* OG_ENVELOPE_H_INCLUDED_ */
