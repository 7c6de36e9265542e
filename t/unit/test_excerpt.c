
/*
 * Copyright (C) order guard contributors
 *
 * Excerpts for a log: rows, every bound, and texts and secrets at random.  A
 * failure prints the seed; OG_SEED=n OG_ROUNDS=1 runs it again, OG_ROUNDS=n
 * runs longer.
 */


#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "og_excerpt.h"


#define ROUNDS     200000
#define SECRETS    3
#define MAX_TEXT   48
#define MAX_SECRET 10
#define MAX_BOUND  64


typedef struct {
    const char           *name;
    const char           *text;
    const char           *secrets[SECRETS];
    const char           *excerpt;
} row_t;


static const row_t  rows[] = {

    { "nothing", "", { "secret" }, "" },
    { "visible ASCII", " !#[]^~az09", { NULL }, " !#[]^~az09" },
    { "the quote and the backslash", "\"\\", { NULL }, "\\x22\\x5c" },
    { "controls", "a\n\r\t\x01\x1f\x7f.", { NULL },
      "a\\x0a\\x0d\\x09\\x01\\x1f\\x7f." },
    { "bytes that are no ASCII", "\x80\xc3\xa9\xff", { NULL },
      "\\x80\\xc3\\xa9\\xff" },

    { "a secret alone", "secret", { "secret" }, "***" },
    { "at the start", "secret is it", { "secret" }, "*** is it" },
    { "at the end", "it is secret", { "secret" }, "it is ***" },
    { "in the middle, and again", "a secret, a secret.", { "secret" },
      "a ***, a ***." },
    { "twice in a row", "secretsecret", { "secret" }, "******" },
    { "in a word", "xsecrets", { "secret" }, "x***s" },
    { "in another case", "Secret", { "secret" }, "Secret" },
    { "not all of it", "secre t", { "secret" }, "secre t" },
    { "but for its last byte", "a secre", { "secret" }, "a secre" },
    { "longer than the text", "secret", { "secret and more" }, "secret" },
    { "behind its own start", "secsecret", { "secret" }, "sec***" },

    { "of four bytes", "a 1234 b", { "1234" }, "a *** b" },
    { "of three", "a 123 b", { "123" }, "a 123 b" },
    { "of one, and of none", "a b", { "a", "" }, "a b" },

    { "several", "key-1 and token", { "token", "key-1" }, "*** and ***" },
    { "one in another", "token-1234", { "token", "token-1234" }, "***" },
    { "the other way round", "token-1234", { "token-1234", "token" },
      "***" },
    { "a short one is no obstacle", "token", { "t", "token" }, "***" },
    { "one in the middle of another", "token-1234.", { "n-12", "token-1234" },
      "***." },

    /* none shows what another leaves of it */

    { "overlapping", "a abcdefgh b", { "abcdef", "cdefgh" }, "a *** b" },
    { "overlapping by a byte", "abcdefg.", { "abcd", "defg" }, "***." },
    { "one after another", "abcdefgh.", { "abcd", "efgh" }, "******." },
    { "a chain", "abcdefghij.", { "abcd", "cdef", "efghij" }, "***." },
    { "a chain that goes on", "abcdefghij.", { "abcd", "defg", "ghij" },
      "***." },
    { "overlapping itself", "abababx", { "abab" }, "***x" },

    { "escaped as in JSON", "a t0k\\/en\\\"s, t0k/en\"s", { "t0k/en\"s" },
      "a ***, ***" },
    { "as a character of JSON", "abc\\u002Bd, abc\\u002bd", { "abc+d" },
      "***, ***" },
    { "in a URI and in HTML", "abc%2Bd abc&#43;d %61bcd+", { "abc+d" },
      "*** *** %61bcd+" },
    { "all of it", "%61%62%63%2b%64", { "abc+d" }, "***" },
    { "another character", "abc\\u012Bd", { "abc+d" }, "abc\\x5cu012Bd" },
    { "cut behind its backslash", "t0k\\", { "t0k/en" }, "t0k\\x5c" },
    { "with bytes that are escaped", "a\"b\\c\xff", { "\"b\\c" },
      "a***\\xff" },
};


static uint64_t  seed, dice;

static size_t               text_len;
static unsigned char        text[MAX_TEXT + 1];
static unsigned char        secret_bytes[SECRETS][MAX_SECRET];
static og_excerpt_secret_t  hide[SECRETS];

/* a generator that makes nothing of interest must be noticed */
static struct {
    uint64_t              cut;
    uint64_t              whole;
    uint64_t              hidden;     /* a secret stood in the text */
} seen;


static size_t
excerpt(char *dst, size_t max, const char *from, size_t len,
    const char *const *secrets)
{
    char                 *room;
    size_t                i, used;
    unsigned char        *exact;
    og_excerpt_secret_t   list[SECRETS];

    for (i = 0; i < SECRETS; i++) {
        list[i].data = (const unsigned char *) secrets[i];
        list[i].len = secrets[i] ? strlen(secrets[i]) : 0;
    }

    exact = malloc(len ? len : 1);
    room = malloc(max);
    assert_true(exact != NULL && room != NULL);
    memcpy(exact, from, len);

    used = og_excerpt(room, max, exact, len, list, SECRETS);
    assert_true(used <= max);
    memcpy(dst, room, used);
    dst[used] = '\0';

    free(exact);
    free(room);

    return used;
}


