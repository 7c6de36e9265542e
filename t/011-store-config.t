# order_guard_store: the forms that pass, and every wrong value refused with
# its file, its line and what would be right.  No secret gets into the log.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard::WrongConf;
use OrderGuard;

repeat_each(1);
no_long_string();

wrong_level('http');

run_tests();

__DATA__

=== good forms
--- user_files
>>> password
s3cret
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
    order_guard_store b redis://127.0.0.1;
    order_guard_store c redis://127.0.0.1/15;
    order_guard_store d redis://127.0.0.1:6379/;
    order_guard_store e redis://localhost:6379 timeout=1ms connect_timeout=60s;
    order_guard_store f redis://[::1]:6379/1;
    order_guard_store g unix:/nonexistent/redis.sock;
    order_guard_store h unix:/nonexistent/redis.sock db=3 prefix=shop-a:;
    order_guard_store i redis://gateway@127.0.0.1 password_file=$TEST_NGINX_HTML_DIR/password;
    order_guard_store j redis://127.0.0.1 password_file=../html/password;
    order_guard_store A-b_c.1 redis://127.0.0.1 prefix=!;
    order_guard_store k redis://127.0.0.1:6379 db=2;
    order_guard_store l shm;
    order_guard_store m shm size=1m;
--- config
    location = /t { return 200; }
--- request
GET /t
--- tolerate_log: crit



=== a password file that ends with CR and LF
--- user_files eval
[['password', "s3cret\r\n"]]
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT password_file=../html/password;
--- config
    location = /t { return 200; }
--- request
GET /t



=== not in a server
--- level: server
--- wrong: order_guard_store other redis://127.0.0.1;
--- says: "order_guard_store" directive is not allowed here



=== not in a location
--- level: location
--- wrong: order_guard_store other redis://127.0.0.1;
--- says: "order_guard_store" directive is not allowed here



=== no address
--- wrong: order_guard_store other;
--- says: invalid number of arguments in "order_guard_store" directive



=== an empty name
--- wrong: order_guard_store "" redis://127.0.0.1;
--- says: invalid name "" in "order_guard_store", use 1 to 64 letters, digits, "_", "-" or "."



=== a name with another character
--- wrong: order_guard_store a:b redis://127.0.0.1;
--- says: invalid name "a:b" in "order_guard_store", use 1 to 64 letters, digits



=== a name that is too long
--- wrong eval: "order_guard_store " . "a" x 65 . " redis://127.0.0.1;"
--- says: invalid name "a{65}" in "order_guard_store", use 1 to 64 letters



=== a name twice
--- wrong
order_guard_store other redis://127.0.0.1;
order_guard_store other redis://127.0.0.2;
--- says: duplicate store "other" in "order_guard_store", give each store a name of its own



=== no scheme
--- wrong: order_guard_store other 127.0.0.1:6379;
--- says: "order_guard_store" does not say where the store is, give "shm", "redis://host:port/db" or "unix:/path" after its name



=== another scheme, and a password
--- wrong: order_guard_store other memcached://user:s3cret@127.0.0.1;
--- says: "order_guard_store" does not say where the store is
--- hides: s3cret



=== shared memory: an address
--- wrong: order_guard_store other shm:/orders;
--- says: invalid address "shm:/orders" of store "other", the store in shared memory has none, use "shm size=64m"



=== shared memory: too small
--- wrong: order_guard_store other shm size=1023k;
--- says: invalid value "1023k" of "size=" of store "other", use 1m to 1023g, as in "size=64m"



=== shared memory: no size
--- wrong: order_guard_store other shm size=;
--- says: invalid value "" of "size=" of store "other", use 1m to 1023g



=== shared memory: two sizes
--- wrong: order_guard_store other shm size=1m size=2m;
--- says: "size=" of store "other" is given twice, keep one



=== shared memory: a parameter of Redis
--- wrong: order_guard_store other shm size=1m timeout=1s;
--- says: parameter "timeout=" of store "other" is one of Redis stores, the store in shared memory knows "size=" alone, remove it



=== shared memory: an unknown parameter
--- wrong: order_guard_store other shm password=s3cret;
--- says: unknown parameter "password=" of store "other", the store in shared memory knows "size=" alone
--- hides: s3cret






=== a cluster with a database
--- wrong: order_guard_store other redis+cluster://127.0.0.1:6379/1;
--- says: invalid database "1" of store "other", a cluster has only 0: leave it out



=== no host
--- wrong: order_guard_store other redis://;
--- says: no host in "", the address of store "other", use "redis://host:port/db" or "unix:/path"



