# Directives of idempotency: the forms that pass, and every wrong value refused
# with its file, its line and what would be right.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard::WrongConf;
use OrderGuard;

repeat_each(1);
no_long_string();

run_tests();

__DATA__

=== order_guard_idempotency: good forms
--- good
order_guard_idempotency off;
order_guard_idempotency required;
order_guard_idempotency optional;
order_guard_idempotency required store=main;
order_guard_idempotency required scope=$host ttl=1d error_ttl=10m lease=1m on_unknown=retry unknown_ttl=2d;
order_guard_idempotency optional on_unknown=hold ttl=4s lease=1s;
order_guard_idempotency off store=main;



=== order_guard_idempotency: no value
--- wrong: order_guard_idempotency;
--- says: invalid number of arguments in "order_guard_idempotency" directive



=== order_guard_idempotency: another value
--- wrong: order_guard_idempotency on;
--- says: invalid value "on", it must be "off", "required" or "optional"



=== order_guard_idempotency: an unknown parameter
--- wrong: order_guard_idempotency required wait=1s;
--- says: invalid parameter "wait=1s", it must be one of "store=", "scope=", "ttl=", "error_ttl=", "lease=", "on_unknown=hold", "on_unknown=retry", "unknown_ttl="



=== order_guard_idempotency: another outcome
--- wrong: order_guard_idempotency required on_unknown=maybe;
--- says: invalid parameter "on_unknown=maybe", it must be one of .*"on_unknown=hold", "on_unknown=retry"



=== order_guard_idempotency: an empty scope
--- wrong: order_guard_idempotency required scope=;
--- says: invalid parameter "scope=", it must be one of



=== order_guard_idempotency: an empty store
--- wrong: order_guard_idempotency required store=;
--- says: invalid parameter "store=", it must be one of



=== order_guard_idempotency: no time
--- wrong: order_guard_idempotency required ttl=soon;
--- says: invalid time in "ttl=soon", it must be at least 1s, as in "ttl=30s"



=== order_guard_idempotency: an empty time
--- wrong: order_guard_idempotency required error_ttl=;
--- says: invalid time in "error_ttl=", it must be at least 1s, as in "error_ttl=30s"



=== order_guard_idempotency: a time that is too short
--- wrong: order_guard_idempotency required lease=999ms;
--- says: invalid time in "lease=999ms", it must be at least 1s, as in "lease=30s"



=== order_guard_idempotency: no time for the unknown
--- wrong: order_guard_idempotency required unknown_ttl=0;
--- says: invalid time in "unknown_ttl=0", it must be at least 1s, as in "unknown_ttl=30s"



=== order_guard_idempotency: a lease of more than a quarter of the ttl
--- wrong: order_guard_idempotency required ttl=1m lease=16s;
--- says: "lease" of 16000 ms is longer than a quarter of "ttl" \(60000 ms\), shorten it or raise "ttl"



=== order_guard_idempotency: the default lease counts
--- wrong: order_guard_idempotency required ttl=1m;
--- says: "lease" of 30000 ms is longer than a quarter of "ttl" \(60000 ms\), shorten it or raise "ttl"



=== order_guard_idempotency: twice
--- wrong
order_guard_idempotency required;
order_guard_idempotency optional;
--- says: "order_guard_idempotency" directive is duplicate



=== order_guard_idempotency: a store that is not there
--- wrong: order_guard_idempotency required store=other;
--- says_anywhere: unknown store "other" in "order_guard_idempotency", define it with "order_guard_store other redis://host:port;"



=== order_guard_idempotency: no store at all, the embedded one is assumed
--- http_config
--- good
order_guard_idempotency required;
order_guard_idempotency required store=local;
--- error_log: no store is defined, "order_guard_store local shm;" is assumed



=== order_guard_idempotency: the embedded store is not assumed beside another
--- wrong: order_guard_idempotency required store=local;
--- says_anywhere: unknown store "local" in "order_guard_idempotency", define it with "order_guard_store local redis://host:port;"



=== order_guard_idempotency: no store of this name, and none at all
--- no_store
--- wrong: order_guard_idempotency required store=other;
--- says_anywhere: unknown store "other" in "order_guard_idempotency"



