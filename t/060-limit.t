# order_guard_limit: the sliding window, its headers, and what is free.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

# Once: what is over its limit stays known to the gateway.
repeat_each(1);
no_long_string();

after_response(sub {
    my ($block, $body, $index, $repetition) = @_;

    return unless defined $block->no_claim_left && $index == 1
                  && store_is_redis();
    is(scalar @{ redis_cmd('KEYS', '*:i:*') }, 1, 'one record');
});

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => <<'_CONF_');
    order_guard_store main $TEST_NGINX_STORE;
_CONF_

    my $rules = $block->rules // return;

    $block->set_value(config => <<"_CONF_" . ($block->config // ''));
    location /order {
        order_guard on;
$rules
        add_header X-Limit \$order_guard_limit always;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        default_type application/json;
        echo "{\\"order\\":\\"\$request_id\\"}";
    }
_CONF_
});

run_tests();

__DATA__

=== TEST 1: the third of two in an hour is refused
--- rules
        order_guard_limit 2r/h;
--- request eval
["GET /order", "GET /order", "GET /order"]
--- more_headers
Authorization: Bearer t
--- error_code eval
[200, 200, 429]
--- raw_response_headers_like eval
[qr/^RateLimit-Policy: "2r\/h";q=2;w=3600\r\nRateLimit: "2r\/h";r=1;t=3[0-9]{3}\r\n(?!.*Retry-After).*^X-Limit: PASSED/ms,
 qr/^RateLimit-Policy: "2r\/h";q=2;w=3600\r\nRateLimit: "2r\/h";r=0;t=3[0-9]{3}\r\n.*^X-Limit: PASSED/ms,
 qr/^Content-Type: application\/problem\+json\r\n.*^Cache-Control: no-store\r\nRetry-After: [34][0-9]{3}\r\nRateLimit-Policy: "2r\/h";q=2;w=3600\r\nRateLimit: "2r\/h";r=0;t=3[0-9]{3}\r\n.*^X-Limit: REJECTED/ms]
--- response_body_like eval
[qr/order/, qr/order/,
 qr/"title":"Too Many Requests","status":429,.*"code":"RATE_LIMITED","origin":"gateway","retryable":true/]



=== TEST 2: another caller is not affected
--- rules
        order_guard_limit 1r/h;
--- request eval
[map { "GET /order" } 1..4]
--- more_headers eval
[map { "Authorization: Bearer $_" } qw(a a b b)]
--- error_code eval
[200, 429, 200, 429]



=== TEST 3: without a token an unguarded method is counted by address
--- rules
        order_guard_limit 1r/h;
--- request eval
["GET /order", "GET /order"]
--- error_code eval
[200, 429]



=== TEST 4: without a token a guarded method is refused
--- rules
        order_guard_limit 1r/h;
--- request
POST /order
--- error_code: 401
--- response_body_like: "code":"TOKEN_REQUIRED"
--- response_headers
! RateLimit
X-Limit:



=== TEST 5: an optional token: counted by address
--- rules
        order_guard_token $order_guard_bearer optional;
        order_guard_limit 1r/h;
--- request eval
["POST /order", "POST /order"]
--- error_code eval
[200, 429]



=== TEST 6: no token can pose as an address
--- rules
        order_guard_token $order_guard_bearer optional;
        order_guard_limit 1r/h;
--- request eval
["POST /order", "POST /order"]
--- more_headers eval
["", "Authorization: Bearer 127.0.0.1"]
--- error_code eval
[200, 200]



=== TEST 7: OPTIONS is never counted
--- rules
        order_guard_limit 1r/h;
--- request eval
["OPTIONS /order", "OPTIONS /order", "GET /order"]
--- error_code eval
[200, 200, 200]



=== TEST 8: a replay costs nothing and is never refused
--- rules
        order_guard_idempotency optional;
        order_guard_limit 2r/h;
--- request eval
[map { "POST /order\n{}" } 1..6]
--- more_headers eval
[map { "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: $_" } qw(a a a b c a)]
--- error_code eval
[200, 200, 200, 200, 429, 200]
--- response_headers eval
["X-Limit: PASSED", "Idempotent-Replayed: true", "Idempotent-Replayed: true",
 "! Idempotent-Replayed", "X-Limit: REJECTED", "Idempotent-Replayed: true"]



=== TEST 9: a request refused for its key gets its unit back
--- rules
        order_guard_idempotency optional;
        order_guard_limit 2r/h;
--- request eval
["POST /order\n{}", "POST /order\n[]", "POST /order\n[1]", "POST /order\n{}"]
--- more_headers eval
[map { "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: $_" } qw(a a a b)]
--- error_code eval
[200, 422, 422, 200]



=== TEST 10: a 429 holds no key
--- rules
        order_guard_idempotency optional;
        order_guard_limit 1r/s;
--- request eval
["POST /order\n{}", "POST /order\n{}"]
--- more_headers eval
[map { "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: $_" } qw(a b)]
--- error_code eval
[200, 429]
--- no_claim_left: 1



=== TEST 11: several limits stand side by side
--- rules
        order_guard_limit 100r/h;
        order_guard_limit 1r/s name=burst;
--- request eval
["GET /order", "GET /order"]
--- error_code eval
[200, 429]
--- response_headers eval
["RateLimit-Policy: \"100r/h\";q=100;w=3600, \"burst\";q=1;w=1",
 "RateLimit-Policy: \"100r/h\";q=100;w=3600, \"burst\";q=1;w=1"]



=== TEST 12: a key of its own
--- rules
        order_guard_limit 1r/h key=$arg_shop;
