# order_guard_reject and order_guard_unlisted: a request with a field that a
# client must not set is refused, with a JSON Pointer for each, and reaches
# nobody.  t/bypass has the tricks.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

add_block_preprocessor(sub {
    my ($block) = @_;

    # "rules" are the guard's directives; /order shows what the upstream got
    my $rules = $block->rules;

    if (defined $rules) {
        $block->set_value(http_config => <<'_CONF_' . ($block->http // ''));
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT timeout=1s;
_CONF_

        $block->set_value(config => <<"_CONF_");
    location = /order {
        order_guard on;
$rules
        add_header X-Code "\$order_guard_error_code." always;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }
_CONF_
    }

    $block->set_value(config => $block->config . <<'_CONF_');
    location = /upstream {
        order_guard off;
        client_max_body_size 10m;
        echo_read_request_body;
        echo_request_body;
    }
_CONF_

    $block->set_value(more_headers => 'Content-Type: application/json')
        unless defined $block->more_headers || defined $block->raw_request;

    my $body = $block->body // return;
    chomp $body;
    $block->set_value(request => "POST /order\n$body");
});

run_tests();

__DATA__

=== TEST 1: the problem
--- rules
        order_guard_reject price;
--- body
{"sku":"A","price":987654}
--- error_code: 422
--- response_headers
Content-Type: application/problem+json
Cache-Control: no-store
X-Code: FIELD_FORBIDDEN.
--- response_body_like: ^\{"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"[^"]+","code":"FIELD_FORBIDDEN","origin":"gateway","retryable":false,"trace_id":"[0-9a-f]{32}","errors":\[\{"detail":"[^"]+","pointer":"/price"\}\]\}$
--- raw_response_headers_like: ^HTTP/1.1 422 Unprocessable Content



=== TEST 2: one error for each place, in the order of the body
--- rules
        order_guard_reject price /status;
--- body
{"items":[{"price":1},{"sku":"A"},{"a/b":{"PRICE":2}}],"status":"paid","x":{"status":"ok"}}
--- error_code: 422
--- response_body_like: "errors":\[\{"detail":"[^"]+","pointer":"/items/0/price"\},\{"detail":"[^"]+","pointer":"/items/2/a~1b/PRICE"\},\{"detail":"[^"]+","pointer":"/status"\}\]\}$



=== TEST 3: the pointers are in the log, the values are not
--- rules
        order_guard_reject price status;
--- body
{"items":[{"price":987654}],"a~b/c":{"status":"s3cret"}}
--- error_code: 422
--- error_log eval
[qr{\[info\].*order guard rejected /items/0/price,/a~0b~1c/status}]
--- no_error_log
987654
s3cret



=== TEST 4: nothing of the kind passes as it is
--- rules
        order_guard_reject price;
--- body
{ "sku" : "price", "prices":[1] , "n":1e400}
--- response_body: { "sku" : "price", "prices":[1] , "n":1e400}
--- no_error_log
order guard rejected



=== TEST 5: several lines of one level add up
--- rules
        order_guard_reject price status;
        order_guard_reject paid;
--- request eval
[map { qq{POST /order\n{"$_":1}} } qw(price status paid sku)]
--- error_code eval
[422, 422, 422, 200]



=== TEST 6: rules of an outer level are inherited, and replaced as a whole
--- config
    order_guard on;
    order_guard_reject price status;

    location /inherits {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;

        location /inherits/nested {
            order_guard_strip sku;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
        }
    }

    location = /replaces {
        order_guard_reject paid;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }
--- request eval
[map { my $path = $_;
       map { qq{POST $path\n{"$_":1,"sku":2}} } qw(price status paid) }
    '/inherits', '/inherits/nested', '/replaces']
--- error_code eval
[422, 422, 200, 422, 422, 200, 200, 200, 422]



=== TEST 7: strip, reject, allow and match are inherited one by one
--- http_config
    order_guard_strip note;
    order_guard_reject price;
    order_guard_match exact;
--- config
    order_guard on;

    location = /match {
        order_guard_match loose;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /allow {
        order_guard_allow sku;
        order_guard_unlisted reject;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /strip {
        order_guard_strip memo;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }
--- request eval
[qq{POST /match\n{"Note":1,"sku":2}}, qq{POST /match\n{"Price":1}},
 qq{POST /allow\n{"note":1,"sku":2}}, qq{POST /allow\n{"Note":1,"sku":2}},
 qq{POST /allow\n{"price":1,"sku":2}},
 qq{POST /strip\n{"note":1,"memo":2,"Price":3}}, qq{POST /strip\n{"price":1}}]
--- error_code eval
[200, 422, 200, 422, 422, 200, 422]
--- response_body_like eval
[qr/^\{"sku":2\}$/, qr/"pointer":"\/Price"/, qr/^\{"sku":2\}$/,
 qr/"pointer":"\/Note"/, qr/"pointer":"\/price"/,
 qr/^\{"note":1,"Price":3\}$/, qr/"pointer":"\/price"/]



=== TEST 8: unlisted fields are refused
--- rules
        order_guard_allow sku /items/*/sku;
        order_guard_unlisted reject;
--- request eval
[map { "POST /order\n$_" }
    '{"sku":1,"items":[{"sku":2},{}]}', '{"sku":1,"cost":2}',
    '{"items":[{"sku":2,"cost":1},{"tax":{"a":1}}]}', '{"sku":{"a":1}}', '{}']
--- error_code eval
[200, 422, 422, 422, 200]
--- response_body_like eval
[qr/^\{"sku":1,"items":\[\{"sku":2\},\{\}\]\}$/, qr/\[\{"detail":"[^"]+","pointer":"\/cost"\}\]/,
 qr/\[\{"detail":"[^"]+","pointer":"\/items\/0\/cost"\},\{"detail":"[^"]+","pointer":"\/items\/1\/tax"\}\]/,
 qr/"pointer":"\/sku\/a"/, qr/^\{\}$/]



=== TEST 9: order_guard_unlisted is inherited by itself
--- config
    order_guard on;
    order_guard_unlisted reject;
    order_guard_allow sku;

    location = /inherits {
        order_guard_allow code;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /replaces {
        order_guard_unlisted strip;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }
--- request eval
[qq{POST /inherits\n{"code":1,"sku":2}}, qq{POST /replaces\n{"code":1,"sku":2}}]
--- error_code eval
[422, 200]
--- response_body_like eval
[qr/"pointer":"\/sku"/, qr/^\{"sku":2\}$/]



=== TEST 10: it says nothing without order_guard_allow
--- rules
        order_guard_unlisted reject;
        order_guard_strip price;
--- body
{"a":{"b":1},"price":2}
--- response_body: {"a":{"b":1}}



=== TEST 11: names with odd characters in pointers
--- rules
        order_guard_allow sku;
        order_guard_unlisted reject;
--- body
{"a,b\"%\\":1,"ราคา":2,"\n":3,"":4}
--- error_code: 422
--- response_body_like: "errors":\[\{"detail":"[^"]+","pointer":"/a%2Cb%22%25%5C"\},\{"detail":"[^"]+","pointer":"/%E0%B8%A3%E0%B8%B2%E0%B8%84%E0%B8%B2"\},\{"detail":"[^"]+","pointer":"/%0A"\},\{"detail":"[^"]+","pointer":"/"\}\]



=== TEST 12: more places than the problem has room for
--- rules
        order_guard_reject price;
--- request eval
"POST /order\n[" . CORE::join(',', ('{"price":1}') x 2000) . ']'
--- error_code: 422
--- response_body_like: ^\{[^\[\]]*"errors":\[(?:\{"detail":"[^"]+","pointer":"/\d+/price"\},?){64}\]\}$



=== TEST 13: the connection is kept, and the next request is the next one
--- rules
        order_guard_reject price;
--- pipelined_requests eval
["POST /order\n{\"price\":1}", "POST /order\n{\"sku\":1}",
 "POST /order\n{\"price\":2}", "POST /order\n{\"sku\":2}"]
--- more_headers
Content-Type: application/json
--- error_code eval
[422, 200, 422, 200]
--- response_body_like eval
[qr/FIELD_FORBIDDEN/, qr/^\{"sku":1\}$/, qr/FIELD_FORBIDDEN/, qr/^\{"sku":2\}$/]



=== TEST 14: a refused request claims no key and costs no unit
--- rules
        order_guard_reject price;
        order_guard_idempotency required;
        order_guard_limit 2r/h;     # for two repetitions
--- request eval
[map { "POST /order\n$_" } ('{"sku":1,"price":1}') x 3, ('{"sku":1}') x 2]
--- more_headers
Content-Type: application/json
Authorization: Bearer t
Idempotency-Key: k
--- error_code eval
[422, 422, 422, 200, 200]
--- response_headers eval
[('! Idempotent-Replayed') x 4, 'Idempotent-Replayed: true']



=== TEST 15: what an error says of the key
--- rules
        order_guard_reject price;
        order_guard_idempotency required;
--- body
{"price":1}
--- more_headers
Content-Type: application/json
Authorization: Bearer t
Idempotency-Key: k
--- error_code: 422
--- response_body_like: "retryable":false,"safe_new_key":true



=== TEST 16: bodies wherever nginx puts them
--- rules
        order_guard_reject price;
        client_body_in_file_only clean;
--- body
{"sku":1,"price":2}
--- error_code: 422



=== TEST 17: a chunked body
--- rules
        order_guard_reject price;
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
. "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"pr\\u0\r\n9\r\n069ce\":1}\r\n0\r\n\r\n"
--- error_code: 422
--- response_body_like: "pointer":"/price"



=== TEST 18: fields of the body are stripped only where none is refused
--- rules
        order_guard_reject price;
        order_guard_strip note;
        add_header X-Stripped "[$order_guard_stripped]" always;
--- request eval
[qq{POST /order\n{"note":1,"price":2}}, qq{POST /order\n{"note":1,"sku":2}}]
--- error_code eval
[422, 200]
--- response_body_like eval
[qr/"errors":\[\{"detail":"[^"]+","pointer":"\/price"\}\]/, qr/^\{"sku":2\}$/]



=== TEST 19: forms, patches and queries have errors of the same shape
--- rules
        order_guard_reject price;
--- request eval
["POST /order\nsku=A&a[price]=1&%70rice=2",
 qq{PATCH /order\n[{"op":"add","path":"/a/price","value":1}]},
 "DELETE /order?sku=A&a.price=1"]
--- more_headers eval
['Content-Type: application/x-www-form-urlencoded',
 'Content-Type: application/json-patch+json', '']
--- error_code eval
[422, 422, 422]
--- response_body_like eval
[qr/"errors":\[\{"detail":"[^"]+","pointer":"\/a\/price"\},\{"detail":"[^"]+","pointer":"\/price"\}\]\}$/,
 (qr/"errors":\[\{"detail":"[^"]+","pointer":"\/a\/price"\}\]\}$/) x 2]



=== TEST 20: without order_guard on nothing is refused
--- config
    location = /order {
        order_guard_reject price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }
--- body
{"price":1}
--- response_body: {"price":1}



=== TEST 21: errors in nginx's own shape
--- rules
        order_guard_reject price;
        order_guard_errors off;
--- body
{"price":1}
--- error_code: 422
--- response_body_unlike: FIELD_FORBIDDEN
