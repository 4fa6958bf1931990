"""Keys of providers that owners bring: stored sealed, used for their owner and for nobody else."""

import base64
import json
import os
import sqlite3
import subprocess
import time

import pytest

import sessions
from harness import Gateway, chat_body, eventually, get, needs_binary, post
from imposter import Imposter, answer
from postgres_server import Postgres, needs_postgres
from redis_rig import Redis, needs_redis
from sessions import ANN, BOB, signed_in

pytestmark = needs_binary

PATH = "/api/v1/provider-keys"
CHAT = "/api/v1/chat/completions"
JSON = "Content-Type: application/json"
PLATFORM = "sk-platform-0123456789abcdef"
MINE = "sk-mine-0123456789-ABCDEFGH"
ANSWER = json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "gpt-5.2",
                     "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}],
                     "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}).encode()


def master_key():
    return base64.b64encode(os.urandom(32)).decode()


def settings(imposter, key, **more):
    return {**sessions.SETTINGS, "secrets.master_key": key, "session.rate_limit": 1_000_000, "server.shards": 2, "providers.openai.base_url": imposter.base_url,
            "providers.openai.api_key": PLATFORM, "providers.x-ai.base_url": imposter.base_url, **more}


@pytest.fixture(scope="module")
def imposter():
    with Imposter(answer(ANSWER)) as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=needs_postgres)])
def gateway(request, tmp_path_factory, imposter):
    """With the keys in each of the databases. `query`: asks it."""
    folder, key = tmp_path_factory.mktemp("gateway"), master_key()
    if request.param == "sqlite":
        with Gateway(folder, settings=settings(imposter, key)) as running:
            running.query = lambda sql: sqlite3.connect(folder / "var" / "concurred.db").execute(sql).fetchall()
            yield running
        return
    with Postgres(tmp_path_factory.mktemp("postgres")) as postgres, \
            Gateway(folder, settings=settings(imposter, key, **{"postgres.url": postgres.url})) as running:
        running.query = postgres.query
        yield running


@pytest.fixture(autouse=True)
def clean(request, imposter):
    """Every test begins without provider keys."""
    imposter.script = answer(ANSWER)
    if "gateway" not in request.fixturenames:
        return
    gateway = request.getfixturevalue("gateway")
    for user in (ANN, BOB):
        for row in listed(gateway, user):
            assert gateway.ask(get(f"{PATH}/{row['id']}", signed_in(user), method="DELETE")).status == 204


def store(gateway, user=ANN, **changes):
    body = {"provider": "openai", "slug": "mine", "displayName": "My key", "apiKey": MINE, **changes}
    body = {name: value for name, value in body.items() if value is not None}
    return gateway.ask(post(PATH, json.dumps(body), JSON, signed_in(user)))


def listed(gateway, user=ANN):
    got = gateway.ask(get(PATH, signed_in(user)))
    assert got.status == 200, got
    return got.json()["data"]


def key_of(gateway, owner):
    return json.loads(gateway.command("keys", "create", "--name", "t", "--owner", owner, "--rate-limit", "1000000", "--json"))["key"]


@pytest.fixture(scope="module")
def ann(gateway):
    return "Authorization: Bearer " + key_of(gateway, ANN)


@pytest.fixture(scope="module")
def bob(gateway):
    return "Authorization: Bearer " + key_of(gateway, BOB)


def chat(gateway, authorization, *fields, model="gpt-5.2", **members):
    return gateway.ask(post(CHAT, chat_body(model, **members), authorization, *fields))


def arrived(imposter):
    """The key that the last request came to the provider with."""
    head = imposter.requests[-1][0].decode().lower()
    (line,) = [line for line in head.split("\r\n") if line.startswith("authorization:")]
    return line.removeprefix("authorization: bearer ")


# Storing


def test_a_key_is_stored_and_listed_with_its_last_four_characters(gateway):
    made = store(gateway)
    assert made.status == 201 and made.get("Cache-Control") == "no-store"
    row = made.json()["data"]
    assert made.json()["success"] is True
    assert {name: row[name] for name in ("provider", "slug", "displayName", "lastFour")} == {
        "provider": "openai", "slug": "mine", "displayName": "My key", "lastFour": "EFGH"}
    assert sorted(row) == ["createdAt", "displayName", "id", "lastFour", "provider", "slug"]
    assert listed(gateway) == [row]
    assert MINE[:-4] not in made.body.decode()


