# order_guard_errors: one shape, whoever failed.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => <<'_CONF_') unless defined $block->http_config;
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT timeout=1s;
_CONF_

    my $upstream = $block->upstream // return;

    $block->set_value(config => <<"_CONF_" . ($block->config // ''));
    location /order {
        order_guard on;
@{[ $block->rules // '' ]}
        add_header X-Code \$order_guard_error_code always;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
$upstream
    }
_CONF_

    $block->set_value(request => 'GET /order') unless defined $block->request;
});

run_tests();

__DATA__

=== TEST 1: an upstream's JSON error
--- upstream
        default_type application/json;
        return 422 '{"error":true,"code":"ORDER_VALIDATION_ERROR","message":"Format order mu tidak sesuai.","errors":{"data":["/imeis: must NOT have fewer than 1 items"],"n":12345678901234567890.10},"traceId":"01234567"}';
--- error_code: 422
--- response_headers
Content-Type: application/problem+json
X-Code: ORDER_VALIDATION_ERROR
--- response_body chomp
{"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"Format order mu tidak sesuai.","code":"ORDER_VALIDATION_ERROR","origin":"upstream","retryable":false,"trace_id":"01234567","errors":{"data":["/imeis: must NOT have fewer than 1 items"],"n":12345678901234567890.10}}



=== TEST 2: HTML is never passed on
--- upstream
        default_type text/html;
        return 500 '<html>stack trace at /srv/app.py:17 secret</html>';
--- error_code: 500
--- response_body_like: ^(?!.*secret)\{"type":"about:blank","title":"Internal Server Error","status":500,"code":"INTERNAL_SERVER_ERROR","origin":"upstream","retryable":false,"trace_id":"[0-9a-f]{32}"\}$



=== TEST 3: plain text is never passed on
--- upstream
        default_type text/plain;
        return 400 'secret text';
--- error_code: 400
--- response_body_like: ^(?!.*secret).*"code":"BAD_REQUEST","origin":"upstream"



=== TEST 4: invalid JSON is never passed on
--- upstream
        default_type application/json;
        return 400 '{"message":"secret"';
--- error_code: 400
--- response_body_like: ^(?!.*secret).*"code":"BAD_REQUEST","origin":"upstream"



=== TEST 5: an empty body
--- upstream
        return 418;
--- error_code: 418
--- response_body_like: "status":418,"code":"[A-Z_]+","origin":"upstream"



=== TEST 6: the message of a 5xx is hidden by default
--- upstream
        default_type application/json;
        return 503 '{"status":503,"code":"SERVICE_UNAVAILABLE","message":"Insufficient wallet balance"}';
--- error_code: 503
--- response_body_like: ^(?!.*wallet).*"status":503,"code":"SERVICE_UNAVAILABLE","origin":"upstream"



=== TEST 7: and shown where it is asked for
--- rules
        order_guard_error_detail pass;
--- upstream
        default_type application/json;
        return 503 '{"status":503,"code":"SERVICE_UNAVAILABLE","message":"Insufficient wallet balance"}';
--- error_code: 503
--- response_body_like: "detail":"Insufficient wallet balance","code":"SERVICE_UNAVAILABLE"



=== TEST 8: hidden for 4xx too
--- rules
        order_guard_error_detail hide;
--- upstream
        default_type application/json;
        return 400 '{"code":"X","message":"secret"}';
--- error_code: 400
--- response_body_like: ^(?!.*secret).*"code":"X"



=== TEST 9: a problem that is in shape passes unchanged
--- upstream
        default_type application/problem+json;
        return 409 '{ "title" : "Conflict", "type":"https://x/y", "status": 409 , "extra":1.10}';
--- error_code: 409
--- response_body chomp
{ "title" : "Conflict", "type":"https://x/y", "status": 409 , "extra":1.10}



=== TEST 10: statuses that are skipped leave as they are
--- rules
        order_guard_error_skip 503;
--- upstream
        default_type application/json;
        return 503 '{"status":"failed","refunded_amount":1500}';
--- error_code: 503
--- response_body chomp
{"status":"failed","refunded_amount":1500}



=== TEST 11: off leaves everything alone
--- rules
        order_guard_errors off;
--- upstream
        default_type text/plain;
        return 500 'as it is';
--- error_code: 500
--- response_body: as it is



=== TEST 12: success is not touched
--- upstream
        default_type application/json;
        return 207 '{"status":"partial"}';
--- error_code: 207
--- response_body: {"status":"partial"}



=== TEST 13: headers that an error keeps, and those that go
--- upstream
        default_type application/json;
        add_header WWW-Authenticate 'Custom realm="x"' always;
        add_header Retry-After 17 always;
        add_header Link '<https://x>; rel="help"' always;
        add_header Access-Control-Allow-Origin * always;
        add_header X-Request-Id abc always;
        add_header ETag '"1"' always;
        add_header Last-Modified "Sun, 22 Nov 2026 07:00:00 GMT" always;
        add_header Content-Digest "sha-256=:x:" always;
        add_header Accept-Ranges bytes always;
        return 401 '{"code":"UNAUTHORIZED","message":"Invalid or missing API key"}';
--- error_code: 401
--- response_headers
WWW-Authenticate: Custom realm="x"
Retry-After: 17
Link: <https://x>; rel="help"
Access-Control-Allow-Origin: *
X-Request-Id: abc
! ETag
! Last-Modified
! Content-Digest
! Accept-Ranges
--- response_body_like: "detail":"Invalid or missing API key","code":"UNAUTHORIZED"



=== TEST 14: nginx's own 502
--- config
    location = /dead {
        order_guard on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }
--- request
GET /dead
--- error_code: 502
--- response_headers
Content-Type: application/problem+json
Cache-Control: no-store
--- response_body_like: ^\{"type":"about:blank","title":"Bad Gateway","status":502,"detail":"[^"]+","code":"UPSTREAM_UNREACHABLE","origin":"gateway","retryable":true,"trace_id":"[0-9a-f]{32}"\}$



=== TEST 15: nginx's own 504
--- config
    location = /slow {
        order_guard on;
        proxy_read_timeout 100ms;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/sleep;
    }

    location = /sleep {
        echo_sleep 1;
        echo late;
    }
--- request
GET /slow
--- error_code: 504
--- response_body_like: "status":504,"detail":"[^"]+","code":"UPSTREAM_TIMEOUT","origin":"gateway","retryable":false



=== TEST 16: nginx's own 403, 404, 405, 413 in a guarded location
--- config
    order_guard on;

    location = /403 {
        deny all;
    }

    location = /405 {
        limit_except GET {
            deny all;
        }
        return 200;
    }

    location = /413 {
        client_max_body_size 1;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/none;
    }

    location = /418 {
        return 418;
    }
--- request eval
["GET /403", "GET /404", "POST /413\nabc", "GET /418"]
--- error_code eval
[403, 404, 413, 418]
--- response_body_like eval
[qr/"status":403,"code":"FORBIDDEN","origin":"gateway"/,
 qr/"status":404,"code":"NOT_FOUND","origin":"gateway"/,
 qr/"title":"Content Too Large","status":413,.*"code":"BODY_TOO_LARGE","origin":"gateway"/,
 qr/"status":418,"code":"[A-Z_]+","origin":"gateway"/]



=== TEST 17: an early error of the default server
--- http_config
    order_guard on;
--- config
--- raw_request eval
"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
--- error_code: 400
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "status":400,"code":"BAD_REQUEST","origin":"gateway"



=== TEST 18: the operator's page wins
--- config
    error_page 502 /custom;
    error_page 404 /custom;

    location = /dead {
        order_guard on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location = /custom {
        order_guard on;
        internal;
        return 502 "our own page";
    }

    location = /denied {
        order_guard on;
        error_page 403 = /page.txt;
        deny all;
    }

    location = /page.txt {
        order_guard on;
    }
--- user_files
>>> page.txt
our own file
--- request eval
["GET /dead", "GET /denied"]
--- error_code eval
[502, 200]
--- response_body_like eval
[qr/^our own page$/, qr/^our own file$/]



=== TEST 19: HEAD has the headers and no body
--- upstream
        default_type text/plain;
        return 500 'x';
--- request
HEAD /order
--- error_code: 500
--- response_headers
Content-Type: application/problem+json
--- response_body:



=== TEST 20: T9, the connection survives the guard's own 400
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        return 200 "ok";
    }
--- pipelined_requests eval
["POST /order\n{", "POST /order\n{}"]
--- more_headers
Content-Type: application/json
--- error_code eval
[400, 200]



=== TEST 21: T9, status lines that nginx has no text for
--- upstream
        default_type application/json;
        return 422 '{}';
--- error_code: 422
--- raw_response_headers_like: ^HTTP/1.1 422 Unprocessable Content\r\n



=== TEST 22: a base for the type
--- rules
        order_guard_error_type https://errors.example/;
--- upstream
        default_type application/json;
        return 400 '{"code":"OUT_OF_STOCK"}';
--- error_code: 400
--- response_body_like: ^\{"type":"https://errors.example/out-of-stock","title":"[^"]+","status":400,



=== TEST 23: a large error body is not shown
--- upstream
        default_type application/json;
        echo_status 500;
        echo_duplicate 70000 "x";
--- error_code: 500
--- response_body_like: ^\{"type":"about:blank","title":"Internal Server Error","status":500,"code":"INTERNAL_SERVER_ERROR","origin":"upstream"



=== TEST 24: T16, a subrequest's error is not touched
--- config
    location = /order {
        order_guard on;
        auth_request /auth;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /auth {
        internal;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/denies;
    }

    location = /denies {
        return 401 "no";
    }

    location = /upstream {
        return 200 "ok";
    }
--- request
GET /order
--- error_code: 401
--- response_body_like: "status":401,"code":"UNAUTHORIZED","origin":"gateway"



=== TEST 25: nginx's own pages after try_files
--- config
    order_guard on;

    location /down {
        try_files /none @down;
    }

    location @down {
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location /unguarded {
        try_files /none @unguarded;
    }

    location @unguarded {
        order_guard off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location /off {
        order_guard off;
        try_files /none @down;
    }

    location /denied {
        try_files /none /deny;
    }

    location /deny {
        deny all;
    }

    location /missing {
        try_files /none /nowhere;
    }

    location /status {
        try_files /none =404;
    }

    location /loop {
        try_files /none /loop;
    }
--- request eval
["GET /down", "POST /down", "GET /unguarded", "GET /off", "GET /denied",
 "POST /denied", "GET /missing", "GET /status", "GET /loop"]
--- error_code eval
[502, 502, 502, 502, 403, 403, 404, 404, 500]
--- response_headers eval
[("Content-Type: application/problem+json") x 9]
--- response_body_like eval
[(qr/"status":502,.*"code":"UPSTREAM_UNREACHABLE","origin":"gateway"/) x 4,
 (qr/"status":403,.*"code":"FORBIDDEN","origin":"gateway"/) x 2,
 (qr/"status":404,.*"code":"NOT_FOUND","origin":"gateway"/) x 2,
 qr/"status":500,.*"code":"INTERNAL_SERVER_ERROR","origin":"gateway"/]



=== TEST 26: after index and rewrite
--- config
    order_guard on;

    location = /index/ {
        root html;
        index none.html /down;
    }

    location = /rewrite {
        rewrite ^ /down last;
    }

    location = /deny-index/ {
        root html;
        index none.html /deny;
    }

    location = /down {
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location = /deny {
        deny all;
    }
--- user_files
>>> index/a
>>> deny-index/a
--- request eval
["GET /index/", "POST /index/", "GET /rewrite", "POST /rewrite",
 "GET /deny-index/"]
--- error_code eval
[502, 502, 502, 502, 403]
--- response_body_like eval
[(qr/^\{"type":"about:blank","title":"Bad Gateway","status":502,.*"code":"UPSTREAM_UNREACHABLE","origin":"gateway"/) x 4,
 qr/^\{"type":"about:blank","title":"Forbidden","status":403,/]



=== TEST 27: after X-Accel-Redirect
--- config
    order_guard on;

    location /order {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/accel;
    }

    location = /accel {
        order_guard off;
        add_header X-Accel-Redirect $arg_to;
        return 200;
    }

    location = /down {
        internal;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location @down {
        order_guard off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location = /deny {
        deny all;
    }

    location = /html {
        internal;
        order_guard off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        order_guard off;
        default_type text/html;
        return 500 '<html>stack trace</html>';
    }
--- request eval
[map { "GET /order?to=$_" } qw(/none /down @down /deny /html)]
--- error_code eval
[404, 502, 502, 403, 500]
--- response_body_like eval
[qr/^\{"type":"about:blank","title":"Not Found","status":404,.*"origin":"gateway"/,
 (qr/^\{"type":"about:blank","title":"Bad Gateway","status":502,.*"code":"UPSTREAM_RESET","origin":"gateway"/) x 2,
 qr/^\{"type":"about:blank","title":"Forbidden","status":403,.*"origin":"gateway"/,
 qr/^\{"type":"about:blank","title":"Internal Server Error","status":500,.*"origin":"upstream"/]



=== TEST 28: the operator's page wins after them too
--- config
    order_guard on;

    location /return/ {
        error_page 502 403 /return;
        try_files /none @down-return;
    }

    location @down-return {
        error_page 502 /return;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location = /return {
        return 502 "our own text";
    }

    location /file/ {
        try_files /none @down-file;
    }

    location @down-file {
        error_page 502 /page.txt;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location /named/ {
        try_files /none @down-named;
    }

    location @down-named {
        error_page 502 = @named;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location @named {
        return 503 "our own answer";
    }

    location /kept/ {
        try_files /none @down-kept;
    }

    location @down-kept {
        error_page 502 @kept;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location @kept {
        try_files /page.txt =500;
    }

    location = /first {
        error_page 404 = /second;
    }

    location = /second {
        try_files /none /page.txt;
    }
--- user_files
>>> page.txt
our own file
--- request eval
["GET /return/", "GET /file/", "GET /named/", "GET /kept/", "GET /first"]
--- error_code eval
[502, 502, 503, 502, 200]
--- response_body_like eval
[qr/^our own text$/, qr/^our own file$/, qr/^our own answer$/,
 qr/^our own file$/, qr/^our own file$/]



=== TEST 29: a page of the operator that is not there
--- config
    order_guard on;

    location = /down {
        error_page 502 /page.txt;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location = /named {
        error_page 502 = @down;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location @down {
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }
--- request eval
["GET /down", "GET /named"]
--- error_code eval
[404, 502]
--- response_body_like eval
[qr/^\{"type":"about:blank","title":"Not Found","status":404,/,
 qr/^\{"type":"about:blank","title":"Bad Gateway","status":502,/]



=== TEST 30: an answer of nginx's configuration is the gateway's
--- config
    order_guard on;

    location = /text {
        return 503 "maintenance of 10.1.2.3";
    }

    location = /json {
        default_type application/json;
        return 409 '{"code":"CLOSED","message":"no orders today"}';
    }

    location = /echo {
        default_type application/json;
        echo_status 500;
        echo '{"message":"secret"}';
    }

    location = /behind {
        try_files /none @behind;
    }

    location @behind {
        return 503 "maintenance of 10.1.2.3";
    }
--- request eval
["GET /text", "POST /text", "GET /json", "GET /echo", "GET /behind"]
--- error_code eval
[503, 503, 409, 500, 503]
--- response_body_like eval
[(qr/^(?!.*maintenance).*"code":"[A-Z_]+","origin":"gateway"/) x 2,
 qr/"code":"CLOSED","origin":"gateway"/,
 qr/^(?!.*secret).*"origin":"gateway"/,
 qr/^(?!.*maintenance).*"code":"[A-Z_]+","origin":"gateway"/]



=== TEST 31: the operator's page in a guarded location, the error in one that is not
--- config
    error_page 502 /page.txt;

    location = /down {
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location = /page.txt {
        order_guard on;
    }
--- user_files
>>> page.txt
our own file
--- request
GET /down
--- error_code: 502
--- response_body
our own file



=== TEST 32: a page of the operator that fails with the status that it is about
--- config
    order_guard on;

    location = /missing {
        error_page 404 /none.txt;
    }

    location = /denied {
        error_page 403 /deny;
        deny all;
    }

    location = /deny {
        deny all;
    }

    location = /found {
        error_page 404 /page.txt;
        try_files /none =404;
    }

    location = /returned {
        error_page 403 /text;
        deny all;
    }

    location = /text {
        return 403 "our own text";
    }
--- user_files
>>> page.txt
our own file
--- request eval
["GET /missing", "GET /denied", "GET /found", "GET /returned"]
--- error_code eval
[404, 403, 404, 403]
--- response_body_like eval
[qr/^\{"type":"about:blank","title":"Not Found","status":404,/,
 qr/^\{"type":"about:blank","title":"Forbidden","status":403,/,
 qr/^our own file$/, qr/^our own text$/]
