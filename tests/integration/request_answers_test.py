"""What a connection answers besides the result: 100 Continue, answers without a body, refusals before the body was read."""

import socket
import time

import pytest

from harness import Ended, chat_body, gateway_fixture, get, mock, needs_binary, post  # noqa: F401

pytestmark = needs_binary
gateway = gateway_fixture()

CHAT = "/api/v1/chat/completions"
BODY = chat_body()
TAIL = get("/api/health")
WHOLE = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)  # the body as one chunk


# H-23: Expect


def expecting(credential, length=f"Content-Length: {len(BODY)}", expectation="100-continue"):
    """The head of a completion whose body waits for leave."""
    return get(CHAT, credential, length, "Expect: " + expectation, method="POST")


def test_continue_is_sent_when_the_body_is_wanted(gateway):
    with gateway.connect() as connection:
        connection.send(expecting(gateway.authorization))
        assert connection.read_head().status == 100
        assert connection.buffer == b""
        connection.send(BODY)
        assert connection.read().status == 200
        connection.expect_open()


def test_continue_is_sent_once_for_a_chunked_body(gateway):
    with gateway.connect() as connection:
        connection.send(expecting(gateway.authorization, "Transfer-Encoding: chunked", "100-Continue"))
        assert connection.read_head().status == 100
        for i in range(0, len(WHOLE), 7):
            connection.send(WHOLE[i:i + 7])
        answer = connection.read()
        assert answer.status == 200 and answer.interim == []


@pytest.mark.parametrize("credential", ["Authorization: Bearer ck_" + "x" * 32, "X-Nothing: here"])
def test_a_bad_key_gets_no_continue_but_401_and_the_end(gateway, credential):
    with gateway.connect() as connection:
        connection.send(expecting(credential))
        answer = connection.read()
        assert answer.status == 401 and answer.interim == [] and answer.closes
        connection.expect_close()


def test_a_body_that_is_too_large_gets_no_continue(gateway):
    with gateway.connect() as connection:
        connection.send(expecting(gateway.authorization, "Content-Length: 100000000"))
        answer = connection.read()
        assert answer.status == 413 and answer.interim == [] and answer.closes
        connection.expect_close()


def test_a_client_that_does_not_wait_needs_no_continue(gateway):
    answer = gateway.ask(expecting(gateway.authorization), BODY)
    assert answer.status == 200


def test_http_1_0_gets_no_continue(gateway):
    request = post(CHAT, BODY, gateway.authorization, "Expect: 100-continue", version="1.0")
    answer = gateway.ask(request)
    assert answer.status == 200 and answer.interim == []


# H-31: answers without a body


def test_head_has_the_fields_of_get_and_no_body(gateway):
    with gateway.connect() as connection:
        connection.send(get("/api/v1/models", gateway.authorization), get("/api/v1/models", gateway.authorization, method="HEAD"),
                        get("/api/health"))
        full = connection.read()
        bare = connection.read(head=True)
        assert bare.status == 200
        assert bare.get("Content-Length") == str(len(full.body)) == full.get("Content-Length")
        assert bare.get("Content-Type") == full.get("Content-Type")
        assert connection.read().status == 200


def test_head_consumes_the_body_of_its_request(gateway):
    body = get("/nothing")
    with gateway.connect() as connection:
        connection.send(get("/api/health", f"Content-Length: {len(body)}", method="HEAD"), body, get("/api/health"))
        assert connection.read(head=True).status == 200
        assert connection.read().status == 200


@pytest.mark.parametrize("path, allowed", [("/api/v1/models", "GET, HEAD, OPTIONS"), (CHAT, "POST, OPTIONS"),
                                           ("/api/health", "GET, HEAD, OPTIONS"), ("/api/v1/models/x", "GET, HEAD, OPTIONS")])
def test_options_names_the_methods(gateway, path, allowed):
    body = get("/nothing")
    with gateway.connect() as connection:
        connection.send(get(path, method="OPTIONS"), get(path, f"Content-Length: {len(body)}", method="OPTIONS"), body,
                        get("/api/health"))
        for _ in range(2):
            answer = connection.read()
            assert answer.status == 204 and answer.get("Allow") == allowed
            assert answer.get("Content-Length") is None and answer.get("Transfer-Encoding") is None
        assert connection.read().status == 200


def test_options_of_the_server(gateway):
    answer = gateway.ask(get("*", method="OPTIONS"))
    assert answer.status == 204
    assert sorted(answer.get("Allow").split(", ")) == ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST"]


@pytest.mark.parametrize("method, path, allowed", [
    ("DELETE", "/api/v1/models", "GET, HEAD, OPTIONS"), ("GET", CHAT, "POST, OPTIONS"), ("HEAD", CHAT, "POST, OPTIONS"),
    ("TRACE", "/api/health", "GET, HEAD, OPTIONS"), ("PUT", CHAT, "POST, OPTIONS"), ("PATCH", "/api/health", "GET, HEAD, OPTIONS")])
