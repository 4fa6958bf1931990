"""A change of a key through one gateway is in force on all of them within a second, and on the one that made it at once.

The gateways look for changes in the database once a day here, so that what they learn they learn from Redis.
"""

import threading
import time

import pytest

from harness import eventually, get, mock, needs_binary  # noqa: F401
from redis_rig import Proxy, Redis, needs_redis, replicas

pytestmark = [needs_binary, needs_redis]

MODELS = "/api/v1/models"
PROMISE = 1.0  # seconds: decision 12
NEVER = {"storage.change_poll": "24h"}


class Three:
    """Three gateways on one database and one Redis, each behind a proxy of its own, with clients on each."""

    def __init__(self, folder, mock):
        self.redis = Redis(folder)
        self.folder, self.mock = folder, mock

    def __enter__(self):
        self.redis.start()
        self.proxies = [Proxy(self.redis.port) for _ in range(3)]
        self.gateways = replicas(self.folder, self.mock, None, 3, NEVER, [proxy.url for proxy in self.proxies])
        for gateway in self.gateways:
            gateway.start()
        for gateway in self.gateways:
            eventually(lambda g=gateway: g.metrics()["concurred_key_changes_subscribed"] == 1, "the subscription")
        self.made = self.gateways[0].new_key(1_000_000)
        self.authorization = "Authorization: Bearer " + self.made["key"]
        self.log = [[] for _ in self.gateways]  # of each: (when it was sent, status, limit)
        self.stopped = False
        self.threads = [threading.Thread(target=self.send, args=(number,)) for number in range(3)]
        for thread in self.threads:
            thread.start()
        for number in range(3):
            eventually(lambda n=number: self.log[n], "requests")
        return self

    def send(self, number):
        request = get(MODELS, self.authorization)
        with self.gateways[number].connect() as connection:
            while not self.stopped:
                sent = time.monotonic()
                answer = connection.send(request).read()
                self.log[number].append((sent, answer.status, answer.get("X-RateLimit-Limit")))
                time.sleep(0.005)

    def change(self, *words):
        """Changes the key by the program, which tells the others. Returns when it was done."""
        self.gateways[0].command("keys", *words)
        return time.monotonic()

    def in_force(self, done, expected):
        """Waits until each gateway has answered requests sent a second later, and checks all of those."""
        for number in range(3):
            eventually(lambda n=number: self.log[n][-1][0] > done + PROMISE + 0.2, "a second of requests", 30)
            late = [entry for entry in list(self.log[number]) if entry[0] > done + PROMISE]
            assert late and all(expected(entry) for entry in late), late[:3]

    def __exit__(self, *failure):
        self.stopped = True
        for thread in self.threads:
            thread.join()
        for gateway in self.gateways:
            gateway.__exit__(*failure)
        for proxy in self.proxies:
            proxy.close()
        self.redis.__exit__()


@pytest.fixture
def three(tmp_path, mock):
    with Three(tmp_path, mock) as running:
        yield running


def is_refused(entry):
    return entry[1] == 401


def is_served(entry):
    return entry[1] == 200


def test_disabling_enabling_relimiting_and_revoking_is_heard_by_all(three):
    key = three.made["keyId"]
    three.in_force(three.change("update", key, "--disable"), is_refused)
    three.in_force(three.change("update", key, "--enable"), is_served)
    three.in_force(three.change("update", key, "--rate-limit", "777777"), lambda entry: entry[1:] == (200, "777777"))
    three.in_force(three.change("revoke", key), is_refused)
    heard = sum(gateway.metrics()["concurred_key_changes_heard_total"] for gateway in three.gateways)
    assert heard == 3 * 4


def test_a_change_that_was_missed_is_in_force_as_soon_as_the_subscription_is_back(three):
    proxy, gateway = three.proxies[2], three.gateways[2]
    proxy.open = False
    proxy.cut(subscribers_only=True)
    eventually(lambda: gateway.metrics()["concurred_key_changes_subscribed"] == 0, "the loss")
    done = three.change("update", three.made["keyId"], "--disable")
    eventually(lambda: three.log[0][-1][1] == 401 and three.log[1][-1][1] == 401, "the others to refuse")
    assert three.log[2][-1][1] == 200  # it could not know
    assert time.monotonic() - done < 9  # else it would have read the key again by itself
    proxy.open = True
    eventually(lambda: gateway.metrics()["concurred_key_changes_subscribed"] == 1, "the subscription")
    three.in_force(time.monotonic(), is_refused)


def test_a_lost_connection_is_made_again_within_the_promise(three):
    for proxy in three.proxies:
        proxy.cut()
    three.in_force(three.change("update", three.made["keyId"], "--disable"), is_refused)


def test_a_refresh_that_began_before_the_change_does_not_bring_the_old_state_back(three):
    """The refresh waits for the database while the change is made: other commands hold the lock it needs to begin."""
    gateway = three.gateways[1]
    flushes = gateway.metrics()["concurred_key_cache_flushes_total"]
    for _ in range(5):
        # A new subscription makes every key a miss: the refreshes of all clients are under way when the change comes.
        for proxy in three.proxies:
            proxy.cut(subscribers_only=True)
        three.in_force(three.change("update", three.made["keyId"], "--disable"), is_refused)
        three.in_force(three.change("update", three.made["keyId"], "--enable"), is_served)
    assert gateway.metrics()["concurred_key_cache_flushes_total"] > flushes


def test_the_age_of_the_verification_is_told(three):
    gateway = three.gateways[0]
    answer = gateway.ask(get(MODELS, three.authorization))
    age = float(answer.get("X-Concurred-Key-Age"))
    assert 0 <= age <= 11  # the cache is read again after ten seconds
    done = three.change("update", three.made["keyId"], "--name", "other")
    eventually(lambda: float(gateway.ask(get(MODELS, three.authorization)).get("X-Concurred-Key-Age"))
               <= time.monotonic() - done, "the key to be read again")
    assert gateway.metrics()["concurred_key_age_seconds_count"] > 0


def test_without_redis_the_database_tells(tmp_path, mock):
    first, second = replicas(tmp_path, mock, "", 2)
    with first, second:
        made = first.new_key(100)
        authorization = "Authorization: Bearer " + made["key"]
        assert second.ask(get(MODELS, authorization)).status == 200
        second.command("keys", "revoke", made["keyId"])
        eventually(lambda: first.ask(get(MODELS, authorization)).status == 401
                   and second.ask(get(MODELS, authorization)).status == 401, "both to refuse")
        assert not any("redis" in name for name in first.metrics())
