# order_guard_limit_headers: what answers tell of limits, and when a refused
# caller is to come again.
#
# The first request over a limit is refused by the store, those after it by
# the gateway's own memory: both say the same.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

# Once: what is over its limit stays known to the gateway.
repeat_each(1);
no_long_string();

# "later": for each request the member that says when to come again.  It is
# never earlier than what the limit says, and at most a tenth later.
add_block_preprocessor(sub {
    my ($block) = @_;
    my $rules = $block->rules // '';
    my $upstream = $block->upstream // 'echo made;';

    $block->set_value(http_config => <<'_CONF_');
    order_guard_store main $TEST_NGINX_STORE;
_CONF_

    $block->set_value(config => <<"_CONF_" . ($block->config // ''));
    location /order {
        order_guard on;
$rules
        add_header X-Limit \$order_guard_limit always;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        default_type application/json;
        $upstream
    }
_CONF_

    my $later = $block->later // return;
    $block->set_value(raw_response_headers_like =>
        [map { defined $_ ? later($_) : '' } @{ eval $later }]);
});

run_tests();


# A pattern for headers with a Retry-After that fits the seconds in $member.
sub later {
    my ($member) = @_;

    return qr/^(?=.*^Retry-After:[ ](\d+)\r\n)(?=.*$member(\d+)\b)
              (?(?{ $1 < $2 || $1 > $2 + $2 \/ 10 })(?!))/xms;
}

__DATA__

=== TEST 1: draft
--- rules
        order_guard_limit 2r/h;
        order_guard_limit_headers draft;
--- request eval
[map { "GET /order" } 1 .. 4]
--- error_code eval
[200, 200, 429, 429]
--- response_headers_like eval
[map { "RateLimit-Policy: \"2r/h\";q=2;w=3600\nRateLimit: \"2r/h\";r=$_;t=3[5-7]\\d\\d" }
     (1, 0, 0, 0)]
--- raw_response_headers_unlike eval
[("X-RateLimit|Retry-After") x 2, ("X-RateLimit") x 2]



=== TEST 2: draft: when to come again
--- rules
        order_guard_limit 2r/h;
--- request eval
[map { "GET /order" } 1 .. 12]
--- error_code eval
[200, 200, (429) x 10]
--- later
[undef, undef, ('RateLimit:[ ]"2r\/h";r=0;t=') x 10]



=== TEST 3: legacy
--- rules
        order_guard_limit 2r/h;
        order_guard_limit_headers legacy;
--- request eval
[map { "GET /order" } 1 .. 4]
--- error_code eval
[200, 200, 429, 429]
--- response_headers_like eval
[map { "X-RateLimit-Limit: 2\nX-RateLimit-Remaining: $_\nX-RateLimit-Reset: 3[5-7]\\d\\d" }
     (1, 0, 0, 0)]
--- raw_response_headers_unlike eval
[("^RateLimit|Retry-After") x 2, ("\nRateLimit") x 2]



=== TEST 4: legacy: when to come again
--- rules
        order_guard_limit 2r/h;
        order_guard_limit_headers legacy;
--- request eval
[map { "GET /order" } 1 .. 12]
--- error_code eval
[200, 200, (429) x 10]
--- later
[undef, undef, ('X-RateLimit-Reset:[ ]') x 10]



=== TEST 5: both
--- rules
        order_guard_limit 2r/h;
        order_guard_limit_headers both;
--- request eval
[map { "GET /order" } 1 .. 4]
--- error_code eval
[200, 200, 429, 429]
--- response_headers_like eval
[map { "RateLimit-Policy: \"2r/h\";q=2;w=3600\nRateLimit: \"2r/h\";r=$_;t=3[5-7]\\d\\d\n"
       . "X-RateLimit-Limit: 2\nX-RateLimit-Remaining: $_\nX-RateLimit-Reset: 3[5-7]\\d\\d" }
     (1, 0, 0, 0)]



=== TEST 6: off: only when to come again is told
--- rules
        order_guard_limit 2r/h;
        order_guard_limit_headers off;
--- request eval
[map { "GET /order" } 1 .. 4]
--- error_code eval
[200, 200, 429, 429]
--- response_headers_like eval
[("X-Limit: PASSED") x 2, ("X-Limit: REJECTED\nRetry-After: (3[5-9]|4[01])\\d\\d") x 2]
--- raw_response_headers_unlike eval
[("RateLimit|Retry-After") x 2, ("RateLimit") x 2]



=== TEST 7: a window of a second: never at once
--- rules
        order_guard_limit 1r/s;
        order_guard_limit_headers off;
--- request eval
[map { "GET /order" } 1 .. 3]
--- error_code eval
[200, 429, 429]
--- response_headers_like eval
["X-Limit: PASSED", ("Retry-After: [12]") x 2]



=== TEST 8: several: each has a member, the legacy ones tell of the tightest
--- rules
        order_guard_limit 100r/10s;
        order_guard_limit 3r/d;
        order_guard_limit 7r/2m "name=a/b,c=d'e";
        order_guard_limit_headers both;
--- request
GET /order
--- response_headers_like
RateLimit-Policy: "100r/10s";q=100;w=10, "3r/d";q=3;w=86400, "a/b,c=d'e";q=7;w=120
RateLimit: "100r/10s";r=99;t=1[01], "3r/d";r=2;t=\d{5}, "a/b,c=d'e";r=6;t=12\d
X-RateLimit-Limit: 3
X-RateLimit-Remaining: 2
X-RateLimit-Reset: \d{5}



=== TEST 9: several, and one of them refuses
--- rules
        order_guard_limit 100r/h;
        order_guard_limit 1r/d;
        order_guard_limit_headers both;
--- request eval
[map { "GET /order" } 1 .. 4]
--- error_code eval
[200, (429) x 3]
--- response_headers_like eval
["RateLimit: \"100r/h\";r=99;t=3[5-7]\\d\\d, \"1r/d\";r=0;t=\\d{5}\nX-RateLimit-Limit: 1\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: \\d{5}",
 "RateLimit: \"100r/h\";r=\\d+;t=3[5-7]\\d\\d, \"1r/d\";r=0;t=\\d{5}\nX-RateLimit-Limit: 1\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: \\d{5}",
 ("RateLimit-Policy: \"100r/h\";q=100;w=3600, \"1r/d\";q=1;w=86400\n"
  . "RateLimit: \"1r/d\";r=0;t=\\d{5}\nX-RateLimit-Limit: 1\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: \\d{5}") x 2]



=== TEST 10: the one that refuses says when to come again
--- rules
        order_guard_limit 2r/d;
        order_guard_limit 1r/h;
--- request eval
[map { "GET /order" } 1 .. 4]
--- error_code eval
[200, (429) x 3]
--- later
[undef, ('"1r\/h";r=0;t=') x 3]



=== TEST 11: the later one of two that refuse
--- rules
        order_guard_limit 1r/d;
        order_guard_limit 1r/h;
--- request eval
[map { "GET /order" } 1 .. 4]
--- error_code eval
[200, (429) x 3]
--- later
[undef, ('"1r\/d";r=0;t=') x 3]



=== TEST 12: an upstream's own members are kept
--- rules
        order_guard_limit 5r/h;
--- upstream
        add_header RateLimit '"upstream";r=7;t=1';
        add_header RateLimit-Policy '"upstream";q=8;w=1';
        echo made;
--- request
GET /order
--- response_headers_like
RateLimit: "upstream";r=7;t=1, "5r/h";r=4;t=3[67]\d\d
RateLimit-Policy: "upstream";q=8;w=1, "5r/h";q=5;w=3600



=== TEST 13: an upstream's own 429 is an answer that was counted
--- rules
        order_guard_limit 5r/h;
--- upstream
        add_header Retry-After 7 always;
        return 429;
--- request
GET /order
--- error_code: 429
--- response_headers_like
Retry-After: 7
RateLimit: "5r/h";r=4;t=3[67]\d\d
X-Limit: PASSED



=== TEST 14: errors of the upstream tell of limits, too
--- rules
        order_guard_limit 5r/h;
        order_guard_limit_headers both;
--- upstream
        return 404;
--- request
GET /order
--- error_code: 404
--- response_headers_like
Content-Type: application/problem\+json
RateLimit: "5r/h";r=4;t=3[67]\d\d
X-RateLimit-Remaining: 4



=== TEST 15: an answer without a body, too
--- rules
        order_guard_limit 1r/h;
--- request eval
["HEAD /order", "HEAD /order", "HEAD /order"]
--- error_code eval
[200, 429, 429]
--- response_headers_like eval
[map { "RateLimit: \"1r/h\";r=0;t=3[5-7]\\d\\d" } 1 .. 3]



=== TEST 16: what was not counted tells of none
--- rules
        order_guard_limit 1r/h;
        order_guard_limit 1r/h name=shop key=$arg_shop;
        order_guard_limit_headers both;
        order_guard_idempotency optional;
--- request eval
["OPTIONS /order", "POST /order\n{}", "POST /order\n{}", "POST /order\n{}", "GET /order"]
--- more_headers eval
["", "Content-Type: application/json",
 ("Content-Type: application/json\nAuthorization: Bearer t\nIdempotency-Key: k") x 2,
 ""]
--- error_code eval
[200, 401, 200, 200, 200]
--- response_headers_like eval
["X-Limit:", "X-Limit:", "X-Limit: PASSED\nRateLimit-Policy: \"1r/h\";q=1;w=3600\nRateLimit: \"1r/h\";r=0;t=\\d+",
 "Idempotent-Replayed: true", "RateLimit-Policy: \"1r/h\";q=1;w=3600"]
--- raw_response_headers_unlike eval
[("RateLimit|Retry-After") x 2, "shop", "RateLimit|Retry-After", "shop"]



=== TEST 17: a finished order is replayed to a caller who is denied
--- rules
        order_guard_limit 1r/h;
        order_guard_idempotency optional;
--- request eval
["POST /order\n{}", "GET /order", "GET /order", "POST /order\n{}", "GET /order"]
--- more_headers eval
["Content-Type: application/json\nAuthorization: Bearer t\nIdempotency-Key: k",
 ("Authorization: Bearer t") x 2,
 "Content-Type: application/json\nAuthorization: Bearer t\nIdempotency-Key: k",
 "Authorization: Bearer t"]
--- error_code eval
[200, 429, 429, 200, 429]
--- response_headers eval
["! Idempotent-Replayed", ("RateLimit-Policy: \"1r/h\";q=1;w=3600") x 2,
 "Idempotent-Replayed: true\n! RateLimit-Policy\n! RateLimit\n! Retry-After",
 "RateLimit-Policy: \"1r/h\";q=1;w=3600"]
