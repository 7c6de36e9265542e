# What becomes of a key (T8, T14, T16): it is told from the wire, not from what
# nginx makes of it.  Each block sends one order twice.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

my $HEADERS = "Authorization: Bearer t\nContent-Type: application/json\n"
              . "Idempotency-Key: k";

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => <<'_CONF_');
    order_guard_store main $TEST_NGINX_STORE;
_CONF_

    my $rules = $block->rules // return;
    my $target = $block->target // 'http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream';
    my $upstream = $block->upstream // 'echo "{}";';
    chomp ($rules, $target, $upstream);

    $block->set_value(config => <<"_CONF_" . ($block->config // ''));
    location = /order {
        order_guard on;
        order_guard_idempotency required;
        $rules
        proxy_pass $target;
    }

    location = /upstream {
        default_type application/json;
        $upstream
    }
_CONF_

    $block->set_value(request => ["POST /order\n{}", "POST /order\n{}"]);
    $block->set_value(more_headers => [$HEADERS, $HEADERS]);
});

run_tests();

__DATA__

=== TEST 1: connect refused: free
--- rules
--- target
http://127.0.0.1:$TEST_NGINX_DEAD_PORT
--- error_code eval
[502, 502]
--- response_body_like eval
[map { qr/"code":"UPSTREAM_UNREACHABLE","origin":"gateway","retryable":true,"safe_new_key":true/ } 1..2]



=== TEST 2: closed without an answer: unknown
--- rules
--- upstream
        return 444;
--- error_code eval
[502, 409]
--- response_body_like eval
[qr/"code":"UPSTREAM_RESET","origin":"gateway","retryable":false,"safe_new_key":false/,
 qr/"code":"IDEMPOTENCY_OUTCOME_UNKNOWN","origin":"gateway","retryable":false,"safe_new_key":false/]



=== TEST 3: a status that the operator has listed
--- rules
        order_guard_idempotency_release 503;
--- upstream
        return 503 '{}';
--- error_code eval
[503, 503]
--- response_headers eval
["! Idempotent-Replayed", "! Idempotent-Replayed"]



=== TEST 4: no answer in time: unknown
--- rules
        proxy_read_timeout 200ms;
--- upstream
        echo_sleep 0.5;
        echo "{}";
--- error_code eval
[504, 409]
--- response_body_like eval
[qr/"code":"UPSTREAM_TIMEOUT","origin":"gateway","retryable":false,"safe_new_key":false/,
 qr/IDEMPOTENCY_OUTCOME_UNKNOWN/]



=== TEST 5: a complete error is stored
--- rules
--- upstream
        return 422 '{"code":"NO_STOCK","message":"None left."}';
--- error_code eval
[422, 422]
--- response_headers eval
["! Idempotent-Replayed", "Idempotent-Replayed: true"]
--- response_body_like eval
[map { qr/"detail":"None left.","code":"NO_STOCK","origin":"upstream"/ } 1..2]



=== TEST 6: a status that says that nothing was ordered
--- rules
--- upstream
        return 403 '{"code":"NO"}';
--- error_code eval
[403, 403]
--- response_headers eval
["! Idempotent-Replayed", "! Idempotent-Replayed"]



=== TEST 7: the same, where the operator has listed others
--- rules
        order_guard_idempotency_release 409;
--- upstream
        return 403 '{"code":"NO"}';
--- error_code eval
[403, 403]
--- response_headers eval
["! Idempotent-Replayed", "Idempotent-Replayed: true"]



=== TEST 8: 429 frees the key whatever is listed
--- rules
        order_guard_idempotency_release 409;
--- upstream
        return 429 '{"code":"SLOW"}';
--- error_code eval
[429, 429]
--- response_headers eval
["! Idempotent-Replayed", "! Idempotent-Replayed"]



=== TEST 9: 201 with Location
--- rules
--- upstream
        add_header Location https://shop.example/orders/1;
        add_header Set-Cookie a=b;
        return 201 '{"id":1}';
--- error_code eval
[201, 201]
--- response_headers eval
["! Idempotent-Replayed\nLocation: https://shop.example/orders/1\nSet-Cookie: a=b",
 "Idempotent-Replayed: true\nLocation: https://shop.example/orders/1\n! Set-Cookie"]
--- response_body eval
['{"id":1}', '{"id":1}']



=== TEST 10: T16, 204
--- rules
--- upstream
        return 204;
--- error_code eval
[204, 204]
--- response_headers eval
["! Idempotent-Replayed", "Idempotent-Replayed: true"]



=== TEST 11: an answer beyond the limit
--- rules
        order_guard_idempotency_response_limit 100;
--- upstream
        echo -n '"';
        echo_duplicate 99 x;
        echo -n '"';
--- error_code eval
[200, 409]
--- response_body_like eval
[qr/^"x{99}"$/, qr/"code":"IDEMPOTENCY_RESULT_UNAVAILABLE","origin":"gateway","retryable":false,"safe_new_key":false/]



=== TEST 12: an answer at the limit
--- rules
        order_guard_idempotency_response_limit 101;
--- upstream
        echo -n '"';
        echo_duplicate 99 x;
        echo -n '"';
--- error_code eval
[200, 200]
--- response_body eval
[('"' . 'x' x 99 . '"') x 2]



=== TEST 13: T8, error_page to another upstream after bytes were sent
--- rules
        error_page 502 504 = @backup;
--- upstream
        return 444;
--- config
    location @backup {
        rewrite ^ /backup break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
    location = /backup {
        default_type application/json;
        echo "{\"by\":\"backup\"}";
    }
--- error_code eval
[502, 409]
--- response_body_like eval
[qr/"code":"UPSTREAM_RESET"/, qr/"code":"IDEMPOTENCY_OUTCOME_UNKNOWN"/]



=== TEST 14: T16, the operator's page, and the key is told from the wire
--- rules
        error_page 502 /page;
--- upstream
        return 444;
--- config
    location = /page {
        default_type text/plain;
        return 502 "page of the operator";
    }
--- error_code eval
[502, 409]
--- response_body_like eval
[qr/^page of the operator$/, qr/"code":"IDEMPOTENCY_OUTCOME_UNKNOWN"/]
