"""Chat completions that models of Anthropic answer, over real sockets."""

import json
import socket

import pytest

from anthropic_rig import (CLOSE, ERROR, KEY, MESSAGE, OPEN, PING, START, STOP, STREAM, Rig, chunks, end, event, own_model,
                           text)
from harness import eventually, needs_binary, post
from imposter import answer, chunked

pytestmark = needs_binary


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    settings = {"providers.anthropic.idle_timeout": "1s", "limits.keepalive_comment": "300ms"}
    with Rig(tmp_path_factory.mktemp("gateway"), settings) as running:
        yield running


def test_the_request_goes_out_in_the_providers_words(rig):
    rig.anthropic.script = answer(json.dumps(MESSAGE).encode())
    got = rig.chat(messages=[{"role": "system", "content": "Short."}, {"role": "user", "content": "Hi"}], seed=1,
                   temperature=0.5)
    assert got.status == 200
    head, body = rig.anthropic.requests[-1]
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/messages HTTP/1.1"
    assert "x-api-key: " + KEY in lines and "anthropic-version: 2023-06-01" in lines
    assert not [line for line in lines if line.lower().startswith("authorization")]
    assert json.loads(body) == {
        "model": "claude-sonnet-4-5", "max_tokens": 64000, "system": [{"type": "text", "text": "Short."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], "temperature": 0.5}
    assert got.get("X-Concurred-Dropped-Params") == "seed"


def test_a_whole_answer_comes_back_in_openais_words_with_its_usage(rig):
    model = own_model()
    rig.anthropic.script = answer(json.dumps(MESSAGE).encode())
    got = rig.chat(model="anthropic/" + model)
    assert got.status == 200 and got.get("Content-Type") == "application/json"
    body = got.json()
    assert body["object"] == "chat.completion"
    choice = body["choices"][0]
    assert choice["message"]["content"] == "Grüezi" and choice["finish_reason"] == "tool_calls"
    assert json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"]) == {"a": [1, 2]}
    assert body["usage"]["prompt_tokens"] == 170 and body["usage"]["completion_tokens"] == 10
    assert body["usage"]["prompt_tokens_details"]["cached_tokens"] == 50
    expected = (1, 100, 50, 20, 6, 4)
    eventually(lambda: rig.usage(model) == expected, "the usage record")


@pytest.mark.parametrize("cut", [1, 7, 100, 100_000])
def test_a_stream_is_the_same_however_it_is_cut(rig, cut):
    rig.anthropic.script = chunked(*[STREAM[i:i + cut] for i in range(0, len(STREAM), cut)])
    got = rig.chat(stream=True, stream_options={"include_usage": True})
    assert got.status == 200 and got.get("Content-Type").startswith("text/event-stream")
    assert got.get("Cache-Control") == "no-cache, no-transform"
    parts = chunks(got.body)
    assert parts[-1] == "[DONE]"
    assert parts[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(p["choices"][0]["delta"].get("content", "") for p in parts[:-2]) == "Grüezi mitenand"
    assert parts[-3]["choices"][0]["finish_reason"] == "stop"
    assert parts[-2]["choices"] == [] and parts[-2]["usage"]["total_tokens"] == 180
    assert {p["id"] for p in parts[:-1]} == {"msg_01"}
    for native in (b"message_start", b"text_delta", b"end_turn", b"input_tokens"):
        assert native not in got.body


def test_without_being_asked_a_stream_carries_no_usage(rig):
    rig.anthropic.script = chunked(STREAM)
    got = rig.chat(stream=True)
    assert all("usage" not in part for part in chunks(got.body)[:-1])


def test_an_error_before_content_is_an_http_error(rig):
    rig.anthropic.script = chunked(START, PING, event(**ERROR))
    got = rig.chat(stream=True, retries=0)
    assert got.status == 503 and got.error()["code"] == "upstream_overloaded"
    rig.anthropic.script = answer(json.dumps(ERROR).encode(), "529 Overloaded")
    assert rig.chat(stream=True, retries=0).status == 503
    rig.anthropic.script = answer(json.dumps(
        {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long"}}).encode(),
        "400 Bad Request")
    got = rig.chat()
    assert got.status == 400 and got.error()["message"] == "prompt is too long"


def test_a_refused_platform_key_is_not_the_callers_fault(rig):
    rig.anthropic.script = answer(json.dumps(
        {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key " + KEY}}).encode(),
        "401 Unauthorized")
    got = rig.chat()
    assert got.status == 502 and got.error()["code"] == "upstream_authentication_failed"
    assert KEY.encode() not in got.body


def test_an_error_after_content_is_one_frame_and_no_end(rig):
    rig.anthropic.script = chunked(START, OPEN, text("Half"), event(**ERROR), text("never"))
    got = rig.chat(stream=True)
    assert got.status == 200
    parts = chunks(got.body)
    assert parts[-1]["error"]["code"] == "upstream_overloaded"
    assert b"[DONE]" not in got.body and b"never" not in got.body


@pytest.mark.parametrize("script", [chunked(START, OPEN, text("Half")), [chunked(START, OPEN, text("Half"))[:-5], "close"]])
def test_a_stream_that_breaks_off_says_so_and_counts_what_is_known(rig, script):
    model = own_model()
    rig.anthropic.script = script
    got = rig.chat(model="anthropic/" + model, stream=True)
    parts = chunks(got.body)
    assert "error" in parts[-1] and b"[DONE]" not in got.body
    # Its input was told at the beginning; four octets of text are a token.
    expected = (1, 100, 50, 20, 1, 0)
    eventually(lambda: rig.usage(model) == expected, "the usage record")


def test_a_silent_stream_gets_comments_and_then_its_content(rig):
    whole = chunked(STREAM)
    rig.anthropic.script = [whole[:whole.index(b"\r\n\r\n") + 4], 0.8,
                            whole[whole.index(b"\r\n\r\n") + 4:]]
    got = rig.chat(stream=True)
    assert got.status == 200
    assert got.body.startswith(b": keep-alive\n\n")
    assert chunks(got.body)[-1] == "[DONE]"


def test_a_stalled_stream_ends_with_an_error(rig):
    whole = chunked(START, OPEN, text("Half"))
    rig.anthropic.script = [whole[:-5], 5]
    got = rig.chat(stream=True)
    parts = chunks(got.body)
    assert parts[-1]["error"]["code"] == "UPSTREAM_TIMEOUT"


def test_a_client_that_leaves_ends_the_providers_work(rig):
    whole = chunked(START, OPEN, text("Half"))
    rig.anthropic.script = [whole[:-5], 30]
    rig.anthropic.closed_at.clear()
    connection = rig.gateway.connect()
    body = json.dumps({"model": "claude-sonnet-4-5", "stream": True, "messages": [{"role": "user", "content": "x"}]})
    connection.send(post("/api/v1/chat/completions", body, rig.gateway.authorization))
    assert connection.read_head().status == 200
    upstream = rig.anthropic.connections[-1]
    connection.close()

    def gone():
        try:
            upstream.setblocking(False)
            return upstream.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    eventually(gone, "the provider to be left")


def test_garbage_is_an_error(rig):
    for script in (answer(b"[]"), answer(b'{"type":"message"}'), chunked(b"data: {oops\n\n"),
                   answer(b"<html>", content_type="text/html")):
        rig.anthropic.script = script
        got = rig.chat(stream=True, retries=0)
        assert got.status == 502, (script, got)


def test_models_of_anthropic_are_listed(rig):
    got = rig.gateway.ask(post("/api/v1/models", "", rig.gateway.authorization).replace(b"POST", b"GET", 1))
    ids = {entry["id"] for entry in got.json()["data"]}
    assert {"claude", "claude-sonnet-4-5"} <= ids


def test_what_anthropic_cannot_do_is_refused_by_name(rig):
    count = len(rig.anthropic.requests)
    got = rig.chat(n=2)
    assert got.status == 400 and got.error()["param"] == "n"
    assert len(rig.anthropic.requests) == count


def test_the_end_and_its_event_may_come_apart(rig):
    rig.anthropic.script = chunked(START, OPEN, text("Hi"), CLOSE, end("max_tokens"))
    parts = chunks(rig.chat(stream=True).body)
    assert parts[-1] == "[DONE]" and parts[-2]["choices"][0]["finish_reason"] == "length"
    assert STOP not in rig.anthropic.script
