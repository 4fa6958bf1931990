"""Key management, the same for keys in the embedded store, in SQLite or PostgreSQL, and for keys at Unkey's: one set of tests."""

import json
import sys
from datetime import datetime
from pathlib import Path

import pytest

import sessions
from harness import Gateway, eventually, get, mock, needs_binary, post  # noqa: F401
from postgres_server import Postgres, needs_postgres
from sessions import ANN, BOB, signed_in

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from unkey_stub import UnkeyStub  # noqa: E402

pytestmark = needs_binary

KEYS = "/api/v1/keys"
MODELS = "/api/v1/models"
JSON = "Content-Type: application/json"
METADATA = {"keyId", "name", "start", "rateLimit", "enabled", "createdAt", "expiresAt", "lastUsedAt"}


LIMITS = {"tokenLimit": 5000, "concurrency": 3, "budget": {"day": 0.5, "month": 12.34567891}}


@pytest.fixture(scope="module", params=["embedded", pytest.param("postgres", marks=needs_postgres), "unkey"])
def gateway(request, tmp_path_factory, mock):
    folder = tmp_path_factory.mktemp("gateway")
    settings = {**sessions.SETTINGS, "server.shards": 2, "session.rate_limit": 1_000_000}
    if request.param == "embedded":
        with Gateway(folder, mock, settings) as running:
            running.stub = None
            yield running
        return
    if request.param == "postgres":
        with Postgres(tmp_path_factory.mktemp("postgres")) as postgres, \
                Gateway(folder, mock, {**settings, "postgres.url": postgres.url}) as running:
            running.stub = None
            yield running
        return
    with UnkeyStub() as stub, Gateway(folder, mock, {**settings, **stub.settings()}) as running:
        running.stub = stub
        yield running


def request(method, path, *fields, body=None):
    if body is None:
        return get(path, *fields, method=method)
    return get(path, *fields, f"Content-Length: {len(body.encode())}", method=method) + body.encode()


def send(gateway, method, path, body=None, *fields, user=ANN):
    text = None if body is None else body if isinstance(body, str) else json.dumps(body)
    lines = [signed_in(user)] if user else []
    return gateway.ask(request(method, path, *lines, *([JSON] if text is not None else []), *fields, body=text))


def make(gateway, user=ANN, **body):
    answer = send(gateway, "POST", KEYS, {"name": "Production Key", **body}, user=user)
    assert answer.status == 201, answer
    return answer.json()["data"]


def listed(gateway, user=ANN):
    answer = send(gateway, "GET", KEYS, user=user)
    assert answer.status == 200 and answer.json()["success"] is True
    return {row["keyId"]: row for row in answer.json()["data"]}


def use(gateway, key):
    return gateway.ask(get(MODELS, "Authorization: Bearer " + key))


def all_shards(gateway, key, status):
    """Whether fresh connections, which the kernel spreads over the shards, all get that status."""
    return all(use(gateway, key).status == status for _ in range(8))


def fresh_user(number):
    return f"aaaaaaaa-aaaa-4aaa-8aaa-{number:012d}"


# Making


def test_a_new_key_is_shown_once_and_works(gateway):
    answer = send(gateway, "POST", KEYS, {"name": "Production Key", "rateLimit": 100})
    assert answer.status == 201 and answer.get("Cache-Control") == "no-store"
    body = answer.json()
    assert set(body) == {"success", "data"} and body["success"] is True
    data = body["data"]
    assert set(data) == {"keyId", "key", "name"} and data["name"] == "Production Key"
    assert data["key"].startswith("ck_") and data["keyId"].startswith("key_")
    answer = use(gateway, data["key"])
    assert answer.status == 200 and answer.all("X-RateLimit-Limit")[0] == "100"
    for text in (gateway.log_text(), (gateway.folder / "access").read_text()):
        assert data["key"] not in text


def test_the_list_is_masked_and_has_all_of_ones_keys_and_no_others(gateway):
    user = fresh_user(1)
    made = [make(gateway, user, name=f"key {i}", rateLimit=100 + i) for i in range(3)]
    answer = send(gateway, "GET", KEYS, user=user)
    assert answer.get("Cache-Control") == "no-store"
    rows = answer.json()["data"]
    assert {row["keyId"] for row in rows} == {one["keyId"] for one in made}
    for one in made:
        row = next(row for row in rows if row["keyId"] == one["keyId"])
        assert set(row) == METADATA | {"requests", "tokens"}
        assert row["start"] == one["key"][:7] and row["name"] == one["name"] and row["enabled"] is True
        assert one["key"] not in answer.body.decode() and row["expiresAt"] is None
    assert listed(gateway, fresh_user(2)) == {}


def test_the_default_limit(gateway):
    made = make(gateway, fresh_user(3))
    assert listed(gateway, fresh_user(3))[made["keyId"]]["rateLimit"] == 60


