
/*
 * Copyright (C) order guard contributors
 *
 * Places: which are a set rule's own, where tokens of a JSON Patch lead, what
 * a second root adds, and what becomes of values that cannot be seen.
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fields_rules.h"


#define PASSES  "passes"
#define STRIP   "strip"
#define REJECT  "reject"
#define UNLISTED  "unlisted"
#define WHICH   "which"               /* element: that is open */


/*
 * Ways from the root in steps apart by spaces: "#3" is an element, all else a
 * member of JSON.
 */
typedef struct {
    const char           *rules;
    const char           *way;
    const char           *verdict;
    size_t                home;
} way_row_t;


/* Tokens of a pointer, apart by spaces. */
typedef struct {
    const char           *rules;
    const char           *tokens;
    const char           *verdict;    /* of an object, or array */
} token_row_t;


/* From the root to a field, and from there, with a second root, a way. */
typedef struct {
    const char           *rules;
    const char           *field;
    const char           *way;
    const char           *verdict;
    size_t                home;
} root_row_t;


typedef struct {
    const char           *rules;
    const char           *way;
    const char           *verdict;
} unseen_row_t;


static const way_row_t  way_rows[] = {
    { "set user_id", "user_id", STRIP, 1 },
    { "set user_id", "userId", STRIP, 1 },
    { "set a b user_id", "USER-ID", STRIP, 3 },
    { "set user_id", "x user_id", STRIP, 0 },
    { "set user_id", "#0 user_id", STRIP, 0 },
    { "set user_id", "user_id x", PASSES, 0 },
    { "set user_id", "x.user_id", STRIP, 0 },
    { "set user_id", "user_id.x", STRIP, 0 },
    { "set user_id", "[user_id]", STRIP, 0 },
    { "set user_id", "x", PASSES, 0 },
    { "set /user_id", "user_id", STRIP, 1 },
    { "set /user_id", "x user_id", PASSES, 0 },
    { "set x /a/b", "a b", STRIP, 2 },
    { "set x /a/b", "a B_", STRIP, 2 },
    { "set x /a/b", "A b", STRIP, 0 },
    { "set x /a/b", "a_ b", STRIP, 0 },
    { "set x /A_/b", "A_ B", STRIP, 2 },
    { "set x /A_/b", "a b", STRIP, 0 },
    { "set x /\xc5\xbf/b", "\xc5\xbf b", STRIP, 2 },
    { "set x /\xc5\xbf/b", "s b", STRIP, 0 },
    { "set x /s/b", "\xc5\xbf b", STRIP, 0 },
    { "set x /a/b", "a", PASSES, 0 },
    { "set x /a/b", "a b c", PASSES, 0 },
    { "set x /a/b", "a.b", STRIP, 0 },
    { "set x /a/b", "a[b]", STRIP, 0 },
    { "set x /a/b", "c a b", PASSES, 0 },
    { "set x /a/b/c", "a b.c", STRIP, 0 },
    { "set x /a/b/c", "a.b c", STRIP, 0 },
    { "set x /a/b/c", "a b c", STRIP, 2 },
    { "set x /a.b/c", "a.b c", STRIP, 2 },
    { "set /a/b /A/c", "a b", STRIP, 1 },
    { "set /a/b /A/c", "A c", STRIP, 2 },
    { "set /a/b /A/c", "A b", STRIP, 0 },
    { "set a.b", "a.b", STRIP, 1 },
    { "set /a.b", "a.b", STRIP, 1 },
    { "set /a.b /a/b", "a.b", STRIP, 1 },
    { "set \xc5\xbftatus", "status", STRIP, 1 },
    { "set status", "\xc5\xbf" "tatus", STRIP, 1 },
    { "set b /a/b", "a b", STRIP, 2 },
    { "set /items/0/a", "items #0 a", STRIP, 1 },
    { "set /items/0/a", "items #1 a", PASSES, 0 },
    { "set /items/0/a", "items 0 a", STRIP, 1 },
    { "set /items/1", "items #1", STRIP, 1 },
    { "set /0", "#0", STRIP, 1 },
    { "set a strip a", "a", STRIP, 1 },
    { "set a reject a", "a", REJECT, 1 },
    { "set /a/b reject b", "a b", REJECT, 1 },
    { "set /a/b strip /a/*", "a b", STRIP, 1 },
    { "set /a/b strip /a/*", "a c", STRIP, 0 },
    { "set /a/b allow /a/b", "a b", STRIP, 1 },
    { "set /a/b allow c", "a b", STRIP, 1 },
    { "strip price", "pri\xc4\xb1(1i)", PASSES, 0 },
    { "strip pric", "pr\xc4\xb1" "c(1i)", STRIP, 0 },
    { "strip price", "a.x(price", PASSES, 0 },
    { "strip price", "a.x(aprice", PASSES, 0 },
    { "strip /price", ". price", PASSES, 0 },
    { "strip /price", "[] price", PASSES, 0 },
    { "strip /price", "..price", STRIP, 0 },
    { "strip price", "a.x(y.price", STRIP, 0 },
    { "strip price", "a.price(1i)", STRIP, 0 },
    { "strip price", "price(1i)[]", STRIP, 0 },
    { "strip price", "a['price']", STRIP, 0 },
    { "strip price", "a[\"price\"].b", STRIP, 0 },
    { "strip price", "a[(price)]", PASSES, 0 },
    { "strip price", "a.b(price).c", PASSES, 0 },
    { "strip price", "a.(b).price", STRIP, 0 },
    { "strip price", "it's", PASSES, 0 },
    { "strip price", "'price'", PASSES, 0 },
    { "strip price", "price->amount", STRIP, 0 },
    { "strip price", "meta->price", STRIP, 0 },
    { "strip price", "meta->>price", STRIP, 0 },
    { "strip price", "price-x->amount", PASSES, 0 },
    { "strip /meta/price", "meta->price", STRIP, 0 },
    { "strip /meta/price", "meta price->a", STRIP, 0 },
    { "strip price", "orders/1/price", STRIP, 0 },
    { "strip price", "@price", PASSES, 0 },
    { "strip price", "price\t", PASSES, 0 },
    { "strip price", "ns:price", PASSES, 0 },
    { "strip a/b", "a/b", STRIP, 0 },
    { "strip a/b", "a b", PASSES, 0 },
};


