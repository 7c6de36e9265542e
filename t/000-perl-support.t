# t/lib/OrderGuard.pm under both harnesses: the private Redis, the store that
# is clean for each repetition, the guard of the error log.

use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use OrderGuard;

repeat_each(2);
master_on();

add_block_preprocessor(sub {
    my ($block) = @_;

    # What the block before left in the store is gone when nginx starts.
    $block->set_value(init => <<'_PERL_') unless defined $block->init;
        main::is(OrderGuard::redis_cmd('DBSIZE'), 0, 'the store is empty');
_PERL_
});

after_response(sub {
    my ($block, $body, $index, $repetition) = @_;
    my $expected = $block->keys_before or return;
    my $name = $block->name;

    is(redis_cmd('DBSIZE'), $expected->[$index],
       "$name - keys before request $index of repetition $repetition");
    redis_cmd('SET', "key-$index", "line\r\nline");
    is(redis_cmd('GET', "key-$index"), "line\r\nline", "$name - value");
});

is(redis_cmd('PING'), 'PONG', 'redis answers');
is(redis_cmd('GET', 'nothing'), undef, 'nil is undef');
is(redis_cmd('INCR', 'n'), 1, 'an integer');
redis_cmd('RPUSH', 'list', 'a', '');
is_deeply(redis_cmd('LRANGE', 'list', 0, -1), ['a', ''], 'a list');
ok(!eval { redis_cmd('INCR', 'list'); 1 }, 'an error reply dies');
like($@, qr/^redis replied: WRONGTYPE/, 'with its text');
is(redis_cmd('PING'), 'PONG', 'and leaves the connection usable');
redis_cmd('SET', 'big', 'x' x 200_000);
is(length redis_cmd('GET', 'big'), 200_000, 'a long value');

run_tests();

__DATA__

=== a store per repetition
--- config
    location = /t {
        return 200 "ok\n";
    }
--- request eval
["GET /t", "GET /t", "GET /t"]
--- error_code eval
[200, 200, 200]
--- keys_before eval
[0, 1, 2]



=== a store per repetition, one request
--- config
    location = /t {
        return 200 "ok\n";
    }
--- request
GET /t
--- keys_before eval
[0]



=== redis is reachable from the configuration
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_REDIS_PORT;
    }
--- request
GET /t
--- error_code: 502
--- error_log
while reading response header from upstream



=== the dead port refuses
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_DEAD_PORT;
    }
--- request
GET /t
--- error_code: 502
--- error_log
Connection refused



=== a killed redis comes back
--- init
kill KILL => main::redis_pid();
--- config
    location = /t {
        return 200;
    }
--- request
GET /t



=== a line of level crit that the block names
--- config
    location = /t {
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/no.sock;
    }
--- request
GET /t
--- error_code: 502
--- error_log
[crit]
connect() to unix:



=== a line of level crit that the block tolerates
--- config
    location = /t {
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/no.sock;
    }
--- request
GET /t
--- error_code: 502
--- tolerate_log: crit



=== must_die tolerates emerg
--- config
    no_such_directive;
--- must_die
--- suppress_stderr
--- error_log
unknown directive