--- request eval
["GET /order?shop=1", "GET /order?shop=2", "GET /order?shop=1", "GET /order"]
--- error_code eval
[200, 200, 429, 200]



=== TEST 13: counters are shared by name over locations
--- rules
        order_guard_limit 1r/h;
--- config
    location = /other {
        order_guard on;
        order_guard_limit 1r/h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }
--- request eval
["GET /order", "GET /other"]
--- error_code eval
[200, 429]



=== TEST 14: an upstream's own members are kept
--- http_config
--- config
    location = /limited {
        order_guard on;
        order_guard_limit 5r/h;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/own;
    }

    location = /own {
        add_header RateLimit '"upstream";r=7;t=1';
        add_header RateLimit-Policy '"upstream";q=8;w=1';
        return 200 "ok";
    }
--- request
GET /limited
--- raw_response_headers_like eval
qr/RateLimit: "upstream";r=7;t=1\r\n.*RateLimit-Policy: "5r\/h";q=5;w=3600/s



=== TEST 15: OPTIONS with a body or an override is counted
--- rules
        order_guard_token $order_guard_bearer optional;
        order_guard_limit 2r/h;
--- request eval
["OPTIONS /order", "OPTIONS /order\n{}", "OPTIONS /order", "GET /order",
 "OPTIONS /order\n{}", "OPTIONS /order"]
--- more_headers eval
["", "Content-Type: application/json", "X-HTTP-Method-Override: POST", "",
 "Content-Type: application/json", ""]
--- error_code eval
[200, 200, 200, 429, 429, 200]



=== TEST 16: and asked for a token
--- rules
        order_guard_limit 2r/h;
--- request eval
["OPTIONS /order", "OPTIONS /order\n{}", "OPTIONS /order"]
--- more_headers eval
["", "Content-Type: application/json", "X-HTTP-Method-Override: POST"]
--- error_code eval
[200, 401, 401]



=== TEST 17: off turns the limits above off
--- rules
        order_guard_limit 1r/h;
        order_guard_limit 1r/s name=burst;

        location /order/free {
            order_guard_limit off;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;

            location /order/free/own {
                order_guard_limit 1r/h name=own;
                proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
            }
        }
--- request eval
[map { "GET $_" } qw(/order/free /order/free /order/free/own /order/free/own
                     /order/free /order /order)]
--- error_code eval
[200, 200, 200, 429, 200, 200, 429]
--- response_headers eval
["! RateLimit-Policy", "! RateLimit-Policy",
 ('RateLimit-Policy: "own";q=1;w=3600') x 2, "! RateLimit-Policy",
 ('RateLimit-Policy: "1r/h";q=1;w=3600, "burst";q=1;w=1') x 2]



=== TEST 18: the limit of a location that a request is sent on to
--- config
    location = /first {
        order_guard on;
        try_files /none @limited;
    }

    location = /also-limited {
        order_guard on;
        order_guard_limit 2r/h;
        try_files /none @limited;
    }

    location @limited {
        order_guard on;
        order_guard_limit 2r/h;
        echo limited;
    }
--- request eval
["POST /first\n{}", "POST /also-limited\n{}", "POST /first\n{}",
 "POST /also-limited\n{}"]
--- more_headers
Authorization: Bearer t
Content-Type: application/json
--- error_code eval
[200, 200, 429, 429]



=== TEST 19: what is not counted, and what is by a member of its body
--- rules
        order_guard_token $host;
        order_guard_limit 1r/h key=$order_guard_body_ref;
--- request eval
[(map { qq{POST /order\n{"ref":"$_"}} } qw(a a b)), "OPTIONS /order",
 "POST /order\n{}"]
--- more_headers
Content-Type: application/json
--- error_code eval
[200, 429, 200, 200, 200]
--- response_headers eval
["X-Limit: PASSED", "X-Limit: REJECTED", "X-Limit: PASSED", "! X-Limit",
 "! X-Limit"]



=== TEST 20: a limit of a level replaces that above, or counts with it
--- config
    order_guard on;
    order_guard_token $host;
    order_guard_limit 2r/h;

    location = /upstream {
        order_guard off;
        echo made;
    }

    location /above {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;

        location /above/nested {
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
        }

        location /above/own {
            order_guard_limit 1r/h;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
        }
    }
--- request eval
[map { "POST $_\n{}" } qw(/above /above/nested /above /above/own /above/own)]
--- more_headers
Content-Type: application/json
--- error_code eval
[200, 200, 429, 200, 429]
--- response_headers eval
[('RateLimit-Policy: "2r/h";q=2;w=3600') x 3,
 ('RateLimit-Policy: "1r/h";q=1;w=3600') x 2]



=== TEST 19: once over several redirects, and by each of its keys alone
--- rules
        order_guard_limit 3r/h name=one;
        try_files /none @two;
--- config
    location @two {
        order_guard on;
        order_guard_limit 9r/h name=two;
        try_files /none @three;
    }
    location @three {
        order_guard on;
        order_guard_limit 3r/h name=one;
        rewrite ^ /upstream break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
    location = /by-address {
        order_guard on;
        order_guard_limit 1r/h name=n key=$arg_a;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }
    location = /by-tenant {
        order_guard on;
        order_guard_limit 1r/h name=n key=$arg_b;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }
--- request eval
["GET /order", "GET /order", "GET /order", "GET /order",
 "GET /by-address?a=x", "GET /by-tenant?b=x", "GET /by-tenant?b=x"]
--- more_headers
Authorization: Bearer t
--- error_code eval
[200, 200, 200, 429, 200, 200, 429]
