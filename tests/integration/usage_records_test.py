"""Usage: one record per admitted request, the provider's figures, the price list, and the same sums everywhere."""

import datetime
import json
import signal

import pytest

from imposter import Imposter, answer
from mock_provider import MockProvider
from upstream_rig import QUICK, Gateway, Scenarios, eventually, needs_binary, rig

pytestmark = needs_binary

SCENARIOS = Scenarios()
PLAIN = SCENARIOS.mock("tokens=5;prompt=40")
CACHED = SCENARIOS.mock("tokens=11;prompt=1000;cached=600;reasoning=4")
NO_USAGE = SCENARIOS.mock("tokens=9;no-usage")
FAILING = SCENARIOS.mock("status=500")
REFUSING = SCENARIOS.mock("status=400")
HANG = SCENARIOS.mock("hang")
BREAKING = SCENARIOS.mock("tokens=9;close-after=4")
# USD per million tokens, that is, pico-USD times a million per token.
SCENARIOS.model("priced", provider=CACHED, input_price=2.0, cached_input_price=0.5, output_price=8.0)
SCENARIOS.model("uncached-price", provider=CACHED, input_price=2.0, output_price=8.0)
SCENARIOS.model("odd-price", provider=PLAIN, input_price=0.0374, output_price=0.0001)
SCENARIOS.model("free", provider=PLAIN, input_price=0.0, output_price=0.0)
gateway = rig(SCENARIOS)

TODAY = lambda: datetime.datetime.now(datetime.timezone.utc).date()


def report(gateway, query="", key=None):
    got = gateway.get("/api/v1/usage" + query, key)
    assert got.status == 200, got.body
    assert got.head["cache-control"] == "no-store"
    body = json.loads(got.body, parse_float=str)
    assert body["success"] is True
    return body["data"]


def reported(gateway, model):
    """The entry of `model` in the answer of the API, once it is there."""
    return eventually(lambda: report(gateway)["byModel"].get(model), f"usage of {model}")


@pytest.mark.parametrize("stream", [False, True])
def test_cached_tokens_have_their_own_price(gateway, stream):
    before = report(gateway)["byModel"].get("priced", {"requests": 0})
    assert gateway.ask("priced", stream=stream).status == 200
    eventually(lambda: gateway.records("priced") == before["requests"] + 1)
    row = gateway.usage_row("priced")
    n = row["requests"]
    # The mock: 1000 prompt tokens, 600 of them cached; 11 tokens of text and 4 of reasoning.
    assert (row["prompt_tokens"], row["cache_read_tokens"], row["cache_write_tokens"]) == (400 * n, 600 * n, 0)
    assert row["completion_tokens"] + row["reasoning_tokens"] == 15 * n and row["reasoning_tokens"] == 4 * n
    # 400 x 2000 + 600 x 500 + 15 x 8000 nano-USD
    assert row["cost_nano_usd"] == 1_220_000 * n
    entry = reported(gateway, "priced")
    assert entry["tokens"] == 1015 * n
    assert float(entry["cost"]) == pytest.approx(0.00122 * n, abs=1e-12) and "unpriced" not in entry


def test_without_a_price_for_cached_tokens_they_cost_as_others(gateway):
    gateway.ask("uncached-price")
    assert gateway.usage_row("uncached-price")["cost_nano_usd"] == 1000 * 2000 + 15 * 8000


def test_a_price_below_a_nano_dollar_is_rounded_once(gateway):
    gateway.ask("odd-price")
    # 40 x 37.4 + 5 x 0.1 = 1496.5 nano-USD
    assert gateway.usage_row("odd-price")["cost_nano_usd"] == 1497


def test_free_is_a_price(gateway):
    gateway.ask("free")
    row = gateway.usage_row("free")
    assert (row["cost_nano_usd"], row["unpriced_requests"]) == (0, 0)


def test_a_model_without_a_price_is_shown_as_such(gateway):
    name = gateway.name(PLAIN)
    gateway.ask(name)
    assert reported(gateway, name) == {"requests": 1, "tokens": 45, "cost": 0, "unpriced": True}
    assert gateway.usage_row(name)["unpriced_requests"] == 1
    assert gateway.metrics()[f'concurred_unpriced_requests_total{{provider="{PLAIN}"}}'] >= 1


