# Free TCP ports on loopback.

package OrderGuard::Ports;

use 5.010;
use strict;
use warnings;

use IO::Socket::INET;

# Below the range the kernel takes ports for outgoing connections from.
use constant { FIRST => 10000, COUNT => 20000, TRIES => 1000 };

my @held;                       # sockets that keep a port until the end


# A port nobody listens on.  Test files of one t/run never get the same one.
sub free_port {
    for (1 .. TRIES) {
        my $port = FIRST + int rand COUNT;
        return $port if bind_port($port) && reserve($port);
    }

    die "no free TCP port found\n";
}

# A port that refuses connections until this process ends: bound, never
# listened on, so nobody else can take it either.
sub dead_port {
    for (1 .. TRIES) {
        my $port = FIRST + int rand COUNT;
        my $socket = bind_port($port) or next;
        next unless reserve($port);
        push @held, $socket;
        return $port;
    }

    die "no free TCP port found\n";
}

sub bind_port {
    my ($port) = @_;

    return IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => $port,
                                 Proto => 'tcp');
}

sub reserve {
    my ($port) = @_;

    return 1 unless $ENV{OG_RUN_DIR};
    return mkdir "$ENV{OG_RUN_DIR}/port-$port";
}

1;
