# Errors in a format of the operator's own, from places of the upstream's own,
# and with a status of success.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(user_files => <<'_FILES_');
>>> ../conf/shop.json
{
    "success": false,
    "error": {
        "code":    "$code",
        "message": "$message",
        "details": "$details"
    },
    "meta": { "status": "$status", "trace": "$trace_id", "from": "$origin",
              "retry": "$retryable", "new_key": "$safe_new_key" }
}
>>> ../conf/small.json
{"error": "$code", "text": "$message"}
_FILES_

    $block->set_value(http_config => <<'_CONF_');
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT timeout=1s;
    order_guard_error_format shop shop.json;
    order_guard_error_format small small.json;
_CONF_

    my $upstream = $block->upstream // return;

    $block->set_value(config => <<"_CONF_" . ($block->config // ''));
    location /order {
        order_guard on;
@{[ $block->rules // '        order_guard_errors shop;' ]}
        add_header X-Code \$order_guard_error_code always;
        add_header X-Idempotency \$order_guard_idempotency always;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
@{[ $upstream =~ /default_type/ ? '' : 'default_type application/json;' ]}
$upstream
    }
_CONF_

    $block->set_value(request => 'GET /order') unless defined $block->request;
});

run_tests();

__DATA__

=== TEST 1: every part, each with its type
--- upstream
        return 409 '{"code":"SOLD_OUT","message":"Stok habis","errors":[{"sku":"a","n":1.10}],"traceId":"t-1"}';
--- error_code: 409
--- response_headers
Content-Type: application/json
X-Code: SOLD_OUT
--- response_body chomp
{"success":false,"error":{"code":"SOLD_OUT","message":"Stok habis","details":[{"sku":"a","n":1.10}]},"meta":{"status":409,"trace":"t-1","from":"upstream","retry":false,"new_key":null}}



=== TEST 2: what there is not
--- upstream
        return 404;
--- error_code: 404
--- response_body_like: ^\{"success":false,"error":\{"code":"NOT_FOUND","message":"Not Found","details":null\},"meta":\{"status":404,"trace":"[0-9a-f]{32}","from":"upstream","retry":false,"new_key":null\}\}$



=== TEST 3: nginx's own errors and the guard's
--- config
    order_guard on;
    order_guard_errors small;

    location = /denied {
        deny all;
    }

    location = /down {
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location = /key {
        order_guard_idempotency required;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }
--- request eval
["GET /denied", "GET /down", "POST /key\n{}", "GET /nothing"]
--- more_headers
Authorization: Bearer t
Content-Type: application/json
--- error_code eval
[403, 502, 400, 404]
--- response_headers eval
[("Content-Type: application/json") x 4]
--- response_body_like eval
[qr/^\{"error":"FORBIDDEN","text":"Forbidden"\}$/,
 qr/^\{"error":"UPSTREAM_UNREACHABLE","text":"[^"]+"\}$/,
 qr/^\{"error":"IDEMPOTENCY_KEY_REQUIRED","text":"[^"]+"\}$/,
 qr/^\{"error":"NOT_FOUND","text":"Not Found"\}$/]



=== TEST 4: what is in the format already passes byte for byte
--- upstream
        return 422 '{ "success":false,"more":12345678901234567890.10, "error":{"code":"X","message":"","details":null},"meta":{"status":422,"trace":null,"from":"upstream","retry":null,"new_key":true}}';
--- error_code: 422
--- response_body chomp
{ "success":false,"more":12345678901234567890.10, "error":{"code":"X","message":"","details":null},"meta":{"status":422,"trace":null,"from":"upstream","retry":null,"new_key":true}}



=== TEST 5: what only looks like it does not
--- upstream
        return 422 '{"success":true,"error":{"code":"X","message":""},"meta":{"status":422}}';
--- error_code: 422
--- response_body_like: ^\{"success":false,"error":\{"code":"X","message":"Unprocessable Content","details":null\}



=== TEST 6: a problem becomes what the format says
--- upstream
        default_type application/problem+json;
        return 410 '{"type":"about:blank","title":"Gone","status":410,"detail":"it is gone"}';
--- error_code: 410
--- response_headers
Content-Type: application/json
--- response_body_like: ^\{"success":false,"error":\{"code":"GONE","message":"it is gone","details":null\}



=== TEST 7: inherited, replaced, taken back
--- config
    order_guard on;
    order_guard_errors shop;

    location /shop {
        return 404;
    }

    location /small {
        order_guard_errors small;
        return 404;
    }

    location /problem {
        order_guard_errors problem;
        return 404;
    }

    location /off {
        order_guard_errors off;
        return 404;
    }
--- request eval
["GET /shop", "GET /small", "GET /problem", "GET /off"]
--- error_code eval
[404, 404, 404, 404]
--- response_body_like eval
[qr/^\{"success":false/, qr/^\{"error":"NOT_FOUND"/, qr/^\{"type":/, qr/<html>/]



=== TEST 8: places of the upstream's own
--- rules
        order_guard_error_fields code=/fault/kode,/kode message=/fault/0/pesan,/pesan
                                 details=/fault/daftar trace_id=/jejak;
--- upstream
        return 400 '{"code":"NOT_THIS","message":"nor this","fault":{"kode":"SALAH","daftar":{"a":[1]}},"pesan":"Format salah","jejak":"j1","traceId":"no"}';
--- error_code: 400
--- response_body chomp
{"type":"about:blank","title":"Bad Request","status":400,"detail":"Format salah","code":"SALAH","origin":"upstream","retryable":false,"trace_id":"j1","errors":{"a":[1]}}



=== TEST 9: a part that is not named stays where it is by default
--- rules
        order_guard_error_fields code=/kode;
--- upstream
        return 400 '{"kode":17,"code":"NOT_THIS","message":"m","errors":["e"],"trace_id":"t"}';
--- error_code: 400
--- response_body chomp
{"type":"about:blank","title":"Bad Request","status":400,"detail":"m","code":"17","origin":"upstream","retryable":false,"trace_id":"t","errors":["e"]}



=== TEST 10: a success that is none
--- rules
        order_guard_error_when /success false 422;
        order_guard_error_when /status failed 503;
--- upstream
        add_header ETag '"1"';
        add_header X-Request-Id abc;
        return 200 '{"success":false,"message":"Saldo tidak cukup","code":"INSUFFICIENT_BALANCE"}';
--- error_code: 422
--- raw_response_headers_like: ^HTTP/1.1 422 Unprocessable Content\r\n
--- response_headers
Content-Type: application/problem+json
X-Request-Id: abc
! ETag
--- response_body_like: ^\{"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"Saldo tidak cukup","code":"INSUFFICIENT_BALANCE","origin":"upstream"



=== TEST 11: the second condition, over HTTP/1.0
--- rules
        order_guard_error_when /success false 422;
        order_guard_error_when /status failed 503;
--- request
GET /order HTTP/1.0
--- upstream
        return 201 '{"success":true,"status":"failed","message":"secret"}';
--- error_code: 503
--- response_body_like: ^(?!.*secret)\{"type":"about:blank","title":"Service Unavailable","status":503,"code":"failed","origin":"upstream"



=== TEST 12: a success that is one is not touched
--- rules
        order_guard_error_when /success false 422;
--- config
    location /text {
        order_guard on;
        order_guard_error_when /success false 422;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/plain;
    }
    location = /plain {
        return 200 '{"success":false}';
    }
--- upstream
        add_header ETag '"1"';
        if ($arg_a) {
            return 200 '{"success":"false"}';
        }
        return 200 '{ "success":true, "n":1.10 }';
--- request eval
["GET /order", "GET /order?a=1", "HEAD /order", "GET /text"]
--- error_code eval
[200, 200, 200, 200]
--- response_headers eval
['ETag: "1"', 'ETag: "1"', 'ETag: "1"', 'Content-Type: text/plain']
--- response_body eval
['{ "success":true, "n":1.10 }', '{"success":"false"}', '',
 '{"success":false}']



=== TEST 13: in the operator's format
--- rules
        order_guard_error_when /success false 422;
        order_guard_errors shop;
--- upstream
        return 200 '{"success":false,"error":{"code":"E","message":"m","details":[]},"meta":{"status":422,"trace":null,"from":"upstream","retry":null,"new_key":true}}';
--- error_code: 422
--- response_body chomp
{"success":false,"error":{"code":"E","message":"m","details":[]},"meta":{"status":422,"trace":null,"from":"upstream","retry":null,"new_key":true}}



=== TEST 14: nothing is looked for where errors are off
--- rules
        order_guard_errors off;
        order_guard_error_when /success false 422;
--- upstream
        return 200 '{"success":false}';
--- error_code: 200
--- response_body chomp
{"success":false}



=== TEST 15: a large success is not held
--- rules
        order_guard_error_when /success false 422;
--- upstream
        echo -n '{"success":false,"x":"';
        echo_duplicate 70000 x;
        echo -n '"}';
--- error_code: 200
--- response_body eval
'{"success":false,"x":"' . ('x' x 70000) . '"}'



=== TEST 16: JSON that says it is something else
--- upstream
        default_type text/html;
        return 400 '{"code":"E","message":"m"}';
--- error_code: 400
--- response_body_like: ^\{"success":false,"error":\{"code":"E","message":"m"



=== TEST 17: an order that failed with 200 is stored as the error that it is
--- rules
        order_guard_errors shop;
        order_guard_error_when /success false 422;
        order_guard_idempotency required;
        order_guard_token $host;
--- upstream
        return 200 '{"success":false,"code":"E","message":"$request_id"}';
--- request eval
["POST /order\n{}", "POST /order\n{}"]
--- more_headers
Content-Type: application/json
Idempotency-Key: k
--- error_code eval
[422, 422]
--- response_headers eval
["X-Idempotency: CLAIMED", "X-Idempotency: REPLAYED"]
--- response_body_like eval
[(qr/"code":"E".*"status":422,.*"new_key":true/) x 2]



=== TEST 18: a code that frees the key does so with 200, too
--- rules
        order_guard_error_when /success false 404;
        order_guard_idempotency required;
        order_guard_token $host;
--- upstream
        return 200 '{"success":false,"code":"E"}';
--- request eval
["POST /order\n{}", "POST /order\n{}"]
--- more_headers
Content-Type: application/json
Idempotency-Key: k
--- error_code eval
[404, 404]
--- response_headers eval
[("X-Idempotency: CLAIMED") x 2]



=== TEST 19: a page of the operator's knows the code
--- config
    order_guard_token $host;

    location /order {
        order_guard on;
        order_guard_idempotency required;
        error_page 400 = @page;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location /down {
        order_guard on;
        error_page 502 = @page;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location @page {
        default_type application/json;
        return 418 '{"error":"$order_guard_error_code"}';
    }
--- request eval
["POST /order\n{}", "GET /down"]
--- more_headers
Content-Type: application/json
--- error_code eval
[418, 418]
--- response_body eval
['{"error":"IDEMPOTENCY_KEY_REQUIRED"}', '{"error":"UPSTREAM_UNREACHABLE"}']



=== TEST 20: the code of what leaves as it is
--- rules
        order_guard_errors shop;
        order_guard_idempotency required;
        order_guard_token $host;
--- config
    location /problem {
        order_guard on;
        add_header X-Code $order_guard_error_code always;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/gone;
    }
    location = /gone {
        default_type application/problem+json;
        return 410 '{"type":"about:blank","code":"MOVED_OUT"}';
    }
--- upstream
        return 422 '{"success":false,"error":{"code":"IN_SHAPE","message":"","details":null},"meta":{"status":422,"trace":null,"from":"upstream","retry":null,"new_key":true}}';
--- request eval
["POST /order\n{}", "POST /order\n{}", "GET /problem"]
--- more_headers
Content-Type: application/json
Idempotency-Key: k
--- error_code eval
[422, 422, 410]
--- response_headers eval
["X-Code: IN_SHAPE", "X-Code: IN_SHAPE", "X-Code: MOVED_OUT"]
