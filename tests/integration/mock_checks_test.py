"""The mock provider refuses what a provider would: the provider's own 400, and a count in the ledger."""

import json
import os
from pathlib import Path

import pytest

from mock_dialects_test import CONTENTS, TALK, anthropic, chat, gemini
from mock_provider import MockProvider, binary

pytestmark = pytest.mark.skipif(not binary(), reason="CONCURRED_BIN is not set")

TOOL = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"location": {"type": "string"}}}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "21"}
USE = {"role": "assistant", "content": [CALL]}


@pytest.fixture(scope="module")
def shared():
    with MockProvider() as provider:
        yield provider


@pytest.fixture
def mock(shared):
    shared.call("POST", "/mock/reset")
    return shared


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def image(data="QUJD", kind="image/png"):
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


ANTHROPIC = [
    ({"max_tokens": None}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
    ({"max_tokens": 70_000}, "max_tokens: 70000 > 64000, which is the maximum allowed"),
    ({"seed": 7}, "seed: Extra inputs are not permitted"),
    ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
    ({"temperature": 0.5, "top_p": 0.9}, "`temperature` and `top_p` cannot both be specified"),
    ({"messages": []}, "messages: List should have at least 1"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0: Input tag 'tool'"),
    ({"messages": [{"role": "assistant", "content": "x"}]}, "first message must use the \"user\" role"),
    ({"messages": [*TALK, *TALK]}, "roles must alternate"),
    ({"messages": [user()]}, "must have non-empty content"),
    ({"messages": [user({"type": "text", "text": ""})]}, "messages.0.content.0: text content blocks must be non-empty"),
    ({"messages": [user({"type": "text", "text": " \n"})]}, "must contain non-whitespace text"),
    ({"messages": [user({"type": "image_url", "image_url": {"url": "x"}})]}, "messages.0.content.0: Input tag"),
    ({"messages": [user(image("a b"))]}, "invalid base64 data"),
    ({"messages": [user(image(kind="image/bmp"))]}, "messages.0.content.0.source.media_type: Input should be"),
    ({"messages": [*TALK, USE]}, "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1"),
    ({"messages": [*TALK, USE, user({"type": "text", "text": "so"}, RESULT)]}, "`tool_use` ids were found without"),
    ({"messages": [user(RESULT)]}, "unexpected `tool_use_id` found in `tool_result` blocks: toolu_1"),
    ({"messages": [*TALK, {"role": "assistant", "content": [{**CALL, "id": "a.b"}]}, user({**RESULT, "tool_use_id": "a.b"})]},
     "String should match pattern '^[a-zA-Z0-9_-]+$'"),
    ({"messages": [*TALK, {"role": "assistant", "content": "so "}]}, "cannot end with trailing whitespace"),
    ({"messages": [*TALK, {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "y"}]}]},
     "Invalid `signature` in `thinking` block"),
    ({"messages": [*TALK, {"role": "system", "content": "be brief"}]}, "system messages are not supported"),
    ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "tools.0.custom.name"),
    ({"tools": [TOOL, TOOL]}, "Tool names must be unique"),
    ({"tools": [{"name": "a", "input_schema": {"type": "string"}}]}, "tools.0.input_schema.type: Input should be 'object'"),
    ({"tools": [{"name": "a", "parameters": {}}]}, "tools.0.parameters: Extra inputs"),
    ({"tool_choice": {"type": "auto"}}, "may only be specified while providing tools"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "x"}}, "Tool 'x' not found"),
    ({"tools": [TOOL], "tool_choice": "auto"}, "tool_choice: Input should be a valid dictionary"),
    ({"tools": [TOOL], "tool_choice": {"type": "any"}, "thinking": {"type": "enabled", "budget_tokens": 1024}},
     "Thinking may not be enabled when tool_choice forces tool use"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1000}}, "thinking.budget_tokens: Input should be greater"),
    ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, "`max_tokens` must be greater than `thinking.budget"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}, "temperature": 0.5}, "may only be set to 1"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}, "messages": [*TALK, USE, user(RESULT)]},
     "messages.1.content.0.type: Expected `thinking`"),
    ({"thinking": {"type": "adaptive"}}, "\"thinking.type.adaptive\" is not supported"),
    ({"stop_sequences": ["a", " "]}, "each stop sequence must contain non-whitespace"),
    ({"system": [{"type": "text", "text": str(i), "cache_control": {"type": "ephemeral"}} for i in range(5)]},
     "A maximum of 4 blocks with cache_control may be provided. Found 5."),
    ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, "'additionalProperties' must be"),
]


