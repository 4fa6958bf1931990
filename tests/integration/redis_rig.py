"""Real redis-server processes and gateways that share one: for the tests of what replicas share."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness import Gateway, eventually, get

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Redis:
    """A redis-server; use it in a `with` statement. prefix: a command that starts it, as faketime does."""

    def __init__(self, folder, *options, prefix=(), environment=None):
        self.folder = Path(folder)
        self.port = free_port()
        self.options = options
        self.prefix = list(prefix)
        self.environment = {**os.environ, **(environment or {})}
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        self.log = open(self.folder / "redis.log", "ab")
        self.process = subprocess.Popen(
            [*self.prefix, "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir",
             str(self.folder), *self.options], stdout=self.log, stderr=self.log, env=self.environment)
        try:
            eventually(lambda: self.command("PING") == b"+PONG\r\n", "redis to answer")
        except AssertionError:
            self.kill()
            raise
        return self

    def command(self, *words):
        """The first line of what it answers."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                text = b"*%d\r\n" % len(words)
                for word in words:
                    text += b"$%d\r\n%s\r\n" % (len(word), word.encode())
                connection.sendall(text)
                return connection.recv(65536)
        except OSError:
            return b""

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.log.close()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.kill()


class Cluster:
    """Three masters that serve all slots; use it in a `with` statement."""

    def __init__(self, folder):
        self.nodes = []
        for number in range(3):
            own = Path(folder) / f"node{number}"
            own.mkdir()
            self.nodes.append(Redis(own, "--cluster-enabled", "yes", "--cluster-port", str(free_port())))
        self.url = "redis://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def __enter__(self):
        for node in self.nodes:
            node.start()
        subprocess.run(["redis-cli", "--cluster", "create", *(f"127.0.0.1:{node.port}" for node in self.nodes), "--cluster-yes"],
                       check=True, capture_output=True)
        for node in self.nodes:
            eventually(lambda n=node: b"cluster_state:ok" in n.command("CLUSTER", "INFO"), "the Cluster")
        return self

    def __exit__(self, *failure):
        for node in self.nodes:
            node.__exit__(*failure)

    def keys(self):
        """How many names each node holds."""
        return [int(node.command("DBSIZE")[1:]) for node in self.nodes]


class Proxy:
    """Forwards to a server, and can hold back what comes from it, say something else, or cut every connection of one kind."""

    def __init__(self, port):
        self.target = port
        self.delay = 0.0
        self.instead = None  # octets, in the place of each piece of the answers
        self.open = True
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target)) if self.open else None
            except OSError:
                server = None  # the server is away
            if server is None:
                client.close()
                continue
            pair = {"sockets": (client, server), "subscriber": False}
            self.pairs.append(pair)
            threading.Thread(target=self.pump, args=(pair, client, server, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(pair, server, client, True), daemon=True).start()

    def pump(self, pair, source, target, answers):
        try:
            while data := source.recv(65536):
                if not answers and b"SUBSCRIBE" in data:
                    pair["subscriber"] = True
                if answers and self.delay:
                    time.sleep(self.delay)
                target.sendall(self.instead or data if answers else data)
        except OSError:
            pass
        for one in pair["sockets"]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self, subscribers_only=False):
        for pair in list(self.pairs):
            if pair["subscriber"] or not subscribers_only:
                for one in pair["sockets"]:
                    try:
                        one.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

    def close(self):
        self.listener.close()
        self.cut()


def replicas(folder, mock, redis_url, count, settings=None, urls=None):
    """Gateways on one database and one Redis, not started."""
    database = Path(folder) / "shared.db"
    made = []
    for number in range(count):
        own = Path(folder) / f"gateway{number}"
        own.mkdir()
        made.append(Gateway(own, mock, settings={
            "server.shards": 1, "storage.path": str(database), "storage.spool": str(own / "spool"),
            "redis.url": urls[number] if urls else redis_url, "limits.replicas": count, **(settings or {})}))
    return made


class Crowd:
    """Clients that send requests with one key to all gateways at once, until stopped. Counts answers and waits."""

    def __init__(self, gateways, key, threads=2):
        self.authorization = "Authorization: Bearer " + key
        self.gateways = gateways
        self.statuses = {}
        self.admitted = [0] * len(gateways)  # by gateway
        self.longest = 0.0
        self.stopped = False
        self.lock = threading.Lock()
        self.began = time.monotonic()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(len(gateways))
                        for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        request = get("/api/v1/models", self.authorization)
        with self.gateways[number].connect() as connection:
            while not self.stopped:
                start = time.monotonic()
                status = connection.send(request).read().status
                spent = time.monotonic() - start
                with self.lock:
                    self.statuses[status] = self.statuses.get(status, 0) + 1
                    self.admitted[number] += status == 200
                    self.longest = max(self.longest, spent)
                time.sleep(0.002)  # the machine is shared; the limit is far below this rate

    def stop(self):
        """Ends it. Returns how many were admitted, and over how many seconds."""
        self.stopped = True
        for thread in self.threads:
            thread.join()
        self.seconds = time.monotonic() - self.began
        assert set(self.statuses) <= {200, 429}, self.statuses
        return self.statuses.get(200, 0), self.seconds
