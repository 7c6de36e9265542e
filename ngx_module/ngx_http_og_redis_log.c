
/*
 * Copyright (C) order guard contributors
 *
 * What a connection tells in the log: a dead server must not fill it.
 */


#include "ngx_http_og_redis_link.h"


#define NGX_HTTP_OG_REDIS_LOG_PERIOD  1000    /* ms */
#define NGX_HTTP_OG_REDIS_LOG_SIZE    512


void
ngx_http_og_redis_log(ngx_http_og_redis_t *link, ngx_http_og_redis_log_e kind,
    ngx_uint_t level, ngx_err_t err, const char *fmt, ...)
{
    u_char      text[NGX_HTTP_OG_REDIS_LOG_SIZE], *last;
    va_list     args;
    ngx_str_t   line;
    ngx_uint_t  withheld;

    if (link->logged[kind].used
        && ngx_current_msec - link->logged[kind].time
           < NGX_HTTP_OG_REDIS_LOG_PERIOD)
    {
        link->logged[kind].withheld++;
        return;
    }

    va_start(args, fmt);
    last = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    line.data = text;
    line.len = last - text;

    withheld = link->logged[kind].withheld;

    link->logged[kind].used = 1;
    link->logged[kind].time = ngx_current_msec;
    link->logged[kind].withheld = 0;

    if (withheld) {
        ngx_log_error(level, &link->log, err,
                      "store \"%V\" %V (%ui more since the last such line)",
                      &link->conf->name, &line, withheld);
        return;
    }

    ngx_log_error(level, &link->log, err, "store \"%V\" %V",
                  &link->conf->name, &line);
}
