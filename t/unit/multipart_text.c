
/*
 * Copyright (C) order guard contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "multipart_text.h"


static const struct {
    const char           *sign;
    const char           *meaning;
} multipart_signs[] = {
    { "<!>", "" },
    { "\xC2\xB6", "\r\n" },
    { "\xC2\xAB", "Content-Disposition: form-data; name=\"" },
    { "\xC2\xBB", "\"" }
};


size_t
multipart_text(unsigned char *dst, const void *text, size_t len, size_t *mark)
{
    size_t                i, n, written;
    const unsigned char  *p, *end;

    p = text;
    end = p + len;
    written = 0;

    if (mark != NULL) {
        *mark = MULTIPART_NO_MARK;
    }

    while (p < end) {

        for (i = 0; i < sizeof(multipart_signs) / sizeof(multipart_signs[0]);
             i++)
        {
            n = strlen(multipart_signs[i].sign);

            if ((size_t) (end - p) >= n
                && memcmp(p, multipart_signs[i].sign, n) == 0)
            {
                break;
            }
        }

        if (written + 64 > MULTIPART_SIZE) {
            fprintf(stderr, "a body that is too large for a test\n");
            exit(2);
        }

        if (i == sizeof(multipart_signs) / sizeof(multipart_signs[0])) {
            dst[written++] = *p++;
            continue;
        }

        if (i == 0 && mark != NULL) {
            *mark = written;
        }

        p += n;

        n = strlen(multipart_signs[i].meaning);
        memcpy(dst + written, multipart_signs[i].meaning, n);
        written += n;
    }

    return written;
}


og_media_t
multipart_media(const char *boundary)
{
    og_media_t  media;

    media.type = OG_MEDIA_MULTIPART;
    media.len = strlen("multipart/form-data");
    media.boundary = (const unsigned char *) boundary;
    media.boundary_len = strlen(boundary);

    return media;
}
