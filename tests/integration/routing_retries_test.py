"""Repeats and fallbacks: what is tried, in which order, how often, and what the client is told."""

import time

import pytest

from fault_provider import TEXT
from routing_rig import routing_rig
from upstream_rig import needs_binary

pytestmark = needs_binary

# Each attempt has a connection of its own: what a reused one swallowed would be sent once more without counting.
rig = routing_rig("breaker_failures = 0", keepalive="0s")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["status-503", "status-500", "status-429", "status-408", "reset-first",
                                   "reset-after-head"])
def test_what_passes_is_repeated_until_it_works(rig, fault, stream):
    model = rig.model(f"{fault}-x2")
    got = rig.ask(model, stream=stream)
    assert got.status == 200 and TEXT.encode() in got.body
    assert rig.asked(model) == 3
    assert got.head.get("x-concurred-fallback") is None
    line = rig.line(model)
    assert (line["retries"], line["end_reason"]) == (2, "completed")
    assert rig.gateway.usage_row(model)["requests"] == 1


@pytest.mark.parametrize(("retries", "attempts"), [(None, 3), (0, 1), (1, 2), (5, 6)])
def test_the_request_says_how_often(rig, retries, attempts):
    model = rig.model("status-503")
    got = rig.ask(model, **({} if retries is None else {"retries": retries}))
    assert got.status == 503 and rig.asked(model) == attempts
    # Who repeats what was repeated in vain makes it worse; who was not repeated for may try.
    assert got.head.get("x-should-retry") == (None if attempts == 1 else "false")
    listed = got.error()["details"].get("attempts", [])
    assert len(listed) == (0 if attempts == 1 else attempts)
    assert all(entry == {"model": model, "reason": "overloaded"} for entry in listed)


@pytest.mark.parametrize("fault", ["status-404", "status-401", "status-403", "status-429-quota", "wrong-type", "garbage"])
def test_what_does_not_pass_is_not_repeated(rig, fault):
    model = rig.model(fault, "c")
    assert rig.ask(model).status >= 400
    assert rig.asked(model) == 1


def test_waits_double(rig):
    # 20, 40, 80, 160, 320 ms, at least half of each; a tick of the clock is 100 ms.
    begun = time.monotonic()
    rig.ask(rig.model("status-503"), retries=5)
    assert time.monotonic() - begun >= 0.310


def test_a_wait_that_is_asked_for_is_kept_to_unless_another_model_is_there(rig):
    rig.ask(rig.model(provider="c"))  # its key works
    model = rig.model("status-429-wait", "c")
    got = rig.ask(model, fallback=[rig.model(provider="b")])
    assert got.status == 200 and rig.asked(model) == 1
    assert got.head["x-concurred-fallback"] == f"{model};rate_limited"
    # Its key rests now: with another model at hand it is not even asked.
    model = rig.model("status-429-wait", "c")
    got = rig.ask(model, fallback=[rig.model(provider="b")])
    assert got.status == 200 and rig.asked(model) == 0
    assert got.head["x-concurred-fallback"] == f"{model};key_resting"
    # Alone it is, and half a minute is more than there is.
    got = rig.ask(model, timeout=2000)
    assert (got.status, rig.asked(model)) == (429, 1)
    assert got.head["retry-after"] == "30" and got.head.get("x-should-retry") is None


@pytest.mark.parametrize("stream", [False, True])
def test_each_model_of_the_list_has_its_repeats(rig, stream):
    first, second, third = rig.model("status-503"), rig.model("reset-first", "b"), rig.model(provider="c")
    got = rig.ask(first, fallback=[second, third], retries=1, stream=stream)
    assert got.status == 200
    assert [rig.asked(m) for m in (first, second, third)] == [2, 2, 1]
    assert got.head["x-concurred-fallback"] == f"{first};overloaded"
    line = rig.line(first)
    assert (line["retries"], line["fallback_from"], line["model_served"]) == (2, first, third)
    assert rig.gateway.usage_row(third)["requests"] == 1


def test_the_answer_names_the_model_that_gave_it(rig):
    first, second = rig.model("status-500"), rig.model(provider="b")
    got = rig.ask(first, fallback=[second], retries=0)
    assert got.json()["model"] == second.split("/", 1)[1]


def test_when_all_fail_the_client_hears_of_the_model_it_asked_for(rig):
    first, second = rig.model("status-503"), rig.model("status-404", "b")
    got = rig.ask(first, fallback=[second], retries=0)
    assert (got.status, got.error()["code"]) == (503, "upstream_overloaded")
    assert got.error()["details"]["attempts"] == [{"model": first, "reason": "overloaded"},
                                                  {"model": second, "reason": "model"}]
    assert got.head["x-should-retry"] == "false"
    assert rig.line(first)["model_served"] == first


def test_a_request_that_is_at_fault_itself_goes_nowhere_else(rig):
    second = rig.model(provider="b")
    got = rig.ask("a/good.0", fallback=[second], messages=[])
    assert got.status == 400 and rig.asked(second) == 0


@pytest.mark.parametrize(("fields", "param"), [
    ({"fallback": ["no-such-model"]}, "fallback"),
    ({"fallback": [7]}, "fallback"),
    ({"retries": 6}, "retries"),
    ({"timeout": 300001}, "timeout"),
    ({"load_balance": {"models": [{"model": "no-such-model"}]}}, "load_balance.models[0].model"),
    ({"load_balance": {"strategy": "best", "models": [{"model": "a/x"}]}}, "load_balance.strategy"),
])
def test_a_wrong_value_is_named(rig, fields, param):
    got = rig.ask(rig.model(), **fields)
    assert got.status == 400 and got.error()["param"] == param


def test_a_model_that_is_off_is_passed_over(rig):
    spare = rig.model(provider="b")
    got = rig.ask("claude", fallback=[spare])
    assert got.status == 200 and got.head["x-concurred-fallback"].endswith(";unavailable")
    assert rig.ask(rig.model("status-503"), fallback=["claude"], retries=0).status == 503


@pytest.mark.parametrize("stream", [False, True])
def test_the_time_of_the_request_bounds_all_attempts(rig, stream):
    model, spare = rig.model("stall-first"), rig.model("stall-first", "b")
    begun = time.monotonic()
    got = rig.ask(model, fallback=[spare], timeout=400, stream=stream)
    assert 0.35 <= time.monotonic() - begun < 4
    assert (got.status, got.error()["code"]) == (504, "UPSTREAM_TIMEOUT")
    assert "400 ms (timeout)" in got.error()["message"]
    assert rig.line(model)["end_reason"] == "timeout"


def test_a_stream_that_has_begun_may_take_longer_than_the_time_of_the_request(rig):
    model = rig.model("pauses")
    got = rig.ask(model, stream=True, timeout=300)
    assert got.status == 200 and got.events()[-1] == "[DONE]"


def test_metrics_count_repeats_and_fallbacks(rig):
    before = rig.metric("concurred_upstream_retries_total", provider="a", reason="overloaded")
    fell = rig.metric("concurred_fallbacks_total", provider="a", reason="overloaded")
    rig.ask(rig.model("status-503"), fallback=[rig.model(provider="b")], retries=2)
    assert rig.metric("concurred_upstream_retries_total", provider="a", reason="overloaded") == before + 2
    assert rig.metric("concurred_fallbacks_total", provider="a", reason="overloaded") == fell + 1
