# The harness itself: what the other files build on does what they think,
# under Test::Nginx and under the stand-in.  Needs no module but echo.

use Test::Nginx::Socket;

repeat_each(2);
no_shuffle();

# Per repetition; the checks at the shutdown of nginx come once.
plan tests => repeat_each() * 144 + 4;

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();
$ENV{TEST_NGINX_WORD} = 'expanded';

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => 'map $uri $from_hook { default yes; }')
        if $block->name =~ /hooks/;
});

# One check more for each answer of each block with this section.
add_response_body_check(sub {
    my ($block, $body, $index, $repetition, $dry_run) = @_;

    return unless defined $block->body_length;
    is(length $body, $block->body_length->[$index],
       $block->name . " - own check, request $index");
});

run_tests();

__DATA__

=== GET
--- config
    location = /t {
        return 200 "hello\n";
    }
--- request
GET /t
--- response_body
hello



=== POST, method and headers that the harness makes
--- config
    location = /t {
        echo_read_request_body;
        echo "$request_method $http_host $http_connection $http_content_length";
        echo_request_body;
    }
--- request
POST /t
{"a": 1}
--- response_body chomp
POST localhost close 8
{"a": 1}



=== white space around the body is not sent, that inside is
--- config
    location = /t {
        echo_read_request_body;
        echo_request_body;
    }
--- request eval
"PUT /t\n\n  a\r\n b \n\n"
--- response_body eval
"a\r\n b"



=== a length given by the test keeps the body as it is
--- config
    location = /t {
        echo_read_request_body;
        echo_request_body;
    }
--- request eval
"POST /t\n abc \n"
--- more_headers
Content-Length: 6
--- response_body eval
" abc \n"



=== a chunked request through the request section
--- config
    location = /t {
        echo_read_request_body;
        echo_request_body;
    }
--- request eval
"POST /t\n3\r\nabc\r\n0\r\n\r\n"
--- more_headers
Transfer-Encoding: chunked
--- response_body chomp
abc



=== comments before the request, HTTP/1.0
--- config
    location = /t {
        return 200 "$server_protocol $args";
    }
--- request
# nobody sees this
GET /t?a=1 HTTP/1.0
--- response_body chomp
HTTP/1.0 a=1



=== 404 of the root location, index page and user files
--- config
    location /files/ {
        alias $TEST_NGINX_HTML_DIR/;
    }
--- user_files
>>> a.txt
one
>>> sub/b.json
{
}
--- request eval
["GET /nothing", "GET /", "GET /a.txt", "GET /files/sub/b.json"]
--- error_code eval
[404, 200, 200, 200]
--- response_body_like eval
["404 Not Found", "It works!", qr/^one$/, '^\{\n\}\n$']



=== user files as a list
--- config
--- user_files eval
[["a.bin" => "\0\xff"]]
--- request
GET /a.bin
--- response_body eval
"\0\xff"



=== must_die
--- config
    no_such_directive on;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
unknown directive "no_such_directive"
--- no_error_log
[alert]



=== must_die with an exit code
--- config
    listen nonsense:port;
--- must_die: 1
--- suppress_stderr



=== a list of requests with headers, status and bodies each
--- config
    location = /t {
        add_header X-Seen $http_x_token always;
        return 200 "$request_method\n";
    }
    location = /refused {
        add_header X-Seen $http_x_token always;
        return 403 "$request_method\n";
    }
--- request eval
["GET /t", "DELETE /refused", "POST /t\nabc"]
--- more_headers eval
["X-Token: a", "", "X-Token: c\nX-Other: d"]
--- error_code eval
[200, 403, 200]
--- response_headers eval
["X-Seen: a", "! X-Seen", "X-Seen: c"]
--- response_body eval
["GET\n", qr/^DELETE$/, "POST\n"]
--- no_error_log
[error]



=== one set of headers for a list of requests
--- config
    location = /t {
        return 200 "$http_x_token$http_host";
    }
--- request eval
["GET /t", "GET /t"]
--- more_headers
X-Token: a
Host: example.org
--- response_body eval
["aexample.org", "aexample.org"]



=== HEAD, 204 and 304 have no body
--- config
    location = /t {
        return 200 "hello";
    }
    location = /empty {
        return 204;
    }
--- request eval
["HEAD /t", "GET /empty"]
--- error_code eval
[200, 204]
--- response_body eval
["", ""]



