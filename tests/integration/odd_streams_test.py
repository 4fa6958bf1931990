"""Streams that are none: a line that never ends (dialect x before or after content x fallback given or none; each cell
takes as much as the gateway is ready to put together, so they run one after the other), and a whole answer for a client who
awaits a stream."""

import itertools
import json

import pytest

from fault_provider import DIALECTS, PATHS, TEXT, FaultProvider
from upstream_rig import Call, Gateway, Scenarios, breaking_after, eventually, needs_binary

pytestmark = needs_binary

CELLS = list(itertools.product(DIALECTS, (False, True), (False, True)))  # dialect, content before it, fallback given


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with FaultProvider() as provider, FaultProvider() as spare:
        scenarios = Scenarios()
        for name, path in PATHS.items():
            scenarios.providers[name] = {"base_url": provider.address + path, "api_key": "sk-x"}
        scenarios.providers["spare"] = {"base_url": spare.address + "/v1", "api_key": "sk-spare"}
        with Gateway(tmp_path_factory.mktemp("gateway"), scenarios, None, breaking_after(1)) as running:
            yield running


@pytest.mark.parametrize("dialect, later, with_spare", CELLS)
def test_a_line_without_an_end(gateway, dialect, later, with_spare):
    number = CELLS.index((dialect, later, with_spare))
    model, spare = f"{dialect}/endless-event{'-later' if later else ''}.{number}", f"spare/good.{number}"
    answer = gateway.ask(model, stream=True, **({"fallback": [spare]} if with_spare else {}))
    line = gateway.access_line(model)
    assert answer.ended == "whole"
    if later:
        # What came, what had been passed on of the line at most, then one clean error and no end mark.
        assert answer.status == 200 and TEXT.encode() in answer.body and b"[DONE]" not in answer.body
        *_, last = answer.body.rstrip(b"\n").split(b"\n\n")
        assert last.startswith(b"data: ") and "too long" in json.loads(last[6:])["error"]["message"]
        assert (line["status"], line["end_reason"], line["model_served"]) == (200, "upstream_error", model)
    elif with_spare:
        assert answer.status == 200 and TEXT.encode() in answer.body and answer.events()[-1] == "[DONE]"
        assert answer.head["x-concurred-fallback"] == f"{model};error"
        assert (line["end_reason"], line["fallback_from"], line["model_served"]) == ("completed", model, spare)
    else:
        assert (answer.status, answer.head["content-type"]) == (502, "application/json")
        assert answer.error()["code"] == "UPSTREAM_ERROR" and "too long" in answer.error()["message"]
        assert (line["status"], line["end_reason"]) == (502, "upstream_error")
    series = f'concurred_upstream_breakers{{provider="{dialect}",model="{model}",state="open"}}'
    eventually(lambda: gateway.metrics().get(series, 0) == 1, "the breaker of the model")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("usage", [False, True])
def test_a_whole_completion_is_said_as_a_stream(gateway, dialect, usage):
    model = f"{dialect}/not-a-stream.{usage}"
    answer = gateway.ask(model, stream=True, **({"stream_options": {"include_usage": True}} if usage else {}))
    assert answer.status == 200 and answer.head["content-type"].startswith("text/event-stream")
    *chunks, end = answer.events()
    assert end == "[DONE]"
    counted = chunks.pop() if usage else {"choices": [], "usage": {"total_tokens": 7}}
    assert counted["choices"] == [] and counted["usage"]["total_tokens"] == 7
    role, content, finish = (chunk["choices"][0] for chunk in chunks)
    assert role["delta"] == {"role": "assistant", "content": ""}
    assert content["delta"] == {"content": TEXT} and content["finish_reason"] is None
    assert (finish["delta"], finish["finish_reason"]) == ({}, "stop")
    line = gateway.access_line(model)
    assert (line["end_reason"], line["input_tokens"], line["output_tokens"]) == ("completed", 5, 2)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_that_does_not_say_its_type_is_one_all_the_same(gateway, dialect):
    model = f"{dialect}/untyped-stream.1"
    answer = gateway.ask(model, stream=True)
    assert answer.status == 200 and answer.head["content-type"].startswith("text/event-stream")
    *chunks, end = answer.events()
    assert end == "[DONE]"
    assert "".join(one["choices"][0]["delta"].get("content") or "" for one in chunks if isinstance(one, dict)) == TEXT
    assert gateway.access_line(model)["output_tokens"] == 2


def post(gateway, path, **body):
    octets = json.dumps({**body, "stream": True}).encode()
    connection = gateway.connect()
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {gateway.key}\r\n"
                       f"Content-Length: {len(octets)}\r\n\r\n".encode() + octets)
    with Call(connection) as call:
        call.read_all()
    assert call.status == 200 and call.head["content-type"].startswith("text/event-stream")
    events = [dict(line.split(": ", 1) for line in event.split("\n")) for event in call.body.decode().split("\n\n")[:-1]]
    assert all(json.loads(event["data"])["type"] == event["event"] for event in events)
    return [json.loads(event["data"]) for event in events]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_whole_message_is_said_as_anthropics_stream(gateway, dialect):
    model = f"{dialect}/not-a-stream.message"
    events = post(gateway, "/api/v1/messages", model=model, max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
    assert [event["type"] for event in events] == ["message_start", "content_block_start", "content_block_delta",
                                                   "content_block_stop", "message_delta", "message_stop"]
    assert events[2]["delta"] == {"type": "text_delta", "text": TEXT}
    assert events[4]["delta"]["stop_reason"] == "end_turn" and events[4]["usage"]["output_tokens"] == 2
    assert gateway.access_line(model)["output_tokens"] == 2


def test_a_whole_response_is_said_as_a_stream_of_responses(gateway):
    model = "openai/whole-response.1"
    events = post(gateway, "/api/v1/responses", model=model, input="Hi")
    assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")
    assert [event["delta"] for event in events if event["type"] == "response.output_text.delta"] == [TEXT]
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == TEXT
    assert gateway.access_line(model)["output_tokens"] == 2


@pytest.mark.parametrize("path", ["embeddings", "responses"])
def test_an_error_that_comes_as_a_success_is_one_at_the_other_endpoints_too(gateway, path):
    model = f"openai/error-200.{path}"
    octets = json.dumps({"model": model, "input": "Hi"}).encode()
    connection = gateway.connect()
    connection.sendall(f"POST /api/v1/{path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {gateway.key}\r\n"
                       f"Content-Length: {len(octets)}\r\n\r\n".encode() + octets)
    with Call(connection) as call:
        call.read_all()
    assert call.status == 503 and call.error()["code"] == "upstream_overloaded"
    assert gateway.access_line(model)["end_reason"] == "upstream_error"
