"""A Redis whose clock is another than the machine's, and can be set
(t/lib/clock.c)."""

import os
import struct
import subprocess

from og import paths
from og.redis import Redis


def build(folder):
    """The library that stands between the server and the kernel's clock."""
    library = os.path.join(folder, "clock.so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", library,
                    os.path.join(paths.ROOT, "t", "lib", "clock.c")],
                   check=True, timeout=60)
    return library


class ClockedRedis(Redis):
    def __init__(self, folder, ahead=0):
        super().__init__(folder)
        self._file = os.path.join(self.folder, "clock")
        self.set(ahead)
        self.env = {"LD_PRELOAD": build(self.folder), "OG_CLOCK": self._file}

    def set(self, ahead):
        """So many seconds before the machine's, or behind where negative."""
        number = struct.pack("=q", ahead)
        fd = os.open(self._file, os.O_WRONLY | os.O_CREAT)
        os.write(fd, number)
        os.close(fd)

    def time(self):
        """Seconds since the epoch, by its own clock."""
        return int(self.command("TIME")[0])
