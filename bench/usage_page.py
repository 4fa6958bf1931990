#!/usr/bin/env python3
"""How long the page of a month's usage takes when many requests are booked.

Fills a database of its own with the daily sums of --requests requests (10 million), of an owner with 50 keys, 12 models
and 6 providers on each of 30 days, and of 20 other owners; with --events also with a row for each request, as they are
while `event_days` lasts (about 3 GB for 10 million). Then asks a running gateway for the page in all its forms.

    CONCURRED_BIN=build/release/concurred python3 bench/usage_page.py [--requests N] [--events] [--asks N]
"""

import argparse
import datetime
import http.client
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DAYS, KEYS, MODELS, PROVIDERS, OTHERS = 30, 50, 12, 6, 20
PAGES = ("", "?interval=day", "?interval=day&groupBy=model", "?interval=day&groupBy=key", "?groupBy=provider",
         "?interval=day&keyId=key_7")


def fill(path, requests, events):
    today = int(time.time()) // 86_400
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("BEGIN")
    rows = DAYS * KEYS * MODELS
    each = max(requests // rows, 1)
    for owner in ["local"] + [f"other-{i}" for i in range(OTHERS)]:
        database.executemany(
            "INSERT INTO usage_daily VALUES (?,?,?,?,?,0,?,0,0,?,0,0,?,0,?,0,0)",
            ((owner, today - day, f"key_{key}", f"model-{model}", f"provider-{model % PROVIDERS}", each, 700 * each,
              300 * each, 2_000_000 * each) for day in range(DAYS) for key in range(KEYS) for model in range(MODELS)))
    if events:
        database.execute(
            """INSERT INTO usage_event
               WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
               SELECT unhex_id(i), ?2 - ?3 + 1 + i * ?3 / ?1, 0, 200, 0, 0, 1, 0, 1, 1, 700, 0, 0, 300, 0, 0, 2000000, 900,
                      200, 'local', 'key_' || (i % 50), '/api/v1/chat/completions', 'provider-1', 'model-1', 'model-1',
                      'chatcmpl-0123456789abcdef'
               FROM n""".replace("unhex_id(i)", "CAST(printf('%016d', i) AS BLOB)"), (requests, today, DAYS))
    database.execute("COMMIT")
    database.close()
    return rows * (OTHERS + 1)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--requests", type=int, default=10_000_000)
    options.add_argument("--events", action="store_true")
    options.add_argument("--asks", type=int, default=200)
    chosen = options.parse_args()
    binary = os.path.abspath(os.environ["CONCURRED_BIN"])
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([binary, "keys", "create", "--name", "bench", "--rate-limit", "1000000", "--json"], cwd=folder,
                              capture_output=True, text=True, check=True)
        key = json.loads(made.stdout)["key"]
        rows = fill(Path(folder) / "var" / "concurred.db", chosen.requests, chosen.events)
        size = os.path.getsize(Path(folder) / "var" / "concurred.db")
        print(f"{chosen.requests:,} requests, {rows:,} daily rows, file of {size / 1e6:,.0f} MB, "
              f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}")
        with open(Path(folder) / "log", "wb") as log:
            server = subprocess.Popen([binary, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"],
                                      cwd=folder, stdout=subprocess.DEVNULL, stderr=log)
        try:
            while '"listening"' not in (Path(folder) / "log").read_text():
                time.sleep(0.05)
            text = next(line for line in (Path(folder) / "log").read_text().splitlines() if '"listening"' in line)
            client = http.client.HTTPConnection("127.0.0.1", json.loads(text)["port"])
            for page in PAGES:
                times = []
                for _ in range(chosen.asks):
                    began = time.perf_counter()
                    client.request("GET", "/api/v1/usage" + page, headers={"Authorization": "Bearer " + key})
                    answer = client.getresponse()
                    octets = len(answer.read())
                    assert answer.status == 200
                    times.append((time.perf_counter() - began) * 1000)
                p95 = statistics.quantiles(times, n=20)[18]
                print(f"{page or '(default)':40} p50 {statistics.median(times):7.1f} ms  p95 {p95:7.1f} ms  {octets} octets")
        finally:
            server.terminate()
            server.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
