
/*
 * Copyright (C) order guard contributors
 *
 * The sliding window: rows for parsing and for single verdicts.
 */


#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "og_window.h"


#define SECOND  1000ULL
#define DAY     86400000ULL


typedef struct {
    const char           *text;
    uint64_t              limit;
    uint64_t              window;
} rate_row_t;


typedef struct {
    const char           *text;
    const char           *complaint;  /* a part of the sentence */
} wrong_row_t;


/* A verdict for 60r/m, whose slots are 3 s wide. */
typedef struct {
    const char           *name;
    uint64_t              into_slot;  /* ms */
    struct {
        unsigned          slot;       /* index into closed */
        int64_t           count;
    }                     closed[2];
    int64_t               current;
    unsigned              admitted;
    uint64_t              remaining;
    uint64_t              reset;
    uint64_t              retry_after;
} verdict_row_t;


static const rate_row_t  rates[] = {
    { "60r/m", 60, 60 * SECOND },
    { "10r/s", 10, SECOND },
    { "1000r/h", 1000, 3600 * SECOND },
    { "5000r/d", 5000, DAY },
    { "100r/10s", 100, 10 * SECOND },
    { "5r/2m", 5, 120 * SECOND },
    { "1r/1s", 1, SECOND },
    { "007r/03s", 7, 3 * SECOND },
    { "1r/366d", 1, 366 * DAY },
    { "1r/31622400s", 1, 366 * DAY },
    { "999999999999999r/s", 999999999999999ULL, SECOND },
};


static const wrong_row_t  wrong_rates[] = {
    { "", "60r/m" },
    { "60", "60r/m" },
    { "r/m", "60r/m" },
    { "60r", "60r/m" },
    { "60r/", "60r/m" },
    { "60/m", "60r/m" },
    { "60r m", "60r/m" },
    { " 60r/m", "60r/m" },
    { "-1r/m", "60r/m" },
    { "+1r/m", "60r/m" },
    { "1.5r/s", "60r/m" },
    { "0x10r/s", "60r/m" },
    { "60R/m", "60r/m" },
    { "60r/M", "s, m, h or d" },
    { "60r/m ", "s, m, h or d" },
    { "60r/ m", "s, m, h or d" },
    { "60r/60", "s, m, h or d" },
    { "60r/500ms", "s, m, h or d" },
    { "60r/w", "s, m, h or d" },
    { "60r/-1s", "s, m, h or d" },
    { "60r/1.5s", "s, m, h or d" },
    { "0r/m", "1 or more" },
    { "0r/0s", "1 or more" },
    { "60r/0s", "1s or more" },
    { "60r/000d", "1s or more" },
    { "1000000000000000r/s", "999999999999999 or less" },
    { "18446744073709551617r/s", "999999999999999 or less" },
    { "99999999999999999999999999999999999999r/s",
      "999999999999999 or less" },
    { "1r/367d", "366d or less" },
    { "1r/31622401s", "366d or less" },
    { "1r/18446744073709551617s", "366d or less" },
    { "1r/213503982335d", "366d or less" },
    { "1r/99999999999999999999999999999999999999s", "366d or less" },
};


static const verdict_row_t  verdicts[] = {

    { "the first unit, at the slot's first ms",
      0, { { 0, 0 } }, 1,
      1, 59, 63, 0 },

    { "the first unit, at the slot's last ms: 60001 ms are 61 s",
      2999, { { 0, 0 } }, 1,
      1, 59, 61, 0 },

    { "the last unit that fits",
      0, { { 4, 30 }, { 0, 29 } }, 1,
      1, 0, 48, 0 },

    { "one too many",
      0, { { 4, 30 }, { 0, 30 } }, 1,
      0, 0, 48, 48 },

    { "the oldest slot counts in full to its end",
      2999, { { 19, 60 } }, 1,
      0, 0, 1, 1 },

    { "2001 ms are 3 s",
      999, { { 19, 60 } }, 1,
      0, 0, 3, 3 },

    { "2000 ms are 2 s",
      1000, { { 19, 60 } }, 1,
      0, 0, 2, 2 },

    { "the oldest slot leaves too little room",
      0, { { 19, 3 }, { 5, 60 } }, 1,
      0, 0, 3, 45 },

    { "the current slot alone is too full",
      0, { { 19, 3 } }, 61,
      0, 0, 3, 63 },

    { "negative counts read as 0",
      0, { { 0, -5 }, { 7, INT64_MIN } }, 1,
      1, 59, 63, 0 },

    { "nothing is in use",
      0, { { 0, 0 } }, -1,
      1, 60, 0, 0 },

    { "huge counts do not wrap",
      0, { { 3, INT64_MAX }, { 2, INT64_MAX } }, INT64_MAX,
      0, 0, 51, 63 },
};


