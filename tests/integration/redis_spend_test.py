"""Limits in tokens, requests under way and money that four gateways share through one Redis: what they admit together
stays within the bound, whatever happens to Redis or to one of them (README.md, "Redis")."""

import json
import threading
import time

import pytest

from harness import eventually, mock, needs_binary, post  # noqa: F401
from redis_rig import Redis, needs_redis, replicas

pytestmark = [needs_binary, needs_redis]

CHAT = "/api/v1/chat/completions"
COUNT = 4


@pytest.fixture(scope="module", params=["strict", "leased"])
def mode(request):
    return request.param


class Four:
    """Four gateways on one Redis and one database."""

    def __init__(self, folder, mock, mode, redis):
        # 10 + 10 tokens for a dollar in all; the prompt is estimated as 20 to 30, so that 1.5 to 2 dollars are held.
        self.gateways = replicas(folder, mock, redis.url, COUNT, {
            "limits.mode": mode, "redis.command_timeout": "500ms", "storage.flush_interval": "10ms",
            "providers.exact.base_url": mock.base_url, "providers.exact.api_key": "sk-mock-tokens=10;prompt=10",
            "models.dollar.provider": "exact", "models.dollar.input_price": 50_000.0,
            "models.dollar.output_price": 50_000.0, "providers.broken.base_url": mock.base_url,
            "providers.broken.api_key": "sk-mock-status=500", "models.broken.provider": "broken"})
        self.redis = redis

    def __enter__(self):
        for gateway in self.gateways:
            gateway.start()
        self.connected()
        return self

    def __exit__(self, *failure):
        for gateway in self.gateways:
            gateway.__exit__(*failure)

    def connected(self, value=1):
        for gateway in self.gateways:
            if gateway.process.poll() is None:
                eventually(lambda g=gateway: g.metrics()["concurred_redis_connected"] == value, "redis to come or go")

    def new_key(self, *limits, rate=1_000_000):
        made = json.loads(self.gateways[0].command("keys", "create", "--name", "k", "--rate-limit", str(rate), "--json",
                                                   *limits))
        self.key, self.key_id = made["key"], made["keyId"]
        return made

    def request(self, model, **members):
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello there"}], **members})
        return post(CHAT, body.encode(), "Authorization: Bearer " + self.key)

    def ask(self, number, model, **members):
        return self.gateways[number].ask(self.request(model, **members))

    def begin(self, number, **members):
        """A stream that goes on until it is closed. Returns the connection and the status."""
        connection = self.gateways[number].connect()
        connection.send(self.request("endless", stream=True, **members))
        return connection, connection.read_head().status

    def begin_many(self, each, **members):
        """Begins `each` streams at every gateway that runs, all at once. Returns the open ones."""
        begun = []
        threads = [threading.Thread(target=lambda n=number: begun.append((n, *self.begin(n, **members))))
                   for number, gateway in enumerate(self.gateways) if gateway.process.poll() is None for _ in range(each)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {status for _, _, status in begun} <= {200, 429}
        return [(number, connection) for number, connection, status in begun if status == 200]

    def held(self):
        return int(self.redis.command("ZCARD", "gw:{%s}:conc" % self.key_id)[1:])

    def let_leases_end(self):
        """To Redis, as if a minute had passed for whoever is under way."""
        move = "for _, m in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('ZINCRBY', KEYS[1], -61000000, m) end"
        self.redis.command("EVAL", move, "1", "gw:{%s}:conc" % self.key_id)

    def timed_out(self):
        return sum(value for g in self.gateways for name, value in g.metrics().items()
                   if "redis" in name and "timed_out" in name)


@pytest.fixture(scope="module")
def four(tmp_path_factory, mock, mode):
    folder = tmp_path_factory.mktemp("four")
    with Redis(folder) as redis, Four(folder, mock, mode, redis) as running:
        yield running


def close(streams):
    for _, connection in streams:
        connection.close()


def denied(answer, limit_type):
    assert answer.status == 429, answer
    details = answer.error()["details"]
    assert details["limitType"] == limit_type
    assert int(answer.get("Retry-After")) == details["retryAfter"] >= 1
    return details


# While Redis answers


def test_requests_under_way_are_counted_over_all_gateways(four):
    four.new_key("--concurrency", "6")
    streams = four.begin_many(5)
    assert len(streams) == 6 and four.held() == 6
    details = denied(four.ask(0, "fast"), "concurrency")
    assert (details["limit"], details["remaining"]) == (6, 0)
    close(streams[:1])  # who hangs up is gone everywhere
    eventually(lambda: four.ask(1, "fast").status == 200, "a free place")
    close(streams)
    eventually(lambda: four.held() == 0, "all places to be free")


def test_tokens_are_held_over_all_gateways_and_come_back(four):
    four.new_key("--token-limit", "4000")
    start = time.monotonic()
    streams = four.begin_many(6, max_tokens=300)
    seconds = time.monotonic() - start
    assert 9 <= len(streams) and len(streams) * 300 <= 4000 + 4000 * seconds / 60
    details = denied(four.ask(2, "fast", max_tokens=4000), "tokens")
    assert details["limit"] == 4000 and 0 <= details["remaining"] < 400
    close(streams)
    eventually(lambda: four.held() == 0, "the ends to be told")
    # A denial is remembered for a moment by a gateway that had nothing to give back.
    eventually(lambda: four.ask(3, "fast", max_tokens=3000).status == 200, "the tokens to be there again")
    assert four.ask(3, "fast", max_tokens=1).get("x-ratelimit-limit-tokens") == "4000"


def test_money_is_kept_over_all_gateways(four):
    four.new_key("--budget-day", "6.5")
    good = []

    def caller(number):
        for _ in range(4):
            good.append(four.ask(number, "dollar", max_tokens=10).status == 200)

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(COUNT) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(sum(good), 5):  # what was held is given back, and a denial is remembered for a moment
        eventually(lambda: four.ask(1, "dollar", max_tokens=10).status == 200, "the rest of the budget")
    for number in range(COUNT):
        details = denied(four.ask(number, "dollar", max_tokens=10), "budget.day")
        assert details["limit"] == 6.5
        eventually(lambda n=number: denied(four.ask(n, "dollar", max_tokens=10), "budget.day")["remaining"] == 1.5)


def test_a_failure_before_any_output_gives_everything_back(four):
    four.new_key("--token-limit", "5000", "--concurrency", "1")
    for number in range(8):
        assert four.ask(number % COUNT, "broken", max_tokens=4000).status == 502
        eventually(lambda: four.held() == 0, "the end to be told")  # nobody waits for that
    assert four.ask(0, "fast", max_tokens=4000).status == 200


def test_a_request_takes_one_unit_whether_it_gets_to_a_provider_or_not(four):
    four.new_key("--token-limit", "100000", rate=5)
    bad = post(CHAT, b"{}", "Authorization: Bearer " + four.key)
    answers = [four.gateways[0].ask(bad) for _ in range(2)] + [four.ask(0, "fast", max_tokens=5) for _ in range(3)]
    assert [answer.status for answer in answers] == [400, 400, 200, 200, 200]
    assert [answer.get("x-ratelimit-remaining-requests") for answer in answers] == ["4", "3", "2", "1", "0"]
    for answer in answers:
        assert len(answer.all("x-ratelimit-limit-requests")) == 1
    for answer in (four.gateways[1].ask(bad), four.ask(2, "fast", max_tokens=5)):
        assert answer.status == 429 and answer.error()["details"].get("limitType") != "tokens"


# When something fails


def test_a_gateway_that_is_killed_holds_its_places_for_a_minute_and_no_longer(tmp_path, mock, mode):
    with Redis(tmp_path) as redis, Four(tmp_path, mock, mode, redis) as four:
        four.new_key("--concurrency", "4")
        dying = four.gateways[3]
        streams = [four.begin(3) for _ in range(4)]
        assert [status for _, status in streams] == [200] * 4
        dying.expect_exit = -9
        dying.signal(9)
        dying.wait()
        denied(four.ask(0, "fast"), "concurrency")
        four.let_leases_end()
        for number in range(3):
            eventually(lambda n=number: four.ask(n, "fast").status == 200, "a place")


def test_a_killed_redis_leaves_each_gateway_its_share(tmp_path, mock, mode):
    with Redis(tmp_path) as redis, Four(tmp_path, mock, mode, redis) as four:
        four.new_key("--concurrency", "8")
        before = four.begin_many(3)
        assert len(before) == 8
        redis.kill()
        four.connected(0)
        more = four.begin_many(3)
        for number in range(COUNT):
            own = sum(1 for n, _ in before if n == number)
            assert sum(1 for n, _ in more if n == number) == max(0, 2 - own), (number, own)
        close(before + more)
        for number in range(COUNT):
            eventually(lambda n=number: four.ask(n, "dollar", max_tokens=1).status == 200, "a place of its share")
        for gateway in four.gateways:
            eventually(lambda g=gateway: g.metrics()["concurred_active_requests"] == 0, "all requests to end")
        redis.start()
        four.connected()
        again = four.begin_many(3)
        assert len(again) == 8
        close(again)


def test_money_is_kept_when_redis_forgets_everything(tmp_path, mock, mode):
    with Redis(tmp_path) as redis, Four(tmp_path, mock, mode, redis) as four:
        four.new_key("--budget-day", "6.5")
        for number in range(3):
            assert four.ask(number, "dollar", max_tokens=10).status == 200
        assert redis.command("SCRIPT", "FLUSH") == b"+OK\r\n"
        assert redis.command("FLUSHALL") == b"+OK\r\n"
        for number in range(COUNT):
            # More than the budget, so that it is always denied. What is left is what this gateway knows: by itself
            # what it has spent, and soon from the books what the others have.
            eventually(lambda n=number: denied(four.ask(n, "dollar", max_tokens=1000), "budget.day")["remaining"] == 3.5,
                       "the books to be read")
        more = sum(four.ask(number, "dollar", max_tokens=10).status == 200 for number in (0, 1, 2, 3) * 2)
        assert more == 2


def test_a_stopped_redis_is_waited_for_once_by_each_gateway(tmp_path, mock, mode):
    with Redis(tmp_path) as redis, Four(tmp_path, mock, mode, redis) as four:
        four.new_key("--concurrency", "40", "--token-limit", "1000000")
        for number in range(COUNT):
            assert four.ask(number, "fast", max_tokens=5).status == 200
        before = four.timed_out()
        redis.pause()
        for _ in range(5):
            for number in range(COUNT):
                assert four.ask(number, "fast", max_tokens=5).status == 200
        # One deadline has passed in each: nobody else has asked, so nobody else has waited.
        assert four.timed_out() - before <= 2 * COUNT
        redis.resume()
        four.connected()
        eventually(lambda: four.held() == 0, "what was asked meanwhile to be given back")
