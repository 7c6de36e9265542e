# Variables: what each says, in logs and headers, in guarded locations, in
# others, in subrequests and after internal redirects.

use Digest::SHA qw(sha256_hex);

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

# Ids that stand in blocks.  Another way to make them would lose all records.
is(substr(sha256_hex(pack '(Q>/a*)2', 'token', $_->[0]), 0, 16), $_->[1],
   "the id of $_->[0]")
    for ['s3cret', '5dc7edc37f848019'], ['127.0.0.1', 'a25df1b84a412c47'];

# "caller_is" is the name of the caller that the keys of the store begin with.
after_response(sub {
    my ($block, $body, $index) = @_;
    my $id = $block->caller_is // return;
    return unless store_is_redis();
    chomp $id;

    my @keys = grep { !/epoch$/ } @{ redis_cmd('KEYS', '*') };
    ok(@keys && !(grep { !/^og:\{\Q$id\E\}:/ } @keys),
       "the keys begin with the caller: @keys");
});

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => <<'_CONF_' . ($block->http // ''));
    order_guard_store main $TEST_NGINX_STORE;
    order_guard_store dead redis://127.0.0.1:$TEST_NGINX_DEAD_PORT;

    log_format guard 'log: bearer=$order_guard_bearer '
                     'id=$order_guard_token_id '
                     'stripped=$order_guard_stripped '
                     'idempotency=$order_guard_idempotency '
                     'limit=$order_guard_limit '
                     'error=$order_guard_error_code '
                     'time=$order_guard_store_time '
                     'body=$order_guard_body_ref';
    access_log logs/access.log guard;
_CONF_

    my $config = $block->config // '';

    # The upstream of every block; its errors are of a type of their own.
    $config .= <<'_CONF_';
    location = /echo {
        echo_read_request_body;
        echo_request_body;
    }

    location = /fail {
        default_type application/json;
        return 400 '{"code":"NO_STOCK"}';
    }
_CONF_

    # A guarded location that says what a member of the body is.
    my $member = $block->member;
    if (defined $member) {
        chomp $member;
        my $rules = $block->rules // '';
        $config .= <<"_CONF_";
    location = /order {
        order_guard on;
        order_guard_strip price;
$rules
        echo -n "[\$order_guard_body_$member]";
    }
_CONF_
        $block->set_value(more_headers => 'Content-Type: application/json')
            unless defined $block->more_headers;
    }

    $block->set_value(config => $config);

    # The log is written when the answer has left.
    $block->set_value(wait => '0.1') if defined $block->access_log;

    my $body = $block->body // return;
    chomp $body;
    $block->set_value(request => "POST /order\n$body");
});

run_tests();

__DATA__

=== TEST 1: an order that passes
--- config
    location = /order {
        order_guard on;
        order_guard_strip price /a~1b;
        order_guard_idempotency required;
        order_guard_limit 60r/m;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        add_header X-Id $order_guard_token_id;
        add_header X-Stripped $order_guard_stripped;
        add_header X-Idempotency $order_guard_idempotency;
        add_header X-Limit $order_guard_limit;
        add_header X-Error "[$order_guard_error_code]";
        add_header X-Time $order_guard_store_time;
        add_header X-Body $order_guard_body_ref;
    }
--- request
POST /order
{"ref":"r-1","price":1,"a/b":2,"items":[{"PRICE":3}]}
--- more_headers
Content-Type: application/json
Authorization: Bearer s3cret
Idempotency-Key: k
--- response_body: {"ref":"r-1","items":[{}]}
--- response_headers
X-Id: 5dc7edc37f848019
X-Stripped: /price,/a~1b,/items/0/PRICE
X-Idempotency: CLAIMED
X-Limit: PASSED
X-Error: []
X-Body: r-1
--- response_headers_like
X-Time: 0\.\d{3}
--- access_log eval
[qr{log: bearer=s3cret id=5dc7edc37f848019 stripped=/price,/a~1b,/items/0/PRICE idempotency=CLAIMED limit=PASSED error=- time=0\.\d{3} body=r-1$}]
--- caller_is: 5dc7edc37f848019
--- log_level: info
--- no_error_log
s3cret



