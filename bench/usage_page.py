#!/usr/bin/env python3
"""How long the page of a month's usage takes when many requests are booked.

Fills a database of its own with the daily sums of --requests requests (10 million), of an owner with 50 keys, 12 models
and 6 providers on each of 30 days, and of 20 other owners; with --events also with a row for each request, as they are
while `event_days` lasts (about 2.2 GB for 10 million). Then asks a running gateway for the page in all its forms. With
--postgres in a PostgreSQL 15 of its own.

    CONCURRED_BIN=build/release/concurred python3 bench/usage_page.py [--requests N] [--events] [--postgres] [--asks N]
"""

import argparse
import contextlib
import datetime
import http.client
import json
import os
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "integration"))
from postgres_server import Postgres  # noqa: E402

DAYS, KEYS, MODELS, PROVIDERS, OTHERS = 30, 50, 12, 6, 20
PAGES = ("", "?interval=day", "?interval=day&groupBy=model", "?interval=day&groupBy=key", "?groupBy=provider",
         "?interval=day&keyId=key_7")


def packed_event(today):
    """All but its id of a record as storage/usage_codec.hpp packs it."""
    texts = b"".join(bytes((len(text),)) + text for text in (
        b"local", b"key_7", b"/api/v1/chat/completions", b"provider-1", b"model-1", b"model-1", b"chatcmpl-0123456789abcdef"))
    return struct.pack("<BBqiHI6QqII", 0, 8, today * 86_400_000, today, 200, 1, 700, 0, 0, 300, 0, 0, 2_000_000, 900, 200) + texts


def fill_sqlite(path, requests, today, each, events):
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("BEGIN")
    for owner in ["local"] + [f"other-{i}" for i in range(OTHERS)]:
        database.executemany(
            "INSERT INTO usage_daily VALUES (?,?,?,?,?,0,?,0,0,?,0,0,?,0,?,0,0)",
            ((owner, today - day, f"key_{key}", f"model-{model}", f"provider-{model % PROVIDERS}", each, 700 * each,
              300 * each, 2_000_000 * each) for day in range(DAYS) for key in range(KEYS) for model in range(MODELS)))
    if events:
        # In the order of their time, as they come.
        database.execute("""INSERT INTO usage_event WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
                            SELECT ((?2 + i * ?3 / ?1) << 20) + (i & 1048575), CAST(randomblob(16) || ?4 AS BLOB) FROM n""",
                         (requests, (today - DAYS + 1) * 86_400_000, DAYS * 86_400_000, packed_event(today)))
    database.execute("COMMIT")
    database.close()
    return os.path.getsize(path)


def fill_postgres(server, requests, today, each, events):
    server.query(f"""INSERT INTO usage_daily
        SELECT CASE o WHEN 0 THEN 'local' ELSE 'other-' || o END, {today} - d, 'key_' || k, 'model-' || m,
               'provider-' || m % {PROVIDERS}, false, {each}, 0, 0, {700 * each}, 0, 0, {300 * each}, 0, {2_000_000 * each}, 0, 0
        FROM generate_series(0, {OTHERS}) o, generate_series(0, {DAYS - 1}) d, generate_series(0, {KEYS - 1}) k,
             generate_series(0, {MODELS - 1}) m""")
    if events:
        month = datetime.datetime.now(datetime.timezone.utc).date().replace(day=1)
        for _ in range(2):  # this one, as the gateway would make it, and the one before
            next_month = (month + datetime.timedelta(days=31)).replace(day=1)
            first, end = ((day - datetime.date(1970, 1, 1)).days for day in (month, next_month))
            server.query(f"CREATE TABLE usage_event_{month:%Y_%m} PARTITION OF usage_event FOR VALUES FROM ({first}) TO ({end})")
            month = (month - datetime.timedelta(days=1)).replace(day=1)
        server.query(f"""INSERT INTO usage_event
            SELECT gen_random_uuid(), {today} - {DAYS} + 1 + (i * {DAYS} / {requests})::int, 0, 200, 0, false, false, false, true,
                   1, 700, 0, 0, 300, 0, 0, 2000000, 900, 200, 'local', 'key_' || i % 50, '/api/v1/chat/completions',
                   'provider-1', 'model-1', 'model-1', 'chatcmpl-0123456789abcdef'
            FROM generate_series(0::bigint, {requests - 1}) i""")
    server.query("ANALYZE")
    return int(server.query("SELECT pg_database_size('postgres')")[0][0])


