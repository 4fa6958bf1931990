"""Requests that are sent with their owner's provider keys, through everything that chooses and repeats: the platform's key
never pays for what an owner's cannot. In every dialect and on every endpoint."""

import base64
import itertools
import json
import os
import sqlite3

import pytest

import sessions
from fault_provider import FaultProvider
from harness import Gateway, eventually, get, needs_binary, post
from imposter import Imposter, answer
from sessions import ANN, signed_in

pytestmark = needs_binary

PROVIDERS = ("openai", "anthropic", "google", "x-ai")
SETTINGS = {**sessions.SETTINGS, "session.rate_limit": 1_000_000, "server.shards": 1, "routing.backoff": "1ms",
            "storage.flush_interval": "10ms", "secrets.master_key": base64.b64encode(os.urandom(32)).decode()}
numbers = itertools.count(1)


def base_url(address, provider):
    return address + {"anthropic": "", "google": "/v1beta"}.get(provider, "/v1")


class Rig:
    """A gateway with a provider of each dialect behind it, for whom the platform has keys, and an owner, Ann."""

    def __init__(self, folder, address, **settings):
        own = {}
        for name in PROVIDERS:
            own |= {f"providers.{name}.base_url": base_url(address, name), f"providers.{name}.api_key": f"sk-platform-{name}"}
        self.gateway = Gateway(folder, settings={**SETTINGS, **own, **settings})

    def __enter__(self):
        self.gateway.start()
        made = self.gateway.command("keys", "create", "--name", "t", "--owner", ANN, "--rate-limit", "1000000", "--json")
        self.authorization = "Authorization: Bearer " + json.loads(made)["key"]
        return self

    def __exit__(self, *what):
        self.gateway.__exit__(*what)

    def bring(self, *providers):
        """From now on Ann has keys for these providers, and for no other."""
        for row in self.gateway.ask(get("/api/v1/provider-keys", signed_in())).json()["data"]:
            self.gateway.ask(get("/api/v1/provider-keys/" + row["id"], signed_in(), method="DELETE"))
        for name in providers:
            body = json.dumps({"provider": name, "slug": "my-" + name, "apiKey": "sk-mine-" + name})
            made = self.gateway.ask(post("/api/v1/provider-keys", body, "Content-Type: application/json", signed_in()))
            assert made.status == 201

    def post(self, path, *fields, **body):
        return self.gateway.ask(post(path, json.dumps(body), self.authorization, *fields))

    def chat(self, model, **body):
        return self.post("/api/v1/chat/completions", model=model, messages=[{"role": "user", "content": "Hello"}], **body)


@pytest.fixture(scope="module")
def provider():
    with FaultProvider() as running:
        yield running


@pytest.fixture(scope="module")
def rig(tmp_path_factory, provider):
    with Rig(tmp_path_factory.mktemp("gateway"), provider.address) as running:
        yield running


def model(provider, fault="good"):
    """A model that no other test asks for."""
    return f"{provider}/{fault}.{next(numbers)}"


def keys(provider, name):
    """The keys that requests for a model came with."""
    return provider.keys.get(name.split("/", 1)[1], [])


# What an owner's key cannot pay for

REFUSALS = [(name, fault) for fault in ("status-401", "status-403", "status-429") for name in ("openai", "anthropic", "google")]
REFUSALS += [("openai", "status-429-quota")]  # the others have no such word


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name, fault", REFUSALS)
def test_a_fallback_is_not_paid_by_the_platform_when_the_owner_s_key_is_refused(rig, provider, name, fault, stream):
    rig.bring(name)
    first, second = model(name, fault), model("x-ai")
    got = rig.chat(first, fallback=[second], retries=1, stream=stream)
    assert got.status == (429 if "429" in fault else 401)
    assert f"'my-{name}'" in got.error()["message"] and "sk-" not in got.body.decode()
    assert set(keys(provider, first)) == {"sk-mine-" + name}
    assert keys(provider, second) == []
    assert got.get("X-Concurred-Fallback") is None


def test_a_fallback_that_the_owner_has_a_key_for_is_asked_when_the_first_is_over_its_limit(rig, provider):
    rig.bring("openai", "anthropic")
    first, passed_over, second = model("openai", "status-429"), model("x-ai"), model("anthropic")
    got = rig.chat(first, fallback=[passed_over, second], retries=0)
    assert got.status == 200 and got.get("X-Concurred-Fallback") == f"{first};rate_limited"
    assert keys(provider, first) == ["sk-mine-openai"] and keys(provider, second) == ["sk-mine-anthropic"]
    assert keys(provider, passed_over) == []


