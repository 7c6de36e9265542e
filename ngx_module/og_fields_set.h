
/*
 * Copyright (C) order guard contributors
 *
 * What a rule set is made of.  Private to the og_fields_* files.
 */


#ifndef OG_FIELDS_SET_H_INCLUDED_
#define OG_FIELDS_SET_H_INCLUDED_


#include "og_fields.h"
#include "og_trie.h"


/* The deny node whose children are the bare names. */
#define OG_FIELDS_ANYWHERE  2


/* What a rule says of the node where its path ends. */
#define OG_MARK_STRIP      1
#define OG_MARK_REJECT     2
#define OG_MARK_LISTED     4
#define OG_MARK_ALL_BELOW  8

/* of nodes, not rules: what is below, whatever its name, is on a path */
#define OG_MARK_ANY_BELOW  16


typedef enum {
    OG_TOKEN_NAME = 0,
    OG_TOKEN_ANY,
    OG_TOKEN_ALL_BELOW,
    OG_TOKEN_WRONG
} og_token_e;


typedef struct {
    char                 *text;
    size_t                len;
} og_allowed_t;


struct og_fields_s {
    og_fold_t             fold;
    og_filter_t           filter;     /* of all names in deny */
    uint64_t             *filter_words;

    og_trie_t             deny;       /* strip and reject; names folded */
    og_trie_t             allow;      /* names as they are */
    size_t                step;       /* states that one step may write */

    og_allowed_t         *allowed;
    size_t                nallowed;
    size_t                allowed_alloc;
};


/* Makes room for the states of a step, and for a folded name. */
int og_fields_reserve(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, size_t name_len);


/* A name as it is given, of which room bytes may be read. */
og_name_t og_fields_name(const og_fields_t *fields, const unsigned char *data,
    size_t len, size_t room);


/*
 * Whether strip or reject takes all that the token stands for below place,
 * which moves on to there.  Returns -1 when memory is short.
 */
int og_fields_denies(const og_fields_t *fields, og_fields_walk_t *walk,
    og_place_t *place, og_token_e token, const og_name_t *name);


#endif /* OG_FIELDS_SET_H_INCLUDED_ */
