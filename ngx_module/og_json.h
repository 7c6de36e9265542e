
/*
 * Copyright (C) order guard contributors
 *
 * The JSON cutter: one iterative pass over a body validates it strictly
 * (RFC 8259, UTF-8 by RFC 3629), finds the members to cut and yields the
 * canonical bytes for a fingerprint.  Nothing is ever re-serialised.
 * Pure: libc only.
 */


#ifndef OG_JSON_H_INCLUDED_
#define OG_JSON_H_INCLUDED_


#include <stddef.h>

#include "og_fields.h"


typedef enum {
    OG_JSON_OK = 0,
    OG_JSON_MALFORMED,        /* see message, offset, pointer */
    OG_JSON_FORBIDDEN,        /* a reject rule matched: rejected lists where */
    OG_JSON_NO_MEMORY
} og_json_status_e;


typedef enum {
    OG_JSON_NONE = 0,
    OG_JSON_OBJECT,
    OG_JSON_ARRAY,
    OG_JSON_STRING,
    OG_JSON_NUMBER,
    OG_JSON_TRUE,
    OG_JSON_FALSE,
    OG_JSON_NULL
} og_json_type_e;


typedef struct {
    size_t                start;      /* first byte that goes */
    size_t                end;        /* first byte that stays */
} og_range_t;


/* A part of a document, as its raw bytes: strings with their quotes. */
typedef struct {
    og_json_type_e        type;
    const unsigned char  *data;
    size_t                len;
} og_json_value_t;


typedef struct {
    const og_fields_t    *fields;     /* compiled; NULL: validate only */
    size_t                max_depth;  /* of nested arrays and objects */
    unsigned              reject_unlisted:1;  /* not cut but refused */
} og_json_rules_t;


/*
 * What a pass found.  All pointers belong to the scanner and stay valid until
 * its next pass or end.
 *
 * Texts are JSON Pointers (RFC 6901) to the input, comma-separated, never
 * NULL, and hold visible ASCII only: in names, all other bytes and the four
 * characters '"', '%', ',' and '\' are written as "%" and two hex digits
 * (RFC 3986 section 2.1).  They are bounded: pointers that are not within the
 * first 4096 bytes are left out whole, and "..." stands for them.
 *
 * A body that is FORBIDDEN has its cuts, for a dry run; one that is MALFORMED
 * has none.  What is within something cut is not named again, unless it is
 * rejected.
 */
typedef struct {
    og_json_status_e      status;
    const char           *message;    /* static; what is malformed, or NULL */
    size_t                offset;     /* of the offending byte, word or name */
    const char           *pointer;    /* where it is malformed */

    const og_range_t     *cuts;       /* ascending, disjoint, not empty */
    size_t                ncuts;
    const char           *stripped;   /* pointers of what is cut */
    const char           *rejected;   /* pointers of what is forbidden */
} og_json_result_t;


/* Scratch memory of a scanner: one per worker, used for one body at a time. */
typedef struct og_json_s  og_json_t;


/* Returns NULL when memory is short; the caller ends it with og_json_free(). */
og_json_t *og_json_create(void);


/* Frees the scanner and all that its results point to; NULL is fine. */
void og_json_free(og_json_t *json);


/*
 * Scans data[0..len) once, in time linear in len and independent of the
 * number of rules.  Refused as malformed: all that RFC 8259 does not allow,
 * a byte order mark, names repeated in one object (compared after
 * unescaping), NUL in a name, lone surrogates, invalid UTF-8, a document
 * deeper than rules->max_depth, a scalar root where allow rules are given.
 * An empty document is malformed.  Never reads outside data.
 *
 * What is left when the cuts are taken out is strict JSON again.  A member or
 * element goes with the comma in front of it where something stays there, and
 * else with all up to what stays behind it; no other byte goes.
 */
const og_json_result_t *og_json_scan(og_json_t *json,
    const og_json_rules_t *rules, const unsigned char *data, size_t len);


/* Length of the document without the cuts of the scanner's last result. */
size_t og_json_kept_length(const og_json_result_t *result, size_t len);


/*
 * Copies data without the cuts to dst, which has room for
 * og_json_kept_length() bytes, and returns the end of what was written.
 */
unsigned char *og_json_copy_kept(unsigned char *dst,
    const og_json_result_t *result, const unsigned char *data, size_t len);


/*
 * Copies valid JSON without its insignificant white space to dst, which has
 * room for len bytes, and returns the end of what was written.  The input
 * must have passed og_json_scan().
 */
unsigned char *og_json_copy_compact(unsigned char *dst,
    const unsigned char *data, size_t len);


/*
 * Finds the value at a JSON Pointer (RFC 6901, no "*"; "" is the root) of a
 * document that has passed og_json_scan().  Names compare exactly, after
 * unescaping.  type is OG_JSON_NONE where there is none.
 */
og_json_value_t og_json_find(const unsigned char *data, size_t len,
    const char *pointer, size_t pointer_len);


/*
 * Finds the member of the root object whose name differs from name in the
 * case of ASCII letters at the most, in a document that has passed
 * og_json_scan().  type is OG_JSON_NONE where there is none, or more than one.
 */
og_json_value_t og_json_find_caseless(const unsigned char *data, size_t len,
    const char *name, size_t name_len);


/*
 * Writes the text of a raw JSON string (with its quotes) unescaped, as
 * UTF-8, to dst, which has room for len bytes; returns the end.  The string
 * must be part of a document that has passed og_json_scan().
 */
unsigned char *og_json_unescape(unsigned char *dst, const unsigned char *data,
    size_t len);


/*
 * Whether text that is meant to be JSON has come to its end: no string, array
 * or object is open.  It may be no strict JSON; empty text has ended.
 */
int og_json_is_ended(const unsigned char *data, size_t len);


#endif /* OG_JSON_H_INCLUDED_ */
