"""The mock provider speaks each provider's dialect: shapes from the reference of providers and recorded answers."""

import base64
import json
import struct

import pytest

from mock_provider import MockProvider, binary, read_all

pytestmark = pytest.mark.skipif(not binary(), reason="CONCURRED_BIN is not set")

TALK = [{"role": "user", "content": "Hello there"}]
CONTENTS = [{"role": "user", "parts": [{"text": "Hello there"}]}]
WEATHER = {"location": "Paris"}


@pytest.fixture(scope="module")
def mock():
    with MockProvider() as provider:
        yield provider


def anthropic(mock, spec="", key="sk-ant", path="/v1/messages", version="2023-06-01", **fields):
    body = {"model": "mock-" + spec if spec else "claude-sonnet-4-5", "max_tokens": 2048, "messages": TALK, **fields}
    headers = {"x-api-key": key, "content-type": "application/json"}
    if version:
        headers["anthropic-version"] = version
    return mock.call("POST", path, json.dumps(body), headers)


def gemini(mock, spec="", method="generateContent", key="AIza", query="", **fields):
    model = ("mock-" + spec).replace("=", "%3D") if spec else "gemini-2.5-flash"
    return mock.call("POST", f"/v1beta/models/{model}:{method}{query}", json.dumps({"contents": CONTENTS, **fields}),
                     {"x-goog-api-key": key, "content-type": "application/json"})


def gemini_stream(mock, spec, **fields):
    answer = gemini(mock, spec, "streamGenerateContent", query="?alt=sse", **fields)
    text = answer.body.decode()
    assert answer.headers["content-type"] == "text/event-stream" and text.endswith("\r\n\r\n")
    assert "\n" not in text.replace("\r\n", "")
    return [json.loads(event.removeprefix("data: ")) for event in text.split("\r\n\r\n")[:-1]]


def chat(mock, flavour, spec, **fields):
    body = {"model": "mock-" + spec, "messages": TALK, **fields}
    return mock.call("POST", f"/{flavour}/v1/chat/completions", json.dumps(body), {"authorization": "Bearer k"})


def named_events(answer):
    """(name, data) of each event; the name is that in the data."""
    pairs = []
    for event in answer.body.decode().split("\n\n")[:-1]:
        name, data = event.split("\n")
        pairs.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    assert all(name == data["type"] for name, data in pairs)
    return pairs


# Anthropic

def test_a_message_has_anthropics_shape(mock):
    answer = anthropic(mock, "tokens=7;prompt=30;cached=10;cache-write=5")
    body = answer.json()
    assert answer.headers["request-id"].startswith("req_") and "x-request-id" not in answer.headers
    assert body["type"] == "message" and body["role"] == "assistant" and body["id"].startswith("msg_01")
    (block,) = body["content"]
    assert block["type"] == "text" and len(block["text"]) == 28
    assert body["stop_reason"] == "end_turn" and body["stop_sequence"] is None
    assert body["usage"]["input_tokens"] == 15 and body["usage"]["output_tokens"] == 7
    assert body["usage"]["cache_read_input_tokens"] == 10 and body["usage"]["cache_creation_input_tokens"] == 5
    assert body["usage"]["cache_creation"] == {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 0}


def test_a_stream_has_anthropics_events_in_order(mock):
    events = named_events(anthropic(mock, "tokens=2;prompt=9", stream=True))
    assert [name for name, _ in events] == [
        "message_start", "ping", "content_block_start", "content_block_delta", "content_block_delta",
        "content_block_stop", "message_delta", "message_stop"]
    start = events[0][1]["message"]
    assert start["content"] == [] and start["usage"]["input_tokens"] == 9 and start["stop_reason"] is None
    assert events[2][1]["content_block"] == {"type": "text", "text": ""}
    assert "".join(data["delta"]["text"] for _, data in events[3:5]) == "The quic"
    assert events[6][1]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert events[6][1]["usage"]["output_tokens"] == 2


