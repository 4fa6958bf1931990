"""Proof that usage is not lost and not counted twice, whatever dies.

Gateways that share a database and a spool folder run under load. They are killed with SIGKILL at random moments and
started again; the database is locked away and the disk is filled on the way. The generator keeps its own ledger, the
provider another. At the end the books must agree:

* every answer that a client has seen whole is booked, once, under the id the client was given, with its figures
* every request that the provider has seen is booked: settled, or closed as aborted and estimated
* nothing is booked that nobody asked for; nothing is booked twice; the daily sums are the sums of the records

Each request asks for a number of its own, which the provider reports as its prompt tokens: that ties the three ledgers
together. By hand: CONCURRED_BIN=... python3 tests/integration/usage_proof.py --rounds 1000 [--postgres --redis]
"""

import argparse
import collections
import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

PATIENCE = 30.0
GATEWAYS = 3
CLIENTS = 8


class Provider:
    """Answers chat completions, whole and as streams, and writes down which numbers it was asked for."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.seen = []
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                buffer = b""
                while True:
                    while b"\r\n\r\n" not in buffer:
                        piece = connection.recv(65536)
                        if not piece:
                            return
                        buffer += piece
                    head, buffer = buffer.split(b"\r\n\r\n", 1)
                    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                                  if line.lower().startswith(b"content-length:"))
                    while len(buffer) < length:
                        piece = connection.recv(65536)
                        if not piece:
                            return
                        buffer += piece
                    body, buffer = json.loads(buffer[:length]), buffer[length:]
                    number = int(body["messages"][0]["content"])
                    with self.lock:
                        self.seen.append(number)
                    self.answer(connection, number, body.get("stream", False))
        except OSError:
            pass

    def answer(self, connection, number, stream):
        usage = {"prompt_tokens": number, "completion_tokens": 3, "total_tokens": number + 3}
        if not stream:
            text = json.dumps({"id": "x", "object": "chat.completion", "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "one two three"}, "finish_reason": "stop"}],
                "usage": usage}).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" %
                               (len(text), text))
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = {"id": "x", "object": "chat.completion.chunk"}
        events = [{**chunk, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}
                  for word in ("one", " two", " three")]
        events += [{**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
                   {**chunk, "choices": [], "usage": usage}, None]
        for event in events:
            text = b"data: " + (json.dumps(event).encode() if event else b"[DONE]") + b"\n\n"
            connection.sendall(b"%x\r\n%s\r\n" % (len(text), text))
            if number % 4 == 0:
                time.sleep(0.004)  # a slow stream, for the kill to fall into
        connection.sendall(b"0\r\n\r\n")


class Gateways:
    """Processes that share one configuration: database, spool and provider."""

    def __init__(self, folder, provider, extra="", limits=""):
        self.folder = Path(folder)
        self.binary = os.path.abspath(os.environ["CONCURRED_BIN"])
        (self.folder / "concurred.toml").write_text(f"""
