"""Replays the cases of Http11Probe (MIT) against the server layer and against the gateway.

The file of cases is not part of this project: it is read in place, from CONCURRED_SHARED or ../shared beside the repository.
"""

import base64
import collections
import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from harness import PATIENCE, Connection, Ended, binary, gateway_fixture, mock, needs_binary  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(os.environ.get("CONCURRED_SHARED", ROOT.parent / "shared")) / "fixtures/third-party/http11probe/http11probe-cases.json"

OPEN_AFTER = 0.15  # seconds after the head until a connection counts as open; the probe's own figure
# The probe waits 5 s for an answer. What does not answer at once waits for more input or has closed, so less is enough.
READ_TIMEOUT = float(os.environ.get("CONCURRED_PROBE_TIMEOUT", "2"))

LEAST_PASSED = 150


def cases():
    if not CASES.exists():
        print(f"skipped: {CASES} is not there")
        pytest.skip("the cases of Http11Probe are not there")
    return json.loads(CASES.read_text())["cases"]


def echo_binary():
    """The echo server, beside the program under test or where CONCURRED_ECHO says."""
    named = os.environ.get("CONCURRED_ECHO")
    places = [Path(named)] if named else [Path(binary()).parent / "tests" / "concurred_echo_server"]
    return next((place for place in places if place.exists()), None)


class Observation:
    """What the probe notes of one exchange."""

    def __init__(self, status, fields, body, state, raw):
        self.status = status
        self.fields = fields
        self.body = body
        self.state = state
        self.raw = raw

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]


def payload(step, port):
    return base64.b64decode(step["send_b64"]).replace(b"{{HOSTPORT}}", f"localhost:{port}".encode())


def observe(connection, data):
    """Sends `data` and watches: an answer with its body, then whether the connection stays open."""
    connection.send(data)
    deadline = time.monotonic() + READ_TIMEOUT
    closed = False
    head_at = None
    while True:
        now = time.monotonic()
        if head_at is None and b"\r\n\r\n" in connection.buffer:
            head_at = now
        until = deadline if head_at is None else head_at + OPEN_AFTER
        if now >= until:
            break
        connection.socket.settimeout(until - now)
        try:
            connection.receive()
        except Ended:
            closed = True
            break
        except TimeoutError:
            pass
    raw, connection.buffer = connection.buffer, b""
    answered = re.match(rb"HTTP/1\.[01] (\d{3})", raw)
    if answered is None or b"\r\n\r\n" not in raw:
        return Observation(None, [], b"", "ClosedByServer" if closed else "TimedOut", raw)
    head, body = raw.split(b"\r\n\r\n", 1)
    fields = [tuple(line.decode("latin-1").split(": ", 1)) for line in head.split(b"\r\n")[1:]]
    return Observation(int(answered[1]), fields, body, "ClosedByServer" if closed else "Open", raw)


def replay(case, port):
    """The observations of all steps; a step is not carried out once the server has closed."""
    seen = []
    with Connection(port) as connection:
        for step in case.get("steps") or [case]:
            if seen and seen[-1].state != "Open":
                break
            seen.append(observe(connection, payload(step, port)))
    return seen


def key_of(case, seen):
    """The key under which a case of several steps lists its verdicts."""
    first = f"{seen[0].status or 'null'}/{seen[0].state}"
    if len(case["steps"]) == 1:
        return f"{first}/responses={min(2, len(re.findall(rb'HTTP/1[.][01] [0-9]{3}', seen[0].raw)))}"
    second = f"{seen[1].status or 'null'}/{seen[1].state}" if len(seen) > 1 else "-"
    return f"{first}/{second}"


IMF_FIXDATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
                         r"\d\d:\d\d:\d\d GMT")


