
/*
 * Copyright (C) order guard contributors
 *
 * The state of a pass over a body, and what all kinds of bodies have in
 * common: how a pass begins and ends, and how it notes what it finds.
 * Private to og_scanner.c and the files that scan.
 */


#ifndef OG_SCANNER_H_INCLUDED_
#define OG_SCANNER_H_INCLUDED_


#include "og_body.h"
#include "og_fault.h"
#include "og_json_names.h"
#include "og_json_steps.h"
#include "og_paths.h"


typedef struct {
    og_range_t           *elts;
    size_t                nelts;
    size_t                alloc;
} og_ranges_t;


/* The home of set n is elts[index[n]], if that is there and is of set n. */
typedef struct {
    og_home_t            *elts;
    size_t                nelts;
    size_t                alloc;
    size_t               *index;
    size_t                index_alloc;
} og_homes_t;


/* og_json_scan.h has what is in it. */
typedef struct og_json_frame_s  og_json_frame_t;


struct og_scanner_s {
    const og_body_rules_t *rules;     /* of this pass, as all below */
    const unsigned char  *data;       /* the body: offsets count from here */
    const unsigned char  *end;        /* of what is scanned at the moment */

    og_body_status_e      status;
    og_fault_t            fault;
    og_ranges_t           cuts;
    og_ranges_t           gaps;
    og_homes_t            homes;

    og_paths_t            base;       /* pointer to what is scanned */
    og_paths_t            pointer;
    og_paths_t            stripped;
    og_paths_t            rejected;

    og_place_t            place;      /* of the value at hand */
    uint64_t              spot;       /* likewise, as og_json_steps.h has it */
    og_fields_walk_t      walk;

    /* of a pass over JSON */

    og_filter_t           filter;
    og_json_frame_t      *frame;      /* the innermost */
    og_json_frame_t      *frames;
    size_t                frames_alloc;
    og_json_names_t       names;
    og_json_steps_t       steps;      /* of this pass and earlier ones */
    og_json_text_t        name;       /* that has escapes, without them */

    og_body_result_t      result;
};


/*
 * Begins a pass over data[0..len): all is cleared, place is the root.  -1,
 * and the status, when memory is short.  og_scanner_finish() ends it also
 * then.
 */
int og_scanner_begin(og_scanner_t *scanner, const og_body_rules_t *rules,
    const unsigned char *data, size_t len);


/* Ends a pass and makes its result. */
const og_body_result_t *og_scanner_finish(og_scanner_t *scanner);


/*
 * Notes that the bytes from start up to end go; what is noted later lies
 * behind.  A range that begins where the last one ends makes that longer.
 * Returns end, or NULL when memory is short.
 */
const unsigned char *og_scanner_cut(og_scanner_t *scanner,
    const unsigned char *start, const unsigned char *end);


/* The same for white space of JSON that stays. */
const unsigned char *og_scanner_gap(og_scanner_t *scanner,
    const unsigned char *start, const unsigned char *end);


/*
 * Notes that the field of the place at hand, which is cut, stood at at, if it
 * is one that the gateway writes and has not stood anywhere before.  Returns
 * at, or NULL when memory is short.
 */
const unsigned char *og_scanner_home(og_scanner_t *scanner,
    const unsigned char *at, int behind);


/* The range that was cut last; there is one. */
static inline og_range_t *
og_scanner_last_cut(og_scanner_t *scanner)
{
    return &scanner->cuts.elts[scanner->cuts.nelts - 1];
}


/* Ends the pass as short of memory.  NULL. */
static inline const unsigned char *
og_scanner_no_memory(og_scanner_t *scanner)
{
    scanner->status = OG_BODY_NO_MEMORY;

    return NULL;
}


/* Ends the pass as malformed, at a byte.  NULL. */
static inline const unsigned char *
og_scanner_fail(og_scanner_t *scanner, const unsigned char *at,
    const char *message)
{
    if (scanner->status != OG_BODY_NO_MEMORY) {
        scanner->status = OG_BODY_MALFORMED;
    }

    return og_fault(&scanner->fault, at, message);
}


#endif /* OG_SCANNER_H_INCLUDED_ */
