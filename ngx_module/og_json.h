
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

#include "og_body.h"


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


/* A part of a document, as its raw bytes: strings with their quotes. */
typedef struct {
    og_json_type_e        type;
    const unsigned char  *data;
    size_t                len;
} og_json_value_t;


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
const og_body_result_t *og_json_scan(og_scanner_t *scanner,
    const og_body_rules_t *rules, const unsigned char *data, size_t len);


/*
 * Finds the value at a JSON Pointer (RFC 6901, no "*"; "" is the root) of a
 * document that has passed og_json_scan().  Names compare exactly, after
 * unescaping.  type is OG_JSON_NONE where there is none.
 */
og_json_value_t og_json_find(const unsigned char *data, size_t len,
    const char *pointer, size_t pointer_len);


/*
 * The same in a text that nobody has looked at, as an upstream's answer is:
 * *range becomes where the value stands.  Returns 0, or -1 where the text is
 * no strict JSON, or there is no such value, or memory is short.
 */
int og_json_locate(og_scanner_t *scanner, const unsigned char *data,
    size_t len, const char *pointer, size_t pointer_len, og_range_t *range);


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
