
/*
 * Copyright (C) order guard contributors
 *
 * Rules for fields: the directives, and the set that holds at a level.
 */


#include "ngx_http_og_conf.h"


static ngx_http_og_line_t ngx_http_og_line(ngx_conf_t *cf);
static ngx_uint_t ngx_http_og_has_off(ngx_conf_t *cf);
static char *ngx_http_og_take_off(ngx_conf_t *cf, ngx_array_t **list);
static char *ngx_http_og_invalid_field(ngx_conf_t *cf, ngx_str_t *field,
    const char *error);
static ngx_int_t ngx_http_og_set_type(ngx_conf_t *cf, ngx_http_og_set_t *set,
    ngx_str_t *name);
static ngx_int_t ngx_http_og_compile_fields(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *conf);
static ngx_int_t ngx_http_og_add_fields(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *conf, og_field_action_e action,
    ngx_array_t *list);
static void ngx_http_og_tell_contradiction(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *conf, const char *error);
static ngx_http_og_line_t *ngx_http_og_rule_line(ngx_http_og_loc_conf_t *conf,
    size_t n);
static ngx_int_t ngx_http_og_add_sets(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *conf);
static ngx_int_t ngx_http_og_invalid_rule(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_og_line_t *line, const char *error);
static void ngx_http_og_free_fields(void *data);


static ngx_str_t  ngx_http_og_set_types[] = {
    ngx_string("string"),           /* in the order of og_set_type_e */
    ngx_string("number"),
    ngx_string("boolean"),
    ngx_null_string
};


char *
ngx_http_og_conf_fields(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t            *value;
    ngx_uint_t            i;
    const char           *error;
    ngx_array_t         **list;
    og_field_action_e     action;
    ngx_http_og_field_t  *field;

    list = (ngx_array_t **) (p + cmd->offset);

    if (*list == NULL || ngx_http_og_has_off(cf)) {
        return ngx_http_og_take_off(cf, list);
    }

    action = cmd->offset == offsetof(ngx_http_og_loc_conf_t, allow)
             ? OG_FIELD_ALLOW : OG_FIELD_STRIP;

    value = cf->args->elts;

    if (*list == NGX_CONF_UNSET_PTR) {
        *list = ngx_array_create(cf->pool, 8, sizeof(ngx_http_og_field_t));
        if (*list == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    for (i = 1; i < cf->args->nelts; i++) {

        error = ngx_http_og_check_field(&value[i], action);
        if (error) {
            return ngx_http_og_invalid_field(cf, &value[i], error);
        }

        field = ngx_array_push(*list);
        if (field == NULL) {
            return NGX_CONF_ERROR;
        }

        field->name = value[i];
        field->line = ngx_http_og_line(cf);
    }

    return NGX_CONF_OK;
}


static ngx_http_og_line_t
ngx_http_og_line(ngx_conf_t *cf)
{
    ngx_http_og_line_t  line;

    line.file = cf->conf_file->file.name;
    line.number = cf->conf_file->line;

    return line;
}


static ngx_uint_t
ngx_http_og_has_off(ngx_conf_t *cf)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_strcmp(value[i].data, "off") == 0) {
            return 1;
        }
    }

    return 0;
}


/* Takes back what outer levels say. */

static char *
ngx_http_og_take_off(ngx_conf_t *cf, ngx_array_t **list)
{
    if (cf->args->nelts > 2 || *list != NGX_CONF_UNSET_PTR) {
        return "has \"off\" and something beside it, keep one "
               "(\"/off\" is a field of that name)";
    }

    *list = NULL;

    return NGX_CONF_OK;
}


/* What is wrong with one field alone is told with its line. */

const char *
ngx_http_og_check_field(ngx_str_t *field, og_field_action_e action)
{
    const char   *error;
    og_fields_t  *fields;

    fields = og_fields_create(OG_MATCH_EXACT);
    if (fields == NULL) {
        return "no memory";
    }

    error = og_fields_add(fields, action, (char *) field->data, field->len);

    og_fields_free(fields);

    return error;
}


