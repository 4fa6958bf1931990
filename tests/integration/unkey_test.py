"""Keys at Unkey's: what is asked, what is remembered, and what happens when Unkey is down, slow or lies."""

import json
import threading
import time

import pytest

from harness import Gateway, eventually, get, mock, needs_binary  # noqa: F401
from sessions import signed_in
from unkey_rig import (FAULTS, SETTINGS, VERIFY, Fault, UnkeyStub, all_shards, healthy, status, stranger, stub, use,  # noqa: F401
                       well_again)

pytestmark = needs_binary


@pytest.fixture(scope="module")
def alone(tmp_path_factory, mock, stub):
    """A gateway with Unkey and nothing else."""
    with Gateway(tmp_path_factory.mktemp("alone"), mock, {**SETTINGS, **stub.settings()}) as running:
        yield running


# One answer each


def test_a_key_is_verified_once_by_each_shard_and_then_known(alone, stub):
    key = stub.new_key(rate_limit=500)["key"]
    before = stub.count("keys.verifyKey")
    for _ in range(30):
        assert status(alone, key) == 200
    assert stub.count("keys.verifyKey") - before <= 2


@pytest.mark.parametrize("fields, expected, code", [
    ({"enabled": False}, 401, "INVALID_API_KEY"), ({"expires": 1}, 401, "INVALID_API_KEY"),
    ({"credits": {"remaining": 0}}, 429, "RATE_LIMIT_EXCEEDED")])
def test_what_unkey_says_of_a_key(alone, stub, fields, expected, code):
    answer = use(alone, stub.new_key(**fields)["key"])
    assert answer.status == expected and answer.error()["code"] == code


@pytest.mark.parametrize("forced, expected", [("FORBIDDEN", 403), ("INSUFFICIENT_PERMISSIONS", 403), ("RATE_LIMITED", 429),
                                              ("USAGE_EXCEEDED", 429), ("SOMETHING_NEW", 401)])
def test_every_code_has_its_answer(alone, stub, forced, expected):
    made = stub.new_key()
    stub.keys[made["keyId"]]["forced"] = forced
    assert status(alone, made["key"]) == expected


def test_unknown_disabled_and_expired_keys_get_the_same_answer(alone, stub):
    errors = [use(alone, key).error() for key in (stranger(), stub.new_key(enabled=False)["key"], stub.new_key(expires=1)["key"])]
    assert errors[0] == errors[1] == errors[2]


def test_a_verification_takes_nothing_of_the_credits(alone, stub):
    made = stub.new_key(credits={"remaining": 3})
    for _ in range(8):
        assert status(alone, made["key"]) == 200
    assert stub.keys[made["keyId"]]["credits"]["remaining"] == 3


def test_a_key_without_an_owner_or_a_limit_works_with_the_defaults(alone, stub):
    made = stub.create({"apiId": "api_stub", "prefix": "ck", "byteLength": 24})
    answer = use(alone, made["key"])
    assert answer.status == 200 and answer.all("X-RateLimit-Limit")[0] == "60"


# Unkey fails

@pytest.mark.parametrize("name", FAULTS)
def test_no_failure_of_unkey_makes_a_key_bad_or_good(alone, stub, name):
    known, unknown, nobody = stub.new_key()["key"], stub.new_key()["key"], stranger()
    assert all_shards(alone, known, 200)
    stub.fault = FAULTS[name]
    assert all_shards(alone, known, 200)
    for key in (unknown, nobody):
        answer = use(alone, key)
        assert answer.status == 503 and answer.error()["code"] == "SERVICE_UNAVAILABLE", answer
        assert int(answer.get("Retry-After")) >= 1
    assert unknown not in alone.log_text()
    well_again(alone, stub)
    assert status(alone, unknown) == 200  # nothing of the failure is remembered
    assert status(alone, nobody) == 401


def test_a_call_that_failed_for_a_moment_is_made_once_more(alone, stub):
    key = stub.new_key()["key"]
    before = stub.count("keys.verifyKey")
    stub.fault = Fault(status=503, only=VERIFY, times=1)
    assert status(alone, key) == 200
    assert stub.count("keys.verifyKey") - before == 2


