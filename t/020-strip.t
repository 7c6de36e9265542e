# order_guard_strip: what is removed, and that nothing else is touched.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

add_block_preprocessor(sub {
    my ($block) = @_;

    # "rules" are the guard's directives; /order shows what the upstream got
    my $rules = $block->rules // return;

    $block->set_value(config => <<"_CONF_");
    location = /order {
        order_guard on;
$rules
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        client_max_body_size 10m;
        add_header X-Length \$content_length;
        add_header X-Digest "\$http_digest\$http_content_digest\$http_content_md5\$http_repr_digest";
        echo_read_request_body;
        echo_request_body;
    }
_CONF_

    my $body = $block->body // return;
    chomp $body;
    $block->set_value(request => "POST /order\n$body");
});

run_tests();

__DATA__

=== TEST 1: a member at the root
--- rules
        order_guard_strip price;
--- body
{"sku": "A", "price": 1, "quantity": 2}
--- more_headers
Content-Type: application/json
--- response_body: {"sku": "A", "quantity": 2}
--- response_headers
X-Length: 27



=== TEST 2: a bare name matches at any depth, also in arrays of arrays
--- rules
        order_guard_strip price;
--- body
{"items":[[{"price":1,"sku":"A"}],{"x":{"y":{"price":{"a":[1,2]}}}}],"price":[1]}
--- more_headers
Content-Type: application/json
--- response_body: {"items":[[{"sku":"A"}],{"x":{"y":{}}}]}



=== TEST 3: first, last, only and all members leave strict JSON
--- rules
        order_guard_strip a b;
--- body
[{"a":1,"x":2},{"x":2,"a":1},{"a":1},{"a":1,"b":2},{"a":1,"x":2,"b":3}, { "x" : 1 , "a" : 2 , "y" : 3 } ]
--- more_headers
Content-Type: application/json
--- response_body_like: ^\[\{"x":2\},\{"x":2\},\{\},\{\},\{"x":2\}, \{ "x" : 1 ,? *,? *"y" : 3 \} \]$



