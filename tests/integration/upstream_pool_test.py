"""Connections to providers: used again, limited, and never trusted more than they deserve."""

import time

import pytest

from imposter import Imposter, answer
from upstream_rig import QUICK, Gateway, Scenarios, eventually, free_port, needs_binary, rig

pytestmark = needs_binary

SCENARIOS = Scenarios()
PLAIN = SCENARIOS.mock("tokens=3")
SLOW = SCENARIOS.mock("tokens=3;first=500ms", max_connections=2, pool_wait="50ms")
PATIENT = SCENARIOS.mock("tokens=3;first=100ms", max_connections=2, pool_wait="20s")
CLOSES_IDLE = SCENARIOS.mock("tokens=3;close-idle")
DROPS_IDLE = SCENARIOS.mock("tokens=3;idle=50ms")
SHORT_KEEPALIVE = SCENARIOS.mock("tokens=3", keepalive="100ms")
RAW = Imposter()
ELSEWHERE = SCENARIOS.at(RAW.base_url)
gateway = rig(SCENARIOS)


@pytest.fixture
def ledger(gateway):
    """The mock's counts since the test began. A control request has a connection of its own."""
    before = gateway.mock.ledger()

    def since():
        now = gateway.mock.ledger()
        asked = since.asked = since.asked + 1
        counts = {k: now[k] - before[k] for k in ("requests", "completed", "aborted", "dropped_idle")}
        return {**counts, "accepted": now["connections_accepted"] - before["connections_accepted"] - asked}

    since.asked = 0
    return since


@pytest.mark.parametrize("stream", [False, True])
def test_requests_one_after_the_other_share_a_connection(gateway, ledger, stream):
    gateway.ask(gateway.name(PLAIN))
    first = ledger()["accepted"]
    for _ in range(30):
        assert gateway.ask(gateway.name(PLAIN), stream=stream).status == 200
    assert ledger()["accepted"] == first


def test_requests_at_once_have_a_connection_each_and_share_them_later(gateway, ledger):
    for _ in range(2):
        calls = [gateway.start(gateway.name(PLAIN)) for _ in range(10)]
        for call in calls:
            with call:
                assert call.read_all().status == 200
    assert ledger()["accepted"] <= 10


def test_an_error_answer_keeps_the_connection(gateway, ledger):
    RAW.script = answer(b'{"error":{"message":"no"}}', "400 Bad Request")
    before = RAW.accepted
    for _ in range(5):
        assert gateway.ask(gateway.name(ELSEWHERE)).status == 400
    assert RAW.accepted == before + 1


def test_no_more_connections_than_allowed_and_a_503_in_time(gateway, ledger):
    calls = [gateway.start(gateway.name(SLOW)) for _ in range(2)]
    eventually(lambda: ledger()["requests"] == 2)
    begun = time.monotonic()
    name = gateway.name(SLOW)
    refused = gateway.ask(name)
    assert 0.04 <= time.monotonic() - begun < 10
    if refused.status == 200:  # a slow machine: the others were done first
        pytest.skip("too slow a machine")
    assert refused.status == 503
    assert refused.error()["code"] == "SERVICE_UNAVAILABLE" and "connections" in refused.error()["message"]
    assert refused.head["retry-after"] == "1"
    assert gateway.access_line(name)["end_reason"] == "rejected"
    for call in calls:
        with call:
            assert call.read_all().status == 200
    assert ledger()["requests"] == 2


def test_those_who_wait_are_all_served(gateway, ledger):
    calls = [gateway.start(gateway.name(PATIENT)) for _ in range(12)]
    for call in calls:
        with call:
            assert call.read_all().status == 200
    assert ledger()["accepted"] <= 2 and ledger()["requests"] == 12


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_that_a_reused_connection_swallowed_is_sent_once_more(gateway, ledger, stream):
    for _ in range(8):
        assert gateway.ask(gateway.name(CLOSES_IDLE), stream=stream).status == 200
    counts = ledger()
    assert counts["completed"] == 8
    assert counts["dropped_idle"] >= 4


def test_a_new_connection_that_breaks_is_not_tried_again(gateway):
    before = len(RAW.requests)
    RAW.script = ["close"]
    for _ in range(3):
        got = gateway.ask(gateway.name(ELSEWHERE))
        assert got.status == 502
    assert len(RAW.requests) - before in (3, 4)  # the first may have found a connection of a test before


def test_it_is_never_sent_a_third_time(gateway):
    RAW.script = answer(b"{}")
    assert gateway.ask(gateway.name(ELSEWHERE)).status == 200  # leaves an idle connection
    before = len(RAW.requests)
    RAW.script = ["close"]
    assert gateway.ask(gateway.name(ELSEWHERE)).status == 502
    assert len(RAW.requests) - before == 2


@pytest.mark.parametrize("stream", [False, True])
def test_once_a_byte_was_answered_it_is_not_sent_again(gateway, stream):
    RAW.script = answer(b"{}")
    assert gateway.ask(gateway.name(ELSEWHERE)).status == 200
    before = len(RAW.requests)
    RAW.script = [b"HTTP/1.1 2", "close"]
    assert gateway.ask(gateway.name(ELSEWHERE), stream=stream).status == 502
    assert len(RAW.requests) - before == 1


def test_a_connection_that_the_provider_closed_is_not_used(gateway, ledger):
    for _ in range(5):
        assert gateway.ask(gateway.name(DROPS_IDLE)).status == 200
        open_now = lambda: gateway.mock.ledger()["in_progress"] == 0
        eventually(open_now)
    assert ledger()["completed"] == 5 and ledger()["dropped_idle"] == 0


def test_bytes_that_come_unasked_on_an_idle_connection_end_it(gateway):
    poison = answer(b'{"poison":true}')
    for _ in range(3):
        RAW.script = [answer(b'{"fine":1}'), 0.02, poison]
        assert gateway.ask(gateway.name(ELSEWHERE)).json() == {"fine": 1}
        RAW.script = answer(b'{"fine":2}')
        time.sleep(0.05)  # the poison is to arrive first
        assert gateway.ask(gateway.name(ELSEWHERE)).json() == {"fine": 2}


def test_idle_connections_are_closed_after_keepalive(gateway):
    assert gateway.ask(gateway.name(SHORT_KEEPALIVE)).status == 200
    label = f'concurred_upstream_connections{{provider="{SHORT_KEEPALIVE}",state="idle"}}'
    gateway.mock.ledger_when(lambda ledger: ledger["connections_closed"] > 0)
    eventually(lambda: gateway.metrics().get(label, 0) == 0, "the idle connection to be closed")



def test_a_provider_that_comes_back_is_used_again(tmp_path):
    port = free_port()
    scenarios = Scenarios()
    provider = scenarios.at(f"http://127.0.0.1:{port}/v1")
    with Gateway(tmp_path, scenarios, None, QUICK) as gateway:
        for _ in range(2):
            with Imposter(answer(b"{}"), port) as imposter:
                assert gateway.ask(gateway.name(provider)).status == 200
                imposter.close()
            assert gateway.ask(gateway.name(provider)).status == 502
