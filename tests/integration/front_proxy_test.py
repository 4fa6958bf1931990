"""H-32: behind a proxy. Both must agree on where each request ends, whatever a client sends: a request that only one of
them sees is how requests are smuggled."""

import shutil
import socket
import subprocess

import pytest

from harness import chat_body, eventually, gateway_fixture, mock, needs_binary, post  # noqa: F401
from http_client import Connection, Ended
from request_framing_test import ACCEPTED, REFUSED

pytestmark = [needs_binary, pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")]
gateway = gateway_fixture()

CHAT = "/api/v1/chat/completions"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def front(tmp_path_factory, gateway):
    """The port of an nginx that passes everything on over kept connections."""
    folder = tmp_path_factory.mktemp("nginx")
    port = free_port()
    (folder / "nginx.conf").write_text(f"""
        daemon off; worker_processes 1; pid nginx.pid; error_log nginx.err;
        events {{ worker_connections 256; }}
        http {{ access_log off; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4;
          scgi_temp_path t5; client_max_body_size 64m; underscores_in_headers on; ignore_invalid_headers off;
          upstream gateway {{ server 127.0.0.1:{gateway.port}; keepalive 4; }}
          server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://gateway; proxy_http_version 1.1;
            proxy_set_header Connection ""; proxy_request_buffering off; proxy_buffering off; }} }} }}""")
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", "nginx.conf"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)

    def listens():
        assert process.poll() is None, (folder / "nginx.err").read_text()
        try:
            Connection(port).close()
            return True
        except ConnectionRefusedError:
            return False

    eventually(listens, "nginx")
    yield port
    process.terminate()
    process.wait(10)


def answer(port, request):
    """The status of the proxy's answer to these bytes; None when it waits for more or hangs up."""
    with Connection(port, patience=1.0) as connection:
        connection.send(request)
        try:
            return connection.read().status
        except (Ended, TimeoutError):
            return None


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_proxy_makes_of_a_bad_request_is_one_request_or_none(gateway, front, case):
    request, _ = REFUSED[case]
    before = gateway.upstream_requests()
    status = answer(front, request.replace(b"AUTH", gateway.authorization.encode(), 1))
    # The next request on the same kept connection is answered as itself, not with somebody else's rest.
    with Connection(front) as connection:
        reply = connection.send(post(CHAT, chat_body(max_tokens=1), gateway.authorization)).read()
    assert reply.status == 200 and reply.json()["usage"]["completion_tokens"] == 1
    assert gateway.upstream_requests() - before == 1 + (status == 200 and b"/chat/" in request)


@pytest.mark.parametrize("case", ["length", "chunked", "chunked-one-octet", "chunked-extension", "chunked-trailer"])
def test_a_legal_request_is_served_through_a_proxy(gateway, front, case):
    before = gateway.upstream_requests()
    assert answer(front, ACCEPTED[case].replace(b"AUTH", gateway.authorization.encode(), 1)) == 200
    assert gateway.upstream_requests() == before + 1
