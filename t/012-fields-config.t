# order_guard_reject, _unlisted and _set, and rules that contradict each
# other: the forms that pass, and every wrong one refused with its field, its
# file, its line and what would be right.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard::WrongConf;
use OrderGuard;

repeat_each(1);
no_long_string();

run_tests();

__DATA__

=== each stands in http and server
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    order_guard_reject price;
    order_guard_unlisted reject;
    order_guard_set user_id 7;
--- config
    order_guard_reject status;
    order_guard_unlisted strip;
    order_guard_set level 3 number;
--- good
order_guard_match loose;



=== order_guard_reject: good forms
--- good
order_guard_reject price;
order_guard_reject price status paid;
order_guard_reject price; order_guard_reject status;
order_guard_reject /status /items/*/price /a~1b /a~0b;
order_guard_reject "a b" "ผู้ใช้" a.b a[0];
order_guard_reject price price;



=== order_guard_reject: no field
--- wrong: order_guard_reject;
--- says: invalid number of arguments in "order_guard_reject" directive



=== order_guard_reject: an empty field
--- wrong: order_guard_reject price "";
--- says: invalid field "": a field has no name



=== order_guard_reject: an empty name in a pointer
--- wrong: order_guard_reject /items//price;
--- says: invalid field "/items//price": a pointer has an empty name



=== order_guard_reject: a pointer of nothing but a slash
--- wrong: order_guard_reject /;
--- says: invalid field "/": a pointer has an empty name



=== order_guard_reject: a slash behind the name
--- wrong: order_guard_reject /price/;
--- says: invalid field "/price/": a pointer has an empty name



=== order_guard_reject: a wrong escape
--- wrong: order_guard_reject /a~2b;
--- says: invalid field "/a~2b": "~" in a pointer is followed by 0 or 1 only



=== order_guard_reject: a bare asterisk
--- wrong: order_guard_reject *;
--- says: invalid field "\*": "\*" has a meaning in pointers only



=== order_guard_reject: all below
--- wrong: order_guard_reject /data/**;
--- says: invalid field "/data/\*\*": "\*\*" is the last of an allow pointer only



=== order_guard_reject: nothing but what is ignored
--- wrong: order_guard_reject _-_;
--- says_anywhere: invalid field "_-_" of \S*wrong\.conf:3: a field is nothing but "_", "-" and space, which are ignored



=== order_guard_reject: no UTF-8
--- wrong eval: "order_guard_reject pr\xffce;"
--- says: invalid field ".*": a field is not valid UTF-8, or has a NUL



=== order_guard_reject: also where the guard is off
--- guard: off
--- wrong: order_guard_reject /a~2b;
--- says: invalid field "/a~2b"



=== order_guard_reject: of two lines the second is named
--- wrong
order_guard_reject price;
order_guard_reject *;
--- says: invalid field "\*"



=== order_guard_unlisted: good forms
--- good
order_guard_unlisted strip;
order_guard_unlisted reject;
order_guard_allow sku; order_guard_unlisted reject;



=== order_guard_unlisted: another value
--- wrong: order_guard_unlisted pass;
--- says: "order_guard_unlisted" has an invalid value "pass", it must be "strip" or "reject"



=== order_guard_unlisted: no value
--- wrong: order_guard_unlisted;
--- says: invalid number of arguments in "order_guard_unlisted" directive



=== order_guard_unlisted: twice
--- wrong
order_guard_unlisted reject;
order_guard_unlisted reject;
--- says: "order_guard_unlisted" directive is duplicate



=== order_guard_set: good forms
--- good
order_guard_set user_id 7;
order_guard_set user_id $http_x_user;
order_guard_set user_id "$http_x_shop:$http_x_user" string;
order_guard_set user_id "";
order_guard_set level 3 number; order_guard_set limit -1.5e+400 number;
order_guard_set paid false boolean; order_guard_set /order/paid true boolean;
order_guard_set level $http_x_level number;
order_guard_set level "" number; order_guard_set paid "" boolean;
order_guard_set /order/user_id 7; order_guard_set /order/level 3;
order_guard_set user_id 7; order_guard_allow sku;
order_guard_set "ผู้ใช้" "สมชาย";
order_guard_set /a~1b/c~0d 1;



=== order_guard_set: no value
--- wrong: order_guard_set user_id;
--- says: "order_guard_set" directive has a field without a value



=== off: good forms
--- good
order_guard_strip off;
order_guard_reject off; order_guard_allow off; order_guard_set off;
order_guard_strip /off; order_guard_set off 1; order_guard_set flag off;
order_guard_strip off; order_guard_allow sku;



=== off: with a field
--- wrong: order_guard_strip price off;
--- says: "order_guard_strip" directive has "off" and something beside it, keep one \("/off" is a field of that name\)



=== off: in front of a field
--- wrong
order_guard_reject off;
order_guard_reject price;
--- says: "order_guard_reject" directive has "off" and something beside it, keep one



=== off: behind a field
--- wrong
order_guard_set user_id 7;
order_guard_set off;
--- says: "order_guard_set" directive has "off" and something beside it, keep one



=== off: twice
--- wrong
order_guard_allow off;
order_guard_allow off;
--- says: "order_guard_allow" directive has "off" and something beside it, keep one



=== order_guard_set: too many
--- wrong: order_guard_set user_id 7 number 8;
--- says: invalid number of arguments in "order_guard_set" directive



=== order_guard_set: another type
--- wrong: order_guard_set level 3 integer;
--- says: invalid type "integer" of field "level", it must be "string", "number" or "boolean"



=== order_guard_set: type in capitals
--- wrong: order_guard_set level 3 Number;
--- says: invalid type "Number" of field "level"



=== order_guard_set: no number
--- wrong: order_guard_set level three number;
--- says: invalid value "three" of field "level": the value is no number of JSON



=== order_guard_set: a number that JSON does not have
--- wrong: order_guard_set level 0x10 number;
--- says: invalid value "0x10" of field "level": the value is no number of JSON



=== order_guard_set: a number with a leading zero
--- wrong: order_guard_set level 03 number;
--- says: invalid value "03" of field "level": the value is no number of JSON



=== order_guard_set: a number with more behind it
--- wrong: order_guard_set level "3," number;
--- says: invalid value "3," of field "level": the value is no number of JSON



=== order_guard_set: NaN
--- wrong: order_guard_set level NaN number;
--- says: invalid value "NaN" of field "level": the value is no number of JSON



=== order_guard_set: no boolean
--- wrong: order_guard_set paid yes boolean;
--- says: invalid value "yes" of field "paid": the value is neither true nor false



=== order_guard_set: a boolean in capitals
--- wrong: order_guard_set paid TRUE boolean;
--- says: invalid value "TRUE" of field "paid": the value is neither true nor false



=== order_guard_set: a string that is no UTF-8
--- wrong eval: "order_guard_set note \"a\xff\";"
--- says: invalid value ".*" of field "note": the value is not valid UTF-8



=== order_guard_set: a broken variable
--- wrong: order_guard_set user_id ${http_x_user;
--- says: the closing bracket in "http_x_user" variable is missing



=== order_guard_set: an unknown variable
--- config
    location = /t { order_guard_set user_id $nobody_knows; }
--- must_die
--- suppress_stderr
--- error_log eval
qr/\[emerg\].*unknown "nobody_knows" variable/



=== order_guard_set: an empty field
--- wrong: order_guard_set "" 7;
--- says: invalid field "": a field has no name



=== order_guard_set: an empty name in a pointer
--- wrong: order_guard_set /order//user_id 7;
--- says: invalid field "/order//user_id": a pointer has an empty name



=== order_guard_set: an asterisk in a pointer
--- wrong: order_guard_set /items/*/price 0;
--- says: invalid field "/items/\*/price": "\*" stands for many fields, and one is set



