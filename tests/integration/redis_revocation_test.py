"""A change of a key through one gateway is in force on all of them within a second, and on the one that made it at once.

The gateways look for changes in the database once a day here, so that what they learn they learn from Redis. Unkey's stand-in
goes on telling the state before the change, as its caches may.
"""

import threading
import time

import pytest

import sessions
from harness import eventually, get, mock, needs_binary  # noqa: F401
from key_changes_rig import WAYS, new_key
from redis_rig import Proxy, Redis, needs_redis, replicas
from unkey_rig import UnkeyStub

pytestmark = [needs_binary, needs_redis]

MODELS = "/api/v1/models"
PROMISE = 1.0  # seconds: as README promises
SETTINGS = {**sessions.SETTINGS, "session.rate_limit": 1_000_000, "storage.change_poll": "24h"}


class Three:
    """Three gateways on one database (or on Unkey) and one Redis, each behind a proxy of its own, with clients on each."""

    def __init__(self, folder, mock, stub=None):
        self.redis = Redis(folder)
        self.folder, self.mock, self.stub = folder, mock, stub

    def __enter__(self):
        self.redis.start()
        self.proxies = [Proxy(self.redis.port) for _ in range(3)]
        settings = {**SETTINGS, **(self.stub.settings() if self.stub else {})}
        self.gateways = replicas(self.folder, self.mock, None, 3, settings, [proxy.url for proxy in self.proxies])
        for gateway in self.gateways:
            gateway.start()
        for gateway in self.gateways:
            eventually(lambda g=gateway: g.metrics()["concurred_key_changes_subscribed"] == 1, "the subscription")
        self.use(new_key(self.gateways[0]))
        self.log = [[] for _ in self.gateways]  # of each: (when it was sent, status, limit)
        self.stopped = False
        self.threads = [threading.Thread(target=self.send, args=(number,)) for number in range(3)]
        for thread in self.threads:
            thread.start()
        for number in range(3):
            eventually(lambda n=number: self.log[n], "requests")
        return self

    def use(self, made):
        """From now on the clients use this key."""
        self.key_id, self.request = made["keyId"], get(MODELS, "Authorization: Bearer " + made["key"])

    def send(self, number):
        with self.gateways[number].connect() as connection:
            while not self.stopped:
                sent = time.monotonic()
                answer = connection.send(self.request).read()
                self.log[number].append((sent, answer.status, answer.get("X-RateLimit-Limit")))
                time.sleep(0.005)

    def change(self, way, what, *how):
        """Changes the key through the first gateway, or beside it. Returns what the change gives, and when it was done."""
        if self.stub:
            self.stub.remember(self.key_id)
        given = getattr(WAYS[way](self.gateways[0]), what)(self.key_id, *how)
        done = time.monotonic()
        if way == "api":  # on the gateway that made it there is nothing to wait for
            assert (self.gateways[0].ask(self.request).status == 200) == (what in ("enable", "limit"))
        return given, done

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


@pytest.fixture(params=["embedded", "unkey"])
def three(request, tmp_path, mock):
    if request.param == "embedded":
        with Three(tmp_path, mock) as running:
            yield running
        return
    with UnkeyStub() as stub, Three(tmp_path, mock, stub) as running:
        yield running


def is_refused(entry):
    return entry[1] == 401


def is_served(entry):
    return entry[1] == 200


@pytest.mark.parametrize("way", WAYS)
def test_disabling_enabling_relimiting_rotating_and_deleting_is_heard_by_all(three, way):
    three.in_force(three.change(way, "disable")[1], is_refused)
    three.in_force(three.change(way, "enable")[1], is_served)
    three.in_force(three.change(way, "limit", 777_777)[1], lambda entry: entry[1:] == (200, "777777"))
    made, done = three.change(way, "rotate")
    for gateway in three.gateways:
        answer = gateway.ask(get(MODELS, "Authorization: Bearer " + made["key"]))
        assert answer.status == 200 and answer.get("X-RateLimit-Limit") == "777777"
    three.in_force(done, is_refused)
    three.use(made)
    three.in_force(time.monotonic(), is_served)
    three.in_force(three.change(way, "delete")[1], is_refused)
    heard = sum(gateway.metrics()["concurred_key_changes_heard_total"] for gateway in three.gateways)
    assert heard == 3 * 5


@pytest.mark.parametrize("way, what", [("api", "disable"), ("api", "delete"), ("api", "rotate"), ("program", "disable")])
def test_a_change_that_was_missed_is_in_force_as_soon_as_the_subscription_is_back(three, way, what):
    proxy, gateway = three.proxies[2], three.gateways[2]
    proxy.open = False
    proxy.cut(subscribers_only=True)
    eventually(lambda: gateway.metrics()["concurred_key_changes_subscribed"] == 0, "the loss")
    _, done = three.change(way, what)
    eventually(lambda: three.log[0][-1][1] == 401 and three.log[1][-1][1] == 401, "the others to refuse")
    assert three.log[2][-1][1] == 200  # it could not know
    assert time.monotonic() - done < 9  # else it would have read the key again by itself
    proxy.open = True
    eventually(lambda: gateway.metrics()["concurred_key_changes_subscribed"] == 1, "the subscription")
    three.in_force(time.monotonic(), is_refused)


@pytest.mark.parametrize("way", WAYS)
def test_a_lost_connection_is_made_again_within_the_promise(three, way):
    for proxy in three.proxies:
        proxy.cut()
    three.in_force(three.change(way, "disable")[1], is_refused)


def test_a_refresh_that_began_before_the_change_does_not_bring_the_old_state_back(three):
    """Many times over, at whatever point they meet; at fixed points: unkey_held_test.py."""
    gateway = three.gateways[1]
    flushes = gateway.metrics()["concurred_key_cache_flushes_total"]
    for _ in range(5):
        # A new subscription makes every key a miss: the refreshes of all clients are under way when the change comes.
        for proxy in three.proxies:
            proxy.cut(subscribers_only=True)
        three.in_force(three.change("api", "disable")[1], is_refused)
        three.in_force(three.change("api", "enable")[1], is_served)
    assert gateway.metrics()["concurred_key_cache_flushes_total"] > flushes


def test_the_age_of_the_verification_is_told(three):
    gateway = three.gateways[0]
    age = float(gateway.ask(three.request).get("X-Concurred-Key-Age"))
    assert 0 <= age <= 11  # the cache is read again after ten seconds
    _, done = three.change("api", "limit", 999_999)
    eventually(lambda: float(gateway.ask(three.request).get("X-Concurred-Key-Age")) <= time.monotonic() - done,
               "the key to be read again")
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
