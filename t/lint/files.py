"""Which files there are, and how findings are told."""

import glob
import os

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def files(*patterns):
    """Paths from the top of the repository."""
    return sorted(os.path.relpath(path, ROOT) for pattern in patterns
                  for path in glob.glob(os.path.join(ROOT, pattern)))


def C_FILES():
    return files("ngx_module/*.[ch]", "t/*/*.[ch]")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as text:
        return text.read()


def is_pure(path):
    return os.path.basename(path).startswith("og_")


def is_glue(path):
    return os.path.basename(path).startswith("ngx_http_og")


def report(findings):
    """Prints (path, line, what) rows; returns the exit code."""
    count = 0
    for path, line, what in findings:
        print(f"{path}:{line}: {what}")
        count += 1
    return 1 if count else 0
