
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_mime.h"


static unsigned char og_mime_lower(unsigned char c);


/* tchar: letters, digits and !#$%&'*+-.^_`|~ */
static const unsigned char  og_mime_is_token[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0
};


const unsigned char *
og_mime_token(const unsigned char *p, const unsigned char *end)
{
    while (p < end && og_mime_is_token[*p]) {
        p++;
    }

    return p;
}


const unsigned char *
og_mime_quoted(const unsigned char *p, const unsigned char *end)
{
    for (p++; p < end && *p != '"'; p++) {

        if (*p == '\\' && ++p == end) {
            return NULL;
        }

        if ((*p < ' ' && *p != '\t') || *p == 0x7F) {
            return NULL;
        }
    }

    return (p < end) ? p + 1 : NULL;
}


int
og_mime_equal(og_text_t a, og_text_t b)
{
    return a.len == b.len && og_mime_begins(a, b);
}


int
og_mime_begins(og_text_t text, og_text_t with)
{
    size_t  i;

    if (text.len < with.len) {
        return 0;
    }

    for (i = 0; i < with.len; i++) {

        if (og_mime_lower(text.data[i]) != og_mime_lower(with.data[i])) {
            return 0;
        }
    }

    return 1;
}


int
og_mime_ends(og_text_t text, og_text_t with)
{
    if (text.len < with.len) {
        return 0;
    }

    text.data += text.len - with.len;

    return og_mime_begins(text, with);
}


int
og_mime_mentions(og_text_t text, og_text_t word, unsigned char mark)
{
    for ( /* void */ ; text.len > word.len; text.data++, text.len--) {

        if (og_mime_begins(text, word)) {
            return memchr(text.data + word.len, mark, text.len - word.len)
                   != NULL;
        }
    }

    return 0;
}


static unsigned char
og_mime_lower(unsigned char c)
{
    return (unsigned char) ((c >= 'A' && c <= 'Z') ? (c | 0x20) : c);
}
