
/*
 * Copyright (C) order guard contributors
 *
 * The parts of a multipart body (RFC 2046, section 5.1.1, RFC 7578), one
 * after the other.  Private to the og_multipart* files.  Pure: libc only.
 */


#ifndef OG_PART_H_INCLUDED_
#define OG_PART_H_INCLUDED_


#include "og_fault.h"
#include "og_media.h"
#include "og_mime.h"


/*
 * Bytes of a part's header.  There are parsers that take what does not fit
 * into their buffer, the smallest of which has 5120 bytes, for another line.
 */
#define OG_PART_HEADER_MAX  4096


/* Texts whose len is 0 are not there. */
typedef struct {
    const unsigned char  *start;      /* its delimiter */
    const unsigned char  *header;
    const unsigned char  *content;    /* behind the empty line */
    const unsigned char  *end;        /* of the content */
    const unsigned char  *next;       /* the delimiter behind CRLF */

    og_text_t             name;       /* without quotes, as it was sent */
    og_text_t             type;       /* value of Content-Type */
    og_text_t             length;     /* value of Content-Length */
    og_text_t             length_line;  /* with its CRLF */
    og_media_t            media;      /* TEXT where there is no type */
    int                   has_filename;

    og_text_t             line;       /* that is read at the moment */
    unsigned              fields;     /* that have been read, as bits */
} og_part_t;


typedef struct {
    const unsigned char  *next;       /* delimiter */
    const unsigned char  *end;        /* of the body */
    unsigned char         delimiter[sizeof("--") - 1 + OG_MEDIA_BOUNDARY_MAX];
    size_t                delimiter_len;
    og_fault_t            fault;
} og_parts_t;


/* Begins with data[0..len), whose Content-Type is media. */
void og_parts_begin(og_parts_t *parts, const og_media_t *media,
    const unsigned char *data, size_t len);


/*
 * Takes the next part; all of them together take time linear in the body.
 * Returns 1, or 0 behind the last one, or -1 and sets the fault: the part's
 * name is set then if that could be read.  Whether name and media type are
 * fine is for the caller to say.
 */
int og_parts_next(og_parts_t *parts, og_part_t *part);


/* Where the delimiter begins in p[0..len), or NULL. */
const unsigned char *og_parts_find(const og_parts_t *parts,
    const unsigned char *p, size_t len);


/*
 * Reads the header that begins at part->header and ends with an empty line
 * in front of part->end.  Returns -1 and sets fault when it is malformed.
 */
int og_part_read(og_part_t *part, og_fault_t *fault);


#endif /* OG_PART_H_INCLUDED_ */