@pytest.mark.parametrize("body, field, part", [
    ({}, "name", "missing"), ({"name": ""}, "name", "1 to 100"), ({"name": "x" * 101}, "name", "1 to 100"),
    ({"name": 7}, "name", "text"), ({"name": "a\nb"}, "name", "control"), ({"name": None}, "name", ""),
    ({"name": "x", "rateLimit": 0}, "rateLimit", "1 to 1000000"), ({"name": "x", "rateLimit": 1_000_001}, "rateLimit", "1 to 1000000"),
    ({"name": "x", "rateLimit": 1.5}, "rateLimit", "whole number"), ({"name": "x", "rateLimit": "9"}, "rateLimit", "whole number"),
    ({"name": "x", "ownerId": BOB}, "ownerId", "not known"), ({"name": "x", "meta": {}}, "meta", "not known"),
    ({"name": "x", "expires": 1}, "expires", "not known"), ({"name": "x", "enabled": False}, "enabled", "not known"),
    ({"name": "x", "tokenLimit": 0}, "tokenLimit", "1 to 1000000000"),
    ({"name": "x", "tokenLimit": 1_000_000_001}, "tokenLimit", "or null"), ({"name": "x", "tokenLimit": "5"}, "tokenLimit", "whole number"),
    ({"name": "x", "concurrency": -1}, "concurrency", "1 to 100000"), ({"name": "x", "concurrency": 2.5}, "concurrency", "whole number"),
    ({"name": "x", "budget": 5}, "budget", "'day' and 'month'"), ({"name": "x", "budget": {"week": 5}}, "budget.week", "not known"),
    ({"name": "x", "budget": {"day": 0}}, "budget.day", "USD"), ({"name": "x", "budget": {"month": "5"}}, "budget.month", "USD"),
    ('{"name":"x","budget":{"day":1e2}}', "budget.day", "exponent"), ({"name": "x", "budget": {"month": 1_000_000.5}}, "budget.month", "1000000"),
    ('{"name":"x","budget":{"day":0.000000001}}', "budget.day", "8 decimals"), ({"name": "x", "budget": {"day": -1}}, "budget.day", "above 0"),
    ('{"name":"x","budget":{"day":1,"day":2}}', "budget.day", "once"),
    ('{"name":"x","name":"y"}', "name", "once"), ("[]", None, "object"), ('{"name":', None, "JSON")])
def test_a_bad_body_is_named_and_makes_nothing(gateway, body, field, part):
    before = listed(gateway)
    answer = send(gateway, "POST", KEYS, body)
    assert answer.status == 400, answer
    error = answer.error()
    assert error["code"] == ("MISSING_REQUIRED_FIELD" if body == {} else "BAD_REQUEST")
    assert error["param"] == field and part in error["message"]
    assert listed(gateway) == before


def test_a_body_that_is_not_declared_json_is_415(gateway):
    answer = gateway.ask(request("POST", KEYS, signed_in(), "Content-Type: text/plain", body='{"name":"x"}'))
    assert answer.status == 415


def test_there_is_a_ceiling_for_each_owner(gateway):
    user = fresh_user(4)
    made = [make(gateway, user) for _ in range(50)]
    answer = send(gateway, "POST", KEYS, {"name": "one too many"}, user=user)
    assert answer.status == 409 and answer.error()["code"] == "CONFLICT" and "50" in answer.error()["message"]
    assert len(listed(gateway, user)) == 50
    assert send(gateway, "DELETE", f"{KEYS}/{made[0]['keyId']}", user=user).status == 204
    assert send(gateway, "POST", KEYS, {"name": "fits again"}, user=user).status == 201


# Changing


def test_a_change_is_answered_and_in_force_at_once_on_every_shard(gateway):
    made = make(gateway, rateLimit=100)
    assert all_shards(gateway, made["key"], 200)
    answer = send(gateway, "PATCH", f"{KEYS}/{made['keyId']}", {"name": "Renamed", "rateLimit": 5000})
    assert answer.status == 200 and answer.get("Cache-Control") == "no-store"
    data = answer.json()["data"]
    assert set(data) == METADATA
    assert (data["name"], data["rateLimit"], data["enabled"]) == ("Renamed", 5000, True)
    limits = {use(gateway, made["key"]).all("X-RateLimit-Limit")[0] for _ in range(8)}
    assert limits == {"5000"}
    assert listed(gateway)[made["keyId"]]["name"] == "Renamed"


def limits_of(row):
    return {name: row[name] for name in LIMITS if name in row}


