# Directives of limits: the forms that pass, every wrong value refused with its
# file, its line and what would be right, and what levels take from those
# above.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard::WrongConf;
use OrderGuard;

# Once: what is over its limit stays known to the gateway.
repeat_each(1);
no_long_string();

# Three levels that say what they are told, for what is inherited.
add_block_preprocessor(sub {
    my ($block) = @_;
    my $levels = $block->levels // return;
    my ($http, $server, $location) = map { s/^\s+|\s+$//gr }
                                         split /^--$/m, $levels;

    $block->set_value(http_config => <<"_CONF_");
    order_guard_store main redis://127.0.0.1:\$TEST_NGINX_REDIS_PORT timeout=1s;
    order_guard_store dead redis://127.0.0.1:\$TEST_NGINX_DEAD_PORT;
    order_guard on;
    order_guard_token \$host;
    add_header X-Limit \$order_guard_limit always;
    $http

    server {
        listen unix:\$TEST_NGINX_HTML_DIR/above.sock;
        location / {
            proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
        }
    }
_CONF_

    $block->set_value(config => <<"_CONF_");
    $server

    location = /http {
        order_guard off;
        proxy_pass http://unix:\$TEST_NGINX_HTML_DIR/above.sock:/;
    }

    location /server {
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;

        location /server/location {
            $location
            proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;

            location /server/location/nested {
                proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/upstream;
            }
        }
    }

    location = /upstream {
        order_guard off;
        echo made;
    }
_CONF_

    $block->set_value(request => [map { "GET $_" }
        qw(/http /server /server/location /server/location/nested)]);
});

run_tests();

__DATA__

=== order_guard_limit: good forms
--- good
order_guard_limit 60r/m;
order_guard_limit 10r/s name=burst; order_guard_limit 5000r/d;
order_guard_limit 1000r/h key=$binary_remote_addr;
order_guard_limit 100r/10s name=per-shop key=$http_x_shop;
order_guard_limit 60r/m name=60r/m;
order_guard_limit 10r/s name=burst;



=== order_guard_limit: no rate
--- wrong: order_guard_limit fast;
--- says: invalid rate "fast": a rate is a number, "r/" and a time, as in "60r/m"



=== order_guard_limit: no unit
--- wrong: order_guard_limit 60r/10;
--- says: invalid rate "60r/10": the time after "r/" must end in s, m, h or d



=== order_guard_limit: no requests
--- wrong: order_guard_limit 0r/m;
--- says: invalid rate "0r/m": the number before "r/" must be 1 or more, as in "1r/m"



=== order_guard_limit: no time
--- wrong: order_guard_limit 5r/0s;
--- says: invalid rate "5r/0s": the time after "r/" must be 1s or more



=== order_guard_limit: too long
--- wrong: order_guard_limit 5r/367d;
--- says: invalid rate "5r/367d": the time after "r/" must be 366d or less



=== order_guard_limit: too many
--- wrong: order_guard_limit 1000000000000000r/d;
--- says: invalid rate "1000000000000000r/d": the number before "r/" must be 999999999999999 or less



=== order_guard_limit: an unknown parameter
--- wrong: order_guard_limit 60r/m burst=5;
--- says: invalid parameter "burst=5", it must be "name=", "key=" or "store="



=== order_guard_limit: an empty name
--- wrong: order_guard_limit 60r/m name=;
--- says: invalid parameter "name=", it must be "name=", "key=" or "store="



=== order_guard_limit: an empty key
--- wrong: order_guard_limit 60r/m key=;
--- says: invalid parameter "key=", it must be "name=", "key=" or "store="



=== order_guard_limit: a name that breaks a header
--- wrong: order_guard_limit 60r/m name=a\"b;
--- says: invalid name in "name=a"b", it must be visible ASCII without quotes, backslashes and braces



=== order_guard_limit: a name with a space
--- wrong: order_guard_limit 60r/m "name=a b";
--- says: invalid name in "name=a b", it must be visible ASCII



=== order_guard_limit: a name with a brace
--- wrong: order_guard_limit 60r/m "name=a{b";
--- says: invalid name in "name=a\{b", it must be visible ASCII



=== order_guard_limit: one name with two rates
--- wrong
order_guard_limit 60r/m name=orders;
order_guard_limit 61r/m name=orders;
--- says: limit "orders" has another rate elsewhere, give one of the two another "name="



=== order_guard_limit: one name with two rates in two servers
--- http_config
    server {
        listen unix:$TEST_NGINX_HTML_DIR/a.sock;
        order_guard_limit 60r/m name=orders;
    }
--- wrong: order_guard_limit 60r/h name=orders;
--- says: limit "orders" has another rate elsewhere, give one of the two another "name="



=== order_guard_limit: the same limit twice in one place
--- wrong
order_guard_limit 60r/m;
order_guard_limit 60r/m;
--- says: 60r/m



=== order_guard_limit: off
--- good
order_guard_limit off;



=== order_guard_limit: off needs no store
--- http_config
--- good
order_guard_limit off;



=== order_guard_limit: off with a parameter
--- wrong: order_guard_limit off name=orders;
--- says: order_guard_limit off|"off"



=== order_guard_limit: off twice
--- wrong
order_guard_limit off;
order_guard_limit off;
--- says: "off"|"order_guard_limit"



=== order_guard_limit: off before a limit
--- wrong
order_guard_limit off;
order_guard_limit 60r/m;
--- says: "off"



=== order_guard_limit: off after a limit
--- wrong
order_guard_limit 60r/m;
order_guard_limit off;
--- says: "off"



=== order_guard_limit: no store at all, the embedded one is assumed
--- http_config
--- good
order_guard_limit 60r/m;
order_guard_limit 60r/m store=local;
--- error_log: no store is defined, "order_guard_store local shm;" is assumed



=== order_guard_limit: too many parameters
--- wrong: order_guard_limit 60r/m name=a key=$host store=main more;
--- says: invalid number of arguments in "order_guard_limit" directive



=== order_guard_limit: nothing
--- wrong: order_guard_limit;
--- says: invalid number of arguments in "order_guard_limit" directive



=== order_guard_limit: a broken variable
--- wrong: order_guard_limit 60r/m key=${;
--- says: order_guard_limit|bracket|variable name



=== order_guard_limit store=: good forms
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    order_guard_store second redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/1;
--- good
order_guard_limit 60r/m store=main;
order_guard_limit 60r/m store=second;
order_guard_limit 60r/m store=second; order_guard_limit 60r/m store=main;
order_guard_limit 60r/m name=orders key=$http_x_shop store=second;
order_guard_limit 60r/m store=second; order_guard_limit 1r/s name=burst;



=== order_guard_limit store=: empty
--- wrong: order_guard_limit 60r/m store=;
--- says: invalid parameter "store=", it must be "name=", "key=" or "store="



=== order_guard_limit store=: a store that is not there
--- wrong: order_guard_limit 60r/m store=other;
--- says_anywhere: unknown store "other" in "order_guard_limit", define it with "order_guard_store other redis://host:port;"



=== order_guard_limit store=: a store that stands further down
--- http_config
    server {
        listen unix:$TEST_NGINX_HTML_DIR/a.sock;
        location / {
            order_guard on;
            order_guard_limit 60r/m store=later;
        }
    }
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    order_guard_store later redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/1;
--- good
order_guard_limit 60r/m store=later;



=== order_guard_limit store=: one name with two rates in two stores
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    order_guard_store second redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/1;
--- good
order_guard_limit 60r/m name=orders store=main;
order_guard_limit 60r/h name=orders store=second;



=== order_guard_limit store=: one name with two rates in one store
--- wrong
order_guard_limit 60r/m name=orders store=main;
order_guard_limit 60r/h name=orders store=main;
--- says: limit "orders" has another rate elsewhere, give one of the two another "name="



=== order_guard_limit store=: one name with two rates where one may be in any
--- wrong
order_guard_limit 60r/m name=orders;
order_guard_limit 60r/h name=orders store=main;
--- says: limit "orders" has another rate elsewhere, give one of the two another "name="



=== order_guard_limit store=: the other way round
--- wrong
order_guard_limit 60r/m name=orders store=main;
order_guard_limit 60r/h name=orders;
--- says: limit "orders" has another rate elsewhere, give one of the two another "name="



=== order_guard_limit store=: the same limit twice in one store
--- wrong
order_guard_limit 60r/m store=main;
order_guard_limit 60r/m store=main;
--- says: limit "60r/m" stands here twice and would count each request twice, remove one



=== order_guard_limit store=: the same limit twice, once without its store
--- wrong
order_guard_limit 60r/m store=main;
order_guard_limit 60r/m;
--- says: limit "60r/m" stands here twice and would count each request twice, remove one



=== order_guard_limit store=: no store at all
--- no_store
--- wrong: order_guard_limit 60r/m store=main;
--- says_anywhere: unknown store "main" in "order_guard_limit"



=== order_guard_limit: each level replaces those above
--- levels
order_guard_limit 100r/h;
--
order_guard_limit 200r/h; order_guard_limit 50r/s name=burst;
--
order_guard_limit 300r/h;
--- response_headers eval
['RateLimit-Policy: "100r/h";q=100;w=3600',
 'RateLimit-Policy: "200r/h";q=200;w=3600, "burst";q=50;w=1',
 ('RateLimit-Policy: "300r/h";q=300;w=3600') x 2]



=== order_guard_limit: off takes them back
--- levels
order_guard_limit 100r/h;
--
--
order_guard_limit off;
--- response_headers eval
[("RateLimit-Policy: \"100r/h\";q=100;w=3600\nX-Limit: PASSED") x 2,
 ("! RateLimit-Policy\nX-Limit:") x 2]



=== order_guard_limit: a store of its own is inherited, too
--- levels
order_guard_limit 100r/h store=dead;
--
--
order_guard_limit 100r/h name=main;
--- response_headers eval
[("X-Limit: LOCAL") x 2, ("X-Limit: PASSED") x 2]



=== order_guard_limit: without one, it is the location's
--- levels
order_guard_limit 100r/h;
--
--
order_guard_idempotency optional store=dead;
--- response_headers eval
[("X-Limit: PASSED") x 2, ("X-Limit: LOCAL") x 2]



=== order_guard_limit_headers: good forms
--- good
order_guard_limit_headers draft;
order_guard_limit_headers legacy;
order_guard_limit_headers both;
order_guard_limit_headers off;



=== order_guard_limit_headers: without a limit or a store
--- http_config
--- good
order_guard_limit_headers both;



=== order_guard_limit_headers: another value
--- wrong: order_guard_limit_headers on;
--- says: "order_guard_limit_headers" has an invalid value "on", it must be "draft" or "legacy" or "both" or "off"



=== order_guard_limit_headers: two values
--- wrong: order_guard_limit_headers draft legacy;
--- says: invalid number of arguments in "order_guard_limit_headers" directive



=== order_guard_limit_headers: twice
--- wrong
order_guard_limit_headers draft;
order_guard_limit_headers legacy;
--- says: "order_guard_limit_headers" directive is duplicate



=== order_guard_limit_headers: each level replaces that above
--- levels
order_guard_limit 100r/h;
order_guard_limit_headers legacy;
--
order_guard_limit_headers both;
--
order_guard_limit_headers off;
--- response_headers eval
["! RateLimit\nX-RateLimit-Limit: 100",
 "RateLimit-Policy: \"100r/h\";q=100;w=3600\nX-RateLimit-Limit: 100",
 ("! RateLimit\n! RateLimit-Policy\n! X-RateLimit-Limit") x 2]



=== order_guard_limit_headers: taken from above
--- levels
order_guard_limit_headers legacy;
--
order_guard_limit 100r/h;
--
order_guard_limit 50r/h;
--- response_headers eval
["! X-RateLimit-Limit", "! RateLimit\nX-RateLimit-Limit: 100",
 ("! RateLimit\nX-RateLimit-Limit: 50") x 2]



=== order_guard_limit_on_failure: good forms
--- good
order_guard_limit_on_failure local;
order_guard_limit_on_failure pass;
order_guard_limit_on_failure reject;



=== order_guard_limit_on_failure: without a limit or a store
--- http_config
--- good
order_guard_limit_on_failure reject;



=== order_guard_limit_on_failure: another value
--- wrong: order_guard_limit_on_failure off;
--- says: "order_guard_limit_on_failure" has an invalid value "off", it must be "local" or "pass" or "reject"



=== order_guard_limit_on_failure: twice
--- wrong
order_guard_limit_on_failure local;
order_guard_limit_on_failure local;
--- says: "order_guard_limit_on_failure" directive is duplicate



=== order_guard_limit_on_failure: each level replaces that above
--- levels
order_guard_limit 100r/h store=dead;
order_guard_limit_on_failure reject;
--
order_guard_limit_on_failure pass;
--
order_guard_limit_on_failure local;
--- error_code eval
[503, 200, 200, 200]
--- response_headers eval
[("X-Limit: BYPASSED") x 2, ("X-Limit: LOCAL") x 2]



=== order_guard_limit_on_failure: taken from above
--- levels
order_guard_limit_on_failure pass;
--
order_guard_limit 100r/h store=dead;
--
order_guard_limit 50r/h store=dead;
--- response_headers eval
["! X-Limit", ("X-Limit: BYPASSED") x 3]



=== order_guard_limit_on_failure: local where nothing is said
--- levels
--
order_guard_limit 100r/h store=dead;
--
--- response_headers eval
["! X-Limit", ("X-Limit: LOCAL") x 3]



=== order_guard_zone: the smallest
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    order_guard_zone 32k;
--- good
order_guard_limit 60r/m;



=== order_guard_zone: above and below its limits
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    server {
        listen unix:$TEST_NGINX_HTML_DIR/a.sock;
        order_guard_limit 60r/m;
    }
    order_guard_zone 1m;
--- good
order_guard_limit 60r/m;



=== order_guard_zone: without a limit
--- http_config
    order_guard_zone 8m;
--- good
order_guard_match exact;



=== order_guard_zone: no size
--- level: http
--- wrong: order_guard_zone big;
--- says: invalid size "big" in "order_guard_zone", it must be 32k or more, as in "8m"



=== order_guard_zone: too small
--- level: http
--- wrong: order_guard_zone 31k;
--- says: invalid size "31k" in "order_guard_zone", it must be 32k or more, as in "8m"



=== order_guard_zone: one byte too small
--- level: http
--- wrong: order_guard_zone 32767;
--- says: invalid size "32767" in "order_guard_zone", it must be 32k or more, as in "8m"



=== order_guard_zone: zero
--- level: http
--- wrong: order_guard_zone 0;
--- says: invalid size "0" in "order_guard_zone", it must be 32k or more, as in "8m"



=== order_guard_zone: below zero
--- level: http
--- wrong: order_guard_zone -8m;
--- says: invalid size "-8m" in "order_guard_zone", it must be 32k or more, as in "8m"



=== order_guard_zone: more than there are numbers for
--- level: http
--- wrong: order_guard_zone 99999999999999999999m;
--- says: invalid size "99999999999999999999m" in "order_guard_zone", it must be 32k or more, as in "8m"



=== order_guard_zone: nothing
--- level: http
--- wrong: order_guard_zone;
--- says: invalid number of arguments in "order_guard_zone" directive



=== order_guard_zone: with a name
--- level: http
--- wrong: order_guard_zone limits 8m;
--- says: invalid number of arguments in "order_guard_zone" directive



=== order_guard_zone: twice
--- level: http
--- wrong
order_guard_zone 8m;
order_guard_zone 8m;
--- says: "order_guard_zone" directive is duplicate



=== order_guard_zone: not in a server
--- level: server
--- wrong: order_guard_zone 8m;
--- says: "order_guard_zone" directive is not allowed here
