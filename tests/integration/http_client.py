"""A client that reads HTTP strictly, over raw connections."""

import json
import re
import socket
import ssl

PATIENCE = 20.0  # seconds; a watchdog, not a wait


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
