
/*
 * Copyright (C) order guard contributors
 *
 * Hash slots: what the specification says, and what CLUSTER KEYSLOT says.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "og_slot.h"


typedef struct {
    const char           *key;
    unsigned              slot;       /* as a server's CLUSTER KEYSLOT */
} slot_row_t;


static const slot_row_t  rows[] = {
    { "123456789", 0x31c3 % OG_SLOTS },
    { "", 0 },
    { "foo", 12182 },
    { "{foo}", 12182 },
    { "og:{foo}:i:bar", 12182 },
    { "og:{foo}:l:60r/m:1", 12182 },
    { "foo{}{bar}", 8363 },
    { "foo{{bar}}zap", 4015 },
    { "foo{bar}{zap}", 5061 },
    { "{bar", 4015 },
    { "{", 4092 },
    { "}", 12090 },
    { "foo{", 7673 },
    { "}foo{bar}", 5061 },
};


static void
test_rows(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (og_slot((const unsigned char *) rows[i].key, strlen(rows[i].key))
            != rows[i].slot)
        {
            fail_msg("\"%s\": %u", rows[i].key,
                     og_slot((const unsigned char *) rows[i].key,
                             strlen(rows[i].key)));
        }
    }
}


static void
test_every_byte(void **state)
{
    unsigned       i;
    unsigned char  key[2];

    (void) state;

    for (i = 0; i < 65536; i++) {
        key[0] = (unsigned char) (i >> 8);
        key[1] = (unsigned char) i;

        assert_in_range(og_slot(key, 2), 0, OG_SLOTS - 1);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
