"""The rights that lua-free-docs/stores.md prints."""

import os
import re

from og import paths

with open(os.path.join(paths.ROOT, "lua-free-docs", "stores.md")) as page:
    PAGE = page.read()

USER = re.search(r"^user gateway .*$", PAGE, re.M).group()
RIGHTS = re.findall(r"\+\S+", USER)

# what is added for ...
SELECT, RECORDS = (
    rights.replace("\\|", "|").split() for rights in
    re.findall(r"^\| .* \| `(\+.*)` \|$", PAGE, re.M))
CLUSTER = re.search(r"The rights needed, besides: `(\+.*)`",
                    PAGE).group(1).split()


def used(*servers):
    """The rights that were made use of since CONFIG RESETSTAT."""
    return {"+" + name for server in servers
            for name, count in server.calls().items() if count}


def denied(server):
    return server.command("ACL", "LOG")
