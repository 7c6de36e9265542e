"""The build: a fresh clone as any user, what is installed, what is told."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile

import pytest

from og.paths import NGINX, PYTHON, ROOT
from og.process import as_root

MODULE = "ngx_http_order_guard_module.so"
SIGNATURE = re.compile(rb"\b\d,\d,\d,[01]{20,}\b")


class Clone:
    """What git would give, in a folder of a user without rights."""

    def __init__(self, path):
        self.path = path
        self.module = self("build", MODULE)
        os.chmod(path, 0o755)
        for name in tracked_files():
            os.makedirs(os.path.dirname(self(name)), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, name), self(name),
                         follow_symlinks=False)
        if as_root():
            nobody = pwd.getpwnam("nobody")
            for folder, _, names in os.walk(path):
                for name in [".", *names]:
                    os.lchown(os.path.join(folder, name), nobody.pw_uid,
                              nobody.pw_gid)
        self.run("git", "init", "-q")
        self.run("git", "add", "-A")
        self.run("git", "-c", "user.name=a", "-c", "user.email=a@b",
                 "commit", "-q", "-m", "all")

    def __call__(self, *names):
        return os.path.join(self.path, *names)

    def run(self, *argv, ok=True, **env):
        """stdout and stderr of a command, which must succeed."""
        user = ["runuser", "-u", "nobody", "--"] if as_root() else []
        done = subprocess.run(
            [*user, *argv], cwd=self.path, text=True, timeout=300,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "HOME": self.path, **env})
        assert (done.returncode == 0) == ok, (argv, done.stdout)
        return done.stdout

    def make(self, *arguments, **more):
        """What was compiled before is not compiled again where nothing of it
        has changed but its time."""
        return self.run("make", "CC=ccache cc", *arguments,
                        CCACHE_DIR=self("build", "ccache"), **more)

    def objects(self):
        """name -> time of change"""
        folder = self("build", "addon", "ngx_module")
        return {name: os.stat(os.path.join(folder, name)).st_mtime_ns
                for name in os.listdir(folder) if name.endswith(".o")}

    def status(self):
        return self.run("git", "status", "--porcelain")


def tracked_files():
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
        stdout=subprocess.PIPE, text=True, check=True).stdout.split("\0")
    return [name for name in names
            if name and os.path.lexists(os.path.join(ROOT, name))]


@pytest.fixture(scope="module")
def fresh():
    with tempfile.TemporaryDirectory() as path:
        yield Clone(path)


@pytest.fixture(scope="module")
def clone(fresh):
    """A clone that is built. Each test leaves it so."""
    fresh.make("build")
    return fresh


def test_it_fits_the_nginx_of_the_distribution(clone):
    with open(clone.module, "rb") as module, open(NGINX, "rb") as nginx:
        own = set(SIGNATURE.findall(module.read()))
        assert len(own) == 1
        assert own <= set(SIGNATURE.findall(nginx.read()))


def test_it_does_not_tell_where_it_was_built(clone):
    with open(clone.module, "rb") as module:
        assert clone.path.encode() not in module.read()


def test_a_second_build_does_nothing(clone):
    before = clone.objects(), os.stat(clone.module).st_mtime_ns
    clone.make("build")
    assert (clone.objects(), os.stat(clone.module).st_mtime_ns) == before


def test_a_changed_file_is_compiled_alone(clone):
    before = clone.objects()
    os.utime(clone("ngx_module", "og_status.c"))
    clone.make("build")
    after = clone.objects()
    assert [name for name in before if before[name] != after[name]] \
        == ["og_status.o"]


def test_a_changed_header_reaches_who_includes_it(clone):
    before = clone.objects()
    os.utime(clone("ngx_module", "og_status.h"))
    clone.make("build")
    after = clone.objects()
    for name in ("og_status.o", "og_envelope.o"):
        assert before[name] != after[name]


def test_a_file_that_comes_and_goes(clone):
    added = clone("ngx_module", "og_added.c")
    with open(added, "w") as out:
        out.write("int og_added_by_a_test;\n")
    try:
        clone.make("build")
        with open(clone.module, "rb") as module:
            assert b"og_added_by_a_test" in module.read()
    finally:
        os.remove(added)
    clone.make("build")
    with open(clone.module, "rb") as module:
        assert b"og_added_by_a_test" not in module.read()


@pytest.mark.parametrize("header, package", [
    ("hiredis/hiredis.h", "libhiredis-dev"),
    ("jansson.h", "libjansson-dev"),
    ("openssl/kdf.h", "libssl-dev"),
])
def test_a_missing_library_is_told_by_its_package(fresh, tmp_path, header,
                                                  package):
    # a compiler that does not find this header
    os.chmod(tmp_path, 0o755)
    compiler = fresh(f"cc-without-{package}")
    with open(compiler, "w") as out:
        out.write("#!/bin/sh\n"
                  'for word; do case $word in *.c)\n'
                  f'    grep -q "<{header}>" "$word" && exit 1 ;;\n'
                  'esac; done\n'
                  'exec cc "$@"\n')
    os.chmod(compiler, 0o755)
    folder = fresh("without-" + package)
    try:
        said = fresh.make("build", f"CC={compiler}", f"BUILD={folder}",
                          ok=False)
        assert f"apt-get install {package}" in said
        assert not os.path.exists(os.path.join(folder, MODULE))

        # nothing is left that would be taken for a finished configure
        assert not os.path.exists(os.path.join(folder, "Makefile"))
    finally:
        os.remove(compiler)
        shutil.rmtree(folder)


def test_install(clone):
    target = clone("target")
    clone.make("install", f"DESTDIR={target}")
    enabled = "etc/nginx/modules-enabled/50-mod-http-order-guard.conf"
    available = "usr/share/nginx/modules-available/mod-http-order-guard.conf"
    assert files_in(target) == [
        enabled, f"usr/lib/nginx/modules/{MODULE}", available]
    assert os.readlink(os.path.join(target, enabled)) == "/" + available

    # where Debian puts such a module of its own
    listed = subprocess.run(["dpkg", "-L", "libnginx-mod-http-echo"],
                            stdout=subprocess.PIPE, text=True).stdout
    if listed:
        assert "/usr/lib/nginx/modules/ngx_http_echo_module.so" in listed
        assert "/usr/share/nginx/modules-available/" in listed

    check_layout(clone, target, available)
    shutil.rmtree(target)


def check_layout(clone, target, available):
    """nginx finds the module in a prefix that looks like Debian's."""
    prefix = os.path.join(target, "usr/share/nginx")
    conf = os.path.join(prefix, "nginx.conf")
    clone.run("ln", "-s", "../../lib/nginx/modules", prefix + "/modules")
    with open(conf, "w") as out:
        out.write(f"include {os.path.join(target, available)};\n"
                  "pid nginx.pid; error_log stderr;\n"
                  "events { }\n"
                  "http {\n"
                  "    client_body_temp_path a; proxy_temp_path b;\n"
                  "    fastcgi_temp_path c; uwsgi_temp_path d;\n"
                  "    scgi_temp_path e; access_log off;\n"
                  "    order_guard on;\n"
                  "}\n")
    check = (NGINX, "-t", "-p", prefix + "/", "-c", conf, "-e", "stderr")
    assert "test is successful" in clone.run(*check)

    # it is this file that makes it so
    os.remove(os.path.join(target, available))
    clone.run("touch", os.path.join(target, available))
    assert 'unknown directive "order_guard"' in clone.run(*check, ok=False)


