
/*
 * Copyright (C) order guard contributors
 *
 * Names of forms: in which ways they match.
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


typedef struct {
    const char           *match;      /* modes: of "e", "c", "l" */
    const char           *rules;
    const char           *name;
    const char           *verdict;
} name_row_t;


typedef struct {
    const char           *match;
    const char           *rules;
    const char           *name;
    size_t                home;
} home_row_t;


#define ALL     "ecl"
#define FOLDED  "cl"
#define STRICT  "ec"

#define PASSES  "passes"
#define STRIP   "strip"
#define REJECT  "reject"
#define UNLISTED  "unlisted"
#define WHICH   "which"               /* element: that is open */


static const name_row_t  deny_rows[] = {

    /* a bare name, wherever it stands */

    { ALL, "strip price", "price", STRIP },
    { ALL, "strip price", "a[price]", STRIP },
    { ALL, "strip price", "a.price", STRIP },
    { ALL, "strip price", "a[b].price", STRIP },
    { ALL, "strip price", "a[b]price", STRIP },
    { ALL, "strip price", "a[0][price]", STRIP },
    { ALL, "strip price", "a[0].price", STRIP },
    { ALL, "strip price", "a.0.price", STRIP },
    { ALL, "strip price", "a[][price]", STRIP },
    { ALL, "strip price", "a[b.c.price]", STRIP },
    { ALL, "strip price", "[0].price", STRIP },
    { ALL, "strip price", "[price]", STRIP },
    { ALL, "strip price", "[][price]", STRIP },
    { ALL, "strip price", ".price", STRIP },
    { ALL, "strip price", "price.", STRIP },
    { ALL, "strip price", "a..price", STRIP },

    /* and what is within it */

    { ALL, "strip price", "price[a]", STRIP },
    { ALL, "strip price", "price[]", STRIP },
    { ALL, "strip price", "price[0]", STRIP },
    { ALL, "strip price", "price.a", STRIP },
    { ALL, "strip price", "a[price][b][c]", STRIP },
    { ALL, "strip price", "price[a].b", STRIP },

    /* not what it is but a part of */

    { ALL, "strip price", "prices", PASSES },
    { ALL, "strip price", "xprice", PASSES },
    { ALL, "strip price", "price2", PASSES },
    { ALL, "strip price", "unit_price", PASSES },
    { ALL, "strip price", "a[prices]", PASSES },
    { STRICT, "strip price", "pri.ce", PASSES },
    { ALL, "strip price", "pri[ce]", PASSES },
    { ALL, "strip price", "", PASSES },
    { ALL, "strip price", "[]", PASSES },

    /* not well-formed */

    { ALL, "strip price", "a[price", STRIP },
    { ALL, "strip price", "price[", STRIP },
    { ALL, "strip price", "price]", STRIP },
    { ALL, "strip price", "a]price", STRIP },
    { ALL, "strip price", "a[[price]]", STRIP },
    { ALL, "strip price", "a[b[price]]", STRIP },
    { ALL, "strip price", "a[b]]price[", STRIP },
    { ALL, "strip price", "[[[price", STRIP },
    { ALL, "strip price", "]]price", STRIP },

    /* other ways to lead there: Spring, Struts, Sling, Zope, Rails */

    { ALL, "strip price", "a['price']", STRIP },
    { ALL, "strip price", "a[\"price\"]", STRIP },
    { ALL, "strip price", "a('price')", STRIP },
    { ALL, "strip price", "./a/price", STRIP },
    { ALL, "strip price", "price@Delete", STRIP },
    { ALL, "strip price", "price:int", STRIP },
    { ALL, "strip price", "price(1i)", STRIP },
    { ALL, "strip price", "a[price(1i)]", STRIP },
    { ALL, "strip price", "?price", STRIP },
    { ALL, "strip price", "$price", STRIP },
    { ALL, "strip price", "{a}{price}", STRIP },

    /* how names compare */

    { "e", "strip price", "Price", PASSES },
    { FOLDED, "strip price", "PRICE", STRIP },
    { FOLDED, "strip price", "a[Price]", STRIP },
    { STRICT, "strip user_id", "userId", PASSES },
    { "l", "strip user_id", "userId", STRIP },
    { "l", "strip user_id", "a.USER-ID", STRIP },
    { "l", "strip userId", "a[user_id]", STRIP },
    { "e", "strip status", "a[\xc5\xbftatus]", PASSES },
    { FOLDED, "strip status", "a[\xc5\xbftatus]", STRIP },
    { FOLDED, "strip status", "\xc5\xbf" "tatu\xc5\xbf.a", STRIP },
    { FOLDED, "strip key", "\xe2\x84\xaa" "EY", STRIP },
    { FOLDED, "strip key", "a.\xe2\x84\xaa" "ey[b]", STRIP },
    { FOLDED, "strip status", "\xef\xac\x86" "atus", STRIP },
    { ALL, "strip \xe0\xb8\x9e", "a[\xe0\xb8\x9e]", STRIP },
    { ALL, "strip price", "price\xe0\xb8\x9e", PASSES },
    { ALL, "strip price", "price\xff", PASSES },

    /* what is ignored in front */

    { ALL, "strip price", "_price", STRIP },
    { ALL, "strip price", "!price", STRIP },
    { ALL, "strip price", "__price", STRIP },
    { ALL, "strip price", "_!__!price", STRIP },
    { ALL, "strip price", "_price[a]", STRIP },
    { ALL, "strip price", "_order[price]", STRIP },
    { ALL, "strip price", "!order.price", STRIP },
    { ALL, "strip /order/price", "_order[price]", STRIP },
    { ALL, "strip /order/price", "!_order.price", STRIP },
    { ALL, "strip /order/price", "__order[price][a]", STRIP },
    { STRICT, "strip price", "order[_price]", PASSES },
    { STRICT, "strip price", "order._price", PASSES },
    { "l", "strip price", "order[_price]", STRIP },
    { ALL, "strip price", "_", PASSES },
    { ALL, "strip price", "!", PASSES },
    { ALL, "strip price", "_[price]", STRIP },

    /* where the rule begins so itself */

    { ALL, "strip _id", "_id", STRIP },
    { ALL, "strip _id", "__id", STRIP },
    { ALL, "strip _id", "!_id", STRIP },
    { ALL, "strip _id", "a[_id]", STRIP },
    { ALL, "strip _id", "_id.a", STRIP },
    { STRICT, "strip _id", "id", PASSES },
    { STRICT, "strip _id", "a[id]", PASSES },
    { STRICT, "strip _id", "!id", PASSES },
    { ALL, "strip __proto__", "__proto__", STRIP },
    { ALL, "strip __proto__", "__proto__[a]", STRIP },
    { ALL, "strip __proto__", "a[__proto__][b]", STRIP },
    { ALL, "strip __proto__", "!__proto__.a", STRIP },
    { ALL, "strip __proto__", "____proto__.a", STRIP },
    { STRICT, "strip __proto__", "_proto__", PASSES },
    { STRICT, "strip __proto__", "proto__", PASSES },
    { ALL, "strip __proto__ price", "_price", STRIP },
    { ALL, "strip /_meta/price", "_meta[price]", STRIP },
    { ALL, "strip /_meta/price", "!__meta.price", STRIP },
    { STRICT, "strip /_meta/price", "meta[price]", PASSES },
    { ALL, "strip !a", "!a", STRIP },
    { ALL, "strip !a", "_!a", STRIP },

    /* as PHP reads them */

    { ALL, "strip user_id", "user.id", STRIP },
    { "l", "strip userid", "us.er.id", STRIP },
    { ALL, "strip user_id", "user.id[a]", STRIP },
    { ALL, "strip user_id", "_user.id", STRIP },
    { ALL, "strip a_b_c", "a.b.c", STRIP },
    { ALL, "strip a_b_c", "a.b_c", STRIP },
    { ALL, "strip /a_b/c", "a.b[c]", STRIP },
    { ALL, "strip /a_b/c.d", "a.b[c.d]", STRIP },
    { ALL, "strip user_id", "user[id]", PASSES },
    { ALL, "strip user_id", "x[user.id]", PASSES },
    { ALL, "strip user_id", "x.user.id", PASSES },
    { STRICT, "strip /a_b/c", "a.b.c", PASSES },
    { STRICT, "strip c_d", "a.b[c.d]", PASSES },

    /* pointers */

    { ALL, "strip /price", "price", STRIP },
    { ALL, "strip /price", "price.a", STRIP },
    { ALL, "strip /price", "a[price]", PASSES },
    { ALL, "strip /a/b", "a[b]", STRIP },
    { ALL, "strip /a/b", "a.b", STRIP },
    { ALL, "strip /a/b", "a[b].c", STRIP },
    { ALL, "strip /a/b", "a[b][]", STRIP },
    { ALL, "strip /a/b", "a", PASSES },
    { ALL, "strip /a/b", "b", PASSES },
    { ALL, "strip /a/b", "a[c][b]", PASSES },
    { ALL, "strip /a/b", "x[a][b]", PASSES },
    { ALL, "strip /items/*/price", "items[0][price]", STRIP },
    { ALL, "strip /items/*/price", "items[][price]", STRIP },
    { ALL, "strip /items/*/price", "items[0].price", STRIP },
    { ALL, "strip /items/*/price", "items[0]price", STRIP },
    { ALL, "strip /items/*/price", "items.0.price", STRIP },
    { ALL, "strip /items/*/price", "items[a][price]", STRIP },
    { ALL, "strip /items/*/price", "items[-1][price][b]", STRIP },
    { ALL, "strip /items/*/price", "items[price]", PASSES },
    { ALL, "strip /items/*/price", "items[0][0][price]", PASSES },
    { ALL, "strip /items/*/price", "items[0][price2]", PASSES },
    { ALL, "strip /items/*/price", "price", PASSES },
    { ALL, "strip /items/*/price", "items[0].x[price]", STRIP },
    { ALL, "strip /items/*/price", "items[0]x[price]", STRIP },
    { ALL, "strip /items/*/price", "items[0].x.y[price]", STRIP },
    { ALL, "strip /items/*/price", "items[0].x[price]y[z]", STRIP },
    { ALL, "strip /items/*/price", "items.0.x[price]", PASSES },
    { ALL, "strip /items/*/x/price", "items[0].x[price]", STRIP },
    { ALL, "strip /items/*/price", "items[a][1.price]", STRIP },
    { ALL, "strip /items/*/price", "items[a][1.price].b", STRIP },
    { ALL, "strip /items/*/price", "items[a][1.x.price]", PASSES },
    { ALL, "strip /items/*/x/price", "items[a][1.x.price]", STRIP },
    { ALL, "strip /items/x/price", "items[a.x][price]", STRIP },
    { ALL, "strip /items/price", "items[.price]", STRIP },
    { ALL, "strip /*", "a", STRIP },
    { ALL, "strip /*", "a[b]", STRIP },
    { ALL, "strip /*/b", "a[]", PASSES },
    { ALL, "strip /*/*", "a[]", STRIP },
    { ALL, "strip /a/*/b /a/c/d", "a[c][b]", STRIP },
    { ALL, "strip /a/*/b /a/c/d", "a[c][d]", STRIP },
    { ALL, "strip /a/*/b /a/c/d", "a[e][d]", PASSES },

    /* a name with dots in it */

    { ALL, "strip b.c", "a[b.c]", STRIP },
    { ALL, "strip /a/b.c", "a[b.c]", STRIP },
    { ALL, "strip /a/b.c/d", "a[b.c][d]", STRIP },
    { ALL, "strip /a/b.c", "a.b.c", PASSES },
    { ALL, "strip /a/b/c", "a[b.c]", STRIP },
    { ALL, "strip a.b", "a.b", STRIP },
    { ALL, "strip a.b", "!a.b", STRIP },
    { ALL, "strip a[b]", "a[b]", STRIP },
    { ALL, "strip /a[b]", "a[b]", STRIP },
    { ALL, "strip a[b]", "a.b", PASSES },

    /* one with other characters in it */

    { ALL, "strip dc:title", "dc:title", STRIP },
    { ALL, "strip dc:title", "a.dc:title", STRIP },
    { ALL, "strip dc:title", "a[dc:title]", STRIP },
    { ALL, "strip dc:title", "a[b].dc:title", STRIP },
    { ALL, "strip dc:title", "a[b.dc:title]", STRIP },
    { ALL, "strip dc:title", "!dc:title.a", STRIP },
    { ALL, "strip dc:title", "dc.title", PASSES },
    { ALL, "strip title", "dc:title", STRIP },
    { ALL, "strip @type", "a.@type", STRIP },
    { ALL, "strip /a/@type", "a[@type]", STRIP },
    { ALL, "strip /a/@type", "a.@type.b", STRIP },
    { ALL, "strip @type", "type", PASSES },
    { ALL, "strip a/b", "x.a/b(1i)", STRIP },

    /* indices */

    { ALL, "strip /items/0/price", "items[0][price]", STRIP },
    { ALL, "strip /items/0/price", "items.0.price", STRIP },
    { ALL, "strip /items/0/price", "items[00][price]", STRIP },
    { ALL, "strip /items/0/price", "items[0000].price", STRIP },
    { ALL, "strip /items/7/price", "items[07].price", STRIP },
    { ALL, "strip /items/10/price", "items[010].price", STRIP },
    { ALL, "strip /items/0/price", "items[1][price]", PASSES },
    { ALL, "strip /items/0/price", "items[10][price]", PASSES },
    { ALL, "strip /items/0/price", "items[01][price]", PASSES },
    { ALL, "strip /items/0/price", "items[a][price]", PASSES },
    { ALL, "strip /items/0/price", "items[][price]", WHICH },
    { ALL, "strip /items/0/price", "items[]", WHICH },
    { ALL, "strip /items/0/price", "items[-1][price]", WHICH },
    { ALL, "strip /items/0/price", "items[+0][price]", WHICH },
    { ALL, "strip /items/0/price", "other[][price]", PASSES },
    { ALL, "strip /items/0/price", "a[items][][price]", PASSES },
    { ALL, "strip /items/*/0", "items[][]", WHICH },
    { ALL, "strip /items/*/0", "items[][0]", STRIP },
    { ALL, "strip /items/*/0", "items[]", PASSES },
    { ALL, "strip /data/price", "data[]", PASSES },
    { ALL, "strip /data/0a", "data[]", PASSES },
    { ALL, "strip 0", "a[0]", STRIP },
    { ALL, "strip 0", "0", STRIP },
    { ALL, "strip 0", "a[]", PASSES },

    /* what counts most */

    { ALL, "reject price", "a[price][b]", REJECT },
    { ALL, "reject price strip a", "a[price]", REJECT },
    { ALL, "reject a strip price", "a[price]", REJECT },
    { ALL, "set price", "a[price]", STRIP },
    { ALL, "set price reject price", "price", REJECT },
    { ALL, "set /a/b", "a.b.c", STRIP },
};


