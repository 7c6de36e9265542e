
/*
 * Copyright (C) order guard contributors
 */


#include <stdio.h>
#include <string.h>

#include "json_model.h"


/* A step of a path: a member's name, or an index as text. */
typedef struct {
    char                  name[MODEL_NAME];
    int                   is_index;
} step_t;


typedef struct {
    const model_rules_t  *rules;
    model_result_t       *result;
    step_t                path[16];
    size_t                n;
    int                   in_cut;     /* something around it is cut */
    int                   all_listed; /* something around it is cut or
                                         rejected */
    int                   with_sets;
    int                   has_home[MODEL_RULES];
    int                   is_set[MODEL_RULES];
} walk_t;


/*
 * What makes a name a path, and where it is parted then: in some ways, as
 * rules may have names with the bytes of the first, and as an empty part may
 * be one.  "(" is not made here.
 */
#define PATH  ".[>/"

static const char  *partings[] = { ".[]'\">/", ".[]'\"", ".[]'\">/" };

#define NARROW    1
#define EMPTY     2
#define PARTINGS  (sizeof(partings) / sizeof(partings[0]))


static json_t *left_of(json_t *value, walk_t *walk);


/* A name as it compares. */
static void
fold(og_match_e match, char *dst, const char *src)
{
    for ( /* void */ ; *src; src++) {

        if (match != OG_MATCH_EXACT) {

            if (strncmp(src, "\xc5\xbf", 2) == 0) {
                *dst++ = 's';
                src++;
                continue;
            }

            if (strncmp(src, "\xe2\x84\xaa", 3) == 0) {
                *dst++ = 'k';
                src += 2;
                continue;
            }
        }

        if (match == OG_MATCH_LOOSE && strchr("_- ", *src)) {
            continue;
        }

        *dst++ = (match != OG_MATCH_EXACT && *src >= 'A'
                  && *src <= 'Z') ? (char) (*src + 32) : *src;
    }

    *dst = '\0';
}


static int
same(og_match_e match, const char *name, const char *token)
{
    char  a[MODEL_NAME], b[MODEL_NAME];

    if (strcmp(token, "*") == 0) {
        return 1;
    }

    fold(match, a, name);
    fold(match, b, token);

    return strcmp(a, b) == 0;
}


/* Room for strtok_r() to take a name apart. */
static char *
parts_of(char name[MODEL_NAME], const char *of, size_t parting)
{
    size_t   n;
    char    *arrow;

    for (n = 0; *of != '\0' && n < MODEL_NAME - 2; of++) {
        name[n++] = *of;

        if (parting == EMPTY
            && ((*of == '[') ? of[1] == ']'
                : strchr(".]'\">/", *of) && of[1] == *of))
        {
            name[n++] = '\1';
        }
    }

    name[n] = '\0';

    while (parting != NARROW && (arrow = strstr(name, "->")) != NULL) {
        *arrow = '>';
    }

    return name;
}


static int leads(og_match_e match, const model_rule_t *rule, size_t token,
    const step_t *path, size_t n, int takes);


/* The same by the parts of the first step's name. */
static int
leads_by_parts(og_match_e match, const model_rule_t *rule, size_t token,
    const step_t *path, size_t n, int takes, size_t parting)
{
    size_t   left;
    char    *part, *save, name[MODEL_NAME];

    left = token;

    for (part = strtok_r(parts_of(name, path->name, parting),
                         partings[parting], &save);
         part != NULL;
         part = strtok_r(NULL, partings[parting], &save))
    {
        if (left == rule->ntokens || !same(match, part, rule->tokens[left])) {
            break;
        }

        left++;
    }

    if (takes && n == 1) {
        return left == rule->ntokens && left > token;
    }

    return part == NULL && left > token
           && leads(match, rule, left, path + 1, n - 1, takes);
}


/*
 * Whether the tokens of a rule, from one on, lead along the whole path.  A
 * member's name that is a path is one step, or as many as it has parts; that
 * of the last may go on where takes is set.
 */
