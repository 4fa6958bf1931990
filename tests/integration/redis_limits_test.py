"""Limits that four gateways share: what they admit together stays within the bound of the mode, whatever happens.

The bound, for a limit of B at once that refills at B per minute, over T seconds: B + B * T / 60. Each loss of what
Redis knows, and each time Redis goes away, adds at most B (DECISIONS.md, "Limits across gateways").
"""

import time

import pytest

from harness import Gateway, eventually, get, mock, needs_binary  # noqa: F401
from redis_rig import Crowd, Proxy, Redis, needs_redis, replicas

pytestmark = [needs_binary, needs_redis]

LIMIT = 240
MODELS = "/api/v1/models"


class Four:
    """Four gateways on one Redis."""

    def __init__(self, folder, mock, mode, redis, **settings):
        self.redis = redis
        self.gateways = replicas(folder, mock, redis.url, 4, {"limits.mode": mode, "redis.command_timeout": "500ms",
                                                             **settings})

    def __enter__(self):
        for gateway in self.gateways:
            gateway.start()
        for gateway in self.gateways:
            eventually(lambda g=gateway: g.metrics()["concurred_redis_connected"] == 1, "redis to be connected")
        made = self.gateways[0].new_key(LIMIT)
        self.key, self.key_id = made["key"], made["keyId"]
        return self

    def __exit__(self, *failure):
        for gateway in self.gateways:
            gateway.__exit__(*failure)

    def decisions(self):
        total = {}
        for gateway in self.gateways:
            for name, value in gateway.metrics().items():
                if name.startswith("concurred_shared_limit_decisions_total"):
                    by = name.split('"')[1]
                    total[by] = total.get(by, 0) + int(value)
        return total


def until(crowd, seconds):
    eventually(lambda: time.monotonic() - crowd.began > seconds, "time to pass", 60)


@pytest.fixture(params=["strict", "leased"])
def mode(request):
    return request.param


def test_four_gateways_admit_together_what_one_would(tmp_path, mock, mode):
    with Redis(tmp_path) as redis, Four(tmp_path, mock, mode, redis) as four:
        crowd = Crowd(four.gateways, four.key)
        until(crowd, 4)
        admitted, seconds = crowd.stop()
        # A tenth may lie in slices that others hold.
        assert LIMIT * 0.9 - 1 <= admitted <= LIMIT + LIMIT * seconds / 60 + 1, crowd.statuses
        decisions = four.decisions()
        assert decisions["own_share"] == 0, decisions
        assert decisions["remembered_denial"] > 0, decisions
        if mode == "leased":
            assert decisions["slice"] > decisions["redis"] / 2, decisions
        else:
            assert decisions["slice"] == 0 and decisions["redis"] >= admitted, decisions
        # The answers tell of the one limit, not of a share of it.
        answer = four.gateways[1].ask(get(MODELS, "Authorization: Bearer " + four.key))
        assert answer.get("X-RateLimit-Limit") == str(LIMIT)


