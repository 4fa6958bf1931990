"""Every route with every kind of credential: what may pass is written down here, everything else must not."""

import json

import pytest

import sessions
from harness import gateway_fixture, get, mock, needs_binary  # noqa: F401
from sessions import BOB, signed_in

pytestmark = needs_binary
gateway = gateway_fixture(settings={**sessions.SETTINGS, "session.rate_limit": 1_000_000})

CHAT = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}

# Which of "key", "session" and "none" a route takes.
ROUTES = [
    ("GET", "/api/health", None, {"none", "key", "session"}),
    ("GET", "/", None, {"none", "key", "session"}),
    ("POST", "/api/v1/chat/completions", CHAT, {"key"}),
    ("GET", "/api/v1/models", None, {"key"}),
    ("GET", "/api/v1/models/fast", None, {"key"}),
    ("GET", "/api/v1/usage", None, {"key", "session"}),
    ("GET", "/api/v1/keys", None, {"session"}),
    ("POST", "/api/v1/keys", {"name": "x"}, {"session"}),
    ("PATCH", "/api/v1/keys/key_1", {"name": "x"}, {"session"}),
    ("DELETE", "/api/v1/keys/key_1", None, {"session"}),
    ("POST", "/api/v1/keys/key_1/rotate", {"graceSeconds": 1}, {"session"}),
]


@pytest.fixture(scope="module")
def credentials(gateway):
    """Header lines by kind, and what each is worth: "key", "session", or "none" where it must not count."""
    revoked, disabled = gateway.new_key(), gateway.new_key()
    gateway.command("keys", "revoke", "--yes", revoked["keyId"])
    gateway.command("keys", "update", disabled["keyId"], "--disable")
    good = "Authorization: Bearer " + gateway.key
    wrong = "Authorization: Bearer ck_" + "A" * 32
    return {
        "none": ([], "none"),
        "a key": ([good], "key"),
        "a key in its own header": (["X-API-Key: " + gateway.key], "key"),
        "a session": ([signed_in(BOB)], "session"),
        "an unknown key": ([wrong], "bad"),
        "a revoked key": (["Authorization: Bearer " + revoked["key"]], "bad"),
        "a disabled key": (["X-API-Key: " + disabled["key"]], "bad"),
        "something that is no key": (["Authorization: Bearer sk-0123456789012345678901234567890123"], "bad"),
        "a key by another scheme": (["Authorization: Basic " + gateway.key], "bad"),
        "a token as a key": (["Authorization: Bearer " + sessions.hs256(sessions.claims())], "bad"),
        "an expired session": ([signed_in(BOB, exp=1)], "bad"),
        "a session of nobody": ([signed_in(BOB, role="anon")], "bad"),
        "a session by another secret": ([sessions.cookie(sessions.hs256(sessions.claims(), "x" * 40))], "bad"),
        "an unknown key and a session": ([wrong, signed_in(BOB)], "bad"),
        "a key and a session": ([good, signed_in(BOB)], "key"),
        "a key and an expired session": ([good, signed_in(BOB, exp=1)], "key"),
        "two different keys": ([good, "X-API-Key: ck_" + "A" * 32], "two"),
    }


@pytest.mark.parametrize("method, path, body, takes", ROUTES, ids=[f"{one[0]} {one[1]}" for one in ROUTES])
def test_a_route_takes_what_it_says_and_nothing_else(gateway, credentials, method, path, body, takes):
    for kind, (lines, worth) in credentials.items():
        text = json.dumps(body).encode() if body is not None else b""
        more = ["Content-Type: application/json", f"Content-Length: {len(text)}"] if text else []
        answer = gateway.ask(get(path, *lines, *more, method=method) + text)
        if "none" in takes or worth in takes:
            assert answer.status in (200, 201, 404), (kind, answer)  # 404: the id is nobody's
        elif worth == "two" and "key" in takes:
            assert answer.status == 400, (kind, answer)
        else:
            assert answer.status == 401, (kind, answer)
            assert answer.error()["code"] in ("UNAUTHORIZED", "INVALID_API_KEY")
            assert answer.get("WWW-Authenticate")
