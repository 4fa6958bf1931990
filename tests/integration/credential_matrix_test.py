"""Every route with every kind of credential: what may pass is written down here, everything else must not."""

import base64
import json
import os

import pytest

import sessions
from harness import gateway_fixture, get, mock, needs_binary  # noqa: F401
from routes import declared
from sessions import BOB, signed_in

pytestmark = needs_binary
gateway = gateway_fixture(settings={**sessions.SETTINGS, "session.rate_limit": 1_000_000, "limits.keys_per_owner": 1000,
                                    "secrets.master_key": base64.b64encode(os.urandom(32)).decode()})

TURN = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}
ANYBODY, BY_KEY, BY_SESSION, EITHER = "open", "key", "session", "either"

# Method and path as the router has them, what is asked, the body, who may, and what they get. 404: the id is nobody's. 400: what is
# asked for is not there, which only those are told who may ask.
ROUTES = [
    ("POST", "/api/v1/chat/completions", "", TURN, BY_KEY, 200),
    ("POST", "/api/v1/messages", "", {**TURN, "max_tokens": 9}, BY_KEY, 200),
    ("POST", "/api/v1/messages/count_tokens", "", TURN, BY_KEY, 400),
    ("POST", "/api/v1/embeddings", "", {"model": "fast", "input": "x"}, BY_KEY, 200),
    ("POST", "/api/v1/responses", "", {"model": "fast", "input": "x"}, BY_KEY, 200),
    ("GET", "/api/v1/models", "", None, BY_KEY, 200),
    ("GET", "/api/v1/models/:id", "fast", None, BY_KEY, 200),
    ("GET", "/api/v1/usage", "", None, EITHER, 200),
    ("GET", "/api/v1/usage/explain", "?id=01890000-0000-7000-8000-000000000000", None, EITHER, 404),
    ("GET", "/api/health?verbose=1", "", None, EITHER, 200),
    ("POST", "/api/v1/keys", "", {"name": "x"}, BY_SESSION, 201),
    ("GET", "/api/v1/keys", "", None, BY_SESSION, 200),
    ("PATCH", "/api/v1/keys/:id", "key_1", {"name": "x"}, BY_SESSION, 404),
    ("DELETE", "/api/v1/keys/:id", "key_1", None, BY_SESSION, 404),
    ("POST", "/api/v1/keys/:id/rotate", "key_1", {"graceSeconds": 1}, BY_SESSION, 404),
    ("POST", "/api/v1/provider-keys", "", {"provider": "openai"}, BY_SESSION, 400),
    ("GET", "/api/v1/provider-keys", "", None, BY_SESSION, 200),
    ("DELETE", "/api/v1/provider-keys/:id", "pk_1", None, BY_SESSION, 404),
    ("POST", "/api/v1/provider-keys/:id/test", "pk_1", None, BY_SESSION, 404),
    ("GET", "/login", "?code=x", None, ANYBODY, 404),
    ("GET", "/api/health", "", None, ANYBODY, 200),
    ("GET", "/", "", None, ANYBODY, 200),
]
OPENS = {"key": {BY_KEY, EITHER}, "session": {BY_SESSION, EITHER}, "nothing": set()}


def test_no_route_is_missing_in_the_table():
    assert sorted((route[0], route[1]) for route in ROUTES) == sorted(declared())


@pytest.fixture(scope="module")
def credentials(gateway):
    """Header lines by kind, and what each is worth: "key", "session", "nothing", or "two" that contradict each other."""
    revoked, disabled = gateway.new_key(), gateway.new_key()
    gateway.command("keys", "revoke", "--yes", revoked["keyId"])
    gateway.command("keys", "update", disabled["keyId"], "--disable")
    good = "Authorization: Bearer " + gateway.key
    wrong = "Authorization: Bearer ck_" + "A" * 32
    return {
        "none": ([], "nothing"),
        "a key": ([good], "key"),
        "a key in its own header": (["X-API-Key: " + gateway.key], "key"),
        "a key in both headers": ([good, "X-API-Key: " + gateway.key], "key"),
        "a session": ([signed_in(BOB)], "session"),
        "an unknown key": ([wrong], "nothing"),
        "a revoked key": (["Authorization: Bearer " + revoked["key"]], "nothing"),
        "a disabled key": (["X-API-Key: " + disabled["key"]], "nothing"),
        "something that is no key": (["Authorization: Bearer sk-0123456789012345678901234567890123"], "nothing"),
        "a key by another scheme": (["Authorization: Basic " + gateway.key], "nothing"),
        "a name and a password": (["Authorization: Basic YTpi"], "nothing"),
        "a token as a key": (["Authorization: Bearer " + sessions.hs256(sessions.claims())], "nothing"),
        "an expired session": ([signed_in(BOB, exp=1)], "nothing"),
        "a session of nobody": ([signed_in(BOB, role="anon")], "nothing"),
        "a session by another secret": ([sessions.cookie(sessions.hs256(sessions.claims(), "x" * 40))], "nothing"),
        "an unknown key and a session": ([wrong, signed_in(BOB)], "nothing"),
        "a key and a session": ([good, signed_in(BOB)], "key"),
        "a key and an expired session": ([good, signed_in(BOB, exp=1)], "key"),
        "two different keys": ([good, "X-API-Key: ck_" + "A" * 32], "two"),
        "two different keys and a session": ([good, "X-API-Key: ck_" + "A" * 32, signed_in(BOB)], "two"),
    }


def send(gateway, method, target, body, *lines):
    text = json.dumps(body).encode() if body is not None else b""
    more = ["Content-Type: application/json", f"Content-Length: {len(text)}"] if text else []
    return gateway.ask(get(target, *lines, *more, method=method) + text)


@pytest.mark.parametrize("method, path, asked, body, access, status", ROUTES, ids=[f"{one[0]} {one[1]}" for one in ROUTES])
def test_a_route_takes_what_it_says_and_nothing_else(gateway, credentials, method, path, asked, body, access, status):
    target = path.replace(":id", asked) if ":id" in path else path + asked
    for kind, (lines, worth) in credentials.items():
        answer = send(gateway, method, target, body, *lines)
        if access == ANYBODY or access in OPENS.get(worth, ()):
            assert answer.status == status, (kind, answer)
        elif worth == "two" and access in (BY_KEY, EITHER):
            assert answer.status == 400, (kind, answer)
        else:
            assert answer.status == 401, (kind, answer)
            assert answer.json()["error"]["type"] == "authentication_error"
            assert answer.get("WWW-Authenticate")
