"""POST /api/v1/messages: Anthropic's own dialect in, to Anthropic byte for byte and to others translated."""

import json

import pytest

from anthropic_rig import ERROR, KEY, MESSAGE, OPEN, START, STREAM, Rig, event, events, own_model, text
from harness import eventually, needs_binary
from imposter import answer, chunked

pytestmark = needs_binary


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with Rig(tmp_path_factory.mktemp("gateway")) as running:
        yield running


def anthropic_error(got):
    assert got.get("Content-Type") == "application/json"
    body = got.json()
    assert sorted(body) == ["error", "request_id", "type"] and body["type"] == "error"
    assert sorted(body["error"]) == ["message", "type"] and body["error"]["message"]
    assert body["request_id"] == got.get("X-Request-ID")
    return body["error"]["type"]


def test_to_anthropic_the_body_goes_as_it_came(rig):
    rig.anthropic.script = answer(json.dumps(MESSAGE).encode())
    body = ('{ "max_tokens": 5,\n "model": "claude-sonnet-4-5", "thinking": {"type":"adaptive"}, '
            '"context_management": {"edits": []}, "messages": [{"role":"user","content":"H\\u00e9"}] }')
    got = rig.messages("x-api-key: " + rig.gateway.key, "anthropic-version: 2024-01-01", "anthropic-beta: a-1,b-2",
                       "Anthropic-Dangerous-Direct-Browser-Access: true", "X-Other: 1", body=body,
                       path="/api/v1/messages?beta=true")
    assert got.status == 200
    head, sent = rig.anthropic.requests[-1]
    assert sent.decode() == body
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /v1/messages?beta=true http/1.1"
    assert "anthropic-beta: a-1,b-2" in lines and "anthropic-version: 2024-01-01" in lines
    assert "anthropic-dangerous-direct-browser-access: true" in lines
    assert lines.count("x-api-key: " + KEY) == 1 and rig.gateway.key.lower() not in head.decode().lower()
    assert not [line for line in lines if line.startswith("x-other")]
    # And so does the answer.
    assert got.body == json.dumps(MESSAGE).encode()
    assert got.get("request-id") == got.get("X-Request-ID")


def test_an_alias_is_resolved_and_nothing_else_is_touched(rig):
    rig.anthropic.script = answer(json.dumps(MESSAGE).encode())
    assert rig.messages(model="claude").status == 200
    _, sent = rig.anthropic.requests[-1]
    assert json.loads(sent)["model"].startswith("claude-")
    assert b"anthropic-version: 2023-06-01" in rig.anthropic.requests[-1][0]


@pytest.mark.parametrize("cut", [1, 9, 100_000])
def test_a_stream_of_anthropic_is_the_same_octets_and_counted(rig, cut):
    model = own_model()
    rig.anthropic.script = chunked(*[STREAM[i:i + cut] for i in range(0, len(STREAM), cut)])
    got = rig.messages(model="anthropic/" + model, stream=True)
    assert got.status == 200 and got.body == STREAM
    expected = (1, 100, 50, 20, 10, 0)
    eventually(lambda: rig.usage(model) == expected, "the usage record")


def test_errors_have_anthropics_form(rig):
    assert anthropic_error(rig.messages("x-api-key: ck_wrong")) == "authentication_error"
    assert anthropic_error(rig.messages(body="{")) == "invalid_request_error"
    assert anthropic_error(rig.messages(model="no-such-model")) in ("invalid_request_error", "not_found_error")
    rig.anthropic.script = answer(json.dumps(ERROR).encode(), "529 Overloaded")
    got = rig.messages()
    assert got.status == 503 and anthropic_error(got) == "overloaded_error"
    rig.anthropic.script = chunked(START, event(**ERROR))
    got = rig.messages(stream=True)
    assert got.status == 503 and anthropic_error(got) == "overloaded_error"
    rig.anthropic.script = chunked(START, OPEN, text("Half"), event(**ERROR))
    got = rig.messages(stream=True)
    assert got.status == 200 and got.body.startswith(START + OPEN + text("Half"))
    assert events(got.body)[-1]["error"] == {"type": "overloaded_error", "message": "Overloaded"}


def test_tokens_are_counted_by_anthropic(rig):
    model = own_model()
    rig.anthropic.script = answer(b'{"input_tokens":14}')
    got = rig.messages(model="anthropic/" + model, path="/api/v1/messages/count_tokens")
    assert got.status == 200 and got.json() == {"input_tokens": 14}
    assert rig.anthropic.requests[-1][0].startswith(b"POST /v1/messages/count_tokens HTTP/1.1")
    expected = (1, 0, 0, 0, 0, 0)
    eventually(lambda: rig.usage(model) == expected, "the record of no tokens")
    assert anthropic_error(rig.messages(path="/api/v1/messages/count_tokens", model="local")) == "invalid_request_error"


