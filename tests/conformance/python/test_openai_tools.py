"""OpenAI's SDK for Python: calls of tools."""

import json

import pytest

from conftest import MESSAGES, WEATHER_TOOL

TOOLS = [WEATHER_TOOL]


def calls_of(chunks):
    """Puts the calls of a stream together by their index, as users do."""
    calls = {}
    for chunk in chunks:
        for delta in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            call = calls.setdefault(delta.index, {"id": "", "name": "", "arguments": ""})
            call["id"] += delta.id or ""
            call["name"] += delta.function.name or ""
            call["arguments"] += delta.function.arguments or ""
    return [calls[index] for index in sorted(calls)]


def test_a_call_arrives(client, mock):
    answer = client.chat.completions.create(model="calls-tool", messages=MESSAGES, tools=TOOLS)
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None
    [call] = answer.choices[0].message.tool_calls
    assert (call.type, call.function.name) == ("function", "get_weather")
    assert json.loads(call.function.arguments) == {"location": "Paris"}
    assert mock.last_request()[1]["tools"] == TOOLS


def test_a_call_arrives_in_pieces(client):
    chunks = list(client.chat.completions.create(model="calls-tool", messages=MESSAGES, tools=TOOLS, stream=True))
    [call] = calls_of(chunks)
    assert call["id"].startswith("call_")
    assert call["name"] == "get_weather"
    assert json.loads(call["arguments"]) == {"location": "Paris"}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_two_calls_of_one_stream_stay_apart(client):
    first, second = calls_of(client.chat.completions.create(
        model="calls-two-tools", messages=MESSAGES, tools=TOOLS, stream=True))
    assert first["id"] != second["id"]
    assert all("location" in json.loads(call["arguments"]) for call in (first, second))


def plain(client, request):
    return client.chat.completions.create(**request).choices[0]


def streamed(client, request):
    with client.chat.completions.stream(**request) as stream:
        return stream.get_final_completion().choices[0]


@pytest.mark.parametrize("turn", [plain, streamed])
def test_an_agents_loop_comes_to_its_end(client, mock, turn):
    talk = list(MESSAGES)
    for _ in range(3):
        choice = turn(client, {"model": "calls-two-tools", "messages": talk, "tools": TOOLS})
        if choice.finish_reason != "tool_calls":
            break
        talk.append(choice.message.to_dict(exclude_unset=True))
        talk += [{"role": "tool", "tool_call_id": call.id, "content": '{"celsius":21}'}
                 for call in choice.message.tool_calls]
    assert choice.finish_reason == "stop"
    assert choice.message.content
    assert len(talk) == 4
    assert mock.ledger()["requests"] == 2
    assert [message["role"] for message in mock.last_request()[1]["messages"]] == ["user", "assistant", "tool", "tool"]
