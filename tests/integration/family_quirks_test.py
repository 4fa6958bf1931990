"""Providers that follow OpenAI with quirks of their own, over sockets: x-ai, openrouter, minimax."""

import json
import os
from pathlib import Path

import pytest

from imposter import Imposter, answer, chunked
from upstream_rig import QUICK, Gateway, Scenarios, needs_binary

pytestmark = needs_binary

OURS = Path(__file__).parents[1] / "fixtures"
RECORDED = Path(os.environ.get("CONCURRED_SHARED", "../shared")) / "fixtures/third-party"
PROVIDERS = ("x-ai", "openrouter", "minimax")


@pytest.fixture(scope="module")
def provider():
    with Imposter() as imposter:
        yield imposter


@pytest.fixture(scope="module")
def gateway(provider, tmp_path_factory):
    scenarios = Scenarios()
    for name in PROVIDERS:
        scenarios.providers[name] = {"base_url": provider.base_url, "api_key": f"sk-{name}"}
    with Gateway(tmp_path_factory.mktemp("gateway"), scenarios, settings=QUICK) as running:
        yield running


def samples(extension):
    return [pytest.param(name, path, id=f"{name}-{path.stem}") for name in PROVIDERS for root in (OURS, RECORDED)
            for path in sorted((root / name).glob("*" + extension)) if ".expected" not in path.name]


def expected_events(path):
    parts = [part.strip()[len("data: "):] for part in path.read_text().split("\n\n") if part.strip()]
    return [json.loads(part) if part.startswith("{") else part for part in parts]


@pytest.mark.parametrize("name,path", samples(".sse"))
def test_a_stream_comes_as_openais(gateway, provider, name, path):
    stream = path.read_bytes()
    provider.script = chunked(*(stream[i:i + 97] for i in range(0, len(stream), 97)))
    call = gateway.ask(f"{name}/m", stream=True, stream_options={"include_usage": True})
    error = path.with_suffix(".expected.json")
    if path.name.startswith("error-first"):
        assert call.status == json.loads(error.read_text())["status"]
        return
    assert call.status == 200 and call.ended == "whole"
    ours, theirs = call.events(), expected_events(path.with_suffix(".expected.sse"))
    if "error" in theirs[-1]:
        assert {**theirs[-1]["error"], "details": {}} == ours[-1]["error"]
        ours, theirs = ours[:-1], theirs[:-1]
    assert ours == theirs
    sent = json.loads(provider.requests[-1][1])
    assert sent["stream_options"] == {"include_usage": True} and sent["model"] == "m"


@pytest.mark.parametrize("name,path", samples(".json"))
def test_a_whole_answer_comes_as_openais(gateway, provider, name, path):
    sample = json.loads(path.read_text())
    expected = json.loads(path.with_suffix(".expected.json").read_text())
    if "body" in sample:
        status = sample["status"]
        provider.script = answer(json.dumps(sample["body"]).encode(), f"{status} X")
        for stream in (False, True):  # a stream's error comes as JSON too
            call = gateway.ask(f"{name}/m", stream=stream)
            assert call.status == expected["status"]
            assert call.error()["message"] == expected["body"]["error"]["message"]
        return
    provider.script = answer(path.read_bytes())
    call = gateway.ask(f"{name}/m")
    assert call.status == 200 and call.json() == expected


def test_the_providers_own_bill_is_recorded(gateway, provider):
    provider.script = chunked((OURS / "openrouter/text-thinking.sse").read_bytes())
    assert gateway.ask("openrouter/billed", stream=True).status == 200
    assert gateway.usage_row("openrouter/billed")["cost_nano_usd"] == 412_000
