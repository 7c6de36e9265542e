# What a server, a location and a nested location take from the levels above,
# and what their own directives replace.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

# The upstream says what it got.  /t is answered by a plain location.
add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => <<"_CONF_");
    order_guard_store main redis://127.0.0.1:\$TEST_NGINX_REDIS_PORT timeout=1s;
    log_not_found off;
@{[ $block->http // '' ]}
_CONF_

    $block->set_value(config => ($block->config // '') . <<'_CONF_');
    location = /echo {
        order_guard off;
        echo_read_request_body;
        echo_request_body;
    }

    location = /fail {
        order_guard off;
        default_type application/json;
        return 400 '{"code":"NO","message":"because"}';
    }

    location = /order-id {
        order_guard off;
        echo_read_request_body;
        echo $request_id;
    }
_CONF_

    $block->set_value(more_headers => 'Content-Type: application/json')
        unless defined $block->more_headers;
});

run_tests();

__DATA__

=== TEST 1: the guard is on below the level that turns it on
--- http
    order_guard on;
    order_guard_strip price;
--- config
    location /order {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;

        location /order/nested {
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        }

        location /order/off {
            order_guard off;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        }
    }
--- request eval
[map { qq{POST $_\n{"price":1,"sku":2}} }
     qw(/order /order/nested /order/off)]
--- response_body eval
['{"sku":2}', '{"sku":2}', '{"price":1,"sku":2}']



=== TEST 2: fields of a level replace those above
--- http
    order_guard on;
    order_guard_strip a;
--- config
    location = /above {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }

    location /own {
        order_guard_strip b;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;

        location /own/nested {
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        }

        location /own/more {
            order_guard_strip c;
            order_guard_strip d;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        }
    }
--- request eval
[map { qq{POST $_\n{"a":1,"b":2,"c":3,"d":4}} }
     qw(/above /own /own/nested /own/more)]
--- response_body eval
['{"b":2,"c":3,"d":4}', '{"a":1,"c":3,"d":4}', '{"a":1,"c":3,"d":4}',
 '{"a":1,"b":2}']



=== TEST 3: strip, allow and match are inherited one by one
--- config
    order_guard on;
    order_guard_strip price;

    location = /loose {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }

    location = /exact {
        order_guard_match exact;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }

    location = /allow {
        order_guard_allow data /data/**;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request eval
[map { qq{POST $_\n{"PRICE":1,"data":{"price":2,"x":3},"y":4}} }
     qw(/loose /exact /allow)]
--- response_body eval
['{"data":{"x":3},"y":4}', '{"PRICE":1,"data":{"x":3},"y":4}',
 '{"data":{"x":3}}']



=== TEST 4: a level that says only how names compare
--- http
    order_guard on;
    order_guard_match exact;
--- config
    location = /own {
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }

    location = /none {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request eval
[map { qq{POST $_\n{"PRICE":1,"price":2}} } qw(/own /none)]
--- response_body eval
['{"PRICE":1}', '{"PRICE":1,"price":2}']



=== TEST 5: body limit and depth
--- http
    order_guard on;
    order_guard_body_limit 8;
    order_guard_json_depth 2;
--- config
    location = /above {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }

    location /own {
        order_guard_body_limit 9;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;

        location /own/deep {
            order_guard_json_depth 3;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        }
    }
--- request eval
['POST /above' . "\n[1,2,3,4]", 'POST /own' . "\n[1,2,3,4]",
 'POST /own' . "\n[[[1]]]", 'POST /own/deep' . "\n[[[1]]]"]
--- error_code eval
[413, 200, 400, 200]



=== TEST 6: methods
--- http
    order_guard on;
    order_guard_strip price;
    order_guard_idempotency required;
    order_guard_token $http_x_token;
    order_guard_methods PUT;
--- config
    location = /above {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/order-id;
    }

    location = /own {
        order_guard_methods POST;
        order_guard_methods DELETE;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/order-id;
    }
--- more_headers
X-Token: t
--- request eval
['PUT /above', 'DELETE /above', 'PUT /own', 'DELETE /own', 'POST /own']
--- error_code eval
[400, 200, 200, 400, 400]



=== TEST 7: the token, whether it is optional, and its challenge
--- http
    order_guard on;
    order_guard_limit 100r/h;
    order_guard_token $http_x_a challenge=A;
--- config
    location /above {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;

        location /above/own {
            order_guard_token $http_x_b;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        }

        location /above/optional {
            order_guard_token $http_x_b optional;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        }
    }
--- request eval
["POST /above\n{}", "POST /above/own\n{}", "POST /above/optional\n{}",
 "POST /above\n{}"]
--- more_headers eval
["Content-Type: application/json", "Content-Type: application/json\nX-A: a",
 "Content-Type: application/json", "Content-Type: application/json\nX-A: a"]
--- error_code eval
[401, 401, 200, 200]
--- response_headers eval
["WWW-Authenticate: A", "WWW-Authenticate: Bearer", "! WWW-Authenticate",
 "! WWW-Authenticate"]



=== TEST 8: optional is the token's: it does not outlive it
--- http
    order_guard on;
    order_guard_limit 100r/h;
    order_guard_token $http_x_a optional;
--- config
    location = /above {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }

    location = /own {
        order_guard_token $http_x_b;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request eval
["POST /above\n{}", "POST /own\n{}"]
--- error_code eval
[200, 401]



=== TEST 9: idempotency is turned off below, and on again
--- http
    order_guard on;
    order_guard_idempotency required;
    order_guard_token $host;
--- config
    location /above {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;

        location /above/off {
            order_guard_idempotency off;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;

            location /above/off/on {
                order_guard_idempotency optional;
                add_header X-Found $order_guard_idempotency always;
                proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
            }
        }
    }
--- request eval
["POST /above\n{}", "POST /above/off\n{}", "POST /above/off/on\n{}"]
--- error_code eval
[400, 200, 200]
--- response_headers eval
["! X-Found", "! X-Found", "X-Found: MISSING"]



=== TEST 10: where the key is
--- http
    order_guard on;
    order_guard_idempotency required;
    order_guard_token $host;
    order_guard_idempotency_key $http_x_a;
--- config
    location = /above {
        add_header X-Found $order_guard_idempotency always;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }

    location = /own {
        order_guard_idempotency_key $order_guard_body_id;
        add_header X-Found $order_guard_idempotency always;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request eval
[qq{POST /above\n{"id":"1"}}, qq{POST /above\n{"id":"1"}},
 qq{POST /own\n{"id":"1"}}]
--- more_headers eval
["Content-Type: application/json",
 "Content-Type: application/json\nX-A: a\nX-A: b",
 "Content-Type: application/json"]
--- error_code eval
[400, 400, 200]
--- response_headers eval
["X-Found: MISSING", "X-Found: INVALID", "X-Found: CLAIMED"]



=== TEST 11: statuses that free a key replace the default ones
--- http
    order_guard on;
    order_guard_idempotency required;
    order_guard_token $host;
--- config
    location = /default {
        add_header X-Found $order_guard_idempotency always;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;
    }

    location /own {
        order_guard_idempotency_release 400;
        add_header X-Found $order_guard_idempotency always;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;

        location /own/nested {
            add_header X-Found $order_guard_idempotency always;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;
        }

        location /own/other {
            order_guard_idempotency_release 503;
            add_header X-Found $order_guard_idempotency always;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;
        }
    }
--- request eval
[map { ("POST $_\n{}", "POST $_\n{}") }
     qw(/default /own /own/nested /own/other)]
--- more_headers
Content-Type: application/json
Idempotency-Key: k
--- error_code eval
[(400) x 8]
--- response_headers eval
[map { "X-Found: $_" } qw(CLAIMED REPLAYED CLAIMED CLAIMED CLAIMED CLAIMED
                          CLAIMED REPLAYED)]



=== TEST 12: the fingerprint
--- http
    order_guard on;
    order_guard_idempotency required;
    order_guard_token $host;
    order_guard_idempotency_fingerprint $http_x_user;
--- config
    location = /above {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }

    location = /own {
        order_guard_idempotency_fingerprint $http_x_other;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request eval
["POST /above\n{}", "POST /above\n{}", "POST /own\n{}", "POST /own\n{}"]
--- more_headers eval
[map { "Content-Type: application/json\nIdempotency-Key: k\nX-User: $_" }
     1 .. 4]
--- error_code eval
[200, 422, 200, 200]



=== TEST 13: errors: the shape, what is skipped, details, the type
--- http
    order_guard on;
    order_guard_error_type urn:a:;
    order_guard_error_detail hide;
    order_guard_error_skip 4xx;
--- config
    location = /above {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;
    }

    location /own {
        order_guard_error_skip 503;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;

        location /own/detail {
            order_guard_error_detail pass;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;
        }

        location /own/type {
            order_guard_error_type /errors;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;
        }

        location /own/off {
            order_guard_errors off;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;
        }
    }
--- request eval
[map { "POST $_\n{}" } qw(/above /own /own/detail /own/type /own/off)]
--- error_code eval
[(400) x 5]
--- response_body_like eval
[qr/^\{"code":"NO","message":"because"\}/,
 qr{^\{"type":"urn:a:no","title":"Bad Request","status":400,"code":"NO"},
 qr{^\{"type":"urn:a:no","title":"Bad Request","status":400,"detail":"because","code":"NO"},
 qr{^\{"type":"/errors/no","title":"Bad Request","status":400,"code":"NO"},
 qr/^\{"code":"NO","message":"because"\}/]



=== TEST 14: what a store's failure does, and the response limit
--- http
    order_guard on;
    order_guard_token $host;
    order_guard_idempotency required store=dead;
    order_guard_store dead redis://127.0.0.1:$TEST_NGINX_DEAD_PORT;
--- config
    location /above {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;

        location /above/pass {
            order_guard_idempotency_on_failure pass;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        }

        location /above/other {
            order_guard_idempotency required store=main;
            order_guard_idempotency_response_limit 1;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        }
    }
--- request eval
["POST /above\n{}", "POST /above/pass\n{}", "POST /above/other\n{}",
 "POST /above/other\n{}"]
--- more_headers
Content-Type: application/json
Idempotency-Key: k
--- error_code eval
[503, 200, 200, 409]



=== TEST 15: an "if" block has what its location has
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;

        if ($arg_a) {
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT;
        }

        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request eval
[qq{POST /order?a=\n{"price":1,"x":2}}]
--- response_body eval
['{"x":2}']



=== TEST 16: limit_except has what its location has
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;

        limit_except PUT {
            allow all;
        }
    }
--- request eval
[map { qq{$_ /order\n{"price":1,"x":2}} } qw(POST PUT)]
--- response_body eval
['{"x":2}', '{"x":2}']



=== TEST 17: about:blank is the type that needs no base
--- http
    order_guard on;
    order_guard_error_type urn:a:;
--- config
    location /above {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;

        location /above/blank {
            order_guard_error_type about:blank;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;

            location /above/blank/nested {
                proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;
            }
        }
    }
--- request eval
[map { "POST $_\n{}" } qw(/above /above/blank /above/blank/nested)]
--- error_code eval
[(400) x 3]
--- response_body_like eval
[qr{^\{"type":"urn:a:no","title":"Bad Request","status":400,},
 (qr{^\{"type":"about:blank","title":"Bad Request","status":400,"detail":"because","code":"NO"}) x 2]



=== TEST 18: field rules that are taken back
--- http
    order_guard on;
    order_guard_strip price;
    order_guard_reject status;
    order_guard_set user_id 7;
--- config
    order_guard_allow sku;

    location /order {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }

    location /list-off {
        order_guard_allow off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }

    location /all-off {
        order_guard_strip off;
        order_guard_reject off;
        order_guard_allow off;
        order_guard_set off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;

        location /all-off/nested {
            order_guard_strip sku;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        }
    }
--- request eval
["POST /order\n{\"price\":1,\"sku\":2,\"a\":3}", "POST /list-off\n{\"price\":1,\"sku\":2,\"a\":3}", "POST /list-off\n{\"status\":1}",
    "POST /all-off\n{\"price\":1,\"sku\":2,\"status\":3}", "POST /all-off/nested\n{\"price\":1,\"sku\":2,\"status\":3}"]
--- response_body eval
["{\"sku\":2,\"user_id\":\"7\"}", "{\"sku\":2,\"a\":3,\"user_id\":\"7\"}", qr/FIELD_FORBIDDEN/,
    "{\"price\":1,\"sku\":2,\"status\":3}", "{\"price\":1,\"status\":3}"]
--- error_code eval
[200, 200, 422, 200, 200]
