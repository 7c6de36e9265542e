
/*
 * Copyright (C) order guard contributors
 *
 * The pass over a patch: once over the whole document, which is then known to
 * be JSON, and once more from operation to operation.
 */


#include "og_json_scan.h"
#include "og_patch.h"
#include "og_patch_op.h"


typedef struct {
    og_place_t            root;       /* of what is patched */
    og_json_had_e         had;        /* what came of the operations so far */
} og_patch_t;


/* Of one operation: both may be, as it points to two places. */
typedef struct {
    unsigned              goes:1;
    unsigned              is_rejected:1;
} og_patch_fate_t;


static void og_patch_document(og_scanner_t *s);
static void og_patch_operations(og_scanner_t *s, og_patch_t *patch);
static int og_patch_operation(og_scanner_t *s, og_patch_t *patch,
    const og_patch_op_t *op);
static int og_patch_judge_from(og_scanner_t *s, const og_patch_t *patch,
    const og_patch_op_t *op, og_patch_fate_t *fate);
static int og_patch_judge_path(og_scanner_t *s, const og_patch_t *patch,
    const og_patch_op_t *op, og_patch_fate_t *fate, size_t *ntokens);
static int og_patch_note(og_scanner_t *s, const og_patch_op_t *op,
    const og_patch_target_t *target, og_field_verdict_e verdict,
    og_patch_fate_t *fate);
static void og_patch_list(og_scanner_t *s, og_paths_t *paths);
static int og_patch_value(og_scanner_t *s, const og_patch_op_t *op,
    og_patch_fate_t fate, size_t ntokens);
static int og_patch_scan_value(og_scanner_t *s, const og_patch_op_t *op,
    size_t ntokens);
static int og_patch_is_nested(const og_json_value_t *value);
static void og_patch_keep(og_scanner_t *s, og_patch_t *patch,
    const og_patch_op_t *op);
static int og_patch_cut(og_scanner_t *s, og_patch_t *patch,
    const og_patch_op_t *op);


const og_body_result_t *
og_patch_scan(og_scanner_t *s, const og_body_rules_t *rules,
    const unsigned char *data, size_t len)
{
    if (og_scanner_begin(s, rules, data, len) == 0) {
        og_patch_document(s);
    }

    /* what the gateway sets does not stand in a place of the patch */

    s->homes.nelts = 0;

    return og_scanner_finish(s);
}


static void
og_patch_document(og_scanner_t *s)
{
    int                     failed;
    og_patch_t              patch;
    og_body_rules_t         syntax;
    const og_body_rules_t  *rules;

    patch.root = s->place;
    patch.had = OG_JSON_HAD_NOTHING;

    rules = s->rules;
    syntax = *rules;
    syntax.fields = NULL;

    s->rules = &syntax;
    failed = og_json_document(s, s->data, (size_t) (s->end - s->data));
    s->rules = rules;

    if (!failed) {
        og_patch_operations(s, &patch);
    }
}


static void
og_patch_operations(og_scanner_t *s, og_patch_t *patch)
{
    og_patch_op_t   op;
    og_json_walk_t  walk;

    og_json_walk_begin(&walk, s->data, (size_t) (s->end - s->data));

    if (*walk.p != '[') {
        (void) og_scanner_fail(s, walk.p, "a patch is an array");
        return;
    }

    og_json_walk_enter(&walk);

    for (op.index = 0; og_json_walk_part(&walk); op.index++) {
        op.comma = walk.comma;

        if (og_patch_read(s, &walk, &op) != 0
            || og_patch_operation(s, patch, &op) != 0)
        {
            return;
        }
    }
}


static int
og_patch_operation(og_scanner_t *s, og_patch_t *patch,
    const og_patch_op_t *op)
{
    size_t           ntokens;
    og_patch_fate_t  fate;

    fate.goes = 0;
    fate.is_rejected = 0;

    /* path is the last, as that is where value belongs */

    if ((op->verb->has_from && og_patch_judge_from(s, patch, op, &fate) != 0)
        || og_patch_judge_path(s, patch, op, &fate, &ntokens) != 0)
    {
        return -1;
    }

    if (!fate.goes) {
        og_patch_keep(s, patch, op);
        return og_patch_value(s, op, fate, ntokens);
    }

    if (og_patch_value(s, op, fate, ntokens) != 0) {
        return -1;
    }

    return og_patch_cut(s, patch, op);
}


static int
og_patch_judge_from(og_scanner_t *s, const og_patch_t *patch,
    const og_patch_op_t *op, og_patch_fate_t *fate)
{
    og_patch_target_t  target;

    target.member = "from";
    target.pointer = &op->from;
    target.moves = op->verb->moves_at_from;
    target.ntokens = 0;

    if (og_patch_go(s, &patch->root, op, &target) != 0) {
        return -1;
    }

    return og_patch_note(s, op, &target, og_fields_judge(&s->place, 0), fate);
}