def test_a_short_key_shows_nothing_of_itself(gateway):
    assert store(gateway, apiKey="12345678").json()["data"]["lastFour"] == ""


def test_without_a_display_name_the_slug_stands_for_it(gateway):
    assert store(gateway, displayName=None).json()["data"]["displayName"] == "mine"


def test_white_space_around_a_key_is_dropped(gateway, imposter, ann):
    assert store(gateway, apiKey=f"  {MINE}\n").status == 201
    assert chat(gateway, ann).status == 200 and arrived(imposter) == MINE.lower()


def test_a_slug_is_there_once_for_each_owner(gateway):
    assert store(gateway).status == 201
    again = store(gateway, provider="x-ai")
    assert again.status == 409 and again.error()["code"] == "CONFLICT" and "'mine'" in again.error()["message"]
    assert store(gateway, BOB).status == 201
    gateway.ask(get(f"{PATH}/{listed(gateway)[0]['id']}", signed_in(), method="DELETE"))
    assert store(gateway).status == 201  # a deleted key's slug is free


@pytest.mark.parametrize("changes, code, param", [
    ({"provider": "fal"}, "BAD_REQUEST", "provider"), ({"provider": None}, "MISSING_REQUIRED_FIELD", "provider"),
    ({"slug": "has space"}, "BAD_REQUEST", "slug"), ({"slug": ""}, "BAD_REQUEST", "slug"), ({"slug": "s" * 65}, "BAD_REQUEST", "slug"),
    ({"slug": None}, "MISSING_REQUIRED_FIELD", "slug"), ({"apiKey": None}, "MISSING_REQUIRED_FIELD", "apiKey"),
    ({"apiKey": ""}, "BAD_REQUEST", "apiKey"), ({"apiKey": "sk-a\r\nX-Evil: 1"}, "BAD_REQUEST", "apiKey"),
    ({"apiKey": "sk-mit-ümlaut-0123"}, "BAD_REQUEST", "apiKey"), ({"apiKey": "x" * 513}, "BAD_REQUEST", "apiKey"),
    ({"apiKey": 7}, "BAD_REQUEST", "apiKey"), ({"displayName": "a\u0007b"}, "BAD_REQUEST", "displayName"),
    ({"displayName": "n" * 101}, "BAD_REQUEST", "displayName"), ({"owner": BOB}, "BAD_REQUEST", "owner"),
    ({"sealed": "cpk1.x"}, "BAD_REQUEST", "sealed")])
def test_what_cannot_be_stored_is_refused_by_name(gateway, changes, code, param):
    refused = store(gateway, **changes)
    assert refused.status == 400, refused
    error = refused.error()
    assert error["code"] == code and error["param"] == param
    assert MINE not in refused.body.decode()
    assert listed(gateway) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"provider":"openai","provider":"openai"}'])
def test_bodies_that_are_none_are_refused(gateway, body):
    assert gateway.ask(post(PATH, body, JSON, signed_in())).status == 400


def test_a_body_of_another_type_is_refused(gateway):
    for fields in ([], ["Content-Type: text/plain"], ["Content-Type: application/x-www-form-urlencoded"]):
        assert gateway.ask(post(PATH, b"{}", *fields, signed_in())).status == 415


def test_an_owner_has_a_bounded_number_of_keys(tmp_path, imposter):
    with Gateway(tmp_path, settings=settings(imposter, master_key(), **{"limits.provider_keys_per_owner": 2})) as gateway:
        assert [store(gateway, slug=f"s{n}").status for n in range(3)] == [201, 201, 409]
        assert store(gateway, BOB).status == 201


def test_without_a_master_key_nothing_is_stored(tmp_path, imposter):
    with Gateway(tmp_path, settings=settings(imposter, "")) as gateway:
        refused = store(gateway)
        assert refused.status == 503 and "secrets.master_key" in refused.error()["message"]


# Two owners


