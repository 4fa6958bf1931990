"""Clients that read slowly, or not at all, cost little and hold nobody else up."""

import time

import pytest

from mock_provider import MockProvider
from upstream_rig import QUICK, Gateway, Scenarios, eventually, needs_binary, rig

pytestmark = needs_binary

SCENARIOS = Scenarios()
PLAIN = SCENARIOS.mock("tokens=20;gap=5ms")
FAST = SCENARIOS.mock("tokens=1m;group=256")
gateway = rig(SCENARIOS)


@pytest.mark.memory
def test_a_slow_reader_does_not_fill_the_gateway_nor_stop_others(gateway):
    gateway.ask(gateway.name(PLAIN), stream=True)
    before, served = gateway.resident(), gateway.mock.ledger()["tokens_served"]
    name = gateway.name(FAST)
    call = gateway.start(name, stream=True, connection=gateway.connect(receive_buffer=4096))
    call.read_head()
    most = 0
    for _ in range(15):
        call.read_piece()
        call.body, call.pieces = b"", []
        begun = time.monotonic()
        other = gateway.ask(gateway.name(PLAIN), stream=True)
        assert other.events()[-1] == "[DONE]" and time.monotonic() - begun < 5
        most = max(most, gateway.resident())
    assert most - before < 2 << 20, (before, most)
    # The provider is held up too: it cannot have sent much more than the sockets between take.
    assert gateway.mock.ledger()["tokens_served"] - served < 100_000
    known = len(gateway.mock.ledger()["aborts"])
    assert known == 0
    call.leave()
    gateway.mock.ledger_when(lambda ledger: len(ledger["aborts"]) == known + 1)
    assert gateway.access_line(name)["end_reason"] == "client_closed"


def test_a_client_that_stops_reading_is_closed_after_write_timeout(tmp_path):
    with MockProvider() as mock, Gateway(tmp_path, SCENARIOS, mock, QUICK + 'write_timeout = "1s"\n') as gateway:
        name = gateway.name(FAST)
        call = gateway.start(name, stream=True, connection=gateway.connect(receive_buffer=4096))
        call.read_head()
        begun = time.monotonic()
        ledger = mock.ledger_when(lambda ledger: len(ledger["aborts"]) == 1)
        assert 0.5 < ledger["aborts"][-1]["observed_monotonic_us"] / 1e6 - begun < 8
        assert gateway.access_line(name)["end_reason"] == "client_closed"
        eventually(lambda: gateway.records(name) == 1)
        assert call.read_all().ended in ("close", "reset")
        call.leave()


@pytest.mark.memory
@pytest.mark.parametrize("count", [40])
def test_many_stuck_readers_cost_little_each(gateway, count):
    gateway.at_rest()
    before = gateway.resident()
    calls = [gateway.start(gateway.name(FAST), stream=True, connection=gateway.connect(receive_buffer=4096))
             for _ in range(count)]
    for call in calls:
        call.read_head()
    grown = gateway.resident() - before
    for call in calls:
        call.leave()
    assert grown < count * (128 << 10), grown / count
    gateway.at_rest()
