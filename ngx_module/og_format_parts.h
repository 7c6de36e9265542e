
/*
 * Copyright (C) order guard contributors
 *
 * The inside of a format, shared by what reads it and what fills it in.
 */


#ifndef OG_FORMAT_PARTS_H_INCLUDED_
#define OG_FORMAT_PARTS_H_INCLUDED_


#include "og_format.h"
#include "og_json.h"


typedef enum {
    OG_FORMAT_STATUS = 0,
    OG_FORMAT_CODE,
    OG_FORMAT_MESSAGE,
    OG_FORMAT_DETAILS,
    OG_FORMAT_TRACE_ID,
    OG_FORMAT_ORIGIN,
    OG_FORMAT_RETRYABLE,
    OG_FORMAT_SAFE_NEW_KEY,
    OG_FORMAT_LITERAL,                /* it is spelled out */
    OG_FORMAT_AROUND                  /* a container with something in it */
} og_format_part_e;

#define OG_FORMAT_PARTS  OG_FORMAT_LITERAL


/* Where a part is filled in. */
typedef struct {
    size_t                at;         /* offset in the format's text */
    og_format_part_e      part;
} og_format_hole_t;


/*
 * A value and where it stands.  Containers stand in front of what is in them.
 */
typedef struct {
    char                 *pointer;    /* RFC 6901 */
    og_format_part_e      part;
    og_json_value_t       value;      /* of a literal, in the format's text */
} og_format_leaf_t;


struct og_format_s {
    char                 *text;       /* without space and without parts */
    size_t                len;

    og_format_hole_t     *holes;
    size_t                nholes;
    size_t                holes_alloc;
    size_t                levels;     /* around the deepest "$details" */

    og_format_leaf_t     *leaves;
    size_t                nleaves;
    size_t                leaves_alloc;
};


#endif /* OG_FORMAT_PARTS_H_INCLUDED_ */