static void
test_rates_are_read(void **state)
{
    size_t       i;
    const char  *complaint;
    og_window_t  window;

    (void) state;

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        complaint = og_window_parse(&window, rates[i].text,
                                    strlen(rates[i].text));

        if (complaint) {
            fail_msg("\"%s\": %s", rates[i].text, complaint);
        }

        if (window.limit != rates[i].limit
            || window.window != rates[i].window)
        {
            fail_msg("\"%s\": read as %" PRIu64 " in %" PRIu64 " ms",
                     rates[i].text, window.limit, window.window);
        }

        assert_true(window.window % OG_WINDOW_SLOTS == 0);
    }
}


static void
test_wrong_rates_are_refused_in_words(void **state)
{
    size_t       i, len;
    char        *exact;
    const char  *complaint;
    og_window_t  window;

    (void) state;

    for (i = 0; i < sizeof(wrong_rates) / sizeof(wrong_rates[0]); i++) {

        /* Without a terminator, as nginx keeps its arguments. */

        len = strlen(wrong_rates[i].text);
        exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, wrong_rates[i].text, len);

        window.limit = 1;
        window.window = 2;
        complaint = og_window_parse(&window, exact, len);
        free(exact);

        if (complaint == NULL) {
            fail_msg("\"%s\": accepted", wrong_rates[i].text);
        }

        if (strstr(complaint, wrong_rates[i].complaint) == NULL) {
            fail_msg("\"%s\": %s", wrong_rates[i].text, complaint);
        }

        assert_true(window.limit == 1 && window.window == 2);
    }
}


static void
test_only_the_given_length_is_read(void **state)
{
    og_window_t  window;

    (void) state;

    assert_null(og_window_parse(&window, "60r/mess", 5));
    assert_int_equal(window.limit, 60);

    assert_non_null(og_window_parse(&window, "60r/m", 4));
}


static void
test_slots_and_expiry(void **state)
{
    og_window_t  window;

    (void) state;

    assert_null(og_window_parse(&window, "60r/m", 5));

    assert_true(og_window_slot(&window, 0) == 0);
    assert_true(og_window_slot(&window, 2999) == 0);
    assert_true(og_window_slot(&window, 3000) == 1);
    assert_true(og_window_slot(&window, 1700000000000ULL) == 566666666);
    assert_true(og_window_expiry(&window) == 66000);

    assert_null(og_window_parse(&window, "1r/s", 4));
    assert_true(og_window_slot(&window, 49) == 0);
    assert_true(og_window_slot(&window, 50) == 1);
    assert_true(og_window_expiry(&window) == 1100);
}


static void
test_verdicts(void **state)
{
    size_t                i, k;
    int64_t               closed[OG_WINDOW_SLOTS];
    og_window_t           window;
    og_window_verdict_t   verdict;
    const verdict_row_t  *row;

    (void) state;

    assert_null(og_window_parse(&window, "60r/m", 5));

    for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        row = &verdicts[i];
        memset(closed, 0, sizeof(closed));

        for (k = 0; k < 2; k++) {
            if (row->closed[k].count) {
                closed[row->closed[k].slot] = row->closed[k].count;
            }
        }

        og_window_judge(&window, 1700000001000ULL + row->into_slot,
                        closed, row->current, &verdict);

        if (verdict.admitted != row->admitted
            || verdict.remaining != row->remaining
            || verdict.reset != row->reset
            || verdict.retry_after != row->retry_after)
        {
            fail_msg("%s: admitted %u remaining %" PRIu64 " reset %" PRIu64
                     " retry_after %" PRIu64, row->name,
                     (unsigned) verdict.admitted, verdict.remaining,
                     verdict.reset, verdict.retry_after);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rates_are_read),
        cmocka_unit_test(test_wrong_rates_are_refused_in_words),
        cmocka_unit_test(test_only_the_given_length_is_read),
        cmocka_unit_test(test_slots_and_expiry),
        cmocka_unit_test(test_verdicts),
    };

    return cmocka_run_group_tests_name("og_window", tests, NULL, NULL);
}
