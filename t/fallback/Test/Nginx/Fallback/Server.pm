# nginx: configuration, files and process.  Part of the stand-in, not of the
# CPAN module.
#
# nginx runs as a direct child ("daemon off"), so its end is seen by waitpid
# and nothing depends on who reaps orphans.

package Test::Nginx::Fallback::Server;

use 5.010;
use strict;
use warnings;

use Cwd qw(cwd);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use POSIX qw(WNOHANG mktime);
use Time::HiRes qw(sleep time);

use constant {
    START_TIME => 30,           # s; valgrind and sanitizers are slow
    STOP_TIME  => 10,           # s, from QUIT to KILL
    POLL       => 0.005,        # s
};

my @TEMP_DIRS = qw(client_body_temp proxy_temp fastcgi_temp scgi_temp
                   uwsgi_temp);


sub new {
    my ($class, %arg) = @_;

    my $random = $ENV{TEST_NGINX_RANDOMIZE};
    my $port = $random ? free_port() : $arg{port} || 1984;
    my $root = $arg{root} || cwd() . '/t/servroot' . ($random ? "_$port" : '');

    return bless {
        port          => $port,
        root          => $root,
        log_level     => $arg{log_level},
        master        => $arg{master},
        workers       => 1,
        connections   => 64,
        env           => [],
        root_location => 1,
        binary        => $ENV{TEST_NGINX_BINARY} || 'nginx',
        config        => '',
        seen          => {},    # log => bytes already looked at
        pid           => undef,
    }, $class;
}

# Below the range the kernel takes ports for outgoing connections from.
sub free_port {
    for (1 .. 1000) {
        my $port = 10000 + int rand 20000;
        my $probe = IO::Socket::INET->new(
            LocalAddr => '0.0.0.0', LocalPort => $port, Listen => 1,
            ReuseAddr => 1, Proto => 'tcp');
        return $port if $probe;
    }

    die "no free port\n";
}

# Replaces $TEST_NGINX_X.  A RAND_PORT_n keeps its number for the process.
sub expand {
    my ($self, $text) = @_;

    $text =~ s/\$(TEST_NGINX_[_A-Z0-9]+)/$self->variable($1)/ge;

    return $text;
}

sub variable {
    my ($self, $name) = @_;

    return $self->{port} if $name eq 'TEST_NGINX_SERVER_PORT';

    if (!defined $ENV{$name} && $name =~ /^TEST_NGINX_RAND_PORT_\d+$/) {
        return $self->{rand_port}{$name} //= free_port();
    }

    return $ENV{$name} // die "no environment variable $name\n";
}

