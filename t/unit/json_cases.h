
/*
 * Copyright (C) order guard contributors
 *
 * Reads the cases of t/unit/json; its README.md says what they look like.
 */


#ifndef JSON_CASES_H_INCLUDED_
#define JSON_CASES_H_INCLUDED_


#include <stddef.h>

#include "og_json.h"
#include "og_set.h"


#define JSON_CASES       "t/unit/json"
#define JSON_CASE_SIZE   2048
#define JSON_CASE_SETS   8


typedef struct {
    unsigned char         data[JSON_CASE_SIZE];
    size_t                len;
    int                   given;
} json_text_t;


typedef struct {
    char                  file[64];
    int                   line;       /* of its first line */

    char                  name[JSON_CASE_SIZE];
    char                  strip[JSON_CASE_SIZE];
    char                  reject[JSON_CASE_SIZE];
    char                  allow[JSON_CASE_SIZE];
    char                  set[JSON_CASE_SIZE];
    char                  homeless[JSON_CASE_SIZE];
    char                  stripped[JSON_CASE_SIZE];
    char                  rejected[JSON_CASE_SIZE];
    char                  error[JSON_CASE_SIZE];
    char                  pointer[JSON_CASE_SIZE];

    og_match_e            match;
    unsigned              reject_unlisted;
    size_t                depth;
    size_t                offset;

    json_text_t           in;
    json_text_t           out;
    json_text_t           written;
} json_case_t;


typedef void (*json_case_pt)(const json_case_t *row);


/* Runs check on each case of a file; returns how many there were. */
size_t json_cases(const char *folder, const char *file, json_case_pt check);


/*
 * The compiled rules of a case, NULL where it has none.  *wrong is what is
 * wrong with them, or NULL.
 */
og_fields_t *json_case_fields(const json_case_t *row, const char **wrong);


/*
 * Reads sets: "field=string", "field#number" and "field?boolean", separated
 * by spaces; they point into text.  Returns how many, JSON_CASE_SETS at most.
 */
size_t json_case_sets(const char *text, og_set_t *sets);


#endif /* JSON_CASES_H_INCLUDED_ */
