#!/usr/bin/env python3
"""Whether the time of a refusal tells that a key exists.

Puts --calls disabled keys into a database of its own, starts a gateway on it, and asks with each of them once, in turns with as
many keys that were never issued: in pairs, of which chance says who is first. So neither is in any cache, and both are looked up in
the database; then all of them again, from the cache. Both get the same 401. Prints both distributions, and how often the key that
exists took longer than its partner: 50 % is what nobody can tell from chance.

    CONCURRED_BIN=build/release/concurred python3 bench/key_timing.py [--calls N]
"""

import argparse
import base64
import hashlib
import math
import os
import random
import socket
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
COLUMNS = "id, hash, start, name, owner_id, enabled, rate_limit, rate_window_ms, meta, permissions, created_ms, updated_ms, change_number"


def new_key():
    return "ck_" + "".join(random.choices(ALPHABET, k=32))


def hash_of(key):
    return base64.b64encode(hashlib.sha256(key.encode()).digest()).decode()


def fill(path, keys):
    with sqlite3.connect(path) as database:
        database.executemany(f"INSERT INTO api_key ({COLUMNS}) VALUES (?,?,?,'k','local',0,60,60000,'{{}}','[]',0,0,0)",
                             ((f"key_{number:08}", hash_of(key), key[:7]) for number, key in enumerate(keys)))


class Client:
    """One connection; plain sockets, so that what is measured is not this program."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, key):
        """Nanoseconds until the refusal is there."""
        request = f"GET /api/v1/models HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        begin = time.perf_counter_ns()
        self.socket.sendall(request)
        answer = self.socket.recv(65536)
        spent = time.perf_counter_ns() - begin
        assert answer.startswith(b"HTTP/1.1 401 "), answer
        return spent


def compare(client, real, made_up, title):
    times = {True: [], False: []}
    longer = 0
    for pair in zip(real, made_up):
        first = random.random() < 0.5
        spent = {exists: client.ask(pair[0] if exists else pair[1]) for exists in (first, not first)}
        for exists, ns in spent.items():
            times[exists].append(ns)
        longer += spent[True] > spent[False]
    count = len(times[True])
    print(title)
    for exists, name in ((True, "exist, disabled"), (False, "never issued")):
        cut = statistics.quantiles(times[exists], n=100)
        print(f"  {name:16} median {cut[49] / 1000:8.2f} us   p5 {cut[4] / 1000:8.2f}   p95 {cut[94] / 1000:8.2f}")
    share = longer / count
    print(f"  the one that exists took longer in {100 * share:.2f} % of {count} pairs; chance: 50 +- {100 * 1.96 * 0.5 / math.sqrt(count):.2f} %")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=10_000)
    calls = options.parse_args().calls
    binary = os.path.abspath(os.environ["CONCURRED_BIN"])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "concurred.toml").write_text('[server]\nshards = 1\n[storage]\npath = "t.db"\n[log]\naccess = false\n')
        subprocess.run([binary, "migrate"], cwd=folder, check=True, capture_output=True)
        real, made_up = [new_key() for _ in range(calls)], [new_key() for _ in range(calls)]
        fill(Path(folder) / "t.db", real)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen([binary, "serve", "--listen", f"127.0.0.1:{port}", "--admin-listen", "127.0.0.1:0"],
                                  cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while True:
                try:
                    client = Client(port)
                    break
                except ConnectionRefusedError:
                    time.sleep(0.05)
            for _ in range(500):
                client.ask(new_key())
            compare(client, real, made_up, "looked up in the database")
            again = min(calls, 2_000)  # what the cache of bad keys holds
            compare(client, real[-again:], made_up[-again:], "known from the look-up before")
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
