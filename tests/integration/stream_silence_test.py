"""A stream that is silent for long gets comments, so that nobody on the way gives it up."""

import pytest

from imposter import Imposter, answer, chunked
from upstream_rig import QUICK, Scenarios, needs_binary, rig

pytestmark = needs_binary

SCENARIOS = Scenarios()
LATE = SCENARIOS.mock("tokens=3;first=700ms")
GAPS = SCENARIOS.mock("tokens=3;gap=500ms")
LIVELY = SCENARIOS.mock("tokens=40;gap=20ms")
LATE_ERROR = SCENARIOS.mock("tokens=3;first=500ms;status=400")
NEVER = SCENARIOS.mock("hang", first_token_timeout="600ms")
RAW = Imposter()
ELSEWHERE = SCENARIOS.at(RAW.base_url)
gateway = rig(SCENARIOS, QUICK + 'keepalive_comment = "100ms"\n')

COMMENT = b": keep-alive\n\n"
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def test_before_the_first_token_the_answer_begins_with_comments(gateway):
    name = gateway.name(LATE)
    got = gateway.ask(name, stream=True)
    assert got.status == 200 and got.head["content-type"].startswith("text/event-stream")
    assert got.head["x-accel-buffering"] == "no"
    assert got.body.startswith(COMMENT) and 2 <= got.body.count(COMMENT) <= 7
    assert got.body.endswith(b"data: [DONE]\n\n")
    assert gateway.access_line(name)["end_reason"] == "completed"


def test_between_tokens_too(gateway):
    got = gateway.ask(gateway.name(GAPS), stream=True)
    assert not got.body.startswith(COMMENT) and got.body.count(COMMENT) >= 4
    events = [event for event in got.events() if event != COMMENT.decode().strip()]
    assert events[-1] == "[DONE]" and all(isinstance(event, dict) for event in events[:-1])


def test_a_plain_answer_gets_none(gateway):
    got = gateway.ask(gateway.name(LATE))
    assert got.json()["object"] == "chat.completion"


@pytest.mark.parametrize(("provider", "code", "reason"), [
    (LATE_ERROR, None, "upstream_error"), (NEVER, "UPSTREAM_TIMEOUT", "timeout")])
def test_an_error_after_comments_comes_in_the_stream(gateway, provider, code, reason):
    name = gateway.name(provider)
    got = gateway.ask(name, stream=True)
    assert got.status == 200 and got.body.startswith(COMMENT) and got.ended == "whole"
    error = got.last_error()
    assert error["message"] and (code is None or error["code"] == code)
    assert gateway.access_line(name)["end_reason"] == reason
    assert gateway.usage_row(name)["requests"] == 1


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}])
def test_no_comment_inside_an_event(gateway, options):
    half = EVENT % b"second"
    text = EVENT % b"first" + half + END
    cut = len(EVENT % b"first") + 20
    RAW.script = [b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(text) + text[:cut],
                  0.5, text[cut:]]
    got = gateway.ask(gateway.name(ELSEWHERE), stream=True, **options)
    assert got.body.replace(COMMENT, b"") == text
    assert half in got.body


@pytest.mark.parametrize("late", [answer(b'{"choices":[]}'), answer(b"<p>", "200 OK", "text/html")])
def test_something_else_than_a_stream_after_comments_is_an_error(gateway, late):
    RAW.script = [0.4, late]
    got = gateway.ask(gateway.name(ELSEWHERE), stream=True)
    assert got.body.startswith(COMMENT) and got.last_error()["code"] == "UPSTREAM_ERROR"


def test_leaving_during_the_silence_is_noticed(gateway):
    known = len(gateway.mock.ledger()["aborts"])
    name = gateway.name(LATE)
    call = gateway.start(name, stream=True).until(COMMENT)
    call.leave()
    gateway.mock.ledger_when(lambda ledger: len(ledger["aborts"]) == known + 1)
    assert gateway.access_line(name)["end_reason"] == "client_closed"


def test_a_lively_stream_gets_no_comment(gateway):
    RAW.script = chunked(EVENT % b"a" + END)
    assert COMMENT not in gateway.ask(gateway.name(ELSEWHERE), stream=True).body