static const token_row_t  token_rows[] = {
    { "strip price", "price", STRIP },
    { "strip price", "a price", STRIP },
    { "strip price", "items 0 price", STRIP },
    { "strip price", "items - price", STRIP },
    { "strip price", "price a", STRIP },
    { "strip price", "price a 0 -", STRIP },
    { "reject price strip a", "price a", REJECT },
    { "reject price strip a", "a price", REJECT },
    { "set price", "price 0", STRIP },
    { "strip price", "PR_ICE", STRIP },
    { "strip price", "_price", STRIP },
    { "strip price", "!price", PASSES },
    { "strip price", "a.price", STRIP },
    { "strip price", "a[price]", STRIP },
    { "strip price", "prices", PASSES },
    { "strip 0", "a 0", STRIP },
    { "strip /a~1b/c~0d", "a/b c~d", STRIP },
    { "strip /a/b", "a", PASSES },
    { "strip /a/b", "b", PASSES },
    { "strip /a/b", "a b", STRIP },
    { "strip /a/b", "a.b", STRIP },
    { "strip /items/*/price", "items 0 price", STRIP },
    { "strip /items/*/price", "items - price", STRIP },
    { "strip /items/*/price", "items a price", STRIP },
    { "strip /items/*/price", "items -1 price", STRIP },
    { "strip /items/*/price", "items price", PASSES },
    { "strip /items/*/price", "items 0 0 price", PASSES },
    { "strip /items/0/price", "items 0 price", STRIP },
    { "strip /items/0/price", "items 00 price", STRIP },
    { "strip /items/0/price", "items 1 price", PASSES },
    { "strip /items/0/price", "items 01 price", PASSES },
    { "strip /items/0/price", "items - price", WHICH },
    { "strip /items/0/price", "items -", WHICH },
    { "strip /items/0/price", "items -1", WHICH },
    { "strip /items/0/price", "items +0", WHICH },
    { "strip /items/0/price", "items -a", PASSES },
    { "strip /items/0/price", "other -", PASSES },
    { "strip /items/price", "items -", PASSES },
    { "strip /*", "-", STRIP },
    { "strip /--a", "-", PASSES },

    { "allow sku", "sku", PASSES },
    { "allow sku", "SKU", UNLISTED },
    { "allow sku", "sku a", UNLISTED },
    { "allow sku", "a", UNLISTED },
    { "allow sku", "-", UNLISTED },
    { "allow tags", "tags 0", PASSES },
    { "allow tags", "tags -", PASSES },
    { "allow tags", "tags - 1", PASSES },
    { "allow tags", "tags x", UNLISTED },
    { "allow tags", "tags -1", UNLISTED },
    { "allow /a/-/**", "a - b", UNLISTED },
    { "allow /a/-", "a -", UNLISTED },
    { "allow /a/- /a/*", "a -", PASSES },
    { "allow /items/*/sku", "items", PASSES },
    { "allow /items/*/sku", "items 3", PASSES },
    { "allow /items/*/sku", "items -", PASSES },
    { "allow /items/*/sku", "items - sku", PASSES },
    { "allow /items/*/sku", "items 3 sku", PASSES },
    { "allow /items/*/sku", "items 3 price", UNLISTED },
    { "allow /items/*/sku", "items 3 sku a", UNLISTED },
    { "allow /items/0/sku", "items - sku", WHICH },
    { "allow /items/0/sku", "items -", WHICH },
    { "allow /items/0/sku", "items 1", UNLISTED },
    { "allow /data/**", "data", PASSES },
    { "allow /data/**", "data a b - 0", PASSES },
    { "allow /data/** strip price", "data a price", STRIP },
    { "allow /data/** strip /data/0/a", "data -", WHICH },
    { "allow a.b", "a.b", PASSES },
    { "allow /a/b", "a.b", UNLISTED },
};


