
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
    OG_MATCH_CASELESS,        /* case: ASCII, U+017F for s, U+212A for k */
    OG_MATCH_LOOSE            /* and "_" and "-" */
} og_match_e;


/* What bytes become: 0 is ignored; the upper half is og_fold()'s own. */
typedef struct {
    uint16_t              byte[256];
    og_sketch_key_t       sketch;     /* the same for og_sketch() */
} og_fold_t;


typedef struct {
    size_t                len;
    int                   is_path;    /* has a "." or "[" */
} og_folded_t;


void og_fold_init(og_fold_t *fold, og_match_e match);


/*
 * Folds a name, which is UTF-8 and without NUL, to dst, which has room for
 * len bytes and may be src.
 */
og_folded_t og_fold(const og_fold_t *fold, unsigned char *dst,
    const unsigned char *src, size_t len);


/* The same for names whose sketch is not odd; returns the length. */
size_t og_fold_plain(const og_fold_t *fold, unsigned char *dst,
    const unsigned char *src, size_t len);


#endif /* OG_FOLD_H_INCLUDED_ */
