# The HTTP client.  Part of the stand-in, not of the CPAN module.

package Test::Nginx::Fallback::Client;

use 5.010;
use strict;
use warnings;

use Errno qw(EAGAIN EINTR EWOULDBLOCK);
use IO::Select;
use IO::Socket::INET;
use List::Util qw(max);
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);


# Requests.  A conversation is { packets => [{ value, delay_before }],
# methods => [one for each answer to expect] }: everything on a connection.

# Returns the list of conversations of a block.
sub requests {
    my ($block, $name) = @_;

    if (defined $block->raw_request) {
        my $raw = $block->raw_request;
        my @packets = map { ref $_ ? $_ : { value => $_ } }
                      ref $raw ? @$raw : ($raw);
        return [{ packets => \@packets, methods => [method_of($packets[0])] }];
    }

    if (defined $block->pipelined_requests) {
        return [pipeline($block, $block->pipelined_requests)];
    }

    my $request = $block->request
        // die "$name: no request, raw_request or pipelined_requests\n";

    if (!ref $request) {
        $request =~ s/^\s*#.*\n//gm while $request =~ /\A\s*#/;
        $request = [$request];
    }

    return [map { {
        packets => packets($block, $request->[$_], $_, 'close'),
        methods => [method_of($request->[$_])],
    } } 0 .. $#$request];
}

sub pipeline {
    my ($block, $requests) = @_;

    my $bytes = '';
    for my $i (0 .. $#$requests) {
        my $connection = $i < $#$requests ? 'keep-alive' : 'close';
        my $packets = packets($block, $requests->[$i], $i, $connection);
        $bytes .= $_->{value} for @$packets;
    }

    return { packets => [{ value => $bytes }],
             methods => [map { method_of($_) } @$requests] };
}

# A request is text or a list of packets: text or { value, delay_before }.
sub packets {
    my ($block, $request, $index, $connection) = @_;

    my @packets = map { ref $_ ? { %$_ } : { value => $_ } }
                  ref $request eq 'ARRAY' ? @$request : ($request);

    $packets[0]{value} =~ s/^\s*(\S[^\n]*)(?:\n|\z)//
        or die "empty request\n";
    my ($method, $uri, $version, @surplus) = split ' ', $1;
    die "bad request line: $1\n" if @surplus;
    $uri     //= '/';
    $version //= 'HTTP/1.1';

    my @more  = more_headers($block, $index);
    my %given = map { lc((split /\s*:/, $_, 2)[0]) => 1 } @more;

    my @made;
    push @made, 'Host: localhost' unless $given{host};
    push @made, "Connection: $connection" unless $given{connection};
    push @made, content_length(\@packets)
        unless $given{'content-length'} || $given{'transfer-encoding'};

    $packets[0]{value} = join("\r\n", "$method $uri $version", @made, @more,
                              '', $packets[0]{value});

    return \@packets;
}

# Taken as they are; each replaces the field of its name made here.
sub more_headers {
    my ($block, $index) = @_;

    my $more = $block->more_headers // '';
    $more = $more->[$index] // '' if ref $more;

    return grep { /\S/ } split /\r?\n/, $more;
}

# White space around the body is layout of the .t file, unless the test
# says itself how long the body is.  Nothing for a request without a body.
sub content_length {
    my ($packets) = @_;

    return unless grep { length $_->{value} } @$packets;

    trim_body($packets);
    my $length = 0;
    $length += length $_->{value} for @$packets;

    return "Content-Length: $length";
}

sub trim_body {
    my ($packets) = @_;

    for my $packet (@$packets) {
        $packet->{value} =~ s/^\s+//;
        last if length $packet->{value};
    }

    for my $packet (reverse @$packets) {
        $packet->{value} =~ s/\s+$//;
        last if length $packet->{value};
    }
}

sub method_of {
    my ($request) = @_;

    $request = $request->[0] if ref $request eq 'ARRAY';
    $request = $request->{value} if ref $request eq 'HASH';

    return $request =~ /^\s*([A-Za-z]+)/ ? uc $1 : '';
}


# The wire

# Sends the packets and reads until the server closes.  Returns the bytes
# read and whether it ended by the time-out (between two events, in s).
sub converse {
    my (%arg) = @_;

    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $arg{port}, Proto => 'tcp',
        Timeout => $arg{timeout},
    ) or die "cannot connect to 127.0.0.1:$arg{port}: $@\n";

    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    $socket->blocking(0);

    my $select = IO::Select->new($socket);
    my @queue = map { { %$_ } } @{$arg{packets}};
    my $send_at = time() + (@queue ? $queue[0]{delay_before} // 0 : 0);
    my $last_event = time();
    my $bytes = '';

    for ( ;; ) {
        my $sending = @queue && time() >= $send_at;
        my $until = !@queue || $sending ? $last_event + $arg{timeout}
                                        : $send_at;
        my $wait = max(0, $until - time());

        my ($can_read, $can_write) = IO::Select->select(
            $select, $sending ? $select : undef, undef, $wait);

        if (@{$can_read // []}) {
            my $n = sysread $socket, $bytes, 65536, length $bytes;
            return ($bytes, 0) if defined $n && $n == 0;
            return ($bytes, 0) if !defined $n && !again();
            $last_event = time();
        }

        if (@{$can_write // []}) {
            $last_event = time();
            next unless send_some($socket, \@queue);

            if (@queue) {
                $send_at = time() + ($queue[0]{delay_before} // $arg{pause});
                $last_event = $send_at;

            } elsif (defined $arg{shutdown}) {
                shutdown $socket, $arg{shutdown} =~ /(\d)/ ? $1 : 1;
            }
        }

        return ($bytes, 1)
            if time() >= $last_event + $arg{timeout};
    }
}

# Returns true when the packet is out.  A peer that does not read any more
# may have answered already, so its end shows when reading.
sub send_some {
    my ($socket, $queue) = @_;

    my $n = syswrite $socket, $queue->[0]{value};

    if (!defined $n) {
        @$queue = () unless again();
        return !@$queue;
    }

    substr $queue->[0]{value}, 0, $n, '';
    return 0 if length $queue->[0]{value};

    shift @$queue;
    return 1;
}

sub again {
    return $! == EAGAIN || $! == EINTR || $! == EWOULDBLOCK;
}


# Responses

# Returns one { status, head, headers, body } for each method.  A missing
# answer has the status '' and an empty body; is_cut tells that the last
# chunk of a chunked body did not come.
sub responses {
    my ($bytes, @methods) = @_;

    my @responses;
    while (@methods) {
        my $method = shift @methods;
        push @responses, next_response(\$bytes, $method, !@methods);
    }

    return @responses;
}

# The last one takes all bytes that are left, so that surplus ones show.
sub next_response {
    my ($bytes, $method, $is_last) = @_;

    my $response = { status => '', head => '', headers => {}, body => '' };

    if ($$bytes !~ s/\A(HTTP\/1\.\d (\d{3}).*?\r?\n)\r?\n//s) {
        $response->{body} = $$bytes;
        $$bytes = '';
        return $response;
    }

    $response->{head}    = $1;
    $response->{status}  = $2;
    $response->{headers} = parse_headers($1);

    my $coding = $response->{headers}{'transfer-encoding'};
    my $length = $response->{headers}{'content-length'};

    if ($method eq 'HEAD' || $response->{status} =~ /^(?:1\d\d|204|304)$/) {
        $length = [0];
        $coding = undef;
    }

    if ($coding && lc $coding->[-1] eq 'chunked') {
        ($response->{body}, $response->{is_cut}) = take_chunks($bytes);

    } elsif ($length && !$is_last) {
        $response->{body} = substr $$bytes, 0, $length->[0], '';
        return $response;
    }

    if ($is_last) {
        $response->{body} .= $$bytes;
        $$bytes = '';
    }

    return $response;
}

sub parse_headers {
    my ($head) = @_;

    my %headers;
    for my $line (split /\r?\n/, $head) {
        next unless $line =~ /^([^:\s]+)\s*:\s*(.*?)\s*$/;
        push @{$headers{lc $1}}, $2;
    }

    return \%headers;
}

# Decodes up to the last chunk; a cut or bad chunk stays in the bytes left.
sub take_chunks {
    my ($bytes) = @_;

    my $body = '';
    while ($$bytes =~ /\A([0-9A-Fa-f]+)[^\r\n]*\r\n/) {
        my ($size, $start) = (hex $1, $+[0]);

        if ($size == 0) {
            $$bytes =~ s/\A[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n//;
            return ($body, 0);
        }

        last if length $$bytes < $start + $size + 2;
        $body .= substr $$bytes, $start, $size;
        substr $$bytes, 0, $start + $size + 2, '';
    }

    return ($body, 1);
}

1;