=== order_guard_set: a bare asterisk
--- wrong: order_guard_set * 7;
--- says: invalid field "\*": "\*" has a meaning in pointers only



=== order_guard_set: all below
--- wrong: order_guard_set /order/** 7;
--- says: invalid field "/order/\*\*": "\*\*" is the last of an allow pointer only



=== order_guard_set: a wrong escape
--- wrong: order_guard_set /a~ 7;
--- says: invalid field "/a~": "~" in a pointer is followed by 0 or 1 only



=== order_guard_set: nothing but what is ignored
--- wrong: order_guard_set _ 7;
--- says_anywhere: invalid field "_" of \S*wrong\.conf:3: a field is nothing but "_", "-" and space, which are ignored



=== one field twice in set
--- wrong
order_guard_set user_id 7;
order_guard_set user_id 8;
--- says_anywhere: contradict each other: "user_id" is twice in "set"



=== one field twice in set, in two spellings
--- wrong
order_guard_set user_id 7;
order_guard_set userId 8;
--- says_anywhere: contradict each other: "userId" in "set" is "user_id" in "set"; take out that of \S*wrong\.conf:4 or that of \S*wrong\.conf:3



=== two spellings are two fields where case counts
--- good
order_guard_match exact; order_guard_set user_id 7; order_guard_set userId 8;
order_guard_match exact; order_guard_strip price; order_guard_reject Price;
order_guard_match exact; order_guard_strip price; order_guard_allow Price;



=== a bare name and its pointer in set
--- wrong
order_guard_set user_id 7;
order_guard_set /user_id 8;
--- says_anywhere: contradict each other: "user_id" in "set" is "/user_id" in "set"



=== a set pointer below another one
--- wrong
order_guard_set /order 7;
order_guard_set /order/user_id 8;
--- says_anywhere: contradict each other: "/order/user_id" in "set" is within "/order" in "set"



=== a field both in strip and in reject
--- wrong
order_guard_strip sku price;
order_guard_reject status price;
--- says_anywhere: contradict each other: "price" is both in "strip" and in "reject"



=== a field both in strip and in reject, in two spellings
--- wrong
order_guard_strip user_id;
order_guard_reject USER-ID;
--- says_anywhere: contradict each other: "user_id" in "strip" is "USER-ID" in "reject"



=== a pointer both in strip and in reject
--- wrong
order_guard_strip /items/*/price;
order_guard_reject /Items/*/Price;
--- says_anywhere: contradict each other: "/items/\*/price" in "strip" is "/Items/\*/Price" in "reject"