=== TEST 4: a JSON Pointer with * removes only there
--- rules
        order_guard_strip /items/*/price /status;
--- body
{"price":1,"status":"paid","items":[{"price":2,"sku":"A","status":"new"},{"price":3}]}
--- more_headers
Content-Type: application/json
--- response_body: {"price":1,"items":[{"sku":"A","status":"new"},{}]}



=== TEST 5: ~0 and ~1 in a pointer
--- rules
        order_guard_strip /a~1b/c~0d;
--- body
{"a/b":{"c~d":1,"c":2},"a":{"b":3}}
--- more_headers
Content-Type: application/json
--- response_body: {"a/b":{"c":2},"a":{"b":3}}



=== TEST 6: loose: case, separators, escapes, long s and Kelvin sign are one name
--- rules
        order_guard_strip user_id status kind;
--- body
{"userId":1,"USER-ID":2,"user_id":3,"U\u0073er_i\u0064":4,"\u017ftatus":5,"\u212aind":6,"UserID":7,"userid2":8}
--- more_headers
Content-Type: application/json
--- response_body: {"userid2":8}



=== TEST 7: exact compares letter by letter, after unescaping
--- rules
        order_guard_match exact;
        order_guard_strip user_id;
--- body
{"userId":1,"user_id":2,"user\u005fid2":3,"user\u005fId":4}
--- more_headers
Content-Type: application/json
--- response_body: {"userId":1,"user\u005fid2":3,"user\u005fId":4}



=== TEST 8: numbers of any length, white space, order and escapes arrive as they were
--- rules
        order_guard_strip price;
--- body
{ "id" : 12345678901234567890123, "t":19.99,"u":1.10, "e":1E400,"z":-0.0,"s":"a\/b\u00e9","price":0,  "ð":"\ud83d\ude00" }
--- more_headers
Content-Type: application/json
--- response_body_like: ^\{ "id" : 12345678901234567890123, "t":19\.99,"u":1\.10, "e":1E400,"z":-0\.0,"s":"a\\/b\\u00e9", ? ?"ð":"\\ud83d\\ude00" \}$



=== TEST 9: a body with nothing to remove is passed on as it is
--- rules
        order_guard_strip price;
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
. "Content-Length: 23\r\n\r\n \t{ \"a\" : [ 1 , 2 ] }\r\n"
--- response_body eval
" \t{ \"a\" : [ 1 , 2 ] }\r\n"



=== TEST 10: digests go when the body changed
--- rules
        order_guard_strip price;
--- body
{"price":1}
--- more_headers
Content-Type: application/json
Digest: a
Content-Digest: b
Content-MD5: c
Repr-Digest: d
--- response_body: {}
--- response_headers
X-Digest:



=== TEST 11: digests stay when it did not
--- rules
        order_guard_strip price;
--- body
{"sku":1}
--- more_headers
Content-Type: application/json
Digest: a
Content-Digest: b
Content-MD5: c
Repr-Digest: d
--- response_body: {"sku":1}
--- response_headers
X-Digest: abcd



=== TEST 12: a signed body that would have to change is refused
--- rules
        order_guard_strip price;
--- body
{"price":1}
--- more_headers
Content-Type: application/json
Signature-Input: sig1=("@method" "content-digest");created=1
--- error_code: 400
--- response_body_like: "code":"BODY_SIGNED"



=== TEST 13: a body in a temporary file
--- rules
        client_body_in_file_only on;
        order_guard_strip price;
--- body
{"sku":1,"price":2}
--- more_headers
Content-Type: application/json
--- response_body: {"sku":1}



=== TEST 14: a body in a temporary file with nothing to remove
--- rules
        client_body_in_file_only on;
        order_guard_strip price;
--- body
{"sku":1}
--- more_headers
Content-Type: application/json
--- response_body: {"sku":1}



=== TEST 15: a body larger than the buffer, in a file and in memory
--- rules
        client_body_buffer_size 1k;
        order_guard_strip price;
--- request eval
"POST /order\n{\"price\":1,\"a\":\"" . ('x' x 100_000) . "\",\"b\":[{\"price\":2}]}"
--- more_headers
Content-Type: application/json
--- response_body eval
"{\"a\":\"" . ('x' x 100_000) . "\",\"b\":[{}]}"



=== TEST 16: a chunked body
--- rules
        order_guard_strip price;
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
. "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
. "7\r\n{\"a\":1,\r\n5\r\n\"pric\r\n5\r\ne\":2}\r\n0\r\n\r\n"
--- response_body: {"a":1}
--- response_headers
X-Length: 7



=== TEST 17: a body that arrives in pieces
--- rules
        order_guard_strip price;
--- raw_request eval
["POST /order HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
 . "Content-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"a\":",
 "1,\"pri",
 "ce\":2}"]
--- raw_request_middle_delay: 0.1
--- response_body: {"a":1}
--- response_headers
X-Length: 7



=== TEST 18: a body on a method that has none by rights is policed
--- rules
        order_guard_strip price;
--- request
GET /order
{"sku":1,"price":2}
--- more_headers
Content-Type: application/json
Content-Length: 19
--- response_body: {"sku":1}



=== TEST 19: what is stripped is in the variable and in the log, its value is not
--- rules
        order_guard_strip price;
        add_header X-Stripped $order_guard_stripped;
--- body
{"items":[{"price":987654}],"a~b/c":{"price":1}}
--- more_headers
Content-Type: application/json
--- response_body: {"items":[{}],"a~b/c":{}}
--- response_headers
X-Stripped: /items/0/price,/a~0b~1c/price
--- error_log
order guard stripped /items/0/price,/a~0b~1c/price



=== TEST 20: rules of an outer level are inherited and replaced
--- http_config
    order_guard_strip price;
--- config
    order_guard on;

    location = /inherits {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /replaces {
        order_guard_strip status;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        order_guard off;
        echo_read_request_body;
        echo_request_body;
    }
--- request eval
["POST /inherits\n{\"price\":1,\"status\":2}",
 "POST /replaces\n{\"price\":1,\"status\":2}"]
--- more_headers
Content-Type: application/json
--- response_body eval
['{"status":2}', '{"price":1}']



=== TEST 21: without order_guard on nothing is done
--- config
    location = /order {
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        echo_read_request_body;
        echo_request_body;
    }
--- request
POST /order
{"price":1}
--- response_body: {"price":1}



=== TEST 22: digests and lengths that a signature covers
--- rules
        order_guard_strip price;
--- request eval
[map { qq{POST /order\n{"price":1}} } 1..6]
--- more_headers eval
[map { "Content-Type: application/json\nSignature-Input: $_" } (
    'sig1=("@method" "repr-digest");created=1', 'sig1=("digest")',
    'sig1=("content-length" "@path")', 'sig1=("Content-Digest")',
    "a=(\"\@method\");created=1\nSignature-Input: b=(\"repr-digest\")",
    'a=("content-digest";req)')]
--- error_code eval
[(400) x 6]
--- response_body_like eval
[(qr/"code":"BODY_SIGNED","origin":"gateway"/) x 6]



=== TEST 23: the same where nothing is removed, and signatures of other parts
--- rules
        order_guard_strip price;
--- request eval
[(qq{POST /order\n{"a":1}}) x 3, (qq{POST /order\n{"price":1}}) x 2]
--- more_headers eval
[map { "Content-Type: application/json\nSignature-Input: $_" } (
    'sig1=("repr-digest")', 'sig1=("digest")', 'sig1=("content-length")',
    'sig1=("@method" "@path" "content-type")',
    'sig1=("date");keyid="digest and content-length"')]
--- response_body eval
[('{"a":1}') x 3, ('{}') x 2]



=== TEST 24: OPTIONS with a body is policed
--- rules
        order_guard_strip price;
--- request eval
[qq{OPTIONS /order\n{"price":1,"a":2}}, qq(OPTIONS /order\n{"price":1),
 qq{OPTIONS /order\n{"a":1,"a":2}}]
--- more_headers
Content-Type: application/json
--- error_code eval
[200, 400, 400]
--- response_body_like eval
[qr/^\{"a":2\}$/, (qr/"code":"BODY_MALFORMED"/) x 2]
