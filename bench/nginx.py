#!/usr/bin/env python3
"""CPU per request and per stream event of the gateway as a ratio to nginx, in one run.

Both stand on core 0, one after the other in turns; load (wrk) and the mock provider are on core 1. The gateway has everything on (key
check, limit, usage record, metrics) but the access log, which is off for nginx too; nginx only passes on. Needs nginx and wrk.
usage: bench/nginx.py [--binary build/release/concurred] [--rounds 5] [--seconds 4]
"""

import argparse
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
EVENTS = 100

CASES = {
    # name: (model spec of the mock, extra body fields, client connections, events per answer)
    "unary 1 KiB in, 1 KiB out": ("mock-pad=500", 900, False, 64, 0),
    "unary 16 KiB in, 16 KiB out": ("mock-pad=15800", 16000, False, 64, 0),
    f"stream of {EVENTS} events": (f"mock-tokens={EVENTS};gap=2ms", 200, True, 64, EVENTS),
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


class Bench:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.processes = str(binary), pathlib.Path(folder), []

    def start(self, core, *command, env=None):
        log = open(self.folder / "log", "ab")
        p = subprocess.Popen(["taskset", "-c", str(core), *command], cwd=self.folder, stdout=log, stderr=log,
                             env={**os.environ, **(env or {})})
        self.processes.append(p)
        return p

    def up(self):
        self.mock_port, self.port, self.nginx_port, admin = (free_port() for _ in range(4))
        self.start(1, self.binary, "mock", "--listen", f"127.0.0.1:{self.mock_port}")
        wait_for(self.mock_port)
        made = subprocess.run([self.binary, "keys", "create", "--name", "bench", "--rate-limit", "1000000", "--json"],
                              cwd=self.folder, check=True, capture_output=True, text=True)
        self.key = json.loads(made.stdout)["key"]
        gateway = self.start(0, self.binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--admin-listen", f"127.0.0.1:{admin}",
                             "--shards", "1", "--set", "log.access=false",
                             env={"CONCURRED__PROVIDERS__OPENAI__BASE_URL": f"http://127.0.0.1:{self.mock_port}/v1",
                                  "CONCURRED__PROVIDERS__OPENAI__API_KEY": "mock-provider-key"})
        (self.folder / "nginx.conf").write_text(f"""
            worker_processes 1; daemon off; pid nginx.pid; error_log nginx.err;
            events {{ worker_connections 4096; }}
            http {{ access_log off; client_body_buffer_size 64k; proxy_temp_path t1; client_body_temp_path t2;
              fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5; keepalive_requests 1000000000;
              upstream mock {{ server 127.0.0.1:{self.mock_port}; keepalive 256; keepalive_requests 1000000000; }}
              server {{ listen 127.0.0.1:{self.nginx_port}; location / {{ proxy_pass http://mock; proxy_http_version 1.1;
                proxy_set_header Connection ""; proxy_buffering off; }} }} }}""")
        nginx = self.start(0, "nginx", "-p", str(self.folder), "-c", "nginx.conf")
        wait_for(self.port)
        wait_for(self.nginx_port)
        children = subprocess.run(["pgrep", "-P", str(nginx.pid)], capture_output=True, text=True).stdout.split()
        self.pids = {"gateway": [gateway.pid], "nginx": [nginx.pid, *map(int, children)]}
        self.urls = {"gateway": f"http://127.0.0.1:{self.port}/api/v1/chat/completions",
                     "nginx": f"http://127.0.0.1:{self.nginx_port}/v1/chat/completions"}

    def measure(self, side, case, seconds):
        spec, size, stream, connections, events = CASES[case]
        model = f"openai/{spec}" if side == "gateway" else spec
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "x" * size}]}
        if stream:
            body["stream_options"] = {"include_usage": True}
        script = self.folder / "post.lua"
        script.write_text(f"""wrk.method = "POST"
            wrk.body = [==[{json.dumps(body)}]==]
            wrk.headers["Content-Type"] = "application/json"
            wrk.headers["Authorization"] = "Bearer {self.key}" """)
        before = cpu_seconds(self.pids[side])
        out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s",
                              str(script), self.urls[side]], capture_output=True, text=True).stdout
        used = cpu_seconds(self.pids[side]) - before
        requests = int(re.search(r"(\d+) requests in", out)[1])
        if "Non-2xx" in out or requests == 0:
            sys.exit(f"{side}, {case}: not all requests succeeded:\n{out}")
        return used / requests * 1e6, requests / seconds

    def down(self):
        for p in reversed(self.processes):
            p.send_signal(signal.SIGINT if p.args[3] == self.binary else signal.SIGTERM)
        for p in self.processes:
            p.wait(20)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=ROOT / "build/release/concurred", type=pathlib.Path)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--seconds", default=4, type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options.binary.resolve(), folder)
        try:
            bench.up()
            print(f"| case | gateway, CPU µs | nginx, CPU µs | ratio | min–max | requests/s gateway, nginx |\n|---|---|---|---|---|---|")
            for case, (*_, events) in CASES.items():
                rounds = []
                for _ in range(options.rounds):
                    rounds.append([bench.measure(side, case, options.seconds) for side in ("gateway", "nginx")])
                per = max(events, 1)
                ratios = [g[0] / n[0] for g, n in rounds]
                g, n = (statistics.median(r[i][0] for r in rounds) / per for i in (0, 1))
                rates = [statistics.median(r[i][1] for r in rounds) for i in (0, 1)]
                unit = "event" if events else "request"
                print(f"| {case}: per {unit} | {g:.1f} | {n:.1f} | {statistics.median(ratios):.2f} | "
                      f"{min(ratios):.2f}–{max(ratios):.2f} | {rates[0]:.0f}, {rates[1]:.0f} |", flush=True)
        finally:
            bench.down()


if __name__ == "__main__":
    main()
