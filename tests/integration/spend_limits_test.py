"""Limits of a key in tokens, requests under way and money: reserved before, settled after, exact under parallel calls."""

import json
import threading

import pytest

from upstream_rig import Scenarios, eventually, needs_binary, rig

pytestmark = needs_binary

SCENARIOS = Scenarios()
PLAIN = SCENARIOS.mock("tokens=10;prompt=40")
SMALL = SCENARIOS.mock("tokens=10;prompt=10")
SLOW = SCENARIOS.mock("tokens=400;gap=20ms")
HANG = SCENARIOS.mock("hang")
FAILING = SCENARIOS.mock("status=500")
# 10 + 10 tokens for a dollar in all; the prompt is estimated as 20 to 30, so that 1.5 to 2 dollars are held for it.
SCENARIOS.model("dollar", provider=SMALL, input_price=50_000.0, output_price=50_000.0)
SCENARIOS.model("plain", provider=PLAIN, input_price=1.0, output_price=1.0)
SCENARIOS.model("slow", provider=SLOW, input_price=1.0, output_price=1.0)
SCENARIOS.model("failing", provider=FAILING, input_price=1.0, output_price=1.0)
gateway = rig(SCENARIOS)


def new_key(gateway, *limits):
    made = gateway.command("keys", "create", "--name", "k", "--rate-limit", "1000000", "--json", *limits)
    return json.loads(made)["key"]


def denied(got, limit_type):
    assert got.status == 429, got.body
    error = got.error()
    assert error["code"] == "RATE_LIMIT_EXCEEDED"
    details = error["details"]
    assert details["limitType"] == limit_type
    assert int(got.head["retry-after"]) == details["retryAfter"] >= 1
    assert int(got.head["retry-after-ms"]) == details["retryAfterMs"]
    return details


def test_tokens_are_held_while_a_request_runs_and_settled_to_the_true_figure(gateway):
    key = new_key(gateway, "--token-limit", "1000")
    first = gateway.ask("plain", key=key, max_tokens=200)
    assert first.status == 200
    assert first.head["x-ratelimit-limit-tokens"] == "1000"
    held = 1000 - int(first.head["x-ratelimit-remaining-tokens"])
    assert 200 < held < 300  # the bound and the estimated prompt
    second = gateway.ask("plain", key=key, max_tokens=200)
    left = int(second.head["x-ratelimit-remaining-tokens"])
    # 50 tokens of the first, the reservation of the second, and what the bucket regained in between.
    assert 1000 - held - 50 <= left <= 1000 - held
    details = denied(gateway.ask("plain", key=key, max_tokens=1000), "tokens")
    assert details["limit"] == 1000 and 0 < details["remaining"] < 1000


def test_without_a_bound_the_model_s_longest_answer_is_held_capped_by_the_bucket(gateway):
    key = new_key(gateway, "--token-limit", "500")
    assert gateway.ask("plain", key=key).status == 200
    assert gateway.ask("plain", key=key, max_tokens=300).status == 200  # the rest came back


def test_parallel_requests_cannot_pass_a_limit_together(gateway):
    key = new_key(gateway, "--token-limit", "1000")
    requests = gateway.mock.ledger()["requests"]
    calls = [gateway.start("slow", key=key, stream=True, max_tokens=300) for _ in range(12)]
    statuses = [call.read_head().status for call in calls]
    assert sorted(set(statuses)) == [200, 429]
    assert statuses.count(200) == 3
    assert gateway.mock.ledger()["requests"] == requests + 3
    for call in calls:
        call.leave()


def test_requests_under_way_are_counted_until_they_end_or_their_clients_leave(gateway):
    key = new_key(gateway, "--concurrency", "2")
    calls = [gateway.start("slow", key=key, stream=True) for _ in range(2)]
    for call in calls:
        assert call.read_head().status == 200
    details = denied(gateway.ask("plain", key=key), "concurrency")
    assert details["limit"] == 2
    calls[0].leave()
    eventually(lambda: gateway.ask("plain", key=key).status == 200, "a place that is free again")
    calls[1].leave()


def test_money_of_a_day(gateway):
    key = new_key(gateway, "--budget-day", "3.5", "--budget-month", "100")
    for _ in range(2):
        assert gateway.ask("dollar", key=key, max_tokens=10).status == 200
    details = denied(gateway.ask("dollar", key=key, max_tokens=10), "budget.day")
    assert (details["limit"], details["remaining"]) == (3.5, 1.5)
    assert details["retryAfter"] <= 86_400
    assert gateway.ask("plain", key=key, max_tokens=10).status == 200  # a cheap one still fits