static int
leads(og_match_e match, const model_rule_t *rule, size_t token,
    const step_t *path, size_t n, int takes)
{
    size_t  i;

    if (n == 0) {
        return token == rule->ntokens;
    }

    if (token < rule->ntokens
        && same(match, path->name, rule->tokens[token])
        && leads(match, rule, token + 1, path + 1, n - 1, takes))
    {
        return 1;
    }

    if (path->is_index || strpbrk(path->name, PATH) == NULL) {
        return 0;
    }

    for (i = 0; i < PARTINGS; i++) {

        if (leads_by_parts(match, rule, token, path, n, takes, i)) {
            return 1;
        }
    }

    return 0;
}


/* A bare name is the last step, or any part of its name. */
static int
is_named(og_match_e match, const model_rule_t *rule, const step_t *last)
{
    size_t   i;
    char    *part, *save, name[MODEL_NAME];

    if (last->is_index) {
        return 0;
    }

    if (same(match, last->name, rule->tokens[0])) {
        return 1;
    }

    for (i = 0; i < PARTINGS && strpbrk(last->name, PATH) != NULL; i++) {

        part = strtok_r(parts_of(name, last->name, i), partings[i], &save);

        for ( /* void */ ; part; part = strtok_r(NULL, partings[i], &save))
        {
            if (same(match, part, rule->tokens[0])) {
                return 1;
            }
        }
    }

    return 0;
}


static int
is_denied(const model_rules_t *rules, og_field_action_e action,
    const step_t *path, size_t n)
{
    size_t               i;
    const model_rule_t  *rule;

    for (i = 0; i < rules->nrules; i++) {
        rule = &rules->rules[i];

        if (rule->action == action
            && (rule->bare ? is_named(rules->match, rule, &path[n - 1])
                           : leads(rules->match, rule, 0, path, n, 1)))
        {
            return 1;
        }
    }

    return 0;
}


/* Whether one allow rule passes the value at the path. */
static int
is_passed(const model_rule_t *rule, const step_t *path, size_t n, int container)
{
    int     all_below;
    size_t  i, m;

    m = rule->ntokens;
    all_below = strcmp(rule->tokens[m - 1], "**") == 0;
    m -= (size_t) all_below;

    for (i = 0; i < m && i < n; i++) {

        if (strcmp(rule->tokens[i], "*") != 0
            && strcmp(rule->tokens[i], path[i].name) != 0)
        {
            return 0;
        }
    }

    if (n < m || (n == m && all_below)) {
        return container;
    }

    /* values in arrays, and in arrays of those, belong to the array */

    for ( /* void */ ; i < n && !all_below; i++) {

        if (!path[i].is_index) {
            return 0;
        }
    }

    return 1;
}


static int
is_unlisted(const model_rules_t *rules, const step_t *path, size_t n,
    int container)
{
    int     any;
    size_t  i;

    any = 0;

    for (i = 0; i < rules->nrules; i++) {

        if (rules->rules[i].action == OG_FIELD_ALLOW) {
            any = 1;

            if (is_passed(&rules->rules[i], path, n, container)) {
                return 0;
            }
        }
    }

    return any;
}


/* Adds the path to a list of pointers, unless that is long enough. */
static void
list(char *pointers, const walk_t *walk)
{
    char                 *p, *end;
    size_t                i;
    const unsigned char  *name;

    p = pointers + strlen(pointers);
    end = pointers + MODEL_LIST;

    if (p - pointers > 8192) {
        return;
    }

    if (p > pointers) {
        *p++ = ',';
    }

    for (i = 0; i < walk->n; i++) {
        *p++ = '/';

        for (name = (const unsigned char *) walk->path[i].name; *name; name++)
        {
            if (*name == '~' || *name == '/') {
                p += snprintf(p, (size_t) (end - p), "~%d", *name == '/');

            } else if (*name <= ' ' || *name >= 0x7F
                       || strchr("\"%,\\", *name) != NULL)
            {
                p += snprintf(p, (size_t) (end - p), "%%%02X", *name);

            } else {
                *p++ = (char) *name;
            }
        }
    }

    *p = '\0';
}


