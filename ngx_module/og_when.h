
/*
 * Copyright (C) order guard contributors
 *
 * Answers that come with a status of success and say in their body that they
 * are none.  Pure: libc and og_json only.
 */


#ifndef OG_WHEN_H_INCLUDED_
#define OG_WHEN_H_INCLUDED_


#include <stddef.h>

#include "og_json.h"


/* A value that a body may have, and the status that it stands for. */
typedef struct {
    const char           *pointer;    /* RFC 6901, NUL-terminated */
    og_json_value_t       value;      /* a scalar; a string as its text */
    unsigned              status;
} og_when_t;


/*
 * Reads a JSON literal: true, false, null, a number, or a string with its
 * quotes and without escapes; a word that is none of these is a string.
 * value points into text.  Returns NULL, or a static sentence that says what
 * is wrong: an array, an object, a quote or a backslash in the text, or that
 * memory is short.
 */
const char *og_when_value(og_json_value_t *value, const char *text,
    size_t len);


/*
 * The status of the first of n rules whose value stands in the body: of the
 * same type and the same text (numbers: the same digits).  0: none does, or the
 * body is no strict JSON of at most 64 levels.  -1: memory is short.
 */
int og_when_status(const og_when_t *rules, size_t n,
    const unsigned char *body, size_t len);


#endif /* OG_WHEN_H_INCLUDED_ */
