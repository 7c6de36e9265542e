# T10, T11: a body is policed the same wherever nginx has put it.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

add_block_preprocessor(sub {
    my ($block) = @_;

    # "where" are the directives that say where a body goes
    my $where = $block->where // return;

    $block->set_value(config => <<"_CONF_");
    location = /order {
        order_guard on;
        order_guard_strip price;
        client_max_body_size 1m;
$where
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        client_max_body_size 1m;
        client_body_buffer_size 1m;
        add_header X-Length "\$content_length \$http_transfer_encoding.";
        echo_read_request_body;
        echo_request_body;
    }
_CONF_

    my $size = $block->size // return;

    # both price members go, all else arrives
    my $x = 'x' x ($size / 2);
    my $sent = qq[{ "a":"$x", "price":{"b":[1]}, "c" : 1.50,"d":"$x" ,"Price":1}];
    my $kept = qq[{ "a":"$x", "c" : 1.50,"d":"$x" }];

    if (defined $block->chunked) {
        my $chunks = join '', map { sprintf "%x\r\n%s\r\n", length, $_ }
                              unpack '(a1000)*', $sent;
        $block->set_value(raw_request =>
            "POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
            . "Content-Type: application/json\r\n"
            . "Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n");
    } else {
        $block->set_value(request => "POST /order\n$sent");
        $block->set_value(more_headers => 'Content-Type: application/json');
    }

    $block->set_value(response_body => $kept);
    $block->set_value(response_headers => 'X-Length: ' . length($kept) . ' .');
});

run_tests();

__DATA__

=== TEST 1: in memory
--- where
--- size: 100



=== TEST 2: in several buffers
--- where
        client_body_buffer_size 64k;
--- size: 20000



=== TEST 3: in a temporary file
--- where
        client_body_buffer_size 1k;
--- size: 100000



=== TEST 4: in a file by order of the operator
--- where
        client_body_in_file_only on;
--- size: 100



=== TEST 5: in a file that is removed
--- where
        client_body_in_file_only clean;
--- size: 20000



=== TEST 6: in a single buffer
--- where
        client_body_in_single_buffer on;
        client_body_buffer_size 256k;
--- size: 200000



=== TEST 7: unbuffered by order of the operator
--- where
        proxy_request_buffering off;
--- size: 50000



=== TEST 8: unbuffered over HTTP/1.1
--- where
        proxy_request_buffering off;
        proxy_http_version 1.1;
--- size: 50000



=== TEST 9: chunked, in memory
--- where
--- size: 100
--- chunked



=== TEST 10: chunked, in a temporary file
--- where
        client_body_buffer_size 1k;
--- size: 50000
--- chunked



=== TEST 11: chunked, unbuffered
--- where
        proxy_request_buffering off;
        proxy_http_version 1.1;
--- size: 50000
--- chunked



=== TEST 12: chunked, in a file that is removed
--- where
        client_body_in_file_only clean;
--- size: 3000
--- chunked



=== TEST 13: the limit holds where the length is not known before
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        order_guard_body_limit 1k;
        client_body_buffer_size 128;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        echo not reached;
    }
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
. "Transfer-Encoding: chunked\r\n\r\n"
. ("64\r\n" . ' ' x 100 . "\r\n") x 11 . "2\r\n{}\r\n0\r\n\r\n"
--- error_code: 413
--- response_body_like: "code":"BODY_TOO_LARGE"



=== TEST 14: exactly the limit, chunked
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        order_guard_body_limit 1k;
        client_body_buffer_size 128;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        echo_read_request_body;
        echo_request_body;
    }
--- raw_request eval
"POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
. "Transfer-Encoding: chunked\r\n\r\n"
. ("e\r\n" . ' ' x 14 . "\r\n") x 73 . "2\r\n{}\r\n0\r\n\r\n"
--- response_body eval
' ' x 1022 . '{}'



=== TEST 15: a body in pieces
--- where
        client_body_buffer_size 16;
--- raw_request eval
["POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\n",
 "Content-Type: application/json\r\nContent-Length: 32\r\n\r\n",
 '{"a":1,"pri', 'ce":{"', 'x":1},"b":"é', '"}']
--- raw_request_middle_delay: 0.02
--- response_body chop
{"a":1,"b":"é"}



=== TEST 16: T9, the connection outlives refusals
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        echo_read_request_body;
        echo_request_body;
    }
--- pipelined_requests eval
["POST /order\n{", "POST /order\n[1]", "POST /order\n{\"a\":1,}", "POST /order\n[2]"]
--- more_headers
Content-Type: application/json
--- error_code eval
[400, 200, 400, 200]
--- response_body_like eval
[qr/BODY_MALFORMED/, qr/^\[1\]$/, qr/BODY_MALFORMED/, qr/^\[2\]$/]



=== TEST 17: the digests of a body that was changed are removed
--- config
    location = /order {
        order_guard on;
        order_guard_strip price;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        echo "[$http_content_md5][$http_digest][$http_content_digest][$http_repr_digest]";
    }
--- request eval
["POST /order\n{\"price\":1}", "POST /order\n{\"cost\":1}"]
--- more_headers
Content-Type: application/json
Content-MD5: a
Digest: b
Content-Digest: c
Repr-Digest: d
--- response_body eval
["[][][][]\n", "[a][b][c][d]\n"]



=== TEST 18: a body of which nothing goes stays in its file
--- config
    location /order {
        order_guard on;
        order_guard_strip price;
        client_body_in_file_only clean;
        proxy_set_header X-File "$request_body_file";
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/file;
    }

    location /file {
        echo "[$http_x_file]";
    }
--- request eval
["POST /order\n{\"sku\":1}", "POST /order\n{\"price\":1}"]
--- more_headers
Content-Type: application/json
--- response_body_like eval
[qr{^\[/.*/\d+\]$}, qr{^\[\]$}]



=== TEST 19: and in its buffers
--- config
    location /order {
        order_guard on;
        order_guard_strip price;
        client_body_buffer_size 64k;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/upstream;
    }

    location = /upstream {
        echo_read_request_body;
        echo_request_body;
    }
--- raw_request eval
my $body = '{"sku":"' . 'a' x 3000 . '"}';
["POST /order HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n"
 . substr($body, 0, 100), substr($body, 100)]
--- raw_request_middle_delay: 0.02
--- response_body_like: ^\{"sku":"a{3000}"\}$
--- grep_error_log eval: qr/chain writer buf fl:\d s:(?:100|2910)/
--- grep_error_log_out
chain writer buf fl:0 s:100
chain writer buf fl:1 s:2910