@pytest.mark.parametrize("fault", ["status-500", "reset-first", "status-503"])
def test_a_provider_that_fails_is_no_fault_of_the_key_and_the_fallback_that_was_named_is_asked(rig, provider, fault):
    rig.bring("openai")
    first, second = model("openai", fault), model("x-ai")
    got = rig.chat(first, fallback=[second], retries=0)
    assert got.status == 200 and got.get("X-Concurred-Fallback").startswith(first)
    # A reused connection that breaks has the request sent once more.
    assert set(keys(provider, first)) == {"sk-mine-openai"} and keys(provider, second) == ["sk-platform-x-ai"]


def test_a_repeat_goes_out_with_the_owner_s_key_again_though_the_platform_has_others(tmp_path, provider):
    with Rig(tmp_path, provider.address, **{"providers.openai.api_key": "", "providers.openai.api_keys": "sk-platform-a sk-platform-b"}) as rig:
        rig.bring("openai")
        name = model("openai", "status-429-x2")
        assert rig.chat(name, retries=2).status == 200
        assert keys(provider, name) == ["sk-mine-openai"] * 3
        # And what was refused was not the platform's key: none of them rests.
        rig.bring()
        names = [model("openai") for _ in range(2)]
        assert [rig.chat(one).status for one in names] == [200, 200]
        assert {key for one in names for key in keys(provider, one)} == {"sk-platform-a", "sk-platform-b"}


# Balancing


def shares(one, other):
    return {"strategy": "round_robin", "models": [{"model": one, "weight": 1}, {"model": other, "weight": 1}]}


def test_each_of_the_balanced_models_is_asked_with_the_key_that_its_provider_has(rig, provider):
    rig.bring("anthropic")
    own, other = model("anthropic"), model("openai")
    for _ in range(4):
        assert rig.chat(own, load_balance=shares(own, other)).status == 200
    assert set(keys(provider, own)) == {"sk-mine-anthropic"} and set(keys(provider, other)) == {"sk-platform-openai"}
    rig.bring("anthropic", "openai")
    own, other = model("anthropic"), model("openai")
    for _ in range(4):
        assert rig.chat(own, load_balance=shares(own, other)).status == 200
    assert set(keys(provider, own)) == {"sk-mine-anthropic"} and set(keys(provider, other)) == {"sk-mine-openai"}


@pytest.mark.parametrize("fault", ["status-401", "status-429"])
def test_the_platform_does_not_step_in_for_a_balanced_model_whose_key_is_refused(rig, provider, fault):
    rig.bring("openai")
    own, other = model("openai", fault), model("x-ai")
    statuses = [rig.chat(own, load_balance=shares(own, other), retries=0).status for _ in range(6)]
    refused = 401 if fault == "status-401" else 429
    assert sorted(statuses) == [200] * 3 + [refused] * 3
    assert len(keys(provider, own)) == 3 and len(keys(provider, other)) == 3  # the three whose turn it was


# Hedging

ENOUGH = 20  # answers after which it is known how long a model usually takes


@pytest.mark.parametrize("late", ["stall-first", "slow"])
def test_both_requests_of_a_hedge_go_out_with_the_owner_s_key(tmp_path, provider, late):
    with Rig(tmp_path, provider.address, **{"routing.hedge": True, "routing.hedge_budget": 5}) as rig:
        rig.bring("openai")
        name = model("openai", f"{late}-at{ENOUGH + 1}")
        for _ in range(ENOUGH + 1):
            assert rig.chat(name, stream=True).status == 200
        assert keys(provider, name) == ["sk-mine-openai"] * (ENOUGH + 2)

        def booked():
            with sqlite3.connect(rig.gateway.folder / "var" / "concurred.db") as database:
                return database.execute("SELECT byok, sum(requests) FROM usage_daily GROUP BY byok").fetchall()

        eventually(lambda: booked() == [(1, ENOUGH + 2)], "the loser's line, of the owner's key too")


def test_a_hedge_whose_key_is_refused_falls_back_to_no_key_of_the_platform_s(tmp_path, provider):
    with Rig(tmp_path, provider.address, **{"routing.hedge": True, "routing.hedge_budget": 5}) as rig:
        rig.bring("openai")
        name, other = model("openai", f"reset-late-at{ENOUGH + 1}-then-status-401"), model("x-ai")
        for _ in range(ENOUGH):
            assert rig.chat(name, stream=True).status == 200
        got = rig.chat(name, stream=True, retries=1, fallback=[other])
        assert got.status in (401, 502), got
        assert set(keys(provider, name)) == {"sk-mine-openai"} and keys(provider, other) == []


# Every endpoint and dialect

