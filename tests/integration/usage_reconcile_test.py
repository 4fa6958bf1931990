"""A provider's own export is compared with what was booked: equal where it is, and named where it is not."""

import csv
import datetime
import io
import json

import pytest

from harness import Gateway, chat_body, eventually, needs_binary, post
from mock_provider import MockProvider

pytestmark = needs_binary

# Of each request: what the mock reports, in the provider's own terms.
OPENAI = {"input": 1000, "cached": 600, "output": 11 + 4}
ANTHROPIC = {"uncached": 1000 - 600 - 200, "read": 600, "write": 200, "output": 11}
ASKED = 3


def today():
    return datetime.datetime.now(datetime.timezone.utc).date()


@pytest.fixture(scope="module")
def booked(tmp_path_factory):
    """A gateway that has served three requests of each provider, on one day."""
    with MockProvider() as mock:
        root = mock.base_url.removesuffix("/v1")
        settings = {"storage.flush_interval": "10ms", "providers.openai.base_url": mock.base_url,
                    "providers.openai.api_key": "sk-mock-tokens=11;prompt=1000;cached=600;reasoning=4",
                    "providers.anthropic.base_url": root,
                    "providers.anthropic.api_key": "sk-mock-tokens=11;prompt=1000;cached=600;cache-write=200"}
        day = today()
        with Gateway(tmp_path_factory.mktemp("gateway"), settings=settings) as gateway:
            for model in ("gpt-5.2", "claude-opus-4-5"):
                for stream in (False, True, False):
                    answer = gateway.ask(post("/api/v1/chat/completions", chat_body(model, stream=stream),
                                              gateway.authorization))
                    assert answer.status == 200, answer.body
            eventually(lambda: gateway.usage()[0] == 2 * ASKED)
            if today() != day:
                pytest.skip("midnight")
            yield gateway


def reconcile(gateway, provider, text):
    path = gateway.folder / "export"
    path.write_text(text)
    return gateway.run("usage", "reconcile", "--provider", provider, "--provider-export", str(path))


def start_of_day():
    return int(datetime.datetime.combine(today(), datetime.time(), datetime.timezone.utc).timestamp())


def openai_json(requests=ASKED, output=OPENAI["output"] * ASKED):
    """GET /v1/organization/usage/completions?bucket_width=1d&group_by=model, in two pages."""
    start = start_of_day()
    empty = {"object": "bucket", "start_time": start - 86_400, "end_time": start, "results": []}
    result = {"object": "organization.usage.completions.result", "input_tokens": OPENAI["input"] * ASKED,
              "output_tokens": output, "input_cached_tokens": OPENAI["cached"] * ASKED, "input_audio_tokens": 0,
              "output_audio_tokens": 0, "num_model_requests": requests, "project_id": None, "user_id": None,
              "api_key_id": None, "model": "gpt-5.2-2025-12-11", "batch": None, "service_tier": None}
    full = {"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": [result]}
    return json.dumps([{"object": "page", "data": [empty], "has_more": True, "next_page": "page_2"},
                       {"object": "page", "data": [full], "has_more": False, "next_page": None}])


def openai_csv():
    """The dashboard's, with a line for each minute."""
    names = ["start_time", "end_time", "start_time_iso", "end_time_iso", "project_id", "num_model_requests", "model", "batch",
             "input_tokens", "output_tokens", "input_cached_tokens"]
    out = io.StringIO()
    lines = csv.DictWriter(out, names)
    lines.writeheader()
    for minute in range(ASKED + 1):
        start = start_of_day() + 60 * minute
        times = {"start_time": start, "end_time": start + 60, "start_time_iso": f"{today()}T00:0{minute}:00+00:00",
                 "end_time_iso": f"{today()}T00:0{minute + 1}:00+00:00"}
        used = {"project_id": "proj_1", "num_model_requests": 1, "model": "gpt-5.2-2025-12-11", "batch": "False",
                "input_tokens": OPENAI["input"], "output_tokens": OPENAI["output"],
                "input_cached_tokens": OPENAI["cached"]}
        lines.writerow({**times, **(used if minute > 0 else {})})
    return out.getvalue()


def anthropic_json(output=ANTHROPIC["output"] * ASKED):
    """GET /v1/organizations/usage_report/messages?bucket_width=1d&group_by[]=model"""
    result = {"uncached_input_tokens": ANTHROPIC["uncached"] * ASKED, "cache_creation": {
        "ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": ANTHROPIC["write"] * ASKED},
        "cache_read_input_tokens": ANTHROPIC["read"] * ASKED, "output_tokens": output,
        "server_tool_use": {"web_search_requests": 0}, "api_key_id": None, "workspace_id": None,
        "model": "claude-opus-4-5-20251101", "service_tier": None, "context_window": None}
    return json.dumps({"data": [{"starting_at": f"{today()}T00:00:00Z",
                                 "ending_at": f"{today() + datetime.timedelta(days=1)}T00:00:00Z", "results": [result]}],
                       "has_more": False, "next_page": None})


def anthropic_csv():
    """The console's."""
    head = ("usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
            "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
            "usage_output_tokens,web_search_count,inference_geo,speed\n")
    line = (f"{today()},claude-opus-4-5-20251101,Gateway,Default,standard,≤ 200k,{ANTHROPIC['uncached']},{ANTHROPIC['write']},0,"
            f"{ANTHROPIC['read']},{ANTHROPIC['output']},0,global,\n")
    return head + line * ASKED


@pytest.mark.parametrize(("provider", "export"), [("openai", openai_json), ("openai", openai_csv),
                                                  ("anthropic", anthropic_json), ("anthropic", anthropic_csv)])
def test_books_that_agree_are_equal(booked, provider, export):
    done = reconcile(booked, provider, export())
    assert done.returncode == 0, done.stdout + done.stderr
    line, = [line.split() for line in done.stdout.splitlines() if line.startswith(str(today()))]
    figures = OPENAI if provider == "openai" else ANTHROPIC
    read = figures["input"] if provider == "openai" else sum(figures[kind] for kind in ("uncached", "read", "write"))
    assert line[2:9] == [str(ASKED), "0", str(read * ASKED), "0", str(figures["output"] * ASKED), "0", "0"]
    assert line[-1] == "equal"
    assert "1 lines, 0 with a difference" in done.stdout


@pytest.mark.parametrize(("provider", "text", "difference"), [
    ("openai", lambda: openai_json(requests=ASKED + 1), "+1"),
    ("openai", lambda: openai_json(output=OPENAI["output"] * ASKED - 7), "-7"),
    ("anthropic", lambda: anthropic_json(output=ANTHROPIC["output"] * ASKED + 9), "+9")])
def test_a_difference_that_nothing_explains_is_shown_and_is_a_failure(booked, provider, text, difference):
    done = reconcile(booked, provider, text())
    assert done.returncode == 1
    line, = [line.split() for line in done.stdout.splitlines() if line.startswith(str(today()))]
    assert difference in line and line[-1] == "DIFFERS"


def test_an_export_that_is_not_whole_or_no_export_is_refused(booked):
    page = json.loads(openai_json())[0]
    for text, why in ((json.dumps(page), "has_more"), ("hello", "no column"), ("", "empty")):
        done = reconcile(booked, "openai", text)
        assert done.returncode == 64 and why in done.stderr, text
