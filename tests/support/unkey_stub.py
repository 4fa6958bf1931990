"""A stand-in for Unkey's API, version 2: the eight calls the gateway and its tests need, with Unkey's envelopes, checks
and codes, in memory. The official client runs against it in tests/conformance, so that it cannot drift from what that
client believes.

    python3 unkey_stub.py [--port N]      serves until it is killed; prints `http://127.0.0.1:PORT`

Inside a test: `with UnkeyStub() as stub:`, then `stub.base_url`, `stub.calls`, `stub.fault = Fault(status=503)`.
"""

import argparse
import base64
import dataclasses
import hashlib
import json
import re
import secrets
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from unkey_schema import FIELDS, NULLABLE, PERMISSIONS, Problem, invalid, no_such_key  # noqa: E402

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
VERIFY_KEY, MANAGE_KEY, API_ID = "unkey_verify_root_key", "unkey_manage_root_key", "api_stub"
ROOT_KEYS = {
    VERIFY_KEY: {"verify_key"},
    MANAGE_KEY: {"create_key", "update_key", "delete_key", "read_key", "read_api", "verify_key"},
    "unkey_powerless_root_key": set(),
}
OWNER = re.compile(r"[a-zA-Z0-9_.-]{1,255}$")


def base58(data):
    number, out = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = ALPHABET[digit] + out
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + out


def hash_of(key):
    return base64.b64encode(hashlib.sha256(key.encode()).digest()).decode()


def now_ms():
    return int(time.time() * 1000)


@dataclasses.dataclass
class Fault:
    """What goes wrong, for the calls of `only` (all of them if that is empty), `times` times (0: always)."""

    status: int = 0             # this status, with Unkey's error in it
    retry_after: str = ""
    delay: float = 0            # seconds before the answer; the call is done before
    gate: threading.Event | None = None  # the answer waits until it is set; the call is done before
    hang: bool = False          # no answer at all
    body: str | None = None     # these bytes in place of the answer, with status 200 unless `status` says more
    reset: bool = False         # the connection is closed without an answer; the call is done before
    only: tuple = ()
    times: int = 0