@pytest.mark.parametrize("stream", [False, True])
def test_missing_figures_are_estimated_and_flagged(gateway, stream):
    name = gateway.name(NO_USAGE)
    gateway.ask(name, stream=stream)
    row = gateway.usage_row(name)
    assert row["estimated_requests"] == 1 and row["prompt_tokens"] > 0
    if stream:
        assert row["completion_tokens"] == 9  # 36 characters
    else:
        assert 9 <= row["completion_tokens"] <= 150  # all of the answer is taken for text


def test_each_end_leaves_one_record(gateway):
    before = gateway.records()
    expected = 0

    def one_more():
        nonlocal expected
        expected += 1
        eventually(lambda: gateway.records() == before + expected, f"record {expected}")

    for provider, status in ((PLAIN, 200), (FAILING, 502), (REFUSING, 400), (BREAKING, 200)):
        for stream in (False, True):
            got = gateway.ask(gateway.name(provider), stream=stream)
            assert got.status == status or provider == BREAKING
            one_more()
    requests = gateway.mock.ledger()["requests"]
    call = gateway.start(gateway.name(HANG))
    gateway.mock.ledger_when(lambda ledger: ledger["requests"] == requests + 1)
    call.leave()
    one_more()
    assert gateway.ask(None, body=b"{").status == 400
    one_more()
    assert gateway.ask("no-such-model").status == 400
    one_more()
    assert gateway.ask("claude").status == 503  # no key for it here
    one_more()
    # What is not admitted leaves none.
    assert gateway.ask("priced", key="ck_" + "1" * 32).status == 401
    key = gateway.new_key(rate_limit=1)
    assert gateway.ask("free", key=key).status == 200
    one_more()
    assert gateway.ask("free", key=key).status == 429
    assert gateway.get("/api/v1/models").status == 200
    gateway.ask("free")
    one_more()


def test_a_failure_costs_nothing(gateway):
    for provider in (FAILING, REFUSING):
        name = gateway.name(provider)
        gateway.ask(name)
        row = gateway.usage_row(name)
        assert row["requests"] == row["failed"] + row["errors"] or row["failed"] == 1 or row["errors"] == 1
        assert row["prompt_tokens"] + row["completion_tokens"] + row["cost_nano_usd"] == 0


def settled(gateway):
    """Waits until all that was asked is in the database. Records are written in their order."""
    last = gateway.name(PLAIN)
    gateway.ask(last)
    gateway.usage_row(last)


def test_totals_are_the_sums_over_the_models_and_all_ways_agree(gateway):
    gateway.ask("priced")
    gateway.ask(gateway.name(PLAIN), stream=True)
    settled(gateway)
    data = report(gateway)
    entries = data["byModel"].values()
    assert set(data) == {"totalRequests", "totalTokens", "totalCost", "byModel"}
    assert data["totalRequests"] == sum(e["requests"] for e in entries) == gateway.records()
    assert data["totalTokens"] == sum(e["tokens"] for e in entries)
    nano = lambda text: round(float(text) * 1e9)
    assert nano(data["totalCost"]) == sum(nano(e["cost"]) for e in entries)
    by_command = json.loads(gateway.command("usage", "--json"), parse_float=str)["data"]
    assert by_command == data
    for group in ("model", "key", "provider"):
        grouped = report(gateway, f"?interval=day&groupBy={group}")
        series = grouped["series"]
        assert {k: v for k, v in grouped.items() if k != "series"} == data
        assert sum(point["requests"] for point in series) == data["totalRequests"]
        assert sum(nano(point["cost"]) for point in series) == nano(data["totalCost"])
        assert all(group in point and point["date"] for point in series)


def test_usage_is_that_of_the_owner(gateway):
    other = json.loads(gateway.command("keys", "create", "--name", "o", "--owner", "other", "--json"))["key"]
    assert report(gateway, key=other)["totalRequests"] == 0
    gateway.ask("free", key=other)
    eventually(lambda: report(gateway, key=other)["totalRequests"] == 1)
    mine = report(gateway)["byModel"]["free"]["requests"]
    gateway.ask("free", key=other)
    eventually(lambda: report(gateway, key=other)["totalRequests"] == 2)
    assert report(gateway)["byModel"]["free"]["requests"] == mine


