# multipart/form-data: lengths, logs, variables, keys.  t/bypass/multipart.txt
# has the tricks.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

# part('name', 'content', 'further header line', ...)
sub part {
    my ($name, $content, @headers) = @_;

    my $lines = CORE::join '', map { "$_\r\n" }
        qq{Content-Disposition: form-data; name="$name"}, @headers;

    return "$lines\r\n$content\r\n";
}

# form('boundary', @parts): the last line has no end, as harnesses trim it
sub form {
    my ($boundary, @parts) = @_;

    return CORE::join('', map { "--$boundary\r\n$_" } @parts) . "--$boundary--";
}

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

    # "forms" is a list of bodies, with the boundary b unless "boundaries" has
    # others
    my @forms = eval($block->forms // return);
    die $@ if $@;

    my @boundaries = eval($block->boundaries // '');
    my $to = defined $block->keyed ? '/orders' : '/order';
    my $more = defined $block->keyed
        ? "Authorization: Bearer t\nIdempotency-Key: k\n" : '';
    $more .= $block->headers // '';

    $block->set_value(request => [map { "POST $to\n$_" } @forms]);
    $block->set_value(more_headers => [
        map { $more . 'Content-Type: multipart/form-data; boundary='
              . ($boundaries[$_] // 'b') } 0 .. $#forms]);
});

run_tests();

__DATA__

=== TEST 1: what is stripped is in the variable and in the log, its value is not
--- rules
        order_guard_strip price status;
--- forms
form('b', part('sku', 'A'), part('price', '987654'), part('items[0][Status]', 's3cret'), part('x', 1))
--- response_body eval
main::form('b', main::part('sku', 'A'), main::part('x', 1))
--- response_headers
X-Stripped: [/price,/items/0/Status]
--- error_log
order guard stripped /price,/items/0/Status
--- no_error_log
987654
s3cret



=== TEST 2: nothing to remove
--- rules
        order_guard_strip price;
--- forms
form('b', part('sku', "price\r\n\r\n-- b"), part('photo', "\x00\xff", 'Content-Type: text/plain'))
--- headers
Digest: a
--- response_body eval
main::form('b', main::part('sku', "price\r\n\r\n-- b"), main::part('photo', "\x00\xff", 'Content-Type: text/plain'))
--- response_headers
X-Digest: [a]
X-Stripped: []



=== TEST 3: digests go, and the length is right
--- rules
        order_guard_strip price;
--- forms
form('b', part('sku', 'A'), part('price', 1))
--- headers
Digest: a
Content-Digest: b
--- response_body eval
main::form('b', main::part('sku', 'A'))
--- response_headers eval
"X-Digest: []\nX-Length: " . length(main::form('b', main::part('sku', 'A'))) . ' .'



=== TEST 4: JSON in a part
--- rules
        order_guard_strip price;
--- forms
form('b', part('order', '{ "sku" : "A", "pr\u0069ce":{"a":[1]}, "n" : 1e400}', 'Content-Type: application/json'), part('sku', 'B'))
--- response_body eval
main::form('b', main::part('order', '{ "sku" : "A", "n" : 1e400}', 'Content-Type: application/json'), main::part('sku', 'B'))
--- response_headers
X-Stripped: [/order/price]



=== TEST 5: a length of a part whose JSON changes goes
--- rules
        order_guard_strip price;
--- forms
form('b', part('order', '{"price":1}', 'Content-Type: application/json', 'Content-Length: 11'))
--- response_body eval
main::form('b', main::part('order', '{}', 'Content-Type: application/json'))



=== TEST 6: rejected, with pointers
--- rules
        order_guard_reject price;
--- forms
form('b', part('sku', 'A'), part('a.price', 1), part('order', '{"items":[{"price":2}]}', 'Content-Type: application/json'))
--- error_code: 422
--- response_body_like: "errors":\[\{"detail":"[^"]+","pointer":"/a/price"\},\{"detail":"[^"]+","pointer":"/order/items/0/price"\}\]\}$
--- error_log
order guard rejected /a/price,/order/items/0/price



=== TEST 7: what is malformed, with its offset
--- rules
        order_guard_strip price;
--- forms
('x', form('b', part('a b', 1)), form('b', part('a', 1)) . 'x', form('b', part('order', '{"a":}', 'Content-Type: application/json')))
--- error_code eval
[400, 400, 400, 400]
--- response_body_like eval
[map { qr/"code":"BODY_MALFORMED","origin":"gateway",.*"errors":\[\{"detail":"[^"]+",$_\}\]\}$/ }
    '"pointer":"","offset":0', '"pointer":"/a%20b","offset":43', '"pointer":"","offset":57', '"pointer":"/order/a","offset":90']



=== TEST 8: parts that are not understood
--- rules
        order_guard_strip price;
--- forms
map { form('b', part('a', 'x', "Content-Type: $_")) } 'application/xml', 'multipart/mixed; boundary=c', 'application/x-www-form-urlencoded', 'image/png'
--- error_code eval
[415, 415, 415, 415]
--- response_body_like eval
[(qr/"code":"MEDIA_TYPE_UNSUPPORTED","origin":"gateway"/) x 4]



=== TEST 9: files of any size, in a temporary file and in memory
--- rules
        client_body_buffer_size 1k;
        order_guard_strip price;
--- forms
form('b', part('price', 'x' x 50_000), qq{Content-Disposition: form-data; name="slip"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n} . "\xff\x00\n-" x 40_000 . "\r\n")
--- response_body eval
main::form('b', qq{Content-Disposition: form-data; name="slip"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n} . "\xff\x00\n-" x 40_000 . "\r\n")



=== TEST 10: chunked
--- rules
        order_guard_strip price;
--- raw_request eval
my $form = main::form('b', main::part('sku', 'A'), main::part('price', 1));
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\n"
. "Transfer-Encoding: chunked\r\n\r\n"
. CORE::join('', map { sprintf "%x\r\n%s\r\n", length, $_ } unpack '(a7)*', $form) . "0\r\n\r\n"
--- response_body eval
main::form('b', main::part('sku', 'A'))



=== TEST 11: larger than the limit
--- rules
        order_guard_strip price;
        order_guard_body_limit 200;
--- forms
map { form('b', part('sku', 'x' x $_)) } 100, 200
--- error_code eval
[200, 413]



=== TEST 12: without rules any form passes
--- forms
('x', form('b', part('a b', 1)))
--- response_body eval
['x', main::form('b', main::part('a b', 1))]



=== TEST 13: a text part as a variable
--- rules
        order_guard_strip price;
--- forms
(form('b', part('sku', 1), part('ref', 'r-1')),
 form('b', part('ref', 'a b', 'Content-Type: text/plain')),
 form('b', part('ref', '')), form('b', part('REF', 'x')),
 form('b', part('ref', 1), part('ref', 2)),
 form('b', part('ref"; filename="a', 'x', 'Content-Type: image/png')),
 form('b', part('ref', "\xe0\xb8\x81")), form('b', part('ref', "\xff")), form('b', part('ref', "a\nb")))
--- response_headers eval
[map { "X-Ref: [$_]" } 'r-1', 'a b', '', '', '', '', "\xe0\xb8\x81", '', '']



=== TEST 14: a retry with another boundary is one order
--- rules
        order_guard_strip price;
        order_guard_idempotency required;
--- keyed
--- boundaries: ('b', 'b', '----WebKitFormBoundary7MA4YWxkTrZu0gW', 'c', '"c"')
--- forms
(form('b', part('sku', 'A'), part('b', 1)), form('b', part('sku', 'A'), part('b', 1)),
 form('----WebKitFormBoundary7MA4YWxkTrZu0gW', part('sku', 'A'), part('b', 1)),
 form('c', part('price', 3), part('sku', 'A'), part('PRICE', 4), part('b', 1)), form('c', part('sku', 'A'), part('b', 1)))
--- response_headers eval
['! Idempotent-Replayed', ('Idempotent-Replayed: true') x 4]



=== TEST 15: anything else is another one
--- rules
        order_guard_strip price;
        order_guard_idempotency required;
--- keyed
--- forms
(form('b', part('sku', 'A'), part('b', 1)), form('b', part('sku', 'A'), part('b', 2)),
 form('b', part('b', 1), part('sku', 'A')), form('b', part('sku', 'A')),
 form('b', part('sku', 'A', 'Content-Type: text/plain'), part('b', 1)),
 form('b', part('sku', "A\r\n"), part('b', 1)), form('b', part('sku', 'A'), part('b', 1), part('c', '')))
--- error_code eval
[200, (422) x 6]
--- response_body_like eval
[qr/order/, (qr/"code":"IDEMPOTENCY_KEY_REUSED"/) x 6]



=== TEST 16: JSON in a part: what is stripped does not count
--- rules
        order_guard_strip price;
        order_guard_idempotency required;
--- keyed
--- forms
map { form('b', part('order', $_, 'Content-Type: application/json')) } '{"sku":1}', '{"sku":1,"price":2}', '{"price":[3],"sku":1}', '{"sku":2}'
--- error_code eval
[200, 200, 200, 422]
--- response_headers eval
['! Idempotent-Replayed', ('Idempotent-Replayed: true') x 2, '! Idempotent-Replayed']



=== TEST 17: a part as key
--- rules
        order_guard_idempotency required;
        order_guard_idempotency_key $order_guard_body_ref;
--- keyed
--- forms
(form('b', part('ref', 'r1'), part('a', 1)), form('b', part('ref', 'r1'), part('a', 1)), form('b', part('ref', 'r2'), part('a', 1)), form('b', part('a', 1)))
--- error_code eval
[200, 200, 200, 400]
--- response_headers eval
['! Idempotent-Replayed', 'Idempotent-Replayed: true', ('! Idempotent-Replayed') x 2]



=== TEST 18: the connection is kept after a refusal
--- rules
        order_guard_reject price;
--- pipelined_requests eval
["POST /order\n" . main::form('b', main::part('price', 1)), "POST /order\nx",
 "POST /order\n" . main::form('b', main::part('sku', 1))]
--- more_headers
Content-Type: multipart/form-data; boundary=b
--- error_code eval
[422, 400, 200]
--- response_body_like eval
[qr/FIELD_FORBIDDEN/, qr/BODY_MALFORMED/, qr/name="sku"/]
