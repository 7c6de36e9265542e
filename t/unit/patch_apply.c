
/*
 * Copyright (C) order guard contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patch_apply.h"


int
patch_path(patch_path_t *path, const char *pointer)
{
    char  *token;

    path->n = 0;

    while (*pointer == '/') {

        if (path->n == PATCH_TOKENS) {
            return -1;
        }

        token = path->tokens[path->n++];

        for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {

            if (token == path->tokens[path->n - 1] + PATCH_NAME - 1) {
                return -1;
            }

            if (*pointer == '~') {
                pointer++;
                *token++ = (*pointer == '0') ? '~' : '/';

            } else {
                *token++ = *pointer;
            }
        }

        *token = '\0';
    }

    return 0;
}


/* -1: the token is no index; "-" is the one behind the last. */
static int
index_of(json_t *array, const char *token)
{
    if (strcmp(token, "-") == 0) {
        return (int) json_array_size(array);
    }

    if (token[0] == '\0' || strspn(token, "0123456789") != strlen(token)
        || (token[0] == '0' && token[1] != '\0') || strlen(token) > 6)
    {
        return -1;
    }

    return (int) strtol(token, NULL, 10);
}


static int
is_member(json_t *value, const char *token)
{
    return json_is_object(value) && strcmp(token, "-") != 0
           && strspn(token, "0123456789") != strlen(token);
}


static json_t *
child_of(json_t *value, const char *token)
{
    int  i;

    if (is_member(value, token)) {
        return json_object_get(value, token);
    }

    if (!json_is_array(value)) {
        return NULL;
    }

    i = index_of(value, token);

    return (i == -1) ? NULL : json_array_get(value, (size_t) i);
}


static json_t *
find(json_t *root, const patch_path_t *path, size_t n)
{
    size_t  i;

    for (i = 0; i < n && root != NULL; i++) {
        root = child_of(root, path->tokens[i]);
    }

    return root;
}


static int
take_away(json_t **root, const patch_path_t *path)
{
    json_t      *parent;
    const char  *last;

    if (path->n == 0) {
        json_decref(*root);
        *root = json_null();
        return 1;
    }

    parent = find(*root, path, path->n - 1);
    last = path->tokens[path->n - 1];

    if (parent == NULL || child_of(parent, last) == NULL) {
        return 0;
    }

    return is_member(parent, last)
           ? json_object_del(parent, last) == 0
           : json_array_remove(parent, (size_t) index_of(parent, last)) == 0;
}


/* Takes the reference to value. */
static int
put(json_t **root, const patch_path_t *path, json_t *value, int insert)
{
    int          i;
    json_t      *parent;
    const char  *last;

    if (path->n == 0) {
        json_decref(*root);
        *root = value;
        return 1;
    }

    parent = find(*root, path, path->n - 1);
    last = path->tokens[path->n - 1];

    if (parent == NULL || (!insert && child_of(parent, last) == NULL)) {
        json_decref(value);
        return 0;
    }

    if (is_member(parent, last)) {
        return json_object_set_new(parent, last, value) == 0;
    }

    i = json_is_array(parent) ? index_of(parent, last) : -1;

    if (i == -1) {
        json_decref(value);
        return 0;
    }

    return insert ? json_array_insert_new(parent, (size_t) i, value) == 0
                  : json_array_set_new(parent, (size_t) i, value) == 0;
}


static int
bring(json_t **root, const patch_path_t *from, const patch_path_t *path,
    int move)
{
    json_t  *value;

    value = find(*root, from, from->n);

    if (value == NULL) {
        return 0;
    }

    value = json_deep_copy(value);

    if (move && !take_away(root, from)) {
        json_decref(value);
        return 0;
    }

    return put(root, path, value, 1);
}


json_t *
patch_apply(json_t *root, json_t *operation, int *applied)
{
    json_t        *value;
    const char    *op, *from;
    patch_path_t   path, source;

    *applied = 0;
    op = json_string_value(json_object_get(operation, "op"));
    from = json_string_value(json_object_get(operation, "from"));
    value = json_object_get(operation, "value");

    if (patch_path(&path, json_string_value(json_object_get(operation,
                                                            "path")))
        != 0
        || (from != NULL && patch_path(&source, from) != 0))
    {
        return root;
    }

    if (strcmp(op, "remove") == 0) {
        *applied = take_away(&root, &path);

    } else if (strcmp(op, "add") == 0 || strcmp(op, "replace") == 0) {
        *applied = put(&root, &path, json_deep_copy(value), op[0] == 'a');

    } else if (strcmp(op, "copy") == 0 || strcmp(op, "move") == 0) {
        *applied = bring(&root, &source, &path, op[0] == 'm');

    } else {
        value = json_equal(find(root, &path, path.n), value) ? value : NULL;
        *applied = (value != NULL);
    }

    return root;
}
