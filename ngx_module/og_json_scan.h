
/*
 * Copyright (C) order guard contributors
 *
 * The state of a pass.  Private to og_json.c, which begins and ends it, and
 * og_json_scan.c, which does it.
 */


#ifndef OG_JSON_SCAN_H_INCLUDED_
#define OG_JSON_SCAN_H_INCLUDED_


#include "og_json.h"
#include "og_json_names.h"
#include "og_json_path.h"
#include "og_json_token.h"


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
typedef struct {
    const unsigned char  *part;       /* NULL between two of them */
    const unsigned char  *comma;      /* in front of the part */
    size_t                nparts;
    unsigned char         close;      /* "}", "]", or 0 for the document */
    og_json_fate_e        fate;
    og_json_fate_e        inner;      /* of parts that the rules pass */
    og_json_had_e         had;
    og_json_scope_t       names;
    og_place_t            place;
    og_place_t            element;    /* of all of them where alike */
    int                   alike;
} og_json_frame_t;


struct og_json_s {
    const og_json_rules_t *rules;     /* of this pass, as all below */
    const unsigned char  *data;
    const unsigned char  *end;
    const og_sketch_key_t *sketch_key;
    og_filter_t           filter;

    og_json_frame_t      *frame;      /* the innermost */
    og_json_frame_t      *frames;
    size_t                frames_alloc;

    og_place_t            place;      /* of the value at hand */
    og_fields_walk_t      walk;
    og_json_names_t       names;
    og_json_fault_t       fault;
    og_json_status_e      status;

    og_json_text_t        name;       /* that has escapes, without them */

    og_range_t           *cuts;
    size_t                ncuts;
    size_t                cuts_alloc;

    og_json_paths_t       pointer;
    og_json_paths_t       stripped;
    og_json_paths_t       rejected;

    og_json_result_t      result;
};


/*
 * Runs the pass that og_json_scan() has set up: fills status, fault, cuts
 * and the lists of pointers.
 */
void og_json_document(og_json_t *json);


/* Adds the pointer of the member or element at hand. */
void og_json_list(og_json_t *json, og_json_paths_t *paths);


#endif /* OG_JSON_SCAN_H_INCLUDED_ */