=== pipelined
--- config
    location = /t {
        echo_read_request_body;
        echo -n "$http_connection ";
        echo_request_body;
    }
    location = /short {
        return 200 "$http_connection $http_x_token";
    }
--- pipelined_requests eval
["POST /t\nfirst", "GET /short", "POST /t\nthird"]
--- more_headers
X-Token: a
--- error_code eval
[200, 200, 200]
--- response_body eval
["keep-alive first", "keep-alive a", "close third"]



=== a request in packets
--- config
    location = /t {
        echo_read_request_body;
        echo "$http_content_length";
        echo_request_body;
    }
--- request eval
[["POST /t\nabc", {value => "def", delay_before => 0.05}, "ghi"]]
--- response_body chomp
9
abcdefghi



=== raw_request
--- config
    location = /t {
        return 200 "$request $http_x_token\n";
    }
--- raw_request eval
"GET /t HTTP/1.1\r\nHost: a\r\nX-Token: b\r\nConnection: close\r\n\r\n"
--- response_body
GET /t HTTP/1.1 b



=== raw_request chunked in pieces, with a delay
--- config
    location = /t {
        echo_read_request_body;
        echo_request_body;
    }
--- raw_request eval
["POST /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
 . "Transfer-Encoding: chunked\r\n\r\n3\r\nab", "c\r\n", "0\r\n\r\n"]
--- raw_request_middle_delay: 0.05
--- response_body chomp
abc



=== a broken request
--- config
    location = /t {
        return 200;
    }
--- raw_request eval
"POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"
--- error_code: 400
--- response_body_like: 400 Bad Request
--- error_log
invalid "Content-Length"



=== a chunked answer in pieces
--- config
    location = /t {
        echo -n hel;
        echo_flush;
        echo_sleep 0.02;
        echo lo;
    }
--- request
GET /t
--- response_headers
Transfer-Encoding: chunked
! Content-Length
--- response_body
hello



=== response headers: several, equal names, empty, absent
--- config
    location = /t {
        add_header X-A "1  2";
        add_header Set-Cookie a=1;
        add_header Set-Cookie b=2;
        return 200;
    }
--- request
GET /t
--- response_headers
x-a: 1  2
Set-Cookie: a=1, b=2
X-None:
! X-Never
!X-Also-Never



=== response_headers_like, error_code_like
--- config
    location = /t {
        add_header X-A 1234 always;
        return 503;
    }
--- request
GET /t
--- error_code_like: ^50[234]$
--- response_headers_like
X-A: \d+
Content-Type: text/.*



=== raw response headers
--- config
    location = /t {
        return 302 /u;
    }
--- request
GET /t
--- error_code: 302
--- raw_response_headers_like: ^HTTP/1\.1 302 .*Location: \S+/u\r\n
--- raw_response_headers_unlike: X-Never



=== response_body_unlike
--- config
    location = /t {
        return 200 "one\ntwo\n";
    }
--- request
GET /t
--- response_body_unlike
three



=== an own body check
--- config
    location = /t {
        return 200 $arg_a;
    }
--- request eval
["GET /t?a=12", "GET /t?a=1234"]
--- body_length eval
[2, 4]



=== a preprocessor adds to hooks
--- config
    location = /t {
        return 200 $from_hook;
    }
--- request
GET /t
--- response_body chomp
yes



=== error_log, no_error_log, grep_error_log
--- config
    location = /t {
        return 200;
    }
    location = /broken {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- request
GET /broken
--- error_code: 502
--- error_log eval
["connect() failed", qr/\[error\] .* Connection refused/]
--- no_error_log
[alert]
[emerg]
--- grep_error_log eval
qr/http request line: .*|client: [\d.]+/
--- grep_error_log_out
http request line: "GET /broken HTTP/1.1"
client: 127.0.0.1



=== logs are looked at from request to request
--- config
    location = /t {
        return 200;
    }
    location = /broken {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- request eval
["GET /t", "GET /t"]
--- error_code eval
[200, 200]
--- no_error_log
[error]
--- error_log
http request line: "GET /t HTTP/1.1"



=== access_log
--- config
    location = /t {
        return 200;
    }
--- request
GET /t?seen=1
--- access_log eval
["GET /t?seen=1", qr/ 200 /]
--- no_access_log
GET /other



=== log_level
--- config
    location = /t {
        return 200;
    }
--- log_level: warn
--- request
GET /t
--- no_error_log
[debug]
[info]



=== the lines that nginx writes at its shutdown
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- log_level: notice
--- request
GET /t
--- error_code: 502
--- shutdown_error_log eval
[qr/signal \d+ \(SIGQUIT\)/, qr/exit|quit/]
--- no_shutdown_error_log
[error]
[alert]



=== environment variables in main_config, http_config and config
--- main_config
    worker_rlimit_nofile 128;
--- http_config
    map $uri $word {
        default "$TEST_NGINX_WORD";
    }
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        return 200 "$server_port $word\n";
    }
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- request
GET /t
--- response_body
$TEST_NGINX_RAND_PORT_1 expanded



=== abort: the client leaves before the answer
--- config
    location = /t {
        echo_sleep 2;
        echo late;
    }
--- request
GET /t
--- timeout: 100ms
--- abort
--- error_code:
--- response_body eval
""



=== abort and ignore_response, wait for the log
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$server_port/slow;
    }
    location = /slow {
        echo_sleep 2;
        echo late;
    }
