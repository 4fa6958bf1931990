"""A gateway between a test and its providers: shared by the tests of the provider side."""

import itertools
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from harness import PATIENCE, eventually, needs_binary  # noqa: F401  (tests take them from here)
from mock_provider import MockProvider, binary

def free_port():
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class full_listener:
    """A listener whose backlog is full: connects to it hang."""

    def __enter__(self):
        self.sockets = [socket.socket()]
        self.sockets[0].bind(("127.0.0.1", 0))
        self.sockets[0].listen(0)
        port = self.sockets[0].getsockname()[1]
        while True:
            filler = socket.socket()
            filler.settimeout(0.3)
            self.sockets.append(filler)
            try:
                filler.connect(("127.0.0.1", port))
            except TimeoutError:
                return port, self.sockets

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()


def toml(value):
    return json.dumps(value)  # TOML's strings, numbers and booleans are JSON's


class Scenarios:
    """Providers of one test module. Each is the same mock with settings of its own, which its key carries."""

    def __init__(self):
        self.providers = {}
        self.models = {}

    def mock(self, spec="tokens=3", **settings):
        """A provider that behaves as the mock's `spec` says. Returns its name."""
        name = f"p{len(self.providers)}"
        self.providers[name] = {"mock": spec, **settings}
        return name

    def at(self, base_url, **settings):
        """A provider elsewhere."""
        name = f"p{len(self.providers)}"
        self.providers[name] = {"base_url": base_url, "api_key": "sk-elsewhere", **settings}
        return name

    def model(self, name, **settings):
        self.models[name] = settings
        return name


class Head:
    """Status line and fields of an answer."""

    def __init__(self, text):
        first, *lines = text.decode("latin-1").split("\r\n")
        self.text = text
        self.status = int(first.split(" ", 2)[1])
        self.fields = [tuple(line.split(": ", 1)) for line in lines]
        self.by_name = {name.lower(): value for name, value in self.fields}

    def __getitem__(self, name):
        return self.by_name[name]

    def get(self, name, otherwise=None):
        return self.by_name.get(name, otherwise)


