# order_guard_idempotency_mark: a replay says in its body that it is one.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

# "answer" is the upstream's body, "type" its type.
add_block_preprocessor(sub {
    my ($block) = @_;
    my $rules  = $block->rules // '        order_guard_idempotency_mark /data/idempotent;';
    my $answer = $block->answer // '';
    my $type   = $block->type // 'application/json';
    my $more   = $block->upstream // '';
    chomp($answer, $type);

    $block->set_value(http_config => <<'_CONF_');
    order_guard_store main $TEST_NGINX_STORE;
_CONF_

    $block->set_value(config => <<"_CONF_") unless defined $block->config;
    location = /order {
        order_guard on;
        order_guard_idempotency required;
$rules
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        default_type $type;
$more
        echo -n '$answer';
    }
_CONF_

    $block->set_value(request => ["POST /order\n{}", "POST /order\n{}"]);
    $block->set_value(more_headers =>
        "Authorization: Bearer t\nContent-Type: application/json\n"
        . "Idempotency-Key: k");
});

run_tests();

__DATA__

=== TEST 1: the member becomes true, and nothing else changes
--- answer
{ "success":true,"data":{"total":19.90,"idempotent": false ,"note":"\u0e01"} }
--- response_body eval
['{ "success":true,"data":{"total":19.90,"idempotent": false ,"note":"\u0e01"} }',
 '{ "success":true,"data":{"total":19.90,"idempotent": true ,"note":"\u0e01"} }']
--- response_headers eval
["! Idempotent-Replayed", "Content-Length: 77\nIdempotent-Replayed: true"]



=== TEST 2: whatever the value was
--- answer
{"data":{"idempotent":{"a":[1,2]}},"x":1}
--- response_body eval
['{"data":{"idempotent":{"a":[1,2]}},"x":1}', '{"data":{"idempotent":true},"x":1}']



=== TEST 3: one that is not there is not added
--- answer
{"data":{"x":1}}
--- response_body eval
['{"data":{"x":1}}', '{"data":{"x":1}}']



=== TEST 4: in an element
--- rules
        order_guard_idempotency_mark /0/replayed;
--- answer
[{"replayed":null}]
--- response_body eval
['[{"replayed":null}]', '[{"replayed":true}]']



=== TEST 5: no JSON is touched that is not strict
--- answer
{"data":{"idempotent":false},}
--- response_body eval
['{"data":{"idempotent":false},}', '{"data":{"idempotent":false},}']



=== TEST 6: nor what does not say that it is JSON
--- type: text/plain
--- answer
{"data":{"idempotent":false}}
--- response_body eval
['{"data":{"idempotent":false}}', '{"data":{"idempotent":false}}']



=== TEST 7: nor what is encoded
--- upstream
        add_header Content-Encoding x-own;
--- answer
{"data":{"idempotent":false}}
--- response_body eval
['{"data":{"idempotent":false}}', '{"data":{"idempotent":false}}']



=== TEST 8: a digest of the body does not stay
--- rules
        order_guard_idempotency_headers Content-Digest ETag;
        order_guard_idempotency_mark /a;
--- upstream
        add_header Content-Digest "sha-256=:abc:";
        add_header ETag '"v"';
--- answer
{"a":0}
--- response_body eval
['{"a":0}', '{"a":true}']
--- response_headers eval
["Content-Digest: sha-256=:abc:\nETag: \"v\"", "! Content-Digest\nETag: \"v\""]



=== TEST 9: taken back in an inner level
--- config
    order_guard_idempotency_mark /a;

    location = /order {
        order_guard on;
        order_guard_idempotency required;
        order_guard_idempotency_mark off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        default_type application/json;
        echo -n '{"a":0}';
    }
--- response_body eval
['{"a":0}', '{"a":0}']
