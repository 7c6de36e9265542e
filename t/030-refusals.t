# Fail closed: what is not fully understood is refused, with its code, and
# never passed.  One row per body or header; the rows are data.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(1);
no_long_string();

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(config => <<'_CONF_') unless defined $block->config;
    location = /order {
        order_guard on;
        order_guard_strip price;
        order_guard_body_limit 200;
        order_guard_json_depth 5;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        return 500 "the upstream was reached";
    }
_CONF_

    return unless defined $block->bodies;

    my @bodies = eval $block->bodies;
    die $@ if $@;

    $block->set_value(request => [map { "POST /order\n$_" } @bodies]);
    $block->set_value(more_headers => "Content-Type: application/json");
    $block->set_value(error_code => [map { 400 } @bodies]);
    $block->set_value(response_body_like => [
        map { qr/^\{"type":"about:blank","title":"Bad Request","status":400,"detail":"[^"]+","code":"BODY_MALFORMED","origin":"gateway","retryable":false,.*"errors":\[\{"detail":"[^"]+","pointer":"[^"]*","offset":\d+\}\]\}$/ }
            @bodies]);
});

run_tests();

__DATA__

=== TEST 1: no strict JSON
--- bodies
('{', '}', '[1,2', '{"a"}', '{"a":}', '{"a":1,}', '[1,]', '[,1]', '{,}',
 '{"a":1} x', '{"a":1}{"b":2}', 'nul', 'NaN', '{"a":NaN}', '{"a":Infinity}',
 "{'a':1}", '{a:1}', '{"a":01}', '{"a":1.}', '{"a":.5}', '{"a":+1}',
 '{"a":1e}', '{"a":0x1}', '{"a":1}/* c */', "{\"a\":1}// c\n")



=== TEST 2: strings
--- bodies
('{"a":"\x}', '{"a":"', '{"a":"\q"}', '{"a":"\u12"}', '{"a":"\u12G4"}',
 "{\"a\":\"\x01\"}", "{\"a\":\"\n\"}", "{\"a\":\"\x00\"}", "{\"a\":1}\x00")



=== TEST 3: byte order mark, invalid UTF-8, overlong forms, surrogates
--- bodies
("\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\xaf\"}",
 "{\"a\":\"\xe0\x80\x80\"}", "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xf4\x90\x80\x80\"}",
 "{\"a\":\"\xc3\"}", '{"a":"\ud800"}', '{"a":"\udc00"}', '{"a":"\ud800\u0041"}')



=== TEST 4: repeated names, compared after unescaping
--- bodies
('{"a":1,"a":2}', '{"a":1,"\u0061":2}', '{"x":[{"b":1,"c":2,"b":3}]}',
 '{"price":1,"price":2}')



=== TEST 5: NUL in a name
--- bodies
('{"a\u0000":1}')



=== TEST 6: too deep
--- bodies
('[[[[[[1]]]]]]', '{"a":{"b":{"c":{"d":{"e":{}}}}}}')



=== TEST 7: the offset and the pointer of the place
--- request
POST /order
{"items":[{"sku":"A"},{"sku":01}]}
--- more_headers
Content-Type: application/json
--- error_code: 400
--- response_body_like: "pointer":"/items/1/sku","offset":30\}



=== TEST 8: the depth that is allowed
--- request
POST /order
[[[[[1]]]]]
--- more_headers
Content-Type: application/json
--- error_code: 500
--- response_body_like: "origin":"upstream"



=== TEST 9: media types that are refused
--- request eval
[map { "POST /order\n{}" } 1..15]
--- more_headers eval
[map { "Content-Type: $_" } (
    'text/plain', 'application/x-www-form-urlencoded; charset=latin1',
    'multipart/form-data', 'multipart/mixed; boundary=a',
    'application/jsonx', 'application/xml', 'application/', 'json',
    'text/json', 'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1', 'application/json; charset="utf-7"',
    'application/json, text/plain', 'application/json; charset',
    'application/json; charset="utf-8')]
--- error_code eval
[map { 415 } 1..15]
--- response_body_like eval
[map { qr/"status":415,.*"code":"MEDIA_TYPE_UNSUPPORTED","origin":"gateway"/ } 1..15]



=== TEST 10: media types that pass
--- request eval
[map { "POST /order\n{}" } 1..9]
--- more_headers eval
[map { "Content-Type: $_" } (
    'application/json', 'application/JSON', 'application/json; charset=utf-8',
    'application/json;charset=UTF-8', 'application/json; charset="utf-8"',
    'application/vnd.api+json', 'application/merge-patch+json',
    'application/json; profile="a;b"; charset=utf-8', 'application/json ;')]
