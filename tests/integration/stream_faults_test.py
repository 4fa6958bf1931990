"""What a client gets when a provider breaks its stream, and that the next client does not suffer for it."""

import re
import socket
import time

import pytest

from imposter import Imposter, answer, chunked
from upstream_rig import QUICK, Gateway, Scenarios, eventually, needs_binary, rig

pytestmark = needs_binary

SCENARIOS = Scenarios()


def timed(spec, **settings):
    budgets = {"first_token_timeout": "30s", "idle_timeout": "30s", "total_timeout": "60s"}
    return SCENARIOS.mock(spec, **{**budgets, **settings})


PLAIN = SCENARIOS.mock("tokens=3")
EARLY = {status: SCENARIOS.mock(f"tokens=3;status={status}") for status in (400, 404, 422, 429, 500, 503)}
ERROR_FIRST = SCENARIOS.mock("tokens=9;error-frame=0")
ERROR_AFTER_ROLE = SCENARIOS.mock("tokens=9;error-frame=1")
ERROR_LATE = SCENARIOS.mock("tokens=9;error-frame=4")
BROKEN = {fault: SCENARIOS.mock(f"tokens=9;{fault}") for fault in (
    "close-after=4", "reset-after=4;gap=20ms", "bad-chunk=4;gap=20ms")}
BROKEN_EARLY = {fault: SCENARIOS.mock(f"tokens=9;{fault}") for fault in (
    "close-after=0", "reset-after=0", "close-after=1", "reset-after=1", "bad-chunk=0", "garbage", "redirect=301",
    "redirect=307", "bad-chunk=1")}
HTML = SCENARIOS.mock("tokens=3;html")
JSON_INSTEAD = SCENARIOS.mock("tokens=3;json-instead")
SSE_INSTEAD = SCENARIOS.mock("tokens=3;sse-instead")
EXTRA = SCENARIOS.mock("tokens=3;extra-bytes")
TRUNCATED = SCENARIOS.mock("tokens=30;truncate")
HANG = timed("hang", first_token_timeout="300ms")
STALL_FIRST = {n: timed(f"tokens=9;stall-after={n}", first_token_timeout="300ms") for n in (0, 1)}
STALL_LATER = timed("tokens=9;stall-after=4", idle_timeout="300ms")
ENDLESS = timed("tokens=1m;gap=20ms", total_timeout="400ms")
SLOW_BUT_ALIVE = timed("tokens=6;gap=200ms", idle_timeout="700ms", first_token_timeout="700ms")
LATE = timed("tokens=3;gap=10ms;first=800ms", first_token_timeout="30s", idle_timeout="300ms")

RAW = Imposter()
ELSEWHERE = SCENARIOS.at(RAW.base_url, first_token_timeout="3s", idle_timeout="3s")
gateway = rig(SCENARIOS)


@pytest.mark.parametrize("status", EARLY)
def test_an_error_before_the_stream_is_a_true_http_error(gateway, status):
    name = gateway.name(EARLY[status])
    answer = gateway.ask(name, stream=True)
    kept = status if status < 500 or status == 503 else 502
    assert answer.status == kept
    assert answer.head["content-type"] == "application/json"
    assert answer.error()["message"] and "data:" not in answer.error()["message"]
    assert gateway.access_line(name)["end_reason"] == "upstream_error"
    assert gateway.usage_row(name)["requests"] == 1


@pytest.mark.parametrize("provider", [ERROR_FIRST, ERROR_AFTER_ROLE])
def test_an_error_event_before_content_is_a_true_http_error(gateway, provider):
    name = gateway.name(provider)
    answer = gateway.ask(name, stream=True)
    assert 500 <= answer.status <= 503
    assert answer.error()["message"] and answer.error()["type"] == "server_error"
    assert gateway.access_line(name)["end_reason"] == "upstream_error"


