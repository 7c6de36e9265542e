# What every test file of the order guard needs, under both harnesses:
#
#     use lib 't/lib';
#     use Test::Nginx::Socket 'no_plan';
#     use OrderGuard;
#     repeat_each(2);
#     run_tests();
#
# A private Redis.  $TEST_NGINX_REDIS_PORT in configuration sections;
# redis_cmd(@command) and redis_pid() in perl code.
#
# Both stores.  A file that says "order_guard_store main $TEST_NGINX_STORE;" is
# run twice by t/run: with Redis, and with OG_STORE=shm.  The embedded store is
# emptied by the end of each block's nginx alone: repeat_each is 1 then.  What
# looks into Redis asks store_is_redis() first.
#
# A clean store.  It is emptied before each block, between the end of the
# nginx before and the start of the new one, and after the last answer of each
# repetition, so with repeat_each(2) the second repetition does not see the
# claims of the first.  Look into it from after_response(sub { ... }), which
# runs before that.  Neither harness offers a hook for a block with
# ignore_response: use keys that differ, or repeat_each(1), there.
#
# A clean log.  Each request fails its block, and so does the shutdown of
# nginx, when error.log has a line of level alert, crit or emerg, or of a
# sanitizer.  A block that provokes such a line names it in error_log, with
# the level as "[crit]", or lists the levels in a section of its own:
# "--- tolerate_log: crit".  This is one check more for each request and one
# for each block: use 'no_plan'.  Only a master process says at its end that a
# connection was left open: call master_on() to look for these.
#
# $TEST_NGINX_DEAD_PORT refuses connections; free_port() gives unused ports.

package OrderGuard;

use 5.010;
use strict;
use warnings;

use Carp qw(croak);

use OrderGuard::Ports;
use OrderGuard::Redis;

my @EXPORT = qw(after_response free_port redis_cmd redis_pid store_is_redis);

my $redis;
my @after_response;


sub import {
    my ($class) = @_;
    my $caller = caller;

    my %harness = map { $_ => $caller->can($_) } qw(
        add_block_preprocessor add_response_body_check html_dir);
    croak 'use Test::Nginx::Socket before OrderGuard'
        if grep { !defined } values %harness;

    if (!$redis) {
        $redis = OrderGuard::Redis->new;
        $ENV{TEST_NGINX_REDIS_PORT} = $redis->port;
        $ENV{TEST_NGINX_STORE} = store_is_redis()
            ? 'redis://127.0.0.1:' . $redis->port . ' timeout=1s'
            : 'shm size=1m';
        $ENV{TEST_NGINX_DEAD_PORT}  = OrderGuard::Ports::dead_port();
        $ENV{TEST_NGINX_HTML_DIR} //= $harness{html_dir}->();

        $harness{add_block_preprocessor}->(\&guard_log);
        $harness{add_block_preprocessor}->(\&empty_store_at_start);
        $harness{add_response_body_check}->(\&response_came);
    }

    no strict 'refs';
    *{"${caller}::$_"} = \&$_ for @EXPORT;

    if (!store_is_redis()) {
        no warnings qw(redefine prototype);
        my $repeat_each = $caller->can('repeat_each');
        *{"${caller}::repeat_each"} = sub { $repeat_each->(1) };
    }
}

END { $redis->stop if $redis }

# Sends a command to the store.  A string, an integer, undef or a list
# reference comes back; an error reply dies.
sub redis_cmd { return $redis->command(@_) }

# To stop (STOP), continue or kill it; the next block gets it back, empty.
sub redis_pid { return $redis->pid }

sub free_port { return OrderGuard::Ports::free_port() }

# Whether the store that is tested is Redis.
sub store_is_redis { return ($ENV{OG_STORE} // 'redis') eq 'redis' }

# Calls back with ($block, $body, $request_index, $repetition) after each
# answer, before the store is emptied.
sub after_response {
    my ($callback) = @_;

    push @after_response, $callback;
}


# The store

sub reset_store { $redis->reset }

# The one hook of both harnesses that runs while no nginx does.
sub empty_store_at_start {
    my ($block) = @_;

    my $code = $block->post_setup_server_root // '';
    $block->set_value(post_setup_server_root =>
                      "OrderGuard::reset_store();\n$code");
}

sub response_came {
    my ($block, $body, $index, $repetition) = @_;

    $_->($block, $body, $index, $repetition) for @after_response;

    my $requests = $block->pipelined_requests // $block->request;
    my $last = ref $requests eq 'ARRAY' ? $#$requests : 0;

    reset_store() if $index >= $last;
}


# The log

sub guard_log {
    my ($block) = @_;

    my $tolerated = ($block->tolerate_log // '') . levels_asked_for($block);
    $tolerated .= ' emerg' if defined $block->must_die;

    my $levels = join '|', grep { $tolerated !~ /\b$_\b/ }
                           qw(alert crit emerg);
    my $bad = 'Sanitizer|: runtime error: ';
    $bad .= "|\\[(?:$levels)\\]" if $levels;

    for my $section (qw(no_error_log no_shutdown_error_log)) {
        my $own = $block->$section // [];
        $block->set_value($section =>
                          [(ref $own eq 'ARRAY' ? @$own
                            : ref $own          ? ($own)
                            : grep { /\S/ } split /\n/, $own), qr/$bad/]);
    }
}

sub levels_asked_for {
    my ($block) = @_;

    my $text = '';
    for my $section (qw(error_log shutdown_error_log grep_error_log)) {
        my $patterns = $block->$section // next;
        $text .= " $_" for ref $patterns eq 'ARRAY' ? @$patterns : $patterns;
    }

    return join '', map { " $_" } $text =~ /\[(alert|crit|emerg)\\?\]/g;
}

1;