/* Whether a set rule takes a member by its whole name at its place. */
static int
is_home(og_match_e match, const model_rule_t *rule, const step_t *path,
    size_t n)
{
    model_rule_t  way;

    if (path[n - 1].is_index
        || !same(match, path[n - 1].name, rule->tokens[rule->ntokens - 1]))
    {
        return 0;
    }

    if (rule->bare) {
        return n == 1;
    }

    way = *rule;
    way.ntokens--;

    return leads(match, &way, 0, path, n - 1, 0);
}


/* Whether the object that the path leads into is the one of a set rule. */
static int
is_place(const model_rule_t *rule, const step_t *path, size_t n)
{
    size_t  i;

    if (n != rule->ntokens) {
        return 0;
    }

    for (i = 0; i < n - 1; i++) {

        if (path[i].is_index || strcmp(path[i].name, rule->tokens[i]) != 0) {
            return 0;
        }
    }

    return 1;
}


/* Whether the path is that of an object which a set rule writes in, or on. */
static int
is_around(const model_rule_t *rule, const step_t *path, size_t n)
{
    size_t  i;

    for (i = 0; i < n && i < rule->ntokens; i++) {

        if (strcmp(path[i].name, rule->tokens[i]) != 0) {
            return 0;
        }
    }

    return n < rule->ntokens;
}


/* Whether such an object is there under another spelling of its name. */
static int
is_stray(const model_rules_t *rules, const step_t *path, size_t n)
{
    int           within, leads_on;
    size_t        i, k;
    model_rule_t  way;

    within = 0;
    leads_on = 0;

    for (i = 0; i < rules->nrules && !path[n - 1].is_index; i++) {

        if (rules->rules[i].action != OG_FIELD_SET) {
            continue;
        }

        way = rules->rules[i];

        if (is_around(&way, path, n)) {
            return 0;
        }

        within |= is_around(&way, path, n - 1);

        for (k = 1; k < rules->rules[i].ntokens && !way.bare; k++) {
            way.ntokens = k;
            leads_on |= leads(rules->match, &way, 0, path, n, 0);
        }
    }

    return within && leads_on;
}


/* A number as slow_read() has it. */
static json_t *
value_of(const model_rule_t *rule)
{
    if (rule->type == OG_SET_NUMBER) {
        return json_sprintf("#%s", rule->value);
    }

    if (rule->type == OG_SET_BOOLEAN) {
        return json_boolean(strcmp(rule->value, "true") == 0);
    }

    return json_string(rule->value);
}


/* Puts home in the object at hand what stood where a member was cut. */
static void
put_home(json_t *object, walk_t *walk)
{
    size_t               i;
    const model_rule_t  *rule;

    for (i = 0; i < walk->rules->nrules; i++) {
        rule = &walk->rules->rules[i];

        if (rule->action != OG_FIELD_SET || walk->has_home[i]
            || !is_home(walk->rules->match, rule, walk->path, walk->n))
        {
            continue;
        }

        walk->has_home[i] = 1;

        if (!is_place(rule, walk->path, walk->n)) {
            walk->result->elsewhere = 1;

        } else if (walk->with_sets) {
            walk->is_set[i] = 1;

            if (rule->value[0] != '\0') {
                json_object_set_new(object, rule->tokens[rule->ntokens - 1],
                                    value_of(rule));
            }
        }
    }
}


/*
 * Adds a member or element to what is left, or what is left of it, or
 * nothing.  What is cut is walked through for what is rejected in it.
 */
