# Query strings of guarded requests: what the upstream gets in every way in
# which nginx passes one on, variables, keys.  t/bypass/query.txt has the
# tricks.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

add_block_preprocessor(sub {
    my ($block) = @_;

    # "rules" are the guard's directives, "pass" is what proxy_pass has behind
    # the upstream's name
    my $rules = $block->rules;
    my $pass  = $block->pass // '';
    chomp $pass;

    my $order = defined $rules ? <<"_CONF_" : '';
    location /order {
        order_guard on;
$rules
        proxy_pass http://upstream$pass;
    }
_CONF_

    $block->set_value(http_config => <<'_CONF_');
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT timeout=1s;

    upstream upstream {
        server 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;

        location / {
            add_header X-Number $request_id;
            echo_read_request_body;
            echo -n "$request_method $request_uri ";
            echo_request_body;
        }
    }
_CONF_

    $block->set_value(config => $order . ($block->config // ''));

    $block->set_value(more_headers => 'Content-Type: application/json')
        unless defined $block->more_headers || defined $block->raw_request;
});

run_tests();

__DATA__

=== TEST 1: proxy_pass without a URI
--- rules
        order_guard_strip price;
--- request
POST /order?sku=A&price=1&b=%20
{"price":1,"c":2}
--- response_body: POST /order?sku=A&b=%20 {"c":2}



=== TEST 2: proxy_pass with a URI
--- rules
        order_guard_strip price;
--- pass: /v2/order
--- request eval
["POST /order?sku=A&price=1&b=2", "POST /order?price=1", "POST /order/x?price=1&%70rice=2&c=3"]
--- response_body_like eval
['^POST /v2/order\?sku=A&b=2 $', '^POST /v2/order $', '^POST /v2/order/x\?c=3 $']



=== TEST 3: proxy_pass with variables
--- rules
        order_guard_strip price;
--- pass: $uri$is_args$args
--- request eval
["POST /order?sku=A&price=1", "POST /order?price=1"]
--- response_body_like eval
['^POST /order\?sku=A $', '^POST /order $']



=== TEST 4: proxy_pass with $request_uri, also where it has been asked for before
--- rules
        order_guard_strip price;
        set $logged "$request_uri $arg_price $args";
--- pass: $request_uri
--- request
POST /order?sku=A&price=1
--- response_body_like: ^POST /order\?sku=A $



=== TEST 5: variables say what is left
--- rules
        order_guard_strip price;
        set $was "$request_uri $query_string $arg_price";
        add_header X-Left "$args $query_string [$arg_price] $request_uri $is_args";
        add_header X-Was $was;
        add_header X-Stripped $order_guard_stripped;
--- request
POST /order?price=1&sku=A
{"a":{"PRICE":1}}
--- response_headers
X-Left: sku=A sku=A [] /order?sku=A ?
X-Was: /order?price=1&sku=A price=1&sku=A 1
X-Stripped: /a/PRICE,/price



=== TEST 6: what is stripped is in the log
--- rules
        order_guard_strip price user_id;
--- request
DELETE /order?price=1&sku=A&a[userId]=2
--- more_headers
X: y
--- response_body_like: ^DELETE /order\?sku=A $
--- error_log
order guard stripped /price,/a/userId



=== TEST 7: behind a rewrite: the query that it makes, and the one that came
--- rules
        order_guard_strip price;
--- config
    location = /old {
        rewrite ^ /order?price=1&c=2 last;
    }

    location = /older {
        rewrite ^ /new last;
    }

    location = /new {
        order_guard on;
        order_guard_strip price;
        proxy_pass http://upstream;
    }
--- request eval
["POST /old?sku=A&price=3", "POST /older?sku=A&price=3"]
--- response_body_like eval
['^POST /order\?c=2&sku=A $', '^POST /(?:new|older)\?sku=A $']



=== TEST 8: behind try_files
--- config
    location /order {
        order_guard on;
        order_guard_strip price;
        root /nowhere;
        try_files $uri @upstream;
    }

    location @upstream {
        order_guard on;
        order_guard_strip status;
        proxy_pass http://upstream;
    }
--- request
POST /order?sku=A&price=3&status=4
--- response_body_like: ^POST /order\?sku=A $



=== TEST 9: malformed names
--- rules
        order_guard_strip price;
--- request eval
[map { "POST /order?$_" } 'sku=A&pri+ce=1', 'a[b=1', '%70rice%=1', '=1', 'price%00=1', '_charset_=1']
--- error_code eval
[(400) x 6]
--- response_body_like eval
[(qr/"code":"BODY_MALFORMED","origin":"gateway",.*"errors":\[\{"detail":"[^"]+ query string","pointer":""/) x 6]



=== TEST 10: the offset is that in the query
--- rules
        order_guard_strip price;
--- request
POST /order?sku=A&pri+ce=1
--- error_code: 400
--- response_body_like: "offset":6\}



=== TEST 11: without rules nothing is asked of a query
--- rules
        order_guard_idempotency optional;
--- request
POST /order?a[b=1&pri+ce=2&=
{}
--- more_headers
Content-Type: application/json
Authorization: Bearer t
--- response_body: POST /order?a[b=1&pri+ce=2&= {}



=== TEST 12: requests that are not guarded
--- rules
        order_guard_strip price;
        order_guard_reject status;
--- request eval
["GET /order?price=1&status=2&a[b=3", "OPTIONS /order?price=1&status=2"]
--- response_body_like eval
['^GET /order\?price=1&status=2&a\[b=3 $', '^OPTIONS /order\?price=1&status=2 $']



=== TEST 13: allowed fields, and no others
--- rules
        order_guard_allow sku;
--- request eval
["POST /order?sku=A&utm_source=b", "POST /order?SKU=A", "POST /order?sku=A"]
--- response_body_like eval
['^POST /order\?sku=A $', '^POST /order $', '^POST /order\?sku=A $']



=== TEST 14: what is stripped is no part of the fingerprint
--- rules
        order_guard_strip price;
        order_guard_idempotency required;
--- request eval
[map { "POST /order$_\n{}" } '?sku=A', '?sku=A&price=1', '?price=2&sku=A', '?sku=B', '', '?sku=A&b=1']
--- more_headers
Content-Type: application/json
Authorization: Bearer t
Idempotency-Key: k
--- error_code eval
[200, 200, 200, 422, 422, 422]
--- response_headers eval
['! Idempotent-Replayed', ('Idempotent-Replayed: true') x 2, ('! Idempotent-Replayed') x 3]



=== TEST 15: the same without a body, and of what is set
--- rules
        order_guard_set user_id $request_id;
        order_guard_idempotency required;
--- request eval
["DELETE /order?sku=A", "DELETE /order?sku=A&userId=1", "DELETE /order?sku=B"]
--- more_headers
Authorization: Bearer t
Idempotency-Key: k
--- error_code eval
[200, 200, 422]
--- response_body_like eval
['^DELETE /order\?sku=A&user_id=[0-9a-f]{32} $', '^DELETE /order\?sku=A&user_id=[0-9a-f]{32} $', 'KEY_REUSED']



=== TEST 16: an empty query is none
--- rules
        order_guard_strip price;
        order_guard_idempotency required;
--- request eval
["DELETE /order", "DELETE /order?", "DELETE /order?price=1"]
--- more_headers
Authorization: Bearer t
Idempotency-Key: k
--- response_headers eval
['! Idempotent-Replayed', ('Idempotent-Replayed: true') x 2]



=== TEST 17: a signed query that would have to change
--- rules
        order_guard_strip price;
--- request eval
[("POST /order?price=1") x 5, "POST /order?sku=1", "POST /order?price=1"]
--- more_headers eval
[map { "Signature-Input: sig1=$_" } '("@query")', '("@query-param";name="a")', '("@target-uri" "@method")',
    '("@request-target")', '("@QUERY")', '("@query")', '("@method" "@path" "content-digest")']
--- error_code eval
[(400) x 5, 200, 200]
--- response_body_like eval
[(qr/"code":"BODY_SIGNED"/) x 5, '^POST /order\?sku=1 $', '^POST /order $']



=== TEST 18: signatures in two lines
--- rules
        order_guard_strip price;
--- request
POST /order?price=1
--- more_headers
Signature-Input: a=("@method")
Signature-Input: b=("@query")
--- error_code: 400
--- response_body_like: "code":"BODY_SIGNED"



=== TEST 19: the connection is kept after a refusal
--- rules
        order_guard_reject price;
--- pipelined_requests eval
["DELETE /order?price=1", "DELETE /order?a[=1", "DELETE /order?sku=1"]
--- error_code eval
[422, 400, 200]
--- response_body_like eval
['FIELD_FORBIDDEN', 'BODY_MALFORMED', '^DELETE /order\?sku=1 $']



=== TEST 20: a query of a method that only a limit holds
--- rules
        order_guard_strip price;
        order_guard_limit 5r/m;
--- request
GET /order?price=1
--- response_body_like: ^GET /order\?price=1 $



=== TEST 21: GET where that is a guarded method
--- rules
        order_guard_methods GET;
        order_guard_strip price;
        order_guard_reject status;
--- request eval
["GET /order?price=1&sku=A", "GET /order?status=1", "POST /order?price=1&status=2"]
--- error_code eval
[200, 422, 200]
--- response_body_like eval
['^GET /order\?sku=A $', 'FIELD_FORBIDDEN', '^POST /order\?price=1&status=2 $']



=== TEST 22: the client's bytes in the access log
--- rules
        order_guard_strip price;
        access_log logs/access.log;
--- request
POST /order?price=1&sku=A
--- wait: 0.1
--- access_log
"POST /order?price=1&sku=A HTTP/1.1" 200



=== TEST 23: a question mark that is escaped in the path
--- config
    location ~ ^/order/(.*)$ {
        order_guard on;
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/$1$is_args$args;
    }

    location /at-all {
        order_guard on;
        proxy_pass http://upstream;
    }
--- request eval
["POST /order/a%3Fprice=1", "POST /order/a%3fprice=1?b=2", "DELETE /order/%253Fprice=1", "POST /order/a?b=%3Fprice=1",
    "GET /order/a%3Fprice=1", "POST /at-all%3Fprice=1"]
--- error_code eval
[400, 400, 200, 200, 200, 200]
--- response_body_like eval
[qr/"detail":"an escaped question mark in the path"/, 'BODY_MALFORMED', '^DELETE /%3Fprice=1 $', '^POST /a\?b=%3Fprice=1 $',
    '^GET /a\?price=1 $', '^POST /at-all%3Fprice=1 $']



=== TEST 24: a path of which try_files makes a query
--- config
    location /order {
        order_guard on;
        order_guard_strip price;
        root /nowhere;
        try_files $uri /index.php?q=$uri&$args;
    }

    location = /index.php {
        proxy_pass http://upstream;
    }
--- request eval
["POST /order%26price=1?a=1", "POST /order&price=1", "POST /order;price=1?a=1", "POST /order?a=1&price=2"]
--- error_code eval
[400, 400, 400, 200]
--- response_body_like eval
[qr/"code":"BODY_MALFORMED".*"detail":"a path that became a query"/, 'BODY_MALFORMED', 'BODY_MALFORMED', '^POST /index.php\?q=/order&a=1 $']



=== TEST 25: separators in a path that stays one
--- config
    location /order {
        order_guard on;
        order_guard_strip price;
        root /nowhere;
        try_files $uri @upstream;
    }

    location @upstream {
        proxy_pass http://upstream;
    }
--- request
POST /order&a;b=1?c=2&price=3
--- response_body_like: ^POST /order&a;b=1\?c=2 $



=== TEST 26: a path with separators, and a query that does not have it
--- config
    location /order {
        order_guard on;
        order_guard_strip price;
        root /nowhere;
        try_files $uri /in?v=1&$args;
    }

    location = /in {
        proxy_pass http://upstream;
    }
--- request eval
["POST /order;v=1?a=1", "POST /order&b?k=1&price=2"]
--- response_body_like eval
['^POST /in\?v=1&a=1 $', '^POST /in\?v=1&k=1 $']



=== TEST 27: control characters in the path
--- config
    location /order/ {
        order_guard on;
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1$uri$is_args$args;
    }
--- request eval
["POST /order/%20HTTP/1.0%0d%0aContent-Length:%200%0d%0a%0d%0a", "POST /order/a%09b", "POST /order/a%7f", "POST /order/a"]
--- error_code eval
[400, 400, 400, 200]
--- response_body_like eval
[(qr/"detail":"a control character in the path".*"code":"BODY_MALFORMED"/) x 3, '^POST /order/a $']



=== TEST 28: a fragment that a signature covers
--- rules
        order_guard_strip price;
--- request eval
["POST /order?a=1#x", "POST /order?a=1#x"]
--- more_headers eval
['Signature-Input: s=("@request-target")', 'Signature-Input: s=("@method")']
--- error_code eval
[400, 200]
--- response_body_like eval
['BODY_SIGNED', '^POST /order\?a=1 $']
