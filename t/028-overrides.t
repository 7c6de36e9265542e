# What makes an upstream take a request for another one: headers and fields
# that name a method, headers that name a target.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
no_long_string();

add_block_preprocessor(sub {
    my ($block) = @_;

    # "rules" are the guard's directives; /order shows what the upstream got
    my $rules = $block->rules;

    my $order = defined $rules ? <<"_CONF_" : '';
    location /order {
        order_guard on;
$rules
        proxy_pass http://upstream;
    }
_CONF_

    $block->set_value(http_config => <<'_CONF_' . ($block->http // ''));
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT timeout=1s;

    upstream upstream {
        server 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }

    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;

        location / {
            add_header X-Targets "[$http_x_original_url$http_x_rewrite_url]";
            add_header X-Method "$http_x_http_method_override$http_x_http_method$http_x_method_override";
            echo_read_request_body;
            echo -n "$request_method $request_uri ";
            echo_request_body;
        }
    }
_CONF_

    $block->set_value(config => $order . ($block->config // ''));
});

run_tests();

__DATA__

=== TEST 1: headers that name a guarded method
--- rules
        order_guard_strip price;
--- request eval
[("GET /order?price=1&sku=A") x 9]
--- more_headers eval
['X-HTTP-Method-Override: POST', 'X-HTTP-Method: PUT', 'X-Method-Override: DELETE', 'x-http-method-override: patch',
 'X-HTTP-Method-Override: CHECKOUT', "X-HTTP-Method-Override: GET\nX-HTTP-Method-Override: POST",
 'X-HTTP-Method-Override: GET', 'X-HTTP-Method: head', 'X-Method: POST']
--- response_body_like eval
[('^GET /order\?sku=A $') x 6, ('^GET /order\?price=1&sku=A $') x 3]



=== TEST 2: the headers themselves pass
--- rules
        order_guard_strip price;
--- request
GET /order
--- more_headers
X-HTTP-Method-Override: POST
--- response_headers
X-Method: POST



=== TEST 3: a field of the query that does
--- rules
        order_guard_strip price;
--- request eval
[map { "GET /order?price=1&$_" } '_method=POST', '_method=put', '_METHOD=Delete', '%5fmetho%64=%50ATCH', 'a=1;_method=POST',
    '_method=GET&_method=POST', '_method=GET#&_method=POST', '_method=CHECKOUT']
--- response_body_like eval
[map { '^GET /order\?' . quotemeta($_) . ' $' } '_method=POST', '_method=put', '_METHOD=Delete', '%5fmetho%64=%50ATCH', 'a=1;_method=POST',
    '_method=GET&_method=POST', '_method=GET', '_method=CHECKOUT']



=== TEST 4: fields that do not
--- rules
        order_guard_strip price;
--- request eval
[map { "GET /order?price=1&$_" } '_method=GET', '_method=head', '_method=options', 'method=POST', '_methods=POST', 'a=_method=POST']
--- response_body_like eval
[('^GET /order\?price=1&') x 6]



=== TEST 5: with methods of its own
--- rules
        order_guard_methods POST;
        order_guard_strip price;
--- request eval
["GET /order?price=1", "PUT /order?price=1", "GET /order?price=1&_method=put", "GET /order?price=1&_method=post", "PUT /order?price=1&_method=POST"]
--- response_body_like eval
['^GET /order\?price=1 $', '^PUT /order\?price=1 $', '^GET /order\?price=1&_method=put $', '^GET /order\?_method=post $', '^PUT /order\?_method=POST $']



=== TEST 6: values that are more than a method's name, whatever methods there are
--- rules
        order_guard_methods PUT PATCH DELETE;
        order_guard_strip price;
--- request eval
[("POST /order?price=1") x 5]
--- more_headers eval
[map { "X-HTTP-Method-Override: $_" } 'PUT, x', 'x,PUT', 'PUT;q=1', '"PUT"', 'POST']
--- response_body_like eval
[('^POST /order $') x 4, '^POST /order\?price=1 $']



=== TEST 7: fields that frameworks take for _method
--- rules
        order_guard_methods PUT PATCH DELETE;
        order_guard_strip price;
--- request eval
[map { "POST /order?price=1&$_=PUT" } '.method', '_method[]', '_method_', '%2Emethod', '%20_method', '%20%20%20%20%20%20%20_method',
    '+_method', '_method%00', '_method%00x', '[method']
--- error_code eval
[(200) x 4, (400) x 6]
--- response_body_like eval
['^POST /order\?\.method=PUT $', '^POST /order\?_method\[\]=PUT $', '^POST /order\?_method_=PUT $', '^POST /order\?%2Emethod=PUT $',
    (qr/BODY_MALFORMED/) x 6]



=== TEST 8: fields that are other ones
--- rules
        order_guard_methods PUT PATCH DELETE;
        order_guard_strip price;
--- request eval
[map { "POST /order?price=1&$_=PUT" } 'method', 'payment_method', '_methods', '_metho', 'method%00']
--- response_body_like eval
[('^POST /order\?price=1&') x 5]



=== TEST 9: a key is asked for, too
--- rules
        order_guard_idempotency required;
--- request eval
["GET /order", "GET /order", "GET /order?_method=POST", "GET /order?_method=GET"]
--- more_headers eval
["Authorization: Bearer t", "Authorization: Bearer t\nX-HTTP-Method-Override: POST", "Authorization: Bearer t", "Authorization: Bearer t"]
--- error_code eval
[200, 400, 400, 200]
--- response_body_like eval
['^GET /order $', 'IDEMPOTENCY_KEY_REQUIRED', 'IDEMPOTENCY_KEY_REQUIRED', '^GET /order\?_method=GET $']



=== TEST 10: a guarded request stays one
--- rules
        order_guard_strip price;
--- request
POST /order?_method=GET&price=1
{"price":1}
--- more_headers
Content-Type: application/json
X-HTTP-Method-Override: GET
X-Method-Override: OPTIONS
--- response_body: POST /order?_method=GET {}



=== TEST 11: headers that name another target are gone, for every method
--- rules
        order_guard_strip price;
--- request eval
[map { "$_ /order" } qw(GET POST HEAD DELETE CHECKOUT)]
--- more_headers
X-Original-URL: /admin?price=1
X-Rewrite-URL: /admin
x-original-url: /more
--- response_headers eval
[('X-Targets: []') x 5]



=== TEST 12: also where there is nothing but the guard, and where the client is limited
--- rules
        order_guard_limit 100r/m;
--- request eval
["GET /order", "POST /order"]
--- more_headers
Authorization: Bearer t
X-Original-URL: /admin
--- response_headers eval
[('X-Targets: []') x 2]



=== TEST 13: variables have them no more, also where they have been asked for before
--- rules
        set $was "$http_x_original_url $http_x_rewrite_url";
        add_header X-Was "[$was]";
        add_header X-Is "[$http_x_original_url$http_x_rewrite_url]";
        proxy_set_header X-Original-URL $http_x_original_url;
--- request
GET /order
--- more_headers
X-Original-URL: /a
X-Rewrite-URL: /b
--- response_headers
X-Was: [/a /b]
X-Is: []
X-Targets: []



=== TEST 14: other headers of such names stay
--- rules
        order_guard_strip price;
        add_header X-Others "[$http_x_original_uri$http_x_original_urls$http_x_rewrite$http_xx_rewrite_url]";
--- request
GET /order
--- more_headers
X-Original-URI: a
X-Original-URLs: b
X-Rewrite: c
XX-Rewrite-URL: d
--- response_headers
X-Others: [abcd]



=== TEST 15: without the guard they pass
--- config
    location = /order {
        proxy_pass http://upstream;
    }
--- request
GET /order
--- more_headers
X-Original-URL: /a
X-Rewrite-URL: /b
--- response_headers
X-Targets: [/a/b]



=== TEST 16: behind a redirect to a guarded location
--- config
    location = /order {
        root /nowhere;
        try_files $uri @guarded;
    }

    location @guarded {
        order_guard on;
        order_guard_strip price;
        proxy_pass http://upstream;
    }
--- request
POST /order?price=1
--- more_headers
X-Original-URL: /a
--- response_headers
X-Targets: []
--- response_body_like: ^POST /order $



=== TEST 17: underscores, where nginx lets them in
--- rules
        order_guard_strip price;
--- http
    underscores_in_headers on;
--- request eval
["GET /order?price=1&sku=A", "GET /order?price=1&sku=A", "POST /order\n{\"price\":1}"]
--- more_headers eval
["X_HTTP_Method_Override: POST", "X-HTTP_Method_Override: POST\nX_Original_URL: /a\nX_Rewrite-URL: /b", "Content_Type: application/json"]
--- error_code eval
[200, 200, 415]
--- response_body_like eval
[qr{^GET /order\?sku=A $}, qr{^GET /order\?sku=A $}, qr/MEDIA_TYPE_UNSUPPORTED/]
--- response_headers eval
["X-Targets: []", "X-Targets: []", "Content-Type: application/problem+json"]