=== no host but a database
--- wrong: order_guard_store other redis:///0;
--- says: no host in "", the address of store "other", use



=== a host that does not exist
--- wrong: order_guard_store other redis://redis.invalid:6379;
--- says: host not found in "redis.invalid:6379", the address of store "other", use



=== a port that is no port
--- wrong: order_guard_store other redis://127.0.0.1:99999;
--- says: invalid port in "127.0.0.1:99999", the address of store "other", use



=== a port of zero
--- wrong: order_guard_store other redis://127.0.0.1:0;
--- says: invalid port in "127.0.0.1:0", the address of store "other", use



=== an empty port
--- wrong: order_guard_store other redis://127.0.0.1:/0;
--- says: port in "127.0.0.1:", the address of store "other", use



=== no path
--- wrong: order_guard_store other unix:;
--- says: no path in the unix domain socket in "unix:", the address of store "other", use "redis://host:port/db" or "unix:/path"



=== a path that is too long for a socket
--- wrong eval: "order_guard_store other unix:/" . "a" x 108 . ";"
--- says: too long path in the unix domain socket in "unix:/a{108}", the address of store "other", use



=== a database that is no number
--- wrong: order_guard_store other redis://127.0.0.1/orders;
--- says: invalid database "orders" of store "other", use a number such as "0"



=== a database and more
--- wrong: order_guard_store other redis://127.0.0.1/0/1;
--- says: invalid database "0/1" of store "other", use a number such as "0"



=== a database below zero
--- wrong: order_guard_store other unix:/redis.sock db=-1;
--- says: invalid database "-1" of store "other", use a number such as "0"



=== an empty database
--- wrong: order_guard_store other unix:/redis.sock db=;
--- says: invalid database "" of store "other", use a number such as "0"



=== a database that is too large
--- wrong: order_guard_store other redis://127.0.0.1/1000001;
--- says: invalid database "1000001" of store "other", use a number



=== a database twice
--- wrong: order_guard_store other redis://127.0.0.1/1 db=1;
--- says: the database of store "other" is given twice, keep one



=== a database twice, the first is the default
--- wrong: order_guard_store other redis://127.0.0.1/0 db=1;
--- says: the database of store "other" is given twice, keep one



=== a password in the address
--- wrong: order_guard_store other redis://gateway:s3cret@127.0.0.1;
--- says: the address of store "other" holds a password, put it in a file and give "password_file="
--- hides: s3cret



=== a password alone in the address
--- wrong: order_guard_store other redis://:s3cret@127.0.0.1;
--- says: the address of store "other" holds a password, put it in a file
--- hides: s3cret



=== a password with a slash and an at sign
--- wrong: order_guard_store other redis://gateway:s3cret/a@b@127.0.0.1;
--- says: the address of store "other" holds a password, put it in a file
--- hides: s3cret



=== a password as in a query
--- wrong: order_guard_store other redis://127.0.0.1/0?password=s3cret;
--- says: "(other|main)"
--- hides: s3cret



=== a password as a parameter
--- wrong: order_guard_store other redis://127.0.0.1 password=s3cret;
--- says: of store "other"
--- hides: s3cret



=== a user without a name
--- wrong: order_guard_store other redis://@127.0.0.1;
--- says: the address of store "other" has no user before "@", give one or leave "@" out



=== a user without a password
--- wrong: order_guard_store other redis://gateway@127.0.0.1;
--- says: store "other" names the user "gateway" but no password, add "password_file="



=== no password file
--- wrong: order_guard_store other redis://127.0.0.1 password_file=;
--- says: "password_file=" of store "other" names no file



=== a password file that is not there
--- wrong: order_guard_store other redis://127.0.0.1 password_file=/nonexistent/password;
--- says: cannot open the password file "/nonexistent/password" \(2: No such file or directory\)



=== a password file that is a folder
--- wrong: order_guard_store other redis://127.0.0.1 password_file=../html;
--- says: cannot read the password file "\S*/html" \(21: Is a directory\)



=== a password file that is empty
--- wrong: order_guard_store other redis://127.0.0.1 password_file=../html/password;
--- more_files eval: [['password', '']]
--- says: the password file "\S*/password" is empty, it must hold one line, the password



=== a password file of empty lines
--- wrong: order_guard_store other redis://127.0.0.1 password_file=../html/password;
--- more_files eval: [['password', "\n\r\n"]]
--- says: the password file "\S*/password" is empty, it must hold one line, the password



=== a password file of two lines
--- wrong: order_guard_store other redis://127.0.0.1 password_file=../html/password;
--- more_files eval: [['password', "s3cret\nmore\n"]]
--- says: the password file "\S*/password" has more than one line, it must hold one line
--- hides: s3cret



