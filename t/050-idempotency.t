# order_guard_idempotency: a retry never becomes a second order.
#
# The upstream answers each request with a number of its own; "same_as" lists,
# for each request, the earlier one whose answer it must repeat (or undef).

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

my @answers;

after_response(sub {
    my ($block, $body, $index, $repetition) = @_;

    @answers = () if $index == 0;
    $answers[$index] = $body;

    if (defined $block->store_has_no && store_is_redis()) {
        my $text = join ' ', map { "$_ " . (redis_cmd('GET', $_) // '') }
                             @{ redis_cmd('KEYS', '*:i:*') };
        like($text, qr/^og:\{[0-9a-f]{16}\}:i:[0-9a-f]{32} /, 'a record');
        unlike($text, qr/${\ $block->store_has_no}/, 'nothing raw');
    }

    my $same_as = $block->same_as // return;
    my $earlier = (eval $same_as)->[$index];
    my $name = $block->name . " - answer $index";

    if (defined $earlier) {
        is($body, $answers[$earlier], "$name repeats answer $earlier");

    } else {
        ok(!(grep { $answers[$_] eq $body } 0 .. $index - 1), "$name is new");
    }
});

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => <<'_CONF_') unless defined $block->http_config;
    order_guard_store main $TEST_NGINX_STORE;
_CONF_

    my $rules = $block->rules // return;

    $block->set_value(config => <<"_CONF_" . ($block->config // ''));
    location /order {
        order_guard on;
$rules
        add_header X-Idempotency \$order_guard_idempotency always;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location /upstream {
        default_type application/json;
        echo "{\\"order\\":\\"\$request_id\\"}";
    }
_CONF_
});

run_tests();

__DATA__

=== TEST 1: the same key, the same request: replayed
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{"a":1}},
 qq{POST /order\n{"a":1}},
 qq{POST /order\n{"a":1}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k"]
--- same_as: [undef, 0, 0]
--- response_headers eval
["! Idempotent-Replayed\nX-Idempotency: CLAIMED\nContent-Type: application/json",
 "Idempotent-Replayed: true\nX-Idempotency: REPLAYED\nContent-Type: application/json",
 "Idempotent-Replayed: true"]



=== TEST 2: another key is another order
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{"a":1}},
 qq{POST /order\n{"a":1}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k1",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k2"]
--- same_as: [undef, undef]



=== TEST 3: the same key, another request: 422
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{"a":1}},
 qq{POST /order\n{"a":2}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k"]
--- error_code eval
[200, 422]
--- response_body_like eval
[qr/order/, qr/"title":"Unprocessable Content","status":422,.*"code":"IDEMPOTENCY_KEY_REUSED","origin":"gateway","retryable":false,"safe_new_key":true/]
--- raw_response_headers_like eval
["200 OK", "^HTTP/1.1 422 Unprocessable Content"]



=== TEST 4: white space is no part of the fingerprint
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{"a":[1,2],"b":"x y"}},
 qq{POST /order\n { "a" : [ 1 , 2 ] ,\t"b":"x y"} }]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k"]
--- same_as: [undef, 0]



