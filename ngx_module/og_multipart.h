
/*
 * Copyright (C) order guard contributors
 *
 * Forms of many parts (multipart/form-data, RFC 7578): which parts go, and
 * which members of those that are JSON.  Pure: libc only.
 */


#ifndef OG_MULTIPART_H_INCLUDED_
#define OG_MULTIPART_H_INCLUDED_


#include "og_body.h"
#include "og_media.h"
#include "og_set.h"


/*
 * Scans data[0..len), whose Content-Type is media (a MULTIPART), in time
 * linear in len.  Strict, so that all parsers find the same parts in it.
 *
 * A delimiter is "--" and the boundary; it stands in lines of its own only,
 * which end with CRLF, and nowhere else, not even within a line.  Nothing
 * stands in front of the first one or, but one CRLF, behind the "--" of the
 * last one.
 *
 * A header has up to 4096 bytes: lines of token ":" value that end with CRLF
 * and not with a space, are not folded, and have no controls.  There is one
 * Content-Disposition of form-data with, in this order, one name, which must
 * be one of a form's body (og_form.h), and perhaps a filename and a filename*
 * (RFC 8187, in UTF-8).  There may be a Content-Type, a Content-Length that
 * is right, a Content-Transfer-Encoding that changes nothing (7bit, 8bit,
 * binary), a Content-ID, and a Content-Description, each once and in ASCII.
 * A value in which parsers that know no quotes may find a name or another
 * header field, is refused.  All that is not so is malformed.
 *
 * A part that is JSON is scanned as the value of its name, and by strip and
 * reject as a document of its own as well; levels of its name and of the JSON
 * are each held to rules->max_depth.  Where a part is neither JSON nor TEXT,
 * nor OPAQUE with a filename, and where one is a JSON Patch in all but its
 * type, the body is UNSUPPORTED.
 *
 * A part goes with the delimiter in front of it.  Where JSON is cut, a
 * Content-Length of its part goes, too; no other byte goes but what
 * og_json_scan() would take.
 */
const og_body_result_t *og_multipart_scan(og_scanner_t *scanner,
    const og_body_rules_t *rules, const og_media_t *media,
    const unsigned char *data, size_t len);


/*
 * Finds the content of the part of exactly that name, without filename, in a
 * body that has passed og_multipart_scan(), or in what is kept of one.  NULL
 * where there is none, or more than one.
 */
const unsigned char *og_multipart_find(const og_media_t *media,
    const unsigned char *data, size_t len, const char *name,
    size_t name_len, size_t *content_len);


/*
 * Writes what a fingerprint is made of: for each part of such a body its
 * header and its content, each behind its length in 8 bytes, so that the
 * boundary is no part of it.  JSON is taken as it was sent.  dst has room for
 * og_multipart_canonical_room(); returns the end.
 */
unsigned char *og_multipart_copy_canonical(unsigned char *dst,
    const og_media_t *media, const unsigned char *data, size_t len);


/* Room that the canonical form of any body of len bytes may need. */
size_t og_multipart_canonical_room(const og_media_t *media, size_t len);


/*
 * As og_json_set(), for what is kept of a multipart body.  A pointer "/a/b"
 * is written as the name "a[b]", in a part at its home or as the last one;
 * but where a part "a" is JSON, as the last member of that, and where it is
 * not, or not the only one, it has no place.  Nor has what would have the
 * delimiter in it, or a name that og_multipart_scan() would refuse.
 */
const og_set_t *og_multipart_set(unsigned char *body, size_t *len,
    const og_media_t *media, const og_home_t *homes, size_t nhomes,
    const og_set_t *sets, size_t nsets);


#endif /* OG_MULTIPART_H_INCLUDED_ */