static void
add_part(json_t *left, json_t *value, walk_t *walk)
{
    int       rejected, cut;
    walk_t    before;
    json_t   *part;

    before = *walk;

    rejected = is_denied(walk->rules, OG_FIELD_REJECT, walk->path, walk->n);
    cut = !rejected
          && (is_denied(walk->rules, OG_FIELD_STRIP, walk->path, walk->n)
              || is_denied(walk->rules, OG_FIELD_SET, walk->path, walk->n));

    if (!rejected && !cut
        && (walk->all_listed
            || !is_unlisted(walk->rules, walk->path, walk->n,
                            json_is_object(value) || json_is_array(value)))
        && !walk->in_cut && is_stray(walk->rules, walk->path, walk->n))
    {
        rejected = 1;
    }

    if (!rejected && !cut && !walk->all_listed
        && is_unlisted(walk->rules, walk->path, walk->n,
                       json_is_object(value) || json_is_array(value)))
    {
        rejected = (walk->rules->reject_unlisted != 0);
        cut = !rejected;
    }

    if (rejected) {
        list(walk->result->rejected, walk);

    } else if (cut && !walk->in_cut) {
        list(walk->result->stripped, walk);
        put_home(left, walk);
    }

    walk->all_listed |= (rejected || cut);
    walk->in_cut |= cut;
    part = left_of(value, walk);
    walk->all_listed = before.all_listed;
    walk->in_cut = before.in_cut;

    if (cut) {
        json_decref(part);

    } else if (json_is_array(left)) {
        json_array_append_new(left, part);

    } else {
        json_object_set_new(left, walk->path[walk->n - 1].name, part);
    }
}


static json_t *
left_of(json_t *value, walk_t *walk)
{
    size_t       i;
    json_t      *left, *part;
    step_t      *step;
    const char  *name;

    if (!json_is_object(value) && !json_is_array(value)) {
        return json_incref(value);
    }

    step = &walk->path[walk->n++];
    step->is_index = json_is_array(value);
    left = json_is_array(value) ? json_array() : json_object();

    json_array_foreach(value, i, part) {
        snprintf(step->name, sizeof(step->name), "%zu", i);
        add_part(left, part, walk);
    }

    json_object_foreach(value, name, part) {
        snprintf(step->name, sizeof(step->name), "%s", name);
        add_part(left, part, walk);
    }

    walk->n--;

    return left;
}


int
model_has_no_place(const model_rule_t *rule, json_t *root)
{
    size_t  i;

    for (i = 0; i < rule->ntokens - 1 && json_is_object(root); i++) {
        root = json_object_get(root, rule->tokens[i]);
    }

    return root != NULL && !json_is_object(root);
}


/* Adds a field, which has a place, and the objects on the way to it. */
static void
add_field(const model_rule_t *rule, json_t *root)
{
    size_t   i;
    json_t  *next;

    for (i = 0; i < rule->ntokens - 1; i++) {
        next = json_object_get(root, rule->tokens[i]);

        if (next == NULL) {
            next = json_object();
            json_object_set_new(root, rule->tokens[i], next);
        }

        root = next;
    }

    json_object_set_new(root, rule->tokens[i], value_of(rule));
}


void
model_judge(const model_rules_t *rules, json_t *root, model_result_t *result)
{
    size_t               i;
    walk_t               walk;
    const model_rule_t  *rule;

    memset(&walk, 0, sizeof(walk));
    walk.rules = rules;
    walk.result = result;
    walk.with_sets = 1;

    result->elsewhere = 0;
    result->stripped[0] = '\0';
    result->rejected[0] = '\0';
    result->set = left_of(root, &walk);

    for (i = 0; i < rules->nrules && result->set != NULL; i++) {
        rule = &rules->rules[i];

        if (rule->action != OG_FIELD_SET || rule->value[0] == '\0'
            || walk.is_set[i])
        {
            continue;
        }

        if (model_has_no_place(rule, result->set)) {
            json_decref(result->set);
            result->set = NULL;

        } else {
            add_field(rule, result->set);
        }
    }

    walk.with_sets = 0;
    memset(walk.has_home, 0, sizeof(walk.has_home));

    result->stripped[0] = '\0';
    result->rejected[0] = '\0';
    result->left = left_of(root, &walk);
}


json_t *
model_apply(const model_rules_t *rules, json_t *root, int *rejected)
{
    static model_result_t  result;

    model_judge(rules, root, &result);
    json_decref(result.set);
    *rejected = (result.rejected[0] != '\0');

    return result.left;
}


int
model_has_allow(const model_rules_t *rules)
{
    size_t  i;

    for (i = 0; i < rules->nrules; i++) {

        if (rules->rules[i].action == OG_FIELD_ALLOW) {
            return 1;
        }
    }

    return 0;
}
