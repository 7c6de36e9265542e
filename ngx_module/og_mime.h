
/*
 * Copyright (C) order guard contributors
 *
 * Words of header fields (RFC 9110, section 5.6), those of a request and
 * those of a part of a form.  Private to the files that read them.
 * Pure: libc only.
 */


#ifndef OG_MIME_H_INCLUDED_
#define OG_MIME_H_INCLUDED_


#include <stddef.h>


/* Bytes of a header field; data is its owner's. */
typedef struct {
    const unsigned char  *data;
    size_t                len;
} og_text_t;


#define og_text(literal)                                                      \
    { (const unsigned char *) (literal), sizeof(literal) - 1 }


/* First byte from p up to end that is no tchar (section 5.6.2), or end. */
const unsigned char *og_mime_token(const unsigned char *p,
    const unsigned char *end);


/*
 * Takes a quoted-string (section 5.6.4); p is at its opening quote, the
 * result behind its closing one.  NULL when it is not well-formed.
 */
const unsigned char *og_mime_quoted(const unsigned char *p,
    const unsigned char *end);


/* Whether two texts differ in the case of ASCII letters at the most. */
int og_mime_equal(og_text_t a, og_text_t b);


/* The same for the beginning, or the end, of a text. */
int og_mime_begins(og_text_t text, og_text_t with);
int og_mime_ends(og_text_t text, og_text_t with);


/*
 * Whether the word (in whatever case) stands somewhere in the text, and
 * somewhere behind it that byte: a parser that looks for "name=" without
 * knowing quotes would find one.  Takes time linear in the text.
 */
int og_mime_mentions(og_text_t text, og_text_t word, unsigned char mark);


#endif /* OG_MIME_H_INCLUDED_ */