def test_thinking_comes_when_it_is_asked_for_with_its_signature(mock):
    thinking = {"type": "enabled", "budget_tokens": 1024}
    plain = anthropic(mock, "tokens=1;reasoning=3", thinking=thinking).json()
    thought = plain["content"][0]
    assert thought["type"] == "thinking" and thought["thinking"] == "Let me think" and thought["signature"]
    assert plain["usage"]["output_tokens"] == 4
    assert plain["usage"]["output_tokens_details"] == {"thinking_tokens": 3}
    events = named_events(anthropic(mock, "tokens=1;reasoning=3", thinking=thinking, stream=True))
    deltas = [data["delta"] for name, data in events if name == "content_block_delta"]
    assert [delta["type"] for delta in deltas] == ["thinking_delta"] * 3 + ["signature_delta", "text_delta"]
    assert deltas[3]["signature"] == thought["signature"]
    assert [data["index"] for name, data in events if name == "content_block_start"] == [0, 1]
    without = anthropic(mock, "tokens=1;reasoning=3").json()
    assert len(without["content"]) == 1 and without["usage"]["output_tokens"] == 1


def test_tools_are_called_in_pieces_one_block_each_and_text_follows_their_results(mock):
    events = named_events(anthropic(mock, "tool=2;chunk=5", stream=True))
    starts = [data for name, data in events if name == "content_block_start"]
    assert [start["content_block"]["name"] for start in starts] == ["get_weather"] * 2
    assert len({start["content_block"]["id"] for start in starts}) == 2
    pieces = [data["delta"]["partial_json"] for _, data in events
              if data.get("index") == 0 and "delta" in data]
    assert pieces[0] == "" and json.loads("".join(pieces)) == WEATHER
    assert events[-2][1]["delta"]["stop_reason"] == "tool_use"
    plain = anthropic(mock, "tool=1").json()
    assert plain["content"][0]["input"] == WEATHER and plain["stop_reason"] == "tool_use"
    result = {"type": "tool_result", "tool_use_id": plain["content"][0]["id"], "content": "21"}
    after = anthropic(mock, "tool=1", messages=[*TALK, {"role": "assistant", "content": plain["content"]},
                                                {"role": "user", "content": [result]}])
    assert after.json()["stop_reason"] == "end_turn"


@pytest.mark.parametrize("status, kind", [
    (400, "invalid_request_error"), (401, "authentication_error"), (402, "billing_error"), (403, "permission_error"),
    (404, "not_found_error"), (413, "request_too_large"), (429, "rate_limit_error"), (500, "api_error"),
    (504, "timeout_error"), (529, "overloaded_error")])
def test_errors_have_anthropics_shape(mock, status, kind):
    answer = anthropic(mock, f"status={status};retry-after=7")
    body = answer.json()
    assert answer.status == status and answer.headers["retry-after"] == "7"
    assert body["type"] == "error" and body["error"]["type"] == kind and body["error"]["message"]
    assert body["request_id"] == answer.headers["request-id"]


def test_an_error_event_ends_anthropics_stream(mock):
    events = named_events(anthropic(mock, "error-frame=4", stream=True))
    assert events[-1][0] == "error" and events[-1][1]["error"] == {"type": "overloaded_error", "message": "Overloaded"}
    assert len(events) == 5


def test_anthropics_other_paths(mock):
    models = mock.call("GET", "/v1/models", headers={"x-api-key": "k", "anthropic-version": "2023-06-01"}).json()
    assert models["data"][0]["type"] == "model" and models["has_more"] is False and models["last_id"] == "mock-large"
    counted = anthropic(mock, path="/v1/messages/count_tokens").json()
    assert list(counted) == ["input_tokens"] and counted["input_tokens"] > 0
    refused = anthropic(mock, key="bad")
    assert refused.status == 401 and refused.json()["error"]["type"] == "authentication_error"


# Google

def test_an_answer_has_geminis_shape(mock):
    body = gemini(mock, "tokens=7;prompt=30;cached=10;reasoning=3").json()
    (candidate,) = body["candidates"]
    assert candidate["finishReason"] == "STOP" and candidate["content"]["role"] == "model"
    assert len(candidate["content"]["parts"][0]["text"]) == 28
    usage = body["usageMetadata"]
    assert (usage["promptTokenCount"], usage["candidatesTokenCount"], usage["thoughtsTokenCount"]) == (30, 7, 3)
    assert usage["cachedContentTokenCount"] == 10 and usage["totalTokenCount"] == 40
    assert body["modelVersion"] == "mock-tokens=7;prompt=30;cached=10;reasoning=3" and body["responseId"]


