"""Where things are, and what the environment may change.

    OG_MODULE       the module, default build/ngx_http_order_guard_module.so
    OG_NGINX        default /usr/sbin/nginx
    OG_REDIS        default redis-server
    OG_NODE_MODULES what make node-modules installed, default
                    build/node/node_modules
    OG_LD_PRELOAD   LD_PRELOAD of nginx alone (sanitizer runs)
    OG_LOG_LEVEL    of nginx, default info
    OG_SLOW         factor on every time limit, default 1
"""

import os

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..",
                                    ".."))
MODULE_NAME = "ngx_http_order_guard_module.so"
MODULE = os.environ.get("OG_MODULE",
                        os.path.join(ROOT, "build", MODULE_NAME))
NGINX = os.environ.get("OG_NGINX", "/usr/sbin/nginx")
REDIS = os.environ.get("OG_REDIS", "redis-server")
NODE_MODULES = os.environ.get("OG_NODE_MODULES",
                              os.path.join(ROOT, "build", "node",
                                           "node_modules"))
LD_PRELOAD = os.environ.get("OG_LD_PRELOAD")
LOG_LEVEL = os.environ.get("OG_LOG_LEVEL", "info")
SLOW = float(os.environ.get("OG_SLOW", "1"))

UPSTREAM = os.path.join(ROOT, "t", "upstream")
EXAMPLES = os.path.join(ROOT, "lua-free-docs", "examples")
PYTHON = "/usr/bin/python3"


def seconds(limit):
    """A time limit, longer where the run is known to be slow."""
    return limit * SLOW