=== fields of strip and reject that overlap
--- good
order_guard_strip price; order_guard_reject /price;
order_guard_strip order; order_guard_reject /order/price;
order_guard_strip /order/price; order_guard_reject /order/*;
order_guard_reject price; order_guard_strip /order/price;
order_guard_strip price; order_guard_reject prices;



=== a field both in allow and in reject
--- wrong
order_guard_reject price;
order_guard_allow sku price;
--- says_anywhere: contradict each other: "price".*"allow".*"price".*"reject"



=== a field both in allow and in strip
--- wrong
order_guard_strip price;
order_guard_allow sku price;
--- says_anywhere: contradict each other: "price".*"allow".*"price".*"strip"



=== a field in allow that strip always takes
--- wrong
order_guard_strip price;
order_guard_allow sku /items/*/price;
--- says_anywhere: contradict each other: "/items/\*/price" in "allow" is always taken by "price" in "strip"



=== a field in allow below one that reject always takes
--- wrong
order_guard_reject /user;
order_guard_allow sku /user/id;
--- says_anywhere: contradict each other: "/user/id" in "allow" is always taken by "/user" in "reject"; take out that of \S*wrong\.conf:\d or that of \S*wrong\.conf:\d



=== a field in allow that reject takes only in places
--- good
order_guard_reject /items/0/price; order_guard_allow /items/*/price;
order_guard_strip price; order_guard_allow data /data/**;
order_guard_reject /items/*/price; order_guard_allow price;



=== contradictions with the lines of an outer level
--- http_config
    order_guard_strip price;
--- level: location
--- wrong: order_guard_reject price;
--- says_anywhere: contradict each other: "price" is both in "strip" and in "reject"; take out that of \S*nginx\.conf:\d+ or that of \S*wrong\.conf:3



=== a line of its own replaces that of the outer level
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    order_guard_strip price;
    order_guard_set user_id 7;
--- good
order_guard_strip status; order_guard_reject price;
order_guard_set user_id 8;
order_guard_set user_id 8; order_guard_set level 3;



=== a match mode that makes two fields of an outer level one
--- http_config
    order_guard_match exact;
    order_guard_strip price;
    order_guard_reject Price;
--- wrong: order_guard_match caseless;
--- says_anywhere: contradict each other: "price" in "strip" is "Price" in "reject"
