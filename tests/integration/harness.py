"""A gateway in front of the mock provider: shared by the tests of the client side."""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from http_client import PATIENCE, Connection, Ended, Response, chat_body, get, post  # noqa: F401
from mock_provider import MockProvider, binary

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
        # One attempt for each request, and no provider is closed off: tests of routing have settings of their own.
        self.settings = {"routing.retries": 0, "routing.breaker_failures": 0, "limits.drain_grace": "0s", "limits.health_per_minute": 1_000_000,
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


def events(connection):
    """The data of a stream's events, until its proper end."""
    body = b""
    while data := connection.read_chunk():
        body += data
    return [part[6:] for part in body.decode().split("\n\n") if part.startswith("data: ")]


def begin_stream(gateway, model="slow"):
    """A stream of which the first event has come."""
    connection = gateway.connect()
    connection.send(gateway.chat(model, stream=True))
    assert connection.read_head().status == 200
    assert b"data: " in connection.read_chunk()
    return connection


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