def test_only_its_owner_s_requests_are_sent_with_a_key(gateway, imposter, ann, bob):
    assert store(gateway).status == 201
    assert chat(gateway, ann).status == 200 and arrived(imposter) == MINE.lower()
    assert chat(gateway, bob).status == 200 and arrived(imposter) == PLATFORM
    assert chat(gateway, bob, "X-Provider-Key: mine").status == 400


# Using


def test_a_stored_key_is_in_force_on_all_shards_at_once_and_a_deleted_one_is_not(gateway, imposter, ann):
    made = store(gateway).json()["data"]
    for _ in range(12):  # connections of their own: the kernel spreads them
        assert chat(gateway, ann).status == 200 and arrived(imposter) == MINE.lower()
    assert gateway.ask(get(f"{PATH}/{made['id']}", signed_in(), method="DELETE")).status == 204
    for _ in range(12):
        assert chat(gateway, ann).status == 200 and arrived(imposter) == PLATFORM


def test_the_newest_key_is_used_unless_a_slug_names_one(gateway, imposter, ann):
    store(gateway, slug="old", apiKey="sk-old-000000000000")
    store(gateway, slug="new", apiKey="sk-new-000000000000")
    assert chat(gateway, ann).status == 200 and arrived(imposter) == "sk-new-000000000000"
    assert chat(gateway, ann, "X-Provider-Key: old").status == 200 and arrived(imposter) == "sk-old-000000000000"


def test_a_slug_that_does_not_fit_is_an_error_that_says_so(gateway, imposter, ann):
    store(gateway, slug="grok", provider="x-ai")
    before = len(imposter.requests)
    unknown = chat(gateway, ann, "X-Provider-Key: nope")
    assert unknown.status == 400 and unknown.error()["param"] == "X-Provider-Key"
    other = chat(gateway, ann, "X-Provider-Key: grok")
    assert other.status == 400 and "'x-ai'" in other.error()["message"] and "'openai'" in other.error()["message"]
    assert len(imposter.requests) == before


def test_a_provider_without_a_platform_key_works_with_an_owner_s_own(gateway, imposter, ann):
    assert chat(gateway, ann, model="x-ai/grok-4").status == 503
    assert store(gateway, provider="x-ai", slug="grok").status == 201
    assert chat(gateway, ann, model="x-ai/grok-4").status == 200 and arrived(imposter) == MINE.lower()


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_key_that_the_provider_refuses_is_an_error_with_its_name_and_never_the_platform_s(gateway, imposter, ann, status, stream):
    store(gateway)
    before = len(imposter.requests)
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {MINE}.", "type": "invalid_request_error",
                                 "code": "invalid_api_key"}}).encode()
    imposter.script = answer(body, status)
    refused = chat(gateway, ann, stream=stream)
    assert refused.status == 401
    assert "'mine'" in refused.error()["message"] and MINE not in refused.body.decode()
    sent = [head.decode().lower() for head, _ in imposter.requests[before:]]
    assert sent and all(PLATFORM not in head for head in sent)


def test_usage_says_that_the_owner_s_key_was_used(gateway, imposter):
    carol = "44444444-4444-4444-8444-444444444444"
    authorization = "Authorization: Bearer " + key_of(gateway, carol)
    assert chat(gateway, authorization).status == 200  # with the platform's
    made = store(gateway, carol).json()["data"]
    assert [chat(gateway, authorization).status for _ in range(2)] == [200, 200]
    gateway.ask(get(f"{PATH}/{made['id']}", signed_in(carol), method="DELETE"))

    def counts():
        rows = gateway.query(f"SELECT byok, sum(requests) FROM usage_daily WHERE owner = '{carol}' GROUP BY byok ORDER BY byok")
        return [int(requests) for _, requests in rows]

    eventually(lambda: counts() == [1, 2], "one request of the platform's key and two of the owner's")


# Asking the provider


