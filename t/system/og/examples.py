"""The example configurations, as they stand but for their addresses."""

import os
import re

from og.paths import EXAMPLES
from og.process import free_port

LISTEN = {"leuwongrr": 8081, "storefront": 8082, "gameso": 8083,
          "cekceir": 8084}
UPSTREAM = {"leuwongrr": 8101, "storefront": 8102, "gameso": 8103,
            "cekceir": 8104}
STORE = "redis://127.0.0.1:6379/0"


def text(name):
    with open(os.path.join(EXAMPLES, name + ".conf")) as source:
        return source.read()


def substituted(name, listen, upstream, store):
    """The file with its three documented addresses replaced; each must occur
    as documented, so that nobody edits one and tests another."""
    conf = text(name)
    for documented, used in (
            (f"listen 127.0.0.1:{LISTEN[name]};",
             f"listen 127.0.0.1:{listen};"),
            (f"server 127.0.0.1:{UPSTREAM[name]};",
             f"server {upstream};"),
            (STORE, store)):
        if conf.count(documented) != 1:
            raise AssertionError(f"{name}.conf: {documented!r} occurs "
                                 f"{conf.count(documented)} times")
        conf = conf.replace(documented, used)
    return conf


def install(folder, names, upstream, store):
    """Writes the files below `folder`; (http text that includes them,
    {name: port})"""
    ports, lines = {}, []
    for name in names:
        ports[name] = free_port()
        path = os.path.join(str(folder), name + ".conf")
        with open(path, "w") as out:
            out.write(substituted(name, ports[name], upstream, store))
        lines.append(f"    include {path};")
    return "\n".join(lines), ports


def without_comments(conf):
    return re.sub(r"#.*", "", conf)
