"""Rate limits of keys and addresses: exact over all shards, and told in every answer."""

import collections
import concurrent.futures
import re
import time

import pytest

from harness import Gateway, chat_body, eventually, gateway_fixture, get, mock, needs_binary, post  # noqa: F401

pytestmark = needs_binary
gateway = gateway_fixture(settings={"server.shards": 2})

CHAT = "/api/v1/chat/completions"

STANDARD = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]


def field(answer, name):
    """The field spelled exactly so: X-RateLimit-Limit is there beside x-ratelimit-limit-requests."""
    found = [value for key, value in answer.fields if key == name]
    assert len(found) == 1, (name, answer)
    return found[0]


def test_a_limit_of_ten_admits_exactly_ten_of_fifty_in_parallel(gateway):
    authorization = "Authorization: Bearer " + gateway.new_key(10)["key"]
    before = gateway.upstream_requests()

    def one(_):
        return gateway.ask(post(CHAT, chat_body(), authorization))

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        start = time.monotonic()
        answers = list(pool.map(one, range(50)))
    refilled = int((time.monotonic() - start) / 6)  # one request every 6 s comes back
    counts = collections.Counter(answer.status for answer in answers)
    assert counts[200] + counts[429] == 50
    assert 10 <= counts[200] <= 10 + refilled
    assert gateway.upstream_requests() == before + counts[200]  # a refused request opens no connection to the provider
    remaining = sorted(int(field(answer, "X-RateLimit-Remaining")) for answer in answers if answer.status == 200)
    if refilled == 0:
        assert remaining == list(range(10))


def test_every_authenticated_answer_tells_the_limit(gateway):
    authorization = "Authorization: Bearer " + gateway.new_key(3)["key"]
    for expected in (2, 1, 0):
        before = time.time()
        answer = gateway.ask(get("/api/v1/models", authorization))
        assert answer.status == 200
        assert field(answer, "X-RateLimit-Limit") == "3" == field(answer, "x-ratelimit-limit-requests")
        assert field(answer, "X-RateLimit-Remaining") == str(expected) == field(answer, "x-ratelimit-remaining-requests")
        assert before - 1 <= int(field(answer, "X-RateLimit-Reset")) <= time.time() + 61
        assert re.fullmatch(r"(\d+h)?(\d+m)?(\d+(\.\d+)?m?s)?", field(answer, "x-ratelimit-reset-requests"))
    answer = gateway.ask(get("/api/v1/models", authorization))
    assert answer.status == 429 and answer.error()["code"] == "RATE_LIMIT_EXCEEDED"
    assert answer.error()["type"] == "rate_limit_error"
    assert field(answer, "X-RateLimit-Remaining") == "0"
    assert 1 <= int(answer.get("Retry-After")) <= 20
    assert 0 < int(answer.get("retry-after-ms")) <= 20_000
    assert int(answer.get("Retry-After")) * 1000 >= int(answer.get("retry-after-ms"))


def test_a_refused_request_is_served_after_the_time_it_was_told(gateway):
    authorization = "Authorization: Bearer " + gateway.new_key(60)["key"]  # one a second
    answer = None
    with gateway.connect() as connection:
        for _ in range(200):
            connection.send(get("/api/v1/models", authorization))
            answer = connection.read()
            if answer.status == 429:
                break
        assert answer.status == 429
        due = time.monotonic() + int(answer.get("retry-after-ms")) / 1000
        eventually(lambda: time.monotonic() >= due, "the time to pass")
        connection.send(get("/api/v1/models", authorization))
        assert connection.read().status == 200


@pytest.mark.parametrize("size", [1_000, 300_000])
def test_a_body_behind_a_429_is_dropped(gateway, size):
    authorization = "Authorization: Bearer " + gateway.new_key(1)["key"]
    assert gateway.ask(get("/api/v1/models", authorization)).status == 200
    with gateway.connect() as connection:
        connection.send(post(CHAT, b"x" * size, authorization), get("/api/health"))
        answer = connection.read()
        assert answer.status == 429
        if size < 65_536:
            assert connection.read().status == 200
        else:
            assert answer.closes
            connection.expect_close()


def test_health_checks_are_limited_by_address(tmp_path, mock):
    with Gateway(tmp_path, mock, settings={"limits.health_per_minute": 120}) as strict:
        with strict.connect() as connection:
            start = time.monotonic()
            statuses = []
            for _ in range(130):
                connection.send(get("/api/health"))
                answer = connection.read()
                statuses.append(answer.status)
            refilled = int((time.monotonic() - start) / 0.5) + 1
        assert 120 <= statuses.count(200) <= 120 + refilled
        assert answer.status == 429 or refilled >= 10