=== TEST 2: where the guard is off only the token is known
--- config
    location = /order {
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
        add_header X-All "$order_guard_bearer/$order_guard_token_id/$order_guard_stripped/$order_guard_idempotency/$order_guard_limit/$order_guard_error_code/$order_guard_store_time/$order_guard_body_ref";
    }
--- request
POST /order
{"ref":"r-1","price":1}
--- more_headers
Content-Type: application/json
Authorization: Bearer s3cret
--- response_headers
X-All: s3cret///////
--- response_body: {"ref":"r-1","price":1}
--- access_log eval
[qr{log: bearer=s3cret id=- stripped=- idempotency=- limit=- error=- time=- body=-$}]



=== TEST 3: a request that the guard does not meet
--- config
    location = /order {
        order_guard on;
        order_guard_limit 60r/m;
        return 204;
    }
--- request
POST /order
{}
--- more_headers
Authorization: Bearer s3cret
--- error_code: 204
--- access_log
log: bearer=s3cret id=- stripped=- idempotency=- limit=- error=- time=- body=-



=== TEST 4: a malformed request, which no location has
--- raw_request eval
"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n"
--- config
--- error_code: 400
--- access_log
log: bearer=- id=- stripped=- idempotency=- limit=- error=- time=- body=-



=== TEST 5: the bearer
--- config
    location = /t { echo -n "[$order_guard_bearer]"; }
--- request eval
[("GET /t") x 7]
--- more_headers eval
["", "Authorization: Bearer abc", "Authorization: bearer abc",
 "Authorization: Basic YTpi", "Authorization: Bearer",
 "Authorization: Bearer   abc", "Authorization: Bearerabc"]
--- response_body eval
["[]", "[abc]", "[abc]", "[]", "[]", "[abc]", "[]"]



