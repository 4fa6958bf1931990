"""A client that leaves stops its provider, at once, whatever was going on; and leaves one usage record."""

import socket
import time

import pytest

from upstream_rig import QUICK, Gateway, Scenarios, eventually, full_listener, needs_binary, rig

pytestmark = needs_binary

PROMPT = 1.0  # seconds; the figure for a quiet machine is 0.1 (p99)

SCENARIOS = Scenarios()
PLAIN = SCENARIOS.mock("tokens=3")
NARROW = SCENARIOS.mock("tokens=3;first=60s", max_connections=1, pool_wait="60s")
HANG = SCENARIOS.mock("hang")
SLOW_FIRST = SCENARIOS.mock("tokens=3;first=60s")
EARLY_HEAD = SCENARIOS.mock("tokens=3;first=60s;early-head")
SLOW = SCENARIOS.mock("tokens=1000;gap=30ms")
STALLED = SCENARIOS.mock("tokens=100;stall-after=5")
FAST = SCENARIOS.mock("tokens=1m;group=64")
gateway = rig(SCENARIOS)


def aborts(gateway):
    return gateway.mock.ledger()["aborts"]


def stopped(gateway, known, left):
    """Waits for the mock to notice. Returns how long after `left` it did, in seconds."""
    ledger = gateway.mock.ledger_when(lambda ledger: len(ledger["aborts"]) > known)
    assert len(ledger["aborts"]) == known + 1
    return ledger["aborts"][-1]["observed_monotonic_us"] / 1e6 - left


def assert_record(gateway, name):
    """One record, and the right reason."""
    assert gateway.access_line(name)["end_reason"] == "client_closed"
    eventually(lambda: gateway.records(name) == 1, "the usage record")


@pytest.mark.parametrize("abruptly", [False, True])
@pytest.mark.parametrize(("provider", "stream"), [
    (HANG, False), (HANG, True), (SLOW_FIRST, False), (SLOW_FIRST, True), (EARLY_HEAD, True)])
def test_leaving_before_the_first_token(gateway, provider, stream, abruptly):
    known, requests = len(aborts(gateway)), gateway.mock.ledger()["requests"]
    name = gateway.name(provider)
    call = gateway.start(name, stream=stream)
    gateway.mock.ledger_when(lambda ledger: ledger["requests"] == requests + 1)
    assert stopped(gateway, known, call.leave(abruptly)) < PROMPT
    assert_record(gateway, name)


@pytest.mark.parametrize("abruptly", [False, True])
@pytest.mark.parametrize("provider", [SLOW, STALLED, FAST])
def test_leaving_in_a_stream(gateway, provider, abruptly):
    known = len(aborts(gateway))
    name = gateway.name(provider)
    call = gateway.start(name, stream=True).until(b'"content":"The')
    assert stopped(gateway, known, call.leave(abruptly)) < PROMPT
    assert_record(gateway, name)
    row = gateway.usage_row(name)
    assert row["estimated_requests"] == 1 and row["completion_tokens"] >= 1


def test_leaving_while_in_line_for_a_connection(gateway):
    known, requests = len(aborts(gateway)), gateway.mock.ledger()["requests"]
    first_name, name = gateway.name(NARROW), gateway.name(NARROW)
    first = gateway.start(first_name)
    gateway.mock.ledger_when(lambda ledger: ledger["requests"] == requests + 1)
    second = gateway.start(name)
    eventually(lambda: gateway.metrics()["concurred_active_requests"] == 2)
    second.leave()
    assert_record(gateway, name)
    assert gateway.mock.ledger()["requests"] == requests + 1  # it never got there
    assert stopped(gateway, known, first.leave()) < PROMPT
    assert_record(gateway, first_name)
    # The place is free again.
    third = gateway.start(gateway.name(NARROW))
    gateway.mock.ledger_when(lambda ledger: ledger["requests"] == requests + 2)
    third.leave()
    gateway.at_rest()


def test_the_next_in_line_takes_the_place_of_who_left(gateway):
    requests = gateway.mock.ledger()["requests"]
    calls = [gateway.start(gateway.name(NARROW)) for _ in range(3)]
    for already in (1, 2, 3):
        gateway.mock.ledger_when(lambda ledger: ledger["requests"] == requests + already)
        eventually(lambda: gateway.metrics()["concurred_active_requests"] == 4 - already)
        # The one whose request the mock has is the one to leave.
        calls.pop(0).leave()
    gateway.at_rest()


def test_leaving_while_connecting(tmp_path):
    with full_listener() as (port, _):
        scenarios = Scenarios()
        silent = scenarios.at(f"http://127.0.0.1:{port}/v1", connect_timeout="60s")
        with Gateway(tmp_path, scenarios, None, QUICK) as gateway:
            # The first connect of a shard opens what it waits for connects with, and keeps it.
            name = gateway.name(silent)
            gateway.start(name).leave()
            gateway.access_line(name)
            before = gateway.descriptors()
            for stream in (False, True):
                name = gateway.name(silent)
                call = gateway.start(name, stream=stream)
                eventually(lambda: gateway.descriptors() >= before + 2)
                left = call.leave()
                eventually(lambda: gateway.descriptors() <= before, "the connect to be given up", PROMPT * 5)
                assert time.monotonic() - left < PROMPT * 5
                assert_record(gateway, name)


def test_leaving_after_the_last_byte_costs_nothing(gateway):
    for stream in (False, True):
        known = len(aborts(gateway))
        name = gateway.name(PLAIN)
        call = gateway.start(name, stream=stream).read_all()
        call.leave()
        assert gateway.access_line(name)["end_reason"] == "completed"
        assert gateway.usage_row(name)["estimated_requests"] == 0
        assert len(aborts(gateway)) == known


def test_closing_the_sending_direction_counts_as_leaving_or_is_served(gateway):
    """Half-closing clients exist; what must not happen is a request without an end."""
    name = gateway.name(PLAIN)
    call = gateway.start(name)
    call.connection.shutdown(socket.SHUT_WR)
    try:
        call.read_all()
    except AssertionError:
        pass
    assert gateway.access_line(name)["end_reason"] in ("completed", "client_closed")
    call.leave()


def test_200_at_once_leave_nothing_behind(gateway):
    gateway.at_rest()
    before, known = gateway.descriptors(), len(aborts(gateway))
    requests = gateway.mock.ledger()["requests"]
    names = [gateway.name((HANG, SLOW_FIRST, SLOW, STALLED)[i % 4]) for i in range(200)]
    calls = [gateway.start(name, stream=i % 2 == 0 or i % 4 == 3) for i, name in enumerate(names)]
    gateway.mock.ledger_when(lambda ledger: ledger["requests"] == requests + 200)
    healthy = gateway.start(gateway.name(PLAIN))
    left = time.monotonic()
    for call in calls:
        call.leave()
    with healthy:
        assert healthy.read_all().status == 200
    ledger = gateway.mock.ledger_when(lambda ledger: ledger["in_progress"] == 0)
    assert len(ledger["aborts"]) - known == 200
    assert max(abort["observed_monotonic_us"] for abort in ledger["aborts"]) / 1e6 - left < PROMPT
    gateway.at_rest()
    eventually(lambda: gateway.descriptors() <= before + 1, "descriptors to be closed")
    for name in names[::20]:
        assert_record(gateway, name)
    metrics = gateway.metrics()
    assert metrics["concurred_usage_dropped_total"] == 0
    assert sum(v for k, v in metrics.items() if k.startswith("concurred_client_aborts_total")) >= 200