def test_a_key_can_be_tried(gateway, imposter):
    made = store(gateway).json()["data"]
    good = gateway.ask(get(f"{PATH}/{made['id']}/test", signed_in(), method="POST"))
    assert good.status == 200 and good.json()["data"] == {"works": True, "providerStatus": 200}
    head = imposter.requests[-1][0].decode()
    assert head.startswith("GET /v1/models HTTP/1.1\r\n") and f"authorization: bearer {MINE}".lower() in head.lower()
    imposter.script = answer(b'{"error":{"message":"bad key ' + MINE.encode() + b'"}}', "401 Unauthorized")
    bad = gateway.ask(get(f"{PATH}/{made['id']}/test", signed_in(), method="POST"))
    assert bad.status == 200 and bad.json()["data"] == {"works": False, "providerStatus": 401}
    assert MINE not in bad.body.decode()


def test_trying_keys_is_limited(gateway):
    made = store(gateway, BOB).json()["data"]
    statuses = [gateway.ask(get(f"{PATH}/{made['id']}/test", signed_in(BOB), method="POST")).status for _ in range(12)]
    assert 429 in statuses and statuses.count(200) <= 11


# At rest


def test_the_key_is_nowhere_in_plain_text(gateway, imposter, ann):
    store(gateway)
    chat(gateway, ann)
    for path in [gateway.folder / "log", gateway.folder / "access", *(gateway.folder / "var").iterdir()]:
        if path.is_file():
            assert MINE.encode() not in path.read_bytes(), path
    assert len(gateway.query("SELECT * FROM provider_key")) > 0 and MINE not in str(gateway.query("SELECT * FROM provider_key"))