static void
test_rows(void **state)
{
    char    found[128];
    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void) excerpt(found, 127, rows[i].text, strlen(rows[i].text),
                       rows[i].secrets);

        if (strcmp(found, rows[i].excerpt) != 0) {
            fail_msg("%s: %s", rows[i].name, found);
        }
    }
}


static void
test_no_secrets(void **state)
{
    char  found[8];

    (void) state;

    assert_int_equal(og_excerpt(found, 8, (const unsigned char *) "abcd", 4,
                                NULL, 0), 4);
    assert_memory_equal(found, "abcd", 4);
}


static void
test_nul_is_escaped(void **state)
{
    char  found[16];

    static const char *const  none[SECRETS];

    (void) state;

    (void) excerpt(found, 15, "a\0b", 3, none);
    assert_string_equal(found, "a\\x00b");
}


/* A piece of a text n times, within max bytes. */

static void
check_bound(const char *piece, const char *shown, size_t n, size_t max)
{
    char    many[6 * (MAX_BOUND + 1)], found[MAX_BOUND + 1];
    size_t  i, len, size, expected;

    static const char *const  secrets[SECRETS] = { "secret" };

    size = strlen(shown);
    memset(many, 0, sizeof(many));

    for (i = 0; i < n; i++) {
        memcpy(many + i * strlen(piece), piece, strlen(piece));
    }

    len = excerpt(found, max, many, n * strlen(piece), secrets);

    /* what is left out makes room for the dots, in whole pieces */

    expected = n * size <= max ? n : (max - 3) / size;

    for (i = 0; i < expected; i++) {
        assert_memory_equal(found + i * size, shown, size);
    }

    assert_string_equal(found + i * size, expected < n ? "..." : "");
    assert_int_equal(len, strlen(found));
}


static void
test_bounds(void **state)
{
    size_t  n, max;

    (void) state;

    for (max = 8; max <= MAX_BOUND; max++) {
        for (n = 0; n <= MAX_BOUND + 1; n++) {
            check_bound("a", "a", n, max);
            check_bound("\n", "\\x0a", n, max);
            check_bound("secret", "***", n, max);
        }
    }
}


/* A secret where the room ends: all of it is there to be found. */

static void
test_a_secret_at_the_bound(void **state)
{
    char    found[MAX_BOUND + 1], from[MAX_BOUND + 20];
    size_t  at, len, max;

    static const char *const  secrets[SECRETS] = { "0123456789" };

    (void) state;

    max = 20;

    for (at = 0; at <= max; at++) {
        memset(from, 'a', at);
        memcpy(from + at, secrets[0], 10);
        memset(from + at + 10, 'b', 20);

        len = excerpt(found, max, from, at + 30, secrets);
        assert_true(len >= max - 2);
        assert_null(strpbrk(found, "0123456789"));
        assert_string_equal(found + len - 3, "...");
        assert_true((strstr(found, "a***") != NULL)
                    == (at > 0 && at <= max - 6));
    }
}


static uint64_t
below(uint64_t n)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;

    return dice % n;
}


/*
 * Few letters, so that secrets are found, overlap and are escaped; neither
 * stars nor dots, which stand for them.
 */

static void
make_case(void)
{
    size_t          i, j;
    unsigned char  *p;

    static const char  letters[] = "aaaabbbc/0\"\\\\\n\xe9";

    text_len = below(MAX_TEXT);
    memset(text, 0, sizeof(text));

    for (i = 0; i < text_len; i++) {
        text[i] = (unsigned char) letters[below(sizeof(letters) - 1)];
    }

    for (i = 0; i < SECRETS; i++) {
        p = secret_bytes[i];
        hide[i].data = p;
        hide[i].len = below(MAX_SECRET);

        for (j = 0; j < hide[i].len; j++) {
            p[j] = (unsigned char) letters[below(sizeof(letters) - 1)];
        }

        if (hide[i].len < text_len && below(4)) {
            memcpy(p, text + below(text_len - hide[i].len), hide[i].len);
        }
    }
}


/* Where a secret that begins here ends; 0 where none does. */

static size_t
end_of(const og_excerpt_secret_t *secret, size_t at)
{
    char    spelled[16];
    size_t  i, n, len;

    static const char *const  spellings[] = {
        "\\%c", "\\u00%02x", "\\u00%02X", "%%%02x", "%%%02X", "&#%u;", "%c"
    };

    len = 0;

    for (i = 0; i < secret->len; i++) {

        for (n = 0; n < sizeof(spellings) / sizeof(spellings[0]); n++) {

            if (n == 0 && strchr("/\"", secret->data[i]) == NULL) {
                continue;
            }

            len = (size_t) snprintf(spelled, sizeof(spelled), spellings[n],
                                    secret->data[i]);

            if (at + len <= text_len && memcmp(text + at, spelled, len) == 0) {
                break;
            }
        }

        if (n == sizeof(spellings) / sizeof(spellings[0])) {
            return 0;
        }

        at += len;
    }

    return at;
}


