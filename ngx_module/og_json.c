
/*
 * Copyright (C) order guard contributors
 *
 * A scanner's life: its memory, and what a pass begins and ends with.
 */


#include <stdlib.h>
#include <string.h>

#include "og_grow.h"
#include "og_json_scan.h"


static int og_json_begin(og_json_t *json, const og_json_rules_t *rules,
    const unsigned char *data, size_t len);
static const og_json_result_t *og_json_finish(og_json_t *json);
static void og_json_trim(og_json_t *json);


og_json_t *
og_json_create(void)
{
    og_json_t  *json;

    json = calloc(1, sizeof(og_json_t));
    if (json == NULL) {
        return NULL;
    }

    og_json_names_init(&json->names);

    return json;
}


void
og_json_free(og_json_t *json)
{
    if (json == NULL) {
        return;
    }

    og_fields_walk_done(&json->walk);
    og_json_names_done(&json->names);
    free(json->frames);
    free(json->name.data);
    free(json->cuts);
    free(json);
}


const og_json_result_t *
og_json_scan(og_json_t *json, const og_json_rules_t *rules,
    const unsigned char *data, size_t len)
{
    if (og_json_begin(json, rules, data, len) == 0) {
        og_json_document(json);

    } else {
        json->status = OG_JSON_NO_MEMORY;
    }

    return og_json_finish(json);
}


static int
og_json_begin(og_json_t *json, const og_json_rules_t *rules,
    const unsigned char *data, size_t len)
{
    void             *grown;
    og_json_frame_t  *frame;

    json->rules = rules;
    json->data = (len > 0) ? data : (const unsigned char *) "";
    json->end = json->data + len;
    json->sketch_key = rules->fields ? og_fields_sketch_key(rules->fields)
                                     : &og_sketch_exact;
    json->status = OG_JSON_OK;
    json->ncuts = 0;

    og_json_paths_clear(&json->pointer);
    og_json_paths_clear(&json->stripped);
    og_json_paths_clear(&json->rejected);
    memset(&json->fault, 0, sizeof(og_json_fault_t));

    if (og_grow_is_large(json->cuts_alloc, sizeof(og_range_t))) {
        free(json->cuts);
        json->cuts = NULL;
        json->cuts_alloc = 0;
    }

    if (json->frames == NULL) {
        grown = og_grow(NULL, &json->frames_alloc, 1,
                        sizeof(og_json_frame_t));
        if (grown == NULL) {
            return -1;
        }

        json->frames = grown;
    }

    frame = json->frames;
    memset(frame, 0, sizeof(og_json_frame_t));
    json->frame = frame;
    json->place = frame->place;

    if (rules->fields == NULL) {
        return 0;
    }

    json->filter = og_fields_filter(rules->fields);

    return og_fields_root(rules->fields, &json->walk, &json->place);
}


static const og_json_result_t *
og_json_finish(og_json_t *json)
{
    og_json_result_t  *result;

    result = &json->result;
    memset(result, 0, sizeof(og_json_result_t));

    result->status = json->status;
    result->pointer = "";
    result->stripped = "";
    result->rejected = "";

    if (json->status == OG_JSON_OK || json->status == OG_JSON_FORBIDDEN) {
        result->cuts = json->cuts;
        result->ncuts = json->ncuts;
        result->stripped = json->stripped.text;
        result->rejected = json->rejected.text;

    } else if (json->status == OG_JSON_MALFORMED) {
        og_json_list(json, &json->pointer);
        result->pointer = json->pointer.text;
        result->message = json->fault.message;
        result->offset = (size_t) (json->fault.at - json->data);
    }

    og_json_trim(json);

    return result;
}


/* One large body must not hold memory for good. */
static void
og_json_trim(og_json_t *json)
{
    og_fields_walk_trim(&json->walk);
    og_json_names_trim(&json->names);

    if (og_grow_is_large(json->frames_alloc, sizeof(og_json_frame_t))) {
        free(json->frames);
        json->frames = NULL;
        json->frames_alloc = 0;
    }

    if (og_grow_is_large(json->name.alloc, 1)) {
        free(json->name.data);
        memset(&json->name, 0, sizeof(og_json_text_t));
    }
}