def test_a_workspace_that_asks_too_much_is_left_alone_for_as_long_as_it_says(alone, stub):
    stub.fault = Fault(status=429, retry_after="2", only=VERIFY)
    eventually(lambda: all(status(alone, stub.new_key()["key"]) == 503 for _ in range(8)) and stub.fault, "both shards")
    before = stub.requests
    answers = [use(alone, stub.new_key()["key"]) for _ in range(20)]
    assert {answer.status for answer in answers} == {503}
    assert stub.requests - before <= 2
    well_again(alone, stub)


def test_a_service_that_keeps_failing_is_not_called_for_every_request(alone, stub):
    stub.fault = Fault(status=500, only=VERIFY)

    def calls_of_forty_requests():
        before = stub.requests
        assert {status(alone, stub.new_key()["key"]) for _ in range(40)} == {503}
        return stub.requests - before

    eventually(lambda: calls_of_forty_requests() < 10, "the breakers of both shards to open")
    assert alone.metrics()['concurred_key_lookups_total{where="unkey",outcome="not_asked"}'] > 30
    well_again(alone, stub)


# Managing while Unkey fails


def test_a_creation_whose_answer_got_lost_leaves_no_key_behind(alone, stub):
    owner = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
    stub.fault = Fault(reset=True, only=("keys.createKey",), times=1)
    answer = alone.ask(sessions_post(owner, {"name": "lost"}))
    assert answer.status == 503 and stub.count("keys.createKey") >= 1
    assert [row for row in stub.keys.values() if row["externalId"] == owner and not row["deleted"]] == []


@pytest.mark.parametrize("fault", [Fault(status=401), Fault(status=403), Fault(status=500), Fault(body="garbage")])
def test_management_says_503_while_unkey_fails(alone, stub, fault):
    stub.fault = fault
    answer = alone.ask(get("/api/v1/keys", signed_in()))
    assert answer.status == 503 and answer.error()["code"] == "SERVICE_UNAVAILABLE"


def test_without_a_managing_key_keys_are_managed_at_unkeys(tmp_path, mock, stub):
    with Gateway(tmp_path, mock, {**SETTINGS, **stub.settings(manage=False)}) as gateway:
        assert status(gateway, stub.new_key()["key"]) == 200
        answer = gateway.ask(get("/api/v1/keys", signed_in()))
        assert answer.status == 501 and "manage_key" in answer.error()["message"]


def sessions_post(owner, body):
    text = json.dumps(body).encode()
    return get("/api/v1/keys", signed_in(owner), "Content-Type: application/json", f"Content-Length: {len(text)}",
               method="POST") + text


# Guessing


@pytest.mark.watchdog(240)
def test_a_flood_of_random_keys_reaches_unkey_only_up_to_the_cap_and_harms_no_good_key(tmp_path, mock, stub):
    count, connections, batch, most = 100_000, 40, 100, 8
    with UnkeyStub() as own, Gateway(tmp_path, mock, {**SETTINGS, **own.settings(), "unkey.max_concurrent": most, "unkey.timeout": "10s"}) as gateway:
        good = own.new_key()["key"]
        assert all_shards(gateway, good, 200)
        own.most_running, own.fault = 0, Fault(delay=0.02, only=VERIFY)
        outcomes = {}
        lock = threading.Lock()
        batches = iter(range(count // batch))

        def request(number):
            key = "ck_" + "".join("123456789A"[int(digit)] for digit in f"{number:024d}")
            return get("/api/v1/models", "Authorization: Bearer " + key)

        def flood():
            seen = {}
            with gateway.connect() as connection:
                while (first := next(batches, None)) is not None:
                    connection.send(*(request(first * batch + i) for i in range(batch)))
                    for _ in range(batch):
                        code = connection.read().status
                        seen[code] = seen.get(code, 0) + 1
            with lock:
                for code, times in seen.items():
                    outcomes[code] = outcomes.get(code, 0) + times

        threads = [threading.Thread(target=flood) for _ in range(connections)]
        for thread in threads:
            thread.start()
        good_answers = []
        while any(thread.is_alive() for thread in threads):
            good_answers.append(status(gateway, good))
            time.sleep(0.05)
        assert sum(outcomes.values()) == count
        assert set(outcomes) <= {401, 503} and outcomes.get(503, 0) > 0, outcomes
        assert own.most_running <= most
        assert set(good_answers) == {200}
        print(f"{count} random keys: {own.requests} calls of Unkey, at most {own.most_running} at a time, answers {outcomes}")
