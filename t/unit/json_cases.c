
/*
 * Copyright (C) order guard contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_cases.h"


static void
json_case_die(const json_case_t *row, const char *line)
{
    fprintf(stderr, "%s:%d: what is \"%s\"?\n", row->file, row->line, line);
    exit(2);
}


/* Turns <0A> into the byte, in place. */
static size_t
json_case_bytes(unsigned char *dst, const char *src)
{
    unsigned        byte;
    unsigned char  *start;

    start = dst;

    while (*src != '\0') {

        if (sscanf(src, "<%2X>", &byte) == 1 && src[3] == '>') {
            *dst++ = (unsigned char) byte;
            src += 4;

        } else {
            *dst++ = (unsigned char) *src++;
        }
    }

    return (size_t) (dst - start);
}


static void
json_case_text(json_text_t *text, const char *value)
{
    text->len = json_case_bytes(text->data, value);
    text->given = 1;
}


static void
json_case_number(json_case_t *row, const char *key, const char *value)
{
    size_t  n;

    n = strtoul(value, NULL, 10);

    if (strcmp(key, "depth") == 0) {
        row->depth = n;

    } else {
        row->offset = n;
    }
}


static void
json_case_word(json_case_t *row, const char *key, const char *value)
{
    if (strcmp(key, "unlisted") == 0 && strcmp(value, "reject") == 0) {
        row->reject_unlisted = 1;

    } else if (strcmp(value, "exact") == 0) {
        row->match = OG_MATCH_EXACT;

    } else if (strcmp(value, "caseless") == 0) {
        row->match = OG_MATCH_CASELESS;

    } else if (strcmp(value, "loose") == 0) {
        row->match = OG_MATCH_LOOSE;

    } else {
        json_case_die(row, value);
    }
}


static void
json_case_line(json_case_t *row, char *line)
{
    char    *value;
    size_t   i;

    struct {
        const char  *key;
        char        *text;
    } texts[] = {
        { "case", row->name },
        { "strip", row->strip },
        { "reject", row->reject },
        { "allow", row->allow },
        { "set", row->set },
        { "homeless", row->homeless },
        { "stripped", row->stripped },
        { "rejected", row->rejected },
        { "error", row->error },
        { "pointer", row->pointer }
    };

    value = strchr(line, ':');

    if (value == NULL) {
        json_case_die(row, line);
        return;
    }

    *value++ = '\0';
    value += (*value == ' ');

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {

        if (strcmp(line, texts[i].key) == 0) {
            texts[i].text[json_case_bytes((unsigned char *) texts[i].text,
                                          value)] = '\0';
            return;
        }
    }

    if (strcmp(line, "in") == 0) {
        json_case_text(&row->in, value);

    } else if (strcmp(line, "out") == 0) {
        json_case_text(&row->out, value);

    } else if (strcmp(line, "written") == 0) {
        json_case_text(&row->written, value);

    } else if (strcmp(line, "depth") == 0 || strcmp(line, "offset") == 0) {
        json_case_number(row, line, value);

    } else if (strcmp(line, "match") == 0 || strcmp(line, "unlisted") == 0) {
        json_case_word(row, line, value);

    } else {
        json_case_die(row, line);
    }
}


size_t
json_cases(const char *folder, const char *file, json_case_pt check)
{
    int                 line;
    char                path[256], text[JSON_CASE_SIZE];
    FILE               *in;
    size_t              n;
    static json_case_t  row;

    snprintf(path, sizeof(path), "%s/%s", folder, file);

    in = fopen(path, "r");
    if (in == NULL) {
        perror(path);
        exit(2);
    }

    n = 0;
    line = 0;
    row.line = 0;

    do {
        text[0] = '\0';

        if (fgets(text, sizeof(text), in) != NULL) {
            text[strcspn(text, "\n")] = '\0';
            line++;
        }

        if (text[0] != '\0' && text[0] != '#' && row.line == 0) {
            memset(&row, 0, sizeof(row));
            snprintf(row.file, sizeof(row.file), "%s", file);
            row.match = OG_MATCH_LOOSE;
            row.depth = 64;
            row.line = line;
        }

        if (text[0] != '\0' && text[0] != '#') {
            json_case_line(&row, text);
        }

        if (text[0] == '\0' && row.line != 0) {
            check(&row);
            row.line = 0;
            n++;
        }

    } while (!feof(in));

    fclose(in);

    return n;
}


/* Adds the rules of a list that is separated by spaces. */
static const char *
json_case_rules(og_fields_t *fields, og_field_action_e action,
    const char *list)
{
    size_t       len;
    const char  *wrong;

    while (*list != '\0') {
        len = strcspn(list, " ");
        wrong = og_fields_add(fields, action, list, len);

        if (wrong != NULL) {
            return wrong;
        }

        list += len;
        list += strspn(list, " ");
    }

    return NULL;
}


size_t
json_case_sets(const char *text, og_set_t *sets)
{
    size_t     n;
    og_set_t  *set;

    for (n = 0; *text != '\0' && n < JSON_CASE_SETS; n++) {
        set = &sets[n];

        set->field = text;
        set->field_len = strcspn(text, "=#?");
        text += set->field_len;

        set->type = (*text == '=') ? OG_SET_STRING
                    : (*text == '#') ? OG_SET_NUMBER : OG_SET_BOOLEAN;
        text++;

        set->value = (const unsigned char *) text;
        set->value_len = strcspn(text, " ");
        text += set->value_len;
        text += strspn(text, " ");
    }

    return n;
}


static const char *
json_case_add_sets(og_fields_t *fields, const char *text)
{
    size_t       i, n;
    og_set_t     sets[JSON_CASE_SETS];
    const char  *wrong;

    wrong = NULL;
    n = json_case_sets(text, sets);

    for (i = 0; i < n && wrong == NULL; i++) {
        wrong = og_fields_add(fields, OG_FIELD_SET, sets[i].field,
                              sets[i].field_len);
    }

    return wrong;
}


og_fields_t *
json_case_fields(const json_case_t *row, const char **wrong)
{
    og_fields_t  *fields;

    *wrong = NULL;

    if (row->strip[0] == '\0' && row->reject[0] == '\0'
        && row->allow[0] == '\0' && row->set[0] == '\0')
    {
        return NULL;
    }

    fields = og_fields_create(row->match);

    if (fields == NULL) {
        *wrong = "no memory";
        return NULL;
    }

    *wrong = json_case_rules(fields, OG_FIELD_STRIP, row->strip);

    if (*wrong == NULL) {
        *wrong = json_case_rules(fields, OG_FIELD_REJECT, row->reject);
    }

    if (*wrong == NULL) {
        *wrong = json_case_rules(fields, OG_FIELD_ALLOW, row->allow);
    }

    if (*wrong == NULL) {
        *wrong = json_case_add_sets(fields, row->set);
    }

    if (*wrong == NULL) {
        *wrong = og_fields_compile(fields);
    }

    if (*wrong == NULL) {
        return fields;
    }

    og_fields_free(fields);

    return NULL;
}
