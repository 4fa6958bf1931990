"""The load generator: what it counts is what the provider saw, and what it reports is what it counted."""

import html.parser
import json
import re

import pytest

from bench_report import bench, run
from mock_provider import MockProvider, binary

pytestmark = pytest.mark.skipif(not binary(), reason="CONCURRED_BIN is not set")

# A machine that runs tests may be busy: late starts make a run invalid, which is not what these tests are about.
PATIENT = 'lateness = "10m"\n'


def scenario(load, *requests, rest=""):
    kinds = "".join(f"[[request]]\n{text}\n" for text in requests)
    return f'name = "test"\n[load]\n{PATIENT}{load}\n{kinds}{rest}'


def by_name(report):
    return {kind["name"]: kind for kind in report["kinds"]}


def test_a_short_mixed_run_against_a_gateway_of_its_own_adds_up_with_the_providers_ledger(tmp_path):
    text = scenario('mode = "open"\narrivals = "constant"\nconnections = 64\n[[stage]]\nlevel = 40\nfor = "3s"',
                    'name = "plain"\nmock = "pad=100"',
                    'name = "stream"\nmock = "tokens=5;stamp"\nstream = true\nframes = 5\nfields = \'"stream_options":{"include_usage":true}\'',
                    'name = "revoked"\nkey = "gone"\nmock = "pad=100"\nexpect = [401]',
                    rest='[keys.good]\ncount = 2\n[keys.gone]\nrevoked = true\n')
    done, report, page = run(tmp_path, text)
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = by_name(report)
    # 40 a second for 3 s, spread over three kinds of equal weight.
    assert report["totals"]["requests"] == 120 == report["totals"]["outcomes"]["succeeded"] == report["generator"]["lateness"]["count"]
    assert sum(kind["requests"] for kind in kinds.values()) == 120 and all(kind["requests"] > 20 for kind in kinds.values())
    assert kinds["revoked"]["statuses"] == {"401": kinds["revoked"]["requests"]}
    assert kinds["plain"]["statuses"] == {"200": kinds["plain"]["requests"]}
    # What the provider saw: all but the refused ones; of each stream role, 5 tokens, finish, usage, and the end mark here.
    ledger, streams = report["ledger"], kinds["stream"]["requests"]
    assert ledger["requests"] == ledger["completed"] == 120 - kinds["revoked"]["requests"]
    assert ledger["events_sent"] == 8 * streams and kinds["stream"]["events"] == 9 * streams
    assert kinds["stream"]["delay"]["count"] == 5 * streams
    assert kinds["stream"]["first"]["count"] == streams and kinds["stream"]["gap"]["count"] == 4 * streams
    assert report["totals"]["frames"] == {"lost": 0, "duplicated": 0, "reordered": 0}
    assert sum(window["planned"] for window in report["windows"]) == 120
    assert report["target"]["cpu_us_per_request"] > 0 and report["target"]["rss_bytes_peak"] > 1 << 20
    assert_is_one_whole_page(page)


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.figures, self.drawn, self.references = [], 0, 0, []

    def handle_starttag(self, tag, attributes):
        self.references += [value for name, value in attributes if name in ("src", "href")]
        self.figures += tag == "figure"
        self.drawn += tag == "polyline"
        if tag not in ("meta", "path", "polyline"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        if tag not in ("path", "polyline"):
            assert self.open.pop() == tag, tag


def assert_is_one_whole_page(page):
    tags = Tags()
    tags.feed(page)
    assert tags.open == [] and tags.references == [] and "<script" not in page and "url(" not in page
    assert tags.figures == 8 and tags.drawn >= 12
    assert "prefers-color-scheme:dark" in page and 'name="viewport"' in page


def test_requests_that_do_not_succeed_are_told_apart_and_fail_the_run(tmp_path):
    text = scenario('[[stage]]\nlevel = 4\nfor = "1s"',
                    'name = "refused"\nmock = "status=503"', 'name = "cut"\nmock = "tokens=9;gap=1ms;close-after=3"\nstream = true',
                    'name = "endless"\nmock = "tokens=9;gap=1ms;no-done"\nstream = true',
                    'name = "error"\nmock = "tokens=9;gap=1ms;error-frame=3"\nstream = true')
    with MockProvider() as mock:
        done, report, _ = run(tmp_path, text, "--target", mock.base_url, "--model-prefix", "", "--key", "sk-test")
    assert done.returncode == 1 and "FAILED: only 0 of" in done.stdout
    for name, outcome in {"refused": "status", "cut": "broken", "endless": "incomplete", "error": "error_event"}.items():
        kind = by_name(report)[name]
        assert kind["requests"] > 0 and kind["outcomes"][outcome] == kind["requests"], name
        assert kind["total"]["count"] == 0, "times are those of successes"


def test_frames_that_a_relay_loses_are_counted(tmp_path):
    text = scenario('[[stage]]\nlevel = 2\nfor = "1s"', 'mock = "tokens=5;stamp"\nstream = true\nframes = 7')
    with MockProvider() as mock:
        done, report, _ = run(tmp_path, text, "--target", mock.base_url, "--model-prefix", "", "--key", "sk-test")
    assert done.returncode == 1 and "lost" in done.stdout
    assert report["totals"]["frames"]["lost"] == 2 * report["totals"]["requests"]


def test_clients_that_leave_close_their_connection_and_slow_ones_do_not_lose_anything(tmp_path):
    text = scenario('drain = "20s"\n[[stage]]\nlevel = 4\nfor = "1s"',
                    'name = "leaver"\nmock = "tokens=100000;gap=5ms;stamp"\nstream = true\nleave_after = 3',
                    'name = "slow"\nmock = "tokens=200;stamp"\nstream = true\nframes = 200\nread_rate = "128KiB"')
    with MockProvider() as mock:
        done, report, _ = run(tmp_path, text, "--target", mock.base_url, "--model-prefix", "", "--key", "sk-test")
        left = by_name(report)["leaver"]["requests"]
        ledger = mock.ledger_when(lambda l: l["in_progress"] == 0)
    assert done.returncode == 0, done.stdout
    assert left > 0 and by_name(report)["leaver"]["outcomes"]["left"] == left == ledger["aborted"]
    assert by_name(report)["slow"]["outcomes"]["succeeded"] == by_name(report)["slow"]["requests"] > 0


def test_a_generator_that_is_late_makes_the_run_invalid(tmp_path):
    # One connection and answers of 100 ms cannot do 50 requests a second: times are counted from the plan all the same.
    text = scenario('mode = "open"\nconnections = 1\ndrain = "0s"\n[[stage]]\nlevel = 50\nfor = "1s"', 'mock = "pad=9;first=100ms"')
    with MockProvider() as mock:
        done, report, _ = run(tmp_path, text, "--target", mock.base_url, "--model-prefix", "", "--key", "sk-test")
        refused = bench("compare", str(tmp_path / "report.json"), str(tmp_path / "report.json"))
    assert done.returncode == 69 and "INVALID: more than 1 %" in done.stdout
    assert report["verdict"]["valid"] is False and report["totals"]["requests"] == 50
    assert report["totals"]["outcomes"]["unfinished"] >= 38 and report["generator"]["starved"] >= 38
    assert report["totals"]["total"]["max"] > report["totals"]["service"]["max"]
    assert refused.returncode == 69 and "invalid run" in refused.stderr


def test_a_target_elsewhere_needs_to_be_allowed():
    done = bench("run", "unary-one", "--target", "http://192.0.2.1:8080/api/v1", "--key", "x")
    assert done.returncode == 64 and "--allow-remote" in done.stderr


@pytest.mark.parametrize("arguments, code, said", [
    (["run", "no-such-thing"], 78, "no scenario and no file"),
    (["run", "unary-one", "--for", "soon"], 64, "--for needs a time"),
    (["compare", "none.json", "none.json"], 69, "none.json: "),
    (["report", "none.json", "x.html"], 69, "none.json: "),
])
def test_what_cannot_be_done_is_said(tmp_path, arguments, code, said):
    done = bench(*arguments, folder=tmp_path)
    assert done.returncode == code and said in done.stderr


def test_a_scenario_with_mistakes_names_all_of_them(tmp_path):
    (tmp_path / "x.toml").write_text('[[stage]]\nlevel = "many"\n[[request]]\nmock = "a"\nstraem = true\n')
    done = bench("run", str(tmp_path / "x.toml"))
    assert done.returncode == 78
    assert re.search(r"x\.toml:2: level: needs a number", done.stderr) and "did you mean 'stream'?" in done.stderr


def test_comparing_says_what_is_worse_by_its_exit_code(tmp_path):
    base = run(tmp_path, scenario('[[stage]]\nlevel = 2\nfor = "1s"', 'mock = "pad=9"'))[1]
    slower = json.loads(json.dumps(base))
    for window in slower["windows"]:
        window["cpu_s"] *= 3
    (tmp_path / "slower.json").write_text(json.dumps(slower))
    same = bench("compare", "report.json", "report.json", "--json", folder=tmp_path)
    worse = bench("compare", "report.json", "slower.json", "--json", folder=tmp_path)
    better = bench("compare", "slower.json", "report.json", folder=tmp_path)
    assert same.returncode == 0 and all(figure["ratio"] == 1 for figure in json.loads(same.stdout))
    assert worse.returncode == 1
    cpu = next(figure for figure in json.loads(worse.stdout) if figure["figure"] == "CPU per request, us")
    assert cpu["verdict"] == "WORSE" and cpu["low"] <= 3 <= cpu["high"] and round(cpu["ratio"], 6) == 3
    assert better.returncode == 0 and "better" in better.stdout


def test_the_list_names_every_scenario_file():
    names = {line.split()[0] for line in bench("list").stdout.splitlines()}
    assert {"quick", "unary-1k", "unary-16k", "streams-200x50", "quiet-10000", "prompt-1m", "burst", "limit-storm", "bad-keys", "provider-fails",
            "provider-stalls", "leavers", "slow-readers", "idle-10000", "drain", "reload", "redis-slow", "redis-down", "soak"} <= names