static const name_row_t  allow_rows[] = {
    { ALL, "allow sku", "sku", PASSES },
    { ALL, "allow sku", "SKU", UNLISTED },
    { ALL, "allow sku", "_sku", UNLISTED },
    { ALL, "allow sku", "!sku", UNLISTED },
    { ALL, "allow sku", "s_ku", UNLISTED },
    { ALL, "allow sku", "sku.", UNLISTED },
    { ALL, "allow sku", ".sku", UNLISTED },
    { ALL, "allow sku", "[sku]", UNLISTED },
    { ALL, "allow sku", "sku]", UNLISTED },
    { ALL, "allow sku", "sku[", UNLISTED },
    { ALL, "allow sku", "a[sku]", UNLISTED },
    { ALL, "allow sku", "", UNLISTED },
    { ALL, "allow sku", "[]", UNLISTED },
    { ALL, "allow \xc5\xbfku", "\xc5\xbfku", PASSES },
    { ALL, "allow \xc5\xbfku", "sku", UNLISTED },

    /* an array of values */

    { ALL, "allow tags", "tags[]", PASSES },
    { ALL, "allow tags", "tags[0]", PASSES },
    { ALL, "allow tags", "tags[12]", PASSES },
    { ALL, "allow tags", "tags[][]", PASSES },
    { ALL, "allow tags", "tags[0][]", PASSES },
    { ALL, "allow tags", "tags[x]", UNLISTED },
    { ALL, "allow tags", "tags[0x]", UNLISTED },
    { ALL, "allow tags", "tags[-1]", UNLISTED },
    { ALL, "allow tags", "tags.0", UNLISTED },
    { ALL, "allow tags", "tags.x", UNLISTED },
    { ALL, "allow tags", "tags[0][x]", UNLISTED },
    { ALL, "allow tags", "tags[][x]", UNLISTED },
    { ALL, "allow tags /tags/x", "tags[x]", PASSES },
    { ALL, "allow tags /tags/x", "tags[0]", PASSES },

    /* pointers */

    { ALL, "allow /items/*/sku", "items[0][sku]", PASSES },
    { ALL, "allow /items/*/sku", "items[][sku]", PASSES },
    { ALL, "allow /items/*/sku", "items[0].sku", PASSES },
    { ALL, "allow /items/*/sku", "items[0]sku", PASSES },
    { ALL, "allow /items/*/sku", "items.0.sku", PASSES },
    { ALL, "allow /items/*/sku", "items[a][sku]", PASSES },
    { ALL, "allow /items/*/sku", "items[0][sku][]", PASSES },
    { ALL, "allow /items/*/sku", "items[0][sku][a]", UNLISTED },
    { ALL, "allow /items/*/sku", "items[0][SKU]", UNLISTED },
    { ALL, "allow /items/*/sku", "items[0]['sku']", UNLISTED },
    { ALL, "allow /items/*/sku", "items[0][[sku]]", UNLISTED },
    { ALL, "allow /items/*/sku", "items[0]..sku", UNLISTED },
    { ALL, "allow /items/*/sku", "items[0].[sku]", UNLISTED },
    { ALL, "allow /items/*/sku", "items[0][sku", UNLISTED },
    { ALL, "allow /items/*/sku", "items[0]sku]", UNLISTED },
    { ALL, "allow /items/*/sku", "items[0]", UNLISTED },
    { ALL, "allow /items/*/sku", "items", UNLISTED },
    { ALL, "allow /items/*/sku", "items[sku]", UNLISTED },
    { ALL, "allow /items/*/sku", "_items[0][sku]", UNLISTED },
    { ALL, "allow /a/b", "a[b]", PASSES },
    { ALL, "allow /a/b", "a.b", PASSES },
    { ALL, "allow /a/b", "a_b", UNLISTED },
    { ALL, "allow /a/b/c", "a[b.c]", UNLISTED },
    { ALL, "allow /a/b.c", "a[b.c]", UNLISTED },
    { ALL, "allow a[b.c]", "a[b.c]", PASSES },
    { ALL, "allow /a/b.c", "a.b.c", UNLISTED },
    { ALL, "allow /*", "a", PASSES },
    { ALL, "allow /*", "a[0]", PASSES },
    { ALL, "allow /*", "a[b]", UNLISTED },
    { ALL, "allow /*", "a.b", UNLISTED },

    /* what some leave out behind a bracket: PHP, qs */

    { ALL, "allow /a/b/c", "a[b][c]", PASSES },
    { ALL, "allow /a/b/c", "a.b.c", PASSES },
    { ALL, "allow /a/b/c", "a.b[c]", PASSES },
    { ALL, "allow /a/b/c", "a[b].c", UNLISTED },
    { ALL, "allow /a/b/c", "a[b]c", UNLISTED },
    { ALL, "allow a[b].c", "a[b].c", PASSES },
    { ALL, "allow /a/*/b", "a[0].b", PASSES },
    { ALL, "allow /a/*/b", "a[x].b", UNLISTED },
    { ALL, "allow /a/*/b", "a[-1].b", UNLISTED },
    { ALL, "allow /a/*/b/c", "a[0].b.c", PASSES },
    { ALL, "allow /a/*/b/c", "a[0].b[c]", UNLISTED },
    { ALL, "allow /a/*/b/c", "a[].b[c]", UNLISTED },
    { ALL, "allow /a/*/b/*/c", "a[0].b[1].c", PASSES },
    { ALL, "allow /a/*/b/*/c", "a[0]b[1]c", PASSES },
    { ALL, "allow /a/*/b/*/c", "a[0].b[].c", PASSES },
    { ALL, "allow /a/*/b/*/c", "a[0].b[1][c]", UNLISTED },
    { ALL, "allow /a/*/b/**", "a[0].b[c]", UNLISTED },
    { ALL, "allow /a/*/**", "a[0].b[c]", PASSES },
    { ALL, "allow /a/*/**", "a[0].b[c].d", PASSES },
    { ALL, "allow /a/b/**", "a[b].c", UNLISTED },
    { ALL, "allow /a/b/**", "a[b][c].d[e]", PASSES },
    { ALL, "allow /a/**", "a[b].c[d]", PASSES },
    { ALL, "allow /a/**", "a[b.c]", PASSES },
    { ALL, "allow /a/**", "a[b][c.d]", PASSES },
    { ALL, "allow /a/*", "a[b.c]", UNLISTED },

    /* all below */

    { ALL, "allow /data/**", "data[x]", PASSES },
    { ALL, "allow /data/**", "data[x][y].z[]", PASSES },
    { ALL, "allow /data/**", "data[]", PASSES },
    { ALL, "allow /data/**", "data.x", PASSES },
    { ALL, "allow /data/**", "data", UNLISTED },
    { ALL, "allow /data/**", "data2[x]", UNLISTED },
    { ALL, "allow /data/**", "data[x", UNLISTED },
    { ALL, "allow /data/**", "data[x]]", UNLISTED },
    { ALL, "allow /data/**", "[data][x]", UNLISTED },
    { ALL, "allow /data/** /data", "data", PASSES },
    { ALL, "allow /**", "a[b][c]", PASSES },
    { ALL, "allow /**", "a", PASSES },

    /* the very same text */

    { ALL, "allow a[b]", "a[b]", PASSES },
    { ALL, "allow a.b", "a.b", PASSES },
    { ALL, "allow tags[]", "tags[]", PASSES },
    { ALL, "allow _sku", "_sku", PASSES },
    { ALL, "allow [a", "[a", PASSES },
    { ALL, "allow a[b]", "a.b", UNLISTED },
    { ALL, "allow a[b]", "a[b][]", UNLISTED },
    { ALL, "allow a[b]", "A[b]", UNLISTED },
    { ALL, "allow /a/** /a[b]/c", "a[b]", PASSES },
    { ALL, "allow /a[b]/c", "a[b]", UNLISTED },
    { ALL, "allow /a[b]/**", "a[b]", UNLISTED },

    /* indices */

    { ALL, "allow /items/0/sku", "items[0][sku]", PASSES },
    { ALL, "allow /items/0/sku", "items[00][sku]", UNLISTED },
    { ALL, "allow /items/0/sku", "items[1][sku]", UNLISTED },
    { ALL, "allow /items/0/sku", "items[][sku]", WHICH },
    { ALL, "allow /items/0/sku /a/b", "a[]", UNLISTED },
    { ALL, "allow /items/*/sku strip /items/0/sku", "items[][sku]", WHICH },
    { ALL, "allow /items/*/sku strip /items/0/sku", "items[1][sku]", PASSES },
    { ALL, "allow /items/*/sku strip /items/0/sku", "items[0][sku]", STRIP },

    /* what strip and reject take */

    { "l", "allow /data/** strip price", "data[price]", STRIP },
    { "l", "allow /data/** reject price", "data[a][price]", REJECT },
    { "l", "allow /data/** strip price", "x[price]", STRIP },
    { "l", "allow sku set user_id", "user_id", STRIP },
    { "l", "allow sku user_id set user_id", "user_id", STRIP },
};


