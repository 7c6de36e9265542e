# Sections for what "nginx -t" passes and refuses.
#
#   --- good        each line stands in a location of its own with the guard
#                   on, and nginx starts
#   --- wrong       nginx does not start with these lines, and says so
#   --- says        a pattern for what it says: the value and the remedy.  It
#                   must name the last of the lines
#   --- says_anywhere   the same for what is known only when the whole
#                   configuration is read: any line of the configuration
#   --- hides       a pattern that occurs nowhere in the log
#   --- level       where the wrong lines stand: http, server or location;
#                   default: wrong_level(), that is location
#   --- more_files  beside the file with the wrong lines
#   --- guard: off  in a location where the guard is not on
#   --- no_store    without the store "main"

package OrderGuard::WrongConf;

use 5.010;
use strict;
use warnings;

use constant STORE =>
    'order_guard_store main redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;';

# Lines in front of the wrong ones: nginx must count them.
use constant LEAD => "# one\n# two\n";


my $level = 'location';


sub import {
    my $caller = caller;

    $caller->can('add_block_preprocessor')->(\&expand);

    no strict 'refs';
    *{"${caller}::wrong_level"} = \&wrong_level;
}

sub wrong_level { $level = shift }

sub expand {
    my ($block) = @_;

    expand_good($block)  if defined $block->good;
    expand_wrong($block) if defined $block->wrong;
}

sub expand_good {
    my ($block) = @_;

    my $n = 0;
    my $locations = join '', map { $n++; <<"_CONF_" }
    location = /good$n {
        order_guard on;
        $_
    }
_CONF_
        grep { /\S/ } split /\n/, $block->good;

    $block->set_value(http_config => ($block->http_config // STORE));
    $block->set_value(config => $locations . ($block->config // '')
                                . "    location = /t { return 200; }\n");
    $block->set_value(request => 'GET /t');
    $block->set_value(no_error_log => ['[warn]', '[error]']);
}

sub expand_wrong {
    my ($block) = @_;

    my $lines  = $block->wrong =~ s/\s*\z//r;
    my $number = () = (LEAD . "$lines\n") =~ /\n/g;
    my $level  = $block->level // $level;
    my $guard  = $block->guard // 'on';
    my $include = 'include $TEST_NGINX_HTML_DIR/wrong.conf;';

    $block->set_value(must_die => '');
    $block->set_value(suppress_stderr => '');
    $block->set_value(user_files => [['wrong.conf', LEAD . "$lines\n"],
                                     @{ $block->more_files // [] }]);

    my $store = defined $block->no_store ? '' : STORE;
    $store .= "\n$include" if $level eq 'http';
    $block->set_value(http_config => $store . ($block->http_config // ''));

    my $config = $level eq 'server'   ? $include
               : $level eq 'location' ? "location = /t {\n"
                                        . "order_guard $guard;\n$include\n}"
               :                        'location = /t { }';
    $block->set_value(config => ($block->config // '') . "$config\n");

    my ($says, $where) = defined $block->says
        ? ($block->says, "wrong\\.conf:$number")
        : ($block->says_anywhere, '\S+\.conf:\d+');
    chomp $says;
    $block->set_value(error_log => [qr/\[emerg\].*$says.* in \S*$where$/]);

    # Whether OrderGuard has run before this or not: [emerg] is what is meant.
    my $bad = 'Sanitizer|: runtime error: ';
    if (defined(my $hides = $block->hides)) {
        chomp $hides;
        $bad .= "|$hides";
    }
    $block->set_value(no_error_log => [qr/$bad/]);
    $block->set_value(no_shutdown_error_log => [qr/$bad/]);
}

1;
