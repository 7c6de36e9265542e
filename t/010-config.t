# Directives: the forms that pass, and every wrong value refused with its file,
# its line and what would be right.  Stores are in 011-store-config.t, what a
# level takes from the level above is in 011-inheritance.t.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard::WrongConf;
use OrderGuard;

repeat_each(1);
no_long_string();

run_tests();

__DATA__

=== order_guard: good forms
--- good
order_guard_match exact;
--- config
    location = /on { order_guard on; }
    location = /off { order_guard off; }



=== order_guard: another value
--- level: server
--- wrong: order_guard maybe;
--- says: invalid value "maybe" in "order_guard" directive, it must be "on" or "off"



=== order_guard: no value
--- level: server
--- wrong: order_guard;
--- says: invalid number of arguments in "order_guard" directive



=== order_guard: two values
--- level: server
--- wrong: order_guard on off;
--- says: invalid number of arguments in "order_guard" directive



=== order_guard: twice
--- level: server
--- wrong
order_guard on;
order_guard on;
--- says: "order_guard" directive is duplicate



=== order_guard: not inside of "if"
--- level: location
--- wrong: if ($arg_a) { order_guard_match exact; }
--- says: "order_guard_match" directive is not allowed here



=== every directive but order_guard_store stands in http and server
--- http_config
    order_guard on;
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    order_guard_token $http_x_caller optional;
    order_guard_methods POST;
    order_guard_strip price;
    order_guard_allow sku;
    order_guard_match exact;
    order_guard_body_limit 1m;
    order_guard_json_depth 8;
    order_guard_idempotency required;
    order_guard_idempotency_key $http_x_key;
    order_guard_idempotency_fingerprint $http_x_user;
    order_guard_idempotency_release 503;
    order_guard_idempotency_response_limit 1m;
    order_guard_idempotency_on_failure pass;
    order_guard_limit 60r/m;
    order_guard_errors problem;
    order_guard_error_skip 503;
    order_guard_error_detail hide;
    order_guard_error_type urn:example:;
--- config
    order_guard on;
    order_guard_token $http_x_caller optional;
    order_guard_methods POST;
    order_guard_strip price;
    order_guard_allow sku;
    order_guard_match exact;
    order_guard_body_limit 1m;
    order_guard_json_depth 8;
    order_guard_idempotency required;
    order_guard_idempotency_key $http_x_key;
    order_guard_idempotency_fingerprint $http_x_user;
    order_guard_idempotency_release 503;
    order_guard_idempotency_response_limit 1m;
    order_guard_idempotency_on_failure pass;
    order_guard_limit 60r/m;
    order_guard_errors problem;
    order_guard_error_skip 503;
    order_guard_error_detail hide;
    order_guard_error_type urn:example:;
--- good
order_guard_match loose;



=== order_guard_token: good forms
--- good
order_guard_token $http_x_token;
order_guard_token $http_x_token optional;
order_guard_token $http_x_token challenge=Basic;
order_guard_token $http_x_token optional "challenge=Bearer realm=\"orders\"";
order_guard_token "$remote_user:$http_x_shop";



=== order_guard_token: no value
--- wrong: order_guard_token;
--- says: invalid number of arguments in "order_guard_token" directive



=== order_guard_token: an unknown parameter
--- wrong: order_guard_token $http_x_token maybe;
--- says: invalid parameter "maybe", it must be "optional" or "challenge=string"



=== order_guard_token: an empty challenge
--- wrong: order_guard_token $http_x_token challenge=;
--- says: invalid parameter "challenge=", it must be "optional" or "challenge=string"



=== order_guard_token: a challenge that would be two header lines
--- wrong: order_guard_token $http_x_token "challenge=Bearer\r\nX: y";
--- says: challenge



