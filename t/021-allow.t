# order_guard_allow: only what is named passes.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

add_block_preprocessor(sub {
    my ($block) = @_;
    my $rules = $block->rules // return;

    $block->set_value(config => <<"_CONF_");
    location = /order {
        order_guard on;
$rules
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        echo_read_request_body;
        echo_request_body;
    }
_CONF_

    $block->set_value(more_headers => "Content-Type: application/json");

    my $body = $block->body // return;
    chomp $body;
    $block->set_value(request => "POST /order\n$body");
});

run_tests();

__DATA__

=== TEST 1: bare names are members of the root
--- rules
        order_guard_allow sku quantity;
--- body
{"sku":"A","price":1,"quantity":2,"x":{"sku":"B"}}
--- response_body: {"sku":"A","quantity":2}



=== TEST 2: a pointer passes its member and its ancestors as containers
--- rules
        order_guard_allow /items/*/sku;
--- body
{"items":[{"sku":"A","price":1},{"price":2,"sku":"B"}],"price":3}
--- response_body: {"items":[{"sku":"A"},{"sku":"B"}]}



=== TEST 3: /** passes all below
--- rules
        order_guard_allow code /data /data/**;
--- body
{"code":"x","data":{"imeis":["1",{"a":{"b":[2]}}]},"price":1}
--- response_body: {"code":"x","data":{"imeis":["1",{"a":{"b":[2]}}]}}



=== TEST 4: and the member itself may be a scalar
--- rules
        order_guard_allow code /data /data/**;
--- body
{"code":"example","data":"example","user_id":7}
--- response_body: {"code":"example","data":"example"}



=== TEST 5: allow compares exactly, after unescaping
--- rules
        order_guard_allow place_id;
--- body
{"placeId":1,"PLACE-ID":2,"pl\u0061ce_id":3,"Place_id":4}
--- response_body: {"pl\u0061ce_id":3}



=== TEST 6: strip wins over allow
--- rules
        order_guard_allow data /data/**;
        order_guard_strip price;
--- body
{"data":{"price":1,"sku":2}}
--- response_body: {"data":{"sku":2}}



=== TEST 7: a scalar root is refused
--- rules
        order_guard_allow sku;
--- body
"sku"
--- error_code: 400
--- response_body_like: "code":"BODY_MALFORMED"



=== TEST 8: nothing allowed is left
--- rules
        order_guard_allow sku;
--- body
{"price":1,"status":"paid"}
--- response_body: {}



=== TEST 9: the members of an array at the root
--- rules
        order_guard_allow /*/sku;
--- body
[{"sku":1,"price":2},{"price":3}]
--- response_body: [{"sku":1},{}]
