# Test::Nginx::Socket, a stand-in.  THIS IS NOT THE CPAN MODULE.
#
# Debian does not package Test::Nginx, and the tests of this repository must
# run on a bare Debian.  This file and those below Fallback/ understand the
# part of the published interface (the POD of Test::Nginx 0.33) that the
# tests here use, and give the same number of checks for each section, so a
# .t file passes unchanged under either.  It needs libtest-base-perl and the
# perl core only.  t/run prefers the real module where that is installed.
#
# Never install it outside this repository; it is found through t/fallback
# alone.  A section or mode of the real module that is missing here stops the
# test with a message instead of being ignored.

package Test::Nginx::Socket;

use 5.010;
use Test::Base -base;

use List::Util qw(shuffle);
use Time::HiRes ();

use Test::Nginx::Fallback::Client;
use Test::Nginx::Fallback::MockTcp;
use Test::Nginx::Fallback::Server;

our $VERSION = '0.0.0_not_cpan';

our @EXPORT = qw(
    add_block_preprocessor add_cleanup_handler add_response_body_check
    add_test_cleanup_handler bail_out env_to_nginx html_dir is_str log_level
    master_on no_long_string no_root_location no_shuffle repeat_each
    run_tests server_port server_root timeout worker_connections workers
);

my @UNSUPPORTED = qw(
    curl curl_error curl_options curl_protocol error_log_file http09 http2
    http3 post_main_config reload_fails request_eval response_body_eval
    response_body_filters response_body_json_sort server_addr_for_client
    server_name skip_nginx2 skip_openssl stap stap_out stap_out_like
    stap_out_unlike tcp_query_auto_timeout udp_listen udp_query udp_reply
    udp_reply_delay
);

my %hooks = map { $_ => [] }
    qw(preprocess body_check test_cleanup cleanup);

my $server = Test::Nginx::Fallback::Server->new(
    port      => $ENV{TEST_NGINX_SERVER_PORT} || $ENV{TEST_NGINX_PORT},
    root      => $ENV{TEST_NGINX_SERVROOT},
    log_level => $ENV{TEST_NGINX_LOG_LEVEL} || 'debug',
    master    => $ENV{TEST_NGINX_MASTER_PROCESS} || 'off',
);

my $client_port = $ENV{TEST_NGINX_CLIENT_PORT} || $ENV{TEST_NGINX_PORT}
                  || $server->{port};
my $client_timeout = $ENV{TEST_NGINX_TIMEOUT} || 3;
my $packet_pause   = $ENV{TEST_NGINX_SLEEP} // 0.015;
my $repeat_each    = 1;
my $shuffle        = !$ENV{TEST_NGINX_NO_SHUFFLE};

# The block whose nginx ends at the next restart, for shutdown_error_log.
my $last_block;


# The published Perl calls

sub add_block_preprocessor   { unshift @{$hooks{preprocess}}, shift }
sub add_response_body_check  { push @{$hooks{body_check}}, shift }
sub add_test_cleanup_handler { push @{$hooks{test_cleanup}}, shift }
sub add_cleanup_handler      { push @{$hooks{cleanup}}, shift }

sub env_to_nginx       { push @{$server->{env}}, @_ }
sub log_level          { $server->{log_level} = shift if @_;
                         return $server->{log_level} }
sub workers            { $server->{workers} = shift }
sub worker_connections { $server->{connections} = shift }
sub master_on          { $server->{master} = 'on' }
sub no_root_location   { $server->{root_location} = 0 }
sub server_root        { return $server->{root} }
sub html_dir           { return "$server->{root}/html" }
sub server_port        { return $server->{port} }
sub no_shuffle         { $shuffle = 0 }
sub no_long_string     { return }
sub timeout            { $client_timeout = shift if @_;
                         return $client_timeout }
sub repeat_each        { $repeat_each = shift if @_; return $repeat_each }

sub is_str {
    my ($got, $expected, $name) = @_;

    return ref $expected ? like($got, $expected, $name)
                         : is($got, $expected, $name);
}