=== TEST 6: the id of a caller: one for each token, none for an address
--- config
    location = /order {
        order_guard on;
        order_guard_limit 60r/m;
        order_guard_token $http_x_token optional;
        add_header X-Id "[$order_guard_token_id]" always;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request eval
[("GET /order") x 4]
--- more_headers eval
["X-Token: a", "X-Token: b", "X-Token: a", ""]
--- response_headers_like eval
["X-Id: \\[[0-9a-f]{16}\\]", "X-Id: \\[[0-9a-f]{16}\\]",
 "X-Id: \\[[0-9a-f]{16}\\]", "X-Id: \\[\\]"]



=== TEST 7: the id is a digest: no token poses as an address
--- config
    location = /order {
        order_guard on;
        order_guard_limit 60r/m;
        order_guard_token $http_x_token optional;
        add_header X-Id $order_guard_token_id always;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request
GET /order
--- more_headers
X-Token: 127.0.0.1
--- response_headers
X-Id: a25df1b84a412c47
--- caller_is: a25df1b84a412c47



=== TEST 8: idempotency
--- config
    location = /order {
        order_guard on;
        order_guard_token $http_x_token optional;
        order_guard_idempotency optional;
        add_header X-Found $order_guard_idempotency always;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }

    location = /down {
        order_guard on;
        order_guard_token $http_x_token optional;
        order_guard_idempotency optional store=dead;
        order_guard_idempotency_on_failure pass;
        add_header X-Found $order_guard_idempotency always;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request eval
["POST /order\n{}", "POST /order\n{}", "POST /order\n[]", "POST /order\n{}",
 "POST /order\n{}", "POST /order\n{}", "POST /down\n{}", "GET /order"]
--- more_headers eval
[map { "Content-Type: application/json\n$_" }
 "X-Token: t\nIdempotency-Key: k", "X-Token: t\nIdempotency-Key: k",
 "X-Token: t\nIdempotency-Key: k", "X-Token: t\nIdempotency-Key: a b",
 "X-Token: t", "Idempotency-Key: k", "X-Token: t\nIdempotency-Key: k",
 "X-Token: t\nIdempotency-Key: k"]
--- error_code eval
[200, 200, 422, 400, 200, 200, 200, 200]
--- response_headers eval
[(map { "X-Found: $_" } qw(CLAIMED REPLAYED REUSED INVALID MISSING BYPASSED
                           BYPASSED)),
 "! X-Found"]



=== TEST 9: a required key that is missing
--- config
    location = /order {
        order_guard on;
        order_guard_idempotency required;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request
POST /order
{}
--- more_headers
Content-Type: application/json
Authorization: Bearer t
--- error_code: 400
--- access_log eval
[qr/ idempotency=MISSING limit=- error=IDEMPOTENCY_KEY_REQUIRED time=- /]



=== TEST 10: error codes: ours, nginx's, the upstream's, none
--- config
    location /order {
        order_guard on;
        order_guard_strip price;
        add_header X-Code "[$order_guard_error_code]" always;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;

        location = /order/fail {
            add_header X-Code "[$order_guard_error_code]" always;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;
        }

        location = /order/down {
            add_header X-Code "[$order_guard_error_code]" always;
            proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
        }

        location = /order/missing {
            add_header X-Code "[$order_guard_error_code]" always;
            root html/nothing;
        }

        location = /order/skipped {
            order_guard_error_skip 400;
            add_header X-Code "[$order_guard_error_code]" always;
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/fail;
        }
    }
--- request eval
["POST /order\n{}", "POST /order\n{", "POST /order/fail\n{}",
 "POST /order/down\n{}", "GET /order/missing", "POST /order/skipped\n{}"]
--- more_headers
Content-Type: application/json
--- error_code eval
[200, 400, 400, 502, 404, 400]
--- response_headers eval
[map { "X-Code: [$_]" } '', qw(BODY_MALFORMED NO_STOCK UPSTREAM_UNREACHABLE
                               NOT_FOUND), '']



=== TEST 11: time of a store that is not asked
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request
POST /order
{"price":1,"ref":2}
--- more_headers
Content-Type: application/json
--- access_log eval
[qr{ stripped=/price idempotency=- limit=- error=- time=- body=2$}]



=== TEST 12: a string
--- member: ref
--- body
{"a":1,"ref":"r-1","b":2}
--- response_body: [r-1]



=== TEST 13: a string with escapes
--- member: ref
--- body
{"ref":"\"\\\/\u0041\u00e9\u0e1c\ud83d\ude00é"}
--- response_body: ["\/Aéผ😀é]



=== TEST 14: an empty string
--- member: ref
--- body
{"ref":""}
--- response_body: []



=== TEST 15: a name with escapes
--- member: ref
--- body
{"r\u0065f":"r-1"}
--- response_body: [r-1]



=== TEST 16: every digit of a number
--- member: ref
--- body
{"ref": 12345678901234567890.10 }
--- response_body: [12345678901234567890.10]



=== TEST 17: a number as it was written
--- member: ref
--- body
{"ref":-0.50E+007}
--- response_body: [-0.50E+007]



=== TEST 18: neither string nor number
--- member: ref
--- request eval
[map { qq{POST /order\n{"ref":$_}} } qw(true false null [1] {"ref":1})]
--- response_body eval
[("[]") x 5]



=== TEST 19: no such member
--- member: ref
--- request eval
[map { "POST /order\n$_" } '{}', '{"other":{"ref":1}}', '[{"ref":1}]', '"ref"',
                           '{"reference":1}', '{"re":1}']
--- response_body eval
[("[]") x 6]



=== TEST 20: no body
--- member: ref
--- request
POST /order
--- response_body: []



=== TEST 21: what is stripped is not there
--- member: price
--- body
{"price":"1","ref":2}
--- response_body: []



=== TEST 22: what is not allowed is not there
--- member: ref
--- rules
    order_guard_allow other;
--- body
{"ref":"1","other":2}
--- response_body: []



=== TEST 23: names in camel case, which nginx lowers in names of variables
--- member: orderId
--- body
{"orderId":"o-1"}
--- response_body: [o-1]



=== TEST 24: names with an underscore and digits
--- member: reference_id2
--- body
{"reference_id2":"o-1"}
--- response_body: [o-1]



=== TEST 25: a line end in a value is no line end of a header
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        add_header X-Ref "[$order_guard_body_ref]";
        proxy_set_header X-Ref "[$order_guard_body_ref]";
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/headers;
    }

    location = /headers {
        echo -n "evil=$http_x_evil";
    }
--- request
POST /order
{"ref":"a\r\nX-Evil: 1\r\nX-B: "}
--- more_headers
Content-Type: application/json
--- response_headers
! X-Evil
--- response_body: evil=



=== TEST 26: before the body is read, and after it
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        set $early "[$order_guard_body_ref]";
        add_header X-Early $early;
        add_header X-Late "[$order_guard_body_ref]";
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/echo;
    }
--- request
POST /order
{"ref":"r-1"}
--- more_headers
Content-Type: application/json
--- response_headers
X-Early: []
X-Late: [r-1]



=== TEST 27: fields are not needed for it
--- config
    location = /order {
        order_guard on;
        echo -n "[$order_guard_body_ref]";
    }
--- request
POST /order
{"ref":"r-1"}
--- more_headers
Content-Type: application/json
--- response_body: [r-1]



=== TEST 28: a subrequest sees what its main request is
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        order_guard_limit 60r/m;
        order_guard_token $http_x_token;
        echo_location /sub;
        echo " main: $order_guard_stripped $order_guard_body_ref";
    }

    location = /sub {
        internal;
        echo -n "sub: $order_guard_token_id $order_guard_stripped $order_guard_limit $order_guard_body_ref";
    }
--- request
POST /order
{"ref":"r-1","price":2}
--- more_headers
Content-Type: application/json
X-Token: 127.0.0.1
--- response_body
sub: a25df1b84a412c47 /price PASSED r-1 main: /price r-1



=== TEST 29: a guarded subrequest of an unguarded request
--- config
    location = /order {
        echo_location /sub;
        echo " main";
    }

    location = /sub {
        internal;
        order_guard on;
        order_guard_limit 60r/m;
        order_guard_token $host;
        echo -n "sub: [$order_guard_token_id][$order_guard_limit][$order_guard_body_ref]";
    }
--- request
GET /order
--- response_body
sub: [][][] main



=== TEST 30: after error_page
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        order_guard_limit 60r/m;
        order_guard_token $http_x_token;
        error_page 502 = /page;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location = /page {
        internal;
        echo -n "page: $order_guard_token_id $order_guard_stripped $order_guard_limit $order_guard_body_ref";
    }
--- request
POST /order
{"ref":"r-1","price":2}
--- more_headers
Content-Type: application/json
X-Token: 127.0.0.1
--- response_body: page: a25df1b84a412c47 /price PASSED r-1
--- access_log eval
[qr{ id=a25df1b84a412c47 stripped=/price .* limit=PASSED .* body=r-1$}]



=== TEST 31: after a redirect to a named location
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        error_page 502 = @page;
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }

    location @page {
        echo -n "page: $order_guard_stripped $order_guard_body_ref";
    }
--- request
POST /order
{"ref":"r-1","price":2}
--- more_headers
Content-Type: application/json
--- response_body: page: /price r-1



=== TEST 32: after X-Accel-Redirect
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/accel;
    }

    location = /accel {
        add_header X-Accel-Redirect /page;
        return 200;
    }

    location = /page {
        internal;
        echo -n "page: $order_guard_stripped $order_guard_body_ref";
    }
--- request
POST /order
{"ref":"r-1","price":2}
--- more_headers
Content-Type: application/json
--- response_body: page: /price r-1



=== TEST 33: after try_files
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        try_files /nothing @page;
    }

    location @page {
        echo -n "page: $order_guard_stripped $order_guard_body_ref";
    }
--- request
POST /order
{"ref":"r-1","price":2}
--- more_headers
Content-Type: application/json
--- response_body: page: /price r-1
