
/*
 * Copyright (C) order guard contributors
 *
 * Patches, the documents that they are for, and rules, all made up at random.
 */


#ifndef PATCH_RANDOM_H_INCLUDED_
#define PATCH_RANDOM_H_INCLUDED_


#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "json_model.h"


#define PATCH_SIZE  65536


typedef struct {
    uint64_t              state;      /* of the generator; not 0 */
    int                   with_copies;
    int                   with_arrays;    /* in values */

    unsigned char         text[PATCH_SIZE];
    size_t                len;
    size_t                nscalars;   /* "s0", "s1", ...: all are different */
} patch_random_t;


/* The names of which rules are made; there are others in patches. */
extern const char  *patch_vocabulary[];
extern const size_t patch_nvocabulary;


/* Makes an object or array. */
void patch_random_document(patch_random_t *made);


/* Makes a patch; most pointers of it lead into target where that is given. */
void patch_random_patch(patch_random_t *made, json_t *target);


/*
 * Makes rules that do not contradict one another, and compiles them; with
 * indices some tell elements by their index.
 */
og_fields_t *patch_random_rules(patch_random_t *made, model_rules_t *rules,
    int with_indices);


/* What jansson reads, or NULL. */
json_t *patch_read(const unsigned char *data, size_t len);


#endif /* PATCH_RANDOM_H_INCLUDED_ */
