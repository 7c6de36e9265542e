# order_guard_set: fields that the gateway writes, whatever the client sent of
# them.  t/bypass/set.txt has where they are written.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

add_block_preprocessor(sub {
    my ($block) = @_;

    # "rules" are the guard's directives; /order shows what the upstream got
    my $rules = $block->rules;

    $block->set_value(http_config => <<'_CONF_' . ($block->http // ''));
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT timeout=1s;
_CONF_

    my $order = defined $rules ? <<"_CONF_" : '';
    location = /order {
        order_guard on;
$rules
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream\$is_args\$args;
    }
_CONF_

    $block->set_value(config => $order . ($block->config // '') . <<'_CONF_');
    location = /upstream {
        order_guard off;
        add_header X-Args "[$args]";
        add_header X-Length $content_length;
        add_header X-Digest "[$http_digest$http_content_digest]";
        echo_read_request_body;
        echo_request_body;
    }
_CONF_

    $block->set_value(more_headers => 'Content-Type: application/json')
        unless defined $block->more_headers;

    my $body = $block->body // return;
    chomp $body;
    $block->set_value(request => "POST /order\n$body");
});

run_tests();

__DATA__

=== TEST 1: a field that the client did not send
--- rules
        order_guard_set user_id 7;
--- body
{"sku":"A"}
--- response_body: {"sku":"A","user_id":"7"}
--- response_headers
X-Length: 25



=== TEST 2: one that it did
--- rules
        order_guard_set user_id 7;
--- body
{"userId":1,"sku":"A","a":{"USER-ID":2}}
--- response_body: {"user_id":"7","sku":"A","a":{}}



=== TEST 3: types
--- rules
        order_guard_set level 3 number;
        order_guard_set rate -1.50e+400 number;
        order_guard_set paid false boolean;
        order_guard_set test true boolean;
        order_guard_set name 3 string;
--- body
{"level":"9"}
--- response_body: {"level":3,"rate":-1.50e+400,"paid":false,"test":true,"name":"3"}



=== TEST 4: a value with variables
--- rules
        set $shop 12;
        order_guard_set owner "$shop:$http_x_user";
        order_guard_set level $http_x_level number;
        order_guard_set vip $http_x_vip boolean;
--- body
{"owner":"me"}
--- more_headers
Content-Type: application/json
X-User: a"b\c/ก
X-Level: 2.50
X-Vip: true
--- response_body: {"owner":"12:a\"b\\c/ก","level":2.50,"vip":true}



=== TEST 5: an empty value: what the client sent goes, and nothing is written
--- rules
        order_guard_set user_id $http_x_user;
        order_guard_set level $http_x_level number;
        order_guard_set vip $http_x_vip boolean;
--- body
{"userId":1,"sku":"A","level":2,"a":{"vip":true}}
--- response_body: {"sku":"A","a":{}}



=== TEST 6: a value that is none of its type: nothing is sent, and the log has no value
--- rules
        order_guard_set user_id 7;
        order_guard_set /order/level $http_x_level number;
--- request eval
[("POST /order\n{}") x 4]
--- more_headers eval
[map { "Content-Type: application/json\nX-Level: $_" }
    's3cret', '1s3cret', '0x10s3cret', '1 2s3cret']
--- error_code eval
[500, 500, 500, 500]
--- response_body_like eval
[(qr/"status":500,.*"origin":"gateway"/) x 4]
--- error_log eval
[qr{\[error\].*order guard cannot set field "/order/level": the value is no number of JSON}]
--- no_error_log eval
[qr/order guard cannot set.*s3cret/]



=== TEST 7: the same for a boolean, and for a string that is no text
--- rules
        order_guard_set vip $http_x_vip boolean;
        order_guard_set name $http_x_name;
--- request eval
[("POST /order\n{}") x 3]
--- more_headers eval
["Content-Type: application/json\nX-Vip: TRUE", "Content-Type: application/json\nX-Vip: 1",
 "Content-Type: application/json\nX-Name: a\xff"]
--- error_code eval
[500, 500, 500]
--- error_log eval
[qr{\[error\].*order guard cannot set field "(?:vip": the value is neither true nor false|name": the value is not valid UTF-8)}]



=== TEST 8: no place for it
--- rules
        order_guard_set user_id 7;
        order_guard_set /order/level 3 number;
--- request eval
[map { "POST /order\n$_" } '[]', '"a"', '{"order":7}', '{"order":[]}', '{"order":null}']
--- error_code eval
[400, 400, 400, 400, 400]
--- response_body_like eval
[(qr/"detail":"[^"]*user_id[^"]*","code":"BODY_MALFORMED"/) x 2,
 (qr/"detail":"[^"]*\/order\/level[^"]*","code":"BODY_MALFORMED"/) x 3]



=== TEST 9: lines of one level add up, an inner level replaces those of the outer
--- http
    order_guard_set user_id 7;
    order_guard_set shop 12;
--- config
    order_guard on;

    location = /inherits {
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /replaces {
        order_guard_set user_id 8;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }
--- request eval
[qq{POST /inherits\n{"price":1}}, qq{POST /replaces\n{"shop":1}}]
--- response_body eval
['{"user_id":"7","shop":"12"}', '{"shop":1,"user_id":"8"}']



=== TEST 10: digests go, also where the client had sent the very same
--- rules
        order_guard_set user_id 7;
--- body
{"user_id":"7"}
--- more_headers
Content-Type: application/json
Digest: a
Content-Digest: b
--- response_body: {"user_id":"7"}
--- response_headers
X-Digest: []



=== TEST 11: digests stay where nothing is written
--- rules
        order_guard_set user_id $http_x_user;
        order_guard_set /a/b 7;
--- request
DELETE /order?c=1
--- more_headers
Digest: a
--- response_headers
X-Args: [c=1&a%5Bb%5D=7]
X-Digest: [a]



=== TEST 12: a signed body is refused
--- rules
        order_guard_set user_id 7;
--- body
{"sku":1}
--- more_headers
Content-Type: application/json
Signature-Input: sig1=("content-digest")
--- error_code: 400
--- response_body_like: "code":"BODY_SIGNED"



=== TEST 13: it is no part of the fingerprint
--- rules
        order_guard_set user_id $request_id;
        order_guard_idempotency required;
--- request eval
[map { "POST /order\n$_" } '{"sku":1}', '{"sku":1,"userId":2}', '{"user_id":[3],"sku":1}', '{"sku":2}']
--- more_headers
Content-Type: application/json
Authorization: Bearer t
Idempotency-Key: k
--- error_code eval
[200, 200, 200, 422]
--- response_headers eval
['! Idempotent-Replayed', ('Idempotent-Replayed: true') x 2, '! Idempotent-Replayed']
--- response_body_like eval
[(qr/^\{"sku":1,"user_id":"[0-9a-f]{32}"\}$/) x 3, qr/IDEMPOTENCY_KEY_REUSED/]



=== TEST 14: what was sent of it is among what was stripped
--- rules
        order_guard_set user_id 7;
        order_guard_strip price;
        add_header X-Stripped "[$order_guard_stripped]";
--- request eval
[qq{POST /order\n{"userId":1,"price":2}}, qq{POST /order\n{"sku":1}}]
--- response_headers eval
['X-Stripped: [/userId,/price]', 'X-Stripped: []']



=== TEST 15: from a subrequest that knows the caller
--- rules
        auth_request /auth;
        auth_request_set $caller $upstream_http_x_user;
        order_guard_set user_id $caller;
--- config
    location = /auth {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/who;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
    }

    location = /who {
        add_header X-User "u-1";
        return 204;
    }
--- body
{"user_id":"u-2"}
--- response_body: {"user_id":"u-1"}



=== TEST 16: from another field of the body
--- rules
        order_guard_set owner $order_guard_body_name;
--- body
{"name":"Siti","owner":"me"}
--- response_body: {"name":"Siti","owner":"Siti"}



=== TEST 17: in a form
--- rules
        order_guard_set user_id 7;
        order_guard_set /order/level 3 number;
        order_guard_set note "a b&c=ก";
--- body
userId=1&sku=A&order.level=9
--- more_headers
Content-Type: application/x-www-form-urlencoded
--- response_body: user_id=7&sku=A&order%5Blevel%5D=3&note=a%20b%26c%3D%E0%B8%81
--- response_headers
X-Length: 61



=== TEST 18: in a form of many parts
--- rules
        order_guard_set user_id 7;
--- body eval
"--b\r\nContent-Disposition: form-data; name=\"sku\"\r\n\r\nA\r\n--b--\r\n"
--- more_headers
Content-Type: multipart/form-data; boundary=b
--- response_body eval
"--b\r\nContent-Disposition: form-data; name=\"sku\"\r\n\r\nA\r\n"
. "--b\r\nContent-Disposition: form-data; name=\"user_id\"\r\n\r\n7\r\n--b--"



=== TEST 19: in a patch
--- rules
        order_guard_set user_id 7;
        order_guard_set /order/level 3 number;
--- request
PATCH /order
[{"op":"add","path":"/sku","value":"A"},{"op":"replace","path":"/user_id","value":1}]
--- more_headers
Content-Type: application/json-patch+json
--- response_body: [{"op":"add","path":"/sku","value":"A"},{"op":"add","path":"/user_id","value":"7"},{"op":"add","path":"/order/level","value":3}]



=== TEST 20: in the query of a guarded request without a body
--- rules
        order_guard_set user_id 7;
--- request eval
["POST /order", "DELETE /order?userId=1&a=2", "PUT /order?a=1", "GET /order?a=1&user_id=1"]
--- more_headers eval
['', '', '', '']
--- response_headers eval
['X-Args: [user_id=7]', 'X-Args: [user_id=7&a=2]', 'X-Args: [a=1&user_id=7]',
 'X-Args: [a=1&user_id=1]']



=== TEST 21: with a body a query has it only where it had it
--- rules
        order_guard_set user_id 7;
--- request eval
[qq{POST /order?a=1\n{}}, qq{POST /order?a=1&user_id=1\n{}}]
--- response_headers eval
['X-Args: [a=1]', 'X-Args: [a=1&user_id=7]']
--- response_body eval
['{"user_id":"7"}', '{"user_id":"7"}']



=== TEST 22: an empty body is none
--- rules
        order_guard_set user_id 7;
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
. "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
--- response_headers
X-Args: [user_id=7]



=== TEST 23: a chunked body gets the length that it has then
--- rules
        order_guard_set user_id 7;
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
. "Transfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n5\r\na\":1}\r\n0\r\n\r\n"
--- response_body: {"a":1,"user_id":"7"}
--- response_headers
X-Length: 21



=== TEST 24: a body in a file
--- rules
        client_body_in_file_only clean;
        order_guard_set user_id 7;
--- body
{"a":1}
--- response_body: {"a":1,"user_id":"7"}



=== TEST 25: a large value
--- rules
        order_guard_set note "$http_x_note$http_x_note$http_x_note$http_x_note";
--- body
{"a":1}
--- more_headers eval
"Content-Type: application/json\nX-Note: " . '"\\' x 1000
--- response_body eval
'{"a":1,"note":"' . ('\\"\\\\' x 4000) . '"}'



=== TEST 26: many fields
--- rules eval
CORE::join '', map { "        order_guard_set f$_ $_ number;\n" } 1 .. 100
--- body
{"f100":"x"}
--- response_body_like eval
my $all = CORE::join ',', map { "\"f$_\":$_" } 1 .. 99;
qr/^\{"f100":100,\Q$all\E\}$/



=== TEST 27: with allow nothing needs to be named twice
--- rules
        order_guard_allow sku;
        order_guard_unlisted reject;
        order_guard_set user_id 7;
--- request eval
[qq{POST /order\n{"sku":1}}, qq{POST /order\n{"sku":1,"user_id":1}}, qq{POST /order\n{"sku":1,"cost":1}}]
--- error_code eval
[200, 200, 422]
