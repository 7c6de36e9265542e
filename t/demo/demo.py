"""`make demo`: the four capabilities, shown on real servers.

Starts the seed upstream and nginx with the example configurations on free
ports, below a folder of its own; shows each step; then stays up for trying by
hand until Ctrl-C. The store is the embedded one; with STORE=redis it is a
private redis-server. With CI=true or ONCE=1 it ends by itself. The exit code
is 0 only if every step showed what it claims.
"""

import os
import shutil
import signal
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "..", "system")]

import say                                                  # noqa: E402
from stage import Stage                                     # noqa: E402
from steps import STEPS                                     # noqa: E402


def main():
    signal.signal(signal.SIGTERM, _interrupt)
    # a shell has its background jobs ignore Ctrl-C
    signal.signal(signal.SIGINT, _interrupt)
    store = os.environ.get("STORE") or "shm"
    if store not in say.STORES:
        print(f'STORE is "shm" or "redis", not "{store}"')
        return 1
    folder = tempfile.mkdtemp(prefix="order-guard-demo-")
    stage = Stage(folder, store)
    failed = 1
    try:
        say.opening(folder, store)
        stage.start()
        failed = show(stage)
        say.closing(stage, len(STEPS), failed)
        if not by_itself():
            threading.Event().wait()
    except KeyboardInterrupt:
        print()
    except (AssertionError, OSError) as error:
        say.trouble(error)
        failed = failed or 1
    finally:
        failed += not stage.stop()
        leave(folder, failed)
    return 1 if failed else 0


def show(stage):
    """Runs every step, tells each; returns how many failed."""
    failed = 0
    for number, step in enumerate(STEPS, 1):
        say.title(number, len(STEPS), step.__doc__)
        stage.upstream.clear()
        try:
            say.good(step(stage))
        except AssertionError as error:
            failed += 1
            say.bad(error)
    return failed


def by_itself():
    return os.environ.get("CI") == "true" or os.environ.get("ONCE") == "1"


def leave(folder, failed):
    if failed:
        print(f"Logs and configuration are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
        print("Everything is stopped and removed.")


def _interrupt(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
