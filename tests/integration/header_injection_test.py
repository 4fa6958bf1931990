"""H-27, H-28, H-30: what a client says of connections stays here, and what it says of itself never becomes a line of a
head, towards the provider or back."""

import pytest

from harness import chat_body, gateway_fixture, get, mock, needs_binary, post  # noqa: F401

pytestmark = needs_binary
gateway = gateway_fixture()

CHAT = "/api/v1/chat/completions"


def seen_by_the_provider(gateway):
    """The head of its last request, in small letters."""
    answer = gateway.mock.call("GET", "/mock/requests/last")
    return answer.body[:int(answer.headers["x-mock-head-length"])].lower()


@pytest.mark.parametrize("named", ["Authorization", "authorization, X-Secret", "Content-Length", "Host", "close, Authorization",
                                   "Content-Type"])
def test_a_connection_field_cannot_strip_ours(gateway, named):
    answer = gateway.ask(post(CHAT, chat_body(), gateway.authorization, f"Connection: {named}", "X-Secret: mine"))
    assert answer.status == 200
    head = seen_by_the_provider(gateway)
    assert b"\r\nauthorization: bearer sk-mock-" in head
    assert b"\r\nhost: " in head and b"\r\ncontent-length: " in head
    assert b"x-secret" not in head and b"\r\nconnection: " not in head.replace(b"\r\nconnection: keep-alive", b"")


@pytest.mark.parametrize("line", ["TE: trailers", "Keep-Alive: timeout=5", "Proxy-Authorization: Basic eDp5", "Proxy-Connection: x",
                                  "Upgrade: h2c", "Trailer: X-A", "Cookie: a=b", "X-Forwarded-For: 10.0.0.1", "Forwarded: for=x",
                                  "OpenAI-Organization: org-theirs", "X-Stainless-Lang: js"])
def test_fields_of_the_clients_hop_do_not_go_upstream(gateway, line):
    assert gateway.ask(post(CHAT, chat_body(), gateway.authorization, line)).status == 200
    head = seen_by_the_provider(gateway)
    assert (b"\r\n" + line.split(":")[0].lower().encode() + b":") not in head


INJECTIONS = ["x\\r\\nSet-Cookie: a=b", "x\\nSet-Cookie: a=b", "x%0d%0aSet-Cookie:a=b", "x\\u000d\\u000aSet-Cookie: a=b",
              "\\u2028x", "x\\u0000y"]


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_model_is_no_way_into_a_head(gateway, value):
    body = b'{"model":"%s","messages":[{"role":"user","content":"x"}]}' % value.encode()
    answer = gateway.ask(post(CHAT, body, gateway.authorization))
    assert answer.status == 400
    assert answer.get("Set-Cookie") is None
    assert all("\r" not in text and "\n" not in text for _, text in answer.fields)


@pytest.mark.parametrize("value", ["a b", "<script>", "x" * 4000, "a%0d%0ab", "\xe9"])
def test_a_request_id_of_the_client_is_not_ours(gateway, value):
    answer = gateway.ask(get("/api/health", f"X-Request-ID: {value}"))
    assert answer.status == 200
    assert answer.get("X-Request-ID") != value
    assert len(answer.all("X-Request-ID")) == 1


def test_a_model_in_the_path_is_no_way_into_a_head(gateway):
    answer = gateway.ask(get("/api/v1/models/x%0d%0aSet-Cookie:a=b", gateway.authorization))
    assert answer.status in (400, 404)
    assert answer.get("Set-Cookie") is None