sub bail_out {
    my ($reason) = @_;

    cleanup();
    diag($reason);
    Test::More::BAIL_OUT($reason =~ s/\n.*//sr);
}

sub run_tests {
    my @blocks = $shuffle ? shuffle(blocks()) : blocks();

    local $SIG{PIPE} = 'IGNORE';

    eval {
        run_block($_) for @blocks;
        stop_nginx();
        1;
    } or bail_out("$@");

    cleanup();
}

END {
    local $?;
    cleanup();
}

sub cleanup {
    $server->stop;
    Test::Nginx::Fallback::MockTcp->stop_all;

    while (my $handler = shift @{$hooks{cleanup}}) {
        $handler->();
    }
}


# One block

sub run_block {
    my ($block) = @_;

    $_->($block) for @{$hooks{preprocess}};

    my $name = block_name($block);
    for my $section (@UNSUPPORTED) {
        die "$name: the stand-in has no section \"$section\"\n"
            if defined $block->$section;
    }

    my ($skip, $why, $is_todo) = reason_to_skip($block);
    my $must_die = defined $block->must_die;
    my $requests = $skip || $must_die
        ? [] : Test::Nginx::Fallback::Client::requests($block, $name);

    start_nginx($block) unless $must_die || $skip && !$is_todo;
    run_init($block, $name) unless $must_die;

    for my $repetition (0 .. $repeat_each - 1) {
        my $run = { block => $block, name => $name, requests => $requests,
                    repetition => $repetition };

        if ($skip) {
            skip_checks($skip, "$name - $why", $is_todo);

        } elsif ($must_die) {
            run_must_die($run);

        } else {
            run_requests($run);
        }
    }

    $last_block = $block;
    $_->($block) for @{$hooks{test_cleanup}};
}

sub block_name {
    my ($block) = @_;

    return "$0 " . $block->name;
}

sub run_init {
    my ($block, $name) = @_;

    eval_perl($block->init, "$name: init") if defined $block->init;
}

# In a package of its own: code in a section reaches a function of the .t file
# as main::function(), as it must with the real module.
sub eval_perl {
    my ($code, $what) = @_;

    my @result = eval "package Test::Nginx::Section; no strict; $code";
    die "$what: $@" if $@;

    return $result[-1];
}

# Returns (number of checks, reason, is it a TODO) or nothing.
sub reason_to_skip {
    my ($block) = @_;

    if (defined(my $spec = $block->skip_nginx)) {
        my ($count, $op, $version) =
            $spec =~ /^\s*(\d+)\s*:\s*([<>]=?)\s*(\d+(?:\.\d+)*)\s*$/
            or die "bad skip_nginx: $spec";
        my $order = $server->compare_version($version);
        my $met = $op eq '<'  ? $order <  0
                : $op eq '<=' ? $order <= 0
                : $op eq '>'  ? $order >  0
                :               $order >= 0;
        return ($count, "nginx version $op $version") if $met;
    }

    if (defined(my $spec = $block->skip_eval)) {
        my ($count, $code) = $spec =~ /^\s*(\d+)\s*:\s*(.*)/s
            or die "bad skip_eval: $spec";
        return ($count, 'skip_eval') if eval_perl($code, 'skip_eval');
    }

    if (defined(my $spec = $block->todo)) {
        my ($count, $reason) = $spec =~ /^\s*(\d+)\s*:\s*(.*?)\s*$/s
            or die "bad todo: $spec";
        return ($count, $reason, 1);
    }

    return;
}

sub skip_checks {
    my ($count, $why, $is_todo) = @_;

    SKIP: {
        no warnings 'exiting';
        skip($why, $count) unless $is_todo;
    }

    TODO: {
        no warnings 'exiting';
        todo_skip($why, $count) if $is_todo;
    }
}

sub run_must_die {
    my ($run) = @_;
    my ($block, $name) = @$run{qw(block name)};

    stop_nginx();
    my $status = $server->run_until_dead($block);

    if ($block->must_die =~ /\S/) {
        is($status, $block->must_die + 0, "$name - nginx exit code");
    } else {
        isnt($status, 0, "$name - nginx dies");
    }

    pause($block);
    check_logs($run);
}

sub run_requests {
    my ($run) = @_;
    my ($block, $name) = @$run{qw(block name)};

    my $mock = Test::Nginx::Fallback::MockTcp->start($block, $server);

    # Pipelined requests are one conversation with several answers.
    my @conversations = @{$run->{requests}};
    my $total = 0;
    $total += @{$_->{methods}} for @conversations;

    my $index = 0;
    for my $conversation (@conversations) {
        my ($bytes, $timed_out) = converse($conversation, $block);

        if ($timed_out && !defined $block->abort) {
            fail("$name - the client timed out");
        }

        my @responses = Test::Nginx::Fallback::Client::responses(
            $bytes, @{$conversation->{methods}});

        for my $response (@responses) {
            my $at = { %$run, index => $index++, total => $total };
            check_response($at, $response)
                unless defined $block->ignore_response;
            pause($block);
            check_logs($at);
        }
    }

    check_mock($run, $mock) if $mock;
}

sub converse {
    my ($conversation, $block) = @_;

    my $timeout = defined $block->timeout ? seconds($block->timeout)
                                          : $client_timeout;
    my $middle = $block->raw_request_middle_delay;

    return Test::Nginx::Fallback::Client::converse(
        port     => $client_port,
        packets  => $conversation->{packets},
        timeout  => $timeout,
        pause    => defined $middle ? seconds($middle) : $packet_pause,
        shutdown => scalar $block->shutdown,
    );
}

sub pause {
    my ($block) = @_;

    Time::HiRes::sleep(seconds($block->wait)) if $block->wait;
}

sub seconds {
    my ($text) = @_;

    my ($number, $unit) = $text =~ /^\s*([\d.]+)\s*(ms|s)?\s*$/
        or die "bad time \"$text\"\n";

    return $unit && $unit eq 'ms' ? $number / 1000 : $number;
}

sub start_nginx {
    my ($block) = @_;

    stop_nginx();
    $server->start($block);
}

# Also where the log lines that belong to the shutdown are looked at.
sub stop_nginx {
    my $crash = $server->stop;
    my $block = $last_block;

    $last_block = undef;
    return unless $block;

    my $name  = block_name($block);
    my $lines = $server->new_lines('error');

    fail("$name - nginx did not end well: $crash") if $crash;

    my $label = "$name - at shutdown, error.log";
    check_patterns($lines, $block, shutdown_error_log    => 1, $label);
    check_patterns($lines, $block, no_shutdown_error_log => 0, $label);
}


# Checks.  Each makes as many as the real module does for its section.

# The value of a section for the request at hand.
sub wanted {
    my ($at, $section) = @_;
    my $value = $at->{block}->$section;

    return unless defined $value;
    return $value->[$at->{index}] // '' if ref $value eq 'ARRAY';

    die "$at->{name}: many requests, so \"$section\" must be a list\n"
        if $at->{total} > 1;

    return $value;
}

sub check_response {
    my ($at, $response) = @_;

    fail("$at->{name} - the last chunk is missing")
        if $response->{is_cut} && !defined $at->{block}->abort;

    check_status($at, $response);
    check_raw_headers($at, $response);
    check_headers($at, $response);
    check_body($at, $response);

    for my $check (@{$hooks{body_check}}) {
        $check->($at->{block}, $response->{body}, $at->{index},
                 $at->{repetition}, 0);
    }
}

sub check_status {
    my ($at, $response) = @_;

    my $pattern = wanted($at, 'error_code_like');
    if (defined $pattern) {
        like($response->{status}, qr/$pattern/s, "$at->{name} - status like");
        return;
    }

    is($response->{status}, wanted($at, 'error_code') // 200,
       "$at->{name} - status");
}

sub check_raw_headers {
    my ($at, $response) = @_;

    my $like = wanted($at, 'raw_response_headers_like');
    like($response->{head}, qr/$like/s, "$at->{name} - raw headers like")
        if defined $like;

    my $unlike = wanted($at, 'raw_response_headers_unlike');
    unlike($response->{head}, qr/$unlike/s, "$at->{name} - raw headers unlike")
        if defined $unlike;
}

sub check_headers {
    my ($at, $response) = @_;

    my $exact = wanted($at, 'response_headers');
    my $text  = $exact // wanted($at, 'response_headers_like') // return;

    for my $line (grep { /\S/ } split /\r?\n/, $text) {
        if (defined $exact && $line =~ /^\s*!\s*(\S+?):?\s*$/) {
            ok(!exists $response->{headers}{lc $1},
               "$at->{name} - no header $1");
            next;
        }

        my ($field, $value) = $line =~ /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/
            or die "$at->{name}: bad header line \"$line\"\n";
        my $got = join ', ', @{$response->{headers}{lc $field} || ['']};

        if (defined $exact) {
            is($got, $value, "$at->{name} - header $field");
        } else {
            like($got, qr/^$value$/, "$at->{name} - header $field like");
        }
    }
}

sub check_body {
    my ($at, $response) = @_;
    my $label = "$at->{name} - body of request $at->{index}";

    if (defined(my $body = wanted($at, 'response_body'))) {
        is_str($response->{body}, ref $body ? $body : $server->expand($body),
               $label);

    } elsif (defined(my $like = wanted($at, 'response_body_like'))) {
        like($response->{body}, qr/$like/s, "$label like");

    } elsif (defined(my $unlike = wanted($at, 'response_body_unlike'))) {
        unlike($response->{body}, qr/$unlike/s, "$label unlike");
    }
}

# Looks only at the lines that are new since the check before.
sub check_logs {
    my ($at) = @_;
    my ($block, $name) = @$at{qw(block name)};

    my $errors = $server->new_lines('error');
    my $label  = "$name - error.log";

    check_grep($at, $errors);
    check_patterns($errors, $block, error_log    => 1, $label);
    check_patterns($errors, $block, no_error_log => 0, $label);

    my $accesses = $server->new_lines('access');
    $label = "$name - access.log";

    check_patterns($accesses, $block, access_log    => 1, $label);
    check_patterns($accesses, $block, no_access_log => 0, $label);
}

sub check_grep {
    my ($at, $lines) = @_;

    my $pattern = $at->{block}->grep_error_log // return;
    my $out     = $at->{block}->grep_error_log_out // '';

    $out     = $out->[$at->{repetition}] // '' if ref $out eq 'ARRAY';
    $pattern = quotemeta $pattern unless ref $pattern;

    # The first match of each line.
    my $got = join '', map { /$pattern/ ? "$&\n" : () } @$lines;

    is_str($got, $out, "$at->{name} - grep_error_log_out");
}

# One check a pattern; strings are literal, one pattern a line.
sub check_patterns {
    my ($lines, $block, $section, $expected, $label) = @_;

    my $patterns = $block->$section // return;
    my @patterns = ref $patterns eq 'ARRAY' ? @$patterns
                 : ref $patterns            ? ($patterns)
                 : split /\n/, $patterns;

    for my $pattern (grep { length } @patterns) {
        my $regex = ref $pattern ? $pattern : qr/\Q$pattern\E/;
        my ($hit) = grep { /$regex/ } @$lines;

        if ($expected) {
            ok(defined $hit, "$label has \"$pattern\"");

        } else {
            ok(!defined $hit, "$label has no \"$pattern\"")
                or diag("found: $hit");
        }
    }
}

sub check_mock {
    my ($run, $mock) = @_;
    my ($block, $name) = @$run{qw(block name)};

    my $query = $mock->finish;

    is_str($query, $block->tcp_query, "$name - tcp_query")
        if defined $block->tcp_query;
    is(length $query, $block->tcp_query_len + 0, "$name - tcp_query_len")
        if defined $block->tcp_query_len;
}

1;