def test_further_limits_are_kept_shown_and_changed_one_by_one(gateway):
    user = fresh_user(6)
    made = make(gateway, user, **LIMITS)
    assert limits_of(listed(gateway, user)[made["keyId"]]) == LIMITS
    path = f"{KEYS}/{made['keyId']}"

    def change(body):
        answer = send(gateway, "PATCH", path, body, user=user)
        assert answer.status == 200, answer
        data = answer.json()["data"]
        assert limits_of(listed(gateway, user)[made["keyId"]]) == limits_of(data)
        return limits_of(data)

    assert change({"name": "renamed"}) == LIMITS
    assert change({"budget": {"day": 1}}) == {**LIMITS, "budget": {"day": 1, "month": 12.34567891}}
    assert change({"budget": {"month": None}, "concurrency": 100_000}) == {
        "tokenLimit": 5000, "concurrency": 100_000, "budget": {"day": 1}}
    assert change({"tokenLimit": 1_000_000_000, "budget": None}) == {"tokenLimit": 1_000_000_000, "concurrency": 100_000}
    assert change({"tokenLimit": None, "concurrency": None}) == {}
    unlimited = make(gateway, user, tokenLimit=None, budget=None)
    assert limits_of(listed(gateway, user)[unlimited["keyId"]]) == {}


def test_a_new_key_has_the_limits_of_the_one_whose_place_it_takes(gateway):
    user = fresh_user(7)
    made = make(gateway, user, **LIMITS)
    answer = send(gateway, "POST", f"{KEYS}/{made['keyId']}/rotate", {}, user=user)
    assert answer.status == 201
    assert limits_of(listed(gateway, user)[answer.json()["data"]["keyId"]]) == LIMITS


def test_a_token_limit_is_in_force_at_once_on_every_shard(gateway):
    made = make(gateway, rateLimit=100_000)
    path = f"{KEYS}/{made['keyId']}"
    chat = {"model": "fast", "messages": [{"role": "user", "content": "Hello! " * 40}], "max_tokens": 8}

    def statuses():
        return {gateway.ask(post("/api/v1/chat/completions", json.dumps(chat), "Authorization: Bearer " + made["key"],
                                 JSON)).status for _ in range(8)}

    assert statuses() == {200}
    assert send(gateway, "PATCH", path, {"tokenLimit": 20}).status == 200
    assert statuses() == {400}  # the prompt alone is more
    assert send(gateway, "PATCH", path, {"tokenLimit": None}).status == 200
    assert statuses() == {200}


def test_disabled_and_enabled_again(gateway):
    made = make(gateway)
    assert all_shards(gateway, made["key"], 200)
    assert send(gateway, "PATCH", f"{KEYS}/{made['keyId']}", {"enabled": False}).json()["data"]["enabled"] is False
    assert all_shards(gateway, made["key"], 401)
    assert send(gateway, "PATCH", f"{KEYS}/{made['keyId']}", {"enabled": True}).status == 200
    assert all_shards(gateway, made["key"], 200)


def test_a_deleted_key_is_gone_for_good(gateway):
    made = make(gateway)
    path = f"{KEYS}/{made['keyId']}"
    assert all_shards(gateway, made["key"], 200)
    answer = send(gateway, "DELETE", path)
    assert answer.status == 204 and answer.body == b""
    assert all_shards(gateway, made["key"], 401)
    assert made["keyId"] not in listed(gateway)
    assert send(gateway, "DELETE", path).status == 404
    assert send(gateway, "PATCH", path, {"enabled": True}).status == 404
    assert send(gateway, "POST", path + "/rotate", {}).status == 404


@pytest.mark.parametrize("body, field", [({}, None), ({"rateLimit": -1}, "rateLimit"), ({"enabled": "yes"}, "enabled"),
                                         ({"owner": BOB}, "owner"), ({"name": " "}, "name"), ({"keyId": "key_x"}, "keyId")])
def test_a_bad_change_is_named_and_changes_nothing(gateway, body, field):
    made = make(gateway, fresh_user(5))
    before = listed(gateway, fresh_user(5))
    answer = send(gateway, "PATCH", f"{KEYS}/{made['keyId']}", body, user=fresh_user(5))
    assert answer.status == 400 and answer.error()["param"] == field
    assert listed(gateway, fresh_user(5)) == before


# Rotation


def test_rotation_gives_a_new_key_and_the_old_one_lives_out_its_grace(gateway):
    made = make(gateway, rateLimit=777)
    answer = send(gateway, "POST", f"{KEYS}/{made['keyId']}/rotate", {"graceSeconds": 3600})
    assert answer.status == 201 and answer.get("Cache-Control") == "no-store"
    data = answer.json()["data"]
    assert set(data) == {"keyId", "key", "name", "previous"} and data["name"] == made["name"]
    assert data["keyId"] != made["keyId"] and data["key"] != made["key"]
    assert data["previous"]["keyId"] == made["keyId"]
    assert all_shards(gateway, made["key"], 200) and all_shards(gateway, data["key"], 200)
    assert use(gateway, data["key"]).all("X-RateLimit-Limit")[0] == "777"
    rows = listed(gateway)
    told, kept = (datetime.fromisoformat(one["expiresAt"]) for one in (data["previous"], rows[made["keyId"]]))
    assert abs((told - kept).total_seconds()) < 5  # Unkey has a clock of its own
    assert rows[data["keyId"]]["expiresAt"] is None


