
/*
 * Copyright (C) order guard contributors
 *
 * Media types (RFC 9110, section 8.3): which bodies are understood.
 * Pure: libc only.
 */


#ifndef OG_MEDIA_H_INCLUDED_
#define OG_MEDIA_H_INCLUDED_


#include <stddef.h>


#define OG_MEDIA_BOUNDARY_MAX  70


typedef enum {
    OG_MEDIA_OTHER = 0,       /* not understood, or not well-formed */
    OG_MEDIA_JSON,            /* application/json and application/...+json */
    OG_MEDIA_PATCH,           /* application/json-patch+json (RFC 6902) */
    OG_MEDIA_FORM,            /* application/x-www-form-urlencoded */
    OG_MEDIA_MULTIPART,       /* multipart/form-data (RFC 7578) */
    OG_MEDIA_TEXT,            /* text/plain: a part of a form, never a body */
    OG_MEDIA_OPAQUE           /* has no fields: images, application/pdf, ... */
} og_media_e;


typedef struct {
    og_media_e            type;
    size_t                len;        /* of "type/subtype" */
    const unsigned char  *boundary;   /* of MULTIPART: within the value */
    size_t                boundary_len;
} og_media_t;


/*
 * Reads the value of a Content-Type, without white space around it; len is
 * set whatever the type is, and ends at the first space, tab or ";".
 *
 * OTHER, too, where a parameter is repeated or not well-formed (RFC 9110,
 * section 5.6.6), where there are more than 16 of them, where a charset is
 * given that is not UTF-8 (of TEXT and OPAQUE any may be: nothing is read in
 * them), in the notation of RFC 2231, or in the quotes of another parameter.
 * MULTIPART has no other parameters than these two, is written in lower case,
 * and has no space in front of the first ";".
 *
 * A boundary (RFC 2046, section 5.1.1) has 1 to 70 of the characters that all
 * parsers read alike: letters, digits, "+", "-", ".", "_", and in quotes "/",
 * ":", "=", too; it does not say "boundary=" itself.
 */
og_media_t og_media_read(const unsigned char *value, size_t len);


#endif /* OG_MEDIA_H_INCLUDED_ */