=== order_guard_idempotency: no store is needed where it is off
--- http_config
--- good
order_guard_idempotency off;
--- config
    location = /unguarded { order_guard_idempotency required; }



=== order_guard_idempotency: a store that stands further down
--- config
    location = /a {
        order_guard on;
        order_guard_idempotency required store=later;
    }
--- http_config
    server {
        listen unix:$TEST_NGINX_HTML_DIR/a.sock;
        location / {
            order_guard on;
            order_guard_idempotency required store=later;
        }
    }
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    order_guard_store later redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/1;
--- good
order_guard_match exact;



=== order_guard_idempotency: nginx must not send an order twice
--- wrong
order_guard_idempotency required;
proxy_next_upstream error non_idempotent;
--- says_anywhere: "non_idempotent" in a "next_upstream" directive lets nginx send an order twice where "order_guard_idempotency" is on, remove it



=== order_guard_idempotency: nor by the server's directive
--- config
    proxy_next_upstream error timeout non_idempotent;
--- wrong: order_guard_idempotency optional;
--- says_anywhere: "non_idempotent" in a "next_upstream" directive



=== order_guard_idempotency: nor with fastcgi
--- wrong
order_guard_idempotency required;
fastcgi_next_upstream error non_idempotent;
--- says_anywhere: "non_idempotent" in a "next_upstream" directive



=== order_guard_idempotency: nor with grpc
--- wrong
order_guard_idempotency required;
grpc_next_upstream error non_idempotent;
--- says_anywhere: "non_idempotent" in a "next_upstream" directive



=== order_guard_idempotency: it may where the guard is not on
--- config
    location = /unguarded {
        order_guard_idempotency required;
        proxy_next_upstream error non_idempotent;
    }
--- good
proxy_next_upstream error non_idempotent;
order_guard_idempotency off; proxy_next_upstream error non_idempotent;



=== order_guard_idempotency: a cache does not answer orders
--- http_config
    proxy_cache_path cache keys_zone=zone:1m;
--- wrong
order_guard_idempotency required;
proxy_cache zone; proxy_cache_methods POST;
--- says_anywhere: a cache for POST answers orders in place of the upstream where "order_guard_idempotency" is on, take the method out of "cache_methods" or turn the cache off



=== order_guard_idempotency: nor one of methods that are guarded here
--- http_config
    fastcgi_cache_path cache keys_zone=zone:1m;
--- wrong
order_guard_idempotency required; order_guard_methods GET;
fastcgi_cache zone; fastcgi_cache_key k;
--- says_anywhere: a cache for GET answers orders



=== order_guard_idempotency: a cache of other methods may be there
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    proxy_cache_path cache keys_zone=zone:1m;
--- good
order_guard_idempotency required; proxy_cache zone;
order_guard_idempotency off; proxy_cache zone; proxy_cache_methods POST;
order_guard_idempotency required; order_guard_methods PUT; proxy_cache zone; proxy_cache_methods POST;
order_guard_idempotency required; proxy_cache off; proxy_cache_methods POST;



=== order_guard_idempotency_key: good forms
--- good
order_guard_idempotency_key $http_x_request_key;
order_guard_idempotency_key $order_guard_body_reference_id;
order_guard_idempotency_key "$http_x_shop:$http_x_order";



=== order_guard_idempotency_key: without a variable
--- wrong: order_guard_idempotency_key Idempotency-Key;
--- says: key "Idempotency-Key" is the same for all requests, it must contain a variable, as in "\$http_idempotency_key"



=== order_guard_idempotency_key: empty
--- wrong: order_guard_idempotency_key "";
--- says: key "" is the same for all requests, it must contain a variable



=== order_guard_idempotency_key: two values
--- wrong: order_guard_idempotency_key $http_a $http_b;
--- says: invalid number of arguments in "order_guard_idempotency_key" directive



=== order_guard_idempotency_key: twice
--- wrong
order_guard_idempotency_key $http_a;
order_guard_idempotency_key $http_b;
--- says: "order_guard_idempotency_key" directive is duplicate



=== order_guard_idempotency_fingerprint: good forms
--- good
order_guard_idempotency_fingerprint $http_x_user;
order_guard_idempotency_fingerprint $http_x_user $http_x_shop; order_guard_idempotency_fingerprint "$host/$uri";