static const root_row_t  root_rows[] = {
    { "strip /price", "order", "price", STRIP, 0 },
    { "strip /a/b", "order", "a b", STRIP, 0 },
    { "strip /a/b", "order", "a c", PASSES, 0 },
    { "strip /a/b", "order", "c", PASSES, 0 },
    { "strip /a/b", "a", "b", STRIP, 0 },
    { "strip /a/b", "a", "a b", STRIP, 0 },
    { "strip /*/b", "order", "b", STRIP, 0 },
    { "strip /*/b", "order", "x b", STRIP, 0 },
    { "strip /items/*/price", "order", "items #3 price", STRIP, 0 },
    { "strip /0/price", "orders", "#0 price", STRIP, 0 },
    { "strip /0/price", "orders", "#1 price", PASSES, 0 },
    { "reject /a/b", "order", "a b", REJECT, 0 },
    { "strip b", "order", "a b", STRIP, 0 },

    /* nothing is at home there */

    { "set user_id", "order", "user_id", STRIP, 0 },
    { "set /user_id", "order", "user_id", STRIP, 0 },
    { "set /a/b", "order", "a b", STRIP, 0 },
    { "set /a/b", "a", "a b", STRIP, 0 },
    { "set /a/b", "a", "b", STRIP, 0 },
    { "set /b /a/b", "a", "b", STRIP, 0 },

    /* allow looks at it as at a value of that name only */

    { "allow sku", "order", "sku", UNLISTED, 0 },
    { "allow /order/sku", "order", "sku", PASSES, 0 },
    { "allow /order/** strip /price", "order", "sku", PASSES, 0 },
    { "allow /order/** strip /price", "order", "price", STRIP, 0 },
    { "allow /order/** strip /a/b", "order", "x a b", PASSES, 0 },
    { "allow /order/*/sku strip /x/y", "order", "x sku", PASSES, 0 },
    { "allow /order/*/sku strip /x/y", "order", "x y", STRIP, 0 },
};


static const unseen_row_t  unseen_rows[] = {
    { "strip /price", "a", PASSES },
    { "strip /price", "price", STRIP },
    { "reject /price", "price", REJECT },
    { "strip price", "a", STRIP },
    { "reject price", "a", REJECT },
    { "reject price strip a", "b", REJECT },
    { "set price", "a", STRIP },
    { "set price reject /a", "b", STRIP },
    { "strip /a/b/c", "a", STRIP },
    { "strip /a/b/c", "a b", STRIP },
    { "strip /a/b/c", "a b c", STRIP },
    { "strip /a/b/c", "a c", PASSES },
    { "strip /a/b/c", "b", PASSES },
    { "strip /a/*/c", "a #0", STRIP },
    { "strip /a/*/c", "b #0", PASSES },
    { "strip /*/*/c", "a", STRIP },
    { "strip /*/*/c", "a b", STRIP },
    { "strip /*/*/c", "a b d", PASSES },
    { "reject /a/b strip /a/c", "a", REJECT },
    { "reject /a/b strip /a/c", "a c", STRIP },
    { "set /a/b", "a", STRIP },
    { "set /a/b", "b", PASSES },
    { "strip /a/b allow c", "c", UNLISTED },

    { "allow a", "a", UNLISTED },
    { "allow a", "b", UNLISTED },
    { "allow /a/**", "a", UNLISTED },
    { "allow /a/** a", "a", PASSES },
    { "allow /a/**", "a b", PASSES },
    { "allow /a/**", "a b c", PASSES },
    { "allow /a/b", "a", UNLISTED },
    { "allow /a/** a strip /a/b/c", "a", STRIP },
    { "allow /a/** a strip /a/b/c", "a b", STRIP },
    { "allow /a/** a strip /a/b/c", "a d", PASSES },
    { "allow /a/** a reject x", "a d", REJECT },
    { "allow a reject x", "b", REJECT },
};


