"""A second request when the first content is later than usual: who wins, what is recorded, and how many there may be."""

import sqlite3

import pytest

from fault_provider import TEXT, FaultProvider
from routing_rig import BASE, Rig
from upstream_rig import Gateway, Scenarios, eventually, needs_binary

pytestmark = needs_binary

ENOUGH = 20  # answers after which it is known how long a model usually takes


@pytest.fixture
def rig(tmp_path):
    with FaultProvider() as a:
        scenarios = Scenarios()
        scenarios.providers["a"] = {"base_url": a.address + "/v1", "api_key": "sk-a", "first_token_timeout": "4s"}
        text = BASE.format(routing="hedge = true\nhedge_budget = 5\nretries = 0", silence="15s")
        gateway = Gateway(tmp_path, scenarios, None, text)
        gateway.records = lambda: len(gateway.admitted())  # a second request leaves a line of its own: counted below
        with gateway:
            yield Rig(gateway, {"a": a})


def lines(rig):
    """Requests in the usage of each endpoint."""
    with sqlite3.connect(rig.gateway.folder / "var" / "concurred.db") as database:
        return dict(database.execute("SELECT model, sum(requests) FROM usage_daily GROUP BY model").fetchall())


def warm(rig, model, stream, times=ENOUGH):
    for _ in range(times):
        assert rig.ask(model, stream=stream).status == 200
    assert rig.asked(model) == times


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["stall-first", "reset-late"])
def test_the_second_request_answers_when_the_first_is_late(rig, stream, fault):
    model = rig.model(f"{fault}-at{ENOUGH + 1}")
    warm(rig, model, stream)
    got = rig.ask(model, stream=stream)
    assert got.status == 200 and TEXT.encode() in got.body
    assert rig.asked(model) == ENOUGH + 2
    assert rig.metric("concurred_hedges_total", provider="a", outcome="won") == 1
    rig.gateway.at_rest()  # the loser's connection is closed
    eventually(lambda: lines(rig).get(model) == ENOUGH + 2, "the loser's line")
    last = [line for line in rig.gateway.access_lines() if line.get("model_requested") == model][-1]
    assert (last["status"], last["end_reason"], last["output_tokens"]) == (200, "completed", 2)


@pytest.mark.parametrize("stream", [False, True])
def test_the_first_may_still_win(rig, stream):
    model = rig.model(f"slow-from{ENOUGH + 1}")  # the second is slow too, and began later
    warm(rig, model, stream)
    got = rig.ask(model, stream=stream)
    assert got.status == 200 and TEXT.encode() in got.body
    assert rig.metric("concurred_hedges_total", provider="a", outcome="lost") == 1
    rig.gateway.at_rest()
    eventually(lambda: lines(rig).get(model) == ENOUGH + 2, "the loser's line")


def test_both_may_fail(rig):
    model = rig.model(f"stall-first-from{ENOUGH + 1}")
    warm(rig, model, True)
    got = rig.ask(model, stream=True, timeout=600)
    assert (got.status, got.error()["code"]) == (504, "UPSTREAM_TIMEOUT")
    rig.gateway.at_rest()


@pytest.mark.parametrize("abruptly", [False, True])
def test_a_client_that_leaves_stops_both(rig, abruptly):
    model = rig.model(f"stall-first-from{ENOUGH + 1}")
    warm(rig, model, True)
    call = rig.gateway.start(model, stream=True)
    eventually(lambda: rig.asked(model) == ENOUGH + 2, "the second request")
    eventually(lambda: rig.gateway.busy() == 2, "both to wait")
    call.leave(abruptly)
    rig.gateway.at_rest()


def test_a_client_that_leaves_a_stream_that_the_second_has_begun_stops_it(rig):
    model = rig.model(f"stall-first-at{ENOUGH + 1}-then-stall-later")
    warm(rig, model, True)
    call = rig.gateway.start(model, stream=True)
    call.until(TEXT.encode())
    call.leave()
    rig.gateway.at_rest()


def test_the_budget_bounds_how_many(rig):
    model = rig.model(f"slow-from{ENOUGH + 1}")
    warm(rig, model, True)
    for _ in range(4):
        rig.ask(model, stream=True)
    # 5 % of 24 requests, and one in reserve.
    assert rig.asked(model) - ENOUGH - 4 == 2


def test_nobody_asks_twice_before_it_is_known_how_long_it_takes(rig):
    model = rig.model("slow")
    assert rig.ask(model, stream=True).status == 200 and rig.asked(model) == 1