def test_an_error_event_after_content_is_relayed_and_ends_the_stream(gateway):
    name = gateway.name(ERROR_LATE)
    answer = gateway.ask(name, stream=True)
    assert answer.status == 200 and answer.ended == "whole"
    events = answer.events()
    assert "error" in events[-1] and all("error" not in event for event in events[:-1])
    assert gateway.access_line(name)["end_reason"] == "upstream_error"


@pytest.mark.parametrize("fault", BROKEN)
def test_a_break_after_content_is_told_in_the_stream(gateway, fault):
    name = gateway.name(BROKEN[fault])
    answer = gateway.ask(name, stream=True)
    assert answer.status == 200 and answer.ended == "whole"
    *events, error = answer.events()
    assert error["error"]["type"] == "server_error" and error["error"]["code"] == "UPSTREAM_ERROR"
    assert BROKEN[fault] in error["error"]["message"]
    assert len(events) >= 2 and "[DONE]" not in events  # what came before is not lost
    assert answer.body.count(b'"error"') == 1
    assert gateway.access_line(name)["end_reason"] == "upstream_error"
    row = gateway.usage_row(name)
    assert row["requests"] == 1 and row["estimated_requests"] == 1 and row["completion_tokens"] >= 1


@pytest.mark.parametrize(("fault", "stream"), [
    (fault, stream) for fault in BROKEN_EARLY for stream in (False, True)
    if stream or not re.search("after=1|bad-chunk", fault)])
def test_a_break_before_content_is_a_502(gateway, fault, stream):
    name = gateway.name(BROKEN_EARLY[fault])
    answer = gateway.ask(name, stream=stream)
    assert answer.status == 502, answer.body
    assert answer.error()["code"] == "UPSTREAM_ERROR" and answer.error()["message"]
    assert gateway.access_line(name)["end_reason"] == "upstream_error"
    assert gateway.usage_row(name)["requests"] == 1
    assert gateway.mock.ledger()["redirects_followed"] == 0


def test_the_next_client_never_sees_extra_bytes(gateway):
    for stream in (False, True, False, True):
        answer = gateway.ask(gateway.name(EXTRA), stream=stream)
        assert answer.status == 200 and b"poison" not in answer.body


@pytest.mark.parametrize("stream", [False, True])
def test_a_web_page_is_no_answer(gateway, stream):
    name = gateway.name(HTML)
    answer = gateway.ask(name, stream=stream)
    assert answer.status == 502 and answer.head["content-type"] == "application/json"
    assert "text/html" in answer.error()["message"] and "base_url" in answer.error()["message"]
    assert gateway.access_line(name)["end_reason"] == "upstream_error"


@pytest.mark.parametrize("usage", [False, True])
def test_json_instead_of_a_stream_is_said_as_a_stream_and_counted(gateway, usage):
    name = gateway.name(JSON_INSTEAD)
    answer = gateway.ask(name, stream=True, **({"stream_options": {"include_usage": True}} if usage else {}))
    assert answer.status == 200 and answer.head["content-type"] == "text/event-stream; charset=utf-8"
    *chunks, end = answer.events()
    assert end == "[DONE]" and all(one["object"] == "chat.completion.chunk" for one in chunks)
    counted = chunks.pop() if usage else None
    assert counted is None or (counted["choices"] == [] and counted["usage"]["completion_tokens"] == 3)
    role, content, finish = (one["choices"][0] for one in chunks)
    assert role["delta"] == {"role": "assistant", "content": ""} and content["delta"]["content"]
    assert (finish["delta"], finish["finish_reason"]) == ({}, "stop")
    assert gateway.usage_row(name)["completion_tokens"] == 3


def test_a_stream_instead_of_json_is_relayed_as_a_stream_and_counted(gateway):
    name = gateway.name(SSE_INSTEAD)
    answer = gateway.ask(name)
    assert answer.status == 200 and answer.head["content-type"].startswith("text/event-stream")
    assert answer.events()[-1] == "[DONE]"
    assert gateway.usage_row(name)["requests"] == 1


