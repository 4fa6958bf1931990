"""Two users and every route that takes an id: nothing of the other's is readable, changeable or distinguishable from what does not
exist. With keys in each of the places where they can be."""

import base64
import json
import os

import pytest

import sessions
from harness import Gateway, eventually, get, mock, needs_binary  # noqa: F401
from postgres_server import Postgres, needs_postgres
from routes import declared
from sessions import ANN, BOB, signed_in
from unkey_rig import UnkeyStub

pytestmark = needs_binary

SETTINGS = {**sessions.SETTINGS, "session.rate_limit": 1_000_000, "server.shards": 1, "storage.flush_interval": "10ms",
            "secrets.master_key": base64.b64encode(os.urandom(32)).decode(), "providers.openai.api_key": "sk-platform-0123456789"}
NOBODYS = {"key": "key_0000000000000000", "provider key": "pk_" + "0" * 20, "request": "01890000-0000-7000-8000-000000000000",
           "slug": "nobodys"}

# Method and path as the router has them, whose id it is, body. A query begins at the "?".
ROUTES = [
    ("PATCH", "/api/v1/keys/:id", "key", {"enabled": False}),
    ("PATCH", "/api/v1/keys/:id", "key", {"name": "mine now", "rateLimit": 1}),
    ("DELETE", "/api/v1/keys/:id", "key", None),
    ("POST", "/api/v1/keys/:id/rotate", "key", {"graceSeconds": 0}),
    ("DELETE", "/api/v1/provider-keys/:id", "provider key", None),
    ("POST", "/api/v1/provider-keys/:id/test", "provider key", None),
    ("GET", "/api/v1/usage?keyId=:id", "key", None),
    ("GET", "/api/v1/usage?groupBy=key&interval=day&keyId=:id", "key", None),
    ("GET", "/api/v1/usage/explain?id=:id", "request", None),
]
PUBLIC = {"/api/v1/models/:id"}  # models are nobody's


def test_no_route_with_an_id_is_missing_in_the_table():
    listed = {(method, path) for method, path, _, _ in ROUTES if "?" not in path}
    assert listed == {(method, path) for method, path in declared() if ":id" in path and path not in PUBLIC}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=needs_postgres), "unkey"])
def gateway(request, tmp_path_factory, mock):
    folder = tmp_path_factory.mktemp("gateway")
    settings = {**SETTINGS, "providers.openai.base_url": mock.base_url}
    if request.param == "sqlite":
        with Gateway(folder, mock, settings) as running:
            yield running
    elif request.param == "postgres":
        with Postgres(tmp_path_factory.mktemp("postgres")) as database, \
                Gateway(folder, mock, {**settings, "postgres.url": database.url}) as running:
            yield running
    else:
        with UnkeyStub() as stub, Gateway(folder, mock, {**settings, **stub.settings()}) as running:
            yield running


def send(gateway, method, path, body, *lines):
    text = json.dumps(body).encode() if body is not None else b""
    more = ["Content-Type: application/json", f"Content-Length: {len(text)}"] if text else []
    return gateway.ask(get(path, *lines, *more, method=method) + text)


def made(gateway, path, user, **body):
    answer = send(gateway, "POST", path, body, signed_in(user))
    assert answer.status == 201, answer
    return answer.json()["data"]


class Belongings:
    """What a user has: a key, a provider key, a request that was made."""

    def __init__(self, gateway, user):
        self.gateway, self.user = gateway, user
        key = made(gateway, "/api/v1/keys", user, name="mine", rateLimit=100_000)
        self.authorization = "Authorization: Bearer " + key["key"]
        answer = send(gateway, "POST", "/api/v1/chat/completions",
                      {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}, self.authorization)
        assert answer.status == 200, answer
        provider_key = made(gateway, "/api/v1/provider-keys", user, provider="openai", slug="of-" + user, apiKey="sk-mine-0123456789")
        self.ids = {"key": key["keyId"], "provider key": provider_key["id"], "request": answer.get("X-Request-ID"),
                    "slug": "of-" + user}
        eventually(lambda: self.ask("/api/v1/usage/explain?id=" + self.ids["request"]).status == 200, "the request's record")

    def ask(self, path):
        return self.gateway.ask(get(path, signed_in(self.user)))

    def state(self):
        """Everything that the user can see of it, but for what the looking changes."""
        keys = self.ask("/api/v1/keys").json()["data"]
        for key in keys:
            key.pop("lastUsedAt")
        return [keys, self.ask("/api/v1/provider-keys").json(), self.ask("/api/v1/usage").json(),
                self.ask("/api/v1/usage/explain?id=" + self.ids["request"]).json()]


@pytest.fixture(scope="module")
def ann(gateway):
    return Belongings(gateway, ANN)


@pytest.fixture(scope="module")
def bob(gateway):
    return Belongings(gateway, BOB)


def seen(answer, identifier):
    """All that an answer tells, but for what differs from answer to answer in any case."""
    varies = {"date", "x-request-id", "server-timing", "x-concurred-key-age"}
    varies |= {name.lower() for name, _ in answer.fields if "ratelimit" in name.lower()}
    fields = sorted((name.lower(), value) for name, value in answer.fields if name.lower() not in varies)
    return answer.status, fields, answer.body.decode().replace(identifier, "ID")


def credentials(path, user):
    """The kinds of credentials that the route takes."""
    return [signed_in(user.user)] + ([user.authorization] if path.startswith("/api/v1/usage") else [])


@pytest.mark.parametrize("method, path, kind, body", ROUTES)
def test_what_is_anothers_is_as_what_is_not_there(ann, bob, gateway, method, path, kind, body):
    for owner, other in ((ann, bob), (bob, ann)):
        before = owner.state()
        for line in credentials(path, other):
            foreign, missing = (send(gateway, method, path.replace(":id", identifier), body, line)
                                for identifier in (owner.ids[kind], NOBODYS[kind]))
            assert seen(foreign, owner.ids[kind]) == seen(missing, NOBODYS[kind])
            if kind != "key" or method != "GET":
                assert foreign.status == 404
            if method != "GET":
                odd = send(gateway, method, path.replace(":id", "..%20"), body, line)
                assert seen(odd, "..%20") == seen(missing, NOBODYS[kind])
        assert owner.state() == before
    # And it was there: its owner gets at it by the same words. (Not by those that would end it.)
    if method == "GET" or path.endswith("/test"):
        own, missing = (send(gateway, method, path.replace(":id", identifier), body, signed_in(ann.user))
                        for identifier in (ann.ids[kind], NOBODYS[kind]))
        assert seen(own, ann.ids[kind]) != seen(missing, NOBODYS[kind])


def test_lists_and_reports_hold_nothing_of_the_other(ann, bob, gateway):
    for owner, other in ((ann, bob), (bob, ann)):
        for path in ("/api/v1/keys", "/api/v1/provider-keys", "/api/v1/usage?groupBy=key&interval=day"):
            text = gateway.ask(get(path, signed_in(other.user))).body.decode()
            for identifier in owner.ids.values():
                assert identifier not in text


def test_a_slug_of_the_other_is_as_one_that_is_not_there(ann, bob, gateway):
    for owner, other in ((ann, bob), (bob, ann)):
        foreign, missing = (send(gateway, "POST", "/api/v1/chat/completions",
                                 {"model": "openai/m", "messages": [{"role": "user", "content": "Hello"}]},
                                 other.authorization, "X-Provider-Key: " + slug)
                            for slug in (owner.ids["slug"], NOBODYS["slug"]))
        assert foreign.status == 400
        assert seen(foreign, owner.ids["slug"]) == seen(missing, NOBODYS["slug"])