ANTHROPIC = json.dumps({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
                        "stop_sequence": None, "content": [{"type": "text", "text": "Hi"}],
                        "usage": {"input_tokens": 5, "output_tokens": 2}})
OPENAI = json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "m",
                     "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}],
                     "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
GOOGLE = json.dumps({"candidates": [{"content": {"parts": [{"text": "Hi"}], "role": "model"}, "index": 0, "finishReason": "STOP"}],
                     "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}})
EMBEDDINGS = '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}'
RESPONSE = '{"id":"resp_1","object":"response","error":null,"output":[],"usage":{"input_tokens":3,"output_tokens":9,"total_tokens":12}}'
TURN = {"messages": [{"role": "user", "content": "Hello"}]}
# Path, model, the rest of the body, the provider's answer, the field that carries the key, where the provider is asked.
CALLS = [
    ("/api/v1/chat/completions", "openai/m", TURN, OPENAI, "authorization: Bearer ", "/v1/chat/completions"),
    ("/api/v1/chat/completions", "anthropic/claude-sonnet-4-5", TURN, ANTHROPIC, "x-api-key: ", "/v1/messages"),
    ("/api/v1/chat/completions", "google/gemini-2.5-flash", TURN, GOOGLE, "x-goog-api-key: ", "/v1beta/models/gemini-2.5-flash:generateContent"),
    ("/api/v1/messages", "anthropic/claude-sonnet-4-5", {**TURN, "max_tokens": 9}, ANTHROPIC, "x-api-key: ", "/v1/messages"),
    ("/api/v1/messages", "openai/m", {**TURN, "max_tokens": 9}, OPENAI, "authorization: Bearer ", "/v1/chat/completions"),
    ("/api/v1/messages", "google/gemini-2.5-flash", {**TURN, "max_tokens": 9}, GOOGLE, "x-goog-api-key: ", "/v1beta/models/gemini-2.5-flash:generateContent"),
    ("/api/v1/messages/count_tokens", "anthropic/claude-sonnet-4-5", TURN, '{"input_tokens":7}', "x-api-key: ", "/v1/messages/count_tokens"),
    ("/api/v1/embeddings", "openai/text-embedding-3-small", {"input": "a"}, EMBEDDINGS, "authorization: Bearer ", "/v1/embeddings"),
    ("/api/v1/responses", "openai/m", {"input": "a"}, RESPONSE, "authorization: Bearer ", "/v1/responses"),
    ("/api/v1/responses", "x-ai/m", {"input": "a"}, RESPONSE, "authorization: Bearer ", "/v1/responses"),
]


@pytest.fixture(scope="module")
def imposter():
    with Imposter() as running:
        yield running


@pytest.fixture(scope="module")
def plain_rig(tmp_path_factory, imposter):
    with Rig(tmp_path_factory.mktemp("gateway"), imposter.base_url.removesuffix("/v1")) as running:
        yield running


def key_fields(head):
    """The lines of a request's head that carry a credential."""
    lines = head.decode().split("\r\n")
    return [line for line in lines if line.lower().startswith(("authorization:", "x-api-key:", "x-goog-api-key:"))]


@pytest.mark.parametrize("path, name, body, said, field, target", CALLS, ids=[f"{c[0]} {c[1]}" for c in CALLS])
def test_an_owner_s_key_is_used_by_every_endpoint_in_every_dialect(plain_rig, imposter, path, name, body, said, field, target):
    provider = name.split("/", 1)[0]
    imposter.script = answer(said.encode())
    for brings, key in (((), f"sk-platform-{provider}"), ((provider,), f"sk-mine-{provider}")):
        plain_rig.bring(*brings)
        got = plain_rig.post(path, model=name, **body)
        assert got.status == 200, got
        head, _ = imposter.requests[-1]
        assert head.startswith(f"POST {target} HTTP/1.1\r\n".encode())
        (line,) = key_fields(head)
        assert line.lower() == (field + key).lower() and line.endswith(key)
    # Refused: no other key is tried, and the error is in the words of the endpoint.
    imposter.script = answer(b'{"error":{"message":"no"}}', "401 Unauthorized")
    before = len(imposter.requests)
    got = plain_rig.post(path, model=name, **body)
    assert got.status == 401 and f"'my-{provider}'" in got.json()["error"]["message"]
    assert got.json()["error"]["type"] == "authentication_error"
    assert got.json().get("type") == ("error" if path.startswith("/api/v1/messages") else None)
    assert [line for head, _ in imposter.requests[before:] for line in key_fields(head)] == [line]
    named = plain_rig.post(path, "X-Provider-Key: nope", model=name, **body)
    assert named.status == 400 and "X-Provider-Key" in named.json()["error"]["message"]
    assert len(imposter.requests) == before + 1