# Below zero when nginx is older than the version given.
sub compare_version {
    my ($self, $version) = @_;

    $self->{version} //= `$self->{binary} -v 2>&1` =~ m{nginx/([\d.]+)}
        ? $1 : die "cannot tell the version of $self->{binary}\n";

    my @have = split /\./, $self->{version};
    my @want = split /\./, $version;
    while (@have || @want) {
        my $order = (shift(@have) // 0) <=> (shift(@want) // 0);
        return $order if $order;
    }

    return 0;
}


# Files

sub prepare {
    my ($self, $block) = @_;
    my $root = $self->{root};

    remove_tree($root);
    make_path(map { "$root/$_" } qw(conf html logs), @TEMP_DIRS);
    $self->{seen} = {};

    write_file("$root/html/index.html",
               '<html><head><title>It works!</title></head>'
               . '<body>It works!</body></html>');
    $self->write_user_files($block->user_files) if defined $block->user_files;
    write_file("$root/conf/nginx.conf", $self->nginx_conf($block));

    Test::Nginx::Socket::eval_perl($block->post_setup_server_root,
                                   'post_setup_server_root')
        if defined $block->post_setup_server_root;
}

sub write_file {
    my ($path, $content) = @_;

    make_path(dirname($path));
    open my $file, '>:raw', $path or die "$path: $!\n";
    print $file $content;
    close $file or die "$path: $!\n";
}

# ">>> name [yyyymmddHHMM.SS]" and the lines below, or [[name, text, time]].
sub write_user_files {
    my ($self, $files) = @_;

    if (!ref $files) {
        my (undef, @parts) = split /^>>> *(\S+)(?: +(\d+\.\d+))? *\n/m,
                             $files;
        $files = [];
        while (my ($name, $stamp, $text) = splice @parts, 0, 3) {
            push @$files, [$name, $text // '', $stamp];
        }
    }

    for my $file (@$files) {
        my ($name, $text, $stamp) = @$file;
        my $path = $name =~ m{^/} ? $name : "$self->{root}/html/$name";

        write_file($path, $text);
        set_time($path, $stamp) if defined $stamp;
    }
}

sub set_time {
    my ($path, $stamp) = @_;

    my ($year, $month, $day, $hour, $minute, $second) =
        $stamp =~ /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?$/
        or die "bad time $stamp of $path\n";
    my $time = mktime($second // 0, $minute, $hour, $day, $month - 1,
                      $year - 1900);

    utime $time, $time, $path;
}

sub nginx_conf {
    my ($self, $block) = @_;
    my $root = $self->{root};

    # A block without a config section uses that of the block before.
    $self->{config} = $block->config if defined $block->config;

    my %part = map { $_ => $self->expand($block->$_ // '') }
               qw(main_config http_config);
    my $config = $self->expand($self->{config});
    my $level  = $block->log_level // $self->{log_level};
    my $user   = worker_user();

    my $modules = join '', map { "load_module $_;\n" }
                  split ' ', $ENV{TEST_NGINX_LOAD_MODULES} // '';
    my $env = join '', map { /\s/ ? "env '$_';\n" : "env $_;\n" }
              qw(LD_PRELOAD LD_LIBRARY_PATH ASAN_OPTIONS UBSAN_OPTIONS
                 LSAN_OPTIONS), @{$self->{env}};
    my $temp = join '', map { s/_temp$//r . "_temp_path $root/$_;\n" }
               @TEMP_DIRS;
    my $location = $self->{root_location}
        ? "location / { root $root/html; index index.html index.htm; }" : '';

    return <<"_CONF_";
daemon off;
master_process $self->{master};
worker_processes $self->{workers};
pid $root/logs/nginx.pid;
error_log $root/logs/error.log $level;
$user$env
$modules
$part{main_config}
events {
    accept_mutex off;
    worker_connections $self->{connections};
}

http {
    access_log $root/logs/access.log;
    default_type text/plain;
    keepalive_timeout 68s;
$temp
$part{http_config}
    server {
        listen $self->{port};
        server_name localhost;
        client_max_body_size 30M;

$config
        $location
    }
}
_CONF_
}

sub worker_user {
    return $> == 0 ? "user root;\n" : '' unless $ENV{TEST_NGINX_WORKER_USER};
    return "user $ENV{TEST_NGINX_WORKER_USER};\n";
}

# The lines written to a log since the last call.
sub new_lines {
    my ($self, $log) = @_;

    open my $file, '<:raw', "$self->{root}/logs/$log.log" or return [];
    seek $file, $self->{seen}{$log} // 0, 0;
    my @lines = <$file>;
    $self->{seen}{$log} = tell $file;

    return \@lines;
}


# Process

# Returns when nginx accepts connections.
sub start {
    my ($self, $block) = @_;

    $self->prepare($block);
    $self->spawn($block, valgrind());

    my $status = $self->wait_until_ready;
    return unless defined $status;

    die "nginx does not start ($status):\n", @{$self->new_lines('error')};
}

# Returns the exit code; 0 when nginx did not die and had to be stopped.
sub run_until_dead {
    my ($self, $block) = @_;

    $self->prepare($block);
    $self->spawn($block);

    my $status = $self->wait_until_ready;
    $self->stop unless defined $status;

    return defined $status ? $status >> 8 || $status : 0;
}

sub spawn {
    my ($self, $block, @wrapper) = @_;
    my $root = $self->{root};

    my @command = (@wrapper, $self->{binary}, '-p', "$root/", '-e',
                   "$root/logs/error.log", '-c', "$root/conf/nginx.conf");

    my $pid = fork() // die "fork: $!";
    if ($pid) {
        $self->{pid} = $pid;
        return;
    }

    $ENV{LD_PRELOAD} = $ENV{TEST_NGINX_LD_PRELOAD}
        if $ENV{TEST_NGINX_LD_PRELOAD};
    $SIG{PIPE} = 'DEFAULT';
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null' if defined $block->suppress_stderr;

    { no warnings 'exec'; exec { $command[0] } @command; }
    print STDERR "cannot run $command[0]: $!\n";
    POSIX::_exit(127);
}

sub valgrind {
    my $options = $ENV{TEST_NGINX_USE_VALGRIND} or return;

    $options = '--tool=memcheck --leak-check=full' if $options =~ /^[\d.]+$/;
    my @suppressions = -f 'valgrind.suppress'
        ? '--suppressions=valgrind.suppress' : ();

    return ('valgrind', '-q', split(' ', $options),
            '--gen-suppressions=all', @suppressions);
}

# nginx writes its pid after it has opened the listening sockets.  Returns
# undef when ready, else the wait status of the process that ended.
sub wait_until_ready {
    my ($self) = @_;

    my $deadline = time() + START_TIME;
    until (-s "$self->{root}/logs/nginx.pid") {
        my $status = $self->ended;
        return $status if defined $status;
        die "nginx is not ready in ", START_TIME, " s\n"
            if time() > $deadline;
        sleep POLL;
    }

    return;
}

# Returns the wait status when the process is gone.
sub ended {
    my ($self) = @_;

    return unless $self->{pid};
    return unless waitpid($self->{pid}, WNOHANG) == $self->{pid};

    $self->{pid} = undef;

    return $?;
}

# Returns a description when nginx had ended before it was told to, or did
# not end well; else ''.
sub stop {
    my ($self) = @_;

    return '' unless $self->{pid};
    local ($?, $!);

    my $early = $self->ended;
    return describe($early) . ' before the end of the test' if defined $early;

    my $signal = $ENV{TEST_NGINX_FAST_SHUTDOWN} ? 'TERM' : 'QUIT';
    kill $signal => $self->{pid};

    my $deadline = time() + STOP_TIME;
    my $status;
    until (defined($status = $self->ended)) {
        if (time() > $deadline) {
            $self->kill_hard;
            $status = 0;
            Test::More::diag("nginx did not end by $signal, killed");
            last;
        }
        sleep POLL;
    }

    $self->keep_log;

    return $status ? describe($status) : '';
}

# A master that is killed leaves its workers: they go first.
sub kill_hard {
    my ($self) = @_;

    my $list = "/proc/$self->{pid}/task/$self->{pid}/children";
    if (open my $file, '<', $list) {
        my @children = map { split ' ' } <$file>;
        kill KILL => @children if @children;
    }

    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    $self->{pid} = undef;
}

sub describe {
    my ($status) = @_;

    return 'signal ' . ($status & 127) if $status & 127;
    return 'exit code ' . ($status >> 8);
}

sub keep_log {
    my ($self) = @_;

    my $all = $ENV{TEST_NGINX_ERROR_LOG} or return;
    open my $from, '<:raw', "$self->{root}/logs/error.log" or return;
    open my $to, '>>:raw', $all or die "$all: $!\n";
    print $to $_ while <$from>;
}

1;
