
/*
 * Copyright (C) order guard contributors
 *
 * Rules as fuzzers read them from the first line of an input: the match mode
 * ("l", "c", "e"; in capitals where unlisted fields are refused), then
 * "s:price r:/role a:/items/0/sku w:user_id"; w is set.
 */


#ifndef RULES_H_INCLUDED_
#define RULES_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "og_fields.h"
#include "og_set.h"


#define RULES      8        /* that are kept below */
#define RULE_NAME  256      /* no rule is longer */


typedef struct {
    og_fields_t          *fields;     /* NULL: there are none */
    int                   has_pointers;
    int                   has_allow;
    int                   has_strip;
    int                   reject_unlisted;

    size_t                nbare;      /* names of strip */
    struct {
        const char       *text;
        size_t            len;
    } bare[RULES];

    size_t                nsets;      /* in the order of the rules; values are
                                         the caller's to fill in */
    og_set_t              sets[RULES];
} rules_t;


/*
 * Reads the rules of line[0..len), to which they point.  Returns -1 where they
 * are none, or contradict each other; else rules_done() frees them.
 */
int rules_read(rules_t *rules, const char *line, size_t len);
void rules_done(rules_t *rules);


/* Ends the program where something does not hold. */
void check(int holds);


#endif /* RULES_H_INCLUDED_ */
