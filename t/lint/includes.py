"""The direction of includes: who may know what.

    module, handler, filters -> store.h, og_*.h
    a store's backend        -> store.h, the connection
    the connection           -> nginx's core and events, nothing of ours
    pure files               -> libc, and one library where they are its use

    /usr/bin/python3 t/lint/includes.py
"""

import os
import re
import sys
from fnmatch import fnmatch

from files import files, read, report

LIBC = ["<arm_neon.h>", "<emmintrin.h>", "<limits.h>", "<stddef.h>",
        "<stdint.h>", "<stdio.h>", "<stdlib.h>", "<string.h>",
        "<sys/mman.h>", "<sys/random.h>", "<time.h>"]
CORE = ["<ngx_config.h>", "<ngx_core.h>"]
EVENT = ["<ngx_event.h>", "<ngx_event_connect.h>"]
HTTP = ["<ngx_http.h>"]
REDIS = ["<hiredis/hiredis.h>", "<openssl/rand.h>"]
CRYPTO = ["<openssl/crypto.h>", "<openssl/evp.h>"]
SECRET = CRYPTO + ["<openssl/core_names.h>", "<openssl/kdf.h>",
                   "<openssl/params.h>", "<openssl/rand.h>"]
JANSSON = ["<jansson.h>"]
PURE = ['"og_*.h"']

# The first row that fits a file: what it may include.
RULES = [
    ("og_envelope*", LIBC + JANSSON + PURE),
    ("og_format_fill.c", LIBC + JANSSON + PURE),
    ("og_se[ac]*.c", LIBC + SECRET + PURE),
    ("og_*", LIBC + PURE),
    ("ngx_http_og_redis.h", CORE + EVENT),
    ("ngx_http_og_redis_resolve.h", CORE + ['"ngx_http_og_redis.h"']),
    ("ngx_http_og_redis_link.h", CORE + EVENT + REDIS
     + ['"ngx_http_og_redis.h"', '"ngx_http_og_redis_resolve.h"']),
    ("ngx_http_og_sentinel.h", CORE + ['"ngx_http_og_redis.h"']),
    ("ngx_http_og_sentinel.c", REDIS
     + ['"ngx_http_og_redis_link.h"', '"ngx_http_og_sentinel.h"']),
    ("ngx_http_og_store.h", CORE + PURE),
    ("ngx_http_og_zone.h", CORE + PURE),
    ("ngx_http_og_zone.c", PURE + ['"ngx_http_og_zone.h"']),
    ("ngx_http_og_shm_records.h", CORE + ['"og_record.h"']),
    ("ngx_http_og_shm_records.c", ['"ngx_http_og_shm_records.h"']),
    ("ngx_http_og_shm.h", CORE + EVENT
     + ['"ngx_http_og_backend.h"', '"ngx_http_og_shm_records.h"',
        '"ngx_http_og_zone.h"']),
    ("ngx_http_og_shm*.c", ['<openssl/rand.h>', '"ngx_http_og_shm.h"']),
    ("ngx_http_og_backend.h", CORE + ['"ngx_http_og_store.h"']),
    ("ngx_http_og_redis_store.h", CORE + EVENT
     + ['"ngx_http_og_backend.h"', '"ngx_http_og_redis.h"',
        '"ngx_http_og_redis_cluster.h"', '"ngx_http_og_sentinel.h"']),
    ("ngx_http_og_redis_cluster.h", CORE + ['"ngx_http_og_redis.h"']),
    ("ngx_http_og_redis_nodes.h", CORE + EVENT + PURE
     + ['"ngx_http_og_redis_cluster.h"']),
    ("ngx_http_og_redis_cluster.c", ['"ngx_http_og_redis_nodes.h"']),
    ("ngx_http_og_redis_map.c", REDIS + ['"ngx_http_og_redis_nodes.h"']),
    ("ngx_http_og_redis_detour.c", REDIS + ['"ngx_http_og_redis_nodes.h"']),
    ("ngx_http_og_redis_store.c", REDIS + PURE
     + ['"ngx_http_og_redis_store.h"']),
    ("ngx_http_og_redis*.c", REDIS
     + ['"ngx_http_og_redis_link.h"', '"ngx_http_og_redis_store.h"',
        '"ngx_http_og_redis_resolve.h"',
        '"ngx_http_og_backend.h"']),
    ("ngx_http_og_store.c", CRYPTO + ['"ngx_http_og_backend.h"', '"og_*.h"']),
    ("ngx_http_og_join.c", ['"ngx_http_og_backend.h"']),
    ("ngx_http_og_settings.h", CORE + HTTP + PURE
     + ['"ngx_http_og_store.h"']),
    ("ngx_http_og_ctx.h", CORE + HTTP + PURE
     + ['"ngx_http_og_store.h"', '"ngx_http_og_zone.h"',
        '"ngx_http_og_settings.h"']),
    ("ngx_http_og.h", CORE + HTTP + PURE + ['"ngx_http_og_ctx.h"']),
    ("ngx_http_og_conf.h", ['"ngx_http_og.h"']),
    ("ngx_http_og_records.h", ['"ngx_http_og.h"']),
    ("ngx_http_og_records_conf.c", ['"ngx_http_og_conf.h"',
                                    '"ngx_http_og_records.h"']),
    ("ngx_http_og_records*.c", PURE + ['"ngx_http_og_records.h"']),
    ("ngx_http_og_*conf*.c", CRYPTO + ['"ngx_http_og_conf.h"']),
    ("ngx_http_og_merge.c", ['"ngx_http_og_conf.h"']),
    ("ngx_http_og_*.c", CRYPTO + JANSSON + PURE + ['"ngx_http_og.h"']),
]

# The connection's own header: who knows it knows nothing of stores.
APART = ('"ngx_http_og_redis_link.h"',
         ['"ngx_http_og_redis_store.h"', '"ngx_http_og_backend.h"'])


def check(path, text):
    name = os.path.basename(path)
    allowed = next((may for pattern, may in RULES if fnmatch(name, pattern)),
                   None)
    if allowed is None:
        yield 1, f"{name} is no file that t/lint/includes.py knows"
        return

    included = re.findall(r'^#\s*include\s+(["<].*[">])', text, re.M)
    if APART[0] in included:
        allowed = [may for may in allowed if may not in APART[1]]

    for number, line in enumerate(text.split("\n"), 1):
        what = re.match(r'#\s*include\s+(["<].*[">])', line)
        if what and not any(fnmatch(what.group(1), may) for may in allowed):
            yield number, f"{name} may not know {what.group(1)}"


if __name__ == "__main__":
    sys.exit(report((path, *found) for path in files("ngx_module/*")
                    for found in check(path, read(path))))