--- error_code eval
[map { 500 } 1..9]
--- response_body_like eval
[map { qr/"origin":"upstream"/ } 1..9]



=== TEST 11: no Content-Type
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
--- error_code: 415
--- response_body_like: "code":"MEDIA_TYPE_UNSUPPORTED"



=== TEST 12: T12, two Content-Type lines
--- request
POST /order
{}
--- more_headers
Content-Type: application/json
Content-Type: application/json
--- error_code: 415
--- response_body_like: "code":"MEDIA_TYPE_UNSUPPORTED"



=== TEST 13: any content encoding but identity
--- request eval
[map { "POST /order\n{}" } 1..5]
--- more_headers eval
["Content-Type: application/json\nContent-Encoding: gzip",
 "Content-Type: application/json\nContent-Encoding: br",
 "Content-Type: application/json\nContent-Encoding:",
 "Content-Type: application/json\nContent-Encoding: identity\nContent-Encoding: gzip",
 "Content-Type: application/json\nContent-Encoding: Identity"]
--- error_code eval
[415, 415, 415, 415, 500]



=== TEST 14: larger than the limit, by its length
--- request eval
"POST /order\n\"" . ('x' x 199) . '"'
--- more_headers
Content-Type: application/json
--- error_code: 413
--- response_body_like: "code":"BODY_TOO_LARGE"



=== TEST 15: larger than the limit, chunked
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
. "Transfer-Encoding: chunked\r\n\r\n"
. ("64\r\n" . ('1' x 100) . "\r\n") x 3 . "0\r\n\r\n"
--- error_code: 413
--- response_body_like: "code":"BODY_TOO_LARGE"



=== TEST 16: exactly the limit
--- request eval
"POST /order\n\"" . ('x' x 198) . '"'
--- more_headers
Content-Type: application/json
--- error_code: 500



=== TEST 17: Content-Length with Transfer-Encoding
--- config
    order_guard on;
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
. "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
--- error_code: 400
--- response_body_like: ^\{"type":"about:blank","title":"Bad Request","status":400,



=== TEST 18: an empty body is none
--- request eval
["POST /order", "POST /order\n{}"]
--- more_headers eval
["Content-Length: 0", "Content-Type: application/json"]
--- error_code eval
[500, 500]



=== TEST 19: an empty chunked body
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
. "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
--- error_code: 500
--- response_body_like: "origin":"upstream"



=== TEST 20: a location without rules on fields reads no body
--- config
    location = /order {
        order_guard on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        echo_read_request_body;
        echo_request_body;
    }
--- request
POST /order
not json
--- more_headers
Content-Type: text/plain
--- response_body chomp
not json



=== TEST 21: media types of which somebody may read another one
--- request eval
[map { "POST /order\n{}" } 1..23]
--- more_headers eval
[map { "Content-Type: $_" } (
    'application/x-www-form-urlencoded,a+json',
    'application/x-www-form-urlencoded, application/json',
    'application/x-www-form-urlencoded,x/a+json',
    'application/x-www-form-urlencoded;+json',
    'application/a b+json', 'application/a/b+json',
    'application/(x)+json', 'application/a@b+json', 'application/"a"+json',
    "application/a\xc3\xa9+json", "application/a\x0b+json",
    'application/json junk', 'application/json; junk',
    'application/json; a=b c', 'application/json; =x', 'application/json; a=',
    'application/json; (a)=b', 'application/json; a=b,c',
    'application/json;a=b,application/x-www-form-urlencoded',
    'application/json;charset =utf-16', 'application/json;charset= utf-16',
    'application/json; a="b"c', 'application/json; a="b" c')]
--- error_code eval
[map { 415 } 1..23]
--- response_body_like eval
[map { qr/"code":"MEDIA_TYPE_UNSUPPORTED","origin":"gateway"/ } 1..23]



=== TEST 22: tokens with every character they may have
--- request eval
[map { "POST /order\n{}" } 1..4]
--- more_headers eval
[map { "Content-Type: $_" } (
    "application/a!#\$%&'*.^_`|~-0+json", 'application/a+b+json',
    "application/json; a!#\$%&'*+.^_`|~-0=b!#\$%&'*+.^_`|~-0",
    'application/json; a="b,c/d \" (e)"')]
--- error_code eval
[map { 500 } 1..4]
--- response_body_like eval
[map { qr/"origin":"upstream"/ } 1..4]
