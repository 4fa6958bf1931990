#!/usr/bin/env python3
"""The gateway and others side by side, in interleaved rounds against one mock provider. Started by compare.sh, which installs them.

Whoever is measured is on core 0, load generator and mock provider on core 1. Medians of the rounds; min-max of the ratio to nginx.
usage: bench/compare.py [--binary FILE] [--peers nginx,haproxy,...|all] [--rounds 5] [--seconds 4] [--json FILE]
"""

import argparse
import json
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile

from peers import OTHER_CORE, ROOT, SIDES, Unavailable, free_port, wait_for

# What is run, and the figures taken from its report: label, unit, how to find it.
CASES = {
    "unary-1k": [("1 KiB in and out, 64 connections: CPU per request", "us", lambda r: r["target"]["cpu_us_per_request"]),
                 ("1 KiB in and out, 64 connections: rate", "1/s", lambda r: r["rates"]["requests_per_s"])],
    "unary-16k": [("16 KiB in and out, 64 connections: CPU per request", "us", lambda r: r["target"]["cpu_us_per_request"])],
    "streams-events": [("stream of 100 events, 64 at a time: CPU per event", "us", lambda r: r["target"]["cpu_us_per_event"])],
    "unary-one": [("one connection, instant provider: p50", "us", lambda r: r["totals"]["total"]["p50"]),
                  ("one connection, instant provider: p99", "us", lambda r: r["totals"]["total"]["p99"])],
    "streams-200x50": [("200 streams of 50 chunks a second: first content, p99", "us", lambda r: r["totals"]["first"]["p99"]),
                       ("200 streams of 50 chunks a second: delay of a chunk, p50", "us", lambda r: r["totals"]["delay"]["p50"]),
                       ("200 streams of 50 chunks a second: delay of a chunk, p99", "us", lambda r: r["totals"]["delay"]["p99"]),
                       ("200 streams of 50 chunks a second: resident memory, peak", "MiB", lambda r: r["target"]["rss_bytes_peak"] / 2**20)],
}
LONGER = {"streams-200x50": 12}  # seconds at least: each stream takes four
FRONTIER_LEVELS = [1, 2, 4, 8, 16, 32, 64, 128, 256]
FRONTIER_LIMITS_MS = [1, 5, 10, 50]


class Field:
    """All sides that could be started, and one mock provider behind them."""

    def __init__(self, binary, folder, names):
        self.binary, self.folder, self.sides, self.missing = binary, pathlib.Path(folder), [], {}
        self.mock_port = free_port()
        self.mock = subprocess.Popen(["taskset", "-c", str(OTHER_CORE), binary, "mock", "--listen", f"127.0.0.1:{self.mock_port}"],
                                     stdout=subprocess.DEVNULL)
        if not wait_for(self.mock_port, self.mock):
            sys.exit("the mock provider does not start")
        for kind in SIDES:
            if kind.name not in names:
                continue
            side = kind(folder, binary, self.mock_port)
            try:
                side.up()
                self.warm(side)
                self.sides.append(side)
                print(f"{side.name}: runs", file=sys.stderr)
            except (Unavailable, OSError) as reason:
                self.missing[side.name] = str(reason)
                side.stop()
                print(f"{side.name}: {reason}", file=sys.stderr)

    def warm(self, side, tries=5):
        """Has it answer until it does so at its usual pace; those with a runtime are slow at first."""
        for left in reversed(range(tries)):
            try:
                self.run(side, "unary-one", 2)
                return
            except Unavailable:
                if not left:
                    raise

    def run(self, side, scenario, seconds, *options):
        """One measurement. Returns the report. A side that fails requests is not measured."""
        out = self.folder / "report.json"
        out.unlink(missing_ok=True)
        done = subprocess.run(["taskset", "-c", str(OTHER_CORE), self.binary, "bench", "run", scenario, "--for", f"{seconds}s", "--json", out,
                               *side.target, *options], capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1) or not out.exists():
            raise Unavailable(f"{scenario}: {done.stderr.strip() or done.stdout.strip()}")
        report = json.loads(out.read_text())
        ended = report["totals"]["outcomes"]
        bad = report["totals"]["requests"] - ended["succeeded"] - ended["unfinished"]
        if bad or not ended["succeeded"]:
            raise Unavailable(f"{ended['succeeded']} of {report['totals']['requests']} requests succeeded in {seconds} s: "
                              f"{ {k: v for k, v in ended.items() if v} }, statuses {report['totals']['statuses']}")
        return report

    def stop(self):
        for side in self.sides:
            side.stop()
        self.mock.send_signal(signal.SIGTERM)
        self.mock.wait(10)