def processor_seconds(pids):
    """Of processes and all their children. Unlike the time that passes it does not depend on who else is at work."""
    processes = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            processes[int(entry)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
        except OSError:
            continue  # it has ended

    def is_ours(pid):
        return pid in pids or (pid in processes and is_ours(processes[pid][0]))

    return sum(ticks for pid, (_, ticks) in processes.items() if is_ours(pid)) / os.sysconf("SC_CLK_TCK")


def ask_all(port, key, asks, pids):
    client = http.client.HTTPConnection("127.0.0.1", port)
    for page in PAGES:
        times = []
        before = processor_seconds(pids)
        for _ in range(asks):
            began = time.perf_counter()
            client.request("GET", "/api/v1/usage" + page, headers={"Authorization": "Bearer " + key})
            answer = client.getresponse()
            octets = len(answer.read())
            assert answer.status == 200
            times.append((time.perf_counter() - began) * 1000)
        p95 = statistics.quantiles(times, n=20)[18]
        processor = (processor_seconds(pids) - before) / asks * 1000
        print(f"{page or '(default)':40} p50 {statistics.median(times):7.1f} ms  p95 {p95:7.1f} ms  processor {processor:6.1f} ms  "
              f"{octets} octets", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--requests", type=int, default=10_000_000)
    options.add_argument("--events", action="store_true")
    options.add_argument("--postgres", action="store_true")
    options.add_argument("--asks", type=int, default=200)
    chosen = options.parse_args()
    binary = os.path.abspath(os.environ["CONCURRED_BIN"])
    today = int(time.time()) // 86_400
    rows = DAYS * KEYS * MODELS
    each = max(chosen.requests // rows, 1)
    with contextlib.ExitStack() as all_of_it:
        folder = Path(all_of_it.enter_context(tempfile.TemporaryDirectory()))
        if chosen.postgres:
            server = all_of_it.enter_context(Postgres(folder / "postgres", settings=["shared_buffers=512MB", "max_wal_size=1GB"]))
            (folder / "concurred.toml").write_text(f'[postgres]\nurl = "{server.url}"\n')
        made = subprocess.run([binary, "keys", "create", "--name", "bench", "--rate-limit", "1000000", "--json"], cwd=folder,
                              capture_output=True, text=True, check=True)
        if chosen.postgres:
            size = fill_postgres(server, chosen.requests, today, each, chosen.events)
        else:
            size = fill_sqlite(folder / "var" / "concurred.db", chosen.requests, today, each, chosen.events)
        print(f"{chosen.requests:,} requests, {rows * (OTHERS + 1):,} daily rows, {size / 1e6:,.0f} MB in "
              f"{'PostgreSQL' if chosen.postgres else 'SQLite'}, {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
              flush=True)
        log = folder / "log"
        with open(log, "wb") as stderr:
            gateway = subprocess.Popen([binary, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"],
                                       cwd=folder, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            while '"listening"' not in log.read_text():
                time.sleep(0.05)
            text = next(line for line in log.read_text().splitlines() if '"listening"' in line)
            pids = [gateway.pid] + ([server.process.pid] if chosen.postgres else [])
            ask_all(json.loads(text)["port"], json.loads(made.stdout)["key"], chosen.asks, pids)
        finally:
            gateway.terminate()
            gateway.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
