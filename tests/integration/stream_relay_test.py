"""Streams reach the client as the provider made them, and when it made them."""

import re
import time

import pytest

from upstream_rig import Call, Scenarios, chat, eventually, needs_binary, rig

pytestmark = needs_binary

SCENARIOS = Scenarios()
PLAIN = SCENARIOS.mock("tokens=20")
TOOLS = SCENARIOS.mock("tokens=20;tool=2;reasoning=5;obfuscation")
SLOW = SCENARIOS.mock("tokens=4;gap=400ms")
EARLY_HEAD = SCENARIOS.mock("tokens=2;first=300ms;gap=300ms;early-head")
BIG = SCENARIOS.mock("tokens=340000;group=64")
HUGE = SCENARIOS.mock("tokens=3;huge-line=1m")
HUGE_FRAMED = SCENARIOS.mock("tokens=3;huge-line=1m;frame=4093")
CUTS = {cut: SCENARIOS.mock(f"tokens=3;{cut}") for cut in (
    "split=1", "split=2", "split=3", "split=7", "split=13", "split=1;split-gap=20us", "frame=1", "frame=5;split=3",
    "frame=17", "group=20", "group=5;frame=100")}
NO_USAGE = SCENARIOS.mock("tokens=8;chunk=4;no-usage")
NO_DONE = SCENARIOS.mock("tokens=3;no-done")
NO_DONE_NO_USAGE = SCENARIOS.mock("tokens=3;no-done;no-usage")
NOISY = SCENARIOS.mock("tokens=3;noisy;ratelimits;headers=20")
CACHED = SCENARIOS.mock("tokens=11;prompt=100;cached=64;reasoning=3")
INTERIM = SCENARIOS.mock("tokens=3;100s=2")
HEAD_SLOWLY = SCENARIOS.mock("tokens=3;slow-head=300ms")
gateway = rig(SCENARIOS)


def same(body):
    """Without what is new in each answer."""
    return re.sub(rb'"id":"(chatcmpl|call)[-_][^"]*"|"created":\d+', b"", body)


def of_the_mock(gateway, provider, name, body):
    """The bytes that the mock itself sends for `body`."""
    spec = SCENARIOS.providers[provider]["mock"]
    connection = gateway.mock.connect()
    key = f"Authorization: Bearer sk-mock-{spec}"
    body = body.replace(name.encode(), name.split("/")[1].encode())
    connection.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\n{key}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                       + body)
    with Call(connection) as call:
        return call.read_all().body


WITH_USAGE = {"stream_options": {"include_usage": True}}


@pytest.mark.parametrize("provider", [PLAIN, TOOLS, CUTS["split=7"], NOISY, CACHED, INTERIM, HEAD_SLOWLY])
def test_a_stream_is_relayed_byte_for_byte(gateway, provider):
    name = gateway.name(provider)
    body = chat(name, stream=True, **WITH_USAGE)
    expected = of_the_mock(gateway, provider, name, body)
    answer = gateway.ask(None, body=body)
    assert answer.status == 200 and answer.ended == "whole"
    assert same(answer.body) == same(expected)
    assert answer.events()[-1] == "[DONE]"


def test_the_head_of_a_stream_is_fit_for_proxies(gateway):
    head = gateway.ask(gateway.name(NOISY), stream=True).head
    assert head["content-type"].startswith("text/event-stream")
    assert head["cache-control"] == "no-cache, no-transform"
    assert head["x-accel-buffering"] == "no"
    assert head["transfer-encoding"] == "chunked" and "content-length" not in head.by_name
    assert {"x-request-id", "server-timing", "x-ratelimit-limit"} <= set(head.by_name)
    for name in ("set-cookie", "server", "via", "alt-svc", "openai-organization", "openai-processing-ms"):
        assert name not in head.by_name
    # Its limits are those of the platform's key, not of the caller.
    assert head["x-ratelimit-limit-requests"] == "1000000" and "x-ratelimit-limit-tokens" not in head.by_name


def test_a_plain_answer_carries_nothing_of_the_providers_head(gateway):
    ours = set(gateway.ask(gateway.name(PLAIN)).head.by_name)
    assert set(gateway.ask(gateway.name(NOISY)).head.by_name) == ours


@pytest.mark.parametrize("options", [{}, {"stream_options": {}}, {"stream_options": {"include_usage": False}}])
@pytest.mark.parametrize("cut", CUTS)
def test_the_usage_event_is_taken_out_however_the_bytes_are_cut(gateway, cut, options):
    name = gateway.name(CUTS[cut])
    body = chat(name, stream=True, **options)
    expected = of_the_mock(gateway, CUTS[cut], name, chat(name, stream=True))
    expected = b"".join(event + b"\n\n" for event in expected.split(b"\n\n")[:-1] if b'"choices":[]' not in event)
    answer = gateway.ask(None, body=body)
    without_null_usage = lambda text: text.replace(b',"usage":null', b"")  # the mock was asked for usage
    assert without_null_usage(same(answer.body)) == same(expected)
    assert answer.ended == "whole" and answer.events()[-1] == "[DONE]"
    assert gateway.usage_row(name)["estimated_requests"] == 0


