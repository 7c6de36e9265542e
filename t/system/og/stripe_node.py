"""Charges by stripe-node, a client that retries by itself."""

import json
import os
import subprocess

from og import paths

SCRIPT = os.path.join(paths.ROOT, "t", "system", "stripe", "charge.js")


def charge(port, count, key=None):
    """What became of each `call`, all made at once: its `charge`, and whether
    that was `replayed`, or its `error`, with `status` and `code` where there
    was an answer. With `key` their keys are KEY-0, KEY-1, ..."""
    if not os.path.isdir(os.path.join(paths.NODE_MODULES, "stripe")):
        raise AssertionError(f"no stripe in {paths.NODE_MODULES}: "
                             "make node-modules")
    done = subprocess.run(
        ["node", SCRIPT, str(port), str(count), *([key] if key else [])],
        env={"PATH": os.environ["PATH"], "NODE_PATH": paths.NODE_MODULES},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=paths.seconds(30))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