=== order_guard_token: a broken variable
--- wrong: order_guard_token ${http_x_token;
--- says: the closing bracket in "http_x_token" variable is missing



=== order_guard_token: twice
--- wrong
order_guard_token $http_a;
order_guard_token $http_b;
--- says: "order_guard_token" directive is duplicate



=== order_guard_methods: good forms
--- good
order_guard_methods POST;
order_guard_methods POST PUT PATCH DELETE;
order_guard_methods GET;
order_guard_methods POST; order_guard_methods VERSION-CONTROL;



=== order_guard_methods: in small letters
--- wrong: order_guard_methods POST put;
--- says: invalid method "put", it must be in capital letters, as in "POST"



=== order_guard_methods: a list with commas
--- wrong: order_guard_methods POST,PUT;
--- says: invalid method "POST,PUT", it must be in capital letters, as in "POST"



=== order_guard_methods: small letters behind a hyphen
--- wrong: order_guard_methods VERSION-control;
--- says: invalid method "VERSION-control", it must be in capital letters, as in "POST"



=== order_guard_methods: empty
--- wrong: order_guard_methods "";
--- says: invalid method "", it must be in capital letters, as in "POST"



=== order_guard_methods: OPTIONS is never guarded
--- wrong: order_guard_methods POST OPTIONS;
--- says: method "OPTIONS" is never guarded, remove it



=== order_guard_methods: HEAD is never guarded
--- wrong: order_guard_methods HEAD;
--- says: method "HEAD" is never guarded, remove it



=== order_guard_strip: good forms
--- good
order_guard_strip price;
order_guard_strip price status paid;
order_guard_strip price; order_guard_strip status;
order_guard_strip /status /items/*/price /a~1b /a~0b;
order_guard_strip "a b" "ผู้ใช้" a.b a[0];
order_guard_strip price price;



=== order_guard_strip: no field
--- wrong: order_guard_strip;
--- says: invalid number of arguments in "order_guard_strip" directive



=== order_guard_strip: an empty field
--- wrong: order_guard_strip price "";
--- says: invalid field "": a field has no name



=== order_guard_strip: an empty name in a pointer
--- wrong: order_guard_strip /items//price;
--- says: invalid field "/items//price": a pointer has an empty name



=== order_guard_strip: a pointer of nothing but a slash
--- wrong: order_guard_strip /;
--- says: invalid field "/": a pointer has an empty name



=== order_guard_strip: a wrong escape
--- wrong: order_guard_strip /a~2b;
--- says: invalid field "/a~2b": "~" in a pointer is followed by 0 or 1 only



=== order_guard_strip: an escape that is cut off
--- wrong: order_guard_strip /a~;
--- says: invalid field "/a~": "~" in a pointer is followed by 0 or 1 only



=== order_guard_strip: a bare asterisk
--- wrong: order_guard_strip *;
--- says: invalid field "\*": "\*" has a meaning in pointers only



=== order_guard_strip: all below
--- wrong: order_guard_strip /data/**;
--- says: invalid field "/data/\*\*": "\*\*" is the last of an allow pointer only



=== order_guard_strip: nothing but what is ignored
--- wrong: order_guard_strip _-_;
--- says_anywhere: invalid field "_-_": a field is nothing but "_" and "-", which are ignored



=== order_guard_strip: such a name is a name where nothing is ignored
--- good
order_guard_strip _-_; order_guard_match exact;



=== order_guard_strip: no UTF-8
--- wrong eval: "order_guard_strip pr\xffce;"
--- says: invalid field ".*": a field is not valid UTF-8, or has a NUL



=== order_guard_strip: also where the guard is off
--- guard: off
--- wrong: order_guard_strip /a~2b;
--- says: invalid field "/a~2b"



=== order_guard_strip: of two lines the second is named
--- wrong
order_guard_strip price;
order_guard_strip *;
--- says: invalid field "\*"



=== order_guard_allow: good forms
--- good
order_guard_allow sku;
order_guard_allow sku quantity; order_guard_allow /items/*/sku;
order_guard_allow /data /data/**;
order_guard_allow data /data/** /items;
order_guard_allow _-_;
order_guard_allow data /data/**; order_guard_strip price;



=== order_guard_allow: no field
--- wrong: order_guard_allow;
--- says: invalid number of arguments in "order_guard_allow" directive



=== order_guard_allow: an empty field
--- wrong: order_guard_allow "";
--- says: invalid field "": a field has no name



=== order_guard_allow: all below in the middle
--- wrong: order_guard_allow /a/**/b;
--- says: invalid field "/a/\*\*/b": "\*\*" is the last of an allow pointer only



=== order_guard_allow: a bare asterisk
--- wrong: order_guard_allow *;
--- says: invalid field "\*": "\*" has a meaning in pointers only



=== order_guard_allow: two bare asterisks
--- wrong: order_guard_allow **;
--- says: invalid field "\*\*": "\*\*" is the last of an allow pointer only



=== order_guard_allow: a wrong escape
--- wrong: order_guard_allow /a~;
--- says: invalid field "/a~": "~" in a pointer is followed by 0 or 1 only



=== order_guard_allow and order_guard_strip that contradict
--- wrong
order_guard_strip price;
order_guard_allow sku price;
--- says_anywhere: "order_guard_strip" and "order_guard_allow" do not go together:



=== order_guard_allow and order_guard_strip that contradict by another spelling
--- wrong
order_guard_allow sku user_id;
order_guard_strip userId;
--- says_anywhere: "order_guard_strip" and "order_guard_allow" do not go together:



=== order_guard_allow of what stands below a stripped field
--- wrong
order_guard_strip /user;
order_guard_allow sku /user/id;
--- says_anywhere: "order_guard_strip" and "order_guard_allow" do not go together:



=== order_guard_match: good forms
--- good
order_guard_match exact;
order_guard_match caseless;
order_guard_match loose;



=== order_guard_match: another value
--- wrong: order_guard_match fuzzy;
--- says: "fuzzy".*"exact".*"caseless".*"loose"



=== order_guard_match: twice
--- wrong
order_guard_match exact;
order_guard_match loose;
--- says: "order_guard_match" directive is duplicate



=== order_guard_body_limit: good forms
--- good
order_guard_body_limit 1024;
order_guard_body_limit 64k;
order_guard_body_limit 2M;



=== order_guard_body_limit: no size
--- wrong: order_guard_body_limit lots;
--- says: order_guard_body_limit.*"lots".*"256k"



=== order_guard_body_limit: below zero
--- wrong: order_guard_body_limit -1;
--- says: order_guard_body_limit.*"-1".*"256k"



=== order_guard_body_limit: twice
--- wrong
order_guard_body_limit 1k;
order_guard_body_limit 1k;
--- says: "order_guard_body_limit" directive is duplicate



=== order_guard_json_depth: good forms
--- good
order_guard_json_depth 1;
order_guard_json_depth 64;
order_guard_json_depth 1000;



=== order_guard_json_depth: no number
--- wrong: order_guard_json_depth deep;
--- says: order_guard_json_depth.*"deep".*"64"



=== order_guard_json_depth: zero refuses every order
--- wrong: order_guard_json_depth 0;
--- says: order_guard_json_depth.*"0"



=== order_guard_json_depth: twice
--- wrong
order_guard_json_depth 1;
order_guard_json_depth 1;
--- says: "order_guard_json_depth" directive is duplicate



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



=== order_guard_idempotency: no store at all
--- no_store
--- wrong: order_guard_idempotency required;
--- says_anywhere: need a store, add "order_guard_store main redis://127.0.0.1:6379;" to the http block



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
order_guard_idempotency_release 200 599;



=== order_guard_idempotency_release: no status
--- wrong: order_guard_idempotency_release 503 none;
--- says: invalid status "none", it must be a status from 200 to 599 or a class, as in "4xx"



=== order_guard_idempotency_release: below 200
--- wrong: order_guard_idempotency_release 199;
--- says: invalid status "199", it must be a status from 200 to 599 or a class, as in "4xx"



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
--- says: invalid parameter "burst=5", it must be "name=" or "key="



=== order_guard_limit: an empty name
--- wrong: order_guard_limit 60r/m name=;
--- says: invalid parameter "name=", it must be "name=" or "key="



=== order_guard_limit: an empty key
--- wrong: order_guard_limit 60r/m key=;
--- says: invalid parameter "key=", it must be "name=" or "key="



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



=== order_guard_limit: no store at all
--- no_store
--- wrong: order_guard_limit 60r/m;
--- says_anywhere: need a store, add "order_guard_store main redis://127.0.0.1:6379;" to the http block



=== order_guard_errors: good forms
--- good
order_guard_errors off;
order_guard_errors problem;



=== order_guard_errors: another value
--- wrong: order_guard_errors pretty;
--- says: "pretty".*"off".*"problem"



=== order_guard_errors: twice
--- wrong
order_guard_errors off;
order_guard_errors off;
--- says: "order_guard_errors" directive is duplicate



=== order_guard_error_skip: good forms
--- good
order_guard_error_skip 503;
order_guard_error_skip 4xx 503; order_guard_error_skip 500;



=== order_guard_error_skip: no status
--- wrong: order_guard_error_skip all;
--- says: invalid status "all", it must be a status from 200 to 599 or a class, as in "4xx"



=== order_guard_error_skip: no status at all
--- wrong: order_guard_error_skip 99;
--- says: invalid status "99", it must be a status from 200 to 599 or a class, as in "4xx"



=== order_guard_error_detail: good forms
--- good
order_guard_error_detail pass;
order_guard_error_detail hide;



=== order_guard_error_detail: another value
--- wrong: order_guard_error_detail show;
--- says: "show".*"pass".*"hide"



=== order_guard_error_detail: twice
--- wrong
order_guard_error_detail hide;
order_guard_error_detail hide;
--- says: "order_guard_error_detail" directive is duplicate



=== order_guard_error_type: good forms
--- good
order_guard_error_type https://errors.example;
order_guard_error_type http://errors.example/a/;
order_guard_error_type urn:example:error:;
order_guard_error_type /errors;



=== order_guard_error_type: no address
--- wrong: order_guard_error_type errors.example;
--- says: invalid base "errors.example", it must begin with "https://", "http://", "urn:" or "/"



=== order_guard_error_type: empty
--- wrong: order_guard_error_type "";
--- says: invalid base "", it must begin with "https://"



=== order_guard_error_type: with a space
--- wrong: order_guard_error_type "https://errors.example/a b";
--- says: invalid character in base "https://errors.example/a b"



=== order_guard_error_type: with a quote
--- wrong: order_guard_error_type 'https://errors.example/a"b';
--- says: invalid character in base



=== order_guard_error_type: twice
--- wrong
order_guard_error_type /a;
order_guard_error_type /a;
--- says: "order_guard_error_type" directive is duplicate
