# JSON Patch (RFC 6902): lengths, logs, keys, types.  t/bypass/patch.txt has
# the tricks.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

add_block_preprocessor(sub {
    my ($block) = @_;

    # "rules" are the guard's directives; /order shows what the upstream got,
    # /orders answers each order with a number of its own
    my $rules = $block->rules // '';

    $block->set_value(http_config => <<'_CONF_');
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT timeout=1s;
_CONF_

    $block->set_value(config => <<"_CONF_");
    location = /order {
        order_guard on;
$rules
        add_header X-Stripped "[\$order_guard_stripped]" always;
        add_header X-Ref "[\$order_guard_body_ref]" always;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /orders {
        order_guard on;
$rules
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/number;
    }

    location = /upstream {
        add_header X-Length \$content_length;
        add_header X-Digest "[\$http_digest\$http_content_digest]";
        echo_read_request_body;
        echo_request_body;
    }

    location = /number {
        default_type application/json;
        echo_read_request_body;
        echo "{\\"order\\":\\"\$request_id\\"}";
    }
_CONF_

    $block->set_value(more_headers => 'Content-Type: application/json-patch+json')
        unless defined $block->more_headers;

    my $body = $block->body // return;
    chomp $body;
    $block->set_value(request => "PATCH /order\n$body");
});

run_tests();

__DATA__

=== TEST 1: what is stripped is in the variable and in the log, its value is not
--- rules
        order_guard_strip price status;
--- body
[{"op":"add","path":"/sku","value":"A"},{"op":"add","path":"/items/0/Price","value":987654},{"op":"add","path":"/a","value":{"status":"s3cret","b":1}}]
--- response_body: [{"op":"add","path":"/sku","value":"A"},{"op":"add","path":"/a","value":{"b":1}}]
--- response_headers
X-Length: 81
X-Stripped: [/items/0/Price,/a/status]
--- error_log
order guard stripped /items/0/Price,/a/status
--- no_error_log
987654
s3cret



=== TEST 2: nothing to remove
--- rules
        order_guard_strip price;
--- body
[ {"op" : "add","path":"/sku" , "value":-1.50E+400}, {"op":"test","path":"\/a~1b","value":{"prices":[]}} ]
--- more_headers
Content-Type: application/json-patch+json
Digest: a
--- response_body: [ {"op" : "add","path":"/sku" , "value":-1.50E+400}, {"op":"test","path":"\/a~1b","value":{"prices":[]}} ]
--- response_headers
X-Digest: [a]
X-Stripped: []



=== TEST 3: digests go when the patch changed
--- rules
        order_guard_strip price;
--- body
[{"op":"remove","path":"/price"}]
--- more_headers
Content-Type: application/json-patch+json; charset=utf-8
Digest: a
Content-Digest: b
--- response_body: []
--- response_headers
X-Digest: []
X-Length: 2



=== TEST 4: rejected, with the targets as pointers
--- rules
        order_guard_reject price;
--- body
[{"op":"add","path":"/a~1b/price","value":1},{"op":"add","path":"/order","value":{"items":[{"PRICE":1}]}},{"op":"move","from":"/price","path":"/x"}]
--- error_code: 422
--- response_body_like: "errors":\[\{"detail":"[^"]+","pointer":"/a~1b/price"\},\{"detail":"[^"]+","pointer":"/order/items/0/PRICE"\},\{"detail":"[^"]+","pointer":"/(?:price|x)"\}.*\]\}$
--- error_log
order guard rejected /a~1b/price,/order/items/0/PRICE,/



=== TEST 5: what is malformed, with its place
--- rules
        order_guard_strip price;
--- request eval
[map { "PATCH /order\n$_" } '{}', '[1]', '[{"op":"add","path":"/a","value":1},{"op":"put","path":"/b"}]', '[{"op":"add","path":"a","value":1}]',
    '[{"op":"add","path":"/a","value":}]']
--- error_code eval
[(400) x 5]
--- response_body_like eval
[map { qr/"code":"BODY_MALFORMED","origin":"gateway",.*"errors":\[\{"detail":"[^"]+","pointer":"$_","offset":\d+\}\]\}$/ }
    '', '/0', '/1(?:/op)?', '/0/path', '/0/value']



=== TEST 6: a patch that says it is JSON
--- rules
        order_guard_strip price;
--- request eval
[map { "PATCH /order\n$_" } '[{"op":"add","path":"/price","value":1}]', '[{"op":"add","path":"/sku","value":1}]',
    '[{"op":"add","path":"/sku","value":1,"price":2}]', '[{"op":1,"path":"/price","price":1}]']
--- more_headers
Content-Type: application/json
--- error_code eval
[200, 200, 400, 200]
--- response_body_like eval
['^\[\]$', '^\[\{"op":"add","path":"/sku","value":1\}\]$', 'BODY_MALFORMED', '^\[\{"op":1,"path":"/price"\}\]$']



=== TEST 7: without rules a patch is strict JSON or not
--- request eval
[map { "PATCH /order\n$_" } '[{"op":"put","path":"price"}]', '{"a":1}', '[{"op":"add"},]', '[{"a":1,"a":2}]']
--- more_headers
Content-Type: application/json
--- error_code eval
[200, 200, 400, 400]
--- response_body_like eval
['^\[\{"op":"put","path":"price"\}\]$', '^\{"a":1\}$', ('BODY_MALFORMED') x 2]



=== TEST 8: white space and what is stripped are no part of the fingerprint
--- rules
        order_guard_strip price;
        order_guard_idempotency required;
--- request eval
[map { "PATCH /orders\n$_" } '[{"op":"add","path":"/sku","value":1}]', '[ {"op" : "add","path":"/sku", "value":1} ]',
    '[{"op":"add","path":"/sku","value":1},{"op":"add","path":"/price","value":2}]', '[{"op":"add","path":"/sku","value":2}]']
--- more_headers
Content-Type: application/json-patch+json
Authorization: Bearer t
Idempotency-Key: k
--- error_code eval
[200, 200, 200, 422]
--- response_headers eval
['! Idempotent-Replayed', ('Idempotent-Replayed: true') x 2, '! Idempotent-Replayed']



=== TEST 9: no member of a patch is a variable
--- rules
        order_guard_strip price;
--- body
[{"op":"add","path":"/ref","value":"r-1"}]
--- response_headers
X-Ref: []



=== TEST 10: a signed patch that would have to change
--- rules
        order_guard_strip price;
--- body
[{"op":"remove","path":"/price"}]
--- more_headers
Content-Type: application/json-patch+json
Signature-Input: sig1=("content-digest")
--- error_code: 400
--- response_body_like: "code":"BODY_SIGNED"



=== TEST 11: the connection is kept after a refusal
--- rules
        order_guard_reject price;
--- pipelined_requests eval
['PATCH /order' . "\n" . '[{"op":"remove","path":"/price"}]', "PATCH /order\n{}", "PATCH /order\n[]"]
--- error_code eval
[422, 400, 200]
--- response_body_like eval
['FIELD_FORBIDDEN', 'BODY_MALFORMED', '^\[\]$']
