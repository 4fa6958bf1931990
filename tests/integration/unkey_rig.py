"""A gateway whose keys are at the stand-in for Unkey: shared by the tests of that."""

import secrets
import sys
from pathlib import Path

import pytest

import sessions
from harness import eventually, get

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from unkey_stub import Fault, UnkeyStub  # noqa: E402, F401

VERIFY = ("keys.verifyKey",)
SETTINGS = {**sessions.SETTINGS, "server.shards": 2, "unkey.timeout": "2s"}


# What may be wrong with a verification.
FAULTS = {
    "401": Fault(status=401, only=VERIFY), "403": Fault(status=403, only=VERIFY), "412": Fault(status=412, only=VERIFY),
    "500": Fault(status=500, only=VERIFY), "503": Fault(status=503, only=VERIFY), "slow": Fault(delay=6, only=VERIFY),
    "hang": Fault(hang=True, only=VERIFY), "reset": Fault(reset=True, only=VERIFY),
    "html": Fault(body="<html>It works!</html>", only=VERIFY), "empty": Fault(body="", only=VERIFY),
    "no data": Fault(body='{"meta":{"requestId":"r"}}', only=VERIFY),
    "200 with an error": Fault(body='{"meta":{},"data":{"valid":true,"code":"VALID","keyId":"key_1"},"error":{"status":500}}',
                               only=VERIFY),
    "contradiction": Fault(body='{"meta":{},"data":{"valid":true,"code":"NOT_FOUND","keyId":"key_1"}}', only=VERIFY),
    "wrong types": Fault(body='{"meta":{},"data":{"valid":"yes","code":7,"keyId":[]}}', only=VERIFY),
    "valid without a key": Fault(body='{"meta":{},"data":{"valid":true,"code":"VALID"}}', only=VERIFY),
}


def stranger():
    """A key that nobody has ever issued, and that nobody has heard of yet."""
    return "ck_" + "".join(secrets.choice("23456789ABCDEFGH") for _ in range(30))


@pytest.fixture(scope="module")
def stub():
    with UnkeyStub() as running:
        yield running


@pytest.fixture(autouse=True)
def healthy(stub):
    stub.fault = None
    yield
    stub.fault = None


def use(gateway, key):
    return gateway.ask(get("/api/v1/models", "Authorization: Bearer " + key))


def status(gateway, key):
    return use(gateway, key).status


def all_shards(gateway, key, expected):
    return all(status(gateway, key) == expected for _ in range(20))


def well_again(gateway, stub):
    """Unkey answers, and the gateway has noticed on every shard: keys nobody knows are judged again."""
    stub.fault = None
    eventually(lambda: all(status(gateway, stub.new_key()["key"]) == 200 for _ in range(20)), "the breakers to close")
