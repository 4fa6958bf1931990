"""Keys at Unkey's behind Redis: what replicas share, and every combination of Redis and Unkey down, slow or lying. Rows of the
failure matrix: identity.md 2.5."""

import json
import subprocess

import pytest

import sessions
from harness import Gateway, eventually, get, mock, needs_binary  # noqa: F401
from redis_rig import Proxy, Redis, needs_redis
from sessions import signed_in
from unkey_rig import FAULTS, SETTINGS, Fault, all_shards, healthy, status, stranger, stub, use, well_again  # noqa: F401

pytestmark = [needs_binary, needs_redis]


def ask(redis, *words):
    done = subprocess.run(["redis-cli", "-p", str(redis.port), *words], capture_output=True, text=True, check=False)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with Redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def way(redis):
    """To Redis: what is between it and the replicas."""
    proxy = Proxy(redis.port)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory, mock, stub, way):
    """Two replicas that share Redis."""
    settings = {**SETTINGS, **stub.settings(), "unkey.timeout": "600ms", "redis.url": way.url}
    with Gateway(tmp_path_factory.mktemp("one"), mock, settings) as one, \
            Gateway(tmp_path_factory.mktemp("other"), mock, settings) as other:
        yield one, other


@pytest.fixture
def redis_again(redis, way):
    """Whatever the test does to Redis, and to the way there, is undone."""
    yield redis
    way.delay, way.instead = 0.0, None
    redis.resume()
    if redis.process.poll() is not None:
        redis.start()


def shared(pair, stub, redis):
    """A key that one replica has verified, and whose record stands in Redis."""
    made = stub.new_key()

    def noted():
        assert status(pair[0], made["key"]) == 200
        return ask(redis, "GET", f"gw:kid:{{{made['keyId']}}}")

    place = eventually(noted, "the record")
    return made, "gw:vk:" + place


def test_what_one_replica_knows_the_other_need_not_ask(pair, stub, redis):
    made, record = shared(pair, stub, redis)
    eventually(lambda: ask(redis, "EXISTS", record) == "1", "the record")
    before = stub.count("keys.verifyKey")
    assert all_shards(pair[1], made["key"], 200)
    assert stub.count("keys.verifyKey") == before
    assert made["key"] not in ask(redis, "GET", record)
    assert made["hash"] not in ask(redis, "GET", record)


def test_a_change_by_one_replica_is_in_redis_before_it_is_answered(pair, stub, redis):
    owner = sessions.ANN
    made = stub.new_key(owner=owner)
    assert all_shards(pair[0], made["key"], 200)
    body = json.dumps({"enabled": False}).encode()
    answer = pair[0].ask(get("/api/v1/keys/" + made["keyId"], signed_in(owner), "Content-Type: application/json",
                             f"Content-Length: {len(body)}", method="PATCH") + body)
    assert answer.status == 200
    assert ask(redis, "EXISTS", f"gw:kt:{{{made['keyId']}}}") == "1"
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


def test_a_change_that_redis_does_not_take_at_first_is_in_force_everywhere_as_soon_as_it_does(pair, stub, redis):
    one, other = pair
    made = stub.new_key(owner=sessions.ANN)
    assert all_shards(one, made["key"], 200) and all_shards(other, made["key"], 200)
    name = f"gw:kid:{{{made['keyId']}}}"
    place = eventually(lambda: ask(redis, "GET", name), "the record")
    stub.remember(made["keyId"])
    ask(redis, "DEL", name)
    ask(redis, "LPUSH", name, "x")  # where the record stands cannot be read
    patch(one, made["keyId"], {"enabled": False})
    assert all_shards(one, made["key"], 401)
    assert all_shards(other, made["key"], 200)  # it has heard, and has found the old record
    ask(redis, "DEL", name)
    ask(redis, "SET", name, place)
    eventually(lambda: all_shards(other, made["key"], 401), "the key to be refused", 5)


REDIS = ["up", "down", "paused", "slow", "nonsense", "a garbled record", "a forged record", "a record of the wrong type"]
UNKEY = {"up": None, "down": Fault(status=503), "hangs": Fault(hang=True), "slow": Fault(delay=3), "garbage": FAULTS["html"],
         "wrong types": FAULTS["wrong types"], "200 with an error": FAULTS["200 with an error"]}


def harm(redis, way, record, state):
    if state == "down":
        redis.kill()
    elif state == "paused":
        redis.pause()
    elif state == "slow":
        way.delay = 2.0
    elif state == "nonsense":
        way.instead = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    elif state == "a garbled record":
        ask(redis, "SET", record, "\x01garbage")
    elif state == "a forged record":
        ask(redis, "SET", record, ask(redis, "GET", record).replace('"rate":', '"rate":9'))
    elif state == "a record of the wrong type":
        ask(redis, "DEL", record)
        ask(redis, "LPUSH", record, "x")


@pytest.mark.parametrize("redis_state", REDIS)
@pytest.mark.parametrize("unkey_state", UNKEY)
def test_the_failure_matrix(pair, stub, redis_again, way, redis_state, unkey_state):
    redis = redis_again
    one, other = pair
    well_again(one, stub)
    well_again(other, stub)
    eventually(lambda: stub.new_key() and shared(pair, stub, redis), "Redis to be used again")
    made, record = shared(pair, stub, redis)
    assert all_shards(one, made["key"], 200)
    fresh, nobody = stub.new_key()["key"], stranger()
    harm(redis, way, record, redis_state)
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
