
/*
 * Copyright (C) order guard contributors
 */


#include <string.h>

#include "og_slot.h"


/* CRC-16/XMODEM */
#define OG_SLOT_POLYNOMIAL  0x1021


static unsigned og_slot_crc(const unsigned char *data, size_t len);


unsigned
og_slot(const unsigned char *key, size_t len)
{
    size_t                rest;
    const unsigned char  *open, *close;

    open = len ? memchr(key, '{', len) : NULL;

    if (open != NULL) {
        open++;
        rest = len - (size_t) (open - key);
        close = rest ? memchr(open, '}', rest) : NULL;

        if (close != NULL && close != open) {
            key = open;
            len = (size_t) (close - open);
        }
    }

    return og_slot_crc(key, len) % OG_SLOTS;
}


static unsigned
og_slot_crc(const unsigned char *data, size_t len)
{
    size_t    i;
    unsigned  bit, crc;

    crc = 0;

    for (i = 0; i < len; i++) {
        crc ^= (unsigned) data[i] << 8;

        for (bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000) ? (crc << 1) ^ OG_SLOT_POLYNOMIAL : crc << 1;
        }
    }

    return crc & 0xffff;
}
