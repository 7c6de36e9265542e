# Headers that a replay repeats: those of the default, those that the operator
# names, and those that none may.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

# The upstream adds a number to what belongs to one answer alone.
add_block_preprocessor(sub {
    my ($block) = @_;
    my $rules = $block->rules // '';
    my $upstream = $block->upstream // '';

    $block->set_value(http_config => <<'_CONF_');
    order_guard_store main $TEST_NGINX_STORE;
_CONF_

    $block->set_value(config => <<"_CONF_");
    location = /order {
        order_guard on;
        order_guard_idempotency required;
$rules
        add_header X-Gateway \$request_id;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        default_type application/json;
        add_header Location /orders/1;
        add_header ETag '"v1"';
        add_header Set-Cookie "session=\$request_id";
        add_header X-Request-Id \$request_id;
        add_header X-Order-Number \$request_id;
        add_header Content-Language id;
$upstream
        echo '{"order":1}';
    }
_CONF_

    $block->set_value(request => ["POST /order\n{}", "POST /order\n{}"]);
    $block->set_value(more_headers =>
        "Authorization: Bearer t\nContent-Type: application/json\n"
        . "Idempotency-Key: k");
});

run_tests();

__DATA__

=== TEST 1: by default
--- response_headers eval
["Location: /orders/1\nETag: \"v1\"\nContent-Language: id\n! Idempotent-Replayed",
 "Location: /orders/1\nETag: \"v1\"\nContent-Language: id\nContent-Type: application/json\nIdempotent-Replayed: true\n! Set-Cookie\n! X-Request-Id\n! X-Order-Number"]
--- response_body eval
[qq{{"order":1}\n}, qq{{"order":1}\n}]



=== TEST 2: as the operator has it
--- rules
        order_guard_idempotency_headers Location x-order-number;
--- response_headers eval
["Location: /orders/1\nETag: \"v1\"\nContent-Language: id",
 "Location: /orders/1\n! ETag\n! Content-Language\nContent-Type: application/json\nIdempotent-Replayed: true\n! Set-Cookie\n! X-Request-Id"]
--- raw_response_headers_like eval
['Set-Cookie: session=[0-9a-f]{32}', 'X-Order-Number: [0-9a-f]{32}']



=== TEST 3: over two lines
--- rules
        order_guard_idempotency_headers ETag;
        order_guard_idempotency_headers Content-Language;
--- response_headers eval
["Location: /orders/1", "! Location\nETag: \"v1\"\nContent-Language: id"]



=== TEST 4: what nginx adds is added anew
--- raw_response_headers_like eval
['X-Gateway: [0-9a-f]{32}', 'X-Gateway: [0-9a-f]{32}']



=== TEST 5: an encoded body stays readable, whatever the operator names
--- rules
        order_guard_idempotency_headers Location;
--- upstream
        add_header Content-Encoding x-own;
--- response_headers eval
["Content-Encoding: x-own", "Content-Encoding: x-own\nIdempotent-Replayed: true\nContent-Type: application/json"]



=== TEST 6: a replay tells its own age, not its upstream's
--- upstream
        add_header Age 500;
--- response_headers eval
["Age: 500\n! Idempotent-Replayed", "Idempotent-Replayed: true"]
--- raw_response_headers_like eval
['Age: 500\r\n', 'Age: [0-9]\r\n']
