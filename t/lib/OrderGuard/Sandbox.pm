# Loaded by t/run before each test file: gives the file a server root and a
# port of its own, under both harnesses, so that "t/run -j2" works and nothing
# is written into the source tree.

package OrderGuard::Sandbox;

use 5.010;
use strict;
use warnings;

use File::Basename qw(basename);

use OrderGuard::Ports;

my $run_dir = $ENV{OG_RUN_DIR} // die "OrderGuard::Sandbox is for t/run\n";

$ENV{TEST_NGINX_SERVROOT} //= "$run_dir/" . basename($0, '.t');
$ENV{TEST_NGINX_PORT}     //= OrderGuard::Ports::free_port();

1;