class UnkeyStub:
    def __init__(self, port=0):
        self.keys = {}              # key id -> row
        self.remembered = {}        # key id -> row as keys.verifyKey goes on telling it, like Unkey's own caches
        self.held = 0               # answers that wait at a gate
        self.fault = None
        self.calls = []             # (procedure, body) of all that came in
        self.requests = 0
        self.running = self.most_running = 0
        self.lock = threading.RLock()
        self.released = threading.Event()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_POST(self):
                stub.serve(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 1024

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    # For tests

    def settings(self, manage=True):
        """The gateway's configuration."""
        lines = {"unkey.base_url": self.base_url, "unkey.verify_key": VERIFY_KEY}
        return {**lines, "unkey.manage_key": MANAGE_KEY, "unkey.api_id": API_ID} if manage else lines

    def count(self, procedure):
        with self.lock:
            return sum(1 for name, _ in self.calls if name == procedure)

    def new_key(self, owner="local", rate_limit=1_000_000, **fields):
        """Makes a key as somebody at Unkey's dashboard would. Returns its row; `key` is in it."""
        made = self.create({"apiId": API_ID, "prefix": "ck", "byteLength": 24, "externalId": owner,
                            "meta": {"rateLimit": rate_limit}, **fields})
        return {**self.keys[made["keyId"]], "key": made["key"]}

    def remember(self, key_id):
        """From now on verifications tell this key as it is at this moment, whatever is done to it."""
        with self.lock:
            self.remembered[key_id] = dict(self.keys[key_id])

    # HTTP

    def serve(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        raw = handler.rfile.read(length)
        procedure = handler.path.removeprefix("/v2/")
        with self.lock:
            self.requests += 1
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            fault = self.fault_for(procedure)
            status, answer = self.answer(procedure, handler.headers, raw)
            self.send(handler, fault, status, answer)
        finally:
            with self.lock:
                self.running -= 1

    def fault_for(self, procedure):
        with self.lock:
            fault = self.fault
            if fault is None or (fault.only and procedure not in fault.only):
                return None
            if fault.times:
                fault.times -= 1
                if fault.times == 0:
                    self.fault = None
            return fault

    def send(self, handler, fault, status, answer):
        headers = {}
        if fault is not None:
            if fault.delay:
                self.released.wait(fault.delay)
            if fault.gate is not None:
                with self.lock:
                    self.held += 1
                fault.gate.wait(60)
                with self.lock:
                    self.held -= 1
            if fault.hang:
                self.released.wait(60)
                handler.close_connection = True
                return
            if fault.reset:
                handler.close_connection = True
                handler.connection.shutdown(socket.SHUT_RDWR)
                return
            if fault.body is not None:
                status, answer = fault.status or 200, fault.body
            elif fault.status:
                problem = Problem(fault.status, f"unkey/stub/status_{fault.status}", "Fault", "This was asked for.")
                status, answer = fault.status, {"meta": {"requestId": "req_fault"}, "error": problem.body}
            if fault.retry_after:
                headers["Retry-After"] = fault.retry_after
        body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def answer(self, procedure, headers, raw):
        meta = {"requestId": "req_" + secrets.token_hex(8)}
        try:
            with self.lock:
                body = self.check(procedure, headers, raw)
                self.calls.append((procedure, body))
                done = getattr(self, procedure.split(".")[1].removesuffix("Key").lower()
                               if procedure != "apis.listKeys" else "list_keys")(body)
            return 200, {"meta": meta, **done} if procedure == "apis.listKeys" else {"meta": meta, "data": done}
        except Problem as problem:
            return problem.status, {"meta": meta, "error": problem.body}

    def check(self, procedure, headers, raw):
        if procedure not in FIELDS:
            raise Problem(404, "unkey/application/route_not_found", "Not Found", "There is no such procedure.")
        kind, _, root = (headers.get("Authorization") or "").partition(" ")
        if kind.lower() != "bearer" or not root:
            raise Problem(401, "unkey/authentication/missing", "Unauthorized", "Authorization header is missing.")
        if root not in ROOT_KEYS:
            raise Problem(401, "unkey/authentication/key_not_found", "Unauthorized", "The root key was not found.")
        try:
            body = json.loads(raw)
        except ValueError:
            raise invalid("body", "not JSON") from None
        if not isinstance(body, dict):
            raise invalid("body", "must be an object")
        known = FIELDS[procedure]
        for name, value in body.items():
            if name not in known:
                raise invalid("body." + name, "additional properties are not allowed")
            if value is None and name in NULLABLE.get(procedure, ()):
                continue
            kind = known[name][0]
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                raise invalid("body." + name, "has the wrong type")
        for name, (_, required) in known.items():
            if required and name not in body:
                raise invalid("body", f"{name} is required")
        for one in body.get("ratelimits") or ():
            if procedure != "keys.verifyKey" and (set(one) != {"name", "limit", "duration", "autoApply"} or
                                                  one["limit"] < 1 or one["duration"] < 1000 or
                                                  not 3 <= len(one["name"]) <= 128):
                raise invalid("body.ratelimits", "needs name, limit, duration and autoApply")
        if PERMISSIONS[procedure] not in ROOT_KEYS[root]:
            raise Problem(403, "unkey/authorization/insufficient_permissions", "Forbidden",
                          "The root key lacks a permission.")
        return body

    # Procedures

    def find(self, key_id):
        row = self.keys.get(key_id)
        if row is None or row["deleted"]:
            raise no_such_key()
        return row

    def verify(self, body):
        if not 1 <= len(body["key"]) <= 512:
            raise invalid("body.key", "must have 1 to 512 characters")
        digest = hash_of(body["key"])
        rows = {**self.keys, **self.remembered}.values()
        row = next((r for r in rows if r["hash"] == digest and not r["deleted"]), None)
        if row is None:
            return {"valid": False, "code": "NOT_FOUND"}
        data = {"valid": False, "code": "VALID", "keyId": row["keyId"], "enabled": row["enabled"],
                "permissions": row["permissions"], "roles": row["roles"]}
        for name in ("name", "meta", "expires"):
            if row[name] is not None:
                data[name] = row[name]
        if row["externalId"] is not None:
            data["identity"] = self.identity(row)
        if not row["enabled"]:
            data["code"] = "DISABLED"
        elif row["expires"] is not None and row["expires"] <= now_ms():
            data["code"] = "EXPIRED"
        elif row.get("forced"):
            data["code"] = row["forced"]
        else:
            applied = [one for one in row["ratelimits"] if one["autoApply"]]
            if applied:
                row["used"] += 1
                data["ratelimits"] = [{"id": "rl_" + one["name"], "name": one["name"], "limit": one["limit"],
                                       "duration": one["duration"], "reset": now_ms() + one["duration"],
                                       "remaining": max(0, one["limit"] - row["used"]),
                                       "exceeded": row["used"] > one["limit"], "autoApply": True} for one in applied]
            cost = (body.get("credits") or {}).get("cost", 1)
            if any(one["exceeded"] for one in data.get("ratelimits", ())):
                data["code"] = "RATE_LIMITED"
            elif row["credits"] is not None and row["credits"]["remaining"] < max(cost, 1):
                data["code"] = "USAGE_EXCEEDED"
            elif row["credits"] is not None:
                row["credits"]["remaining"] -= cost
        if row["credits"] is not None:
            data["credits"] = row["credits"]["remaining"]
        data["valid"] = data["code"] == "VALID"
        row["lastUsedAt"] = now_ms()
        return data

    @staticmethod
    def identity(row):
        return {"id": "id_" + hashlib.sha256(row["externalId"].encode()).hexdigest()[:16],
                "externalId": row["externalId"], "meta": {}, "ratelimits": []}

    def create(self, body):
        if body["apiId"] != API_ID:
            raise Problem(404, "unkey/data/api_not_found", "Not Found", "The API was not found.")
        if not 16 <= body.get("byteLength", 16) <= 255:
            raise invalid("body.byteLength", "must be 16 to 255")
        if not re.fullmatch("[a-zA-Z0-9_]{1,16}", body.get("prefix", "x")):
            raise invalid("body.prefix", "must be 1 to 16 characters")
        if "externalId" in body and not OWNER.match(body["externalId"]):
            raise invalid("body.externalId", "has characters that are not allowed")
        prefix = body["prefix"] + "_" if "prefix" in body else ""
        text = base58(secrets.token_bytes(body.get("byteLength", 16)))
        row = {"keyId": "key_" + secrets.token_hex(8), "hash": hash_of(prefix + text), "start": prefix + text[:4],
               "enabled": body.get("enabled", True), "name": body.get("name"), "meta": body.get("meta"),
               "expires": body.get("expires"), "permissions": body.get("permissions", []), "roles": body.get("roles", []),
               "credits": body.get("credits"), "ratelimits": body.get("ratelimits", []),
               "externalId": body.get("externalId"), "createdAt": now_ms(), "updatedAt": None, "lastUsedAt": None,
               "deleted": False, "used": 0}
        self.keys[row["keyId"]] = row
        return {"keyId": row["keyId"], "key": prefix + text}

    def update(self, body):
        row = self.find(body["keyId"])
        for name in ("name", "meta", "expires", "credits", "externalId", "enabled", "ratelimits", "permissions", "roles"):
            if name in body:
                row[name] = body[name]
        row["updatedAt"] = now_ms()
        return {}

    def delete(self, body):
        self.find(body["keyId"])["deleted"] = True
        return {}

    def object_of(self, row):
        out = {"keyId": row["keyId"], "start": row["start"], "enabled": row["enabled"], "createdAt": row["createdAt"]}
        for name in ("updatedAt", "lastUsedAt", "name", "meta", "expires", "credits"):
            if row[name] is not None:
                out[name] = row[name]
        if row["externalId"] is not None:
            out["identity"] = self.identity(row)
        if row["ratelimits"]:
            out["ratelimits"] = [{"id": "rl_" + one["name"], **one} for one in row["ratelimits"]]
        return out

    def get(self, body):
        return self.object_of(self.find(body["keyId"]))

    def whoami(self, body):
        row = next((r for r in self.keys.values() if r["hash"] == hash_of(body["key"]) and not r["deleted"]), None)
        if row is None:
            raise no_such_key()
        return self.object_of(row)

    def reroll(self, body):
        old = self.find(body["keyId"])
        fields = {name: old[name] for name in ("name", "meta", "expires", "permissions", "roles", "credits", "ratelimits",
                                               "externalId", "enabled") if old[name] is not None}
        made = self.create({"apiId": API_ID, "prefix": old["start"].rpartition("_")[0] or "x", "byteLength": 24, **fields})
        old["expires"] = now_ms() + body["expiration"]
        return made

    def list_keys(self, body):
        if body["apiId"] != API_ID:
            raise Problem(404, "unkey/data/api_not_found", "Not Found", "The API was not found.")
        limit = body.get("limit", 100)
        if not 1 <= limit <= 100:
            raise invalid("body.limit", "must be 1 to 100")
        rows = sorted((r for r in self.keys.values() if not r["deleted"] and
                       body.get("externalId") in (None, r["externalId"])), key=lambda r: r["keyId"])
        rows = [r for r in rows if r["keyId"] >= body.get("cursor", "")]
        pagination = {"hasMore": len(rows) > limit}
        if pagination["hasMore"]:
            pagination["cursor"] = rows[limit]["keyId"]
        return {"data": [self.object_of(r) for r in rows[:limit]], "pagination": pagination}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    with UnkeyStub(parser.parse_args().port) as stub:
        print(stub.base_url, flush=True)
        try:
            stub.thread.join()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
