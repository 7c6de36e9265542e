
/*
 * Copyright (C) order guard contributors
 *
 * Lists of JSON Pointers, bounded, in characters that are harmless in log
 * lines and header fields.  Private to the files that scan.  Pure: libc only.
 */


#ifndef OG_PATHS_H_INCLUDED_
#define OG_PATHS_H_INCLUDED_


#include <stddef.h>
#include <string.h>


#define OG_PATHS_SIZE   4096
#define OG_PATHS_SHORT  31


typedef struct {
    size_t                len;
    int                   full;       /* nothing more fits */
    int                   ended;      /* and "..." says so */
    char                  text[OG_PATHS_SIZE + sizeof(",...")];
} og_paths_t;


static inline void
og_paths_clear(og_paths_t *paths)
{
    paths->len = 0;
    paths->full = 0;
    paths->ended = 0;
    paths->text[0] = '\0';
}


/*
 * One pointer is added in three steps: begin(), one name(), index() or plain()
 * per reference token, end(start) with what begin() returned.  One that does
 * not fit goes as a whole: "..." stands for it and all that follow.  name()
 * takes a raw name of JSON (escaped, as in the document) that ends with a
 * quote, plain() any bytes.  join() adds the tokens of a list that holds one
 * pointer.
 */
size_t og_paths_begin(og_paths_t *paths);
void og_paths_name(og_paths_t *paths, const unsigned char *name);
void og_paths_index(og_paths_t *paths, size_t index);
void og_paths_plain(og_paths_t *paths, const unsigned char *name, size_t len);
void og_paths_join(og_paths_t *paths, const og_paths_t *tokens);
void og_paths_end(og_paths_t *paths, size_t start);


/* Whether a name is in a pointer what it is in the document. */
int og_paths_is_plain(const unsigned char *name, size_t len);


/*
 * The same as og_paths_name() for such a name, which is no longer than
 * OG_PATHS_SHORT: so many bytes may be read.
 */
static inline void
og_paths_short_name(og_paths_t *paths, const unsigned char *name, size_t len)
{
    if (paths->full || OG_PATHS_SIZE - paths->len < 1 + OG_PATHS_SHORT) {
        og_paths_name(paths, name);
        return;
    }

    paths->text[paths->len] = '/';
    memcpy(paths->text + paths->len + 1, name, OG_PATHS_SHORT);
    paths->len += 1 + len;
}


#endif /* OG_PATHS_H_INCLUDED_ */
