# Directives of errors beside order_guard_error_skip, _detail and _type, which
# are in 010-config.t: every wrong value refused with its file, its line and
# what would be right.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard::WrongConf;
use OrderGuard;

repeat_each(1);
no_long_string();

run_tests();

__DATA__

=== order_guard_error_format: good forms
--- user_files
>>> ../conf/plain.json
{"error":{"code":"$code","message":"$message"}}
>>> ../conf/all.json
{
    "ok": false, "status": "$status", "n": 1234567890.12345678901234567890,
    "errors": [{ "code": "$code", "text": "$message", "more": "$details" }],
    "trace": "$trace_id", "origin": "$origin", "retry": "$retryable",
    "new~key/": "$safe_new_key"
}
--- good
order_guard_errors problem;
order_guard_errors off;
--- http_config
    order_guard_error_format plain plain.json;
    order_guard_error_format all   all.json;
--- config
    location = /one { order_guard_errors plain; }
    location = /two { order_guard_errors all; }



=== order_guard_error_format: no file
--- level: http
--- wrong: order_guard_error_format a none.json;
--- says: open\(\) "\S+none.json" failed \(2: No such file or directory\)



=== order_guard_error_format: a folder
--- level: http
--- wrong: order_guard_error_format a /;
--- says: read\(\) "/" failed \(21: Is a directory\)



=== order_guard_error_format: a name that is taken
--- level: http
--- wrong: order_guard_error_format problem /dev/null;
--- says: the name "problem" in "order_guard_error_format" is taken, give each format one of its own



=== order_guard_error_format: not in a server
--- level: server
--- wrong: order_guard_error_format a b;
--- says: "order_guard_error_format" directive is not allowed here



=== order_guard_error_format: empty
--- level: http
--- wrong: order_guard_error_format a /dev/null;
--- says: "order_guard_error_format" cannot use "/dev/null", line 1:



=== order_guard_error_format: an array
--- level: http
--- wrong: order_guard_error_format a ../html/a.json;
--- more_files eval: [['a.json', q{[]}]]
--- says: "order_guard_error_format" cannot use "\S+a.json", line 1: it must be an object



=== order_guard_error_format: a part that is none
--- level: http
--- wrong: order_guard_error_format a ../html/a.json;
--- more_files eval: [['a.json', CORE::join("\n", q~{~, q~"code": "$code",~, q~"x": "$cod"~, q~}~)]]
--- says: "order_guard_error_format" cannot use "\S+a.json", line 3: this is no part of an error: "\$status", "\$code", "\$message", "\$details", "\$trace_id", "\$origin", "\$retryable" and "\$safe_new_key" are



=== order_guard_error_format: a part within a text
--- level: http
--- wrong: order_guard_error_format a ../html/a.json;
--- more_files eval: [['a.json', CORE::join("\n", q~{~, q~"text": "error $code"}~)]]
--- says: "order_guard_error_format" cannot use "\S+a.json", line 2: a part of an error must be the whole string



=== order_guard_error_format: malformed
--- level: http
--- wrong: order_guard_error_format a ../html/a.json;
--- more_files eval: [['a.json', CORE::join("\n", q~{"a":1,~, q~~, q~"b":}~)]]
--- says: "order_guard_error_format" cannot use "\S+a.json", line 3: .+



=== order_guard_error_format: a name twice
--- level: http
--- wrong: order_guard_error_format a ../html/a.json;
--- more_files eval: [['a.json', CORE::join("\n", q~{"a":1,~, q~"a":2}~)]]
--- says: "order_guard_error_format" cannot use "\S+a.json", line 2: .+



=== order_guard_error_format: too long
--- level: http
--- wrong: order_guard_error_format a ../html/a.json;
--- more_files eval: [['a.json', '{"a":"' . ('x' x 17000) . '"}']]
--- says: "order_guard_error_format" cannot use "\S+a.json", line 1: it is longer than 16384 bytes



=== order_guard_error_format: nothing of the error
--- level: http
--- wrong: order_guard_error_format a ../html/a.json;
--- more_files eval: [['a.json', '{"ok":false,"more":"$details"}']]
--- says: "order_guard_error_format" cannot use "\S+a.json": it has neither "\$code" nor "\$message"



=== order_guard_errors: a format that is not there
--- wrong: order_guard_errors mine;
--- says: unknown format "mine" in "order_guard_errors", use "off" or "problem", or define it above with "order_guard_error_format mine file;"



=== order_guard_error_fields: good forms
--- good
order_guard_error_fields code=/a;
order_guard_error_fields code=/a,/b/0/c message=/m details=/d trace_id=/t~0~1x;
order_guard_error_fields message=/a=b;



=== order_guard_error_fields: no part
--- wrong: order_guard_error_fields /code;
--- says: invalid parameter "/code", it must be one of "code=", "message=", "details=" and "trace_id=", each once, and JSON Pointers with commas between them



=== order_guard_error_fields: another part
--- wrong: order_guard_error_fields status=/code;
--- says: invalid parameter "status=/code", it must be one of



=== order_guard_error_fields: a part twice
--- wrong: order_guard_error_fields code=/a code=/b;
--- says: invalid parameter "code=/b", it must be one of



=== order_guard_error_fields: nothing behind it
--- wrong: order_guard_error_fields code=;
--- says: invalid parameter "code=", it must be one of



=== order_guard_error_fields: no pointer
--- wrong: order_guard_error_fields code=/a,b;
--- says: invalid place "b" in "order_guard_error_fields": it must be a JSON Pointer, as in "/error/code"



=== order_guard_error_fields: a comma too many
--- wrong: order_guard_error_fields code=/a,;
--- says: invalid place "" in "order_guard_error_fields": it must be a JSON Pointer



=== order_guard_error_fields: a tilde
--- wrong: order_guard_error_fields code=/a~b;
--- says: invalid place "/a~b" in "order_guard_error_fields": "~" in a JSON Pointer is written "~0", and "/" in a name "~1"



=== order_guard_error_fields: twice
--- wrong
order_guard_error_fields code=/a;
order_guard_error_fields message=/a;
--- says: "order_guard_error_fields" directive is duplicate



=== order_guard_error_when: good forms
--- good
order_guard_error_when /success false 422;
order_guard_error_when /status failed 409; order_guard_error_when /n 0 500;
order_guard_error_when /status '"failed"' 400;
order_guard_error_when /data null 404;
order_guard_error_when /n -1.5e3 599;



=== order_guard_error_when: no pointer
--- wrong: order_guard_error_when success false 422;
--- says: invalid condition "success false" in "order_guard_error_when": it must be a JSON Pointer, as in "/error/code"



=== order_guard_error_when: an array
--- wrong: order_guard_error_when /errors [] 422;
--- says: invalid condition "/errors \[\]" in "order_guard_error_when": it must be true, false, null, a number or a string



=== order_guard_error_when: a quote within
--- wrong: order_guard_error_when /status '"a"b"' 422;
--- says: invalid condition "/status "a"b"" in "order_guard_error_when": a string here has neither quotes nor backslashes in it



=== order_guard_error_when: a status of success
--- wrong: order_guard_error_when /success false 200;
--- says: invalid status "200" in "order_guard_error_when", it must be one from 400 to 599



=== order_guard_error_when: no status
--- wrong: order_guard_error_when /success false;
--- says: invalid number of arguments in "order_guard_error_when" directive



=== order_guard_error_when: another word for a status
--- wrong: order_guard_error_when /success false 4xx;
--- says: invalid status "4xx" in "order_guard_error_when", it must be one from 400 to 599
