
/*
 * Copyright (C) order guard contributors
 *
 * Operations of a JSON Patch (RFC 6902, section 4) and what they point to.
 * Private to the og_patch_* files.  Pure: libc only.
 */


#ifndef OG_PATCH_OP_H_INCLUDED_
#define OG_PATCH_OP_H_INCLUDED_


#include "og_json_walk.h"
#include "og_scanner.h"


typedef struct {
    const char           *name;
    unsigned              has_from:1;
    unsigned              needs_value:1;

    /* an element that comes or goes there moves those behind it */
    unsigned              moves_at_path:1;
    unsigned              moves_at_from:1;
} og_patch_verb_t;


/* What an operation lacks has the type OG_JSON_NONE. */
typedef struct {
    size_t                index;
    const unsigned char  *start;
    const unsigned char  *end;
    const unsigned char  *comma;      /* in front, but for the first */

    const og_patch_verb_t *verb;
    og_json_value_t       op;
    og_json_value_t       path;
    og_json_value_t       from;
    og_json_value_t       value;
} og_patch_op_t;


/*
 * Takes the operation at hand; op->index and op->comma are the caller's.
 * -1 when the pass is over: it is malformed.
 */
int og_patch_read(og_scanner_t *scanner, og_json_walk_t *walk,
    og_patch_op_t *op);


/* "path" or "from" of an operation. */
typedef struct {
    const char           *member;
    const og_json_value_t *pointer;
    int                   moves;      /* the elements behind that one */
    size_t                ntokens;    /* found, counted from 0 */
} og_patch_target_t;


/*
 * Goes to where the target points to: scanner->place is there, and
 * scanner->base the pointer.  -1 when the pass is over: it is malformed, or
 * memory is short.
 */
int og_patch_go(og_scanner_t *scanner, const og_place_t *root,
    const og_patch_op_t *op, og_patch_target_t *target);


/*
 * Ends the pass as malformed at a byte, with the pointer to an operation's
 * member, or with NULL to the operation.  -1.
 */
int og_patch_fail(og_scanner_t *scanner, const og_patch_op_t *op,
    const char *member, const unsigned char *at, const char *message);


#endif /* OG_PATCH_OP_H_INCLUDED_ */