static int
og_patch_judge_path(og_scanner_t *s, const og_patch_t *patch,
    const og_patch_op_t *op, og_patch_fate_t *fate, size_t *ntokens)
{
    int                 nested;
    og_patch_target_t   target;
    og_field_verdict_e  verdict;

    target.member = "path";
    target.pointer = &op->path;
    target.moves = op->verb->moves_at_path;
    target.ntokens = 0;

    if (og_patch_go(s, &patch->root, op, &target) != 0) {
        return -1;
    }

    *ntokens = target.ntokens;

    nested = op->verb->needs_value && og_patch_is_nested(&op->value);
    verdict = og_fields_judge(&s->place, nested);

    if (verdict == OG_FIELD_PASSES && op->verb->has_from
        && s->rules->fields != NULL)
    {
        verdict = og_fields_judge_unseen(s->rules->fields, &s->walk,
                                         &s->place);
    }

    return og_patch_note(s, op, &target, verdict, fate);
}


/* Turns what the rules say of a target into a fate. */
static int
og_patch_note(og_scanner_t *s, const og_patch_op_t *op,
    const og_patch_target_t *target, og_field_verdict_e verdict,
    og_patch_fate_t *fate)
{
    if (s->rules->fields == NULL || verdict == OG_FIELD_PASSES) {
        return 0;
    }

    /* lists cannot name it: its pointer has no characters */

    if (target->ntokens == 0) {
        return og_patch_fail(s, op, target->member, target->pointer->data,
                             "rules do not pass this for a whole document");
    }

    if (verdict == OG_FIELD_REJECTED
        || (verdict == OG_FIELD_UNLISTED && s->rules->reject_unlisted))
    {
        og_patch_list(s, &s->rejected);
        s->status = OG_BODY_FORBIDDEN;
        fate->is_rejected = 1;

    } else if (!fate->goes) {
        og_patch_list(s, &s->stripped);
        fate->goes = 1;
    }

    return 0;
}


static void
og_patch_list(og_scanner_t *s, og_paths_t *paths)
{
    size_t  start;

    if (paths->full) {
        return;
    }

    start = og_paths_begin(paths);
    og_paths_join(paths, &s->base);
    og_paths_end(paths, start);
}


/*
 * Looks at the members of a value.  In one that goes they are looked at for
 * what is rejected: the request had it.
 */
static int
og_patch_value(og_scanner_t *s, const og_patch_op_t *op, og_patch_fate_t fate,
    size_t ntokens)
{
    int     full, ended;
    size_t  ncuts;

    if (!og_patch_is_nested(&op->value)) {
        return 0;
    }

    if (fate.goes || fate.is_rejected) {
        s->place.listing = OG_LISTED_WITH_ALL;
    }

    if (!fate.goes) {
        return og_patch_scan_value(s, op, ntokens);
    }

    ncuts = s->cuts.nelts;
    full = s->stripped.full;
    ended = s->stripped.ended;

    s->stripped.full = 1;
    s->stripped.ended = 1;

    if (og_patch_scan_value(s, op, ntokens) != 0) {
        return -1;
    }

    s->cuts.nelts = ncuts;
    s->stripped.full = full;
    s->stripped.ended = ended;

    return 0;
}


static int
og_patch_scan_value(og_scanner_t *s, const og_patch_op_t *op, size_t ntokens)
{
    int                     failed;
    og_body_rules_t         inner;
    const og_body_rules_t  *rules;

    /* white space has been found in the whole document */

    rules = s->rules;
    inner = *rules;
    inner.find_gaps = 0;
    inner.max_depth -= ntokens;

    s->rules = &inner;
    failed = og_json_document(s, op->value.data, op->value.len);
    s->rules = rules;

    if (failed && s->status == OG_BODY_MALFORMED) {
        (void) og_patch_fail(s, op, "value", s->fault.at, s->fault.message);
    }

    return failed ? -1 : 0;
}


static int
og_patch_is_nested(const og_json_value_t *value)
{
    return value->type == OG_JSON_OBJECT || value->type == OG_JSON_ARRAY;
}


/* Commas go as they do with the elements of any array. */
static void
og_patch_keep(og_scanner_t *s, og_patch_t *patch, const og_patch_op_t *op)
{
    if (patch->had == OG_JSON_HAD_CUT) {
        og_scanner_last_cut(s)->end = (size_t) (op->start - s->data);
    }

    patch->had = OG_JSON_HAD_KEPT;
}


static int
og_patch_cut(og_scanner_t *s, og_patch_t *patch, const og_patch_op_t *op)
{
    const unsigned char  *start;

    if (patch->had == OG_JSON_HAD_CUT) {
        og_scanner_last_cut(s)->end = (size_t) (op->end - s->data);
        return 0;
    }

    start = op->start;

    if (patch->had == OG_JSON_HAD_KEPT) {
        start = op->comma;

    } else {
        patch->had = OG_JSON_HAD_CUT;
    }

    return (og_scanner_cut(s, start, op->end) != NULL) ? 0 : -1;
}