def test_a_method_that_a_path_lacks_is_405_with_allow(gateway, method, path, allowed):
    with gateway.connect() as connection:
        connection.send(get(path, gateway.authorization, method=method))
        answer = connection.read(head=method == "HEAD")
        assert answer.status == 405 and answer.get("Allow") == allowed
        if method != "HEAD":
            assert answer.error()["code"] == "METHOD_NOT_ALLOWED"
            assert gateway.key.encode() not in answer.body
        connection.expect_open()


@pytest.mark.parametrize("method", ["get", "Get", "BREW", "M-SEARCHX", "POSTX"])
def test_a_method_that_nobody_knows_is_501(gateway, method):
    with gateway.connect() as connection:
        connection.send(get("/api/health", method=method))
        answer = connection.read()
        assert answer.status == 501 and answer.error()["code"] == "NOT_IMPLEMENTED"


def test_an_unknown_path_is_404_in_our_error_body(gateway):
    answer = gateway.ask(get("/nothing"))
    assert answer.status == 404 and answer.error()["code"] == "NOT_FOUND"
    assert answer.get("X-Request-ID") and answer.get("Server-Timing") and answer.get("Date")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/v1"])
def test_a_path_without_api_gets_a_hint(gateway, path):
    answer = gateway.ask(post(path, BODY, gateway.authorization))
    assert answer.status == 404 and "/api/v1" in answer.error()["message"]


# H-22: answers that come before the body was read


OTHER = "ck_" + "A" * 32


def early(gateway, kind):
    return {
        "401": (CHAT, "Authorization: Bearer " + OTHER, 401),
        "401-without-key": (CHAT, "X-Nothing: here", 401),
        "404": ("/nothing", gateway.authorization, 404),
        "405": ("/api/v1/models", gateway.authorization, 405),
    }[kind]


@pytest.mark.parametrize("kind", ["401", "401-without-key", "404", "405"])
@pytest.mark.parametrize("size", [10, 5_000, 60_000])
@pytest.mark.parametrize("together", [True, False])
def test_a_small_body_nobody_wants_is_dropped_and_the_next_request_served(gateway, kind, size, together):
    path, credential, status = early(gateway, kind)
    body = (get("/nothing") * (size // 10))[:size]
    request = post(path, body, credential)
    with gateway.connect() as connection:
        if together:
            connection.send(request, TAIL)
            assert connection.read().status == status
        else:
            connection.send(request[:-len(body)])
            answer = connection.read()
            assert answer.status == status and not answer.closes
            connection.send(body, TAIL)
        assert connection.read().status == 200


@pytest.mark.parametrize("kind", ["401", "404", "405"])
def test_a_large_body_nobody_wants_ends_the_connection(gateway, kind):
    path, credential, status = early(gateway, kind)
    with gateway.connect() as connection:
        connection.send(post(path, b"x" * 300_000, credential), TAIL)
        answer = connection.read()
        assert answer.status == status and answer.closes
        connection.expect_close()


def test_a_chunked_body_nobody_wants_ends_the_connection(gateway):
    with gateway.connect() as connection:
        connection.send(get(CHAT, "Transfer-Encoding: chunked", method="POST"), WHOLE, TAIL)
        answer = connection.read()
        assert answer.status == 401 and answer.closes
        connection.expect_close()


def test_a_promised_body_that_never_comes_does_not_hold_the_connection(gateway):
    with gateway.connect() as connection:
        connection.send(post("/nothing", b"x" * 100)[:-50])
        assert connection.read().status == 404
        start = time.monotonic()
        connection.expect_close()
        assert time.monotonic() - start < 4


# H-20: no tunnels


@pytest.mark.parametrize("upgrade", ["h2c", "websocket", "foo"])
def test_an_upgrade_is_not_taken_and_what_follows_is_a_request(gateway, upgrade):
    with gateway.connect() as connection:
        connection.send(get("/api/health", "Connection: Upgrade", "Upgrade: " + upgrade), get("/nothing"))
        answer = connection.read()
        assert answer.status == 200 and answer.get("Upgrade") is None
        assert connection.read().status == 404


# L-12, L-13


def test_a_client_that_leaves_in_the_middle_of_a_request_is_forgotten(gateway):
    request = gateway.chat()
    before = gateway.upstream_requests()
    for cut in (1, 10, 60, len(request) - 1):
        with gateway.connect() as connection:
            connection.send(request[:cut])
        connection = gateway.connect()
        connection.send(request[:cut])
        connection.reset()
    with gateway.connect() as connection:
        connection.send(get("/api/health", "Content-Length: 5"), b"12")
        connection.socket.shutdown(socket.SHUT_WR)
        try:
            assert connection.read().status == 200
        except Ended:
            pass
    assert gateway.upstream_requests() == before


def test_a_half_closed_client_still_gets_a_quick_answer(gateway):
    with gateway.connect() as connection:
        connection.send(get("/api/v1/models", gateway.authorization))
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.read().status == 200
        connection.expect_close()
