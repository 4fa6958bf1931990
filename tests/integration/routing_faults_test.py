"""The table of faults: provider dialect x fault x stream or not x fallback given or none. What the client sees, what is
recorded, what breakers and keys learn. All cells run at once, beside each other; each then is a test of its own."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from fault_provider import PATHS, TEXT, FaultProvider
from upstream_rig import Gateway, Scenarios, breaking_after, eventually, needs_binary

pytestmark = needs_binary


@dataclass(frozen=True)
class Row:
    status: int           # of the error, when nothing of an answer had come
    code: str
    reason: str           # in X-Concurred-Fallback, and what the log says
    opens: bool           # the breaker of the model learns that it failed
    end: str = "upstream_error"
    key_rests: bool = False
    retry_after: str = None


AUTH = Row(502, "upstream_authentication_failed", "key", False, key_rests=True)
ERROR = Row(502, "UPSTREAM_ERROR", "error", True)
OVERLOADED = Row(503, "upstream_overloaded", "overloaded", True)
LATE = Row(504, "UPSTREAM_TIMEOUT", "timeout", True, end="timeout")

# Nothing of an answer reaches the client.
BEFORE = {
    "status-401": AUTH,
    "status-403": AUTH,
    "status-404": Row(404, None, "model", False),
    "status-408": Row(408, None, "timeout", True),
    "status-429": Row(429, None, "rate_limited", False, key_rests=True),
    "status-429-wait": Row(429, None, "rate_limited", False, key_rests=True, retry_after="30"),
    "status-500": ERROR,
    "status-503": OVERLOADED,
    "status-529": OVERLOADED,
    "reset-first": ERROR,
    "reset-after-head": ERROR,
    "stall-first": LATE,
    "garbage": ERROR,
    "endless-line": ERROR,
    "truncated-json": ERROR,
    "wrong-type": ERROR,
    "error-200": OVERLOADED,
}
QUOTA = {"status-429-quota": Row(429, "insufficient_quota", "quota", False, key_rests=True)}  # only OpenAI says so
# A stream's content has reached the client: no other model can take over. An answer that is no stream is held back.
AFTER = {"mid-event": ERROR, "stall-later": LATE}
STREAM_ONLY_BEFORE = {"error-first": OVERLOADED}
STREAM_ONLY_AFTER = {"no-end": ERROR, "late": ERROR}

# dialect -> provider
DIALECTS = {"openai": "plain", **{name: name for name in ("anthropic", "google", "x-ai", "openrouter", "minimax")}}


def row_of(dialect, fault, row):
    """What is another for one provider: MiniMax has no word for being overloaded."""
    return ERROR if dialect == "minimax" and fault in ("error-200", "error-first") else row


def cells():
    for dialect, stream, spare in itertools.product(DIALECTS, (False, True), (False, True)):
        before = {**BEFORE, **(QUOTA if dialect == "openai" else {}), **({} if stream else AFTER),
                  **(STREAM_ONLY_BEFORE if stream else {})}
        for fault, row in before.items():
            yield dialect, fault, stream, spare, row_of(dialect, fault, row), False
        for fault, row in ({**AFTER, **STREAM_ONLY_AFTER} if stream else {}).items():
            yield dialect, fault, stream, spare, row, True


CELLS = list(cells())
IDS = [f"{dialect}-{fault}-{'stream' if stream else 'whole'}-{'fallback' if spare else 'alone'}"
       for dialect, fault, stream, spare, _, _ in CELLS]


def model_of(number):
    dialect, fault, *_ = CELLS[number]
    return f"{DIALECTS[dialect]}/{fault}.{number}"


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """The gateway after all cells, and their answers."""
    with FaultProvider() as provider, FaultProvider() as spare:
        scenarios = Scenarios()
        budgets = {"first_token_timeout": "500ms", "idle_timeout": "500ms", "connect_timeout": "2s"}
        # As many keys as there are faults that put one to rest.
        keys = " ".join(f"sk-key-number-{n}" for n in range(48))
        for dialect, name in DIALECTS.items():
            scenarios.providers[name] = {"base_url": provider.address + PATHS[dialect], "api_keys": keys,
                                         "keepalive": "0s", **budgets}
        scenarios.providers["spare"] = {"base_url": spare.address + "/v1", "api_key": "sk-spare", **budgets}
        with Gateway(tmp_path_factory.mktemp("gateway"), scenarios, None, breaking_after(1)) as gateway:
            def run(number):
                _, _, stream, with_spare, _, _ = CELLS[number]
                fields = {"fallback": [f"spare/good.{number}"]} if with_spare else {}
                return gateway.ask(model_of(number), stream=stream, **fields)

            with ThreadPoolExecutor(24) as pool:
                done = list(pool.map(run, range(len(CELLS))))
            gateway.at_rest()
            eventually(lambda: len(gateway.access_lines()) == len(CELLS), "the access log")
            gateway.lines = {line["model_requested"]: line for line in gateway.access_lines()}
            gateway.learnt = gateway.metrics()
            gateway.provider, gateway.spare = provider, spare
            yield gateway, done


def text_of(answer, stream):
    if not stream:
        return answer.json()["choices"][0]["message"]["content"]
    events = [e for e in answer.events() if isinstance(e, dict) and e.get("choices")]
    return "".join(e["choices"][0]["delta"].get("content") or "" for e in events)


@pytest.mark.parametrize("number", range(len(CELLS)), ids=IDS)
def test_a_cell(answers, number):
    gateway, done = answers
    _, _, stream, with_spare, row, after_content = CELLS[number]
    answer, line = done[number], gateway.lines[model_of(number)]
    upstream = model_of(number).split("/", 1)[1]
    assert gateway.provider.asked[upstream] == 1
    assert gateway.spare.asked.get(f"good.{number}", 0) == (1 if with_spare and not after_content else 0)
    assert answer.ended == "whole"
    if after_content:
        # What came, then one clean error, no end mark.
        assert answer.status == 200 and text_of(answer, True) == TEXT
        assert answer.events().count("[DONE]") == 0
        assert answer.last_error()["message"]
        assert answer.head.get("x-concurred-fallback") is None
        assert (line["status"], line["end_reason"], line.get("fallback_from")) == (200, row.end, None)
        assert line["model_served"] == model_of(number)
    elif with_spare:
        assert answer.status == 200 and text_of(answer, stream) == TEXT
        assert answer.head["x-concurred-fallback"] == f"{model_of(number)};{row.reason}"
        assert not stream or answer.events()[-1] == "[DONE]"
        assert (line["status"], line["end_reason"], line["fallback_from"]) == (200, "completed", model_of(number))
        assert (line["model_served"], line["provider"]) == (f"spare/good.{number}", "spare")
        assert (line["input_tokens"], line["output_tokens"]) == (5, 2)
    else:
        assert (answer.status, answer.head["content-type"]) == (row.status, "application/json")
        error = answer.error()
        assert error["message"] and (row.code is None or error["code"] == row.code)
        assert answer.head.get("retry-after") == row.retry_after
        assert answer.head.get("x-should-retry") == ("false" if row.reason in ("key", "quota") else None)
        assert (line["status"], line["end_reason"], line.get("fallback_from")) == (row.status, row.end, None)
        assert line["model_served"] == model_of(number)
    assert line["retries"] == 0


@pytest.mark.parametrize("number", range(len(CELLS)), ids=IDS)
def test_what_the_breaker_learns(answers, number):
    gateway, _ = answers
    dialect, _, _, _, row, _ = CELLS[number]
    series = f'concurred_upstream_breakers{{provider="{DIALECTS[dialect]}",model="{model_of(number)}",state="open"}}'
    assert gateway.learnt.get(series, 0) == (1 if row.opens else 0)


def test_what_keys_learn(answers):
    gateway, _ = answers
    for dialect, name in DIALECTS.items():
        rests = sum(1 for d, _, _, _, row, _ in CELLS if d == dialect and row.key_rests)
        counted = sum(value for series, value in gateway.learnt.items()
                      if series.startswith(f'concurred_upstream_key_rests_total{{provider="{name}"'))
        assert counted == rests
        # Those without a wait rest for seconds at least, so all but the shortest are still at rest.
        resting = gateway.learnt[f'concurred_upstream_keys{{provider="{name}",state="resting"}}']
        assert 1 <= resting <= rests


def test_no_breaker_of_a_whole_provider_learns_from_answers(answers):
    gateway, _ = answers
    assert not [s for s, v in gateway.learnt.items() if 'model="*"' in s and 'state="open"' in s and v]


def test_the_spare_is_not_blamed(answers):
    gateway, _ = answers
    assert not [s for s in gateway.learnt if s.startswith('concurred_upstream_breakers{provider="spare"')
                and 'state="open"' in s]
