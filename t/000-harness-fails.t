# Every check of the harness can fail: small test files with a wrong
# expectation each, run in a process of their own, must fail, and in the way
# that the expectation is about.

use 5.010;
use strict;
use warnings;

use File::Spec;
use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir(CLEANUP => 1,
                  DIR => $ENV{OG_RUN_DIR} // File::Spec->tmpdir);

# name, what the failed check is about, sections, code before run_tests()
my @cases = (
    ['error_code',         qr/status/,      '--- error_code: 201'],
    ['error_code_like',    qr/status/,      '--- error_code_like: ^3'],
    ['response_body',      qr/body/,        "--- response_body\nhallo"],
    ['response_body qr',   qr/body/,        "--- response_body eval\nqr/a/"],
    ['response_body_like', qr/body/,        '--- response_body_like: ^ello'],
    ['response_body_unlike', qr/body/,      '--- response_body_unlike: ell'],
    ['response_headers',   qr/X-A/,         "--- response_headers\nX-A: 2"],
    ['response_headers !', qr/X-A/,         "--- response_headers\n! X-A"],
    ['response_headers_like', qr/X-A/,
     "--- response_headers_like\nX-A: 1"],
    ['raw headers like',   qr/raw/,
     '--- raw_response_headers_like: X-B'],
    ['raw headers unlike', qr/raw/,
     '--- raw_response_headers_unlike: X-A: 12'],
    ['error_log',          qr/error\.log/,  '--- error_log: no such line'],
    ['no_error_log',       qr/error\.log/,  '--- no_error_log: GET /t'],
    ['grep_error_log',     qr/grep/,
     "--- grep_error_log chop\nGET /t\n--- grep_error_log_out\nGET /u"],
    ['access_log',         qr/access\.log/, '--- access_log: GET /u'],
    ['no_access_log',      qr/access\.log/, '--- no_access_log: GET /t'],
    ['shutdown_error_log', qr/error\.log/,
     '--- shutdown_error_log: no such line'],
    ['no_shutdown_error_log', qr/error\.log/,
     '--- no_shutdown_error_log: signal 3 (SIGQUIT)'],
    ['must_die',           qr/die/,         '--- must_die'],
    ['time-out',           qr/timed out/,   '--- timeout: 0.1', 'slow'],
    ['tcp_query',          qr/query/,
     "--- tcp_listen: \$TEST_NGINX_RAND_PORT_1\n--- tcp_query: POST\n"
     . "--- tcp_reply eval\n\"HTTP/1.0 200 OK\\r\\n\\r\\n\"", 'mock'],
    ['tcp_query_len',      qr/query/,
     "--- tcp_listen: \$TEST_NGINX_RAND_PORT_1\n--- tcp_query_len: 3\n"
     . "--- tcp_reply eval\n\"HTTP/1.0 200 OK\\r\\n\\r\\n\"", 'mock'],
    ['own check',          qr/own/,         '', 't', <<'_CODE_'],
add_response_body_check(sub { is($_[1], 'no', 'own') });
_CODE_
    ['guard of the log',   qr/crit/,        '--- error_code: 502', 'crit',
     "use lib 't/lib'; use OrderGuard;"],
);

my $config = <<'_CONFIG_';
--- config
    location = /t {
        add_header X-A 12;
        return 200 "hello\n";
    }
    location = /slow {
        echo_sleep 0.5;
        echo done;
    }
    location = /mock {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
    location = /crit {
        proxy_pass http://unix:/nonexistent/socket;
    }
_CONFIG_

plan tests => 2 * @cases + 1;

for my $case (@cases) {
    my ($name, $about, $sections, $path, $code) = @$case;

    my ($failed, $output) = run_file($sections, $path, $code);
    ok(scalar @$failed, "$name - fails");
    ok(scalar(grep { $_ =~ $about } @$failed), "$name - for its reason")
        or diag($output);
}

my ($failed, $output) = run_file("--- response_body\nhello");
is_deeply($failed, [], 'the same file without a wrong expectation passes')
    or diag($output);


# Returns the failed checks and all output.
sub run_file {
    my ($sections, $path, $code) = @_;

    $path //= 't';
    $code //= '';

    my $file = "$dir/case.t";
    open my $handle, '>', $file or die "$file: $!\n";
    print $handle <<"_FILE_";
use Test::Nginx::Socket 'no_plan';
$code
run_tests();
__DATA__

=== case
$config
--- request
GET /$path
$sections
_FILE_
    close $handle;

    # The server root and the port are those of this file.
    my $include = join ' ', map { "-I$_" } grep { !ref } @INC;
    my $all = `$^X $include $file 2>&1`;

    return ([grep { /^not ok/ } split /\n/, $all], $all);
}