@pytest.mark.parametrize("cut", CUTS)
def test_the_usage_event_stays_when_asked_for_however_the_bytes_are_cut(gateway, cut):
    name = gateway.name(CUTS[cut])
    answer = gateway.ask(name, stream=True, **WITH_USAGE)
    *_, usage, done = answer.events()
    assert done == "[DONE]" and usage["choices"] == []
    row = gateway.usage_row(name)
    assert row["prompt_tokens"] == usage["usage"]["prompt_tokens"]
    assert row["completion_tokens"] == usage["usage"]["completion_tokens"]


def test_events_arrive_as_they_are_made(gateway):
    with gateway.start(gateway.name(SLOW), stream=True) as call:
        call.read_all()
    times = [at for at, piece in call.pieces if re.search(rb'"content":"[^"]', piece)]
    assert len(times) == 4
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert all(gap > 0.2 for gap in gaps), gaps


def test_the_first_event_arrives_before_the_second_is_made(gateway):
    with gateway.start(gateway.name(SLOW), stream=True) as call:
        call.until(b'"content":"The')
        assert gateway.mock.ledger()["in_progress"] == 1
        assert call.body.count(b"data: {") <= 2
        call.read_all()


def test_the_status_waits_for_the_first_content(gateway):
    begun = time.monotonic()
    with gateway.start(gateway.name(EARLY_HEAD), stream=True) as call:
        call.read_head()
        assert time.monotonic() - begun > 0.25
        call.until(b'"content":"The')


@pytest.mark.memory
def test_a_stream_of_64_mib_passes_in_flat_memory(gateway):
    gateway.ask(gateway.name(PLAIN), stream=True)
    before = gateway.resident()
    size, most, tail = 0, 0, b""
    with gateway.start(gateway.name(BIG), stream=True) as call:
        call.read_head()
        assert call.status == 200
        while piece := call.read_piece():
            if (size + len(piece)) >> 22 != size >> 22:
                most = max(most, gateway.resident())
            size += len(piece)
            tail = (tail + piece)[-200:]
            call.body, call.pieces = b"", []
    assert size > 64 << 20 and call.ended == "whole"
    assert tail.endswith(b"data: [DONE]\n\n")
    assert most - before < 2 << 20, (before, most)


@pytest.mark.parametrize("options", [{}, WITH_USAGE])
@pytest.mark.parametrize("provider", [HUGE, HUGE_FRAMED])
def test_a_line_of_1_mib_passes(gateway, provider, options):
    name = gateway.name(provider)
    answer = gateway.ask(name, stream=True, **options)
    events = answer.events()
    assert events[-1] == "[DONE]" and answer.ended == "whole"
    assert max(len(e["choices"][0]["delta"].get("content") or "") for e in events[:-1] if e["choices"]) >= 1 << 20
    assert gateway.usage_row(name)["estimated_requests"] == 0


def test_without_done_a_finished_stream_is_whole(gateway):
    name = gateway.name(NO_DONE)
    answer = gateway.ask(name, stream=True)
    assert answer.ended == "whole"
    assert answer.events()[-1]["choices"][0]["finish_reason"] == "stop"
    assert gateway.access_line(name)["end_reason"] == "completed"


@pytest.mark.parametrize("provider", [NO_USAGE, NO_DONE_NO_USAGE])
def test_usage_that_does_not_come_is_estimated(gateway, provider):
    name = gateway.name(provider)
    assert gateway.ask(name, stream=True).ended == "whole"
    row = gateway.usage_row(name)
    assert row["estimated_requests"] == 1
    octets = 32 if provider == NO_USAGE else 12
    assert row["completion_tokens"] == octets // 4 and row["prompt_tokens"] > 0


def test_two_streams_follow_one_another_on_one_connection(gateway):
    connection = gateway.connect()
    for _ in range(3):
        call = gateway.start(gateway.name(PLAIN), stream=True, connection=connection)
        assert call.read_all().ended == "whole" and call.buffer == b""
    connection.close()


def test_many_streams_at_once_do_not_mix(gateway):
    calls = [gateway.start(gateway.name(PLAIN), stream=True, seed=i) for i in range(50)]
    for call in calls:
        with call:
            events = call.read_all().events()
        assert events[-1] == "[DONE]"
        assert len({event["id"] for event in events[:-1]}) == 1
    eventually(lambda: gateway.busy() == 0)