[server]
shards = 1
[storage]
flush_interval = "20ms"
[limits]
drain_grace = "0s"
{limits}[log]
access = false
[providers.p]
base_url = "http://127.0.0.1:{provider.port}/v1"
api_key = "sk-p"
[models.m]
provider = "p"
input_price = 1.0
output_price = 2.0
{extra}
""")
        made = subprocess.run([self.binary, "keys", "create", "--name", "n", "--rate-limit", "1000000", "--json"],
                              cwd=self.folder, capture_output=True, text=True, check=True)
        self.key = json.loads(made.stdout)["key"]
        self.processes = [None] * GATEWAYS
        self.ports = [None] * GATEWAYS

    def start(self, number):
        log = self.folder / f"log{number}"
        with open(log, "wb") as stderr:
            self.processes[number] = subprocess.Popen(
                [self.binary, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        deadline = time.monotonic() + PATIENCE
        while True:
            for line in log.read_text().splitlines():
                if '"listening"' in line and line.endswith("}"):
                    self.ports[number] = json.loads(line)["port"]
                    return
            assert self.processes[number].poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.005)

    def kill(self, number):
        self.processes[number].send_signal(signal.SIGKILL)
        self.processes[number].wait(PATIENCE)
        self.processes[number] = None

    def stop(self):
        for process in self.processes:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for number, process in enumerate(self.processes):
            if process is not None:
                code = process.wait(PATIENCE)
                assert code == 0, (code, (self.folder / f"log{number}").read_text())


class Generator:
    """Clients that ask without a pause. Writes down what was sent, and what came back whole."""

    def __init__(self, gateways, seed):
        self.gateways = gateways
        self.seed = seed
        self.next = 1_000_000
        self.sent = set()
        self.whole = {}  # number -> request id
        self.refused = 0
        self.statuses = collections.Counter()  # of what was refused
        self.lock = threading.Lock()
        self.stopping = False
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def run(self, index):
        chance = random.Random(self.seed * 1000 + index)
        connection, port = None, None
        while not self.stopping:
            wanted = self.gateways.ports[chance.randrange(GATEWAYS)] if connection is None else port
            try:
                if connection is None:
                    connection, port = socket.create_connection(("127.0.0.1", wanted), timeout=PATIENCE), wanted
                keep = self.ask(connection, chance)
            except (OSError, ValueError, TypeError):
                keep = False
                time.sleep(0.002)
            if not keep and connection is not None:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def ask(self, connection, chance):
        with self.lock:
            number = self.next
            self.next += 1
            self.sent.add(number)
        stream = chance.random() < 0.5
        body = json.dumps({"model": "m", "stream": stream, "messages": [{"role": "user", "content": str(number)}]})
        connection.sendall(f"POST /api/v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                           f"{self.gateways.key}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        if chance.random() < 0.02:
            return False  # hangs up without waiting
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.more(connection)
        head, rest = answer.split(b"\r\n\r\n", 1)
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        if not head.startswith(b"HTTP/1.1 200"):
            self.refused += 1
            self.statuses[int(head[9:12])] += 1
            while len(rest) < int(fields[b"content-length"]):
                rest += self.more(connection)
            return b"close" not in fields.get(b"connection", b"")
        if b"content-length" in fields:
            while len(rest) < int(fields[b"content-length"]):
                rest += self.more(connection)
        else:
            leave = chance.random() < 0.02
            while not rest.endswith(b"0\r\n\r\n"):
                if leave:
                    return False  # hangs up in the middle
                rest += self.more(connection)
            if b"[DONE]" not in rest:
                return False
        self.whole[number] = fields[b"x-request-id"].decode()
        return b"close" not in fields.get(b"connection", b"")

    @staticmethod
    def more(connection):
        piece = connection.recv(65536)
        if not piece:
            raise OSError("closed")
        return piece


def lock_database(folder, seconds):
    """Nobody can write to the database for a while, as if it were gone."""
    with sqlite3.connect(folder / "var" / "concurred.db", timeout=PATIENCE, isolation_level=None) as database:
        database.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        database.execute("ROLLBACK")


# As storage/usage_codec.hpp has it: numbers, then texts with their lengths.
NUMBERS = struct.Struct("<16sBBqiHI6QqII")
EVENT_COLUMNS = ("event_id", "ended", "byok", "stream", "estimated", "priced", "admitted_ms", "day", "status",
                 "price_version", "prompt_tokens", "cache_read_tokens", "cache_write_tokens", "completion_tokens",
                 "reasoning_tokens", "reserved_tokens", "cost_nano_usd", "latency_ms", "first_token_ms", "owner", "key_id",
                 "endpoint", "provider", "model_requested", "model", "upstream_request_id")


def unpack_event(record):
    """The row of EVENT_COLUMNS that a packed record holds."""
    event_id, ended, flags, *numbers = NUMBERS.unpack_from(record)
    row = [event_id, ended, *((flags >> bit) & 1 for bit in range(4)), *numbers]
    at = NUMBERS.size
    while at < len(record):
        end = at + 1 + record[at]
        row.append(record[at + 1:end].decode())
        at = end
    assert at == len(record) and len(row) == len(EVENT_COLUMNS)
    return row


class SqliteBooks:
    """Lets queries see single records as PostgreSQL keeps them: in columns."""

    def __init__(self, folder):
        self.folder = folder

    def rows(self, query):
        with sqlite3.connect(self.folder / "var" / "concurred.db", timeout=PATIENCE) as database:
            if "usage_event" in query:
                records = database.execute("SELECT record FROM usage_event").fetchall()
                database.execute(f"CREATE TEMP TABLE usage_event ({', '.join(EVENT_COLUMNS)})")  # before the other one
                database.executemany(f"INSERT INTO temp.usage_event VALUES ({', '.join('?' * len(EVENT_COLUMNS))})",
                                     (unpack_event(record) for record, in records))
            return database.execute(query).fetchall()

    @staticmethod
    def id_text(value):
        text = value.hex()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


SUMS = ("prompt_tokens", "cache_read_tokens", "cache_write_tokens", "completion_tokens", "reasoning_tokens",
        "cost_nano_usd")
ABORTED = 6  # end_reason::aborted


def check_books(books, provider, generator):
    """Compares the three ledgers. Returns figures for the report."""
    by_number, aborted, others, ids = {}, 0, 0, set()
    for event_id, ended, estimated, prompt in books.rows(
            "SELECT event_id, ended, estimated, prompt_tokens FROM usage_event"):
        text = books.id_text(event_id)
        assert text not in ids, f"{text} is booked twice"
        ids.add(text)
        if ended == ABORTED:
            assert estimated
            aborted += 1
        elif prompt >= 1_000_000:
            assert prompt not in by_number, f"request {prompt} is booked twice"
            by_number[prompt] = text
        else:
            others += 1  # no figures: the client left, or the provider could not be reached
    seen = set(provider.seen)
    missing = {n for n, request in generator.whole.items() if by_number.get(n) != request}
    assert not missing, f"{len(missing)} answers that clients saw are not booked: {sorted(missing)[:5]}"
    assert set(by_number) <= seen <= generator.sent
    unbooked = len(seen - set(by_number))
    assert unbooked <= aborted + others, f"the provider saw {unbooked} requests more, booked are {aborted} + {others}"
    assert len(ids) <= len(generator.sent)
    key = "owner, day, key_id, model, provider, byok"
    sums = ", ".join(f"sum({name})" for name in SUMS)
    events = books.rows(f"SELECT {key}, count(*), {sums} FROM usage_event GROUP BY {key} ORDER BY {key}")
    daily = books.rows(f"SELECT {key}, requests, {', '.join(SUMS)} FROM usage_daily ORDER BY {key}")
    assert [tuple(map(str, row)) for row in events] == [tuple(map(str, row)) for row in daily]
    return {"sent": len(generator.sent), "provider": len(seen), "booked": len(ids), "settled": len(by_number),
            "aborted": aborted, "without figures": others, "seen whole": len(generator.whole),
            "refused": generator.refused}


def prove(folder, rounds, seed=1, extra="", disturb=None, books=None, limits=""):
    """Runs it. `disturb(round, chance)` does further harm; limits: lines of the section of that name."""
    chance = random.Random(seed)
    provider = Provider()
    gateways = Gateways(folder, provider, extra, limits)
    books = books or SqliteBooks(gateways.folder)
    for number in range(GATEWAYS):
        gateways.start(number)
    generator = Generator(gateways, seed)
    try:
        for number in range(rounds):
            time.sleep(chance.uniform(0.02, 0.25))  # the moment of the kill is the point here
            if disturb is not None:
                disturb(number, chance)
            victim = chance.randrange(GATEWAYS)
            gateways.kill(victim)
            gateways.start(victim)
        generator.stop()
        gateways.stop()
        # What the last ones could not take up, because its owner still lived, is taken up now.
        gateways.start(0)
        gateways.stop()
    finally:
        generator.stopping = True
        for process in gateways.processes:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(PATIENCE)
        provider.listener.close()
    left = [name for name in os.listdir(gateways.folder / "var" / "spool") if name != "lock"]
    assert not left, f"left in the spool: {left}"
    return check_books(books, provider, generator)


class Harm:
    """What dies between two rounds beside gateways: the database a tenth of the time, Redis as often."""

    def __init__(self, folder, postgres=None, redis=None):
        self.folder, self.postgres, self.redis = Path(folder), postgres, redis
        self.done = collections.Counter()

    def __call__(self, _, chance):
        if chance.random() < 0.1:
            self.done["database"] += 1
            if self.postgres is None:
                lock_database(self.folder, chance.uniform(0.05, 0.5))
            else:
                self.postgres.kill()
                self.postgres.start()
        if self.redis is not None and chance.random() < 0.1:
            self.done["redis"] += 1
            self.redis.kill()
            self.redis.start()

    def settings(self):
        text = f'[postgres]\nurl = "{self.postgres.url}"\n' if self.postgres else ""
        return text + (f'[redis]\nurl = "{self.redis.url}"\n' if self.redis else "")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=1000)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--postgres", action="store_true", help="in PostgreSQL, which is killed too")
    options.add_argument("--redis", action="store_true", help="limits shared through Redis, which is killed too")
    chosen = options.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with contextlib.ExitStack() as all_of_it:
        folder = all_of_it.enter_context(tempfile.TemporaryDirectory())
        harm, books = Harm(folder), None
        if chosen.postgres:
            from postgres_server import Postgres, PostgresBooks
            harm.postgres = all_of_it.enter_context(Postgres(Path(folder) / "postgres"))
            books = PostgresBooks(harm.postgres)
        if chosen.redis:
            from redis_rig import Redis
            harm.redis = all_of_it.enter_context(Redis(folder))
        figures = prove(folder, chosen.rounds, chosen.seed, harm.settings(), harm, books,
                        limits='mode = "strict"\n' if chosen.redis else "")
        print(json.dumps({"rounds": chosen.rounds, **harm.done, **figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
