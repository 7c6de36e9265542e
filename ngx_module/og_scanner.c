
/*
 * Copyright (C) order guard contributors
 *
 * A scanner's life: its memory, and what a pass begins and ends with.
 */


#include <stdlib.h>
#include <string.h>

#include "og_grow.h"
#include "og_json_scan.h"


static const unsigned char *og_scanner_add_range(og_scanner_t *scanner,
    og_ranges_t *ranges, const unsigned char *start,
    const unsigned char *end);
static void og_scanner_forget(og_scanner_t *scanner);
static void og_scanner_place_homes(og_scanner_t *scanner);
static void og_scanner_trim(og_scanner_t *scanner);
static int og_homes_reserve(og_homes_t *homes, size_t set);


og_scanner_t *
og_scanner_create(void)
{
    og_scanner_t  *scanner;

    scanner = calloc(1, sizeof(og_scanner_t));
    if (scanner == NULL) {
        return NULL;
    }

    og_json_names_init(&scanner->names);

    return scanner;
}


void
og_scanner_free(og_scanner_t *scanner)
{
    if (scanner == NULL) {
        return;
    }

    og_fields_walk_done(&scanner->walk);
    og_json_names_done(&scanner->names);
    free(scanner->frames);
    free(scanner->name.data);
    free(scanner->cuts.elts);
    free(scanner->gaps.elts);
    free(scanner->homes.elts);
    free(scanner->homes.index);
    free(scanner);
}


int
og_scanner_begin(og_scanner_t *scanner, const og_body_rules_t *rules,
    const unsigned char *data, size_t len)
{
    scanner->rules = rules;
    scanner->data = (len > 0) ? data : (const unsigned char *) "";
    scanner->end = scanner->data + len;
    scanner->status = OG_BODY_OK;
    scanner->spot = OG_JSON_NO_SPOT;

    memset(&scanner->fault, 0, sizeof(og_fault_t));
    memset(&scanner->place, 0, sizeof(og_place_t));
    scanner->cuts.nelts = 0;
    scanner->gaps.nelts = 0;
    scanner->homes.nelts = 0;

    og_paths_clear(&scanner->base);
    og_paths_clear(&scanner->pointer);
    og_paths_clear(&scanner->stripped);
    og_paths_clear(&scanner->rejected);

    og_trim(scanner->cuts.elts, scanner->cuts.alloc, sizeof(og_range_t));
    og_trim(scanner->gaps.elts, scanner->gaps.alloc, sizeof(og_range_t));

    if (rules->fields != NULL
        && og_fields_root(rules->fields, &scanner->walk, &scanner->place) != 0)
    {
        (void) og_scanner_no_memory(scanner);
        return -1;
    }

    return 0;
}


const og_body_result_t *
og_scanner_finish(og_scanner_t *scanner)
{
    og_body_result_t  *result;

    if (scanner->status != OG_BODY_OK && scanner->status != OG_BODY_FORBIDDEN)
    {
        og_scanner_forget(scanner);
    }

    og_scanner_place_homes(scanner);

    /* one by one: a memset() of this size costs more than a name does */

    result = &scanner->result;

    result->status = scanner->status;
    result->message = NULL;
    result->offset = 0;
    result->pointer = "";
    result->cuts = scanner->cuts.elts;
    result->ncuts = scanner->cuts.nelts;
    result->gaps = scanner->gaps.elts;
    result->ngaps = scanner->gaps.nelts;
    result->homes = scanner->homes.elts;
    result->nhomes = scanner->homes.nelts;
    result->stripped = scanner->stripped.text;
    result->rejected = scanner->rejected.text;

    if (scanner->status == OG_BODY_MALFORMED
        || scanner->status == OG_BODY_UNSUPPORTED)
    {
        result->message = scanner->fault.message;
        result->offset = (size_t) (scanner->fault.at - scanner->data);
        result->pointer = scanner->pointer.text;
    }

    og_scanner_trim(scanner);

    return result;
}


/* What is not understood has nothing to be cut. */
static void
og_scanner_forget(og_scanner_t *scanner)
{
    scanner->cuts.nelts = 0;
    scanner->gaps.nelts = 0;
    scanner->homes.nelts = 0;

    og_paths_clear(&scanner->stripped);
    og_paths_clear(&scanner->rejected);
}


