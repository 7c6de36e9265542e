# Forms (application/x-www-form-urlencoded) as bodies: lengths, logs,
# variables, keys.  t/bypass/form.txt has the tricks.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

use constant FORM => 'application/x-www-form-urlencoded';

add_block_preprocessor(sub {
    my ($block) = @_;

    # "rules" are the guard's directives; /order shows what the upstream got,
    # /orders answers each order with a number of its own
    my $rules = $block->rules // '';

    $block->set_value(http_config => <<'_CONF_');
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT timeout=1s;
_CONF_

    $block->set_value(config => <<"_CONF_" . ($block->config // ''));
    location = /order {
        order_guard on;
$rules
        add_header X-Stripped "[\$order_guard_stripped]" always;
        add_header X-Ref "[\$order_guard_body_ref]" always;
        add_header X-Code "[\$order_guard_error_code]" always;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /orders {
        order_guard on;
$rules
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/number;
    }

    location = /upstream {
        client_body_buffer_size 1m;
        add_header X-Length "\$content_length \$http_transfer_encoding.";
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

    my $type = 'Content-Type: ' . FORM;
    my $more = defined $block->keyed ? "\nAuthorization: Bearer t\nIdempotency-Key: k" : '';
    $block->set_value(more_headers => $type . $more)
        unless defined $block->more_headers || defined $block->raw_request;

    my $body = $block->body // return;
    chomp $body;
    $block->set_value(request => "POST /order\n$body");
});

run_tests();

__DATA__

=== TEST 1: what is stripped is in the variable and in the log, its value is not
--- rules
        order_guard_strip price status;
--- body
sku=A&price=987654&items[0][Price]=1&a.b.st%61tus=s3cret&x=2
--- response_body: sku=A&x=2
--- response_headers
X-Length: 9 .
X-Stripped: [/price,/items/0/Price,/a/b/status]
--- error_log
order guard stripped /price,/items/0/Price,/a/b/status
--- no_error_log
987654
s3cret



=== TEST 2: nothing to remove
--- rules
        order_guard_strip price;
--- body
sku=price&note=a+b%20c%%zz&prices=1&&x;y
--- more_headers
Content-Type: application/x-www-form-urlencoded
Digest: a
--- response_body: sku=price&note=a+b%20c%%zz&prices=1&&x;y
--- response_headers
X-Length: 40 .
X-Digest: [a]
X-Stripped: []
--- no_error_log
order guard stripped



=== TEST 3: digests go when the form changed
--- rules
        order_guard_strip price;
--- body
sku=A&price=1
--- more_headers
Content-Type: application/x-www-form-urlencoded; charset=utf-8
Digest: a
Content-Digest: b
--- response_body: sku=A
--- response_headers
X-Digest: []



=== TEST 4: nothing is left
--- rules
        order_guard_strip price status;
--- body
price=1&status=2
--- response_body:
--- response_headers
X-Length: 0 .
X-Stripped: [/price,/status]
--- no_error_log
[alert]



=== TEST 5: what is malformed, with its offset
--- rules
        order_guard_strip price;
--- request eval
[map { "POST /order\n$_" } 'sku=A&pri+ce=1', 'sku=A&a[b=1', 'price%0=1', 'a=1&_charset_=x']
--- error_code eval
[400, 400, 400, 400]
--- response_body_like eval
[map { qr/"code":"BODY_MALFORMED","origin":"gateway",.*"errors":\[\{"detail":"[^"]+","pointer":"","offset":$_\}\]\}$/ } 6, 6, 0, 4]
--- response_headers eval
[('X-Code: [BODY_MALFORMED]') x 4]



=== TEST 6: forms of any size in a temporary file and in memory
--- rules
        client_body_buffer_size 1k;
        order_guard_strip price;
--- request eval
"POST /order\nprice=1&a=" . ('x' x 100_000) . '&price=2&b=' . ('y' x 100_000)
--- response_body eval
'a=' . ('x' x 100_000) . '&b=' . ('y' x 100_000)



=== TEST 7: chunked
--- rules
        order_guard_strip price;
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: " . main::FORM
. "\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nsku=A&p\r\n9\r\nrice=1&b=\r\n1\r\n2\r\n0\r\n\r\n"
--- response_body: sku=A&b=2
--- response_headers
X-Length: 9 .



=== TEST 8: in pieces
--- rules
        order_guard_strip price;
--- raw_request eval
["POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: " . main::FORM
 . "\r\nContent-Length: 13\r\n\r\nsku=A&", "%70r", "ice"]
--- raw_request_middle_delay: 0.1
--- response_body: sku=A
--- response_headers
X-Stripped: [/price]



=== TEST 9: larger than the limit
--- rules
        order_guard_strip price;
        order_guard_body_limit 20;
--- request eval
["POST /order\nsku=A&note=" . 'x' x 9, "POST /order\nsku=A&note=" . 'x' x 10]
--- error_code eval
[200, 413]
--- response_headers eval
['X-Code: []', 'X-Code: [BODY_TOO_LARGE]']



=== TEST 10: without rules forms pass as they are
--- request eval
[map { "POST /order\n$_" } 'pri+ce=1&a[b=2&=3', '%', '_charset_=x']
--- response_body eval
['pri+ce=1&a[b=2&=3', '%', '_charset_=x']



=== TEST 11: another method with a form
--- rules
        order_guard_strip price;
--- request eval
["PUT /order\nprice=1&a=2", "GET /order\nprice=1&a=2", "CHECKOUT /order\nprice=1&a=2"]
--- more_headers
Content-Type: application/x-www-form-urlencoded
Content-Length: 11
--- response_body eval
['a=2', 'a=2', 'a=2']



=== TEST 12: a field as a variable
--- rules
        order_guard_strip price;
--- request eval
[map { "POST /order\n$_" } 'ref=r-1&sku=A', 'sku=A&r%65f=a%20b+c%2B', 'ref=&sku=A', 'ref', 'sku=A',
    'ref=1&ref=2', 'REF=1', 'order[ref]=1', 'ref=%zz', 'ref=%e0%b8%81', 'ref=%ff', 'ref=%0A']
--- response_headers eval
[map { "X-Ref: [$_]" } 'r-1', 'a b c+', '', '', '', '', '', '', '', "\xe0\xb8\x81", '', '']



=== TEST 13: a field that is stripped has no value
--- rules
        order_guard_strip ref;
--- body
ref=1&sku=A
--- response_headers
X-Ref: []



=== TEST 14: a retry is one order
--- rules
        order_guard_strip price;
        order_guard_idempotency required;
--- keyed
--- request eval
[map { "POST /orders\n$_" } 'sku=A&b=1', 'sku=A&b=1', 'sku=A&price=7&b=1', 'price=1&sku=A&b=1&PRICE=2']
--- response_headers eval
['! Idempotent-Replayed', ('Idempotent-Replayed: true') x 3]



=== TEST 15: anything else is another one
--- rules
        order_guard_strip price;
        order_guard_idempotency required;
--- keyed
--- request eval
[map { "POST /orders\n$_" } 'sku=A&b=1', 'sku=A&b=2', 'b=1&sku=A', 'sku=A&b=1&', 'sku=%41&b=1', 'sku=A;b=1']
--- error_code eval
[200, 422, 422, 422, 422, 422]
--- response_body_like eval
[qr/order/, (qr/"code":"IDEMPOTENCY_KEY_REUSED"/) x 5]



=== TEST 16: a form is not the JSON of the same bytes
--- rules
        order_guard_idempotency required;
--- keyed
--- request eval
["POST /orders\n1", "POST /orders\n1"]
--- more_headers eval
[map { "Authorization: Bearer t\nIdempotency-Key: k\nContent-Type: $_" } main::FORM, 'application/json']
--- error_code eval
[200, 422]



=== TEST 17: a field as key
--- rules
        order_guard_strip price;
        order_guard_idempotency required;
        order_guard_idempotency_key $order_guard_body_ref;
--- request eval
[map { "POST /orders\n$_" } 'ref=r1&sku=A', 'ref=r1&sku=A&price=1', 'ref=r2&sku=A', 'ref=r1&sku=B',
    'sku=A', 'ref=r1&ref=r2&sku=A']
--- more_headers
Content-Type: application/x-www-form-urlencoded
Authorization: Bearer t
--- error_code eval
[200, 200, 200, 422, 400, 400]
--- response_headers eval
['! Idempotent-Replayed', 'Idempotent-Replayed: true', ('! Idempotent-Replayed') x 4]
--- response_body_like eval
[(qr/order/) x 3, qr/KEY_REUSED/, (qr/IDEMPOTENCY_KEY_REQUIRED/) x 2]



=== TEST 18: $request_body and $content_length have what is left
--- rules
        order_guard_strip price;
        add_header X-Content "[$content_length $request_body]";
        proxy_set_body "[$request_body]";
--- body
sku=A&price=1
--- response_body: [sku=A]
--- response_headers
X-Content: [5 sku=A]



=== TEST 19: the connection is kept after a refusal
--- rules
        order_guard_strip price;
        order_guard_reject status;
--- pipelined_requests eval
["POST /order\nstatus=1", "POST /order\na+b=1", "POST /order\nsku=A&price=1"]
--- error_code eval
[422, 400, 200]
--- response_body_like eval
[qr/FIELD_FORBIDDEN/, qr/BODY_MALFORMED/, qr/^sku=A$/]