=== TEST 5: white space in a string is
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{"b":"x y"}},
 qq{POST /order\n{"b":"xy"}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k"]
--- error_code eval
[200, 422]



=== TEST 6: numbers are compared as they are written
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{"b":1.0}},
 qq{POST /order\n{"b":1.00}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k"]
--- error_code eval
[200, 422]



=== TEST 7: a forbidden field is no part of the fingerprint
--- rules
        order_guard_idempotency required;
        order_guard_strip price;
--- request eval
[qq{POST /order\n{"a":1,"price":2}},
 qq{POST /order\n{"a":1}},
 qq{POST /order\n{"price":3,"a":1}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k"]
--- same_as: [undef, 0, 0]



=== TEST 8: the query is part of the fingerprint
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order?a=1\n{}},
 qq{POST /order?a=2\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k"]
--- error_code eval
[200, 422]



=== TEST 9: further values are part of the fingerprint
--- rules
        order_guard_idempotency required;
        order_guard_idempotency_fingerprint $http_x_user;
--- request eval
[qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k\nX-User: 1",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k\nX-User: 2",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k\nX-User: 1"]
--- error_code eval
[200, 422, 200]



=== TEST 10: another caller with the same key is another record
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t1\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t2\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t1\nContent-Type: application/json\nIdempotency-Key: k"]
--- same_as: [undef, undef, 0]



=== TEST 11: another path is another record
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{}},
 qq{POST /order/2\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k"]
--- same_as: [undef, undef, 0]



=== TEST 12: the scope is part of the record
--- rules
        order_guard_idempotency required scope=$http_x_scope;
--- request eval
[qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k\nX-Scope: 1",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k\nX-Scope: 2",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k\nX-Scope: 1"]
--- same_as: [undef, undef, 0]



=== TEST 13: required: no key
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json"]
--- error_code: 400
--- response_headers
X-Idempotency: MISSING
Content-Type: application/problem+json
--- response_body_like: "code":"IDEMPOTENCY_KEY_REQUIRED","origin":"gateway","retryable":false\b



=== TEST 14: optional: without a key each request is an order
--- rules
        order_guard_idempotency optional;
--- request eval
[qq{POST /order\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json",
 "Authorization: Bearer t\nContent-Type: application/json"]
--- same_as: [undef, undef]



=== TEST 15: keys that are none
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: ",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: a b",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: \"abc",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: \"a\\q\"",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: \"a\"x",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k\nIdempotency-Key: l",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: \xc3\xa9",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: \" \x01\"",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: \"\""]
--- error_code eval
[map { 400 } 1..9]
--- response_body_like eval
[map { qr/"code":"IDEMPOTENCY_KEY_INVALID"/ } 1..9]



=== TEST 16: a key of 255 characters, and one of 256
--- rules
        order_guard_idempotency required;
--- request eval
["POST /order\n{}", "POST /order\n{}", "POST /order\n{}"]
--- more_headers eval
[map { "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: " . $_ } 'x' x 255, 'x' x 256, '"' . 'x' x 255 . '"']
--- error_code eval
[200, 400, 200]



=== TEST 17: the raw form and the String form are one key
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: abc",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: \"abc\"",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: \"abc\";a=1;b=\"x\"",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: abc"]
--- same_as: [undef, 0, 0, 0]



=== TEST 18: escapes in the String form
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: a\\b",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: \"a\\\\b\""]
--- same_as: [undef, 0]



=== TEST 19: no token: 401 with a challenge
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Content-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer \nContent-Type: application/json\nIdempotency-Key: k"]
--- error_code eval
[401, 401]
--- response_headers eval
["WWW-Authenticate: Bearer\nContent-Type: application/problem+json", "WWW-Authenticate: Bearer"]
--- response_body_like eval
[map { qr/"code":"TOKEN_REQUIRED","origin":"gateway"/ } 1..2]



=== TEST 20: a challenge of its own
--- rules
        order_guard_idempotency required;
        order_guard_token $http_x_api_key challenge=ApiKey;
--- request eval
[qq{POST /order\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k\nX-API-Key: 1"]
--- error_code eval
[401, 200]
--- response_headers eval
["WWW-Authenticate: ApiKey", "! WWW-Authenticate"]



=== TEST 21: two Authorization lines name nobody
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k\nAuthorization: Bearer u"]
--- error_code_like: ^40[01]$



=== TEST 22: optional token: an anonymous caller has no record
--- rules
        order_guard_idempotency optional;
        order_guard_token $order_guard_bearer optional;
--- request eval
[qq{POST /order\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Content-Type: application/json\nIdempotency-Key: k",
 "Content-Type: application/json\nIdempotency-Key: k"]
--- same_as: [undef, undef]
--- response_headers eval
["X-Idempotency: BYPASSED", "X-Idempotency: BYPASSED"]



=== TEST 23: optional token, required key: still 401
--- rules
        order_guard_idempotency required;
        order_guard_token $order_guard_bearer optional;
--- request eval
[qq{POST /order\n{}}]
--- more_headers eval
["Content-Type: application/json\nIdempotency-Key: k"]
--- error_code: 401



=== TEST 24: the key from the body
--- rules
        order_guard_idempotency required;
        order_guard_idempotency_key $order_guard_body_reference_id;
--- request eval
[qq{POST /order\n{"reference_id":"r 1","a":1}},
 qq{POST /order\n{"reference_id":"\\u0072 1","a":1}},
 qq{POST /order\n{"reference_id":"r 2","a":1}},
 qq{POST /order\n{"a":1}},
 qq{POST /order\n{"reference_id":{"a":1}}},
 qq{POST /order\n{"reference_id":17}},
 qq{POST /order\n{"reference_id":17}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json",
 "Authorization: Bearer t\nContent-Type: application/json",
 "Authorization: Bearer t\nContent-Type: application/json",
 "Authorization: Bearer t\nContent-Type: application/json",
 "Authorization: Bearer t\nContent-Type: application/json",
 "Authorization: Bearer t\nContent-Type: application/json",
 "Authorization: Bearer t\nContent-Type: application/json"]
--- error_code eval
[200, 422, 200, 400, 400, 200, 200]
--- response_body_like eval
[qr/order/, qr/KEY_REUSED/, qr/order/, qr/KEY_REQUIRED/, qr/KEY_REQUIRED/, qr/order/, qr/order/]



=== TEST 25: OPTIONS and GET are never asked for a key
--- rules
        order_guard_idempotency required;
--- request eval
["OPTIONS /order", "GET /order", "HEAD /order"]
--- error_code eval
[200, 200, 200]
--- response_headers eval
["! X-Idempotency", "! X-Idempotency", "! X-Idempotency"]



=== TEST 26: nothing of token and key is in the store
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{"a":1}}]
--- more_headers eval
["Authorization: Bearer secret-token-1\nContent-Type: application/json\nIdempotency-Key: secret-key-1"]
--- store_has_no: secret-



=== TEST 27: T1, an answer of the rewrite phase comes before the guard
--- rules
        order_guard_idempotency required;
        return 200 "early";
--- request eval
[qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json"]
--- response_body: early



=== TEST 28: OPTIONS with a body or an override is asked for a key
--- rules
        order_guard_idempotency required;
--- request eval
["OPTIONS /order\n{}", "OPTIONS /order", "OPTIONS /order",
 "OPTIONS /order", "OPTIONS /order\n{}"]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json",
 "Authorization: Bearer t\nX-HTTP-Method-Override: POST",
 "Authorization: Bearer t\nX-Method-Override: patch",
 "Authorization: Bearer t\nX-HTTP-Method: Delete",
 "Content-Type: application/json\nIdempotency-Key: k"]
--- error_code eval
[400, 400, 400, 400, 401]
--- response_body_like eval
[(qr/"code":"IDEMPOTENCY_KEY_REQUIRED"/) x 4, qr/"code":"TOKEN_REQUIRED"/]



=== TEST 29: and is an order with one
--- rules
        order_guard_idempotency required;
--- request eval
["OPTIONS /order\n{}", "OPTIONS /order\n{}", "OPTIONS /order", "OPTIONS /order"]
--- more_headers eval
[("Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: a") x 2,
 ("Authorization: Bearer t\nX-HTTP-Method-Override: POST\nIdempotency-Key: b") x 2]
--- same_as: [undef, 0, undef, 2]



=== TEST 30: an override that names no guarded method changes nothing
--- rules
        order_guard_idempotency required;
--- request eval
["OPTIONS /order", "OPTIONS /order", "OPTIONS /order"]
--- more_headers eval
["X-HTTP-Method-Override: GET", "X-HTTP-Method: head",
 "X-HTTP-Method-Override: OPTIONS"]
--- error_code eval
[200, 200, 200]
--- response_headers eval
["! X-Idempotency", "! X-Idempotency", "! X-Idempotency"]



=== TEST 31: the name of a header in braces is the same header
--- rules
        order_guard_idempotency required;
        order_guard_idempotency_key ${http_x_key};
--- request eval
[qq{POST /order\n{}},
 qq{POST /order\n{}},
 qq{POST /order\n{}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nX-Key: abc",
 "Authorization: Bearer t\nContent-Type: application/json\nX-Key: \"abc\"",
 "Authorization: Bearer t\nContent-Type: application/json\nX-Key: \"abc\";a=1"]
--- same_as: [undef, 0, 0]



=== TEST 32: two lines of it, and values that are no key
--- rules
        order_guard_idempotency required;
        order_guard_idempotency_key ${http_x_key};
--- request eval
[map { "POST /order\n{}" } 1..4]
--- more_headers eval
[map { "Authorization: Bearer t\nContent-Type: application/json\nX-Key: $_" }
     "q1\nX-Key: q1", "q1\nX-Key: q2", '"q1', 'q 1']
--- error_code eval
[(400) x 4]
--- response_body_like eval
[(qr/"code":"IDEMPOTENCY_KEY_INVALID"/) x 4]



=== TEST 33: the order of members is no part of the fingerprint
--- rules
        order_guard_idempotency required;
        order_guard_strip price;
--- request eval
[qq{POST /order\n{"a":{"x":[{"p":1,"q":2},3],"y":null},"b":"x y"}},
 qq{POST /order\n{ "b" : "x y", "price": 1, "a":{"y":null, "x":[{"q":2,"p":1},3]}}}]
--- more_headers eval
["Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k",
 "Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k"]
--- same_as: [undef, 0]



=== TEST 34: whose value is whose, and the order of elements, are
--- rules
        order_guard_idempotency required;
--- request eval
[qq{POST /order\n{"a":1,"b":[1,2]}},
 qq{POST /order\n{"b":1,"a":[1,2]}},
 qq{POST /order\n{"b":[2,1],"a":1}},
 qq{POST /order\n{"b":[1,2],"a":1}}]
--- more_headers eval
[("Authorization: Bearer t\nContent-Type: application/json\nIdempotency-Key: k") x 4]
--- error_code eval
[200, 422, 422, 200]