/* Takes the steps of a way, or the tokens of a pointer; whether one is open. */
static int
go(fields_pass_t *pass, const char *way, int by_token)
{
    int     open;
    char   *step, *save, copy[128];

    open = 0;
    snprintf(copy, sizeof(copy), "%s", way);

    for (step = strtok_r(copy, " ", &save); step != NULL && !open;
         step = strtok_r(NULL, " ", &save))
    {
        if (by_token) {
            open = fields_to_token(pass, step);
            assert_in_range(open, 0, 1);

        } else if (step[0] == '#') {
            fields_to_element(pass, (size_t) (step[1] - '0'));

        } else {
            fields_to_member(pass, step);
        }
    }

    return open;
}


static void
compare(const char *rules, const char *from, const char *way,
    const char *want, const char *got)
{
    if (strcmp(want, got) != 0) {
        fail_msg("%s: %s%s%s: want %s, got %s", rules, from,
                 from[0] ? ", then " : "", way, want, got);
    }
}


static void
compare_home(const char *rules, const char *way, size_t want, size_t got)
{
    if (want != got) {
        fail_msg("%s: %s: want home %zu, got %zu", rules, way, want, got);
    }
}


static void
test_own_places_of_set(void **state)
{
    size_t            i;
    fields_pass_t     pass;
    const way_row_t  *row;

    (void) state;

    for (i = 0; i < sizeof(way_rows) / sizeof(way_rows[0]); i++) {
        row = &way_rows[i];

        fields_begin(&pass, OG_MATCH_LOOSE, row->rules);
        assert_int_equal(pass.root.root, 1);
        assert_int_equal(pass.root.home, 0);

        go(&pass, row->way, 0);

        compare(row->rules, "", row->way, row->verdict,
                fields_verdict(&pass, 0));
        compare_home(row->rules, row->way, row->home, pass.place.home);
        assert_int_equal(pass.place.root, 0);

        fields_end(&pass);
    }
}


static void
test_tokens(void **state)
{
    size_t              i;
    fields_pass_t       pass;
    const token_row_t  *row;

    (void) state;

    for (i = 0; i < sizeof(token_rows) / sizeof(token_rows[0]); i++) {
        row = &token_rows[i];

        fields_begin(&pass, OG_MATCH_LOOSE, row->rules);

        compare(row->rules, "", row->tokens, row->verdict,
                go(&pass, row->tokens, 1) ? WHICH : fields_verdict(&pass, 1));
        fields_end(&pass);
    }

    /* where "_" counts, it does in a pointer, too */

    fields_begin(&pass, OG_MATCH_EXACT, "strip price");
    go(&pass, "_price", 1);
    compare("exact", "", "_price", PASSES, fields_verdict(&pass, 1));
    fields_end(&pass);
}


/* Own places of set rules are so by tokens, too. */
static void
test_own_places_by_token(void **state)
{
    fields_pass_t  pass;

    (void) state;

    fields_begin(&pass, OG_MATCH_LOOSE, "set user_id /a/b");
    go(&pass, "userId", 1);
    compare_home("user_id", "userId", 1, pass.place.home);

    pass.place = pass.root;
    go(&pass, "a b", 1);
    compare_home("/a/b", "a b", 2, pass.place.home);

    pass.place = pass.root;
    go(&pass, "a b c", 1);
    compare_home("/a/b", "a b c", 0, pass.place.home);

    fields_end(&pass);
}