def memory_of(pid):
    """All that the process may write to, piece by piece."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            begin, end = (int(number, 16) for number in line.split()[0].split("-"))
            if line.split()[1].startswith("rw"):
                memory.seek(begin)
                try:
                    yield memory.read(end - begin)
                except OSError:
                    pass  # a device's


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read the memory of a process without core dumps")
@pytest.mark.memory
def test_after_it_was_used_the_key_is_nowhere_in_the_process_s_memory(gateway, imposter, ann):
    key = "sk-of-this-test-0123456789"  # that no provider has repeated in an answer
    made = store(gateway, apiKey=key).json()["data"]
    for stream in (False, True):
        assert chat(gateway, ann, stream=stream).status == 200 and arrived(imposter) == key
    assert gateway.ask(get(f"{PATH}/{made['id']}/test", signed_in(), method="POST")).status == 200
    assert not any(key.encode() in piece for piece in memory_of(gateway.process.pid))
    assert any(PLATFORM.encode() in piece for piece in memory_of(gateway.process.pid))  # it is looked for in the right place


@needs_redis
def test_the_key_does_not_pass_through_redis(tmp_path, imposter):
    (tmp_path / "redis").mkdir()
    (tmp_path / "gateway").mkdir()
    with Redis(tmp_path / "redis") as redis, \
            Gateway(tmp_path / "gateway", settings=settings(imposter, master_key(), **{"redis.url": redis.url, "limits.mode": "strict"})) as gateway:
        authorization = "Authorization: Bearer " + key_of(gateway, ANN)
        with open(tmp_path / "monitor", "wb") as output:
            monitor = subprocess.Popen(["redis-cli", "-p", str(redis.port), "MONITOR"], stdout=output)
        seen = tmp_path / "monitor"
        try:
            eventually(lambda: b"OK" in seen.read_bytes(), "the monitor")
            made = store(gateway).json()["data"]
            eventually(lambda: chat(gateway, authorization).status == 200 and b"EVALSHA" in seen.read_bytes().upper(), "Redis to be asked")
            assert arrived(imposter) == MINE.lower()
            assert gateway.ask(get(f"{PATH}/{made['id']}", signed_in(), method="DELETE")).status == 204
            redis.command("ECHO", "the end")
            eventually(lambda: b"the end" in seen.read_bytes(), "all of it")
            assert MINE.encode() not in seen.read_bytes()
        finally:
            monitor.kill()
            monitor.wait()


def test_a_row_that_was_tampered_with_is_not_used(tmp_path, imposter):
    gateway = Gateway(tmp_path, settings=settings(imposter, master_key())).start()
    try:
        authorization = "Authorization: Bearer " + key_of(gateway, ANN)
        bobs = "Authorization: Bearer " + key_of(gateway, BOB)
        store(gateway)
        store(gateway, BOB, apiKey="sk-bob-00000000000000")
        with sqlite3.connect(gateway.folder / "var" / "concurred.db") as database:
            (number,) = database.execute("UPDATE change_counter SET value = value + 1 RETURNING value").fetchone()
            database.execute("UPDATE provider_key SET change_number = ?, sealed = (SELECT sealed FROM provider_key WHERE owner_id = ?) "
                             "WHERE owner_id = ?", (number, BOB, ANN))
        eventually(lambda: chat(gateway, authorization).status == 500, "the change to be noticed")
        sent = len(imposter.requests)
        refused = chat(gateway, authorization)
        assert refused.status == 500 and "'mine'" in refused.error()["message"]
        assert len(imposter.requests) == sent
        assert chat(gateway, bobs).status == 200 and arrived(imposter) == "sk-bob-00000000000000"
        assert gateway.ask(get(f"{PATH}/{listed(gateway)[0]['id']}", signed_in(), method="DELETE")).status == 204
        assert chat(gateway, authorization).status == 200 and arrived(imposter) == PLATFORM
    finally:  # its log has errors, as it must
        gateway.process.kill()
        gateway.wait()


# Several gateways on one database


@needs_postgres
def test_gateways_on_one_postgres_share_provider_keys_and_need_no_file(tmp_path, imposter):
    key = master_key()
    with Postgres(tmp_path / "postgres") as postgres:
        folders = [tmp_path / "one", tmp_path / "other"]
        for folder in folders:
            folder.mkdir()
        shared = settings(imposter, key, **{"postgres.url": postgres.url})
        with Gateway(folders[0], settings=shared) as one, Gateway(folders[1], settings=shared) as other:
            authorization = "Authorization: Bearer " + key_of(one, ANN)
            made = store(one).json()["data"]
            assert listed(other) == [made]
            eventually(lambda: chat(other, authorization).status == 200 and arrived(imposter) == MINE.lower(), "the other to know it")
            assert made["id"] in other.command("provider-keys", "list")
            other.command("provider-keys", "remove", made["id"])
            eventually(lambda: chat(one, authorization).status == 200 and arrived(imposter) == PLATFORM, "the first to forget it")
            assert store(other).status == 201
        wrong = Gateway(folders[1], settings=settings(imposter, master_key(), **{"postgres.url": postgres.url}))
        started = wrong.run("serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
        assert started.returncode == 78 and "secrets.master_key" in started.stderr
        assert not list(tmp_path.glob("**/*.db"))


@needs_postgres
def test_while_postgres_is_away_known_keys_go_on_and_nobody_is_called_invalid(tmp_path, imposter):
    with Postgres(tmp_path / "postgres") as postgres:
        folder = tmp_path / "gateway"
        folder.mkdir()
        gateway = Gateway(folder, settings=settings(imposter, master_key(), **{"postgres.url": postgres.url, "server.shards": 1})).start()
        try:
            authorization = "Authorization: Bearer " + key_of(gateway, ANN)
            assert store(gateway).status == 201
            assert chat(gateway, authorization).status == 200 and arrived(imposter) == MINE.lower()
            postgres.stop()
            assert chat(gateway, authorization).status == 200 and arrived(imposter) == MINE.lower()
            unknown = chat(gateway, "Authorization: Bearer ck_" + "A" * 32)
            assert unknown.status == 503 and int(unknown.get("Retry-After")) >= 1
            for path in (PATH, "/api/v1/keys", "/api/v1/usage"):
                assert gateway.ask(get(path, signed_in())).status == 503
            assert store(gateway, slug="other").status == 503
            second = Gateway(folder, settings=gateway.settings).run("serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
            assert second.returncode == 69 and "PostgreSQL" in second.stderr
            postgres.start()
            eventually(lambda: len(listed_or_nothing(gateway)) == 1, "PostgreSQL to be used again")
            requests = "SELECT coalesce(sum(requests), 0) FROM usage_daily"
            eventually(lambda: postgres.query(requests) == [("2",)], "what was used meanwhile to be booked")
        finally:  # its log has errors, as it must
            gateway.process.kill()
            gateway.wait()


def listed_or_nothing(gateway):
    got = gateway.ask(get(PATH, signed_in()))
    return got.json()["data"] if got.status == 200 else []


# Master keys


def test_a_wrong_master_key_is_noticed_at_the_start(tmp_path, imposter):
    right, wrong = master_key(), master_key()
    with Gateway(tmp_path, settings=settings(imposter, right)) as gateway:
        assert store(gateway).status == 201
    for bad in (wrong, ""):
        started = Gateway(tmp_path, settings=settings(imposter, bad)).run("serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
        assert started.returncode == 78 and "secrets.master_key" in started.stderr, started.stderr
        assert right not in started.stderr and (not bad or bad not in started.stderr)
    with Gateway(tmp_path, settings=settings(imposter, f"{wrong},{right}")) as gateway:
        assert len(listed(gateway)) == 1


def test_a_wrong_master_key_is_noticed_even_before_anything_was_stored(tmp_path, imposter):
    with Gateway(tmp_path, settings=settings(imposter, master_key())):
        pass
    started = Gateway(tmp_path, settings=settings(imposter, master_key())).run("serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
    assert started.returncode == 78 and "secrets.master_key" in started.stderr


def test_master_keys_change_while_the_gateway_serves(tmp_path, imposter):
    old, new = master_key(), master_key()
    with Gateway(tmp_path, settings=settings(imposter, old)) as gateway:
        authorization = "Authorization: Bearer " + key_of(gateway, ANN)
        for n in range(15):
            assert store(gateway, slug=f"s{n}", apiKey=f"sk-number-{n:08}").status == 201
    with Gateway(tmp_path, settings=settings(imposter, f"{new},{old}")) as gateway:
        assert chat(gateway, authorization, "X-Provider-Key: s3").status == 200 and arrived(imposter) == "sk-number-00000003"
        said = gateway.command("secrets", "rotate")
        assert "15 provider keys" in said
        for n in range(15):
            assert chat(gateway, authorization, f"X-Provider-Key: s{n}").status == 200 and arrived(imposter) == f"sk-number-{n:08}"
        assert "0 provider keys" in gateway.command("secrets", "rotate")
        with sqlite3.connect(gateway.folder / "var" / "concurred.db") as database:
            assert database.execute("SELECT count(DISTINCT sealed_with) FROM provider_key").fetchone() == (1,)
            assert database.execute("SELECT count(*) FROM secret_canary").fetchone() == (1,)
    with Gateway(tmp_path, settings=settings(imposter, new)) as gateway:
        assert chat(gateway, authorization, "X-Provider-Key: s7").status == 200 and arrived(imposter) == "sk-number-00000007"
    started = Gateway(tmp_path, settings=settings(imposter, old)).run("serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
    assert started.returncode == 78


# The commands


def test_the_commands_work_beside_a_running_gateway(gateway, imposter, ann):
    (gateway.folder / "key.txt").write_text(MINE + "\n")
    made = json.loads(gateway.command("provider-keys", "add", "--provider", "openai", "--slug", "cli", "--owner", ANN,
                                      "--key-file", "key.txt", "--json"))
    assert made["lastFour"] == "EFGH"
    start = time.monotonic()
    eventually(lambda: chat(gateway, ann).status == 200 and arrived(imposter) == MINE.lower(), "the key to be used")
    assert time.monotonic() - start < 5
    assert made["id"] in gateway.command("provider-keys", "list") and MINE not in gateway.command("provider-keys", "list")
    twice = gateway.run("provider-keys", "add", "--provider", "openai", "--slug", "cli", "--owner", ANN, "--key-file", "key.txt")
    assert twice.returncode == 1 and "'cli'" in twice.stderr
    assert gateway.run("provider-keys", "add", "--provider", "nobody", "--slug", "x", "--key-file", "key.txt").returncode == 64
    gateway.command("provider-keys", "remove", made["id"])
    eventually(lambda: chat(gateway, ann).status == 200 and arrived(imposter) == PLATFORM, "the platform's key to be used again")
    assert gateway.run("provider-keys", "remove", made["id"]).returncode == 1


def test_the_process_leaves_no_core_dump(gateway):
    limits = open(f"/proc/{gateway.process.pid}/limits", encoding="ascii").read()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert line.split()[4:6] == ["0", "0"]