/* Slow and obvious: the bytes from here on that secrets hide at one go. */

static size_t
hidden_at(size_t at)
{
    size_t  i, j, end;

    end = at;
    j = at;

    do {
        for (i = 0; i < SECRETS; i++) {
            if (hide[i].len >= OG_EXCERPT_MIN_SECRET
                && end_of(&hide[i], j) > end)
            {
                end = end_of(&hide[i], j);
            }
        }

    } while (++j < end);

    return end - at;
}


static size_t
expect(char *dst, size_t max)
{
    size_t  i, len, hidden, n, ends[MAX_TEXT + 1];

    len = 0;
    n = 0;
    ends[0] = 0;

    for (i = 0; i < text_len; i += hidden ? hidden : 1) {
        hidden = hidden_at(i);

        if (hidden) {
            memcpy(dst + len, "***", 3);
            len += 3;
            seen.hidden++;

        } else if (text[i] < ' ' || text[i] > '~'
                   || strchr("\"\\", text[i]) != NULL)
        {
            len += (size_t) snprintf(dst + len, 5, "\\x%02x", text[i]);

        } else {
            dst[len++] = (char) text[i];
        }

        ends[++n] = len;
    }

    if (len <= max) {
        seen.whole++;
        return len;
    }

    while (ends[n] + 3 > max) {
        n--;
    }

    memcpy(dst + ends[n], "...", 3);
    seen.cut++;

    return ends[n] + 3;
}


/* The excerpt's bytes, with those that are escaped. */

static size_t
unescape(unsigned char *dst, const char *from, size_t len)
{
    char    byte[3];
    size_t  i, n;

    for (i = 0, n = 0; i < len; n++) {

        if (from[i] != '\\') {
            dst[n] = (unsigned char) from[i++];
            continue;
        }

        assert_true(i + 4 <= len && from[i + 1] == 'x');
        memcpy(byte, from + i + 2, 2);
        byte[2] = '\0';
        dst[n] = (unsigned char) strtoul(byte, NULL, 16);
        i += 4;
    }

    return n;
}


static void
check_nothing_is_told(const char *found, size_t len)
{
    size_t         i, j, n;
    unsigned char  plain[MAX_BOUND];

    n = unescape(plain, found, len);

    for (i = 0; i < SECRETS; i++) {

        if (hide[i].len < OG_EXCERPT_MIN_SECRET) {
            continue;
        }

        for (j = 0; j + hide[i].len <= n; j++) {
            if (memcmp(plain + j, hide[i].data, hide[i].len) == 0) {
                fail_msg("OG_SEED=%" PRIu64 ": %.*s", seed, (int) len, found);
            }
        }
    }
}


static void
run_round(void)
{
    char            *room, expected[4 * MAX_TEXT + 8];
    size_t           max, len, expected_len;
    unsigned char   *exact;

    make_case();

    max = 8 + below(MAX_BOUND - 8 + 1);
    exact = malloc(text_len ? text_len : 1);
    room = malloc(max);
    assert_true(exact != NULL && room != NULL);
    memcpy(exact, text, text_len);

    len = og_excerpt(room, max, exact, text_len, hide, SECRETS);
    expected_len = expect(expected, max);

    if (len != expected_len || memcmp(room, expected, len) != 0) {
        fail_msg("OG_SEED=%" PRIu64 ": %.*s, not %.*s", seed, (int) len, room,
                 (int) expected_len, expected);
    }

    check_nothing_is_told(room, len);

    free(exact);
    free(room);
}


static void
test_the_model(void **state)
{
    size_t       i, rounds;
    const char  *given;

    (void) state;

    given = getenv("OG_ROUNDS");
    rounds = given ? strtoul(given, NULL, 10) : ROUNDS;

    given = getenv("OG_SEED");
    seed = given ? strtoull(given, NULL, 10)
                 : (uint64_t) time(NULL) * 1000003;

    print_message("OG_SEED=%" PRIu64 "\n", seed);

    for (i = 0; i < rounds; i++, seed++) {
        dice = seed * 0x9E3779B97F4A7C15 + 1;
        run_round();
    }

    print_message("%" PRIu64 " whole, %" PRIu64 " cut, %" PRIu64
                  " secrets hidden\n", seen.whole, seen.cut, seen.hidden);

    if (rounds >= 100) {
        assert_true(seen.whole > rounds / 10 && seen.cut > rounds / 10
                    && seen.hidden > rounds / 10);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_secrets),
        cmocka_unit_test(test_nul_is_escaped),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_a_secret_at_the_bound),
        cmocka_unit_test(test_the_model),
    };

    return cmocka_run_group_tests_name("og_excerpt", tests, NULL, NULL);
}
