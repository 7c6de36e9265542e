# Directives: the forms that pass, and every wrong value refused with its file,
# its line and what would be right.  Idempotency and limits are in
# 011-idempotency-config.t, stores in 011-store-config.t, what a level takes
# from the level above is in 011-inheritance.t.

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



=== order_guard_token: empty, which would be nobody
--- wrong: order_guard_token "";
--- says: token "".*variable, as in "\$



=== order_guard_token: without a variable, which would be one caller for all
--- wrong: order_guard_token shared;
--- says: token "shared".*variable, as in "\$



=== order_guard_token: the same with a parameter
--- wrong: order_guard_token shared optional;
--- says: token "shared".*variable, as in "\$



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
--- says_anywhere: invalid field "_-_" of \S*wrong\.conf:3: a field is nothing but "_", "-" and space, which are ignored



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
--- says_anywhere: the field rules that hold here contradict each other:



=== order_guard_allow and order_guard_strip that contradict by another spelling
--- wrong
order_guard_allow sku user_id;
order_guard_strip userId;
--- says_anywhere: the field rules that hold here contradict each other:



=== order_guard_allow of what stands below a stripped field
--- wrong
order_guard_strip /user;
order_guard_allow sku /user/id;
--- says_anywhere: the field rules that hold here contradict each other:



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



=== order_guard_body_limit: zero refuses every order
--- wrong: order_guard_body_limit 0;
--- says: order_guard_body_limit.*"0".*"256k"



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
--- says: invalid status "all", it must be a status from 300 to 599 or a class, as in "4xx"



=== order_guard_error_skip: no status at all
--- wrong: order_guard_error_skip 99;
--- says: invalid status "99", it must be a status from 300 to 599 or a class, as in "4xx"



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
order_guard_error_type about:blank;



=== order_guard_error_type: no address
--- wrong: order_guard_error_type errors.example;
--- says: invalid base "errors.example", it must begin with "https://", "http://", "urn:" or "/"



=== order_guard_error_type: more than about:blank
--- wrong: order_guard_error_type about:blank/a;
--- says: invalid base "about:blank/a", it must be.*"https://"



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