=== order_guard_idempotency_fingerprint: no value
--- wrong: order_guard_idempotency_fingerprint;
--- says: invalid number of arguments in "order_guard_idempotency_fingerprint" directive



=== order_guard_idempotency_fingerprint: a broken variable
--- wrong: order_guard_idempotency_fingerprint $http_x_user ${;
--- says: order_guard_idempotency_fingerprint|bracket|variable name



=== order_guard_idempotency_release: good forms
--- good
order_guard_idempotency_release 503;
order_guard_idempotency_release 4xx 503;
order_guard_idempotency_release 400; order_guard_idempotency_release 5xx;
order_guard_idempotency_release 300 599;



=== order_guard_idempotency_release: no status
--- wrong: order_guard_idempotency_release 503 none;
--- says: invalid status "none", it must be a status from 300 to 599 or a class, as in "4xx"



=== order_guard_idempotency_release: below 300
--- wrong: order_guard_idempotency_release 199;
--- says: invalid status "199", it must be a status from 300 to 599 or a class, as in "4xx"



=== order_guard_idempotency_release: success would be ordered again
--- wrong: order_guard_idempotency_release 200;
--- says: invalid status "200", it must be a status from 300 to 599 or a class, as in "4xx"



=== order_guard_idempotency_release: every success
--- wrong: order_guard_idempotency_release 503 2xx;
--- says: invalid status "2xx", it must be a status from 300 to 599 or a class, as in "4xx"



=== order_guard_idempotency_release: the last success
--- wrong: order_guard_idempotency_release 299;
--- says: invalid status "299", it must be a status from 300 to 599 or a class, as in "4xx"



=== order_guard_idempotency_release: above 599
--- wrong: order_guard_idempotency_release 600;
--- says: invalid status "600"



=== order_guard_idempotency_release: a class below 200
--- wrong: order_guard_idempotency_release 1xx;
--- says: invalid status "1xx"



=== order_guard_idempotency_release: a class above 599
--- wrong: order_guard_idempotency_release 6xx;
--- says: invalid status "6xx"



=== order_guard_idempotency_release: a class of no digit
--- wrong: order_guard_idempotency_release xxx;
--- says: invalid status "xxx"



=== order_guard_idempotency_release: half a class
--- wrong: order_guard_idempotency_release 40x;
--- says: invalid status "40x"



=== order_guard_idempotency_release: a list with commas
--- wrong: order_guard_idempotency_release 400,403;
--- says: invalid status "400,403"



=== order_guard_idempotency_release: empty
--- wrong: order_guard_idempotency_release "";
--- says: invalid status ""



=== order_guard_idempotency_response_limit: good forms
--- good
order_guard_idempotency_response_limit 1k;
order_guard_idempotency_response_limit 4m;



=== order_guard_idempotency_response_limit: no size
--- wrong: order_guard_idempotency_response_limit big;
--- says: order_guard_idempotency_response_limit.*"big".*"256k"



=== order_guard_idempotency_response_limit: twice
--- wrong
order_guard_idempotency_response_limit 1k;
order_guard_idempotency_response_limit 1k;
--- says: "order_guard_idempotency_response_limit" directive is duplicate



=== order_guard_idempotency_on_failure: good forms
--- good
order_guard_idempotency_on_failure reject;
order_guard_idempotency_on_failure pass;



=== order_guard_idempotency_on_failure: another value
--- wrong: order_guard_idempotency_on_failure local;
--- says: "local".*"reject".*"pass"



=== order_guard_idempotency_on_failure: twice
--- wrong
order_guard_idempotency_on_failure pass;
order_guard_idempotency_on_failure pass;
--- says: "order_guard_idempotency_on_failure" directive is duplicate



=== order_guard_idempotency_headers: good forms
--- good
order_guard_idempotency_headers Location;
order_guard_idempotency_headers location X-Order-Number x_odd~name!;
order_guard_idempotency_headers ETag; order_guard_idempotency_headers Link;



=== order_guard_idempotency_headers: nothing
--- wrong: order_guard_idempotency_headers;
--- says: invalid number of arguments in "order_guard_idempotency_headers" directive



=== order_guard_idempotency_headers: an empty name
--- wrong: order_guard_idempotency_headers "";
--- says: invalid header "": it must be the name of a header, as in "Location"



=== order_guard_idempotency_headers: no name
--- wrong: order_guard_idempotency_headers "X Order";
--- says: invalid header "X Order": it must be the name of a header, as in "Location"



=== order_guard_idempotency_headers: with its value
--- wrong: order_guard_idempotency_headers Location "Vary: Origin";
--- says: invalid header "Vary: Origin": it must be the name of a header



=== order_guard_idempotency_headers: a session's
--- wrong: order_guard_idempotency_headers Location set-cookie;
--- says: invalid header "set-cookie": it belongs to one answer and is never repeated, take it out



=== order_guard_idempotency_headers: the age, which is the replay's own
--- wrong: order_guard_idempotency_headers Age;
--- says: invalid header "Age": it belongs to one answer and is never repeated



=== order_guard_idempotency_headers: a connection's
--- wrong: order_guard_idempotency_headers Transfer-Encoding;
--- says: invalid header "Transfer-Encoding": it belongs to one answer and is never repeated



=== order_guard_idempotency_mark: good forms
--- good
order_guard_idempotency_mark /data/idempotent;
order_guard_idempotency_mark /a~1b/0;
order_guard_idempotency_mark off;



=== order_guard_idempotency_mark: a name
--- wrong: order_guard_idempotency_mark idempotent;
--- says: invalid mark "idempotent": it must be a JSON Pointer, as in "/data/replayed"



=== order_guard_idempotency_mark: for many
--- wrong: order_guard_idempotency_mark /items/*/replayed;
--- says: invalid mark "/items/\*/replayed": "\*" stands for many fields, and one is set



=== order_guard_idempotency_mark: a wrong escape
--- wrong: order_guard_idempotency_mark /a~2;
--- says: invalid mark "/a~2": "~" in a pointer is followed by 0 or 1 only



=== order_guard_idempotency_mark: twice
--- wrong
order_guard_idempotency_mark /a;
order_guard_idempotency_mark /b;
--- says: "order_guard_idempotency_mark" directive is duplicate



=== order_guard_records: good forms
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    order_guard on;
--- config
    location = /a { order_guard_records; }
    location = /b { order_guard_records store=main; }
    location = /c { order_guard_records from=local; }
    location = /d { order_guard_records store=main from=any; }
    location = /t { return 200; }
--- request
GET /t
--- no_error_log
[warn]



=== order_guard_records: an unknown parameter
--- level: server
--- wrong
location /a { order_guard_records to=any; }
--- says: invalid parameter "to=any", it must be "store=name", "from=local" or "from=any"



=== order_guard_records: twice
--- level: server
--- wrong
location /a { order_guard_records; order_guard_records; }
--- says: "order_guard_records" directive is duplicate



=== order_guard_records: not in a location
--- level: server
--- wrong
order_guard_records;
--- says: "order_guard_records" directive is not allowed here



=== order_guard_records: a store that there is not
--- level: server
--- wrong
location /a { order_guard_records store=other; }
--- says_anywhere: "order_guard_records" has no store "other", define it with "order_guard_store name redis://host:port;"



=== order_guard_records: no store, the embedded one is assumed
--- http_config
--- config
    location = /a { order_guard_records; }
    location = /b { order_guard_records store=local; }
    location = /t { return 200; }
--- request
GET /t
--- error_log: no store is defined, "order_guard_store local shm;" is assumed



=== order_guard_records: where the guard is on
--- level: server
--- wrong
location /a { order_guard on; order_guard_records; }
--- says_anywhere: "order_guard on" and "order_guard_records" stand in one location, give the latter one of its own



=== order_guard_idempotency_wait: good forms
--- good
order_guard_idempotency_wait 0;
order_guard_idempotency_wait 300ms;
order_guard_idempotency_wait 5s;



=== order_guard_idempotency_wait: no time
--- wrong: order_guard_idempotency_wait soon;
--- says: "order_guard_idempotency_wait" has an invalid time "soon", it must be as in "500ms" or "2s"



=== order_guard_idempotency_wait: twice
--- wrong
order_guard_idempotency_wait 1s;
order_guard_idempotency_wait 2s;
--- says: "order_guard_idempotency_wait" directive is duplicate
