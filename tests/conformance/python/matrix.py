"""The same features of every SDK with every provider: one test for each cell of the table in README.md.

A driver has `ask(model, talk, stream, tools, schema, effort)`, which returns an Answer, `abandon(model)`, which reads the
beginning of a stream and goes away, `error`, the class of the SDK's errors, `unavailable`, the name of that for 503,
`gaps`, why a feature, or `feature provider`, cannot be, and `missing()`, why none can be. One that speaks the Responses API
has `respond(model, stream)`, which returns text and (input, output) tokens, and one that embeds `embed(model, texts)`.
"""

import dataclasses
import json
import os

import pytest

from conftest import FIVE_TOKENS

PROVIDERS = ["openai", "anthropic", "google", "x-ai", "openrouter", "minimax"]
PICTURE = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
WEATHER = {"type": "object", "properties": {"location": {"type": "string", "description": "A city"}},
           "required": ["location"], "additionalProperties": False}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
        "additionalProperties": False}
TOOL = {"name": "get_weather", "description": "The weather at a place", "parameters": WEATHER}
HELLO = [{"user": "Hello there"}]


@dataclasses.dataclass
class Answer:
    text: str
    finish: str  # "stop" or "tools"
    calls: list  # (id, name, arguments)
    usage: dict  # input, output, cached, reasoning; None: not shown
    raw: object  # what the SDK wants back as the assistant's turn
    reasoning: str | None = None  # None: not shown


def plain(driver, provider, mock):
    answer = driver.ask(f"answer@{provider}", HELLO)
    assert (answer.text, answer.finish) == (FIVE_TOKENS, "stop")


def stream(driver, provider, mock):
    answer = driver.ask(f"answer@{provider}", HELLO, stream=True)
    assert (answer.text, answer.finish) == (FIVE_TOKENS, "stop")


def usage(driver, provider, mock):
    reasoning = 0 if provider == "anthropic" else 7  # Anthropic's models reason when they are asked to
    expected = {"input": 20, "output": 3 + reasoning, "cached": 8, "reasoning": reasoning}
    for streamed in (False, True):
        seen = driver.ask(f"details@{provider}", HELLO, stream=streamed).usage
        assert {name: count for name, count in seen.items() if count is not None} == {
            name: count for name, count in expected.items() if seen[name] is not None}


def round_trip(driver, model, count):
    for streamed in (False, True):
        first = driver.ask(model, HELLO, stream=streamed, tools=[TOOL])
        assert first.finish == "tools"
        assert [(name, args["location"]) for _, name, args in first.calls] == [
            ("get_weather", "Paris"), ("get_weather", "Tokyo")][:count]
        assert len({identity for identity, _, _ in first.calls}) == count
        results = [(identity, '{"celsius":21}') for identity, _, _ in first.calls]
        second = driver.ask(model, [*HELLO, {"answer": first}, {"results": results}], stream=streamed, tools=[TOOL])
        assert second.finish == "stop" and second.text


def tool_round_trip(driver, provider, mock):
    round_trip(driver, f"calls-tool@{provider}", 1)


def parallel_tools(driver, provider, mock):
    round_trip(driver, f"calls-two-tools@{provider}", 2)


def image(driver, provider, mock):
    answer = driver.ask(f"answer@{provider}", [{"user": "What is it?", "image": PICTURE}])
    assert answer.text == FIVE_TOKENS
    assert PICTURE in json.dumps(mock.last_request()[1])


def reasoning(driver, provider, mock):
    for streamed in (False, True):
        answer = driver.ask(f"reasons@{provider}", HELLO, stream=streamed, effort="low")
        assert answer.text == FIVE_TOKENS
        if provider != "openai":  # which counts it and does not show it
            assert answer.reasoning == "Let me think: so"
        assert answer.usage["reasoning"] in (4, None)


def structured_output(driver, provider, mock):
    answer = driver.ask(f"echo@{provider}", [{"user": '{"city":"Paris"}'}], schema=CITY)
    assert json.loads(answer.text) == {"city": "Paris"}
    assert "city" in json.dumps({name: part for name, part in mock.last_request()[1].items()
                                 if provider == "minimax" or name not in ("messages", "contents")})


def errors(driver, provider, mock):
    # MiniMax has a code of its own for it, which is a bad gateway.
    overloaded = (502, "InternalServerError") if provider == "minimax" else (503, driver.unavailable)
    for scenario, status, name in (("refuses", 400, "BadRequestError"), ("busy", 429, "RateLimitError"),
                                   ("overloaded", *overloaded)):
        for streamed in (False, True):
            with pytest.raises(driver.error) as caught:
                driver.ask(f"{scenario}@{provider}", HELLO, stream=streamed)
            assert (caught.value.status_code, type(caught.value).__name__) == (status, name)
            if status == 429 and provider != "minimax":  # whose errors are inside of an answer without such a field
                assert caught.value.response.headers["retry-after"] == "7"


def abort(driver, provider, mock):
    driver.abandon(f"slow@{provider}")
    mock.stopped_at("streaming")


# Who has the two endpoints that go through as they are; the others' refusal names these.
RESPONDING = ("openai", "x-ai", "openrouter", "minimax")
EMBEDDING = ("openai", "x-ai", "openrouter")


def refused_by_name(driver, ask, others, mock):
    """A refusal that says which models do otherwise. Returns why the cell is a gap."""
    with pytest.raises(driver.error) as caught:
        ask()
    assert caught.value.status_code == 400 and others in caught.value.message
    assert mock.ledger()["requests"] == 0
    return "the provider has no such endpoint: 400 that names those who do, checked here"


def responses(driver, provider, mock):
    if provider not in RESPONDING:
        return refused_by_name(driver, lambda: driver.respond(f"answer@{provider}", False),
                               "openai, openrouter, x-ai and minimax", mock)
    for streamed in (False, True):
        assert driver.respond(f"answer@{provider}", streamed) == (FIVE_TOKENS, (11, 5))
    return None


def embeddings(driver, provider, mock):
    if provider not in EMBEDDING:
        return refused_by_name(driver, lambda: driver.embed(f"answer@{provider}", ["one", "two"]),
                               "openai, openrouter and x-ai", mock)
    vectors = driver.embed(f"answer@{provider}", ["one", "two"])
    assert [len(vector) for vector in vectors] == [4, 4] and vectors[0] != vectors[1]
    return None


FEATURES = {"plain": plain, "stream": stream, "usage": usage, "tool round trip": tool_round_trip,
            "parallel tools": parallel_tools, "image": image, "reasoning": reasoning,
            "structured output": structured_output, "errors": errors, "abort": abort}
FURTHER = {"responses": responses, "embeddings": embeddings}

cells = pytest.mark.parametrize("provider", PROVIDERS), pytest.mark.parametrize("feature", FEATURES)
further_cells = pytest.mark.parametrize("provider", PROVIDERS), pytest.mark.parametrize("feature", {**FEATURES, **FURTHER})


def record(sdk, feature, provider, result):
    if path := os.environ.get("CONCURRED_MATRIX"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"sdk": sdk, "feature": feature, "provider": provider, "result": result}) + "\n")


def check(driver, feature, provider, mock):
    """One cell."""
    gap = driver.missing() or driver.gaps.get(f"{feature} {provider}") or driver.gaps.get(feature)
    if gap:
        record(driver.name, feature, provider, gap)
        pytest.skip(gap)
    result = {**FEATURES, **FURTHER}[feature](driver, provider, mock)
    # The mock checks every request by its provider's schema and rules.
    assert mock.ledger()["violation_list"] == []
    record(driver.name, feature, provider, result or "pass")