def test_what_is_left_of_slices_comes_back(tmp_path, mock):
    with Redis(tmp_path) as redis, Four(tmp_path, mock, "leased", redis) as four:
        for gateway in four.gateways:
            assert gateway.ask(get(MODELS, "Authorization: Bearer " + four.key)).status == 200

        def returned():
            return sum(g.metrics()['concurred_limit_slice_units_total{what="returned"}'] for g in four.gateways)

        taken = sum(g.metrics()['concurred_limit_slice_units_total{what="taken"}'] for g in four.gateways)
        assert taken == 4 * (LIMIT // 40)
        eventually(lambda: returned() == taken, "the slices to be given back")


def test_a_killed_redis_leaves_each_gateway_its_share(tmp_path, mock, mode):
    with Redis(tmp_path) as redis, Four(tmp_path, mock, mode, redis) as four:
        crowd = Crowd(four.gateways, four.key)
        until(crowd, 1.5)
        before = list(crowd.admitted)
        redis.kill()
        until(crowd, 4)
        admitted, seconds = crowd.stop()
        assert admitted <= 2 * LIMIT + LIMIT * seconds / 60 + 4, crowd.statuses
        # What a gateway had admitted with Redis is taken from its share. A slice may still be in hand, and a few
        # requests were on their way.
        share = LIMIT // 4
        for number in range(4):
            alone = crowd.admitted[number] - before[number]
            assert alone <= max(0, share - before[number]) + share * seconds / 60 + LIMIT // 40 + 10, (number, before)
        assert four.decisions()["own_share"] > 0
        redis.start()
        for gateway in four.gateways:
            eventually(lambda g=gateway: g.metrics()["concurred_redis_connected"] == 1, "redis to be used again")
        # Redis has forgotten everything, but each gateway knows what it has admitted itself.
        asked = four.decisions()["redis"]
        again = Crowd(four.gateways, four.key)
        until(again, 1.5)
        more, more_seconds = again.stop()
        assert four.decisions()["redis"] > asked
        assert more <= LIMIT + LIMIT * more_seconds / 60 + 1, again.statuses


def test_a_key_first_used_while_redis_is_away_has_its_limit_once_and_no_more(tmp_path, mock, mode):
    with Redis(tmp_path) as redis, Four(tmp_path, mock, mode, redis) as four:
        redis.kill()
        for gateway in four.gateways:
            eventually(lambda g=gateway: g.metrics()["concurred_redis_connected"] == 0, "the loss to be noticed")
        crowd = Crowd(four.gateways, four.key)
        until(crowd, 2.5)
        admitted, seconds = crowd.stop()
        assert LIMIT <= admitted <= LIMIT + LIMIT * seconds / 60 + 4, crowd.statuses
        status, text = four.gateways[0].admin("/readyz")
        assert (status, text) == (200, "ok\n")


def test_flushed_data_and_scripts_cost_at_most_one_more_limit(tmp_path, mock, mode):
    with Redis(tmp_path) as redis, Four(tmp_path, mock, mode, redis) as four:
        crowd = Crowd(four.gateways, four.key)
        until(crowd, 1.5)
        assert redis.command("SCRIPT", "FLUSH") == b"+OK\r\n"
        assert redis.command("FLUSHALL") == b"+OK\r\n"
        until(crowd, 3)
        admitted, seconds = crowd.stop()
        assert admitted <= 2 * LIMIT + LIMIT * seconds / 60 + 1, crowd.statuses
        assert four.decisions()["own_share"] == 0


def test_a_stopped_redis_makes_nobody_wait_longer_than_the_deadline(tmp_path, mock, mode):
    with Redis(tmp_path) as redis, Four(tmp_path, mock, mode, redis) as four:
        crowd = Crowd(four.gateways, four.key)
        until(crowd, 1)
        redis.pause()
        until(crowd, 3.5)
        redis.resume()
        until(crowd, 5)
        admitted, seconds = crowd.stop()
        assert admitted <= 2 * LIMIT + LIMIT * seconds / 60 + 4, crowd.statuses


def test_a_redis_that_takes_two_seconds_is_not_waited_for(tmp_path, mock, mode):
    with Redis(tmp_path) as redis:
        proxy = Proxy(redis.port)
        # A deadline of half a second: what is compared with two seconds has room on a busy machine.
        with Four(tmp_path, mock, mode, proxy) as four:
            authorization = "Authorization: Bearer " + four.key
            assert four.gateways[0].ask(get(MODELS, authorization)).status == 200
            proxy.delay = 2.0
            waited = []
            for _ in range(20):
                for gateway in four.gateways:
                    start = time.monotonic()
                    assert gateway.ask(get(MODELS, authorization)).status == 200
                    waited.append(time.monotonic() - start)
            # Whoever is the first in each gateway waits for the deadline; nobody waits for the answer.
            assert max(waited) < 2.0
            assert sum(wait > 0.4 for wait in waited) <= 2 * len(four.gateways)
            assert four.decisions()["own_share"] > 60
        proxy.close()


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_jumps_costs_at_most_one_more_limit_and_locks_nobody_out(tmp_path, mock, mode, hours):
    """To the limits, a clock of Redis that jumps ahead is one under which all that is stored is older; so it is moved.
    (Redis itself does not run under faketime.) The gateways count by their monotonic clocks, which do not jump."""
    move = """local moved = 0
        for _, key in ipairs(redis.call('KEYS', 'gw:{*}:rpm')) do
            redis.call('SET', key, string.format('%.0f', redis.call('GET', key) - ARGV[1] * 3600000000), 'PX', 7200000)
            moved = moved + 1
        end
        return moved"""
    with Redis(tmp_path) as redis, Four(tmp_path, mock, mode, redis) as four:
        crowd = Crowd(four.gateways, four.key)
        until(crowd, 1.5)
        assert redis.command("EVAL", move, "0", str(hours)) == b":1\r\n"
        until(crowd, 4)
        admitted, seconds = crowd.stop()
        assert LIMIT * 0.9 - 1 <= admitted <= 2 * LIMIT + LIMIT * seconds / 60 + 1, crowd.statuses
        # A window refills a bucket whatever the clock did: nobody waits for the hour to pass.
        answer = four.gateways[0].ask(get(MODELS, "Authorization: Bearer " + four.key))
        assert answer.status == 200 or int(answer.get("Retry-After")) <= 61
        ahead = "return redis.call('GET', KEYS[1]) / 1000000 - redis.call('TIME')[1]"
        left = int(redis.command("EVAL", ahead, "1", "gw:{%s}:rpm" % four.key_id)[1:])
        assert left <= 61


def test_redis_can_be_required_and_readiness_says_so(tmp_path, mock):
    with Redis(tmp_path) as redis:
        (tmp_path / "g").mkdir()
        with Gateway(tmp_path / "g", mock, settings={"redis.url": redis.url, "redis.required": True}) as gateway:
            eventually(lambda: gateway.admin("/readyz") == (200, "ok\n"), "the gateway to be ready")
            redis.kill()
            eventually(lambda: gateway.admin("/readyz")[0] == 503, "readiness to end")
            assert gateway.admin("/readyz")[1] == "redis is away (redis.required)\n"
            assert gateway.admin("/livez")[0] == 200
            assert gateway.ask(get(MODELS, gateway.authorization)).status == 200
            redis.start()
            eventually(lambda: gateway.admin("/readyz")[0] == 200, "the gateway to be ready again")


def test_modes_need_redis_and_urls_are_checked_without_being_shown(tmp_path, mock):
    gateway = Gateway(tmp_path, settings={"limits.mode": "strict"})
    done = gateway.run("check-config")
    assert done.returncode == 78 and "limits.mode" in done.stderr and "redis.url" in done.stderr
    gateway = Gateway(tmp_path, settings={"redis.url": "redis://:hunter2@"})
    done = gateway.run("check-config")
    assert done.returncode == 78 and "redis.url" in done.stderr and "hunter2" not in done.stderr
    gateway = Gateway(tmp_path, settings={"redis.url": "redis://:hunter2-hunter2@localhost:6379/1"})
    done = gateway.run("print-config")
    assert done.returncode == 0 and "hunter2" not in done.stdout
    gateway = Gateway(tmp_path, settings={"redis.url": "redis://localhost", "limits.mode": "leased", "limits.replicas": 4})
    assert "slices of limit / 40" in gateway.run("print-config").stdout
