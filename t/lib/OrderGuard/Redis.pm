# A private redis-server on loopback, and a small client for it.

package OrderGuard::Redis;

use 5.010;
use strict;
use warnings;

use File::Spec;
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use OrderGuard::Ports;

use constant {
    READY_TIME => 10,           # s, from the start to the first PONG
    REPLY_TIME => 5,            # s
};


# Starts a server without persistence that lives until stop or the end of
# this process.  Dies when it does not answer.
sub new {
    my ($class) = @_;

    my $self = bless {
        port  => OrderGuard::Ports::free_port(),
        dir   => File::Temp->newdir('redis-XXXXXX', DIR => scratch_dir()),
        owner => $$,
    }, $class;

    $self->start;

    return $self;
}

# t/run removes its directory even when a test file is killed.
sub scratch_dir { return $ENV{OG_RUN_DIR} // File::Spec->tmpdir }

sub port { return $_[0]{port} }
sub pid  { return $_[0]{pid} }

sub start {
    my ($self) = @_;

    my $pid = fork() // die "fork: $!";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$self->{dir}/log";
        open STDERR, '>&', \*STDOUT;
        {
            no warnings 'exec';
            exec 'redis-server', '--port', $self->{port},
                 '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no',
                 '--dir', "$self->{dir}", '--daemonize', 'no';
        }
        POSIX::_exit(127);
    }

    $self->{pid}    = $pid;
    $self->{socket} = undef;

    my $deadline = time() + READY_TIME;
    until (eval { $self->command('PING') eq 'PONG' }) {
        die "redis-server did not start (Debian package redis-server)\n"
            if !$self->is_alive || time() > $deadline;
        sleep 0.01;
    }
}

sub is_alive {
    my ($self) = @_;

    return 0 unless $self->{pid};
    return 1 if waitpid($self->{pid}, WNOHANG) == 0;

    $self->{pid} = undef;

    return 0;
}

# KILL works on a stopped server too, and there is nothing to save.
sub stop {
    my ($self) = @_;

    local $?;
    return unless $self->{owner} == $$ && $self->is_alive;

    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    $self->{pid} = undef;
}

# Brings back a server that a test has stopped or killed, and empties it.  A
# server that was killed a moment ago may look alive once more.
sub reset {
    my ($self) = @_;

    my $deadline = time() + READY_TIME;
    do {
        die $@ if time() > $deadline;
        $self->start unless $self->is_alive;
        kill CONT => $self->{pid};
    } until eval { $self->become_quiet; $self->command('FLUSHALL') };
}

# What is not waited for, such as a unit that is given back, may still come.
sub become_quiet {
    my ($self) = @_;

    my $before = -1;
    for (1 .. 50) {
        my ($count) = $self->command('INFO', 'stats')
            =~ /^total_commands_processed:(\d+)/m;
        return if $count == $before + 1;
        $before = $count;
        select undef, undef, undef, 0.005;
    }
}

sub DESTROY { $_[0]->stop }


# The client

# Sends one command.  Returns a string, an integer, undef for nil or a list
# reference; dies on an error reply.
sub command {
    my ($self, @arguments) = @_;

    my $socket = $self->{socket} //= $self->connect;

    my $reply = eval {
        my $text = '*' . @arguments . "\r\n";
        $text .= '$' . length($_) . "\r\n$_\r\n" for @arguments;
        local $SIG{PIPE} = 'IGNORE';
        print $socket $text or die "redis: $!\n";
        $self->{input} = '';
        [$self->read_reply];
    };

    if (!$reply) {
        $self->{socket} = undef unless $@ =~ /^redis replied/;
        die $@;
    }

    return $reply->[0];
}

sub connect {
    my ($self) = @_;

    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Proto => 'tcp',
        Timeout => REPLY_TIME,
    ) or die "redis: $@\n";
    $socket->autoflush(1);

    return $socket;
}

sub read_reply {
    my ($self) = @_;

    my ($type, $value) = $self->read_line =~ /^([-+:\$*])(.*)$/s
        or die "redis: not a reply\n";

    return $value if $type eq '+';
    return $value + 0 if $type eq ':';
    die "redis replied: $value\n" if $type eq '-';
    return undef if $value < 0;
    return [map { scalar $self->read_reply } 1 .. $value] if $type eq '*';

    $self->fill while length $self->{input} < $value + 2;
    my $bulk = substr $self->{input}, 0, $value;
    substr $self->{input}, 0, $value + 2, '';

    return $bulk;
}

sub read_line {
    my ($self) = @_;

    $self->fill until $self->{input} =~ s/\A(.*?)\r\n//s;

    return $1;
}

sub fill {
    my ($self) = @_;

    IO::Select->new($self->{socket})->can_read(REPLY_TIME)
        or die "redis: no answer in ", REPLY_TIME, " s\n";
    sysread $self->{socket}, $self->{input}, 65536, length $self->{input}
        or die "redis: connection closed\n";
}

1;
