
/*
 * Copyright (C) order guard contributors
 *
 * What a scanner is told and what it finds, whatever the body is: the rules,
 * the ranges of bytes that go, and how to copy what stays.  Nothing is ever
 * re-serialised.  Pure: libc only.
 */


#ifndef OG_BODY_H_INCLUDED_
#define OG_BODY_H_INCLUDED_


#include <stddef.h>

#include "og_fields.h"


typedef enum {
    OG_BODY_OK = 0,
    OG_BODY_MALFORMED,        /* see message, offset, pointer */
    OG_BODY_UNSUPPORTED,      /* likewise: a part that is not understood */
    OG_BODY_FORBIDDEN,        /* a reject rule matched: rejected lists where */
    OG_BODY_NO_MEMORY
} og_body_status_e;


typedef struct {
    size_t                start;      /* first byte that goes */
    size_t                end;        /* first byte that stays */
} og_range_t;


/* Where a field stood that the gateway writes, and where it is to be put. */
typedef struct {
    size_t                set;        /* as og_fields_add() numbered it */
    size_t                at;         /* offset in what is kept */
    int                   behind;     /* something in front of it stays */
} og_home_t;


typedef struct {
    const og_fields_t    *fields;     /* compiled; NULL: validate only */
    size_t                max_depth;  /* of nested arrays and objects */
    unsigned              reject_unlisted:1;  /* not cut but refused */
    unsigned              find_gaps:1;        /* for og_body_copy_canonical() */
} og_body_rules_t;


/*
 * What a pass found.  All pointers belong to the scanner and stay valid until
 * its next pass or end.
 *
 * Texts are JSON Pointers (RFC 6901), comma-separated, never NULL, and hold
 * visible ASCII only: in names, all other bytes and the four characters '"',
 * '%', ',' and '\' are written as "%" and two hex digits (RFC 3986 section
 * 2.1).  They are bounded: pointers that are not within the first 4096 bytes
 * are left out whole, and "..." stands for them.  In JSON they lead to places
 * of the input; in a form "a[b]" and "a.b" are "/a/b"; in a JSON Patch they
 * are the operations' targets.
 *
 * A body that is FORBIDDEN has its cuts, for a dry run; one that is MALFORMED
 * has none.  What is within something cut is not named again, unless it is
 * rejected.
 */
typedef struct {
    og_body_status_e      status;
    const char           *message;    /* static; what is malformed, or NULL */
    size_t                offset;     /* of the offending byte, word or name */
    const char           *pointer;    /* where it is malformed */

    const og_range_t     *cuts;       /* ascending, disjoint, not empty */
    size_t                ncuts;
    const og_range_t     *gaps;       /* likewise: white space between words */
    size_t                ngaps;
    const og_home_t      *homes;      /* one at most per set, ascending */
    size_t                nhomes;
    const char           *stripped;   /* pointers of what is cut */
    const char           *rejected;   /* pointers of what is forbidden */
} og_body_result_t;


/* Scratch memory of all passes: one per worker, for one body at a time. */
typedef struct og_scanner_s  og_scanner_t;


/* Returns NULL when memory is short; the caller ends it with ..._free(). */
og_scanner_t *og_scanner_create(void);


/* Frees the scanner and all that its results point to; NULL is fine. */
void og_scanner_free(og_scanner_t *scanner);


/* Length of a body without the cuts. */
size_t og_body_kept_length(const og_body_result_t *result, size_t len);


/*
 * Copies data without the cuts to dst, which has room for
 * og_body_kept_length() bytes, and returns the end of what was written.
 */
unsigned char *og_body_copy_kept(unsigned char *dst,
    const og_body_result_t *result, const unsigned char *data, size_t len);


/* The same without the gaps: what a fingerprint is made of. */
unsigned char *og_body_copy_canonical(unsigned char *dst,
    const og_body_result_t *result, const unsigned char *data, size_t len);


#endif /* OG_BODY_H_INCLUDED_ */
