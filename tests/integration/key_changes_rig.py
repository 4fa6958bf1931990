"""Changes of a key by each of the two ways there are: the API, through one of the gateways, and the program beside it."""

import json

from harness import get
from sessions import ANN, signed_in

KEYS = "/api/v1/keys"
JSON = "Content-Type: application/json"


def manage(gateway, method, path, body=None):
    """A request of Ann's to the management API; it must succeed. Its data, if it has any."""
    text = b"" if body is None else json.dumps(body).encode()
    lines = [JSON, f"Content-Length: {len(text)}"] if text else []
    answer = gateway.ask(get(path, signed_in(ANN), *lines, method=method) + text)
    assert answer.status in (200, 201, 204), answer
    return answer.json()["data"] if answer.status != 204 else None


def new_key(gateway):
    """A key of Ann's: keyId, key."""
    return manage(gateway, "POST", KEYS, {"name": "test", "rateLimit": 1_000_000})


class Api:
    """Changes made through a gateway."""

    def __init__(self, gateway):
        self.gateway = gateway

    def patch(self, key_id, **members):
        manage(self.gateway, "PATCH", f"{KEYS}/{key_id}", members)

    def disable(self, key_id):
        self.patch(key_id, enabled=False)

    def enable(self, key_id):
        self.patch(key_id, enabled=True)

    def limit(self, key_id, limit):
        self.patch(key_id, rateLimit=limit)

    def delete(self, key_id):
        manage(self.gateway, "DELETE", f"{KEYS}/{key_id}")

    def rotate(self, key_id):
        """The new key; the old one is of no use any more."""
        return manage(self.gateway, "POST", f"{KEYS}/{key_id}/rotate", {"graceSeconds": 0})


class Program:
    """Changes made by the program, beside a gateway and with its configuration."""

    def __init__(self, gateway):
        self.gateway = gateway

    def run(self, *words):
        done = self.gateway.run("keys", *words)
        assert done.returncode == 0 and not done.stderr, done.stderr  # a remark would say that others were not told
        return done.stdout

    def disable(self, key_id):
        self.run("update", key_id, "--disable")

    def enable(self, key_id):
        self.run("update", key_id, "--enable")

    def limit(self, key_id, limit):
        self.run("update", key_id, "--rate-limit", str(limit))

    def delete(self, key_id):
        self.run("revoke", "--yes", key_id)

    def rotate(self, key_id):
        return json.loads(self.run("rotate", key_id, "--grace", "0", "--json"))


WAYS = {"api": Api, "program": Program}
