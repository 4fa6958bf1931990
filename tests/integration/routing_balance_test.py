"""load_balance: who gets a request."""

import pytest

from fault_provider import TEXT
from routing_rig import routing_rig
from upstream_rig import needs_binary

pytestmark = needs_binary

rig = routing_rig("retries = 0\nbreaker_failures = 2\nbreaker_cooldown = \"10m\"")


def balance(strategy, *models):
    return {"strategy": strategy, "models": [{"model": m, "weight": w} for m, w in models]}


def run(rig, times, fields, model="a/any"):
    for _ in range(times):
        got = rig.ask(model, load_balance=fields)
        assert got.status == 200, got.body
    return got


def test_weighted_shares(rig):
    one, two, never = rig.model(), rig.model(provider="b"), rig.model(provider="c")
    run(rig, 40, balance("weighted", (one, 3), (two, 1), (never, 0)))
    assert abs(rig.asked(one) - 30) <= 2 and rig.asked(one) + rig.asked(two) == 40 and rig.asked(never) == 0


def test_round_robin(rig):
    models = [rig.model(), rig.model(provider="b"), rig.model(provider="c")]
    run(rig, 9, balance("round_robin", *((m, 1) for m in models)))
    assert [rig.asked(m) for m in models] == [3, 3, 3]


def test_random_reaches_all(rig):
    models = [rig.model(), rig.model(provider="b")]
    run(rig, 60, balance("random", *((m, 1) for m in models)))
    assert min(rig.asked(m) for m in models) >= 5


def test_least_latency_prefers_the_faster_once_it_knows_both(rig):
    slow, fast = rig.model("slow"), rig.model(provider="b")
    run(rig, 8, balance("least_latency", (slow, 1), (fast, 1)))
    assert (rig.asked(slow), rig.asked(fast)) == (1, 7)


@pytest.mark.parametrize("strategy", ["weighted", "round_robin", "least_latency", "random"])
def test_one_that_fails_is_left_for_the_others_and_then_not_asked_any_more(rig, strategy):
    bad, good = rig.model("status-500"), rig.model(provider="b")
    for _ in range(16):
        got = rig.ask("a/any", load_balance=balance(strategy, (bad, 1), (good, 1)))
        assert got.status == 200 and TEXT.encode() in got.body
    assert rig.asked(bad) <= 2 and rig.asked(good) == 16


def test_the_balanced_ones_come_before_the_fallbacks(rig):
    one, two, spare = rig.model("status-500"), rig.model("status-503", "b"), rig.model(provider="c")
    got = rig.ask("a/any", load_balance=balance("weighted", (one, 1), (two, 0)), fallback=[spare])
    assert got.status == 200 and got.head["x-concurred-fallback"] == f"{one};error"
    assert [rig.asked(m) for m in (one, two, spare)] == [1, 1, 1]


def test_the_log_tells_who_was_asked_for_and_who_answered(rig):
    asked_for, chosen = rig.model(), rig.model(provider="b")
    got = rig.ask(asked_for, load_balance=balance("weighted", (chosen, 1)))
    assert got.status == 200 and got.head.get("x-concurred-fallback") is None
    line = rig.line(asked_for)
    assert line["model_served"] == chosen and "fallback_from" not in line