def test_every_event_has_the_counts_so_far(mock):
    events = gemini_stream(mock, "tokens=12;prompt=30;reasoning=3",
                           generationConfig={"thinkingConfig": {"includeThoughts": True}})
    thoughts, texts = events[:3], events[3:15]
    assert all(event["candidates"][0]["content"]["parts"][0]["thought"] for event in thoughts)
    assert [event["usageMetadata"]["thoughtsTokenCount"] for event in thoughts] == [1, 2, 3]
    assert [event["usageMetadata"]["candidatesTokenCount"] for event in texts] == list(range(1, 13))
    assert [event["usageMetadata"]["totalTokenCount"] for event in texts] == list(range(34, 46))
    assert len(events) == 16 and events[-1]["candidates"][0]["finishReason"] == "STOP"
    assert events[-1]["candidates"][0]["content"]["parts"][0]["thoughtSignature"]
    assert events[-1]["usageMetadata"]["totalTokenCount"] == 45
    assert not any("finishReason" in event["candidates"][0] for event in events[:-1])


def test_a_stream_that_does_not_ask_for_events_is_an_array(mock):
    answer = gemini(mock, "tokens=2", "streamGenerateContent")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()[0]["candidates"][0]["finishReason"] == "STOP"


def test_calls_are_whole_and_only_the_first_is_signed(mock):
    events = gemini_stream(mock, "tool=2")
    parts = [event["candidates"][0]["content"]["parts"][0] for event in events]
    assert [part["functionCall"]["name"] for part in parts[:2]] == ["get_weather"] * 2
    assert parts[0]["functionCall"]["args"] == WEATHER
    assert "thoughtSignature" in parts[0] and "thoughtSignature" not in parts[1]
    assert parts[2] == {"text": ""} and events[2]["candidates"][0]["finishReason"] == "STOP"


@pytest.mark.parametrize("status, word", [
    (400, "INVALID_ARGUMENT"), (403, "PERMISSION_DENIED"), (404, "NOT_FOUND"), (429, "RESOURCE_EXHAUSTED"),
    (500, "INTERNAL"), (503, "UNAVAILABLE"), (504, "DEADLINE_EXCEEDED")])
def test_errors_have_googles_shape(mock, status, word):
    answer = gemini(mock, f"status={status};retry-after=7")
    error = answer.json()["error"]
    assert answer.status == status and error["code"] == status and error["status"] == word
    delays = [detail["retryDelay"] for detail in error["details"] if detail["@type"].endswith("RetryInfo")]
    assert delays == ["7s"] and "retry-after" not in answer.headers


def test_a_bad_key_is_a_400_with_its_reason(mock):
    answer = gemini(mock, key="bad")
    assert answer.status == 400 and answer.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    by_query = mock.call("POST", "/v1beta/models/m:generateContent?key=k", json.dumps({"contents": CONTENTS}))
    assert by_query.status == 200
    models = mock.call("GET", "/v1beta/models?key=k").json()["models"]
    assert models[0]["name"] == "models/mock" and "generateContent" in models[0]["supportedGenerationMethods"]


def test_an_error_event_ends_googles_stream(mock):
    events = gemini_stream(mock, "error-frame=1")
    assert events[1] == {"error": {"code": 503, "message": events[1]["error"]["message"], "status": "UNAVAILABLE"}}


# Those who speak Chat Completions their own way

def data_of(answer):
    lines = [line for line in answer.body.decode().split("\n\n")[:-1] if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line[6:]) for line in lines[:-1]]