def test_a_body_shorter_than_announced_is_no_whole_answer(gateway):
    name = gateway.name(TRUNCATED)
    answer = gateway.ask(name)
    assert answer.ended != "whole" or answer.status == 502
    assert gateway.access_line(name)["end_reason"] in ("upstream_error", "client_closed")


# Time


def assert_took(begun, least, most):
    """Not before its time, and, on however slow a machine, not by the next larger limit."""
    took = time.monotonic() - begun
    assert least <= took < most, took


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_never_answers_runs_into_first_token_timeout(gateway, stream):
    name = gateway.name(HANG)
    begun = time.monotonic()
    answer = gateway.ask(name, stream=stream)
    assert_took(begun, 0.25, 10)
    assert answer.status == 504 and answer.error()["code"] == "UPSTREAM_TIMEOUT"
    assert "first_token_timeout" in answer.error()["message"] and "300 ms" in answer.error()["message"]
    assert gateway.access_line(name)["end_reason"] == "timeout"
    eventually(lambda: gateway.busy() == 0)


@pytest.mark.parametrize("events", STALL_FIRST)
def test_a_head_or_role_is_no_token(gateway, events):
    answer = gateway.ask(gateway.name(STALL_FIRST[events]), stream=True)
    assert answer.status == 504 and "first_token_timeout" in answer.error()["message"]


def test_a_stall_in_the_stream_runs_into_idle_timeout(gateway):
    name = gateway.name(STALL_LATER)
    begun = time.monotonic()
    answer = gateway.ask(name, stream=True)
    assert_took(begun, 0.25, 10)
    assert answer.status == 200 and answer.ended == "whole"
    error = answer.last_error()
    assert error["code"] == "UPSTREAM_TIMEOUT" and "idle_timeout" in error["message"]
    assert gateway.access_line(name)["end_reason"] == "timeout"


def test_a_stream_without_end_runs_into_total_timeout(gateway):
    name = gateway.name(ENDLESS)
    begun = time.monotonic()
    answer = gateway.ask(name, stream=True)
    assert_took(begun, 0.35, 20)
    assert "total_timeout" in answer.last_error()["message"]
    assert gateway.access_line(name)["end_reason"] == "timeout"
    eventually(lambda: gateway.mock.ledger()["in_progress"] == 0)


@pytest.mark.parametrize("provider", [SLOW_BUT_ALIVE, LATE])
def test_a_slow_stream_is_left_alone(gateway, provider):
    answer = gateway.ask(gateway.name(provider), stream=True)
    assert answer.status == 200 and answer.events()[-1] == "[DONE]"


def test_timeouts_close_the_connection_to_the_provider(gateway):
    gateway.mock.call("POST", "/mock/reset")
    gateway.ask(gateway.name(HANG))
    gateway.mock.ledger_when(lambda ledger: ledger["aborted"] == 1 and ledger["in_progress"] == 0)


# Bytes that only an imposter sends

EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":%s,"completion_tokens":%s,"total_tokens":9}}\n\n'
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def play(gateway, script, stream=True, **how):
    RAW.script = script
    name = gateway.name(ELSEWHERE)
    answer = gateway.ask(name, stream=stream, **how)
    RAW.script = b""
    return name, answer


@pytest.mark.parametrize("stream_text", [
    b": processing\n\n" + EVENT % b"a" + b": more\n\n" + END,
    b"\xef\xbb\xbf" + EVENT % b"a" + END,
    (EVENT % b"a" + END).replace(b"\n", b"\r\n"),
    (EVENT % b"a" + END).replace(b"\n", b"\r"),
    b"event: message\nid: 7\nretry: 1\n" + EVENT % b"a" + END,
    EVENT % b"usage\\\":{\\\"prompt_tokens\\\":9}" + EVENT % b"data: [DONE]\\n\\n" + END,
    b"".join(EVENT % b"x" for _ in range(20000)) + END,
    EVENT % "\U0001f600 é 東".encode() + END,
], ids=["comments", "bom", "crlf", "cr", "fields", "traps", "20000", "utf-8"])
def test_bytes_of_a_stream_are_not_touched(gateway, stream_text):
    for pieces in ([stream_text], [stream_text[:40], stream_text[40:41], stream_text[41:]]):
        name, got = play(gateway, chunked(*pieces))
        assert got.status == 200 and got.ended == "whole"
        assert got.body == stream_text
        assert gateway.access_line(name)["end_reason"] == "completed"


