
/*
 * Copyright (C) order guard contributors
 *
 * Folding: the form in which names are compared.  Private to og_fields.
 * Pure: libc only.
 */


#ifndef OG_FOLD_H_INCLUDED_
#define OG_FOLD_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "og_sketch.h"


/* What is ignored where names compare. */
typedef enum {
    OG_MATCH_EXACT = 0,
    OG_MATCH_CASELESS,        /* case, of ASCII and of what maps to ASCII */
    OG_MATCH_LOOSE            /* and "_", "-" and space */
} og_match_e;


/* What bytes become: 0 is ignored; the upper half is og_fold()'s own. */
typedef struct {
    uint16_t              byte[256];
} og_fold_t;


typedef struct {
    size_t                len;
    int                   is_path;    /* has one of . [ ( > / */
} og_folded_t;


void og_fold_init(og_fold_t *fold, og_match_e match);


/*
 * Folds a name to dst, which has room for len bytes and may be src.  NUL is
 * left out, and what is no UTF-8 stays as it is.
 *
 * Caseless are ASCII letters and what Unicode's case mappings make of other
 * characters, where that is ASCII: U+0130 and U+0131 are i, U+017F is s,
 * U+212A is k, U+00DF and U+1E9E are ss, and the ligatures U+FB00 to U+FB06
 * are their letters.
 */
og_folded_t og_fold(const og_fold_t *fold, unsigned char *dst,
    const unsigned char *src, size_t len);


/* The same for names whose sketch is not odd; returns the length. */
size_t og_fold_plain(const og_fold_t *fold, unsigned char *dst,
    const unsigned char *src, size_t len);


#endif /* OG_FOLD_H_INCLUDED_ */
