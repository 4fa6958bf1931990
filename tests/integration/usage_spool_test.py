"""The usage spool under a running gateway: its alarm, its limit, and a neighbour that dies."""

import base64
import json
import os
import sqlite3
import subprocess

import pytest

from harness import Gateway, chat_body, eventually, needs_binary, post
from mock_provider import MockProvider, binary

pytestmark = needs_binary

CHAT = "/api/v1/chat/completions"
QUICK = {"server.shards": 1, "storage.flush_interval": "10ms"}


class Alarmed(Gateway):
    """One that has reason to log errors."""

    def stop(self):
        if self.process.poll() is None:
            self.signal()
        assert self.wait() == self.expect_exit, self.log_text()


@pytest.fixture
def mock():
    with MockProvider() as running:
        yield running


def messages(gateway):
    return [line["msg"] for line in gateway.log_lines()]


def said(gateway, part):
    return eventually(lambda: any(part in message for message in messages(gateway)), part, 60)


def key_of(gateway, owner):
    made = gateway.command("keys", "create", "--name", "t", "--owner", owner, "--rate-limit", "1000000", "--json")
    return "Authorization: Bearer " + json.loads(made)["key"]


def booked(gateway):
    """Requests by whether the key was the owner's own."""
    with sqlite3.connect(gateway.folder / "var" / "concurred.db") as database:
        return dict(database.execute("SELECT byok, sum(requests) FROM usage_daily GROUP BY byok"))


def test_a_spool_at_its_limit_raises_an_alarm_then_refuses_what_the_platform_pays(tmp_path, mock):
    settings = {**QUICK, "storage.spool_limit": "1MiB", "providers.openai.base_url": mock.base_url,
                "providers.openai.api_key": "sk-platform",
                "secrets.master_key": base64.b64encode(os.urandom(32)).decode()}
    with Alarmed(tmp_path, settings=settings) as gateway:
        platform, own = key_of(gateway, "pays-us"), key_of(gateway, "pays-them")
        added = subprocess.run([binary(), "provider-keys", "add", "--provider", "openai", "--slug", "mine", "--owner",
                                "pays-them"], cwd=tmp_path, env=gateway.environment, input="sk-mine-0123456789\n",
                               capture_output=True, text=True, check=False)
        assert added.returncode == 0, added.stderr
        ask = lambda authorization: gateway.ask(post(CHAT, chat_body("gpt-5.2"), authorization))
        assert ask(platform).status == 200
        eventually(lambda: ask(own).status == 200 and booked(gateway).get(1), "the owner's own key to be used")
        eventually(lambda: sum(booked(gateway).values()) == mock.ledger()["requests"])
        before = booked(gateway)

        database = sqlite3.connect(tmp_path / "var" / "concurred.db", timeout=30, isolation_level=None)
        database.execute("BEGIN IMMEDIATE")  # nothing can be written
        served = 0
        with gateway.connect() as connection:
            while (answer := connection.send(post(CHAT, chat_body("gpt-5.2"), platform)).read()).status == 200:
                served += 1
        assert answer.status == 503 and answer.get("Retry-After") == "1"
        assert answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
        assert served > 100
        said(gateway, "the usage spool is over 80 % of its limit")
        metrics = gateway.metrics()
        assert metrics["concurred_usage_spool_bytes"] <= metrics["concurred_usage_spool_limit_bytes"] == 1024 * 1024
        assert metrics["concurred_usage_dropped_total"] == 0  # refused is not lost
        asked = mock.ledger()["requests"]
        assert ask(platform).status == 503
        assert mock.ledger()["requests"] == asked  # nothing was spent on it
        assert [ask(own).status for _ in range(3)] == [200, 200, 200]
        assert gateway.metrics()["concurred_usage_dropped_total"] == 3

        database.execute("ROLLBACK")
        database.close()
        said(gateway, "the usage spool is below 80 % of its limit again")
        eventually(lambda: ask(platform).status == 200, "requests to be taken again")
    counted = booked(gateway)
    assert counted[0] == before[0] + served + 1  # the refused ones were never admitted
    assert counted[1] == before[1]


def test_a_neighbour_takes_up_what_a_killed_process_left(tmp_path, mock):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    shared = {**QUICK, "storage.path": str(tmp_path / "concurred.db"), "storage.spool": str(tmp_path / "spool")}
    with Gateway(tmp_path / "first", mock, {**shared, "storage.flush_interval": "1m"}, expect_exit=-9) as first, Gateway(
            tmp_path / "second", mock, shared) as second:
        for _ in range(5):
            assert first.ask(first.chat()).status == 200
        with first.connect() as waiting:
            waiting.send(first.chat("hanging"))
            mock.ledger_when(lambda ledger: ledger["requests"] == 6)
            first.process.kill()
            first.wait()
        line = eventually(lambda: next((line for line in second.log_lines() if "process that died was taken up" in
                                        line["msg"]), None), "the neighbour", 60)
        assert (line["settled"], line["aborted"], line["damaged"]) == (5, 1, 0)
        with sqlite3.connect(tmp_path / "concurred.db") as database:
            rows = database.execute("SELECT model, requests, errors, estimated_requests, completion_tokens FROM usage_daily "
                                    "ORDER BY model").fetchall()
        # Each answer has five tokens; of the one that was cut off only the prompt is estimated.
        assert rows == [("fast", 5, 0, 0, 25), ("hanging", 1, 1, 1, 0)]
        assert os.listdir(tmp_path / "spool" ) and second.ask(second.chat()).status == 200


def test_a_record_that_the_database_refuses_is_put_aside_with_an_alarm(tmp_path, mock):
    settings = {**QUICK, "providers.openai.base_url": mock.base_url, "providers.openai.api_key": "sk-x"}
    with Alarmed(tmp_path, settings=settings) as gateway:
        assert gateway.ask(gateway.chat("openai/before")).status == 200
        eventually(lambda: gateway.usage()[0] == 1)
        with sqlite3.connect(tmp_path / "var" / "concurred.db", timeout=30) as database:
            database.execute("CREATE TRIGGER poison BEFORE INSERT ON usage_event WHEN instr(NEW.record, CAST('poison' AS "
                             "BLOB)) BEGIN SELECT RAISE(ABORT, 'never'); END")
        for model in ("openai/good", "openai/poison", "openai/better"):
            assert gateway.ask(gateway.chat(model)).status == 200
        said(gateway, "a usage record is refused by the database and was put aside")
        eventually(lambda: gateway.usage()[0] == 3)
        assert gateway.metrics()["concurred_usage_quarantined_total"] == 1
        line, = (tmp_path / "var" / "spool" / "quarantine" / "records.jsonl").read_text().splitlines()
        record = json.loads(line)
        assert (record["model"], record["status"], record["prompt_tokens"] > 0) == ("openai/poison", 200, True)
        assert "never" in record["reason"]
    with sqlite3.connect(tmp_path / "var" / "concurred.db") as database:
        models = [model for model, in database.execute("SELECT model FROM usage_daily ORDER BY model")]
    assert models == ["openai/before", "openai/better", "openai/good"]
