"""Starts the mock provider and talks to it: shared by the tests that need one."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import time

PATIENCE = 10.0  # seconds; a watchdog, not a wait


def binary():
    """Path of the program under test, or None."""
    return os.environ.get("CONCURRED_BIN")


class Answer:
    """One complete HTTP answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def events(self):
        """The data of every event, parsed; `[DONE]` stays text."""
        parts = self.body.decode().split("\n\n")
        assert parts[-1] == "", "the last event lacks its blank line"
        assert all(part.startswith("data: ") for part in parts[:-1])
        texts = [part[len("data: "):] for part in parts[:-1]]
        return [text if text == "[DONE]" else json.loads(text) for text in texts]


class MockProvider:
    """A running `concurred mock`; use it in a `with` statement."""

    def __init__(self, *flags):
        command = [binary(), "mock", "--listen", "127.0.0.1:0", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        prefix = "mock provider listening on "
        assert line.startswith(prefix) and line.endswith("/v1\n"), line
        self.base_url = line[len(prefix):].strip()
        self.port = int(self.base_url.rsplit(":", 1)[1].split("/")[0])
        self.secure = self.base_url.startswith("https")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def stop(self, signal_number=signal.SIGTERM):
        """Ends the process. Returns its exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(PATIENCE)

    def connect(self):
        """A raw connection."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        if not self.secure:
            return plain
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(plain)

    def client(self):
        """A keep-alive connection of http.client."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.sock = self.connect()
        return connection

    def call(self, method, path, body=None, headers=None, connection=None):
        """One request. Returns an Answer."""
        own = connection or self.client()
        own.request(method, path, body, headers or {})
        response = own.getresponse()
        answer = Answer(response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read())
        if connection is None:
            own.close()
        return answer

    def chat(self, spec="", connection=None, key="sk-test", header=None, **fields):
        """One chat completion, the settings in the model's name."""
        headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
        if header is not None:
            headers["x-mock"] = header
        return self.call("POST", "/v1/chat/completions", chat_body(spec, **fields), headers, connection)

    def raw(self, spec="", **fields):
        """Sends a chat completion over a new connection and returns it, unread."""
        connection = self.connect()
        connection.sendall(raw_chat(spec, **fields))
        return connection

    def ledger(self):
        return self.call("GET", "/mock/ledger").json()

    def ledger_when(self, condition):
        """Asks for the ledger until `condition(ledger)` holds."""
        deadline = time.monotonic() + PATIENCE
        while True:
            ledger = self.ledger()
            if condition(ledger):
                return ledger
            assert time.monotonic() < deadline, ledger


def chat_body(spec="", **fields):
    body = {"model": "mock-" + spec if spec else "gpt-4.1", "messages": [{"role": "user", "content": "Hello there"}]}
    body.update(fields)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def raw_chat(spec="", **fields):
    body = chat_body(spec, **fields)
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer sk-test\r\n"
    return (head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def read_all(connection):
    """Everything until the end. Returns the bytes and how it ended: `close` or `reset`."""
    received = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return received, "reset"
        if not piece:
            return received, "close"
        received += piece


def read_until(connection, mark):
    """Reads until `mark` has come."""
    received = b""
    while mark not in received:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received
