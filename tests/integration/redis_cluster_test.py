"""Gateways on a real Cluster of three masters: what they share of keys at Unkey's, changes, and limits."""

import time

import pytest

from harness import Gateway, eventually, mock, needs_binary  # noqa: F401
from key_changes_rig import WAYS, new_key
from redis_rig import Cluster, needs_redis
from unkey_rig import SETTINGS, all_shards, healthy, stub, use  # noqa: F401

pytestmark = [needs_binary, needs_redis]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def pair(tmp_path_factory, mock, stub, cluster):
    settings = {**SETTINGS, **stub.settings(), "session.rate_limit": 1_000_000, "redis.url": cluster.url,
                "redis.command_timeout": "2s", "limits.mode": "strict", "limits.replicas": 2}
    with Gateway(tmp_path_factory.mktemp("one"), mock, settings) as one, \
            Gateway(tmp_path_factory.mktemp("other"), mock, settings) as other:
        for gateway in (one, other):
            eventually(lambda g=gateway: g.metrics()["concurred_key_changes_subscribed"] == 1, "the subscription")
            eventually(lambda g=gateway: g.metrics()["concurred_redis_connected"] >= 2, "both shards' connections")
        yield one, other


def test_what_one_replica_knows_the_other_need_not_ask(pair, stub, cluster):
    one, other = pair
    keys = [new_key(one)["key"] for _ in range(20)]
    for key in keys:
        assert use(one, key).status == 200
    before = stub.count("keys.verifyKey")
    for key in keys:
        assert use(other, key).status == 200
    assert stub.count("keys.verifyKey") == before
    assert all(count > 0 for count in cluster.keys())  # they are spread


@pytest.mark.parametrize("way", WAYS)
def test_a_change_is_in_force_on_all_replicas(pair, stub, way):
    one, other = pair
    change = WAYS[way](one)
    for _ in range(5):  # keys of different nodes
        made = new_key(one)
        stub.remember(made["keyId"])
        assert all_shards(one, made["key"], 200) and all_shards(other, made["key"], 200)
        change.disable(made["keyId"])
        eventually(lambda m=made: all_shards(one, m["key"], 401) and all_shards(other, m["key"], 401), "the key to be refused", 5)
        change.enable(made["keyId"])
        eventually(lambda m=made: all_shards(one, m["key"], 200) and all_shards(other, m["key"], 200), "the key to be served", 5)


def test_a_limit_is_one_for_all_replicas(pair, stub):
    one, other = pair
    for _ in range(5):
        made = new_key(one)
        WAYS["api"](one).limit(made["keyId"], 10)
        began = time.monotonic()
        statuses = [use(gateway, made["key"]).status for _ in range(12) for gateway in (one, other)]
        bound = 10 + 10 * (time.monotonic() - began) / 60  # what comes back meanwhile
        assert set(statuses) == {200, 429} and 10 <= statuses.count(200) <= bound, statuses