static const home_row_t  home_rows[] = {
    { ALL, "set user_id", "user_id", 1 },
    { ALL, "set a user_id b", "user_id", 2 },
    { ALL, "set user_id", "_user_id", 1 },
    { ALL, "set user_id", "!user_id", 1 },
    { ALL, "set user_id", "user.id", 1 },
    { FOLDED, "set user_id", "USER_ID", 1 },
    { "l", "set user_id", "userId", 1 },
    { STRICT, "set user_id", "userId", 0 },
    { ALL, "set user_id", "a[user_id]", 0 },
    { ALL, "set user_id", "a.user_id", 0 },
    { ALL, "set user_id", "user_id[]", 0 },
    { ALL, "set user_id", "user_id[a]", 0 },
    { ALL, "set user_id", "user_id.a", 0 },
    { ALL, "set user_id", "user", 0 },
    { ALL, "set /user_id", "user_id", 1 },
    { ALL, "set /user_id", "a[user_id]", 0 },
    { ALL, "set x /a/b", "a[b]", 2 },
    { ALL, "set x /a/b", "a.b", 2 },
    { ALL, "set x /a/b", "_a[b]", 2 },
    { ALL, "set x /a/b", "!a.b", 2 },
    { FOLDED, "set x /a/b", "A[B]", 2 },
    { ALL, "set x /a/b", "a[b][]", 0 },
    { ALL, "set x /a/b", "a[b].c", 2 },
    { ALL, "set x /a/b", "a[b][c]", 0 },
    { ALL, "set x /a/b", "a", 0 },
    { ALL, "set x /a/b", "c[a][b]", 0 },
    { ALL, "set /a/b/c", "a[b].c", 1 },
    { ALL, "set /a/b/c/d", "a[b].c.d", 1 },
    { ALL, "set /a/b/c", "a.b[c]", 1 },
    { ALL, "set /a/b", "a[][b]", 0 },
    { ALL, "set /a[b]", "a[b]", 1 },
    { ALL, "set a[b]", "a[b]", 1 },
    { ALL, "set /a/b.c", "a[b.c]", 1 },
    { ALL, "set a.b", "a.b", 1 },
    { ALL, "set /a.b", "a.b", 1 },
    { ALL, "set /items/0", "items[0]", 1 },
    { ALL, "set /items/0", "items[1]", 0 },
    { ALL, "set b /a/b", "b", 1 },
    { ALL, "set b /a/b", "a[b]", 2 },
    { ALL, "set b /a/b", "c[b]", 0 },
    { ALL, "strip user_id set user_id", "user_id", 1 },
    { ALL, "reject user_id set user_id", "user_id", 1 },
    { ALL, "strip user_id", "user_id", 0 },
};