class Call:
    """One request over a raw connection, and what comes back, as it comes."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""
        self.head = None
        self.body = b""
        self.pieces = []  # (time, octets) of each chunk or read
        self.ended = None  # 'whole', 'close' or 'reset'

    def _more(self):
        try:
            piece = self.connection.recv(65536)
        except ConnectionResetError:
            self.ended = "reset"
            return False
        if not piece:
            self.ended = "close"
            return False
        self.buffer += piece
        return True

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            assert self._more(), f"no answer but {self.buffer!r}, then {self.ended}"
        text, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.head = Head(text)
        return self.head if self.head.status >= 200 else self.read_head()

    def _take(self, size):
        while len(self.buffer) < size:
            if not self._more():
                return None
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def read_piece(self):
        """The next chunk, or all of a body with a length. None at the end."""
        if self.head is None:
            self.read_head()
        if self.ended:
            return None
        if self.head.status in (204, 304):
            self.ended = "whole"
            return None
        if self.head.get("transfer-encoding") == "chunked":
            while b"\r\n" not in self.buffer:
                if not self._more():
                    return None
            size, self.buffer = self.buffer.split(b"\r\n", 1)
            piece = self._take(int(size, 16) + 2)
            if piece is None:
                return None
            assert piece.endswith(b"\r\n")
            piece = piece[:-2]
            if int(size, 16) == 0:
                self.ended = "whole"
                return None
        else:
            piece = self._take(int(self.head["content-length"]))
            if piece is None:
                return None
            self.ended = "whole"
        self.pieces.append((time.monotonic(), piece))
        self.body += piece
        return piece

    def read_all(self):
        while self.read_piece() is not None:
            pass
        return self

    def until(self, mark):
        """Reads until `mark` has come."""
        while mark not in self.body:
            assert self.read_piece() is not None, (self.ended, self.body)
        return self

    @property
    def status(self):
        return self.head.status

    def json(self):
        return json.loads(self.body)

    def error(self):
        return self.json()["error"]

    def events(self):
        """What follows `data: `, parsed; `[DONE]` and comments stay text."""
        parts = [part for part in self.body.decode().split("\n\n") if part]
        texts = [part[len("data: "):] if part.startswith("data: ") else part for part in parts]
        return [json.loads(text) if text.startswith("{") else text for text in texts]

    def last_error(self):
        """The error that the stream ends with."""
        return self.events()[-1]["error"]

    def leave(self, abruptly=False):
        """Goes away. Returns when."""
        if abruptly:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        now = time.monotonic()
        self.connection.close()
        return now

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


SPENDING = ("/api/v1/chat/completions", "/api/v1/embeddings", "/api/v1/responses", "/api/v1/messages")


class Gateway:
    """A running `concurred serve`; use it in a `with` statement."""

    def __init__(self, folder, scenarios, mock=None, settings="", environment=None, flags=()):
        self.folder = Path(folder)
        self.environment = {"PATH": os.environ.get("PATH", ""), **(environment or {})}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        lines = [settings]
        for name, provider in scenarios.providers.items():
            values = dict(provider)
            if "mock" in values:
                values["api_key"] = "sk-mock-" + values.pop("mock")
                values["base_url"] = mock.base_url
            lines += [f"[providers.{name}]", *(f"{k} = {toml(v)}" for k, v in values.items())]
        for name, values in scenarios.models.items():
            lines += [f"[models.{toml(name)}]", *(f"{k} = {toml(v)}" for k, v in values.items())]
        (self.folder / "concurred.toml").write_text("\n".join(lines) + "\n")
        self.numbers = itertools.count(1)
        self.key = self.new_key()
        self._start(flags)

    def _start(self, flags):
        self.log = open(self.folder / "log", "wb")
        self.access = open(self.folder / "access", "wb")
        command = [binary(), "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", *flags]
        self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=self.access, stderr=self.log)

        def listening():
            assert self.process.poll() is None, self.log_text()
            return next((line for line in self.log_lines() if line["msg"] == "listening"), None)

        line = eventually(listening, "the gateway to listen")
        self.port, self.admin_port = line["port"], line["admin_port"]

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        try:
            if failure is None:
                self.stop()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait(PATIENCE)
            self.log.close()
            self.access.close()

    def stop(self):
        """Ends it, unless it has ended, and checks that every admitted request has left one record."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE) == 0, self.log_text()
        assert self.records() == len(self.admitted()), (self.records(), self.admitted())

    # Commands

    def command(self, *arguments):
        done = subprocess.run([binary(), *arguments], cwd=self.folder, env=self.environment, capture_output=True,
                              text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def new_key(self, rate_limit=1_000_000):
        return json.loads(self.command("keys", "create", "--name", "test", "--rate-limit", str(rate_limit),
                                       "--json"))["key"]

    # What it writes

    def log_text(self):
        return (self.folder / "log").read_text()

    def log_lines(self):
        text = self.log_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def access_lines(self):
        text = (self.folder / "access").read_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def access_line(self, model):
        """The only line of a request for `model`, once it is there."""
        def lines():
            return [line for line in self.access_lines() if line.get("model_requested") == model]

        found = eventually(lines, f"the access log line of {model}")
        assert len(found) == 1
        return found[0]

    def admitted(self):
        return [line for line in self.access_lines()
                if line["route"] in SPENDING and line["status"] not in (401, 405, 429)
                or line.get("provider")]

    def records(self, model=None):
        """Usage records in the database."""
        where, values = ("", ()) if model is None else (" WHERE model = ?", (model,))
        with sqlite3.connect(self.folder / "var" / "concurred.db") as database:
            return database.execute("SELECT coalesce(sum(requests), 0) FROM usage_daily" + where, values).fetchone()[0]

    def usage_row(self, model):
        """The sums of all records of `model`, once there are any."""
        def row():
            with sqlite3.connect(self.folder / "var" / "concurred.db") as database:
                database.row_factory = sqlite3.Row
                rows = database.execute("SELECT * FROM usage_daily WHERE model = ?", (model,)).fetchall()
                return dict(rows[0]) if rows else None

        return eventually(row, f"the usage of {model}")

    def metrics(self):
        """Every series of /metrics and its value."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def busy(self):
        """Connections to providers in use."""
        return sum(v for k, v in self.metrics().items() if 'state="busy"' in k)

    def at_rest(self):
        """Waits until nothing is under way: no request, no client, no connection to a provider that is in use."""
        def idle():
            metrics = self.metrics()
            busy = sum(v for k, v in metrics.items() if 'state="busy"' in k)
            return metrics["concurred_active_requests"] == 0 and metrics["concurred_connections"] == 0 and busy == 0

        eventually(idle, "the gateway to be at rest")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self):
        """Resident memory in octets."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) * 1024

    # Requests

    def connect(self, receive_buffer=None):
        connection = socket.socket()
        connection.settimeout(PATIENCE)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def name(self, provider):
        """A model of a provider that no other request names."""
        return f"{provider}/m{next(self.numbers)}"

    def start(self, model, stream=False, connection=None, headers=(), body=None, key=None, **fields):
        """Sends a chat completion and does not wait."""
        if body is None:
            body = chat(model, **({"stream": True} if stream else {}), **fields)
        lines = ["POST /api/v1/chat/completions HTTP/1.1", "Host: gateway", f"Authorization: Bearer {key or self.key}",
                 "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
        connection = connection or self.connect()
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return Call(connection)

    def ask(self, model, **how):
        """A chat completion, read to its end."""
        with self.start(model, **how) as call:
            return call.read_all()

    def get(self, path, key=None, *fields):
        connection = self.connect()
        lines = [f"GET {path} HTTP/1.1", "Host: gateway", f"Authorization: Bearer {key or self.key}", *fields]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        with Call(connection) as call:
            return call.read_all()


def chat(model, **fields):
    body = {"model": model, "messages": [{"role": "user", "content": "Hello there"}], **fields}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


# Usage is written soon, and the end is not announced for seconds. Each request is one attempt, and none is kept away from
# a provider: tests of routing have settings of their own.
QUICK = """
[server]
shards = 1
[storage]
flush_interval = "10ms"
[routing]
retries = 0
breaker_failures = 0
[limits]
drain_grace = "0ms"
"""


def breaking_after(failures):
    """QUICK, with breakers that open then and stay open."""
    return QUICK.replace("breaker_failures = 0", f'breaker_failures = {failures}\nbreaker_cooldown = "10m"')


def rig(scenarios, settings=QUICK, mock_flags=("--keep-bodies",)):
    """A fixture of one gateway and one mock for a module."""
    @pytest.fixture(scope="module")
    def gateway(tmp_path_factory):
        with MockProvider(*mock_flags) as mock:
            with Gateway(tmp_path_factory.mktemp("gateway"), scenarios, mock, settings) as running:
                running.mock = mock
                yield running

    return gateway


def upstream_request(gateway):
    """Head and body of what the mock received last."""
    answer = gateway.mock.call("GET", "/mock/requests/last")
    assert answer.headers["x-mock-body-kept"] == "1" or answer.headers["x-mock-body-kept"] == "true", answer.headers
    size = int(answer.headers["x-mock-head-length"])
    return answer.body[:size], answer.body[size:]