@pytest.mark.parametrize("first", range(8))
def test_every_cut_of_a_short_stream_gives_the_same(gateway, first):
    text = b": hi\n\n" + EVENT % "é€".encode() + USAGE % (b"7", b"2") + END
    stripped = text.replace(USAGE % (b"7", b"2"), b"")
    for at in range(1 + first, len(text), 8):
        name, got = play(gateway, [STREAM_HEAD + b"Content-Length: %d\r\n\r\n" % len(text) + text[:at], 0.0005, text[at:]])
        assert (got.status, got.body, got.ended) == (200, stripped, "whole"), at
        assert gateway.usage_row(name)["completion_tokens"] == 2


def test_a_stream_that_ends_with_its_connection_is_whole_after_done(gateway):
    name, got = play(gateway, [STREAM_HEAD + b"Connection: close\r\n\r\n" + EVENT % b"a" + END, "close"])
    assert got.body == EVENT % b"a" + END and got.ended == "whole"
    assert gateway.access_line(name)["end_reason"] == "completed"


def test_a_stream_that_ends_with_its_connection_is_cut_before_done(gateway):
    name, got = play(gateway, [STREAM_HEAD + b"Connection: close\r\n\r\n" + EVENT % b"a", "close"])
    assert got.last_error()["code"] == "UPSTREAM_ERROR"
    assert gateway.access_line(name)["end_reason"] == "upstream_error"


def test_a_stream_without_a_proper_end_of_its_chunks_is_whole_after_done(gateway):
    text = EVENT % b"a" + END
    begun = time.monotonic()
    name, got = play(gateway, [STREAM_HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(text) + text + b"\r\n", 2.5])
    assert got.body == text and got.ended == "whole"
    assert time.monotonic() - begun < 2.4  # it does not wait for what the client does not need
    assert gateway.access_line(name)["end_reason"] == "completed"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