def test_after_its_grace_the_old_key_is_refused(gateway):
    made = make(gateway)
    assert all_shards(gateway, made["key"], 200)
    data = send(gateway, "POST", f"{KEYS}/{made['keyId']}/rotate", {"graceSeconds": 1}).json()["data"]
    eventually(lambda: all_shards(gateway, made["key"], 401), "the old key to expire")
    assert all_shards(gateway, data["key"], 200)


def test_without_a_grace_the_old_key_is_gone_at_once(gateway):
    made = make(gateway)
    assert all_shards(gateway, made["key"], 200)
    data = send(gateway, "POST", f"{KEYS}/{made['keyId']}/rotate", {"graceSeconds": 0}).json()["data"]
    assert all_shards(gateway, made["key"], 401) and all_shards(gateway, data["key"], 200)


def test_a_rotation_without_a_body_has_a_grace_of_a_day(gateway):
    made = make(gateway)
    answer = send(gateway, "POST", f"{KEYS}/{made['keyId']}/rotate")
    assert answer.status == 201
    assert all_shards(gateway, made["key"], 200)


@pytest.mark.parametrize("body", [{"graceSeconds": -1}, {"graceSeconds": 2_592_001}, {"graceSeconds": "1d"}, {"grace": 1}])
def test_a_bad_grace_is_refused(gateway, body):
    made = make(gateway, fresh_user(5))
    assert send(gateway, "POST", f"{KEYS}/{made['keyId']}/rotate", body, user=fresh_user(5)).status == 400
    assert use(gateway, made["key"]).status == 200


# From where


CHANGES = [("POST", KEYS, {"name": "x"}), ("PATCH", KEYS + "/key_1", {"name": "x"}),
          ("DELETE", KEYS + "/key_1", None), ("POST", KEYS + "/key_1/rotate", {})]


@pytest.mark.parametrize("method, path, body", CHANGES)
def test_a_page_of_another_origin_changes_nothing(gateway, method, path, body):
    answer = send(gateway, method, path, body, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example")
    assert answer.status == 403


@pytest.mark.parametrize("method, path, allowed", [("PUT", KEYS, "POST, GET, HEAD, OPTIONS"), ("GET", KEYS + "/key_1", "PATCH, DELETE, OPTIONS"),
                                                   ("GET", KEYS + "/key_1/rotate", "POST, OPTIONS")])
def test_other_methods_are_405(gateway, method, path, allowed):
    answer = send(gateway, method, path)
    assert answer.status == 405 and answer.get("Allow") == allowed


# Beside it: the commands


def test_the_commands_work_on_the_same_keys(gateway):
    made = gateway.new_key(rate_limit=500, name="by command")
    assert all_shards(gateway, made["key"], 200)
    rows = {row["keyId"]: row for row in json.loads(gateway.command("keys", "list", "--json"))}
    assert rows[made["keyId"]]["rateLimit"] == 500 and rows[made["keyId"]]["owner"] == "local"
    changed = json.loads(gateway.command("keys", "update", made["keyId"], "--name", "renamed", "--json"))
    assert changed["name"] == "renamed"
    rotated = json.loads(gateway.command("keys", "rotate", made["keyId"], "--grace", "2h", "--json"))
    assert rotated["keyId"] != made["keyId"] and rotated["key"] != made["key"]
    assert rotated["previous"]["keyId"] == made["keyId"]
    assert all_shards(gateway, rotated["key"], 200)
    gateway.command("keys", "revoke", "--yes", rotated["keyId"])
    assert gateway.run("keys", "rotate", rotated["keyId"]).returncode == 1
    assert rotated["keyId"] not in {row["keyId"] for row in json.loads(gateway.command("keys", "list", "--json"))}


def test_only_unkey_is_asked_when_it_is_configured(gateway):
    if gateway.stub is None:
        pytest.skip("of keys at Unkey's")
    made = gateway.stub.new_key(owner="somebody", rate_limit=42)
    answer = use(gateway, made["key"])
    assert answer.status == 200 and answer.all("X-RateLimit-Limit")[0] == "42"
    bodies = [body for name, body in gateway.stub.calls if name == "keys.verifyKey"]
    assert bodies and all(body["credits"] == {"cost": 0} and set(body) == {"key", "credits"} for body in bodies)
