
/*
 * Copyright (C) order guard contributors
 *
 * JSON Patch as an upstream applies it (RFC 6902), on what jansson has read.
 */


#ifndef PATCH_APPLY_H_INCLUDED_
#define PATCH_APPLY_H_INCLUDED_


#include <jansson.h>
#include <stddef.h>


#define PATCH_TOKENS  16
#define PATCH_NAME    64


/* The reference tokens of a pointer, unescaped. */
typedef struct {
    size_t                n;
    char                  tokens[PATCH_TOKENS][PATCH_NAME];
} patch_path_t;


/* -1 where the pointer has too many tokens, or one that is too long. */
int patch_path(patch_path_t *path, const char *pointer);


/*
 * Applies one operation of a patch and returns the document that is then
 * there; *applied is 0 where the operation cannot be applied, as to members
 * of an object that are digits or "-".
 */
json_t *patch_apply(json_t *root, json_t *operation, int *applied);


#endif /* PATCH_APPLY_H_INCLUDED_ */