UNUSABLE = {
    "both framings": HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "negative length": HEAD + b"Content-Length: -2\r\n\r\n{}",
    "bad coding": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "no HTTP": b"hello\r\n\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "long status line": b"HTTP/1.1 200 " + b"O" * 100_000 + b"\r\n\r\n",
    "10000 fields": b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 10_000 + b"\r\n",
    "folded": HEAD + b"X-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{}",
    "NUL": HEAD + b"X-A: \0\r\nContent-Length: 2\r\n\r\n{}",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "many 100s": b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000 + answer(b"{}"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", UNUSABLE)
def test_an_answer_that_is_not_proper_http_is_a_502(gateway, fault, stream):
    name, got = play(gateway, [UNUSABLE[fault]], stream=stream)
    assert got.status == 502 and got.error()["code"] == "UPSTREAM_ERROR", got.body
    assert gateway.usage_row(name)["requests"] == 1
    _, good = play(gateway, [answer(b'{"fine":1}')], stream=False)
    assert good.json() == {"fine": 1}


def test_a_chunk_that_is_none_cuts_a_plain_answer(gateway):
    name, got = play(gateway, [HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\nxyz\r\n", 0.05, "close"], stream=False)
    assert got.status == 502 or got.ended in ("close", "reset")
    assert gateway.access_line(name)["end_reason"] == "upstream_error"


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_that_has_no_body_does_not_confuse_the_next(gateway, status):
    _, got = play(gateway, [b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\nhello" % status], stream=False)
    assert got.status in (200, 204, 502)
    _, good = play(gateway, [answer(b'{"fine":1}')], stream=False)
    assert good.json() == {"fine": 1}


@pytest.mark.parametrize(("usage", "counted"), [
    ((b"7", b"2"), (7, 2)), ((b"-7", b"2"), None), ((b'"7"', b"2"), None), ((b"18446744073709551616", b"2"), None)])
def test_usage_that_makes_no_sense_is_not_counted(gateway, usage, counted):
    name, got = play(gateway, chunked(EVENT % b"abcd" * 4, USAGE % usage, END))
    row = gateway.usage_row(name)
    assert 0 <= row["prompt_tokens"] < 10 ** 9 and 0 <= row["completion_tokens"] < 10 ** 9
    if counted:
        assert (row["prompt_tokens"], row["completion_tokens"]) == counted
    assert got.body == EVENT % b"abcd" * 4 + END or usage[0] != b"7"


def test_the_last_valid_usage_counts(gateway):
    name, _ = play(gateway, chunked(EVENT % b"a", USAGE % (b"1", b"1"), USAGE % (b"7", b"3"), END))
    assert gateway.usage_row(name)["completion_tokens"] == 3


class EarlyRefusal(Imposter):
    """Answers after the head, and does not read the rest."""

    def _read(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(1024)
            if not piece:
                return False
            head += piece
        size = int(re.search(rb"Content-Length: (\d+)", head)[1])
        # The connection may be kept only if nobody knows better than this provider that the request is not over.
        connection.sendall(answer(b'{"error":{"message":"too big","type":"invalid_request_error","code":null}}',
                                  "413 Content Too Large", "application/json",
                                  "Connection: " + ("close" if size < 10_000 else "keep-alive")))
        time.sleep(self.script)
        return False


EARLY_AND_GONE = EarlyRefusal(0)
EARLY_AND_STAYING = EarlyRefusal(8)
REFUSES_EARLY = {name: SCENARIOS.at(imposter.base_url, first_token_timeout="6s", idle_timeout="6s")
                 for name, imposter in (("gone", EARLY_AND_GONE), ("staying", EARLY_AND_STAYING))}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("how", REFUSES_EARLY)
def test_an_answer_before_the_request_is_read_is_relayed(gateway, how, stream):
    got = gateway.ask(gateway.name(REFUSES_EARLY[how]), stream=stream, padding="x" * (24 << 20))
    assert got.status == 413 and got.error()["message"] == "too big"  # and not 504 after idle_timeout
    before = EARLY_AND_STAYING.accepted  # behind half a request no other may follow
    assert gateway.ask(gateway.name(REFUSES_EARLY["staying"])).status == 413
    assert EARLY_AND_STAYING.accepted == before + 1


def test_a_provider_that_does_not_read_runs_into_idle_timeout(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        scenarios = Scenarios()
        provider = scenarios.at(f"http://127.0.0.1:{deaf.getsockname()[1]}/v1", idle_timeout="300ms")
        with Gateway(tmp_path, scenarios, None, QUICK) as gateway:
            got = gateway.ask(gateway.name(provider), padding="x" * (24 << 20))
            assert got.status == 504 and "idle_timeout" in got.error()["message"]


# A stream that breaks inside an event

PARTIAL = b'data: {"choices":[{"index":0,"delta":{"half'


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("framing", [b"Connection: close\r\n\r\n", b"Content-Length: 99999\r\n\r\n"])
@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}])
def test_an_error_behind_half_an_event_can_be_read(gateway, options, framing, end):
    name, got = play(gateway, [STREAM_HEAD + framing + EVENT % b"a", 0.02, PARTIAL, 0.05, end], **options)
    assert got.status == 200 and got.ended == "whole"
    first, *_, error, rest = got.body.split(b"\n\n")
    assert first + b"\n\n" == EVENT % b"a" and rest == b""
    assert error.startswith(b'data: {"error":{')
    if not options:
        assert PARTIAL not in got.body  # nobody can read it
    assert gateway.access_line(name)["end_reason"] == "upstream_error"


def test_a_last_event_without_its_blank_line_is_kept(gateway):
    text = EVENT % b"a" + END
    _, got = play(gateway, [STREAM_HEAD + b"Connection: close\r\n\r\n" + text[:-2], "close"])
    assert got.body == text[:-2]
