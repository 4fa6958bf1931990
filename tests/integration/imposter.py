"""A provider that sends exactly the bytes a test gives it."""

import socket
import threading
import time

from mock_provider import PATIENCE


def answer(body, status="200 OK", content_type="application/json", *fields):
    """A proper answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*pieces, content_type="text/event-stream"):
    """A proper answer in chunks."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class Imposter:
    """Answers every request with `script`: octets, numbers (pauses in seconds), `close` or `reset` as texts.
    A script may also be a callable that is given the connection."""

    def __init__(self, script=b"", port=0):
        self.script = script
        self.requests = []  # (head, body)
        self.accepted = 0
        self.closed_at = []  # when peers were seen to leave
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.base_url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.listener.fileno() != -1:
            self.close()

    def close(self):
        """Stops listening and breaks all connections."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            connection.settimeout(PATIENCE)
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _read(self, connection):
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                return False
            received += piece
        head, body = received.split(b"\r\n\r\n", 1)
        sizes = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
        size = int(sizes[0].split(b":")[1]) if sizes else 0
        while len(body) < size:
            body += connection.recv(65536)
        self.requests.append((head, body))
        return True

    def _serve(self, connection):
        try:
            while self._read(connection):
                if not self._play(connection):
                    return
            self.closed_at.append(time.monotonic())
        except OSError:
            self.closed_at.append(time.monotonic())
        finally:
            connection.close()

    def _play(self, connection):
        if callable(self.script):
            self.script(connection)
            return True
        for step in self.script if isinstance(self.script, (list, tuple)) else [self.script]:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif step == "close":
                return False
            elif step == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return False
            else:
                time.sleep(step)
        return True