def test_xai_counts_reasoning_outside_of_the_completion(mock):
    usage = chat(mock, "x-ai", "tokens=2;prompt=12;reasoning=320").json()["usage"]
    assert (usage["completion_tokens"], usage["total_tokens"]) == (2, 334)
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 320 and usage["cost_in_usd_ticks"] > 0
    events = data_of(chat(mock, "x-ai", "tool=1;reasoning=2", stream=True))
    assert events[0]["choices"][0]["delta"] == {"reasoning_content": "Let ", "role": "assistant"}
    assert "finish_reason" not in events[0]["choices"][0]
    (call,) = events[2]["choices"][0]["delta"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == WEATHER
    assert events[3]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    assert events[4]["choices"] == [] and events[4]["usage"]


def test_xais_errors_are_texts_also_with_200(mock):
    answer = chat(mock, "x-ai", "status=403")
    assert answer.status == 403 and isinstance(answer.json()["error"], str) and isinstance(answer.json()["code"], str)
    answer = chat(mock, "x-ai", "status=200;code=The service is currently unavailable", stream=True)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert answer.json()["code"] == "The service is currently unavailable"


def test_openrouter_comments_reasons_and_tells_the_cost(mock):
    answer = chat(mock, "openrouter", "tokens=1;reasoning=2", stream=True)
    assert answer.body.startswith(b": OPENROUTER PROCESSING\n\n")
    events = data_of(answer)
    delta = events[0]["choices"][0]["delta"]
    assert delta["role"] == "assistant" and delta["content"] == "" and delta["reasoning"] == "Let "
    assert delta["reasoning_details"][0]["type"] == "reasoning.text"
    assert events[-1]["choices"] == [] and events[-1]["usage"]["cost"] > 0
    silent = chat(mock, "openrouter", "tokens=1;reasoning=2", reasoning={"exclude": True}).json()
    assert "reasoning" not in silent["choices"][0]["message"]


def test_openrouters_error_codes_are_numbers(mock):
    error = chat(mock, "openrouter", "status=402").json()["error"]
    assert error["code"] == 402 and error["metadata"]["error_type"] == "payment_required"
    events = data_of(chat(mock, "openrouter", "error-frame=2", stream=True))
    assert events[-1]["error"]["code"] == 502 and events[-1]["choices"][0]["finish_reason"] == "error"


def test_minimax_thinks_in_tags_unless_asked_to_split(mock):
    content = chat(mock, "minimax", "tokens=1;reasoning=2").json()["choices"][0]["message"]["content"]
    assert content == "<think>\nLet me t\n</think>\n\nThe "
    events = data_of(chat(mock, "minimax", "tokens=1;reasoning=2", stream=True))
    assert "".join(e["choices"][0]["delta"]["content"] for e in events if e["choices"]) == content
    assert events[1]["choices"][0]["delta"]["role"] == "" and events[1]["usage"]["total_tokens"] == 0
    split = data_of(chat(mock, "minimax", "tokens=1;reasoning=2", stream=True, reasoning_split=True))
    texts = [e["choices"][0]["delta"]["reasoning_details"][0]["text"] for e in split[:2]]
    assert texts == ["Let ", "Let me t"]


def test_minimax_repeats_its_answer_when_told_to(mock):
    last = data_of(chat(mock, "minimax", "tokens=3;repeat-last", stream=True))[-1]
    assert last["object"] == "chat.completion" and last["choices"][0]["message"]["content"] == "The quick br"
    assert last["usage"]["completion_tokens"] == 3


def test_minimax_has_errors_inside_of_200(mock):
    for spec, code in (("status=429", 1002), ("status=402", 1008), ("status=400;code=2056", 2056)):
        answer = chat(mock, "minimax", spec)
        assert answer.status == 200 and answer.json()["base_resp"]["status_code"] == code
        assert answer.json()["choices"] is None
    answer = chat(mock, "minimax", "error-frame=0;code=1002", stream=True)
    assert json.loads(answer.body.decode().strip()[6:])["base_resp"]["status_code"] == 1002


def test_a_setting_chooses_the_flavour_too(mock):
    assert "base_resp" in mock.chat("flavour=minimax").json()
    refused = mock.chat("flavour=sweet")
    assert refused.status == 400 and refused.json()["error"]["code"] == "mock_setting"


# OpenAI's other endpoints

def openai(mock, path, **fields):
    return mock.call("POST", path, json.dumps(fields), {"authorization": "Bearer k"})


def test_responses_come_plain_and_as_numbered_events(mock):
    body = openai(mock, "/v1/responses", model="mock-tokens=3;prompt=9", input="Hello").json()
    assert body["object"] == "response" and body["status"] == "completed"
    assert body["output"][0]["content"][0]["text"] == "The quick br"
    assert body["usage"]["input_tokens"] == 9 and body["usage"]["output_tokens"] == 3
    events = named_events(openai(mock, "/v1/responses", model="mock-tokens=3", input="Hello", stream=True))
    assert [data["sequence_number"] for _, data in events] == list(range(len(events)))
    assert "".join(data["delta"] for name, data in events if name == "response.output_text.delta") == "The quick br"
    assert events[0][0] == "response.created" and events[-1][0] == "response.completed"
    assert events[-1][1]["response"]["output"] == [
        {**body["output"][0], "id": events[-1][1]["response"]["output"][0]["id"]}]


def test_responses_call_functions(mock):
    events = named_events(openai(mock, "/v1/responses", model="mock-tool=1;chunk=4", input="Hello", stream=True))
    pieces = [data["delta"] for name, data in events if name == "response.function_call_arguments.delta"]
    assert len(pieces) > 1 and json.loads("".join(pieces)) == WEATHER
    (item,) = events[-1][1]["response"]["output"]
    assert item["type"] == "function_call" and item["name"] == "get_weather"


def test_embeddings_are_numbers_or_base64(mock):
    body = openai(mock, "/v1/embeddings", model="mock-prompt=5", input=["a", "b"], dimensions=4).json()
    assert [one["index"] for one in body["data"]] == [0, 1] and len(body["data"][0]["embedding"]) == 4
    assert body["usage"] == {"prompt_tokens": 5, "total_tokens": 5}
    coded = openai(mock, "/v1/embeddings", model="mock", input=["a", "b"], dimensions=4, encoding_format="base64").json()
    assert list(struct.unpack("<4f", base64.b64decode(coded["data"][1]["embedding"]))) == body["data"][1]["embedding"]


# Settings that hold for all

@pytest.mark.parametrize("dialect", ["anthropic", "google", "x-ai", "openrouter", "minimax"])
def test_faults_work_in_every_dialect(mock, dialect):
    def ask(spec, stream=True):
        if dialect == "anthropic":
            return anthropic(mock, spec, stream=stream)
        if dialect == "google":
            return gemini(mock, spec, *(["streamGenerateContent"] if stream else []), query="?alt=sse" if stream else "")
        return chat(mock, dialect, spec, stream=stream)

    assert ask("html").headers["content-type"].startswith("text/html")
    assert ask("json-instead").headers["content-type"] == "application/json"
    assert ask("sse-instead", stream=False).headers["content-type"].startswith("text/event-stream")
    whole, cut = (ask(spec).body.count(b"data: ") for spec in ("tokens=3", "tokens=3;no-done"))
    assert whole - cut == (0 if dialect == "google" else 1)  # which has no end mark
    assert len(ask("huge-line=100k").body) > 100 * 1024
    assert ask("status=500;times=1;tag=" + dialect).body != ask("status=500;times=1;tag=" + dialect).body


@pytest.mark.parametrize("path, key", [("/v1/messages", "x-api-key"),
                                       ("/v1beta/models/m:streamGenerateContent?alt=sse", "x-goog-api-key")])
def test_a_stream_breaks_off_after_so_many_events_in_every_dialect(mock, path, key):
    body = json.dumps({"model": "claude", "max_tokens": 9, "messages": TALK, "stream": True} if "messages" in path
                      else {"contents": CONTENTS})
    with mock.connect() as connection:
        connection.sendall((f"POST {path} HTTP/1.1\r\nhost: mock\r\n{key}: sk-mock-reset-after=4\r\n"
                            f"anthropic-version: 2023-06-01\r\ncontent-length: {len(body)}\r\n\r\n{body}").encode())
        received, end = read_all(connection)
    assert end == "reset" and received.count(b"data: ") <= 4


def test_a_key_in_the_dialects_own_field_carries_settings(mock):
    assert anthropic(mock, key="sk-mock-tokens=3").json()["usage"]["output_tokens"] == 3
    assert gemini(mock, key="sk-mock-tokens=3").json()["usageMetadata"]["candidatesTokenCount"] == 3


def test_the_name_and_the_arguments_of_a_call_can_be_chosen(mock):
    answer = mock.chat("tool=1;tool-name=find_city;tool-echo", messages=[{"role": "user", "content": '{"a":[1,"ü"]}'}])
    function = answer.json()["choices"][0]["message"]["tool_calls"][0]["function"]
    assert function["name"] == "find_city" and json.loads(function["arguments"]) == {"a": [1, "ü"]}
    words = [{"role": "user", "content": '{"a":[1,"ü"]}'}]
    plain = anthropic(mock, "tool=1;tool-echo", messages=words).json()
    assert plain["content"][0]["input"] == {"a": [1, "ü"]}