static const char *
mode_name(og_match_e match)
{
    return (match == OG_MATCH_EXACT) ? "exact"
           : (match == OG_MATCH_CASELESS) ? "caseless" : "loose";
}


static int
is_for(const char *modes, og_match_e match)
{
    return strchr(modes, mode_name(match)[0]) != NULL;
}


static void
check_verdicts(const name_row_t *rows, size_t n)
{
    int             open;
    size_t          i, mode;
    const char     *verdict;
    fields_pass_t   pass;

    for (i = 0; i < n; i++) {

        for (mode = OG_MATCH_EXACT; mode <= OG_MATCH_LOOSE; mode++) {

            if (!is_for(rows[i].match, (og_match_e) mode)) {
                continue;
            }

            fields_begin(&pass, (og_match_e) mode, rows[i].rules);
            open = fields_to_field(&pass, rows[i].name);
            assert_in_range(open, 0, 1);

            verdict = open ? WHICH : fields_verdict(&pass, 0);

            if (strcmp(verdict, rows[i].verdict) != 0) {
                fail_msg("%s, %s: %s: want %s, got %s", rows[i].rules,
                         mode_name((og_match_e) mode), rows[i].name,
                         rows[i].verdict, verdict);
            }

            fields_end(&pass);
        }
    }
}


