
/*
 * Copyright (C) order guard contributors
 *
 * What a rule set is made of.  Private to the og_fields_* files.
 */


#ifndef OG_FIELDS_SET_H_INCLUDED_
#define OG_FIELDS_SET_H_INCLUDED_


#include <string.h>

#include "og_fields.h"
#include "og_trie.h"


/* The deny node whose children are the bare names. */
#define OG_FIELDS_ANYWHERE  2


/* What a rule says of the node where its path ends. */
#define OG_MARK_STRIP      0x01
#define OG_MARK_REJECT     0x02
#define OG_MARK_SET        0x04
#define OG_MARK_LISTED     0x08
#define OG_MARK_ALL_BELOW  0x10

/* of nodes, not rules: any name, or an index, leads on from here */
#define OG_MARK_ANY_BELOW  0x20
#define OG_MARK_INDEXED    0x40

/* of a place: it is OG_FIELD_STRAY */
#define OG_MARK_STRAY      0x80

/* a value is taken, and all that is in it */
#define OG_MARK_TAKEN      (OG_MARK_STRIP|OG_MARK_REJECT|OG_MARK_SET)


typedef enum {
    OG_TOKEN_NAME = 0,
    OG_TOKEN_ANY,
    OG_TOKEN_ALL_BELOW,
    OG_TOKEN_WRONG
} og_token_e;


/* A rule that is being read: what is left of it, and the token at hand. */
typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;

    unsigned char        *name;       /* unescaped; room for the whole text */
    size_t                len;
    og_token_e            token;
    int                   bare;       /* no pointer but one name */
} og_rule_t;


/* A rule as it was added: all are looked at once more when all are known. */
typedef struct {
    og_field_action_e     action;
    char                 *text;
    size_t                len;
} og_added_t;


/* What a byte does to a name that is taken as a path. */
typedef enum {
    OG_PATH_GOES_ON = 0,
    OG_PATH_BREAKS,           /* between two names */
    OG_PATH_SKIPS             /* all up to the next break is left out */
} og_path_byte_e;


struct og_fields_s {
    uint64_t              id;         /* from og_fields_compile() */
    og_match_e            match;
    og_fold_t             fold;
    unsigned char         narrow_path[256];  /* og_path_byte_e */
    unsigned char         json_path[256];
    unsigned char         form_path[256];
    og_filter_t           filter;     /* of all names in deny */
    uint64_t             *filter_words;

    og_trie_t             deny;       /* strip, reject and set; names folded;
                                         number: 1 + the set rule */
    og_trie_t             allow;      /* names as they are */
    og_trie_t             own;        /* set; the last name folded; number
                                         likewise */
    size_t                step;       /* states that one step may write */
    size_t                front;      /* "_" and the like, at most, that a
                                         name of deny begins with */

    og_added_t           *added;
    size_t                nadded;
    size_t                added_alloc;
    size_t                nallowed;
    size_t                nset;

    char                 *sentence;   /* that was returned last */
    size_t                clash[2];   /* the rules that it is about */
};


extern const char  og_fields_no_memory[];


/* Begins to read a rule, which is not empty; name has room for its text. */
void og_rule_init(og_rule_t *rule, const char *text, size_t len,
    unsigned char *name);


/* Takes the next reference token; 0 when there is none left. */
int og_rule_next(og_rule_t *rule);


/*
 * What a form ignores in front of a name: some binders take "_price" and
 * "!price" for what becomes of price when it is missing.
 */
static inline int
og_fields_is_front(unsigned char c)
{
    return c == '_' || c == '!';
}


/* Whether a token is an index of an array: digits. */
static inline int
og_name_is_index(const unsigned char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (p[i] < '0' || p[i] > '9') {
            return 0;
        }
    }

    return len > 0;
}


/* Some binders take "-1" for the last element, and "-0" for the first. */
static inline int
og_name_is_signed(const unsigned char *p, size_t len)
{
    return len > 1 && (p[0] == '-' || p[0] == '+')
           && og_name_is_index(p + 1, len - 1);
}


/* Whether it matters to which element of an array the states lead on. */
static inline int
og_fields_are_indexed(const og_trie_t *trie, const uint32_t *states,
    size_t from, size_t to)
{
    for ( /* void */ ; from < to; from++) {

        if (trie->nodes[states[from]].marks & OG_MARK_INDEXED) {
            return 1;
        }
    }

    return 0;
}


/* NULL, or a sentence that says which rules contradict one another. */
const char *og_fields_contradiction(og_fields_t *fields);


/* Makes room for the states of a step, and for a folded name. */
int og_fields_reserve(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, size_t name_len);


/*
 * The following want room for a step from parent, and the name.  Places are
 * made of deny alone, which og_fields_list() completes.
 */


/* A place of which nothing is known yet; its states are to stand at. */
static inline og_place_t
og_fields_unknown(size_t at)
{
    og_place_t  place;

    memset(&place, 0, sizeof(og_place_t));

    place.deny = at;
    place.allow = at;
    place.end = at;

    return place;
}


/* Makes the place of what deny says of a member. */
void og_fields_deny_member(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *name, og_place_t *place);


/* The same for what no bare name matches: an index, or any name (NULL). */
void og_fields_deny_other(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *name, og_place_t *place);


/* Adds to place what it is by a folded name, in the walk's buffer or not. */
void og_fields_deny_also(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *key, og_place_t *place);


/*
 * Adds to place what the folded name key, taken as a path by the table
 * bytes, leads to; rules may have names with such bytes, so that it is taken
 * by the narrow table, too.
 */
void og_fields_deny_paths(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *key,
    const unsigned char *bytes, og_place_t *place);


/* Adds what an index leads to that has zeros in front: "00" for 0. */
void og_fields_deny_index(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const unsigned char *index, size_t len,
    og_place_t *place);


/*
 * Adds the states [from, to), which are none of place's, to those.  A set has
 * no state twice, so that it cannot outgrow the tree.
 */
void og_fields_unite(uint32_t *states, og_place_t *place, size_t from,
    size_t to);


/* Which set rule's own place one with the deny states [from, to) is. */
size_t og_fields_find_home(const og_fields_t *fields,
    const og_fields_walk_t *walk, size_t from, size_t to);


/* Finds what allow says of a place of which all else is known. */
void og_fields_list(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *parent, const og_name_t *name, og_place_t *place);


/*
 * The same for a field of a form.  Returns 1 where it is open which element
 * of an array is meant.
 */
int og_fields_list_field(const og_fields_t *fields, og_fields_walk_t *walk,
    const og_place_t *root, const unsigned char *name, size_t len,
    og_place_t *place);


/* What an array is listed with, its elements are, too. */
static inline void
og_fields_list_element(const og_place_t *array, og_place_t *element)
{
    if (element->listing < OG_LISTED_ITSELF
        && array->listing == OG_LISTED_ITSELF)
    {
        element->listing = OG_LISTED_ITSELF;
    }
}


/*
 * Whether strip or reject takes all that the token stands for below place,
 * which moves on to there.  Returns -1 when memory is short.
 */
int og_fields_denies(const og_fields_t *fields, og_fields_walk_t *walk,
    og_place_t *place, og_token_e token, const og_name_t *name);


#endif /* OG_FIELDS_SET_H_INCLUDED_ */
