# The server behind tcp_listen.  Part of the stand-in, not of the CPAN module.
#
# A child process takes exactly one connection, reads the query, answers and
# goes.  What it read comes back to the test in an unlinked file: a pipe
# would stop the child at 64 KiB.

package Test::Nginx::Fallback::MockTcp;

use 5.010;
use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep time);

use constant {
    QUERY_MAX   => 1 << 20,     # bytes of one read
    DRAIN_TIME  => 2,           # s, so that a close is no reset
    FINISH_TIME => 0.2,         # s, from the last answer to the query read
};

my %running;                    # pid => object


# Returns undef for a block without tcp_listen.
sub start {
    my ($class, $block, $server) = @_;

    return unless defined $block->tcp_listen;

    my $port = $server->expand($block->tcp_listen);
    $port =~ s/\s+//g;

    my $listener = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 5,
        ReuseAddr => 1, Proto => 'tcp',
    ) or die "tcp_listen: cannot listen on $port: $@\n";

    open my $query_file, '+>:raw', undef or die "temporary file: $!";

    my $pid = fork() // die "fork: $!";
    if (!$pid) {
        my $done = eval { serve($listener, $query_file, $block); 1 };
        warn "tcp_listen: $@" unless $done;
        POSIX::_exit($done ? 0 : 1);
    }

    close $listener;

    my $self = bless { pid => $pid, query_file => $query_file }, $class;
    $running{$pid} = $self;

    return $self;
}

# Ends the server and returns the query it got ('' without a connection).
sub finish {
    my ($self) = @_;

    my $deadline = time() + FINISH_TIME;
    until (-s $self->{query_file} || time() > $deadline) {
        if (waitpid($self->{pid}, WNOHANG) == $self->{pid}) {
            delete $running{$self->{pid}};
            last;
        }
        sleep 0.005;
    }

    $self->stop;

    seek $self->{query_file}, 0, 0;
    local $/;

    return readline($self->{query_file}) // '';
}

sub stop {
    my ($self) = @_;

    my $pid = $self->{pid};
    return unless delete $running{$pid};

    kill KILL => $pid;
    waitpid $pid, 0;
}

sub stop_all {
    $_->stop for values %running;
}


# In the child

sub serve {
    my ($listener, $query_file, $block) = @_;

    # The default action: perl's END blocks belong to the parent.
    $SIG{$_} = 'DEFAULT' for qw(TERM INT PIPE);
    $SIG{PIPE} = 'IGNORE';

    my $peer = $listener->accept or die "accept: $!\n";
    close $listener;
    setsockopt $peer, IPPROTO_TCP, TCP_NODELAY, 1;

    shutdown $peer, $block->tcp_shutdown if defined $block->tcp_shutdown;

    my $query = read_query($peer, $block);
    syswrite $query_file, $query;

    sleep(Test::Nginx::Socket::seconds($block->tcp_reply_delay))
        if defined $block->tcp_reply_delay;

    my $reply = $block->tcp_reply;
    $reply = $reply->($query) if ref $reply eq 'CODE';
    reply($peer, ref $reply eq 'ARRAY' ? @$reply : $reply // '');

    sleep 3600 if defined $block->tcp_no_close;

    shutdown $peer, 1;
    drain($peer);
}

sub read_query {
    my ($peer, $block) = @_;

    my $expected = $block->tcp_query;
    my $enough = $block->tcp_query_len
        // (defined $expected && !ref $expected ? length $expected : 1);

    my $query = '';
    do {
        sysread($peer, $query, QUERY_MAX, length $query) or return $query;
    } while (length $query < $enough);

    return $query;
}

sub reply {
    my ($peer, @pieces) = @_;

    for my $i (0 .. $#pieces) {
        sleep 0.015 if $i;
        my $piece = $pieces[$i];
        while (length $piece) {
            my $n = syswrite $peer, $piece or return;
            substr $piece, 0, $n, '';
        }
    }
}

sub drain {
    my ($peer) = @_;

    my $reading = IO::Select->new($peer);
    while ($reading->can_read(DRAIN_TIME)) {
        sysread($peer, my $rest, 65536) or return;
    }
}

1;
