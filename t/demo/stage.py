"""The servers of the demonstration."""

import os

from og import client, examples
from og.nginx import Nginx
from og.redis import Redis
from og.upstream import Upstream

NAMES = ("leuwongrr", "storefront", "gameso", "cekceir")


class Stage:
    """`store`: "shm", the embedded one, or "redis"."""

    def __init__(self, folder, store):
        self.folder = folder
        self.redis = (Redis(os.path.join(folder, "redis"))
                      if store == "redis" else None)
        self.upstream = Upstream(os.path.join(folder, "upstream"))
        self.nginx = None
        self.ports = {}

    def start(self):
        if self.redis:
            self.redis.start()
        self.upstream.start()
        prefix = os.path.join(self.folder, "nginx")
        os.makedirs(os.path.join(prefix, "conf"))
        http, self.ports = examples.install(
            os.path.join(prefix, "conf"), NAMES, self.upstream.address,
            self.redis.address if self.redis else "shm")
        self.nginx = Nginx(prefix, http, self.ports.values(), workers=2)
        self.nginx.start()

    def send(self, name, request):
        """One request to the location of the API `name`."""
        return client.request(self.ports[name], "POST", request.path,
                              request.body, request.headers)

    def stop(self):
        """Ends what runs; says whether no log holds an alert."""
        clean = True
        if self.nginx and self.nginx.process:
            self.nginx.stop()
            for line in self.nginx.bad_lines():
                print(line)
                clean = False
        self.upstream.stop()
        if self.redis:
            self.redis.stop()
        return clean
