"""`make demo` as a user meets it."""

import glob
import os
import re
import signal
import subprocess

import pytest

from og.paths import PYTHON, ROOT, seconds
from og.process import wait_until

DEMO = os.path.join(ROOT, "t", "demo", "demo.py")


@pytest.fixture
def demo(tmp_path):
    """start(**environment): the demo, its output in a file."""
    started = []

    def start(**environment):
        env = {name: value for name, value in os.environ.items()
               if name not in ("CI", "ONCE", "STORE")}
        env.update(environment, TMPDIR=str(tmp_path))
        with open(tmp_path / "output", "w") as out:
            started.append(subprocess.Popen([PYTHON, DEMO], env=env,
                                            stdout=out, stderr=out))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(seconds(30))


def left_behind(folder):
    """Processes whose command line names the folder."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as text:
                line = text.read().decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line and f"/{os.getpid()}/" not in path:
            found.append(line.replace("\0", " "))
    return found


@pytest.mark.parametrize("store", ["shm", "redis"])
def test_every_step_shows_what_it_claims(demo, tmp_path, store):
    process = demo(ONCE="1", STORE=store)
    code = process.wait(seconds(120))
    output = (tmp_path / "output").read_text()
    assert code == 0, output
    steps = re.findall(r"^\[(\d+)/(\d+)\]", output, re.M)
    assert steps and len(steps) == int(steps[0][1])
    assert len(re.findall(r"^  verdict +OK  ", output, re.M)) == len(steps)
    assert "FAILED" not in output
    assert "\033" not in output
    assert left_behind(tmp_path) == []
    assert os.listdir(tmp_path) == ["output"]


def test_stays_up_until_interrupted(demo, tmp_path):
    process = demo()
    output = tmp_path / "output"
    wait_until(lambda: process.poll() is not None
               or "Ctrl-C ends everything" in output.read_text(), 120,
               "no invitation to go on by hand")
    assert process.poll() is None, output.read_text()
    text = output.read_text()
    line = re.search(r"^  curl -i .*?}'$", text, re.M | re.S).group()
    for replayed in (False, True):
        answer = subprocess.run(line, shell=True, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True).stdout
        assert "200 OK" in answer
        assert ("Idempotent-Replayed: true" in answer) == replayed
    process.send_signal(signal.SIGINT)
    assert process.wait(seconds(30)) == 0
    assert left_behind(tmp_path) == []


def test_says_which_stores_there_are(demo, tmp_path):
    process = demo(ONCE="1", STORE="memcached")
    assert process.wait(seconds(60)) != 0
    assert ('STORE is "shm" or "redis", not "memcached"'
            in (tmp_path / "output").read_text())


def test_says_what_is_missing(demo, tmp_path):
    process = demo(ONCE="1", OG_MODULE="/nowhere/module.so")
    assert process.wait(seconds(60)) != 0
    assert "/nowhere/module.so" in (tmp_path / "output").read_text()
    assert left_behind(tmp_path) == []