@pytest.mark.parametrize("fields, message", ANTHROPIC)
def test_anthropic_refuses(mock, fields, message):
    answer = anthropic(mock, **fields)
    error = answer.json()["error"]
    assert answer.status == 400 and error["type"] == "invalid_request_error" and message in error["message"], error
    ledger = mock.ledger()
    assert ledger["violations"] == 1 and message in ledger["violation_list"][0]["message"]
    assert ledger["violation_list"][0]["dialect"] == "anthropic"


@pytest.mark.parametrize("model, fields, message", [
    ("claude-opus-5-5", {"temperature": 0.5}, "`temperature` is deprecated for this model."),
    ("claude-opus-5-5", {"tools": [TOOL], "tool_choice": {"type": "any"}}, "is not supported by this model"),
    ("claude-opus-5-5", {"thinking": {"type": "disabled"}}, "\"thinking.type.disabled\" is not supported"),
    ("claude-opus-4-8", {"thinking": {"type": "enabled", "budget_tokens": 1024}}, "\"thinking.type.enabled\" is not"),
    ("claude-sonnet-4-6", {"messages": [*TALK, {"role": "assistant", "content": "so"}]}, "does not support assistant message prefill"),
])
def test_anthropics_models_differ(mock, model, fields, message):
    assert message in anthropic(mock, model=model, **fields).json()["error"]["message"]


def test_anthropic_wants_its_version(mock):
    answer = anthropic(mock, version="")
    assert answer.status == 400 and answer.json()["error"]["message"] == "anthropic-version: header is required"
    assert "not a valid version" in anthropic(mock, version="1").json()["error"]["message"]


def test_a_signature_that_was_given_is_taken_back_and_a_changed_text_is_not(mock):
    thinking = {"type": "enabled", "budget_tokens": 1024}
    content = anthropic(mock, "tool=1", thinking=thinking, tools=[TOOL]).json()["content"]
    result = user({**RESULT, "tool_use_id": content[1]["id"]})
    talk = [*TALK, {"role": "assistant", "content": content}, result]
    assert anthropic(mock, "tool=1", thinking=thinking, tools=[TOOL], messages=talk).status == 200
    content[0]["thinking"] += "!"
    assert anthropic(mock, "tool=1", thinking=thinking, tools=[TOOL], messages=talk).status == 400


def function(**parameters):
    return [{"functionDeclarations": [{"name": "f", "parameters": {"type": "object", **parameters}}]}]


def properties(**schema):
    return function(properties={"x": schema})


MODEL_CALL = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
RESPONSE = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}

