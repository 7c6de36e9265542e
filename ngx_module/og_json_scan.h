
/*
 * Copyright (C) order guard contributors
 *
 * The pass over JSON, for bodies that are JSON and for those that hold some.
 * Private to the files that scan.
 */


#ifndef OG_JSON_SCAN_H_INCLUDED_
#define OG_JSON_SCAN_H_INCLUDED_


#include "og_json_token.h"
#include "og_scanner.h"


/* What becomes of a value. */
typedef enum {
    OG_JSON_STAYS = 0,
    OG_JSON_GOES,             /* it is cut */
    OG_JSON_GONE              /* something around it is cut */
} og_json_fate_e;


/* What an object or array has had so far: tells which commas go. */
typedef enum {
    OG_JSON_HAD_NOTHING = 0,
    OG_JSON_HAD_CUT,          /* the last range is of parts that lead it */
    OG_JSON_HAD_KEPT
} og_json_had_e;


/*
 * An open object or array, or the document as a whole, which is the frame at
 * the bottom.  A part is a member (from its name on) or an element.
 */
struct og_json_frame_s {
    const unsigned char  *part;       /* NULL between two of them */
    const og_json_name_t *known;      /* its name, or NULL */
    const unsigned char  *comma;      /* in front of the part */
    size_t                nparts;
    unsigned char         close;      /* "}", "]", or 0 for the document */
    og_json_fate_e        inner;      /* what becomes of the part, or of the
                                         next one if no rule says more */
    og_json_had_e         had;
    og_json_scope_t       names;
    og_place_t            place;      /* of what it holds: known of the value
                                         at hand before its frame opens */
    uint64_t              spot;       /* of what it is the frame of */
    uint64_t              part_spot;  /* of the part at hand, if that opens a
                                         frame */

    /* of an array's elements, or of the one at hand where not alike */

    int                   alike;
    int                   passes;     /* whatever the element is */
    og_place_t            element;    /* unless it passes */
};


/* A member's name: as it stands, as the rules see it, and as it is known. */
typedef struct {
    og_json_raw_name_t    raw;
    og_name_t             name;
    og_json_name_t       *known;      /* or NULL */
} og_json_found_t;


/*
 * Scans p[0..len), a part of the scanner's body that is a whole document, as
 * the value at scanner->place, whose pointer is scanner->base.  Cuts lie
 * within it.  Not 0 when the pass is over: malformed, or short of memory.
 */
int og_json_document(og_scanner_t *scanner, const unsigned char *p,
    size_t len);


/*
 * For og_json_scan.c: takes a name that was not expected, with its colon.
 * Returns NULL where there is none, or when memory is short.
 */
const unsigned char *og_json_name(og_scanner_t *s, const unsigned char *p,
    og_json_found_t *found);


/*
 * For og_json_scan.c: asks the rules about the member found, or about the
 * element at hand; where elements are alike, about all.  Makes the place of
 * the part, and keeps the step.  -1 when memory is short.
 */
int og_json_match_anew(og_scanner_t *s, const og_json_found_t *found);
int og_json_find_element(og_scanner_t *s);


/*
 * For og_json_scan.c: turns what the rules say into a fate.  Returns p, or
 * NULL when memory is short.
 */
const unsigned char *og_json_decide(og_scanner_t *s, const unsigned char *p,
    og_field_verdict_e verdict);


/* Adds the pointer to the part at hand. */
void og_json_list(og_scanner_t *s, og_paths_t *paths);


/* Takes white space, of which a client that saves bytes has none. */
static inline const unsigned char *
og_json_space(og_scanner_t *s, const unsigned char *p)
{
    const unsigned char  *start;

    if (og_mostly(p < s->end && *p > ' ')) {
        return p;
    }

    start = p;
    p = og_json_skip_run(p, s->end);

    if (s->rules->find_gaps && p > start) {
        (void) og_scanner_gap(s, start, p);
    }

    return p;
}


/* Ends the pass as malformed between two parts of the innermost frame. */
static inline const unsigned char *
og_json_fail(og_scanner_t *s, const unsigned char *p, const char *message)
{
    s->frame->part = NULL;

    return og_scanner_fail(s, p, message);
}


/* Whether an object or array begins. */
static inline int
og_json_is_nested(unsigned char c)
{
    return c == '{' || c == '[';
}


#endif /* OG_JSON_SCAN_H_INCLUDED_ */