def test_what_was_spent_is_known_after_a_restart(tmp_path):
    from mock_provider import MockProvider
    from upstream_rig import QUICK, Gateway
    with MockProvider() as mock:
        with Gateway(tmp_path, SCENARIOS, mock, QUICK) as first:
            key = new_key(first, "--budget-month", "2.5")
            assert first.ask("dollar", key=key, max_tokens=10).status == 200
        second = Gateway(tmp_path, SCENARIOS, mock, QUICK)
        try:
            details = denied(second.ask("dollar", key=key, max_tokens=10), "budget.month")
            assert details["remaining"] == 1.5
        finally:  # not as a `with` statement ends: that compares the records of both with what this one admitted
            second.process.terminate()
            second.process.wait(10)


def test_a_failure_before_any_output_gives_everything_back(gateway):
    key = new_key(gateway, "--token-limit", "500", "--budget-day", "0.001")
    for _ in range(8):
        assert gateway.ask("failing", key=key, max_tokens=400).status == 502
    assert gateway.ask("plain", key=key, max_tokens=400).status == 200


def test_who_hangs_up_is_charged_for_what_was_streamed(gateway):
    key = new_key(gateway, "--token-limit", "100000")
    call = gateway.start("slow", key=key, stream=True, max_tokens=90_000)
    call.until(b"data: ")
    call.leave()

    def left():
        got = gateway.ask("plain", key=key, max_tokens=1)
        return int(got.head["x-ratelimit-remaining-tokens"]) if got.status == 200 else 0

    assert 90_000 < eventually(lambda: left() > 90_000 and left(), "the reservation to come back") < 100_000


def test_a_prompt_above_the_limit_and_a_model_without_a_price_are_refused_for_good(gateway):
    small = new_key(gateway, "--token-limit", "10")
    got = gateway.ask("plain", key=small)
    assert got.status == 400 and "10 tokens per minute" in got.error()["message"]
    budget = new_key(gateway, "--budget-day", "5")
    got = gateway.ask(gateway.name(PLAIN), key=budget)
    assert got.status == 400 and got.error()["param"] == "model"


def test_limits_change_while_the_server_runs(gateway):
    made = json.loads(gateway.command("keys", "create", "--name", "k", "--rate-limit", "1000000", "--json"))
    key, key_id = made["key"], made["keyId"]
    assert "x-ratelimit-limit-tokens" not in gateway.ask("plain", key=key).head.by_name
    shown = json.loads(gateway.command("keys", "update", key_id, "--token-limit", "10", "--concurrency", "3",
                                       "--budget-day", "1.25", "--json"))
    assert (shown["tokenLimit"], shown["concurrency"], shown["budget"]) == (10, 3, {"day": 1.25})
    eventually(lambda: gateway.ask("plain", key=key).status == 400)
    gateway.command("keys", "update", key_id, "--token-limit", "none", "--budget-day", "none")
    eventually(lambda: gateway.ask("plain", key=key).status == 200)
    listed = [line for line in gateway.command("keys", "list").splitlines() if key_id in line]
    assert "3 at once" in listed[0] and "USD" not in listed[0]


@pytest.mark.parametrize(("flag", "value"), [
    ("--token-limit", "0"), ("--token-limit", "-5"), ("--token-limit", "1000000001"), ("--token-limit", "many"),
    ("--concurrency", "0"), ("--concurrency", "1.5"), ("--budget-day", "0"), ("--budget-day", "-1"),
    ("--budget-day", "1e3"), ("--budget-month", "1000001"), ("--budget-month", "0.000000001"),
    ("--budget-month", "1.")])
def test_limits_that_make_no_sense_are_refused(gateway, flag, value):
    import subprocess
    from mock_provider import binary
    done = subprocess.run([binary(), "keys", "create", "--name", "k", f"{flag}={value}"], cwd=gateway.folder,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 64, (done.stdout, done.stderr)
    assert "none" in done.stderr


def test_many_callers_at_once_keep_a_budget(gateway):
    key = new_key(gateway, "--budget-day", "6.5")
    good = []

    def caller():
        for _ in range(4):
            good.append(gateway.ask("dollar", key=key, max_tokens=10).status == 200)

    threads = [threading.Thread(target=caller) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(good) <= 5
    while gateway.ask("dollar", key=key, max_tokens=10).status == 200:
        good.append(True)
    assert sum(good) == 5
