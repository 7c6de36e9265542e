
/*
 * Copyright (C) order guard contributors
 *
 * The configuration of errors: what they look like, and where an upstream's
 * have their parts.
 */


#include "ngx_http_og_conf.h"


static og_format_t *ngx_http_og_read_format(ngx_conf_t *cf, ngx_str_t *file);
static ssize_t ngx_http_og_read_file(ngx_conf_t *cf, ngx_str_t *file,
    u_char *text, size_t size);
static void ngx_http_og_free_format(void *data);
static ngx_http_og_format_t *ngx_http_og_find_format(ngx_array_t *formats,
    ngx_str_t *name);
static const char *const **ngx_http_og_place_of(og_problem_places_t *places,
    ngx_str_t *word, ngx_str_t *list);
static const char **ngx_http_og_read_pointers(ngx_conf_t *cf,
    ngx_str_t *list);
static const char *ngx_http_og_check_pointer(ngx_str_t *pointer);


char *
ngx_http_og_conf_errors(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_loc_conf_t *olcf = conf;

    ngx_str_t                *value;
    ngx_http_og_format_t     *format;
    ngx_http_og_main_conf_t  *omcf;

    if (olcf->errors != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    olcf->errors = (ngx_strcmp(value[1].data, "off") != 0);

    if (!olcf->errors || ngx_strcmp(value[1].data, "problem") == 0) {
        return NGX_CONF_OK;
    }

    omcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_order_guard_module);
    format = ngx_http_og_find_format(&omcf->formats, &value[1]);

    if (format == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown format \"%V\" in \"order_guard_errors\", "
                           "use \"off\" or \"problem\", or define it above "
                           "with \"order_guard_error_format %V file;\"",
                           &value[1], &value[1]);
        return NGX_CONF_ERROR;
    }

    olcf->format = format->format;

    return NGX_CONF_OK;
}


char *
ngx_http_og_conf_error_format(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_main_conf_t *omcf = conf;

    ngx_str_t             *value;
    ngx_http_og_format_t  *format;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0
        || ngx_strcmp(value[1].data, "problem") == 0
        || ngx_http_og_find_format(&omcf->formats, &value[1]))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the name \"%V\" in \"order_guard_error_format\" "
                           "is taken, give each format one of its own",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    format = ngx_array_push(&omcf->formats);
    if (format == NULL) {
        return NGX_CONF_ERROR;
    }

    format->name = value[1];
    format->format = ngx_http_og_read_format(cf, &value[2]);

    return format->format ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* A file is read when the configuration is: with a reload it is read again. */

static og_format_t *
ngx_http_og_read_format(ngx_conf_t *cf, ngx_str_t *file)
{
    u_char               text[OG_FORMAT_MAX_SIZE + 1];
    size_t               i, offset;
    ssize_t              len;
    ngx_uint_t           line;
    const char          *error;
    og_format_t         *format;
    ngx_pool_cleanup_t  *cln;

    if (ngx_conf_full_name(cf->cycle, file, 1) != NGX_OK) {
        return NULL;
    }

    len = ngx_http_og_read_file(cf, file, text, sizeof(text));
    if (len == NGX_ERROR) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    format = og_format_create(text, len, &error, &offset);

    if (format == NULL) {

        for (i = 0, line = 1; i < offset && i < (size_t) len; i++) {
            line += (text[i] == LF);
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"order_guard_error_format\" cannot use \"%V\", "
                           "line %ui: %s", file, line, error);
        return NULL;
    }

    cln->handler = ngx_http_og_free_format;
    cln->data = format;

    if (!og_format_says_what(format)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"order_guard_error_format\" cannot use \"%V\": "
                           "it has neither \"$code\" nor \"$message\"", file);
        return NULL;
    }

    return format;
}


static ssize_t
ngx_http_og_read_file(ngx_conf_t *cf, ngx_str_t *file, u_char *text,
    size_t size)
{
    ssize_t   n;
    ngx_fd_t  fd;

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", file);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, text, size);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", file);
        n = NGX_ERROR;
    }

    (void) ngx_close_file(fd);

    return n;
}


static void
ngx_http_og_free_format(void *data)
{
    og_format_free(data);
}


static ngx_http_og_format_t *
ngx_http_og_find_format(ngx_array_t *formats, ngx_str_t *name)
{
    ngx_uint_t             i;
    ngx_http_og_format_t  *format;

    format = formats->elts;

    for (i = 0; i < formats->nelts; i++) {
        if (format[i].name.len == name->len
            && ngx_strncmp(format[i].name.data, name->data, name->len) == 0)
        {
            return &format[i];
        }
    }

    return NULL;
}


