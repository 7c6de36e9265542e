
/*
 * Copyright (C) order guard contributors
 *
 * JSON Patch (RFC 6902): which operations go, by their targets.
 * Pure: libc only.
 */


#ifndef OG_PATCH_H_INCLUDED_
#define OG_PATCH_H_INCLUDED_


#include "og_body.h"
#include "og_set.h"


/*
 * Scans data[0..len), in time linear in len.  Refused as malformed: what
 * og_json_scan() refuses; a root that is no array; an operation that is no
 * object, or whose "op" is none of the six; a "path", "from" or "value" that
 * is missing where the operation needs it; any other member, which a parser
 * that ignores case may take for one of these, and a "from" where the
 * operation has none.
 *
 * "path" and "from" must be JSON Pointers (RFC 6901).  Refused are also
 * tokens that are empty, ".", "..", or have a NUL; more of them than
 * rules->max_depth, to which the depth of "value" adds; and where rules tell
 * elements by their index, "-" and all that may pass for an index ("00", "+1",
 * "-1"), and "add", "remove", "move" and "copy" of elements, as others get
 * another index by that.
 *
 * Rules look at targets: at "path" and "from", and at the members of "value"
 * as those of what stands at "path".  An operation whose path or from is
 * stripped, or not listed, goes as a whole, a "test" as well, which would
 * tell what stands there: it no longer holds back the others.  Of "value",
 * which is looked at in all operations that have one, only the members go
 * that are forbidden.
 *
 * What cannot be seen:
 *   - what "copy" and "move" bring: they pass only where no rule could match
 *     in it;
 *   - what "remove" takes away, and what stands at from: they are judged as a
 *     null at that place would be.  So a container may be removed, or
 *     replaced, together with what is forbidden in it; where there are allow
 *     rules, one that is only on the way to a listed field may be replaced by
 *     another container, but not removed.
 * An operation on the whole document that would go as a whole is refused as
 * malformed: no pointer names it.
 */
const og_body_result_t *og_patch_scan(og_scanner_t *scanner,
    const og_body_rules_t *rules, const unsigned char *data, size_t len);


/*
 * Whether a document that has passed og_json_scan() is a patch in all but
 * name: an array, an element of which has an "op" and a "path" that are
 * strings (names compared without case).
 */
int og_patch_is_one(const unsigned char *data, size_t len);


/*
 * As og_json_set(), for what is kept of a patch: each set becomes an
 * operation of its own, an "add", behind all others.  There is a place for
 * all: returns NULL.
 */
const og_set_t *og_patch_set(unsigned char *body, size_t *len,
    const og_set_t *sets, size_t nsets);


#endif /* OG_PATCH_H_INCLUDED_ */
