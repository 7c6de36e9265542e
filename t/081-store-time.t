# $order_guard_store_time has a unit: a store that is known to be slow.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(1);

run_tests();

__DATA__

=== TEST 1: seconds, with three decimals
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT timeout=2s;
--- config
    location = /order {
        order_guard on;
        order_guard_token $host;
        order_guard_limit 60r/m;
        add_header X-Time $order_guard_store_time;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/;
    }
--- init
OrderGuard::redis_cmd('CLIENT', 'PAUSE', 300);
--- request
GET /order
--- response_headers_like
X-Time: 0\.[2-9]\d\d
