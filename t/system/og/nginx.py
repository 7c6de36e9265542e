"""nginx with the module, in a prefix of its own."""

import os
import re
import signal
import subprocess

from og import paths
from og.process import (Process, as_root, children_of, free_port, title_of,
                        wait_until)

MAIN = """\
{user}daemon off;
worker_processes {workers};
pid nginx.pid;
error_log logs/error.log {level};
{load}{main}

events {{
    worker_connections 4096;
}}

http {{
{places}{http}
}}
"""

# Debian's nginx would use folders of the machine
PLACES = """\
    access_log            logs/access.log;
    client_body_temp_path tmp/body;
    proxy_temp_path       tmp/proxy;
    fastcgi_temp_path     tmp/fastcgi;
    uwsgi_temp_path       tmp/uwsgi;
    scgi_temp_path        tmp/scgi;
"""

BAD = re.compile(r"\[(alert|emerg)\]|Sanitizer|runtime error:|"
                 r"exited on signal|double free|corrupted")


# for a file that is run as it is printed somewhere
GLOBAL = "daemon off; pid nginx.pid; error_log logs/error.log {level};{user}"


class Nginx:
    """`http` is the content of http {}. Ports that it listens on are given as
    `ports`: start() waits for them. `module=None` loads none. With
    `whole` the text is all of nginx.conf, and modules/ is beside it; only
    where logs and temporary files go is added."""

    def __init__(self, prefix, http, ports=(), workers=1, main="",
                 module=paths.MODULE, whole=False):
        self.prefix = str(prefix)
        self.ports = list(ports)
        self.workers = workers
        self.expected = []          # patterns of bad log lines that are meant
        self.process = None
        self._main = main
        self._module = module
        self._whole = whole
        for folder in ("logs", "tmp", "conf"):
            os.makedirs(self.path(folder), exist_ok=True)
        if whole:
            os.makedirs(self.path("modules"))
            os.symlink(module, self.path("modules/" + paths.MODULE_NAME))
        self.write(http)

    def write(self, http):
        """Replaces the configuration; in force after start() or reload()."""
        if self._whole:
            text = http.replace("http {\n", "http {\n" + PLACES, 1)
        else:
            text = self._frame(http)
        with open(self.path("conf/nginx.conf"), "w") as out:
            out.write(text)

    def _frame(self, http):
        load = f"load_module {self._module};\n" if self._module else ""
        return MAIN.format(user="user root;\n" if as_root() else "",
                           http=http, workers=self.workers, main=self._main,
                           places=PLACES,
                           level=paths.LOG_LEVEL, load=load)

    def path(self, name):
        return os.path.join(self.prefix, name)

    def argv(self, *more):
        return [paths.NGINX, "-p", self.prefix + "/", "-c",
                self.path("conf/nginx.conf"), "-e",
                self.path("logs/error.log"), *self._global(), *more]

    def _global(self):
        if not self._whole:
            return []
        user = " user root;" if as_root() else ""
        return ["-g", GLOBAL.format(level=paths.LOG_LEVEL, user=user)]

    def check_configuration(self, *more):
        """(exit code of nginx -t, what it says)"""
        done = subprocess.run(self.argv("-t", *more), env=environment(),
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, timeout=60)
        return done.returncode, done.stdout

    def start(self):
        if self._module and not os.path.exists(self._module):
            raise AssertionError(f"{self._module} is not there: make build")
        self.process = Process(self.argv(), self.path("logs/stderr.log"),
                               environment())
        for port in self.ports:
            self.process.wait_for_port(port)
        return self

    @property
    def pid(self):
        return self.process.pid

    def worker_pids(self):
        """Workers that take new requests."""
        return [pid for pid in children_of(self.pid)
                if "worker process" in title_of(pid)
                and "shutting down" not in title_of(pid)]

    def reload(self):
        """Returns when the new workers are there and no old one takes new
        connections. An old one may live on and end what it has begun."""
        old = set(self.worker_pids())
        self.process.send(signal.SIGHUP)

        def replaced():
            now = set(self.worker_pids())
            return not now & old and len(now) >= self.workers
        wait_until(replaced, 20, "no new workers after SIGHUP:\n"
                   + self.error_log()[-2000:])

    def quit(self, limit=15):
        """Graceful end; says whether nginx kept to it."""
        return self.process.stop(signal.SIGQUIT, limit)

    def stop(self):
        if self.process and self.process.running():
            self.process.stop(signal.SIGTERM)

    def kill(self):
        """SIGKILL to master and workers: a power failure."""
        pids = children_of(self.pid)
        self.process.child.kill()
        for pid in pids:
            _signal(pid, signal.SIGKILL)
        self.process.child.wait()

    def kill_worker(self, number=signal.SIGKILL):
        """Kills one worker and waits for its successor."""
        self.expected.append(r"exited on signal")
        victim = wait_until(self.worker_pids)[0]
        _signal(victim, number)
        wait_until(lambda: victim not in self.worker_pids()
                   and len(self.worker_pids()) >= self.workers, 20,
                   "no new worker")
        return victim

    def error_log(self):
        return self._read("logs/error.log")

    def said(self):
        """What went to stdout and stderr."""
        return self._read("logs/stderr.log")

    def access_log(self):
        return self._read("logs/access.log")

    def bad_lines(self):
        """Lines that no test may cause unless it says so in `expected`."""
        text = self.error_log() + self._read("logs/stderr.log")
        return [line for line in text.splitlines() if BAD.search(line)
                and not any(re.search(p, line) for p in self.expected)]

    def _read(self, name):
        try:
            with open(self.path(name), errors="replace") as text:
                return text.read()
        except FileNotFoundError:
            return ""


def server_port(prefix, http, **more):
    """An Nginx whose `http` text has one %PORT% to listen on."""
    port = free_port()
    nginx = Nginx(prefix, http.replace("%PORT%", str(port)), [port], **more)
    nginx.port = port
    return nginx


def environment():
    """What nginx is started with."""
    env = dict(os.environ)
    env.pop("NGINX", None)
    if paths.LD_PRELOAD:
        env["LD_PRELOAD"] = paths.LD_PRELOAD
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    return env


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