TOOLS = [{"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}]
TURNS = [
    {"role": "user", "content": [{"type": "text", "text": "Look", "cache_control": {"type": "ephemeral"}},
                                 {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}}]},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"},
                                      {"type": "text", "text": "Calling"},
                                      {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "is_error": True,
                                  "content": [{"type": "text", "text": "no"}]},
                                 {"type": "text", "text": "And now?"}]}]


def test_to_others_the_request_is_translated(rig):
    rig.local.script = answer(json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "local-1", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}).encode())
    got = rig.messages(model="local", system="Short.", messages=TURNS, tools=TOOLS, stop_sequences=["END"], top_k=3,
                       tool_choice={"type": "any", "disable_parallel_tool_use": True}, metadata={"user_id": "u"})
    assert got.status == 200
    head, sent = rig.local.requests[-1]
    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1") and b"anthropic-version" not in head
    assert json.loads(sent) == {
        "model": "local-1", "max_tokens": 100, "stop": ["END"], "user": "u", "tool_choice": "required",
        "parallel_tool_calls": False,
        "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": TOOLS[0]["input_schema"]}}],
        "messages": [
            {"role": "system", "content": "Short."},
            {"role": "user", "content": [{"type": "text", "text": "Look"},
                                         {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}}]},
            {"role": "assistant", "content": "Calling", "tool_calls": [
                {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}]},
            {"role": "tool", "tool_call_id": "toolu_1", "content": "Error: no"},
            {"role": "user", "content": [{"type": "text", "text": "And now?"}]}]}
    assert got.get("X-Concurred-Dropped-Params") == "top_k"
    assert got.json() == {
        "id": "c", "type": "message", "role": "assistant", "model": "local-1", "content": [{"type": "text", "text": "ok"}],
        "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 3, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 2}}


def chunk(delta, finish=None, **more):
    return b"data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "local-1", "choices": [
        {"index": 0, "delta": delta, "finish_reason": finish}], **more}).encode() + b"\n\n"


CHAT_STREAM = [
    chunk({"role": "assistant", "content": ""}), chunk({"reasoning_content": "hm"}), chunk({"content": "Grü"}),
    chunk({"content": "ezi"}),
    chunk({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{\"a\""}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}), chunk({}, "tool_calls"),
    b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,'
    b'"prompt_tokens_details":{"cached_tokens":5}}}\n\n', b"data: [DONE]\n\n"]


@pytest.mark.parametrize("cut", [1, 13, 100_000])
def test_from_others_a_stream_is_translated(rig, cut):
    stream = b"".join(CHAT_STREAM)
    rig.local.script = chunked(*[stream[i:i + cut] for i in range(0, len(stream), cut)])
    got = rig.messages(model="local", stream=True)
    assert got.status == 200 and got.get("Content-Type").startswith("text/event-stream")
    assert json.loads(rig.local.requests[-1][1])["stream_options"] == {"include_usage": True}
    found = events(got.body)
    kinds = [e["type"] for e in found]
    assert kinds == ["message_start",
                     "content_block_start", "content_block_delta", "content_block_stop",
                     "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop",
                     "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop",
                     "message_delta", "message_stop"]
    assert [e["content_block"]["type"] for e in found if e["type"] == "content_block_start"] == ["thinking", "text", "tool_use"]
    assert [e["index"] for e in found if e["type"] == "content_block_stop"] == [0, 1, 2]
    tool = next(e for e in found if e.get("content_block", {}).get("type") == "tool_use")["content_block"]
    assert tool == {"type": "tool_use", "id": "call_1", "name": "f", "input": {}}
    pieces = [e["delta"] for e in found if e["type"] == "content_block_delta"]
    assert "".join(p.get("text", "") for p in pieces) == "Grüezi"
    assert json.loads("".join(p.get("partial_json", "") for p in pieces)) == {"a": 1}
    assert found[-2]["delta"]["stop_reason"] == "tool_use"
    assert found[-2]["usage"] == {"input_tokens": 4, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 5,
                                  "output_tokens": 4}


def test_a_translated_stream_that_fails_says_so_in_anthropics_form(rig):
    rig.local.script = chunked(*CHAT_STREAM[:4])
    got = rig.messages(model="local", stream=True)
    found = events(got.body)
    assert found[-1]["type"] == "error" and "message_stop" not in [e["type"] for e in found]


def test_what_only_anthropic_has_is_refused_by_name(rig):
    got = rig.messages(model="local", tools=[{"type": "bash_20250124", "name": "bash"}])
    assert got.status == 400 and anthropic_error(got) == "invalid_request_error"
    assert "tools[0].type" in got.json()["error"]["message"]