static void
test_second_root(void **state)
{
    size_t             i;
    fields_pass_t      pass;
    const root_row_t  *row;

    (void) state;

    for (i = 0; i < sizeof(root_rows) / sizeof(root_rows[0]); i++) {
        row = &root_rows[i];

        fields_begin(&pass, OG_MATCH_LOOSE, row->rules);
        assert_int_equal(fields_to_field(&pass, row->field), 0);
        assert_int_equal(og_fields_add_root(pass.fields, &pass.walk,
                                            &pass.place),
                         0);
        assert_int_equal(pass.place.root, 0);

        go(&pass, row->way, 0);

        compare(row->rules, row->field, row->way, row->verdict,
                fields_verdict(&pass, 0));
        compare_home(row->rules, row->way, row->home, pass.place.home);

        fields_end(&pass);
    }
}


/* At first glance no more passes than without a second root. */
static void
test_second_root_at_first_glance(void **state)
{
    og_name_t      name;
    og_filter_t    filter;
    fields_pass_t  pass;

    (void) state;

    fields_begin(&pass, OG_MATCH_LOOSE, "strip /*/b");
    assert_int_equal(fields_to_field(&pass, "order[x]"), 0);

    name.data = (const unsigned char *) "y";
    name.len = 1;
    name.sketch = og_sketch(name.data, 1, 1);
    filter = og_fields_filter(pass.fields);

    assert_true(og_fields_pass(&filter, &pass.place, name.sketch));
    assert_int_equal(og_fields_add_root(pass.fields, &pass.walk, &pass.place),
                     0);
    assert_false(og_fields_pass(&filter, &pass.place, name.sketch));

    fields_end(&pass);
}


static void
test_unseen(void **state)
{
    size_t               i;
    fields_pass_t        pass;
    const unseen_row_t  *row;

    (void) state;

    for (i = 0; i < sizeof(unseen_rows) / sizeof(unseen_rows[0]); i++) {
        row = &unseen_rows[i];

        fields_begin(&pass, OG_MATCH_LOOSE, row->rules);
        go(&pass, row->way, 0);
        compare(row->rules, "", row->way, row->verdict,
                fields_verdict_unseen(&pass));
        fields_end(&pass);

        /* a pointer leads to the same place, but keeps what was taken */

        fields_begin(&pass, OG_MATCH_LOOSE, row->rules);
        go(&pass, row->way, 1);

        if (strcmp(row->verdict, PASSES) != 0) {
            assert_string_not_equal(fields_verdict_unseen(&pass), PASSES);
        }

        fields_end(&pass);
    }

    /* the root, too, and what a second root adds */

    fields_begin(&pass, OG_MATCH_LOOSE, "strip /a/b");
    assert_string_equal(fields_verdict_unseen(&pass), STRIP);
    assert_int_equal(fields_to_field(&pass, "c"), 0);
    assert_string_equal(fields_verdict_unseen(&pass), PASSES);
    assert_int_equal(og_fields_add_root(pass.fields, &pass.walk, &pass.place),
                     0);
    assert_string_equal(fields_verdict_unseen(&pass), STRIP);
    fields_end(&pass);
}


/* Elements are alike unless a rule has an index. */
static void
test_alike(void **state)
{
    size_t         i;
    fields_pass_t  pass;

    static const struct {
        const char  *rules;
        const char  *way;
        int          alike;
    } rows[] = {
        { "strip /items/*/price", "items", 1 },
        { "strip /items/price", "items", 1 },
        { "strip /items/0/price", "items", 0 },
        { "strip /items/0/price", "a", 1 },
        { "strip /items/*/0", "items", 1 },
        { "strip /items/*/0", "items #3", 0 },
        { "strip 0", "items", 1 },
        { "allow /items/7", "items", 0 },
        { "allow /items/*/7", "items", 1 },
        { "allow items", "items", 1 },
        { "set /items/0", "items", 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fields_begin(&pass, OG_MATCH_LOOSE, rows[i].rules);
        go(&pass, rows[i].way, 0);

        if (og_fields_elements_are_alike(pass.fields, &pass.walk,
                                         &pass.place)
            != rows[i].alike)
        {
            fail_msg("%s: %s", rows[i].rules, rows[i].way);
        }

        fields_end(&pass);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_own_places_of_set),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_own_places_by_token),
        cmocka_unit_test(test_second_root),
        cmocka_unit_test(test_second_root_at_first_glance),
        cmocka_unit_test(test_unseen),
        cmocka_unit_test(test_alike),
    };

    return cmocka_run_group_tests_name("og_fields_place", tests, NULL, NULL);
}
