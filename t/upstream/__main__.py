"""The seed upstream: four order APIs on one port, an admin port beside it.

    python3 t/upstream [--port N] [--admin-port N] [--port-file F]
                       [--ledger F]

Prints `listening on 127.0.0.1:PORT` and `admin on 127.0.0.1:PORT` when both
ports take connections, and runs until SIGINT or SIGTERM.
"""

import argparse
import json
import os
import signal
import threading

import admin
import apis
from ledger import Ledger
from script import Script
from server import Server


def main():
    options = parse_options()
    ledger = Ledger(options.ledger)
    script = Script()
    server = Server(options.port, apis.Router(ledger, script), ledger, script)
    admin_server = admin.serve(options.admin_port, server, ledger, script)

    announce(options.port_file, server.port, admin_server.server_port)
    wait_for_signal()
    server.set_mode("closed")


def parse_options():
    parser = argparse.ArgumentParser(prog="t/upstream")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--admin-port", type=int, default=0)
    parser.add_argument("--port-file", help="gets {port, admin_port, pid}")
    parser.add_argument("--ledger", help="JSON lines, one for each event")
    return parser.parse_args()


def announce(port_file, port, admin_port):
    if port_file:
        partial = port_file + ".partial"
        with open(partial, "w") as out:
            json.dump({"port": port, "admin_port": admin_port,
                       "pid": os.getpid()}, out)
        os.rename(partial, port_file)

    print(f"listening on 127.0.0.1:{port}", flush=True)
    print(f"admin on 127.0.0.1:{admin_port}", flush=True)


def wait_for_signal():
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()


if __name__ == "__main__":
    main()
