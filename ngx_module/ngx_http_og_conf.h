
/*
 * Copyright (C) order guard contributors
 */


#ifndef NGX_HTTP_OG_CONF_H_INCLUDED_
#define NGX_HTTP_OG_CONF_H_INCLUDED_


#include "ngx_http_og.h"


/* Compiles text with variables; NULL when it is wrong (logged) or on error. */
ngx_http_complex_value_t *ngx_http_og_compile(ngx_conf_t *cf,
    ngx_str_t *text);


/* ngx_http_og_conf_slots.c: directive setters */

char *ngx_http_og_conf_enum(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_og_conf_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_og_conf_depth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Appends the directive's words to an array; lines of one level add up. */
char *ngx_http_og_conf_msec(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_og_conf_words(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* ngx_http_og_records_conf.c */

char *ngx_http_og_conf_records(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Finds the store of order_guard_records, where a location has that. */
ngx_int_t ngx_http_og_merge_records(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *prev, ngx_http_og_loc_conf_t *conf);


/* ngx_http_og_secret_conf.c */

char *ngx_http_og_conf_secret(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_http_og_fields_conf.c: directive setters, and the rules of a level */

char *ngx_http_og_conf_fields(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* NULL, or what is wrong with one field. */
const char *ngx_http_og_check_field(ngx_str_t *field,
    og_field_action_e action);

char *ngx_http_og_conf_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Merges and compiles the rules; refuses those that contradict. */
ngx_int_t ngx_http_og_merge_fields(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *prev, ngx_http_og_loc_conf_t *conf);


/* ngx_http_og_idempotency_conf.c: directive setters */

char *ngx_http_og_conf_idempotency(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_og_conf_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_og_conf_headers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_og_conf_mark(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* ngx_http_og_limit_conf.c: directive setters */

char *ngx_http_og_conf_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Finds the stores of a location's limits, whose own is known. */
ngx_int_t ngx_http_og_bind_limits(ngx_conf_t *cf,
    ngx_http_og_loc_conf_t *conf);


/* ngx_http_og_error_conf.c: directive setters */

char *ngx_http_og_conf_errors(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_og_conf_error_format(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_og_conf_error_fields(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_og_conf_error_when(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_og_check_error_type(ngx_conf_t *cf, void *post, void *data);

/* Merges what a level says of errors. */
void ngx_http_og_merge_errors(ngx_http_og_loc_conf_t *prev,
    ngx_http_og_loc_conf_t *conf);


#endif /* NGX_HTTP_OG_CONF_H_INCLUDED_ */
