"""A gateway in front of the mock provider, and a client that reads HTTP strictly: shared by the tests of the client side."""

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from mock_provider import MockProvider, binary

PATIENCE = 20.0  # seconds; a watchdog, not a wait

needs_binary = pytest.mark.skipif(not binary(), reason="CONCURRED_BIN is not set")


def eventually(question, what="a condition", patience=PATIENCE):
    """Asks until the answer is true. Returns it."""
    deadline = time.monotonic() + patience
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


# Models that every gateway of these tests offers. Each has a provider of its own: the same mock, with the settings that
# its key carries.
MODELS = {
    "fast": "tokens=5",
    "large": "pad=4m",
    "slow": "tokens=20;gap=50ms",
    "endless": "tokens=100000;gap=20ms",
    "torrent": "tokens=4000000;chunk=64;group=64",
    "hanging": "hang",
}


class Response:
    """One answer, read strictly."""

    def __init__(self, status, reason, fields):
        self.status = status
        self.reason = reason
        self.fields = fields  # (name, value) in their order
        self.body = b""
        self.interim = []  # status codes of 1xx answers before it
        self.framing = None  # length, chunked, close or none

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name, otherwise=None):
        """The field of that name, which must not be there twice."""
        found = self.all(name)
        assert len(found) <= 1, (name, found)
        return found[0] if found else otherwise

    @property
    def closes(self):
        return self.get("Connection", "").lower() == "close"

    def json(self):
        return json.loads(self.body)

    def error(self):
        """The error object; its shape is checked."""
        assert self.get("Content-Type") == "application/json", self.fields
        error = self.json()["error"]
        assert sorted(error) == ["code", "details", "message", "param", "type"], error
        assert isinstance(error["details"], dict) and error["message"]
        return error

    def __repr__(self):
        return f"<{self.status} {self.fields} {self.body[:300]!r}>"


class Ended(Exception):
    """The server closed or reset the connection; `how` tells which."""

    def __init__(self, how, rest):
        super().__init__(f"{how} after {rest[:200]!r}")
        self.how = how
        self.rest = rest


STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\x20-\x7e]*)")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)")