def test_days_are_chosen_by_the_query(gateway):
    gateway.ask("free")
    settled(gateway)
    today = TODAY()
    day = lambda n: (today + datetime.timedelta(days=n)).isoformat()
    everything = report(gateway)["totalRequests"]
    assert everything > 0
    for query, count in ((f"?from={day(0)}", everything), (f"?from={day(0)}&to={day(0)}", everything),
                         (f"?to={day(-2)}", 0), (f"?from={day(-365)}&to={day(0)}", everything),
                         (f"?from={day(2)}&to={day(3)}", 0), (f"?from={day(-5)}&to={day(1)}", everything)):
        if TODAY() != today:
            pytest.skip("midnight")
        assert report(gateway, query)["totalRequests"] == count, query


@pytest.mark.parametrize(("query", "param"), [
    ("?from=2026-13-01", "from"), ("?from=2026-02-30", "from"), ("?from=26-01-01", "from"), ("?to=yesterday", "to"),
    ("?from=", "from"), ("?from", "from"), ("?from=2026-03-02&to=2026-03-01", "from"),
    ("?from=2024-01-01&to=2026-01-01", "from"), ("?interval=hour", "interval"), ("?groupBy=owner", "groupBy"),
    ("?keyId=", "keyId"), ("?keyId=a'%20OR%201=1", "keyId"), ("?form=2026-01-01", None), ("?from=2026-01-01%00", None),
    ("?from=0000-00-00", "from"), ("?from=99999-01-01", "from"), ("?owner=other", None),
    ("?from=2026-01-01&from=2026-01-02", "from"),
    ("?to=2026-01-01&from=2026-01-01&to=2026-01-01", "to")])
def test_a_query_that_makes_no_sense_is_refused(gateway, query, param):
    got = gateway.get("/api/v1/usage" + query)
    assert got.status == 400, got.body
    assert got.error()["code"] == "BAD_REQUEST" and got.error()["message"]
    if param:
        assert got.error()["param"] == param


def test_usage_of_one_key(gateway):
    created = json.loads(gateway.command("keys", "create", "--name", "one", "--rate-limit", "100", "--json"))
    gateway.ask("free", key=created["key"])
    eventually(lambda: report(gateway, f"?keyId={created['keyId']}")["totalRequests"] == 1)
    assert report(gateway, "?keyId=key_nobody")["totalRequests"] == 0


def test_after_sigterm_nothing_is_missing(tmp_path):
    lazy = QUICK.replace('"10ms"', '"1m"')
    with MockProvider() as mock, Gateway(tmp_path, SCENARIOS, mock, lazy) as gateway:
        for i in range(60):
            gateway.ask("priced", stream=i % 2 == 0)
        calls = [gateway.start(gateway.name(HANG)) for _ in range(5)]
        mock.ledger_when(lambda ledger: ledger["requests"] == 65)
        for call in calls:
            call.leave()
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(20) == 0
        assert gateway.records() == 65
        row = gateway.usage_row("priced")
        assert (row["requests"], row["cost_nano_usd"]) == (60, 60 * 1_220_000)


def test_many_requests_at_once_are_all_counted(gateway):
    before = gateway.records("free")
    for _ in range(5):
        calls = [gateway.start("free", stream=i % 2 == 0) for i in range(40)]
        for call in calls:
            with call:
                assert call.read_all().status == 200
    eventually(lambda: gateway.records("free") == before + 200)


@pytest.mark.parametrize("fields", [{"n": 128}, {"max_tokens": 2}, {"logprobs": True, "top_logprobs": 20},
                                    {"best_of": 20}, {"stream": True, "stream_options": {"include_usage": False}},
                                    {"stream": True, "stream_options": None}])
def test_no_field_of_the_request_hides_usage(gateway, fields):
    name = gateway.name(PLAIN)
    assert gateway.ask(name, **fields).status == 200
    row = gateway.usage_row(name)
    assert row["completion_tokens"] == (2 if "max_tokens" in fields else 5) and row["estimated_requests"] == 0


