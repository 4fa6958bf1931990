"""Keys at Unkey's behind Redis: what replicas share, and every combination of Redis and Unkey down, slow or lying. Rows of the
failure matrix: identity.md 2.5."""

import json
import shutil
import signal
import socket
import subprocess

import pytest

import sessions
from harness import Gateway, eventually, get, mock, needs_binary  # noqa: F401
from sessions import signed_in
from unkey_rig import SETTINGS, Fault, all_shards, healthy, status, stranger, stub, use, well_again  # noqa: F401

pytestmark = [needs_binary,
              pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed")]


class RedisServer:
    """A redis-server of its own, on a free port, without persistence."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = folder
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL)
        eventually(lambda: self.ask("PING") == "PONG", "Redis to answer")
        return self

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def ask(self, *words):
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def names(self, pattern):
        return [name for name in self.ask("KEYS", pattern).splitlines() if name]


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def pair(tmp_path_factory, mock, stub, redis):
    """Two replicas that share Redis."""
    settings = {**SETTINGS, **stub.settings(), "redis.url": f"redis://127.0.0.1:{redis.port}"}
    with Gateway(tmp_path_factory.mktemp("one"), mock, settings) as one, \
            Gateway(tmp_path_factory.mktemp("other"), mock, settings) as other:
        yield one, other


@pytest.fixture
def redis_again(redis):
    """Whatever the test does to Redis is undone."""
    yield redis
    if redis.process is None or redis.process.poll() is not None:
        redis.process = None
        redis.start()
    redis.process.send_signal(signal.SIGCONT)


def shared(pair, stub, redis):
    """A key that one replica has verified, and whose record stands in Redis."""
    made = stub.new_key()

    def noted():
        assert status(pair[0], made["key"]) == 200
        return redis.ask("GET", f"gw:kid:{{{made['keyId']}}}")

    place = eventually(noted, "the record")
    return made, "gw:vk:" + place


def test_what_one_replica_knows_the_other_need_not_ask(pair, stub, redis):
    made, record = shared(pair, stub, redis)
    eventually(lambda: redis.ask("EXISTS", record) == "1", "the record")
    before = stub.count("keys.verifyKey")
    assert all_shards(pair[1], made["key"], 200)
    assert stub.count("keys.verifyKey") == before
    assert made["key"] not in redis.ask("GET", record)
    assert made["hash"] not in redis.ask("GET", record)


def test_a_change_by_one_replica_is_in_redis_before_it_is_answered(pair, stub, redis):
    owner = sessions.ANN
    made = stub.new_key(owner=owner)
    assert all_shards(pair[0], made["key"], 200)
    body = json.dumps({"enabled": False}).encode()
    answer = pair[0].ask(get("/api/v1/keys/" + made["keyId"], signed_in(owner), "Content-Type: application/json",
                             f"Content-Length: {len(body)}", method="PATCH") + body)
    assert answer.status == 200
    assert redis.ask("EXISTS", f"gw:kt:{{{made['keyId']}}}") == "1"
    assert all_shards(pair[0], made["key"], 401)
    # Unkey's own caches may still call it valid: the other replica, which has never seen the key, must not.
    stub.keys[made["keyId"]]["enabled"] = True
    assert all_shards(pair[1], made["key"], 401)


def patch(gateway, key_id, body, owner=sessions.ANN):
    text = json.dumps(body).encode()
    answer = gateway.ask(get("/api/v1/keys/" + key_id, signed_in(owner), "Content-Type: application/json",
                             f"Content-Length: {len(text)}", method="PATCH") + text)
    assert answer.status == 200, answer


def test_a_change_through_one_replica_is_in_force_on_the_other_though_unkey_still_tells_the_old_state(pair, stub, redis):
    one, other = pair
    made = stub.new_key(owner=sessions.ANN, rate_limit=100)
    assert all_shards(one, made["key"], 200) and all_shards(other, made["key"], 200)
    patch(one, made["keyId"], {"rateLimit": 7000})
    stub.keys[made["keyId"]]["meta"] = {"rateLimit": 100}  # a cache of Unkey's own
    eventually(lambda: {use(other, made["key"]).all("X-RateLimit-Limit")[0] for _ in range(8)} == {"7000"}, "the limit", 5)
    patch(one, made["keyId"], {"enabled": False})
    stub.keys[made["keyId"]]["enabled"] = True
    eventually(lambda: all_shards(other, made["key"], 401), "the key to be refused", 5)
    patch(other, made["keyId"], {"enabled": True})
    eventually(lambda: all_shards(one, made["key"], 200), "the key to be served again", 5)


REDIS = ["up", "down", "paused", "garbage", "forged", "wrong type"]
UNKEY = {"up": None, "down": Fault(status=503), "hangs": Fault(hang=True), "lies": Fault(body='{"meta":{},"data":[]}')}


@pytest.mark.parametrize("redis_state", REDIS)
@pytest.mark.parametrize("unkey_state", UNKEY)
def test_the_failure_matrix(pair, stub, redis_again, redis_state, unkey_state):
    redis = redis_again
    one, other = pair
    well_again(one, stub)
    well_again(other, stub)
    eventually(lambda: stub.new_key() and shared(pair, stub, redis), "Redis to be used again")
    made, record = shared(pair, stub, redis)
    assert all_shards(one, made["key"], 200)
    fresh, nobody = stub.new_key()["key"], stranger()
    if redis_state == "down":
        redis.stop()
    elif redis_state == "paused":
        redis.process.send_signal(signal.SIGSTOP)
    elif redis_state == "garbage":
        redis.ask("SET", record, "\x01garbage")
    elif redis_state == "forged":
        redis.ask("SET", record, redis.ask("GET", record).replace('"rate":', '"rate":9'))
    elif redis_state == "wrong type":
        redis.ask("DEL", record)
        redis.ask("LPUSH", record, "x")
    stub.fault = UNKEY[unkey_state]

    # Known here: served, whatever is the matter elsewhere.
    assert all_shards(one, made["key"], 200)
    # Known to the other replica only: by Redis, or else by Unkey, or nobody can say.
    works = redis_state == "up" or unkey_state == "up"
    answer = use(other, made["key"])
    assert answer.status == (200 if works else 503), answer
    # Never seen by anybody: only Unkey can say. Without it: 503 and when to come back, never 401.
    for gateway in pair:
        for key, verdict in ((fresh, 200), (nobody, 401)):
            answer = use(gateway, key)
            assert answer.status == (verdict if unkey_state == "up" else 503), (key, answer)
            if answer.status == 503:
                assert int(answer.get("Retry-After")) >= 1
    stub.fault = None