def verdict_by_content(case, seen):
    """Where the verdict depends on more than the status, as `expected_text` describes. None: it does not."""
    good = seen.status is not None and 200 <= seen.status < 300
    name = case["id"]
    if "expect_body" in case and good:
        return "Pass" if seen.body == case["expect_body"].encode() else "Fail"
    if "expect_pairs_in_body" in case and good:
        return "Pass" if all(pair.encode() in seen.body for pair in case["expect_pairs_in_body"]) else "Fail"
    if "header_echo" in case and good:
        lines = [line.split(b": ", 1) for line in seen.body.split(b"\n") if b": " in line]
        echo = case["header_echo"]
        if [echo["standard"].encode(), echo["probe"].encode()] in lines and echo["standard"] != echo["sent"]:
            return "Fail"
        return "Warn" if any(key == echo["sent"].encode() for key, _ in lines) else "Pass"
    if name == "COMP-HEAD-NO-BODY":
        return "Pass" if good and not seen.body else "Fail"
    if name == "COMP-405-ALLOW" and seen.status == 405:
        return "Pass" if seen.all("Allow") else "Fail"
    if name == "COMP-DATE-HEADER":
        return "Pass" if good and seen.all("Date") else "Fail"
    if name == "COMP-DATE-FORMAT" and good:
        return "Pass" if seen.all("Date") and IMF_FIXDATE.fullmatch(seen.all("Date")[0]) else "Warn"
    if name == "COMP-NO-CL-IN-204" and seen.status == 204:
        return "Fail" if seen.all("Content-Length") else "Pass"
    if name == "COMP-OPTIONS-ALLOW" and good:
        return "Pass" if seen.all("Allow") else "Warn"
    if name == "COMP-CONTENT-TYPE" and good:
        return "Pass" if seen.all("Content-Type") else "Warn"
    if name == "COMP-TRACE-SENSITIVE" and good:
        return "Fail" if b"secret-token-123" in seen.body else "Pass"
    if name == "COOK-ECHO" and good:
        return "Pass" if b"foo=bar" in seen.body else "Fail"
    if name == "COOK-NUL" and good:
        return "Fail" if b"\0" in seen.body else "Pass"
    if name == "COOK-CONTROL-CHARS" and good:
        return "Fail" if re.search(rb"[\x01-\x03]", seen.body) else "Pass"
    if name == "COOK-MULTI-HEADER" and good:
        return "Pass" if b"a=1" in seen.body and b"b=2" in seen.body else "Warn"
    return None


def table_of(case, state):
    tables = case["verdict_by_status"]
    return tables.get(state) or tables["any"]


def verdict(case, seen):
    if "steps" in case:
        key = key_of(case, seen)
        tables = case["verdicts_by_observation"]
        tables = json.loads(tables) if isinstance(tables, str) else tables
        return next((name for name, keys in tables.items() if key in keys.split()), f"unlisted: {key}")
    first = seen[0]
    if first.status is None:
        return case["no_response"][first.state]
    by_content = verdict_by_content(case, first)
    if by_content:
        return by_content
    found = next((name for name, statuses in table_of(case, first.state).items() if first.status in statuses), None)
    return found or f"unlisted: {first.status}/{first.state}"


def describe(case, seen):
    return f"{case['id']} ({case['expected_text']}): " + ", ".join(f"{one.status}/{one.state}" for one in seen)


@pytest.fixture(scope="module")
def echo_port():
    program = echo_binary()
    if program is None:
        pytest.skip("the echo server is not built")
    process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line.startswith("echo server listening on "), line
        yield int(line.rsplit(":", 1)[1])
        assert process.poll() is None, "the echo server has ended"
        process.terminate()
        assert process.wait(PATIENCE) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE)
        process.stdout.close()


@needs_binary
@pytest.mark.watchdog(600)
def test_the_server_layer_passes_the_probe(echo_port):
    scored = collections.defaultdict(list)
    unscored = collections.defaultdict(list)
    for case in cases():
        seen = replay(case, echo_port)
        (scored if case["scored"] else unscored)[verdict(case, seen)].append(describe(case, seen))
    for title, verdicts in (("scored", scored), ("not scored", unscored)):
        print(f"{title}: " + ", ".join(f"{name} {len(found)}" for name, found in sorted(verdicts.items())))
        for name, found in sorted(verdicts.items()):
            for line in found if name != "Pass" else ():
                print(f"  {name}: {line}")
    assert not scored["Fail"], scored["Fail"]
    assert not [name for name in scored if name.startswith("unlisted")], dict(scored)
    assert sum(len(found) for found in scored.values()) == 161
    assert len(scored["Pass"]) >= LEAST_PASSED


gateway = gateway_fixture()


def good_is_a_failure(case):
    """Whether a 2xx is no acceptable answer to the (first) request of the case."""
    if "steps" in case:
        tables = case["verdicts_by_observation"]
        tables = json.loads(tables) if isinstance(tables, str) else tables
        accepted = " ".join(keys for name, keys in tables.items() if name != "Fail")
        return " 200/" not in " " + accepted
    if case.get("reads"):
        return False
    return all(200 in table.get("Fail", []) for table in case["verdict_by_status"].values())


@needs_binary
@pytest.mark.watchdog(600)
def test_the_gateway_serves_nothing_that_the_probe_forbids(gateway):
    wrong = []
    for case in cases():
        seen = replay(case, gateway.port)
        status = seen[0].status
        if status is not None and 200 <= status < 300 and good_is_a_failure(case):
            wrong.append(describe(case, seen))
        if status is not None and status >= 500 and status not in (501, 505):
            wrong.append(describe(case, seen))
        assert gateway.process.poll() is None, describe(case, seen)
    assert not wrong, wrong
    assert gateway.upstream_requests() == 0