GEMINI = [
    ({"contents": []}, "GenerateContentRequest.contents"),
    ({"messages": TALK}, "Unknown name \"messages\": Cannot find field."),
    ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "Invalid value at 'contents[0].role'"),
    ({"contents": [{"role": "user", "parts": [{"text": "x", "kind": 1}]}]},
     "Unknown name \"kind\" at 'contents[0].parts[0]': Cannot find field."),
    ({"contents": [{"role": "user", "parts": [{}]}]}, "required oneof field 'data'"),
    ({"contents": [{"role": "user", "parts": [{"text": "x", "functionCall": {"name": "f"}}]}]}, "oneof"),
    ({"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "a b"}}]}]},
     "Base64 decoding failed"),
    ({"contents": [*CONTENTS, MODEL_CALL, *CONTENTS, RESPONSE]}, "function response turn comes immediately after"),
    ({"contents": [*CONTENTS, MODEL_CALL, {"role": "user", "parts": RESPONSE["parts"] * 2}]}, "number of function response parts"),
    ({"contents": [MODEL_CALL, RESPONSE]}, "function call turn comes immediately after a user turn"),
    ({"tools": properties(type="string", additionalProperties=False)}, "Unknown name \"additionalProperties\" at 'tools[0]"),
    ({"tools": function(**{"$schema": "x", "properties": {"x": {"type": "string"}}})}, "Unknown name \"$schema\""),
    ({"tools": properties(type=["string", "null"])}, "Invalid value at 'tools[0]"),
    ({"tools": properties(type="string", const="a")}, "Unknown name \"const\""),
    ({"tools": properties(type="array")}, ".items: missing field."),
    ({"tools": properties(type="integer", enum=["1"])}, ".enum: only allowed for STRING type"),
    ({"tools": properties(type="string", format="email")}, "only 'enum' and 'date-time' are supported"),
    ({"tools": properties(type="object", properties={})}, "should be non-empty for OBJECT type"),
    ({"tools": properties(type="string", anyOf=[{"type": "string"}])}, "when using any_of, it must be the only field set"),
    ({"tools": function(properties={"x": {"type": "string"}}, required=["y"])}, "property is not defined: y"),
    ({"tools": [{"functionDeclarations": [{"name": "1f"}]}]}, "Invalid function name"),
    ({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "without function_declarations"),
    ({"tools": properties(type="string"), "toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["f"]}}},
     "only be set when the mode is ANY"),
    ({"generationConfig": {"maxTokens": 5}}, "Unknown name \"maxTokens\" at 'generationConfig'"),
    ({"generationConfig": {"stopSequences": list("abcdef")}}, "generationConfig.stopSequences"),
    ({"generationConfig": {"frequencyPenalty": 1}}, "Penalty is not enabled"),
    ({"generationConfig": {"responseSchema": {"type": "string"}}}, "only supported with mime type"),
    ({"generationConfig": {"responseMimeType": "application/json"}, "tools": properties(type="string")},
     "response mime type: 'application/json' is unsupported"),
    ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}}, "only set only one"),
    ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}, "Thinking level is not supported"),
    ({"systemInstruction": "be brief"}, "Invalid value at 'systemInstruction'"),
]


@pytest.mark.parametrize("fields, message", GEMINI)
def test_google_refuses(mock, fields, message):
    answer = gemini(mock, **fields)
    error = answer.json()["error"]
    assert answer.status == 400 and error["status"] == "INVALID_ARGUMENT" and message in error["message"], error
    assert mock.ledger()["violations"] == 1


def test_google_wants_its_signature_back_on_the_first_call_of_a_step(mock):
    def ask(*contents):
        return mock.call("POST", "/v1beta/models/gemini-3-pro-preview:generateContent",
                         json.dumps({"contents": contents}), {"x-goog-api-key": "k"})

    assert "missing a thought_signature" in ask(*CONTENTS, MODEL_CALL, RESPONSE).json()["error"]["message"]
    for signature, status in (("skip_thought_signature_validator", 200), ("made up", 400)):
        signed = {"role": "model", "parts": [{**MODEL_CALL["parts"][0], "thoughtSignature": signature}]}
        assert ask(*CONTENTS, signed, RESPONSE).status == status
    assert ask(*CONTENTS, MODEL_CALL, RESPONSE, *CONTENTS).status == 200  # an earlier turn


TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
CALLS = {"role": "assistant", "content": None,
         "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}

OPENAI = [
    ({"messages": None}, "messages", "invalid_type"),
    ({"messages": []}, "messages", "array_below_min_length"),
    ({"no_such_field": 1}, "no_such_field", "unknown_parameter"),
    ({"temperature": 3}, "temperature", "number_above_max_value"),
    ({"temperature": "hot"}, "temperature", "invalid_type"),
    ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role", "invalid_value"),
    ({"messages": [{"role": "user", "content": [{"type": "picture"}]}]}, "messages[0].content[0].type", "invalid_value"),
    ({"messages": [*TALK, CALLS]}, "messages", None),
    ({"messages": [*TALK, {"role": "tool", "tool_call_id": "call_1", "content": "x"}]}, "messages[1].role", None),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name", "invalid_value"),
    ({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "string"}}}]},
     "tools[0].function.parameters", "invalid_function_parameters"),
    ({"tool_choice": "auto"}, "tool_choice", None),
    ({"stream_options": {"include_usage": True}}, "stream_options", None),
    ({"model": "gpt-5.2", "max_tokens": 9}, "max_tokens", "unsupported_parameter"),
    ({"model": "gpt-5.6-sol", "tools": TOOLS, "reasoning_effort": "low"}, "reasoning_effort", None),
]


@pytest.mark.parametrize("fields, param, code", OPENAI)
def test_openai_refuses_when_it_is_told_to_be_strict(mock, fields, param, code):
    answer = mock.chat(header="strict", **fields)
    error = answer.json()["error"]
    assert answer.status == 400 and error["param"] == param and error["code"] == code, error
    assert error["type"] == "invalid_request_error" and mock.ledger()["violations"] == 1


def test_openai_is_not_strict_by_itself_and_nobody_is_when_told_to_be_lenient(mock):
    assert mock.chat(no_such_field=1).status == 200
    assert anthropic(mock, "lenient", seed=7).status == 200
    assert gemini(mock, "lenient", seed=7).status == 200
    assert mock.ledger()["violations"] == 0


@pytest.mark.parametrize("flavour, fields, word", [
    ("x-ai", {"model": "grok-4-1-fast", "stop": ["x"]}, "does not support parameter stop"),
    ("x-ai", {"logit_bias": {"1": 1}}, "logit_bias"),
    ("x-ai", {"messages": [{"role": "developer", "content": "x"}]}, "'developer'"),
    ("minimax", {"temperature": 0}, "temperature"),
    ("minimax", {"seed": 1}, "seed"),
    ("minimax", {"model": "MiniMax-M2.7", "messages": [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]}, "images"),
    ("openrouter", {"temperature": "hot"}, "temperature"),
])
def test_flavours_refuse_in_their_own_words(mock, flavour, fields, word):
    body = chat(mock, flavour, "", **fields).json()
    text = {"x-ai": lambda: body["error"], "minimax": lambda: body["base_resp"]["status_msg"],
            "openrouter": lambda: body["error"]["message"]}[flavour]()
    assert word in text
    assert mock.ledger()["violation_list"][0]["dialect"] == flavour


def test_openrouter_takes_what_it_does_not_know(mock):
    assert chat(mock, "openrouter", "", no_such_field=1).status == 200


def test_the_expected_requests_of_the_reference_are_taken(mock):
    folder = Path(os.environ.get("CONCURRED_SHARED", "/nowhere")) / "fixtures" / "requests"
    if not folder.is_dir():
        print("skipped: CONCURRED_SHARED names no folder with fixtures")
        pytest.skip("no fixtures")
    body = json.loads((folder / "tools-round-trip.anthropic.expected.json").read_text())
    answer = anthropic(mock, **body)
    assert answer.status == 200, answer.body
    body = (folder / "tools-round-trip.google.expected.json").read_bytes()
    answer = mock.call("POST", "/v1beta/models/gemini-3-pro-preview:generateContent", body, {"x-goog-api-key": "k"})
    assert answer.status == 200, answer.body