static void
test_strip_and_reject(void **state)
{
    (void) state;

    check_verdicts(deny_rows, sizeof(deny_rows) / sizeof(deny_rows[0]));
}


static void
test_allow(void **state)
{
    (void) state;

    check_verdicts(allow_rows, sizeof(allow_rows) / sizeof(allow_rows[0]));
}


static void
test_homes(void **state)
{
    size_t             i, mode;
    fields_pass_t      pass;
    const home_row_t  *row;

    (void) state;

    for (i = 0; i < sizeof(home_rows) / sizeof(home_rows[0]); i++) {
        row = &home_rows[i];

        for (mode = OG_MATCH_EXACT; mode <= OG_MATCH_LOOSE; mode++) {

            if (!is_for(row->match, (og_match_e) mode)) {
                continue;
            }

            fields_begin(&pass, (og_match_e) mode, row->rules);
            assert_int_equal(fields_to_field(&pass, row->name), 0);

            if (pass.place.home != row->home || pass.place.root) {
                fail_msg("%s, %s: %s: want %zu, got %zu", row->rules,
                         mode_name((og_match_e) mode), row->name, row->home,
                         pass.place.home);
            }

            fields_end(&pass);
        }
    }
}


/* A place goes on like any other: a part of a form may be JSON. */
static void
test_places_go_on(void **state)
{
    size_t         i;
    fields_pass_t  pass;

    static const struct {
        const char  *rules;
        const char  *field;
        const char  *member;
        const char  *verdict;
    } rows[] = {
        { "strip /a/b/c", "a[b]", "c", STRIP },
        { "strip /a/b/c", "a.b", "C", STRIP },
        { "strip /a/b/c", "a[b]", "d", PASSES },
        { "strip /a/b/c", "_a[b]", "c", STRIP },
        { "strip /a/*/c", "a[]", "c", STRIP },
        { "strip c", "a[b]", "c", STRIP },
        { "strip /a_b/c", "a.b", "c", STRIP },
        { "strip /a.b/c", "a.b", "c", STRIP },
        { "strip /a/b", "a[0]x", "b", PASSES },
        { "strip /a/*/b", "a[0]x", "b", STRIP },
        { "strip /a/*/*", "a[0]x", "any", STRIP },
        { "strip /a/b.c/d", "a[b.c]", "d", STRIP },
        { "allow /a/b/c", "a[b]", "c", PASSES },
        { "allow /a/b/c", "a[b]", "C", UNLISTED },
        { "allow /a/b/c", "a[b]", "d", UNLISTED },
        { "allow a", "a", "b", UNLISTED },
        { "allow /a/**", "a[b]", "d", PASSES },
        { "allow /a/**", "a", "d", PASSES },
        { "allow /a[b]/c", "a[b]", "c", PASSES },
        { "allow /a[b]/**", "a[b]", "c", PASSES },
        { "allow /a/b/c strip /a/b/c/d", "a[b]", "c", PASSES },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fields_begin(&pass, OG_MATCH_LOOSE, rows[i].rules);
        assert_int_equal(fields_to_field(&pass, rows[i].field), 0);
        fields_to_member(&pass, rows[i].member);

        if (strcmp(fields_verdict(&pass, 0), rows[i].verdict) != 0) {
            fail_msg("%s: %s, then %s: want %s, got %s", rows[i].rules,
                     rows[i].field, rows[i].member, rows[i].verdict,
                     fields_verdict(&pass, 0));
        }

        fields_end(&pass);
    }
}


