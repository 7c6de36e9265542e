
/*
 * Copyright (C) order guard contributors
 *
 * Lists of JSON Pointers, bounded, in characters that are harmless in log
 * lines and header fields.  Private to og_json.  Pure: libc only.
 */


#ifndef OG_JSON_PATH_H_INCLUDED_
#define OG_JSON_PATH_H_INCLUDED_


#include <stddef.h>


#define OG_JSON_PATHS_SIZE  4096


typedef struct {
    char                  text[OG_JSON_PATHS_SIZE + sizeof(",...")];
    size_t                len;
    int                   full;       /* ends in "..." */
} og_json_paths_t;


void og_json_paths_clear(og_json_paths_t *paths);


/*
 * One pointer is added in three steps: begin(), one name() or index() per
 * reference token, end(start) with what begin() returned.  One that does not
 * fit goes as a whole: "..." stands for it and all that follow.  name is raw
 * (escaped, as in the document), without quotes.
 */
size_t og_json_paths_begin(og_json_paths_t *paths);
void og_json_paths_name(og_json_paths_t *paths, const unsigned char *name);
void og_json_paths_index(og_json_paths_t *paths, size_t index);
void og_json_paths_end(og_json_paths_t *paths, size_t start);


#endif /* OG_JSON_PATH_H_INCLUDED_ */
