"""A model of Google's answers through the gateway as OpenAI's do: requests, answers, streams, errors."""

import json
import os
from pathlib import Path

import pytest

from imposter import Imposter, answer, chunked
from upstream_rig import QUICK, Gateway, Scenarios, needs_binary

pytestmark = needs_binary

FIXTURES = Path(__file__).parents[1] / "fixtures" / "google"
RECORDED = Path(os.environ.get("CONCURRED_SHARED", "../shared")) / "fixtures/third-party/google"
FIGURES = ("prompt_tokens", "cache_read_tokens", "cache_write_tokens", "completion_tokens", "reasoning_tokens")
MODEL = "google/gemini-2.5-flash"


@pytest.fixture(scope="module")
def google():
    with Imposter() as provider:
        provider.base_url = provider.base_url.replace("/v1", "/v1beta")
        yield provider


@pytest.fixture(scope="module")
def gateway(google, tmp_path_factory):
    scenarios = Scenarios()
    scenarios.providers["google"] = {"base_url": google.base_url, "api_key": "sk-google-secret"}
    with Gateway(tmp_path_factory.mktemp("gateway"), scenarios, settings=QUICK) as running:
        yield running


def streams():
    folders = [FIXTURES] + ([RECORDED] if RECORDED.is_dir() else [])
    return [path for folder in folders for path in sorted(folder.glob("*.sse")) if ".expected" not in path.name]


def masked(events):
    """Without what the gateway makes anew each time."""
    for event in events:
        if isinstance(event, dict) and "choices" in event:
            event["created"] = 0
            for choice in event["choices"]:
                for call in choice["delta"].get("tool_calls", ()):
                    assert call["id"].startswith("call_")
                    call["id"] = "call_"
    return events


def expected_events(path):
    text = path.with_suffix(".expected.sse").read_text()
    parts = [part.strip()[len("data: "):] for part in text.split("\n\n") if part.strip()]
    return [json.loads(part) if part.startswith("{") else part for part in parts]


@pytest.mark.parametrize("path", streams(), ids=lambda path: path.name)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_stream_is_translated_however_it_is_cut(gateway, google, path, size):
    stream = path.read_bytes()
    google.script = chunked(*(stream[i:i + size] for i in range(0, len(stream), size)))
    call = gateway.ask(MODEL, stream=True, stream_options={"include_usage": True})
    assert call.status == 200 and call.ended == "whole"
    ours, theirs = masked(call.events()), masked(expected_events(path))
    if "error" in theirs[-1]:
        assert {**theirs[-1]["error"], "details": {}} == ours[-1]["error"]
        ours, theirs = ours[:-1], theirs[:-1]
    assert ours == theirs


def test_the_request_goes_where_gemini_wants_it(gateway, google):
    google.script = answer((FIXTURES / "thinking.json").read_bytes())
    call = gateway.ask(MODEL, max_tokens=20000, user="u", seed=3, logit_bias={"1": 2})
    assert call.status == 200
    message = call.json()["choices"][0]["message"]
    assert message["content"] == "There are 3." and message["reasoning_content"].startswith("**Counting")
    assert call.json()["usage"]["completion_tokens"] == 42
    head, body = google.requests[-1]
    assert head.split(b"\r\n")[0] == b"POST /v1beta/models/gemini-2.5-flash:generateContent HTTP/1.1"
    assert b"x-goog-api-key: sk-google-secret" in head and b"uthorization" not in head
    assert json.loads(body) == {"contents": [{"role": "user", "parts": [{"text": "Hello there"}]}],
                                "generationConfig": {"maxOutputTokens": 20000, "seed": 3}}
    assert call.head["x-concurred-dropped-params"] == "user, logit_bias"


def test_usage_is_recorded_with_thoughts_and_cache(gateway, google):
    google.script = chunked((FIXTURES / "thinking.sse").read_bytes())
    call = gateway.ask("google/gemini-usage-only", stream=True)
    assert b'"usage"' not in call.body  # the client did not ask for it
    row = gateway.usage_row("google/gemini-usage-only")
    assert {name: row[name] for name in FIGURES} == dict(zip(FIGURES, (10, 1024, 0, 5, 38)))


def test_a_refused_key_is_not_the_callers(gateway, google):
    google.script = answer(json.dumps(json.loads((FIXTURES / "error-api-key.json").read_text())["body"]).encode(),
                           "400 Bad Request")
    for stream in (False, True):
        call = gateway.ask(MODEL, stream=stream)
        assert call.status == 502 and call.error()["code"] == "upstream_authentication_failed"


def test_the_wait_is_in_the_details(gateway, google):
    body = {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED", "details": [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}]}}
    google.script = answer(json.dumps([body]).encode(), "429 Too Many Requests")
    call = gateway.ask(MODEL, stream=True)
    assert call.status == 429 and call.head["retry-after"] == "35"
    assert call.error()["code"] == "rate_limit_exceeded"


def test_a_broken_function_call_is_an_error_of_the_provider(gateway, google):
    body = (FIXTURES / "malformed-function-call.json").read_bytes()
    google.script = answer(body)
    whole = gateway.ask(MODEL)
    google.script = chunked(b"data: " + json.dumps(json.loads(body)).encode() + b"\r\n\r\n")
    stream = gateway.ask(MODEL, stream=True)
    for call in (whole, stream):
        assert call.status == 502 and call.error()["code"] == "malformed_function_call"


def picture(url):
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]


def test_a_picture_by_its_address_is_for_google_to_fetch(gateway, google):
    google.script = answer((FIXTURES / "thinking.json").read_bytes())
    assert gateway.ask(MODEL, messages=picture("https://example.com/cat.png")).status == 200
    parts = json.loads(google.requests[-1][1])["contents"][0]["parts"]
    assert parts == [{"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/cat.png"}}]


def test_a_picture_that_google_would_not_fetch_is_refused_by_name(gateway, google):
    asked = len(google.requests)
    call = gateway.ask(MODEL, messages=picture("http://example.com/cat.png"))
    assert call.status == 400
    assert call.error()["param"] == "messages[0].content[0].image_url.url" and "data: URL" in call.error()["message"]
    assert len(google.requests) == asked


def test_a_stream_that_ends_early_says_so(gateway, google):
    first = (FIXTURES / "thinking.sse").read_bytes().split(b"\r\n\r\n")[2]
    google.script = chunked(first + b"\r\n\r\n")
    call = gateway.ask(MODEL, stream=True)
    assert call.status == 200 and "before the answer was complete" in call.last_error()["message"]
    assert b"[DONE]" not in call.body