/* At first glance nothing passes that a name of any kind leads to. */
static void
test_first_glance(void **state)
{
    int            passes;
    size_t         i;
    og_sketch_t    any;
    og_filter_t    filter;
    fields_pass_t  pass;

    static const struct {
        const char  *field;
        int          passes;
    } rows[] = {
        { "a[0]x", 0 }, { "a[0]", 0 }, { "a.0", 0 }, { "a[]", 0 },
        { "_a[0]", 0 }, { "b[0]", 1 }, { "x.y", 1 } };

    (void) state;

    fields_begin(&pass, OG_MATCH_LOOSE, "strip /a/*/*/price");
    filter = og_fields_filter(pass.fields);

    any = og_sketch((const unsigned char *) "any", 3, 3);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(fields_to_field(&pass, rows[i].field), 0);
        passes = og_fields_pass(&filter, &pass.place, any);

        if (passes != rows[i].passes) {
            fail_msg("%s", rows[i].field);
        }
    }

    fields_end(&pass);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_strip_and_reject), cmocka_unit_test(test_allow),
        cmocka_unit_test(test_homes), cmocka_unit_test(test_places_go_on),
        cmocka_unit_test(test_first_glance)
    };

    return cmocka_run_group_tests_name("og_fields_name", tests, NULL, NULL);
}