static char *
ngx_http_og_invalid_field(ngx_conf_t *cf, ngx_str_t *field, const char *error)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid field \"%V\": %s",
                       field, error);

    return NGX_CONF_ERROR;
}


char *
ngx_http_og_conf_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_loc_conf_t *olcf = conf;

    ngx_str_t          *value;
    const char         *error;
    ngx_http_og_set_t  *set;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && !ngx_http_og_has_off(cf)) {
        return "has a field without a value";
    }

    if (cf->args->nelts == 2 || olcf->sets == NULL) {
        return ngx_http_og_take_off(cf, &olcf->sets);
    }

    error = ngx_http_og_check_field(&value[1], OG_FIELD_SET);
    if (error) {
        return ngx_http_og_invalid_field(cf, &value[1], error);
    }

    if (olcf->sets == NGX_CONF_UNSET_PTR) {
        olcf->sets = ngx_array_create(cf->pool, 2, sizeof(ngx_http_og_set_t));
        if (olcf->sets == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    set = ngx_array_push(olcf->sets);
    if (set == NULL) {
        return NGX_CONF_ERROR;
    }

    set->field = value[1];
    set->line = ngx_http_og_line(cf);
    set->type = OG_SET_STRING;

    if (cf->args->nelts == 4
        && ngx_http_og_set_type(cf, set, &value[3]) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    set->value = ngx_http_og_compile(cf, &value[2]);
    if (set->value == NULL) {
        return NGX_CONF_ERROR;
    }

    if (set->value->lengths) {
        return NGX_CONF_OK;
    }

    error = og_set_check(set->type, value[2].data, value[2].len);
    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of field \"%V\": %s",
                           &value[2], &value[1], error);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_og_set_type(ngx_conf_t *cf, ngx_http_og_set_t *set, ngx_str_t *name)
{
    ngx_uint_t  i;

    for (i = 0; ngx_http_og_set_types[i].len; i++) {

        if (name->len == ngx_http_og_set_types[i].len
            && ngx_strncmp(name->data, ngx_http_og_set_types[i].data,
                           name->len)
               == 0)
        {
            set->type = i;
            return NGX_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid type \"%V\" of field \"%V\", it must be "
                       "\"string\", \"number\" or \"boolean\"",
                       name, &set->field);

    return NGX_ERROR;
}


/* A level without rules of its own shares the compiled set of the outer. */

ngx_int_t
ngx_http_og_merge_fields(ngx_conf_t *cf, ngx_http_og_loc_conf_t *prev,
    ngx_http_og_loc_conf_t *conf)
{
    ngx_uint_t  own;

    own = conf->strip != NGX_CONF_UNSET_PTR
          || conf->reject != NGX_CONF_UNSET_PTR
          || conf->allow != NGX_CONF_UNSET_PTR
          || conf->sets != NGX_CONF_UNSET_PTR
          || conf->match != NGX_CONF_UNSET_UINT;

    ngx_conf_merge_ptr_value(conf->strip, prev->strip, NULL);
    ngx_conf_merge_ptr_value(conf->reject, prev->reject, NULL);
    ngx_conf_merge_ptr_value(conf->allow, prev->allow, NULL);
    ngx_conf_merge_ptr_value(conf->sets, prev->sets, NULL);
    ngx_conf_merge_uint_value(conf->match, prev->match, OG_MATCH_LOOSE);
    ngx_conf_merge_uint_value(conf->reject_unlisted, prev->reject_unlisted, 0);

    if (!own && prev->fields != NULL) {
        conf->fields = prev->fields;
        return NGX_OK;
    }

    if (conf->strip == NULL && conf->reject == NULL && conf->allow == NULL
        && conf->sets == NULL)
    {
        return NGX_OK;
    }

    return ngx_http_og_compile_fields(cf, conf);
}


static ngx_int_t
ngx_http_og_compile_fields(ngx_conf_t *cf, ngx_http_og_loc_conf_t *conf)
{
    const char          *error;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    conf->fields = og_fields_create(conf->match);
    if (conf->fields == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_og_free_fields;
    cln->data = conf->fields;

    if (ngx_http_og_add_fields(cf, conf, OG_FIELD_STRIP, conf->strip) != NGX_OK
        || ngx_http_og_add_fields(cf, conf, OG_FIELD_REJECT, conf->reject)
           != NGX_OK
        || ngx_http_og_add_fields(cf, conf, OG_FIELD_ALLOW, conf->allow)
           != NGX_OK
        || ngx_http_og_add_sets(cf, conf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    error = og_fields_compile(conf->fields);
    if (error) {
        ngx_http_og_tell_contradiction(cf, conf, error);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* It may be known only where a block ends, far from both lines. */

static void
ngx_http_og_tell_contradiction(ngx_conf_t *cf, ngx_http_og_loc_conf_t *conf,
    const char *error)
{
    size_t               first, second;
    ngx_http_og_line_t  *a, *b;

    if (!og_fields_clash(conf->fields, &first, &second)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", error);
        return;
    }

    a = ngx_http_og_rule_line(conf, first);
    b = ngx_http_og_rule_line(conf, second);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "the field rules that hold here contradict each "
                       "other: %s; take out that of %V:%ui or that of "
                       "%V:%ui",
                       error, &a->file, a->number, &b->file, b->number);
}


/* The rules are numbered as they are added. */

static ngx_http_og_line_t *
ngx_http_og_rule_line(ngx_http_og_loc_conf_t *conf, size_t n)
{
    ngx_uint_t            i;
    ngx_array_t          *lists[3];
    ngx_http_og_set_t    *set;
    ngx_http_og_field_t  *field;

    lists[0] = conf->strip;
    lists[1] = conf->reject;
    lists[2] = conf->allow;

    for (i = 0; i < 3; i++) {

        if (lists[i] == NULL) {
            continue;
        }

        if (n < lists[i]->nelts) {
            field = lists[i]->elts;
            return &field[n].line;
        }

        n -= lists[i]->nelts;
    }

    set = conf->sets->elts;

    return &set[n].line;
}


static ngx_int_t
ngx_http_og_add_fields(ngx_conf_t *cf, ngx_http_og_loc_conf_t *conf,
    og_field_action_e action, ngx_array_t *list)
{
    ngx_uint_t            i;
    const char           *error;
    ngx_http_og_field_t  *field;

    if (list == NULL) {
        return NGX_OK;
    }

    field = list->elts;

    for (i = 0; i < list->nelts; i++) {
        error = og_fields_add(conf->fields, action,
                              (char *) field[i].name.data, field[i].name.len);
        if (error) {
            return ngx_http_og_invalid_rule(cf, &field[i].name,
                                            &field[i].line, error);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_og_add_sets(ngx_conf_t *cf, ngx_http_og_loc_conf_t *conf)
{
    ngx_uint_t          i;
    const char         *error;
    ngx_http_og_set_t  *set;

    if (conf->sets == NULL) {
        return NGX_OK;
    }

    set = conf->sets->elts;

    for (i = 0; i < conf->sets->nelts; i++) {
        error = og_fields_add(conf->fields, OG_FIELD_SET,
                              (char *) set[i].field.data, set[i].field.len);
        if (error) {
            return ngx_http_og_invalid_rule(cf, &set[i].field, &set[i].line,
                                            error);
        }
    }

    return NGX_OK;
}


/* Which it is by the match mode alone, known where the block ends. */

static ngx_int_t
ngx_http_og_invalid_rule(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_og_line_t *line, const char *error)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid field \"%V\" of %V:%ui: %s",
                       name, &line->file, line->number, error);

    return NGX_ERROR;
}


static void
ngx_http_og_free_fields(void *data)
{
    og_fields_free(data);
}
