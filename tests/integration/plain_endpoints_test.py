"""Embeddings and responses go through to providers that have them; tools are checked before anything is spent."""

import json

import pytest

from imposter import Imposter, answer, chunked
from upstream_rig import QUICK, Gateway, Scenarios, needs_binary, Call

pytestmark = needs_binary

EMBEDDINGS = b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"e",' \
             b'"usage":{"prompt_tokens":8,"total_tokens":8}}'
RESPONSE = b'{"id":"resp_1","object":"response","error":null,"output":[],"usage":{"input_tokens":30,' \
           b'"input_tokens_details":{"cached_tokens":10},"output_tokens":9,' \
           b'"output_tokens_details":{"reasoning_tokens":4},"total_tokens":39}}'
EVENTS = [b'event: response.created\ndata: {"type":"response.created","response":{"usage":null}}\n\n',
          b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi"}\n\n',
          b'event: response.completed\ndata: {"type":"response.completed","response":' + RESPONSE + b'}\n\n']


@pytest.fixture(scope="module")
def provider():
    with Imposter() as imposter:
        yield imposter


@pytest.fixture(scope="module")
def gateway(provider, tmp_path_factory):
    scenarios = Scenarios()
    for name in ("openai", "google", "x-ai"):
        scenarios.providers[name] = {"base_url": provider.base_url, "api_key": f"sk-{name}"}
    with Gateway(tmp_path_factory.mktemp("gateway"), scenarios, settings=QUICK) as running:
        yield running


def post(gateway, path, **body):
    octets = json.dumps(body).encode()
    connection = gateway.connect()
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {gateway.key}\r\n"
                       f"Content-Length: {len(octets)}\r\n\r\n".encode() + octets)
    with Call(connection) as call:
        return call.read_all()


def test_embeddings_go_through(gateway, provider):
    provider.script = answer(EMBEDDINGS)
    call = post(gateway, "/api/v1/embeddings", model="text-embedding-3-small", input=["a"], dimensions=1)
    assert call.status == 200 and call.body == EMBEDDINGS
    head, body = provider.requests[-1]
    assert head.startswith(b"POST /v1/embeddings HTTP/1.1") and b"Bearer sk-openai" in head
    assert json.loads(body) == {"model": "text-embedding-3-small", "input": ["a"], "dimensions": 1}
    row = gateway.usage_row("text-embedding-3-small")
    assert (row["prompt_tokens"], row["completion_tokens"], row["requests"]) == (8, 0, 1)
    assert (row["cost_nano_usd"], row["unpriced_requests"]) == (160, 0)  # 8 tokens at 0.02 USD per million


def test_a_response_goes_through(gateway, provider):
    provider.script = answer(RESPONSE)
    call = post(gateway, "/api/v1/responses", model="openai/r1", input="hi")
    assert call.status == 200 and call.body == RESPONSE
    assert provider.requests[-1][0].startswith(b"POST /v1/responses HTTP/1.1")
    row = gateway.usage_row("openai/r1")
    assert (row["prompt_tokens"], row["cache_read_tokens"], row["completion_tokens"], row["reasoning_tokens"]) == (
        20, 10, 5, 4)


def test_a_streamed_response_goes_through_byte_for_byte(gateway, provider):
    whole = b"".join(EVENTS)
    for size in (1, 50, 5000):
        provider.script = chunked(*(whole[i:i + size] for i in range(0, len(whole), size)))
        call = post(gateway, "/api/v1/responses", model="x-ai/r2", input="hi", stream=True)
        assert call.status == 200 and call.body == whole and call.ended == "whole"
    assert gateway.usage_row("x-ai/r2")["completion_tokens"] == 5 * gateway.usage_row("x-ai/r2")["requests"]


def test_a_streamed_response_that_fails_first_is_an_error(gateway, provider):
    provider.script = chunked(EVENTS[0] + b'event: error\ndata: {"type":"error","code":"invalid_request_error",'
                                          b'"message":"no such thing"}\n\n')
    call = post(gateway, "/api/v1/responses", model="openai/r3", input="hi", stream=True)
    assert call.status == 400 and call.error()["message"] == "no such thing"


@pytest.mark.parametrize("path", ["/api/v1/embeddings", "/api/v1/responses"])
def test_a_provider_without_the_endpoint_says_who_has_it(gateway, provider, path):
    asked = len(provider.requests)
    call = post(gateway, path, model="google/gemini-2.5-flash", input="x")
    assert call.status == 400 and call.error()["param"] == "model" and "openai" in call.error()["message"]
    call = post(gateway, path, input="x")
    assert call.status == 400 and call.error()["code"] == "MISSING_REQUIRED_FIELD"
    assert len(provider.requests) == asked


TOOL = {"type": "function", "function": {"name": "f", "strict": True, "parameters": {
    "type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}}}


def test_a_bad_tool_is_refused_before_anything_is_spent(gateway, provider):
    asked = len(provider.requests)
    call = gateway.ask("openai/m", tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}])
    assert call.status == 400
    assert call.error() == {"code": "tool_schema_invalid", "type": "invalid_request_error",
                            "message": "tools[0].function.parameters.type must be 'object' at the root.",
                            "param": "tools[0].function.parameters",
                            "details": {"field": "tools[0].function.parameters"}}
    assert len(provider.requests) == asked


def completion(arguments):
    return json.dumps({"id": "a", "object": "chat.completion", "created": 1, "model": "m", "choices": [{
        "index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]}}]}).encode()


def test_strict_arguments_are_asked_for_again_and_then_refused(gateway, provider):
    turns = iter([answer(completion("{}")), answer(completion('{"a":1}'))])
    provider.script = lambda connection: connection.sendall(next(turns))
    call = gateway.ask("x-ai/strict", tools=[TOOL], retries=1)
    assert call.status == 200
    assert call.json()["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"a":1}'
    provider.script = answer(completion("{}"))
    asked = len(provider.requests)
    call = gateway.ask("x-ai/strict", tools=[TOOL], retries=1)
    assert call.status == 400 and call.error()["code"] == "tool_call_invalid_arguments"
    assert len(provider.requests) == asked + 2
    assert json.loads(provider.requests[-1][1])["tools"] == [TOOL]
