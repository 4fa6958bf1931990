"""A verification that is under way at Unkey while the key is changed: its answer, which tells the old state, is held back until the
change is made, and must not bring that state back. So it is shown at a fixed point, not by chance."""

import concurrent.futures
import threading

import pytest

from harness import Gateway, eventually, mock, needs_binary  # noqa: F401
from key_changes_rig import WAYS, new_key
from redis_rig import Redis, needs_redis
from unkey_rig import SETTINGS, VERIFY, Fault, all_shards, healthy, stub, use  # noqa: F401

pytestmark = [needs_binary, needs_redis]

# Nobody's patience ends before the answer is let go.
HELD = {**SETTINGS, "session.rate_limit": 1_000_000, "unkey.timeout": "10s"}
AFTER = {"disable": 401, "delete": 401, "rotate": 401, "limit": 200}


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with Redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def pair(tmp_path_factory, mock, stub, redis):
    """Two replicas that share Redis."""
    settings = {**HELD, **stub.settings(), "redis.url": redis.url}
    with Gateway(tmp_path_factory.mktemp("one"), mock, settings) as one, \
            Gateway(tmp_path_factory.mktemp("other"), mock, settings) as other:
        for gateway in (one, other):
            eventually(lambda g=gateway: g.metrics()["concurred_key_changes_subscribed"] == 1, "the subscription")
        yield one, other


class held_verification:
    """In it, a request with the key waits for Unkey, whose answer is ready and is held back. `answer()` lets it go."""

    def __init__(self, gateway, stub, key):
        self.gateway, self.stub, self.key = gateway, stub, key
        self.gate = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(1)

    def __enter__(self):
        self.stub.fault = Fault(gate=self.gate, only=VERIFY)
        self.request = self.pool.submit(use, self.gateway, self.key)
        eventually(lambda: self.stub.held == 1, "the verification to be under way")
        self.stub.fault = None  # for others
        return self

    def answer(self):
        self.gate.set()
        return self.request.result()

    def __exit__(self, *_):
        self.gate.set()
        self.pool.shutdown()


def change(way, gateway, what, made):
    args = (5_000,) if what == "limit" else ()
    getattr(WAYS[way](gateway), what)(made["keyId"], *args)


def check(what, gateways, held, made):
    """Of the request that was under way, and of all that come after it."""
    answers = [held.answer(), *(use(gateway, made["key"]) for gateway in gateways for _ in range(8))]
    assert {answer.status for answer in answers} == {AFTER[what]}, answers
    if what == "limit":
        assert {answer.all("X-RateLimit-Limit")[0] for answer in answers} == {"5000"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", AFTER)
def test_a_key_that_is_changed_while_a_replica_verifies_it_for_the_first_time(pair, stub, way, what):
    one, other = pair
    made = new_key(one)
    stub.remember(made["keyId"])
    with held_verification(other, stub, made["key"]) as held:
        change(way, one, what, made)
        check(what, pair, held, made)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", AFTER)
def test_a_key_that_is_changed_while_a_replica_refreshes_it(pair, stub, redis, way, what):
    one, other = pair
    made = new_key(one)
    stub.remember(made["keyId"])
    assert all_shards(one, made["key"], 200) and all_shards(other, made["key"], 200)
    redis.command("FLUSHALL")
    redis.command("PUBLISH", "gw:inval", "0 *")  # all replicas have to ask again
    eventually(lambda: float(use(one, made["key"]).get("X-Concurred-Key-Age")) == 0, "the message")
    redis.command("FLUSHALL")
    redis.command("PUBLISH", "gw:inval", "0 *")
    with held_verification(other, stub, made["key"]) as held:
        change(way, one, what, made)
        check(what, pair, held, made)


@pytest.mark.parametrize("what", AFTER)
def test_a_key_that_is_changed_through_the_gateway_that_verifies_it_without_redis(tmp_path, mock, stub, what):
    with Gateway(tmp_path, mock, {**HELD, **stub.settings()}) as alone:
        made = new_key(alone)
        stub.remember(made["keyId"])
        with held_verification(alone, stub, made["key"]) as held:
            change("api", alone, what, made)
            check(what, [alone], held, made)