def measure(field, rounds, seconds):
    """{figure: {side: [value of each round]}}"""
    values = {}
    for number in range(rounds):
        for scenario, figures in CASES.items():
            for i in range(len(field.sides)):
                side = field.sides[(i + number) % len(field.sides)]
                try:
                    report = field.run(side, scenario, max(seconds, LONGER.get(scenario, 0)))
                except Unavailable as reason:
                    field.missing[f"{side.name}, {scenario}"] = str(reason)
                    continue
                for label, _, find in figures:
                    if report["target"] or "target" not in find.__code__.co_consts:
                        values.setdefault(label, {}).setdefault(side.name, []).append(find(report))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return values


def added(values):
    """Adds what each side takes beyond the mock provider alone, round by round."""
    for which in ("p50", "p99"):
        label = f"one connection, instant provider: {which}"
        direct = values.get(label, {}).get("direct", [])
        values[f"{label}, beyond the provider alone"] = {side: [a - d for a, d in zip(rounds, direct)]
                                                       for side, rounds in values.get(label, {}).items() if side != "direct"}


def frontier(field, seconds):
    """{side: {limit in ms: best rate}}: the most requests per second with the 99th percentile under the limit."""
    best = {side.name: dict.fromkeys(FRONTIER_LIMITS_MS, 0) for side in field.sides}
    for level in FRONTIER_LEVELS:
        for side in field.sides:
            try:
                report = field.run(side, "unary-1k", seconds, "--level", str(level))
            except Unavailable:
                continue
            for limit in FRONTIER_LIMITS_MS:
                if report["totals"]["total"]["p99"] < limit * 1000:
                    best[side.name][limit] = max(best[side.name][limit], report["rates"]["requests_per_s"])
    return best


def number(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}"


def table(values, best, sides, units):
    names = [side.name for side in sides]
    lines = ["| figure, median | unit | " + " | ".join(names) + " | concurred / nginx (min–max) |", "|---" * (len(names) + 3) + "|"]
    order = [label for figures in CASES.values() for label, _, _ in figures]
    for label, by_side in sorted(values.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)):
        cells = [number(statistics.median(by_side[n])) if by_side.get(n) else "–" for n in names]
        ratio = "–"
        if by_side.get("concurred") and by_side.get("nginx"):
            ratios = [a / b for a, b in zip(by_side["concurred"], by_side["nginx"]) if b > 0]
            if ratios:
                ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        lines.append(f"| {label} | {units.get(label, 'us')} | " + " | ".join(cells) + f" | {ratio} |")
    for limit in FRONTIER_LIMITS_MS:
        rates = [best.get(n, {}).get(limit, 0) for n in names]
        ours, theirs = best.get("concurred", {}).get(limit, 0), best.get("nginx", {}).get(limit, 0)
        lines.append(f"| best rate with p99 under {limit} ms | 1/s | " + " | ".join(number(r) if r else "none" for r in rates) +
                     f" | {f'{ours / theirs:.2f}' if theirs else '–'} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / "build/release/concurred", type=pathlib.Path)
    parser.add_argument("--peers", default="all")
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--seconds", default=4, type=int)
    parser.add_argument("--json", type=pathlib.Path, help="all values of all rounds")
    options = parser.parse_args()
    known = [kind.name for kind in SIDES]
    names = set(known if options.peers == "all" else ["direct", "concurred", *options.peers.split(",")])
    if names - set(known):
        parser.error(f"unknown: {', '.join(names - set(known))}; there are {', '.join(known)}")
    with tempfile.TemporaryDirectory() as folder:
        field = Field(str(options.binary.resolve()), folder, names)
        try:
            values = measure(field, options.rounds, options.seconds)
            added(values)
            best = frontier(field, max(2, options.seconds // 2))
        finally:
            field.stop()
    units = {label: unit for figures in CASES.values() for label, unit, _ in figures}
    print(table(values, best, field.sides, units))
    for name, reason in field.missing.items():
        print(f"\nnot measured: {name}: {reason}")
    if options.json:
        options.json.write_text(json.dumps({"values": values, "frontier": best, "missing": field.missing}, indent=1))


if __name__ == "__main__":
    main()