def test_figures_inside_the_content_are_only_text(tmp_path):
    content = '{"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
    body = json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "usage": "x"}],
                       "usage": {"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100}}).encode()
    with Imposter(answer(body)) as imposter:
        scenarios = Scenarios()
        provider = scenarios.at(imposter.base_url)
        with Gateway(tmp_path, scenarios, None, QUICK) as gateway:
            name = gateway.name(provider)
            assert gateway.ask(name).body == body
            row = gateway.usage_row(name)
            assert (row["prompt_tokens"], row["completion_tokens"]) == (70, 30)


def explain(gateway, request_id, key=None):
    return gateway.get(f"/api/v1/usage/explain?id={request_id}", key)


@pytest.mark.parametrize("stream", [False, True])
def test_one_request_is_explained_with_its_arithmetic(gateway, stream):
    request_id = gateway.ask("priced", stream=stream).head["x-request-id"]
    got = eventually(lambda: (got := explain(gateway, request_id)).status == 200 and got, "the record")
    data = json.loads(got.body, parse_float=str)["data"]
    assert data["requestId"] == request_id
    assert (data["status"], data["end"], data["stream"], data["estimated"]) == (200, "completed", stream, False)
    assert (data["modelRequested"], data["model"], data["provider"]) == ("priced", "priced", CACHED)
    assert data["tokens"] == {"prompt": 400, "cacheRead": 600, "cacheWrite": 0, "completion": 11, "reasoning": 4,
                              "total": 1015}
    assert data["arithmetic"] == [
        {"class": "prompt", "tokens": 400, "usdPerMillion": 2, "cost": "0.0008"},
        {"class": "cacheRead", "tokens": 600, "usdPerMillion": "0.5", "cost": "0.0003"},
        {"class": "completion", "tokens": 11, "usdPerMillion": 8, "cost": "0.000088"},
        {"class": "reasoning", "tokens": 4, "usdPerMillion": 8, "cost": "0.000032"}]
    assert data["cost"] == "0.00122" and data["priced"] is True and data["priceVersion"] > 0


def test_a_foreign_or_unknown_request_is_not_explained(gateway):
    request_id = gateway.ask("free").head["x-request-id"]
    eventually(lambda: explain(gateway, request_id).status == 200)
    other = json.loads(gateway.command("keys", "create", "--name", "o", "--owner", "nosy", "--json"))["key"]
    assert explain(gateway, request_id, other).status == 404
    assert explain(gateway, "01890000-0000-7000-8000-000000000000").status == 404
    for wrong in ("", "1", request_id + "0", request_id.replace("-", "0"), request_id + "&x=1"):
        got = explain(gateway, wrong)
        assert got.status == 400 and got.error()["param"] == "id", wrong


def test_an_unpriced_and_an_estimated_request_say_so(gateway):
    request_id = gateway.ask(gateway.name(NO_USAGE)).head["x-request-id"]
    got = eventually(lambda: (got := explain(gateway, request_id)).status == 200 and got, "the record")
    data = got.json()["data"]
    assert (data["estimated"], data["priced"], data["cost"]) == (True, False, None)
    assert "arithmetic" not in data


def test_usage_as_csv(gateway):
    gateway.ask("priced")
    settled(gateway)

    def table(query):
        got = gateway.get("/api/v1/usage" + query, None, "Accept: text/csv, application/json;q=0.5")
        assert got.status == 200 and got.head["content-type"].startswith("text/csv")
        names, *rows = [line.split(",") for line in got.body.decode().split("\r\n")[:-1]]
        return [dict(zip(names, row)) for row in rows]

    data = report(gateway)
    rows = table("")
    assert {row["model"]: int(row["requests"]) for row in rows} == {
        name: entry["requests"] for name, entry in data["byModel"].items()}
    assert {row["model"]: row["cost_usd"] for row in rows} == {
        name: str(entry["cost"]) for name, entry in data["byModel"].items()}
    rows = table("?interval=day&groupBy=key")
    assert rows and set(rows[0]) == {"date", "key", "requests", "tokens", "cost_usd", "unpriced_requests",
                                     "estimated_requests"}
    assert sum(int(row["requests"]) for row in rows) == data["totalRequests"]
    assert sum(int(row["tokens"]) for row in table("?groupBy=provider")) == data["totalTokens"]
