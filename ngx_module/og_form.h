
/*
 * Copyright (C) order guard contributors
 *
 * Forms (application/x-www-form-urlencoded) and query strings: which fields
 * go.  Pure: libc only.
 */


#ifndef OG_FORM_H_INCLUDED_
#define OG_FORM_H_INCLUDED_


#include "og_body.h"
#include "og_set.h"


typedef enum {
    OG_FORM_BODY = 0,
    OG_FORM_QUERY             /* without the "?" */
} og_form_kind_e;


/*
 * Scans data[0..len) in time linear in len.  Fields are what stands between
 * "&" and ";"; names are taken percent-decoded.  Refused as malformed, with
 * the offset of the field:
 *   - "%" without two hex digits in a name;
 *   - a name without parts (parts are what stands between ".", "[" and "]"),
 *     or with more than rules->max_depth of them ("[]" is one, and each dot
 *     in brackets adds one);
 *   - brackets that do not pair, or lie within each other; "[]" in front, and
 *     "[]" or an index directly behind "[]";
 *   - "_charset_";
 *   - characters that one parser or another reads in its own way: in a body
 *     all but ASCII letters, digits, "_-.[]", and "!" in front; in a query
 *     controls, spaces, "+%&;\", and all above ASCII;
 *   - what may be part of another name, as some parsers look for "]=",
 *     escaped or not, before they look for "=", and many not for ";" at all:
 *     a value with "]=", and a name with dots or brackets behind a ";" and
 *     others of them.  Not so up to the next "&" once a "]=" as it is has
 *     ended a name, and never of what goes.
 * Else values are never looked at.
 *
 * A field goes with the separator in front of it where something stays there,
 * and else with the one behind it, but an "&" stays rather than a ";"; no
 * other byte goes.  Where nothing stands between two separators, that is a
 * field that stays.
 */
const og_body_result_t *og_form_scan(og_scanner_t *scanner,
    const og_body_rules_t *rules, og_form_kind_e kind,
    const unsigned char *data, size_t len);


/*
 * Writes the decoded value of the field whose decoded name is that to dst,
 * which has room for len bytes.  Returns the end, or NULL where there is no
 * such field, or more than one, or "%" without two hex digits in it.
 */
unsigned char *og_form_find(unsigned char *dst, const unsigned char *data,
    size_t len, const char *name, size_t name_len);


/*
 * As og_json_set(), for what is kept of a form or query; a pointer "/a/b" is
 * written as "a[b]", escaped, and has no place where a field "a" is kept.  A
 * ";" behind what is written becomes an "&".  Without append only what has a
 * home is written.
 */
const og_set_t *og_form_set(unsigned char *body, size_t *len,
    const og_home_t *homes, size_t nhomes, const og_set_t *sets,
    size_t nsets, int append);


#endif /* OG_FORM_H_INCLUDED_ */