char *
ngx_http_og_conf_error_fields(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_loc_conf_t *olcf = conf;

    ngx_str_t            *value, list;
    ngx_uint_t            i;
    const char *const   **place;
    og_problem_places_t  *places;

    if (olcf->error_places != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    places = ngx_pcalloc(cf->pool, sizeof(og_problem_places_t));
    if (places == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        place = ngx_http_og_place_of(places, &value[i], &list);

        if (place == NULL || *place != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it must be one of "
                               "\"code=\", \"message=\", \"details=\" and "
                               "\"trace_id=\", each once, and JSON Pointers "
                               "with commas between them", &value[i]);
            return NGX_CONF_ERROR;
        }

        *place = ngx_http_og_read_pointers(cf, &list);

        if (*place == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    olcf->error_places = places;

    return NGX_CONF_OK;
}


/* list is what stands behind the "=". */

static const char *const **
ngx_http_og_place_of(og_problem_places_t *places, ngx_str_t *word,
    ngx_str_t *list)
{
    size_t      len;
    ngx_uint_t  i;

    static const struct {
        ngx_str_t  part;
        size_t     offset;
    } parts[] = {
        { ngx_string("code="), offsetof(og_problem_places_t, code) },
        { ngx_string("message="), offsetof(og_problem_places_t, detail) },
        { ngx_string("details="), offsetof(og_problem_places_t, errors) },
        { ngx_string("trace_id="), offsetof(og_problem_places_t, trace_id) }
    };

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {

        len = parts[i].part.len;

        if (word->len > len
            && ngx_strncmp(word->data, parts[i].part.data, len) == 0)
        {
            list->data = word->data + len;
            list->len = word->len - len;

            return (const char *const **) ((u_char *) places + parts[i].offset);
        }
    }

    return NULL;
}


static const char **
ngx_http_og_read_pointers(ngx_conf_t *cf, ngx_str_t *list)
{
    u_char        *p, *end, *last;
    ngx_str_t      pointer;
    ngx_uint_t     n;
    const char    *error, **pointers;

    last = list->data + list->len;

    for (p = list->data, n = 2; p < last; p++) {
        n += (*p == ',');
    }

    pointers = ngx_pcalloc(cf->pool, n * sizeof(char *));
    if (pointers == NULL) {
        return NULL;
    }

    for (p = list->data, n = 0; p <= last; p = end + 1, n++) {

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        pointer.data = p;
        pointer.len = end - p;

        error = ngx_http_og_check_pointer(&pointer);

        if (error) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid place \"%V\" in "
                               "\"order_guard_error_fields\": %s", &pointer,
                               error);
            return NULL;
        }

        /* the comma is not needed any more */

        *end = '\0';
        pointers[n] = (char *) p;
    }

    return pointers;
}


/* RFC 6901, section 3. */

static const char *
ngx_http_og_check_pointer(ngx_str_t *pointer)
{
    size_t  i;

    if (pointer->len == 0 || pointer->data[0] != '/') {
        return "it must be a JSON Pointer, as in \"/error/code\"";
    }

    for (i = 0; i < pointer->len; i++) {
        if (pointer->data[i] == '~'
            && (i + 1 == pointer->len
                || (pointer->data[i + 1] != '0'
                    && pointer->data[i + 1] != '1')))
        {
            return "\"~\" in a JSON Pointer is written \"~0\", and \"/\" in a "
                   "name \"~1\"";
        }
    }

    return NULL;
}


char *
ngx_http_og_conf_error_when(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_og_loc_conf_t *olcf = conf;

    ngx_int_t    status;
    ngx_str_t   *value;
    og_when_t   *when;
    const char  *error;

    value = cf->args->elts;

    if (olcf->error_when == NGX_CONF_UNSET_PTR) {
        olcf->error_when = ngx_array_create(cf->pool, 1, sizeof(og_when_t));
        if (olcf->error_when == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    when = ngx_array_push(olcf->error_when);
    if (when == NULL) {
        return NGX_CONF_ERROR;
    }

    error = ngx_http_og_check_pointer(&value[1]);

    if (error == NULL) {
        error = og_when_value(&when->value, (char *) value[2].data,
                              value[2].len);
    }

    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid condition \"%V %V\" in "
                           "\"order_guard_error_when\": %s", &value[1],
                           &value[2], error);
        return NGX_CONF_ERROR;
    }

    status = ngx_atoi(value[3].data, value[3].len);

    if (status < 400 || status > 599) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid status \"%V\" in "
                           "\"order_guard_error_when\", it must be one from "
                           "400 to 599", &value[3]);
        return NGX_CONF_ERROR;
    }

    when->pointer = (char *) value[1].data;
    when->status = status;

    return NGX_CONF_OK;
}


char *
ngx_http_og_check_error_type(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t *base = data;

    u_char     *p;
    size_t      i;

    if (ngx_strcmp(base->data, "about:blank") == 0) {
        ngx_str_set(base, "");
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(base->data, "https://", 8) != 0
        && ngx_strncmp(base->data, "http://", 7) != 0
        && ngx_strncmp(base->data, "urn:", 4) != 0
        && base->data[0] != '/')
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid base \"%V\", it must begin with "
                           "\"https://\", \"http://\", \"urn:\" or \"/\"",
                           base);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < base->len; i++) {
        if (base->data[i] <= ' ' || base->data[i] > '~'
            || base->data[i] == '"')
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid character in base \"%V\"", base);
            return NGX_CONF_ERROR;
        }
    }

    /* a code is appended to a path or a name, not to its last word */

    if (ngx_strchr("/#:=-_?", base->data[base->len - 1])) {
        return NGX_CONF_OK;
    }

    p = ngx_pnalloc(cf->pool, base->len + 2);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_sprintf(p, "%V/%Z", base);

    base->data = p;
    base->len++;

    return NGX_CONF_OK;
}


void
ngx_http_og_merge_errors(ngx_http_og_loc_conf_t *prev,
    ngx_http_og_loc_conf_t *conf)
{
    if (conf->errors == NGX_CONF_UNSET_UINT) {
        conf->format = prev->format;
    }

    ngx_conf_merge_uint_value(conf->errors, prev->errors, 1);
    ngx_conf_merge_ptr_value(conf->error_places, prev->error_places, NULL);
    ngx_conf_merge_ptr_value(conf->error_when, prev->error_when, NULL);
    ngx_conf_merge_ptr_value(conf->error_skip, prev->error_skip, NULL);
    ngx_conf_merge_uint_value(conf->error_detail, prev->error_detail,
                              NGX_HTTP_OG_DETAIL_DEFAULT);
    ngx_conf_merge_str_value(conf->error_type, prev->error_type, "");
}
