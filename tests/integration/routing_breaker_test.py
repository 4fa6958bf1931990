"""Circuit breakers and keys: who is kept away from what, and how it comes back."""

import json
import time

import pytest

from routing_rig import routing_rig
from upstream_rig import Gateway, Scenarios, eventually, free_port, needs_binary

pytestmark = needs_binary

rig = routing_rig('retries = 0\nbreaker_failures = 3\nbreaker_cooldown = "1s"')
two_keys = routing_rig("retries = 0", api_keys="sk-one-aaaaaaaa*2 sk-two-bbbbbbbb")


def state(rig, model):
    """The state of a model's breaker as /metrics tells it; None: it has never opened."""
    return next((s for s in ("open", "half_open", "closed")
                 if rig.metric("concurred_upstream_breakers", model=model, state=s) == 1), None)


def break_it(rig, model, times=3):
    for _ in range(times):
        assert rig.ask(model).status == 503


def test_a_model_that_fails_again_and_again_is_left_alone_until_a_probe_succeeds(rig):
    model = rig.model("status-503-x3")
    break_it(rig, model)
    assert state(rig, model) == "open"
    got = rig.ask(model)
    assert (got.status, got.error()["code"]) == (503, "MODEL_UNAVAILABLE")
    assert 1 <= int(got.head["retry-after"]) <= 2 and got.head.get("x-should-retry") is None
    assert rig.asked(model) == 3
    eventually(lambda: state(rig, model) == "half_open", "the cooldown")
    assert rig.ask(model).status == 200
    assert (rig.asked(model), state(rig, model)) == (4, "closed")


def test_the_probe_of_a_model_that_still_fails_closes_it_off_for_longer(rig):
    model = rig.model("status-503")
    break_it(rig, model)
    eventually(lambda: state(rig, model) == "half_open", "the cooldown")
    assert rig.ask(model).error()["code"] == "upstream_overloaded"
    assert state(rig, model) == "open" and rig.asked(model) == 4
    wait = int(rig.ask(model).head["retry-after-ms"])
    assert 1000 < wait <= 2000


def test_with_another_model_at_hand_nobody_waits_for_one_that_is_closed_off(rig):
    model, spare = rig.model("status-503"), rig.model(provider="b")
    break_it(rig, model)
    got = rig.ask(model, fallback=[spare])
    assert got.status == 200 and got.head["x-concurred-fallback"] == f"{model};open"
    assert (rig.asked(model), rig.asked(spare)) == (3, 1)


def test_another_model_of_the_provider_is_not_touched(rig):
    break_it(rig, rig.model("status-503"))
    assert rig.ask(rig.model()).status == 200


@pytest.mark.parametrize("fault", ["status-404", "status-401", "status-429", "status-429-quota"])
def test_what_is_not_the_models_fault_never_opens_it(rig, fault):
    model = rig.model(fault, "c")
    for _ in range(8):
        assert rig.ask(model).status >= 400
    assert rig.asked(model) == 8 and state(rig, model) is None


def test_the_callers_own_impatience_never_opens_it(rig):
    model = rig.model("stall-first")
    for _ in range(5):
        assert rig.ask(model, timeout=50).status == 504
    assert rig.asked(model) == 5 and state(rig, model) is None


def test_a_client_that_leaves_never_opens_it_and_makes_room_for_the_next_probe(rig):
    model = rig.model("stall-first-x4", "b")
    for _ in range(4):
        with rig.gateway.start(model) as call:
            eventually(lambda: rig.gateway.busy() == 1, "the request to go out")
            call.leave()
        eventually(lambda: rig.gateway.busy() == 0, "the request to end")
    assert state(rig, model) is None
    assert rig.ask(model).status == 200


def test_a_provider_that_cannot_be_reached_is_left_alone_with_all_its_models(tmp_path):
    scenarios = Scenarios()
    port = free_port()
    gone = scenarios.at(f"http://127.0.0.1:{port}/v1")
    settings = '[server]\nshards = 1\n[storage]\nflush_interval = "10ms"\n[limits]\ndrain_grace = "0ms"\n' \
               '[routing]\nretries = 0\nbreaker_failures = 3\nbreaker_cooldown = "10m"\n'
    with Gateway(tmp_path, scenarios, None, settings) as gateway:
        for _ in range(3):
            assert gateway.ask(gateway.name(gone)).error()["code"] == "UPSTREAM_ERROR"
        got = gateway.ask(gateway.name(gone))
        assert got.error()["code"] == "MODEL_UNAVAILABLE" and 590 <= int(got.head["retry-after"]) <= 600
        assert gateway.metrics()[
            f'concurred_upstream_breakers{{provider="{gone}",model="*",state="open"}}'] == 1


# Keys


def test_keys_are_used_by_weight(two_keys):
    models = [two_keys.model() for _ in range(9)]
    for model in models:
        assert two_keys.ask(model).status == 200
    used = [two_keys.keys(model)[0] for model in models]
    assert used.count("sk-one-aaaaaaaa") == 6 and used.count("sk-two-bbbbbbbb") == 3


@pytest.mark.parametrize(("provider", "fault"), [("a", "status-401"), ("b", "status-429"), ("c", "status-429-quota")])
def test_a_key_that_is_refused_rests_and_the_other_is_used_at_once(two_keys, provider, fault):
    model = two_keys.model(f"{fault}-x1", provider)
    begun = time.monotonic()
    got = two_keys.ask(model, retries=1)
    assert got.status == 200 and time.monotonic() - begun < 2
    first, second = two_keys.keys(model)
    assert first != second
    for _ in range(4):
        model = two_keys.model(provider=provider)
        assert two_keys.ask(model).status == 200
        assert two_keys.keys(model) == [second]
    assert two_keys.metric("concurred_upstream_keys", provider=provider, state="resting") == 1
    assert two_keys.metric("concurred_upstream_key_rests_total", provider=provider) == 1


def test_no_key_is_shown_anywhere(two_keys):
    shown = two_keys.gateway.command("print-config")
    text = two_keys.gateway.log_text() + json.dumps(two_keys.gateway.metrics()) + json.dumps(two_keys.gateway.access_lines()) + shown
    assert "sk-one" not in text and "aaaaaaaa" not in text and "sk-two" not in text and "bbbb" not in text


# GET /api/health?verbose=1


def test_health_tells_of_breakers_to_those_with_a_key(rig):
    model = rig.model("status-503")
    break_it(rig, model)

    def row():
        got = rig.gateway.get("/api/health?verbose=1")
        assert got.status == 200 and got.json()["status"] == "degraded"
        provider = next(p for p in got.json()["providers"] if p["name"] == "a")
        assert (provider["state"], provider["keys"], provider["keys_resting"]) == ("closed", 1, 0)
        return next((m for m in provider["models"] if m["id"] == model and m["state"] == "open"), None)

    found = eventually(row, "the breaker on the board")
    assert (found["shards"], found["openings"]) == (1, 1) and 0 < found["probed_in_ms"] <= 2000


def test_health_tells_others_only_that_it_lives(rig):
    plain = rig.gateway.get("/api/health")
    assert set(plain.json()) == {"status", "timestamp", "version"} and plain.json()["status"] == "ok"
    refused = rig.gateway.get("/api/health?verbose=1", key="ck_" + "0" * 40)
    assert refused.status == 401 and b"providers" not in refused.body