--- request
GET /t
--- timeout: 0.1
--- abort
--- ignore_response
--- wait: 0.1
--- error_log
client prematurely closed connection



=== a slow answer within the time-out
--- config
    location = /t {
        echo_sleep 0.2;
        echo done;
    }
--- request
GET /t
--- timeout: 2s
--- response_body
done



=== shutdown: the client sends no more and still reads
--- config
    location = /t {
        return 200 "ok\n";
    }
--- request
GET /t
--- shutdown: 1
--- response_body
ok



=== a connection closed without an answer
--- config
    location = /t {
        return 444;
    }
--- request
GET /t
--- error_code:
--- response_body eval
""



=== tcp_listen: a mock upstream
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        proxy_set_header Host upstream;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_query eval
"POST /t HTTP/1.0\r\nHost: upstream\r\nConnection: close\r\n"
. "Content-Length: 3\r\n\r\nabc"
--- tcp_query_len: 77
--- tcp_reply eval
"HTTP/1.0 201 Created\r\nX-A: b\r\n\r\nmade\n"
--- request
POST /t
abc
--- error_code: 201
--- response_headers
X-A: b
--- response_body
made



=== tcp_reply as a list, tcp_reply_delay, tcp_query as a pattern
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_query eval
qr/^GET \/t /
--- tcp_reply_delay: 100ms
--- tcp_reply eval
["HTTP/1.0 200 OK\r\n\r\n", "hello, ", "world"]
--- request
GET /t
--- response_body chomp
hello, world



=== tcp_reply as code, with a long query
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        proxy_set_header Host upstream;
        client_body_buffer_size 16k;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_query_len: 200079
--- tcp_reply eval
sub {
    my ($query) = @_;
    return "HTTP/1.0 200 OK\r\n\r\n" . ($query =~ tr/x/x/);
}
--- request eval
"POST /t\n" . 'x' x 200000
--- response_body: 200000



=== tcp_no_close: an upstream that stops in the middle
--- config
    location = /t {
        proxy_read_timeout 200ms;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_no_close
--- tcp_reply
HTTP/1.1 200 OK
--- request
GET /t
--- error_code: 504
--- error_log
upstream timed out



=== tcp_shutdown: an upstream that closes at once
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_shutdown: 1
--- request
GET /t
--- error_code: 502
--- error_log
upstream prematurely closed



=== init runs before the requests
--- init
open my $file, '>', main::html_dir() . '/from-init.txt' or die $!;
print $file "made by init\n";
close $file;
--- config
--- request
GET /from-init.txt
--- response_body
made by init



=== skip_nginx
--- config
    location = /t {
        return 200 "wrong";
    }
--- request
GET /t
--- response_body
right
--- skip_nginx: 2: > 1.0.0



=== skip_nginx that does not apply
--- config
    location = /t {
        return 200 "right\n";
    }
--- request
GET /t
--- response_body
right
--- skip_nginx: 2: < 1.0.0



=== skip_eval
--- config
    location = /t {
        return 200 "wrong";
    }
--- request
GET /t
--- response_body
right
--- skip_eval: 2: 1 + 1 == 2



=== skip_eval that does not apply
--- config
    location = /t {
        return 200 "right\n";
    }
--- request
GET /t
--- response_body
right
--- skip_eval: 2: 1 + 1 == 3



=== todo
--- config
    location = /t {
        return 200 "wrong";
    }
--- request
GET /t
--- response_body
right
--- todo
2: not done yet



=== left out
--- SKIP
--- config
    no_such_directive;
--- request
GET /t
