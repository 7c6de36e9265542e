
/*
 * Copyright (C) order guard contributors
 *
 * Forms, query strings and their rules.  The first line of an input is the
 * kind, the match mode and the rules ("bl s:price r:/role a:/items/0/sku
 * w:user_id"), the rest is the form.  What must hold: what is left is the
 * input without ranges, is not cut again, and has no bare name that is to be
 * stripped, however it is split into fields; what the gateway writes is found
 * there, once, by all.
 */


#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "og_form.h"
#include "rules.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* what the gateway writes, and how that looks then */
#define VALUE    "1;x=2&y]=%3"
#define WRITTEN  "1%3Bx%3D2%26y%5D%3D%253"

/* How a parser finds where a name ends. */
typedef enum {
    AT_EQUALS = 0,
    AT_BRACKET,               /* and "=", where there is any */
    AT_ANY_BRACKET            /* escaped or not */
} reading_e;

static void fill_sets(rules_t *rules);
static void check_form(const rules_t *rules, const uint8_t *data,
    size_t size);
static void check_kept(const rules_t *rules, const og_body_rules_t *scan_rules,
    const og_body_result_t *result, const uint8_t *data, size_t size);
static void check_fields(const rules_t *rules, const uint8_t *form,
    size_t len, const char *separators, reading_e reading);
static size_t name_length(const uint8_t *field, size_t len,
    reading_e reading);
static size_t decode(uint8_t *dst, const uint8_t *src, size_t len);
static void check_parts(const rules_t *rules, const uint8_t *name, size_t len,
    const char *between);
static void check_sets(const rules_t *rules, const og_body_result_t *result,
    const uint8_t *kept, size_t len);
static size_t count_written(const og_set_t *set, const uint8_t *form,
    size_t len);


static og_scanner_t    *scanner;
static og_form_kind_e   kind;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          line;
    rules_t         rules;
    const uint8_t  *end;

    if (scanner == NULL) {
        scanner = og_scanner_create();
        check(scanner != NULL);
    }

    end = memchr(data, '\n', size);
    line = end ? (size_t) (end - data) : 0;

    kind = (line > 0 && data[0] == 'q') ? OG_FORM_QUERY : OG_FORM_BODY;

    if (line > 1 && rules_read(&rules, (const char *) data + 1, line - 1) == 0)
    {
        fill_sets(&rules);
        check_form(&rules, data + line + 1, size - line - 1);
        rules_done(&rules);
    }

    kind = OG_FORM_BODY;
    memset(&rules, 0, sizeof(rules));
    check_form(&rules, data + line, size - line);

    return 0;
}


static void
fill_sets(rules_t *rules)
{
    size_t  i;

    for (i = 0; i < rules->nsets; i++) {
        rules->sets[i].value = (const unsigned char *) VALUE;
        rules->sets[i].value_len = sizeof(VALUE) - 1;
    }
}


static void
check_form(const rules_t *rules, const uint8_t *data, size_t size)
{
    size_t                   i;
    og_body_rules_t          scan_rules;
    const og_body_result_t  *result;

    memset(&scan_rules, 0, sizeof(scan_rules));
    scan_rules.fields = rules->fields;
    scan_rules.max_depth = 16;

    result = og_form_scan(scanner, &scan_rules, kind, data, size);

    check(result->status != OG_BODY_NO_MEMORY);
    check(result->offset <= size && result->ngaps == 0);
    check(strlen(result->pointer) == 0);
    check(strlen(result->stripped) <= 4100);
    check(strlen(result->rejected) <= 4100);
    check((result->ncuts == 0) == (result->stripped[0] == '\0'));

    if (result->status == OG_BODY_MALFORMED) {
        check(result->ncuts == 0 && result->message != NULL);
        return;
    }

    check((result->status == OG_BODY_OK) == (result->rejected[0] == '\0'));

    for (i = 0; i < result->ncuts; i++) {
        check(result->cuts[i].start < result->cuts[i].end);
        check(result->cuts[i].end <= size);
        check(i == 0 || result->cuts[i - 1].end <= result->cuts[i].start);
    }

    check_kept(rules, &scan_rules, result, data, size);
}


static void
check_kept(const rules_t *rules, const og_body_rules_t *scan_rules,
    const og_body_result_t *result, const uint8_t *data, size_t size)
{
    size_t             len;
    unsigned char     *kept;
    og_body_status_e   status;

    status = result->status;
    len = og_body_kept_length(result, size);
    check(len <= size);

    kept = malloc(len + 1);
    check(kept != NULL);
    check(og_body_copy_kept(kept, result, data, size) == kept + len);

    /* a name may be one to strip and one to reject */

    if (status == OG_BODY_OK) {
        check_fields(rules, kept, len, "&;", AT_EQUALS);
        check_fields(rules, kept, len, "&", AT_EQUALS);
        check_fields(rules, kept, len, "&", AT_BRACKET);
        check_fields(rules, kept, len, "&", AT_ANY_BRACKET);
        check_sets(rules, result, kept, len);
    }

    result = og_form_scan(scanner, scan_rules, kind, kept, len);
    check(result->status == status && result->ncuts == 0);

    free(kept);
}