=== a password file that is too long
--- wrong: order_guard_store other redis://127.0.0.1 password_file=../html/password;
--- more_files eval: [['password', "s3cret" . "x" x 4096]]
--- says: the password file "\S*/password" is longer than 4096 bytes, it must hold the password alone
--- hides: s3cret



=== a password file twice
--- wrong: order_guard_store other redis://127.0.0.1 password_file=../html/password password_file=../html/password;
--- more_files eval: [['password', "s3cret"]]
--- says: "password_file=" of store "other" is given twice, keep one
--- hides: s3cret



=== a timeout that is no time
--- wrong: order_guard_store other redis://127.0.0.1 timeout=soon;
--- says: invalid value "soon" of "timeout=" of store "other", use a time from "1ms" to "60s"



=== a timeout of zero
--- wrong: order_guard_store other redis://127.0.0.1 timeout=0;
--- says: invalid value "0" of "timeout=" of store "other", use a time from "1ms" to "60s"



=== a timeout that is too long
--- wrong: order_guard_store other redis://127.0.0.1 timeout=60001ms;
--- says: invalid value "60001ms" of "timeout=" of store "other", use a time from "1ms" to "60s"



=== an empty timeout
--- wrong: order_guard_store other redis://127.0.0.1 timeout=;
--- says: invalid value "" of "timeout=" of store "other", use a time from "1ms" to "60s"



=== a connect timeout that is no time
--- wrong: order_guard_store other redis://127.0.0.1 connect_timeout=-1s;
--- says: invalid value "-1s" of "connect_timeout=" of store "other", use a time from "1ms" to "60s"



=== a timeout twice
--- wrong: order_guard_store other redis://127.0.0.1 timeout=1s timeout=1s;
--- says: "timeout=" of store "other" is given twice, keep one



=== a connect timeout twice
--- wrong: order_guard_store other redis://127.0.0.1 connect_timeout=1s connect_timeout=2s;
--- says: "connect_timeout=" of store "other" is given twice, keep one



=== an empty prefix
--- wrong: order_guard_store other redis://127.0.0.1 prefix=;
--- says: invalid value "" of "prefix=" of store "other", use 1 to 64 visible ASCII characters without "\{" and "\}"



=== a prefix that moves the hash tag
--- wrong: order_guard_store other redis://127.0.0.1 "prefix={a}:";
--- says: invalid value "\{a\}:" of "prefix=" of store "other", use 1 to 64 visible ASCII



=== a prefix with a space
--- wrong: order_guard_store other redis://127.0.0.1 "prefix=a b";
--- says: invalid value "a b" of "prefix=" of store "other", use 1 to 64 visible ASCII



=== a prefix that is too long
--- wrong eval: "order_guard_store other redis://127.0.0.1 prefix=" . "a" x 65 . ";"
--- says: invalid value "a{65}" of "prefix=" of store "other", use 1 to 64 visible ASCII



=== a prefix twice
--- wrong: order_guard_store other redis://127.0.0.1 prefix=a prefix=b;
--- says: "prefix=" of store "other" is given twice, keep one



=== a number of replicas
--- http_config
    order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0 wait=0;
    order_guard_store b redis://127.0.0.1 wait=32;
--- config
    location = /t { return 200; }
--- request
GET /t
--- tolerate_log: crit



=== too many replicas
--- wrong: order_guard_store other redis://127.0.0.1 wait=33;
--- says: invalid value "33" of "wait=" of store "other", use a number of replicas from "0" to "32"



=== no number of replicas
--- wrong: order_guard_store other redis://127.0.0.1 wait=all;
--- says: invalid value "all" of "wait=" of store "other", use a number of replicas



=== replicas twice
--- wrong: order_guard_store other redis://127.0.0.1 wait=1 wait=1;
--- says: "wait=" of store "other" is given twice, keep one



=== a parameter of TLS
--- wrong: order_guard_store other redis://127.0.0.1 verify=off;
--- says: "verify=" of store "other" is of no use without TLS, give a "rediss://" address or remove it



=== an unknown parameter
--- wrong: order_guard_store other redis://127.0.0.1 retries=3;
--- says: unknown parameter "retries=" of store "other", known are "timeout=", "connect_timeout=", "prefix=", "db=", "password_file=", "wait=", "sentinel_user=", "sentinel_password_file=", and with TLS "ca=", "cert=", "key=", "server_name=" and "verify="



=== a parameter without a value
--- wrong: order_guard_store other redis://127.0.0.1 timeout;
--- says: unknown parameter "timeout" of store "other", known are "timeout="