class Connection:
    """A raw connection to a server."""

    def __init__(self, port, tls=None, receive_buffer=None, patience=PATIENCE):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(patience)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.buffer = b""

    def send(self, *parts):
        """Sends; a server that has closed already is no failure of the sender."""
        data = b"".join(part if isinstance(part, bytes) else part.encode("latin-1") for part in parts)
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def receive(self):
        """Some more octets. Raises Ended."""
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            raise Ended("reset", self.buffer) from None
        except ssl.SSLEOFError:
            raise Ended("truncated", self.buffer) from None
        if not piece:
            raise Ended("close", self.buffer)
        self.buffer += piece

    def _until(self, mark):
        while mark not in self.buffer:
            self.receive()
        taken, self.buffer = self.buffer.split(mark, 1)
        return taken

    def _exactly(self, size):
        while len(self.buffer) < size:
            self.receive()
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def read_head(self):
        """Status line and fields of the next answer."""
        lines = self._until(b"\r\n\r\n").split(b"\r\n")
        first = STATUS_LINE.fullmatch(lines[0])
        assert first, lines[0]
        fields = []
        for line in lines[1:]:
            field = FIELD.fullmatch(line)
            assert field, line
            fields.append((field[1].decode(), field[2].decode()))
        return Response(int(first[1]), first[2].decode(), fields)

    def read_chunk(self):
        """One chunk of a chunked body; empty at its end."""
        size = int(self._until(b"\r\n"), 16)
        data = self._exactly(size)
        assert self._exactly(2) == b"\r\n"
        return data

    def read(self, head=False):
        """One whole answer. `head`: it answers HEAD. Raises Ended."""
        interim = []
        response = self.read_head()
        while response.status < 200:
            interim.append(response.status)
            response = self.read_head()
        response.interim = interim
        length = response.get("Content-Length")
        coding = response.get("Transfer-Encoding")
        assert not (length and coding), response
        if head or response.status in (204, 304):
            response.framing = "none"
            assert coding is None
            assert response.status != 204 or length is None
        elif coding:
            assert coding == "chunked"
            response.framing = "chunked"
            while True:
                data = self.read_chunk()
                response.body += data
                if not data:
                    break
        elif length is not None:
            assert length.isdigit(), length
            response.framing = "length"
            response.body = self._exactly(int(length))
        else:
            response.framing = "close"
            response.body = self.read_to_end()
        return response

    def read_to_end(self):
        """Everything until an orderly close."""
        try:
            while True:
                self.receive()
        except Ended as end:
            assert end.how == "close", end
            self.buffer = b""
            return end.rest

    def expect_close(self, patience=5.0):
        """Nothing more comes but the end of the connection."""
        self.socket.settimeout(patience)
        try:
            while True:
                self.receive()
        except Ended as end:
            assert end.rest == b"", end
            return end.how
        except TimeoutError:
            raise AssertionError(f"still open after {patience} s, {self.buffer[:200]!r}") from None

    def expect_open(self):
        """Another request is answered."""
        self.send(get("/api/health"))
        assert self.read().status in (200, 429)

    def reset(self):
        """Leaves with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def get(path, *fields, version="1.1", method="GET"):
    """A request without a body."""
    lines = [f"{method} {path} HTTP/{version}", "Host: gateway", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def post(path, body, *fields, version="1.1"):
    """A request with a body of known length."""
    if isinstance(body, str):
        body = body.encode()
    return get(path, *fields, f"Content-Length: {len(body)}", version=version, method="POST") + body


def chat_body(model="fast", **members):
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}], **members}).encode()


class Gateway:
    """A running `concurred serve` with the mock provider behind it; use it in a `with` statement.

    settings: `{"limits.header_timeout": "1s"}`; prefix: a command that starts the program, as prlimit does.
    """

    def __init__(self, folder, mock=None, settings=None, environment=None, prefix=(), flags=(), tls=None,
                 expect_exit=0):
        self.folder = Path(folder)
        self.mock = mock
        self.tls = tls
        self.prefix = list(prefix)
        self.flags = list(flags)
        self.expect_exit = expect_exit
        self.environment = {"PATH": os.environ.get("PATH", ""), **(environment or {})}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        self.settings = {"limits.drain_grace": "0s", "limits.health_per_minute": 1_000_000,
                         "limits.failed_auth_per_minute": 1_000_000, **(settings or {})}
        lines = [f"{name} = {json.dumps(value)}" for name, value in self.settings.items()]
        for name, spec in MODELS.items() if mock is not None else ():
            lines += [f"[providers.{name}]", f'base_url = "{mock.base_url}"', f'api_key = "sk-mock-{spec}"',
                      f"[models.{name}]", f'provider = "{name}"']
        (self.folder / "concurred.toml").write_text("\n".join(lines) + "\n")
        self.process = None
        self.port = self.admin_port = None

    # Life

    def start(self, listen="127.0.0.1:0"):
        """Starts it and waits until it listens."""
        self.log = open(self.folder / "log", "wb")
        self.access = open(self.folder / "access", "ab")
        command = [*self.prefix, binary(), "serve", "--listen", listen, "--admin-listen", "127.0.0.1:0", *self.flags]
        self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=self.access, stderr=self.log)

        def listening():
            assert self.process.poll() is None, self.log_text()
            return next((line for line in self.log_lines() if line["msg"] == "listening"), None)

        line = eventually(listening, "the gateway to listen")
        self.port, self.admin_port = line["port"], line["admin_port"]
        return self

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        """Its exit code."""
        return self.process.wait(patience)

    def stop(self):
        """Ends it, unless it has ended, and checks how."""
        if self.process.poll() is None:
            self.signal()
        assert self.wait() == self.expect_exit, self.log_text()
        assert not [line for line in self.log_lines() if line["level"] == "error"], self.log_text()

    def __enter__(self):
        return self.start() if self.process is None else self

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

    # Commands

    def run(self, *arguments):
        """Runs a command of the program beside the server. Returns the completed process."""
        return subprocess.run([binary(), *arguments], cwd=self.folder, env=self.environment, capture_output=True,
                              text=True, timeout=PATIENCE, check=False)

    def command(self, *arguments):
        """What a command prints; it must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def new_key(self, rate_limit=1_000_000, name="test"):
        """A key as `keys create --json` shows it: keyId, key, ..."""
        return json.loads(self.command("keys", "create", "--name", name, "--rate-limit", str(rate_limit), "--json"))

    @property
    def key(self):
        """The text of a key without a limit that matters, made once."""
        if not hasattr(self, "_key"):
            self._key = self.new_key()["key"]
        return self._key

    @property
    def authorization(self):
        return "Authorization: Bearer " + self.key

    # Requests

    def connect(self, **how):
        return Connection(self.port, tls=self.tls, **how)

    def ask(self, *request, head=False):
        """One request over a connection of its own."""
        with self.connect() as connection:
            return connection.send(*request).read(head)

    def chat(self, model="fast", *fields, **members):
        """The bytes of a chat completion."""
        return post("/api/v1/chat/completions", chat_body(model, **members), self.authorization, *fields)

    def admin(self, path):
        """Status and text of a page of the admin listener."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metrics(self):
        """Every series of /metrics and its value."""
        lines = self.admin("/metrics")[1].splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def connections(self):
        return self.metrics()["concurred_connections"]

    def upstream_requests(self):
        """How many requests the provider has seen."""
        return self.mock.ledger()["requests"]

    # What it writes and uses

    def log_text(self):
        return (self.folder / "log").read_text()

    def log_lines(self):
        text = self.log_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines() if line.startswith("{")]

    def access_lines(self):
        text = (self.folder / "access").read_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def usage(self):
        """Requests and completion tokens in the database."""
        with sqlite3.connect(self.folder / "var" / "concurred.db") as database:
            return database.execute(
                "SELECT coalesce(sum(requests), 0), coalesce(sum(completion_tokens), 0) FROM usage_daily").fetchone()

    def rss_kib(self):
        """Its resident memory."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


@pytest.fixture(scope="module")
def mock():
    with MockProvider("--keep-bodies") as running:
        yield running


def gateway_fixture(scope="module", **arguments):
    """A fixture that yields a running gateway."""

    @pytest.fixture(scope=scope)
    def fixture(tmp_path_factory, mock):
        with Gateway(tmp_path_factory.mktemp("gateway"), mock, **arguments) as running:
            yield running

    return fixture