/* The least that must hold: the very name of a strip rule is nowhere. */
static void
check_fields(const rules_t *rules, const uint8_t *form, size_t len,
    const char *separators, reading_e reading)
{
    size_t    i, start, n;
    uint8_t  *name;

    name = malloc(len + 1);
    check(name != NULL);
    start = 0;

    for (i = 0; i <= len; i++) {

        if (i < len && form[i] != separators[0]
            && (separators[1] == '\0' || form[i] != separators[1]))
        {
            continue;
        }

        n = decode(name, form + start,
                   name_length(form + start, i - start, reading));
        check_parts(rules, name, n, "[]");
        check_parts(rules, name, n, ".[]");

        start = i + 1;
    }

    free(name);
}


static size_t
name_length(const uint8_t *field, size_t len, reading_e reading)
{
    size_t          i;
    const uint8_t  *equals;

    for (i = 0; i + 1 < len && reading != AT_EQUALS; i++) {

        if (field[i] == ']' && field[i + 1] == '=') {
            return i + 1;
        }

        if (reading == AT_ANY_BRACKET && i + 3 < len && field[i] == '%'
            && field[i + 1] == '5' && (field[i + 2] | 0x20) == 'd'
            && field[i + 3] == '=')
        {
            return i + 3;
        }
    }

    equals = memchr(field, '=', len);

    return equals ? (size_t) (equals - field) : len;
}


static size_t
decode(uint8_t *dst, const uint8_t *src, size_t len)
{
    char    hex[3];
    size_t  i, n;

    n = 0;
    hex[2] = '\0';

    for (i = 0; i < len; i++) {
        dst[n] = (src[i] == '+') ? ' ' : src[i];

        if (src[i] == '%' && i + 2 < len) {
            hex[0] = (char) src[i + 1];
            hex[1] = (char) src[i + 2];

            if (strspn(hex, "0123456789abcdefABCDEF") == 2) {
                dst[n] = (uint8_t) strtoul(hex, NULL, 16);
                i += 2;
            }
        }

        n++;
    }

    return n;
}


static void
check_parts(const rules_t *rules, const uint8_t *name, size_t len,
    const char *between)
{
    size_t  i, j, start, n;

    start = 0;

    for (i = 0; i <= len; i++) {

        if (i < len && (name[i] == '\0' || !strchr(between, name[i]))) {
            continue;
        }

        n = i - start;

        for (j = 0; j < rules->nbare && n > 0; j++) {
            /* no part of a name has these */

            check(memchr(rules->bare[j].text, ';', rules->bare[j].len)
                  || memchr(rules->bare[j].text, '=', rules->bare[j].len)
                  || memchr(rules->bare[j].text, '(', rules->bare[j].len)
                  || rules->bare[j].len != n
                  || memcmp(rules->bare[j].text, name + start, n) != 0);
        }

        start = i + 1;
    }
}


static void
check_sets(const rules_t *rules, const og_body_result_t *result,
    const uint8_t *kept, size_t len)
{
    size_t           i, room;
    unsigned char   *body, *value, *end;
    const og_set_t  *homeless;

    if (rules->nsets == 0) {
        return;
    }

    room = og_set_room(rules->sets, rules->nsets);
    body = malloc(len + room);
    value = malloc(len + room);
    check(body != NULL && value != NULL);
    memcpy(body, kept, len);

    homeless = og_form_set(body, &len, result->homes, result->nhomes,
                           rules->sets, rules->nsets, 1);
    check(homeless == NULL || homeless->field[0] == '/');

    for (i = 0; i < rules->nsets && homeless == NULL; i++) {

        if (rules->sets[i].field[0] == '/'
            || memchr(rules->sets[i].field, ';', rules->sets[i].field_len))
        {
            continue;
        }

        end = og_form_find(value, body, len, rules->sets[i].field,
                           rules->sets[i].field_len);
        check(end == value + sizeof(VALUE) - 1);
        check(memcmp(value, VALUE, sizeof(VALUE) - 1) == 0);
        check(count_written(&rules->sets[i], body, len) == 1);
    }

    free(value);
    free(body);
}


/* How many fields that "&" alone parts have that name, and the value. */
static size_t
count_written(const og_set_t *set, const uint8_t *form, size_t len)
{
    size_t    i, start, n, count;
    uint8_t  *name;

    name = malloc(len + 1);
    check(name != NULL);
    start = 0;
    count = 0;

    for (i = 0; i <= len; i++) {

        if (i < len && form[i] != '&') {
            continue;
        }

        n = name_length(form + start, i - start, AT_EQUALS);

        if (decode(name, form + start, n) == set->field_len
            && memcmp(name, set->field, set->field_len) == 0)
        {
            count++;
            check(i - start - n == sizeof(WRITTEN)
                  && memcmp(form + start + n + 1, WRITTEN,
                            sizeof(WRITTEN) - 1) == 0);
        }

        start = i + 1;
    }

    free(name);

    return count;
}
