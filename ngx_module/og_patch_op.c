
/*
 * Copyright (C) order guard contributors
 *
 * Operations are read strictly: libraries differ in what else they take for
 * an operation, or for one of its members.
 */


#include <string.h>

#include "og_patch.h"
#include "og_patch_op.h"


static int og_patch_members(og_scanner_t *s, og_json_walk_t *walk,
    og_patch_op_t *op);
static og_json_value_t *og_patch_member(og_patch_op_t *op,
    const og_json_value_t *name);
static const og_patch_verb_t *og_patch_verb(const og_json_value_t *op);
static int og_patch_check(og_scanner_t *s, og_patch_op_t *op);
static int og_patch_op_is_one(og_json_walk_t *walk);


static const og_patch_verb_t  og_patch_verbs[] = {
    { .name = "add", .needs_value = 1, .moves_at_path = 1 },
    { .name = "remove", .moves_at_path = 1 },
    { .name = "replace", .needs_value = 1 },
    { .name = "move", .has_from = 1, .moves_at_path = 1, .moves_at_from = 1 },
    { .name = "copy", .has_from = 1, .moves_at_path = 1 },
    { .name = "test", .needs_value = 1 }
};


int
og_patch_read(og_scanner_t *s, og_json_walk_t *walk, og_patch_op_t *op)
{
    op->start = walk->p;
    op->op.type = OG_JSON_NONE;
    op->path.type = OG_JSON_NONE;
    op->from.type = OG_JSON_NONE;
    op->value.type = OG_JSON_NONE;

    if (*walk->p != '{') {
        return og_patch_fail(s, op, NULL, walk->p,
                             "an operation is no object");
    }

    if (og_patch_members(s, walk, op) != 0) {
        return -1;
    }

    op->end = walk->p;

    return og_patch_check(s, op);
}


static int
og_patch_members(og_scanner_t *s, og_json_walk_t *walk, og_patch_op_t *op)
{
    og_json_value_t   name, *member;

    og_json_walk_enter(walk);

    while (og_json_walk_part(walk)) {
        name = og_json_walk_name(walk);
        member = og_patch_member(op, &name);

        if (member == NULL) {
            return og_patch_fail(s, op, NULL, name.data,
                                 "a member that operations do not have");
        }

        *member = og_json_walk_value(walk);
    }

    return 0;
}


static og_json_value_t *
og_patch_member(og_patch_op_t *op, const og_json_value_t *name)
{
    if (og_json_string_is(name, "op")) {
        return &op->op;
    }

    if (og_json_string_is(name, "path")) {
        return &op->path;
    }

    if (og_json_string_is(name, "value")) {
        return &op->value;
    }

    if (og_json_string_is(name, "from")) {
        return &op->from;
    }

    return NULL;
}


static int
og_patch_check(og_scanner_t *s, og_patch_op_t *op)
{
    if (op->op.type == OG_JSON_NONE) {
        return og_patch_fail(s, op, NULL, op->start,
                             "an operation has no \"op\"");
    }

    op->verb = og_patch_verb(&op->op);

    if (op->verb == NULL) {
        return og_patch_fail(s, op, "op", op->op.data,
                             "there is no such operation");
    }

    if (op->path.type == OG_JSON_NONE) {
        return og_patch_fail(s, op, NULL, op->start,
                             "an operation has no \"path\"");
    }

    if (op->verb->has_from && op->from.type == OG_JSON_NONE) {
        return og_patch_fail(s, op, NULL, op->start,
                             "an operation has no \"from\"");
    }

    if (!op->verb->has_from && op->from.type != OG_JSON_NONE) {
        return og_patch_fail(s, op, "from", op->from.data,
                             "a \"from\" where the operation has none");
    }

    if (op->verb->needs_value && op->value.type == OG_JSON_NONE) {
        return og_patch_fail(s, op, NULL, op->start,
                             "an operation has no \"value\"");
    }

    return 0;
}


static const og_patch_verb_t *
og_patch_verb(const og_json_value_t *op)
{
    size_t  i;

    if (op->type != OG_JSON_STRING) {
        return NULL;
    }

    for (i = 0; i < sizeof(og_patch_verbs) / sizeof(og_patch_verb_t); i++) {

        if (og_json_string_is(op, og_patch_verbs[i].name)) {
            return &og_patch_verbs[i];
        }
    }

    return NULL;
}


int
og_patch_fail(og_scanner_t *s, const og_patch_op_t *op, const char *member,
    const unsigned char *at, const char *message)
{
    size_t  start;

    (void) og_scanner_fail(s, at, message);

    og_paths_clear(&s->pointer);
    start = og_paths_begin(&s->pointer);
    og_paths_index(&s->pointer, op->index);

    if (member != NULL) {
        og_paths_plain(&s->pointer, (const unsigned char *) member,
                       strlen(member));
    }

    og_paths_end(&s->pointer, start);

    return -1;
}


int
og_patch_is_one(const unsigned char *data, size_t len)
{
    og_json_walk_t  walk;

    og_json_walk_begin(&walk, data, len);

    if (*walk.p != '[') {
        return 0;
    }

    og_json_walk_enter(&walk);

    while (og_json_walk_part(&walk)) {

        if (og_patch_op_is_one(&walk)) {
            return 1;
        }
    }

    return 0;
}


static int
og_patch_op_is_one(og_json_walk_t *walk)
{
    int              has_op, has_path;
    og_json_value_t  name, value;

    has_op = 0;
    has_path = 0;

    if (*walk->p != '{') {
        (void) og_json_walk_value(walk);
        return 0;
    }

    og_json_walk_enter(walk);

    while (og_json_walk_part(walk)) {
        name = og_json_walk_name(walk);
        value = og_json_walk_value(walk);

        if (value.type == OG_JSON_STRING) {
            has_op |= og_json_string_is_caseless(&name, "op");
            has_path |= og_json_string_is_caseless(&name, "path");
        }
    }

    return has_op && has_path;
}