def test_uninstall(clone):
    target = clone("target")
    clone.make("install", f"DESTDIR={target}")
    others = [os.path.join(target, name) for name in (
        "etc/nginx/modules-enabled/50-mod-http-echo.conf",
        "usr/lib/nginx/modules/ngx_http_echo_module.so",
        "usr/share/nginx/modules-available/mod-http-echo.conf")]
    for other in others:
        clone.run("touch", other)
    clone.make("uninstall", f"DESTDIR={target}")
    assert files_in(target) == sorted(os.path.relpath(other, target)
                                      for other in others)

    # what is not there is removed already
    clone.make("uninstall", f"DESTDIR={target}")
    assert os.path.exists(clone.module)
    shutil.rmtree(target)


def files_in(target):
    return sorted(os.path.relpath(os.path.join(folder, name), target)
                  for folder, _, names in os.walk(target) for name in names)


def test_help_lists_all_targets(fresh):
    text = ""
    for name in ("Makefile", "t/tests.mk"):
        with open(fresh(name)) as part:
            text += part.read().replace("\\\n", " ")
    described = set(re.findall(r"^([\w-]+):.* ## ", text, re.M))
    phony = set(" ".join(re.findall(r"^\.PHONY: ([^$\n]*)", text,
                                    re.M)).split())
    listed = set(re.findall(r"^  make ([\w-]+) ", fresh.make("help"), re.M))
    parts = {name for name in phony if name.startswith("check-")} | {"FORCE"}
    assert listed == described == phony - parts


def test_the_tree_stays_clean(clone):
    before = clone.status()
    clone.make("unit", "UNIT=status", "PORTABLE=")
    clone.run("t/run", "t/021-allow.t", OG_MODULE=clone.module)
    clone.run(PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider",
              "t/system/test_readme.py", "-k", "every_directive",
              OG_MODULE=clone.module)
    assert clone.status() == before == ""


def test_clean_leaves_what_git_gave(clone):
    clone.make("clean")
    assert not os.path.exists(clone("build"))
    assert clone.status() == ""