/* From offsets in the body to offsets in what is kept of it. */
static void
og_scanner_place_homes(og_scanner_t *scanner)
{
    size_t       i, cut, gone;
    og_home_t   *home;
    og_range_t  *cuts;

    cuts = scanner->cuts.elts;
    cut = 0;
    gone = 0;

    for (i = 0; i < scanner->homes.nelts; i++) {
        home = &scanner->homes.elts[i];

        while (cut < scanner->cuts.nelts && cuts[cut].end <= home->at) {
            gone += cuts[cut].end - cuts[cut].start;
            cut++;
        }

        /* it stood in what is cut */

        if (cut < scanner->cuts.nelts && cuts[cut].start < home->at) {
            home->at = cuts[cut].start;
        }

        home->at -= gone;
    }
}


/* All but what the result points to, which the next pass gives back. */
static void
og_scanner_trim(og_scanner_t *scanner)
{
    og_fields_walk_trim(&scanner->walk);
    og_json_names_trim(&scanner->names);

    og_trim(scanner->frames, scanner->frames_alloc, sizeof(og_json_frame_t));
    og_trim(scanner->name.data, scanner->name.alloc, 1);
}


const unsigned char *
og_scanner_cut(og_scanner_t *scanner, const unsigned char *start,
    const unsigned char *end)
{
    return og_scanner_add_range(scanner, &scanner->cuts, start, end);
}


const unsigned char *
og_scanner_gap(og_scanner_t *scanner, const unsigned char *start,
    const unsigned char *end)
{
    return og_scanner_add_range(scanner, &scanner->gaps, start, end);
}


static const unsigned char *
og_scanner_add_range(og_scanner_t *scanner, og_ranges_t *ranges,
    const unsigned char *start, const unsigned char *end)
{
    void        *grown;
    og_range_t  *range;

    if (ranges->nelts > 0) {
        range = &ranges->elts[ranges->nelts - 1];

        if (range->end == (size_t) (start - scanner->data)) {
            range->end = (size_t) (end - scanner->data);
            return end;
        }
    }

    if (ranges->nelts == ranges->alloc) {
        grown = og_grow(ranges->elts, &ranges->alloc, ranges->nelts + 1,
                        sizeof(og_range_t));
        if (grown == NULL) {
            return og_scanner_no_memory(scanner);
        }

        ranges->elts = grown;
    }

    range = &ranges->elts[ranges->nelts++];

    range->start = (size_t) (start - scanner->data);
    range->end = (size_t) (end - scanner->data);

    return end;
}


const unsigned char *
og_scanner_home(og_scanner_t *scanner, const unsigned char *at, int behind)
{
    size_t       n, set;
    og_home_t   *home;
    og_homes_t  *homes;

    if (scanner->place.home == 0) {
        return at;
    }

    homes = &scanner->homes;
    set = scanner->place.home - 1;

    if (og_homes_reserve(homes, set) != 0) {
        return og_scanner_no_memory(scanner);
    }

    n = homes->index[set];

    if (n < homes->nelts && homes->elts[n].set == set) {
        return at;
    }

    homes->index[set] = homes->nelts;
    home = &homes->elts[homes->nelts++];

    home->set = set;
    home->at = (size_t) (at - scanner->data);
    home->behind = behind;

    return at;
}


/* Makes room for one more home, and for that set in the index. */
static int
og_homes_reserve(og_homes_t *homes, size_t set)
{
    void    *grown;
    size_t   alloc;

    if (homes->nelts == homes->alloc) {
        grown = og_grow(homes->elts, &homes->alloc, homes->nelts + 1,
                        sizeof(og_home_t));
        if (grown == NULL) {
            return -1;
        }

        homes->elts = grown;
    }

    if (set >= homes->index_alloc) {
        alloc = homes->index_alloc;

        grown = og_grow(homes->index, &homes->index_alloc, set + 1,
                        sizeof(size_t));
        if (grown == NULL) {
            return -1;
        }

        homes->index = grown;
        memset(homes->index + alloc, 0,
               (homes->index_alloc - alloc) * sizeof(size_t));
    }

    return 0;
}
